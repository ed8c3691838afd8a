//! What becomes of messages on the model backend: edits, deletions, reactions; and how their events reach the clients,
//! also before the message, late, and twice.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::{Input, SocketInput};
use serde_json::{Value, json};

use super::backend::Say;
use super::by_hand::encode;
use super::node::Happening;
use super::world::World;

/// What has become of one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edited {
    pub text: Option<String>,
    pub edited_ms: Option<u64>,
    pub deleted_ms: Option<u64>,
    /// Emoji and user.
    pub reactions: BTreeSet<(String, String)>,
    pub reply_to: Option<String>,
}

/// The same of all, by their ids.
#[derive(Default)]
pub struct Edits {
    pub by_id: BTreeMap<String, Edited>,
    /// Rows say nothing of reactions.
    pub untold_reactions: bool,
    /// Rows and events say nothing of when.
    pub untimed: bool,
}

impl Edits {
    /// Into the record of that message.
    pub fn write(&self, id: &str, record: &mut Value) {
        let Some(edited) = self.by_id.get(id) else {
            if !self.untold_reactions {
                record["reactions"] = json!([]);
            }
            return;
        };
        if let Some(text) = &edited.text {
            record["content_encrypted"] = json!(encode(text));
        }
        if !self.untold_reactions {
            let rows = edited.reactions.iter().map(|(emoji, user)| json!({"emoji": emoji, "user_id": user}));
            record["reactions"] = rows.collect();
        }
        if let Some(at_ms) = edited.edited_ms.filter(|_| !self.untimed) {
            record["edited_at"] = json!(at_ms);
        }
        if let Some(target) = &edited.reply_to {
            record["reply_to"] = json!(target);
        }
        if let Some(at_ms) = edited.deleted_ms {
            record["deleted_at"] = json!(at_ms);
            record["content_encrypted"] = json!("");
            record["reactions"] = json!([]);
        }
    }

    pub fn note_reply(&mut self, id: &str, payload: &Value) {
        if let Some(target) = payload["reply_to"].as_str() {
            self.by_id.entry(id.to_owned()).or_default().reply_to = Some(target.to_owned());
        }
    }

    pub fn of(&self, id: &str) -> Edited {
        self.by_id.get(id).cloned().unwrap_or_default()
    }

    fn entry(&mut self, id: &str) -> &mut Edited {
        self.by_id.entry(id.to_owned()).or_default()
    }
}

/// How an event travels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Travel {
    /// So much later than what else is said.
    pub late_ms: u64,
    pub twice: bool,
}

impl World {
    pub fn edit(&mut self, room: &str, id: &str, text: &str, travel: Travel) {
        let now = self.now.wall_ms;
        let edited = self.backend.edits.entry(id);
        if edited.deleted_ms.is_some() {
            return;
        }
        edited.text = Some(text.to_owned());
        // No two of one message have the same time, and none goes back.
        edited.edited_ms = Some(edited.edited_ms.map_or(now, |before| now.max(before + 1)));
        self.tell_row(room, id, "chat:message_updated", travel);
    }

    pub fn delete(&mut self, id: &str, travel: Travel) {
        let now = self.now.wall_ms;
        let edited = self.backend.edits.entry(id);
        edited.deleted_ms.get_or_insert(now);
        edited.reactions.clear();
        self.tell_all("chat:message_deleted", &json!({"messageId": id}), travel);
    }

    pub fn react(&mut self, id: &str, emoji: &str, user: &str, added: bool, travel: Travel) {
        let edited = self.backend.edits.entry(id);
        let reaction = (emoji.to_owned(), user.to_owned());
        if edited.deleted_ms.is_some() || edited.reactions.contains(&reaction) == added {
            return;
        }
        if added {
            edited.reactions.insert(reaction);
        } else {
            edited.reactions.remove(&reaction);
        }
        let op = if added { "add" } else { "remove" };
        let told = json!({"messageId": id, "emoji": emoji, "userId": user, "op": op});
        self.tell_all("chat:reaction", &told, travel);
    }

    /// A message's row as it is now, to whoever is connected.
    pub fn tell_row(&mut self, room: &str, id: &str, event: &str, travel: Travel) {
        let messages = &self.backend.rooms[room].messages;
        let message = messages.iter().find(|message| message.id == id).unwrap();
        let sessions = self.backend.sessions.iter().filter(|(_, session)| session.joined);
        let said: Vec<Say> = sessions
            .map(|(socket, session)| {
                let record = self.backend.record(room, message, &session.user);
                self.backend.event(*socket, event, &record)
            })
            .collect();
        self.say_so(said, travel);
    }

    fn tell_all(&mut self, event: &str, payload: &Value, travel: Travel) {
        let sessions = self.backend.sessions.iter().filter(|(_, session)| session.joined);
        let said = sessions.map(|(socket, _)| self.backend.event(*socket, event, payload)).collect();
        self.say_so(said, travel);
    }

    pub fn say_so(&mut self, said: Vec<Say>, travel: Travel) {
        for one in said {
            let Say::Text((at, conn), text) = one else { continue };
            for _ in 0..=usize::from(travel.twice) {
                let input = Input::Socket(SocketInput::Text { conn, text: text.clone() });
                self.push(at, self.latency_ms + travel.late_ms, Happening::ToClient(input));
            }
        }
    }
}
