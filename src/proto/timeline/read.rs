//! What this user has read.

use super::super::model::{Message, Sender};
use super::super::store::{OrderKey, SegmentInfo};
use super::log::{NOTHING, Row, order_of};
use super::{Log, Op, Timelines};

/// Own messages that one word of a reader marks as read.
const MAX_READ_AT_ONCE: usize = 500;

impl Timelines {
    /// Marks everything up to a row as read, to be told by `tell_more` if `tell`. The server's id of the newest that was
    /// unread; `None`: no such row is loaded.
    pub fn mark_read(&mut self, conversation_id: &str, row_key: &str, tell: bool) -> Option<Option<String>> {
        let log = self.logs.get_mut(conversation_id)?;
        let order = log.seen_order(order_of(&log.loaded_row(row_key)?.message));
        let before = log.head.read_up_to;
        if before.is_some_and(|read| read >= order) {
            return Some(None);
        }
        if tell {
            log.will_tell(order);
        }
        let mut newest = None;
        let mut after = 0;
        for info in log.head.segments.iter().rev() {
            let Some(loaded) = log.segments.get(&info.number) else { break };
            for row in loaded.rows.iter().rev() {
                if row.message.sender == Sender::Me {
                    continue;
                }
                let at = order_of(&row.message);
                if at > order {
                    after += u32::from(row.message.deleted_at_ms.is_none());
                } else if newest.is_none() && before.is_none_or(|read| at > read) {
                    newest.clone_from(&row.message.id);
                }
            }
        }
        log.head.read_up_to = Some(order);
        log.head.unread = after;
        log.head_dirty = true;
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

    /// The ids of own loaded messages before this one of which `user_id` has not read, newest first.
    pub fn own_unread_before(&self, conversation_id: &str, message_id: &str, user_id: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let Some(log) = self.logs.get(conversation_id) else { return ids };
        let mut before = false;
        for info in log.head.segments.iter().rev() {
            let Some(loaded) = log.segments.get(&info.number) else { break };
            for row in loaded.rows.iter().rev() {
                let message = &row.message;
                let read = message.read_by.iter().any(|reader| reader == user_id);
                if before && message.sender == Sender::Me && (read || ids.len() >= MAX_READ_AT_ONCE) {
                    return ids;
                }
                if before && message.sender == Sender::Me {
                    ids.extend(message.id.clone());
                }
                before |= message.id.as_deref() == Some(message_id);
            }
        }
        ids
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
        let read = self.log_mut(conversation_id).head.read_up_to.map_or(0, |read| read.seq);
        if read < seq {
            self.push(conversation_id, Op::ReadTo { seq });
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
            return self.push(conversation_id, Op::ReadTo { seq });
        }
        self.mark_read(conversation_id, &message.row_key, tell);
        self.actions.push_back(super::Action::Read { conversation_id: conversation_id.to_owned() });
    }

    /// Names the newest message of others that this user has read, if it is newer than what the server knows of.
    pub(super) fn apply_tell_read(&mut self, conversation_id: &str, above: u64) {
        let Some(log) = self.logs.get(conversation_id) else { return };
        let Some(read) = log.head.read_up_to else { return };
        let segment = log.place_for(&read).and_then(|at| log.head.segments.get(at));
        let Some(loaded) = segment.and_then(|info| log.segments.get(&info.number)) else { return };
        let told = loaded.newest(&|message| {
            message.sender != Sender::Me && order_of(message) <= read && message.seq > Some(above)
        });
        let told = told.and_then(|at| loaded.rows.get(at));
        if let Some(id) = told.and_then(|row| row.message.id.clone()) {
            let conversation_id = conversation_id.to_owned();
            self.actions.push_back(super::Action::TellRead { conversation_id, ids: vec![id] });
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
        self.actions.push_back(super::Action::TellRead { conversation_id, ids });
    }

    pub(super) fn apply_read(&mut self, conversation_id: &str, seq: u64) {
        let order = OrderKey { seq, at_ms: i64::MAX, arrival: u64::MAX };
        let log = self.log_mut(conversation_id);
        if log.head.read_up_to.is_some_and(|read| read >= order) {
            return;
        }
        log.head.read_up_to = Some(order);
        let mut unread = 0;
        for info in log.head.segments.iter().rev() {
            if info.last.seq <= seq {
                break;
            }
            let Some(loaded) = log.segments.get(&info.number) else { continue };
            for row in &loaded.rows {
                unread += u32::from(row.message.sender != Sender::Me && log.is_unread(&row.message));
            }
        }
        log.head.unread = unread;
        log.head_dirty = true;
        self.actions.push_back(super::Action::Read { conversation_id: conversation_id.to_owned() });
    }
}

impl Log {
    /// Reading goes up to `order` now, and the server is to know.
    fn will_tell(&mut self, order: OrderKey) {
        let read = self.head.read_up_to.unwrap_or(NOTHING);
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
        match self.loaded_where(&|message| message.id.is_some()) {
            Some(told) if told.message.seq.is_none() => order,
            Some(told) => order_of(&told.message),
            None => NOTHING,
        }
    }
}
