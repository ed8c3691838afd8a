//! Plain JSON frames by the facts' numbers.

use proptest::prelude::*;

use super::super::typed::{self, Frame};
use super::*;

fn frame(text: &str) -> Frame<'_> {
    typed::decode(text, &LIMITS).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn read(text: &str) -> (String, Option<&str>) {
    let frame = frame(text);
    (frame.event.into_owned(), frame.payload.map(json::RawValue::get))
}

#[test]
fn a6_a_frame_has_a_type_and_may_have_a_payload() {
    for (text, event, payload) in [
        (r#"{"type":"ack","payload":{"id":1},"timestamp":5}"#, "ack", Some(r#"{"id":1}"#)),
        (r#" {"payload":[1, 2],"type":"x"} "#, "x", Some("[1, 2]")),
        (r#"{"type":"x","payload":null}"#, "x", Some("null")),
        (r#"{"type":"pong"}"#, "pong", None),
        (r#"{"type":"pong","timestamp":5}"#, "pong", None),
        // Where there is no payload, the frame itself is what is said.
        (r#"{"type":"typing","isTyping":true}"#, "typing", Some(r#"{"type":"typing","isTyping":true}"#)),
    ] {
        assert_eq!(read(text), (event.to_owned(), payload), "{text}");
    }
}

#[test]
fn a6_a_bare_record_is_a_message_whatever_its_own_type_is() {
    for text in [
        r#"{"id":"1","content":"hi","sender":"ai","type":"action","timestamp":"2026-01-01T00:00:00Z"}"#,
        r#"{"id":"1","content":"hi","sender":"ai"}"#,
    ] {
        assert_eq!(read(text), ("message".to_owned(), Some(text)));
    }
    let both = r#"{"type":"note","content":"x","sender":"y","payload":1}"#;
    assert_eq!(read(both), ("note".to_owned(), Some("1")), "what has a payload is a frame");
}

#[test]
fn what_is_no_frame_is_said_and_not_guessed() {
    for text in
        ["", "x", "[]", "1", "\"ping\"", "null", "{}", r#"{"type":1}"#, r#"{"type":""}"#, r#"{"payload":1}"#]
    {
        assert!(typed::decode(text, &LIMITS).is_err(), "{text}");
    }
    let deep = format!("{{\"type\":\"x\",\"payload\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    assert!(matches!(typed::decode(&deep, &LIMITS), Err(WireError::TooDeep { .. })));
    let limits = Limits { max_packet_bytes: 8, ..LIMITS };
    assert_eq!(typed::decode(r#"{"type":"x"}"#, &limits), Err(WireError::TooLarge { max: 8 }));
}

#[test]
fn a3_what_is_written() {
    assert_eq!(
        typed::encode("command", Some(r#"{"a":1}"#), Some("5")),
        r#"{"type":"command","payload":{"a":1},"timestamp":5}"#
    );
    assert_eq!(typed::encode("ping", None, None), r#"{"type":"ping"}"#);
}

#[test]
fn d9_a_token_in_base64_for_urls_without_padding() {
    assert_eq!(typed::bearer("ab?>"), "bearer.YWI_Pg");
    assert_eq!(typed::bearer("user:ana"), "bearer.dXNlcjphbmE");
    assert_eq!(typed::bearer("~~~~"), "bearer.fn5-fg");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_codec_panic(
        text in prop_oneof![
            any::<String>(),
            "\\{?(\"(type|payload|content|sender)\"|:|,|null|\"x\"|[0-9]|\\{\\}|\\[|\\]|\\}| ){0,14}",
        ],
    ) {
        let _ = typed::decode(&text, &LIMITS).map(drop);
    }

    #[test]
    fn what_is_written_is_read(
        event in ".{1,12}",
        payload in super::properties::json_text(),
        timestamp in prop::option::of(any::<u64>()),
    ) {
        let timestamp = timestamp.map(|ms| ms.to_string());
        let text = typed::encode(&event, Some(&payload), timestamp.as_deref());
        let read = frame(&text);
        prop_assert_eq!(read.event.as_ref(), event.as_str());
        prop_assert_eq!(read.payload.map(json::RawValue::get), Some(payload.as_str()));
    }

    #[test]
    fn a_bearer_is_a_sub_protocol_for_every_token(token in any::<String>()) {
        let bearer = typed::bearer(&token);
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        prop_assert!(bearer.bytes().all(good), "{}", bearer);
    }
}
