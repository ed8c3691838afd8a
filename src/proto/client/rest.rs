//! REST: the requests under way, and the catch-up.

use super::super::api::{CommandId, Event, HttpId, HttpRequest, HttpResult, Now, Output, Secret};
use super::super::connection::RefusedBy;
use super::super::model::{ErrorCode, Failure};
use super::super::outbox::RowId;
use super::super::profile::{RestRequest, ServerConversation};
use super::super::queue::Queue;
use super::super::sync::{Job, OFFSET_ROWS, PAGE_ROWS};
use super::super::timeline::{Op, PageOp};
use super::Client;
use super::create::Creation;
use crate::proto::text::concat;

/// A REST answer is waited for this long.
const HTTP_TIMEOUT_MS: u32 = 20_000;
/// REST requests under way at once that the application has asked for.
pub(super) const MAX_REQUESTS: usize = 100;

/// Why a request was made.
pub(super) enum HttpJob {
    Sync,
    Create(Creation),
    /// A change in this row of the outbox, asked for with this token.
    Change {
        row: RowId,
        token: Secret,
    },
}

impl HttpJob {
    /// Who waits for it.
    pub fn command(&self) -> Option<CommandId> {
        match self {
            Self::Create(creation) => Some(creation.command),
            Self::Sync | Self::Change { .. } => None,
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
        let request = HttpRequest {
            method: request.method,
            url: concat(&[self.config.endpoint.api_url.as_str(), request.path.as_str()]),
            token,
            body: request.body,
            timeout_ms: HTTP_TIMEOUT_MS,
        };
        self.http.insert(id, job);
        self.outputs.push_back(Output::Http { id, request });
        Ok(id)
    }

    pub(super) fn request_sync(&mut self, job: Job) {
        let request = match &job {
            Job::List { offset } => {
                if *offset == 0 {
                    self.rooms.begin_list();
                }
                self.profile.list_conversations(*offset)
            }
            Job::After { conversation_id, seq } => {
                self.profile.messages_after(conversation_id, *seq, PAGE_ROWS)
            }
            Job::Offset { conversation_id, offset } => {
                self.profile.messages_page(conversation_id, *offset, OFFSET_ROWS)
            }
            Job::Newest { conversation_id } => self.profile.messages_page(conversation_id, 0, OFFSET_ROWS),
        };
        let token = self.connection.token().cloned();
        if let Ok(id) = self.request(request, token, HttpJob::Sync) {
            self.sync.on_requested(id, job);
        } else {
            self.sync.on_hopeless(&job);
        }
    }

    pub(super) fn on_http(&mut self, now: Now, id: HttpId, result: HttpResult) {
        match self.http.remove(&id) {
            Some(HttpJob::Sync) => {
                if let Some(job) = self.sync.take_job(id) {
                    self.on_sync_answer(now, job, result);
                }
            }
            Some(HttpJob::Create(creation)) => self.on_created(now, creation, result),
            Some(HttpJob::Change { row, token }) => self.on_change_answer(now, row, &token, result),
            None => {}
        }
    }

    fn on_sync_answer(&mut self, now: Now, job: Job, result: HttpResult) {
        let (status, body) = match result {
            HttpResult::Answered { status, body } => (status, body),
            HttpResult::Failed { .. } => {
                return self.sync.on_failed(now, &mut self.rng, &mut self.timers, job, None);
            }
        };
        if status >= 400 {
            return self.on_sync_refused(now, job, status, &body);
        }
        self.connection.mark_token_good();
        let outcome = match &job {
            Job::List { offset } => self.take_list(*offset, &body),
            Job::After { conversation_id, .. }
            | Job::Offset { conversation_id, .. }
            | Job::Newest { conversation_id } => {
                let conversation_id = conversation_id.clone();
                self.take_page(&job, &conversation_id, &body)
            }
        };
        if let Err(what) = outcome {
            let message = concat(&["the answer to a request for history cannot be read: ", &what]);
            self.emit(Event::ProtocolError { message, excerpt: super::super::wire::excerpt(&body) });
            if self.sync.on_unreadable(&job) {
                // Some proxy's page, say, and not the backend's: it would leave a hole until the next connect.
                self.sync.on_failed(now, &mut self.rng, &mut self.timers, job, None);
            } else {
                self.sync.on_hopeless(&job);
            }
        }
    }

    fn on_sync_refused(&mut self, now: Now, job: Job, status: u16, body: &str) {
        let (failure, wait_ms) = self.profile.parse_failure(status, body);
        if failure.code == ErrorCode::Auth {
            self.sync.on_failed(now, &mut self.rng, &mut self.timers, job, None);
            let (timers, rng) = (&mut self.timers, &mut self.rng);
            self.connection.refuse_token(RefusedBy::Rest, now, timers, rng);
        } else if failure.retryable || status >= 500 {
            self.sync.on_failed(now, &mut self.rng, &mut self.timers, job, wait_ms);
        } else {
            self.emit(Event::Error { error: failure });
            self.sync.on_hopeless(&job);
        }
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
            let behind = !self.capabilities.cursor || told.last_seq.is_none() || told.last_seq > cursor;
            if behind && told.last_seq != Some(0) {
                self.sync.pull(&told.id);
            }
            if self.capabilities.receipts && self.timelines.wants_receipts(&told.id) {
                self.sync.refresh(&told.id);
            }
        }
        if !has_more {
            for id in self.rooms.end_list() {
                self.timelines.on_echo_changed(&id);
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
    pub(super) fn on_page_applied(&mut self, ticket: u32, conversation_id: String, reached: bool) {
        self.rooms.touch(&conversation_id);
        if let Some(given_up) = self.sync.on_applied(&conversation_id, ticket, reached)
            && self.timelines.on_joined(&conversation_id)
            && given_up
        {
            self.emit(Event::Gap { conversation_id });
        }
    }

    fn take_page(&mut self, job: &Job, conversation_id: &str, body: &str) -> Result<(), String> {
        let page = self.profile.parse_page(body)?;
        for what in &page.malformed {
            self.emit(Event::ProtocolError { message: what.clone(), excerpt: String::new() });
        }
        let rows = u32::try_from(page.messages.len() + page.malformed.len()).unwrap_or(u32::MAX);
        let mut last_seq = None;
        for message in &page.messages {
            last_seq = message.seq.max(last_seq);
        }
        let range = match job {
            Job::After { seq, .. } => Some((*seq, last_seq.unwrap_or(*seq).max(*seq))),
            _ => None,
        };
        let ticket = self.sync.on_page(job, rows, last_seq, page.has_more);
        let mut messages = Queue::new();
        for message in page.messages {
            if message.conversation_id != conversation_id {
                continue;
            }
            if !self.divert_own_copy(&message) {
                messages.push_back(message);
            }
        }
        let page = PageOp { messages, range, ticket, fresh: 0, oldest_known: None, joins: None };
        self.timelines.push(conversation_id, Op::Page(page));
        Ok(())
    }
}
