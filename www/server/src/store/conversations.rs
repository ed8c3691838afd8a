//! Conversations and their members.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    reading::{self, unknown_conversation},
    types::{Conversation, Draft, Member, Place, Role},
};
use crate::{
    clock,
    error::{ApiError, Code},
    ids,
    realm::{Realm, is_bot},
};

const MAX_MEMBERS: usize = 256;

/// The role of a member; NotFoundError for an unknown conversation, ForbiddenError for a stranger (T15).
pub(super) fn role_of(db: &Connection, conversation_id: &str, user_id: &str) -> Result<Role, ApiError> {
    let role: Option<String> = db
        .prepare_cached("SELECT role FROM participants WHERE conversation_id = ? AND user_id = ?")?
        .query_row([conversation_id, user_id], |row| row.get(0))
        .optional()?;
    if let Some(role) = role {
        return Ok(Role::parse(&role).unwrap_or(Role::Member));
    }
    if db.prepare_cached("SELECT 1 FROM conversations WHERE id = ?")?.exists([conversation_id])? {
        Err(ApiError::forbidden("not a participant of this conversation"))
    } else {
        Err(unknown_conversation(conversation_id))
    }
}

/// The conversation as a member sees it.
pub(crate) fn load(db: &Connection, id: &str, user_id: &str) -> Result<Conversation, ApiError> {
    role_of(db, id, user_id)?;
    load_for(db, id, user_id)
}

/// Without the check: a removed member is told once more.
fn load_for(db: &Connection, id: &str, user_id: &str) -> Result<Conversation, ApiError> {
    let mut conversation = db
        .prepare_cached(
            "SELECT kind, title, last_seq, created_ms, updated_ms FROM conversations WHERE id = ?",
        )?
        .query_row([id], |row| {
            let kind: String = row.get(0)?;
            Ok(Conversation {
                id: id.to_owned(),
                is_group: kind != "direct",
                title: row.get(1)?,
                last_seq: row.get(2)?,
                created_ms: row.get(3)?,
                updated_ms: row.get(4)?,
                members: Vec::new(),
                last_message: None,
                last_read_seq: 0,
                unread_count: 0,
            })
        })
        .optional()?
        .ok_or_else(|| unknown_conversation(id))?;
    conversation.members = members(db, id)?;
    conversation.last_message = reading::at(db, id, conversation.last_seq)?;
    let read: Option<i64> = db
        .prepare_cached("SELECT last_read_seq FROM participants WHERE conversation_id = ? AND user_id = ?")?
        .query_row([id, user_id], |row| row.get(0))
        .optional()?;
    conversation.last_read_seq = read.unwrap_or(conversation.last_seq);
    conversation.unread_count = db
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM messages WHERE conversation_id = ? AND seq > ?
               AND sender_id <> ? AND deleted_ms IS NULL LIMIT 1000)",
        )?
        .query_row(params![id, conversation.last_read_seq, user_id], |row| row.get(0))?;
    Ok(conversation)
}

