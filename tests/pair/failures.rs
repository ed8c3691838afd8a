//! What the server, the link and the user do to a queued message.

use chatwire::proto::{Command, ConnectionState, ErrorCode, Event, Failure, Status};
use serde_json::json;

use super::acts::message;
use super::backend::{Backend, Fate};
use super::world::World;

fn full() -> (World, usize) {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]).room("s", &["ana", "bo"]));
    let ana = world.join("ana");
    world.go_live(ana);
    (world, ana)
}

fn refusal(code: &str) -> Fate {
    Fate::Refuse(json!({"code": code, "message": "no"}))
}

fn failure(world: &mut World, at: usize, key: &str) -> Failure {
    let rows = world.outbox(at);
    let row = rows.into_iter().find(|row| row.key.as_deref() == Some(key)).expect("queued or failed");
    row.failure.expect("failed")
}

fn end(world: &mut World, at: usize, command: Command) -> Result<(), ErrorCode> {
    match world.command(at, command) {
        Err(error) => Err(error.code),
        Ok(id) => world.wait(at, id).map(|_| ()).map_err(|error| error.code),
    }
}

#[test]
fn answers_of_failure_are_tried_again_with_growing_delays_and_then_kept() {
    let (mut world, ana) = full();
    world.backend.fates.extend([refusal("ServerError"), refusal("ServerError"), refusal("ServerError")]);
    let started = world.now.mono_ms;
    let key = world.saved(ana, "r", "hello");
    let behind = world.saved(ana, "r", "behind");
    world.until_status(ana, &key, Status::Failed);
    let waited = world.now.mono_ms - started;
    assert!((1500..=4600).contains(&waited), "about one and two seconds: {waited}");
    assert_eq!(failure(&mut world, ana, &key).code, ErrorCode::Server);
    world.until_status(ana, &behind, Status::Acknowledged);
    assert_eq!(world.backend.texts("r"), ["behind"]);
    let id = world.command(ana, Command::Acknowledged { key: key.clone() }).unwrap_err();
    assert_eq!(id.code, ErrorCode::Server);
    // It outlives a restart, and a resend keeps the key and goes to the tail.
    world.restart(ana);
    world.go_live(ana);
    assert_eq!(failure(&mut world, ana, &key).code, ErrorCode::Server);
    assert_eq!(end(&mut world, ana, Command::Cancel { key: "nothing".into() }), Err(ErrorCode::NotFound));
    world.ask(ana, Command::Disconnect {});
    world.saved(ana, "r", "third");
    let id = world.ask(ana, Command::Resend { key: key.clone() });
    world.wait(ana, id).unwrap();
    assert_eq!(world.message(ana, id).key.as_deref(), Some(key.as_str()));
    world.go_live(ana);
    world.until_status(ana, &key, Status::Acknowledged);
    assert_eq!(world.backend.texts("r"), ["behind", "third", "hello"]);
}

#[test]
fn what_can_never_succeed_fails_at_once_and_can_be_discarded() {
    for (fate, code) in [
        (refusal("ValidationError"), ErrorCode::Validation),
        (refusal("ForbiddenError"), ErrorCode::Forbidden),
        (refusal("TooLarge"), ErrorCode::TooLarge),
        (refusal("ConflictError"), ErrorCode::Conflict),
    ] {
        let (mut world, ana) = full();
        world.open_view(ana, 1, "r");
        world.backend.fates.push_back(fate);
        let key = world.saved(ana, "r", "hello");
        world.until_status(ana, &key, Status::Failed);
        assert_eq!(failure(&mut world, ana, &key).code, code);
        assert_eq!(end(&mut world, ana, Command::Discard { key: key.clone() }), Ok(()));
        assert!(world.outbox(ana).is_empty() && world.rows(ana, 1).is_empty());
        world.restart(ana);
        world.pass(100);
        assert!(world.outbox(ana).is_empty());
    }
}

#[test]
fn cancel_only_before_the_wire() {
    let (mut world, ana) = full();
    world.backend.fates.push_back(Fate::Withhold);
    let first = world.saved(ana, "r", "first");
    let second = world.saved(ana, "r", "second");
    world.pass(100);
    assert_eq!(end(&mut world, ana, Command::Cancel { key: first.clone() }), Err(ErrorCode::InFlight));
    let waits = world.ask(ana, Command::Acknowledged { key: second.clone() });
    assert_eq!(end(&mut world, ana, Command::Cancel { key: second.clone() }), Ok(()));
    assert_eq!(world.wait(ana, waits).unwrap_err().code, ErrorCode::Cancelled);
    // While it is still being saved, too.
    world.disks[0].delay_ms = 30;
    let id = world.ask(ana, Command::Send(super::acts::message("s", "third")));
    let third = world.nodes[ana].checks.statuses.iter().find(|(_, status)| **status == Status::Saving);
    let third = third.map(|(key, _)| key.clone()).unwrap();
    assert_eq!(end(&mut world, ana, Command::Cancel { key: third }), Ok(()));
    assert!(world.outcome(ana, id).is_some());
    world.cut(ana);
    world.until_status(ana, &first, Status::Acknowledged);
    world.pass(5000);
    assert_eq!((world.backend.texts("r"), world.backend.texts("s")), (vec!["first".to_owned()], Vec::new()));
}

