//! The store: reading it at the start, taking the lead, one transaction at a time with everything that is dirty.
//!
//! Law: a leader's transaction expects its generation (rule 2), a change of an outbox row the version it knows.
//! After `Unknown` the store is read back before anything is decided (rule 1). A refused write is told, and tried
//! again later; new messages live in memory until then (rule 14).

use crate::proto::sorted::{SortedMap, SortedSet};

use super::super::api::{
    Changes, CommandId, Event, Key, Now, Output, Read, Record, RecordId, StoreId, StoreReply, StoreRequest,
    TabOutput, Table,
};
use super::super::lead::State;
use super::super::outbox::{RowId, Stage};
use super::super::store;
use super::super::timeline::{Item, Want};
use super::super::timer::Timer;
use super::Client;
use super::export::Export;
use super::tell::Untold;

/// How long a refused store is left alone.
pub(super) const STORE_RETRY_MS: u64 = 5000;

/// After so many in a row, whatever explains them, the store is left alone for a while.
const MAX_VAIN_WRITES: u32 = 10;

#[derive(Debug)]
pub(super) enum StoreJob {
    Open,
    Load,
    /// Read before a new generation is written; and that write.
    Claim,
    Claimed {
        generation: u64,
        version: u64,
        /// The version that the record had before.
        before: Option<u64>,
    },
    /// Everything is read once more: until the claim stood, another leader may have written.
    TakeOver {
        stands: bool,
    },
    Write(Box<Flight>),
    /// After `Unknown`, and after `Conflict`.
    ReadBack(Box<Flight>),
    Reconcile,
    Record {
        conversation_id: String,
        want: Want,
    },
    ScanIndex,
    Wipe {
        command: CommandId,
    },
    Estimate,
    Export(Box<Export>),
}

/// A transaction on its way.
#[derive(Debug, Default)]
pub(super) struct Flight {
    pub stamp: u64,
    pub asked: Now,
    pub rows: Vec<(RowId, Stage)>,
    /// Those of `rows` that were added, in order.
    pub added: Vec<RowId>,
    pub items: Vec<Item>,
    pub rooms: Vec<String>,
    pub capabilities: bool,
    /// What is told when it has taken place.
    pub told: Vec<Untold>,
    pub changes: Option<Box<Changes>>,
    /// A record that tells by its version whether the transaction took place.
    pub probe: Option<RecordId>,
    /// Something of it has been seen in the store since.
    pub proven: bool,
}

#[derive(Debug, Default)]
pub(super) struct Storage {
    pub loaded: bool,
    pub persistent: bool,
    next_id: StoreId,
    /// The last step of the claim under way; answers to an earlier claim say nothing any more.
    claim: StoreId,
    pub(super) jobs: SortedMap<StoreId, StoreJob>,
    pub writing: bool,
    pub reconciling: bool,
    pub asked_to_reconcile: Now,
    pub rescan_again: bool,
    /// The index pages could not be read.
    pub scan_again: bool,
    /// That the record of the orphans cannot be read was told.
    pub orphans_torn: bool,
    /// Writes that have met a conflict, or of which nobody knew, since one took place or nothing was left to be written.
    pub vain_writes: u32,
    /// The version of the generation when the outbox was last read.
    pub generation: Option<u64>,
    /// The last version of the generation that could be read. Where its record is torn, whoever leads under it still
    /// writes, until somebody replaces it who knows it.
    pub reign: Option<u64>,
    pub blocked: bool,
    pub degraded: bool,
    /// A transaction of which it is not known whether it took place, while the store cannot be read.
    pub unclear: Option<Box<Flight>>,
    pub wiping: bool,
    /// A later version of the application has written in it.
    pub newer: bool,
    opened: bool,
    /// The last stamp given; 0: the next begins a new count.
    pub stamp: u64,
}

impl Storage {
    /// A step of the claim is not answered yet.
    pub fn is_claiming(&self) -> bool {
        self.jobs.contains_key(&self.claim)
    }

    /// Writing goes on in vain.
    pub fn is_vain(&self) -> bool {
        self.vain_writes > MAX_VAIN_WRITES
    }

    pub fn has_job(&self, wanted: &dyn Fn(&StoreJob) -> bool) -> bool {
        self.jobs.any(&|_, job| wanted(job))
    }
}

impl Client {
    pub(super) fn request_store(&mut self, request: StoreRequest, job: StoreJob) {
        self.storage.next_id += 1;
        let id = self.storage.next_id;
        if is_claim(&job) {
            self.storage.claim = id;
        }
        self.storage.jobs.insert(id, job);
        self.outputs.push_back(Output::Store { id, request });
    }

