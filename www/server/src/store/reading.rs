//! Reading messages: one by its id, and pages by `seq`.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    conversations::role_of,
    types::{Kind, Message, Reaction, Receipt, UpTo},
};
use crate::error::ApiError;

const COLUMNS: &str = "id, conversation_id, seq, sender_id, client_key, kind, content, reply_to, metadata, \
                       created_ms, edited_ms, deleted_ms";

/// Which messages of a conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Range {
    /// The `limit` newest after leaving out the `offset` newest (T10).
    Newest { offset: i64, limit: i64 },
    /// The `limit` first with `seq` above this one (D4).
    After { seq: i64, limit: i64 },
    /// The `limit` last with `seq` below this one.
    Before { seq: i64, limit: i64 },
}

/// Oldest first.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Message>,
    /// There is more in the direction of the range.
    pub(crate) has_more: bool,
}

/// `seq` has no holes, so each range is a plain interval of it.
pub(crate) fn page(
    db: &Connection,
    conversation_id: &str,
    user_id: &str,
    range: Range,
) -> Result<Page, ApiError> {
    let last = last_seq(db, conversation_id, user_id)?;
    let (low, high, has_more) = match range {
        Range::Newest { offset, limit } => {
            let high = last.saturating_sub(offset).max(0);
            let low = high.saturating_sub(limit).max(0);
            (low, high, low > 0)
        }
        Range::After { seq, limit } => {
            let high = seq.saturating_add(limit).min(last);
            (seq, high, high < last)
        }
        Range::Before { seq, limit } => {
            let high = seq.saturating_sub(1).clamp(0, last);
            let low = high.saturating_sub(limit).max(0);
            (low, high, low > 0)
        }
    };
    let messages = between(db, conversation_id, low, high)?;
    Ok(Page { messages, has_more })
}

pub(crate) fn unknown_conversation(id: &str) -> ApiError {
    ApiError::not_found(format!("no conversation {id:.64}"))
}

/// The message of that id, with receipts and reactions.
pub(crate) fn message(db: &Connection, id: &str) -> Result<Message, ApiError> {
    let found: Option<(String, i64)> = db
        .prepare_cached("SELECT conversation_id, seq FROM messages WHERE id = ?")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (conversation_id, seq) = found.ok_or_else(|| unknown_message(id))?;
    at(db, &conversation_id, seq)?.ok_or_else(|| unknown_message(id))
}

fn unknown_message(id: &str) -> ApiError {
    ApiError::not_found(format!("no message {id:.64}"))
}

/// Id and number of the message that is meant; of a number above all, the newest. `None`: there is none up to it.
pub(crate) fn find(
    db: &Connection,
    conversation_id: &str,
    up_to: &UpTo,
) -> Result<Option<(String, i64)>, ApiError> {
    let id_and_seq = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match up_to {
        UpTo::Seq(seq) => Ok(db
            .prepare_cached(
                "SELECT id, seq FROM messages WHERE conversation_id = ? AND seq <= ?
                 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row(params![conversation_id, seq], id_and_seq)
            .optional()?),
        UpTo::Message(id) => {
            let found = db
                .prepare_cached("SELECT id, seq FROM messages WHERE conversation_id = ? AND id = ?")?
                .query_row([conversation_id, id], id_and_seq)
                .optional()?;
            found.map(Some).ok_or_else(|| unknown_message(id))
        }
    }
}

/// `last_seq` of a conversation, to a member.
pub(crate) fn last_seq(db: &Connection, conversation_id: &str, user_id: &str) -> Result<i64, ApiError> {
    role_of(db, conversation_id, user_id)?;
    let last = db
        .prepare_cached("SELECT last_seq FROM conversations WHERE id = ?")?
        .query_row([conversation_id], |row| row.get(0))
        .optional()?;
    last.ok_or_else(|| unknown_conversation(conversation_id))
}

/// How many of the messages up to this one are this user's, counted up to `most`.
pub(crate) fn count_from(
    db: &Connection,
    conversation_id: &str,
    user_id: &str,
    seq: i64,
    most: i64,
) -> Result<i64, ApiError> {
    let count = db
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM messages
               WHERE conversation_id = ? AND seq <= ? AND sender_id = ? ORDER BY seq LIMIT ?)",
        )?
        .query_row(params![conversation_id, seq, user_id, most], |row| row.get(0))?;
    Ok(count)
}

