//! One transaction at a time with everything that is dirty, and what becomes of it.

use super::super::api::{
    Event, Now, Read, RecordId, StoreFailure, StoreReply, StoreRequest, Table, Transaction,
};
use super::super::outbox::{RowId, Stage, Write};
use super::super::store::{self, CapabilityRecord};
use super::Client;
use super::storage::{Flight, StoreJob, everything, list};
use crate::proto::mutant;

/// Why a transaction did not take place.
#[derive(Clone, Copy)]
enum Back {
    /// The store takes nothing now.
    Refused,
    /// Another tab has written, or may have.
    Conflict,
    /// It is written again at once.
    ForRoom,
}

/// The stamp of a transaction that met a conflict.
const NOT_WRITTEN: u64 = u64::MAX;

impl Client {
    /// Puts everything dirty into one transaction. `true`: something was settled without the store.
    pub(super) fn write(&mut self, now: Now) -> bool {
        let unclear = self.storage.unclear.is_some();
        if (self.storage.writing && !unclear) || !self.storage.loaded || self.storage.wiping {
            return false;
        }
        if self.is_unclaimed() && self.storage.is_claiming() {
            // It will be known in a moment whether the store takes writes again.
            return false;
        }
        if !self.has_dirty() {
            return false;
        }
        if !self.storage.blocked
            && let Some(flight) = self.storage.unclear.take()
        {
            // A claim has found that the store takes writes again: what may be in it already stands before what was queued
            // behind it.
            self.read_back(flight);
            return false;
        }
        let history = self.leads();
        let rows = self.outbox.take_writes();
        if self.storage.blocked {
            self.timelines.recount();
            self.hold_drafts_in_memory();
            return self.hold_in_memory(rows);
        }
        let (mut transaction, mut flight, settled) = self.build(rows, history);
        flight.asked = now;
        let empty =
            transaction.puts.is_empty() && transaction.adds.is_empty() && transaction.deletes.is_empty();
        if empty {
            // Its stamp is the next one's.
            self.storage.stamp -= 1;
            self.timelines.end_write(false);
            let told = core::mem::take(&mut flight.told);
            self.beside.wait_on(told);
        } else {
            // What is taken back may be another tab's, of which nothing was heard yet, and which may not know that it was stored.
            let takes_back = flight.rows.iter().any(|(_, stage)| *stage == Stage::Removing);
            if self.beside.heard || takes_back || !history {
                flight.changes = self.copy_changes(flight.stamp, &transaction);
            }
            if !transaction.adds.is_empty() {
                // What another tab removes before this one knows that it was added has been there.
                transaction.puts.push(super::changes::proof_of(flight.stamp));
            }
            self.storage.writing = true;
            self.request_store(StoreRequest::Write(transaction), StoreJob::Write(Box::new(flight)));
        }
        for (row, stage) in &settled {
            self.outbox.on_written(*row, *stage, None, 0);
        }
        !settled.is_empty()
    }

