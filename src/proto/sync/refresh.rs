//! The look at the newest page of what is known already.

use super::{Action, Job, Sync};

/// A server that changes more messages than can be remembered is not asked for its newest pages without end.
const MAX_LOOKS: u32 = 64;

impl Sync {
    /// Looks at the newest page again, once a connection: receipts and edits of the time away are in it.
    pub fn refresh(&mut self, conversation_id: &str) {
        if !self.online || !self.cursor || self.by_marks() {
            return;
        }
        let id = conversation_id.to_owned();
        if self.active.contains_key(conversation_id) || self.waiting.any(&|waiting| *waiting == id) {
            self.postponed.insert(id);
        } else if self.refreshed.insert(id.clone()) {
            self.actions.push_back(Action::Request(Job::Newest { conversation_id: id }));
        }
    }

    pub(super) fn refresh_postponed(&mut self, conversation_id: &str) {
        if self.postponed.remove(conversation_id) {
            self.refresh(conversation_id);
        }
    }

    /// Looks at the newest page once more: what was told of a message that is not here was forgotten. One that is under way
    /// may not have it: it is looked at again behind that.
    pub fn look_again(&mut self, conversation_id: &str) {
        if !self.online {
            return;
        }
        let id = conversation_id.to_owned();
        if self.looking.contains(conversation_id) {
            self.missed.insert(id);
        } else if self.looks < MAX_LOOKS {
            self.looks += 1;
            self.looking.insert(id);
            self.refreshed.remove(conversation_id);
            if self.cursor && !self.by_marks() {
                self.refresh(conversation_id);
            } else {
                self.pull(conversation_id);
            }
        }
    }

    /// The look is over.
    pub(super) fn on_looked(&mut self, conversation_id: &str) {
        self.looking.remove(conversation_id);
        if self.missed.remove(conversation_id) {
            self.look_again(conversation_id);
        }
    }
}
