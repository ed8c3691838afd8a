//! The one shared socket: when it is tried, when it is online, when it is given up.
//!
//! Law: every change of state goes through `table`; nothing but `connect()` revives what the application
//! disconnected or what a twice refused token ended; whatever is awaited has a deadline. A socket is named by its
//! [`ConnId`], and frames and closes of an older one are dropped.
//!
//! The table says what may follow what; `lifecycle` carries it out (attempts, losses, tokens), `inputs` turns what
//! happens into signals, `session` is the socket, whose frames `socket_io`, `phoenix` or `json` reads, `heartbeat` judges silence,
//! `backoff` draws delays.

use std::borrow::Cow;

use super::queue::Queue;
use crate::proto::wire::json::RawValue;

use super::config::{AuthJudge, Config, Reconnect};
use super::model::{ConnectionSnapshot, ConnectionState, Failure};
use super::rng::Rng;
use super::timer::{Timer, Timers};
use super::wire::socket_io::Args;
use super::{ConnId, Now, Secret, SocketOutput, TokenId, TokenReason};

mod backoff;
mod emit;
mod expiry;
mod heartbeat;
mod held;
mod inputs;
#[cfg(feature = "json")]
mod json;
mod lifecycle;
#[cfg(feature = "phoenix")]
mod phoenix;
mod session;
#[cfg(feature = "socket-io")]
mod socket_io;
mod table;
mod tokens;

#[cfg(test)]
mod tests;

pub use held::Held;
// A build with several has it as an object, whose methods are there without it.
#[cfg(not(feature = "several"))]
use session::Framing as _;

/// Its timers, in the order in which they are fired where several are due.
pub const TIMERS: [Timer; 6] =
    [Timer::Connect, Timer::Renewal, Timer::Retry, Timer::Heartbeat, Timer::Topics, Timer::Stable];

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
    /// A topic is to be joined: answered by [`Connection::join`] with parameters as they are now (X12).
    Joins {
        topic: String,
    },
    /// A topic is joined, or was refused or closed: [`Connection::emit`] says which.
    TopicSettled {
        topic: String,
    },
    /// What was emitted with these ids stays unanswered, though the socket lives: their topic is gone (X4).
    Unanswered {
        ack_ids: Vec<u64>,
    },
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

/// An application packet, borrowed from its frame. Placeholders in `args` stand for `attachments` by number (E6).
#[derive(Clone, Debug)]
pub enum Delivered<'a> {
    /// An event; `ack_id` is set where the server wants an answer ([`Connection::answer`]). `topic` is empty where the
    /// framing has none.
    Event {
        ack_id: Option<u64>,
        topic: Cow<'a, str>,
        name: Cow<'a, str>,
        args: Args<'a>,
        attachments: Vec<&'a [u8]>,
    },
    /// The answer to what [`Connection::emit`] sent with this id on this socket; `status` where the framing has one (X3).
    Ack { id: u64, status: Option<Cow<'a, str>>, args: Args<'a>, attachments: Vec<&'a [u8]> },
    /// A topic was joined, and this is what the server said.
    Joined { topic: Cow<'a, str>, response: Option<&'a RawValue> },
    /// Who has come to where this socket is, and who has gone (X11).
    Presence(Vec<(String, bool)>),
}

/// An event as it goes out: its text, then its attachments.
#[derive(Clone, Default)]
pub struct Frames {
    text: Option<String>,
    binary: Vec<Vec<u8>>,
}

impl Frames {
    fn largest(&self) -> usize {
        let mut largest = self.text.as_ref().map_or(0, String::len);
        for bytes in &self.binary {
            largest = largest.max(bytes.len());
        }
        largest
    }
}

/// What became of an emit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Emitted {
    /// Handed to the socket, `bytes` long; answered under `ack_id` where an answer was asked for.
    Sent { ack_id: Option<u64>, bytes: usize },
    /// Nothing was sent.
    NotOnline,
    /// Nothing was sent: its topic is being joined ([`Action::TopicSettled`]).
    NotJoined,
    /// Nothing was sent, and nothing will be: the topic was refused, or this framing cannot carry it.
    Refused(Failure),
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

/// What the page says about itself.
#[derive(Clone, Copy, Debug)]
struct Page {
    online: bool,
    visible: bool,
    frozen: bool,
}

/// The connection machine.
pub struct Connection {
    socket_url: Secret,
    plan: Reconnect,
    static_token: Option<Secret>,
    auth_judge: Option<AuthJudge>,

    state: ConnectionState,
    reason: Option<String>,
    since_wall_ms: u64,
    /// The application wants to be connected.
    wished: bool,
    /// After `close()` there is nothing left to do.
    ended: bool,
    /// Whether this tab leads; `None` until that is known.
    leads: Option<bool>,
    page: Page,

    /// Attempts in a row that have failed, and accepted sockets that did not last: they lengthen the delay.
    failures: u32,
    /// Of the budget: those that have failed since the last one was accepted.
    spent: u32,
    /// This `online` has lasted: its loss is no failure.
    stable: bool,
    retry_at_mono_ms: Option<u64>,

