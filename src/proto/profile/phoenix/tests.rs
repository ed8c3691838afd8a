//! Tests are named after the fact of WIRES.md that they hold to.

use super::super::{CapabilityPatch, Json, ServerMessage};
use super::*;
use crate::proto::model::{ConversationKind, ErrorCode};

const TOPIC: &str = "conversation:c1";
const ROW: &str = r#"{"id":"m1","client_id":"k1","conversation_id":"c1","sender_id":"ana","content":"grüß 👏","type":"text",
    "metadata":null,"reply_to":"m0","seq":7,"inserted_at":"2026-11-21T01:41:38.250Z","status":"sent"}"#;

fn raw(text: &str) -> &RawValue {
    json::parse(text, 0).unwrap()
}

fn incoming(event: &str, payload: &str) -> Incoming {
    Phoenix.incoming(TOPIC, event, &[raw(payload)])
}

fn message() -> ServerMessage {
    ServerMessage {
        id: "m1".to_owned(),
        key: Some("k1".to_owned()),
        conversation_id: "c1".to_owned(),
        sender_id: "ana".to_owned(),
        sender: None,
        kind: "text".to_owned(),
        text: "grüß 👏".to_owned(),
        metadata: None,
        attachments: None,
        reply_to_id: Some("m0".to_owned()),
        created_at_ms: 1_795_225_298_250,
        seq: Some(7),
        status: Some(Status::Acknowledged),
        read_by: Vec::new(),
        reactions: None,
        edited_at_ms: None,
        deleted_at_ms: None,
    }
}

fn body(push: &Push) -> &str {
    push.args.first().unwrap()
}

