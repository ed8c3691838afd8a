//! Framing codecs: text and binary frames of a socket ↔ packets, without any session state.
//!
//! The law of this room: a codec is a total function of its bytes. Whatever a server sends becomes a packet or
//! a [`WireError`], never a panic, and memory is bounded by [`Limits`] before it is taken. JSON is validated
//! once and handed on as borrowed [`RawValue`](json::RawValue) slices of the frame; who needs a
//! field reads it with [`json`]. Errors carry offsets and limits but nothing out of the frame's strings,
//! because frames hold message bodies and tokens: what may be logged of a frame is its [`excerpt`].

pub mod base64;
pub mod engine_io;
mod excerpt;
pub mod json;
pub mod phoenix;
pub mod socket_io;
pub mod typed;

#[cfg(test)]
mod tests;

pub use excerpt::{EXCERPT_MAX_CHARS, excerpt};
use json::push_uint;

/// Names that an application's event cannot have in any framing: local events of Socket.IO (`E5`), and those of the
/// Phoenix protocol itself (`P3`).
#[must_use]
pub fn is_reserved(event: &str) -> bool {
    socket_io::is_reserved(event) || event.starts_with("phx_")
}

/// What a packet of the other side may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one packet, its text and all its attachments together.
    pub max_packet_bytes: usize,
    /// Binary attachments of one packet (`E6`).
    pub max_attachments: usize,
    /// Elements of a packet's outer JSON array, or fields of its outer object.
    pub max_elements: usize,
    /// Nested arrays and objects, the outer one included. Below what other readers of JSON take (127 in serde_json).
    pub max_depth: usize,
}

