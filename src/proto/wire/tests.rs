//! The facts of Socket.IO packets by their numbers.

mod phoenix;
mod properties;
mod typed;

use super::json;
use super::socket_io::*;
use super::*;
use crate::proto::wire::json::RawValue;

const LIMITS: Limits = Limits { max_packet_bytes: 4096, max_attachments: 4, max_elements: 8, max_depth: 6 };

/// Frames of every type, without the `4` of Engine.IO.
const VALID: [&str; 16] = [
    "0",
    r#"0{"sid":"oSO0OpakMV_3jnilAAAA","pid":"x"}"#,
    r#"0/admin,{"sid":"é😀"}"#,
    "1",
    "1/admin,",
    r#"2["hello"]"#,
    r#"2["hello",1,{"a":[true,null]},"x"]"#,
    r#"2/admin,456["project:delete",123]"#,
    "2[42,\"numeric\"]",
    "3456[]",
    r#"3/admin,0["ok",{"success":true}]"#,
    r#"4{"message":"Not authorized","data":{"code":"AuthError"}}"#,
    r#"4/admin,"refused""#,
    r#"51-["blob",{"_placeholder":true,"num":0}]"#,
    r#"52-/admin,7["two",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
    r#"61-/admin,456[{"_placeholder":true,"num":0}]"#,
];

fn packet(text: &str) -> Packet<'_> {
    decode(text, &LIMITS).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> WireError {
    decode(text, &LIMITS).expect_err(text)
}

fn texts<'a>(args: &[&'a RawValue]) -> Vec<&'a str> {
    args.iter().map(|arg| arg.get()).collect()
}

/// A decoded event, flat: namespace, ack id, name, arguments, attachments.
type Flat<'a> = (&'a str, Option<u64>, String, Vec<&'a str>, Option<usize>);

fn event(text: &str) -> Flat<'_> {
    match packet(text) {
        Packet::Event { ns, ack_id, name, args, attachments } => {
            (ns, ack_id, name.as_str().to_owned(), texts(&args), attachments)
        }
        other => panic!("{text}: {other:?}"),
    }
}

