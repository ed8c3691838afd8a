//! Statuses that this tab has shown and that the store does not have. They wait here for their rows.

use super::super::model::{Message, Sender, Status};
use super::super::sorted::SortedMap;
use super::change::raise;
use super::log::Row;
use super::{Action, Timelines};

/// Statuses of so many messages are remembered.
const MAX_SHOWN: usize = 512;

/// Statuses by the server's ids, and who has read it.
pub(super) type Known = SortedMap<String, (Status, Option<String>)>;

impl Timelines {
    /// What was shown of own messages and is not written goes with the lead, and still must not go back.
    pub(super) fn keep_unwritten(&mut self) {
        for id in self.logs.keys_where(&|_, _| true) {
            self.keep_unwritten_of(&id);
        }
    }

    /// Also before what is here is read anew: what came while the lead went was applied when its segments had been read.
    pub(super) fn keep_unwritten_of(&mut self, id: &str) {
        let mut shown = Vec::new();
        if let Some(log) = self.logs.get(id) {
            for (_, loaded) in log.segments.iter() {
                for row in &loaded.rows {
                    let message = &row.message;
                    if (loaded.dirty || loaded.writing)
                        && message.sender == Sender::Me
                        && message.status > Status::Acknowledged
                        && let Some(id) = &message.id
                    {
                        shown.push((id.clone(), message.status));
                    }
                }
            }
        }
        for (id, status) in shown {
            if self.shown.len() >= MAX_SHOWN {
                self.shown.pop_first();
            }
            let slot = self.shown.or_insert_with(&id, || (status, None));
            slot.0 = slot.0.max(status);
        }
    }

    /// What a segment that has just come out of the store does not have of what was shown.
    pub(super) fn tell_ahead(&mut self, conversation_id: &str, number: u32) {
        let Some(loaded) = self.logs.get(conversation_id).and_then(|log| log.segments.get(&number)) else {
            return;
        };
        for Row { message, .. } in &loaded.rows {
            if loaded.dirty
                && let Some(id) = &message.id
                && self.shown.get(id).is_some_and(|(status, _)| *status == message.status)
            {
                let (conversation_id, id) = (conversation_id.to_owned(), id.clone());
                self.actions.push_back(Action::Ahead { conversation_id, id, status: message.status });
            }
        }
    }
}

/// Gives a row that comes out of the store what is known of it. `true`: it has changed.
pub(super) fn raise_known(known: &Known, message: &mut Message) -> bool {
    let before = message.status;
    if let Some((status, user_id)) = message.id.as_ref().and_then(|id| known.get(id)) {
        raise(message, *status, user_id.as_deref());
    }
    message.status != before
}
