//! The store contract over plain memory: what the shell uses where the browser has no database, and what tests and
//! the simulator run on.
//!
//! Law: it answers as the database does (`web/db/indexed_db.js`), but that a removal needs no room here. One write is
//! all or nothing, expectations are looked at before anything changes, and an outbox key is never given twice, not even
//! after a wipe. A version holds until it is replaced by who expects it, whatever has become of its record.

use crate::proto::sorted::{SortedMap, SortedSet};
use crate::proto::text::concat;
use crate::proto::wire::json::decimal;

use super::format::record_version;
use super::keys::GENERATION_KEY;
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
    /// The tables with text keys in one map: a letter for the table, then the key. A map of `RecordId` would be its own
    /// code.
    texts: SortedMap<String, Vec<u8>>,
    outbox: SortedMap<u64, Vec<u8>>,
    /// Versions that were replaced: of texts for ever, of rows until the next generation.
    ended: SortedSet<String>,
    ended_rows: SortedSet<String>,
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
        let bytes = match &id.key {
            Key::Number(number) if id.table == Table::Outbox => self.outbox.get(number),
            Key::Number(_) => None,
            Key::Text(key) => self.texts.get(&text_key(id.table, key)),
        };
        bytes.map(Vec::as_slice)
    }

    /// Carries out one request. Before the first `Open` everything else fails with `Unavailable`.
    pub fn execute(&mut self, request: &StoreRequest) -> StoreReply {
        if self.name.is_none() && !matches!(request, StoreRequest::Open { .. }) {
            return failed(StoreFailure::Unavailable, "no database is open: Open must come first");
        }
        match request {
            StoreRequest::Write(transaction) => self.write(transaction),
            StoreRequest::Read(reads) => {
                let mut lists = Vec::with_capacity(reads.len());
                for read in reads {
                    lists.push(self.read(read));
                }
                StoreReply::Records(lists)
            }
            StoreRequest::Wipe { generation } => {
                let id = RecordId::meta(GENERATION_KEY);
                if let Some(version) = self.get(&id).and_then(record_version) {
                    self.end(&id, version);
                }
                self.empty();
                self.ended_rows.clear();
                self.reign(generation);
                self.set(&id, Some(generation.clone()));
                StoreReply::Saved { added: Vec::new() }
            }
            StoreRequest::Estimate { .. } => StoreReply::Estimate {
                persisted: false,
                usage_bytes: self.used_bytes as u64,
                quota_bytes: self.limit_bytes.map_or(0, |limit| limit as u64),
            },
            StoreRequest::Open { name } => self.open(name),
        }
    }

    /// As if it had been deleted and made anew, but that the keys of the outbox count on.
    pub fn empty(&mut self) {
        self.texts.clear();
        self.outbox.clear();
        self.used_bytes = 0;
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
        if !transaction.expect.iter().all(|(id, expected)| self.holds(id, *expected)) {
            return StoreReply::Conflict;
        }
        let generation = self.get(&RecordId::meta(GENERATION_KEY));
        let over_torn = generation.is_some_and(|bytes| record_version(bytes).is_none());
        let mut last_number = self.last_number;
        for (id, _) in &transaction.puts {
            if !is_allowed(id) {
                return failed(StoreFailure::Other, WRONG_KEY);
            }
            if let Key::Number(number) = id.key {
                last_number = last_number.max(number);
            }
        }
        let mut added = Vec::with_capacity(transaction.adds.len());
        for _ in &transaction.adds {
            last_number += 1;
            added.push(last_number);
        }
        if last_number > MAX_NUMBER {
            return failed(StoreFailure::Other, "the outbox has no keys left");
        }
        if !self.apply(transaction, &added) {
            return failed(StoreFailure::Quota, "no room left in memory: the limit is reached");
        }
        self.last_number = last_number;
        self.end_versions(transaction, over_torn);
        StoreReply::Saved { added }
    }

    /// What is no record counts as none, and 0 as a version that nobody has.
    fn holds(&self, id: &RecordId, expected: Option<u64>) -> bool {
        match expected {
            None => self.get(id).and_then(record_version).is_none(),
            Some(version) => {
                let ended = if id.table == Table::Outbox { &self.ended_rows } else { &self.ended };
                version != 0 && !ended.contains(&mark(id, version))
            }
        }
    }

    /// `over_torn`: the record of the generation was none. Whoever led before may not know what has become of its rows: of
    /// those, marks stay until the claim after this one.
    fn end_versions(&mut self, transaction: &Transaction, over_torn: bool) {
        for (id, expected) in &transaction.expect {
            let put = transaction.puts.iter().any(|(other, _)| other == id);
            if let Some(version) = *expected
                && (put || transaction.deletes.contains(id))
            {
                self.end(id, version);
            }
        }
        let generation = RecordId::meta(GENERATION_KEY);
        let expected = transaction.expect.iter().any(|(id, _)| *id == generation);
        if let Some((_, bytes)) = transaction.puts.iter().find(|(id, _)| expected && *id == generation) {
            if !over_torn {
                self.ended_rows.clear();
            }
            self.reign(bytes);
        }
    }

    /// A new generation: a version that is drawn once more is in force again.
    fn reign(&mut self, generation: &[u8]) {
        let version = record_version(generation).unwrap_or_default();
        self.ended.remove(&mark(&RecordId::meta(GENERATION_KEY), version));
    }

    fn end(&mut self, id: &RecordId, version: u64) {
        let ended = if id.table == Table::Outbox { &mut self.ended_rows } else { &mut self.ended };
        ended.insert(mark(id, version));
    }

    /// Writes everything; takes it back where it has grown the store beyond its limit: `false`.
    fn apply(&mut self, transaction: &Transaction, added: &[u64]) -> bool {
        let used_before = self.used_bytes;
        let mut before = Vec::new();
        for (id, bytes) in &transaction.puts {
            before.push((id.clone(), self.set(id, Some(bytes.clone()))));
        }
        for (number, bytes) in added.iter().zip(&transaction.adds) {
            let id = RecordId::outbox(*number);
            let old = self.set(&id, Some(bytes.clone()));
            before.push((id, old));
        }
        for id in &transaction.deletes {
            before.push((id.clone(), self.set(id, None)));
        }
        let has_room = self.limit_bytes.is_none_or(|limit| self.used_bytes <= limit);
        if has_room || self.used_bytes <= used_before {
            return true;
        }
        while let Some((id, bytes)) = before.pop() {
            self.set(&id, bytes);
        }
        false
    }

    /// Puts or removes a record; what stood there before.
    fn set(&mut self, id: &RecordId, bytes: Option<Vec<u8>>) -> Option<Vec<u8>> {
        if !is_allowed(id) {
            return None;
        }
        self.used_bytes += bytes.as_ref().map_or(0, |bytes| size(id, bytes));
        let old = match (&id.key, bytes) {
            (Key::Number(number), Some(bytes)) => self.outbox.insert(*number, bytes).map(|old| *old),
            (Key::Number(number), None) => self.outbox.remove(number),
            (Key::Text(key), Some(bytes)) => {
                self.texts.insert(text_key(id.table, key), bytes).map(|old| *old)
            }
            (Key::Text(key), None) => self.texts.remove(&text_key(id.table, key)),
        };
        self.used_bytes -= old.as_ref().map_or(0, |old| size(id, old));
        old
    }

    fn read(&self, read: &Read) -> Vec<Record> {
        let mut records = Vec::new();
        match read {
            Read::One(id) => {
                if let Some(bytes) = self.get(id) {
                    records.push(Record { key: id.key.clone(), bytes: bytes.to_vec() });
                }
            }
            Read::All(Table::Outbox) => {
                for (number, bytes) in self.outbox.iter() {
                    records.push(Record { key: Key::Number(*number), bytes: bytes.to_vec() });
                }
            }
            Read::All(table) => self.read_texts(*table, "", &mut records),
            Read::Prefix { table, prefix } => self.read_texts(*table, prefix, &mut records),
        }
        records
    }

    fn read_texts(&self, table: Table, prefix: &str, records: &mut Vec<Record>) {
        let first = text_key(table, prefix);
        for (key, bytes) in self.texts.from(&first) {
            if !key.starts_with(&first) {
                break;
            }
            let key = key.get(1..).unwrap_or_default().to_owned();
            records.push(Record { key: Key::Text(key), bytes: bytes.to_vec() });
        }
    }
}

/// What stands for a version that was replaced.
fn mark(id: &RecordId, version: u64) -> String {
    let (version, key) = (
        decimal(version),
        match &id.key {
            Key::Text(text) => text_key(id.table, text),
            Key::Number(number) => decimal(*number),
        },
    );
    concat(&[&key, "/", &version])
}

fn text_key(table: Table, key: &str) -> String {
    let letter = match table {
        Table::Meta => "m",
        Table::Outbox => "o",
        Table::History => "h",
    };
    concat(&[letter, key])
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
