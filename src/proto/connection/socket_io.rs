//! One Socket.IO session at a time: which packet may come when, and what it means (E1 to E12).
//!
//! Law: a frame in, a [`Step`] out; nothing here decides about states, retries or tokens. What is malformed is
//! `Broken`, and it is `fatal` only where the framing is lost: nobody knows any more what the next frame is.

use crate::proto::mutant;
use crate::proto::sorted::SortedSet;
use crate::proto::wire::json::RawValue;
use std::borrow::Cow;

use super::Delivered;
use super::heartbeat::Heartbeat;
use super::held::{Held, deliver};
use crate::proto::profile::Push;
use crate::proto::wire::engine_io::{self, Frame};
use crate::proto::wire::json::{self, Object};
use crate::proto::wire::socket_io::{
    Assembler, Packet, encode_ack, encode_connect, encode_disconnect, encode_event,
};
use crate::proto::wire::{Limits, WireError, excerpt};
use crate::proto::{ConnId, Now, Secret};

/// Events kept from before the CONNECT reply (E9), and the bytes of their frames.
const MAX_EARLY: usize = 256;
const MAX_EARLY_BYTES: usize = 1024 * 1024;

/// Answers that the server waits for; the oldest is forgotten first.
const MAX_OWED: usize = 256;

/// How far a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// No socket.
    Gone,
    /// The socket is being opened.
    Opening,
    /// Open, without the Engine.IO handshake.
    Handshake,
    /// CONNECT was sent.
    Joining,
    Live,
}

/// What a frame means.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Nothing,
    /// To be sent at once.
    Reply(String),
    /// The handshake has come: CONNECT goes out (E4).
    Handshaken,
    /// CONNECT was answered.
    Joined {
        resumed: bool,
    },
    /// CONNECT was answered without a sid: a version-2 server (E10).
    VersionTwo,
    /// CONNECT_ERROR (E8).
    Refused {
        code: Option<String>,
        message: String,
    },
    /// The server's DISCONNECT (E8).
    Disconnected,
    /// Engine.IO's close (E3).
    Closed,
    Delivered(Delivered<'a>),
    Broken {
        message: String,
        excerpt: String,
        fatal: bool,
    },
}

/// The session's own counters outlive a socket: ack ids are never used twice (E7), and a session may be resumed
/// (E11).
pub(super) struct Session {
    namespace: String,
    limits: Limits,
    conn: Option<ConnId>,
    next_conn: ConnId,
    stage: Stage,
    assembler: Assembler,
    heartbeat: Option<Heartbeat>,
    sid: Option<String>,
    /// What the handshake says the server takes (E12).
    max_payload: Option<u64>,
    first_ack: u64,
    next_ack: u64,
    owed: SortedSet<u64>,
    early: Vec<Held>,
    early_bytes: usize,
    recovery: Option<(String, Option<String>)>,
}

impl Session {
    pub(super) fn new(namespace: &str, max_frame_bytes: u32) -> Self {
        let max_packet_bytes = usize::try_from(max_frame_bytes).unwrap_or(usize::MAX);
        let limits = Limits { max_packet_bytes, ..Limits::DEFAULT };
        Self {
            namespace: namespace.to_owned(),
            limits,
            conn: None,
            next_conn: 1,
            stage: Stage::Gone,
            assembler: Assembler::new(limits),
            heartbeat: None,
            sid: None,
            max_payload: None,
            first_ack: 0,
            next_ack: 0,
            owed: SortedSet::new(),
            early: Vec::new(),
            early_bytes: 0,
            recovery: None,
        }
    }

    /// Begins a socket.
    pub(super) fn open(&mut self) -> ConnId {
        self.end();
        let conn = self.next_conn;
        self.next_conn = self.next_conn.wrapping_add(1);
        self.conn = Some(conn);
        self.stage = Stage::Opening;
        conn
    }

    /// Forgets the socket and whatever hung on it; gives its name if there was one.
    pub(super) fn end(&mut self) -> Option<ConnId> {
        self.stage = Stage::Gone;
        self.assembler.reset();
        self.heartbeat.take_if(|_| !mutant::is(24));
        self.sid = None;
        self.max_payload = None;
        self.next_ack *= u64::from(!mutant::is(29));
        self.first_ack = self.next_ack;
        self.owed.clear();
        self.early = Vec::new();
        self.early_bytes = 0;
        self.conn.take()
    }

    /// The session is not to be resumed (E11).
    pub(super) fn forget_recovery(&mut self) {
        self.recovery = None;
    }

    pub(super) fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    pub(super) fn max_payload(&self) -> Option<u64> {
        self.max_payload
    }

