//! One change of one row, and what follows from it for the conversation.
//!
//! Law: a change says what is so from here on, so that it may come any number of times. What an older telling must not take
//! back: status, readers, the later edit, and a deletion, which wins over everything. What changed is told once, and what
//! did not is not told.

use super::super::model::{Message, Reaction, Sender, Status};
use super::super::store::fingerprint;
use super::log::{Log, Row, Want};
use super::{Action, Change, Op, Search, Timelines};
use crate::proto::mutant;
use crate::proto::text::concat;

impl Timelines {
    /// A change of a message whose conversation may not be known.
    pub fn target(&mut self, conversation_id: Option<&str>, id: &str, change: Change) {
        let heard = self.hear(id, &change);
        if let Some(conversation_id) = conversation_id {
            let op = Op::Target { id: id.to_owned(), change, heard, segments: None };
            self.push(conversation_id, op);
            return;
        }
        let near = self.near(id);
        // What is looked for stays in its order.
        if near.is_empty() || self.searching.iter().any(|(other, _)| other == id) {
            self.search(id, Search::Change(change, heard));
            return;
        }
        for conversation_id in near {
            let op = Op::Target { id: id.to_owned(), change: change.clone(), heard, segments: None };
            self.push(&conversation_id, op);
        }
    }

    pub(super) fn apply_target(&mut self, conversation_id: &str, id: &str, change: Change, heard: u64) {
        let revision = self.next_revision();
        let me = self.me.clone();
        let log = self.log_mut(conversation_id);
        let Some((number, at)) = log.position_of_id(id) else {
            return self.keep_orphan(Some(conversation_id), id, change, heard);
        };
        let Some(old) = log.segments.get(&number).and_then(|loaded| loaded.rows.get(at)) else { return };
        let old = old.message.clone();
        if let Change::Read { tell } = change {
            return self.apply_read_elsewhere(conversation_id, &old, tell);
        }
        let changed = log.change_at(number, at, &change, &me, revision);
        let Some(message) = changed else { return };
        self.dirty_views(conversation_id);
        if let Change::Status { .. } = change {
            self.actions.push_back(Action::Status { message: Box::new(message) });
        } else {
            self.tell_changes(&old, &message);
        }
    }

    /// Tells what is different of a row that was known.
    pub(super) fn tell_changes(&mut self, old: &Message, new: &Message) {
        let (conversation_id, row_key) = (new.conversation_id.clone(), new.row_key.clone());
        let deleted = new.deleted_at_ms.is_some();
        let mut told = deleted;
        if deleted && old.deleted_at_ms.is_none() {
            self.on_deleted(old);
            self.actions.push_back(Action::Deleted {
                conversation_id: conversation_id.clone(),
                row_key: row_key.clone(),
            });
        }
        if !deleted && (old.text != new.text || old.edited_at_ms != new.edited_at_ms) {
            self.actions.push_back(Action::Updated { message: Box::new(new.clone()) });
            told = true;
        }
        if !deleted && old.reactions != new.reactions {
            self.actions.push_back(Action::Reaction { conversation_id, row_key });
            told = true;
        }
        if new.sender == Sender::Me {
            // With its id all that waits for it can go.
            if old.status != new.status || !told || old.id != new.id {
                self.actions.push_back(Action::Status { message: Box::new(new.clone()) });
            }
        } else if !told {
            self.actions.push_back(Action::Updated { message: Box::new(new.clone()) });
        }
    }

    /// What waited for an own message, and was done to it with its answer: of its status the answer tells.
    pub(super) fn tell_changes_of_own(&mut self, mut old: Message, new: &Message) {
        old.status = new.status;
        if old.text != new.text || old.reactions != new.reactions || old.deleted_at_ms != new.deleted_at_ms {
            self.tell_changes(&old, new);
        }
    }

