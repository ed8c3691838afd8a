//! Windows: the newest rows of a conversation, growing to the older ones, with the queued messages below.

use crate::proto::sorted::{SortedMap, SortedSet};

use super::super::api::{ViewId, ViewUpdate};
use super::super::model::{ErrorCode, Failure, Message, Phase, Sender, Status};
use super::log::Want;
use super::pending::{Pending, changed_rows, put_on_top};
use super::{Action, Timelines};
use crate::proto::text::concat;
use crate::proto::wire::json::decimal;

/// Rows of a window when it is opened (SPEC.md chapter 3).
const FIRST_ROWS: usize = 50;

/// A queued message as a window shows it.
pub struct Echo {
    pub message: Message,
    pub revision: u64,
}

/// What the outbox has of a conversation: messages, and what changes them.
pub struct Echoes {
    pub messages: Vec<Echo>,
    pub pending: Vec<Pending>,
}

#[derive(Debug)]
pub(super) struct View {
    pub conversation_id: String,
    pub dirty: bool,
    limit: usize,
    /// The server knows no such conversation.
    unknown: bool,
    slots: SortedMap<String, (u32, u64)>,
    next_slot: u32,
    last: Option<ViewUpdate>,
}

impl Timelines {
    pub fn open_view(&mut self, view: ViewId, conversation_id: &str) -> Result<(), Failure> {
        if self.views.contains_key(&view) {
            return Err(Failure::new(
                ErrorCode::Validation,
                concat(&["view: ", &decimal(view.into()), " is open already"]),
            ));
        }
        let new = View {
            conversation_id: conversation_id.to_owned(),
            dirty: true,
            limit: FIRST_ROWS,
            unknown: false,
            slots: SortedMap::new(),
            next_slot: 0,
            last: None,
        };
        self.views.insert(view, new);
        Ok(())
    }

    pub fn close_view(&mut self, view: ViewId) {
        self.views.remove(&view);
    }

    /// Widens a window by `count` rows to the past.
    pub fn load_earlier(&mut self, view: ViewId, count: u32) -> Result<(), Failure> {
        let max = self.max_window_rows;
        let Some(open) = self.views.get_mut(&view) else {
            return Err(Failure::new(
                ErrorCode::NotFound,
                concat(&["view: ", &decimal(view.into()), " is not open"]),
            ));
        };
        if open.limit >= max {
            let text =
                concat(&["a window shows at most ", &decimal(max as u64), " rows (limits.maxWindowRows)"]);
            return Err(Failure::new(ErrorCode::TooLarge, text));
        }
        open.limit = open.limit.saturating_add(count as usize).min(max);
        open.dirty = true;
        Ok(())
    }

    /// The conversation whose window was opened last.
    pub fn open_conversation(&self) -> Option<String> {
        self.views.values().next_back().map(|view| view.conversation_id.clone())
    }

    /// Receipts of the time away would be seen: the newest message is an own one, or a window is open.
    pub fn wants_receipts(&self, conversation_id: &str) -> bool {
        let newest = self.logs.get(conversation_id).and_then(|log| log.last_message());
        newest.is_some_and(|message| message.sender == Sender::Me && message.status < Status::Read)
            || self.is_viewed(conversation_id)
    }

    pub(super) fn is_viewed(&self, conversation_id: &str) -> bool {
        self.views.any(&|_, view| view.conversation_id == conversation_id)
    }

    pub(super) fn dirty_all_views(&mut self) {
        for (_, view) in self.views.iter_mut() {
            view.dirty = true;
        }
    }

    /// Rows of this window are still on their way out of the store.
    pub fn is_loading(&self, view: ViewId) -> bool {
        self.views
            .get(&view)
            .is_some_and(|view| view.dirty || view.last.as_ref().is_some_and(|last| last.loading))
    }

    pub fn views_dirty(&self) -> bool {
        self.views.any(&|_, view| view.dirty)
    }

    /// A queued message of that conversation looks different now.
    pub fn on_echo_changed(&mut self, conversation_id: &str) {
        self.dirty_views(conversation_id);
    }

    /// The server tells of this conversation: a window that was said to show none shows it.
    pub fn on_conversation(&mut self, conversation_id: &str) {
        for (_, view) in self.views.iter_mut() {
            view.dirty |= view.unknown && view.conversation_id == conversation_id;
        }
    }

