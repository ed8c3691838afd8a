//! What this user has read.

use super::super::model::{Message, Sender, Status};
use super::super::store::{OrderKey, SegmentInfo};
use super::change::place_in;
use super::log::{NOTHING, Row, order_of};
use super::{Action, Change, Log, Op, Timelines};

/// Segments in which one word of a reader marks own messages as read.
const MAX_SEGMENTS_BACK: u32 = 8;
/// Up to so many segments what is unread is counted anew.
const MAX_RECOUNTED: usize = 8;

impl Timelines {
    /// Marks everything up to a row as read, to be told by `tell_more` if `tell`. The server's id of the newest that was
    /// unread; `None`: no such row is loaded.
    pub fn mark_read(&mut self, conversation_id: &str, row_key: &str, tell: bool) -> Option<Option<String>> {
        let log = self.logs.get_mut(conversation_id)?;
        let message = &log.loaded_row(row_key)?.message;
        let (order, id) = (log.seen_order(order_of(message)), message.id.clone());
        let before = log.read();
        // Further back than memory goes it is told by the row itself, also if that is an own one.
        let newest = log.newest_read(before, order).unwrap_or(id);
        if tell {
            log.will_tell(order);
        }
        self.read_through(conversation_id, order);
        Some(newest)
    }

    /// The newest loaded messages of others, oldest first.
    pub fn newest_of_others(&self, conversation_id: &str, count: usize) -> Vec<Message> {
        let Some(log) = self.logs.get(conversation_id) else { return Vec::new() };
        let mut newest = Vec::new();
        for info in log.head.segments.iter().rev() {
            let Some(loaded) = log.segments.get(&info.number) else { break };
            if newest.len() >= count {
                break;
            }
            for row in loaded.rows.iter().rev() {
                if row.message.sender != Sender::Me && newest.len() < count {
                    newest.push(row.message.clone());
                }
            }
        }
        newest.reverse();
        newest
    }

    /// A reader has come as far as this message: own ones before it are read too.
    pub fn read_before(&mut self, conversation_id: &str, id: &str, user_id: &str) {
        let (id, user_id) = (id.to_owned(), user_id.to_owned());
        let back = Back { id, user_id, at: None, left: MAX_SEGMENTS_BACK };
        self.push(conversation_id, Op::ReadBefore(back));
    }

    /// One segment of it; the one before it is next.
    pub(super) fn apply_read_before(&mut self, conversation_id: &str, mut back: Back) {
        let revision = self.next_revision();
        let me = self.me.clone();
        let change = Change::Status { status: Status::Read, user_id: Some(back.user_id.clone()) };
        let Some(log) = self.logs.get_mut(conversation_id) else { return };
        let (number, end) = match back.at {
            Some(number) => (number, usize::MAX),
            None => match log.position_of_id(&back.id) {
                Some(position) => position,
                None => return,
            },
        };
        let rows = log.segments.get(&number).map_or(0, |loaded| loaded.rows.len()).min(end);
        for at in (0..rows).rev() {
            let Some(message) = log.message_at(number, at) else { break };
            if message.sender != Sender::Me || message.id.is_none() {
                continue;
            }
            if place_in(&message.read_by, &back.user_id).is_some() {
                back.left = 0;
                break;
            }
            if let Some(message) = log.change_at(number, at, &change, &me, revision) {
                self.actions.push_back(Action::Status { message: Box::new(message) });
            }
        }
        back.left = back.left.saturating_sub(1);
        let older = log.place_of(number).and_then(|at| log.head.segments.get(at.checked_sub(1)?));
        back.at = older.filter(|_| back.left > 0).map(|info| info.number);
        if back.at.is_some() {
            log.ops.push_front(Op::ReadBefore(back));
        }
        self.dirty_views(conversation_id);
    }

    /// The row key of the newest loaded message.
    pub fn newest_loaded(&self, conversation_id: &str) -> Option<String> {
        let log = self.logs.get(conversation_id)?;
        let tail = log.segments.get(&log.tail_number()?)?;
        tail.rows.last().map(|row| row.message.row_key.clone())
    }

