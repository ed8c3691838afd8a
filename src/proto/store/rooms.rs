//! The small records: what a conversation is, what is drafted in it, what the backend gives, who leads.

use super::codec::{Reader, Writer};
use super::format::{RecordError, RecordKind, open, seal};
use super::numbers::{read_conversation_kind, read_role, write_conversation_kind, write_role};
use crate::proto::model::{ConversationKind, Member, Role};
use crate::proto::profile::CapabilityPatch;

/// What a conversation is, without what its history says (last message, unread, cursor).
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationRecord {
    pub id: String,
    pub kind: ConversationKind,
    pub title: String,
    pub avatar_url: Option<String>,
    pub members: Vec<Member>,
    /// Empty: drafts have records of their own. Format 1 had a place for it.
    pub draft: String,
    pub archived: bool,
    pub pinned: bool,
    /// ISO 8601, as the application reads it.
    pub muted_until: Option<String>,
    pub blocked: bool,
    pub my_role: Role,
    /// The newest sequence number that the server has told of.
    pub last_seq: Option<u64>,
    /// Wall-clock milliseconds.
    pub updated_at_ms: i64,
}

/// What the backend's last hello said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityRecord {
    pub patch: CapabilityPatch,
}

pub fn encode_conversation(version: u64, record: &ConversationRecord) -> Vec<u8> {
    let mut w = Writer::new();
    w.str(&record.id);
    write_conversation_kind(&mut w, record.kind);
    w.str(&record.title);
    w.opt_str(record.avatar_url.as_deref());
    w.list(&record.members, write_member);
    w.str(&record.draft);
    w.bool(record.archived);
    w.bool(record.pinned);
    w.opt_str(record.muted_until.as_deref());
    w.bool(record.blocked);
    write_role(&mut w, record.my_role);
    w.opt_varint(record.last_seq);
    w.i64(record.updated_at_ms);
    seal(RecordKind::Conversation, version, w.as_slice())
}

/// The record's stamp and the conversation.
///
/// # Errors
/// Each [`RecordError`].
pub fn decode_conversation(bytes: &[u8]) -> Result<(u64, ConversationRecord), RecordError> {
    let opened = open(RecordKind::Conversation, bytes)?;
    let mut r = Reader::new(&opened.payload);
    // The order of these fields is the order on disk.
    let record = ConversationRecord {
        id: r.string(),
        kind: read_conversation_kind(&mut r),
        title: r.string(),
        avatar_url: r.opt_string(),
        members: r.list(3, read_member),
        draft: r.string(),
        archived: r.bool(),
        pinned: r.bool(),
        muted_until: r.opt_string(),
        blocked: r.bool(),
        my_role: read_role(&mut r),
        last_seq: r.opt_varint(),
        updated_at_ms: r.i64(),
    };
    r.finish()?;
    Ok((opened.version, record))
}

pub fn encode_draft(version: u64, conversation_id: &str, text: &str) -> Vec<u8> {
    let mut w = Writer::new();
    w.str(conversation_id);
    w.str(text);
    seal(RecordKind::Draft, version, w.as_slice())
}

/// The conversation and the text.
///
/// # Errors
/// Each [`RecordError`].
pub fn decode_draft(bytes: &[u8]) -> Result<(String, String), RecordError> {
    let opened = open(RecordKind::Draft, bytes)?;
    let mut r = Reader::new(&opened.payload);
    let draft = (r.string(), r.string());
    r.finish()?;
    Ok(draft)
}

pub fn encode_capabilities(version: u64, record: &CapabilityRecord) -> Vec<u8> {
    let patch = &record.patch;
    let mut w = Writer::new();
    // Where nothing is said of answers, as older versions write it.
    w.u8(flag(patch.keys) + 3 * flag(patch.answers));
    for said in [patch.cursor, patch.ordered_window, patch.receipts] {
        w.u8(flag(said));
    }
    w.opt_varint(patch.max_payload);
    seal(RecordKind::Capabilities, version, w.as_slice())
}

/// The record's stamp and what was said.
///
/// # Errors
/// Each [`RecordError`].
pub fn decode_capabilities(bytes: &[u8]) -> Result<(u64, CapabilityRecord), RecordError> {
    let opened = open(RecordKind::Capabilities, bytes)?;
    let mut r = Reader::new(&opened.payload);
    // The order of these fields is the order on disk.
    let first = r.u8();
    let patch = CapabilityPatch {
        keys: said(first % 3, &mut r),
        answers: said(first / 3, &mut r),
        cursor: read_flag(&mut r),
        ordered_window: read_flag(&mut r),
        receipts: read_flag(&mut r),
        max_payload: r.opt_varint(),
    };
    r.finish()?;
    Ok((opened.version, CapabilityRecord { patch }))
}

pub fn encode_generation(version: u64, generation: u64) -> Vec<u8> {
    let mut w = Writer::new();
    w.varint(generation);
    seal(RecordKind::Generation, version, w.as_slice())
}

/// Its stamp is all that it says.
pub fn encode_proof(version: u64) -> Vec<u8> {
    seal(RecordKind::Proof, version, &[])
}

/// The record's stamp and the generation.
///
/// # Errors
/// Each [`RecordError`].
pub fn decode_generation(bytes: &[u8]) -> Result<(u64, u64), RecordError> {
    let opened = open(RecordKind::Generation, bytes)?;
    let mut r = Reader::new(&opened.payload);
    let generation = r.varint();
    r.finish()?;
    Ok((opened.version, generation))
}

fn flag(said: Option<bool>) -> u8 {
    match said {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

fn read_flag(r: &mut Reader) -> Option<bool> {
    said(r.u8(), r)
}

fn said(flag: u8, r: &mut Reader) -> Option<bool> {
    match flag {
        0 => None,
        1 => Some(false),
        2 => Some(true),
        _ => {
            r.fail("a capability must be 0, 1 or 2");
            None
        }
    }
}

fn write_member(w: &mut Writer, member: &Member) {
    w.str(&member.user_id);
    w.str(&member.name);
    write_role(w, member.role);
}

fn read_member(r: &mut Reader) -> Member {
    Member { user_id: r.string(), name: r.string(), role: read_role(r) }
}
