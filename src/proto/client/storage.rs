//! The store: reading it at the start, taking the lead, one transaction at a time with everything that is dirty.
//!
//! Law: a leader's transaction expects its generation (rule 2), a change of an outbox row the version it knows.
//! After `Unknown` the store is read back before anything is decided (rule 1). A refused write is told, and tried
//! again later; new messages live in memory until then (rule 14).

use crate::proto::sorted::SortedMap;

use super::super::api::{
    CommandId, Event, Key, Now, Outcome, Output, Read, Record, RecordId, StoreFailure, StoreId, StoreReply,
    StoreRequest, TabInput, TabOutput, Table, Transaction,
};
use super::super::model::{ErrorCode, Failure, Phase};
use super::super::outbox::{RowId, Stage, Write};
use super::super::store::{self, CapabilityRecord};
use super::super::timeline::{Item, Want};
use super::super::timer::Timer;
use super::Client;

/// How long a refused store is left alone.
const STORE_RETRY_MS: u64 = 5000;
/// The outbox is read again this often, since a poke of another tab may be lost (rule 4).
const RESCAN_MS: u64 = 30_000;

/// Whether this tab may write history and use the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lead {
    /// The other tabs have not been heard yet.
    #[default]
    Unknown,
    Follows,
    /// Holds the lock; the generation is not written yet.
    Claims,
    Leads {
        generation: u64,
        version: u64,
    },
}

#[derive(Debug)]
pub(super) enum StoreJob {
    Open,
    Load,
    /// Read before a new generation is written; and that write.
    Claim,
    Claimed {
        generation: u64,
        version: u64,
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
}

/// A transaction on its way.
#[derive(Debug, Default)]
pub(super) struct Flight {
    stamp: u64,
    rows: Vec<(RowId, Stage)>,
    /// Those of `rows` that were added, in order.
    added: Vec<RowId>,
    items: Vec<Item>,
    rooms: Vec<String>,
    capabilities: bool,
    /// A record that tells by its version whether the transaction took place.
    probe: Option<RecordId>,
    deleted: Vec<RecordId>,
    replaced: Vec<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Storage {
    pub lead: Lead,
    pub loaded: bool,
    pub persistent: bool,
    next_id: StoreId,
    jobs: SortedMap<StoreId, StoreJob>,
    writing: bool,
    reconciling: bool,
    blocked: bool,
    degraded: bool,
    next_stamp: u64,
}

impl Client {
    pub(super) fn request_store(&mut self, request: StoreRequest, job: StoreJob) {
        self.storage.next_id += 1;
        let id = self.storage.next_id;
        self.storage.jobs.insert(id, job);
        self.outputs.push_back(Output::Store { id, request });
    }

    pub(super) fn on_store(&mut self, now: Now, id: StoreId, reply: StoreReply) {
        let Some(job) = self.storage.jobs.remove(&id) else { return };
        match (job, reply) {
            (StoreJob::Open, StoreReply::Opened { persistent }) => self.on_opened(persistent),
            (StoreJob::Open, reply) => {
                self.degrade(now, &reply);
                self.on_opened(false);
            }
            (StoreJob::Load, StoreReply::Records(lists)) => self.on_load(now, lists),
            (StoreJob::Load, reply) => {
                self.degrade(now, &reply);
                self.on_load(now, Vec::new());
            }
            (StoreJob::Claim, StoreReply::Records(lists)) => self.on_claim_read(&lists),
            (StoreJob::Claimed { generation, version }, StoreReply::Saved { .. }) => {
                self.on_claimed(now, generation, version);
            }
            (StoreJob::Claim | StoreJob::Claimed { .. }, StoreReply::Conflict | StoreReply::Unknown) => {
                self.claim()
            }
            (StoreJob::Claim | StoreJob::Claimed { .. }, reply) => {
                self.degrade(now, &reply);
            }
            (StoreJob::Write(flight), reply) => self.on_write_reply(now, flight, reply),
            (StoreJob::ReadBack(flight), reply) => self.on_read_back(now, flight, reply),
            (StoreJob::Reconcile, reply) => {
                self.storage.reconciling = false;
                if let StoreReply::Records(lists) = reply {
                    self.reconcile(now, &lists);
                }
            }
            (StoreJob::Record { conversation_id, want }, StoreReply::Records(lists)) => {
                let bytes = lists.first().and_then(|list| list.first()).map(|record| record.bytes.as_slice());
                self.timelines.on_loaded(&conversation_id, want, bytes);
            }
            (StoreJob::Record { conversation_id, want }, _) => {
                // Read again rather than given up: nothing says that the record is bad.
                self.timelines.on_load_failed(&conversation_id, want);
                self.timers.set(Timer::StoreRetry, now.mono_ms + STORE_RETRY_MS);
            }
            (StoreJob::ScanIndex, reply) => {
                let lists = if let StoreReply::Records(lists) = reply { lists } else { Vec::new() };
                let pages: Vec<(String, Vec<u8>)> =
                    lists.into_iter().flatten().filter_map(conversation_of).collect();
                self.timelines.on_index_scan(&pages);
            }
            (StoreJob::Wipe { command }, StoreReply::Saved { .. }) => self.on_wiped(command),
            (StoreJob::Wipe { command }, _) => {
                let text = "wipe: the database could not be emptied; close the other tabs and try again";
                self.refuse(command, Failure::new(ErrorCode::Storage, text));
            }
        }
    }

