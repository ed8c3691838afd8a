//! Plain JSON frames: who is accepted when, and whether the server lives (A1, A2, A10, D9).
//!
//! Law: a frame that cannot be read, or is out of its place, costs itself and nothing else. Silence is death only with a
//! server that is known to answer pings; any other is judged by its socket alone.

use super::heartbeat::Heartbeat;
use super::held::Held;
use super::session::{Framing, Link, Stage, Step, Written, broken, out_of_place};
use super::{Delivered, Frames};
use crate::proto::config::{Config, TokenIn};
use crate::proto::model::{ErrorCode, Failure};
use crate::proto::profile::Push;
use crate::proto::rng::Rng;
use crate::proto::text::{concat, push_percent_encoded};
use crate::proto::wire::json::{Object, RawValue, decimal, push_json_string};
use crate::proto::wire::typed::{self, Frame};
use crate::proto::{Now, Secret};

/// Frames kept from before the token was accepted (E9), and their bytes.
const MAX_EARLY: usize = 256;
const MAX_EARLY_BYTES: usize = 1024 * 1024;

/// One WebSocket with frames of JSON.
pub(super) struct JsonFrames {
    user_id: String,
    token_in: TokenIn,
    interval_ms: u64,
    timeout_ms: u64,
    /// This server is known to answer pings.
    answers_pings: bool,
    /// On this socket it was asked, and has not answered.
    asked_in_vain: bool,
    /// The server was known to answer, and did not on the last socket.
    in_doubt: bool,
    ping: Option<String>,
    early: Vec<Held>,
    early_bytes: usize,
}

impl JsonFrames {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            user_id: config.user_id.clone(),
            token_in: config.endpoint.token_in,
            interval_ms: u64::from(config.heartbeat.interval_ms),
            timeout_ms: u64::from(config.heartbeat.timeout_ms),
            answers_pings: false,
            asked_in_vain: false,
            in_doubt: false,
            ping: None,
            early: Vec::new(),
            early_bytes: 0,
        }
    }

    fn on_frame<'a>(&mut self, link: &mut Link, text: &'a str, frame: Frame<'a>) -> Step<'a> {
        let waits = link.stage == Stage::Joining;
        match frame.event.as_ref() {
            typed::PING => return Step::Reply(typed::encode(typed::PONG, None, None)),
            typed::PONG => {
                (self.answers_pings, self.asked_in_vain) = (true, false);
                if let Some(heartbeat) = &mut link.heartbeat {
                    heartbeat.expect_answers(self.timeout_ms);
                }
                return Step::Nothing;
            }
            typed::AUTH_OK if waits => {
                link.stage = Stage::Live;
                return Step::Joined { resumed: false };
            }
            typed::AUTH_OK => return Step::Nothing,
            typed::ERROR if waits => return refusal(frame.payload),
            // What the server gives may be said at any time.
            typed::HELLO => {}
            _ if waits => return self.hold(text),
            _ => {}
        }
        Step::Delivered(deliver(frame))
    }

    fn hold(&mut self, text: &str) -> Step<'static> {
        if self.early.len() >= MAX_EARLY || self.early_bytes.saturating_add(text.len()) > MAX_EARLY_BYTES {
            return out_of_place("", "too many frames before auth_ok: at most 256 of 1 MiB", false);
        }
        self.early_bytes += text.len();
        self.early.push(Held::json(text));
        Step::Nothing
    }
}

