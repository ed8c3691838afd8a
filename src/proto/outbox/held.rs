//! Own copies without a key (rule 11): held while a send of that conversation is unanswered, since they may be its
//! copy; matched by the answer's id, then by content in order; let go after thirty seconds at the latest (D12).

use super::super::api::Now;
use super::super::model::ErrorCode;
use super::super::profile::ServerMessage;
use super::super::store::OutboxRow;
use super::{Action, Outbox, Row, RowId, Stage};

/// How long a copy is held at most (D12).
const HOLD_MS: u64 = 30_000;
/// Copies held at once; the oldest is let go first.
const MAX_HELD: usize = 256;

pub(super) struct Held {
    message: Box<ServerMessage>,
    pub(super) until_mono_ms: u64,
}

impl Outbox {
    /// Takes an own copy that carries no key. What is not a queued message's copy comes back as `Release`.
    pub fn on_copy_without_key(&mut self, now: Now, message: Box<ServerMessage>) {
        let waiting = self.unanswered(&message.conversation_id);
        if !waiting {
            self.match_or_release(message);
            return;
        }
        if self.held.len() >= MAX_HELD && !self.held.is_empty() {
            let oldest = self.held.remove(0);
            self.match_or_release(oldest.message);
        }
        self.held.push(Held { message, until_mono_ms: now.mono_ms + HOLD_MS });
    }

    /// The same for a copy out of the history: it is not held, only compared. `true`: it was a queued message's.
    pub fn on_old_copy_without_key(&mut self, message: &ServerMessage) -> bool {
        match self.in_doubt_like(message) {
            Some(key) => self.on_copy(&key, message),
            None => false,
        }
    }

    pub fn on_held_timer(&mut self, now: Now) {
        while self.held.first().is_some_and(|held| held.until_mono_ms <= now.mono_ms) {
            let held = self.held.remove(0);
            self.match_or_release(held.message);
        }
    }

    /// Copies of a conversation whose sends are all answered are decided now.
    pub(super) fn settle_held(&mut self, conversation_id: &str) {
        if self.held.is_empty() || self.unanswered(conversation_id) {
            return;
        }
        let mut ready = Vec::new();
        let is_ready = |message: &ServerMessage| message.conversation_id == conversation_id;
        while let Some(message) = take_held(&mut self.held, &is_ready) {
            ready.push(message);
        }
        for message in ready {
            self.match_or_release(message);
        }
    }

    /// After the socket is lost nothing is unanswered any more.
    pub fn settle_all_held(&mut self) {
        let held = core::mem::take(&mut self.held);
        if self.generation == 0 {
            // Another tab leads: what they are copies of is its to settle, and it will find them.
            return;
        }
        for held in held {
            self.match_or_release(held.message);
        }
    }

    /// The held copy of a row that was answered: the one that the answer names, or the first with the row's content. What
    /// came before it in the conversation is decided first: it goes into the history in the order in which it came.
    pub(super) fn take_held_copy(&mut self, id: RowId, named: Option<&str>) -> Option<Box<ServerMessage>> {
        let record = &self.rows.get(&id)?.record;
        let is_its = |held: &Held| match named {
            Some(named) => held.message.id == named,
            None => is_copy(record, &held.message),
        };
        let at = self.held.iter().position(is_its)?;
        let conversation_id = record.conversation_id.clone();
        let (mut its, mut before) = (None, Vec::new());
        // Several may be under way, and be answered in another order than their copies come.
        let under_way = self.in_order(&|row| row.id != id && matches!(row.stage, Stage::InFlight { .. }));
        let under_way: Vec<OutboxRow> = under_way.iter().map(|row| row.record.clone()).collect();
        for (index, held) in core::mem::take(&mut self.held).into_iter().enumerate() {
            let free = || !under_way.iter().any(|record| is_copy(record, &held.message));
            if index == at {
                its = Some(held.message);
            } else if index < at && held.message.conversation_id == conversation_id && free() {
                before.push(held.message);
            } else {
                self.held.push(held);
            }
        }
        for message in before {
            self.match_or_release(message);
        }
        its
    }

    /// The message that waits for its answer, where there is one alone.
    #[cfg(feature = "json")]
    pub fn only_in_flight(&self) -> Option<RowId> {
        let rows = self.in_order(&|row| matches!(row.stage, Stage::InFlight { .. }) && !row.is_change());
        if let [row] = rows.as_slice() { Some(row.id) } else { None }
    }

    fn unanswered(&self, conversation_id: &str) -> bool {
        self.lane_rows(conversation_id)
            .iter()
            .any(|row| matches!(row.stage, Stage::InFlight { .. }) && !row.is_change())
    }

    /// An unconfirmed message whose copy turns up is acknowledged; in order, so the oldest takes it.
    fn match_or_release(&mut self, message: Box<ServerMessage>) {
        match self.in_doubt_like(&message) {
            Some(key) => {
                self.on_copy(&key, &message);
            }
            None => self.actions.push_back(Action::Release { message }),
        }
    }

    /// The key of the oldest row of which it is not known whether it arrived, and which this may be.
    fn in_doubt_like(&self, message: &ServerMessage) -> Option<String> {
        let in_doubt = |row: &Row| {
            let failure = row.record.failure.as_ref();
            row.doubtful
                || (row.stage == Stage::Failed
                    && failure.is_some_and(|failure| failure.code == ErrorCode::Unconfirmed))
        };
        let rows = self.in_order(&|row| in_doubt(row) && is_copy(&row.record, message));
        rows.first().map(|row| row.record.key.clone())
    }
}

/// The oldest held copy of a kind.
fn take_held(held: &mut Vec<Held>, wanted: &dyn Fn(&ServerMessage) -> bool) -> Option<Box<ServerMessage>> {
    let at = held.iter().position(|held| wanted(&held.message))?;
    Some(held.remove(at).message)
}

fn is_copy(record: &OutboxRow, message: &ServerMessage) -> bool {
    record.conversation_id == message.conversation_id
        && record.change.is_none()
        && message.may_be(&record.text, &record.kind, record.created_at_ms)
}
