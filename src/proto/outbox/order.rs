//! Queue order: that of the store's numbers, which is the order of the commits of all tabs.
//!
//! Law: a conversation's rows stand by number; what has none yet stands behind them in the order of its acceptance,
//! and moves when its number puts it elsewhere.

use super::super::sorted::SortedMap;
use super::{Outbox, Row, RowId};

impl Outbox {
    /// Every row.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Row> {
        let stored = self.by_stored.values().filter_map(|id| self.rows.get(id));
        stored.chain(self.rows.values().filter(|row| row.stored.is_none()))
    }

    /// The rows of a kind, by name: a list of its own, so that they can be changed while it is gone through.
    pub(super) fn ids_of(&self, wanted: &dyn Fn(&Row) -> bool) -> Vec<RowId> {
        self.rows.values().filter(|row| wanted(row)).map(|row| row.id).collect()
    }

    pub(super) fn enter_lane(&mut self, id: RowId, conversation_id: &str) {
        let lane = self.lanes.or_insert_with(conversation_id.to_owned(), Default::default);
        put_in_order(&self.rows, &mut lane.rows, id);
    }

    /// The store's number of a row, by which it finds its place among the others.
    pub(super) fn number(&mut self, id: RowId, stored: u64) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let old = row.stored.replace(stored);
        if let Some(old) = old.filter(|old| *old != stored) {
            self.by_stored.remove(&old);
        }
        self.by_stored.insert(stored, id);
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
        lane.rows.retain(|other| *other != id);
        self.stirred = true;
        if lane.rows.is_empty() {
            self.lanes.remove(conversation_id);
        }
    }
}

fn put_in_order(rows: &SortedMap<RowId, Row>, ids: &mut Vec<RowId>, id: RowId) {
    let order = |id: RowId| (rows.get(&id).and_then(|row| row.stored).unwrap_or(u64::MAX), id);
    let place = order(id);
    ids.retain(|other| *other != id);
    let at = ids.partition_point(|other| order(*other) < place);
    ids.insert(at, id);
}
