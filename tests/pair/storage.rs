//! A store that fails, does not answer as it should, or holds garbage.

use chatwire::proto::store::{CAPABILITIES_KEY, conversation_key, head_key, segment_key};
use chatwire::proto::{
    Command, ErrorCode, Event, Input, RecordId, SendCommand, Status, StoreFailure, StoreRequest, TabInput,
    Transaction,
};
use serde_json::json;

use super::acts::message;
use super::checks::outbox_rows;
use super::node::WriteFault;
use super::world::World;

fn degraded(world: &World, at: usize) -> Vec<bool> {
    let events = world.nodes[at].events.iter();
    events
        .filter_map(|event| match event {
            Event::StorageDegraded { message, .. } => Some(!message.contains("again")),
            _ => None,
        })
        .collect()
}

#[test]
fn a_full_disk_is_told_sends_live_in_memory_and_are_stored_when_there_is_room() {
    let (mut world, ana) = World::one();
    world.ask(ana, Command::Disconnect {});
    let durable = world.saved(ana, "r", "durable");
    world.disks[0].broken = Some(StoreFailure::Quota);
    let mut keys = vec![durable];
    for n in 0..3 {
        let id = world.send(ana, "r", &format!("m{n}"));
        world.wait(ana, id).unwrap();
        assert!(!world.message(ana, id).durable);
        keys.push(world.message(ana, id).key.unwrap());
    }
    assert_eq!(degraded(&world, ana), [true], "told once");
    world.pass(20_000);
    assert_eq!(outbox_rows(&mut world.disks[0].records).len(), 1);
    world.disks[0].broken = None;
    world.pass(6000);
    assert_eq!(degraded(&world, ana), [true, false]);
    let stored: Vec<String> =
        outbox_rows(&mut world.disks[0].records).into_iter().map(|(key, _)| key).collect();
    assert_eq!(stored, keys, "older first");
    assert!(world.outbox(ana).iter().all(|row| row.durable));
    world.restart(ana);
    world.go_live(ana);
    world.until("all there", |world| world.backend.texts("r") == ["durable", "m0", "m1", "m2"]);
}

#[test]
fn with_a_full_disk_messages_still_reach_a_server_that_keeps_keys() {
    let (mut world, ana) = World::one();
    world.nodes[ana].checks.memory_only = true;
    world.ask(ana, Command::Disconnect {});
    world.saved(ana, "r", "stored");
    world.disks[0].broken = Some(StoreFailure::Quota);
    world.send(ana, "r", "memory");
    world.connect(ana);
    world.until_within(30_000, "both there", |world| world.backend.texts("r") == ["stored", "memory"]);
    world.disks[0].broken = None;
    world.until("settled", |world| {
        world.nodes[ana].checks.statuses.values().all(|s| *s == Status::Acknowledged)
    });
    world.pass(6000);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
    assert_eq!(world.texts(ana, 1), ["stored", "memory"]);
}

#[test]
fn unknown_commits_are_looked_for_before_anything_is_decided() {
    for fault in [WriteFault::UnknownDone, WriteFault::UnknownLost] {
        for at in 0..4 {
            let (mut world, ana) = World::one();
            world.disks[0].faults.extend(vec![WriteFault::None; at]);
            world.disks[0].faults.push_back(fault);
            let first = world.saved(ana, "r", "first");
            let second = world.saved(ana, "r", "second");
            for key in [&first, &second] {
                world.until_status(ana, key, Status::Acknowledged);
            }
            world.pass(1000);
            assert_eq!(world.backend.texts("r"), ["first", "second"], "{fault:?} at {at}");
            assert_eq!(world.texts(ana, 1), ["first", "second"]);
            assert!(outbox_rows(&mut world.disks[0].records).is_empty());
            world.restart(ana);
            world.open_view(ana, 1, "r");
            world.pass(100);
            assert_eq!(world.texts(ana, 1), ["first", "second"], "{fault:?} at {at}");
        }
    }
}

#[test]
fn an_unclear_commit_is_not_repeated_while_the_store_cannot_be_read() {
    let (mut world, ana) = World::one();
    world.ask(ana, Command::Disconnect {});
    world.disks[0].faults.push_back(WriteFault::UnknownDone);
    let id = world.send(ana, "r", "hello");
    world.disks[0].unreadable = true;
    world.disks[0].broken = Some(StoreFailure::Other);
    world.pass(12_000);
    world.disks[0].broken = None;
    world.pass(6000);
    assert!(matches!(world.outcome(ana, id), Some(Ok(_))));
    assert_eq!(outbox_rows(&mut world.disks[0].records).len(), 1, "stored once");
}

