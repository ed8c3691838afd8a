//! What every commit of a database must keep.

use std::collections::BTreeSet;

use chatwire::proto::store::{GENERATION_KEY, decode_segment, record_version, segment_prefix};
use chatwire::proto::{Key, Message, Read, RecordId, StoreReply, StoreRequest, Table, Transaction};

use super::disk::{Disk, RowSeen};
use super::world::World;

impl World {
    /// What of the expected has another version; of what is torn nobody can say it.
    pub fn is_stale(&self, at: usize, transaction: &Transaction) -> Option<String> {
        let disk = &self.disks[self.devices[at].person.disk];
        let has = |id: &RecordId| disk.records.get(id).and_then(record_version);
        let passes = disk.passes(transaction);
        let stale = |(id, expected): &&(RecordId, Option<u64>)| {
            let torn = match id.table {
                Table::Outbox => {
                    passes || matches!(id.key, Key::Number(at) if disk.passed_rows.contains(&at))
                }
                _ => expected.is_some_and(|version| disk.torn_generations.contains_key(&version)),
            };
            let gone = expected.is_some() && disk.records.get(id).is_none();
            !torn && (gone || has(id).is_some_and(|version| Some(version) != *expected))
        };
        let (id, expected) = transaction.expect.iter().find(stale)?;
        Some(format!("{:?} has {:?}, not {expected:?}, and was replaced", id.key, has(id)))
    }

    /// What passes over a failure that it does not know undoes it.
    pub fn forget_failures(&mut self, at: usize, transaction: &Transaction) {
        let disk = &mut self.disks[self.devices[at].person.disk];
        if !disk.passes(transaction) {
            return;
        }
        for (id, _) in &transaction.expect {
            if let Key::Number(stored) = id.key
                && let Some(row) = disk.rows.get(&stored).filter(|row| row.failed)
            {
                disk.failed.remove(&row.number);
            }
        }
    }

    /// The law of `Transaction`, by which a store keeps expectations without reading.
    pub fn check_expectations(&mut self, at: usize, transaction: &Transaction) {
        if cfg!(feature = "mutants") {
            return;
        }
        let expected = |id: &RecordId| transaction.expect.iter().any(|(other, _)| other == id);
        let generation = RecordId::meta(GENERATION_KEY);
        let replaced = transaction.puts.iter().map(|(id, _)| id).chain(&transaction.deletes);
        let mut shared = replaced.filter(|id| id.table == Table::Outbox || **id == generation);
        let blind = shared.any(|id| !expected(id));
        if blind || !(transaction.expect.is_empty() || expected(&generation)) {
            let what = format!("{} expects only {:?}", self.name(at), transaction.expect);
            self.wrong("what is replaced is expected, and the generation with it", what);
        }
    }

    /// Rule 2: only the leader of the present generation writes history.
    pub fn check_writer(&mut self, at: usize, transaction: &Transaction) {
        let name = self.name(at);
        let disk = &mut self.disks[self.devices[at].person.disk];
        let is_claim = |id: &RecordId| *id == RecordId::meta(GENERATION_KEY);
        if transaction.puts.iter().any(|(id, _)| is_claim(id)) {
            (disk.claimed_by, disk.claim_refused, disk.claimed_at_ms) = (Some(at), false, self.t);
            // Who has not known the one that is torn stops nobody that leads under it.
            disk.generation_torn &=
                transaction.expect.iter().all(|(id, known)| !is_claim(id) || known.is_none());
            disk.torn_generations.values_mut().for_each(|claims| *claims += 1);
            return;
        }
        for (id, _) in transaction.puts.iter().filter(|(id, _)| id.table == Table::History) {
            if let Key::Text(name) = &id.key {
                disk.heads_written.insert(name.clone(), self.t);
            }
        }
        let history = transaction.puts.iter().any(|(id, _)| id.table == Table::History);
        let writer = disk.claimed_by.is_none_or(|claimed| claimed == at);
        let mut expected = transaction.expect.iter().filter_map(|(_, version)| *version);
        let torn =
            disk.generation_torn || expected.any(|version| disk.torn_generations.contains_key(&version));
        if history && !writer && !torn {
            self.wrong("one writer of history", format!("{name} wrote under another leader's generation"));
        }
    }

    /// Rule 1: what may have been written is not written a second time. Of what was torn each tab that remembers it may add it
    /// anew: whoever leads removes the second, until all is at `rest`.
    pub fn check_doubles(&mut self, home: usize, rest: bool) {
        let mut seen = BTreeSet::new();
        let double = self.disks[home].rows.values().find(|row| !seen.insert(row.number));
        if let Some(number) = double.map(|row| row.number)
            && self.ledger.sent[number].resends == 0
            && (rest || !self.ledger.sent[number].torn)
        {
            self.wrong("a message has one record", format!("message {number} stands twice in the outbox"));
        }
    }

    /// Rule 6: a row leaves with its copy in the history, or because somebody wants it so.
    pub fn check_removal(&mut self, at: usize, row: &RowSeen) {
        let home = self.devices[at].person.disk;
        let sent = &self.ledger.sent[row.number];
        let wanted = sent.removed() || sent.resends > 0;
        let again = self.disks[home].rows.values().any(|other| other.key == row.key);
        if wanted || again {
            return;
        }
        let room = sent.room.clone();
        if !self.history_has(home, &room, &|message| message.key.as_ref() == Some(&row.key)) {
            let what = format!("message {} left the outbox, and the history does not have it", row.number);
            self.wrong("answer, copy and removal are one transaction", what);
        }
    }

    pub fn history_has(&mut self, home: usize, room: &str, wanted: &dyn Fn(&Message) -> bool) -> bool {
        let read = Read::Prefix { table: Table::History, prefix: segment_prefix(room) };
        let StoreReply::Records(lists) = self.disks[home].records.execute(&StoreRequest::Read(vec![read]))
        else {
            return false;
        };
        lists.into_iter().flatten().any(|record| {
            let Key::Text(name) = &record.key else { return false };
            // The name holds the segment's number; the record checks that it is its own.
            let number = name.get(name.len() - 8..).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            decode_segment(&record.bytes, room, number.unwrap_or(u32::MAX))
                .is_ok_and(|(_, messages)| messages.iter().any(wanted))
        })
    }
}

impl Disk {
    /// Whether what stands at a row ended what stood there before.
    pub fn see_passed(&mut self, transaction: &Transaction) {
        let passes = self.passes(transaction);
        for (id, _) in &transaction.expect {
            match id.key {
                Key::Number(stored) if passes => _ = self.passed_rows.insert(stored),
                Key::Number(stored) => _ = self.passed_rows.remove(&stored),
                Key::Text(_) => {}
            }
        }
    }

    /// A leader of before a torn generation writes: of rows marks stay over the first claim, by whoever may not know what was
    /// torn; not over a second.
    pub fn passes(&self, transaction: &Transaction) -> bool {
        let versions = transaction.expect.iter().filter_map(|(_, version)| version.as_ref());
        versions.filter_map(|version| self.torn_generations.get(version)).any(|claims| *claims > 1)
    }
}
