//! The events as JSON text, for `JSON.parse` in the application.
//!
//! Law: what stands here equals, to the letter, what serde would write from the attributes of the same types; a test
//! compares them for every variant. Written by hand, it is a third of the wasm that serde's derives need, since one
//! writer serves every type.

use super::api::{Event, Outcome, ViewUpdate, WireData};
use super::model::{Failure, Json, Message};
use super::wall_time;
use super::wire::base64;
use super::wire::json::{push_json_string, push_uint};

mod export;
mod model;

pub(super) use export::Document;

#[cfg(test)]
mod tests;

/// One JSON value.
trait Write {
    fn write(&self, out: &mut String);
}

/// Opens an object; the fields follow.
struct Object<'a> {
    out: &'a mut String,
    begun: bool,
}

impl<'a> Object<'a> {
    fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, begun: false }
    }

    /// The place of a field's value. Names are our own and need no escapes.
    fn name(&mut self, name: &str) -> &mut String {
        self.out.push_str(if self.begun { ",\"" } else { "\"" });
        self.begun = true;
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }

    // Not generic: this is called a hundred times, and each type would be a copy of it.
    fn put(&mut self, name: &str, value: &dyn Write) {
        value.write(self.name(name));
    }

    fn text(&mut self, name: &str, text: &str) {
        push_json_string(self.name(name), text);
    }

    fn optional_text(&mut self, name: &str, text: Option<&String>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.raw(name, "null"),
        }
    }

    /// A text that is JSON already.
    fn raw(&mut self, name: &str, json: &str) {
        self.name(name).push_str(json);
    }

    fn flag(&mut self, name: &str, flag: bool) {
        self.raw(name, if flag { "true" } else { "false" });
    }

    fn count(&mut self, name: &str, count: u64) {
        push_uint(self.name(name), count);
    }

    fn optional_count(&mut self, name: &str, count: Option<u64>) {
        match count {
            Some(count) => self.count(name, count),
            None => self.raw(name, "null"),
        }
    }

    fn time(&mut self, name: &str, ms: Option<i64>) {
        match ms {
            Some(ms) => self.text(name, &wall_time::to_iso(ms)),
            None => self.raw(name, "null"),
        }
    }

    fn texts(&mut self, name: &str, texts: &[String]) {
        let out = self.name(name);
        list(out, texts.len(), &mut |out, at| {
            push_json_string(out, texts.get(at).map_or("", String::as_str))
        });
    }

    fn end(self) {
        self.out.push('}');
    }
}

impl Write for WireData {
    fn write(&self, out: &mut String) {
        let mut object = Object::new(out);
        object.put("json", &self.json);
        let mut attachments = Vec::new();
        for bytes in &self.attachments {
            attachments.push(base64::encode(bytes));
        }
        object.texts("attachments", &attachments);
        object.end();
    }
}

/// Counts, flags and, where it has a name, one value that is JSON already, as one object.
pub(super) fn figures(counts: &[(&str, u64)], flags: &[(&str, bool)], more: (&str, &str)) -> String {
    let mut out = String::new();
    let mut object = Object::new(&mut out);
    for (name, count) in counts {
        object.count(name, *count);
    }
    for (name, flag) in flags {
        object.flag(name, *flag);
    }
    if !more.0.is_empty() {
        object.raw(more.0, more.1);
    }
    object.end();
    out
}

/// Texts as one object.
pub(super) fn texts(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut object = Object::new(&mut out);
    for (name, text) in fields {
        object.text(name, text);
    }
    object.end();
    out
}

fn list(out: &mut String, len: usize, item: &mut dyn FnMut(&mut String, usize)) {
    out.push('[');
    for at in 0..len {
        if at > 0 {
            out.push(',');
        }
        item(out, at);
    }
    out.push(']');
}

