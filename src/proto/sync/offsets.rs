//! Pages by offset: it is counted from the newest row, so what is deleted or added while one reads shifts them.
//!
//! Law (T10): a page holds the oldest row of the one before it. Where it does not, rows have been passed over, and one reads
//! anew from the newest row on; not for ever, since a busy conversation may never hold still.
//!
//! What comes before all that is here begins where as many rows as are here have been passed over, less one. That is near
//! the oldest of them and not exact: the server may count rows that are not here, and not count some that are. So one goes
//! towards the newest until a page begins among what is known, and then on until something new has come. Where the server's
//! first row is reached and it has more rows than are here, or a catch-up was given up, some are missing in between: they are
//! looked for backwards. The next wish goes on where this one ends ([`Place`]).
//!
//! More may come while one looks. On what is newer than all that was here nothing joins: rows below it may be on their way
//! over the socket, and are told when they come. Where such hid what was looked for, that is no beginning.

use super::{Action, Job, MAX_OFFSET_PAGES, Pulled, Sync};
use crate::proto::place::{Aim, Here, Place};

/// How often one reads anew before what there is counts.
const MAX_RESTARTS: u32 = 3;
/// As many messages may have come as an offset has gone on by; not again and again.
const MAX_SAME_PAGES: u32 = 3;

/// Where a pull by offset stands.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    /// The server's id of the oldest row of the last page.
    oldest: Option<String>,
    restarts: u32,
    /// The last page did not meet the one before it; or such a hole is not looked for any more.
    pub(super) anew: bool,
    pub(super) hole: bool,
    /// Rows of the last page of what comes before, and whether there are more before it.
    pub(super) rows: u32,
    pub(super) has_more: bool,
    /// What has come, and how many rows were here before.
    fresh: u32,
    known: u32,
    /// When the newest of them was created.
    newest_ms: i64,
    /// A catch-up was given up: also where the server has no more rows than are here, some may be missing among them.
    holes: bool,
    aim: Aim,
    /// Rows of the largest page that has more before it: a server may give less than was asked for.
    largest: u32,
    /// Other offsets have brought the same page: the server does not look at them.
    same_pages: u32,
    /// Empty pages in a row: the server has far fewer rows than are here.
    empty_pages: u32,
}

impl Sync {
    /// Conversations are listed, and have a history. Plain JSON alone is the assistant's, who has none: what asks for it is left
    /// out of that build.
    pub(super) fn has_lists(&self) -> bool {
        let json = cfg!(feature = "json") && !cfg!(feature = "several");
        self.lists && !json
    }

    /// Whether what comes before a row can be asked for.
    pub fn pages_backwards(&self) -> bool {
        self.has_lists() && !self.by_marks()
    }

    /// A page has come: its rows, the id of its oldest, and whether it holds a row. Before `on_page`.
    pub fn meet_pages(&mut self, job: &Job, rows: u32, oldest: Option<&str>, holds: &dyn Fn(&str) -> bool) {
        let (Job::Offset { conversation_id, offset } | Job::Earlier { conversation_id, offset }) = job else {
            return;
        };
        let paged = self.pages_backwards();
        let Some(pull) = self.active.get_mut(conversation_id).filter(|_| paged) else { return };
        let offsets = &mut pull.offsets;
        if matches!(job, Job::Earlier { .. }) {
            // Those that reach the server's first row have the same oldest one, and are not the same.
            let same = oldest.is_some() && offsets.oldest.as_deref() == oldest && offsets.rows == rows;
            offsets.same_pages = if same { offsets.same_pages + 1 } else { 0 };
            offsets.empty_pages = if oldest.is_none() { offsets.empty_pages + 1 } else { 0 };
            offsets.oldest = oldest.map(str::to_owned);
            return;
        }
        let meets = *offset == 0 || offsets.oldest.as_deref().is_none_or(holds);
        offsets.anew = !meets && offsets.restarts < MAX_RESTARTS;
        offsets.hole |= !meets && !offsets.anew;
        if offsets.anew {
            pull.pages = 0;
        }
        offsets.restarts += u32::from(offsets.anew);
        offsets.oldest = oldest.map(str::to_owned);
    }

