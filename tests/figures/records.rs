//! A filled store, for the figures of docs/performance.md: the product's own core takes in as many messages as are asked
//! for, page by page from a scripted `team` backend, and what it has written is put into files as it stands.
//!
//! `cargo run --release --example records -- --messages 100000 --conversations 200 --out FOLDER`
#![cfg(not(target_arch = "wasm32"))]
// Clippy knows tests by `#[test]`, which this is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../shared/by_hand.rs"]
#[expect(dead_code, reason = "nothing is read back here")]
mod by_hand;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use by_hand::{encode, iso};
use chatwire::proto::config::{Config, PageFacts};
use chatwire::proto::store::MemoryStore;
use chatwire::proto::{
    Client, Command, Event, HttpResult, Input, Key, Now, Output, Phase, Read, Record, Secret, SocketInput,
    SocketOutput, StoreReply, StoreRequest, TabInput, TabOutput, Table,
};
use serde_json::{Value, json};

/// The first of January 2026.
const WALL_MS: u64 = 1_767_225_600_000;
/// Messages of one conversation that are missed at a time: a night, not a year.
const ABSENCE: u64 = 400;
/// Bytes in one file, about.
const FILE_BYTES: usize = 16 << 20;
const WORDS: &[&str] = &[
    "about", "again", "bring", "coffee", "dinner", "early", "forgot", "great", "hotel", "invoice", "kitchen",
    "later", "meeting", "number", "office", "phone", "quite", "really", "station", "tomorrow", "until",
    "weekend", "yes", "😀",
];

fn main() {
    let order = Order::read();
    let backend = Backend { rooms: order.conversations, visible: 1 };
    let mut node = Node::new(backend, MemoryStore::new());
    let each = order.messages / order.conversations;
    while node.backend.visible < each || !node.live {
        node.come_and_go();
        node.backend.visible = (node.backend.visible + ABSENCE).min(each);
    }
    node.come_and_go();
    let (backend, mut store) = node.close();
    let records = all_of(&mut store);
    let reads = cold_start(backend, store);
    write(&order, each, &records, &reads);
}

fn all_of(store: &mut MemoryStore) -> Vec<Record> {
    let read = StoreRequest::Read(vec![Read::All(Table::Meta), Read::All(Table::History)]);
    let StoreReply::Records(lists) = store.execute(&read) else { panic!("the store is open") };
    lists.concat()
}

/// What a client reads until it shows the newest messages of the newest conversation.
fn cold_start(backend: Backend, store: MemoryStore) -> Vec<Vec<Read>> {
    let mut node = Node::new(backend, store);
    node.rest();
    let conversation_id = name_of(0, 0);
    node.client.command(node.now, Command::OpenTimeline { view: 1, conversation_id }).unwrap();
    node.rest();
    node.reads
}

struct Order {
    messages: u64,
    conversations: u64,
    out: PathBuf,
}

impl Order {
    fn read() -> Self {
        let mut order = Self { messages: 100_000, conversations: 200, out: PathBuf::new() };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().expect("every option has a value");
            match name.as_str() {
                "--messages" => order.messages = value.parse().expect("a number"),
                "--conversations" => order.conversations = value.parse().expect("a number"),
                "--out" => order.out = PathBuf::from(value),
                _ => panic!("{name}: there are --messages, --conversations, --out"),
            }
        }
        assert!(order.out.is_dir(), "--out must name a folder that is there");
        order
    }
}

// ── the backend ─────────────────────────────────────────────────────────────

/// All of it follows from numbers: nothing is kept but how many messages each conversation has by now.
struct Backend {
    rooms: u64,
    visible: u64,
}

/// As long as a server's own ids are, and as hard to compress.
fn name_of(room: u64, seq: u64) -> String {
    let mut state = room << 32 | seq;
    let mut name = String::new();
    for _ in 0..26 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z ^= z >> 27;
        name.push(char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[(z >> 20 & 31) as usize]));
    }
    name
}

/// The first conversation has the newest message.
fn at_ms(room: u64, seq: u64) -> u64 {
    WALL_MS + seq * 600_000 - room * 1000
}

impl Backend {
    fn answer(&self, url: &str) -> String {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let number = |name: &str| {
            let mut parts = query.split('&');
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
        };
        match path.split_once("/api/messages/") {
            Some((_, id)) => {
                let room =
                    (0..self.rooms).find(|room| name_of(*room, 0) == id).expect("a known conversation");
                let limit = number("limit").unwrap_or(50);
                let (from, to) = match number("after") {
                    Some(after) => (after, (after + limit).min(self.visible)),
                    None => {
                        let to = self.visible.saturating_sub(number("offset").unwrap_or(0));
                        (to.saturating_sub(limit), to)
                    }
                };
                let has_more = if number("after").is_some() { to < self.visible } else { from > 0 };
                let rows: Vec<Value> = (from + 1..=to).map(|seq| message(room, seq)).collect();
                json!({"messages": rows, "has_more": has_more}).to_string()
            }
            None => {
                let from = number("offset").unwrap_or(0);
                let to = (from + 100).min(self.rooms);
                let rows: Vec<Value> = (from..to).map(|room| self.conversation(room)).collect();
                json!({"conversations": rows, "has_more": to < self.rooms}).to_string()
            }
        }
    }

