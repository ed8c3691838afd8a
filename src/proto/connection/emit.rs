//! What goes out on the socket: events, answers, joins.

#[cfg(not(feature = "several"))]
use super::session::Framing as _;
use super::session::{News, Written};
use super::{Action, Connection, Cx, Emitted, Frames, heartbeat};
use crate::proto::profile::Push;
use crate::proto::rng::Rng;
use crate::proto::timer::{Timer, Timers};
use crate::proto::wire::json::RawValue;
use crate::proto::{ConnectionState, Failure, Now, SocketOutput};

impl Connection {
    /// Emits an event; one without a name is not sent, and only asks whether its topic is joined. Before that the link is judged by both clocks (E2): a dead one is dropped, on one in doubt
    /// nothing is sent until [`Action::Writable`] or [`Action::Lost`].
    pub fn emit(&mut self, push: &Push, now: Now, timers: &mut Timers, rng: &mut Rng) -> Emitted {
        if self.state != ConnectionState::Online {
            return Emitted::NotOnline;
        }
        let mut cx = Cx { now, timers, rng };
        let life = self.session.heartbeat().map_or(heartbeat::Life::Alive, |beat| beat.look(now));
        if !self.heed(life, &mut cx) {
            self.held_back = self.state == ConnectionState::Online;
            if self.held_back {
                self.session.beat_when_due(now);
                self.drain(timers);
            }
            return Emitted::NotOnline;
        }
        let written = self.session.framing.event(push, now);
        self.drain(timers);
        let (frames, ack_id) = match written {
            Written::Frames { frames, ack_id } => (frames, ack_id),
            Written::NotJoined => return Emitted::NotJoined,
            Written::Refused(failure) => return Emitted::Refused(failure),
        };
        if push.event.is_empty() {
            return Emitted::Sent { ack_id: None, bytes: 0 };
        }
        let bytes = frames.largest();
        if let Some(too_large) = self.too_large(&frames) {
            return too_large;
        }
        if let Some(ack_id) = ack_id {
            self.session.framing.mark_as_asked(ack_id, &push.topic);
        }
        self.send_frames(frames);
        Emitted::Sent { ack_id, bytes }
    }

    /// What the server does not take in one frame (E12).
    fn too_large(&self, frames: &Frames) -> Option<Emitted> {
        let told = self.session.framing.max_payload().unwrap_or(u64::MAX);
        let limit = told.min(self.max_payload.unwrap_or(u64::MAX));
        let size = frames.largest() as u64;
        (size > limit).then_some(Emitted::TooLarge { limit, size })
    }

    /// Answers a server's event that came with this `ack_id`, once (E7); nothing is sent where nobody waits for it (any
    /// more).
    pub fn answer(&mut self, ack_id: u64, args: &[&RawValue], attachments: &[Vec<u8>]) -> Emitted {
        let Some(frames) = self.session.framing.answer(ack_id, args, attachments) else {
            return Emitted::NotOnline;
        };
        if let Some(too_large) = self.too_large(&frames) {
            return too_large;
        }
        let bytes = frames.largest();
        self.send_frames(frames);
        Emitted::Sent { ack_id: None, bytes }
    }

    /// Whether the application may join and leave this topic.
    ///
    /// # Errors
    /// Code `validation`: names what a topic may be.
    pub fn check_topic(&self, topic: &str) -> Result<(), Failure> {
        self.session.framing.check_topic(topic)
    }

    /// Events of this topic are to come, where the framing has topics; `urgent`: in another's place, where there is no
    /// room for more.
    pub fn want_topic(&mut self, topic: &str, urgent: bool, timers: &mut Timers) {
        if self.state == ConnectionState::Online {
            self.session.framing.wants(topic, urgent);
            self.drain(timers);
        }
    }

    /// The answer to [`Action::Joins`].
    pub fn join(&mut self, topic: &str, params: &str, now: Now, timers: &mut Timers) {
        self.session.framing.join(topic, params, self.token.as_ref(), now);
        self.drain(timers);
    }

    /// Events of this topic are not wanted any longer.
    pub fn leave_topic(&mut self, topic: &str, timers: &mut Timers) {
        self.session.framing.leave(topic);
        self.drain(timers);
    }

    pub(super) fn send(&mut self, text: String) {
        self.send_frames(Frames { text: Some(text), binary: Vec::new() });
    }

    fn send_frames(&mut self, frames: Frames) {
        let Some(conn) = self.session.conn() else { return };
        if let Some(text) = frames.text {
            self.actions.push_back(Action::Socket(SocketOutput::Text { conn, text }));
        }
        for bytes in frames.binary {
            self.actions.push_back(Action::Socket(SocketOutput::Binary { conn, bytes }));
        }
    }

    /// Carries on what the framing has to say and to tell, and sets its timer.
    pub(super) fn drain(&mut self, timers: &mut Timers) {
        while let Some(frame) = self.session.framing.poll_frame() {
            self.send(frame);
        }
        while let Some(news) = self.session.framing.poll_news() {
            self.actions.push_back(match news {
                News::Joins(topic) => Action::Joins { topic },
                News::Settled(topic) => Action::TopicSettled { topic },
                News::Lost(ack_ids) => Action::Unanswered { ack_ids },
            });
        }
        timers.update(Timer::Topics, self.session.framing.deadline_mono_ms());
        let busy_until = self.session.framing.busy_until_mono_ms();
        if let Some(heartbeat) = self.session.heartbeat() {
            heartbeat.hold(busy_until);
        }
        self.watch(timers);
    }
}
