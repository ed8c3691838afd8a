//! The `channels` wire: Socket.IO on `/channels/socket.io` (WIRES.md H1 to H7), every event acknowledged. On
//! `/plain/channels/socket.io` the same without a hello and without `duplicate`.
//!
//! A channel is a conversation. One that there is, of whatever wire, is its members'; any other id is an open channel,
//! which its first message makes and everybody joins who sends to it.

mod events;
mod form;
mod view;

use serde_json::{Value, json};

use crate::{
    error::{ApiError, Code},
    realm::Realm,
    socket_io::{Vocabulary, refuse_unknown},
    store::User,
};

pub(crate) const VOCABULARY: Vocabulary = Vocabulary {
    path: "/channels/socket.io",
    realm: Realm::People,
    is_plain: false,
    admit,
    refusal,
    hello: |app, user| {
        json!({ "capabilities": {
            "keys": true, "cursor": false, "orderedWindow": true, "receipts": true,
            "maxPayload": app.config.max_payload_bytes,
        }, "user": { "id": user.id } })
    },
    handlers: events::HANDLERS,
    unknown: refuse_unknown,
    events: |peer, event| view::events(&peer.user.id, event),
};

pub(crate) const PLAIN: Vocabulary =
    Vocabulary { path: "/plain/channels/socket.io", is_plain: true, ..VOCABULARY };

/// H2: whose the token is stands beside it.
fn admit(user: &User, auth: &Value) -> Result<(), ApiError> {
    match auth.get("userId").and_then(Value::as_str) {
        None => Err(ApiError::validation("userId", "the id of the user is wanted")),
        Some(id) if id != user.id => Err(ApiError::auth("userId is not the token's user")),
        Some(_) => Ok(()),
    }
}

/// H6
fn refusal(error: &ApiError) -> &'static str {
    if error.code == Code::AuthError { "auth_failed" } else { "connection_error" }
}
