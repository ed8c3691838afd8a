//! How often a client does what it does: sends, attempts to connect, and nothing where it was told to be silent.

use std::collections::{BTreeMap, VecDeque};

use chatwire::proto::{ConnectionSnapshot, ConnectionState};

use super::plan::ROOMS;
use super::server::{PING_MS, PING_TIMEOUT_MS};
use super::world::World;

/// Delays of a run from which something is concluded: by chance alone so many are as short once in half a billion runs.
const ENOUGH_DELAYS: usize = 16;
/// Of what a delay may be at most, its mean share is a half.
const LEAST_MEAN_SHARE: f64 = 0.12;
/// The rate of sends is an average.
const RATE_OVER_MS: u64 = 5000;
/// From the fourth attempt on a delay that does not grow is told from one that does.
const GROWN_AFTER: u32 = 4;
/// Changes whose messages are not there yet (`timeline/orphans.rs`).
const MAX_ORPHANS: u64 = 128;
/// Questions to the backend (`client/rest.rs`).
const MAX_REQUESTS: u64 = 100;
/// More rows than these the conversations that are not the long one hardly ever have to fetch at once.
const SHORT_ROOM_ROWS: u64 = 150;
/// What waits for its segment to be read (`timeline/intake.rs`).
const MAX_WAITING: u64 = 512;
/// So long an answer is waited for where the application says nothing else (API.md, `ackTimeoutMs`).
const ANSWER_MS: u64 = 15_000;
/// The least that a link in doubt is listened to.
const PROBE_MS: u64 = 1900;
/// Between two clocks.
const CLOCK_MS: u64 = 200;
const BASE_MS: u64 = 1000;
const CAP_MS: u64 = 30_000;
/// Nobody looks at a hidden page.
const HIDDEN_MS: u64 = 5000;

/// What one page has sent in this life, and when it may again.
#[derive(Default)]
pub struct Pace {
    sent_ms: VecDeque<u64>,
    /// Until when the server wants no message at all.
    paused_until_ms: u64,
    /// When each message last left, and whether something before it was unanswered.
    left_ms: BTreeMap<usize, (u64, bool)>,
    /// Refusals for now that it has heard of, of what stood first in its conversation.
    refused: BTreeMap<usize, u64>,
    /// Attempts to connect since anything may have begun a new budget.
    attempts: u64,
    /// What the present socket has not answered, by ack id: whoever takes a copy for the answer may not have had it.
    unanswered: BTreeMap<u64, usize>,
    /// When it was last answered.
    answered_ms: u64,
}

impl Pace {
    /// What is sent again by the user begins anew.
    pub fn forget(&mut self, number: usize) {
        self.refused.remove(&number);
    }

    /// With the lead goes what was counted and not written yet.
    pub fn forget_refusals(&mut self) {
        self.refused.clear();
    }

    pub fn renew_attempts(&mut self) {
        self.attempts = 0;
    }

    pub fn begin_socket(&mut self) {
        self.unanswered.clear();
    }

    pub fn see_asked(&mut self, ack: u64, number: usize) {
        self.unanswered.insert(ack, number);
    }

    pub fn see_ack(&mut self, ack: u64, t: u64) {
        self.unanswered.remove(&ack);
        self.answered_ms = t;
    }

    fn see_answer(&mut self, t: u64, number: usize, answer: &str) {
        let is_first = self.left_ms.get(&number).is_some_and(|(_, is_first)| *is_first);
        if is_first && answer.contains("\"ServerError\"") {
            *self.refused.entry(number).or_default() += 1;
        }
        let digits = answer.split("\"retry_after_ms\":").nth(1).unwrap_or_default();
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(ms) = digits.parse::<u64>() {
            self.paused_until_ms = self.paused_until_ms.max(t + ms);
        }
    }
}

impl World {
    /// Whoever has resolved `disconnect()` has no socket any more.
    pub fn check_disconnected(&mut self, at: usize) {
        let device = &self.devices[at];
        if device.client.is_none() || !device.eyes.wire.disconnected {
            return;
        }
        if let Some(conn) = device.links.iter().find(|(_, link)| !link.closed).map(|(conn, _)| *conn) {
            let what = format!("socket {conn} of {} lives on", self.name(at));
            self.wrong("disconnect() is obeyed", what);
        }
    }

    /// An answer to message `number` has come.
    pub fn check_answer(&mut self, at: usize, number: usize, answer: &str) {
        let t = self.t;
        let eyes = &mut self.devices[at].eyes;
        eyes.pace.see_answer(t, number, answer);
        let refused = eyes.pace.refused.get(&number).copied().unwrap_or_default();
        // What the store did not take is counted anew by whoever reads it there.
        let home = self.devices[at].person.disk;
        if refused > self.plan.max_attempts
            && !self.disks[home].refused_once
            && !self.ledger.sent[number].torn
        {
            let what = format!("{} sends message {number} after {refused} refusals", self.name(at));
            self.wrong("a budget of attempts ends", what);
        }
    }

