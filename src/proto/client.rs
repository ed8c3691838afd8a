//! The client: routes between the machines, owns the out-queue and decides nothing itself.
//!
//! Law: one mutation, then drain. Every public call ends with [`Client::settle`], which carries the machines'
//! actions to each other until all are quiet, and then puts what is dirty into one transaction.

use super::queue::Queue;
use crate::proto::mutant;
use crate::proto::sorted::{SortedMap, SortedSet};

use super::api::{
    Command, CommandId, Event, HttpId, Input, Now, Outcome, Output, PageInput, SocketInput, StoreRequest,
    ViewId,
};
use super::config::Config;
use super::connection::{self, Connection};
use super::drafts::Drafts;
use super::lead::{Lead, State};
use super::model::{ErrorCode, Failure, Json, Message};
use super::outbox::{Bucket, Outbox, RowId};
use super::people::People;
use super::profile::{self, Capabilities, CapabilityPatch, Profile, Push};
use super::rng::Rng;
use super::rooms::Rooms;
use super::sync::Sync;
use super::timeline::Timelines;
use super::timer::{Timer, Timers};

#[cfg(feature = "json")]
mod answers;
mod change;
mod changes;
mod commands;
mod create;
mod damage;
mod drafts;
mod errands;
mod export;
mod flight;
mod guarantees;
mod incoming;
mod lead;
mod newer;
mod pages;
mod quota;
mod rest;
mod rewrite;
mod route;
mod send;
mod storage;
mod tell;
mod topics;
mod views;
mod windows;
mod wipe;
mod wire_send;
mod write;

use guarantees::traits_of;
use rest::Asked;
use storage::Storage;
pub use storage::everything;

/// Callers of `acknowledged()` that wait.
const MAX_WAITERS: usize = 10_000;
/// To an unknown backend the first send waits this long for a hello (D2).
const HELLO_WAIT_MS: u64 = 250;

/// The pure core of one instance.
pub struct Client {
    config: Config,
    profile: Box<dyn Profile>,
    rng: Rng,
    timers: Timers,
    outputs: Queue<Output>,
    next_command: CommandId,
    next_http: HttpId,
    next_ticket: u32,
    storage: Storage,
    room: quota::Room,
    connection: Connection,
    outbox: Outbox,
    timelines: Timelines,
    sync: Sync,
    rooms: Rooms,
    drafts: Drafts,
    people: People,
    /// The profile's row, then what hello, memory and the application add.
    capabilities: Capabilities,
    hello: CapabilityPatch,
    capabilities_dirty: bool,
    /// This connection has said hello, or need not.
    greeted: bool,
    /// Nothing goes out before the hello, or before it is clear that there is none.
    awaits_hello: bool,
    ready: bool,
    deferred: Vec<(CommandId, Command)>,
    connect_waiters: Vec<CommandId>,
    /// `send()` calls by row, `acknowledged()` calls by key.
    send_waiters: SortedMap<RowId, Vec<CommandId>>,
    ack_waiters: SortedMap<String, Vec<CommandId>>,
    removal_waiters: SortedMap<String, Vec<CommandId>>,
    /// `setDraft()` calls, and whether what they wrote is under way.
    draft_waiters: Vec<(CommandId, bool)>,
    finds: SortedMap<u32, send::FindFor>,
    /// How often this page has said that it cannot read a record.
    torn_told: u32,
    beside: tell::Beside,
    /// REST requests under way, and how each is named where it fails: method and address, without its query.
    http: SortedMap<HttpId, Asked>,
    creations: create::Creations,
    acks: SortedMap<u64, AckFor>,
    /// Topics of the application's own, with the parameters of their joins.
    wire_topics: SortedMap<String, Json>,
    /// What the server waits for, by numbers of our own: its own begin anew with each connection (E7).
    questions: SortedMap<u64, u64>,
    next_question: u64,
    /// Read receipts that wait for a connection: conversation and message.
    pending_reads: Queue<(String, String)>,
    /// A batch of read receipts is on its way out; the next follows when it has left.
    telling: bool,
    /// What the server has of rows whose commit is under way.
    settling: SortedSet<String>,
    /// The page is frozen or in the back/forward cache.
    frozen: bool,
    lead: Lead,
    /// `loadEarlier()` calls that wait for their rows.
    load_waiters: Vec<(ViewId, CommandId)>,
    closing: Option<CommandId>,
    closed: bool,
}

