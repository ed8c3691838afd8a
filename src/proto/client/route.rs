//! Carries the machines' actions to each other.

use super::super::api::{Event, Now, Output, Read, RecordId, SocketOutput, StoreRequest, Table};
use super::super::connection::{self, Emitted};
use super::super::model::{Failure, Phase, Status};
use super::super::outbox::{self, RowId, Stage};
use super::super::profile::{Outgoing, Push, ServerMessage};
use super::super::store;
use super::super::sync;
use super::super::timeline::{self, Op, Want};
use super::send::FindFor;
use super::storage::StoreJob;
use super::{AckFor, Client};

/// Delivery receipts sent for one page of the catch-up at most.
const MAX_PAGE_RECEIPTS: usize = 50;

impl Client {
    /// Until every machine is quiet.
    pub(super) fn route(&mut self, now: Now) {
        loop {
            if let Some(action) = self.connection.poll_action() {
                self.on_connection(now, action);
            } else if let Some(action) = self.outbox.poll_action() {
                self.on_outbox(now, action);
            } else if self.outbox.take_stirred() {
                self.outbox.advance(now);
            } else if let Some(action) = self.timelines.poll_action() {
                self.on_timeline(now, action);
            } else if self.must_catch_up() {
                return;
            } else if let Some(action) = self.sync.poll_action() {
                self.on_sync(action);
            } else if !self.advance_sync() {
                return;
            }
        }
    }

    fn advance_sync(&mut self) -> bool {
        let timelines = &self.timelines;
        if self.sync.advance(&|id| {
            let log = timelines.log(id);
            let (seq, mark) = (log.and_then(|log| log.pull_from()), log.and_then(|log| log.pull_mark()));
            sync::PullFrom { seq, mark }
        }) {
            return true;
        }
        self.grant_wish()
    }

    fn on_connection(&mut self, now: Now, action: connection::Action) {
        use connection::Action;
        match action {
            Action::Socket(output) => self.outputs.push_back(Output::Socket(output)),
            Action::Token { id, reason } => self.outputs.push_back(Output::Token { id, reason }),
            Action::Changed => self.show_connection(now),
            Action::Online { .. } => self.on_online(now),
            Action::Writable => {
                self.outbox.on_writable(now);
                self.flush_reads(now);
            }
            Action::Lost => self.on_lost(),
            Action::Joins { topic } => self.on_joins(now, &topic),
            Action::TopicSettled { topic } => self.on_topic_settled(now, &topic),
            Action::Unanswered { ack_ids } => self.on_unanswered(now, ack_ids),
            Action::TokenRenewed => self.on_token_renewed(),
            Action::AuthError(error) => {
                self.refuse_creations(&error);
                self.emit(Event::AuthError { error });
            }
            Action::ProtocolError { message, excerpt } => {
                self.emit(Event::ProtocolError { message, excerpt })
            }
            Action::Failed(error) => {
                self.emit(Event::Error { error: error.clone() });
                self.reject_connects(&error);
            }
            Action::Closed(error) => self.reject_connects(&error),
        }
    }

    pub(super) fn reject_connects(&mut self, error: &Failure) {
        for id in core::mem::take(&mut self.connect_waiters) {
            self.refuse(id, error.clone());
        }
    }

