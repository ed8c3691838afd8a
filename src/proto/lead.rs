//! Whether this tab leads; and whether the tab that does runs: one that follows asks it, and takes the lead from one that
//! does not answer.
//!
//! Law: the state changes by the table alone (`table.rs`), in `shift`. A leader answers in the task in which it is asked, so
//! only a page that does not run is silent: frozen without a word, held in a debugger, or lost in a loop. A browser keeps
//! such a page's lock. Two questions in a row without an answer, and the lock is stolen; from one that has yielded it is
//! taken at once. So a leader whose request to the store took long may have been robbed meanwhile: it puts nothing on the
//! wire before it has read its generation again (rule 3).

mod table;
#[cfg(test)]
mod tests;

pub use table::{Signal, State};

use super::api::{Now, TabOutput};
use super::timer::{Timer, Timers};

/// How often a tab asks; the timers of a hidden one come later, as the browser has it.
const ASK_EVERY_MS: u64 = 4_000;
/// How long an answer is waited for, and how many may be missing.
const ANSWER_MS: u64 = 2_000;
const MAX_UNANSWERED: u64 = 2;
/// A timer that is this late says that this page itself did not run: the leader had no chance to answer. One that is late
/// again is a hidden page's, which a browser holds up a minute at a time, and what was said in between was heard.
const LATE_MS: u64 = 1_000;
/// A leader that has been hidden for so long, where timers are slow, hands over to a tab that is looked at.
const HANDOVER_MS: u64 = 30_000;

/// A request to the store that takes this long puts the lead in doubt. A lease is longer, but a page may yield and stand
/// still right after, and one read in a second costs nothing.
const DOUBT_MS: u64 = 1_000;

/// The lead of one tab.
#[derive(Debug, Default)]
pub struct Lead {
    state: State,
    /// What this tab leads under, and the version of its record: while it is not claimed that of the leader before, where
    /// there was one.
    pub generation: u64,
    pub version: Option<u64>,
    unanswered: u64,
    was_late: bool,
    hidden_since_mono_ms: Option<u64>,
    /// A request to the store was under way for long: nothing goes out before the generation was read.
    pub in_doubt: bool,
    /// Cells of the table that this instance has been through, a bit for each signal: for the simulator.
    #[cfg(debug_assertions)]
    cells: [u8; 6],
}

impl Lead {
    pub fn new(visible: bool, now: Now) -> Self {
        Self { hidden_since_mono_ms: (!visible).then_some(now.mono_ms), ..Self::default() }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the socket is this tab's, and what comes from it its to keep.
    pub fn leads(&self) -> bool {
        matches!(self.state, State::Leads | State::Unclaimed)
    }

    /// Moves by the table; false where the signal means nothing in this state.
    pub fn shift(&mut self, signal: Signal, now: Now, timers: &mut Timers) -> bool {
        let Some(next) = table::next(self.state, signal) else {
            return false;
        };
        #[cfg(debug_assertions)]
        if let Some(signals) = self.cells.get_mut(self.state as usize) {
            *signals |= 1 << signal as u8;
        }
        self.state = next;
        self.in_doubt &= self.leads();
        self.watch(now, timers);
        true
    }

    /// Every cell of the table that means something, and whether this instance has been through it.
    #[cfg(debug_assertions)]
    pub fn cells(&self) -> Vec<(String, bool)> {
        let reached = |state: State, signal: Signal| {
            self.cells.get(state as usize).is_some_and(|signals| signals & (1 << signal as u8) != 0)
        };
        table::TABLE.cells(&reached)
    }

    /// Begins to ask, or goes on after an answer; whoever does not follow asks nobody.
    pub fn watch(&mut self, now: Now, timers: &mut Timers) {
        (self.unanswered, self.was_late) = (0, false);
        let at = (self.state == State::Follows).then_some(now.mono_ms + ASK_EVERY_MS);
        timers.update(Timer::Lease, at);
    }

    pub fn on_visibility(&mut self, now: Now, visible: bool, timers: &mut Timers) {
        if self.is_visible() != visible {
            self.hidden_since_mono_ms = (!visible).then_some(now.mono_ms);
            if visible && self.state == State::Follows {
                // Somebody looks: whether the leader runs counts now.
                timers.set(Timer::Lease, now.mono_ms);
            } else {
                self.watch(now, timers);
            }
        }
    }

    fn is_visible(&self) -> bool {
        self.hidden_since_mono_ms.is_none()
    }

    /// It is time to ask, or to stop asking. What is to be done.
    pub fn on_timer(&mut self, now: Now, due_mono_ms: u64, timers: &mut Timers) -> Option<TabOutput> {
        if self.state != State::Follows {
            return None;
        }
        let late = now.mono_ms > due_mono_ms + LATE_MS;
        if late && !self.was_late {
            self.unanswered = 0;
        }
        self.was_late = late;
        if self.unanswered >= MAX_UNANSWERED {
            return self.steal(now, timers);
        }
        self.unanswered += 1;
        timers.set(Timer::Lease, now.mono_ms + ANSWER_MS);
        Some(TabOutput::Ask { visible: self.is_visible() })
    }

    /// The lock goes to this tab whatever its holder does; that one hears of it, if it ever runs again.
    fn steal(&mut self, now: Now, timers: &mut Timers) -> Option<TabOutput> {
        self.shift(Signal::Steal, now, timers).then_some(TabOutput::Steal)
    }

    /// Another tab wants to know whether the leader runs.
    pub fn on_asked(&self, now: Now, visible: bool) -> Option<TabOutput> {
        let hidden_ms = self.hidden_since_mono_ms.map_or(0, |since| now.mono_ms.saturating_sub(since));
        if self.leads() && visible && hidden_ms >= HANDOVER_MS {
            return Some(TabOutput::Yield);
        }
        (self.leads() || self.state == State::Claims).then_some(TabOutput::Alive)
    }

    /// The leader, which nobody looks at, leaves the lead to a tab that is looked at.
    pub fn on_yielded(&mut self, now: Now, timers: &mut Timers) -> Option<TabOutput> {
        if self.is_visible() { self.steal(now, timers) } else { None }
    }
}

/// Whether a request to the store, made at `asked` and answered now, was under way so long that the lead may have been lost
/// meanwhile.
pub fn outlives_lease(asked: Now, now: Now) -> bool {
    // The monotonic clock may stand still while a machine sleeps, and the other may be set.
    let mono_ms = now.mono_ms.saturating_sub(asked.mono_ms);
    let wall_ms = now.wall_ms.saturating_sub(asked.wall_ms);
    mono_ms.max(wall_ms) >= DOUBT_MS
}
