//! What a backend's events say, by what its fields are called.

use super::super::fields::{Fields, IS_MISSING};
use super::super::records::{self, Names};
use super::super::{Incoming, Sender, ServerMessage, Status};
use super::{Declared, Heard, Meaning};
use crate::proto::model::Json;
use crate::proto::wire::json::{self, Kind, RawValue};

impl Declared {
    /// `within`: the conversation that it is in, where the topic says it.
    pub(super) fn message<'a>(&'a self, record: &Fields<'a>, within: Option<&'a str>) -> Box<ServerMessage> {
        let names = &self.spec.message;
        let mut message = records::message(record, &Names { in_conversation: within, ..self.names() });
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

    pub(super) fn read<'a>(
        &'a self,
        heard: &'a Heard,
        payload: &Fields<'a>,
        within: Option<&'a str>,
    ) -> Incoming {
        let conversation_id = payload.id(&heard.conversation_id).or_else(|| within.map(str::to_owned));
        match heard.meaning {
            Meaning::Message => Incoming::Message(self.message(payload, within)),
            Meaning::Updated => Incoming::Updated(self.update(heard, payload, within)),
            #[cfg(feature = "several")]
            Meaning::Stored => Incoming::Stored {
                key: payload.required_id(&heard.key),
                id: payload.required_id(&heard.message_id),
            },
            // What it says is read as an answer.
            #[cfg(feature = "several")]
            Meaning::Failed => Incoming::Other,
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
    fn update<'a>(
        &'a self,
        heard: &'a Heard,
        payload: &Fields<'a>,
        within: Option<&'a str>,
    ) -> Box<ServerMessage> {
        let names = &self.spec.message;
        if payload.get(&names.sender_id).is_some() {
            return self.message(payload, within);
        }
        Box::new(ServerMessage {
            id: payload.required(&names.id, payload.id(&names.id).or_else(|| payload.id(&heard.message_id))),
            conversation_id: payload
                .id(&names.conversation_id)
                .or_else(|| within.map(str::to_owned))
                .unwrap_or_default(),
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
