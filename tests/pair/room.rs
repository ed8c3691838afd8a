//! Where room is short the oldest history goes, and nothing else.

use std::collections::BTreeSet;

use chatwire::proto::store::{HistoryHead, decode_head, head_key, index_prefix, segment_key, segment_prefix};
use chatwire::proto::{Command, Event, Key, Read, RecordId, Status, StoreReply, StoreRequest, Table};
use serde_json::json;

use super::acts::message;
use super::backend::Backend;
use super::checks::outbox_rows;
use super::world::World;

/// Ana with so many messages in two conversations, of which no window is open.
fn filled(counts: [usize; 2], options: serde_json::Value) -> (World, usize) {
    filled_by(Backend::full(), counts, options)
}

fn filled_by(backend: Backend, counts: [usize; 2], options: serde_json::Value) -> (World, usize) {
    let mut world = World::new(backend.room("r", &["ana", "bo"]).room("s", &["ana", "bo"]));
    let ana = world.join_with("ana", options);
    world.go_live(ana);
    // A first contact would bring the newest page alone.
    world.cut(ana);
    for (room, count) in ["r", "s"].into_iter().zip(counts) {
        for n in 0..count {
            world.backend.post_silently(world.now.wall_ms, room, "bo", &format!("{room}{n}"));
        }
    }
    let all: usize = counts.iter().sum();
    world.until("caught up", |world| told(world, ana) == all);
    world.pass(1000);
    (world, ana)
}

fn told(world: &World, at: usize) -> usize {
    world.count(at, |event| matches!(event, Event::Message { .. }))
}

fn degraded(world: &World, at: usize) -> usize {
    world.count(at, |event| matches!(event, Event::StorageDegraded { .. }))
}

fn head(world: &World, room: &str) -> HistoryHead {
    let bytes = world.disks[0].records.get(&RecordId::history(head_key(room))).unwrap();
    decode_head(bytes).unwrap().1
}

fn keys(world: &mut World, prefix: String) -> BTreeSet<String> {
    let read = Read::Prefix { table: Table::History, prefix };
    let StoreReply::Records(lists) = world.disks[0].records.execute(&StoreRequest::Read(vec![read])) else {
        panic!("it can be read")
    };
    let text = |key: &Key| match key {
        Key::Text(text) => text.clone(),
        Key::Number(_) => panic!("the history has text keys"),
    };
    lists[0].iter().map(|record| text(&record.key)).collect()
}

/// The store has the segments that the head lists, and no others; every page of the index has a segment.
fn assert_consistent(world: &mut World, room: &str) {
    let head = head(world, room);
    let listed: BTreeSet<String> = head.segments.iter().map(|info| segment_key(room, info.number)).collect();
    assert_eq!(keys(world, segment_prefix(room)), listed, "{room}");
    let pages = keys(world, index_prefix(room)).len();
    let needed: BTreeSet<u32> = head.segments.iter().map(|info| info.number / 32).collect();
    assert!(pages <= needed.len(), "{room}: {pages} pages");
}

fn fill(world: &mut World) {
    world.disks[0].limit_bytes = Some(world.disks[0].records.used_bytes());
}

#[test]
fn a_full_disk_makes_room_and_what_was_refused_is_written_at_once() {
    let (mut world, ana) = filled([1250, 650], json!({}));
    fill(&mut world);
    let key = world.saved(ana, "r", "mine");
    assert_eq!(degraded(&world, ana), 0, "nobody needs to know");
    world.until_status(ana, &key, Status::Acknowledged);
    world.pass(1000);
    let (r, s) = (head(&world, "r"), head(&world, "s"));
    assert!(r.segments.len() < 13 || s.segments.len() < 7, "{} and {}", r.segments.len(), s.segments.len());
    for (room, head) in [("r", &r), ("s", &s)] {
        assert!(head.segments.len() >= 3);
        assert_eq!(head.segments[0].first.seq, head.known_from + 1, "{room}");
        assert!(head.older.is_empty() && head.cursor.is_some(), "{room}: no hole");
        assert_consistent(&mut world, room);
    }
    let before = told(&world, ana);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    world.pass(1000);
    let all = world.backend.texts("r");
    assert_eq!(world.texts(ana, 1), all[all.len() - 50..]);
    assert_eq!((told(&world, ana), before), (0, 1900), "what is gone is not told again");
    assert_eq!(world.count(ana, |event| matches!(event, Event::Error { .. })), 0);
}

