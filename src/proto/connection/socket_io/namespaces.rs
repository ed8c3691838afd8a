//! Namespaces beside the session's own: the topics of Socket.IO, for events of the application's own.
//!
//! Law: nothing is said to a namespace that has not accepted us, or has let us go: a server takes that for an attack and
//! closes the whole connection. Ids of answers count for one namespace (E7), so they are given out with its tag.

use crate::proto::connection::session::{News, refused_topic};
use crate::proto::model::{ErrorCode, Failure};
use crate::proto::profile::is_auth_refusal;
use crate::proto::sorted::SortedSet;
use crate::proto::text::holds;
use crate::proto::wire::json::{Object, RawValue};
use crate::proto::wire::socket_io::{Packet, encode_disconnect};
use crate::proto::{Now, Secret};

use super::namespace::{Namespace, State};
use super::{SocketIo, refusal_of};

/// Of one connection, the session's own among them.
const MAX_NAMESPACES: usize = 32;
const MAX_NAME_BYTES: usize = 256;
/// CONNECT is answered within this; who waits is told so then, and a later answer counts all the same.
const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// A namespace that was refused is not asked again before, unless somebody asks for that by name.
const REFUSED_FOR_MS: u64 = 1_000;
/// The official server takes a CONNECT that comes in one burst with the DISCONNECT before it for an attack.
const PAUSE_MS: u64 = 250;
/// Answers that wait for the reply to CONNECT.
const MAX_EARLY_ANSWERS: usize = 16;
/// Above the largest id of an answer (E5).
const TAG_SHIFT: u32 = 53;

/// The bits that tell ids of this namespace from those of others; none for the session's own.
pub(super) fn tag_of(index: usize) -> u64 {
    (index as u64) << TAG_SHIFT
}

/// The namespace of a tagged id, and its id on the wire.
pub(super) fn untagged(id: u64) -> (usize, u64) {
    ((id >> TAG_SHIFT) as usize, id & (tag_of(1) - 1))
}

fn take_ids(ids: &mut SortedSet<u64>, index: usize) -> Vec<u64> {
    let mut taken = Vec::new();
    for id in ids.iter() {
        if untagged(*id).0 == index {
            taken.push(*id);
        }
    }
    for id in &taken {
        ids.remove(id);
    }
    taken
}

impl SocketIo {
    /// Empty: the session's own.
    pub(super) fn index_of(&self, topic: &str) -> Option<usize> {
        if topic.is_empty() {
            return Some(0);
        }
        for (index, namespace) in self.namespaces.iter().enumerate() {
            if namespace.name == topic {
                return Some(index);
            }
        }
        None
    }

    /// The namespace for this topic, which need not be joined.
    pub(super) fn namespace_for(&mut self, topic: &str) -> Result<usize, Failure> {
        if let Some(index) = self.index_of(topic) {
            return Ok(index);
        }
        check_name(topic)?;
        if self.namespaces.len() < MAX_NAMESPACES {
            self.namespaces.push(Namespace::named(topic));
            return Ok(self.namespaces.len() - 1);
        }
        // In the place of one that nobody wants any more.
        for (index, namespace) in self.namespaces.iter_mut().enumerate() {
            if index > 0 && matches!(namespace.state, State::Away) && !namespace.wanted {
                *namespace = Namespace::named(topic);
                return Ok(index);
            }
        }
        let text = "topic: at most 32 namespaces on one connection";
        Err(Failure::new(ErrorCode::Validation, text))
    }

    /// Has it joined where it is not. The session's own is.
    pub(super) fn want_namespace(&mut self, index: usize) {
        let Some(namespace) = self.namespaces.get_mut(index).filter(|_| index > 0) else { return };
        namespace.wanted = true;
        if matches!(namespace.state, State::Away | State::Refused { .. }) {
            namespace.state = State::Asked;
            namespace.renewed = false;
            self.news.push_back(News::Joins(namespace.name.clone()));
        }
    }