    /// What is looked for in all conversations: those in which it may stand by the index, or by what has come since.
    pub(super) fn on_change_searched(
        &mut self,
        id: &str,
        change: &Change,
        heard: u64,
        mut hits: Vec<(String, Vec<u32>)>,
    ) {
        for conversation_id in self.near(id) {
            if !hits.iter().any(|(hit, _)| *hit == conversation_id) {
                hits.push((conversation_id, Vec::new()));
            }
        }
        if hits.is_empty() {
            return self.keep_orphan(None, id, change.clone(), heard);
        }
        for (conversation_id, segments) in hits {
            let segments = if segments.is_empty() { None } else { Some(segments) };
            self.push(
                &conversation_id,
                Op::Target { id: id.to_owned(), change: change.clone(), heard, segments },
            );
        }
    }

    /// A row has become a tombstone: it is unread no longer, and its text stands in no answer to it.
    fn on_deleted(&mut self, old: &Message) {
        let conversation_id = old.conversation_id.clone();
        let log = self.log_mut(&conversation_id);
        if old.sender != Sender::Me && log.is_unread(old) {
            log.head.unread = log.head.unread.saturating_sub(1);
            log.head_dirty = true;
        }
        let op = Op::HideExcerpts { names: names_of(old) };
        log.ops.push_back(op);
    }

    /// Takes the excerpt out of all answers to a message that is gone.
    pub(super) fn hide_excerpts(&mut self, conversation_id: &str, names: &[String]) {
        let revision = self.next_revision();
        let log = self.log_mut(conversation_id);
        let mut hidden = false;
        for (_, loaded) in log.segments.iter_mut() {
            for row in &mut loaded.rows {
                if let Some(reply) = &mut row.message.reply_to
                    && !reply.excerpt.is_empty()
                    && names.contains(&reply.row_key)
                {
                    reply.excerpt.clear();
                    row.revision = revision;
                    loaded.dirty = true;
                    hidden = true;
                }
            }
        }
        if hidden {
            log.head_dirty = true;
            self.dirty_views(conversation_id);
        }
    }
}

/// How answers may call a message: an own one by its key too.
fn names_of(message: &Message) -> Vec<String> {
    let mut names = vec![message.row_key.clone()];
    if let Some(id) = &message.id {
        let named = concat(&[&message.conversation_id, ":", id]);
        if named != message.row_key {
            names.push(named);
        }
    }
    names
}

/// The fingerprint under which the answers to a message are found.
pub(super) fn reply_print(row_key: &str) -> u32 {
    fingerprint(&concat(&["re:", row_key]))
}

impl Log {
    /// Applies one change to a row; the changed message, or `None` where nothing changed.
    pub(super) fn change_at(
        &mut self,
        number: u32,
        at: usize,
        change: &Change,
        me: &str,
        revision: u64,
    ) -> Option<Message> {
        let loaded = self.segments.get_mut(&number)?;
        let row = loaded.rows.get_mut(at)?;
        let mut new = row.message.clone();
        match change {
            Change::Status { status, user_id } => raise(&mut new, *status, user_id.as_deref()),
            Change::Edited { text, at_ms } => edit(&mut new, text, *at_ms),
            Change::Deleted { at_ms } => delete(&mut new, *at_ms),
            Change::Reaction { emoji, user_id, added } => react(&mut new, emoji, user_id, *added, me),
            Change::Read { .. } => {}
        }
        if row.message == new {
            return None;
        }
        *row = Row { message: new.clone(), revision };
        loaded.dirty = true;
        self.head_dirty = true;
        Some(new)
    }

    /// The segments in which answers to a message of these names may stand.
    pub(super) fn for_replies(&self, names: &[String], wants: &mut Vec<Want>) {
        for name in names {
            self.for_all(reply_print(name), wants);
        }
    }

    /// A message that answers one which is gone shows nothing of it. The segment of the loaded row of which it shows
    /// something, and whether that is gone.
    pub(super) fn hide_excerpt(&self, message: &mut Message) -> Option<(u32, bool)> {
        let name = shown_answered(message)?;
        let row_key = &message.reply_to.as_ref()?.row_key;
        let is_it = |target: &Message| target.row_key == *row_key || target.id.as_deref() == Some(name);
        let (number, at) = self.position_where(name, &is_it)?;
        let gone = self.message_at(number, at)?.deleted_at_ms.is_some();
        if gone {
            message.reply_to.as_mut()?.excerpt.clear();
        }
        Some((number, gone))
    }

