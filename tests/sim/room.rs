//! A disk that is too small: what is given up, and what must not be.

use std::collections::BTreeSet;

use chatwire::proto::store::{HistoryHead, decode_head, decode_segment, head_key, segment_key};
use chatwire::proto::{Command, Key, RecordId, StoreReply, StoreRequest, Table, Transaction};

use super::checks::Asked;
use super::faults::Fault;
use super::finale::difference;
use super::full_disk;
use super::plan::ROOMS;
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
        if self.t >= disk.tight_until {
            return self.execute_store(at, request);
        }
        let reply = full_disk::write(&mut disk.records, transaction, disk.limit_bytes);
        let makes_room = transaction.deletes.iter().any(|id| id.table == Table::History);
        if makes_room && matches!(reply, StoreReply::Saved { .. }) {
            self.dice.coverage.fault(Fault::RoomMade);
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

    /// Whole segments go, the oldest, with a head that says so.
    pub fn check_room_made(&mut self, transaction: &Transaction) {
        // What a window has asked for again stands there before all of its page does.
        let asks_again = self.devices.iter().any(|device| device.eyes.windows.contains_key(&LONG_VIEW));
        for id in transaction.deletes.iter().filter(|id| id.table == Table::History) {
            let Key::Text(key) = &id.key else { continue };
            if !key.starts_with("s/") {
                continue;
            }
            let heads = transaction.puts.iter().filter_map(|(_, bytes)| decode_head(bytes).ok());
            let mut heads = heads.map(|(_, head)| head);
            let Some(head) =
                heads.find(|head| key.starts_with(&segment_key(&head.conversation_id, 0)[..key.len() - 8]))
            else {
                return self.wrong("what is given up is the oldest", format!("{key} goes without its head"));
            };
            let listed =
                head.segments.iter().any(|info| segment_key(&head.conversation_id, info.number) == *key);
            let numbered = head.cursor.is_some() && head.known_from > 0 && !asks_again;
            let older = numbered && head.segments.iter().any(|info| info.first.seq <= head.known_from);
            if listed || older || head.segments.len() < SPARED {
                let what = format!("{key} goes, and its head has {} segments", head.segments.len());
                return self.wrong("what is given up is the oldest", what);
            }
        }
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
