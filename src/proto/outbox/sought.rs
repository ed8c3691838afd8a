//! Rows of which it is not known whether they are in the store.

use super::super::api::{Key, Record};
use super::super::store::decode_outbox_row;
use super::order::take_out;
use super::{Outbox, RowId, Stage};

impl Outbox {
    /// After an unclear write: takes those of `rows`, which it was to add, that the store holds, by their keys; `stamp` is
    /// the write's. Gives back the others; but where `whole` says that the write took place, they have been there, and
    /// another tab has removed them.
    pub fn find_added(
        &mut self,
        rows: &[(RowId, Stage)],
        stamp: u64,
        mut whole: bool,
        records: &[Record],
    ) -> Vec<RowId> {
        let mut missing = Vec::new();
        for (id, stage) in rows {
            if let Some(row) = self.rows.get(id) {
                missing.push((*id, *stage, row.record.key.clone()));
            }
        }
        for record in records {
            let Key::Number(number) = record.key else { continue };
            // What cannot be read may be one of them.
            let Ok((version, found)) = decode_outbox_row(&record.bytes) else {
                whole = false;
                continue;
            };
            if let Some(at) = missing.iter().position(|(_, _, key)| *key == found.key)
                && !self.by_stored.contains_key(&number)
            {
                let (id, stage, _) = missing.remove(at);
                // What another tab has made of it since is read next.
                self.on_written(id, stage, Some(number), if version == stamp { stamp } else { 0 });
            }
        }
        let mut unknown = Vec::new();
        for (id, ..) in missing {
            if whole {
                self.vanish(id);
            } else {
                unknown.push(id);
            }
        }
        unknown
    }

    /// Whether this row is in the store, or ever was, is looked for in the history: what was queued behind it in its
    /// conversation is not stored before that is known, or it would stand before it.
    pub fn seek(&mut self, id: RowId) {
        if self.rows.contains_key(&id) {
            self.sought.push(id);
        }
    }

    /// It has been found, or not.
    pub fn on_sought(&mut self, id: RowId) {
        take_out(&mut self.sought, id);
    }

    /// Whether a row of this conversation that came before is still looked for.
    pub(super) fn waits_for_sought(&self, id: RowId) -> bool {
        let Some(mut row) = self.rows.get(&id) else { return false };
        if row.stage == Stage::Removing {
            // The record of a failure goes with the resend's, not before it.
            row = self.find(&row.record.key).unwrap_or(row);
        }
        if row.stored.is_some() {
            return false;
        }
        // Nor while it is not known whether the resend's is there: a page that ends in between would have neither.
        let (newest, replaced) = (row.id, row.id != id);
        for other in &self.sought {
            let before = self.rows.get(other).filter(|_| *other < newest || (replaced && *other == newest));
            if before.is_some_and(|other| other.record.conversation_id == row.record.conversation_id) {
                return true;
            }
        }
        false
    }
}
