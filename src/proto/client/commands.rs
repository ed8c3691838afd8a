//! What the application asks for.

use super::super::api::{Command, CommandId, Now, Outcome, Output, SendCommand, StoreRequest, TabOutput};
use super::super::connection::Emitted;
use super::super::model::{ErrorCode, Failure, Json, Message, ReplyTo};
use super::super::outbox::Queued;
use super::super::profile::Push;
use super::super::store::{OutboxRow, same_content};
use super::super::timer::Timer;
use super::rest::HttpJob;
use super::storage::{Lead, StoreJob};
use super::{AckFor, Client, MAX_WAITERS};

/// Bytes of a message's metadata.
const MAX_METADATA_BYTES: usize = 65_536;
/// Characters of an answered message that are kept with the answer.
const EXCERPT_CHARS: usize = 120;
/// Read receipts that wait for a connection.
const MAX_PENDING_READS: usize = 1000;
const WIRE_ACK_TIMEOUT_MS: u64 = 15_000;

/// Why the history is searched.
pub(super) enum FindFor {
    /// `send()` with a key of the application's own, which may have been sent long ago.
    Send { command: CommandId, record: Box<OutboxRow> },
    /// `acknowledged()` of a message that has left the outbox.
    Acknowledged { command: CommandId },
}

impl Client {
    /// Before the store is read nothing can be answered, and `connect()` needs to know who leads (D14).
    pub(super) fn must_wait(&self, command: &Command) -> bool {
        match command {
            Command::Connect {} => {
                !self.storage.loaded || matches!(self.storage.lead, Lead::Unknown | Lead::Claims)
            }
            _ => !self.storage.loaded,
        }
    }

    pub(super) fn run_deferred(&mut self, now: Now) {
        let waiting = core::mem::take(&mut self.deferred);
        for (id, command) in waiting {
            if self.must_wait(&command) {
                self.deferred.push_back((id, command));
            } else if let Err(error) = self.execute(now, id, command) {
                self.refuse(id, error);
            }
        }
    }

    pub(super) fn execute(&mut self, now: Now, id: CommandId, command: Command) -> Result<(), Failure> {
        match command {
            Command::Connect {} => self.connect(now, id),
            Command::Disconnect {} => self.disconnect(now, id),
            Command::Close {} => self.close(now, id),
            Command::Send(send) => self.send(now, id, send)?,
            Command::Acknowledged { key } => self.acknowledged(id, key)?,
            Command::Cancel { key } => {
                self.outbox.cancel(&key)?;
                self.removal_waiters.or_insert_with(key, Default::default).push(id);
            }
            Command::Discard { key } => {
                self.outbox.discard(&key)?;
                self.removal_waiters.or_insert_with(key, Default::default).push(id);
            }
            Command::Resend { key } => {
                let row = self.outbox.resend(&key)?;
                self.send_waiters.or_insert_with(row, Default::default).push(id);
            }
            Command::Outbox {} => {
                let messages = self.outbox.visible_rows().map(|row| self.outbox.message(row)).collect();
                self.done(id, Outcome::Messages(messages));
            }
            Command::OpenTimeline { view, conversation_id } => {
                self.timelines.open_view(view, &conversation_id)?;
                self.done(id, Outcome::Nothing);
            }
            Command::CloseTimeline { view } => {
                self.timelines.close_view(view);
                self.done(id, Outcome::Nothing);
            }
            Command::LoadEarlier { view, count } => {
                self.timelines.load_earlier(view, count)?;
                self.done(id, Outcome::Nothing);
            }
            Command::SetTyping { conversation_id, typing } => {
                for (conversation_id, typing) in
                    self.people.set_typing(now, &mut self.timers, &conversation_id, typing)
                {
                    self.push_maybe(now, self.profile.typing(&conversation_id, typing));
                }
                self.done(id, Outcome::Nothing);
            }
            Command::MarkRead { conversation_id, row_key } => {
                self.mark_read(now, &conversation_id, &row_key)?;
                self.done(id, Outcome::Nothing);
            }
            Command::CreateDirect { user_id } => {
                let request = self.profile.create_direct(&user_id);
                self.request(request, HttpJob::Create { command: id, user_id: Some(user_id) })?;
            }
            Command::CreateGroup { title, members } => {
                if title.trim().is_empty() {
                    return Err(Failure::new(ErrorCode::Validation, "title: is empty; a group has a title"));
                }
                let request = self.profile.create_group(&title, &members);
                self.request(request, HttpJob::Create { command: id, user_id: None })?;
            }
            Command::WireSend { event, args, ack, timeout_ms } => {
                self.wire_send(now, id, event, args.get(), ack, timeout_ms)?;
            }
            Command::Wipe {} => self.wipe(now, id),
        }
        Ok(())
    }

