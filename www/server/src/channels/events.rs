//! Events of a client (H4 to H6).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{form, view};
use crate::{
    chat,
    error::ApiError,
    faults::Answer,
    live::Peer,
    socket_io::{Ack, Handle, Incoming, SocketPeer},
    store::{Sent, Status},
};

pub(super) const HANDLERS: &[(&str, Handle)] = &[
    ("message:send", send),
    ("message:delivered", |peer, event| mark(peer, event, Status::Delivered)),
    ("message:read", |peer, event| mark(peer, event, Status::Read)),
];

fn send(peer: &Arc<SocketPeer>, event: Incoming) {
    let app = &peer.app;
    if app.store.is_overloaded() {
        tracing::warn!(user_id = peer.user.id, "too many writes wait, a sender is cut");
        return peer.cut();
    }
    let draft = match form::draft(&event.payload, &peer.user, app.config.max_text_chars) {
        Ok(draft) => draft,
        Err(error) => return refuse(peer, event.payload.get("id"), event.ack, error),
    };
    let mark = event.ack.mark();
    let (ack, weak) = (event.ack, Arc::downgrade(peer));
    let id = Value::from(draft.client_key.clone());
    let reply = move |result: Result<Sent, ApiError>| {
        let Some(peer) = weak.upgrade() else { return };
        match result {
            Ok(sent) => {
                let mut body = json!({ "success": true, "data": view::record(&sent.message) });
                if sent.is_duplicate
                    && !peer.vocabulary.is_plain
                    && let Some(body) = body.as_object_mut()
                {
                    body.insert("duplicate".into(), true.into());
                }
                ack.send(&body);
            }
            Err(error) => refuse(&peer, Some(&id), ack, error),
        }
    };
    let answer = Answer { reply: Box::new(reply), transport: Some(peer.transport()), mark };
    chat::send(app, peer.caller(), draft, Some(peer.window.clone()), answer);
}

/// Key and answered message have other names here. A plain server says in a text what is wrong (D3). Who asks for no
/// acknowledgement is told by an event (H6).
fn refuse(peer: &SocketPeer, id: Option<&Value>, ack: Ack, error: ApiError) {
    let field = error.field.map(|field| match field {
        "client_message_id" => "id",
        "reply_to" => "replyTo",
        field => field,
    });
    let error = ApiError { field, ..error };
    let told =
        if peer.vocabulary.is_plain { format!("message_failed: {error}").into() } else { error.to_json() };
    if ack.is_wanted() {
        ack.send(&json!({ "success": false, "error": told }));
    } else {
        peer.emit("message_failed", json!({ "id": id, "error": told }));
    }
}

fn mark(peer: &Arc<SocketPeer>, event: Incoming, status: Status) {
    match crate::form::required(&event.payload, &["messageId"], "messageId") {
        Ok(id) => {
            let (id, ack) = (form::stored_id(id), event.ack);
            chat::mark(&peer.app, peer.caller(), id, status, move |result| ack.result(result));
        }
        Err(error) => event.ack.refuse(&error),
    }
}
