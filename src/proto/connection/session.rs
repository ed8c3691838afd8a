//! One socket at a time, whatever its framing: which socket it is, how far it is, whether it lives.
//!
//! Law: a frame in, a [`Step`] out; nothing here decides about states, retries or tokens. What is malformed is
//! `Broken`, and it is `fatal` only where the framing is lost: nobody knows any more what the next frame is.

use super::heartbeat::Heartbeat;
use super::held::Held;
use super::{Delivered, Frames};
use crate::proto::config::Config;
#[cfg(feature = "several")]
use crate::proto::config::Framing as FramingName;
use crate::proto::model::{ErrorCode, Failure, first_chars};
use crate::proto::profile::{Push, is_auth_refusal};
use crate::proto::rng::Rng;
use crate::proto::text::concat;
use crate::proto::wire::json::RawValue;
use crate::proto::wire::{Limits, WireError, excerpt};
use crate::proto::{ConnId, Now, Secret};

/// How far a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// No socket.
    Gone,
    /// The socket is being opened.
    Opening,
    /// Open, without the handshake of its framing.
    Handshake,
    /// The server has been asked to accept us: CONNECT, or the join of the user's topic.
    Joining,
    Live,
}

/// What a frame means.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Nothing,
    /// To be sent at once.
    Reply(String),
    /// The framing is agreed upon: the server is asked to accept us (E4, P6).
    Handshaken,
    /// Nothing more is needed: who opens the socket is accepted (A1).
    #[cfg(feature = "json")]
    Accepted,
    /// It has.
    Joined {
        resumed: bool,
    },
    /// CONNECT was answered without a sid: a version-2 server (E10).
    VersionTwo,
    /// It has not (E8).
    Refused {
        code: Option<String>,
        message: String,
    },
    /// The token is not good for a part of the connection.
    TokenRefused,
    /// The server's DISCONNECT (E8).
    Disconnected,
    /// Engine.IO's close (E3).
    Closed,
    Delivered(Delivered<'a>),
    /// The server has accepted us, and says this.
    Welcomed(Delivered<'a>),
    Broken {
        message: String,
        excerpt: String,
        fatal: bool,
    },
}

/// What came of writing an event.
pub(super) enum Written {
    Frames {
        frames: Frames,
        ack_id: Option<u64>,
    },
    /// Its channel is not joined yet (X8).
    NotJoined,
    /// Its channel was refused, or the event cannot be written in this framing.
    Refused(Failure),
}

/// What happens to channels.
#[derive(Debug)]
pub(super) enum News {
    /// It is time to join: with parameters as they are now (X12).
    Joins(String),
    /// Pushes to it may go, or are refused.
    Settled(String),
    /// What was asked with these ids gets no answer (X4).
    Lost(Vec<u64>),
}

/// The socket itself.
pub(super) struct Link {
    conn: Option<ConnId>,
    next_conn: ConnId,
    pub(super) stage: Stage,
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) limits: Limits,
}