/// Who waits for a server's answer on the socket.
enum AckFor {
    Row(RowId),
    /// `held`: it is not sent yet, since its topic is being joined (X8).
    Wire {
        command: CommandId,
        deadline_mono_ms: u64,
        held: Option<Box<Push>>,
    },
}

impl Client {
    /// Opens the store; everything else waits for commands.
    pub fn new(config: Config, seed: [u8; 32], now: Now) -> Self {
        let profile = profile::of(&config);
        let (has_rest, mut capabilities) = (profile.unlisted().is_none(), profile.capabilities());
        let paged = has_rest && !profile.gives_marks();
        capabilities.apply(&config.capabilities);
        let (bucket, traits) = (Bucket::new(&config.limits), traits_of(&capabilities));
        let mut client = Self {
            connection: Connection::new(&config, has_rest),
            outbox: Outbox::new(&config.outbox, bucket, &config.user_id, traits),
            timelines: Timelines::new(&config.user_id, config.limits.max_window_rows, config.history, paged),
            sync: Sync::new(profile.gives_marks(), has_rest, config.pages.newest),
            rooms: Rooms::new(config.limits.max_conversations, &*profile),
            drafts: Drafts::default(),
            people: People::default(),
            profile,
            rng: Rng::new(seed),
            timers: Timers::default(),
            outputs: Queue::new(),
            next_command: 1,
            next_http: 1,
            next_ticket: 1,
            storage: Storage::default(),
            room: quota::Room::default(),
            capabilities,
            hello: CapabilityPatch::default(),
            capabilities_dirty: false,
            greeted: false,
            awaits_hello: true,
            ready: false,
            deferred: Vec::new(),
            connect_waiters: Vec::new(),
            send_waiters: SortedMap::new(),
            ack_waiters: SortedMap::new(),
            removal_waiters: SortedMap::new(),
            draft_waiters: Vec::new(),
            finds: SortedMap::new(),
            torn_told: 0,
            beside: tell::Beside::default(),
            http: SortedMap::new(),
            creations: create::Creations::default(),
            acks: SortedMap::new(),
            wire_topics: SortedMap::new(),
            questions: SortedMap::new(),
            next_question: 1,
            pending_reads: Queue::new(),
            telling: false,
            settling: SortedSet::new(),
            frozen: false,
            lead: Lead::new(config.page.visible, now),
            load_waiters: Vec::new(),
            closing: None,
            closed: false,
            config,
        };
        let name = client.config.database.clone();
        client.request_store(StoreRequest::Open { name }, storage::StoreJob::Open);
        client
    }

    /// Accepts or refuses a command. An accepted one ends in `Event::Done` or `Event::Refused` with its id.
    ///
    /// # Errors
    /// What is wrong with the command itself: nothing has happened then.
    pub fn command(&mut self, now: Now, command: Command) -> Result<CommandId, Failure> {
        if self.closed || self.closing.is_some() {
            return Err(Failure::new(ErrorCode::Closed, "the client is closed"));
        }
        let id = self.next_command;
        self.next_command += 1;
        if self.must_wait(&command) {
            self.defer(now, id, command)?;
        } else {
            self.execute(now, id, command)?;
        }
        self.settle(now);
        Ok(id)
    }

