//! One socket of a user of the assistant.
//!
//! Law: `hello` is the first frame (D2), `context` the second. A plain socket gets neither hello, acks nor pongs.

use std::{
    ops::{ControlFlow, Deref},
    sync::{Arc, Mutex},
};

use axum::extract::ws::Message;
use serde_json::{Value, json};

use super::{commands, connect::Page, view};
use crate::{
    live::{Event, Peer},
    realm::Realm,
    websocket::{Connection, End, Endpoint},
};

pub(super) struct AssistantPeer {
    connection: Connection,
    pub(super) page: Page,
    time_zone: Mutex<String>,
}

impl Deref for AssistantPeer {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl AssistantPeer {
    pub(super) fn open(connection: Connection, page: Page) -> Self {
        let peer = Self { connection, page, time_zone: Mutex::new("UTC".to_owned()) };
        if !peer.page.is_plain {
            let capabilities = json!({
                "keys": true, "answers": true, "cursor": false, "orderedWindow": false, "receipts": false,
                "maxPayload": peer.app.config.max_payload_bytes,
            });
            let payload = json!({ "capabilities": capabilities, "user": { "id": peer.user.id } });
            peer.tell(&json!({ "type": "hello", "payload": payload }));
        }
        peer.tell(&view::context(&peer.user.id, "UTC"));
        peer
    }

    pub(super) fn tell(&self, frame: &Value) {
        self.send(Message::Text(frame.to_string().into()));
    }

    /// The user is elsewhere: a new context.
    pub(super) fn set_time_zone(&self, time_zone: &str) {
        let mut known = crate::lock(&self.time_zone);
        if *known != time_zone {
            time_zone.clone_into(&mut known);
            drop(known);
            self.tell(&view::context(&self.user.id, time_zone));
        }
    }
}

impl Endpoint for AssistantPeer {
    /// Not every client sends `ping`.
    const IS_ASKED: bool = true;

    async fn receive(self: &Arc<Self>, message: Message) -> ControlFlow<End> {
        commands::handle(self, &message)
    }
}

impl Peer for AssistantPeer {
    fn realm(&self) -> Realm {
        Realm::Assistant
    }

    fn deliver(&self, event: &Event) {
        if let Some(frame) = view::event(&self.app, &self.page, event) {
            self.tell(&frame);
        }
    }

    fn cut(&self) {
        self.connection.cut();
    }
}
