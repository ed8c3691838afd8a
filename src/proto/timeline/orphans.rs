//! Changes that came before their message, and what was heard while a page was on its way (rule 10).
//!
//! Law: a change of a message that is not known waits for it by the server's id, in a record of its own, and goes in the
//! transaction in which the message comes, whatever brings it. Each is a value and no step (a reaction says whether a user
//! has it), so that none counts twice. What a copy says of reactions is the server's word at its time: it contains all that
//! was heard before its page was asked for, or, of one that comes live, before its connection; what was heard since is
//! done to it again. A later edit wins by its time, a deletion wins over everything.

use super::super::model::{Message, Reaction, Status};
use super::super::profile::ServerMessage;
use super::super::sorted::SortedMap;
use super::super::store::{self, Orphan, OrphanEdit, OrphanReaction, RecordError};
use super::change::{delete, edit, raise, react};
use super::{Action, Change, Timelines};
use crate::proto::mutant;

/// Messages whose changes wait; the one that has waited longest goes first.
/// Few, since each that comes writes all of them, and what is dropped a page has.
const MAX_ORPHANS: usize = 128;
/// All of them, in bytes: what a commit carries more at most.
const MAX_BYTES: usize = 16 * 1024;
/// Reactions, and readers, of one message.
const MAX_EACH: usize = 64;
/// Changes that pages under way may not have.
const MAX_RECENT: usize = 256;

/// How a server's copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// On the socket.
    Live,
    /// As an answer, or as what passes for one: the server has made it since this connection began.
    Answer,
    /// In a page that was asked for when so much had been heard.
    Page {
        asked: u64,
        /// What is new in it is told; else it comes from before the first contact.
        tells: bool,
    },
}

impl Telling {
    /// Whether something new is told, as live or not; `None`: it is not.
    pub fn tells(self) -> Option<bool> {
        match self {
            Self::Live | Self::Answer => Some(true),
            Self::Page { tells, .. } => tells.then_some(false),
        }
    }
}

/// A change that was heard on this connection.
#[derive(Debug)]
struct Recent {
    heard: u64,
    id: String,
    change: Change,
}

#[derive(Debug, Default)]
pub(super) struct Orphans {
    waiting: SortedMap<String, Orphan>,
    next_number: u64,
    bytes: usize,
    pub dirty: bool,
    writing: bool,
    /// Changes heard so far: each has its number.
    heard: u64,
    /// What had been heard when the connection was lost last.
    since: u64,
    recent: Vec<Recent>,
    /// The newest that `recent` has no room for any more.
    recent_lost: u64,
}

impl Timelines {
    /// How much has been heard: a page that is asked for now contains it.
    pub fn heard(&self) -> u64 {
        self.orphans.heard
    }

    /// How many messages that are not known have changes that wait for them.
    pub fn orphans(&self) -> usize {
        self.orphans.waiting.len()
    }

    /// Another change is heard: a page that is on its way may not have it, whether its message is known by now or not.
    pub(super) fn hear(&mut self, id: &str, change: &Change) -> u64 {
        let orphans = &mut self.orphans;
        orphans.heard += 1;
        // Of all else the later is told by itself, in whatever order it comes.
        if matches!(change, Change::Reaction { .. } | Change::Edited { at_ms: None, .. }) {
            if orphans.recent.len() >= MAX_RECENT {
                let lost = orphans.recent.remove(0);
                orphans.recent_lost = lost.heard;
            }
            orphans.recent.push(Recent { heard: orphans.heard, id: id.to_owned(), change: change.clone() });
        }
        orphans.heard
    }

    /// What comes from here on comes by another connection, or another life: it contains what was heard before.
    pub(super) fn end_hearing(&mut self) {
        self.orphans.since = self.orphans.heard;
        self.orphans.recent.clear();
    }

    /// What the store has of it; this tab has no part in it before it leads.
    pub fn restore_orphans(&mut self, bytes: Option<&[u8]>) -> Result<(), RecordError> {
        let orphans = &mut self.orphans;
        orphans.clear();
        let read = bytes.map_or(Ok((0, Vec::new())), store::decode_orphans);
        // One that cannot be read is written anew.
        (orphans.dirty, orphans.writing) = (read.is_err(), false);
        for orphan in read?.1 {
            orphans.next_number = orphans.next_number.max(orphan.number.saturating_add(1));
            orphans.bytes += weight(&orphan);
            orphans.waiting.insert(orphan.id.clone(), orphan);
        }
        Ok(())
    }

