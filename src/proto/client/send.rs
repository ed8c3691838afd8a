//! A message on its way into the outbox, and who asks what became of it.

use super::super::api::{CommandId, Now, SendCommand, ViewId};
use super::super::model::{ChangeKind, ErrorCode, Failure, Message, ReplyTo, first_chars};
use super::super::outbox::{self, Queued, RowId, Stage};
use super::super::store::{OutboxRow, same_content};
use super::super::timeline::unknown_conversation;
use super::change::FindRow;
use super::newer::newer;
use super::{Client, MAX_WAITERS};
use crate::proto::text::{concat, is_blank};
use crate::proto::wire::json::decimal;

/// Bytes of a message's metadata.
const MAX_METADATA_BYTES: usize = 65_536;
/// Characters of an answered message that are kept with the answer.
const EXCERPT_CHARS: usize = 120;

/// Callers of `acknowledged()` that wait for one message.
const MAX_WAITERS_OF_ONE: usize = 1000;

/// Keys looked for in the history at once.
pub(super) const MAX_FINDS: usize = 500;

/// Why the history is searched.
pub(super) enum FindFor {
    /// `send()` with a key of the application's own, which may have been sent long ago.
    Send { command: CommandId, record: Box<OutboxRow> },
    /// `acknowledged()` of a message that has left the outbox.
    Acknowledged { command: CommandId },
    /// The same, after another tab has removed it from the outbox.
    Vanished { command: CommandId },
    /// `cancel()` or `discard()` of the message of this key, which another tab has removed: sent, or taken back there.
    Removal { command: CommandId, key: String },
    /// A row of which it is not known whether it was ever added: it is added again only if no leader has sent it.
    Added { row: RowId },
    /// A row that has been on the wire: its copy may have come to a leader that did not know the row.
    Copy { row: RowId },
    /// A message that has left the outbox before its answer came (A6): the server's id of it.
    #[cfg(feature = "json")]
    Named { id: String },
    /// `jumpTo()`.
    Jump { command: CommandId, view: ViewId },
    /// What is to be changed or forwarded.
    Row(Box<FindRow>),
    /// The message that a row of the outbox changes, which has no id yet.
    Target { row: RowId },
    /// Whether a change took place that another tab has removed; `removal`: it was to be taken back.
    Changed { command: CommandId, removal: bool, kind: ChangeKind, text: String },
}

impl FindFor {
    pub fn command(&self) -> Option<CommandId> {
        match self {
            Self::Send { command, .. }
            | Self::Acknowledged { command }
            | Self::Vanished { command }
            | Self::Removal { command, .. }
            | Self::Changed { command, .. }
            | Self::Jump { command, .. } => Some(*command),
            Self::Row(find) => Some(find.command),
            Self::Added { .. } | Self::Copy { .. } | Self::Target { .. } => None,
            #[cfg(feature = "json")]
            Self::Named { .. } => None,
        }
    }
}

impl Client {
    pub(super) fn send(&mut self, now: Now, id: CommandId, send: SendCommand) -> Result<(), Failure> {
        let own_key = send.key.is_some();
        let record = self.record_of(now, send)?;
        // What is sent behind a message that is still looked for waits behind it.
        let (mut sought, mut behind) = (0, false);
        for (_, find) in self.finds.iter() {
            if let FindFor::Send { record: other, .. } = &**find {
                sought += 1;
                behind |= other.conversation_id == record.conversation_id;
            }
        }
        if behind || (own_key && self.outbox.find(&record.key).is_none()) {
            self.outbox.check_room(sought)?;
            let ticket = self.ticket();
            self.timelines.find(&record.conversation_id, &record.key, ticket);
            self.finds.insert(ticket, FindFor::Send { command: id, record: Box::new(record) });
            return Ok(());
        }
        self.queue(now, id, record)
    }

