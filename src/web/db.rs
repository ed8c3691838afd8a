//! The store: IndexedDB where the browser has one, memory where it has not.
//!
//! Law: requests run first in, first out, one at a time; each is answered exactly once. A write is one IndexedDB
//! transaction that awaits nothing but the database. A handle that has died (another tab deletes the database, the
//! user clears site data, Safari loses its server) is opened anew a bounded number of times; a write whose commit
//! nobody saw is `Unknown`, never guessed.
//!
//! The calls of IndexedDB stand in `db/indexed_db.js`: one crossing a request, not one a record.

pub mod packed;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{Sink, spawn};
use crate::proto::queue::Queue;
use crate::proto::store::MemoryStore;
use crate::proto::text::concat;
use crate::proto::{Input, Read, StoreFailure, StoreId, StoreReply, StoreRequest, TabInput};
use packed::Packed;

#[wasm_bindgen(module = "/src/web/db/indexed_db.js")]
extern "C" {
    type Handle;
    #[wasm_bindgen(js_name = openStore)]
    fn open_store(name: &str, first: &str, timeout_ms: u32) -> Promise;
    #[wasm_bindgen(js_name = closeStore)]
    fn close_store(handle: &Handle);
    #[wasm_bindgen(js_name = closeAhead)]
    fn close_ahead(opening: &Promise);
    #[wasm_bindgen(js_name = isDead)]
    fn is_dead(handle: &Handle) -> bool;
    #[wasm_bindgen(js_name = idOf)]
    fn id_of(handle: &Handle) -> String;
    #[wasm_bindgen(js_name = readStore)]
    fn read_store(handle: &Handle, reads: &str, timeout_ms: u32) -> Promise;
    #[wasm_bindgen(js_name = writeStore)]
    fn write_store(handle: &Handle, transaction: &str, bytes: &[u8], timeout_ms: u32) -> Promise;
    #[wasm_bindgen(js_name = estimateStorage)]
    fn estimate_storage(persist: bool, timeout_ms: u32) -> Promise;
}

/// How often a request may find its handle dead before it fails.
const MAX_TRIES: u32 = 3;
const OPEN_TIMEOUT_MS: u32 = 5_000;
/// A request that the browser has not answered by then is given up.
const REQUEST_TIMEOUT_MS: u32 = 10_000;

/// The queue of requests and the database under it.
pub struct Db {
    inner: Rc<Inner>,
}

struct Inner {
    sink: Sink,
    /// False for `storage: 'memory'`.
    persistent: bool,
    request_timeout_ms: u32,
    queue: RefCell<Queue<(StoreId, StoreRequest, u32)>>,
    running: Cell<bool>,
    closing: Cell<bool>,
    /// Which database of this name it has; empty before the first.
    database: RefCell<String>,
    /// How often another one was found in its place. Versions that were read before are nobody's there.
    replaced: Cell<u32>,
    name: RefCell<Option<String>>,
    handle: RefCell<Option<Rc<Handle>>>,
    /// What opens it before it was asked for.
    ahead: RefCell<Option<Promise>>,
    memory: RefCell<Option<MemoryStore>>,
}

/// What one try on an IndexedDB handle led to.
enum Attempt {
    Answered(StoreReply),
    /// Nothing has happened and the handle is of no use: open anew.
    HandleDied(String),
}

impl Db {
    /// Opens nothing yet: `Open` is a request like the others.
    pub fn new(sink: Sink, persistent: bool) -> Self {
        Self::with_timeout(sink, persistent, REQUEST_TIMEOUT_MS)
    }

    /// With another limit than the ten seconds that a request has.
    pub fn with_timeout(sink: Sink, persistent: bool, request_timeout_ms: u32) -> Self {
        let inner = Inner {
            sink,
            persistent,
            request_timeout_ms,
            queue: RefCell::default(),
            running: Cell::new(false),
            closing: Cell::new(false),
            database: RefCell::default(),
            replaced: Cell::new(0),
            name: RefCell::default(),
            handle: RefCell::default(),
            ahead: RefCell::default(),
            memory: RefCell::default(),
        };
        Self { inner: Rc::new(inner) }
    }

    /// Begins with what the first two requests will be, `Open` and this read: a browser takes its time to open a database,
    /// and the rest of the client is made meanwhile.
    pub fn open_ahead(&self, name: &str, first: Vec<Read>) {
        let first = Packed::new(&StoreRequest::Read(first));
        self.inner.name.replace(Some(name.to_owned()));
        self.inner.ahead.replace(Some(open_store(name, &first.places, OPEN_TIMEOUT_MS)));
    }

    /// Queues a request.
    pub fn request(&self, id: StoreId, request: StoreRequest) {
        if let StoreRequest::Estimate { persist } = request {
            // The browser may ask the user, who takes their time: nothing waits for it.
            return spawn(self.inner.clone().estimate(id, persist));
        }
        self.inner.queue.borrow_mut().push_back((id, request, self.inner.replaced.get()));
        self.start();
    }

