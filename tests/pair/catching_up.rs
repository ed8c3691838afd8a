//! What a catch-up asks for, in which order, and what is news.

use chatwire::proto::store::index_key;
use chatwire::proto::{Command, ErrorCode, Event};
use serde_json::json;

use super::backend::Backend;
use super::damage::tear;
use super::world::World;

/// Somebody who was there, is away, and misses a message of each of these conversations.
fn away(rooms: &[&str]) -> World {
    let backend = rooms.iter().fold(Backend::full(), |backend, room| backend.room(room, &["ana", "bo"]));
    let mut world = World::new(backend);
    let ana = world.join("ana");
    for room in rooms {
        world.post(room, "bo", "before");
    }
    world.go_live(ana);
    world.pass(1000);
    world.ask(ana, Command::Disconnect {});
    world.pass(1000);
    for room in rooms {
        world.post(room, "bo", "missed");
        world.pass(1000);
    }
    world.backend.requests.clear();
    world
}

/// Whose pages, in the order in which the first of each was asked for.
fn asked_for(world: &World) -> Vec<&str> {
    let pages = world.backend.requests.iter().filter_map(|request| request.split("/messages/").nth(1));
    let mut rooms = Vec::new();
    for room in pages.filter_map(|page| page.split('?').next()) {
        if !rooms.contains(&room) {
            rooms.push(room);
        }
    }
    rooms
}

#[test]
fn what_is_known_is_gone_on_from_where_the_list_is_refused_or_leaves_it_out() {
    for unreadable in [false, true] {
        let mut world = away(&["r"]);
        if unreadable {
            world.backend.unreadable.insert("r".to_owned());
        } else {
            world.backend.http_faults.push_back(404);
        }
        world.go_live(0);
        world.open_view(0, 1, "r");
        world.pass(1000);
        assert_eq!(world.texts(0, 1), ["before", "missed"], "unreadable: {unreadable}");
    }
}

#[test]
fn what_is_shown_is_caught_up_first_then_the_most_recent() {
    let mut world = away(&["a", "b", "c", "d", "e", "f", "g", "h"]);
    world.open_view(0, 1, "c");
    world.go_live(0);
    world.pass(1000);
    assert_eq!(asked_for(&world), ["c", "h", "g", "f", "e", "d", "b", "a"]);
}

#[test]
fn what_came_live_before_a_first_page_makes_no_news_of_the_history() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    for n in 0..300 {
        world.post("r", "bo", &format!("b{n}"));
    }
    let ana = world.join("ana");
    world.connect(ana);
    world.until("the list is there", |world| !world.backend.requests.is_empty());
    // Its page is slow.
    world.backend.http_faults.extend([503; 20]);
    world.pass(300);
    world.post("r", "bo", "live");
    world.pass(300);
    world.restart(ana);
    world.backend.http_faults.clear();
    world.go_live(ana);
    world.pass(1000);
    let told = world.count(ana, |event| matches!(event, Event::Message { .. }));
    assert!(told <= 51, "{told} messages are told of a history of 301");
    let unread = world.nodes[ana].client.as_ref().unwrap().conversation("r").unwrap().unread;
    assert!(unread <= 51, "{unread} unread");
}

#[test]
fn a_torn_page_of_the_index_is_told_made_anew_and_hides_no_message() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.go_live(ana);
    for n in 0..330 {
        world.post("r", "bo", &format!("b{n}"));
    }
    world.pass(1000);
    world.kill(ana);
    tear(&mut world, [index_key("r", 0)].into_iter());
    world.start(ana);
    world.go_live(ana);
    let gone = world.backend.rooms["r"].messages[7].id.clone();
    let say = world.backend.tell("ana", "chat:message_deleted", &json!({ "messageId": gone }));
    world.say(say);
    world.pass(2000);
    let torn = |event: &Event| matches!(event, Event::Error { error } if error.code == ErrorCode::Storage);
    assert_eq!(world.count(ana, torn), 1);
    world.open_view(ana, 1, "r");
    world.ask(ana, Command::LoadEarlier { view: 1, count: 400 });
    world.pass(2000);
    let rows = world.rows(ana, 1);
    assert_eq!(rows.len(), 330);
    assert!(rows[7].deleted_at_ms.is_some() && rows[8].deleted_at_ms.is_none());
    world.restart(ana);
    world.pass(1000);
    world.say(world.backend.tell("ana", "chat:message_deleted", &json!({ "messageId": "m9" })));
    world.pass(1000);
    assert_eq!(world.count(ana, torn), 0, "it is whole again");
}
