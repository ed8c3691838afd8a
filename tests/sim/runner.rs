//! Runs schedules on all cores, makes failing ones small, and says what came of them.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // Schedules a second are told by a real clock.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chatwire::proto::config::History;

use super::deeds::deeds_choice;
use super::dice::{ALL_TOLD, Choice, LONG_PAGES, NARROW, NO_CHANGES, WHOLE_SEGMENTS, act_choice};
use super::faults::{Coverage, FAULTS};
use super::plan::Plan;
use super::story::Story;
use super::wider;
use super::world::{Violation, World};

/// A run of less is no run: its schedule is drawn out.
pub const MIN_EVENTS: u64 = 200;
/// Tries of the shrinker.
const MAX_TRIES: u32 = 1500;

/// What came of one schedule.
pub struct Run {
    pub events: u64,
    pub violation: Option<Violation>,
    pub coverage: Coverage,
    /// The faults that struck.
    pub struck: Vec<Choice>,
    pub story: Vec<String>,
    pub plan: Plan,
}

/// One schedule: the seed, and what of it is muted.
pub fn run(seed: u64, muted: &BTreeSet<Choice>, told: bool) -> Run {
    let (mut plan, mut muted) = (Plan::draw(seed), muted.clone());
    if !muted.remove(&NARROW) {
        wider::widen(seed, &mut plan);
    }
    if !muted.remove(&LONG_PAGES) {
        wider::short_pages(seed, &mut plan);
    }
    if !muted.remove(&ALL_TOLD) {
        wider::leave_alone(seed, &mut plan);
    }
    if muted.remove(&NO_CHANGES) {
        plan.changes.clear();
        plan.deeds.clear();
    }
    if muted.remove(&WHOLE_SEGMENTS) {
        let max_unsaved = plan.history.max_unsaved;
        plan.history = History { max_unsaved, ..History::default() };
    }
    let story = if told { Story::told() } else { Story::default() };
    let mut world = World::new(seed, muted.clone(), plan, story);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        world.run_schedule();
        if world.violation.is_none() {
            world.finish();
        }
    }));
    if let Err(panic) = panicked {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world.wrong("nothing panics", text.unwrap_or_default());
    }
    if world.events < MIN_EVENTS && muted.is_empty() && world.violation.is_none() {
        let what = format!("a schedule of {} events", world.events);
        world.wrong("a run is a run", what);
    }
    Run {
        events: world.events,
        violation: world.violation,
        coverage: world.dice.coverage.clone(),
        struck: world.dice.struck.clone(),
        story: world.story.lines().to_vec(),
        plan: world.plan,
    }
}

/// What came of many.
#[derive(Default)]
pub struct Total {
    pub schedules: u64,
    pub events: u64,
    pub violations: Vec<(u64, Violation)>,
    pub coverage: Coverage,
    pub seconds: f64,
}

/// What is to be run.
#[derive(Clone, Copy)]
pub struct Order {
    pub first: u64,
    pub schedules: u64,
    pub limit: Option<Duration>,
    pub threads: usize,
    pub progress: bool,
    /// Ends with the first violation.
    pub stops: bool,
}

/// Runs the seeds of an order; their results do not depend on who runs them.
pub fn run_many(order: &Order) -> Total {
    let (next, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let total = Mutex::new(Total::default());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..order.threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let late = order.limit.is_some_and(|limit| begun.elapsed() > limit);
                    if at >= order.schedules || late || done.load(Ordering::Relaxed) {
                        return;
                    }
                    let seed = order.first + at;
                    let run = run(seed, &BTreeSet::new(), false);
                    if run.violation.is_some() && order.stops {
                        done.store(true, Ordering::Relaxed);
                    }
                    add(&mut total.lock().unwrap(), seed, run, order, begun);
                }
            });
        }
    });
    let mut total = total.into_inner().unwrap();
    total.seconds = begun.elapsed().as_secs_f64();
    total.violations.sort_by_key(|(seed, _)| *seed);
    total
}

fn add(total: &mut Total, seed: u64, run: Run, order: &Order, begun: Instant) {
    total.schedules += 1;
    total.events += run.events;
    total.coverage.add(&run.coverage);
    if let Some(violation) = &run.violation
        && order.progress
    {
        println!("seed {seed} violates \"{}\": {}", violation.checker, violation.what);
    }
    total.violations.extend(run.violation.map(|violation| (seed, violation)));
    if order.progress && total.schedules.is_multiple_of(1000) {
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{:>8} schedules, {:>6.0} a second, {:>8.0} events a second, {} violations",
            total.schedules,
            total.schedules as f64 / seconds,
            total.events as f64 / seconds,
            total.violations.len()
        );
    }
}

/// Mutes as much of a failing schedule as can be muted without losing the failure.
pub fn shrink(seed: u64, checker: &str) -> BTreeSet<Choice> {
    let fails = |muted: &BTreeSet<Choice>| {
        let run = run(seed, muted, false);
        run.violation.as_ref().is_some_and(|violation| violation.checker == checker).then_some(run)
    };
    let mut muted = BTreeSet::new();
    let Some(mut last) = fails(&muted) else { return muted };
    let mut tries = 0;
    loop {
        let acts = (0..last.plan.acts.len()).map(act_choice);
        let deeds = (0..last.plan.deeds.len()).map(deeds_choice);
        let faults = last.struck.iter().copied();
        let all: BTreeSet<Choice> =
            acts.chain(deeds).chain(faults).filter(|choice| !muted.contains(choice)).collect();
        let all: Vec<Choice> = all.into_iter().rev().collect();
        let before = muted.len();
        let mut size = all.len().div_ceil(2);
        while size > 0 {
            for part in all.chunks(size) {
                if part.iter().all(|choice| muted.contains(choice)) || tries >= MAX_TRIES {
                    continue;
                }
                tries += 1;
                let mut more = muted.clone();
                more.extend(part);
                if let Some(run) = fails(&more) {
                    (muted, last) = (more, run);
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        if muted.len() == before || tries >= MAX_TRIES {
            return muted;
        }
    }
}

/// A failing schedule as a story.
pub fn story(seed: u64, muted: &BTreeSet<Choice>, lines: usize) -> String {
    let run = run(seed, muted, true);
    let mut text = format!("seed {seed}, a backend with {}\n", run.plan.backend());
    let acts =
        run.plan.acts.len() - (0..run.plan.acts.len()).filter(|at| muted.contains(&act_choice(*at))).count();
    let faults = run.struck.iter().filter(|choice| **choice < act_choice(0)).count();
    text += &format!(
        "{acts} acts and {faults} faults are left, {} are muted, {} events:\n",
        muted.len(),
        run.events
    );
    let names = run.struck.iter().filter(|choice| **choice < act_choice(0));
    let names: Vec<String> = names
        .map(|choice| {
            let (fault, device) = (FAULTS[(choice >> 40) as usize], (choice >> 32 & 0xff) as usize);
            format!("{fault:?} ({})", run.plan.persons[device].name)
        })
        .collect();
    if !names.is_empty() {
        text += &format!("  faults: {}\n", names.join(", "));
    }
    let skipped = run.story.len().saturating_sub(lines);
    if skipped > 0 {
        text += &format!("  … {skipped} lines; all of them: npm run sim -- --seed {seed} --shrink\n");
    }
    for line in run.story.iter().skip(skipped) {
        text += &format!("  {line}\n");
    }
    if run.violation.is_none() {
        text += "  no promise is broken\n";
    }
    if !muted.is_empty() {
        text += &format!("  to keep it: ({seed}, &{muted:?}, \"…\") in tests/sim/regressions.rs\n");
    }
    text
}
