//! What an operation needs in memory before it can be applied.

use super::super::profile::ServerMessage;
use super::super::store::{OrderKey, fingerprint, index_page_of};
use super::Op;
use super::log::{Log, Want, order_of};
use super::merge::unnamed_print;
use super::read::Back;
use crate::proto::mutant;

impl Log {
    /// The records that the next operation still waits for; empty: it can be applied.
    pub(super) fn missing(&self, op: &Op) -> Vec<Want> {
        let mut wants = Vec::new();
        match op {
            Op::Live(message) => self.for_insert(message, &mut wants),
            Op::Page(page) => {
                if let Some(message) = page.messages.front() {
                    self.for_insert(message, &mut wants);
                }
            }
            Op::CountUnread(count) => {
                if let Some(number) = count.wants() {
                    self.want_segment(number, &mut wants);
                }
            }
            Op::ReadBefore(Back { at: Some(number), .. }) => self.want_segment(*number, &mut wants),
            Op::ReadBefore(Back { id, at: None, .. }) => self.for_name(id, &mut wants),
            Op::TellRead { .. } => {
                let at = self.read().and_then(|read| self.place_for(&read));
                if let Some(info) = at.and_then(|at| self.head.segments.get(at)) {
                    self.want_segment(info.number, &mut wants);
                }
            }
            Op::TellMore => {
                if let Some(info) = self.next_untold() {
                    self.want_segment(info.number, &mut wants);
                }
            }
            Op::Answer { copy: Some(copy), message, .. } => {
                self.for_insert(copy, &mut wants);
                self.for_excerpt(message, &mut wants);
                if copy.key.is_none() {
                    // Where no keys are kept, an earlier copy may have its key.
                    self.for_name(&message.row_key, &mut wants);
                }
            }
            Op::Answer { copy: None, message, .. } => {
                self.for_place(&order_of(message), &mut wants);
                self.for_excerpt(message, &mut wants);
                self.for_name(&message.row_key, &mut wants);
                for stray in &self.strays {
                    self.for_print(*stray, &mut wants);
                }
            }
            Op::Target { segments: Some(segments), .. } | Op::FindIn { segments, .. } => {
                for number in segments {
                    self.want_segment(*number, &mut wants);
                }
            }
            Op::Target { id, segments: None, .. } | Op::Own { id, .. } => self.for_name(id, &mut wants),
            Op::HideExcerpts { names } => self.for_replies(names, &mut wants),
            Op::Find { name, .. } => self.for_name(name, &mut wants),
        }
        wants
    }

    fn for_insert(&self, message: &ServerMessage, wants: &mut Vec<Want>) {
        let seq = message.seq.unwrap_or(u64::MAX);
        self.for_place(&OrderKey { seq, at_ms: message.created_at_ms, arrival: 0 }, wants);
        // Without a sequence number only the id tells whether it is here already, or, where no answer named one, the key: so
        // it is with own rows that the server has not numbered yet, too, of which the tail has the newest.
        if message.seq.is_none() || self.has_unnumbered() {
            self.for_name(&message.id, wants);
            match &message.key {
                Some(key) => self.for_name(key, wants),
                None => self.for_all(unnamed_print(&message.text), wants),
            }
        }
        if let Some(id) = &message.reply_to_id {
            // Its excerpt.
            self.for_name(id, wants);
        }
    }

    /// Whether own rows without a number stand before the tail.
    fn has_unnumbered(&self) -> bool {
        self.sealed().last().is_some_and(|info| info.last.seq == u64::MAX)
    }

    /// A new row of that order. An own one, too, need not be the newest: its clock may have been set back.
    fn for_place(&self, order: &OrderKey, wants: &mut Vec<Want>) {
        let Some(tail) = self.tail_number() else { return };
        self.want_segment(tail, wants);
        let place = self.place_for(order).and_then(|at| self.head.segments.get(at)).map(|info| info.number);
        match place {
            Some(number) if number != tail => {
                self.want_segment(number, wants);
                self.want_index(index_page_of(number), wants);
                // It may have to be split, and the new one has its place in a page too.
                self.want_index(index_page_of(self.head.next_segment), wants);
            }
            _ => self.for_full_tail(tail, wants),
        }
    }

    /// A full tail is sealed by the next row, and its fingerprints go into its index page.
    fn for_full_tail(&self, tail: u32, wants: &mut Vec<Want>) {
        if self.info(tail).is_some_and(|info| info.count as usize >= self.segment_rows) {
            self.want_index(index_page_of(tail), wants);
        }
    }

    /// Everything in which a key or id may stand.
    pub(super) fn for_name(&self, name: &str, wants: &mut Vec<Want>) {
        self.for_print(fingerprint(name), wants);
    }

    fn for_print(&self, print: u32, wants: &mut Vec<Want>) {
        if self.for_tail(print, wants) {
            self.for_indexed(print, wants);
        }
    }

    /// Everything in which a fingerprint may stand, where more than one row may have it.
    pub(super) fn for_all(&self, print: u32, wants: &mut Vec<Want>) {
        self.for_indexed(print, wants);
        self.for_tail(print, wants);
    }

    /// `true`: it may stand elsewhere. Of a tail that has become one since the one behind it was lost nothing is known.
    fn for_tail(&self, print: u32, wants: &mut Vec<Want>) -> bool {
        let listed = self.head.tail_ids.contains(&print);
        if let Some(tail) = self.tail_number().filter(|_| listed || self.head.tail_ids.is_empty()) {
            self.want_segment(tail, wants);
        }
        !listed
    }

    /// Every sealed segment in which a fingerprint may stand: also those of which a page that had to be begun anew does not
    /// know.
    pub(super) fn for_indexed(&self, print: u32, wants: &mut Vec<Want>) {
        if mutant::is(50) {
            return;
        }
        let mut asked = None;
        for info in self.sealed() {
            let page = index_page_of(info.number);
            match self.index.get(&page) {
                None if asked == Some(page) => {}
                None => {
                    asked = Some(page);
                    self.want_index(page, wants);
                }
                Some(loaded) if loaded.page.may_hold(info.number, &[print]) => {
                    self.want_segment(info.number, wants);
                }
                Some(_) => {}
            }
        }
    }

    /// The segments of a page that it does not list.
    pub(super) fn for_unlisted(&self, page: u32, wants: &mut Vec<Want>) {
        for info in self.sealed() {
            let loaded = self.index.get(&page).filter(|_| index_page_of(info.number) == page);
            if loaded.is_some_and(|loaded| !loaded.page.lists(info.number)) {
                self.want_segment(info.number, wants);
            }
        }
    }

    pub(super) fn want_segment(&self, number: u32, wants: &mut Vec<Want>) {
        let want = Want::Segment(number);
        if self.info(number).is_some() && !self.segments.contains_key(&number) && !wants.contains(&want) {
            wants.push(want);
        }
    }

    /// All segments whose ids and keys an index page has.
    pub(super) fn segments_of_page(&self, page: u32) -> Vec<u32> {
        let mut numbers = Vec::new();
        for info in &self.head.segments {
            if index_page_of(info.number) == page {
                numbers.push(info.number);
            }
        }
        numbers
    }

    fn want_index(&self, page: u32, wants: &mut Vec<Want>) {
        let want = Want::Index(page);
        if !self.index.contains_key(&page) && !wants.contains(&want) && self.index_exists(page) {
            wants.push(want);
        }
    }
}
