//! WebSockets: read through gloo-net, written through the raw handle.
//!
//! Law: `Closed` is said exactly once for each `Open`: when the browser says so, when we close (at once: a closing
//! handshake over a dead link takes a minute, and browsers drop what arrives during it), or when the constructor
//! refuses. Nothing else is said of a socket afterwards.
//!
//! gloo-net's sink loses frames after a close and its receive queue has no bound; so frames are sent through the raw
//! handle, and each received frame is handed to the core in the microtask after its event: the queue stays empty.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::StreamExt as _;
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket as Reader};
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use super::timer::Delay;
use super::{Sink, convert, spawn};
use crate::proto::{ConnId, Input, Secret, SocketInput, SocketOutput};

const FIRST_POLL_MS: u32 = 10;
const LAST_POLL_MS: u32 = 200;
/// A close reason is at most this many bytes of UTF-8.
const MAX_REASON_BYTES: usize = 123;

/// The sockets of one instance: one, but for the moment in which an old one goes.
pub struct Sockets {
    sink: Sink,
    open: RefCell<Vec<Rc<Socket>>>,
}

struct Socket {
    conn: ConnId,
    raw: WebSocket,
    sink: Sink,
    closed: Cell<bool>,
    draining: Cell<bool>,
    _on_open: Closure<dyn FnMut()>,
}

impl Sockets {
    pub fn new(sink: Sink) -> Self {
        Self { sink, open: RefCell::default() }
    }

    pub fn execute(&self, output: SocketOutput) {
        match output {
            SocketOutput::Open { conn, url, protocols } => self.open(conn, &url, &protocols),
            SocketOutput::Text { conn, text } => self.with_open(conn, |socket| {
                // The raw handle throws only before `open`, which the ready state excludes.
                let _ = socket.raw.send_with_str(&text);
            }),
            SocketOutput::Binary { conn, bytes } => self.with_open(conn, |socket| {
                let _ = socket.raw.send_with_u8_array(&bytes);
            }),
            SocketOutput::Close { conn, code, reason } => self.close(conn, code, &reason),
            SocketOutput::WatchDrain { conn } => {
                if let Some(socket) = self.find(conn) {
                    watch_drain(socket);
                }
            }
        }
    }

    /// Closes whatever is open: the instance ends.
    pub fn close_all(&self) {
        let all: Vec<ConnId> = self.open.borrow().iter().map(|socket| socket.conn).collect();
        for conn in all {
            self.close(conn, 1000, "");
        }
    }

    fn find(&self, conn: ConnId) -> Option<Rc<Socket>> {
        self.open.borrow().iter().find(|socket| socket.conn == conn).cloned()
    }

    /// A frame for a socket that is no longer open is lost, as it would be on the wire; its `Closed` follows.
    fn with_open(&self, conn: ConnId, send: impl FnOnce(&Socket)) {
        if let Some(socket) = self.find(conn)
            && socket.raw.ready_state() == WebSocket::OPEN
        {
            send(&socket);
        }
    }

    fn open(&self, conn: ConnId, url: &Secret, protocols: &[Secret]) {
        let protocols = convert::strings(protocols.iter().map(|protocol| protocol.0.as_str()));
        // Only the exception's name is told: its text repeats the URL, which may hold a token.
        let made = WebSocket::new_with_str_sequence(&url.0, &protocols)
            .map_err(|error| convert::error_name(&error))
            .and_then(|raw| match Reader::try_from(raw.clone()) {
                Ok(reader) => Ok((raw, reader)),
                Err(error) => Err(error.name),
            });
        let (raw, reader) = match made {
            Ok(made) => made,
            Err(reason) => {
                (self.sink)(Input::Socket(SocketInput::Closed { conn, code: 1006, reason }));
                return;
            }
        };
        let (sink, opened) = (self.sink.clone(), raw.clone());
        let on_open = Closure::new(move || {
            sink(Input::Socket(SocketInput::Opened { conn, protocol: opened.protocol() }));
        });
        raw.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        let sink = self.sink.clone();
        let (closed, draining) = (Cell::new(false), Cell::new(false));
        let socket = Rc::new(Socket { conn, raw, sink, closed, draining, _on_open: on_open });
        let mut open = self.open.borrow_mut();
        open.retain(|socket| !socket.closed.get());
        open.push(socket.clone());
        spawn(read(socket, reader));
    }

    fn close(&self, conn: ConnId, code: u16, reason: &str) {
        let Some(socket) = self.find(conn) else { return };
        let (code, reason) = (allowed_code(code), shortened(reason));
        let _ = socket.raw.close_with_code_and_reason(code, reason);
        self.open.borrow_mut().retain(|socket| socket.conn != conn);
        socket.say_closed(code, reason.to_owned());
    }
}

impl Socket {
    fn say(&self, input: SocketInput) {
        if !self.closed.get() {
            (self.sink)(Input::Socket(input));
        }
    }

    fn say_closed(&self, code: u16, reason: String) {
        if !self.closed.replace(true) {
            self.raw.set_onopen(None);
            (self.sink)(Input::Socket(SocketInput::Closed { conn: self.conn, code, reason }));
        }
    }
}

/// One task a socket; it ends with the browser's close event, and the reader goes with it.
async fn read(socket: Rc<Socket>, mut reader: Reader) {
    let conn = socket.conn;
    while let Some(item) = reader.next().await {
        match item {
            Ok(Message::Text(text)) => socket.say(SocketInput::Text { conn, text }),
            Ok(Message::Bytes(bytes)) => socket.say(SocketInput::Binary { conn, bytes }),
            Err(WebSocketError::ConnectionClose(event)) => socket.say_closed(event.code, event.reason),
            // A close event always follows.
            Err(_) => {}
        }
    }
    socket.say_closed(1006, String::new());
}

/// The browser has no event for an empty buffer: it is looked at, ever less often.
fn watch_drain(socket: Rc<Socket>) {
    if socket.draining.replace(true) {
        // The watch under way answers for this one too: it waits for the whole buffer.
        return;
    }
    spawn(async move {
        let mut poll_ms = FIRST_POLL_MS;
        while socket.raw.buffered_amount() > 0 && !socket.closed.get() {
            Delay::new(poll_ms).await;
            poll_ms = (poll_ms * 2).min(LAST_POLL_MS);
        }
        socket.draining.set(false);
        socket.say(SocketInput::Drained { conn: socket.conn });
    });
}

/// Browsers let a page close with 1000 and 3000 to 4999 only; a protocol's 1011 goes out as 4011.
fn allowed_code(code: u16) -> u16 {
    match code {
        1000 | 3000..=4999 => code,
        1001..=1999 => code + 3000,
        _ => 1000,
    }
}

fn shortened(reason: &str) -> &str {
    let mut end = reason.len().min(MAX_REASON_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default()
}
