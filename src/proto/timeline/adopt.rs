//! What the store has of the histories, taken by a tab that does not lead. Of a head that another tab has written, with those
//! of its segments that differ, what did not change stays in memory.

use super::super::api::{Key, RecordId};
use super::super::sorted::{SortedMap, SortedSet};
use super::super::store::{self, HistoryHead};
use super::known::raise_known;
use super::log::{self, Log, Row, Want};
use super::{Op, Timelines};

impl Timelines {
    /// Takes a conversation's head from the store, while this tab does not lead. What is in memory of another
    /// version is dropped; operations that wait go on with the new one.
    /// `true`: it is another than before.
    pub fn restore(&mut self, version: u64, head: HistoryHead) -> bool {
        let id = head.conversation_id.clone();
        self.keep_unwritten_of(&id);
        let mut log = Log::new(head, self.limits.segment_rows);
        if let Some(last) = &mut log.head.last_message {
            raise_known(&self.shown, last);
        }
        log.version = Some(version);
        // What came live before a first page says nothing of what is before it.
        let joined = log.head.joined_to.as_deref() != Some("");
        log.met = log.head.cursor.is_some() || (joined && !log.head.segments.is_empty());
        if let Some(old) = self.logs.get_mut(&id) {
            if old.version == Some(version) && !old.head_dirty {
                return false;
            }
            log.ops = core::mem::take(&mut old.ops);
            // The head has its own count.
            log.ops.retain(&|op| !matches!(op, Op::CountUnread(_)));
            (log.used, log.untold) = (old.used, old.untold);
            log.met |= old.met;
            log.head.told_through = log.head.told_through.max(old.head.told_through);
            log.lost = core::mem::take(&mut old.lost);
            log.damaged = core::mem::take(&mut old.damaged);
        }
        self.logs.insert(id.clone(), log);
        self.dirty_views(&id);
        self.drive(&id);
        true
    }

    /// Drops what is in memory of histories that the store no longer has: another tab has wiped it.
    pub fn retain(&mut self, stored: &SortedSet<String>) {
        let filled = |log: &Log| log.version.is_some() || !log.head.segments.is_empty();
        for id in self.logs.keys_where(&|id, log| !stored.contains(id) && filled(log)) {
            self.forget(&id, 0);
        }
    }

    /// The head in the store cannot be read. A tab that has led does not know how much of what it has in memory was
    /// written: that begins anew, but for what was told.
    pub fn on_damaged_head(&mut self, id: &str) {
        let log = self.logs.get(id).filter(|log| log.version.is_none());
        if let Some(told_through) = log.map(|log| log.head.told_through) {
            self.forget(id, told_through);
        }
        self.log_mut(id).torn = true;
    }

    fn forget(&mut self, id: &str, told_through: u64) {
        let Some(log) = self.logs.get_mut(id) else { return };
        let (ops, met) = (core::mem::take(&mut log.ops), log.met);
        *log = Log::new(log::empty_head(id), self.limits.segment_rows);
        // What came since it was met is news, also where nothing of it was stored.
        (log.ops, log.met, log.head.told_through) = (ops, met, told_through);
        self.dirty_views(id);
        self.drive(id);
    }

    /// `records`: the head's own and those behind it, of which its segments are taken. Rows that are the same as before
    /// keep their revision.
    pub fn adopt(&mut self, version: u64, head: HistoryHead, records: &[(RecordId, Option<u64>, Vec<u8>)]) {
        let id = head.conversation_id.clone();
        let viewed = self.is_viewed(&id);
        self.keep_unwritten_of(&id);
        let (mut before, mut asked) = (SortedMap::new(), SortedSet::new());
        if let Some(old) = self.logs.get_mut(&id) {
            before = core::mem::take(&mut old.segments);
            asked = core::mem::take(&mut old.asked);
        }
        self.restore(version, head);
        let revision = self.next_revision();
        let Some(log) = self.logs.get_mut(&id) else { return };
        for (at, _, bytes) in records {
            let Some(number) = log.segment_at(&id, at) else { continue };
            let old = before.remove(&number);
            let want = Want::Segment(number);
            // What is under way out of the store may be older.
            if old.is_none() && !viewed && !asked.contains(&want.code()) {
                continue;
            }
            if log.take_record(&id, want, Some(bytes), revision, &self.shown).is_err() {
                // It is read from the store, and looked at there.
                continue;
            }
            if let (Some(old), Some(new)) = (old, log.segments.get_mut(&number)) {
                keep_revisions(&old.rows, &mut new.rows);
            }
        }
        for (number, old) in before {
            if log.info(number).is_some() && !log.segments.contains_key(&number) {
                // What only this tab knows of its rows is told again at the next look.
                log.head_dirty |= old.dirty;
                log.segments.insert(number, *old);
            }
        }
    }
}

impl Log {
    /// The number of the segment whose record stands at that place, if the head lists it.
    fn segment_at(&self, id: &str, at: &RecordId) -> Option<u32> {
        let Key::Text(key) = &at.key else { return None };
        let is_it = |number: u32| store::segment_key(id, number) == *key;
        if !key.starts_with(store::SEGMENT_PREFIX) {
            return None;
        }
        self.head.segments.iter().rev().map(|info| info.number).find(|number| is_it(*number))
    }
}

fn keep_revisions(old: &[Row], new: &mut [Row]) {
    for (at, row) in new.iter_mut().enumerate() {
        // Mostly it stands where it stood.
        let same = |other: &&Row| other.message.row_key == row.message.row_key;
        let known = old.get(at).filter(same).or_else(|| old.iter().find(same));
        if let Some(known) = known.filter(|known| known.message == row.message) {
            row.revision = known.revision;
        }
    }
}
