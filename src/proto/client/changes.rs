//! What a transaction has changed crosses to the other tabs, so that they need not read the store.
//!
//! Law: a post is applied only where it joins on: a leader's to the one before it (stamps of one reign are counted), an
//! outbox row to the version that is known here. Whatever does not join on is read from the store instead. A post that
//! comes while the store is read waits for the answer, which may contain it.

use super::super::api::{Changes, Key, Now, Output, Record, RecordId, TabOutput, Table, Transaction};
use super::super::store;
use super::Client;
use super::storage::{StoreJob, generation_version};
use crate::proto::mutant;

/// Posts that wait for the store's answer; beyond that it is read once more.
const MAX_KEPT: usize = 64;
/// A post of more bytes is a poke.
const MAX_BYTES: usize = 1 << 20;
/// The low bits of a stamp count within one reign; what stands above is drawn.
pub(super) const COUNT_BITS: u32 = 30;

impl Client {
    /// Copies what the other tabs will want of a transaction.
    pub(super) fn copy_changes(&self, stamp: u64, transaction: &Transaction) -> Option<Box<Changes>> {
        let generation = if self.leads() { self.lead.generation } else { 0 };
        let mut size = 0;
        for (_, bytes) in &transaction.puts {
            size += bytes.len();
        }
        for bytes in &transaction.adds {
            size += bytes.len();
        }
        if size > MAX_BYTES {
            return None;
        }
        let expected = |at: &RecordId| {
            let known = transaction.expect.iter().find(|(other, _)| other == at);
            known.and_then(|(_, version)| *version)
        };
        let mut changes = Changes { generation, stamp, puts: Vec::new(), deletes: Vec::new() };
        for (at, bytes) in &transaction.puts {
            changes.puts.push((at.clone(), expected(at), bytes.clone()));
        }
        for at in &transaction.deletes {
            changes.deletes.push((at.clone(), expected(at)));
        }
        for bytes in &transaction.adds {
            // Their numbers are given by the store.
            changes.puts.push((RecordId::outbox(0), None, bytes.clone()));
        }
        Some(Box::new(changes))
    }

    /// The transaction took place; `added`: the numbers of what it has added.
    pub(super) fn post_changes(&mut self, changes: Option<Box<Changes>>, added: &[u64]) {
        let word = match changes.map(|changes| numbered(changes, added)) {
            Some(Some(changes)) => TabOutput::Changed(changes),
            _ => TabOutput::Poke,
        };
        self.outputs.push_back(Output::Tab(word));
    }

    /// A transaction of which it is not known whether it took place: what it was to remove has been there, and is gone from
    /// `rows` now, whoever it was. The tab that has added it may not know either of it.
    pub(super) fn post_removed(&mut self, changes: Option<Box<Changes>>, rows: &[Record]) {
        let Some(mut changes) = changes else { return };
        changes.generation = 0;
        changes.puts.clear();
        changes.deletes.retain(|(at, _)| !rows.iter().any(|record| record.key == at.key));
        if !changes.deletes.is_empty() {
            self.outputs.push_back(Output::Tab(TabOutput::Changed(changes)));
        }
    }

    pub(super) fn on_changed(&mut self, now: Now, changes: Box<Changes>) {
        if self.storage.newer {
            return;
        }
        if !self.is_reading() {
            return self.take_changes(now, &changes);
        }
        if self.beside.kept.len() >= MAX_KEPT {
            self.beside.kept.clear();
            self.beside.overflown = true;
        }
        self.beside.kept.push_back(changes);
    }

    /// An answer of the store has been taken in: what came meanwhile follows.
    pub(super) fn take_kept(&mut self, now: Now) {
        while !self.is_reading() {
            if core::mem::take(&mut self.beside.overflown) {
                return self.rescan(now);
            }
            let Some(changes) = self.beside.kept.pop_front() else { return };
            self.beside.unsure_until_mono_ms = self.beside.unsure_until_mono_ms.max(now.mono_ms + 1);
            self.take_changes(now, &changes);
        }
    }

    fn is_reading(&self) -> bool {
        use StoreJob as J;
        !self.storage.loaded
            || self
                .storage
                .has_job(&|job| matches!(job, J::Load | J::Reconcile | J::ReadBack(_) | J::TakeOver { .. }))
    }

