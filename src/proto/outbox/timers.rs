//! When this machine is to be woken up.

use super::super::api::Now;
use super::super::timer::{Timer, Timers};
use super::{Outbox, Stage, clock_of};

impl Outbox {
    /// Sets the timers that this machine owns to the earliest of its deadlines.
    pub fn update_timers(&self, now: Now, timers: &mut Timers) {
        let (mut ack, mut expiry, mut retry) = (None, None, None);
        let earlier = |slot: &mut Option<u64>, at: u64| *slot = Some(slot.map_or(at, |old| old.min(at)));
        for row in self.rows_of_lanes() {
            if let Stage::InFlight { deadline_mono_ms } = row.stage {
                // Once shut, nobody drops a socket for an answer that is overdue.
                if self.open && !row.is_requested() {
                    earlier(&mut ack, deadline_mono_ms);
                }
            } else if let Some(at) = row.record.expires_at_ms
                && row.stage == Stage::Queued
                && self.generation != 0
            {
                let wait = u64::try_from(at).unwrap_or(0).saturating_sub(clock_of(now));
                // What is over already waits for the store's answer.
                if wait > 0 || !self.overdue {
                    earlier(&mut expiry, now.mono_ms.saturating_add(wait));
                }
            }
        }
        if self.open {
            for (_, lane) in self.lanes.iter() {
                let at = lane.retry_at_mono_ms.max(self.paused_until_mono_ms);
                if at > now.mono_ms {
                    earlier(&mut retry, at);
                }
            }
        }
        timers.update(Timer::Ack, ack);
        timers.update(Timer::Expiry, expiry);
        timers.postpone(Timer::SendRetry, retry, now.mono_ms);
        timers.update(Timer::HeldCopies, self.held.first().map(|held| held.until_mono_ms));
        let starved = self.open && !self.lanes.is_empty() && self.bucket.is_empty(now.mono_ms);
        let refill = starved.then(|| self.bucket.refill_at(now.mono_ms));
        timers.postpone(Timer::Rate, refill, now.mono_ms);
    }
}
