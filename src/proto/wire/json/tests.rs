//! Values read in place and written back.

use super::*;
use proptest::prelude::*;

fn raw(text: &str) -> &RawValue {
    parse(text, 0).unwrap()
}

#[test]
fn fields_of_every_kind_are_read_in_place() {
    let object = Object::read(raw(
        r#" {"s":"plain","e":"a\n\"\u00e9\ud83d\ude00","n":18446744073709551615,"t":true,"o":{"k":[1,2]},
            "z":null,"d":1,"d":2} "#,
    ))
    .unwrap();
    assert!(matches!(object.str("s"), Some(Cow::Borrowed("plain"))));
    assert_eq!(object.str("e").unwrap(), "a\n\"é😀");
    assert_eq!(object.u64("n"), Some(u64::MAX));
    assert_eq!(object.bool("t"), Some(true));
    assert_eq!(object.object("o").unwrap().array("k").unwrap().len(), 2);
    assert_eq!(object.get("z").map(kind), Some(Kind::Null));
    assert_eq!(object.u64("d"), Some(2));
    assert_eq!(object.iter().count(), 8);
    assert!(object.get("missing").is_none());
    assert!(object.u64("s").is_none() && object.str("n").is_none() && object.bool("z").is_none());
    assert!(Object::read(raw("[1]")).is_none() && array(raw("{}")).is_none());
}

#[test]
fn numbers_that_are_no_counts_are_none() {
    for text in ["-1", "1.0", "1e3", "18446744073709551616", "-0"] {
        assert_eq!(uint(raw(text)), None, "{text}");
        assert_eq!(kind(raw(text)), Kind::Number);
    }
}

#[test]
fn lone_surrogates_are_survived() {
    assert_eq!(string(raw(r#""a\ud83d""#)).unwrap(), "a\u{fffd}");
    assert_eq!(string(raw(r#""\ud83d\u0041\udc00b""#)).unwrap(), "\u{fffd}A\u{fffd}b");
    assert_eq!(string(raw(r#""\ud83d\ud83d\ude00""#)).unwrap(), "\u{fffd}😀");
    assert_eq!(string(raw(r#""\ud800\udc00\udbff\udfff""#)).unwrap(), "\u{10000}\u{10ffff}");
    assert_eq!(Object::read(raw(r#"{"\ud83d":1}"#)).unwrap().u64("\u{fffd}"), Some(1));
}

#[test]
fn errors_point_into_the_frame() {
    assert_eq!(parse("[1,\n x]", 10).unwrap_err(), WireError::Json { at: 15, truncated: false });
    assert!(matches!(parse("[1,", 2), Err(WireError::Json { truncated: true, .. })));
    assert!(parse("1 2", 0).is_err() && parse("", 0).is_err());
}

#[test]
fn skipping_deep_values_needs_no_stack() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(Object::read(raw(&deep)).unwrap().get("a").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strings_are_written_as_serde_json_does_and_read_back(text in any::<String>()) {
        let mut out = String::new();
        push_json_string(&mut out, &text);
        prop_assert_eq!(&out, &serde_json::to_string(&text).unwrap());
        prop_assert_eq!(string(raw(&out)).unwrap(), text);
    }

    #[test]
    fn control_characters_too(text in "[\\x00-\\x22\\\\\\x7f\u{e9}]{0,20}") {
        let mut out = String::new();
        push_json_string(&mut out, &text);
        prop_assert_eq!(&out, &serde_json::to_string(&text).unwrap());
        prop_assert_eq!(string(raw(&out)).unwrap(), text);
    }

    #[test]
    fn numbers_are_written_in_decimal(number in any::<u64>()) {
        let mut out = String::new();
        push_uint(&mut out, number);
        prop_assert_eq!(out, number.to_string());
    }
}

/// Texts that are nearly JSON: pieces of it in any order.
fn nearly_json() -> impl Strategy<Value = String> {
    const PIECES: [&str; 40] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"k\":",
        "\\",
        "\\u",
        "\\ud83d",
        "\\n",
        "\\x",
        "0",
        "-",
        "1",
        "01",
        "1.",
        ".5",
        "1e5",
        "E+",
        "e",
        "true",
        "false",
        "null",
        "nul",
        " ",
        "\n",
        "\t",
        "\u{1}",
        "\u{a0}",
        "é",
        "😀",
        "/",
        "'",
        "{}",
        "[]",
        "1.5e-3",
        "\"\\u12G4\"",
    ];
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_json_is_what_serde_json_takes_for_it(text in nearly_json()) {
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        prop_assert_eq!(parse(&text, 0).is_ok(), theirs.is_ok());
    }

    #[test]
    fn what_is_plain_is_found_eight_at_a_time_as_one_at_a_time(bytes in prop::collection::vec(prop::sample::select(&b"\x00\x1f\x20\x21\"\\]aZ\x7f\x80\xa2\xdc\xff"[..]), 0..40), plain in 0_usize..24) {
        let bytes = [vec![b'x'; plain], bytes].concat();
        let is_mark = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
        prop_assert_eq!(plain_len(&bytes), bytes.iter().position(is_mark).unwrap_or(bytes.len()));
    }

    #[test]
    fn what_serde_json_writes_is_read(value in any_json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            assert_same(parse(&text, 0).unwrap(), &value);
        }
    }
}

/// Cut and unescaped to the last leaf.
fn assert_same(raw: &RawValue, value: &serde_json::Value) {
    use serde_json::Value as V;
    match value {
        V::Array(items) => {
            let parts = array(raw).unwrap();
            assert_eq!(parts.len(), items.len(), "{}", raw.get());
            for (part, item) in parts.into_iter().zip(items) {
                assert_same(part, item);
            }
        }
        V::Object(fields) => {
            let object = Object::read(raw).unwrap();
            assert_eq!(object.iter().count(), fields.len(), "{}", raw.get());
            for (name, field) in fields {
                assert_same(object.get(name).unwrap(), field);
            }
        }
        V::String(text) => assert_eq!(string(raw).unwrap(), text.as_str()),
        V::Null | V::Bool(_) | V::Number(_) => {
            assert_eq!(raw.get(), value.to_string());
        }
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn depth_is_no_danger() {
    let deep = "[".repeat(1_000_000);
    assert_eq!(parse(&deep, 0).unwrap_err(), WireError::Json { at: 1_000_000, truncated: true });
    assert!(parse(&[deep, "]".repeat(1_000_000)].concat(), 0).is_ok());
}
