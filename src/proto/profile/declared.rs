//! Profiles that are declared: names and fields of a backend's events, read from a description ([`Spec`]). `companion` and
//! `channels` are built in (WIRES.md, sections C and H), `defineProfile` makes others.
//!
//! Law: what a description does not name, the backend does not have. Reading is wider than writing, as with `team`.

use std::cell::Cell;

use super::fields::{Fields, IS_MISSING};
use super::records::{self, Names};
use super::team::Team;
use super::template::{self, Value, Values};
use super::{
    Answer, Capabilities, ConversationKind, ConversationPage, Created, Failure, Incoming, Outgoing,
    OutgoingChange, Page, Profile, Push, RestRequest, Sender, Sending, ServerMessage, Status,
};
use super::{created, errors};
use crate::proto::model::{ChangeKind, Json};
use crate::proto::text::concat;
use crate::proto::wire::json::{self, Kind, RawValue};

mod spec;
#[cfg(test)]
mod tests;

pub use spec::{BUILT_IN, Heard, MEANINGS, Meaning, MessageNames, SAYINGS, Said, Saying, Spec};

/// A declared vocabulary, for one user.
#[derive(Debug)]
pub struct Declared {
    spec: Spec,
    user_id: String,
    /// What is sent says of which type it is.
    says_kind: bool,
    /// This server's conversations are numbers: they stay numbers on its wire (C6).
    numbers: Cell<bool>,
}

impl Declared {
    pub fn new(spec: Spec, user_id: &str) -> Self {
        let send = spec.said.iter().find(|said| said.saying == Saying::Send);
        let template = send.and_then(|send| send.payload.as_deref()).unwrap_or_default();
        let says_kind = ["\"$kind\"", "\"$type\""].iter().any(|name| template.contains(name));
        Self { spec, user_id: user_id.to_owned(), says_kind, numbers: Cell::new(false) }
    }

