//! The outbox as the store has it: at the start, at a takeover, after a poke of another tab.

use crate::proto::sorted::SortedSet;

use super::super::api::{Changes, Key, Record};
use super::super::model::{ErrorCode, Failure};
use super::super::store::{OutboxRow, RecordError, decode_outbox_row, record_version};
use super::beside::may_have_gone;
use super::{Outbox, Row, RowId, Stage};

/// Numbers that are remembered as removed before they were heard of.
const MAX_GONE: usize = 256;

impl Outbox {
    /// Brings the rows in line with what the store holds. Rows that another tab has added come in, rows that it has
    /// removed go; a row with a write of our own under way is left alone. Returns the records that cannot be read,
    /// each once. `same_reign`: the generation is the one under which the rows were read before.
    pub fn reconcile(&mut self, records: &[Record], same_reign: bool) -> Vec<RecordError> {
        (self.just_read, self.asked, self.stirred) = (true, false, true);
        let mut damaged = Vec::new();
        self.see_reign(same_reign);
        let (mut present, mut torn) = (Vec::new(), Vec::new());
        let mut kept: SortedSet<u64> = SortedSet::new();
        for record in records {
            let Key::Number(stored) = record.key else { continue };
            kept.insert(stored);
            match decode_outbox_row(&record.bytes) {
                Ok((version, row)) => present.push((stored, version, row)),
                Err(error) => {
                    let left = !self.damaged.insert(stored);
                    torn.push((stored, record_version(&record.bytes), left));
                    if !left {
                        damaged.push(error);
                    }
                }
            }
        }
        for (stored, version, left) in torn {
            let id = self.by_stored.get(&stored).copied();
            let key = id.and_then(|id| self.rows.get(&id)).map(|row| row.record.key.clone());
            match id.filter(|_| present.iter().any(|(.., found)| Some(&found.key) == key.as_ref())) {
                // Another tab has added it anew.
                Some(id) => self.find_again(id, &present),
                None => self.replace_damaged(stored, version, same_reign, left),
            }
        }
        let is_gone = |row: &Row| !row.writing && row.stored.is_some_and(|stored| !kept.contains(&stored));
        for id in self.ids_of(&is_gone) {
            self.find_again(id, &present);
        }
        let being_written = self.keys_being_written(&|old| !kept.contains(&old));
        for (stored, version, row) in present {
            if !being_written.contains(&row.key) {
                self.meet(stored, version, row);
            }
        }
        // What is not there is gone.
        self.missed = 0;
        damaged
    }

    /// Takes in what another tab has written. `false`: something does not join on, and the store is to be read.
    pub fn take_changes(&mut self, changes: &Changes) -> bool {
        let mut joins = true;
        let (mut present, mut unknown) = (Vec::new(), Vec::new());
        for (at, expect, bytes) in &changes.puts {
            let Key::Number(stored) = at.key else { continue };
            let Ok((version, row)) = decode_outbox_row(bytes) else { return false };
            let joined = match self.by_stored.get(&stored).and_then(|id| self.rows.get(id)) {
                // Newer than when it was added, or known already.
                Some(row) if expect.is_none() || row.version == version => continue,
                Some(row) => row.writing || *expect == Some(row.version),
                None => {
                    let fills = stored < self.newest_stored && self.missed > 0;
                    let follows = self.missed == 0 && stored.checked_sub(1) == Some(self.newest_stored);
                    self.missed -= u64::from(fills);
                    self.see_number(stored);
                    if self.gone.remove(&stored) {
                        continue;
                    }
                    expect.is_none() && (fills || follows)
                }
            };
            joins &= joined;
            if joined {
                present.push((stored, version, row));
            } else {
                unknown.push(row.key);
            }
        }
        for (at, expect) in &changes.deletes {
            let Key::Number(stored) = at.key else { continue };
            let Some(id) = self.by_stored.get(&stored).copied() else {
                self.gone.insert(stored);
                if self.gone.len() > MAX_GONE {
                    self.gone.pop_first();
                }
                continue;
            };
            let Some(row) = self.rows.get(&id).filter(|row| !row.writing) else { continue };
            if unknown.contains(&row.record.key) {
                // What stands for it now comes with the next read: until then it is not gone.
            } else if *expect == Some(row.version) {
                self.find_again(id, &present);
            } else {
                joins = false;
            }
        }
        let is_gone = |old| changes.deletes.iter().any(|(at, _)| at.key == Key::Number(old));
        let being_written = self.keys_being_written(&is_gone);
        for (stored, version, row) in present {
            // The one that is known may be torn: what is there decides which of them is the second.
            if being_written.contains(&row.key) || self.would_be_double(stored, &row.key) {
                joins = false;
            } else {
                self.meet(stored, version, row);
            }
        }
        self.stirred = true;
        joins && self.missed == 0
    }

