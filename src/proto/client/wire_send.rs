//! Events of the backend's own: sent now or not at all.

use super::super::api::{CommandId, Event, Now, Outcome, WireData};
use super::super::connection::Emitted;
use super::super::model::{ConnectionState, ErrorCode, Failure, Json};
use super::super::profile::{Answer, Incoming, Push};
use super::super::timer::Timer;
use super::{AckFor, Client};
use crate::proto::text::concat;
use crate::proto::wire::json::{self, RawValue, decimal};

/// Bytes as they outlive their frame.
pub(super) fn owned(attachments: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut owned = Vec::new();
    for bytes in attachments {
        owned.push(bytes.to_vec());
    }
    owned
}

/// Values as one JSON array.
pub(super) fn joined(args: &[&RawValue]) -> Option<Json> {
    let mut text = String::from("[");
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(arg.get());
    }
    text.push(']');
    Json::parse(&text)
}

/// Events that wait for their topics; among answers that are awaited they stand under their command's number and this bit,
/// which no id of a framing has.
const MAX_HELD: usize = 100;
const HELD: u64 = 1 << 63;
/// The same of what another tab is to send.
const ERRAND: u64 = HELD | 1 << 62;

/// Answers that the server waits for; the oldest is forgotten first.
const MAX_QUESTIONS: usize = 256;

/// With the session's own as many as a Socket.IO connection has namespaces.
const MAX_TOPICS: usize = 31;

const WIRE_ACK_TIMEOUT_MS: u64 = 15_000;

/// The official parsers of Socket.IO end a connection over one more.
const MAX_ATTACHMENTS: usize = 10;

fn check_attachments(payload: &WireData) -> Result<(), Failure> {
    if payload.attachments.len() <= MAX_ATTACHMENTS {
        return Ok(());
    }
    let text = "payload: at most 10 values of bytes in one event: servers end the connection over more";
    Err(Failure::new(ErrorCode::Validation, text))
}

fn too_large(size: u64, limit: u64) -> Failure {
    let (size, limit) = (decimal(size), decimal(limit));
    let text = concat(&["wire: ", &size, " bytes; the server takes at most ", &limit, " in a frame"]);
    Failure::new(ErrorCode::TooLarge, text)
}

fn not_joined() -> Failure {
    let text = "wire: not sent, its topic was not joined in time";
    Failure { retryable: true, ..Failure::new(ErrorCode::Timeout, text) }
}

impl Client {
    pub(super) fn wire_send(
        &mut self,
        now: Now,
        id: CommandId,
        mut push: Push,
        payload: WireData,
        timeout_ms: Option<u32>,
    ) -> Result<(), Failure> {
        if super::super::wire::is_reserved(&push.event) || push.event.is_empty() {
            let text = "event: this name is empty or reserved by the framing";
            return Err(Failure::new(ErrorCode::Validation, text));
        }
        check_attachments(&payload)?;
        let deadline_mono_ms = now.mono_ms.saturating_add(timeout_ms.map_or(WIRE_ACK_TIMEOUT_MS, u64::from));
        if self.can_give_errands() && payload.attachments.is_empty() {
            self.give_errand(id, push, payload.json, timeout_ms);
            self.await_wire(ERRAND | u64::from(id), id, deadline_mono_ms, None);
            return Ok(());
        }
        push.attachments = payload.attachments;
        if payload.json.text() != "null" {
            push.args.push(payload.json.text().to_owned());
        }
        self.wire_emit(now, id, push, deadline_mono_ms)
    }

    fn wire_emit(
        &mut self,
        now: Now,
        id: CommandId,
        push: Push,
        deadline_mono_ms: u64,
    ) -> Result<(), Failure> {
        let text = match self.connection.emit(&push, now, &mut self.timers, &mut self.rng) {
            Emitted::Sent { ack_id: Some(ack_id), .. } => {
                self.await_wire(ack_id, id, deadline_mono_ms, None);
                return Ok(());
            }
            Emitted::Sent { ack_id: None, .. } => {
                self.done(id, Outcome::Nothing);
                return Ok(());
            }
            Emitted::NotJoined if self.held_on_wire().len() < MAX_HELD => {
                self.await_wire(HELD | u64::from(id), id, deadline_mono_ms, Some(Box::new(push)));
                return Ok(());
            }
            // A join is carried on as soon as there is a link.
            Emitted::NotOnline if push.event.is_empty() => {
                self.done(id, Outcome::Nothing);
                return Ok(());
            }
            Emitted::NotOnline => "wire.send: not online, and such events are not queued",
            Emitted::NotJoined => "wire.send: too many events wait for topics that are not joined",
            Emitted::Refused(failure) => return Err(failure),
            Emitted::TooLarge { limit, size } => {
                return Err(too_large(size, limit));
            }
        };
        Err(Failure::new(ErrorCode::Server, text))
    }

