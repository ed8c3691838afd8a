//! Expectations that are kept without reading: against the plain store, and while the page stands still.

use std::collections::BTreeMap;

use chatwire::proto::store::{GENERATION_KEY, MemoryStore, record_version};
use chatwire::proto::{
    Input, Key, Read, RecordId, StoreFailure, StoreReply, StoreRequest, TabInput, Table, Transaction,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Store, add, js, js_async, put, record};

fn generation() -> RecordId {
    RecordId::meta(GENERATION_KEY)
}

fn claim(before: Option<u64>, version: u64) -> Transaction {
    let mut claim = put(generation(), record(version, b"generation"));
    claim.expect.push((generation(), before));
    claim
}

/// One more handle on the database of `store`, as another tab has it.
async fn beside(store: &Store) -> Store {
    let mut other = Store::new("unused", true, 10_000);
    other.name = store.name.clone();
    other.ask(StoreRequest::Open { name: store.name.clone() }).await;
    other
}

/// What one tab knows: the rows as it has read or written them, under the generation of that moment.
#[derive(Default)]
struct Known {
    generation: Option<u64>,
    rows: BTreeMap<u64, u64>,
}

impl Known {
    fn learn(&mut self, request: &StoreRequest, told: &StoreReply, stamp: u64) {
        match (request, told) {
            (StoreRequest::Read(_), StoreReply::Records(lists)) => {
                self.generation = lists[0].first().and_then(|record| record_version(&record.bytes));
                self.rows.clear();
                for row in &lists[1] {
                    let Key::Number(at) = row.key else { panic!("{:?}", row.key) };
                    self.rows.insert(at, record_version(&row.bytes).unwrap());
                }
            }
            // Whoever has claimed reads before it writes anything else.
            (StoreRequest::Write(it), StoreReply::Saved { .. })
                if it.puts.iter().any(|(at, _)| *at == generation()) =>
            {
                *self = Known { generation: Some(stamp), rows: BTreeMap::new() };
            }
            (StoreRequest::Write(it), StoreReply::Saved { .. }) => {
                for at in &it.deletes {
                    let Key::Number(at) = at.key else { panic!("{at:?}") };
                    self.rows.remove(&at);
                }
                for (at, _) in &it.puts {
                    let Key::Number(at) = at.key else { panic!("{at:?}") };
                    self.rows.insert(at, stamp);
                }
            }
            _ => {}
        }
    }
}

/// Two tabs at random, each with what it last read, which may be old. Every answer and every record must be as in the plain
/// store, and a conflict just where a record has another version.
#[wasm_bindgen_test]
async fn two_tabs_are_answered_as_the_plain_store_answers() {
    let first = Store::open("random").await;
    let second = beside(&first).await;
    let mut tabs = [(first, Known::default()), (second, Known::default())];
    let mut plain = MemoryStore::new();
    plain.execute(&StoreRequest::Open { name: "plain".into() });
    let mut dice: u64 = 20_261_126;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut counts = BTreeMap::new();
    for stamp in 1..=600 {
        let (store, known) = &mut tabs[roll(2) as usize];
        let rows = known.rows.len() as u64;
        let row = known.rows.iter().nth(roll(rows.max(1)) as usize).map(|(at, version)| (*at, *version));
        let kind = roll(20);
        let request = match (kind, row) {
            (0..=4, _) => StoreRequest::Write(Transaction {
                adds: vec![record(stamp, b"new")],
                ..Transaction::default()
            }),
            (5, _) => StoreRequest::Write(claim(known.generation, stamp)),
            (6, _) if roll(3) == 0 => StoreRequest::Wipe { generation: record(stamp, b"wiped") },
            (7..=15, Some((at, version))) => {
                let at = RecordId::outbox(at);
                let expect = vec![(at.clone(), Some(version)), (generation(), known.generation)];
                let mut change = Transaction { expect, ..Transaction::default() };
                if kind < 10 {
                    change.deletes.push(at);
                } else {
                    change.puts.push((at, record(stamp, b"changed")));
                }
                StoreRequest::Write(change)
            }
            _ => StoreRequest::Read(vec![Read::All(Table::Meta), Read::All(Table::Outbox)]),
        };
        let holds = exactly(&plain, &request);
        let (told, wanted) = (store.ask(request.clone()).await, plain.execute(&request));
        assert_eq!(holds, !matches!(wanted, StoreReply::Conflict), "step {stamp}: {request:?}");
        assert_eq!(format!("{told:?}"), format!("{wanted:?}"), "step {stamp}: {request:?}");
        *counts.entry(format!("{wanted:?}").chars().take(5).collect::<String>()).or_insert(0) += 1;
        known.learn(&request, &told, stamp);
    }
    assert!(counts["Confl"] > 50 && counts["Saved"] > 150, "{counts:?}");
}

