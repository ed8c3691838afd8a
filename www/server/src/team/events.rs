//! Events of a client (T2, T3).

use std::sync::Arc;

use serde_json::json;

use super::{form, view};
use crate::{
    chat,
    error::ApiError,
    faults::Answer,
    live::Peer,
    socket_io::{Handle, Incoming, SocketPeer},
    store::{Sent, Status},
};

pub(super) const HANDLERS: &[(&str, Handle)] = &[
    ("chat:message_send", send),
    ("chat:message_delivered", |peer, event| mark(peer, event, Status::Delivered)),
    ("chat:message_read", |peer, event| mark(peer, event, Status::Read)),
    ("chat:typing", typing),
    ("presence:online", |peer, event| presence(peer, event, true)),
    ("presence:offline", |peer, event| presence(peer, event, false)),
];

fn send(peer: &Arc<SocketPeer>, event: Incoming) {
    let app = &peer.app;
    if app.store.is_overloaded() {
        tracing::warn!(user_id = peer.user.id, "too many writes wait, a sender is cut");
        return peer.cut();
    }
    let draft = match form::draft(&event.payload, app.config.max_text_chars) {
        Ok(draft) => draft,
        Err(error) => return event.ack.refuse(&error),
    };
    let mark = event.ack.mark();
    let (ack, weak) = (event.ack, Arc::downgrade(peer));
    let reply = move |result: Result<Sent, ApiError>| match result {
        Ok(sent) => {
            let Some(peer) = weak.upgrade() else { return };
            let row = view::own_message(&peer.app, &sent.message);
            let mut body = json!({ "success": true, "data": row });
            if sent.is_duplicate
                && let Some(body) = body.as_object_mut()
            {
                body.insert("duplicate".into(), true.into());
            }
            ack.send(&body);
        }
        Err(error) => ack.refuse(&error),
    };
    let answer = Answer { reply: Box::new(reply), transport: Some(peer.transport()), mark };
    chat::send(app, peer.caller(), draft, Some(peer.window.clone()), answer);
}

fn mark(peer: &Arc<SocketPeer>, event: Incoming, status: Status) {
    match form::required(&event.payload, &["messageId", "message_id"], "messageId") {
        Ok(id) => {
            let ack = event.ack;
            chat::mark(&peer.app, peer.caller(), id.to_owned(), status, move |result| ack.result(result));
        }
        Err(error) => event.ack.refuse(&error),
    }
}

fn typing(peer: &Arc<SocketPeer>, event: Incoming) {
    let result = form::typing(&event.payload).and_then(|(conversation_id, is_typing)| {
        chat::typing(&peer.app, &peer.user.id, conversation_id, is_typing)?;
        peer.note_typing(conversation_id, is_typing);
        Ok(())
    });
    event.ack.result(result);
}

fn presence(peer: &Arc<SocketPeer>, event: Incoming, is_online: bool) {
    peer.set_presence(is_online);
    event.ack.result(Ok(()));
}
