//! A rig that plays shell and server by hand; time moves only when a test says so.

use serde_json::{Value, json};

use super::*;
use crate::proto::PageInput;
use crate::proto::config::PageFacts;
use crate::proto::profile::Push;

mod frames;
mod json_frames;
mod lifecycle;
mod namespaces;
mod page;
mod phoenix;
mod protocol;
mod tokens;
mod walk;

const OPEN: &str =
    r#"0{"sid":"e1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
const JOINED: &str = r#"40{"sid":"s1"}"#;

struct Rig {
    connection: Connection,
    timers: Timers,
    rng: Rng,
    now: Now,
}

impl Rig {
    /// A leading tab, visible and with a network.
    fn new(more: Value) -> Self {
        let mut rig = Self::undecided(more);
        rig.lead(true);
        assert_eq!(rig.names(), ["changed"]);
        rig
    }

    /// A tab that does not know yet whether it leads.
    fn undecided(more: Value) -> Self {
        let mut options = json!({
            "url": "https://h/team", "profile": "team", "userId": "ana", "hasGetToken": true,
        });
        for (name, value) in more.as_object().unwrap() {
            options[name] = value.clone();
        }
        let config = Config::parse(&options.to_string(), PageFacts { online: true, visible: true }).unwrap();
        Self {
            connection: Connection::new(&config, true),
            timers: Timers::default(),
            rng: Rng::new([5; 32]),
            now: Now { mono_ms: 1_000, wall_ms: 1_700_000_000_000 },
        }
    }

    fn static_token() -> Self {
        Self::new(json!({ "hasGetToken": false, "token": "fixed" }))
    }

    /// Online with the token `t1`, its actions taken.
    fn online(more: Value) -> Self {
        let mut rig = Self::new(more);
        rig.connect();
        rig.go_online("t1");
        rig
    }

    /// From `connecting` to `online`.
    fn go_online(&mut self, token: &str) {
        self.token(Ok(token));
        let conn = self.conn();
        self.opened(conn);
        assert!(self.text(OPEN).is_none() && self.text(JOINED).is_none());
        assert_eq!(self.state(), ConnectionState::Online);
        self.actions();
    }

    /// To the CONNECT that waits for its reply.
    fn joining(more: Value) -> Self {
        let mut rig = Self::new(more);
        rig.connect();
        rig.join("t1");
        rig
    }

    fn join(&mut self, token: &str) {
        self.token(Ok(token));
        let conn = self.conn();
        self.opened(conn);
        self.text(OPEN);
        assert_eq!(self.state(), ConnectionState::Authenticating);
        self.actions();
    }

    fn opened(&mut self, conn: ConnId) {
        self.connection.on_opened(conn, self.now, &mut self.timers, &mut self.rng);
    }

    fn conn(&self) -> ConnId {
        self.connection.conn().expect("a socket")
    }

    fn connect(&mut self) {
        self.connection.connect(self.now, &mut self.timers, &mut self.rng);
    }

    fn disconnect(&mut self) {
        self.connection.disconnect("disconnect", self.now, &mut self.timers);
    }

    fn close(&mut self) {
        self.connection.close(self.now, &mut self.timers);
    }

    fn lead(&mut self, leads: bool) {
        self.connection.on_lead(Some(leads), self.now, &mut self.timers, &mut self.rng);
    }

    fn page(&mut self, input: PageInput) {
        self.connection.on_page(input, self.now, &mut self.timers, &mut self.rng);
    }

    /// Answers the question that is open.
    fn token(&mut self, result: Result<&str, &str>) {
        let id = self.connection.asking.expect("a question for a token");
        self.token_for(id, result);
    }

    fn token_for(&mut self, id: TokenId, result: Result<&str, &str>) {
        let result = result.map(|token| Secret(token.to_owned())).map_err(str::to_owned);
        self.connection.on_token(id, result, self.now, &mut self.timers, &mut self.rng);
    }

    /// A frame of the present socket; gives the event's or ack's name and arguments.
    fn text(&mut self, text: &str) -> Option<(String, Vec<String>)> {
        self.text_of(self.conn(), text)
    }

    fn text_of(&mut self, conn: ConnId, text: &str) -> Option<(String, Vec<String>)> {
        self.connection
            .on_text(self.now, conn, text, &mut self.timers, &mut self.rng)
            .map(|delivered| described(&delivered))
    }

    fn binary(&mut self, bytes: &[u8]) -> Option<Held> {
        let conn = self.conn();
        self.connection.on_binary(self.now, conn, bytes.to_vec(), &mut self.timers, &mut self.rng)
    }

