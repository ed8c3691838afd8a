//! Others' messages: live, missed, out of order; statuses that find their message; unread counts.

use chatwire::proto::{Command, ErrorCode, Event, Phase, Status};
use serde_json::json;

use super::backend::Backend;
use super::hearing::messages;
use super::world::World;

fn full() -> (World, usize) {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    (world, ana)
}

fn told(world: &World, at: usize) -> usize {
    world.count(at, |event| matches!(event, Event::Message { .. }))
}

fn miss(world: &mut World, room: &str, range: core::ops::Range<usize>) {
    for n in range {
        world.backend.post_silently(world.now.wall_ms, room, "bo", &format!("b{n}"));
    }
}

fn unread(world: &World, at: usize, room: &str) -> Option<u32> {
    world.nodes[at].events.iter().rev().find_map(|event| match event {
        Event::Conversation { conversation } if conversation.id == room => Some(conversation.unread),
        _ => None,
    })
}

#[test]
fn missed_messages_are_caught_up_over_pages_and_told_once() {
    let (mut world, ana) = full();
    world.backend.page_limit = 30;
    world.post("r", "bo", "b0");
    world.pass(100);
    world.server_down();
    miss(&mut world, "r", 1..101);
    world.backend.down = false;
    world.until("online", |world| world.nodes[ana].checks.phase == Some(chatwire::proto::Phase::Syncing));
    world.pass(15);
    // Live during the catch-up: an island that joins on.
    world.post("r", "bo", "b101");
    world.until("all", |world| told(world, ana) == 102);
    world.pass(2000);
    world.ask(ana, Command::LoadEarlier { view: 1, count: 100 });
    world.pass(100);
    assert_eq!(world.texts(ana, 1), world.backend.texts("r"));
    let after: Vec<&String> =
        world.backend.requests.iter().filter(|request| request.contains("after=")).collect();
    assert!(after.iter().any(|request| request.ends_with("after=1")), "from the cursor on: {after:?}");
}

#[test]
fn a_gap_in_the_live_stream_is_pulled() {
    let (mut world, ana) = full();
    world.post("r", "bo", "b0");
    miss(&mut world, "r", 1..4);
    world.post("r", "bo", "b4");
    world.until("all", |world| told(world, ana) == 5);
    assert_eq!(world.texts(ana, 1), ["b0", "b1", "b2", "b3", "b4"]);
}

#[test]
fn the_same_message_twice_is_one_row() {
    let (mut world, ana) = full();
    world.post("r", "bo", "b0");
    world.pass(100);
    let record = world.backend.record("r", &world.backend.rooms["r"].messages[0], "ana");
    for _ in 0..3 {
        let say = world.backend.tell("ana", "chat:message_received", &record);
        world.say(say);
    }
    world.pass(100);
    assert_eq!((told(&world, ana), world.rows(ana, 1).len()), (1, 1));
}

#[test]
fn many_segments_outlive_a_restart_and_load_page_by_page() {
    let (mut world, ana) = full();
    miss(&mut world, "r", 0..450);
    world.cut(ana);
    world.until("all", |world| told(world, ana) == 450);
    world.pass(1000);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.pass(100);
    let all = world.backend.texts("r");
    assert_eq!(world.texts(ana, 1), all[400..], "filled before any network");
    let mut shown = 50;
    while world.nodes[ana].checks.has_earlier(1) {
        let before: Vec<String> = world.rows(ana, 1).into_iter().map(|row| row.row_key).collect();
        world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
        world.pass(50);
        shown += 50;
        assert_eq!(world.texts(ana, 1), all[450 - shown..]);
        let now: Vec<String> = world.rows(ana, 1).into_iter().map(|row| row.row_key).collect();
        assert_eq!(now[50..], before, "rows keep their keys");
    }
    assert_eq!(shown, 450);
}

#[test]
fn statuses_find_their_message_in_memory_on_disk_and_before_it_is_known() {
    let (mut world, ana) = full();
    let key = world.saved(ana, "r", "mine");
    world.until_status(ana, &key, Status::Acknowledged);
    let tell = |world: &mut World, id: &str, status: &str| {
        let told = json!({"messageId": id, "status": status, "userId": "bo"});
        let say = world.backend.tell("ana", "chat:message_status_updated", &told);
        world.say(say);
    };
    tell(&mut world, "m1", "delivered");
    world.until_status(ana, &key, Status::Delivered);
    // In the tail, not loaded.
    world.restart(ana);
    world.go_live(ana);
    tell(&mut world, "m1", "read");
    world.until_status(ana, &key, Status::Read);
    // In a segment that has been sealed: in memory only, then on disk.
    let second = world.saved(ana, "r", "second");
    world.until_status(ana, &second, Status::Acknowledged);
    miss(&mut world, "r", 0..250);
    world.cut(ana);
    world.until("all", |world| told(world, ana) == 250);
    tell(&mut world, "m2", "delivered");
    world.until_status(ana, &second, Status::Delivered);
    world.pass(1000);
    world.restart(ana);
    world.go_live(ana);
    tell(&mut world, "m2", "read");
    world.until_status(ana, &second, Status::Read);
    world.pass(1000);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.ask(ana, Command::LoadEarlier { view: 1, count: 300 });
    world.pass(200);
    let row = world.rows(ana, 1).into_iter().find(|row| row.row_key == second).unwrap();
    assert_eq!((row.status, row.read_by), (Status::Read, vec!["bo".to_owned()]));
    // Before the message itself.
    world.go_live(ana);
    tell(&mut world, "m253", "read");
    world.pass(100);
    world.post("r", "ana", "from another device");
    world.until("shown", |world| world.rows(ana, 1).iter().any(|row| row.id.as_deref() == Some("m253")));
    assert_eq!(world.rows(ana, 1).last().unwrap().status, Status::Read);
}

