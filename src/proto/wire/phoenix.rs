//! Phoenix Channels, serializer V2: text frames are JSON arrays, binary frames begin with their sizes (`X2`, `X10`).
//!
//! Refs are texts or null and mean nothing here: whoever sent one finds it again. A reply is read to its status and
//! response, whichever encoding it came in (`X3`: any status, any response; `X10`: it may come in the other encoding than
//! its push). Which frame may come when is the session's matter.

use std::borrow::Cow;
use std::fmt;

use super::json::{self, Kind, Object, RawValue, push_json_string};
use super::{Limits, WireError};

/// The topic of heartbeats (`X7`).
pub const PHOENIX_TOPIC: &str = "phoenix";
/// Events of the protocol itself (`P3`).
pub const JOIN: &str = "phx_join";
/// See [`JOIN`].
pub const LEAVE: &str = "phx_leave";
/// See [`JOIN`].
pub const REPLY: &str = "phx_reply";
/// See [`JOIN`].
pub const CLOSE: &str = "phx_close";
/// See [`JOIN`].
pub const ERROR: &str = "phx_error";
/// See [`JOIN`].
pub const HEARTBEAT: &str = "heartbeat";

/// The longest ref, topic or event of a binary frame, in bytes of UTF-8 (`X10`).
pub const MAX_BINARY_NAME: usize = 255;

const KIND_PUSH: u8 = 0;
const KIND_REPLY: u8 = 1;
const KIND_BROADCAST: u8 = 2;

const SHAPE: &str = "an array of five: join_ref, ref, topic, event, payload";

/// What a frame carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Any JSON value, a slice of the frame's text.
    Json(&'a RawValue),
    /// The rest of a binary frame.
    Bytes(&'a [u8]),
}

/// A frame of the server. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The ref of the join that the channel stands on; none in broadcasts and in answers to what has no channel (`X2`).
    pub join_ref: Option<Cow<'a, str>>,
    /// The ref of what is answered. `phx_close` and `phx_error` repeat the join's here (`X4`).
    pub reference: Option<Cow<'a, str>>,
    /// The topic.
    pub topic: Cow<'a, str>,
    /// The event; [`REPLY`] for a reply in either encoding.
    pub event: Cow<'a, str>,
    /// Of a reply its status, mostly `ok` or `error` (`X3`).
    pub status: Option<Cow<'a, str>>,
    /// The payload; of a reply its response.
    pub payload: Payload<'a>,
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.status.is_some() { "Reply" } else { "Frame" })
    }
}

/// Decodes a text frame. Elements behind the fifth are ignored, as servers do.
///
/// # Errors
/// [`WireError::TooLarge`], [`WireError::Json`], [`WireError::TooDeep`], [`WireError::TooManyElements`],
/// [`WireError::Payload`], [`WireError::Field`].
pub fn decode<'a>(text: &'a str, limits: &Limits) -> Result<Frame<'a>, WireError> {
    if text.len() > limits.max_packet_bytes {
        return Err(WireError::TooLarge { max: limits.max_packet_bytes });
    }
    let wrong = WireError::Payload { packet: "a Phoenix frame", at: 0, expected: SHAPE };
    if !text.trim_start().starts_with('[') {
        return Err(wrong);
    }
    let elements = json::elements(text, 0, limits)?;
    let (Some(join_ref), Some(reference), Some(topic), Some(event), Some(payload)) =
        (elements.first(), elements.get(1), elements.get(2), elements.get(3), elements.get(4))
    else {
        return Err(wrong);
    };
    let mut frame = Frame {
        join_ref: read_ref(join_ref, "join_ref")?,
        reference: read_ref(reference, "ref")?,
        topic: text_of(topic, "topic")?,
        event: text_of(event, "event")?,
        status: None,
        payload: Payload::Json(payload),
    };
    if frame.event == REPLY {
        let reply = Object::read(payload);
        let (status, response) = match &reply {
            Some(reply) => (reply.str("status"), reply.get("response")),
            None => (None, None),
        };
        let (Some(status), Some(response)) = (status, response) else {
            return Err(WireError::Field { field: "payload", expected: "{status, response} in a phx_reply" });
        };
        frame.status = Some(status);
        frame.payload = Payload::Json(response);
    }
    Ok(frame)
}

