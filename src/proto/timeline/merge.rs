//! Where a row stands, and how two tellings of one message become one row.

use super::super::model::{Message, ReplyTo, Sender, Status, first_chars};
use super::super::profile::ServerMessage;
use super::super::sorted::partition_point;
use super::super::store::{IndexPage, SegmentInfo, fingerprint, index_page_of};
use super::change::{delete, keep_what_stands, react, reply_print};
use super::log::{Loaded, LoadedIndex, Log, NOTHING, Row, order_of};
use crate::proto::mutant;
use crate::proto::text::concat;

/// Characters of an answered message that are shown with the answer.
const EXCERPT_CHARS: usize = 120;

impl Log {
    /// Puts a new row in its place, right before a row of the same order where there is one that is known to come behind it;
    /// seals the tail when it is full.
    pub(super) fn insert(&mut self, row: Row, before: Option<(u32, usize)>) {
        self.hold_on();
        let order = order_of(&row.message);
        let place = self.place_for(&order).and_then(|at| self.head.segments.get(at));
        let number = match (before, place) {
            (Some((number, _)), _) => number,
            (None, Some(info)) => info.number,
            (None, None) => self.new_segment(),
        };
        let mut prints = Vec::new();
        push_prints(&row.message, &mut prints);
        let Some(loaded) = self.segments.get_mut(&number) else { return };
        let rows = &loaded.rows;
        let stands_before = |at: usize| rows.get(at).is_some_and(|row| order_of(&row.message) <= order);
        let at = before.map_or_else(|| partition_point(rows.len(), &stands_before), |(_, at)| at);
        loaded.rows.insert(at, row);
        loaded.dirty = true;
        self.head_dirty = true;
        self.refresh_info(number);
        if self.tail_number() == Some(number) {
            self.head.tail_ids.extend_from_slice(&prints);
            if self.segments.get(&number).is_some_and(|tail| tail.rows.len() > self.segment_rows) {
                self.seal_tail(number);
            }
        } else if self.segments.get(&number).is_some_and(|old| old.rows.len() >= 2 * self.segment_rows) {
            self.split(number);
        } else {
            self.index_segment(number);
        }
    }

    /// A sealed segment that a filled gap has doubled becomes two.
    fn split(&mut self, number: u32) {
        let Some(loaded) = self.segments.get_mut(&number) else { return };
        let rows = loaded.rows.split_off(self.segment_rows);
        let next = self.head.next_segment;
        self.head.next_segment += 1;
        let at = self.place_of(number);
        let info = SegmentInfo { number: next, count: 0, first: NOTHING, last: NOTHING };
        self.head.segments.insert(at.map_or(0, |at| at + 1), info);
        self.segments.insert(next, Loaded { rows, dirty: true, writing: false });
        for number in [number, next] {
            self.refresh_info(number);
            self.index_segment(number);
        }
    }

    /// The fingerprints of the tail, from its rows.
    pub(super) fn refresh_tail_ids(&mut self) {
        let tail = self.tail_number().and_then(|number| self.segments.get(&number));
        self.head.tail_ids = tail.map_or(Vec::new(), |tail| prints_of(&tail.rows));
    }

    fn new_segment(&mut self) -> u32 {
        let number = self.head.next_segment;
        self.head.next_segment += 1;
        self.head.segments.push(SegmentInfo { number, count: 0, first: NOTHING, last: NOTHING });
        self.segments.insert(number, Loaded { dirty: true, ..Loaded::default() });
        self.head.tail_ids.clear();
        number
    }

    /// The first hundred rows stay under the tail's number, the rest becomes the new tail.
    fn seal_tail(&mut self, number: u32) {
        let Some(tail) = self.segments.get_mut(&number) else { return };
        let rest = tail.rows.split_off(self.segment_rows.min(tail.rows.len()));
        self.refresh_info(number);
        let next = self.new_segment();
        let prints = prints_of(&rest);
        if let Some(loaded) = self.segments.get_mut(&next) {
            loaded.rows = rest;
        }
        self.head.tail_ids = prints;
        self.refresh_info(next);
        self.index_segment(number);
    }

