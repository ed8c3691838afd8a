//! The scripted `assistant` backend: plain JSON frames (WIRES.md, section A), with and without what is *ours*.

use serde_json::{Value, json};

use super::backend::{Backend, Fate, Say, Session, SocketId};
use super::by_hand::iso;

/// An assistant that says nothing by itself.
#[derive(Default)]
pub struct Assistant {
    /// What the hello declares; `None`: there is no hello.
    pub hello: Option<Value>,
    /// A key is stored once.
    pub keys: bool,
    /// A send is answered by an `ack` frame.
    pub acks: bool,
    /// Copies of own messages come back, with their keys where those are kept.
    pub echo: bool,
    /// Pings are answered.
    pub pongs: bool,
    /// What was sent: key and text.
    pub stored: Vec<(String, String)>,
}

impl Assistant {
    /// Keys and answers, declared.
    pub fn full() -> Self {
        Self {
            hello: Some(json!({"capabilities": {"keys": true, "answers": true}})),
            keys: true,
            acks: true,
            pongs: true,
            ..Self::default()
        }
    }

    /// How its answer to a key looks.
    pub fn ack(&self, key: &str) -> Value {
        let at = self.stored.iter().position(|(stored, _)| stored == key).unwrap();
        json!({"clientMessageId": key, "id": format!("a{at}")})
    }
}

impl Backend {
    pub fn assistant(assistant: Assistant) -> Self {
        let mut backend = Self::plain();
        backend.deeds.assistant = Some(assistant);
        backend
    }

    pub fn the_assistant(&mut self) -> &mut Assistant {
        self.deeds.assistant.as_mut().unwrap()
    }

    /// What was sent, as often as it was stored.
    pub fn asked(&self) -> Vec<String> {
        let assistant = self.deeds.assistant.as_ref().unwrap();
        assistant.stored.iter().map(|(_, text)| text.clone()).collect()
    }

    pub fn on_opened(&mut self, socket: SocketId) -> Vec<Say> {
        if self.deeds.assistant.is_none() || self.down {
            return self.on_open(socket);
        }
        self.sessions.insert(socket, Session { user: "ana".to_owned(), joined: true });
        let hello = self.the_assistant().hello.clone();
        hello.map(|hello| frame(socket, "hello", &hello)).into_iter().collect()
    }

    pub fn on_frame(&mut self, now_ms: u64, socket: SocketId, text: &str) -> Vec<Say> {
        if self.deeds.assistant.is_none() {
            return self.on_text(now_ms, socket, text);
        }
        if !self.sessions.contains_key(&socket) {
            return Vec::new();
        }
        let said: Value = serde_json::from_str(text).unwrap();
        let event = said["type"].as_str().unwrap();
        self.heard.push(("ana".to_owned(), event.to_owned(), said.clone()));
        match event {
            "ping" if self.the_assistant().pongs => {
                vec![Say::Text(socket, r#"{"type":"pong"}"#.to_owned())]
            }
            "command" => self.on_command(now_ms, socket, &said["payload"]),
            _ => Vec::new(),
        }
    }

    fn on_command(&mut self, now_ms: u64, socket: SocketId, payload: &Value) -> Vec<Say> {
        let fate = self.fates.pop_front().unwrap_or(Fate::Answer);
        let key = payload["clientMessageId"].as_str().unwrap().to_owned();
        match &fate {
            Fate::LoseFrame => return vec![Say::Close(socket)],
            Fate::Ignore => return Vec::new(),
            Fate::Refuse(error) => {
                let mut error = error.clone();
                error["clientMessageId"] = json!(key);
                return vec![frame(socket, "error", &error)];
            }
            _ => {}
        }
        let assistant = self.the_assistant();
        let known = assistant.keys && assistant.stored.iter().any(|(stored, _)| *stored == key);
        if !known {
            assistant.stored.push((key.clone(), payload["message"].as_str().unwrap().to_owned()));
        }
        let ack = assistant.ack(&key);
        let mut say = Vec::new();
        if assistant.echo {
            let mut record = record(ack["id"].as_str().unwrap(), "user", &payload["message"], now_ms);
            if assistant.keys {
                record["clientMessageId"] = json!(key);
            }
            say.push(frame(socket, "message", &record));
        }
        match fate {
            Fate::LoseAnswer => say.push(Say::Close(socket)),
            Fate::Withhold => {}
            _ if assistant.acks => say.push(frame(socket, "ack", &ack)),
            _ => {}
        }
        say
    }

    /// Says an event on every socket.
    pub fn says(&self, event: &str, payload: &Value) -> Vec<Say> {
        self.sessions.keys().map(|socket| frame(*socket, event, payload)).collect()
    }
}

/// A5.
pub fn record(id: &str, sender: &str, content: &Value, now_ms: u64) -> Value {
    json!({"id": id, "content": content, "sender": sender, "timestamp": iso(now_ms), "type": "text"})
}

fn frame(socket: SocketId, event: &str, payload: &Value) -> Say {
    Say::Text(socket, json!({"type": event, "payload": payload, "timestamp": 1}).to_string())
}
