//! Pages by offset (T10): such as do not meet, since rows were deleted while they were read, and what comes before all that
//! is here.

use chatwire::proto::{Command, Event};

use super::backend::Backend;
use super::world::World;

/// Somebody who knew all of `r` comes back to 180 more. How many requests were made before.
fn returns(world: &mut World, ana: usize) -> usize {
    world.go_live(ana);
    world.post("r", "bo", "known");
    world.pass(1000);
    world.cut(ana);
    world.pass(5);
    for n in 0..180 {
        world.pass(1);
        world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("b{n}"));
    }
    world.backend.requests.len()
}

#[test]
fn pages_that_do_not_meet_are_read_anew() {
    let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    let before = returns(&mut world, ana);
    let pages = move |world: &World| -> Vec<String> {
        let since = world.backend.requests.iter().skip(before);
        since.filter(|request| request.starts_with("GET /messages/r")).cloned().collect()
    };
    world.until("the first page", |world| !pages(world).is_empty());
    let messages = &mut world.backend.rooms.get_mut("r").expect("the room").messages;
    let kept = messages.len() - 6;
    messages.truncate(kept);
    world.pass(5000);
    let asked = pages(&world);
    assert!(asked.iter().filter(|page| page.ends_with("offset=0")).count() >= 2, "{asked:?}");
    for _ in 0..4 {
        world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
        world.pass(100);
    }
    let shown = world.texts(ana, 1);
    let missing: Vec<String> =
        world.backend.texts("r").into_iter().filter(|text| !shown.contains(text)).collect();
    assert_eq!(missing, [] as [String; 0]);
}

#[test]
fn a_server_whose_pages_never_meet_is_not_asked_for_ever() {
    let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    let before = returns(&mut world, ana);
    for _ in 0..10 {
        let asked = world.backend.requests.len();
        world.until("the next page", |world| world.backend.requests.len() > asked);
        let messages = &mut world.backend.rooms.get_mut("r").expect("the room").messages;
        let kept = messages.len() - 6;
        messages.truncate(kept);
    }
    world.pass(20_000);
    let asked = world.backend.requests.len() - before;
    assert!(asked < 40, "{asked} requests");
    let told = world.count(ana, |event| matches!(event, Event::Gap { .. }));
    assert_eq!(told, 1, "what was passed over is not looked for any more, and that is said");
}

/// Scrolls to the beginning. How many requests that took.
fn scroll_up(world: &mut World, ana: usize) -> usize {
    let before = world.backend.requests.len();
    for _ in 0..200 {
        if !world.nodes[ana].checks.has_earlier(1) {
            break;
        }
        world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
        world.pass(500);
    }
    assert!(!world.nodes[ana].checks.has_earlier(1), "there is always more");
    world.backend.requests.len() - before
}

#[test]
fn a_new_device_asks_for_the_newest_page_and_windows_for_what_comes_before_it() {
    for bare in [false, true] {
        let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
        world.backend.bare = bare;
        for n in 0..1500 {
            world.backend.post_silently(world.now.wall_ms - 5000 + n, "r", "bo", &format!("b{n}"));
        }
        let ana = world.join("ana");
        world.open_view(ana, 1, "r");
        world.go_live(ana);
        world.pass(1000);
        let asked = world.backend.requests.iter().filter(|request| request.contains("/messages/r")).count();
        assert_eq!((asked, world.texts(ana, 1).len()), (1, 50));
        let told = world.count(ana, |event| matches!(event, Event::Message { .. }));
        // Somebody writes meanwhile: that shifts what comes before.
        world.post("r", "bo", "meanwhile");
        world.pass(100);
        let asked = scroll_up(&mut world, ana);
        assert!(world.texts(ana, 1) == world.backend.texts("r"), "{} rows", world.texts(ana, 1).len());
        assert!(asked < 1500 / 49 + 3, "{asked} requests");
        let news = world.count(ana, |event| matches!(event, Event::Message { .. })) - told;
        assert_eq!(news, 1, "what comes before is no news");
        assert_eq!(world.count(ana, |event| matches!(event, Event::Gap { .. })), 0);
    }
}

#[test]
fn what_was_missed_and_given_up_comes_where_somebody_scrolls_through_it() {
    let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
    for n in 0..50 {
        world.backend.post_silently(world.now.wall_ms + n, "r", "bo", &format!("a{n}"));
    }
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    scroll_up(&mut world, ana);
    world.cut(ana);
    for n in 0..1300 {
        world.backend.post_silently(world.now.wall_ms + 1000 + n, "r", "bo", &format!("b{n}"));
    }
    world.until("all that is looked through", |world| {
        world.count(ana, |event| matches!(event, Event::Gap { .. })) == 1
    });
    world.pass(1000);
    let asked = scroll_up(&mut world, ana);
    assert!(asked < 60, "{asked} requests for 320 rows");
    assert!(world.texts(ana, 1) == world.backend.texts("r"), "{} rows", world.texts(ana, 1).len());
}

#[test]
fn a_server_that_has_lost_its_history_is_asked_for_all_of_its_new_one() {
    let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
    for n in 0..500 {
        world.backend.post_silently(1, "r", "bo", &format!("old{n}"));
    }
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    scroll_up(&mut world, ana);
    world.cut(ana);
    world.backend.rooms.get_mut("r").expect("the room").messages.clear();
    for n in 0..1200 {
        world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("new{n}"));
    }
    world.pass(10_000);
    scroll_up(&mut world, ana);
    let shown = world.texts(ana, 1);
    let missing = world.backend.texts("r").into_iter().filter(|text| !shown.contains(text)).count();
    assert_eq!(missing, 0);
}

/// Three rows of each second, as of a server that tells whole seconds.
fn in_threes(world: &mut World, rows: usize, tell: bool) {
    for n in 0..rows {
        if n % 3 == 0 {
            world.pass(if tell { 100 } else { 1000 });
        }
        if tell {
            world.post("r", "bo", &format!("b{n}"));
        } else {
            world.backend.post_silently(world.now.wall_ms, "r", "bo", &format!("b{n}"));
        }
    }
}

#[test]
fn d13_rows_of_the_same_time_stand_as_pages_have_them() {
    // Of a new device.
    let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
    in_threes(&mut world, 200, false);
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    for _ in 0..5 {
        let id = world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
        world.wait(ana, id).unwrap();
    }
    assert_eq!(world.texts(ana, 1), world.backend.texts("r"));
    // Of somebody who was away, and knows the first rows of a second of which more have come.
    let mut world = World::new(Backend::plain().room("r", &["ana", "bo"]));
    let ana = world.join("ana");
    world.open_view(ana, 1, "r");
    world.go_live(ana);
    in_threes(&mut world, 5, true);
    world.pass(50);
    world.server_down();
    in_threes(&mut world, 160, false);
    let (known, missed) = (world.backend.rooms["r"].messages[4].at_ms, 5..8);
    for message in &mut world.backend.rooms.get_mut("r").unwrap().messages[missed] {
        message.at_ms = known;
    }
    world.backend.down = false;
    world.pass(60_000);
    for _ in 0..3 {
        let id = world.ask(ana, Command::LoadEarlier { view: 1, count: 50 });
        world.wait(ana, id).unwrap();
    }
    assert_eq!(world.texts(ana, 1), world.backend.texts("r"));
}
