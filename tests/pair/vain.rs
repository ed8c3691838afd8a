//! Writes that meet conflicts, and a generation that nobody can read.

use chatwire::proto::store::{GENERATION_KEY, head_key, record_version};
use chatwire::proto::{
    Command, ErrorCode, Event, Input, RecordId, Status, StoreRequest, TabInput, Transaction,
};

use super::backend::Backend;
use super::node::WriteFault;
use super::world::World;

fn degraded(world: &World, at: usize) -> usize {
    world.count(at, |event| matches!(event, Event::StorageDegraded { .. }))
}

#[test]
fn after_eleven_conflicts_the_store_is_left_alone_for_a_while() {
    for (conflicts, told) in [(10, 0), (11, 2)] {
        let (mut world, ana) = World::one();
        world.nodes[ana].checks.memory_only = true;
        world.disks[0].faults.extend(vec![WriteFault::Conflict; conflicts]);
        let key = world.saved(ana, "r", "one");
        world.until_status(ana, &key, Status::Acknowledged);
        world.pass(6_000);
        assert_eq!(degraded(&world, ana), told, "once that it is, once that it is over");
        assert_eq!(world.backend.texts("r"), ["one"]);
        assert!(world.outbox(ana).is_empty());
    }
}

#[test]
fn conflicts_of_a_claim_do_not_count_for_what_is_written_under_it() {
    for (conflicts, told) in [(10, 0), (11, 2)] {
        let (mut world, ana) = World::one();
        world.ask(ana, Command::Disconnect {});
        world.pass(100);
        world.nodes[ana].checks.memory_only = true;
        world.disks[0].faults.extend(vec![WriteFault::Conflict; conflicts]);
        world.disks[0].faults.extend([WriteFault::None, WriteFault::Conflict]);
        world.go_live(ana);
        let key = world.saved(ana, "r", "one");
        world.until_status(ana, &key, Status::Acknowledged);
        world.pass(6_000);
        assert!(world.disks[0].faults.is_empty());
        assert_eq!(degraded(&world, ana), told);
    }
}

/// Which reign has written a record.
fn reign(world: &World, at: &RecordId) -> Option<u64> {
    world.disks[0].records.get(at).and_then(record_version).map(|version| version >> 30)
}

#[test]
fn whoever_led_under_a_generation_that_was_torn_since_writes_no_more() {
    let (mut world, first, second) = World::two(Backend::full());
    world.post("r", "bo", "one");
    world.pass(500);
    world.loses_pokes = true;
    world.stand_still(first, true);
    let generation = RecordId::meta(GENERATION_KEY);
    let puts = vec![(generation.clone(), b"torn".to_vec())];
    world.disks[0].records.execute(&StoreRequest::Write(Transaction { puts, ..Transaction::default() }));
    // It has read it before, and sees the tear before it takes over.
    world.input(second, Input::Tab(TabInput::Poked));
    world.until("the other tab leads", |world| world.nodes[second].leads);
    world.pass(1_000);
    let claimed = reign(&world, &generation);
    assert!(claimed.is_some());
    // It runs before it hears that it was robbed.
    world.nodes[first].still = Some(Vec::new());
    world.stand_still(first, false);
    let newest = world.rows(first, 1).pop().unwrap().row_key;
    world.ask(first, Command::MarkRead { conversation_id: "r".to_owned(), row_key: newest });
    let writes = world.disks[0].writes;
    world.pass(50);
    assert!(world.disks[0].writes > writes, "it has tried");
    assert_eq!(reign(&world, &generation), claimed);
    assert_ne!(reign(&world, &RecordId::history(head_key("r"))), None);
    let leads = world.nodes[first].events.iter().rev().find_map(|event| match event {
        Event::Leader { leader } => Some(*leader),
        _ => None,
    });
    assert_eq!(leads, Some(false), "it has heard it from the store");
}

#[test]
fn after_a_wipe_of_which_nobody_knows_every_tab_looks() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.post("r", "bo", "one");
    world.pass(500);
    world.backend.rooms.get_mut("r").unwrap().messages.clear();
    world.disks[0].unclear_wipe = true;
    let id = world.ask(follower, Command::Wipe {});
    assert_eq!(world.wait(follower, id).unwrap_err().code, ErrorCode::Storage);
    world.pass(2_000);
    for at in [leader, follower] {
        assert!(world.texts(at, 1).is_empty(), "{at}: {:?}", world.texts(at, 1));
    }
}
