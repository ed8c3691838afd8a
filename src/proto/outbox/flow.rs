//! Which row goes next: lanes, window, rate, poison, expiry.

use super::super::api::Now;
use super::super::model::{ErrorCode, Failure};
use super::{Action, LOSSES_BEFORE_ALONE, Outbox, RowId, Stage, Traits};
use crate::proto::mutant;

impl Outbox {
    /// What the backend gives, from a hello or from memory.
    pub fn set_traits(&mut self, traits: Traits) {
        self.traits = traits;
    }

    /// This tab leads under `generation`, or (0) does not.
    pub fn set_generation(&mut self, generation: u64) {
        self.generation = generation;
        for (_, row) in self.rows.iter_mut() {
            row.seeks = false;
        }
        for id in self.ids_of(&|row| row.stage == Stage::Failed) {
            self.look_up(id);
        }
    }

    /// Online, and what the backend gives is known: sends may go.
    pub fn open(&mut self, now: Now) {
        self.open = true;
        (self.held_back, self.unauthorised) = (false, false);
        // A pause that the server has asked for outlives the socket: it counts sends by their user.
        if mutant::is(52) {
            self.paused_until_mono_ms = 0;
        }
        for (_, lane) in self.lanes.iter_mut() {
            lane.joins = false;
        }
        self.settle_doubt();
        self.advance(now);
    }

