//! How far a history is known: ranges, what lies between them, and what comes before the first (rule 8).
//!
//! Law: with a cursor a range says that each message after its first sequence number and up to its second is here; the
//! last range ends at the cursor. What is not known is never shown as if it were: a window ends there, or says that something
//! is missing. Without a cursor `joint.rs` says up to which row all is known.

use super::super::model::{Failure, Message, Sender};
use super::log::Log;
use super::{Action, PageOp, Timelines};
use crate::proto::mutant;
use crate::proto::place::{Here, Place};

/// More ranges than this are not remembered: what the oldest held is fetched again.
const MAX_RANGES: usize = 32;
/// Where numbers are sparse the step grows up to this.
const MAX_EARLIER_STEP: u64 = 1 << 40;

/// `known_from` without a cursor: there is more before the oldest row, or perhaps in between, too.
const MORE: u64 = 1;
const HOLE: u64 = 2;

/// What to ask the server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// What comes after the first sequence number, up to the second.
    Between { after: u64, before: u64 },
    /// The newest page: nothing is known yet. Without a cursor what comes before all that is here, by offset.
    Newest,
}

impl Timelines {
    /// A window shows all that is here and wants more: what is to be fetched, `rows` at once. `None`: nothing comes before,
    /// or nothing more is to be had.
    pub fn earlier(&mut self, conversation_id: &str, rows: u32) -> Option<Wanted> {
        let log = self.logs.get_mut(conversation_id)?;
        if log.exhausted || (log.is_complete() && log.head.older.is_empty()) {
            return None;
        }
        if log.head.cursor.is_some() { log.between(u64::from(rows)) } else { Some(Wanted::Newest) }
    }

    /// Where there is no cursor: what a page says of what comes before all that is here.
    pub(super) fn bound_below(&mut self, conversation_id: &str, page: &PageOp) {
        let Some(more) = page.more else { return };
        // One that goes on from another says so only where it is the last.
        let log = self.log_mut(conversation_id);
        let says = if page.earlier {
            page.begins_known() && !more && log.head.known_from != HOLE
        } else {
            page.first || !more
        };
        if says && !mutant::is(66) {
            log.set_more(more);
        }
    }

    /// Where there is no cursor: something that is not here, in between, may be had by offset.
    pub fn on_given_up(&mut self, conversation_id: &str) {
        let log = self.log_mut(conversation_id);
        log.set_below(HOLE);
        log.place = None;
        self.dirty_views(conversation_id);
    }

    /// What a window wanted has come, or there is nothing more that could be found: not asked again before the next connection.
    /// `place`: where one goes on the next time. `unsure`: there may be something that was hidden by what had come since the
    /// newest that was here, of that time; where such is here by now, it is asked for again at once.
    pub fn on_earlier(
        &mut self,
        conversation_id: &str,
        came: bool,
        place: Option<Place>,
        unsure: Option<i64>,
    ) {
        let log = self.log_mut(conversation_id);
        let ends = !came && place.is_none();
        let here = unsure.is_some_and(|then| log.newest_ms() > then);
        (log.exhausted, log.moved, log.place, log.refused) = (ends && !here, unsure.is_some(), place, None);
        if (ends && unsure.is_none()) || place.is_some() {
            log.set_more(!ends);
        }
        self.dirty_views(conversation_id);
    }

    /// `None`: nothing is.
    pub fn here(&self, conversation_id: &str) -> Option<Here> {
        let log = self.logs.get(conversation_id)?;
        Some(Here {
            rows: log.row_count(),
            place: log.place,
            holes: log.head.known_from == HOLE,
            newest_ms: log.newest_ms(),
        })
    }

    /// The newest that is missing between two ranges: what comes after the first sequence number, up to the second.
    pub fn hole(&self, conversation_id: &str) -> Option<(u64, u64)> {
        let head = &self.logs.get(conversation_id)?.head;
        head.cursor?;
        let after = match head.older.last() {
            Some((_, through)) => *through,
            // Rows of a time in which there was no cursor.
            None => head.segments.first()?.first.seq.saturating_sub(1),
        };
        (after < head.known_from).then_some((after, head.known_from))
    }

    /// The server's list says that it has no message yet: all that comes is new.
    pub fn on_empty(&mut self, conversation_id: &str, cursor: bool) {
        let log = self.log_mut(conversation_id);
        log.met = true;
        if cursor && log.head.cursor.is_none() && log.head.segments.is_empty() {
            log.add_range(0, 0);
        }
    }

    /// Whether a window of this conversation may wait for the server.
    pub fn set_fetching(&mut self, conversation_id: &str, fetching: bool) {
        if let Some(log) = self.logs.get_mut(conversation_id)
            && core::mem::replace(&mut log.fetching, fetching) != fetching
        {
            self.dirty_views(conversation_id);
        }
    }

