//! What must hold of every window: each message is one row, in the server's order.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::store::{decode_head, decode_segment, head_key, segment_key};
use chatwire::proto::{
    Input, Message, RecordId, Status, StoreId, StoreReply, StoreRequest, TabInput, ViewUpdate,
};

use super::plan::ROOMS;
use super::room::LONG;
use super::text;
use super::world::{Happening, World};

#[derive(Default)]
pub struct Window {
    rows: BTreeMap<u32, Message>,
    order: Vec<u32>,
    pub has_earlier: bool,
    pub loading: bool,
    /// It says why its history is not to be had.
    pub refused: bool,
    /// The newest row that the server has named.
    newest: Option<String>,
}

/// No word of a commit takes longer to another tab that runs.
const POST_MS: u64 = 100;

/// A window shows what has come with the next batch: once a frame.
const BATCH_MS: u64 = 20;

/// A read that has failed is made again after five seconds, and then answered.
const READ_AGAIN_MS: u64 = 6000;

/// Reads of all heads.
#[derive(Default)]
pub struct Reads {
    /// Not answered yet.
    open: BTreeSet<StoreId>,
    /// When the last one was carried out.
    last_ms: u64,
    /// When the last one was answered: what has been written since it was made is heard of only now.
    answered_ms: u64,
    /// Until when one that failed is made again.
    again_ms: u64,
}

impl Window {
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Message> {
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
        window.refused = update.error.is_some();
        if !update.loading {
            self.see_newest(at, update.view);
        }
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
                let same = window.rows().filter(|row| text::number(&row.text) == Some(number));
                let rows: Vec<_> = same.map(|row| (&row.row_key, &row.id, row.status)).collect();
                wrong = Some(format!("message {number} is shown {count} times, as {rows:?},"));
            }
        }
        if let Some(what) = wrong {
            let name = self.name(at);
            self.wrong("each message is one row, in order", format!("{what} on {name}"));
        }
    }

    pub fn see_read_asked(&mut self, at: usize, id: StoreId, request: &StoreRequest) {
        if reads_heads(request) {
            self.devices[at].eyes.reads.open.insert(id);
        }
    }

    pub fn see_read(&mut self, at: usize, request: &StoreRequest, reply: &StoreReply) {
        if reads_heads(request) && matches!(reply, StoreReply::Records(_)) {
            self.devices[at].eyes.reads.last_ms = self.t;
        }
        if matches!((request, reply), (StoreRequest::Read(_), StoreReply::Failed { .. })) {
            self.devices[at].eyes.reads.again_ms = self.t + READ_AGAIN_MS;
        }
    }

    pub fn see_read_answered(&mut self, at: usize, id: StoreId) {
        let reads = &mut self.devices[at].eyes.reads;
        if reads.open.remove(&id) {
            reads.answered_ms = self.t;
        }
    }

    /// Rows that are on their way out of the store may be missing for a moment, so this is for a window that waits for none.
    fn see_newest(&mut self, at: usize, view: u32) {
        let Some(window) = self.devices[at].eyes.windows.get_mut(&view) else { return };
        let newest = window.rows().rev().find_map(|row| row.id.clone());
        let before = core::mem::replace(&mut window.newest, newest);
        let gone = |id: &String| {
            is_behind(window.newest.as_deref(), id)
                && window.rows().rev().all(|row| row.id.as_ref() != Some(id))
        };
        if let Some(gone) = before.filter(gone) {
            self.check_gone(at, view, &gone);
        }
    }

    /// Whether the history has a message of that id in a segment that its head lists: of a torn head none is found, and
    /// whoever writes it again does not know of all of them.
    fn head_lists(&self, home: usize, room: &str, id: &str) -> bool {
        let records = &self.disks[home].records;
        let Some((_, head)) =
            records.get(&RecordId::history(head_key(room))).and_then(|bytes| decode_head(bytes).ok())
        else {
            return false;
        };
        head.segments.iter().any(|info| {
            let segment = records.get(&RecordId::history(segment_key(room, info.number)));
            segment
                .and_then(|bytes| decode_segment(bytes, room, info.number).ok())
                .is_some_and(|(_, messages)| messages.iter().any(|message| message.id.as_deref() == Some(id)))
        })
    }

    /// A commit is not answered yet, or its word is not heard yet: what a page shows may be older.
    fn is_on_its_way(&self, home: usize) -> bool {
        use Happening::Input as I;
        self.queue.values().any(|((at, _), what)| {
            self.devices.get(*at).is_some_and(|device| device.person.disk == home)
                && matches!(what, I(Input::Store { .. } | Input::Tab(TabInput::Changed(_))))
        })
    }

    /// What a page that follows has shown, and the head in the store lists, stays shown. Without a cursor the order is that
    /// of the server's clock: where that was set back, a row takes its place above the window when its copy comes.
    fn check_gone(&mut self, at: usize, view: u32, id: &str) {
        let (home, room) = (self.devices[at].person.disk, room_of(view));
        let above = !self.plan.cursor
            && self.devices[at].eyes.windows.get(&view).is_some_and(|window| window.has_earlier);
        if self.devices[at].eyes.leads || above {
            return;
        }
        // What it shows is older than the head that is there now, and it reads that.
        let (reads, written) =
            (&self.devices[at].eyes.reads, self.disks[home].heads_written.get(&head_key(room)));
        // Or the word of it was lost, and it looks later.
        let lost = self.devices[at].eyes.tabs.word_lost_at;
        let unheard = |written: u64| {
            !reads.open.is_empty()
                || self.t <= reads.answered_ms + BATCH_MS
                || lost.is_some_and(|lost| lost >= written)
        };
        let reads_on = written.is_some_and(|written| *written > reads.last_ms && unheard(*written));
        if reads_on || self.t < reads.again_ms {
            return;
        }
        let fresh = written.is_some_and(|written| written + POST_MS > self.t);
        if self.head_lists(home, room, id) && !(fresh && self.is_on_its_way(home)) {
            let what = format!("{} showed {id} in {room}, and does not any more", self.name(at));
            self.wrong("a window never goes back", what);
        }
    }
}

fn room_of(view: u32) -> &'static str {
    ROOMS.get(view as usize - 1).copied().unwrap_or(LONG)
}

/// Whether this newest row is older than that one, which otherwise new rows may have pushed out of the window.
fn is_behind(newest: Option<&str>, id: &str) -> bool {
    let number = |id: &str| id.trim_start_matches('i').parse::<u64>().ok();
    number(newest.unwrap_or("i0")) < number(id)
}

fn reads_heads(request: &StoreRequest) -> bool {
    matches!(request, StoreRequest::Read(reads) if reads.len() >= 4)
}