#[test]
fn what_was_given_up_is_fetched_again_for_a_window_and_is_nothing_new() {
    let (mut world, ana) = filled([1250, 650], json!({}));
    fill(&mut world);
    world.saved(ana, "r", "mine");
    world.pass(1000);
    world.disks[0].limit_bytes = None;
    let gone = head(&world, "s").known_from;
    assert!(gone > 0);
    world.restart(ana);
    world.go_live(ana);
    world.pass(1000);
    assert_eq!(head(&world, "s").known_from, gone, "no catch-up fills it");
    let unread = head(&world, "s").unread;
    world.open_view(ana, 1, "s");
    world.ask(ana, Command::LoadEarlier { view: 1, count: 900 });
    world.pass(5000);
    assert_eq!(world.texts(ana, 1), world.backend.texts("s"));
    let after = head(&world, "s");
    assert_eq!((after.known_from, after.older.len(), after.unread), (0, 0, unread));
    assert_eq!(told(&world, ana), 0, "it was told when it came");
    assert_eq!(world.count(ana, |event| matches!(event, Event::Error { .. } | Event::Gap { .. })), 0);
    assert_consistent(&mut world, "s");
}

#[test]
fn room_is_made_again_and_again_until_only_the_newest_parts_are_left() {
    let (mut world, ana) = filled([1250, 450], json!({}));
    world.nodes[ana].checks.memory_only = true;
    fill(&mut world);
    let mut durable = 0;
    for n in 0..60 {
        let id = world.ask(ana, Command::Send(message("s", &"x".repeat(900 + n))));
        world.wait(ana, id).unwrap();
        durable += usize::from(world.message(ana, id).durable);
        world.pass(200);
    }
    assert!((10..60).contains(&durable), "{durable}");
    assert!(degraded(&world, ana) > 0, "in the end there is nothing left to give");
    for room in ["r", "s"] {
        assert!(head(&world, room).segments.len() >= 3, "{room}");
    }
    // Whatever was taken is with the server, once.
    world.disks[0].limit_bytes = None;
    world.pass(10_000);
    let sent = world.backend.texts("s").into_iter().filter(|text| text.starts_with('x')).count();
    assert_eq!((sent, outbox_rows(&mut world.disks[0].records).len()), (60, 0));
    for room in ["r", "s"] {
        assert_consistent(&mut world, room);
    }
}

#[test]
fn what_is_queued_stays_while_room_is_made() {
    let (mut world, ana) = filled([1250, 650], json!({}));
    world.server_down();
    world.pass(100);
    let mut keys = Vec::new();
    for n in 0..5 {
        keys.push(world.saved(ana, "r", &format!("before {n}")));
    }
    fill(&mut world);
    for n in 0..5 {
        keys.push(world.saved(ana, "r", &format!("after {n}")));
    }
    assert_eq!(degraded(&world, ana), 0);
    let stored: Vec<String> =
        outbox_rows(&mut world.disks[0].records).into_iter().map(|(key, _)| key).collect();
    assert_eq!(stored, keys);
    world.restart(ana);
    world.pass(100);
    assert_eq!(world.outbox(ana).len(), 10);
}

#[test]
fn the_conversation_of_a_window_is_spared_and_the_one_used_longest_ago_goes_first() {
    let (mut world, ana) = filled([1250, 1250], json!({}));
    world.open_view(ana, 1, "r");
    world.pass(100);
    fill(&mut world);
    world.post("r", "bo", "live");
    world.pass(1000);
    assert_eq!((head(&world, "r").segments.len(), head(&world, "s").segments.len()), (13, 5));
    world.disks[0].limit_bytes = None;
    // Both are free to go now, and `s` was spoken in last.
    world.ask(ana, Command::CloseTimeline { view: 1 });
    world.restart(ana);
    world.go_live(ana);
    world.post("s", "bo", "new");
    world.pass(1000);
    let before = head(&world, "s").segments.len();
    fill(&mut world);
    world.post("s", "bo", "more");
    world.pass(1000);
    assert_eq!(head(&world, "r").segments.len(), 5);
    assert_eq!(head(&world, "s").segments.len(), before);
}

