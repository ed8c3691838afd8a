//! What a profile declares: the names of a backend's events and fields.

use std::borrow::Cow;

use super::super::Capabilities;
use super::super::errors::AnswerNames;
use crate::proto::model::ConversationKind;

/// What the client says to a backend, each with an event of the backend's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saying {
    Send,
    Typing,
    Delivered,
    Read,
    Edit,
    Remove,
    React,
    Unreact,
    Online,
    Offline,
}

/// Every saying by the name that a declaration gives it, and what its payload may ask for beside `userId`.
pub const SAYINGS: [(&str, Saying, &[&str]); 10] = [
    (
        "send",
        Saying::Send,
        &["conversationId", "key", "text", "type", "kind", "metadata", "replyTo", "createdAt", "createdAtMs"],
    ),
    ("typing", Saying::Typing, &["conversationId", "isTyping"]),
    ("delivered", Saying::Delivered, &["conversationId", "messageId"]),
    ("read", Saying::Read, &["conversationId", "messageId"]),
    ("edit", Saying::Edit, &["conversationId", "messageId", "text"]),
    ("remove", Saying::Remove, &["conversationId", "messageId"]),
    ("react", Saying::React, &["conversationId", "messageId", "emoji"]),
    ("unreact", Saying::Unreact, &["conversationId", "messageId", "emoji"]),
    ("online", Saying::Online, &[]),
    ("offline", Saying::Offline, &[]),
];

/// An event that goes out; its payload is a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub saying: Saying,
    pub event: String,
    pub payload: Option<String>,
}

/// What an event that comes in means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Message,
    Updated,
    Deleted,
    Delivered,
    Read,
    /// The payload says which.
    Status,
    Typing,
    Presence,
    Reaction,
    Conversation,
    /// The server has what was sent under a key (on plain JSON frames, where no answer comes by its number).
    #[cfg(feature = "several")]
    Stored,
    /// Something went wrong, perhaps with what was sent under a key.
    #[cfg(feature = "several")]
    Failed,
}

pub const MEANINGS: &[(&str, Meaning)] = &[
    ("message", Meaning::Message),
    ("updated", Meaning::Updated),
    ("deleted", Meaning::Deleted),
    ("delivered", Meaning::Delivered),
    ("read", Meaning::Read),
    ("status", Meaning::Status),
    ("typing", Meaning::Typing),
    ("presence", Meaning::Presence),
    ("reaction", Meaning::Reaction),
    ("conversation", Meaning::Conversation),
    #[cfg(feature = "several")]
    ("acknowledged", Meaning::Stored),
    #[cfg(feature = "several")]
    ("failed", Meaning::Failed),
];

/// An event that comes in, and what its fields are called.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    pub event: String,
    pub meaning: Meaning,
    /// The field that holds it; empty: the payload itself.
    pub within: String,
    pub conversation_id: Cow<'static, str>,
    pub user_id: Cow<'static, str>,
    pub message_id: Cow<'static, str>,
    pub is_typing: Cow<'static, str>,
    pub status: Cow<'static, str>,
    pub emoji: Cow<'static, str>,
    pub op: Cow<'static, str>,
    #[cfg(feature = "several")]
    pub key: Cow<'static, str>,
}

/// What the fields of a message are called.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageNames {
    pub id: Cow<'static, str>,
    pub conversation_id: Cow<'static, str>,
    pub sender_id: Cow<'static, str>,
    pub text: Cow<'static, str>,
    pub kind: Cow<'static, str>,
    pub created_at: Cow<'static, str>,
    /// Empty: the backend keeps none.
    pub key: Cow<'static, str>,
    /// The address of what it shows; empty: there is none.
    pub media_url: Cow<'static, str>,
    pub is_base64: bool,
    /// Where the sender is a word and no id: the word for the user. Whoever else speaks is the conversation itself.
    pub me: Option<String>,
}

/// A profile by its declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    #[cfg(feature = "several")]
    pub over: super::Over,
    pub capabilities: Capabilities,
    /// What CONNECT says, as a template; empty: the token alone.
    pub auth: String,
    /// `None`: they are listed, and have a history, over REST as WIRES.md D4 has it.
    pub unlisted: Option<ConversationKind>,
    /// The server's id of a message is the key that it was sent with (H4).
    pub keys_are_ids: bool,
    pub said: Vec<Said>,
    pub heard: Vec<Heard>,
    pub message: MessageNames,
    pub answer: AnswerNames,
}

/// Profiles that are declared rather than written, by their names (WIRES.md, sections C and H). What has no answer has none
/// by design.
pub const BUILT_IN: [(&str, &str); 2] = [("companion", COMPANION), ("channels", CHANNELS)];

/// C1 to C9, D8. `client_id` is ours.
const COMPANION: &str = r##"{
"name":"companion",
"capabilities":{"receipts":true},
"auth":{"token":"$token","user_id":"#userId"},
"reconnect":{"baseDelayMs":1000,"maxDelayMs":5000,"maxAttempts":5,"jitter":"half"},
"conversations":"direct",
"commands":{
"send":{"event":"send_message","payload":{"user_id":"#userId","girl_id":"$conversationId","content":"$text","client_id":"$key"}},
"typing":{"event":"typing_indicator","payload":{"user_id":"#userId","girl_id":"$conversationId","is_typing":"$isTyping"}},
"read":{"event":"mark_read","payload":{"user_id":"#userId","girl_id":"$conversationId","message_ids":["#messageId"]}}},
"message":{"conversationId":"girl_id","senderId":"sender","me":"user","createdAt":"timestamp","key":"client_id","mediaUrl":"photo_url"},
"events":{
"message_received":{"as":"message","in":"message"},
"typing":{"as":"typing","conversationId":"girl_id"},
"message_read":{"as":"read","conversationId":"girl_id"}}}"##;

/// H2 to H5. The message's own `id` is its key.
const CHANNELS: &str = r##"{
"name":"channels",
"capabilities":{"keys":true,"answers":true,"receipts":true},
"auth":{"token":"$token","userId":"$userId"},
"reconnect":{"baseDelayMs":1000,"maxDelayMs":1000,"maxAttempts":5,"jitter":"half"},
"conversations":"group",
"keysAreIds":true,
"commands":{
"send":{"event":"message:send","payload":{"id":"$key","content":"$text","channelId":"$conversationId","userId":"$userId","createdAt":"$createdAt","type":"$kind","metadata":"$metadata","replyTo":"$replyTo"}},
"delivered":{"event":"message:delivered","payload":{"messageId":"$messageId"}},
"read":{"event":"message:read","payload":{"messageId":"$messageId"}}},
"message":{"conversationId":"channel_id","senderId":"user_id","key":"id"},
"events":{
"message:new":{"as":"message"},
"message:delivered":{"as":"delivered","conversationId":"channel_id"},
"message:read":{"as":"read","conversationId":"channel_id"}}}"##;
