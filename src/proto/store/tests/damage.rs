//! Whatever a database holds becomes a value or an error.

use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::{self, CONVERSATION};
use crate::proto::store::*;

const KINDS: [RecordKind; 9] = [
    RecordKind::Generation,
    RecordKind::Capabilities,
    RecordKind::OutboxRow,
    RecordKind::Conversation,
    RecordKind::History,
    RecordKind::Segment,
    RecordKind::Index,
    RecordKind::Settings,
    RecordKind::Orphans,
];

/// Every decoder over the same bytes.
fn decode_all(bytes: &[u8]) -> Vec<Result<(), RecordError>> {
    vec![
        decode_generation(bytes).map(drop),
        decode_capabilities(bytes).map(drop),
        decode_outbox_row(bytes).map(drop),
        decode_conversation(bytes).map(drop),
        decode_head(bytes).map(drop),
        decode_segment(bytes, CONVERSATION, 300).map(drop),
        decode_index(bytes).map(drop),
        Reader::first(bytes, |r| drop(decode_message(r, CONVERSATION))),
    ]
}

#[test]
fn every_change_of_one_byte_is_seen() {
    for sample in samples::all() {
        for at in 0..sample.bytes.len() {
            for flip in 1..=u8::MAX {
                let mut bytes = sample.bytes.clone();
                bytes[at] ^= flip;
                let error = (sample.decodes)(&bytes).expect_err(sample.name);
                let expected = match at {
                    0 | 1 => error == RecordError::NotARecord,
                    12..16 => {
                        error == RecordError::Truncated
                            || error == RecordError::Malformed { what: "bytes after the payload" }
                    }
                    _ => error == RecordError::Checksum,
                };
                assert!(expected, "{} byte {at} flipped by {flip}: {error}", sample.name);
            }
        }
    }
}

#[test]
fn every_truncation_is_seen() {
    for sample in samples::all() {
        for length in 0..sample.bytes.len() {
            let error = (sample.decodes)(&sample.bytes[..length]).expect_err(sample.name);
            let expected = if length < 2 { RecordError::NotARecord } else { RecordError::Truncated };
            assert_eq!(error, expected, "{} cut to {length}", sample.name);
            let version = record_version(&sample.bytes[..length]);
            assert_eq!(version.is_some(), length >= HEADER_BYTES, "{} cut to {length}", sample.name);
        }
    }
}

#[test]
fn a_byte_too_many_is_seen() {
    for sample in samples::all() {
        let outside = [&sample.bytes[..], &[0]].concat();
        let error = RecordError::Malformed { what: "bytes after the payload" };
        assert_eq!((sample.decodes)(&outside), Err(error), "{}", sample.name);
        let inside = seal(sample.kind, 1, &[&sample.bytes[HEADER_BYTES..], &[0]].concat());
        let error = RecordError::Malformed { what: "bytes after the last field" };
        assert_eq!((sample.decodes)(&inside), Err(error), "{}", sample.name);
    }
}

#[test]
fn a_payload_cut_short_under_a_good_checksum_is_malformed() {
    for sample in samples::all() {
        let payload = &sample.bytes[HEADER_BYTES..];
        for length in 0..payload.len() {
            let error = (sample.decodes)(&seal(sample.kind, 1, &payload[..length])).expect_err(sample.name);
            assert!(
                matches!(error, RecordError::Malformed { .. }),
                "{} cut to {length}: {error}",
                sample.name
            );
        }
    }
}

#[test]
fn another_kind_is_refused() {
    for sample in samples::all() {
        for kind in KINDS.into_iter().filter(|kind| *kind != sample.kind) {
            let bytes = seal(kind, 1, &sample.bytes[HEADER_BYTES..]);
            let error = RecordError::WrongKind { expected: sample.kind, found: kind as u8 };
            assert_eq!((sample.decodes)(&bytes), Err(error));
        }
    }
}

