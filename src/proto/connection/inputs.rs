//! What happens to a connection: commands, frames, tokens, the page, other tabs, timers.
//!
//! Law: every input is legal in every state; one that comes late, twice or for another socket changes nothing.

use super::backoff::HIDDEN_DELAY_MS;
#[cfg(not(feature = "several"))]
use super::session::Framing as _;
use super::session::{Stage, Step};
use super::table::{self, Signal};
use super::{Action, Connection, Cx, Delivered, Held, RefusedBy};
use crate::proto::mutant;
use crate::proto::rng::Rng;
use crate::proto::text::concat;
use crate::proto::timer::{Timer, Timers};
use crate::proto::wire::json::decimal;
use crate::proto::{ConnId, ConnectionState, Now, PageInput, Secret, TokenId};

impl Connection {
    /// The application wants to be connected. After `disconnect()`, a failure or while waiting it starts a new
    /// budget of attempts; otherwise it changes nothing.
    pub fn connect(&mut self, now: Now, timers: &mut Timers, rng: &mut Rng) {
        use ConnectionState as S;
        if self.ended || matches!(self.state, S::Connecting | S::Authenticating | S::Online) {
            return;
        }
        self.wished = true;
        self.renew_attempts();
        self.refused = false;
        self.renewed_at_mono_ms = None;
        self.forget_refused_upgrade();
        self.attempt(Signal::Connect, &mut Cx { now, timers, rng });
    }

    /// The application does not want to be connected, or may not: nothing but [`Connection::connect`] changes that.
    pub fn disconnect(&mut self, reason: &'static str, now: Now, timers: &mut Timers) {
        if !self.ended {
            self.say_goodbye();
            self.stop(reason, "disconnect() was called", now, timers);
        }
    }

    /// The end of this instance: its socket is closed, and nothing is said or done any more.
    pub fn close(&mut self, now: Now, timers: &mut Timers) {
        if self.ended {
            return;
        }
        self.say_goodbye();
        self.stop("closed", "close() was called", now, timers);
        self.ended = true;
        self.actions.retain(&|action| matches!(action, Action::Socket(_)));
    }

    fn say_goodbye(&mut self) {
        if self.state == ConnectionState::Online
            && let Some(farewell) = self.session.framing.farewell()
        {
            self.send(farewell);
        }
        self.session.framing.forget_recovery();
    }

    /// Whether this tab leads (D14), `None` where it has not asked. A deposed one closes its socket first; one that was
    /// asked to connect and comes to lead connects.
    pub fn on_lead(&mut self, leads: Option<bool>, now: Now, timers: &mut Timers, rng: &mut Rng) {
        if self.ended || self.leads == leads {
            return;
        }
        self.leads = leads;
        if leads == Some(true) {
            self.wake(&mut Cx { now, timers, rng });
        } else if let Some((signal, reason)) = self.obstacle() {
            self.obstruct(signal, reason, now, timers);
        }
        // A lead that is given back is told as that; state and reason are what they were.
        if leads.is_some() {
            self.changed();
        }
    }

    /// The application's answer to [`Action::Token`].
    pub fn on_token(
        &mut self,
        id: TokenId,
        result: Result<Secret, String>,
        now: Now,
        timers: &mut Timers,
        rng: &mut Rng,
    ) {
        if self.ended || self.asking != Some(id) {
            return;
        }
        self.asking = None;
        let mut cx = Cx { now, timers, rng };
        let online = self.state == ConnectionState::Online;
        match result {
            Ok(token) if token.0.is_empty() => {
                self.token_failed("getToken gave an empty token".to_owned(), &mut cx)
            }
            Err(reason) => {
                let reason = self.presentable(&reason);
                self.token_failed(concat(&["getToken failed: ", &reason]), &mut cx);
            }
            Ok(token) if online => self.renewed(token, now, cx.timers),
            Ok(token) => self.on_attempt_token(token, now, cx.timers),
        }
    }

    fn token_failed(&mut self, reason: String, cx: &mut Cx<'_>) {
        if self.state == ConnectionState::Online {
            self.renewal_failed(reason, cx);
        } else {
            self.fail(reason, cx);
        }
    }

    /// The socket is open; the handshake follows by itself.
    pub fn on_opened(&mut self, conn: ConnId, now: Now, timers: &mut Timers, rng: &mut Rng) {
        if self.session.conn() == Some(conn) {
            let step = self.session.on_opened(now);
            self.follow(step, &mut Cx { now, timers, rng });
            self.drain(timers);
        }
    }

