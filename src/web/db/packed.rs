//! Requests and answers as they cross into `indexed_db.js`: places and lengths as JSON, bytes one behind the other; what is
//! read in bytes alone, since it is most, and at the start somebody waits for it.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{Attempt, failed};
use crate::proto::store::{GENERATION_KEY, Reader};
use crate::proto::text::concat;
use crate::proto::wire::json::{self, Kind, RawValue, push_json_string, push_uint};
use crate::proto::{
    Changes, Key, Read, Record, RecordId, StoreFailure, StoreReply, StoreRequest, Table, Transaction,
};

#[wasm_bindgen(module = "/src/web/db/packed.js")]
extern "C" {
    fn packed(lists: &JsValue) -> Uint8Array;
}

/// A request on its way.
#[derive(Default)]
pub(super) struct Packed {
    pub places: String,
    pub bytes: Vec<u8>,
}

impl Packed {
    pub(super) fn new(request: &StoreRequest) -> Self {
        let mut packed = Self::default();
        match request {
            StoreRequest::Read(reads) => packed.reads(reads),
            StoreRequest::Write(transaction) => {
                packed.transaction(transaction);
                packed.places.push_str(r#","clear":[]}"#);
            }
            // The key generator counts on: an outbox key is never given twice. A generation that there is, is found by the
            // conflict.
            StoreRequest::Wipe { generation } => {
                let id = RecordId::meta(GENERATION_KEY);
                let (expect, puts) = (vec![(id.clone(), None)], vec![(id, generation.clone())]);
                packed.transaction(&Transaction { expect, puts, strict: true, ..Transaction::default() });
                packed.places.push_str(r#","clear":[[0],[1],[2]]}"#);
            }
            StoreRequest::Open { .. } | StoreRequest::Estimate { .. } => {}
        }
        packed
    }

    fn reads(&mut self, reads: &[Read]) {
        self.begin("");
        for read in reads {
            let (table, how) = match read {
                Read::One(id) => (id.table, ",0,"),
                Read::All(table) => (*table, ",1,"),
                Read::Prefix { table, .. } => (*table, ",2,"),
            };
            self.item(table);
            self.places.push_str(how);
            match read {
                Read::One(id) => self.key(&id.key),
                Read::All(_) => self.places.push('0'),
                Read::Prefix { prefix, .. } => push_json_string(&mut self.places, prefix),
            }
            self.places.push(']');
        }
        self.places.push(']');
    }

    fn transaction(&mut self, transaction: &Transaction) {
        self.places.push_str(if transaction.strict { r#"{"strict":true"# } else { r#"{"strict":false"# });
        self.begin(r#","expect":"#);
        for (id, version) in &transaction.expect {
            self.place(id);
            // As text: it needs more digits than a number has in JavaScript.
            match version {
                Some(version) => {
                    self.places.push_str(",\"");
                    push_uint(&mut self.places, *version);
                    self.places.push_str("\"]");
                }
                None => self.places.push_str(",null]"),
            }
        }
        self.begin(r#"],"puts":"#);
        for (id, bytes) in &transaction.puts {
            self.place(id);
            self.places.push(',');
            self.record(bytes);
            self.places.push(']');
        }
        self.begin(r#"],"adds":"#);
        for bytes in &transaction.adds {
            self.comma();
            self.record(bytes);
        }
        self.begin(r#"],"deletes":"#);
        for id in &transaction.deletes {
            self.place(id);
            self.places.push(']');
        }
        let generation = RecordId::meta(GENERATION_KEY);
        let claims = transaction.puts.iter().any(|(id, _)| *id == generation);
        self.places.push_str(if claims { r#"],"claims":true"# } else { r#"],"claims":false"# });
    }

    fn begin(&mut self, name: &str) {
        self.places.push_str(name);
        self.places.push('[');
    }

    fn comma(&mut self) {
        if !self.places.ends_with('[') {
            self.places.push(',');
        }
    }

    fn item(&mut self, table: Table) {
        self.comma();
        self.places.push('[');
        self.places.push(match table {
            Table::Meta => '0',
            Table::Outbox => '1',
            Table::History => '2',
        });
    }

    fn place(&mut self, id: &RecordId) {
        self.item(id.table);
        self.places.push(',');
        self.key(&id.key);
    }

    fn key(&mut self, key: &Key) {
        match key {
            Key::Text(text) => push_json_string(&mut self.places, text),
            Key::Number(number) => push_uint(&mut self.places, *number),
        }
    }

    fn version(&mut self, version: Option<u64>) {
        self.places.push(',');
        match version {
            Some(version) => push_uint(&mut self.places, version),
            None => self.places.push_str("null"),
        }
    }

    fn record(&mut self, bytes: &[u8]) {
        push_uint(&mut self.places, bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }
}

/// Reads an answer; the numbers are those at the head of `indexed_db.js`.
pub(super) fn attempt(answer: &JsValue) -> Attempt {
    let parts: &Array = answer.unchecked_ref();
    let text = || parts.get(1).as_string().unwrap_or_default();
    Attempt::Answered(match parts.get(0).as_f64().unwrap_or(-1.0) as i32 {
        0 => StoreReply::Saved { added: numbers(&text()) },
        1 => records(&packed(&parts.get(1)).to_vec()).map_or(StoreReply::Unknown, StoreReply::Records),
        2 => StoreReply::Conflict,
        4 => return Attempt::HandleDied(text()),
        5 => failed(StoreFailure::Quota, "the origin's storage is full"),
        6 => failed(StoreFailure::Other, concat(&["the transaction was aborted: ", &text()])),
        _ => StoreReply::Unknown,
    })
}

/// Reads what `estimateStorage` says.
pub(super) fn estimate(answer: &JsValue) -> StoreReply {
    let parts: &Array = answer.unchecked_ref();
    let bytes = |at: u32| parts.get(at).as_f64().unwrap_or_default() as u64;
    StoreReply::Estimate { persisted: parts.get(0).is_truthy(), usage_bytes: bytes(1), quota_bytes: bytes(2) }
}

fn items(raw: &RawValue) -> Vec<&RawValue> {
    json::array(raw).unwrap_or_default()
}

fn numbers(text: &str) -> Vec<u64> {
    let list = json::parse(text, 0).map(items).unwrap_or_default();
    list.into_iter().filter_map(json::uint).collect()
}

/// What `packed` has written. `None`: it is not of that shape.
fn records(bytes: &[u8]) -> Option<Vec<Vec<Record>>> {
    let mut reader = Reader::new(bytes);
    let mut lists = Vec::new();
    for _ in 0..reader.fixed_u32() {
        let mut records = Vec::new();
        for _ in 0..reader.fixed_u32() {
            let (key, length) = (reader.fixed_u32(), reader.fixed_u32());
            let key = core::str::from_utf8(reader.take(key.into())).ok()?;
            // No text that is a key here has digits alone.
            let key = json::digits(key).map_or_else(|| Key::Text(key.to_owned()), Key::Number);
            records.push(Record { key, bytes: reader.take(length.into()).to_vec() });
        }
        lists.push(records);
    }
    reader.finish().ok().map(|()| lists)
}

/// Changes on their way to other tabs: `[generation, stamp, puts, deletes]`, and the records' bytes.
pub fn changes(changes: &Changes) -> (String, Vec<u8>) {
    let mut packed = Packed::default();
    packed.places.push('[');
    push_uint(&mut packed.places, changes.generation);
    packed.places.push(',');
    push_uint(&mut packed.places, changes.stamp);
    packed.begin(",");
    for (id, version, bytes) in &changes.puts {
        packed.place(id);
        packed.version(*version);
        packed.places.push(',');
        packed.record(bytes);
        packed.places.push(']');
    }
    packed.begin("],");
    for (id, version) in &changes.deletes {
        packed.place(id);
        packed.version(*version);
        packed.places.push(']');
    }
    packed.places.push_str("]]");
    (packed.places, packed.bytes)
}

/// Reads them; `None`: they are not of that shape.
pub fn read_changes(places: &str, mut bytes: &[u8]) -> Option<Changes> {
    let all = json::parse(places, 0).ok().map(items)?;
    let &[generation, stamp, puts, deletes] = all.as_slice() else { return None };
    let (generation, stamp) = (json::uint(generation)?, json::uint(stamp)?);
    let mut changes = Changes { generation, stamp, puts: Vec::new(), deletes: Vec::new() };
    for put in items(puts) {
        let &[table, key, version, length] = items(put).as_slice() else { return None };
        let (record, rest) = bytes.split_at_checked(json::uint(length)? as usize)?;
        bytes = rest;
        changes.puts.push((place_of(table, key)?, json::uint(version), record.to_vec()));
    }
    for delete in items(deletes) {
        let &[table, key, version] = items(delete).as_slice() else { return None };
        changes.deletes.push((place_of(table, key)?, json::uint(version)));
    }
    Some(changes)
}

fn place_of(table: &RawValue, key: &RawValue) -> Option<RecordId> {
    let table = match json::uint(table)? {
        0 => Table::Meta,
        1 => Table::Outbox,
        2 => Table::History,
        _ => return None,
    };
    Some(RecordId { table, key: key_of(key)? })
}

fn key_of(key: &RawValue) -> Option<Key> {
    match json::kind(key) {
        Kind::Number => json::uint(key).map(Key::Number),
        _ => json::string(key).map(|text| Key::Text(text.into_owned())),
    }
}
