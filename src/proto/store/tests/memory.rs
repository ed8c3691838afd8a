//! The contract of the store, on memory.

use crate::proto::api::*;
use crate::proto::store::*;

fn opened() -> MemoryStore {
    let mut store = MemoryStore::new();
    open(&mut store);
    store
}

fn open(store: &mut MemoryStore) {
    let reply = store.execute(&StoreRequest::Open { name: "db".into() });
    assert!(matches!(reply, StoreReply::Opened { persistent: false }), "{reply:?}");
}

fn record(version: u64) -> Vec<u8> {
    seal(RecordKind::Settings, version, b"content")
}

fn write(store: &mut MemoryStore, transaction: Transaction) -> StoreReply {
    store.execute(&StoreRequest::Write(transaction))
}

fn saved(reply: StoreReply) -> Vec<u64> {
    match reply {
        StoreReply::Saved { added } => added,
        other => panic!("{other:?}"),
    }
}

fn read(store: &mut MemoryStore, read: Read) -> Vec<Record> {
    match store.execute(&StoreRequest::Read(vec![read])) {
        StoreReply::Records(mut lists) if lists.len() == 1 => lists.remove(0),
        other => panic!("{other:?}"),
    }
}

fn everything(store: &mut MemoryStore) -> Vec<Vec<Record>> {
    [Table::Meta, Table::Outbox, Table::History].map(|table| read(store, Read::All(table))).into()
}