/// Whether each record has just the version that is expected.
fn exactly(plain: &MemoryStore, request: &StoreRequest) -> bool {
    let StoreRequest::Write(transaction) = request else { return true };
    transaction.expect.iter().all(|(id, version)| plain.get(id).and_then(record_version) == *version)
}

/// A page in a loop in the middle of its write, and a worker that writes to the same tables.
#[wasm_bindgen_test]
async fn a_page_that_hangs_in_a_write_holds_up_nobody() {
    let mut store = Store::open("hang").await;
    store.write(claim(None, 1)).await;
    js_async(&format!(
        "new Promise((ready) => {{
            const code = `const open = indexedDB.open('{}', 1); open.onsuccess = () => {{
                onmessage = () => {{
                    const t = open.result.transaction(['meta', 'outbox', 'history'], 'readwrite');
                    t.objectStore('meta').get('generation');
                    t.oncomplete = () => postMessage(performance.timeOrigin + performance.now());
                }}; postMessage('ready') }}`;
            globalThis.besideMe = new Worker(URL.createObjectURL(new Blob([code])));
            besideMe.onmessage = ready }})",
        store.name
    ))
    .await;
    // The loop begins as soon as the task that began the transaction leaves off; the worker writes meanwhile.
    js("globalThis.plainTransaction = IDBDatabase.prototype.transaction;
        globalThis.itWrote = new Promise((wrote) => { besideMe.onmessage = (event) => wrote(event.data) });
        IDBDatabase.prototype.transaction = function (names, mode, ...rest) {
            if (mode === 'readwrite') queueMicrotask(() => {
                besideMe.postMessage('now');
                const until = performance.now() + 2000;
                while (performance.now() < until);
                globalThis.loopEnded = performance.timeOrigin + performance.now();
            });
            return plainTransaction.call(this, names, mode, ...rest) }; 0");
    let mut write = claim(Some(1), 2);
    write.adds.push(b"row".to_vec());
    let reply = store.write(write).await;
    js("IDBDatabase.prototype.transaction = plainTransaction; 0");
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    let before = js_async("itWrote.then((at) => loopEnded - at)").await.as_f64().unwrap();
    js("besideMe.terminate(); 0");
    assert!(before > 0.0, "the worker wrote {} ms after the page's loop", -before);
}

#[wasm_bindgen_test]
async fn a_generation_that_is_no_record_is_replaced_by_the_first_to_do_so() {
    let mut store = Store::open("torn").await;
    let mut other = beside(&store).await;
    for (round, torn) in [&b""[..], b"no record", b""].into_iter().enumerate() {
        store.write(put(generation(), torn.to_vec())).await;
        let version = 10 * (round as u64 + 1);
        let reply = store.write(claim(None, version)).await;
        assert!(matches!(reply, StoreReply::Saved { .. }), "round {round}: {reply:?}");
        let reply = other.write(claim(None, version + 1)).await;
        assert!(matches!(reply, StoreReply::Conflict), "round {round}: {reply:?}");
        let reply = other.write(claim(Some(version), version + 2)).await;
        assert!(matches!(reply, StoreReply::Saved { .. }), "round {round}: {reply:?}");
        let reply = store.write(claim(Some(version), version + 3)).await;
        assert!(matches!(reply, StoreReply::Conflict), "round {round}: {reply:?}");
    }
}