    /// The application asks once more for what the server has not given.
    pub fn ask_anew(&mut self, conversation_id: &str) {
        if let Some(log) = self.logs.get_mut(conversation_id) {
            log.exhausted = false;
        }
    }

    /// The server does not give this history: not asked again before the next connection. A window says why.
    pub fn on_refused(&mut self, conversation_id: &str, failure: Failure) {
        let log = self.log_mut(conversation_id);
        (log.exhausted, log.fetching, log.refused) = (true, false, Some(failure));
        self.dirty_views(conversation_id);
    }

    /// The server does not know the cursor, or its history is shorter than it: how far this one is known begins anew.
    pub fn forget_ranges(&mut self, conversation_id: &str) {
        if let Some(log) = self.logs.get_mut(conversation_id) {
            (log.head.cursor, log.head.known_from, log.head.mark) = (None, 0, None);
            log.head.older.clear();
            log.head_dirty = true;
        }
    }

    /// The list of conversations is asked for: what has come by now it cannot be behind.
    pub fn note_cursors(&mut self) {
        for (_, log) in self.logs.iter_mut() {
            log.listed_cursor = log.head.cursor;
        }
    }

    /// Whether the server's history is shorter than it was when the list was asked for.
    pub fn is_cut(&self, conversation_id: &str, last_seq: u64) -> bool {
        let log = self.logs.get(conversation_id);
        log.and_then(|log| log.listed_cursor).is_some_and(|cursor| last_seq < cursor)
    }

    /// All after `after` and up to `through` is here.
    pub(super) fn know(&mut self, conversation_id: &str, after: u64, through: u64) {
        let log = self.log_mut(conversation_id);
        log.head_dirty |= log.head.joined_to.take().is_some();
        log.add_range(after, through);
        log.advance_cursor();
        self.dirty_views(conversation_id);
    }

    /// A window wants what no catch-up has brought.
    pub(super) fn want_earlier(&mut self, conversation_id: &str) {
        self.actions.push_back(Action::Earlier { conversation_id: conversation_id.to_owned() });
    }
}

impl Log {
    /// Nothing comes before the oldest row, or nothing that can be asked for. Without a cursor the number stands for no
    /// message.
    pub(super) fn is_complete(&self) -> bool {
        self.head.known_from == 0
    }

    /// When the newest was created that the server has told of.
    fn newest_ms(&self) -> i64 {
        let newest = self.newest_with_id().unwrap_or(self.head.last_message.as_ref());
        newest.map_or(i64::MAX, |message| message.created_at_ms)
    }

    pub(super) fn set_more(&mut self, more: bool) {
        self.set_below(if more { self.head.known_from.max(MORE) } else { 0 });
    }

    fn set_below(&mut self, known_from: u64) {
        if self.head.cursor.is_none() && self.head.known_from != known_from {
            self.head.known_from = known_from;
            self.head_dirty = true;
        }
    }

    /// Nothing of it has ever been here, and nothing been sent: what comes first is not missed by anybody.
    pub(super) fn is_untouched(&self) -> bool {
        let nothing = !self.met && !self.torn && self.head.segments.is_empty() && self.lost.is_empty();
        nothing && self.head.joined_to.is_none() && self.before_sent.is_none()
    }

    /// All of the conversation is known to be here, from its first message on. Without a cursor nothing says so.
    pub fn is_whole(&self) -> bool {
        self.head.cursor.is_some() && self.head.known_from == 0 && self.head.older.is_empty()
    }

    /// What came up to this sequence number is given up. It is no hole that a catch-up fills: only a window asks for it.
    pub(super) fn forget_up_to(&mut self, seq: u64) {
        let mut ranges = Vec::new();
        for (from, to) in self.ranges() {
            if to > seq {
                ranges.push((from.max(seq), to));
            }
        }
        self.set_ranges(ranges);
    }

