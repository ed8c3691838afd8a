//! One database: what it holds, what goes wrong with it, and what every commit must keep.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::store::{
    GENERATION_KEY, MemoryStore, decode_outbox_row, decode_segment, record_version, segment_prefix,
};
use chatwire::proto::{
    Input, Key, Message, Read, RecordId, StoreFailure, StoreId, StoreReply, StoreRequest, Table, Transaction,
};

use super::changes::ChangeSeen;
use super::faults::Fault;
use super::text;
use super::world::{Happening, Whose, World};

/// A queued message as its record says.
#[derive(Clone, Debug)]
pub struct RowSeen {
    pub number: usize,
    pub key: String,
    /// Generation and attempt of its mark, where it is marked.
    pub mark: Option<(u64, u32)>,
    pub failed: bool,
}

#[derive(Default)]
pub struct Disk {
    pub records: MemoryStore,
    pub full_until: u64,
    pub broken_until: u64,
    /// Takes no more than so many bytes until then.
    pub tight_until: u64,
    pub limit_bytes: usize,
    /// The outbox as it is committed, by the store's numbers.
    pub rows: BTreeMap<u64, RowSeen>,
    /// Changes of messages as they are committed, by the store's numbers.
    pub changes: BTreeMap<u64, ChangeSeen>,
    /// Messages that were ever committed.
    pub committed: BTreeSet<usize>,
    /// Messages that were ever committed as failed: when, and by whom.
    pub failed: BTreeMap<usize, (u64, usize)>,
    /// Who has written the present generation, and whether a claim was refused, after which anybody may lead.
    pub claimed_by: Option<usize>,
    pub claimed_at_ms: u64,
    pub claim_refused: bool,
    /// A record of the history was torn once, and with it what was known of messages that have left the outbox.
    pub history_torn: bool,
    /// It has refused a write once: what was known in memory alone may be lost.
    pub refused_once: bool,
    /// The generation was torn: until the next claim stands nothing tells whose it is.
    pub generation_torn: bool,
    /// Its versions that were torn: a page that replaced one may not have known it, which therefore still holds. And how
    /// many claims stand since: the first leaves the marks of replaced rows, the next takes them away.
    pub torn_generations: BTreeMap<u64, u32>,
    /// Rows over which such a leader has written: whoever expects what stood there before finds no mark of its end.
    pub passed_rows: BTreeSet<u64>,
    /// Conversations of which a part was torn.
    pub torn_rooms: BTreeSet<String>,
    /// When each head (and any other record of the history) was written last.
    pub heads_written: BTreeMap<String, u64>,
    /// Messages of others that a tab has said it has taken in, since a lead last ended without a word.
    pub taken_in: BTreeSet<String>,
    /// Some client on this disk has taken the backend for one without keys.
    pub plain_seen: bool,
}

impl Disk {
    pub fn number_of(&self, number: usize) -> Option<u64> {
        self.rows.iter().find(|(_, row)| row.number == number && !row.failed).map(|(stored, _)| *stored)
    }
}

impl World {
    pub fn on_store(&mut self, (at, life): Whose, id: StoreId, request: &StoreRequest) {
        let reply = self.store_reply(at, request);
        if self.devices[at].life == life {
            self.see_read(at, request, &reply);
            self.push(at, 0, Happening::Input(Input::Store { id, reply }));
        } else if matches!(reply, StoreReply::Saved { .. }) {
            // Its page is gone, and tells nobody what it has written.
            self.lose_word_of(at);
        }
    }

    fn store_reply(&mut self, at: usize, request: &StoreRequest) -> StoreReply {
        let disk = &self.disks[self.devices[at].person.disk];
        let (broken, full) = (self.t < disk.broken_until, self.t < disk.full_until);
        match request {
            StoreRequest::Open { .. } => {
                let fails = broken || self.dice.strikes(Fault::OpenFailed, at).is_some();
                let reply = self.execute_store(at, request);
                if fails { failed(StoreFailure::Unavailable) } else { reply }
            }
            _ if broken => {
                self.dice.coverage.fault(Fault::HandleLost);
                self.refused(at, request, StoreFailure::Other)
            }
            StoreRequest::Read(_) if self.dice.strikes(Fault::ReadFailed, at).is_some() => {
                failed(StoreFailure::Other)
            }
            StoreRequest::Write(transaction) => self.write_reply(at, request, transaction, full),
            _ => self.execute_store(at, request),
        }
    }

