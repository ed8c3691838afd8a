//! Changes cross between tabs, and the store is read only where one is missing.

use chatwire::proto::{Command, Event, Input, PageInput, TabInput};
use serde_json::json;

use super::backend::Backend;
use super::world::World;

fn agree(world: &World, tabs: &[usize], room: &str) {
    for at in tabs {
        assert_eq!(world.texts(*at, 1), world.backend.texts(room), "tab {at}");
    }
    let unread = |at: usize| {
        world.nodes[at].events.iter().rev().find_map(|event| match event {
            Event::Conversation { conversation } if conversation.id == room => Some(conversation.unread),
            _ => None,
        })
    };
    for at in tabs {
        assert_eq!(unread(*at), unread(tabs[0]), "unread in tab {at}");
    }
}

/// Rows that the windows of a tab were given.
fn rows_told(world: &World, at: usize) -> usize {
    let events = world.nodes[at].events.iter();
    let rows = events.map(|event| match event {
        Event::View(update) => update.rows.len(),
        _ => 0,
    });
    rows.sum()
}

#[test]
fn what_changes_is_read_by_nobody() {
    let (mut world, leader, follower) = World::two(Backend::full());
    // The first changes join on to what was read before the leader was met.
    world.post("r", "bo", "first");
    world.pass(500);
    let (reads, rows) = (world.disks[0].reads, rows_told(&world, follower));
    for n in 0..20 {
        world.post("r", "bo", &format!("b{n}"));
        world.saved(if n % 2 == 0 { follower } else { leader }, "r", &format!("own{n}"));
        world.pass(200);
    }
    assert_eq!(world.disks[0].reads, reads, "nothing is read");
    agree(&world, &[leader, follower], "r");
    let told = rows_told(&world, follower) - rows;
    assert!(told <= 20 * 6, "only what has changed is shown anew: {told}");
    let row_key = world.rows(follower, 1).last().unwrap().row_key.clone();
    world.ask(follower, Command::MarkRead { conversation_id: "r".into(), row_key });
    world.pass(500);
    agree(&world, &[leader, follower], "r");
}

#[test]
fn a_lost_post_is_missed_and_read() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.post("r", "bo", "one");
    world.pass(500);
    world.loses_pokes = true;
    world.post("r", "bo", "two");
    world.pass(500);
    world.loses_pokes = false;
    assert_eq!(world.texts(follower, 1), ["one"]);
    world.post("r", "bo", "three");
    world.pass(500);
    agree(&world, &[leader, follower], "r");
}

#[test]
fn a_post_that_comes_while_the_store_is_read_follows_it() {
    for delay_ms in [0, 3, 20, 60] {
        let (mut world, leader, follower) = World::two(Backend::full());
        world.disks[0].delay_ms = delay_ms;
        for n in 0..20 {
            world.input(follower, Input::Tab(TabInput::Poked));
            world.post("r", "bo", &format!("b{n}"));
            world.send(follower, "r", &format!("own{n}"));
            world.pass(17);
        }
        world.pass(5000);
        agree(&world, &[leader, follower], "r");
    }
}

#[test]
fn a_thawed_tab_reads_the_store_and_shows_nothing_older() {
    let (mut world, leader, follower) = World::two(Backend::full());
    world.input(follower, Input::Page(PageInput::Frozen));
    world.stand_still(follower, true);
    for n in 0..100 {
        world.post("r", "bo", &format!("b{n}"));
        world.pass(20);
    }
    world.stand_still(follower, false);
    world.input(follower, Input::Page(PageInput::Resumed));
    world.pass(2000);
    world.ask(follower, Command::LoadEarlier { view: 1, count: 100 });
    world.ask(leader, Command::LoadEarlier { view: 1, count: 100 });
    world.pass(500);
    agree(&world, &[leader, follower], "r");
}

#[test]
fn three_tabs_agree_over_a_change_of_the_lead() {
    let (mut world, leader, second) = World::two(Backend::full());
    let third = world.join_on("ana", json!({}), 0);
    world.pass(100);
    world.open_view(third, 1, "r");
    world.connect(third);
    for n in 0..120 {
        world.post("r", "bo", &format!("b{n}"));
        if n % 10 == 0 {
            world.saved(third, "r", &format!("own{n}"));
        }
        world.pass(15);
    }
    world.kill(leader);
    world.pass(5000);
    for n in 0..10 {
        world.post("r", "bo", &format!("c{n}"));
        world.pass(50);
    }
    world.pass(2000);
    for at in [second, third] {
        world.ask(at, Command::LoadEarlier { view: 1, count: 200 });
    }
    world.pass(1000);
    agree(&world, &[second, third], "r");
}
