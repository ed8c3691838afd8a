//! `team`: Socket.IO v4 and REST under `/api` (WIRES.md, section T).
//!
//! Law: names and shapes are the backend's to the letter. Reading is wider than writing: both spellings of a field,
//! numbers for ids, absent optional fields and unknown extra ones are all good, as old and new servers of this kind
//! differ in just these.

use super::fields::{Body, Fields, IS_MISSING, Wrong, push_segment};
use super::{
    Answer, Capabilities, CapabilityPatch, ConversationPage, Created, Failure, Incoming, Outgoing,
    OutgoingChange, Page, Profile, Push, RestRequest, Sending, ServerConversation, Status,
};
use crate::proto::model::{ChangeKind, ErrorCode};
use crate::proto::wire::json;
use crate::proto::wire::json::RawValue;

mod changes;
mod errors;
mod records;
#[cfg(test)]
mod tests;

pub use errors::is_auth_refusal;

/// Conversations in one page of the list (T8).
const CONVERSATIONS_LIMIT: u64 = 100;

/// The team chat's vocabulary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Team;

impl Profile for Team {
    fn name(&self) -> &'static str {
        "team"
    }

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

    fn answer(&self, key: &str, args: &[&RawValue]) -> Answer {
        errors::answer(key, args)
    }

    fn change(&self, change: OutgoingChange<'_>) -> Sending {
        Sending::Rest(changes::request(&change))
    }

    fn parse_change(&self, kind: ChangeKind, status: u16, body: &str) -> Answer {
        changes::answer(kind, status, body)
    }

    fn incoming(&self, event: &str, args: &[&RawValue]) -> Incoming {
        let read = match event {
            "chat:message_received" => read_message,
            "chat:message_status_updated" => read_status,
            "chat:user_typing" => read_typing,
            "user:status_changed" => read_presence,
            "chat:message_updated" => read_update,
            "chat:message_deleted" => read_deletion,
            "chat:reaction" => read_reaction,
            "chat:conversation_updated" => read_conversation,
            "chatwire:hello" => read_hello,
            _ => return Incoming::Other,
        };
        let payload = match args.first() {
            Some(raw) => Fields::read(raw),
            None => Err(Wrong { field: "", expected: "must carry an object" }),
        };
        payload
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

    /// A row that cannot be read is left out; an error only where there are rows and none can be read.
    fn parse_conversations(&self, body: &str, me: &str) -> Result<ConversationPage, String> {
        let (rows, has_more) = records::list(body, "conversations")?;
        let mut conversations = Vec::with_capacity(rows.len());
        let mut malformed = Vec::new();
        for (index, raw) in rows.into_iter().enumerate() {
            match Fields::read(raw).and_then(|record| record.finish(records::conversation(&record, Some(me))))
            {
                Ok(conversation) => conversations.push(conversation),
                Err(wrong) => malformed.push(wrong.at(&records::row_name("conversations", index))),
            }
        }
        if conversations.is_empty() && !malformed.is_empty() {
            return Err(malformed.swap_remove(0));
        }
        Ok(ConversationPage { conversations, malformed, has_more })
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
        let (rows, has_more) = records::list(body, "messages")?;
        let mut page = Page { messages: Vec::with_capacity(rows.len()), has_more, malformed: Vec::new() };
        for (index, raw) in rows.into_iter().enumerate() {
            match Fields::read(raw).and_then(|record| record.finish(records::message(&record))) {
                Ok(message) => page.messages.push(message),
                Err(wrong) => page.malformed.push(wrong.at(&records::row_name("messages", index))),
            }
        }
        Ok(page)
    }

    /// T6.
    fn create_direct(&self, user_id: &str) -> RestRequest {
        post("/conversations/direct", Body::new().text("user_id", user_id))
    }

    /// T7.
    fn create_group(&self, title: &str, members: &[String]) -> RestRequest {
        let mut ids = String::from("[");
        for member in members {
            if ids.len() > 1 {
                ids.push(',');
            }
            json::push_json_string(&mut ids, member);
        }
        ids.push(']');
        post("/conversations/group", Body::new().text("title", title).raw("participant_ids", &ids))
    }

    fn parse_created(&self, status: u16, body: &str, me: &str) -> Result<Created, Failure> {
        let record = json::parse(body, 0).ok().and_then(|raw| Fields::read(raw).ok());
        match (status, record) {
            (200..300, Some(record)) => read_created(&record, me)
                .map_err(|wrong| Failure::new(ErrorCode::Protocol, wrong.at("created conversation"))),
            (200..300, None) => {
                Err(Failure::new(ErrorCode::Protocol, "created conversation: must be an object"))
            }
            (409, Some(record)) => Ok(read_found(&record, me)),
            (409, None) => Ok(Created::FoundSomewhere),
            _ => Err(self.parse_failure(status, body).0),
        }
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
    Push { event: event.to_owned(), args, ack: false }
}

fn get(path: String) -> RestRequest {
    RestRequest { method: "GET", path, body: None }
}

fn get_messages(conversation_id: &str, query: &[(&str, u64)]) -> RestRequest {
    let mut path = String::from("/messages/");
    push_segment(&mut path, conversation_id);
    push_query(&mut path, query);
    get(path)
}

fn post(path: &str, body: Body) -> RestRequest {
    RestRequest { method: "POST", path: path.to_owned(), body: Some(body.finish()) }
}

fn push_query(path: &mut String, query: &[(&str, u64)]) {
    for (index, (name, value)) in query.iter().enumerate() {
        path.push(if index == 0 { '?' } else { '&' });
        path.push_str(name);
        path.push('=');
        json::push_uint(path, *value);
    }
}

fn read_message(payload: &Fields<'_>) -> Incoming {
    Incoming::Message(records::message(payload))
}

fn read_update(payload: &Fields<'_>) -> Incoming {
    Incoming::Updated(records::message(payload))
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
    Incoming::Conversation(conversation_in(payload, None))
}

/// A conversation by itself or under its name.
fn conversation_in(record: &Fields<'_>, me: Option<&str>) -> Box<ServerConversation> {
    let Some(within) = record.object("conversation") else {
        return records::conversation(record, me);
    };
    let conversation = records::conversation(&within, me);
    record.heed(&within);
    conversation
}

/// D2. A user without an id is nobody's word for anybody.
fn read_hello(payload: &Fields<'_>) -> Incoming {
    let Some(declared) = payload.object("capabilities") else {
        payload.fail("capabilities", IS_MISSING);
        return Incoming::Other;
    };
    let user_id = payload.object("user").map(|user| {
        let id = user.required_id("id");
        payload.heed(&user);
        id
    });
    let capabilities = CapabilityPatch {
        keys: declared.flag("keys"),
        answers: None,
        cursor: declared.flag("cursor"),
        ordered_window: declared.flag("ordered_window"),
        receipts: declared.flag("receipts"),
        max_payload: declared.count("max_payload"),
    };
    payload.heed(&declared);
    Incoming::Hello { capabilities, user_id }
}

fn read_created(record: &Fields<'_>, me: &str) -> Result<Created, Wrong> {
    record.finish(conversation_in(record, Some(me))).map(Created::Conversation)
}

/// What a conflict says about the conversation that exists already: all of it, its id, or nothing (T6).
fn read_found(record: &Fields<'_>, me: &str) -> Created {
    if let Some(within) = record.object("conversation")
        && let Ok(conversation) = within.finish(records::conversation(&within, Some(me)))
    {
        return Created::Conversation(conversation);
    }
    for (within, field) in
        [("", "conversation"), ("conversation", "id"), ("error", "conversation_id"), ("", "conversation_id")]
    {
        if let Some(id) = id_within(record, within, field) {
            return Created::Found(id);
        }
    }
    Created::FoundSomewhere
}

/// An id in a record, or in an object within it.
fn id_within(record: &Fields<'_>, within: &'static str, field: &'static str) -> Option<String> {
    if within.is_empty() { record.id(field) } else { record.object(within)?.id(field) }
}
