//! What is done to a history, one after the other in each conversation.

use super::super::model::{Message, Status};
use super::super::profile::ServerMessage;
use super::super::queue::Queue;
use super::read::{Back, Count};

/// One change of a message that is in the history.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Status {
        status: Status,
        user_id: Option<String>,
    },
    Edited {
        text: String,
        /// The server's time of the edit, where it tells one: without one the later to come is the later.
        at_ms: Option<i64>,
    },
    Deleted {
        at_ms: i64,
    },
    Reaction {
        emoji: String,
        user_id: String,
        added: bool,
    },
    /// This user has read it on another device; or (`tell`) in another tab, which leaves the telling to this one.
    Read {
        tell: bool,
    },
}

/// A page of the history, oldest first.
#[derive(Clone, Debug, Default)]
pub struct PageOp {
    pub messages: Queue<Box<ServerMessage>>,
    /// What lies after the first and up to the second is all in the page: from now on it is known.
    pub range: Option<(u64, u64)>,
    /// The server's mark of where it ends, up to which sequence number all before it is here then, and whether what comes
    /// behind it is news.
    pub mark: Option<(String, u64, bool)>,
    pub ticket: u32,
    /// How much had been heard when it was asked for ([`Timelines::heard`]).
    pub asked: u64,
    /// What is new in it has come while nobody listened, and is told; else it is older than what was there at the first
    /// contact.
    pub tells: bool,
    /// Whether the server has rows before it; `None`: that says nothing of what comes before all that is here.
    pub more: Option<bool>,
    /// It is of what comes before all that is here, newest first: what is newer than what is known comes by other ways, and
    /// is told there.
    pub earlier: bool,
    /// Of such a page: its rows that are older than an own one which the outbox has taken; and when the newest that was
    /// here was created (`Here::newest_ms`).
    pub below_taken: usize,
    pub newest_ms: i64,
    /// The row that was applied last: of a page that comes newest first the next one.
    pub above: Option<String>,
    /// It is the first that comes of this conversation.
    pub first: bool,
    /// Rows so far that were new.
    pub fresh: u32,
    /// Whether the oldest row was in the history before.
    pub oldest_known: Option<bool>,
    /// One of its rows was; and rows that are newer than that one were left out.
    pub meets: bool,
    pub cut: bool,
    /// Whether it has the row up to which all is known.
    pub joins: Option<bool>,
}

impl PageOp {
    /// Of what comes before all that is here: its newest row was known, so that nothing is missing above it.
    pub(super) fn begins_known(&self) -> bool {
        self.meets && !self.cut
    }
}

/// What became of a page.
#[derive(Clone, Copy, Debug)]
pub struct Applied {
    pub ticket: u32,
    /// Rows that were new.
    pub fresh: u32,
    /// They were told.
    pub tells: bool,
    /// It goes back to what was known without a gap; of what comes before all that is here: its newest row was known.
    pub reached: bool,
}

/// What waits in a conversation's apply queue.
#[derive(Clone, Debug)]
pub enum Op {
    /// A message that has just come.
    Live(Box<ServerMessage>),
    Page(PageOp),
    /// Reading has gone on: what is unread now.
    CountUnread(Count),
    /// Somebody has read up to a message: own ones before it.
    ReadBefore(Back),
    /// The server knows of this user's reading up to `above` only.
    TellRead {
        above: u64,
    },
    /// The next of what was read and not told.
    TellMore,
    /// An own message that the server has answered for; `message` is how it looked in the outbox.
    Answer {
        row: u64,
        message: Box<Message>,
        copy: Option<Box<ServerMessage>>,
    },
    /// A change of the message with that server id; `segments` says where to look, if that is known, `heard` when it came.
    Target {
        id: String,
        change: Change,
        heard: u64,
        segments: Option<Vec<u32>>,
    },
    /// A message of these names is gone: what answers it shows nothing of it.
    HideExcerpts {
        names: Vec<String>,
    },
    /// An own change of the message with that server id, which the server has taken; `row` is its place in the outbox.
    Own {
        row: u64,
        id: String,
        change: Change,
        /// The time is this device's: that of the message counts.
        undated: bool,
    },
    /// Whether a message with this key or id is in the history.
    Find {
        name: String,
        ticket: u32,
    },
    /// The same, where an index has said in which segments.
    FindIn {
        name: String,
        ticket: u32,
        segments: Vec<u32>,
    },
}
