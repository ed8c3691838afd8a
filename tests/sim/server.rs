//! The model backend: what it has stored is the truth that all devices must come to.
//!
//! Law: it keeps keys, sequence numbers and order exactly as far as it says so, and loses nothing but where a fault
//! of the schedule makes it.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::ErrorCode;
use chatwire::proto::wire::socket_io;
use serde_json::{Value, json};

use super::dice::Dice;
use super::faults::Fault;
use super::plan::{Hello, Plan};
use super::stored::{Room, Stored};
use super::text;

/// One socket: device, its life, and the life's socket.
pub type SocketId = (usize, u32, u32);

pub struct Session {
    pub user: String,
    pub token: u64,
    pub joined: bool,
    pub unanswered_ping: bool,
}

/// What the backend says, after a while.
pub enum Say {
    Text { to: SocketId, delay_ms: u64, text: String },
    Close(SocketId),
    CrashAll,
}

/// A send as it arrived.
pub struct Arrived {
    pub socket: SocketId,
    pub ack: u64,
    pub payload: Value,
    /// Store and number of its row when the frame left.
    pub queued: (usize, Option<u64>),
    /// What was unanswered before it in its conversation.
    pub behind: Vec<usize>,
}

pub struct Server {
    pub keys: bool,
    pub answers: bool,
    pub cursor: bool,
    pub ordered: bool,
    receipts: bool,
    /// How often it refuses again what it has refused for now, and for which messages it is to.
    stubborn: u32,
    refuses_on: BTreeMap<usize, u32>,
    pub echo: bool,
    pub hello: Hello,
    pub capabilities: Value,
    pub rooms: BTreeMap<String, Room>,
    pub sessions: BTreeMap<SocketId, Session>,
    pub down: bool,
    pub wall_ms: u64,
    /// The oldest token that is still good.
    pub token: u64,
    pub poison: BTreeSet<usize>,
    /// Messages that were refused for now and have not been stored since.
    refused: BTreeSet<usize>,
    /// How often each message was ever stored, also where it was lost later.
    pub ever: BTreeMap<usize, u32>,
    /// Refusals said so far: for now, and the codes of those for good.
    pub refusals: BTreeMap<usize, (u32, Vec<ErrorCode>)>,
    /// It has lost some of its history.
    pub loses: bool,
    /// What became of sends, for the story.
    pub notes: Vec<String>,
    next_id: u64,
}

impl Server {
    pub fn new(plan: &Plan) -> Self {
        Self {
            keys: plan.keys,
            answers: plan.answers,
            cursor: plan.cursor,
            ordered: plan.ordered,
            receipts: plan.receipts,
            stubborn: plan.stubborn,
            refuses_on: BTreeMap::new(),
            echo: plan.echo,
            hello: plan.hello,
            capabilities: plan.capabilities(),
            rooms: plan.rooms().map(|room| (room.to_owned(), Room::default())).collect(),
            sessions: BTreeMap::new(),
            down: false,
            wall_ms: 0,
            token: 1,
            poison: BTreeSet::new(),
            refused: BTreeSet::new(),
            ever: BTreeMap::new(),
            refusals: BTreeMap::new(),
            loses: false,
            notes: Vec::new(),
            next_id: 1,
        }
    }

    pub fn store(
        &mut self,
        room: &str,
        sender: &str,
        key: Option<String>,
        text: &str,
        queued: Option<(usize, Option<u64>)>,
    ) -> usize {
        let number = text::number(text);
        if let Some(number) = number {
            *self.ever.entry(number).or_default() += 1;
            self.notes.push(format!("stores message {number} in {room} as i{}", self.next_id));
            self.refused.remove(&number);
        }
        let id = format!("i{}", self.next_id);
        self.next_id += 1;
        let room = self.rooms.get_mut(room).unwrap();
        room.last_seq += 1;
        let (sender, text) = (sender.to_owned(), text.to_owned());
        let (seq, at_ms) = (room.last_seq, self.wall_ms);
        let first = text.clone();
        room.messages.push(Stored {
            id,
            seq,
            sender,
            key,
            text,
            first,
            number,
            at_ms,
            queued,
            ..Stored::default()
        });
        room.messages.len() - 1
    }

    /// Somebody outside writes.
    pub fn post(&mut self, room: &str, text: &str) -> Vec<Say> {
        let at = self.store(room, "cy", None, text, None);
        self.broadcast(room, at, None)
    }

    /// A message as `reader` sees it.
    pub fn record(&self, room: &str, message: &Stored, reader: &str) -> Value {
        let mut record = json!({
            "id": message.id, "sender_id": message.sender, "conversation_id": room, "message_type": "text",
            "content_encrypted": text::encode(&message.text), "created_at": text::iso(message.at_ms),
            "status": if message.status.is_empty() { "sent" } else { message.status },
        });
        if self.cursor {
            record["seq"] = json!(message.seq);
        }
        if self.keys && reader == message.sender {
            record["client_message_id"] = json!(message.key);
        }
        if let Some((ms, _)) = message.edited {
            record["edited_at"] = json!(text::iso(ms));
        }
        if let Some((ms, _)) = message.deleted {
            record["deleted_at"] = json!(text::iso(ms));
        }
        let there = message.reactions.iter().filter(|(_, (there, _))| *there);
        let reaction = |(emoji, user): &(String, String)| json!({"emoji": emoji, "user_id": user});
        let reactions: Vec<Value> = there.map(|(place, _)| reaction(place)).collect();
        record["reactions"] = json!(reactions);
        record
    }

