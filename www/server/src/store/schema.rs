//! The schema and its migrations: one step a version, each in a transaction, kept for ever.

use std::path::Path;

use rusqlite::Connection;

use super::OpenError;

/// Step N brings version N to N + 1. Never change a step that has been released: add one.
const STEPS: &[&str] = &["
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE users(
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE conversations(
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT, direct_key TEXT UNIQUE,
  last_seq INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE participants(
  conversation_id TEXT NOT NULL REFERENCES conversations(id), user_id TEXT NOT NULL REFERENCES users(id),
  role TEXT NOT NULL, joined_ms INTEGER NOT NULL, last_read_seq INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(conversation_id, user_id)
) WITHOUT ROWID;
CREATE INDEX participants_by_user ON participants(user_id);
CREATE TABLE messages(
  conversation_id TEXT NOT NULL REFERENCES conversations(id), seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
  sender_id TEXT NOT NULL REFERENCES users(id), client_key TEXT, fingerprint BLOB NOT NULL,
  kind TEXT NOT NULL, content BLOB NOT NULL, reply_to TEXT, metadata TEXT,
  created_ms INTEGER NOT NULL, edited_ms INTEGER, deleted_ms INTEGER,
  PRIMARY KEY(conversation_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX messages_by_key ON messages(sender_id, client_key) WHERE client_key IS NOT NULL;
CREATE TABLE receipts(
  conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, user_id TEXT NOT NULL REFERENCES users(id),
  delivered_ms INTEGER NOT NULL, read_ms INTEGER,
  PRIMARY KEY(conversation_id, seq, user_id),
  FOREIGN KEY(conversation_id, seq) REFERENCES messages(conversation_id, seq)
) WITHOUT ROWID;
CREATE TABLE reactions(
  conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, emoji TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users(id), created_ms INTEGER NOT NULL,
  PRIMARY KEY(conversation_id, seq, emoji, user_id),
  FOREIGN KEY(conversation_id, seq) REFERENCES messages(conversation_id, seq)
) WITHOUT ROWID;
",
// Numbers for wires whose users have no other ids, and the accounts of the scripts: nobody logs in under such names.
"
ALTER TABLE users ADD COLUMN number INTEGER;
UPDATE users SET number = n.number
  FROM (SELECT id, row_number() OVER (ORDER BY created_ms, id) AS number FROM users) AS n WHERE n.id = users.id;
CREATE UNIQUE INDEX users_by_number ON users(number);
INSERT INTO users(id, name, created_ms)
  VALUES ('companion', char(1) || 'companion', 0), ('assistant', char(1) || 'assistant', 0);
"];

/// Brings the file to the newest version.
pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found = run(db, STEPS).map_err(|error| OpenError::Sqlite(path.to_owned(), error))?;
    if found > known { Err(OpenError::Newer { path: path.to_owned(), found, known }) } else { Ok(()) }
}

/// Returns the version the file has afterwards.
fn run(db: &mut Connection, steps: &[&str]) -> rusqlite::Result<i64> {
    let mut version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    while let Some(step) = usize::try_from(version).ok().and_then(|version| steps.get(version)) {
        let transaction = db.transaction()?;
        transaction.execute_batch(step)?;
        version += 1;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_one_step() {
        let mut db = Connection::open_in_memory().unwrap();
        assert_eq!(run(&mut db, &["CREATE TABLE a(x)"]).unwrap(), 1);
        let steps = ["CREATE TABLE a(x)", "CREATE TABLE b(x)", "INSERT INTO a VALUES (1)"];
        assert_eq!(run(&mut db, &steps).unwrap(), 3);
        assert_eq!(run(&mut db, &steps).unwrap(), 3);
        let rows: i64 = db.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_failing_step_leaves_the_version_before_it() {
        let mut db = Connection::open_in_memory().unwrap();
        assert!(run(&mut db, &["CREATE TABLE a(x)", "CREATE TABLE b(x); NONSENSE"]).is_err());
        assert_eq!(run(&mut db, &["CREATE TABLE a(x)", "CREATE TABLE b(x)"]).unwrap(), 2);
    }

    #[test]
    fn users_of_the_first_version_get_numbers_in_the_order_of_their_coming() {
        let mut db = Connection::open_in_memory().unwrap();
        run(&mut db, STEPS.get(..1).unwrap()).unwrap();
        db.execute_batch("INSERT INTO users VALUES ('u_b', 'ben', 5), ('u_a', 'ana', 9), ('u_c', 'cai', 5)")
            .unwrap();
        migrate(&mut db, Path::new("x.db")).unwrap();
        let mut statement = db.prepare("SELECT id, number FROM users ORDER BY created_ms, id").unwrap();
        let numbers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let numbers: Vec<(String, Option<i64>)> = numbers.collect::<Result<_, _>>().unwrap();
        let of = |id: &str, number| (id.to_owned(), number);
        assert_eq!(
            numbers,
            [
                of("assistant", None),
                of("companion", None),
                of("u_b", Some(1)),
                of("u_c", Some(2)),
                of("u_a", Some(3))
            ]
        );
        let next = super::super::login(&db, "dan").unwrap();
        assert_eq!(next.number, 4);
        assert_eq!(super::super::login(&db, "dan").unwrap().id, next.id);
    }

    #[test]
    fn a_newer_file_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut db, Path::new("x.db")).unwrap_err();
        assert!(error.to_string().contains("schema 99"), "{error}");
    }
}
