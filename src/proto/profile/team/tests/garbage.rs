//! Whatever a server says is read or named as malformed, and never quoted.

use proptest::prelude::*;

use super::*;

const EVENTS: [&str; 10] = [
    "chatwire:hello",
    "chat:message_received",
    "chat:message_status_updated",
    "chat:message_updated",
    "chat:message_deleted",
    "chat:reaction",
    "chat:user_typing",
    "user:status_changed",
    "chat:conversation_updated",
    "application:own",
];

/// Names that the profile looks for, so that garbage gets past the first missing field.
const NAMES: &str = "id|sender_id|contentEncrypted|content_encrypted|conversation_id|created_at|seq|status|read_by\
    |reactions|emoji|user_id|userId|messageId|op|isTyping|capabilities|keys|maxPayload|conversation|conversations\
    |messages|has_more|type|participants|role|success|data|error|code|message|client_message_id|deleted_at|[a-z]{0,3}";

/// A text that no reader accepts and that must not come out again.
const SECRET: &str = "hunter2";

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        Just("1e400".to_owned()),
        Just("-0.5".to_owned()),
        "(Zm9v|direct|group|online|sent|read|add|2026-11-21T01:41:38Z|ConflictError|k1|hunter2|\\PC{0,6})"
            .prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just(r#""\ud83d""#.to_owned()),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((NAMES, inner), 0..12).prop_map(|fields| {
                let fields: Vec<_> =
                    fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// A valid row with one field replaced, which reaches the readers that plain garbage rarely does.
fn mutated_row() -> impl Strategy<Value = String> {
    let whole = row_with(
        r#""client_message_id":"k1","seq":7,"reply_to":12,"metadata":{"a":1},"attachments":[{}],"status":"sent",
        "delivered_to":["ben"],"read_by":["ben"],"reactions":[{"emoji":"x","user_id":"ben"}],"edited_at":5,
        "deleted_at":6"#,
    );
    let fields: Vec<(String, serde_json::Value)> =
        serde_json::from_str::<serde_json::Map<_, _>>(&whole).unwrap().into_iter().collect();
    (0..fields.len(), json()).prop_map(move |(changed, value)| {
        let text: Vec<_> = fields
            .iter()
            .enumerate()
            .map(|(index, (name, old))| {
                let new = if index == changed { value.clone() } else { old.to_string() };
                format!("\"{name}\":{new}")
            })
            .collect();
        format!("{{{}}}", text.join(","))
    })
}

fn read_everything(text: &str) -> Result<(), TestCaseError> {
    let value = raw(text);
    let mut said = Vec::new();
    for event in EVENTS {
        if let Incoming::Malformed(text) = Team.incoming("", event, &[value]) {
            said.push(text);
        }
    }
    if let Answer::Malformed(text) = Team.answer("k1", None, &[value, value]) {
        said.push(text);
    }
    match Team.parse_page(text) {
        Ok(page) => said.extend(page.malformed),
        Err(text) => said.push(text),
    }
    if let Err(text) = Team.parse_conversations(text, "me") {
        said.push(text);
    }
    if let Err(failure) = Team.parse_created(201, text, "me") {
        said.push(failure.message);
    }
    for status in [0, 200, 409, 500, u16::MAX] {
        // The server's own words may be passed on here.
        drop((Team.parse_created(status, text, "me"), Team.parse_failure(status, text)));
    }
    for text in said {
        prop_assert!(!text.contains(SECRET), "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_read_or_named(text in json()) {
        read_everything(&text)?;
        read_everything(&format!("[{text}]"))?;
        read_everything(&format!(r#"{{"messages":[{text}],"conversations":[{text}],"success":true,"data":{text}}}"#))?;
    }

    #[test]
    fn any_wrong_field_is_read_or_named(text in mutated_row()) {
        read_everything(&text)?;
        read_everything(&format!(r#"{{"messages":[{text}],"success":false,"error":{text}}}"#))?;
    }

    #[test]
    fn bodies_that_are_no_json(body in "\\PC{0,40}", status: u16) {
        let _ = Team.parse_page(&body);
        let _ = Team.parse_conversations(&body, &body);
        let _ = Team.parse_created(status, &body, "me");
        let (failure, _) = Team.parse_failure(status, &body);
        prop_assert!(failure.message.starts_with("HTTP "));
    }
}

#[test]
fn deep_nesting_needs_no_stack() {
    let deep = format!(
        "{{\"id\":{}{},\"metadata\":{}1{}}}",
        "[".repeat(90_000),
        "]".repeat(90_000),
        "{\"a\":".repeat(90_000),
        "}".repeat(90_000)
    );
    assert!(matches!(incoming("chat:message_received", &deep), Incoming::Malformed(_)));
    assert!(Team.parse_page(&format!("[{deep}]")).unwrap().malformed.len() == 1);
    assert_eq!(answer(&format!(r#"{{"success":true,"data":{deep}}}"#)), Answer::Stored(None));
}
