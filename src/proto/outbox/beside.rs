//! What another tab has made of rows that are to be changed, or to go, here.
//!
//! Law: our own change is written over what another tab has written; but what it may have put on the wire is not taken
//! back any more.

use crate::proto::sorted::partition_point;

use super::super::api::{Key, Record};
use super::super::store::{OutboxRow, decode_outbox_row, record_version};
use super::{Outbox, RowId, Stage};

impl Outbox {
    /// Beside a later version of the application, whose records this one cannot read: what stands there, ascending, and what
    /// does not any more. What is to go still goes where nobody has marked it; where the mark cannot be read, it stays.
    pub fn see_versions(&mut self, records: &[Record], same_reign: bool) {
        self.see_reign(same_reign);
        for id in self.ids_of(&|row| !row.writing) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            let Some(stored) = row.stored else { continue };
            let place = Key::Number(stored);
            let at = partition_point(records.len(), &|at| records.get(at).is_some_and(|it| it.key < place));
            let Some(record) = records.get(at).filter(|record| record.key == place) else {
                self.vanish(id);
                continue;
            };
            match (record_version(&record.bytes), decode_outbox_row(&record.bytes)) {
                (None, _) => self.replace_damaged(stored, None, false, false),
                (Some(version), _) if version == row.version => {}
                (Some(version), Ok((_, found))) => self.meet_own(id, version, found),
                (Some(version), Err(_)) => {
                    row.version = version;
                    if self.is_unwanted(id)
                        && let Some(record) = self.rows.get(&id).map(|row| row.record.clone())
                    {
                        self.give_back(id, record);
                    }
                }
            }
        }
    }

    /// What is being written under an earlier generation, and does not take place, is known no more.
    pub(super) fn see_reign(&mut self, same_reign: bool) {
        for id in self.ids_of(&|row| row.writing && !same_reign) {
            if let Some(row) = self.rows.get_mut(&id) {
                row.version = 0;
            }
        }
    }

    /// What was not written is written again. A tab that does not lead any more leaves the rows of the store to the one
    /// that does, but for a wish of the user; and what was cancelled meanwhile is not wanted as it was.
    pub(super) fn want_again(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        let unsent = matches!(row.stage, Stage::Marking | Stage::Queued | Stage::Failed);
        if row.cancelled && row.stored.is_some() && unsent {
            self.remove(id);
        } else if self.generation != 0
            || row.stored.is_none()
            || row.cancelled
            || row.stage == Stage::Removing
        {
            self.mark_dirty(id);
        }
    }

    /// It is to go for good: no other row stands for its key.
    pub(super) fn is_unwanted(&self, id: RowId) -> bool {
        let Some(row) = self.rows.get(&id) else { return false };
        (row.stage == Stage::Removing || row.cancelled) && self.by_key.get(&row.record.key) == Some(&id)
    }

    /// Our own change is written next; it only has to know what it replaces. But what another tab has marked meanwhile
    /// cannot be taken back, nor what this one has marked where another leads by now: it goes by that mark, too.
    pub(super) fn meet_own(&mut self, id: RowId, version: u64, found: OutboxRow) {
        let unwanted = self.is_unwanted(id);
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.version = version;
        let theirs = self.generation == 0 || found.wire != row.record.wire;
        if unwanted && may_have_gone(&found) && theirs {
            self.give_back(id, found);
        }
    }

    /// A cancel came too late: another tab has put the message on the wire, or may have. A failure is one as before.
    pub(super) fn give_back(&mut self, id: RowId, record: OutboxRow) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let (key, conversation_id) = (record.key.clone(), record.conversation_id.clone());
        let failed = record.failure.is_some();
        row.record = record;
        (row.dirty, row.cancelled, row.sent, row.doubtful) = (false, false, true, !failed);
        self.met = true;
        self.dirty.remove(&id);
        if failed {
            self.set_stage(id, Stage::Failed);
        } else {
            self.set_stage(id, Stage::Queued);
            self.enter_lane(id, &conversation_id);
        }
        self.touch(id);
        self.keep_changes_of(&key);
        self.actions.push_back(super::Action::NotRemoved { key });
    }
}

/// Marked for the wire by whichever tab, and nobody has decided yet what became of it.
pub(super) fn may_have_gone(record: &OutboxRow) -> bool {
    record.wire.is_some() && record.failure.is_none()
}
