//! Which row a server message is.

use core::cell::Cell;

use super::super::model::Message;
use super::super::profile::ServerMessage;
use super::super::store::{fingerprint, index_page_of};
use super::log::{Log, Row};
use super::op::PageOp;
use crate::proto::mutant;
use crate::proto::text::concat;

/// More rows than a page has are not noted.
const MAX_STRAYS: usize = 64;

pub(super) enum Found {
    At { number: u32, row: usize },
    Nowhere,
}

impl Log {
    /// The row that this server message is, by id, else by key, in what is loaded.
    pub(super) fn find_copy(&self, copy: &ServerMessage) -> Found {
        let by_id = |message: &Message| !mutant::is(5) && message.id.as_deref() == Some(copy.id.as_str());
        let by_key = |message: &Message| {
            !mutant::is(4)
                && message.id.is_none()
                && copy.key.is_some()
                // Keys are their sender's own: who answers under one of ours says so, and no more.
                && copy.sender_id == message.sender_id
                && message.key.as_deref() == copy.key.as_deref()
        };
        let mut prints = vec![fingerprint(&copy.id)];
        if let Some(key) = &copy.key {
            prints.push(fingerprint(key));
        }
        self.search(&prints, &|message| by_id(message) || by_key(message))
    }

    /// Of a row of a page without a number: the place of the next one that is here and has the same time. A page says which comes
    /// first, which times of whole seconds do not. Whatever segment it is in can be written: without a number all pages of
    /// the index are here (`missing`).
    pub(super) fn next_of_its_time(&self, page: &PageOp, message: &ServerMessage) -> Option<(u32, usize)> {
        let at_ms = message.created_at_ms;
        let place = |id: &str| match self.search(&[fingerprint(id)], &|row| row.id.as_deref() == Some(id)) {
            Found::At { number, row } => {
                let there = &self.segments.get(&number)?.rows.get(row)?.message;
                (there.seq.is_none() && there.created_at_ms == at_ms).then_some((number, row))
            }
            Found::Nowhere => None,
        };
        if message.seq.is_some() {
            return None;
        }
        if page.earlier {
            return page.above.as_deref().and_then(place);
        }
        let next = Cell::new(None);
        page.messages.any(&|later| {
            next.set(if later.created_at_ms == at_ms { place(&later.id) } else { None });
            next.get().is_some()
        });
        next.get()
    }

    /// The row of an own message whose answer named no id, for a copy that carries no key: the oldest with the same
    /// content, as the outbox matches them (rule 11).
    pub(super) fn find_unnamed(&self, copy: &ServerMessage) -> Found {
        for info in &self.head.segments {
            let Some(loaded) = self.segments.get(&info.number) else { continue };
            if info.last.seq != u64::MAX {
                continue;
            }
            let row = loaded.rows.iter().position(|Row { message, .. }| {
                message.id.is_none() && copy.may_be(&message.text, &message.kind, message.created_at_ms)
            });
            if let Some(row) = row {
                return Found::At { number: info.number, row };
            }
        }
        Found::Nowhere
    }

    /// An own row without a key is new here.
    pub(super) fn note_stray(&mut self, id: &str) {
        if self.strays.len() < MAX_STRAYS {
            self.strays.push(fingerprint(id));
        }
    }

    /// The row that is the copy of an own message whose answer names none, where a page has brought it before the answer.
    /// What was here when the frame left is another message, though it says the same.
    fn find_stray(&self, own: &Message) -> Found {
        let is_copy = |message: &Message| {
            message.text == own.text
                && message.kind == own.kind
                && message.key.is_none()
                && message.id.as_deref().is_some_and(|id| self.strays.contains(&fingerprint(id)))
        };
        self.search(&self.strays, &is_copy)
    }

    /// The row of an own message that is answered without a copy.
    pub(super) fn find_uncopied(&self, own: &Message) -> Found {
        match self.find_row(&own.row_key) {
            Found::Nowhere => self.find_stray(own),
            found => found,
        }
    }

    /// What was resent has arrived before, and that copy has its key: the key is the answered one's, and the other row is
    /// called by its id, as on other devices.
    pub(super) fn free_key(&mut self, key: &str, id: &str, revision: u64) {
        let Found::At { number, row } = self.find_row(key) else { return };
        let Some(loaded) = self.segments.get_mut(&number) else { return };
        let Some(row) = loaded.rows.get_mut(row) else { return };
        if let Some(other) = row.message.id.as_deref().filter(|other| *other != id) {
            row.message.row_key = concat(&[&row.message.conversation_id, ":", other]);
            row.message.key = None;
            row.revision = revision;
            loaded.dirty = true;
            self.head_dirty = true;
        }
    }

    /// An own row by its key, whatever it is called.
    fn find_row(&self, key: &str) -> Found {
        let is_it = |message: &Message| message.row_key == key || message.key.as_deref() == Some(key);
        self.search(&[fingerprint(key)], &is_it)
    }

    pub(super) fn position_of_id(&self, id: &str) -> Option<(u32, usize)> {
        self.position_where(id, &|message| message.id.as_deref() == Some(id))
    }

    /// The newest loaded row of a kind that can be found under this key or id.
    pub(super) fn position_where(
        &self,
        name: &str,
        wanted: &dyn Fn(&Message) -> bool,
    ) -> Option<(u32, usize)> {
        match self.search(&[fingerprint(name)], wanted) {
            Found::At { number, row } => Some((number, row)),
            Found::Nowhere => None,
        }
    }

    /// Looks through the loaded segments that may hold one of the fingerprints: comparing texts of every row in
    /// memory for every message that comes would make a long catch-up quadratic.
    fn search(&self, prints: &[u32], wanted: &dyn Fn(&Message) -> bool) -> Found {
        for info in self.head.segments.iter().rev() {
            let Some(loaded) = self.segments.get(&info.number) else { continue };
            if !self.segment_may_hold(info.number, prints) {
                continue;
            }
            if let Some(row) = loaded.newest(wanted) {
                return Found::At { number: info.number, row };
            }
        }
        Found::Nowhere
    }

    fn segment_may_hold(&self, number: u32, prints: &[u32]) -> bool {
        if self.tail_number() == Some(number) {
            return prints.iter().any(|print| self.head.tail_ids.contains(print));
        }
        let loaded = self.index.get(&index_page_of(number));
        loaded.is_none_or(|loaded| loaded.page.may_hold(number, prints))
    }
}
