//! Joining and leaving (X2, X4, X6): the order of the frames is the fact here.
//!
//! Law: a join is checked while nothing else of its socket is read. Its reply comes before all that is told on the
//! topic, and before the `phx_close` of the channel it takes the topic from.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    channels::Channel,
    cursor,
    frame::{self, Frame, Payload},
    peer::{PhoenixPeer, reason},
};
use crate::{
    error::{ApiError, Code},
    live::Peer,
    store,
};

/// What a topic is of.
enum Topic {
    User(String),
    Conversation(String),
}

impl Topic {
    fn parse(topic: &str) -> Option<Self> {
        let (kind, id) = topic.split_once(':')?;
        match kind {
            "user" => Some(Self::User(id.to_owned())),
            "conversation" => Some(Self::Conversation(id.to_owned())),
            _ => None,
        }
    }
}

/// `phx_join`. Whatever its payload, since `last_seq` in it may be left out: what came before is for `sync`.
pub(super) async fn join(peer: &Arc<PhoenixPeer>, frame: &Frame) {
    let topic = frame.topic.as_str().and_then(|text| Some((text, Topic::parse(text)?)));
    let Some((text, topic)) = topic else { return unmatched(peer, frame) };
    let conversation_id = match &topic {
        Topic::User(_) => None,
        Topic::Conversation(id) => Some(id.clone()),
    };
    let refs = (&frame.join_ref, &frame.reference);
    let begun = peer.channels().begin(text, refs, conversation_id.clone(), peer.app.config.max_channels);
    let Some((number, old)) = begun else {
        return answer(peer, frame, "error", &reason("too many channels joined"));
    };
    let old_ref = old.as_ref().map(|old| old.close_ref.clone());
    old.into_iter().for_each(|old| peer.depart(old));
    let outcome = check(peer, &topic).await;
    if settle(peer, frame, text, number, outcome, old_ref) {
        peer.appear();
        if let Some(id) = conversation_id {
            peer.attend(text, number, &id);
        }
    }
}

/// The response to a join that is granted, or why it is not.
async fn check(peer: &PhoenixPeer, topic: &Topic) -> Result<Value, &'static str> {
    match topic {
        Topic::User(id) if *id == peer.user.id => Ok(json!({
            "user_id": id,
            "cursor": null,
            "seq": null,
            "capabilities": {
                "keys": true, "cursor": true, "orderedWindow": true, "receipts": true,
                "maxPayload": peer.app.config.max_payload_bytes,
            },
        })),
        Topic::User(_) => Err("forbidden"),
        Topic::Conversation(id) => {
            let (id, user_id) = (id.clone(), peer.user.id.clone());
            let last = peer.app.store.read(move |db| store::last_seq(db, &id, &user_id)).await;
            last.map(|seq| json!({ "cursor": cursor::of(seq), "seq": seq })).map_err(|error| refusal(&error))
        }
    }
}

fn refusal(error: &ApiError) -> &'static str {
    match error.code {
        Code::ForbiddenError => "forbidden",
        Code::NotFoundError => "not found",
        _ => "join crashed",
    }
}

/// Replies, and lets out what was held. Whether the topic is joined now.
fn settle(
    peer: &PhoenixPeer,
    frame: &Frame,
    topic: &str,
    number: u64,
    outcome: Result<Value, &'static str>,
    old_ref: Option<Value>,
) -> bool {
    let mut channels = peer.channels();
    // Removed from the conversation while it was looked up: then it is no more there.
    let opened = outcome.and_then(|response| {
        let held = channels.open(topic, number).ok_or("forbidden")?;
        Ok((response, held))
    });
    let (status, response) = match &opened {
        Ok((response, _)) => ("ok", Payload::Json(response.clone())),
        Err(text) => ("error", reason(text)),
    };
    if let Some(reply) = frame::reply(&frame.join_ref, &frame.reference, &frame.topic, status, &response) {
        peer.send(reply);
    }
    if let Some(old_ref) = old_ref {
        peer.send(frame::end(&old_ref, topic, "phx_close"));
    }
    match opened {
        Ok((_, held)) => {
            held.into_iter().for_each(|frame| peer.send(frame));
            true
        }
        Err(_) => {
            channels.remove_if(topic, |channel| channel.number == number);
            false
        }
    }
}

/// `phx_leave`. With the join_ref of another channel there is no answer at all; of a topic that is not joined it is
/// `ok`.
pub(super) fn leave(peer: &PhoenixPeer, frame: &Frame) {
    let mut channels = peer.channels();
    let topic = frame.topic.as_str().unwrap_or_default();
    if !channels.is_joined(topic) {
        drop(channels);
        return answer(peer, frame, "ok", &Payload::empty());
    }
    let left: Option<Channel> = channels.remove_if(topic, |channel| channel.join_ref == frame.join_ref);
    if let Some(channel) = &left {
        let reply = frame::reply(&channel.join_ref, &frame.reference, &frame.topic, "ok", &Payload::empty());
        reply.into_iter().for_each(|reply| peer.send(reply));
        peer.send(frame::end(&channel.close_ref, topic, "phx_close"));
    }
    drop(channels);
    left.into_iter().for_each(|channel| peer.depart(channel));
}

/// A frame for a topic that is not there: told by its ref alone (X2).
pub(super) fn unmatched(peer: &PhoenixPeer, frame: &Frame) {
    let frame = Frame { join_ref: Value::Null, ..frame.clone() };
    answer(peer, &frame, "error", &reason("unmatched topic"));
}

/// An answer of no channel, always in text.
pub(super) fn answer(peer: &PhoenixPeer, frame: &Frame, status: &str, response: &Payload) {
    let _channels = peer.channels();
    match frame::reply(&frame.join_ref, &frame.reference, &frame.topic, status, response) {
        Some(reply) => peer.send(reply),
        // Text takes everything.
        None => peer.cut(),
    }
}