#[test]
fn a_store_that_cannot_be_read_at_the_start_is_not_taken_for_empty() {
    let (mut world, ana) = World::one();
    world.saved(ana, "r", "one");
    world.post("r", "bo", "two");
    world.pass(1000);
    world.kill(ana);
    world.disks[0].broken = Some(StoreFailure::Other);
    world.disks[0].unreadable = true;
    world.start(ana);
    world.open_view(ana, 1, "r");
    world.pass(3000);
    world.disks[0].broken = None;
    world.pass(10_000);
    world.go_live(ana);
    world.pass(1000);
    assert_eq!((world.texts(ana, 1), 2), (world.backend.texts("r"), world.rows(ana, 1).len()));
    assert!(degraded(&world, ana)[0]);
}

#[test]
fn every_write_that_fails_once_costs_nothing() {
    for at in 0..8 {
        for kind in [StoreFailure::Other, StoreFailure::Quota] {
            let (mut world, ana) = World::one();
            world.nodes[ana].checks.memory_only = true;
            world.disks[0].faults.extend(vec![WriteFault::None; at]);
            world.disks[0].faults.push_back(WriteFault::Fail(kind));
            for n in 0..3 {
                world.saved(ana, "r", &format!("t{n}"));
                world.post("r", "bo", &format!("b{n}"));
            }
            world.until("all there", |world| world.backend.texts("r").len() == 6);
            world.pass(12_000);
            assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "fault at {at}");
            world.restart(ana);
            world.open_view(ana, 1, "r");
            world.pass(100);
            assert_eq!(world.texts(ana, 1), world.backend.texts("r"), "fault at {at}");
        }
    }
}

#[test]
fn a_damaged_segment_costs_itself_is_told_and_is_fetched_again() {
    for damaged in [segment_key("r", 0), segment_key("r", 1), segment_key("r", 2), head_key("r")] {
        let (mut world, ana) = World::one();
        for n in 0..250 {
            world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("b{n}"));
        }
        world.cut(ana);
        world.until("caught up", |world| {
            world.count(ana, |event| matches!(event, Event::Message { .. })) == 250
        });
        world.pass(1000);
        world.kill(ana);
        let puts = vec![(RecordId::history(damaged.clone()), vec![1, 2, 3])];
        world.disks[0].records.execute(&StoreRequest::Write(Transaction { puts, ..Transaction::default() }));
        world.start(ana);
        world.open_view(ana, 1, "r");
        world.ask(ana, Command::LoadEarlier { view: 1, count: 300 });
        world.pass(1000);
        world.go_live(ana);
        world.pass(5000);
        assert_eq!(world.texts(ana, 1), world.backend.texts("r"), "{damaged}");
        assert!(world.count(ana, |event| matches!(event, Event::Error { .. })) >= 1, "{damaged}");
        world.restart(ana);
        world.open_view(ana, 1, "r");
        world.ask(ana, Command::LoadEarlier { view: 1, count: 300 });
        world.pass(1000);
        assert_eq!(world.texts(ana, 1), world.backend.texts("r"), "{damaged}, after a restart");
    }
}

#[test]
fn a_wipe_leaves_nothing_and_the_client_goes_on() {
    let (mut world, ana) = World::one();
    world.saved(ana, "r", "one");
    world.pass(1000);
    let id = world.ask(ana, Command::Wipe {});
    world.wait(ana, id).unwrap();
    assert!(world.rows(ana, 1).is_empty());
    world.go_live(ana);
    world.until("fetched again", |world| world.texts(ana, 1) == ["one"]);
    let key = world.saved(ana, "r", "two");
    world.until_status(ana, &key, Status::Acknowledged);
}

/// Deleted by the user, or by another application of the origin, and made anew by the next request.
fn delete(world: &mut World, at: usize) {
    let disk = world.nodes[at].disk;
    world.disks[disk].records.empty();
    world.input(at, Input::Tab(TabInput::Emptied));
}

#[test]
fn a_database_deleted_under_a_client_takes_no_accepted_message_along() {
    let (mut world, ana) = World::one();
    world.ask(ana, Command::Disconnect {});
    let keys: Vec<String> = (0..3).map(|n| world.saved(ana, "r", &format!("m{n}"))).collect();
    delete(&mut world, ana);
    assert_eq!(degraded(&world, ana).len(), 1, "told");
    world.pass(100);
    let stored: Vec<String> =
        outbox_rows(&mut world.disks[0].records).into_iter().map(|(key, _)| key).collect();
    assert_eq!(stored, keys, "written again, older first");
    assert!(world.outbox(ana).iter().all(|row| row.durable));
    world.restart(ana);
    world.go_live(ana);
    world.until("all there", |world| world.backend.texts("r") == ["m0", "m1", "m2"]);
}

