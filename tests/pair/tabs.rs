//! Two clients on one store: one leads, one follows (D14), and the lead changes hands.

use chatwire::proto::{Command, ConnectionState, ErrorCode, Event, Input, Status, TabInput};

use super::backend::{Backend, Fate};
use super::checks::outbox_rows;
use super::world::World;

#[test]
fn d14_a_followers_send_is_stored_and_sent_by_the_leader() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let waiting = world.count(follower, |event| {
        matches!(event, Event::Connection { connection }
            if connection.state == ConnectionState::Waiting && connection.reason.as_deref() == Some("another tab leads"))
    });
    assert_eq!(waiting, 1);
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
    let sizes = world.nodes[follower].events.iter().filter_map(|event| match event {
        Event::View(update) => Some(update.order.len()),
        _ => None,
    });
    let sizes: Vec<usize> = sizes.collect();
    assert!(sizes.windows(2).all(|pair| pair[0] <= pair[1]), "{sizes:?}");
    assert_eq!((sizes.last(), world.rows(leader, 1).len()), (Some(&5), 5));
}
