//! Socket.IO 5 packets in the text of Engine.IO messages (`E4` to `E6`).
//!
//! [`decode`] reads `type, attachments N-, /ns, ack digits, JSON` in that order (`E5`) and borrows everything it
//! gives out from the text. Binary packets are spread over several frames: a session gives all its messages to
//! an [`Assembler`], which decodes text packets and holds back binary ones until their frames have come (`E6`).
//! The encoders write whole frames, the `4` of Engine.IO included; arguments are JSON already.
//!
//! Session matters are left to the session: which packet may come when, answering an ack once (`E7`), a CONNECT
//! without sid (`E10`), the trailing offset of connection state recovery, which stays in the arguments (`E11`).

use std::borrow::Cow;
use std::fmt;

use super::json::{self, Kind, push_json_string, push_uint};
use super::{Limits, WireError};
use crate::proto::text::{cut, holds};
use crate::proto::wire::json::RawValue;

mod assembler;
mod encode;

pub use assembler::{Assembled, Assembler, placeholder_index, push_placeholder};
pub use encode::{
    encode_ack, encode_binary_ack, encode_binary_event, encode_connect, encode_disconnect, encode_event,
};

/// The namespace that is not written on the wire (`E4`).
pub const DEFAULT_NAMESPACE: &str = "/";

/// The largest ack id: 2^53 − 1, the last whole number every peer in JavaScript keeps exactly.
pub const MAX_ACK_ID: u64 = (1 << 53) - 1;

/// Names an application's event must not have, for they are local events of Socket.IO (`E5`).
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

const LAYER: &str = "Socket.IO";

/// The arguments of an event after its name, or of an acknowledgement: JSON values, slices of the packet's text.
pub type Args<'a> = Vec<&'a RawValue>;

/// The first element of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventName<'a> {
    /// A string that is not reserved.
    Text(Cow<'a, str>),
    /// A number, as it was written.
    Number(&'a str),
}

impl EventName<'_> {
    /// The name to compare with; a number's as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            EventName::Text(name) => name,
            EventName::Number(number) => number,
        }
    }
}

/// A packet; `ns` is its namespace, `/` where the wire has none. `Debug` shows no content.
#[derive(Clone)]
pub enum Packet<'a> {
    /// `0`: the server accepts the connection to a namespace.
    Connect {
        /// The namespace.
        ns: &'a str,
        /// An object with `sid` and perhaps `pid`; nothing from a version-2 server (`E10`, `E11`).
        payload: Option<&'a RawValue>,
    },
    /// `1`: the server ends the connection to a namespace (`E8`).
    Disconnect {
        /// The namespace.
        ns: &'a str,
    },
    /// `2` or `5`: an event.
    Event {
        /// The namespace.
        ns: &'a str,
        /// Set if the server wants an acknowledgement, at most [`MAX_ACK_ID`].
        ack_id: Option<u64>,
        /// The event's name.
        name: EventName<'a>,
        /// What follows the name.
        args: Args<'a>,
        /// `None` for a text packet, the number of binary frames for a binary one (`E6`).
        attachments: Option<usize>,
    },
    /// `3` or `6`: the answer to an event of ours.
    Ack {
        /// The namespace.
        ns: &'a str,
        /// The id given to the event, at most [`MAX_ACK_ID`].
        id: u64,
        /// The answer's arguments.
        args: Args<'a>,
        /// `None` for a text packet, the number of binary frames for a binary one (`E6`).
        attachments: Option<usize>,
    },
    /// `4`: the server refuses the connection to a namespace (`E8`).
    ConnectError {
        /// The namespace.
        ns: &'a str,
        /// An object `{message, data?}` or a string.
        payload: Option<&'a RawValue>,
    },
}

impl<'a> Packet<'a> {
    /// The packet's namespace.
    #[must_use]
    pub fn ns(&self) -> &'a str {
        match self {
            Packet::Connect { ns, .. }
            | Packet::Disconnect { ns }
            | Packet::Event { ns, .. }
            | Packet::Ack { ns, .. }
            | Packet::ConnectError { ns, .. } => ns,
        }
    }

    /// How many binary frames belong to it: 0 for a text packet.
    #[must_use]
    pub fn attachments(&self) -> usize {
        match self {
            Packet::Event { attachments, .. } | Packet::Ack { attachments, .. } => attachments.unwrap_or(0),
            _ => 0,
        }
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packet::Connect { .. } => "Connect",
            Packet::Disconnect { .. } => "Disconnect",
            Packet::Event { .. } => "Event",
            Packet::Ack { .. } => "Ack",
            Packet::ConnectError { .. } => "ConnectError",
        })
    }
}

/// Checks a namespace before it is used: it begins with a slash and holds no comma.
///
/// # Errors
/// [`WireError::Namespace`].
pub fn check_namespace(ns: &str) -> Result<(), WireError> {
    if ns.starts_with('/') && !holds(ns, b",") { Ok(()) } else { Err(WireError::Namespace) }
}

/// Whether an event of this name cannot be sent or received (`E5`).
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED_EVENTS.contains(&name)
}

