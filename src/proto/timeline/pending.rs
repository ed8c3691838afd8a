//! Own changes of messages: shown on top while they are on their way, and written once they are answered.

use super::super::model::{ChangeKind, Message};
use super::change::{delete, react};
use super::log::Row;
use super::{Action, Change, Timelines};
use crate::proto::mutant;

/// A change that is on its way, as windows show it.
#[derive(Clone, Debug)]
pub struct Pending {
    pub row_key: String,
    pub kind: ChangeKind,
    /// The new text, or the emoji.
    pub text: String,
    /// When this user has asked for it.
    pub at_ms: i64,
    pub revision: u64,
}

impl Pending {
    /// What the message looks like with it.
    pub fn apply(&self, message: &mut Message, me: &str) {
        if message.deleted_at_ms.is_some() {
            return;
        }
        match self.kind {
            ChangeKind::Edit => {
                message.text.clone_from(&self.text);
                message.edited_at_ms = message.edited_at_ms.max(Some(self.at_ms));
            }
            ChangeKind::Remove => delete(message, self.at_ms),
            ChangeKind::React => react(message, &self.text, me, true, me),
            ChangeKind::Unreact => react(message, &self.text, me, false, me),
        }
    }
}

/// Marks the revision of a row with changes on top: neither the row's own nor an echo's.
const PENDING: u64 = 1 << 62;

/// A row with its changes on top, and the revision of both together; `None`: nothing changes it.
pub fn with_pending(
    (message, revision): (&Message, u64),
    pending: &[Pending],
    me: &str,
) -> Option<(Message, u64)> {
    let mut changed: Option<(Message, u64)> = None;
    for change in pending {
        if change.row_key == message.row_key {
            let (shown, mixed) = changed.get_or_insert_with(|| (message.clone(), revision));
            change.apply(shown, me);
            *mixed = mixed.wrapping_mul(31).wrapping_add(change.revision);
        }
    }
    changed.map(|(shown, mixed)| (shown, mixed | PENDING))
}

/// Those of the rows that something changes, by their places.
pub(super) fn changed_rows(
    shown: &[(&Message, u64)],
    pending: &[Pending],
    me: &str,
) -> Vec<(usize, (Message, u64))> {
    let mut changed = Vec::new();
    // Mostly nothing is on its way.
    if !pending.is_empty() {
        for (at, row) in shown.iter().enumerate() {
            if let Some(row) = with_pending(*row, pending, me) {
                changed.push((at, row));
            }
        }
    }
    changed
}

/// Shows them in the place of what they were.
pub(super) fn put_on_top<'a>(shown: &mut [(&'a Message, u64)], changed: &'a [(usize, (Message, u64))]) {
    for (at, (message, revision)) in changed {
        if let Some(row) = shown.get_mut(*at) {
            *row = (message, *revision);
        }
    }
}

impl Timelines {
    /// An edit of which the server gave no copy. Its time is one that no later telling is older than: the server's own
    /// clock, as far as it is known here.
    pub(super) fn dated(&self, conversation_id: &str, id: &str, mut change: Change) -> Change {
        let known = self.logs.get(conversation_id).and_then(|log| log.loaded_by_id(id));
        if let (Change::Edited { at_ms, .. }, Some(Row { message, .. })) = (&mut change, known) {
            *at_ms = message.edited_at_ms.or(Some(message.created_at_ms));
        }
        change
    }

    /// The server has taken an own change: it stands in the history, or waits there for its message.
    pub(super) fn apply_own(&mut self, conversation_id: &str, row: u64, id: &str, change: Change) {
        if !mutant::is(47) {
            // A page that was asked for before may not have it.
            let heard = self.hear(id, &change);
            self.apply_target(conversation_id, id, change, heard);
        }
        self.actions.push_back(Action::OwnApplied { row });
    }

    /// The conversation and the server's id that a row key of a message without a key says.
    pub fn named_by(&self, row_key: &str) -> Option<(String, String)> {
        let begins = |id: &str| row_key.strip_prefix(id).and_then(|rest| rest.strip_prefix(':'));
        // Of conversations that begin alike the longest is meant, which is the last.
        let conversation_id = self.logs.keys_where(&|id, _| begins(id).is_some()).pop()?;
        let id = begins(&conversation_id)?.to_owned();
        Some((conversation_id, id))
    }
}
