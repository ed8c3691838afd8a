//! Other tabs change the same records.

use super::*;
use crate::proto::api::{Changes, RecordId};

#[test]
fn a_cancel_that_lost_against_another_tabs_mark_gives_the_row_back() {
    let mut bench = Bench::new(FULL);
    bench.queue("a", "r");
    bench.run(true);
    // The leading tab marks it while this one cancels.
    let marked = OutboxRow { wire: Some(WireMark { generation: 3, attempt: 1 }), ..row("a", "r") };
    bench.records.insert(1, encode_outbox_row(77, &marked));
    bench.outbox.cancel("a").unwrap();
    for id in bench.outbox.take_writes() {
        bench.outbox.on_conflict(id);
    }
    bench.reconcile();
    bench.run(false);
    assert!(bench.told.contains(&Action::NotRemoved { key: "a".into() }));
    assert_eq!(bench.outbox.find("a").map(Row::status), Some(Status::Sent));
    assert!(!bench.outbox.has_dirty());
}

#[test]
fn a_cancel_that_met_a_torn_record_finds_no_proof_that_nobody_has_sent_it() {
    let mut bench = Bench::new(FULL);
    bench.queue("a", "r");
    bench.run(true);
    // Another tab has marked it, and of that the version alone can be read.
    let marked = OutboxRow { wire: Some(WireMark { generation: 3, attempt: 1 }), ..row("a", "r") };
    let mut torn = encode_outbox_row(77, &marked);
    *torn.last_mut().unwrap() ^= 1;
    bench.records.insert(1, torn);
    bench.outbox.cancel("a").unwrap();
    for damaged in [1, 0] {
        for id in bench.outbox.take_writes() {
            bench.outbox.on_conflict(id);
        }
        let records: Vec<Record> = bench
            .records
            .iter()
            .map(|(n, bytes)| Record { key: Key::Number(*n), bytes: bytes.clone() })
            .collect();
        assert_eq!(bench.outbox.reconcile(&records, true).len(), damaged, "told once");
    }
    bench.run(true);
    assert!(bench.told.contains(&Action::NotRemoved { key: "a".into() }));
    assert_eq!(bench.outbox.find("a").map(Row::status), Some(Status::Sent));
    assert_eq!(bench.records.len(), 1, "written again, for whoever leads");
}

