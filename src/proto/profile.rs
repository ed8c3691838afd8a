//! Vocabularies: what a backend calls its events, and what it gives.
//!
//! Law: a profile translates and decides nothing. It turns what the core wants into pushes and requests, and what
//! the backend says into [`Incoming`]; whatever it cannot read becomes [`Incoming::Malformed`], never a panic.

use super::config::{Config, ProfileName};
use super::model::{ChangeKind, ConversationKind, Failure, Json, Member, Role, Sender, Status};
use crate::proto::wire::json::RawValue;

#[cfg(feature = "json")]
mod assistant;
mod created;
#[cfg(feature = "socket-io")]
mod declared;
mod errors;
mod fields;
#[cfg(feature = "phoenix")]
mod phoenix;
#[cfg(all(feature = "phoenix", feature = "socket-io"))]
mod phoenix_socket_io;
mod records;
#[cfg(feature = "socket-io")]
mod team;
#[cfg(feature = "socket-io")]
mod template;

#[cfg(feature = "socket-io")]
pub use declared::{BUILT_IN, Heard, MEANINGS, Meaning, MessageNames, SAYINGS, Said, Saying, Spec};
#[cfg(feature = "several")]
pub use declared::{Over, Topics};
#[cfg(feature = "socket-io")]
pub use errors::AnswerNames;
pub use errors::is_auth_refusal;
#[cfg(feature = "socket-io")]
pub use template::{Value, names_in, render};

/// The vocabulary that the configuration names.
pub fn of(config: &Config) -> Box<dyn Profile> {
    // What is declared has its declaration, whatever it is spoken over.
    #[cfg(feature = "socket-io")]
    if let Some(spec) = &config.spec {
        return Box::new(declared::Declared::new((**spec).clone(), &config.user_id));
    }
    match config.profile {
        #[cfg(feature = "socket-io")]
        ProfileName::Team | ProfileName::Declared => Box::new(team::Team),
        #[cfg(feature = "several")]
        ProfileName::DeclaredOverPhoenix | ProfileName::DeclaredOverJson => Box::new(team::Team),
        #[cfg(feature = "phoenix")]
        ProfileName::Phoenix => Box::new(phoenix::Phoenix),
        #[cfg(all(feature = "phoenix", feature = "socket-io"))]
        ProfileName::PhoenixOverSocketIo => Box::new(phoenix_socket_io::PhoenixOverSocketIo),
        #[cfg(feature = "json")]
        ProfileName::Assistant => Box::new(assistant::Assistant::new(config)),
    }
}

/// What a backend gives (WIRES.md, the capability table). Starts as the profile's row without what is marked
/// *ours*; a hello adds to it (D2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The server keeps idempotency keys: the same key is stored once.
    pub keys: bool,
    /// The server answers a send.
    pub answers: bool,
    /// History can be asked for after a sequence number.
    pub cursor: bool,
    /// Several sends of one conversation in flight keep their order.
    pub ordered_window: bool,
    /// Delivered and read are told.
    pub receipts: bool,
    /// The largest frame that the server takes, in bytes.
    pub max_payload: Option<u64>,
}

/// What a hello or `createChat({capabilities})` says; what is `None` stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityPatch {
    pub keys: Option<bool>,
    /// Said by a hello where the answer is not a part of the framing (A6).
    pub answers: Option<bool>,
    pub cursor: Option<bool>,
    pub ordered_window: Option<bool>,
    pub receipts: Option<bool>,
    pub max_payload: Option<u64>,
}

impl Capabilities {
    pub fn apply(&mut self, patch: &CapabilityPatch) {
        self.keys = patch.keys.unwrap_or(self.keys);
        self.answers = patch.answers.unwrap_or(self.answers);
        self.cursor = patch.cursor.unwrap_or(self.cursor);
        self.ordered_window = patch.ordered_window.unwrap_or(self.ordered_window);
        self.receipts = patch.receipts.unwrap_or(self.receipts);
        self.max_payload = patch.max_payload.or(self.max_payload);
    }
}

/// A queued message as a profile needs it to write its frame.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub key: &'a str,
    pub conversation_id: &'a str,
    pub kind: &'a str,
    pub text: &'a str,
    pub metadata: Option<&'a Json>,
    /// The server's id of the answered message, where it is known.
    pub reply_to_id: Option<&'a str>,
    pub created_at_ms: i64,
}

/// A queued change of a message, as a profile needs it.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingChange<'a> {
    pub kind: ChangeKind,
    /// The server's id of the message.
    pub id: &'a str,
    pub conversation_id: &'a str,
    /// The new text, or the emoji; empty for a removal.
    pub text: &'a str,
}

/// How a change goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// On the socket; its answer is read as that of a send.
    Push(Push),
    /// Beside it; its answer is read by [`Profile::parse_change`].
    Rest(RestRequest),
}