    pub(super) fn index_segment(&mut self, number: u32) {
        let Some(loaded) = self.segments.get(&number) else { return };
        let prints = prints_of(&loaded.rows);
        let page = index_page_of(number);
        let entry = self.index.or_insert_with(&page, || LoadedIndex {
            page: IndexPage { page, segments: Vec::new() },
            dirty: true,
            writing: false,
        });
        entry.page.set(number, prints);
        entry.dirty = true;
    }

    /// The cursor moves along rows that follow each other without a gap.
    pub(super) fn advance_cursor(&mut self) {
        let Some(mut cursor) = self.head.cursor else { return };
        let before = cursor;
        let segments = &self.head.segments;
        let is_behind = |at: usize| segments.get(at).is_some_and(|info| info.last.seq <= cursor);
        let from = partition_point(segments.len(), &is_behind);
        'segments: for info in segments.get(from..).unwrap_or_default() {
            let Some(loaded) = self.segments.get(&info.number) else { break };
            let seq_of = |row: &Row| row.message.seq.unwrap_or(u64::MAX);
            let is_behind = |at: usize| loaded.rows.get(at).is_some_and(|row| seq_of(row) <= cursor);
            let start = partition_point(loaded.rows.len(), &is_behind);
            for row in loaded.rows.get(start..).unwrap_or_default() {
                if row.message.seq != Some(cursor + 1) {
                    break 'segments;
                }
                cursor += 1;
            }
        }
        if cursor != before {
            self.head.cursor = Some(cursor);
            self.head_dirty = true;
        }
    }

    pub(super) fn is_unread(&self, message: &Message) -> bool {
        message.deleted_at_ms.is_none() && self.head.read_up_to.is_none_or(|read| order_of(message) > read)
    }

    /// Gives an own message that has no copy what the server has said of this row. `true`: the row was not known to be it.
    pub(super) fn name_after(&self, number: u32, at: usize, own: &mut Message) -> bool {
        let Some(row) = self.segments.get(&number).and_then(|loaded| loaded.rows.get(at)) else {
            return false;
        };
        let mut told = row.message.clone();
        let strayed = told.key != own.key;
        told.row_key.clone_from(&own.row_key);
        told.key.clone_from(&own.key);
        told.reply_to.clone_from(&own.reply_to);
        *own = told;
        strayed
    }

    /// Puts `new` in the place of a row and keeps what must not go back. Moves it where its order asks for it.
    pub(super) fn replace_at(
        &mut self,
        number: u32,
        at: usize,
        mut new: Message,
        revision: u64,
    ) -> Option<Message> {
        let loaded = self.segments.get_mut(&number)?;
        let row = loaded.rows.get_mut(at)?;
        keep_what_stands(&row.message, &mut new);
        if row.message == new {
            return Some(new);
        }
        let moved = order_of(&row.message) != order_of(&new);
        loaded.dirty = true;
        self.head_dirty = true;
        if !moved {
            *row = Row { message: new.clone(), revision };
            if self.tail_number() == Some(number) {
                let mut prints = Vec::new();
                push_prints(&new, &mut prints);
                for print in prints {
                    if !self.head.tail_ids.contains(&print) {
                        self.head.tail_ids.push(print);
                    }
                }
            } else {
                self.index_segment(number);
            }
            return Some(new);
        }
        loaded.rows.remove(at);
        let left = prints_of(&loaded.rows);
        if self.tail_number() == Some(number) {
            self.head.tail_ids = left;
        } else if left.is_empty()
            && let Some(at) = self.place_of(number)
        {
            self.head.segments.remove(at);
        }
        self.refresh_info(number);
        self.insert(Row { message: new.clone(), revision }, None);
        Some(new)
    }
}

