//! What only one tab knows of a message when the lead changes hands, or the answer says little.

use chatwire::proto::{ErrorCode, Input, Status, TabInput};
use serde_json::json;

use super::backend::{Backend, Fate};
use super::checks::outbox_rows;
use super::world::World;

fn two(backend: Backend) -> (World, usize, usize) {
    let mut world = World::new(backend.room("r", &["ana", "bo"]));
    let leader = world.join("ana");
    world.go_live(leader);
    let follower = world.join_on("ana", json!({}), 0);
    world.pass(100);
    for node in [leader, follower] {
        world.open_view(node, 1, "r");
    }
    world.connect(follower);
    world.pass(100);
    (world, leader, follower)
}

/// The follower has met the row before the leader put it on the wire.
#[test]
fn without_keys_a_takeover_sends_nothing_twice() {
    for (fate, there) in [(Fate::Withhold, true), (Fate::Ignore, false)] {
        let (mut world, leader, follower) = two(Backend::plain());
        world.server_down();
        world.pass(100);
        let key = world.saved(leader, "r", "one");
        world.pass(200);
        world.backend.fates.push_back(fate);
        world.backend.down = false;
        world.until_status(leader, &key, Status::Sent);
        world.pass(500);
        world.kill(leader);
        world.pass(60_000);
        let (end, expected): (_, &[&str]) =
            if there { (Status::Acknowledged, &["one"]) } else { (Status::Failed, &[]) };
        assert_eq!(world.backend.texts("r"), expected, "it is not sent again by itself");
        assert_eq!(world.status(follower, &key), Some(end));
        assert_eq!(world.texts(follower, 1), ["one"]);
        if !there {
            let failure = world.outbox(follower)[0].failure.clone().unwrap();
            assert_eq!(failure.code, ErrorCode::Unconfirmed);
        }
    }
}

#[test]
fn without_keys_a_leader_deposed_and_back_sends_nothing_twice() {
    let (mut world, leader, follower) = two(Backend::plain());
    world.loses_pokes = true;
    world.backend.fates.push_back(Fate::Withhold);
    let key = world.saved(leader, "r", "one");
    world.until("on the wire", |world| world.backend.texts("r").len() == 1);
    world.pass(100);
    world.input(leader, Input::Tab(TabInput::Deposed));
    world.pass(50);
    world.kill(follower);
    world.input(leader, Input::Tab(TabInput::Leads));
    world.pass(60_000);
    assert_eq!(world.backend.texts("r"), ["one"]);
    assert_eq!(world.status(leader, &key), Some(Status::Acknowledged), "its copy has turned up");
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
}
