//! One conversation's history: its head, the segments and index pages that are in memory, and what waits for more.

use super::super::model::{Failure, Message};
use super::super::place::Place;
use super::super::queue::Queue;
use super::super::sorted::{SortedMap, SortedSet, partition_point};
use super::super::store::{HistoryHead, IndexPage, OrderKey, SegmentInfo, index_page_of};
use super::Op;
use crate::proto::mutant;

/// So many a conversation may keep.
const FEW_SEGMENTS: usize = 8;

/// A record that an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    Segment(u32),
    Index(u32),
}

impl Want {
    /// As a number, for a set of them: a set of a type of its own would be its own code.
    pub(super) fn code(self) -> u64 {
        match self {
            Self::Segment(number) => u64::from(number),
            Self::Index(page) => 1 << 32 | u64::from(page),
        }
    }
}

/// A row and what has changed of it.
#[derive(Clone, Debug)]
pub struct Row {
    pub message: Message,
    pub revision: u64,
}

#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub rows: Vec<Row>,
    pub dirty: bool,
    pub writing: bool,
}

impl Loaded {
    pub(super) fn is_stored(&self) -> bool {
        (!self.dirty && !self.writing) || mutant::is(51)
    }

    /// The place of the newest row of a kind.
    pub(super) fn newest(&self, wanted: &dyn Fn(&Message) -> bool) -> Option<usize> {
        self.rows.iter().rposition(|row| wanted(&row.message))
    }
}

#[derive(Debug)]
pub(super) struct LoadedIndex {
    pub page: IndexPage,
    pub dirty: bool,
    pub writing: bool,
}

/// One conversation's history.
#[derive(Debug)]
pub struct Log {
    pub(super) head: HistoryHead,
    pub(super) head_dirty: bool,
    pub(super) head_writing: bool,
    pub(super) segments: SortedMap<u32, Loaded>,
    pub(super) index: SortedMap<u32, LoadedIndex>,
    /// What damaged segments held was told once, and is not new when it is fetched again: all up to the sequence number in
    /// the head; where there are none, what lies between two orders, and how many rows.
    pub(super) lost: Vec<(OrderKey, OrderKey, u32)>,
    /// Damaged segments and index pages: each is told once, though another tab's head may bring it back
    /// ([`Want::code`]).
    pub(super) damaged: SortedSet<u64>,
    /// Asked of the store and not answered yet ([`Want::code`]).
    pub(super) asked: SortedSet<u64>,
    pub(super) ops: Queue<Op>,
    pub(super) used: u64,
    /// Read up to here, and what is unread then is not counted yet.
    pub(super) reading: Option<OrderKey>,
    /// Read and not told: what is after the first, up to the second.
    pub(super) untold: Option<(OrderKey, OrderKey)>,
    /// The version of the head's record, as it was read or written last.
    pub(super) version: Option<u64>,
    /// The connection was lost, or has not been there yet: what comes next may not join on.
    pub(super) unsure: bool,
    /// And no catch-up has gone back to what was known since.
    pub(super) catches_up: bool,
    /// The newest row when the first frame left that is not answered yet.
    pub(super) before_sent: Option<String>,
    /// Records that no head lists any more and that the store still has.
    pub(super) dropped: Vec<Want>,
    /// The store has `joined_to`.
    pub(super) joint_stored: bool,
    /// The head in the store cannot be read.
    pub(super) torn: bool,
    /// A window waits for the server; the server has nothing more before the oldest row; or perhaps with the next that comes.
    pub(super) fetching: bool,
    pub(super) exhausted: bool,
    pub(super) moved: bool,
    /// By offset: where one goes on looking.
    pub(super) place: Option<Place>,
    /// It was caught up with before: what came since is told, and not only the newest page of it.
    pub(super) met: bool,
    /// Why the server does not give this history.
    pub(super) refused: Option<Failure>,
    /// How many sequence numbers further back the next page is to go, and how many rows there were before the last one.
    pub(super) earlier_step: u64,
    pub(super) earlier_rows: u32,
    /// The cursor when the list of conversations was asked for.
    pub(super) listed_cursor: Option<u64>,
    /// Fingerprints of the ids of own rows without a key that have come since the last frame left: one may be that frame's copy.
    pub(super) strays: Vec<u32>,
    /// Rows of a full segment.
    pub(super) segment_rows: usize,
}

pub(super) fn empty_head(conversation_id: &str) -> HistoryHead {
    HistoryHead {
        conversation_id: conversation_id.to_owned(),
        segments: Vec::new(),
        next_segment: 0,
        told_through: 0,
        cursor: None,
        joined_to: None,
        unread: 0,
        read_up_to: None,
        last_message: None,
        tail_ids: Vec::new(),
        known_from: 0,
        older: Vec::new(),
        mark: None,
    }
}

