//! The `assistant` wire: JSON over WebSocket on `/assistant/ws` (WIRES.md A1 to A14, D9), with a scripted assistant. On
//! `/plain/assistant/ws` the same without a hello, keys, acks and pongs, and with bare records.

mod commands;
mod connect;
mod consent;
mod form;
mod peer;
mod script;
mod view;

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get},
};

pub(crate) use consent::Consents;
pub(crate) use script::react;

use crate::{
    App,
    realm::{ASSISTANT_PREFIX, Realm},
    store::User,
};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/assistant/ws", any(connect::ours))
        .route("/plain/assistant/ws", any(connect::plain))
        .route(consent::PATH, get(consent::ask).post(consent::decide))
        .route(consent::CALLBACK_PATH, get(consent::callback))
}

/// The account that answers.
const BOT: &str = match Realm::Assistant.bot() {
    Some(bot) => bot,
    None => "",
};

/// A user and the assistant: a conversation of the store.
fn conversation_id(user: &User) -> String {
    format!("{ASSISTANT_PREFIX}{}", user.id)
}