    fn on_opened(&mut self, persistent: bool) {
        self.storage.persistent = persistent;
        if !persistent && self.config.persistent {
            let message =
                "this browser gives no durable storage here; messages live in memory only".to_owned();
            self.emit(Event::StorageDegraded { message, persistent: false });
        }
        self.request_store(StoreRequest::Read(everything()), StoreJob::Load);
    }

    fn on_load(&mut self, now: Now, lists: Vec<Vec<Record>>) {
        self.restore_history(&lists);
        if let Some(rows) = lists.get(1) {
            self.take_outbox(rows);
        }
        self.storage.loaded = true;
        self.rooms.touch_all();
        self.emit(Event::Phase { phase: Phase::Restored });
        let guarantees = self.guarantees();
        self.emit(Event::Guarantees { guarantees });
        if self.storage.lead == Lead::Claims {
            self.claim();
        }
        self.run_deferred(now);
    }

    fn restore_history(&mut self, lists: &[Vec<Record>]) {
        for record in lists.first().into_iter().flatten() {
            if record.key == Key::Text(store::CAPABILITIES_KEY.into())
                && let Ok((_, known)) = store::decode_capabilities(&record.bytes)
            {
                self.set_hello(known.patch);
            }
        }
        for record in lists.get(2).into_iter().flatten() {
            match store::decode_conversation(&record.bytes) {
                Ok((_, record)) => self.rooms.restore(record),
                Err(error) => self.report_damage("a conversation", &error),
            }
        }
        for record in lists.get(3).into_iter().flatten() {
            match store::decode_head(&record.bytes) {
                Ok((_, head)) => self.timelines.restore(head),
                Err(error) => self.report_damage("the head of a history", &error),
            }
        }
    }

    fn take_outbox(&mut self, rows: &[Record]) {
        for (_, error) in self.outbox.reconcile(rows) {
            self.report_damage("a queued message", &error);
        }
    }

    fn report_damage(&mut self, what: &str, error: &store::RecordError) {
        let text = format!("{what} in the store cannot be read: {error}");
        self.emit(Event::Error { error: Failure::new(ErrorCode::Storage, text) });
    }

    pub(super) fn on_tab(&mut self, now: Now, input: TabInput) {
        match input {
            TabInput::Leads => {
                self.storage.lead = Lead::Claims;
                if self.storage.loaded {
                    self.claim();
                }
            }
            TabInput::Follows => {
                if self.storage.lead == Lead::Unknown {
                    self.storage.lead = Lead::Follows;
                    self.connection.on_lead(false, now, &mut self.timers, &mut self.rng);
                    self.run_deferred(now);
                }
            }
            TabInput::Deposed => self.abdicate(now),
            TabInput::Poked => self.rescan(now),
        }
    }

    /// Writes a new generation, so that an older leader's next transaction fails (rule 2).
    fn claim(&mut self) {
        let reads = vec![Read::One(RecordId::meta(store::GENERATION_KEY))];
        self.request_store(StoreRequest::Read(reads), StoreJob::Claim);
    }

    fn on_claim_read(&mut self, lists: &[Vec<Record>]) {
        let known = lists.first().and_then(|list| list.first());
        let known = known.and_then(|record| store::decode_generation(&record.bytes).ok());
        let generation = known.map_or(0, |(_, generation)| generation) + 1;
        let version = generation << 24;
        let transaction = Transaction {
            expect: vec![(RecordId::meta(store::GENERATION_KEY), known.map(|(version, _)| version))],
            puts: vec![(
                RecordId::meta(store::GENERATION_KEY),
                store::encode_generation(version, generation),
            )],
            ..Transaction::default()
        };
        self.request_store(StoreRequest::Write(transaction), StoreJob::Claimed { generation, version });
    }