/// Where a message stands: the server's order, else the server's time, else arrival (D13).
pub fn order_of(message: &Message) -> OrderKey {
    OrderKey { seq: message.seq.unwrap_or(u64::MAX), at_ms: message.created_at_ms, arrival: 0 }
}

/// Before everything.
pub(super) const NOTHING: OrderKey = OrderKey { seq: 0, at_ms: i64::MIN, arrival: 0 };

impl Log {
    pub(super) fn new(head: HistoryHead, segment_rows: u32) -> Self {
        Self {
            joint_stored: head.joined_to.is_some(),
            head,
            head_dirty: false,
            head_writing: false,
            segments: SortedMap::new(),
            index: SortedMap::new(),
            lost: Vec::new(),
            damaged: SortedSet::new(),
            asked: SortedSet::new(),
            ops: Queue::new(),
            used: 0,
            reading: None,
            untold: None,
            version: None,
            unsure: true,
            catches_up: true,
            before_sent: None,
            dropped: Vec::new(),
            torn: false,
            fetching: false,
            exhausted: false,
            moved: false,
            place: None,
            met: false,
            refused: None,
            earlier_step: 0,
            earlier_rows: 0,
            listed_cursor: None,
            strays: Vec::new(),
            segment_rows: segment_rows as usize,
        }
    }

    /// The version of the head's record.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// The segment that goes on from `reached`, of those that are not `done`.
    pub fn next_segment(&self, reached: Option<OrderKey>, done: &[u32]) -> Option<SegmentInfo> {
        let goes_on = |info: &&SegmentInfo| {
            reached.is_none_or(|reached| info.last >= reached) && !done.contains(&info.number)
        };
        self.head.segments.iter().find(goes_on).copied()
    }

    /// Whether that segment belongs to the conversation.
    pub fn lists(&self, number: u32) -> bool {
        self.info(number).is_some()
    }

    /// Its rows, where they are in memory.
    pub fn loaded(&self, number: u32) -> Option<Vec<Message>> {
        let loaded = self.segments.get(&number)?;
        let mut rows = Vec::with_capacity(loaded.rows.len());
        for row in &loaded.rows {
            rows.push(row.message.clone());
        }
        Some(rows)
    }

    /// The cursor along the contiguous prefix.
    pub fn cursor(&self) -> Option<u64> {
        self.head.cursor
    }

    /// Where the next catch-up begins.
    pub fn pull_mark(&self) -> Option<(String, u64, bool)> {
        self.head.mark.clone()
    }

    /// After which sequence number the next catch-up begins; `None`: at the newest page, nothing is known yet.
    pub fn pull_from(&self) -> Option<u64> {
        self.head.cursor.or_else(|| self.met.then_some(0))
    }

    pub fn unread(&self) -> u32 {
        self.head.unread
    }

    /// The newest message.
    pub fn last_message(&self) -> Option<&Message> {
        match self.tail_number().and_then(|number| self.segments.get(&number)) {
            Some(tail) => tail.rows.last().map(|row| &row.message),
            None => self.head.last_message.as_ref(),
        }
    }

    /// An operation or a window has asked for what it needs, and may have the half of it.
    pub(super) fn waits(&self) -> bool {
        !self.ops.is_empty() || !self.asked.is_empty()
    }

    /// What was looked through goes again, unless there are few.
    pub(super) fn give_back(&mut self, number: u32, needed: &[u32]) {
        let idle = self.segments.get(&number).is_some_and(Loaded::is_stored);
        let few = self.segments.len() <= FEW_SEGMENTS || self.tail_number() == Some(number);
        if idle && !few && !needed.contains(&number) {
            self.segments.remove(&number);
        }
    }

    /// Something is under way that must not be thrown away.
    pub(super) fn busy(&self) -> bool {
        !self.ops.is_empty()
            || self.head_dirty
            || self.head_writing
            || self.segments.any(&|_, loaded| loaded.dirty || loaded.writing)
            || self.index.any(&|_, loaded| loaded.dirty || loaded.writing)
    }

    /// Nothing of this is to be written any more.
    pub(super) fn forget_writes(&mut self) {
        (self.head_dirty, self.head_writing) = (false, false);
        self.dropped.clear();
        for (_, loaded) in self.segments.iter_mut() {
            (loaded.dirty, loaded.writing) = (false, false);
        }
        for (_, loaded) in self.index.iter_mut() {
            (loaded.dirty, loaded.writing) = (false, false);
        }
    }

    /// Whether what is in memory says that a key or id with this fingerprint stands here.
    pub(super) fn may_hold(&self, print: u32) -> bool {
        self.head.tail_ids.contains(&print)
            || self.index.any(&|_, loaded| !loaded.page.candidates(print).is_empty())
    }

    pub(super) fn tail_number(&self) -> Option<u32> {
        self.head.segments.last().map(|info| info.number)
    }

