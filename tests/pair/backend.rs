//! The scripted `team` backend: Socket.IO frames by hand, REST in JSON, and what goes wrong with either.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chatwire::proto::wire::socket_io::{self, Packet};
use chatwire::proto::wire::{Limits, engine_io};
use serde_json::{Value, json};

use super::by_hand::{decode, encode, iso};
use super::changing::ChangeFate;
use super::deeds::Deeds;

/// What becomes of the next send.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Stored and answered.
    Answer,
    /// Stored; the socket dies before the answer.
    LoseAnswer,
    /// The socket dies before anything is stored.
    LoseFrame,
    /// Stored; no answer, and the socket lives on.
    Withhold,
    /// Neither stored nor answered.
    Ignore,
    Refuse(Value),
    /// Stored; the copy goes to the sender's own socket before the answer.
    CopyFirst,
    /// Stored and answered as a conflict on the key.
    ConflictOnKey,
    /// Stored, answered without a copy.
    AnswerBare,
    /// The answer cannot be read.
    Garbage,
}

#[derive(Clone, Debug)]
pub struct Stored {
    pub id: String,
    pub seq: u64,
    pub sender: String,
    pub key: Option<String>,
    pub text: String,
    pub at_ms: u64,
    pub status: &'static str,
    pub edited_ms: Option<u64>,
    pub deleted_ms: Option<u64>,
    /// Emoji and user.
    pub reactions: Vec<(String, String)>,
}

#[derive(Default)]
pub struct Room {
    pub members: Vec<String>,
    pub messages: Vec<Stored>,
    pub read_by: BTreeMap<String, u64>,
}

pub struct Session {
    pub user: String,
    pub joined: bool,
}

/// One socket: which client and which of its sockets.
pub type SocketId = (usize, u32);

/// What the backend says to sockets.
#[derive(Debug)]
pub enum Say {
    Text(SocketId, String),
    Close(SocketId),
}

pub struct Backend {
    /// What the hello declares; `None`: there is no hello.
    pub hello: Option<Value>,
    pub keys: bool,
    pub seqs: bool,
    /// Copies of one's own messages go to all of one's sockets, the sending one too.
    pub echo: bool,
    pub max_payload: u64,
    pub rooms: BTreeMap<String, Room>,
    pub sessions: BTreeMap<SocketId, Session>,
    pub fates: VecDeque<Fate>,
    pub change_fates: VecDeque<ChangeFate>,
    /// What requests have made it say to sockets.
    pub said: Vec<Say>,
    pub refuse_connects: VecDeque<Value>,
    pub refused_tokens: BTreeSet<String>,
    pub http_faults: VecDeque<u16>,
    /// Conversations in one page of the list, messages in a page at most; `bare`: an array alone, which says no more.
    pub list_limit: usize,
    pub page_limit: usize,
    pub bare: bool,
    /// Conversations that the list leaves out, or tells in a way that nobody can read.
    pub unlisted: BTreeSet<String>,
    pub unreadable: BTreeSet<String>,
    /// Every event that clients have pushed: user, name, payload.
    pub heard: Vec<(String, String, Value)>,
    pub requests: Vec<String>,
    pub down: bool,
    pub deeds: Deeds,
    next_id: u64,
}

impl Backend {
    /// Keys, cursor, hello.
    pub fn full() -> Self {
        Self {
            hello: Some(json!({"capabilities": {"keys": true, "cursor": true, "receipts": true}})),
            keys: true,
            seqs: true,
            echo: false,
            max_payload: 1_000_000,
            rooms: BTreeMap::new(),
            sessions: BTreeMap::new(),
            fates: VecDeque::new(),
            change_fates: VecDeque::new(),
            said: Vec::new(),
            refuse_connects: VecDeque::new(),
            refused_tokens: BTreeSet::new(),
            http_faults: VecDeque::new(),
            list_limit: 100,
            page_limit: 200,
            bare: false,
            unlisted: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            heard: Vec::new(),
            requests: Vec::new(),
            down: false,
            deeds: Deeds::default(),
            next_id: 1,
        }
    }

    /// WIRES.md's row without what is *ours*: no hello, no keys, no sequence numbers.
    pub fn plain() -> Self {
        Self { hello: None, keys: false, seqs: false, ..Self::full() }
    }

    pub fn room(mut self, id: &str, members: &[&str]) -> Self {
        let members = members.iter().map(|name| (*name).to_owned()).collect();
        self.rooms.insert(id.to_owned(), Room { members, ..Room::default() });
        self
    }

    /// Stores a message as if somebody had sent it; what the live sockets are told.
    pub fn post(&mut self, now_ms: u64, room: &str, sender: &str, text: &str) -> Vec<Say> {
        let at = self.store(now_ms, room, sender, None, text);
        self.broadcast(room, at, None)
    }

    /// The same while nobody is told.
    pub fn post_silently(&mut self, now_ms: u64, room: &str, sender: &str, text: &str) {
        self.store(now_ms, room, sender, None, text);
    }

