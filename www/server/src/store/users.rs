//! Accounts, and what the server remembers of itself.

use rusqlite::{Connection, OptionalExtension, params};

use super::types::{Member, Role, User};
use crate::{clock, error::ApiError, ids};

/// The account of that name, made at its first login (D5).
pub(crate) fn login(db: &Connection, name: &str) -> Result<User, ApiError> {
    let found: Option<String> = db
        .prepare_cached("SELECT id FROM users WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(User { id, name: name.to_owned() });
    }
    let id = ids::new('u')?;
    db.prepare_cached("INSERT INTO users(id, name, created_ms) VALUES (?, ?, ?)")?.execute(params![
        id,
        name,
        clock::now_ms()
    ])?;
    Ok(User { id, name: name.to_owned() })
}

pub(crate) fn all_users(db: &Connection) -> Result<Vec<User>, ApiError> {
    let mut statement = db.prepare("SELECT id, name FROM users")?;
    let rows = statement.query_map([], |row| Ok(User { id: row.get(0)?, name: row.get(1)? }))?;
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

/// The key of the tokens, made once: tokens survive a restart.
pub(crate) fn secret(db: &Connection) -> Result<Vec<u8>, ApiError> {
    let fresh = ids::random::<32>()?;
    db.execute("INSERT OR IGNORE INTO meta(key, value) VALUES ('jwt_secret', ?)", [&fresh[..]])?;
    Ok(db.query_row("SELECT value FROM meta WHERE key = 'jwt_secret'", [], |row| row.get(0))?)
}
