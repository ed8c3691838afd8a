//! The log of one conversation: segments of messages, the head that lists them, the index that finds them.
//!
//! Law: rows lie in segments; the head says which segments there are and how far the history is known; a page of
//! the index says which fingerprints are in which segments. A fingerprint only narrows the search: the row itself
//! decides.

use xxhash_rust::xxh64::xxh64;

use super::codec::{Reader, Writer};
use super::format::{RecordError, RecordKind, open, seal};
use super::message::{self, decode_message, encode_message};
use crate::proto::model::Message;

/// How many segments one page of the index covers.
pub const SEGMENTS_PER_PAGE: u32 = 32;

/// The page of the index that covers a segment.
pub fn index_page_of(segment: u32) -> u32 {
    segment / SEGMENTS_PER_PAGE
}

/// A short name of an id or key in an index; two texts may share one.
pub fn fingerprint(text: &str) -> u32 {
    xxh64(text.as_bytes(), 0) as u32
}

/// Where a row stands in its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// The server's order; `u64::MAX` where there is none.
    pub seq: u64,
    /// Wall-clock milliseconds.
    pub at_ms: i64,
    /// The order of arrival in this store.
    pub arrival: u64,
}

/// About a hundred messages of one conversation, in one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub number: u32,
    pub rows: Vec<Message>,
}

/// What the head says of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    pub number: u32,
    /// Rows in it.
    pub count: u32,
    pub first: OrderKey,
    pub last: OrderKey,
}

/// The head of a conversation's history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryHead {
    pub conversation_id: String,
    /// In the order of the conversation; the last one is the tail, which is still written to.
    pub segments: Vec<SegmentInfo>,
    /// The number of the next new segment; numbers are never reused.
    pub next_segment: u32,
    /// What stands up to this sequence number has been told as `message`, though the segment that held it may be lost: it is
    /// not new when it is fetched again.
    pub told_through: u64,
    /// How far the history is known without a gap, as the server's sequence number.
    pub cursor: Option<u64>,
    /// Where there is no cursor: the id of a row up to which the history is known without a gap, while what came after it
    /// is not known to join on; empty: nothing is known so. `None`: all of it joins on.
    pub joined_to: Option<String>,
    pub unread: u32,
    pub read_up_to: Option<OrderKey>,
    pub last_message: Option<Message>,
    /// Fingerprints of the ids and keys in the last segment, which no index page covers yet.
    pub tail_ids: Vec<u32>,
    /// Where there is a cursor: all that comes after this sequence number, up to the cursor, is here. 0: from the first
    /// message on. Without one, 1: there is more that may be asked for; 2: perhaps also among what is here.
    pub known_from: u64,
    /// What is known without a gap below that: after the first and up to the second, ascending.
    pub older: Vec<(u64, u64)>,
    /// Where the server gives marks (P9): the last one, up to which sequence number all before it is here, and whether all
    /// that comes behind it is news: the first contact has come to its end.
    pub mark: Option<(String, u64, bool)>,
}

/// Which ids and keys are in which of the segments of one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPage {
    pub page: u32,
    /// Segment number and its fingerprints, ascending.
    pub segments: Vec<(u32, Vec<u32>)>,
}

impl IndexPage {
    /// The segments that may hold this fingerprint.
    pub fn candidates(&self, fingerprint: u32) -> Vec<u32> {
        let mut candidates = Vec::new();
        for (segment, fingerprints) in &self.segments {
            if fingerprints.binary_search(&fingerprint).is_ok() {
                candidates.push(*segment);
            }
        }
        candidates
    }

    /// Whether it knows of a segment.
    pub fn lists(&self, segment: u32) -> bool {
        self.prints_of(segment).is_some()
    }

    // Written out where it is called it is more of wasm.
    #[inline(never)]
    fn prints_of(&self, segment: u32) -> Option<&[u32]> {
        let listed = self.segments.iter().find(|(number, _)| *number == segment);
        listed.map(|(_, prints)| prints.as_slice())
    }

