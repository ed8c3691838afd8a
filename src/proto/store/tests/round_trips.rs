//! What is written is what is read.

use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::{self, CONVERSATION, VERSION};
use crate::proto::model::*;
use crate::proto::profile::CapabilityPatch;
use crate::proto::store::*;

#[test]
fn every_record_reads_as_it_was_written() {
    for sample in samples::all() {
        assert_eq!((sample.decodes)(&sample.bytes), Ok(true), "{}", sample.name);
        assert_eq!(record_version(&sample.bytes), Some(VERSION), "{}", sample.name);
        let opened = open(sample.kind, &sample.bytes).unwrap();
        assert_eq!((opened.kind, opened.version), (sample.kind, VERSION), "{}", sample.name);
        assert_eq!(&*opened.payload, &sample.bytes[HEADER_BYTES..], "{}", sample.name);
    }
}

#[test]
fn empty_values_read_as_they_were_written() {
    let segment = Segment { number: 0, rows: Vec::new() };
    assert_eq!(decode_segment(&encode_segment(0, &segment), "", 0), Ok((0, Vec::new())));

    let head = HistoryHead {
        conversation_id: String::new(),
        segments: Vec::new(),
        next_segment: 0,
        told_through: 0,
        cursor: None,
        joined_to: None,
        unread: 0,
        read_up_to: None,
        last_message: None,
        tail_ids: Vec::new(),
        known_from: 0,
        older: Vec::new(),
        mark: None,
    };
    assert_eq!(decode_head(&encode_head(0, &head)), Ok((0, head)));

    let page = IndexPage { page: 0, segments: Vec::new() };
    assert_eq!(decode_index(&encode_index(0, &page)), Ok((0, page)));

    let row = OutboxRow {
        metadata: None,
        reply_to: None,
        reply_to_id: None,
        expires_at_ms: None,
        wire: None,
        failure: None,
        change: None,
        ..samples::outbox_row()
    };
    assert_eq!(decode_outbox_row(&encode_outbox_row(0, &row)), Ok((0, row)));

    let conversation = ConversationRecord {
        kind: ConversationKind::Assistant,
        avatar_url: None,
        members: Vec::new(),
        muted_until: None,
        last_seq: None,
        ..samples::conversation()
    };
    assert_eq!(decode_conversation(&encode_conversation(0, &conversation)), Ok((0, conversation)));

    let nothing_said = CapabilityRecord { patch: CapabilityPatch::default() };
    assert_eq!(decode_capabilities(&encode_capabilities(0, &nothing_said)), Ok((0, nothing_said)));
    for answers in [Some(false), Some(true)] {
        for keys in [None, Some(false), Some(true)] {
            let said =
                CapabilityRecord { patch: CapabilityPatch { keys, answers, ..CapabilityPatch::default() } };
            assert_eq!(decode_capabilities(&encode_capabilities(0, &said)), Ok((0, said)));
        }
    }
}

#[test]
fn a_row_key_that_follows_costs_nothing() {
    let bytes_of = |message: &Message| {
        let mut w = Writer::new();
        encode_message(&mut w, message);
        w.into_bytes().len()
    };
    let follows = samples::plain_message("42");
    let stands_alone = Message { row_key: "x".repeat(follows.row_key.len()), ..follows.clone() };
    assert_eq!(bytes_of(&follows) + 1 + follows.row_key.len(), bytes_of(&stands_alone));
    let own = samples::full_message();
    let renamed = Message { row_key: "other".into(), ..own.clone() };
    assert_eq!(bytes_of(&own) + 1 + "other".len(), bytes_of(&renamed));
}

#[test]
fn order_is_by_seq_then_time_then_arrival() {
    let order = |seq, at_ms, arrival| OrderKey { seq, at_ms, arrival };
    let ascending = [order(1, 9, 9), order(2, -1, 9), order(2, 0, 3), order(2, 0, 4), order(u64::MAX, -9, 0)];
    assert!(ascending.is_sorted_by(|a, b| a < b));
}

#[test]
fn an_index_finds_the_segments_that_may_hold_an_id() {
    let mut page = IndexPage { page: 0, segments: Vec::new() };
    page.set(1, vec![30, 10, 20, 10]);
    page.set(2, vec![20]);
    page.set(3, vec![40]);
    page.set(3, vec![20, 5]);
    assert_eq!(page.segments, [(1, vec![10, 20, 30]), (2, vec![20]), (3, vec![5, 20])]);
    assert_eq!(page.candidates(20), [1, 2, 3]);
    assert_eq!(page.candidates(5), [3]);
    assert!(page.candidates(40).is_empty());
    assert_eq!([index_page_of(0), index_page_of(31), index_page_of(32)], [0, 0, 1]);
}

#[test]
fn an_index_is_written_in_order_and_refused_without() {
    let page = IndexPage { page: 2, segments: vec![(64, vec![3, 1, 2])] };
    let (_, read) = decode_index(&encode_index(1, &page)).unwrap();
    assert_eq!(read.segments, [(64, vec![1, 2, 3])]);

    let mut w = Writer::new();
    w.varint(2);
    w.varint(1);
    w.varint(64);
    w.list(&[3_u32, 1], |w, fingerprint| w.fixed_u32(*fingerprint));
    let refused = decode_index(&seal(RecordKind::Index, 1, w.as_slice()));
    assert_eq!(refused, Err(RecordError::Malformed { what: "fingerprints of an index must ascend" }));
}

