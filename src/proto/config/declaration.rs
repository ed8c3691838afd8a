//! Profiles that are declared: from the description of one (`defineProfile`, or built in) to its [`Spec`].
//!
//! Law: as with every option: what is absent is at its default, what is wrong is refused with its place.

use std::borrow::Cow;

use super::Reconnect;
use super::numbers::{RECONNECT, reconnect};
use super::parse::capabilities;
use super::reader::{Reader, Refused};
use crate::proto::model::ConversationKind;
use crate::proto::profile::{
    AnswerNames, BUILT_IN, Capabilities, Heard, MEANINGS, MessageNames, SAYINGS, Said, Spec, names_in,
};
#[cfg(feature = "several")]
use crate::proto::profile::{Over, Saying, Topics};
use crate::proto::text::{concat, join};
use crate::proto::wire::json::{self, Kind, kind};

/// Longest name of an event or a field, in characters.
const MAX_NAME_CHARS: usize = 128;

const FIELDS: &[&str] = &[
    "name",
    "framing",
    "capabilities",
    "auth",
    "reconnect",
    "conversations",
    "keysAreIds",
    "commands",
    "message",
    "answer",
    "events",
    #[cfg(feature = "several")]
    "topics",
];

/// A profile with what it says of connecting.
pub(super) struct Declaration {
    pub name: String,
    pub reconnect: Reconnect,
    /// `None`: the profile is written, not declared.
    pub spec: Option<Box<Spec>>,
}

/// The profile that the options name, or describe themselves.
pub(super) fn of(root: &Reader<'_>, name: &str) -> Declaration {
    for (built_in, text) in BUILT_IN {
        if built_in == name
            && let Ok(description) = json::parse(text, 0)
        {
            // What is built in is good: its test says so.
            return declared(&Reader::root(description, FIELDS, &Refused::default()));
        }
    }
    match root.get("profile").filter(|profile| kind(profile) == Kind::Object) {
        Some(_) => declared(&root.object("profile", FIELDS)),
        None => Declaration { name: name.to_owned(), reconnect: RECONNECT, spec: None },
    }
}

fn declared(reader: &Reader<'_>) -> Declaration {
    let name = reader.text("name", 64).unwrap_or_default().into_owned();
    if name.is_empty() {
        reader.wrong_as("name", "nothing", "a name for the profile, which its database is called by");
    }
    if !name.is_empty() && name.contains(char::is_control) {
        reader.wrong_as("name", "a text with a control character", "a name without");
    }
    #[cfg(feature = "several")]
    let over = over(reader);
    #[cfg(feature = "several")]
    check_carried(reader, &over);
    #[cfg(not(feature = "several"))]
    reader.choice("framing", &["socket.io"]);
    let patch = capabilities(reader);
    let given = |flag: Option<bool>| flag.unwrap_or(false);
    let spec = Spec {
        capabilities: Capabilities {
            keys: given(patch.keys),
            answers: given(patch.answers),
            cursor: given(patch.cursor),
            ordered_window: given(patch.ordered_window),
            receipts: given(patch.receipts),
            max_payload: patch.max_payload,
        },
        auth: template(reader, "auth", &["token", "userId"]).unwrap_or_default(),
        unlisted: match reader.choice("conversations", &["direct", "group", "listed"]) {
            Some("listed") => None,
            Some("group") => Some(ConversationKind::Group),
            _ => Some(ConversationKind::Direct),
        },
        keys_are_ids: reader.bool("keysAreIds").unwrap_or(false),
        said: commands(reader),
        heard: events(reader),
        message: message(reader),
        answer: answer(reader),
        #[cfg(feature = "several")]
        over,
    };
    Declaration { name, reconnect: reconnect(reader, &RECONNECT), spec: Some(Box::new(spec)) }
}

/// What it is spoken over, and what its topics are called there.
#[cfg(feature = "several")]
fn over(reader: &Reader<'_>) -> Over {
    let framing = reader.choice("framing", &["socket.io", "phoenix", "json"]);
    if let Some(auth) = reader.get("auth").filter(|_| matches!(framing, Some("phoenix" | "json"))) {
        reader.wrong("auth", auth, "nothing: on this framing the token goes as `tokenIn` says");
    }
    if framing != Some("phoenix") {
        if let Some(topics) = reader.get("topics") {
            reader.wrong("topics", topics, "nothing: only framing: \"phoenix\" has topics");
        }
        return if framing == Some("json") { Over::Json } else { Over::SocketIo };
    }
    let topics = reader.object("topics", &["user", "conversation"]);
    let user = name_in(&topics, "user", "user:$userId").into_owned();
    let named = name_in(&topics, "conversation", "conversation:$conversationId");
    let conversation = named.strip_suffix("$conversationId").unwrap_or_default().to_owned();
    if conversation.is_empty() {
        let allowed = "a word that ends with \"$conversationId\", as \"conversation:$conversationId\" does";
        topics.wrong_as("conversation", &concat(&["\"", &named, "\""]), allowed);
    } else if user.starts_with(&conversation) {
        topics.wrong_as("user", &concat(&["\"", &user, "\""]), "a topic that is no conversation's");
    }
    Over::Phoenix(Topics { user, conversation })
}

