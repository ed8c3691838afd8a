//! Socket.IO: which packet may come when, and what it means (E1 to E12).

use crate::proto::mutant;
use crate::proto::sorted::SortedSet;
use crate::proto::wire::json::RawValue;
use std::borrow::Cow;

use super::Frames;
use super::heartbeat::Heartbeat;
use super::held::Held;
use super::session::{Framing, Link, News, Stage, Step, Written, broken, out_of_place, own_topic};
use crate::proto::config::Config;
use crate::proto::model::Failure;
use crate::proto::profile::Push;
use crate::proto::queue::Queue;
use crate::proto::rng::Rng;
use crate::proto::wire::engine_io::{self, Frame};
use crate::proto::wire::json::{self, Object};
use crate::proto::wire::socket_io::{
    Assembler, Packet, encode_ack, encode_binary_ack, encode_binary_event, encode_disconnect, encode_event,
};
use crate::proto::wire::{Limits, WireError};
use crate::proto::{Now, Secret};

mod namespace;
mod namespaces;
mod packets;

use namespace::{Namespace, State};
pub(super) use packets::deliver;
use packets::refusal_of;

use namespaces::{Beside, check_name, overdue, tag_of, untagged};

/// Events kept from before the CONNECT reply (E9), and the bytes of their frames.
const MAX_EARLY: usize = 256;
const MAX_EARLY_BYTES: usize = 1024 * 1024;

/// Of each namespace: answers that the server waits for, and (beside the session's own) those awaited from it; the oldest is
/// forgotten first.
const MAX_OWED: usize = 256;

/// One Socket.IO connection.
pub(super) struct SocketIo {
    /// What CONNECT says in the session's own namespace, as a template, and for whom; empty: the token alone.
    auth: String,
    user_id: String,
    /// The session's own, which is joined before anything else, then those that were asked for.
    namespaces: Vec<Namespace>,
    assembler: Assembler,
    sid: Option<String>,
    /// What the handshake says the server takes (E12).
    max_payload: Option<u64>,
    first_ack: u64,
    next_ack: u64,
    owed: SortedSet<u64>,
    asked: SortedSet<u64>,
    early: Vec<Held>,
    early_bytes: usize,
    news: Queue<News>,
    frames: Queue<String>,
}

impl SocketIo {
    pub(super) fn new(config: &Config, limits: Limits) -> Self {
        let auth = config.spec.as_ref().map(|spec| spec.auth.clone()).unwrap_or_default();
        Self {
            auth,
            user_id: config.user_id.clone(),
            namespaces: vec![Namespace::named(&config.endpoint.namespace)],
            assembler: Assembler::new(limits),
            sid: None,
            max_payload: None,
            first_ack: 0,
            next_ack: 0,
            owed: SortedSet::new(),
            asked: SortedSet::new(),
            early: Vec::new(),
            early_bytes: 0,
            news: Queue::new(),
            frames: Queue::new(),
        }
    }

    fn name(&self, index: usize) -> &str {
        self.namespaces.get(index).map_or("", |namespace| namespace.name.as_str())
    }
}

