//! Coming back: what has become of own messages meanwhile, and a disk that has filled up.

use chatwire::proto::{Command, Event, Status, StoreFailure};

use super::backend::Backend;
use super::world::World;

#[test]
fn ticks_of_the_time_away_are_seen_after_a_reconnect() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.go_live(ana);
    let key = world.saved(ana, "r", "one");
    world.until_status(ana, &key, Status::Acknowledged);
    world.pass(3000);
    world.cut(ana);
    world.pass(5);
    world.backend.rooms.get_mut("r").expect("the room").messages[0].status = "read";
    world.pass(60_000);
    world.open_view(ana, 1, "r");
    world.pass(100);
    assert_eq!(world.status(ana, &key), Some(Status::Read));
}

#[test]
fn a_full_disk_at_the_start_is_told_and_does_not_keep_a_tab_from_leading() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.nodes[ana].checks.memory_only = true;
    world.disks[0].broken = Some(StoreFailure::Quota);
    world.go_live(ana);
    assert!(world.count(ana, |event| matches!(event, Event::StorageDegraded { .. })) >= 1);
    let key = world.saved(ana, "r", "one");
    world.until_status(ana, &key, Status::Sent);
    world.disks[0].broken = None;
    world.pass(10_000);
    world.until_status(ana, &key, Status::Acknowledged);
    assert_eq!(world.backend.texts("r"), ["one"]);
    world.restart(ana);
    world.open_view(ana, 1, "r");
    world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
    world.pass(100);
    assert_eq!(world.texts(ana, 1), ["one"], "it is in the store once the disk takes writes");
}

#[test]
fn unread_conversations_by_the_hundred_are_looked_at_a_few_at_a_time_after_a_reconnect() {
    const ROOMS: usize = 120;
    let rooms: Vec<String> = (0..ROOMS).map(|n| format!("r{n}")).collect();
    let backend = rooms.iter().fold(Backend::full(), |backend, room| backend.room(room, &["ana", "bo"]));
    let mut world = World::new(backend);
    let ana = world.join("ana");
    world.go_live(ana);
    for room in &rooms {
        let key = world.saved(ana, room, "nobody has read it");
        world.until_status(ana, &key, Status::Acknowledged);
    }
    world.pass(3000);
    world.cut(ana);
    world.pass(5);
    world.backend.requests.clear();
    let (mut most, mut now) = (0, 0);
    while now < 60_000 {
        world.pass(1);
        now += 1;
        most = most.max(requests_under_way(&world, ana));
    }
    let looked = world.backend.requests.iter().filter(|request| request.contains("/messages/")).count();
    assert!(looked >= ROOMS, "{looked} of {ROOMS} conversations were looked at");
    assert!(most <= 8, "{most} requests under way at once");
}

#[test]
fn a_catch_up_that_brings_the_newest_page_looks_at_it_once() {
    let mut world = World::new(Backend::full().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    let key = world.saved(ana, "r", "mine");
    world.until_status(ana, &key, Status::Acknowledged);
    for (missed, wanted) in [(200, 1), (3, 2)] {
        world.cut(ana);
        world.pass(5);
        for n in 0..missed {
            world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("{missed}: {n}"));
        }
        world.backend.requests.clear();
        world.pass(10_000);
        let asked = |request: &&String| request.starts_with("GET /messages/r");
        let pages: Vec<&String> = world.backend.requests.iter().filter(asked).collect();
        // A few missed ones say nothing of the receipts of those before them.
        assert_eq!(pages.len(), wanted, "{missed} missed: {pages:?}");
    }
}

fn requests_under_way(world: &World, at: usize) -> u64 {
    let figures = world.nodes[at].client.as_ref().expect("the client").diagnostics();
    let figures: serde_json::Value = serde_json::from_str(&figures).expect("JSON");
    figures["requests"].as_u64().expect("how many")
}