    pub(super) fn queue(&mut self, now: Now, id: CommandId, record: OutboxRow) -> Result<(), Failure> {
        let conversation_id = record.conversation_id.clone();
        match self.outbox.queue(now, record)? {
            Queued::New(row) => {
                self.send_waiters.or_default(row).push(id);
                self.meet_unlisted(&conversation_id);
            }
            Queued::Known(row) => {
                let saving = self.outbox.row(row).is_some_and(|row| row.stage == Stage::Saving);
                if saving {
                    self.send_waiters.or_default(row).push(id);
                } else if let Some(row) = self.outbox.row(row) {
                    let message = self.outbox.message(row);
                    self.done_with(id, message);
                }
            }
        }
        Ok(())
    }

    /// Where the server lists no conversations, one begins with what is said in it.
    pub(super) fn meet_unlisted(&mut self, conversation_id: &str) {
        if self.profile.unlisted().is_some() {
            self.rooms.meet(conversation_id);
        }
    }

    fn record_of(&mut self, now: Now, send: SendCommand) -> Result<OutboxRow, Failure> {
        let refuse = |text: String| Err(Failure::new(ErrorCode::Validation, text));
        let kind = send.kind.unwrap_or_else(|| "text".to_owned());
        self.check_length(&send.text)?;
        if kind == "text" && is_blank(&send.text) {
            return refuse("text: is empty; a text message has at least one visible character".to_owned());
        }
        if kind.is_empty() || kind.len() > 64 {
            return refuse("type: must have 1 to 64 bytes".to_owned());
        }
        if send.conversation_id.is_empty() || !self.rooms.may_exist(&send.conversation_id) {
            return Err(unknown_conversation());
        }
        if send.metadata.as_ref().is_some_and(|json| json.text().len() > MAX_METADATA_BYTES) {
            let text =
                concat(&["metadata: more than ", &decimal(MAX_METADATA_BYTES as u64), " bytes of JSON"]);
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
        let clock_ms = i64::try_from(outbox::clock_of(now)).unwrap_or(i64::MAX);
        let ttl = send.ttl_ms.map(|ttl| i64::try_from(ttl).unwrap_or(i64::MAX));
        Ok(OutboxRow {
            key,
            conversation_id: send.conversation_id,
            kind,
            text: send.text,
            metadata: send.metadata.filter(|json| json.text() != "null"),
            reply_to,
            reply_to_id,
            created_at_ms: wall_ms,
            expires_at_ms: ttl.map(|ttl| clock_ms.saturating_add(ttl)),
            attempts: 0,
            losses: 0,
            wire: None,
            failure: None,
            change: None,
        })
    }

    pub(super) fn check_length(&self, text: &str) -> Result<(), Failure> {
        let characters = text.chars().count();
        let max = self.config.limits.max_text_length as usize;
        if characters <= max {
            return Ok(());
        }
        let text = concat(&[
            "text: ",
            &decimal(characters as u64),
            " characters; at most ",
            &decimal(max as u64),
            " are allowed (limits.maxTextLength)",
        ]);
        Err(Failure::new(ErrorCode::TooLarge, text))
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
        let excerpt = first_chars(text, EXCERPT_CHARS).to_owned();
        Ok((Some(ReplyTo { row_key, excerpt }), id))
    }

    pub(super) fn acknowledged(&mut self, id: CommandId, key: String) -> Result<(), Failure> {
        if let Some(row) = self.outbox.find(&key) {
            if let Some(failure) = row.record.failure.clone().filter(|_| row.stage == Stage::Failed) {
                return Err(failure);
            }
            if self.ack_waiters.len() >= MAX_WAITERS {
                return Err(too_many_waiters());
            }
            let waiters = self.ack_waiters.or_default(key);
            if waiters.len() >= MAX_WAITERS_OF_ONE {
                return Err(too_many_waiters());
            }
            waiters.push(id);
            return Ok(());
        }
        if self.finds.len() >= MAX_FINDS {
            return Err(too_many_waiters());
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
            (Some(FindFor::Send { command, record }), None) => self.queue_found(now, command, *record),
            (Some(FindFor::Acknowledged { command } | FindFor::Vanished { command }), Some(message)) => {
                self.done_with(command, *message)
            }
            // A later version of the application may have sent it, into a history that cannot be read here.
            (Some(FindFor::Vanished { command } | FindFor::Removal { command, .. }), None)
                if self.storage.newer =>
            {
                self.refuse(command, newer());
            }
            (Some(FindFor::Vanished { command }), None) => self.refuse(command, outbox::cancelled()),
            (Some(FindFor::Removal { command, .. }), Some(_)) => self.refuse(command, outbox::in_flight()),
            (Some(FindFor::Removal { command, key }), None) => {
                self.outbox.remove_changes_of(&key);
                self.done(command, super::Outcome::Nothing);
            }
            (Some(FindFor::Acknowledged { command }), None) => {
                let text = "no message with this key is queued or in the history of this device";
                self.refuse(command, Failure::new(ErrorCode::NotFound, text));
            }
            (Some(FindFor::Added { row }), Some(message)) => {
                self.outbox.on_sought(row);
                for id in self.send_waiters.remove(&row).unwrap_or_default() {
                    self.done_with(id, (*message).clone());
                }
                self.outbox.vanish(row);
            }
            (Some(FindFor::Added { row }), None) => {
                self.outbox.on_sought(row);
                self.outbox.on_conflict(row);
            }
            (Some(FindFor::Jump { command, view }), Some(message)) => {
                self.timelines.jump_to(view, &message);
                self.load_waiters.push((view, command));
            }
            (Some(FindFor::Jump { command, .. }), None) => {
                let text = "rowKey: no such message is stored here; what comes before the oldest comes with loadEarlier()";
                self.refuse(command, Failure::new(ErrorCode::NotFound, text));
            }
            (Some(FindFor::Row(find)), found) => self.on_row_found(now, *find, found),
            (Some(FindFor::Target { row }), found) => self.outbox.on_target(row, found.as_deref()),
            (Some(FindFor::Changed { command, removal, kind, text }), found) => {
                self.on_changed_found((command, removal), kind, &text, found);
            }
            (Some(FindFor::Copy { row }), Some(_)) => self.outbox.on_copy_known(row),
            #[cfg(feature = "json")]
            (Some(FindFor::Named { id }), found) => self.name_stored(id, found.as_deref()),
            (Some(FindFor::Copy { .. }) | None, _) => {}
        }
    }

    /// Its key was not used yet.
    fn queue_found(&mut self, now: Now, command: CommandId, record: OutboxRow) {
        if let Err(error) = self.queue(now, command, record) {
            self.refuse(command, error);
        }
    }

    /// Whether a leader has sent and settled what this tab may have added.
    pub(super) fn look_for_added(&mut self, row: RowId) {
        self.outbox.seek(row);
        self.look_for(row, FindFor::Added { row });
    }

    /// The message of a change that is not in the outbox, or no longer.
    pub(super) fn look_for_target(&mut self, row: RowId) {
        let Some(record) = self.outbox.row(row).map(|row| &row.record) else { return };
        let Some(change) = &record.change else { return };
        let (conversation_id, row_key) = (record.conversation_id.clone(), change.row_key.clone());
        self.find_for(&conversation_id, &row_key, FindFor::Target { row });
    }

    pub(super) fn look_for(&mut self, row: RowId, find: FindFor) {
        let Some(record) = self.outbox.row(row).map(|row| &row.record) else { return };
        let (conversation_id, key) = (record.conversation_id.clone(), record.key.clone());
        self.find_for(&conversation_id, &key, find);
    }
}

pub(super) fn too_many_waiters() -> Failure {
    Failure::new(ErrorCode::OutboxFull, "too many calls of acknowledged() are waiting")
}
