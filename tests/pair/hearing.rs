//! What only the leader knows, in every tab: its connection, who is there, what has come.

use chatwire::proto::{
    Command, ConnectionState, ErrorCode, Event, Input, Phase, Status, StoreFailure, TabInput, Told,
};
use serde_json::json;

use super::acts::message;
use super::backend::Backend;
use super::node::WriteFault;
use super::world::World;

fn shown(world: &World, at: usize) -> Option<(ConnectionState, bool)> {
    world.nodes[at].events.iter().rev().find_map(|event| match event {
        Event::Connection { connection } => Some((connection.state, connection.leader)),
        _ => None,
    })
}

/// The texts of the messages that were told.
pub fn messages(world: &World, at: usize) -> Vec<String> {
    let events = world.nodes[at].events.iter();
    let texts = events.filter_map(|event| match event {
        Event::Message { message, .. } => Some(message.text.clone()),
        _ => None,
    });
    texts.collect()
}

/// Typing as true or false, and presence behind it.
fn people(world: &World, at: usize) -> Vec<(&str, bool)> {
    let events = world.nodes[at].events.iter();
    let told = events.filter_map(|event| match event {
        Event::Typing { typing, .. } => Some(("types", *typing)),
        Event::Presence { online, .. } => Some(("is there", *online)),
        _ => None,
    });
    told.collect()
}

fn tell_of_bo(world: &mut World) {
    let typing = json!({"userId": "bo", "username": "bo", "isTyping": true, "conversationId": "r"});
    let say = world.backend.tell("ana", "chat:user_typing", &typing);
    world.say(say);
    let there = json!({"userId": "bo", "status": "online", "timestamp": "2026-01-01T00:00:00Z"});
    let say = world.backend.tell("ana", "user:status_changed", &there);
    world.say(say);
    world.pass(100);
}

#[test]
fn a_follower_shows_its_leaders_connection_and_waits_for_it() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    world.backend.down = true;
    let leader = world.join("ana");
    world.connect(leader);
    world.pass(100);
    let follower = world.join_on("ana", json!({}), 0);
    let connect = world.ask(follower, Command::Connect {});
    world.pass(20_000);
    assert!(world.outcome(follower, connect).is_none());
    let state = shown(&world, leader).unwrap().0;
    assert_eq!(shown(&world, follower), Some((state, false)));
    world.backend.down = false;
    assert!(world.wait(follower, connect).is_ok());
    world.pass(100);
    assert_eq!(shown(&world, leader), Some((ConnectionState::Online, true)));
    assert_eq!(shown(&world, follower), Some((ConnectionState::Online, false)));
    world.server_down();
    world.pass(100);
    assert_ne!(shown(&world, follower), Some((ConnectionState::Online, false)));
    world.backend.down = false;
    world.kill(leader);
    world.until("it leads", |world| shown(world, follower) == Some((ConnectionState::Online, true)));
}

#[test]
fn a_disconnected_tab_shows_its_own_connection() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.ask(follower, Command::Disconnect {});
    world.pass(100);
    assert_eq!(shown(&world, follower), Some((ConnectionState::Closed, false)));
    world.cut(leader);
    world.pass(3000);
    assert_eq!(shown(&world, follower), Some((ConnectionState::Closed, false)));
    world.connect(follower);
    world.pass(100);
    assert_eq!(shown(&world, follower), Some((ConnectionState::Online, false)));
}

#[test]
fn where_the_leader_cannot_be_heard_nobody_waits_for_it() {
    for deaf in [true, false] {
        let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
        world.loses_pokes = true;
        let leader = world.join("ana");
        world.connect(leader);
        let follower = world.join_on("ana", json!({}), 0);
        if deaf {
            world.input(follower, Input::Tab(TabInput::Deaf));
        }
        let connect = world.ask(follower, Command::Connect {});
        world.pass(if deaf { 50 } else { 10_500 });
        assert!(world.outcome(follower, connect).is_some_and(|outcome| outcome.is_ok()), "{deaf}");
        assert_eq!(shown(&world, follower), Some((ConnectionState::Waiting, false)));
    }
}

