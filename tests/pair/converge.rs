//! Random conversations of two clients against a plain model: messages, edits, deletions, reactions, receipts, answers to
//! messages; told live or in pages, late, twice, before their message; with sockets cut and clients killed.
//!
//! `CHATWIRE_CASES=100000 cargo test --profile sim -p chatwire --test pair converge` runs as many cases as are asked for.

use std::collections::BTreeSet;

use chatwire::proto::{Command, Event, Message, SendCommand};
use proptest::prelude::*;
use serde_json::json;

use super::acts::message;
use super::backend::{Backend, Stored};
use super::deeds::Travel;
use super::world::World;

const ROOM: &str = "r";
const USERS: [&str; 2] = ["ana", "bo"];
const EMOJIS: [&str; 2] = ["👍", "🎉"];
/// So many cases where nobody asks for more.
const FEW: u32 = 200;

#[derive(Clone, Debug)]
enum Step {
    /// Somebody outside writes; `late_ms`: its changes may overtake it.
    Post {
        late_ms: u64,
        twice: bool,
    },
    Send {
        at: usize,
        answers: Option<usize>,
    },
    Edit {
        nth: usize,
        late_ms: u64,
        twice: bool,
    },
    Delete {
        nth: usize,
        late_ms: u64,
        twice: bool,
    },
    React {
        nth: usize,
        emoji: usize,
        user: usize,
        added: bool,
        twice: bool,
    },
    /// The row is told once more, as it was sent.
    Repeat {
        nth: usize,
    },
    Read {
        at: usize,
    },
    SlowHttp {
        ms: u64,
    },
    Cut {
        at: usize,
    },
    Kill {
        at: usize,
        loses_writes: bool,
    },
    Pass {
        ms: u64,
    },
}

#[derive(Clone, Debug)]
struct Case {
    steps: Vec<Step>,
    seqs: bool,
    untold_reactions: bool,
    store_ms: u64,
}

fn late_ms() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0_u64), 1 => 5..60_u64]
}

