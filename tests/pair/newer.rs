//! A store that a later version of the application has written is left to that version.

use chatwire::proto::store::{
    FORMAT_VERSION, GENERATION_KEY, WireMark, decode_generation, decode_outbox_row, encode_generation,
    encode_outbox_row, head_key, record_version,
};
use chatwire::proto::{
    Command, CommandId, ConnectionState, ErrorCode, Event, Failure, Input, RecordId, Status, StoreFailure,
    StoreReply, StoreRequest, TabInput, Transaction,
};
use serde_json::json;
use xxhash_rust::xxh64::xxh64;

use super::acts::message;
use super::backend::Backend;
use super::checks::outbox_rows;
use super::node::WriteFault;
use super::world::World;

/// The same record as the next format says it.
fn newer(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes[3] = FORMAT_VERSION + 1;
    let checksum = xxh64(&bytes[24..], xxh64(&bytes[2..16], 0));
    bytes[16..24].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn put(world: &mut World, at: RecordId, bytes: Vec<u8>) {
    let transaction = Transaction { puts: vec![(at, bytes)], ..Transaction::default() };
    world.disks[0].records.execute(&StoreRequest::Write(transaction));
}

fn record(world: &mut World, at: &RecordId) -> Vec<u8> {
    world.disks[0].records.get(at).unwrap().to_vec()
}

fn told(world: &World, at: usize) -> usize {
    world.count(at, |event| matches!(event, Event::Error { error } if error.code == ErrorCode::Storage))
}

fn refusal(world: &mut World, at: usize, outcome: Result<CommandId, Failure>) -> Failure {
    match outcome {
        Err(failure) => failure,
        Ok(id) => world.wait(at, id).unwrap_err(),
    }
}

fn is_shut_out(world: &mut World, at: usize) {
    assert!(!world.nodes[at].leads && !world.nodes[at].waits);
    assert_eq!(told(world, at), 1, "{}", world.tail());
    let connection = world.nodes[at].events.iter().rev().find_map(|event| match event {
        Event::Connection { connection } => Some(connection.clone()),
        _ => None,
    });
    let shown = connection.unwrap();
    assert_eq!((shown.state, shown.reason.as_deref()), (ConnectionState::Closed, Some("storage")));
    for command in [Command::Send(message("r", "no")), Command::Connect {}] {
        let outcome = world.command(at, command);
        let failure = refusal(world, at, outcome);
        assert_eq!(failure.code, ErrorCode::Storage);
        assert!(failure.message.contains("reload this page"), "{failure:?}");
    }
}

#[test]
fn an_older_tab_that_follows_does_not_take_the_lead() {
    for head in [false, true] {
        let (mut world, newest, older) = World::two(Backend::full());
        let key = world.saved(newest, "r", "one");
        world.until_status(newest, &key, Status::Acknowledged);
        let generation = RecordId::meta(GENERATION_KEY);
        let at = if head { RecordId::history(head_key("r")) } else { generation.clone() };
        let written = newer(record(&mut world, &at));
        put(&mut world, at.clone(), written.clone());
        world.kill(newest);
        world.pass(5_000);
        if !head {
            assert_eq!(record(&mut world, &generation), written, "its generation stands");
        }
        assert_eq!(record(&mut world, &at), written);
        is_shut_out(&mut world, older);
        assert_eq!(world.backend.sessions.len(), 0);
        // At the start too.
        world.restart(older);
        let early = world.command(older, Command::Connect {});
        world.pass(5_000);
        assert_eq!(refusal(&mut world, older, early).code, ErrorCode::Storage);
        is_shut_out(&mut world, older);
        assert_eq!(record(&mut world, &at), written);
        // What it cannot read it can remove.
        let id = world.ask(older, Command::Wipe {});
        world.wait(older, id).unwrap();
        world.connect(older);
        world.pass(1_000);
        assert!(world.nodes[older].leads);
    }
}

#[test]
fn an_older_leader_makes_room_when_a_newer_tab_writes_beside_it() {
    let (mut world, older, beside) = World::two(Backend::full());
    world.server_down();
    world.pass(100);
    let key = world.saved(older, "r", "one");
    let row = RecordId::outbox(1);
    let bytes = newer(record(&mut world, &row));
    put(&mut world, row.clone(), bytes.clone());
    world.input(older, Input::Tab(TabInput::Poked));
    world.pass(100);
    is_shut_out(&mut world, older);
    assert_eq!(record(&mut world, &row), bytes, "{key} is the newer version's to send");
    world.kill(beside);
    world.pass(40_000);
    assert_eq!(record(&mut world, &row), bytes);
}

#[test]
fn damage_that_looks_like_a_newer_format_is_damage() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join_with("ana", json!({}));
    world.kill(ana);
    let mut bytes = encode_generation(7, 3);
    bytes[3] = FORMAT_VERSION + 1;
    assert!(record_version(&bytes).is_some());
    put(&mut world, RecordId::meta(GENERATION_KEY), bytes);
    world.start(ana);
    world.go_live(ana);
}