/// Comes back to a store of which 90 % are used, and sends; its limit.
fn come_back_to_little_room(world: &mut World, ana: usize) -> usize {
    let limit = world.disks[0].records.used_bytes() * 10 / 9;
    world.kill(ana);
    world.disks[0].records.set_limit(Some(limit));
    world.start(ana);
    world.go_live(ana);
    world.saved(ana, "r", "mine");
    world.pass(1000);
    limit
}

#[test]
fn a_store_that_is_nearly_full_gives_up_a_part_before_it_is() {
    let (mut world, ana) = filled([2050, 450], json!({}));
    let limit = come_back_to_little_room(&mut world, ana);
    assert_eq!(degraded(&world, ana), 0);
    let (r, s) = (head(&world, "r"), head(&world, "s"));
    let left = r.segments.len() + s.segments.len();
    assert!((18..26).contains(&left), "a part, not all: {left}");
    assert!(r.known_from > 0 || s.known_from > 0);
    for room in ["r", "s"] {
        assert_consistent(&mut world, room);
    }
    let report: serde_json::Value =
        serde_json::from_str(&world.nodes[ana].client.as_ref().unwrap().diagnostics()).unwrap();
    assert_eq!(report["storage"]["quota"], limit);
    assert_eq!(report["storage"]["persisted"], false);
}

#[test]
fn what_could_not_be_fetched_again_goes_only_where_the_store_refuses() {
    let mut backend = Backend::full();
    backend.hello = None;
    let (mut world, ana) = filled_by(backend, [900, 900], json!({}));
    come_back_to_little_room(&mut world, ana);
    for room in ["r", "s"] {
        let head = head(&world, room);
        assert_eq!((head.segments[0].first.seq, head.cursor), (1, None), "{room}");
    }
    fill(&mut world);
    world.saved(ana, "r", "more");
    world.pass(1000);
    assert_eq!(degraded(&world, ana), 0);
    let kept = head(&world, "r").segments.len() + head(&world, "s").segments.len();
    assert!((6..19).contains(&kept), "{kept}");
    for room in ["r", "s"] {
        assert_consistent(&mut world, room);
    }
    // A catch-up that comes by what is gone tells nothing twice.
    let before = told(&world, ana);
    world.cut(ana);
    world.post("r", "bo", "missed");
    world.pass(10_000);
    assert_eq!(told(&world, ana), before + 1);
}

#[test]
fn below_the_share_that_is_allowed_nothing_goes() {
    let (mut world, ana) = filled([1250, 450], json!({"limits": {"maxStoragePercent": 95}}));
    come_back_to_little_room(&mut world, ana);
    assert_eq!(head(&world, "r").segments.len(), 13);
}

#[test]
fn whoever_follows_hears_of_what_has_gone() {
    let (mut world, leader) = filled([1250, 650], json!({}));
    let follower = world.join_on("ana", json!({}), 0);
    world.connect(follower);
    world.pass(1000);
    fill(&mut world);
    let key = world.saved(leader, "r", "mine");
    world.until_status(leader, &key, Status::Acknowledged);
    world.pass(1000);
    world.disks[0].limit_bytes = None;
    let known_from = head(&world, "s").known_from as usize;
    assert!(known_from > 0, "the one spoken in longest ago");
    world.open_view(follower, 1, "s");
    world.ask(follower, Command::LoadEarlier { view: 1, count: 600 - known_from as u32 });
    world.pass(1000);
    assert_eq!(world.texts(follower, 1), world.backend.texts("s")[known_from..]);
    assert_eq!(head(&world, "s").known_from as usize, known_from, "nobody wants more");
    // Its window wants more, and the leader fetches it.
    world.ask(follower, Command::LoadEarlier { view: 1, count: 900 });
    world.pass(5000);
    assert_eq!(world.texts(follower, 1), world.backend.texts("s"));
    assert_eq!(head(&world, "s").known_from, 0);
    assert_eq!(world.count(follower, |event| matches!(event, Event::Error { .. })), 0);
    // It takes over from there.
    world.kill(leader);
    world.go_live(follower);
    world.post("s", "bo", "new");
    world.pass(1000);
    assert_eq!(world.texts(follower, 1).last().map(String::as_str), Some("new"));
    for room in ["r", "s"] {
        assert_consistent(&mut world, room);
    }
}
