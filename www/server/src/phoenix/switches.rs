//! Events that only builds with the feature `faults` know, on every joined topic: for frames that the vocabulary of this
//! wire has no use for, but a client must understand (X3, X4, X10).

use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use serde_json::json;

use super::{
    frame::Payload,
    peer::{PhoenixPeer, Place},
};
use crate::{form::BASE64, live::Event};

/// Whether the event was one of these.
pub(super) fn handle(
    peer: &Arc<PhoenixPeer>,
    place: &Place,
    conversation_id: Option<&str>,
    event: &str,
    payload: &Payload,
) -> bool {
    match event {
        // The payload, as it came.
        "test:echo" => peer.reply(place, "ok", payload),
        // The payload in the other encoding.
        "test:echo_other" => peer.reply(place, "ok", &other(payload)),
        // Two answers to one push.
        "test:twice" => {
            peer.reply(place, "ok", payload);
            peer.reply(place, "maybe", payload);
        }
        // A push of the server, and no answer.
        "test:push" => peer.push(place, "test:pushed", payload),
        // A broadcast, and no answer.
        "test:broadcast" => broadcast(peer, place, conversation_id, payload),
        // A broadcast, then an answer.
        "test:broadcast_ack" => {
            broadcast(peer, place, conversation_id, payload);
            peer.reply(place, "ok", &Payload::empty());
        }
        // `{:stop, :normal, socket}`
        "test:close" => peer.end_channel(&place.topic, place.number, "phx_close"),
        // `{:stop, :normal, {:reply, payload}, socket}`
        "test:close_reply" => {
            peer.reply(place, "ok", payload);
            peer.end_channel(&place.topic, place.number, "phx_close");
        }
        _ => return false,
    }
    true
}

fn other(payload: &Payload) -> Payload {
    match payload {
        Payload::Json(value) => Payload::Binary(Bytes::from(value.to_string())),
        Payload::Binary(bytes) => Payload::Json(json!({ "base64": BASE64.encode(bytes) })),
    }
}

fn broadcast(peer: &PhoenixPeer, place: &Place, conversation_id: Option<&str>, payload: &Payload) {
    let event = Event::TestBroadcast { topic: place.topic.clone(), payload: payload.clone() };
    let members = conversation_id.and_then(|id| peer.app.directory.members(id));
    let others = members.iter().flat_map(|members| members.iter()).map(|member| member.user_id.as_str());
    let own = conversation_id.is_none().then_some(peer.user.id.as_str());
    peer.app.live.tell(others.chain(own), None, &event);
}