    pub fn texts(&self, room: &str) -> Vec<String> {
        self.rooms[room].messages.iter().map(|message| message.text.clone()).collect()
    }

    fn store(&mut self, now_ms: u64, room: &str, sender: &str, key: Option<String>, text: &str) -> usize {
        let id = format!("m{}", self.next_id);
        self.next_id += 1;
        let messages = &mut self.rooms.get_mut(room).unwrap().messages;
        let seq = messages.last().map_or(0, |last| last.seq) + 1;
        let (sender, text) = (sender.to_owned(), text.to_owned());
        messages.push(Stored {
            id,
            seq,
            sender,
            key,
            text,
            at_ms: now_ms,
            status: "sent",
            edited_ms: None,
            deleted_ms: None,
            reactions: Vec::new(),
        });
        messages.len() - 1
    }

    /// A message as `reader` sees it.
    pub fn record(&self, room: &str, message: &Stored, reader: &str) -> Value {
        let mut record = json!({
            "id": message.id, "sender_id": message.sender, "conversation_id": room, "message_type": "text",
            "content_encrypted": encode(&message.text), "created_at": iso(message.at_ms), "status": message.status,
        });
        if self.seqs {
            record["seq"] = json!(message.seq);
        }
        if self.keys && reader == message.sender {
            record["client_message_id"] = json!(message.key);
        }
        if let Some(at_ms) = message.edited_ms {
            record["edited_at"] = json!(iso(at_ms));
        }
        if let Some(at_ms) = message.deleted_ms {
            record["deleted_at"] = json!(iso(at_ms));
        }
        if let Some(target) = self.deeds.replies.get(&message.id) {
            record["reply_to"] = json!(target);
        }
        let reaction = |(emoji, user): &(String, String)| json!({"emoji": emoji, "user_id": user});
        if !self.deeds.untold_reactions {
            record["reactions"] = message.reactions.iter().map(reaction).collect();
        }
        record
    }

    pub fn event(&self, socket: SocketId, name: &str, payload: &Value) -> Say {
        Say::Text(socket, socket_io::encode_event("/", None, name, &[&payload.to_string()]))
    }

    /// Says an event to every socket of a user.
    pub fn tell(&self, user: &str, name: &str, payload: &Value) -> Vec<Say> {
        let sockets = self.sessions.iter().filter(|(_, session)| session.joined && session.user == user);
        sockets.map(|(socket, _)| self.event(*socket, name, payload)).collect()
    }

    fn broadcast(&self, room: &str, at: usize, but: Option<SocketId>) -> Vec<Say> {
        let (members, message) = (&self.rooms[room].members, &self.rooms[room].messages[at]);
        let sockets = self.sessions.iter().filter(|(socket, session)| {
            session.joined && members.contains(&session.user) && but != Some(**socket)
        });
        sockets
            .map(|(socket, session)| {
                let record = self.record(room, message, &session.user);
                self.event(*socket, "chat:message_received", &record)
            })
            .collect()
    }

