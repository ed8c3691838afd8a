//! What this user has read.

use super::super::model::{Message, Sender};
use super::super::store::OrderKey;
use super::log::order_of;
use super::{Op, Timelines};

/// Read receipts sent for one `markRead` at most: the newest.
const MAX_RECEIPTS: usize = 100;

impl Timelines {
    /// Marks everything up to a row as read. The server ids of the messages that were unread, oldest first.
    pub fn mark_read(&mut self, conversation_id: &str, row_key: &str) -> Option<Vec<String>> {
        let log = self.logs.get_mut(conversation_id)?;
        let order = order_of(&log.loaded_row(row_key)?.message);
        let before = log.head.read_up_to;
        if before.is_some_and(|read| read >= order) {
            return Some(Vec::new());
        }
        let mut ids = Vec::new();
        let mut after = 0;
        for info in log.head.segments.iter().rev() {
            let Some(loaded) = log.segments.get(&info.number) else { break };
            for row in loaded.rows.iter().rev().filter(|row| row.message.sender != Sender::Me) {
                let at = order_of(&row.message);
                if at > order {
                    after += 1;
                } else if before.is_none_or(|read| at > read)
                    && ids.len() < MAX_RECEIPTS
                    && let Some(id) = &row.message.id
                {
                    ids.push(id.clone());
                }
            }
        }
        ids.reverse();
        log.head.read_up_to = Some(order);
        log.head.unread = after;
        log.head_dirty = true;
        Some(ids)
    }

    /// The newest loaded messages of others, oldest first.
    pub fn newest_of_others(&self, conversation_id: &str, count: usize) -> Vec<Message> {
        let Some(log) = self.logs.get(conversation_id) else { return Vec::new() };
        let loaded = log.head.segments.iter().rev().map_while(|info| log.segments.get(&info.number));
        let rows = loaded.flat_map(|loaded| loaded.rows.iter().rev());
        let others = rows.filter(|row| row.message.sender != Sender::Me).take(count);
        let mut newest: Vec<Message> = others.map(|row| row.message.clone()).collect();
        newest.reverse();
        newest
    }

    /// The row key of the newest loaded message.
    pub fn newest_loaded(&self, conversation_id: &str) -> Option<String> {
        let log = self.logs.get(conversation_id)?;
        let tail = log.segments.get(&log.tail_number()?)?;
        tail.rows.last().map(|row| row.message.row_key.clone())
    }

    /// Another device of this user has read up to there.
    pub fn read_elsewhere(&mut self, conversation_id: &str, seq: u64) {
        let log = self.log_mut(conversation_id);
        if log.head.read_up_to.is_none_or(|read| read.seq < seq) {
            self.push(conversation_id, Op::ReadTo { seq });
        }
    }

    pub(super) fn apply_read(&mut self, conversation_id: &str, seq: u64) {
        let order = OrderKey { seq, at_ms: i64::MAX, arrival: u64::MAX };
        let log = self.log_mut(conversation_id);
        if log.head.read_up_to.is_some_and(|read| read >= order) {
            return;
        }
        log.head.read_up_to = Some(order);
        let later = log.head.segments.iter().rev().take_while(|info| info.last.seq > seq);
        let rows = later.filter_map(|info| log.segments.get(&info.number)).flat_map(|loaded| &loaded.rows);
        let unread =
            rows.filter(|row| row.message.sender != Sender::Me && log.is_unread(&row.message)).count();
        log.head.unread = u32::try_from(unread).unwrap_or(u32::MAX);
        log.head_dirty = true;
        self.actions.push_back(super::Action::Read { conversation_id: conversation_id.to_owned() });
    }
}
