//! More comes than the store takes: what waits is bounded, and in the end all of it is there, once.

use std::collections::BTreeSet;

use chatwire::proto::store::{decode_segment, segment_key, segment_prefix};
use chatwire::proto::{Event, Key, Read, StoreReply, StoreRequest, Table};
use serde_json::json;

use super::backend::Backend;
use super::hearing::messages;
use super::node::WriteFault;
use super::world::World;

/// What the core takes in before the store has caught up.
const LIMIT: usize = 4096;

fn unsaved(world: &World, at: usize) -> usize {
    let figures = world.nodes[at].client.as_ref().unwrap().diagnostics();
    let figures: serde_json::Value = serde_json::from_str(&figures).unwrap();
    figures["unsaved"].as_u64().unwrap() as usize
}

fn people(world: &World, at: usize) -> Vec<String> {
    let told = world.nodes[at].events.iter().filter_map(|event| match event {
        Event::Presence { user_id, online, .. } => Some(format!("{user_id} {online}")),
        Event::Typing { user_id, typing, .. } => Some(format!("{user_id} types {typing}")),
        _ => None,
    });
    told.collect()
}

/// `count` messages while the store takes ten seconds a write.
fn flood(world: &mut World, ana: usize, count: usize) {
    world.disks[0].delay_ms = 10_000;
    for n in 0..count {
        world.post("r", "bo", &format!("f{n}"));
    }
    world.pass(100);
    assert!(unsaved(world, ana) <= LIMIT, "{} wait", unsaved(world, ana));
}

fn all_is_there(world: &mut World, ana: usize, count: usize) {
    let told = messages(world, ana);
    let different: BTreeSet<&String> = told.iter().collect();
    assert_eq!((told.len(), different.len()), (count, count), "each once");
    assert_eq!(stored(world), world.backend.texts("r"));
}

/// The texts of the history in the store, oldest first.
fn stored(world: &mut World) -> Vec<String> {
    let read = Read::Prefix { table: Table::History, prefix: segment_prefix("r") };
    let StoreReply::Records(lists) = world.disks[0].records.execute(&StoreRequest::Read(vec![read])) else {
        panic!("no records")
    };
    let mut rows = Vec::new();
    for record in &lists[0] {
        let number = (0..1000).find(|number| Key::Text(segment_key("r", *number)) == record.key).unwrap();
        rows.extend(decode_segment(&record.bytes, "r", number).unwrap().1);
    }
    rows.sort_by_key(|row| row.seq);
    rows.into_iter().map(|row| row.text).collect()
}

#[test]
fn a_flood_pauses_the_live_stream_and_what_was_not_taken_in_is_pulled() {
    let (mut world, ana) = World::one();
    world.post("r", "bo", "before");
    world.pass(1000);
    let asked = world.backend.requests.len();
    flood(&mut world, ana, LIMIT + 2000);
    assert_eq!(world.backend.requests.len(), asked, "no page is asked for before the store has caught up");
    world.disks[0].delay_ms = 1;
    world.pass(60_000);
    assert_eq!(unsaved(&world, ana), 0);
    all_is_there(&mut world, ana, LIMIT + 2001);
}

#[test]
fn typing_and_presence_are_shed_first_and_the_last_word_of_each_user_is_told_afterwards() {
    let (mut world, ana) = World::one();
    flood(&mut world, ana, LIMIT / 2 + 10);
    world.nodes[ana].events.clear();
    let (typing, presence) = ("chat:user_typing", "user:status_changed");
    for online in [true, false, true] {
        let said = world.backend.tell("ana", presence, &json!({"userId": "bo", "status": if online { "online" } else { "offline" }, "timestamp": "2026-01-01T00:00:00Z"}));
        world.say(said);
    }
    let said = world.backend.tell(
        "ana",
        typing,
        &json!({"userId": "bo", "username": "bo", "isTyping": true, "conversationId": "r"}),
    );
    world.say(said);
    world.pass(100);
    assert_eq!(people(&world, ana), [] as [String; 0]);
    world.disks[0].delay_ms = 1;
    world.pass(30_000);
    assert_eq!(people(&world, ana), ["bo true"]);
}

#[test]
fn messages_that_are_known_already_are_no_flood() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    for n in 0..60 {
        world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("b{n}"));
    }
    let ana = world.join("ana");
    world.go_live(ana);
    world.pass(1000);
    let writes = world.disks[0].writes;
    let record = world.backend.record("r", &world.backend.rooms["r"].messages[59], "ana");
    for _ in 0..LIMIT + 100 {
        let said = world.backend.tell("ana", "chat:message_received", &record);
        world.say(said);
    }
    world.pass(5000);
    assert_eq!((unsaved(&world, ana), world.disks[0].writes), (0, writes));
    world.post("r", "bo", "new");
    world.pass(1000);
    assert_eq!(messages(&world, ana).last().map(String::as_str), Some("new"));
}

#[test]
fn a_flood_into_a_store_of_which_nobody_knows_is_shown_all_the_same() {
    let (mut world, ana) = World::one();
    world.disks[0].faults.push_back(WriteFault::UnknownLost);
    world.disks[0].unreadable = true;
    flood(&mut world, ana, LIMIT + 100);
    world.disks[0].delay_ms = 1;
    world.pass(20_000);
    world.post("r", "bo", "live");
    world.pass(1000);
    assert_eq!(messages(&world, ana).last().map(String::as_str), Some("live"));
    world.disks[0].unreadable = false;
    world.pass(60_000);
    all_is_there(&mut world, ana, LIMIT + 101);
}