#[test]
fn unknown_numbers_are_malformed() {
    let message = |sender: u8, status: u8| {
        let mut w = Writer::new();
        w.varint(0);
        w.str("row");
        w.str("user");
        w.u8(sender);
        w.str("text");
        w.str("hello");
        w.i64(0);
        w.u8(status);
        Reader::first(w.as_slice(), |r| drop(decode_message(r, CONVERSATION)))
    };
    let malformed = |what| Err(RecordError::Malformed { what });
    assert_eq!(message(3, 6), Ok(()));
    assert_eq!(message(4, 6), malformed("unknown sender number"));
    assert_eq!(message(3, 7), malformed("unknown status number"));

    let flags = |flags: u64| {
        let mut w = Writer::new();
        w.varint(flags);
        for _ in 0..16 {
            w.u8(0);
        }
        Reader::first(w.as_slice(), |r| drop(decode_message(r, CONVERSATION)))
    };
    assert_eq!(flags(0), Ok(()));
    assert_eq!(flags(1 << 14), malformed("unknown flags of a message"));
    for without_target in [1 << 2, 1 << 3, 0b1111] {
        assert_eq!(flags(without_target), malformed("row key of a key or id that is not there"));
    }

    for odd in [[9, 0, 0, 0, 0], [0, 3, 0, 0, 0]] {
        let capability = seal(RecordKind::Capabilities, 1, &odd);
        assert_eq!(decode_capabilities(&capability).map(drop), malformed("a capability must be 0, 1 or 2"));
    }
    let truth = seal(RecordKind::Capabilities, 1, &[0, 0, 0, 0, 2]);
    assert_eq!(decode_capabilities(&truth).map(drop), malformed("a truth value must be 0 or 1"));
}

#[test]
fn a_field_that_is_no_text_or_no_json_is_malformed() {
    let mut row = samples::outbox_row();
    row.text = "MARK".into();
    let bytes = encode_outbox_row(1, &row);
    let replace = |from: &[u8], to: &[u8]| {
        let mut payload = bytes[HEADER_BYTES..].to_vec();
        let at = payload.windows(from.len()).position(|window| window == from).unwrap();
        payload[at..at + to.len()].copy_from_slice(to);
        decode_outbox_row(&seal(RecordKind::OutboxRow, 1, &payload)).map(drop)
    };
    let malformed = |what| Err(RecordError::Malformed { what });
    assert_eq!(replace(b"MARK", b"mark"), Ok(()));
    assert_eq!(replace(b"MARK", &[0xff]), malformed("a text must be UTF-8"));
    assert_eq!(replace(br#"{"a":1}"#, b"["), malformed("a JSON field must be one JSON value"));
}

#[test]
fn a_length_beyond_the_input_allocates_nothing() {
    // Without the bound these would ask for exabytes.
    let mut w = Writer::new();
    w.varint(u64::MAX / 2);
    let error = Err(RecordError::Malformed { what: "payload ends too early" });
    assert_eq!(Reader::first(w.as_slice(), |r| drop(r.list(1, Reader::u8))), error);
    assert_eq!(Reader::first(w.as_slice(), |r| drop(r.bytes().to_vec())), error);
    let mut w = Writer::new();
    w.varint(3);
    w.fixed_u32(0);
    w.fixed_u32(0);
    assert_eq!(Reader::first(w.as_slice(), |r| drop(r.list(4, Reader::fixed_u32))), error);
}

#[test]
fn errors_say_what_was_wrong_and_what_is_allowed() {
    let messages = [
        RecordError::NotARecord,
        RecordError::WrongKind { expected: RecordKind::History, found: 6 },
        RecordError::Newer { found: 3, known: 1 },
        RecordError::Truncated,
        RecordError::Checksum,
        RecordError::Malformed { what: "unknown role number" },
    ]
    .map(|error| error.to_string());
    assert_eq!(
        messages,
        [
            "not a record: it must begin with CW",
            "record of kind 6 where kind 5 (history head) must stand",
            "written by a newer version of the application: format 3, known are 1 to 1",
            "record is cut short: fewer bytes than its header says",
            "record is damaged: its checksum does not match",
            "record is malformed: unknown role number",
        ]
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        record_version(&bytes);
        // Bytes without a checksum of their own can make a message; a record they cannot.
        for result in decode_all(&bytes).into_iter().take(7) {
            prop_assert!(result.is_err());
        }
    }

    #[test]
    fn arbitrary_payloads_under_a_good_checksum_do_not_panic(payload in vec(any::<u8>(), 0..300)) {
        for kind in KINDS {
            for result in decode_all(&seal(kind, 1, &payload)) {
                let total = matches!(
                    result,
                    Ok(()) | Err(RecordError::Malformed { .. } | RecordError::WrongKind { .. })
                );
                prop_assert!(total);
            }
        }
    }

    #[test]
    fn a_damaged_payload_under_a_good_checksum_does_not_panic(
        choice in 0..7_usize,
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let sample = &samples::all()[choice];
        let mut payload = sample.bytes[HEADER_BYTES..].to_vec();
        let at = at.index(payload.len());
        payload[at] = byte;
        let result = (sample.decodes)(&seal(sample.kind, 1, &payload));
        let total = matches!(result, Ok(_) | Err(RecordError::Malformed { .. }));
        prop_assert!(total);
    }
}
