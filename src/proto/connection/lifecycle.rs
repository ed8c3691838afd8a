//! Attempts, losses and tokens: what a signal of the table entails.
//!
//! Law: whoever leaves a state clears its timers and ends what was under way in it, in one place (`Connection::leave`),
//! so that no timer, token question or socket outlives its state.

use super::backoff::{network_back_delay_ms, retry_delay_ms};
use super::heartbeat::Life;
#[cfg(not(feature = "several"))]
use super::session::Framing as _;
use super::session::Stage;
use super::table::{self, Signal};
use super::{Action, Connection, Cx};
use crate::proto::model::first_chars;
use crate::proto::mutant;
use crate::proto::text::concat;
use crate::proto::timer::{Timer, Timers};
use crate::proto::wire::json::decimal;
use crate::proto::{ConnectionState, ErrorCode, Failure, Now, Secret, SocketOutput, TokenReason};

/// An `online` of this length starts the attempts afresh. A frame is no evidence of health (servers that fall over
/// greet first), and the first ping is half a minute away; ten seconds are beyond the usual crash loop.
const STABLE_MS: u64 = 10_000;

/// The close code of whatever this side ends.
const NORMAL_CLOSE: u16 = 1000;

/// Longest text of others shown as a reason, in characters.
const MAX_REASON_CHARS: usize = 200;

impl Connection {
    /// Begins an attempt, or says what stands in its way.
    pub(super) fn attempt(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        if let Some((blocked, reason)) = self.obstacle() {
            // `connect()` is heard even now: it leaves `closed` for what it must wait for.
            if matches!(self.state, ConnectionState::Idle | ConnectionState::Closed | ConnectionState::Failed)
            {
                self.shift(signal, None, cx.now, cx.timers);
            }
            self.block(blocked, reason, cx.now, cx.timers);
        } else if self.shift(signal, None, cx.now, cx.timers) {
            if mutant::is(23) && signal == Signal::Wake && self.token.is_some() {
                let token = self.token.clone().unwrap_or(Secret(String::new()));
                return self.open_socket(token, cx.now, cx.timers);
            }
            // Once until it is online again, or the application asks: a server that is down refuses all tokens alike (X9).
            let refused = core::mem::take(&mut self.upgrade_refused) && !self.upgrade_renewed;
            self.upgrade_asked = refused;
            let reason = if refused { TokenReason::Refused } else { TokenReason::Connect };
            self.ask_token(reason, cx.now, cx.timers);
        }
    }

    /// What forbids an attempt now, with the signal that says so.
    pub(super) fn obstacle(&self) -> Option<(Signal, &'static str)> {
        match self.leads {
            _ if self.page.frozen => Some((Signal::Park, "page frozen")),
            None => Some((Signal::Hold, "finding the leading tab")),
            Some(false) => Some((Signal::Hold, "another tab leads")),
            Some(true) if !self.page.online => Some((Signal::Park, "offline")),
            Some(true) => None,
        }
    }

    /// Stops whatever goes on until the obstacle is gone.
    pub(super) fn block(&mut self, signal: Signal, reason: &'static str, now: Now, timers: &mut Timers) {
        let stays = table::next(self.state, signal) == Some(self.state)
            && self.reason.as_deref() == Some(reason)
            && self.retry_at_mono_ms.is_none();
        if !stays {
            self.leave(signal, reason.to_owned(), Some(reason), now, timers);
        }
    }

    /// A wake-up: tries now, with a fresh budget, if the application wants to be connected and is not.
    pub(super) fn wake(&mut self, cx: &mut Cx<'_>) {
        if self.is_resting() {
            self.renew_attempts();
            self.attempt(Signal::Wake, cx);
        }
    }

    /// The network is back: tries soon, with a fresh budget.
    pub(super) fn wake_soon(&mut self, cx: &mut Cx<'_>) {
        if !self.is_resting() {
            return;
        }
        if self.obstacle().is_some() {
            self.attempt(Signal::Wake, cx);
            return;
        }
        self.renew_attempts();
        let delay = network_back_delay_ms(!self.page.visible, cx.rng);
        let at = cx.now.mono_ms.saturating_add(delay);
        let at = self.retry_at_mono_ms.map_or(at, |earlier| earlier.min(at));
        if self.shift(Signal::Soon, Some("the network is back".to_owned()), cx.now, cx.timers) {
            self.retry_at(at, cx.timers);
        }
    }

