//! A transaction on its way: what it says of itself when nobody knows whether it took place.

use super::super::api::Record;
use super::super::outbox::{RowId, Stage};
use super::super::store;
use super::storage::Flight;

impl Flight {
    /// Takes out the rows that it was to add.
    pub(super) fn take_added(&mut self) -> Vec<(RowId, Stage)> {
        let (mut adding, mut others) = (Vec::new(), Vec::new());
        for row in core::mem::take(&mut self.rows) {
            if self.added.contains(&row.0) { adding.push(row) } else { others.push(row) }
        }
        self.rows = others;
        adding
    }

    /// After `Unknown`. A row of ours and the probe each tell by themselves: another leader may have written over the one
    /// or removed the other meanwhile.
    // One copy, not one at each caller.
    #[inline(never)]
    pub(super) fn took_place(&self, rows: &[Record], probe: &[Record]) -> bool {
        let mut found = self.proven;
        for record in rows.iter().chain(probe) {
            found |= store::record_version(&record.bytes) == Some(self.stamp);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::api::Key;
    use super::*;
    use crate::proto::api::RecordId;

    #[test]
    fn an_added_row_tells_that_the_transaction_took_place_though_its_probe_was_written_over() {
        let record = |number: u64, stamp: u64| {
            let row = store::OutboxRow {
                key: "k".to_owned(),
                conversation_id: "r".to_owned(),
                kind: "text".to_owned(),
                text: "one".to_owned(),
                metadata: None,
                reply_to: None,
                reply_to_id: None,
                created_at_ms: 0,
                expires_at_ms: None,
                attempts: 0,
                losses: 0,
                wire: None,
                failure: None,
                change: None,
            };
            Record { key: Key::Number(number), bytes: store::encode_outbox_row(stamp, &row) }
        };
        let flight =
            Flight { stamp: 7, added: vec![1], probe: Some(RecordId::outbox(3)), ..Flight::default() };
        let others = [record(3, 8)];
        assert!(flight.took_place(&[record(3, 8), record(4, 7)], &others));
        assert!(!flight.took_place(&[record(3, 8), record(4, 8)], &others));
        assert!(flight.took_place(&[], &[record(3, 7)]));
    }
}