    /// Without a token there is no CONNECT: it is being renewed, and then those who wait are asked for anew.
    pub(super) fn join_namespace(&mut self, topic: &str, params: &str, token: Option<&Secret>, now: Now) {
        let index = self.index_of(topic).unwrap_or_default();
        let limit = self.max_payload.unwrap_or(u64::MAX);
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        if !matches!(namespace.state, State::Asked) || token.is_none() {
            return;
        }
        let frame = namespace.connect(token, params);
        if frame.len() as u64 > limit {
            let text = "params: the frame is larger than the server takes";
            return self.refuse(index, Failure::new(ErrorCode::TooLarge, text), now);
        }
        let deadline_mono_ms = now.mono_ms + CONNECT_TIMEOUT_MS;
        namespace.state = State::Joining { deadline_mono_ms, stale: false };
        self.frames.push_back(frame);
    }

    /// There is another token, or (`false`) there will be none.
    pub(super) fn on_token_renewed(&mut self, renewed: bool, now: Now) {
        for index in 1..self.namespaces.len() {
            let Some(namespace) = self.namespaces.get_mut(index) else { continue };
            match &namespace.state {
                State::Renewing { failure } if !renewed => {
                    let failure = (**failure).clone();
                    self.refuse(index, failure, now);
                }
                State::Asked | State::Renewing { .. } if renewed => {
                    namespace.state = State::Asked;
                    self.news.push_back(News::Joins(namespace.name.clone()));
                }
                _ => {}
            }
        }
    }

    /// The text of an answer that may not go yet is kept.
    pub(super) fn is_early_answer(&mut self, index: usize, text: &str, whole: bool) -> bool {
        let Some(namespace) = self.namespaces.get_mut(index).filter(|_| index > 0) else { return false };
        let early = !matches!(namespace.state, State::Live);
        if early && whole && namespace.answers.len() < MAX_EARLY_ANSWERS {
            namespace.answers.push(text.to_owned());
        }
        early
    }

    pub(super) fn leave_namespace(&mut self, index: usize) {
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        namespace.recovery = None;
        namespace.wanted = false;
        match &mut namespace.state {
            State::Live => {
                self.frames.push_back(encode_disconnect(&namespace.name));
                namespace.state = State::Leaving { until_mono_ms: 0 };
            }
            State::Joining { stale, .. } | State::Overdue { stale } => *stale = true,
            State::Leaving { .. } => {}
            _ => namespace.state = State::Away,
        }
        self.let_go(index);
    }

