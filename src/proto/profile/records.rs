//! Records of messages and conversations, on the socket and over REST alike (T4, D4, D7). Backends differ in what they
//! call the fields: that is in their [`Names`].

use super::fields::{self, Fields, IS_MISSING, Wrong};
use super::{
    CapabilityPatch, ConversationKind, ConversationPage, Incoming, Json, Member, Page, Role,
    ServerConversation, ServerMessage, Status,
};
use crate::proto::text::concat;
use crate::proto::wire::base64;
use crate::proto::wire::json::RawValue;
use crate::proto::wire::json::{self, Object};

/// What a backend calls the fields of its records.
#[derive(Clone, Copy)]
pub(super) struct Names<'n> {
    pub id: &'n str,
    pub conversation_id: &'n str,
    /// The conversation of what does not name its own; empty: whoever asked knows it. `None`: it must.
    pub in_conversation: Option<&'n str>,
    pub sender_id: &'n str,
    pub content: &'n str,
    /// A message may come without content.
    pub content_optional: bool,
    /// The content is base64 of UTF-8 text (T5).
    pub is_base64: bool,
    pub key: &'n str,
    pub kind: &'n str,
    pub created_at: &'n str,
    pub conversation_kind: &'n str,
    pub members: &'n str,
    pub member_id: &'n str,
    pub member_name: &'n str,
}

/// A text as `content_encrypted` carries it before encryption is switched on (T5).
pub(super) fn encode_content(text: &str) -> String {
    base64::encode(text.as_bytes())
}

/// A message's text.
pub(super) fn content<'a>(record: &Fields<'a>, names: &Names<'a>, optional: bool) -> String {
    match record.text(names.content) {
        Some(content) if !names.is_base64 => content.into_owned(),
        Some(content) => decode_content(&content).unwrap_or_else(|| {
            record.fail(names.content, "must be base64 of UTF-8 text");
            String::new()
        }),
        None => {
            if !optional {
                record.fail(names.content, IS_MISSING);
            }
            String::new()
        }
    }
}

/// Reads a message (T4, D4, D7). What is wrong with it is told by the record's end.
pub(super) fn message<'a>(record: &Fields<'a>, names: &Names<'a>) -> Box<ServerMessage> {
    let deleted_at_ms = record.time_ms("deleted_at");
    // A deleted message has nothing left to show.
    let text = content(record, names, deleted_at_ms.is_some() || names.content_optional);
    let sender_id = record.required_id(names.sender_id);
    let delivered_to = user_ids(record, "delivered_to", &sender_id);
    let read_by = user_ids(record, "read_by", &sender_id);
    let derived = match (read_by.is_empty(), delivered_to.is_empty()) {
        (false, _) => Some(Status::Read),
        (true, false) => Some(Status::Delivered),
        (true, true) => None,
    };
    // A name this profile does not know is no reason to lose the message.
    let told = record.text("status").and_then(|name| status(&name));
    Box::new(ServerMessage {
        id: record.required_id(names.id),
        key: record.id(names.key),
        conversation_id: match (record.id(names.conversation_id), names.in_conversation) {
            (None, Some(known)) => known.to_owned(),
            (id, _) => record.required(names.conversation_id, id),
        },
        sender_id,
        sender: None,
        kind: record.text(names.kind).map_or_else(|| "text".to_owned(), Into::into),
        text,
        metadata: record.json("metadata"),
        attachments: attachments(record),
        reply_to_id: record.id("reply_to"),
        created_at_ms: record.required(names.created_at, record.time_ms(names.created_at)),
        seq: record.count("seq"),
        // Servers that keep receipts apart from the row may leave the row's own status at `sent`.
        status: told.max(derived),
        read_by,
        reactions: reactions(record),
        edited_at_ms: record.time_ms("edited_at"),
        deleted_at_ms,
    })
}

/// Reads a changed message (D4, D7): the whole of it, or its id and its new text alone. `within`: the conversation, where it
/// is known.
pub(super) fn update<'a>(payload: &Fields<'a>, names: &Names<'a>, within: &str) -> Box<ServerMessage> {
    if payload.get("sender_id").is_some() {
        return message(payload, names);
    }
    Box::new(ServerMessage {
        id: payload.required("id", payload.id("id").or_else(|| payload.id("message_id"))),
        conversation_id: payload.id("conversation_id").unwrap_or_else(|| within.to_owned()),
        text: content(payload, names, false),
        edited_at_ms: payload.time_ms("edited_at"),
        ..ServerMessage::default()
    })
}

