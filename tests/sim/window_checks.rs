//! What must hold of every window: each message is one row, in the server's order.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::{Message, Status, ViewUpdate};

use super::text;
use super::world::World;

#[derive(Default)]
pub struct Window {
    rows: BTreeMap<u32, Message>,
    order: Vec<u32>,
    pub has_earlier: bool,
    pub loading: bool,
}

impl Window {
    pub fn rows(&self) -> impl Iterator<Item = &Message> {
        self.order.iter().filter_map(|slot| self.rows.get(slot))
    }
}

impl World {
    pub fn see_view(&mut self, at: usize, update: ViewUpdate) {
        let window = self.devices[at].eyes.windows.entry(update.view).or_default();
        for (slot, row) in update.rows {
            window.rows.insert(slot, row);
        }
        window.order = update.order;
        (window.has_earlier, window.loading) = (update.has_earlier, update.loading);
        // Looking at every row of every update would take longer than all the rest of a run.
        let window = &self.devices[at].eyes.windows[&update.view];
        if !self.events.is_multiple_of(4) && !self.dice.calm {
            return;
        }
        let (mut keys, mut ids, mut last) = (BTreeSet::new(), BTreeSet::new(), 0);
        let mut copies: BTreeMap<usize, u32> = BTreeMap::new();
        let mut wrong = None;
        for row in window.rows() {
            if !keys.insert(&row.row_key) || row.id.as_ref().is_some_and(|id| !ids.insert(id)) {
                wrong = Some(format!("row {} stands twice", row.row_key));
            }
            if let Some(seq) = row.seq {
                if seq <= last {
                    wrong = Some(format!("{seq} stands behind {last}"));
                }
                last = seq;
            }
            if let Some(number) = text::number(&row.text).filter(|_| row.status != Status::Failed) {
                *copies.entry(number).or_default() += 1;
            }
        }
        let keys = self.plan.keys;
        for (number, count) in copies {
            let stored = self.server.ever.get(&number).copied().unwrap_or(1);
            if keys && count > stored.max(1) {
                wrong = Some(format!("message {number} is shown {count} times"));
            }
        }
        if let Some(what) = wrong {
            let name = self.name(at);
            self.wrong("each message is one row, in order", format!("{what} on {name}"));
        }
    }
}
