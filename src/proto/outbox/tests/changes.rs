//! Changes of messages: what they wait for, what goes with them, and what a lost answer costs.

use super::*;
use crate::proto::model::ChangeKind;
use crate::proto::store::RowChange;

fn change(key: &str, target: &str, id: Option<&str>) -> OutboxRow {
    let change = RowChange { kind: ChangeKind::Edit, row_key: target.into(), id: id.map(Into::into) };
    OutboxRow { kind: "edit".into(), change: Some(change), ..row(key, "r") }
}

impl Bench {
    fn queue_change(&mut self, key: &str, target: &str, id: Option<&str>) -> RowId {
        match self.outbox.queue(self.now, change(key, target, id)) {
            Ok(Queued::New(id)) => id,
            other => panic!("not queued: {other:?}"),
        }
    }

    /// The history has the message of that key under this id.
    fn name(&mut self, key: &str, id: &str) {
        let row = self.outbox.find(key).unwrap();
        let message = Message { id: Some(id.into()), row_key: key.into(), ..self.outbox.message(row) };
        self.outbox.on_named(&message);
        self.run(true);
    }

    fn stored(&self, key: &str) -> Option<OutboxRow> {
        let rows =
            self.records.values().map(|bytes| crate::proto::store::decode_outbox_row(bytes).unwrap().1);
        rows.into_iter().find(|row| row.key == key)
    }

    fn gone(&self, key: &str) -> bool {
        self.outbox.find(key).is_none() && self.stored(key).is_none()
    }
}

fn refused(code: ErrorCode) -> Answer {
    Answer::Refused { failure: Failure::new(code, "no"), retry_after_ms: None }
}

#[test]
fn a_change_waits_for_the_id_of_its_message_and_holds_up_nobody() {
    let mut bench = Bench::online(FULL);
    let message = bench.queue("a", "r");
    bench.queue_change("edit", "a", None);
    bench.queue("b", "r");
    bench.run(true);
    assert_eq!(bench.wire, ["a"]);
    bench.answer(message, Answer::Stored(None));
    assert_eq!(bench.wire, ["a", "b"], "what stands behind the change does not wait for it");
    assert!(bench.outbox.find("edit").is_some());
    let told = bench.told.iter().filter(|action| matches!(action, Action::FindTarget { .. })).count();
    assert_eq!(told, 1, "its message is in the outbox no longer, so the history is asked");
}

#[test]
fn it_goes_when_its_message_has_an_id_which_stands_in_its_record() {
    let mut bench = Bench::online(FULL);
    let message = bench.queue("a", "r");
    bench.queue_change("one", "a", None);
    bench.queue_change("two", "a", None);
    bench.run(true);
    bench.name("a", "m1");
    assert_eq!(bench.stored("one").unwrap().change.unwrap().id.as_deref(), Some("m1"));
    bench.answer(message, Answer::Stored(None));
    assert_eq!(bench.wire, ["a", "one"], "one change of a conversation at a time");
    let one = bench.outbox.find("one").unwrap().id;
    bench.answer(one, Answer::Stored(None));
    assert_eq!(bench.wire, ["a", "one", "two"]);
    assert!(bench.gone("one"));
}

#[test]
fn a_message_that_the_history_does_not_have_fails_its_change() {
    let mut bench = Bench::online(FULL);
    let id = bench.queue_change("edit", "gone", None);
    bench.run(true);
    assert!(bench.wire.is_empty());
    bench.outbox.on_target(id, None);
    bench.run(true);
    assert_eq!(bench.failure("edit"), Some(ErrorCode::NotFound));
    let target = Some("gone".to_owned());
    let settled = |action: &Action| matches!(action, Action::Settled { target: of, .. } if *of == target);
    assert!(bench.told.iter().any(settled));
}

#[test]
fn a_lost_socket_is_no_loss_of_a_request_and_no_doubt() {
    let mut bench = Bench::online(PLAIN);
    let id = bench.queue_change("edit", "a", Some("m1"));
    bench.run(true);
    bench.outbox.on_lost(false);
    bench.run(true);
    assert_eq!(bench.failure("edit"), None);
    bench.outbox.open(bench.now);
    bench.run(true);
    assert_eq!(bench.wire, ["edit"], "the request is still under way");
    bench.answer(id, Answer::Stored(None));
    assert!(bench.gone("edit"));
}

#[test]
fn after_a_kill_it_is_repeated_also_without_keys() {
    let mut bench = Bench::online(PLAIN);
    bench.queue_change("edit", "a", Some("m1"));
    bench.run(true);
    let mut next = Bench { records: bench.records, ..Bench::new(PLAIN) };
    next.outbox.set_generation(2);
    next.reconcile();
    next.outbox.open(next.now);
    next.run(true);
    assert_eq!((next.wire.as_slice(), next.failure("edit")), (&["edit".to_owned()][..], None));
}

#[test]
fn what_only_memory_has_is_asked_again_after_the_lead_was_lost() {
    for answered in [false, true] {
        let mut bench = Bench::online(FULL);
        let id = bench.queue_change("edit", "a", Some("m1"));
        bench.refuse();
        assert_eq!(bench.wire, ["edit"]);
        if answered {
            bench.outbox.on_answer(bench.now, &mut bench.rng, id, Answer::Stored(None));
        }
        bench.outbox.on_lost(true);
        bench.outbox.abdicate();
        bench.outbox.set_generation(2);
        bench.outbox.open(bench.now);
        bench.run(true);
        assert_eq!(bench.wire, ["edit", "edit"]);
        bench.answer(id, Answer::Stored(None));
        assert!(bench.gone("edit"));
    }
}

