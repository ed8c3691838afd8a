//! What the model backend keeps: messages, by conversation.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub id: String,
    pub seq: u64,
    pub sender: String,
    pub key: Option<String>,
    pub text: String,
    /// What it said when it came: under its key nothing else may.
    pub first: String,
    /// Which message of the schedule it is; `None`: somebody outside wrote it.
    pub number: Option<usize>,
    pub at_ms: u64,
    pub status: &'static str,
    /// When it was edited and removed last, and out of which store.
    pub edited: Option<(u64, usize)>,
    pub deleted: Option<(u64, usize)>,
    /// Emoji and user: whether it is there, and out of which store that was asked last.
    pub reactions: BTreeMap<(String, String), (bool, usize)>,
    /// The store it came out of, and its place in that queue when its frame left.
    pub queued: Option<(usize, Option<u64>)>,
}

#[derive(Default)]
pub struct Room {
    pub messages: Vec<Stored>,
    /// Numbers are never given twice, as a database's sequences are not.
    pub last_seq: u64,
    /// What faults have made it lose.
    pub lost: BTreeSet<String>,
}
