//! What of the history differs from the store, as records.

use super::super::api::RecordId;
use super::super::store::{self, encode_head, encode_index, encode_segment_rows};
use super::Timelines;
use super::log::{Log, Want};

/// A record of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Head(String),
    Segment(String, u32),
    Index(String, u32),
    /// What waits for messages that are not known.
    Orphans,
    /// It is to be removed.
    Dropped(String, Want),
}

impl Item {
    /// The place of what is to be removed.
    pub fn dropped(&self) -> Option<RecordId> {
        match self {
            Self::Dropped(id, Want::Segment(number)) => {
                Some(RecordId::history(store::segment_key(id, *number)))
            }
            Self::Dropped(id, Want::Index(page)) => Some(RecordId::history(store::index_key(id, *page))),
            _ => None,
        }
    }
}

impl Timelines {
    /// Everything dirty; it counts as under way from here on.
    pub fn take_dirty(&mut self) -> Vec<Item> {
        self.begin_write();
        let mut items = Vec::new();
        if self.take_dirty_orphans() {
            items.push(Item::Orphans);
        }
        for (conversation_id, log) in self.logs.iter_mut() {
            if !log.head_dirty {
                continue;
            }
            (log.head_dirty, log.head_writing) = (false, true);
            log.joint_stored = log.head.joined_to.is_some();
            log.head.last_message = log.last_message().cloned();
            items.push(Item::Head(conversation_id.clone()));
            for want in core::mem::take(&mut log.dropped) {
                items.push(Item::Dropped(conversation_id.clone(), want));
            }
            for (number, loaded) in log.segments.iter_mut() {
                if loaded.dirty {
                    (loaded.dirty, loaded.writing) = (false, true);
                    items.push(Item::Segment(conversation_id.clone(), *number));
                }
            }
            for (page, loaded) in log.index.iter_mut() {
                if loaded.dirty {
                    (loaded.dirty, loaded.writing) = (false, true);
                    items.push(Item::Index(conversation_id.clone(), *page));
                }
            }
        }
        items
    }

    /// Of some conversation it is not counted yet what is unread.
    pub fn counts(&self) -> bool {
        self.logs.any(&|_, log| log.reading.is_some())
    }

    /// Something waits to be applied to the history.
    pub fn is_busy(&self) -> bool {
        self.logs.values().any(|log| !log.ops.is_empty())
    }

    pub fn has_dirty(&self) -> bool {
        self.orphans.dirty || self.logs.any(&|_, log| log.head_dirty)
    }

    /// The record of an item as it is now.
    pub fn encode(&self, version: u64, item: &Item) -> Option<(RecordId, Vec<u8>)> {
        match item {
            Item::Head(id) => {
                let log = self.logs.get(id)?;
                Some((RecordId::history(store::head_key(id)), encode_head(version, &log.head)))
            }
            Item::Segment(id, number) => {
                let rows = &self.logs.get(id)?.segments.get(number)?.rows;
                let mut messages = Vec::with_capacity(rows.len());
                for row in rows {
                    messages.push(&row.message);
                }
                let bytes = encode_segment_rows(version, *number, &messages);
                Some((RecordId::history(store::segment_key(id, *number)), bytes))
            }
            Item::Index(id, page) => {
                let loaded = self.logs.get(id)?.index.get(page)?;
                Some((RecordId::history(store::index_key(id, *page)), encode_index(version, &loaded.page)))
            }
            Item::Orphans => Some((RecordId::meta(store::ORPHANS_KEY), self.encode_orphans(version))),
            Item::Dropped(..) => None,
        }
    }

    /// The store has the item under this version, or (`None`) it has to be written again.
    pub fn on_written(&mut self, item: &Item, version: Option<u64>) {
        let saved = version.is_some();
        let (Item::Head(id) | Item::Segment(id, _) | Item::Index(id, _) | Item::Dropped(id, _)) = item else {
            return self.on_orphans_written(saved);
        };
        let Some(log) = self.logs.get_mut(id) else { return };
        match item {
            Item::Head(_) => {
                // What was on its way when the lead went is known to the store and not here: memory may have had more.
                if core::mem::take(&mut log.head_writing) {
                    log.version = version.or(log.version);
                }
            }
            Item::Segment(_, number) => {
                if let Some(loaded) = log.segments.get_mut(number) {
                    loaded.writing = false;
                    loaded.dirty |= !saved;
                }
            }
            Item::Index(_, page) => {
                if let Some(loaded) = log.index.get_mut(page) {
                    loaded.writing = false;
                    loaded.dirty |= !saved;
                }
            }
            Item::Orphans => {}
            Item::Dropped(_, want) => {
                if !saved {
                    log.dropped.push(*want);
                }
            }
        }
        log.head_dirty |= !saved;
    }

