//! What crosses the border between the pure core and a shell: inputs, outputs, commands and events.
//!
//! Law: everything here is data. A request that leaves carries an id and is answered exactly once with that id.

use core::fmt;

use super::model::Json;

mod command;
mod event;
mod redacted;
mod store;

pub use command::*;
pub use event::*;
pub use store::*;

/// The time, read by the shell once a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic milliseconds since any fixed point of this instance; never stored, never shared.
    pub mono_ms: u64,
    /// Wall-clock milliseconds since 1970.
    pub wall_ms: u64,
}

/// A token or what contains one. Its text never reaches a log: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Events as JSON, on their way between tabs. They hold messages: `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct Told(pub String);

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[events]")
    }
}

/// What the world tells the core. It cannot be refused.
#[derive(Clone, Debug)]
pub enum Input {
    Socket(SocketInput),
    Http {
        id: HttpId,
        result: HttpResult,
    },
    Store {
        id: StoreId,
        reply: StoreReply,
    },
    Page(PageInput),
    /// The answer to [`Output::Token`].
    Token {
        id: TokenId,
        result: Result<Secret, String>,
    },
    Tab(TabInput),
}

/// What the core wants done. Taken one at a time, in order.
#[derive(Clone)]
pub enum Output {
    Socket(SocketOutput),
    Http {
        id: HttpId,
        request: HttpRequest,
    },
    Store {
        id: StoreId,
        request: StoreRequest,
    },
    /// Ask the application for a token.
    Token {
        id: TokenId,
        reason: TokenReason,
    },
    Tab(TabOutput),
    Event(Event),
    /// One event as JSON, as another tab has told it: for this tab's listeners.
    Told(Told),
}

/// One socket of this instance; a late frame of an older one is told by it.
pub type ConnId = u32;
/// One HTTP request.
pub type HttpId = u32;
/// One store request.
pub type StoreId = u32;
/// One question for a token.
pub type TokenId = u32;
/// One accepted command.
pub type CommandId = u32;
/// One open timeline window.
pub type ViewId = u32;

/// What happens on a socket.
#[derive(Clone)]
pub enum SocketInput {
    Opened {
        conn: ConnId,
        protocol: String,
    },
    Text {
        conn: ConnId,
        text: String,
    },
    Binary {
        conn: ConnId,
        bytes: Vec<u8>,
    },
    /// The end of this socket, whoever wished it; also a refused connect. Said once for each `Open`.
    Closed {
        conn: ConnId,
        code: u16,
        reason: String,
    },
    /// `bufferedAmount` has reached zero after a [`SocketOutput::WatchDrain`].
    Drained {
        conn: ConnId,
    },
}

/// What the core wants of a socket. At most one is open at a time.
#[derive(Clone)]
pub enum SocketOutput {
    /// The URL is a secret, since one profile option places a token there.
    Open {
        conn: ConnId,
        url: Secret,
        protocols: Vec<Secret>,
    },
    Text {
        conn: ConnId,
        text: String,
    },
    Binary {
        conn: ConnId,
        bytes: Vec<u8>,
    },
    Close {
        conn: ConnId,
        code: u16,
        reason: String,
    },
    /// Say [`SocketInput::Drained`] when everything handed over so far has left the buffer.
    WatchDrain {
        conn: ConnId,
    },
}

/// A REST request. `token` goes into `Authorization: Bearer`.
#[derive(Clone)]
pub struct HttpRequest {
    pub method: &'static str,
    pub url: String,
    pub token: Option<Secret>,
    /// A JSON body.
    pub body: Option<String>,
    pub timeout_ms: u32,
}

/// How a REST request ended.
#[derive(Clone)]
pub enum HttpResult {
    Answered {
        status: u16,
        body: String,
    },
    /// No answer: network, time-out, abort.
    Failed {
        reason: String,
    },
}

/// What the page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageInput {
    Online,
    Offline,
    Visible,
    Hidden,
    /// The page is frozen or enters the back/forward cache: the socket must be closed before.
    Frozen,
    Resumed,
}

/// Why a token is asked for (`getToken({reason})`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenReason {
    Connect,
    Refused,
    Expiring,
}

/// What one transaction has changed, as it crosses to other tabs.
#[derive(Clone, PartialEq, Eq)]
pub struct Changes {
    /// The reign of the leader that has written it; 0: a tab that does not lead, which writes outbox rows only.
    pub generation: u64,
    /// The version of all its records: in one reign each is one more than the one before.
    pub stamp: u64,
    /// Records as they are now, those that were added with their numbers; of outbox rows the version before.
    pub puts: Vec<(RecordId, Option<u64>, Vec<u8>)>,
    pub deletes: Vec<(RecordId, Option<u64>)>,
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[records]")
    }
}

