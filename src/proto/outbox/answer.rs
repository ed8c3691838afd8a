//! What the server says of a send.

use super::super::api::Now;
use super::super::model::{ErrorCode, Failure, Message};
use super::super::profile::{Answer, ServerMessage};
use super::super::rng::Rng;
use super::{Action, MAX_RATE_LIMITED, Outbox, Row, RowId, Stage};
use crate::proto::mutant;
use crate::proto::text::concat;

/// The first delay after an answer of failure; doubled with each further one, jittered by half.
const RETRY_BASE_MS: u64 = 1000;
const RETRY_MAX_MS: u64 = 30_000;
/// The longest pause that a server's `retry_after_ms` is believed.
const MAX_PAUSE_MS: u64 = 60_000;

impl Outbox {
    /// The answer to a row in flight. Anything else is late and says nothing new.
    pub fn on_answer(&mut self, now: Now, rng: &mut Rng, id: RowId, answer: Answer) {
        let Some(row) = self.rows.get(&id) else { return };
        if !matches!(row.stage, Stage::InFlight { .. }) {
            return;
        }
        let conversation_id = row.record.conversation_id.clone();
        match answer {
            Answer::Stored(copy) => self.on_stored(id, copy),
            Answer::Refused { failure, retry_after_ms } if failure.code == ErrorCode::RateLimited => {
                self.on_rate_limited(now, id, failure, retry_after_ms);
            }
            Answer::Refused { failure, retry_after_ms } => {
                self.on_refused(now, rng, id, failure, retry_after_ms)
            }
            Answer::AuthRefused(_) if row.is_change() => self.on_unauthorised(id),
            Answer::AuthRefused(_) => self.set_stage(id, Stage::Queued),
            Answer::Malformed(what) => {
                let text = concat(&["the server's answer cannot be read: ", &what]);
                if self.traits.keys || row.is_change() {
                    self.on_refused(now, rng, id, Failure::new(ErrorCode::Server, text), None);
                } else {
                    self.fail(id, Failure::new(ErrorCode::Unconfirmed, text));
                }
            }
        }
        self.settle_held(&conversation_id);
        self.advance(now);
    }

    /// A copy of an own message has turned up by another way than its answer: live, or by catching up.
    /// `false`: no row of this outbox has that key.
    pub fn on_copy(&mut self, key: &str, copy: &ServerMessage) -> bool {
        let Some(id) = self.by_key.get(key).copied() else { return false };
        let taken = self.takes_copy(id);
        if taken {
            self.on_stored(id, Some(Box::new(copy.clone())));
        }
        taken
    }

    fn takes_copy(&self, id: RowId) -> bool {
        self.rows.get(&id).is_some_and(|row| match row.stage {
            // Its answer may have named no copy: this one joins the row in the history. And what is being discarded goes
            // from the queue only: the server has the message all the same, and so has the history.
            Stage::Answered | Stage::Settling | Stage::Removing => false,
            // Never sent from here and yet known to the server: somebody else's use of the same key.
            Stage::Saving => false,
            _ => true,
        })
    }

    /// The history has had the copy of this row before the row was known here.
    pub fn on_copy_known(&mut self, id: RowId) {
        if self.takes_copy(id) {
            self.on_stored(id, None);
        }
    }

