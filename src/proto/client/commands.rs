//! What the application asks for.

use super::super::api::{Command, CommandId, Now, Outcome, Output, SocketOutput, TabOutput};
use super::super::connection::Emitted;
use super::super::lead::{Signal, State};
use super::super::model::{ConnectionState, ErrorCode, Failure};
use super::super::mutant;
use super::super::profile::Push;
use super::super::queue::Queue;
use super::super::timeline::Change;
use super::super::timer::Timer;
use super::AckFor;
use super::Client;
use super::create::Wanted;

/// Commands that wait for the store to be read, for the other tabs' word, or for the first list.
const MAX_DEFERRED: usize = 1000;
/// A send waits so long for the first list: some backends have a socket that works and a list that never comes.
const LIST_WAIT_MS: u64 = 1_000;
/// Read receipts that wait for a connection.
const MAX_PENDING_READS: usize = 1000;

impl Client {
    /// Before the store is read nothing can be answered, and `connect()` needs to know who leads (D14).
    pub(super) fn must_wait(&self, command: &Command) -> bool {
        match command {
            Command::Connect {} => {
                !self.storage.loaded
                    || self.storage.wiping
                    || (!self.storage.newer
                        && matches!(self.lead.state(), State::Unasked | State::Asked | State::Claims))
            }
            Command::Send(send) => !self.storage.loaded || self.may_be_listed(&send.conversation_id),
            _ => !self.storage.loaded,
        }
    }

    pub(super) fn defer(&mut self, now: Now, id: CommandId, command: Command) -> Result<(), Failure> {
        if self.deferred.len() >= MAX_DEFERRED {
            let text = "too many commands before the store was read; wait for createChat() to resolve";
            return Err(Failure::new(ErrorCode::OutboxFull, text));
        }
        if self.storage.loaded && matches!(command, Command::Send(_)) {
            self.outbox.check_room(self.deferred.len())?;
            if self.timers.get(Timer::Sync).is_none() {
                self.timers.set(Timer::Sync, now.mono_ms + LIST_WAIT_MS);
            }
        }
        self.deferred.push((id, command));
        Ok(())
    }

    /// On a new device a conversation that does not exist is refused and not queued (SPEC.md): while its first list is
    /// under way, that is not known. Nothing waits for one that is slow or is asked for again, or without a connection.
    fn may_be_listed(&self, conversation_id: &str) -> bool {
        self.sync.awaits_list() && self.rooms.is_unheard_of(conversation_id)
    }

    /// `true`: at least one of them waits no more.
    pub(super) fn run_deferred(&mut self, now: Now) -> bool {
        let waiting = core::mem::take(&mut self.deferred);
        let before = waiting.len();
        for (id, command) in waiting {
            if self.must_wait(&command) {
                self.deferred.push((id, command));
            } else if let Err(error) = self.execute(now, id, command) {
                self.refuse(id, error);
            }
        }
        self.deferred.len() < before
    }

    pub(super) fn execute(&mut self, now: Now, id: CommandId, command: Command) -> Result<(), Failure> {
        self.check_wiping(&command)?;
        self.check_newer(&command)?;
        match command {
            Command::Connect {} => self.connect(now, id),
            Command::Disconnect {} => self.disconnect(now, id),
            Command::Close {} => self.close(now, id),
            Command::Send(send) => self.send(now, id, send)?,
            Command::Acknowledged { key } => self.acknowledged(id, key)?,
            Command::Cancel { key } => {
                self.outbox.cancel(&key)?;
                self.removal_waiters.or_default(key).push(id);
            }
            Command::Discard { key } => {
                self.outbox.discard(&key)?;
                self.removal_waiters.or_default(key).push(id);
            }
            Command::Resend { key } => {
                let row = self.outbox.resend(&key)?;
                self.send_waiters.or_default(row).push(id);
            }
            Command::Outbox {} => {
                let mut messages = Vec::new();
                for row in self.outbox.visible_rows() {
                    if row.record.failure.is_none() || !mutant::is(59) {
                        messages.push(self.outbox.message(row));
                    }
                }
                self.done(id, Outcome::Messages(messages));
            }
            command @ (Command::OpenTimeline { .. }
            | Command::CloseTimeline { .. }
            | Command::LoadEarlier { .. }
            | Command::LoadLater { .. }
            | Command::JumpTo { .. }
            | Command::ToNewest { .. }
            | Command::FillGaps { .. }) => self.command_window(id, command)?,
            Command::SetDraft(draft) => self.set_draft(id, draft)?,
            Command::SetTyping { conversation_id, typing } => {
                for (conversation_id, typing) in
                    self.people.set_typing(now, &mut self.timers, &conversation_id, typing)
                {
                    self.push_typing(now, conversation_id, typing);
                }
                self.done(id, Outcome::Nothing);
            }
            Command::MarkRead { conversation_id, row_key } => {
                self.mark_read(now, &conversation_id, &row_key)?;
                self.done(id, Outcome::Nothing);
            }
            Command::ExportConversation { conversation_id, json } => {
                self.export(id, conversation_id, json)?
            }
            Command::CreateDirect { user_id } => self.create_wanted(id, Wanted::Direct { user_id })?,
            Command::CreateGroup { title, members } => {
                self.create_wanted(id, Wanted::Group { title, members })?;
            }
            Command::WireSend { event, topic, payload, ack, timeout_ms } => {
                let push = Push { topic, event, args: Vec::new(), attachments: Vec::new(), ack };
                self.wire_send(now, id, push, payload, timeout_ms)?;
            }
            Command::WireTopic { topic, params } => self.wire_topic(now, id, topic, params)?,
            Command::WireReceive { event, values } => self.wire_receive(now, id, &event, &values),
            Command::WireAnswer { ack_id, payload } => self.wire_answer(id, ack_id, &payload),
            Command::Change(change) => self.change(now, id, change)?,
            Command::Forward { row_key, conversation_id: to } => self.forward(now, id, row_key, to)?,
            Command::Wipe {} => self.wipe(now, id),
        }
        Ok(())
    }

