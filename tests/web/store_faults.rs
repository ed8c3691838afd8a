//! What the store does when the browser, another tab or the disk is against it.

use chatwire::proto::store::GENERATION_KEY;
use chatwire::proto::{
    Input, Read, RecordId, StoreFailure, StoreReply, StoreRequest, TabInput, Table, Transaction,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Store, add, js, js_async, put, record};

#[wasm_bindgen_test]
async fn memory_takes_over_where_there_is_no_database() {
    js("globalThis.realIndexedDb = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB');
        Object.defineProperty(globalThis, 'indexedDB', { configurable: true, get() { throw new DOMException('no', 'SecurityError') } }); 0");
    let mut store = Store::new("none", true, 10_000);
    let reply = store.ask(StoreRequest::Open { name: "none".into() }).await;
    js("Object.defineProperty(globalThis, 'indexedDB', realIndexedDb); 0");
    assert!(matches!(reply, StoreReply::Opened { persistent: false }), "{reply:?}");
    works(&mut store).await;
}

#[wasm_bindgen_test]
async fn storage_memory_never_touches_the_database() {
    let mut store = Store::new("memory", false, 10_000);
    let reply = store.ask(StoreRequest::Open { name: store.name.clone() }).await;
    assert!(matches!(reply, StoreReply::Opened { persistent: false }), "{reply:?}");
    works(&mut store).await;
    let names = js_async("indexedDB.databases().then((all) => all.map((db) => db.name).join())").await;
    assert!(!names.as_string().unwrap().contains(&store.name));
}

#[wasm_bindgen_test]
async fn a_database_deleted_by_another_tab_is_made_again() {
    let mut store = Store::open("deleted").await;
    store.write(add(b"before")).await;
    // Resolves only when both handles have let go.
    js_async(&format!(
        "new Promise((done, failed) => {{ const r = indexedDB.deleteDatabase('{}');
            r.onsuccess = () => done(); r.onerror = failed; r.onblocked = () => failed('blocked') }})",
        store.name
    ))
    .await;
    store.send(StoreRequest::Write(add(b"after")));
    let told = store.said.next().await;
    assert!(matches!(told, Input::Tab(TabInput::Emptied)), "told before anything is read of it: {told:?}");
    let (_, reply) = store.answer().await;
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    assert_eq!(store.outbox().await, [b"after"]);
}

#[wasm_bindgen_test]
async fn a_handle_that_died_without_a_word_is_opened_anew() {
    let mut store = Store::open("dead").await;
    store.write(add(b"before")).await;
    js(CLOSE_AT_NEXT_TRANSACTION);
    let reply = store.write(add(b"after")).await;
    js("restoreTransaction(); 0");
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    assert_eq!(js("closedHandles").as_f64(), Some(1.0), "the fault was met");
    js(CLOSE_AT_NEXT_TRANSACTION);
    let rows = store.outbox().await;
    js("restoreTransaction(); 0");
    assert_eq!(js("closedHandles").as_f64(), Some(1.0), "the fault was met");
    assert_eq!(rows, [&b"before"[..], b"after"]);
}

/// The next transaction finds its database closed: an InvalidStateError, as in Safari after a while.
const CLOSE_AT_NEXT_TRANSACTION: &str = "
    globalThis.closedHandles = 0;
    globalThis.plainTransaction = IDBDatabase.prototype.transaction;
    globalThis.restoreTransaction = () => { IDBDatabase.prototype.transaction = plainTransaction };
    IDBDatabase.prototype.transaction = function (...args) {
        if (closedHandles++ === 0) this.close(); else closedHandles--;
        return plainTransaction.apply(this, args);
    }; 0";