    /// What has changed in each dirty window. `leads`: queued messages stand until they are settled; in another tab what
    /// the history has counts.
    pub fn flush(
        &mut self,
        leads: bool,
        echoes_of: &dyn Fn(&str) -> Echoes,
        may_exist: &dyn Fn(&str) -> bool,
    ) -> Vec<ViewUpdate> {
        let mut updates = Vec::new();
        for id in self.views.keys_where(&|_, view| view.dirty) {
            if let Some(update) = self.update_view(id, leads, echoes_of, may_exist) {
                updates.push(update);
            }
        }
        updates
    }

    fn update_view(
        &mut self,
        id: ViewId,
        leads: bool,
        echoes_of: &dyn Fn(&str) -> Echoes,
        may_exist: &dyn Fn(&str) -> bool,
    ) -> Option<ViewUpdate> {
        let phase = self.phase;
        let view = self.views.get_mut(&id)?;
        view.dirty = false;
        // Said once the list is there, and not taken back by a loss of the connection.
        view.unknown = (view.unknown || phase == Phase::Live) && !may_exist(&view.conversation_id);
        let Echoes { messages: echoes, pending } = echoes_of(&view.conversation_id);
        let mut standing = SortedSet::new();
        for echo in &echoes {
            if leads {
                standing.insert(echo.message.row_key.clone());
            }
        }
        let mut shown: Vec<(&Message, u64)> = Vec::new();
        let (mut has_earlier, mut loading) = (false, false);
        let log = self.logs.get_mut(&view.conversation_id);
        if let Some(log) = log {
            // Oldest segment first; what is not loaded ends the window until it has come.
            let mut numbers = Vec::new();
            let mut rows = 0;
            for info in log.head.segments.iter().rev() {
                if rows >= view.limit {
                    break;
                }
                if !log.segments.contains_key(&info.number) {
                    loading = true;
                    let want = Want::Segment(info.number);
                    if log.asked.insert(want.code()) {
                        let conversation_id = view.conversation_id.clone();
                        self.actions.push_back(Action::Load { conversation_id, want });
                    }
                    break;
                }
                rows += info.count as usize;
                numbers.push(info.number);
            }
            has_earlier = numbers.len() < log.head.segments.len() || rows > view.limit;
            let mut above = rows.saturating_sub(view.limit);
            for number in numbers.iter().rev() {
                let Some(loaded) = log.segments.get(number) else { continue };
                for row in &loaded.rows {
                    if above > 0 {
                        above -= 1;
                    } else if row.message.key.as_ref().is_none_or(|key| !standing.contains(key)) {
                        shown.push((&row.message, row.revision));
                    }
                }
            }
        }
        for echo in &echoes {
            if leads || !shown.iter().any(|(row, _)| row.key == echo.message.key) {
                shown.push((&echo.message, echo.revision | ECHO));
            }
        }
        if loading && view.last.as_ref().is_some_and(|last| shown.len() < last.order.len()) {
            // Another tab has written: what is shown stays until the rows have been read again.
            return None;
        }
        let changed = changed_rows(&shown, &pending, &self.me);
        put_on_top(&mut shown, &changed);
        view.difference(id, &shown, has_earlier, loading, phase)
    }
}

/// Echoes and rows of the history count their revisions apart: this bit keeps them from being taken for each other.
const ECHO: u64 = 1 << 63;

impl View {
    fn difference(
        &mut self,
        id: ViewId,
        shown: &[(&Message, u64)],
        has_earlier: bool,
        loading: bool,
        phase: Phase,
    ) -> Option<ViewUpdate> {
        let mut slots = SortedMap::new();
        let (mut order, mut rows) = (Vec::with_capacity(shown.len()), Vec::new());
        for (message, revision) in shown {
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
        let update = ViewUpdate {
            view: id,
            conversation_id: self.conversation_id.clone(),
            order,
            rows,
            has_earlier,
            has_later: false,
            loading,
            error: self.unknown.then(unknown_conversation),
            phase,
        };
        let same = self.last.as_ref().is_some_and(|last| {
            update.rows.is_empty()
                && last.order == update.order
                && last.has_earlier == has_earlier
                && last.loading == loading
                && last.error == update.error
                && last.phase == phase
        });
        if same {
            return None;
        }
        let conversation_id = update.conversation_id.clone();
        let (order, error) = (update.order.clone(), update.error.clone());
        self.last = Some(ViewUpdate { conversation_id, order, rows: Vec::new(), error, ..update });
        Some(update)
    }
}

pub fn unknown_conversation() -> Failure {
    let text = "conversationId: no such conversation; chat.conversations() lists those that there are";
    Failure::new(ErrorCode::NotFound, text)
}