fn members(db: &Connection, id: &str) -> Result<Vec<Member>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT user_id, role FROM participants WHERE conversation_id = ? ORDER BY joined_ms, user_id",
    )?;
    let rows = statement.query_map([id], |row| {
        let role: String = row.get(1)?;
        Ok(Member { user_id: row.get(0)?, role: Role::parse(&role).unwrap_or(Role::Member) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The user's conversations, the one with the newest change first; also whether there are more (T8).
pub(crate) fn list_for(
    db: &Connection,
    user_id: &str,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Conversation>, bool), ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT c.id FROM participants p JOIN conversations c ON c.id = p.conversation_id
         WHERE p.user_id = ? AND c.kind <> 'scripted' ORDER BY c.updated_ms DESC, c.id LIMIT ? OFFSET ?",
    )?;
    let ids = statement
        .query_map(params![user_id, limit.saturating_add(1), offset], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let size = usize::try_from(limit).unwrap_or(0);
    let list = ids.iter().take(size).map(|id| load_for(db, id, user_id)).collect::<Result<Vec<_>, _>>()?;
    Ok((list, ids.len() > size))
}

/// A conversation of two, or the one they have already: then `false` (T6).
pub(crate) fn create_direct(
    db: &Connection,
    creator_id: &str,
    other_id: &str,
) -> Result<(String, bool), ApiError> {
    if creator_id == other_id {
        return Err(ApiError::validation("user_id", "a direct conversation has two participants"));
    }
    check_users(db, "user_id", [other_id])?;
    let key = if creator_id < other_id {
        format!("{creator_id}|{other_id}")
    } else {
        format!("{other_id}|{creator_id}")
    };
    let existing: Option<String> = db
        .prepare_cached("SELECT id FROM conversations WHERE direct_key = ?")?
        .query_row([&key], |row| row.get(0))
        .optional()?;
    if let Some(id) = existing {
        return Ok((id, false));
    }
    let id = ids::new('c')?;
    create(db, &id, "direct", None, Some(&key))?;
    join(db, &id, creator_id, Role::Member)?;
    join(db, &id, other_id, Role::Member)?;
    Ok((id, true))
}

/// A group; its creator is its admin (T7).
pub(crate) fn create_group(
    db: &Connection,
    creator_id: &str,
    title: &str,
    participant_ids: &[String],
) -> Result<String, ApiError> {
    let others: BTreeSet<&str> =
        participant_ids.iter().map(String::as_str).filter(|id| *id != creator_id).collect();
    if others.is_empty() {
        return Err(ApiError::validation("participant_ids", "a group has two or more participants"));
    }
    if others.len() >= MAX_MEMBERS {
        return Err(too_many());
    }
    check_users(db, "participant_ids", others.iter().copied())?;
    let id = ids::new('c')?;
    create(db, &id, "group", Some(title), None)?;
    join(db, &id, creator_id, Role::Admin)?;
    for other in others {
        join(db, &id, other, Role::Member)?;
    }
    Ok(id)
}

fn too_many() -> ApiError {
    ApiError::too_large("participant_ids", format!("a group has at most {MAX_MEMBERS} participants"))
}

fn check_users<'a>(
    db: &Connection,
    field: &'static str,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<(), ApiError> {
    for id in ids {
        // A script answers on its own wire alone.
        if is_bot(id) || !db.prepare_cached("SELECT 1 FROM users WHERE id = ?")?.exists([id])? {
            let message = format!("no user {id:.64}");
            return Err(ApiError { field: Some(field), ..ApiError::not_found(message) });
        }
    }
    Ok(())
}

fn create(
    db: &Connection,
    id: &str,
    kind: &str,
    title: Option<&str>,
    direct_key: Option<&str>,
) -> Result<(), ApiError> {
    db.prepare_cached(
        "INSERT INTO conversations(id, kind, title, direct_key, created_ms, updated_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute(params![id, kind, title, direct_key, clock::now_ms()])?;
    Ok(())
}

/// Makes the place of a message, or lets its sender in, where the place wants it so; who has come by it.
pub(super) fn enter(db: &Connection, sender_id: &str, draft: &Draft) -> Result<Option<String>, ApiError> {
    let id = draft.conversation_id.as_str();
    let kind = || -> Result<Option<String>, ApiError> {
        let mut statement = db.prepare_cached("SELECT kind FROM conversations WHERE id = ?")?;
        Ok(statement.query_row([id], |row| row.get(0)).optional()?)
    };
    match &draft.place {
        // A script's wires alone know its conversations.
        Place::Conversation | Place::Channel if Realm::of(id) != Realm::People => {
            Err(unknown_conversation(id))
        }
        Place::Conversation => Ok(None),
        Place::Channel => match kind()?.as_deref() {
            // An id of ours that is not there, or no more, is nobody's to take.
            None if ids::is_ours(id) => Err(unknown_conversation(id)),
            None => {
                create(db, id, "channel", Some(id), None)?;
                join(db, id, sender_id, Role::Member)?;
                Ok(Some(sender_id.to_owned()))
            }
            Some("channel") if role_of(db, id, sender_id).is_err() => {
                if members(db, id)?.len() >= MAX_MEMBERS {
                    return Err(too_many());
                }
                join(db, id, sender_id, Role::Member)?;
                Ok(Some(sender_id.to_owned()))
            }
            Some(_) => Ok(None),
        },
        Place::Scripted { owner_id } => {
            let Some(bot) = Realm::of(id).bot() else { return Ok(None) };
            if kind()?.is_some() {
                return Ok(None);
            }
            create(db, id, "scripted", None, None)?;
            join(db, id, owner_id, Role::Member)?;
            join(db, id, bot, Role::Member)?;
            Ok(Some(owner_id.clone()))
        }
    }
}

/// What was written before a member came counts as read.
fn join(db: &Connection, id: &str, user_id: &str, role: Role) -> Result<(), ApiError> {
    db.prepare_cached(
        "INSERT INTO participants(conversation_id, user_id, role, joined_ms, last_read_seq)
         VALUES (?1, ?2, ?3, ?4, (SELECT last_seq FROM conversations WHERE id = ?1))",
    )?
    .execute(params![id, user_id, role.name(), clock::now_ms()])?;
    Ok(())
}

/// Adds a member; admins and moderators may, and only an admin names another role than `member` (T9).
pub(crate) fn add_participant(
    db: &Connection,
    id: &str,
    actor_id: &str,
    user_id: &str,
    role: Role,
) -> Result<(), ApiError> {
    let actor = check_group(db, id, actor_id)?;
    if !actor.is_trusted() || (role != Role::Member && actor != Role::Admin) {
        return Err(ApiError::forbidden("admins and moderators add members, admins give roles"));
    }
    check_users(db, "user_id", [user_id])?;
    let members = members(db, id)?;
    if members.iter().any(|member| member.user_id == user_id) {
        return Err(ApiError::new(Code::ConflictError, "already a participant"));
    }
    if members.len() >= MAX_MEMBERS {
        return Err(too_many());
    }
    join(db, id, user_id, role)?;
    touch(db, id)
}

/// Removes a member; admins and moderators may, and everybody himself. A moderator cannot remove an admin. When
/// the last admin goes, the oldest member becomes one (T9).
pub(crate) fn remove_participant(
    db: &Connection,
    id: &str,
    actor_id: &str,
    user_id: &str,
) -> Result<(), ApiError> {
    let actor = check_group(db, id, actor_id)?;
    let target = role_of(db, id, user_id)
        .map_err(|_| ApiError::not_found(format!("{user_id:.64} is not a participant")))?;
    let allowed =
        actor_id == user_id || (actor.is_trusted() && (target != Role::Admin || actor == Role::Admin));
    if !allowed {
        return Err(ApiError::forbidden("admins and moderators remove members"));
    }
    db.prepare_cached("DELETE FROM participants WHERE conversation_id = ? AND user_id = ?")?
        .execute([id, user_id])?;
    let left = members(db, id)?;
    if !left.iter().any(|member| member.role == Role::Admin)
        && let Some(oldest) = left.first()
    {
        db.prepare_cached(
            "UPDATE participants SET role = 'admin' WHERE conversation_id = ? AND user_id = ?",
        )?
        .execute([id, &oldest.user_id])?;
    }
    touch(db, id)
}

fn check_group(db: &Connection, id: &str, actor_id: &str) -> Result<Role, ApiError> {
    let role = role_of(db, id, actor_id)?;
    let kind: String = db
        .prepare_cached("SELECT kind FROM conversations WHERE id = ?")?
        .query_row([id], |row| row.get(0))?;
    if kind == "group" {
        Ok(role)
    } else {
        Err(ApiError::forbidden("a direct conversation has exactly two participants"))
    }
}

fn touch(db: &Connection, id: &str) -> Result<(), ApiError> {
    db.prepare_cached("UPDATE conversations SET updated_ms = ? WHERE id = ?")?
        .execute(params![clock::now_ms(), id])?;
    Ok(())
}

/// Everybody's view after a change, the removed member's too.
pub(crate) fn views(
    db: &Connection,
    id: &str,
    also: Option<&str>,
) -> Result<Vec<(String, Conversation)>, ApiError> {
    let members = members(db, id)?;
    let ids = members.iter().map(|member| member.user_id.as_str());
    let gone = also.filter(|user_id| members.iter().all(|member| member.user_id != *user_id));
    ids.chain(gone).map(|user_id| Ok((user_id.to_owned(), load_for(db, id, user_id)?))).collect()
}
