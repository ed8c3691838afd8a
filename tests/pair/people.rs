//! Typing, presence, creation of conversations, protocol errors.

use chatwire::proto::{Command, ErrorCode, Event, Outcome};
use serde_json::{Value, json};

use super::backend::Backend;
use super::world::World;

fn full() -> (World, usize) {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]).room("s", &["ana", "cy"]));
    let ana = world.join("ana");
    world.go_live(ana);
    (world, ana)
}

fn typed(world: &World) -> Vec<bool> {
    let heard = world.backend.heard.iter().filter(|(_, name, _)| name == "chat:typing");
    heard.map(|(_, _, payload)| payload["isTyping"] == Value::Bool(true)).collect()
}

fn told(world: &World, at: usize) -> Vec<bool> {
    let events = world.nodes[at].events.iter();
    events
        .filter_map(|event| match event {
            Event::Typing { typing, .. } => Some(*typing),
            _ => None,
        })
        .collect()
}

#[test]
fn own_typing_is_throttled_and_stops_by_itself() {
    let (mut world, ana) = full();
    for _ in 0..35 {
        world.ask(ana, Command::SetTyping { conversation_id: "r".into(), typing: true });
        world.pass(100);
    }
    assert_eq!(typed(&world), [true, true], "again after three seconds at the earliest");
    world.pass(2100);
    assert_eq!(typed(&world), [true, true, false]);
    world.ask(ana, Command::SetTyping { conversation_id: "r".into(), typing: true });
    world.ask(ana, Command::SetTyping { conversation_id: "s".into(), typing: true });
    world.pass(100);
    assert_eq!(typed(&world)[3..], [true, false, true], "one conversation at a time");
}

#[test]
fn others_typing_ends_with_their_message_with_silence_and_with_the_connection() {
    let (mut world, ana) = full();
    let tell = |world: &mut World| {
        let payload = json!({"userId": "bo", "username": "bo", "isTyping": true, "conversationId": "r"});
        let say = world.backend.tell("ana", "chat:user_typing", &payload);
        world.say(say);
        world.pass(100);
    };
    tell(&mut world);
    world.pass(6000);
    assert_eq!(told(&world, ana), [true, false]);
    tell(&mut world);
    world.post("r", "bo", "done");
    world.pass(100);
    assert_eq!(told(&world, ana), [true, false, true, false]);
    tell(&mut world);
    world.cut(ana);
    world.pass(100);
    assert_eq!(told(&world, ana)[4..], [true, false]);
}

#[test]
fn presence_is_told_once_and_not_believed_after_a_loss() {
    let (mut world, ana) = full();
    for _ in 0..2 {
        let payload = json!({"userId": "bo", "status": "online", "timestamp": "2026-01-01T00:00:00Z"});
        let say = world.backend.tell("ana", "user:status_changed", &payload);
        world.say(say);
        world.pass(100);
    }
    let presence = |world: &World| -> Vec<bool> {
        let events = world.nodes[ana].events.iter();
        events
            .filter_map(|event| match event {
                Event::Presence { online, .. } => Some(*online),
                _ => None,
            })
            .collect()
    };
    assert_eq!(presence(&world), [true]);
    world.cut(ana);
    world.pass(100);
    assert_eq!(presence(&world), [true, false]);
    let mine: Vec<&str> = world
        .backend
        .heard
        .iter()
        .filter(|(user, ..)| user == "ana")
        .map(|(_, name, _)| name.as_str())
        .collect();
    assert_eq!(mine[0], "presence:online", "T17");
}

#[test]
fn t6_an_existing_direct_conversation_is_found() {
    let (mut world, ana) = full();
    for (user, expected) in [("bo", "r"), ("di", "direct-di")] {
        let id = world.ask(ana, Command::CreateDirect { user_id: user.into() });
        let Ok(Outcome::Conversation(conversation)) = world.wait(ana, id) else { panic!("not created") };
        assert_eq!(conversation.id, expected);
    }
    let id =
        world.ask(ana, Command::CreateGroup { title: "all".into(), members: vec!["bo".into(), "cy".into()] });
    let Ok(Outcome::Conversation(group)) = world.wait(ana, id) else { panic!("not created") };
    let key = world.saved(ana, &group.id, "hello, all");
    world.until_status(ana, &key, chatwire::proto::Status::Acknowledged);
    let empty = Command::CreateGroup { title: " ".into(), members: Vec::new() };
    assert_eq!(world.command(ana, empty).unwrap_err().code, ErrorCode::Validation);
}

#[test]
fn garbage_on_the_socket_is_an_event_and_the_socket_lives_on() {
    let (mut world, ana) = full();
    let lines = [
        r#"42["chat:message_received",{"id":7}]"#,
        r#"42["chat:message_received"]"#,
        r#"42["chat:message_status_updated",{"messageId":{},"status":"read"}]"#,
        r#"42["chat:user_typing",[]]"#,
        r#"42["#,
        "9",
        "43999[1]",
        r#"42["chat:conversation_updated",{"conversation":{"id":"x","type":"circle"}}]"#,
    ];
    for line in lines {
        world.say(vec![super::backend::Say::Text((ana, 1), line.to_owned())]);
    }
    world.pass(100);
    assert_eq!(world.count(ana, |event| matches!(event, Event::ProtocolError { .. })), 7);
    let key = world.saved(ana, "r", "still there");
    world.until_status(ana, &key, chatwire::proto::Status::Acknowledged);
}

#[test]
fn a_window_on_an_unknown_conversation_says_so_until_it_turns_up() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    for (view, room) in [(1, "r"), (2, "nowhere")] {
        world.open_view(ana, view, room);
    }
    let error = |world: &World, view: u32| world.window_error(ana, view).map(|error| error.code);
    world.pass(100);
    assert_eq!((error(&world, 1), error(&world, 2)), (None, None), "nobody knows yet");
    world.go_live(ana);
    world.pass(100);
    assert_eq!((error(&world, 1), error(&world, 2)), (None, Some(ErrorCode::NotFound)));
    world.cut(ana);
    world.pass(5);
    assert_eq!(error(&world, 2), Some(ErrorCode::NotFound), "it does not flicker");
    world.pass(20_000);
    world.backend = core::mem::replace(&mut world.backend, Backend::full()).room("nowhere", &["ana", "bo"]);
    world.post("nowhere", "bo", "hello");
    world.pass(100);
    assert_eq!((error(&world, 2), world.texts(ana, 2)), (None, vec!["hello".to_owned()]));
}