    fn on_claimed(&mut self, now: Now, generation: u64, version: u64) {
        let took_over = self.storage.lead != Lead::Claims || self.storage.next_stamp != 0;
        self.storage.lead = Lead::Leads { generation, version };
        self.storage.next_stamp = version;
        self.outbox.set_generation(generation);
        self.connection.on_lead(true, now, &mut self.timers, &mut self.rng);
        self.emit(Event::Leader { leader: true });
        self.timers.set(Timer::Rescan, now.mono_ms + RESCAN_MS);
        if took_over || generation > 1 {
            self.rescan(now);
        }
        self.run_deferred(now);
    }

    /// Another tab leads now: nothing more goes out, and nothing remembered is believed.
    fn abdicate(&mut self, now: Now) {
        if !matches!(self.storage.lead, Lead::Leads { .. } | Lead::Claims) {
            return;
        }
        self.storage.lead = Lead::Follows;
        self.outbox.set_generation(0);
        self.connection.on_lead(false, now, &mut self.timers, &mut self.rng);
        self.emit(Event::Leader { leader: false });
        self.outputs.push_back(Output::Tab(TabOutput::Release));
        self.outputs.push_back(Output::Tab(TabOutput::RequestLead));
        self.rescan(now);
    }

    /// Reads what other tabs may have written.
    pub(super) fn rescan(&mut self, now: Now) {
        if self.leads() {
            self.timers.set(Timer::Rescan, now.mono_ms + RESCAN_MS);
        }
        if !self.storage.loaded || self.storage.reconciling {
            return;
        }
        self.storage.reconciling = true;
        let reads =
            if self.leads() { vec![Read::All(Table::Meta), Read::All(Table::Outbox)] } else { everything() };
        self.request_store(StoreRequest::Read(reads), StoreJob::Reconcile);
    }

    fn reconcile(&mut self, now: Now, lists: &[Vec<Record>]) {
        if let Lead::Leads { version, .. } = self.storage.lead {
            let generation = Key::Text(store::GENERATION_KEY.into());
            let found = lists.first().into_iter().flatten().find(|record| record.key == generation);
            if found.and_then(|record| store::record_version(&record.bytes)) != Some(version) {
                return self.abdicate(now);
            }
        } else {
            self.timelines.forget_clean();
            self.restore_history(lists);
            self.rooms.touch_all();
        }
        if let Some(rows) = lists.get(1) {
            self.take_outbox(rows);
        }
        self.outbox.advance(now);
    }

    /// Puts everything dirty into one transaction. `true`: something was settled without the store.
    pub(super) fn write(&mut self, now: Now) -> bool {
        if self.storage.writing || !self.storage.loaded {
            return false;
        }
        let history = self.leads();
        let dirty = self.outbox.has_dirty()
            || (history && (self.timelines.has_dirty() || self.rooms.has_dirty() || self.capabilities_dirty));
        if !dirty {
            return false;
        }
        let rows = self.outbox.take_writes();
        if self.storage.blocked {
            return self.hold_in_memory(rows);
        }
        let (transaction, flight, settled) = self.build(rows, history);
        let empty =
            transaction.puts.is_empty() && transaction.adds.is_empty() && transaction.deletes.is_empty();
        if !empty {
            self.storage.writing = true;
            self.request_store(StoreRequest::Write(transaction), StoreJob::Write(Box::new(flight)));
        }
        for (row, stage) in &settled {
            self.outbox.on_written(*row, *stage, None, 0);
        }
        let _ = now;
        !settled.is_empty()
    }

    /// While the store is left alone, new messages resolve with `durable: false`.
    fn hold_in_memory(&mut self, rows: Vec<RowId>) -> bool {
        let mut moved = false;
        for row in rows {
            let Some((stage, stored)) = self.outbox.row(row).map(|row| (row.stage, row.stored)) else {
                continue;
            };
            if stored.is_none() && matches!(stage, Stage::Settling | Stage::Removing) {
                self.outbox.on_written(row, stage, None, 0);
                moved = true;
            } else {
                moved |= stored.is_none() && matches!(stage, Stage::Saving | Stage::Marking);
                self.outbox.on_write_failed(row, stage);
            }
        }
        moved
    }

