//! The look at the newest page of what is known already.

use super::{Action, Job, Sync};

impl Sync {
    /// Looks at the newest page again, once a connection: receipts and edits of the time away are in it.
    pub fn refresh(&mut self, conversation_id: &str) {
        if !self.online || !self.cursor {
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

    /// Looks at the newest page once more, once a connection: what was told of a message that is not here was forgotten.
    pub fn look_again(&mut self, conversation_id: &str) {
        if self.online && self.again.insert(conversation_id.to_owned()) {
            self.refreshed.remove(conversation_id);
            if self.cursor { self.refresh(conversation_id) } else { self.pull(conversation_id) }
        }
    }
}