/// The message of that number, with receipts and reactions.
pub(super) fn at(db: &Connection, conversation_id: &str, seq: i64) -> Result<Option<Message>, ApiError> {
    Ok(between(db, conversation_id, seq - 1, seq)?.pop())
}

/// Above `low`, up to and with `high`.
fn between(db: &Connection, conversation_id: &str, low: i64, high: i64) -> Result<Vec<Message>, ApiError> {
    let range = params![conversation_id, low, high];
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE conversation_id = ? AND seq > ? AND seq <= ? ORDER BY seq"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut messages = statement.query_map(range, row_to_message)?.collect::<Result<Vec<_>, _>>()?;
    let mut statement = db.prepare_cached(
        "SELECT seq, user_id, read_ms IS NOT NULL FROM receipts
         WHERE conversation_id = ? AND seq > ? AND seq <= ? ORDER BY seq, user_id",
    )?;
    let receipts = statement
        .query_map(range, |row| Ok((row.get(0)?, Receipt { user_id: row.get(1)?, is_read: row.get(2)? })))?;
    for receipt in receipts {
        let (seq, receipt) = receipt?;
        if let Some(message) = with_seq(&mut messages, seq) {
            message.receipts.push(receipt);
        }
    }
    let mut statement = db.prepare_cached(
        "SELECT seq, emoji, user_id FROM reactions
         WHERE conversation_id = ? AND seq > ? AND seq <= ? ORDER BY seq, created_ms, emoji, user_id",
    )?;
    let reactions = statement
        .query_map(range, |row| Ok((row.get(0)?, Reaction { emoji: row.get(1)?, user_id: row.get(2)? })))?;
    for reaction in reactions {
        let (seq, reaction) = reaction?;
        if let Some(message) = with_seq(&mut messages, seq) {
            message.reactions.push(reaction);
        }
    }
    Ok(messages)
}

fn with_seq(messages: &mut [Message], seq: i64) -> Option<&mut Message> {
    let index = messages.binary_search_by_key(&seq, |message| message.seq).ok()?;
    messages.get_mut(index)
}

fn row_to_message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let kind: String = row.get(5)?;
    Ok(Message {
        id: row.get(0)?,
        conversation_id: row.get(1)?,
        seq: row.get(2)?,
        sender_id: row.get(3)?,
        client_key: row.get(4)?,
        kind: Kind::parse(&kind).unwrap_or(Kind::Text),
        content: row.get(6)?,
        reply_to: row.get(7)?,
        metadata: row.get(8)?,
        created_ms: row.get(9)?,
        edited_ms: row.get(10)?,
        deleted_ms: row.get(11)?,
        receipts: Vec::new(),
        reactions: Vec::new(),
    })
}

/// One line of the test log.
#[cfg(feature = "faults")]
#[derive(Debug, serde::Serialize)]
pub(crate) struct LogRow {
    conversation_id: String,
    seq: i64,
    id: String,
    sender_id: String,
    client_message_id: Option<String>,
    text: String,
}

/// Every stored message in order, of one conversation or of all.
#[cfg(feature = "faults")]
pub(crate) fn log(db: &Connection, conversation_id: Option<&str>) -> Result<Vec<LogRow>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT conversation_id, seq, id, sender_id, client_key, content FROM messages
         WHERE ?1 IS NULL OR conversation_id = ?1 ORDER BY conversation_id, seq",
    )?;
    let rows = statement.query_map([conversation_id], |row| {
        let content: Vec<u8> = row.get(5)?;
        Ok(LogRow {
            conversation_id: row.get(0)?,
            seq: row.get(1)?,
            id: row.get(2)?,
            sender_id: row.get(3)?,
            client_message_id: row.get(4)?,
            text: String::from_utf8_lossy(&content).into_owned(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