    fn conversation(&self, room: u64) -> Value {
        let people: Vec<Value> =
            ["ana", "ben", "cleo"].iter().map(|name| json!({"user_id": name, "username": name})).collect();
        json!({
            "id": name_of(room, 0), "type": "group", "title": format!("conversation {room}"), "participants": people,
            "last_seq": self.visible, "last_read_seq": self.visible - room.min(3).min(self.visible),
        })
    }
}

/// Of 20 to 220 characters, a fourth of them this user's own, from another device.
fn message(room: u64, seq: u64) -> Value {
    let id = name_of(room, seq);
    let mut dice = id.bytes().fold(seq, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mut text = String::new();
    let length = 20 + dice % 200;
    while (text.len() as u64) < length {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[(dice >> 33) as usize % WORDS.len()]);
        text.push(' ');
    }
    let sender = ["ana", "ben", "cleo", "ben"][(dice >> 40) as usize % 4];
    let mut told = json!({
        "id": id, "sender_id": sender, "conversation_id": name_of(room, 0), "message_type": "text",
        "content_encrypted": encode(&text), "created_at": iso(at_ms(room, seq)), "status": "read", "seq": seq,
    });
    if sender == "ana" {
        told["client_message_id"] = json!(name_of(room, seq | 1 << 31));
    }
    told
}

// ── the client ──────────────────────────────────────────────────────────────

/// The core, its store, and a link on which everything is answered at once.
struct Node {
    client: Client,
    backend: Backend,
    store: MemoryStore,
    now: Now,
    inputs: VecDeque<Input>,
    /// What has been read of the store.
    reads: Vec<Vec<Read>>,
    live: bool,
}

impl Node {
    fn new(backend: Backend, store: MemoryStore) -> Self {
        let now = Now { mono_ms: 1000, wall_ms: WALL_MS + 365 * 86_400_000 };
        let options =
            json!({"url": "https://chat.test", "profile": "team", "userId": "ana", "hasGetToken": true});
        let config = Config::parse(&options.to_string(), PageFacts { online: true, visible: true }).unwrap();
        let client = Client::new(config, [7; 32], now);
        Self { client, backend, store, now, inputs: VecDeque::new(), reads: Vec::new(), live: false }
    }

    /// Connects, catches up, and leaves when everything is stored.
    fn come_and_go(&mut self) {
        self.live = false;
        self.client.command(self.now, Command::Connect {}).unwrap();
        self.run_until(|node| node.live);
        self.client.command(self.now, Command::Disconnect {}).unwrap();
        self.rest();
    }

    fn close(mut self) -> (Backend, MemoryStore) {
        self.client.command(self.now, Command::Close {}).unwrap();
        self.rest();
        (self.backend, self.store)
    }

