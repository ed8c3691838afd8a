//! One database: what it holds, what goes wrong with it, and what every commit must keep.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::store::{GENERATION_KEY, MemoryStore, decode_outbox_row, record_version};
use chatwire::proto::{Input, Key, RecordId, StoreFailure, StoreId, StoreReply, StoreRequest, Transaction};

use super::changes::ChangeSeen;
use super::faults::Fault;
use super::plan::{Hello, Plan};
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
    pub torn_rooms: BTreeSet<String>,
    /// When each head (and any other record of the history) was written last.
    pub heads_written: BTreeMap<String, u64>,
    /// Messages of others that a tab has said it has taken in, since a lead last ended without a word.
    pub taken_in: BTreeSet<String>,
    /// A page of it has heard what the backend gives, or its application says it.
    pub knows_backend: bool,
    /// Some client on this disk has taken the backend for one without keys.
    pub plain_seen: bool,
}

impl Disk {
    pub fn of(plan: &Plan) -> Self {
        Self { knows_backend: plan.hello == Hello::Configured, ..Self::default() }
    }

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
        // What it has not taken the next leader tells of its newest page.
        self.disturb_tabs(at);
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
            sent.stored_ms.get_or_insert(self.t);
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
        self.check_doubles(home, false);
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
}

fn failed(kind: StoreFailure) -> StoreReply {
    StoreReply::Failed { kind, message: "injected".to_owned() }
}
