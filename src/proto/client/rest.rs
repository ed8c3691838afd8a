//! REST: the requests under way, and the catch-up.

use super::super::api::{CommandId, Event, HttpId, HttpRequest, HttpResult, Now, Output, Secret};
use super::super::connection::RefusedBy;
use super::super::model::{ConnectionState, ErrorCode, Failure};
use super::super::outbox::RowId;
use super::super::profile::{Answer, RestRequest, ServerConversation};
use super::super::rooms::Rooms;
use super::super::sync::{Job, Pulled};
use super::super::timeline::Applied;
use super::Client;
use super::create::Creation;
use crate::proto::text::concat;
use crate::proto::wire::json::decimal;

/// A REST answer is waited for this long.
const HTTP_TIMEOUT_MS: u32 = 20_000;
/// REST requests under way at once that the application has asked for.
pub(super) const MAX_REQUESTS: usize = 100;

/// What to look at where a request gets no answer.
pub(super) const ASK: &str =
    "): is `apiUrl` right, does the server run, and does it allow the origin of this page (CORS)?";

/// Why a request was made.
pub(super) enum HttpJob {
    Sync {
        /// How much of what changes messages had been heard when it was asked.
        heard: u64,
    },
    Create(Creation),
    /// A change in this row of the outbox.
    Change {
        row: RowId,
    },
}

/// A request under way.
pub(super) struct Asked {
    pub job: HttpJob,
    /// Method and address, as errors name it.
    name: String,
    /// What it was made with: its refusal says nothing about another one.
    token: Option<Secret>,
}

impl HttpJob {
    /// Who waits for it.
    pub fn command(&self) -> Option<CommandId> {
        match self {
            Self::Create(creation) => Some(creation.command),
            Self::Sync { .. } | Self::Change { .. } => None,
        }
    }
}

impl Client {
    pub(super) fn request(
        &mut self,
        request: RestRequest,
        token: Option<Secret>,
        job: HttpJob,
    ) -> Result<HttpId, Failure> {
        if self.http.len() >= MAX_REQUESTS && matches!(job, HttpJob::Create(_)) {
            return Err(Failure::new(ErrorCode::RateLimited, "too many REST requests are under way"));
        }
        let id = self.next_http;
        self.next_http += 1;
        let asked_with = token.clone();
        let request = HttpRequest {
            method: request.method,
            url: concat(&[self.config.endpoint.api_url.as_str(), request.path.as_str()]),
            token,
            body: request.body,
            timeout_ms: HTTP_TIMEOUT_MS,
        };
        let path = request.url.split_once('?').map_or(request.url.as_str(), |(path, _)| path);
        let name = concat(&[request.method, " ", path]);
        self.http.insert(id, Asked { job, name, token: asked_with });
        self.outputs.push_back(Output::Http { id, request });
        Ok(id)
    }

    pub(super) fn request_sync(&mut self, job: Job) {
        let rows = self.rows_of(&job);
        let request = match &job {
            Job::List { offset } => {
                if *offset == 0 {
                    self.rooms.begin_list();
                    self.timelines.note_cursors();
                }
                self.profile.list_conversations(*offset)
            }
            Job::After { conversation_id, seq } | Job::Between { conversation_id, seq, .. } => {
                self.profile.messages_after(conversation_id, *seq, rows)
            }
            Job::Offset { conversation_id, offset } | Job::Earlier { conversation_id, offset } => {
                self.profile.messages_page(conversation_id, *offset, rows)
            }
            Job::Newest { conversation_id } => self.profile.messages_page(conversation_id, 0, rows),
            Job::Follow { conversation_id, mark, .. } => {
                self.profile.messages_following(conversation_id, mark.as_deref(), rows)
            }
        };
        let token = self.connection.token().cloned();
        let heard = self.timelines.heard();
        match self.request(request, token, HttpJob::Sync { heard }) {
            Ok(id) => self.sync.on_requested(id, job),
            Err(failure) => self.give_up(&job, &failure),
        }
    }

    pub(super) fn on_http(&mut self, now: Now, id: HttpId, result: HttpResult) {
        let Some(Asked { job, name, token }) = self.http.remove(&id) else { return };
        let unauthorised = matches!(result, HttpResult::Answered { status: 401, .. });
        if unauthorised && self.connection.token().is_some_and(|present| Some(present) != token.as_ref()) {
            // Another has come meanwhile: this says nothing of it.
            return self.ask_again(id, job);
        }
        let refused = match job {
            HttpJob::Sync { heard } => match self.sync.take_job(id) {
                Some(job) => self.on_sync_answer(now, job, heard, &name, result),
                None => false,
            },
            HttpJob::Create(creation) => self.on_created(creation, &name, result),
            HttpJob::Change { row } => self.on_change_answer(now, row, &name, result),
        };
        if refused {
            // Who asked waits for another token.
            let (timers, rng) = (&mut self.timers, &mut self.rng);
            self.connection.refuse_token(RefusedBy::Rest, now, timers, rng);
        }
    }

