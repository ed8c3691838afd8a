//! Rows of other tabs take the place that the store's number gives them.

use super::*;

#[test]
fn a_row_of_another_tab_stands_where_its_number_puts_it() {
    for ordered_window in [false, true] {
        let mut bench = Bench::new(Traits { ordered_window, ..FULL });
        bench.outbox.set_generation(1);
        bench.last_number = 1;
        bench.queue("b", "r");
        bench.run(true);
        bench.records.insert(1, encode_outbox_row(90, &row("a", "r")));
        bench.reconcile();
        bench.queue("c", "r");
        let keys = |bench: &Bench| {
            bench.outbox.visible_rows().iter().map(|row| row.record.key.clone()).collect::<Vec<String>>()
        };
        assert_eq!(keys(&bench), ["a", "b", "c"]);
        bench.run(true);
        assert_eq!(keys(&bench), ["a", "b", "c"]);
        bench.outbox.open(bench.now);
        bench.run(true);
        for expected in [["a"].as_slice(), &["a", "b"], &["a", "b", "c"]] {
            let known = if ordered_window { &["a", "b", "c"] } else { expected };
            assert_eq!(bench.wire, known);
            let last = expected.last().copied().unwrap();
            let id = bench.outbox.find(last).unwrap().id;
            bench.answer(id, Answer::Stored(None));
        }
        assert_eq!(bench.outbox.len(), 0);
    }
}

#[test]
fn one_at_a_time_holds_for_an_earlier_row_that_is_met_late() {
    let mut bench = Bench::online(FULL);
    bench.last_number = 1;
    let second = bench.queue("b", "r");
    bench.run(true);
    bench.records.insert(1, encode_outbox_row(90, &row("a", "r")));
    bench.reconcile();
    bench.run(true);
    assert_eq!(bench.wire, ["b"], "unanswered");
    bench.answer(second, Answer::Stored(None));
    assert_eq!(bench.wire, ["b", "a"]);
}

#[test]
fn a_row_that_is_being_marked_lets_an_earlier_one_go_first() {
    let mut bench = Bench::new(FULL);
    bench.outbox.set_generation(1);
    bench.last_number = 1;
    bench.queue("b", "r");
    bench.run(true);
    bench.outbox.open(bench.now);
    let marks = bench.outbox.take_writes();
    bench.records.insert(1, encode_outbox_row(90, &row("a", "r")));
    bench.reconcile();
    marks.into_iter().for_each(|id| bench.outbox.on_written(id, Stage::Marking, None, 99));
    bench.run(true);
    assert_eq!(bench.wire, ["a"]);
}

#[test]
fn what_is_refused_behind_an_unanswered_row_waits_before_it_goes_again() {
    let mut bench = Bench::online(Traits { ordered_window: true, ..FULL });
    bench.queue("a", "r");
    let second = bench.queue("b", "r");
    bench.run(true);
    assert_eq!(bench.wire, ["a", "b"]);
    let failure = Failure { retryable: true, ..Failure::new(ErrorCode::Server, "not now") };
    bench.answer(second, Answer::Refused { failure, retry_after_ms: None });
    assert_eq!(bench.wire.len(), 2, "not at once");
    bench.now.mono_ms += 1500;
    bench.outbox.advance(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a", "b", "b"]);
    assert_eq!(bench.outbox.find("b").map(|row| row.record.attempts), Some(0), "it is no failure of its own");
}

/// Their times may be the same millisecond, and then arrival is the order (D13).
#[test]
fn d13_held_copies_keep_the_order_in_which_they_came() {
    for named in [false, true] {
        let mut bench = Bench::online(PLAIN);
        let id = bench.queue("a", "r");
        bench.run(true);
        let before = ServerMessage { text: "of before".into(), ..*copy_of("m1", "r") };
        bench.outbox.on_copy_without_key(bench.now, Box::new(before));
        bench.outbox.on_copy_without_key(bench.now, copy_of("m2", "r"));
        bench.outbox.on_copy_without_key(bench.now, copy_of("m3", "r"));
        let copy = named.then(|| copy_of("m2", "r"));
        bench.outbox.on_answer(bench.now, &mut bench.rng, id, Answer::Stored(copy));
        let mut applied = Vec::new();
        while let Some(action) = bench.outbox.poll_action() {
            match action {
                Action::Release { message } => applied.push(message.id.clone()),
                Action::Apply { copy: Some(copy), .. } => applied.push(copy.id.clone()),
                _ => {}
            }
        }
        assert_eq!(applied, ["m1", "m2", "m3"], "named: {named}");
    }
}

#[test]
fn d12_a_copy_of_what_is_still_under_way_is_held_whatever_is_answered_before() {
    let mut bench = Bench::online(Traits { ordered_window: true, ..PLAIN });
    let [first, second] = ["a", "b"].map(|key| {
        let text = format!("text of {key}");
        match bench.outbox.queue(bench.now, OutboxRow { text, ..row(key, "r") }) {
            Ok(Queued::New(id)) => id,
            other => panic!("not queued: {other:?}"),
        }
    });
    bench.run(true);
    let copy =
        |id: &str, key: &str| Box::new(ServerMessage { text: format!("text of {key}"), ..*copy_of(id, "r") });
    bench.outbox.on_copy_without_key(bench.now, copy("m1", "a"));
    bench.outbox.on_copy_without_key(bench.now, copy("m2", "b"));
    bench.answer(second, Answer::Stored(Some(copy("m2", "b"))));
    assert!(!bench.told.iter().any(|action| matches!(action, Action::Release { .. })));
    bench.answer(first, Answer::Stored(None));
    assert_eq!(bench.outbox.len(), 0);
}

#[test]
fn what_is_being_stored_when_the_server_wants_a_pause_waits_for_its_end() {
    let mut bench = Bench::online(FULL);
    let first = bench.queue("a", "r");
    bench.run(true);
    bench.queue("b", "s");
    let failure = Failure::new(ErrorCode::RateLimited, "slowly");
    bench.answer(first, Answer::Refused { failure, retry_after_ms: Some(2000) });
    assert_eq!(bench.wire, ["a"], "b was marked before the pause, and is stored in it");
    bench.now.mono_ms += 2000;
    bench.outbox.advance(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a", "a", "b"]);
}

#[test]
fn a_pause_that_the_server_has_asked_for_outlives_the_socket() {
    let mut bench = Bench::online(FULL);
    let id = bench.queue("a", "r");
    bench.run(true);
    let failure = Failure::new(ErrorCode::RateLimited, "slowly");
    bench.answer(id, Answer::Refused { failure, retry_after_ms: Some(2000) });
    assert_eq!(bench.wire, ["a"]);
    bench.outbox.on_lost(false);
    bench.now.mono_ms += 1500;
    bench.outbox.open(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a"], "half a second is left");
    bench.now.mono_ms += 500;
    bench.outbox.advance(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a", "a"]);
}
