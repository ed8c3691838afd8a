//! The vocabulary as JSON: field by field, in the order of the types.

use super::{Object, Write};
use crate::proto::model::{
    ChangeKind, ConnectionSnapshot, ConnectionState, Conversation, ConversationKind, Delivery, ErrorCode,
    Failure, Gaps, Guarantees, Json, Member, Message, Phase, QueuedChange, Reaction, ReplyTo, Role, Sender,
    Status,
};

impl Write for Failure {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("code", self.code.name());
        object.text("message", &self.message);
        object.flag("retryable", self.retryable);
        object.end();
    }
}

impl Write for ReplyTo {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("rowKey", &self.row_key);
        object.text("excerpt", &self.excerpt);
        object.end();
    }
}

impl Write for Reaction {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("emoji", &self.emoji);
        object.count("count", u64::from(self.count));
        object.flag("mine", self.mine);
        object.texts("users", &self.users);
        object.end();
    }
}

impl Write for QueuedChange {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("kind", self.kind.name());
        object.text("rowKey", &self.row_key);
        object.end();
    }
}

impl Write for Message {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("rowKey", &self.row_key);
        object.optional_text("id", self.id.as_ref());
        object.optional_text("key", self.key.as_ref());
        object.text("conversationId", &self.conversation_id);
        object.text("senderId", &self.sender_id);
        object.text("sender", self.sender.name());
        object.text("type", &self.kind);
        object.text("text", &self.text);
        object.put("metadata", &self.metadata);
        object.raw("attachments", self.attachments.as_ref().map_or("[]", Json::text));
        object.put("replyTo", &self.reply_to);
        object.time("createdAt", Some(self.created_at_ms));
        object.optional_count("seq", self.seq);
        object.text("status", self.status.name());
        object.put("failure", &self.failure);
        object.flag("durable", self.durable);
        object.texts("readBy", &self.read_by);
        object.put("reactions", &self.reactions);
        object.time("editedAt", self.edited_at_ms);
        object.time("deletedAt", self.deleted_at_ms);
        if self.change.is_some() {
            object.put("change", &self.change);
        }
        object.end();
    }
}

impl Write for Member {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("userId", &self.user_id);
        object.text("name", &self.name);
        object.text("role", self.role.name());
        object.end();
    }
}

impl Write for Conversation {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("id", &self.id);
        object.text("kind", self.kind.name());
        object.text("title", &self.title);
        object.optional_text("avatarUrl", self.avatar_url.as_ref());
        object.put("members", &self.members);
        object.put("lastMessage", &self.last_message);
        object.count("unread", u64::from(self.unread));
        object.count("mentions", u64::from(self.mentions));
        object.text("draft", &self.draft);
        object.flag("archived", self.archived);
        object.flag("pinned", self.pinned);
        object.optional_text("mutedUntil", self.muted_until.as_ref());
        object.flag("blocked", self.blocked);
        object.text("myRole", self.my_role.name());
        object.text("phase", self.phase.name());
        object.optional_text("cursor", self.cursor.as_ref());
        object.end();
    }
}

impl Write for ConnectionSnapshot {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("state", self.state.name());
        object.optional_text("reason", self.reason.as_ref());
        object.optional_count("retryInMs", self.retry_in_ms);
        object.count("attempt", u64::from(self.attempt));
        object.time("since", Some(self.since_ms));
        object.optional_text("socketId", self.socket_id.as_ref());
        object.flag("leader", self.leader);
        object.end();
    }
}

impl Write for Guarantees {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.text("delivery", self.delivery.name());
        object.flag("order", self.order);
        object.text("gaps", self.gaps.name());
        object.flag("receipts", self.receipts);
        object.texts("because", &self.because);
        object.end();
    }
}

/// The names of the plain enums in JSON.
macro_rules! names {
    ($($kind:ident { $($variant:ident $name:literal),* $(,)? })*) => {$(
        impl $kind {
            /// The name in JSON and in the API.
            pub fn name(self) -> &'static str {
                match self {
                    $($kind::$variant => $name,)*
                }
            }
        }
    )*};
}

names! {
    Status {
        Saving "saving", Saved "saved", Sent "sent", Acknowledged "acknowledged", Delivered "delivered",
        Read "read", Failed "failed",
    }
    Sender { Me "me", User "user", Ai "ai", System "system" }
    ErrorCode {
        Validation "validation", Forbidden "forbidden", NotFound "notFound", Conflict "conflict",
        TooLarge "tooLarge", RateLimited "rateLimited", Auth "auth", Timeout "timeout", Server "server",
        Unconfirmed "unconfirmed", Poison "poison", Expired "expired", OutboxFull "outboxFull",
        Storage "storage", Protocol "protocol", Config "config", Closed "closed", Cancelled "cancelled",
        InFlight "inFlight", Unsupported "unsupported",
    }
    ChangeKind { Edit "edit", Remove "remove", React "react", Unreact "unreact" }
    ConversationKind { Direct "direct", Group "group", Assistant "assistant" }
    Role { Admin "admin", Moderator "moderator", Member "member" }
    Phase { Restored "restored", Syncing "syncing", Live "live" }
    ConnectionState {
        Idle "idle", Connecting "connecting", Authenticating "authenticating", Online "online",
        Waiting "waiting", Offline "offline", Closed "closed", Failed "failed",
    }
    Delivery {
        ExactlyOnce "exactly-once", OnceOrUnconfirmed "once-or-unconfirmed", AtMostOnce "at-most-once",
    }
    Gaps { Filled "filled", Shown "shown", Unseen "unseen" }
}
