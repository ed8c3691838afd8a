//! Rows whose record cannot be read: written again by whoever knows them.
//!
//! Law: who knows the row as it was last written says nothing new by writing it again. Who does not, says that it may have
//! been sent: what another tab had made of it is not known any more.

use super::super::store::WireMark;
use super::beside::may_have_gone;
use super::intake::EARLIER;
use super::{Outbox, RowId, Stage};

impl Outbox {
    /// The record of a row that is known here cannot be read. Whoever knows it as it was last written does so again. Else the
    /// leader does, over the `version` that the record still has, or under another number where it has none; what another
    /// tab had made of it is not known any more. Maybe no leader knows it: then a tab that follows adds it anew, as one
    /// that may have been sent; one that has a version still it writes over where it is `left` so at a second look.
    pub(super) fn replace_damaged(
        &mut self,
        stored: u64,
        version: Option<u64>,
        same_reign: bool,
        left: bool,
    ) {
        let leads = self.generation != 0;
        let Some(id) = self.by_stored.get(&stored).copied() else { return };
        let Some(row) = self.rows.get_mut(&id).filter(|row| !row.writing) else { return };
        let known = match version {
            Some(version) => version == row.version,
            None => same_reign && row.version != 0,
        };
        if known {
            return self.mark_dirty(id);
        }
        if row.stage == Stage::Removing
            && (leads || row.record.failure.is_some())
            && let Some(version) = version
        {
            // What is to go need not be known, but that nobody has sent what is cancelled.
            row.version = version;
            return self.mark_dirty(id);
        }
        if !leads {
            if version.is_some() && !left {
                return;
            }
            // Without one it would pass for known at the next look.
            row.version = version.unwrap_or_default();
            row.record.wire.get_or_insert(WireMark { generation: EARLIER, attempt: 0 });
            self.add_anew(id, version.is_some());
            return;
        }
        row.version = version.unwrap_or_default();
        if row.stage == Stage::Queued && !row.dirty {
            row.doubtful = true;
            self.met = true;
        }
        match version {
            Some(_) => self.mark_dirty(id),
            None => self.lose_number(id),
        }
    }

    /// A cancel finds no proof that nobody has sent it; a failure that is to go is gone.
    fn add_anew(&mut self, id: RowId, in_place: bool) {
        let Some(row) = self.rows.get(&id) else { return };
        if may_have_gone(&row.record) {
            self.leave_unwanted(id);
        }
        if in_place {
            self.mark_dirty(id);
        } else {
            self.lose_number(id);
        }
    }
}
