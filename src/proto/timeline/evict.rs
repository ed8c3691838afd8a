//! Which of the stored history is given up where room is short.
//!
//! Law: whole segments, from a conversation's beginning on, the conversation that was used longest ago first. Never its
//! newest part, never what a window of this tab shows, never what anything waits for; the outbox is another table, of which
//! this knows nothing. Head, index and removals are one transaction. What is given up is the server's still: it leaves the
//! ranges that are known, without a hole that a catch-up would fill, and is fetched again when a window wants it. Without a
//! cursor that costs more, and is not everywhere to be had: it goes last, and only where the store refuses.

use super::super::store::{SegmentInfo, index_page_of};
use super::log::Want;
use super::{Log, Timelines};

/// The tail, and the two segments before it.
const KEPT_SEGMENTS: usize = 3;
/// Without a cursor, rows that stay as well, twice what a newest page has: what comes again in one would be news there, since
/// no number says that it was told.
const KEPT_ROWS: u32 = 100;

impl Timelines {
    /// Segments that could be given up now, and be fetched again.
    pub fn count_evictable(&self) -> usize {
        let mut count = 0;
        for (id, log) in self.logs.iter() {
            if log.head.cursor.is_some() && !self.is_viewed(id) {
                count += log.evictable();
            }
        }
        count
    }

    /// Gives up to `max` segments up. How many it was: none, and there is nothing that may go.
    pub fn evict_stored(&mut self, max: usize) -> usize {
        let mut evicted = 0;
        while evicted < max {
            let Some(id) = self.least_used() else { break };
            let Some(log) = self.logs.get_mut(&id) else { break };
            let count = log.evictable().min(max - evicted);
            log.evict(count);
            if self.paged {
                log.set_more(true);
            }
            evicted += count;
        }
        evicted
    }

    /// Of those that have something to give, one with a cursor: the one used longest ago in this tab, or that was silent longest.
    fn least_used(&self) -> Option<String> {
        let mut least: Option<(&String, (bool, u64, i64))> = None;
        for (id, log) in self.logs.iter() {
            if log.evictable() == 0 || self.is_viewed(id) {
                continue;
            }
            let newest = log.last_message().map_or(i64::MIN, |message| message.created_at_ms);
            let used = (log.head.cursor.is_none(), log.used, newest);
            if least.is_none_or(|(_, known)| used < known) {
                least = Some((id, used));
            }
        }
        least.map(|(id, _)| id.clone())
    }
}

impl Log {
    /// How many of the oldest segments may go.
    fn evictable(&self) -> usize {
        // A catch-up that looks for its row must not go back to what was given up.
        let catches_up = self.head.joined_to.is_some() || self.fetching;
        let waits = self.waits() || self.untold.is_some() || catches_up;
        // Where the store has no head of it there is nothing to give up.
        if waits || self.version.is_none() {
            return 0;
        }
        let (mut old, mut rows) = (self.head.segments.len(), 0);
        for (kept, info) in self.head.segments.iter().rev().enumerate() {
            if kept >= KEPT_SEGMENTS && (self.head.cursor.is_some() || rows >= KEPT_ROWS) {
                break;
            }
            (old, rows) = (old - 1, rows + info.count);
        }
        let mut count = 0;
        for info in self.head.segments.iter().take(old) {
            // What is beyond the cursor is new, and the cursor stays; own rows that the server has not numbered yet stand
            // last, however many there are.
            if self.head.cursor.is_some_and(|cursor| info.last.seq >= cursor) {
                break;
            }
            count += 1;
        }
        count
    }

    fn evict(&mut self, count: usize) {
        for _ in 0..count {
            let info = self.head.segments.remove(0);
            self.give_away(&info);
        }
        // A window may ask for it again.
        (self.exhausted, self.place) = (false, None);
        self.head_dirty = true;
    }

    fn give_away(&mut self, info: &SegmentInfo) {
        if info.last.seq != u64::MAX {
            self.forget_up_to(info.last.seq);
            // It was told, and is not new when it comes again.
            self.head.told_through = self.head.told_through.max(info.last.seq);
        }
        self.segments.remove(&info.number);
        self.dropped.push(Want::Segment(info.number));
        let page = index_page_of(info.number);
        let needed = self.head.segments.iter().any(|other| index_page_of(other.number) == page);
        if !needed && page != index_page_of(self.head.next_segment) {
            self.index.remove(&page);
            self.dropped.push(Want::Index(page));
        } else if let Some(loaded) = self.index.get_mut(&page) {
            loaded.page.segments.retain(|(number, _)| *number != info.number);
            loaded.dirty = true;
        }
    }

    /// An index page may have been stored when it still had segments that were given up while it was not in memory.
    pub(super) fn forget_evicted(&mut self, page: u32) {
        let segments = &self.head.segments;
        let listed = |number: u32| segments.iter().any(|info| info.number == number);
        if let Some(loaded) = self.index.get_mut(&page) {
            loaded.page.segments.retain(|(number, _)| listed(*number));
        }
    }
}