fn step() -> impl Strategy<Value = Step> {
    let (nth, at) = (0..1000_usize, 0..2_usize);
    let twice = any::<bool>();
    prop_oneof![
        4 => (late_ms(), twice).prop_map(|(late_ms, twice)| Step::Post { late_ms, twice }),
        2 => (at.clone(), prop::option::of(nth.clone()))
            .prop_map(|(at, answers)| Step::Send { at, answers }),
        4 => (nth.clone(), late_ms(), twice)
            .prop_map(|(nth, late_ms, twice)| Step::Edit { nth, late_ms, twice }),
        2 => (nth.clone(), late_ms(), twice)
            .prop_map(|(nth, late_ms, twice)| Step::Delete { nth, late_ms, twice }),
        6 => (nth.clone(), 0..2_usize, 0..3_usize, prop::bool::weighted(0.65), twice)
            .prop_map(|(nth, emoji, user, added, twice)| Step::React { nth, emoji, user, added, twice }),
        1 => nth.prop_map(|nth| Step::Repeat { nth }),
        1 => at.clone().prop_map(|at| Step::Read { at }),
        1 => (0..80_u64).prop_map(|ms| Step::SlowHttp { ms }),
        2 => at.clone().prop_map(|at| Step::Cut { at }),
        1 => (at, any::<bool>()).prop_map(|(at, loses_writes)| Step::Kill { at, loses_writes }),
        5 => (0..40_u64).prop_map(|ms| Step::Pass { ms }),
        1 => (500..3000_u64).prop_map(|ms| Step::Pass { ms }),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    (prop::collection::vec(step(), 1..45), any::<bool>(), prop::bool::weighted(0.2), 0..12_u64).prop_map(
        |(steps, seqs, untold_reactions, store_ms)| Case { steps, seqs, untold_reactions, store_ms },
    )
}

/// Two clients, live, each with its own store and a window open.
fn begin(case: &Case) -> World {
    let mut backend = Backend::full().room(ROOM, &["ana", "bo", "cy"]);
    backend.seqs = case.seqs;
    let capabilities = json!({"keys": true, "cursor": case.seqs, "receipts": true});
    backend.hello = Some(json!({"capabilities": capabilities}));
    backend.deeds.untold_reactions = case.untold_reactions;
    let mut world = World::new(backend);
    for (at, user) in USERS.iter().enumerate() {
        world.join(user);
        world.disks[at].delay_ms = case.store_ms;
        world.open_view(at, 1, ROOM);
        world.go_live(at);
    }
    world
}

fn take(world: &mut World, n: usize, step: &Step) {
    // The newest are spoken of most.
    let pick = |world: &World, nth: usize| -> Option<Stored> {
        let messages = &world.backend.rooms[ROOM].messages;
        let back = (nth % 5).min(nth % messages.len().max(1));
        messages.iter().rev().nth(back).cloned()
    };
    match step {
        Step::Post { late_ms, twice } => {
            let now = world.now.wall_ms;
            world.backend.post_silently(now, ROOM, "cy", &format!("post {n}"));
            let travel = Travel { late_ms: *late_ms, twice: *twice };
            let id = pick(world, 0).unwrap().id;
            world.tell_row(ROOM, &id, "chat:message_received", travel);
        }
        Step::Send { at, answers } => {
            let rows = world.rows(*at, 1);
            let target =
                answers.filter(|_| !rows.is_empty()).map(|nth| rows[nth % rows.len()].row_key.clone());
            let send = SendCommand { reply_to: target, ..message(ROOM, &format!("sent {n}")) };
            // What is answered may be gone by now.
            let _ = world.command(*at, Command::Send(send));
        }
        Step::Edit { nth, late_ms, twice } => {
            let travel = Travel { late_ms: *late_ms, twice: *twice };
            if let Some(message) = pick(world, *nth) {
                world.somebody_edits(ROOM, &message.id, &format!("edit {n}"), travel);
            }
        }
        Step::Delete { nth, late_ms, twice } => {
            if let Some(message) = pick(world, *nth) {
                world.delete(&message.id, Travel { late_ms: *late_ms, twice: *twice });
            }
        }
        Step::React { nth, emoji, user, added, twice } => {
            let user = ["ana", "bo", "cy"][*user];
            if let Some(message) = pick(world, *nth) {
                // One after the other, as on a socket: they carry no time.
                world.react(&message.id, EMOJIS[*emoji], user, *added, Travel { late_ms: 0, twice: *twice });
            }
        }
        Step::Repeat { nth } => {
            let Some(message) = pick(world, *nth) else { return };
            let now = world.backend.rewind(&message.id, None);
            world.tell_row(ROOM, &message.id, "chat:message_received", Travel::default());
            world.backend.rewind(&message.id, Some(now));
        }
        Step::Read { at } => {
            if let Some(row) = world.rows(*at, 1).last() {
                let row_key = row.row_key.clone();
                let _ = world.command(*at, Command::MarkRead { conversation_id: ROOM.to_owned(), row_key });
            }
        }
        Step::SlowHttp { ms } => world.slow_http_ms = *ms,
        Step::Cut { at } => world.cut(*at),
        Step::Kill { at, loses_writes } => {
            world.kills_writes = *loses_writes;
            world.restart(*at);
            world.open_view(*at, 1, ROOM);
            world.connect(*at);
        }
        Step::Pass { ms } => world.pass(*ms),
    }
}

/// What is shown of a message, and what the model has of it.
type Shown = (String, bool, BTreeSet<(String, String)>);

fn shown(row: &Message) -> Shown {
    for reaction in &row.reactions {
        let users: BTreeSet<&String> = reaction.users.iter().collect();
        assert_eq!(users.len(), reaction.count as usize, "each user counts once: {reaction:?}");
        assert_eq!(reaction.users.len(), users.len(), "each user stands once: {reaction:?}");
    }
    let reactions = row.reactions.iter();
    let each = reactions.flat_map(|one| one.users.iter().map(|user| (one.emoji.clone(), user.clone())));
    (row.text.clone(), row.deleted_at_ms.is_some(), each.collect())
}

fn expected(stored: &Stored) -> Shown {
    (stored.text.clone(), stored.deleted_ms.is_some(), stored.reactions.iter().cloned().collect())
}

fn compare(world: &World, at: usize, case: &Case) {
    let name = USERS[at];
    let rows = world.rows(at, 1);
    let stored = &world.backend.rooms[ROOM].messages;
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row.id.as_deref()).collect();
    let wanted: BTreeSet<&str> = stored.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, wanted, "{name} shows each message");
    assert_eq!(rows.len(), ids.len(), "{name} shows each once");
    for row in &rows {
        let stored = stored.iter().find(|message| Some(&message.id) == row.id.as_ref()).unwrap();
        let (mut shows, mut has) = (shown(row), expected(stored));
        if case.untold_reactions {
            // Of the time away nobody tells them.
            (shows.2, has.2) = (BTreeSet::new(), BTreeSet::new());
        }
        assert_eq!(shows, has, "{name} shows {} as it is", stored.id);
        let gone = |key: &str| {
            let target = rows.iter().find(|row| {
                row.row_key == key || row.id.as_ref().is_some_and(|id| key == format!("{ROOM}:{id}"))
            });
            target.is_some_and(|target| target.deleted_at_ms.is_some())
        };
        if let Some(reply) = &row.reply_to {
            assert!(
                reply.excerpt.is_empty() || !gone(&reply.row_key),
                "{name} shows what is deleted: {reply:?}"
            );
        }
    }
    let unread = world.nodes[at].client.as_ref().unwrap().conversation(ROOM).unwrap().unread as usize;
    let of_others = rows.iter().filter(|row| row.sender_id != name && row.deleted_at_ms.is_none()).count();
    let read = case.steps.iter().any(|step| matches!(step, Step::Read { .. }));
    assert!(
        if read { unread <= of_others } else { unread == of_others },
        "{name}: {unread} of {of_others} unread"
    );
}