impl Framing for SocketIo {
    /// Tokens go into CONNECT.
    fn address(&self, url: &Secret, _token: &Secret) -> Result<(Secret, Vec<Secret>), &'static str> {
        Ok((url.clone(), Vec::new()))
    }

    /// The server speaks first.
    fn on_opened(&mut self, link: &mut Link, _now: Now) -> Step<'static> {
        link.stage = Stage::Handshake;
        Step::Nothing
    }

    fn greeting(&self, token: Option<&Secret>) -> Option<String> {
        self.namespaces.first().map(|own| own.connect_as(&self.auth, &self.user_id, token))
    }

    fn farewell(&self) -> Option<String> {
        Some(encode_disconnect(self.name(0)))
    }

    fn end(&mut self) {
        self.assembler.reset();
        self.sid = None;
        self.max_payload = None;
        self.next_ack *= u64::from(!mutant::is(29));
        self.first_ack = self.next_ack;
        self.owed.clear();
        self.asked.clear();
        self.early = Vec::new();
        self.early_bytes = 0;
        self.news.clear();
        self.frames.clear();
        for namespace in &mut self.namespaces {
            namespace.end();
        }
    }

    fn on_text<'a>(&mut self, link: &mut Link, text: &'a str, now: Now, _rng: &mut Rng) -> Step<'a> {
        if text.len() > link.limits.max_packet_bytes {
            // A part of a binary packet cannot be left out.
            let fatal = link.stage < Stage::Joining || self.assembler.missing() > 0;
            return broken(text, &WireError::TooLarge { max: link.limits.max_packet_bytes }, fatal);
        }
        let frame = match engine_io::decode(text) {
            Ok(frame) => frame,
            Err(error) => return broken(text, &error, link.stage < Stage::Joining),
        };
        match frame {
            Frame::Open { ping_interval_ms, ping_timeout_ms, max_payload, .. }
                if link.stage == Stage::Handshake =>
            {
                link.heartbeat.get_or_insert_with(|| Heartbeat::new(ping_interval_ms, ping_timeout_ms, now));
                self.max_payload = max_payload;
                link.stage = Stage::Joining;
                Step::Handshaken
            }
            Frame::Close => Step::Closed,
            _ if link.stage < Stage::Joining => {
                out_of_place(text, "the first frame must be the Engine.IO handshake", true)
            }
            Frame::Open { .. } => out_of_place(text, "a second Engine.IO handshake", false),
            Frame::Ping(data) => {
                if let Some(heartbeat) = &mut link.heartbeat {
                    heartbeat.on_ping(now);
                }
                Step::Reply(engine_io::encode_pong(data))
            }
            Frame::Pong | Frame::Upgrade | Frame::Noop => Step::Nothing,
            Frame::Message(packet) => self.on_message(link, text, packet, now),
        }
    }

    /// E3, E6.
    fn on_binary(
        &mut self,
        link: &mut Link,
        bytes: Vec<u8>,
        now: Now,
        _rng: &mut Rng,
    ) -> (Step<'static>, Option<Held>) {
        if link.stage < Stage::Joining {
            return (out_of_place("", "a binary frame before the Engine.IO handshake", true), None);
        }
        let size = bytes.len();
        let assembled = match self.assembler.on_binary(bytes) {
            Ok(Some(assembled)) => assembled,
            Ok(None) => return (Step::Nothing, None),
            Err(error) => return (broken("", &error, matches!(error, WireError::TooLarge { .. })), None),
        };
        let tag = match assembled.packet() {
            Err(error) => return (broken("", &error, false), None),
            Ok(packet) if packet.ns() != self.name(0) => match self.on_beside(packet, now) {
                Beside::Packet(_, tag) => Some(tag),
                _ => None,
            },
            Ok(packet) => self.take_in(&packet, 0).then_some(0),
        };
        let Some(tag) = tag else { return (Step::Nothing, None) };
        let held = Held::binary(assembled, tag);
        if link.stage == Stage::Joining { (self.hold(held, size), None) } else { (Step::Nothing, Some(held)) }
    }

    fn event(&mut self, push: &Push, _now: Now) -> Written {
        let index = match self.namespace_for(&push.topic) {
            Ok(index) => index,
            Err(failure) => return Written::Refused(failure),
        };
        match self.namespaces.get(index).map(|namespace| &namespace.state) {
            Some(State::Refused { failure, .. }) => return Written::Refused((**failure).clone()),
            Some(State::Overdue { .. }) => return Written::Refused(overdue()),
            Some(State::Live) => {}
            _ if index == 0 => {}
            _ => {
                self.want_namespace(index);
                return Written::NotJoined;
            }
        }
        let ack_id = push.ack.then_some(self.next_ack);
        let args = texts(&push.args, &|arg| arg.as_str());
        let count = push.attachments.len();
        let text = if count == 0 {
            encode_event(self.name(index), ack_id, &push.event, &args)
        } else {
            encode_binary_event(self.name(index), ack_id, &push.event, &args, count)
        };
        let frames = Frames { text: Some(text), binary: push.attachments.clone() };
        Written::Frames { frames, ack_id: ack_id.map(|id| tag_of(index) | id) }
    }

    fn mark_as_asked(&mut self, ack_id: u64, _topic: &str) {
        let (index, id) = untagged(ack_id);
        self.next_ack = id + 1;
        if index > 0 {
            insert_bounded(&mut self.asked, ack_id);
        }
    }

    fn answer(&mut self, ack_id: u64, args: &[&RawValue], attachments: &[Vec<u8>]) -> Option<Frames> {
        if !self.owed.remove(&ack_id) {
            return None;
        }
        let (index, id) = untagged(ack_id);
        let args = texts(args, &|arg| arg.get());
        let text = if attachments.is_empty() {
            encode_ack(self.name(index), id, &args)
        } else {
            encode_binary_ack(self.name(index), id, &args, attachments.len())
        };
        if self.is_early_answer(index, &text, attachments.is_empty()) {
            return None;
        }
        Some(Frames { text: Some(text), binary: attachments.to_vec() })
    }

    fn wants(&mut self, topic: &str, _urgent: bool) {
        if let Ok(index) = self.namespace_for(topic) {
            self.want_namespace(index);
        }
    }

    fn join(&mut self, topic: &str, params: &str, token: Option<&Secret>, now: Now) {
        self.join_namespace(topic, params, token, now);
    }

    fn leave(&mut self, topic: &str) {
        if let Some(index) = self.index_of(topic).filter(|index| *index > 0) {
            self.leave_namespace(index);
        }
    }

    fn check_topic(&self, topic: &str) -> Result<(), Failure> {
        if topic == self.name(0) { Err(own_topic()) } else { check_name(topic) }
    }

    fn on_token(&mut self, renewed: bool, now: Now) {
        self.on_token_renewed(renewed, now);
    }

    fn deadline_mono_ms(&self) -> Option<u64> {
        self.next_deadline_mono_ms()
    }

    fn on_timer(&mut self, now: Now, _rng: &mut Rng) {
        self.on_deadline(now);
    }

    fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    fn poll_frame(&mut self) -> Option<String> {
        self.frames.pop_front()
    }

    fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    fn max_payload(&self) -> Option<u64> {
        self.max_payload
    }

    fn take_early(&mut self) -> Vec<Held> {
        self.early_bytes = 0;
        core::mem::take(&mut self.early)
    }

    fn forget_recovery(&mut self) {
        for namespace in &mut self.namespaces {
            namespace.recovery = None;
        }
    }
}

