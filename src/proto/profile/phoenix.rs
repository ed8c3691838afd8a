//! `phoenix`: Phoenix Channels and REST under `/api` (WIRES.md, section P).
//!
//! Law: a conversation is a topic. Names and shapes are those of the facts; reading is wider than writing, as with `team`.

use super::fields::{Body, Fields, IS_MISSING, push_query};
use super::records::{self, Names};
use super::{
    Answer, Capabilities, ConversationPage, Created, Failure, Incoming, Outgoing, OutgoingChange, Page,
    Profile, Push, RestRequest, Sending, Status, created, errors,
};
use crate::proto::model::ChangeKind;
use crate::proto::text::{concat, push_percent_encoded};
use crate::proto::wire::json;
use crate::proto::wire::json::RawValue;

#[cfg(test)]
mod tests;

const NAMES: Names<'static> = Names {
    id: "id",
    conversation_id: "conversation_id",
    in_conversation: None,
    sender_id: "sender_id",
    content_optional: false,
    content: "content",
    is_base64: false,
    key: "client_id",
    kind: "type",
    created_at: "inserted_at",
    conversation_kind: "kind",
    members: "members",
    member_id: "id",
    member_name: "name",
};

const CONVERSATION: &str = "conversation:";

/// P6. No topic: what came for the user.
fn is_ours(topic: &str) -> bool {
    topic.is_empty() || topic.starts_with(CONVERSATION) || topic.starts_with("user:")
}

/// The reply to the join of a conversation's topic, which says how far it goes, or to that of the user's, which says what the
/// server gives.
pub(super) fn joined(conversation_id: Option<&str>, response: &RawValue) -> Incoming {
    let Ok(reply) = Fields::read(response) else { return Incoming::Other };
    let told = match conversation_id {
        Some(id) => Incoming::Joined { conversation_id: id.to_owned(), last_seq: reply.count("seq") },
        None => match reply.object("capabilities") {
            Some(declared) => {
                let capabilities = records::capabilities(&declared);
                reply.heed(&declared);
                Incoming::Hello { capabilities, user_id: reply.id("user_id") }
            }
            None => Incoming::Other,
        },
    };
    reply.finish(told).unwrap_or_else(|wrong| Incoming::Malformed(wrong.at("reply to phx_join")))
}

/// Conversations in one page of the list.
const CONVERSATIONS_LIMIT: u64 = 100;

/// The vocabulary of chats on Phoenix Channels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phoenix;

impl Phoenix {
    /// An answer as Socket.IO servers give it (D3).
    #[cfg(feature = "socket-io")]
    pub(super) fn answer_of_ack(key: &str, args: &[&RawValue]) -> Answer {
        errors::answer(key, args, &|row| records::message(row, &NAMES), &errors::STANDARD_ANSWER)
    }
}

impl Profile for Phoenix {
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

    /// P7.
    fn send(&self, message: Outgoing<'_>) -> Push {
        let mut body = Body::new()
            .text("client_id", message.key)
            .text("content", message.text)
            .text("type", message.kind);
        if let Some(metadata) = message.metadata {
            body = body.raw("metadata", metadata.text());
        }
        if let Some(id) = message.reply_to_id {
            body = body.text("reply_to", id);
        }
        Push { ack: true, ..push(message.conversation_id, "message:send", body) }
    }

    fn answer(&self, key: &str, status: Option<&str>, args: &[&RawValue]) -> Answer {
        errors::reply(key, status.unwrap_or_default(), args.first().copied(), &NAMES)
    }

    /// D7.
    fn change(&self, change: OutgoingChange<'_>) -> Sending {
        let body = Body::new().text("id", change.id);
        let (event, body) = match change.kind {
            ChangeKind::Edit => ("message:update", body.text("content", change.text)),
            ChangeKind::Remove => ("message:delete", body),
            ChangeKind::React => ("message:react", body.text("emoji", change.text).text("op", "add")),
            ChangeKind::Unreact => ("message:react", body.text("emoji", change.text).text("op", "remove")),
        };
        Sending::Push(Push { ack: true, ..push(change.conversation_id, event, body) })
    }

    fn parse_change(&self, _kind: ChangeKind, status: u16, body: &str) -> Answer {
        let (failure, retry_after_ms) = errors::rest_failure(status, body);
        Answer::Refused { failure, retry_after_ms }
    }

    /// P8, D7. But for new messages, what stands on the conversation's topic need not name it.
    fn incoming(&self, topic: &str, event: &str, args: &[&RawValue]) -> Incoming {
        let read = match event {
            // A topic of the application's own has events of its own.
            _ if !is_ours(topic) => return Incoming::Other,
            "message:new" => read_message,
            "message:update" => read_update,
            "message:delete" => read_deletion,
            "message:read" => read_receipt,
            "message:react" => read_reaction,
            "typing" => read_typing,
            "conversation:new" | "conversation:update" => read_conversation,
            _ => return Incoming::Other,
        };
        let conversation_id = self.conversation_of(topic).unwrap_or_default();
        Fields::of(args)
            .and_then(|payload| payload.finish(read(&payload, conversation_id)))
            .unwrap_or_else(|wrong| Incoming::Malformed(wrong.at(event)))
    }

    /// P6.
    fn topic(&self, conversation_id: &str) -> Option<String> {
        Some(concat(&[CONVERSATION, conversation_id]))
    }

