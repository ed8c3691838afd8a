//! Answers that come as events and name the key (A6), whenever they come: while the message is in flight, after its frame has
//! left and its row is in the history, after the next start.
//!
//! Law: an answer is taken as the copy of what is known here under its key, with the server's id; so it is one row, in
//! whatever order frame, answer and copy come.

use super::super::api::{Event, Now};
use super::super::connection::RefusedBy;
use super::super::model::{ErrorCode, Failure, Message};
use super::super::outbox::Stage;
use super::super::profile::{Answer, CapabilityPatch, Incoming, ServerMessage};
use super::super::timeline::Op;
use super::Client;
use super::send::{FindFor, MAX_FINDS};

impl Client {
    /// What the other events of a backend say is said elsewhere.
    pub(super) fn on_answered(&mut self, now: Now, incoming: Incoming) {
        match incoming {
            Incoming::Stored { key, id } => self.on_stored(now, key, id),
            Incoming::Failed { key, failure, retry_after_ms } => {
                self.on_failed(now, key.as_deref(), failure, retry_after_ms);
            }
            _ => {}
        }
    }

    /// A server that keeps keys, and has not said whether it answers (D2 has no word for it), does: this is an answer.
    fn learn_answers(&mut self) {
        if cfg!(feature = "json") && self.hello.keys == Some(true) && self.hello.answers.is_none() {
            let patch = CapabilityPatch { answers: Some(true), ..self.hello.clone() };
            self.capabilities_dirty |= self.take_hello(patch);
        }
    }

    /// The server has the message of this key.
    fn on_stored(&mut self, now: Now, key: String, id: String) {
        self.learn_answers();
        let Some(row) = self.outbox.find(&key) else {
            // It has left the outbox, now or long ago. More answers than can be looked for at once are no news worth keeping.
            if self.finds.len() < MAX_FINDS {
                let ticket = self.ticket();
                self.timelines.find_anywhere(&key, ticket);
                self.finds.insert(ticket, FindFor::Named { id });
            }
            return;
        };
        // It was never sent from here: the answer is to somebody else's use of the key.
        if row.is_change() || row.stage == Stage::Saving {
            return;
        }
        self.connection.mark_token_good();
        let copy = copy_of(&self.outbox.message(row), id);
        if let Stage::InFlight { .. } = row.stage {
            let (row, copy) = (row.id, Answer::Stored(Some(Box::new(copy))));
            self.outbox.on_answer(now, &mut self.rng, row, copy);
        } else if !self.outbox.on_copy(&key, &copy) {
            // Its way into the history has begun.
            let conversation_id = copy.conversation_id.clone();
            self.timelines.push(&conversation_id, Op::Live(Box::new(copy)));
        }
    }

    /// The message of an answer is in the history.
    pub(super) fn name_stored(&mut self, id: String, message: Option<&Message>) {
        if let Some(message) = message.filter(|message| message.id.is_none()) {
            let copy = Box::new(copy_of(message, id));
            self.timelines.push(&message.conversation_id, Op::Live(copy));
        }
    }

    /// Something went wrong: with a message that is in flight, or else it is told as an event.
    fn on_failed(&mut self, now: Now, key: Option<&str>, failure: Failure, retry_after_ms: Option<u64>) {
        let in_flight = |stage| matches!(stage, Stage::InFlight { .. });
        let row = key.and_then(|key| self.outbox.find(key)).filter(|row| in_flight(row.stage));
        let refused = failure.code == ErrorCode::Auth;
        // A refusal for good that names no message is that of the only one which waits for an answer.
        let waits = key.is_none() && self.capabilities.answers && !failure.retryable && !refused;
        let only = waits.then(|| self.outbox.only_in_flight()).flatten();
        let row = row.map(|row| row.id).or(only);
        match row {
            Some(row) if refused => {
                self.outbox.on_answer(now, &mut self.rng, row, Answer::AuthRefused(failure));
            }
            Some(row) => {
                let answer = Answer::Refused { failure, retry_after_ms };
                self.outbox.on_answer(now, &mut self.rng, row, answer);
            }
            None if refused => {}
            None => self.emit(Event::Error { error: failure }),
        }
        if refused {
            self.connection.refuse_token(RefusedBy::Socket, now, &mut self.timers, &mut self.rng);
        }
    }
}

/// What the server has, from what was sent; its own time of it is not told.
fn copy_of(message: &Message, id: String) -> ServerMessage {
    ServerMessage {
        id,
        key: message.key.clone(),
        conversation_id: message.conversation_id.clone(),
        sender_id: message.sender_id.clone(),
        kind: message.kind.clone(),
        text: message.text.clone(),
        metadata: message.metadata.clone(),
        attachments: message.attachments.clone(),
        reply_to_id: None,
        created_at_ms: message.created_at_ms,
        edited_at_ms: message.edited_at_ms,
        deleted_at_ms: message.deleted_at_ms,
        ..ServerMessage::default()
    }
}