    pub(super) fn heartbeat(&mut self) -> Option<&mut Heartbeat> {
        self.heartbeat.as_mut()
    }

    pub(super) fn take_early(&mut self) -> Vec<Held> {
        self.early_bytes = 0;
        core::mem::take(&mut self.early)
    }

    pub(super) fn on_opened(&mut self) {
        if self.stage == Stage::Opening {
            self.stage = Stage::Handshake;
        }
    }

    /// CONNECT with the token, and the session to resume (E4, E11).
    pub(super) fn connect_frame(&self, token: Option<&Secret>) -> String {
        let mut auth = String::from("{");
        let mut field = |name: &str, value: &str| {
            if auth.len() > 1 {
                auth.push(',');
            }
            json::push_json_string(&mut auth, name);
            auth.push(':');
            json::push_json_string(&mut auth, value);
        };
        if let Some(token) = token {
            field("token", &token.0);
        }
        if let Some((pid, offset)) = &self.recovery {
            field("pid", pid);
            if let Some(offset) = offset {
                field("offset", offset);
            }
        }
        auth.push('}');
        encode_connect(&self.namespace, Some(&auth))
    }

    /// An event, with the ack id it is given if it asks for an answer.
    pub(super) fn event_frame(&mut self, push: &Push) -> (String, Option<u64>) {
        let ack_id = push.ack.then_some(self.next_ack);
        let mut args = Vec::new();
        for arg in &push.args {
            args.push(arg.as_str());
        }
        (encode_event(&self.namespace, ack_id, &push.event, &args), ack_id)
    }

    /// The frame with this id has gone out.
    pub(super) fn mark_as_asked(&mut self, ack_id: Option<u64>) {
        if let Some(id) = ack_id {
            self.next_ack = id + 1;
        }
    }

    /// The answer to a server's event, once (E7).
    pub(super) fn ack_frame(&mut self, ack_id: u64, args: &[&RawValue]) -> Option<String> {
        if !self.owed.remove(&ack_id) {
            return None;
        }
        let mut texts = Vec::new();
        for arg in args {
            texts.push(arg.get());
        }
        Some(encode_ack(&self.namespace, ack_id, &texts))
    }

    pub(super) fn disconnect_frame(&self) -> String {
        encode_disconnect(&self.namespace)
    }

