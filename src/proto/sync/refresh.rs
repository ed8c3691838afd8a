//! The look at the newest page of what is known already.
//!
//! Law: a few at once, beside the pulls and never in place of them: somebody may have hundreds of conversations whose last
//! message nobody has read yet, and no backend is asked for all of them in one breath. What is shown goes first.

use super::{Action, Job, Sync};
use crate::proto::queue::Queue;
use crate::proto::sorted::SortedSet;

/// A server that changes more messages than can be remembered is not asked for its newest pages without end.
const MAX_LOOKS: u32 = 64;
/// Requests for newest pages under way at once.
const PARALLEL_LOOKS: usize = 2;

/// Of one connection.
#[derive(Debug, Default)]
pub(super) struct Newest {
    /// Asked for as soon as there is room, and under way: conversations, each once.
    waiting: Queue<String>,
    under_way: SortedSet<String>,
    /// Whose newest page this connection has looked at again, or will.
    refreshed: SortedSet<String>,
    /// Of which it is looked at when the pull is done: what has come meanwhile is told in its order.
    postponed: SortedSet<String>,
    /// And once more, since something that was told of it was forgotten; `missed`: again meanwhile.
    looking: SortedSet<String>,
    missed: SortedSet<String>,
    looks: u32,
    /// Answers in a row that could not be read.
    pub unreadable: u32,
}

impl Sync {
    /// Of those that wait the one with the highest rank is pulled first.
    pub fn put_first(&mut self, rank: &dyn Fn(&str) -> (bool, Option<i64>)) {
        let mut waiting = Vec::new();
        while let Some(id) = self.waiting.pop_front() {
            waiting.push((rank(&id), id));
        }
        waiting.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (_, id) in waiting {
            self.waiting.push_back(id);
        }
    }

    /// Looks at the newest page again, once a connection: receipts and edits of the time away are in it. `shown`: somebody
    /// sees it.
    pub fn refresh(&mut self, conversation_id: &str, shown: bool) {
        if !self.online || !self.cursor || self.by_marks() {
            return;
        }
        let id = conversation_id.to_owned();
        if self.active.contains_key(conversation_id) || self.waiting.any(&|waiting| *waiting == id) {
            self.newest.postponed.insert(id);
        } else if self.newest.refreshed.insert(id.clone()) {
            if shown {
                self.newest.waiting.push_front(id);
            } else {
                self.newest.waiting.push_back(id);
            }
        }
    }

    /// Asks for what there is room for.
    pub(super) fn look_next(&mut self) {
        while self.newest.under_way.len() < PARALLEL_LOOKS {
            let Some(conversation_id) = self.newest.waiting.pop_front() else { break };
            self.newest.under_way.insert(conversation_id.clone());
            self.actions.push_back(Action::Request(Job::Newest { conversation_id }));
        }
    }

    /// The newest page is in, or never will be.
    pub(super) fn on_newest(&mut self, conversation_id: &str, is_read: bool) {
        if is_read {
            self.newest.unreadable = 0;
        }
        self.newest.under_way.remove(conversation_id);
        self.on_looked(conversation_id);
    }

    /// A pull is done, and has brought so many `rows` from behind the cursor: where that is a newest page and more, it has been
    /// looked at.
    pub(super) fn refresh_postponed(&mut self, conversation_id: &str, rows: u32) {
        let wanted = self.newest.postponed.remove(conversation_id);
        if rows >= self.page && !self.newest.looking.contains(conversation_id) {
            self.newest.refreshed.insert(conversation_id.to_owned());
        } else if wanted {
            self.refresh(conversation_id, false);
        }
    }

    /// Looks at the newest page once more: what was told of a message that is not here was forgotten. One that is under way
    /// may not have it: it is looked at again behind that.
    pub fn look_again(&mut self, conversation_id: &str) {
        if !self.online {
            return;
        }
        let id = conversation_id.to_owned();
        if self.newest.looking.contains(conversation_id) {
            self.newest.missed.insert(id);
        } else if self.newest.looks < MAX_LOOKS {
            self.newest.looks += 1;
            self.newest.looking.insert(id);
            self.newest.refreshed.remove(conversation_id);
            if self.cursor && !self.by_marks() {
                self.refresh(conversation_id, false);
            } else {
                self.pull(conversation_id);
            }
        }
    }

    /// The look is over.
    pub(super) fn on_looked(&mut self, conversation_id: &str) {
        self.newest.looking.remove(conversation_id);
        if self.newest.missed.remove(conversation_id) {
            self.look_again(conversation_id);
        }
    }
}