    fn write_reply(
        &mut self,
        at: usize,
        request: &StoreRequest,
        transaction: &Transaction,
        full: bool,
    ) -> StoreReply {
        let grows = !transaction.puts.is_empty() || !transaction.adds.is_empty();
        if full && grows {
            self.dice.coverage.fault(Fault::StoreFull);
            return self.refused(at, request, StoreFailure::Quota);
        }
        if self.dice.strikes(Fault::StoreFailed, at).is_some() {
            return self.refused(at, request, StoreFailure::Other);
        }
        self.check_expectations(at, transaction);
        let name = self.name(at);
        if self.dice.strikes(Fault::StoreConflict, at).is_some() {
            self.say(|| format!("a write of {name} is refused as a conflict"));
            return StoreReply::Conflict;
        }
        if self.dice.strikes(Fault::StoreUnknownLost, at).is_some() {
            self.say(|| format!("a write of {name} is lost, and nobody knows"));
            return StoreReply::Unknown;
        }
        let stale = self.is_stale(at, transaction);
        let (generation, disk) = (RecordId::meta(GENERATION_KEY), self.devices[at].person.disk);
        let before = self.disks[disk].records.get(&generation).and_then(record_version);
        let reply = self.execute_write(at, request, transaction);
        if matches!(reply, StoreReply::Failed { .. }) {
            self.say(|| format!("a write of {name} finds no room"));
            return self.refused(at, request, StoreFailure::Quota);
        }
        if let (Some(what), StoreReply::Saved { .. }) = (stale, &reply) {
            self.wrong("an expectation is exact where its record can be read", what);
        }
        let claims = transaction.puts.iter().any(|(id, _)| *id == generation);
        if claims && matches!(reply, StoreReply::Saved { .. }) && before.is_some() {
            // Whoever claims over what it had read before it was torn does not end what was claimed over the torn one.
            let ends = |(id, expected): &(RecordId, Option<u64>)| *id == generation && *expected == before;
            if !transaction.expect.iter().any(ends) {
                self.disks[disk].torn_generations.extend(before.map(|version| (version, 0)));
            }
        }
        if matches!(reply, StoreReply::Conflict) {
            let records = &self.disks[self.devices[at].person.disk].records;
            let version = |id: &RecordId| records.get(id).and_then(record_version);
            let wrong = transaction.expect.iter().find(|(id, expected)| version(id) != *expected);
            let what =
                wrong.map(|(id, expected)| format!("{:?} has {:?}, not {expected:?}", id.key, version(id)));
            self.say(|| format!("a write of {name} conflicts: {}", what.unwrap_or_default()));
        }
        if let StoreReply::Saved { added } = &reply {
            self.forget_failures(at, transaction);
            self.disks[disk].see_passed(transaction);
            self.on_commit(at, transaction, added);
            if self.dice.strikes(Fault::StoreUnknownDone, at).is_some() {
                self.say(|| format!("a write of {name} is done, and nobody knows"));
                return StoreReply::Unknown;
            }
        }
        reply
    }

    fn refused(&mut self, at: usize, request: &StoreRequest, kind: StoreFailure) -> StoreReply {
        self.disks[self.devices[at].person.disk].refused_once = true;
        if let StoreRequest::Write(transaction) = request
            && transaction.puts.iter().any(|(id, _)| *id == RecordId::meta(GENERATION_KEY))
        {
            self.disks[self.devices[at].person.disk].claim_refused = true;
        }
        if let StoreRequest::Write(transaction) = request {
            for id in &transaction.deletes {
                let Key::Number(stored) = id.key else { continue };
                let row = self.disks[self.devices[at].person.disk].rows.get(&stored);
                if let Some(sent) = row.and_then(|row| self.ledger.sent.get_mut(row.number)) {
                    sent.removal_refused |= sent.removals_open > 0;
                }
            }
        }
        failed(kind)
    }

    pub fn execute_store(&mut self, at: usize, request: &StoreRequest) -> StoreReply {
        match self.disks[self.devices[at].person.disk].records.execute(request) {
            StoreReply::Opened { .. } => StoreReply::Opened { persistent: true },
            reply => reply,
        }
    }

