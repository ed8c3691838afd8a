//! A server of its own for each test, and a Socket.IO client of hand-written frames over a real socket.
#![allow(dead_code, reason = "no test file needs all of it")]

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chatwire_server::{Config, Running, StartError};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// Nothing here takes that long: a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("chatwire-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server in this process.
pub(crate) struct Server {
    pub(crate) base: String,
    runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    pub(crate) folder: Option<Folder>,
}

pub(crate) fn config(folder: &Folder) -> Config {
    Config { port: 0, db: folder.path().join("test.db"), ..Config::default() }
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = Folder::new();
        Self::on(folder, change).unwrap()
    }

    pub(crate) fn on(folder: Folder, change: impl FnOnce(&mut Config)) -> Result<Self, StartError> {
        let mut config = config(&folder);
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let running = runtime.block_on(chatwire_server::start(config))?;
        let base = format!("http://{}", running.address());
        Ok(Self { base, runtime, running: Some(running), folder: Some(folder) })
    }

    /// Stops it and leaves the database for the next one.
    pub(crate) fn stop(mut self) -> Folder {
        self.halt();
        self.folder.take().unwrap()
    }

    fn halt(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }

    pub(crate) fn login(&self, name: &str) -> Account {
        login(&self.base, name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.halt();
    }
}

/// The program, for what ends a process.
pub(crate) struct Process {
    pub(crate) base: String,
    child: Child,
}