    fn names(&self) -> Names<'_> {
        let message = &self.spec.message;
        Names {
            id: &message.id,
            conversation_id: &message.conversation_id,
            sender_id: &message.sender_id,
            content: &message.text,
            content_optional: !message.media_url.is_empty(),
            is_base64: message.is_base64,
            key: &message.key,
            kind: &message.kind,
            created_at: &message.created_at,
            conversation_kind: "type",
            members: "participants",
            member_id: "user_id",
            member_name: "username",
        }
    }

    /// The event for it, where the backend has one.
    fn say(&self, saying: Saying, conversation_id: &str, values: &Values<'_>) -> Option<Push> {
        let said = self.spec.said.iter().find(|said| said.saying == saying)?;
        let mut all = vec![("userId", Value::Text(&self.user_id))];
        all.push(match self.numbers.get() && template::is_whole(conversation_id) {
            true => ("conversationId", Value::Json(conversation_id)),
            false => ("conversationId", Value::Text(conversation_id)),
        });
        all.extend_from_slice(values);
        let payload = said.payload.as_deref().and_then(|payload| json::parse(payload, 0).ok());
        let mut args = Vec::new();
        if let Some(payload) = payload {
            // A list is several values, each in its place.
            for value in json::array(payload).unwrap_or_else(|| vec![payload]) {
                args.push(template::render(value, &all).unwrap_or_else(|| String::from("null")));
            }
        }
        Some(Push { event: said.event.clone(), args, ..Push::default() })
    }

    fn saying_of(kind: ChangeKind) -> Saying {
        match kind {
            ChangeKind::Edit => Saying::Edit,
            ChangeKind::Remove => Saying::Remove,
            ChangeKind::React => Saying::React,
            ChangeKind::Unreact => Saying::Unreact,
        }
    }

    /// Who speaks in a conversation beside the user: named as it is, but for one whose number is the user's own.
    fn other(&self, conversation_id: &str) -> String {
        let own = if conversation_id == self.user_id { "other:" } else { "" };
        concat(&[own, conversation_id])
    }

    /// A text as the backend carries it.
    fn encoded(&self, text: &str) -> String {
        if self.spec.message.is_base64 { records::encode_content(text) } else { text.to_owned() }
    }

    fn message<'a>(&'a self, record: &Fields<'a>) -> Box<ServerMessage> {
        let names = &self.spec.message;
        let mut message = records::message(record, &self.names());
        let raw = record.get(&names.conversation_id);
        self.numbers.set(self.numbers.get() || raw.is_some_and(|raw| json::kind(raw) == Kind::Number));
        if let Some(me) = &names.me {
            let mine = message.sender_id == *me;
            message.sender_id =
                if mine { self.user_id.clone() } else { self.other(&message.conversation_id) };
            message.sender = (!mine).then_some(Sender::Ai);
        }
        if message.sender_id != self.user_id {
            // Keys are their senders' own.
            message.key = None;
        }
        if message.sender_id == self.user_id && !self.says_kind {
            // The backend was not told what it is.
            message.kind = String::new();
        }
        if !names.media_url.is_empty() {
            take_media(record, &names.media_url, &mut message);
        }
        message
    }

    fn read<'a>(&'a self, heard: &'a Heard, payload: &Fields<'a>) -> Incoming {
        let conversation_id = payload.id(&heard.conversation_id);
        match heard.meaning {
            Meaning::Message => Incoming::Message(self.message(payload)),
            Meaning::Updated => Incoming::Updated(self.update(heard, payload)),
            Meaning::Deleted => {
                Incoming::Deleted { message_id: payload.required_id(&heard.message_id), conversation_id }
            }
            Meaning::Delivered | Meaning::Read | Meaning::Status => {
                self.status(heard, payload, conversation_id)
            }
            Meaning::Typing => {
                let user_id = payload
                    .id(&heard.user_id)
                    .or_else(|| conversation_id.as_deref().map(|id| self.other(id)));
                Incoming::Typing {
                    user_id: payload.required(&heard.user_id, user_id),
                    conversation_id,
                    typing: payload.required(&heard.is_typing, payload.flag(&heard.is_typing)),
                }
            }
            Meaning::Presence => Incoming::Presence {
                user_id: payload.required_id(&heard.user_id),
                online: is_online(payload, &heard.status),
                at_ms: payload.time_ms("timestamp"),
            },
            Meaning::Reaction => {
                let op = payload.required(&heard.op, payload.text(&heard.op));
                if !matches!(op.as_ref(), "add" | "remove") {
                    payload.fail(&heard.op, "must be `add` or `remove`");
                }
                Incoming::Reaction {
                    message_id: payload.required_id(&heard.message_id),
                    emoji: payload.required(&heard.emoji, payload.text(&heard.emoji)).into_owned(),
                    user_id: payload.required_id(&heard.user_id),
                    added: op == "add",
                }
            }
            Meaning::Conversation => {
                Incoming::Conversation(records::conversation_in(payload, &self.names(), None))
            }
        }
    }

    /// The whole row, or its id and text alone.
    fn update<'a>(&'a self, heard: &'a Heard, payload: &Fields<'a>) -> Box<ServerMessage> {
        let names = &self.spec.message;
        if payload.get(&names.sender_id).is_some() {
            return self.message(payload);
        }
        Box::new(ServerMessage {
            id: payload.required(&names.id, payload.id(&names.id).or_else(|| payload.id(&heard.message_id))),
            conversation_id: payload.id(&names.conversation_id).unwrap_or_default(),
            text: records::content(payload, &self.names(), false),
            edited_at_ms: payload.time_ms("edited_at"),
            ..ServerMessage::default()
        })
    }

    fn status<'a>(
        &'a self,
        heard: &'a Heard,
        payload: &Fields<'a>,
        conversation_id: Option<String>,
    ) -> Incoming {
        let status = match heard.meaning {
            Meaning::Delivered => Status::Delivered,
            Meaning::Read => Status::Read,
            _ => {
                let told = payload.required(&heard.status, payload.text(&heard.status));
                records::status(&told).unwrap_or_else(|| {
                    payload.fail(&heard.status, "must be `sent`, `delivered` or `read`");
                    Status::Acknowledged
                })
            }
        };
        Incoming::Status {
            message_id: payload.required_id(&heard.message_id),
            conversation_id,
            user_id: payload.id(&heard.user_id),
            status,
            through: false,
        }
    }
}

/// `online` and `offline`, or true and false.
fn is_online<'a>(payload: &Fields<'a>, name: &'a str) -> bool {
    match payload.get(name).map(RawValue::get) {
        Some("true" | "\"online\"") => return true,
        Some("false" | "\"offline\"") => {}
        Some(_) => payload.fail(name, "must be `online` or `offline`"),
        None => payload.fail(name, IS_MISSING),
    }
    false
}

/// A photo or video by its address, which is shown by whoever renders it: of http and https alone, or a path.
fn take_media<'a>(record: &Fields<'a>, name: &'a str, message: &mut ServerMessage) {
    if message.kind == "photo" {
        message.kind = String::from("image");
    }
    let Some(url) = record.text(name).filter(|url| !url.is_empty()) else { return };
    let scheme = url.get(..8).unwrap_or(&url).to_ascii_lowercase();
    let is_path = scheme.starts_with('/') && !scheme.starts_with("//");
    if !is_path && !scheme.starts_with("https://") && !scheme.starts_with("http://") {
        return record.fail(name, "must be an address of http or https, or a path");
    }
    let kind = if message.kind == "text" { "file" } else { message.kind.as_str() };
    let mut attachments = String::from("[{\"type\":");
    json::push_json_string(&mut attachments, kind);
    attachments.push_str(",\"url\":");
    json::push_json_string(&mut attachments, &url);
    attachments.push_str("}]");
    message.attachments = Json::parse(&attachments);
}

impl Profile for Declared {
    fn capabilities(&self) -> Capabilities {
        self.spec.capabilities.clone()
    }

    fn unlisted(&self) -> Option<ConversationKind> {
        self.spec.unlisted
    }

