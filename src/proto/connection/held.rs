//! Packets that outlive the call that brought their frames.

use std::borrow::Cow;
use std::fmt;

use super::Delivered;
use crate::proto::wire::Limits;
use crate::proto::wire::socket_io::{self, Assembled, EventName, Packet};

/// A packet that owns its frames: an event from before the CONNECT reply (E9), or a binary one (E6).
#[derive(Debug)]
pub struct Held(Frames);

enum Frames {
    Text(String),
    Binary(Assembled),
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

    /// The packet in it. In a binary one, placeholders stand for attachments.
    pub fn delivered(&self) -> Option<Delivered<'_>> {
        let packet = match &self.0 {
            Frames::Text(text) => {
                socket_io::decode(text, &Limits { max_packet_bytes: usize::MAX, ..Limits::DEFAULT })
            }
            Frames::Binary(assembled) => assembled.packet(),
        };
        packet.ok().and_then(deliver)
    }

    /// The attachments that placeholders name by number.
    pub fn attachments(&self) -> &[Vec<u8>] {
        match &self.0 {
            Frames::Text(_) => &[],
            Frames::Binary(assembled) => assembled.attachments(),
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
            Some(Delivered::Event { ack_id, name, args })
        }
        Packet::Ack { id, args, .. } => Some(Delivered::Ack { id, args }),
        _ => None,
    }
}
