//! Records and events as the `phoenix` wire shows them (P5, P8, D7). Each viewer has a view: `client_id` goes to its
//! sender only.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::{cursor, frame::Payload};
use crate::{
    App, clock,
    form::BASE64,
    live::Event,
    presence::{Meta, Metas},
    store::{Conversation, Member, Message, Status},
};

pub(super) fn conversation_topic(id: &str) -> String {
    format!("conversation:{id}")
}

/// A message to any member.
pub(super) fn message(app: &App, viewer_id: &str, message: &Message) -> Value {
    let members = app.directory.members(&message.conversation_id);
    record(message, viewer_id, members.as_deref().map(Vec::as_slice).unwrap_or_default())
}

fn record(message: &Message, viewer_id: &str, members: &[Member]) -> Value {
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("id", json!(message.id));
    put("conversation_id", json!(message.conversation_id));
    put("sender_id", json!(message.sender_id));
    match std::str::from_utf8(&message.content) {
        Ok(text) => put("content", json!(text)),
        // What a team client has encrypted is no text, and this wire knows nothing else.
        Err(_) => {
            put("encoding", json!("base64"));
            put("content", json!(BASE64.encode(&message.content)))
        }
    };
    put("type", json!(message.kind.name()));
    let metadata = message.metadata.as_ref().and_then(|text| serde_json::from_str(text).ok());
    put("metadata", metadata.unwrap_or(Value::Null));
    put("reply_to", json!(message.reply_to));
    put("seq", json!(message.seq));
    put("inserted_at", json!(clock::iso(message.created_ms)));
    put("status", json!(message.reached(members)));
    put("delivered_to", json!(message.delivered_to()));
    put("read_by", json!(message.read_by()));
    let reaction =
        |reaction: &crate::store::Reaction| json!({ "emoji": reaction.emoji, "user_id": reaction.user_id });
    put("reactions", message.reactions.iter().map(reaction).collect());
    if let Some(key) = message.client_key.as_ref().filter(|_| message.sender_id == viewer_id) {
        put("client_id", json!(key));
    }
    if let Some(at_ms) = message.edited_ms {
        put("edited_at", json!(clock::iso(at_ms)));
    }
    if let Some(at_ms) = message.deleted_ms {
        put("deleted_at", json!(clock::iso(at_ms)));
    }
    Value::Object(record)
}

/// A conversation to the member whose view it is.
pub(super) fn conversation(app: &App, viewer_id: &str, view: &Conversation) -> Value {
    let member = |member: &Member| {
        json!({
            "id": member.user_id,
            "name": app.directory.name(&member.user_id).as_deref(),
            "role": member.role.name(),
            "online": app.live.is_online(&member.user_id),
        })
    };
    json!({
        "id": view.id,
        "kind": if view.is_group { "group" } else { "direct" },
        "title": view.title,
        "members": view.members.iter().map(member).collect::<Value>(),
        "last_message": view.last_message.as_ref().map(|last| record(last, viewer_id, &view.members)),
        "last_seq": view.last_seq,
        "last_read_seq": view.last_read_seq,
        "unread_count": view.unread_count,
        "cursor": cursor::of(view.last_seq),
        "inserted_at": clock::iso(view.created_ms),
        "updated_at": clock::iso(view.updated_ms),
    })
}

/// `presence_state` (P5): user → `{metas}`.
pub(super) fn presences(metas: &Metas) -> Value {
    let users = metas.iter().map(|(user_id, metas)| {
        let metas: Vec<Value> = metas.iter().map(meta).collect();
        (user_id.clone(), json!({ "metas": metas }))
    });
    Value::Object(users.collect())
}

/// Phoenix's own examples have `online_at` in seconds.
fn meta(meta: &Meta) -> Value {
    json!({ "online_at": meta.online_at_ms / 1000, "phx_ref": meta.phx_ref })
}

/// The topic that an event is told on, if any.
pub(super) fn topic(viewer_id: &str, event: &Event) -> Option<String> {
    let conversation_id = match event {
        Event::Message { message, .. }
        | Event::MessageUpdated { message, .. }
        | Event::MessageDeleted { message } => &message.conversation_id,
        Event::Status { conversation_id, status: Status::Read, .. }
        | Event::Reaction { conversation_id, .. }
        | Event::Typing { conversation_id, .. }
        | Event::Attendance { conversation_id, .. } => conversation_id,
        Event::ReadUpTo { read, .. } => &read.conversation_id,
        Event::Conversation { .. } => return Some(format!("user:{viewer_id}")),
        // This wire knows no deliveries, and presence conversation by conversation.
        Event::Status { status: Status::Delivered, .. } | Event::Presence { .. } | Event::Photo { .. } => {
            return None;
        }
        #[cfg(feature = "faults")]
        Event::TestBroadcast { topic, .. } => return Some(topic.clone()),
    };
    Some(conversation_topic(conversation_id))
}

/// Name and payload of an event that has a topic (P8).
pub(super) fn event(app: &App, viewer_id: &str, event: &Event) -> Option<(&'static str, Payload)> {
    let (name, payload) = match event {
        Event::Message { message, members } => ("message:new", record(message, viewer_id, members)),
        Event::MessageUpdated { message, members } => ("message:update", record(message, viewer_id, members)),
        Event::MessageDeleted { message } => (
            "message:delete",
            json!({
                "id": message.id,
                "conversation_id": message.conversation_id,
                "seq": message.seq,
                "deleted_at": clock::iso(message.deleted_ms.unwrap_or(message.created_ms)),
            }),
        ),
        Event::Status { conversation_id, message_id, seq, user_id, .. } => {
            ("message:read", read(conversation_id, user_id, message_id, *seq))
        }
        Event::ReadUpTo { read: to, user_id, .. } => {
            ("message:read", read(&to.conversation_id, user_id, &to.message_id, to.seq))
        }
        Event::Reaction { conversation_id, message_id, user_id, emoji, is_added } => (
            "message:react",
            json!({
                "id": message_id,
                "conversation_id": conversation_id,
                "emoji": emoji,
                "user_id": user_id,
                "op": if *is_added { "add" } else { "remove" },
            }),
        ),
        Event::Typing { conversation_id, user_id, is_typing, .. } => (
            "typing",
            json!({ "conversation_id": conversation_id, "user_id": user_id, "is_typing": is_typing }),
        ),
        Event::Attendance { user_id, meta: one, has_come, .. } => {
            let change = json!({ user_id.as_str(): { "metas": [meta(one)] } });
            let (joins, leaves) = if *has_come { (change, json!({})) } else { (json!({}), change) };
            ("presence_diff", json!({ "joins": joins, "leaves": leaves }))
        }
        Event::Conversation { view, is_new } => {
            let name = if *is_new { "conversation:new" } else { "conversation:update" };
            (name, json!({ "conversation": conversation(app, viewer_id, view) }))
        }
        Event::Presence { .. } | Event::Photo { .. } => return None,
        #[cfg(feature = "faults")]
        Event::TestBroadcast { payload, .. } => return Some(("test:broadcast", payload.clone())),
    };
    Some((name, Payload::Json(payload)))
}

fn read(conversation_id: &str, user_id: &str, message_id: &str, seq: i64) -> Value {
    json!({ "conversation_id": conversation_id, "user_id": user_id, "up_to": message_id, "seq": seq })
}
