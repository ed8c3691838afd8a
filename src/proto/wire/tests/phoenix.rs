//! Phoenix frames by the facts' numbers, and against what real servers and clients have sent.

use proptest::prelude::*;
use serde_json::Value;

use super::super::phoenix::{self, Frame, Payload};
use super::*;

const RECORDED: &str = include_str!("../../../../tests/fixtures/phoenix/v2.jsonl");

/// Of one direction and kind: scenario and data.
fn recorded(dir: &str, kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut frames = Vec::new();
    for line in RECORDED.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        // Of one frame of 100 kB only the beginning was kept.
        if line["dir"] != dir || line["kind"] != kind || line.get("truncated").is_some() {
            continue;
        }
        let data = line["data"].as_str().unwrap();
        let bytes = if kind == "binary" || line.get("encoding").is_some() {
            base64::decode(data).unwrap()
        } else {
            data.as_bytes().to_vec()
        };
        frames.push((line["scenario"].as_str().unwrap().to_owned(), bytes));
    }
    frames
}

fn frame(text: &str) -> Frame<'_> {
    phoenix::decode(text, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn binary(bytes: &[u8]) -> Frame<'_> {
    phoenix::decode_binary(bytes, &Limits::DEFAULT).unwrap_or_else(|error| panic!("{bytes:?}: {error}"))
}

fn json<'a>(frame: &Frame<'a>) -> &'a str {
    match frame.payload {
        Payload::Json(raw) => raw.get(),
        Payload::Bytes(_) => panic!("binary"),
    }
}

fn bytes<'a>(frame: &Frame<'a>) -> &'a [u8] {
    match frame.payload {
        Payload::Bytes(bytes) => bytes,
        Payload::Json(_) => panic!("text"),
    }
}

#[test]
fn x2_every_recorded_text_frame_of_a_server_is_read_and_written_again() {
    let frames = recorded("server", "text");
    assert!(frames.len() > 400, "{}", frames.len());
    let mut odd = 0;
    for (scenario, data) in frames {
        let text = String::from_utf8(data).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let read = match phoenix::decode(&text, &Limits::DEFAULT) {
            Ok(read) => read,
            // A server repeats whatever it was given for a ref or a topic; ours are texts.
            Err(WireError::Field { field, .. }) => {
                assert!(
                    ["ref-types", "heartbeat", "bad-topic-number-join"].contains(&scenario.as_str()),
                    "{scenario}: {field}"
                );
                odd += 1;
                continue;
            }
            Err(error) => panic!("{scenario}: {error}"),
        };
        let payload = match &read.status {
            None => json(&read).to_owned(),
            Some(status) => {
                format!("{{\"status\":{},\"response\":{}}}", serde_json::json!(status), json(&read))
            }
        };
        let again = phoenix::encode(
            read.join_ref.as_deref(),
            read.reference.as_deref(),
            &read.topic,
            &read.event,
            &payload,
        );
        assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), value, "{scenario}");
    }
    assert!((1..20).contains(&odd), "{odd}");
}

#[test]
fn x10_every_recorded_binary_frame_of_a_server_is_read() {
    let frames = recorded("server", "binary");
    assert!(frames.len() >= 18, "{}", frames.len());
    let mut kinds = [0; 3];
    for (scenario, data) in frames {
        let read = phoenix::decode_binary(&data, &Limits::DEFAULT);
        let read = read.unwrap_or_else(|error| panic!("{scenario}: {error}"));
        kinds[usize::from(data[0])] += 1;
        assert_eq!(read.status.is_some(), data[0] == 1, "{scenario}");
        assert_eq!(read.reference.is_some(), data[0] == 1 && data[2] > 0, "{scenario}");
        assert!(!read.topic.is_empty() && !read.event.is_empty(), "{scenario}");
        let names: usize = [3, 4, 2][usize::from(data[0])];
        let sizes: usize = data[1..=names].iter().map(|size| usize::from(*size)).sum();
        assert_eq!(bytes(&read), &data[1 + names + sizes..], "{scenario}");
    }
    assert!(kinds.iter().all(|count| *count > 0), "each shape: {kinds:?}");
}

#[test]
fn x10_every_recorded_binary_push_that_a_server_took_is_written_the_same() {
    let mut written = 0;
    for (scenario, data) in recorded("client", "binary") {
        let bad = scenario.starts_with("binary-bad") || scenario == "js-binary-unicode-topic";
        if bad {
            continue;
        }
        assert_eq!(data[0], 0, "{scenario}");
        let mut at = 5;
        let mut parts = Vec::new();
        for size in &data[1..5] {
            parts.push(std::str::from_utf8(&data[at..at + usize::from(*size)]).unwrap());
            at += usize::from(*size);
        }
        let again = phoenix::encode_binary(parts[0], parts[1], parts[2], parts[3], &data[at..]).unwrap();
        assert_eq!(again, data, "{scenario}");
        written += 1;
    }
    assert!(written >= 20, "{written}");
}

