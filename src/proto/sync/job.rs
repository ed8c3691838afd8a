//! What the catch-up asks for, and what has come of it.

use crate::proto::place::Place;

/// A request that the client is to make; answered by `on_list`, `on_page` or `on_failed` with the same job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    List {
        offset: u32,
    },
    /// The catch-up after a cursor.
    After {
        conversation_id: String,
        seq: u64,
    },
    /// The catch-up by pages from the newest on towards the past; with a cursor the newest page is
    /// where a conversation begins anew.
    Offset {
        conversation_id: String,
        offset: u32,
    },
    /// What comes before all that is here, where there is no cursor: by offset, from the oldest row that is known on.
    Earlier {
        conversation_id: String,
        offset: u32,
    },
    /// What is missing after `seq`, up to `before`.
    Between {
        conversation_id: String,
        seq: u64,
        before: u64,
    },
    /// The catch-up by marks that the server gives (P9): what comes after `mark`, which stands for all up to `seq`; without one
    /// from the first message on. `tells`: all of it is news.
    Follow {
        conversation_id: String,
        mark: Option<String>,
        seq: u64,
        tells: bool,
    },
    /// The newest page once more, for what has become of messages that are known: a cursor does not tell.
    Newest {
        conversation_id: String,
    },
}

impl Job {
    /// Whose history it asks for.
    pub fn conversation_id(&self) -> Option<&str> {
        match self {
            Self::List { .. } => None,
            Self::After { conversation_id, .. }
            | Self::Offset { conversation_id, .. }
            | Self::Earlier { conversation_id, .. }
            | Self::Between { conversation_id, .. }
            | Self::Follow { conversation_id, .. }
            | Self::Newest { conversation_id } => Some(conversation_id),
        }
    }
}

/// From where on a conversation is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullFrom {
    /// The sequence number up to which all is known; `None`: nothing is known yet.
    pub seq: Option<u64>,
    /// The server's mark, up to which sequence number it stands for all, and whether what comes behind it is news.
    pub mark: Option<(String, u64, bool)>,
}

/// What a pull has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    GoesOn,
    /// Somebody has asked again meanwhile.
    Again,
    /// All that was behind is in; `given_up`: it did not go back to what was known.
    Joined {
        given_up: bool,
    },
    /// What a window wanted is in; or nothing came. `place`: where one goes on the next time. `unsure`: though nothing came
    /// there may be something, since what had come since the newest that was here, of that time, hid it.
    Earlier {
        came: bool,
        place: Option<Place>,
        unsure: Option<i64>,
    },
}

/// Where the history is asked for by marks, and there is none.
pub(super) fn from_the_first(conversation_id: &str) -> Job {
    let conversation_id = conversation_id.to_owned();
    Job::Follow { conversation_id, mark: None, seq: 0, tells: false }
}