fn failure(reply: StoreReply) -> StoreFailure {
    match reply {
        StoreReply::Failed { kind, message } if !message.is_empty() => kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_works_before_open() {
    let mut store = MemoryStore::new();
    for request in [StoreRequest::Write(Transaction::default()), StoreRequest::Read(Vec::new()), wipe()] {
        assert_eq!(failure(store.execute(&request)), StoreFailure::Unavailable);
    }
    open(&mut store);
    open(&mut store);
    let other = StoreRequest::Open { name: "another".into() };
    assert_eq!(failure(store.execute(&other)), StoreFailure::Other);
}

#[test]
fn a_conflict_writes_nothing() {
    let mut store = opened();
    let generation = RecordId::meta(GENERATION_KEY);
    let segment = RecordId::history(segment_key("a", 0));
    let setup = Transaction {
        puts: vec![(generation.clone(), record(7)), (segment.clone(), record(3))],
        adds: vec![record(1)],
        ..Transaction::default()
    };
    assert_eq!(saved(write(&mut store, setup)), [1]);
    let older = Transaction {
        expect: vec![(segment.clone(), Some(2))],
        puts: vec![(segment.clone(), record(3))],
        ..Transaction::default()
    };
    saved(write(&mut store, older));
    let before = everything(&mut store);

    let conflicting = [
        vec![(generation.clone(), Some(7)), (segment.clone(), Some(2))],
        vec![(segment.clone(), Some(3)), (generation.clone(), None)],
        vec![(RecordId::meta("absent"), Some(0))],
        vec![(RecordId::outbox(1), None)],
    ];
    for expect in conflicting {
        let transaction = Transaction {
            expect,
            puts: vec![(generation.clone(), record(8)), (RecordId::meta("new"), record(8))],
            adds: vec![record(8)],
            deletes: vec![segment.clone(), RecordId::outbox(1)],
            strict: true,
        };
        assert!(matches!(write(&mut store, transaction), StoreReply::Conflict));
        assert_eq!(everything(&mut store), before);
    }

    let transaction = Transaction {
        expect: vec![(generation.clone(), Some(7)), (RecordId::meta("new"), None)],
        puts: vec![(generation.clone(), record(8)), (RecordId::meta("new"), record(8))],
        adds: vec![record(8)],
        deletes: vec![segment.clone(), RecordId::outbox(1)],
        strict: true,
    };
    // The refused adds have not used up a key.
    assert_eq!(saved(write(&mut store, transaction)), [2]);
    assert_eq!(store.get(&generation).and_then(record_version), Some(8));
    assert_eq!(store.get(&segment), None);
}

#[test]
fn what_is_no_record_counts_as_absent() {
    let mut store = opened();
    let id = RecordId::meta(GENERATION_KEY);
    let garbage = Transaction { puts: vec![(id.clone(), b"garbage".to_vec())], ..Transaction::default() };
    saved(write(&mut store, garbage));
    let mend = Transaction {
        expect: vec![(id.clone(), None)],
        puts: vec![(id.clone(), record(1))],
        ..Default::default()
    };
    saved(write(&mut store, mend.clone()));
    assert!(matches!(write(&mut store, mend), StoreReply::Conflict));
}

#[test]
fn a_version_holds_until_it_is_replaced_even_where_its_record_is_torn() {
    let mut store = opened();
    assert_eq!(
        saved(write(&mut store, Transaction { adds: vec![record(5)], ..Transaction::default() })),
        [1]
    );
    let torn = Transaction { puts: vec![(RecordId::outbox(1), b"to".to_vec())], ..Transaction::default() };
    saved(write(&mut store, torn));
    let again = |expected, version| Transaction {
        expect: vec![(RecordId::outbox(1), Some(expected))],
        puts: vec![(RecordId::outbox(1), record(version))],
        ..Transaction::default()
    };
    saved(write(&mut store, again(5, 6)));
    assert!(matches!(write(&mut store, again(5, 7)), StoreReply::Conflict));
    saved(write(&mut store, again(6, 7)));
    // A wipe ends the generation, and with it whatever was read under it.
    let claim = |before, version| Transaction {
        expect: vec![(RecordId::meta(GENERATION_KEY), before)],
        puts: vec![(RecordId::meta(GENERATION_KEY), record(version))],
        ..Transaction::default()
    };
    saved(write(&mut store, claim(None, 8)));
    saved(store.execute(&wipe()));
    assert!(matches!(write(&mut store, claim(Some(8), 10)), StoreReply::Conflict));
    saved(write(&mut store, claim(Some(9), 10)));
}

#[test]
fn outbox_keys_ascend_and_never_repeat() {
    let mut store = opened();
    let add = |count| Transaction { adds: vec![record(1); count], ..Transaction::default() };
    assert_eq!(saved(write(&mut store, add(3))), [1, 2, 3]);
    let delete_all =
        Transaction { deletes: (1..=3).map(RecordId::outbox).collect(), ..Transaction::default() };
    assert_eq!(saved(write(&mut store, delete_all)), [] as [u64; 0]);
    assert_eq!(saved(write(&mut store, add(1))), [4]);
    assert_eq!(saved(store.execute(&wipe())), [] as [u64; 0]);
    let left = everything(&mut store);
    assert_eq!(
        left.iter().flatten().map(|record| &record.key).collect::<Vec<_>>(),
        [&Key::Text("generation".into())]
    );
    assert_eq!(saved(write(&mut store, add(2))), [5, 6]);
    // A key that was put pushes the generator on, in the same transaction too.
    let put_and_add = Transaction { puts: vec![(RecordId::outbox(20), record(1))], ..add(1) };
    assert_eq!(saved(write(&mut store, put_and_add)), [21]);
    let keys: Vec<Key> = read(&mut store, Read::All(Table::Outbox)).into_iter().map(|row| row.key).collect();
    assert_eq!(keys, [5, 6, 20, 21].map(Key::Number));
}

#[test]
fn keys_of_the_wrong_type_are_refused_whole() {
    let mut store = opened();
    let wrong = [
        RecordId { table: Table::Outbox, key: Key::Text("1".into()) },
        RecordId { table: Table::Meta, key: Key::Number(1) },
        RecordId { table: Table::History, key: Key::Number(1) },
        RecordId::outbox((1 << 53) + 1),
    ];
    for id in wrong {
        let puts = vec![(RecordId::meta("fine"), record(1)), (id, record(1))];
        let transaction = Transaction { puts, ..Transaction::default() };
        assert_eq!(failure(write(&mut store, transaction)), StoreFailure::Other);
        assert_eq!(store.used_bytes(), 0);
    }
    let last = Transaction {
        puts: vec![(RecordId::outbox(1 << 53), record(1))],
        adds: vec![record(1)],
        ..Transaction::default()
    };
    assert_eq!(failure(write(&mut store, last)), StoreFailure::Other);
    assert_eq!(store.used_bytes(), 0);
}

#[test]
fn reads_find_one_all_or_a_prefix() {
    let mut store = opened();
    let keys = [
        segment_key("b", 0),
        segment_key("a", 10),
        segment_key("a", 2),
        segment_key("ab", 0),
        segment_key("a/", 0),
        head_key("a"),
        index_key("a", 0),
    ];
    let transaction = Transaction {
        puts: keys.iter().map(|key| (RecordId::history(key.as_str()), key.clone().into_bytes())).collect(),
        adds: vec![record(1)],
        ..Transaction::default()
    };
    saved(write(&mut store, transaction));

    let text_keys = |records: Vec<Record>| -> Vec<String> {
        let text = |record: Record| match record.key {
            Key::Text(text) => {
                assert_eq!(record.bytes, text.as_bytes());
                text
            }
            Key::Number(_) => panic!("a number in the history table"),
        };
        records.into_iter().map(text).collect()
    };
    let prefix = |prefix: &str| Read::Prefix { table: Table::History, prefix: prefix.into() };
    assert_eq!(
        text_keys(read(&mut store, prefix(&segment_prefix("a")))),
        [segment_key("a", 2), segment_key("a", 10)]
    );
    assert_eq!(text_keys(read(&mut store, prefix(HEAD_PREFIX))), [head_key("a")]);
    assert_eq!(text_keys(read(&mut store, prefix("z"))), [] as [String; 0]);
    let mut sorted = keys.to_vec();
    sorted.sort();
    assert_eq!(text_keys(read(&mut store, Read::All(Table::History))), sorted);
    assert_eq!(text_keys(read(&mut store, prefix(""))), sorted);
    assert_eq!(text_keys(read(&mut store, Read::One(RecordId::history(head_key("a"))))), [head_key("a")]);
    assert_eq!(read(&mut store, Read::One(RecordId::history("absent"))), []);
    let outbox_prefix = Read::Prefix { table: Table::Outbox, prefix: String::new() };
    assert_eq!(read(&mut store, outbox_prefix), []);

    let two = store.execute(&StoreRequest::Read(vec![Read::All(Table::Outbox), Read::All(Table::Meta)]));
    assert!(matches!(two, StoreReply::Records(lists) if lists[0].len() == 1 && lists[1].is_empty()));
}

#[test]
fn a_full_store_writes_nothing_and_may_shrink() {
    let mut store = MemoryStore::with_limit(100);
    open(&mut store);
    let put = |key: &str, length| Transaction {
        puts: vec![(RecordId::meta(key), vec![0; length])],
        ..Transaction::default()
    };
    saved(write(&mut store, put("a", 59)));
    assert_eq!(store.used_bytes(), 60);
    assert_eq!(failure(write(&mut store, put("b", 40))), StoreFailure::Quota);
    assert_eq!(store.used_bytes(), 60);
    let add = Transaction { adds: vec![vec![0; 33]], ..Transaction::default() };
    assert_eq!(failure(write(&mut store, add)), StoreFailure::Quota);
    // An overwritten or deleted record's room counts.
    saved(write(&mut store, put("a", 99)));
    let swap = Transaction { deletes: vec![RecordId::meta("a")], ..put("b", 99) };
    saved(write(&mut store, swap));
    assert_eq!(store.used_bytes(), 100);
    store.set_limit(Some(10));
    saved(write(&mut store, put("b", 50)));
    assert_eq!(failure(write(&mut store, put("b", 51))), StoreFailure::Quota);
    store.set_limit(None);
    saved(write(&mut store, put("b", 500)));
    assert_eq!(store.used_bytes(), 501);
    // The refused add has not used up a key.
    assert_eq!(
        saved(write(&mut store, Transaction { adds: vec![Vec::new()], ..Transaction::default() })),
        [1]
    );
}

#[test]
fn a_write_for_which_there_is_no_room_is_taken_back_whole() {
    let mut store = opened();
    let setup = Transaction {
        puts: vec![(RecordId::meta("a"), record(1)), (RecordId::history("a"), record(2))],
        adds: vec![record(3)],
        ..Transaction::default()
    };
    assert_eq!(saved(write(&mut store, setup)), [1]);
    let (before, used) = (everything(&mut store), store.used_bytes());
    store.set_limit(Some(used));
    let too_much = Transaction {
        puts: vec![
            (RecordId::meta("a"), vec![0; 500]),
            (RecordId::meta("a"), record(4)),
            (RecordId::meta("new"), record(5)),
            (RecordId::outbox(1), record(6)),
        ],
        adds: vec![record(7), record(8)],
        deletes: vec![RecordId::history("a"), RecordId::history("absent"), RecordId::outbox(1)],
        ..Transaction::default()
    };
    assert_eq!(failure(write(&mut store, too_much.clone())), StoreFailure::Quota);
    assert_eq!((everything(&mut store), store.used_bytes()), (before, used));
    // What is put twice, or put and deleted, counts as it is at the end.
    store.set_limit(Some(1000));
    assert_eq!(saved(write(&mut store, too_much)), [2, 3]);
    let sizes = ["a", "new"].map(|key| key.len() + record(0).len());
    assert_eq!(store.used_bytes(), sizes[0] + sizes[1] + 2 * (8 + record(0).len()));
}

#[test]
fn the_later_of_two_wins() {
    let mut store = opened();
    let id = RecordId::meta("a");
    let twice = Transaction {
        puts: vec![(id.clone(), record(1)), (id.clone(), record(2))],
        ..Transaction::default()
    };
    saved(write(&mut store, twice));
    assert_eq!(store.get(&id).and_then(record_version), Some(2));
    let put_and_delete = Transaction {
        puts: vec![(id.clone(), record(3))],
        deletes: vec![id.clone(), RecordId::meta("absent")],
        ..Transaction::default()
    };
    saved(write(&mut store, put_and_delete));
    assert_eq!(store.get(&id), None);
    assert_eq!(store.used_bytes(), 0);
}

#[test]
fn a_clone_lives_on_by_itself() {
    let mut store = opened();
    let put = |version| Transaction {
        puts: vec![(RecordId::meta("a"), record(version))],
        ..Transaction::default()
    };
    saved(write(&mut store, put(1)));
    let mut copy = store.clone();
    saved(write(&mut copy, put(2)));
    assert_eq!(store.get(&RecordId::meta("a")).and_then(record_version), Some(1));
    assert_eq!(copy.get(&RecordId::meta("a")).and_then(record_version), Some(2));
}

fn wipe() -> StoreRequest {
    StoreRequest::Wipe { generation: record(9) }
}

#[test]
fn a_version_that_a_wipe_draws_once_more_is_in_force_again() {
    let mut store = opened();
    let at = RecordId::meta(GENERATION_KEY);
    let claim = |before, version| Transaction {
        expect: vec![(at.clone(), before)],
        puts: vec![(at.clone(), record(version))],
        ..Transaction::default()
    };
    saved(write(&mut store, claim(None, 1)));
    saved(write(&mut store, claim(Some(1), 2)));
    saved(store.execute(&StoreRequest::Wipe { generation: record(1) }));
    assert!(matches!(write(&mut store, claim(Some(2), 3)), StoreReply::Conflict));
    saved(write(&mut store, claim(Some(1), 3)));
}

#[test]
fn a_claim_over_a_torn_generation_forgets_no_row_that_was_replaced() {
    for (torn, kept) in [(true, true), (false, false)] {
        let mut store = opened();
        let generation = RecordId::meta(GENERATION_KEY);
        let before = if torn { b"torn".to_vec() } else { record(7) };
        saved(write(
            &mut store,
            Transaction { puts: vec![(generation.clone(), before)], ..Transaction::default() },
        ));
        let adds = vec![record(1)];
        let number = saved(write(&mut store, Transaction { adds, ..Transaction::default() }))[0];
        let row = RecordId::outbox(number);
        let (expect, deletes) = (vec![(row.clone(), Some(1))], vec![row.clone()]);
        saved(write(&mut store, Transaction { expect, deletes, ..Transaction::default() }));
        let expect = vec![(generation.clone(), (!torn).then_some(7))];
        let puts = vec![(generation, record(8))];
        saved(write(&mut store, Transaction { expect, puts, ..Transaction::default() }));
        let again = Transaction { expect: vec![(row, Some(1))], ..Transaction::default() };
        let conflict = matches!(write(&mut store, again), StoreReply::Conflict);
        assert_eq!(conflict, kept, "torn: {torn}");
    }
}
