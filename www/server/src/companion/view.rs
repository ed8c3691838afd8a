//! Records and events as this wire shows them (C3, D8).

use serde_json::{Map, Value, json};

use super::girl_id;
use crate::{
    clock,
    live::Event,
    realm::is_bot,
    socket_io::SocketPeer,
    store::{Kind, Message, Status},
};

type Named = (&'static str, Value);

/// Names and payloads of what an event is here.
pub(super) fn events(peer: &SocketPeer, event: &Event) -> Vec<Named> {
    match event {
        Event::Message { message: new, .. } => vec![message(peer, new)],
        Event::Typing { conversation_id, user_id, is_typing, .. } if is_bot(user_id) => {
            vec![("typing", json!({ "girl_id": girl_id(conversation_id), "is_typing": is_typing }))]
        }
        Event::Status { conversation_id, message_id, status: Status::Read, .. } => {
            read(conversation_id, message_id).into_iter().collect()
        }
        Event::ReadUpTo { read: to, .. } => {
            to.message_ids.iter().filter_map(|id| read(&to.conversation_id, id)).collect()
        }
        Event::Photo { conversation_id, url } => {
            vec![("photo_generated", json!({ "girl_id": girl_id(conversation_id), "photo_url": url }))]
        }
        _ => Vec::new(),
    }
}

fn read(conversation_id: &str, message_id: &str) -> Option<Named> {
    let payload = json!({ "message_id": number(message_id)?, "girl_id": girl_id(conversation_id) });
    Some(("message_read", payload))
}

/// C6: the id of a message that was stored for this wire.
fn number(message_id: &str) -> Option<i64> {
    message_id.parse().ok()
}

/// `message_received`
pub(super) fn message(peer: &SocketPeer, message: &Message) -> Named {
    let shows_key = !peer.vocabulary.is_plain && message.sender_id == peer.user.id;
    ("message_received", json!({ "message": record(message, shows_key) }))
}

fn record(message: &Message, shows_key: bool) -> Value {
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("id", json!(number(&message.id)));
    put("girl_id", json!(girl_id(&message.conversation_id)));
    put("content", json!(String::from_utf8_lossy(&message.content)));
    put("sender", json!(if is_bot(&message.sender_id) { "girl" } else { "user" }));
    put("timestamp", json!(clock::iso(message.created_ms)));
    put("type", json!(if message.kind == Kind::Image { "photo" } else { "text" }));
    let metadata = message.metadata.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(url) = metadata.as_ref().and_then(|metadata| metadata.get("photo_url")) {
        put("photo_url", url.clone());
    }
    if let Some(key) = message.client_key.as_ref().filter(|_| shows_key) {
        put("client_id", json!(key));
    }
    Value::Object(record)
}