    /// Finishes what is queued, then lets the database go.
    pub fn close(&self) {
        self.inner.closing.set(true);
        if let Some(ahead) = self.inner.ahead.take() {
            close_ahead(&ahead);
        }
        self.start();
    }

    fn start(&self) {
        if !self.inner.running.replace(true) {
            spawn(self.inner.clone().run());
        }
    }
}

impl Inner {
    async fn run(self: Rc<Self>) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some((id, request, asked_of)) = next else { break };
            let reply = self.answer(&request, asked_of).await;
            (self.sink)(Input::Store { id, reply });
        }
        self.running.set(false);
        if self.closing.get() {
            self.drop_handle();
        }
    }

    async fn estimate(self: Rc<Self>, id: StoreId, persist: bool) {
        let answer = JsFuture::from(estimate_storage(persist, self.request_timeout_ms)).await;
        let reply = match answer {
            Ok(answer) => packed::estimate(&answer),
            Err(_) => failed(StoreFailure::Unavailable, "the browser does not say how much room there is"),
        };
        (self.sink)(Input::Store { id, reply });
    }

    async fn answer(&self, request: &StoreRequest, asked_of: u32) -> StoreReply {
        if let StoreRequest::Open { name } = request {
            return self.open(name).await;
        }
        if let Some(memory) = self.memory.borrow_mut().as_mut() {
            return memory.execute(request);
        }
        let packed = Packed::new(request);
        let mut died = String::new();
        for _ in 0..MAX_TRIES {
            let handle = match self.opened().await {
                Ok(handle) => handle,
                Err(reason) => return failed(StoreFailure::Unavailable, reason),
            };
            if expects_in_vain(request, asked_of != self.replaced.get()) {
                return StoreReply::Conflict;
            }
            let asked = match request {
                StoreRequest::Read(_) => read_store(&handle, &packed.places, self.request_timeout_ms),
                _ => write_store(&handle, &packed.places, &packed.bytes, self.request_timeout_ms),
            };
            // It resolves whatever happens; after a rejection, a fault of its own, nobody knows what has happened.
            let answer = JsFuture::from(asked).await;
            let attempt =
                answer.map_or(Attempt::Answered(StoreReply::Unknown), |answer| packed::attempt(&answer));
            match attempt {
                // What a stuck or a lost handle did cannot be learnt through it.
                Attempt::Answered(StoreReply::Unknown) => {
                    self.drop_handle();
                    return StoreReply::Unknown;
                }
                Attempt::Answered(reply) => return reply,
                Attempt::HandleDied(reason) => {
                    self.drop_handle();
                    died = reason;
                }
            }
        }
        failed(StoreFailure::Other, concat(&["the database handle died each time: ", &died]))
    }

    async fn open(&self, name: &str) -> StoreReply {
        self.name.replace(Some(name.to_owned()));
        if self.persistent && self.opened().await.is_ok() {
            self.memory.take();
            return StoreReply::Opened { persistent: true };
        }
        let mut memory = self.memory.borrow_mut();
        memory.get_or_insert_with(MemoryStore::new).execute(&StoreRequest::Open { name: name.to_owned() })
    }

    /// The handle in use, or a new one.
    async fn opened(&self) -> Result<Rc<Handle>, String> {
        let current = self.handle.borrow().clone().filter(|handle| !is_dead(handle));
        if let Some(handle) = current {
            return Ok(handle);
        }
        self.drop_handle();
        let name = self.name.borrow().clone().ok_or("no database is open: Open must come first")?;
        let ahead = self.ahead.take();
        let opening = ahead.unwrap_or_else(|| open_store(&name, "", OPEN_TIMEOUT_MS));
        let opened = JsFuture::from(opening).await;
        let handle: Handle =
            opened.map_err(|reason| reason.as_string().unwrap_or_default())?.unchecked_into();
        let handle = Rc::new(handle);
        let id = id_of(&handle);
        let before = self.database.replace(id.clone());
        if !before.is_empty() && before != id {
            self.replaced.set(self.replaced.get() + 1);
            (self.sink)(Input::Tab(TabInput::Emptied));
        }
        self.handle.replace(Some(handle.clone()));
        Ok(handle)
    }

    fn drop_handle(&self) {
        if let Some(handle) = self.handle.take() {
            close_store(&handle);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.drop_handle();
    }
}

/// A version that is not known (0), or, where another database stands in the place of the one that was read, any.
fn expects_in_vain(request: &StoreRequest, replaced: bool) -> bool {
    let StoreRequest::Write(transaction) = request else { return false };
    transaction.expect.iter().any(|(_, version)| *version == Some(0) || version.is_some() && replaced)
}

fn failed(kind: StoreFailure, message: impl Into<String>) -> StoreReply {
    StoreReply::Failed { kind, message: message.into() }
}