    fn on_commit(&mut self, at: usize, transaction: &Transaction, added: &[u64]) {
        let home = self.devices[at].person.disk;
        self.check_writer(at, transaction);
        let name = self.name(at);
        let puts = transaction.puts.iter().filter_map(|(id, bytes)| match id.key {
            Key::Number(number) => Some((number, bytes)),
            Key::Text(_) => None,
        });
        let rows: Vec<(u64, &Vec<u8>)> = added.iter().copied().zip(&transaction.adds).chain(puts).collect();
        for (stored, bytes) in rows {
            let Ok((_, row)) = decode_outbox_row(bytes) else {
                return self.wrong("records can be read", "an outbox row that was just written".to_owned());
            };
            if row.change.is_some() {
                self.see_change_row(at, stored, &row);
                continue;
            }
            let Some(number) = text::number(&row.text) else { continue };
            let (marked, failed) = (row.wire.is_some(), row.failure.is_some());
            self.say(|| {
                let state = format!("marked: {marked}, failed: {failed}");
                format!("the store has message {number} as {stored}, {state}, from {name}")
            });
            self.see_key(number, &row.key, "its record");
            // A call that waited for the store counts from the moment at which it was carried out, by the clock of then.
            let sent = &mut self.ledger.sent[number];
            // Rule 14: what only memory had is durable from here on. What it is a resend of is not: that has its number.
            let again = self.disks[home].rows.get(&stored).is_some_and(|old| old.number == number);
            sent.put_back |= !again && !added.contains(&stored) && self.disks[home].passes(transaction);
            if sent.resends == 0 || !again {
                sent.lost_allowed = sent.torn;
            }
            if let Some(ttl_ms) = sent.ttl_ms.filter(|_| !sent.accepted) {
                sent.deadline_ms = Some(u64::try_from(row.created_at_ms).unwrap_or(0) + ttl_ms);
            }
            let mark = row.wire.map(|mark| (mark.generation, mark.attempt));
            let seen = RowSeen { number, key: row.key, mark, failed };
            self.disks[home].committed.insert(number);
            if failed {
                self.disks[home].failed.entry(number).or_insert((self.t, at));
            }
            self.disks[home].rows.insert(stored, seen);
        }
        self.check_doubles(home);
        for id in &transaction.deletes {
            if let Key::Number(stored) = id.key
                && let Some(seen) = self.disks[home].changes.remove(&stored)
            {
                self.say(|| format!("change {} leaves the store ({stored}), by {name}", seen.number));
            }
            if let Key::Number(stored) = id.key
                && let Some(row) = self.disks[home].rows.remove(&stored)
            {
                self.say(|| format!("message {} leaves the store ({stored}), by {name}", row.number));
                self.check_removal(at, &row);
            }
        }
    }

    /// What of the expected has another version; of what is torn nobody can say it.
    fn is_stale(&self, at: usize, transaction: &Transaction) -> Option<String> {
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
    fn forget_failures(&mut self, at: usize, transaction: &Transaction) {
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
    fn check_expectations(&mut self, at: usize, transaction: &Transaction) {
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
    fn check_writer(&mut self, at: usize, transaction: &Transaction) {
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

    /// Rule 1: what may have been written is not written a second time.
    fn check_doubles(&mut self, home: usize) {
        let mut seen = BTreeSet::new();
        let double = self.disks[home].rows.values().find(|row| !seen.insert(row.number));
        if let Some(number) = double.map(|row| row.number)
            && self.ledger.sent[number].resends == 0
        {
            self.wrong("a message has one record", format!("message {number} stands twice in the outbox"));
        }
    }

    /// Rule 6: a row leaves with its copy in the history, or because somebody wants it so.
    fn check_removal(&mut self, at: usize, row: &RowSeen) {
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
    fn see_passed(&mut self, transaction: &Transaction) {
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
    fn passes(&self, transaction: &Transaction) -> bool {
        let versions = transaction.expect.iter().filter_map(|(_, version)| version.as_ref());
        versions.filter_map(|version| self.torn_generations.get(version)).any(|claims| *claims > 1)
    }
}

fn failed(kind: StoreFailure) -> StoreReply {
    StoreReply::Failed { kind, message: "injected".to_owned() }
}