    fn connect(&mut self, now: Now, id: CommandId) {
        self.connection.connect(now, &mut self.timers, &mut self.rng);
        if !self.leads() {
            // D14: another tab has the socket; this one is as connected as it can be.
            self.done(id, Outcome::Nothing);
        } else if self.connection.state() == super::super::model::ConnectionState::Online {
            self.done(id, Outcome::Nothing);
        } else {
            self.connect_waiters.push(id);
        }
    }

    fn disconnect(&mut self, now: Now, id: CommandId) {
        self.push_maybe(now, self.profile.presence(false));
        self.connection.disconnect(now, &mut self.timers);
        self.done(id, Outcome::Nothing);
    }

    fn close(&mut self, now: Now, id: CommandId) {
        self.push_maybe(now, self.profile.presence(false));
        self.connection.close(now, &mut self.timers);
        self.closing = Some(id);
    }

    /// Done when the store has everything; after this nothing goes out any more.
    pub(super) fn finish_close(&mut self) {
        let history = self.leads() && (self.timelines.has_dirty() || self.rooms.has_dirty());
        let quiet = self.store_quiet() && (!history || self.store_blocked());
        if let Some(id) = self.closing.take_if(|_| quiet) {
            let error = Failure::new(ErrorCode::Closed, "the client was closed");
            let acks = core::mem::take(&mut self.ack_waiters).into_iter().flat_map(|(_, ids)| ids);
            let connects = core::mem::take(&mut self.connect_waiters);
            for waiter in acks.chain(connects).collect::<Vec<_>>() {
                self.refuse(waiter, error.clone());
            }
            self.done(id, Outcome::Nothing);
            self.outputs.push_back(Output::Tab(TabOutput::Release));
            self.timers = super::Timers::default();
            self.closed = true;
        }
    }

    fn send(&mut self, now: Now, id: CommandId, send: SendCommand) -> Result<(), Failure> {
        let own_key = send.key.is_some();
        let record = self.to_record(now, send)?;
        if own_key && self.outbox.find(&record.key).is_none() {
            let ticket = self.ticket();
            self.timelines.find(&record.conversation_id, &record.key, ticket);
            self.finds.insert(ticket, FindFor::Send { command: id, record: Box::new(record) });
            return Ok(());
        }
        self.queue(now, id, record)
    }

    fn queue(&mut self, now: Now, id: CommandId, record: OutboxRow) -> Result<(), Failure> {
        match self.outbox.queue(now, record)? {
            Queued::New(row) => self.send_waiters.or_insert_with(row, Default::default).push(id),
            Queued::Known(row) => {
                let saving =
                    self.outbox.row(row).is_some_and(|row| row.stage == super::super::outbox::Stage::Saving);
                if saving {
                    self.send_waiters.or_insert_with(row, Default::default).push(id);
                } else if let Some(row) = self.outbox.row(row) {
                    let message = self.outbox.message(row);
                    self.done_with(id, message);
                }
            }
        }
        Ok(())
    }

