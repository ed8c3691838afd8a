//! Frames of a client (A3, A4, A10, D9). What cannot be read is answered with an error; the socket stays.

use std::{ops::ControlFlow, sync::Arc};

use axum::extract::ws::Message;
use serde_json::{Value, json};

use super::{connect::frame_token, form, peer::AssistantPeer, view};
use crate::{
    chat,
    error::ApiError,
    faults::Answer,
    live::Peer,
    store::Sent,
    websocket::{End, close},
};

pub(super) fn handle(peer: &Arc<AssistantPeer>, message: &Message) -> ControlFlow<End> {
    let frame = match message {
        Message::Text(text) => serde_json::from_str::<Value>(text.as_str()).ok().filter(Value::is_object),
        _ => None,
    };
    let Some(frame) = frame else {
        refuse(peer, None, &ApiError::validation("frame", "an object of JSON as text is wanted"));
        return ControlFlow::Continue(());
    };
    match frame.get("type").and_then(Value::as_str) {
        Some("command") => command(peer, frame.get("payload").unwrap_or(&Value::Null)),
        Some("ping") if !peer.page.is_plain => peer.tell(&json!({ "type": "pong" })),
        // A server that does not know it (A10).
        Some("ping") => {}
        Some("auth") => return auth(peer, &frame),
        _ => refuse(peer, None, &ApiError::validation("type", "this server does not know the type")),
    }
    ControlFlow::Continue(())
}

/// A client that says its token again, by whatever way it came first.
fn auth(peer: &AssistantPeer, frame: &Value) -> ControlFlow<End> {
    let user = frame_token(frame).map(|token| peer.app.user_of_token(token));
    if matches!(user, Some(Ok((user, _))) if user.id == peer.user.id) {
        peer.tell(&json!({ "type": "auth_ok" }));
        return ControlFlow::Continue(());
    }
    peer.tell(&view::auth_error(&ApiError::auth("invalid token")));
    ControlFlow::Break(End::With(close::REFUSED))
}

fn command(peer: &Arc<AssistantPeer>, payload: &Value) {
    let app = &peer.app;
    if app.store.is_overloaded() {
        tracing::warn!(user_id = peer.user.id, "too many writes wait, a sender is cut");
        return peer.cut();
    }
    let is_plain = peer.page.is_plain;
    let command = match form::command(payload, &peer.user, !is_plain, app.config.max_text_chars) {
        Ok(command) => command,
        Err(error) => return refuse(peer, payload.get("clientMessageId"), &error),
    };
    if let Some(time_zone) = command.time_zone {
        peer.set_time_zone(time_zone);
    }
    let key = command.draft.client_key.clone().map(Value::from);
    // What only its answer has.
    let mark = key.as_ref().map(|key| format!("\"clientMessageId\":{key}").into_bytes());
    let weak = Arc::downgrade(peer);
    let reply = move |result: Result<Sent, ApiError>| {
        let Some(peer) = weak.upgrade() else { return };
        match (result, &key) {
            (Ok(sent), Some(key)) => peer.tell(&view::ack(key, &sent)),
            (Ok(_), None) => {}
            (Err(error), key) => refuse(&peer, key.as_ref(), &error),
        }
    };
    let transport = Some(Arc::new(peer.link.clone()) as _);
    let answer = Answer { reply: Box::new(reply), transport, mark: mark.unwrap_or_default() };
    chat::send(app, peer.caller(), command.draft, None, answer);
}

fn refuse(peer: &AssistantPeer, key: Option<&Value>, error: &ApiError) {
    let key = key.filter(|key| key.is_string() && !peer.page.is_plain);
    peer.tell(&view::error(error, key));
}
