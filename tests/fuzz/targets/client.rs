//! A whole client whose socket, REST answers, store and other tabs say anything: it never panics, comes to rest after each
//! input, and says nothing after its end.
#![no_main]

use chatwire::proto::config::{Config, PageFacts};
use chatwire::proto::store::MemoryStore;
use chatwire::proto::{
    Client, Command, CommandId, Event, HttpId, HttpResult, Input, Now, Output, PageInput, Record, Secret,
    SendCommand, SocketInput, SocketOutput, StoreFailure, StoreId, StoreReply, StoreRequest, TabInput,
    TabOutput, TokenId,
};
use libfuzzer_sys::fuzz_target;

/// More outputs to one input are a loop.
const MAX_OUTPUTS: usize = 10_000;
const OPTIONS: &str = r#"{"url":"https://chat.test","profile":"team","userId":"ana","hasGetToken":true}"#;

struct World {
    client: Client,
    now: Now,
    conn: Option<u32>,
    store: MemoryStore,
    http: Vec<HttpId>,
    token: Option<TokenId>,
    writes: Vec<(StoreId, StoreRequest)>,
    /// The command that ends it.
    ending: Option<CommandId>,
    ended: bool,
    closed: bool,
}

fuzz_target!(|data: &[u8]| {
    let page = PageFacts { online: true, visible: true };
    let Ok(config) = Config::parse(OPTIONS, page) else { panic!("the options are good") };
    let now = Now { mono_ms: 1000, wall_ms: 1_767_225_600_000 };
    let client = Client::new(config, [7; 32], now);
    let mut world = World {
        client,
        now,
        conn: None,
        store: MemoryStore::default(),
        http: Vec::new(),
        token: None,
        writes: Vec::new(),
        ending: None,
        ended: false,
        closed: false,
    };
    world.drain();
    let _ = world.client.command(world.now, Command::Connect {});
    let _ =
        world.client.command(world.now, Command::OpenTimeline { view: 1, conversation_id: "r".to_owned() });
    world.drain();
    for line in data.split(|byte| *byte == b'\n') {
        world.step(line);
    }
});

impl World {
    /// The first byte says what happens, the rest what is said.
    fn step(&mut self, line: &[u8]) {
        let Some((first, rest)) = line.split_first() else { return };
        let text = || String::from_utf8_lossy(rest).into_owned();
        let number = u64::from(rest.first().copied().unwrap_or_default());
        match first {
            b'o' => self.socket(|conn| SocketInput::Opened { conn, protocol: String::new() }),
            b'b' => self.socket(|conn| SocketInput::Binary { conn, bytes: rest.to_vec() }),
            b'c' => self.socket(|conn| SocketInput::Closed { conn, code: 1006, reason: text() }),
            b'd' => self.socket(|conn| SocketInput::Drained { conn }),
            b'h' => {
                if let Some(id) = self.http.pop() {
                    let (status, body) = (number as u16 * 10, String::from_utf8_lossy(line).into_owned());
                    let body = body.get(2..).unwrap_or_default().to_owned();
                    self.input(Input::Http { id, result: HttpResult::Answered { status, body } });
                }
            }
            b'k' => {
                if let Some(id) = self.token.take() {
                    self.input(Input::Token { id, result: Ok(Secret(text())) });
                }
            }
            b's' => self.send(text()),
            b'w' => self.answer_store(rest),
            b't' => self.pass(number * 1000),
            b'p' => self.input(Input::Page(page(number))),
            b'l' => self.input(Input::Tab(tab(number))),
            b'x' => self.ending = self.ending.or(self.client.command(self.now, Command::Close {}).ok()),
            // Whatever else is a frame.
            _ => self
                .socket(|conn| SocketInput::Text { conn, text: String::from_utf8_lossy(line).into_owned() }),
        }
        self.drain();
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

    fn send(&mut self, text: String) {
        let send = SendCommand {
            conversation_id: "r".to_owned(),
            text,
            kind: None,
            metadata: None,
            reply_to: None,
            ttl_ms: None,
            key: None,
        };
        let _ = self.client.command(self.now, Command::Send(send));
    }

    /// The oldest request is carried out, refused, or (a read) answered with a record of the fuzzer's own.
    fn answer_store(&mut self, rest: &[u8]) {
        if self.writes.is_empty() {
            return;
        }
        let (id, request) = self.writes.remove(0);
        let reply = match (rest.first(), &request) {
            (Some(b'f'), _) => {
                StoreReply::Failed { kind: StoreFailure::Other, message: "the fuzzer says no".to_owned() }
            }
            (Some(b'u'), StoreRequest::Write(_)) => StoreReply::Unknown,
            (Some(b'c'), StoreRequest::Write(_)) => StoreReply::Conflict,
            (Some(b'r'), StoreRequest::Read(reads)) => {
                let bytes = rest.get(1..).unwrap_or_default().to_vec();
                let record = Record { key: chatwire::proto::Key::Number(1), bytes };
                StoreReply::Records(reads.iter().map(|_| vec![record.clone()]).collect())
            }
            _ => self.store.execute(&request),
        };
        self.input(Input::Store { id, reply });
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        self.client.handle_timeout(self.now);
    }

    fn drain(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            let Some(output) = self.client.poll_output() else {
                // What belongs to the same call may follow the end: the lock is given back.
                self.closed |= self.ended;
                self.client.flush_views(self.now);
                return;
            };
            assert!(!self.closed, "an output after the end: {output:?}");
            match output {
                Output::Socket(SocketOutput::Open { conn, .. }) => self.conn = Some(conn),
                Output::Http { id, .. } => self.http.push(id),
                Output::Store { id, request } => self.writes.push((id, request)),
                Output::Token { id, .. } => self.token = Some(id),
                Output::Tab(TabOutput::RequestLead) => {
                    self.client.handle_input(self.now, Input::Tab(TabInput::Leads));
                }
                Output::Event(Event::Done { id, .. }) => self.ended |= self.ending == Some(id),
                _ => {}
            }
        }
        panic!("it never comes to rest");
    }
}

fn page(number: u64) -> PageInput {
    use PageInput as P;
    let all = [P::Online, P::Offline, P::Visible, P::Hidden, P::Frozen, P::Resumed];
    all[number as usize % all.len()]
}

fn tab(number: u64) -> TabInput {
    let read = TabInput::Read { conversation_id: "r".to_owned(), message_id: "m1".to_owned() };
    let all = [
        TabInput::Leads,
        TabInput::Follows,
        TabInput::Deposed,
        TabInput::Poked,
        TabInput::Wiped,
        TabInput::Emptied,
        read,
    ];
    all[number as usize % all.len()].clone()
}
