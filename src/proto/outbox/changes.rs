//! Rows that are no messages of their own, but change one: edit, removal, reaction.
//!
//! Law: a change stands in the lane of its conversation and goes out when the server's id of its message is known. Until
//! then it waits without holding up what stands behind it; it goes with its message when that is cancelled or discarded,
//! and waits on while that has failed. To repeat one is harmless, so none is ever `unconfirmed`. Of one conversation one
//! change is under way at a time.

use super::super::api::Now;
use super::super::model::{ChangeKind, ErrorCode, Failure, Message, QueuedChange};
use super::super::rng::Rng;
use super::super::store::{OutboxRow, RowChange};
use super::answer::retry_delay_ms;
use super::{Action, Outbox, Row, RowId, Stage};
use crate::proto::mutant;

/// REST requests for changes under way at once: a browser keeps six connections to a host.
const MAX_UNDER_WAY: u32 = 6;
/// A request that was not answered so often, while the socket was there, never will be.
const MAX_UNANSWERED: u32 = 10;
/// A REST request has its own time-out: no answer of it closes the socket.
const NO_DEADLINE: u64 = u64::MAX;

impl Row {
    /// It is no message.
    pub fn is_change(&self) -> bool {
        self.record.change.is_some()
    }

    /// Its message has no id of the server's yet.
    pub(super) fn is_parked(&self) -> bool {
        self.record.change.as_ref().is_some_and(|change| change.id.is_none())
    }

    fn changes(&self, row_key: &str) -> bool {
        self.record.change.as_ref().is_some_and(|change| change.row_key == row_key)
    }

    /// Its request is under way beside the socket, whose loss is not its loss.
    pub(super) fn is_requested(&self) -> bool {
        matches!(self.stage, Stage::InFlight { deadline_mono_ms: NO_DEADLINE })
    }
}

/// The row of a new change.
pub fn change_row(
    key: String,
    message: &Message,
    kind: ChangeKind,
    text: String,
    created_at_ms: i64,
) -> OutboxRow {
    OutboxRow {
        key,
        conversation_id: message.conversation_id.clone(),
        kind: kind.name().to_owned(),
        text,
        metadata: None,
        reply_to: None,
        reply_to_id: None,
        created_at_ms,
        expires_at_ms: None,
        attempts: 0,
        losses: 0,
        wire: None,
        failure: None,
        change: Some(RowChange { kind, row_key: message.row_key.clone(), id: message.id.clone() }),
    }
}

/// What `outbox()` says of a change.
pub(super) fn queued_change(record: &OutboxRow) -> Option<QueuedChange> {
    record.change.as_ref().map(|change| QueuedChange { kind: change.kind, row_key: change.row_key.clone() })
}

impl Outbox {
    /// The changes of a conversation that are shown on top of their messages, in order. One that has failed is not, and
    /// one whose answer the history has is shown there.
    pub fn pending_changes(&self, conversation_id: &str) -> Vec<&Row> {
        let mut rows = Vec::new();
        if let Some(ids) = self.by_room.get(conversation_id) {
            let shows = |row: &Row| {
                row.is_change() && row.visible() && !matches!(row.stage, Stage::Failed | Stage::Settling)
            };
            self.push_rows(ids, &shows, &mut rows);
        }
        rows
    }

    /// Whether a change whose turn it is may go: what came before it of its conversation is answered.
    pub(super) fn has_room_for(&self, row: &Row) -> bool {
        if !row.is_change() || mutant::is(38) {
            return true;
        }
        let mut under_way = 0;
        for other in self.rows_of_lanes() {
            if other.is_change() && other.stage.occupies_wire() {
                if other.record.conversation_id == row.record.conversation_id {
                    return false;
                }
                under_way += 1;
            }
        }
        under_way < MAX_UNDER_WAY && !self.unauthorised
    }

    /// The first row of a lane that does not wait for the id of its message.
    pub(super) fn head_of(&self, conversation_id: &str) -> Option<RowId> {
        let rows = self.lane_rows(conversation_id);
        rows.iter().find(|row| !row.is_parked()).map(|row| row.id)
    }

