//! Whether the link lives: the server's pings by two clocks (E2).
//!
//! Law: any frame is life. Silence for ping interval and time-out on the monotonic clock is death. When only the
//! wall clock says so, the machine slept or the clock was set: the link is in doubt, nothing is sent on it, and the
//! next frame or [`PROBE_MS`] decides. The client of Engine.IO may not ping, so there a probe is listening (elsewhere it asks): after a sleep
//! the server has given the link up and nothing will come, and two seconds lost are cheap; after a mere change of the
//! clock it costs at worst one reconnect. A timer that fires late proves as little (frames may stand in the same
//! event loop behind it), so that is a probe too.

use crate::proto::{Now, mutant};

/// How long a link in doubt is listened to.
pub(super) const PROBE_MS: u64 = 2_000;

/// A heartbeat timer that fires this late was held up, and the frames with it.
const LATE_MS: u64 = 1_000;

/// How long a server that is busy is waited for beyond its time: as long as one join may take (X5).
const MAX_HOLD_MS: u64 = 10_000;

/// How late a ping may come after the network has changed, instead of the whole ping time-out.
const CHANGED_NETWORK_GRACE_MS: u64 = 5_000;

/// The time-out of whoever is not known to answer.
const NEVER_MS: u64 = u64::MAX;

/// What is known of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Alive,
    /// Wait for a frame until the next deadline, and send nothing.
    InDoubt,
    Dead,
}

/// The pings of one socket.
#[derive(Clone, Debug)]
pub(super) struct Heartbeat {
    interval_ms: u64,
    timeout_ms: u64,
    heard: Now,
    pinged_mono_ms: u64,
    /// The network has changed since the last frame.
    suspect: bool,
    probe_until_mono_ms: Option<u64>,
    /// Death waits until then: the server is busy with what was asked of it (X5).
    hold_until_mono_ms: u64,
    /// Where this side asks whether the other lives: when it does so next (X7).
    beat_mono_ms: Option<u64>,
}

impl Heartbeat {
    /// Begins with the handshake, which says how often the server pings.
    pub(super) fn new(interval_ms: u64, timeout_ms: u64, now: Now) -> Self {
        Self {
            interval_ms,
            timeout_ms,
            heard: now,
            pinged_mono_ms: now.mono_ms,
            suspect: false,
            probe_until_mono_ms: None,
            hold_until_mono_ms: 0,
            beat_mono_ms: None,
        }
    }

    /// Begins with the socket; this side asks, so often, and is answered within the time-out (X7).
    pub(super) fn beating(interval_ms: u64, timeout_ms: u64, now: Now) -> Self {
        let beat_mono_ms = Some(now.mono_ms.saturating_add(interval_ms));
        Self { beat_mono_ms, ..Self::new(interval_ms, timeout_ms, now) }
    }

    /// The same, where nobody knows whether the other side answers: until it has, silence says nothing (A10).
    #[cfg(feature = "json")]
    pub(super) fn unanswered(interval_ms: u64, now: Now) -> Self {
        Self::beating(interval_ms, NEVER_MS, now)
    }

    /// It does: from now on within this time.
    #[cfg(feature = "json")]
    pub(super) fn expect_answers(&mut self, timeout_ms: u64) {
        self.timeout_ms = timeout_ms;
    }

    /// Whether it is time to ask; the next time comes an interval later.
    pub(super) fn take_beat(&mut self, now: Now) -> bool {
        let due = self.beat_mono_ms.is_some_and(|at| at <= now.mono_ms);
        if due {
            self.beat_mono_ms = Some(now.mono_ms.saturating_add(self.interval_ms));
        }
        due
    }

    /// The server may be busy until then, and is not dead before (X5); 0: it is not.
    pub(super) fn hold(&mut self, until_mono_ms: u64) {
        self.hold_until_mono_ms = until_mono_ms;
    }

    /// A frame has come.
    pub(super) fn on_frame(&mut self, now: Now) {
        self.heard = now;
        self.suspect = false;
        self.probe_until_mono_ms = None;
    }

    /// The frame was a ping.
    pub(super) fn on_ping(&mut self, now: Now) {
        self.pinged_mono_ms = now.mono_ms;
    }

    /// The page says that the network went or came: the next ping must be punctual, or what is asked now answered.
    pub(super) fn on_network_change(&mut self, now: Now) {
        self.suspect = !(cfg!(feature = "json") && self.timeout_ms == NEVER_MS);
        if let Some(beat) = &mut self.beat_mono_ms {
            *beat = now.mono_ms;
            self.pinged_mono_ms = now.mono_ms.saturating_sub(self.interval_ms);
        }
    }

    /// When to look again, on the monotonic clock.
    pub(super) fn deadline_mono_ms(&self) -> u64 {
        let death = self.death_mono_ms();
        self.beat_mono_ms.map_or(death, |beat| beat.min(death))
    }

