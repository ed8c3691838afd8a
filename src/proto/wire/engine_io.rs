//! Engine.IO 4 over WebSocket alone: one packet a frame (`E1` to `E3`).
//!
//! A text frame begins with a type digit; a binary frame has none and is, as a whole, one binary message (`E3`),
//! so there is nothing to decode about it. Which packet may come when is the session's matter.

use std::borrow::Cow;
use std::fmt;

use super::WireError;
use super::json::{self, Object};

/// The longest ping interval or time-out a handshake may ask for: one day, in milliseconds.
pub const MAX_PING_MS: u64 = 24 * 60 * 60 * 1000;

const LAYER: &str = "Engine.IO";

/// A text frame of the server. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// `0`: the handshake, the first frame of a socket (`E1`).
    Open {
        /// The Engine.IO session's id; not the Socket.IO id.
        sid: Cow<'a, str>,
        /// From one ping to the next, 1 to [`MAX_PING_MS`].
        ping_interval_ms: u64,
        /// How long after the interval the next ping may take, 1 to [`MAX_PING_MS`] (`E2`).
        ping_timeout_ms: u64,
        /// The largest frame in bytes that the server takes, at least 1 (`E12`); older servers do not say.
        max_payload: Option<u64>,
    },
    /// `1`: the server closes the connection (`E3`).
    Close,
    /// `2`: to be answered with a pong that carries the same data, which is empty or `probe` (`E2`).
    Ping(&'a str),
    /// `3`: never sent by a version-4 server.
    Pong,
    /// `4`: a text packet of the next layer, without the digit.
    Message(&'a str),
    /// `5`: makes no sense over WebSocket alone and is never sent (`E3`).
    Upgrade,
    /// `6`: to be ignored (`E3`).
    Noop,
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Frame::Open { .. } => "Open",
            Frame::Close => "Close",
            Frame::Ping(_) => "Ping",
            Frame::Pong => "Pong",
            Frame::Message(_) => "Message",
            Frame::Upgrade => "Upgrade",
            Frame::Noop => "Noop",
        })
    }
}

/// Decodes one text frame. What follows a type that carries nothing is ignored, as the official client does.
///
/// # Errors
/// [`WireError::Empty`], [`WireError::UnknownType`]; of a handshake also [`WireError::Json`],
/// [`WireError::Payload`] and [`WireError::Field`].
pub fn decode(frame: &str) -> Result<Frame<'_>, WireError> {
    let Some(kind) = frame.bytes().next() else {
        return Err(WireError::Empty { layer: LAYER });
    };
    let data = frame.get(1..).unwrap_or_default();
    Ok(match kind {
        b'0' => open(data)?,
        b'1' => Frame::Close,
        b'2' => Frame::Ping(data),
        b'3' => Frame::Pong,
        b'4' => Frame::Message(data),
        b'5' => Frame::Upgrade,
        b'6' => Frame::Noop,
        _ => return Err(WireError::UnknownType { layer: LAYER }),
    })
}

fn open(data: &str) -> Result<Frame<'_>, WireError> {
    let Some(handshake) = Object::read(json::parse(data, 1)?) else {
        return Err(WireError::Payload { packet: "open", at: 1, expected: "an object" });
    };
    let duration = |field| {
        let value = handshake.u64(field).filter(|ms| (1..=MAX_PING_MS).contains(ms));
        value.ok_or(WireError::Field { field, expected: "1 to 86400000 ms" })
    };
    let sid = handshake.str("sid").filter(|sid| !sid.is_empty());
    let max_payload = match handshake.get("maxPayload").filter(|raw| json::kind(raw) != json::Kind::Null) {
        None => None,
        Some(raw) => Some(
            json::uint(raw)
                .filter(|bytes| *bytes >= 1)
                .ok_or(WireError::Field { field: "maxPayload", expected: "at least 1 byte" })?,
        ),
    };
    Ok(Frame::Open {
        sid: sid.ok_or(WireError::Field { field: "sid", expected: "a string that is not empty" })?,
        ping_interval_ms: duration("pingInterval")?,
        ping_timeout_ms: duration("pingTimeout")?,
        max_payload,
    })
}

/// The answer to a ping with this data (`E2`): `3`, or `3probe`.
#[must_use]
pub fn encode_pong(data: &str) -> String {
    prefixed('3', data)
}

/// A text packet of the next layer as a frame. The encoders of [`socket_io`](super::socket_io) write their `4`
/// themselves.
#[must_use]
pub fn encode_message(packet: &str) -> String {
    prefixed('4', packet)
}

