//! Requests that fail: for now, or for good.

use super::{Action, Job, Pull, Sync};
use crate::proto::api::Now;
use crate::proto::rng::Rng;
use crate::proto::timer::{Timer, Timers};

/// After so many of one conversation an answer that cannot be read is taken for the backend's own.
const MAX_UNREADABLE: u32 = 5;
/// So many pages in a row without a row, and the server says that there is more: there is nothing more to be had.
const MAX_EMPTY: u32 = 20;
/// What has failed again so often, some seconds long, is told.
const TOLD_AFTER: u32 = 3;
const RETRY_BASE_MS: u64 = 1000;
const RETRY_MAX_MS: u64 = 30_000;

impl Pull {
    /// A page has come that can be read.
    pub(super) fn on_page(&mut self, rows: u32, has_more: bool) {
        self.unreadable = 0;
        self.pages += 1;
        (self.offsets.rows, self.offsets.has_more) = (rows, has_more && rows > 0);
        self.empty = if rows == 0 && has_more { self.empty + 1 } else { 0 };
        if self.is_vain() {
            self.next = None;
        }
    }

    /// A server that gives ever new marks and nothing with them would be asked without end.
    pub(super) fn is_vain(&self) -> bool {
        self.empty >= MAX_EMPTY
    }
}

impl Sync {
    /// The answer cannot be read. Whether it may be asked for once more.
    pub fn on_unreadable(&mut self, job: &Job) -> bool {
        let count = match job {
            Job::List { .. } => &mut self.unreadable_lists,
            // No pull goes with it, and what has become of messages nobody tells again in this connection.
            Job::Newest { .. } => &mut self.newest.unreadable,
            job => match job.conversation_id().and_then(|id| self.active.get_mut(id)) {
                Some(pull) => &mut pull.unreadable,
                None => return false,
            },
        };
        *count += 1;
        *count < MAX_UNREADABLE
    }

    /// A request failed for now: it is made again later. `true`: it goes on failing, which is told once.
    pub fn on_failed(
        &mut self,
        now: Now,
        rng: &mut Rng,
        timers: &mut Timers,
        job: Job,
        wait_ms: Option<u64>,
    ) -> bool {
        if !self.online {
            return false;
        }
        let doubled = RETRY_BASE_MS.saturating_mul(1 << self.failures.min(10)).min(RETRY_MAX_MS);
        self.failures = self.failures.saturating_add(1);
        let delay =
            wait_ms.map_or_else(|| rng.between(doubled / 2, doubled), |ms| ms.clamp(10, RETRY_MAX_MS));
        self.retry.push_back(job);
        let at = now.mono_ms + delay;
        timers.set(Timer::Sync, timers.get(Timer::Sync).map_or(at, |old| old.max(at)));
        self.rounds >= TOLD_AFTER && !core::mem::replace(&mut self.told, true)
    }

    /// The list of conversations is under way, nothing has failed on the way, and it is not slow.
    pub fn awaits_list(&self) -> bool {
        self.listing && self.failures == 0 && self.rounds == 0
    }

    /// A request can never succeed (unknown there, forbidden, no REST at all): the rest goes on without it.
    pub fn on_hopeless(&mut self, job: &Job) {
        match job {
            Job::List { .. } => self.listing = false,
            Job::Newest { conversation_id } => self.on_newest(conversation_id, false),
            job => {
                if let Some(id) = job.conversation_id() {
                    // What was refused to a window says nothing of what is new.
                    let again = self.active.remove(id).is_some_and(|pull| pull.again);
                    if again && matches!(job, Job::Earlier { .. }) {
                        self.waiting.push_back(id.to_owned());
                    }
                    self.refresh_postponed(id, 0);
                    self.on_looked(id);
                }
            }
        }
        self.settle();
    }

    /// The delay is over, or a new token is there, or the list is slow: what failed is asked for again.
    pub fn retry_now(&mut self) {
        self.rounds = self.rounds.saturating_add(1);
        while let Some(job) = self.retry.pop_front() {
            self.actions.push_back(Action::Request(job));
        }
    }
}

#[cfg(all(test, feature = "several"))]
mod tests {
    use super::super::{Action, Job, PullFrom, Pulled, Sync};
    use super::MAX_EMPTY;
    use crate::proto::timer::Timers;

    fn next(sync: &mut Sync) -> Option<Job> {
        loop {
            if let Action::Request(job @ Job::Follow { .. }) = sync.poll_action()? {
                return Some(job);
            }
        }
    }

    /// A catch-up by marks of which each page says that there is more; how many pages were asked for, and what it came to.
    fn follow(rows: &dyn Fn(u32) -> u32) -> (u32, Pulled) {
        let mut sync = Sync::new(true, true, 50);
        sync.start(true, &mut Timers::default());
        sync.pull("r");
        sync.advance(&|_| PullFrom::default());
        let (mut asked, mut pulled) = (0, Pulled::GoesOn);
        while let Some(job) = next(&mut sync).filter(|_| asked < 1000) {
            asked += 1;
            let ticket = sync.on_page(&job, rows(asked), None, Some(&format!("m{asked}")), true);
            pulled = sync.on_applied("r", ticket, false, None);
        }
        (asked, pulled)
    }

    #[test]
    fn p9_ever_new_marks_with_nothing_are_not_followed_for_ever_and_leave_a_gap() {
        assert_eq!(follow(&|_| 0), (MAX_EMPTY, Pulled::Joined { given_up: true }));
        assert_eq!(follow(&|page| u32::from(page == 15)).0, 15 + MAX_EMPTY);
        // Where each brings something it goes on.
        assert_eq!(follow(&|page| page % 3).0, 1000);
    }
}
