//! Changes of messages that are there (edit, remove, react, unreact), and forwards: from the command to the answer.
//!
//! Law: a change is an entry of the outbox like a message: stored before its command is done, marked before it goes out,
//! gone in the transaction that has its effect. What its user may not do is refused at once; what the server refuses is an
//! error event, and kept.

use super::super::api::{ChangeCommand, CommandId, Event, Now, Outcome, SendCommand};
use super::super::model::{
    ChangeKind, ConnectionState, ErrorCode, Failure, Json, Message, Role, Sender, Status,
};
use super::super::outbox::{self, Outbox, RowId};
use super::super::profile::{OutgoingChange, Sending, ServerMessage};
use super::super::store::OutboxRow;
use super::super::timeline::{Change, Op, Pending, unknown_conversation};
use super::Client;
use super::incoming::edit_of;
use super::rest::HttpJob;
use super::send::{FindFor, MAX_FINDS, too_many_waiters};
use crate::proto::text::{concat, is_blank};
use crate::proto::wire::json::{Object, decimal, parse, push_json_string};

/// Bytes of an emoji: the longest in use are families and flags of some 40.
const MAX_EMOJI_BYTES: usize = 64;

/// Where a forward carries the attachments of what is forwarded.
const ATTACHMENTS: &str = "attachments";

/// What is wished of a message that has to be found first.
pub(super) enum Wish {
    Change { kind: ChangeKind, text: String },
    Forward { conversation_id: String },
}

/// A message is looked for by its row key, for a wish.
pub(super) struct FindRow {
    pub command: CommandId,
    row_key: String,
    wish: Wish,
    /// By the conversation and the server's id that the row key seems to say.
    by_id: bool,
}

impl Client {
    pub(super) fn change(&mut self, now: Now, id: CommandId, change: ChangeCommand) -> Result<(), Failure> {
        let ChangeCommand { kind, row_key, text } = change;
        self.check_change(kind, &text)?;
        self.with_row(now, id, row_key, Wish::Change { kind, text })
    }

    pub(super) fn forward(
        &mut self,
        now: Now,
        id: CommandId,
        row_key: String,
        conversation_id: String,
    ) -> Result<(), Failure> {
        if conversation_id.is_empty() || !self.rooms.may_exist(&conversation_id) {
            return Err(unknown_conversation());
        }
        self.with_row(now, id, row_key, Wish::Forward { conversation_id })
    }

    fn check_change(&self, kind: ChangeKind, text: &str) -> Result<(), Failure> {
        if !self.profile.can_change(kind) {
            let text = "this backend's profile has no event for such a change";
            return Err(Failure::new(ErrorCode::Unsupported, text));
        }
        match kind {
            ChangeKind::Remove => Ok(()),
            ChangeKind::Edit if is_blank(text) => {
                let text = "text: is empty; remove() takes a message away";
                Err(Failure::new(ErrorCode::Validation, text))
            }
            ChangeKind::Edit => self.check_length(text),
            ChangeKind::React | ChangeKind::Unreact => {
                if is_blank(text) || text.len() > MAX_EMOJI_BYTES || text.chars().any(char::is_control) {
                    let most = decimal(MAX_EMOJI_BYTES as u64);
                    let text = concat(&["emoji: must be one emoji, of ", &most, " bytes at most"]);
                    return Err(Failure::new(ErrorCode::Validation, text));
                }
                Ok(())
            }
        }
    }

    /// A queued message is here; any other is looked for in the history, which may have to be read.
    fn with_row(&mut self, now: Now, command: CommandId, row_key: String, wish: Wish) -> Result<(), Failure> {
        let queued = self.outbox.find(&row_key).filter(|row| !row.is_change() && row.visible());
        if let Some(message) = queued.map(|row| self.outbox.message(row)) {
            return self.grant(now, command, message, wish);
        }
        if self.finds.len() >= MAX_FINDS {
            return Err(too_many_waiters());
        }
        self.find_row(FindRow { command, row_key, wish, by_id: true });
        Ok(())
    }

    fn find_row(&mut self, mut find: FindRow) {
        let ticket = self.ticket();
        let named = self.timelines.named_by(&find.row_key).filter(|_| find.by_id);
        find.by_id = named.is_some();
        let row_key = find.row_key.clone();
        self.finds.insert(ticket, FindFor::Row(Box::new(find)));
        match named {
            Some((conversation_id, id)) => self.timelines.find(&conversation_id, &id, ticket),
            None => self.timelines.find_anywhere(&row_key, ticket),
        }
    }

