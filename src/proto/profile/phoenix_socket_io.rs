//! `phoenix` over Socket.IO, for deployments that run it so (P12): the same events, with `topic` in the payload (D7).
//!
//! Law: everything is as on Phoenix Channels but for where the topic stands, how an answer comes, and that nothing is joined:
//! who hears what is the server's to know.

use super::fields::Fields;
use super::phoenix::Phoenix;
use super::{
    Answer, Capabilities, ConversationPage, Created, Failure, Incoming, Outgoing, OutgoingChange, Page,
    Profile, Push, RestRequest, Sending, errors, records,
};
use crate::proto::model::ChangeKind;
use crate::proto::wire::json::{self, RawValue};

#[cfg(test)]
mod tests;

/// The vocabulary of `phoenix`, on Socket.IO.
#[derive(Clone, Copy, Debug, Default)]
pub struct PhoenixOverSocketIo;

/// A push with its topic in its payload.
fn flattened(push: Push) -> Push {
    let mut args = Vec::new();
    for arg in &push.args {
        let mut payload = String::from("{\"topic\":");
        json::push_json_string(&mut payload, &push.topic);
        let members = arg.strip_prefix('{').unwrap_or("}");
        if !members.starts_with('}') {
            payload.push(',');
        }
        payload.push_str(members);
        args.push(payload);
    }
    Push { topic: String::new(), args, ..push }
}

impl Profile for PhoenixOverSocketIo {
    fn capabilities(&self) -> Capabilities {
        Phoenix.capabilities()
    }

    fn send(&self, message: Outgoing<'_>) -> Push {
        flattened(Phoenix.send(message))
    }

    /// An ack of Socket.IO has no status: it stands in it beside the `response` as Phoenix clients show it, or as
    /// `{success, data?, error?}` (D3), or what has no error is the reply itself (P7).
    fn answer(&self, key: &str, _status: Option<&str>, args: &[&RawValue]) -> Answer {
        let Ok(reply) = Fields::of(args) else { return Phoenix.answer(key, Some("ok"), args) };
        if let Some(status) = reply.text("status") {
            return Phoenix.answer(
                key,
                Some(&status),
                &reply.get("response").into_iter().collect::<Vec<_>>(),
            );
        }
        if reply.get("success").is_some() {
            return Phoenix::answer_of_ack(key, args);
        }
        match reply.get("error") {
            Some(error) => Phoenix.answer(key, Some("error"), &[error]),
            None => Phoenix.answer(key, Some("ok"), args),
        }
    }

    fn change(&self, change: OutgoingChange<'_>) -> Sending {
        match Phoenix.change(change) {
            Sending::Push(push) => Sending::Push(flattened(push)),
            rest => rest,
        }
    }

    fn parse_change(&self, kind: ChangeKind, status: u16, body: &str) -> Answer {
        Phoenix.parse_change(kind, status, body)
    }

    /// Another namespace has events of its own.
    fn incoming(&self, namespace: &str, event: &str, args: &[&RawValue]) -> Incoming {
        if !namespace.is_empty() {
            return Incoming::Other;
        }
        if event == records::HELLO {
            let read = Fields::of(args).and_then(|payload| payload.finish(records::hello(&payload)));
            return read.unwrap_or_else(|wrong| Incoming::Malformed(wrong.at(event)));
        }
        let topic = Fields::of(args).ok().and_then(|payload| payload.text("topic"));
        Phoenix.incoming(&topic.unwrap_or_default(), event, args)
    }

    fn presence(&self, online: bool) -> Option<Push> {
        Phoenix.presence(online).map(flattened)
    }

    fn typing(&self, conversation_id: &str, typing: bool) -> Option<Push> {
        Phoenix.typing(conversation_id, typing).map(flattened)
    }

    fn delivered(&self, conversation_id: &str, message_id: &str) -> Option<Push> {
        Phoenix.delivered(conversation_id, message_id).map(flattened)
    }

    fn read(&self, conversation_id: &str, message_id: &str) -> Option<Push> {
        Phoenix.read(conversation_id, message_id).map(flattened)
    }

    fn list_conversations(&self, offset: u32) -> RestRequest {
        Phoenix.list_conversations(offset)
    }

    fn parse_conversations(&self, body: &str, me: &str) -> Result<ConversationPage, String> {
        Phoenix.parse_conversations(body, me)
    }

    fn gives_marks(&self) -> bool {
        true
    }

    fn messages_following(&self, conversation_id: &str, mark: Option<&str>, limit: u32) -> RestRequest {
        Phoenix.messages_following(conversation_id, mark, limit)
    }

    fn messages_after(&self, conversation_id: &str, seq: u64, limit: u32) -> RestRequest {
        Phoenix.messages_after(conversation_id, seq, limit)
    }

    fn messages_page(&self, conversation_id: &str, offset: u32, limit: u32) -> RestRequest {
        Phoenix.messages_page(conversation_id, offset, limit)
    }

    fn parse_page(&self, body: &str) -> Result<Page, String> {
        Phoenix.parse_page(body)
    }

    fn create_direct(&self, user_id: &str) -> RestRequest {
        Phoenix.create_direct(user_id)
    }

    fn create_group(&self, title: &str, members: &[String]) -> RestRequest {
        Phoenix.create_group(title, members)
    }

    fn parse_created(&self, status: u16, body: &str, me: &str) -> Result<Created, Failure> {
        Phoenix.parse_created(status, body, me)
    }

    fn parse_failure(&self, status: u16, body: &str) -> (Failure, Option<u64>) {
        errors::rest_failure(status, body)
    }
}