/// A framing: what its frames mean, and how ours are written.
pub(super) trait Framing {
    /// What the address needs beside the endpoint's own, and the sub-protocols to offer; an error where the token cannot
    /// be carried there.
    fn address(&self, url: &Secret, token: &Secret) -> Result<(Secret, Vec<Secret>), &'static str>;
    /// The socket is open.
    fn on_opened(&mut self, link: &mut Link, now: Now) -> Step<'static>;
    /// What asks the server to accept us; nothing where [`News::Joins`] does.
    fn greeting(&self, token: Option<&Secret>) -> Option<String>;
    /// Whether the token is in the upgrade, whose refusal looks like any other failure (X9).
    fn presents_token_in_upgrade(&self) -> bool {
        false
    }
    /// What is said before we close.
    fn farewell(&self) -> Option<String>;
    /// The socket is gone, and whatever hung on it.
    fn end(&mut self);
    fn on_text<'a>(&mut self, link: &mut Link, text: &'a str, now: Now, rng: &mut Rng) -> Step<'a>;
    /// What a binary frame completes is given out apart, since it owns its frames.
    fn on_binary(
        &mut self,
        link: &mut Link,
        bytes: Vec<u8>,
        now: Now,
        rng: &mut Rng,
    ) -> (Step<'static>, Option<Held>);
    fn event(&mut self, push: &Push, now: Now) -> Written;
    /// What [`Framing::event`] wrote with this id has gone out.
    fn mark_as_asked(&mut self, ack_id: u64, topic: &str);
    /// The answer to a server's event, once (E7).
    fn answer(&mut self, _ack_id: u64, _args: &[&RawValue], _attachments: &[Vec<u8>]) -> Option<Frames> {
        None
    }
    fn sid(&self) -> Option<&str> {
        None
    }
    /// What the handshake says the server takes (E12).
    fn max_payload(&self) -> Option<u64> {
        None
    }
    fn take_early(&mut self) -> Vec<Held> {
        Vec::new()
    }
    /// The session is not to be resumed (E11).
    fn forget_recovery(&mut self) {}
    /// Asks whether the other side lives, where this side may ask.
    fn beat(&mut self) {}
    /// Events of this topic are to come; `urgent`: in another's place, where there is no room for more.
    fn wants(&mut self, _topic: &str, _urgent: bool) {}
    /// The answer to [`News::Joins`].
    fn join(&mut self, _topic: &str, _params: &str, _token: Option<&Secret>, _now: Now) {}
    fn leave(&mut self, _topic: &str) {}
    /// Whether the application may join and leave this topic.
    fn check_topic(&self, _topic: &str) -> Result<(), Failure> {
        Ok(())
    }
    /// After [`Step::TokenRefused`], or while a token was missing: there is another one, or (`false`) there will be none.
    fn on_token(&mut self, _renewed: bool, _now: Now) {}
    /// Until when the server may be busy with what was asked of it; 0: it is not.
    fn busy_until_mono_ms(&self) -> u64 {
        0
    }
    /// When a channel is to be looked at again.
    fn deadline_mono_ms(&self) -> Option<u64> {
        None
    }
    fn on_timer(&mut self, _now: Now, _rng: &mut Rng) {}
    /// What has happened to channels; to be taken after every call.
    fn poll_news(&mut self) -> Option<News> {
        None
    }
    /// What is to be sent; to be taken after every call.
    fn poll_frame(&mut self) -> Option<String> {
        None
    }
}

/// The socket and its framing. Their counters outlive a socket: ids are never used twice (E7, X6), and a session may be
/// resumed (E11).
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) framing: AnyFraming,
}

/// Where a build has one framing it is called as it is, and what the others need is left out.
#[cfg(feature = "several")]
type AnyFraming = Box<dyn Framing>;
#[cfg(all(feature = "socket-io", not(feature = "several")))]
type AnyFraming = super::socket_io::SocketIo;
#[cfg(all(feature = "phoenix", not(feature = "several")))]
type AnyFraming = super::phoenix::Phoenix;
#[cfg(all(feature = "json", not(feature = "several")))]
type AnyFraming = super::json::JsonFrames;

#[cfg(feature = "several")]
fn framing_of(config: &Config, limits: Limits) -> AnyFraming {
    match config.endpoint.framing {
        #[cfg(feature = "socket-io")]
        FramingName::SocketIo => Box::new(super::socket_io::SocketIo::new(config, limits)),
        #[cfg(feature = "phoenix")]
        FramingName::Phoenix => Box::new(super::phoenix::Phoenix::new(config)),
        #[cfg(feature = "json")]
        FramingName::Json => Box::new(super::json::JsonFrames::new(config)),
    }
}
#[cfg(all(feature = "socket-io", not(feature = "several")))]
fn framing_of(config: &Config, limits: Limits) -> AnyFraming {
    super::socket_io::SocketIo::new(config, limits)
}
#[cfg(all(feature = "phoenix", not(feature = "several")))]
fn framing_of(config: &Config, _limits: Limits) -> AnyFraming {
    super::phoenix::Phoenix::new(config)
}
#[cfg(all(feature = "json", not(feature = "several")))]
fn framing_of(config: &Config, _limits: Limits) -> AnyFraming {
    super::json::JsonFrames::new(config)
}

