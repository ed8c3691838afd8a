//! Conversations: what they are called, who is in them. What was said in them is the timeline's.
//!
//! Law: the server's telling replaces what it tells of; what is this device's own (draft, pin, archive) stays.

use crate::proto::sorted::{SortedMap, SortedSet};

use super::model::{ConversationKind, Role};
use super::profile::{Profile, ServerConversation};
use super::store::ConversationRecord;

/// All conversations of one instance.
#[derive(Debug)]
pub struct Rooms {
    rooms: SortedMap<String, ConversationRecord>,
    dirty: SortedSet<String>,
    /// Look different, or what is said in them does.
    changed: SortedSet<String>,
    removed: SortedSet<String>,
    max: usize,
    /// Where the server lists none: what kind of conversation all of them are.
    unlisted: Option<ConversationKind>,
    /// Where there is one only: its id.
    only: Option<&'static str>,
    /// The server has listed them all at least once since this store was made.
    listed: bool,
    /// Seen in the listing under way, its pages, and whether all of their rows could be read.
    seen: SortedSet<String>,
    pages: u32,
    readable: bool,
    /// Not in the last listing, which was not to be relied on.
    missed: SortedSet<String>,
}

impl Rooms {
    pub fn new(max_conversations: u32, profile: &dyn Profile) -> Self {
        let mut rooms = Self {
            rooms: SortedMap::new(),
            dirty: SortedSet::new(),
            changed: SortedSet::new(),
            removed: SortedSet::new(),
            max: max_conversations as usize,
            unlisted: profile.unlisted(),
            only: if cfg!(feature = "json") { profile.only_conversation() } else { None },
            listed: false,
            seen: SortedSet::new(),
            pages: 0,
            readable: true,
            missed: SortedSet::new(),
        };
        rooms.meet_only();
        rooms
    }

    /// The only conversation is there from the start. It is written once it is known that the store has none.
    fn meet_only(&mut self) {
        if let Some(only) = self.only {
            self.meet(only);
            self.dirty.remove(only);
        }
    }

    /// Takes what the store has. What differs only here and is not yet written stays.
    pub fn restore(&mut self, records: Vec<ConversationRecord>) {
        let mut stored = SortedSet::new();
        for record in &records {
            stored.insert(record.id.clone());
        }
        if let Some(only) = self.only.filter(|only| !stored.contains(*only)) {
            self.dirty.insert(only.to_owned());
        }
        let is_gone = |id: &String| !stored.contains(id) && !self.dirty.contains(id);
        for id in self.rooms.keys_where(&|id, _| is_gone(id)) {
            self.rooms.remove(&id);
            self.changed.remove(&id);
            self.removed.insert(id);
        }
        for record in records {
            self.listed = true;
            if self.rooms.get(&record.id) != Some(&record) && !self.dirty.contains(&record.id) {
                self.changed.insert(record.id.clone());
                self.rooms.insert(record.id.clone(), record);
            }
        }
    }

    /// Another tab has written this one.
    pub fn take(&mut self, record: ConversationRecord) {
        self.listed = true;
        if self.rooms.get(&record.id) != Some(&record) {
            self.changed.insert(record.id.clone());
            self.rooms.insert(record.id.clone(), record);
        }
    }

    /// Another tab has removed this one.
    pub fn forget(&mut self, id: &str) {
        if self.rooms.remove(id).is_some() {
            self.changed.remove(id);
            self.removed.insert(id.to_owned());
        }
    }

    pub fn get(&self, id: &str) -> Option<&ConversationRecord> {
        self.rooms.get(id)
    }

    /// The ids of all conversations.
    pub fn ids(&self) -> Vec<String> {
        self.rooms.keys_where(&|_, _| true)
    }

    /// The id of the first conversation of a kind.
    pub fn find(&self, wanted: &dyn Fn(&ConversationRecord) -> bool) -> Option<String> {
        self.rooms.keys_where(&|_, room| wanted(room)).into_iter().next()
    }

    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Another tab says that it has them all.
    pub fn mark_as_listed(&mut self) {
        self.listed = true;
    }

    /// False only where the list is known and the conversation is not in it, or where there is one only and this is another.
    pub fn may_exist(&self, id: &str) -> bool {
        match self.only {
            Some(only) => id == only,
            None => !self.listed || self.unlisted.is_some() || self.rooms.contains_key(id),
        }
    }

    /// Nobody has said yet whether there is such a conversation: it may be in the first list.
    pub fn is_unheard_of(&self, id: &str) -> bool {
        !self.listed && self.may_exist(id) && !self.rooms.contains_key(id)
    }

