//! A client killed at every possible moment of a short run: what was accepted ends as WIRES.md's table says.

use chatwire::proto::{Command, ErrorCode, Event, Outcome, Status};

use super::backend::{Backend, Fate};
use super::checks::outbox_rows;
use super::world::World;

const MESSAGES: usize = 4;

/// Sends some messages in two conversations; the keys that `send()` had resolved with, in order, and whether the
/// client outlived the run.
fn run(world: &mut World, cut: Option<usize>) -> (Vec<(String, String)>, bool) {
    let ana = 0;
    world.nodes[ana].steps = 0;
    world.nodes[ana].die_after = cut;
    let mut ids = Vec::new();
    world.pass(5);
    if world.nodes[ana].client.is_some() {
        world.connect(ana);
    }
    for n in 0..MESSAGES {
        if world.nodes[ana].client.is_none() {
            break;
        }
        let command = Command::Send(super::acts::message(&format!("r{}", n % 2), &format!("t{n}")));
        ids.push((format!("t{n}"), world.ask(ana, command)));
        world.pass(7);
    }
    world.pass(3000);
    let resolved = ids.iter().filter_map(|(text, id)| match world.outcome(ana, *id) {
        Some(Ok(Outcome::Message(message))) => Some((text.clone(), message.key.unwrap())),
        _ => None,
    });
    (resolved.collect(), world.nodes[ana].client.is_some())
}

fn world(backend: Backend) -> World {
    let mut world = World::new(backend.room("r0", &["ana", "bo"]).room("r1", &["ana", "bo"]));
    world.latency_ms = 3;
    world.disks.push(super::node::Disk::default());
    world.disks[0].delay_ms = 2;
    world.join_on("ana", serde_json::json!({}), 0);
    world
}

/// Every cut point, one after the other, until a run is not cut any more.
fn at_every_moment(
    backend: fn() -> Backend,
    mut check: impl FnMut(World, usize, Vec<(String, String)>),
) -> usize {
    for cut in 0.. {
        let mut world = world(backend());
        world.kills_writes = cut % 2 == 1;
        let (resolved, alive) = run(&mut world, Some(cut / 2));
        if alive {
            return cut / 2;
        }
        world.start(0);
        world.go_live(0);
        world.pass_pinged(60_000);
        check(world, cut, resolved);
    }
    unreachable!()
}

#[test]
fn with_keys_everything_resolved_arrives_once_and_in_order() {
    let cuts = at_every_moment(Backend::full, |mut world, cut, resolved| {
        for room in ["r0", "r1"] {
            let texts = world.backend.texts(room);
            let mut sorted = texts.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!(texts, sorted, "cut {cut}: in order, and none twice");
        }
        let stored: Vec<String> = [world.backend.texts("r0"), world.backend.texts("r1")].concat();
        for (text, key) in resolved {
            assert!(stored.contains(&text), "cut {cut}: {text} was accepted and is not there");
            let id = world.ask(0, Command::Acknowledged { key });
            assert!(world.wait(0, id).is_ok(), "cut {cut}: {text} is acknowledged");
        }
        assert!(
            world.outbox(0).is_empty() && outbox_rows(&mut world.disks[0].records).is_empty(),
            "cut {cut}"
        );
        world.open_view(0, 1, "r0");
        world.until("the window is filled", |world| !world.nodes[0].checks.loading(1));
        assert_eq!(world.texts(0, 1), world.backend.texts("r0"), "cut {cut}");
    });
    assert!(cuts > 60, "only {cuts} moments");
}

#[test]
fn without_keys_nothing_is_sent_twice_and_nothing_is_lost_silently() {
    let mut unconfirmed = 0;
    let cuts = at_every_moment(Backend::plain, |mut world, cut, resolved| {
        let stored: Vec<String> = [world.backend.texts("r0"), world.backend.texts("r1")].concat();
        let mut once = stored.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), stored.len(), "cut {cut}: one was sent twice");
        let queued = world.outbox(0);
        for row in &queued {
            let failure = row.failure.as_ref().expect("failed or gone");
            assert_eq!(failure.code, ErrorCode::Unconfirmed, "cut {cut}");
            unconfirmed += 1;
        }
        for (text, key) in resolved {
            let failed = queued.iter().any(|row| row.key.as_deref() == Some(&key));
            assert!(
                failed || stored.contains(&text),
                "cut {cut}: {text} was accepted and nobody knows of it"
            );
        }
        world.open_view(0, 1, "r0");
        world.until("the window is filled", |world| !world.nodes[0].checks.loading(1));
        let mut shown = world.texts(0, 1);
        shown.sort();
        let mut expected = world.backend.texts("r0");
        expected.extend(queued.iter().filter(|row| row.conversation_id == "r0").map(|row| row.text.clone()));
        expected.sort();
        assert_eq!(shown, expected, "cut {cut}: each message is one row");
    });
    assert!(cuts > 60 && unconfirmed > 0, "{cuts} moments, {unconfirmed} unconfirmed");
}

#[test]
fn a_kill_between_the_answer_and_its_commit_is_mended_by_the_duplicate_answer() {
    let mut world = world(Backend::full());
    world.go_live(0);
    let key = world.saved(0, "r0", "hello");
    world.disks[0].delay_ms = 10_000;
    world.until("the server has it", |world| !world.backend.texts("r0").is_empty());
    world.pass(1000);
    assert_ne!(world.status(0, &key), Some(Status::Acknowledged), "not before its commit (rule 6)");
    world.kills_writes = true;
    world.kill(0);
    world.pass(20_000);
    assert_eq!(outbox_rows(&mut world.disks[0].records).len(), 1, "the row is still there");
    world.disks[0].delay_ms = 0;
    world.start(0);
    world.go_live(0);
    world.pass(1000);
    assert_eq!(world.backend.texts("r0"), ["hello"]);
    assert!(world.outbox(0).is_empty());
    let errors = world.count(0, |event| matches!(event, Event::Error { .. } | Event::ProtocolError { .. }));
    assert_eq!(errors, 0);
}

#[test]
fn lost_answers_and_kills_together() {
    for cut in (0..400).step_by(7) {
        let mut world = world(Backend::full());
        world.backend.fates.extend([Fate::LoseAnswer, Fate::CopyFirst, Fate::LoseFrame]);
        run(&mut world, Some(cut));
        world.restart(0);
        world.go_live(0);
        world.pass_pinged(60_000);
        let texts = world.backend.texts("r0");
        let mut sorted = texts.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(texts, sorted, "cut {cut}");
        assert!(world.outbox(0).is_empty(), "cut {cut}");
    }
}
