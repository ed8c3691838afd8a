//! Phoenix Channels: one socket, many topics, each with a join of its own (X1 to X12).
//!
//! Law: the join of the user's topic is the greeting; a server that does not know such a topic is greeted all the same
//! (P6 is ours). A frame with another join's ref is dropped; what was asked of a channel that is gone gets no answer. Pushes
//! go on a joined channel only: until then there is [`Written::NotJoined`].

use super::heartbeat::Heartbeat;
use super::held::Held;
use super::session::{Framing, Link, News, Stage, Step, Written, broken, own_topic};
use super::{Delivered, Frames};
use crate::proto::config::{Config, TokenIn};
use crate::proto::model::{ErrorCode, Failure};
use crate::proto::mutant;
use crate::proto::profile::Push;
use crate::proto::queue::Queue;
use crate::proto::rng::Rng;
use crate::proto::sorted::{SortedMap, SortedSet};
use crate::proto::text::{concat, holds, push_percent_encoded, without_end};
use crate::proto::wire::json::decimal;
use crate::proto::wire::phoenix::{self, Frame, Payload};
use crate::proto::wire::{WireError, base64};
use crate::proto::{Now, Secret};

mod channel;
mod joins;
mod payload;
mod presence;
mod replies;

use channel::{Channel, State};
use joins::{MAX_CHANNELS, topics};
pub(super) use payload::deliver;
use payload::is_placeholder;

/// Pushes that wait for their replies; the oldest is forgotten first.
const MAX_ASKED: usize = 4_096;

/// The channels of one socket.
pub(super) struct Phoenix {
    user_topic: String,
    conversation_topics: String, // what they begin with (P6)
    token_in: TokenIn,
    interval_ms: u64,
    timeout_ms: u64,
    refused_greetings: u32, // in a row
    /// Refs are shared by the socket and its channels, and never used twice (X6).
    next_ref: u64,
    channels: SortedMap<String, Channel>,
    asked: SortedMap<u64, String>,
    /// Refs of joins that were given up and may still be answered.
    overdue: SortedSet<u64>,
    /// Topics whose turn to be joined has not come; one may stand in it twice.
    wanted: Queue<String>,
    news: Queue<News>,
    frames: Queue<String>,
}

impl Phoenix {
    pub(super) fn new(config: &Config) -> Self {
        let (user_topic, conversation_topics) = topics(config);
        Self {
            user_topic,
            conversation_topics,
            token_in: config.endpoint.token_in,
            interval_ms: u64::from(config.heartbeat.interval_ms),
            timeout_ms: u64::from(config.heartbeat.timeout_ms),
            refused_greetings: 0,
            next_ref: 1,
            channels: SortedMap::new(),
            asked: SortedMap::new(),
            overdue: SortedSet::new(),
            wanted: Queue::new(),
            news: Queue::new(),
            frames: Queue::new(),
        }
    }

    fn new_ref(&mut self) -> u64 {
        let reference = self.next_ref;
        self.next_ref += 1;
        reference
    }

    fn on_frame<'a>(&mut self, link: &mut Link, frame: Frame<'a>, now: Now, rng: &mut Rng) -> Step<'a> {
        if frame.topic == phoenix::PHOENIX_TOPIC {
            return Step::Nothing;
        }
        if frame.status.is_some() {
            return self.on_reply(link, frame, now, rng);
        }
        let stale_is_good = mutant::is(29);
        let Some(channel) = self.channels.get_mut(frame.topic.as_ref()) else { return Step::Nothing };
        let is_ours = match &frame.join_ref {
            Some(join_ref) => channel.is_of(join_ref) || stale_is_good,
            None => matches!(channel.state, State::Joined),
        };
        if !is_ours {
            return Step::Nothing;
        }
        match (frame.event.as_ref(), frame.payload) {
            (phoenix::CLOSE, _) => {
                channel.on_closed(now.mono_ms, rng);
                let gone = channel.roster.empty();
                self.lose(&frame.topic);
                self.news.push_back(News::Settled(frame.topic.into_owned()));
                self.tell_gone(gone)
            }
            (phoenix::ERROR, _) => {
                channel.on_error(now.mono_ms, rng);
                self.lose(&frame.topic);
                Step::Nothing
            }
            ("presence_state", Payload::Json(payload)) => {
                let changes = channel.roster.on_state(payload);
                self.tell_presence(changes, "presence_state")
            }
            ("presence_diff", Payload::Json(payload)) => {
                let changes = channel.roster.on_diff(payload);
                self.tell_presence(changes, "presence_diff")
            }
            _ => Step::Delivered(deliver(frame)),
        }
    }

    fn tell_gone(&self, gone: Vec<String>) -> Step<'static> {
        let mut changes = Vec::new();
        for key in gone {
            changes.push((key, false));
        }
        self.tell_presence(Some(changes), "")
    }

    /// Somebody who is present on another topic neither comes nor goes.
    fn tell_presence(&self, changes: Option<Vec<(String, bool)>>, event: &'static str) -> Step<'static> {
        let Some(mut changes) = changes else {
            let error = WireError::Payload { packet: event, at: 0, expected: "an object" };
            return broken("", &error, false);
        };
        changes.retain(|(key, come)| {
            let mut elsewhere = 0;
            for (_, channel) in self.channels.iter() {
                elsewhere += u32::from(channel.roster.has(key));
            }
            elsewhere == u32::from(*come)
        });
        if changes.is_empty() { Step::Nothing } else { Step::Delivered(Delivered::Presence(changes)) }
    }

    fn say(&mut self, join_ref: Option<u64>, topic: &str, event: &str, payload: &str) {
        let reference = decimal(self.new_ref());
        let join_ref = join_ref.map(decimal);
        self.frames.push_back(phoenix::encode(join_ref.as_deref(), Some(&reference), topic, event, payload));
    }

    fn push_frames(&mut self, push: &Push, topic: &str, join_ref: u64) -> Result<(Frames, u64), Failure> {
        let id = self.new_ref();
        let (join_ref, reference) = (decimal(join_ref), decimal(id));
        let payload = push.args.first().map_or("{}", String::as_str);
        let mut frames = Frames::default();
        match push.attachments.as_slice() {
            [] => {
                let text = phoenix::encode(Some(&join_ref), Some(&reference), topic, &push.event, payload);
                frames.text = Some(text);
            }
            [bytes] if is_placeholder(payload) => {
                let frame = phoenix::encode_binary(&join_ref, &reference, topic, &push.event, bytes);
                let frame = frame.map_err(|error| Failure::new(ErrorCode::Validation, error.text()))?;
                frames.binary.push(frame);
            }
            _ => {
                let text = "bytes are the whole payload of an event on this wire, not a part of it";
                return Err(Failure::new(ErrorCode::Validation, text));
            }
        }
        Ok((frames, id))
    }
}