#[test]
fn receipts_climb_to_read_between_two_clients() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let (ana, bo) = (world.join("ana"), world.join("bo"));
    for node in [ana, bo] {
        world.open_view(node, 1, "r");
        world.go_live(node);
    }
    let key = world.saved(ana, "r", "hello");
    world.until_status(ana, &key, Status::Delivered);
    let row_key = world.rows(bo, 1)[0].row_key.clone();
    assert_eq!(unread(&world, bo, "r"), Some(1));
    world.ask(bo, Command::MarkRead { conversation_id: "r".into(), row_key });
    world.until_status(ana, &key, Status::Read);
    assert_eq!(unread(&world, bo, "r"), Some(0));
    assert_eq!(world.rows(ana, 1)[0].read_by, ["bo"]);
}

#[test]
fn unread_counts_survive_restarts_and_other_devices() {
    let (mut world, ana) = full();
    for n in 0..5 {
        world.post("r", "bo", &format!("b{n}"));
    }
    world.pass(200);
    assert_eq!(unread(&world, ana, "r"), Some(5));
    // Offline: told to the server at the next connection.
    world.ask(ana, Command::Disconnect {});
    let row_key = world.rows(ana, 1)[1].row_key.clone();
    world.ask(ana, Command::MarkRead { conversation_id: "r".into(), row_key });
    assert_eq!(unread(&world, ana, "r"), Some(3));
    world.go_live(ana);
    world.pass(200);
    assert_eq!(world.backend.rooms["r"].read_by["ana"], 2);
    for _ in 0..2 {
        world.restart(ana);
        world.go_live(ana);
        world.pass(500);
        assert_eq!(unread(&world, ana, "r"), Some(3), "nothing but the head is loaded");
    }
    // Another device reads up to the fourth.
    world.backend.rooms.get_mut("r").unwrap().read_by.insert("ana".into(), 4);
    world.restart(ana);
    world.go_live(ana);
    world.pass(500);
    assert_eq!(unread(&world, ana, "r"), Some(1));
}

#[test]
fn read_up_to_a_queued_message_is_everything_above_it() {
    let (mut world, ana) = full();
    world.post("r", "bo", "b0");
    world.pass(100);
    world.ask(ana, Command::Disconnect {});
    let key = world.saved(ana, "r", "queued");
    world.ask(ana, Command::MarkRead { conversation_id: "r".into(), row_key: key });
    assert_eq!(unread(&world, ana, "r"), Some(0));
}

#[test]
fn failed_requests_are_made_again_and_the_list_goes_on_over_pages() {
    let mut backend = Backend::full();
    for n in 0..25 {
        backend = backend.room(&format!("r{n:02}"), &["ana", "bo"]);
    }
    let mut world = World::new(backend);
    world.backend.list_limit = 10;
    for n in 0..25 {
        miss(&mut world, &format!("r{n:02}"), 0..3);
    }
    world.backend.http_faults.extend([500, 0, 429, 500]);
    let ana = world.join("ana");
    world.go_live(ana);
    assert_eq!(told(&world, ana), 75);
    assert_eq!(world.count(ana, |event| matches!(event, Event::ConversationRemoved { .. })), 0);
}

#[test]
fn a_conversation_that_appears_while_the_list_is_read_stays() {
    let mut backend = Backend::full();
    for n in 0..25 {
        backend = backend.room(&format!("r{n:02}"), &["ana", "bo"]);
    }
    let mut world = World::new(backend);
    world.backend.list_limit = 10;
    let ana = world.join("ana");
    world.connect(ana);
    world.until("the first page", |world| world.backend.requests.len() == 1);
    // It sorts before what has been listed already.
    world.backend.rooms.insert(
        "a-new".into(),
        super::backend::Room { members: vec!["ana".into(), "bo".into()], ..Default::default() },
    );
    world.post("a-new", "bo", "hello");
    world.until("live", |world| world.nodes[ana].checks.phase == Some(chatwire::proto::Phase::Live));
    world.pass(1000);
    assert_eq!(world.count(ana, |event| matches!(event, Event::ConversationRemoved { .. })), 0);
    // One that is really gone goes.
    world.backend.rooms.remove("r07");
    world.cut(ana);
    world.pass(10_000);
    assert_eq!(world.count(ana, |event| matches!(event, Event::ConversationRemoved { conversation_id } if conversation_id == "r07")), 1);
}

