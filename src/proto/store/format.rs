//! The envelope of every record: header, checksum, migration.
//!
//! Law: the header's layout holds for every format there will ever be, so that any version of the application can
//! compare stamps and tell damage from a newer format. All numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0..2 | `CW` |
//! | 2 | kind |
//! | 3 | format |
//! | 4..12 | stamp of the transaction that wrote it |
//! | 12..16 | payload length |
//! | 16..24 | xxh64 of the payload, seeded with the xxh64 of bytes 2..16 |

use std::borrow::Cow;

use xxhash_rust::xxh64::xxh64;

use crate::proto::wire::json::push_uint;

/// The format that this version of the application writes.
pub const FORMAT_VERSION: u8 = 2;
/// Bytes before the payload.
pub const HEADER_BYTES: usize = 24;

const MAGIC: [u8; 2] = *b"CW";

/// Takes a payload of one format to the next.
pub(super) type Step = fn(RecordKind, &[u8]) -> Result<Vec<u8>, RecordError>;

/// The step at position `n` takes format `n + 1` to format `n + 2`; steps are only ever added.
const STEPS: &[Step] = &[super::migrate::to_2];
const _: () = assert!(STEPS.len() + 1 == FORMAT_VERSION as usize, "each format but the first needs its step");

/// What a record is. The numbers are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RecordKind {
    /// The number of the leading tab's reign.
    Generation = 1,
    /// What the backend has said it gives.
    Capabilities = 2,
    /// One queued message.
    OutboxRow = 3,
    /// What a conversation is.
    Conversation = 4,
    /// The head of a conversation's history.
    History = 5,
    /// About a hundred messages of one conversation.
    Segment = 6,
    /// Which ids and keys are in which segment.
    Index = 7,
    /// The application's settings.
    Settings = 8,
    /// Changes of messages that are not known yet.
    Orphans = 9,
    /// What the user has begun to write in one conversation.
    Draft = 10,
    /// That a transaction took place which has added rows; its stamp says which one.
    Proof = 11,
}

impl RecordKind {
    fn name(self) -> &'static str {
        match self {
            Self::Generation => "generation",
            Self::Capabilities => "capabilities",
            Self::OutboxRow => "outbox row",
            Self::Conversation => "conversation",
            Self::History => "history head",
            Self::Segment => "segment",
            Self::Index => "index",
            Self::Settings => "settings",
            Self::Orphans => "orphans",
            Self::Draft => "draft",
            Self::Proof => "proof",
        }
    }
}

/// Why bytes of the database cannot be read. Nothing of a record's content is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
#[non_exhaustive]
pub enum RecordError {
    /// It does not begin as a record does.
    NotARecord,
    /// Another kind stands at this key.
    WrongKind {
        /// The kind that belongs here.
        expected: RecordKind,
        /// The number found.
        found: u8,
    },
    /// A later version of the application wrote it.
    Newer {
        /// The record's format.
        found: u8,
        /// The newest format known here.
        known: u8,
    },
    /// Bytes are missing at the end.
    Truncated,
    /// A bit has changed.
    Checksum,
    /// The checksum holds and the content is still not what the format allows.
    Malformed {
        /// Which field, and what is allowed.
        what: &'static str,
    },
}

impl RecordError {
    /// What was wrong, where, and what is allowed. By hand: the formatting of the standard library is 2.5 KB of wasm.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        match self {
            Self::NotARecord => {
                out.push_str("not a record: it must begin with CW");
            }
            Self::WrongKind { expected, found } => {
                out.push_str("record of kind ");
                push_uint(&mut out, (*found).into());
                out.push_str(" where kind ");
                push_uint(&mut out, *expected as u64);
                out.push_str(" (");
                out.push_str(expected.name());
                out.push_str(") must stand");
            }
            Self::Newer { found, known } => {
                out.push_str("written by a newer version of the application: format ");
                push_uint(&mut out, (*found).into());
                out.push_str(", known are 1 to ");
                push_uint(&mut out, (*known).into());
            }
            Self::Truncated => {
                out.push_str("record is cut short: fewer bytes than its header says");
            }
            Self::Checksum => {
                out.push_str("record is damaged: its checksum does not match");
            }
            Self::Malformed { what } => {
                out.push_str("record is malformed: ");
                out.push_str(what);
            }
        }
        out
    }
}