    pub(super) fn on_outbox(&mut self, now: Now, action: outbox::Action) {
        use outbox::Action;
        match action {
            Action::Saved { row } => {
                let message = self.outbox.row(row).map(|row| self.outbox.message(row));
                for id in self.send_waiters.remove(&row).unwrap_or_default() {
                    match &message {
                        Some(message) => self.done_with(id, message.clone()),
                        // Cancelled while the store refused it.
                        None => self.refuse(id, outbox::cancelled()),
                    }
                }
            }
            Action::Changed { row } => {
                let Some(row) = self.outbox.row(row) else { return };
                // What becomes of a change is shown with the message that it changes.
                let visible = row.visible() && !row.is_change();
                let conversation_id = row.record.conversation_id.clone();
                let (row_key, status, failure) =
                    (row.record.key.clone(), row.status(), row.record.failure.clone());
                self.timelines.on_echo_changed(&conversation_id);
                self.rooms.touch(&conversation_id);
                if visible {
                    self.emit(Event::Status { conversation_id, row_key, status, failure });
                }
            }
            Action::Transmit { row } => self.transmit(now, row),
            Action::LookUp { row } => self.look_for(row, FindFor::Copy { row }),
            Action::Apply { row, copy } => {
                self.apply_answer(now, row, copy);
                // Its copy may have come before its answer, which then says nothing new: the next may go all the same.
                self.outbox.advance(now);
            }
            Action::Release { message } => {
                let conversation_id = message.conversation_id.clone();
                self.timelines.push(&conversation_id, Op::Live(message));
            }
            Action::FindTarget { row } => self.look_for_target(row),
            Action::Settled { key, conversation_id, target: Some(target), result } => {
                self.on_change_settled(&key, &conversation_id, &target, result);
            }
            Action::Settled { key, conversation_id, target: None, result } => {
                self.on_settled(key, &conversation_id, result)
            }
            Action::Removed { key, conversation_id } => {
                for id in self.removal_waiters.remove(&key).unwrap_or_default() {
                    self.done(id, super::Outcome::Nothing);
                }
                self.timelines.on_echo_changed(&conversation_id);
                self.rooms.touch(&conversation_id);
            }
            Action::NotRemoved { key } => self.refuse_removals(&key),
            Action::Vanished { row, record } if record.change.is_some() => {
                self.on_change_vanished(row, &record);
            }
            Action::Vanished { row, record } => {
                self.on_vanished(row, &record.key, &record.conversation_id);
            }
            Action::Reread => self.rescan(now),
            Action::Silent => {
                let reason = "no answer to a message in time";
                self.connection.drop_socket(reason, now, &mut self.timers, &mut self.rng);
            }
        }
    }

    /// What was to be taken back stays.
    fn refuse_removals(&mut self, key: &str) {
        for id in self.removal_waiters.remove(key).unwrap_or_default() {
            self.refuse(id, outbox::in_flight());
        }
    }

    /// Another tab has removed the row: whoever waits learns from the history what became of it.
    fn on_vanished(&mut self, row: RowId, key: &str, conversation_id: &str) {
        for command in self.removal_waiters.remove(key).unwrap_or_default() {
            self.find_for(conversation_id, key, FindFor::Removal { command, key: key.to_owned() });
        }
        let mut waiting = self.send_waiters.remove(&row).unwrap_or_default();
        waiting.append(&mut self.ack_waiters.remove(key).unwrap_or_default());
        for command in waiting {
            self.find_for(conversation_id, key, FindFor::Vanished { command });
        }
        self.timelines.on_echo_changed(conversation_id);
        self.rooms.touch(conversation_id);
    }

    pub(super) fn find_for(&mut self, conversation_id: &str, key: &str, find: FindFor) {
        let ticket = self.ticket();
        self.finds.insert(ticket, find);
        self.timelines.find(conversation_id, key, ticket);
    }

    fn transmit(&mut self, now: Now, id: RowId) {
        let Some(row) = self.outbox.row(id).filter(|row| row.stage == Stage::Marking) else { return };
        let record = &row.record;
        if self.lead.in_doubt || self.outbox.misses_rows() {
            return self.outbox.on_held_back(id);
        }
        if record.is_expired(outbox::clock_of(now)) {
            // It slept between its commit and this moment.
            return self.outbox.on_unsendable(id, outbox::expired());
        }
        if record.change.is_some() {
            return self.transmit_change(now, id);
        }
        let push = self.profile.send(Outgoing {
            key: &record.key,
            conversation_id: &record.conversation_id,
            kind: &record.kind,
            text: &record.text,
            metadata: record.metadata.as_ref(),
            reply_to_id: record.reply_to_id.as_deref(),
            created_at_ms: record.created_at_ms,
        });
        self.emit_row(now, id, push);
    }

