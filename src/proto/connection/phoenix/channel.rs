//! One channel of a Phoenix socket: how far its join is, and who is present.

use super::presence::Roster;
use crate::proto::model::Failure;
use crate::proto::rng::Rng;
use crate::proto::wire::json::decimal;

/// A join is answered within this (X5).
const JOIN_TIMEOUT_MS: u64 = 10_000;
/// Before the next join after a failure (X4), in milliseconds; drawn within ±50 %.
const REJOIN_DELAYS_MS: [u64; 4] = [1_000, 2_000, 5_000, 10_000];

/// How far it is.
#[derive(Debug)]
pub(super) enum State {
    /// Its turn to be joined has not come.
    Wanted,
    /// Whoever knows its parameters was told to join it.
    Asked,
    Joining {
        deadline_mono_ms: u64,
    },
    Joined,
    /// It crashed, or its join was not answered: joined again by then (X4, X5).
    Errored {
        retry_at_mono_ms: u64,
    },
    /// The join was refused: pushes are refused with this until it is tried again.
    Refused {
        failure: Box<Failure>,
        retry_at_mono_ms: u64,
    },
    /// The server has closed it: joined again only for a push, and not before then (X4).
    Closed {
        retry_at_mono_ms: u64,
    },
    /// The server does not know the topic, which it need not.
    Absent,
}

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) state: State,
    /// The ref of its present join; every join has a new one (X6).
    pub(super) join_ref: u64,
    /// Failures in a row.
    tries: usize,
    /// Somebody has looked at it, or pushed to it.
    pub(super) urgent: bool,
    pub(super) roster: Roster,
}

impl Channel {
    pub(super) fn wanted() -> Self {
        Self { state: State::Wanted, join_ref: 0, tries: 0, urgent: false, roster: Roster::default() }
    }

    pub(super) fn is_of(&self, join_ref: &str) -> bool {
        self.join_ref != 0 && decimal(self.join_ref) == join_ref
    }

    pub(super) fn begin(&mut self, join_ref: u64, now_mono_ms: u64) {
        self.join_ref = join_ref;
        self.state = State::Joining { deadline_mono_ms: now_mono_ms + JOIN_TIMEOUT_MS };
        self.roster.begin();
    }

    /// The time for its answer begins anew, where one is awaited.
    pub(super) fn wait_anew(&mut self, now_mono_ms: u64) {
        if let State::Joining { deadline_mono_ms } = &mut self.state {
            *deadline_mono_ms = now_mono_ms + JOIN_TIMEOUT_MS;
        }
    }

    pub(super) fn on_joined(&mut self) {
        self.tries = 0;
        self.state = State::Joined;
    }

    /// After a crash, or a join without an answer.
    pub(super) fn on_error(&mut self, now_mono_ms: u64, rng: &mut Rng) {
        let retry_at_mono_ms = self.next_try(now_mono_ms, rng);
        self.state = State::Errored { retry_at_mono_ms };
        self.join_ref = 0;
    }

    pub(super) fn on_closed(&mut self, now_mono_ms: u64, rng: &mut Rng) {
        let retry_at_mono_ms = self.next_try(now_mono_ms, rng);
        self.state = State::Closed { retry_at_mono_ms };
        self.join_ref = 0;
    }

    pub(super) fn on_refused(&mut self, failure: Failure, now_mono_ms: u64, rng: &mut Rng) {
        let retry_at_mono_ms = self.next_try(now_mono_ms, rng);
        self.state = State::Refused { failure: Box::new(failure), retry_at_mono_ms };
        self.join_ref = 0;
    }

    fn next_try(&mut self, now_mono_ms: u64, rng: &mut Rng) -> u64 {
        let [.., last] = REJOIN_DELAYS_MS;
        let delay = REJOIN_DELAYS_MS.get(self.tries).copied().unwrap_or(last);
        self.tries += 1;
        now_mono_ms + rng.between(delay / 2, delay + delay / 2)
    }

    /// When it is to be looked at again.
    pub(super) fn deadline_mono_ms(&self) -> Option<u64> {
        match self.state {
            State::Joining { deadline_mono_ms } => Some(deadline_mono_ms),
            State::Errored { retry_at_mono_ms } | State::Refused { retry_at_mono_ms, .. } => {
                Some(retry_at_mono_ms)
            }
            _ => None,
        }
    }
}