/// An event for the socket: `args` are JSON texts, in which placeholders stand for `attachments` by number (E6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// Where the framing has topics; empty: the user's own.
    pub topic: String,
    pub event: String,
    pub args: Vec<String>,
    pub attachments: Vec<Vec<u8>>,
    /// Whether an answer is asked for.
    pub ack: bool,
}

/// A message as the server tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerMessage {
    pub id: String,
    pub key: Option<String>,
    pub conversation_id: String,
    pub sender_id: String,
    /// What its author is, where that is no user.
    pub sender: Option<Sender>,
    /// Empty: an own one's, of a backend that is not told the type of what it is sent.
    pub kind: String,
    pub text: String,
    pub metadata: Option<Json>,
    pub attachments: Option<Json>,
    /// The server's id of the answered message.
    pub reply_to_id: Option<String>,
    pub created_at_ms: i64,
    pub seq: Option<u64>,
    /// Where it stands for its sender, if told.
    pub status: Option<Status>,
    pub read_by: Vec<String>,
    /// Emoji and who gave it. `None`: it says nothing of reactions.
    pub reactions: Option<Vec<(String, String)>>,
    pub edited_at_ms: Option<i64>,
    pub deleted_at_ms: Option<i64>,
}

/// How much a server's clock may be behind ours for its message to be taken as the copy of one of ours.
const CLOCK_TOLERANCE_MS: i64 = 600_000;

impl ServerMessage {
    /// Whether this, which carries no key, may be the copy of an own message with this content (rule 11).
    pub fn may_be(&self, text: &str, kind: &str, created_at_ms: i64) -> bool {
        self.text == text
            && (self.kind.is_empty() || self.kind == kind)
            && self.created_at_ms.saturating_add(CLOCK_TOLERANCE_MS) >= created_at_ms
    }
}

/// A conversation as the server tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConversation {
    pub id: String,
    pub kind: ConversationKind,
    /// Empty where the server gives none (a direct one is named after the other member).
    pub title: String,
    pub avatar_url: Option<String>,
    pub members: Vec<Member>,
    /// Members who are online now, where told.
    pub online: Vec<String>,
    pub my_role: Role,
    /// The newest sequence number, where told: tells whether there is anything to catch up.
    pub last_seq: Option<u64>,
    /// How far this user has read, where told.
    pub last_read_seq: Option<u64>,
    pub updated_at_ms: Option<i64>,
}

/// What the backend said, in the core's words.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// What it gives, and whose the token is, where it says so.
    Hello {
        capabilities: CapabilityPatch,
        user_id: Option<String>,
    },
    Message(Box<ServerMessage>),
    /// The target may not be known by its conversation.
    Status {
        message_id: String,
        conversation_id: Option<String>,
        user_id: Option<String>,
        status: Status,
        /// It is said of all that comes before it too.
        through: bool,
    },
    /// An edit.
    Updated(Box<ServerMessage>),
    Deleted {
        message_id: String,
        conversation_id: Option<String>,
    },
    Reaction {
        message_id: String,
        emoji: String,
        user_id: String,
        added: bool,
    },
    Typing {
        conversation_id: Option<String>,
        user_id: String,
        typing: bool,
    },
    Presence {
        user_id: String,
        online: bool,
        at_ms: Option<i64>,
    },
    Conversation(Box<ServerConversation>),
    /// A conversation's topic was joined; the newest sequence number there, where told.
    Joined {
        conversation_id: String,
        last_seq: Option<u64>,
    },
    /// The answer to what was sent under this key, where that comes as an event (A6): the server has it, under this id.
    #[cfg(feature = "json")]
    Stored {
        key: String,
        id: String,
    },
    /// Something went wrong (A6): with what was sent under this key, or without having to do with a message.
    #[cfg(feature = "json")]
    Failed {
        key: Option<String>,
        failure: Failure,
        retry_after_ms: Option<u64>,
    },
    /// An event of the application's own; it goes to `chat.wire`.
    Other,
    /// A known event that could not be read: what was wrong and where.
    Malformed(String),
}

/// How the server answered a send, or a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It has the message, now or since an earlier attempt (D3); the copy where it gave one.
    Stored(Option<Box<ServerMessage>>),
    /// It refused; `failure.retryable` says whether the same message may be tried again.
    Refused { failure: Failure, retry_after_ms: Option<u64> },
    /// The token is not good (any more); the message itself is not judged.
    AuthRefused(Failure),
    /// It cannot be read.
    Malformed(String),
}

/// A REST request without its base and token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestRequest {
    pub method: &'static str,
    /// Begins with a slash; goes behind `apiUrl`.
    pub path: String,
    pub body: Option<String>,
}

