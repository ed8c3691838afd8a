//! Any bytes as one frame of Phoenix Channels, text and binary: no panic, and what is read and written again is the same.
#![no_main]

use chatwire::proto::wire::phoenix::{self, Frame, Payload};
use chatwire::proto::wire::{Limits, WireError};
use libfuzzer_sys::fuzz_target;
use shared::memory::{Bound, bounded};

/// Elements of two bytes are the dearest: slices of 16 in vectors that double.
const BOUND: Bound = Bound { per_byte: 48, beside: 512 };

fuzz_target!(|data: &[u8]| {
    bounded(BOUND, data.len(), || {
        match phoenix::decode_binary(data, &Limits::DEFAULT) {
            Ok(frame) => binary_again(data, &frame),
            Err(error) => told(&error),
        }
        let Ok(text) = std::str::from_utf8(data) else { return };
        match phoenix::decode(text, &Limits::DEFAULT) {
            Ok(frame) => text_again(&frame),
            Err(error) => told(&error),
        }
    });
});

fn told(error: &WireError) {
    assert!(
        (1..300).contains(&error.text().len()),
        "what is wrong is said in one sentence: {}",
        error.text()
    );
}

/// What a server would write of it (X10), byte for byte.
fn binary_again(data: &[u8], frame: &Frame<'_>) {
    let (join_ref, reference) =
        (frame.join_ref.as_deref().unwrap_or_default(), frame.reference.as_deref().unwrap_or_default());
    let (topic, event) = (frame.topic.as_ref(), frame.event.as_ref());
    let Payload::Bytes(payload) = frame.payload else { panic!("a binary frame holds bytes") };
    let (kind, names) = match &frame.status {
        Some(status) => (1, vec![join_ref, reference, topic, status.as_ref()]),
        None if data.first() == Some(&0) => (0, vec![join_ref, topic, event]),
        None => (2, vec![topic, event]),
    };
    let mut again = vec![kind];
    again.extend(names.iter().map(|name| name.len() as u8));
    again.extend(names.concat().as_bytes());
    again.extend(payload);
    assert_eq!(again, data, "a binary frame is another one when it is written again");
    // A client's push has one name more: a ref.
    let Ok(push) = phoenix::encode_binary(join_ref, "7", topic, event, payload) else {
        panic!("names that were read fit")
    };
    assert_eq!(push.len(), 6 + join_ref.len() + topic.len() + event.len() + payload.len());
}

fn text_again(frame: &Frame<'_>) {
    let Payload::Json(payload) = frame.payload else { panic!("a text frame holds JSON") };
    let payload = match &frame.status {
        None => payload.get().to_owned(),
        Some(status) => {
            let mut reply = String::from("{\"status\":");
            chatwire::proto::wire::json::push_json_string(&mut reply, status);
            reply + ",\"response\":" + payload.get() + "}"
        }
    };
    let (join_ref, reference) = (frame.join_ref.as_deref(), frame.reference.as_deref());
    let text = phoenix::encode(join_ref, reference, &frame.topic, &frame.event, &payload);
    match phoenix::decode(&text, &Limits::DEFAULT) {
        Ok(again) => assert!(again == *frame, "a text frame is another one when it is written again: {text}"),
        Err(error) => panic!("{text}: {error}"),
    }
}
