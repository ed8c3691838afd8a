//! Whether the leading tab runs: a tab that follows asks it, and takes the lead from one that does not answer.
//!
//! Law: a leader answers in the task in which it is asked, so only a page that does not run is silent: frozen without
//! a word, held in a debugger, or lost in a loop. A browser keeps such a page's lock. Two questions in a row without an
//! answer, and the lock is stolen; from one that has yielded it is taken at once. So a leader whose request to the store
//! took long may have been robbed meanwhile: it puts nothing on the wire before it has read its generation again (rule 3).

use super::super::api::{Now, Output, TabOutput};
use super::super::timer::Timer;
use super::Client;
use super::storage::{Flight, Lead};
use crate::proto::mutant;

/// How often a tab asks; the timers of a hidden one come later, as the browser has it.
const ASK_EVERY_MS: u64 = 4_000;
/// How long an answer is waited for, and how many may be missing.
const ANSWER_MS: u64 = 2_000;
const MAX_UNANSWERED: u64 = 2;
/// A timer that is this late says that this page itself did not run: the leader had no chance to answer.
const LATE_MS: u64 = 1_000;
/// A leader that has been hidden for so long, where timers are slow, hands over to a tab that is looked at.
const HANDOVER_MS: u64 = 30_000;

/// A request to the store that takes this long puts the lead in doubt. A lease is longer, but a page may yield and stand
/// still right after, and one read in a second costs nothing.
const DOUBT_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub(super) struct Lease {
    unanswered: u64,
    hidden_since_mono_ms: Option<u64>,
    /// A request to the store was under way for long: nothing goes out before the generation was read.
    pub in_doubt: bool,
}

impl Lease {
    pub fn new(visible: bool) -> Self {
        Self { hidden_since_mono_ms: (!visible).then_some(0), ..Self::default() }
    }
}

impl Client {
    /// Begins to ask, or goes on after an answer.
    pub(super) fn watch_leader(&mut self, now: Now) {
        self.lease.unanswered = 0;
        let at = (self.storage.lead == Lead::Follows).then_some(now.mono_ms + ASK_EVERY_MS);
        self.timers.update(Timer::Lease, at);
    }

    pub(super) fn on_visibility(&mut self, now: Now, visible: bool) {
        if self.is_visible() != visible {
            self.lease.hidden_since_mono_ms = (!visible).then_some(now.mono_ms);
            if visible && self.storage.lead == Lead::Follows {
                // Somebody looks: whether the leader runs counts now.
                self.timers.set(Timer::Lease, now.mono_ms);
            } else {
                self.watch_leader(now);
            }
        }
    }

    fn is_visible(&self) -> bool {
        self.lease.hidden_since_mono_ms.is_none()
    }

    pub(super) fn on_lease_timer(&mut self, now: Now, due_mono_ms: u64) {
        if self.storage.lead != Lead::Follows {
            return;
        }
        if now.mono_ms > due_mono_ms + LATE_MS {
            self.lease.unanswered = 0;
        }
        if self.lease.unanswered >= MAX_UNANSWERED {
            return self.steal_lead();
        }
        self.lease.unanswered += 1;
        self.timers.set(Timer::Lease, now.mono_ms + ANSWER_MS);
        let visible = self.is_visible();
        self.outputs.push_back(Output::Tab(TabOutput::Ask { visible }));
    }

    /// The lock goes to this tab whatever its holder does; that one hears of it, if it ever runs again.
    pub(super) fn steal_lead(&mut self) {
        self.timers.clear(Timer::Lease);
        self.storage.lead = Lead::Asked;
        self.outputs.push_back(Output::Tab(TabOutput::Steal));
    }

    /// Another tab wants to know whether the leader runs.
    pub(super) fn on_asked(&mut self, now: Now, visible: bool) {
        if !(self.leads() || self.storage.lead == Lead::Claims) {
            return;
        }
        let hidden_ms = self.lease.hidden_since_mono_ms.map_or(0, |since| now.mono_ms.saturating_sub(since));
        let yields = self.leads() && visible && hidden_ms >= HANDOVER_MS;
        let word = if yields { TabOutput::Yield } else { TabOutput::Alive };
        self.outputs.push_back(Output::Tab(word));
    }

    /// The leader, which nobody looks at, leaves the lead to a tab that is looked at.
    pub(super) fn on_yielded(&mut self) {
        if self.storage.lead == Lead::Follows && self.is_visible() {
            self.steal_lead();
        }
    }

    /// A transaction is answered.
    pub(super) fn look_at_lease(&mut self, now: Now, flight: &mut Flight) {
        if !outlives_lease(flight.asked, now) {
            return;
        }
        // Others may have made more of it meanwhile: they read what there is.
        flight.changes = None;
        if self.leads() && !mutant::is(31) {
            self.lease.in_doubt = true;
            self.rescan(now);
        }
    }
}

/// Whether a request to the store, made at `asked` and answered now, was under way so long that the lead may have been lost
/// meanwhile.
pub(super) fn outlives_lease(asked: Now, now: Now) -> bool {
    // The monotonic clock may stand still while a machine sleeps, and the other may be set.
    let mono_ms = now.mono_ms.saturating_sub(asked.mono_ms);
    let wall_ms = now.wall_ms.saturating_sub(asked.wall_ms);
    mono_ms.max(wall_ms) >= DOUBT_MS
}