#[wasm_bindgen_test]
async fn a_handle_that_dies_each_time_is_given_up() {
    let mut store = Store::open("hopeless").await;
    js("globalThis.deaths = 0;
        globalThis.plainTransaction = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (...args) {
            deaths++; this.close(); return plainTransaction.apply(this, args) }; 0");
    let reply = store.write(add(b"row")).await;
    js("IDBDatabase.prototype.transaction = plainTransaction; 0");
    assert!(matches!(reply, StoreReply::Failed { kind: StoreFailure::Other, .. }), "{reply:?}");
    assert_eq!(js("deaths").as_f64(), Some(3.0), "tries have an end");
    let reply = store.write(add(b"later")).await;
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    assert_eq!(store.outbox().await, [b"later"]);
}

#[wasm_bindgen_test]
async fn a_full_disk_fails_with_quota_and_writes_nothing() {
    let mut store = Store::open("quota").await;
    js("globalThis.plainAdd = IDBObjectStore.prototype.add;
        IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError') }; 0");
    let mut both = put(RecordId::meta("m"), record(1, b"m"));
    both.adds.push(b"row".to_vec());
    let reply = store.write(both).await;
    js("IDBObjectStore.prototype.add = plainAdd; 0");
    assert!(matches!(reply, StoreReply::Failed { kind: StoreFailure::Quota, .. }), "{reply:?}");
    let lists = store.read(vec![Read::All(Table::Meta), Read::All(Table::Outbox)]).await;
    assert!(lists.iter().all(Vec::is_empty), "the put before it was rolled back");
}

#[wasm_bindgen_test]
async fn a_transaction_that_aborts_fails_and_writes_nothing() {
    let mut store = Store::open("abort").await;
    js("globalThis.plainPut = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (...args) {
            const made = plainPut.apply(this, args);
            this.transaction.abort();
            return made }; 0");
    let reply = store.write(put(RecordId::meta("m"), record(1, b"m"))).await;
    js("IDBObjectStore.prototype.put = plainPut; 0");
    assert!(matches!(reply, StoreReply::Failed { kind: StoreFailure::Other, .. }), "{reply:?}");
    assert!(store.read(vec![Read::All(Table::Meta)]).await[0].is_empty());
}

#[wasm_bindgen_test]
async fn a_write_that_is_not_heard_of_is_unknown_and_its_late_outcome_is_not_told() {
    let mut store = Store::new("late", true, 100);
    store.ask(StoreRequest::Open { name: store.name.clone() }).await;
    // Another tab's transaction that goes on until it is let go holds this one up.
    js_async(&format!(
        "new Promise((done, failed) => {{ const r = indexedDB.open('{}', 1); r.onerror = failed; r.onsuccess = () => {{
            const t = r.result.transaction('outbox', 'readwrite'), s = t.objectStore('outbox');
            globalThis.held = true; globalThis.over = new Promise((end) => t.oncomplete = end);
            const turn = () => {{ if (held) s.get(1).onsuccess = turn }}; turn(); done(); r.result.close() }} }})",
        store.name
    ))
    .await;
    let reply = store.write(add(b"late")).await;
    assert!(matches!(reply, StoreReply::Unknown), "{reply:?}");
    js_async("held = false; over").await;
    // Reading back says what became of it; the first answer stays the only one.
    assert_eq!(store.outbox().await, [b"late"]);
    assert!(store.said.rest(50).await.is_empty());
}

async fn works(store: &mut Store) {
    let StoreReply::Saved { added } = store.write(add(b"row")).await else { panic!("not saved") };
    assert_eq!(added.len(), 1);
    assert_eq!(store.outbox().await, [b"row"]);
}

#[wasm_bindgen_test]
async fn a_database_that_does_not_open_leaves_memory() {
    // Of a later version than this one: the open fails, as it does in some private modes.
    let mut store = Store::new("refused", true, 10_000);
    js_async(&format!(
        "new Promise((done, failed) => {{ const r = indexedDB.open('{}', 7); r.onerror = failed;
            r.onsuccess = () => {{ r.result.close(); done() }} }})",
        store.name
    ))
    .await;
    let reply = store.ask(StoreRequest::Open { name: store.name.clone() }).await;
    assert!(matches!(reply, StoreReply::Opened { persistent: false }), "{reply:?}");
    works(&mut store).await;
}

