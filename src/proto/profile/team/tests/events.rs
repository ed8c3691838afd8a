use super::super::super::{CapabilityPatch, ConversationKind, Json, Role, Status};
use super::*;

fn malformed(event: &str, payload: &str) -> String {
    match incoming(event, payload) {
        Incoming::Malformed(text) => text,
        other => panic!("{event} {payload}: {other:?}"),
    }
}

#[test]
fn t4_a_message_as_the_original_server_tells_it() {
    assert_eq!(incoming("chat:message_received", ROW), Incoming::Message(message().into()));
}

#[test]
fn t4_a_message_with_everything() {
    let row = row_with(
        r#""client_message_id":"k1","seq":7,"reply_to":12,"metadata":{"a" : [1, "x"]},"attachments":[{"url":"u"}],
        "status":"sent","delivered_to":["ana","ben",3],"read_by":["ana",{"user_id":"ben"},4],"later":{"x":[]},
        "reactions":[{"emoji":"👍","user_id":"ben"},{"userId":4,"emoji":"x"}],
        "edited_at":1795225298251,"deleted_at":"2026-11-21T01:41:38.252Z""#,
    );
    let wanted = ServerMessage {
        key: Some("k1".to_owned()),
        seq: Some(7),
        reply_to_id: Some("12".to_owned()),
        metadata: Json::parse(r#"{"a" : [1, "x"]}"#),
        attachments: Json::parse(r#"[{"url":"u"}]"#),
        status: Some(Status::Read),
        // The author is no reader.
        read_by: vec!["ben".to_owned(), "4".to_owned()],
        reactions: Some(vec![("👍".to_owned(), "ben".to_owned()), ("x".to_owned(), "4".to_owned())]),
        edited_at_ms: Some(CREATED_AT_MS + 1),
        deleted_at_ms: Some(CREATED_AT_MS + 2),
        ..message()
    };
    assert_eq!(incoming("chat:message_received", &row), Incoming::Message(wanted.clone().into()));
    assert_eq!(incoming("chat:message_updated", &row), Incoming::Updated(wanted.into()));
}

#[test]
fn t4_camel_case_numbers_and_nulls_are_the_same_message() {
    let row = r#"{"conversationId":"c1","contentEncrypted":"Zm9v","senderId":"ana","createdAt":1795225298250,
        "id":"m1","messageType":null,"clientMessageId":null,"seq":null,"metadata":null,"attachments":[],
        "replyTo":null,"status":null,"readBy":null,"deliveredTo":[],"editedAt":null,"deletedAt":null}"#;
    assert_eq!(incoming("chat:message_received", row), Incoming::Message(message().into()));
    let numeric = r#"{"id":41,"sender_id":7,"conversation_id":3,"content_encrypted":"Zm9v","seq":"8",
        "created_at":1795225298250}"#;
    let Incoming::Message(read) = incoming("chat:message_received", numeric) else { panic!() };
    assert_eq!(
        (read.id, read.sender_id, read.conversation_id, read.seq),
        ("41".into(), "7".into(), "3".into(), Some(8))
    );
}

