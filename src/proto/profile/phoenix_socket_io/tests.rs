//! P12, D7: where the topic stands, and how answers come.

use super::*;
use crate::proto::profile::ServerMessage;

const PROFILE: PhoenixOverSocketIo = PhoenixOverSocketIo;

fn raw(text: &str) -> &RawValue {
    json::parse(text, 0).unwrap()
}

fn push() -> Push {
    PROFILE.send(Outgoing {
        key: "k1",
        conversation_id: "c1",
        kind: "text",
        text: "hi",
        metadata: None,
        reply_to_id: None,
        created_at_ms: 0,
    })
}

const ROW: &str = r#"{"id":"m1","client_id":"k1","conversation_id":"c1","sender_id":"ana","content":"hi","type":"text","inserted_at":"2026-01-01T00:00:00Z"}"#;

#[test]
fn p12_the_topic_stands_in_the_payload() {
    let sent = push();
    assert_eq!((sent.topic.as_str(), sent.event.as_str(), sent.ack), ("", "message:send", true));
    assert_eq!(sent.args, [r#"{"topic":"conversation:c1","client_id":"k1","content":"hi","type":"text"}"#]);
    let typing = PROFILE.typing("c1", true).unwrap();
    assert_eq!(typing.args, [r#"{"topic":"conversation:c1","is_typing":true}"#]);
    let change = OutgoingChange { kind: ChangeKind::Remove, id: "m1", conversation_id: "c1", text: "" };
    assert!(
        matches!(PROFILE.change(change), Sending::Push(push) if push.args == [r#"{"topic":"conversation:c1","id":"m1"}"#])
    );
    assert_eq!(
        flattened(Push { topic: "t".into(), args: vec!["{}".into()], ..Push::default() }).args,
        [r#"{"topic":"t"}"#]
    );
}

#[test]
fn p12_what_comes_is_read_by_its_topic() {
    let typing = raw(r#"{"topic":"conversation:c1","user_id":"bo","is_typing":true}"#);
    let told = Incoming::Typing { conversation_id: Some("c1".into()), user_id: "bo".into(), typing: true };
    assert_eq!(PROFILE.incoming("", "typing", &[typing]), told);
    assert_eq!(PROFILE.incoming("/other", "typing", &[typing]), Incoming::Other);
    let foreign = raw(r#"{"topic":"game:1","user_id":"bo","is_typing":true}"#);
    assert_eq!(PROFILE.incoming("", "typing", &[foreign]), Incoming::Other);
    let hello = raw(r#"{"capabilities":{"keys":true,"cursor":true}}"#);
    assert!(
        matches!(PROFILE.incoming("", "chatwire:hello", &[hello]), Incoming::Hello { capabilities, .. } if capabilities.cursor == Some(true))
    );
    assert!(matches!(PROFILE.incoming("", "message:new", &[raw("7")]), Incoming::Malformed(_)));
    assert!(matches!(PROFILE.incoming("", "message:new", &[]), Incoming::Malformed(_)));
}

#[test]
fn p12_an_answer_comes_in_any_of_its_forms() {
    let answer = |text: &str| PROFILE.answer("k1", None, &[raw(text)]);
    let is_copy = |copy: &ServerMessage| copy.id == "m1";
    for text in [
        format!(r#"{{"message":{ROW}}}"#),
        format!(r#"{{"status":"ok","response":{{"message":{ROW}}}}}"#),
        format!(r#"{{"success":true,"data":{ROW}}}"#),
    ] {
        assert!(matches!(answer(&text), Answer::Stored(Some(copy)) if is_copy(&copy)), "{text}");
    }
    for text in [
        r#"{"error":"full"}"#,
        r#"{"status":"error","response":{"reason":"full"}}"#,
        r#"{"success":false,"error":"full"}"#,
    ] {
        assert!(matches!(answer(text), Answer::Refused { failure, .. } if failure.retryable), "{text}");
    }
    assert_eq!(PROFILE.answer("k1", None, &[]), Answer::Stored(None));
}