    /// Asks for the messages of changes that are not in this outbox, or no longer: the history knows their ids.
    pub(super) fn seek_targets(&mut self) {
        let lost = |row: &Row| {
            let target = row.record.change.as_ref().filter(|change| change.id.is_none());
            row.stage == Stage::Queued
                && !row.seeks
                && target.is_some_and(|change| self.find(&change.row_key).is_none())
        };
        for id in self.ids_of(&lost) {
            if let Some(row) = self.rows.get_mut(&id) {
                row.seeks = true;
                self.actions.push_back(Action::FindTarget { row: id });
            }
        }
    }

    /// What the history has of a change's message. Without an id it waits until the server tells it.
    pub fn on_target(&mut self, id: RowId, message: Option<&Message>) {
        let row = self.rows.get(&id).filter(|row| row.stage == Stage::Queued && row.is_parked());
        let Some(known_as) = row.and_then(|row| row.record.change.as_ref()).map(|it| it.row_key.clone())
        else {
            return;
        };
        match message {
            Some(message) => self.name_changes(&known_as, message),
            None => {
                let text =
                    "the message that this changes is neither queued nor in the history of this device";
                self.fail(id, Failure::new(ErrorCode::NotFound, text));
            }
        }
    }

    /// The server has given this message an id: what changes it can name it. `known_as`: its row when it was changed; where
    /// only memory had that, it has come anew as another.
    pub(super) fn name_changes(&mut self, known_as: &str, message: &Message) {
        if message.id.is_none() || self.generation == 0 {
            return;
        }
        let waits = |row: &Row| row.is_parked() && row.changes(known_as);
        for id in self.ids_of(&waits) {
            if let Some(change) = self.rows.get_mut(&id).and_then(|row| row.record.change.as_mut()) {
                change.id.clone_from(&message.id);
                change.row_key.clone_from(&message.row_key);
            }
            self.mark_dirty(id);
            self.stirred = true;
        }
    }

    /// A message is taken back: its changes go with it.
    pub fn remove_changes_of(&mut self, key: &str) {
        for id in self.ids_of(&|row| row.changes(key) && row.visible()) {
            self.take_back(id);
        }
    }

    /// It was on the wire, and stays: so do its changes that are not gone yet.
    pub(super) fn keep_changes_of(&mut self, key: &str) {
        for id in self.ids_of(&|row| row.changes(key) && !row.visible()) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            if row.writing || row.stored.is_none() {
                // It is just being added, or will be: what was to follow does not.
                row.cancelled = false;
                self.touch(id);
                continue;
            }
            (row.dirty, row.cancelled) = (false, false);
            let conversation_id = row.record.conversation_id.clone();
            self.dirty.remove(&id);
            self.set_stage(id, Stage::Queued);
            self.enter_lane(id, &conversation_id);
            self.touch(id);
        }
    }

    /// Its request is on its way beside the socket.
    pub fn on_requested(&mut self, id: RowId) {
        self.on_sent(id, NO_DEADLINE);
    }

    /// No token to make its request with, or one that was refused: changes wait for another.
    pub fn on_unauthorised(&mut self, id: RowId) {
        self.unauthorised = true;
        self.unmark(id);
        if self.rows.get(&id).is_some_and(Row::is_requested) {
            self.set_stage(id, Stage::Queued);
        }
    }

    /// There is another token.
    pub fn on_token(&mut self) {
        self.unauthorised = false;
        self.stirred = true;
    }

    /// Its request ended without an answer. `online`: the socket lives, so it may be the request that is wrong.
    pub fn on_no_answer(&mut self, now: Now, rng: &mut Rng, id: RowId, online: bool) {
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.is_requested()) else { return };
        if mutant::is(39) {
            return self.on_stored(id, None);
        }
        row.unanswered += u32::from(online);
        let (unanswered, conversation_id) = (row.unanswered, row.record.conversation_id.clone());
        if unanswered > MAX_UNANSWERED {
            let text = "the request was not answered, again and again, though there is a connection";
            return self.fail(id, Failure::new(ErrorCode::Timeout, text));
        }
        self.set_stage(id, Stage::Queued);
        let delay = retry_delay_ms(rng, unanswered.max(1));
        if let Some(lane) = self.lanes.get_mut(&conversation_id) {
            lane.retry_at_mono_ms = lane.retry_at_mono_ms.max(now.mono_ms + delay);
        }
    }
}
