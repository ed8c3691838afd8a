//! Payloads: JSON, or bytes (X10).

use crate::proto::connection::Delivered;
use crate::proto::wire::json::{self, RawValue, digits};
use crate::proto::wire::phoenix::{Frame, Payload};
use crate::proto::wire::socket_io::placeholder_index;

/// Whether the payload is bytes and nothing else.
pub(super) fn is_placeholder(payload: &str) -> bool {
    let value = json::parse(payload, 0).ok();
    value.is_some_and(|value| matches!(placeholder_index(value, 1), Ok(Some(0))))
}

/// A frame of Phoenix as what it is for the application. Its payload is one argument; bytes are one attachment.
pub(in crate::proto::connection) fn deliver(frame: Frame<'_>) -> Delivered<'_> {
    let (mut args, mut attachments): (Vec<&RawValue>, Vec<&[u8]>) = (Vec::new(), Vec::new());
    match frame.payload {
        Payload::Json(value) => args.push(value),
        Payload::Bytes(bytes) => {
            attachments.push(bytes);
            if let Ok(value) = json::parse("{\"_placeholder\":true,\"num\":0}", 0) {
                args.push(value);
            }
        }
    }
    match frame.status {
        Some(status) => {
            let id = frame.reference.as_deref().and_then(digits).unwrap_or_default();
            Delivered::Ack { id, status: Some(status), args, attachments }
        }
        None => Delivered::Event { ack_id: None, topic: frame.topic, name: frame.event, args, attachments },
    }
}
