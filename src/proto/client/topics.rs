//! Topics: where the framing has them, what happens in a conversation comes on a topic of its own (P1, P6).

use super::super::api::Now;
use super::super::connection::Emitted;
use super::super::model::{ErrorCode, Failure};
use super::super::outbox::RowId;
use super::{AckFor, Client};
use crate::proto::text::concat;
use crate::proto::wire::json::decimal;

/// Whether conversations have topics in a framing of this build.
const HAS_TOPICS: bool = cfg!(feature = "phoenix");

impl Client {
    /// The topics of all conversations that are known.
    pub(super) fn follow_all(&mut self) {
        if HAS_TOPICS {
            for id in self.rooms.ids() {
                self.follow(&id, false);
            }
        }
    }

    /// A conversation's events are to come. `urgent`: somebody looks at it, so it takes another's place if need be.
    pub(super) fn follow(&mut self, conversation_id: &str, urgent: bool) {
        if HAS_TOPICS && let Some(topic) = self.profile.topic(conversation_id) {
            self.connection.want_topic(&topic, urgent, &mut self.timers);
        }
    }

    /// The user's topic was joined again: of conversations that were made meanwhile nobody has told.
    pub(super) fn relist_after_rejoin(&mut self) {
        if HAS_TOPICS && self.profile.gives_marks() {
            self.sync.relist();
        }
    }

    /// It is gone.
    pub(super) fn unfollow(&mut self, conversation_id: &str) {
        if HAS_TOPICS && let Some(topic) = self.profile.topic(conversation_id) {
            self.connection.leave_topic(&topic, &mut self.timers);
        }
    }

    /// X12: what a join says is as it is now.
    pub(super) fn on_joins(&mut self, now: Now, topic: &str) {
        let conversation_id = self.profile.conversation_of(topic);
        let params = match self.wire_topics.get(topic) {
            Some(params) => params.text().to_owned(),
            None => {
                let log = conversation_id.and_then(|id| self.timelines.log(id));
                self.profile.join_params(log.and_then(|log| log.cursor()))
            }
        };
        self.connection.join(topic, &params, now, &mut self.timers);
    }

    /// Joined, refused or closed: what waits for it may go, and learns that.
    pub(super) fn on_topic_settled(&mut self, now: Now, topic: &str) {
        self.release_wire(now);
        if HAS_TOPICS && let Some(conversation_id) = self.profile.conversation_of(topic) {
            self.outbox.on_topic_settled(conversation_id);
            self.outbox.advance(now);
            self.flush_reads(now);
        }
    }

    /// What came before the join was told to nobody here.
    pub(super) fn on_joined(&mut self, conversation_id: &str, last_seq: Option<u64>) {
        let cursor = self.timelines.log(conversation_id).and_then(|log| log.cursor());
        if last_seq != Some(0) && (last_seq.is_none() || last_seq > cursor) {
            self.sync.pull(conversation_id);
        }
    }

    /// Their topic is gone, and the socket lives (X4).
    pub(super) fn on_unanswered(&mut self, now: Now, ack_ids: Vec<u64>) {
        let mut rows: Vec<RowId> = Vec::new();
        for id in ack_ids {
            match self.acks.remove(&id) {
                Some(AckFor::Row(row)) if HAS_TOPICS => rows.push(row),
                Some(AckFor::Wire { command, .. }) => {
                    let text = "wire.send: the topic was closed before the server answered";
                    self.refuse(command, Failure::new(ErrorCode::Unconfirmed, text));
                }
                _ => {}
            }
        }
        if HAS_TOPICS {
            self.outbox.on_unanswered(&rows);
            self.outbox.advance(now);
        }
    }

    /// A row's frame was not sent.
    pub(super) fn on_not_sent(&mut self, id: RowId, emitted: Emitted) {
        match emitted {
            Emitted::NotOnline => self.outbox.on_held_back(id),
            Emitted::NotJoined if HAS_TOPICS => self.outbox.on_not_joined(id),
            Emitted::Refused(failure) if HAS_TOPICS && failure.retryable => {
                self.outbox.on_topic_refused(id, failure)
            }
            Emitted::Refused(failure) => self.outbox.on_unsendable(id, failure),
            Emitted::TooLarge { limit, size } => {
                let text = concat(&[
                    "the message makes a frame of ",
                    &decimal(size),
                    " bytes; the server takes at most ",
                    &decimal(limit),
                ]);
                self.outbox.on_unsendable(id, Failure::new(ErrorCode::TooLarge, text));
            }
            Emitted::Sent { .. } | Emitted::NotJoined => {}
        }
    }
}