    pub(super) fn on_store(&mut self, now: Now, id: StoreId, reply: &StoreReply) {
        let Some(job) = self.storage.jobs.remove(&id) else { return };
        if is_claim(&job) && id != self.storage.claim {
            return;
        }
        if let (false, StoreReply::Records(lists)) = (is_of_history(&job), reply) {
            self.look_for_newer(now, lists);
        }
        match (job, reply) {
            (StoreJob::Open, StoreReply::Opened { persistent }) => self.on_opened(now, *persistent),
            (StoreJob::Load, StoreReply::Records(lists)) => self.on_load(now, lists),
            // What cannot be read is not taken for empty: it would be written over.
            (StoreJob::Open | StoreJob::Load, reply) => self.degrade(now, reply),
            (StoreJob::Claim, StoreReply::Records(lists)) => self.on_claim_read(now, lists),
            (StoreJob::Claimed { generation, version, .. }, StoreReply::Saved { .. }) => {
                self.storage.vain_writes = 0;
                self.on_claimed(generation, Some(version), true);
            }
            (StoreJob::Claimed { generation, before, .. }, StoreReply::Failed { .. }) => {
                // The disk is full, say. The lock is held all the same.
                self.degrade(now, reply);
                if self.lead.state() == State::Claims {
                    self.on_claimed(generation, before, false);
                }
            }
            (StoreJob::TakeOver { stands }, StoreReply::Records(lists)) => {
                self.on_take_over(now, stands, lists);
            }
            (StoreJob::Claim | StoreJob::Claimed { .. }, StoreReply::Conflict | StoreReply::Unknown) => {
                if matches!(reply, StoreReply::Conflict) {
                    // What it knew of a torn one has ended.
                    self.storage.reign = None;
                }
                self.storage.vain_writes += 1;
                if self.storage.is_vain() { self.degrade(now, reply) } else { self.claim() }
            }
            (StoreJob::Claim | StoreJob::Claimed { .. } | StoreJob::TakeOver { .. }, reply) => {
                self.degrade(now, reply);
            }
            (StoreJob::Write(flight), reply) => self.on_write_reply(now, flight, reply),
            (StoreJob::ReadBack(flight), reply) => self.on_read_back(now, flight, reply),
            (StoreJob::Reconcile, reply) => self.on_reread(now, reply),
            (StoreJob::Record { conversation_id, want }, StoreReply::Records(lists)) => {
                let bytes = list(lists, 0).first().map(|record| record.bytes.as_slice());
                self.timelines.on_loaded(&conversation_id, want, bytes);
            }
            (StoreJob::Record { conversation_id, want }, _) => {
                // Read again rather than given up: nothing says that the record is bad.
                self.timelines.on_load_failed(&conversation_id, want);
                self.timers.set(Timer::StoreRetry, now.mono_ms + STORE_RETRY_MS);
            }
            (StoreJob::ScanIndex, StoreReply::Records(lists)) => self.on_index_scan(lists),
            (StoreJob::ScanIndex, _) => {
                // Nothing says that there is no such message.
                self.storage.scan_again = true;
                self.timers.set(Timer::StoreRetry, now.mono_ms + STORE_RETRY_MS);
            }
            (StoreJob::Wipe { command }, reply) => self.on_wipe_reply(now, command, reply),
            (StoreJob::Estimate, reply) => self.on_estimate(reply),
            (StoreJob::Export(export), reply) => self.on_exported(export, reply),
        }
        self.take_kept(now);
    }

    fn on_reread(&mut self, now: Now, reply: &StoreReply) {
        self.storage.reconciling = false;
        if let StoreReply::Records(lists) = reply {
            return self.reconcile(now, lists);
        }
        self.storage.rescan_again = false;
        let unsure = self.lead.in_doubt || self.outbox.is_overdue();
        if unsure || (self.leads() && self.outbox.misses_rows()) {
            // Nothing goes out, or is over its time, before the generation, or what another tab has queued, was read.
            self.timers.set(Timer::Rescan, now.mono_ms + STORE_RETRY_MS);
        } else if !self.leads() {
            // What was to be read is not known: the next post does not join on.
            self.beside.last = 0;
        }
    }

    fn on_opened(&mut self, now: Now, persistent: bool) {
        self.storage.persistent = persistent;
        self.outbox.set_persistent(persistent);
        if !persistent && self.config.persistent {
            let message =
                "this browser gives no durable storage here; messages live in memory until this page ends"
                    .to_owned();
            self.emit(Event::StorageDegraded { message, persistent: false });
            // No other tab can read what is sent here, nor this one what they keep: it waits for none, and holds up none.
            if self.lead.state() != State::Unasked {
                self.let_go(now);
            }
            self.outputs.push_back(Output::Tab(TabOutput::Alone));
        }
        self.storage.opened = true;
        self.load();
    }

    fn load(&mut self) {
        self.request_store(StoreRequest::Read(everything()), StoreJob::Load);
    }

    /// The database could not be opened, or not be read: again.
    pub(super) fn retry_load(&mut self) {
        if self.storage.opened {
            self.load();
        } else {
            let name = self.config.database.clone();
            self.request_store(StoreRequest::Open { name }, StoreJob::Open);
        }
    }