    /// Whether one of these fingerprints may stand in a segment; of one that is not listed nothing is known.
    pub fn may_hold(&self, segment: u32, fingerprints: &[u32]) -> bool {
        let known = self.prints_of(segment);
        known.is_none_or(|known| fingerprints.iter().any(|print| known.binary_search(print).is_ok()))
    }

    /// Sets a segment's fingerprints, in any order.
    pub fn set(&mut self, segment: u32, fingerprints: Vec<u32>) {
        let fingerprints = ascending(&fingerprints);
        match self.segments.iter_mut().find(|(number, _)| *number == segment) {
            Some((_, old)) => *old = fingerprints,
            None => self.segments.push((segment, fingerprints)),
        }
    }
}

/// Each fingerprint once, the smallest first: a few hundred at most, and the standard sort would be 6 KB of wasm.
fn ascending(fingerprints: &[u32]) -> Vec<u32> {
    let mut sorted = Vec::with_capacity(fingerprints.len());
    for fingerprint in fingerprints {
        if let Err(at) = sorted.binary_search(fingerprint) {
            sorted.insert(at, *fingerprint);
        }
    }
    sorted
}

pub fn encode_segment(version: u64, segment: &Segment) -> Vec<u8> {
    encode_segment_rows(version, segment.number, &segment.rows.iter().collect::<Vec<_>>())
}

/// The same from rows that live elsewhere, without copying them.
pub fn encode_segment_rows(version: u64, number: u32, rows: &[&Message]) -> Vec<u8> {
    let mut w = Writer::new();
    w.varint(u64::from(number));
    w.varint(rows.len() as u64);
    for row in rows {
        encode_message(&mut w, row);
    }
    seal(RecordKind::Segment, version, w.as_slice())
}

/// The record's stamp and the rows.
///
/// # Errors
/// Each [`RecordError`]; a segment that stands at another one's key is malformed.
pub fn decode_segment(
    bytes: &[u8],
    conversation_id: &str,
    number: u32,
) -> Result<(u64, Vec<Message>), RecordError> {
    let opened = open(RecordKind::Segment, bytes)?;
    let mut r = Reader::new(&opened.payload);
    if r.u32() != number {
        r.fail("segment number is not that of its key");
    }
    let rows = r.list(message::MIN_BYTES, |r| decode_message(r, conversation_id));
    r.finish()?;
    Ok((opened.version, rows))
}

pub fn encode_head(version: u64, head: &HistoryHead) -> Vec<u8> {
    let mut w = Writer::new();
    w.str(&head.conversation_id);
    w.list(&head.segments, write_info);
    w.varint(u64::from(head.next_segment));
    w.varint(head.told_through);
    w.opt_varint(head.cursor);
    w.opt_str(head.joined_to.as_deref());
    w.varint(u64::from(head.unread));
    w.bool(head.read_up_to.is_some());
    if let Some(order) = &head.read_up_to {
        write_order(&mut w, order);
    }
    w.bool(head.last_message.is_some());
    if let Some(message) = &head.last_message {
        encode_message(&mut w, message);
    }
    write_fingerprints(&mut w, &head.tail_ids);
    w.varint(head.known_from);
    w.list(&head.older, |w, (after, through)| {
        w.varint(*after);
        w.varint(*through);
    });
    w.opt_str(head.mark.as_ref().map(|(mark, ..)| mark.as_str()));
    w.varint(head.mark.as_ref().map_or(0, |(_, seq, _)| *seq));
    w.bool(head.mark.as_ref().is_some_and(|(.., tells)| *tells));
    seal(RecordKind::History, version, w.as_slice())
}

