//! The half of the scripted backend that changes messages (T12, T13, D4), and what scenarios do with it.

use chatwire::proto::{ChangeCommand, ChangeKind, Command, CommandId, Failure, Message};
use serde_json::{Value, json};

use super::backend::{Backend, Stored};
use super::by_hand::decode;
use super::checks::outbox_rows;
use super::world::World;

/// What becomes of the next change.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeFate {
    Answer,
    /// Carried out, and the answer is lost.
    LoseAnswer,
    /// Lost before anything is done.
    LoseRequest,
    /// Carried out, and answered without the message.
    AnswerBare,
    Refuse(u16, &'static str),
}

impl Backend {
    pub fn message(&self, id: &str) -> &Stored {
        self.rooms.values().flat_map(|room| &room.messages).find(|message| message.id == id).unwrap()
    }

    pub fn on_change(
        &mut self,
        now_ms: u64,
        (method, path): (&str, &str),
        user: &str,
        body: Option<&str>,
    ) -> (u16, String) {
        let wrong =
            |status: u16, code: &str| (status, json!({"error": {"code": code, "message": "no"}}).to_string());
        let fate = self.change_fates.pop_front().unwrap_or(ChangeFate::Answer);
        match fate {
            ChangeFate::LoseRequest => return (0, String::new()),
            ChangeFate::Refuse(status, code) => return wrong(status, code),
            _ => {}
        }
        let body: Value = body.map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
        let mut parts = path.split('/');
        let id = parts.next().unwrap().to_owned();
        let (reactions, emoji) = (parts.next().is_some(), parts.next().map(unescape));
        let found = self.rooms.iter_mut().find_map(|(id_of, room)| {
            Some((id_of.clone(), room.messages.iter_mut().find(|message| message.id == id)?))
        });
        let Some((room, message)) = found else { return wrong(404, "NotFoundError") };
        let reaction =
            |emoji: &str, op: &str| json!({"messageId": id, "emoji": emoji, "userId": user, "op": op});
        let (event, payload) = match (method, reactions) {
            ("PATCH", false) if message.sender != user => return wrong(403, "ForbiddenError"),
            ("PATCH", false) if message.deleted_ms.is_some() => return wrong(409, "ConflictError"),
            ("PATCH", false) => {
                message.text = decode(body["content_encrypted"].as_str().unwrap());
                message.edited_ms = Some(now_ms);
                ("chat:message_updated", Value::Null)
            }
            ("DELETE", false) => {
                message.deleted_ms.get_or_insert(now_ms);
                message.text.clear();
                ("chat:message_deleted", json!({"messageId": id}))
            }
            ("POST", true) => {
                let emoji = body["emoji"].as_str().unwrap();
                message.reactions.retain(|known| *known != (emoji.to_owned(), user.to_owned()));
                message.reactions.push((emoji.to_owned(), user.to_owned()));
                ("chat:reaction", reaction(emoji, "add"))
            }
            ("DELETE", true) => {
                let gone = (emoji.unwrap(), user.to_owned());
                if !message.reactions.contains(&gone) {
                    return wrong(404, "NotFoundError");
                }
                message.reactions.retain(|known| *known != gone);
                ("chat:reaction", reaction(&gone.0, "remove"))
            }
            _ => return wrong(404, "NotFoundError"),
        };
        let message = message.clone();
        for member in self.rooms[&room].members.clone() {
            let payload =
                if payload.is_null() { self.record(&room, &message, &member) } else { payload.clone() };
            let mut told = self.tell(&member, event, &payload);
            self.said.append(&mut told);
        }
        match fate {
            ChangeFate::LoseAnswer => (0, String::new()),
            ChangeFate::AnswerBare => (200, json!({"success": true}).to_string()),
            _ => (200, json!({"message": self.record(&room, &message, user)}).to_string()),
        }
    }
}

fn unescape(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(core::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub fn change(kind: ChangeKind, row_key: &str, text: &str) -> Command {
    Command::Change(ChangeCommand { kind, row_key: row_key.to_owned(), text: text.to_owned() })
}

impl World {
    pub fn edit(&mut self, at: usize, row_key: &str, text: &str) -> CommandId {
        self.ask(at, change(ChangeKind::Edit, row_key, text))
    }

    /// Asks for a change and waits until it is durable: its key.
    pub fn changed(&mut self, at: usize, kind: ChangeKind, row_key: &str, text: &str) -> String {
        let id = self.ask(at, change(kind, row_key, text));
        self.until("the change is durable", |world| world.outcome(at, id).is_some());
        self.message(at, id).key.unwrap()
    }

    /// The reason why a change is not taken.
    pub fn refused(&mut self, at: usize, kind: ChangeKind, row_key: &str, text: &str) -> Failure {
        match self.command(at, change(kind, row_key, text)) {
            Err(failure) => failure,
            Ok(id) => self.wait(at, id).unwrap_err(),
        }
    }

    pub fn shown(&self, at: usize, row_key: &str) -> Message {
        self.rows(at, 1).into_iter().find(|row| row.row_key == row_key).unwrap()
    }

    /// Until the outbox of this client's store is empty.
    pub fn until_sent(&mut self, at: usize) {
        let disk = self.nodes[at].disk;
        let end = self.now.mono_ms + 120_000;
        while !outbox_rows(&mut self.disks[disk].records).is_empty() {
            assert!(self.now.mono_ms < end, "the outbox is not empty:\n{}", self.tail());
            self.pass(100);
        }
        self.pass(100);
    }
}
