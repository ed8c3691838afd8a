//! What `cargo test` and `npm run sim` ask for.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use super::dice::Choice;
use super::faults::UNREACHABLE;
use super::open::OPEN;
use super::regressions::{OF_CHANGES, OF_LEFT_ALONE, OF_SEGMENTS, OF_SHORT_PAGES, OF_WIDER, REGRESSIONS};
use super::runner::{Order, Total, run, run_many, shrink, story};
use super::{dice, mutants};

/// Schedules of a plain `cargo test`, which is not optimised.
const FEW: u64 = 150;
/// From so many schedules on everything must have been reached.
const ENOUGH: u64 = 20_000;
/// Violations that are told as stories.
const MAX_STORIES: usize = 3;
/// The last lines of each.
const MAX_LINES: usize = 160;

#[derive(Default)]
struct Options {
    schedules: Option<u64>,
    seed: Option<u64>,
    minutes: Option<u64>,
    mutants: bool,
    only: Option<usize>,
    tell: bool,
    /// What is told is made small first, if it fails.
    shrink: bool,
    threads: Option<usize>,
}

pub fn main() -> ExitCode {
    let options = options();
    let threads =
        options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from));
    let first = options.seed.unwrap_or(0);
    let good = if !mutants::known(options.only) {
        false
    } else if options.tell {
        mutants::set(options.only);
        tell(first, options.shrink)
    } else if options.mutants {
        mutants::run_all(threads, first, options.only)
    } else {
        check(&options, threads, first)
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What cargo's own harness would understand is ignored.
fn options() -> Options {
    let mut options = Options::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse::<u64>().ok());
        match arg.as_str() {
            "--schedules" => options.schedules = number(),
            "--seed" => options.seed = number(),
            "--minutes" => options.minutes = number(),
            "--threads" => options.threads = number().map(|threads| threads as usize),
            // One that is no number is none of them either.
            "--mutant" => {
                let only = number().map_or(usize::MAX, |only| only as usize);
                (options.mutants, options.only) = (true, Some(only));
            }
            "--mutants" => options.mutants = true,
            "--tell" => options.tell = true,
            "--shrink" => (options.tell, options.shrink) = (true, true),
            _ => {}
        }
    }
    options
}

/// The story of one seed.
fn tell(seed: u64, small: bool) -> bool {
    let violation = run(seed, &BTreeSet::new(), false).violation;
    let muted = violation.as_ref().filter(|_| small).map(|violation| shrink(seed, violation.checker));
    println!("{}", story(seed, &muted.unwrap_or_default(), usize::MAX));
    violation.is_none()
}

fn check(options: &Options, threads: usize, first: u64) -> bool {
    let long = options.minutes.is_some();
    let order = Order {
        first,
        schedules: options.schedules.unwrap_or(if long { u64::MAX - first } else { FEW }),
        limit: options.minutes.map(|minutes| Duration::from_secs(60 * minutes)),
        threads,
        progress: options.schedules.is_some() || long,
        stops: false,
    };
    let total = run_many(&order);
    print(&total);
    let mut failed = Vec::new();
    let is_open = |seed: u64, checker: &str| OPEN.contains(&(seed, checker));
    let (open, new): (Vec<_>, Vec<_>) =
        total.violations.iter().partition(|(seed, violation)| is_open(*seed, violation.checker));
    for (seed, violation) in &total.violations {
        let word = if is_open(*seed, violation.checker) { "open" } else { "NEW" };
        println!("{word}, seed {seed}: {}: {}", violation.checker, violation.what);
    }
    if !new.is_empty() {
        failed.push("no schedule breaks a promise, but for those that are known".to_owned());
    }
    for (seed, violation) in new.iter().take(MAX_STORIES) {
        println!("\nseed {seed} violates \"{}\": {}", violation.checker, violation.what);
        println!("{}", story(*seed, &shrink(*seed, violation.checker), MAX_LINES));
    }
    let known = |seed: u64| seed >= first && seed - first < total.schedules;
    let mended = OPEN.iter().filter(|(seed, _)| known(*seed) && order.limit.is_none()).count() - open.len();
    if mended > 0 {
        failed.push(format!("what is mended leaves the list of open.rs: {mended} seeds pass now"));
    }
    let missing = total.coverage.missing();
    if total.schedules >= ENOUGH && !missing.is_empty() {
        failed.push(format!("every kind of fault and every cell is reached, but not {}", missing.join(", ")));
    }
    let [whole, narrow, long, told] = [dice::WHOLE_SEGMENTS, dice::NARROW, dice::LONG_PAGES, dice::ALL_TOLD];
    let lists: [(&[_], &[Choice]); 6] = [
        (REGRESSIONS, &[dice::NO_CHANGES, whole, narrow, long, told]),
        (OF_CHANGES, &[whole, narrow, long, told]),
        (OF_SEGMENTS, &[narrow, long, told]),
        (OF_WIDER, &[long, told]),
        (OF_SHORT_PAGES, &[told]),
        (OF_LEFT_ALONE, &[]),
    ];
    let kept = lists.iter().flat_map(|(list, more)| list.iter().map(move |kept| (kept, *more)));
    for ((seed, muted, what), more) in kept.clone() {
        let muted: BTreeSet<Choice> = muted.iter().chain(more).copied().collect();
        if let Some(violation) = run(*seed, &muted, false).violation {
            println!("\n{}", story(*seed, &muted, MAX_LINES));
            failed.push(format!("regression {what:?}: {}", violation.checker));
        }
    }
    let (again, other) = (run(first, &BTreeSet::new(), true), run(first, &BTreeSet::new(), true));
    if again.story != other.story {
        failed.push("one seed gives one run".to_owned());
    }
    for what in &failed {
        println!("FAILED: {what}");
    }
    let tests = 3 + u64::from(total.schedules >= ENOUGH) + kept.count() as u64;
    let passed = tests - (failed.len() as u64).min(tests);
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "test result: {word}. {passed} passed; {} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        failed.len(),
        total.seconds
    );
    failed.is_empty()
}

fn print(total: &Total) {
    println!(
        "{} schedules, {} events in {:.0} s ({:.0} schedules and {:.0} events a second), {} violations",
        total.schedules,
        total.events,
        total.seconds,
        total.schedules as f64 / total.seconds,
        total.events as f64 / total.seconds,
        total.violations.len()
    );
    let cells = total.coverage.cells.iter().filter(|(cell, _)| !UNREACHABLE.contains(&cell.as_str()));
    let reached = cells.clone().filter(|(_, count)| **count > 0).count();
    println!(
        "reached {} of {} kinds of faults, {reached} of {} cells of the tables of connection and lead",
        total.coverage.faults.len(),
        super::faults::FAULTS.len(),
        cells.count()
    );
    let missing = total.coverage.missing();
    if !missing.is_empty() {
        println!("never reached in this run: {}", missing.join(", "));
    }
}