/// As a tab does it that knows what stands there; `None`: it removes it.
fn replace(world: &mut World, at: &RecordId, bytes: Option<Vec<u8>>) {
    let expect = vec![(at.clone(), record_version(&record(world, at)))];
    let mut transaction = Transaction { expect, ..Transaction::default() };
    match bytes {
        Some(bytes) => transaction.puts.push((at.clone(), bytes)),
        None => transaction.deletes.push(at.clone()),
    }
    let reply = world.disks[0].records.execute(&StoreRequest::Write(transaction));
    assert!(matches!(reply, StoreReply::Saved { .. }), "{reply:?}");
}

/// Another tab leads, which writes its records by `format`.
fn claim(world: &mut World, format: fn(Vec<u8>) -> Vec<u8>) {
    let at = RecordId::meta(GENERATION_KEY);
    let number = decode_generation(&record(world, &at)).unwrap().1;
    replace(world, &at, Some(format(encode_generation(1_000, number + 1))));
}

/// A queued message of an older tab that does not lead, offline, and hears nothing.
fn queued() -> (World, usize, String, RecordId) {
    let (mut world, leader, older) = World::two(Backend::full());
    world.server_down();
    world.pass(100);
    world.loses_pokes = true;
    world.nodes[older].checks.memory_only = true;
    let key = world.saved(older, "r", "one");
    world.stand_still(leader, true);
    (world, older, key, RecordId::outbox(1))
}

fn marked(world: &mut World, at: &RecordId) -> Vec<u8> {
    let mut row = decode_outbox_row(&record(world, at)).unwrap().1;
    row.wire = Some(WireMark { generation: 9, attempt: 1 });
    encode_outbox_row(1_001, &row)
}

#[test]
fn a_cancel_takes_back_only_what_no_newer_tab_can_have_sent() {
    let refused = Err(ErrorCode::InFlight);
    for (kind, ends) in [
        ("left alone", Ok(())),
        ("marked", refused),
        ("in a format that cannot be read", refused),
        ("sent", Err(ErrorCode::Storage)),
    ] {
        let (mut world, older, key, at) = queued();
        claim(&mut world, newer);
        let marked = marked(&mut world, &at);
        match kind {
            "left alone" => {}
            "marked" => replace(&mut world, &at, Some(marked)),
            "sent" => replace(&mut world, &at, None),
            _ => replace(&mut world, &at, Some(newer(marked))),
        }
        let written = world.disks[0].records.get(&at).map(<[u8]>::to_vec);
        let id = world.ask(older, Command::Cancel { key });
        let outcome = world.wait(older, id);
        assert_eq!(outcome.map(drop).map_err(|failure| failure.code), ends, "{kind}");
        world.pass(7_000);
        let stands = world.disks[0].records.get(&at).map(<[u8]>::to_vec);
        assert_eq!(stands, if ends.is_ok() { None } else { written }, "{kind}");
    }
}

/// Its write is refused after a read has shown another reign, in which nobody keeps the versions of before.
#[test]
fn a_row_that_was_being_written_when_another_tab_claimed_is_not_known_any_more() {
    let formats: [fn(Vec<u8>) -> Vec<u8>; 2] = [newer, |bytes| bytes];
    for format in formats {
        let (mut world, older, key, at) = queued();
        world.disks[0].delay_ms = 100;
        world.input(older, Input::Tab(TabInput::Poked));
        world.pass(20);
        let marked = marked(&mut world, &at);
        replace(&mut world, &at, Some(marked.clone()));
        claim(&mut world, format);
        world.disks[0].faults.push_back(WriteFault::Fail(StoreFailure::Quota));
        let id = world.ask(older, Command::Cancel { key });
        assert_eq!(world.wait(older, id).unwrap_err().code, ErrorCode::InFlight);
        assert_eq!(record(&mut world, &at), marked);
    }
}

#[test]
fn a_torn_row_beside_a_newer_tab_holds_up_no_other() {
    let (mut world, older, key, at) = queued();
    world.disks[0].broken = Some(StoreFailure::Quota);
    let cancel = world.ask(older, Command::Cancel { key: key.clone() });
    let two = world.send(older, "r", "two");
    world.pass(100);
    assert!(!world.message(older, two).durable);
    claim(&mut world, newer);
    put(&mut world, at, b"torn".to_vec());
    world.disks[0].broken = None;
    let writes = world.disks[0].writes;
    world.pass(30_000);
    // Whether the torn one was sent is not known: it stays.
    let second = world.message(older, two).key.unwrap();
    assert_eq!(outbox_rows(&mut world.disks[0].records), [(key, true), (second, false)]);
    assert_eq!(world.wait(older, cancel).unwrap_err().code, ErrorCode::InFlight);
    assert!(world.disks[0].writes < writes + 5, "not in vain");
}
