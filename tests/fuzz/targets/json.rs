//! Any bytes as JSON, base64 and keys of the store: JSON is what serde_json takes and means the same; what is written is
//! read as the same.
#![no_main]

use chatwire::proto::store::{
    conversation_key, conversation_of, draft_key, head_key, index_key, segment_key,
};
use chatwire::proto::wire::json::{self, Kind, Object, RawValue};
use chatwire::proto::wire::{WireError, base64};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use shared::memory::{Bound, bounded};

/// serde_json's trees are in it: a `Value` of 32 bytes for two of text, in vectors that double, beside our slices of 16.
const BOUND: Bound = Bound { per_byte: 96, beside: 1 << 10 };

/// serde_json nests so deep; we take less of a packet, and any depth of a text.
const MAX_DEPTH: usize = 120;

fuzz_target!(|data: &[u8]| {
    bounded(BOUND, data.len(), || {
        assert_eq!(base64::decode(&base64::encode(data)).as_deref(), Some(data));
        let Ok(text) = std::str::from_utf8(data) else { return };
        if let Some(bytes) = base64::decode(text) {
            assert_eq!(base64::encode(&bytes).trim_end_matches('='), text.trim_end_matches('='));
        }
        key(text);
        quoted(text);
        let opened = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
        match json::parse(text, 0) {
            Ok(_) if opened > MAX_DEPTH => {}
            Ok(ours) => {
                assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "JSON here, not there: {text}");
                // Lone surrogates and numbers beyond a double are let pass here, and are no values there.
                if let Ok(theirs) = serde_json::from_str::<Value>(text) {
                    same(ours, &theirs);
                }
            }
            Err(WireError::Json { at, truncated }) => {
                assert!(at <= text.len() && truncated == (at == text.len()), "byte {at}");
                let theirs = opened <= MAX_DEPTH && serde_json::from_str::<IgnoredAny>(text).is_ok();
                assert!(!theirs, "JSON there, not here: {text}");
            }
            Err(error) => panic!("{error}"),
        }
    });
});

fn same(ours: &RawValue, theirs: &Value) {
    match (json::kind(ours), theirs) {
        (Kind::Null, Value::Null) => {}
        (Kind::Bool, Value::Bool(value)) => assert_eq!(json::boolean(ours), Some(*value)),
        (Kind::String, Value::String(text)) => assert_eq!(json::string(ours).as_deref(), Some(text.as_str())),
        (Kind::Number, Value::Number(number)) => {
            // To serde_json -0 is no whole number.
            if ours.get() != "-0" {
                assert_eq!((json::uint(ours), json::int(ours)), (number.as_u64(), number.as_i64()));
            }
        }
        (Kind::Array, Value::Array(theirs)) => {
            let Some(ours) = json::array(ours) else { panic!("an array") };
            assert_eq!(ours.len(), theirs.len());
            ours.into_iter().zip(theirs).for_each(|(ours, theirs)| same(ours, theirs));
        }
        (Kind::Object, Value::Object(theirs)) => {
            let Some(ours) = Object::read(ours) else { panic!("an object") };
            for (name, value) in theirs {
                let Some(ours) = ours.get(name) else { panic!("no field {name:?}") };
                same(ours, value);
            }
            assert!(ours.iter().all(|(name, _)| theirs.contains_key(name)), "a field that there is not");
        }
        (ours, theirs) => panic!("{ours:?} here, {theirs} there"),
    }
}

/// A text written as JSON is read as itself, here and there.
fn quoted(text: &str) {
    let mut written = String::new();
    json::push_json_string(&mut written, text);
    let Ok(read) = json::parse(&written, 0) else { panic!("{written} is no JSON") };
    assert_eq!(json::string(read).as_deref(), Some(text));
    assert_eq!(serde_json::from_str::<Value>(&written).ok().as_ref().and_then(Value::as_str), Some(text));
}

/// A text as an id in a key, and as a key.
fn key(text: &str) {
    let keys =
        [conversation_key(text), head_key(text), draft_key(text), segment_key(text, 7), index_key(text, 7)];
    for key in keys {
        assert_eq!(conversation_of(&key).as_deref(), Some(text), "{key}");
    }
    if let Some(id) = conversation_of(text) {
        let own =
            [conversation_key(&id), head_key(&id), draft_key(&id), segment_key(&id, 0), index_key(&id, 0)];
        // Whatever stands for the number, eight bytes at the end.
        let head = |key: &str| key.len().checked_sub(8).and_then(|end| key.get(..end)).map(str::to_owned);
        let is_own = |key: &String| key == text || head(key).is_some_and(|own| Some(own) == head(text));
        assert!(own.iter().any(is_own), "{text} is not how a key is written");
    }
}
