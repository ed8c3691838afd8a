//! Commands from the JSON that the package writes: `{"send":{…}}`, camelCase.
//!
//! Law: what is wrong is told by the names of command and field and by what is allowed, never by a value, which may
//! be a message's text. Written by hand over the core's own reader of JSON: `serde`'s derive of the same costs 8 KB
//! of the compressed wasm, a copy of the parser for each command.

use std::cell::RefCell;

use crate::proto::first_chars;
use crate::proto::text::concat;
use crate::proto::wire::base64;
use crate::proto::wire::json::{self, Kind, Object, RawValue};
use crate::proto::{
    ChangeCommand, ChangeKind, Command, DraftCommand, ErrorCode, Failure, Json, SendCommand, WireData,
};

/// Reads one command.
///
/// # Errors
/// Code `validation`: names the command, the field and what is allowed.
pub fn parse(text: &str) -> Result<Command, Failure> {
    let outer = json::parse(text, 0).ok().and_then(Object::read);
    let Some(outer) = outer else {
        return Err(wrong("a command is a JSON object, such as {\"connect\":{}}".to_owned()));
    };
    let mut commands = outer.iter();
    let (Some((name, fields)), None) = (commands.next(), commands.next()) else {
        return Err(wrong("a command is an object with one field, its name".to_owned()));
    };
    let Some(object) = Object::read(fields) else {
        return Err(named(name, "its fields must be an object"));
    };
    let fields = Fields { object, wrong: RefCell::default() };
    let command = fields.command(name);
    match (fields.wrong.into_inner(), command) {
        (Some(what), _) => Err(named(name, &what)),
        (None, Some(command)) => Ok(command),
        (None, None) => Err(named(name, "there is no such command")),
    }
}

fn named(name: &str, what: &str) -> Failure {
    wrong(concat(&["command `", first_chars(name, 40), "`: ", what]))
}

fn wrong(text: String) -> Failure {
    Failure::new(ErrorCode::Validation, text)
}

/// The fields of one command. What is wrong is kept aside, as in the reader of options.
struct Fields<'a> {
    object: Object<'a>,
    wrong: RefCell<Option<String>>,
}

