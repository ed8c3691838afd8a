//! `wipe()`: the store is emptied, and with it what this tab and the others keep in memory.
//!
//! Law: whatever was accepted before the wipe and is not yet in the store ends with it; what would write while it
//! goes on is refused, and `connect()` waits, so that nothing of before can come back behind it.

use super::super::api::{Command, CommandId, Now, Outcome, Output, StoreReply, StoreRequest, TabOutput};
use super::super::model::{ErrorCode, Failure};
use super::super::store;
use super::Client;
use super::storage::StoreJob;

impl Client {
    pub(super) fn wipe(&mut self, now: Now, id: CommandId) {
        self.connection.disconnect("disconnect", now, &mut self.timers);
        self.storage.wiping = true;
        let version = self.stamp();
        let number = self.beside.generation.max(self.lead.generation) + 1;
        let generation = store::encode_generation(version, number);
        self.request_store(StoreRequest::Wipe { generation }, StoreJob::Wipe { command: id });
    }

    /// Whether a command would write into the store that is being emptied.
    pub(super) fn check_wiping(&self, command: &Command) -> Result<(), Failure> {
        if self.storage.wiping && writes(command) {
            return Err(wiped("wipe() is under way; call this again when it has resolved"));
        }
        Ok(())
    }

    pub(super) fn on_wipe_reply(&mut self, now: Now, command: CommandId, reply: &StoreReply) {
        self.storage.wiping = false;
        if matches!(reply, StoreReply::Saved { .. }) {
            self.on_wiped(now, command);
        } else {
            let text = "wipe: the database could not be emptied; close the other tabs and try again";
            self.refuse(command, Failure::new(ErrorCode::Storage, text));
            if matches!(reply, StoreReply::Unknown) {
                // It may be empty all the same: every tab looks.
                self.outputs.push_back(Output::Tab(TabOutput::Poke));
                self.rescan(now);
            }
        }
    }

    /// The database is empty: so is the memory.
    fn on_wiped(&mut self, now: Now, command: CommandId) {
        self.forget_all(false);
        self.settling.clear();
        self.pending_reads.clear();
        if self.storage.unclear.take().is_some() {
            self.storage.writing = false;
        }
        self.hello = super::CapabilityPatch::default();
        self.capabilities_dirty = false;
        self.outputs.push_back(Output::Tab(TabOutput::Wiped));
        // The generation that it led under has ended with the rest: whoever connects claims another.
        self.let_go(now);
        self.done(command, Outcome::Nothing);
    }

    /// Sends that are not in the store yet, searches in what is gone, requests whose answer would be written, and all that
    /// was known of conversations: what comes next is met for the first time.
    /// `beside`: another tab has wiped.
    pub(super) fn forget_all(&mut self, beside: bool) {
        self.storage.newer = false;
        let mut ended: Vec<CommandId> = Vec::new();
        self.take_waiters_for_answers(&mut ended);
        for id in ended {
            self.refuse(id, wiped("the store was wiped"));
        }
        self.outbox.clear(beside);
        self.drafts.clear();
        self.beside.forget();
        self.beside.kept.clear();
        self.timelines.clear();
        self.rooms.clear();
    }
}

/// Whether a command changes what the store has.
pub(super) fn writes(command: &Command) -> bool {
    matches!(
        command,
        Command::Send(_)
            | Command::Resend { .. }
            | Command::Cancel { .. }
            | Command::Discard { .. }
            | Command::MarkRead { .. }
            | Command::SetDraft(_)
            | Command::Change(_)
            | Command::Forward { .. }
            | Command::CreateDirect { .. }
            | Command::CreateGroup { .. }
            | Command::Wipe {}
    )
}

fn wiped(text: &str) -> Failure {
    Failure::new(ErrorCode::Cancelled, text)
}
