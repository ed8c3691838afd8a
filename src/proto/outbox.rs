//! The outbox: what was accepted, in the order in which it was accepted, until the server has answered for it.
//!
//! Law: a row goes on the wire only when the store has it, marked with generation and attempt (rules 1, 3 of the
//! design); it leaves only with the server's answer, a failure that is kept, or the user's cancel. The key is
//! minted here and never changes. One row a conversation is in flight unless the backend keeps the order of more.
//!
//! The machine writes nothing itself: a row that differs from its record is dirty, the client puts all dirty rows
//! into one transaction and reports back with [`Outbox::on_written`].

use super::queue::Queue;
use crate::proto::sorted::{SortedMap, SortedSet};

use super::config::OutboxLimits;
use super::model::{Failure, Message, Sender, Status};
use super::profile::ServerMessage;
use super::store::OutboxRow;

mod answer;
mod beside;
mod bucket;
mod changes;
mod damaged;
mod flow;
mod held;
mod intake;
mod losses;
mod order;
mod restore;
mod sought;
#[cfg(test)]
mod tests;
mod timers;

pub use bucket::Bucket;
pub use changes::change_row;
pub use flow::{clock_of, expired};
pub use intake::{Queued, Write, cancelled, in_flight};

/// A row's name in this instance, ascending as this instance has met them. Queue order is that of the store's numbers,
/// which rows of other tabs bring along; what has none yet comes last.
pub type RowId = u64;

/// Answers that only ask to wait are not counted as failures, but not for ever.
const MAX_RATE_LIMITED: u32 = 50;
/// After this many losses of the socket with the message unanswered it is sent alone (D11).
const LOSSES_BEFORE_ALONE: u32 = 2;
/// This many losses are a poisonous message (D11).
const LOSSES_BEFORE_POISON: u32 = 3;

/// Where a row stands in this instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// On its way into the store for the first time.
    Saving,
    /// In the store, waiting for its turn.
    Queued,
    /// Its mark is on its way into the store; the frame follows.
    Marking,
    /// On the wire, unanswered.
    InFlight { deadline_mono_ms: u64 },
    /// Answered; waits until the history has taken its copy.
    Answered,
    /// Its removal and its copy are in one transaction on the way into the store.
    Settling,
    /// Its removal is on the way (cancel, discard, resend under a new number).
    Removing,
    /// Kept with `record.failure`.
    Failed,
}

/// One message of the outbox.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: RowId,
    pub record: OutboxRow,
    /// The store's number, once it has it.
    pub stored: Option<u64>,
    /// The version of the stored record.
    pub version: u64,
    /// The stored record has a mark: no other tab takes the row back any more.
    marked: bool,
    pub stage: Stage,
    /// Differs from its record.
    dirty: bool,
    /// In a transaction on the way.
    writing: bool,
    /// Handed to the network at least once: shown as `sent` from then on.
    sent: bool,
    /// On the wire at a kill, and unanswered: whether it arrived is not known.
    doubtful: bool,
    /// Cancelled before the wire; removed when the write under way is done.
    cancelled: bool,
    /// Only memory holds it.
    volatile: bool,
    /// Another tab has ended it: what of it was stored is gone, and nothing is to be written in its place.
    left: bool,
    rate_limited: u32,
    /// A change: its message is looked for in the history, or was.
    seeks: bool,
    /// Requests in a row that ended without an answer.
    unanswered: u32,
    /// Changes with every change that can be seen.
    pub revision: u64,
}

