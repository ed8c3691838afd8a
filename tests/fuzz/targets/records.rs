//! Any bytes as records of the database, as they are and with a good checksum, of today's format and the one before: no
//! panic, and what can be read is written as the same.
#![no_main]

use std::fmt::Debug;

use chatwire::proto::store::{
    FORMAT_VERSION, HEADER_BYTES, Reader, RecordError, RecordKind, decode_capabilities, decode_conversation,
    decode_draft, decode_generation, decode_head, decode_index, decode_orphans, decode_outbox_row,
    decode_segment, encode_capabilities, encode_conversation, encode_draft, encode_generation, encode_head,
    encode_index, encode_orphans, encode_outbox_row, encode_segment_rows, is_newer, record_version, seal,
};
use libfuzzer_sys::fuzz_target;
use shared::memory::{Bound, bounded};
use xxhash_rust::xxh64::xxh64;

/// Messages of 8 bytes on disk are the dearest: 440 in memory, and two of each, what was read and what it is read as when
/// it was written again.
const BOUND: Bound = Bound { per_byte: 128, beside: 1 << 10 };

const ROOM: &str = "r";

/// Where a header says kind and format.
const KIND_AT: usize = 2;
const FORMAT_AT: usize = 3;

fuzz_target!(|data: &[u8]| bounded(BOUND, data.len(), || {
    record_version(data);
    is_newer(data);
    let [kind, format] = [KIND_AT, FORMAT_AT].map(|at| data.get(at).copied().unwrap_or_default());
    // Real records are the seeds: their payload counts, under a checksum that is made anew.
    let payload = data.get(HEADER_BYTES..).unwrap_or_default();
    let record = Record { raw: data, format: 1 + format.wrapping_sub(1) % FORMAT_VERSION, payload };
    match kind % 11 {
        1 => record.twice(RecordKind::Generation, decode_generation, |v, read| encode_generation(v, *read)),
        2 => record.twice(RecordKind::Capabilities, decode_capabilities, encode_capabilities),
        3 => record.twice(RecordKind::OutboxRow, decode_outbox_row, encode_outbox_row),
        4 => record.twice(RecordKind::Conversation, decode_conversation, encode_conversation),
        5 => record.twice(RecordKind::History, decode_head, encode_head),
        6 => record.twice(
            RecordKind::Segment,
            |bytes| decode_segment(bytes, ROOM, number_of(payload)),
            |version, rows: &Vec<_>| {
                encode_segment_rows(version, number_of(payload), &rows.iter().collect::<Vec<_>>())
            },
        ),
        9 => record.twice(RecordKind::Orphans, decode_orphans, |v, read| {
            encode_orphans(v, &read.iter().collect::<Vec<_>>())
        }),
        10 => record.twice(
            RecordKind::Draft,
            |bytes| decode_draft(bytes).map(|read| (7, read)),
            |version, (id, text)| encode_draft(version, id, text),
        ),
        _ => record.twice(RecordKind::Index, decode_index, encode_index),
    }
}));

/// The number of a segment, which must be that of its key.
fn number_of(payload: &[u8]) -> u32 {
    Reader::new(payload).u32()
}

struct Record<'a> {
    raw: &'a [u8],
    format: u8,
    payload: &'a [u8],
}

impl Record<'_> {
    /// Reads, writes, reads again.
    fn twice<T: PartialEq + Debug>(
        &self,
        kind: RecordKind,
        decode: impl Fn(&[u8]) -> Result<(u64, T), RecordError>,
        encode: impl Fn(u64, &T) -> Vec<u8>,
    ) {
        if let Err(error) = decode(self.raw) {
            assert!(!error.text().is_empty());
        }
        let Ok((version, read)) = decode(&self.sealed(kind)) else { return };
        let written = encode(version, &read);
        let Ok((_, again)) = decode(&written) else { panic!("a {kind:?} cannot be read back") };
        assert!(read == again, "a {kind:?} is another one when it is read back");
        assert_eq!(written, encode(version, &again), "a {kind:?} is written in two ways");
    }

    /// With a header of its format, which the product writes of today's alone.
    fn sealed(&self, kind: RecordKind) -> Vec<u8> {
        let mut bytes = seal(kind, 7, self.payload);
        if let Some((header, payload)) = bytes.split_at_mut_checked(HEADER_BYTES)
            && let Some((head, checksum)) = header.split_at_mut_checked(HEADER_BYTES - 8)
        {
            head[FORMAT_AT] = self.format;
            checksum.copy_from_slice(&xxh64(payload, xxh64(&head[KIND_AT..], 0)).to_le_bytes());
        }
        bytes
    }
}