impl Process {
    pub(crate) fn command(folder: &Folder, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatwire-server"));
        command.args(["--db".as_ref(), folder.path().join("test.db").as_os_str()]).args(flags);
        command.env_remove("CHATWIRE_JWT_SECRET").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Waits for the line that says where it listens.
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::spawn(Self::command(folder, &["--port", "0"]).stderr(Stdio::null()))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("chatwire-server listening on ").unwrap().to_owned();
        Self { base, child }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn wait(mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn login(base: &str, name: &str) -> Account {
    let (status, body) = http(base, "POST", "/auth/login", None, Some(json!({ "name": name })));
    assert_eq!(status, 200, "{body}");
    Account {
        base: base.to_owned(),
        id: text(&body["user"]["id"]),
        name: name.to_owned(),
        token: text(&body["token"]),
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// One request; status and JSON.
pub(crate) fn http(
    base: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{base}{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = request.header("content-type", "application/json").body(body).unwrap();
    let mut response = agent.run(request).unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) base: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) token: String,
}

impl Account {
    pub(crate) fn http(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = (!body.is_null()).then_some(body);
        http(&self.base, method, path, Some(&self.token), body)
    }

    /// A request that must succeed.
    pub(crate) fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.http(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// A request that must fail: status, code, field.
    pub(crate) fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String, Option<String>) {
        let (status, answer) = self.http(method, path, body);
        let field = answer["error"]["field"].as_str().map(str::to_owned);
        (status, text(&answer["error"]["code"]), field)
    }

    pub(crate) fn direct_with(&self, other: &Account) -> String {
        let (_, body) = self.http("POST", "/team/api/conversations/direct", json!({ "user_id": other.id }));
        text(&body["conversation"]["id"])
    }

    pub(crate) fn connect(&self) -> Socket {
        let mut socket = Socket::connect(&self.base, json!({ "token": self.token })).unwrap();
        let hello = socket.event("chatwire:hello");
        assert_eq!(hello["capabilities"]["keys"], true);
        socket
    }

    pub(crate) fn history(&self, conversation: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let after = all.last().map_or(0, |row: &Value| row["seq"].as_i64().unwrap());
            let path = format!("/team/api/messages/{conversation}?after={after}&limit=500");
            let mut page = self.ok("GET", &path, Value::Null);
            all.append(page["messages"].as_array_mut().unwrap());
            if page["has_more"] == false {
                return all;
            }
        }
    }
}

/// `chat:message_send` of a text.
pub(crate) fn draft(conversation: &str, words: &str, key: &str) -> Value {
    json!({ "conversationId": conversation, "contentEncrypted": base64(words), "clientMessageId": key })
}

/// A Socket.IO connection over WebSocket (E1 to E7).
pub(crate) struct Socket {
    stream: WebSocket<TcpStream>,
    pub(crate) sid: String,
    pub(crate) open: Value,
    waiting: VecDeque<(String, Value)>,
    acks: VecDeque<(u64, Value)>,
    next_ack: u64,
}

/// What a frame meant, or how the connection ended.
#[derive(Debug)]
pub(crate) enum Frame {
    Event(String, Value),
    Ack(u64, Value),
    Disconnect,
    Closed,
}

impl Socket {
    /// `Err`: the payload of CONNECT_ERROR.
    pub(crate) fn connect(base: &str, auth: Value) -> Result<Self, Value> {
        let address = base.strip_prefix("http://").unwrap();
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.set_nodelay(true).unwrap();
        let url = format!("ws://{address}/team/socket.io/?EIO=4&transport=websocket");
        let (mut stream, _) = tungstenite::client(url, tcp).unwrap();
        let open = stream.read().unwrap().into_text().unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        stream.send(Message::text(format!("40{auth}"))).unwrap();
        let mut answer = stream.read().unwrap().into_text().unwrap();
        // The first ping may come before the answer.
        while answer.as_str() == "2" {
            stream.send(Message::text("3")).unwrap();
            answer = stream.read().unwrap().into_text().unwrap();
        }
        if let Some(error) = answer.strip_prefix("44") {
            return Err(serde_json::from_str(error).unwrap());
        }
        let connect = answer.strip_prefix("40").unwrap_or_else(|| panic!("no CONNECT: {answer}"));
        let connect: Value = serde_json::from_str(connect).unwrap();
        let sid = text(&connect["sid"]);
        Ok(Self { stream, sid, open, waiting: VecDeque::new(), acks: VecDeque::new(), next_ack: 0 })
    }

    pub(crate) fn raw(&mut self, frame: String) {
        self.stream.send(Message::text(frame)).unwrap();
    }

    pub(crate) fn emit(&mut self, name: &str, payload: Value) {
        self.raw(format!("42{}", json!([name, payload])));
    }

    /// Emits with an ack id and does not wait.
    pub(crate) fn emit_with_ack(&mut self, name: &str, payload: Value) -> u64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.raw(format!("42{id}{}", json!([name, payload])));
        id
    }

    pub(crate) fn call(&mut self, name: &str, payload: Value) -> Value {
        let id = self.emit_with_ack(name, payload);
        self.ack(id)
    }

    pub(crate) fn frame(&mut self) -> Frame {
        loop {
            let frame = match self.stream.read() {
                Ok(Message::Text(frame)) => frame,
                Ok(Message::Close(_)) | Err(tungstenite::Error::ConnectionClosed) => return Frame::Closed,
                Ok(other) => panic!("unexpected frame {other:?}"),
                Err(tungstenite::Error::Io(error))
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    panic!("nothing came in {PATIENCE:?}")
                }
                Err(_) => return Frame::Closed,
            };
            let frame = frame.as_str();
            if frame == "2" {
                self.raw("3".into());
            } else if frame == "41" {
                return Frame::Disconnect;
            } else if let Some(ack) = frame.strip_prefix("43") {
                let start = ack.find('[').unwrap();
                let body: Value = serde_json::from_str(&ack[start..]).unwrap();
                return Frame::Ack(ack[..start].parse().unwrap(), body[0].clone());
            } else {
                let event: Value = serde_json::from_str(frame.strip_prefix("42").unwrap()).unwrap();
                return Frame::Event(text(&event[0]), event[1].clone());
            }
        }
    }

    /// The next event of that name; others are kept.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        if let Some(index) = self.waiting.iter().position(|(other, _)| other == name) {
            return self.waiting.remove(index).unwrap().1;
        }
        loop {
            match self.frame() {
                Frame::Event(other, payload) if other == name => return payload,
                Frame::Event(other, payload) => self.waiting.push_back((other, payload)),
                Frame::Ack(id, body) => self.acks.push_back((id, body)),
                end => panic!("{end:?} instead of {name}"),
            }
        }
    }

    /// The ack of that id; others are kept.
    pub(crate) fn ack(&mut self, id: u64) -> Value {
        if let Some(index) = self.acks.iter().position(|(other, _)| *other == id) {
            return self.acks.remove(index).unwrap().1;
        }
        loop {
            match self.frame() {
                Frame::Ack(other, body) if other == id => return body,
                Frame::Ack(other, body) => self.acks.push_back((other, body)),
                Frame::Event(name, payload) => self.waiting.push_back((name, payload)),
                end => panic!("{end:?} instead of ack {id}"),
            }
        }
    }

    /// Everything up to the end of the connection.
    pub(crate) fn until_closed(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            match self.frame() {
                Frame::Closed => return frames,
                frame => frames.push(frame),
            }
        }
    }

    /// Events that have come by now: a round trip to the server and back, so nothing sent before is on its way.
    pub(crate) fn events_so_far(&mut self) -> Vec<(String, Value)> {
        let answer = self.call("test:round_trip", Value::Null);
        assert_eq!(answer["error"]["field"], "event");
        self.waiting.drain(..).collect()
    }
}
