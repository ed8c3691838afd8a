//! Socket.IO for the wires that speak it: one engine, and a vocabulary a wire.

mod engine;
mod events;
mod peer;
mod session;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use engine::mount;
pub(crate) use events::{Ack, Incoming};
pub(crate) use peer::SocketPeer;

use crate::{App, error::ApiError, live::Event, realm::Realm, store::User};

/// What a wire calls its events, and what they do.
pub(crate) struct Vocabulary {
    pub(crate) path: &'static str,
    /// The conversations its connections hear of.
    pub(crate) realm: Realm,
    /// A server without anything that WIRES.md marks **ours**: clients must get along with it.
    pub(crate) is_plain: bool,
    /// Checks what CONNECT carries beside the token.
    pub(crate) admit: fn(&User, &Value) -> Result<(), ApiError>,
    /// What stands before the colon in the message of a CONNECT_ERROR (D6).
    pub(crate) refusal: fn(&ApiError) -> &'static str,
    /// The payload of `chatwire:hello` (D2).
    pub(crate) hello: fn(&App, &User) -> Value,
    pub(crate) handlers: &'static [(&'static str, Handle)],
    pub(crate) unknown: Handle,
    /// Names and payloads of what an event is on this wire.
    pub(crate) events: fn(&SocketPeer, &Event) -> Vec<(&'static str, Value)>,
}

/// Handles one event of a client.
pub(crate) type Handle = fn(&Arc<SocketPeer>, Incoming);

/// Every wire of Socket.IO that this server speaks.
pub(crate) const WIRES: [&Vocabulary; 5] = [
    &crate::team::VOCABULARY,
    &crate::companion::VOCABULARY,
    &crate::companion::PLAIN,
    &crate::channels::VOCABULARY,
    &crate::channels::PLAIN,
];

/// The answer to an event that nobody knows.
pub(crate) fn refuse_unknown(_: &Arc<SocketPeer>, event: Incoming) {
    event.ack.refuse(&ApiError::validation("event", "this server does not know the event"));
}
