//! What befalls the world: kills, sleep, clocks, restarts, disks.

use chatwire::proto::store::{GENERATION_KEY, PROOF_PREFIX, conversation_of, record_version};
use chatwire::proto::{
    Input, Key, PageInput, Read, Record, RecordId, StoreReply, StoreRequest, TabInput, Table, Transaction,
};

use super::faults::Fault;
use super::plan::Act;
use super::world::{Happening, World, of_socket};

/// The words that a page was told while it was frozen have all come within this of its thaw.
const BACKLOG_MS: u64 = 900;

impl World {
    pub fn befall(&mut self, act: Act) {
        self.say(|| format!("{act:?}"));
        match act {
            Act::Kill { device, again_ms } => {
                self.kill(device);
                self.push(device, again_ms, Happening::Start);
            }
            Act::Freeze { device, ms } => self.freeze(device, ms),
            Act::Hide { device, ms } => {
                self.page(device, PageInput::Hidden);
                self.push(device, ms, Happening::Shown);
            }
            Act::Offline { device, ms } => {
                self.page(device, PageInput::Offline);
                self.push(device, ms, Happening::OnlineAgain);
            }
            Act::OnlineLie { device } => self.page(device, PageInput::Online),
            Act::Sleep { device, ms } => self.sleep(device, ms),
            Act::SleepForDays { ms } => {
                (0..self.devices.len()).for_each(|at| self.sleep(at, ms));
                self.shift_ms += ms;
            }
            Act::WallJump { device, ms } => {
                let disk = self.devices[device].person.disk;
                for other in self.devices.iter_mut().filter(|other| other.person.disk == disk) {
                    other.wall_skew_ms += ms;
                    other.troubled_ms = self.t;
                }
                self.see_clocks();
            }
            Act::ServerClock { ms } => {
                self.server_skew_ms += ms;
                self.server_clock_set = true;
                self.see_clocks();
            }
            Act::HalfOpen { device } => {
                if let Some(link) = self.devices[device].links.values_mut().next_back() {
                    link.dead = true;
                }
            }
            Act::Stall { device, ms } => self.stall(device, self.t + ms),
            Act::Restart { down_ms, lost } => {
                self.crash();
                self.server.down = true;
                self.push_for((usize::MAX, 0), self.t + down_ms, Happening::ServerUp);
                self.lose_history(lost);
            }
            Act::ExpireTokens => self.server.token += 1,
            Act::DiskFull { device, ms } => {
                self.disks[self.devices[device].person.disk].full_until = self.t + ms;
            }
            Act::LongHistory { count } => self.long_history(count),
            Act::WatchLong { device } => self.watch_long(device),
            Act::DiskTight { device, ms } => {
                let disk = &mut self.disks[self.devices[device].person.disk];
                (disk.tight_until, disk.limit_bytes) = (self.t + ms, disk.records.used_bytes());
            }
            Act::HandleLost { device, ms } => {
                self.disks[self.devices[device].person.disk].broken_until = self.t + ms;
            }
            Act::SlowDisk { device, ms } => {
                let device = &mut self.devices[device];
                device.store_last = device.store_last.max(self.t + ms);
            }
            Act::StealLock { device } => self.steal(device),
            _ => {}
        }
    }

