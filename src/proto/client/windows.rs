//! Windows: what the application asks of them, and what they ask of the server.

use super::super::api::{Command, CommandId, Outcome, Output, TabOutput, ViewId};
use super::super::model::Failure;
use super::super::sync;
use super::super::timeline::Wanted;
use super::Client;
use super::send::FindFor;
use crate::proto::text::concat;

impl Client {
    /// A command about a window.
    pub(super) fn command_window(&mut self, id: CommandId, command: Command) -> Result<(), Failure> {
        match command {
            Command::OpenTimeline { view, conversation_id } => {
                self.timelines.open_view(view, &conversation_id)?;
                self.follow(&conversation_id, true);
                self.look_at_newest(conversation_id);
                self.done(id, Outcome::Nothing);
            }
            Command::CloseTimeline { view } => {
                self.timelines.close_view(view);
                self.done(id, Outcome::Nothing);
            }
            Command::LoadEarlier { view, count } => {
                self.timelines.load_earlier(view, count)?;
                self.load_waiters.push((view, id));
            }
            Command::LoadLater { view, count } => {
                self.timelines.load_later(view, count)?;
                self.load_waiters.push((view, id));
            }
            Command::ToNewest { view } => {
                self.timelines.show_newest(view)?;
                self.load_waiters.push((view, id));
            }
            Command::JumpTo { view, row_key } => self.jump(id, view, &row_key)?,
            Command::FillGaps { view } => {
                let conversation_id = self.timelines.conversation_in(view)?;
                self.timelines.ask_anew(&conversation_id);
                self.want_earlier(&conversation_id);
                self.done(id, Outcome::Nothing);
            }
            _ => {}
        }
        Ok(())
    }

    fn jump(&mut self, id: CommandId, view: ViewId, row_key: &str) -> Result<(), Failure> {
        let conversation_id = self.timelines.conversation_in(view)?;
        if self.outbox.find(row_key).is_some() {
            // What is queued stands behind the newest.
            self.timelines.show_newest(view)?;
            self.load_waiters.push((view, id));
            return Ok(());
        }
        // The row of somebody else's message is found by the id in its key.
        let prefix = concat(&[&conversation_id, ":"]);
        let name = row_key.strip_prefix(&prefix).unwrap_or(row_key);
        self.find_for(&conversation_id, name, FindFor::Jump { command: id, view });
        Ok(())
    }

    /// A window wants what comes before all that is here: only a leader can ask the server.
    pub(super) fn want_earlier(&mut self, conversation_id: &str) {
        if self.leads() {
            if self.sync.wish(conversation_id) {
                self.timelines.set_fetching(conversation_id, true);
            }
        } else {
            self.timelines.set_fetching(conversation_id, true);
            let wish = self.rng.between(0, u64::from(u32::MAX)) as u32;
            self.beside.wishes.insert(conversation_id.to_owned(), wish);
            let conversation_id = conversation_id.to_owned();
            self.outputs.push_back(Output::Tab(TabOutput::Earlier { conversation_id, wish }));
        }
    }

    /// Windows of other tabs wait until what they wanted is stored, or will not come.
    pub(super) fn answer_wanted_beside(&mut self) {
        if self.beside.wanted.is_empty() || self.storage.writing || self.has_dirty() {
            return;
        }
        let mut done = Vec::new();
        for wanted in self.beside.wanted.iter() {
            if !self.sync.is_under_way(&wanted.0) {
                done.push(wanted.clone());
            }
        }
        for wanted in done {
            self.beside.wanted.remove(&wanted);
            let (conversation_id, wish) = wanted;
            self.outputs.push_back(Output::Tab(TabOutput::Fetched { conversation_id, wish }));
        }
    }

    /// An older wish's answer says nothing of a newer one.
    pub(super) fn on_fetched_beside(&mut self, conversation_id: &str, wish: u32) {
        if self.beside.wishes.get(conversation_id) == Some(&wish) {
            self.beside.wishes.remove(conversation_id);
            self.timelines.set_fetching(conversation_id, false);
        }
    }

    /// The leader that was asked is gone, or its answer did not come.
    pub(super) fn stop_waiting_for_leader(&mut self) {
        while let Some((conversation_id, _)) = self.beside.wishes.pop_first() {
            self.timelines.set_fetching(&conversation_id, false);
        }
    }

    /// Of what is shown the newest page is looked at, once a connection, whichever tab shows it.
    fn look_at_newest(&mut self, conversation_id: String) {
        if self.leads() {
            self.sync.refresh(&conversation_id, true);
        } else {
            self.outputs.push_back(Output::Tab(TabOutput::Shows { conversation_id }));
        }
    }

    /// The leader is live anew: it does not know what is shown here.
    pub(super) fn tell_shown(&mut self) {
        for conversation_id in self.timelines.viewed() {
            self.look_at_newest(conversation_id);
        }
    }

    /// Asks the server for what the next window wants. `false`: nothing is wanted, or it waits.
    pub(super) fn grant_wish(&mut self) -> bool {
        let Some(conversation_id) = self.sync.take_wish() else { return false };
        let rows = self.config.pages.newest;
        let wanted = self.timelines.earlier(&conversation_id, rows).filter(|_| self.sync.pages_backwards());
        self.timelines.set_fetching(&conversation_id, wanted.is_some());
        let Some(wanted) = wanted else { return true };
        match wanted {
            Wanted::Between { after, before } => {
                self.sync.begin(sync::Job::Between { conversation_id, seq: after, before });
            }
            Wanted::Newest if self.sync.has_cursor() => {
                self.sync.begin(sync::Job::Offset { conversation_id, offset: 0 });
            }
            Wanted::Newest => {
                if let Some(here) = self.timelines.here(&conversation_id) {
                    self.sync.begin_earlier(conversation_id, here);
                }
            }
        }
        true
    }
}