    /// Takes the server's telling. `false`: there are too many conversations already.
    pub fn upsert(&mut self, told: &ServerConversation) -> bool {
        self.seen.insert(told.id.clone());
        let full = self.rooms.len() >= self.max;
        let old = self.rooms.get(&told.id);
        if old.is_none() && full {
            return false;
        }
        let record = ConversationRecord {
            id: told.id.clone(),
            kind: told.kind,
            title: told.title.clone(),
            avatar_url: told.avatar_url.clone(),
            members: told.members.clone(),
            draft: old.map_or_else(String::new, |old| old.draft.clone()),
            archived: old.is_some_and(|old| old.archived),
            pinned: old.is_some_and(|old| old.pinned),
            muted_until: old.and_then(|old| old.muted_until.clone()),
            blocked: old.is_some_and(|old| old.blocked),
            my_role: told.my_role,
            last_seq: told.last_seq.max(old.and_then(|old| old.last_seq)),
            updated_at_ms: told.updated_at_ms.unwrap_or(old.map_or(0, |old| old.updated_at_ms)),
        };
        if old != Some(&record) {
            self.dirty.insert(record.id.clone());
            self.changed.insert(record.id.clone());
            self.rooms.insert(record.id.clone(), record);
        }
        true
    }

    /// A message came for a conversation that nobody has told of.
    pub fn meet(&mut self, id: &str) -> bool {
        // Newer than the listing under way, which may not name it.
        self.seen.insert(id.to_owned());
        if self.rooms.contains_key(id) || self.rooms.len() >= self.max {
            return false;
        }
        let record = ConversationRecord {
            id: id.to_owned(),
            kind: self.unlisted.unwrap_or(ConversationKind::Direct),
            title: String::new(),
            avatar_url: None,
            members: Vec::new(),
            draft: String::new(),
            archived: false,
            pinned: false,
            muted_until: None,
            blocked: false,
            my_role: Role::Member,
            last_seq: None,
            updated_at_ms: 0,
        };
        self.rooms.insert(id.to_owned(), record);
        self.dirty.insert(id.to_owned());
        self.changed.insert(id.to_owned());
        // Of before a wipe.
        self.removed.remove(id);
        true
    }

    pub fn begin_list(&mut self) {
        self.seen.clear();
        (self.pages, self.readable) = (0, true);
    }

    /// A page has come; `readable`: all of its rows are.
    pub fn on_list_page(&mut self, readable: bool) {
        self.pages += 1;
        self.readable &= readable;
    }

    /// The list is complete: what was not in it is no longer this user's. A row that cannot be read may be any of
    /// them, so that none is taken for gone; between two pages one may have slipped through (T6 lists by offset, and
    /// whatever is spoken in moves to the front), so that it must be missing twice.
    pub fn end_list(&mut self) -> Vec<String> {
        self.listed = true;
        if !self.readable {
            return Vec::new();
        }
        let mut gone = Vec::new();
        let missed = core::mem::take(&mut self.missed);
        for id in self.rooms.keys_where(&|id, _| !self.seen.contains(id)) {
            let sure = self.pages <= 1 || missed.contains(&id);
            if sure {
                gone.push(id);
            } else {
                self.missed.insert(id);
            }
        }
        for id in &gone {
            self.rooms.remove(id);
            self.dirty.insert(id.clone());
            self.changed.remove(id);
            self.removed.insert(id.clone());
        }
        gone
    }

    /// Whether all rows of the listing under way can be read, and whether this one is among them.
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    pub fn is_listed(&self, id: &str) -> bool {
        self.seen.contains(id)
    }

    /// Some conversation was missing from a list that was not to be relied on.
    pub fn is_unsure(&self) -> bool {
        !self.missed.is_empty()
    }

    pub fn touch(&mut self, id: &str) {
        if self.rooms.contains_key(id) {
            self.changed.insert(id.to_owned());
        }
    }

    /// Forgets everything (wipe).
    pub fn clear(&mut self) {
        for (id, _) in self.rooms.iter() {
            self.removed.insert(id.clone());
        }
        self.rooms.clear();
        self.changed.clear();
        self.dirty.clear();
        self.listed = false;
        self.meet_only();
    }

    pub fn touch_all(&mut self) {
        for (id, _) in self.rooms.iter() {
            self.changed.insert(id.clone());
        }
    }

    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty() || !self.removed.is_empty()
    }

    pub fn take_changed(&mut self) -> SortedSet<String> {
        core::mem::take(&mut self.changed)
    }

    pub fn take_removed(&mut self) -> SortedSet<String> {
        core::mem::take(&mut self.removed)
    }

    pub fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Records to write (`get` gives them; one that is gone is to be deleted).
    pub fn take_dirty(&mut self) -> SortedSet<String> {
        core::mem::take(&mut self.dirty)
    }

    pub fn mark_dirty(&mut self, id: &str) {
        self.dirty.insert(id.to_owned());
    }

    /// Nothing is in the store any more.
    pub fn mark_all_dirty(&mut self) {
        for (id, _) in self.rooms.iter() {
            self.dirty.insert(id.clone());
        }
    }
}
