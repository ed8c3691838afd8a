//! Events of the application's own in a tab that has no socket.

use chatwire::proto::{Command, ErrorCode, Event, Json, Outcome, WireData};
use serde_json::json;

use super::backend::Backend;
use super::world::World;

pub fn wire_send(event: &str, payload: &str, ack: bool, timeout_ms: Option<u32>) -> Command {
    let payload = WireData { json: Json::parse(payload).unwrap(), attachments: Vec::new() };
    Command::WireSend { event: event.to_owned(), topic: String::new(), payload, ack, timeout_ms }
}

fn send(event: &str, ack: bool, timeout_ms: Option<u32>) -> Command {
    wire_send(event, r#"{"a":1}"#, ack, timeout_ms)
}

fn heard(world: &World, name: &str) -> Vec<String> {
    let heard = world.backend.heard.iter().filter(|(_, event, _)| event == name);
    heard.map(|(_, _, payload)| payload.to_string()).collect()
}

#[test]
fn an_event_of_ones_own_goes_from_any_tab_and_its_answer_comes_back() {
    let (mut world, _, follower) = World::two(Backend::full());
    let id = world.ask(follower, send("ask", true, None));
    let Ok(Outcome::Wire(answer)) = world.wait(follower, id) else { panic!("no answer") };
    assert_eq!(answer.json.text(), r#"{"got":{"a":1}}"#);
    let id = world.ask(follower, send("say", false, None));
    assert!(matches!(world.wait(follower, id), Ok(Outcome::Nothing)));
    world.pass(1000);
    assert_eq!(heard(&world, "say"), [r#"{"a":1}"#]);
}

#[test]
fn an_event_of_ones_own_is_heard_in_each_tab_once() {
    let (mut world, leader, follower) = World::two(Backend::full());
    let say = world.backend.tell("ana", "photo_generated", &json!({"n": 7}));
    world.say(say);
    world.pass(1000);
    for node in [leader, follower] {
        let told = |event: &Event| match event {
            Event::Wire { event, args, ack_id: None, .. } => {
                Some((event.clone(), args.json.text().to_owned()))
            }
            _ => None,
        };
        let told: Vec<_> = world.nodes[node].events.iter().filter_map(told).collect();
        assert_eq!(told, [("photo_generated".to_owned(), r#"[{"n":7}]"#.to_owned())]);
    }
}

#[test]
fn an_errand_ends_whatever_becomes_of_the_leader() {
    let refused = |world: &mut World, at, id| world.wait(at, id).unwrap_err().code;
    // Nobody answers.
    let (mut world, leader, follower) = World::two(Backend::full());
    let id = world.ask(follower, send("silence", true, Some(2000)));
    assert_eq!(refused(&mut world, follower, id), ErrorCode::Timeout);
    // The leader dies with it: whether it left nobody knows.
    let id = world.ask(follower, send("silence", true, Some(20_000)));
    world.kill(leader);
    assert_eq!(refused(&mut world, follower, id), ErrorCode::Timeout);
    assert_eq!(heard(&world, "silence").len(), 1);
    // The connection is lost while the answer is waited for.
    let (mut world, leader, follower) = World::two(Backend::full());
    let id = world.ask(follower, send("silence", true, None));
    world.pass(200);
    world.cut(leader);
    assert_eq!(refused(&mut world, follower, id), ErrorCode::Unconfirmed);
    // Without a connection nothing is queued.
    world.backend.down = true;
    world.cut(leader);
    world.pass(3000);
    assert_eq!(world.command(follower, send("say", false, None)).unwrap_err().code, ErrorCode::Server);
    world.backend.down = false;
    world.pass(60_000);
    assert!(heard(&world, "say").is_empty());
}