#[wasm_bindgen_test]
async fn a_version_that_is_drawn_once_more_is_in_force_again() {
    let mut store = Store::open("drawn").await;
    for (before, version) in [(None, 1), (Some(1), 2), (Some(2), 1)] {
        let reply = store.write(claim(before, version)).await;
        assert!(matches!(reply, StoreReply::Saved { .. }), "{version}: {reply:?}");
    }
    assert!(matches!(store.write(claim(Some(2), 3)).await, StoreReply::Conflict));
    assert!(matches!(store.write(claim(Some(1), 3)).await, StoreReply::Saved { .. }));
}

/// A wipe of a database with a row and a generation, whose `faulty` calls of `method` find the disk full.
async fn wipe_on_a_full_disk(method: &str, faulty: &str) -> (Store, StoreReply) {
    let mut store = Store::open("full").await;
    store.write(claim(None, 1)).await;
    store.write(add(b"row")).await;
    js(&format!(
        "globalThis.plainMethod = IDBObjectStore.prototype.{method}; globalThis.calls = 0;
        IDBObjectStore.prototype.{method} = function (...args) {{
            const call = ++calls;
            if ({faulty}) throw new DOMException('full', 'QuotaExceededError');
            return plainMethod.apply(this, args) }}; 0"
    ));
    let reply = store.ask(StoreRequest::Wipe { generation: record(2, b"wiped") }).await;
    js(&format!("IDBObjectStore.prototype.{method} = plainMethod; 0"));
    (store, reply)
}

#[wasm_bindgen_test]
async fn a_wipe_makes_room_for_itself() {
    // The first meets a generation that it did not expect.
    let (mut store, reply) = wipe_on_a_full_disk("put", "call === 2").await;
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    assert_eq!(js("calls").as_f64(), Some(3.0), "the fault was met");
    assert!(store.outbox().await.is_empty());
    assert_eq!(store.read(vec![Read::All(Table::Meta)]).await[0][0].bytes, record(2, b"wiped"));
    assert!(matches!(store.write(claim(Some(1), 3)).await, StoreReply::Conflict));
    assert!(matches!(store.write(claim(Some(2), 3)).await, StoreReply::Saved { .. }));
}

#[wasm_bindgen_test]
async fn a_wipe_that_finds_no_room_at_all_leaves_no_generation() {
    let (mut store, reply) = wipe_on_a_full_disk("put", "call >= 2").await;
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    assert!(store.outbox().await.is_empty());
    assert!(store.read(vec![Read::All(Table::Meta)]).await[0].is_empty());
    assert!(matches!(store.write(claim(Some(1), 3)).await, StoreReply::Conflict), "it ended all the same");
    assert!(matches!(store.write(claim(None, 3)).await, StoreReply::Saved { .. }));
}

#[wasm_bindgen_test]
async fn a_wipe_that_finds_no_room_for_a_mark_leaves_everything() {
    let (mut store, reply) = wipe_on_a_full_disk("add", "call >= 2").await;
    assert!(matches!(reply, StoreReply::Failed { kind: StoreFailure::Quota, .. }), "{reply:?}");
    assert_eq!(store.outbox().await, [b"row"]);
    assert!(matches!(store.write(claim(Some(1), 3)).await, StoreReply::Saved { .. }));
}

/// Whoever looked before the wipe expects what it has replaced, too.
#[wasm_bindgen_test]
async fn a_wipe_over_a_generation_that_is_no_record_keeps_its_mark() {
    let mut store = Store::open("torn-wipe").await;
    store.write(put(generation(), b"no record".to_vec())).await;
    let reply = store.ask(StoreRequest::Wipe { generation: record(2, b"wiped") }).await;
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
    assert_eq!(marks(&store).await, 1);
    assert!(matches!(store.write(claim(Some(2), 3)).await, StoreReply::Saved { .. }));
    assert_eq!(marks(&store).await, 1, "the claim's own");
}

