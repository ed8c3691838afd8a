//! The whole against a plain model.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Live(u64),
    Page(u64, u64),
    Answer(u64),
    Status(u64, Status),
    /// Up to that message, if it is in memory.
    Read(u64),
    Save,
    Forget,
    Restart,
}

const MESSAGES: u64 = 420;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..=MESSAGES).prop_map(Step::Live),
        4 => (1..=MESSAGES, 1..160_u64).prop_map(|(from, count)| Step::Page(from, count)),
        3 => (1..=MESSAGES / 3).prop_map(|n| Step::Answer(n * 3)),
        4 => (1..=MESSAGES, prop_oneof![Just(Status::Delivered), Just(Status::Read)])
            .prop_map(|(n, status)| Step::Status(n, status)),
        2 => (1..=MESSAGES).prop_map(Step::Read),
        2 => Just(Step::Save),
        2 => Just(Step::Forget),
        1 => Just(Step::Restart),
    ]
}

/// What should be known: which messages, how far each has come, which have their key as row key.
#[derive(Default)]
struct Model {
    known: BTreeSet<u64>,
    answered: BTreeSet<u64>,
    statuses: BTreeMap<u64, Status>,
    read: u64,
}

impl Model {
    fn apply(&mut self, step: &Step) {
        match step {
            Step::Live(n) => _ = self.known.insert(*n),
            Step::Page(from, count) => self.known.extend(*from..=(from + count).min(MESSAGES)),
            Step::Answer(n) => {
                self.known.insert(*n);
                self.answered.insert(*n);
            }
            Step::Status(n, status) => {
                let slot = self.statuses.entry(*n).or_insert(*status);
                *slot = (*slot).max(*status);
            }
            // What waits for its message is stored too.
            Step::Read(_) | Step::Save | Step::Forget | Step::Restart => {}
        }
    }
}

fn follow_the_model(steps: &[Step], seqs: bool) {
    let (mut bench, mut model) = (Bench::new(), Model::default());
    for step in steps {
        model.apply(step);
        match step {
            Step::Live(n) => bench.push(Op::Live(Box::new(copy(*n, seqs)))),
            Step::Page(from, count) => bench.page(*from..=(from + count).min(MESSAGES), seqs),
            Step::Answer(n) => bench.answer(*n, Some(copy(*n, seqs))),
            Step::Status(n, status) => {
                let change = Change::Status { status: *status, user_id: None };
                bench.timelines.target(None, &format!("m{n}"), change);
                bench.drain();
            }
            Step::Read(n) => {
                let key = if model.answered.contains(n) { format!("k{n}") } else { format!("r:m{n}") };
                if bench.timelines.mark_read(ROOM, &key, false).is_some() {
                    model.read = model.read.max(*n);
                }
                bench.drain();
            }
            Step::Save => bench.save(),
            Step::Forget => bench.forget(),
            Step::Restart => bench.restart(),
        }
        let ranges = bench.timelines.log(ROOM).map_or(Vec::new(), |log| log.ranges());
        let known = |(from, to): &(u64, u64)| (from + 1..=*to).all(|n| model.known.contains(&n));
        assert!(ranges.iter().all(known), "a gap is in {ranges:?}");
    }
    for restarted in [false, true] {
        if restarted {
            bench.restart();
        }
        let shown: Vec<(String, Status)> =
            bench.rows().into_iter().map(|row| (row.row_key, row.status)).collect();
        let expected: Vec<(String, Status)> = model
            .known
            .iter()
            .map(|n| {
                let key = if model.answered.contains(n) { format!("k{n}") } else { format!("r:m{n}") };
                (key, model.statuses.get(n).copied().unwrap_or(Status::Acknowledged))
            })
            .collect();
        assert_eq!(shown, expected);
    }
    let others = model.known.iter().filter(|n| !n.is_multiple_of(3)).count();
    let told: Vec<&Message> = bench
        .told
        .iter()
        .filter_map(|action| match action {
            Action::New { message, .. } => Some(&**message),
            _ => None,
        })
        .collect();
    assert!(told.iter().all(|message| message.sender == Sender::User));
    assert_eq!(told.len(), others, "each message of others is told once");
    let unread = model.known.iter().filter(|n| !n.is_multiple_of(3) && **n > model.read).count();
    assert_eq!(bench.timelines.log(ROOM).map_or(0, Log::unread) as usize, unread);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_end_in_the_servers_order_with_each_message_once(
        steps in proptest::collection::vec(step(), 1..40),
        seqs in any::<bool>(),
    ) {
        follow_the_model(&steps, seqs);
    }
}