/// One page of history, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Boxed where they are read, and moved on as they are: to copy one costs more than its box.
    #[allow(clippy::vec_box)]
    pub messages: Vec<Box<ServerMessage>>,
    /// `None`: the server does not say.
    pub has_more: Option<bool>,
    /// The server's mark of where it ends (P9).
    pub mark: Option<String>,
    /// Rows that could not be read: they are left out and reported.
    pub malformed: Vec<String>,
}

/// A page of the list of conversations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationPage {
    /// Boxed as the messages of a [`Page`].
    #[allow(clippy::vec_box)]
    pub conversations: Vec<Box<ServerConversation>>,
    /// What was wrong with the rows that could not be read.
    pub malformed: Vec<String>,
    pub has_more: bool,
}

/// What a backend's vocabulary must be able to say and read.
pub trait Profile {
    /// The capability row without what is marked *ours*.
    fn capabilities(&self) -> Capabilities;
    /// Where conversations cannot be listed, nor their history be asked for: the kind of them all. Any id that the
    /// application or the server names is one's, and what is missed stays unseen.
    fn unlisted(&self) -> Option<ConversationKind> {
        None
    }
    /// The id of the one conversation of a backend that has one only.
    fn only_conversation(&self) -> Option<&'static str> {
        None
    }
    /// The server's id of a message that was sent under this key, where the client gives it (H4).
    fn id_of(&self, _key: &str) -> Option<String> {
        None
    }
    fn send(&self, message: Outgoing<'_>) -> Push;
    /// Reads the answer to a send or to a change on the socket; `key` is that message's own, `status` the framing's word
    /// for how it went, where it has one.
    fn answer(&self, key: &str, status: Option<&str>, args: &[&RawValue]) -> Answer;
    /// What it cannot carry is refused when the application asks for it.
    fn can_change(&self, _kind: ChangeKind) -> bool {
        true
    }
    fn change(&self, change: OutgoingChange<'_>) -> Sending;
    /// Reads the answer to the REST request of a change of this kind.
    fn parse_change(&self, kind: ChangeKind, status: u16, body: &str) -> Answer;
    /// `topic` is empty where the framing has none.
    fn incoming(&self, topic: &str, event: &str, args: &[&RawValue]) -> Incoming;
    /// The topic of a conversation, where the framing has topics.
    fn topic(&self, _conversation_id: &str) -> Option<String> {
        None
    }
    /// The conversation of a topic.
    fn conversation_of<'a>(&self, _topic: &'a str) -> Option<&'a str> {
        None
    }
    /// What its join says, evaluated each time (X12); `last_seq` is the newest that is known of its conversation.
    fn join_params(&self, _last_seq: Option<u64>) -> String {
        String::from("{}")
    }
    /// What the server said when a topic was joined.
    fn joined(&self, _topic: &str, _response: &RawValue) -> Incoming {
        Incoming::Other
    }
    /// Said once after each connect (T17) and before an explicit disconnect.
    fn presence(&self, online: bool) -> Option<Push>;
    fn typing(&self, conversation_id: &str, typing: bool) -> Option<Push>;
    fn delivered(&self, conversation_id: &str, message_id: &str) -> Option<Push>;
    fn read(&self, conversation_id: &str, message_id: &str) -> Option<Push>;

    fn list_conversations(&self, offset: u32) -> RestRequest;
    /// A page of the list; an error where nothing of it can be read.
    fn parse_conversations(&self, body: &str, me: &str) -> Result<ConversationPage, String>;
    /// History after `seq`, oldest first.
    fn messages_after(&self, conversation_id: &str, seq: u64, limit: u32) -> RestRequest;
    /// Whether the history is asked for by marks of the server's (P9), and by nothing else.
    fn gives_marks(&self) -> bool {
        false
    }
    /// History after a mark, oldest first; `None`: from the first message on.
    fn messages_following(&self, _conversation_id: &str, _mark: Option<&str>, _limit: u32) -> RestRequest {
        RestRequest { method: "GET", path: String::new(), body: None }
    }
    /// History by offset from the newest.
    fn messages_page(&self, conversation_id: &str, offset: u32, limit: u32) -> RestRequest;
    fn parse_page(&self, body: &str) -> Result<Page, String>;
    fn create_direct(&self, user_id: &str) -> RestRequest;
    fn create_group(&self, title: &str, members: &[String]) -> RestRequest;
    /// Reads the answer to a creation, also the conflict that means "found" (T6).
    fn parse_created(&self, status: u16, body: &str, me: &str) -> Result<Created, Failure>;
    /// The typed failure in a REST answer of status 400 or more (D3), and how long to wait.
    fn parse_failure(&self, status: u16, body: &str) -> (Failure, Option<u64>);
}

/// What a creation ended in.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    Conversation(Box<ServerConversation>),
    /// It exists already; only its id is known: list again.
    Found(String),
    /// It exists already, and the answer does not say which.
    FoundSomewhere,
}
