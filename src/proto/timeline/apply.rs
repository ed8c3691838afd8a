//! The apply queue of a conversation: one operation after the other, each when what it needs is there.

use super::super::model::{Message, Sender};
use super::super::profile::ServerMessage;
use super::super::store::IndexPage;
use super::change::raise;
use super::find::Found;
use super::log::{Row, Want};
use super::merge;
use super::orphans::Telling;
use super::{Action, Applied, Op, PageOp, Search, Timelines};
use crate::proto::mutant;

impl Timelines {
    /// Applies what can be applied, and asks for what the next operation needs.
    pub(super) fn drive(&mut self, conversation_id: &str) {
        loop {
            let Some(log) = self.logs.get_mut(conversation_id) else { return };
            let Some(op) = log.ops.front() else { return };
            let missing = log.missing(op);
            if !missing.is_empty() {
                return self.load(conversation_id, missing);
            }
            let Some(op) = log.ops.pop_front() else { return };
            self.apply(conversation_id, op);
        }
    }

    /// Asks for records of the store, each once.
    pub(super) fn load(&mut self, conversation_id: &str, wants: Vec<Want>) {
        let Some(log) = self.logs.get_mut(conversation_id) else { return };
        for want in wants {
            if log.asked.insert(want.code()) {
                let conversation_id = conversation_id.to_owned();
                self.actions.push_back(Action::Load { conversation_id, want });
            }
        }
    }

    fn apply(&mut self, conversation_id: &str, op: Op) {
        match op {
            Op::Live(message) => {
                self.apply_message(conversation_id, &message, Telling::Live, None);
            }
            Op::Page(page) => self.apply_page(conversation_id, page),
            Op::CountUnread(count) => self.apply_count(conversation_id, count),
            Op::ReadBefore(back) => self.apply_read_before(conversation_id, back),
            Op::TellRead { above } => self.apply_tell_read(conversation_id, above),
            Op::TellMore => self.apply_tell_more(conversation_id),
            Op::Answer { row, message, copy } => self.apply_answer(conversation_id, row, *message, copy),
            Op::Target { id, change, heard, .. } => self.apply_target(conversation_id, &id, change, heard),
            Op::HideExcerpts { names } => self.hide_excerpts(conversation_id, &names),
            Op::Own { row, id, change, undated } => {
                let change = if undated { self.dated(conversation_id, &id, change) } else { change };
                self.apply_own(conversation_id, row, &id, change);
            }
            Op::Find { name, ticket } | Op::FindIn { name, ticket, .. } => {
                let row = self.logs.get(conversation_id).and_then(|log| log.loaded_by_name(&name));
                let message = row.map(|row| Box::new(row.message.clone()));
                self.actions.push_back(Action::Found { ticket, message });
            }
        }
    }

    fn apply_page(&mut self, conversation_id: &str, mut page: PageOp) {
        if page.oldest_known.is_none() && !page.earlier {
            let log = self.log_mut(conversation_id);
            page.first = log.is_untouched();
            page.joins = log.joins(&page.messages);
        }
        if let Some(message) = page.messages.pop_front() {
            let telling = Telling::Page { asked: page.asked, tells: page.tells };
            // Asked of what comes before alone, where what is newer than all that is known is left out.
            let log = self.log_mut(conversation_id);
            let known = page.earlier && !matches!(log.find_copy(&message), Found::Nowhere);
            page.meets |=
                page.messages.len() < page.below_taken || known && message.created_at_ms <= page.newest_ms;
            if page.meets || !page.earlier {
                let behind = log.next_of_its_time(&page, &message);
                page.above = Some(message.id.clone());
                let was = self.apply_message(conversation_id, &message, telling, behind);
                page.fresh += u32::from(was == Was::New || page.earlier && !known);
                page.oldest_known.get_or_insert(was == Was::Here);
            } else {
                page.cut = true;
            }
            // The rest goes to the front of the queue: each row may need other segments.
            self.log_mut(conversation_id).ops.push_front(Op::Page(page));
            return;
        }
        if let Some((after, through)) = page.range {
            self.know(conversation_id, after, through);
        }
        if page.mark.is_some() {
            let log = self.log_mut(conversation_id);
            log.head_dirty |= log.head.mark != page.mark;
            log.head.mark = page.mark.take();
        }
        self.bound_below(conversation_id, &page);
        let PageOp { ticket, fresh, tells, .. } = page;
        // Where all that is here is known without a gap, any of it will do; and nothing is missed of what was never there.
        let known = page.joins.unwrap_or(page.oldest_known == Some(true));
        let reached = if page.earlier { page.begins_known() } else { page.first || known };
        let applied = Applied { ticket, fresh, tells, reached };
        self.actions.push_back(Action::PageApplied { conversation_id: conversation_id.to_owned(), applied });
    }

