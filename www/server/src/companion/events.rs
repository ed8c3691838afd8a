//! Events of a client (C2). None is answered: what is refused is dropped. A message is told to all connections of its
//! sender, the sending one too, since nothing else gives it its number.

use std::sync::Arc;

use serde_json::Value;

use super::{form, view};
use crate::{
    chat,
    error::ApiError,
    faults::Answer,
    live::Peer,
    script::{self, Prompt},
    socket_io::{Handle, Incoming, SocketPeer},
    store::{Sent, Status},
};

pub(super) const HANDLERS: &[(&str, Handle)] = &[
    ("send_message", |peer, event| handle(peer, event, send)),
    ("typing_indicator", |peer, event| handle(peer, event, typing)),
    ("mark_read", |peer, event| handle(peer, event, mark_read)),
    ("request_photo", |peer, event| handle(peer, event, request_photo)),
];

type Act = fn(&Arc<SocketPeer>, &Value) -> Result<(), ApiError>;

fn handle(peer: &Arc<SocketPeer>, event: Incoming, act: Act) {
    let result = form::check_user(&event.payload, &peer.user).and_then(|()| act(peer, &event.payload));
    if let Err(error) = result {
        tracing::debug!(user_id = peer.user.id, %error, "an event is dropped");
    }
}

fn send(peer: &Arc<SocketPeer>, payload: &Value) -> Result<(), ApiError> {
    let app = &peer.app;
    if app.store.is_overloaded() {
        tracing::warn!(user_id = peer.user.id, "too many writes wait, a sender is cut");
        peer.cut();
        return Ok(());
    }
    let draft = form::draft(payload, &peer.user, !peer.vocabulary.is_plain, app.config.max_text_chars)?;
    // What only the copy for the sender has.
    let mark = draft.client_key.as_ref().map(|key| Value::from(key.as_str()).to_string().into_bytes());
    let weak = Arc::downgrade(peer);
    let reply = move |result: Result<Sent, ApiError>| {
        let Some(peer) = weak.upgrade() else { return };
        match result {
            Ok(sent) => {
                let (name, payload) = view::message(&peer, &sent.message);
                peer.emit(name, payload);
            }
            Err(error) => tracing::debug!(user_id = peer.user.id, %error, "a message is dropped"),
        }
    };
    let answer =
        Answer { reply: Box::new(reply), transport: Some(peer.transport()), mark: mark.unwrap_or_default() };
    chat::send(app, peer.caller(), draft, None, answer);
    Ok(())
}

/// A script does not care who types.
fn typing(_: &Arc<SocketPeer>, payload: &Value) -> Result<(), ApiError> {
    form::girl_id(payload)?;
    form::check_typing(payload)
}

fn mark_read(peer: &Arc<SocketPeer>, payload: &Value) -> Result<(), ApiError> {
    form::girl_id(payload)?;
    for id in form::marked(payload)? {
        chat::mark(&peer.app, peer.caller(), id, Status::Read, |result| {
            if let Err(error) = result {
                tracing::debug!(%error, "a receipt is dropped");
            }
        });
    }
    Ok(())
}

fn request_photo(peer: &Arc<SocketPeer>, payload: &Value) -> Result<(), ApiError> {
    let girl_id = form::girl_id(payload)?;
    form::check_context(payload)?;
    chat::charge_for("photo", &peer.app, &peer.user.id)?;
    let conversation_id = super::conversation_id(&peer.user, &girl_id);
    script::prompt(&peer.app, &conversation_id, Prompt::Photo { owner_id: peer.user.id.clone() });
    Ok(())
}
