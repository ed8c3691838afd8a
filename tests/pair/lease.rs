//! A leading tab that stops running: frozen with a word, or standing still without one.

use chatwire::proto::{Input, PageInput, TabInput};
use serde_json::json;

use super::backend::{Backend, Fate};
use super::world::World;

/// The longest that a tab which is looked at waits for a leader that stands still (README, "Tabs"), and the connect.
const TAKEOVER_MS: u64 = 8_500;

/// Two connected tabs of one store; the first leads.
fn tabs(backend: Backend) -> (World, usize, usize) {
    let mut world = World::new(backend.room("r", &["ana", "bo"]));
    let first = world.join("ana");
    world.go_live(first);
    let disk = world.nodes[first].disk;
    let second = world.join_on("ana", json!({}), disk);
    world.connect(second);
    world.pass(500);
    assert!(world.nodes[first].leads && !world.nodes[second].leads);
    (world, first, second)
}

#[test]
fn a_page_that_is_frozen_gives_the_lead_back_at_once_and_asks_again_when_it_thaws() {
    let (mut world, first, second) = tabs(Backend::full());
    world.input(first, Input::Page(PageInput::Frozen));
    world.pass(500);
    assert!(world.nodes[second].leads && !world.nodes[first].leads);
    assert_eq!(world.backend.sessions.len(), 1);
    world.saved(second, "r", "while the other one is frozen");
    world.pass(500);
    assert_eq!(world.backend.texts("r").len(), 1);
    world.input(first, Input::Page(PageInput::Resumed));
    world.pass(500);
    assert!(world.nodes[first].waits && world.nodes[second].leads);
    world.kill(second);
    world.pass(500);
    assert!(world.nodes[first].leads);
    assert_eq!(world.backend.sessions.keys().map(|(at, _)| *at).collect::<Vec<_>>(), [first]);
}

#[test]
fn a_frozen_page_that_waits_is_not_given_the_lead() {
    let (mut world, first, second) = tabs(Backend::full());
    world.input(second, Input::Page(PageInput::Frozen));
    world.pass(100);
    assert!(!world.nodes[second].waits);
    world.kill(first);
    world.pass(500);
    assert!(!world.nodes[second].leads);
    world.input(second, Input::Page(PageInput::Visible));
    world.pass(500);
    assert!(world.nodes[second].leads);
}

#[test]
fn a_leader_that_stands_still_is_replaced_within_the_stated_time() {
    let (mut world, first, second) = tabs(Backend::full());
    world.pass_pinged(60_000);
    assert!(world.nodes[first].leads, "one that answers is left alone");
    world.stand_still(first, true);
    let before = world.now.mono_ms;
    world.until_within(TAKEOVER_MS, "the other tab is live", |world| {
        world.nodes[second].leads && world.backend.sessions.keys().any(|(at, _)| *at == second)
    });
    assert!(world.now.mono_ms - before >= 4_000, "two questions were asked");
    world.saved(second, "r", "sent by the new leader");
    world.pass(500);
    assert_eq!(world.backend.texts("r").len(), 1);
    world.stand_still(first, false);
    world.pass(500);
    assert_eq!(world.nodes.iter().filter(|node| node.leads).count(), 1);
    assert_eq!(world.backend.sessions.len(), 1, "the old leader's socket is closed");
}

#[test]
fn a_leader_that_was_robbed_while_it_stood_still_sends_nothing_on_its_old_socket() {
    // Without keys the server would store it twice.
    let (mut world, first, second) = tabs(Backend::plain());
    let disk = world.nodes[first].disk;
    world.disks[disk].delay_ms = 50;
    world.send(first, "r", "hello");
    // It is in the store, marked, and the page stands still before it hears so.
    world.pass(49);
    world.stand_still(first, true);
    world.disks[disk].delay_ms = 0;
    world.backend.fates.push_back(Fate::Answer);
    world.until_within(TAKEOVER_MS, "the other tab leads", |world| world.nodes[second].leads);
    world.pass(1_000);
    world.stand_still(first, false);
    world.pass(1_000);
    let sent = world.backend.texts("r");
    assert!(sent.len() <= 1, "{sent:?}");
    let id = world.outbox(second);
    let unconfirmed = id.iter().filter(|row| row.failure.is_some()).count();
    assert_eq!(sent.len() + unconfirmed, 1, "sent once, or not known to be sent");
}

#[test]
fn a_hidden_leader_hands_over_to_a_tab_that_is_looked_at() {
    let (mut world, first, second) = tabs(Backend::full());
    world.input(first, Input::Page(PageInput::Hidden));
    world.pass_pinged(20_000);
    assert!(world.nodes[first].leads, "not at each switch of tabs");
    world.pass_pinged(20_000);
    assert!(world.nodes[second].leads);
    assert_eq!(world.backend.sessions.len(), 1);
    world.pass_pinged(60_000);
    assert!(world.nodes[second].leads);
}

#[test]
fn a_tab_that_stood_still_itself_does_not_take_silence_for_an_answer() {
    let (mut world, first, second) = tabs(Backend::full());
    for at in [first, second] {
        world.stand_still(at, true);
    }
    world.pass(3_600_000);
    // The one that asks wakes up first.
    world.stand_still(second, false);
    world.pass(100);
    world.stand_still(first, false);
    world.pass_pinged(10_000);
    assert!(world.nodes[first].leads);
}

#[test]
fn a_word_of_another_tab_that_means_nothing_changes_nothing() {
    let (mut world, first, second) = tabs(Backend::full());
    for at in [first, second] {
        for input in [TabInput::Alive, TabInput::Asked { visible: false }, TabInput::Yielded] {
            world.input(at, Input::Tab(input));
        }
    }
    world.pass(100);
    // Only a tab that follows and is looked at may take a lead that is offered.
    assert!(world.nodes[second].leads);
    assert_eq!(world.nodes.iter().filter(|node| node.leads).count(), 1);
}