    /// The history has been searched.
    pub(super) fn on_row_found(&mut self, now: Now, find: FindRow, found: Option<Box<Message>>) {
        let command = find.command;
        let granted = match found {
            Some(message) => self.grant(now, command, *message, find.wish),
            // A key of the application's own may look like a conversation and an id.
            None if find.by_id => return self.find_row(FindRow { by_id: false, ..find }),
            None => {
                let text = "rowKey: no message with this row key is queued or in the history of this device";
                Err(Failure::new(ErrorCode::NotFound, text))
            }
        };
        if let Err(error) = granted {
            self.refuse(command, error);
        }
    }

    fn grant(
        &mut self,
        now: Now,
        command: CommandId,
        mut message: Message,
        wish: Wish,
    ) -> Result<(), Failure> {
        self.show_pending(&mut message);
        if message.deleted_at_ms.is_some() {
            return Err(Failure::new(ErrorCode::Conflict, "rowKey: this message has been removed"));
        }
        match wish {
            Wish::Change { kind, text } => {
                self.check_right(kind, &message)?;
                let wall_ms = i64::try_from(now.wall_ms).unwrap_or(i64::MAX);
                let key = self.rng.key();
                self.queue(now, command, outbox::change_row(key, &message, kind, text, wall_ms))
            }
            Wish::Forward { conversation_id } => {
                let metadata = with_attachments(message.metadata, message.attachments.as_ref());
                let send = SendCommand {
                    conversation_id,
                    text: message.text,
                    kind: Some(message.kind),
                    metadata,
                    reply_to: None,
                    ttl_ms: None,
                    key: None,
                };
                self.send(now, command, send)
            }
        }
    }

    /// What the server would refuse in any case. What moderators may do is the server's to judge.
    fn check_right(&self, kind: ChangeKind, message: &Message) -> Result<(), Failure> {
        let role = self.rooms.get(&message.conversation_id).map_or(Role::Member, |room| room.my_role);
        let may = match kind {
            ChangeKind::Edit => message.sender == Sender::Me,
            ChangeKind::Remove => message.sender == Sender::Me || role != Role::Member,
            ChangeKind::React | ChangeKind::Unreact => true,
        };
        if may {
            return Ok(());
        }
        Err(Failure::new(ErrorCode::Forbidden, "rowKey: this message is somebody else's"))
    }

    /// A change whose turn it is goes out.
    pub(super) fn transmit_change(&mut self, now: Now, id: RowId) {
        let Some(record) = self.outbox.row(id).map(|row| &row.record) else { return };
        let Some(change) = &record.change else { return };
        let sending = self.profile.change(OutgoingChange {
            kind: change.kind,
            id: change.id.as_deref().unwrap_or_default(),
            conversation_id: &record.conversation_id,
            text: &record.text,
        });
        let request = match sending {
            Sending::Push(push) => return self.emit_row(now, id, push),
            Sending::Rest(request) => request,
        };
        if self.connection.state() != ConnectionState::Online {
            return self.outbox.on_held_back(id);
        }
        // While a new one is asked for there is none.
        let Some(token) = self.connection.token().cloned() else { return self.outbox.on_unauthorised(id) };
        let job = HttpJob::Change { row: id };
        if self.request(request, Some(token), job).is_ok() {
            self.outbox.on_requested(id);
        }
    }

    /// The server has taken a change: into the history with it.
    pub(super) fn apply_change(&mut self, now: Now, id: RowId, copy: Option<Box<ServerMessage>>) {
        let Some(record) = self.outbox.row(id).map(|row| &row.record) else { return };
        let Some(change) = &record.change else { return };
        let target = change.id.clone().unwrap_or_default();
        let copy = copy.filter(|copy| copy.id == target);
        let wall_ms = i64::try_from(now.wall_ms).unwrap_or(i64::MAX);
        let undated = copy.is_none();
        let told = match change.kind {
            ChangeKind::Edit => copy.map_or_else(
                || Change::Edited { text: record.text.clone(), at_ms: Some(record.created_at_ms) },
                |copy| edit_of(*copy),
            ),
            ChangeKind::Remove => {
                let at_ms = copy.and_then(|copy| copy.deleted_at_ms).unwrap_or(wall_ms);
                Change::Deleted { at_ms }
            }
            ChangeKind::React | ChangeKind::Unreact => Change::Reaction {
                emoji: record.text.clone(),
                user_id: self.config.user_id.clone(),
                added: change.kind == ChangeKind::React,
            },
        };
        let conversation_id = record.conversation_id.clone();
        self.timelines.push(&conversation_id, Op::Own { row: id, id: target, change: told, undated });
    }

