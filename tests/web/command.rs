//! Commands as the package writes them.

use chatwire::proto::{Command, ErrorCode};
use chatwire::web::command::parse;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn every_command_is_read() {
    let debug = |text: &str| format!("{:?}", parse(text).unwrap());
    let plain = [
        (r#"{"connect":{}}"#, "Connect"),
        (r#"{"disconnect":{}}"#, "Disconnect"),
        (r#"{"close":{}}"#, "Close"),
        (r#"{"outbox":{}}"#, "Outbox"),
        (r#"{"wipe":{}}"#, "Wipe"),
        (r#"{"acknowledged":{"key":"k"}}"#, r#"Acknowledged { key: "k" }"#),
        (r#"{"cancel":{"key":"k"}}"#, r#"Cancel { key: "k" }"#),
        (r#"{"resend":{"key":"k"}}"#, r#"Resend { key: "k" }"#),
        (r#"{"discard":{"key":"k"}}"#, r#"Discard { key: "k" }"#),
        (
            r#"{"openTimeline":{"view":7,"conversationId":"c"}}"#,
            r#"OpenTimeline { view: 7, conversation_id: "c" }"#,
        ),
        (r#"{"closeTimeline":{"view":7}}"#, "CloseTimeline { view: 7 }"),
        (r#"{"loadEarlier":{"view":7,"count":50}}"#, "LoadEarlier { view: 7, count: 50 }"),
        (
            r#"{"setTyping":{"conversationId":"c","typing":true}}"#,
            r#"SetTyping { conversation_id: "c", typing: true }"#,
        ),
        (
            r#"{"markRead":{"conversationId":"c","rowKey":"r"}}"#,
            r#"MarkRead { conversation_id: "c", row_key: "r" }"#,
        ),
        (
            r#"{"edit":{"rowKey":"r","text":"four"}}"#,
            r#"Change(ChangeCommand { kind: Edit, row_key: "r", text: 4 bytes })"#,
        ),
        (
            r#"{"remove":{"rowKey":"r"}}"#,
            r#"Change(ChangeCommand { kind: Remove, row_key: "r", text: 0 bytes })"#,
        ),
        (
            r#"{"react":{"rowKey":"r","emoji":"+"}}"#,
            r#"Change(ChangeCommand { kind: React, row_key: "r", text: 1 bytes })"#,
        ),
        (
            r#"{"unreact":{"rowKey":"r","emoji":"+"}}"#,
            r#"Change(ChangeCommand { kind: Unreact, row_key: "r", text: 1 bytes })"#,
        ),
        (
            r#"{"forward":{"rowKey":"r","conversationId":"c"}}"#,
            r#"Forward { row_key: "r", conversation_id: "c" }"#,
        ),
        (r#"{"createDirect":{"userId":"u"}}"#, r#"CreateDirect { user_id: "u" }"#),
        (
            r#"{"createGroup":{"title":"t","members":["a","b"]}}"#,
            r#"CreateGroup { title: "t", members: ["a", "b"] }"#,
        ),
    ];
    for (text, expected) in plain {
        assert_eq!(debug(text), expected);
    }
}

#[wasm_bindgen_test]
fn a_send_keeps_its_text_and_metadata_as_they_are() {
    let text = r#"{"send":{"conversationId":"c","text":"a\n\"b\" 😀 \ud83d\ude00","type":"image",
        "metadata":{"n": [1, 2.50]},"replyTo":"r","ttlMs":60000,"key":"k"}}"#;
    let Command::Send(send) = parse(text).unwrap() else { panic!("not a send") };
    assert_eq!(send.text, "a\n\"b\" 😀 😀");
    assert_eq!(send.metadata.as_ref().map(|json| json.text()), Some(r#"{"n": [1, 2.50]}"#));
    assert_eq!((send.kind.as_deref(), send.reply_to.as_deref()), (Some("image"), Some("r")));
    assert_eq!((send.ttl_ms, send.key.as_deref()), (Some(60_000), Some("k")));

    let Command::Send(send) = parse(r#"{"send":{"conversationId":"c","text":"","key":null}}"#).unwrap()
    else {
        panic!("not a send")
    };
    assert!(send.metadata.is_none() && send.kind.is_none() && send.ttl_ms.is_none() && send.key.is_none());
}

#[wasm_bindgen_test]
fn a_wire_send_keeps_its_arguments() {
    let text = r#"{"wireSend":{"event":"request_photo","json":[{"a":1},null],"attachments":["AQI="],"ack":true,"timeoutMs":100}}"#;
    let Command::WireSend { event, topic, payload, ack, timeout_ms } = parse(text).unwrap() else {
        panic!("not wireSend")
    };
    assert_eq!(
        (event.as_str(), topic.as_str(), payload.json.text(), ack, timeout_ms),
        ("request_photo", "", r#"[{"a":1},null]"#, true, Some(100))
    );
    assert_eq!(payload.attachments, [[1, 2]]);
    let text = r#"{"wireAnswer":{"ackId":7,"json":[]}}"#;
    let Command::WireAnswer { ack_id, payload } = parse(text).unwrap() else { panic!("not wireAnswer") };
    assert_eq!((ack_id, payload.json.text(), payload.attachments.len()), (7, "[]", 0));
}

#[wasm_bindgen_test]
fn a_topic_is_wanted_with_parameters_and_let_go_without() {
    for (params, expected) in [(r#"{"room":7}"#, Some(r#"{"room":7}"#)), ("null", None)] {
        let text = format!(r#"{{"wireTopic":{{"topic":"/a","params":{params}}}}}"#);
        let Command::WireTopic { topic, params } = parse(&text).unwrap() else { panic!("not wireTopic") };
        assert_eq!((topic.as_str(), params.as_ref().map(|json| json.text())), ("/a", expected));
    }
}

#[wasm_bindgen_test]
fn what_is_wrong_is_named_and_no_value_is_repeated() {
    let wrong = [
        ("", "a command is a JSON object"),
        ("[]", "a command is a JSON object"),
        (r#"{"connect":{}"#, "a command is a JSON object"),
        ("{}", "one field"),
        (r#"{"connect":{},"close":{}}"#, "one field"),
        (r#"{"connect":"secret"}"#, "command `connect`: its fields must be an object"),
        (r#"{"dance":{}}"#, "command `dance`: there is no such command"),
        (r#"{"send":{"text":"secret"}}"#, "command `send`: field `conversationId` is missing"),
        (r#"{"send":{"conversationId":["secret"],"text":""}}"#, "field `conversationId` must be a string"),
        (r#"{"send":{"conversationId":"c","text":"","ttlMs":-5}}"#, "field `ttlMs` must be a whole number"),
        (r#"{"loadEarlier":{"view":1,"count":4294967296}}"#, "field `count` must be a whole number"),
        (r#"{"setTyping":{"conversationId":"c","typing":"secret"}}"#, "field `typing` must be true or false"),
        (r#"{"createGroup":{"title":"t","members":["a",1]}}"#, "field `members` must be an array of strings"),
        (r#"{"wireSend":{"event":"e","ack":true}}"#, "field `json` is missing"),
    ];
    for (text, expected) in wrong {
        let failure = parse(text).unwrap_err();
        assert_eq!(failure.code, ErrorCode::Validation, "{text}");
        assert!(failure.message.contains(expected), "{text}: {}", failure.message);
        assert!(!failure.message.contains("secret"), "{}", failure.message);
    }
}
