//! What only one tab knows of a message when the lead changes hands, or the answer says little.

use chatwire::proto::{Command, ErrorCode, Event, Input, Status, TabInput};
use serde_json::json;

use super::backend::{Backend, Fate};
use super::checks::outbox_rows;
use super::node::WriteFault;
use super::world::World;

/// The follower has met the row before the leader put it on the wire.
#[test]
fn without_keys_a_takeover_sends_nothing_twice() {
    for (fate, there) in [(Fate::Withhold, true), (Fate::Ignore, false)] {
        let (mut world, leader, follower) = World::two(Backend::plain());
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
    let (mut world, leader, follower) = World::two(Backend::plain());
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

/// T3: `data` is optional in the answer. The copy comes later, by the next connect's page or live, without a key.
#[test]
fn without_keys_an_answer_without_a_copy_and_the_copy_are_one_row() {
    for (seqs, live) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut backend = Backend::plain();
        backend.seqs = seqs;
        let mut world = World::new(backend.room("r", &["ana", "bo"]));
        let ana = world.join("ana");
        world.open_view(ana, 1, "r");
        world.go_live(ana);
        world.backend.fates.extend([Fate::AnswerBare, Fate::AnswerBare, Fate::Answer]);
        let keys = ["same", "same", "same"].map(|text| {
            let key = world.saved(ana, "r", text);
            world.until_status(ana, &key, Status::Acknowledged);
            world.pass(1000);
            key
        });
        if live {
            let copies = world.backend.rooms["r"].messages.clone();
            for stored in &copies {
                let record = world.backend.record("r", stored, "ana");
                let say = world.backend.tell("ana", "chat:message_received", &record);
                world.say(say);
            }
        } else {
            world.cut(ana);
        }
        world.pass(10_000);
        let rows = world.rows(ana, 1);
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone().unwrap_or_default()).collect();
        assert_eq!(ids, ["m1", "m2", "m3"], "seqs {seqs}, live {live}");
        let row_keys: Vec<_> = rows.into_iter().map(|row| row.row_key).collect();
        assert_eq!(row_keys, keys, "seqs {seqs}, live {live}");
    }
}

/// A late poke: what this tab cancels has been sent, answered and removed by the leader.
#[test]
fn a_cancel_that_comes_after_the_leaders_answer_is_refused() {
    for discards in [false, true] {
        let (mut world, leader, follower) = World::two(Backend::full());
        world.loses_pokes = true;
        world.server_down();
        world.pass(100);
        let key = world.saved(follower, "r", "one");
        let acknowledged = world.ask(follower, Command::Acknowledged { key: key.clone() });
        if !discards {
            world.backend.down = false;
        }
        world.input(leader, Input::Tab(TabInput::Poked));
        world.pass(100);
        if discards {
            // Taken back there: then it may be taken back here.
            let id = world.ask(leader, Command::Cancel { key: key.clone() });
            world.wait(leader, id).unwrap();
        }
        world.pass(1500);
        assert!(outbox_rows(&mut world.disks[0].records).is_empty());
        let cancel = world.ask(follower, Command::Cancel { key: key.clone() });
        let end = world.wait(follower, cancel).map(|_| ()).map_err(|error| error.code);
        let told = world.wait(follower, acknowledged).map(|_| ()).map_err(|error| error.code);
        let expected =
            if discards { (Ok(()), Err(ErrorCode::Cancelled)) } else { (Err(ErrorCode::InFlight), Ok(())) };
        assert_eq!((end, told), expected);
        assert_eq!(world.backend.texts("r").is_empty(), discards);
        world.pass(1000);
        assert_eq!(world.texts(follower, 1), world.backend.texts("r"));
    }
}

#[test]
fn the_wire_order_is_that_of_the_commits_of_all_tabs() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let refusal = json!({"code": "ForbiddenError", "message": "no"});
    world.backend.fates.push_back(Fate::Refuse(refusal));
    let key = world.saved(leader, "r", "resent");
    world.until_status(leader, &key, Status::Failed);
    world.pass(500);
    world.server_down();
    world.pass(100);
    world.saved(leader, "r", "first");
    // The leader meets the second only after its own third.
    world.loses_pokes = true;
    world.saved(follower, "r", "second");
    world.saved(leader, "r", "third");
    world.loses_pokes = false;
    let id = world.ask(follower, Command::Resend { key });
    world.wait(follower, id).unwrap();
    world.input(follower, Input::Tab(TabInput::Poked));
    world.pass(500);
    let order = ["first", "second", "third", "resent"];
    for node in [leader, follower] {
        assert_eq!(world.texts(node, 1), order, "a resent message goes to the tail");
    }
    world.backend.down = false;
    world.pass(60_000);
    assert_eq!(world.backend.texts("r"), order);
    assert_eq!(world.texts(leader, 1), order);
}

