//! Every deadline of the core, by name, on the monotonic clock.
//!
//! Law: a machine sets and clears its own timers here; the client asks for the next one and fires those that are
//! due. A wake-up that comes early fires nothing.

/// The one list of timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A token, the socket and its handshake must be there by then.
    Connect,
    /// The token ends soon.
    Renewal,
    /// The next attempt to connect.
    Retry,
    /// Silence past this is a dead link.
    Heartbeat,
    /// A join is overdue, or a topic is joined again.
    Topics,
    /// An `online` that stays until then starts the attempts afresh.
    Stable,
    /// No hello by then: the backend is taken as plain (D2).
    Hello,
    /// The earliest unanswered send is overdue (D10).
    Ack,
    /// The earliest conversation whose retry waits.
    SendRetry,
    /// The earliest message that expires.
    Expiry,
    /// The rate limit lets the next send pass.
    Rate,
    /// Copies without a key are let go (D12).
    HeldCopies,
    /// The catch-up tries again, or a send waits no longer for its list.
    Sync,
    /// Own typing stops by itself.
    TypingStop,
    /// Others' typing is forgotten.
    TypingExpiry,
    /// Unanswered calls of `wire.send`.
    WireAck,
    /// The store is tried again.
    StoreRetry,
    /// A token for a request without a connection must be there by then.
    Token,
    /// The outbox is read again, since a poke may be lost.
    Rescan,
    /// The leading tab has not been heard: nobody waits for its connection any longer.
    Silence,
    /// The leading tab is asked whether it runs, or should have answered.
    Lease,
}

const COUNT: usize = Timer::Lease as usize + 1;

/// The table of deadlines in monotonic milliseconds.
#[derive(Clone, Debug)]
pub struct Timers {
    deadlines: [Option<u64>; COUNT],
}

impl Default for Timers {
    fn default() -> Self {
        Self { deadlines: [None; COUNT] }
    }
}

impl Timers {
    /// Sets `timer`, or moves it.
    pub fn set(&mut self, timer: Timer, at_mono_ms: u64) {
        if let Some(slot) = self.deadlines.get_mut(timer as usize) {
            *slot = Some(at_mono_ms);
        }
    }

    /// Sets or clears.
    pub fn update(&mut self, timer: Timer, at_mono_ms: Option<u64>) {
        if let Some(slot) = self.deadlines.get_mut(timer as usize) {
            *slot = at_mono_ms;
        }
    }

    /// Sets or clears, but for one that is due and has not fired yet: whoever waits for it would wait for ever.
    pub fn postpone(&mut self, timer: Timer, at_mono_ms: Option<u64>, now_mono_ms: u64) {
        if self.get(timer).is_none_or(|due| due > now_mono_ms) {
            self.update(timer, at_mono_ms);
        }
    }

    pub fn clear(&mut self, timer: Timer) {
        self.update(timer, None);
    }

    pub fn get(&self, timer: Timer) -> Option<u64> {
        self.deadlines.get(timer as usize).copied().flatten()
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<u64> {
        let mut earliest: Option<u64> = None;
        for deadline in &self.deadlines {
            if let Some(at) = *deadline
                && earliest.is_none_or(|known| at < known)
            {
                earliest = Some(at);
            }
        }
        earliest
    }

    /// Clears `timer` and says whether it was due.
    pub fn take_due(&mut self, timer: Timer, now_mono_ms: u64) -> bool {
        let due = self.get(timer).is_some_and(|at| at <= now_mono_ms);
        if due {
            self.clear(timer);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_early_wake_up_fires_nothing() {
        let mut timers = Timers::default();
        timers.set(Timer::Retry, 100);
        timers.set(Timer::Ack, 50);
        assert_eq!(timers.next(), Some(50));
        assert!(!timers.take_due(Timer::Retry, 99));
        assert!(timers.take_due(Timer::Retry, 100));
        assert!(!timers.take_due(Timer::Retry, 100), "a timer fires once");
        assert_eq!(timers.next(), Some(50));
    }
}