#[test]
fn t4_what_is_wrong_is_named_by_event_and_field() {
    let event = "chat:message_received";
    for field in ["id", "sender_id", "content_encrypted", "conversation_id", "created_at"] {
        let without = ROW.replace(&format!("\"{field}\""), "\"x\"");
        assert_eq!(malformed(event, &without), format!("{event}: field `{field}` is missing"));
        let wrong = ROW.replacen(&format!("\"{field}\":\""), &format!("\"{field}\":[true],\"x\":\""), 1);
        let text = malformed(event, &wrong);
        assert!(text.starts_with(&format!("{event}: field `{field}` must be ")), "{text}");
    }
    for (field, value) in [
        ("message_type", "1"),
        ("seq", "-1"),
        ("client_message_id", "{}"),
        ("attachments", "{}"),
        ("status", "1"),
        ("read_by", "[[]]"),
        ("delivered_to", "true"),
        ("reactions", r#"[{"emoji":"x"}]"#),
        ("edited_at", r#""then""#),
        ("deleted_at", "1.5"),
        ("reply_to", "[]"),
    ] {
        let row = ROW
            .replacen('{', &format!("{{\"{field}\":{value},"), 1)
            .replace("\"message_type\":\"text\",", "");
        let text = malformed(event, &row);
        assert!(text.starts_with(&format!("{event}: field `{field}` must ")), "{text}");
    }
    assert_eq!(malformed(event, "[1]"), "chat:message_received: must be an object");
    assert_eq!(malformed(event, "null"), "chat:message_received: must be an object");
    assert_eq!(Team.incoming("", event, &[]), Incoming::Malformed(format!("{event}: must carry an object")));
}

#[test]
fn t4_created_at_must_be_readable() {
    let row = ROW.replace("2026-11-21T01:41:38.250Z", "yesterday, secretly");
    let text = malformed("chat:message_received", &row);
    assert!(text.contains("`created_at` must be a time") && !text.contains("secretly"), "{text}");
}

#[test]
fn t5_content_is_base64_of_utf8_and_nothing_else() {
    for (content, wanted) in
        [("", ""), ("Z3LDvMOfIGRpY2gg8J+Rjw==", "grüß dich 👏"), ("Zm8", "fo"), ("Zm8=", "fo")]
    {
        let Incoming::Message(read) = incoming("chat:message_received", &ROW.replace("Zm9v", content)) else {
            panic!("{content}")
        };
        assert_eq!(read.text, wanted);
    }
    // Plain text, base64url, bytes that are no UTF-8, a line break.
    for content in ["hello, secret", "_-9v", "//8=", "Zm9v\\n"] {
        let text = malformed("chat:message_received", &ROW.replace("Zm9v", content));
        assert_eq!(text, "chat:message_received: field `content_encrypted` must be base64 of UTF-8 text");
    }
}

#[test]
fn t5_a_deleted_message_may_have_no_content() {
    let row = row_with("\"deleted_at\":5").replace("\"Zm9v\"", "null");
    let wanted = ServerMessage { text: String::new(), deleted_at_ms: Some(5), ..message() };
    assert_eq!(incoming("chat:message_updated", &row), Incoming::Updated(wanted.into()));
}

#[test]
fn t4_t14_status_updates() {
    for (name, status) in
        [("sent", Status::Acknowledged), ("delivered", Status::Delivered), ("read", Status::Read)]
    {
        assert_eq!(
            incoming("chat:message_status_updated", &format!(r#"{{"messageId":9,"status":"{name}"}}"#)),
            Incoming::Status {
                message_id: "9".to_owned(),
                conversation_id: None,
                user_id: None,
                status,
                through: false
            }
        );
    }
    assert_eq!(
        incoming(
            "chat:message_status_updated",
            r#"{"message_id":"m1","status":"read","conversation_id":"c1","userId":"ben"}"#
        ),
        Incoming::Status {
            message_id: "m1".to_owned(),
            conversation_id: Some("c1".to_owned()),
            user_id: Some("ben".to_owned()),
            status: Status::Read,
            through: false,
        }
    );
    let text = malformed("chat:message_status_updated", r#"{"messageId":"m1","status":"seen"}"#);
    assert_eq!(text, "chat:message_status_updated: field `status` must be `sent`, `delivered` or `read`");
}

#[test]
fn t14_status_of_a_row_is_told_or_derived() {
    for (fields, wanted) in [
        (r#""status":"sent""#, Some(Status::Acknowledged)),
        (r#""status":"read""#, Some(Status::Read)),
        (r#""status":"archived""#, None),
        (r#""status":"archived","read_by":["ben"]"#, Some(Status::Read)),
        (r#""delivered_to":["ben"]"#, Some(Status::Delivered)),
        (r#""delivered_to":["ben"],"read_by":[]"#, Some(Status::Delivered)),
        (r#""delivered_to":[],"read_by":["ben"]"#, Some(Status::Read)),
        (r#""delivered_to":["ana"],"read_by":["ana"]"#, None),
        (r#""status":"read","delivered_to":["ben"]"#, Some(Status::Read)),
    ] {
        let Incoming::Message(read) = incoming("chat:message_received", &row_with(fields)) else { panic!() };
        assert_eq!(read.status, wanted, "{fields}");
    }
}

#[test]
fn t4_typing_with_and_without_its_conversation() {
    let typing = |conversation_id: Option<&str>, typing| Incoming::Typing {
        conversation_id: conversation_id.map(str::to_owned),
        user_id: "ben".to_owned(),
        typing,
    };
    let event = "chat:user_typing";
    let open = r#"{"userId":"ben","username":"Ben","isTyping":true,"timestamp":"2026-11-21T01:41:38Z"}"#;
    assert_eq!(incoming(event, open), typing(None, true));
    assert_eq!(
        incoming(event, r#"{"userId":"ben","isTyping":false,"conversationId":"c1"}"#),
        typing(Some("c1"), false)
    );
    assert_eq!(malformed(event, r#"{"userId":"ben"}"#), "chat:user_typing: field `is_typing` is missing");
    assert!(malformed(event, r#"{"userId":"ben","isTyping":1}"#).ends_with("must be true or false"));
}

#[test]
fn t4_presence_of_others() {
    let event = "user:status_changed";
    assert_eq!(
        incoming(event, r#"{"userId":"ben","status":"online","timestamp":"2026-11-21T01:41:38.250Z"}"#),
        Incoming::Presence { user_id: "ben".to_owned(), online: true, at_ms: Some(CREATED_AT_MS) }
    );
    assert_eq!(
        incoming(event, r#"{"user_id":7,"status":"offline"}"#),
        Incoming::Presence { user_id: "7".to_owned(), online: false, at_ms: None }
    );
    assert!(malformed(event, r#"{"userId":"ben","status":"away"}"#).contains("`status` must be `online`"));
}

#[test]
fn d4_deletions_and_reactions() {
    assert_eq!(
        incoming("chat:message_deleted", r#"{"messageId":"m1","conversationId":"c1"}"#),
        Incoming::Deleted { message_id: "m1".to_owned(), conversation_id: Some("c1".to_owned()) }
    );
    assert!(malformed("chat:message_deleted", "{}").ends_with("`message_id` is missing"));
    for (op, added) in [("add", true), ("remove", false)] {
        assert_eq!(
            incoming(
                "chat:reaction",
                &format!(r#"{{"messageId":"m1","emoji":"👍","userId":"ben","op":"{op}"}}"#)
            ),
            Incoming::Reaction {
                message_id: "m1".to_owned(),
                emoji: "👍".to_owned(),
                user_id: "ben".to_owned(),
                added
            }
        );
    }
    let text = malformed("chat:reaction", r#"{"messageId":"m1","emoji":"x","userId":"ben","op":"toggle"}"#);
    assert!(text.ends_with("field `op` must be `add` or `remove`"));
}

#[test]
fn d4_a_conversation_that_changed_wrapped_or_bare() {
    let row = r#"{"id":"c1","type":"group","title":"Team","participants":[
        {"user_id":"ana","username":"Ana","role":"admin","online":true},{"user_id":"ben","role":"moderator"}],
        "last_seq":9,"last_read_seq":"4","updated_at":1795225298250,"avatar_url":"https://x/a.png"}"#;
    for payload in [row.to_owned(), format!(r#"{{"conversation":{row}}}"#)] {
        let Incoming::Conversation(read) = incoming("chat:conversation_updated", &payload) else { panic!() };
        assert_eq!(
            (read.id.as_str(), read.kind, read.title.as_str()),
            ("c1", ConversationKind::Group, "Team")
        );
        let members: Vec<_> =
            read.members.iter().map(|m| (m.user_id.as_str(), m.name.as_str(), m.role)).collect();
        assert_eq!(members, [("ana", "Ana", Role::Admin), ("ben", "ben", Role::Moderator)]);
        assert_eq!((read.online, read.my_role), (vec!["ana".to_owned()], Role::Member));
        assert_eq!((read.last_seq, read.last_read_seq), (Some(9), Some(4)));
        assert_eq!(read.updated_at_ms, Some(CREATED_AT_MS));
        assert_eq!(read.avatar_url.as_deref(), Some("https://x/a.png"));
    }
    let text = malformed("chat:conversation_updated", r#"{"conversation":{"id":"c1","type":"room"}}"#);
    assert_eq!(text, "chat:conversation_updated: field `type` must be `direct` or `group`");
}

#[test]
fn d2_hello_declares_capabilities() {
    let hello = incoming(
        "chatwire:hello",
        r#"{"capabilities":{"keys":true,"cursor":true,"orderedWindow":false,"receipts":true,"maxPayload":100000}}"#,
    );
    let patch = CapabilityPatch {
        keys: Some(true),
        answers: None,
        cursor: Some(true),
        ordered_window: Some(false),
        receipts: Some(true),
        max_payload: Some(100_000),
    };
    assert_eq!(hello, Incoming::Hello { capabilities: patch.clone(), user_id: None });
    let mut capabilities = Team.capabilities();
    assert!(!capabilities.keys && capabilities.answers && !capabilities.cursor && capabilities.receipts);
    assert!(!capabilities.ordered_window && capabilities.max_payload.is_none());
    capabilities.apply(&patch);
    assert!(capabilities.keys && capabilities.answers && capabilities.max_payload == Some(100_000));
    for (user, user_id) in
        [(r#"{"id":"ana"}"#, Some("ana")), (r#"{"id":7,"name":"x"}"#, Some("7")), ("null", None)]
    {
        assert_eq!(
            incoming("chatwire:hello", &format!(r#"{{"capabilities":{{}},"user":{user}}}"#)),
            Incoming::Hello { capabilities: CapabilityPatch::default(), user_id: user_id.map(str::to_owned) }
        );
    }
    for user in ["{}", r#""ana""#, r#"{"id":""}"#] {
        let text = malformed("chatwire:hello", &format!(r#"{{"capabilities":{{}},"user":{user}}}"#));
        assert!(text.starts_with("chatwire:hello: field `"), "{text}");
    }
    assert_eq!(malformed("chatwire:hello", "{}"), "chatwire:hello: field `capabilities` is missing");
    let text = malformed("chatwire:hello", r#"{"capabilities":{"keys":"yes"}}"#);
    assert_eq!(text, "chatwire:hello: field `keys` must be true or false");
}

#[test]
fn other_events_are_the_applications() {
    for event in ["chat:message_sent", "connect", "", "chat:message_received "] {
        assert_eq!(incoming(event, "{}"), Incoming::Other);
        assert_eq!(Team.incoming("", event, &[]), Incoming::Other);
    }
}

#[test]
fn d4_an_edit_may_come_as_its_id_and_its_new_text_alone() {
    let Incoming::Updated(edit) = incoming("chat:message_updated", r#"{"id":7,"content_encrypted":"bmV3"}"#)
    else {
        panic!("it is an edit");
    };
    assert_eq!((edit.id.as_str(), edit.text.as_str(), edit.sender_id.as_str()), ("7", "new", ""));
    let told = malformed("chat:message_updated", r#"{"id":7}"#);
    assert!(told.contains("`content_encrypted` is missing"), "{told}");
}