#[test]
fn what_memory_alone_has_stays_queued_when_its_socket_is_lost() {
    let mut bench = Bench::online(FULL);
    let id = bench.queue("a", "r");
    assert_eq!(bench.outbox.take_writes(), [id]);
    bench.outbox.on_write_failed(id, Stage::Saving);
    bench.run(false);
    assert_eq!(bench.wire, ["a"]);
    bench.outbox.on_lost(false);
    bench.run(false);
    assert!(bench.outbox.find("a").is_some() && bench.outbox.has_dirty());
    bench.outbox.open(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a", "a"]);
}

/// The write under way meets what another tab has written, and the row is removed.
fn meets_and_removes(bench: &mut Bench, id: RowId, theirs: &OutboxRow) {
    bench.records.insert(1, encode_outbox_row(77, theirs));
    bench.outbox.on_conflict(id);
    bench.reconcile();
    assert!(matches!(bench.outbox.write_of(id), Some(Write::Delete { stored: 1, expect: 77 })));
    bench.run(true);
    assert_eq!(bench.outbox.len(), 0);
}

#[test]
fn a_cancel_whose_mark_met_a_conflict_is_not_written_as_a_message_again() {
    let mut bench = Bench::new(FULL);
    bench.outbox.set_generation(1);
    let id = bench.queue("b", "r");
    bench.run(true);
    // Its mark is on the way when it is cancelled, and another tab takes the lead and says that it has failed.
    bench.outbox.open(bench.now);
    let writes = bench.outbox.take_writes();
    assert_eq!(writes, [id]);
    bench.outbox.cancel("b").unwrap();
    bench.outbox.abdicate();
    let failure = Some(Failure::new(ErrorCode::Expired, "over"));
    let failed = OutboxRow { failure, ..row("b", "r") };
    meets_and_removes(&mut bench, id, &failed);
}

#[test]
fn a_cancel_whose_failure_met_a_conflict_does_not_make_the_message_fail() {
    let mut bench = Bench::new(FULL);
    bench.outbox.set_generation(1);
    let id = bench.queue("a", "r");
    bench.run(true);
    bench.outbox.on_unsendable(id, Failure::new(ErrorCode::Expired, "over"));
    assert_eq!(bench.outbox.take_writes(), [id]);
    bench.outbox.cancel("a").unwrap();
    bench.outbox.abdicate();
    // The next leader has written it meanwhile.
    meets_and_removes(&mut bench, id, &row("a", "r"));
}

#[test]
fn one_key_under_two_numbers_is_one_row_and_the_leader_removes_the_other() {
    let mut bench = Bench::new(FULL);
    bench.outbox.set_generation(1);
    for number in [1, 2] {
        bench.records.insert(number, encode_outbox_row(number, &row("a", "r")));
    }
    bench.reconcile();
    assert_eq!(bench.outbox.visible_rows().len(), 1);
    bench.run(true);
    assert_eq!(bench.records.keys().copied().collect::<Vec<u64>>(), [1]);
    bench.outbox.open(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["a"]);
}

#[test]
fn a_row_resent_by_another_tab_is_found_under_its_new_number() {
    let mut bench = Bench::new(FULL);
    bench.queue("a", "r");
    bench.run(true);
    bench.records = BTreeMap::from([(7, encode_outbox_row(9, &row("a", "r")))]);
    bench.reconcile();
    bench.run(false);
    assert_eq!(bench.outbox.find("a").and_then(|row| row.stored), Some(7));
    assert!(!bench.told.iter().any(|action| matches!(action, Action::Vanished { .. })));
    bench.records.clear();
    bench.reconcile();
    bench.run(false);
    assert!(bench.told.iter().any(|action| matches!(action, Action::Vanished { .. })));
}

#[test]
fn an_abdicated_outbox_writes_nothing_of_what_it_was_about_to() {
    let mut bench = Bench::online(FULL);
    let id = bench.queue("a", "r");
    bench.run(true);
    bench.outbox.on_answer(bench.now, &mut bench.rng, id, Answer::Stored(None));
    bench.outbox.abdicate();
    bench.run(false);
    assert!(!bench.outbox.has_dirty());
    bench.reconcile();
    assert_eq!(bench.outbox.find("a").map(|row| row.stage), Some(Stage::Queued));
    let mut timers = Timers::default();
    bench.outbox.update_timers(bench.now, &mut timers);
    assert_eq!(timers.next(), None, "nothing waits for a deadline");
}

#[test]
fn another_leaders_mark_is_a_doubt_until_its_record_says_more() {
    for (mark, failure, sent, end) in [
        (Some(3), None, 0, Some(ErrorCode::Unconfirmed)),
        (Some(3), Some(ErrorCode::Expired), 0, Some(ErrorCode::Expired)),
        (None, None, 1, None),
    ] {
        for met_before in [false, true] {
            let mut bench = Bench::new(PLAIN);
            bench.queue("a", "r");
            bench.run(true);
            if !met_before {
                bench = Bench { records: bench.records, ..Bench::new(PLAIN) };
            }
            let record = OutboxRow {
                wire: mark.map(|generation| WireMark { generation, attempt: 1 }),
                failure: failure.map(|code| Failure::new(code, "said")),
                ..row("a", "r")
            };
            bench.records.insert(1, encode_outbox_row(77, &record));
            bench.outbox.set_generation(4);
            bench.reconcile();
            bench.outbox.open(bench.now);
            bench.run(true);
            assert_eq!((bench.wire.len(), bench.failure("a")), (sent, end), "met before: {met_before}");
        }
    }
}

#[test]
fn what_was_on_the_wire_at_an_abdication_is_not_sent_again_without_keys() {
    let mut bench = Bench::online(PLAIN);
    bench.queue("a", "r");
    bench.run(true);
    assert_eq!(bench.wire, ["a"]);
    bench.outbox.abdicate();
    bench.outbox.set_generation(2);
    bench.reconcile();
    bench.outbox.open(bench.now);
    bench.run(true);
    assert_eq!((bench.wire.len(), bench.failure("a")), (1, Some(ErrorCode::Unconfirmed)));
}

#[test]
fn a_failure_out_of_the_store_whose_copy_the_history_has_already_is_settled() {
    let record = OutboxRow {
        wire: Some(WireMark { generation: 3, attempt: 1 }),
        failure: Some(Failure::new(ErrorCode::Unconfirmed, "said")),
        ..row("a", "r")
    };
    for leads_before in [true, false] {
        let mut bench = Bench::new(PLAIN);
        bench.records.insert(1, encode_outbox_row(77, &record));
        if leads_before {
            bench.outbox.set_generation(4);
        }
        bench.reconcile();
        bench.outbox.set_generation(4);
        bench.run(true);
        let id = bench.outbox.find("a").unwrap().id;
        assert!(bench.told.contains(&Action::LookUp { row: id }));
        bench.outbox.on_copy_known(id);
        bench.run(true);
        assert_eq!((bench.outbox.len(), bench.records.len()), (0, 0));
    }
}

#[test]
fn a_copy_that_comes_while_its_message_is_discarded_is_the_historys() {
    let mut bench = Bench::online(FULL);
    let id = bench.queue("a", "r");
    bench.run(true);
    bench.answer(
        id,
        Answer::Refused { failure: Failure::new(ErrorCode::Forbidden, "no"), retry_after_ms: None },
    );
    bench.outbox.discard("a").unwrap();
    assert!(!bench.outbox.on_copy("a", &copy_of("m1", "r")), "it would be dropped with the message");
    bench.run(true);
    assert_eq!((bench.outbox.len(), bench.records.len()), (0, 0));
}

#[test]
fn a_row_that_cannot_be_marked_goes_only_if_the_store_still_has_it() {
    for (taken_back, wire) in [(false, vec!["a"]), (true, vec![])] {
        let mut bench = Bench::new(FULL);
        bench.outbox.set_generation(1);
        bench.queue("a", "r");
        bench.run(true);
        bench.outbox.set_blocked(true);
        bench.outbox.open(bench.now);
        bench.run(false);
        assert!(bench.wire.is_empty(), "not before the store was read again");
        if taken_back {
            bench.records.clear();
        }
        bench.refuse();
        assert_eq!(bench.wire, wire);
        assert_eq!(bench.outbox.find("a").is_none(), taken_back);
    }
}

fn failed(bench: &mut Bench, wire: Option<WireMark>) {
    let failure = Some(Failure::new(ErrorCode::Expired, "too late"));
    bench.records.insert(1, encode_outbox_row(1, &OutboxRow { wire, failure, ..row("a", "r") }));
    bench.reconcile();
    bench.run(true);
}

#[test]
fn a_resend_of_what_was_on_the_wire_is_not_taken_back_by_another_tab() {
    let mark = WireMark { generation: 1, attempt: 1 };
    for (mark, taken_back) in [(Some(mark), false), (None, true)] {
        let mut bench = Bench::new(FULL);
        failed(&mut bench, mark);
        bench.outbox.resend("a").unwrap();
        bench.run(true);
        let mut other = Bench { records: bench.records, ..Bench::new(FULL) };
        other.reconcile();
        assert_eq!(other.outbox.cancel("a").is_ok(), taken_back);
        assert!(other.wire.is_empty());
    }
}

#[test]
fn a_resend_that_is_in_no_store_yet_goes_with_the_failure_that_another_tab_removes() {
    let mut bench = Bench::new(FULL);
    failed(&mut bench, None);
    let again = bench.outbox.resend("a").unwrap();
    bench.records.clear();
    bench.reconcile();
    bench.run(true);
    let vanished = |action: &Action| matches!(action, Action::Vanished { row, .. } if *row == again);
    assert!(bench.told.iter().any(vanished));
    assert!(bench.records.is_empty() && bench.outbox.len() == 0);
}

#[test]
fn a_second_row_of_a_key_is_no_second_one_where_the_first_is_torn() {
    let mut bench = Bench::new(FULL);
    bench.outbox.set_generation(1);
    bench.queue("a", "r");
    bench.run(true);
    bench.records.insert(1, Vec::new());
    // A tab that follows has seen it, and adds the message anew.
    let anew = encode_outbox_row(77, &row("a", "r"));
    bench.records.insert(2, anew.clone());
    let puts = vec![(RecordId::outbox(2), None, anew)];
    let changes = Changes { generation: 0, stamp: 77, puts, deletes: Vec::new() };
    assert!(!bench.outbox.take_changes(&changes), "it is read which of them stands");
    let record =
        |(number, bytes): (&u64, &Vec<u8>)| Record { key: Key::Number(*number), bytes: bytes.clone() };
    let records: Vec<Record> = bench.records.iter().map(record).collect();
    assert_eq!(bench.outbox.reconcile(&records, true).len(), 1);
    bench.run(true);
    assert_eq!(bench.outbox.find("a").and_then(|row| row.stored), Some(2));
    assert!(bench.records.contains_key(&2), "the one that can be read stays");
}
