//! A conversation as a text to be kept: JSON for programs, lines for people.
//!
//! JSON: `{"conversation", "messages", "damaged", "complete"}`, in the shapes of the API. `damaged` names what could not be
//! read, `complete` says whether all of the conversation, from its first message on, was on this device.
//!
//! Lines: `[2026-11-26 10:00] Name: text`, times in UTC. A text's further lines are indented, so that none can pass for
//! another message.

use super::{Object, Write};
use crate::proto::model::{Conversation, Member, Message, Sender, Status};
use crate::proto::store::SegmentInfo;
use crate::proto::text::{concat, is_blank};
use crate::proto::wall_time;
use crate::proto::wire::json::{decimal, push_json_string};

/// An export as it grows.
#[derive(Debug)]
pub struct Document {
    json: bool,
    text: String,
    /// Messages, or damaged parts, are in it already.
    begun: bool,
    damaged: String,
    members: Vec<Member>,
}

impl Document {
    /// `conversation` is `None` where nothing but its history is known.
    pub fn begin(json: bool, conversation_id: &str, conversation: Option<&Conversation>) -> Self {
        let mut document = Self {
            json,
            text: String::new(),
            begun: false,
            damaged: String::new(),
            members: conversation.map_or(Vec::new(), |conversation| conversation.members.clone()),
        };
        let text = &mut document.text;
        if json {
            text.push_str("{\"conversation\":");
            match conversation {
                Some(conversation) => conversation.write(text),
                None => {
                    text.push_str("{\"id\":");
                    push_json_string(text, conversation_id);
                    text.push('}');
                }
            }
            text.push_str(",\"messages\":[");
        } else {
            let title = conversation.map_or("", |conversation| conversation.title.as_str());
            text.push_str(if is_blank(title) { conversation_id } else { title });
            text.push_str(" (times are UTC)\n\n");
        }
        document
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// The next message.
    pub fn message(&mut self, message: &Message) {
        if self.json {
            if self.begun {
                self.text.push(',');
            }
            message.write(&mut self.text);
        } else {
            self.line(message);
        }
        self.begun = true;
    }

    /// Here a part cannot be read.
    pub fn damaged(&mut self, info: &SegmentInfo) {
        let count = u64::from(info.count);
        if !self.json {
            let (from, to) = (moment(info.first.at_ms), moment(info.last.at_ms));
            let words = [" messages from ", &from, " to ", &to, " cannot be read on this device]\n"];
            self.text.push_str(&concat(&["[", &decimal(count), &concat(&words)]));
            return;
        }
        if !self.damaged.is_empty() {
            self.damaged.push(',');
        }
        let mut object = Object::new(&mut self.damaged);
        object.count("messages", count);
        object.time("from", Some(info.first.at_ms));
        object.time("to", Some(info.last.at_ms));
        object.end();
    }

    /// The whole text.
    pub fn end(mut self, complete: bool) -> String {
        if self.json {
            let complete = if complete { "true}" } else { "false}" };
            self.text.push_str(&concat(&["],\"damaged\":[", &self.damaged, "],\"complete\":", complete]));
        } else if !complete {
            self.text.push_str("\n[earlier messages may be on the server only]\n");
        }
        self.text
    }

    fn line(&mut self, message: &Message) {
        let named = self.members.iter().find(|member| member.user_id == message.sender_id);
        let name = named.map_or("", |member| member.name.as_str());
        let name = if is_blank(name) { message.sender_id.as_str() } else { name };
        let name = if name.is_empty() { message.sender.name() } else { name };
        let text = &mut self.text;
        text.push_str(&concat(&["[", &moment(message.created_at_ms), "] ", name, ": "]));
        if message.deleted_at_ms.is_some() {
            text.push_str("(deleted)\n");
            return;
        }
        if let Some(reply) = &message.reply_to {
            text.push_str("(in reply to \"");
            indented(text, &reply.excerpt);
            text.push_str("\") ");
        }
        if message.kind != "text" {
            text.push_str(&concat(&["[", &message.kind, "] "]));
        }
        indented(text, &message.text);
        if message.edited_at_ms.is_some() {
            text.push_str(" (edited)");
        }
        text.push_str(match message.status {
            Status::Failed => " (failed)",
            Status::Saving | Status::Saved if message.sender == Sender::Me => " (not sent yet)",
            _ => "",
        });
        text.push('\n');
    }
}

/// `2026-11-26 10:00`.
fn moment(ms: i64) -> String {
    let iso = wall_time::to_iso(ms);
    concat(&[iso.get(..10).unwrap_or_default(), " ", iso.get(11..16).unwrap_or_default()])
}

fn indented(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\r' => {}
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push_str("\n    "),
            c => out.push(c),
        }
    }
}