    pub(super) fn encode_orphans(&self, version: u64) -> Vec<u8> {
        let mut list = Vec::with_capacity(self.orphans.waiting.len());
        for (_, orphan) in self.orphans.waiting.iter() {
            list.push(&**orphan);
        }
        store::encode_orphans(version, &list)
    }

    /// A change of a message that is not known. Beyond the limit the oldest is dropped, and the newest page is looked at
    /// again where the server told it in this connection: of earlier ones a page has it.
    pub(super) fn keep_orphan(
        &mut self,
        conversation_id: Option<&str>,
        id: &str,
        change: Change,
        heard: u64,
    ) {
        if mutant::is(42) || matches!(change, Change::Read { .. }) {
            return;
        }
        let orphans = &mut self.orphans;
        let next_number = orphans.next_number;
        let orphan = orphans.waiting.or_insert_with(id, || Orphan {
            id: id.to_owned(),
            number: next_number,
            ..Orphan::default()
        });
        if orphan.number == next_number {
            orphans.next_number += 1;
        } else {
            orphans.bytes = orphans.bytes.saturating_sub(weight(orphan));
        }
        if orphan.conversation_id.is_none() {
            orphan.conversation_id = conversation_id.map(str::to_owned);
        }
        orphan.heard = heard;
        add(orphan, change, heard);
        orphans.bytes += weight(orphan);
        orphans.dirty = true;
        while orphans.waiting.len() > MAX_ORPHANS || orphans.bytes > MAX_BYTES {
            let Some(dropped) = orphans.drop_oldest() else { return };
            if dropped.heard > orphans.since
                && let Some(conversation_id) = dropped.conversation_id
            {
                self.actions.push_back(Action::Stale { conversation_id });
            }
        }
    }

    /// Brings what a copy says in line with what was heard. `old`: the row that it is a copy of.
    pub(super) fn complete(
        &mut self,
        copy: &ServerMessage,
        old: Option<&Message>,
        message: &mut Message,
        telling: Telling,
    ) {
        let me = self.me.clone();
        let orphans = &mut self.orphans;
        let (live, after) = match telling {
            Telling::Live => (true, orphans.since),
            Telling::Answer => (false, orphans.since),
            Telling::Page { asked, .. } => (false, asked),
        };
        let untold = copy.reactions.is_none();
        if let Some(old) = old.filter(|old| old.id.is_some()) {
            // A live copy of what is known is a repetition, as old as the message itself.
            let unsure = live || after < orphans.recent_lost;
            if untold || unsure {
                message.reactions.clone_from(&old.reactions);
            }
            if unsure && copy.edited_at_ms.is_none() && old.edited_at_ms.is_none() {
                message.text.clone_from(&old.text);
            }
            if !unsure && after < orphans.heard {
                for recent in &orphans.recent {
                    if recent.heard > after && recent.id == copy.id {
                        redo(message, &recent.change, &me);
                    }
                }
            }
        }
        if let Some(orphan) = orphans.take(copy) {
            let all = untold || mutant::is(43);
            apply(message, &orphan, after, all, &me);
        }
        if message.deleted_at_ms.is_some() {
            message.reactions.clear();
        }
        // In another order it is no other.
        if let Some(old) = old.filter(|old| says_the_same(&old.reactions, &message.reactions)) {
            message.reactions.clone_from(&old.reactions);
        }
    }

    /// The record is in the store, or (`saved` is false) has to be written again.
    pub(super) fn on_orphans_written(&mut self, saved: bool) {
        let was_writing = core::mem::take(&mut self.orphans.writing);
        self.orphans.dirty |= was_writing && !saved;
    }

    /// The record is to be written: it counts as under way.
    pub(super) fn take_dirty_orphans(&mut self) -> bool {
        let dirty = core::mem::take(&mut self.orphans.dirty);
        self.orphans.writing |= dirty;
        dirty
    }

    /// Another tab leads: what it has in the store counts.
    pub(super) fn abdicate_orphans(&mut self) {
        (self.orphans.dirty, self.orphans.writing) = (false, false);
    }
}

