//! Profiles that are declared: names and fields of a backend's events, read from a description ([`Spec`]). `companion` and
//! `channels` are built in (WIRES.md, sections C and H), `defineProfile` makes others.
//!
//! Law: what a description does not name, the backend does not have. Reading is wider than writing, as with `team`.

use std::cell::Cell;

use super::fields::Fields;
use super::records::{self, Names};
use super::team::Team;
use super::template::{self, Value, Values};
use super::{
    Answer, Capabilities, ConversationKind, ConversationPage, Created, Failure, Incoming, Outgoing,
    OutgoingChange, Page, Profile, Push, RestRequest, Sending,
};
use super::{created, errors};
use crate::proto::model::ChangeKind;
use crate::proto::text::concat;
use crate::proto::wire::json::{self, RawValue};

#[cfg(feature = "several")]
mod over;
mod reading;
mod spec;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = "several")]
mod tests_over;

#[cfg(feature = "several")]
pub use over::{Over, Topics};
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
            in_conversation: None,
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
        #[cfg(feature = "several")]
        let topic = self.topic_of(conversation_id).unwrap_or_default();
        #[cfg(not(feature = "several"))]
        let topic = String::new();
        Some(Push { topic, event: said.event.clone(), args, ..Push::default() })
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
        #[cfg(feature = "several")]
        let ack = self.is_answered();
        #[cfg(not(feature = "several"))]
        let ack = true;
        Push { ack, ..push }
    }

    fn answer(&self, key: &str, status: Option<&str>, args: &[&RawValue]) -> Answer {
        // Socket.IO has no such word.
        #[cfg(feature = "several")]
        if let Some(status) = status {
            return self.reply(key, status, args);
        }
        _ = status;
        errors::answer(key, args, &|row| self.message(row, None), &self.spec.answer)
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
        #[cfg(feature = "several")]
        let (is_ours, place) = (self.is_ours(topic), self.conversation_in(topic));
        #[cfg(not(feature = "several"))]
        let (is_ours, place) = (topic.is_empty(), None);
        if !is_ours {
            return Incoming::Other;
        }
        let hello = event == records::HELLO;
        let heard = self.spec.heard.iter().find(|heard| heard.event == event);
        #[cfg(feature = "several")]
        if let Some(answered) = self.answered(event, heard, args) {
            return answered;
        }
        if heard.is_none() && !hello {
            return Incoming::Other;
        }
        let read = Fields::of(args).and_then(|payload| {
            let Some(heard) = heard else { return payload.finish(records::hello(&payload)) };
            let within = if heard.within.is_empty() { None } else { payload.object(&heard.within) };
            match within {
                // What is wrong within is told by its own names.
                Some(within) => within.finish(self.read(heard, &within, place)),
                None => payload.finish(self.read(heard, &payload, place)),
            }
        });
        read.unwrap_or_else(|wrong| Incoming::Malformed(wrong.at(event)))
    }

    #[cfg(feature = "several")]
    fn topic(&self, conversation_id: &str) -> Option<String> {
        self.topic_of(conversation_id)
    }

    #[cfg(feature = "several")]
    fn conversation_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        self.conversation_in(topic)
    }

    #[cfg(feature = "several")]
    fn joined(&self, topic: &str, response: &RawValue) -> Incoming {
        if !self.is_ours(topic) {
            return Incoming::Other;
        }
        super::phoenix::joined(self.conversation_in(topic), response)
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
