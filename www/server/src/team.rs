//! The `team` wire: Socket.IO on `/team/socket.io`, REST under `/team/api` (WIRES.md T1 to T17, D1 to D6).

mod events;
mod form;
mod rest;
mod view;

use serde_json::json;

pub(crate) use rest::routes;

use crate::{
    realm::Realm,
    socket_io::{Vocabulary, refuse_unknown},
};

/// T1: CONNECT carries the token alone.
pub(crate) const VOCABULARY: Vocabulary = Vocabulary {
    path: "/team/socket.io",
    realm: Realm::People,
    is_plain: false,
    admit: |_, _| Ok(()),
    refusal: |error| error.code.name(),
    hello: |app, user| {
        json!({ "capabilities": {
            "keys": true, "cursor": true, "orderedWindow": true, "receipts": true,
            "maxPayload": app.config.max_payload_bytes,
        }, "user": { "id": user.id } })
    },
    handlers: events::HANDLERS,
    unknown: refuse_unknown,
    events: |peer, event| view::events(&peer.app, &peer.user.id, event),
};
