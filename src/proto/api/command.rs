//! What the application asks for.

use super::{ViewId, WireData};
use crate::proto::model::{ChangeKind, Json};

/// What an application asks for. JSON: `{"send":{…}}`, externally tagged, camelCase.
#[derive(Clone, Debug)]
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
    /// Of a window that does not show the newest rows.
    LoadLater {
        view: ViewId,
        count: u32,
    },
    /// Shows the rows around this one, which the store has; done when they are in view.
    JumpTo {
        view: ViewId,
        row_key: String,
    },
    ToNewest {
        view: ViewId,
    },
    /// Asks the server again for what is missing in the window's conversation.
    FillGaps {
        view: ViewId,
    },
    /// Done when it is stored (or kept in memory, where the store takes nothing).
    SetDraft(DraftCommand),
    SetTyping {
        conversation_id: String,
        typing: bool,
    },
    MarkRead {
        conversation_id: String,
        row_key: String,
    },
    /// Done with a text: what this device has of a conversation, as JSON or as lines.
    ExportConversation {
        conversation_id: String,
        json: bool,
    },
    CreateDirect {
        user_id: String,
    },
    CreateGroup {
        title: String,
        members: Vec<String>,
    },
    /// An event of the backend's own; not queued. `payload` is one JSON value; `topic`: where the framing has them, empty: the
    /// user's own.
    WireSend {
        event: String,
        topic: String,
        payload: WireData,
        ack: bool,
        timeout_ms: Option<u32>,
    },
    /// Events of a topic of the application's own are wanted from now on, on every connection: done when it is joined, or at
    /// once without one. `params`: the text of an object, for each join; none: not wanted any more.
    WireTopic {
        topic: String,
        params: Option<Json>,
    },
    /// An event of the backend's own stands for this one, which the profile knows (`receive` of `defineProfile`). `values`: the
    /// text of an array.
    WireReceive {
        event: String,
        values: Json,
    },
    /// The answer to an event of the backend's own that wanted one; what nobody waits for (any more) changes nothing.
    WireAnswer {
        ack_id: u64,
        payload: WireData,
    },
    /// Done with its entry of the outbox when it is durable.
    Change(ChangeCommand),
    /// Done with the new message when it is durable.
    Forward {
        row_key: String,
        conversation_id: String,
    },
    Wipe {},
}

/// `chat.setDraft`.
#[derive(Clone)]
pub struct DraftCommand {
    pub conversation_id: String,
    /// Empty: there is none any more.
    pub text: String,
}

/// `chat.edit`, `remove`, `react`, `unreact`.
#[derive(Clone)]
pub struct ChangeCommand {
    pub kind: ChangeKind,
    /// The message that is changed.
    pub row_key: String,
    /// The new text, or the emoji; empty for a removal.
    pub text: String,
}

/// `chat.send`.
#[derive(Clone)]
pub struct SendCommand {
    pub conversation_id: String,
    pub text: String,
    pub kind: Option<String>,
    pub metadata: Option<Json>,
    /// The row key of the message that this one answers.
    pub reply_to: Option<String>,
    pub ttl_ms: Option<u64>,
    pub key: Option<String>,
}