fn read_ref<'a>(value: &'a RawValue, field: &'static str) -> Result<Option<Cow<'a, str>>, WireError> {
    match json::kind(value) {
        Kind::Null => Ok(None),
        Kind::String => Ok(json::string(value)),
        _ => Err(WireError::Field { field, expected: "a string or null" }),
    }
}

fn text_of<'a>(value: &'a RawValue, field: &'static str) -> Result<Cow<'a, str>, WireError> {
    json::string(value).ok_or(WireError::Field { field, expected: "a string" })
}

/// Decodes a binary frame: a push, a reply or a broadcast (`X10`). An empty ref means none.
///
/// # Errors
/// [`WireError::TooLarge`], [`WireError::Binary`].
pub fn decode_binary<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Frame<'a>, WireError> {
    if bytes.len() > limits.max_packet_bytes {
        return Err(WireError::TooLarge { max: limits.max_packet_bytes });
    }
    let names = match bytes.first() {
        Some(&KIND_PUSH) => 3,
        Some(&KIND_REPLY) => 4,
        Some(&KIND_BROADCAST) => 2,
        _ => return Err(WireError::Binary { at: 0, expected: "0, 1 or 2: push, reply or broadcast" }),
    };
    let mut at: usize = 1 + names;
    let mut next = |index: usize| {
        let size = bytes.get(1 + index).copied().map(usize::from);
        let part = size.and_then(|size| bytes.get(at..at.checked_add(size)?));
        let part = part.ok_or(WireError::Binary { at: 1 + index, expected: "a size within the frame" })?;
        let text = core::str::from_utf8(part);
        let text = text.map_err(|_| WireError::Binary { at, expected: "UTF-8" })?;
        at += part.len();
        Ok::<_, WireError>(text)
    };
    let mut join_ref = "";
    let mut reference = "";
    if names > 2 {
        join_ref = next(0)?;
    }
    if names > 3 {
        reference = next(1)?;
    }
    let topic = next(names - 2)?;
    let last = next(names - 1)?;
    let is_reply = names == 4;
    Ok(Frame {
        join_ref: given(join_ref),
        reference: given(reference),
        topic: Cow::Borrowed(topic),
        event: Cow::Borrowed(if is_reply { REPLY } else { last }),
        status: is_reply.then_some(Cow::Borrowed(last)),
        payload: Payload::Bytes(bytes.get(at..).unwrap_or_default()),
    })
}

fn given(text: &str) -> Option<Cow<'_, str>> {
    if text.is_empty() { None } else { Some(Cow::Borrowed(text)) }
}

/// A text frame: `["1","2","room:a","event",{…}]`. `payload_json` is JSON already.
#[must_use]
pub fn encode(
    join_ref: Option<&str>,
    reference: Option<&str>,
    topic: &str,
    event: &str,
    payload_json: &str,
) -> String {
    // 48: brackets, quotes, commas and refs of a usual frame.
    let mut out = String::with_capacity(48 + topic.len() + event.len() + payload_json.len());
    out.push('[');
    for reference in [join_ref, reference] {
        match reference {
            Some(text) => push_json_string(&mut out, text),
            None => out.push_str("null"),
        }
        out.push(',');
    }
    push_json_string(&mut out, topic);
    out.push(',');
    push_json_string(&mut out, event);
    out.push(',');
    out.push_str(payload_json);
    out.push(']');
    out
}

/// A binary push: a zero, four sizes, four names, the data (`X10`).
///
/// # Errors
/// [`WireError::Field`] where a name is longer than [`MAX_BINARY_NAME`] bytes: the server would close the socket.
pub fn encode_binary(
    join_ref: &str,
    reference: &str,
    topic: &str,
    event: &str,
    data: &[u8],
) -> Result<Vec<u8>, WireError> {
    const ALLOWED: &str = "at most 255 bytes in a binary push";
    let names = [("join_ref", join_ref), ("ref", reference), ("topic", topic), ("event", event)];
    let mut out =
        Vec::with_capacity(5 + join_ref.len() + reference.len() + topic.len() + event.len() + data.len());
    out.push(KIND_PUSH);
    for (field, name) in names {
        out.push(u8::try_from(name.len()).map_err(|_| WireError::Field { field, expected: ALLOWED })?);
    }
    for (_, name) in names {
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(data);
    Ok(out)
}
