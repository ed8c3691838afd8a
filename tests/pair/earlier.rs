//! What comes before the newest page: for tabs that do not lead, whose leader alone can ask the server; and of conversations
//! that were met when they were empty, where all of it is news.

use chatwire::proto::{Command, Event};
use serde_json::json;

use super::backend::{Backend, Say};
use super::history::newcomer;
use super::world::World;

/// A new device that knows 50 of 120 messages, and a second tab of it.
fn beside() -> (World, usize, usize) {
    let (mut world, leader) = newcomer(120);
    world.go_live(leader);
    let follower = world.join_on("ana", json!({}), 0);
    world.open_view(follower, 1, "r");
    world.connect(follower);
    world.pass(100);
    (world, leader, follower)
}

#[test]
fn earlier_messages_for_a_tab_that_does_not_lead_are_there_when_it_is_told_so() {
    let (mut world, _, follower) = beside();
    assert_eq!(world.texts(follower, 1).len(), 50);
    for shown in [100, 120, 120] {
        let id = world.ask(follower, Command::LoadEarlier { view: 1, count: 50 });
        world.wait(follower, id).unwrap();
        assert_eq!(world.texts(follower, 1).len(), shown);
    }
    assert!(!world.nodes[follower].checks.has_earlier(1));
}

#[test]
fn a_tab_waits_no_longer_for_a_leader_that_has_gone_or_does_not_answer() {
    for silent in [false, true] {
        let (mut world, leader, follower) = beside();
        world.loses_pokes = silent;
        let id = world.ask(follower, Command::LoadEarlier { view: 1, count: 50 });
        if !silent {
            world.kill(leader);
        }
        world.pass(31_000);
        assert!(world.outcome(follower, id).is_some(), "silent: {silent}");
    }
}

#[test]
fn of_a_conversation_that_was_told_of_when_it_was_made_all_that_is_missed_is_told() {
    for live in [0, 1] {
        let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
        let ana = world.join("ana");
        world.go_live(ana);
        world.backend = core::mem::replace(&mut world.backend, Backend::full()).room("new", &["ana", "bo"]);
        let told = r#"42["chat:conversation_updated",{"conversation":{"id":"new","type":"direct","participants":["ana","bo"],"last_seq":0}}]"#;
        world.say(vec![Say::Text((ana, 1), told.to_owned())]);
        world.pass(100);
        for n in 0..live {
            world.post("new", "bo", &format!("b{n}"));
            world.pass(5);
        }
        world.server_down();
        for n in live..120 {
            world.backend.post_silently(world.now.wall_ms, "new", "bo", &format!("b{n}"));
        }
        world.backend.down = false;
        world.pass(20_000);
        let told = world.count(ana, |event| matches!(event, Event::Message { .. }));
        assert_eq!(told, 120, "{live} came live");
    }
}