/// Decodes the text of one Engine.IO message. A binary packet is decoded too, but its attachments come in
/// frames of their own: a session uses [`Assembler::on_text`].
///
/// # Errors
/// Every [`WireError`] but those of attachments that come later.
pub fn decode<'a>(text: &'a str, limits: &Limits) -> Result<Packet<'a>, WireError> {
    if text.len() > limits.max_packet_bytes {
        return Err(WireError::TooLarge { max: limits.max_packet_bytes });
    }
    let head = Head::read(text, limits)?;
    let Head { ns, attachments, .. } = head;
    if head.ack_id.is_some() && !matches!(head.kind, b'2' | b'3' | b'5' | b'6') {
        return Err(WireError::AckId { at: head.ack_at, expected: "only events and acks have one" });
    }
    match head.kind {
        b'0' => {
            Ok(Packet::Connect { ns, payload: head.value("CONNECT", "an object", &[Kind::Object], limits)? })
        }
        b'1' if head.payload.is_empty() => Ok(Packet::Disconnect { ns }),
        b'1' => Err(WireError::Payload { packet: "DISCONNECT", at: head.payload_at, expected: "nothing" }),
        b'4' => {
            let kinds = [Kind::Object, Kind::String];
            let payload = head.value("CONNECT_ERROR", "an object or a string", &kinds, limits)?;
            Ok(Packet::ConnectError { ns, payload })
        }
        b'3' | b'6' => {
            let args = head.elements("ACK", "an array", limits)?;
            match head.ack_id {
                Some(id) => Ok(Packet::Ack { ns, id, args, attachments }),
                None => Err(WireError::AckId { at: head.ack_at, expected: "an ack must have one" }),
            }
        }
        _ => {
            let mut args = head.elements("EVENT", "an array that is not empty", limits)?;
            if args.is_empty() {
                return Err(head.wrong("EVENT", "an array that is not empty"));
            }
            let name = event_name(args.remove(0)).ok_or(WireError::EventName { at: head.payload_at })?;
            Ok(Packet::Event { ns, ack_id: head.ack_id, name, args, attachments })
        }
    }
}

fn event_name(first: &RawValue) -> Option<EventName<'_>> {
    match json::kind(first) {
        Kind::Number => Some(EventName::Number(first.get())),
        _ => json::string(first).filter(|name| !is_reserved(name)).map(EventName::Text),
    }
}

/// What stands before the JSON, and where.
struct Head<'a> {
    kind: u8,
    attachments: Option<usize>,
    ns: &'a str,
    ack_id: Option<u64>,
    ack_at: usize,
    payload: &'a str,
    payload_at: usize,
}

impl<'a> Head<'a> {
    fn read(text: &'a str, limits: &Limits) -> Result<Self, WireError> {
        let Some(kind) = text.bytes().next() else {
            return Err(WireError::Empty { layer: LAYER });
        };
        if !kind.is_ascii_digit() || kind > b'6' {
            return Err(WireError::UnknownType { layer: LAYER });
        }
        let mut rest = text.get(1..).unwrap_or_default();
        let at = |rest: &str| text.len() - rest.len();

        let mut attachments = None;
        if kind >= b'5' {
            let (count, after) = leading_number(rest);
            let (Some(count), Some(after)) = (count, after.strip_prefix('-')) else {
                return Err(WireError::Attachments { at: at(rest) });
            };
            let count = usize::try_from(count).ok().filter(|count| *count <= limits.max_attachments);
            attachments = Some(count.ok_or(WireError::TooManyAttachments { max: limits.max_attachments })?);
            rest = after;
        }

        let mut ns = DEFAULT_NAMESPACE;
        if rest.starts_with('/') {
            // The comma may be missing at the end: `1/admin`.
            (ns, rest) = cut(rest, b',').unwrap_or((rest, ""));
        }

        let ack_at = at(rest);
        let (ack_id, payload) = leading_number(rest);
        if ack_id.is_some_and(|id| id > MAX_ACK_ID) {
            return Err(WireError::AckId { at: ack_at, expected: "at most 2^53 - 1" });
        }
        Ok(Head { kind, attachments, ns, ack_id, ack_at, payload, payload_at: at(payload) })
    }

    fn wrong(&self, packet: &'static str, expected: &'static str) -> WireError {
        WireError::Payload { packet, at: self.payload_at, expected }
    }

    /// The payload as one value of the given kinds, if there is any.
    fn value(
        &self,
        packet: &'static str,
        expected: &'static str,
        kinds: &[Kind],
        limits: &Limits,
    ) -> Result<Option<&'a RawValue>, WireError> {
        if self.payload.is_empty() {
            return Ok(None);
        }
        let value = json::parse_within(self.payload, self.payload_at, limits)?;
        if kinds.contains(&json::kind(value)) { Ok(Some(value)) } else { Err(self.wrong(packet, expected)) }
    }

    /// The payload as the elements of an array.
    fn elements(
        &self,
        packet: &'static str,
        expected: &'static str,
        limits: &Limits,
    ) -> Result<Args<'a>, WireError> {
        if !self.payload.trim_start().starts_with('[') {
            return Err(self.wrong(packet, expected));
        }
        json::elements(self.payload, self.payload_at, limits)
    }
}

/// The digits a text begins with, and what follows them. Too large a number becomes `u64::MAX`, which is above
/// every limit.
fn leading_number(text: &str) -> (Option<u64>, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.strip_suffix(rest).unwrap_or_default();
    if digits.is_empty() { (None, rest) } else { (Some(json::digits(digits).unwrap_or(u64::MAX)), rest) }
}
