//! The one vocabulary that applications see (messages, conversations, connection), in the shape of API.md.
//!
//! Law: these types are what JSON carries to JavaScript. Times are wall-clock milliseconds here and become
//! ISO 8601 text in JSON; JSON of the application's own (`metadata`) is kept as the text it came as.
//!
//! `to_json` writes the JSON. serde's attributes say the same for tests alone: the TypeScript types are made from
//! them, and what is written is compared with what serde would write.

#[cfg(test)]
use serde::{Serialize, Serializer};

#[cfg(test)]
use super::wall_time;
use super::wire::json::{self, RawValue};

/// Where a message stands. It only moves to the right, but for `Failed`: a resend makes it `Saved` again, and an
/// unconfirmed message whose copy turns up becomes `Acknowledged`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum Status {
    /// Not yet durable.
    Saving,
    /// Durable in this device's store.
    Saved,
    /// Handed to the network at least once.
    Sent,
    /// Answered by the server (messages of others stand here at the least).
    Acknowledged,
    /// On a recipient's device.
    Delivered,
    /// Read by a recipient.
    Read,
    /// Kept with its reason, for resend or discard.
    Failed,
}

/// Who wrote a message, as an interface would lay it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum Sender {
    Me,
    User,
    Ai,
    System,
}

/// The closed union of error codes (API.md, `ChatError.code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub enum ErrorCode {
    Validation,
    Forbidden,
    NotFound,
    Conflict,
    TooLarge,
    RateLimited,
    Auth,
    Timeout,
    Server,
    Unconfirmed,
    Poison,
    Expired,
    OutboxFull,
    Storage,
    Protocol,
    Config,
    Closed,
    Cancelled,
    InFlight,
    Unsupported,
}

/// A typed failure. `message` is for developers and never holds a token or a message body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
pub struct Failure {
    pub code: ErrorCode,
    pub message: String,
    /// Whether the same call may succeed later without a change.
    pub retryable: bool,
}

/// The beginning of a text, of this many characters at most.
pub(crate) fn first_chars(text: &str, max: usize) -> &str {
    let mut chars = 0;
    for (at, byte) in text.bytes().enumerate() {
        let begins_a_char = byte & 0xc0 != 0x80;
        if begins_a_char && chars == max {
            return text.get(..at).unwrap_or_default();
        }
        chars += usize::from(begins_a_char);
    }
    text
}

impl Failure {
    /// A failure whose `retryable` follows from its code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let retryable = matches!(
            code,
            ErrorCode::RateLimited
                | ErrorCode::Timeout
                | ErrorCode::Server
                | ErrorCode::Unconfirmed
                | ErrorCode::OutboxFull
                | ErrorCode::Storage
        );
        Self { code, message: message.into(), retryable }
    }
}

/// JSON of the application's own, kept as text: the core never looks inside.
#[derive(Clone)]
pub struct Json(String);

impl Json {
    /// Keeps `text` if it is one JSON value.
    pub fn parse(text: &str) -> Option<Self> {
        json::parse(text, 0).ok().map(Self::from)
    }

    /// `null`.
    pub fn null() -> Self {
        Self("null".to_owned())
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Self {
        Self(raw.get().to_owned())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

#[cfg(test)]
impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&serde_json::value::RawValue>(&self.0).unwrap().serialize(serializer)
    }
}

/// The message that this one answers.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub struct ReplyTo {
    pub row_key: String,
    /// At most 120 characters of the answered text.
    pub excerpt: String,
}

/// One emoji on one message.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
pub struct Reaction {
    pub emoji: String,
    pub count: u32,
    pub mine: bool,
    pub users: Vec<String>,
}

/// What a command changes of a message that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum ChangeKind {
    /// Another text.
    Edit,
    /// It is taken away from everybody.
    Remove,
    /// This user's emoji is put on it.
    React,
    /// And taken off again.
    Unreact,
}

/// What an entry of the outbox changes, where it is no message of its own.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub struct QueuedChange {
    pub kind: ChangeKind,
    /// The message that it changes.
    pub row_key: String,
}

