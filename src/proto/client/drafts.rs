//! `setDraft()`: what the user has begun to write, in every tab and over a reload.
//!
//! Law: one transaction at a time, as for everything else: what is written while it is under way goes together with the
//! next, so that a fast writer costs one record at a time, whatever the keys. While the store takes nothing a draft lives
//! in memory, and its caller does not wait.

use super::super::api::{
    Changes, CommandId, DraftCommand, Key, Now, Outcome, Record, RecordId, Table, Transaction,
};
use super::super::model::{ErrorCode, Failure};
use super::super::store;
use super::super::timeline::unknown_conversation;
use super::Client;

/// Callers of `setDraft()` that wait.
const MAX_WAITERS: usize = 1000;

impl Client {
    pub(super) fn set_draft(&mut self, id: CommandId, draft: DraftCommand) -> Result<(), Failure> {
        let DraftCommand { conversation_id, text } = draft;
        self.check_length(&text)?;
        if conversation_id.is_empty() || !self.rooms.may_exist(&conversation_id) {
            return Err(unknown_conversation());
        }
        let max = self.config.limits.max_conversations as usize;
        let new = self.drafts.get(&conversation_id).is_empty() && !text.is_empty();
        if new && self.drafts.len() >= max {
            let text = "a draft for each of limits.maxConversations conversations is kept already";
            return Err(Failure::new(ErrorCode::TooLarge, text));
        }
        if self.draft_waiters.len() >= MAX_WAITERS {
            return Err(Failure::new(ErrorCode::RateLimited, "too many calls of setDraft() are waiting"));
        }
        if self.drafts.set(&conversation_id, text) {
            self.rooms.touch(&conversation_id);
            self.draft_waiters.push((id, self.drafts.is_under_way(&conversation_id)));
        } else {
            self.done(id, Outcome::Nothing);
        }
        Ok(())
    }

    /// The conversation is no longer this user's.
    pub(super) fn forget_draft(&mut self, conversation_id: &str) {
        self.drafts.set(conversation_id, String::new());
    }

    pub(super) fn build_drafts(&mut self, stamp: u64, transaction: &mut Transaction) {
        for (id, _) in self.drafts.take_dirty() {
            let at = RecordId::meta(&store::draft_key(&id));
            match self.drafts.get(&id) {
                "" => transaction.deletes.push(at),
                text => transaction.puts.push((at, store::encode_draft(stamp, &id, text))),
            }
        }
        for (_, under_way) in &mut self.draft_waiters {
            *under_way = true;
        }
    }

    /// The transaction that had them took place, or not.
    pub(super) fn on_drafts_written(&mut self, now: Now, saved: bool) {
        for (id, under_way) in core::mem::take(&mut self.draft_waiters) {
            if saved && under_way {
                self.done(id, Outcome::Nothing);
            } else {
                self.draft_waiters.push((id, false));
            }
        }
        self.drafts.on_written(saved);
        self.look_at_crossed_drafts(now);
    }

    /// Two tabs have written one draft, and words of theirs may have overtaken each other.
    fn look_at_crossed_drafts(&mut self, now: Now) {
        if self.drafts.take_crossed() {
            self.rescan(now);
        }
    }

    /// The store takes nothing now: whoever waits knows that from `storageDegraded`.
    pub(super) fn hold_drafts_in_memory(&mut self) {
        for (id, under_way) in core::mem::take(&mut self.draft_waiters) {
            if under_way {
                self.draft_waiters.push((id, true));
            } else {
                self.done(id, Outcome::Nothing);
            }
        }
    }

    /// Takes what a read of all of meta has found.
    pub(super) fn restore_drafts(&mut self, meta: &[Record]) {
        let mut stored = Vec::new();
        for record in meta {
            let Some(id) = draft_at(&record.key) else { continue };
            match store::decode_draft(&record.bytes) {
                Ok((_, text)) => stored.push((id, Some(text))),
                Err(error) => {
                    self.report_damage("a draft", &error);
                    stored.push((id, None));
                }
            }
        }
        for id in self.drafts.restore(stored) {
            self.rooms.touch(&id);
        }
    }

    /// What another tab has written of them.
    pub(super) fn take_drafts(&mut self, now: Now, changes: &Changes) {
        for (at, _, bytes) in &changes.puts {
            if at.table == Table::Meta
                && let Some(id) = draft_at(&at.key)
                && let Ok((_, text)) = store::decode_draft(bytes)
            {
                self.take_draft(&id, text);
            }
        }
        for (at, _) in &changes.deletes {
            if at.table == Table::Meta
                && let Some(id) = draft_at(&at.key)
            {
                self.take_draft(&id, String::new());
            }
        }
        self.look_at_crossed_drafts(now);
    }

    fn take_draft(&mut self, id: &str, text: String) {
        if self.drafts.take(id, text) {
            self.rooms.touch(id);
        }
    }
}

/// The conversation whose draft stands at that key of meta.
fn draft_at(key: &Key) -> Option<String> {
    match key {
        Key::Text(key) if key.starts_with(store::DRAFT_PREFIX) => store::conversation_of(key),
        _ => None,
    }
}