impl Limits {
    /// 16 MiB, 32 attachments, 1,024 elements, 100 levels.
    pub const DEFAULT: Self =
        Self { max_packet_bytes: 16 * 1024 * 1024, max_attachments: 32, max_elements: 1024, max_depth: 100 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A frame that is no packet. Offsets (`at`) are bytes of the text given to the codec, so for Socket.IO they do
/// not count the `4` of Engine.IO.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
#[non_exhaustive]
pub enum WireError {
    /// The text is empty.
    Empty {
        /// `Engine.IO` or `Socket.IO`.
        layer: &'static str,
    },
    /// The first character is no type digit.
    UnknownType {
        /// `Engine.IO` or `Socket.IO`.
        layer: &'static str,
    },
    /// The JSON is malformed, or ends too early.
    Json {
        /// Where the parser stopped.
        at: usize,
        /// The text ended inside a value.
        truncated: bool,
    },
    /// Arrays and objects are nested deeper than [`Limits::max_depth`].
    TooDeep {
        /// The bracket that was one too many.
        at: usize,
        /// The limit.
        max: usize,
    },
    /// The outer array or object is longer than [`Limits::max_elements`].
    TooManyElements {
        /// The comma that was one too many.
        at: usize,
        /// The limit.
        max: usize,
    },
    /// The payload is missing, of the wrong kind, or stands where none is allowed.
    Payload {
        /// The packet's type by name, such as `EVENT`.
        packet: &'static str,
        /// Where the payload begins or should begin.
        at: usize,
        /// What is allowed.
        expected: &'static str,
    },
    /// An event's first element cannot be its name (`E5`).
    EventName {
        /// Where the array begins.
        at: usize,
    },
    /// A binary packet without its `N-` (`E5`).
    Attachments {
        /// Where the count should stand.
        at: usize,
    },
    /// More attachments than [`Limits::max_attachments`] (`E6`).
    TooManyAttachments {
        /// The limit.
        max: usize,
    },
    /// An acknowledgement id is missing, too large, or stands where none is allowed.
    AckId {
        /// Where the id stands or should stand.
        at: usize,
        /// What is allowed.
        expected: &'static str,
    },
    /// A Socket.IO text packet came while attachments were awaited (`E6`).
    TextBetween {
        /// How many attachments were still missing.
        missing: usize,
    },
    /// A binary frame came though no packet awaits one (`E6`).
    UnexpectedBinary,
    /// Text and attachments are larger than [`Limits::max_packet_bytes`].
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// A placeholder names an attachment that is not there (`E6`).
    Placeholder {
        /// How many attachments the packet has; allowed are the numbers below.
        attachments: usize,
    },
    /// A field of an object is missing or has a value that is not allowed.
    Field {
        /// The field's name on the wire.
        field: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
    /// A namespace that cannot be put on the wire (`E5`).
    Namespace,
    /// A binary frame whose kind, sizes or names are wrong (`X10`).
    Binary {
        /// The byte.
        at: usize,
        /// What is allowed.
        expected: &'static str,
    },
}

impl WireError {
    /// What was wrong, where, and what is allowed. By hand: the formatting of the standard library is 2.5 KB of wasm.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Empty { layer } => {
                out.push_str("empty ");
                out.push_str(layer);
                out.push_str(" packet: it must begin with a type digit");
            }
            Self::UnknownType { layer } => {
                out.push_str("unknown ");
                out.push_str(layer);
                out.push_str(" packet type at byte 0: allowed are 0 to 6");
            }
            Self::Json { at, truncated } => {
                out.push_str("JSON ");
                out.push_str(if *truncated { "ends too early" } else { "is malformed" });
                out.push_str(" at byte ");
                push_uint(&mut out, *at as u64);
            }
            Self::TooDeep { at, max } => {
                out.push_str("JSON nested too deep at byte ");
                push_uint(&mut out, *at as u64);
                out.push_str(": at most ");
                push_uint(&mut out, *max as u64);
                out.push_str(" levels");
            }
            Self::TooManyElements { at, max } => {
                out.push_str("too many elements at byte ");
                push_uint(&mut out, *at as u64);
                out.push_str(": at most ");
                push_uint(&mut out, *max as u64);
            }
            Self::Payload { packet, at, expected } => {
                out.push_str("wrong payload of ");
                out.push_str(packet);
                out.push_str(" at byte ");
                push_uint(&mut out, *at as u64);
                out.push_str(": it must be ");
                out.push_str(expected);
            }
            Self::EventName { at } => {
                out.push_str("wrong event name at byte ");
                push_uint(&mut out, *at as u64);
                out.push_str(": it must be a number or a string that is not reserved");
            }
            Self::Attachments { at } => {
                out.push_str("wrong attachment count at byte ");
                push_uint(&mut out, *at as u64);
                out.push_str(": it must be digits and a hyphen");
            }
            Self::TooManyAttachments { max } => {
                out.push_str("too many attachments: at most ");
                push_uint(&mut out, *max as u64);
            }
            other => other.about_attachments(&mut out),
        }
        out
    }

    /// The second half: what has to do with several frames, or with what is sent.
    fn about_attachments(&self, out: &mut String) {
        match self {
            Self::AckId { at, expected } => {
                out.push_str("wrong ack id at byte ");
                push_uint(out, *at as u64);
                out.push_str(": ");
                out.push_str(expected);
            }
            Self::TextBetween { missing } => {
                out.push_str("text packet before the attachments were complete: ");
                push_uint(out, *missing as u64);
                out.push_str(" binary frames must come first");
            }
            Self::UnexpectedBinary => {
                out.push_str("binary frame that no packet announced");
            }
            Self::TooLarge { max } => {
                out.push_str("packet too large: at most ");
                push_uint(out, *max as u64);
                out.push_str(" bytes");
            }
            Self::Placeholder { attachments } => {
                out.push_str("placeholder of an attachment that is missing: the packet has ");
                push_uint(out, *attachments as u64);
            }
            Self::Field { field, expected } => {
                out.push_str("wrong field ");
                out.push_str(field);
                out.push_str(": it must be ");
                out.push_str(expected);
            }
            Self::Namespace => {
                out.push_str("wrong namespace: it must begin with a slash and hold no comma");
            }
            Self::Binary { at, expected } => {
                out.push_str("wrong binary frame at byte ");
                push_uint(out, *at as u64);
                out.push_str(": it must be ");
                out.push_str(expected);
            }
            _ => {}
        }
    }
}
