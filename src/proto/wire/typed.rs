//! Plain JSON frames: `{"type": T, "payload": P, "timestamp": ms}` (`A3`, `A6`).
//!
//! A frame of the server is read widely: a message may come as it is, without a frame around it (`A6`), and where there is
//! no `payload` the frame itself is what is said. Which frame may come when is the session's matter.

use std::borrow::Cow;
use std::fmt;

use super::json::{self, Object, RawValue, push_json_string};
use super::{Limits, WireError};

/// A message's record (`A5`), in its frame or without one.
pub const MESSAGE: &str = "message";
/// Asks whether the other side lives (`A10`).
pub const PING: &str = "ping";
/// The answer to [`PING`].
pub const PONG: &str = "pong";
/// The token, where it is the first frame (`D9`).
pub const AUTH: &str = "auth";
/// The answer to [`AUTH`].
pub const AUTH_OK: &str = "auth_ok";
/// What the server gives (`D2`).
pub const HELLO: &str = "hello";
/// Something went wrong (`A6`).
pub const ERROR: &str = "error";

/// A frame of the server. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its type.
    pub event: Cow<'a, str>,
    /// What it says, if anything: any JSON value, a slice of the frame's text.
    pub payload: Option<&'a RawValue>,
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Frame")
    }
}

/// Decodes a text frame.
///
/// # Errors
/// [`WireError::TooLarge`], [`WireError::Json`], [`WireError::TooDeep`], [`WireError::TooManyElements`],
/// [`WireError::Payload`], [`WireError::Field`].
pub fn decode<'a>(text: &'a str, limits: &Limits) -> Result<Frame<'a>, WireError> {
    if text.len() > limits.max_packet_bytes {
        return Err(WireError::TooLarge { max: limits.max_packet_bytes });
    }
    let whole = json::parse_within(text, 0, limits)?;
    let wrong = WireError::Payload { packet: "a JSON frame", at: 0, expected: "an object with a `type`" };
    let frame = Object::read(whole).ok_or(wrong)?;
    if let Some(payload) = frame.get("payload") {
        let event = event_of(&frame)?;
        return Ok(Frame { event, payload: Some(payload) });
    }
    if frame.get("content").is_some() && frame.get("sender").is_some() {
        // The record's own type is not the frame's.
        return Ok(Frame { event: Cow::Borrowed(MESSAGE), payload: Some(whole) });
    }
    let event = event_of(&frame)?;
    let says = frame.iter().any(|(name, _)| name != "type" && name != "timestamp");
    Ok(Frame { event, payload: says.then_some(whole) })
}

fn event_of<'a>(frame: &Object<'a>) -> Result<Cow<'a, str>, WireError> {
    let event = frame.str("type").filter(|event| !event.is_empty());
    event.ok_or(WireError::Field { field: "type", expected: "a string that is not empty" })
}

/// A text frame. `payload_json` and `timestamp_json` are JSON already.
#[must_use]
pub fn encode(event: &str, payload_json: Option<&str>, timestamp_json: Option<&str>) -> String {
    // 40: braces, quotes, names of the fields.
    let mut out = String::with_capacity(40 + event.len() + payload_json.map_or(0, str::len));
    out.push_str("{\"type\":");
    push_json_string(&mut out, event);
    for (name, value) in [(",\"payload\":", payload_json), (",\"timestamp\":", timestamp_json)] {
        if let Some(value) = value {
            out.push_str(name);
            out.push_str(value);
        }
    }
    out.push('}');
    out
}

/// `bearer.` and the token in base64 for URLs, without padding, so that a sub-protocol can carry it (`D9`).
#[must_use]
pub fn bearer(token: &str) -> String {
    let mut out = String::from("bearer.");
    for digit in super::base64::encode(token.as_bytes()).chars() {
        match digit {
            '+' => out.push('-'),
            '/' => out.push('_'),
            '=' => {}
            digit => out.push(digit),
        }
    }
    out
}
