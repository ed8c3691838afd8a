//! Two clients on one store: one leads, one follows (D14), and the lead changes hands.

use chatwire::proto::{
    Command, ConnectionSnapshot, ConnectionState, ErrorCode, Event, Input, PageInput, Status, TabInput,
};
use serde_json::json;

use super::backend::{Backend, Fate};
use super::checks::outbox_rows;
use super::world::World;

#[test]
fn d14_a_followers_send_is_stored_and_sent_by_the_leader() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let shown = connections(&world, follower);
    assert!(shown.last().is_some_and(|last| last.state == ConnectionState::Online && !last.leader));
    let key = world.saved(follower, "r", "from the second tab");
    let acknowledged = world.ask(follower, Command::Acknowledged { key: key.clone() });
    world.until_status(leader, &key, Status::Acknowledged);
    assert!(world.wait(follower, acknowledged).is_ok());
    world.pass(1000);
    for node in [leader, follower] {
        assert_eq!(world.texts(node, 1), ["from the second tab"]);
        assert_eq!(world.rows(node, 1)[0].id.as_deref(), Some("m1"));
    }
    world.post("r", "bo", "answer");
    world.pass(1000);
    assert_eq!(world.texts(follower, 1), ["from the second tab", "answer"]);
}

#[test]
fn a_followers_list_shows_what_came_to_the_leader() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.post("r", "bo", "one");
    world.post("r", "bo", "two");
    world.pass(1000);
    for node in [leader, follower] {
        let told = |event: &Event| match event {
            Event::Conversation { conversation } => {
                Some((conversation.unread, conversation.last_message.clone()))
            }
            _ => None,
        };
        let (unread, last) = world.nodes[node].events.iter().filter_map(told).next_back().unwrap();
        assert_eq!((unread, last.unwrap().text.as_str()), (2, "two"));
    }
}

#[test]
fn the_follower_takes_over_when_the_leader_goes() {
    for kill in [true, false] {
        let (mut world, leader, follower) = World::two(Backend::full());
        world.backend.fates.push_back(Fate::Withhold);
        world.saved(leader, "r", "one");
        world.saved(follower, "r", "two");
        world.pass(100);
        if kill {
            world.kill(leader);
        } else {
            world.ask(leader, Command::Close {});
        }
        world.until("taken over", |world| world.backend.texts("r").len() == 2);
        world.pass(2000);
        assert_eq!(world.texts(follower, 1), ["one", "two"]);
        assert_eq!(world.backend.texts("r"), ["one", "two"]);
        assert!(outbox_rows(&mut world.disks[0].records).is_empty());
    }
}

/// A tab that is refused the store (private mode of one window, a policy) can be read by no leader.
#[test]
fn a_tab_without_the_store_is_on_its_own() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let leader = world.join("ana");
    world.go_live(leader);
    world.disks[0].denied = true;
    let alone = world.join_on("ana", json!({}), 0);
    world.go_live(alone);
    world.open_view(alone, 1, "r");
    world.open_view(leader, 1, "r");
    for text in ["one", "two"] {
        let key = world.saved(alone, "r", text);
        let acknowledged = world.ask(alone, Command::Acknowledged { key: key.clone() });
        world.until_status(alone, &key, Status::Acknowledged);
        assert!(world.wait(alone, acknowledged).is_ok(), "{text}");
    }
    let shown = connections(&world, alone);
    assert!(shown.last().is_some_and(|last| last.state == ConnectionState::Online && last.leader));
    assert!(connections(&world, leader).last().is_some_and(|last| last.leader), "both lead");
    world.saved(leader, "r", "three");
    world.pass(1000);
    for node in [leader, alone] {
        assert_eq!(world.texts(node, 1), ["one", "two", "three"]);
    }
    assert_eq!(world.backend.texts("r"), ["one", "two", "three"]);
}