    /// What an event stands for, by the application's word: as if the backend had said that.
    pub(super) fn wire_receive(&mut self, now: Now, id: CommandId, event: &str, values: &Json) {
        // What was heard is so, also when the socket is gone by now; who is there or types is not.
        if self.leads() {
            let args = json::parse(values.text(), 0).ok().and_then(json::array).unwrap_or_default();
            let online = self.connection.state() == ConnectionState::Online;
            match self.profile.incoming("", event, &args) {
                Incoming::Typing { .. } | Incoming::Presence { .. } if !online => {}
                Incoming::Other => {
                    let message = concat(&["receive: the profile declares no event ", event]);
                    self.on_incoming(now, Incoming::Malformed(message), &args);
                }
                incoming => self.on_incoming(now, incoming, &args),
            }
        }
        self.done(id, Outcome::Nothing);
    }

    /// Events of this topic are wanted, or are not any more.
    pub(super) fn wire_topic(
        &mut self,
        now: Now,
        id: CommandId,
        topic: String,
        params: Option<Json>,
    ) -> Result<(), Failure> {
        self.connection.check_topic(&topic)?;
        let Some(params) = params else {
            self.wire_topics.remove(&topic);
            self.drop_held(&topic);
            self.connection.leave_topic(&topic, &mut self.timers);
            self.done(id, Outcome::Nothing);
            return Ok(());
        };
        if self.wire_topics.len() >= MAX_TOPICS && !self.wire_topics.contains_key(&topic) {
            return Err(Failure::new(
                ErrorCode::Validation,
                "topic: at most 31 topics beside the user's own",
            ));
        }
        let text = params.text().to_owned();
        if self.wire_topics.insert(topic.clone(), params).is_none_or(|before| before.text() != text) {
            // What is joined with other parameters is joined anew, and what was refused them is asked again.
            self.connection.leave_topic(&topic, &mut self.timers);
        }
        if self.connection.state() != ConnectionState::Online {
            self.done(id, Outcome::Nothing);
            return Ok(());
        }
        self.connection.want_topic(&topic, true, &mut self.timers);
        let deadline_mono_ms = now.mono_ms.saturating_add(WIRE_ACK_TIMEOUT_MS);
        let push = Push { topic: topic.clone(), ..Push::default() };
        let asked = self.wire_emit(now, id, push, deadline_mono_ms);
        if asked.as_ref().is_err_and(|failure| !failure.retryable) {
            self.wire_topics.remove(&topic);
        }
        asked
    }

    /// The topic is left: whoever waits for its join waits for nothing.
    fn drop_held(&mut self, topic: &str) {
        let of_it = |_: &u64, waiting: &AckFor| matches!(waiting, AckFor::Wire { held: Some(push), .. } if push.topic == topic);
        for id in self.acks.keys_where(&of_it) {
            match self.acks.remove(&id) {
                Some(AckFor::Wire { command, held: Some(push), .. }) if push.event.is_empty() => {
                    self.done(command, Outcome::Nothing);
                }
                Some(AckFor::Wire { command, .. }) => {
                    let text = "wire.send: not sent, its topic was left";
                    self.refuse(command, Failure::new(ErrorCode::Cancelled, text));
                }
                _ => {}
            }
        }
        self.update_wire_timer();
    }

    pub(super) fn join_wire_topics(&mut self) {
        for topic in self.wire_topics.keys() {
            self.connection.want_topic(topic, true, &mut self.timers);
        }
    }

    /// The connection is gone. What was to be joined is joined on the next one.
    pub(super) fn lose_wire(&mut self, command: CommandId, held: Option<&Push>) {
        let failure = match held {
            Some(push) if push.event.is_empty() => return self.done(command, Outcome::Nothing),
            Some(_) => not_joined(),
            None => {
                let text = "wire.send: the connection was lost before the server answered";
                Failure::new(ErrorCode::Unconfirmed, text)
            }
        };
        self.refuse(command, failure);
    }

    fn await_wire(&mut self, id: u64, command: CommandId, deadline_mono_ms: u64, held: Option<Box<Push>>) {
        self.acks.insert(id, AckFor::Wire { command, deadline_mono_ms, held });
        self.update_wire_timer();
    }

