//! `assistant`: one conversation with an AI assistant, in plain JSON frames (WIRES.md, section A).
//!
//! Law: there is one conversation, and the backend tells nothing of it: neither a list nor its history. What it gives beside
//! its messages (keys, answers) it declares; without that a send is done when its frame has left.

use super::fields::{Body, Fields};
use super::{
    Answer, Capabilities, ConversationPage, Created, Failure, Incoming, Outgoing, OutgoingChange, Page,
    Profile, Push, RestRequest, Sending, ServerMessage, errors, records,
};
use crate::proto::config::Config;
use crate::proto::model::{ChangeKind, ConversationKind, Sender};
use crate::proto::wire::json::{self, RawValue};
use crate::proto::wire::typed;

#[cfg(test)]
mod tests;

/// The conversation, and who answers in it.
const ASSISTANT: &str = "assistant";

/// The vocabulary of the assistant's app.
#[derive(Clone, Debug)]
pub struct Assistant {
    user_id: String,
    timezone: String,
}

impl Assistant {
    /// Frames name the user and the time zone (A3).
    pub fn new(config: &Config) -> Self {
        Self { user_id: config.user_id.clone(), timezone: config.timezone.clone() }
    }
}

impl Profile for Assistant {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            keys: false,
            answers: false,
            cursor: false,
            ordered_window: false,
            receipts: false,
            max_payload: None,
        }
    }

    fn unlisted(&self) -> Option<ConversationKind> {
        Some(ConversationKind::Assistant)
    }

    fn only_conversation(&self) -> Option<&'static str> {
        Some(ASSISTANT)
    }

    /// A3, A4. Answers come as events (A6).
    fn send(&self, message: Outgoing<'_>) -> Push {
        let mut body = Body::new()
            .text("commandType", "text_command")
            .text("message", message.text)
            .text("userId", &self.user_id);
        if !self.timezone.is_empty() {
            body = body.text("userTimezone", &self.timezone);
        }
        if let Some(metadata) = message.metadata {
            body = body.raw("metadata", metadata.text());
        }
        let body = body.text("clientMessageId", message.key).finish();
        let timestamp = json::decimal(message.created_at_ms.max(0).unsigned_abs());
        Push { event: "command".to_owned(), args: vec![body, timestamp], ..Push::default() }
    }

    /// Nothing is answered by its number on this wire.
    fn answer(&self, _key: &str, _status: Option<&str>, _args: &[&RawValue]) -> Answer {
        Answer::Stored(None)
    }

    fn can_change(&self, _kind: ChangeKind) -> bool {
        false
    }

    fn change(&self, _change: OutgoingChange<'_>) -> Sending {
        Sending::Push(Push::default())
    }

    fn parse_change(&self, _kind: ChangeKind, status: u16, body: &str) -> Answer {
        let (failure, retry_after_ms) = errors::rest_failure(status, body);
        Answer::Refused { failure, retry_after_ms }
    }

    /// A6, D2.
    fn incoming(&self, _topic: &str, event: &str, args: &[&RawValue]) -> Incoming {
        let read: &dyn Fn(&Fields<'_>) -> Incoming = match event {
            typed::MESSAGE => &|record| self.message(record),
            "typing" => &typing,
            "ack" => &ack,
            typed::HELLO => &hello,
            typed::ERROR => {
                let (failure, retry_after_ms, key) = errors::told(args.first().copied());
                return Incoming::Failed { key, failure, retry_after_ms };
            }
            _ => return Incoming::Other,
        };
        Fields::of(args)
            .and_then(|payload| payload.finish(read(&payload)))
            .unwrap_or_else(|wrong| Incoming::Malformed(wrong.at(event)))
    }

    fn presence(&self, _online: bool) -> Option<Push> {
        None
    }

    /// No word of it on this wire, and none of the two that follow.
    fn typing(&self, _conversation_id: &str, _typing: bool) -> Option<Push> {
        None
    }

    fn delivered(&self, _conversation_id: &str, _message_id: &str) -> Option<Push> {
        None
    }

    fn read(&self, _conversation_id: &str, _message_id: &str) -> Option<Push> {
        None
    }

    fn list_conversations(&self, _offset: u32) -> RestRequest {
        no_request()
    }

    fn parse_conversations(&self, _body: &str, _me: &str) -> Result<ConversationPage, String> {
        Ok(ConversationPage::default())
    }

    fn messages_after(&self, _conversation_id: &str, _seq: u64, _limit: u32) -> RestRequest {
        no_request()
    }

    fn messages_page(&self, _conversation_id: &str, _offset: u32, _limit: u32) -> RestRequest {
        no_request()
    }

    fn parse_page(&self, _body: &str) -> Result<Page, String> {
        Ok(Page { messages: Vec::new(), has_more: Some(false), mark: None, malformed: Vec::new() })
    }

    fn create_direct(&self, _user_id: &str) -> RestRequest {
        no_request()
    }

    fn create_group(&self, _title: &str, _members: &[String]) -> RestRequest {
        no_request()
    }

    fn parse_created(&self, status: u16, body: &str, _me: &str) -> Result<Created, Failure> {
        Err(errors::rest_failure(status, body).0)
    }

    fn parse_failure(&self, status: u16, body: &str) -> (Failure, Option<u64>) {
        errors::rest_failure(status, body)
    }
}

impl Assistant {
    /// A5: by the user from this device or another, or by the assistant. Other senders are none of this wire.
    fn message(&self, record: &Fields<'_>) -> Incoming {
        let (sender_id, sender) = match record.required("sender", record.text("sender")).as_ref() {
            "user" => (self.user_id.clone(), None),
            "ai" => (ASSISTANT.to_owned(), Some(Sender::Ai)),
            _ => {
                record.fail("sender", "must be `user` or `ai`");
                (String::new(), None)
            }
        };
        Incoming::Message(Box::new(ServerMessage {
            id: record.required_id("id"),
            // Who answers may name what is answered by its key.
            key: record.id("client_message_id").filter(|_| sender.is_none()),
            conversation_id: ASSISTANT.to_owned(),
            sender_id,
            sender,
            kind: record.text("type").map_or_else(|| "text".to_owned(), Into::into),
            text: record.required("content", record.text("content")).into_owned(),
            metadata: record.json("metadata"),
            created_at_ms: record.required("timestamp", record.time_ms("timestamp")),
            ..ServerMessage::default()
        }))
    }
}

fn typing(payload: &Fields<'_>) -> Incoming {
    Incoming::Typing {
        conversation_id: Some(ASSISTANT.to_owned()),
        user_id: ASSISTANT.to_owned(),
        typing: payload.required("is_typing", payload.flag("is_typing")),
    }
}

fn ack(payload: &Fields<'_>) -> Incoming {
    Incoming::Stored { key: payload.required_id("client_message_id"), id: payload.required_id("id") }
}

/// D2. This wire has no words for a cursor or for receipts, whatever a hello says.
fn hello(payload: &Fields<'_>) -> Incoming {
    let mut told = records::hello_of_json(payload);
    if let Incoming::Hello { capabilities, .. } = &mut told {
        (capabilities.cursor, capabilities.receipts) = (None, None);
    }
    told
}

/// Nothing is asked for beside the socket.
fn no_request() -> RestRequest {
    RestRequest { method: "GET", path: String::new(), body: None }
}
