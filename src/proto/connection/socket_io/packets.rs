//! What is read out of a packet.

use std::borrow::Cow;

use crate::proto::connection::Delivered;
use crate::proto::wire::json::{self, Object, RawValue};
use crate::proto::wire::socket_io::{EventName, Packet};

/// Reads CONNECT_ERROR: `{message, data: {code}}`, or a bare string.
pub(super) fn refusal_of(payload: Option<&RawValue>) -> (Option<String>, String) {
    let object = payload.and_then(Object::read);
    let message = match &object {
        Some(object) => object.str("message"),
        None => payload.and_then(json::string),
    };
    let data = object.as_ref().and_then(|object| object.object("data"));
    let code = data.and_then(|data| data.str("code").map(Cow::into_owned));
    (code, message.unwrap_or_default().into_owned())
}

/// What of a packet is for the application; `tag` is that of its namespace, none that of the session's own, which has no
/// topic.
pub(in crate::proto::connection) fn deliver(packet: Packet<'_>, tag: u64) -> Option<Delivered<'_>> {
    match packet {
        Packet::Event { ns, ack_id, name, args, .. } => {
            let name = match name {
                EventName::Text(name) => name,
                EventName::Number(number) => Cow::Borrowed(number),
            };
            let (topic, attachments) = (Cow::Borrowed(if tag == 0 { "" } else { ns }), Vec::new());
            Some(Delivered::Event { ack_id: ack_id.map(|id| tag | id), topic, name, args, attachments })
        }
        Packet::Ack { id, args, .. } => {
            Some(Delivered::Ack { id: tag | id, status: None, args, attachments: Vec::new() })
        }
        _ => None,
    }
}