/// A record whose checksum holds, in today's format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<'a> {
    pub kind: RecordKind,
    /// The stamp of the transaction that wrote it.
    pub version: u64,
    /// Borrowed, unless a migration had to rewrite it.
    pub payload: Cow<'a, [u8]>,
}

/// Writes header and payload. `version` is the stamp of the transaction that writes the record.
pub fn seal(kind: RecordKind, version: u64, payload: &[u8]) -> Vec<u8> {
    seal_as(FORMAT_VERSION, kind, version, payload)
}

pub(super) fn seal_as(format: u8, kind: RecordKind, version: u64, payload: &[u8]) -> Vec<u8> {
    // A length that four bytes cannot hold makes a record that says of itself that it is cut short.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.push(kind as u8);
    bytes.push(format);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    let checksum = checksum(&bytes, payload);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The record's stamp, without checking its checksum: what `Transaction::expect` compares. `None`: these bytes are
/// no record, which counts as absent, so that what cannot be read can be written anew.
pub fn record_version(bytes: &[u8]) -> Option<u64> {
    Header::read(bytes).ok().map(|header| header.version)
}

/// A later version of the application has written it, whatever its kind.
pub fn is_newer(bytes: &[u8]) -> bool {
    // Most are of today's: no second checksum for those.
    bytes.get(3).is_some_and(|format| *format > FORMAT_VERSION)
        && matches!(open(RecordKind::Generation, bytes), Err(RecordError::Newer { .. }))
}

/// Checks a record and brings its payload to today's format. The checksum comes first: damage to the header must
/// not pass for a newer format.
///
/// # Errors
/// Each [`RecordError`]; of the content itself, only what a migration step refuses.
pub fn open(kind: RecordKind, bytes: &[u8]) -> Result<Opened<'_>, RecordError> {
    open_with(STEPS, kind, bytes)
}

pub(super) fn open_with<'a>(
    steps: &[Step],
    kind: RecordKind,
    bytes: &'a [u8],
) -> Result<Opened<'a>, RecordError> {
    let header = Header::read(bytes)?;
    let (head, payload) = bytes.split_at_checked(HEADER_BYTES).ok_or(RecordError::Truncated)?;
    if payload.len() < header.length as usize {
        return Err(RecordError::Truncated);
    }
    if payload.len() > header.length as usize {
        return Err(RecordError::Malformed { what: "bytes after the payload" });
    }
    if checksum(head, payload) != header.checksum {
        return Err(RecordError::Checksum);
    }
    let known = u8::try_from(steps.len() + 1).unwrap_or(u8::MAX);
    if header.format > known {
        return Err(RecordError::Newer { found: header.format, known });
    }
    if header.kind != kind as u8 {
        return Err(RecordError::WrongKind { expected: kind, found: header.kind });
    }
    let Some(first_step) = usize::from(header.format).checked_sub(1) else {
        return Err(RecordError::Malformed { what: "format 0; formats begin with 1" });
    };
    let mut payload = Cow::Borrowed(payload);
    for step in steps.iter().skip(first_step) {
        payload = Cow::Owned(step(kind, &payload)?);
    }
    Ok(Opened { kind, version: header.version, payload })
}

struct Header {
    kind: u8,
    format: u8,
    version: u64,
    length: u32,
    checksum: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(RecordError::NotARecord)?;
        Self::after_magic(rest).ok_or(RecordError::Truncated)
    }

    fn after_magic(rest: &[u8]) -> Option<Self> {
        let (&[kind, format], rest) = rest.split_first_chunk()?;
        let (&version, rest) = rest.split_first_chunk()?;
        let (&length, rest) = rest.split_first_chunk()?;
        let (&checksum, _) = rest.split_first_chunk()?;
        Some(Self {
            kind,
            format,
            version: u64::from_le_bytes(version),
            length: u32::from_le_bytes(length),
            checksum: u64::from_le_bytes(checksum),
        })
    }
}

/// Seeding with the header's hash covers header and payload with the one-shot function alone; the streaming one
/// would cost bytes of wasm.
fn checksum(head: &[u8], payload: &[u8]) -> u64 {
    xxh64(payload, xxh64(head.get(2..16).unwrap_or_default(), 0))
}