    fn build(&mut self, rows: Vec<RowId>, history: bool) -> (Transaction, Flight, Vec<(RowId, Stage)>) {
        let mut transaction = Transaction::default();
        let stamp = self.stamp();
        let mut flight = Flight { stamp, ..Flight::default() };
        let mut settled = Vec::new();
        for id in rows {
            let Some(stage) = self.outbox.row(id).map(|row| row.stage) else { continue };
            transaction.strict = true;
            match self.outbox.write_of(id) {
                None => {
                    settled.push((id, stage));
                    continue;
                }
                Some(Write::Add(record)) => {
                    transaction.adds.push(store::encode_outbox_row(stamp, record));
                    flight.added.push(id);
                }
                Some(Write::Put { stored, expect, record }) => {
                    let at = RecordId::outbox(stored);
                    transaction.expect.push((at.clone(), Some(expect)));
                    transaction.puts.push((at, store::encode_outbox_row(stamp, record)));
                    flight.replaced.push(stored);
                }
                Some(Write::Delete { stored, expect }) => {
                    let at = RecordId::outbox(stored);
                    transaction.expect.push((at.clone(), Some(expect)));
                    transaction.deletes.push(at.clone());
                    flight.deleted.push(at);
                }
            }
            flight.rows.push((id, stage));
        }
        if history {
            self.build_history(&mut transaction, &mut flight);
        }
        flight.probe = transaction.puts.first().map(|(at, _)| at.clone());
        if let Lead::Leads { version, .. } = self.storage.lead {
            transaction.expect.push((RecordId::meta(store::GENERATION_KEY), Some(version)));
        }
        (transaction, flight, settled)
    }

    fn build_history(&mut self, transaction: &mut Transaction, flight: &mut Flight) {
        for item in self.timelines.take_dirty() {
            if let Some(put) = self.timelines.encode(flight.stamp, &item) {
                transaction.puts.push(put);
            }
            flight.items.push(item);
        }
        for id in self.rooms.take_dirty() {
            let at = RecordId::history(store::conversation_key(&id));
            match self.rooms.get(&id) {
                Some(room) => transaction.puts.push((at, store::encode_conversation(flight.stamp, room))),
                None => transaction.deletes.push(at),
            }
            flight.rooms.push(id);
        }
        if core::mem::take(&mut self.capabilities_dirty) {
            let record = CapabilityRecord { patch: self.hello.clone() };
            let bytes = store::encode_capabilities(flight.stamp, &record);
            transaction.puts.push((RecordId::meta(store::CAPABILITIES_KEY), bytes));
            flight.capabilities = true;
        }
    }

    /// A number that no other transaction of this database has.
    fn stamp(&mut self) -> u64 {
        if self.leads() {
            self.storage.next_stamp += 1;
            return self.storage.next_stamp;
        }
        self.rng.between(1 << 62, u64::MAX - 1)
    }

    fn on_write_reply(&mut self, now: Now, flight: Box<Flight>, reply: StoreReply) {
        match reply {
            StoreReply::Saved { added } => {
                self.storage.writing = false;
                self.on_saved(&flight, &added);
            }
            StoreReply::Conflict | StoreReply::Unknown => {
                let mut reads = vec![Read::All(Table::Meta), Read::All(Table::Outbox)];
                reads.extend(flight.probe.iter().cloned().map(Read::One));
                let unknown = matches!(reply, StoreReply::Unknown);
                let mut flight = flight;
                if !unknown {
                    // Nothing was written: there is nothing to find.
                    flight.stamp = u64::MAX;
                }
                self.request_store(StoreRequest::Read(reads), StoreJob::ReadBack(flight));
            }
            reply => {
                self.storage.writing = false;
                self.take_back(&flight, true);
                self.degrade(now, &reply);
            }
        }
        // A row that has just become ready may be the first of its lane.
        self.outbox.advance(now);
    }

    fn on_read_back(&mut self, now: Now, flight: Box<Flight>, reply: StoreReply) {
        let StoreReply::Records(lists) = reply else {
            // The store cannot even be read: what is not known to be written is not.
            self.storage.writing = false;
            self.take_back(&flight, true);
            return self.degrade(now, &StoreReply::Unknown);
        };
        self.storage.writing = false;
        let rows = lists.get(1).map_or(&[][..], Vec::as_slice);
        if let Some(added) = flight.found_in(rows, lists.get(2)) {
            self.on_saved(&flight, &added);
        } else {
            self.take_back(&flight, false);
        }
        self.reconcile(now, &lists);
    }