    fn connect(&mut self, now: Now, id: CommandId) {
        self.connection.connect(now, &mut self.timers, &mut self.rng);
        if self.is_served() || self.connection.state() == ConnectionState::Online {
            self.done(id, Outcome::Nothing);
        } else {
            self.connect_waiters.push(id);
        }
    }

    /// D14: whoever waits in a tab that does not lead waits for its leader's socket.
    pub(super) fn answer_connects(&mut self) {
        if self.lead.state() == State::Follows && self.is_served() {
            for id in core::mem::take(&mut self.connect_waiters) {
                self.done(id, Outcome::Nothing);
            }
        }
    }

    fn disconnect(&mut self, now: Now, id: CommandId) {
        self.push_maybe(now, self.profile.presence(false));
        let failure = Failure::new(ErrorCode::Closed, "disconnect() was called");
        self.undo_connects(now, "disconnect", &failure);
        self.done(id, Outcome::Nothing);
    }

    /// Nobody wishes to be connected any more, those included that still wait for the other tabs' word.
    pub(super) fn undo_connects(&mut self, now: Now, reason: &'static str, failure: &Failure) {
        if !mutant::is(56) {
            self.connection.disconnect(reason, now, &mut self.timers);
        }
        for (id, command) in core::mem::take(&mut self.deferred) {
            match command {
                Command::Connect {} => self.connect_waiters.push(id),
                command => self.deferred.push((id, command)),
            }
        }
        self.reject_connects(failure);
    }

    fn close(&mut self, now: Now, id: CommandId) {
        self.push_maybe(now, self.profile.presence(false));
        self.connection.close(now, &mut self.timers);
        self.outbox.shut();
        self.closing = Some(id);
    }

    /// Done when the store has everything; after this nothing goes out any more.
    pub(super) fn finish_close(&mut self, now: Now) {
        // How far was read is written once it is counted.
        let counts = self.leads() && !self.waits_for_store() && self.timelines.counts();
        let quiet = self.store_has_all() && !counts;
        if let Some(id) = self.closing.take_if(|_| quiet) {
            for waiter in self.take_waiters() {
                self.refuse(waiter, Failure::new(ErrorCode::Closed, "the client was closed"));
            }
            self.done(id, Outcome::Nothing);
            self.outputs.push_back(Output::Tab(TabOutput::Release));
            self.lead.shift(Signal::LetGo, now, &mut self.timers);
            self.timers = super::Timers::default();
            self.closed = true;
        }
    }

    /// Every command that has not ended yet.
    fn take_waiters(&mut self) -> Vec<CommandId> {
        let mut waiters = core::mem::take(&mut self.connect_waiters);
        for (id, _) in &self.deferred {
            waiters.push(*id);
        }
        self.deferred.clear();
        for by_key in [&mut self.ack_waiters, &mut self.removal_waiters] {
            for (_, ids) in by_key.iter() {
                waiters.extend_from_slice(ids);
            }
            by_key.clear();
        }
        for (_, id) in &self.load_waiters {
            waiters.push(*id);
        }
        self.load_waiters.clear();
        for (_, ack) in self.acks.iter() {
            if let AckFor::Wire { command, .. } = **ack {
                waiters.push(command);
            }
        }
        self.acks.clear();
        self.take_waiters_for_answers(&mut waiters);
        waiters
    }

