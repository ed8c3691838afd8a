//! The store: IndexedDB where the browser has one, memory where it has not.
//!
//! Law: requests run first in, first out, one at a time; each is answered exactly once. A write is one IndexedDB
//! transaction that awaits nothing but the database. A handle that has died (another tab deletes the database, the
//! user clears site data, Safari loses its server) is opened anew a bounded number of times; a write whose commit
//! nobody saw is `Unknown`, never guessed.

mod connection;
mod read;
mod write;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::{Either, select};
use wasm_bindgen_futures::spawn_local;

use super::Sink;
use super::timer::Delay;
use crate::proto::queue::Queue;
use crate::proto::store::MemoryStore;
use crate::proto::{Input, Read, StoreFailure, StoreId, StoreReply, StoreRequest, Table, Transaction};
use connection::Connection;

/// How often a request may find its handle dead before it fails.
const MAX_TRIES: u32 = 3;
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
    queue: RefCell<Queue<(StoreId, StoreRequest)>>,
    running: Cell<bool>,
    closing: Cell<bool>,
    name: RefCell<Option<String>>,
    connection: RefCell<Option<Rc<Connection>>>,
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
            name: RefCell::default(),
            connection: RefCell::default(),
            memory: RefCell::default(),
        };
        Self { inner: Rc::new(inner) }
    }

    /// Queues a request.
    pub fn request(&self, id: StoreId, request: StoreRequest) {
        self.inner.queue.borrow_mut().push_back((id, request));
        self.start();
    }

    /// Finishes what is queued, then lets the database go.
    pub fn close(&self) {
        self.inner.closing.set(true);
        self.start();
    }

    fn start(&self) {
        if !self.inner.running.replace(true) {
            spawn_local(self.inner.clone().run());
        }
    }
}

impl Inner {
    async fn run(self: Rc<Self>) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some((id, request)) = next else { break };
            let reply = self.answer(request).await;
            (self.sink)(Input::Store { id, reply });
        }
        self.running.set(false);
        if self.closing.get() {
            self.drop_connection();
        }
    }

    async fn answer(&self, request: StoreRequest) -> StoreReply {
        if let StoreRequest::Open { name } = &request {
            return self.open(name).await;
        }
        if let Some(memory) = self.memory.borrow_mut().as_mut() {
            return memory.execute(&request);
        }
        let request = Rc::new(request);
        let mut died = String::new();
        for _ in 0..MAX_TRIES {
            let connection = match self.connected().await {
                Ok(connection) => connection,
                Err(reason) => return failed(StoreFailure::Unavailable, reason),
            };
            match timed(connection, request.clone(), self.request_timeout_ms).await {
                // What a stuck or a lost handle did cannot be learnt through it.
                Attempt::Answered(StoreReply::Unknown) => {
                    self.drop_connection();
                    return StoreReply::Unknown;
                }
                Attempt::Answered(reply) => return reply,
                Attempt::HandleDied(reason) => {
                    self.drop_connection();
                    died = reason;
                }
            }
        }
        failed(StoreFailure::Other, format!("the database handle died {MAX_TRIES} times: {died}"))
    }

    async fn open(&self, name: &str) -> StoreReply {
        self.name.replace(Some(name.to_owned()));
        if self.persistent && self.connected().await.is_ok() {
            self.memory.take();
            return StoreReply::Opened { persistent: true };
        }
        let mut memory = self.memory.borrow_mut();
        memory.get_or_insert_with(MemoryStore::new).execute(&StoreRequest::Open { name: name.to_owned() })
    }

    /// The handle in use, or a new one.
    async fn connected(&self) -> Result<Rc<Connection>, String> {
        let current = self.connection.borrow().clone().filter(|connection| !connection.is_dead());
        if let Some(connection) = current {
            return Ok(connection);
        }
        self.drop_connection();
        let name = self.name.borrow().clone().ok_or("no database is open: Open must come first")?;
        let connection = Rc::new(Connection::open(&name).await?);
        self.connection.replace(Some(connection.clone()));
        Ok(connection)
    }

    fn drop_connection(&self) {
        self.connection.take();
    }
}

/// One try with a bound on its time. What is given up runs on unheard: its callbacks must stay alive, and its late
/// outcome concerns nobody, since a write is read back after `Unknown`.
async fn timed(connection: Rc<Connection>, request: Rc<StoreRequest>, timeout_ms: u32) -> Attempt {
    let is_read = matches!(*request, StoreRequest::Read(_));
    let work = Box::pin(async move {
        match &*request {
            StoreRequest::Read(reads) => read::run(&connection, reads).await,
            StoreRequest::Write(transaction) => write::run(&connection, transaction).await,
            StoreRequest::Wipe | StoreRequest::Open { .. } => write::clear(&connection).await,
        }
    });
    match select(work, Delay::new(timeout_ms)).await {
        Either::Left((attempt, _)) => attempt,
        Either::Right((_, work)) => {
            spawn_local(async move {
                work.await;
            });
            match is_read {
                true => Attempt::HandleDied(format!("no answer within {timeout_ms} ms")),
                false => Attempt::Answered(StoreReply::Unknown),
            }
        }
    }
}

fn failed(kind: StoreFailure, message: impl Into<String>) -> StoreReply {
    StoreReply::Failed { kind, message: message.into() }
}

const META: &str = "meta";
const OUTBOX: &str = "outbox";
const HISTORY: &str = "history";

/// The object store of a table.
fn store_name(table: Table) -> &'static str {
    match table {
        Table::Meta => META,
        Table::Outbox => OUTBOX,
        Table::History => HISTORY,
    }
}

/// The object stores of these tables, each once. A transaction takes no more than it touches: other tabs write too.
fn store_names(tables: impl IntoIterator<Item = Table>) -> Vec<&'static str> {
    let mut names = Vec::with_capacity(3);
    for table in tables {
        let name = store_name(table);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn read_tables(reads: &[Read]) -> Vec<&'static str> {
    store_names(reads.iter().map(|read| match read {
        Read::One(id) => id.table,
        Read::All(table) | Read::Prefix { table, .. } => *table,
    }))
}

fn write_tables(transaction: &Transaction) -> Vec<&'static str> {
    let Transaction { expect, puts, adds, deletes, .. } = transaction;
    let named = expect.iter().map(|(id, _)| id).chain(puts.iter().map(|(id, _)| id)).chain(deletes);
    store_names(named.map(|id| id.table).chain((!adds.is_empty()).then_some(Table::Outbox)))
}