    /// Of what is unanswered one has been so for as long as an answer is waited for.
    pub fn check_patience(&mut self, at: usize) {
        let pace = &self.devices[at].eyes.pace;
        let left = pace.unanswered.values().filter_map(|number| pace.left_ms.get(number));
        let waited = left.map(|(ms, _)| self.t - ms).max();
        // A page that wakes up may find the time over before it reads the answer.
        let late = pace.answered_ms == self.t;
        if self.plan.answers && !late && waited.is_none_or(|ms| ms + CLOCK_MS < ANSWER_MS) {
            let what = format!("{} has waited {waited:?} ms", self.name(at));
            self.wrong("an answer is waited for", what);
        }
    }

    /// An attempt to connect begins.
    pub fn check_attempts(&mut self, at: usize) {
        let attempts = &mut self.devices[at].eyes.pace.attempts;
        *attempts += 1;
        let attempts = *attempts;
        if self.plan.connect_attempts.is_some_and(|max| attempts > max) {
            let what = format!("{} tries to connect for the {attempts}. time", self.name(at));
            self.wrong("each budget of attempts ends", what);
        }
    }

    /// A message leaves; `is_first`: nothing before it in its conversation is unanswered.
    pub fn check_pace(&mut self, at: usize, number: usize, is_first: bool) {
        let (t, name) = (self.t, self.name(at));
        let due = self.devices[at].eyes.pace.paused_until_ms;
        if due > t {
            let what = format!("{name} sends message {number} {} ms before the server wants any", due - t);
            self.wrong("the server's pace is kept", what);
        }
        let pace = &mut self.devices[at].eyes.pace;
        pace.left_ms.insert(number, (t, is_first));
        pace.sent_ms.push_back(t);
        while pace.sent_ms.front().is_some_and(|ms| *ms + RATE_OVER_MS < t) {
            pace.sent_ms.pop_front();
        }
        let rate = self.plan.sends_per_second;
        // What was let go may have waited for a slow store before it left.
        let waited = ROOMS.len() as u64 * if self.plan.ordered { self.plan.window } else { 1 };
        let most = rate * RATE_OVER_MS / 1000 + rate.min(5) + waited;
        let sent = pace.sent_ms.len() as u64;
        if sent > most {
            let what = format!("{name} sends {sent} within {RATE_OVER_MS} ms");
            self.wrong("the rate of sends is kept", what);
        }
    }

    /// An attempt has failed, and the next one is announced.
    pub fn see_delay(&mut self, at: usize, before: Option<ConnectionState>, told: &ConnectionSnapshot) {
        use ConnectionState as S;
        let Some(delay_ms) = told.retry_in_ms else { return };
        let name = self.name(at);
        if delay_ms > CAP_MS + HIDDEN_MS {
            let what = format!("{name} waits {delay_ms} ms");
            return self.wrong("retries have a longest pause", what);
        }
        let failed = matches!(before, Some(S::Connecting | S::Authenticating));
        if !failed || told.attempt < GROWN_AFTER {
            return;
        }
        let most_ms = (BASE_MS << (told.attempt - 1).min(20)).min(CAP_MS);
        self.delays.push(delay_ms as f64 / most_ms as f64);
    }

    /// A link is given up for its silence: after ping interval and time-out, or, where something gave reason to doubt it, a probe.
    pub fn check_death(&mut self, at: usize, silent_ms: u64) {
        let device = &self.devices[at];
        let doubted = device.troubled_ms + silent_ms >= self.t;
        let least_ms = if doubted { PROBE_MS } else { PING_MS + PING_TIMEOUT_MS - CLOCK_MS };
        if silent_ms < least_ms {
            let what = format!("{} gave it up after {silent_ms} ms of silence", self.name(at));
            self.wrong("a living link is kept", what);
        }
    }

    /// What waits in memory has its limits at any time.
    pub fn check_limits(&mut self, at: usize) {
        if self.devices[at].client.is_none() {
            return;
        }
        let numbers = self.numbers(at);
        // Each conversation may have asked for a page before there was too much; of one alone it may be of hundreds.
        let pages = MAX_WAITING + ROOMS.len() as u64 * SHORT_ROOM_ROWS;
        let unsaved = u64::from(self.plan.history.max_unsaved) + pages;
        for (name, most) in [("orphans", MAX_ORPHANS), ("requests", MAX_REQUESTS), ("unsaved", unsaved)] {
            let count = numbers[name].as_u64().unwrap_or(u64::MAX);
            if count > most {
                let what = format!("{} keeps {count} {name}, at most {most}", self.name(at));
                self.wrong("each queue has its limit", what);
            }
        }
    }

    /// At the end of a run, over all of it.
    pub fn check_delays(&mut self) {
        let mean = self.delays.iter().sum::<f64>() / self.delays.len().max(1) as f64;
        if self.delays.len() >= ENOUGH_DELAYS && mean < LEAST_MEAN_SHARE {
            let what = format!("{} delays, of {mean:.2} of what they may be", self.delays.len());
            self.wrong("retries become slower", what);
        }
    }
}
