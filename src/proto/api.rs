//! What crosses the border between the pure core and a shell: inputs, outputs, commands and events.
//!
//! Law: everything here is data. A request that leaves carries an id and is answered exactly once with that id.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::model::{ConnectionSnapshot, Conversation, Failure, Guarantees, Json, Message, Phase, Status};

/// The time, read by the shell once a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct HttpRequest {
    pub method: &'static str,
    pub url: String,
    pub token: Option<Secret>,
    /// A JSON body.
    pub body: Option<String>,
    pub timeout_ms: u32,
}

/// How a REST request ended.
#[derive(Clone, Debug)]
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

/// The tables of the database. Its version never changes: records carry their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Generation, capabilities, settings: text keys.
    Meta,
    /// One record a queued message: keys are numbers given by the store, ever growing, so that commit order is
    /// queue order.
    Outbox,
    /// Conversations, segments, indexes: text keys.
    History,
}

/// A record's key within its table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Text(String),
    Number(u64),
}

/// One record's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    pub table: Table,
    pub key: Key,
}

impl RecordId {
    pub fn meta(key: &str) -> Self {
        Self { table: Table::Meta, key: Key::Text(key.to_owned()) }
    }

    pub fn outbox(key: u64) -> Self {
        Self { table: Table::Outbox, key: Key::Number(key) }
    }

    pub fn history(key: impl Into<String>) -> Self {
        Self { table: Table::History, key: Key::Text(key.into()) }
    }
}

/// Executed first in, first out; answered exactly once.
#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// Open (or create) the database of this name. Answered by `Opened` or `Failed`.
    Open {
        name: String,
    },
    Write(Transaction),
    /// All reads see one state of the store. Answered by `Records`, one list a read.
    Read(Vec<Read>),
    /// Delete the database's content. Answered by `Saved`.
    Wipe,
}

/// One atomic write: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// The version (see `store::record_version`) that each record must have now; `None`: it must not exist.
    /// Otherwise nothing is written and the answer is `Conflict`.
    pub expect: Vec<(RecordId, Option<u64>)>,
    pub puts: Vec<(RecordId, Vec<u8>)>,
    /// New outbox rows; their keys come back in `Saved`, in this order, ascending.
    pub adds: Vec<Vec<u8>>,
    pub deletes: Vec<RecordId>,
    /// Wait until the disk has it (`durability: 'strict'`), not only the operating system.
    pub strict: bool,
}

/// One read.
#[derive(Clone, Debug)]
pub enum Read {
    One(RecordId),
    /// Every record of a table, ascending by key.
    All(Table),
    /// Records with text keys that begin with `prefix`, ascending.
    Prefix {
        table: Table,
        prefix: String,
    },
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Key,
    pub bytes: Vec<u8>,
}

/// How a store request ended.
#[derive(Clone, Debug)]
pub enum StoreReply {
    /// `persistent` is false where only memory is left (private mode, no IndexedDB, by configuration).
    Opened {
        persistent: bool,
    },
    Saved {
        added: Vec<u64>,
    },
    Records(Vec<Vec<Record>>),
    /// An expectation did not hold; nothing was written.
    Conflict,
    /// Nothing was written.
    Failed {
        kind: StoreFailure,
        message: String,
    },
    /// It may or may not have been written (a time-out, a lost handle at commit).
    Unknown,
}

/// Why a store request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreFailure {
    /// No room left.
    Quota,
    /// No database here: private mode, disabled, blocked.
    Unavailable,
    /// Anything else.
    Other,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenReason {
    Connect,
    Refused,
    Expiring,
}

/// What other tabs of the same user mean for this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TabInput {
    /// This tab holds the lock.
    Leads,
    /// Another tab holds it; this one waits in the queue.
    Follows,
    /// The lock was taken away.
    Deposed,
    /// Another tab has written to the store.
    Poked,
}

/// What the core tells other tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TabOutput {
    /// Ask for the lock of this database.
    RequestLead,
    /// Give the lock back (at close).
    Release,
    /// Tell the other tabs that the store has changed.
    Poke,
}