    /// What must be in memory for [`Log::hide_excerpt`].
    pub(super) fn for_excerpt(&self, message: &Message, wants: &mut Vec<Want>) {
        if let Some(name) = shown_answered(message) {
            self.for_name(name, wants);
        }
    }
}

/// The key or id of the message of which an answer shows something.
fn shown_answered(message: &Message) -> Option<&str> {
    let reply = message.reply_to.as_ref().filter(|reply| !reply.excerpt.is_empty())?;
    let prefix = message.conversation_id.len() + 1;
    Some(id_of(&reply.row_key, prefix).unwrap_or(&reply.row_key))
}

/// The server's id in a row key that is made of it.
fn id_of(row_key: &str, prefix: usize) -> Option<&str> {
    let (conversation, id) = row_key.split_at_checked(prefix)?;
    conversation.ends_with(':').then_some(id)
}

/// Where a text stands in a short list.
pub(super) fn place_in(texts: &[String], text: &str) -> Option<usize> {
    texts.iter().position(|known| known == text)
}

/// Moves the status forward, never back, and notes who has read.
pub(super) fn raise(message: &mut Message, status: Status, user_id: Option<&str>) {
    if status == Status::Read
        && let Some(user) = user_id
        && place_in(&message.read_by, user).is_none()
    {
        message.read_by.push(user.to_owned());
    }
    if message.status != Status::Failed
        && status != Status::Failed
        && (status > message.status || mutant::is(19))
    {
        message.status = status;
    }
}

/// What an older telling must not take back: status, readers, tombstone, the later edit.
pub(super) fn keep_what_stands(old: &Message, new: &mut Message) {
    if old.status != Status::Failed && (old.status > new.status || mutant::is(58)) {
        new.status = old.status;
    }
    for user in &old.read_by {
        if place_in(&new.read_by, user).is_none() {
            new.read_by.push(user.clone());
        }
    }
    if let Some(at_ms) = old.deleted_at_ms {
        delete(new, at_ms);
        // As it was shown, whatever clock another telling goes by.
        new.deleted_at_ms = Some(at_ms);
    } else if old.edited_at_ms > new.edited_at_ms {
        new.text.clone_from(&old.text);
        new.edited_at_ms = old.edited_at_ms;
    }
    if new.reply_to.as_ref().is_some_and(|reply| reply.excerpt.is_empty()) {
        new.reply_to.clone_from(&old.reply_to);
    }
}

/// An older edit takes nothing back.
pub(super) fn edit(message: &mut Message, text: &str, at_ms: Option<i64>) {
    if message.deleted_at_ms.is_none() && at_ms >= message.edited_at_ms {
        text.clone_into(&mut message.text);
        message.edited_at_ms = at_ms;
    }
}

pub(super) fn delete(message: &mut Message, at_ms: i64) {
    message.deleted_at_ms = message.deleted_at_ms.or(Some(at_ms));
    message.text.clear();
    message.metadata = None;
    message.attachments = None;
    message.reactions.clear();
}

pub(super) fn react(message: &mut Message, emoji: &str, user: &str, added: bool, me: &str) {
    if message.deleted_at_ms.is_some() {
        return;
    }
    let at = message.reactions.iter().position(|reaction| reaction.emoji == emoji);
    let mut reaction = match at {
        Some(at) => message.reactions.remove(at),
        None => Reaction { emoji: emoji.to_owned(), count: 0, mine: false, users: Vec::new() },
    };
    let known = place_in(&reaction.users, user);
    match known {
        None if added => reaction.users.push(user.to_owned()),
        Some(at) if !added => _ = reaction.users.remove(at),
        _ => {}
    }
    reaction.count = u32::try_from(reaction.users.len()).unwrap_or(u32::MAX);
    reaction.mine = place_in(&reaction.users, me).is_some();
    if reaction.count > 0 {
        let at = at.unwrap_or(message.reactions.len()).min(message.reactions.len());
        message.reactions.insert(at, reaction);
    }
}
