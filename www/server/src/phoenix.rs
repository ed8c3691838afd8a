//! The `phoenix` wire: Phoenix Channels V2 on `/phoenix/websocket`, REST under `/phoenix/api` (WIRES.md P1 to P10, X1 to
//! X12, D7). A client of Phoenix cannot tell it from a server written with Phoenix: frames, order and close codes are
//! those recorded from real ones.

mod channels;
mod connect;
mod cursor;
mod form;
mod frame;
mod joining;
mod peer;
mod pushes;
mod rest;
#[cfg(feature = "faults")]
mod switches;
mod view;

use std::sync::Arc;

use axum::{Router, routing::any};

#[cfg(feature = "faults")]
pub(crate) use frame::Payload;

use crate::App;

/// What is mounted under `/phoenix`.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/websocket", any(connect::upgrade))
        // Plug takes both.
        .route("/websocket/", any(connect::upgrade))
        .nest("/api", rest::routes())
}