#[test]
fn without_keys_it_does_not_go_before_the_id_of_its_message_is_stored() {
    for (traits, goes) in [(PLAIN, 0), (FULL, 1)] {
        let mut bench = Bench::online(traits);
        let message = bench.queue("a", "r");
        bench.queue_change("edit", "a", None);
        bench.run(true);
        bench.answer(message, Answer::Stored(None));
        let named = Message {
            id: Some("m1".into()),
            row_key: "a".into(),
            ..bench.outbox.message(bench.outbox.find("edit").unwrap())
        };
        bench.outbox.set_blocked(true);
        bench.outbox.on_named(&named);
        bench.refuse();
        assert_eq!(bench.wire.len(), 1 + goes);
        bench.outbox.set_blocked(false);
        bench.run(true);
        assert_eq!(bench.wire, ["a", "edit"]);
    }
}

#[test]
fn what_takes_a_message_back_takes_its_changes_along() {
    let mut bench = Bench::new(FULL);
    bench.queue("a", "r");
    bench.queue_change("edit", "a", None);
    bench.run(true);
    bench.queue_change("late", "a", None);
    bench.outbox.cancel("a").unwrap();
    bench.run(true);
    assert!(bench.gone("a") && bench.gone("edit") && bench.gone("late"));

    let mut bench = Bench::online(FULL);
    let message = bench.queue("a", "r");
    bench.queue_change("edit", "a", None);
    bench.queue("b", "r");
    bench.run(true);
    bench.answer(message, refused(ErrorCode::Forbidden));
    assert_eq!(bench.failure("edit"), None, "it waits with its message");
    assert_eq!(bench.wire, ["a", "b"]);
    bench.outbox.discard("a").unwrap();
    bench.run(true);
    assert!(bench.gone("a") && bench.gone("edit"));
}

#[test]
fn a_cancel_that_comes_too_late_leaves_the_changes() {
    let mut bench = Bench::new(FULL);
    bench.queue("a", "r");
    bench.queue_change("edit", "a", None);
    bench.run(true);
    let marked = OutboxRow { wire: Some(WireMark { generation: 9, attempt: 1 }), ..row("a", "r") };
    bench.records.insert(1, encode_outbox_row(99, &marked));
    bench.outbox.cancel("a").unwrap();
    bench.reconcile();
    bench.run(true);
    assert!(bench.told.contains(&Action::NotRemoved { key: "a".into() }));
    assert!(bench.outbox.find("edit").unwrap().visible() && bench.stored("edit").is_some());
}

#[test]
fn a_resend_lets_its_changes_follow() {
    let mut bench = Bench::online(FULL);
    let message = bench.queue("a", "r");
    bench.queue_change("edit", "a", None);
    bench.run(true);
    bench.answer(message, refused(ErrorCode::Validation));
    let again = bench.outbox.resend("a").unwrap();
    bench.run(true);
    assert_eq!(bench.wire, ["a", "a"]);
    bench.name("a", "m1");
    bench.answer(again, Answer::Stored(None));
    assert_eq!(bench.wire, ["a", "a", "edit"]);
}

#[test]
fn answers_of_failure_count_though_a_change_waits_before() {
    let mut bench = Bench::online(FULL);
    bench.queue_change("edit", "nobody", None);
    let id = bench.queue("a", "r");
    bench.run(true);
    for attempt in 1..=3 {
        assert_eq!(bench.wire.len(), attempt);
        bench.answer(id, refused(ErrorCode::Server));
        bench.now.mono_ms += 60_000;
        bench.outbox.advance(bench.now);
        bench.run(true);
    }
    assert_eq!(bench.failure("a"), Some(ErrorCode::Server));
}

#[test]
fn a_refused_token_holds_back_changes_until_there_is_another() {
    let mut bench = Bench::online(FULL);
    let id = bench.queue_change("edit", "a", Some("m1"));
    bench.run(true);
    bench.answer(id, Answer::AuthRefused(Failure::new(ErrorCode::Auth, "no")));
    assert_eq!(bench.wire, ["edit"]);
    bench.outbox.on_token();
    bench.run(true);
    assert_eq!(bench.wire, ["edit", "edit"]);
}

#[test]
fn no_answer_is_no_failure_but_for_ever() {
    let mut bench = Bench::online(FULL);
    let id = bench.queue_change("edit", "a", Some("m1"));
    bench.run(true);
    bench.outbox.on_no_answer(bench.now, &mut bench.rng, id, true);
    bench.run(true);
    assert_eq!(bench.wire.len(), 1, "not at once");
    for _ in 0..20 {
        bench.now.mono_ms += 60_000;
        bench.outbox.advance(bench.now);
        bench.run(true);
        bench.outbox.on_no_answer(bench.now, &mut bench.rng, id, false);
    }
    assert_eq!(bench.failure("edit"), None, "without a connection it says nothing");
    for _ in 0..20 {
        bench.now.mono_ms += 60_000;
        bench.outbox.advance(bench.now);
        bench.run(true);
        bench.outbox.on_no_answer(bench.now, &mut bench.rng, id, true);
    }
    assert_eq!(bench.failure("edit"), Some(ErrorCode::Timeout));
}

#[test]
fn of_many_conversations_six_requests_are_under_way() {
    let mut bench = Bench::online(FULL);
    bench.outbox.limits.max_queued = 100;
    for at in 0..9 {
        let room = format!("r{at}");
        let record = OutboxRow { conversation_id: room.clone(), ..change(&room, "a", Some("m1")) };
        bench.outbox.queue(bench.now, record).unwrap();
        bench.run(true);
    }
    assert_eq!(bench.wire.len(), 6);
    let first = bench.outbox.find("r0").unwrap().id;
    bench.answer(first, Answer::Stored(None));
    assert_eq!(bench.wire.len(), 7);
}