#[test]
fn a_leader_that_stands_still_is_waited_for_until_it_is_replaced() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let leader = world.join("ana");
    world.go_live(leader);
    world.stand_still(leader, true);
    let second = world.join_on("ana", json!({}), 0);
    let connect = world.ask(second, Command::Connect {});
    world.until("it is answered", |world| world.outcome(second, connect).is_some());
    assert!(world.wait(second, connect).is_ok());
    assert_eq!(shown(&world, second), Some((ConnectionState::Online, true)));
}

#[test]
fn people_messages_and_phase_are_told_in_every_tab_once() {
    let (mut world, leader, follower) = World::two(Backend::full());
    tell_of_bo(&mut world);
    world.post("r", "bo", "one");
    world.pass(500);
    let told = [("types", true), ("is there", true), ("types", false)];
    for at in [leader, follower] {
        assert_eq!(people(&world, at), told);
        assert_eq!(messages(&world, at), ["one"]);
        assert_eq!(world.nodes[at].checks.phase, Some(Phase::Live));
    }
    // A tab that comes later hears how things stand.
    tell_of_bo(&mut world);
    let late = world.join_on("ana", json!({}), 0);
    world.pass(500);
    assert_eq!(world.nodes[late].checks.phase, Some(Phase::Live));
    let mut heard = people(&world, late);
    heard.sort_unstable();
    assert_eq!(heard, [("is there", true), ("types", true)]);
    assert!(messages(&world, late).is_empty());
    // What was missed is told when it is caught up.
    world.cut(leader);
    world.pass(5);
    world.backend.post_silently(world.now.wall_ms, "r", "bo", "two");
    world.pass(10_000);
    for at in [leader, follower] {
        assert_eq!(messages(&world, at), ["one", "two"]);
        assert_eq!(people(&world, at).last(), Some(&("is there", false)));
        assert_eq!(world.nodes[at].checks.phase, Some(Phase::Live));
    }
}

#[test]
fn a_message_is_told_with_its_commit_and_so_once_when_the_leader_dies() {
    for pause in 0..40 {
        let (mut world, leader, follower) = World::two(Backend::full());
        (world.disks[0].delay_ms, world.kills_writes) = (10, true);
        world.post("r", "bo", "one");
        world.pass(pause);
        world.kill(leader);
        world.pass(5000);
        world.post("r", "bo", "two");
        world.pass(5000);
        // A leader that dies between the commit and its word takes the word with it.
        let told = messages(&world, follower);
        assert!(told == ["one", "two"] || told == ["two"], "{pause}: {told:?}");
        assert_eq!(world.texts(follower, 1), ["one", "two"], "{pause}");
    }
}

#[test]
fn a_message_rings_in_one_tab_also_while_the_lead_changes_hands() {
    for pause in 0..40 {
        let (mut world, leader, follower) = World::two(Backend::full());
        world.disks[0].delay_ms = 10;
        world.post("r", "bo", "one");
        world.pass(pause);
        world.ask(leader, Command::Disconnect {});
        world.pass(5000);
        let rings = |at: usize| world.count(at, |event| matches!(event, Event::Message { leader: true, .. }));
        assert_eq!(messages(&world, follower), ["one"], "{pause}");
        assert_eq!(rings(leader) + rings(follower), 1, "{pause}");
    }
}

#[test]
fn while_the_store_refuses_what_has_come_waits_in_the_other_tabs() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.disks[0].broken = Some(StoreFailure::Quota);
    world.post("r", "bo", "one");
    world.pass(1000);
    assert_eq!(messages(&world, leader), ["one"]);
    assert!(messages(&world, follower).is_empty());
    world.disks[0].broken = None;
    world.pass(10_000);
    assert_eq!(messages(&world, follower), ["one"]);
}

