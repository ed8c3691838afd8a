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
mod socket;
#[cfg(feature = "faults")]
mod switches;
mod view;

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::any};
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

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

/// The open sockets, so that a stop can say goodbye.
#[derive(Default)]
pub(crate) struct Sockets {
    stopping: CancellationToken,
    /// Each socket holds it as a reader while it is open: who gets it as the writer is alone.
    open: Arc<RwLock<()>>,
}

impl Sockets {
    /// Closes them with 1012, and waits until they are closed, or so long.
    pub(crate) async fn close(&self, timeout: Duration) {
        self.stopping.cancel();
        if tokio::time::timeout(timeout, self.open.write()).await.is_err() {
            tracing::warn!("some Phoenix sockets did not close in time");
        }
    }
}
