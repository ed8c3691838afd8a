//! Frames of Phoenix Channels V2 (X2, X10): text `[join_ref, ref, topic, event, payload]`, and binary with four headers,
//! of which a client sends one.
//!
//! Law: refs are opaque and come back as they came, whatever JSON they are. What cannot be decoded is `None`, which ends
//! the socket with 1011; what cannot be encoded in binary is `None` too, which ends the channel.

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

const PUSH: u8 = 0;
const REPLY: u8 = 1;
const BROADCAST: u8 = 2;

/// What a frame carries; its kind is the frame's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    Json(Value),
    Binary(Bytes),
}

impl Payload {
    pub(super) fn empty() -> Self {
        Self::Json(json!({}))
    }
}

/// A frame of a client.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) join_ref: Value,
    /// `ref` on the wire.
    pub(super) reference: Value,
    pub(super) topic: Value,
    pub(super) event: Value,
    pub(super) payload: Payload,
}

impl Frame {
    /// An array of five; more elements are ignored, as by the original.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let Ok(Value::Array(elements)) = serde_json::from_str(text) else { return None };
        let mut elements = elements.into_iter();
        Some(Self {
            join_ref: elements.next()?,
            reference: elements.next()?,
            topic: elements.next()?,
            event: elements.next()?,
            payload: Payload::Json(elements.next()?),
        })
    }

    /// Kind 0 with four sizes. An empty ref is an empty text, not null.
    pub(super) fn from_binary(bytes: &Bytes) -> Option<Self> {
        let (&[kind, join_ref, reference, topic, event], _) = bytes.split_first_chunk::<5>()?;
        if kind != PUSH {
            return None;
        }
        let mut rest = bytes.slice(5..);
        let mut take = |size: u8| {
            let size = usize::from(size);
            (size <= rest.len()).then(|| rest.split_to(size))
        };
        let parts = [take(join_ref)?, take(reference)?, take(topic)?, take(event)?];
        let [join_ref, reference, topic, event] = parts.map(|part| {
            let text = std::str::from_utf8(&part).ok()?;
            Some(Value::String(text.to_owned()))
        });
        Some(Self {
            join_ref: join_ref?,
            reference: reference?,
            topic: topic?,
            event: event?,
            payload: Payload::Binary(rest),
        })
    }
}

/// A message to this socket alone.
pub(super) fn push(join_ref: &Value, topic: &str, event: &str, payload: &Payload) -> Option<Message> {
    match payload {
        Payload::Json(payload) => Some(text(&json!([join_ref, null, topic, event, payload]))),
        Payload::Binary(data) => {
            let join_ref = plain(join_ref)?;
            binary(PUSH, &[&join_ref, topic, event], data)
        }
    }
}

/// The answer to a push or a join.
pub(super) fn reply(
    join_ref: &Value,
    reference: &Value,
    topic: &Value,
    status: &str,
    response: &Payload,
) -> Option<Message> {
    match response {
        Payload::Json(response) => {
            let payload = json!({ "response": response, "status": status });
            Some(text(&json!([join_ref, reference, topic, "phx_reply", payload])))
        }
        Payload::Binary(data) => {
            let (join_ref, reference, topic) = (plain(join_ref)?, plain(reference)?, plain(topic)?);
            binary(REPLY, &[&join_ref, &reference, &topic, status], data)
        }
    }
}

/// A message to everybody on the topic.
pub(super) fn broadcast(topic: &str, event: &str, payload: &Payload) -> Option<Message> {
    match payload {
        Payload::Json(payload) => Some(text(&json!([null, null, topic, event, payload]))),
        Payload::Binary(data) => binary(BROADCAST, &[topic, event], data),
    }
}

/// `phx_close` and `phx_error`: they carry the join_ref in both slots.
pub(super) fn end(join_ref: &Value, topic: &str, event: &str) -> Message {
    text(&json!([join_ref, join_ref, topic, event, {}]))
}

/// The bytes at the start of an `ok` reply, which only it has on its socket.
pub(super) fn reply_mark(join_ref: &Value, reference: &Value, topic: &str, is_binary: bool) -> Vec<u8> {
    if is_binary {
        let parts = [plain(join_ref), plain(reference), Some(topic.to_owned()), Some("ok".to_owned())];
        return parts.into_iter().flatten().collect::<String>().into_bytes();
    }
    let mut start = json!([join_ref, reference, topic, "phx_reply"]).to_string().into_bytes();
    start.pop();
    start
}

fn text(frame: &Value) -> Message {
    Message::Text(Utf8Bytes::from(frame.to_string()))
}

