//! One socket from its upgrade to its end.
//!
//! Law: one task reads and writes it, a frame at a time in the order of arrival. How it ends decides whether clients
//! come back: an expired token and a cut are a lost network; a stop is 1012; the rest are the codes that real servers
//! use.

use std::{ops::ControlFlow, pin::pin, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::Value;
use tokio::{sync::mpsc, time::Instant};

use super::{
    frame::{Frame, Payload},
    joining,
    peer::{MAX_BUFFERED, PhoenixPeer},
    pushes,
};
use crate::{
    App, clock,
    listener::{Link, Transport},
    live::Peer,
    store::User,
};

mod close {
    /// Silence, as Bandit has it.
    pub(super) const IDLE: u16 = 1002;
    pub(super) const NOT_UTF8: u16 = 1007;
    pub(super) const TOO_LARGE: u16 = 1009;
    /// A frame that cannot be decoded.
    pub(super) const FAILED: u16 = 1011;
    /// A stop of the server.
    pub(super) const RESTART: u16 = 1012;
    pub(super) const PROTOCOL: u16 = 1002;
}

/// How a socket ends.
enum End {
    /// There is nobody to tell.
    Gone,
    /// The client said goodbye, and the answer is queued.
    ByClient,
    With(u16),
}

/// How long a goodbye may take, both ways.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(400);

pub(super) async fn serve(mut socket: WebSocket, app: Arc<App>, user: User, link: Link, exp_ms: i64) {
    let _open = app.phoenix.open.clone().read_owned().await;
    let (sender, mut out) = mpsc::channel(MAX_BUFFERED);
    let peer = PhoenixPeer::start(&app, user, link, sender);
    tracing::debug!(user_id = peer.user.id, "connected");
    let end = run(&mut socket, &peer, &mut out, exp_ms).await;
    peer.end();
    let goodbye = async {
        match end {
            End::Gone => return,
            End::ByClient => {}
            End::With(code) => {
                // What was decided before it goes out before it.
                while let Ok(frame) = out.try_recv() {
                    if socket.send(frame).await.is_err() {
                        return;
                    }
                }
                let close = CloseFrame { code, reason: "".into() };
                if socket.send(Message::Close(Some(close))).await.is_err() {
                    return;
                }
            }
        }
        while let Some(Ok(_)) = socket.recv().await {}
    };
    if tokio::time::timeout(GOODBYE_TIMEOUT, goodbye).await.is_err() {
        tracing::debug!(user_id = peer.user.id, "a client did not say goodbye");
    }
    drop(socket);
    peer.link.cut();
}

/// Reads and writes until the socket ends.
async fn run(
    socket: &mut WebSocket,
    peer: &Arc<PhoenixPeer>,
    out: &mut mpsc::Receiver<Message>,
    exp_ms: i64,
) -> End {
    let left = Duration::from_millis(u64::try_from(exp_ms.saturating_sub(clock::now_ms())).unwrap_or(0));
    let mut expired = pin!(tokio::time::sleep(left));
    let patience = Duration::from_millis(peer.app.config.idle_timeout_ms);
    let mut idle = pin!(tokio::time::sleep(patience));
    loop {
        tokio::select! {
            () = peer.ended.cancelled() => return End::Gone,
            () = peer.app.phoenix.stopping.cancelled() => return End::With(close::RESTART),
            () = &mut expired => {
                tracing::info!(user_id = peer.user.id, "the token of a socket has expired");
                peer.cut();
                return End::Gone;
            }
            () = &mut idle => return End::With(close::IDLE),
            message = socket.recv() => {
                let Some(message) = message else { return End::Gone };
                if let ControlFlow::Break(end) = received(peer, message).await {
                    return end;
                }
            }
            Some(frame) = out.recv() => {
                // A client that reads nothing must not keep a cut from being noticed.
                tokio::select! {
                    sent = socket.send(frame) => if sent.is_err() { return End::Gone },
                    () = peer.ended.cancelled() => return End::Gone,
                }
            }
        }
        // Any traffic counts, in both directions.
        idle.as_mut().reset(Instant::now() + patience);
    }
}

/// What a message of the client, or the failure to read one, means for the socket.
async fn received(peer: &Arc<PhoenixPeer>, message: Result<Message, axum::Error>) -> ControlFlow<End> {
    let frame = match message {
        Ok(Message::Text(text)) => Frame::from_text(text.as_str()),
        Ok(Message::Binary(bytes)) => Frame::from_binary(&bytes),
        Ok(Message::Ping(_) | Message::Pong(_)) => return ControlFlow::Continue(()),
        Ok(Message::Close(_)) => return ControlFlow::Break(End::ByClient),
        Err(error) => return ControlFlow::Break(end_by(error)),
    };
    let Some(frame) = frame else { return ControlFlow::Break(End::With(close::FAILED)) };
    handle(peer, frame).await;
    ControlFlow::Continue(())
}

fn end_by(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Utf8(_)) => End::With(close::NOT_UTF8),
        Some(tungstenite::Error::Capacity(_)) => End::With(close::TOO_LARGE),
        Some(tungstenite::Error::Protocol(_)) => End::With(close::PROTOCOL),
        _ => End::Gone,
    }
}

async fn handle(peer: &Arc<PhoenixPeer>, frame: Frame) {
    match (frame.topic.as_str(), frame.event.as_str()) {
        // Whatever its payload and its join_ref (X7).
        (Some("phoenix"), Some("heartbeat")) => {
            let frame = Frame { join_ref: Value::Null, ..frame };
            joining::answer(peer, &frame, "ok", &Payload::empty());
        }
        (_, Some("phx_join")) => joining::join(peer, &frame).await,
        (_, Some("phx_leave")) => joining::leave(peer, &frame),
        _ => pushes::handle(peer, frame),
    }
}