    fn conversation_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(CONVERSATION)
    }

    /// D7.
    fn join_params(&self, last_seq: Option<u64>) -> String {
        let body = Body::new();
        match last_seq {
            Some(seq) => body.raw("last_seq", &json::decimal(seq)),
            None => body,
        }
        .finish()
    }

    /// D2, D7.
    fn joined(&self, topic: &str, response: &RawValue) -> Incoming {
        if is_ours(topic) { joined(self.conversation_of(topic), response) } else { Incoming::Other }
    }

    /// Presence is the server's to track (P5).
    fn presence(&self, _online: bool) -> Option<Push> {
        None
    }

    fn typing(&self, conversation_id: &str, typing: bool) -> Option<Push> {
        let body = Body::new().raw("is_typing", if typing { "true" } else { "false" });
        Some(push(conversation_id, "typing", body))
    }

    /// No word of it on this wire (the table of capabilities).
    fn delivered(&self, _conversation_id: &str, _message_id: &str) -> Option<Push> {
        None
    }

    fn read(&self, conversation_id: &str, message_id: &str) -> Option<Push> {
        Some(push(conversation_id, "message:read", Body::new().text("up_to", message_id)))
    }

    /// P9.
    fn list_conversations(&self, offset: u32) -> RestRequest {
        let mut path = String::from("/conversations");
        if offset > 0 {
            push_query(&mut path, &[("limit", CONVERSATIONS_LIMIT), ("offset", u64::from(offset))]);
        }
        RestRequest { method: "GET", path, body: None }
    }

    fn parse_conversations(&self, body: &str, me: &str) -> Result<ConversationPage, String> {
        records::conversations(body, &NAMES, me)
    }

    fn gives_marks(&self) -> bool {
        true
    }

    /// P9: marks are opaque, and a conversation's own.
    fn messages_following(&self, conversation_id: &str, mark: Option<&str>, limit: u32) -> RestRequest {
        let mut path = String::from("/sync?conversation_id=");
        push_percent_encoded(&mut path, conversation_id);
        if let Some(mark) = mark {
            path.push_str("&cursor=");
            push_percent_encoded(&mut path, mark);
        }
        path.push_str("&limit=");
        json::push_uint(&mut path, u64::from(limit));
        RestRequest { method: "GET", path, body: None }
    }

    fn messages_after(&self, conversation_id: &str, _seq: u64, limit: u32) -> RestRequest {
        self.messages_following(conversation_id, None, limit)
    }

    fn messages_page(&self, conversation_id: &str, _offset: u32, limit: u32) -> RestRequest {
        self.messages_following(conversation_id, None, limit)
    }

    fn parse_page(&self, body: &str) -> Result<Page, String> {
        records::page(body, &NAMES)
    }

    fn create_direct(&self, user_id: &str) -> RestRequest {
        create(Body::new().text("kind", "direct").text("user_id", user_id))
    }

    fn create_group(&self, title: &str, members: &[String]) -> RestRequest {
        create(Body::new().text("kind", "group").text("title", title).texts("participant_ids", members))
    }

    fn parse_created(&self, status: u16, body: &str, me: &str) -> Result<Created, Failure> {
        created::parse(status, body, &NAMES, me)
    }

    fn parse_failure(&self, status: u16, body: &str) -> (Failure, Option<u64>) {
        errors::rest_failure(status, body)
    }
}

fn push(conversation_id: &str, event: &str, body: Body) -> Push {
    let topic = concat(&[CONVERSATION, conversation_id]);
    Push { topic, event: event.to_owned(), args: vec![body.finish()], ..Push::default() }
}

fn create(body: Body) -> RestRequest {
    RestRequest { method: "POST", path: String::from("/conversations"), body: Some(body.finish()) }
}

fn read_message(payload: &Fields<'_>, _topic: &str) -> Incoming {
    Incoming::Message(records::message(payload, &NAMES))
}

/// D7: the whole row, or its id and content alone.
fn read_update(payload: &Fields<'_>, topic: &str) -> Incoming {
    Incoming::Updated(records::update(payload, &NAMES, topic))
}

fn conversation_of(payload: &Fields<'_>, topic: &str) -> Option<String> {
    payload.id("conversation_id").or_else(|| (!topic.is_empty()).then(|| topic.to_owned()))
}

fn read_deletion(payload: &Fields<'_>, topic: &str) -> Incoming {
    Incoming::Deleted {
        message_id: payload.required_id("id"),
        conversation_id: conversation_of(payload, topic),
    }
}

fn read_receipt(payload: &Fields<'_>, topic: &str) -> Incoming {
    Incoming::Status {
        message_id: payload.required_id("up_to"),
        conversation_id: conversation_of(payload, topic),
        user_id: payload.id("user_id"),
        status: Status::Read,
        through: true,
    }
}

fn read_reaction(payload: &Fields<'_>, _topic: &str) -> Incoming {
    let op = payload.required("op", payload.text("op"));
    if !matches!(op.as_ref(), "add" | "remove") {
        payload.fail("op", "must be `add` or `remove`");
    }
    Incoming::Reaction {
        message_id: payload.required_id("id"),
        emoji: payload.required("emoji", payload.text("emoji")).into_owned(),
        user_id: payload.required_id("user_id"),
        added: op == "add",
    }
}

fn read_typing(payload: &Fields<'_>, topic: &str) -> Incoming {
    Incoming::Typing {
        conversation_id: conversation_of(payload, topic),
        user_id: payload.required_id("user_id"),
        typing: payload.required("is_typing", payload.flag("is_typing")),
    }
}

fn read_conversation(payload: &Fields<'_>, _topic: &str) -> Incoming {
    if payload.get("conversation").is_none() && payload.get("id").is_none() {
        payload.fail("conversation", IS_MISSING);
    }
    Incoming::Conversation(records::conversation_in(payload, &NAMES, None))
}
