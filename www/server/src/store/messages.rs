//! Writing messages: send, edit, delete.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::{
    conversations::{self, role_of},
    reading,
    types::{Draft, Joined, Message, NewId, Sent},
};
use crate::{
    clock,
    error::{ApiError, Code},
    ids,
};

/// Stores a message, or finds the one that has its key (D3).
pub(crate) fn insert(db: &Connection, sender_id: &str, draft: &Draft) -> Result<Sent, ApiError> {
    let fingerprint = fingerprint(draft);
    if let Some(sent) = first_answer(db, sender_id, draft, &fingerprint)? {
        return Ok(sent);
    }
    let joined = conversations::enter(db, sender_id, draft)?;
    role_of(db, &draft.conversation_id, sender_id)?;
    if let Some(reply_to) = &draft.reply_to {
        check_reply(db, &draft.conversation_id, reply_to)?;
    }
    let now_ms = clock::now_ms();
    let seq: i64 = db
        .prepare_cached(
            "UPDATE conversations SET last_seq = last_seq + 1, updated_ms = ? WHERE id = ? RETURNING last_seq",
        )?
        .query_row(params![now_ms, draft.conversation_id], |row| row.get(0))?;
    let id = new_id(db, &draft.id, now_ms)?;
    db.prepare_cached(
        "INSERT INTO messages(conversation_id, seq, id, sender_id, client_key, fingerprint, kind, content,
                              reply_to, metadata, created_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        draft.conversation_id,
        seq,
        id,
        sender_id,
        draft.client_key,
        fingerprint,
        draft.kind.name(),
        draft.content,
        draft.reply_to,
        draft.metadata,
        now_ms
    ])?;
    // Who had read everything has also read his own. Others keep their count of unread messages.
    db.prepare_cached(
        "UPDATE participants SET last_read_seq = ?1
         WHERE conversation_id = ?2 AND user_id = ?3 AND last_read_seq = ?1 - 1",
    )?
    .execute(params![seq, draft.conversation_id, sender_id])?;
    // As it is after the message.
    let joined = match joined {
        Some(user_id) => {
            Some(Joined { user_id, views: conversations::views(db, &draft.conversation_id, None)? })
        }
        None => None,
    };
    let message = Message {
        id,
        conversation_id: draft.conversation_id.clone(),
        seq,
        sender_id: sender_id.to_owned(),
        client_key: draft.client_key.clone(),
        kind: draft.kind,
        content: draft.content.clone(),
        reply_to: draft.reply_to.clone(),
        metadata: draft.metadata.clone(),
        created_ms: now_ms,
        edited_ms: None,
        deleted_ms: None,
        receipts: Vec::new(),
        reactions: Vec::new(),
    };
    Ok(Sent { message, is_duplicate: false, joined })
}

fn new_id(db: &Connection, wanted: &NewId, now_ms: i64) -> Result<String, ApiError> {
    match wanted {
        NewId::Ours => ids::new_message(now_ms),
        NewId::Number => {
            let number: i64 = db
                .prepare_cached(
                    "INSERT INTO meta(key, value) VALUES ('message_number', 1)
                     ON CONFLICT(key) DO UPDATE SET value = value + 1 RETURNING value",
                )?
                .query_row([], |row| row.get(0))?;
            Ok(number.to_string())
        }
        NewId::Given(id) => {
            if db.prepare_cached("SELECT 1 FROM messages WHERE id = ?")?.exists([id])? {
                return Err(ApiError::validation("client_message_id", "another message has this id"));
            }
            Ok(id.clone())
        }
    }
}

fn first_answer(
    db: &Connection,
    sender_id: &str,
    draft: &Draft,
    fingerprint: &[u8],
) -> Result<Option<Sent>, ApiError> {
    let Some(key) = &draft.client_key else { return Ok(None) };
    let found: Option<(String, i64, Vec<u8>)> = db
        .prepare_cached(
            "SELECT conversation_id, seq, fingerprint FROM messages WHERE sender_id = ? AND client_key = ?",
        )?
        .query_row([sender_id, key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((conversation_id, seq, stored)) = found else { return Ok(None) };
    if stored != fingerprint {
        return Err(ApiError::validation(
            "client_message_id",
            "this key was used for a message with other content",
        ));
    }
    let message = reading::at(db, &conversation_id, seq)?;
    Ok(message.map(|message| Sent { message, is_duplicate: true, joined: None }))
}

/// Of the content as it was sent: a later edit does not change it.
fn fingerprint(draft: &Draft) -> Vec<u8> {
    let mut hash = Sha256::new();
    let parts: [Option<&[u8]>; 5] = [
        Some(draft.conversation_id.as_bytes()),
        Some(draft.kind.name().as_bytes()),
        Some(&draft.content),
        draft.reply_to.as_deref().map(str::as_bytes),
        draft.metadata.as_deref().map(str::as_bytes),
    ];
    for part in parts {
        let length = part.map_or(u64::MAX, |part| u64::try_from(part.len()).unwrap_or(u64::MAX));
        hash.update(length.to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.finalize().to_vec()
}

fn check_reply(db: &Connection, conversation_id: &str, reply_to: &str) -> Result<(), ApiError> {
    let known = db
        .prepare_cached("SELECT 1 FROM messages WHERE id = ? AND conversation_id = ?")?
        .exists([reply_to, conversation_id])?;
    if known { Ok(()) } else { Err(ApiError::validation("reply_to", "not a message of this conversation")) }
}

/// Replaces the content; only its sender may (T12).
pub(crate) fn edit(
    db: &Connection,
    user_id: &str,
    message_id: &str,
    content: &[u8],
) -> Result<Message, ApiError> {
    let mut message = reading::message(db, message_id)?;
    role_of(db, &message.conversation_id, user_id)?;
    if message.sender_id != user_id {
        return Err(ApiError::forbidden("only its sender can edit a message"));
    }
    if message.deleted_ms.is_some() {
        return Err(ApiError::new(Code::ConflictError, "the message has been deleted"));
    }
    let now_ms = clock::now_ms();
    db.prepare_cached("UPDATE messages SET content = ?, edited_ms = ? WHERE id = ?")?
        .execute(params![content, now_ms, message_id])?;
    message.content = content.to_vec();
    message.edited_ms = Some(now_ms);
    Ok(message)
}

/// Empties the message and keeps its place; its sender, an admin or a moderator may (T12). `false`: it
/// was deleted before.
pub(crate) fn erase(db: &Connection, user_id: &str, message_id: &str) -> Result<(Message, bool), ApiError> {
    let mut message = reading::message(db, message_id)?;
    let role = role_of(db, &message.conversation_id, user_id)?;
    if message.sender_id != user_id && !role.is_trusted() {
        return Err(ApiError::forbidden("only its sender, an admin or a moderator can delete a message"));
    }
    if message.deleted_ms.is_some() {
        return Ok((message, false));
    }
    let now_ms = clock::now_ms();
    db.prepare_cached("UPDATE messages SET content = x'', metadata = NULL, deleted_ms = ? WHERE id = ?")?
        .execute(params![now_ms, message_id])?;
    db.prepare_cached("DELETE FROM reactions WHERE conversation_id = ? AND seq = ?")?
        .execute(params![message.conversation_id, message.seq])?;
    message.content.clear();
    message.metadata = None;
    message.reactions.clear();
    message.deleted_ms = Some(now_ms);
    Ok((message, true))
}