    /// A new budget.
    pub(super) fn renew_attempts(&mut self) {
        if !mutant::is(21) {
            (self.failures, self.spent) = (0, 0);
        }
    }

    fn is_resting(&self) -> bool {
        use ConnectionState as S;
        if mutant::is(22) && self.state == S::Closed {
            return !self.ended;
        }
        self.wished && matches!(self.state, S::Waiting | S::Offline | S::Failed)
    }

    pub(super) fn retry_at(&mut self, at_mono_ms: u64, timers: &mut Timers) {
        self.retry_at_mono_ms = Some(at_mono_ms);
        timers.set(Timer::Retry, at_mono_ms);
    }

    /// Asks for a token, and goes on at once where it never changes.
    pub(super) fn ask_token(&mut self, reason: TokenReason, now: Now, timers: &mut Timers) {
        timers.set(Timer::Connect, now.mono_ms.saturating_add(u64::from(self.plan.connect_timeout_ms)));
        if let Some(token) = self.static_token.clone() {
            self.open_socket(token, now, timers);
            return;
        }
        let id = self.next_token;
        self.next_token = self.next_token.wrapping_add(1);
        self.asking = Some(id);
        self.actions.push_back(Action::Token { id, reason });
    }

    /// The token of an attempt is here.
    pub(super) fn on_attempt_token(&mut self, token: Secret, now: Now, timers: &mut Timers) {
        if self.refused {
            self.renewed_at_mono_ms = Some(now.mono_ms);
        }
        if core::mem::take(&mut self.upgrade_asked) {
            self.upgrade_renewed = true;
        }
        self.open_socket(token, now, timers);
    }

    /// Opens the socket, on which `token` will be presented.
    fn open_socket(&mut self, token: Secret, now: Now, timers: &mut Timers) {
        let address = self.session.framing.address(&self.socket_url, &token);
        let conn = self.session.open();
        self.token = Some(token);
        match address {
            Ok((url, protocols)) => {
                self.actions.push_back(Action::Socket(SocketOutput::Open { conn, url, protocols }));
            }
            Err(what) => {
                self.session.end();
                self.give_up_auth(what, "token", now, timers);
            }
        }
    }

    /// CONNECT was answered.
    pub(super) fn go_online(&mut self, resumed: bool, cx: &mut Cx<'_>) {
        if !self.shift(Signal::Accepted, None, cx.now, cx.timers) {
            return;
        }
        (self.refused, self.spent) = (false, 0);
        self.forget_refused_upgrade();
        self.watch_token(false, cx.now, cx.timers);
        cx.timers.set(Timer::Stable, cx.now.mono_ms.saturating_add(STABLE_MS));
        self.watch(cx.timers);
        self.actions.push_back(Action::Online { resumed });
    }

    /// An attempt has failed: it counts.
    pub(super) fn fail(&mut self, reason: String, cx: &mut Cx<'_>) {
        (self.failures, self.spent) = (self.failures.saturating_add(1), self.spent.saturating_add(1));
        if self.plan.max_attempts.is_some_and(|max| self.spent >= max && !mutant::is(65)) {
            let message =
                concat(&["gave up after ", &decimal(self.spent.into()), " attempts in a row: ", &reason]);
            // The wish stays: the network's return and a page shown again start a new budget (C8).
            self.leave(Signal::GiveUp, "attempts".to_owned(), Some("attempts used up"), cx.now, cx.timers);
            self.actions.push_back(Action::Failed(Failure::new(ErrorCode::Server, message)));
            return;
        }
        self.retry_later(reason, cx);
    }

    /// The socket is gone. The loss of one that had been accepted uses up no attempt, but as long as it has not
    /// proved stable it lengthens the delay: a server that greets and falls over is not hurried.
    pub(super) fn lose(&mut self, reason: String, cx: &mut Cx<'_>) {
        if self.state != ConnectionState::Online {
            self.fail(reason, cx);
            return;
        }
        if !self.stable {
            self.failures = self.failures.saturating_add(1);
        }
        self.retry_later(reason, cx);
    }

    fn retry_later(&mut self, reason: String, cx: &mut Cx<'_>) {
        if let Some((signal, obstacle)) = self.obstacle() {
            self.leave(signal, obstacle.to_owned(), Some("connection lost"), cx.now, cx.timers);
            return;
        }
        self.leave(Signal::Lost, reason, Some("connection lost"), cx.now, cx.timers);
        let delay = retry_delay_ms(&self.plan, self.failures, !self.page.visible, cx.rng);
        self.retry_at(cx.now.mono_ms.saturating_add(delay), cx.timers);
    }