#[test]
fn a_database_deleted_under_two_tabs_is_made_anew_for_both() {
    let (mut world, leader) = World::one();
    let follower = world.join_on("ana", json!({}), 0);
    world.open_view(follower, 1, "r");
    world.connect(follower);
    world.post("r", "bo", "b0");
    world.pass(200);
    let disk = world.nodes[leader].disk;
    world.disks[disk].records.empty();
    for at in [follower, leader] {
        world.input(at, Input::Tab(TabInput::Emptied));
    }
    world.pass(500);
    for again in [false, true] {
        if again {
            world.restart(follower);
            world.open_view(follower, 1, "r");
            world.connect(follower);
        }
        world.pass(31_000);
        let key = world.saved(follower, "r", &format!("from beside {again}"));
        world.until("it is sent", |world| world.backend.texts("r").contains(&format!("from beside {again}")));
        assert!(!world.outbox(follower).iter().any(|row| row.row_key == key && row.status == Status::Failed));
        assert!(world.texts(follower, 1).contains(&"b0".to_owned()));
        let client = world.nodes[follower].client.as_ref().unwrap();
        assert!(client.conversation("r").is_some(), "the list is there");
    }
    world.pass(1000);
    let kept = |key: &str| world.disks[disk].records.get(&RecordId::history(key.to_owned())).is_some();
    assert!(kept(&conversation_key("r")) && kept(&head_key("r")));
    let capabilities = RecordId::meta(CAPABILITIES_KEY);
    assert!(world.disks[disk].records.get(&capabilities).is_some(), "what the backend gives");
}

#[test]
fn a_database_deleted_while_messages_are_on_their_way_loses_and_doubles_none() {
    for wait_ms in [0, 5, 15, 25, 500, 2500] {
        let (mut world, ana) = World::one();
        world.latency_ms = 1000;
        for n in 0..3 {
            world.send(ana, "r", &format!("m{n}"));
        }
        world.pass(wait_ms);
        delete(&mut world, ana);
        world.until("all there", |world| world.backend.texts("r") == ["m0", "m1", "m2"]);
        world.pass(30_000);
        assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "{wait_ms}");
        assert_eq!(world.backend.texts("r"), ["m0", "m1", "m2"], "{wait_ms}");
    }
}

#[test]
fn a_resend_that_only_memory_has_is_cancelled_when_its_failure_has_left_the_store() {
    let (mut world, ana) = World::one();
    world.server_down();
    world.pass(100);
    let id = world.ask(ana, Command::Send(SendCommand { ttl_ms: Some(1000), ..message("r", "late") }));
    world.wait(ana, id).unwrap();
    let key = world.message(ana, id).key.unwrap();
    world.until_status(ana, &key, Status::Failed);
    world.pass(100);
    world.disks[0].broken = Some(StoreFailure::Quota);
    let resend = world.ask(ana, Command::Resend { key: key.clone() });
    world.wait(ana, resend).unwrap();
    assert!(!world.message(ana, resend).durable);
    let acknowledged = world.ask(ana, Command::Acknowledged { key: key.clone() });
    let cancel = world.ask(ana, Command::Cancel { key });
    world.pass(1000);
    assert!(world.outcome(ana, cancel).is_none(), "the next page would find the failed message");
    assert!(world.outbox(ana).is_empty());
    world.disks[0].broken = None;
    world.wait(ana, cancel).unwrap();
    assert_eq!(world.wait(ana, acknowledged).unwrap_err().code, ErrorCode::Cancelled);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
}

#[test]
fn a_send_that_is_cancelled_while_the_store_refuses_it_ends() {
    let (mut world, ana) = World::one();
    world.ask(ana, Command::Disconnect {});
    world.disks[0].delay_ms = 30;
    world.disks[0].broken = Some(StoreFailure::Quota);
    let id = world.send(ana, "r", "one");
    let saving = world.nodes[ana].checks.statuses.iter().find(|(_, status)| **status == Status::Saving);
    let key = saving.map(|(key, _)| key.clone()).unwrap();
    let cancel = world.ask(ana, Command::Cancel { key });
    world.pass(1000);
    assert!(world.outcome(ana, cancel).is_some());
    assert!(world.outcome(ana, id).is_some());
}
