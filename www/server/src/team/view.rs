//! Rows and events as the `team` wire shows them (T4, D4). Each viewer has a view: `client_message_id` goes to its
//! sender only.

use serde_json::{Map, Value, json};

use super::form::to_base64;
use crate::{
    App, clock,
    live::Event,
    store::{Conversation, Member, Message, Status},
};

/// A message to its sender.
pub(super) fn own_message(app: &App, message: &Message) -> Value {
    message_row(message, &message.sender_id, &members(app, &message.conversation_id))
}

/// A message to any participant.
pub(super) fn message(app: &App, viewer_id: &str, message: &Message) -> Value {
    message_row(message, viewer_id, &members(app, &message.conversation_id))
}

fn members(app: &App, conversation_id: &str) -> Vec<Member> {
    app.directory.members(conversation_id).map(|members| members.to_vec()).unwrap_or_default()
}

fn message_row(message: &Message, viewer_id: &str, members: &[Member]) -> Value {
    let (delivered_to, read_by) = (message.delivered_to(), message.read_by());
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    put("id", json!(message.id));
    put("sender_id", json!(message.sender_id));
    put("content_encrypted", json!(to_base64(&message.content)));
    put("conversation_id", json!(message.conversation_id));
    put("message_type", json!(message.kind.name()));
    put("created_at", json!(clock::iso(message.created_ms)));
    put("seq", json!(message.seq));
    put("status", json!(message.reached(members)));
    put("delivered_to", json!(delivered_to));
    put("read_by", json!(read_by));
    let reaction =
        |reaction: &crate::store::Reaction| json!({ "emoji": reaction.emoji, "user_id": reaction.user_id });
    put("reactions", message.reactions.iter().map(reaction).collect());
    if let Some(key) = message.client_key.as_ref().filter(|_| message.sender_id == viewer_id) {
        put("client_message_id", json!(key));
    }
    if let Some(reply_to) = &message.reply_to {
        put("reply_to", json!(reply_to));
    }
    if let Some(metadata) = message.metadata.as_ref().and_then(|text| serde_json::from_str(text).ok()) {
        put("metadata", metadata);
    }
    if let Some(at_ms) = message.edited_ms {
        put("edited_at", json!(clock::iso(at_ms)));
    }
    if let Some(at_ms) = message.deleted_ms {
        put("deleted_at", json!(clock::iso(at_ms)));
    }
    Value::Object(row)
}

/// A conversation to the member whose view it is.
pub(super) fn conversation(app: &App, viewer_id: &str, view: &Conversation) -> Value {
    let participants: Vec<Value> = view
        .members
        .iter()
        .map(|member| {
            json!({
                "user_id": member.user_id,
                "username": app.directory.name(&member.user_id).as_deref(),
                "role": member.role.name(),
                "online": app.live.is_online(&member.user_id),
            })
        })
        .collect();
    let last_message = view.last_message.as_ref().map(|last| message_row(last, viewer_id, &view.members));
    json!({
        "id": view.id,
        "type": if view.is_group { "group" } else { "direct" },
        "title": view.title,
        "avatar_url": null,
        "participants": participants,
        "last_message": last_message,
        "last_seq": view.last_seq,
        "last_read_seq": view.last_read_seq,
        "unread_count": view.unread_count,
        "created_at": clock::iso(view.created_ms),
        "updated_at": clock::iso(view.updated_ms),
    })
}

/// Names and payloads of what an event is on this wire (T4, D4).
pub(super) fn events(app: &App, viewer_id: &str, event: &Event) -> Vec<(&'static str, Value)> {
    let one = match event {
        Event::Message { message, members } => {
            ("chat:message_received", message_row(message, viewer_id, members))
        }
        Event::MessageUpdated { message, members } => {
            ("chat:message_updated", message_row(message, viewer_id, members))
        }
        Event::MessageDeleted { message } => (
            "chat:message_deleted",
            json!({
                "messageId": message.id,
                "conversationId": message.conversation_id,
                "timestamp": clock::iso(message.deleted_ms.unwrap_or(message.created_ms)),
            }),
        ),
        Event::Status { conversation_id, message_id, seq: _, user_id, status, at_ms } => {
            status_event(conversation_id, message_id, user_id, *status, *at_ms)
        }
        Event::ReadUpTo { read, user_id, at_ms } => {
            let event = |id: &String| status_event(&read.conversation_id, id, user_id, Status::Read, *at_ms);
            return read.message_ids.iter().map(event).collect();
        }
        Event::Reaction { conversation_id, message_id, user_id, emoji, is_added } => (
            "chat:reaction",
            json!({
                "messageId": message_id,
                "conversationId": conversation_id,
                "emoji": emoji,
                "userId": user_id,
                "op": if *is_added { "add" } else { "remove" },
            }),
        ),
        Event::Typing { conversation_id, user_id, username, is_typing, at_ms } => (
            "chat:user_typing",
            json!({
                "userId": user_id,
                "username": &**username,
                "isTyping": is_typing,
                "timestamp": clock::iso(*at_ms),
                "conversationId": conversation_id,
            }),
        ),
        Event::Presence { user_id, is_online, at_ms } => (
            "user:status_changed",
            json!({
                "userId": user_id,
                "status": if *is_online { "online" } else { "offline" },
                "timestamp": clock::iso(*at_ms),
            }),
        ),
        // Presence is told user by user here: `user:status_changed`.
        Event::Attendance { .. } | Event::Photo { .. } => return Vec::new(),
        Event::Conversation { view, is_new: _ } => {
            ("chat:conversation_updated", json!({ "conversation": conversation(app, viewer_id, view) }))
        }
        #[cfg(feature = "faults")]
        Event::TestBroadcast { .. } => return Vec::new(),
    };
    vec![one]
}

fn status_event(
    conversation_id: &str,
    message_id: &str,
    user_id: &str,
    status: Status,
    at_ms: i64,
) -> (&'static str, Value) {
    let payload = json!({
        "messageId": message_id,
        "status": status.name(),
        "userId": user_id,
        "conversationId": conversation_id,
        "timestamp": clock::iso(at_ms),
    });
    ("chat:message_status_updated", payload)
}
