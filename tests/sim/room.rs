//! A disk that is too small: what is given up, and what must not be.

use std::collections::BTreeSet;

use chatwire::proto::store::{
    HistoryHead, MemoryStore, decode_head, decode_segment, head_key, segment_key, segment_prefix,
};
use chatwire::proto::{Command, Key, RecordId, StoreReply, StoreRequest, Table, Transaction};

use super::checks::Asked;
use super::faults::Fault;
use super::full_disk;
use super::plan::ROOMS;
use super::row_checks::difference;
use super::world::World;

/// The conversation that nobody has open.
pub const LONG: &str = "t";
/// Its window, where somebody looks after all.
const LONG_VIEW: u32 = ROOMS.len() as u32 + 1;
/// The tail, and the two before it.
const SPARED: usize = 3;

impl World {
    pub fn execute_write(
        &mut self,
        at: usize,
        request: &StoreRequest,
        transaction: &Transaction,
    ) -> StoreReply {
        let disk = &mut self.disks[self.devices[at].person.disk];
        let wrong = Self::wrong_removal(&disk.records, transaction);
        let tight = self.t < disk.tight_until;
        let reply = if tight {
            full_disk::write(&mut disk.records, transaction, disk.limit_bytes)
        } else {
            self.execute_store(at, request)
        };
        if matches!(reply, StoreReply::Saved { .. }) {
            if tight && transaction.deletes.iter().any(|id| id.table == Table::History) {
                self.dice.coverage.fault(Fault::RoomMade);
            }
            if let Some(what) = wrong {
                self.wrong("what is given up is the oldest", what);
            }
        }
        reply
    }

    /// While no socket is there: all of it is heard of by the catch-up.
    pub fn long_history(&mut self, count: usize) {
        self.say(|| format!("all sockets end, and {count} messages are written where nobody looks"));
        self.crash();
        // A millisecond apart: of those of one time nobody knows which came first where there are no numbers.
        let now = self.server.wall_ms;
        for n in 0..count {
            self.server.wall_ms = now.saturating_sub((count - n) as u64);
            self.server.store(LONG, "cy", None, &format!("long {n}"), None);
        }
        self.server.wall_ms = now;
    }

    /// Somebody wants all of it.
    pub fn watch_long(&mut self, at: usize) {
        if self.devices[at].client.is_none() {
            return;
        }
        if !self.devices[at].eyes.windows.contains_key(&LONG_VIEW) {
            let command = Command::OpenTimeline { view: LONG_VIEW, conversation_id: LONG.to_owned() };
            self.command(at, command, Asked::Other);
        }
        self.command(at, Command::LoadEarlier { view: LONG_VIEW, count: 400 }, Asked::Other);
    }

    /// What was given up is shown again where a window wants it: with a cursor all of it.
    pub fn compare_long_windows(&mut self) {
        if !self.plan.cursor || !self.server.rooms.contains_key(LONG) {
            return;
        }
        for at in 0..self.devices.len() {
            self.watch_long(at);
            self.load_all(at, LONG_VIEW);
            // That its newest part is torn is seen when it is read: it is just being fetched again.
            self.run_until(self.t + 2000);
            self.load_all(at, LONG_VIEW);
            let model = &self.server.rooms[LONG];
            let window = self.devices[at].eyes.windows.get(&LONG_VIEW);
            let shown = window.into_iter().flat_map(|window| window.rows());
            let shown: Vec<&str> = shown.filter_map(|row| row.id.as_deref()).collect();
            let shown: Vec<&str> = shown.into_iter().filter(|id| !model.lost.contains(*id)).collect();
            let wanted: Vec<&str> = model.messages.iter().map(|message| message.id.as_str()).collect();
            if shown != wanted {
                let what = format!("{} in {LONG}: {}", self.name(at), difference(&shown, &wanted));
                return self.wrong("timelines converge", what);
            }
        }
    }

    /// Whole segments go, the oldest, with a head that says so. `records`: what stands there before.
    fn wrong_removal(records: &MemoryStore, transaction: &Transaction) -> Option<String> {
        for id in transaction.deletes.iter().filter(|id| id.table == Table::History) {
            let Key::Text(key) = &id.key else { continue };
            if !key.starts_with("s/") {
                continue;
            }
            let mut heads = transaction.puts.iter().filter_map(|(_, bytes)| decode_head(bytes).ok());
            let of_it =
                |(_, head): &(u64, HistoryHead)| key.starts_with(&segment_prefix(&head.conversation_id));
            let Some((_, head)) = heads.find(of_it) else {
                return Some(format!("{key} goes without its head"));
            };
            let key_of = |number: u32| segment_key(&head.conversation_id, number);
            let listed = |number: u32| head.segments.iter().any(|info| info.number == number);
            let before = records.get(&RecordId::history(head_key(&head.conversation_id)));
            let before = before.and_then(|bytes| decode_head(bytes).ok()).map(|(_, head)| head.segments);
            let before: Vec<u32> = before.unwrap_or_default().iter().map(|info| info.number).collect();
            let place = before.iter().position(|number| key_of(*number) == *key);
            // One that cannot be read is no part of the history any more, wherever it stood.
            let room = &head.conversation_id;
            let reads = |(bytes, number): (&[u8], u32)| decode_segment(bytes, room, number).is_ok();
            let is_read = records.get(id).zip(place.map(|at| before[at])).is_some_and(reads);
            let older = before.iter().take(place.unwrap_or(0)).find(|number| is_read && listed(**number));
            let still = head.segments.iter().any(|info| key_of(info.number) == *key);
            if still || older.is_some() || head.segments.len() < SPARED {
                let numbers: Vec<u32> = head.segments.iter().map(|info| info.number).collect();
                return Some(format!("{key} goes; its head had {before:?} and has {numbers:?}"));
            }
        }
        None
    }

    /// What a head says is here is here.
    pub fn compare_long_history(&mut self) {
        if !self.plan.cursor || !self.server.rooms.contains_key(LONG) {
            return;
        }
        for home in 0..self.disks.len() {
            let Some((head, seqs)) = self.kept(home) else { continue };
            let cursor = head.cursor.unwrap_or(0);
            let ranges = head.older.iter().copied().chain([(head.known_from, cursor)]);
            let kept = |seq: u64| ranges.clone().any(|(after, through)| seq > after && seq <= through);
            let model = &self.server.rooms[LONG].messages;
            let missing =
                model.iter().map(|message| message.seq).find(|seq| kept(*seq) && !seqs.contains(seq));
            if let Some(seq) = missing {
                let (from, last) = (head.known_from, model.last().map_or(0, |message| message.seq));
                let what = format!("disk {home} has no {seq} of {from} to {cursor}, the server {last}");
                return self.wrong("what the head says is here is here", what);
            }
        }
    }

    /// The head of the long conversation on a disk, and what stands in its segments; `None`: something of it is torn.
    fn kept(&self, home: usize) -> Option<(HistoryHead, BTreeSet<u64>)> {
        let records = &self.disks[home].records;
        let (_, head) = decode_head(records.get(&RecordId::history(head_key(LONG)))?).ok()?;
        let mut seqs = BTreeSet::new();
        for info in &head.segments {
            let bytes = records.get(&RecordId::history(segment_key(LONG, info.number)))?;
            let (_, rows) = decode_segment(bytes, LONG, info.number).ok()?;
            seqs.extend(rows.iter().filter_map(|row| row.seq));
        }
        Some((head, seqs))
    }
}
