//! Tokens that are refused: each is asked anew once, then the application has to help (D6, E8).

use super::backoff::retry_delay_ms;
#[cfg(not(feature = "several"))]
use super::session::Framing as _;
use super::table::Signal;
use super::{Action, Connection, Cx, RefusedBy};
use crate::proto::profile::is_auth_refusal;
use crate::proto::timer::{Timer, Timers};
use crate::proto::{ErrorCode, Failure, Now, Secret, TokenReason};

/// A token refused this soon after it was renewed was refused twice in a row.
const REFUSED_AGAIN_MS: u64 = 30_000;

impl Connection {
    /// CONNECT_ERROR refused the token: once it is asked anew, then never (D6).
    pub(super) fn on_refused(&mut self, cx: &mut Cx<'_>) {
        if self.refused || self.static_token.is_some() {
            self.give_up_token(cx.now, cx.timers);
            return;
        }
        self.refused = true;
        self.leave(
            Signal::Refused,
            "the token was refused".to_owned(),
            Some("token refused"),
            cx.now,
            cx.timers,
        );
        self.ask_token(TokenReason::Refused, cx.now, cx.timers);
    }

    /// A token that had been accepted is refused in use. By REST it is asked anew beside the socket, which may well
    /// live on; an answer on the socket means that the socket needs the new one too.
    pub(super) fn on_refused_in_use(&mut self, by: RefusedBy, cx: &mut Cx<'_>) {
        let again = self.static_token.is_some() || self.was_renewed_just_now(cx.now);
        match by {
            // The question that is open answers this refusal too.
            RefusedBy::Rest if self.token.is_none() => {}
            RefusedBy::Rest if again => self.give_up_token(cx.now, cx.timers),
            RefusedBy::Rest => self.renew_token(cx.now, cx.timers),
            // Where the token was renewed beside it, the socket still stands on the old one.
            RefusedBy::Socket if again && !self.socket_behind => self.give_up_token(cx.now, cx.timers),
            RefusedBy::Socket => self.on_refused(cx),
        }
    }

    /// The token is not good for a topic or namespace: another one is asked for, where that can help and was not just done.
    pub(super) fn renew_for_topic(&mut self, cx: &mut Cx<'_>) {
        if self.static_token.is_some() || self.was_renewed_just_now(cx.now) {
            self.session.framing.on_token(false, cx.now);
        } else if self.token.is_some() {
            self.renew_token(cx.now, cx.timers);
        }
    }

    /// Asks for another token while the socket lives on.
    pub(super) fn renew_token(&mut self, now: Now, timers: &mut Timers) {
        self.token = None;
        self.ask_token(TokenReason::Refused, now, timers);
    }

    /// The question for a new token was not answered well while online: asked again later, the socket stays.
    pub(super) fn renewal_failed(&mut self, reason: String, cx: &mut Cx<'_>) {
        self.asking = None;
        self.renewal_failures = self.renewal_failures.saturating_add(1);
        let delay = retry_delay_ms(&self.plan, self.renewal_failures, !self.page.visible, cx.rng);
        cx.timers.set(Timer::Connect, cx.now.mono_ms.saturating_add(delay));
        self.reason = Some(reason);
        self.changed();
    }

    /// The new token is here while the socket lives on.
    pub(super) fn renewed(&mut self, token: Secret, now: Now, timers: &mut Timers) {
        let is_other = self.token.as_ref() != Some(&token);
        // One that is replaced before its end has not been refused, and nobody waits.
        let refused = self.token.replace(token).is_none();
        self.renewed_at_mono_ms = refused.then_some(now.mono_ms);
        self.renewal_failures = 0;
        self.socket_behind = true;
        timers.clear(Timer::Connect);
        if is_other {
            self.watch_token(true, now, timers);
        }
        if self.reason.take().is_some() {
            self.changed();
        }
        if refused {
            self.actions.push_back(Action::TokenRenewed);
            self.session.framing.on_token(true, now);
            self.drain(timers);
        }
    }

    fn was_renewed_just_now(&self, now: Now) -> bool {
        self.renewed_at_mono_ms.is_some_and(|at| was_just_now(at, now))
    }

    /// Whether what CONNECT was refused with means the token: as the application judges, or by the words (D6).
    pub(super) fn means_token(&self, code: Option<&str>, message: &str) -> bool {
        let judged = self.auth_judge.as_ref().and_then(|judge| (judge.0)(code, message));
        judged.unwrap_or_else(|| is_auth_refusal(code, message))
    }

    /// The next refused upgrade is a first one.
    pub(super) fn forget_refused_upgrade(&mut self) {
        (self.upgrade_refused, self.upgrade_asked, self.upgrade_renewed) = (false, false, false);
    }

    pub(super) fn give_up_token(&mut self, now: Now, timers: &mut Timers) {
        let which =
            if self.static_token.is_some() { "the token was refused" } else { "the token was refused twice" };
        self.give_up_auth(which, "token refused", now, timers);
    }

    /// Only the application can help: another token, or another user.
    pub(super) fn give_up_auth(&mut self, what: &str, close: &'static str, now: Now, timers: &mut Timers) {
        let failure = Failure::new(ErrorCode::Auth, what);
        self.wished = false;
        self.leave(Signal::GiveUp, "auth".to_owned(), Some(close), now, timers);
        self.actions.push_back(Action::AuthError(failure.clone()));
        self.actions.push_back(Action::Failed(failure));
    }
}

pub(super) fn was_just_now(at_mono_ms: u64, now: Now) -> bool {
    now.mono_ms.saturating_sub(at_mono_ms) < REFUSED_AGAIN_MS
}