impl Framing for JsonFrames {
    /// A1, A2, D9.
    fn address(&self, url: &Secret, token: &Secret) -> Result<(Secret, Vec<Secret>), &'static str> {
        let mut url = concat(&[&url.0, "?userId="]);
        push_percent_encoded(&mut url, &self.user_id);
        let mut protocols = Vec::new();
        match self.token_in {
            TokenIn::Query => {
                url.push_str("&token=");
                push_percent_encoded(&mut url, &token.0);
            }
            TokenIn::FirstFrame => {}
            _ => {
                protocols.push(Secret("chatwire".to_owned()));
                protocols.push(Secret(typed::bearer(&token.0)));
            }
        }
        Ok((Secret(url), protocols))
    }

    fn on_opened(&mut self, link: &mut Link, now: Now) -> Step<'static> {
        link.heartbeat.get_or_insert_with(|| Heartbeat::unanswered(self.interval_ms, now));
        if let Some(heartbeat) = link.heartbeat.as_mut().filter(|_| self.answers_pings) {
            heartbeat.expect_answers(self.timeout_ms);
        }
        if self.token_in == TokenIn::FirstFrame {
            link.stage = Stage::Joining;
            return Step::Handshaken;
        }
        link.stage = Stage::Live;
        if self.in_doubt {
            self.beat();
        }
        Step::Accepted
    }

    fn greeting(&self, token: Option<&Secret>) -> Option<String> {
        let mut payload = String::from("{\"token\":");
        push_json_string(&mut payload, token.map_or("", |token| token.0.as_str()));
        payload.push('}');
        Some(typed::encode(typed::AUTH, Some(&payload), None))
    }

    fn presents_token_in_upgrade(&self) -> bool {
        self.token_in != TokenIn::FirstFrame
    }

    /// The close of the socket says it (A9).
    fn farewell(&self) -> Option<String> {
        None
    }

    fn end(&mut self) {
        // It may be another server behind the same address now, or one that answers no longer.
        let in_vain = core::mem::take(&mut self.asked_in_vain);
        // The next one is asked at once.
        self.in_doubt = in_vain && self.answers_pings;
        self.answers_pings &= !in_vain;
        self.ping = None;
        self.early = Vec::new();
        self.early_bytes = 0;
    }

    fn on_text<'a>(&mut self, link: &mut Link, text: &'a str, _now: Now, _rng: &mut Rng) -> Step<'a> {
        match typed::decode(text, &link.limits) {
            Ok(frame) => self.on_frame(link, text, frame),
            Err(error) => broken(text, &error, false),
        }
    }

    fn on_binary(
        &mut self,
        _link: &mut Link,
        _bytes: Vec<u8>,
        _now: Now,
        _rng: &mut Rng,
    ) -> (Step<'static>, Option<Held>) {
        (out_of_place("", "a binary frame: this wire has frames of text alone", false), None)
    }

    fn event(&mut self, push: &Push, now: Now) -> Written {
        let refused = match push {
            Push { ack: true, .. } => "wire.send: no event is answered on this wire: leave out `ack`",
            Push { topic, .. } if !topic.is_empty() => NO_TOPICS,
            Push { attachments, .. } if !attachments.is_empty() => "wire.send: this wire carries no bytes",
            _ => {
                let payload = push.args.first().map(String::as_str);
                let timestamp = push.args.get(1).cloned().unwrap_or_else(|| decimal(now.wall_ms));
                let text = Some(typed::encode(&push.event, payload, Some(&timestamp)));
                return Written::Frames { frames: Frames { text, ..Frames::default() }, ack_id: None };
            }
        };
        Written::Refused(Failure::new(ErrorCode::Unsupported, refused))
    }

    /// Nothing is answered by its number.
    fn mark_as_asked(&mut self, _ack_id: u64, _topic: &str) {}

    fn check_topic(&self, _topic: &str) -> Result<(), Failure> {
        Err(Failure::new(ErrorCode::Unsupported, NO_TOPICS))
    }

    /// A10.
    fn beat(&mut self) {
        self.asked_in_vain = true;
        self.ping = Some(typed::encode(typed::PING, None, None));
    }

    fn poll_frame(&mut self) -> Option<String> {
        self.ping.take()
    }

    fn take_early(&mut self) -> Vec<Held> {
        self.early_bytes = 0;
        core::mem::take(&mut self.early)
    }
}

const NO_TOPICS: &str = "topic: this wire has none";

/// A frame as what it is for the application.
pub(in crate::proto::connection) fn deliver(frame: Frame<'_>) -> Delivered<'_> {
    Delivered::Event {
        ack_id: None,
        topic: "".into(),
        name: frame.event,
        args: frame.payload.into_iter().collect(),
        attachments: Vec::new(),
    }
}

/// An error in place of `auth_ok` (D9): its code `auth` is what others call `AuthError`.
fn refusal(payload: Option<&RawValue>) -> Step<'static> {
    let error = payload.and_then(Object::read);
    let field = |name| error.as_ref().and_then(|error| error.str(name)).map(|text| text.into_owned());
    let code = field("code").map(|code| if code == "auth" { "AuthError".to_owned() } else { code });
    Step::Refused { code, message: field("message").unwrap_or_default() }
}
