//! The one shared socket: when it is tried, when it is online, when it is given up.
//!
//! Law: every change of state goes through [`table`]; nothing but `connect()` revives what the application
//! disconnected or what a twice refused token ended; whatever is awaited has a deadline. A socket is named by its
//! [`ConnId`], and frames and closes of an older one are dropped.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::config::Config;
use super::model::{ConnectionSnapshot, ConnectionState, Failure};
use super::profile::Push;
use super::rng::Rng;
use super::timer::{Timer, Timers};
use super::wire::socket_io::Args;
use super::{ConnId, Now, PageInput, Secret, SocketOutput, TokenId, TokenReason};

/// What the connection wants done or made known. Taken one at a time, in order.
#[derive(Clone, Debug)]
pub enum Action {
    Socket(SocketOutput),
    /// Ask the application for a token.
    Token {
        id: TokenId,
        reason: TokenReason,
    },
    /// The snapshot has changed.
    Changed,
    /// Events may be emitted. `resumed`: the server continues the same session and repeats what was missed (E11).
    Online {
        resumed: bool,
    },
    /// Still online: sending may go on, after [`Emitted::NotOnline`] was said for a link in doubt.
    Writable,
    /// A socket that had been online is gone: what was emitted and not answered on it stays unanswered.
    Lost,
    /// [`Connection::refuse_token`] of a REST request has been answered by a new token.
    TokenRenewed,
    /// The token was refused and so was its successor (D6).
    AuthError(Failure),
    /// The server broke its protocol; `excerpt` is short and redacted.
    ProtocolError {
        message: String,
        excerpt: String,
    },
    /// No further attempt by itself: pending `connect()` calls reject with this.
    Failed(Failure),
    /// Ended by `disconnect()` or by the server: pending `connect()` calls reject with this.
    Closed(Failure),
}

/// An application packet, borrowed from its frame.
#[derive(Clone, Debug)]
pub enum Delivered<'a> {
    /// An event; `ack_id` is set where the server wants an answer ([`Connection::answer`]).
    Event { ack_id: Option<u64>, name: Cow<'a, str>, args: Args<'a> },
    /// The answer to what [`Connection::emit`] sent with this id on this socket.
    Ack { id: u64, args: Args<'a> },
}

/// What became of an emit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emitted {
    /// Handed to the socket, `bytes` long; answered under `ack_id` where an answer was asked for.
    Sent { ack_id: Option<u64>, bytes: usize },
    /// Nothing was sent.
    NotOnline,
    /// Nothing was sent: the server takes at most `limit` bytes, and this frame has `size` (E12).
    TooLarge { limit: u64, size: u64 },
}

/// Who said that the token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// A REST answer: the socket stays, only the token is asked anew.
    Rest,
    /// An answer on the socket: the socket is opened anew with the new token.
    Socket,
}

/// A frame that is kept: an event from before the CONNECT reply (E9), or a binary packet (E6).
#[derive(Debug)]
pub struct Held(());

impl Held {
    /// The packet in it.
    pub fn delivered(&self) -> Option<Delivered<'_>> {
        None
    }
}

/// The connection machine.
#[derive(Debug)]
pub struct Connection {
    state: ConnectionState,
}

#[allow(unused_variables)]
impl Connection {
    pub fn new(config: &Config) -> Self {
        Self { state: ConnectionState::Idle }
    }
    pub fn connect(&mut self, now: Now, timers: &mut Timers, rng: &mut Rng) {}
    pub fn disconnect(&mut self, now: Now, timers: &mut Timers) {}
    pub fn close(&mut self, now: Now, timers: &mut Timers) {}
    pub fn on_lead(&mut self, leads: bool, now: Now, timers: &mut Timers, rng: &mut Rng) {}
    pub fn on_token(
        &mut self,
        id: TokenId,
        result: Result<Secret, String>,
        now: Now,
        timers: &mut Timers,
        rng: &mut Rng,
    ) {
    }
    pub fn on_opened(&mut self, conn: ConnId, now: Now) {}
    pub fn on_closed(
        &mut self,
        conn: ConnId,
        code: u16,
        reason: &str,
        now: Now,
        timers: &mut Timers,
        rng: &mut Rng,
    ) {
    }
    pub fn on_text<'a>(
        &mut self,
        now: Now,
        conn: ConnId,
        text: &'a str,
        timers: &mut Timers,
        rng: &mut Rng,
    ) -> Option<Delivered<'a>> {
        None
    }
    pub fn on_binary(
        &mut self,
        now: Now,
        conn: ConnId,
        bytes: Vec<u8>,
        timers: &mut Timers,
        rng: &mut Rng,
    ) -> Option<Held> {
        None
    }
    /// Events from before `Online`, oldest first; to be taken when [`Action::Online`] comes.
    pub fn take_early(&mut self) -> Vec<Held> {
        Vec::new()
    }
    pub fn on_page(&mut self, page: PageInput, now: Now, timers: &mut Timers, rng: &mut Rng) {}
    pub fn on_timer(&mut self, timer: Timer, now: Now, timers: &mut Timers, rng: &mut Rng) {}
    pub fn refuse_token(&mut self, by: RefusedBy, now: Now, timers: &mut Timers, rng: &mut Rng) {}
    /// A request or send with the present token went well: a later refusal is the first again.
    pub fn mark_token_good(&mut self) {}
    pub fn drop_socket(&mut self, reason: &str, now: Now, timers: &mut Timers, rng: &mut Rng) {}
    pub fn emit(&mut self, push: &Push, now: Now, timers: &mut Timers, rng: &mut Rng) -> Emitted {
        Emitted::NotOnline
    }
    pub fn answer(&mut self, ack_id: u64, args: &[&RawValue]) -> bool {
        false
    }
    pub fn set_max_payload(&mut self, bytes: Option<u64>) {}
    pub fn snapshot(&self, now: Now) -> ConnectionSnapshot {
        ConnectionSnapshot {
            state: self.state,
            reason: None,
            retry_in_ms: None,
            attempt: 0,
            since_ms: 0,
            socket_id: None,
            leader: false,
        }
    }
    pub fn state(&self) -> ConnectionState {
        self.state
    }
    pub fn token(&self) -> Option<&Secret> {
        None
    }
    pub fn poll_action(&mut self) -> Option<Action> {
        None
    }
}
