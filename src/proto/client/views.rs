//! What applications see: conversations and windows, once a batch.

use super::super::api::{Event, Now, Outcome};
use super::super::model::Conversation;
use super::super::timeline::{Echo, Echoes};
use super::Client;
use super::change::pending_of;
use crate::proto::wire::json::decimal;

impl Client {
    /// Something to show has changed since the last flush.
    pub fn views_dirty(&self) -> bool {
        !self.closed && (self.timelines.views_dirty() || self.rooms.has_changed())
    }

    /// A window has got rows out of the store that it waited for: it is shown at once. Each read is answered once, so that
    /// this is no way round the batches.
    pub fn views_awaited(&self) -> bool {
        !self.closed && self.timelines.views_awaited()
    }

    /// Turns what has changed into events, one for each conversation and window. Called once a batch.
    pub fn flush_views(&mut self, now: Now) {
        if self.closed {
            return;
        }
        for (id, _) in self.rooms.take_changed() {
            self.timelines.on_conversation(&id);
            if let Some(conversation) = self.conversation(&id) {
                self.emit(Event::Conversation { conversation: Box::new(conversation) });
            }
        }
        for (conversation_id, _) in self.rooms.take_removed() {
            self.timelines.on_echo_changed(&conversation_id);
            self.emit(Event::ConversationRemoved { conversation_id });
        }
        let (leads, outbox, rooms) = (self.leads(), &self.outbox, &self.rooms);
        let echoes_of = |conversation_id: &str| -> Echoes {
            let mut messages = Vec::new();
            for row in outbox.echoes(conversation_id) {
                messages.push(Echo { message: outbox.message(row), revision: row.revision });
            }
            Echoes { messages, pending: pending_of(outbox, conversation_id) }
        };
        for update in self.timelines.flush(leads, &echoes_of, &|id| rooms.may_exist(id)) {
            self.emit(Event::View(update));
        }
        if !self.storage.blocked {
            // What it could not be asked for again stays.
            self.timelines.evict();
        }
        self.settle(now);
        self.answer_loads();
    }

    /// `loadEarlier()` is done when its rows have been shown, which may take reads of the store.
    fn answer_loads(&mut self) {
        for (view, id) in core::mem::take(&mut self.load_waiters) {
            if self.timelines.is_loading(view) {
                self.load_waiters.push((view, id));
            } else {
                self.done(id, Outcome::Nothing);
            }
        }
    }

    /// A conversation as the list shows it.
    pub fn conversation(&self, id: &str) -> Option<Conversation> {
        let room = self.rooms.get(id)?;
        let log = self.timelines.log(id);
        let echo = self.outbox.echoes(id).last().map(|row| self.outbox.message(row));
        let mut last_message = echo.or_else(|| log.and_then(|log| log.last_message()).cloned());
        if let Some(last) = &mut last_message {
            self.show_pending(last);
        }
        Some(Conversation {
            id: room.id.clone(),
            kind: room.kind,
            title: room.title.clone(),
            avatar_url: room.avatar_url.clone(),
            members: room.members.clone(),
            last_message,
            unread: log.map_or(0, |log| log.unread()),
            mentions: 0,
            draft: self.drafts.get(id).to_owned(),
            archived: room.archived,
            pinned: room.pinned,
            muted_until: room.muted_until.clone(),
            blocked: room.blocked,
            my_role: room.my_role,
            phase: self.timelines.phase(),
            cursor: log.and_then(|log| log.cursor()).map(decimal),
        })
    }

    /// Cells of the tables of connection and lead, and whether this instance has been through each: for the simulator.
    #[cfg(debug_assertions)]
    pub fn cells(&self) -> Vec<(String, bool)> {
        let mut cells = self.connection.cells();
        cells.append(&mut self.lead.cells());
        cells
    }

    /// What the browser has said last of the origin's storage, as JSON; `null`: nothing yet.
    fn storage_report(&self) -> String {
        if !self.room.known {
            return "null".to_owned();
        }
        let (usage, quota) = (self.room.usage_bytes, self.room.quota_bytes);
        let persisted = [("persisted", self.room.persisted)];
        crate::proto::to_json::figures(&[("usage", usage), ("quota", quota)], &persisted, ("", ""))
    }

    /// Numbers for a person who looks for a fault, as JSON. No text, no token.
    pub fn diagnostics(&self) -> String {
        crate::proto::to_json::figures(
            &[
                ("queued", self.outbox.len() as u64),
                ("conversations", self.rooms.len() as u64),
                ("acks", self.acks.len() as u64),
                ("requests", self.http.len() as u64),
                ("orphans", self.timelines.orphans() as u64),
                ("unsaved", self.timelines.unsaved() as u64),
            ],
            &[
                ("leader", self.leads()),
                ("persistent", self.storage.persistent),
                ("timers", self.timers.next().is_some()),
            ],
            ("storage", &self.storage_report()),
        )
    }
}