fn ack(text: &str) -> (&str, u64, Vec<&str>, Option<usize>) {
    match packet(text) {
        Packet::Ack { ns, id, args, attachments } => (ns, id, texts(&args), attachments),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn e4_connect_is_always_written_and_carries_the_auth() {
    assert_eq!(encode_connect("/", None), "40");
    assert_eq!(encode_connect("/", Some(r#"{"token":"t"}"#)), r#"40{"token":"t"}"#);
    assert_eq!(encode_connect("/ns", None), "40/ns,");
    assert_eq!(encode_connect("/ns", Some(r#"{"token":"t"}"#)), r#"40/ns,{"token":"t"}"#);
    assert_eq!(encode_disconnect("/"), "41");
    assert_eq!(encode_disconnect("/ns"), "41/ns,");
}

#[test]
fn e4_connect_replies_carry_an_object_or_nothing() {
    for (text, expected_ns, expected) in [
        ("0", "/", None),
        (r#"0{"sid":"a"}"#, "/", Some(r#"{"sid":"a"}"#)),
        (r#"0/ns,{"sid":"a"}"#, "/ns", Some(r#"{"sid":"a"}"#)),
        ("0/ns", "/ns", None),
    ] {
        let Packet::Connect { ns, payload } = packet(text) else { panic!("{text}") };
        assert_eq!((ns, payload.map(RawValue::get)), (expected_ns, expected));
    }
    for text in ["0[]", "0\"a\"", "0null", "0/ns,true"] {
        assert!(matches!(refused(text), WireError::Payload { packet: "CONNECT", .. }), "{text}");
    }
}

#[test]
fn e5_the_order_is_type_attachments_namespace_ack_json() {
    assert_eq!(event(r#"2["a",1]"#), ("/", None, "a".into(), vec!["1"], None));
    assert_eq!(event(r#"2/n,12["a",{"b":[1]}]"#), ("/n", Some(12), "a".into(), vec![r#"{"b":[1]}"#], None));
    assert_eq!(event(r#"50-/n,12["a"]"#), ("/n", Some(12), "a".into(), vec![], Some(0)));
    assert_eq!(event(r#"2/,["a"]"#).0, "/");
    assert_eq!(ack(r#"3/n,007[1,"x"]"#), ("/n", 7, vec!["1", "\"x\""], None));
    assert_eq!(ack("30[]").1, 0);
    assert!(matches!(packet("1/n,"), Packet::Disconnect { ns: "/n" }));
    assert!(matches!(packet("1/n"), Packet::Disconnect { ns: "/n" }));
    // An ack id before the namespace is none: what follows the digits is no array.
    assert!(matches!(refused(r#"212/n,["a"]"#), WireError::Payload { .. }));
    assert_eq!(refused(r#"5["a"]"#), WireError::Attachments { at: 1 });
    assert_eq!(refused(r#"5-["a"]"#), WireError::Attachments { at: 1 });
    assert_eq!(refused("51"), WireError::Attachments { at: 1 });
    assert_eq!(refused(""), WireError::Empty { layer: "Socket.IO" });
    for text in ["7", "9[]", "x", "é", "[]", " 2[\"a\"]", "\u{0}"] {
        assert_eq!(refused(text), WireError::UnknownType { layer: "Socket.IO" }, "{text}");
    }
}

#[test]
fn e5_arguments_are_slices_of_the_packet() {
    let text = r#"2["a", {"long":"value"} ]"#;
    let Packet::Event { args, .. } = packet(text) else { panic!() };
    let arg = args[0].get();
    assert_eq!(arg, r#"{"long":"value"}"#);
    assert!(text.as_bytes().as_ptr_range().contains(&arg.as_ptr()));
}

#[test]
fn e5_an_event_is_named_by_a_number_or_a_string_that_is_not_reserved() {
    assert_eq!(event("2[7]").2, "7");
    assert_eq!(event("2[-1.5e3,2]").2, "-1.5e3");
    assert!(matches!(packet("2[7]"), Packet::Event { name: EventName::Number("7"), .. }));
    assert_eq!(event(r#"2[""]"#).2, "");
    assert_eq!(event(r#"2["m\u00e9\n"]"#).2, "mé\n");
    assert_eq!(event(r#"2["connected"]"#).2, "connected");
    for name in RESERVED_EVENTS {
        assert!(socket_io::is_reserved(name));
        assert_eq!(refused(&format!("2[\"{name}\"]")), WireError::EventName { at: 1 });
        assert_eq!(refused(&format!("51-/n,1[\"{name}\"]")), WireError::EventName { at: 7 });
    }
    assert_eq!(refused(r#"2["conn\u0065ct"]"#), WireError::EventName { at: 1 });
    for text in ["2[null]", "2[{}]", "2[[\"a\"]]", "2[true]"] {
        assert_eq!(refused(text), WireError::EventName { at: 1 }, "{text}");
    }
    for text in ["2", "2[]", "2{}", "2\"a\"", "21", "2/ns", "2null"] {
        assert!(matches!(refused(text), WireError::Payload { packet: "EVENT", .. }), "{text}");
    }
}

#[test]
fn e5_ack_ids_are_exact_or_refused() {
    let last = format!("3{MAX_ACK_ID}[]");
    assert_eq!(ack(&last).1, 9_007_199_254_740_991);
    for id in ["9007199254740992", "18446744073709551616", "99999999999999999999999999"] {
        assert!(matches!(refused(&format!("3{id}[]")), WireError::AckId { at: 1, .. }), "{id}");
        assert!(matches!(refused(&format!("2/n,{id}[\"a\"]")), WireError::AckId { at: 4, .. }), "{id}");
    }
    assert!(matches!(refused("3[]"), WireError::AckId { at: 1, .. }));
    assert!(matches!(refused("3-1[]"), WireError::Payload { .. }));
    assert!(matches!(refused("01{}"), WireError::AckId { .. }));
    assert!(matches!(refused("11"), WireError::AckId { .. }));
    assert!(matches!(refused("4/n,1{}"), WireError::AckId { at: 4, .. }));
    for text in ["31", "31{}", "31null", "31\"a\""] {
        assert!(matches!(refused(text), WireError::Payload { packet: "ACK", .. }), "{text}");
    }
}

#[test]
fn e5_connect_errors_and_disconnects_carry_what_they_may() {
    for (text, expected) in
        [(r#"4{"message":"m"}"#, Some(r#"{"message":"m"}"#)), ("4\"m\"", Some("\"m\"")), ("4", None)]
    {
        let Packet::ConnectError { ns: "/", payload } = packet(text) else { panic!("{text}") };
        assert_eq!(payload.map(RawValue::get), expected);
    }
    assert!(matches!(refused("4[]"), WireError::Payload { packet: "CONNECT_ERROR", at: 1, .. }));
    assert!(matches!(refused("1{}"), WireError::Payload { packet: "DISCONNECT", at: 1, .. }));
}

#[test]
fn e5_nesting_is_bounded_at_the_limit_exactly() {
    let nested = |levels: usize| format!("2[\"a\",{}1{}]", "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(event(&nested(6)).3.len(), 1);
    assert_eq!(refused(&nested(7)), WireError::TooDeep { at: 11, max: 6 });
    assert!(matches!(refused(&"[".repeat(1000).replacen('[', "2[", 1)), WireError::TooDeep { .. }));
    assert_eq!(event(r#"2["a","[[[[[[[[[[ \" [[[[[["]"#).3.len(), 1);
    // An escaped backslash does not escape the quote after it.
    assert_eq!(refused(r#"2["\\",[[[[[[1]]]]]]]"#), WireError::TooDeep { at: 12, max: 6 });
    // What the default limit lets through, serde_json can parse further.
    let deepest = nested(Limits::DEFAULT.max_depth);
    let Ok(Packet::Event { args, .. }) = decode(&deepest, &Limits::DEFAULT) else { panic!() };
    assert!(serde_json::from_str::<serde_json::Value>(args[0].get()).is_ok());
    let too_deep = nested(Limits::DEFAULT.max_depth + 1);
    assert!(matches!(decode(&too_deep, &Limits::DEFAULT), Err(WireError::TooDeep { max: 100, .. })));
    assert!(
        serde_json::from_str::<serde_json::Value>(&format!("{}{}", "[".repeat(128), "]".repeat(128)))
            .is_err()
    );
}

#[test]
fn e5_elements_and_bytes_are_bounded() {
    assert_eq!(event("2[\"a\",1,2,3,4,5,6,7]").3.len(), 7);
    assert!(matches!(refused("2[\"a\",1,2,3,4,5,6,7,8]"), WireError::TooManyElements { max: 8, .. }));
    let inner = format!("2[\"a\",[{}1]]", "1,".repeat(100));
    assert_eq!(event(&inner).3.len(), 1);
    assert!(matches!(
        refused(&format!("2[\"a\",\"{}\"]", "x".repeat(4096))),
        WireError::TooLarge { max: 4096 }
    ));
}

#[test]
fn e5_malformed_json_says_where() {
    assert_eq!(refused("2/n,1[\"a\",]"), WireError::Json { at: 10, truncated: false });
    assert!(matches!(refused("2[\"a\""), WireError::Json { truncated: true, .. }));
    for text in
        [r#"2["a"]]"#, r#"2["a"] x"#, "2[\"a\u{1}\"]", r#"2["\x"]"#, "2['a']", "2[01]", "0{\"a\"}", "0{1:2}"]
    {
        assert!(matches!(refused(text), WireError::Json { .. }), "{text}");
    }
}

#[test]
fn e5_namespaces_are_checked_before_use() {
    for ns in ["/", "/team", "/team/a", "/é"] {
        assert_eq!(check_namespace(ns), Ok(()));
    }
    for ns in ["", "team", "/a,b"] {
        assert_eq!(check_namespace(ns), Err(WireError::Namespace));
    }
}

#[test]
fn e6_a_binary_packet_is_complete_with_its_last_frame() {
    let mut assembler = Assembler::new(LIMITS);
    let text = r#"52-/n,3["files",{"_placeholder":true,"num":1},{"num":0,"_placeholder":true},{"num":0}]"#;
    assert!(assembler.on_text(text).unwrap().is_none());
    assert_eq!(assembler.missing(), 2);
    // A binary frame has no type byte (E3): one that begins like a frame of text is data as well.
    assert!(assembler.on_binary(b"42[]".to_vec()).unwrap().is_none());
    let whole = assembler.on_binary(Vec::new()).unwrap().unwrap();
    assert_eq!(assembler.missing(), 0);
    let Packet::Event { ns: "/n", ack_id: Some(3), name, args, attachments: Some(2) } =
        whole.packet().unwrap()
    else {
        panic!()
    };
    assert_eq!(name.as_str(), "files");
    assert_eq!(whole.attachment(args[0]).unwrap(), Some(&b""[..]));
    assert_eq!(whole.attachment(args[1]).unwrap(), Some(&b"42[]"[..]));
    assert_eq!(whole.attachment(args[2]).unwrap(), None);
    assert_eq!(whole.attachments().len(), 2);
    // The next packet begins afresh.
    assert!(assembler.on_text("2[\"a\"]").unwrap().is_some());
}

#[test]
fn e6_acks_may_be_binary_too() {
    let mut assembler = Assembler::new(LIMITS);
    assert!(assembler.on_text(r#"61-9[{"_placeholder":true,"num":0}]"#).unwrap().is_none());
    let whole = assembler.on_binary(vec![1, 2]).unwrap().unwrap();
    let Packet::Ack { ns: "/", id: 9, args, attachments: Some(1) } = whole.packet().unwrap() else {
        panic!()
    };
    assert_eq!(whole.attachment(args[0]).unwrap(), Some(&[1, 2][..]));
}

#[test]
fn e6_text_between_is_an_error_and_a_stray_binary_frame_too() {
    let mut assembler = Assembler::new(LIMITS);
    assert_eq!(assembler.on_binary(vec![1]).unwrap_err(), WireError::UnexpectedBinary);
    assembler.on_text("52-[\"a\"]").unwrap();
    assembler.on_binary(vec![1]).unwrap();
    assert_eq!(assembler.on_text("2[\"b\"]").unwrap_err(), WireError::TextBetween { missing: 1 });
    assert_eq!(assembler.on_binary(vec![2]).unwrap_err(), WireError::UnexpectedBinary);
    assembler.on_text("51-[\"a\"]").unwrap();
    assembler.reset();
    assert_eq!(assembler.missing(), 0);
    assert!(assembler.on_text("2[\"b\"]").unwrap().is_some());
}

#[test]
fn e6_no_attachments_is_legal_and_complete_at_once() {
    let mut assembler = Assembler::new(LIMITS);
    let packet = assembler.on_text(r#"50-["a",{"_placeholder":true,"num":0}]"#).unwrap();
    let Some(Packet::Event { args, attachments: Some(0), .. }) = packet else { panic!() };
    assert_eq!(placeholder_index(args[0], 0), Err(WireError::Placeholder { attachments: 0 }));
    assert_eq!(assembler.on_binary(vec![1]).unwrap_err(), WireError::UnexpectedBinary);
    assert!(matches!(assembler.on_text("60-1[]"), Ok(Some(Packet::Ack { id: 1, .. }))));
}

#[test]
fn e6_attachments_are_bounded_in_number_and_bytes() {
    let mut assembler = Assembler::new(LIMITS);
    assert!(assembler.on_text("54-[\"a\"]").unwrap().is_none());
    assembler.reset();
    for text in ["55-[\"a\"]", "599999999999999999999999-[\"a\"]", "618446744073709551615-1[]"] {
        assert_eq!(assembler.on_text(text).unwrap_err(), WireError::TooManyAttachments { max: 4 }, "{text}");
    }
    assembler.on_text("52-[\"a\"]").unwrap();
    assembler.on_binary(vec![0; 4096 - 8]).unwrap();
    assert_eq!(assembler.on_binary(vec![0]).unwrap_err(), WireError::TooLarge { max: 4096 });
    assert_eq!(assembler.missing(), 0);
}

#[test]
fn e6_placeholders_are_checked() {
    let index = |text, attachments| placeholder_index(json::parse(text, 0).unwrap(), attachments);
    assert_eq!(index(r#"{"_placeholder":true,"num":1}"#, 2), Ok(Some(1)));
    for text in ["1", "null", "[]", "{}", r#""_placeholder""#, r#"{"_placeholder":false,"num":0}"#] {
        assert_eq!(index(text, 2), Ok(None), "{text}");
    }
    for num in ["2", "-1", "0.5", "\"0\"", "null", "99999999999999999999"] {
        let text = format!("{{\"_placeholder\":true,\"num\":{num}}}");
        assert_eq!(
            placeholder_index(json::parse(&text, 0).unwrap(), 2),
            Err(WireError::Placeholder { attachments: 2 })
        );
    }
    assert!(index(r#"{"_placeholder":true}"#, 2).is_err());
}

#[test]
fn e6_binary_packets_are_written_with_their_placeholders() {
    let mut placeholder = String::new();
    push_placeholder(&mut placeholder, 0);
    assert_eq!(
        encode_binary_event("/", None, "blob", &["7", &placeholder], 1),
        r#"451-["blob",7,{"_placeholder":true,"num":0}]"#
    );
    assert_eq!(
        encode_binary_event("/n", Some(5), "blob", &[&placeholder], 1),
        r#"451-/n,5["blob",{"_placeholder":true,"num":0}]"#
    );
    assert_eq!(encode_binary_ack("/n", 5, &[&placeholder], 1), r#"461-/n,5[{"_placeholder":true,"num":0}]"#);
}

#[test]
fn e11_the_trailing_offset_stays_in_the_arguments() {
    assert_eq!(event(r#"2["a",{},"offset"]"#).3, ["{}", "\"offset\""]);
}

#[test]
fn every_truncation_is_an_error_or_a_packet_without_payload() {
    for text in VALID {
        packet(text);
        for (end, _) in text.char_indices() {
            let cut = &text[..end];
            match decode(cut, &LIMITS) {
                Err(_) => {}
                Ok(Packet::Connect { payload: None, .. } | Packet::ConnectError { payload: None, .. }) => {}
                Ok(Packet::Disconnect { .. }) => assert!(text.starts_with('1')),
                Ok(other) => panic!("{cut}: {other:?}"),
            }
        }
    }
}

#[test]
fn errors_and_debug_output_hold_nothing_of_the_frame() {
    for text in [r#"2["hunter2""#, r#"2[{"hunter2":1}]"#, "hunter2", r#"0"hunter2""#, "2/hunter2,hunter2"] {
        let error = refused(text);
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
    }
    assert_eq!(format!("{:?}", packet(r#"2["hunter2"]"#)), "Event");
}