impl Framing for Phoenix {
    /// X1. The server decodes standard base64, of which a sub-protocol cannot hold `/` and `=`.
    fn address(&self, url: &Secret, token: &Secret) -> Result<(Secret, Vec<Secret>), &'static str> {
        if self.token_in == TokenIn::Query {
            let mut url = concat(&[&url.0, "&token="]);
            push_percent_encoded(&mut url, &token.0);
            return Ok((Secret(url), Vec::new()));
        }
        let encoded = base64::encode(token.0.as_bytes());
        if holds(&encoded, b"/") {
            return Err(
                "the token cannot be carried as a sub-protocol (its base64 holds a slash): tokenIn: 'query' carries any",
            );
        }
        let encoded = without_end(&encoded, b'=');
        let bearer = concat(&["base64url.bearer.phx.", encoded]);
        Ok((url.clone(), vec![Secret("phoenix".to_owned()), Secret(bearer)]))
    }

    fn on_opened(&mut self, link: &mut Link, now: Now) -> Step<'static> {
        link.stage = Stage::Joining;
        link.heartbeat.get_or_insert_with(|| Heartbeat::beating(self.interval_ms, self.timeout_ms, now));
        self.want(&self.user_topic.clone());
        Step::Handshaken
    }

    fn presents_token_in_upgrade(&self) -> bool {
        true
    }

    fn greeting(&self, _token: Option<&Secret>) -> Option<String> {
        None
    }

    fn farewell(&self) -> Option<String> {
        None
    }

    fn end(&mut self) {
        self.channels.clear();
        self.asked.clear();
        self.overdue.clear();
        self.wanted.clear();
        self.news.clear();
        self.frames.clear();
    }

    fn on_text<'a>(&mut self, link: &mut Link, text: &'a str, now: Now, rng: &mut Rng) -> Step<'a> {
        match phoenix::decode(text, &link.limits) {
            Ok(frame) => {
                let step = self.on_frame(link, frame, now, rng);
                self.begin_joins();
                step
            }
            Err(error) => broken(text, &error, false),
        }
    }

    fn on_binary(
        &mut self,
        link: &mut Link,
        bytes: Vec<u8>,
        now: Now,
        rng: &mut Rng,
    ) -> (Step<'static>, Option<Held>) {
        let step = match phoenix::decode_binary(&bytes, &link.limits) {
            Ok(frame) => self.on_frame(link, frame, now, rng),
            Err(error) => broken("", &error, false),
        };
        self.begin_joins();
        let step = match step {
            Step::Delivered(Delivered::Event { .. } | Delivered::Ack { .. }) => {
                return (Step::Nothing, Some(Held::phoenix(bytes)));
            }
            Step::Delivered(Delivered::Presence(changes)) => Step::Delivered(Delivered::Presence(changes)),
            Step::Delivered(Delivered::Joined { .. }) => Step::Nothing,
            Step::Welcomed(_) | Step::Joined { .. } => Step::Joined { resumed: false },
            Step::Refused { code, message } => Step::Refused { code, message },
            Step::Broken { message, excerpt, fatal } => Step::Broken { message, excerpt, fatal },
            _ => Step::Nothing,
        };
        (step, None)
    }

    fn event(&mut self, push: &Push, _now: Now) -> Written {
        let topic = if push.topic.is_empty() { self.user_topic.clone() } else { push.topic.clone() };
        let join_ref = match self.channels.get(&topic).map(|channel| (&channel.state, channel.join_ref)) {
            Some((State::Joined, join_ref)) => join_ref,
            Some((State::Refused { failure, .. }, _)) => return Written::Refused((**failure).clone()),
            Some((State::Absent, _)) => {
                return Written::Refused(replies::unknown(&topic));
            }
            None => {
                self.want(&topic);
                self.hurry(&topic);
                return Written::NotJoined;
            }
            Some((State::Closed { retry_at_mono_ms }, _)) => {
                // A server that joins and closes is not asked as fast as it answers.
                let retry_at_mono_ms = *retry_at_mono_ms;
                if let Some(channel) = self.channels.get_mut(&topic) {
                    channel.state = State::Errored { retry_at_mono_ms };
                }
                return Written::NotJoined;
            }
            _ => {
                self.hurry(&topic);
                return Written::NotJoined;
            }
        };
        match self.push_frames(push, &topic, join_ref) {
            Ok((frames, id)) => Written::Frames { frames, ack_id: push.ack.then_some(id) },
            Err(failure) => Written::Refused(failure),
        }
    }

    fn mark_as_asked(&mut self, ack_id: u64, topic: &str) {
        if self.asked.len() >= MAX_ASKED {
            self.asked.pop_first();
        }
        let topic = if topic.is_empty() { self.user_topic.as_str() } else { topic };
        self.asked.insert(ack_id, topic.to_owned());
    }

    /// X7.
    fn beat(&mut self) {
        self.say(None, phoenix::PHOENIX_TOPIC, phoenix::HEARTBEAT, "{}");
    }

    fn wants(&mut self, topic: &str, urgent: bool) {
        match self.channels.get(topic).map(|channel| &channel.state) {
            None if urgent || self.channels.len() < MAX_CHANNELS => self.want(topic),
            // The server has closed it, and now tells of it again, or somebody looks at it.
            Some(State::Closed { .. }) => self.want(topic),
            _ => {}
        }
        if urgent {
            self.hurry(topic);
        }
    }

    fn join(&mut self, topic: &str, params: &str, _token: Option<&Secret>, now: Now) {
        let join_ref = self.new_ref();
        let Some(channel) = self.channels.get_mut(topic) else { return };
        if !matches!(channel.state, State::Asked) {
            return;
        }
        channel.begin(join_ref, now.mono_ms);
        let join_ref = decimal(join_ref);
        let frame = phoenix::encode(Some(&join_ref), Some(&join_ref), topic, phoenix::JOIN, params);
        self.frames.push_back(frame);
    }

    fn check_topic(&self, topic: &str) -> Result<(), Failure> {
        let is_ours = topic.is_empty() || topic == self.user_topic || topic == phoenix::PHOENIX_TOPIC;
        if is_ours || topic.starts_with(&self.conversation_topics) { Err(own_topic()) } else { Ok(()) }
    }

    fn leave(&mut self, topic: &str) {
        let Some(channel) = self.channels.remove(topic) else { return };
        self.lose(topic);
        // What waits for it waits no longer: a push to it joins it anew.
        self.news.push_back(News::Settled(topic.to_owned()));
        if channel.join_ref != 0 {
            self.say(Some(channel.join_ref), topic, phoenix::LEAVE, "{}");
        }
    }

    /// A slow join blocks the whole socket (X5).
    fn busy_until_mono_ms(&self) -> u64 {
        let mut until = 0;
        for (_, channel) in self.channels.iter() {
            if let State::Joining { deadline_mono_ms } = channel.state {
                until = deadline_mono_ms.max(until);
            }
        }
        until
    }

    fn deadline_mono_ms(&self) -> Option<u64> {
        let mut next: Option<u64> = None;
        for (_, channel) in self.channels.iter() {
            if let Some(at) = channel.deadline_mono_ms() {
                next = Some(next.map_or(at, |earlier| earlier.min(at)));
            }
        }
        next
    }

    fn on_timer(&mut self, now: Now, rng: &mut Rng) {
        let due = self
            .channels
            .keys_where(&|_, channel| channel.deadline_mono_ms().is_some_and(|at| at <= now.mono_ms));
        for topic in due {
            let Some(channel) = self.channels.get_mut(&topic) else { continue };
            if matches!(channel.state, State::Joining { .. }) {
                // Without it the server would join all the same, and evict what is joined next (X5, X6).
                let join_ref = channel.join_ref;
                channel.on_error(now.mono_ms, rng);
                self.give_up_join(join_ref);
                self.say(Some(join_ref), &topic, phoenix::LEAVE, "{}");
                self.lose(&topic);
            } else {
                channel.state = State::Wanted;
                if channel.urgent {
                    self.wanted.push_front(topic);
                } else {
                    self.wanted.push_back(topic);
                }
            }
        }
        self.begin_joins();
    }

    fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    fn poll_frame(&mut self) -> Option<String> {
        self.frames.pop_front()
    }
}