/// A device that was never connected, with a window on a conversation of so many messages.
pub fn newcomer(messages: usize) -> (World, usize) {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    miss(&mut world, "r", 0..messages);
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    (world, ana)
}

fn errors(world: &World, at: usize) -> Vec<(ErrorCode, String)> {
    let told = world.nodes[at].events.iter().filter_map(|event| match event {
        Event::Error { error } => Some((error.code, error.message.clone())),
        _ => None,
    });
    told.collect()
}

/// No CORS headers, a proxy that answers 500: the socket works, and nothing else would say why nothing is shown.
#[test]
fn a_history_that_gets_no_answer_is_told_once_a_connection() {
    for status in [0, 500] {
        let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
        world.backend.http_faults.extend([status; 60]);
        let ana = world.join("ana");
        world.connect(ana);
        world.pass(1000);
        assert_eq!(errors(&world, ana), [], "it may be a blip");
        world.pass(60_000);
        let told = errors(&world, ana);
        let [(ErrorCode::Server, text)] = told.as_slice() else { panic!("once: {told:?}") };
        let why = if status == 0 { "network" } else { "HTTP 500" };
        assert!(text.starts_with("GET https://chat.test/api/conversations gets no answer"), "{text}");
        assert!(text.contains(why) && text.contains("CORS"), "{text}");
        world.backend.http_faults.clear();
        world.until("live", |world| world.nodes[ana].checks.phase == Some(Phase::Live));
        assert_eq!(errors(&world, ana).len(), 1);
    }
}

#[test]
fn a_window_says_why_the_server_does_not_give_its_history() {
    let (mut world, ana) = newcomer(3);
    // The list is answered, and then the history refused.
    world.connect(ana);
    world.until("the list", |world| world.backend.requests.len() == 1);
    world.backend.http_faults.extend([403; 4]);
    world.until("live", |world| world.nodes[ana].checks.phase == Some(Phase::Live));
    world.pass(100);
    let shown = world.window_error(ana, 1).expect("the window says so");
    assert!(shown.message.starts_with("GET https://chat.test/api/messages/r: HTTP 403"), "{}", shown.message);
    world.backend.http_faults.clear();
    world.cut(ana);
    world.until("all is there", |world| world.texts(ana, 1).len() == 3);
    world.pass(100);
    assert_eq!(world.window_error(ana, 1), None);
}

#[test]
fn a_page_that_has_only_what_comes_behind_its_hole_makes_nothing_of_that_known() {
    let (mut world, ana) = newcomer(100);
    world.go_live(ana);
    world.pass(100);
    // The server loses what a window asks for, and tells nothing of what has come since.
    miss(&mut world, "r", 100..160);
    world.backend.rooms.get_mut("r").unwrap().messages.drain(..100);
    world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
    world.pass(1000);
    world.post("r", "bo", "b160");
    world.pass(1000);
    let texts = world.texts(ana, 1);
    let missing: Vec<String> =
        (100..161).map(|n| format!("b{n}")).filter(|text| !texts.contains(text)).collect();
    assert_eq!(missing, [] as [String; 0]);
}

#[test]
fn the_first_contact_asks_for_the_newest_page_alone_and_windows_for_what_comes_before() {
    let (mut world, ana) = newcomer(500);
    world.go_live(ana);
    world.pass(100);
    let pages = |world: &World| -> Vec<String> {
        let of_room = world.backend.requests.iter().filter(|request| request.starts_with("GET /messages/r"));
        of_room.cloned().collect()
    };
    assert_eq!(pages(&world), ["GET /messages/r?limit=50&offset=0"]);
    assert_eq!(world.texts(ana, 1).len(), 50);
    assert_eq!(told(&world, ana), 50);
    world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
    world.until("earlier ones", |world| world.texts(ana, 1).len() == 100);
    assert_eq!(pages(&world)[1..], ["GET /messages/r?limit=50&after=400"]);
    assert_eq!(told(&world, ana), 50, "what comes from before the first contact is no news");
    // What is missed later is all of it told.
    world.cut(ana);
    miss(&mut world, "r", 500..750);
    world.until("all that was missed", |world| told(world, ana) == 300);
}

#[test]
fn what_was_missed_of_an_open_conversation_is_told_in_its_order() {
    let (mut world, ana) = newcomer(3);
    world.go_live(ana);
    world.pass(100);
    world.cut(ana);
    miss(&mut world, "r", 3..700);
    world.nodes[ana].events.clear();
    world.go_live(ana);
    world.pass(2000);
    let missed: Vec<String> = (3..700).map(|n| format!("b{n}")).collect();
    assert_eq!(messages(&world, ana), missed);
}