#[test]
fn a_leader_whose_lead_was_stolen_abdicates_and_doubles_nothing() {
    for pause in [0, 5, 12, 25, 100] {
        let (mut world, old, new) = World::two(Backend::full());
        for n in 0..4 {
            world.send(old, "r", &format!("t{n}"));
        }
        world.pass(pause);
        // The lock goes to the other tab, and the old leader does not hear of it.
        world.input(new, Input::Tab(TabInput::Leads));
        world.pass(10);
        world.send(old, "r", "late");
        world.until("all there", |world| world.backend.texts("r").len() == 5);
        world.pass(40_000);
        assert_eq!(world.backend.texts("r"), ["t0", "t1", "t2", "t3", "late"], "{pause}");
        assert_eq!(world.count(old, |event| matches!(event, Event::Leader { leader: false })), 1, "{pause}");
        assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "{pause}");
        world.restart(new);
        world.pass(100);
        world.open_view(new, 1, "r");
        world.pass(100);
        assert_eq!(world.texts(new, 1), world.backend.texts("r"), "{pause}");
    }
}

#[test]
fn a_follower_cannot_cancel_what_the_leader_has_sent() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.backend.fates.push_back(Fate::Withhold);
    let key = world.saved(leader, "r", "one");
    world.pass(100);
    match world.command(follower, Command::Cancel { key: key.clone() }) {
        Err(error) => assert_eq!(error.code, ErrorCode::InFlight),
        Ok(id) => assert_eq!(world.wait(follower, id).unwrap_err().code, ErrorCode::InFlight),
    }
    // The mark is on its way while the other tab cancels.
    world.disks[0].delay_ms = 20;
    let second = world.send(follower, "r", "two");
    world.wait(follower, second).unwrap();
    let second = world.message(follower, second).key.unwrap();
    let cancel = world.ask(follower, Command::Cancel { key: second.clone() });
    world.cut(leader);
    let cancelled = world.wait(follower, cancel).is_ok();
    world.pass(30_000);
    assert_eq!(world.backend.texts("r").contains(&"two".to_owned()), !cancelled);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
}

#[test]
fn one_key_from_two_tabs_is_one_message() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.backend.fates.push_back(Fate::Withhold);
    for node in [leader, follower] {
        let mut send = super::acts::message("r", "same");
        send.key = Some("k".to_owned());
        world.ask(node, Command::Send(send));
    }
    world.pass(2000);
    world.cut(leader);
    world.pass(10_000);
    assert_eq!(world.backend.texts("r"), ["same"]);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
    for node in [leader, follower] {
        assert_eq!(world.texts(node, 1), ["same"]);
    }
}

#[test]
fn a_new_leader_knows_what_the_old_one_wrote_last() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.loses_pokes = true;
    let key = world.saved(leader, "r", "mine");
    world.until_status(leader, &key, Status::Acknowledged);
    for n in 0..130 {
        world.post("r", "bo", &format!("b{n}"));
    }
    world
        .until("written", |world| world.count(leader, |event| matches!(event, Event::Message { .. })) == 130);
    world.pass(5);
    world.kill(leader);
    world.post("r", "bo", "after");
    world.until("live", |world| world.texts(follower, 1).last().is_some_and(|text| text == "after"));
    world.ask(follower, Command::LoadEarlier { view: 1, count: 100 });
    world.pass(500);
    assert_eq!(world.rows(follower, 1)[0].row_key, key, "a row keeps its key for ever");
    assert_eq!(world.texts(follower, 1), world.backend.texts("r"));
}

#[test]
fn a_followers_window_never_goes_blank() {
    let (mut world, leader, follower) = World::two(Backend::full());
    for n in 0..5 {
        world.post("r", "bo", &format!("b{n}"));
        world.pass(200);
    }
    let sizes = window_sizes(&world, follower);
    assert!(sizes.windows(2).all(|pair| pair[0] <= pair[1]), "{sizes:?}");
    assert_eq!((sizes.last(), world.rows(leader, 1).len()), (Some(&5), 5));
}