/// The record's stamp and the head.
///
/// # Errors
/// Each [`RecordError`].
pub fn decode_head(bytes: &[u8]) -> Result<(u64, HistoryHead), RecordError> {
    let opened = open(RecordKind::History, bytes)?;
    let mut r = Reader::new(&opened.payload);
    let conversation_id = r.string();
    let segments = r.list(MIN_INFO_BYTES, read_info);
    let next_segment = r.u32();
    let told_through = r.varint();
    let cursor = r.opt_varint();
    let joined_to = r.opt_string();
    let unread = r.u32();
    let read_up_to = if r.bool() { Some(read_order(&mut r)) } else { None };
    let last_message = if r.bool() { Some(decode_message(&mut r, &conversation_id)) } else { None };
    let tail_ids = read_fingerprints(&mut r);
    let known_from = r.varint();
    let older = r.list(2, |r| (r.varint(), r.varint()));
    let mark = r.opt_string();
    let mark_seq = r.varint();
    let tells = r.bool();
    r.finish()?;
    let head = HistoryHead {
        conversation_id,
        segments,
        next_segment,
        told_through,
        cursor,
        joined_to,
        unread,
        read_up_to,
        last_message,
        tail_ids,
        known_from,
        older,
        mark: mark.map(|mark| (mark, mark_seq, tells)),
    };
    Ok((opened.version, head))
}

/// Fingerprints are written ascending, however they stand in `page`.
pub fn encode_index(version: u64, page: &IndexPage) -> Vec<u8> {
    let mut w = Writer::new();
    w.varint(u64::from(page.page));
    w.varint(page.segments.len() as u64);
    for (segment, fingerprints) in &page.segments {
        w.varint(u64::from(*segment));
        if fingerprints.is_sorted() {
            write_fingerprints(&mut w, fingerprints);
        } else {
            write_fingerprints(&mut w, &ascending(fingerprints));
        }
    }
    seal(RecordKind::Index, version, w.as_slice())
}

/// The record's stamp and the page.
///
/// # Errors
/// Each [`RecordError`]; fingerprints that do not ascend are malformed, since a search would miss some.
pub fn decode_index(bytes: &[u8]) -> Result<(u64, IndexPage), RecordError> {
    let opened = open(RecordKind::Index, bytes)?;
    let mut r = Reader::new(&opened.payload);
    let page = r.u32();
    let segments = r.list(2, |r| {
        let segment = r.u32();
        let fingerprints = read_fingerprints(r);
        if !fingerprints.is_sorted() {
            r.fail("fingerprints of an index must ascend");
        }
        (segment, fingerprints)
    });
    r.finish()?;
    Ok((opened.version, IndexPage { page, segments }))
}

/// Number, count, and two order keys of three bytes or more.
const MIN_INFO_BYTES: usize = 8;

fn write_info(w: &mut Writer, info: &SegmentInfo) {
    w.varint(u64::from(info.number));
    w.varint(u64::from(info.count));
    write_order(w, &info.first);
    write_order(w, &info.last);
}

fn read_info(r: &mut Reader) -> SegmentInfo {
    SegmentInfo { number: r.u32(), count: r.u32(), first: read_order(r), last: read_order(r) }
}

/// "No number" is `u64::MAX`; shifted by one it takes a single byte.
fn write_order(w: &mut Writer, order: &OrderKey) {
    w.varint(order.seq.wrapping_add(1));
    w.i64(order.at_ms);
    w.varint(order.arrival);
}

fn read_order(r: &mut Reader) -> OrderKey {
    OrderKey { seq: r.varint().wrapping_sub(1), at_ms: r.i64(), arrival: r.varint() }
}

fn write_fingerprints(w: &mut Writer, fingerprints: &[u32]) {
    w.varint(fingerprints.len() as u64);
    for fingerprint in fingerprints {
        w.fixed_u32(*fingerprint);
    }
}

/// In one go: a start reads some ten thousand of them.
fn read_fingerprints(r: &mut Reader) -> Vec<u32> {
    let count = r.varint();
    let bytes = r.take(count.saturating_mul(4));
    let mut fingerprints = Vec::with_capacity(bytes.len() / 4);
    for bytes in bytes.as_chunks().0 {
        fingerprints.push(u32::from_le_bytes(*bytes));
    }
    fingerprints
}