/// Two tabs want the torn generation of one that still leads: whoever knows its version ends it.
#[wasm_bindgen_test]
async fn a_torn_generation_is_expected_by_what_stands_there_and_by_what_stood_there() {
    let mut store = Store::open("torn-lead").await;
    let mut other = beside(&store).await;
    let both = |version| {
        let mut both = claim(None, version);
        both.expect.push((generation(), Some(1)));
        both
    };
    store.write(claim(None, 1)).await;
    store.write(put(generation(), b"torn".to_vec())).await;
    assert!(matches!(store.write(claim(None, 2)).await, StoreReply::Saved { .. }), "who does not know it");
    assert!(matches!(other.write(both(3)).await, StoreReply::Conflict), "it is known, and too late");
    store.write(put(generation(), b"torn again".to_vec())).await;
    assert!(matches!(other.write(both(3)).await, StoreReply::Saved { .. }));
    assert!(matches!(store.write(claim(Some(1), 4)).await, StoreReply::Conflict), "it has ended");
    store.write(put(generation(), b"torn once more".to_vec())).await;
    assert!(matches!(other.write(both(4)).await, StoreReply::Conflict));
}

/// As in Firefox: a request that fails aborts nothing.
const FAILS_WITHOUT_ABORT: &str = "globalThis.plainAdd = IDBObjectStore.prototype.add; globalThis.calls = 0;
    IDBObjectStore.prototype.add = function (...args) {
        const call = ++calls;
        if (call === 1) this.put(...(this.autoIncrement ? [args[0], 1] : args));
        const request = call === 1 ? plainAdd.call(this, args[0], args[1] ?? 1) : plainAdd.apply(this, args);
        request.addEventListener('error', (event) => { event.preventDefault(); event.stopPropagation() });
        return request }; 0";

/// Not after `commit()`: there the browser of these tests aborts all the same.
async fn a_request_that_fails_in_a_transaction_that_took_place_makes_it_unclear() {
    let mut store = Store::open("no-abort").await;
    js(FAILS_WITHOUT_ABORT);
    let mut two = add(b"one");
    two.adds.push(b"two".to_vec());
    let rows = store.write(two).await;
    js("calls = 0");
    let expecting = store.write(claim(None, 2)).await;
    js("IDBObjectStore.prototype.add = plainAdd; 0");
    assert!(matches!(rows, StoreReply::Unknown), "{rows:?}");
    assert!(matches!(expecting, StoreReply::Unknown), "{expecting:?}");
}

