//! TCP with a handle on each connection.
//!
//! Law: a connection can be cut from anywhere, at once and without a goodbye of any protocol above it. To a
//! client that is a lost network, after which it comes back; a Socket.IO DISCONNECT packet would tell it to stay
//! away (E8).

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// What an answer travels on.
pub(crate) trait Transport: Send + Sync {
    /// Ends it as a lost network would.
    fn cut(&self);
    /// The process aborts as soon as bytes that contain `mark` have been handed to the system.
    #[cfg(feature = "faults")]
    fn abort_after_writing(&self, mark: Vec<u8>);
}

/// The listening socket.
pub(crate) struct Listener(pub(crate) TcpListener);

/// One TCP connection.
pub(crate) struct Io {
    stream: TcpStream,
    link: Link,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// The handle on one TCP connection.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    cut: CancellationToken,
    closed: CancellationToken,
    #[cfg(feature = "faults")]
    tripwire: std::sync::Mutex<Option<Vec<u8>>>,
}

impl Link {
    fn new() -> Self {
        Self(Arc::new(Inner {
            cut: CancellationToken::new(),
            closed: CancellationToken::new(),
            #[cfg(feature = "faults")]
            tripwire: std::sync::Mutex::new(None),
        }))
    }

    /// Resolves when the connection has ended, for whatever reason.
    pub(crate) async fn closed(&self) {
        self.0.closed.cancelled().await;
    }

    #[cfg(feature = "faults")]
    fn after_write(&self, written: &[u8]) {
        let tripped = crate::lock(&self.0.tripwire)
            .as_ref()
            .is_some_and(|mark| written.windows(mark.len().max(1)).any(|window| window == mark.as_slice()));
        if tripped {
            std::process::abort();
        }
    }

    #[cfg(not(feature = "faults"))]
    fn after_write(&self, _written: &[u8]) {}
}

impl Transport for Link {
    /// Reads and writes fail from now on, and the socket closes.
    fn cut(&self) {
        self.0.cut.cancel();
    }

    #[cfg(feature = "faults")]
    fn abort_after_writing(&self, mark: Vec<u8>) {
        *crate::lock(&self.0.tripwire) = Some(mark);
    }
}

impl axum::serve::Listener for Listener {
    type Io = Io;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Io, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let link = Link::new();
        let cut = Box::pin(link.0.cut.clone().cancelled_owned());
        (Io { stream, link, cut }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Listener>> for Link {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().link.clone()
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        self.link.0.closed.cancel();
    }
}

fn was_cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by the server")
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(was_cut()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.link.0.cut.is_cancelled() {
            return Poll::Ready(Err(was_cut()));
        }
        let poll = Pin::new(&mut this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = &poll {
            this.link.after_write(buf.get(..*count).unwrap_or(buf));
        }
        poll
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
