//! Pages of the history, as they come.

use super::super::api::{Event, Now};
use super::super::profile::{Page, ServerMessage};
use super::super::queue::Queue;
use super::super::sync::Job;
use super::super::timeline::{Op, PageOp};
use super::Client;

impl Client {
    /// Something of it may be missing; `dropped`: something is.
    pub(super) fn on_behind(&mut self, conversation_id: String, dropped: bool) {
        if dropped && !self.sync.can_ask() {
            // There is nobody to ask for it.
            self.emit(Event::Gap { conversation_id });
        } else if self.capabilities.cursor || dropped {
            self.sync.pull(&conversation_id);
        }
    }

    pub(super) fn take_page(&mut self, now: Now, job: &Job, asked: u64, body: &str) -> Result<(), String> {
        let Some(conversation_id) = job.conversation_id() else { return Ok(()) };
        let mut page = self.profile.parse_page(body)?;
        for what in &page.malformed {
            self.emit(Event::ProtocolError { message: what.clone(), excerpt: String::new() });
        }
        let rows = u32::try_from(page.messages.len() + page.malformed.len()).unwrap_or(u32::MAX);
        let (mut first_seq, mut last_seq) = (None, None);
        for message in page.messages.iter().filter(|message| message.conversation_id == conversation_id) {
            first_seq = first_seq.or(message.seq);
            last_seq = message.seq.max(last_seq);
        }
        // A list alone that is as long as was asked for may have more before it; a longer one asks nobody.
        let has_more = page.has_more.unwrap_or(rows == self.rows_of(job));
        let range = self.range_of(job, first_seq, last_seq, has_more);
        let mark = page.mark.as_deref();
        let oldest = page.messages.first().filter(|_| page.malformed.is_empty());
        let holds =
            |id: &str| !page.malformed.is_empty() || page.messages.iter().any(|message| message.id == id);
        self.sync.meet_pages(job, rows, oldest.map(|message| message.id.as_str()), &holds);
        let ticket = self.sync.on_page(job, rows, last_seq, mark, has_more);
        let earlier = matches!(job, Job::Earlier { .. });
        let newest_ms = self.sync.newest_ms(conversation_id);
        let (messages, below_taken) = self.sort_out(job, conversation_id, &mut page, newest_ms);
        // Copies that the outbox has taken go into the history before the page, which says that all of its range is there.
        while let Some(action) = self.outbox.poll_action() {
            self.on_outbox(now, action);
        }
        let (tells, mark) = match job {
            Job::Between { .. } | Job::Earlier { .. } => (false, None),
            // Of a history that is met for the first time the newest page is told, as everywhere.
            Job::Follow { seq, tells, .. } => {
                let through = last_seq.map_or(*seq, |last| last.max(*seq));
                let tells = *tells || !has_more;
                (tells, page.mark.map(|mark| (mark, through, tells)))
            }
            _ => (true, None),
        };
        let by_offset = earlier || matches!(job, Job::Offset { .. });
        let more = Some(has_more).filter(|_| by_offset && !self.capabilities.cursor);
        let page = PageOp {
            messages,
            range,
            mark,
            ticket,
            asked,
            tells,
            more,
            earlier,
            below_taken,
            newest_ms,
            ..PageOp::default()
        };
        self.timelines.push(conversation_id, Op::Page(page));
        Ok(())
    }

    /// The rows of a page that the history is to take, and how many of them are older than an own copy, created until
    /// `newest_ms`, that the outbox has taken. What comes before all that is here comes newest first.
    fn sort_out(
        &mut self,
        job: &Job,
        conversation_id: &str,
        page: &mut Page,
        newest_ms: i64,
    ) -> (Queue<Box<ServerMessage>>, usize) {
        let (mut messages, mut below_taken) = (Queue::new(), 0);
        for message in core::mem::take(&mut page.messages) {
            // What is beyond comes, and is told, by the catch-up.
            let beyond = matches!(job, Job::Between { before, .. } if message.seq > Some(*before));
            if message.conversation_id != conversation_id || beyond {
                continue;
            }
            if self.divert_own_copy(&message) {
                if message.created_at_ms <= newest_ms {
                    below_taken = messages.len();
                }
            } else if matches!(job, Job::Earlier { .. }) {
                messages.push_front(message);
            } else {
                messages.push_back(message);
            }
        }
        (messages, below_taken)
    }

    /// How many rows a page has at the most.
    pub(super) fn rows_of(&self, job: &Job) -> u32 {
        let pages = self.config.pages;
        match job {
            Job::Between { seq, before, .. } => {
                let rows = u32::try_from(before.saturating_sub(*seq)).unwrap_or(u32::MAX);
                rows.clamp(1, pages.after)
            }
            Job::After { .. } | Job::Follow { .. } => pages.after,
            _ => pages.newest,
        }
    }

    /// What is known when the page is in: all after the first sequence number and up to the second.
    fn range_of(
        &self,
        job: &Job,
        first_seq: Option<u64>,
        last_seq: Option<u64>,
        has_more: bool,
    ) -> Option<(u64, u64)> {
        match job {
            Job::After { seq, .. } => Some((*seq, last_seq.unwrap_or(*seq).max(*seq))),
            Job::Follow { seq, .. } if last_seq.is_some() || !has_more => {
                Some((*seq, last_seq.unwrap_or(*seq).max(*seq)))
            }
            // A server that has nothing behind this page has nothing more in between.
            Job::Between { seq, before, .. } if !has_more => Some((*seq, *before)),
            Job::Between { seq, before, .. } => {
                // Rows beyond are not taken in.
                Some((*seq, last_seq.unwrap_or(*seq).max(*seq).min((*before).max(*seq))))
            }
            Job::Offset { offset: 0, .. } if self.capabilities.cursor && first_seq.is_some() => {
                let before = first_seq.map_or(0, |first| first.saturating_sub(1));
                Some((if has_more { before } else { 0 }, last_seq.unwrap_or(before)))
            }
            Job::Offset { offset: 0, .. } if self.capabilities.cursor && !has_more => Some((0, 0)),
            _ => None,
        }
    }
}