impl<T: Write> Write for [T] {
    fn write(&self, out: &mut String) {
        list(out, self.len(), &mut |out, at| {
            if let Some(item) = self.get(at) {
                item.write(out);
            }
        });
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, out: &mut String) {
        self.as_slice().write(out);
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl Write for Json {
    fn write(&self, out: &mut String) {
        out.push_str(self.text());
    }
}

impl Event {
    /// Appends the event as one JSON object: `{"type":"status",…}`.
    pub fn write_json(&self, out: &mut String) {
        let mut object = Object::new(out);
        match self {
            Event::Done { .. }
            | Event::Refused { .. }
            | Event::Phase { .. }
            | Event::Error { .. }
            | Event::AuthError { .. }
            | Event::ProtocolError { .. }
            | Event::StorageDegraded { .. }
            | Event::Connection { .. }
            | Event::Guarantees { .. }
            | Event::Leader { .. }
            | Event::Wire { .. } => self.about_the_client(&mut object),
            Event::View(update) => {
                object.text("type", "view");
                view(update, &mut object);
            }
            _ => self.about_a_conversation(&mut object),
        }
        object.end();
    }

    fn about_the_client(&self, object: &mut Object<'_>) {
        let mut error = |kind: &str, error: &Failure| {
            object.text("type", kind);
            object.put("error", error);
        };
        match self {
            Event::Error { error: failure } => error("error", failure),
            Event::AuthError { error: failure } => error("authError", failure),
            Event::Done { id, outcome } => {
                object.text("type", "done");
                object.count("id", u64::from(*id));
                object.put("outcome", outcome);
            }
            Event::Refused { id, error } => {
                object.text("type", "refused");
                object.count("id", u64::from(*id));
                object.put("error", error);
            }
            Event::Phase { phase } => {
                object.text("type", "phase");
                object.text("phase", phase.name());
            }
            Event::ProtocolError { message, excerpt } => {
                object.text("type", "protocolError");
                object.text("message", message);
                object.text("excerpt", excerpt);
            }
            Event::StorageDegraded { message, persistent } => {
                object.text("type", "storageDegraded");
                object.text("message", message);
                object.flag("persistent", *persistent);
            }
            Event::Connection { connection } => {
                object.text("type", "connection");
                object.put("connection", connection);
            }
            Event::Guarantees { guarantees } => {
                object.text("type", "guarantees");
                object.put("guarantees", guarantees);
            }
            Event::Leader { leader } => {
                object.text("type", "leader");
                object.flag("leader", *leader);
            }
            Event::Wire { event, topic, args, ack_id } => {
                object.text("type", "wire");
                object.text("event", event);
                object.text("topic", topic);
                object.put("args", &**args);
                object.optional_count("ackId", *ack_id);
            }
            _ => {}
        }
    }

    fn about_a_conversation(&self, object: &mut Object<'_>) {
        let mut ids = |kind: &str, conversation_id: &str, more: &str, id: &str| {
            object.text("type", kind);
            object.text("conversationId", conversation_id);
            if !more.is_empty() {
                object.text(more, id);
            }
        };
        match self {
            Event::MessageDeleted { conversation_id, row_key } => {
                ids("messageDeleted", conversation_id, "rowKey", row_key);
            }
            Event::Reaction { conversation_id, row_key } => {
                ids("reaction", conversation_id, "rowKey", row_key);
            }
            Event::ConversationRemoved { conversation_id } => {
                ids("conversationRemoved", conversation_id, "", "");
            }
            Event::Gap { conversation_id } => ids("gap", conversation_id, "", ""),
            Event::Status { conversation_id, row_key, status, failure } => {
                ids("status", conversation_id, "rowKey", row_key);
                object.text("status", status.name());
                object.put("failure", failure);
            }
            Event::Typing { conversation_id, user_id, typing } => {
                ids("typing", conversation_id, "userId", user_id);
                object.flag("typing", *typing);
            }
            Event::Message { message, live, leader } => {
                object.text("type", "message");
                object.put("message", &**message);
                object.flag("live", *live);
                object.flag("leader", *leader);
            }
            Event::MessageUpdated { message } => {
                object.text("type", "messageUpdated");
                object.put("message", &**message);
            }
            Event::Presence { user_id, online, last_seen_ms } => {
                object.text("type", "presence");
                object.text("userId", user_id);
                object.flag("online", *online);
                object.put("lastSeenMs", last_seen_ms);
            }
            Event::Conversation { conversation } => {
                object.text("type", "conversation");
                object.put("conversation", &**conversation);
            }
            _ => {}
        }
    }
}

impl Write for String {
    fn write(&self, out: &mut String) {
        push_json_string(out, self);
    }
}

impl Write for i64 {
    fn write(&self, out: &mut String) {
        if *self < 0 {
            out.push('-');
        }
        push_uint(out, self.unsigned_abs());
    }
}

fn view(update: &ViewUpdate, object: &mut Object<'_>) {
    object.count("view", u64::from(update.view));
    object.text("conversationId", &update.conversation_id);
    let order = &update.order;
    list(object.name("order"), order.len(), &mut |out, at| {
        push_uint(out, order.get(at).copied().map_or(0, u64::from));
    });
    object.put("rows", &update.rows);
    let gaps = &update.gaps;
    list(object.name("gaps"), gaps.len(), &mut |out, at| {
        push_uint(out, gaps.get(at).copied().map_or(0, u64::from))
    });
    object.flag("hasEarlier", update.has_earlier);
    object.flag("hasLater", update.has_later);
    object.flag("loading", update.loading);
    object.put("error", &update.error);
    object.text("phase", update.phase.name());
}

/// A row of a window: its slot and the message in it.
impl Write for (u32, Message) {
    fn write(&self, out: &mut String) {
        out.push('[');
        push_uint(out, u64::from(self.0));
        out.push(',');
        self.1.write(out);
        out.push(']');
    }
}

impl Write for Outcome {
    fn write(&self, out: &mut String) {
        let (kind, value): (&str, Option<&dyn Write>) = match self {
            Outcome::Nothing => ("nothing", None),
            Outcome::Message(message) => ("message", Some(&**message)),
            Outcome::Messages(messages) => ("messages", Some(messages)),
            Outcome::Conversation(conversation) => ("conversation", Some(&**conversation)),
            Outcome::Wire(answer) => ("wire", Some(&**answer)),
            Outcome::Text(text) => ("text", Some(text)),
        };
        let mut object = Object::new(out);
        object.text("kind", kind);
        if let Some(value) = value {
            object.put("value", value);
        }
        object.end();
    }
}