#[test]
fn a_message_whose_time_is_over_expires_offline_and_after_a_restart() {
    let (mut world, ana) = full();
    world.server_down();
    let mut send = message("r", "soon");
    send.ttl_ms = Some(5000);
    let id = world.ask(ana, Command::Send(send.clone()));
    world.wait(ana, id).unwrap();
    let first = world.message(ana, id).key.unwrap();
    world.pass(6000);
    assert_eq!(failure(&mut world, ana, &first).code, ErrorCode::Expired);
    let id = world.ask(ana, Command::Send(send));
    world.wait(ana, id).unwrap();
    let second = world.message(ana, id).key.unwrap();
    world.kill(ana);
    world.pass(10_000);
    world.start(ana);
    world.backend.down = false;
    world.go_live(ana);
    assert_eq!(failure(&mut world, ana, &second).code, ErrorCode::Expired);
    assert!(world.backend.texts("r").is_empty());
}

#[test]
fn d10_silence_on_a_live_socket_is_the_loss_of_the_socket() {
    let (mut world, ana) = full();
    world.backend.fates.push_back(Fate::Withhold);
    let key = world.saved(ana, "r", "hello");
    world.pass(14_900);
    assert_eq!(world.status(ana, &key), Some(Status::Sent));
    world.until_within(5000, "answered", |world| world.status(ana, &key) == Some(Status::Acknowledged));
    assert_eq!(world.backend.texts("r"), ["hello"]);
}

#[test]
fn d11_a_poisonous_message_goes_alone_and_then_fails_while_the_others_pass() {
    let (mut world, ana) = full();
    world.backend.fates.extend([Fate::LoseFrame, Fate::LoseFrame, Fate::LoseFrame]);
    let poison = world.saved(ana, "r", "poison");
    let behind = world.saved(ana, "r", "behind");
    let mut others = Vec::new();
    for n in 0..3 {
        others.push(world.saved(ana, "s", &format!("o{n}")));
    }
    world.until_status(ana, &poison, Status::Failed);
    assert_eq!(failure(&mut world, ana, &poison).code, ErrorCode::Poison);
    for key in others.iter().chain([&behind]) {
        world.until_status(ana, key, Status::Acknowledged);
    }
    assert_eq!(world.backend.texts("s"), ["o0", "o1", "o2"]);
    assert_eq!(world.backend.texts("r"), ["behind"]);
}

#[test]
fn d11_what_stands_before_a_poisonous_message_does_not_stop_everything() {
    let (mut world, ana) = full();
    world.backend.hello =
        Some(json!({"capabilities": {"keys": true, "cursor": true, "orderedWindow": true}}));
    world.cut(ana);
    world.pass(3000);
    // The first is refused and waits, the second is lost twice.
    let slow = || Fate::Refuse(json!({"code": "ServerError", "message": "no", "retry_after_ms": 100}));
    world.backend.fates.extend([slow(), Fate::LoseFrame, slow(), Fate::LoseFrame]);
    let first = world.send(ana, "r", "first");
    let second = world.send(ana, "r", "second");
    for id in [first, second] {
        world.wait(ana, id).unwrap();
    }
    let keys = [world.message(ana, first).key.unwrap(), world.message(ana, second).key.unwrap()];
    for key in keys {
        world.until_status(ana, &key, Status::Acknowledged);
    }
    assert_eq!(world.backend.texts("r"), ["first", "second"]);
}

#[test]
fn e12_too_large_for_the_server_fails_and_the_others_go_on() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    world.backend.max_payload = 600;
    let ana = world.join("ana");
    world.go_live(ana);
    let large = world.saved(ana, "r", &"x".repeat(900));
    let small = world.saved(ana, "r", "small");
    world.until_status(ana, &small, Status::Acknowledged);
    assert_eq!(failure(&mut world, ana, &large).code, ErrorCode::TooLarge);
}

#[test]
fn rate_limited_answers_pause_and_do_not_count() {
    let (mut world, ana) = full();
    let wait =
        || Fate::Refuse(json!({"code": "RateLimited", "message": "slow down", "retry_after_ms": 2000}));
    world.backend.fates.extend([wait(), wait(), wait(), wait(), wait()]);
    let key = world.saved(ana, "r", "hello");
    world.pass(9000);
    assert_eq!(world.status(ana, &key), Some(Status::Sent));
    world.until_within(2500, "answered", |world| world.status(ana, &key) == Some(Status::Acknowledged));
}

#[test]
fn an_unreadable_answer_is_told_and_tried_again_where_keys_are_kept() {
    let (mut world, ana) = full();
    world.backend.fates.push_back(Fate::Garbage);
    let key = world.saved(ana, "r", "hello");
    world.until_status(ana, &key, Status::Acknowledged);
    assert_eq!(world.count(ana, |event| matches!(event, Event::ProtocolError { .. })), 1);
    assert_eq!(world.backend.texts("r"), ["hello"]);
}

