//! One window on a history: which rows it shows, and what has changed of them.
//!
//! Law: a window is bounded whatever the history. It ends at the newest row, or is anchored at a row that was jumped to.
//! Rows are shown only without a hole in what is loaded; where messages are missing it says so.

use crate::proto::sorted::{SortedMap, SortedSet};

use super::super::api::{ViewId, ViewUpdate};
use super::super::model::{Failure, Message, Phase};
use super::super::store::OrderKey;
use super::log::{Log, Want, order_of};
use super::pending::{changed_rows, put_on_top};
use super::view::{Echoes, unknown_conversation};
use crate::proto::mutant;

/// Rows of a window when it is opened (SPEC.md chapter 3).
pub(super) const FIRST_ROWS: usize = 50;
/// Rows that have come since, and push none out at the other end: somebody may be reading there.
const MAX_GROWN: usize = 3 * FIRST_ROWS;
/// Echoes and rows of the history count their revisions apart: this bit keeps them from being taken for each other.
const ECHO: u64 = 1 << 63;

/// The row that a window stays at.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    pub row_key: String,
    pub order: OrderKey,
}

#[derive(Debug)]
pub(super) struct View {
    pub conversation_id: String,
    pub dirty: bool,
    /// `None`: it ends at the newest row.
    pub anchor: Option<Anchor>,
    /// Rows up to the anchor, with it, or to the newest; and rows behind it.
    pub before: usize,
    pub after: usize,
    /// More rows up to the newest than were asked for, and rows of the history that it showed last.
    pub grown: usize,
    shown: usize,
    /// Where there is no room for both, the rows behind stay.
    pub keeps_later: bool,
    /// Where the oldest row stood, and how far the history was known, when the server was last asked for more.
    pub asked_at: Option<(Option<OrderKey>, u64)>,
    /// What it wants to show is not all in memory yet.
    wants: bool,
    /// The server knows no such conversation.
    pub unknown: bool,
    /// Segments that it shows.
    pub needs: Vec<u32>,
    /// Those in which what echoes answer may stand.
    pub answered: Vec<u32>,
    slots: SortedMap<String, (u32, u64)>,
    next_slot: u32,
    /// The newest row that it shows.
    pub newest: Option<Anchor>,
    pub last: Option<ViewUpdate>,
}

/// What a window shows.
#[derive(Default)]
struct Shown<'a> {
    rows: Vec<(&'a Message, u64)>,
    /// Places in `rows` before which messages are missing.
    gaps: Vec<usize>,
    has_earlier: bool,
    has_later: bool,
    loading: bool,
}

/// What a window is a part of.
pub(super) struct Scene<'a> {
    pub log: Option<&'a Log>,
    /// Queued messages stand until they are settled; in another tab what the history has counts.
    pub leads: bool,
    pub echoes: &'a Echoes,
    pub me: &'a str,
    pub phase: Phase,
    pub max_rows: usize,
}

/// What a window needs before it can show more.
#[derive(Default)]
pub(super) struct Needs {
    pub wants: Vec<Want>,
    /// All that is here is shown, and the window has room for what the server may have before it.
    pub earlier: bool,
}

impl View {
    pub fn new(conversation_id: &str) -> Self {
        Self {
            conversation_id: conversation_id.to_owned(),
            dirty: true,
            anchor: None,
            before: FIRST_ROWS,
            after: 0,
            grown: 0,
            shown: 0,
            keeps_later: false,
            asked_at: None,
            wants: false,
            unknown: false,
            needs: Vec::new(),
            answered: Vec::new(),
            slots: SortedMap::new(),
            next_slot: 0,
            newest: None,
            last: None,
        }
    }

    /// What it is to show is not all here yet, or was last said not to be.
    pub fn waits(&self) -> bool {
        self.wants || self.last.as_ref().is_some_and(|last| last.loading)
    }

    /// The part of the history that is shown, as places counted from the oldest row, and the place behind the anchor.
    fn bounds(&mut self, log: &Log, max_rows: usize, wants: &mut Vec<Want>) -> Option<(usize, usize, usize)> {
        let total = log.rows_before(log.head.segments.len());
        let Some(anchor) = &self.anchor else {
            self.grow(log, total, max_rows);
            return Some((total.saturating_sub(self.before + self.grown), total, total));
        };
        let Some(place) = log.place_of_row(anchor, wants) else {
            return wants.is_empty().then(|| (total.saturating_sub(self.before), total, total));
        };
        let mut start = (place + 1).saturating_sub(self.before);
        let mut end = (place + 1).saturating_add(self.after).min(total);
        if end - start > max_rows {
            if self.keeps_later {
                start = end - max_rows;
            } else {
                end = start + max_rows;
            }
        }
        Some((start, end, place + 1))
    }

