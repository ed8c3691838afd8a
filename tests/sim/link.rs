//! What lies between a page and the server, and what goes wrong there.

use chatwire::proto::wire::socket_io::{self, Packet};
use chatwire::proto::wire::{Limits, engine_io};
use chatwire::proto::{HttpId, HttpRequest, HttpResult, Input, SocketInput};
use serde_json::Value;

use super::dice;
use super::faults::Fault;
use super::server::{Arrived, PING_MS, Say, SocketId};
use super::world::{Happening, Whose, World};

/// Answers of closed sockets that turn up again beside a send.
const MAX_LATE: usize = 4;

impl World {
    pub fn latency(&mut self, at: usize) -> u64 {
        let usual = self.devices[at].person.latency_ms;
        let mut ms = self.dice.between(dice::LATENCY, at, usual / 2, usual + 1);
        if let Some(n) = self.dice.strikes(Fault::SlowFrame, at) {
            ms += n % 6000;
        }
        ms
    }

    pub fn open_socket(&mut self, at: usize, conn: u32) {
        self.devices[at].links.insert(conn, Default::default());
        let latency = self.latency(at);
        let refused = self.server.down || self.dice.strikes(Fault::ConnectRefused, at).is_some();
        if refused {
            self.push(at, latency, Happening::ClientClosed { conn, code: 1006 });
        } else if self.dice.strikes(Fault::ConnectHangs, at).is_none() {
            self.push(at, latency, Happening::Opened(conn));
        }
    }

    pub fn opened(&mut self, at: usize, conn: u32) {
        let Some(link) = self.devices[at].links.get(&conn) else { return };
        if link.closed {
            return;
        }
        if self.server.down {
            return self.client_closed(at, conn, 1006);
        }
        self.input(at, Input::Socket(SocketInput::Opened { conn, protocol: String::new() }));
        if self.devices[at].links.get(&conn).is_none_or(|link| link.closed) {
            return;
        }
        let socket = (at, self.devices[at].life, conn);
        let said = self.server.on_open(socket);
        self.said(said);
        self.push(at, PING_MS, Happening::Ping(conn));
    }

    /// A frame of the client.
    pub fn frame_out(&mut self, at: usize, conn: u32, text: String) {
        let (queued, behind) = self.see_frame(at, conn, &text);
        if text.contains("chat:message_send") {
            for (conn, text) in self.devices[at].late.clone().into_iter().rev().take(MAX_LATE) {
                self.push(at, 1, Happening::Input(Input::Socket(SocketInput::Text { conn, text })));
            }
        }
        let latency = self.latency(at);
        let Some(link) = self.devices[at].links.get_mut(&conn) else { return };
        link.out_last = link.out_last.max(self.t + latency);
        let due = link.out_last;
        let whose = (at, self.devices[at].life);
        self.push_for(whose, due, Happening::ToServer { conn, text, queued, behind });
    }

    /// The client ends a socket: what it has sent before is through, or lost with it.
    pub fn close_socket(&mut self, at: usize, conn: u32, reason: &str) {
        let name = self.name(at);
        let reason = reason.to_owned();
        self.say(|| format!("{name} closes socket {conn}: {reason}"));
        self.end_out(at, conn);
        let latency = self.latency(at);
        self.push(at, latency, Happening::ClientClosed { conn, code: 1000 });
    }

    /// Nothing more goes out on this socket after this moment.
    pub fn end_out(&mut self, at: usize, conn: u32) {
        let life = self.devices[at].life;
        let Some(link) = self.devices[at].links.get_mut(&conn) else { return };
        link.closed = true;
        let dead = link.dead;
        let under_way = self.take_queued(|whose, what| {
            *whose == (at, life) && matches!(what, Happening::ToServer { conn: of, .. } if *of == conn)
        });
        let lost = dead || under_way.is_empty() || self.dice.strikes(Fault::FramesLostAtClose, at).is_some();
        if !lost {
            for (_, what) in under_way {
                if let Happening::ToServer { conn, text, queued, behind } = what {
                    self.at_server((at, life, conn), &text, queued, behind);
                }
            }
        }
        if !dead {
            self.server.sessions.remove(&(at, life, conn));
        }
    }

