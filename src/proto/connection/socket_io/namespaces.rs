//! Namespaces beside the session's own: the topics of Socket.IO, for events of the application's own.
//!
//! Law: nothing is said to a namespace that has not accepted us, or has let us go: a server takes that for an attack and
//! closes the whole connection. Ids of answers count for one namespace (E7), so they are given out with its tag.

use crate::proto::connection::session::{News, refused_topic};
use crate::proto::model::{ErrorCode, Failure};
use crate::proto::sorted::SortedSet;
use crate::proto::wire::json::{self, Object};
use crate::proto::wire::socket_io::{Packet, encode_connect, encode_disconnect};
use crate::proto::{Now, Secret};

use super::{SocketIo, refusal_of};

/// Of one connection, the session's own among them.
const MAX_NAMESPACES: usize = 32;
const MAX_NAME_BYTES: usize = 256;
/// CONNECT is answered within this.
const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// A namespace that was refused is not asked again before.
const REFUSED_FOR_MS: u64 = 1_000;
/// Above the largest id of an answer (E5).
const TAG_SHIFT: u32 = 53;

#[derive(Debug)]
pub(super) enum State {
    Away,
    /// Whoever knows the parameters was told to join it.
    Asked,
    /// `wanted`: it may be let go before CONNECT is answered, and is left then.
    Joining {
        deadline_mono_ms: u64,
        wanted: bool,
    },
    Live,
    Refused {
        failure: Box<Failure>,
        until_mono_ms: u64,
    },
}

#[derive(Debug)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) state: State,
    /// What the session is resumed by: its private id, and the last offset (E11).
    pub(super) recovery: Option<(String, Option<String>)>,
}

