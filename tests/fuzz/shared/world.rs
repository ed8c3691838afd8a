//! A whole client whose socket, REST answers, store, page and other tabs say anything: it never panics, comes to rest
//! after each input, and says nothing after its end.
//!
//! Each line of an input is one act: its first byte says what happens, the rest what is said. Whatever is no act is a
//! text frame of the server.

use std::collections::VecDeque;

use chatwire::proto::config::{Config, PageFacts};
use chatwire::proto::store::{self, MemoryStore, RecordKind};
use chatwire::proto::wire::socket_io::{self, Packet};
use chatwire::proto::wire::{Limits, engine_io, phoenix};
use chatwire::proto::{
    Changes, Client, Command, CommandId, Event, HttpId, HttpResult, Input, Now, Outcome, Output, PageInput,
    Record, RecordId, Secret, SendCommand, SocketInput, SocketOutput, StoreFailure, StoreId, StoreReply,
    StoreRequest, TabInput, TabOutput, TokenId, Told,
};

use crate::command;
use crate::memory::{Bound, bounded};

/// A frame of a server becomes a row, a record on its way and one in the store, and stands in windows: some times its
/// own size. Beside: a client at rest (5 KB), and a full queue, of which a message of three bytes costs 2.4 KB, and in
/// each window half a KB.
const BOUND: Bound = Bound { per_byte: 128, beside: 16 * 1024 + MAX_QUEUED * (2_560 + 640 * MAX_WINDOWS) };

/// Few, so that the limit is met, and a long input takes no seconds.
const MAX_QUEUED: usize = 50;
/// The application names them, and opens as many as it likes: each costs its rows.
const MAX_WINDOWS: usize = 3;

/// More outputs to one input, or timers that are due at one moment, are a loop.
const MAX_OUTPUTS: usize = 10_000;
const MAX_TIMERS: usize = 100;
/// Requests of the store that one act answers.
const MAX_ANSWERS: usize = 32;

const ROOM: &str = "r";

struct World {
    client: Client,
    now: Now,
    conn: Option<u32>,
    store: MemoryStore,
    http: Vec<HttpId>,
    token: Option<TokenId>,
    requests: VecDeque<(StoreId, StoreRequest)>,
    /// Frames of the client that want an answer.
    asked: VecDeque<String>,
    /// The key of the newest own message.
    key: String,
    /// The command that ends it.
    ending: Option<CommandId>,
    ended: bool,
    closed: bool,
}

/// One input for a client of this profile.
pub fn run(profile: &str, data: &[u8]) {
    bounded(BOUND, data.len(), || {
        let mut world = World::new(profile);
        for line in data.split(|byte| *byte == b'\n') {
            world.act(line);
        }
    });
}

impl World {
    fn new(profile: &str) -> Self {
        let options = format!(
            r#"{{"url":"https://chat.test","profile":"{profile}","userId":"ana","hasGetToken":true,"outbox":{{"maxQueued":{MAX_QUEUED}}}}}"#
        );
        let Ok(config) = Config::parse(&options, PageFacts { online: true, visible: true }) else {
            panic!("the options are good")
        };
        let now = Now { mono_ms: 1000, wall_ms: 1_767_225_600_000 };
        let mut world = Self {
            client: Client::new(config, [7; 32], now),
            now,
            conn: None,
            store: MemoryStore::default(),
            http: Vec::new(),
            token: None,
            requests: VecDeque::new(),
            asked: VecDeque::new(),
            key: String::new(),
            ending: None,
            ended: false,
            closed: false,
        };
        world.drain();
        world.command(Command::Connect {});
        world.command(Command::OpenTimeline { view: 1, conversation_id: ROOM.to_owned() });
        world
    }

    fn act(&mut self, line: &[u8]) {
        let Some((first, rest)) = line.split_first() else { return };
        let text = || String::from_utf8_lossy(rest).into_owned();
        let number = u64::from(rest.first().copied().unwrap_or_default());
        match first {
            b'o' => self.socket(|conn| SocketInput::Opened { conn, protocol: String::new() }),
            b'b' => self.socket(|conn| SocketInput::Binary { conn, bytes: rest.to_vec() }),
            b'c' => self.socket(|conn| SocketInput::Closed { conn, code: 1006, reason: text() }),
            b'd' => self.socket(|conn| SocketInput::Drained { conn }),
            b'a' => self.answer("ok", &text()),
            b'n' => self.answer("error", &text()),
            b'h' => self.http(number as u16 * 10, rest.get(1..).unwrap_or_default()),
            b'k' => {
                if let Some(id) = self.token.take() {
                    self.input(Input::Token { id, result: Ok(Secret(text())) });
                }
            }
            b's' => self.send(text()),
            b'm' => {
                let command = command::parse(&text().replace('@', &self.key)).ok();
                let too_many = |command: &Command| matches!(command, Command::OpenTimeline { view, .. } if *view as usize > MAX_WINDOWS);
                if let Some(command) = command.filter(|command| !too_many(command)) {
                    self.command(command);
                }
            }
            b'w' => self.answer_store(rest),
            b'W' => {
                for _ in 0..MAX_ANSWERS {
                    self.answer_store(&[]);
                }
            }
            b't' => self.pass(number * 1000),
            b'T' => self.pass(
                self.client.poll_timeout().map_or(0, |at| at.saturating_sub(self.now.mono_ms).min(1 << 32)),
            ),
            b'p' => self.input(Input::Page(page(number))),
            b'l' => self.input(Input::Tab(tab(number))),
            b'g' => self.change_beside(rest),
            b'q' => {
                let told = TabInput::Told { generation: number.wrapping_sub(48), events: Told(text()) };
                self.input(Input::Tab(told));
            }
            b'x' => self.command(Command::Close {}),
            _ => self
                .socket(|conn| SocketInput::Text { conn, text: String::from_utf8_lossy(line).into_owned() }),
        }
    }