    /// The socket is closed or could not be opened.
    pub fn on_closed(
        &mut self,
        conn: ConnId,
        code: u16,
        reason: &str,
        now: Now,
        timers: &mut Timers,
        rng: &mut Rng,
    ) {
        if self.session.conn() != Some(conn) {
            return;
        }
        let reason = self.presentable(reason);
        let opened = self.session.stage() > Stage::Opening;
        // A refused upgrade looks like any other: where it carries the token, another one is asked for, once (X9).
        self.upgrade_refused |= !opened && self.session.framing.presents_token_in_upgrade();
        let what = if opened { "the socket closed" } else { "the socket could not be opened" };
        let between = if reason.is_empty() { "" } else { ": " };
        // Browsers do not say why.
        let hint = match (opened, self.session.framing.presents_token_in_upgrade()) {
            (true, _) => "",
            (false, true) => ": is `url` right, does the server run, and is the token good?",
            (false, false) => ": is `url` right, and does the server run?",
        };
        let text = concat(&[what, " (", &decimal(code.into()), between, &reason, ")", hint]);
        // There is nothing left to be closed.
        self.session.end();
        self.lose(text, &mut Cx { now, timers, rng });
    }

    /// A text frame. Control packets are dealt with here, what is for the application is given out.
    pub fn on_text<'a>(
        &mut self,
        now: Now,
        conn: ConnId,
        text: &'a str,
        timers: &mut Timers,
        rng: &mut Rng,
    ) -> Option<Delivered<'a>> {
        if self.session.conn() != Some(conn) && !mutant::is(29) {
            return None;
        }
        let step = self.session.on_text(text, now, rng);
        let mut cx = Cx { now, timers, rng };
        self.on_sign_of_life(&mut cx);
        let delivered = match step {
            Step::Delivered(delivered) => Some(delivered),
            Step::Welcomed(delivered) => {
                self.go_online(false, &mut cx);
                Some(delivered)
            }
            step => {
                self.follow(step, &mut cx);
                None
            }
        };
        self.drain(timers);
        delivered
    }

    /// A binary frame; gives the packet that it completes (E6).
    pub fn on_binary(
        &mut self,
        now: Now,
        conn: ConnId,
        bytes: Vec<u8>,
        timers: &mut Timers,
        rng: &mut Rng,
    ) -> Option<Held> {
        if self.session.conn() != Some(conn) {
            return None;
        }
        let (step, held) = self.session.on_binary(bytes, now, rng);
        let mut cx = Cx { now, timers, rng };
        self.on_sign_of_life(&mut cx);
        self.follow(step, &mut cx);
        self.drain(timers);
        held
    }

    fn on_sign_of_life(&mut self, cx: &mut Cx<'_>) {
        // Timers of hidden tabs are slow: frames feed the heartbeat too (X7).
        self.session.beat_when_due(cx.now);
        self.watch(cx.timers);
        if core::mem::take(&mut self.held_back) {
            self.actions.push_back(Action::Writable);
        }
    }

    fn follow(&mut self, step: Step<'_>, cx: &mut Cx<'_>) {
        match step {
            Step::Nothing | Step::Delivered(_) | Step::Welcomed(_) => {}
            Step::Reply(text) => self.send(text),
            Step::Handshaken => {
                self.shift(Signal::Opened, None, cx.now, cx.timers);
                if let Some(greeting) = self.session.framing.greeting(self.token.as_ref()) {
                    self.send(greeting);
                }
            }
            #[cfg(feature = "json")]
            Step::Accepted => {
                self.shift(Signal::Opened, None, cx.now, cx.timers);
                self.go_online(false, cx);
            }
            Step::Joined { resumed } => self.go_online(resumed, cx),
            Step::VersionTwo => {
                let message = "CONNECT was answered without a sid: the server speaks Socket.IO version 2, allowed are 3 and 4";
                let excerpt = String::new();
                self.actions.push_back(Action::ProtocolError { message: message.to_owned(), excerpt });
                self.fail(message.to_owned(), cx);
            }
            Step::Refused { code, message } if self.means_token(code.as_deref(), &message) => {
                self.on_refused(cx)
            }
            Step::Refused { message, .. } => {
                let message = self.presentable(&message);
                self.fail(concat(&["the server refused CONNECT: ", &message]), cx);
            }
            Step::TokenRefused => self.renew_for_topic(cx),
            Step::Disconnected if self.plan.after_server_disconnect => {
                self.lose("the server disconnected".to_owned(), cx);
            }
            Step::Disconnected => self.stop("server", "the server disconnected", cx.now, cx.timers),
            Step::Closed => self.lose("the server closed the connection".to_owned(), cx),
            Step::Broken { message, excerpt, fatal } => {
                self.actions.push_back(Action::ProtocolError { message: message.clone(), excerpt });
                if fatal {
                    self.lose(message, cx);
                }
            }
        }
    }

    /// What the page does.
    pub fn on_page(&mut self, input: PageInput, now: Now, timers: &mut Timers, rng: &mut Rng) {
        if self.ended {
            return;
        }
        let mut cx = Cx { now, timers, rng };
        match input {
            PageInput::Online => {
                self.page.online = true;
                self.on_network_change(&mut cx);
                self.wake_soon(&mut cx);
            }
            PageInput::Offline => {
                self.page.online = false;
                self.on_network_change(&mut cx);
                self.park(&mut cx);
            }
            PageInput::Visible => {
                self.page.visible = true;
                self.page.frozen = false;
                self.check_link(&mut cx);
                self.wake(&mut cx);
            }
            PageInput::Hidden => {
                self.page.visible = false;
                self.slow_down(&mut cx);
            }
            PageInput::Frozen => {
                self.page.frozen = true;
                if self.state == ConnectionState::Online {
                    self.obstruct(Signal::Park, "page frozen", now, cx.timers);
                } else {
                    self.park(&mut cx);
                }
            }
            PageInput::Resumed => {
                self.page.frozen = false;
                self.check_link(&mut cx);
                self.wake(&mut cx);
            }
        }
    }

    /// A working socket outlives a word of the page, which may be wrong; anything less waits.
    fn park(&mut self, cx: &mut Cx<'_>) {
        if self.state != ConnectionState::Online
            && let Some((signal, reason)) = self.obstacle()
        {
            self.obstruct(signal, reason, cx.now, cx.timers);
        }
    }

    fn obstruct(&mut self, signal: Signal, reason: &'static str, now: Now, timers: &mut Timers) {
        if table::next(self.state, signal).is_some() {
            self.block(signal, reason, now, timers);
        }
    }

    /// The network went or came: a working socket must prove itself by a punctual ping.
    fn on_network_change(&mut self, cx: &mut Cx<'_>) {
        if let Some(heartbeat) = self.session.heartbeat() {
            heartbeat.on_network_change(cx.now);
        }
        self.check_link(cx);
    }

    /// Judges the link after a wake-up, which may come before the frames that piled up.
    fn check_link(&mut self, cx: &mut Cx<'_>) {
        if self.state != ConnectionState::Online {
            return;
        }
        let life = self.session.heartbeat().map(|beat| beat.on_timer(cx.now));
        self.session.beat_when_due(cx.now);
        if let Some(life) = life {
            self.heed(life, cx);
        }
        // Also of a link in doubt: what is asked is the probe.
        if self.state == ConnectionState::Online {
            self.drain(cx.timers);
        }
    }

    /// A hidden page waits before it retries.
    fn slow_down(&mut self, cx: &mut Cx<'_>) {
        let earliest = cx.now.mono_ms.saturating_add(HIDDEN_DELAY_MS);
        if self.retry_at_mono_ms.is_some_and(|at| at < earliest) {
            self.retry_at(earliest, cx.timers);
            self.changed();
        }
    }

    /// One of the connection's timers is due: `Connect`, `Renewal`, `Retry`, `Heartbeat`, `Stable` or `Topics`.
    pub fn on_timer(&mut self, timer: Timer, now: Now, timers: &mut Timers, rng: &mut Rng) {
        use ConnectionState as S;
        if self.ended {
            return;
        }
        let mut cx = Cx { now, timers, rng };
        match (timer, self.state) {
            (Timer::Connect, S::Connecting | S::Authenticating) => self.fail(self.timeout_reason(), &mut cx),
            (Timer::Connect, S::Online) if self.asking.is_some() => {
                self.renewal_failed("getToken did not answer".to_owned(), &mut cx);
            }
            (Timer::Connect, S::Online) if self.token.is_some() => self.on_token_ending(now, cx.timers),
            (Timer::Connect, S::Online) => self.renew_token(now, cx.timers),
            (Timer::Renewal, S::Online) => self.on_token_ending(now, cx.timers),
            (Timer::Retry, S::Waiting) => self.attempt(Signal::Wake, &mut cx),
            (Timer::Heartbeat, _) => self.check_link(&mut cx),
            (Timer::Topics, S::Authenticating | S::Online) => {
                self.session.framing.on_timer(now, cx.rng);
                self.drain(cx.timers);
            }
            (Timer::Stable, S::Online) => {
                self.stable = true;
                self.renew_attempts();
            }
            _ => {}
        }
    }

    /// A REST request or an answer said that the token is not good: it is asked anew once, as after CONNECT_ERROR.
    pub fn refuse_token(&mut self, by: RefusedBy, now: Now, timers: &mut Timers, rng: &mut Rng) {
        // An attempt under way has asked for a token of its own.
        if self.state == ConnectionState::Online {
            self.on_refused_in_use(by, &mut Cx { now, timers, rng });
        }
    }

    /// The server takes this token's holder for somebody else than `userId`.
    pub fn refuse_user(&mut self, now: Now, timers: &mut Timers) {
        let text = "the token and userId belong to different users: getToken (or token) must give the token of userId";
        self.give_up_auth(text, "another user's token", now, timers);
    }

    /// The socket is useless, whatever it says itself (D10): it is closed and opened anew.
    pub fn drop_socket(&mut self, reason: &str, now: Now, timers: &mut Timers, rng: &mut Rng) {
        if self.state == ConnectionState::Online {
            self.lose(reason.to_owned(), &mut Cx { now, timers, rng });
        }
    }
}