#[test]
fn statuses_rise_in_every_tab_and_never_go_back() {
    for from_follower in [false, true] {
        let (mut world, leader, follower) = World::two(Backend::full());
        let sender = if from_follower { follower } else { leader };
        let key = world.saved(sender, "r", "one");
        for at in [leader, follower] {
            world.until_status(at, &key, Status::Acknowledged);
        }
        for (name, status) in [("delivered", Status::Delivered), ("read", Status::Read)] {
            let receipt = json!({"messageId": "m1", "conversationId": "r", "userId": "bo", "status": name});
            for _ in 0..2 {
                let say = world.backend.tell("ana", "chat:message_status_updated", &receipt);
                world.say(say);
            }
            world.pass(500);
            for at in [leader, follower] {
                assert_eq!(world.status(at, &key), Some(status));
            }
        }
        let told = |at: usize| world.count(at, |event| matches!(event, Event::Status { .. }));
        assert!(told(follower) <= 6, "no doubles: {}", told(follower));
    }
}

#[test]
fn a_server_that_has_no_receipts_is_told_of_no_delivery() {
    for receipts in [false, true] {
        let mut backend = Backend::full().room("r", &["ana", "bo"]);
        backend.hello = Some(json!({"capabilities": {"keys": true, "cursor": true, "receipts": receipts}}));
        let mut world = World::new(backend);
        let at = world.join("ana");
        world.go_live(at);
        world.post("r", "bo", "one");
        world.pass(1000);
        assert_eq!(messages(&world, at), ["one"]);
        assert_eq!(world.backend.heard.iter().any(|(_, name, _)| name == "chat:message_delivered"), receipts);
    }
}

#[test]
fn who_types_in_a_follower_is_told_by_the_leader() {
    let (mut world, _, follower) = World::two(Backend::full());
    world.ask(follower, Command::SetTyping { conversation_id: "r".into(), typing: true });
    world.pass(3000);
    let heard = world.backend.heard.iter().filter(|(_, name, _)| name == "chat:typing");
    let typed: Vec<bool> = heard.map(|(_, _, payload)| payload["isTyping"] == json!(true)).collect();
    assert_eq!(typed, [true, false]);
}

#[test]
fn a_follower_knows_as_its_leader_does_that_there_is_no_such_conversation() {
    let mut world = World::new(Backend::full());
    let leader = world.join("ana");
    world.go_live(leader);
    let follower = world.join_on("ana", json!({}), 0);
    world.connect(follower);
    world.pass(500);
    for at in [leader, follower] {
        let refused = world.command(at, Command::Send(message("nope", "one")));
        assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
    }
}

#[test]
fn a_message_rings_in_one_tab_also_where_the_leader_is_robbed_with_it_in_hand() {
    // It came before the leader stood still, or while it did; and its store answers at once or not.
    for delay_ms in [0, 30] {
        for pause in [0, 5, 15, 25, 45, 200] {
            let (mut world, leader, follower) = World::two(Backend::full());
            world.disks[0].delay_ms = delay_ms;
            world.post("r", "bo", "one");
            world.pass(pause);
            world.stand_still(leader, true);
            world.until("robbed", |world| world.nodes[follower].leads);
            world.pass(5000);
            world.stand_still(leader, false);
            world.pass(5000);
            let rings =
                |at: usize| world.count(at, |event| matches!(event, Event::Message { leader: true, .. }));
            assert_eq!(rings(leader) + rings(follower), 1, "{delay_ms} {pause}");
            for at in [leader, follower] {
                assert_eq!(messages(&world, at), ["one"], "{delay_ms} {pause} {at}");
            }
        }
    }
}

