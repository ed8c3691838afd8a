//! One WebSocket from its upgrade to its end, for the wires that speak it without Socket.IO.
//!
//! Law: one task reads and writes it, a frame at a time in the order of arrival. How it ends decides whether clients
//! come back: an expired token and a cut are a lost network; a stop is 1012; the rest are the codes that real servers
//! use.

use std::{
    ops::{ControlFlow, Deref},
    pin::pin,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use tokio::{
    sync::{RwLock, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    App, chat, clock,
    listener::{Link, Transport},
    live::{ConnectionId, Peer},
    store::User,
    window::Window,
};

pub(crate) mod close {
    /// Silence, as Bandit has it.
    pub(crate) const IDLE: u16 = 1002;
    pub(crate) const NOT_UTF8: u16 = 1007;
    /// Who may not go on.
    pub(crate) const REFUSED: u16 = 1008;
    pub(crate) const TOO_LARGE: u16 = 1009;
    /// A frame that cannot be decoded.
    pub(crate) const FAILED: u16 = 1011;
    /// A stop of the server.
    pub(crate) const RESTART: u16 = 1012;
    pub(crate) const PROTOCOL: u16 = 1002;
}

/// How a socket ends.
pub(crate) enum End {
    /// There is nobody to tell.
    Gone,
    /// The client said goodbye, and the answer is queued.
    ByClient,
    With(u16),
}

/// Frames that may wait for a slow client before it is cut.
const MAX_BUFFERED: usize = 16_384;

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
            tracing::warn!("some WebSockets did not close in time");
        }
    }
}

/// Who has opened a socket, on what, until when.
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) link: Link,
    pub(crate) exp_ms: i64,
}

/// What every wire has of an open socket.
pub(crate) struct Connection {
    pub(crate) app: Arc<App>,
    pub(crate) user: User,
    pub(crate) link: Link,
    pub(crate) window: Arc<Mutex<Window>>,
    ended: CancellationToken,
    out: mpsc::Sender<Message>,
    id: OnceLock<ConnectionId>,
}

impl Connection {
    pub(crate) fn id(&self) -> Option<ConnectionId> {
        self.id.get().copied()
    }

    pub(crate) fn caller(&self) -> chat::Caller {
        chat::Caller { user_id: self.user.id.clone(), connection: self.id() }
    }

    /// Queues a frame. A socket that takes no more is cut: a gap in a live connection goes unnoticed.
    pub(crate) fn send(&self, frame: Message) {
        if self.out.try_send(frame).is_err() && !self.ended.is_cancelled() {
            tracing::info!(user_id = self.user.id, "a socket that takes no more is cut");
            self.cut();
        }
    }

    pub(crate) fn cut(&self) {
        self.link.cut();
        self.ended.cancel();
    }
}

/// A wire implements this for its sockets.
pub(crate) trait Endpoint: Peer + Deref<Target = Connection> + 'static {
    /// Whether a silent client is asked for a sign of life before it is given up, by a ping of WebSocket.
    const IS_ASKED: bool = false;

    /// A frame of text or bytes.
    fn receive(self: &Arc<Self>, message: Message) -> impl Future<Output = ControlFlow<End>> + Send;

    /// The socket has ended.
    fn leave(&self) {}
}

/// How long a goodbye may take, both ways.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(400);

/// Serves a socket until it ends. What `open` sends comes before any event.
pub(crate) async fn serve<E: Endpoint>(
    mut socket: WebSocket,
    app: Arc<App>,
    caller: Caller,
    open: impl FnOnce(Connection) -> E,
) {
    let _open = app.websockets.open.clone().read_owned().await;
    let (sender, mut out) = mpsc::channel(MAX_BUFFERED);
    let peer = Arc::new(open(Connection {
        app: app.clone(),
        user: caller.user,
        link: caller.link,
        window: Arc::default(),
        ended: CancellationToken::new(),
        out: sender,
        id: OnceLock::new(),
    }));
    let id = app.live.add(&peer.user.id, peer.clone());
    peer.id.get_or_init(|| id);
    tracing::debug!(user_id = peer.user.id, "connected");
    let end = run(&mut socket, &peer, &mut out, caller.exp_ms).await;
    peer.ended.cancel();
    peer.leave();
    chat::disconnected(&app, &peer.user.id, id);
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
async fn run<E: Endpoint>(
    socket: &mut WebSocket,
    peer: &Arc<E>,
    out: &mut mpsc::Receiver<Message>,
    exp_ms: i64,
) -> End {
    let left = Duration::from_millis(u64::try_from(exp_ms.saturating_sub(clock::now_ms())).unwrap_or(0));
    let mut expired = pin!(tokio::time::sleep(left));
    let silence = Duration::from_millis(peer.app.config.idle_timeout_ms);
    let patience = if E::IS_ASKED { silence / 2 } else { silence };
    let mut idle = pin!(tokio::time::sleep(patience));
    let mut is_asked = false;
    loop {
        tokio::select! {
            () = peer.ended.cancelled() => return End::Gone,
            () = peer.app.websockets.stopping.cancelled() => return End::With(close::RESTART),
            () = &mut expired => {
                tracing::info!(user_id = peer.user.id, "the token of a socket has expired");
                peer.cut();
                return End::Gone;
            }
            () = &mut idle => {
                if !E::IS_ASKED || is_asked {
                    return End::With(close::IDLE);
                }
                is_asked = true;
                peer.send(Message::Ping(Bytes::new()));
                idle.as_mut().reset(Instant::now() + patience);
                continue;
            }
            message = socket.recv() => {
                let Some(message) = message else { return End::Gone };
                if let ControlFlow::Break(end) = received(peer, message).await {
                    return end;
                }
                is_asked = false;
            }
            Some(frame) = out.recv() => {
                let is_ping = matches!(frame, Message::Ping(_));
                // A client that reads nothing must not keep a cut from being noticed.
                tokio::select! {
                    sent = socket.send(frame) => if sent.is_err() { return End::Gone },
                    () = peer.ended.cancelled() => return End::Gone,
                }
                if is_ping {
                    continue;
                }
            }
        }
        // Any traffic counts, in both directions.
        idle.as_mut().reset(Instant::now() + patience);
    }
}

/// What a message of the client, or the failure to read one, means for the socket.
async fn received<E: Endpoint>(peer: &Arc<E>, message: Result<Message, axum::Error>) -> ControlFlow<End> {
    match message {
        Ok(Message::Ping(_) | Message::Pong(_)) => ControlFlow::Continue(()),
        Ok(Message::Close(_)) => ControlFlow::Break(End::ByClient),
        Ok(message) => peer.receive(message).await,
        Err(error) => ControlFlow::Break(end_by(error)),
    }
}

fn end_by(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Utf8(_)) => End::With(close::NOT_UTF8),
        Some(tungstenite::Error::Capacity(_)) => End::With(close::TOO_LARGE),
        Some(tungstenite::Error::Protocol(_)) => End::With(close::PROTOCOL),
        _ => End::Gone,
    }
}