    /// A change has its fate: whoever waits has the message that it changes, and a failure is told.
    pub(super) fn on_change_settled(
        &mut self,
        key: &str,
        conversation_id: &str,
        target: &str,
        result: Result<(), Failure>,
    ) {
        self.timelines.on_echo_changed(conversation_id);
        self.rooms.touch(conversation_id);
        let message = self.timelines.loaded_row(conversation_id, target).cloned();
        for id in self.ack_waiters.remove(key).unwrap_or_default() {
            match (&result, &message) {
                (Ok(()), Some(message)) => self.done_with(id, message.clone()),
                (Ok(()), None) => self.done(id, Outcome::Nothing),
                (Err(failure), _) => self.refuse(id, failure.clone()),
            }
        }
        if let Err(error) = result
            && error.code != ErrorCode::Cancelled
        {
            self.emit(Event::Error { error });
        }
    }

    /// Another tab has removed a change: taken, if the message shows it, else cancelled or discarded there.
    pub(super) fn on_change_vanished(&mut self, row: RowId, record: &OutboxRow) {
        let Some(change) = &record.change else { return };
        let mut waiting = self.send_waiters.remove(&row).unwrap_or_default();
        waiting.append(&mut self.ack_waiters.remove(&record.key).unwrap_or_default());
        let removals = self.removal_waiters.remove(&record.key).unwrap_or_default();
        for (commands, removal) in [(waiting, false), (removals, true)] {
            for command in commands {
                let (kind, text) = (change.kind, record.text.clone());
                let find = FindFor::Changed { command, removal, kind, text };
                self.find_for(&record.conversation_id, change.id.as_ref().unwrap_or(&change.row_key), find);
            }
        }
        self.timelines.on_echo_changed(&record.conversation_id);
        self.rooms.touch(&record.conversation_id);
    }

    /// The message of a change that another tab has removed.
    pub(super) fn on_changed_found(
        &mut self,
        (command, removal): (CommandId, bool),
        kind: ChangeKind,
        text: &str,
        message: Option<Box<Message>>,
    ) {
        let shows = message.filter(|message| shows(message, kind, text));
        match (shows, removal) {
            (Some(_), true) => self.refuse(command, outbox::in_flight()),
            (Some(message), false) => self.done_with(command, *message),
            (None, true) => self.done(command, Outcome::Nothing),
            (None, false) => self.refuse(command, outbox::cancelled()),
        }
    }

    /// A message as it is shown, with the changes that are on their way.
    pub(super) fn show_pending(&self, message: &mut Message) {
        for pending in pending_of(&self.outbox, &message.conversation_id) {
            if pending.row_key == message.row_key {
                pending.apply(message, &self.config.user_id);
            }
        }
    }

    /// An own message has its id now, whichever way it was told: what changes it may go.
    pub(super) fn name_changes(&mut self, message: &Message) {
        if message.sender == Sender::Me && message.status != Status::Failed {
            self.outbox.on_named(message);
        }
    }
}

/// The changes of a conversation that are on their way.
pub(super) fn pending_of(outbox: &Outbox, conversation_id: &str) -> Vec<Pending> {
    let mut pending = Vec::new();
    for row in outbox.pending_changes(conversation_id) {
        if let Some(change) = &row.record.change {
            pending.push(Pending {
                row_key: change.row_key.clone(),
                kind: change.kind,
                text: row.record.text.clone(),
                at_ms: row.record.created_at_ms,
                revision: row.revision,
            });
        }
    }
    pending
}

/// Whether a message looks as after this change.
fn shows(message: &Message, kind: ChangeKind, text: &str) -> bool {
    let mut mine = false;
    for reaction in &message.reactions {
        mine |= reaction.emoji == text && reaction.mine;
    }
    match kind {
        ChangeKind::Edit => message.text == text,
        ChangeKind::Remove => message.deleted_at_ms.is_some(),
        ChangeKind::React => mine,
        ChangeKind::Unreact => !mine,
    }
}

/// The metadata of a forward: attachments are carried as `attachments` of an object, if that has none of its own.
fn with_attachments(metadata: Option<Json>, attachments: Option<&Json>) -> Option<Json> {
    let Some(attachments) = attachments else { return metadata };
    let text = metadata.as_ref().map_or("{}", Json::text);
    let Some(object) = parse(text, 0).ok().and_then(Object::read) else { return metadata };
    if object.get(ATTACHMENTS).is_some() {
        return metadata;
    }
    let mut merged = concat(&["{\"", ATTACHMENTS, "\":", attachments.text()]);
    for (name, value) in object.iter() {
        merged.push(',');
        push_json_string(&mut merged, name);
        merged.push(':');
        merged.push_str(value.get());
    }
    merged.push('}');
    Json::parse(&merged)
}
