//! One client and its disk, as the world keeps them.

use std::collections::VecDeque;

use chatwire::proto::store::MemoryStore;
use chatwire::proto::{
    Client, Event, HttpId, HttpRequest, Input, StoreFailure, StoreId, StoreReply, StoreRequest,
};
use serde_json::Value;

use super::checks::Checks;
use super::full_disk;

/// What a store does to the next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    None,
    Fail(StoreFailure),
    /// Carried out, and nobody knows.
    UnknownDone,
    /// Not carried out, and nobody knows.
    UnknownLost,
    Conflict,
}

#[derive(Default)]
pub struct Disk {
    pub records: MemoryStore,
    pub faults: VecDeque<WriteFault>,
    /// Fails whatever is asked while it is set.
    pub broken: Option<StoreFailure>,
    /// Takes no more bytes than this.
    pub limit_bytes: Option<usize>,
    /// Reads fail too.
    pub unreadable: bool,
    /// Whoever opens it from now on gets nothing but memory.
    pub denied: bool,
    pub refuses_wipe: bool,
    /// Wipes are carried out, and nobody knows.
    pub unclear_wipe: bool,
    pub delay_ms: u64,
    /// How long nobody knows.
    pub unknown_ms: u64,
    pub writes: usize,
    pub reads: usize,
}

impl Disk {
    pub fn execute(&mut self, request: &StoreRequest) -> StoreReply {
        match (request, self.limit_bytes) {
            (StoreRequest::Write(transaction), Some(limit_bytes)) => {
                full_disk::write(&mut self.records, transaction, limit_bytes)
            }
            _ => self.records.execute(request),
        }
    }
}

pub struct Node {
    pub client: Option<Client>,
    pub user: String,
    pub disk: usize,
    pub events: Vec<Event>,
    pub checks: Checks,
    pub options: Value,
    /// Counts the lives of this node: what was meant for an earlier one is lost.
    pub life: u32,
    pub steps: usize,
    pub die_after: Option<usize>,
    pub token: String,
    pub tokens_asked: usize,
    pub next_tokens: VecDeque<Result<String, String>>,
    pub hold_tokens: bool,
    pub leads: bool,
    /// Stands in the queue for the lock.
    pub waits: bool,
    /// What has come for a page that stands still.
    pub still: Option<Vec<Happening>>,
    pub live_socket: Option<u32>,
    /// Nothing arrives in either direction, and nobody is told.
    pub half_open: bool,
}

pub enum Happening {
    ToClient(Input),
    ToBackend(u32, String),
    Open(u32),
    Close(u32),
    Store(StoreId, StoreRequest),
    Http(HttpId, HttpRequest),
}
