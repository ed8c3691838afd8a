//! Where the history joins on: what a connection has to do with it.
//!
//! Law: where there is no cursor, the head names the row up to which all is known, from the first row that comes after
//! a loss of the connection, and in that row's transaction, until a catch-up has gone back to it. So one that was
//! interrupted is made good by the next, whatever rows it left.

use super::super::profile::ServerMessage;
use super::super::queue::Queue;
use super::{Log, Timelines};

/// Stands for the row up to which all is known where rows have been lost: no row's id, so that a catch-up goes back as far
/// as it may.
pub(super) const LOST: &str = "\0";

impl Timelines {
    /// Another tab cannot read this segment, or the head: what is here of it is written again, else it is looked at here.
    pub fn write_again(&mut self, conversation_id: &str, segment: u32) {
        let Some(log) = self.logs.get_mut(conversation_id) else { return };
        log.head_dirty = true;
        let mut wants = Vec::new();
        match log.segments.get_mut(&segment) {
            Some(loaded) => loaded.dirty = true,
            None => log.want_segment(segment, &mut wants),
        }
        self.load(conversation_id, wants);
    }

    /// An own message of this conversation has left for the server.
    pub fn on_sent(&mut self, conversation_id: &str) {
        if let Some(log) = self.logs.get_mut(conversation_id) {
            log.strays.clear();
        }
    }

    /// The connection is gone: of no conversation is it known what comes next.
    pub fn on_lost(&mut self) {
        for (_, log) in self.logs.iter_mut() {
            log.unsure = true;
        }
    }

    /// A catch-up has gone back to what was known, or as far as it goes. Whether something was known.
    pub fn on_joined(&mut self, conversation_id: &str) -> bool {
        let Some(log) = self.logs.get_mut(conversation_id) else { return false };
        log.unsure = false;
        // Where nothing has come, nothing has been written.
        log.head_dirty |= core::mem::take(&mut log.joint_stored);
        log.head.joined_to.take().is_some_and(|id| !id.is_empty())
    }
}

impl Log {
    /// Before a row comes: if it may not join on, what is known by now is.
    pub(super) fn hold_on(&mut self) {
        if core::mem::take(&mut self.unsure) && self.head.cursor.is_none() && self.head.joined_to.is_none() {
            let newest = self.loaded_where(&|message| message.id.is_some());
            self.head.joined_to = Some(newest.and_then(|row| row.message.id.clone()).unwrap_or_default());
        }
    }

    /// Whether a page of a catch-up has the row up to which all is known; `None`: all that is here is known so, and any of
    /// it will do.
    pub(super) fn joins(&mut self, page: &Queue<Box<ServerMessage>>) -> Option<bool> {
        self.hold_on();
        let id = self.head.joined_to.as_ref()?;
        Some(page.any(&|message| message.id == *id))
    }
}
