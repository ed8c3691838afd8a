//! Queue order: that of the store's numbers, which is the order of the commits of all tabs.
//!
//! Law: a conversation's rows stand by number; what has none yet stands behind them in the order of its acceptance,
//! and moves when its number puts it elsewhere.

use super::super::api::Now;
use super::super::sorted::{SortedMap, partition_point};
use super::{Outbox, Row, RowId};

impl Outbox {
    /// The rows of a kind, in queue order.
    pub(super) fn in_order(&self, wanted: &dyn Fn(&Row) -> bool) -> Vec<&Row> {
        let mut rows = Vec::new();
        for (_, id) in self.by_stored.iter() {
            self.push_rows(&[**id], wanted, &mut rows);
        }
        for (_, row) in self.rows.iter() {
            if row.stored.is_none() && wanted(row) {
                rows.push(row);
            }
        }
        rows
    }

    /// The rows of all lanes, lane after lane.
    pub(super) fn rows_of_lanes(&self) -> Vec<&Row> {
        let mut rows = Vec::new();
        for (_, lane) in self.lanes.iter() {
            self.push_rows(&lane.rows, &|_| true, &mut rows);
        }
        rows
    }

    /// The rows of a conversation that are neither settled nor failed, in order.
    pub(super) fn lane_rows(&self, conversation_id: &str) -> Vec<&Row> {
        let mut rows = Vec::new();
        if let Some(lane) = self.lanes.get(conversation_id) {
            self.push_rows(&lane.rows, &|_| true, &mut rows);
        }
        rows
    }

    pub(super) fn push_rows<'a>(
        &'a self,
        ids: &[RowId],
        wanted: &dyn Fn(&Row) -> bool,
        rows: &mut Vec<&'a Row>,
    ) {
        for id in ids {
            if let Some(row) = self.rows.get(id)
                && wanted(row)
            {
                rows.push(row);
            }
        }
    }

    /// The rows of a kind, by name: a list of its own, so that they can be changed while it is gone through.
    pub(super) fn ids_of(&self, wanted: &dyn Fn(&Row) -> bool) -> Vec<RowId> {
        self.rows.keys_where(&|_, row| wanted(row))
    }

    /// Whether there is a row of this kind.
    pub(super) fn has_row(&self, wanted: &dyn Fn(&Row) -> bool) -> bool {
        self.rows.any(&|_, row| wanted(row))
    }

    pub(super) fn enter_lane(&mut self, id: RowId, conversation_id: &str) {
        let lane = self.lanes.or_default(conversation_id.to_owned());
        put_in_order(&self.rows, &mut lane.rows, id);
    }

    /// The store's number of a row, by which it finds its place among the others.
    pub(super) fn number(&mut self, id: RowId, stored: u64) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.left = false;
        let old = row.stored.replace(stored);
        if let Some(old) = old.filter(|old| *old != stored) {
            self.by_stored.remove(&old);
        }
        self.by_stored.insert(stored, id);
        self.see_number(stored);
        self.put_in_place(id);
    }

    /// The store has given this number, and one after the other.
    pub(super) fn see_number(&mut self, stored: u64) {
        let skipped = stored.saturating_sub(self.newest_stored.saturating_add(1));
        self.missed = self.missed.saturating_add(skipped);
        self.newest_stored = self.newest_stored.max(stored);
    }

    /// Rows of other tabs may stand before those that are known here: nothing goes before they have been read. So it is with
    /// the first row after a start, since the rows of the store, which may be gone, do not tell the last number.
    pub fn misses_rows(&self) -> bool {
        self.missed > 0
    }

    /// What was held back for want of knowledge may go: the rows have been read.
    pub fn go_on(&mut self, now: Now) {
        if self.held_back && !self.misses_rows() {
            self.on_writable(now);
        }
    }

    /// The store has this row no longer: it gets another number.
    pub(super) fn lose_number(&mut self, id: RowId) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        if let Some(old) = row.stored.take() {
            row.version = 0;
            self.by_stored.remove(&old);
            self.mark_dirty(id);
            self.put_in_place(id);
        }
    }

    fn put_in_place(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        if let Some(ids) = self.by_room.get_mut(&row.record.conversation_id) {
            put_in_order(&self.rows, ids, id);
        }
        if let Some(lane) = self.lanes.get_mut(&row.record.conversation_id)
            && lane.rows.contains(&id)
        {
            put_in_order(&self.rows, &mut lane.rows, id);
        }
    }

    pub(super) fn leave_lane(&mut self, id: RowId, conversation_id: &str) {
        let Some(lane) = self.lanes.get_mut(conversation_id) else { return };
        take_out(&mut lane.rows, id);
        self.stirred = true;
        if lane.rows.is_empty() {
            self.lanes.remove(conversation_id);
        }
    }
}

fn put_in_order(rows: &SortedMap<RowId, Row>, ids: &mut Vec<RowId>, id: RowId) {
    let order = |id: RowId| (rows.get(&id).and_then(|row| row.stored).unwrap_or(u64::MAX), id);
    let place = order(id);
    take_out(ids, id);
    let at = partition_point(ids.len(), &|at| ids.get(at).is_some_and(|other| order(*other) < place));
    ids.insert(at, id);
}

/// A row stands once in a list.
pub(super) fn take_out(ids: &mut Vec<RowId>, id: RowId) {
    if let Some(at) = ids.iter().position(|other| *other == id) {
        ids.remove(at);
    }
}
