//! `exportConversation()`: what this device has of a conversation, as a text to be kept.
//!
//! Law: segment by segment out of the store, in the conversation's order, then what is queued: beside the text that grows,
//! one segment is in memory. It is a reading of the store alone, in any tab, connected or not. What cannot be read is named
//! in the text, and handled as any other damage; what changes while it runs is in it once or, where it came behind the place
//! that was reached, not.

use super::super::api::{CommandId, Outcome, Read, Record, RecordId, StoreReply, StoreRequest};
use super::super::model::{ErrorCode, Failure, Message};
use super::super::store::{self, OrderKey, SegmentInfo};
use super::super::timeline::{Pending, Want, order_of, unknown_conversation, with_pending};
use super::Client;
use super::change::pending_of;
use super::storage::{Storage, StoreJob, list};
use crate::proto::to_json::Document;

/// Exports at once.
const MAX_EXPORTS: usize = 4;
/// Bytes of the text: it is kept and handed over as a whole.
const MAX_BYTES: usize = 256 << 20;
/// Readings of a tail that other tabs go on writing.
const MAX_AGAIN: u32 = 20;

/// An export under way.
#[derive(Debug)]
pub(super) struct Export {
    pub command: CommandId,
    conversation_id: String,
    document: Document,
    /// The segment that was asked for, and the head's version then.
    asked: Option<(SegmentInfo, Option<u64>)>,
    /// Segments that are in it, and where it has come to: their last row's order, and the rows of just that order.
    done: Vec<u32>,
    reached: Option<OrderKey>,
    at_reached: Vec<String>,
    /// Queued messages that were met in the history.
    settled: Vec<String>,
    again: u32,
}

impl Storage {
    pub fn count_jobs(&self, wanted: &dyn Fn(&StoreJob) -> bool) -> usize {
        self.jobs.keys_where(&|_, job| wanted(job)).len()
    }

    /// Ends the exports; their callers.
    pub fn take_exports(&mut self, commands: &mut Vec<CommandId>) {
        for (_, job) in self.jobs.iter() {
            if let StoreJob::Export(export) = &**job {
                commands.push(export.command);
            }
        }
        self.jobs.remove_where(&|_, job| matches!(job, StoreJob::Export(_)));
    }
}

impl Client {
    pub(super) fn export(
        &mut self,
        id: CommandId,
        conversation_id: String,
        json: bool,
    ) -> Result<(), Failure> {
        let exporting = |job: &StoreJob| matches!(job, StoreJob::Export(_));
        if self.storage.count_jobs(&exporting) >= MAX_EXPORTS {
            return Err(Failure::new(ErrorCode::RateLimited, "too many exports are under way"));
        }
        let known = self.rooms.get(&conversation_id).is_some()
            || self.timelines.log(&conversation_id).is_some_and(|log| log.last_message().is_some())
            || !self.outbox.echoes(&conversation_id).is_empty();
        if !known {
            return Err(unknown_conversation());
        }
        let conversation = self.conversation(&conversation_id);
        let document = Document::begin(json, &conversation_id, conversation.as_ref());
        let export = Box::new(Export {
            command: id,
            conversation_id,
            document,
            asked: None,
            done: Vec::new(),
            reached: None,
            at_reached: Vec::new(),
            settled: Vec::new(),
            again: 0,
        });
        self.export_next(export);
        Ok(())
    }

    /// Asks for the next segment, also where it is in memory: a page is not to stand still over a long history.
    fn export_next(&mut self, mut export: Box<Export>) {
        if export.document.len() > MAX_BYTES {
            let text = "the conversation is larger than an export may be (256 MB)";
            return self.refuse(export.command, Failure::new(ErrorCode::TooLarge, text));
        }
        let log = self.timelines.log(&export.conversation_id);
        let Some(info) = log.and_then(|log| log.next_segment(export.reached, &export.done)) else {
            return self.export_end(*export);
        };
        export.asked = Some((info, log.and_then(|log| log.version())));
        let at = store::segment_key(&export.conversation_id, info.number);
        let reads = vec![Read::One(RecordId::history(at))];
        self.request_store(StoreRequest::Read(reads), StoreJob::Export(export));
    }

    /// The store's answer for one segment. What is in memory is newer.
    pub(super) fn on_exported(&mut self, mut export: Box<Export>, reply: &StoreReply) {
        let Some((info, version)) = export.asked else { return self.export_end(*export) };
        let StoreReply::Records(lists) = reply else {
            let text = "the store cannot be read just now";
            return self.refuse(export.command, Failure::new(ErrorCode::Storage, text));
        };
        let Some(log) = self.timelines.log(&export.conversation_id) else { return self.export_end(*export) };
        if !log.lists(info.number) {
            // Given up or wiped meanwhile.
            export.done.push(info.number);
            return self.export_next(export);
        }
        let stale = log.version() != version && log.loaded(info.number).is_none();
        if stale && export.again < MAX_AGAIN {
            // What was queued may stand in it by now.
            export.again += 1;
            return self.export_next(export);
        }
        export.again = 0;
        let stored = self.timelines.log(&export.conversation_id).and_then(|log| log.loaded(info.number));
        match stored {
            Some(rows) => self.export_rows(&mut export, &rows),
            None => self.export_record(&mut export, &info, list(lists, 0).first()),
        }
        export.done.push(info.number);
        self.export_next(export);
    }

    fn export_record(&mut self, export: &mut Export, info: &SegmentInfo, record: Option<&Record>) {
        let bytes = record.map(|record| record.bytes.as_slice());
        match store::decode_segment(bytes.unwrap_or_default(), &export.conversation_id, info.number) {
            Ok((_, rows)) => self.export_rows(export, &rows),
            Err(_) => {
                export.document.damaged(info);
                self.timelines.on_loaded(&export.conversation_id, Want::Segment(info.number), bytes);
            }
        }
    }

    fn export_rows(&self, export: &mut Export, rows: &[Message]) {
        let pending = pending_of(&self.outbox, &export.conversation_id);
        for message in rows {
            let order = order_of(message);
            // A segment that was split meanwhile has brought what is here already.
            if export.reached.is_some_and(|reached| order < reached)
                || (export.reached == Some(order) && export.at_reached.contains(&message.row_key))
            {
                continue;
            }
            if let Some(key) = &message.key
                && self.outbox.find(key).is_some()
            {
                export.settled.push(key.clone());
            }
            self.export_message(export, message, &pending);
            if export.reached != Some(order) {
                export.at_reached.clear();
            }
            export.reached = Some(order);
            export.at_reached.push(message.row_key.clone());
        }
    }

    /// As windows show it: with what is on its way on top.
    fn export_message(&self, export: &mut Export, message: &Message, pending: &[Pending]) {
        let changed = with_pending((message, 0), pending, &self.config.user_id);
        export.document.message(changed.as_ref().map_or(message, |(shown, _)| shown));
    }

    fn export_end(&mut self, mut export: Export) {
        let pending = pending_of(&self.outbox, &export.conversation_id);
        for row in self.outbox.echoes(&export.conversation_id) {
            if !export.settled.contains(&row.record.key) {
                self.export_message(&mut export, &self.outbox.message(row), &pending);
            }
        }
        let complete = self.timelines.log(&export.conversation_id).is_some_and(|log| log.is_whole());
        self.done(export.command, Outcome::Text(export.document.end(complete)));
    }
}
