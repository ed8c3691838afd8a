//! Events of a client.
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

use super::{Handle, Vocabulary, peer::SocketPeer};
use crate::{error::ApiError, live::Peer};

/// Says which implementation of socketioxide's handler trait this is.
struct InOrder;

struct Handler {
    peer: Weak<SocketPeer>,
    handle: Handle,
}

/// One event.
pub(crate) struct Incoming {
    pub(crate) payload: Value,
    pub(crate) ack: Ack,
}

/// The acknowledgement, where the client asked for one.
pub(crate) struct Ack {
    sender: AckSender,
    id: Option<i64>,
    peer: Weak<SocketPeer>,
}

impl Ack {
    pub(crate) fn is_wanted(&self) -> bool {
        self.id.is_some()
    }

    /// The start of the frame that answers: Engine.IO message, Socket.IO ack of the root namespace.
    pub(crate) fn mark(&self) -> Vec<u8> {
        self.id.map(|id| format!("43{id}[").into_bytes()).unwrap_or_default()
    }

    pub(crate) fn send(self, body: &Value) {
        let full = self.sender.send(body).is_err();
        if full && let Some(peer) = self.peer.upgrade() {
            peer.cut();
        }
    }

    pub(crate) fn result(self, result: Result<(), ApiError>) {
        match result {
            Ok(()) => self.send(&json!({ "success": true })),
            Err(error) => self.refuse(&error),
        }
    }

    /// D3: the same object as in REST.
    pub(crate) fn refuse(self, error: &ApiError) {
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

pub(super) fn register(socket: &SocketRef, vocabulary: &'static Vocabulary, peer: &Weak<SocketPeer>) {
    for (name, handle) in vocabulary.handlers {
        socket.on(*name, Handler { peer: peer.clone(), handle: *handle });
    }
    socket.on_fallback(Handler { peer: peer.clone(), handle: vocabulary.unknown });
}