    /// The server says how far this user has read. Another device may be ahead of this one; where this one is ahead,
    /// its receipt was lost on the way and is told again.
    pub fn on_read_seq(&mut self, conversation_id: &str, seq: u64) {
        let read = self.log_mut(conversation_id).read().map_or(0, |read| read.seq);
        if read < seq {
            self.read_through(conversation_id, through(seq));
        } else if read > seq && read < u64::MAX {
            self.push(conversation_id, Op::TellRead { above: seq });
        }
    }

    /// This user has read this message, but not here.
    pub(super) fn apply_read_elsewhere(&mut self, conversation_id: &str, message: &Message, tell: bool) {
        if let Some(seq) = message.seq {
            if tell {
                self.log_mut(conversation_id).will_tell(order_of(message));
            }
            return self.read_through(conversation_id, through(seq));
        }
        self.mark_read(conversation_id, &message.row_key, tell);
    }

    /// Names the newest message of others that this user has read, if it is newer than what the server knows of.
    pub(super) fn apply_tell_read(&mut self, conversation_id: &str, above: u64) {
        let Some(log) = self.logs.get(conversation_id) else { return };
        let Some(read) = log.read() else { return };
        let segment = log.place_for(&read).and_then(|at| log.head.segments.get(at));
        let Some(loaded) = segment.and_then(|info| log.segments.get(&info.number)) else { return };
        let told = loaded.newest(&|message| {
            message.sender != Sender::Me && order_of(message) <= read && message.seq > Some(above)
        });
        let told = told.and_then(|at| loaded.rows.get(at));
        if let Some(id) = told.and_then(|row| row.message.id.clone()) {
            let conversation_id = conversation_id.to_owned();
            self.actions.push_back(Action::TellRead { conversation_id, ids: vec![id] });
        }
    }

    /// Asks for the next batch of what was read and not told. `false`: everything was.
    pub fn tell_more(&mut self) -> bool {
        let untold = self.logs.iter().find(|(_, log)| log.untold.is_some());
        let Some(conversation_id) = untold.map(|(id, _)| id.clone()) else { return false };
        self.push(&conversation_id, Op::TellMore);
        true
    }

    /// A batch is what one segment holds.
    pub(super) fn apply_tell_more(&mut self, conversation_id: &str) {
        let Some(log) = self.logs.get_mut(conversation_id) else { return };
        let mut ids = Vec::new();
        while let (Some((after, to)), true) = (log.untold, ids.is_empty()) {
            let next = log.next_untold().map(|info| (info.number, info.last));
            let Some((number, last)) = next else {
                log.untold = None;
                break;
            };
            let Some(loaded) = log.segments.get(&number) else {
                // Others have to be read first.
                return self.push(conversation_id, Op::TellMore);
            };
            for Row { message, .. } in &loaded.rows {
                let at = order_of(message);
                if message.sender != Sender::Me && at > after && at <= to {
                    ids.extend(message.id.clone());
                }
            }
            log.untold = Some((last, to));
        }
        let conversation_id = conversation_id.to_owned();
        self.actions.push_back(Action::TellRead { conversation_id, ids });
    }

    /// This user has read up to there, here or elsewhere: what is unread is counted when its turn comes.
    fn read_through(&mut self, conversation_id: &str, order: OrderKey) {
        let log = self.log_mut(conversation_id);
        if log.read().is_none_or(|read| read < order) {
            log.reading = Some(order);
            self.push(conversation_id, Op::CountUnread(Count::new(order)));
        }
    }

    /// One segment of it.
    pub(super) fn apply_count(&mut self, conversation_id: &str, mut count: Count) {
        let needed = self.needed_of(conversation_id);
        let log = self.log_mut(conversation_id);
        if log.reading != Some(count.read) {
            // Reading went on meanwhile, and that is counted.
            return;
        }
        let Some(left) = &mut count.left else {
            count.before = log.head.read_up_to;
            count.left = Some(log.to_count(&mut count.before, count.read));
            return log.ops.push_front(Op::CountUnread(count));
        };
        if let Some(number) = left.pop() {
            let (after, to) = count.before.map_or((count.read, None), |before| (before, Some(count.read)));
            for row in log.segments.get(&number).map_or(&[][..], |loaded| &loaded.rows) {
                let (message, at) = (&row.message, order_of(&row.message));
                let within = at > after && to.is_none_or(|to| at <= to);
                let counts = message.sender != Sender::Me && message.deleted_at_ms.is_none();
                count.rows += u32::from(within && counts);
            }
            log.give_back(number, &needed);
            return log.ops.push_front(Op::CountUnread(count));
        }
        let unread =
            if count.before.is_some() { log.head.unread.saturating_sub(count.rows) } else { count.rows };
        (log.head.read_up_to, log.head.unread) = (log.reading.take(), unread);
        log.head_dirty = true;
        self.actions.push_back(Action::Read { conversation_id: conversation_id.to_owned() });
    }
}