    fn run_until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            assert!(self.step(), "there is nothing left to do");
        }
    }

    /// Until nothing is due for ten seconds.
    fn rest(&mut self) {
        let end = self.now.mono_ms + 10_000;
        while !self.inputs.is_empty() || self.client.poll_timeout().is_some_and(|at| at <= end) {
            if !self.step() {
                break;
            }
        }
        self.drain();
    }

    fn step(&mut self) -> bool {
        self.drain();
        if let Some(input) = self.inputs.pop_front() {
            self.client.handle_input(self.now, input);
        } else if let Some(at) = self.client.poll_timeout() {
            let passed = at.saturating_sub(self.now.mono_ms);
            self.now = Now { mono_ms: self.now.mono_ms + passed, wall_ms: self.now.wall_ms + passed };
            self.client.handle_timeout(self.now);
        } else {
            return false;
        }
        self.drain();
        true
    }

    fn drain(&mut self) {
        loop {
            while let Some(output) = self.client.poll_output() {
                self.execute(output);
            }
            if !self.client.views_dirty() {
                return;
            }
            self.client.flush_views(self.now);
        }
    }

    fn execute(&mut self, output: Output) {
        let input = match output {
            Output::Store { id, request } => {
                if let StoreRequest::Read(reads) = &request {
                    self.reads.push(reads.clone());
                }
                let reply = match self.store.execute(&request) {
                    StoreReply::Opened { .. } => StoreReply::Opened { persistent: true },
                    reply @ (StoreReply::Saved { .. }
                    | StoreReply::Records(_)
                    | StoreReply::Estimate { .. }) => reply,
                    other => panic!("the store does not do it: {other:?}"),
                };
                Input::Store { id, reply }
            }
            Output::Http { id, request } => {
                let body = self.backend.answer(&request.url);
                Input::Http { id, result: HttpResult::Answered { status: 200, body } }
            }
            Output::Token { id, .. } => Input::Token { id, result: Ok(Secret("ana".to_owned())) },
            Output::Tab(TabOutput::RequestLead) => Input::Tab(TabInput::Leads),
            Output::Socket(output) => return self.on_socket(output),
            Output::Event(event) => return self.on_event(&event),
            Output::Tab(_) | Output::Told(_) => return,
        };
        self.inputs.push_back(input);
    }

    fn on_socket(&mut self, output: SocketOutput) {
        let mut hear = |input| self.inputs.push_back(Input::Socket(input));
        let text = |conn, text: String| SocketInput::Text { conn, text };
        match output {
            SocketOutput::Open { conn, .. } => {
                hear(SocketInput::Opened { conn, protocol: String::new() });
                let open = json!({"sid": "e", "upgrades": [], "pingInterval": 86_400_000, "pingTimeout": 20_000, "maxPayload": 1_000_000});
                hear(text(conn, format!("0{open}")));
            }
            SocketOutput::Text { conn, text: frame } if frame.starts_with("40") => {
                hear(text(conn, r#"40{"sid":"s"}"#.to_owned()));
                let hello = json!(["chatwire:hello", {"capabilities": {"keys": true, "cursor": true}}]);
                hear(text(conn, format!("42{hello}")));
            }
            SocketOutput::Close { conn, code, reason } => hear(SocketInput::Closed { conn, code, reason }),
            SocketOutput::WatchDrain { conn } => hear(SocketInput::Drained { conn }),
            SocketOutput::Text { .. } | SocketOutput::Binary { .. } => {}
        }
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Phase { phase: Phase::Live } => self.live = true,
            Event::Error { error } | Event::Refused { error, .. } => panic!("{}", error.message),
            Event::ProtocolError { message, .. } | Event::StorageDegraded { message, .. } => {
                panic!("{message}")
            }
            Event::Gap { conversation_id } => panic!("a hole in {conversation_id}"),
            _ => {}
        }
    }
}

// ── the files ───────────────────────────────────────────────────────────────

/// `N.bin`: records one behind the other; `index.json`: which they are, and what the measuring page has to know.
fn write(order: &Order, each: u64, records: &[Record], reads: &[Vec<Read>]) {
    let mut kinds = BTreeMap::<String, (usize, usize)>::new();
    let mut files = Vec::new();
    let (mut places, mut bytes) = (Vec::new(), Vec::new());
    for record in records {
        let Key::Text(key) = &record.key else { panic!("all of these tables have texts as keys") };
        let kind = key.split_once('/').map_or("meta", |(kind, _)| kind);
        let (count, size) = kinds.entry(kind.to_owned()).or_default();
        (*count, *size) = (*count + 1, *size + record.bytes.len());
        let table = if kind == "meta" { "meta" } else { "history" };
        places.push(json!([table, key, record.bytes.len()]));
        bytes.extend_from_slice(&record.bytes);
        if bytes.len() >= FILE_BYTES {
            put(&order.out, &mut files, &mut places, &mut bytes);
        }
    }
    put(&order.out, &mut files, &mut places, &mut bytes);
    let newest = name_of(0, 0);
    let reads: Vec<Vec<Value>> = reads.iter().map(|read| read.iter().map(told).collect()).collect();
    let index = json!({
        "messages": each * order.conversations, "conversations": order.conversations,
        "middle": format!("{newest}:{}", name_of(0, each / 2)), "reads": reads, "kinds": kinds, "files": files,
    });
    std::fs::write(order.out.join("index.json"), index.to_string()).unwrap();
}

fn told(read: &Read) -> Value {
    let name = |table: Table| match table {
        Table::Meta => "meta",
        Table::Outbox => "outbox",
        Table::History => "history",
    };
    match read {
        Read::All(table) => json!([name(*table), "all"]),
        Read::Prefix { table, prefix } => json!([name(*table), "prefix", prefix]),
        Read::One(id) => match &id.key {
            Key::Text(key) => json!([name(id.table), "one", key]),
            Key::Number(key) => json!([name(id.table), "one", key]),
        },
    }
}

fn put(folder: &Path, files: &mut Vec<Value>, places: &mut Vec<Value>, bytes: &mut Vec<u8>) {
    std::fs::write(folder.join(format!("{}.bin", files.len())), &bytes).unwrap();
    files.push(json!(core::mem::take(places)));
    bytes.clear();
}