#[wasm_bindgen_test]
async fn a_row_that_finds_no_number_is_no_conflict() {
    let mut store = Store::open("no-number").await;
    store.write(claim(None, 1)).await;
    js("globalThis.plainAdd = IDBObjectStore.prototype.add;
        IDBObjectStore.prototype.add = function (...args) {
            if (this.autoIncrement) { this.put(args[0], 1); args.push(1) }
            return plainAdd.apply(this, args) }; 0");
    let mut expecting = add(b"row");
    expecting.expect.push((generation(), Some(1)));
    let reply = store.write(expecting).await;
    js("IDBObjectStore.prototype.add = plainAdd; 0");
    assert!(matches!(reply, StoreReply::Failed { kind: StoreFailure::Other, .. }), "{reply:?}");
    assert!(store.outbox().await.is_empty());
}

/// Where a browser has no `commit()`, or one that cannot be trusted, they commit by themselves.
#[wasm_bindgen_test]
async fn transactions_that_commit_by_themselves_are_answered_the_same() {
    js(
        "globalThis.plainCommit = IDBTransaction.prototype.commit; IDBTransaction.prototype.commit = undefined; 0",
    );
    two_tabs_are_answered_as_the_plain_store_answers().await;
    a_generation_that_is_no_record_is_replaced_by_the_first_to_do_so().await;
    a_version_that_is_drawn_once_more_is_in_force_again().await;
    a_wipe_makes_room_for_itself().await;
    a_wipe_that_finds_no_room_at_all_leaves_no_generation().await;
    a_wipe_that_finds_no_room_for_a_mark_leaves_everything().await;
    a_wipe_over_a_generation_that_is_no_record_keeps_its_mark().await;
    a_torn_generation_is_expected_by_what_stands_there_and_by_what_stood_there().await;
    a_request_that_fails_in_a_transaction_that_took_place_makes_it_unclear().await;
    a_row_that_finds_no_number_is_no_conflict().await;
    what_was_read_before_the_database_was_replaced_is_expected_in_vain().await;
    marks_of_rows_end_with_the_generation_and_are_no_records().await;
    js("IDBTransaction.prototype.commit = plainCommit; 0");
}

#[wasm_bindgen_test]
async fn what_was_read_before_the_database_was_replaced_is_expected_in_vain() {
    let mut store = Store::open("replaced").await;
    store.write(claim(None, 1)).await;
    js_async(&format!(
        "new Promise((done, failed) => {{ const r = indexedDB.deleteDatabase('{}');
            r.onsuccess = () => done(); r.onerror = failed; r.onblocked = () => failed('blocked') }})",
        store.name
    ))
    .await;
    // Another tab is the first to make it anew, and its row has the number that the first one had.
    let mut other = beside(&store).await;
    let StoreReply::Saved { added } = other.write(add(b"its own")).await else { panic!("not saved") };
    let at = RecordId::outbox(added[0]);
    let mut write = put(at.clone(), record(2, b"over it"));
    write.expect = vec![(at, Some(1)), (generation(), Some(1))];
    store.send(StoreRequest::Write(write));
    let told = store.said.next().await;
    assert!(matches!(told, Input::Tab(TabInput::Emptied)), "{told:?}");
    let (_, reply) = store.answer().await;
    assert!(matches!(reply, StoreReply::Conflict), "{reply:?}");
    assert_eq!(store.outbox().await, [b"its own"]);
}

#[wasm_bindgen_test]
async fn marks_of_rows_end_with_the_generation_and_are_no_records() {
    let mut store = Store::open("marks").await;
    store.write(claim(None, 1)).await;
    let StoreReply::Saved { added } = store.write(add(&record(2, b"row"))).await else { panic!("not saved") };
    let at = RecordId::outbox(added[0]);
    for version in 2..8 {
        let mut write = put(at.clone(), record(version + 1, b"row"));
        write.expect = vec![(at.clone(), Some(version)), (generation(), Some(1))];
        assert!(matches!(store.write(write).await, StoreReply::Saved { .. }));
    }
    assert_eq!(store.read(vec![Read::All(Table::Meta)]).await[0].len(), 1);
    assert_eq!(marks(&store).await, 6);
    store.write(claim(Some(1), 20)).await;
    assert_eq!(marks(&store).await, 1, "the generation's own");
    assert!(matches!(
        store.ask(StoreRequest::Wipe { generation: record(21, b"wiped") }).await,
        StoreReply::Saved { .. }
    ));
    assert_eq!(marks(&store).await, 2);
    assert_eq!(store.read(vec![Read::All(Table::Meta)]).await[0][0].bytes, record(21, b"wiped"));
    let reply = store.write(claim(Some(20), 22)).await;
    assert!(matches!(reply, StoreReply::Conflict), "a claim from before the wipe: {reply:?}");
}

async fn marks(store: &Store) -> usize {
    let count = format!(
        "new Promise((done) => {{ const open = indexedDB.open('{}', 1); open.onsuccess = () => {{
            const asked = open.result.transaction('meta').objectStore('meta').count(IDBKeyRange.lowerBound([]));
            asked.onsuccess = () => {{ open.result.close(); done(asked.result) }} }} }})",
        store.name
    );
    js_async(&count).await.as_f64().unwrap() as usize
}