    pub fn on_open(&mut self, socket: SocketId) -> Vec<Say> {
        if self.down {
            return vec![Say::Close(socket)];
        }
        self.sessions.insert(socket, Session { user: String::new(), joined: false });
        let open = json!({"sid": "e", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": self.max_payload});
        vec![Say::Text(socket, format!("0{open}"))]
    }

    pub fn on_close(&mut self, socket: SocketId) {
        self.sessions.remove(&socket);
    }

    pub fn on_text(&mut self, now_ms: u64, socket: SocketId, text: &str) -> Vec<Say> {
        if !self.sessions.contains_key(&socket) {
            return Vec::new();
        }
        let engine_io::Frame::Message(text) = engine_io::decode(text).unwrap() else { return Vec::new() };
        match socket_io::decode(text, &Limits::DEFAULT).unwrap() {
            Packet::Connect { payload, .. } => self.on_connect(socket, payload.map_or("{}", |raw| raw.get())),
            Packet::Event { name, args, ack_id, .. } => {
                let payload: Value =
                    args.first().map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap());
                self.on_event(now_ms, socket, name.as_str(), &payload, ack_id)
            }
            Packet::Disconnect { .. } => {
                self.on_close(socket);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn on_connect(&mut self, socket: SocketId, auth: &str) -> Vec<Say> {
        let auth: Value = serde_json::from_str(auth).unwrap();
        let token = auth["token"].as_str().unwrap_or_default().to_owned();
        let refusal = if self.refused_tokens.contains(&token) {
            Some(json!({"message": "invalid token", "data": {"code": "AuthError"}}))
        } else {
            self.refuse_connects.pop_front()
        };
        if let Some(error) = refusal {
            return vec![Say::Text(socket, format!("44{error}"))];
        }
        let user = token.split(':').next().unwrap_or_default().to_owned();
        self.sessions.insert(socket, Session { user: user.clone(), joined: true });
        let mut say = vec![Say::Text(socket, r#"40{"sid":"s"}"#.to_owned())];
        if let Some(mut hello) = self.hello.clone() {
            hello["user"] = json!({"id": user});
            say.push(self.event(socket, "chatwire:hello", &hello));
        }
        say
    }

    fn on_event(
        &mut self,
        now_ms: u64,
        socket: SocketId,
        name: &str,
        payload: &Value,
        ack_id: Option<u64>,
    ) -> Vec<Say> {
        let user = self.sessions[&socket].user.clone();
        self.heard.push((user.clone(), name.to_owned(), payload.clone()));
        match name {
            "chat:message_send" => {
                let mut said = self.on_send(now_ms, socket, &user, payload, ack_id.unwrap_or_default());
                if ack_id.is_none() {
                    said.retain(|say| !matches!(say, Say::Text(_, text) if text.starts_with("43")));
                }
                said
            }
            "chat:message_read" | "chat:message_delivered" => {
                let status = if name.ends_with("read") { "read" } else { "delivered" };
                self.on_receipt(socket, &user, payload["messageId"].as_str().unwrap(), status)
            }
            "chat:typing" => {
                let room = payload["conversationId"].as_str().unwrap();
                let told = json!({"userId": user, "username": user, "isTyping": payload["isTyping"], "conversationId": room});
                let others = self.rooms[room].members.iter().filter(|member| **member != user);
                others.flat_map(|member| self.tell(member, "chat:user_typing", &told)).collect()
            }
            "ask" => vec![answer(socket, ack_id.unwrap(), &json!({"got": payload}))],
            _ => Vec::new(),
        }
    }

    /// The sender is told, and the other devices of whoever has read.
    fn on_receipt(&mut self, from: SocketId, user: &str, id: &str, status: &'static str) -> Vec<Say> {
        for room in self.rooms.values_mut() {
            let Some(message) = room.messages.iter_mut().find(|message| message.id == id) else { continue };
            if message.status != "read" {
                message.status = status;
            }
            if status == "read" {
                let seq = room.read_by.entry(user.to_owned()).or_default();
                *seq = message.seq.max(*seq);
            }
            let sender = message.sender.clone();
            let told = json!({"messageId": id, "status": status, "userId": user});
            let name = "chat:message_status_updated";
            let others = self.sessions.iter().filter(|(socket, session)| {
                session.joined && session.user == user && **socket != from && user != sender
            });
            let mut say: Vec<Say> = others.map(|(socket, _)| self.event(*socket, name, &told)).collect();
            say.extend(self.tell(&sender, name, &told));
            return say;
        }
        Vec::new()
    }

    fn on_send(&mut self, now_ms: u64, socket: SocketId, user: &str, payload: &Value, ack: u64) -> Vec<Say> {
        let fate = self.fates.pop_front().unwrap_or(Fate::Answer);
        match &fate {
            Fate::LoseFrame => return vec![Say::Close(socket)],
            Fate::Ignore => return Vec::new(),
            Fate::Garbage => return vec![answer(socket, ack, &json!("?"))],
            Fate::Refuse(error) => {
                return vec![answer(socket, ack, &json!({"success": false, "error": error}))];
            }
            _ => {}
        }
        let room = payload["conversationId"].as_str().unwrap().to_owned();
        if !self.rooms.contains_key(&room) {
            let error = json!({"code": "NotFoundError", "message": "no such conversation"});
            return vec![answer(socket, ack, &json!({"success": false, "error": error}))];
        }
        let text = decode(payload["contentEncrypted"].as_str().unwrap());
        let key = payload["clientMessageId"].as_str().map(str::to_owned).filter(|_| self.keys);
        let mine = |stored: &Stored| key.is_some() && stored.key == key && stored.sender == user;
        let known = self.rooms[&room].messages.iter().position(mine);
        let mut say = Vec::new();
        let at = match known {
            Some(at) => at,
            None => {
                let at = self.store(now_ms, &room, user, key.clone(), &text);
                self.deeds.note_reply(&self.rooms[&room].messages[at].id, payload);
                let but = Some(socket).filter(|_| !self.echo && fate != Fate::CopyFirst);
                say = self.broadcast(&room, at, but);
                at
            }
        };
        let data = self.record(&room, &self.rooms[&room].messages[at], user);
        match fate {
            Fate::LoseAnswer => say.push(Say::Close(socket)),
            Fate::Withhold => {}
            Fate::AnswerBare => say.push(answer(socket, ack, &json!({"success": true}))),
            Fate::ConflictOnKey => {
                let error = json!({"code": "ConflictError", "message": "known", "client_message_id": key});
                say.push(answer(socket, ack, &json!({"success": false, "error": error})));
            }
            _ => {
                let duplicate = known.is_some();
                say.push(answer(
                    socket,
                    ack,
                    &json!({"success": true, "data": data, "duplicate": duplicate}),
                ));
            }
        }
        say
    }
}

fn answer(socket: SocketId, ack: u64, payload: &Value) -> Say {
    Say::Text(socket, socket_io::encode_ack("/", ack, &[&payload.to_string()]))
}
