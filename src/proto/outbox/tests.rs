//! The machine alone: what may start when, what a refused write costs, what a copy of unknown origin is.

use std::collections::BTreeMap;

use super::*;
use crate::proto::ErrorCode;
use crate::proto::api::{Key, Now, Record};
use crate::proto::config::Limits;
use crate::proto::profile::Answer;
use crate::proto::rng::Rng;
use crate::proto::store::{OutboxRow, WireMark, encode_outbox_row};
use crate::proto::timer::{Timer, Timers};

mod changes;
mod order;
mod tabs;

const FULL: Traits = Traits { keys: true, answers: true, ordered_window: false };
const PLAIN: Traits = Traits { keys: false, ..FULL };

/// An outbox, a store and a wire that only takes note.
struct Bench {
    outbox: Outbox,
    rng: Rng,
    now: Now,
    records: BTreeMap<u64, Vec<u8>>,
    last_number: u64,
    version: u64,
    wire: Vec<String>,
    told: Vec<Action>,
    /// The link takes no frames.
    deaf: bool,
}

impl Bench {
    fn new(traits: Traits) -> Self {
        let limits = OutboxLimits { max_queued: 5, max_attempts: 3, window: 3, ack_timeout_ms: 1000 };
        let rates = Limits {
            max_text_length: 1,
            max_frame_bytes: 1,
            max_conversations: 1,
            max_window_rows: 1,
            max_storage_percent: 1,
            sends_per_second: 1000,
            send_burst: 1000,
        };
        Self {
            outbox: Outbox::new(&limits, Bucket::new(&rates), "me", traits),
            rng: Rng::new([9; 32]),
            now: Now { mono_ms: 0, wall_ms: 1_000_000 },
            records: BTreeMap::new(),
            last_number: 0,
            version: 0,
            wire: Vec::new(),
            told: Vec::new(),
            deaf: false,
        }
    }

    fn online(traits: Traits) -> Self {
        let mut bench = Self::new(traits);
        bench.outbox.set_generation(1);
        bench.outbox.open(bench.now);
        bench
    }

    fn queue(&mut self, key: &str, room: &str) -> RowId {
        match self.outbox.queue(self.now, row(key, room)) {
            Ok(Queued::New(id)) => id,
            other => panic!("not queued: {other:?}"),
        }
    }

    /// Until nothing is left to do; `saves`: the store takes what is written.
    fn run(&mut self, saves: bool) {
        loop {
            while let Some(action) = self.outbox.poll_action() {
                if let Action::Transmit { row } = action {
                    if self.deaf {
                        self.outbox.on_held_back(row);
                    } else {
                        let sent = self.outbox.row(row).unwrap();
                        let by_rest = sent.is_change();
                        self.wire.push(sent.record.key.clone());
                        if by_rest {
                            self.outbox.on_requested(row);
                        } else {
                            self.outbox.on_transmitted(self.now, row);
                        }
                    }
                } else if let Action::Apply { row, .. } = action {
                    self.outbox.on_applied(row);
                } else {
                    self.told.push(action);
                }
            }
            if self.outbox.take_stirred() {
                self.outbox.advance(self.now);
                continue;
            }
            if !saves || !self.outbox.has_dirty() {
                return;
            }
            self.save();
        }
    }

    fn save(&mut self) {
        self.version += 1;
        for id in self.outbox.take_writes() {
            let stage = self.outbox.row(id).unwrap().stage;
            let mut stored = None;
            match self.outbox.write_of(id) {
                Some(Write::Add(record)) => {
                    self.last_number += 1;
                    stored = Some(self.last_number);
                    self.records.insert(self.last_number, encode_outbox_row(self.version, record));
                }
                Some(Write::Put { stored, record, .. }) => {
                    self.records.insert(stored, encode_outbox_row(self.version, record));
                }
                Some(Write::Delete { stored, .. }) => _ = self.records.remove(&stored),
                None => {}
            }
            self.outbox.on_written(id, stage, stored, self.version);
        }
    }

    fn reconcile(&mut self) {
        let records: Vec<Record> = self
            .records
            .iter()
            .map(|(number, bytes)| Record { key: Key::Number(*number), bytes: bytes.clone() })
            .collect();
        assert!(self.outbox.reconcile(&records, true).is_empty());
    }

