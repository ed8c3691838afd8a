//! What must hold at every step, whatever the scenario.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::store::{MemoryStore, OutboxRow, decode_outbox_row};
use chatwire::proto::{
    Event, Message, Outcome, Phase, Read, Status, StoreReply, StoreRequest, Table, ViewId, ViewUpdate,
};

#[derive(Default)]
struct Window {
    rows: BTreeMap<u32, Message>,
    order: Vec<u32>,
    room: String,
    has_earlier: bool,
    loading: bool,
}

/// What one client has shown and said.
#[derive(Default)]
pub struct Checks {
    pub closed: bool,
    pub phase: Option<Phase>,
    pub statuses: BTreeMap<String, Status>,
    windows: BTreeMap<ViewId, Window>,
    /// Messages of others told in this life, by row key.
    pub told: BTreeSet<String>,
    done: BTreeSet<u32>,
    /// Sends that are allowed on the wire without a stored row: only memory is left.
    pub memory_only: bool,
}

impl Checks {
    /// A new life of the client: its promises to listeners begin anew, but not its statuses.
    pub fn begin(&mut self) {
        let statuses = core::mem::take(&mut self.statuses);
        // Before the kill a status may have been shown that no store has seen.
        *self = Self { statuses, memory_only: self.memory_only, ..Self::default() };
    }

    /// No frame of a message before its row is stored and marked (rule 3).
    pub fn on_frame(&mut self, frame: &str, records: &mut MemoryStore) {
        let sends = frame.contains("chat:message_send") || frame.contains("text_command");
        if self.memory_only || !sends {
            return;
        }
        let marked = outbox_rows(records).into_iter().any(|(key, marked)| marked && frame.contains(&key));
        assert!(marked, "a frame left before its row was stored and marked: {frame}");
    }

    /// Nor a request that changes a message.
    pub fn on_request(&mut self, method: &str, url: &str, records: &mut MemoryStore) {
        let changes = method != "GET" && url.contains("/messages/");
        let marked = |row: &OutboxRow| {
            let id = row.change.as_ref().and_then(|change| change.id.as_ref());
            row.wire.is_some() && id.is_some_and(|id| url.contains(id.as_str()))
        };
        let stored = !changes || stored_rows(records).iter().any(marked);
        assert!(stored, "a request left before its row was stored and marked: {method} {url}");
    }

    pub fn on_event(&mut self, event: &Event, records: &mut MemoryStore) {
        match event {
            Event::Done { id, outcome } => {
                assert!(self.done.insert(*id), "command {id} ended twice");
                if let Outcome::Message(message) = outcome
                    && message.durable
                    // What was on the wire was in the store before (`on_frame`), and may have left the outbox.
                    && message.status < Status::Sent
                {
                    let key = message.key.as_deref().unwrap_or_default();
                    let stored = outbox_rows(records).iter().any(|(stored, _)| stored == key);
                    assert!(stored, "send() resolved before its commit");
                }
            }
            Event::Refused { id, .. } => assert!(self.done.insert(*id), "command {id} ended twice"),
            Event::Phase { phase } => self.phase = Some(*phase),
            Event::Message { message, .. } => {
                assert!(self.told.insert(message.row_key.clone()), "told twice: {}", message.row_key);
            }
            Event::Status { row_key, status, .. } => self.on_status(row_key, *status),
            Event::View(update) => self.on_view(update),
            _ => {}
        }
    }

    /// Statuses only rise, but for a failure and what follows it.
    fn on_status(&mut self, row_key: &str, status: Status) {
        let before = self.statuses.insert(row_key.to_owned(), status);
        if let Some(before) = before.filter(|before| *before != Status::Failed && status != Status::Failed) {
            assert!(status >= before, "{row_key} went back from {before:?} to {status:?}");
        }
        if status == Status::Failed {
            assert!(
                before < Some(Status::Acknowledged) || before == Some(Status::Failed),
                "{row_key} failed after its answer"
            );
        }
    }

    fn on_view(&mut self, update: &ViewUpdate) {
        let window = self.windows.entry(update.view).or_default();
        window.rows.extend(update.rows.iter().cloned());
        window.order.clone_from(&update.order);
        window.room.clone_from(&update.conversation_id);
        (window.has_earlier, window.loading) = (update.has_earlier, update.loading);
        let rows: Vec<&Message> = window.order.iter().map(|slot| &window.rows[slot]).collect();
        let keys: BTreeSet<&String> = rows.iter().map(|row| &row.row_key).collect();
        assert_eq!(keys.len(), rows.len(), "a row stands twice in a window");
        let ids: Vec<&String> = rows.iter().filter_map(|row| row.id.as_ref()).collect();
        assert_eq!(
            ids.iter().collect::<BTreeSet<_>>().len(),
            ids.len(),
            "a message stands twice in a window"
        );
        let seqs: Vec<u64> = rows.iter().filter_map(|row| row.seq).collect();
        assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "rows out of order: {seqs:?}");
    }

    pub fn step(&mut self) {}

    pub fn rows(&self, view: ViewId) -> Vec<Message> {
        let Some(window) = self.windows.get(&view) else { return Vec::new() };
        window.order.iter().map(|slot| window.rows[slot].clone()).collect()
    }

    pub fn has_earlier(&self, view: ViewId) -> bool {
        self.windows[&view].has_earlier
    }

    pub fn loading(&self, view: ViewId) -> bool {
        self.windows.get(&view).is_none_or(|window| window.loading)
    }
}

/// The stored outbox: keys, and whether each is marked.
pub fn outbox_rows(records: &mut MemoryStore) -> Vec<(String, bool)> {
    stored_rows(records).into_iter().map(|row| (row.key, row.wire.is_some())).collect()
}

pub fn stored_rows(records: &mut MemoryStore) -> Vec<OutboxRow> {
    match records.execute(&StoreRequest::Read(vec![Read::All(Table::Outbox)])) {
        StoreReply::Records(lists) => {
            let rows = lists[0].iter().filter_map(|record| decode_outbox_row(&record.bytes).ok());
            rows.map(|(_, row)| row).collect()
        }
        _ => Vec::new(),
    }
}
