//! The way of an own message to the server and back.

use chatwire::proto::{Command, ErrorCode, Event, Outcome, SendCommand, Status};
use serde_json::json;

use super::acts::message;
use super::backend::{Backend, Fate};
use super::errands::wire_send;
use super::world::World;

fn full() -> World {
    World::new(Backend::full().room("r", &["ana", "bo"]))
}

#[test]
fn an_online_send_climbs_the_ladder_in_one_row() {
    let mut world = full();
    let ana = world.join("ana");
    world.go_live(ana);
    world.open_view(ana, 1, "r");
    let key = world.saved(ana, "r", "hello");
    let id = world.ask(ana, Command::Acknowledged { key: key.clone() });
    let done = world.wait(ana, id).unwrap();
    let Outcome::Message(copy) = done else { panic!("no copy") };
    assert_eq!((copy.seq, copy.status, copy.id.as_deref()), (Some(1), Status::Acknowledged, Some("m1")));
    let seen: Vec<Status> = world.nodes[ana]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Status { row_key, status, .. } if *row_key == key => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(seen, [Status::Saving, Status::Saved, Status::Sent, Status::Acknowledged]);
    let rows = world.rows(ana, 1);
    assert_eq!((rows.len(), &rows[0].row_key), (1, &key));
    assert!(world.outbox(ana).is_empty());
}

#[test]
fn a_hundred_offline_messages_arrive_once_and_in_order_after_a_restart() {
    let mut backend = Backend::full();
    for room in 0..5 {
        backend = backend.room(&format!("r{room}"), &["ana", "bo"]);
    }
    let mut world = World::new(backend);
    let ana = world.join("ana");
    world.pass(100);
    let mut keys = Vec::new();
    for n in 0..100 {
        keys.push(world.saved(ana, &format!("r{}", n % 5), &format!("t{n}")));
    }
    world.restart(ana);
    world.pass(100);
    assert_eq!(world.outbox(ana).len(), 100);
    world.open_view(ana, 1, "r3");
    world.go_live(ana);
    world.until("flushed", |world| world.backend.rooms.values().all(|room| room.messages.len() == 20));
    for room in 0..5 {
        let expected: Vec<String> = (0..20).map(|n| format!("t{}", n * 5 + room)).collect();
        assert_eq!(world.backend.texts(&format!("r{room}")), expected);
    }
    for key in &keys {
        world.until_status(ana, key, Status::Acknowledged);
    }
    assert_eq!(world.texts(ana, 1), world.backend.texts("r3"));
    assert!(world.outbox(ana).is_empty());
}

#[test]
fn a_lost_answer_ends_in_one_row_by_the_duplicate_answer() {
    for fate in [Fate::LoseAnswer, Fate::LoseFrame, Fate::CopyFirst, Fate::ConflictOnKey, Fate::AnswerBare] {
        let mut world = full();
        let ana = world.join("ana");
        world.go_live(ana);
        world.open_view(ana, 1, "r");
        world.backend.fates.push_back(fate.clone());
        let key = world.saved(ana, "r", "hello");
        world.until_status(ana, &key, Status::Acknowledged);
        world.pass(5000);
        assert_eq!(world.backend.texts("r"), ["hello"], "{fate:?}");
        let rows = world.rows(ana, 1);
        assert_eq!(rows.len(), 1, "{fate:?}");
        assert_eq!(
            (rows[0].row_key.as_str(), rows[0].id.as_deref(), rows[0].seq),
            (key.as_str(), Some("m1"), Some(1)),
            "{fate:?}"
        );
    }
}