    /// A text frame.
    pub(super) fn on_text<'a>(&mut self, text: &'a str, now: Now) -> Step<'a> {
        let stale = mutant::is(24) && self.stage != Stage::Live;
        if let Some(heartbeat) = self.heartbeat.as_mut().filter(|_| !stale) {
            heartbeat.on_frame(now);
        }
        if text.len() > self.limits.max_packet_bytes {
            // A part of a binary packet cannot be left out.
            let fatal = self.stage < Stage::Joining || self.assembler.missing() > 0;
            return broken(text, &WireError::TooLarge { max: self.limits.max_packet_bytes }, fatal);
        }
        let frame = match engine_io::decode(text) {
            Ok(frame) => frame,
            Err(error) => return broken(text, &error, self.stage < Stage::Joining),
        };
        match frame {
            Frame::Open { ping_interval_ms, ping_timeout_ms, max_payload, .. }
                if self.stage == Stage::Handshake =>
            {
                self.heartbeat.get_or_insert_with(|| Heartbeat::new(ping_interval_ms, ping_timeout_ms, now));
                self.max_payload = max_payload;
                self.stage = Stage::Joining;
                Step::Handshaken
            }
            Frame::Close => Step::Closed,
            _ if self.stage < Stage::Joining => {
                out_of_place(text, "the first frame must be the Engine.IO handshake", true)
            }
            Frame::Open { .. } => out_of_place(text, "a second Engine.IO handshake", false),
            Frame::Ping(data) => {
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.on_ping(now);
                }
                Step::Reply(engine_io::encode_pong(data))
            }
            Frame::Pong | Frame::Upgrade | Frame::Noop => Step::Nothing,
            Frame::Message(packet) => self.on_message(text, packet),
        }
    }

    fn on_message<'a>(&mut self, frame: &'a str, message: &'a str) -> Step<'a> {
        match self.assembler.on_text(message) {
            Err(error) => broken(frame, &error, matches!(error, WireError::TextBetween { .. })),
            Ok(None) => Step::Nothing,
            Ok(Some(packet)) if packet.ns() != self.namespace => Step::Nothing,
            Ok(Some(Packet::Connect { payload, .. })) => self.on_connect(frame, payload),
            Ok(Some(Packet::ConnectError { payload, .. })) if self.stage == Stage::Joining => {
                refusal(payload)
            }
            Ok(Some(Packet::ConnectError { .. })) => {
                out_of_place(frame, "CONNECT_ERROR after CONNECT", false)
            }
            Ok(Some(Packet::Disconnect { .. })) => Step::Disconnected,
            Ok(Some(packet)) if self.stage == Stage::Joining => match self.take_in(packet) {
                Some(_) => self.hold(Held::text(message), message.len()),
                None => Step::Nothing,
            },
            Ok(Some(packet)) => self.take_in(packet).map_or(Step::Nothing, Step::Delivered),
        }
    }

    /// A binary frame (E3, E6). What it completes is given out apart, since it owns its text.
    pub(super) fn on_binary(&mut self, bytes: Vec<u8>, now: Now) -> (Step<'static>, Option<Held>) {
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.on_frame(now);
        }
        if self.stage < Stage::Joining {
            return (out_of_place("", "a binary frame before the Engine.IO handshake", true), None);
        }
        let size = bytes.len();
        let assembled = match self.assembler.on_binary(bytes) {
            Ok(Some(assembled)) => assembled,
            Ok(None) => return (Step::Nothing, None),
            Err(error) => return (broken("", &error, matches!(error, WireError::TooLarge { .. })), None),
        };
        match assembled.packet() {
            Err(error) => return (broken("", &error, false), None),
            Ok(packet) if packet.ns() != self.namespace => return (Step::Nothing, None),
            Ok(packet) => {
                if self.take_in(packet).is_none() {
                    return (Step::Nothing, None);
                }
            }
        }
        let held = Held::binary(assembled);
        if self.stage == Stage::Joining { (self.hold(held, size), None) } else { (Step::Nothing, Some(held)) }
    }

    fn on_connect<'a>(&mut self, frame: &str, payload: Option<&RawValue>) -> Step<'a> {
        if self.stage != Stage::Joining {
            return out_of_place(frame, "a second CONNECT", false);
        }
        let reply = payload.and_then(Object::read);
        let Some(sid) = reply.as_ref().and_then(|reply| reply.str("sid")).filter(|sid| !sid.is_empty())
        else {
            return Step::VersionTwo;
        };
        self.sid = Some(sid.into_owned());
        self.stage = Stage::Live;
        let pid = reply.as_ref().and_then(|reply| reply.str("pid")).map(Cow::into_owned);
        let resumed = match (&self.recovery, &pid) {
            (Some((old, _)), Some(new)) => old == new,
            _ => false,
        };
        if !resumed {
            self.recovery = pid.map(|pid| (pid, None));
        }
        Step::Joined { resumed }
    }

    /// Bookkeeping of an event or ack of this namespace; `None` where nobody waits for it.
    fn take_in<'a>(&mut self, packet: Packet<'a>) -> Option<Delivered<'a>> {
        match &packet {
            Packet::Event { ack_id: Some(id), .. } => {
                if self.owed.len() >= MAX_OWED {
                    self.owed.pop_first();
                }
                self.owed.insert(*id);
            }
            Packet::Event { args, .. } => {
                // Only what can be repeated has an offset, and it comes last.
                if let (Some((_, offset)), Some(last)) = (&mut self.recovery, args.last())
                    && let Some(last) = json::string(last)
                {
                    *offset = Some(last.into_owned());
                }
            }
            // Ids of earlier sockets are late, others were never given.
            Packet::Ack { id, .. } if !(self.first_ack..self.next_ack).contains(id) => return None,
            _ => {}
        }
        deliver(packet)
    }

    fn hold(&mut self, held: Held, bytes: usize) -> Step<'static> {
        let full = self.early.len() >= MAX_EARLY || self.early_bytes.saturating_add(bytes) > MAX_EARLY_BYTES;
        if full {
            return out_of_place("", "too many events before the CONNECT reply: at most 256 of 1 MiB", false);
        }
        self.early_bytes += bytes;
        self.early.push(held);
        Step::Nothing
    }
}

/// Reads CONNECT_ERROR: `{message, data: {code}}`, or a bare string.
fn refusal(payload: Option<&RawValue>) -> Step<'static> {
    let object = payload.and_then(Object::read);
    let message = match &object {
        Some(object) => object.str("message"),
        None => payload.and_then(json::string),
    };
    let data = object.as_ref().and_then(|object| object.object("data"));
    let code = data.and_then(|data| data.str("code").map(Cow::into_owned));
    Step::Refused { code, message: message.unwrap_or_default().into_owned() }
}

fn broken(frame: &str, error: &WireError, fatal: bool) -> Step<'static> {
    Step::Broken { message: error.text(), excerpt: excerpt(frame), fatal }
}

fn out_of_place(frame: &str, what: &str, fatal: bool) -> Step<'static> {
    Step::Broken { message: what.to_owned(), excerpt: excerpt(frame), fatal }
}
