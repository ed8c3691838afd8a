//! Reads: all of a request in one read-only transaction, so that they see one state of the store.

use js_sys::JsString;
use rexie::{KeyRange, Store};
use wasm_bindgen::prelude::*;

use super::connection::{Connection, rexie_error};
use super::{Attempt, read_tables, store_name};
use crate::proto::{Read, Record, RecordId, StoreReply};
use crate::web::convert;

pub(super) async fn run(connection: &Connection, reads: &[Read]) -> Attempt {
    match records(connection, reads).await {
        Ok(records) => Attempt::Answered(StoreReply::Records(records)),
        // Reading again is harmless, so every failure is worth a new handle.
        Err(reason) => Attempt::HandleDied(reason),
    }
}

async fn records(connection: &Connection, reads: &[Read]) -> Result<Vec<Vec<Record>>, String> {
    let mut lists = Vec::with_capacity(reads.len());
    if reads.is_empty() {
        return Ok(lists);
    }
    let transaction = connection.reading(&read_tables(reads))?;
    for read in reads {
        let (table, range) = match read {
            Read::One(id) => (id.table, None),
            Read::All(table) => (*table, None),
            Read::Prefix { table, prefix } => (*table, Some(prefix_range(prefix)?)),
        };
        let store = transaction.store(store_name(table)).map_err(|error| rexie_error(&error))?;
        lists.push(match read {
            Read::One(id) => one(&store, id).await?,
            Read::All(_) | Read::Prefix { .. } => range_of(&store, range).await?,
        });
    }
    Ok(lists)
}

async fn one(store: &Store, id: &RecordId) -> Result<Vec<Record>, String> {
    let value = store.get(convert::key_to_js(&id.key)).await.map_err(|error| rexie_error(&error))?;
    Ok(value
        .map(|value| Record { key: id.key.clone(), bytes: convert::bytes_from_js(&value) })
        .into_iter()
        .collect())
}

/// Keys and values come in two lists, both ascending by key, of one transaction: they pair up.
async fn range_of(store: &Store, range: Option<KeyRange>) -> Result<Vec<Record>, String> {
    let keys = store.get_all_keys(range.clone(), None).await.map_err(|error| rexie_error(&error))?;
    let values = store.get_all(range, None).await.map_err(|error| rexie_error(&error))?;
    let pair = |(key, value): (&JsValue, &JsValue)| Record {
        key: convert::key_from_js(key),
        bytes: convert::bytes_from_js(value),
    };
    Ok(keys.iter().zip(&values).map(pair).collect())
}

/// Everything from `prefix` to `prefix` and the highest UTF-16 unit: IndexedDB orders texts by those.
fn prefix_range(prefix: &str) -> Result<KeyRange, String> {
    let upper = JsString::from(prefix).concat(&"\u{ffff}".into());
    KeyRange::bound(&prefix.into(), &upper, None, None).map_err(|_| "no such key range".to_owned())
}
