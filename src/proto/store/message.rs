//! A message as bytes.
//!
//! Law: what the segment or the row itself already says is not written again: neither the conversation, nor a row
//! key that follows from key or id. Two bytes of flags say which optional fields follow.

use super::codec::{Reader, Writer};
use super::numbers::{read_failure, read_sender, read_status, write_failure, write_sender, write_status};
use crate::proto::model::{Json, Message, Reaction, ReplyTo};
use crate::proto::text::concat;

const ID: u64 = 1;
const KEY: u64 = 1 << 1;
/// The row key is the key.
const ROW_KEY_IS_KEY: u64 = 1 << 2;
/// The row key is `conversation:id`.
const ROW_KEY_IS_ID: u64 = 1 << 3;
const METADATA: u64 = 1 << 4;
const ATTACHMENTS: u64 = 1 << 5;
const REPLY_TO: u64 = 1 << 6;
const SEQ: u64 = 1 << 7;
const FAILURE: u64 = 1 << 8;
const DURABLE: u64 = 1 << 9;
const READ_BY: u64 = 1 << 10;
const REACTIONS: u64 = 1 << 11;
const EDITED: u64 = 1 << 12;
const DELETED: u64 = 1 << 13;
const ALL: u64 = (1 << 14) - 1;

/// The fewest bytes that a message takes: flags, a text of the row key, sender, their kind, kind, text, time, status.
pub(super) const MIN_BYTES: usize = 8;

/// Writes everything but the conversation's id, which the segment knows.
pub fn encode_message(w: &mut Writer, m: &Message) {
    let flags = flags_of(m);
    w.varint(flags);
    if let Some(id) = &m.id {
        w.str(id);
    }
    if let Some(key) = &m.key {
        w.str(key);
    }
    if flags & (ROW_KEY_IS_KEY | ROW_KEY_IS_ID) == 0 {
        w.str(&m.row_key);
    }
    w.str(&m.sender_id);
    write_sender(w, m.sender);
    w.str(&m.kind);
    w.str(&m.text);
    w.i64(m.created_at_ms);
    write_status(w, m.status);
    if let Some(metadata) = &m.metadata {
        w.str(metadata.text());
    }
    if let Some(attachments) = &m.attachments {
        w.str(attachments.text());
    }
    if let Some(reply_to) = &m.reply_to {
        write_reply_to(w, reply_to);
    }
    if let Some(seq) = m.seq {
        w.varint(seq);
    }
    if let Some(failure) = &m.failure {
        write_failure(w, failure);
    }
    if !m.read_by.is_empty() {
        w.list(&m.read_by, |w, user| w.str(user));
    }
    if !m.reactions.is_empty() {
        w.list(&m.reactions, write_reaction);
    }
    if let Some(at_ms) = m.edited_at_ms {
        w.i64(at_ms);
    }
    if let Some(at_ms) = m.deleted_at_ms {
        w.i64(at_ms);
    }
}

/// Reads what [`encode_message`] wrote; what is wrong is told by the reader's end.
pub fn decode_message(r: &mut Reader, conversation_id: &str) -> Message {
    let flags = r.varint();
    if flags & !ALL != 0 {
        r.fail("unknown flags of a message");
    }
    let has = |flag: u64| flags & flag != 0;
    let id = if has(ID) { Some(r.string()) } else { None };
    let key = if has(KEY) { Some(r.string()) } else { None };
    let row_key = match (has(ROW_KEY_IS_KEY), has(ROW_KEY_IS_ID), &key, &id) {
        (false, false, _, _) => r.string(),
        (true, false, Some(key), _) => key.clone(),
        (false, true, _, Some(id)) => concat(&[conversation_id, ":", id]),
        _ => {
            r.fail("row key of a key or id that is not there");
            String::new()
        }
    };
    // The order of these fields is the order on disk.
    Message {
        row_key,
        id,
        key,
        conversation_id: conversation_id.to_owned(),
        sender_id: r.string(),
        sender: read_sender(r),
        kind: r.string(),
        text: r.string(),
        created_at_ms: r.i64(),
        status: read_status(r),
        metadata: if has(METADATA) { read_json(r) } else { None },
        attachments: if has(ATTACHMENTS) { read_json(r) } else { None },
        reply_to: if has(REPLY_TO) { Some(read_reply_to(r)) } else { None },
        seq: if has(SEQ) { Some(r.varint()) } else { None },
        failure: if has(FAILURE) { Some(read_failure(r)) } else { None },
        durable: has(DURABLE),
        read_by: if has(READ_BY) { r.list(1, Reader::string) } else { Vec::new() },
        reactions: if has(REACTIONS) { r.list(4, read_reaction) } else { Vec::new() },
        edited_at_ms: if has(EDITED) { Some(r.i64()) } else { None },
        deleted_at_ms: if has(DELETED) { Some(r.i64()) } else { None },
        change: None,
    }
}

fn flags_of(m: &Message) -> u64 {
    let row_key = if m.key.as_ref() == Some(&m.row_key) {
        ROW_KEY_IS_KEY
    } else if m.id.as_deref().is_some_and(|id| row_key_follows(m, id)) {
        ROW_KEY_IS_ID
    } else {
        0
    };
    let optional = [
        (m.id.is_some(), ID),
        (m.key.is_some(), KEY),
        (m.metadata.is_some(), METADATA),
        (m.attachments.is_some(), ATTACHMENTS),
        (m.reply_to.is_some(), REPLY_TO),
        (m.seq.is_some(), SEQ),
        (m.failure.is_some(), FAILURE),
        (m.durable, DURABLE),
        (!m.read_by.is_empty(), READ_BY),
        (!m.reactions.is_empty(), REACTIONS),
        (m.edited_at_ms.is_some(), EDITED),
        (m.deleted_at_ms.is_some(), DELETED),
    ];
    let mut flags = row_key;
    for (there, flag) in optional {
        if there {
            flags |= flag;
        }
    }
    flags
}

fn row_key_follows(m: &Message, id: &str) -> bool {
    m.row_key.strip_prefix(m.conversation_id.as_str()).and_then(|rest| rest.strip_prefix(':')) == Some(id)
}

pub(super) fn write_reply_to(w: &mut Writer, reply_to: &ReplyTo) {
    w.str(&reply_to.row_key);
    w.str(&reply_to.excerpt);
}

pub(super) fn read_reply_to(r: &mut Reader) -> ReplyTo {
    ReplyTo { row_key: r.string(), excerpt: r.string() }
}

pub(super) fn read_json(r: &mut Reader) -> Option<Json> {
    let json = Json::parse(r.str());
    if json.is_none() {
        r.fail("a JSON field must be one JSON value");
    }
    json
}

fn write_reaction(w: &mut Writer, reaction: &Reaction) {
    w.str(&reaction.emoji);
    w.varint(u64::from(reaction.count));
    w.bool(reaction.mine);
    w.list(&reaction.users, |w, user| w.str(user));
}

fn read_reaction(r: &mut Reader) -> Reaction {
    Reaction { emoji: r.string(), count: r.u32(), mine: r.bool(), users: r.list(1, Reader::string) }
}
