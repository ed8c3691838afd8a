//! Tests are named after the fact of WIRES.md that they hold to.

use super::*;
use crate::proto::config::PageFacts;
use crate::proto::model::{ErrorCode, Json};
use crate::proto::profile::CapabilityPatch;

fn assistant(timezone: &str) -> Assistant {
    let zone = if timezone.is_empty() { String::new() } else { format!(r#","timezone":"{timezone}""#) };
    let options = format!(r#"{{"url":"https://h","profile":"assistant","userId":"ana","token":"t"{zone}}}"#);
    Assistant::new(&Config::parse(&options, PageFacts { online: true, visible: true }).unwrap())
}

fn incoming(event: &str, payload: &str) -> Incoming {
    assistant("UTC").incoming("", event, &[json::parse(payload, 0).unwrap()])
}

fn message(payload: &str) -> ServerMessage {
    match incoming("message", payload) {
        Incoming::Message(message) => *message,
        other => panic!("{payload}: {other:?}"),
    }
}

#[test]
fn a3_a4_a_send_is_a_command() {
    let metadata = Json::parse(r#"{"a":[1]}"#).unwrap();
    let outgoing = Outgoing {
        key: "k1",
        conversation_id: "assistant",
        kind: "text",
        text: "a \"b\"",
        metadata: Some(&metadata),
        reply_to_id: Some("m0"),
        created_at_ms: 1_795_225_298_250,
    };
    let push = assistant("Europe/Paris").send(outgoing);
    assert_eq!((push.event.as_str(), push.topic.as_str(), push.ack), ("command", "", false));
    let payload = r#"{"commandType":"text_command","message":"a \"b\"","userId":"ana","userTimezone":"Europe/Paris","metadata":{"a":[1]},"clientMessageId":"k1"}"#;
    assert_eq!(push.args, [payload, "1795225298250"]);
    let push = assistant("").send(Outgoing { metadata: None, created_at_ms: -1, ..outgoing });
    assert!(!push.args[0].contains("Timezone") && !push.args[0].contains("metadata"));
    assert_eq!(push.args[1], "0");
}

#[test]
fn a5_records_by_either_sender() {
    let read = message(
        r#"{"id":7,"content":"grüß 👏","sender":"ai","timestamp":"2026-11-21T01:41:38.250Z","type":"action",
            "metadata":{"confidence":0.5,"sources":[{"url":"https://x"}],"actions":[],"authUrl":"https://y"}}"#,
    );
    assert_eq!((read.id.as_str(), read.text.as_str(), read.kind.as_str()), ("7", "grüß 👏", "action"));
    assert_eq!((read.sender_id.as_str(), read.sender), ("assistant", Some(Sender::Ai)));
    assert_eq!((read.conversation_id.as_str(), read.created_at_ms), ("assistant", 1_795_225_298_250));
    let metadata = read.metadata.unwrap();
    assert!(metadata.text().contains(r#""confidence":0.5"#) && metadata.text().contains("authUrl"));
    let own = message(
        r#"{"id":"m1","content":"x","sender":"user","timestamp":1795225298250,"clientMessageId":"k1"}"#,
    );
    assert_eq!((own.sender_id.as_str(), own.sender, own.key.as_deref()), ("ana", None, Some("k1")));
    assert_eq!(own.kind, "text");
}

#[test]
fn a5_a_record_that_cannot_be_read_is_told_by_its_field() {
    for (payload, field) in [
        (r#"{"content":"x","sender":"ai","timestamp":1}"#, "id"),
        (r#"{"id":"1","sender":"ai","timestamp":1}"#, "content"),
        (r#"{"id":"1","content":"secret","timestamp":1}"#, "sender"),
        (r#"{"id":"1","content":"secret","sender":"system","timestamp":1}"#, "sender"),
        (r#"{"id":"1","content":"secret","sender":"ai"}"#, "timestamp"),
    ] {
        let Incoming::Malformed(what) = incoming("message", payload) else { panic!("{payload}") };
        assert!(what.contains(&format!("`{field}`")) && !what.contains("secret"), "{what}");
    }
}

#[test]
fn a6_typing_and_acks() {
    let typing = Incoming::Typing {
        conversation_id: Some("assistant".to_owned()),
        user_id: "assistant".to_owned(),
        typing: true,
    };
    assert_eq!(incoming("typing", r#"{"isTyping":true}"#), typing);
    let stored = Incoming::Stored { key: "k1".to_owned(), id: "7".to_owned() };
    assert_eq!(incoming("ack", r#"{"clientMessageId":"k1","id":7}"#), stored);
    assert!(matches!(incoming("ack", r#"{"id":7}"#), Incoming::Malformed(_)));
    assert_eq!(incoming("context", "{}"), Incoming::Other);
}

#[test]
fn a6_d9_errors_by_their_code() {
    for (payload, code, key) in [
        (r#"{"code":"auth","message":"x"}"#, ErrorCode::Auth, None),
        (
            r#"{"code":"RateLimited","retry_after_ms":5,"clientMessageId":"k1"}"#,
            ErrorCode::RateLimited,
            Some("k1"),
        ),
        (r#"{"code":"odd","message":"authorised people only"}"#, ErrorCode::Server, None),
        (r#""ValidationError: too long""#, ErrorCode::Validation, None),
        ("null", ErrorCode::Server, None),
        ("[]", ErrorCode::Server, None),
    ] {
        let Incoming::Failed { key: named, failure, retry_after_ms } = incoming("error", payload) else {
            panic!("{payload}");
        };
        assert_eq!((failure.code, named.as_deref()), (code, key), "{payload}");
        assert_eq!(retry_after_ms.is_some(), code == ErrorCode::RateLimited);
    }
    assert!(matches!(assistant("").incoming("", "error", &[]), Incoming::Failed { .. }));
}

#[test]
fn d2_a_hello_says_what_this_wire_has_words_for() {
    let hello = r#"{"capabilities":{"keys":true,"answers":true,"cursor":true,"receipts":true,"orderedWindow":false,"maxPayload":9}}"#;
    let capabilities = CapabilityPatch {
        keys: Some(true),
        answers: Some(true),
        ordered_window: Some(false),
        max_payload: Some(9),
        ..CapabilityPatch::default()
    };
    assert_eq!(incoming("hello", hello), Incoming::Hello { capabilities, user_id: None });
    for (payload, user) in
        [(r#"{"user":{"id":"bo"}}"#, Some("bo")), (r#"{"userId":"ana"}"#, Some("ana")), ("{}", None)]
    {
        let user_id = user.map(str::to_owned);
        let capabilities = CapabilityPatch::default();
        assert_eq!(incoming("hello", payload), Incoming::Hello { capabilities, user_id }, "{payload}");
    }
    assert!(matches!(incoming("hello", r#"{"capabilities":{"keys":1}}"#), Incoming::Malformed(_)));
}

#[test]
fn what_this_wire_has_no_words_for() {
    let profile = assistant("");
    assert!(profile.presence(true).is_none() && profile.typing("assistant", true).is_none());
    assert!(profile.read("assistant", "m1").is_none() && profile.delivered("assistant", "m1").is_none());
    for kind in [ChangeKind::Edit, ChangeKind::Remove, ChangeKind::React, ChangeKind::Unreact] {
        assert!(!profile.can_change(kind));
    }
    assert_eq!(profile.only_conversation(), Some("assistant"));
}