    fn ask_again(&mut self, id: HttpId, job: HttpJob) {
        match job {
            HttpJob::Sync { .. } => {
                if let Some(job) = self.sync.take_job(id) {
                    self.request_sync(job);
                }
            }
            HttpJob::Create(creation) => self.create_again(creation),
            HttpJob::Change { row } => {
                self.outbox.on_unauthorised(row);
                self.outbox.on_token();
            }
        }
    }

    /// Whatever waits for a token is asked again.
    pub(super) fn on_token_renewed(&mut self) {
        self.sync.retry_now();
        self.outbox.on_token();
        self.repeat_creations(None);
    }

    /// The answer to the REST request of a change; true: its token was refused.
    fn on_change_answer(&mut self, now: Now, id: RowId, name: &str, result: HttpResult) -> bool {
        let Some(change) = self.outbox.row(id).and_then(|row| row.record.change.as_ref()) else {
            return false;
        };
        let (status, body) = match result {
            HttpResult::Answered { status, body } => (status, body),
            HttpResult::Failed { .. } => {
                let online = self.connection.state() == ConnectionState::Online;
                self.outbox.on_no_answer(now, &mut self.rng, id, online);
                return false;
            }
        };
        let mut answer = self.profile.parse_change(change.kind, status, &body);
        if let Answer::Refused { failure, .. } = &mut answer {
            *failure = of_request(failure.clone(), name);
        }
        let refused = matches!(answer, Answer::AuthRefused(_));
        self.outbox.on_answer(now, &mut self.rng, id, answer);
        if !refused {
            self.connection.mark_token_good();
        }
        refused
    }

    /// True: its token was refused.
    fn on_sync_answer(&mut self, now: Now, job: Job, heard: u64, name: &str, result: HttpResult) -> bool {
        let (status, body) = match result {
            HttpResult::Answered { status, body } => (status, body),
            HttpResult::Failed { reason } => {
                self.ask_later(now, job, name, &reason, None);
                return false;
            }
        };
        if status >= 400 {
            return self.on_sync_refused(now, job, name, status, &body);
        }
        self.connection.mark_token_good();
        let outcome = match &job {
            Job::List { offset } => self.take_list(*offset, &body),
            _ => self.take_page(now, &job, heard, &body),
        };
        if let Err(what) = outcome {
            let message = concat(&["the answer to ", name, " cannot be read: ", &what]);
            let excerpt = super::super::wire::excerpt(&body);
            self.emit(Event::ProtocolError { message: message.clone(), excerpt });
            if self.sync.on_unreadable(&job) {
                // Some proxy's page, say, and not the backend's: it would leave a hole until the next connect.
                self.sync.on_failed(now, &mut self.rng, &mut self.timers, job, None);
            } else {
                self.give_up(&job, &Failure::new(ErrorCode::Protocol, message));
            }
        }
        false
    }

    /// It may succeed another time. What goes on failing is told, once a connection.
    fn ask_later(&mut self, now: Now, job: Job, name: &str, reason: &str, wait_ms: Option<u64>) {
        if self.sync.on_failed(now, &mut self.rng, &mut self.timers, job, wait_ms) {
            let text = concat(&[name, " gets no answer (", reason, ASK]);
            let error = Failure { retryable: true, ..Failure::new(ErrorCode::Server, text) };
            self.emit(Event::Error { error });
        }
    }

    /// Of conversations that no list tells of, what is known of them is gone on from.
    fn pull_known(&mut self, told: &dyn Fn(&Rooms, &str) -> bool) {
        for id in self.rooms.ids() {
            if !told(&self.rooms, &id) && self.timelines.log(&id).is_some_and(|log| log.pull_from().is_some())
            {
                self.sync.pull(&id);
            }
        }
    }

    /// The rest goes on without it. A window of it says why.
    fn give_up(&mut self, job: &Job, failure: &Failure) {
        if matches!(job, Job::List { .. }) {
            self.pull_known(&|_, _| false);
        }
        self.sync.on_hopeless(job);
        // A look at what is known already leaves it as it is.
        let looks = matches!(job, Job::Newest { .. });
        if let Some(conversation_id) = job.conversation_id().filter(|_| !looks) {
            self.timelines.on_refused(conversation_id, failure.clone());
        }
    }

    fn on_sync_refused(&mut self, now: Now, job: Job, name: &str, status: u16, body: &str) -> bool {
        let (failure, wait_ms) = self.profile.parse_failure(status, body);
        let failure = of_request(failure, name);
        if failure.code == ErrorCode::Auth {
            self.sync.on_failed(now, &mut self.rng, &mut self.timers, job, None);
            return true;
        }
        if failure.retryable || status >= 500 {
            self.ask_later(now, job, name, &concat(&["HTTP ", &decimal(u64::from(status))]), wait_ms);
        } else if let Job::After { conversation_id, seq: 1.. }
        | Job::Follow { conversation_id, mark: Some(_), .. } = &job
            && failure.code != ErrorCode::Forbidden
            && self.sync.begin_anew(conversation_id)
        {
            // Its history was cut, or the cursor is of another one: what there is now tells.
            self.timelines.forget_ranges(conversation_id);
        } else {
            self.give_up(&job, &failure);
            self.emit(Event::Error { error: failure });
        }
        false
    }

