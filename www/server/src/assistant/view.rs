//! Frames and records as this wire shows them (A5, A6).

use serde_json::{Map, Value, json};

use super::{connect::Page, consent};
use crate::{
    App, clock,
    error::{ApiError, Code},
    live::Event,
    realm::is_bot,
    store::{Message, Sent},
};

/// What an event is here, if anything.
pub(super) fn event(app: &App, page: &Page, event: &Event) -> Option<Value> {
    match event {
        Event::Message { message, .. } => {
            let record = record(app, page, message);
            // Both forms are of A6; a plain server has the shorter one.
            Some(if page.is_plain { record } else { json!({ "type": "message", "payload": record }) })
        }
        Event::Typing { user_id, is_typing, .. } if is_bot(user_id) => {
            Some(json!({ "type": "typing", "payload": { "isTyping": is_typing } }))
        }
        _ => None,
    }
}

/// A5. In what the script says, the metadata in the database names the type too, and a consent by its state alone:
/// where the browser is to come back to is another place for each page.
fn record(app: &App, page: &Page, message: &Message) -> Value {
    let is_bot = is_bot(&message.sender_id);
    let mut metadata = message.metadata.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut kind = json!("text");
    if let Some(map) = metadata.as_mut().and_then(Value::as_object_mut).filter(|_| is_bot) {
        kind = map.remove("type").unwrap_or(kind);
        let state = map.remove("state");
        if let Some(state) = state.as_ref().and_then(Value::as_str) {
            map.insert("authUrl".into(), consent::url(app, page, state).into());
        }
    }
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("id", json!(message.id));
    put("content", json!(String::from_utf8_lossy(&message.content)));
    put("sender", json!(if is_bot { "ai" } else { "user" }));
    put("timestamp", json!(clock::iso(message.created_ms)));
    put("type", kind);
    // Ours: to the user's other sockets, which may be those of a client that has lost its acknowledgement.
    if let Some(key) = message.client_key.as_ref().filter(|_| !is_bot && !page.is_plain) {
        put("clientMessageId", json!(key));
    }
    if let Some(metadata) = metadata.filter(|metadata| *metadata != json!({})) {
        put("metadata", metadata);
    }
    Value::Object(record)
}

pub(super) fn ack(key: &Value, sent: &Sent) -> Value {
    let mut payload = json!({ "clientMessageId": key, "id": sent.message.id });
    if sent.is_duplicate
        && let Some(payload) = payload.as_object_mut()
    {
        payload.insert("duplicate".into(), true.into());
    }
    json!({ "type": "ack", "payload": payload })
}

/// The object of D3, with the key of the command that it answers. The key has another name here.
pub(super) fn error(error: &ApiError, key: Option<&Value>) -> Value {
    let field = error.field.map(|field| if field == "client_message_id" { "clientMessageId" } else { field });
    let mut payload = ApiError { field, ..error.clone() }.to_json();
    if let Some((key, payload)) = key.zip(payload.as_object_mut()) {
        payload.insert("clientMessageId".into(), key.clone());
    }
    json!({ "type": "error", "payload": payload })
}

/// D9: `auth` for a token that is not good; what else a CONNECT can be refused for keeps its code.
pub(super) fn auth_error(error: &ApiError) -> Value {
    let code = if error.code == Code::AuthError { "auth" } else { error.code.name() };
    json!({ "type": "error", "payload": { "code": code, "message": error.message } })
}

pub(super) fn context(user_id: &str, time_zone: &str) -> Value {
    let payload = json!({
        "userId": user_id,
        "timezone": time_zone,
        "capabilities": ["text", "sources", "actions", "oauth"],
        "preferences": {},
    });
    json!({ "type": "context", "payload": payload })
}
