//! A store in which a later version of the application has written.
//!
//! Law: this tab then neither leads nor takes in what it reads there: it would take for damage, and write over, what it
//! does not know. It says so once, stays closed and accepts nothing more; what it accepted before is still stored, for
//! the later version to send.

use super::super::api::{Command, Event, Now, Record};
use super::super::model::{ErrorCode, Failure};
use super::super::store;
use super::Client;

impl Client {
    /// Looks through what was read of the store.
    pub(super) fn look_for_newer(&mut self, now: Now, lists: &[Vec<Record>]) {
        if !lists.iter().flatten().any(|record| store::is_newer(&record.bytes)) {
            return;
        }
        if !core::mem::replace(&mut self.storage.newer, true) {
            self.emit(Event::Error { error: newer() });
            self.undo_connects(now, "storage", &newer());
        }
        // A leader gives its lead back when the store has what it holds; one that has no claim yet makes none.
        if self.is_to_claim() {
            self.let_go(now);
        }
    }

    pub(super) fn check_newer(&self, command: &Command) -> Result<(), Failure> {
        let refused = match command {
            Command::Connect {} => true,
            Command::Wipe {} => false,
            command => super::wipe::writes(command),
        };
        if self.storage.newer && refused { Err(newer()) } else { Ok(()) }
    }
}

pub(super) fn newer() -> Failure {
    let text = "a newer version of the application has written this store: reload this page";
    Failure::new(ErrorCode::Storage, text)
}
