//! A queued message as a record.
//!
//! Law: the row holds all that its frame needs, so that what leaves after a restart is what was accepted before it.

use super::codec::{Reader, Writer};
use super::format::{RecordError, RecordKind, open, seal};
use super::message::{read_json, read_reply_to, write_reply_to};
use super::numbers::{read_change_kind, read_failure, write_change_kind, write_failure};
use crate::proto::model::{ChangeKind, Failure, Json, ReplyTo};

/// A message from its acceptance until the server's answer, or until somebody decides about its failure.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// Idempotency key.
    pub key: String,
    pub conversation_id: String,
    pub kind: String,
    pub text: String,
    pub metadata: Option<Json>,
    pub reply_to: Option<ReplyTo>,
    /// The server's id of the answered message, where it is known.
    pub reply_to_id: Option<String>,
    /// Wall-clock milliseconds.
    pub created_at_ms: i64,
    /// Wall-clock milliseconds.
    pub expires_at_ms: Option<i64>,
    /// How often it was handed to the network.
    pub attempts: u32,
    /// How often the socket was lost while it was unanswered (rule 7).
    pub losses: u32,
    /// Set before it goes on the wire (rule 3).
    pub wire: Option<WireMark>,
    /// Why it waits for a person.
    pub failure: Option<Failure>,
    /// It is no message of its own: `text` is the new text of another, or the emoji.
    pub change: Option<RowChange>,
}

/// What a row changes, and of which message.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    pub kind: ChangeKind,
    /// The message's row key.
    pub row_key: String,
    /// The server's id of the message, once it is known.
    pub id: Option<String>,
}

impl OutboxRow {
    /// Whether its time to live is over.
    pub fn is_expired(&self, wall_ms: u64) -> bool {
        let wall = i64::try_from(wall_ms).unwrap_or(i64::MAX);
        self.expires_at_ms.is_some_and(|at| at <= wall)
    }
}

/// Which leading tab sent it, and at which attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireMark {
    pub generation: u64,
    pub attempt: u32,
}

/// Whether two rows say the same: a repeated send under one key must. What follows from the answered row (its
/// excerpt, its server id) may have changed between the two, and does not count.
pub fn same_content(a: &OutboxRow, b: &OutboxRow) -> bool {
    a.conversation_id == b.conversation_id
        && a.kind == b.kind
        && a.text == b.text
        && a.metadata == b.metadata
        && answered_row(a) == answered_row(b)
        && a.change == b.change
}

pub fn encode_outbox_row(version: u64, row: &OutboxRow) -> Vec<u8> {
    let mut w = Writer::new();
    for text in [&row.key, &row.conversation_id, &row.kind, &row.text] {
        w.str(text);
    }
    w.opt_str(row.metadata.as_ref().map(Json::text));
    w.bool(row.reply_to.is_some());
    if let Some(reply_to) = &row.reply_to {
        write_reply_to(&mut w, reply_to);
    }
    w.opt_str(row.reply_to_id.as_deref());
    w.i64(row.created_at_ms);
    w.opt_i64(row.expires_at_ms);
    w.varint(u64::from(row.attempts));
    w.varint(u64::from(row.losses));
    w.bool(row.wire.is_some());
    if let Some(mark) = &row.wire {
        w.varint(mark.generation);
        w.varint(u64::from(mark.attempt));
    }
    w.bool(row.failure.is_some());
    if let Some(failure) = &row.failure {
        write_failure(&mut w, failure);
    }
    w.bool(row.change.is_some());
    if let Some(change) = &row.change {
        write_change_kind(&mut w, change.kind);
        w.str(&change.row_key);
        w.opt_str(change.id.as_deref());
    }
    seal(RecordKind::OutboxRow, version, w.as_slice())
}

/// The record's stamp and the row.
///
/// # Errors
/// Each [`RecordError`].
pub fn decode_outbox_row(bytes: &[u8]) -> Result<(u64, OutboxRow), RecordError> {
    let opened = open(RecordKind::OutboxRow, bytes)?;
    let mut r = Reader::new(&opened.payload);
    // The order of these fields is the order on disk.
    let row = OutboxRow {
        key: r.string(),
        conversation_id: r.string(),
        kind: r.string(),
        text: r.string(),
        metadata: if r.bool() { read_json(&mut r) } else { None },
        reply_to: if r.bool() { Some(read_reply_to(&mut r)) } else { None },
        reply_to_id: r.opt_string(),
        created_at_ms: r.i64(),
        expires_at_ms: r.opt_i64(),
        attempts: r.u32(),
        losses: r.u32(),
        wire: if r.bool() { Some(WireMark { generation: r.varint(), attempt: r.u32() }) } else { None },
        failure: if r.bool() { Some(read_failure(&mut r)) } else { None },
        change: if r.bool() { Some(read_change(&mut r)) } else { None },
    };
    r.finish()?;
    Ok((opened.version, row))
}

fn read_change(r: &mut Reader) -> RowChange {
    RowChange { kind: read_change_kind(r), row_key: r.string(), id: r.opt_string() }
}

fn answered_row(row: &OutboxRow) -> Option<&str> {
    row.reply_to.as_ref().map(|reply_to| reply_to.row_key.as_str())
}