    /// Puts a row's frame on the socket.
    pub(super) fn emit_row(&mut self, now: Now, id: RowId, mut push: Push) {
        push.ack &= self.capabilities.answers;
        match self.put_on_wire(now, push) {
            Emitted::Sent { ack_id, .. } => {
                if let Some(ack_id) = ack_id {
                    // What was answered by its copy alone is not waited for for ever.
                    let outbox = &self.outbox;
                    self.acks.remove_where(
                        &|_, ack| matches!(ack, AckFor::Row(row) if outbox.row(*row).is_none()),
                    );
                    self.acks.insert(ack_id, AckFor::Row(id));
                }
                if let Some(row) = self.outbox.row(id).filter(|row| !row.is_change()) {
                    let conversation_id = row.record.conversation_id.clone();
                    self.timelines.on_sent(&conversation_id);
                    self.meet_unlisted(&conversation_id);
                }
                self.outbox.on_transmitted(now, id);
                if !self.capabilities.answers
                    && let Some(conn) = self.connection.conn()
                {
                    self.outputs.push_back(Output::Socket(SocketOutput::WatchDrain { conn }));
                }
            }
            other => self.on_not_sent(id, other),
        }
    }

    fn apply_answer(&mut self, now: Now, id: RowId, copy: Option<Box<ServerMessage>>) {
        let Some(row) = self.outbox.row(id).filter(|row| row.stage == Stage::Answered) else { return };
        if row.is_change() {
            return self.apply_change(now, id, copy);
        }
        let mut message = Box::new(self.outbox.message(row));
        // Where no answer is to come it stays what it is, `sent`, until a copy says more.
        if self.capabilities.answers {
            message.status = Status::Acknowledged;
            message.id = message.id.or_else(|| self.profile.id_of(&message.row_key));
        }
        let conversation_id = row.record.conversation_id.clone();
        let known = copy.is_some();
        self.timelines.push(&conversation_id, Op::Answer { row: id, message, copy });
        if !known && self.capabilities.cursor {
            // The answer did not bring the server's copy: the catch-up does.
            self.sync.pull(&conversation_id);
        }
    }

    fn on_settled(&mut self, key: String, conversation_id: &str, result: Result<(), Failure>) {
        self.settling.remove(&key);
        let message = self.timelines.loaded_row(conversation_id, &key).cloned();
        if result.is_ok() {
            self.timelines.on_echo_changed(conversation_id);
            self.rooms.touch(conversation_id);
            let least = if self.capabilities.answers { Status::Acknowledged } else { Status::Sent };
            let status = message.as_ref().map_or(least, |message| message.status);
            let (conversation_id, row_key) = (conversation_id.to_owned(), key.clone());
            self.emit(Event::Status { conversation_id, row_key, status, failure: None });
            // Its copy has come while it was to be taken back.
            self.refuse_removals(&key);
        }
        for id in self.ack_waiters.remove(&key).unwrap_or_default() {
            match (&result, &message) {
                (Ok(()), Some(message)) => self.done_with(id, message.clone()),
                (Ok(()), None) => self.done(id, super::Outcome::Nothing),
                (Err(failure), _) => self.refuse(id, failure.clone()),
            }
        }
    }

