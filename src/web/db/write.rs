//! Writes: expectations, puts, adds and deletes in one transaction, on the raw handle.
//!
//! Law: nothing but the transaction's own requests is awaited in it, or it would commit half done. Only `complete`
//! is `Saved`; an abort wrote nothing, unless the handle was lost, which may have been at the commit.

use std::future::Future;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbObjectStore, IdbRequest, IdbTransaction};

use super::connection::Connection;
use super::{Attempt, HISTORY, META, OUTBOX, failed, store_name, write_tables};
use crate::proto::store::record_version;
use crate::proto::{Key, RecordId, StoreFailure, StoreReply, Transaction};
use crate::web::convert;

pub(super) async fn run(connection: &Connection, transaction: &Transaction) -> Attempt {
    let stores = write_tables(transaction);
    if stores.is_empty() {
        return Attempt::Answered(StoreReply::Saved { added: Vec::new() });
    }
    let raw = match connection.writing(&stores, transaction.strict) {
        Ok(raw) => raw,
        Err(reason) => return Attempt::HandleDied(reason),
    };
    let end = end_of(&raw);
    let written = match write(&raw, transaction).await {
        Ok(Some(added)) => end.await.map(|_| StoreReply::Saved { added }),
        Ok(None) => {
            // Already aborting where this throws.
            let _ = raw.abort();
            let _ = end.await;
            Ok(StoreReply::Conflict)
        }
        Err(error) => {
            let _ = raw.abort();
            let _ = end.await;
            Err(error)
        }
    };
    Attempt::Answered(written.unwrap_or_else(|error| failure(connection, &raw, &error)))
}

/// Empties all tables. The key generator counts on: an outbox key is never given twice.
pub(super) async fn clear(connection: &Connection) -> Attempt {
    let stores = [META, OUTBOX, HISTORY];
    let raw = match connection.writing(&stores, true) {
        Ok(raw) => raw,
        Err(reason) => return Attempt::HandleDied(reason),
    };
    let end = end_of(&raw);
    let cleared = stores.iter().try_for_each(|name| raw.object_store(name)?.clear().map(drop));
    let ended = end.await;
    Attempt::Answered(match cleared.and(ended) {
        Ok(_) => StoreReply::Saved { added: Vec::new() },
        Err(error) => failure(connection, &raw, &error),
    })
}

/// Issues everything; `None` where an expectation does not hold.
async fn write(raw: &IdbTransaction, transaction: &Transaction) -> Result<Option<Vec<u64>>, JsValue> {
    let mut found = Vec::with_capacity(transaction.expect.len());
    for (id, _) in &transaction.expect {
        found.push(result_of(store(raw, id)?.get(&convert::key_to_js(&id.key))?));
    }
    for ((_, expected), found) in transaction.expect.iter().zip(found) {
        if record_version(&convert::bytes_from_js(&found.await?)) != *expected {
            return Ok(None);
        }
    }
    for (id, bytes) in &transaction.puts {
        store(raw, id)?.put_with_key(&convert::bytes_to_js(bytes), &convert::key_to_js(&id.key))?;
    }
    for id in &transaction.deletes {
        store(raw, id)?.delete(&convert::key_to_js(&id.key))?;
    }
    let mut adding = Vec::with_capacity(transaction.adds.len());
    if !transaction.adds.is_empty() {
        let outbox = raw.object_store(OUTBOX)?;
        for bytes in &transaction.adds {
            adding.push(result_of(outbox.add(&convert::bytes_to_js(bytes))?));
        }
    }
    let mut added = Vec::with_capacity(adding.len());
    for key in adding {
        if let Key::Number(number) = convert::key_from_js(&key.await?) {
            added.push(number);
        }
    }
    Ok(Some(added))
}

fn store(raw: &IdbTransaction, id: &RecordId) -> Result<IdbObjectStore, JsValue> {
    raw.object_store(store_name(id.table))
}

/// The browser's own functions `resolve` and `reject` stand as handlers: no closure of ours must outlive anything.
/// A promise is settled within the event, so the transaction is still active when the await returns.
fn result_of(request: IdbRequest) -> impl Future<Output = Result<JsValue, JsValue>> {
    let settled = JsFuture::from(Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    }));
    async move {
        settled.await?;
        request.result()
    }
}

fn end_of(raw: &IdbTransaction) -> JsFuture {
    JsFuture::from(Promise::new(&mut |resolve, reject| {
        raw.set_oncomplete(Some(&resolve));
        raw.set_onabort(Some(&reject));
    }))
}

/// `error` is an exception thrown by a call, or the event that told of a failure, which has no name.
fn failure(connection: &Connection, raw: &IdbTransaction, error: &JsValue) -> StoreReply {
    let name = raw.error().map_or_else(|| convert::error_name(error), |exception| exception.name());
    match name.as_str() {
        "QuotaExceededError" => failed(StoreFailure::Quota, "the origin's storage is full"),
        // Safari's word for a lost database server.
        "UnknownError" => StoreReply::Unknown,
        _ if connection.is_dead() => StoreReply::Unknown,
        _ => failed(StoreFailure::Other, format!("the transaction was aborted: {name}")),
    }
}
