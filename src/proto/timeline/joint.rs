//! Where the history joins on: what a connection has to do with it.
//!
//! Law: where there is no cursor, the head names the row up to which all is known, from the first row that comes after
//! a loss of the connection, and in that row's transaction, until a catch-up has gone back to it. So one that was
//! interrupted is made good by the next, whatever rows it left. The same holds from a frame of one's own on until it is
//! answered: its copy may stand before all that comes meanwhile.

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
        // Of a head that cannot be read here either, nothing is known yet: an empty one would take the rows from those who have
        // them in memory.
        log.head_dirty |= log.version.is_some() || !log.head.segments.is_empty();
        let mut wants = Vec::new();
        match log.segments.get_mut(&segment) {
            Some(loaded) => loaded.dirty = true,
            None => log.want_segment(segment, &mut wants),
        }
        self.load(conversation_id, wants);
    }

    /// An own message of this conversation has left for the server. What it comes behind is written with the next row.
    pub fn on_sent(&mut self, conversation_id: &str) {
        // Also one of which nothing has come yet.
        let log = self.log_mut(conversation_id);
        log.strays.clear();
        if log.head.cursor.is_none() && log.before_sent.is_none() {
            log.before_sent = log.newest_told();
            if log.head.joined_to.is_none() {
                log.head.joined_to.clone_from(&log.before_sent);
            }
        }
    }

    /// All of this conversation that has left is answered.
    pub fn on_answered(&mut self, conversation_id: &str) {
        if let Some(log) = self.logs.get_mut(conversation_id)
            && log.before_sent.take().is_some()
            && !log.catches_up
        {
            log.join();
        }
    }

    /// The connection is gone: of no conversation is it known what comes next.
    pub fn on_lost(&mut self) {
        for (_, log) in self.logs.iter_mut() {
            (log.unsure, log.catches_up) = (true, true);
            (log.exhausted, log.fetching) = (false, false);
            (log.before_sent, log.place) = (None, None);
        }
        self.end_hearing();
    }

    /// A catch-up has gone back to what was known, or as far as it goes. Whether something was known, be it that there was nothing.
    pub fn on_joined(&mut self, conversation_id: &str) -> bool {
        let Some(log) = self.logs.get_mut(conversation_id) else { return false };
        (log.unsure, log.catches_up) = (false, false);
        let met = core::mem::replace(&mut log.met, true);
        // Also where the server has nothing: another tab may still show what it had.
        log.head_dirty |= core::mem::take(&mut log.torn);
        let (refused, joined) = (log.refused.take(), log.join());
        if refused.is_some() {
            // It answers again: a window may ask for what comes before.
            log.exhausted = false;
            self.dirty_views(conversation_id);
        }
        joined || met
    }
}

impl Log {
    /// All is known but for what is unanswered. Whether something was known before.
    fn join(&mut self) -> bool {
        // Where nothing has come, nothing has been written.
        self.head_dirty |= core::mem::take(&mut self.joint_stored);
        let known = core::mem::replace(&mut self.head.joined_to, self.before_sent.clone());
        known.is_some_and(|id| !id.is_empty())
    }

    /// The server's id of the newest row that has one; empty: nothing has come yet. `None`: it is not in memory.
    fn newest_told(&self) -> Option<String> {
        let tail = self.tail_number();
        if tail.is_some_and(|tail| !self.segments.contains_key(&tail)) {
            return self.head.last_message.as_ref()?.id.clone();
        }
        match self.newest_with_id() {
            Ok(newest) => Some(newest.and_then(|message| message.id.clone()).unwrap_or_default()),
            Err(_) => Some(LOST.to_owned()),
        }
    }

    /// Before a row comes: if it may not join on, what is known by now is.
    pub(super) fn hold_on(&mut self) {
        if core::mem::take(&mut self.unsure) && self.head.cursor.is_none() && self.head.joined_to.is_none() {
            self.head.joined_to = self.newest_told();
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