    /// Puts a server's message where it belongs, or merges it with the row that it is.
    fn apply_message(
        &mut self,
        conversation_id: &str,
        copy: &ServerMessage,
        telling: Telling,
        behind: Option<(u32, usize)>,
    ) -> Was {
        let (seq, live) = (copy.seq, telling == Telling::Live);
        let revision = self.next_revision();
        let me = self.me.clone();
        let log = self.log_mut(conversation_id);
        let mut unsure = false;
        let mut found = log.find_copy(copy);
        if mutant::is(41) && matches!(telling, Telling::Page { .. }) {
            found = Found::Nowhere;
        }
        if matches!(found, Found::Nowhere) && copy.key.is_none() && copy.sender_id == me {
            found = log.find_unnamed(copy);
            // A page that was asked for before the answer may have the first copy of what was resent, and not yet this one's.
            unsure = !live && log.catches_up && matches!(found, Found::At { .. });
        }
        let was = match found {
            Found::At { number, row } => {
                self.merge(conversation_id, (number, row), copy, telling, revision);
                Was::Here
            }
            Found::Nowhere => {
                log.exhausted &= !core::mem::take(&mut log.moved);
                let mut message = merge::to_message(copy, &me, None);
                merge::resolve_reply(log, &mut message);
                if copy.key.is_none() && message.sender == Sender::Me {
                    log.note_stray(&copy.id);
                }
                let was = if log.was_lost(&message) { Was::Lost } else { Was::New };
                if was == Was::Lost {
                    // An own message is called by its key again.
                    message.row_key = message.key.clone().unwrap_or(message.row_key);
                }
                if let Some((status, user_id)) = self.shown.remove(&copy.id) {
                    raise(&mut message, status, user_id.as_deref());
                }
                self.complete(copy, None, &mut message, telling);
                let tell = telling.tells();
                if tell.is_none() && was == Was::New {
                    self.log_mut(conversation_id).count_earlier(&message);
                }
                let tell = tell.filter(|_| was == Was::New);
                self.insert(conversation_id, Row { message, revision }, tell, behind);
                was
            }
        };
        self.follow(conversation_id, seq, live);
        if unsure {
            self.pull(conversation_id);
        }
        was
    }

    /// A further telling of a known message.
    fn merge(
        &mut self,
        conversation_id: &str,
        (number, row): (u32, usize),
        copy: &ServerMessage,
        telling: Telling,
        revision: u64,
    ) {
        let Some(old) = self.log_mut(conversation_id).message_at(number, row).cloned() else { return };
        let mut told = merge::to_message(copy, &self.me, Some(&old));
        self.complete(copy, Some(&old), &mut told, telling);
        let new = self.log_mut(conversation_id).replace_at(number, row, told, revision);
        if let Some(new) = new.filter(|new| *new != old) {
            self.dirty_views(conversation_id);
            self.tell_changes(&old, &new);
        }
    }

    /// A message may be missing, whatever the cursor says.
    pub(super) fn pull(&mut self, conversation_id: &str) {
        self.actions.push_back(Action::Unsure(conversation_id.to_owned()));
    }

    fn apply_answer(
        &mut self,
        conversation_id: &str,
        row: u64,
        echo: Message,
        copy: Option<Box<ServerMessage>>,
    ) {
        let revision = self.next_revision();
        let me = self.me.clone();
        let known = copy.as_ref().and_then(|copy| self.shown.remove(&copy.id));
        let log = self.log_mut(conversation_id);
        if let Some(copy) = &copy {
            log.free_key(&echo.row_key, &copy.id, revision);
        }
        let found = match &copy {
            _ if mutant::is(28) => Found::Nowhere,
            Some(copy) => log.find_copy(copy),
            None => log.find_uncopied(&echo),
        };
        let mut message = match &copy {
            Some(copy) => merge::to_message(copy, &me, Some(&echo)),
            None => merge::without_copy(echo),
        };
        let mut strayed = false;
        if let (Found::At { number, row }, None) = (&found, &copy) {
            strayed = log.name_after(*number, *row, &mut message);
        }
        log.hide_excerpt(&mut message);
        let old = match found {
            Found::At { number, row } => log.message_at(number, row).cloned(),
            Found::Nowhere => None,
        };
        if let Some((status, user_id)) = known {
            raise(&mut message, status, user_id.as_deref());
        }
        let told = old.clone().unwrap_or_else(|| message.clone());
        if let Some(copy) = &copy {
            self.complete(copy, old.as_ref(), &mut message, Telling::Answer);
        }
        let seq = message.seq;
        match found {
            Found::At { number, row } => {
                // The copy came first: its row takes the key, so that echo and copy are one row.
                let log = self.log_mut(conversation_id);
                if let Some(merged) = log.replace_at(number, row, message.clone(), revision) {
                    message = merged;
                }
                self.dirty_views(conversation_id);
            }
            Found::Nowhere => {
                let row = Row { message: message.clone(), revision };
                self.insert(conversation_id, row, Some(true), None);
            }
        }
        self.tell_changes_of_own(told, &message);
        self.actions.push_back(Action::Applied { row, message: Box::new(message) });
        if strayed {
            // That may be the first copy of what was resent, and the one that was answered for is missing.
            self.pull(conversation_id);
        }
        self.follow(conversation_id, seq, true);
    }

