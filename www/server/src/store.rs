//! The database.
//!
//! Law: one thread writes. It takes the jobs that wait, runs each in a savepoint of one transaction, commits, and
//! only then tells the callers, in the order in which the jobs came. So an answer means durable (WAL with
//! `synchronous=FULL`), the order of arrival is the order of `seq`, and many senders share one fsync.

mod conversations;
mod messages;
mod reading;
mod schema;
mod statuses;
mod types;
mod users;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rusqlite::Connection;

pub(crate) use conversations::{
    add_participant, create_direct, create_group, list_for, load as load_conversation, remove_participant,
    views,
};
pub(crate) use messages::{edit, erase, insert};
#[cfg(feature = "faults")]
pub(crate) use reading::{LogRow, log};
pub(crate) use reading::{Page, Range, count_from, find, last_seq, page};
pub(crate) use statuses::{mark, react, read_up_to};
pub(crate) use types::{
    Conversation, Draft, Joined, Kind, Member, Message, NewId, Place, Reaction, ReadUpTo, Role, Sent, Status,
    StatusChange, UpTo, User,
};
pub(crate) use users::{all_members, all_users, consent, has_consented, login, secret};

use crate::error::ApiError;
use writer::Writer;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot make the folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    #[error("cannot open {0}: {1}")]
    Lock(PathBuf, std::io::Error),
    #[error("{0} is in use by another chatwire-server; stop it or give another --db")]
    InUse(PathBuf),
    #[error("{path} was written by a newer chatwire-server (schema {found}, this one knows {known})")]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("cannot open {0}: {1}")]
    Sqlite(PathBuf, rusqlite::Error),
    #[error("cannot start the writing thread: {0}")]
    Thread(std::io::Error),
}

/// The handle to the database. Readers have connections of their own and see what has been committed.
pub(crate) struct Store {
    path: PathBuf,
    writer: Writer,
    readers: Arc<Mutex<Vec<Connection>>>,
    _lock: File,
}

const IDLE_READERS: usize = 4;

impl Store {
    /// Opens or makes the file, brings it to the newest schema, starts the writing thread.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| OpenError::Folder(folder.to_owned(), e))?;
        }
        let lock = lock_file(path)?;
        let mut db = connect(path).map_err(|e| OpenError::Sqlite(path.to_owned(), e))?;
        schema::migrate(&mut db, path)?;
        let writer = Writer::start(db).map_err(OpenError::Thread)?;
        Ok(Self { path: path.to_owned(), writer, readers: Arc::default(), _lock: lock })
    }

    /// Runs `work` on the writing thread; `done` is called there after the commit (or its failure), in the order
    /// of the calls.
    pub(crate) fn write<T, F, D>(&self, work: F, done: D)
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
        D: FnOnce(Result<T, ApiError>) + Send + 'static,
    {
        self.writer.push(work, done);
    }

    /// Whether more jobs wait than should.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.writer.is_overloaded()
    }

    /// Runs `work` on a reader, off the asynchronous threads.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
    {
        let readers = self.readers.clone();
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || {
            let idle = crate::lock(&readers).pop();
            let db = match idle {
                Some(db) => db,
                None => connect(&path)?,
            };
            let result = work(&db);
            let mut idle = crate::lock(&readers);
            if idle.len() < IDLE_READERS {
                idle.push(db);
            }
            result
        });
        task.await.unwrap_or_else(|_| Err(ApiError::server("a reader of the database failed")))
    }

    /// Reads on the calling thread, for the start of the server.
    pub(crate) fn read_now<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        work(&connect(&self.path)?)
    }

    /// Commits what waits and closes the file. Later writes are refused.
    pub(crate) fn close(&self) {
        // The last connection to close folds the WAL into the file.
        crate::lock(&self.readers).clear();
        self.writer.stop();
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Members and names are also kept in memory, so a second server on the same file would see old ones.
fn lock_file(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::create(&name).map_err(|e| OpenError::Lock(name.clone(), e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(OpenError::Lock(name, error)),
    }
}
