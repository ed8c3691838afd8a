//! The `Pair`: clients, stores, backend and link under one simulated clock.
//!
//! Law: everything happens in the order of its moment, then of its making; nothing is random and nothing sleeps.
//! A step is one output carried out or one event delivered; a client can be killed after any number of steps.

use std::collections::{BTreeMap, VecDeque};

use chatwire::proto::config::{Config, PageFacts};
use chatwire::proto::{
    Client, Event, HttpResult, Input, Now, Output, Secret, SocketInput, SocketOutput, StoreFailure, StoreId,
    StoreReply, StoreRequest, TokenId,
};
use serde_json::{Value, json};

use super::backend::{Backend, Say, SocketId};
use super::checks::Checks;
use super::node::{Disk, Happening, Node, WriteFault};
use super::told::ToldEvents;

/// The first of January 2026.
pub const WALL_MS: u64 = 1_767_225_600_000;

pub struct World {
    pub now: Now,
    pub nodes: Vec<Node>,
    pub disks: Vec<Disk>,
    pub backend: Backend,
    pub latency_ms: u64,
    /// A kill takes along what the store has not carried out yet.
    pub kills_writes: bool,
    /// Tabs do not hear each other.
    pub loses_pokes: bool,
    /// REST answers take so much longer on their way back.
    pub slow_http_ms: u64,
    /// What is handed to a socket stays in its buffer.
    pub never_drains: bool,
    /// What tabs have told each other.
    pub told: ToldEvents,
    queue: BTreeMap<(u64, u64), (usize, u32, Happening)>,
    made: u64,
    seeds: u8,
}

impl World {
    pub fn new(backend: Backend) -> Self {
        Self {
            now: Now { mono_ms: 1000, wall_ms: WALL_MS + 1000 },
            nodes: Vec::new(),
            disks: Vec::new(),
            backend,
            latency_ms: 10,
            kills_writes: false,
            slow_http_ms: 0,
            loses_pokes: false,
            never_drains: false,
            told: ToldEvents::default(),
            queue: BTreeMap::new(),
            made: 0,
            seeds: 0,
        }
    }

    /// A client with a disk of its own, started and connected to, not settled.
    pub fn join(&mut self, user: &str) -> usize {
        self.join_with(user, json!({}))
    }

    pub fn join_with(&mut self, user: &str, options: Value) -> usize {
        self.disks.push(Disk::default());
        let disk = self.disks.len() - 1;
        self.join_on(user, options, disk)
    }

    pub fn join_on(&mut self, user: &str, options: Value, disk: usize) -> usize {
        self.nodes.push(Node {
            client: None,
            user: user.to_owned(),
            disk,
            events: Vec::new(),
            checks: Checks::default(),
            options,
            life: 0,
            steps: 0,
            die_after: None,
            token: format!("{user}:1"),
            tokens_asked: 0,
            next_tokens: VecDeque::new(),
            hold_tokens: false,
            leads: false,
            waits: false,
            still: None,
            live_socket: None,
            half_open: false,
        });
        let node = self.nodes.len() - 1;
        self.start(node);
        node
    }

    /// A new life on the same disk.
    pub fn start(&mut self, at: usize) {
        self.seeds += 1;
        let node = &mut self.nodes[at];
        let mut options = json!({
            "url": "https://chat.test", "profile": "team", "userId": node.user, "hasGetToken": true,
        });
        for (name, value) in node.options.as_object().unwrap() {
            options[name] = value.clone();
        }
        let config = Config::parse(&options.to_string(), PageFacts { online: true, visible: true }).unwrap();
        node.life += 1;
        node.die_after = None;
        node.half_open = false;
        node.checks.begin();
        node.events.clear();
        let seed = core::array::from_fn(|at| self.seeds.wrapping_mul(31).wrapping_add(at as u8 * 7));
        node.client = Some(Client::new(config, seed, self.now));
        self.drain(at);
    }

    /// The process is gone in this moment; its sockets die with it.
    pub fn kill(&mut self, at: usize) {
        self.nodes[at].client = None;
        self.nodes[at].life += 1;
        if self.kills_writes {
            self.queue.retain(|_, (node, _, what)| *node != at || !matches!(what, Happening::Store(..)));
        }
        if let Some(conn) = self.nodes[at].live_socket.take() {
            self.backend.on_close((at, conn));
        }
        self.free_lead(at);
    }

    pub(super) fn push(&mut self, at: usize, delay_ms: u64, happening: Happening) {
        self.made += 1;
        let life = self.nodes[at].life;
        self.queue.insert((self.now.mono_ms + delay_ms, self.made), (at, life, happening));
    }

    pub fn input(&mut self, at: usize, input: Input) {
        if let Some(client) = &mut self.nodes[at].client {
            client.handle_input(self.now, input);
        }
        self.drain(at);
    }