fn texts<'a, T>(items: &'a [T], text: &dyn Fn(&'a T) -> &'a str) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for item in items {
        texts.push(text(item));
    }
    texts
}

impl SocketIo {
    fn on_message<'a>(&mut self, link: &mut Link, frame: &'a str, message: &'a str, now: Now) -> Step<'a> {
        match self.assembler.on_text(message) {
            Err(error) => broken(frame, &error, matches!(error, WireError::TextBetween { .. })),
            Ok(None) => Step::Nothing,
            Ok(Some(packet)) if packet.ns() != self.name(0) => match self.on_beside(packet, now) {
                Beside::Packet(packet, tag) => deliver(packet, tag).map_or(Step::Nothing, Step::Delivered),
                Beside::TokenRefused => Step::TokenRefused,
                Beside::Done => Step::Nothing,
            },
            Ok(Some(Packet::Connect { payload, .. })) => self.on_connect(link, frame, payload),
            Ok(Some(Packet::ConnectError { payload, .. })) if link.stage == Stage::Joining => {
                let (code, message) = refusal_of(payload);
                Step::Refused { code, message }
            }
            Ok(Some(Packet::ConnectError { .. })) => {
                out_of_place(frame, "CONNECT_ERROR after CONNECT", false)
            }
            Ok(Some(Packet::Disconnect { .. })) => Step::Disconnected,
            Ok(Some(packet)) if !self.take_in(&packet, 0) => Step::Nothing,
            Ok(Some(_)) if link.stage == Stage::Joining => self.hold(Held::text(message), message.len()),
            Ok(Some(packet)) => deliver(packet, 0).map_or(Step::Nothing, Step::Delivered),
        }
    }

    fn on_connect<'a>(&mut self, link: &mut Link, frame: &str, payload: Option<&RawValue>) -> Step<'a> {
        if link.stage != Stage::Joining {
            return out_of_place(frame, "a second CONNECT", false);
        }
        let reply = payload.and_then(Object::read);
        let Some(sid) = reply.as_ref().and_then(|reply| reply.str("sid")).filter(|sid| !sid.is_empty())
        else {
            return Step::VersionTwo;
        };
        self.sid = Some(sid.into_owned());
        link.stage = Stage::Live;
        let pid = reply.as_ref().and_then(|reply| reply.str("pid")).map(Cow::into_owned);
        let resumed = self.namespaces.first_mut().is_some_and(|own| own.resume(pid));
        Step::Joined { resumed }
    }

    /// Bookkeeping of an event or ack of this namespace; `false` where nobody waits for it.
    fn take_in(&mut self, packet: &Packet<'_>, index: usize) -> bool {
        match packet {
            Packet::Event { ack_id: Some(id), .. } => insert_bounded(&mut self.owed, tag_of(index) | *id),
            Packet::Event { args, .. } => {
                // Only what can be repeated has an offset, and it comes last.
                let recovery = self.namespaces.get_mut(index).and_then(|own| own.recovery.as_mut());
                if let (Some((_, offset)), Some(last)) = (recovery, args.last())
                    && let Some(last) = json::string(last)
                {
                    *offset = Some(last.into_owned());
                }
            }
            Packet::Ack { id, .. } if index > 0 => return self.asked.remove(&(tag_of(index) | *id)),
            // Ids of earlier sockets are late, others were never given.
            Packet::Ack { id, .. } => return (self.first_ack..self.next_ack).contains(id),
            _ => {}
        }
        true
    }

    fn hold(&mut self, held: Held, bytes: usize) -> Step<'static> {
        let full = self.early.len() >= MAX_EARLY || self.early_bytes.saturating_add(bytes) > MAX_EARLY_BYTES;
        if full {
            return out_of_place("", "too many events before the CONNECT reply: at most 256 of 1 MiB", false);
        }
        self.early_bytes += bytes;
        self.early.push(held);
        Step::Nothing
    }
}

/// The oldest of its own namespace goes first: the smallest.
fn insert_bounded(ids: &mut SortedSet<u64>, id: u64) {
    let mut of_its_own = 0;
    let mut first = None;
    for other in ids.iter() {
        if untagged(*other).0 == untagged(id).0 {
            first = first.or(Some(*other));
            of_its_own += 1;
        }
    }
    if let Some(first) = first.filter(|_| of_its_own >= MAX_OWED) {
        ids.remove(&first);
    }
    ids.insert(id);
}