fn prefixed(kind: char, data: &str) -> String {
    let mut out = String::with_capacity(1 + data.len());
    out.push(kind);
    out.push_str(data);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

    fn open_with(fields: &str) -> Result<Frame<'static>, WireError> {
        decode(Box::leak(format!("0{{{fields}}}").into_boxed_str()))
    }

    #[test]
    fn e1_the_first_frame_carries_the_handshake() {
        let expected = Frame::Open {
            sid: Cow::Borrowed("lv_VI97HAXpY6yYWAAAC"),
            ping_interval_ms: 25_000,
            ping_timeout_ms: 20_000,
            max_payload: Some(1_000_000),
        };
        assert!(decode(OPEN).unwrap() == expected);
    }

    #[test]
    fn e1_an_older_server_may_keep_its_max_payload_to_itself() {
        for fields in [
            r#""sid":"a","pingInterval":1,"pingTimeout":86400000"#,
            r#""sid":"a","pingInterval":1,"pingTimeout":86400000,"maxPayload":null"#,
        ] {
            let frame = open_with(fields).unwrap();
            assert!(matches!(frame, Frame::Open { max_payload: None, ping_timeout_ms: MAX_PING_MS, .. }));
        }
    }

    #[test]
    fn e1_a_handshake_with_impossible_numbers_is_refused_by_name() {
        for (fields, wrong) in [
            (r#""pingInterval":1,"pingTimeout":1"#, "sid"),
            (r#""sid":"","pingInterval":1,"pingTimeout":1"#, "sid"),
            (r#""sid":7,"pingInterval":1,"pingTimeout":1"#, "sid"),
            (r#""sid":"a","pingTimeout":1"#, "pingInterval"),
            (r#""sid":"a","pingInterval":0,"pingTimeout":1"#, "pingInterval"),
            (r#""sid":"a","pingInterval":-5,"pingTimeout":1"#, "pingInterval"),
            (r#""sid":"a","pingInterval":"25000","pingTimeout":1"#, "pingInterval"),
            (r#""sid":"a","pingInterval":1e999,"pingTimeout":1"#, "pingInterval"),
            (r#""sid":"a","pingInterval":1,"pingTimeout":86400001"#, "pingTimeout"),
            (r#""sid":"a","pingInterval":1,"pingTimeout":99999999999999999999"#, "pingTimeout"),
            (r#""sid":"a","pingInterval":1,"pingTimeout":1,"maxPayload":0"#, "maxPayload"),
            (r#""sid":"a","pingInterval":1,"pingTimeout":1,"maxPayload":1.5"#, "maxPayload"),
        ] {
            let error = open_with(fields).unwrap_err();
            assert!(matches!(error, WireError::Field { field, .. } if field == wrong), "{fields}: {error}");
        }
        assert!(matches!(decode("0[]"), Err(WireError::Payload { at: 1, .. })));
        assert!(matches!(decode("0"), Err(WireError::Json { truncated: true, .. })));
    }

    #[test]
    fn e1_every_truncated_handshake_is_an_error() {
        for end in 0..OPEN.len() {
            assert!(decode(&OPEN[..end]).is_err(), "{}", &OPEN[..end]);
        }
    }

    #[test]
    fn e2_a_ping_is_answered_with_its_own_data() {
        assert_eq!(decode("2").unwrap(), Frame::Ping(""));
        assert_eq!(decode("2probe").unwrap(), Frame::Ping("probe"));
        assert_eq!(encode_pong(""), "3");
        assert_eq!(encode_pong("probe"), "3probe");
    }

    #[test]
    fn e3_one_packet_a_frame() {
        assert_eq!(decode("1").unwrap(), Frame::Close);
        assert_eq!(decode("3").unwrap(), Frame::Pong);
        assert_eq!(decode("4").unwrap(), Frame::Message(""));
        assert_eq!(decode("5").unwrap(), Frame::Upgrade);
        assert_eq!(decode("6").unwrap(), Frame::Noop);
        // The separator of HTTP long-polling has no meaning here.
        assert_eq!(decode("42[\"a\"]\u{1e}2").unwrap(), Frame::Message("2[\"a\"]\u{1e}2"));
        assert_eq!(decode(&encode_message("2[\"é\"]")).unwrap(), Frame::Message("2[\"é\"]"));
    }

    #[test]
    fn e3_a_frame_without_a_known_type_is_an_error() {
        assert_eq!(decode("").unwrap_err(), WireError::Empty { layer: "Engine.IO" });
        for frame in ["7", "b4aGk=", "é", "{}", " 4", "\0"] {
            assert_eq!(decode(frame).unwrap_err(), WireError::UnknownType { layer: "Engine.IO" }, "{frame}");
        }
    }

    #[test]
    fn debug_output_shows_no_content() {
        assert_eq!(format!("{:?}", decode("42[\"secret\"]").unwrap()), "Message");
    }
}