#[test]
fn a_token_that_expires_in_mid_flush_is_renewed_once() {
    let (mut world, ana) = full();
    world.ask(ana, Command::Disconnect {});
    let mut keys = Vec::new();
    for n in 0..20 {
        keys.push(world.saved(ana, "r", &format!("t{n}")));
    }
    let mut fates = vec![Fate::Answer; 7];
    fates.push(refusal("AuthError"));
    world.backend.fates.extend(fates);
    world.nodes[ana].next_tokens.extend([Ok("ana:1".to_owned()), Ok("ana:2".to_owned())]);
    world.connect(ana);
    for key in &keys {
        world.until_status(ana, key, Status::Acknowledged);
    }
    let expected: Vec<String> = (0..20).map(|n| format!("t{n}")).collect();
    assert_eq!(world.backend.texts("r"), expected);
    assert_eq!(world.count(ana, |event| matches!(event, Event::AuthError { .. })), 0);
}

#[test]
fn a_token_refused_twice_is_an_auth_error_and_the_outbox_is_kept() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    world.backend.refused_tokens.insert("ana:1".to_owned());
    let ana = world.join("ana");
    world.pass(100);
    let key = world.saved(ana, "r", "hello");
    let connect = world.ask(ana, Command::Connect {});
    assert_eq!(world.wait(ana, connect).unwrap_err().code, ErrorCode::Auth);
    assert_eq!(world.count(ana, |event| matches!(event, Event::AuthError { .. })), 1);
    assert_eq!(world.nodes[ana].tokens_asked, 2);
    let failed = world.count(ana, |event| {
        matches!(event, Event::Connection { connection } if connection.state == ConnectionState::Failed)
    });
    assert_eq!(failed, 1);
    assert_eq!(world.outbox(ana).len(), 1);
    world.nodes[ana].token = "ana:2".to_owned();
    world.go_live(ana);
    world.until_status(ana, &key, Status::Acknowledged);
}

#[test]
fn a_half_open_link_is_found_and_nothing_is_lost() {
    let (mut world, ana) = full();
    world.nodes[ana].half_open = true;
    let key = world.saved(ana, "r", "hello");
    world.pass(14_000);
    world.nodes[ana].half_open = false;
    world.until_status(ana, &key, Status::Acknowledged);
    assert_eq!(world.backend.texts("r"), ["hello"]);
}

#[test]
fn what_the_server_ignored_is_sent_again_after_the_silence() {
    let (mut world, ana) = full();
    world.backend.fates.push_back(Fate::Ignore);
    let key = world.saved(ana, "r", "hello");
    world.until_status(ana, &key, Status::Acknowledged);
    assert_eq!(world.backend.texts("r"), ["hello"]);
}

fn says_auth(world: &World, ana: usize) -> Option<String> {
    world.nodes[ana].events.iter().rev().find_map(|event| match event {
        Event::AuthError { error } => Some(error.message.clone()),
        _ => None,
    })
}

#[test]
fn nothing_goes_out_with_another_users_token() {
    for known in [false, true] {
        let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
        let ana = world.join("ana");
        if known {
            // What the backend gives is in the store, so that sends need not wait to know it.
            world.go_live(ana);
            world.pass(1000);
            world.restart(ana);
        }
        world.pass(100);
        let key = world.saved(ana, "r", "mine");
        world.nodes[ana].token = "bo:1".to_owned();
        world.connect(ana);
        world.until("told", |world| says_auth(world, ana).is_some());
        world.pass(20_000);
        let text = says_auth(&world, ana).unwrap();
        assert!(
            text.contains("userId") && text.contains("different users") && !text.contains("bo"),
            "{text}"
        );
        assert_eq!(world.count(ana, |event| matches!(event, Event::AuthError { .. })), 1);
        let last = world.nodes[ana].events.iter().rev().find_map(|event| match event {
            Event::Connection { connection } => Some((connection.state, connection.reason.clone())),
            _ => None,
        });
        assert_eq!(last, Some((ConnectionState::Failed, Some("auth".to_owned()))));
        assert!(world.backend.texts("r").is_empty() && world.backend.sessions.is_empty());
        assert_eq!(world.outbox(ana).len(), 1);
        world.nodes[ana].token = "ana:2".to_owned();
        world.go_live(ana);
        world.until_status(ana, &key, Status::Acknowledged);
    }
}

#[test]
fn a_declared_backend_is_waited_for_once() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    world.backend.hello = None;
    let ana = world.join_with("ana", json!({"capabilities": {"keys": true, "cursor": true}}));
    world.go_live(ana);
    world.server_down();
    world.pass(100);
    let key = world.saved(ana, "r", "hello");
    world.backend.down = false;
    let joined = |world: &World| world.backend.sessions.values().any(|session| session.joined);
    world.until("connected again", joined);
    world.pass(60);
    assert_eq!(world.status(ana, &key), Some(Status::Acknowledged));
}