    fn closed(&mut self, code: u16, reason: &str) {
        let conn = self.conn();
        self.connection.on_closed(conn, code, reason, self.now, &mut self.timers, &mut self.rng);
    }

    fn emit(&mut self, event: &str, args: &[&str], ack: bool) -> Emitted {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let push = Push { event: event.to_owned(), args, ack, ..Push::default() };
        self.connection.emit(&push, self.now, &mut self.timers, &mut self.rng)
    }

    fn refuse(&mut self, by: RefusedBy) {
        self.connection.refuse_token(by, self.now, &mut self.timers, &mut self.rng);
    }

    /// Both clocks move on, and every timer fires when it is due.
    fn pass(&mut self, ms: u64) {
        let end = self.now.mono_ms + ms;
        while let Some(at) = self.timers.next().filter(|at| *at <= end) {
            self.sleep(at.saturating_sub(self.now.mono_ms));
            self.fire();
        }
        self.sleep(end - self.now.mono_ms);
    }

    /// Both clocks move on and no timer fires.
    fn sleep(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
    }

    fn fire(&mut self) {
        for timer in TIMERS {
            if self.timers.take_due(timer, self.now.mono_ms) {
                self.connection.on_timer(timer, self.now, &mut self.timers, &mut self.rng);
            }
        }
    }

    /// Until the retry is due, which is said to come after so many milliseconds.
    fn pass_retry(&mut self) -> u64 {
        let wait = self.snapshot().retry_in_ms.expect("a retry");
        assert_eq!(self.timers.next(), Some(self.now.mono_ms + wait));
        self.pass(wait);
        wait
    }

    fn state(&self) -> ConnectionState {
        self.connection.state()
    }

    fn snapshot(&self) -> ConnectionSnapshot {
        self.connection.snapshot(self.now)
    }

    fn reason(&self) -> String {
        self.snapshot().reason.unwrap_or_default()
    }

    fn actions(&mut self) -> Vec<Action> {
        core::iter::from_fn(|| self.connection.poll_action()).collect()
    }

    /// The actions in short, taken.
    fn names(&mut self) -> Vec<String> {
        self.actions().iter().map(named).collect()
    }
}

fn named(action: &Action) -> String {
    match action {
        Action::Socket(SocketOutput::Open { url, protocols, .. }) => {
            let offered: Vec<&str> = protocols.iter().map(|protocol| protocol.0.as_str()).collect();
            format!("open {} {}", url.0, offered.join(" ")).trim_end().to_owned()
        }
        Action::Socket(SocketOutput::Text { text, .. }) => format!("text {text}"),
        Action::Socket(SocketOutput::Close { code, reason, .. }) => format!("close {code} {reason}"),
        Action::Socket(_) => "socket".to_owned(),
        Action::Token { reason, .. } => format!("token {reason:?}"),
        Action::Changed => "changed".to_owned(),
        Action::Online { resumed } => format!("online resumed={resumed}"),
        Action::Writable => "writable".to_owned(),
        Action::Lost => "lost".to_owned(),
        Action::TokenRenewed => "token renewed".to_owned(),
        Action::AuthError(failure) => format!("auth error {:?}", failure.code),
        Action::ProtocolError { message, .. } => format!("protocol error: {message}"),
        Action::Failed(failure) => format!("failed {:?}", failure.code),
        Action::Closed(failure) => format!("closed {:?}", failure.code),
        Action::Joins { topic } => format!("joins {topic}"),
        Action::TopicSettled { topic } => format!("settled {topic}"),
        Action::Unanswered { ack_ids } => format!("unanswered {ack_ids:?}"),
    }
}

fn described(delivered: &Delivered<'_>) -> (String, Vec<String>) {
    let (name, args) = match delivered {
        Delivered::Event { ack_id, topic, name, args, .. } => {
            let mut head = name.to_string();
            if !topic.is_empty() {
                head = format!("{topic} {head}");
            }
            (ack_id.map_or(head.clone(), |id| format!("{head} wants {id}")), args.clone())
        }
        Delivered::Ack { id, status: None, args, .. } => (format!("ack {id}"), args.clone()),
        Delivered::Ack { id, status: Some(status), args, .. } => (format!("{status} {id}"), args.clone()),
        Delivered::Joined { topic, response } => {
            (format!("joined {topic}"), response.iter().copied().collect())
        }
        Delivered::Presence(changes) => return (format!("presence {changes:?}"), Vec::new()),
    };
    (name, args.iter().map(|arg| arg.get().to_owned()).collect())
}

fn raw(text: &str) -> &RawValue {
    crate::proto::wire::json::parse(text, 0).unwrap()
}
