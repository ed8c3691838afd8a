//! Messages that stay unanswered: their socket is gone, or their topic.

use super::super::model::{ErrorCode, Failure};
use super::flow::unconfirmed;
use super::{LOSSES_BEFORE_POISON, Outbox, RowId, Stage};
use crate::proto::mutant;

impl Outbox {
    /// The socket is gone. What was unanswered on it is a loss, not a failure (D10, D11). A row whose mark is still on
    /// its way queues again with the others: on the next connection it would overtake those that were before it.
    ///
    /// `by_us`: the user disconnected, or the page was frozen; that says nothing about the message.
    pub fn on_lost(&mut self, by_us: bool) {
        self.open = false;
        for id in self.ids_of(&|row| row.stage == Stage::Marking) {
            self.set_stage(id, Stage::Queued);
        }
        let unanswered =
            self.ids_of(&|row| matches!(row.stage, Stage::InFlight { .. }) && !row.is_requested());
        for id in unanswered {
            self.lose(id, by_us);
        }
    }

    /// These stay unanswered, though the socket lives: their topic is gone (X4). A loss all the same.
    pub fn on_unanswered(&mut self, rows: &[RowId]) {
        for id in rows {
            if self.rows.get(id).is_some_and(|row| matches!(row.stage, Stage::InFlight { .. })) {
                self.unmark_behind(*id);
                self.lose(*id, false);
            }
        }
    }

    /// What stands behind it and is being marked would overtake it.
    fn unmark_behind(&mut self, id: RowId) {
        let Some(lost) = self.rows.get(&id).map(|row| row.record.conversation_id.clone()) else { return };
        let marking = |row: &super::Row| row.stage == Stage::Marking && row.record.conversation_id == lost;
        for id in self.ids_of(&marking) {
            self.set_stage(id, Stage::Queued);
        }
    }

    /// The topic of its conversation was refused for now: no frame has left. It waits for the next join, so often.
    pub fn on_topic_refused(&mut self, id: RowId, failure: Failure) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.record.attempts += 1;
        if row.record.attempts >= self.limits.max_attempts {
            return self.fail(id, failure);
        }
        self.on_not_joined(id);
        self.mark_dirty(id);
    }

    fn lose(&mut self, id: RowId, by_us: bool) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        if row.left {
            // Nothing came of its frame that says otherwise.
            return self.end_elsewhere(id);
        }
        row.record.losses += u32::from(!by_us);
        if mutant::is(12) {
            row.record.attempts += 1;
        }
        if mutant::is(12) && row.record.attempts >= self.limits.max_attempts {
            self.fail(id, Failure::new(ErrorCode::Server, "the connection was lost too often"));
        } else if !self.traits.keys && !row.is_change() && !mutant::is(16) {
            self.fail(id, unconfirmed());
        } else if row.record.losses >= LOSSES_BEFORE_POISON && !mutant::is(17) {
            let text = "the connection was lost three times while this message was unanswered";
            self.fail(id, Failure::new(ErrorCode::Poison, text));
        } else {
            self.set_stage(id, Stage::Queued);
            self.mark_dirty(id);
        }
    }

    /// The topic of its conversation is not joined: it waits, and what stands behind it.
    pub fn on_not_joined(&mut self, id: RowId) {
        let conversation_id = self.rows.get(&id).map(|row| row.record.conversation_id.clone());
        if let Some(lane) = conversation_id.and_then(|id| self.lanes.get_mut(&id)) {
            lane.joins = true;
        }
        self.unmark(id);
    }

    /// The topic of this conversation is joined, or was refused.
    pub fn on_topic_settled(&mut self, conversation_id: &str) {
        if let Some(lane) = self.lanes.get_mut(conversation_id) {
            lane.joins = false;
        }
    }
}