impl Fields<'_> {
    fn command(&self, name: &str) -> Option<Command> {
        Some(match name {
            "connect" => Command::Connect {},
            "disconnect" => Command::Disconnect {},
            "close" => Command::Close {},
            "outbox" => Command::Outbox {},
            "wipe" => Command::Wipe {},
            "send" => Command::Send(self.send()),
            "acknowledged" => Command::Acknowledged { key: self.text("key") },
            "cancel" => Command::Cancel { key: self.text("key") },
            "resend" => Command::Resend { key: self.text("key") },
            "discard" => Command::Discard { key: self.text("key") },
            "openTimeline" => Command::OpenTimeline {
                view: self.count("view"),
                conversation_id: self.text("conversationId"),
            },
            "closeTimeline" => Command::CloseTimeline { view: self.count("view") },
            "loadEarlier" => Command::LoadEarlier { view: self.count("view"), count: self.count("count") },
            "loadLater" => Command::LoadLater { view: self.count("view"), count: self.count("count") },
            "jumpTo" => Command::JumpTo { view: self.count("view"), row_key: self.text("rowKey") },
            "toNewest" => Command::ToNewest { view: self.count("view") },
            "fillGaps" => Command::FillGaps { view: self.count("view") },
            "setDraft" => Command::SetDraft(DraftCommand {
                conversation_id: self.text("conversationId"),
                text: self.text("text"),
            }),
            "setTyping" => Command::SetTyping {
                conversation_id: self.text("conversationId"),
                typing: self.flag("typing"),
            },
            "markRead" => Command::MarkRead {
                conversation_id: self.text("conversationId"),
                row_key: self.text("rowKey"),
            },
            "exportConversation" => Command::ExportConversation {
                conversation_id: self.text("conversationId"),
                json: self.flag("json"),
            },
            "edit" => self.change(ChangeKind::Edit, "text"),
            "remove" => self.change(ChangeKind::Remove, ""),
            "react" => self.change(ChangeKind::React, "emoji"),
            "unreact" => self.change(ChangeKind::Unreact, "emoji"),
            "forward" => Command::Forward {
                row_key: self.text("rowKey"),
                conversation_id: self.text("conversationId"),
            },
            "createDirect" => Command::CreateDirect { user_id: self.text("userId") },
            "createGroup" => {
                Command::CreateGroup { title: self.text("title"), members: self.texts("members") }
            }
            "wireSend" => Command::WireSend {
                event: self.text("event"),
                topic: self.optional_text("topic").unwrap_or_default(),
                payload: self.wire_data(),
                ack: self.flag("ack"),
                timeout_ms: self.given("timeoutMs").map(|_| self.count("timeoutMs")),
            },
            "wireTopic" => {
                Command::WireTopic { topic: self.text("topic"), params: self.given("params").map(Json::from) }
            }
            "wireReceive" => Command::WireReceive {
                event: self.text("event"),
                values: self.given("values").map_or_else(Json::null, Json::from),
            },
            "wireAnswer" => Command::WireAnswer { ack_id: self.number("ackId"), payload: self.wire_data() },
            _ => return None,
        })
    }

    /// `json`, and the bytes that its placeholders stand for.
    fn wire_data(&self) -> WireData {
        let mut attachments = Vec::new();
        let given = self.given("attachments").map(|_| self.texts("attachments"));
        for text in given.unwrap_or_default() {
            match base64::decode(&text) {
                Some(bytes) => attachments.push(bytes),
                None => self.refuse("attachments", "must be base64"),
            }
        }
        let json = self.object.get("json");
        if json.is_none() {
            self.refuse("json", "is missing");
        }
        WireData { json: json.map(Json::from).unwrap_or_else(Json::null), attachments }
    }

    /// `text` is what its field is called; empty: there is none.
    fn change(&self, kind: ChangeKind, text: &str) -> Command {
        let row_key = self.text("rowKey");
        let text = if text.is_empty() { String::new() } else { self.text(text) };
        Command::Change(ChangeCommand { kind, row_key, text })
    }

    fn send(&self) -> SendCommand {
        SendCommand {
            conversation_id: self.text("conversationId"),
            text: self.text("text"),
            kind: self.optional_text("type"),
            metadata: self.given("metadata").map(Json::from),
            reply_to: self.optional_text("replyTo"),
            ttl_ms: self.given("ttlMs").map(|_| self.number("ttlMs")),
            key: self.optional_text("key"),
        }
    }

    /// A field that is there and not `null`.
    fn given(&self, name: &str) -> Option<&RawValue> {
        self.object.get(name).filter(|raw| json::kind(raw) != Kind::Null)
    }

    fn needed(&self, name: &str) -> Option<&RawValue> {
        let given = self.given(name);
        if given.is_none() {
            self.refuse(name, "is missing");
        }
        given
    }

    #[inline(never)]
    fn refuse(&self, name: &str, what: &str) {
        self.wrong.borrow_mut().get_or_insert(concat(&["field `", name, "` ", what]));
    }

    fn optional_text(&self, name: &str) -> Option<String> {
        let text = json::string(self.given(name)?);
        if text.is_none() {
            self.refuse(name, "must be a string");
        }
        text.map(Into::into)
    }

    fn text(&self, name: &str) -> String {
        match self.needed(name) {
            Some(_) => self.optional_text(name).unwrap_or_default(),
            None => String::new(),
        }
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        let list = self.given(name).and_then(json::array);
        let count = list.as_ref().map(Vec::len);
        for raw in list.unwrap_or_default() {
            if let Some(text) = json::string(raw) {
                texts.push(text.into_owned());
            }
        }
        if count != Some(texts.len()) {
            self.refuse(name, "must be an array of strings");
        }
        texts
    }

    fn number(&self, name: &str) -> u64 {
        let number = self.given(name).and_then(json::uint);
        if number.is_none() {
            self.refuse(name, "must be a whole number from 0");
        }
        number.unwrap_or_default()
    }

    fn count(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).unwrap_or_else(|_| {
            self.refuse(name, "must be a whole number from 0");
            0
        })
    }

    fn flag(&self, name: &str) -> bool {
        let flag = self.given(name).and_then(json::boolean);
        if flag.is_none() {
            self.refuse(name, "must be true or false");
        }
        flag == Some(true)
    }
}