    token: Option<Secret>,
    asking: Option<TokenId>,
    next_token: TokenId,
    /// CONNECT was refused once with a token, or an answer said so, and no CONNECT was accepted since.
    refused: bool,
    /// When the last refused token was replaced; a refusal soon after is the second in a row.
    renewed_at_mono_ms: Option<u64>,
    renewal_failures: u32,
    /// A token is used while the socket lives: another one is asked for before its end.
    renews_ahead: bool,
    /// The token was renewed beside this socket, which was accepted with the one before.
    socket_behind: bool,
    /// Where the upgrade carries the token: it was refused, another token is asked for because of that, and one has come
    /// since this was last online (X9).
    upgrade_refused: bool,
    upgrade_asked: bool,
    upgrade_renewed: bool,

    session: session::Session,
    /// What a hello or the configuration says the server takes (E12).
    max_payload: Option<u64>,
    /// An emit was turned away while the link was in doubt.
    held_back: bool,
    actions: Queue<Action>,
    /// Cells of the table that this instance has been through, a bit for each signal: for the simulator.
    #[cfg(debug_assertions)]
    cells: [u16; 8],
}

/// The time and what depends on it, for one call.
struct Cx<'a> {
    now: Now,
    timers: &'a mut Timers,
    rng: &'a mut Rng,
}

impl Connection {
    /// An idle connection; `has_rest`: the backend takes requests beside the socket.
    pub fn new(config: &Config, has_rest: bool) -> Self {
        Self {
            socket_url: Secret(config.endpoint.socket_url.clone()),
            plan: config.reconnect.clone(),
            static_token: config.static_token.clone(),
            auth_judge: config.auth_judge.clone(),
            state: ConnectionState::Idle,
            reason: None,
            since_wall_ms: 0,
            wished: false,
            ended: false,
            leads: None,
            page: Page { online: config.page.online, visible: config.page.visible, frozen: false },
            failures: 0,
            spent: 0,
            stable: false,
            retry_at_mono_ms: None,
            token: None,
            asking: None,
            next_token: 1,
            refused: false,
            renewed_at_mono_ms: None,
            renewal_failures: 0,
            renews_ahead: has_rest,
            socket_behind: false,
            upgrade_refused: false,
            upgrade_asked: false,
            upgrade_renewed: false,
            session: session::Session::new(config),
            max_payload: config.capabilities.max_payload,
            held_back: false,
            actions: Queue::new(),
            #[cfg(debug_assertions)]
            cells: [0; 8],
        }
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub fn state(&self) -> ConnectionState {
        self.state
    }

    /// Every cell of the table that means something, and whether this instance has been through it.
    #[cfg(debug_assertions)]
    pub fn cells(&self) -> Vec<(String, bool)> {
        let reached = |state: ConnectionState, signal: table::Signal| {
            self.cells.get(state as usize).is_some_and(|signals| signals & (1 << signal as u16) != 0)
        };
        table::TABLE.cells(&reached)
    }

    /// Whether a tab of this state has a use for the lead; one that has given up leaves it to the others.
    pub fn wants_lead(&self) -> bool {
        self.wished && self.state != ConnectionState::Failed
    }

    /// The socket that is open or being opened.
    pub fn conn(&self) -> Option<ConnId> {
        self.session.conn()
    }

    /// The token of the present connection, for REST; `None` while it is being renewed or there is no connection.
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// What `chat.connection` shows. `attempt` counts from 1 within a row of failures: the attempt under way, or the
    /// one that failed last; 0 while online and before the first.
    pub fn snapshot(&self, now: Now) -> ConnectionSnapshot {
        use ConnectionState as S;
        ConnectionSnapshot {
            state: self.state,
            reason: self.reason.clone(),
            retry_in_ms: self.retry_at_mono_ms.map(|at| at.saturating_sub(now.mono_ms)),
            attempt: match self.state {
                S::Connecting | S::Authenticating => self.spent.saturating_add(1),
                S::Waiting | S::Offline | S::Failed => self.spent,
                S::Idle | S::Online | S::Closed => 0,
            },
            since_ms: i64::try_from(self.since_wall_ms).unwrap_or(i64::MAX),
            socket_id: self.session.framing.sid().map(str::to_owned),
            leader: self.leads == Some(true),
        }
    }

    /// What a hello or the configuration says the server takes in one frame; the handshake's own limit holds too
    /// (E12).
    pub fn set_max_payload(&mut self, bytes: Option<u64>) {
        self.max_payload = bytes;
    }

    /// A request or a send with the present token went well: a later refusal is a first one again.
    pub fn mark_token_good(&mut self) {
        self.renewed_at_mono_ms = None;
    }

    /// Events from before the CONNECT reply, oldest first (E9): to be taken when [`Action::Online`] comes.
    pub fn take_early(&mut self) -> Vec<Held> {
        self.session.framing.take_early()
    }

    fn changed(&mut self) {
        if !matches!(self.actions.back(), Some(Action::Changed)) {
            self.actions.push_back(Action::Changed);
        }
    }
}
