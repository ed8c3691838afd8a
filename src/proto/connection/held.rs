//! Packets that outlive the call that brought their frames.

use std::fmt;

use super::Delivered;
#[cfg(feature = "json")]
use super::json::deliver as deliver_json;
#[cfg(feature = "phoenix")]
use super::phoenix::deliver as deliver_phoenix;
#[cfg(feature = "socket-io")]
use super::socket_io::deliver;
use crate::proto::wire::Limits;
#[cfg(feature = "phoenix")]
use crate::proto::wire::phoenix;
#[cfg(feature = "socket-io")]
use crate::proto::wire::socket_io::{self, Assembled};
#[cfg(feature = "json")]
use crate::proto::wire::typed;

/// A packet that owns its frames: an event from before this side was accepted (E9), or a binary one (E6).
#[derive(Debug)]
pub struct Held(Frames);

enum Frames {
    #[cfg(feature = "socket-io")]
    Text(String),
    /// With the tag of its namespace.
    #[cfg(feature = "socket-io")]
    Binary(Assembled, u64),
    #[cfg(feature = "phoenix")]
    Phoenix(Vec<u8>),
    #[cfg(feature = "json")]
    Json(String),
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Frames")
    }
}

impl Held {
    /// The message of a text frame of Socket.IO, without the digit of Engine.IO; it was decoded before.
    #[cfg(feature = "socket-io")]
    pub(super) fn text(message: &str) -> Self {
        Self(Frames::Text(message.to_owned()))
    }

    #[cfg(feature = "socket-io")]
    pub(super) fn binary(assembled: Assembled, tag: u64) -> Self {
        Self(Frames::Binary(assembled, tag))
    }

    /// A binary frame of Phoenix; it was decoded before.
    #[cfg(feature = "phoenix")]
    pub(super) fn phoenix(bytes: Vec<u8>) -> Self {
        Self(Frames::Phoenix(bytes))
    }

    /// A frame of plain JSON; it was decoded before.
    #[cfg(feature = "json")]
    pub(super) fn json(frame: &str) -> Self {
        Self(Frames::Json(frame.to_owned()))
    }

    /// The packet in it. In a binary one, placeholders stand for attachments.
    pub fn delivered(&self) -> Option<Delivered<'_>> {
        const LIMITS: Limits = Limits { max_packet_bytes: usize::MAX, ..Limits::DEFAULT };
        match &self.0 {
            #[cfg(feature = "socket-io")]
            Frames::Text(text) => socket_io::decode(text, &LIMITS).ok().and_then(|packet| deliver(packet, 0)),
            #[cfg(feature = "socket-io")]
            Frames::Binary(assembled, tag) => {
                let packet = assembled.packet().ok()?;
                let mut delivered = deliver(packet, *tag)?;
                if let Delivered::Event { attachments, .. } | Delivered::Ack { attachments, .. } =
                    &mut delivered
                {
                    for bytes in assembled.attachments() {
                        attachments.push(bytes);
                    }
                }
                Some(delivered)
            }
            #[cfg(feature = "phoenix")]
            Frames::Phoenix(bytes) => phoenix::decode_binary(bytes, &LIMITS).ok().map(deliver_phoenix),
            #[cfg(feature = "json")]
            Frames::Json(text) => typed::decode(text, &LIMITS).ok().map(deliver_json),
        }
    }
}
