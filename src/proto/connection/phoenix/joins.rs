//! Which topics are joined, and when.

use super::Phoenix;
use super::channel::{Channel, State};
use crate::proto::Now;
use crate::proto::config::Config;
use crate::proto::connection::session::{Framing as _, News};
#[cfg(feature = "several")]
use crate::proto::profile::Over;
use crate::proto::text::concat;

/// Topics of one socket.
pub(super) const MAX_CHANNELS: usize = 1_000;
/// Joins that are under way at once: a server does them one after the other, and each has its time (X5).
const MAX_JOINING: u32 = 8;

/// The user's own, and what those of conversations begin with: P6, unless the profile is declared.
pub(super) fn topics(config: &Config) -> (String, String) {
    #[cfg(feature = "several")]
    if let Some(Over::Phoenix(topics)) = config.spec.as_ref().map(|spec| &spec.over) {
        return (topics.of_user(&config.user_id), topics.conversation.clone());
    }
    (concat(&["user:", &config.user_id]), "conversation:".to_owned())
}

impl Phoenix {
    pub(super) fn want(&mut self, topic: &str) {
        if !self.channels.contains_key(topic) && self.channels.len() >= MAX_CHANNELS {
            self.make_room();
        }
        self.channels.insert(topic.to_owned(), Channel::wanted());
        self.wanted.push_back(topic.to_owned());
        self.begin_joins();
    }

    /// Somebody waits for it, or looks at it: before the others.
    pub(super) fn hurry(&mut self, topic: &str) {
        let Some(channel) = self.channels.get_mut(topic) else { return };
        channel.urgent = true;
        if matches!(channel.state, State::Wanted) {
            self.wanted.push_front(topic.to_owned());
        }
        self.begin_joins();
    }

    /// Whoever knows their parameters joins as many as may be under way.
    pub(super) fn begin_joins(&mut self) {
        if self.wanted.is_empty() {
            return;
        }
        let mut joining: u32 = 0;
        for (_, channel) in self.channels.iter() {
            joining += u32::from(matches!(channel.state, State::Asked | State::Joining { .. }));
        }
        // Those that were given up still stand in the server's queue, which it goes through one after the other (X5); but one
        // at a time goes on, for a server that never answers some.
        let overdue = u32::try_from(self.overdue.len()).unwrap_or(u32::MAX);
        while joining == 0 || joining.saturating_add(overdue) < MAX_JOINING {
            let Some(topic) = self.wanted.pop_front() else { return };
            if let Some(channel) = self.channels.get_mut(&topic)
                && matches!(channel.state, State::Wanted)
            {
                channel.state = State::Asked;
                joining += 1;
                self.news.push_back(News::Joins(topic));
            }
        }
    }

    /// A join was given up; its answer may still come.
    pub(super) fn give_up_join(&mut self, join_ref: u64) {
        if self.overdue.len() >= MAX_CHANNELS {
            self.overdue.pop_first();
        }
        self.overdue.insert(join_ref);
    }

    /// The server has gone through one more join, of those under way or given up: the others are nearer to their turn.
    pub(super) fn on_any_join_reply(&mut self, join_ref: u64, now: Now) {
        self.overdue.remove(&join_ref);
        for (_, channel) in self.channels.iter_mut() {
            channel.wait_anew(now.mono_ms);
        }
    }

    /// What was asked of this channel gets no answer (X4).
    pub(super) fn lose(&mut self, topic: &str) {
        let ids = self.asked.keys_where(&|_, of| of == topic);
        for id in &ids {
            self.asked.remove(id);
        }
        if !ids.is_empty() {
            self.news.push_back(News::Lost(ids));
        }
    }

    /// A conversation more than the socket holds takes the place of one of which nothing is awaited.
    fn make_room(&mut self) {
        let mut idle = None;
        for (topic, channel) in self.channels.iter() {
            let rests = matches!(channel.state, State::Joined | State::Closed { .. });
            let asked = self.asked.keys_where(&|_, of| of == topic);
            if *topic != self.user_topic && rests && asked.is_empty() {
                // One that nobody has looked at or pushed to goes first.
                let better = !channel.urgent || idle.is_none();
                if better {
                    idle = Some(topic.clone());
                }
                if !channel.urgent {
                    break;
                }
            }
        }
        if let Some(topic) = idle {
            self.leave(&topic);
        }
    }
}
