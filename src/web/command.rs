//! Commands from the JSON that the package writes: `{"send":{…}}`, camelCase.
//!
//! Law: what is wrong is told by the names of command and field and by what is allowed, never by a value, which may
//! be a message's text. Written by hand over the core's own reader of JSON: `serde`'s derive of the same costs 8 KB
//! of the compressed wasm, a copy of the parser for each command.

use crate::proto::wire::json::{self, Kind, Object, RawValue};
use crate::proto::{Command, ErrorCode, Failure, Json, SendCommand};

/// What is wrong, with the command's name still to be added.
type Field<T> = Result<T, String>;

/// Reads one command.
///
/// # Errors
/// Code `validation`: names the command, the field and what is allowed.
pub fn parse(text: &str) -> Result<Command, Failure> {
    let wrong = |text: String| Failure::new(ErrorCode::Validation, text);
    let outer = json::parse(text, 0).ok().and_then(Object::read);
    let outer =
        outer.ok_or_else(|| wrong("a command is a JSON object, such as {\"connect\":{}}".to_owned()))?;
    let mut commands = outer.iter();
    let (Some((name, fields)), None) = (commands.next(), commands.next()) else {
        return Err(wrong("a command is an object with one field, its name".to_owned()));
    };
    let named = |what: &str| {
        let name: String = name.chars().take(40).collect();
        wrong(format!("command `{name}`: {what}"))
    };
    let fields = Fields(Object::read(fields).ok_or_else(|| named("its fields must be an object"))?);
    match fields.command(name) {
        Ok(Some(command)) => Ok(command),
        Ok(None) => Err(named("there is no such command")),
        Err(what) => Err(named(&what)),
    }
}

struct Fields<'a>(Object<'a>);

impl Fields<'_> {
    fn command(&self, name: &str) -> Field<Option<Command>> {
        Ok(Some(match name {
            "connect" => Command::Connect {},
            "disconnect" => Command::Disconnect {},
            "close" => Command::Close {},
            "outbox" => Command::Outbox {},
            "wipe" => Command::Wipe {},
            "send" => Command::Send(self.send()?),
            "acknowledged" => Command::Acknowledged { key: self.text("key")? },
            "cancel" => Command::Cancel { key: self.text("key")? },
            "resend" => Command::Resend { key: self.text("key")? },
            "discard" => Command::Discard { key: self.text("key")? },
            "openTimeline" => Command::OpenTimeline {
                view: self.count("view")?,
                conversation_id: self.text("conversationId")?,
            },
            "closeTimeline" => Command::CloseTimeline { view: self.count("view")? },
            "loadEarlier" => Command::LoadEarlier { view: self.count("view")?, count: self.count("count")? },
            "setTyping" => Command::SetTyping {
                conversation_id: self.text("conversationId")?,
                typing: self.flag("typing")?,
            },
            "markRead" => Command::MarkRead {
                conversation_id: self.text("conversationId")?,
                row_key: self.text("rowKey")?,
            },
            "createDirect" => Command::CreateDirect { user_id: self.text("userId")? },
            "createGroup" => {
                Command::CreateGroup { title: self.text("title")?, members: self.texts("members")? }
            }
            "wireSend" => Command::WireSend {
                event: self.text("event")?,
                args: self.given("args").ok_or_else(|| is_missing("args"))?.into(),
                ack: self.flag("ack")?,
                timeout_ms: self.given("timeoutMs").map(|_| self.count("timeoutMs")).transpose()?,
            },
            _ => return Ok(None),
        }))
    }

    fn send(&self) -> Field<SendCommand> {
        Ok(SendCommand {
            conversation_id: self.text("conversationId")?,
            text: self.text("text")?,
            kind: self.optional_text("type")?,
            metadata: self.given("metadata").map(Json::from),
            reply_to: self.optional_text("replyTo")?,
            ttl_ms: self
                .given("ttlMs")
                .map(|raw| json::uint(raw).ok_or_else(|| is_no_count("ttlMs")))
                .transpose()?,
            key: self.optional_text("key")?,
        })
    }

    /// A field that is there and not `null`.
    fn given(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).filter(|raw| json::kind(raw) != Kind::Null)
    }

    fn optional_text(&self, name: &str) -> Field<Option<String>> {
        let text = |raw| json::string(raw).ok_or_else(|| format!("field `{name}` must be a string"));
        self.given(name).map(text).transpose().map(|text| text.map(Into::into))
    }

    fn text(&self, name: &str) -> Field<String> {
        self.optional_text(name)?.ok_or_else(|| is_missing(name))
    }

    fn texts(&self, name: &str) -> Field<Vec<String>> {
        let list = self.given(name).and_then(json::array);
        let texts =
            list.and_then(|list| list.into_iter().map(|raw| Some(json::string(raw)?.into_owned())).collect());
        texts.ok_or_else(|| format!("field `{name}` must be an array of strings"))
    }

    fn count(&self, name: &str) -> Field<u32> {
        let number = self.given(name).and_then(json::uint);
        number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| is_no_count(name))
    }

    fn flag(&self, name: &str) -> Field<bool> {
        self.given(name)
            .and_then(json::boolean)
            .ok_or_else(|| format!("field `{name}` must be true or false"))
    }
}

fn is_missing(name: &str) -> String {
    format!("field `{name}` is missing")
}

fn is_no_count(name: &str) -> String {
    format!("field `{name}` must be a whole number from 0")
}
