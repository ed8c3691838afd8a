//! Records that cannot be read: told, and had again from whoever knows what stood there.

use super::super::api::{Event, Key, Output, Record, TabOutput};
use super::super::model::{ErrorCode, Failure};
use super::super::store;
use super::super::timeline::Want;
use super::Client;
use super::storage::list;
use crate::proto::text::concat;

/// A page says so often that it cannot read a record: what is damaged again as soon as it is written,
/// or written by a later version of the application, is left so.
const MAX_TORN_TOLD: u32 = 20;

impl Client {
    /// A page that cannot be read is made anew from its segments.
    pub(super) fn on_index_scan(&mut self, lists: &[Vec<Record>]) {
        let mut pages = Vec::new();
        for record in list(lists, 0) {
            let Key::Text(key) = &record.key else { continue };
            let Some((id, number)) = store::index_page_named(key) else { continue };
            match store::decode_index(&record.bytes) {
                Ok((_, page)) => pages.push((id, Ok(page))),
                Err(_) => {
                    self.timelines.on_loaded(&id, Want::Index(number), Some(&record.bytes));
                    pages.push((id, Err(number)));
                }
            }
        }
        self.timelines.on_index_scan(&pages);
    }

    pub(super) fn report_damage(&mut self, what: &str, error: &store::RecordError) {
        let text = concat(&[what, " in the store cannot be read: ", &error.text()]);
        self.emit(Event::Error { error: Failure::new(ErrorCode::Storage, text) });
    }

    /// What this tab cannot read the leader may have in memory, and only a leader writes it again.
    pub(super) fn tell_torn(&mut self, conversation_id: &str, segment: u32) {
        if !self.leads() && self.torn_told < MAX_TORN_TOLD {
            self.torn_told += 1;
            let conversation_id = conversation_id.to_owned();
            self.outputs.push_back(Output::Tab(TabOutput::Torn { conversation_id, segment }));
        }
    }

    /// What waits for messages that are not known, out of the records of `meta`.
    pub(super) fn restore_orphans(&mut self, meta: &[Record]) {
        let at = Key::Text(store::ORPHANS_KEY.into());
        let orphans = meta.iter().find(|record| record.key == at);
        if let Err(error) = self.timelines.restore_orphans(orphans.map(|record| record.bytes.as_slice())) {
            // Whoever leads writes it anew; the others meet it with every look.
            if !core::mem::replace(&mut self.storage.orphans_torn, true) {
                self.report_damage("what waits for messages", &error);
            }
        }
    }
}