    fn on_saved(&mut self, flight: &Flight, added: &[u64]) {
        for (id, stage) in &flight.rows {
            let at = flight.added.iter().position(|other| other == id);
            let stored = at.and_then(|at| added.get(at)).copied();
            self.outbox.on_written(*id, *stage, stored, flight.stamp);
        }
        for item in &flight.items {
            self.timelines.on_written(item, true);
        }
        self.outputs.push_back(Output::Tab(TabOutput::Poke));
        if core::mem::take(&mut self.storage.degraded) {
            let message = "the store takes writes again".to_owned();
            let persistent = self.storage.persistent;
            self.emit(Event::StorageDegraded { message, persistent });
        }
    }

    /// The transaction did not take place: everything in it is dirty again.
    fn take_back(&mut self, flight: &Flight, refused: bool) {
        for (id, stage) in &flight.rows {
            if refused {
                self.outbox.on_write_failed(*id, *stage);
            } else {
                self.outbox.on_conflict(*id, *stage);
            }
        }
        for item in &flight.items {
            self.timelines.on_written(item, false);
        }
        for id in &flight.rooms {
            self.rooms.mark_dirty(id);
        }
        self.capabilities_dirty |= flight.capabilities;
    }

    fn degrade(&mut self, now: Now, reply: &StoreReply) {
        let message = match reply {
            StoreReply::Failed { kind: StoreFailure::Quota, .. } => {
                "the browser's storage is full: new messages live in memory only".to_owned()
            }
            StoreReply::Failed { message, .. } => format!("the store refuses: {message}"),
            _ => "the store does not answer as it should".to_owned(),
        };
        self.storage.blocked = true;
        self.timers.set(Timer::StoreRetry, now.mono_ms + STORE_RETRY_MS);
        if !core::mem::replace(&mut self.storage.degraded, true) {
            let persistent = self.storage.persistent;
            self.emit(Event::StorageDegraded { message, persistent });
        }
    }

    pub(super) fn on_store_retry(&mut self) {
        self.storage.blocked = false;
        self.timelines.retry_loads();
        if self.storage.lead == Lead::Claims && self.storage.loaded {
            self.claim();
        }
    }

    pub(super) fn store_blocked(&self) -> bool {
        self.storage.blocked
    }

    /// Nothing is on its way into the store.
    pub(super) fn store_quiet(&self) -> bool {
        !self.storage.writing && (self.storage.blocked || !self.outbox.has_dirty())
    }
}

impl Flight {
    /// After `Unknown`: the numbers of the added rows if the transaction took place.
    fn found_in(&self, rows: &[Record], probe: Option<&Vec<Record>>) -> Option<Vec<u64>> {
        let is_ours = |record: &Record| store::record_version(&record.bytes) == Some(self.stamp);
        let added = rows.iter().filter(|record| is_ours(record)).filter_map(|record| match record.key {
            Key::Number(number) if !self.replaced.contains(&number) => Some(number),
            _ => None,
        });
        let added: Vec<u64> = added.collect();
        let took_place = if self.probe.is_some() {
            probe.and_then(|records| records.first()).is_some_and(is_ours)
        } else if !self.added.is_empty() {
            !added.is_empty()
        } else {
            let left = |at: &RecordId| rows.iter().any(|record| record.key == at.key);
            self.stamp != u64::MAX && !self.deleted.is_empty() && !self.deleted.iter().any(left)
        };
        took_place.then_some(added)
    }
}

/// All that is kept in memory from the start: lists 0 to 3 of a load.
fn everything() -> Vec<Read> {
    vec![
        Read::All(Table::Meta),
        Read::All(Table::Outbox),
        Read::Prefix { table: Table::History, prefix: store::CONVERSATION_PREFIX.into() },
        Read::Prefix { table: Table::History, prefix: store::HEAD_PREFIX.into() },
    ]
}

fn conversation_of(record: Record) -> Option<(String, Vec<u8>)> {
    match &record.key {
        Key::Text(key) => Some((store::conversation_of(key)?, record.bytes)),
        Key::Number(_) => None,
    }
}

impl Client {
    /// The database is empty: so is the memory.
    fn on_wiped(&mut self, command: CommandId) {
        self.outbox.clear();
        self.timelines.clear();
        self.rooms.clear();
        self.hello = super::CapabilityPatch::default();
        self.capabilities_dirty = false;
        if matches!(self.storage.lead, Lead::Leads { .. }) {
            // The generation is gone with the rest.
            self.storage.lead = Lead::Claims;
            self.outbox.set_generation(0);
            self.claim();
        }
        self.done(command, Outcome::Nothing);
    }
}
