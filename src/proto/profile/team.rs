//! `team`: Socket.IO v4 and REST under `/api` (WIRES.md, section T).
//!
//! Law: names and shapes are the backend's to the letter. Reading is wider than writing: both spellings of a field,
//! numbers for ids, absent optional fields and unknown extra ones are all good, as old and new servers of this kind
//! differ in just these.

use super::fields::{Body, Fields, push_query};
use super::records::{self, Names};
use super::{
    Answer, Capabilities, ConversationPage, Created, Failure, Incoming, Outgoing, OutgoingChange, Page,
    Profile, Push, RestRequest, Sending, Status,
};
use super::{created, errors};
use crate::proto::model::ChangeKind;
use crate::proto::text::push_percent_encoded;
use crate::proto::wire::json::RawValue;

mod changes;
#[cfg(test)]
mod tests;

/// Conversations in one page of the list (T8).
const CONVERSATIONS_LIMIT: u64 = 100;

pub(super) const NAMES: Names<'static> = Names {
    id: "id",
    conversation_id: "conversation_id",
    in_conversation: None,
    sender_id: "sender_id",
    content_optional: false,
    content: "content_encrypted",
    is_base64: true,
    key: "client_message_id",
    kind: "message_type",
    created_at: "created_at",
    conversation_kind: "type",
    members: "participants",
    member_id: "user_id",
    member_name: "username",
};

/// The team chat's vocabulary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Team;

impl Profile for Team {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            keys: false,
            answers: true,
            cursor: false,
            ordered_window: false,
            receipts: true,
            max_payload: None,
        }
    }

    /// T2, T3 and what D4 adds.
    fn send(&self, message: Outgoing<'_>) -> Push {
        let mut body = Body::new()
            .text("conversationId", message.conversation_id)
            .text("contentEncrypted", &records::encode_content(message.text))
            .text("clientMessageId", message.key)
            .text("client_message_id", message.key)
            .text("message_type", message.kind);
        if let Some(id) = message.reply_to_id {
            body = body.text("reply_to", id);
        }
        if let Some(metadata) = message.metadata {
            body = body.raw("metadata", metadata.text());
        }
        Push { ack: true, ..push("chat:message_send", Some(body)) }
    }

    fn answer(&self, key: &str, _status: Option<&str>, args: &[&RawValue]) -> Answer {
        errors::answer(key, args, &|row| records::message(row, &NAMES), &errors::STANDARD_ANSWER)
    }

    fn change(&self, change: OutgoingChange<'_>) -> Sending {
        Sending::Rest(changes::request(&change))
    }

    fn parse_change(&self, kind: ChangeKind, status: u16, body: &str) -> Answer {
        changes::answer(kind, status, body)
    }

    fn incoming(&self, topic: &str, event: &str, args: &[&RawValue]) -> Incoming {
        let read = match event {
            // Another namespace has events of its own.
            _ if !topic.is_empty() => return Incoming::Other,
            "chat:message_received" => read_message,
            "chat:message_status_updated" => read_status,
            "chat:user_typing" => read_typing,
            "user:status_changed" => read_presence,
            "chat:message_updated" => read_update,
            "chat:message_deleted" => read_deletion,
            "chat:reaction" => read_reaction,
            "chat:conversation_updated" => read_conversation,
            records::HELLO => records::hello,
            _ => return Incoming::Other,
        };
        Fields::of(args)
            .and_then(|payload| payload.finish(read(&payload)))
            .unwrap_or_else(|wrong| Incoming::Malformed(wrong.at(event)))
    }

    /// T2 names no payload, so there is none.
    fn presence(&self, online: bool) -> Option<Push> {
        Some(push(if online { "presence:online" } else { "presence:offline" }, None))
    }

    fn typing(&self, conversation_id: &str, typing: bool) -> Option<Push> {
        let body = Body::new()
            .text("conversationId", conversation_id)
            .raw("isTyping", if typing { "true" } else { "false" });
        Some(push("chat:typing", Some(body)))
    }

    fn delivered(&self, _conversation_id: &str, message_id: &str) -> Option<Push> {
        Some(push("chat:message_delivered", Some(Body::new().text("messageId", message_id))))
    }

    fn read(&self, _conversation_id: &str, message_id: &str) -> Option<Push> {
        Some(push("chat:message_read", Some(Body::new().text("messageId", message_id))))
    }

    /// T8.
    fn list_conversations(&self, offset: u32) -> RestRequest {
        let mut path = String::from("/conversations");
        push_query(&mut path, &[("limit", CONVERSATIONS_LIMIT), ("offset", u64::from(offset))]);
        get(path)
    }

    fn parse_conversations(&self, body: &str, me: &str) -> Result<ConversationPage, String> {
        records::conversations(body, &NAMES, me)
    }

    /// T10 with `after` (D4).
    fn messages_after(&self, conversation_id: &str, seq: u64, limit: u32) -> RestRequest {
        get_messages(conversation_id, &[("limit", u64::from(limit)), ("after", seq)])
    }

    /// T10.
    fn messages_page(&self, conversation_id: &str, offset: u32, limit: u32) -> RestRequest {
        get_messages(conversation_id, &[("limit", u64::from(limit)), ("offset", u64::from(offset))])
    }

    fn parse_page(&self, body: &str) -> Result<Page, String> {
        records::page(body, &NAMES)
    }

    /// T6.
    fn create_direct(&self, user_id: &str) -> RestRequest {
        post("/conversations/direct", Body::new().text("user_id", user_id))
    }

    /// T7.
    fn create_group(&self, title: &str, members: &[String]) -> RestRequest {
        post("/conversations/group", Body::new().text("title", title).texts("participant_ids", members))
    }

    fn parse_created(&self, status: u16, body: &str, me: &str) -> Result<Created, Failure> {
        created::parse(status, body, &NAMES, me)
    }

    fn parse_failure(&self, status: u16, body: &str) -> (Failure, Option<u64>) {
        errors::rest_failure(status, body)
    }
}

