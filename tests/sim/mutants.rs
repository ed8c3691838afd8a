//! The broken promises: each must be caught by a checker, within ten thousand schedules.

#[cfg(feature = "mutants")]
use std::collections::BTreeSet;
#[cfg(feature = "mutants")]
use std::sync::Mutex;
#[cfg(feature = "mutants")]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "mutants")]
use super::runner;

/// By number; an empty name: none has that number.
pub const MUTANTS: [&str; 49] = [
    "retry mints a new key",
    "send resolves before its commit",
    "frame before Saved",
    "no dedupe by key",
    "no dedupe by id",
    "outbox row deleted when sent",
    "answer applied in two transactions",
    "Unknown treated as failed",
    "Unknown treated as saved",
    "window of two without orderedWindow",
    "no go-back on failure in a window",
    "socket losses counted as attempts",
    "failed message dropped",
    "any conflict taken as acknowledgement",
    "resend mints a new key",
    "unconfirmed resent where keys are not kept",
    "poison retried for ever",
    "queue limit ignored",
    "status goes back",
    "backoff without jitter",
    "attempt budget never renewed",
    "disconnect() revived by visibility",
    "stale token on wake",
    "stale heartbeat reference after a reconnect",
    "monotonic deadline stored",
    "output after close",
    "Conflict ignored and the write repeated blindly",
    "echo and copy become two rows",
    "late ack of an older connection accepted",
    "cancel after the wire forgets the message",
    "thawed leader sends without the check",
    "leader's transaction without the expected generation",
    "a tab numbers its own outbox rows",
    "lost poke and no rescan",
    "two leaders after a steal",
    "a thawed tab applies its backlog of broadcasts",
    "",
    "",
    "",
    "",
    "",
    "a change that came before its message is lost",
    "an orphan is applied twice",
    "",
    "",
    "",
    "a change is settled without its effect",
    "a change overtakes the one before it",
    "a change that was not answered counts as taken",
];

/// Whether there is a mutant of that number: none is no mutant that all are caught of.
pub fn known(number: Option<usize>) -> bool {
    let known = number.is_none_or(|number| {
        number.checked_sub(1).and_then(|at| MUTANTS.get(at)).is_some_and(|name| !name.is_empty())
    });
    if !known {
        println!("--mutant {}: no mutant of 1 to {} has it", number.unwrap_or_default(), MUTANTS.len());
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
    let wanted: Vec<usize> = (1..=MUTANTS.len())
        .filter(|at| only.is_none_or(|only| only == *at) && !MUTANTS[at - 1].is_empty())
        .collect();
    let (next, catches) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(number) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
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
                    println!("{number:>3}  {:<48} {what}", MUTANTS[number - 1]);
                    catches.lock().unwrap().push((*number, caught));
                }
            });
        }
    });
    let mut catches = catches.into_inner().unwrap();
    catches.sort_by_key(|(number, _)| *number);
    println!("\n| # | mutant | caught at schedule | by the checker |\n|---|---|---|---|");
    for (number, caught) in &catches {
        let (at, checker) =
            caught.as_ref().map_or(("not".to_owned(), "–"), |(at, seen)| (at.to_string(), seen.checker));
        println!("| {number} | {} | {at} | {checker} |", MUTANTS[number - 1]);
    }
    let mut soon: Vec<u64> = catches.iter().filter_map(|(_, caught)| Some(caught.as_ref()?.0)).collect();
    soon.sort_unstable();
    let median = soon.get(soon.len() / 2).copied().unwrap_or(0);
    println!("\n{} of {} caught, the median at schedule {median}", soon.len(), catches.len());
    println!("{} passed, {} failed", soon.len(), catches.len() - soon.len());
    soon.len() == catches.len()
}

#[cfg(not(feature = "mutants"))]
pub fn run_all(_threads: usize, _first: u64, _only: Option<usize>) -> bool {
    println!(
        "this build has no mutants ({} there are): --features mutants",
        MUTANTS.iter().filter(|name| !name.is_empty()).count()
    );
    false
}