    fn take_list(&mut self, offset: u32, body: &str) -> Result<(), String> {
        let page = self.profile.parse_conversations(body, &self.config.user_id)?;
        let has_more = page.has_more;
        let rows = u32::try_from(page.conversations.len() + page.malformed.len()).unwrap_or(u32::MAX);
        self.rooms.on_list_page(page.malformed.is_empty());
        for message in page.malformed {
            self.emit(Event::ProtocolError { message, excerpt: String::new() });
        }
        for told in page.conversations {
            self.take_conversation(&told);
            let cursor = self.timelines.log(&told.id).and_then(|log| log.cursor());
            let last_seq = told.last_seq.filter(|_| self.capabilities.cursor);
            let cut = last_seq.is_some_and(|last| self.timelines.is_cut(&told.id, last));
            if cut {
                self.timelines.forget_ranges(&told.id);
                if told.last_seq == Some(0) {
                    self.timelines.on_empty(&told.id, self.capabilities.cursor);
                }
            }
            let behind = last_seq.is_none() || last_seq > cursor;
            if cut || (behind && told.last_seq != Some(0)) || self.timelines.hole(&told.id).is_some() {
                self.sync.pull(&told.id);
            }
            let receipts = self.capabilities.receipts && self.timelines.wants_receipts(&told.id);
            // The first page of all is the newest. Edits and reactions of the time away are told by no other.
            let known = self.timelines.log(&told.id).is_some_and(|log| log.pull_from().is_some());
            let shown = self.timelines.is_viewed(&told.id);
            if known && (receipts || shown) {
                self.sync.refresh(&told.id, shown);
            }
        }
        let (timelines, rooms) = (&self.timelines, &self.rooms);
        self.sync.put_first(&|id| {
            let newest = timelines.log(id).and_then(|log| log.last_message());
            let told_ms = rooms.get(id).map(|room| room.updated_at_ms);
            (timelines.is_viewed(id), told_ms.max(newest.map(|message| message.created_at_ms)))
        });
        if !has_more {
            // In a row that cannot be read any of them may stand.
            if !self.rooms.is_readable() {
                self.pull_known(&|rooms, id| rooms.is_listed(id));
            }
            for id in self.rooms.end_list() {
                self.timelines.on_echo_changed(&id);
                self.unfollow(&id);
                self.forget_draft(&id);
            }
        }
        self.sync.on_list(offset, rows, has_more);
        if !has_more && self.rooms.is_unsure() {
            self.sync.relist();
        }
        Ok(())
    }

    pub(super) fn take_conversation(&mut self, told: &ServerConversation) {
        if !self.rooms.upsert(told) {
            let text = "a conversation was left out: limits.maxConversations is reached";
            self.emit(Event::Error { error: Failure::new(ErrorCode::TooLarge, text) });
            return;
        }
        self.follow(&told.id, false);
        if told.last_seq == Some(0) {
            // Whoever is told of it when it is made misses nothing of it.
            self.timelines.on_empty(&told.id, self.capabilities.cursor);
        }
        if let Some(seq) = told.last_read_seq {
            self.timelines.on_read_seq(&told.id, seq);
        }
        for user in &told.online {
            if self.people.on_presence(user, true) {
                self.emit(Event::Presence { user_id: user.clone(), online: true, last_seen_ms: None });
            }
        }
    }

    /// A page stands in the history. A catch-up that has gone back as far as it may and not to what was known leaves a
    /// hole, and says so.
    pub(super) fn on_page_applied(&mut self, conversation_id: String, applied: Applied) {
        self.rooms.touch(&conversation_id);
        let hole = self.timelines.hole(&conversation_id).filter(|_| self.sync.has_cursor());
        let Applied { ticket, fresh, reached, .. } = applied;
        let earlier = self.sync.on_earlier(&conversation_id, ticket, fresh, reached);
        let pulled = earlier.unwrap_or_else(|| self.sync.on_applied(&conversation_id, ticket, reached, hole));
        match pulled {
            Pulled::Joined { given_up } => {
                if self.timelines.on_joined(&conversation_id) && given_up {
                    self.emit(Event::Gap { conversation_id: conversation_id.clone() });
                }
                if given_up {
                    self.timelines.on_given_up(&conversation_id);
                }
            }
            Pulled::Earlier { came, place, unsure } => {
                self.timelines.on_earlier(&conversation_id, came, place, unsure);
            }
            Pulled::Again | Pulled::GoesOn => {}
        }
        if pulled != Pulled::GoesOn {
            self.timelines.set_fetching(&conversation_id, false);
        }
    }
}

/// Says which request the server has refused.
pub(super) fn of_request(mut failure: Failure, name: &str) -> Failure {
    failure.message = concat(&[name, ": ", &failure.message]);
    failure
}