    /// Whether this act changes anything in the world as it is: coverage counts no others. A full or broken disk counts where it
    /// refuses, and a page that stands still where it does.
    pub fn bites(&self, act: &Act) -> bool {
        let runs = |at: usize| self.devices[at].client.is_some();
        let awake = |at: usize| runs(at) && self.devices[at].asleep_until.is_none();
        let session = |at: usize| self.session_of(at).is_some();
        let disk_of = |at: usize| self.devices[at].person.disk;
        match *act {
            Act::Send { device, .. } => awake(device),
            Act::Kill { device, .. }
            | Act::Hide { device, .. }
            | Act::Offline { device, .. }
            | Act::OnlineLie { device } => runs(device),
            Act::Sleep { device, .. } => {
                (0..self.devices.len()).any(|at| disk_of(at) == disk_of(device) && runs(at))
            }
            Act::SleepForDays { .. } => (0..self.devices.len()).any(runs),
            Act::Cut { device } => session(device),
            Act::Rude { device, kind } => self
                .session_of(device)
                .is_some_and(|socket| kind != 3 || self.server.sessions[&socket].joined),
            Act::HalfOpen { device } => {
                let last = self.devices[device].links.values().next_back();
                last.is_some_and(|link| !link.closed && !link.dead)
            }
            Act::Stall { device, .. } => self.devices[device].links.values().any(|link| !link.closed),
            Act::Restart { lost, .. } => {
                lost == 0 || self.server.rooms.values().any(|room| !room.messages.is_empty())
            }
            Act::StealLock { device } => {
                let holds =
                    |at: usize| at != device && disk_of(at) == disk_of(device) && self.devices[at].leads;
                self.devices[device].waits && (0..self.devices.len()).any(holds)
            }
            Act::StaleReceipt { room } => {
                let messages = &self.server.rooms[super::plan::ROOMS[room]].messages;
                messages.iter().any(|message| message.status == "read")
            }
            Act::Freeze { .. } | Act::DiskFull { .. } | Act::DiskTight { .. } | Act::HandleLost { .. } => {
                false
            }
            _ => true,
        }
    }

    fn freeze(&mut self, at: usize, ms: u64) {
        let ms = self.sleep_of(at, ms);
        if self.devices[at].client.is_some() && self.devices[at].asleep_until.is_none() {
            // A page in a loop, or in a debugger, hears no word before it.
            let thaw = self.dice.between(super::dice::HANGS, at, 0, 1) == 0;
            self.dice.coverage.fault(if thaw { Fault::Frozen } else { Fault::Hung });
            if thaw {
                self.page(at, PageInput::Frozen);
            } else {
                // In the middle of something: that is what counts of such a page.
                let disk = self.devices[at].person.disk;
                self.disks[disk].taken_in.clear();
                self.send(at, 0, None, false, false);
            }
            (self.devices[at].asleep_until, self.devices[at].frozen) = (Some(self.t + ms), thaw);
            self.push(at, ms, Happening::Wake { thaw });
        }
    }

    /// What other tabs have said to a frozen page comes one by one when it thaws, in order, and between it what the
    /// store answers: those are queues of their own in a browser.
    pub fn backlog_at(&mut self, at: usize, thaws_ms: u64, what: &Happening) -> u64 {
        use TabInput as T;
        let lock = matches!(what, Happening::Input(Input::Tab(T::Leads | T::Follows | T::Deposed)));
        if lock || !matches!(what, Happening::Input(Input::Tab(_))) || !self.devices[at].frozen {
            return thaws_ms;
        }
        let gap_ms = self.dice.between(super::dice::BACKLOG, at, 0, 20);
        let last = self.devices[at].words_last.max(thaws_ms);
        self.devices[at].words_last = (last + gap_ms).min(thaws_ms + BACKLOG_MS);
        self.devices[at].words_last
    }

    /// What waits for an earlier end in a page that sleeps waits for this one, before what is still to come.
    fn stall(&mut self, at: usize, until: u64) {
        let before = self.devices[at].stalled_until;
        self.devices[at].stalled_until = before.max(until);
        if before > self.t && until > before {
            self.move_queued(until, |key, of, what| of_socket(what) && key.0 == before && of.0 == at);
        }
    }

    /// The machine of this page sleeps, with all its pages.
    fn sleep(&mut self, at: usize, ms: u64) {
        let (t, disk) = (self.t, self.devices[at].person.disk);
        for other in 0..self.devices.len() {
            if self.devices[other].person.disk == disk && self.devices[other].client.is_some() {
                let before = self.devices[other].asleep_until;
                let ms = self.sleep_of(other, ms);
                self.devices[other].sleep(t, ms);
                match before {
                    None => self.push(other, ms, Happening::Wake { thaw: false }),
                    Some(before_ms) => self.keep_in_order(other, before_ms),
                }
            }
        }
    }

    fn lose_history(&mut self, lost: usize) {
        self.server.loses = true;
        for room in self.server.rooms.values_mut() {
            let keep = room.messages.len().saturating_sub(lost);
            for message in room.messages.split_off(keep) {
                room.lost.insert(message.id);
            }
        }
    }

