//! `createDirect()` and `createGroup()`: one REST request each, with or without a connection.
//!
//! Law: a token that is refused is asked anew once, as after CONNECT_ERROR (D6), and the request repeated. While
//! online the connection asks, for the socket needs the new token too; else (not connected, or another tab leads)
//! the question is this machine's own.

use super::super::api::{CommandId, HttpResult, Now, Outcome, Output, Secret, TokenId, TokenReason};
use super::super::model::{ConnectionState, ConversationKind, ErrorCode, Failure};
use super::super::profile::Created;
use super::super::text::is_blank;
use super::super::timer::Timer;
use super::Client;
use super::rest::{ASK, HttpJob, MAX_REQUESTS, of_request};
use crate::proto::text::concat;

/// Questions of the connection count up from one.
const QUESTION: TokenId = TokenId::MAX;

/// A conversation that somebody waits for.
pub(super) struct Creation {
    pub command: CommandId,
    pub wanted: Wanted,
    /// A token was refused for it.
    pub refused: bool,
}

pub(super) enum Wanted {
    Direct { user_id: String },
    Group { title: String, members: Vec<String> },
}

/// Those that wait for a token.
#[derive(Default)]
pub(super) struct Creations {
    waiting: Vec<Creation>,
    asking: bool,
}

impl Creations {
    pub fn take_commands(&mut self) -> Vec<CommandId> {
        let mut commands = Vec::new();
        for creation in &self.waiting {
            commands.push(creation.command);
        }
        self.waiting.clear();
        commands
    }
}

impl Client {
    pub(super) fn create_wanted(&mut self, command: CommandId, wanted: Wanted) -> Result<(), Failure> {
        self.create(Creation { command, wanted, refused: false })
    }

    fn create(&mut self, creation: Creation) -> Result<(), Failure> {
        if self.profile.unlisted().is_some() {
            let text = "this backend creates no conversations: one begins with what is sent to its id";
            return Err(Failure::new(ErrorCode::Unsupported, text));
        }
        if let Wanted::Group { title, .. } = &creation.wanted
            && is_blank(title)
        {
            return Err(Failure::new(ErrorCode::Validation, "title: is empty; a group has a title"));
        }
        let token = self.connection.token().or(self.config.static_token.as_ref()).cloned();
        match token {
            Some(token) => self.request_creation(creation, token),
            None if self.creations.waiting.len() >= MAX_REQUESTS => {
                Err(Failure::new(ErrorCode::RateLimited, "too many REST requests wait for a token"))
            }
            None => {
                self.creations.waiting.push(creation);
                Ok(())
            }
        }
    }

    /// With the token that there is now.
    pub(super) fn create_again(&mut self, creation: Creation) {
        self.creations.waiting.push(creation);
        self.repeat_creations(None);
    }

    fn request_creation(&mut self, creation: Creation, token: Secret) -> Result<(), Failure> {
        let request = match &creation.wanted {
            Wanted::Direct { user_id } => self.profile.create_direct(user_id),
            Wanted::Group { title, members } => self.profile.create_group(title, members),
        };
        self.request(request, Some(token), HttpJob::Create(creation)).map(drop)
    }

    /// Whoever waits for a token without a connection that gets one has it asked here.
    pub(super) fn ask_for_creations(&mut self, now: Now) {
        let creations = &mut self.creations;
        if creations.waiting.is_empty()
            || creations.asking
            || self.connection.state() == ConnectionState::Online
        {
            return;
        }
        creations.asking = true;
        let refused = creations.waiting.iter().any(|creation| creation.refused);
        let reason = if refused { TokenReason::Refused } else { TokenReason::Connect };
        self.timers.set(Timer::Token, now.mono_ms + u64::from(self.config.reconnect.connect_timeout_ms));
        self.outputs.push_back(Output::Token { id: QUESTION, reason });
    }

    /// The answer to a question for a token. `false`: it was the connection's.
    pub(super) fn on_creations_token(&mut self, id: TokenId, result: &Result<Secret, String>) -> bool {
        if id != QUESTION {
            return false;
        }
        if core::mem::take(&mut self.creations.asking) {
            self.timers.clear(Timer::Token);
            match result {
                Ok(token) if !token.0.is_empty() => self.repeat_creations(Some(token.clone())),
                Ok(_) => self.refuse_creations(&no_token("getToken gave an empty token")),
                Err(reason) => self.refuse_creations(&no_token(&concat(&["getToken failed: ", reason]))),
            }
        }
        true
    }

    pub(super) fn on_token_timer(&mut self) {
        self.creations.asking = false;
        self.refuse_creations(&no_token("getToken did not answer in time"));
    }

    pub(super) fn refuse_creations(&mut self, failure: &Failure) {
        for command in self.creations.take_commands() {
            self.refuse(command, failure.clone());
        }
    }

    /// There is a token now: given, or the connection's.
    pub(super) fn repeat_creations(&mut self, token: Option<Secret>) {
        let Some(token) = token.or_else(|| self.connection.token().cloned()) else { return };
        for creation in core::mem::take(&mut self.creations.waiting) {
            let command = creation.command;
            if let Err(failure) = self.request_creation(creation, token.clone()) {
                self.refuse(command, failure);
            }
        }
    }

    /// True: its token was refused.
    pub(super) fn on_created(&mut self, mut creation: Creation, name: &str, result: HttpResult) -> bool {
        let command = creation.command;
        let (status, body) = match result {
            HttpResult::Answered { status, body } => (status, body),
            HttpResult::Failed { reason } => {
                let text = concat(&[
                    "the conversation could not be created: ",
                    name,
                    " gets no answer (",
                    &reason,
                    ASK,
                ]);
                self.refuse(command, Failure::new(ErrorCode::Server, text));
                return false;
            }
        };
        match self.profile.parse_created(status, &body, &self.config.user_id) {
            Ok(Created::Conversation(told)) => {
                self.take_conversation(&told);
                self.answer_created(command, &told.id);
            }
            Ok(Created::Found(id)) => self.answer_created(command, &id),
            Ok(Created::FoundSomewhere) => match self.direct_with(&creation.wanted) {
                Some(id) => self.answer_created(command, &id),
                None => {
                    let text = "the conversation exists already; it will be in the list after the next sync";
                    self.refuse(command, Failure::new(ErrorCode::Conflict, text));
                }
            },
            Err(failure)
                if failure.code == ErrorCode::Auth
                    && !creation.refused
                    && self.config.static_token.is_none() =>
            {
                creation.refused = true;
                self.creations.waiting.push(creation);
                return true;
            }
            Err(failure) => self.refuse(command, of_request(failure, name)),
        }
        false
    }

    fn direct_with(&self, wanted: &Wanted) -> Option<String> {
        let Wanted::Direct { user_id } = wanted else { return None };
        self.rooms.find(&|room| {
            room.kind == ConversationKind::Direct
                && room.members.iter().any(|member| member.user_id == *user_id)
        })
    }

    fn answer_created(&mut self, command: CommandId, id: &str) {
        self.rooms.meet(id);
        match self.conversation(id) {
            Some(conversation) => self.done(command, Outcome::Conversation(Box::new(conversation))),
            None => {
                let text = "the conversation was created and left out: limits.maxConversations is reached";
                self.refuse(command, Failure::new(ErrorCode::TooLarge, text));
            }
        }
    }
}

fn no_token(reason: &str) -> Failure {
    Failure::new(ErrorCode::Auth, concat(&["the conversation could not be created: ", reason]))
}