    /// The place in the directory of the segment in which a row of that order belongs.
    pub(super) fn place_for(&self, order: &OrderKey) -> Option<usize> {
        let segments = &self.head.segments;
        let starts_before = |at: usize| segments.get(at).is_some_and(|info| info.first <= *order);
        let after = partition_point(segments.len(), &starts_before);
        (!segments.is_empty()).then(|| after.saturating_sub(1))
    }

    /// The place of a segment in the directory.
    pub(super) fn place_of(&self, number: u32) -> Option<usize> {
        self.head.segments.iter().rposition(|info| info.number == number)
    }

    pub(super) fn info(&self, number: u32) -> Option<&SegmentInfo> {
        self.head.segments.get(self.place_of(number)?)
    }

    /// All segments but the tail.
    pub(super) fn sealed(&self) -> &[SegmentInfo] {
        self.head.segments.split_last().map_or(&[], |(_, sealed)| sealed)
    }

    /// Whether the store can have a record of that index page: some sealed segment falls into it.
    pub(super) fn index_exists(&self, page: u32) -> bool {
        self.sealed().iter().any(|info| index_page_of(info.number) == page)
    }

    /// The newest loaded row of a kind.
    pub(super) fn loaded_where(&self, wanted: &dyn Fn(&Message) -> bool) -> Option<&Row> {
        for info in self.head.segments.iter().rev() {
            if let Some(loaded) = self.segments.get(&info.number)
                && let Some(at) = loaded.newest(wanted)
            {
                return loaded.rows.get(at);
            }
        }
        None
    }

    /// The newest row that the server has told of. `Err`: it may stand in this segment, which is not in memory.
    pub(super) fn newest_with_id(&self) -> Result<Option<&Message>, SegmentInfo> {
        for info in self.head.segments.iter().rev() {
            let loaded = self.segments.get(&info.number).ok_or(*info)?;
            if let Some(at) = loaded.newest(&|message| message.id.is_some()) {
                return Ok(loaded.rows.get(at).map(|row| &row.message));
            }
        }
        Ok(None)
    }

    /// The message of a loaded row.
    pub(super) fn message_at(&self, number: u32, at: usize) -> Option<&Message> {
        Some(&self.segments.get(&number)?.rows.get(at)?.message)
    }

    /// The loaded row with this row key, newest segments first.
    pub(super) fn loaded_row(&self, row_key: &str) -> Option<&Row> {
        self.loaded_where(&|message| message.row_key == row_key)
    }

    /// The loaded row with this server id.
    pub(super) fn loaded_by_id(&self, id: &str) -> Option<&Row> {
        self.loaded_where(&|message| message.id.as_deref() == Some(id))
    }

    /// The loaded row with this key or id.
    pub(super) fn loaded_by_name(&self, name: &str) -> Option<&Row> {
        self.loaded_where(&|message| {
            message.row_key == name
                || message.id.as_deref() == Some(name)
                || message.key.as_deref() == Some(name)
        })
    }

    /// A segment cannot be read; to be called before the cursor is put back.
    pub(super) fn lose(&mut self, info: &SegmentInfo) {
        self.head.told_through = self.head.told_through.max(self.head.cursor.unwrap_or(0));
        let known = self.damaged.contains(&Want::Segment(info.number).code());
        if info.first.seq == u64::MAX && !known {
            self.lost.push((info.first, info.last, info.count));
        }
    }

    /// Whether a row that comes in was in a segment that has been lost.
    pub(super) fn was_lost(&mut self, message: &Message) -> bool {
        if let Some(seq) = message.seq {
            return seq <= self.head.told_through;
        }
        let order = order_of(message);
        let lost = self.lost.iter().position(|(first, last, _)| *first <= order && order <= *last);
        let Some((at, (_, _, rows))) = lost.and_then(|at| Some((at, self.lost.get_mut(at)?))) else {
            return false;
        };
        *rows = rows.saturating_sub(1);
        if *rows == 0 {
            self.lost.remove(at);
        }
        true
    }

    /// Brings the directory entry of a segment in line with its rows.
    pub(super) fn refresh_info(&mut self, number: u32) {
        let Some(loaded) = self.segments.get(&number) else { return };
        let (first, last) = match (loaded.rows.first(), loaded.rows.last()) {
            (Some(first), Some(last)) => (order_of(&first.message), order_of(&last.message)),
            // Only the tail can be empty: it begins where the segment before it ends.
            _ => {
                let before = self.head.segments.iter().rev().find(|info| info.number != number);
                let at = before.map_or(NOTHING, |info| info.last);
                (at, at)
            }
        };
        let count = u32::try_from(loaded.rows.len()).unwrap_or(u32::MAX);
        let place = self.place_of(number);
        if let Some(info) = place.and_then(|at| self.head.segments.get_mut(at)) {
            (info.first, info.last, info.count) = (first, last, count);
        }
    }
}