    fn socket(&mut self, input: impl FnOnce(u32) -> SocketInput) {
        if let Some(conn) = self.conn {
            self.input(Input::Socket(input(conn)));
        }
    }

    fn input(&mut self, input: Input) {
        self.client.handle_input(self.now, input);
        self.drain();
    }

    fn command(&mut self, command: Command) {
        let ends = matches!(command, Command::Close {});
        if let Ok(id) = self.client.command(self.now, command)
            && ends
        {
            self.ending = Some(id);
        }
        self.drain();
    }

    fn send(&mut self, text: String) {
        self.command(Command::Send(SendCommand {
            conversation_id: ROOM.to_owned(),
            text,
            kind: None,
            metadata: None,
            reply_to: None,
            ttl_ms: None,
            key: None,
        }));
    }

    /// The server answers the oldest frame that wants an answer, in its framing.
    fn answer(&mut self, status: &str, response: &str) {
        let Some(asked) = self.asked.pop_front() else { return };
        let response = if response.is_empty() { "{}" } else { response };
        let answer = match phoenix::decode(&asked, &Limits::DEFAULT) {
            Ok(frame) => {
                let payload = format!("{{\"status\":\"{status}\",\"response\":{response}}}");
                let (join_ref, reference) = (frame.join_ref.as_deref(), frame.reference.as_deref());
                phoenix::encode(join_ref, reference, &frame.topic, phoenix::REPLY, &payload)
            }
            Err(_) => match asked_id(&asked) {
                Some((ns, id)) => socket_io::encode_ack(ns, id, &[response]),
                None => return,
            },
        };
        self.socket(|conn| SocketInput::Text { conn, text: answer });
    }

    /// The newest REST request is answered.
    fn http(&mut self, status: u16, body: &[u8]) {
        if let Some(id) = self.http.pop() {
            let result = match status {
                0 => HttpResult::Failed { reason: "the fuzzer says no".to_owned() },
                _ => HttpResult::Answered { status, body: String::from_utf8_lossy(body).into_owned() },
            };
            self.input(Input::Http { id, result });
        }
    }

    /// The oldest request is carried out, refused, or (a read) answered with a record of the fuzzer's own beside.
    fn answer_store(&mut self, rest: &[u8]) {
        let Some((id, request)) = self.requests.pop_front() else { return };
        let reply = match (rest.first(), &request) {
            (Some(b'f'), _) => {
                StoreReply::Failed { kind: StoreFailure::Other, message: "the fuzzer says no".to_owned() }
            }
            // The memory store says of itself that it is no disk.
            (first, StoreRequest::Open { .. }) if first != Some(&b'm') => {
                self.store.execute(&request);
                StoreReply::Opened { persistent: true }
            }
            (Some(b'q'), _) => {
                StoreReply::Failed { kind: StoreFailure::Quota, message: "the fuzzer says full".to_owned() }
            }
            (Some(b'u'), StoreRequest::Write(_)) => StoreReply::Unknown,
            (Some(b'c'), StoreRequest::Write(_)) => StoreReply::Conflict,
            (Some(b'r'), StoreRequest::Read(_)) => {
                let (place, bytes) = record(rest.get(1..).unwrap_or_default());
                let mut reply = self.store.execute(&request);
                if let StoreReply::Records(lists) = &mut reply
                    && let Some(list) = lists.last_mut()
                {
                    list.push(Record { key: place.key, bytes });
                }
                reply
            }
            _ => self.store.execute(&request),
        };
        self.input(Input::Store { id, reply });
    }

    /// Another tab has put a record, or (`!`) removed it.
    fn change_beside(&mut self, rest: &[u8]) {
        let [generation, stamp] =
            [0, 1].map(|at| rest.get(at).copied().unwrap_or_default().wrapping_sub(b'0'));
        let mut changes = Changes {
            generation: generation.into(),
            stamp: stamp.into(),
            puts: Vec::new(),
            deletes: Vec::new(),
        };
        let behind = rest.get(2..).unwrap_or_default();
        match behind.strip_prefix(b"!") {
            Some(behind) => changes.deletes.push((record(behind).0, None)),
            None => {
                let (place, bytes) = record(behind);
                changes.puts.push((place, None, bytes));
            }
        }
        self.input(Input::Tab(TabInput::Changed(Box::new(changes))));
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        for _ in 0..MAX_TIMERS {
            self.client.handle_timeout(self.now);
            self.drain();
            if self.client.poll_timeout().is_none_or(|at| at > self.now.mono_ms) {
                return;
            }
        }
        panic!("a timer is due again and again at the same moment");
    }