/// The fingerprint under which an own message without an id is found: by what it says.
pub(super) fn unnamed_print(text: &str) -> u32 {
    fingerprint(&concat(&["un:", text]))
}

/// Under what a message can be found: its id, or what it says, and its key; and, as an answer, what it answers.
fn push_prints(message: &Message, prints: &mut Vec<u32>) {
    if let Some(reply) = &message.reply_to {
        prints.push(reply_print(&reply.row_key));
    }
    prints.push(match &message.id {
        Some(id) => fingerprint(id),
        None => unnamed_print(&message.text),
    });
    if let Some(key) = &message.key {
        prints.push(fingerprint(key));
    }
}

fn prints_of(rows: &[Row]) -> Vec<u32> {
    let mut prints = Vec::new();
    for row in rows {
        push_prints(&row.message, &mut prints);
    }
    prints
}

/// The server's telling as a row. `own`: the row that it is a copy of, whose key and looks it keeps.
pub(super) fn to_message(copy: &ServerMessage, me: &str, own: Option<&Message>) -> Message {
    let mine = copy.sender_id == me;
    // Receipts are about own messages: what others have of somebody else's changes nothing that is shown.
    let told = copy.status.filter(|_| mine).unwrap_or(Status::Acknowledged);
    let status = told.max(Status::Acknowledged);
    let mut message = Message {
        row_key: own.map_or_else(
            || concat(&[copy.conversation_id.as_str(), ":", copy.id.as_str()]),
            |own| own.row_key.clone(),
        ),
        id: Some(copy.id.clone()),
        key: own.and_then(|own| own.key.clone()).or_else(|| copy.key.clone().filter(|_| mine)),
        conversation_id: own.map_or_else(|| copy.conversation_id.clone(), |own| own.conversation_id.clone()),
        sender_id: copy.sender_id.clone(),
        sender: if mine && !mutant::is(57) { Sender::Me } else { copy.sender.unwrap_or(Sender::User) },
        kind: match (own, copy.kind.as_str()) {
            (Some(own), "") => own.kind.clone(),
            (None, "") => String::from("text"),
            (_, kind) => kind.to_owned(),
        },
        text: copy.text.clone(),
        metadata: copy.metadata.clone(),
        attachments: copy.attachments.clone(),
        reply_to: own.and_then(|own| own.reply_to.clone()).or_else(|| {
            let id = copy.reply_to_id.as_deref()?;
            let row_key = concat(&[copy.conversation_id.as_str(), ":", id]);
            Some(ReplyTo { row_key, excerpt: String::new() })
        }),
        created_at_ms: copy.created_at_ms,
        seq: copy.seq.or(own.and_then(|own| own.seq)),
        status,
        failure: None,
        durable: true,
        read_by: Vec::new(),
        reactions: Vec::new(),
        edited_at_ms: copy.edited_at_ms,
        deleted_at_ms: None,
        change: None,
    };
    for user in &copy.read_by {
        if user != me {
            message.read_by.push(user.clone());
        }
    }
    for (emoji, user) in copy.reactions.iter().flatten() {
        react(&mut message, emoji, user, true, me);
    }
    if let Some(at_ms) = copy.deleted_at_ms {
        delete(&mut message, at_ms);
    }
    message
}

/// An own message of which no copy came: its answer brought none, or there is no answer.
pub(super) fn without_copy(mut echo: Message) -> Message {
    echo.failure = None;
    echo.durable = true;
    echo
}

/// Fills in what an answer refers to, where that message is in memory.
pub(super) fn resolve_reply(log: &Log, message: &mut Message) {
    let Some(reply) = &mut message.reply_to else { return };
    let prefix = message.conversation_id.len() + 1;
    let target = reply.row_key.get(prefix..).and_then(|id| log.loaded_by_id(id));
    if let Some(target) = target {
        reply.row_key.clone_from(&target.message.row_key);
        reply.excerpt = first_chars(&target.message.text, EXCERPT_CHARS).to_owned();
    }
}
