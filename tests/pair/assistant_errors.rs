//! What goes wrong with the profile `assistant`: errors by the facts' numbers, hellos that change, frames that mean nothing.

use chatwire::proto::{Command, Delivery, ErrorCode, Event, Failure, Input, Sender, SocketInput, Status};
use serde_json::json;

use super::assistant::{ROOM, delivery, live, says, started};
use super::assistant_backend::{Assistant, record};
use super::backend::Fate;
use super::world::World;

fn errors(world: &World, at: usize) -> Vec<Failure> {
    let told = |event: &Event| match event {
        Event::Error { error } => Some(error.clone()),
        _ => None,
    };
    world.nodes[at].events.iter().filter_map(told).collect()
}

#[test]
fn a6_an_error_is_told_or_answers_the_message_that_it_names() {
    let (mut world, ana) = live(Assistant::full());
    says(&mut world, "error", &json!({"code": "ServerError", "message": "the model is away"}));
    let told = errors(&world, ana);
    assert_eq!((told.len(), told[0].code), (1, ErrorCode::Server));
    world.backend.fates.push_back(Fate::Refuse(json!({"code": "ValidationError", "message": "no"})));
    let key = world.saved(ana, ROOM, "odd");
    world.until_status(ana, &key, Status::Failed);
    let failure = world.outbox(ana)[0].failure.clone().unwrap();
    assert_eq!((failure.code, failure.retryable), (ErrorCode::Validation, false));
    assert_eq!(errors(&world, ana).len(), 1, "it is told with the message");
}

#[test]
fn a12_a_message_is_tried_three_times_then_kept_as_failed() {
    let (mut world, ana) = live(Assistant::full());
    let refusal = Fate::Refuse(json!({"code": "ServerError", "message": "busy"}));
    world.backend.fates.extend([refusal.clone(), refusal.clone(), refusal]);
    let key = world.saved(ana, ROOM, "hello");
    world.until_status(ana, &key, Status::Failed);
    let commands = world.backend.heard.iter().filter(|(_, event, _)| event == "command").count();
    assert_eq!((commands, world.outbox(ana).len()), (3, 1));
    let id = world.ask(ana, Command::Resend { key: key.clone() });
    world.wait(ana, id).unwrap();
    world.until_status(ana, &key, Status::Acknowledged);
}

#[test]
fn d9_an_error_of_code_auth_renews_the_token_and_the_message_goes_again() {
    let (mut world, ana) = live(Assistant::full());
    assert_eq!(world.nodes[ana].tokens_asked, 1);
    world.backend.fates.push_back(Fate::Refuse(json!({"code": "auth", "message": "expired"})));
    let key = world.saved(ana, ROOM, "hello");
    world.until_status(ana, &key, Status::Acknowledged);
    assert_eq!(world.nodes[ana].tokens_asked, 2);
    // Not about a message.
    world.pass(60_000);
    says(&mut world, "error", &json!({"code": "auth"}));
    world.pass(10_000);
    assert_eq!((world.nodes[ana].tokens_asked, world.nodes[ana].live_socket.is_some()), (3, true));
    assert!(errors(&world, ana).is_empty());
    // Refused again at once: only the application can help.
    says(&mut world, "error", &json!({"code": "auth"}));
    assert_eq!(world.count(ana, |event| matches!(event, Event::AuthError { .. })), 1);
}

#[test]
fn d2_a_hello_for_somebody_else_sends_nothing() {
    let hello = json!({"user": {"id": "bo"}, "capabilities": {"keys": true, "answers": true}});
    let (mut world, ana) = started(Assistant { hello: Some(hello), ..Assistant::full() });
    world.saved(ana, ROOM, "secret");
    world.connect(ana);
    world.pass(5000);
    assert_eq!(world.count(ana, |event| matches!(event, Event::AuthError { .. })), 1);
    assert!(world.backend.asked().is_empty());
}

