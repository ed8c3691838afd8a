//! The two handles of one database: rexie's, which creates it and reads; and a raw one, opened by `idb`, which
//! writes, since rexie can neither ask for strict durability nor show its handle.
//!
//! Law: the version stays 1 for ever (records carry their own), so neither open is an upgrade that could be blocked
//! by another tab; it may still wait behind a deletion, hence the limit.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use futures_util::future::{Either, select};
use js_sys::Array;
use rexie::{ObjectStore, Rexie};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{IdbDatabase, IdbTransaction};

use super::{HISTORY, META, OUTBOX};
use crate::web::convert;
use crate::web::timer::Delay;

const VERSION: u32 = 1;
const OPEN_TIMEOUT_MS: u32 = 5_000;

#[wasm_bindgen]
extern "C" {
    /// web-sys has the options of a transaction only behind its unstable flag.
    type DurableDatabase;
    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn begin(
        this: &DurableDatabase,
        stores: &Array,
        mode: &str,
        options: &JsValue,
    ) -> Result<IdbTransaction, JsValue>;
}

pub(super) struct Connection {
    /// Taken when this is dropped: closing consumes it.
    reader: RefCell<Option<Rexie>>,
    writer: IdbDatabase,
    dead: Rc<Cell<bool>>,
    _on_end: Closure<dyn FnMut()>,
}

impl Connection {
    /// Opens or creates. The error says what the browser said.
    pub(super) async fn open(name: &str) -> Result<Self, String> {
        let builder = Rexie::builder(name)
            .version(VERSION)
            .add_object_store(ObjectStore::new(META))
            .add_object_store(ObjectStore::new(OUTBOX).auto_increment(true))
            .add_object_store(ObjectStore::new(HISTORY));
        let reader =
            in_time(async { builder.build().await.map_err(|error| rexie_error(&error)) }, Rexie::close)
                .await?;
        let name = name.to_owned();
        let raw = async move {
            let factory = idb::Factory::new().map_err(|error| idb_error(&error))?;
            let request = factory.open(&name, Some(VERSION)).map_err(|error| idb_error(&error))?;
            request.await.map(IdbDatabase::from).map_err(|error| idb_error(&error))
        };
        let writer = match in_time(raw, |database| database.close()).await {
            Ok(writer) => writer,
            Err(reason) => {
                reader.close();
                return Err(reason);
            }
        };
        Ok(Self::watch(reader, writer))
    }

    /// Both handles hear the same events; rexie's closes itself at `versionchange` without a word, so what the raw
    /// one hears counts for both.
    fn watch(reader: Rexie, writer: IdbDatabase) -> Self {
        let dead = Rc::new(Cell::new(false));
        let (flag, handle) = (dead.clone(), writer.clone());
        let on_end = Closure::new(move || {
            flag.set(true);
            // At once: another tab waits for it with a deletion. Transactions under way still finish.
            handle.close();
        });
        writer.set_onversionchange(Some(on_end.as_ref().unchecked_ref()));
        writer.set_onclose(Some(on_end.as_ref().unchecked_ref()));
        Self { reader: RefCell::new(Some(reader)), writer, dead, _on_end: on_end }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// A read transaction of rexie's.
    pub(super) fn reading(&self, stores: &[&str]) -> Result<rexie::Transaction, String> {
        let reader = self.reader.borrow();
        let reader = reader.as_ref().ok_or("closed")?;
        reader.transaction(stores, rexie::TransactionMode::ReadOnly).map_err(|error| rexie_error(&error))
    }

    /// A write transaction. Where a browser knows no durability, it ignores the option.
    pub(super) fn writing(&self, stores: &[&str], strict: bool) -> Result<IdbTransaction, String> {
        let durability = if strict { "strict" } else { "relaxed" };
        let options = convert::object(&[("durability", &durability.into())]);
        let stores = convert::strings(stores.iter().copied());
        let database: &DurableDatabase = self.writer.unchecked_ref();
        database.begin(&stores, "readwrite", &options).map_err(|error| convert::error_name(&error))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.writer.set_onversionchange(None);
        self.writer.set_onclose(None);
        self.writer.close();
        if let Some(reader) = self.reader.take() {
            reader.close();
        }
    }
}

/// `work`, or an error after the limit; what comes too late is closed: an open handle would block deletions.
async fn in_time<T: 'static>(
    work: impl Future<Output = Result<T, String>> + 'static,
    close: impl FnOnce(T) + 'static,
) -> Result<T, String> {
    match select(Box::pin(work), Delay::new(OPEN_TIMEOUT_MS)).await {
        Either::Left((result, _)) => result,
        Either::Right((_, work)) => {
            spawn_local(async move {
                if let Ok(late) = work.await {
                    close(late);
                }
            });
            Err(format!(
                "the database did not open within {OPEN_TIMEOUT_MS} ms: another tab may be deleting it"
            ))
        }
    }
}

/// The name of the exception in an error, without the crates' own texts, which are long.
pub(super) fn rexie_error(error: &rexie::Error) -> String {
    match error {
        rexie::Error::IdbError(error) => idb_error(error),
        _ => "transaction failed".to_owned(),
    }
}

fn idb_error(error: &idb::Error) -> String {
    match error {
        idb::Error::DomException(exception) => exception.name(),
        idb::Error::IndexedDbOpenFailed(exception)
        | idb::Error::TransactionOpenFailed(exception)
        | idb::Error::ObjectStoreNotFound(exception)
        | idb::Error::GetFailed(exception)
        | idb::Error::GetAllFailed(exception)
        | idb::Error::GetAllKeysFailed(exception) => convert::error_name(exception),
        idb::Error::IndexedDbNotFound(_) => "IndexedDB is missing".to_owned(),
        _ => "IndexedDB failed".to_owned(),
    }
}