    fn drain(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            let Some(output) = self.client.poll_output() else {
                // What belongs to the same call may follow the end: the lock is given back.
                self.closed |= self.ended;
                self.client.flush_views(self.now);
                if let Some(output) = self.client.poll_output() {
                    self.take(output);
                    continue;
                }
                return;
            };
            self.take(output);
        }
        panic!("it never comes to rest");
    }

    fn take(&mut self, output: Output) {
        assert!(!self.closed, "an output after the end: {output:?}");
        match output {
            Output::Socket(SocketOutput::Open { conn, .. }) => {
                self.conn = Some(conn);
                self.asked.clear();
            }
            Output::Socket(SocketOutput::Text { text, .. }) if wants_answer(&text) => {
                self.asked.push_back(text)
            }
            Output::Http { id, .. } => self.http.push(id),
            Output::Store { id, request } => self.requests.push_back((id, request)),
            Output::Token { id, .. } => self.token = Some(id),
            Output::Tab(TabOutput::RequestLead) => {
                self.client.handle_input(self.now, Input::Tab(TabInput::Leads));
            }
            Output::Event(Event::Done { id, outcome }) => {
                self.ended |= self.ending == Some(id);
                if let Outcome::Message(message) = outcome {
                    self.key = message.row_key;
                }
            }
            _ => {}
        }
    }
}

fn wants_answer(frame: &str) -> bool {
    phoenix::decode(frame, &Limits::DEFAULT).is_ok() || asked_id(frame).is_some()
}

/// Of an event of Socket.IO that wants one: its namespace and id.
fn asked_id(frame: &str) -> Option<(&str, u64)> {
    let Ok(engine_io::Frame::Message(message)) = engine_io::decode(frame) else { return None };
    match socket_io::decode(message, &Limits::DEFAULT) {
        Ok(Packet::Event { ns, ack_id: Some(id), .. }) => Some((ns, id)),
        _ => None,
    }
}

/// A record of the fuzzer's own, under a good checksum: the digit of its kind (`:` is ten), a stamp, its payload.
fn record(rest: &[u8]) -> (RecordId, Vec<u8>) {
    use RecordKind as K;
    let [kind, stamp] = [0, 1].map(|at| rest.get(at).copied().unwrap_or_default().wrapping_sub(b'0'));
    let (place, kind) = match kind {
        1 => (RecordId::meta(store::GENERATION_KEY), K::Generation),
        2 => (RecordId::meta(store::CAPABILITIES_KEY), K::Capabilities),
        3 => (RecordId::outbox(u64::from(stamp)), K::OutboxRow),
        4 => (RecordId::history(store::conversation_key(ROOM)), K::Conversation),
        5 => (RecordId::history(store::head_key(ROOM)), K::History),
        6 => (RecordId::history(store::segment_key(ROOM, u32::from(stamp))), K::Segment),
        9 => (RecordId::meta(store::ORPHANS_KEY), K::Orphans),
        10 => (RecordId::meta(&store::draft_key(ROOM)), K::Draft),
        _ => (RecordId::history(store::index_key(ROOM, u32::from(stamp))), K::Index),
    };
    let bytes = store::seal(kind, u64::from(stamp), rest.get(2..).unwrap_or_default());
    (place, bytes)
}

fn page(number: u64) -> PageInput {
    use PageInput as P;
    let all = [P::Online, P::Offline, P::Visible, P::Hidden, P::Frozen, P::Resumed];
    all[number as usize % all.len()]
}

fn tab(number: u64) -> TabInput {
    let conversation_id = || ROOM.to_owned();
    let all = [
        TabInput::Leads,
        TabInput::Follows,
        TabInput::Deposed,
        TabInput::Poked,
        TabInput::Wiped,
        TabInput::Emptied,
        TabInput::Read { conversation_id: conversation_id(), message_id: "m1".to_owned() },
        TabInput::Asked { visible: true },
        TabInput::Alive,
        TabInput::Yielded,
        TabInput::Torn { conversation_id: conversation_id(), segment: u32::MAX },
        TabInput::Torn { conversation_id: conversation_id(), segment: 1 },
        TabInput::Earlier { conversation_id: conversation_id(), wish: 1 },
        TabInput::Shows { conversation_id: conversation_id() },
        TabInput::Deaf,
        TabInput::Hello,
        TabInput::Typing { conversation_id: conversation_id(), typing: true },
        TabInput::Fetched { conversation_id: conversation_id(), wish: 1 },
    ];
    all[number as usize % all.len()].clone()
}
