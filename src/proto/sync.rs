//! The catch-up: on every connect the conversations are listed and each is pulled after its cursor.
//!
//! Law: a page is asked for only when the one before it stands in the history. A conversation has one pull at a
//! time; what asks for another meanwhile is remembered. Nothing is given up while the connection lives: a failed
//! request is tried again with a growing delay, one that can never succeed is told and left.

use super::queue::Queue;
use crate::proto::sorted::SortedMap;

use super::api::HttpId;
use super::timer::{Timer, Timers};
use refresh::Newest;

mod failures;
mod job;
mod offsets;
mod refresh;

use job::from_the_first;
pub use job::{Job, PullFrom, Pulled};

/// Conversations pulled at once.
const PARALLEL: usize = 4;
/// How many pages by offset (T10) are looked at for a known row.
const MAX_OFFSET_PAGES: u32 = 20;
/// Conversations whose windows wait for more.
const MAX_WISHES: usize = 64;

/// What the machine wants of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Request(Job),
    /// Begins to catch up.
    Syncing,
    /// Everything that was behind is in.
    Live,
}

/// The catch-up of one instance.
#[derive(Debug, Default)]
pub struct Sync {
    online: bool,
    cursor: bool,
    /// History is asked for by marks that the server gives, and by nothing else.
    marks: bool,
    /// Conversations are listed, and have a history that can be asked for.
    lists: bool,
    /// How many messages a newest page has.
    page: u32,
    listing: bool,
    live: bool,
    waiting: Queue<String>,
    /// Conversations of which a window wants more than is here.
    wishes: Queue<String>,
    active: SortedMap<String, Pull>,
    requests: SortedMap<HttpId, Job>,
    retry: Queue<Job>,
    newest: Newest,
    failures: u32,
    /// How often what failed was asked for again, and whether that was told: since an answer, or the start.
    rounds: u32,
    told: bool,
    /// Of the list of conversations: answers in a row that could not be read.
    unreadable_lists: u32,
    next_ticket: u32,
    actions: Queue<Action>,
}

#[derive(Debug, Default)]
struct Pull {
    /// Somebody has asked again meanwhile.
    again: bool,
    /// The page that is being applied.
    ticket: u32,
    /// The page under way, and where to go on when it is in.
    job: Option<Job>,
    next: Option<Job>,
    pages: u32,
    /// Messages that came after the cursor.
    rows: u32,
    /// The cursor was refused once.
    begun_anew: bool,
    /// Answers in a row that could not be read, and pages in a row that had no row.
    unreadable: u32,
    empty: u32,
    offsets: offsets::Offsets,
}

impl Sync {
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// `marks`: history is asked for by marks that the server gives (P9), and by nothing else. `lists`: there is any, and a
    /// list of conversations; where not, online is live. `page`: messages of a newest page.
    pub fn new(marks: bool, lists: bool, page: u32) -> Self {
        Self { marks, lists, page, ..Self::default() }
    }

    /// In a build with one framing known beforehand: what the other way needs is left out.
    fn by_marks(&self) -> bool {
        if cfg!(feature = "several") { self.marks } else { cfg!(feature = "phoenix") }
    }

    /// Online: `cursor` says whether history can be asked for after a sequence number.
    pub fn start(&mut self, cursor: bool, timers: &mut Timers) {
        self.stop(timers);
        self.online = true;
        self.cursor = cursor;
        self.live = false;
        self.actions.push_back(Action::Syncing);
        if self.has_lists() {
            self.listing = true;
            self.actions.push_back(Action::Request(Job::List { offset: 0 }));
        } else {
            self.settle();
        }
    }

    /// The connection is gone. Answers of requests under way are not waited for.
    pub fn stop(&mut self, timers: &mut Timers) {
        timers.clear(Timer::Sync);
        self.online = false;
        self.listing = false;
        // What a flood has held back ends here: its page would pass for that of a new pull. Who is offline is not live.
        self.actions.clear();
        self.waiting.clear();
        self.wishes.clear();
        self.active.clear();
        self.requests.clear();
        self.retry.clear();
        self.newest = Newest::default();
        (self.failures, self.rounds) = (0, 0);
    }

    /// A hello came after the start. `true`: it says something else than what was started with.
    pub fn set_cursor(&mut self, cursor: bool) -> bool {
        core::mem::replace(&mut self.cursor, cursor) != cursor
    }

    /// Names the HTTP request that carries a job.
    pub fn on_requested(&mut self, id: HttpId, job: Job) {
        self.requests.insert(id, job);
    }

    /// The job of an answered request; `None`: it belongs to an earlier connection, or is not ours.
    pub fn take_job(&mut self, id: HttpId) -> Option<Job> {
        self.requests.remove(&id)
    }

    /// A page of the list is in; `has_more` asks for the next.
    pub fn on_list(&mut self, offset: u32, rows: u32, has_more: bool) {
        self.on_answer();
        self.unreadable_lists = 0;
        if has_more && rows > 0 {
            let offset = offset.saturating_add(rows);
            self.actions.push_back(Action::Request(Job::List { offset }));
        } else {
            self.listing = false;
            self.settle();
        }
    }

