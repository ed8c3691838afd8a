//! The broken promises: each must be caught by a checker, within ten thousand schedules.

#[cfg(feature = "mutants")]
use std::collections::BTreeSet;
#[cfg(feature = "mutants")]
use std::sync::Mutex;
#[cfg(feature = "mutants")]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "mutants")]
use super::runner;

/// By number.
pub const MUTANTS: &[(usize, &str)] = &[
    (1, "retry mints a new key"),
    (2, "send resolves before its commit"),
    (3, "frame before Saved"),
    (4, "no dedupe by key"),
    (5, "no dedupe by id"),
    (6, "outbox row deleted when sent"),
    (7, "answer applied in two transactions"),
    (8, "Unknown treated as failed"),
    (9, "Unknown treated as saved"),
    (10, "window of two without orderedWindow"),
    (11, "no go-back on failure in a window"),
    (12, "socket losses counted as attempts"),
    (13, "failed message dropped"),
    (14, "any conflict taken as acknowledgement"),
    (15, "resend mints a new key"),
    (16, "unconfirmed resent where keys are not kept"),
    (17, "poison retried for ever"),
    (18, "queue limit ignored"),
    (19, "status goes back"),
    (20, "backoff without jitter"),
    (21, "attempt budget never renewed"),
    (22, "disconnect() revived by visibility"),
    (23, "stale token on wake"),
    (24, "stale heartbeat reference after a reconnect"),
    (25, "monotonic deadline stored"),
    (26, "output after close"),
    (27, "Conflict ignored and the write repeated blindly"),
    (28, "echo and copy become two rows"),
    (29, "late ack of an older connection accepted"),
    (30, "cancel after the wire forgets the message"),
    (31, "thawed leader sends without the check"),
    (32, "leader's transaction without the expected generation"),
    (33, "a tab numbers its own outbox rows"),
    (34, "lost poke and no rescan"),
    (35, "two leaders after a steal"),
    (36, "a thawed tab applies its backlog of broadcasts"),
    (37, "cursor moved by a live message"),
    (38, "cursor committed before its page"),
    (39, "live message during catch-up dropped"),
    (40, "gap not seen"),
    (41, "overlap not merged"),
    (42, "a change that came before its message is lost"),
    (43, "an orphan is applied twice"),
    (44, "damaged segment taken as empty"),
    (45, "eviction of an outbox row"),
    (46, "flood drops a message without marking the conversation"),
    (47, "a change is settled without its effect"),
    (48, "a change overtakes the one before it"),
    (49, "a change that was not answered counts as taken"),
    (50, "only what is in memory is looked through"),
    (51, "a segment leaves memory before it is stored"),
    (52, "a pause that the server wants ends with the socket"),
    (53, "the rate of sends is ignored"),
    (54, "retries do not become slower"),
    (55, "retries have no longest pause"),
    (56, "disconnect() leaves its socket open"),
    (57, "what one's other device has sent is another's"),
    (58, "receipts in a page are passed over"),
    (59, "a failed message is listed nowhere"),
    (60, "cancel forgets what went out from memory"),
    (61, "a link is given up after ten seconds of silence"),
    (62, "a refusal is no attempt"),
    (63, "an answer is waited for half a second"),
    (64, "what is being stored leaves in a pause that the server wants"),
    (65, "a budget of attempts to connect never ends"),
    (66, "without a cursor what comes before the newest page is not asked for"),
];

/// Whether there is a mutant of that number: none is no mutant that all are caught of.
pub fn known(number: Option<usize>) -> bool {
    let known = number.is_none_or(|number| MUTANTS.iter().any(|(known, _)| *known == number));
    if !known {
        let numbers: Vec<usize> = MUTANTS.iter().map(|(number, _)| *number).collect();
        println!("--mutant {}: there are {numbers:?}", number.unwrap_or_default());
    }
    known
}

/// The first mutant that breaks a promise about changes of messages.
#[cfg(feature = "mutants")]
const FIRST_OF_CHANGES: usize = 37;

/// Schedules within which each must be caught.
#[cfg(feature = "mutants")]
pub const WITHIN: u64 = 10_000;

/// What this thread runs from here on has that mutant.
#[cfg(feature = "mutants")]
pub fn set(number: Option<usize>) {
    chatwire::proto::mutant::set(number.unwrap_or(0) as u32);
}

#[cfg(not(feature = "mutants"))]
pub fn set(_number: Option<usize>) {}

/// Runs all mutants (or those of `only`); true where each is caught.
#[cfg(feature = "mutants")]
pub fn run_all(threads: usize, first: u64, only: Option<usize>) -> bool {
    let wanted: Vec<(usize, &str)> =
        MUTANTS.iter().copied().filter(|(number, _)| only.is_none_or(|only| only == *number)).collect();
    let (next, catches) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, name)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    chatwire::proto::mutant::set(*number as u32);
                    // Without changes of messages those of sends are found where they were before there were any.
                    let changes = (*number < FIRST_OF_CHANGES).then_some(super::dice::NO_CHANGES);
                    let muted: BTreeSet<_> = changes.into_iter().collect();
                    let caught = (0..WITHIN).find_map(|at| {
                        let violation = runner::run(first + at, &muted, false).violation?;
                        // It is the mutant's only if the same schedule is well without it.
                        chatwire::proto::mutant::set(0);
                        let well = runner::run(first + at, &muted, false).violation.is_none();
                        chatwire::proto::mutant::set(*number as u32);
                        well.then_some((at + 1, violation))
                    });
                    chatwire::proto::mutant::set(0);
                    let what = match &caught {
                        Some((at, violation)) => {
                            format!("caught at schedule {at:>5} by \"{}\"", violation.checker)
                        }
                        None => format!("NOT caught in {WITHIN} schedules"),
                    };
                    println!("{number:>3}  {name:<48} {what}");
                    catches.lock().unwrap().push((*number, *name, caught));
                }
            });
        }
    });
    let mut catches = catches.into_inner().unwrap();
    catches.sort_by_key(|(number, ..)| *number);
    println!("\n| # | mutant | caught at schedule | by the checker |\n|---|---|---|---|");
    for (number, name, caught) in &catches {
        let (at, checker) =
            caught.as_ref().map_or(("not".to_owned(), "–"), |(at, seen)| (at.to_string(), seen.checker));
        println!("| {number} | {name} | {at} | {checker} |");
    }
    let mut soon: Vec<u64> = catches.iter().filter_map(|(.., caught)| Some(caught.as_ref()?.0)).collect();
    soon.sort_unstable();
    let median = soon.get(soon.len() / 2).copied().unwrap_or(0);
    println!("\n{} of {} caught, the median at schedule {median}", soon.len(), catches.len());
    println!("{} passed, {} failed", soon.len(), catches.len() - soon.len());
    soon.len() == catches.len()
}

#[cfg(not(feature = "mutants"))]
pub fn run_all(_threads: usize, _first: u64, _only: Option<usize>) -> bool {
    println!("this build has no mutants ({} there are): --features mutants", MUTANTS.len());
    false
}
