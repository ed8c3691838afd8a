//! What the database holds, in the words of no wire in particular. Times are milliseconds since 1970.

/// Kinds of messages (T11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Image,
    File,
    Voice,
}

impl Kind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "image" => Some(Self::Image),
            "file" => Some(Self::File),
            "voice" => Some(Self::Voice),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
            Self::Voice => "voice",
        }
    }
}

/// Roles in a conversation (T7). In a direct one both are members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Admin,
    Moderator,
    Member,
}

impl Role {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "admin" => Some(Self::Admin),
            "moderator" => Some(Self::Moderator),
            "member" => Some(Self::Member),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Moderator => "moderator",
            Self::Member => "member",
        }
    }

    /// May add and remove members and delete the messages of others.
    pub(crate) fn is_trusted(self) -> bool {
        matches!(self, Self::Admin | Self::Moderator)
    }
}

/// T14 without `sent`, which every stored message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Delivered,
    Read,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The same user, on wires whose ids are numbers.
    pub(crate) number: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) user_id: String,
    pub(crate) role: Role,
}

/// A message as its sender wants it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) conversation_id: String,
    /// Kept per sender: a second message with this key is the first one again.
    pub(crate) client_key: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) content: Vec<u8>,
    pub(crate) reply_to: Option<String>,
    /// JSON text.
    pub(crate) metadata: Option<String>,
    pub(crate) id: NewId,
    pub(crate) place: Place,
}

/// What a new message will be called.
#[derive(Debug, Clone, Default)]
pub(crate) enum NewId {
    /// By us.
    #[default]
    Ours,
    /// By a number, which no other message has.
    Number,
    /// By its sender; refused where it is taken.
    Given(String),
}

/// Where a message goes.
#[derive(Debug, Clone, Default)]
pub(crate) enum Place {
    /// To a conversation of its sender.
    #[default]
    Conversation,
    /// To an open channel: the first message makes it, and who sends joins. Any other conversation of this id stays
    /// what it is.
    Channel,
    /// To the conversation that this user has with a script; the first message makes it.
    Scripted { owner_id: String },
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) conversation_id: String,
    /// From 1, without holes, per conversation.
    pub(crate) seq: i64,
    pub(crate) sender_id: String,
    pub(crate) client_key: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) content: Vec<u8>,
    pub(crate) reply_to: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) edited_ms: Option<i64>,
    pub(crate) deleted_ms: Option<i64>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) reactions: Vec<Reaction>,
}

impl Message {
    /// Who has it.
    pub(crate) fn delivered_to(&self) -> Vec<&str> {
        self.receipts.iter().map(|receipt| receipt.user_id.as_str()).collect()
    }

    /// Who has read it.
    pub(crate) fn read_by(&self) -> Vec<&str> {
        let read = self.receipts.iter().filter(|receipt| receipt.is_read);
        read.map(|receipt| receipt.user_id.as_str()).collect()
    }

    /// T14: what all other members have reached.
    pub(crate) fn reached(&self, members: &[Member]) -> &'static str {
        let others: Vec<&str> =
            members.iter().map(|member| member.user_id.as_str()).filter(|id| *id != self.sender_id).collect();
        let (delivered_to, read_by) = (self.delivered_to(), self.read_by());
        if others.is_empty() {
            "sent"
        } else if others.iter().all(|id| read_by.contains(id)) {
            "read"
        } else if others.iter().all(|id| delivered_to.contains(id)) {
            "delivered"
        } else {
            "sent"
        }
    }
}

/// One row per message and recipient; it only moves forward.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) user_id: String,
    pub(crate) is_read: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Reaction {
    pub(crate) emoji: String,
    pub(crate) user_id: String,
}

/// The answer to a send.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) message: Message,
    /// The key was known with the same content: nothing new was stored.
    pub(crate) is_duplicate: bool,
    /// Who has come to the conversation by it, with everybody's view of it.
    pub(crate) joined: Option<Joined>,
}

/// A member that a message has brought.
#[derive(Debug, Clone)]
pub(crate) struct Joined {
    pub(crate) user_id: String,
    pub(crate) views: Vec<(String, Conversation)>,
}

/// A receipt that changed something.
#[derive(Debug, Clone)]
pub(crate) struct StatusChange {
    pub(crate) conversation_id: String,
    pub(crate) message_id: String,
    pub(crate) seq: i64,
    pub(crate) status: Status,
}

/// What "read up to here" names: a message, or its number.
#[derive(Debug, Clone)]
pub(crate) enum UpTo {
    Message(String),
    Seq(i64),
}

/// Reading that moved on.
#[derive(Debug, Clone)]
pub(crate) struct ReadUpTo {
    pub(crate) conversation_id: String,
    /// The message up to which everything is read now.
    pub(crate) message_id: String,
    pub(crate) seq: i64,
    /// Messages of others that were not read before, oldest first.
    pub(crate) message_ids: Vec<String>,
}

/// A conversation as one of its members sees it.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) is_group: bool,
    pub(crate) title: Option<String>,
    /// In the order of joining.
    pub(crate) members: Vec<Member>,
    pub(crate) last_message: Option<Message>,
    pub(crate) last_seq: i64,
    pub(crate) last_read_seq: i64,
    /// Messages of others after `last_read_seq`, counted up to 1,000.
    pub(crate) unread_count: i64,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}