/// What an application asks for. JSON: `{"send":{…}}`, externally tagged, camelCase.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Command {
    /// Done at the first `online`.
    Connect {},
    Disconnect {},
    /// Ends this instance; done when the store has everything.
    Close {},
    /// Done with the message when it is durable.
    Send(SendCommand),
    /// Done with the server's copy, or fails as the message does.
    Acknowledged {
        key: String,
    },
    Cancel {
        key: String,
    },
    Resend {
        key: String,
    },
    Discard {
        key: String,
    },
    /// Done with the queued and failed messages.
    Outbox {},
    /// Done with nothing; `view` is named by the caller (unique, ascending).
    OpenTimeline {
        view: ViewId,
        conversation_id: String,
    },
    CloseTimeline {
        view: ViewId,
    },
    LoadEarlier {
        view: ViewId,
        count: u32,
    },
    SetTyping {
        conversation_id: String,
        typing: bool,
    },
    MarkRead {
        conversation_id: String,
        row_key: String,
    },
    CreateDirect {
        user_id: String,
    },
    CreateGroup {
        title: String,
        members: Vec<String>,
    },
    /// An event of the backend's own; not queued. `args` is one JSON value.
    WireSend {
        event: String,
        args: Box<serde_json::value::RawValue>,
        ack: bool,
        timeout_ms: Option<u32>,
    },
    Wipe {},
}

/// `chat.send`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendCommand {
    pub conversation_id: String,
    pub text: String,
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub metadata: Option<Box<serde_json::value::RawValue>>,
    /// The row key of the message that this one answers.
    #[serde(default)]
    pub reply_to: Option<String>,
    #[serde(default)]
    pub ttl_ms: Option<u64>,
    #[serde(default)]
    pub key: Option<String>,
}

/// What an accepted command ended with.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", tag = "kind", content = "value")]
pub enum Outcome {
    Nothing,
    Message(Box<Message>),
    Messages(Vec<Message>),
    Conversation(Box<Conversation>),
    /// The backend's own answer.
    Wire(#[cfg_attr(test, ts(type = "Json"))] Json),
}

/// What the core tells the application. JSON: `{"type":"status",…}`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Event {
    /// A command ended well.
    Done {
        id: CommandId,
        outcome: Outcome,
    },
    /// A command failed.
    Refused {
        id: CommandId,
        error: Failure,
    },
    /// A message of somebody else, once for each.
    Message {
        message: Box<Message>,
        live: bool,
    },
    MessageUpdated {
        message: Box<Message>,
    },
    MessageDeleted {
        conversation_id: String,
        row_key: String,
    },
    /// An own message moved on its ladder.
    Status {
        conversation_id: String,
        row_key: String,
        status: Status,
        failure: Option<Failure>,
    },
    Typing {
        conversation_id: String,
        user_id: String,
        typing: bool,
    },
    Presence {
        user_id: String,
        online: bool,
        #[cfg_attr(test, ts(type = "number | null"))]
        last_seen_ms: Option<i64>,
    },
    Reaction {
        conversation_id: String,
        row_key: String,
    },
    Conversation {
        conversation: Box<Conversation>,
    },
    ConversationRemoved {
        conversation_id: String,
    },
    Connection {
        connection: ConnectionSnapshot,
    },
    Guarantees {
        guarantees: Guarantees,
    },
    Phase {
        phase: Phase,
    },
    Error {
        error: Failure,
    },
    AuthError {
        error: Failure,
    },
    /// The backend broke its protocol; `excerpt` is short and redacted.
    ProtocolError {
        message: String,
        excerpt: String,
    },
    /// Only memory is left, or the store refused a write.
    StorageDegraded {
        message: String,
        persistent: bool,
    },
    Gap {
        conversation_id: String,
    },
    Leader {
        leader: bool,
    },
    /// An event of the backend's own, by its own name; `args` is a JSON array.
    Wire {
        event: String,
        #[cfg_attr(test, ts(type = "Json[]"))]
        args: Json,
    },
    /// What a window shows now.
    View(ViewUpdate),
}

/// The changes of one window since the last one. Rows are named by slots: small numbers that stay with a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ViewUpdate {
    pub view: ViewId,
    pub conversation_id: String,
    /// The slots in view, oldest first.
    pub order: Vec<u32>,
    /// Rows that are new or changed. All others keep their identity.
    pub rows: Vec<(u32, Message)>,
    pub has_earlier: bool,
    pub has_later: bool,
    pub loading: bool,
    pub error: Option<Failure>,
    pub phase: Phase,
}