    /// The end of a socket by the server or the network: it is told to the client unless nothing passes any more.
    pub fn cut(&mut self, socket: SocketId) {
        let (at, life, conn) = socket;
        if self.server.sessions.remove(&socket).is_none() || self.devices[at].life != life {
            return;
        }
        let latency = self.latency(at);
        let Some(link) = self.devices[at].links.get_mut(&conn) else { return };
        if !link.dead && !link.closed {
            let in_order = link.in_last.max(self.t + latency);
            // The end of a socket may overtake what came before it.
            let late = self.dice.strikes(Fault::LateFrameOfOldSocket, at).is_some();
            let due = if late { self.t + 1 } else { in_order };
            let Some(link) = self.devices[at].links.get_mut(&conn) else { return };
            link.in_last = in_order;
            self.push_for((at, life), due, Happening::ClientClosed { conn, code: 1006 });
        }
    }

    pub fn client_closed(&mut self, at: usize, conn: u32, code: u16) {
        let Some(link) = self.devices[at].links.get_mut(&conn) else { return };
        let (dead, ours) = (link.dead, link.closed);
        if dead && !ours {
            return;
        }
        link.closed = true;
        self.input(at, Input::Socket(SocketInput::Closed { conn, code, reason: String::new() }));
    }

    /// Nothing passes for a while: what is under way behind this frame, or follows it, stays behind it.
    fn hold(&mut self, whose: Whose, conn: u32, first: Happening, same: impl Fn(&Happening) -> bool) {
        let device = &mut self.devices[whose.0];
        let until = device.stalled_until;
        if let Some(link) = device.links.get_mut(&conn) {
            link.in_last = link.in_last.max(until);
            link.out_last = link.out_last.max(until);
        }
        let behind = self.take_queued(|of, what| *of == whose && same(what));
        self.push_for(whose, until, first);
        for (_, what) in behind {
            self.push_for(whose, until, what);
        }
    }

    /// A frame of the client arrives.
    pub fn at_server(
        &mut self,
        socket: SocketId,
        text: &str,
        queued: (usize, Option<u64>),
        behind: Vec<usize>,
    ) {
        let (at, life, conn) = socket;
        if self.devices[at].stalled_until > self.t {
            let first = Happening::ToServer { conn, text: text.to_owned(), queued, behind };
            let same = |what: &Happening| matches!(what, Happening::ToServer { conn: of, .. } if *of == conn);
            return self.hold((at, life), conn, first, same);
        }
        let dead =
            self.devices[at].life == life && self.devices[at].links.get(&conn).is_some_and(|link| link.dead);
        if dead || !self.server.sessions.contains_key(&socket) {
            return;
        }
        if self.dice.strikes(Fault::CutBeforeFrame, at).is_some() {
            return self.cut(socket);
        }
        self.serve(socket, text, queued, behind);
        if self.dice.strikes(Fault::CutAfterFrame, at).is_some() {
            self.cut(socket);
        }
    }