    /// Carries out whatever this client wants done.
    pub fn drain(&mut self, at: usize) {
        loop {
            while !self.dies(at) {
                let Some(client) = &mut self.nodes[at].client else { return };
                let Some(output) = client.poll_output() else { break };
                self.nodes[at].steps += 1;
                self.execute(at, output);
            }
            let Some(client) = self.nodes[at].client.as_mut().filter(|client| client.views_dirty()) else {
                return;
            };
            client.flush_views(self.now);
        }
    }

    fn dies(&mut self, at: usize) -> bool {
        let node = &self.nodes[at];
        let dies = node.client.is_some() && node.die_after.is_some_and(|limit| node.steps >= limit);
        if dies {
            self.kill(at);
        }
        dies
    }

    fn execute(&mut self, at: usize, output: Output) {
        let latency = self.latency_ms;
        assert!(!self.nodes[at].checks.closed, "nothing goes out after close: {output:?}");
        match output {
            Output::Socket(SocketOutput::Open { conn, .. }) => self.push(at, latency, Happening::Open(conn)),
            Output::Socket(SocketOutput::Text { conn, text }) => {
                let disk = &mut self.disks[self.nodes[at].disk];
                self.nodes[at].checks.on_frame(&text, &mut disk.records);
                self.push(at, latency, Happening::ToBackend(conn, text));
            }
            Output::Socket(SocketOutput::Close { conn, .. }) => self.push(at, 0, Happening::Close(conn)),
            Output::Socket(SocketOutput::WatchDrain { .. }) if self.never_drains => {}
            Output::Socket(SocketOutput::WatchDrain { conn }) => {
                self.push(at, 0, Happening::ToClient(Input::Socket(SocketInput::Drained { conn })));
            }
            Output::Socket(SocketOutput::Binary { .. }) => panic!("nothing here is binary"),
            Output::Store { id, request } => {
                let delay = self.disks[self.nodes[at].disk].delay_ms;
                self.push(at, delay, Happening::Store(id, request));
            }
            Output::Http { id, request } => {
                let disk = &mut self.disks[self.nodes[at].disk];
                self.nodes[at].checks.on_request(request.method, &request.url, &mut disk.records);
                self.push(at, latency, Happening::Http(id, request));
            }
            Output::Token { id, .. } => self.on_token(at, id),
            Output::Tab(output) => self.on_tab(at, output),
            Output::Event(event) => {
                self.told.note(&event);
                self.see(at, event);
            }
            Output::Told(told) => {
                let event = self.told.read(&told.0);
                self.see(at, event);
            }
        }
    }

    fn see(&mut self, at: usize, event: Event) {
        let disk = &mut self.disks[self.nodes[at].disk];
        self.nodes[at].checks.on_event(&event, &mut disk.records);
        self.nodes[at].events.push(event);
    }

    fn on_token(&mut self, at: usize, id: TokenId) {
        let node = &mut self.nodes[at];
        node.tokens_asked += 1;
        if node.hold_tokens {
            return;
        }
        let result = node.next_tokens.pop_front().unwrap_or_else(|| Ok(node.token.clone()));
        self.push(at, 0, Happening::ToClient(Input::Token { id, result: result.map(Secret) }));
    }

    fn happen(&mut self, at: usize, life: u32, happening: Happening) {
        let alive = self.nodes[at].life == life && self.nodes[at].client.is_some();
        match happening {
            // What was handed to the network or the store goes its way without the client that did it.
            Happening::ToBackend(conn, text) => {
                if !self.nodes[at].half_open {
                    let say = self.backend.on_frame(self.now.wall_ms, (at, conn), &text);
                    self.say(say);
                }
                return;
            }
            Happening::Store(id, request) => return self.on_store(at, life, id, &request),
            Happening::Http(id, request) => {
                let token = request.token.as_ref().map(|token| token.0.as_str());
                let now = self.now.wall_ms;
                let (status, body) =
                    self.backend.on_http(now, request.method, &request.url, token, request.body.as_deref());
                let said = core::mem::take(&mut self.backend.said);
                self.say(said);
                let result = match status {
                    0 => HttpResult::Failed { reason: "network".to_owned() },
                    status => HttpResult::Answered { status, body },
                };
                if alive && !self.nodes[at].half_open {
                    let delay = self.latency_ms + self.slow_http_ms;
                    self.push(at, delay, Happening::ToClient(Input::Http { id, result }));
                }
                return;
            }
            _ if !alive => return,
            what if self.nodes[at].still.is_some() => {
                self.nodes[at].still.get_or_insert_default().push(what);
                return;
            }
            Happening::ToClient(input) => {
                self.nodes[at].steps += 1;
                if !self.dies(at) {
                    self.input(at, input);
                }
            }
            Happening::Open(conn) => {
                self.nodes[at].live_socket = Some(conn);
                self.input(at, Input::Socket(SocketInput::Opened { conn, protocol: String::new() }));
                let say = self.backend.on_opened((at, conn));
                self.say(say);
            }
            Happening::Close(conn) => self.drop_socket((at, conn), "by the client"),
        }
        self.drain(at);
    }

