//! Receipts and reactions. Both are idempotent; receipts only move forward.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    conversations::role_of,
    reading,
    types::{Message, ReadUpTo, Status, StatusChange, UpTo},
};
use crate::{clock, error::ApiError};

const MAX_REACTIONS: i64 = 200;

/// Marks one message delivered to or read by this user (T13). Reading also moves the user's `last_read_seq` up to
/// it. `None`: that was known already, or it is the user's own message.
pub(crate) fn mark(
    db: &Connection,
    user_id: &str,
    message_id: &str,
    status: Status,
) -> Result<Option<StatusChange>, ApiError> {
    let message = reading::message(db, message_id)?;
    role_of(db, &message.conversation_id, user_id)?;
    let place = params![message.conversation_id, message.seq, user_id];
    if status == Status::Read {
        db.prepare_cached(
            "UPDATE participants SET last_read_seq = max(last_read_seq, ?2)
             WHERE conversation_id = ?1 AND user_id = ?3",
        )?
        .execute(place)?;
    }
    if message.sender_id == user_id {
        return Ok(None);
    }
    let was: Option<bool> = db
        .prepare_cached(
            "SELECT read_ms IS NOT NULL FROM receipts WHERE conversation_id = ? AND seq = ? AND user_id = ?",
        )?
        .query_row(place, |row| row.get(0))
        .optional()?;
    let is_news = match (was, status) {
        (None, _) | (Some(false), Status::Read) => true,
        (Some(_), Status::Delivered) | (Some(true), Status::Read) => false,
    };
    if !is_news {
        return Ok(None);
    }
    let now_ms = clock::now_ms();
    let read_ms = (status == Status::Read).then_some(now_ms);
    db.prepare_cached(
        "INSERT INTO receipts(conversation_id, seq, user_id, delivered_ms, read_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET read_ms = coalesce(read_ms, excluded.read_ms)",
    )?
    .execute(params![message.conversation_id, message.seq, user_id, now_ms, read_ms])?;
    Ok(Some(StatusChange {
        conversation_id: message.conversation_id,
        message_id: message_id.to_owned(),
        seq: message.seq,
        status,
    }))
}

/// Receipts written by one `read_up_to`: those of older messages are not worth the time they take.
const MAX_RECEIPTS: i64 = 500;

/// Moves the user's `last_read_seq` up to a message and gives the messages of others on the way a receipt. `None`: it
/// was there already.
pub(crate) fn read_up_to(
    db: &Connection,
    user_id: &str,
    conversation_id: &str,
    up_to: &UpTo,
) -> Result<Option<ReadUpTo>, ApiError> {
    role_of(db, conversation_id, user_id)?;
    let Some((message_id, seq)) = reading::find(db, conversation_id, up_to)? else { return Ok(None) };
    let place = params![conversation_id, user_id, seq];
    let before: Option<i64> = db
        .prepare_cached(
            "SELECT last_read_seq FROM participants
             WHERE conversation_id = ? AND user_id = ? AND last_read_seq < ?",
        )?
        .query_row(place, |row| row.get(0))
        .optional()?;
    let Some(before) = before else { return Ok(None) };
    db.prepare_cached(
        "UPDATE participants SET last_read_seq = ?3 WHERE conversation_id = ?1 AND user_id = ?2",
    )?
    .execute(place)?;
    let low = before.max(seq.saturating_sub(MAX_RECEIPTS));
    let mut statement = db.prepare_cached(
        "SELECT m.id, m.seq FROM messages m LEFT JOIN receipts r
           ON r.conversation_id = m.conversation_id AND r.seq = m.seq AND r.user_id = ?2
         WHERE m.conversation_id = ?1 AND m.seq > ?4 AND m.seq <= ?3 AND m.sender_id <> ?2
           AND r.read_ms IS NULL ORDER BY m.seq",
    )?;
    let rows = statement.query_map(params![conversation_id, user_id, seq, low], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let unread = rows.collect::<Result<Vec<_>, _>>()?;
    let now_ms = clock::now_ms();
    let mut receipt = db.prepare_cached(
        "INSERT INTO receipts(conversation_id, seq, user_id, delivered_ms, read_ms) VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT DO UPDATE SET read_ms = excluded.read_ms",
    )?;
    for (_, seq) in &unread {
        receipt.execute(params![conversation_id, seq, user_id, now_ms])?;
    }
    let message_ids = unread.into_iter().map(|(id, _)| id).collect();
    Ok(Some(ReadUpTo { conversation_id: conversation_id.to_owned(), message_id, seq, message_ids }))
}

/// Adds or removes a reaction of this user; also whether anything changed.
pub(crate) fn react(
    db: &Connection,
    user_id: &str,
    message_id: &str,
    emoji: &str,
    is_added: bool,
) -> Result<(Message, bool), ApiError> {
    let message = reading::message(db, message_id)?;
    role_of(db, &message.conversation_id, user_id)?;
    let changed = if is_added {
        add(db, user_id, &message, emoji)?
    } else {
        db.prepare_cached(
            "DELETE FROM reactions WHERE conversation_id = ? AND seq = ? AND emoji = ? AND user_id = ?",
        )?
        .execute(params![message.conversation_id, message.seq, emoji, user_id])?
    };
    Ok((reading::message(db, message_id)?, changed > 0))
}

fn add(db: &Connection, user_id: &str, message: &Message, emoji: &str) -> Result<usize, ApiError> {
    if message.deleted_ms.is_some() {
        return Err(ApiError::new(crate::error::Code::ConflictError, "the message has been deleted"));
    }
    let count: i64 = db
        .prepare_cached("SELECT count(*) FROM reactions WHERE conversation_id = ? AND seq = ?")?
        .query_row(params![message.conversation_id, message.seq], |row| row.get(0))?;
    if count >= MAX_REACTIONS {
        return Err(ApiError::too_large("emoji", format!("a message has at most {MAX_REACTIONS} reactions")));
    }
    let added = db
        .prepare_cached(
            "INSERT OR IGNORE INTO reactions(conversation_id, seq, emoji, user_id, created_ms)
             VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![message.conversation_id, message.seq, emoji, user_id, clock::now_ms()])?;
    Ok(added)
}