    /// Drops clean segments that no window shows, oldest use first, down to the limits (P6).
    pub fn evict(&mut self) {
        let max = self.limits.max_loaded as usize;
        let (mut loaded, mut sealed) = (0_usize, 0);
        for (_, log) in self.logs.iter() {
            loaded += log.segments.len();
            sealed += log.segments.len().saturating_sub(1);
        }
        loaded = loaded.saturating_sub(self.evict_sealed(sealed));
        if loaded <= max {
            return;
        }
        let mut idle = self.used_at(&|log| !log.busy() && !log.waits() && !log.segments.is_empty());
        while loaded > max {
            let Some(id) = take_oldest(&mut idle) else { return };
            let (viewed, needed) = (self.is_viewed(&id), self.needed_of(&id));
            let Some(log) = self.logs.get_mut(&id) else { continue };
            let before = log.segments.len();
            log.head.last_message = log.last_message().cloned();
            log.segments.remove_where(&|number, _| !needed.contains(number));
            if !viewed {
                log.index.clear();
            }
            loaded = loaded.saturating_sub(before - log.segments.len());
        }
    }

    /// In a burst every conversation has something to write all the time, and would keep all that has come: what is full and
    /// stored goes, the tail stays for the next message. How many went.
    fn evict_sealed(&mut self, sealed: usize) -> usize {
        let (mut gone, max) = (0, self.limits.max_sealed as usize);
        if sealed <= max {
            return gone;
        }
        let mut idle = self.used_at(&|log| !log.waits() && log.segments.len() > 1);
        while sealed.saturating_sub(gone) > max {
            let Some(id) = take_oldest(&mut idle) else { break };
            let needed = self.needed_of(&id);
            let Some(log) = self.logs.get_mut(&id) else { continue };
            let (before, tail) = (log.segments.len(), log.tail_number());
            log.segments.remove_where(&|number, loaded| {
                Some(*number) != tail && loaded.is_stored() && !needed.contains(number)
            });
            gone += before - log.segments.len();
        }
        gone
    }

    /// When those conversations were used last.
    fn used_at(&self, wanted: &dyn Fn(&Log) -> bool) -> Vec<(u64, String)> {
        let mut used = Vec::new();
        for (id, log) in self.logs.iter() {
            if wanted(log) {
                used.push((log.used, id.clone()));
            }
        }
        used
    }

    /// The segments that windows on a conversation show.
    pub(super) fn needed_of(&self, id: &str) -> Vec<u32> {
        let mut needed = Vec::new();
        for view in self.views.values().filter(|view| view.conversation_id == id) {
            needed.extend_from_slice(&view.needs);
            needed.extend_from_slice(&view.answered);
        }
        needed
    }
}

/// Sorting would be a kilobyte of wasm for a few hundred conversations once in a while.
fn take_oldest(idle: &mut Vec<(u64, String)>) -> Option<String> {
    let mut oldest: Option<(usize, u64)> = None;
    for (at, (used, _)) in idle.iter().enumerate() {
        if oldest.is_none_or(|(_, least)| *used < least) {
            oldest = Some((at, *used));
        }
    }
    oldest.map(|(at, _)| idle.swap_remove(at).1)
}

impl Timelines {
    /// The store could not be read just now.
    pub fn on_load_failed(&mut self, conversation_id: &str, want: Want) {
        if let Some(log) = self.logs.get_mut(conversation_id) {
            log.asked.remove(&want.code());
        }
    }

    /// Nothing is in the store any more. What is in memory is written again; what is not is cut out, and fetched again.
    pub fn on_emptied(&mut self) {
        let ids = self.logs.keys_where(&|_, log| log.version.is_some() || !log.head.segments.is_empty());
        for id in ids {
            let Some(log) = self.logs.get_mut(&id) else { continue };
            for info in log.head.segments.clone().into_iter().rev() {
                if !log.segments.contains_key(&info.number) {
                    log.give_up(Want::Segment(info.number));
                }
            }
            let mut at = 0;
            while let Some(number) = log.sealed().get(at).map(|info| info.number) {
                log.index_segment(number);
                at += 1;
            }
            log.head_dirty = true;
            log.segments.iter_mut().for_each(|(_, loaded)| loaded.dirty = true);
            log.index.iter_mut().for_each(|(_, loaded)| loaded.dirty = true);
            self.pull(&id);
            self.dirty_views(&id);
            self.drive(&id);
        }
        self.orphans.dirty = true;
    }

    /// Asks again for everything that operations and windows wait for.
    pub fn retry_loads(&mut self) {
        for id in self.logs.keys_where(&|_, log| !log.ops.is_empty()) {
            self.drive(&id);
        }
        self.dirty_all_views();
    }
}
