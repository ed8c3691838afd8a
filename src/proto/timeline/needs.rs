//! What an operation needs in memory before it can be applied.

use super::super::profile::ServerMessage;
use super::super::store::{OrderKey, SEGMENTS_PER_PAGE, fingerprint};
use super::log::{Log, Want, order_of};
use super::{Op, SEGMENT_ROWS};

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
            // What is later than the mark has to be counted.
            Op::ReadTo { seq } => {
                for info in self.head.segments.iter().rev() {
                    if info.last.seq <= *seq {
                        break;
                    }
                    self.want_segment(info.number, &mut wants);
                }
            }
            Op::TellRead { .. } => {
                let at = self.head.read_up_to.and_then(|read| self.place_for(&read));
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
                if copy.key.is_none() {
                    // Where no keys are kept, an earlier copy may have its key.
                    self.for_name(&message.row_key, &mut wants);
                }
            }
            Op::Answer { copy: None, message, .. } => {
                self.for_place(&order_of(message), &mut wants);
                self.for_name(&message.row_key, &mut wants);
            }
            Op::Target { segments: Some(segments), .. } | Op::FindIn { segments, .. } => {
                for number in segments {
                    self.want_segment(*number, &mut wants);
                }
            }
            Op::Target { id, segments: None, .. } | Op::Own { id, .. } => self.for_name(id, &mut wants),
            Op::Find { name, .. } => self.for_name(name, &mut wants),
        }
        wants
    }

    fn for_insert(&self, message: &ServerMessage, wants: &mut Vec<Want>) {
        let seq = message.seq.unwrap_or(u64::MAX);
        self.for_place(&OrderKey { seq, at_ms: message.created_at_ms, arrival: 0 }, wants);
        if message.seq.is_none() {
            // Without a sequence number only the id tells whether it is here already, or, where no answer named one, the key.
            self.for_name(&message.id, wants);
            if let Some(key) = &message.key {
                self.for_name(key, wants);
            }
        }
    }

    /// A new row of that order. An own one, too, need not be the newest: its clock may have been set back.
    fn for_place(&self, order: &OrderKey, wants: &mut Vec<Want>) {
        let Some(tail) = self.tail_number() else { return };
        self.want_segment(tail, wants);
        let place = self.place_for(order).and_then(|at| self.head.segments.get(at)).map(|info| info.number);
        match place {
            Some(number) if number != tail => {
                self.want_segment(number, wants);
                self.want_index(number / SEGMENTS_PER_PAGE, wants);
                // It may have to be split, and the new one has its place in a page too.
                self.want_index(self.head.next_segment / SEGMENTS_PER_PAGE, wants);
            }
            _ => self.for_full_tail(tail, wants),
        }
    }

    /// A full tail is sealed by the next row, and its fingerprints go into its index page.
    fn for_full_tail(&self, tail: u32, wants: &mut Vec<Want>) {
        if self.info(tail).is_some_and(|info| info.count as usize >= SEGMENT_ROWS) {
            self.want_index(tail / SEGMENTS_PER_PAGE, wants);
        }
    }

    /// Everything in which a key or id may stand.
    fn for_name(&self, name: &str, wants: &mut Vec<Want>) {
        let print = fingerprint(name);
        if self.head.tail_ids.contains(&print)
            && let Some(tail) = self.tail_number()
        {
            self.want_segment(tail, wants);
            return;
        }
        for (page, _) in self.index_pages() {
            match self.index.get(&page) {
                None => self.want_index(page, wants),
                Some(loaded) => {
                    for number in loaded.page.candidates(print) {
                        self.want_segment(number, wants);
                    }
                }
            }
        }
    }

    pub(super) fn want_segment(&self, number: u32, wants: &mut Vec<Want>) {
        let want = Want::Segment(number);
        if self.info(number).is_some() && !self.segments.contains_key(&number) && !wants.contains(&want) {
            wants.push(want);
        }
    }

    fn want_index(&self, page: u32, wants: &mut Vec<Want>) {
        let want = Want::Index(page);
        if self.index_exists(page) && !self.index.contains_key(&page) && !wants.contains(&want) {
            wants.push(want);
        }
    }
}