/// In one life each change is told once, and none of a message that is gone.
fn check_events(world: &World, at: usize) {
    let (mut deleted, mut updated) = (BTreeSet::new(), BTreeSet::new());
    for event in &world.nodes[at].events {
        match event {
            Event::MessageDeleted { row_key, .. } => {
                assert!(deleted.insert(row_key.clone()), "{row_key} is deleted twice");
            }
            Event::MessageUpdated { message } => {
                assert!(!deleted.contains(&message.row_key), "{} is edited after its end", message.row_key);
                let edit = (message.row_key.clone(), message.edited_at_ms, message.text.clone());
                assert!(
                    message.edited_at_ms.is_none() || updated.insert(edit),
                    "an edit is told twice: {message:?}"
                );
            }
            _ => {}
        }
    }
}

fn run(case: &Case) {
    let mut world = begin(case);
    for (n, step) in case.steps.iter().enumerate() {
        take(&mut world, n, step);
    }
    world.slow_http_ms = 0;
    world.pass(100);
    for at in 0..USERS.len() {
        world.until_within(60_000, "online", |world| world.backend.sessions.keys().any(|(of, _)| *of == at));
        world.until_within(60_000, "live", |world| {
            world.nodes[at].checks.phase == Some(chatwire::proto::Phase::Live)
        });
    }
    world.pass(5000);
    for at in 0..USERS.len() {
        compare(&world, at, case);
        check_events(&world, at);
    }
}

fn cases() -> u32 {
    let asked = std::env::var("CHATWIRE_CASES").ok();
    asked.map_or(FEW, |count| count.parse().expect("CHATWIRE_CASES is a number"))
}

#[test]
fn a_reaction_that_has_waited_is_not_taken_back_by_a_page_asked_for_before_it() {
    let (post, late) = (Step::Post { late_ms: 0, twice: false }, Step::Post { late_ms: 42, twice: false });
    let react = Step::React { nth: 0, emoji: 0, user: 0, added: true, twice: false };
    let steps = vec![post, late, Step::SlowHttp { ms: 22 }, Step::Pass { ms: 20 }, react];
    run(&Case { steps, seqs: true, untold_reactions: false, store_ms: 0 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn random_changes_converge_with_the_server(case in case()) {
        run(&case);
    }
}