    fn on_load(&mut self, now: Now, lists: &[Vec<Record>]) {
        if !self.storage.newer {
            self.restore_history(lists);
            self.take_outbox(lists);
        }
        self.storage.loaded = true;
        self.set_blocked(false);
        self.rooms.touch_all();
        // The leader may have told more already.
        self.emit(Event::Phase { phase: self.timelines.phase() });
        let guarantees = self.guarantees();
        self.emit(Event::Guarantees { guarantees });
        self.claim_again();
        self.say_hello(now);
    }

    /// Takes what a read of `everything` has found.
    pub(super) fn restore_history(&mut self, lists: &[Vec<Record>]) {
        self.see_stamps(lists);
        self.restore_orphans(list(lists, 0));
        for record in list(lists, 0) {
            if record.key == Key::Text(store::CAPABILITIES_KEY.into())
                && let Ok((_, known)) = store::decode_capabilities(&record.bytes)
            {
                // At the start it is told with the rest.
                if self.storage.loaded {
                    _ = self.take_hello(known.patch)
                } else {
                    self.set_hello(known.patch)
                }
            }
            if record.key == Key::Text(store::GENERATION_KEY.into())
                && let Ok((_, generation)) = store::decode_generation(&record.bytes)
            {
                self.beside.generation = generation;
            }
        }
        let mut rooms = Vec::new();
        for record in list(lists, 2) {
            match store::decode_conversation(&record.bytes) {
                Ok((_, record)) => rooms.push(record),
                Err(error) => {
                    self.report_damage("a conversation", &error);
                    let Some(id) = conversation_of(record) else { continue };
                    // Until its leader has written it again it is as it was known here.
                    rooms.extend(self.rooms.get(&id).cloned());
                    self.tell_torn(&id, u32::MAX);
                }
            }
        }
        self.rooms.restore(rooms);
        let mut stored = SortedSet::new();
        for record in list(lists, 3) {
            let Some(id) = conversation_of(record) else { continue };
            match store::decode_head(&record.bytes) {
                Ok((version, head)) => {
                    if self.timelines.restore(version, head) {
                        self.rooms.touch(&id);
                    }
                }
                Err(error) => {
                    self.report_damage("the head of a history", &error);
                    self.timelines.on_damaged_head(&id);
                    self.tell_torn(&id, u32::MAX);
                }
            }
            // Also where the record is damaged.
            stored.insert(id);
        }
        self.timelines.retain(&stored);
    }

    /// And the drafts: what any tab may write.
    pub(super) fn take_outbox(&mut self, lists: &[Vec<Record>]) {
        self.restore_drafts(list(lists, 0));
        let same_reign = self.see_generation(lists);
        let rows = list(lists, 1);
        if let Some(flight) = &mut self.storage.unclear {
            flight.proven = flight.took_place(rows, list(lists, 0));
        }
        for error in self.outbox.reconcile(rows, same_reign) {
            self.report_damage("a queued message", &error);
        }
    }

    /// Whether it is the one of the last read.
    pub(super) fn see_generation(&mut self, lists: &[Vec<Record>]) -> bool {
        let generation = generation_version(lists);
        self.storage.reign = generation.or(self.storage.reign);
        core::mem::replace(&mut self.storage.generation, generation) == generation
    }
}

/// All that is kept in memory from the start: lists 0 to 3 of a load, the first read of a store once it is open.
#[must_use]
pub fn everything() -> Vec<Read> {
    vec![
        Read::All(Table::Meta),
        Read::All(Table::Outbox),
        Read::Prefix { table: Table::History, prefix: store::CONVERSATION_PREFIX.into() },
        Read::Prefix { table: Table::History, prefix: store::HEAD_PREFIX.into() },
    ]
}

fn is_claim(job: &StoreJob) -> bool {
    matches!(job, StoreJob::Claim | StoreJob::Claimed { .. } | StoreJob::TakeOver { .. })
}

/// Reads nothing but what a head names.
fn is_of_history(job: &StoreJob) -> bool {
    matches!(job, StoreJob::Record { .. } | StoreJob::ScanIndex | StoreJob::Export(_))
}

/// One list of the store's answer; empty where there is none.
pub(super) fn list(lists: &[Vec<Record>], at: usize) -> &[Record] {
    lists.get(at).map_or(&[], Vec::as_slice)
}

/// The version of the generation's record, in a read that begins with meta.
pub(super) fn generation_version(lists: &[Vec<Record>]) -> Option<u64> {
    let generation = Key::Text(store::GENERATION_KEY.into());
    let found = list(lists, 0).iter().find(|record| record.key == generation);
    found.and_then(|record| store::record_version(&record.bytes))
}

/// The conversation that a record of the history table belongs to.
fn conversation_of(record: &Record) -> Option<String> {
    match &record.key {
        Key::Text(key) => store::conversation_of(key),
        Key::Number(_) => None,
    }
}