    fn on_store(&mut self, at: usize, life: u32, id: StoreId, request: &StoreRequest) {
        let disk = &mut self.disks[self.nodes[at].disk];
        let write = matches!(request, StoreRequest::Write(_));
        let failed = |kind| StoreReply::Failed { kind, message: "scripted".to_owned() };
        let fault =
            if write { disk.faults.pop_front().unwrap_or(WriteFault::None) } else { WriteFault::None };
        let open = matches!(request, StoreRequest::Open { .. });
        let reply = match (disk.broken, fault) {
            (_, WriteFault::Fail(kind)) => failed(kind),
            (_, WriteFault::UnknownLost) => StoreReply::Unknown,
            (_, WriteFault::Conflict) => StoreReply::Conflict,
            (_, WriteFault::UnknownDone) => {
                disk.records.execute(request);
                StoreReply::Unknown
            }
            (Some(kind), _) if (write || disk.unreadable) && !open => failed(kind),
            _ if disk.refuses_wipe && matches!(request, StoreRequest::Wipe { .. }) => {
                failed(StoreFailure::Other)
            }
            _ if disk.unclear_wipe && matches!(request, StoreRequest::Wipe { .. }) => {
                disk.records.execute(request);
                StoreReply::Unknown
            }
            _ => match disk.execute(request) {
                StoreReply::Opened { .. } => StoreReply::Opened { persistent: !disk.denied },
                reply => reply,
            },
        };
        disk.writes += usize::from(write);
        disk.reads += usize::from(matches!(request, StoreRequest::Read(_)));
        let unknown_ms = disk.unknown_ms;
        if self.nodes[at].life == life {
            let delay = if matches!(reply, StoreReply::Unknown) { unknown_ms } else { 0 };
            self.push(at, delay, Happening::ToClient(Input::Store { id, reply }));
        }
    }

    pub fn say(&mut self, say: Vec<Say>) {
        for one in say {
            match one {
                Say::Text((at, conn), text) => {
                    if !self.nodes[at].half_open {
                        let input = Input::Socket(SocketInput::Text { conn, text });
                        self.push(at, self.latency_ms, Happening::ToClient(input));
                    }
                }
                Say::Close(socket) => self.drop_socket(socket, "by the server"),
            }
        }
    }

    pub fn drop_socket(&mut self, (at, conn): SocketId, reason: &str) {
        self.backend.on_close((at, conn));
        if self.nodes[at].live_socket == Some(conn) {
            self.nodes[at].live_socket = None;
        }
        let closed = SocketInput::Closed { conn, code: 1006, reason: reason.to_owned() };
        self.push(at, self.latency_ms, Happening::ToClient(Input::Socket(closed)));
    }

    fn next_moment(&self) -> Option<u64> {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let running = self.nodes.iter().filter(|node| node.still.is_none());
        let timers = running.filter_map(|node| node.client.as_ref()?.poll_timeout());
        queued.into_iter().chain(timers).min().map(|at| at.max(self.now.mono_ms))
    }

    /// One happening or one timer, if one is due by `until`.
    fn step(&mut self, until: u64) -> bool {
        let Some(moment) = self.next_moment().filter(|at| *at <= until) else { return false };
        self.set_time(moment);
        if let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= moment) {
            let (at, life, happening) = entry.remove();
            self.happen(at, life, happening);
        } else {
            for at in 0..self.nodes.len() {
                let runs = self.nodes[at].still.is_none();
                if let Some(client) = self.nodes[at].client.as_mut().filter(|_| runs)
                    && client.poll_timeout().is_some_and(|due| due <= moment)
                {
                    client.handle_timeout(self.now);
                    self.drain(at);
                }
            }
        }
        (0..self.nodes.len()).for_each(|at| self.nodes[at].checks.step());
        true
    }

    fn set_time(&mut self, mono_ms: u64) {
        self.now.wall_ms += mono_ms - self.now.mono_ms;
        self.now.mono_ms = mono_ms;
    }

    /// Lets `ms` pass.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now.mono_ms + ms;
        let mut steps = 0;
        while self.step(until) {
            steps += 1;
            assert!(steps < 200_000, "time stands still");
        }
        self.set_time(until);
    }

    /// Until something holds, within two minutes.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        self.until_within(120_000, what, holds);
    }

    pub fn until_within(&mut self, ms: u64, what: &str, holds: impl Fn(&Self) -> bool) {
        let until = self.now.mono_ms + ms;
        let mut steps = 0;
        while !holds(self) {
            steps += 1;
            assert!(steps < 200_000, "time stands still while waiting: {what}");
            assert!(self.step(until), "never: {what}\n{}", self.tail());
        }
    }
}
