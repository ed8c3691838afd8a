//! Any bytes as records of the database, with a good checksum: no panic, and what can be read is written as the same.
#![no_main]

use chatwire::proto::store::{
    HEADER_BYTES, RecordError, RecordKind, Segment, decode_capabilities, decode_conversation,
    decode_generation, decode_head, decode_index, decode_orphans, decode_outbox_row, decode_segment,
    encode_capabilities, encode_conversation, encode_generation, encode_head, encode_index, encode_orphans,
    encode_outbox_row, encode_segment, record_version, seal,
};
use libfuzzer_sys::fuzz_target;

const ROOM: &str = "r";

fuzz_target!(|data: &[u8]| {
    // Real records are the seeds: their payload counts, under a checksum that is made anew.
    let Some(kind) = data.get(3).map(|byte| byte % 10) else { return };
    record_version(data);
    let payload = data.get(HEADER_BYTES..).unwrap_or_default();
    match kind {
        1 => twice(RecordKind::Generation, payload, decode_generation, |v, read| encode_generation(v, *read)),
        2 => twice(RecordKind::Capabilities, payload, decode_capabilities, encode_capabilities),
        3 => twice(RecordKind::OutboxRow, payload, decode_outbox_row, encode_outbox_row),
        4 => twice(RecordKind::Conversation, payload, decode_conversation, encode_conversation),
        5 => twice(RecordKind::History, payload, decode_head, encode_head),
        6 => {
            let decode = |bytes: &[u8]| decode_segment(bytes, ROOM, 1);
            let encode =
                |version, rows: &Vec<_>| encode_segment(version, &Segment { number: 1, rows: rows.clone() });
            twice(RecordKind::Segment, payload, decode, encode);
        }
        9 => twice(RecordKind::Orphans, payload, decode_orphans, |v, read| {
            encode_orphans(v, &read.iter().collect::<Vec<_>>())
        }),
        _ => twice(RecordKind::Index, payload, decode_index, encode_index),
    }
});

/// Reads, writes, reads again.
fn twice<T>(
    kind: RecordKind,
    payload: &[u8],
    decode: impl Fn(&[u8]) -> Result<(u64, T), RecordError>,
    encode: impl Fn(u64, &T) -> Vec<u8>,
) {
    let Ok((version, read)) = decode(&seal(kind, 7, payload)) else { return };
    let written = encode(version, &read);
    let Ok((_, again)) = decode(&written) else { panic!("a {kind:?} cannot be read back") };
    assert_eq!(written, encode(version, &again), "a {kind:?} is another one when it is read back");
}
