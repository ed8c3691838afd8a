//! Who may connect, and for how long.
//!
//! Law: everything a connection needs is in place before its CONNECT is answered: handlers, registration, the end of
//! its token. Events are taken in the order of their arrival.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, middleware};
use serde_json::Value;
use socketioxide::{
    SocketIo, TransportType,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
};

use super::{
    Vocabulary, WIRES, events,
    peer::SocketPeer,
    session::{Session, Sessions, guard},
};
use crate::{App, clock, error::ApiError, listener::Link, live::Peer};

/// Packets that may wait for a slow client before it is cut.
const MAX_BUFFERED: usize = 16_384;

/// Puts Socket.IO in front of the routes, once for each wire.
pub(crate) fn mount(mut router: Router, app: &Arc<App>) -> (Router, Vec<SocketIo>) {
    let sessions = Arc::new(Sessions::default());
    let mut sockets = Vec::new();
    for vocabulary in WIRES {
        let (layered, io) = mount_one(router, app, &sessions, vocabulary);
        router = layered;
        sockets.push(io);
    }
    (router.layer(middleware::from_fn_with_state(sessions, guard)), sockets)
}

fn mount_one(
    router: Router,
    app: &Arc<App>,
    sessions: &Arc<Sessions>,
    vocabulary: &'static Vocabulary,
) -> (Router, SocketIo) {
    let config = &app.config;
    let (layer, io) = SocketIo::builder()
        .req_path(vocabulary.path)
        .ping_interval(Duration::from_millis(config.ping_interval_ms))
        .ping_timeout(Duration::from_millis(config.ping_timeout_ms))
        .max_payload(u64::try_from(config.max_payload_bytes).unwrap_or(u64::MAX))
        .max_buffer_size(MAX_BUFFERED)
        .build_layer();
    let (app, sessions) = (app.clone(), sessions.clone());
    let authorized = move |socket: SocketRef, TryData(auth): TryData<Value>| {
        let (app, sessions) = (app.clone(), sessions.clone());
        async move {
            let auth = auth.unwrap_or(Value::Null);
            grant(&app, &sessions, vocabulary, socket, &auth).map_err(|error| {
                tracing::info!(path = vocabulary.path, %error, "a connection is refused");
                Refusal { name: (vocabulary.refusal)(&error), error }
            })
        }
    };
    io.ns("/", opened.with(authorized));
    (router.layer(layer), io)
}

/// The message of CONNECT_ERROR (D6); socketioxide sends no `data` with it.
struct Refusal {
    name: &'static str,
    error: ApiError,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.name, self.error.message)
    }
}

/// CONNECT carries `{token}`, and what the wire wants beside it.
fn grant(
    app: &Arc<App>,
    sessions: &Arc<Sessions>,
    vocabulary: &'static Vocabulary,
    socket: SocketRef,
    auth: &Value,
) -> Result<(), ApiError> {
    let token = auth.get("token").and_then(Value::as_str);
    let token = token.ok_or_else(|| ApiError::auth("no token: CONNECT carries {\"token\": …}"))?;
    let (user, exp_ms) = app.user_of_token(token)?;
    (vocabulary.admit)(&user, auth)?;
    let link = socket.req_parts().extensions.get::<ConnectInfo<Link>>().map(|info| info.0.clone());
    let websocket = link.filter(|_| socket.transport_type() == TransportType::Websocket);
    let session = Arc::new(Session {
        sid: socket.id.to_string(),
        websocket: websocket.clone(),
        sessions: sessions.clone(),
    });
    let peer = SocketPeer::start(app, vocabulary, user, session, socket.clone());
    let weak = Arc::downgrade(&peer);
    events::register(&socket, vocabulary, &weak);
    let ended = weak.clone();
    socket.on_disconnect(move || {
        let ended = ended.clone();
        async move {
            if let Some(peer) = ended.upgrade() {
                peer.end();
            }
        }
    });
    socket.extensions.insert(weak);
    tracing::debug!(user_id = peer.user.id, path = vocabulary.path, "connected");
    tokio::spawn(watch(peer, exp_ms, websocket));
    Ok(())
}

/// CONNECT has been answered.
async fn opened(socket: SocketRef) {
    if let Some(peer) = socket.extensions.get::<Weak<SocketPeer>>().and_then(|weak| weak.upgrade()) {
        peer.open();
    }
}

/// Cuts the connection when its token expires, so that the client comes back with a fresh one, and forgets the
/// connection when it has ended. socketioxide tells of no end that falls into the moment of connecting; TCP does.
async fn watch(peer: Arc<SocketPeer>, exp_ms: i64, websocket: Option<Link>) {
    let left = Duration::from_millis(u64::try_from(exp_ms.saturating_sub(clock::now_ms())).unwrap_or(0));
    let carrier_closed = async {
        match &websocket {
            Some(link) => link.closed().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = peer.ended.cancelled() => {}
        () = carrier_closed => {}
        () = tokio::time::sleep(left) => {
            tracing::info!(user_id = peer.user.id, "the token of a connection has expired");
            peer.cut();
        }
    }
    peer.end();
}
