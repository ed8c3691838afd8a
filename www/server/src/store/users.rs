//! Accounts, and what the server remembers of itself.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::types::{Member, Role, User};
use crate::{clock, error::ApiError, ids};

/// The account of that name, made at its first login (D5).
pub(crate) fn login(db: &Connection, name: &str) -> Result<User, ApiError> {
    let user = |row: &Row<'_>| Ok(User { id: row.get(0)?, name: name.to_owned(), number: row.get(1)? });
    let found = db
        .prepare_cached("SELECT id, number FROM users WHERE name = ? AND number IS NOT NULL")?
        .query_row([name], user)
        .optional()?;
    if let Some(found) = found {
        return Ok(found);
    }
    // No account ever goes, so no number comes twice.
    let added = db
        .prepare_cached(
            "INSERT INTO users(id, name, created_ms, number)
             VALUES (?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM users)) RETURNING id, number",
        )?
        .query_row(params![ids::new('u')?, name, clock::now_ms()], user)?;
    Ok(added)
}

/// Every account but those of the scripts.
pub(crate) fn all_users(db: &Connection) -> Result<Vec<User>, ApiError> {
    let mut statement = db.prepare("SELECT id, name, number FROM users WHERE number IS NOT NULL")?;
    let rows = statement
        .query_map([], |row| Ok(User { id: row.get(0)?, name: row.get(1)?, number: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every membership, those of one conversation together and in the order of joining.
pub(crate) fn all_members(db: &Connection) -> Result<Vec<(String, Member)>, ApiError> {
    let mut statement = db.prepare(
        "SELECT conversation_id, user_id, role FROM participants ORDER BY conversation_id, joined_ms, user_id",
    )?;
    let rows = statement.query_map([], |row| {
        let role: String = row.get(2)?;
        let role = Role::parse(&role).unwrap_or(Role::Member);
        Ok((row.get(0)?, Member { user_id: row.get(1)?, role }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A user has let the assistant into something.
pub(crate) fn consent(db: &Connection, user_id: &str, what: &str) -> Result<(), ApiError> {
    db.prepare_cached("INSERT OR IGNORE INTO meta(key, value) VALUES (?, 1)")?
        .execute([consent_key(user_id, what)])?;
    Ok(())
}

pub(crate) fn has_consented(db: &Connection, user_id: &str, what: &str) -> Result<bool, ApiError> {
    Ok(db.prepare_cached("SELECT 1 FROM meta WHERE key = ?")?.exists([consent_key(user_id, what)])?)
}

fn consent_key(user_id: &str, what: &str) -> String {
    format!("consent {what} {user_id}")
}

/// The key of the tokens, made once: tokens survive a restart.
pub(crate) fn secret(db: &Connection) -> Result<Vec<u8>, ApiError> {
    let fresh = ids::random::<32>()?;
    db.execute("INSERT OR IGNORE INTO meta(key, value) VALUES ('jwt_secret', ?)", [&fresh[..]])?;
    Ok(db.query_row("SELECT value FROM meta WHERE key = 'jwt_secret'", [], |row| row.get(0))?)
}