#[test]
fn d2_what_was_declared_is_remembered_and_the_safe_side_holds_where_it_is_gone() {
    let (mut world, ana) = live(Assistant::full());
    world.backend.down = true;
    world.restart(ana);
    world.pass(1000);
    assert_eq!(delivery(&world, ana), Delivery::ExactlyOnce, "offline");
    world.backend.down = false;
    world.backend.the_assistant().hello = None;
    let key = world.saved(ana, ROOM, "hello");
    world.go_live(ana);
    world.pass(1000);
    assert_eq!(delivery(&world, ana), Delivery::AtMostOnce);
    assert!(world.status(ana, &key) >= Some(Status::Sent));
}

#[test]
fn whatever_is_said_kills_nothing() {
    let (mut world, ana) = live(Assistant::full());
    for text in [
        "",
        "{",
        "[]",
        "{}",
        "null",
        r#"{"type":"message"}"#,
        r#"{"type":"message","payload":7}"#,
        r#"{"type":"message","payload":{"id":"x","content":"y","sender":"system","timestamp":1}}"#,
        r#"{"content":1,"sender":2}"#,
        r#"{"type":"typing","payload":{"isTyping":"yes"}}"#,
        r#"{"type":"ack","payload":[]}"#,
        r#"{"type":"hello","payload":3}"#,
        r#"{"type":"error"}"#,
        r#"{"type":"error","payload":null}"#,
    ] {
        let conn = world.nodes[ana].live_socket.unwrap();
        world.input(ana, Input::Socket(SocketInput::Text { conn, text: text.to_owned() }));
        world.pass(10);
    }
    assert!(world.rows(ana, 1).is_empty());
    let key = world.saved(ana, ROOM, "still here");
    world.until_status(ana, &key, Status::Acknowledged);
}

#[test]
fn a6_a_refusal_without_a_name_is_that_of_the_only_message_under_way() {
    let (mut world, ana) = live(Assistant::full());
    world.backend.fates.push_back(Fate::Ignore);
    let key = world.saved(ana, ROOM, "odd");
    world.pass(100);
    says(&mut world, "error", &json!({"code": "ValidationError", "message": "no"}));
    world.until_status(ana, &key, Status::Failed);
    let failure = world.outbox(ana)[0].failure.clone().unwrap();
    assert_eq!((failure.code, errors(&world, ana).len()), (ErrorCode::Validation, 0));
    // With nothing under way it is nobody's.
    says(&mut world, "error", &json!({"code": "ValidationError", "message": "no"}));
    assert_eq!(errors(&world, ana).len(), 1);
}

#[test]
fn a4_who_answers_under_the_users_key_takes_nothing_from_the_user() {
    for assistant in [Assistant::default(), Assistant::full()] {
        let (mut world, ana) = live(assistant);
        world.open_view(ana, 7, ROOM);
        let key = world.saved(ana, ROOM, "question");
        world.pass(1000);
        let mut answer = record("a1", "ai", &json!("answer"), world.now.wall_ms);
        answer["clientMessageId"] = json!(key);
        says(&mut world, "message", &answer);
        world.pass(1000);
        let shown: Vec<_> = world.rows(ana, 7).iter().map(|row| (row.text.clone(), row.sender)).collect();
        assert_eq!(shown, [("question".to_owned(), Sender::Me), ("answer".to_owned(), Sender::Ai)]);
        assert_eq!(world.count(ana, |event| matches!(event, Event::Message { .. })), 1);
    }
}

#[test]
fn what_a_flood_has_dropped_is_a_gap_where_nobody_can_be_asked_for_it() {
    let (mut world, ana) = live(Assistant::full());
    world.disks[0].delay_ms = 10_000;
    for n in 0..5000 {
        let told = record(&format!("f{n}"), "ai", &json!(format!("f{n}")), world.now.wall_ms);
        let say = world.backend.says("message", &told);
        world.say(say);
    }
    world.pass(100);
    world.disks[0].delay_ms = 0;
    world.pass(60_000);
    let told = world.count(ana, |event| matches!(event, Event::Message { .. }));
    let gaps =
        world.count(ana, |event| matches!(event, Event::Gap { conversation_id } if conversation_id == ROOM));
    assert!(told < 5000 && gaps > 0, "{told} told, {gaps} gaps");
}