    /// Asks for what comes before the rows that are here, or for what is missing in between, where one has come to.
    pub fn begin_earlier(&mut self, conversation_id: String, here: Here) {
        let Place { beyond, aim } = here.place.unwrap_or(Place { beyond: -1, aim: Aim::Past });
        let offset = u32::try_from(i64::from(here.rows) + beyond).unwrap_or(0);
        self.begin(Job::Earlier { conversation_id: conversation_id.clone(), offset });
        if let Some(pull) = self.active.get_mut(&conversation_id) {
            let offsets = &mut pull.offsets;
            (offsets.known, offsets.holes, offsets.newest_ms) = (here.rows, here.holes, here.newest_ms);
            offsets.aim = aim;
        }
    }

    /// Of a page of what comes before: what was created after this has come since.
    pub fn newest_ms(&self, conversation_id: &str) -> i64 {
        self.active.get(conversation_id).map_or(i64::MAX, |pull| pull.offsets.newest_ms)
    }

    /// A page of what comes before stands in the history: so many rows of it were new, and its newest was known. `None`: it
    /// is no such page.
    pub fn on_earlier(
        &mut self,
        conversation_id: &str,
        ticket: u32,
        fresh: u32,
        joins: bool,
    ) -> Option<Pulled> {
        if !self.pages_backwards() {
            return None;
        }
        let page = self.page;
        let pull = self.active.get_mut(conversation_id).filter(|pull| pull.ticket == ticket)?;
        let Some(Job::Earlier { offset, .. }) = pull.job else { return None };
        let offsets = &mut pull.offsets;
        offsets.fresh = offsets.fresh.saturating_add(fresh);
        if offsets.has_more {
            offsets.largest = offsets.largest.max(offsets.rows);
        }
        let step = if offsets.largest > 0 { offsets.largest } else { page }.saturating_sub(1).max(1);
        let came = offsets.fresh > 0;
        let total = offset.saturating_add(offsets.rows);
        let here = offsets.known.saturating_add(offsets.fresh);
        if joins && !offsets.has_more && (total > here || offsets.holes) {
            offsets.aim = Aim::Seek;
        }
        let leap = step.saturating_mul(1 << offsets.empty_pages.saturating_sub(1).min(16));
        let back = offset.saturating_sub(leap);
        // As much may come meanwhile as one goes on by.
        let ahead = if offsets.same_pages > 0 { step << offsets.same_pages.min(MAX_SAME_PAGES) } else { 0 };
        let on = total.saturating_sub(1).max(offset.saturating_add(1)).saturating_add(ahead);
        let seeks = offsets.aim == Aim::Seek;
        let stuck = offsets.same_pages >= MAX_SAME_PAGES;
        let next = match offset {
            _ if stuck => None,
            1.. if !joins || (seeks && !came) => Some((back, offsets.aim)),
            _ if offsets.has_more && joins && !came && !seeks => Some((on, offsets.aim)),
            _ => None,
        };
        if let Some((offset, _)) = next.filter(|_| pull.pages < MAX_OFFSET_PAGES) {
            let job = Job::Earlier { conversation_id: conversation_id.to_owned(), offset };
            pull.job = Some(job.clone());
            self.actions.push_back(Action::Request(job));
            return Some(Pulled::GoesOn);
        }
        // Where the newer end of what is missing is found, it goes on from there. Looked through up to the newest: what the
        // server has more than are here cannot be read.
        let missing = offsets.aim != Aim::Past;
        let later = if !came || stuck {
            None
        } else if offsets.has_more {
            Some((on, if missing { Aim::Fill } else { Aim::Past }))
        } else {
            missing.then_some((back, Aim::Seek))
        };
        let place =
            next.or(later).map(|(offset, aim)| Place { beyond: i64::from(offset) - i64::from(here), aim });
        // As much has come meanwhile as had been passed over: what is here is further back by now, and what is before it, too.
        let sure = came || joins || offset > 0 || offsets.rows == 0;
        let unsure = (!sure).then_some(offsets.newest_ms);
        let again = pull.again;
        self.active.remove(conversation_id);
        if again {
            self.waiting.push_back(conversation_id.to_owned());
        }
        self.settle();
        Some(Pulled::Earlier { came, place, unsure })
    }
}