impl Session {
    pub(super) fn new(config: &Config) -> Self {
        let max_packet_bytes = usize::try_from(config.limits.max_frame_bytes).unwrap_or(usize::MAX);
        let limits = Limits { max_packet_bytes, ..Limits::DEFAULT };
        let link = Link { conn: None, next_conn: 1, stage: Stage::Gone, heartbeat: None, limits };
        Self { link, framing: framing_of(config, limits) }
    }

    /// Begins a socket.
    pub(super) fn open(&mut self) -> ConnId {
        self.end();
        let link = &mut self.link;
        let conn = link.next_conn;
        link.next_conn = link.next_conn.wrapping_add(1);
        link.conn = Some(conn);
        link.stage = Stage::Opening;
        conn
    }

    /// Forgets the socket and whatever hung on it; gives its name if there was one.
    pub(super) fn end(&mut self) -> Option<ConnId> {
        self.link.stage = Stage::Gone;
        self.link.heartbeat.take_if(|_| !crate::proto::mutant::is(24));
        self.framing.end();
        self.link.conn.take()
    }

    pub(super) fn conn(&self) -> Option<ConnId> {
        self.link.conn
    }

    pub(super) fn stage(&self) -> Stage {
        self.link.stage
    }

    pub(super) fn heartbeat(&mut self) -> Option<&mut Heartbeat> {
        self.link.heartbeat.as_mut()
    }

    /// Asks whether the other side lives, where it is time for that.
    pub(super) fn beat_when_due(&mut self, now: Now) {
        if self.link.heartbeat.as_mut().is_some_and(|heartbeat| heartbeat.take_beat(now)) {
            self.framing.beat();
        }
    }

    pub(super) fn on_opened(&mut self, now: Now) -> Step<'static> {
        if self.link.stage != Stage::Opening {
            return Step::Nothing;
        }
        self.framing.on_opened(&mut self.link, now)
    }

    pub(super) fn on_text<'a>(&mut self, text: &'a str, now: Now, rng: &mut Rng) -> Step<'a> {
        let stale = crate::proto::mutant::is(24) && self.link.stage != Stage::Live;
        if let Some(heartbeat) = self.link.heartbeat.as_mut().filter(|_| !stale) {
            heartbeat.on_frame(now);
        }
        self.framing.on_text(&mut self.link, text, now, rng)
    }

    pub(super) fn on_binary(
        &mut self,
        bytes: Vec<u8>,
        now: Now,
        rng: &mut Rng,
    ) -> (Step<'static>, Option<Held>) {
        if let Some(heartbeat) = &mut self.link.heartbeat {
            heartbeat.on_frame(now);
        }
        self.framing.on_binary(&mut self.link, bytes, now, rng)
    }
}

pub(super) fn broken(frame: &str, error: &WireError, fatal: bool) -> Step<'static> {
    Step::Broken { message: error.text(), excerpt: excerpt(frame), fatal }
}

pub(super) fn out_of_place(frame: &str, what: &str, fatal: bool) -> Step<'static> {
    Step::Broken { message: what.to_owned(), excerpt: excerpt(frame), fatal }
}

/// Why the application does not join it.
pub(super) fn own_topic() -> Failure {
    let text = "topic: conversations and the session's own are joined without being asked to";
    Failure::new(ErrorCode::Validation, text)
}

/// What a Phoenix server says of a topic that it does not have.
pub(super) const UNMATCHED: &str = "unmatched topic";

/// Whether a join was refused to this user, rather than to this token.
pub(super) fn is_forbidden(code: Option<&str>, message: &str) -> bool {
    code == Some("ForbiddenError") || message == "forbidden"
}

/// Why nothing can be sent to a topic: its join was refused.
pub(super) fn refused_topic(topic: &str, code: Option<&str>, message: &str) -> Failure {
    let code = match (code, message) {
        (Some("NotFoundError"), _) | (_, UNMATCHED | "not found" | "not_found") => ErrorCode::NotFound,
        _ if is_forbidden(code, message) || is_auth_refusal(code, message) => ErrorCode::Forbidden,
        _ => ErrorCode::Server,
    };
    let text =
        concat(&["the server refused to join ", first_chars(topic, 80), ": ", first_chars(message, 200)]);
    Failure { retryable: code == ErrorCode::Server, ..Failure::new(code, text) }
}
