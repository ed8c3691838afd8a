//! A store that refuses, and how much room there is.
//!
//! Law: a refused store is told once and tried again later. Before that, where it is full, and where the browser says that
//! it soon will be, the leader makes room: it gives up the oldest of the history, which the server has too, and writes what
//! was refused at once.

use super::super::api::{Event, Now, StoreFailure, StoreReply, StoreRequest};
use super::super::timer::Timer;
use super::Client;
use super::storage::{STORE_RETRY_MS, StoreJob};
use crate::proto::lead::State;
use crate::proto::text::concat;

/// Commits between two looks at how much room there is.
const COMMITS_A_LOOK: u32 = 256;
/// A segment of a hundred messages, about: what of the whole is whose the browser does not say.
const SEGMENT_BYTES: u64 = 32_768;
/// Segments that are given up at the first refusal; each further one in a row doubles them.
const FIRST_SEGMENTS: usize = 8;
/// Refusals in a row that are answered by making room.
const MAX_ROUNDS: u32 = 12;

/// What the browser says of the origin's storage.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Room {
    /// It was asked, and has answered.
    pub known: bool,
    /// It takes nothing away by itself where the disk runs full.
    pub persisted: bool,
    pub usage_bytes: u64,
    /// 0: not told.
    pub quota_bytes: u64,
    asking: bool,
    asked: bool,
    commits: u32,
    /// Refusals in a row for which room was made.
    rounds: u32,
}

impl Client {
    /// A transaction is in the store.
    pub(super) fn look_at_room(&mut self) {
        self.room.rounds = 0;
        self.room.commits += 1;
        let due = !self.room.asked || (self.leads() && self.room.commits >= COMMITS_A_LOOK);
        if due && self.storage.persistent && !self.room.asking {
            // Asked once there is something to keep: a browser may ask the user.
            let persist = self.config.persist && !self.room.asked;
            self.room.commits = 0;
            (self.room.asking, self.room.asked) = (true, true);
            self.request_store(StoreRequest::Estimate { persist }, StoreJob::Estimate);
        }
    }

    pub(super) fn on_estimate(&mut self, reply: &StoreReply) {
        self.room.asking = false;
        let StoreReply::Estimate { persisted, usage_bytes, quota_bytes } = *reply else { return };
        self.room.known = true;
        (self.room.persisted, self.room.usage_bytes, self.room.quota_bytes) =
            (persisted, usage_bytes, quota_bytes);
        let allowed = quota_bytes / 100 * u64::from(self.config.limits.max_storage_percent);
        if quota_bytes > 0 && usage_bytes > allowed && self.lead.state() == State::Leads {
            // Others of the origin may have taken the room: never more than a quarter at once.
            let wanted = usize::try_from((usage_bytes - allowed) / SEGMENT_BYTES + 1).unwrap_or(usize::MAX);
            let most = self.timelines.count_evictable().div_ceil(4);
            self.timelines.evict_stored(wanted.min(most));
        }
    }

    /// A write was refused for want of room. `true`: some was made, and it is to be tried again at once.
    pub(super) fn make_room(&mut self) -> bool {
        if self.lead.state() != State::Leads || self.room.rounds >= MAX_ROUNDS {
            return false;
        }
        let segments = FIRST_SEGMENTS << self.room.rounds;
        self.room.rounds += 1;
        self.timelines.evict_stored(segments) > 0
    }

    /// Somebody has deleted the database (the user, another application of the origin): what was accepted and is not
    /// answered lives in memory alone until it has been written again (P1). Of the history that holds for what is in memory;
    /// the rest comes from the server.
    pub(super) fn on_emptied(&mut self) {
        if self.leads() {
            self.timelines.on_emptied();
            self.rooms.mark_all_dirty();
            self.capabilities_dirty = true;
        }
        self.outbox.on_emptied();
        self.drafts.on_emptied();
        (self.lead.version, self.storage.generation, self.storage.reign) = (None, None, None);
        self.beside.forget();
        self.storage.degraded = true;
        let message = "the database was deleted: what this tab holds is written again".to_owned();
        self.emit(Event::StorageDegraded { message, persistent: self.storage.persistent });
    }

    pub(super) fn degrade(&mut self, now: Now, reply: &StoreReply) {
        let message = match reply {
            StoreReply::Failed { kind: StoreFailure::Quota, .. } => {
                "the browser's storage is full: new messages live in memory only".to_owned()
            }
            StoreReply::Failed { message, .. } => concat(&["the store refuses: ", message]),
            _ => "the store does not answer as it should".to_owned(),
        };
        self.set_blocked(true);
        self.timelines.recount();
        self.timers.set(Timer::StoreRetry, now.mono_ms + STORE_RETRY_MS);
        if !core::mem::replace(&mut self.storage.degraded, true) {
            let persistent = self.storage.persistent;
            self.emit(Event::StorageDegraded { message, persistent });
        }
    }

    /// The store has refused, and is tried again later: what waits for it is not waited for.
    pub(super) fn waits_for_store(&self) -> bool {
        self.timers.get(Timer::StoreRetry).is_some()
    }

    pub(super) fn set_blocked(&mut self, blocked: bool) {
        // Whose claim was refused writes nothing before it stands.
        let blocked = blocked || self.is_unclaimed();
        self.storage.blocked = blocked;
        self.outbox.set_blocked(blocked);
        if blocked {
            self.tell_all_here();
        }
    }

    pub(super) fn on_store_retry(&mut self) {
        if !self.storage.loaded {
            return self.retry_load();
        }
        self.timelines.retry_loads();
        if core::mem::take(&mut self.storage.scan_again) {
            self.scan_index();
        }
        match self.storage.unclear.take() {
            Some(flight) => self.read_back(flight),
            None => self.set_blocked(false),
        }
        self.claim_again();
    }
}
