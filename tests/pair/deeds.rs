//! What becomes of messages on the model backend: edits, deletions, reactions; and how their events reach the clients,
//! also before the message, late, and twice.

use std::collections::BTreeMap;

use chatwire::proto::{Input, SocketInput};
use serde_json::{Value, json};

use super::assistant_backend::Assistant;
use super::backend::{Backend, Say, Stored};
use super::node::Happening;
use super::world::World;

/// What rows say beside what is stored.
#[derive(Default)]
pub struct Deeds {
    /// What messages answer, by their ids.
    pub replies: BTreeMap<String, String>,
    /// Texts as they were sent, of messages that have changed since.
    pub first: BTreeMap<String, String>,
    /// Rows say nothing of reactions.
    pub untold_reactions: bool,
    /// It is no team's backend at all.
    pub assistant: Option<Assistant>,
}

impl Deeds {
    pub fn note_reply(&mut self, id: &str, payload: &Value) {
        if let Some(target) = payload["reply_to"].as_str() {
            self.replies.insert(id.to_owned(), target.to_owned());
        }
    }
}

impl Backend {
    fn stored(&mut self, id: &str) -> &mut Stored {
        let mut messages = self.rooms.values_mut().flat_map(|room| &mut room.messages);
        let stored = messages.find(|message| message.id == id).unwrap();
        self.deeds.first.entry(id.to_owned()).or_insert_with(|| stored.text.clone());
        stored
    }

    /// Puts a message back to what it was when it was sent, or to what is given; what it was before.
    pub fn rewind(&mut self, id: &str, to: Option<Stored>) -> Stored {
        let first = self.deeds.first.get(id).cloned();
        let stored = self.stored(id);
        let sent = Stored {
            text: first.unwrap_or_else(|| stored.text.clone()),
            edited_ms: None,
            deleted_ms: None,
            reactions: Vec::new(),
            ..stored.clone()
        };
        core::mem::replace(stored, to.unwrap_or(sent))
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
    pub fn somebody_edits(&mut self, room: &str, id: &str, text: &str, travel: Travel) {
        let now = self.now.wall_ms;
        let stored = self.backend.stored(id);
        if stored.deleted_ms.is_some() {
            return;
        }
        stored.text = text.to_owned();
        // No two of one message have the same time, and none goes back.
        stored.edited_ms = Some(stored.edited_ms.map_or(now, |before| now.max(before + 1)));
        self.tell_row(room, id, "chat:message_updated", travel);
    }

    pub fn delete(&mut self, id: &str, travel: Travel) {
        let now = self.now.wall_ms;
        let stored = self.backend.stored(id);
        stored.deleted_ms.get_or_insert(now);
        stored.text.clear();
        stored.reactions.clear();
        self.tell_all("chat:message_deleted", &json!({"messageId": id}), travel);
    }

    pub fn react(&mut self, id: &str, emoji: &str, user: &str, added: bool, travel: Travel) {
        let stored = self.backend.stored(id);
        let reaction = (emoji.to_owned(), user.to_owned());
        if stored.deleted_ms.is_some() || stored.reactions.contains(&reaction) == added {
            return;
        }
        if added {
            stored.reactions.push(reaction);
        } else {
            stored.reactions.retain(|other| *other != reaction);
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
