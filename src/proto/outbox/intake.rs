//! What the user does: queue, cancel, resend, discard. And what the store answers to it.

use super::super::api::Now;
use super::super::model::{ErrorCode, Failure};
use super::super::store::{OutboxRow, WireMark, same_content};
use super::{Action, Outbox, Row, RowId, Stage};
use crate::proto::mutant;
use crate::proto::text::concat;
use crate::proto::wire::json::decimal;

/// The generation of a mark that a failed message has taken along into its resend.
pub(super) const EARLIER: u64 = 0;

/// What becomes of a message that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queued {
    New(RowId),
    /// The same key with the same content is queued already.
    Known(RowId),
}

/// What the client writes for a dirty row.
#[derive(Clone, Debug)]
pub enum Write<'a> {
    Add(&'a OutboxRow),
    Put { stored: u64, expect: u64, record: &'a OutboxRow },
    Delete { stored: u64, expect: u64 },
}

impl Outbox {
    /// Queues a message. Nothing is queued where it fails.
    pub fn queue(&mut self, now: Now, record: OutboxRow) -> Result<Queued, Failure> {
        if let Some(known) = self.find(&record.key) {
            if same_content(&known.record, &record) {
                return Ok(Queued::Known(known.id));
            }
            let text =
                "key: this key is queued already with other content; a key belongs to one message for ever";
            return Err(Failure::new(ErrorCode::Conflict, text));
        }
        self.check_room(0)?;
        let id = self.insert(record, Stage::Saving);
        // With a free lane the first attempt's mark goes into the same record: one transaction instead of two.
        if self.may_start(now, id) {
            self.put_mark(id);
        }
        self.mark_dirty(id);
        self.touch(id);
        if mutant::is(2) {
            self.actions.push_back(Action::Saved { row: id });
        }
        Ok(Queued::New(id))
    }

    /// Whether another message finds room beside `more` that are still looked for.
    pub fn check_room(&self, more: usize) -> Result<(), Failure> {
        if self.rows.len() + more < self.limits.max_queued as usize || mutant::is(18) {
            return Ok(());
        }
        let text = concat(&[
            "the outbox holds ",
            &decimal(self.limits.max_queued.into()),
            " messages, which is its limit (outbox.maxQueued)",
        ]);
        Err(Failure::new(ErrorCode::OutboxFull, text))
    }

    /// Takes a message back that has not been on the wire, and what was to change it. The row is gone when `Removed` is said.
    pub fn cancel(&mut self, key: &str) -> Result<(), Failure> {
        let Some(id) = self.by_key.get(key).copied() else { return Err(missing(key)) };
        let Some(row) = self.rows.get_mut(&id) else { return Err(missing(key)) };
        if mutant::is(30) {
            // It forgets that the message is on the wire.
        } else if (row.on_wire() && (row.marked || !mutant::is(60)))
            || (row.record.failure.is_some() && row.record.wire.is_some())
        {
            return Err(in_flight());
        }
        self.take_back(id);
        self.remove_changes_of(key);
        Ok(())
    }

    /// It goes, at once or when the write under way is done.
    pub(super) fn take_back(&mut self, id: RowId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        if matches!(row.stage, Stage::Saving | Stage::Marking) || row.writing {
            row.cancelled = true;
            self.touch(id);
        } else {
            self.remove(id);
        }
    }

    /// Drops a failed message for good, and what was to change it.
    pub fn discard(&mut self, key: &str) -> Result<(), Failure> {
        let id = self.failed(key, "discard")?;
        self.remove(id);
        self.remove_changes_of(key);
        Ok(())
    }

    /// Queues a failed message again, with its key, behind everything else of its conversation.
    pub fn resend(&mut self, key: &str) -> Result<RowId, Failure> {
        let id = self.failed(key, "resend")?;
        let Some(mut record) = self.rows.get(&id).map(|row| row.record.clone()) else {
            return Err(missing(key));
        };
        let sent = record.wire.is_some();
        (record.failure, record.attempts, record.losses) = (None, 0, 0);
        record.expires_at_ms = None;
        // That it has been on the wire stands in its record, for the other tabs; where no keys are kept it would be a doubt.
        match &mut record.wire {
            Some(mark) if self.traits.keys => mark.generation = EARLIER,
            wire => *wire = None,
        }
        self.set_stage(id, Stage::Removing);
        self.mark_dirty(id);
        if mutant::is(15) {
            record.key.push('~');
        }
        let again = self.insert(record, Stage::Saving);
        if let Some(row) = self.rows.get_mut(&again) {
            row.sent = sent;
        }
        self.mark_dirty(again);
        self.touch(again);
        Ok(again)
    }

    fn failed(&self, key: &str, what: &str) -> Result<RowId, Failure> {
        let row = self.find(key).ok_or_else(|| missing(key))?;
        if row.stage == Stage::Failed && !row.cancelled {
            return Ok(row.id);
        }
        let text =
            concat(&[what, ": the message has not failed; only a failed one can be resent or discarded"]);
        Err(Failure::new(ErrorCode::Conflict, text))
    }

    pub(super) fn insert(&mut self, record: OutboxRow, stage: Stage) -> RowId {
        let id = self.next_row;
        self.next_row += 1;
        self.next_revision += 1;
        self.by_key.insert(record.key.clone(), id);
        let conversation_id = record.conversation_id.clone();
        self.by_room.or_default(conversation_id.clone()).push(id);
        let row = Row {
            id,
            record,
            stored: None,
            version: 0,
            marked: false,
            stage,
            dirty: false,
            writing: false,
            sent: false,
            doubtful: false,
            cancelled: false,
            volatile: false,
            left: false,
            rate_limited: 0,
            seeks: false,
            unanswered: 0,
            revision: self.next_revision,
        };
        self.rows.insert(id, row);
        if stage != Stage::Failed {
            self.enter_lane(id, &conversation_id);
        }
        id
    }

    pub(super) fn remove(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        let (stored, key) = (row.stored, row.record.key.clone());
        self.set_stage(id, Stage::Removing);
        self.touch(id);
        if stored.is_some() {
            return self.mark_dirty(id);
        }
        let old = self.ids_of(&|row| row.id < id && row.record.key == key);
        let Some(old) = old.first().copied() else { return self.removed(id) };
        // A resend that only memory has is taken back when the failure that it comes of has left the store: until then that
        // one would stand there for the next page, to be sent again.
        self.forget(id);
        self.by_key.insert(key, old);
        self.touch(old);
    }

    fn removed(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        let (key, conversation_id) = (row.record.key.clone(), row.record.conversation_id.clone());
        let replaced = self.by_key.get(&key) != Some(&id);
        if !replaced {
            self.actions.push_back(Action::Removed { key, conversation_id });
            self.tell_settled(id, Err(cancelled()));
        }
        self.forget(id);
    }

    /// Marks the record for the attempt that is about to be made (rule 3).
    pub(super) fn put_mark(&mut self, id: RowId) {
        let generation = self.generation;
        if let Some(row) = self.rows.get_mut(&id) {
            let attempt = row.record.wire.as_ref().map_or(0, |mark| mark.attempt) + 1;
            row.record.wire = Some(WireMark { generation, attempt });
            if mutant::is(1) && attempt > 1 {
                row.record.key.push('~');
                self.by_key.insert(row.record.key.clone(), id);
            }
        }
    }

    /// What to write for each dirty row, in queue order; they count as under way from here on.
    pub fn take_writes(&mut self) -> Vec<RowId> {
        let mut ready = Vec::new();
        for id in self.dirty.iter() {
            if self.rows.get(id).is_some_and(|row| !row.writing) && !self.waits_for_sought(*id) {
                ready.push(*id);
            }
        }
        for id in &ready {
            self.dirty.remove(id);
            if let Some(row) = self.rows.get_mut(id) {
                (row.dirty, row.writing) = (false, true);
                if mutant::is(33) && row.stored.is_none() {
                    // Its number, until it is written.
                    self.newest_stored += 1;
                    row.version = self.newest_stored;
                }
            }
        }
        ready
    }

    /// The write of one row, as the row is now.
    pub fn write_of(&self, id: RowId) -> Option<Write<'_>> {
        let row = self.rows.get(&id)?;
        let gone = matches!(row.stage, Stage::Settling | Stage::Removing);
        match (row.stored, gone) {
            (None, true) => None,
            (None, false) => Some(Write::Add(&row.record)),
            (Some(stored), true) => Some(Write::Delete { stored, expect: row.version }),
            (Some(stored), false) => Some(Write::Put { stored, expect: row.version, record: &row.record }),
        }
    }

    /// The store has the row as it was at `stage` (`stored` is given for a new one).
    pub fn on_written(&mut self, id: RowId, stage: Stage, stored: Option<u64>, version: u64) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.writing = false;
        row.volatile = false;
        self.stirred = true;
        let adds = row.stored.is_none() && !matches!(stage, Stage::Settling | Stage::Removing);
        let counted = (mutant::is(33) && adds).then_some(row.version);
        // What has become of it since was given up with the lead: the record that was written is the one that counts.
        let forgotten = self.generation == 0 && row.stage != stage && !row.dirty;
        row.version = if forgotten { 0 } else { version };
        row.marked = row.record.wire.is_some();
        if let Some(stored) = stored.or(counted) {
            self.number(id, stored);
        }
        self.advance_written(id, stage);
    }

    /// The store refused. A new row lives in memory alone from now on, `durable: false` (rule 14); everything else
    /// stays where it is. The client writes what is dirty again when the store is tried again.
    pub fn on_write_failed(&mut self, id: RowId, stage: Stage) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.writing = false;
        let fresh = row.stored.is_none();
        row.volatile = fresh;
        let unmarked = stage == Stage::Marking && self.may_go_unmarked(id);
        self.want_again(id);
        if fresh || unmarked {
            self.advance_written(id, stage);
        } else {
            self.unmark(id);
        }
    }

    /// The transaction met a record that another tab had changed: after the store has been read again, what is
    /// still wanted is written again.
    pub fn on_conflict(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id) {
            // A mark of an earlier lead of this tab: what has become of the row since is read, and not written over.
            let outlived = row.version == 0 && row.stored.is_some() && !row.cancelled;
            let outlived = outlived && matches!(row.stage, Stage::Marking | Stage::Queued);
            (row.writing, row.version) = (false, 0);
            if !outlived {
                self.want_again(id);
            }
            self.unmark(id);
        }
    }

    /// The transaction did not take place, and the same is written again at once.
    pub fn on_not_written(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.writing = false;
            self.want_again(id);
            self.unmark(id);
        }
    }

    /// Its mark is not in the store: its turn comes again, unless it has been answered meanwhile.
    pub(super) fn unmark(&mut self, id: RowId) {
        if self.rows.get(&id).is_some_and(|row| row.stage == Stage::Marking) {
            self.set_stage(id, Stage::Queued);
        }
    }

    fn advance_written(&mut self, id: RowId, stage: Stage) {
        let Some(row) = self.rows.get(&id) else { return };
        let (cancelled, now_stage) = (row.cancelled, row.stage);
        let marked = row.record.wire.as_ref().is_some_and(|mark| mark.generation != EARLIER);
        let room = self.has_room(&row.record.conversation_id);
        let open = self.open && (!self.paused || mutant::is(64));
        match stage {
            Stage::Saving => {
                if now_stage == Stage::Saving {
                    self.set_stage(id, Stage::Queued);
                }
                self.actions.push_back(Action::Saved { row: id });
                if cancelled {
                    self.remove(id);
                } else if !marked {
                    // Its copy may have come while the resend was being saved.
                    self.look_up(id);
                } else if marked && now_stage == Stage::Saving && open && self.in_turn(id) && room {
                    self.set_stage(id, Stage::Marking);
                    self.actions.push_back(Action::Transmit { row: id });
                }
            }
            Stage::Marking if cancelled => self.remove(id),
            Stage::Marking if now_stage == Stage::Marking => {
                if open && self.in_turn(id) {
                    self.actions.push_back(Action::Transmit { row: id });
                } else {
                    self.set_stage(id, Stage::Queued);
                }
            }
            Stage::Settling => {
                self.tell_settled(id, Ok(()));
                self.forget(id);
            }
            Stage::Removing => self.removed(id),
            Stage::Answered if self.generation == 0 && now_stage == stage && !cancelled => {
                self.leave_to_leader(id);
            }
            _ if cancelled && !matches!(now_stage, Stage::InFlight { .. }) => self.remove(id),
            _ => {}
        }
    }

    /// Whether everything before this row in its lane is on the wire, or about to be: what had to queue again while
    /// this row was being marked goes first.
    ///
    /// A failure or a removal before it is committed first: after a crash in between it would be sent again, behind
    /// this row.
    fn in_turn(&self, id: RowId) -> bool {
        if mutant::is(11) {
            return true;
        }
        let Some(row) = self.rows.get(&id) else { return true };
        let conversation_id = &row.record.conversation_id;
        for other in self.by_room.get(conversation_id).into_iter().flatten() {
            if *other == id {
                break;
            }
            let Some(row) = self.rows.get(other) else { continue };
            let passed = match row.stage {
                Stage::Failed | Stage::Removing => self.blocked || !(row.writing || row.dirty),
                Stage::Marking => row.cancelled || !(row.writing || row.dirty),
                Stage::Queued | Stage::Saving => row.cancelled || row.is_parked(),
                _ => true,
            };
            if !passed {
                return false;
            }
        }
        true
    }
}

/// The refusal of a cancel that comes too late.
pub fn in_flight() -> Failure {
    Failure::new(ErrorCode::InFlight, "the message is, or has been, on the wire and cannot be taken back")
}

/// How whoever waits for a message that was taken back is told so.
pub fn cancelled() -> Failure {
    Failure::new(ErrorCode::Cancelled, "the message was cancelled or discarded")
}

fn missing(key: &str) -> Failure {
    Failure::new(ErrorCode::NotFound, concat(&["no queued or failed message has the key ", key]))
}
