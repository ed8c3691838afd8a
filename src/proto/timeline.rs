//! History and the windows on it: each server message once, in the server's order.
//!
//! Law: a conversation's history is a list of segments of about a hundred rows; what is not loaded is asked of the
//! store when it is needed, and until it is there the conversation's apply queue waits (rule 9). The cursor moves
//! along the contiguous prefix only, in the same transaction as the rows it covers (rule 8). A row keeps its key
//! for ever; its revision changes with everything that can be seen of it.

use super::queue::Queue;
use crate::proto::sorted::SortedMap;

use super::api::ViewId;
use super::config::History;
use super::model::{Message, Phase, Status};
use super::store::{RecordError, fingerprint};

mod adopt;
mod apply;
mod change;
mod evict;
mod find;
mod intake;
mod joint;
mod known;
mod log;
mod merge;
mod needs;
mod op;
mod orphans;
mod pending;
mod persist;
mod ranges;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod view;
mod window;

use intake::Intake;
use known::Known;
pub use log::{Log, Want, order_of};
pub use op::{Applied, Change, Op, PageOp};
use orphans::Orphans;
pub use pending::{Pending, with_pending};
pub use persist::Item;
pub use ranges::Wanted;
pub use view::{Echo, Echoes, unknown_conversation};

/// Names that are looked for in all conversations at once.
const MAX_SEARCHES: usize = 512;

/// What is looked for in all conversations.
#[derive(Clone, Debug)]
enum Search {
    Change(Change, u64),
    Find { ticket: u32 },
}

/// What the machine wants of the client.
#[derive(Clone, Debug)]
pub enum Action {
    /// Read this record, then call `on_loaded`.
    Load {
        conversation_id: String,
        want: Want,
    },
    /// Read all index pages, then call `on_index_scan`.
    ScanIndex,
    /// Somebody else's message is new here.
    New {
        message: Box<Message>,
        live: bool,
    },
    Updated {
        message: Box<Message>,
    },
    Deleted {
        conversation_id: String,
        row_key: String,
    },
    Reaction {
        conversation_id: String,
        row_key: String,
    },
    /// An own message moved on its ladder.
    Status {
        message: Box<Message>,
    },
    /// An own message stands higher than the store has it: that was told while this tab led, and not written.
    Ahead {
        conversation_id: String,
        id: String,
        status: Status,
    },
    /// The answer's copy stands in the history.
    Applied {
        row: u64,
        message: Box<Message>,
    },
    /// Something that was told of a message of this conversation is not known any more: look at it again.
    Stale {
        conversation_id: String,
    },
    /// An own change stands in the history.
    OwnApplied {
        row: u64,
    },
    /// A sequence number was jumped over, or (`dropped`) a message was not taken in: pull.
    Behind {
        conversation_id: String,
        dropped: bool,
    },
    /// A message may be missing, whatever the cursor says: pull.
    Unsure(String),
    /// A page is in.
    PageApplied {
        conversation_id: String,
        applied: Applied,
    },
    /// A window shows all that is here and wants what comes before.
    Earlier {
        conversation_id: String,
    },
    /// The unread count is another.
    Read {
        conversation_id: String,
    },
    /// The server does not know that this user has read these messages; asked for by `tell_more`, there may be more.
    TellRead {
        conversation_id: String,
        ids: Vec<String>,
    },
    Found {
        ticket: u32,
        message: Option<Box<Message>>,
    },
    /// A record could not be read; it is left out, and a catch-up brings it again.
    Damaged {
        conversation_id: String,
        want: Want,
        error: RecordError,
        /// It was told before.
        again: bool,
    },
}

/// All conversations' histories of one instance.
pub struct Timelines {
    me: String,
    limits: History,
    logs: SortedMap<String, Log>,
    views: SortedMap<ViewId, window::View>,
    /// A record has come that a window waits for.
    awaited: bool,
    /// Statuses that were shown, and that the store does not have.
    shown: Known,
    orphans: Orphans,
    intake: Intake,
    searching: Vec<(String, Search)>,
    revision: u64,
    use_counter: u64,
    phase: Phase,
    max_window_rows: usize,
    /// The server gives pages by offset.
    paged: bool,
    actions: Queue<Action>,
}