    fn take_changes(&mut self, now: Now, changes: &Changes) {
        self.take_drafts(now, changes);
        if let Some(flight) = &mut self.storage.unclear {
            flight.proven |= changes.replaces(flight.stamp);
        }
        // A read makes unsure for a millisecond, a thaw for longer.
        let backlog = mutant::is(36) && self.beside.unsure_until_mono_ms > now.mono_ms + 1;
        let mut joins = true;
        if changes.generation > 0 && !self.leads() {
            let last = self.beside.last;
            let same_reign = changes.stamp >> COUNT_BITS == last >> COUNT_BITS;
            if same_reign && changes.stamp <= last && !backlog {
                return;
            }
            joins = backlog
                || changes.generation == self.beside.generation && changes.stamp.checked_sub(1) == Some(last);
            // What is read from here on contains it.
            self.beside.last = changes.stamp;
            if joins {
                self.take_history(&changes.puts, &changes.deletes);
            }
        } else if changes.generation > self.beside.generation
            || (changes.generation > 0 && self.is_unclaimed())
            || now.mono_ms < self.beside.unsure_until_mono_ms
        {
            // What another tab had added before the last read may have been settled before it, too.
            joins = backlog;
        }
        if !joins || !self.outbox.take_changes(changes) && !backlog {
            self.rescan(now);
        } else {
            self.outbox.go_on(now);
        }
    }

    fn take_history(
        &mut self,
        puts: &[(RecordId, Option<u64>, Vec<u8>)],
        deletes: &[(RecordId, Option<u64>)],
    ) {
        for (at, (place, _, bytes)) in puts.iter().enumerate() {
            let Key::Text(key) = &place.key else { continue };
            if place.table == Table::Meta {
                if key == store::CAPABILITIES_KEY
                    && let Ok((_, known)) = store::decode_capabilities(bytes)
                {
                    self.take_hello(known.patch);
                }
            } else if let Ok((_, record)) = store::decode_conversation(bytes) {
                self.rooms.take(record);
            } else if let Ok((version, head)) = store::decode_head(bytes) {
                let id = head.conversation_id.clone();
                self.timelines.adopt(version, head, puts.get(at..).unwrap_or_default());
                self.rooms.touch(&id);
            }
        }
        for (place, _) in deletes {
            if let Key::Text(key) = &place.key
                && key.starts_with(store::CONVERSATION_PREFIX)
                && let Some(id) = store::conversation_of(key)
            {
                self.rooms.forget(&id);
            }
        }
    }

    /// A number that no other transaction of this database has. Nothing that the store says goes into it: where the
    /// generation was lost, counting would begin anew, and an old record would pass for a write that was lost.
    pub(super) fn stamp(&mut self) -> u64 {
        let count = (1 << COUNT_BITS) - 1;
        if self.storage.stamp & count == count || self.storage.stamp == 0 {
            let drawn = self.rng.between(1, u64::from(u32::MAX));
            self.storage.stamp = 1 << 62 | drawn << COUNT_BITS;
        }
        self.storage.stamp += 1;
        self.storage.stamp
    }

    /// A read of everything: it contains the leader's posts up to the newest stamp of its reign.
    pub(super) fn see_stamps(&mut self, lists: &[Vec<Record>]) {
        let Some(claimed) = generation_version(lists) else { return };
        let mut newest = claimed;
        if self.beside.last >> COUNT_BITS == claimed >> COUNT_BITS {
            newest = newest.max(self.beside.last);
        }
        self.beside.last = newest_stamp(lists, newest);
    }

    /// While the store names the leader before this tab, that one may run again and write: what this tab has in memory
    /// does not follow on it then.
    pub(super) fn was_written_beside(&self, lists: &[Vec<Record>]) -> bool {
        newest_stamp(lists, self.beside.last) > self.beside.last
    }
}

/// What tells, as long as nobody writes over it, that the transaction of this stamp took place. Each tab has a place of its
/// own, by chance.
pub(super) fn proof_of(stamp: u64) -> (RecordId, Vec<u8>) {
    let tab = (stamp >> COUNT_BITS) as u32;
    (RecordId::meta(&store::proof_key(tab)), store::encode_proof(stamp))
}

/// The newest stamp of the same reign, at least `known`.
fn newest_stamp(lists: &[Vec<Record>], known: u64) -> u64 {
    let mut newest = known;
    for record in lists.iter().flatten() {
        if let Some(version) = store::record_version(&record.bytes)
            && version >> COUNT_BITS == known >> COUNT_BITS
        {
            newest = newest.max(version);
        }
    }
    newest
}

impl Changes {
    /// Something that the transaction of this stamp had written was there, and is replaced or removed.
    // One copy, not one at each caller.
    #[inline(never)]
    pub(super) fn replaces(&self, stamp: u64) -> bool {
        let mut found = false;
        for (_, version, _) in &self.puts {
            found |= *version == Some(stamp);
        }
        for (_, version) in &self.deletes {
            found |= *version == Some(stamp);
        }
        found
    }
}

/// Gives what was added its numbers; `None`: they are not known.
fn numbered(mut changes: Box<Changes>, added: &[u64]) -> Option<Box<Changes>> {
    let mut next = added.iter();
    for (at, _, _) in &mut changes.puts {
        if at.key == Key::Number(0) {
            at.key = Key::Number(*next.next()?);
        }
    }
    next.next().is_none().then_some(changes)
}