/// Reads a conversation (T8, P9); `me` is the own user's id, where it is known. What is wrong with it is told by the
/// record's end.
pub(super) fn conversation<'a>(
    record: &Fields<'a>,
    names: &Names<'a>,
    me: Option<&str>,
) -> Box<ServerConversation> {
    let mut members = Vec::new();
    let mut online = Vec::new();
    for raw in record.list(names.members) {
        let Some((member, is_online)) = participant(record, names, raw) else { break };
        if is_online {
            online.push(member.user_id.clone());
        }
        members.push(member);
    }
    let is_me = |member: &&Member| me == Some(member.user_id.as_str());
    let my_role = members.iter().find(is_me).map_or(Role::Member, |member| member.role);
    let mut title = record.text("title").unwrap_or_default().into_owned();
    let kind = match record.text(names.conversation_kind).as_deref() {
        Some("direct") => ConversationKind::Direct,
        Some("group") => ConversationKind::Group,
        // No wire says that every server calls it so: two people without a title are by themselves.
        _ if !title.is_empty() || members.len() > 2 => ConversationKind::Group,
        _ => {
            if members.is_empty() {
                record.fail(names.conversation_kind, "must be `direct` or `group`");
            }
            ConversationKind::Direct
        }
    };
    if title.is_empty() && kind == ConversationKind::Direct && me.is_some() {
        title = members.iter().find(|member| !is_me(member)).map(|m| m.name.clone()).unwrap_or_default();
    }
    Box::new(ServerConversation {
        id: record.required_id("id"),
        kind,
        title,
        avatar_url: record.text("avatar_url").map(Into::into),
        members,
        online,
        my_role,
        last_seq: record.count("last_seq"),
        last_read_seq: record.count("last_read_seq"),
        updated_at_ms: record.time_ms("updated_at"),
    })
}

/// A conversation by itself or under its name.
pub(super) fn conversation_in<'a>(
    record: &Fields<'a>,
    names: &Names<'a>,
    me: Option<&str>,
) -> Box<ServerConversation> {
    let Some(within) = record.object("conversation") else {
        return conversation(record, names, me);
    };
    let told = conversation(&within, names, me);
    record.heed(&within);
    told
}

/// The event that says what a server gives (D2).
pub(super) const HELLO: &str = "chatwire:hello";

/// D2. A user without an id is nobody's word for anybody.
pub(super) fn hello(payload: &Fields<'_>) -> Incoming {
    let Some(declared) = payload.object("capabilities") else {
        payload.fail("capabilities", IS_MISSING);
        return Incoming::Other;
    };
    let user_id = payload.object("user").map(|user| {
        let id = user.required_id("id");
        payload.heed(&user);
        id
    });
    let told = capabilities(&declared);
    payload.heed(&declared);
    Incoming::Hello { capabilities: told, user_id }
}

/// What a backend says that it gives (D2).
pub(super) fn capabilities(declared: &Fields<'_>) -> CapabilityPatch {
    CapabilityPatch {
        keys: declared.flag("keys"),
        answers: None,
        cursor: declared.flag("cursor"),
        ordered_window: declared.flag("ordered_window"),
        receipts: declared.flag("receipts"),
        max_payload: declared.count("max_payload"),
    }
}

/// D2, as it comes in plain JSON.
#[cfg(feature = "json")]
pub(super) fn hello_of_json(payload: &Fields<'_>) -> Incoming {
    let mut told = CapabilityPatch::default();
    if let Some(declared) = payload.object("capabilities") {
        told = CapabilityPatch { answers: declared.flag("answers"), ..capabilities(&declared) };
        payload.heed(&declared);
    }
    let user_id = payload.object("user").and_then(|user| user.id("id"));
    Incoming::Hello { capabilities: told, user_id: user_id.or_else(|| payload.id("user_id")) }
}

/// The statuses of T14 and D7. `sent` means that the server has it.
pub(super) fn status(name: &str) -> Option<Status> {
    match name {
        "sent" => Some(Status::Acknowledged),
        "delivered" => Some(Status::Delivered),
        "read" => Some(Status::Read),
        _ => None,
    }
}

/// A page of conversations. A row that cannot be read is left out; an error only where there are rows and none can be
/// read.
pub(super) fn conversations(body: &str, names: &Names<'_>, me: &str) -> Result<ConversationPage, String> {
    let (rows, has_more) = list(body, "conversations")?;
    let has_more = has_more.unwrap_or(false);
    let mut page = ConversationPage { has_more, ..ConversationPage::default() };
    for (index, raw) in rows.into_iter().enumerate() {
        match Fields::read(raw).and_then(|record| record.finish(conversation(&record, names, Some(me)))) {
            Ok(conversation) => page.conversations.push(conversation),
            Err(wrong) => page.malformed.push(wrong.at(&row_name("conversations", index))),
        }
    }
    if page.conversations.is_empty() && !page.malformed.is_empty() {
        return Err(page.malformed.swap_remove(0));
    }
    Ok(page)
}