#[test]
fn p2_x2_frames_and_their_refs_are_texts_or_null() {
    let broadcast = frame(r#"[null,null,"room:1","new_msg",{"a":1}]"#);
    assert_eq!((broadcast.join_ref, broadcast.reference, broadcast.status.is_some()), (None, None, false));
    let push = frame(r#"["1",null,"room:1","x",[1,2]]"#);
    assert_eq!((push.join_ref.as_deref(), json(&push)), (Some("1"), "[1,2]"));
    // Behind the fifth there may be more, and blanks anywhere.
    let more = frame(" [ \"1\" , \"2\", \"r\" ,\"e\", null , 6 ] ");
    assert_eq!((more.reference.as_deref(), json(&more)), (Some("2"), "null"));
    for (text, field) in [
        (r#"[1,null,"t","e",{}]"#, "join_ref"),
        (r#"[null,{},"t","e",{}]"#, "ref"),
        (r#"[null,null,7,"e",{}]"#, "topic"),
        (r#"[null,null,"t",null,{}]"#, "event"),
    ] {
        match phoenix::decode(text, &Limits::DEFAULT) {
            Err(WireError::Field { field: wrong, .. }) => assert_eq!(wrong, field),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn x3_any_status_and_any_response_are_read() {
    for (response, status) in [("{}", "ok"), ("[1]", "error"), ("\"x\"", "maybe"), ("null", "ok"), ("7", "")]
    {
        let text = format!(r#"["1","2","t","phx_reply",{{"response":{response},"status":"{status}"}}]"#);
        let reply = frame(&text);
        assert_eq!((reply.status.as_deref(), json(&reply)), (Some(status), response));
    }
    for payload in ["{}", "[]", r#"{"status":1,"response":{}}"#, r#"{"status":"ok"}"#] {
        let text = format!(r#"["1","2","t","phx_reply",{payload}]"#);
        assert!(phoenix::decode(&text, &Limits::DEFAULT).is_err(), "{payload}");
    }
}

#[test]
fn x10_the_four_shapes() {
    let push = phoenix::encode_binary("1", "22", "räum", "ev", &[1, 2]).unwrap();
    assert_eq!(push, [&[0, 1, 2, 5, 2], "122räumev".as_bytes(), &[1, 2]].concat());
    let server = binary(&[&[0_u8, 1, 5, 2][..], "1räumev".as_bytes(), &[7]].concat()).topic.into_owned();
    assert_eq!(server, "räum");
    let bytes_of_reply = [&[1_u8, 1, 2, 5, 5][..], "122räumerror".as_bytes(), &[0, 255]].concat();
    let reply = binary(&bytes_of_reply);
    assert_eq!((reply.event.as_ref(), reply.status.as_deref()), ("phx_reply", Some("error")));
    assert_eq!((reply.reference.as_deref(), bytes(&reply)), (Some("22"), &[0, 255][..]));
    let bytes_of_broadcast = [&[2_u8, 5, 2][..], "räumev".as_bytes()].concat();
    let broadcast = binary(&bytes_of_broadcast);
    assert_eq!(
        (broadcast.join_ref.is_none(), broadcast.event.as_ref(), bytes(&broadcast).len()),
        (true, "ev", 0)
    );

    let long = "é".repeat(128);
    for names in [[&long, "", "", ""], ["", &long, "", ""], ["", "", &long, ""], ["", "", "", &long]] {
        let [join_ref, reference, topic, event] = names;
        assert!(
            phoenix::encode_binary(join_ref, reference, topic, event, b"").is_err(),
            "256 bytes of UTF-8"
        );
    }
    assert!(phoenix::encode_binary("1", "2", &long[..254], "e", b"").is_ok());
}

#[test]
fn what_is_no_frame_says_where() {
    for text in ["", " ", "{}", "7", "null", "[]", r#"["1","2","t","e"]"#, "[", r#"["1","2","t","e",{}]x"#] {
        let error = phoenix::decode(text, &Limits::DEFAULT).expect_err(text);
        assert!(!error.to_string().is_empty(), "{text}");
    }
    for bytes in [&[][..], &[3, 0], &[0], &[0, 9, 0, 0], &[1, 0, 0, 0], &[2, 2, 0, 255, 254], b"[]"] {
        assert!(phoenix::decode_binary(bytes, &Limits::DEFAULT).is_err(), "{bytes:?}");
    }
    let deep = format!("[null,null,\"t\",\"e\",{}{}]", "[".repeat(9), "]".repeat(9));
    assert!(matches!(phoenix::decode(&deep, &LIMITS), Err(WireError::TooDeep { .. })));
    let large = format!("[null,null,\"t\",\"e\",\"{}\"]", "x".repeat(5000));
    assert!(matches!(phoenix::decode(&large, &LIMITS), Err(WireError::TooLarge { max: 4096 })));
    assert!(matches!(phoenix::decode_binary(&[0; 5000], &LIMITS), Err(WireError::TooLarge { max: 4096 })));
    assert_eq!(
        phoenix::decode_binary(&[9], &LIMITS).unwrap_err().to_string(),
        "wrong binary frame at byte 0: it must be 0, 1 or 2: push, reply or broadcast"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_codec_panic(
        text in "\\[?(\"[a-z]{0,2}\"|null|,|[0-9]|\\{\\}|\\]|phx_reply| ){0,14}",
        bytes in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..24),
    ) {
        let _ = phoenix::decode(&text, &LIMITS).map(drop);
        let _ = phoenix::decode_binary(&bytes, &LIMITS).map(drop);
    }

    #[test]
    fn what_is_written_is_read(
        join_ref in prop::option::of("[^\"]{0,4}"),
        reference in prop::option::of(any::<String>()),
        topic in any::<String>(),
        event in "[^p].{0,12}",
        payload in super::properties::json_text(),
    ) {
        let text = phoenix::encode(join_ref.as_deref(), reference.as_deref(), &topic, &event, &payload);
        let read = frame(&text);
        prop_assert_eq!(read.join_ref.as_deref(), join_ref.as_deref());
        prop_assert_eq!(read.reference.as_deref(), reference.as_deref());
        prop_assert_eq!((read.topic.as_ref(), read.event.as_ref(), json(&read)), (topic.as_str(), event.as_str(), payload.as_str()));
    }
}
