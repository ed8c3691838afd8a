//! Messages and events as this wire shows them (H4, H5).

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::form::wire_id;
use crate::{
    clock,
    form::BASE64,
    live::Event,
    store::{Kind, Message, Status},
};

/// `{id, content, channelId, userId, createdAt}`, and what is out of the ordinary.
pub(super) fn record(message: &Message) -> Value {
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("id", json!(wire_id(&message.id)));
    match std::str::from_utf8(&message.content) {
        Ok(text) => put("content", json!(text)),
        // What a team client has encrypted is no text.
        Err(_) => {
            put("encoding", json!("base64"));
            put("content", json!(BASE64.encode(&message.content)))
        }
    };
    put("channelId", json!(message.conversation_id));
    put("userId", json!(message.sender_id));
    put("createdAt", json!(clock::iso(message.created_ms)));
    if message.kind != Kind::Text {
        put("type", json!(message.kind.name()));
    }
    if let Some(reply_to) = &message.reply_to {
        put("replyTo", json!(wire_id(reply_to)));
    }
    if let Some(metadata) = message.metadata.as_ref().and_then(|text| serde_json::from_str(text).ok()) {
        put("metadata", metadata);
    }
    Value::Object(record)
}

/// Names and payloads of what an event is here; a person's own receipts are for the others.
pub(super) fn events(viewer_id: &str, event: &Event) -> Vec<(&'static str, Value)> {
    match event {
        Event::Message { message, .. } => vec![("message:new", record(message))],
        Event::Status { conversation_id, message_id, user_id, status, at_ms, .. } if user_id != viewer_id => {
            vec![receipt(*status, conversation_id, message_id, user_id, *at_ms)]
        }
        Event::ReadUpTo { read, user_id, at_ms } if user_id != viewer_id => {
            let receipt = |id: &String| receipt(Status::Read, &read.conversation_id, id, user_id, *at_ms);
            read.message_ids.iter().map(receipt).collect()
        }
        _ => Vec::new(),
    }
}

fn receipt(
    status: Status,
    channel_id: &str,
    message_id: &str,
    user_id: &str,
    at_ms: i64,
) -> (&'static str, Value) {
    let name = match status {
        Status::Delivered => "message:delivered",
        Status::Read => "message:read",
    };
    let payload = json!({
        "messageId": wire_id(message_id),
        "channelId": channel_id,
        "userId": user_id,
        "timestamp": clock::iso(at_ms),
    });
    (name, payload)
}