    fn id_of(&self, key: &str) -> Option<String> {
        self.spec.keys_are_ids.then(|| key.to_owned())
    }

    fn send(&self, message: Outgoing<'_>) -> Push {
        let text = self.encoded(message.text);
        let mut values = vec![
            ("key", Value::Text(message.key)),
            ("text", Value::Text(&text)),
            ("type", Value::Text(message.kind)),
            ("createdAt", Value::Time(message.created_at_ms)),
            ("createdAtMs", Value::Int(message.created_at_ms)),
        ];
        if message.kind != "text" {
            values.push(("kind", Value::Text(message.kind)));
        }
        if let Some(metadata) = message.metadata {
            values.push(("metadata", Value::Json(metadata.text())));
        }
        if let Some(id) = message.reply_to_id {
            values.push(("replyTo", Value::Text(id)));
        }
        // A description without it is refused at construction.
        let push = self.say(Saying::Send, message.conversation_id, &values).unwrap_or_default();
        Push { ack: true, ..push }
    }

    fn answer(&self, key: &str, _status: Option<&str>, args: &[&RawValue]) -> Answer {
        errors::answer(key, args, &|row| self.message(row), &self.spec.answer)
    }

    fn can_change(&self, kind: ChangeKind) -> bool {
        self.spec.said.iter().any(|said| said.saying == Self::saying_of(kind))
    }

    fn change(&self, change: OutgoingChange<'_>) -> Sending {
        let text = match change.kind {
            ChangeKind::Edit => self.encoded(change.text),
            _ => change.text.to_owned(),
        };
        let values = [
            ("messageId", Value::Text(change.id)),
            ("text", Value::Text(&text)),
            ("emoji", Value::Text(&text)),
        ];
        let push = self.say(Self::saying_of(change.kind), change.conversation_id, &values);
        Sending::Push(Push { ack: true, ..push.unwrap_or_default() })
    }

    /// Changes go out on the socket.
    fn parse_change(&self, _kind: ChangeKind, status: u16, body: &str) -> Answer {
        let (failure, retry_after_ms) = errors::rest_failure(status, body);
        Answer::Refused { failure, retry_after_ms }
    }

    fn incoming(&self, topic: &str, event: &str, args: &[&RawValue]) -> Incoming {
        if !topic.is_empty() {
            return Incoming::Other;
        }
        let hello = event == records::HELLO;
        let heard = self.spec.heard.iter().find(|heard| heard.event == event);
        if heard.is_none() && !hello {
            return Incoming::Other;
        }
        let read = Fields::of(args).and_then(|payload| {
            let Some(heard) = heard else { return payload.finish(records::hello(&payload)) };
            let within = if heard.within.is_empty() { None } else { payload.object(&heard.within) };
            match within {
                // What is wrong within is told by its own names.
                Some(within) => within.finish(self.read(heard, &within)),
                None => payload.finish(self.read(heard, &payload)),
            }
        });
        read.unwrap_or_else(|wrong| Incoming::Malformed(wrong.at(event)))
    }

    fn presence(&self, online: bool) -> Option<Push> {
        self.say(if online { Saying::Online } else { Saying::Offline }, "", &[])
    }

    fn typing(&self, conversation_id: &str, typing: bool) -> Option<Push> {
        self.say(Saying::Typing, conversation_id, &[("isTyping", Value::Flag(typing))])
    }

    fn delivered(&self, conversation_id: &str, message_id: &str) -> Option<Push> {
        self.say(Saying::Delivered, conversation_id, &[("messageId", Value::Text(message_id))])
    }

    fn read(&self, conversation_id: &str, message_id: &str) -> Option<Push> {
        self.say(Saying::Read, conversation_id, &[("messageId", Value::Text(message_id))])
    }

    fn list_conversations(&self, offset: u32) -> RestRequest {
        Team.list_conversations(offset)
    }

    fn parse_conversations(&self, body: &str, me: &str) -> Result<ConversationPage, String> {
        records::conversations(body, &self.names(), me)
    }

    fn messages_after(&self, conversation_id: &str, seq: u64, limit: u32) -> RestRequest {
        Team.messages_after(conversation_id, seq, limit)
    }

    fn messages_page(&self, conversation_id: &str, offset: u32, limit: u32) -> RestRequest {
        Team.messages_page(conversation_id, offset, limit)
    }

    fn parse_page(&self, body: &str) -> Result<Page, String> {
        records::page(body, &self.names())
    }

    fn create_direct(&self, user_id: &str) -> RestRequest {
        Team.create_direct(user_id)
    }

    fn create_group(&self, title: &str, members: &[String]) -> RestRequest {
        Team.create_group(title, members)
    }

    fn parse_created(&self, status: u16, body: &str, me: &str) -> Result<Created, Failure> {
        created::parse(status, body, &self.names(), me)
    }

    fn parse_failure(&self, status: u16, body: &str) -> (Failure, Option<u64>) {
        errors::rest_failure(status, body)
    }
}
