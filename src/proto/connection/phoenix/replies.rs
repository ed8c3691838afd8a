//! What the server answers: to joins, and to pushes.

use super::channel::State;
use super::{Phoenix, deliver};
use crate::proto::Now;
use crate::proto::connection::Delivered;
use crate::proto::connection::session::{Link, News, Stage, Step, UNMATCHED, is_forbidden, refused_topic};
use crate::proto::model::Failure;
use crate::proto::profile::is_auth_refusal;
use crate::proto::rng::Rng;
use crate::proto::wire::json::{self, Object, digits};
use crate::proto::wire::phoenix::{Frame, Payload};

/// So often in a row the user's topic is refused before the server is taken for one without.
const REFUSED_GREETINGS: u32 = 2;

impl Phoenix {
    pub(super) fn on_reply<'a>(
        &mut self,
        link: &mut Link,
        frame: Frame<'a>,
        now: Now,
        rng: &mut Rng,
    ) -> Step<'a> {
        let reference = frame.reference.as_deref().unwrap_or_default();
        // By its ref alone: a refusal of a topic that nobody knows has no join_ref (X2).
        let joins = self.channels.get(frame.topic.as_ref()).is_some_and(|channel| {
            channel.is_of(reference) && matches!(channel.state, State::Joining { .. })
        });
        if joins {
            self.on_any_join_reply(digits(reference).unwrap_or_default(), now);
            return self.on_join_reply(link, frame, now, rng);
        }
        if let Some(late) = digits(reference).filter(|late| self.overdue.contains(late)) {
            self.on_any_join_reply(late, now);
            return Step::Nothing;
        }
        let Some(id) = digits(reference).filter(|id| self.asked.contains_key(id)) else {
            return Step::Nothing;
        };
        if is_unmatched(&frame) {
            // The server has no such channel (any more): it judges nothing of the push.
            if let Some(channel) = self.channels.get_mut(frame.topic.as_ref()) {
                channel.on_error(now.mono_ms, rng);
            }
            self.lose(&frame.topic);
            return Step::Nothing;
        }
        self.asked.remove(&id);
        Step::Delivered(deliver(frame))
    }

    fn on_join_reply<'a>(&mut self, link: &mut Link, frame: Frame<'a>, now: Now, rng: &mut Rng) -> Step<'a> {
        let greets = link.stage == Stage::Joining && frame.topic == self.user_topic;
        let Some(channel) = self.channels.get_mut(frame.topic.as_ref()) else { return Step::Nothing };
        if frame.status.as_deref() == Some("ok") {
            channel.on_joined();
            self.refused_greetings *= u32::from(!greets);
            self.news.push_back(News::Settled(frame.topic.clone().into_owned()));
            let response = match frame.payload {
                Payload::Json(response) => Some(response),
                Payload::Bytes(_) => None,
            };
            let joined = Delivered::Joined { topic: frame.topic, response };
            if greets {
                link.stage = Stage::Live;
                return Step::Welcomed(joined);
            }
            return Step::Delivered(joined);
        }
        let (code, message) = reason_of(&frame);
        if greets {
            // Who may not join the user's own topic is somebody else.
            let forbidden = is_forbidden(code.as_deref(), &message);
            let is_auth = forbidden || is_auth_refusal(code.as_deref(), &message);
            let is_unknown = is_unmatched(&frame);
            self.refused_greetings += u32::from(!is_auth && !is_unknown);
            if !is_unknown && (is_auth || self.refused_greetings < REFUSED_GREETINGS) {
                let code = if forbidden { Some("AuthError".to_owned()) } else { code };
                return Step::Refused { code, message };
            }
            // Its topics of users are not ours: conversations work all the same (P6).
            channel.state = State::Absent;
            link.stage = Stage::Live;
            return Step::Joined { resumed: false };
        }
        let failure = refused_topic(&frame.topic, code.as_deref(), &message);
        channel.on_refused(failure, now.mono_ms, rng);
        let gone = channel.roster.empty();
        self.lose(&frame.topic);
        self.news.push_back(News::Settled(frame.topic.into_owned()));
        self.tell_gone(gone)
    }
}

/// Why nothing can be pushed to a topic that the server does not know.
pub(super) fn unknown(topic: &str) -> Failure {
    refused_topic(topic, None, UNMATCHED)
}

fn is_unmatched(frame: &Frame<'_>) -> bool {
    frame.status.as_deref() == Some("error") && reason_of(frame).1 == UNMATCHED
}

/// `{reason}`, `{code, message}`, or a text.
fn reason_of(frame: &Frame<'_>) -> (Option<String>, String) {
    let Payload::Json(response) = frame.payload else { return (None, String::new()) };
    let text = json::string(response);
    let object = Object::read(response);
    let field = |name| object.as_ref().and_then(|object| object.str(name));
    let message = text.or(field("reason")).or(field("message")).unwrap_or_default();
    (field("code").map(|code| code.into_owned()), message.into_owned())
}