#[test]
fn the_server_restarts_under_two_clients() {
    let mut world = full();
    let (ana, bo) = (world.join("ana"), world.join("bo"));
    for node in [ana, bo] {
        world.open_view(node, 1, "r");
        world.go_live(node);
    }
    for n in 0..10 {
        world.send(ana, "r", &format!("a{n}"));
        world.send(bo, "r", &format!("b{n}"));
        if n == 4 {
            world.pass(15);
            world.server_down();
        }
    }
    world.pass(10_000);
    world.backend.down = false;
    world.until("all there", |world| world.rows(ana, 1).len() == 20 && world.rows(bo, 1).len() == 20);
    world.pass(5000);
    let texts = world.backend.texts("r");
    assert_eq!(texts.len(), 20);
    for who in ["a", "b"] {
        let mine: Vec<&String> = texts.iter().filter(|text| text.starts_with(who)).collect();
        let expected: Vec<String> = (0..10).map(|n| format!("{who}{n}")).collect();
        assert!(mine.into_iter().eq(expected.iter()));
    }
    assert_eq!(world.texts(ana, 1), texts);
    assert_eq!(world.texts(bo, 1), texts);
}

#[test]
fn an_ordered_window_fills_and_one_by_one_is_the_default() {
    for (ordered, expected) in [(false, 1), (true, 8)] {
        let mut world = full();
        world.backend.hello =
            Some(json!({"capabilities": {"keys": true, "cursor": true, "orderedWindow": ordered}}));
        let ana = world.join("ana");
        world.go_live(ana);
        world.backend.fates.extend(vec![Fate::Withhold; 20]);
        for n in 0..12 {
            world.send(ana, "r", &format!("t{n}"));
        }
        world.pass(1000);
        assert_eq!(world.backend.texts("r").len(), expected, "ordered: {ordered}");
        world.backend.fates.clear();
        world.cut(ana);
        world.until("all there", |world| world.backend.texts("r").len() == 12);
        let sorted: Vec<String> = (0..12).map(|n| format!("t{n}")).collect();
        assert_eq!(world.backend.texts("r"), sorted);
    }
}

#[test]
fn one_key_is_one_message_for_ever() {
    let mut world = full();
    let ana = world.join("ana");
    world.pass(100);
    let keyed = |text: &str| {
        let mut send = message("r", text);
        send.key = Some("k1".to_owned());
        Command::Send(send)
    };
    let first = world.ask(ana, keyed("one"));
    let again = world.ask(ana, keyed("one"));
    assert_eq!(world.command(ana, keyed("two")).unwrap_err().code, ErrorCode::Conflict);
    assert!(world.wait(ana, first).is_ok() && world.wait(ana, again).is_ok());
    assert_eq!(world.outbox(ana).len(), 1);
    world.go_live(ana);
    world.until_status(ana, "k1", Status::Acknowledged);
    world.restart(ana);
    world.go_live(ana);
    let again = world.ask(ana, keyed("one"));
    let Ok(Outcome::Message(known)) = world.wait(ana, again) else { panic!("not known") };
    assert_eq!(known.id.as_deref(), Some("m1"));
    let other = world.ask(ana, keyed("two"));
    assert_eq!(world.wait(ana, other).unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(world.backend.texts("r"), ["one"]);
}

#[test]
fn a_send_behind_one_with_an_own_key_keeps_its_place() {
    let mut world = full();
    let ana = world.join("ana");
    world.go_live(ana);
    for n in 0..150 {
        world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("b{n}"));
    }
    world.restart(ana);
    world.go_live(ana);
    world.restart(ana);
    world.pass(100);
    let mut keyed = message("r", "first");
    keyed.key = Some("k".to_owned());
    world.ask(ana, Command::Send(keyed));
    world.send(ana, "r", "second");
    world.go_live(ana);
    world.until("both there", |world| world.backend.texts("r").len() == 152);
    assert_eq!(world.backend.texts("r")[150..], ["first", "second"]);
}

