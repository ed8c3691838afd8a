//! What a declared profile is spoken over beside Socket.IO: Phoenix Channels, where a conversation is a topic, and plain JSON
//! frames, where an answer is an event.

use super::super::fields::Fields;
use super::super::records::Names;
use super::super::{Answer, Incoming, errors, records};
use super::{Declared, Heard, Meaning};
use crate::proto::text::concat;
use crate::proto::wire::json::RawValue;
use crate::proto::wire::typed;

/// The framing, with what a profile says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Over {
    #[default]
    SocketIo,
    Phoenix(Topics),
    Json,
}

/// What topics are called (P6 has `user:{id}` and `conversation:{id}`).
#[derive(Clone, Debug, PartialEq)]
pub struct Topics {
    /// The user's own; `$userId` stands for the user.
    pub user: String,
    /// A conversation's, but for its id, with which it ends.
    pub conversation: String,
}

impl Topics {
    /// The user's own topic.
    pub fn of_user(&self, user_id: &str) -> String {
        match self.user.split_once("$userId") {
            Some((before, behind)) => concat(&[before, user_id, behind]),
            None => self.user.clone(),
        }
    }
}

impl Declared {
    /// Whether an answer comes to a push by its number, rather than as an event.
    pub(super) fn is_answered(&self) -> bool {
        self.spec.over != Over::Json
    }

    pub(super) fn topic_of(&self, conversation_id: &str) -> Option<String> {
        match &self.spec.over {
            Over::Phoenix(topics) if !conversation_id.is_empty() => {
                Some(concat(&[&topics.conversation, conversation_id]))
            }
            _ => None,
        }
    }

    pub(super) fn conversation_in<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let Over::Phoenix(topics) = &self.spec.over else { return None };
        topic.strip_prefix(topics.conversation.as_str()).filter(|id| !id.is_empty())
    }

    /// Whether the topic is one of the profile's; any other is the application's own.
    pub(super) fn is_ours(&self, topic: &str) -> bool {
        topic.is_empty()
            || self.conversation_in(topic).is_some()
            || matches!(&self.spec.over, Over::Phoenix(topics) if topic == topics.of_user(&self.user_id))
    }

    /// The reply of a Phoenix channel.
    pub(super) fn reply(&self, key: &str, status: &str, args: &[&RawValue]) -> Answer {
        // The topic named its conversation.
        errors::reply(
            key,
            status,
            args.first().copied(),
            &Names { in_conversation: Some(""), ..self.names() },
        )
    }

    /// An answer that comes as an event: `None`, where this is none.
    pub(super) fn answered(
        &self,
        event: &str,
        heard: Option<&Heard>,
        args: &[&RawValue],
    ) -> Option<Incoming> {
        if self.is_answered() {
            return None;
        }
        let failed = match heard {
            Some(heard) if heard.meaning == Meaning::Failed => Some(heard),
            None if event == typed::ERROR => None,
            None if event == typed::HELLO => {
                let read =
                    Fields::of(args).and_then(|payload| payload.finish(records::hello_of_json(&payload)));
                return Some(read.unwrap_or_else(|wrong| Incoming::Malformed(wrong.at(event))));
            }
            _ => return None,
        };
        let (failure, retry_after_ms, key) = errors::told(args.first().copied());
        let named = failed.and_then(|heard| Fields::of(args).ok()?.id(&heard.key));
        Some(Incoming::Failed { key: named.or(key), failure, retry_after_ms })
    }
}