/// What the framing cannot carry is refused.
#[cfg(feature = "several")]
fn check_carried(reader: &Reader<'_>, over: &Over) {
    if *over == Over::SocketIo {
        return;
    }
    let commands = reader.object("commands", &SAYINGS.map(|(name, ..)| name));
    for (name, saying, _) in SAYINGS {
        if commands.get(name).is_none() {
            continue;
        }
        let command = commands.object(name, &["event", "payload"]);
        if let Some(payload) = command.get("payload").filter(|payload| kind(payload) == Kind::Array) {
            command.wrong("payload", payload, "an object: an event of this framing has one value");
        }
        if *over == Over::Json
            && matches!(saying, Saying::Edit | Saying::Remove | Saying::React | Saying::Unreact)
        {
            let allowed = "nothing: on framing: \"json\" no answer says that a message was changed";
            commands.wrong_as(name, "a command", allowed);
        }
    }
}

/// A template: an object whose `$names` are all known.
fn template(reader: &Reader<'_>, name: &str, known: &[&str]) -> Option<String> {
    let value = reader.get(name)?;
    if !matches!(kind(value), Kind::Object | Kind::Array) {
        reader.wrong(name, value, "an object or an array, in which \"$name\" stands for a value");
    }
    names_in(value, &mut |asked| {
        if !known.contains(&asked) {
            let got = concat(&["\"$", asked, "\""]);
            reader.wrong_as(name, &got, &concat(&["\"$", &join(known, "\" or \"$"), "\""]));
        }
    });
    Some(value.get().to_owned())
}

fn commands(reader: &Reader<'_>) -> Vec<Said> {
    let known = SAYINGS.map(|(name, ..)| name);
    let commands = reader.object("commands", &known);
    let mut said = Vec::new();
    for (name, saying, values) in SAYINGS {
        if commands.get(name).is_none() {
            if name == "send" {
                commands.wrong_as(name, "nothing", "{ event, payload }: how a message is sent");
            }
            continue;
        }
        let command = commands.object(name, &["event", "payload"]);
        let mut allowed = vec!["userId"];
        allowed.extend_from_slice(values);
        let payload = template(&command, "payload", &allowed);
        said.push(Said { saying, event: required_name(&command, "event"), payload });
    }
    said
}

fn events(reader: &Reader<'_>) -> Vec<Heard> {
    let mut heard = Vec::new();
    let names = reader.names_in("events");
    let all = reader.object("events", &names.iter().map(String::as_str).collect::<Vec<_>>());
    let meanings = MEANINGS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    for name in &names {
        let event = all.object(
            name,
            &[
                "as",
                "in",
                "conversationId",
                "userId",
                "messageId",
                "isTyping",
                "status",
                "emoji",
                "op",
                #[cfg(feature = "several")]
                "key",
            ],
        );
        let chosen = event.choice("as", &meanings);
        let meaning = MEANINGS.iter().find(|(name, _)| chosen == Some(name)).map(|(_, meaning)| *meaning);
        let Some(meaning) = meaning else {
            if event.get("as").is_none() {
                event.wrong_as("as", "nothing", &concat(&["\"", &join(&meanings, "\" or \""), "\""]));
            }
            continue;
        };
        heard.push(Heard {
            event: name.clone(),
            meaning,
            within: name_in(&event, "in", "").into_owned(),
            conversation_id: name_in(&event, "conversationId", "conversation_id"),
            user_id: name_in(&event, "userId", "user_id"),
            message_id: name_in(&event, "messageId", "message_id"),
            is_typing: name_in(&event, "isTyping", "is_typing"),
            status: name_in(&event, "status", "status"),
            emoji: name_in(&event, "emoji", "emoji"),
            op: name_in(&event, "op", "op"),
            #[cfg(feature = "several")]
            key: name_in(&event, "key", "client_message_id"),
        });
    }
    heard
}

fn message(reader: &Reader<'_>) -> MessageNames {
    let message = reader.object(
        "message",
        &["id", "conversationId", "senderId", "text", "type", "createdAt", "key", "mediaUrl", "base64", "me"],
    );
    MessageNames {
        id: name_in(&message, "id", "id"),
        conversation_id: name_in(&message, "conversationId", "conversation_id"),
        sender_id: name_in(&message, "senderId", "sender_id"),
        text: name_in(&message, "text", "content"),
        kind: name_in(&message, "type", "type"),
        created_at: name_in(&message, "createdAt", "created_at"),
        key: name_in(&message, "key", ""),
        media_url: name_in(&message, "mediaUrl", ""),
        is_base64: message.bool("base64").unwrap_or(false),
        me: message.text("me", MAX_NAME_CHARS).map(Cow::into_owned),
    }
}

fn answer(reader: &Reader<'_>) -> AnswerNames {
    let answer = reader.object("answer", &["success", "data", "error"]);
    // Named at all without a word of success: whatever has no error is one.
    let success = if reader.get("answer").is_some() { "" } else { "success" };
    AnswerNames {
        success: name_in(&answer, "success", success),
        data: name_in(&answer, "data", "data"),
        error: name_in(&answer, "error", "error"),
    }
}

/// What the backend calls it.
fn name_in(reader: &Reader<'_>, name: &str, standard: &'static str) -> Cow<'static, str> {
    match reader.text(name, MAX_NAME_CHARS) {
        Some(given) => Cow::Owned(given.into_owned()),
        None => Cow::Borrowed(standard),
    }
}

fn required_name(reader: &Reader<'_>, name: &str) -> String {
    if reader.get(name).is_none() {
        reader.wrong_as(name, "nothing", "what the backend calls the event");
    }
    name_in(reader, name, "").into_owned()
}