impl Timelines {
    /// `paged`: the server gives pages by offset.
    pub fn new(me: &str, max_window_rows: u32, limits: History, paged: bool) -> Self {
        Self {
            me: me.to_owned(),
            limits,
            logs: SortedMap::new(),
            views: SortedMap::new(),
            awaited: false,
            shown: SortedMap::new(),
            orphans: Orphans::default(),
            intake: Intake::new(limits.max_unsaved),
            searching: Vec::new(),
            revision: 1,
            use_counter: 0,
            phase: Phase::Restored,
            max_window_rows: max_window_rows as usize,
            paged,
            actions: Queue::new(),
        }
    }

    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Another tab leads now: nothing of what differs from the store will be written, nor what waits be applied.
    pub fn abdicate(&mut self) {
        self.keep_unwritten();
        self.abdicate_orphans();
        for (_, log) in self.logs.iter_mut() {
            log.version = None;
            log.ops.retain(&|op| matches!(op, Op::Find { .. } | Op::FindIn { .. } | Op::CountUnread(_)));
            log.forget_writes();
        }
        self.recount();
    }

    pub fn set_phase(&mut self, phase: Phase) {
        if self.phase != phase {
            self.phase = phase;
            self.dirty_all_views();
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn log(&self, conversation_id: &str) -> Option<&Log> {
        self.logs.get(conversation_id)
    }

    fn log_mut(&mut self, conversation_id: &str) -> &mut Log {
        self.use_counter += 1;
        let used = self.use_counter;
        let new = || Log::new(log::empty_head(conversation_id), self.limits.segment_rows);
        let log = self.logs.or_insert_with(conversation_id, new);
        log.used = used;
        log
    }

    /// Whether a message with this key or server id is in that conversation; answered by `Found`.
    pub fn find(&mut self, conversation_id: &str, name: &str, ticket: u32) {
        self.push(conversation_id, Op::Find { name: name.to_owned(), ticket });
    }

    /// The same, in whichever conversation.
    pub fn find_anywhere(&mut self, name: &str, ticket: u32) {
        match self.near(name).first() {
            Some(conversation_id) => self.find(conversation_id, name, ticket),
            None => self.search(name, Search::Find { ticket }),
        }
    }

    /// The conversations of which what is in memory says that a key or id stands there.
    fn near(&self, name: &str) -> Vec<String> {
        let print = fingerprint(name);
        self.logs.keys_where(&|_, log| log.may_hold(print))
    }

    /// Looks through every index page of the store, once for all that is looked for.
    fn search(&mut self, name: &str, search: Search) {
        if self.searching.len() >= MAX_SEARCHES {
            match search {
                Search::Find { ticket } => self.actions.push_back(Action::Found { ticket, message: None }),
                // By an id that is known after all it is done when its message is told again.
                Search::Change(change, heard) => self.keep_orphan(None, name, change, heard),
            }
            return;
        }
        self.searching.push((name.to_owned(), search));
        if self.searching.len() == 1 {
            self.actions.push_back(Action::ScanIndex);
        }
    }

    /// Forgets everything (wipe).
    pub fn clear(&mut self) {
        for (_, log) in self.logs.iter_mut() {
            while let Some(op) = log.ops.pop_front() {
                if let Op::Find { ticket, .. } | Op::FindIn { ticket, .. } = op {
                    self.actions.push_back(Action::Found { ticket, message: None });
                }
            }
        }
        self.logs.clear();
        self.recount();
        self.shown.clear();
        self.orphans.clear();
        self.dirty_all_views();
    }

    /// The loaded row with this key, wherever it is.
    pub fn loaded_row(&self, conversation_id: &str, row_key: &str) -> Option<&Message> {
        self.logs.get(conversation_id)?.loaded_row(row_key).map(|row| &row.message)
    }

    fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }
}