#[wasm_bindgen_test]
async fn a_database_that_another_tab_is_deleting_and_cannot_is_given_up() {
    let mut store = Store::new("blocked", true, 10_000);
    // Another tab that does not let go, and a deletion that waits for it: what opens now waits behind both.
    js_async(&format!(
        "new Promise((done, failed) => {{ const r = indexedDB.open('{0}', 1); r.onerror = failed; r.onsuccess = () => {{
            globalThis.holds = r.result;
            globalThis.deletion = indexedDB.deleteDatabase('{0}');
            deletion.onblocked = () => done() }} }})",
        store.name
    ))
    .await;
    let opened = StoreRequest::Open { name: store.name.clone() };
    store.send(opened);
    let told = loop {
        // Five seconds are what an open has.
        if let Some(told) = store.said.rest(1_000).await.pop() {
            break told;
        }
    };
    js_async("new Promise((done) => { deletion.onsuccess = () => done(); holds.close() })").await;
    let Input::Store { reply, .. } = told else { panic!("{told:?}") };
    assert!(matches!(reply, StoreReply::Opened { persistent: false }), "{reply:?}");
}

#[wasm_bindgen_test]
async fn a_database_that_the_browser_closes_is_opened_anew() {
    let mut store = Store::open("closed").await;
    js("globalThis.plainTransaction = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (...args) {
            globalThis.ours = this; return plainTransaction.apply(this, args) }; 0");
    store.write(add(b"before")).await;
    js(
        "IDBDatabase.prototype.transaction = plainTransaction; ours.close(); ours.dispatchEvent(new Event('close')); 0",
    );
    let reply = store.write(add(b"after")).await;
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    assert_eq!(store.outbox().await, [&b"before"[..], b"after"]);
}

/// A head that is replaced, and a segment that goes, under the generation of this reign.
fn makes_room(version: u64) -> Transaction {
    let generation = RecordId::meta(GENERATION_KEY);
    Transaction {
        expect: vec![(generation, Some(version))],
        puts: vec![(RecordId::history("h/r"), record(3, b"without it"))],
        deletes: vec![RecordId::history("s/r/00000000")],
        ..Transaction::default()
    }
}

async fn with_segment(name: &str) -> Store {
    let mut store = Store::open(name).await;
    let mut all = put(RecordId::meta(GENERATION_KEY), record(2, b"1"));
    for key in ["h/r", "s/r/00000000"] {
        all.puts.push((RecordId::history(key), record(2, b"old")));
    }
    store.write(all).await;
    // What is put is refused as long as a segment stands, as in a full origin.
    js("globalThis.plainPut = IDBObjectStore.prototype.put; globalThis.gone = false;
        globalThis.plainDelete = IDBObjectStore.prototype.delete;
        IDBObjectStore.prototype.delete = function (key) {
            if (String(key).startsWith('s/')) gone = true;
            return plainDelete.call(this, key) };
        IDBObjectStore.prototype.put = function (...args) {
            if (!gone) throw new DOMException('full', 'QuotaExceededError');
            return plainPut.apply(this, args) }; 0");
    store
}

fn plain() {
    js("IDBObjectStore.prototype.put = plainPut; IDBObjectStore.prototype.delete = plainDelete; 0");
}

#[wasm_bindgen_test]
async fn on_a_full_disk_what_is_to_go_makes_room_for_what_goes_with_it() {
    let mut store = with_segment("room").await;
    let reply = store.write(makes_room(2)).await;
    plain();
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    let reads = ["h/r", "s/r/00000000"].map(|key| Read::One(RecordId::history(key)));
    let lists = store.read(reads.to_vec()).await;
    assert_eq!((lists[0][0].bytes.clone(), lists[1].len()), (record(3, b"without it"), 0));
}

#[wasm_bindgen_test]
async fn whoever_leads_no_more_makes_no_room() {
    let mut store = with_segment("no-room").await;
    let reply = store.write(makes_room(1)).await;
    plain();
    assert!(matches!(reply, StoreReply::Failed { kind: StoreFailure::Quota, .. }), "{reply:?}");
    let lists = store.read(vec![Read::One(RecordId::history("s/r/00000000"))]).await;
    assert_eq!(lists[0].len(), 1, "it stands");
}

#[wasm_bindgen_test]
async fn the_browser_says_how_much_room_there_is() {
    let mut store = Store::open("estimate").await;
    store.write(add(b"row")).await;
    for persist in [true, false] {
        let reply = store.ask(StoreRequest::Estimate { persist }).await;
        let StoreReply::Estimate { usage_bytes, quota_bytes, .. } = reply else { panic!("{reply:?}") };
        assert!(usage_bytes > 0 && quota_bytes > usage_bytes, "{usage_bytes} of {quota_bytes}");
    }
}
