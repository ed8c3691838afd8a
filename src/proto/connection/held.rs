//! Packets that outlive the call that brought their frames.

use std::borrow::Cow;
use std::fmt;

use super::Delivered;
use crate::proto::wire::Limits;
use crate::proto::wire::json::{self, RawValue, digits};
use crate::proto::wire::phoenix::{self, Frame, Payload};
use crate::proto::wire::socket_io::{self, Assembled, EventName, Packet};

/// A packet that owns its frames: an event from before the CONNECT reply (E9), or a binary one (E6).
#[derive(Debug)]
pub struct Held(Frames);

enum Frames {
    Text(String),
    Binary(Assembled),
    Phoenix(Vec<u8>),
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Frames::Text(_)) { "Text" } else { "Binary" })
    }
}

impl Held {
    /// The message of a text frame, without the digit of Engine.IO; it was decoded before.
    pub(super) fn text(message: &str) -> Self {
        Self(Frames::Text(message.to_owned()))
    }

    pub(super) fn binary(assembled: Assembled) -> Self {
        Self(Frames::Binary(assembled))
    }

    /// A binary frame of Phoenix; it was decoded before.
    pub(super) fn phoenix(bytes: Vec<u8>) -> Self {
        Self(Frames::Phoenix(bytes))
    }

    /// The packet in it. In a binary one, placeholders stand for attachments.
    pub fn delivered(&self) -> Option<Delivered<'_>> {
        const LIMITS: Limits = Limits { max_packet_bytes: usize::MAX, ..Limits::DEFAULT };
        match &self.0 {
            Frames::Text(text) => socket_io::decode(text, &LIMITS).ok().and_then(deliver),
            Frames::Binary(assembled) => {
                let mut delivered = assembled.packet().ok().and_then(deliver)?;
                if let Delivered::Event { attachments, .. } | Delivered::Ack { attachments, .. } =
                    &mut delivered
                {
                    for bytes in assembled.attachments() {
                        attachments.push(bytes);
                    }
                }
                Some(delivered)
            }
            Frames::Phoenix(bytes) => phoenix::decode_binary(bytes, &LIMITS).ok().map(deliver_phoenix),
        }
    }
}

/// What of a packet is for the application.
pub(super) fn deliver(packet: Packet<'_>) -> Option<Delivered<'_>> {
    match packet {
        Packet::Event { ack_id, name, args, .. } => {
            let name = match name {
                EventName::Text(name) => name,
                EventName::Number(number) => Cow::Borrowed(number),
            };
            let (topic, attachments) = (Cow::Borrowed(""), Vec::new());
            Some(Delivered::Event { ack_id, topic, name, args, attachments })
        }
        Packet::Ack { id, args, .. } => {
            Some(Delivered::Ack { id, status: None, args, attachments: Vec::new() })
        }
        _ => None,
    }
}

/// A frame of Phoenix as what it is for the application. Its payload is one argument; bytes are one attachment.
pub(super) fn deliver_phoenix(frame: Frame<'_>) -> Delivered<'_> {
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