    /// Ended for good, until the application calls `connect()`.
    pub(super) fn stop(
        &mut self,
        reason: &'static str,
        message: &'static str,
        now: Now,
        timers: &mut Timers,
    ) {
        self.wished = false;
        if table::next(self.state, Signal::Stop).is_some() {
            self.leave(Signal::Stop, reason.to_owned(), Some(reason), now, timers);
            self.actions.push_back(Action::Closed(Failure::new(ErrorCode::Closed, message)));
        }
    }

    /// Acts on a judgement of the link; true where it may be used.
    pub(super) fn heed(&mut self, life: Life, cx: &mut Cx<'_>) -> bool {
        if life == Life::Dead {
            self.lose("no sign of life from the server (ping timeout)".to_owned(), cx);
            return false;
        }
        self.watch(cx.timers);
        life == Life::Alive
    }

    /// Sets the heartbeat's timer to its present deadline.
    pub(super) fn watch(&mut self, timers: &mut Timers) {
        if self.state == ConnectionState::Online {
            timers.update(Timer::Heartbeat, self.session.heartbeat().map(|beat| beat.deadline_mono_ms()));
        }
    }

    /// Moves by the table, ending what the old state had under way: its socket, its token, its question for one.
    /// `close` is the reason given to the other side.
    pub(super) fn leave(
        &mut self,
        signal: Signal,
        reason: String,
        close: Option<&str>,
        now: Now,
        timers: &mut Timers,
    ) {
        let was_online = self.state == ConnectionState::Online;
        self.asking = None;
        if !mutant::is(23) {
            self.token = None;
        }
        if let (Some(conn), Some(reason)) = (self.session.end(), close) {
            let reason = reason.to_owned();
            self.actions.push_back(Action::Socket(SocketOutput::Close { conn, code: NORMAL_CLOSE, reason }));
        }
        if was_online {
            self.actions.push_back(Action::Lost);
        }
        self.shift(signal, Some(reason), now, timers);
    }

    /// Moves by the table; false where the signal means nothing in this state.
    pub(super) fn shift(
        &mut self,
        signal: Signal,
        reason: Option<String>,
        now: Now,
        timers: &mut Timers,
    ) -> bool {
        let Some(next) = table::next(self.state, signal) else {
            return false;
        };
        #[cfg(debug_assertions)]
        if let Some(signals) = self.cells.get_mut(self.state as usize) {
            *signals |= 1 << signal as u16;
        }
        // Token, socket and handshake share one deadline.
        if next != ConnectionState::Authenticating {
            timers.clear(Timer::Connect);
        }
        for timer in [Timer::Renewal, Timer::Retry, Timer::Heartbeat, Timer::Stable, Timer::Topics] {
            timers.clear(timer);
        }
        self.retry_at_mono_ms = None;
        self.stable = false;
        self.held_back = false;
        self.renewal_failures = 0;
        self.socket_behind = false;
        self.state = next;
        self.reason = reason;
        self.since_wall_ms = now.wall_ms;
        self.changed();
        true
    }

    /// The attempt's deadline is over: says at what it hung.
    pub(super) fn timeout_reason(&self) -> String {
        let what = match self.session.stage() {
            Stage::Gone => "no answer from getToken",
            Stage::Opening => "the socket did not open",
            Stage::Handshake => "no Engine.IO handshake",
            Stage::Joining | Stage::Live => "no answer to CONNECT",
        };
        concat(&[what, " within ", &decimal(self.plan.connect_timeout_ms.into()), " ms"])
    }

    /// A text of others as it may be shown: short, and without the token.
    pub(super) fn presentable(&self, text: &str) -> String {
        let token = self.token.as_ref().map(|token| token.0.as_str()).filter(|token| !token.is_empty());
        let mut shown = String::new();
        let mut rest = text.chars();
        // By hand: the standard library's search for a text is 1.5 KB of wasm.
        for _ in 0..MAX_REASON_CHARS {
            if let Some(behind) = token.and_then(|token| rest.as_str().strip_prefix(token)) {
                shown.push_str("[secret]");
                rest = behind.chars();
            } else if let Some(c) = rest.next() {
                shown.push(c);
            }
        }
        first_chars(&shown, MAX_REASON_CHARS).to_owned()
    }
}