/// A page of messages. Rows that cannot be read are left out.
pub(super) fn page(body: &str, names: &Names<'_>) -> Result<Page, String> {
    let (rows, has_more) = list(body, "messages")?;
    let mark =
        json::parse(body, 0).ok().and_then(Object::read).and_then(|page| page.str("cursor").map(Into::into));
    let mut page = Page { messages: Vec::with_capacity(rows.len()), has_more, mark, malformed: Vec::new() };
    for (index, raw) in rows.into_iter().enumerate() {
        match Fields::read(raw).and_then(|record| record.finish(message(&record, names))) {
            Ok(message) => page.messages.push(message),
            Err(wrong) => page.malformed.push(wrong.at(&row_name("messages", index))),
        }
    }
    Ok(page)
}

/// The rows of a list: `{messages|conversations, has_more}` (D4), or an array alone, which does not say whether it has more.
fn list<'a>(body: &'a str, name: &'static str) -> Result<(Vec<&'a RawValue>, Option<bool>), String> {
    let raw = json::parse(body, 0).map_err(|error| concat(&[name, ": ", &error.text()]))?;
    if let Some(rows) = json::array(raw) {
        return Ok((rows, None));
    }
    let read = || -> Result<_, Wrong> {
        let page = Fields::read(raw)?;
        if page.get(name).is_none() {
            page.fail(name, IS_MISSING);
        }
        page.finish((page.list(name), page.flag("has_more")))
    };
    read().map_err(|wrong| wrong.at("list"))
}

/// Names a row of a list in an error: `messages[3]`.
fn row_name(list: &str, index: usize) -> String {
    let mut out = String::from(list);
    out.push('[');
    json::push_uint(&mut out, index as u64);
    out.push(']');
    out
}

/// Standard base64 (T5), with padding or without it.
fn decode_content(content: &str) -> Option<String> {
    String::from_utf8(base64::decode(content)?).ok()
}

fn attachments(record: &Fields<'_>) -> Option<Json> {
    if record.list("attachments").is_empty() { None } else { record.json("attachments") }
}

/// The users of a receipt list. The sender is left out: some servers count the author as the first reader.
fn user_ids(record: &Fields<'_>, name: &'static str, sender_id: &str) -> Vec<String> {
    let mut users = Vec::new();
    for raw in record.list(name) {
        match user_id(raw) {
            Some(user_id) if user_id != sender_id => users.push(user_id),
            Some(_) => {}
            None => record.fail(name, "must hold ids of users"),
        }
    }
    users
}

/// An id alone, or the `user_id` of an object.
fn user_id(raw: &RawValue) -> Option<String> {
    fields::id(raw).or_else(|| Fields::read(raw).ok()?.id("user_id"))
}

fn reactions(record: &Fields<'_>) -> Option<Vec<(String, String)>> {
    record.get("reactions")?;
    let mut reactions = Vec::new();
    for raw in record.list("reactions") {
        match reaction(raw) {
            Some(reaction) => reactions.push(reaction),
            None => record.fail("reactions", "must hold objects with `emoji` and `user_id`"),
        }
    }
    Some(reactions)
}

fn reaction(raw: &RawValue) -> Option<(String, String)> {
    let read = Fields::read(raw).ok()?;
    Some((read.text("emoji")?.into_owned(), read.id("user_id")?))
}

/// A member and whether they are online; an id alone is a plain member whose name is not told. `None`: it cannot be
/// read, which is told by the end of `record`.
fn participant<'a>(record: &Fields<'a>, names: &Names<'a>, raw: &'a RawValue) -> Option<(Member, bool)> {
    if let Some(user_id) = fields::id(raw) {
        return Some((Member { name: user_id.clone(), user_id, role: Role::Member }, false));
    }
    let read = Fields::read(raw).ok();
    let Some((read, user_id)) = read.and_then(|read| read.id(names.member_id).map(|user_id| (read, user_id)))
    else {
        record.fail(names.members, "must hold ids of users, or objects with them");
        return None;
    };
    let name = read.text(names.member_name).filter(|name| !name.is_empty());
    let role = match read.text("role").as_deref() {
        Some("admin") => Role::Admin,
        Some("moderator") => Role::Moderator,
        // The least that a member may do, also for a name this profile does not know.
        _ => Role::Member,
    };
    let online = read.flag("online").unwrap_or(false);
    let name = name.map_or_else(|| user_id.clone(), Into::into);
    record.heed(&read);
    Some((Member { user_id, name, role }, online))
}
