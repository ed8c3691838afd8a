//! Requests to the store and their answers.

/// The tables of the database. Its version never changes: records carry their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Generation, capabilities, settings: text keys.
    Meta,
    /// One record a queued message: keys are numbers given by the store, ever growing, so that commit order is
    /// queue order.
    Outbox,
    /// Conversations, segments, indexes: text keys.
    History,
}

/// A record's key within its table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Text(String),
    Number(u64),
}

/// One record's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    pub table: Table,
    pub key: Key,
}

impl RecordId {
    pub fn meta(key: &str) -> Self {
        Self { table: Table::Meta, key: Key::Text(key.to_owned()) }
    }

    pub fn outbox(key: u64) -> Self {
        Self { table: Table::Outbox, key: Key::Number(key) }
    }

    pub fn history(key: impl Into<String>) -> Self {
        Self { table: Table::History, key: Key::Text(key.into()) }
    }
}

/// Executed first in, first out; answered exactly once.
#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// Open (or create) the database of this name. Answered by `Opened` or `Failed`.
    Open {
        name: String,
    },
    Write(Transaction),
    /// All reads see one state of the store. Answered by `Records`, one list a read.
    Read(Vec<Read>),
    /// Delete the database's content and put this record of the generation in its place: it ends what other tabs have
    /// read and still expect. Answered by `Saved`; where there is no room for the record, it may be missing.
    Wipe {
        generation: Vec<u8>,
    },
    /// How much room there is; answered by `Estimate` or `Failed`, whatever else is asked and in no order with it. `persist`:
    /// the browser is asked first to keep the store even where the disk runs full.
    Estimate {
        persist: bool,
    },
}

/// One atomic write: all of it or nothing.
///
/// Law, so that a store can keep what is expected without reading it (`web/db/indexed_db.js`): a version is expected by
/// who has read it or written it, and has no second record; who replaces or deletes a record that anybody may expect
/// expects it too; who expects any record expects the generation as well, as it was when that record was read, or, heard
/// of from another tab, later.
///
/// A full disk refuses every put, whatever else goes: what is deleted of the history may then go before the rest, if what is
/// expected holds, and stay gone though the answer is `Failed`.
#[derive(Clone, Default)]
pub struct Transaction {
    /// The version (see `store::record_version`) of each record that nobody who expected it may have replaced, whatever
    /// stands there now; 0 is nobody's. `None`: no record may be there. Otherwise nothing is written and the answer is
    /// `Conflict`.
    pub expect: Vec<(RecordId, Option<u64>)>,
    pub puts: Vec<(RecordId, Vec<u8>)>,
    /// New outbox rows; their keys come back in `Saved`, in this order, ascending.
    pub adds: Vec<Vec<u8>>,
    pub deletes: Vec<RecordId>,
    /// Wait until the disk has it (`durability: 'strict'`), not only the operating system.
    pub strict: bool,
}

/// One read.
#[derive(Clone, Debug)]
pub enum Read {
    One(RecordId),
    /// Every record of a table, ascending by key.
    All(Table),
    /// Records with text keys that begin with `prefix`, ascending.
    Prefix {
        table: Table,
        prefix: String,
    },
}

/// A record as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub key: Key,
    pub bytes: Vec<u8>,
}

/// How a store request ended.
#[derive(Clone, Debug)]
pub enum StoreReply {
    /// `persistent` is false where only memory is left (private mode, no IndexedDB, by configuration).
    Opened {
        persistent: bool,
    },
    Saved {
        added: Vec<u64>,
    },
    Records(Vec<Vec<Record>>),
    /// What the browser says of the origin's storage.
    Estimate {
        /// It takes nothing away by itself.
        persisted: bool,
        usage_bytes: u64,
        /// 0: it does not say.
        quota_bytes: u64,
    },
    /// An expectation did not hold; nothing was written.
    Conflict,
    /// Nothing was written.
    Failed {
        kind: StoreFailure,
        message: String,
    },
    /// It may or may not have been written (a time-out, a lost handle at commit).
    Unknown,
}

/// Why a store request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreFailure {
    /// No room left.
    Quota,
    /// No database here: private mode, disabled, blocked.
    Unavailable,
    /// Anything else.
    Other,
}
