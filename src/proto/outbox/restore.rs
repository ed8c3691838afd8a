//! The outbox as the store has it: at the start, at a takeover, after a poke of another tab.

use crate::proto::sorted::SortedSet;

use super::super::api::{Key, Record};
use super::super::model::{ErrorCode, Failure};
use super::super::store::{OutboxRow, RecordError, decode_outbox_row};
use super::{Outbox, RowId, Stage};

impl Outbox {
    /// Brings the rows in line with what the store holds. Rows that another tab has added come in, rows that it has
    /// removed go; a row with a write of our own under way is left alone. Returns the records that cannot be read.
    pub fn reconcile(&mut self, records: &[Record]) -> Vec<(u64, RecordError)> {
        let mut damaged = Vec::new();
        let mut present = SortedSet::new();
        for record in records {
            let Key::Number(stored) = record.key else { continue };
            present.insert(stored);
            match decode_outbox_row(&record.bytes) {
                Ok((version, row)) => self.meet(stored, version, row),
                Err(error) => damaged.push((stored, error)),
            }
        }
        let gone: Vec<RowId> = self
            .rows
            .values()
            .filter(|row| !row.writing && row.stored.is_some_and(|stored| !present.contains(&stored)))
            .map(|row| row.id)
            .collect();
        for id in gone {
            self.vanish(id);
        }
        damaged
    }

    /// Forgets everything (wipe); whoever waits is told.
    pub fn clear(&mut self) {
        let ids: Vec<RowId> = self.rows.keys().copied().collect();
        for id in ids {
            let Some(row) = self.rows.get(&id) else { continue };
            let (key, conversation_id) = (row.record.key.clone(), row.record.conversation_id.clone());
            self.forget(id);
            let failure = Failure::new(ErrorCode::Cancelled, "the store was wiped");
            let result = Err(failure);
            self.actions.push_back(super::Action::Settled {
                key: key.clone(),
                conversation_id: conversation_id.clone(),
                result,
            });
            self.actions.push_back(super::Action::Removed { key, conversation_id });
        }
    }

    fn meet(&mut self, stored: u64, version: u64, record: OutboxRow) {
        if let Some(id) = self.by_stored.get(&stored).copied() {
            let Some(row) = self.rows.get_mut(&id) else { return };
            if row.writing || row.version == version {
                return;
            }
            if row.dirty {
                // Our own change is written next; it only has to know what it replaces.
                row.version = version;
                return;
            }
            // Another tab has rewritten it: its leader, while this one follows.
            row.version = version;
            let idle = matches!(row.stage, Stage::Queued | Stage::Failed);
            if idle {
                row.sent |= record.wire.is_some();
                let failed = record.failure.is_some();
                row.record = record;
                let (conversation_id, was) = (row.record.conversation_id.clone(), row.stage);
                self.set_stage(id, if failed { Stage::Failed } else { Stage::Queued });
                if was == Stage::Failed && !failed {
                    self.enter_lane(id, &conversation_id);
                }
                self.touch(id);
            }
            return;
        }
        // The key of a row that we have added ourselves and whose number has not come back yet (`Unknown`).
        if let Some(known) = self.by_key.get(&record.key).and_then(|id| self.rows.get(id))
            && known.stored.is_none()
        {
            return;
        }
        let failed = record.failure.is_some();
        let on_wire = record.wire.is_some() && !failed;
        let id = self.insert(record, if failed { Stage::Failed } else { Stage::Queued });
        if let Some(row) = self.rows.get_mut(&id) {
            (row.stored, row.version) = (Some(stored), version);
            (row.sent, row.doubtful) = (on_wire, on_wire);
        }
        self.by_stored.insert(stored, id);
        self.touch(id);
    }

    /// Another tab has removed it (answered, cancelled or discarded there).
    fn vanish(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        match row.stage {
            Stage::InFlight { .. } | Stage::Answered => return,
            Stage::Settling => return self.on_written(id, Stage::Settling, None, 0),
            Stage::Removing => return self.on_written(id, Stage::Removing, None, 0),
            _ => {}
        }
        let (key, conversation_id) = (row.record.key.clone(), row.record.conversation_id.clone());
        self.forget(id);
        self.actions.push_back(super::Action::Removed { key, conversation_id });
    }
}