    /// Takes in what the world says.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        if self.closed && !mutant::is(26) {
            return;
        }
        match input {
            Input::Socket(input) => self.on_socket(now, input),
            Input::Http { id, result } => self.on_http(now, id, result),
            Input::Store { id, reply } => self.on_store(now, id, &reply),
            Input::Page(input) => self.on_page_input(now, input),
            Input::Token { id, result } => {
                if !self.on_creations_token(id, &result) {
                    self.connection.on_token(id, result, now, &mut self.timers, &mut self.rng);
                }
            }
            Input::Tab(input) => self.on_tab(now, input),
        }
        self.settle(now);
    }

    /// Fires the timers that are due; an early call does nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.closed {
            return;
        }
        for timer in connection::TIMERS {
            if self.timers.take_due(timer, now.mono_ms) {
                self.connection.on_timer(timer, now, &mut self.timers, &mut self.rng);
            }
        }
        if self.timers.take_due(Timer::Hello, now.mono_ms) {
            self.on_no_hello(now);
        }
        if self.timers.take_due(Timer::Ack, now.mono_ms) {
            self.outbox.on_ack_timer(now);
        }
        for timer in [Timer::SendRetry, Timer::Expiry, Timer::Rate] {
            if self.timers.take_due(timer, now.mono_ms) {
                self.outbox.advance(now);
            }
        }
        if self.timers.take_due(Timer::HeldCopies, now.mono_ms) {
            self.outbox.on_held_timer(now);
        }
        if self.timers.take_due(Timer::Sync, now.mono_ms) {
            self.sync.retry_now();
        }
        self.on_people_timers(now);
        if self.timers.take_due(Timer::WireAck, now.mono_ms) {
            self.on_wire_ack_timer(now);
        }
        if self.timers.take_due(Timer::StoreRetry, now.mono_ms) {
            self.on_store_retry();
        }
        if self.timers.take_due(Timer::Token, now.mono_ms) {
            self.on_token_timer();
        }
        if self.timers.take_due(Timer::Rescan, now.mono_ms) {
            self.rescan(now);
            self.stop_waiting_for_leader();
            self.tell_state(now);
        }
        if self.timers.take_due(Timer::Silence, now.mono_ms) {
            self.on_silence();
        }
        if let Some(due) = self.timers.get(Timer::Lease)
            && self.timers.take_due(Timer::Lease, now.mono_ms)
        {
            let word = self.lead.on_timer(now, due, &mut self.timers);
            self.say_to_tabs(word);
        }
        self.settle(now);
    }

    /// The next thing to do; drain it to `None` after each call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Client::handle_timeout`], in monotonic milliseconds.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.timers.next()
    }

    fn emit(&mut self, event: Event) {
        if let Some(event) = self.tell(event) {
            self.outputs.push_back(Output::Event(event));
        }
    }

    fn done(&mut self, id: CommandId, outcome: Outcome) {
        self.emit(Event::Done { id, outcome });
    }

    fn done_with(&mut self, id: CommandId, message: Message) {
        self.done(id, Outcome::Message(Box::new(message)));
    }

    fn refuse(&mut self, id: CommandId, error: Failure) {
        self.emit(Event::Refused { id, error });
    }

    fn on_socket(&mut self, now: Now, input: SocketInput) {
        match input {
            SocketInput::Opened { conn, .. } => {
                self.connection.on_opened(conn, now, &mut self.timers, &mut self.rng);
            }
            SocketInput::Text { conn, text } => {
                let (timers, rng) = (&mut self.timers, &mut self.rng);
                if let Some(delivered) = self.connection.on_text(now, conn, &text, timers, rng) {
                    self.on_delivered(now, &delivered);
                }
            }
            SocketInput::Binary { conn, bytes } => {
                let (timers, rng) = (&mut self.timers, &mut self.rng);
                let held = self.connection.on_binary(now, conn, bytes, timers, rng);
                if let Some(delivered) = held.as_ref().and_then(|held| held.delivered()) {
                    self.on_delivered(now, &delivered);
                }
            }
            SocketInput::Closed { conn, code, reason } => {
                self.connection.on_closed(conn, code, &reason, now, &mut self.timers, &mut self.rng);
            }
            // That of an earlier socket says nothing of what is on this one.
            SocketInput::Drained { conn } if self.connection.conn() != Some(conn) => {}
            SocketInput::Drained { .. } => {
                self.outbox.on_drained();
                self.telling = false;
                self.flush_reads(now);
            }
        }
    }

    fn on_page_input(&mut self, now: Now, input: PageInput) {
        match input {
            PageInput::Frozen => self.frozen = true,
            PageInput::Resumed => {
                self.frozen = false;
                self.beside.thaw(now);
                self.rescan(now);
            }
            PageInput::Visible => {
                self.frozen = false;
                self.lead.on_visibility(now, true, &mut self.timers);
            }
            PageInput::Hidden => self.lead.on_visibility(now, false, &mut self.timers),
            _ => {}
        }
        self.connection.on_page(input, now, &mut self.timers, &mut self.rng);
        // A page that does not run would keep its lock, and whoever waits would wait with it.
        if self.frozen && self.lead.state() != State::Unasked {
            self.let_go(now);
        }
    }

    /// Carries actions between the machines until all are quiet, then writes what is dirty.
    fn settle(&mut self, now: Now) {
        loop {
            self.route(now);
            if !self.run_deferred(now) && !self.write(now) && !self.heed_wish(now) {
                break;
            }
        }
        self.tell_put_off();
        self.answer_wanted_beside();
        self.outbox.on_settled();
        self.say_rest();
        self.answer_connects();
        self.ask_for_creations(now);
        self.outbox.update_timers(now, &mut self.timers);
        self.finish_close(now);
    }
}