#[test]
fn p7_a_send_goes_to_its_topic_with_its_key() {
    let metadata = Json::parse(r#"{"a":[1]}"#).unwrap();
    let sent = Phoenix.send(Outgoing {
        key: "k1",
        conversation_id: "c1",
        kind: "text",
        text: "a \"b\"",
        metadata: Some(&metadata),
        reply_to_id: Some("m0"),
        created_at_ms: 0,
    });
    assert_eq!((sent.topic.as_str(), sent.event.as_str(), sent.ack), (TOPIC, "message:send", true));
    let expected =
        r#"{"client_id":"k1","content":"a \"b\"","type":"text","metadata":{"a":[1]},"reply_to":"m0"}"#;
    assert_eq!(body(&sent), expected);
    let typing = Phoenix.typing("c1", true).unwrap();
    assert_eq!(
        (typing.topic.as_str(), typing.event.as_str(), body(&typing)),
        (TOPIC, "typing", r#"{"is_typing":true}"#)
    );
    let read = Phoenix.read("c1", "m1").unwrap();
    assert_eq!((read.event.as_str(), body(&read), read.ack), ("message:read", r#"{"up_to":"m1"}"#, false));
    assert!(Phoenix.delivered("c1", "m1").is_none() && Phoenix.presence(true).is_none());
}

#[test]
fn d7_changes_are_pushes() {
    for (kind, event, expected) in [
        (ChangeKind::Edit, "message:update", r#"{"id":"m1","content":"x"}"#),
        (ChangeKind::Remove, "message:delete", r#"{"id":"m1"}"#),
        (ChangeKind::React, "message:react", r#"{"id":"m1","emoji":"x","op":"add"}"#),
        (ChangeKind::Unreact, "message:react", r#"{"id":"m1","emoji":"x","op":"remove"}"#),
    ] {
        let sending = Phoenix.change(OutgoingChange { kind, id: "m1", conversation_id: "c1", text: "x" });
        let Sending::Push(push) = sending else { panic!("a push") };
        assert_eq!((push.topic.as_str(), push.event.as_str(), body(&push)), (TOPIC, event, expected));
    }
}

#[test]
fn p7_d3_replies() {
    let answer = |status: &str, response: &str| Phoenix.answer("k1", Some(status), &[raw(response)]);
    assert_eq!(answer("ok", &format!("{{\"message\":{ROW}}}")), Answer::Stored(Some(Box::new(message()))));
    assert_eq!(answer("ok", ROW), Answer::Stored(Some(Box::new(message()))), "by itself");
    assert_eq!(answer("ok", "{}"), Answer::Stored(None));
    assert_eq!(answer("ok", "null"), Answer::Stored(None));
    let conflict = format!(r#"{{"code":"ConflictError","message":"known","client_id":"k1","row":{ROW}}}"#);
    assert_eq!(answer("error", &conflict), Answer::Stored(None));
    assert_eq!(answer("error", &format!(r#"{{"error":{conflict}}}"#)), Answer::Stored(None));
    for (response, code) in [
        (r#"{"code":"ForbiddenError","message":"not a member"}"#, ErrorCode::Forbidden),
        (r#"{"code":"ValidationError","message":"x","field":"client_id"}"#, ErrorCode::Validation),
        (r#"{"reason":"unauthorized"}"#, ErrorCode::Forbidden),
        (r#"{"reason":"busy"}"#, ErrorCode::Server),
        (r#"{"error":{"code":"ForbiddenError","message":"no"}}"#, ErrorCode::Forbidden),
        (r#"{"reason":{"code":"TooLarge"}}"#, ErrorCode::TooLarge),
        (r#"{"error":"NotFoundError: gone"}"#, ErrorCode::NotFound),
        ("\"no\"", ErrorCode::Server),
        ("[]", ErrorCode::Server),
    ] {
        match answer("error", response) {
            Answer::Refused { failure, .. } => assert_eq!(failure.code, code, "{response}"),
            other => panic!("{response}: {other:?}"),
        }
    }
    assert!(matches!(answer("maybe", "{}"), Answer::Refused { .. }));
    assert!(matches!(answer("error", r#"{"code":"AuthError","message":"x"}"#), Answer::AuthRefused(_)));
    match answer("error", r#"{"code":"RateLimited","message":"x","retry_after_ms":900}"#) {
        Answer::Refused { failure, retry_after_ms } => {
            assert_eq!((failure.code, retry_after_ms), (ErrorCode::RateLimited, Some(900)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn p8_broadcasts() {
    assert_eq!(incoming("message:new", ROW), Incoming::Message(Box::new(message())));
    assert_eq!(incoming("message:update", ROW), Incoming::Updated(Box::new(message())));
    let edit = ServerMessage {
        id: "m1".to_owned(),
        conversation_id: "c1".to_owned(),
        text: "new".to_owned(),
        ..ServerMessage::default()
    };
    assert_eq!(
        incoming("message:update", r#"{"id":"m1","content":"new"}"#),
        Incoming::Updated(Box::new(edit))
    );
    let conversation_id = Some("c1".to_owned());
    assert_eq!(
        incoming("message:delete", r#"{"id":"m1"}"#),
        Incoming::Deleted { message_id: "m1".to_owned(), conversation_id: conversation_id.clone() }
    );
    assert_eq!(
        incoming("message:read", r#"{"up_to":"m1","user_id":"bo"}"#),
        Incoming::Status {
            message_id: "m1".to_owned(),
            conversation_id: conversation_id.clone(),
            user_id: Some("bo".to_owned()),
            status: Status::Read,
            through: true,
        }
    );
    assert_eq!(
        incoming("typing", r#"{"user_id":"bo","is_typing":true}"#),
        Incoming::Typing { conversation_id, user_id: "bo".to_owned(), typing: true }
    );
    assert_eq!(
        incoming("message:react", r#"{"id":"m1","emoji":"👍","user_id":"bo","op":"remove"}"#),
        Incoming::Reaction {
            message_id: "m1".to_owned(),
            emoji: "👍".to_owned(),
            user_id: "bo".to_owned(),
            added: false
        }
    );
    assert_eq!(incoming("app:own", "{}"), Incoming::Other);
}

#[test]
fn p9_lists_and_pages_by_marks() {
    let body = r#"{"conversations":[{"id":"c1","kind":"direct","title":null,"members":[{"id":"ana","name":"Ana","role":"member",
        "online":true},{"id":"bo","name":"Bo","role":"admin"}],"last_seq":7}]}"#;
    let page = Phoenix.parse_conversations(body, "ana").unwrap();
    let [told] = page.conversations.as_slice() else { panic!("one") };
    assert_eq!((told.kind, told.title.as_str(), told.last_seq), (ConversationKind::Direct, "Bo", Some(7)));
    assert_eq!((told.online.clone(), page.has_more), (vec!["ana".to_owned()], false));
    let page = Phoenix
        .parse_page(&format!("{{\"messages\":[{ROW}],\"cursor\":\"c_7\",\"has_more\":true}}"))
        .unwrap();
    assert_eq!((page.mark.as_deref(), page.has_more, page.messages.len()), (Some("c_7"), Some(true), 1));
    let first = Phoenix.messages_following("c 1", None, 50).path;
    assert_eq!(first, "/sync?conversation_id=c%201&limit=50");
    let next = Phoenix.messages_following("c1", Some("a+b"), 50).path;
    assert_eq!(next, "/sync?conversation_id=c1&cursor=a%2Bb&limit=50");
    assert_eq!(Phoenix.list_conversations(0).path, "/conversations");
}

#[test]
fn d2_d7_what_a_join_says() {
    assert_eq!(Phoenix.join_params(Some(7)), r#"{"last_seq":7}"#);
    assert_eq!(Phoenix.join_params(None), "{}");
    let joined = |topic: &str, response: &str| Phoenix.joined(topic, raw(response));
    assert_eq!(
        joined(TOPIC, r#"{"cursor":"c_7","seq":7}"#),
        Incoming::Joined { conversation_id: "c1".to_owned(), last_seq: Some(7) }
    );
    assert_eq!(
        joined("user:ana", r#"{"user_id":"ana","capabilities":{"keys":true,"orderedWindow":true}}"#),
        Incoming::Hello {
            capabilities: CapabilityPatch {
                keys: Some(true),
                ordered_window: Some(true),
                ..CapabilityPatch::default()
            },
            user_id: Some("ana".to_owned())
        }
    );
    assert_eq!(joined("user:ana", "{}"), Incoming::Other, "a server without ours");
    assert_eq!(joined("user:ana", "[]"), Incoming::Other);
    assert!(matches!(joined("user:ana", r#"{"capabilities":{"keys":7}}"#), Incoming::Malformed(_)));
}

#[test]
fn whatever_comes_is_told_and_never_a_panic() {
    for event in [
        "message:new",
        "message:update",
        "message:delete",
        "message:read",
        "message:react",
        "typing",
        "conversation:new",
    ] {
        assert!(matches!(Phoenix.incoming(TOPIC, event, &[]), Incoming::Malformed(_)), "{event}");
        for payload in
            ["null", "[]", "7", "\"x\"", "{}", r#"{"id":[],"op":7,"is_typing":"x","conversation":7}"#]
        {
            assert!(matches!(incoming(event, payload), Incoming::Malformed(_)), "{event} {payload}");
        }
    }
}

#[test]
fn p6_a_topic_of_the_applications_own_is_none_of_the_chats() {
    let payload = r#"{"user_id":"bob","is_typing":true,"capabilities":{"keys":true}}"#;
    for event in ["typing", "message:new", "conversation:new"] {
        assert_eq!(Phoenix.incoming("room:lobby", event, &[raw(payload)]), Incoming::Other, "{event}");
    }
    assert_eq!(Phoenix.joined("room:lobby", raw(payload)), Incoming::Other);
}