impl Orphans {
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }

    fn take(&mut self, copy: &ServerMessage) -> Option<Orphan> {
        let orphan = self.waiting.get(&copy.id)?;
        if orphan.conversation_id.as_ref().is_some_and(|known| *known != copy.conversation_id) {
            return None;
        }
        if mutant::is(43) {
            return Some(orphan.clone());
        }
        self.bytes = self.bytes.saturating_sub(weight(orphan));
        self.dirty = true;
        self.waiting.remove(&copy.id)
    }

    fn drop_oldest(&mut self) -> Option<Orphan> {
        let mut oldest: Option<&Orphan> = None;
        for (_, orphan) in self.waiting.iter() {
            if oldest.is_none_or(|oldest| orphan.number < oldest.number) {
                oldest = Some(orphan);
            }
        }
        let id = oldest?.id.clone();
        let dropped = self.waiting.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(weight(&dropped));
        Some(dropped)
    }
}

/// Adds a change to those that wait: what it supersedes goes.
fn add(orphan: &mut Orphan, change: Change, heard: u64) {
    match change {
        Change::Status { status, user_id } => {
            orphan.status = orphan.status.max(Some(status));
            if let Some(user) = user_id
                && status == Status::Read
                && orphan.readers.len() < MAX_EACH
                && !orphan.readers.contains(&user)
            {
                orphan.readers.push(user);
            }
        }
        Change::Edited { text, at_ms } => {
            if orphan.edit.as_ref().is_none_or(|known| at_ms >= known.at_ms) {
                orphan.edit = Some(OrphanEdit { text, at_ms, heard });
            }
        }
        Change::Deleted { at_ms } => {
            orphan.deleted_at_ms = orphan.deleted_at_ms.or(Some(at_ms));
            // Nothing else will be seen of it.
            orphan.edit = None;
            orphan.reactions.clear();
        }
        Change::Reaction { emoji, user_id, added } => {
            let same = |known: &OrphanReaction| known.emoji == emoji && known.user_id == user_id;
            if let Some(at) = orphan.reactions.iter().position(same) {
                orphan.reactions.remove(at);
            } else if orphan.reactions.len() >= MAX_EACH {
                orphan.reactions.remove(0);
            }
            orphan.reactions.push(OrphanReaction { emoji, user_id, added, heard });
        }
        Change::Read { .. } => {}
    }
}

/// Does to a message what waited for it; of what a copy contains if it was heard before (`after`), `all` or the rest.
fn apply(message: &mut Message, orphan: &Orphan, after: u64, all: bool, me: &str) {
    if let Some(told) = &orphan.edit
        && (told.at_ms.is_some() || told.heard > after || all)
    {
        edit(message, &told.text, told.at_ms);
    }
    for reaction in &orphan.reactions {
        if all || reaction.heard > after {
            react(message, &reaction.emoji, &reaction.user_id, reaction.added, me);
        }
    }
    if let Some(status) = orphan.status {
        raise(message, status, None);
        for user in &orphan.readers {
            raise(message, status, Some(user));
        }
    }
    if let Some(at_ms) = orphan.deleted_at_ms {
        delete(message, at_ms);
    }
}

fn redo(message: &mut Message, change: &Change, me: &str) {
    match change {
        Change::Edited { text, at_ms } => edit(message, text, *at_ms),
        Change::Reaction { emoji, user_id, added } => react(message, emoji, user_id, *added, me),
        _ => {}
    }
}

fn says_the_same(old: &[Reaction], new: &[Reaction]) -> bool {
    let same = |one: &Reaction, other: &Reaction| {
        one.emoji == other.emoji
            && one.count == other.count
            && one.users.iter().all(|user| other.users.contains(user))
    };
    old.len() == new.len() && old.iter().all(|one| new.iter().any(|other| same(one, other)))
}

/// About its bytes in memory and in the store.
fn weight(orphan: &Orphan) -> usize {
    let mut bytes = 64 + orphan.id.len() + orphan.edit.as_ref().map_or(0, |edit| edit.text.len());
    for reaction in &orphan.reactions {
        bytes += 16 + reaction.emoji.len() + reaction.user_id.len();
    }
    for user in &orphan.readers {
        bytes += 8 + user.len();
    }
    bytes
}
