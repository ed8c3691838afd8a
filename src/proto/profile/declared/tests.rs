//! The built-in declarations: what they say and read, by the facts of WIRES.md.

use super::super::{Sender, ServerMessage, Status};
use super::*;
use crate::proto::config::{Config, PageFacts};
use crate::proto::model::Json;

fn declared(profile: &str, user_id: &str) -> Declared {
    let options =
        format!(r#"{{"url":"https://chat.example","profile":{profile},"userId":"{user_id}","token":"t"}}"#);
    let config = Config::parse(&options, PageFacts { online: true, visible: true }).unwrap();
    Declared::new(*config.spec.unwrap(), user_id)
}

fn companion() -> Declared {
    declared(r#""companion""#, "7")
}

fn channels() -> Declared {
    declared(r#""channels""#, "user_2a")
}

fn incoming(profile: &Declared, event: &str, payload: &str) -> Incoming {
    profile.incoming("", event, &[json::parse(payload, 0).unwrap()])
}

fn outgoing<'a>(metadata: Option<&'a Json>, kind: &'a str) -> Outgoing<'a> {
    Outgoing {
        key: "k1",
        conversation_id: "c1",
        kind,
        text: "hi",
        metadata,
        reply_to_id: None,
        created_at_ms: 1_500,
    }
}

fn message(incoming: Incoming) -> ServerMessage {
    match incoming {
        Incoming::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn c2_c6_c7_what_is_said_has_their_names_and_numbers_are_numbers() {
    let profile = companion();
    let push = profile.send(outgoing(None, "text"));
    assert_eq!(push.event, "send_message");
    assert_eq!(push.args, [r#"{"user_id":7,"girl_id":"c1","content":"hi","client_id":"k1"}"#]);
    let push = profile.typing("c1", true).unwrap();
    assert_eq!(push.event, "typing_indicator");
    assert_eq!(push.args, [r#"{"user_id":7,"girl_id":"c1","is_typing":true}"#]);
    let push = Profile::read(&profile, "c1", "41").unwrap();
    assert_eq!(push.event, "mark_read");
    assert_eq!(push.args, [r#"{"user_id":7,"girl_id":"c1","message_ids":[41]}"#]);
    assert_eq!(profile.delivered("c1", "41"), None);
    assert!(!profile.can_change(ChangeKind::Edit) && profile.presence(true).is_none());
}

#[test]
fn c3_d8_what_is_heard_is_the_users_own_or_hers() {
    let profile = companion();
    let row = r#"{"message":{"id":41,"girl_id":"emma","content":"hey","sender":"girl","timestamp":"1970-01-01T00:00:01.500Z","type":"text"}}"#;
    let hers = message(incoming(&profile, "message_received", row));
    assert_eq!(
        (hers.id.as_str(), hers.conversation_id.as_str(), hers.sender_id.as_str()),
        ("41", "emma", "emma")
    );
    assert_eq!(
        (hers.sender, hers.text.as_str(), hers.created_at_ms, hers.key),
        (Some(Sender::Ai), "hey", 1_500, None)
    );
    let mine = message(incoming(
        &profile,
        "message_received",
        &row.replace("\"girl\",", "\"user\",\"client_id\":\"k1\","),
    ));
    assert_eq!((mine.sender_id.as_str(), mine.sender, mine.key.as_deref()), ("7", None, Some("k1")));
    assert_eq!(
        incoming(&profile, "typing", r#"{"girl_id":"emma","is_typing":true}"#),
        Incoming::Typing { conversation_id: Some("emma".into()), user_id: "emma".into(), typing: true }
    );
    assert_eq!(
        incoming(&profile, "message_read", r#"{"message_id":41,"girl_id":"emma"}"#),
        Incoming::Status {
            message_id: "41".into(),
            conversation_id: Some("emma".into()),
            user_id: None,
            status: Status::Read,
            through: false
        }
    );
}

#[test]
fn c4_any_other_event_is_the_applications() {
    assert_eq!(
        incoming(&companion(), "photo_generated", r#"{"girl_id":"emma","photo_url":"x"}"#),
        Incoming::Other
    );
    assert_eq!(companion().incoming("", "level_up", &[]), Incoming::Other);
}

#[test]
fn c6_a_conversation_that_is_a_number_stays_one_on_its_wire() {
    let profile = companion();
    let to = |profile: &Declared| profile.typing("3", false).unwrap().args;
    assert_eq!(to(&profile), [r#"{"user_id":7,"girl_id":"3","is_typing":false}"#]);
    let row =
        r#"{"message":{"id":41,"girl_id":3,"content":"hey","sender":"girl","timestamp":1500,"type":"text"}}"#;
    assert_eq!(message(incoming(&profile, "message_received", row)).conversation_id, "3");
    assert_eq!(to(&profile), [r#"{"user_id":7,"girl_id":3,"is_typing":false}"#]);
}

#[test]
fn d8_a_photo_is_an_image_by_its_address_and_nothing_else_is_shown() {
    let row = |url: &str| {
        format!(
            r#"{{"message":{{"id":1,"girl_id":"emma","sender":"girl","timestamp":1,"type":"photo","photo_url":"{url}"}}}}"#
        )
    };
    let photo = message(incoming(&companion(), "message_received", &row("https://cdn.example/1.png")));
    assert_eq!((photo.kind.as_str(), photo.text.as_str()), ("image", ""));
    assert_eq!(photo.attachments.unwrap().text(), r#"[{"type":"image","url":"https://cdn.example/1.png"}]"#);
    for good in ["HTTPS://cdn.example/1.png", "http://a/1.png", "/static/7.png"] {
        let kept = message(incoming(&companion(), "message_received", &row(good)));
        assert!(kept.attachments.unwrap().text().contains(good), "{good}");
    }
    assert_eq!(message(incoming(&companion(), "message_received", &row(""))).attachments, None);
    for bad in ["javascript:alert(1)", "data:text/html,x", "//elsewhere.example/1.png", "1.png"] {
        let refused = incoming(&companion(), "message_received", &row(bad));
        let what = "message_received: field `photo_url` must be an address of http or https, or a path";
        assert_eq!(refused, Incoming::Malformed(what.into()), "{bad}");
    }
}

#[test]
fn h4_the_whole_message_goes_out_and_its_id_is_its_key() {
    let profile = channels();
    let push = profile.send(outgoing(None, "text"));
    assert_eq!((push.event.as_str(), push.ack), ("message:send", true));
    assert_eq!(
        push.args,
        [
            r#"{"id":"k1","content":"hi","channelId":"c1","userId":"user_2a","createdAt":"1970-01-01T00:00:01.500Z"}"#
        ]
    );
    let metadata = Json::parse(r#"{"a":1}"#).unwrap();
    assert_eq!(
        profile.send(outgoing(Some(&metadata), "image")).args,
        [
            r#"{"id":"k1","content":"hi","channelId":"c1","userId":"user_2a","createdAt":"1970-01-01T00:00:01.500Z","type":"image","metadata":{"a":1}}"#
        ]
    );
    assert_eq!(profile.id_of("k1").as_deref(), Some("k1"));
    let answer = |text: &str| profile.answer("k1", None, &[json::parse(text, 0).unwrap()]);
    assert_eq!(answer(r#"{"success":true}"#), Answer::Stored(None));
    let data = r#"{"success":true,"data":{"id":"k1","content":"hi","channelId":"c1","userId":"user_2a","createdAt":"2026-01-01T00:00:00.000Z"}}"#;
    assert!(matches!(answer(data), Answer::Stored(Some(copy)) if copy.key.as_deref() == Some("k1")));
    assert!(matches!(
        answer(
            r#"{"success":false,"error":{"code":"ConflictError","message":"exists","client_message_id":"k1"}}"#
        ),
        Answer::Stored(_)
    ));
    assert!(
        matches!(answer(r#"{"success":false,"error":"message_failed"}"#), Answer::Refused { failure, .. } if failure.retryable)
    );
    assert!(matches!(answer(r#"{"success":false,"error":"auth_failed"}"#), Answer::AuthRefused(_)));
    assert!(matches!(answer("7"), Answer::Malformed(_)));
}

#[test]
fn h5_messages_and_receipts() {
    let profile = channels();
    let row = r#"{"id":"m9","content":"hey","channelId":"general","userId":"bo","createdAt":"1970-01-01T00:00:01.500Z"}"#;
    let theirs = message(incoming(&profile, "message:new", row));
    assert_eq!(
        (theirs.id.as_str(), theirs.conversation_id.as_str(), theirs.sender_id.as_str()),
        ("m9", "general", "bo")
    );
    assert_eq!((theirs.key, theirs.sender, theirs.kind.as_str()), (None, None, "text"));
    let mine = message(incoming(&profile, "message:new", &row.replace("\"bo\"", "\"user_2a\"")));
    assert_eq!(mine.key.as_deref(), Some("m9"));
    for (event, status) in [("message:delivered", Status::Delivered), ("message:read", Status::Read)] {
        assert!(
            matches!(incoming(&profile, event, r#"{"messageId":"m9"}"#), Incoming::Status { status: told, message_id, .. } if told == status && message_id == "m9")
        );
    }
    assert_eq!(Profile::read(&profile, "general", "m9").unwrap().args, [r#"{"messageId":"m9"}"#]);
    assert_eq!(profile.delivered("general", "m9").unwrap().event, "message:delivered");
}

#[test]
fn d2_a_hello_is_read_and_garbage_is_told_by_its_place() {
    for profile in [companion(), channels()] {
        let hello = incoming(&profile, "chatwire:hello", r#"{"capabilities":{"keys":true}}"#);
        assert!(matches!(hello, Incoming::Hello { capabilities, .. } if capabilities.keys == Some(true)));
        for heard in &profile.spec.heard {
            for payload in ["7", "{}", "[]", "null", r#"{"message":7}"#] {
                let told = incoming(&profile, &heard.event, payload);
                assert!(matches!(told, Incoming::Malformed(_)), "{}: {payload}: {told:?}", heard.event);
            }
            assert!(matches!(profile.incoming("", &heard.event, &[]), Incoming::Malformed(_)));
        }
    }
}

/// Everything that a description can name, under names of another backend's.
const OTHER: &str = r##"{
    "name": "other", "capabilities": { "answers": true }, "conversations": "listed",
    "commands": {
        "send": { "event": "say", "payload": { "room": "$conversationId", "body": "$text", "t": "$createdAtMs", "nonce": "$key" } },
        "edit": { "event": "fix", "payload": { "id": "$messageId", "body": "$text" } },
        "react": { "event": "like", "payload": ["$messageId", "$emoji"] },
        "online": { "event": "here" }
    },
    "message": { "id": "mid", "conversationId": "room", "senderId": "author", "text": "body", "createdAt": "at", "key": "nonce", "base64": true },
    "answer": { "data": "row" },
    "events": {
        "said": { "as": "message" },
        "fixed": { "as": "updated" },
        "gone": { "as": "deleted", "messageId": "mid", "conversationId": "room" },
        "seen": { "as": "status", "messageId": "mid", "status": "how" },
        "who": { "as": "presence", "userId": "who", "status": "up" },
        "liked": { "as": "reaction", "messageId": "mid", "userId": "who", "emoji": "with", "op": "op" }
    }
}"##;

#[test]
fn another_backends_names_are_said_and_read() {
    let profile = declared(OTHER, "ana");
    assert_eq!(
        profile.send(outgoing(None, "text")).args,
        [r#"{"room":"c1","body":"aGk=","t":1500,"nonce":"k1"}"#]
    );
    let change = |kind| profile.change(OutgoingChange { kind, id: "5", conversation_id: "c1", text: "x" });
    let args = |sending: Sending| match sending {
        Sending::Push(push) => (push.event, push.args),
        Sending::Rest(_) => panic!("on the socket"),
    };
    assert_eq!(
        args(change(ChangeKind::Edit)),
        ("fix".into(), vec![r#"{"id":"5","body":"eA=="}"#.to_owned()])
    );
    assert_eq!(
        args(change(ChangeKind::React)),
        ("like".into(), vec![r#""5""#.to_owned(), r#""x""#.to_owned()])
    );
    assert!(!profile.can_change(ChangeKind::Unreact));
    assert_eq!(profile.presence(true).unwrap(), Push { event: "here".into(), ..Push::default() });
    let row = r#"{"mid":5,"room":"c1","author":"bo","body":"aGk=","at":1500,"nonce":"n"}"#;
    let said = message(incoming(&profile, "said", row));
    assert_eq!(
        (said.id.as_str(), said.text.as_str(), said.sender_id.as_str(), said.key),
        ("5", "hi", "bo", None)
    );
    assert!(
        matches!(incoming(&profile, "fixed", r#"{"mid":5,"body":"aGk="}"#), Incoming::Updated(row) if row.text == "hi")
    );
    assert_eq!(
        incoming(&profile, "gone", r#"{"mid":5,"room":"c1"}"#),
        Incoming::Deleted { message_id: "5".into(), conversation_id: Some("c1".into()) }
    );
    assert!(matches!(
        incoming(&profile, "seen", r#"{"mid":5,"how":"read"}"#),
        Incoming::Status { status: Status::Read, .. }
    ));
    assert_eq!(
        incoming(&profile, "who", r#"{"who":"bo","up":true}"#),
        Incoming::Presence { user_id: "bo".into(), online: true, at_ms: None }
    );
    assert!(matches!(
        incoming(&profile, "liked", r#"{"mid":5,"who":"bo","with":"x","op":"add"}"#),
        Incoming::Reaction { added: true, .. }
    ));
    let answer = |text: &str| profile.answer("k1", None, &[json::parse(text, 0).unwrap()]);
    assert_eq!(answer("{}"), Answer::Stored(None), "without a word of success, whatever has no error is one");
    assert!(matches!(answer(r#"{"error":"full"}"#), Answer::Refused { .. }));
}

#[test]
fn c6_who_has_the_users_own_number_is_somebody_else() {
    let row =
        r#"{"message":{"id":41,"girl_id":7,"content":"hey","sender":"girl","timestamp":1500,"type":"text"}}"#;
    let hers = message(incoming(&companion(), "message_received", row));
    assert_eq!(
        (hers.conversation_id.as_str(), hers.sender_id.as_str(), hers.sender),
        ("7", "other:7", Some(Sender::Ai))
    );
    assert!(
        matches!(incoming(&companion(), "typing", r#"{"girl_id":7,"is_typing":true}"#), Incoming::Typing { user_id, .. } if user_id == "other:7")
    );
}

/// C2 has no word for it, so an echo says nothing of it.
#[test]
fn an_echo_of_what_had_no_type_on_the_wire_may_be_of_any() {
    let row = r#"{"message":{"id":41,"girl_id":"emma","content":"look","sender":"user","timestamp":1500,"type":"text"}}"#;
    let echo = message(incoming(&companion(), "message_received", row));
    assert!(
        echo.may_be("look", "image", 0) && echo.may_be("look", "text", 0) && !echo.may_be("loo", "text", 0)
    );
    let said = r#"{"id":"m9","content":"hey","channelId":"general","userId":"user_2a","createdAt":1500}"#;
    assert!(!message(incoming(&channels(), "message:new", said)).may_be("hey", "image", 0));
}