fn push(event: &str, body: Option<Body>) -> Push {
    let args = match body {
        Some(body) => vec![body.finish()],
        None => Vec::new(),
    };
    Push { event: event.to_owned(), args, ..Push::default() }
}

fn get(path: String) -> RestRequest {
    RestRequest { method: "GET", path, body: None }
}

fn get_messages(conversation_id: &str, query: &[(&str, u64)]) -> RestRequest {
    let mut path = String::from("/messages/");
    push_percent_encoded(&mut path, conversation_id);
    push_query(&mut path, query);
    get(path)
}

fn post(path: &str, body: Body) -> RestRequest {
    RestRequest { method: "POST", path: path.to_owned(), body: Some(body.finish()) }
}

fn read_message(payload: &Fields<'_>) -> Incoming {
    Incoming::Message(records::message(payload, &NAMES))
}

fn read_update(payload: &Fields<'_>) -> Incoming {
    Incoming::Updated(records::update(payload, &NAMES, ""))
}

/// T4, T14.
fn read_status(payload: &Fields<'_>) -> Incoming {
    let told = payload.required("status", payload.text("status"));
    let status = records::status(&told).unwrap_or_else(|| {
        payload.fail("status", "must be `sent`, `delivered` or `read`");
        Status::Acknowledged
    });
    Incoming::Status {
        message_id: payload.required_id("message_id"),
        conversation_id: payload.id("conversation_id"),
        user_id: payload.id("user_id"),
        status,
        through: false,
    }
}

fn read_typing(payload: &Fields<'_>) -> Incoming {
    Incoming::Typing {
        conversation_id: payload.id("conversation_id"),
        user_id: payload.required_id("user_id"),
        typing: payload.required("is_typing", payload.flag("is_typing")),
    }
}

/// A field that must be one of two words: whether it is the first.
fn is_first(payload: &Fields<'_>, name: &'static str, words: [&str; 2], expected: &'static str) -> bool {
    let told = payload.required(name, payload.text(name));
    if !words.contains(&told.as_ref()) {
        payload.fail(name, expected);
    }
    words.first() == Some(&told.as_ref())
}

fn read_presence(payload: &Fields<'_>) -> Incoming {
    let expected = "must be `online` or `offline`";
    let online = is_first(payload, "status", ["online", "offline"], expected);
    Incoming::Presence {
        user_id: payload.required_id("user_id"),
        online,
        at_ms: payload.time_ms("timestamp"),
    }
}

/// D4, as the following three.
fn read_deletion(payload: &Fields<'_>) -> Incoming {
    let message_id = payload.required_id("message_id");
    Incoming::Deleted { message_id, conversation_id: payload.id("conversation_id") }
}

fn read_reaction(payload: &Fields<'_>) -> Incoming {
    let added = is_first(payload, "op", ["add", "remove"], "must be `add` or `remove`");
    Incoming::Reaction {
        message_id: payload.required_id("message_id"),
        emoji: payload.required("emoji", payload.text("emoji")).into_owned(),
        user_id: payload.required_id("user_id"),
        added,
    }
}

/// An event does not know who it is read for: the own role and a direct conversation's title are the reader's to
/// take from the members.
fn read_conversation(payload: &Fields<'_>) -> Incoming {
    Incoming::Conversation(records::conversation_in(payload, &NAMES, None))
}