    fn to_record(&mut self, now: Now, send: SendCommand) -> Result<OutboxRow, Failure> {
        let refuse = |text: String| Err(Failure::new(ErrorCode::Validation, text));
        let kind = send.kind.unwrap_or_else(|| "text".to_owned());
        let characters = send.text.chars().count();
        let max = self.config.limits.max_text_length as usize;
        if characters > max {
            let text =
                format!("text: {characters} characters; at most {max} are allowed (limits.maxTextLength)");
            return Err(Failure::new(ErrorCode::TooLarge, text));
        }
        if kind == "text" && send.text.trim().is_empty() {
            return refuse("text: is empty; a text message has at least one visible character".to_owned());
        }
        if kind.is_empty() || kind.len() > 64 {
            return refuse("type: must have 1 to 64 bytes".to_owned());
        }
        if send.conversation_id.is_empty() || !self.rooms.may_exist(&send.conversation_id) {
            let text =
                "conversationId: no such conversation; chat.conversations() lists those that there are";
            return Err(Failure::new(ErrorCode::NotFound, text));
        }
        if send.metadata.as_ref().is_some_and(|json| json.get().len() > MAX_METADATA_BYTES) {
            let text = format!("metadata: more than {MAX_METADATA_BYTES} bytes of JSON");
            return Err(Failure::new(ErrorCode::TooLarge, text));
        }
        if send.key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 128) {
            return refuse("key: must have 1 to 128 bytes".to_owned());
        }
        let wall_ms = i64::try_from(now.wall_ms).unwrap_or(i64::MAX);
        let (reply_to, reply_to_id) = match send.reply_to {
            Some(row_key) => self.reply(&send.conversation_id, row_key)?,
            None => (None, None),
        };
        let key = send.key.unwrap_or_else(|| self.rng.key());
        let ttl = send.ttl_ms.map(|ttl| i64::try_from(ttl).unwrap_or(i64::MAX));
        Ok(OutboxRow {
            key,
            conversation_id: send.conversation_id,
            kind,
            text: send.text,
            metadata: send.metadata.filter(|json| json.get() != "null").map(Json),
            reply_to,
            reply_to_id,
            created_at_ms: wall_ms,
            expires_at_ms: ttl.map(|ttl| wall_ms.saturating_add(ttl)),
            attempts: 0,
            losses: 0,
            wire: None,
            failure: None,
        })
    }

    fn reply(
        &self,
        conversation_id: &str,
        row_key: String,
    ) -> Result<(Option<ReplyTo>, Option<String>), Failure> {
        let stored = self.timelines.loaded_row(conversation_id, &row_key);
        let (text, id) = match (stored, self.outbox.find(&row_key)) {
            (Some(message), _) => (message.text.as_str(), message.id.clone()),
            (None, Some(row)) => (row.record.text.as_str(), None),
            (None, None) => {
                let text = "replyTo: no message with this row key is in an open window of the conversation";
                return Err(Failure::new(ErrorCode::Validation, text));
            }
        };
        let excerpt = text.chars().take(EXCERPT_CHARS).collect();
        Ok((Some(ReplyTo { row_key, excerpt }), id))
    }

    fn acknowledged(&mut self, id: CommandId, key: String) -> Result<(), Failure> {
        if let Some(row) = self.outbox.find(&key) {
            if let Some(failure) =
                row.record.failure.clone().filter(|_| row.status() == super::super::model::Status::Failed)
            {
                return Err(failure);
            }
            if self.ack_waiters.len() >= MAX_WAITERS {
                let text = "too many calls of acknowledged() are waiting";
                return Err(Failure::new(ErrorCode::OutboxFull, text));
            }
            self.ack_waiters.or_insert_with(key, Default::default).push(id);
            return Ok(());
        }
        let ticket = self.ticket();
        self.timelines.find_anywhere(&key, ticket);
        self.finds.insert(ticket, FindFor::Acknowledged { command: id });
        Ok(())
    }

    /// The history has been searched.
    pub(super) fn on_found(&mut self, now: Now, ticket: u32, found: Option<Box<Message>>) {
        match (self.finds.remove(&ticket), found) {
            (Some(FindFor::Send { command, record }), Some(message)) => {
                let same = OutboxRow {
                    kind: message.kind.clone(),
                    text: message.text.clone(),
                    metadata: message.metadata.clone(),
                    reply_to: message.reply_to.clone(),
                    ..(*record).clone()
                };
                if same_content(&same, &record) {
                    self.done_with(command, *message);
                } else {
                    let text = "key: this key belongs to a message with other content; a key is used once";
                    self.refuse(command, Failure::new(ErrorCode::Conflict, text));
                }
            }
            (Some(FindFor::Send { command, record }), None) => {
                if let Err(error) = self.queue(now, command, *record) {
                    self.refuse(command, error);
                }
            }
            (Some(FindFor::Acknowledged { command }), Some(message)) => self.done_with(command, *message),
            (Some(FindFor::Acknowledged { command }), None) => {
                let text = "no message with this key is queued or in the history of this device";
                self.refuse(command, Failure::new(ErrorCode::NotFound, text));
            }
            (None, _) => {}
        }
    }

    fn mark_read(&mut self, now: Now, conversation_id: &str, row_key: &str) -> Result<(), Failure> {
        let Some(ids) = self.timelines.mark_read(conversation_id, row_key) else {
            if self.outbox.find(row_key).is_some() {
                return Ok(());
            }
            let text = "rowKey: no message with this row key is in an open window of the conversation";
            return Err(Failure::new(ErrorCode::NotFound, text));
        };
        self.rooms.touch(conversation_id);
        for id in ids {
            if self.pending_reads.len() >= MAX_PENDING_READS {
                self.pending_reads.pop_front();
            }
            self.pending_reads.push_back((conversation_id.to_owned(), id));
        }
        self.flush_reads(now);
        Ok(())
    }

    pub(super) fn flush_reads(&mut self, now: Now) {
        while let Some((conversation_id, id)) = self.pending_reads.pop_front() {
            if let Some(push) = self.profile.read(&conversation_id, &id)
                && !self.push(now, &push)
            {
                self.pending_reads.push_front((conversation_id, id));
                return;
            }
        }
    }

    fn wire_send(
        &mut self,
        now: Now,
        id: CommandId,
        event: String,
        args: &str,
        ack: bool,
        timeout_ms: Option<u32>,
    ) -> Result<(), Failure> {
        if super::super::wire::socket_io::is_reserved(&event) || event.is_empty() {
            let text = "event: this name is empty or reserved by the framing";
            return Err(Failure::new(ErrorCode::Validation, text));
        }
        let args = if args == "null" { Vec::new() } else { vec![args.to_owned()] };
        let push = Push { event, args, ack };
        match self.connection.emit(&push, now, &mut self.timers, &mut self.rng) {
            Emitted::Sent { ack_id: Some(ack_id), .. } => {
                let wait = timeout_ms.map_or(WIRE_ACK_TIMEOUT_MS, u64::from);
                let deadline_mono_ms = now.mono_ms.saturating_add(wait);
                self.acks.insert(ack_id, AckFor::Wire { command: id, deadline_mono_ms });
                self.update_wire_timer();
            }
            Emitted::Sent { ack_id: None, .. } => self.done(id, Outcome::Nothing),
            Emitted::NotOnline => {
                let text = "wire.send: not online, and events of the backend's own are not queued";
                return Err(Failure::new(ErrorCode::Server, text));
            }
            Emitted::TooLarge { limit, size } => {
                let text = format!("wire.send: {size} bytes; the server takes at most {limit} in a frame");
                return Err(Failure::new(ErrorCode::TooLarge, text));
            }
        }
        Ok(())
    }

    fn update_wire_timer(&mut self) {
        let deadlines = self.acks.values().filter_map(|waiting| match waiting {
            AckFor::Wire { deadline_mono_ms, .. } => Some(*deadline_mono_ms),
            AckFor::Row(_) => None,
        });
        let next = deadlines.min();
        self.timers.update(Timer::WireAck, next);
    }

    pub(super) fn on_wire_ack_timer(&mut self, now: Now) {
        let due: Vec<(u64, CommandId)> = self
            .acks
            .iter()
            .filter_map(|(id, waiting)| match waiting {
                AckFor::Wire { command, deadline_mono_ms } if *deadline_mono_ms <= now.mono_ms => {
                    Some((*id, *command))
                }
                _ => None,
            })
            .collect();
        for (ack_id, command) in due {
            self.acks.remove(&ack_id);
            let text = "wire.send: the server did not answer in time (timeoutMs)";
            self.refuse(command, Failure::new(ErrorCode::Timeout, text));
        }
        self.update_wire_timer();
    }

    fn wipe(&mut self, now: Now, id: CommandId) {
        self.connection.disconnect(now, &mut self.timers);
        self.request_store(StoreRequest::Wipe, StoreJob::Wipe { command: id });
    }

    fn ticket(&mut self) -> u32 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// Says something on the socket if there is one. `false`: there is none.
    pub(super) fn push(&mut self, now: Now, push: &Push) -> bool {
        let emitted = self.connection.emit(push, now, &mut self.timers, &mut self.rng);
        !matches!(emitted, Emitted::NotOnline)
    }

    pub(super) fn push_maybe(&mut self, now: Now, push: Option<Push>) {
        if let Some(push) = push {
            self.push(now, &push);
        }
    }
}