    /// All ranges, oldest first.
    pub(super) fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges = self.head.older.clone();
        ranges.extend(self.head.cursor.map(|cursor| (self.head.known_from, cursor)));
        ranges
    }

    /// All after `after` and up to `through` is here.
    pub(super) fn add_range(&mut self, after: u64, through: u64) {
        if self.head.cursor.is_some() && after >= through {
            return;
        }
        self.met = true;
        let (mut first, mut last) = (after, through.max(after));
        let mut ranges = Vec::new();
        for (from, to) in self.ranges() {
            if to < first || from > last {
                ranges.push((from, to));
            } else {
                (first, last) = (first.min(from), last.max(to));
            }
        }
        let at = ranges.iter().position(|(from, _)| *from > first).unwrap_or(ranges.len());
        ranges.insert(at, (first, last));
        self.set_ranges(ranges);
    }

    /// What is after `after` and up to `through` is not here any more.
    pub(super) fn cut_range(&mut self, after: u64, through: u64) {
        let mut ranges = Vec::new();
        for (from, to) in self.ranges() {
            if to <= after || from >= through {
                ranges.push((from, to));
                continue;
            }
            // Also where nothing is left: what was known is fetched again.
            if from <= after {
                ranges.push((from, after));
            }
            if through < to {
                ranges.push((through, to));
            }
        }
        self.set_ranges(ranges);
    }

    fn set_ranges(&mut self, mut ranges: Vec<(u64, u64)>) {
        if ranges.len() > MAX_RANGES {
            ranges.remove(0);
        }
        let last = ranges.pop();
        let (known_from, cursor) = (last.map_or(0, |(from, _)| from), last.map(|(_, to)| to));
        let head = &mut self.head;
        if head.cursor != cursor || head.known_from != known_from || head.older != ranges {
            (head.cursor, head.known_from, head.older) = (cursor, known_from, ranges);
            self.head_dirty = true;
        }
    }

    /// What comes before all that is known, or lies between two ranges.
    fn between(&mut self, rows: u64) -> Option<Wanted> {
        let before = self.head.known_from;
        if let Some((_, through)) = self.head.older.last() {
            return Some(Wanted::Between { after: *through, before });
        }
        // Where the last step brought little the numbers are sparse.
        let fresh = self.row_count().saturating_sub(self.earlier_rows);
        if u64::from(fresh) >= rows / 2 {
            self.earlier_step = rows;
        } else {
            self.earlier_step = self.earlier_step.saturating_mul(4).clamp(rows, MAX_EARLIER_STEP);
        }
        self.earlier_rows = self.row_count();
        Some(Wanted::Between { after: before.saturating_sub(self.earlier_step), before })
    }

    /// A message from before the first contact is unread only where it is known how far this user has read.
    pub(super) fn count_earlier(&mut self, message: &Message) {
        if message.sender != Sender::Me && self.head.read_up_to.is_some() && self.is_unread(message) {
            self.head.unread = self.head.unread.saturating_add(1);
        }
    }

    fn row_count(&self) -> u32 {
        let mut rows: u32 = 0;
        for info in &self.head.segments {
            rows = rows.saturating_add(info.count);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Log, empty_head};

    fn log(ranges: &[(u64, u64)]) -> Log {
        let mut log = Log::new(empty_head("r"), 100);
        for (after, through) in ranges {
            log.add_range(*after, *through);
        }
        log
    }

    #[test]
    fn ranges_that_meet_become_one_in_any_order() {
        assert_eq!(log(&[(0, 5), (5, 9)]).ranges(), [(0, 9)]);
        assert_eq!(log(&[(20, 30), (0, 5), (10, 15)]).ranges(), [(0, 5), (10, 15), (20, 30)]);
        assert_eq!(log(&[(20, 30), (0, 5), (10, 15), (4, 21)]).ranges(), [(0, 30)]);
        assert_eq!(log(&[(0, 0)]).ranges(), [(0, 0)], "nothing has been said yet");
        assert_eq!(log(&[(3, 8), (8, 8), (40, 40)]).ranges(), [(3, 8)], "an empty page knows nothing");
    }

    #[test]
    fn what_is_cut_out_leaves_the_rest() {
        let cut = |after, through| {
            let mut log = log(&[(0, 10), (20, 30)]);
            log.cut_range(after, through);
            log.ranges()
        };
        assert_eq!(cut(3, 5), [(0, 3), (5, 10), (20, 30)]);
        assert_eq!(cut(0, 25), [(0, 0), (25, 30)]);
        assert_eq!(cut(25, u64::MAX), [(0, 10), (20, 25)]);
        assert_eq!(cut(0, u64::MAX), [(0, 0)], "fetched again");
        assert_eq!(cut(10, 20), [(0, 10), (20, 30)]);
    }

    #[test]
    fn what_is_given_up_leaves_no_hole_to_be_filled() {
        let given_up = |seq| {
            let mut log = log(&[(0, 10), (20, 30)]);
            log.forget_up_to(seq);
            log.ranges()
        };
        assert_eq!(given_up(4), [(4, 10), (20, 30)]);
        assert_eq!(given_up(10), [(20, 30)]);
        assert_eq!(given_up(15), [(20, 30)]);
        assert_eq!(given_up(25), [(25, 30)]);
    }

    #[test]
    fn there_are_never_too_many() {
        let many: Vec<(u64, u64)> = (0..100).map(|n| (n * 10, n * 10 + 5)).collect();
        let log = log(&many);
        assert_eq!(log.ranges().len(), super::MAX_RANGES);
        assert_eq!(log.cursor(), Some(995));
    }
}