/// The cancel's own transaction is lost without an answer while the leader settles the message.
#[test]
fn an_unclear_cancel_never_resolves_for_a_message_that_the_server_has() {
    let mut refused = 0;
    for pause in (0..120).step_by(5) {
        let (mut world, leader, follower) = World::two(Backend::full());
        world.loses_pokes = true;
        let key = world.saved(follower, "r", "one");
        world.disks[0].delay_ms = 20;
        world.input(leader, Input::Tab(TabInput::Poked));
        world.pass(pause);
        world.disks[0].faults.push_back(WriteFault::UnknownLost);
        let Ok(cancel) = world.command(follower, Command::Cancel { key }) else { continue };
        let cancelled = world.wait(follower, cancel).is_ok();
        world.pass(60_000);
        assert_eq!(world.backend.texts("r").is_empty(), cancelled, "{pause}");
        assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "{pause}");
        refused += usize::from(!cancelled);
    }
    assert!(refused > 0);
}

/// Nothing of others is there yet: what comes later, with a sequence number, has not been read.
#[test]
fn reading_up_to_an_answer_without_a_copy_reads_nothing_that_comes_later() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.backend.fates.push_back(Fate::AnswerBare);
    let key = world.saved(ana, "r", "one");
    world.until_status(ana, &key, Status::Acknowledged);
    let read = Command::MarkRead { conversation_id: "r".to_owned(), row_key: key };
    world.ask(ana, read);
    world.pass(1000);
    world.post("r", "bo", "two");
    world.pass(1000);
    let unread = world.nodes[ana].events.iter().rev().find_map(|event| match event {
        Event::Conversation { conversation } => Some(conversation.unread),
        _ => None,
    });
    assert_eq!(unread, Some(1));
}

/// Its transaction is long done when the follower learns that nobody can tell.
#[test]
fn without_keys_an_unclear_add_of_a_follower_is_sent_once() {
    for fault in [WriteFault::UnknownDone, WriteFault::UnknownLost] {
        for fate in [Fate::Answer, Fate::Withhold, Fate::AnswerBare] {
            let (mut world, leader, follower) = World::two(Backend::plain());
            world.backend.fates.push_back(fate.clone());
            world.disks[0].faults.push_back(fault);
            world.disks[0].unknown_ms = 5000;
            let id = world.send(follower, "r", "one");
            world.pass(1000);
            world.input(leader, Input::Tab(TabInput::Poked));
            world.wait(follower, id).unwrap();
            let key = world.message(follower, id).key.unwrap();
            let acknowledged = world.ask(follower, Command::Acknowledged { key: key.clone() });
            world.pass(60_000);
            assert_eq!(world.backend.texts("r"), ["one"], "{fault:?} {fate:?}");
            assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "{fault:?} {fate:?}");
            for node in [leader, follower] {
                assert_eq!(world.texts(node, 1), ["one"], "{fault:?} {fate:?}");
                assert_eq!(world.rows(node, 1)[0].row_key, key);
            }
            if fate != Fate::Withhold {
                assert!(world.outcome(follower, acknowledged).unwrap().is_ok());
            }
        }
    }
}

/// The store was asked for the queue alone, as a leader does, and answers when another tab has led, sent and settled.
#[test]
fn a_read_that_was_asked_for_with_the_lead_tells_nothing_of_what_is_gone_after_it() {
    let (mut world, old, new) = World::two(Backend::full());
    world.server_down();
    world.pass(100);
    let key = world.saved(old, "r", "one");
    world.pass(100);
    let acknowledged = world.ask(old, Command::Acknowledged { key: key.clone() });
    world.disks[0].delay_ms = 3000;
    world.input(old, Input::Tab(TabInput::Poked));
    world.disks[0].delay_ms = 0;
    world.backend.down = false;
    world.input(old, Input::Tab(TabInput::Deposed));
    world.input(new, Input::Tab(TabInput::Leads));
    world.until_status(new, &key, Status::Acknowledged);
    assert!(world.outcome(old, acknowledged).is_none(), "what the other tab tells waits for the read");
    world.pass(10_000);
    assert_eq!(world.wait(old, acknowledged).map(|_| ()), Ok(()));
}