    fn serve(&mut self, socket: SocketId, text: &str, queued: (usize, Option<u64>), behind: Vec<usize>) {
        let message = match engine_io::decode(text) {
            Ok(engine_io::Frame::Message(message)) => message,
            Ok(engine_io::Frame::Pong) => {
                if let Some(session) = self.server.sessions.get_mut(&socket) {
                    session.unanswered_ping = false;
                }
                return;
            }
            other => return self.wrong("frames can be read", format!("{other:?}")),
        };
        let said = match socket_io::decode(message, &Limits::DEFAULT) {
            Ok(Packet::Connect { payload, .. }) => {
                let auth: Value = serde_json::from_str(payload.map_or("{}", |raw| raw.get())).unwrap();
                self.server.on_connect(socket, &auth, &mut self.dice)
            }
            Ok(Packet::Event { name, args, ack_id, .. }) => {
                let joined = self.server.sessions.get(&socket).is_some_and(|session| session.joined);
                if !joined {
                    return self.wrong("CONNECT comes first", "an event before CONNECT".to_owned());
                }
                let payload: Value =
                    args.first().map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap());
                if name.as_str() == "chat:message_send" && ack_id.is_some() != self.plan.answers {
                    return self
                        .wrong("frames can be read", "an answer is asked for where none is".to_owned());
                }
                match (name.as_str(), ack_id.unwrap_or_default()) {
                    ("chat:message_send", ack) => {
                        let send = Arrived { socket, ack, payload, queued, behind };
                        self.server.on_send(&send, &mut self.dice)
                    }
                    ("chat:message_read", _) => {
                        self.server.on_receipt(socket, payload["messageId"].as_str().unwrap(), "read")
                    }
                    ("chat:message_delivered", _) => {
                        self.server.on_receipt(socket, payload["messageId"].as_str().unwrap(), "delivered")
                    }
                    _ => Vec::new(),
                }
            }
            Ok(Packet::Disconnect { .. }) => {
                self.server.sessions.remove(&socket);
                Vec::new()
            }
            Ok(_) => Vec::new(),
            Err(error) => return self.wrong("frames can be read", error.to_string()),
        };
        for note in core::mem::take(&mut self.server.notes) {
            self.say(|| format!("the server {note}"));
        }
        self.check_log();
        self.said(said);
    }

    pub fn said(&mut self, said: Vec<Say>) {
        for one in said {
            match one {
                Say::Text { to: (at, life, conn), delay_ms, text } => {
                    let due = self.t + delay_ms;
                    if delay_ms == 0 {
                        self.server_says((at, life, conn), text);
                    } else {
                        self.push_for((at, life), due, Happening::FromServer { conn, text });
                    }
                }
                Say::Close(socket) => self.cut(socket),
                Say::CrashAll => self.crash(),
            }
        }
    }

    /// Every socket of the server is gone.
    pub fn crash(&mut self) {
        self.say(|| "the server crashes".to_owned());
        let sockets: Vec<SocketId> = self.server.sessions.keys().copied().collect();
        for socket in sockets {
            self.cut(socket);
        }
    }

    /// A frame of the server enters the link.
    pub fn server_says(&mut self, socket: SocketId, text: String) {
        let (at, life, conn) = socket;
        if self.devices[at].life != life || !self.server.sessions.contains_key(&socket) {
            return;
        }
        if self.dice.strikes(Fault::CutBeforeAnswer, at).is_some() {
            return self.cut(socket);
        }
        // Where nothing is answered the copy is the answer, and without numbers nobody sees that one is missing.
        if self.plan.cursor
            && self.plan.answers
            && text.contains("chat:message_received")
            && self.dice.strikes(Fault::CopyLost, at).is_some()
        {
            self.copies_lost = true;
            return;
        }
        let latency = self.latency(at);
        let Some(link) = self.devices[at].links.get_mut(&conn) else { return };
        link.in_last = link.in_last.max(self.t + latency);
        let due = link.in_last;
        if self.dice.strikes(Fault::DuplicatedFrame, at).is_some() {
            self.push_for((at, life), due, Happening::ToClient { conn, text: text.clone() });
        }
        self.push_for((at, life), due, Happening::ToClient { conn, text });
    }

    pub fn client_hears(&mut self, at: usize, conn: u32, text: String) {
        if self.devices[at].stalled_until > self.t {
            let whose = (at, self.devices[at].life);
            let same = |what: &Happening| matches!(what, Happening::ToClient { conn: of, .. } if *of == conn);
            return self.hold(whose, conn, Happening::ToClient { conn, text }, same);
        }
        let Some(link) = self.devices[at].links.get(&conn) else { return };
        if link.dead {
            return;
        }
        if link.closed {
            // The browser may have had it already when the socket was closed; or its end overtakes it.
            match self.dice.strikes(Fault::LateFrameOfOldSocket, at) {
                Some(n) if n % 2 == 0 => {
                    let whose = (at, self.devices[at].life);
                    return self.push_for(whose, self.t + n % 3000, Happening::ToClient { conn, text });
                }
                Some(_) => {}
                None if text.starts_with("43") => return self.devices[at].late.push((conn, text)),
                None => return,
            }
        }
        self.see_inbound(at, conn, &text);
        self.input(at, Input::Socket(SocketInput::Text { conn, text }));
    }

    pub fn ping(&mut self, socket: SocketId) {
        let Some(session) = self.server.sessions.get_mut(&socket) else { return };
        if session.unanswered_ping {
            return self.cut(socket);
        }
        session.unanswered_ping = true;
        self.server_says(socket, "2".to_owned());
        let (at, life, conn) = socket;
        self.push_for((at, life), self.t + PING_MS, Happening::Ping(conn));
    }

    pub fn on_http(&mut self, (at, life): Whose, id: HttpId, request: &HttpRequest) {
        let token = request.token.as_ref().map(|token| token.0.as_str());
        let (status, body) = match request.method {
            "GET" => self.server.on_http(&request.url, token, at, &mut self.dice),
            _ => self.on_change_request(at, request),
        };
        let (name, path) = (self.name(at), request.url.rsplit("/api").next().unwrap_or_default().to_owned());
        self.say(|| format!("{name} asks for {path}: {status}"));
        let result = match status {
            0 => HttpResult::Failed { reason: "network".to_owned() },
            status => HttpResult::Answered { status, body },
        };
        if self.devices[at].life == life {
            let latency = self.latency(at);
            self.push(at, latency, Happening::Input(Input::Http { id, result }));
        }
    }
}
