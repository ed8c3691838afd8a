//! The `companion` wire: Socket.IO on `/companion/socket.io` (WIRES.md C1 to C8, D8), with a scripted companion under
//! any `girl_id`. On `/plain/companion/socket.io` the same without a hello and without keys.

mod events;
mod form;
mod photos;
mod script;
mod view;

use serde_json::{Value, json};

pub(crate) use photos::routes;
pub(crate) use script::react;

use crate::{
    error::ApiError,
    realm::{COMPANION_PREFIX, Realm},
    socket_io::Vocabulary,
    store::User,
};

pub(crate) const VOCABULARY: Vocabulary = Vocabulary {
    path: "/companion/socket.io",
    realm: Realm::Companion,
    is_plain: false,
    admit,
    refusal: |error| error.code.name(),
    hello: |app, _| {
        json!({ "capabilities": {
            "keys": true, "cursor": false, "orderedWindow": false, "receipts": true,
            "maxPayload": app.config.max_payload_bytes,
        } })
    },
    handlers: events::HANDLERS,
    // Nothing is answered on this wire.
    unknown: |_, _| {},
    events: view::events,
};

pub(crate) const PLAIN: Vocabulary =
    Vocabulary { path: "/plain/companion/socket.io", is_plain: true, ..VOCABULARY };

/// C1: the number of the token's user stands beside it.
fn admit(user: &User, auth: &Value) -> Result<(), ApiError> {
    form::check_user(auth, user)
}

/// A user and one companion: a conversation of the store.
fn conversation_id(user: &User, girl_id: &str) -> String {
    format!("{COMPANION_PREFIX}{}:{girl_id}", user.number)
}

/// C7
fn girl_id(conversation_id: &str) -> &str {
    let rest = conversation_id.strip_prefix(COMPANION_PREFIX).unwrap_or_default();
    rest.split_once(':').map_or("", |(_, girl_id)| girl_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_companions_of_her_own() {
        let user = User { id: "u_1".into(), name: "ann".into(), number: 7 };
        let id = conversation_id(&user, "luna:2");
        assert_eq!((id.as_str(), girl_id(&id)), ("companion:7:luna:2", "luna:2"));
        assert_eq!(Realm::of(&id), Realm::Companion);
        assert_eq!(girl_id("c_1"), "");
    }
}