    fn on_timeline(&mut self, now: Now, action: timeline::Action) {
        use timeline::Action;
        match action {
            Action::Load { conversation_id, want } => self.load_record(conversation_id, want),
            Action::ScanIndex => self.scan_index(),
            Action::New { message, live } => {
                self.rooms.touch(&message.conversation_id);
                if live && message.status < Status::Delivered {
                    self.tell_delivered(now, &message);
                }
                self.emit(Event::Message { message, live, leader: self.leads() });
            }
            Action::Updated { message } => {
                self.rooms.touch(&message.conversation_id);
                self.emit(Event::MessageUpdated { message });
            }
            Action::Deleted { conversation_id, row_key } => {
                self.rooms.touch(&conversation_id);
                self.emit(Event::MessageDeleted { conversation_id, row_key });
            }
            Action::Reaction { conversation_id, row_key } => {
                self.rooms.touch(&conversation_id);
                self.emit(Event::Reaction { conversation_id, row_key });
            }
            Action::Status { message } => {
                self.rooms.touch(&message.conversation_id);
                self.name_changes(&message);
                // While its commit is under way the echo still stands for it; the status is told with the commit.
                if !self.settling.contains(&message.row_key) {
                    let (conversation_id, row_key) = (message.conversation_id, message.row_key);
                    let status = message.status;
                    self.emit(Event::Status { conversation_id, row_key, status, failure: None });
                }
            }
            Action::Ahead { conversation_id, id, status } => self.tell_known(&conversation_id, &id, status),
            Action::OwnApplied { row } => _ = self.outbox.on_applied(row),
            Action::Applied { row, message } => self.on_applied(row, *message),
            Action::Behind { conversation_id, dropped } => self.on_behind(conversation_id, dropped),
            Action::Unsure(conversation_id) => self.sync.pull(&conversation_id),
            Action::Stale { conversation_id } => self.sync.look_again(&conversation_id),
            Action::PageApplied { conversation_id, applied } => {
                if applied.fresh > 0 && applied.tells {
                    self.tell_page_delivered(now, &conversation_id, applied.fresh);
                }
                self.on_page_applied(conversation_id, applied);
            }
            Action::Earlier { conversation_id } => self.want_earlier(&conversation_id),
            Action::Read { conversation_id } => {
                self.rooms.touch(&conversation_id);
                self.flush_reads(now);
            }
            Action::TellRead { conversation_id, ids } => self.tell_read(now, &conversation_id, ids),
            Action::Found { ticket, message } => self.on_found(now, ticket, message),
            Action::Damaged { conversation_id, want, error, again } => {
                self.on_damaged(&conversation_id, want, &error, again);
            }
        }
    }

    fn on_applied(&mut self, row: RowId, message: super::Message) {
        self.outbox.on_named(&message);
        if self.outbox.on_applied(row) {
            if self.outbox.all_answered(&message.conversation_id) {
                self.timelines.on_answered(&message.conversation_id);
            }
            self.settling.insert(message.row_key);
        }
    }

    fn on_damaged(&mut self, conversation_id: &str, want: Want, error: &store::RecordError, again: bool) {
        // Without its index a history is shown all the same.
        if let Want::Segment(number) = want {
            self.tell_torn(conversation_id, number);
        }
        self.sync.pull(conversation_id);
        if self.sync.is_under_way(conversation_id) {
            // A window that looks for it waits until it is here again.
            self.timelines.set_fetching(conversation_id, true);
        }
        if !again {
            self.report_damage("a part of a conversation", error);
        }
    }

    pub(super) fn scan_index(&mut self) {
        let prefix = store::INDEX_PREFIX.to_owned();
        let reads = vec![Read::Prefix { table: Table::History, prefix }];
        self.request_store(StoreRequest::Read(reads), StoreJob::ScanIndex);
    }

    fn load_record(&mut self, conversation_id: String, want: Want) {
        let key = match want {
            Want::Segment(number) => store::segment_key(&conversation_id, number),
            Want::Index(page) => store::index_key(&conversation_id, page),
        };
        let reads = vec![Read::One(RecordId::history(key))];
        self.request_store(StoreRequest::Read(reads), StoreJob::Record { conversation_id, want });
    }

    fn tell_delivered(&mut self, now: Now, message: &super::Message) {
        // Where nobody is told of it, a burst answers no frame with another.
        let Some(id) = message.id.as_deref().filter(|_| self.capabilities.receipts) else { return };
        self.push_maybe(now, self.profile.delivered(&message.conversation_id, id));
    }

    fn tell_page_delivered(&mut self, now: Now, conversation_id: &str, fresh: u32) {
        let count = MAX_PAGE_RECEIPTS.min(fresh as usize);
        for message in self.timelines.newest_of_others(conversation_id, count) {
            if message.status < Status::Delivered {
                self.tell_delivered(now, &message);
            }
        }
    }

    fn on_sync(&mut self, action: sync::Action) {
        match action {
            sync::Action::Request(job) => self.request_sync(job),
            sync::Action::Syncing => self.set_phase(Phase::Syncing),
            sync::Action::Live => self.set_phase(Phase::Live),
        }
    }
}