/// A message as the timeline shows it, own or other, queued or answered.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub struct Message {
    /// Stable for ever: the key for messages minted in this store, else `conversation:server id`.
    pub row_key: String,
    /// The server's id as text; numeric ids stay numbers on their wire.
    pub id: Option<String>,
    /// Idempotency key, null on other people's messages.
    pub key: Option<String>,
    pub conversation_id: String,
    pub sender_id: String,
    pub sender: Sender,
    /// `text`, `image`, … or a name of the application's own.
    #[cfg_attr(test, serde(rename = "type"))]
    pub kind: String,
    pub text: String,
    #[cfg_attr(test, ts(type = "Json"))]
    pub metadata: Option<Json>,
    /// A JSON array of attachments.
    #[cfg_attr(test, ts(type = "Attachment[]"))]
    #[cfg_attr(test, serde(serialize_with = "array_or_empty"))]
    pub attachments: Option<Json>,
    pub reply_to: Option<ReplyTo>,
    /// Wall-clock milliseconds; the server's once known.
    #[cfg_attr(test, serde(rename = "createdAt", serialize_with = "iso"))]
    #[cfg_attr(test, ts(type = "string"))]
    pub created_at_ms: i64,
    /// The server's order within the conversation, where the backend has one.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub seq: Option<u64>,
    pub status: Status,
    pub failure: Option<Failure>,
    /// False only where nothing but memory holds it.
    pub durable: bool,
    pub read_by: Vec<String>,
    pub reactions: Vec<Reaction>,
    #[cfg_attr(test, serde(rename = "editedAt", serialize_with = "optional_iso"))]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub edited_at_ms: Option<i64>,
    #[cfg_attr(test, serde(rename = "deletedAt", serialize_with = "optional_iso"))]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub deleted_at_ms: Option<i64>,
    /// Only in `outbox()`: this entry is no message, but changes one; `text` is the new text or the emoji.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    #[cfg_attr(test, ts(optional))]
    pub change: Option<QueuedChange>,
}

#[cfg(test)]
fn iso<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&wall_time::to_iso(*ms))
}

#[cfg(test)]
fn optional_iso<S: Serializer>(ms: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match ms {
        Some(ms) => iso(ms, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
fn array_or_empty<S: Serializer>(json: &Option<Json>, serializer: S) -> Result<S::Ok, S::Error> {
    match json {
        Some(json) => json.serialize(serializer),
        None => serializer.collect_seq(core::iter::empty::<u8>()),
    }
}

/// What a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum ConversationKind {
    Direct,
    Group,
    Assistant,
}

/// What a member may do (T7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum Role {
    Admin,
    Moderator,
    Member,
}

/// One participant of a conversation.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub struct Member {
    pub user_id: String,
    pub name: String,
    pub role: Role,
}

/// How far a conversation is: from the store alone, catching up, or live (P10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum Phase {
    Restored,
    Syncing,
    Live,
}

/// A conversation as the list shows it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub struct Conversation {
    pub id: String,
    pub kind: ConversationKind,
    pub title: String,
    pub avatar_url: Option<String>,
    pub members: Vec<Member>,
    pub last_message: Option<Message>,
    pub unread: u32,
    pub mentions: u32,
    pub draft: String,
    pub archived: bool,
    pub pinned: bool,
    #[cfg_attr(test, ts(type = "string | null"))]
    pub muted_until: Option<String>,
    pub blocked: bool,
    pub my_role: Role,
    pub phase: Phase,
    pub cursor: Option<String>,
}

/// The connection's states (SPEC.md chapter 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum ConnectionState {
    Idle,
    Connecting,
    Authenticating,
    Online,
    Waiting,
    Offline,
    Closed,
    Failed,
}

/// What `chat.connection` shows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub struct ConnectionSnapshot {
    pub state: ConnectionState,
    pub reason: Option<String>,
    #[cfg_attr(test, ts(type = "number | null"))]
    pub retry_in_ms: Option<u64>,
    pub attempt: u32,
    #[cfg_attr(test, serde(rename = "since", serialize_with = "iso"))]
    #[cfg_attr(test, ts(type = "string"))]
    pub since_ms: i64,
    pub socket_id: Option<String>,
    pub leader: bool,
}

/// What the client may promise against this backend (`chat.guarantees`, WIRES.md's capability table).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
pub struct Guarantees {
    pub delivery: Delivery,
    pub order: bool,
    pub gaps: Gaps,
    pub receipts: bool,
    /// One sentence for each thing the backend does not give.
    pub because: Vec<String>,
}

/// How often an accepted message reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "kebab-case"))]
pub enum Delivery {
    ExactlyOnce,
    OnceOrUnconfirmed,
    AtMostOnce,
}

/// What becomes of messages missed while away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "lowercase"))]
pub enum Gaps {
    Filled,
    Shown,
    Unseen,
}
