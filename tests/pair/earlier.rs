//! Earlier messages in a tab that does not lead: its leader alone can ask the server.

use chatwire::proto::Command;
use serde_json::json;

use super::history::newcomer;

#[test]
fn earlier_messages_for_a_tab_that_does_not_lead_are_there_when_it_is_told_so() {
    let (mut world, leader) = newcomer(120);
    world.go_live(leader);
    let follower = world.join_on("ana", json!({}), 0);
    world.open_view(follower, 1, "r");
    world.connect(follower);
    world.pass(100);
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
        let (mut world, leader) = newcomer(120);
        world.go_live(leader);
        let follower = world.join_on("ana", json!({}), 0);
        world.open_view(follower, 1, "r");
        world.connect(follower);
        world.pass(100);
        world.loses_pokes = silent;
        let id = world.ask(follower, Command::LoadEarlier { view: 1, count: 50 });
        if !silent {
            world.kill(leader);
        }
        world.pass(31_000);
        assert!(world.outcome(follower, id).is_some(), "silent: {silent}");
    }
}
