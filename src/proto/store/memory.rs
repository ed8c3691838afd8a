//! The store contract over plain memory: what the shell uses where the browser has no database, and what tests and
//! the simulator run on.
//!
//! Law: it answers as the database does. One write is all or nothing, expectations are looked at before anything
//! changes, and an outbox key is never given twice, not even after a wipe.

use crate::proto::sorted::SortedMap;

use super::format::record_version;
use crate::proto::api::{
    Key, Read, Record, RecordId, StoreFailure, StoreReply, StoreRequest, Table, Transaction,
};

/// The largest key that a browser's generator gives or takes.
const MAX_NUMBER: u64 = 1 << 53;

const WRONG_KEY: &str = "wrong key: the outbox takes numbers up to 2^53, the other tables texts";

/// One database in memory. A clone is a copy of its content at that moment.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    name: Option<String>,
    /// One map for all tables: a table's records stand together, in the order of their keys.
    records: SortedMap<RecordId, Vec<u8>>,
    /// The last outbox key given.
    last_number: u64,
    used_bytes: usize,
    limit_bytes: Option<usize>,
}

impl MemoryStore {
    /// Empty, not opened, without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Empty, not opened, with room for `limit_bytes` of keys and records.
    pub fn with_limit(limit_bytes: usize) -> Self {
        Self { limit_bytes: Some(limit_bytes), ..Self::default() }
    }

    /// Changes the limit. What is stored already stays, and may always shrink.
    pub fn set_limit(&mut self, limit_bytes: Option<usize>) {
        self.limit_bytes = limit_bytes;
    }

    /// Bytes of keys and records.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// The bytes of one record.
    pub fn get(&self, id: &RecordId) -> Option<&[u8]> {
        self.records.get(id).map(Vec::as_slice)
    }

    /// Carries out one request. Before the first `Open` everything else fails with `Unavailable`.
    pub fn execute(&mut self, request: &StoreRequest) -> StoreReply {
        if let StoreRequest::Open { name } = request {
            return self.open(name);
        }
        if self.name.is_none() {
            return failed(StoreFailure::Unavailable, "no database is open: Open must come first");
        }
        match request {
            StoreRequest::Write(transaction) => self.write(transaction),
            StoreRequest::Read(reads) => {
                StoreReply::Records(reads.iter().map(|read| self.read(read)).collect())
            }
            StoreRequest::Wipe | StoreRequest::Open { .. } => {
                self.records.clear();
                self.used_bytes = 0;
                StoreReply::Saved { added: Vec::new() }
            }
        }
    }

    fn open(&mut self, name: &str) -> StoreReply {
        match &self.name {
            Some(open) if open != name => {
                return failed(
                    StoreFailure::Other,
                    "a memory store is one database, and another one is open",
                );
            }
            _ => self.name = Some(name.to_owned()),
        }
        StoreReply::Opened { persistent: false }
    }

    fn write(&mut self, transaction: &Transaction) -> StoreReply {
        let version = |id: &RecordId| self.get(id).and_then(record_version);
        if transaction.expect.iter().any(|(id, expected)| version(id) != *expected) {
            return StoreReply::Conflict;
        }
        if !transaction.puts.iter().all(|(id, _)| is_allowed(id)) {
            return failed(StoreFailure::Other, WRONG_KEY);
        }
        let put_numbers = transaction.puts.iter().filter_map(|(id, _)| match id.key {
            Key::Number(number) => Some(number),
            Key::Text(_) => None,
        });
        let first_free = put_numbers.fold(self.last_number, u64::max) + 1;
        let added: Vec<u64> = (first_free..).take(transaction.adds.len()).collect();
        if added.last().is_some_and(|last| *last > MAX_NUMBER) {
            return failed(StoreFailure::Other, "the outbox has no keys left");
        }
        if self.exceeds_limit(transaction, &added) {
            return failed(StoreFailure::Quota, "no room left in memory: the limit is reached");
        }
        self.last_number = first_free - 1 + added.len() as u64;
        for (id, bytes) in &transaction.puts {
            self.insert(id.clone(), bytes.clone());
        }
        for (number, bytes) in added.iter().zip(&transaction.adds) {
            self.insert(RecordId::outbox(*number), bytes.clone());
        }
        for id in &transaction.deletes {
            self.remove(id);
        }
        StoreReply::Saved { added }
    }

    /// Whether this write would grow the store beyond its limit.
    fn exceeds_limit(&self, transaction: &Transaction, added: &[u64]) -> bool {
        let Some(limit) = self.limit_bytes else { return false };
        // What each touched record will take; the later of two wins, as in the write itself.
        let mut after: SortedMap<RecordId, usize> = SortedMap::new();
        for (id, bytes) in &transaction.puts {
            after.insert(id.clone(), size(id, bytes));
        }
        for (number, bytes) in added.iter().zip(&transaction.adds) {
            let id = RecordId::outbox(*number);
            after.insert(id.clone(), size(&id, bytes));
        }
        for id in &transaction.deletes {
            after.insert(id.clone(), 0);
        }
        let old: usize = after.keys().map(|id| self.get(id).map_or(0, |bytes| size(id, bytes))).sum();
        let new: usize = after.values().sum();
        new > old && self.used_bytes - old + new > limit
    }

    fn insert(&mut self, id: RecordId, bytes: Vec<u8>) {
        self.remove(&id);
        self.used_bytes += size(&id, &bytes);
        self.records.insert(id, bytes);
    }

    fn remove(&mut self, id: &RecordId) {
        if let Some(bytes) = self.records.remove(id) {
            self.used_bytes -= size(id, &bytes);
        }
    }

    fn read(&self, read: &Read) -> Vec<Record> {
        match read {
            Read::One(id) => self
                .get(id)
                .map(|bytes| Record { key: id.key.clone(), bytes: bytes.to_vec() })
                .into_iter()
                .collect(),
            Read::All(table) => self.read_from(*table, "", |_| true),
            Read::Prefix { table, prefix } => self.read_from(
                *table,
                prefix,
                |key| matches!(key, Key::Text(text) if text.starts_with(prefix)),
            ),
        }
    }

    fn read_from(&self, table: Table, first: &str, belongs: impl Fn(&Key) -> bool) -> Vec<Record> {
        // Texts come before numbers, so the empty text is the first key of any table.
        let start = RecordId { table, key: Key::Text(first.to_owned()) };
        let mut records = Vec::new();
        for (id, bytes) in self.records.from(&start) {
            if id.table != table || !belongs(&id.key) {
                break;
            }
            records.push(Record { key: id.key.clone(), bytes: bytes.to_vec() });
        }
        records
    }
}

fn is_allowed(id: &RecordId) -> bool {
    match (&id.table, &id.key) {
        (Table::Outbox, Key::Number(number)) => *number <= MAX_NUMBER,
        (Table::Meta | Table::History, Key::Text(_)) => true,
        _ => false,
    }
}

fn size(id: &RecordId, bytes: &[u8]) -> usize {
    let key = match &id.key {
        Key::Text(text) => text.len(),
        Key::Number(_) => 8,
    };
    key + bytes.len()
}

fn failed(kind: StoreFailure, message: &str) -> StoreReply {
    StoreReply::Failed { kind, message: message.to_owned() }
}
