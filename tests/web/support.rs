//! What the browser tests share: a sink that can be waited on, and a database with one request at a time.

use std::cell::Cell;
use std::rc::Rc;

use chatwire::proto::store::{RecordKind, seal};
use chatwire::proto::{Input, Read, Record, RecordId, StoreReply, StoreRequest, Table, Transaction};
use chatwire::web::Sink;
use chatwire::web::convert::seed;
use chatwire::web::db::Db;
use chatwire::web::timer::Delay;
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};

/// What a part said, in order.
pub(crate) struct Said {
    inputs: UnboundedReceiver<Input>,
}

pub(crate) fn sink() -> (Sink, Said) {
    let (sender, inputs) = unbounded();
    (Rc::new(move |input| drop(sender.unbounded_send(input))), Said { inputs })
}

impl Said {
    /// The next thing said; five seconds of silence fail the test.
    pub(crate) async fn next(&mut self) -> Input {
        match select(self.inputs.next(), Delay::new(5_000)).await {
            Either::Left((Some(input), _)) => input,
            Either::Left((None, _)) => panic!("the part is gone"),
            Either::Right(_) => panic!("nothing was said within 5 s"),
        }
    }

    /// Everything said in the next `for_ms`: to see that something is not said again.
    pub(crate) async fn rest(&mut self, for_ms: u32) -> Vec<Input> {
        let mut all = Vec::new();
        let mut end = Delay::new(for_ms);
        while let Either::Left((Some(input), _)) = select(self.inputs.next(), &mut end).await {
            all.push(input);
        }
        all
    }
}

/// A database of its own name, opened.
pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) said: Said,
    pub(crate) name: String,
    next_id: Cell<u32>,
}

impl Store {
    pub(crate) async fn open(name: &str) -> Self {
        let mut store = Self::new(name, true, 10_000);
        let reply = store.ask(StoreRequest::Open { name: store.name.clone() }).await;
        assert!(matches!(reply, StoreReply::Opened { persistent: true }), "{reply:?}");
        store
    }

    pub(crate) fn new(name: &str, persistent: bool, timeout_ms: u32) -> Self {
        let (sink, said) = sink();
        let name = unique(name);
        Self { db: Db::with_timeout(sink, persistent, timeout_ms), said, name, next_id: Cell::new(1) }
    }

    pub(crate) fn send(&self, request: StoreRequest) -> u32 {
        let id = self.next_id.replace(self.next_id.get() + 1);
        self.db.request(id, request);
        id
    }

    pub(crate) async fn ask(&mut self, request: StoreRequest) -> StoreReply {
        let asked = self.send(request);
        let (id, reply) = self.answer().await;
        assert_eq!(id, asked);
        reply
    }

    pub(crate) async fn answer(&mut self) -> (u32, StoreReply) {
        match self.said.next().await {
            Input::Store { id, reply } => (id, reply),
            other => panic!("no store reply: {other:?}"),
        }
    }

    pub(crate) async fn write(&mut self, transaction: Transaction) -> StoreReply {
        self.ask(StoreRequest::Write(transaction)).await
    }

    pub(crate) async fn read(&mut self, reads: Vec<Read>) -> Vec<Vec<Record>> {
        match self.ask(StoreRequest::Read(reads)).await {
            StoreReply::Records(records) => records,
            other => panic!("no records: {other:?}"),
        }
    }

    /// The payloads of all queued rows.
    pub(crate) async fn outbox(&mut self) -> Vec<Vec<u8>> {
        let mut lists = self.read(vec![Read::All(Table::Outbox)]).await;
        lists.remove(0).into_iter().map(|record| record.bytes).collect()
    }
}

pub(crate) fn record(version: u64, payload: &[u8]) -> Vec<u8> {
    seal(RecordKind::Settings, version, payload)
}

pub(crate) fn put(id: RecordId, bytes: Vec<u8>) -> Transaction {
    Transaction { puts: vec![(id, bytes)], ..Transaction::default() }
}

pub(crate) fn add(payload: &[u8]) -> Transaction {
    Transaction { adds: vec![payload.to_vec()], strict: true, ..Transaction::default() }
}

/// A name of its own for a database or a user, also where an earlier run left some.
pub(crate) fn unique(name: &str) -> String {
    format!("test-{name}-{}", seed().unwrap().map(|byte| byte.to_string()).join(""))
}

/// Runs JavaScript: the way to what Rust cannot reach, such as prototypes.
pub(crate) fn js(code: &str) -> wasm_bindgen::JsValue {
    js_sys::eval(code).unwrap_or_else(|error| panic!("{code}: {error:?}"))
}

/// Awaits the promise that `code` evaluates to.
pub(crate) async fn js_async(code: &str) -> wasm_bindgen::JsValue {
    let promise = js_sys::Promise::resolve(&js(code));
    wasm_bindgen_futures::JsFuture::from(promise).await.unwrap_or_else(|error| panic!("{code}: {error:?}"))
}
