//! Tabs come, connect, disconnect, fail and go in any order: whatever was accepted is sent once, by whoever leads.

use chatwire::proto::{Command, Input, PageInput};
use serde_json::json;

use super::backend::Backend;
use super::checks::outbox_rows;
use super::world::World;

/// A small generator: the same walk for the same seed.
struct Walk(u64);

impl Walk {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn one_step(world: &mut World, walk: &mut Walk, tab: usize, sent: &mut Vec<String>) {
    match walk.below(12) {
        0..=2 => world.connect(tab),
        3 => {
            world.ask(tab, Command::Disconnect {});
        }
        4 => world.restart(tab),
        5 => {
            // At once, as an application does that signs out and in.
            world.ask(tab, Command::Disconnect {});
            world.connect(tab);
        }
        6 => world.cut(tab),
        7 => world.input(tab, Input::Page(PageInput::Visible)),
        8 => world.nodes[tab].token = format!("ana:{}", walk.below(3)),
        _ => {
            let text = format!("t{}", sent.len());
            world.saved(tab, "r", &text);
            sent.push(text);
        }
    }
}

#[test]
fn without_keys_too_nothing_is_sent_twice() {
    for seed in 0..40 {
        let (mut world, sent) = walked(Backend::plain(), seed);
        let mut known = world.backend.texts("r");
        let there = known.len();
        known.sort();
        known.dedup();
        assert_eq!(known.len(), there, "seed {seed}: sent twice");
        // What is not there is kept with its reason.
        let leader = world.nodes.iter().position(|node| node.leads).unwrap();
        known
            .extend(world.outbox(leader).into_iter().filter(|row| row.failure.is_some()).map(|row| row.text));
        known.sort();
        known.dedup();
        assert_eq!(known, sent, "seed {seed}\n{}", world.tail());
    }
}

#[test]
fn tabs_that_come_and_go_lose_nothing_and_send_nothing_twice() {
    for seed in 0..40 {
        let (mut world, sent) = walked(Backend::full(), seed);
        let mut texts = world.backend.texts("r");
        texts.sort();
        assert_eq!(texts, sent, "seed {seed}\n{}", world.tail());
        assert!(outbox_rows(&mut world.disks[0].records).is_empty(), "seed {seed}");
        assert_eq!(world.nodes.iter().filter(|node| node.leads).count(), 1, "seed {seed}");
    }
}

/// Three tabs after a random walk, all connected; and what was accepted on it, sorted.
fn walked(backend: Backend, seed: u64) -> (World, Vec<String>) {
    let mut walk = Walk(seed);
    let mut world = World::new(backend.room("r", &["ana", "bo"]));
    // A token that is refused ends in `failed(auth)`.
    world.backend.refused_tokens.insert("ana:0".to_owned());
    world.loses_pokes = seed.is_multiple_of(3);
    let tabs = [world.join("ana"), world.join_on("ana", json!({}), 0), world.join_on("ana", json!({}), 0)];
    world.disks[0].delay_ms = seed % 4 * 7;
    world.pass(50);
    let mut sent = Vec::new();
    for _ in 0..40 {
        let tab = tabs[walk.below(3) as usize];
        one_step(&mut world, &mut walk, tab, &mut sent);
        world.pass(walk.below(60));
        assert!(world.nodes.iter().filter(|node| node.leads).count() <= 1, "seed {seed}");
    }
    for tab in tabs {
        world.nodes[tab].token = "ana:1".to_owned();
        world.connect(tab);
    }
    world.pass(120_000);
    sent.sort();
    (world, sent)
}
