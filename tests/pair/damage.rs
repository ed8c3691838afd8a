//! A segment that cannot be read: what it held is known all the same.

use chatwire::proto::store::{conversation_key, segment_key};
use chatwire::proto::{Command, Event, Input, RecordId, Status, StoreRequest, TabInput, Transaction};
use serde_json::json;

use super::backend::Backend;
use super::world::World;

/// Of the first disk.
pub fn tear(world: &mut World, keys: impl Iterator<Item = String>) {
    let puts = keys.map(|key| (RecordId::history(key), vec![1, 2, 3])).collect();
    world.disks[0].records.execute(&StoreRequest::Write(Transaction { puts, ..Transaction::default() }));
}

fn damage(world: &mut World, at: usize, segments: &[u32]) {
    world.kill(at);
    tear(world, segments.iter().map(|number| segment_key("r", *number)));
    world.start(at);
    world.open_view(at, 1, "r");
    world.ask(at, Command::LoadEarlier { view: 1, count: 400 });
    world.pass(500);
}

/// A conversation of three segments; every tenth message is one's own.
fn filled(backend: Backend) -> (World, usize, Vec<String>) {
    let mut world = World::new(backend.room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    for n in 0..250 {
        if n % 10 == 0 {
            let key = world.saved(ana, "r", &format!("mine {n}"));
            world.until_status(ana, &key, Status::Acknowledged);
        } else {
            world.post("r", "bo", &format!("b{n}"));
            world.pass(20);
        }
    }
    world.ask(ana, Command::LoadEarlier { view: 1, count: 400 });
    world.pass(1000);
    let keys = row_keys(&world, ana);
    assert_eq!(keys.len(), 250);
    (world, ana, keys)
}

fn row_keys(world: &World, at: usize) -> Vec<String> {
    world.rows(at, 1).into_iter().map(|row| row.row_key).collect()
}

fn unread(world: &mut World, at: usize) -> u32 {
    world.nodes[at]
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Conversation { conversation } => Some(conversation.unread),
            _ => None,
        })
        .unwrap()
}

#[test]
fn what_is_fetched_again_is_not_told_again_and_keeps_its_keys() {
    for segments in [vec![0], vec![1], vec![2], vec![0, 2], vec![0, 1, 2]] {
        let (mut world, ana, keys) = filled(Backend::full());
        let count = unread(&mut world, ana);
        damage(&mut world, ana, &segments);
        world.go_live(ana);
        world.pass(5000);
        assert_eq!(row_keys(&world, ana), keys, "{segments:?}");
        assert_eq!(world.count(ana, |event| matches!(event, Event::Message { .. })), 0, "{segments:?}");
        assert_eq!(unread(&mut world, ana), count, "{segments:?}");
        for key in [&keys[0], &keys[110], &keys[240]] {
            let id = world.ask(ana, Command::Acknowledged { key: key.clone() });
            assert!(world.wait(ana, id).is_ok(), "{segments:?}");
        }
        world.post("r", "bo", "new");
        world.pass(1000);
        assert_eq!(world.count(ana, |event| matches!(event, Event::Message { .. })), 1, "{segments:?}");
        assert_eq!(world.count(ana, |event| matches!(event, Event::Gap { .. })), 0, "{segments:?}");
    }
}

/// Pages come from the newest, and go back as far as they may.
#[test]
fn without_a_cursor_what_was_lost_comes_again_too() {
    for segment in 0..3 {
        let (mut world, ana, keys) = filled(Backend::plain());
        damage(&mut world, ana, &[segment]);
        world.go_live(ana);
        world.pass(5000);
        assert_eq!(row_keys(&world, ana).len(), keys.len(), "{segment}");
        assert_eq!(world.count(ana, |event| matches!(event, Event::Gap { .. })), 0, "{segment}");
        assert_eq!(world.count(ana, |event| matches!(event, Event::Message { .. })), 0, "{segment}");
        world.post("r", "bo", "new");
        world.pass(1000);
        assert_eq!(world.count(ana, |event| matches!(event, Event::Message { .. })), 1, "{segment}");
    }
}

/// The leader has it in memory, and nothing else has it write it again.
#[test]
fn a_torn_conversation_is_written_again_and_known_in_every_tab() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.post("r", "bo", "one");
    world.pass(1000);
    tear(&mut world, [conversation_key("r")].into_iter());
    world.input(follower, Input::Tab(TabInput::Poked));
    let late = world.join_on("ana", json!({}), 0);
    world.pass(1000);
    for at in [leader, follower, late] {
        let conversation = world.nodes[at].client.as_ref().unwrap().conversation("r");
        assert_eq!(conversation.unwrap().unread, 1);
        assert_eq!(world.count(at, |event| matches!(event, Event::ConversationRemoved { .. })), 0);
    }
    world.restart(late);
    world.pass(1000);
    assert_eq!(world.count(late, |event| matches!(event, Event::Error { .. })), 0, "it can be read");
}

/// Nobody has in memory what it was, and the server does not list it any more.
#[test]
fn a_torn_conversation_that_nobody_knows_is_removed() {
    let (mut world, _, follower) = World::two(Backend::full());
    tear(&mut world, [conversation_key("gone")].into_iter());
    world.input(follower, Input::Tab(TabInput::Poked));
    world.pass(1000);
    world.restart(follower);
    world.pass(1000);
    assert_eq!(world.count(follower, |event| matches!(event, Event::Error { .. })), 0);
}