#[test]
fn a_fingerprint_never_changes() {
    // They are on disk: xxh64 of the text with seed 0, low half.
    assert_eq!(fingerprint(""), 0x51d8_e999);
    assert_eq!(fingerprint("a"), 0xa98c_6e5b);
}

#[test]
fn the_numbers_of_enumerations_never_change() {
    use crate::proto::store::numbers::*;
    fn numbers<T: Copy>(write: fn(&mut Writer, T), values: &[T]) -> Vec<u8> {
        let mut w = Writer::new();
        values.iter().for_each(|value| write(&mut w, *value));
        w.into_bytes()
    }
    use ErrorCode::*;
    let codes = [
        Validation,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        RateLimited,
        Auth,
        Timeout,
        Server,
        Unconfirmed,
        Poison,
        Expired,
        OutboxFull,
        Storage,
        Protocol,
        Config,
        Closed,
        Cancelled,
        InFlight,
        Unsupported,
    ];
    assert!(numbers(write_error_code, &codes).into_iter().eq(0..20));
    use Status::*;
    let statuses = [Saving, Saved, Sent, Acknowledged, Delivered, Read, Failed];
    assert!(numbers(write_status, &statuses).into_iter().eq(0..7));
    assert_eq!(numbers(write_sender, &[Sender::Me, Sender::User, Sender::Ai, Sender::System]), [0, 1, 2, 3]);
    use ConversationKind::*;
    assert_eq!(numbers(write_conversation_kind, &[Direct, Group, Assistant]), [0, 1, 2]);
    assert_eq!(numbers(write_role, &[Role::Admin, Role::Moderator, Role::Member]), [0, 1, 2]);
}

#[test]
fn a_segment_at_another_ones_key_is_refused() {
    let bytes = encode_segment(1, &samples::segment());
    let refused = decode_segment(&bytes, CONVERSATION, 301);
    assert_eq!(refused, Err(RecordError::Malformed { what: "segment number is not that of its key" }));
}

#[test]
fn the_same_content_is_what_a_reader_would_see() {
    let row = samples::outbox_row();
    let same = OutboxRow {
        key: "k-2".into(),
        reply_to: Some(ReplyTo { row_key: "k-0".into(), excerpt: "edited since".into() }),
        reply_to_id: None,
        created_at_ms: 0,
        expires_at_ms: None,
        attempts: 0,
        losses: 0,
        wire: None,
        failure: None,
        ..row.clone()
    };
    assert!(same_content(&row, &same));
    let others = [
        OutboxRow { text: "other".into(), ..row.clone() },
        OutboxRow { kind: "image".into(), ..row.clone() },
        OutboxRow { conversation_id: "other".into(), ..row.clone() },
        OutboxRow { metadata: None, ..row.clone() },
        OutboxRow { reply_to: None, ..row.clone() },
        OutboxRow { change: None, ..row.clone() },
        OutboxRow {
            reply_to: Some(ReplyTo { row_key: "k-9".into(), excerpt: "before".into() }),
            ..row.clone()
        },
    ];
    for other in others {
        assert!(!same_content(&row, &other), "{other:?}");
    }
}

proptest! {
    #[test]
    fn numbers(value: u64, signed: i64, fixed: u32) {
        let mut w = Writer::new();
        w.varint(value);
        w.i64(signed);
        w.fixed_u32(fixed);
        w.opt_varint(Some(value));
        w.opt_i64(None);
        let bytes = w.into_bytes();
        let mut r = Reader::new(&bytes);
        prop_assert_eq!(r.varint(), value);
        prop_assert_eq!(r.i64(), signed);
        prop_assert_eq!(r.fixed_u32(), fixed);
        prop_assert_eq!(r.opt_varint(), Some(value));
        prop_assert_eq!(r.opt_i64(), None);
        prop_assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn outbox_rows(version: u64, row in samples::any_outbox_row()) {
        prop_assert_eq!(decode_outbox_row(&encode_outbox_row(version, &row)), Ok((version, row)));
    }

    #[test]
    fn segments(number: u32, version: u64, rows in vec(samples::any_message(), 0..6)) {
        let segment = Segment { number, rows };
        let bytes = encode_segment(version, &segment);
        prop_assert_eq!(decode_segment(&bytes, CONVERSATION, number), Ok((version, segment.rows)));
    }
}

#[test]
fn the_edges_of_numbers() {
    for value in [0, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
        let mut w = Writer::new();
        w.varint(value);
        assert_eq!(Reader::first(w.as_slice(), Reader::varint), Ok(value));
        let fits =
            u32::try_from(value).map_err(|_| RecordError::Malformed { what: "a number must fit 32 bits" });
        assert_eq!(Reader::first(w.as_slice(), Reader::u32), fits);
    }
    for value in [0, -1, 1, i64::MIN, i64::MAX] {
        let mut w = Writer::new();
        w.i64(value);
        assert_eq!(Reader::first(w.as_slice(), Reader::i64), Ok(value));
    }
    let too_large = Err(RecordError::Malformed { what: "a number must fit 64 bits" });
    assert_eq!(Reader::first(&[0xff; 10], Reader::varint), too_large);
    assert_eq!(Reader::first(&[0x80; 11], Reader::varint), too_large);
    let just_over = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
    assert_eq!(Reader::first(&just_over, Reader::varint), too_large);
}