    /// A packet of a namespace beside the session's own; given back where it is for the application.
    pub(super) fn on_beside<'a>(&mut self, packet: Packet<'a>, now: Now) -> Beside<'a> {
        let Some(index) = self.index_of(packet.ns()).filter(|index| *index > 0) else { return Beside::Done };
        let Some(namespace) = self.namespaces.get_mut(index) else { return Beside::Done };
        let joining = matches!(namespace.state, State::Joining { .. } | State::Overdue { .. });
        let live = matches!(namespace.state, State::Live);
        match packet {
            Packet::Connect { payload, .. } if joining => self.on_joined(index, payload),
            Packet::ConnectError { payload, .. } if joining => {
                let (code, message) = refusal_of(payload);
                let failure = refused_topic(&namespace.name, code.as_deref(), &message);
                if is_auth_refusal(code.as_deref(), &message) && !namespace.renewed {
                    namespace.renewed = true;
                    namespace.state = State::Renewing { failure: Box::new(failure) };
                    return Beside::TokenRefused;
                }
                self.refuse(index, failure, now);
            }
            Packet::Disconnect { .. } if joining => {
                // Else whoever waits would ask again as fast as it answers.
                let failure = refused_topic(&namespace.name, None, "the server disconnected");
                self.refuse(index, failure, now);
            }
            Packet::Disconnect { .. } if live => {
                namespace.state = State::Away;
                (namespace.recovery, namespace.wanted) = (None, false);
                self.let_go(index);
            }
            Packet::Connect { .. } | Packet::ConnectError { .. } | Packet::Disconnect { .. } => {}
            // Before the reply, too (E9): whoever listens to the namespace has asked for it.
            _ if (joining || live) && self.take_in(&packet, index) => {
                return Beside::Packet(packet, tag_of(index));
            }
            _ => {}
        }
        Beside::Done
    }

    fn on_joined(&mut self, index: usize, payload: Option<&RawValue>) {
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        let reply = payload.and_then(Object::read);
        namespace.resume(reply.and_then(|reply| reply.str("pid").map(|pid| pid.into_owned())));
        let stale =
            matches!(namespace.state, State::Joining { stale: true, .. } | State::Overdue { stale: true });
        namespace.state = State::Live;
        namespace.renewed = false;
        for answer in core::mem::take(&mut namespace.answers) {
            self.frames.push_back(answer);
        }
        if stale {
            let wanted = namespace.wanted;
            self.leave_namespace(index);
            if let Some(namespace) = self.namespaces.get_mut(index) {
                namespace.wanted = wanted;
            }
        } else {
            self.news.push_back(News::Settled(namespace.name.clone()));
        }
    }

    fn refuse(&mut self, index: usize, failure: Failure, now: Now) {
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        let until_mono_ms = now.mono_ms + REFUSED_FOR_MS;
        namespace.state = State::Refused { failure: Box::new(failure), until_mono_ms };
        namespace.wanted = false;
        self.let_go(index);
    }

    /// What was asked there gets no answer, and what was asked of us is not awaited any more (E7).
    fn let_go(&mut self, index: usize) {
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        namespace.answers = Vec::new();
        let lost = take_ids(&mut self.asked, index);
        take_ids(&mut self.owed, index);
        if !lost.is_empty() {
            self.news.push_back(News::Lost(lost));
        }
        self.news.push_back(News::Settled(namespace.name.clone()));
    }

    pub(super) fn next_deadline_mono_ms(&self) -> Option<u64> {
        let mut next: Option<u64> = None;
        for namespace in &self.namespaces {
            if let State::Joining { deadline_mono_ms: at, .. }
            | State::Refused { until_mono_ms: at, .. }
            | State::Leaving { until_mono_ms: at } = namespace.state
            {
                next = Some(next.map_or(at, |earlier| earlier.min(at)));
            }
        }
        next
    }

    pub(super) fn on_deadline(&mut self, now: Now) {
        for index in 1..self.namespaces.len() {
            let Some(namespace) = self.namespaces.get_mut(index) else { continue };
            match namespace.state {
                State::Joining { deadline_mono_ms, stale } if deadline_mono_ms <= now.mono_ms => {
                    namespace.state = State::Overdue { stale };
                    self.news.push_back(News::Settled(namespace.name.clone()));
                }
                State::Leaving { until_mono_ms: 0 } => {
                    namespace.state = State::Leaving { until_mono_ms: now.mono_ms + PAUSE_MS };
                }
                State::Leaving { until_mono_ms } if until_mono_ms <= now.mono_ms => {
                    namespace.state = State::Away;
                    if namespace.wanted {
                        self.want_namespace(index);
                    }
                }
                State::Refused { until_mono_ms, .. } if until_mono_ms <= now.mono_ms => {
                    namespace.state = State::Away;
                }
                _ => {}
            }
        }
    }
}

/// What a packet of a namespace beside the session's own comes to.
pub(super) enum Beside<'a> {
    Done,
    /// The token is not good there.
    TokenRefused,
    /// For the application, with the tag of its namespace.
    Packet(Packet<'a>, u64),
}

/// What a namespace may be called.
pub(super) fn check_name(topic: &str) -> Result<(), Failure> {
    if topic.starts_with('/') && topic.len() <= MAX_NAME_BYTES && !holds(topic, b",?") {
        return Ok(());
    }
    let text =
        "topic: a namespace begins with / and has neither comma nor question mark, in at most 256 bytes";
    Err(Failure::new(ErrorCode::Validation, text))
}

/// Why nothing can be sent to a namespace that has not answered.
pub(super) fn overdue() -> Failure {
    let text = "the server did not answer the CONNECT of the namespace within 10 s";
    Failure::new(ErrorCode::Timeout, text)
}
