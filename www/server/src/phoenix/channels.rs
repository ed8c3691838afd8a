//! The channels one socket has joined.
//!
//! Law: a topic has at most one channel, and each channel a number of its own, so that what belongs to one that has
//! ended (a late answer, a late broadcast) reaches nobody, although the topic may be joined again. What is told while a
//! join is still being checked is held until its reply is out.

use std::collections::BTreeMap;

use axum::extract::ws::Message;
use serde_json::Value;

/// Frames held for one join; a socket that gets more is cut.
const MAX_HELD: usize = 4096;

/// One joined topic, or one that is being joined.
pub(super) struct Channel {
    pub(super) number: u64,
    /// In every reply, and what a leave must bear.
    pub(super) join_ref: Value,
    /// As the join had it: in `phx_close` and `phx_error`, and what pushes must bear.
    pub(super) close_ref: Value,
    /// Of a topic `conversation:{id}`.
    pub(super) conversation_id: Option<String>,
    pub(super) is_typing: bool,
    held: Option<Vec<Message>>,
}

/// By topic.
#[derive(Default)]
pub(super) struct Channels {
    joined: BTreeMap<String, Channel>,
    next: u64,
}

/// What becomes of a frame for a topic.
pub(super) enum Route {
    /// It goes out now.
    Send(Message),
    /// It was held, or nobody here hears it.
    Done,
    /// It can neither go out nor be held.
    Full,
}

impl Channels {
    /// Begins a join: the number of the new channel, and the one that it takes the topic from. `None`: too many.
    pub(super) fn begin(
        &mut self,
        topic: &str,
        (join_ref, reference): (&Value, &Value),
        conversation_id: Option<String>,
        max: usize,
    ) -> Option<(u64, Option<Channel>)> {
        let others = self.joined.len() - usize::from(self.joined.contains_key(topic));
        if others >= max {
            return None;
        }
        self.next += 1;
        // A join without a join_ref is known by its ref from then on.
        let effective = if join_ref.is_null() { reference } else { join_ref };
        let channel = Channel {
            number: self.next,
            join_ref: effective.clone(),
            close_ref: join_ref.clone(),
            conversation_id,
            is_typing: false,
            held: Some(Vec::new()),
        };
        Some((self.next, self.joined.insert(topic.to_owned(), channel)))
    }

    /// The join of this number is granted: gives what was held. `None`: the channel has ended meanwhile.
    pub(super) fn open(&mut self, topic: &str, number: u64) -> Option<Vec<Message>> {
        self.current(topic, number)?.held.take()
    }

    pub(super) fn get(&mut self, topic: &str) -> Option<&mut Channel> {
        self.joined.get_mut(topic)
    }

    /// The channel of this topic, if it still is the one of this number.
    pub(super) fn current(&mut self, topic: &str, number: u64) -> Option<&mut Channel> {
        self.joined.get_mut(topic).filter(|channel| channel.number == number)
    }

    pub(super) fn is_joined(&self, topic: &str) -> bool {
        self.joined.contains_key(topic)
    }

    /// Ends the channel of this topic if `fits`.
    pub(super) fn remove_if(&mut self, topic: &str, fits: impl FnOnce(&Channel) -> bool) -> Option<Channel> {
        if self.joined.get(topic).is_some_and(fits) { self.joined.remove(topic) } else { None }
    }

    pub(super) fn take_all(&mut self) -> Vec<Channel> {
        std::mem::take(&mut self.joined).into_values().collect()
    }

    /// A broadcast, or a push of the server.
    pub(super) fn route(&mut self, topic: &str, frame: Message) -> Route {
        match self.joined.get_mut(topic).map(|channel| &mut channel.held) {
            None => Route::Done,
            Some(None) => Route::Send(frame),
            Some(Some(held)) if held.len() < MAX_HELD => {
                held.push(frame);
                Route::Done
            }
            Some(Some(_)) => Route::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn begin(channels: &mut Channels, topic: &str, join_ref: Value) -> Option<(u64, Option<Value>)> {
        let begun = channels.begin(topic, (&join_ref, &json!("r")), None, 2);
        begun.map(|(number, old)| (number, old.map(|old| old.close_ref)))
    }

    #[test]
    fn a_second_join_takes_the_topic_and_the_limit_counts_topics() {
        let mut channels = Channels::default();
        assert_eq!(begin(&mut channels, "a", json!("1")), Some((1, None)));
        assert_eq!(begin(&mut channels, "b", json!("2")), Some((2, None)));
        assert_eq!(begin(&mut channels, "c", json!("3")), None);
        assert_eq!(begin(&mut channels, "a", json!("4")), Some((3, Some(json!("1")))));
        assert!(channels.current("a", 1).is_none(), "what belongs to the old one reaches nobody");
        assert!(channels.remove_if("b", |channel| channel.join_ref == json!("2")).is_some());
        assert_eq!(begin(&mut channels, "c", json!("5")), Some((4, None)));
    }

    #[test]
    fn a_join_without_join_ref_is_known_by_its_ref() {
        let mut channels = Channels::default();
        begin(&mut channels, "a", Value::Null);
        let channel = channels.get("a").unwrap();
        assert_eq!((&channel.join_ref, &channel.close_ref), (&json!("r"), &Value::Null));
    }

    #[test]
    fn what_is_told_during_a_join_is_held_and_bounded() {
        let mut channels = Channels::default();
        assert!(matches!(channels.route("a", Message::text("0")), Route::Done), "not joined");
        let (number, _) = begin(&mut channels, "a", json!("1")).unwrap();
        for n in 0..MAX_HELD {
            assert!(matches!(channels.route("a", Message::text(n.to_string())), Route::Done));
        }
        assert!(matches!(channels.route("a", Message::text("more")), Route::Full));
        let held = channels.open("a", number).unwrap();
        assert_eq!((held.len(), held.first()), (MAX_HELD, Some(&Message::text("0"))));
        assert!(matches!(channels.route("a", Message::text("now")), Route::Send(_)));
    }
}