    /// Those whose answer the store or a REST request was to bring.
    pub(super) fn take_waiters_for_answers(&mut self, waiters: &mut Vec<CommandId>) {
        for (_, ids) in self.send_waiters.iter() {
            waiters.extend_from_slice(ids);
        }
        self.send_waiters.clear();
        for (id, _) in core::mem::take(&mut self.draft_waiters) {
            waiters.push(id);
        }
        self.storage.take_exports(waiters);
        for (_, find) in self.finds.iter() {
            if let Some(id) = find.command() {
                waiters.push(id);
            }
        }
        self.finds.clear();
        for (_, asked) in self.http.iter() {
            if let Some(id) = asked.job.command() {
                waiters.push(id);
            }
        }
        self.http.clear();
        waiters.extend_from_slice(&self.creations.take_commands());
    }

    fn mark_read(&mut self, now: Now, conversation_id: &str, row_key: &str) -> Result<(), Failure> {
        // Below a queued message stands everything that the server has told.
        let newest = self.outbox.find(row_key).and_then(|_| self.timelines.newest_loaded(conversation_id));
        let row_key = newest.as_deref().unwrap_or(row_key);
        let leads = self.leads();
        let Some(read) = self.timelines.mark_read(conversation_id, row_key, leads) else {
            if self.outbox.find(row_key).is_some() {
                return Ok(());
            }
            let text = "rowKey: no message with this row key is in an open window of the conversation";
            return Err(Failure::new(ErrorCode::NotFound, text));
        };
        self.rooms.touch(conversation_id);
        if let Some(message_id) = read.filter(|_| !leads) {
            let conversation_id = conversation_id.to_owned();
            if self.lead.state() != State::Follows {
                // There may be a tab that leads; if there is none, it is told by this one once it does.
                self.push_read(conversation_id.clone(), message_id.clone());
            }
            self.outputs.push_back(Output::Tab(TabOutput::Read { conversation_id, message_id }));
        }
        self.flush_reads(now);
        Ok(())
    }

    /// A batch of receipts; the next follows when this one has left.
    pub(super) fn tell_read(&mut self, now: Now, conversation_id: &str, ids: Vec<String>) {
        for id in ids {
            self.push_read(conversation_id.to_owned(), id);
        }
        self.flush_reads(now);
        if self.telling
            && let Some(conn) = self.connection.conn()
        {
            self.outputs.push_back(Output::Socket(SocketOutput::WatchDrain { conn }));
        }
    }

    fn push_read(&mut self, conversation_id: String, id: String) {
        if self.pending_reads.len() >= MAX_PENDING_READS {
            self.pending_reads.pop_front();
        }
        self.pending_reads.push_back((conversation_id, id));
    }

    /// Read in a tab that does not lead: it counts here, and the server is told from here.
    pub(super) fn on_read_beside(&mut self, now: Now, conversation_id: String, message_id: String) {
        if self.leads() {
            self.timelines.target(Some(&conversation_id), &message_id, Change::Read { tell: true });
            self.flush_reads(now);
        }
    }

    /// Receipts go out while there is a connection, a batch at a time. What a tab has read that does not lead it leaves
    /// to the one that does, or keeps until it leads itself.
    pub(super) fn flush_reads(&mut self, now: Now) {
        match self.lead.state() {
            State::Leads | State::Unclaimed => {}
            State::Follows => {
                while let Some((conversation_id, message_id)) = self.pending_reads.pop_front() {
                    self.outputs.push_back(Output::Tab(TabOutput::Read { conversation_id, message_id }));
                }
                return;
            }
            _ => return,
        }
        self.emit_reads(now);
        if self.ready && !self.telling && self.pending_reads.is_empty() {
            self.telling = self.timelines.tell_more();
        }
    }

    /// What cannot go yet stays, in its order.
    fn emit_reads(&mut self, now: Now) {
        let mut waiting = Queue::new();
        let mut online = true;
        while let Some((conversation_id, id)) = self.pending_reads.pop_front() {
            let emitted = match self.profile.read(&conversation_id, &id).filter(|_| online) {
                Some(push) => self.put_on_wire(now, push),
                None if online => continue,
                None => Emitted::NotOnline,
            };
            online &= emitted != Emitted::NotOnline;
            if !online || emitted == Emitted::NotJoined {
                waiting.push_back((conversation_id, id));
            }
        }
        self.pending_reads = waiting;
    }

    /// Own typing goes out where the socket is.
    pub(super) fn push_typing(&mut self, now: Now, conversation_id: String, typing: bool) {
        if self.leads() {
            self.push_maybe(now, self.profile.typing(&conversation_id, typing));
        } else {
            self.outputs.push_back(Output::Tab(TabOutput::Typing { conversation_id, typing }));
        }
    }

    pub(super) fn ticket(&mut self) -> u32 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// Says something on the socket if there is one.
    pub(super) fn push_maybe(&mut self, now: Now, push: Option<Push>) {
        if let Some(push) = push {
            self.put_on_wire(now, push);
        }
    }
}