    /// Whether what is missing can be asked for, once online.
    pub fn can_ask(&self) -> bool {
        self.has_lists() && (!self.by_marks() || self.cursor)
    }

    /// Pull this conversation: it is behind, or may be.
    pub fn pull(&mut self, conversation_id: &str) {
        if !self.online || !self.can_ask() {
            return;
        }
        if let Some(pull) = self.active.get_mut(conversation_id) {
            pull.again = true;
        } else if !self.waiting.any(&|id| id == conversation_id) {
            self.waiting.push_back(conversation_id.to_owned());
        }
    }

    /// Starts what may start; `from` tells where a conversation's catch-up begins.
    /// `true`: something was started.
    pub fn advance(&mut self, from: &dyn Fn(&str) -> PullFrom) -> bool {
        while self.online && self.active.len() < PARALLEL {
            let Some(conversation_id) = self.waiting.pop_front() else { break };
            let job = self.first_job(&conversation_id, from);
            self.begin(job);
        }
        self.look_next();
        !self.actions.is_empty()
    }

    /// A window wants more of this conversation than is here. Whether that will be asked for.
    pub fn wish(&mut self, conversation_id: &str) -> bool {
        // What a window has asked for makes it look again; a catch-up says nothing of what comes before.
        let asked = |pull: &Pull| matches!(pull.job, Some(Job::Earlier { .. } | Job::Between { .. }));
        let pulls = self.active.get(conversation_id).is_some_and(asked);
        let waits = pulls || self.wishes.len() >= MAX_WISHES || self.wishes.any(&|id| id == conversation_id);
        let granted = self.online && self.has_lists() && !waits;
        if granted {
            self.wishes.push_back(conversation_id.to_owned());
        }
        granted
    }

    /// The next conversation of which a window wants more; answered by `begin`, where there is something to ask for. One that
    /// is being pulled by now waits: each has one pull at a time, and another would take its place.
    pub fn take_wish(&mut self) -> Option<String> {
        // What the list says is pulled first: a wish in between would bring as old what is news.
        if self.listing || self.active.len() >= PARALLEL {
            return None;
        }
        for _ in 0..self.wishes.len() {
            let id = self.wishes.pop_front()?;
            let is_it = |other: &String| *other == id;
            if !self.active.contains_key(&id) && !self.waiting.any(&is_it) {
                return Some(id);
            }
            self.wishes.push_back(id);
        }
        None
    }

    /// Whether a page of it is under way or will be.
    pub fn is_under_way(&self, conversation_id: &str) -> bool {
        let is_it = |id: &String| id == conversation_id;
        self.active.contains_key(conversation_id) || self.waiting.any(&is_it) || self.wishes.any(&is_it)
    }

    /// History can be asked for after a sequence number.
    pub fn has_cursor(&self) -> bool {
        self.cursor
    }

    /// Asks for the first page of a pull.
    pub fn begin(&mut self, job: Job) {
        let Some(id) = job.conversation_id() else { return };
        let job =
            if self.by_marks() && !matches!(job, Job::Follow { .. }) { from_the_first(id) } else { job };
        let Some(id) = job.conversation_id() else { return };
        let pull = self.active.or_default(id.to_owned());
        (pull.job, pull.pages, pull.rows) = (Some(job.clone()), 0, 0);
        self.actions.push_back(Action::Request(job));
    }

    /// The server refuses a cursor: the conversation alone begins anew, once. `false`: it has already.
    pub fn begin_anew(&mut self, conversation_id: &str) -> bool {
        let Some(pull) = self.active.get_mut(conversation_id).filter(|pull| !pull.begun_anew) else {
            return false;
        };
        pull.begun_anew = true;
        self.begin(Job::Offset { conversation_id: conversation_id.to_owned(), offset: 0 });
        true
    }

    /// A conversation has turned up that the list did not have.
    pub fn relist(&mut self) {
        if self.online && self.has_lists() && !self.listing {
            self.listing = true;
            self.actions.push_back(Action::Request(Job::List { offset: 0 }));
        }
    }

    fn first_job(&self, conversation_id: &str, from: &dyn Fn(&str) -> PullFrom) -> Job {
        let from = from(conversation_id);
        let conversation_id = conversation_id.to_owned();
        if self.by_marks() {
            return match from.mark {
                Some((mark, seq, tells)) => Job::Follow { conversation_id, mark: Some(mark), seq, tells },
                // Who knew all of it so far, though by no mark, is told what is new.
                None => Job::Follow { conversation_id, mark: None, seq: 0, tells: from.seq.is_some() },
            };
        }
        match from.seq.filter(|_| self.cursor) {
            Some(seq) => Job::After { conversation_id, seq },
            // Of a history that is not known yet the newest page is enough: what comes before it a window asks for.
            None => Job::Offset { conversation_id, offset: 0 },
        }
    }