    /// The store takes nothing, and is read again where that is asked for.
    fn refuse(&mut self) {
        self.run(false);
        if self.told.contains(&Action::Reread) {
            self.told.clear();
            self.reconcile();
            self.run(false);
        }
        for id in self.outbox.take_writes() {
            let stage = self.outbox.row(id).unwrap().stage;
            self.outbox.on_write_failed(id, stage);
        }
        self.run(false);
        self.outbox.on_settled();
    }

    fn answer(&mut self, id: RowId, answer: Answer) {
        self.outbox.on_answer(self.now, &mut self.rng, id, answer);
        self.run(true);
    }

    fn failure(&self, key: &str) -> Option<ErrorCode> {
        self.outbox.find(key)?.record.failure.as_ref().map(|failure| failure.code)
    }
}

fn row(key: &str, room: &str) -> OutboxRow {
    OutboxRow {
        key: key.into(),
        conversation_id: room.into(),
        kind: "text".into(),
        text: "same".into(),
        metadata: None,
        reply_to: None,
        reply_to_id: None,
        created_at_ms: 1_000_000,
        expires_at_ms: None,
        attempts: 0,
        losses: 0,
        wire: None,
        failure: None,
        change: None,
    }
}

fn copy_of(id: &str, room: &str) -> Box<ServerMessage> {
    Box::new(ServerMessage {
        id: id.into(),
        key: None,
        conversation_id: room.into(),
        sender_id: "me".into(),
        sender: None,
        kind: "text".into(),
        text: "same".into(),
        metadata: None,
        attachments: None,
        reply_to_id: None,
        created_at_ms: 1_000_500,
        seq: None,
        status: None,
        read_by: Vec::new(),
        reactions: None,
        edited_at_ms: None,
        deleted_at_ms: None,
    })
}

#[test]
fn a_free_lane_marks_with_the_first_write_and_sends_after_it() {
    let mut bench = Bench::online(FULL);
    bench.queue("a", "r");
    bench.run(false);
    assert!(bench.wire.is_empty(), "not before it is stored");
    bench.run(true);
    assert_eq!((bench.wire.as_slice(), bench.version), (&["a".to_owned()][..], 1), "in one transaction");
}