    fn death_mono_ms(&self) -> u64 {
        let silence = self.heard.mono_ms.saturating_add(self.interval_ms).saturating_add(self.timeout_ms);
        let silence = if mutant::is(61) { self.heard.mono_ms + 10_000 } else { silence };
        let ping = self.pinged_mono_ms.saturating_add(self.interval_ms);
        let death = match self.probe_until_mono_ms {
            Some(until) => until,
            // Where the ping is late already, a frame that has come since says that it is held up, and not the link dead.
            None if self.suspect => {
                silence.min(ping.max(self.heard.mono_ms).saturating_add(CHANGED_NETWORK_GRACE_MS))
            }
            None => silence,
        };
        // Once, and not as long as one join after the other times out on a dead link.
        death.max(self.hold_until_mono_ms.min(death.saturating_add(MAX_HOLD_MS)))
    }

    /// Judges the link when its timer has fired.
    pub(super) fn on_timer(&mut self, now: Now) -> Life {
        let deadline = self.death_mono_ms();
        if now.mono_ms < deadline {
            return self.look(now);
        }
        if self.probe_until_mono_ms.is_none() && now.mono_ms - deadline > LATE_MS {
            return self.doubt(now);
        }
        Life::Dead
    }

    /// Judges the link before a send or after a wake-up. Silence by the monotonic clock is death here, however late
    /// its timer is (E2).
    pub(super) fn look(&mut self, now: Now) -> Life {
        if now.mono_ms >= self.death_mono_ms() {
            return Life::Dead;
        }
        if self.probe_until_mono_ms.is_some() {
            return Life::InDoubt;
        }
        let silent_ms = now.wall_ms.saturating_sub(self.heard.wall_ms);
        if silent_ms >= self.interval_ms.saturating_add(self.timeout_ms) {
            return self.doubt(now);
        }
        Life::Alive
    }

    fn doubt(&mut self, now: Now) -> Life {
        if let Some(beat) = &mut self.beat_mono_ms {
            *beat = now.mono_ms;
        }
        self.probe_until_mono_ms = Some(now.mono_ms.saturating_add(PROBE_MS));
        Life::InDoubt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64, wall_ms: u64) -> Now {
        Now { mono_ms, wall_ms }
    }

    fn heartbeat() -> Heartbeat {
        Heartbeat::new(25_000, 20_000, at(1_000, 1_000))
    }

    #[test]
    fn e2_silence_past_interval_and_timeout_is_death() {
        let mut beat = heartbeat();
        assert_eq!(beat.deadline_mono_ms(), 46_000);
        assert_eq!(beat.look(at(45_999, 45_999)), Life::Alive);
        assert_eq!(beat.on_timer(at(46_000, 46_000)), Life::Dead);
        assert_eq!(beat.look(at(46_000, 46_000)), Life::Dead);
        beat.on_frame(at(45_000, 45_000));
        assert_eq!(beat.on_timer(at(46_000, 46_000)), Life::Alive, "any frame is life");
        assert_eq!(beat.deadline_mono_ms(), 90_000);
    }

    #[test]
    fn e2_a_sleep_that_only_the_wall_clock_saw_is_a_probe() {
        let mut beat = heartbeat();
        assert_eq!(beat.look(at(2_000, 3_600_000)), Life::InDoubt);
        assert_eq!(beat.look(at(3_000, 3_601_000)), Life::InDoubt, "the probe is not prolonged");
        assert_eq!(beat.deadline_mono_ms(), 4_000);
        assert_eq!(beat.on_timer(at(4_000, 3_602_000)), Life::Dead);

        let mut beat = heartbeat();
        assert_eq!(beat.look(at(2_000, 3_600_000)), Life::InDoubt);
        beat.on_frame(at(2_500, 3_600_500));
        assert_eq!(beat.look(at(2_600, 3_600_600)), Life::Alive, "the clock was set, the link lives");
    }

    #[test]
    fn a_clock_that_goes_back_kills_nothing() {
        let mut beat = heartbeat();
        assert_eq!(beat.look(at(40_000, 0)), Life::Alive);
        assert_eq!(beat.on_timer(at(46_000, 0)), Life::Dead, "the monotonic clock still counts");
    }

    #[test]
    fn a_timer_that_was_held_up_gives_the_queued_frames_a_chance() {
        let mut beat = heartbeat();
        assert_eq!(beat.on_timer(at(60_000, 60_000)), Life::InDoubt);
        assert_eq!(beat.on_timer(at(62_000, 62_000)), Life::Dead);
    }

    #[test]
    fn after_a_change_of_network_the_next_ping_must_be_punctual() {
        let mut beat = heartbeat();
        beat.on_ping(at(26_000, 26_000));
        beat.on_frame(at(26_000, 26_000));
        beat.on_network_change(at(26_500, 26_500));
        assert_eq!(beat.deadline_mono_ms(), 56_000, "ping interval and five seconds");
        beat.on_frame(at(30_000, 30_000));
        assert_eq!(beat.deadline_mono_ms(), 75_000);
    }
}