    /// What was on the wire at a kill: the key makes a repetition harmless, without keys nobody knows.
    fn settle_doubt(&mut self) {
        for id in self.ids_of(&|row| row.doubtful) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            row.doubtful = false;
            let harmless = self.traits.keys || row.is_change();
            if !harmless && !mutant::is(16) && row.stage == Stage::Queued {
                self.fail(id, unconfirmed());
                self.look_up(id);
            }
        }
    }

    /// The link that did not take a frame is good again.
    pub fn on_writable(&mut self, now: Now) {
        self.held_back = false;
        self.advance(now);
    }

    /// The instance ends: nothing more goes out. What is unanswered is no loss of the connection.
    pub fn shut(&mut self) {
        self.open = false;
    }

    /// Whether the store is left alone for a while.
    pub fn set_blocked(&mut self, blocked: bool) {
        self.blocked = blocked;
        self.asked = false;
        self.stirred = true;
    }

    /// Starts whatever may start.
    pub fn advance(&mut self, now: Now) {
        if self.generation == 0 {
            return;
        }
        self.expire(now, false);
        if self.pauses(now) || !self.open || self.held_back {
            return;
        }
        if self.met {
            self.met = false;
            self.settle_doubt();
        }
        self.seek_targets();
        if let Some(alone) = self.alone() {
            let others = self.has_row(&|row| row.id != alone && row.stage.occupies_wire());
            let waits = self.rows.get(&alone).is_some_and(|row| row.stage == Stage::Queued);
            if waits
                && !others
                && self.lane_ready(alone, now)
                && self.may_go(alone)
                && self.bucket.take(now.mono_ms)
            {
                self.start(alone);
            }
            return;
        }
        let lanes = self.lanes.keys_where(&|_, _| true);
        for conversation_id in lanes {
            while let Some(id) = self.next_in(&conversation_id, now) {
                if !self.may_go(id) {
                    break;
                }
                if !self.bucket.take(now.mono_ms) {
                    return;
                }
                self.start(id);
            }
        }
    }

    /// Whether the server wants nothing now.
    fn pauses(&mut self, now: Now) -> bool {
        self.paused = now.mono_ms < self.paused_until_mono_ms;
        self.paused
    }

    /// Whether a row that has just been queued could go as soon as it is stored.
    pub(super) fn may_start(&mut self, now: Now, id: RowId) -> bool {
        let paused = self.pauses(now);
        let Some(row) = self.rows.get(&id) else { return false };
        let Some(lane) = self.lanes.get(&row.record.conversation_id) else { return false };
        let first = self.head_of(&row.record.conversation_id) == Some(id) && lane.may_go(now);
        self.open
            && self.generation != 0
            && !self.held_back
            && first
            && !paused
            && !self.awaits_target(row)
            && self.has_room_for(row)
            && self.alone().is_none()
            && self.bucket.take(now.mono_ms)
    }

    /// The row that has to go alone, if there is a poisonous one: itself, or what stands before it in its lane.
    fn alone(&self) -> Option<RowId> {
        let mut alone: Option<RowId> = None;
        for (_, lane) in self.lanes.iter() {
            // What waits for its topic holds up nobody else.
            if lane.joins {
                continue;
            }
            let (mut head, mut poisonous) = (None, false);
            for id in &lane.rows {
                let Some(row) = self.rows.get(id) else { continue };
                if !row.cancelled && !row.is_parked() {
                    head = head.or(Some(*id));
                    poisonous |= row.record.losses >= LOSSES_BEFORE_ALONE;
                }
            }
            if let Some(head) = head
                && poisonous
                && alone.is_none_or(|earlier| head < earlier)
            {
                alone = Some(head);
            }
        }
        alone
    }

    fn lane_ready(&self, id: RowId, now: Now) -> bool {
        let row = self.rows.get(&id).filter(|row| !row.writing && !row.is_over(now));
        let lane = row.and_then(|row| self.lanes.get(&row.record.conversation_id));
        lane.is_some_and(|lane| lane.may_go(now))
    }

    /// Whether a row whose turn it is may go as far as the store is concerned. If it takes no mark just now, it is asked
    /// whether it still has the row.
    fn may_go(&mut self, id: RowId) -> bool {
        let may = !self.blocked || self.may_go_unmarked(id);
        if !may && self.may_repeat(id) && !self.asked {
            self.asked = true;
            self.actions.push_back(Action::Reread);
        }
        may
    }

    /// Without its mark in the store a row may go only where a repetition is harmless, or where only memory has it. To
    /// repeat a change is, but where no keys are kept a message is known again by its content: before that is changed,
    /// its id has to be stored.
    fn may_repeat(&self, id: RowId) -> bool {
        self.traits.keys || self.rows.get(&id).is_some_and(|row| row.stored.is_none())
    }

    /// And no other tab may have taken it back: none can once it was marked, or where the store has neither it nor what it
    /// is a resend of; else it has to stand there in this moment.
    pub(super) fn may_go_unmarked(&self, id: RowId) -> bool {
        let Some(row) = self.rows.get(&id) else { return false };
        let within_reach = match row.stored {
            Some(_) => !row.marked,
            None => self.has_row(&|old| old.id < id && old.record.key == row.record.key),
        };
        self.may_repeat(id) && (self.just_read || !within_reach)
    }

    /// The call is over: from now on the store may hold other rows than were read.
    pub fn on_settled(&mut self) {
        self.just_read = false;
    }

    /// The message that it answers is on its way, and has its id when it is answered.
    fn awaits_target(&self, row: &super::Row) -> bool {
        let to = row.record.reply_to.as_ref().filter(|_| row.record.reply_to_id.is_none());
        let target = to.and_then(|to| self.find(&to.row_key));
        target.is_some_and(|target| target.stage.occupies_wire() || target.stage == Stage::Answered)
    }

    /// The next row of a lane that may go now: in order, within the window.
    fn next_in(&self, conversation_id: &str, now: Now) -> Option<RowId> {
        let lane = self.lanes.get(conversation_id)?;
        if !lane.may_go(now) {
            return None;
        }
        let mut first = None;
        for row in self.lane_rows(conversation_id) {
            if !row.cancelled && !row.is_parked() && !row.stage.occupies_wire() {
                first = first.or(Some(row));
            }
        }
        let first = first?;
        // A row that is not in the store yet holds back what was queued behind it.
        let ready = first.stage == Stage::Queued && !first.writing && !first.is_over(now);
        let ready = ready && !self.awaits_target(first);
        (ready && self.has_room(conversation_id) && self.has_room_for(first)).then_some(first.id)
    }

    /// Whether the window of a conversation takes one more. A row of another tab may have come in before what is in flight,
    /// or gone while this one was on its way into the store.
    pub(super) fn has_room(&self, conversation_id: &str) -> bool {
        let mut room = match self.traits.ordered_window {
            true => self.limits.window.max(1),
            false if mutant::is(10) => 2,
            false => 1,
        };
        for row in self.lane_rows(conversation_id) {
            room = room.saturating_sub(u32::from(!row.cancelled && row.stage.occupies_wire()));
        }
        room > 0
    }

    fn start(&mut self, id: RowId) {
        self.put_mark(id);
        self.set_stage(id, Stage::Marking);
        self.mark_dirty(id);
        if mutant::is(3) {
            self.actions.push_back(Action::Transmit { row: id });
        }
    }

    /// The frame has been handed to the socket.
    pub fn on_transmitted(&mut self, now: Now, id: RowId) {
        let wait_ms = if mutant::is(63) { 500 } else { self.limits.ack_timeout_ms };
        self.on_sent(id, now.mono_ms + u64::from(wait_ms));
        if mutant::is(6) {
            self.set_stage(id, Stage::Answered);
            self.actions.push_back(Action::Apply { row: id, copy: None });
        }
    }

    /// It is on its way, and answered until `deadline_mono_ms`.
    pub(super) fn on_sent(&mut self, id: RowId, deadline_mono_ms: u64) {
        if let Some(row) = self.rows.get_mut(&id) {
            let news = !row.sent;
            row.sent = true;
            row.stage = Stage::InFlight { deadline_mono_ms };
            if news {
                self.touch(id);
            }
        }
    }

    /// The socket did not take the frame: its turn comes again.
    pub fn on_held_back(&mut self, id: RowId) {
        self.held_back = self.open;
        self.unmark(id);
    }

    /// The frame can never go (E12: over the server's `maxPayload`).
    pub fn on_unsendable(&mut self, id: RowId, failure: Failure) {
        self.fail(id, failure);
    }

    /// Everything handed to the socket has left its buffer: where the backend gives no answers, that is the end of
    /// the way for what is in flight.
    pub fn on_drained(&mut self) {
        if self.traits.answers {
            return;
        }
        for id in self.ids_of(&|row| matches!(row.stage, Stage::InFlight { .. }) && !row.is_requested()) {
            self.on_stored(id, None);
        }
        // Nothing is unanswered any more, so nothing is held for it.
        self.settle_all_held();
    }

    /// Looks whether an answer is overdue (D10).
    pub fn on_ack_timer(&mut self, now: Now) {
        let overdue = |row: &super::Row| matches!(row.stage, Stage::InFlight { deadline_mono_ms } if deadline_mono_ms <= now.mono_ms);
        if self.has_row(&overdue) {
            self.actions.push_back(Action::Silent);
        }
    }

    /// Messages whose time to live is over and that are not on the wire. This page may have stood still, and another tab
    /// have led and sent them: before anything is said the store has to be `read`.
    pub fn expire(&mut self, now: Now, read: bool) {
        let mut due = Vec::new();
        for row in self.rows_of_lanes() {
            if self.generation != 0 && row.is_over(now) {
                // Where no keys are kept it may have arrived for all that is known, and its copy is still to be known again.
                due.push((row.id, row.doubtful && !self.traits.keys));
            }
        }
        if !read && !due.is_empty() {
            if !core::mem::replace(&mut self.overdue, true) {
                self.actions.push_back(Action::Reread);
            }
            return;
        }
        self.overdue &= !read;
        for (id, in_doubt) in due {
            self.fail(id, if in_doubt { unconfirmed() } else { expired() });
            self.look_up(id);
        }
    }

    /// Whether a message is over its time, and the store is to be read before that is said.
    pub fn is_overdue(&self) -> bool {
        self.overdue
    }
}

impl super::Row {
    fn is_over(&self, now: Now) -> bool {
        self.stage == Stage::Queued && self.record.is_expired(clock_of(now))
    }
}

impl super::Lane {
    fn may_go(&self, now: Now) -> bool {
        !self.joins && self.retry_at_mono_ms <= now.mono_ms
    }
}

impl Stage {
    pub(super) fn occupies_wire(self) -> bool {
        matches!(self, Self::Marking | Self::InFlight { .. })
    }
}

/// The failure of a message whose time is over.
pub fn expired() -> Failure {
    let text = "the message's time to live (ttlMs) was over before it was answered";
    Failure::new(ErrorCode::Expired, text)
}

pub(super) fn unconfirmed() -> Failure {
    let text = "the answer was lost and this backend keeps no keys: whether the message arrived is not known; \
                it is not sent again by itself";
    Failure::new(ErrorCode::Unconfirmed, text)
}

/// The clock of deadlines that are stored.
pub fn clock_of(now: Now) -> u64 {
    if mutant::is(25) { now.mono_ms } else { now.wall_ms }
}
