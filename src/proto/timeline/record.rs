//! What a record of the store brings, and what is done where there is none.

use super::super::store::{IndexPage, RecordError, decode_index, decode_segment, index_page_of};
use super::Log;
use super::joint::LOST;
use super::known::{Known, raise_known};
use super::log::{Loaded, LoadedIndex, Row, Want};
use crate::proto::mutant;

impl Log {
    /// Takes in what the store has, unless it is here already.
    pub(super) fn take_record(
        &mut self,
        conversation_id: &str,
        want: Want,
        bytes: Option<&[u8]>,
        revision: u64,
        known: &Known,
    ) -> Result<(), RecordError> {
        let bytes = bytes.ok_or(RecordError::NotARecord)?;
        match want {
            Want::Segment(number) => {
                let (_, messages) = decode_segment(bytes, conversation_id, number)?;
                if !self.segments.contains_key(&number) {
                    // What it does not have a leader writes; in another tab it is read, and told, again until somebody has.
                    let mut loaded = Loaded::default();
                    for mut message in messages {
                        loaded.dirty |= raise_known(known, &mut message);
                        loaded.rows.push(Row { message, revision });
                    }
                    self.head_dirty |= loaded.dirty;
                    // In a tab that does not lead its head may be from before this segment's last change.
                    if let Some(info) = self.place_of(number).and_then(|at| self.head.segments.get_mut(at)) {
                        info.count = loaded.rows.len() as u32;
                    }
                    self.forget_older(&loaded.rows);
                    self.segments.insert(number, loaded);
                    self.list_again(number);
                }
                if self.tail_number() == Some(number) {
                    self.refresh_tail_ids();
                }
            }
            Want::Index(number) => {
                let (_, page) = decode_index(bytes)?;
                if !self.index.contains_key(&number) {
                    self.index.insert(number, LoadedIndex { page, dirty: false, writing: false });
                    self.forget_evicted(number);
                }
            }
        }
        Ok(())
    }

    /// A leader that died before its word has moved a row of the end to where the server's number puts it: in a tab that
    /// does not lead, what was read before that has it still, and is read anew.
    fn forget_older(&mut self, rows: &[Row]) {
        let moved = |old: &Row| {
            old.message.seq.is_none() && rows.iter().any(|row| row.message.row_key == old.message.row_key)
        };
        self.segments.remove_where(&|_, other| other.rows.iter().any(moved));
    }

    /// A loaded segment of which its index page does not know, since that had to be begun anew.
    fn list_again(&mut self, number: u32) {
        let page = self.index.get(&index_page_of(number)).map(|loaded| &loaded.page);
        if page.is_some_and(|page| !page.lists(number)) && self.tail_number() != Some(number) {
            self.index_segment(number);
            self.head_dirty = true;
        }
    }

    /// A record that cannot be had: its rows are fetched again from the server, its index is begun anew.
    pub(super) fn give_up(&mut self, want: Want) {
        match want {
            Want::Segment(number) => {
                if let Some(at) = self.place_of(number) {
                    let info = self.head.segments.remove(at);
                    self.lose(&info);
                    if mutant::is(44) {
                        // Its range stands as if nothing had been in it.
                    } else if self.head.cursor.is_some() {
                        self.cut_range(info.first.seq.saturating_sub(1), info.last.seq);
                    } else {
                        // No row is known to have all before it.
                        self.head.joined_to = Some(LOST.to_owned());
                        self.catches_up = true;
                    }
                    self.head_dirty = true;
                    // It may have been the tail: then another one is, whose fingerprints stood in the index only.
                    self.refresh_tail_ids();
                }
                if let Some(page) = self.index.get_mut(&index_page_of(number)) {
                    page.page.set(number, Vec::new());
                    page.dirty = true;
                }
            }
            Want::Index(page) => {
                let empty = IndexPage { page, segments: Vec::new() };
                self.index.insert(page, LoadedIndex { page: empty, dirty: true, writing: false });
                self.head_dirty = true;
                let mut at = 0;
                while let Some(number) = self.sealed().get(at).map(|info| info.number) {
                    self.list_again(number);
                    at += 1;
                }
            }
        }
    }
}
