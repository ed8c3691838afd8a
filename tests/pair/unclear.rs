//! Writes of which nobody can say whether they took place, with more than one row in them or behind them.

use chatwire::proto::{Command, ErrorCode, Input, Status, StoreFailure, TabInput};
use serde_json::json;

use super::backend::{Backend, Fate};
use super::checks::outbox_rows;
use super::node::WriteFault;
use super::world::World;

/// The leader has marked the first of three while the follower did not know yet that all three are stored.
#[test]
fn three_rows_of_one_unclear_write_keep_their_own_numbers() {
    for fault in [WriteFault::UnknownDone, WriteFault::UnknownLost] {
        let (mut world, leader, follower) = World::two(Backend::plain());
        world.loses_pokes = true;
        world.backend.fates.extend([Fate::Answer, Fate::Withhold]);
        world.disks[0].faults.extend([WriteFault::None, fault]);
        world.disks[0].unknown_ms = 5000;
        for text in ["zero", "one", "two", "three"] {
            world.send(follower, "r", text);
        }
        world.pass(500);
        world.input(leader, Input::Tab(TabInput::Poked));
        world.pass(7000);
        world.kill(leader);
        world.pass(60_000);
        world.go_live(follower);
        world.pass(60_000);
        assert_eq!(world.backend.texts("r"), ["zero", "one", "two", "three"], "{fault:?}");
        assert_eq!(world.texts(follower, 1), ["zero", "one", "two", "three"], "{fault:?}");
        assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "{fault:?}");
    }
}

/// Whether the first was sent by somebody has to be looked for in an index that is not in memory.
#[test]
fn what_is_sent_behind_a_message_that_is_looked_for_stays_behind_it() {
    for fault in [WriteFault::UnknownDone, WriteFault::UnknownLost] {
        let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
        for n in 0..260 {
            world.post("r", "bo", &format!("old {n}"));
        }
        let ana = world.join("ana");
        world.go_live(ana);
        world.pass(5000);
        world.restart(ana);
        world.go_live(ana);
        world.pass(5000);
        world.disks[0].faults.push_back(fault);
        world.send(ana, "r", "one");
        world.send(ana, "r", "two");
        world.pass(60_000);
        let texts = world.backend.texts("r");
        assert_eq!(texts[260..], ["one", "two"], "{fault:?}");
    }
}

/// The leader has failed a message, and can neither tell nor read whether that was stored when another tab, which has read
/// it, sends the message again: under another number, and the failure is gone.
#[test]
fn a_message_that_another_tab_resends_while_its_failure_is_unclear_is_sent() {
    for loses_pokes in [false, true] {
        let (mut world, leader, follower) = World::two(Backend::full());
        let refusal = json!({"code": "ForbiddenError", "message": "no"});
        world.backend.fates.push_back(Fate::Refuse(refusal));
        world.disks[0].faults.extend([WriteFault::None, WriteFault::UnknownDone]);
        world.disks[0].unknown_ms = 1000;
        let key = world.saved(leader, "r", "one");
        world.pass(500);
        (world.disks[0].broken, world.disks[0].unreadable) = (Some(StoreFailure::Other), true);
        world.pass(1000);
        (world.disks[0].broken, world.disks[0].unreadable) = (None, false);
        world.input(follower, Input::Tab(TabInput::Poked));
        world.until_status(follower, &key, Status::Failed);
        world.loses_pokes = loses_pokes;
        let resend = world.ask(follower, Command::Resend { key: key.clone() });
        world.wait(follower, resend).unwrap();
        world.loses_pokes = false;
        world.input(leader, Input::Tab(TabInput::Poked));
        world.pass(60_000);
        assert_eq!(world.backend.texts("r"), ["one"], "{loses_pokes}");
        for node in [leader, follower] {
            assert_eq!(world.status(node, &key), Some(Status::Acknowledged), "{loses_pokes}");
        }
        assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "{loses_pokes}");
    }
}

/// The leader does not hear for some seconds that it was added; its row is gone when it reads the queue, and what the
/// other tab has added since stands behind it.
#[test]
fn a_message_whose_addition_was_unclear_and_that_another_tab_took_back_is_not_sent() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.server_down();
    world.pass(100);
    world.disks[0].faults.push_back(WriteFault::UnknownDone);
    world.disks[0].unknown_ms = 3000;
    let send = world.send(leader, "r", "taken back");
    world.loses_pokes = true;
    world.pass(500);
    world.input(follower, Input::Tab(TabInput::Poked));
    world.pass(100);
    let key = world.outbox(follower)[0].key.clone().unwrap();
    let cancel = world.ask(follower, Command::Cancel { key });
    world.wait(follower, cancel).unwrap();
    world.saved(follower, "r", "stays");
    world.pass(5000);
    world.loses_pokes = false;
    world.backend.down = false;
    world.go_live(leader);
    world.pass(60_000);
    assert_eq!(world.backend.texts("r"), ["stays"]);
    assert_eq!(world.wait(leader, send).unwrap_err().code, ErrorCode::Cancelled);
}
