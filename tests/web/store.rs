//! The store contract over IndexedDB.

use chatwire::proto::{Key, Read, RecordId, StoreReply, StoreRequest, Table, Transaction};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Store, add, js, put, record};

#[wasm_bindgen_test]
async fn what_is_written_is_read_by_another_handle() {
    let mut store = Store::open("round").await;
    let bytes: Vec<u8> = (0..=255).collect();
    let reply = store.write(put(RecordId::history("segment"), bytes.clone())).await;
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");

    let mut other = Store::new("unused", true, 10_000);
    other.name = store.name.clone();
    other.ask(StoreRequest::Open { name: store.name.clone() }).await;
    let reads = vec![Read::One(RecordId::history("segment")), Read::One(RecordId::meta("missing"))];
    let lists = other.read(reads).await;
    assert_eq!(lists[0].len(), 1);
    assert_eq!((&lists[0][0].key, &lists[0][0].bytes), (&Key::Text("segment".into()), &bytes));
    assert!(lists[1].is_empty(), "a record that is not there is an empty list");
}

#[wasm_bindgen_test]
async fn another_library_finds_every_record_where_it_should_be() {
    let mut store = Store::open("rexie").await;
    let mut all = put(RecordId::history("segment"), b"one".to_vec());
    all.puts.push((RecordId::meta("generation"), b"two".to_vec()));
    all.adds = vec![b"three".to_vec(), Vec::new()];
    let StoreReply::Saved { added } = store.write(all).await else { panic!("not saved") };

    let tables = ["meta", "outbox", "history"];
    let database = tables
        .iter()
        .fold(rexie::Rexie::builder(&store.name).version(1), |database, table| {
            database.add_object_store(rexie::ObjectStore::new(table).auto_increment(*table == "outbox"))
        })
        .build()
        .await
        .unwrap();
    let transaction = database.transaction(&tables, rexie::TransactionMode::ReadOnly).unwrap();
    let bytes = |value: Option<wasm_bindgen::JsValue>| js_sys::Uint8Array::new(&value.unwrap()).to_vec();
    let table = |name: &str| transaction.store(name).unwrap();
    assert_eq!(bytes(table("history").get("segment".into()).await.unwrap()), b"one");
    assert_eq!(bytes(table("meta").get("generation".into()).await.unwrap()), b"two");
    assert_eq!(bytes(table("outbox").get((added[0] as f64).into()).await.unwrap()), b"three");
    assert_eq!(bytes(table("outbox").get((added[1] as f64).into()).await.unwrap()), b"");
    assert_eq!(table("outbox").count(None).await.unwrap(), 2);
    database.close();
}

#[wasm_bindgen_test]
async fn outbox_keys_ascend_in_the_order_of_the_rows() {
    let mut store = Store::open("keys").await;
    let many = Transaction { adds: (0..20).map(|n| vec![n]).collect(), ..Transaction::default() };
    let StoreReply::Saved { added } = store.write(many).await else { panic!("not saved") };
    assert_eq!(added.len(), 20);
    assert!(added.is_sorted_by(|a, b| a < b), "{added:?}");
    assert_eq!(store.outbox().await, (0..20).map(|n| vec![n]).collect::<Vec<_>>());

    // Deleting the newest, or everything, gives no key twice.
    let last = added[19];
    let delete = Transaction { deletes: vec![RecordId::outbox(last)], ..Transaction::default() };
    store.write(delete).await;
    let StoreReply::Saved { added } = store.write(add(b"next")).await else { panic!("not saved") };
    assert!(added[0] > last);
    assert!(matches!(
        store.ask(StoreRequest::Wipe { generation: record(1, b"wiped") }).await,
        StoreReply::Saved { .. }
    ));
    assert!(store.outbox().await.is_empty());
    let StoreReply::Saved { added: again } = store.write(add(b"again")).await else { panic!("not saved") };
    assert!(again[0] > added[0]);
}

