//! What the core tells the application.

use super::{CommandId, ViewId};
use crate::proto::model::{
    ConnectionSnapshot, Conversation, Failure, Guarantees, Json, Message, Phase, Status,
};

/// What an accepted command ended with.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase", tag = "kind", content = "value"))]
pub enum Outcome {
    Nothing,
    Message(Box<Message>),
    Messages(Vec<Message>),
    Conversation(Box<Conversation>),
    Text(String),
    /// The backend's own answer.
    Wire(Box<WireData>),
}

/// JSON of the backend's own, in which `{"_placeholder":true,"num":k}` stands for the attachment of that number (E6). As
/// JSON `{"json":…,"attachments":["base64"…]}`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
pub struct WireData {
    #[cfg_attr(test, ts(type = "Json"))]
    pub json: Json,
    #[cfg_attr(test, ts(type = "string[]"), serde(serialize_with = "as_base64"))]
    pub attachments: Vec<Vec<u8>>,
}

#[cfg(test)]
fn as_base64<S: serde::Serializer>(attachments: &[Vec<u8>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(attachments.iter().map(|bytes| crate::proto::wire::base64::encode(bytes)))
}

/// What the core tells the application. JSON: `{"type":"status",…}`.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type"))]
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
        /// This tab has taken it in: of all tabs that hear of it one, though the lead may be changing hands.
        leader: bool,
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
    /// An event of the backend's own, by its own name; the JSON of `args` is an array. `topic`: where the framing has them.
    /// `ack_id`: the server wants an answer, which the tab with the socket gives by `Command::WireAnswer`.
    Wire {
        event: String,
        topic: String,
        args: Box<WireData>,
        #[cfg_attr(test, ts(type = "number | null"))]
        ack_id: Option<u64>,
    },
    /// What a window shows now.
    View(ViewUpdate),
}

/// The changes of one window since the last one. Rows are named by slots: small numbers that stay with a row.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, ts_rs::TS))]
#[cfg_attr(test, serde(rename_all = "camelCase"))]
pub struct ViewUpdate {
    pub view: ViewId,
    pub conversation_id: String,
    /// The slots in view, oldest first.
    pub order: Vec<u32>,
    /// Rows that are new or changed. All others keep their identity.
    pub rows: Vec<(u32, Message)>,
    /// Rows in view before which messages are missing.
    pub gaps: Vec<u32>,
    pub has_earlier: bool,
    pub has_later: bool,
    pub loading: bool,
    pub error: Option<Failure>,
    pub phase: Phase,
}