#[test]
fn nor_does_it_shrink_after_a_thaw_while_older_rows_are_read_again() {
    let (mut world, leader, follower) = World::two(Backend::full());
    for n in 0..126 {
        world.post("r", "bo", &format!("b{n}"));
    }
    world.until("told", |world| world.count(follower, |event| matches!(event, Event::Message { .. })) == 126);
    world.input(leader, Input::Page(PageInput::Frozen));
    world.pass(500);
    world.loses_pokes = true;
    for text in ["one", "two"] {
        world.post("r", "bo", text);
    }
    world.pass(500);
    world.loses_pokes = false;
    world.disks[0].delay_ms = 20;
    let before = window_sizes(&world, leader).len();
    world.input(leader, Input::Page(PageInput::Resumed));
    world.pass(1000);
    let sizes = window_sizes(&world, leader);
    assert!(sizes[before..].iter().all(|size| *size >= 50), "{sizes:?}");
    assert_eq!(world.texts(leader, 1).last().map(String::as_str), Some("two"));
}

fn window_sizes(world: &World, at: usize) -> Vec<usize> {
    let sizes = world.nodes[at].events.iter().filter_map(|event| match event {
        Event::View(update) => Some(update.order.len()),
        _ => None,
    });
    sizes.collect()
}

/// A second tab that is connected, beside a first one that has been created and does not lead for it.
fn beside(first: impl Fn(&mut World, usize)) -> (World, usize, usize) {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let idle = world.join("ana");
    world.pass(100);
    first(&mut world, idle);
    let second = world.join_on("ana", json!({}), 0);
    world.pass(100);
    world.open_view(second, 1, "r");
    let connected = world.ask(second, Command::Connect {});
    assert!(world.wait(second, connected).is_ok());
    (world, idle, second)
}

fn connections(world: &World, at: usize) -> Vec<ConnectionSnapshot> {
    let events = world.nodes[at].events.iter();
    let shown = events.filter_map(|event| match event {
        Event::Connection { connection } => Some(connection.clone()),
        _ => None,
    });
    shown.collect()
}

fn leads(world: &World, at: usize) -> bool {
    let told = world.nodes[at].events.iter().rev().find_map(|event| match event {
        Event::Leader { leader } => Some(*leader),
        _ => None,
    });
    told == Some(true)
}

#[test]
fn a_tab_that_is_not_connected_leaves_the_lead_to_one_that_is() {
    let (mut world, idle, second) = beside(|_, _| {});
    world.until("live", |world| leads(world, second));
    assert!(!leads(&world, idle));
    let from_idle = world.saved(idle, "r", "from the idle tab");
    world.pass(10);
    let from_second = world.saved(second, "r", "own");
    let asked = world.ask(idle, Command::Acknowledged { key: from_idle.clone() });
    assert!(world.wait(idle, asked).is_ok());
    world.until_status(second, &from_second, Status::Acknowledged);
    assert_eq!(world.backend.texts("r"), ["from the idle tab", "own"]);
    // It asks for the lead with connect(), and waits.
    let connected = world.ask(idle, Command::Connect {});
    assert!(world.wait(idle, connected).is_ok());
    assert!(!leads(&world, idle));
    world.kill(second);
    world.until("taken over", |world| leads(world, idle));
}

#[test]
fn a_tab_that_disconnects_gives_the_lead_back() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.backend.fates.push_back(Fate::Withhold);
    let first = world.saved(leader, "r", "one");
    world.pass(50);
    world.ask(leader, Command::Disconnect {});
    world.until("taken over", |world| leads(world, follower));
    assert!(!leads(&world, leader));
    world.until_status(follower, &first, Status::Acknowledged);
    let second = world.saved(leader, "r", "two");
    world.until_status(follower, &second, Status::Acknowledged);
    world.pass(1000);
    assert_eq!(world.texts(leader, 1), ["one", "two"]);
    assert_eq!(world.count(leader, |event| matches!(event, Event::Leader { leader: false })), 1);
    assert!(outbox_rows(&mut world.disks[0].records).is_empty());
}

