//! From one format to the next.
//!
//! Law: a step appends or rewrites what its format has changed, for the kinds that it has changed; all others pass as they
//! are. A step is never edited once it has been shipped.

use super::format::{RecordError, RecordKind};

/// Format 2: the head of a history says from where on it is known; a row of the outbox
/// may change another message.
pub(super) fn to_2(kind: RecordKind, payload: &[u8]) -> Result<Vec<u8>, RecordError> {
    let mut next = payload.to_vec();
    if kind == RecordKind::History {
        // Format 1 was filled from the first message on: `known_from` 0, nothing older. And no server gave it marks.
        next.extend_from_slice(&[0, 0, 0, 0, 0]);
    }
    if kind == RecordKind::OutboxRow {
        // Format 1 knew messages alone.
        next.push(0);
    }
    Ok(next)
}