#[test]
fn what_another_version_tells_is_passed_on_only_if_it_has_what_is_used_of_it() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let known = world.nodes[follower].events.len();
    for event in [
        json!({"type": "message"}),
        json!({"type": "message", "message": {}, "live": true, "leader": false}),
        json!({"type": "messageUpdated", "message": 7}),
        json!({"type": "messageDeleted", "conversationId": "r"}),
        json!({"type": "reaction", "rowKey": "k"}),
        json!({"type": "status", "conversationId": "r", "status": "read"}),
        json!({"type": "gap"}),
        json!({"type": "typing", "conversationId": "r", "typing": true}),
        json!({"type": "presence", "userId": "bo", "online": true}),
        json!({"type": "presence", "userId": "bo", "online": true, "lastSeenMs": "now"}),
        json!({"type": "later"}),
    ] {
        let told = |generation| TabInput::Told { generation, events: Told(json!([event]).to_string()) };
        world.input(follower, Input::Tab(told(1)));
        world.pass(100);
        assert_eq!(world.nodes[follower].events.len(), known, "{event}");
    }
    let event = json!([{"type": "connection", "connection": {"state": "dreaming"}}]).to_string();
    world.input(follower, Input::Tab(TabInput::Told { generation: 1, events: Told(event) }));
    assert_eq!(shown(&world, follower), Some((ConnectionState::Online, false)));
    // A number of which the store knows nothing.
    for at in [leader, follower] {
        let told = TabInput::Told { generation: 1 << 52, events: Told("[]".to_owned()) };
        world.input(at, Input::Tab(told));
    }
    world.pass(1000);
    assert!(world.nodes[leader].leads);
    world.pass(40_000);
    world.post("r", "bo", "one");
    world.pass(1000);
    assert_eq!(shown(&world, leader), Some((ConnectionState::Online, true)));
    assert_eq!(messages(&world, follower), ["one"]);
    assert_eq!(shown(&world, follower), Some((ConnectionState::Online, false)));
}

#[test]
fn beyond_a_thousand_events_in_one_commit_other_tabs_show_the_rows_alone() {
    let backend = Backend::full().room("s", &["ana", "bo"]).room("t", &["ana", "bo"]);
    let (mut world, leader, follower) = World::two(backend);
    world.open_view(follower, 2, "t");
    for room in ["r", "s", "t"] {
        world.post(room, "bo", "first");
        world.pass(500);
    }
    world.disks[0].delay_ms = 3000;
    world.post("r", "bo", "first");
    world.pass(100);
    let mut texts = vec!["first".to_owned(); 4];
    for room in ["r", "s", "t"] {
        for n in 0..400 {
            texts.push(format!("{room} {n}"));
            world.post(room, "bo", &format!("{room} {n}"));
        }
    }
    world.pass(20_000);
    let told = messages(&world, leader);
    assert_eq!(told.len(), texts.len());
    assert_eq!(told, texts, "each of them, in their order");
    assert_eq!(messages(&world, follower), texts[..1004]);
    assert_eq!(world.texts(follower, 2).last(), texts.last());
}

/// That the leader catches up waits for a write which meets trouble; that it has, waits for nothing.
#[test]
fn a_phase_that_is_over_is_not_told_behind_the_one_that_followed() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.backend.down = true;
    world.cut(leader);
    world.send(leader, "r", "one");
    world.pass(100);
    world.backend.down = false;
    (world.disks[0].broken, world.disks[0].unreadable) = (Some(StoreFailure::Other), true);
    world.disks[0].faults.push_back(WriteFault::UnknownLost);
    world.until("it is live", |world| world.nodes[leader].checks.phase == Some(Phase::Live));
    world.pass(1000);
    (world.disks[0].broken, world.disks[0].unreadable) = (None, false);
    world.pass(20_000);
    assert_eq!(world.nodes[leader].checks.phase, Some(Phase::Live));
    assert_eq!(world.nodes[follower].checks.phase, Some(Phase::Live));
    assert_eq!(world.texts(follower, 1), ["one"]);
}

/// It has led in memory alone, under the number that the next leader takes.
#[test]
fn a_tab_that_was_there_hears_of_what_comes_whoever_leads_next() {
    let (mut world, first, second) = World::two(Backend::full());
    world.kill(first);
    world.disks[0].broken = Some(StoreFailure::Quota);
    world.pass(1000);
    assert_eq!(shown(&world, second), Some((ConnectionState::Online, true)));
    world.ask(second, Command::Disconnect {});
    world.pass(1000);
    world.disks[0].broken = None;
    world.start(first);
    world.go_live(first);
    world.post("r", "bo", "one");
    world.pass(1000);
    assert_eq!(messages(&world, second), ["one"]);
}