    /// What has come behind the newest row that it showed leaves the oldest where it is.
    fn grow(&mut self, log: &Log, total: usize, max_rows: usize) {
        let Some(place) = self.newest.as_ref().and_then(|newest| log.place_of_row(newest, &mut Vec::new()))
        else {
            return;
        };
        let rows = (self.shown + total.saturating_sub(place + 1)).min(max_rows);
        self.grown = rows.saturating_sub(self.before).max(self.grown).min(MAX_GROWN);
    }

    /// The window has moved away from its anchor, or has come to the newest row.
    fn settle_anchor(&mut self, log: &Log, (start, end, anchored): (usize, usize, usize)) {
        let total = log.rows_before(log.head.segments.len());
        // What it has no rows for yet may come from the server.
        let before = if start == 0 { (self.before + end).saturating_sub(anchored) } else { end - start };
        if end == total {
            (self.anchor, self.before, self.after) = (None, before, 0);
        } else if let Some(row) = log.row_at(end.saturating_sub(1)) {
            (self.anchor, self.before, self.after) = (Some(anchor_at(row)), before, 0);
        }
    }

    pub fn update(&mut self, id: ViewId, scene: &Scene<'_>, needs: &mut Needs) -> Option<ViewUpdate> {
        let Echoes { messages: echoes, pending } = scene.echoes;
        let mut standing = SortedSet::new();
        for echo in echoes {
            if scene.leads {
                standing.insert(echo.message.row_key.clone());
            }
        }
        let mut shown = Shown::default();
        self.wants = false;
        if let Some(log) = scene.log {
            self.show(log, &standing, scene, needs, &mut shown);
        }
        if !shown.has_later {
            for echo in echoes {
                if scene.leads || !shown.rows.iter().any(|(row, _)| row.key == echo.message.key) {
                    shown.rows.push((&echo.message, echo.revision | ECHO));
                }
            }
        }
        let shrinks = self.last.as_ref().is_some_and(|last| shown.rows.len() < last.order.len());
        if !needs.wants.is_empty() && shrinks {
            // Another tab has written: what is shown stays until the rows have been read again.
            return None;
        }
        let changed = changed_rows(&shown.rows, pending, scene.me);
        put_on_top(&mut shown.rows, &changed);
        let refused = scene.log.and_then(|log| log.refused.clone());
        self.difference(id, &shown, refused, scene.phase)
    }

    fn show<'a>(
        &mut self,
        log: &'a Log,
        standing: &SortedSet<String>,
        scene: &Scene<'a>,
        needs: &mut Needs,
        shown: &mut Shown<'a>,
    ) {
        let Some(bounds) = self.bounds(log, scene.max_rows, &mut needs.wants) else {
            (shown.loading, self.wants) = (true, true);
            return;
        };
        let (start, end, anchored) = bounds;
        let lacks = anchored.saturating_sub(start) < self.before;
        self.needs.clear();
        // From the newest on: what is not loaded ends the window until it has come.
        let mut segments = Vec::new();
        let mut behind = log.rows_before(log.head.segments.len());
        let total = behind;
        for info in log.head.segments.iter().rev() {
            let first = behind.saturating_sub(info.count as usize);
            if first < end && behind > start {
                self.needs.push(info.number);
                match log.segments.get(&info.number) {
                    Some(loaded) if needs.wants.is_empty() => segments.push((first, loaded)),
                    Some(_) => {}
                    None => log.want_segment(info.number, &mut needs.wants),
                }
            }
            behind = first;
        }
        for (first, loaded) in segments.iter().rev() {
            for (at, row) in loaded.rows.iter().enumerate() {
                let inside = first + at >= start && first + at < end;
                if inside && row.message.key.as_ref().is_none_or(|key| !standing.contains(key)) {
                    if let Some((before, _)) = shown.rows.last()
                        && log.is_gap(before, &row.message)
                    {
                        shown.gaps.push(shown.rows.len());
                    }
                    shown.rows.push((&row.message, row.revision));
                }
            }
        }
        (shown.has_earlier, shown.has_later) = (start > 0, end < total);
        self.wants = !needs.wants.is_empty();
        shown.loading = self.wants;
        if needs.wants.is_empty() {
            self.newest = shown.rows.last().map(|(row, _)| anchor_at(row));
            self.shown = shown.rows.len();
        }
        if start == 0 && !log.is_complete() && !log.exhausted && !self.unknown {
            shown.has_earlier = true;
            let asked_at = (log.head.segments.first().map(|info| info.first), log.head.known_from);
            // What is here already comes out of the store first.
            let room = lacks && needs.wants.is_empty();
            needs.earlier = room && scene.phase == Phase::Live && self.asked_at != Some(asked_at);
            if needs.earlier {
                self.asked_at = Some(asked_at);
            }
        }
        shown.loading |= log.fetching && lacks;
        if self.anchor.is_some() && needs.wants.is_empty() {
            self.settle_anchor(log, bounds);
        }
    }

    fn difference(
        &mut self,
        id: ViewId,
        shown: &Shown<'_>,
        refused: Option<Failure>,
        phase: Phase,
    ) -> Option<ViewUpdate> {
        let mut slots = SortedMap::new();
        let (mut order, mut rows) = (Vec::with_capacity(shown.rows.len()), Vec::new());
        for (message, revision) in &shown.rows {
            let known = self.slots.get(&message.row_key).copied();
            let slot = known.map_or(self.next_slot, |(slot, _)| slot);
            if known.is_none() {
                self.next_slot += 1;
            }
            if known.is_none_or(|(_, before)| before != *revision) {
                rows.push((slot, (*message).clone()));
            }
            order.push(slot);
            slots.insert(message.row_key.clone(), (slot, *revision));
        }
        self.slots = slots;
        let mut gaps = Vec::new();
        for at in &shown.gaps {
            gaps.extend(order.get(*at));
        }
        let update = ViewUpdate {
            view: id,
            conversation_id: self.conversation_id.clone(),
            order,
            rows,
            gaps,
            has_earlier: shown.has_earlier,
            has_later: shown.has_later,
            loading: shown.loading,
            error: self.unknown.then(unknown_conversation).or(refused),
            phase,
        };
        let same = self.last.as_ref().is_some_and(|last| {
            update.rows.is_empty()
                && last.order == update.order
                && last.gaps == update.gaps
                && last.has_earlier == update.has_earlier
                && last.has_later == update.has_later
                && last.loading == update.loading
                && last.error == update.error
                && last.phase == phase
        });
        if same {
            return None;
        }
        self.last = Some(ViewUpdate { rows: Vec::new(), ..copy_of(&update) });
        Some(update)
    }
}