    /// `false`: nobody waits for it any more.
    pub(super) fn forget_errand(&mut self, id: CommandId) -> bool {
        let waited = self.acks.remove(&(ERRAND | u64::from(id))).is_some();
        self.update_wire_timer();
        waited
    }

    fn held_on_wire(&self) -> Vec<u64> {
        self.acks.keys_where(&|_, waiting| matches!(waiting, AckFor::Wire { held: Some(_), .. }))
    }

    /// A topic is joined, or was refused: what waits for it goes, or learns that (X8).
    pub(super) fn release_wire(&mut self, now: Now) {
        for held_id in self.held_on_wire() {
            if let Some(AckFor::Wire { command, deadline_mono_ms, held: Some(push) }) =
                self.acks.remove(&held_id)
            {
                let joins = push.event.is_empty().then(|| push.topic.clone());
                if let Err(failure) = self.wire_emit(now, command, *push, deadline_mono_ms) {
                    // What is refused for good is not asked for on the next connection.
                    if let Some(topic) = joins.filter(|_| !failure.retryable) {
                        self.wire_topics.remove(&topic);
                    }
                    self.refuse(command, failure);
                }
            }
        }
        self.update_wire_timer();
    }

    /// The server waits for an answer under this id: a number for the application, which is never used again.
    pub(super) fn ask(&mut self, ack_id: u64) -> u64 {
        if self.questions.len() >= MAX_QUESTIONS {
            self.questions.pop_first();
        }
        let question = self.next_question;
        self.next_question += 1;
        self.questions.insert(question, ack_id);
        question
    }

    /// Answers an event of the backend's own. The JSON is an array of arguments.
    pub(super) fn wire_answer(&mut self, id: CommandId, question: u64, payload: &WireData) {
        let args = json::parse(payload.json.text(), 0).ok().and_then(json::array).unwrap_or_default();
        if let Err(failure) = check_attachments(payload) {
            return self.refuse_answer(id, failure);
        }
        if let Some(ack_id) = self.questions.remove(&question)
            && let Emitted::TooLarge { limit, size } =
                self.connection.answer(ack_id, &args, &payload.attachments)
        {
            return self.refuse_answer(id, too_large(size, limit));
        }
        self.done(id, Outcome::Nothing);
    }

    /// Nobody awaits an answer's own fate: it is told as an event, too.
    fn refuse_answer(&mut self, id: CommandId, failure: Failure) {
        self.emit(Event::Error { error: failure.clone() });
        self.refuse(id, failure);
    }

    /// The backend has answered: with what, or why not.
    pub(super) fn on_wire_answer(
        &mut self,
        command: CommandId,
        status: Option<&str>,
        args: &[&RawValue],
        attachments: &[&[u8]],
    ) {
        if status.is_some_and(|status| status != "ok") {
            let failure = match self.profile.answer("", status, args) {
                Answer::Refused { failure, .. } | Answer::AuthRefused(failure) => failure,
                _ => Failure::new(ErrorCode::Server, "the server refused the event"),
            };
            return self.refuse(command, failure);
        }
        let json = match args {
            [] if attachments.is_empty() => return self.done(command, Outcome::Nothing),
            [one] => Json::from(*one),
            many => joined(many).unwrap_or_else(Json::null),
        };
        self.done(command, Outcome::Wire(Box::new(WireData { json, attachments: owned(attachments) })));
    }

    fn update_wire_timer(&mut self) {
        let mut next: Option<u64> = None;
        for (_, waiting) in self.acks.iter() {
            if let AckFor::Wire { deadline_mono_ms, .. } = **waiting {
                next = Some(next.map_or(deadline_mono_ms, |at| at.min(deadline_mono_ms)));
            }
        }
        self.timers.update(Timer::WireAck, next);
    }

    pub(super) fn on_wire_ack_timer(&mut self, now: Now) {
        let mut due: Vec<(u64, CommandId)> = Vec::new();
        for (id, waiting) in self.acks.iter() {
            if let AckFor::Wire { command, deadline_mono_ms, .. } = **waiting
                && deadline_mono_ms <= now.mono_ms
            {
                due.push((*id, command));
            }
        }
        for (ack_id, command) in due {
            let held = matches!(self.acks.remove(&ack_id), Some(AckFor::Wire { held: Some(_), .. }));
            let text = "wire.send: the server did not answer in time (timeoutMs)";
            let failure = if held { not_joined() } else { Failure::new(ErrorCode::Timeout, text) };
            self.refuse(command, failure);
        }
        self.update_wire_timer();
    }
}