    /// This page takes the lock, whoever has it.
    pub fn take_lead(&mut self, at: usize) {
        let disk = self.devices[at].person.disk;
        let held = self.devices.iter().any(|device| device.person.disk == disk && device.leads);
        if held {
            return self.steal(at);
        }
        (self.devices[at].leads, self.devices[at].waits) = (true, false);
        self.push(at, 1, Happening::Input(Input::Tab(TabInput::Leads)));
    }

    /// The lock goes to this page; the other one hears of it, sooner or later or not at all.
    fn steal(&mut self, at: usize) {
        let disk = self.devices[at].person.disk;
        let holder = (0..self.devices.len()).find(|other| {
            *other != at && self.devices[*other].person.disk == disk && self.devices[*other].leads
        });
        let Some(holder) = holder.filter(|_| self.devices[at].waits) else { return };
        self.devices[holder].leads = false;
        self.disks[disk].taken_in.clear();
        (self.devices[at].leads, self.devices[at].waits) = (true, false);
        self.push(at, 1, Happening::Input(Input::Tab(TabInput::Leads)));
        if let Some(n) = self.dice.strikes(Fault::PokeLost, holder) {
            if n % 2 == 0 {
                self.push(holder, n % 5000, Happening::Input(Input::Tab(TabInput::Deposed)));
            }
        } else {
            self.push(holder, 1, Happening::Input(Input::Tab(TabInput::Deposed)));
        }
    }

    /// A crash in the middle of a write has left one record damaged.
    pub fn tear_record(&mut self, at: usize) {
        let home = self.devices[at].person.disk;
        let reads = vec![Read::All(Table::Meta), Read::All(Table::Outbox), Read::All(Table::History)];
        let StoreReply::Records(lists) = self.disks[home].records.execute(&StoreRequest::Read(reads)) else {
            return;
        };
        let tables = [Table::Meta, Table::Outbox, Table::History];
        let all: Vec<(Table, Record)> = tables
            .into_iter()
            .zip(lists)
            .flat_map(|(table, records)| records.into_iter().map(move |record| (table, record)))
            // A proof that is torn is as one over which another tab has written, and what is drawn stays as it was.
            .filter(|(_, record)| !matches!(&record.key, Key::Text(name) if name.starts_with(PROOF_PREFIX)))
            .collect();
        if all.is_empty() {
            return;
        }
        let which = self.dice.between(super::dice::FATE_OF_WRITES, at, 0, all.len() as u64 - 1);
        let (table, mut record) = all[which as usize].clone();
        let shape = self.dice.between(super::dice::FATE_OF_WRITES, at, 0, 2);
        let middle = record.bytes.len() / 2;
        match shape {
            0 => record.bytes.truncate(middle),
            // Twice is not whole again.
            1 if middle > 0 => record.bytes[middle] = record.bytes[middle].wrapping_add(0x20),
            _ => record.bytes.clear(),
        }
        self.say(|| format!("the record {:?} of {table:?} is torn ({shape})", record.key));
        if let Key::Text(name) = &record.key {
            self.disks[home].torn_rooms.extend(conversation_of(name));
        }
        if let Key::Number(stored) = record.key
            && let Some(seen) = self.disks[home].changes.remove(&stored)
        {
            let known = &mut self.ledger.changes[seen.number];
            (known.lost_allowed, known.torn) = (true, true);
        }
        if let Key::Number(stored) = record.key
            && let Some(row) = self.disks[home].rows.remove(&stored)
        {
            let sent = &mut self.ledger.sent[row.number];
            (sent.lost_allowed, sent.torn) = (true, true);
        }
        let disk = &mut self.disks[home];
        if record.key == Key::Text(GENERATION_KEY.to_owned()) {
            disk.generation_torn = true;
            let version = record_version(&all[which as usize].1.bytes);
            disk.torn_generations.extend(version.map(|version| (version, 0)));
        }
        disk.history_torn |= table == Table::History;
        let put = (RecordId { table, key: record.key }, record.bytes);
        let transaction = Transaction { puts: vec![put], ..Transaction::default() };
        self.disks[home].records.execute(&StoreRequest::Write(transaction));
    }
}