#[test]
fn wrong_sends_are_refused_and_nothing_is_queued() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join_with("ana", json!({"outbox": {"maxQueued": 2}, "limits": {"maxTextLength": 10}}));
    world.go_live(ana);
    world.ask(ana, Command::Disconnect {});
    let mut wrong = |room: &str, text: &str, key: Option<&str>, reply: Option<&str>| {
        let mut send = message(room, text);
        send.key = key.map(str::to_owned);
        send.reply_to = reply.map(str::to_owned);
        world.command(ana, Command::Send(send)).unwrap_err().code
    };
    assert_eq!(wrong("r", "  ", None, None), ErrorCode::Validation);
    assert_eq!(wrong("r", "01234567890", None, None), ErrorCode::TooLarge);
    assert_eq!(wrong("nowhere", "hello", None, None), ErrorCode::NotFound);
    assert_eq!(wrong("", "hello", None, None), ErrorCode::NotFound);
    assert_eq!(wrong("r", "hello", Some(""), None), ErrorCode::Validation);
    assert_eq!(wrong("r", "hello", None, Some("nothing")), ErrorCode::Validation);
    world.saved(ana, "r", "one");
    world.saved(ana, "r", "two");
    let full = world.command(ana, Command::Send(message("r", "three"))).unwrap_err();
    assert_eq!(full.code, ErrorCode::OutboxFull);
    let queued: Vec<String> = world.outbox(ana).into_iter().map(|row| row.text).collect();
    assert_eq!(queued, ["one", "two"]);
}

#[test]
fn sends_beyond_the_rate_wait_their_turn() {
    let mut world = full();
    let ana = world.join_with("ana", json!({"limits": {"sendsPerSecond": 2, "sendBurst": 3}}));
    world.go_live(ana);
    for n in 0..7 {
        world.send(ana, "r", &format!("t{n}"));
    }
    world.pass(400);
    assert_eq!(world.backend.texts("r").len(), 3);
    world.pass(1100);
    assert!((4..=6).contains(&world.backend.texts("r").len()));
    world.until_within(5000, "all", |world| world.backend.texts("r").len() == 7);
}

#[test]
fn close_drains_the_store_and_then_is_silent() {
    let mut world = full();
    let ana = world.join("ana");
    world.go_live(ana);
    world.disks[0].delay_ms = 50;
    let send = world.send(ana, "r", "late");
    let close = world.ask(ana, Command::Close {});
    world.until("closed", |world| world.outcome(ana, close).is_some());
    assert!(matches!(world.outcome(ana, send), Some(Ok(_))), "the send had been accepted");
    world.nodes[ana].checks.closed = true;
    world.post("r", "bo", "anybody there?");
    world.pass(100_000);
    assert_eq!(world.command(ana, Command::Outbox {}).unwrap_err().code, ErrorCode::Closed);
    world.restart(ana);
    world.go_live(ana);
    world.until("sent at last", |world| world.backend.texts("r").contains(&"late".to_owned()));
}

#[test]
fn close_ends_every_command_that_waits() {
    let mut world = full();
    let ana = world.join("ana");
    world.go_live(ana);
    world.backend.fates.push_back(Fate::Withhold);
    let key = world.saved(ana, "r", "hello");
    let waiting = [
        world.ask(ana, Command::Acknowledged { key }),
        world.ask(ana, Command::CreateDirect { user_id: "cy".to_owned() }),
        world.ask(ana, ask_the_server()),
    ];
    world.ask(ana, Command::Close {});
    world.pass(1000);
    for id in waiting {
        let error = world.outcome(ana, id).expect("ended").unwrap_err();
        assert_eq!(error.code, ErrorCode::Closed);
    }
}

fn ask_the_server() -> Command {
    wire_send("ask", "{}", true, None)
}