#[test]
fn a_mark_whose_connection_went_is_no_attempt_in_this_instance() {
    let mut bench = Bench::online(PLAIN);
    bench.queue("a", "r");
    bench.outbox.on_lost(false);
    bench.run(true);
    assert!(bench.wire.is_empty());
    assert!(bench.outbox.cancel("gone").is_err());
    bench.outbox.open(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a"], "never sent, so it is sent without a doubt");
}

#[test]
fn a_row_marked_across_a_reconnect_does_not_overtake() {
    let mut bench = Bench::online(Traits { ordered_window: true, ..FULL });
    for key in ["a", "b"] {
        bench.queue(key, "r");
        bench.run(true);
    }
    bench.queue("c", "r");
    bench.save();
    bench.run(false);
    let marks = bench.outbox.take_writes();
    bench.outbox.on_lost(false);
    bench.outbox.open(bench.now);
    marks.into_iter().for_each(|id| bench.outbox.on_written(id, Stage::Marking, None, 99));
    bench.run(true);
    assert_eq!(bench.wire, ["a", "b", "a", "b", "c"]);
}

#[test]
fn after_a_restart_a_marked_row_is_doubtful_only_without_keys() {
    for (traits, sent) in [(FULL, 1), (PLAIN, 0)] {
        let mut first = Bench::online(traits);
        first.queue("a", "r");
        first.run(true);
        let mut bench = Bench { records: first.records, ..Bench::online(traits) };
        bench.reconcile();
        bench.run(true);
        assert_eq!(bench.wire.len(), sent);
        assert_eq!(bench.failure("a"), (sent == 0).then_some(ErrorCode::Unconfirmed));
    }
}

#[test]
fn a_row_saved_after_the_answer_before_it_is_not_forgotten() {
    let mut bench = Bench::online(FULL);
    let first = bench.queue("a", "r");
    bench.run(true);
    bench.queue("b", "r");
    bench.outbox.on_answer(bench.now, &mut bench.rng, first, Answer::Stored(None));
    bench.run(false);
    assert_eq!(bench.wire, ["a"]);
    bench.run(true);
    assert_eq!(bench.wire, ["a", "b"]);
}

#[test]
fn a_link_in_doubt_is_left_alone_until_it_is_good() {
    let mut bench = Bench::online(FULL);
    bench.deaf = true;
    bench.queue("a", "r");
    bench.run(true);
    let writes = bench.version;
    bench.outbox.advance(bench.now);
    bench.run(true);
    assert_eq!(bench.version, writes, "nothing is marked again and again");
    bench.deaf = false;
    bench.outbox.on_writable(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a"]);
}

#[test]
fn a_refused_write_sends_new_rows_from_memory_and_marks_only_where_keys_are_kept() {
    for (traits, expected) in [(FULL, vec!["a", "b"]), (PLAIN, vec!["b"])] {
        let mut bench = Bench::new(traits);
        bench.outbox.set_generation(1);
        bench.queue("a", "r");
        bench.run(true);
        bench.queue("b", "s");
        bench.outbox.set_blocked(true);
        bench.outbox.open(bench.now);
        for _ in 0..4 {
            bench.refuse();
        }
        let mut sent = bench.wire.clone();
        sent.sort();
        assert_eq!(sent, expected);
        assert!(!bench.outbox.message(bench.outbox.find("b").unwrap()).durable);
    }
}

#[test]
fn the_limit_counts_failed_rows_and_a_refusal_touches_nothing() {
    let mut bench = Bench::new(FULL);
    for key in ["a", "b", "c", "d", "e"] {
        bench.queue(key, "r");
    }
    let error = bench.outbox.queue(bench.now, row("f", "r")).unwrap_err();
    assert_eq!((error.code, bench.outbox.len()), (ErrorCode::OutboxFull, 5));
    assert_eq!(bench.outbox.queue(bench.now, row("a", "r")), Ok(Queued::Known(1)));
    let other = OutboxRow { text: "other".into(), ..row("a", "r") };
    assert_eq!(bench.outbox.queue(bench.now, other).unwrap_err().code, ErrorCode::Conflict);
}

#[test]
fn d12_a_copy_without_a_key_is_held_and_let_go() {
    let mut bench = Bench::online(PLAIN);
    let id = bench.queue("a", "r");
    bench.run(true);
    bench.outbox.on_copy_without_key(bench.now, copy_of("m1", "r"));
    bench.outbox.on_copy_without_key(bench.now, copy_of("m9", "s"));
    bench.run(true);
    let id_of = |action: &Action| match action {
        Action::Release { message } => Some(message.id.clone()),
        _ => None,
    };
    let released = |bench: &Bench| bench.told.iter().filter_map(id_of).collect::<Vec<String>>();
    assert_eq!(released(&bench), ["m9"], "nothing of that conversation is unanswered");
    for (mono_ms, expected) in [(29_999, &["m9"][..]), (30_000, &["m9", "m1"][..])] {
        bench.now.mono_ms = mono_ms;
        bench.outbox.on_held_timer(bench.now);
        bench.run(true);
        assert_eq!(released(&bench), expected);
    }
    bench.answer(id, Answer::Stored(Some(copy_of("m1", "r"))));
    assert_eq!(bench.outbox.len(), 0);
}

#[test]
fn a_thousand_rows_cost_a_look_each_and_no_more() {
    let limits = OutboxLimits { max_queued: 2000, max_attempts: 3, window: 3, ack_timeout_ms: 1000 };
    let mut bench = Bench::new(FULL);
    bench.outbox.limits = limits;
    for n in 0..1000 {
        bench.queue(&format!("k{n}"), &format!("r{}", n % 200));
    }
    bench.run(true);
    assert_eq!(bench.outbox.echoes("r7").len(), 5);
    bench.outbox.set_generation(1);
    bench.outbox.open(bench.now);
    bench.run(true);
    assert_eq!(bench.wire.len(), 200, "one a conversation");
}

#[test]
fn a_loss_of_our_own_making_poisons_nothing() {
    let mut bench = Bench::online(FULL);
    bench.queue("a", "r");
    for _ in 0..5 {
        bench.run(true);
        bench.outbox.on_lost(true);
        bench.outbox.open(bench.now);
    }
    bench.run(true);
    assert_eq!(bench.wire, ["a"; 6]);
}

#[test]
fn a_shut_outbox_waits_for_no_answer() {
    let mut bench = Bench::online(FULL);
    bench.queue("a", "r");
    bench.run(true);
    assert_eq!(bench.wire, ["a"]);
    let mut timers = Timers::default();
    bench.outbox.update_timers(bench.now, &mut timers);
    assert_eq!(timers.get(Timer::Ack), Some(1000));
    // The page is being closed, and its store does not answer: a timer that nothing clears fires for ever (4636888).
    bench.outbox.shut();
    bench.outbox.update_timers(bench.now, &mut timers);
    assert_eq!(timers.get(Timer::Ack), None);
}