#[wasm_bindgen_test]
async fn a_conflict_writes_nothing_at_all() {
    let mut store = Store::open("conflict").await;
    store.write(put(RecordId::meta("generation"), record(6, b"older"))).await;
    let mut old = put(RecordId::meta("generation"), record(7, b"old"));
    old.expect.push((RecordId::meta("generation"), Some(6)));
    store.write(old).await;
    let missing = put(RecordId::history("missing"), record(1, b"gone"));
    store.write(missing).await;
    let mut missing = Transaction { deletes: vec![RecordId::history("missing")], ..Transaction::default() };
    missing.expect.push((RecordId::history("missing"), Some(1)));
    store.write(missing).await;
    let attempt = |expect: Vec<(RecordId, Option<u64>)>| Transaction {
        expect,
        puts: vec![(RecordId::meta("generation"), record(8, b"new")), (RecordId::history("h"), vec![1])],
        adds: vec![vec![2]],
        deletes: vec![RecordId::meta("generation")],
        strict: true,
    };
    let generation = || RecordId::meta("generation");
    let wrong = [
        vec![(generation(), Some(6))],
        vec![(generation(), None)],
        vec![(generation(), Some(7)), (RecordId::history("missing"), Some(1))],
    ];
    for expect in wrong {
        let reply = store.write(attempt(expect)).await;
        assert!(matches!(reply, StoreReply::Conflict), "{reply:?}");
        let everything = vec![Read::All(Table::Meta), Read::All(Table::Outbox), Read::All(Table::History)];
        let lists = store.read(everything).await;
        assert_eq!(lists[0][0].bytes, record(7, b"old"));
        assert!(lists[1].is_empty() && lists[2].is_empty());
    }
    let right = vec![(generation(), Some(7)), (RecordId::history("missing"), None)];
    let mut last = attempt(right);
    last.deletes.clear();
    let reply = store.write(last).await;
    assert!(matches!(&reply, StoreReply::Saved { added } if added.len() == 1), "{reply:?}");
    let lists = store.read(vec![Read::One(generation()), Read::All(Table::Outbox)]).await;
    assert_eq!(lists[0][0].bytes, record(8, b"new"));
    assert_eq!(lists[1][0].bytes, [2]);
}

#[wasm_bindgen_test]
async fn a_prefix_reads_its_keys_and_no_others() {
    let mut store = Store::open("prefix").await;
    let keys = ["seg:a:1", "seg:a:2", "seg:a:\u{1f600}", "seg:ab:1", "seg:b:1", "seg"];
    for key in keys {
        store.write(put(RecordId::history(key), key.as_bytes().to_vec())).await;
    }
    let prefix = |prefix: &str| Read::Prefix { table: Table::History, prefix: prefix.to_owned() };
    let lists = store.read(vec![prefix("seg:a:"), prefix("nothing"), prefix("")]).await;
    let named = |n: usize| -> Vec<Key> { lists[n].iter().map(|record| record.key.clone()).collect() };
    let texts = |keys: &[&str]| -> Vec<Key> { keys.iter().map(|key| Key::Text((*key).to_owned())).collect() };
    assert_eq!(named(0), texts(&["seg:a:1", "seg:a:2", "seg:a:\u{1f600}"]));
    assert!(
        lists[0]
            .iter()
            .all(|record| record.key == Key::Text(String::from_utf8(record.bytes.clone()).unwrap()))
    );
    assert_eq!(named(1), []);
    assert_eq!(lists[2].len(), keys.len());
}

#[wasm_bindgen_test]
async fn requests_are_answered_once_each_in_their_order() {
    let mut store = Store::open("order").await;
    let mut asked = Vec::new();
    for n in 0..30u8 {
        asked.push(store.send(match n % 3 {
            0 => StoreRequest::Write(add(&[n])),
            1 => StoreRequest::Read(vec![Read::All(Table::Outbox)]),
            _ => StoreRequest::Write(put(RecordId::meta("n"), vec![n])),
        }));
    }
    let mut seen_rows = 0;
    for id in asked {
        let (answered, reply) = store.answer().await;
        assert_eq!(answered, id);
        match reply {
            // Each read sees the write that was asked for before it, and not the one after.
            StoreReply::Records(lists) => {
                seen_rows += 1;
                assert_eq!(lists[0].len(), seen_rows);
            }
            other => assert!(matches!(other, StoreReply::Saved { .. }), "{other:?}"),
        }
    }
    assert!(store.said.rest(50).await.is_empty());
}

#[wasm_bindgen_test]
async fn strict_writes_say_strict_and_the_others_relaxed() {
    let mut store = Store::open("durability").await;
    js("globalThis.seenDurability = [];
        globalThis.plainTransaction = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (...args) {
            const made = plainTransaction.apply(this, args);
            if (made.mode === 'readwrite') seenDurability.push(made.durability);
            return made;
        }; 0");
    store.write(add(b"row")).await;
    store.write(put(RecordId::history("h"), vec![1])).await;
    store.ask(StoreRequest::Wipe { generation: record(1, b"wiped") }).await;
    js("IDBDatabase.prototype.transaction = plainTransaction; 0");
    assert_eq!(js("seenDurability.join()").as_string().unwrap(), "strict,relaxed,strict");
}

#[wasm_bindgen_test]
async fn nothing_to_write_or_read_is_answered_too() {
    let mut store = Store::open("empty").await;
    let reply = store.write(Transaction::default()).await;
    assert!(matches!(&reply, StoreReply::Saved { added } if added.is_empty()), "{reply:?}");
    assert!(store.read(Vec::new()).await.is_empty());
}