#[test]
fn the_backends_own_events_pass_through() {
    let mut world = full();
    let ana = world.join("ana");
    world.go_live(ana);
    let id = world.ask(ana, ask_the_server());
    let Ok(Outcome::Wire(answer)) = world.wait(ana, id) else { panic!("no answer") };
    assert_eq!(answer.json.text(), r#"{"got":{}}"#);
}

#[test]
fn an_answer_to_a_message_that_is_still_queued_names_it_to_the_server() {
    for window in [false, true] {
        let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
        world.backend.hello =
            Some(json!({"capabilities": {"keys": true, "cursor": true, "orderedWindow": window}}));
        let ana = world.join("ana");
        world.open_view(ana, 1, "r");
        world.go_live(ana);
        world.server_down();
        world.pass(100);
        let first = world.saved(ana, "r", "one");
        let reply = SendCommand { reply_to: Some(first), ..message("r", "two") };
        let id = world.ask(ana, Command::Send(reply));
        world.wait(ana, id).unwrap();
        world.saved(ana, "r", "three");
        // It outlives a restart between the two.
        world.restart(ana);
        world.backend.down = false;
        world.go_live(ana);
        world.until("all are there", |world| world.backend.texts("r").len() == 3);
        assert_eq!(world.backend.texts("r"), ["one", "two", "three"]);
        let sent = world.backend.heard.iter().filter(|(_, name, _)| name == "chat:message_send");
        let named: Vec<_> = sent.map(|(_, _, payload)| payload["reply_to"].clone()).collect();
        assert_eq!(named, [json!(null), json!("m1"), json!(null)], "{window}");
    }
}

#[test]
fn keys_of_ones_own_that_are_looked_for_count_as_queued() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join_with("ana", json!({ "outbox": { "maxQueued": 3 } }));
    world.go_live(ana);
    world.backend.down = true;
    world.cut(ana);
    world.pass(100);
    world.disks[0].delay_ms = 50;
    let mut taken = Vec::new();
    for n in 0..5 {
        let send = SendCommand { key: Some(format!("own-{n}")), ..message("r", &format!("t{n}")) };
        match world.command(ana, Command::Send(send)) {
            Ok(id) => taken.push(id),
            Err(failure) => assert_eq!(failure.code, ErrorCode::OutboxFull),
        }
    }
    assert_eq!(taken.len(), 3);
    for id in taken {
        assert!(world.wait(ana, id).is_ok());
    }
}

/// A new device that has asked for its first list, which comes so much later than it might.
fn awaiting_the_first_list(late_ms: u64) -> (World, usize) {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.slow_http_ms = late_ms;
    world.connect(ana);
    world.until("the list is asked for", |world| {
        world.backend.requests.iter().any(|it| it.contains("/conversations"))
    });
    (world, ana)
}

#[test]
fn of_a_new_device_what_is_sent_waits_for_the_first_list_to_know_its_conversation() {
    let (mut world, ana) = awaiting_the_first_list(0);
    let nowhere = world.ask(ana, Command::Send(message("nowhere", "hello")));
    let known = world.send(ana, "r", "one");
    assert!(world.outcome(ana, nowhere).is_none() && world.outcome(ana, known).is_none());
    assert_eq!(world.wait(ana, nowhere).unwrap_err().code, ErrorCode::NotFound);
    assert!(world.wait(ana, known).is_ok());
    world.until("the other is there", |world| world.backend.texts("r") == ["one"]);
}

#[test]
fn of_a_new_device_what_is_sent_does_not_wait_for_a_list_when_the_connection_is_lost() {
    let (mut world, ana) = awaiting_the_first_list(0);
    let sent = world.send(ana, "r", "one");
    assert!(world.outcome(ana, sent).is_none());
    world.server_down();
    assert!(world.wait(ana, sent).is_ok());
    assert_eq!(world.outbox(ana).len(), 1);
}

#[test]
fn of_a_new_device_what_is_sent_does_not_wait_long_for_a_slow_list() {
    let (mut world, ana) = awaiting_the_first_list(15_000);
    let sent = world.send(ana, "r", "one");
    assert!(world.outcome(ana, sent).is_none());
    world.pass(1_100);
    assert!(world.outcome(ana, sent).is_some_and(|outcome| outcome.is_ok()));
    world.until("it is there", |world| world.backend.texts("r") == ["one"]);
}