impl Namespace {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), state: State::Away, recovery: None }
    }

    /// Takes the reply to CONNECT; `true` where the session was resumed (E11).
    pub(super) fn resume(&mut self, pid: Option<String>) -> bool {
        let resumed = matches!((&self.recovery, &pid), (Some((old, _)), Some(new)) if old == new);
        if !resumed {
            self.recovery = pid.map(|pid| (pid, None));
        }
        resumed
    }

    /// CONNECT with the token, the session to resume and the application's own parameters, the text of an object (E4,
    /// E11).
    pub(super) fn connect(&self, token: Option<&Secret>, params: &str) -> String {
        let mut auth = String::from("{");
        let mut field = |name: &str, value: &str| {
            if auth.len() > 1 {
                auth.push(',');
            }
            json::push_json_string(&mut auth, name);
            auth.push(':');
            json::push_json_string(&mut auth, value);
        };
        if let Some(token) = token {
            field("token", &token.0);
        }
        if let Some((pid, offset)) = &self.recovery {
            field("pid", pid);
            if let Some(offset) = offset {
                field("offset", offset);
            }
        }
        let own = params.trim_start().strip_prefix('{').map(str::trim_start);
        match own {
            // What stands twice counts as it stands last: theirs.
            Some(own) if !own.starts_with('}') => {
                if auth.len() > 1 {
                    auth.push(',');
                }
                auth.push_str(own);
            }
            _ => auth.push('}'),
        }
        encode_connect(&self.name, Some(&auth))
    }
}

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
        let is_name = topic.starts_with('/') && topic.len() <= MAX_NAME_BYTES && !topic.contains(',');
        if !is_name {
            let text = "topic: a namespace begins with / and has no comma, in at most 256 bytes";
            return Err(Failure::new(ErrorCode::Validation, text));
        }
        if self.namespaces.len() >= MAX_NAMESPACES {
            let text = "topic: at most 32 namespaces on one connection";
            return Err(Failure::new(ErrorCode::Validation, text));
        }
        self.namespaces.push(Namespace::named(topic));
        Ok(self.namespaces.len() - 1)
    }

    /// Has it joined where it is not. The session's own is.
    pub(super) fn want_namespace(&mut self, index: usize) {
        let Some(namespace) = self.namespaces.get_mut(index).filter(|_| index > 0) else { return };
        match &mut namespace.state {
            State::Away | State::Refused { .. } => {
                namespace.state = State::Asked;
                self.news.push_back(News::Joins(namespace.name.clone()));
            }
            State::Joining { wanted, .. } => *wanted = true,
            State::Asked | State::Live => {}
        }
    }

    pub(super) fn join_namespace(&mut self, topic: &str, params: &str, token: Option<&Secret>, now: Now) {
        let index = self.index_of(topic).unwrap_or_default();
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        if matches!(namespace.state, State::Asked) {
            let deadline_mono_ms = now.mono_ms + CONNECT_TIMEOUT_MS;
            namespace.state = State::Joining { deadline_mono_ms, wanted: true };
            self.frames.push_back(namespace.connect(token, params));
        }
    }

    pub(super) fn leave_namespace(&mut self, index: usize) {
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        namespace.recovery = None;
        match &mut namespace.state {
            State::Live => {
                self.frames.push_back(encode_disconnect(&namespace.name));
                namespace.state = State::Away;
            }
            State::Joining { wanted, .. } => *wanted = false,
            _ => namespace.state = State::Away,
        }
        self.let_go(index);
    }

    /// A packet of a namespace beside the session's own; given back where it is for the application.
    pub(super) fn on_beside<'a>(&mut self, packet: Packet<'a>, now: Now) -> Option<(Packet<'a>, u64)> {
        let index = self.index_of(packet.ns()).filter(|index| *index > 0)?;
        let namespace = self.namespaces.get_mut(index)?;
        let joining = matches!(namespace.state, State::Joining { .. });
        match packet {
            Packet::Connect { payload, .. } => {
                let reply = payload.and_then(Object::read);
                namespace.resume(reply.and_then(|reply| reply.str("pid").map(|pid| pid.into_owned())));
                // It may come late.
                let unwanted = matches!(namespace.state, State::Away | State::Joining { wanted: false, .. });
                namespace.state = State::Live;
                if unwanted {
                    self.leave_namespace(index);
                } else {
                    self.news.push_back(News::Settled(namespace.name.clone()));
                }
                None
            }
            Packet::ConnectError { payload, .. } if joining => {
                let (code, message) = refusal_of(payload);
                let failure = refused_topic(&namespace.name, code.as_deref(), &message);
                self.refuse(index, failure, now);
                None
            }
            Packet::Disconnect { .. } if joining => {
                // Else whoever waits would ask again as fast as it answers.
                let failure = refused_topic(&namespace.name, None, "the server disconnected");
                self.refuse(index, failure, now);
                None
            }
            Packet::Disconnect { .. } => {
                namespace.state = State::Away;
                namespace.recovery = None;
                self.let_go(index);
                None
            }
            // Before the reply, too (E9): whoever listens to the namespace has asked for it.
            _ if matches!(namespace.state, State::Joining { .. } | State::Live) => {
                self.take_in(&packet, index).then(|| (packet, tag_of(index)))
            }
            _ => None,
        }
    }

    fn refuse(&mut self, index: usize, failure: Failure, now: Now) {
        let Some(namespace) = self.namespaces.get_mut(index) else { return };
        let until_mono_ms = now.mono_ms + REFUSED_FOR_MS;
        namespace.state = State::Refused { failure: Box::new(failure), until_mono_ms };
        self.let_go(index);
    }

    /// What was asked there gets no answer, and what was asked of us is not awaited any more (E7).
    fn let_go(&mut self, index: usize) {
        let Some(namespace) = self.namespaces.get(index) else { return };
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
            if let State::Joining { deadline_mono_ms: at, .. } | State::Refused { until_mono_ms: at, .. } =
                namespace.state
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
                State::Joining { deadline_mono_ms, .. } if deadline_mono_ms <= now.mono_ms => {
                    let text = "the server did not answer the CONNECT of the namespace within 10 s";
                    self.refuse(index, Failure::new(ErrorCode::Timeout, text), now);
                }
                State::Refused { until_mono_ms, .. } if until_mono_ms <= now.mono_ms => {
                    namespace.state = State::Away;
                }
                _ => {}
            }
        }
    }
}