    /// A page has come; returns the ticket under which it is to be applied.
    /// `last_seq` is the newest sequence number in it, `rows` how many it has, `mark` where it ends.
    pub fn on_page(
        &mut self,
        job: &Job,
        rows: u32,
        last_seq: Option<u64>,
        mark: Option<&str>,
        has_more: bool,
    ) -> u32 {
        self.on_answer();
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        let Some(id) = job.conversation_id() else { return ticket };
        let conversation_id = id.to_owned();
        let anew = self.active.get(id).is_some_and(|pull| pull.offsets.anew);
        // Pages overlap by one row (T10).
        let step = rows.saturating_sub(1);
        let goes_on = has_more && step > 0;
        let next = match job {
            Job::After { seq, .. } => {
                let further = last_seq.filter(|last| has_more && last > seq);
                further.map(|seq| Job::After { conversation_id, seq })
            }
            Job::Between { seq, before, .. } => {
                let further = last_seq.filter(|last| has_more && last > seq && last < before);
                further.map(|seq| Job::Between { conversation_id, seq, before: *before })
            }
            // With a cursor the newest page is where it begins; a server that gives rows no number has no cursor.
            Job::Offset { offset: 0, .. } if self.cursor && rows > 0 => {
                last_seq.is_none().then_some(Job::After { conversation_id, seq: 0 })
            }
            Job::Offset { .. } if anew => Some(Job::Offset { conversation_id, offset: 0 }),
            Job::Offset { offset, .. } => {
                goes_on.then(|| Job::Offset { conversation_id, offset: offset.saturating_add(step) })
            }
            Job::Follow { mark: old, seq, tells, .. } => {
                let further = mark.filter(|mark| has_more && old.as_deref() != Some(mark));
                let seq = last_seq.map_or(*seq, |last| last.max(*seq));
                let (mark, tells) = (further.map(str::to_owned), *tells);
                mark.map(|mark| Job::Follow { conversation_id, mark: Some(mark), seq, tells })
            }
            Job::Newest { .. } => {
                self.on_newest(&conversation_id, true);
                return ticket;
            }
            // Where to go on is known when it is in.
            Job::Earlier { .. } => None,
            Job::List { .. } => return ticket,
        };
        if let Some(pull) = self.active.get_mut(id) {
            (pull.ticket, pull.job, pull.next) = (ticket, Some(job.clone()), next);
            pull.on_page(rows, has_more);
            // One that cannot go on has not come to the newest.
            let stuck = has_more && pull.next.is_none();
            let after = matches!(job, Job::After { .. }) && !stuck;
            pull.rows = if after { pull.rows.saturating_add(rows) } else { 0 };
        }
        ticket
    }

    /// The page stands in the history; `reached`: it goes back to what was known without a gap; `hole`: what is missing
    /// between what is known. What the pull has come to.
    pub fn on_applied(
        &mut self,
        conversation_id: &str,
        ticket: u32,
        reached: bool,
        hole: Option<(u64, u64)>,
    ) -> Pulled {
        let by_marks = self.by_marks();
        let pull = self.active.get_mut(conversation_id).filter(|pull| pull.ticket == ticket);
        let Some(pull) = pull else { return Pulled::GoesOn };
        // By offset one goes back until what was known; where pages did not meet, that says nothing.
        let by_offset = |job: &Job| matches!(job, Job::Offset { offset, .. } if *offset > 0);
        let mut next = pull.next.take().filter(|job| !reached || !by_offset(job));
        let given_up = pull.pages >= MAX_OFFSET_PAGES && matches!(next, Some(Job::Offset { .. }));
        if next.is_none()
            && let Some((seq, before)) = hole
        {
            // One that was asked for already, and has brought nothing, would be asked for for ever.
            let job = match by_marks {
                true => from_the_first(conversation_id),
                false => Job::Between { conversation_id: conversation_id.to_owned(), seq, before },
            };
            next = (pull.job.as_ref() != Some(&job) && !(by_marks && pull.begun_anew)).then_some(job);
            pull.begun_anew |= by_marks;
        }
        if let Some(job) = next.filter(|_| !given_up) {
            pull.job = Some(job.clone());
            self.actions.push_back(Action::Request(job));
            return Pulled::GoesOn;
        }
        let given_up = given_up || pull.offsets.hole || pull.is_vain();
        let (again, rows) = (pull.again, pull.rows);
        self.active.remove(conversation_id);
        if again {
            self.waiting.push_back(conversation_id.to_owned());
        } else {
            self.refresh_postponed(conversation_id, rows);
        }
        if !self.cursor || self.by_marks() {
            self.on_looked(conversation_id);
        }
        self.settle();
        if again { Pulled::Again } else { Pulled::Joined { given_up } }
    }

    fn on_answer(&mut self) {
        (self.failures, self.rounds, self.told) = (0, 0, false);
    }

    fn settle(&mut self) {
        let done = self.online && !self.listing && self.active.is_empty() && self.waiting.is_empty();
        if done && !self.live {
            self.live = true;
            self.actions.push_back(Action::Live);
        }
    }
}
