//! Events of a client (T2, T3).
//!
//! Law: an event is handled in the call that brings it, in the order of arrival; writes go to the one writing thread
//! in that order. socketioxide's own handlers are tasks of their own, and tasks overtake each other.

use std::sync::{Arc, Weak};

use serde_json::{Value, json};
use socketioxide::{
    adapter::LocalAdapter,
    extract::{AckSender, SocketRef, TryData},
    handler::{FromMessageParts, MessageHandler},
    socket::Socket,
};

use super::{form, peer::TeamPeer, view};
use crate::{
    chat,
    error::ApiError,
    faults::Answer,
    live::Peer,
    store::{Sent, Status},
};

/// Says which implementation of socketioxide's handler trait this is.
pub(super) struct InOrder;

struct Handler {
    peer: Weak<TeamPeer>,
    handle: fn(&Arc<TeamPeer>, Incoming),
}

/// One event.
struct Incoming {
    payload: Value,
    ack: Ack,
}

/// The acknowledgement, where the client asked for one.
struct Ack {
    sender: AckSender,
    id: Option<i64>,
    peer: Weak<TeamPeer>,
}

impl Ack {
    fn send(self, body: &Value) {
        let full = self.sender.send(body).is_err();
        if full && let Some(peer) = self.peer.upgrade() {
            peer.cut();
        }
    }

    fn result(self, result: Result<(), ApiError>) {
        match result {
            Ok(()) => self.send(&json!({ "success": true })),
            Err(error) => self.refuse(&error),
        }
    }

    /// D3: the same object as in REST.
    fn refuse(self, error: &ApiError) {
        self.send(&json!({ "success": false, "error": error.to_json() }));
    }
}

impl MessageHandler<LocalAdapter, InOrder> for Handler {
    fn call(&self, socket: Arc<Socket>, mut value: socketioxide::handler::Value, ack_id: Option<i64>) {
        let Some(peer) = self.peer.upgrade() else { return };
        let Ok(sender) = AckSender::from_message_parts(&socket, &mut value, &ack_id);
        let ack = Ack { sender, id: ack_id, peer: self.peer.clone() };
        let limit = peer.app.config.max_payload_bytes;
        if value.len() > limit {
            return ack.refuse(&ApiError::too_large("payload", format!("a frame has at most {limit} bytes")));
        }
        let Ok(TryData(payload)) = TryData::<Value>::from_message_parts(&socket, &mut value, &ack_id);
        // An event without a payload, such as presence:online.
        let payload = payload.unwrap_or(Value::Null);
        (self.handle)(&peer, Incoming { payload, ack });
    }
}

pub(super) fn register(socket: &SocketRef, peer: &Weak<TeamPeer>) {
    let on = |name: &'static str, handle: fn(&Arc<TeamPeer>, Incoming)| {
        socket.on(name, Handler { peer: peer.clone(), handle });
    };
    on("chat:message_send", send);
    on("chat:message_delivered", |peer, event| mark(peer, event, Status::Delivered));
    on("chat:message_read", |peer, event| mark(peer, event, Status::Read));
    on("chat:typing", typing);
    on("presence:online", |peer, event| presence(peer, event, true));
    on("presence:offline", |peer, event| presence(peer, event, false));
    socket.on_fallback(Handler { peer: peer.clone(), handle: unknown });
}

fn send(peer: &Arc<TeamPeer>, event: Incoming) {
    let app = &peer.app;
    if app.store.is_overloaded() {
        tracing::warn!(user_id = peer.user.id, "too many writes wait, a sender is cut");
        return peer.cut();
    }
    let draft = match form::draft(&event.payload, app.config.max_text_chars) {
        Ok(draft) => draft,
        Err(error) => return event.ack.refuse(&error),
    };
    // Engine.IO message, Socket.IO ack of the root namespace: the start of the frame that answers.
    let mark = event.ack.id.map(|id| format!("43{id}[").into_bytes()).unwrap_or_default();
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
    let answer = Answer { reply: Box::new(reply), transport: Some(peer.session.clone()), mark };
    chat::send(app, peer.caller(), draft, Some(peer.window.clone()), answer);
}

fn mark(peer: &Arc<TeamPeer>, event: Incoming, status: Status) {
    match form::required(&event.payload, &["messageId", "message_id"], "messageId") {
        Ok(id) => {
            let ack = event.ack;
            chat::mark(&peer.app, peer.caller(), id.to_owned(), status, move |result| ack.result(result));
        }
        Err(error) => event.ack.refuse(&error),
    }
}

fn typing(peer: &Arc<TeamPeer>, event: Incoming) {
    let result = form::typing(&event.payload).and_then(|(conversation_id, is_typing)| {
        chat::typing(&peer.app, &peer.user.id, conversation_id, is_typing)?;
        peer.note_typing(conversation_id, is_typing);
        Ok(())
    });
    event.ack.result(result);
}

fn presence(peer: &Arc<TeamPeer>, event: Incoming, is_online: bool) {
    peer.set_presence(is_online);
    event.ack.result(Ok(()));
}

fn unknown(_: &Arc<TeamPeer>, event: Incoming) {
    event.ack.refuse(&ApiError::validation("event", "this server does not know the event"));
}