/// All that has no higher number.
fn through(seq: u64) -> OrderKey {
    OrderKey { seq, at_ms: i64::MAX, arrival: u64::MAX }
}

/// What is unread after this user has read up to a row.
#[derive(Clone, Debug)]
pub struct Count {
    read: OrderKey,
    /// Up to where what there is was counted: what lies between goes off it. `None`: all that comes after is counted.
    before: Option<OrderKey>,
    /// Segments that are not counted yet; `None`: it has not begun.
    left: Option<Vec<u32>>,
    rows: u32,
}

impl Count {
    fn new(read: OrderKey) -> Self {
        Self { read, before: None, left: None, rows: 0 }
    }

    /// The segment that is counted next.
    pub(super) fn wants(&self) -> Option<u32> {
        self.left.as_ref()?.last().copied()
    }
}

/// A reader's way back through one's own messages.
#[derive(Clone, Debug)]
pub struct Back {
    pub(super) id: String,
    user_id: String,
    /// The segment that is next; `None`: the one with the message.
    pub(super) at: Option<u32>,
    /// So many more at most.
    left: u32,
}

impl Log {
    /// How far this user has read. What is unread is counted up to `read_up_to` until the next count is over: so the head
    /// is right whenever it is written.
    pub(super) fn read(&self) -> Option<OrderKey> {
        self.reading.max(self.head.read_up_to)
    }

    /// The newest message of others up to `order`, if it comes after `before`; `None`: it is not in memory.
    fn newest_read(&self, before: Option<OrderKey>, order: OrderKey) -> Option<Option<String>> {
        for info in self.head.segments.iter().rev() {
            if info.first > order {
                continue;
            }
            if before.is_some_and(|read| read >= info.last) {
                break;
            }
            let loaded = self.segments.get(&info.number)?;
            let theirs = |message: &Message| message.sender != Sender::Me && order_of(message) <= order;
            if let Some(row) = loaded.newest(&theirs).and_then(|at| loaded.rows.get(at)) {
                let unread = before.is_none_or(|read| order_of(&row.message) > read);
                return Some(row.message.id.clone().filter(|_| unread));
            }
        }
        Some(None)
    }

    /// The segments after `read`; or, where those are many and the way from `before` is shorter, the ones on it.
    fn to_count(&self, before: &mut Option<OrderKey>, read: OrderKey) -> Vec<u32> {
        let (mut after, mut between) = (Vec::new(), Vec::new());
        for info in &self.head.segments {
            if info.last > read {
                after.push(info.number);
            }
            if before.is_some_and(|before| info.last > before) && info.first <= read {
                between.push(info.number);
            }
        }
        if after.len() <= MAX_RECOUNTED || between.len() >= after.len() {
            *before = None;
        }
        if before.is_some() { between } else { after }
    }

    /// Reading goes up to `order` now, and the server is to know.
    fn will_tell(&mut self, order: OrderKey) {
        let read = self.read().unwrap_or(NOTHING);
        if order > read {
            self.untold = Some((self.untold.map_or(read, |(after, _)| after), order));
        }
    }

    /// The first segment of what was read and not told.
    pub(super) fn next_untold(&self) -> Option<&SegmentInfo> {
        let (after, to) = self.untold?;
        self.head.segments.iter().find(|info| info.last > after && info.first <= to)
    }

    /// An own message that has no place yet stands behind everything, also what comes later: what has been read ends
    /// with the newest message before it that has one.
    fn seen_order(&self, order: OrderKey) -> OrderKey {
        if order.seq != u64::MAX {
            return order;
        }
        // The newest that the server has told of: without a number there are none here, and all stand by time.
        match self.newest_with_id() {
            Ok(Some(told)) if told.seq.is_none() => order,
            Ok(told) => told.map_or(NOTHING, order_of),
            Err(unread) if unread.last.seq == u64::MAX => order,
            Err(unread) => unread.last,
        }
    }
}
