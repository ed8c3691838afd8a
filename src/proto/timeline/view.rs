//! Windows: the newest rows of a conversation, growing to the older ones, with the queued messages below.

use super::super::api::{ViewId, ViewUpdate};
use super::super::model::{ErrorCode, Failure, Message, Phase, Sender, Status};
use super::Timelines;
use super::log::{Log, Want};
use super::pending::Pending;
use super::window::{FIRST_ROWS, Needs, Scene, View, anchor_at};
use crate::proto::text::concat;
use crate::proto::wire::json::decimal;

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

impl Timelines {
    pub fn open_view(&mut self, view: ViewId, conversation_id: &str) -> Result<(), Failure> {
        if self.views.contains_key(&view) {
            return Err(Failure::new(
                ErrorCode::Validation,
                concat(&["view: ", &decimal(view.into()), " is open already"]),
            ));
        }
        self.views.insert(view, View::new(conversation_id));
        Ok(())
    }

    pub fn close_view(&mut self, view: ViewId) {
        self.views.remove(&view);
    }

    fn open_view_mut(&mut self, view: ViewId) -> Result<&mut View, Failure> {
        let open = self.views.get_mut(&view);
        open.ok_or_else(|| {
            Failure::new(ErrorCode::NotFound, concat(&["view: ", &decimal(view.into()), " is not open"]))
        })
    }

    /// Widens a window by `count` rows to the past. Where it has as many as it may, its newest rows go out of it.
    ///
    /// # Errors
    /// `notFound`: no such window.
    pub fn load_earlier(&mut self, view: ViewId, count: u32) -> Result<(), Failure> {
        let max = self.max_window_rows;
        let open = self.open_view_mut(view)?;
        if open.anchor.is_none() && open.before + open.grown >= max {
            // From now on it stays where it is.
            open.anchor = open.newest.clone();
        }
        open.before = (open.before + core::mem::take(&mut open.grown)).saturating_add(count as usize);
        if open.anchor.is_none() {
            open.before = open.before.min(max);
        }
        (open.dirty, open.asked_at, open.keeps_later) = (true, None, false);
        Ok(())
    }

    /// Widens a window that does not show the newest rows by `count` rows towards them.
    ///
    /// # Errors
    /// `notFound`: no such window.
    pub fn load_later(&mut self, view: ViewId, count: u32) -> Result<(), Failure> {
        let open = self.open_view_mut(view)?;
        open.after = open.after.saturating_add(count as usize);
        (open.dirty, open.keeps_later) = (true, true);
        Ok(())
    }

    /// Shows the newest rows.
    ///
    /// # Errors
    /// `notFound`: no such window.
    pub fn show_newest(&mut self, view: ViewId) -> Result<(), Failure> {
        let open = self.open_view_mut(view)?;
        (open.anchor, open.newest) = (None, None);
        (open.before, open.after, open.grown) = (FIRST_ROWS, 0, 0);
        open.dirty = true;
        Ok(())
    }

    /// Shows the rows around this one.
    pub fn jump_to(&mut self, view: ViewId, row: &Message) {
        if let Some(open) = self.views.get_mut(&view) {
            open.anchor = Some(anchor_at(row));
            (open.before, open.after, open.grown) = (FIRST_ROWS / 2, FIRST_ROWS / 2, 0);
            (open.dirty, open.asked_at, open.keeps_later) = (true, None, false);
        }
    }

    /// The conversation of a window.
    ///
    /// # Errors
    /// `notFound`: no such window.
    pub fn conversation_in(&mut self, view: ViewId) -> Result<String, Failure> {
        Ok(self.open_view_mut(view)?.conversation_id.clone())
    }

    /// The conversation whose window was opened last.
    pub fn open_conversation(&self) -> Option<String> {
        self.views.values().next_back().map(|view| view.conversation_id.clone())
    }

    /// Receipts of the time away would be seen: the newest message is an own one.
    pub fn wants_receipts(&self, conversation_id: &str) -> bool {
        let newest = self.logs.get(conversation_id).and_then(|log| log.last_message());
        newest.is_some_and(|message| message.sender == Sender::Me && message.status < Status::Read)
    }

    /// The conversation of each window.
    pub fn viewed(&self) -> Vec<String> {
        let mut all = Vec::with_capacity(self.views.len());
        for (_, view) in self.views.iter() {
            all.push(view.conversation_id.clone());
        }
        all
    }

    pub fn is_viewed(&self, conversation_id: &str) -> bool {
        self.views.any(&|_, view| view.conversation_id == conversation_id)
    }

    pub(super) fn dirty_all_views(&mut self) {
        for (_, view) in self.views.iter_mut() {
            (view.dirty, view.asked_at) = (true, None);
        }
    }

    /// Rows of this window are still on their way out of the store.
    pub fn is_loading(&self, view: ViewId) -> bool {
        self.views.get(&view).is_some_and(|view| view.dirty || view.waits())
    }

    /// Rows that a window waited for have come out of the store since the last flush.
    pub fn views_awaited(&self) -> bool {
        self.awaited
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
        self.awaited = false;
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
        let (phase, max) = (self.phase, self.max_window_rows);
        let view = self.views.get_mut(&id)?;
        view.dirty = false;
        // Said once the list is there, and not taken back by a loss of the connection.
        view.unknown = (view.unknown || phase == Phase::Live) && !may_exist(&view.conversation_id);
        let Echoes { messages: mut echoes, pending } = echoes_of(&view.conversation_id);
        let mut needs = Needs::default();
        let log = self.logs.get(&view.conversation_id);
        let mut wants = Vec::new();
        if let Some(log) = log {
            log.bare(&mut echoes, &mut view.answered, &mut wants);
        }
        let echoes = Echoes { messages: echoes, pending };
        let scene = Scene { log, leads, echoes: &echoes, me: &self.me, phase, max_rows: max };
        let update = view.update(id, &scene, &mut needs);
        wants.append(&mut needs.wants);
        let conversation_id = view.conversation_id.clone();
        self.load(&conversation_id, wants);
        if needs.earlier {
            self.want_earlier(&conversation_id);
        }
        update
    }
}

/// Marks the revision of an echo: what it answers is gone.
const BARE: u64 = 1 << 61;

impl Log {
    /// What echoes answer may be gone: the segments in which it may stand stay as long as there are such echoes.
    fn bare(&self, echoes: &mut [Echo], answered: &mut Vec<u32>, wants: &mut Vec<Want>) {
        if !echoes.iter().any(|echo| echo.message.reply_to.is_some()) {
            return answered.clear();
        }
        for Echo { message, revision } in echoes {
            self.for_excerpt(message, wants);
            if let Some((number, gone)) = self.hide_excerpt(message) {
                keep(answered, number);
                *revision |= if gone { BARE } else { 0 };
            }
        }
        for want in wants.iter() {
            if let Want::Segment(number) = want {
                keep(answered, *number);
            }
        }
    }
}

fn keep(numbers: &mut Vec<u32>, number: u32) {
    if !numbers.contains(&number) {
        numbers.push(number);
    }
}

pub fn unknown_conversation() -> Failure {
    let text = "conversationId: no such conversation; chat.conversations() lists those that there are";
    Failure::new(ErrorCode::NotFound, text)
}