    /// Another tab leads now: what it makes of the rows counts, not what this one was about to. A row that only
    /// this tab has, and a wish of the user, stay; but one that is about to come into the store waits there
    /// like the others for a leader that has its copy.
    pub fn abdicate(&mut self) {
        self.generation = 0;
        (self.open, self.overdue) = (false, false);
        for id in self.ids_of(&|_| true) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            let left = matches!(row.stage, Stage::Answered | Stage::Settling);
            // One that is just being added, answered meanwhile, is the next leader's to settle.
            let only_here = row.stored.is_none() && !(row.writing && row.stage != Stage::Saving);
            // What it did not live to hear of a request it asks again, whoever has it; the answer goes with the lead.
            let unheard = row.is_change() && (left || row.is_requested());
            if only_here && unheard && !row.cancelled {
                let conversation_id = row.record.conversation_id.clone();
                self.set_stage(id, Stage::Queued);
                self.enter_lane(id, &conversation_id);
                continue;
            }
            if only_here || row.stage == Stage::Removing || row.cancelled {
                if row.marked && !row.writing && may_have_gone(&row.record) {
                    self.leave_unwanted(id);
                }
                continue;
            }
            (row.dirty, row.version) = (false, 0);
            let failed = row.record.failure.is_some();
            // It may go out in the other tab, or have gone out here: what its record says is read before it goes again.
            row.doubtful = row.record.wire.is_some() && !failed;
            self.met |= row.doubtful;
            let conversation_id = row.record.conversation_id.clone();
            self.dirty.remove(&id);
            self.set_stage(id, if failed { Stage::Failed } else { Stage::Queued });
            if left && failed {
                // As the store has it: what memory alone knew of it is not waited for.
                self.failed_elsewhere(id);
            } else if left {
                self.enter_lane(id, &conversation_id);
            }
        }
    }

    /// Whoever leads next goes by the mark of what was to go.
    pub(super) fn leave_unwanted(&mut self, id: RowId) {
        let record = self.rows.get(&id).map(|row| row.record.clone());
        if let Some(record) = record.filter(|_| self.is_unwanted(id)) {
            self.give_back(id, record);
        }
    }

    /// Only memory knew that it was answered, and what was to be made of that went with the lead: whoever leads next asks
    /// again.
    pub(super) fn leave_to_leader(&mut self, id: RowId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.doubtful = row.record.wire.is_some();
        self.met |= row.doubtful;
        let conversation_id = row.record.conversation_id.clone();
        self.set_stage(id, Stage::Queued);
        self.enter_lane(id, &conversation_id);
    }

    /// The row's record is gone: it stands under another number (resent by another tab), or not at all.
    fn find_again(&mut self, id: RowId, present: &[(u64, u64, OutboxRow)]) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let again = present.iter().find(|(.., found)| found.key == row.record.key);
        let Some((stored, ..)) = again.filter(|(stored, ..)| !self.by_stored.contains_key(stored)) else {
            return self.vanish(id);
        };
        row.version = 0;
        if row.stage == Stage::Failed {
            // The failure that is to be written is that of the one before.
            self.leave_record(id);
        }
        self.number(id, *stored);
    }

    /// Its record is gone, or another's: nothing that is known here is written there.
    fn leave_record(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id) {
            (row.dirty, row.version, row.left) = (false, 0, true);
        }
        self.dirty.remove(&id);
    }

    /// Forgets everything (wipe); whoever waits is told. `beside`: another tab has wiped; what had come into the store is
    /// missed when it is read, and what is just being written is taken back when it is known whether it was.
    pub fn clear(&mut self, beside: bool) {
        self.gone.clear();
        for id in self.ids_of(&|row| !beside || row.stored.is_none()) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            if beside && row.writing {
                row.cancelled = true;
                continue;
            }
            let (key, conversation_id) = (row.record.key.clone(), row.record.conversation_id.clone());
            self.tell_settled(id, Err(Failure::new(ErrorCode::Cancelled, "the store was wiped")));
            self.forget(id);
            self.actions.push_back(super::Action::Removed { key, conversation_id });
        }
    }

    /// The store has lost everything: every row is new to it.
    pub fn on_emptied(&mut self) {
        for id in self.ids_of(&|row| row.stored.is_some()) {
            self.lose_number(id);
            self.touch(id);
        }
    }

    /// Where another tab has failed it, whoever waits for its answer here hears of it too.
    fn failed_elsewhere(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        let Some(failure) = row.record.failure.clone() else { return };
        self.tell_settled(id, Err(failure));
    }

    fn meet(&mut self, stored: u64, version: u64, record: OutboxRow) {
        if let Some(id) = self.by_stored.get(&stored).copied() {
            let Some(row) = self.rows.get_mut(&id) else { return };
            if row.writing || row.version == version {
                return;
            }
            row.marked = record.wire.is_some();
            if row.dirty {
                return self.meet_own(id, version, record);
            }
            // Another tab has rewritten it: its leader, while this one follows.
            row.version = version;
            let idle = matches!(row.stage, Stage::Queued | Stage::Failed);
            if idle {
                row.sent |= record.wire.is_some();
                row.doubtful = may_have_gone(&record);
                self.met |= row.doubtful;
                let failed = record.failure.is_some();
                row.record = record;
                let (conversation_id, was) = (row.record.conversation_id.clone(), row.stage);
                self.set_stage(id, if failed { Stage::Failed } else { Stage::Queued });
                if was == Stage::Failed && !failed {
                    self.enter_lane(id, &conversation_id);
                }
                self.touch(id);
                if was != Stage::Failed {
                    self.failed_elsewhere(id);
                }
            }
            return;
        }
        if self.by_key.contains_key(&record.key) {
            // Without a number it is the row that we have added ourselves (`Unknown`). Else two tabs have queued one
            // key: the first stands, and the leader removes the other.
            if self.would_be_double(stored, &record.key) {
                self.remove_double(stored, version, record);
            }
            return;
        }
        let failed = record.failure.is_some();
        let (on_wire, record_marked) = (may_have_gone(&record), record.wire.is_some());
        let id = self.insert(record, if failed { Stage::Failed } else { Stage::Queued });
        if let Some(row) = self.rows.get_mut(&id) {
            (row.version, row.marked) = (version, record_marked);
            (row.sent, row.doubtful) = (on_wire, on_wire);
        }
        self.number(id, stored);
        self.met |= on_wire;
        self.stirred = true;
        self.touch(id);
        self.look_up(id);
    }

    /// A row that has been on the wire comes out of the store: a leader that did not have it may have taken its copy in.
    pub(super) fn look_up(&mut self, id: RowId) {
        let has_been = |row: &Row| row.record.wire.is_some() && !row.is_change();
        if self.generation != 0 && self.rows.get(&id).is_some_and(has_been) {
            self.actions.push_back(super::Action::LookUp { row: id });
        }
    }

    /// Of the rows that are just being written here, and whose numbers are gone: what stands for one of them now is no second
    /// one of its key, also where a resend that only memory had was answered before the failure could be removed. What becomes
    /// of it is seen when the write is over.
    fn keys_being_written(&self, is_gone: &dyn Fn(u64) -> bool) -> Vec<String> {
        let ids = self.ids_of(&|row| row.writing && row.stored.is_some_and(is_gone));
        ids.iter().filter_map(|id| Some(self.rows.get(id)?.record.key.clone())).collect()
    }

    /// Whether a leader would remove it, since another row stands for its key.
    fn would_be_double(&self, stored: u64, key: &str) -> bool {
        let known = self.by_key.get(key).and_then(|id| self.rows.get(id));
        self.generation != 0
            && !self.by_stored.contains_key(&stored)
            && known.is_some_and(|known| known.stored.is_some())
    }

    fn remove_double(&mut self, stored: u64, version: u64, record: OutboxRow) {
        let first = self.by_key.get(&record.key).copied();
        let (key, conversation_id) = (record.key.clone(), record.conversation_id.clone());
        let id = self.insert(record, Stage::Removing);
        self.leave_lane(id, &conversation_id);
        if let Some(row) = self.rows.get_mut(&id) {
            row.version = version;
        }
        if let Some(first) = first {
            self.by_key.insert(key, first);
        }
        self.number(id, stored);
        self.mark_dirty(id);
    }

    /// Another tab has removed it (answered, cancelled or discarded there): the history tells which, also where it
    /// was to be cancelled here.
    pub fn vanish(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        match row.stage {
            // What comes of its frame ends it.
            Stage::InFlight { .. } | Stage::Answered => return self.leave_record(id),
            Stage::Settling => return self.on_written(id, Stage::Settling, None, 0),
            Stage::Removing => {
                // It was to go, and another row stands for its key: what was to be sent again has been taken back, unless the
                // store has that row already.
                let again = self.find(&row.record.key).filter(|again| again.id != id);
                if let Some(again) = again {
                    let (resend, known) = (again.id, again.stored.is_some() || again.writing);
                    self.forget(id);
                    if !known && resend > id {
                        self.vanish(resend);
                    }
                    return;
                }
            }
            _ => {}
        }
        self.end_elsewhere(id);
    }

    /// What came of it the history knows.
    pub(super) fn end_elsewhere(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        let record = Box::new(row.record.clone());
        let unwanted = self.is_unwanted(id);
        self.forget(id);
        if unwanted && record.change.is_none() {
            // If it was sent, they stay; if it was taken back there, they are sought in vain.
            self.keep_changes_of(&record.key);
        }
        self.actions.push_back(super::Action::Vanished { row: id, record });
    }
}
