//! The record format: what the client keeps, as bytes.
//!
//! Law: bytes in, values out, and back. Every record carries its kind, the format it was written in, the stamp of
//! the transaction that wrote it, and a checksum. Decoding is total: whatever a database holds becomes a value or
//! a [`RecordError`], never a panic, and memory is bounded by the input. Numbers on disk are given once and never
//! reused; a changed layout is a new [`FORMAT_VERSION`] and one migration step.

mod codec;
mod format;
mod history;
mod keys;
mod memory;
mod message;
mod migrate;
mod numbers;
mod orphans;
mod outbox_row;
mod rooms;

#[cfg(test)]
mod tests;

pub use codec::{Reader, Writer};
pub use format::{
    FORMAT_VERSION, HEADER_BYTES, Opened, RecordError, RecordKind, is_newer, open, record_version, seal,
};
pub use history::{
    HistoryHead, IndexPage, OrderKey, SEGMENTS_PER_PAGE, Segment, SegmentInfo, decode_head, decode_index,
    decode_segment, encode_head, encode_index, encode_segment, encode_segment_rows, fingerprint,
    index_page_of,
};
pub use keys::{
    CAPABILITIES_KEY, CONVERSATION_PREFIX, DRAFT_PREFIX, GENERATION_KEY, HEAD_PREFIX, INDEX_PREFIX,
    ORPHANS_KEY, PROOF_PREFIX, SEGMENT_PREFIX, SETTINGS_KEY, conversation_key, conversation_of, draft_key,
    head_key, index_key, index_page_named, index_prefix, proof_key, segment_key, segment_prefix,
};
pub use memory::MemoryStore;
pub use message::{decode_message, encode_message};
pub use orphans::{Orphan, OrphanEdit, OrphanReaction, decode_orphans, encode_orphans};
pub use outbox_row::{OutboxRow, RowChange, WireMark, decode_outbox_row, encode_outbox_row, same_content};
pub use rooms::{
    CapabilityRecord, ConversationRecord, decode_capabilities, decode_conversation, decode_draft,
    decode_generation, encode_capabilities, encode_conversation, encode_draft, encode_generation,
    encode_proof,
};