/// What the machine wants of the client.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `send()` resolves.
    Saved { row: RowId },
    /// The row looks different now.
    Changed { row: RowId },
    /// Write the frame now; answer with `on_transmitted` or `on_held_back` in the same call.
    Transmit { row: RowId },
    /// Put the server's copy (or the own text where it gave none) into the history, then call `on_applied`.
    Apply { row: RowId, copy: Option<Box<ServerMessage>> },
    /// A server message that turned out not to be a copy of a queued one.
    Release { message: Box<ServerMessage> },
    /// `acknowledged()` resolves or rejects; the row is gone unless it failed. `target`: it is a change of that message.
    Settled { key: String, conversation_id: String, target: Option<String>, result: Result<(), Failure> },
    /// The row was cancelled or discarded.
    Removed { key: String, conversation_id: String },
    /// Another tab put it on the wire before the cancel: it stays.
    NotRemoved { key: String },
    /// Another tab has removed it: answered, cancelled or discarded there.
    Vanished { row: RowId, record: Box<OutboxRow> },
    /// Whether the history has the message that this row changes; then call `on_target`.
    FindTarget { row: RowId },
    /// Whether the history has this row's copy; then call `on_copy_known`.
    LookUp { row: RowId },
    /// Too long without an answer (D10).
    Silent,
    /// Read the store's rows: one is to go that cannot be marked, or is over its time.
    Reread,
}

/// What a backend gives that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    pub keys: bool,
    pub answers: bool,
    pub ordered_window: bool,
}

/// The outbox of one instance.
pub struct Outbox {
    limits: OutboxLimits,
    bucket: Bucket,
    me: String,
    rows: SortedMap<RowId, Row>,
    by_key: SortedMap<String, RowId>,
    by_stored: SortedMap<u64, RowId>,
    /// Every row of a conversation, in order.
    by_room: SortedMap<String, Vec<RowId>>,
    /// Rows that are not settled and not failed, by conversation, in order.
    lanes: SortedMap<String, Lane>,
    dirty: SortedSet<RowId>,
    held: Vec<held::Held>,
    /// Rows of which it is not known whether the store has them.
    sought: Vec<RowId>,
    next_row: RowId,
    next_revision: u64,
    traits: Traits,
    /// The generation that marks rows; 0 while this tab does not lead.
    generation: u64,
    /// What the store has outlives the page.
    persistent: bool,
    /// Online, and known what the backend gives.
    open: bool,
    /// A frame was not taken: nothing is tried until the link is good again.
    held_back: bool,
    /// Changes wait for another token.
    unauthorised: bool,
    /// The store takes no writes just now.
    blocked: bool,
    /// In the call that is under way the store's rows have been read.
    just_read: bool,
    /// That they are has been asked for.
    asked: bool,
    /// A message is over its time: it is told when the store has been read.
    overdue: bool,
    /// The highest number seen, and how many below it were skipped.
    newest_stored: u64,
    missed: u64,
    /// Numbers that were removed before they were heard of: two tabs' words cross.
    gone: SortedSet<u64>,
    /// Something may be able to start since the last look.
    stirred: bool,
    /// Rows have come out of the store that may have been on the wire.
    met: bool,
    /// Records that cannot be read, each told once.
    damaged: SortedSet<u64>,
    /// All lanes wait until then (the server asked to slow down).
    paused_until_mono_ms: u64,
    /// As of the last look at it: what is stored meanwhile does not go.
    paused: bool,
    actions: Queue<Action>,
}

#[derive(Default)]
struct Lane {
    rows: Vec<RowId>,
    retry_at_mono_ms: u64,
    /// The topic of its conversation is not joined.
    joins: bool,
}

impl Outbox {
    pub fn new(limits: &OutboxLimits, bucket: Bucket, me: &str, traits: Traits) -> Self {
        Self {
            limits: limits.clone(),
            bucket,
            me: me.to_owned(),
            rows: SortedMap::new(),
            by_key: SortedMap::new(),
            by_stored: SortedMap::new(),
            by_room: SortedMap::new(),
            lanes: SortedMap::new(),
            dirty: SortedSet::new(),
            held: Vec::new(),
            sought: Vec::new(),
            next_row: 1,
            next_revision: 1,
            traits,
            generation: 0,
            persistent: false,
            open: false,
            held_back: false,
            unauthorised: false,
            blocked: false,
            just_read: false,
            newest_stored: 0,
            missed: 0,
            gone: SortedSet::new(),
            asked: false,
            overdue: false,
            stirred: false,
            met: false,
            damaged: SortedSet::new(),
            paused_until_mono_ms: 0,
            paused: false,
            actions: Queue::new(),
        }
    }

    /// Whether `advance` may find something to start.
    pub fn take_stirred(&mut self) -> bool {
        core::mem::take(&mut self.stirred)
    }