    pub(super) fn has_dirty(&self) -> bool {
        let history = self.timelines.has_dirty() || self.rooms.has_dirty() || self.capabilities_dirty;
        self.outbox.has_dirty() || self.drafts.has_dirty() || (self.leads() && history)
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
                // Its frame may follow at once: what it is in turn with now, it is not after the next answer.
                moved |= matches!(stage, Stage::Saving | Stage::Marking);
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
                    let bytes = store::encode_outbox_row(stamp, record);
                    if mutant::is(33)
                        && let Some(row) = self.outbox.row(id)
                    {
                        transaction.puts.push((RecordId::outbox(row.version), bytes));
                    } else {
                        transaction.adds.push(bytes);
                    }
                    flight.added.push(id);
                }
                Some(Write::Put { stored, expect, record }) => {
                    let at = RecordId::outbox(stored);
                    transaction.expect.push((at.clone(), Some(expect)));
                    transaction.puts.push((at, store::encode_outbox_row(stamp, record)));
                }
                Some(Write::Delete { stored, expect }) => {
                    let at = RecordId::outbox(stored);
                    transaction.expect.push((at.clone(), Some(expect)));
                    transaction.deletes.push(at);
                }
            }
            flight.rows.push((id, stage));
        }
        let settles = flight.rows.iter().any(|(_, stage)| *stage == Stage::Settling);
        if history && !(mutant::is(7) && settles) {
            self.build_history(&mut transaction, &mut flight);
        }
        self.build_drafts(stamp, &mut transaction);
        flight.probe = transaction.puts.first().map(|(at, _)| at.clone());
        // A follower's too: what the store keeps of replaced rows ends with the generation.
        let version = if self.leads() { self.lead.version } else { self.storage.generation };
        let writes = self.leads() || !transaction.expect.is_empty() || self.drafts.is_writing();
        if writes && !mutant::is(32) {
            transaction.expect.push((RecordId::meta(store::GENERATION_KEY), version));
        }
        if mutant::is(27) {
            transaction.expect.clear();
        }
        (transaction, flight, settled)
    }

    fn build_history(&mut self, transaction: &mut Transaction, flight: &mut Flight) {
        for item in self.timelines.take_dirty() {
            if let Some(put) = self.timelines.encode(flight.stamp, &item) {
                transaction.puts.push(put);
            } else if let Some(at) = item.dropped() {
                transaction.deletes.push(at);
            }
            flight.items.push(item);
        }
        for (id, _) in self.rooms.take_dirty() {
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
        flight.told = self.beside.take_waiting();
        if mutant::is(45)
            && transaction.deletes.iter().any(|id| id.table == Table::History)
            && let Some(stored) = self.outbox.visible_rows().into_iter().find_map(|row| row.stored)
        {
            transaction.deletes.push(RecordId::outbox(stored));
        }
    }

    pub(super) fn on_write_reply(&mut self, now: Now, mut flight: Box<Flight>, reply: &StoreReply) {
        self.look_at_lease(now, &mut flight);
        match reply {
            StoreReply::Saved { added } => {
                self.storage.writing = false;
                self.on_saved(now, &mut flight, added);
                self.read_missed(now);
            }
            StoreReply::Unknown if mutant::is(8) => {
                self.storage.writing = false;
                self.take_back(now, &mut flight, Back::Refused);
                self.degrade(now, reply);
            }
            StoreReply::Unknown if mutant::is(9) => {
                self.storage.writing = false;
                self.on_saved(now, &mut flight, &[]);
            }
            StoreReply::Conflict if mutant::is(27) => {
                self.storage.writing = false;
                self.take_back(now, &mut flight, Back::Conflict);
            }
            StoreReply::Conflict | StoreReply::Unknown => {
                if matches!(reply, StoreReply::Conflict) {
                    // Nothing was written: there is nothing to find.
                    flight.stamp = NOT_WRITTEN;
                }
                self.storage.vain_writes += 1;
                self.read_back(flight);
            }
            StoreReply::Failed { kind: StoreFailure::Quota, .. }
                if self.take_back_for_room(now, &mut flight) => {}
            reply => {
                self.storage.writing = false;
                self.take_back(now, &mut flight, Back::Refused);
                self.degrade(now, reply);
            }
        }
    }

    /// The disk is full. `true`: room is made, and the same is written again with what makes it.
    fn take_back_for_room(&mut self, now: Now, flight: &mut Flight) -> bool {
        // What was to be given up in vain is not counted as room.
        let made = self.make_room();
        if made {
            self.storage.writing = false;
            self.take_back(now, flight, Back::ForRoom);
        }
        made
    }

    pub(super) fn read_back(&mut self, flight: Box<Flight>) {
        // The history too: of a row that is gone it tells what became of it.
        let mut reads = everything();
        if let Some(probe) = &flight.probe {
            reads.push(Read::One(probe.clone()));
        }
        self.request_store(StoreRequest::Read(reads), StoreJob::ReadBack(flight));
    }

    pub(super) fn on_read_back(&mut self, now: Now, flight: Box<Flight>, reply: &StoreReply) {
        let StoreReply::Records(lists) = reply else {
            // What may be written must not be written a second time: it is looked for until it can be seen.
            self.storage.unclear = Some(flight);
            return self.degrade(now, &StoreReply::Unknown);
        };
        self.storage.writing = false;
        self.set_blocked(false);
        let mut flight = flight;
        self.look_at_lease(now, &mut flight);
        let mut missing = Vec::new();
        flight.proven |= self.beside.kept.any(&|changes| changes.replaces(flight.stamp));
        flight.proven |= flight.took_place(list(lists, 0), &[]);
        let whole = flight.took_place(list(lists, 1), list(lists, 4));
        if flight.stamp != NOT_WRITTEN {
            let adding = flight.take_added();
            missing = self.outbox.find_added(&adding, flight.stamp, whole, list(lists, 1));
        }
        if whole {
            self.on_saved(now, &mut flight, &[]);
        } else {
            self.post_removed(flight.changes.take(), list(lists, 1));
            self.take_back(now, &mut flight, Back::Conflict);
        }
        if self.outbox.misses_rows() {
            // What is about to go is held back: another tab's row, which is read here, may stand before it.
            self.route(now);
        }
        // Without the probe.
        self.reconcile(now, lists.get(..4).unwrap_or(lists));
        if missing.is_empty() && !self.has_dirty() {
            // What was read explains it.
            self.storage.vain_writes = 0;
        }
        for id in missing {
            self.look_for_added(id);
        }
        if self.storage.is_vain() {
            self.degrade(now, &StoreReply::Unknown);
        }
    }

    fn on_saved(&mut self, now: Now, flight: &mut Flight, added: &[u64]) {
        self.storage.vain_writes = 0;
        for (id, stage) in &flight.rows {
            let at = flight.added.iter().position(|other| other == id);
            let stored = at.and_then(|at| added.get(at)).copied();
            self.outbox.on_written(*id, *stage, stored, flight.stamp);
        }
        for item in &flight.items {
            self.timelines.on_written(item, Some(flight.stamp));
        }
        self.timelines.end_write(false);
        self.on_drafts_written(now, true);
        self.post_changes(flight.changes.take(), added);
        self.look_at_room();
        self.say_all(core::mem::take(&mut flight.told));
        if core::mem::take(&mut self.storage.degraded) {
            let message = "the store takes writes again".to_owned();
            let persistent = self.storage.persistent;
            self.emit(Event::StorageDegraded { message, persistent });
        }
        self.claim_again();
    }

    /// The transaction did not take place: everything in it is dirty again.
    fn take_back(&mut self, now: Now, flight: &mut Flight, back: Back) {
        for (id, stage) in &flight.rows {
            match back {
                Back::Refused => self.outbox.on_write_failed(*id, *stage),
                Back::Conflict => self.outbox.on_conflict(*id),
                Back::ForRoom => self.outbox.on_not_written(*id),
            }
        }
        self.on_drafts_written(now, false);
        self.timelines.end_write(!self.storage.blocked);
        if !self.leads() {
            return;
        }
        self.beside.wait_on(core::mem::take(&mut flight.told));
        for item in &flight.items {
            self.timelines.on_written(item, None);
        }
        for id in &flight.rooms {
            self.rooms.mark_dirty(id);
        }
        self.capabilities_dirty |= flight.capabilities;
    }

    /// Nothing is on its way into the store, nor waits for it, unless the store takes nothing.
    pub(super) fn store_has_all(&self) -> bool {
        let history = self.leads() && (self.timelines.has_dirty() || self.rooms.has_dirty());
        (!self.storage.writing || self.storage.unclear.is_some())
            && (self.storage.blocked || !(history || self.outbox.has_dirty() || self.drafts.has_dirty()))
    }
}