    pub(super) fn on_stored(&mut self, id: RowId, copy: Option<Box<ServerMessage>>) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.sent = true;
        let mut copy = copy;
        if let Some(copy) = copy.as_mut().filter(|copy| copy.conversation_id.is_empty()) {
            // The topic of the answer said which.
            copy.conversation_id.clone_from(&row.record.conversation_id);
        }
        if !row.is_change() {
            let held = self.take_held_copy(id, copy.as_ref().map(|copy| copy.id.as_str()));
            copy = copy.or(held);
        }
        self.set_stage(id, Stage::Answered);
        self.actions.push_back(Action::Apply { row: id, copy });
    }

    /// The history has the copy; its transaction takes the row along (rule 6).
    /// `false`: the row is not here any more, or not answered.
    pub fn on_applied(&mut self, id: RowId) -> bool {
        let answered = self.rows.get(&id).is_some_and(|row| row.stage == Stage::Answered);
        if answered {
            self.set_stage(id, Stage::Settling);
            self.mark_dirty(id);
        }
        answered
    }

    /// Whether all of a conversation that has been on the wire is answered, as far as it is still here.
    pub fn all_answered(&self, conversation_id: &str) -> bool {
        let asked = |row: &Row| {
            row.on_wire() && !row.is_change() && !matches!(row.stage, Stage::Answered | Stage::Settling)
        };
        !self.has_row(&|row| row.record.conversation_id == conversation_id && asked(row))
    }

    /// The server has given this message an id: what answers or changes it can name it.
    pub fn on_named(&mut self, message: &Message) {
        let Some(id) = &message.id else { return };
        self.name_changes(&message.row_key, message);
        let answers = |row: &Row| {
            let to = row.record.reply_to.as_ref().filter(|_| row.record.reply_to_id.is_none());
            !row.on_wire() && to.is_some_and(|to| to.row_key == message.row_key)
        };
        for reply in self.ids_of(&answers) {
            if let Some(row) = self.rows.get_mut(&reply) {
                row.record.reply_to_id = Some(id.clone());
            }
            self.mark_dirty(reply);
        }
    }

    /// Whoever waits for it learns what became of it.
    pub(super) fn tell_settled(&mut self, id: RowId, result: Result<(), Failure>) {
        let Some(record) = self.rows.get(&id).map(|row| &row.record) else { return };
        self.actions.push_back(Action::Settled {
            key: record.key.clone(),
            conversation_id: record.conversation_id.clone(),
            target: record.change.as_ref().map(|change| change.row_key.clone()),
            result,
        });
    }

    pub(super) fn fail(&mut self, id: RowId, failure: Failure) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.record.failure = Some(failure.clone());
        self.set_stage(id, Stage::Failed);
        self.mark_dirty(id);
        self.tell_settled(id, Err(failure));
        if mutant::is(13) {
            self.remove(id);
        }
    }

    fn on_rate_limited(&mut self, now: Now, id: RowId, failure: Failure, retry_after_ms: Option<u64>) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.rate_limited += 1;
        let over = row.rate_limited > MAX_RATE_LIMITED;
        let pause = retry_after_ms.unwrap_or(RETRY_BASE_MS).clamp(10, MAX_PAUSE_MS);
        self.paused_until_mono_ms = self.paused_until_mono_ms.max(now.mono_ms + pause);
        self.paused = true;
        match over {
            true => self.fail(id, failure),
            false => self.set_stage(id, Stage::Queued),
        }
    }

    fn on_refused(
        &mut self,
        now: Now,
        rng: &mut Rng,
        id: RowId,
        failure: Failure,
        retry_after_ms: Option<u64>,
    ) {
        let Some(row) = self.rows.get(&id) else { return };
        let conversation_id = row.record.conversation_id.clone();
        // Refused because the one before it was: it goes again behind that one, and this is no failure of its own. A change
        // of a message goes a way of its own: neither is refused for the other.
        let is_change = row.is_change();
        let mut lane = self.lane_rows(&conversation_id).into_iter();
        let head = lane.find(|row| !row.is_parked() && row.is_change() == is_change);
        let behind = failure.retryable && head.is_some_and(|head| head.id != id);
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.record.attempts += u32::from(!behind && !mutant::is(62));
        let attempts = row.record.attempts.max(1);
        if !behind && (!failure.retryable || attempts >= self.limits.max_attempts) {
            self.fail(id, failure);
            return;
        }
        self.set_stage(id, Stage::Queued);
        if !behind {
            self.mark_dirty(id);
        }
        let delay = match retry_after_ms {
            Some(wanted) => wanted.clamp(10, MAX_PAUSE_MS),
            None => retry_delay_ms(rng, attempts),
        };
        if let Some(lane) = self.lanes.get_mut(&conversation_id) {
            lane.retry_at_mono_ms = lane.retry_at_mono_ms.max(now.mono_ms + delay);
        }
        self.go_back(&conversation_id, id);
    }

    /// What is in flight behind a row that failed comes after it again: its answers are awaited, but nothing new
    /// of this lane starts before the retry. (Rows already answered stay answered: they have their place.)
    fn go_back(&mut self, conversation_id: &str, first: RowId) {
        if mutant::is(11) {
            return;
        }
        let mut marking = Vec::new();
        let mut behind = false;
        for row in self.lane_rows(conversation_id) {
            behind |= row.id == first;
            if behind && row.stage == Stage::Marking {
                marking.push(row.id);
            }
        }
        for id in marking {
            self.set_stage(id, Stage::Queued);
        }
    }
}

/// The delay after so many failures.
pub(super) fn retry_delay_ms(rng: &mut Rng, failures: u32) -> u64 {
    let doubled = RETRY_BASE_MS.saturating_mul(1 << (failures - 1).min(10)).min(RETRY_MAX_MS);
    rng.between(doubled / 2, doubled + doubled / 2)
}