/// What other tabs of the same user mean for this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TabInput {
    /// This tab holds the lock.
    Leads,
    /// Another tab holds it; this one waits in the queue.
    Follows,
    /// The lock was taken away.
    Deposed,
    /// A tab that follows asks whether the leader runs; `visible`: somebody looks at it.
    Asked { visible: bool },
    /// The leader runs.
    Alive,
    /// The leader runs, and leaves the lead to a tab that is looked at.
    Yielded,
    /// Another tab has written to the store.
    Poked,
    /// Another tab has emptied the store: nothing is to be fetched into it again.
    Wiped,
    /// The database was deleted under this tab and made anew: nothing of what it had stored is there any more.
    Emptied,
    /// A message was read in a tab that does not lead.
    Read { conversation_id: String, message_id: String },
    /// A tab that does not lead cannot read this segment of a history, or (`u32::MAX`) its head or its conversation.
    Torn { conversation_id: String, segment: u32 },
    /// A window of a tab that does not lead wants what comes before all that is in the store.
    Earlier { conversation_id: String, wish: u32 },
    /// The leading tab has asked for what was wanted with this wish, and what came is stored.
    Fetched { conversation_id: String, wish: u32 },
    /// A tab that does not lead shows this conversation.
    Shows { conversation_id: String },
    /// What a transaction of another tab has changed.
    Changed(Box<Changes>),
    /// Other tabs cannot be heard here.
    Deaf,
    /// A tab that does not lead listens.
    Hello,
    /// What the leader of this generation has to tell: a JSON array of events.
    Told { generation: u64, events: Told },
    /// The user types, or stops, in a tab that does not lead.
    Typing { conversation_id: String, typing: bool },
    /// A tab that does not lead has an event of the application's own for the server.
    Errand(Box<Errand>),
    /// What has become of that: `event` is what the command of this number has come to, as JSON.
    ErrandDone { to: String, id: CommandId, event: Told },
}

/// An event of the application's own, from a tab that has no socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The tab, by a name that it has drawn, and the number of its command.
    pub from: String,
    pub id: CommandId,
    pub event: String,
    pub topic: String,
    pub payload: Json,
    pub ack: bool,
    pub timeout_ms: Option<u32>,
}

/// What the core tells other tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TabOutput {
    /// Ask for the lock of this database.
    RequestLead,
    /// Give the lock back, or the wish for it.
    Release,
    /// Take the lock from whoever holds it.
    Steal,
    /// Leave the other tabs for good: what they store is out of reach here. The lock asked for after it is this tab's own.
    Alone,
    /// Ask the leading tab whether it runs; `visible`: somebody looks at this one.
    Ask { visible: bool },
    /// Tell the other tabs that the leader runs.
    Alive,
    /// The same, and that a tab which is looked at may take the lead.
    Yield,
    /// Tell the other tabs that the store has changed.
    Poke,
    /// Tell the other tabs that the store was emptied.
    Wiped,
    /// Tell the leading tab that a message was read here.
    Read { conversation_id: String, message_id: String },
    /// Tell the leading tab that this segment, or (`u32::MAX`) the head or the conversation, cannot be read: it has what
    /// stood there, or fetches it.
    Torn { conversation_id: String, segment: u32 },
    /// Tell the leading tab that a window here wants what comes before all that is in the store.
    Earlier { conversation_id: String, wish: u32 },
    /// Tell the tab with this wish that what it wanted is stored, if it ever comes.
    Fetched { conversation_id: String, wish: u32 },
    /// Tell the leading tab that this conversation is shown here.
    Shows { conversation_id: String },
    /// Tell the other tabs what a transaction has changed.
    Changed(Box<Changes>),
    /// Tell the leading tab that this one listens.
    Hello,
    /// Tell the other tabs what only the leader of this generation knows: one event as JSON.
    Tell { generation: u64, event: Told },
    /// Tell the leading tab that the user types here, or stops.
    Typing { conversation_id: String, typing: bool },
    /// Give the leading tab an event of the application's own.
    Errand(Box<Errand>),
    /// Tell the tab of this name what has become of what it gave.
    ErrandDone { to: String, id: CommandId, event: Told },
}