    /// Whether what the store has outlives the page.
    pub fn set_persistent(&mut self, persistent: bool) {
        self.persistent = persistent;
    }

    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub fn row(&self, id: RowId) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub fn find(&self, key: &str) -> Option<&Row> {
        self.by_key.get(key).and_then(|id| self.rows.get(id))
    }

    /// Messages and changes, queued or failed.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// What is seen as the tail of a conversation: in queue order, cancelled ones left out.
    pub fn echoes(&self, conversation_id: &str) -> Vec<&Row> {
        let mut rows = Vec::new();
        if let Some(ids) = self.by_room.get(conversation_id) {
            self.push_rows(ids, &|row| row.visible() && !row.is_change(), &mut rows);
        }
        rows
    }

    /// Every row that is seen, in queue order.
    pub fn visible_rows(&self) -> Vec<&Row> {
        self.in_order(&Row::visible)
    }

    /// The message as the application sees it.
    pub fn message(&self, row: &Row) -> Message {
        let record = &row.record;
        Message {
            row_key: record.key.clone(),
            id: None,
            key: Some(record.key.clone()),
            conversation_id: record.conversation_id.clone(),
            sender_id: self.me.clone(),
            sender: Sender::Me,
            kind: record.kind.clone(),
            text: record.text.clone(),
            metadata: record.metadata.clone(),
            attachments: None,
            reply_to: record.reply_to.clone(),
            created_at_ms: record.created_at_ms,
            seq: None,
            status: row.status(),
            failure: record.failure.clone(),
            durable: self.persistent && row.stored.is_some() && !row.volatile,
            read_by: Vec::new(),
            reactions: Vec::new(),
            edited_at_ms: None,
            deleted_at_ms: None,
            change: changes::queued_change(record),
        }
    }

    /// A dirty row is to be written.
    pub fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    fn touch(&mut self, id: RowId) {
        self.next_revision += 1;
        if let Some(row) = self.rows.get_mut(&id) {
            row.revision = self.next_revision;
            self.actions.push_back(Action::Changed { row: id });
        }
    }

    fn mark_dirty(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id) {
            (row.dirty, row.left) = (true, false);
            self.dirty.insert(id);
        }
    }

    fn set_stage(&mut self, id: RowId, stage: Stage) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let before = row.status();
        row.stage = stage;
        self.stirred = true;
        let queued = !matches!(stage, Stage::Answered | Stage::Settling | Stage::Removing | Stage::Failed);
        let conversation_id = row.record.conversation_id.clone();
        if before != row.status() {
            self.touch(id);
        }
        if !queued {
            self.leave_lane(id, &conversation_id);
        }
    }

    fn forget(&mut self, id: RowId) {
        let Some(row) = self.rows.remove(&id) else { return };
        self.dirty.remove(&id);
        self.on_sought(id);
        self.leave_lane(id, &row.record.conversation_id);
        if let Some(ids) = self.by_room.get_mut(&row.record.conversation_id) {
            order::take_out(ids, id);
            if ids.is_empty() {
                self.by_room.remove(&row.record.conversation_id);
            }
        }
        if self.by_key.get(&row.record.key) == Some(&id) {
            self.by_key.remove(&row.record.key);
        }
        if let Some(stored) = row.stored {
            self.by_stored.remove(&stored);
        }
    }
}

impl Row {
    /// The rung on the ladder.
    pub fn status(&self) -> Status {
        match self.stage {
            Stage::Failed => Status::Failed,
            // Its copy has turned up after all: acknowledged is said with the commit, and nothing before it.
            Stage::Answered | Stage::Settling if self.record.failure.is_some() => Status::Failed,
            Stage::Saving => Status::Saving,
            _ if self.sent => Status::Sent,
            _ => Status::Saved,
        }
    }

    /// Neither cancelled nor discarded nor replaced by its resend.
    pub fn visible(&self) -> bool {
        self.stage != Stage::Removing && !self.cancelled
    }

    /// It is, or may have been, on the wire.
    fn on_wire(&self) -> bool {
        self.sent
            || self.doubtful
            || matches!(self.stage, Stage::InFlight { .. } | Stage::Answered | Stage::Settling)
    }
}