    fn broadcast(&self, room: &str, at: usize, but: Option<SocketId>) -> Vec<Say> {
        let message = &self.rooms[room].messages[at];
        let sockets =
            self.sessions.iter().filter(|(socket, session)| session.joined && but != Some(**socket));
        sockets
            .map(|(socket, session)| {
                event(*socket, "chat:message_received", &self.record(room, message, &session.user))
            })
            .collect()
    }

    pub fn on_open(&mut self, socket: SocketId) -> Vec<Say> {
        let session = Session { user: String::new(), token: 0, joined: false, unanswered_ping: false };
        self.sessions.insert(socket, session);
        let open = json!({"sid": "e", "upgrades": [], "pingInterval": PING_MS, "pingTimeout": PING_TIMEOUT_MS,
            "maxPayload": 1_000_000});
        vec![say(socket, format!("0{open}"))]
    }

    pub fn on_connect(&mut self, socket: SocketId, auth: &Value, dice: &mut Dice) -> Vec<Say> {
        let token = auth["token"].as_str().unwrap_or_default();
        let (user, generation) = text::read_token(token);
        if generation < self.token {
            let error = json!({"message": "invalid token", "data": {"code": "AuthError"}});
            return vec![say(socket, format!("44{error}"))];
        }
        if dice.strikes(Fault::ConnectError, socket.0).is_some() {
            return vec![say(socket, r#"44{"message":"busy"}"#.to_owned())];
        }
        let session = Session { user, token: generation, joined: true, unanswered_ping: false };
        self.sessions.insert(socket, session);
        let mut said = vec![say(socket, r#"40{"sid":"s"}"#.to_owned())];
        let delay_ms = match self.hello {
            Hello::Early => 0,
            Hello::Late(ms) => ms,
            Hello::Configured => return said,
        };
        let hello = json!({"capabilities": self.capabilities});
        said.push(late(event(socket, "chatwire:hello", &hello), delay_ms));
        said
    }

    /// The sender is told, and the other devices of whoever has read.
    pub fn on_receipt(&mut self, from: SocketId, id: &str, status: &'static str) -> Vec<Say> {
        let session = self.sessions.get(&from).filter(|_| self.receipts);
        let Some(user) = session.map(|session| session.user.clone()) else { return Vec::new() };
        for room in self.rooms.values_mut() {
            let Some(message) = room.messages.iter_mut().find(|message| message.id == id) else { continue };
            if message.status != "read" {
                message.status = status;
            }
            let sender = message.sender.clone();
            let told = json!({"messageId": id, "status": status, "userId": user});
            return self.tell(&sender, "chat:message_status_updated", &told);
        }
        Vec::new()
    }

    /// Says an event to every socket of a user.
    pub fn tell(&self, user: &str, name: &str, payload: &Value) -> Vec<Say> {
        let sockets = self.sessions.iter().filter(|(_, session)| session.joined && session.user == user);
        sockets.map(|(socket, _)| event(*socket, name, payload)).collect()
    }

    /// What is said of a send; a backend without answers says nothing of what it has refused.
    pub fn on_send(&mut self, send: &Arrived, dice: &mut Dice) -> Vec<Say> {
        let mut said = self.take_send(send, dice);
        if !self.answers {
            said.retain(|say| !matches!(say, Say::Text { text, .. } if text.starts_with("43")));
        }
        said
    }

    fn take_send(&mut self, send: &Arrived, dice: &mut Dice) -> Vec<Say> {
        let (socket, device) = (send.socket, send.socket.0);
        let text = text::decode(send.payload["contentEncrypted"].as_str().unwrap());
        let Some(number) = text::number(&text) else { return Vec::new() };
        if self.poison.contains(&number) {
            return vec![Say::Close(socket)];
        }
        if let Some(error) = self.refusal(send, number, dice) {
            return vec![error];
        }
        if dice.strikes(Fault::CrashBeforeStore, device).is_some() {
            return vec![Say::CrashAll];
        }
        let session = &self.sessions[&socket];
        let (user, room) =
            (session.user.clone(), send.payload["conversationId"].as_str().unwrap().to_owned());
        let key = send.payload["clientMessageId"].as_str().map(str::to_owned).filter(|_| self.keys);
        let mine = |stored: &Stored| key.is_some() && stored.key == key && stored.sender == user;
        let known = self.rooms[&room].messages.iter().position(mine);
        if known.is_some_and(|at| self.rooms[&room].messages[at].first != text) {
            // Counted as no refusal: a message that fails so has no reason that the world gave.
            let error =
                json!({"code": "ValidationError", "message": "other content", "field": "client_message_id"});
            return vec![answer(socket, send.ack, &json!({"success": false, "error": error}))];
        }
        let at = known.unwrap_or_else(|| self.store(&room, &user, key.clone(), &text, Some(send.queued)));
        if dice.strikes(Fault::CrashAfterStore, device).is_some() {
            return vec![Say::CrashAll];
        }
        let copy_first = dice.strikes(Fault::CopyBeforeAnswer, device).is_some();
        let but = Some(socket).filter(|_| !self.echo && !copy_first);
        let mut said = if known.is_none() { self.broadcast(&room, at, but) } else { Vec::new() };
        if dice.strikes(Fault::CrashBeforeAnswer, device).is_some() {
            said.push(Say::Close(socket));
            return said;
        }
        if dice.strikes(Fault::AnswerWithheld, device).is_some() {
            return said;
        }
        let record = self.record(&room, &self.rooms[&room].messages[at], &user);
        let mut payload = json!({"success": true, "data": record, "duplicate": known.is_some()});
        if dice.strikes(Fault::AnswerWithoutCopy, device).is_some() {
            payload = json!({"success": true});
        } else if self.keys && dice.strikes(Fault::ConflictOnKey, device).is_some() {
            let error = json!({"code": "ConflictError", "message": "known", "client_message_id": key});
            payload = json!({"success": false, "error": error});
        }
        let delay_ms = dice.strikes(Fault::LateAnswer, device).map_or(0, |n| 10 + n % 5000);
        said.push(late(answer(socket, send.ack, &payload), delay_ms));
        said
    }

    /// What is said instead of storing, if anything.
    fn refusal(&mut self, send: &Arrived, number: usize, dice: &mut Dice) -> Option<Say> {
        let device = send.socket.0;
        let notes = &mut self.notes;
        let mut refuse = |error: Value| {
            notes.push(format!("refuses message {number}: {}", error["code"]));
            Some(answer(send.socket, send.ack, &json!({"success": false, "error": error})))
        };
        if self.sessions[&send.socket].token < self.token {
            dice.coverage.fault(Fault::TokenRefusedInUse);
            self.refused.insert(number);
            return refuse(json!({"code": "AuthError", "message": "token expired"}));
        }
        let counts = self.refusals.entry(number).or_default();
        // A server that keeps the order of several in flight refuses what stands behind a refused one.
        let behind_refused = self.ordered && send.behind.iter().any(|before| self.refused.contains(before));
        let left = self.refuses_on.entry(number).or_default();
        let goes_on = *left > 0 && !dice.calm;
        *left = left.saturating_sub(1);
        let strikes = dice.strikes(Fault::RefusedForNow, device).is_some();
        if strikes && !goes_on {
            *left = self.stubborn;
        }
        if behind_refused || goes_on || strikes {
            counts.0 += 1;
            self.refused.insert(number);
            return refuse(json!({"code": "ServerError", "message": "try again"}));
        }
        if let Some(n) = dice.strikes(Fault::RateLimited, device) {
            self.refused.insert(number);
            return refuse(
                json!({"code": "RateLimited", "message": "slowly", "retry_after_ms": 50 + n % 3000}),
            );
        }
        if dice.strikes(Fault::GarbageAnswer, device).is_some() {
            counts.0 += 1;
            self.refused.insert(number);
            return Some(answer(send.socket, send.ack, &json!("?")));
        }
        if let Some(n) = dice.strikes(Fault::RefusedForGood, device) {
            use ErrorCode as C;
            let codes = [
                (C::Validation, "ValidationError"),
                (C::Forbidden, "ForbiddenError"),
                (C::NotFound, "NotFoundError"),
            ];
            let (meant, code) = codes[(n % 3) as usize];
            counts.1.push(meant);
            return refuse(json!({"code": code, "message": "no"}));
        }
        if dice.strikes(Fault::OtherConflict, device).is_some() {
            counts.1.push(ErrorCode::Conflict);
            return refuse(json!({"code": "ConflictError", "message": "something else is in the way"}));
        }
        None
    }
}

/// The server's ping interval.
pub const PING_MS: u64 = 25_000;
/// And how long a page may wait for it beyond that.
pub const PING_TIMEOUT_MS: u64 = 20_000;

pub fn say(to: SocketId, text: String) -> Say {
    Say::Text { to, delay_ms: 0, text }
}

fn late(said: Say, delay_ms: u64) -> Say {
    match said {
        Say::Text { to, text, .. } => Say::Text { to, delay_ms, text },
        other => other,
    }
}

pub fn event(socket: SocketId, name: &str, payload: &Value) -> Say {
    say(socket, socket_io::encode_event("/", None, name, &[&payload.to_string()]))
}

fn answer(socket: SocketId, ack: u64, payload: &Value) -> Say {
    say(socket, socket_io::encode_ack("/", ack, &[&payload.to_string()]))
}