/// A ref as the text that binary frames hold.
fn plain(reference: &Value) -> Option<String> {
    match reference {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Each size is a byte: longer parts cannot be said.
fn binary(kind: u8, parts: &[&str], data: &Bytes) -> Option<Message> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = BytesMut::with_capacity(1 + parts.len() + length + data.len());
    bytes.put_u8(kind);
    for part in parts {
        bytes.put_u8(u8::try_from(part.len()).ok()?);
    }
    for part in parts {
        bytes.put_slice(part.as_bytes());
    }
    bytes.put_slice(data);
    Some(Message::Binary(bytes.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(message: Option<Message>) -> Vec<u8> {
        message.unwrap().into_data().to_vec()
    }

    #[test]
    fn text_frames_that_are_taken() {
        let frame = Frame::from_text(r#" [ "1" , 2, "t", "e", {"a":[1]}, "extra", 7 ]"#).unwrap();
        assert_eq!((&frame.join_ref, &frame.reference), (&json!("1"), &json!(2)));
        assert_eq!(frame.payload, Payload::Json(json!({ "a": [1] })));
        let odd = Frame::from_text(r#"[null,{"o":1},5,null,[]]"#).unwrap();
        assert_eq!((odd.reference, odd.topic, odd.event), (json!({ "o": 1 }), json!(5), Value::Null));
    }

    /// The scenarios `bad-*` of the recording.
    #[test]
    fn text_frames_that_are_not() {
        for text in [
            "",
            "[]",
            "{}",
            "null",
            "5",
            "\"x\"",
            "not json",
            r#"["1","1","t","e"]"#,
            r#"["1","1","t","e",{}] x"#,
            "\u{feff}[null,null,\"t\",\"e\",{}]",
            r#"["1","1","t","e",{"lone":"\ud800"}]"#,
            r#"["1","1","t","e",{]"#,
        ] {
            assert_eq!(Frame::from_text(text), None, "{text}");
        }
        let deep = format!("[null,null,\"t\",\"e\",{}{}]", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(Frame::from_text(&deep), None, "nesting is bounded");
    }

    #[test]
    fn binary_frames_of_clients() {
        let bytes = Bytes::from_static(b"\x00\x01\x01\x06\x0812room:bbin_echo\x01\x02\x03\x00\xff");
        let frame = Frame::from_binary(&bytes).unwrap();
        assert_eq!((frame.join_ref, frame.reference), (json!("1"), json!("2")));
        assert_eq!((frame.topic, frame.event), (json!("room:b"), json!("bin_echo")));
        assert_eq!(frame.payload, Payload::Binary(Bytes::from_static(b"\x01\x02\x03\x00\xff")));
        let empty = Frame::from_binary(&Bytes::from_static(b"\x00\x00\x00\x01\x01te")).unwrap();
        assert_eq!((empty.join_ref, empty.payload), (json!(""), Payload::Binary(Bytes::new())));
    }

    /// The scenarios `binary-bad-*` of the recording.
    #[test]
    fn binary_frames_that_are_none() {
        let bad: [&[u8]; 9] = [
            b"",
            b"\x00",
            b"\x00\x01\x01\x06",
            b"\x00\x01\x01\xff\x0812room:bbin_echo",
            b"\x01\x01\x01\x06\x0212room:bok",
            b"\x02\x06\x09room:bbin_bcast",
            b"\x09\x01\x01\x06\x0812room:bbin_echo",
            b"[\"1\",\"1\",\"t\",\"e\",{}]",
            b"\x00\x01\x01\x04\x0812\xff\xff\xff\xffbin_echo\x01",
        ];
        for bytes in bad {
            assert_eq!(Frame::from_binary(&Bytes::from_static(bytes)), None, "{bytes:?}");
        }
    }

    /// As recorded in `binary-push-reply`.
    #[test]
    fn all_four_shapes_are_written_as_recorded() {
        let data = Payload::Binary(Bytes::from_static(b"\x07\x07"));
        let (one, two) = (json!("1"), json!("2"));
        let answer = reply(&one, &two, &json!("room:b"), "ok", &data);
        assert_eq!(written(answer), b"\x01\x01\x01\x06\x0212room:bok\x07\x07");
        let pushed = push(&one, "room:b", "bin_pushed", &data);
        assert_eq!(written(pushed), b"\x00\x01\x06\x0a1room:bbin_pushed\x07\x07");
        assert_eq!(written(broadcast("room:b", "bin_bcast", &data)), b"\x02\x06\x09room:bbin_bcast\x07\x07");
        let refused = reply(&one, &two, &json!("room:b"), "error", &Payload::empty());
        let text = br#"["1","2","room:b","phx_reply",{"response":{},"status":"error"}]"#;
        assert_eq!(written(refused), text);
        let told = broadcast("room:b", "new_msg", &Payload::Json(json!("hi")));
        assert_eq!(written(told), br#"[null,null,"room:b","new_msg","hi"]"#);
        let closed = Some(end(&one, "room:b", "phx_close"));
        assert_eq!(written(closed), br#"["1","1","room:b","phx_close",{}]"#);
    }

    #[test]
    fn binary_has_255_bytes_for_each_part() {
        let data = Payload::Binary(Bytes::new());
        let fits = "ü".repeat(127);
        let topic = |text: &str| Value::String(text.to_owned());
        assert!(reply(&Value::Null, &json!(7), &topic(&fits), "ok", &data).is_some());
        assert!(reply(&Value::Null, &json!(7), &topic(&"ü".repeat(128)), "ok", &data).is_none());
        assert!(reply(&json!({ "o": 1 }), &json!(7), &topic("t"), "ok", &data).is_none());
    }

    #[test]
    fn the_mark_of_a_reply_is_in_it() {
        let (one, two, topic) = (json!("1"), json!("2"), json!("room:b"));
        for (payload, is_binary) in [(Payload::empty(), false), (Payload::Binary(Bytes::new()), true)] {
            let frame = written(reply(&one, &two, &topic, "ok", &payload));
            let mark = reply_mark(&one, &two, "room:b", is_binary);
            assert!(frame.windows(mark.len()).any(|window| window == mark), "{mark:?}");
        }
    }
}