pub(super) fn anchor_at(row: &Message) -> Anchor {
    Anchor { row_key: row.row_key.clone(), order: order_of(row) }
}

/// All but the rows.
fn copy_of(update: &ViewUpdate) -> ViewUpdate {
    ViewUpdate {
        view: update.view,
        conversation_id: update.conversation_id.clone(),
        order: update.order.clone(),
        rows: Vec::new(),
        gaps: update.gaps.clone(),
        error: update.error.clone(),
        ..*update
    }
}

impl Log {
    /// How many rows stand in the first so many segments.
    fn rows_before(&self, segments: usize) -> usize {
        let mut rows = 0;
        for info in self.head.segments.get(..segments).unwrap_or_default() {
            rows += info.count as usize;
        }
        rows
    }

    /// The loaded row at that place.
    fn row_at(&self, place: usize) -> Option<&Message> {
        let mut first = 0;
        for info in &self.head.segments {
            let next = first + info.count as usize;
            if place < next {
                let loaded = self.segments.get(&info.number)?;
                return loaded.rows.get(place - first).map(|row| &row.message);
            }
            first = next;
        }
        None
    }

    /// The place of the anchor's row, or, where it is not there any more, of the one before it. `None`: nothing is here, or
    /// a segment is wanted first.
    // Two places call it: written out in both it is 200 bytes more of wasm.
    #[inline(never)]
    fn place_of_row(&self, anchor: &Anchor, wants: &mut Vec<Want>) -> Option<usize> {
        let at = self.place_for(&anchor.order)?;
        let info = self.head.segments.get(at)?;
        let Some(loaded) = self.segments.get(&info.number) else {
            wants.push(Want::Segment(info.number));
            return None;
        };
        let named = loaded.rows.iter().position(|row| row.message.row_key == anchor.row_key);
        let before = || loaded.rows.iter().rposition(|row| order_of(&row.message) <= anchor.order);
        Some(self.rows_before(at) + named.or_else(before).unwrap_or(0))
    }

    /// Whether messages are missing between two rows that stand one behind the other.
    fn is_gap(&self, before: &Message, after: &Message) -> bool {
        if mutant::is(40) {
            return false;
        }
        if self.head.cursor.is_none() {
            return false;
        }
        let (Some(first), Some(second)) = (before.seq, after.seq) else { return false };
        second > first.saturating_add(1) && !self.is_known_between(first, second)
    }

    fn is_known_between(&self, first: u64, second: u64) -> bool {
        self.ranges().iter().any(|(from, to)| *from <= first && second <= *to)
    }
}