#[test]
fn a_tab_that_has_failed_gives_the_lead_back() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let key = world.saved(follower, "r", "zero");
    world.until_status(leader, &key, Status::Acknowledged);
    // The token of one tab is no good any more, and neither is the next.
    world.backend.refused_tokens.insert("ana:1".to_owned());
    world.nodes[follower].token = "ana:2".to_owned();
    world.cut(leader);
    world.until("taken over", |world| leads(world, follower));
    assert_eq!(world.count(leader, |event| matches!(event, Event::AuthError { .. })), 1);
    let key = world.saved(leader, "r", "one");
    world.until_status(follower, &key, Status::Acknowledged);
    // Whoever connects again waits behind the tab that leads now.
    let connected = world.ask(leader, Command::Connect {});
    assert!(world.wait(leader, connected).is_ok());
    assert!(leads(&world, follower) && !leads(&world, leader));
}

#[test]
fn used_up_attempts_give_the_lead_to_the_next_tab_and_a_wake_up_asks_for_it_again() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    world.backend.down = true;
    let options = json!({"reconnect": {"maxAttempts": 2}});
    let tabs = [world.join_with("ana", options.clone()), world.join_on("ana", options, 0)];
    tabs.into_iter().for_each(|at| world.connect(at));
    let failed =
        |world: &World, at: usize| world.count(at, |event| matches!(event, Event::Error { .. })) == 1;
    world.until("both have tried", |world| failed(world, tabs[0]) && failed(world, tabs[1]));
    assert!(!leads(&world, tabs[0]) && !leads(&world, tabs[1]));
    world.backend.down = false;
    world.input(tabs[1], Input::Page(PageInput::Visible));
    world.until("it leads again", |world| leads(world, tabs[1]));
    let key = world.saved(tabs[0], "r", "one");
    world.until_status(tabs[1], &key, Status::Acknowledged);
}

#[test]
fn a_disconnect_ends_what_still_waits_for_the_other_tabs() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    let first = world.ask(ana, Command::Connect {});
    world.ask(ana, Command::Disconnect {});
    assert_eq!(world.wait(ana, first).unwrap_err().code, ErrorCode::Closed);
    world.pass(1000);
    assert!(!leads(&world, ana) && world.backend.sessions.is_empty());
    for _ in 0..3 {
        let again = world.ask(ana, Command::Connect {});
        world.ask(ana, Command::Disconnect {});
        assert_eq!(world.wait(ana, again).unwrap_err().code, ErrorCode::Closed);
        world.pass(3);
    }
    let last = world.ask(ana, Command::Connect {});
    assert!(world.wait(ana, last).is_ok());
    assert!(leads(&world, ana));
}

#[test]
fn what_a_tab_without_connection_has_read_is_told_by_the_one_that_leads_and_by_itself() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.post("r", "bo", "one");
    world.pass(1000);
    world.ask(leader, Command::Disconnect {});
    world.ask(follower, Command::Disconnect {});
    world.pass(1000);
    let row_key = world.rows(leader, 1)[0].row_key.clone();
    world.ask(leader, Command::MarkRead { conversation_id: "r".into(), row_key: row_key.clone() });
    world.pass(1000);
    world.connect(leader);
    world.until("told", |world| world.backend.rooms["r"].read_by.get("ana") == Some(&1));
    world.post("r", "bo", "two");
    world.pass(1000);
    let row_key = world.rows(follower, 1)[1].row_key.clone();
    world.ask(follower, Command::MarkRead { conversation_id: "r".into(), row_key });
    world.until("told", |world| world.backend.rooms["r"].read_by.get("ana") == Some(&2));
}
