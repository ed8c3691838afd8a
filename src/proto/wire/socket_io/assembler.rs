//! Binary packets: a text frame that announces N attachments, then exactly N binary frames (`E6`).
//!
//! The law: at most one packet is open; nothing but its binary frames may come before it is complete; after any
//! error the assembler is empty again, and the session, which must close the socket, can go on using it.

use std::fmt;

use super::{Packet, decode, push_uint};
use crate::proto::wire::json::RawValue;
use crate::proto::wire::json::{self, Object};
use crate::proto::wire::{Limits, WireError};

/// Puts the frames of binary packets together. One for a socket, since attachments belong to the socket's last
/// text packet whatever its namespace.
pub struct Assembler {
    limits: Limits,
    open: Option<Open>,
}

struct Open {
    packet: Assembled,
    missing: usize,
    bytes: usize,
}

impl Assembler {
    /// An empty assembler.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, open: None }
    }

    /// Takes the text of an Engine.IO message. (Pings and the like are no messages: they may come between
    /// attachments and must not be given here.) `None` means that binary frames must follow. A binary packet
    /// with N = 0 is complete at once.
    ///
    /// # Errors
    /// [`WireError::TextBetween`] if attachments are missing, else those of [`decode`].
    pub fn on_text<'a>(&mut self, text: &'a str) -> Result<Option<Packet<'a>>, WireError> {
        if let Some(open) = self.open.take() {
            return Err(WireError::TextBetween { missing: open.missing });
        }
        let packet = decode(text, &self.limits)?;
        let missing = packet.attachments();
        if missing == 0 {
            return Ok(Some(packet));
        }
        let packet = Assembled { text: text.to_owned(), attachments: Vec::new(), limits: self.limits };
        self.open = Some(Open { packet, missing, bytes: text.len() });
        Ok(None)
    }

    /// Takes a binary frame, which has no type byte (`E3`); gives the packet that it completes.
    ///
    /// # Errors
    /// [`WireError::UnexpectedBinary`], [`WireError::TooLarge`].
    pub fn on_binary(&mut self, bytes: Vec<u8>) -> Result<Option<Assembled>, WireError> {
        let Some(mut open) = self.open.take() else {
            return Err(WireError::UnexpectedBinary);
        };
        open.bytes = open.bytes.saturating_add(bytes.len());
        if open.bytes > self.limits.max_packet_bytes {
            return Err(WireError::TooLarge { max: self.limits.max_packet_bytes });
        }
        open.packet.attachments.push(bytes);
        open.missing -= 1;
        if open.missing == 0 {
            return Ok(Some(open.packet));
        }
        self.open = Some(open);
        Ok(None)
    }

    /// How many binary frames the open packet still waits for; 0 if none is open.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.missing)
    }

    /// Drops an open packet: the socket is gone.
    pub fn reset(&mut self) {
        self.open = None;
    }
}

/// A complete binary packet that owns its frames. `Debug` shows no content.
pub struct Assembled {
    text: String,
    attachments: Vec<Vec<u8>>,
    limits: Limits,
}

impl Assembled {
    /// The packet, borrowed; its arguments hold placeholders.
    ///
    /// # Errors
    /// None in practice: the text was decoded before its attachments were awaited.
    pub fn packet(&self) -> Result<Packet<'_>, WireError> {
        decode(&self.text, &self.limits)
    }

    /// All attachments in the order of their numbers.
    #[must_use]
    pub fn attachments(&self) -> &[Vec<u8>] {
        &self.attachments
    }

    /// The attachment a value stands for; `None` if the value is no placeholder.
    ///
    /// # Errors
    /// [`WireError::Placeholder`] if it names an attachment that is not there.
    pub fn attachment(&self, value: &RawValue) -> Result<Option<&[u8]>, WireError> {
        let index = placeholder_index(value, self.attachments.len())?;
        Ok(index.and_then(|index| self.attachments.get(index)).map(Vec::as_slice))
    }
}

impl fmt::Debug for Assembled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assembled")
    }
}

/// The number of the attachment that `{"_placeholder":true,"num":k}` stands for; `None` for any other value.
///
/// # Errors
/// [`WireError::Placeholder`] if `num` is no whole number below `attachments`.
pub fn placeholder_index(value: &RawValue, attachments: usize) -> Result<Option<usize>, WireError> {
    let Some(object) = Object::read(value).filter(|object| object.bool("_placeholder") == Some(true)) else {
        return Ok(None);
    };
    let index = object.get("num").and_then(json::uint).and_then(|num| usize::try_from(num).ok());
    match index.filter(|index| *index < attachments) {
        Some(index) => Ok(Some(index)),
        None => Err(WireError::Placeholder { attachments }),
    }
}

/// Appends the placeholder of attachment number `index`.
pub fn push_placeholder(out: &mut String, index: usize) {
    out.push_str("{\"_placeholder\":true,\"num\":");
    push_uint(out, index as u64);
    out.push('}');
}