    /// `tell`: it is new, and came live or by catching up.
    fn insert(&mut self, conversation_id: &str, row: Row, tell: Option<bool>, behind: Option<(u32, usize)>) {
        let message = row.message.clone();
        let tell = tell.filter(|_| message.sender != Sender::Me);
        let log = self.log_mut(conversation_id);
        log.insert(row, behind);
        if tell.is_some() && log.is_unread(&message) {
            log.head.unread = log.head.unread.saturating_add(1);
        }
        self.dirty_views(conversation_id);
        if let Some(live) = tell {
            self.actions.push_back(Action::New { message: Box::new(message), live });
        }
    }

    /// The cursor moves over what is contiguous; a jump asks for a pull (rule 8).
    fn follow(&mut self, conversation_id: &str, seq: Option<u64>, live: bool) {
        let Some(seq) = seq else { return };
        let log = self.log_mut(conversation_id);
        if log.head.cursor.is_some_and(|cursor| seq <= cursor) {
            return;
        }
        log.advance_cursor();
        if live && mutant::is(37) {
            log.head.cursor = log.head.cursor.map(|_| seq);
        }
        if live && log.head.cursor.is_none_or(|cursor| cursor < seq) && !mutant::is(40) {
            let conversation_id = conversation_id.to_owned();
            self.actions.push_back(Action::Behind { conversation_id, dropped: false });
        }
    }

    /// The store's answer to a `Load`; `None`: there is no such record.
    pub fn on_loaded(&mut self, conversation_id: &str, want: Want, bytes: Option<&[u8]>) {
        let revision = self.next_revision();
        let Some(log) = self.logs.get_mut(conversation_id) else { return };
        log.asked.remove(&want.code());
        // From a store that is gone, say: what is here, or belongs to it no more, is not missed.
        let missed = match want {
            Want::Segment(number) => log.lists(number) && !log.segments.contains_key(&number),
            Want::Index(page) => !log.index.contains_key(&page),
        };
        if let Err(error) = log.take_record(conversation_id, want, bytes, revision, &self.shown) {
            if !missed {
                return self.drive(conversation_id);
            }
            log.give_up(want);
            let again = !log.damaged.insert(want.code());
            let conversation_id = conversation_id.to_owned();
            self.actions.push_back(Action::Damaged { conversation_id, want, error, again });
        } else if let Want::Segment(number) = want {
            self.tell_ahead(conversation_id, number);
        }
        if let (Want::Index(page), Some(log)) = (want, self.logs.get(conversation_id)) {
            // Whoever looks through all conversations has the pages alone.
            let mut unlisted = Vec::new();
            log.for_unlisted(page, &mut unlisted);
            self.load(conversation_id, unlisted);
        }
        self.dirty_views(conversation_id);
        self.awaited |= self.views.any(&|_, view| view.dirty && view.waits());
        self.drive(conversation_id);
    }

    /// The answer to `ScanIndex`: every index page of the store, with its conversation. `Err`: the number of one that cannot be
    /// read, in whose segments anything may stand.
    pub fn on_index_scan(&mut self, pages: &[(String, Result<IndexPage, u32>)]) {
        for (name, search) in core::mem::take(&mut self.searching) {
            let print = super::fingerprint(&name);
            let mut hits: Vec<(String, Vec<u32>)> = Vec::new();
            for (conversation_id, page) in pages {
                let Some(log) = self.logs.get(conversation_id) else { continue };
                let segments = match page {
                    Ok(page) => page.candidates(print),
                    Err(number) => log.segments_of_page(*number),
                };
                if !segments.is_empty() {
                    hits.push((conversation_id.clone(), segments));
                }
            }
            match search {
                Search::Change(change, heard) => self.on_change_searched(&name, &change, heard, hits),
                Search::Find { ticket } => match hits.into_iter().next() {
                    Some((conversation_id, segments)) => {
                        self.push(&conversation_id, Op::FindIn { name, ticket, segments });
                    }
                    None => self.actions.push_back(Action::Found { ticket, message: None }),
                },
            }
        }
    }

    pub(super) fn dirty_views(&mut self, conversation_id: &str) {
        for (_, view) in self.views.iter_mut() {
            view.dirty |= view.conversation_id == conversation_id;
        }
    }
}

/// What a message was before it came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Was {
    Here,
    /// In a segment that could not be read.
    Lost,
    New,
}
