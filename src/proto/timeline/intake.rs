//! How much has come in that the store does not have (P6).
//!
//! Law: what waits for its segments, and what is applied and not committed, is counted in messages. From half of the limit
//! on whoever brings less than messages waits; beyond it nothing live is taken in: its conversation is marked as behind and
//! pulled, and no page is asked for, until the store has caught up. While the store takes nothing nobody knows when it
//! will: that counts as little as if it were stored.

use core::cell::Cell;

use super::{Action, Op, Timelines};
use crate::proto::mutant;

/// Operations that wait for one conversation's segments; live messages beyond it are dropped and pulled again.
pub(super) const MAX_WAITING: usize = 512;

#[derive(Debug)]
pub(super) struct Intake {
    max: usize,
    /// Come since the last write began, or not applied when it did.
    waits: usize,
    /// In the write that is under way.
    writing: usize,
}

impl Intake {
    pub fn new(max: u32) -> Self {
        Self { max: max as usize, waits: 0, writing: 0 }
    }

    fn load(&self) -> usize {
        self.waits + self.writing
    }
}

impl Timelines {
    /// Queues an operation and does what can be done now.
    pub fn push(&mut self, conversation_id: &str, op: Op) {
        let flooded = self.is_flooded();
        let log = self.log_mut(conversation_id);
        let full = log.ops.len() >= MAX_WAITING;
        match &op {
            Op::Live(_) if full || flooded => {
                if mutant::is(46) {
                    return;
                }
                (log.unsure, log.catches_up) = (true, true);
                let conversation_id = conversation_id.to_owned();
                return self.actions.push_back(Action::Behind { conversation_id, dropped: true });
            }
            Op::Target { .. } | Op::ReadBefore(_) if full || flooded => {
                let conversation_id = conversation_id.to_owned();
                return self.actions.push_back(Action::Stale { conversation_id });
            }
            Op::Page(page) if mutant::is(38) => {
                if let Some((after, through)) = page.range {
                    self.log_mut(conversation_id).head_dirty = true;
                    self.know(conversation_id, after, through);
                }
            }
            _ => {}
        }
        self.intake.waits += weight(&op);
        self.log_mut(conversation_id).ops.push_back(op);
        self.drive(conversation_id);
    }

    /// Messages that have come and are not in the store yet.
    pub fn unsaved(&self) -> usize {
        self.intake.load()
    }

    /// No more than this is taken in before the store has caught up.
    pub fn is_flooded(&self) -> bool {
        self.intake.load() >= self.intake.max
    }

    /// What tells less than a message waits.
    pub fn is_strained(&self) -> bool {
        self.intake.load() >= self.intake.max / 2
    }

    /// A write of all that is applied begins.
    pub(super) fn begin_write(&mut self) {
        let unapplied = self.unapplied();
        self.intake.writing = self.intake.waits.saturating_sub(unapplied);
        self.intake.waits = unapplied;
    }

    /// It is over. `again`: what was in it is to be written again.
    pub fn end_write(&mut self, again: bool) {
        let writing = core::mem::take(&mut self.intake.writing);
        if again {
            self.intake.waits += writing;
        }
    }

    /// Nothing is being written, or nobody knows: only what is not applied counts.
    pub fn recount(&mut self) {
        (self.intake.waits, self.intake.writing) = (self.unapplied(), 0);
    }

    fn unapplied(&self) -> usize {
        let messages = Cell::new(0);
        for (_, log) in self.logs.iter() {
            log.ops.any(&|op| {
                messages.set(messages.get() + weight(op));
                false
            });
        }
        messages.get()
    }
}

/// In messages.
fn weight(op: &Op) -> usize {
    match op {
        Op::Page(page) => page.messages.len(),
        _ => 1,
    }
}
