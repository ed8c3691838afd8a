//! What this user has read: here, on another device, without a connection, in a second tab.

use chatwire::proto::{Command, Event, Status};

use super::backend::{Backend, Fate};
use super::world::World;

fn online(backend: Backend, count: usize) -> World {
    let mut world = World::new(backend.room("r", &["ana", "bo"]));
    for at in 0..count {
        world.join("ana");
        world.open_view(at, 1, "r");
        world.go_live(at);
    }
    world.pass(100);
    world
}

fn unread(world: &World, at: usize) -> Option<u32> {
    world.nodes[at].events.iter().rev().find_map(|event| match event {
        Event::Conversation { conversation } if conversation.id == "r" => Some(conversation.unread),
        _ => None,
    })
}

fn read_last(world: &mut World, at: usize) {
    let row_key = world.rows(at, 1).last().unwrap().row_key.clone();
    let id = world.ask(at, Command::MarkRead { conversation_id: "r".into(), row_key });
    world.wait(at, id).unwrap();
}

fn read_up_to(world: &World) -> u64 {
    world.backend.rooms["r"].read_by.get("ana").copied().unwrap_or(0)
}

#[test]
fn reading_up_to_an_own_message_without_a_place_does_not_read_the_future() {
    let mut world = online(Backend::full(), 1);
    world.post("r", "bo", "zero");
    world.pass(100);
    world.backend.fates.push_back(Fate::AnswerBare);
    let key = world.saved(0, "r", "one");
    world.until_status(0, &key, Status::Acknowledged);
    world.ask(0, Command::MarkRead { conversation_id: "r".into(), row_key: key });
    world.pass(5000);
    assert_eq!((unread(&world, 0), read_up_to(&world)), (Some(0), 1));
    world.post("r", "bo", "two");
    world.pass(5000);
    assert_eq!(unread(&world, 0), Some(1));
    read_last(&mut world, 0);
    world.pass(1000);
    assert_eq!((unread(&world, 0), read_up_to(&world)), (Some(0), 3));
}

#[test]
fn what_another_device_has_read_is_read_here() {
    for backend in [Backend::full(), Backend::plain()] {
        let mut world = online(backend, 2);
        world.post("r", "bo", "one");
        // Without sequence numbers the server's time is the order.
        world.pass(1000);
        world.post("r", "bo", "two");
        world.pass(2000);
        assert_eq!(unread(&world, 1), Some(2));
        let row_key = world.rows(0, 1)[0].row_key.clone();
        world.ask(0, Command::MarkRead { conversation_id: "r".into(), row_key });
        world.pass(5000);
        assert_eq!((unread(&world, 0), unread(&world, 1)), (Some(1), Some(1)));
        read_last(&mut world, 0);
        world.pass(5000);
        assert_eq!((unread(&world, 0), unread(&world, 1)), (Some(0), Some(0)));
    }
}

#[test]
fn what_was_read_offline_before_a_reload_is_told_at_the_next_connection() {
    let mut world = online(Backend::full(), 1);
    world.post("r", "bo", "one");
    world.post("r", "bo", "two");
    world.pass(500);
    world.server_down();
    world.pass(100);
    read_last(&mut world, 0);
    world.pass(200);
    world.restart(0);
    world.backend.down = false;
    world.go_live(0);
    world.pass(1000);
    assert_eq!((unread(&world, 0), read_up_to(&world)), (Some(0), 2));
    let receipts =
        |world: &World| world.backend.heard.iter().filter(|(_, name, _)| name == "chat:message_read").count();
    let told = receipts(&world);
    world.cut(0);
    world.pass(20_000);
    assert_eq!(receipts(&world), told, "once is enough");
}

#[test]
fn what_is_read_in_a_second_tab_is_told_by_the_first() {
    for backend in [Backend::full(), Backend::plain()] {
        let mut world = online(backend, 1);
        let follower = world.join_on("ana", serde_json::json!({}), 0);
        world.pass(100);
        world.open_view(follower, 1, "r");
        world.post("r", "bo", "one");
        world.pass(500);
        assert_eq!(unread(&world, 0), Some(1));
        read_last(&mut world, follower);
        world.pass(1000);
        assert_eq!((unread(&world, 0), unread(&world, follower), read_up_to(&world)), (Some(0), Some(0), 1));
        world.restart(follower);
        world.pass(1000);
        assert_eq!(unread(&world, follower), Some(0));
    }
}

#[test]
fn all_that_was_read_is_told_however_much() {
    for backend in [Backend::full(), Backend::plain()] {
        let mut world = online(backend, 1);
        for n in 0..450 {
            world.now.wall_ms += 1000;
            world.now.mono_ms += 1000;
            let sender = if n % 10 == 0 { "ana" } else { "bo" };
            world.backend.post_silently(world.now.wall_ms, "r", sender, &format!("t{n}"));
            if n % 100 == 99 {
                world.cut(0);
                world.pass(30_000);
            }
        }
        world.restart(0);
        world.open_view(0, 1, "r");
        world.go_live(0);
        world.pass(2000);
        assert_eq!(unread(&world, 0), Some(405));
        read_last(&mut world, 0);
        world.pass(100);
        // A batch at a time; the rest follows, also after a loss.
        world.cut(0);
        world.pass(30_000);
        let unknown = |world: &World| {
            world.backend.rooms["r"]
                .messages
                .iter()
                .filter(|m| m.sender == "bo" && m.status != "read")
                .count()
        };
        assert_eq!((unread(&world, 0), unknown(&world)), (Some(0), 0));
        let receipts = world.backend.heard.iter().filter(|(_, name, _)| name == "chat:message_read").count();
        assert!(receipts <= 405 + 100, "{receipts} receipts");
    }
}

#[test]
fn a_page_that_closes_while_it_is_counted_what_is_unread_has_read_as_far_at_the_next_start() {
    let mut world = online(Backend::full(), 1);
    for n in 0..330 {
        world.post("r", "bo", &format!("b{n}"));
    }
    world.pass(1000);
    world.restart(0);
    world.open_view(0, 1, "r");
    world.go_live(0);
    world.pass(1000);
    // The newest rows are in memory, and those between are not.
    let row_key = world.rows(0, 1).first().unwrap().row_key.clone();
    let find = world.ask(0, Command::JumpTo { view: 1, row_key });
    world.wait(0, find).unwrap();
    let first = "r:".to_owned() + &world.backend.rooms["r"].messages[4].id;
    let jump = world.ask(0, Command::JumpTo { view: 1, row_key: first.clone() });
    world.wait(0, jump).unwrap();
    world.pass(100);
    world.ask(0, Command::MarkRead { conversation_id: "r".into(), row_key: first });
    let close = world.ask(0, Command::Close {});
    world.wait(0, close).unwrap();
    world.restart(0);
    world.open_view(0, 1, "r");
    world.pass(1000);
    let client = world.nodes[0].client.as_ref().unwrap();
    assert_eq!(client.conversation("r").unwrap().unread, 325);
}
