//! The only loop: one mutation of the core, then drain, then deliver.
//!
//! Law: the core is borrowed for the length of one call and never while anything else runs, so that whatever a
//! listener, a socket or the store does in answer may come back in at any time; it waits in the inbox for its turn.
//! Events leave in batches: what ends a command, or fills a window from the store, at once; everything else at most
//! once in 16 ms, by whatever runs first (a hidden tab has slow timers, but messages arrive: rule 15). There is one timer for all of it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen_futures::JsFuture;

use super::convert::{self, Hooks};
use super::db::Db;
use super::http::Http;
use super::page::Page;
use super::socket::Sockets;
use super::timer::{self, Alarm};
use super::{Sink, spawn};
use crate::proto::config::Config;
use crate::proto::queue::Queue;
use crate::proto::{
    Client, Command, CommandId, ErrorCode, Event, Failure, Input, Now, Output, Secret, TabOutput, TokenId,
    TokenReason, everything,
};

/// A frame of a 60 Hz screen.
const BATCH_INTERVAL_MS: u64 = 16;
/// So long before a batch is due the clock is looked at anew.
const NEARLY_DUE_MS: u64 = 4;

pub struct Driver {
    this: Weak<Driver>,
    core: RefCell<Client>,
    /// When the clocks were last looked at: for the core, or behind the listeners. What follows in the same task is of that time:
    /// each look is two calls into JavaScript, and frames come by the thousand.
    now: Cell<Now>,
    hooks: Hooks,
    /// Whether somebody listens to `message`.
    hears: Cell<bool>,
    inbox: RefCell<Queue<Input>>,
    batch: RefCell<Batch>,
    pumping: Cell<bool>,
    scheduled: Cell<bool>,
    shut: Cell<bool>,
    alarm: Alarm,
    sockets: Sockets,
    http: Http,
    db: Db,
    /// Gone once shut: dropping it removes the listeners and frees the lock.
    page: RefCell<Option<Rc<Page>>>,
}

/// Events that wait for delivery.
#[derive(Default)]
struct Batch {
    waiting: Vec<Waiting>,
    /// A command has ended: somebody waits.
    urgent: bool,
    /// When the last batch had been taken in, in monotonic milliseconds.
    left_ms: u64,
}

enum Waiting {
    Event(Event),
    /// Another tab's words, in JSON already.
    Told(String),
}

impl Driver {
    pub fn new(config: Config, seed: [u8; 32], hooks: Hooks) -> Rc<Self> {
        let (persistent, database) = (config.persistent, config.database.clone());
        let driver = Rc::new_cyclic(|this: &Weak<Driver>| {
            let back = this.clone();
            let sink: Sink = Rc::new(move |input| {
                if let Some(driver) = back.upgrade() {
                    driver.input(input);
                }
            });
            let back = this.clone();
            let alarm = Alarm::new(move || {
                if let Some(driver) = back.upgrade() {
                    driver.wake();
                }
            });
            let db = Db::new(sink.clone(), persistent);
            if persistent {
                db.open_ahead(&database, everything());
            }
            let now = timer::now();
            Driver {
                this: this.clone(),
                core: RefCell::new(Client::new(config, seed, now)),
                now: Cell::new(now),
                hooks,
                hears: Cell::new(true),
                inbox: RefCell::default(),
                batch: RefCell::default(),
                pumping: Cell::new(false),
                scheduled: Cell::new(false),
                shut: Cell::new(false),
                alarm,
                sockets: Sockets::new(sink.clone()),
                http: Http::new(sink.clone()),
                db,
                page: RefCell::new(Some(Rc::new(Page::new(sink, persistent.then_some(database.as_str()))))),
            }
        });
        driver.schedule();
        driver
    }

    /// One command. The pump follows in a microtask: the caller must have the command's id before its outcome, and
    /// what is sent in one go is drained in one go.
    pub fn command(&self, command: Command) -> Result<CommandId, Failure> {
        let within_send = |_| {
            let text = "profile.send and isAuthError are only asked: they call nothing of the chat";
            Failure::new(ErrorCode::Config, text)
        };
        let id = self.core.try_borrow_mut().map_err(within_send)?.command(self.look_at_clock(), command)?;
        self.schedule();
        Ok(id)
    }

    pub fn hear(&self, messages: bool) {
        self.hears.set(messages);
    }

    pub fn diagnostics(&self) -> String {
        // Within `profile.send` the core is in the middle of something.
        self.core.try_borrow().map_or_else(|_| "{}".to_owned(), |core| core.diagnostics())
    }

    /// Ends everything that this instance has in the browser. Writes already handed over are finished.
    pub fn shut(&self) {
        if self.shut.replace(true) {
            return;
        }
        self.alarm.clear();
        self.sockets.close_all();
        self.http.abort_all();
        self.db.close();
        self.page.take();
    }

    fn input(&self, input: Input) {
        if !self.shut.get() {
            self.inbox.borrow_mut().push_back(input);
            self.pump();
        }
    }

    fn wake(&self) {
        self.core.borrow_mut().handle_timeout(self.look_at_clock());
        self.pump();
    }

    fn look_at_clock(&self) -> Now {
        let now = timer::now();
        self.now.set(now);
        now
    }

    fn schedule(&self) {
        if self.scheduled.replace(true) {
            return;
        }
        let this = self.this.clone();
        spawn(async move {
            if let Some(driver) = this.upgrade() {
                driver.scheduled.set(false);
                driver.pump();
            }
        });
    }

    /// Runs until nothing is left to do now; a call from within is taken up by the one that runs.
    fn pump(&self) {
        if self.pumping.replace(true) {
            return;
        }
        while !self.shut.get() && (self.drain() || self.take_input() || self.deliver()) {}
        self.pumping.set(false);
        self.set_alarm();
    }

    /// Executes all outputs, one at a time.
    fn drain(&self) -> bool {
        let mut any = false;
        loop {
            let next = self.core.borrow_mut().poll_output();
            let Some(output) = next else { break };
            any = true;
            self.execute(output);
        }
        let page = self.page.borrow().clone();
        if let Some(page) = page.filter(|_| any) {
            page.tell();
        }
        any
    }

    fn take_input(&self) -> bool {
        let next = self.inbox.borrow_mut().pop_front();
        let Some(input) = next else { return false };
        self.core.borrow_mut().handle_input(self.look_at_clock(), input);
        true
    }

    fn execute(&self, output: Output) {
        match output {
            Output::Socket(output) => self.sockets.execute(output),
            Output::Http { id, request } => self.http.start(id, request),
            Output::Store { id, request } => self.db.request(id, request),
            Output::Token { id, reason } => self.ask_token(id, reason),
            Output::Tab(output) => {
                let page = self.page.borrow().clone();
                match page {
                    Some(page) if matches!(output, TabOutput::Alone) => {
                        self.page.replace(Some(Rc::new(page.alone())));
                    }
                    Some(page) => page.execute(output),
                    None => {}
                }
            }
            Output::Event(event) => self.batch.borrow_mut().push(event),
            Output::Told(told) => self.batch.borrow_mut().waiting.push(Waiting::Told(told.0)),
        }
    }

    fn ask_token(&self, id: TokenId, reason: TokenReason) {
        let asked = self.hooks.token(reason);
        let this = self.this.clone();
        spawn(async move {
            let result = match asked {
                Ok(promise) => match JsFuture::from(promise).await {
                    Ok(token) => {
                        token.as_string().map(Secret).ok_or_else(|| "getToken gave no string".to_owned())
                    }
                    Err(error) => Err(convert::token_refusal(&error)),
                },
                Err(reason) => Err(reason),
            };
            if let Some(driver) = this.upgrade() {
                driver.input(Input::Token { id, result });
            }
        });
    }

    /// When the next batch may leave; `None`: nothing waits.
    fn batch_due_ms(&self) -> Option<u64> {
        let (batch, core) = (self.batch.borrow(), self.core.borrow());
        match batch.urgent || core.views_awaited() {
            true => Some(0),
            false if batch.waiting.is_empty() && !core.views_dirty() => None,
            false => Some(batch.left_ms + BATCH_INTERVAL_MS),
        }
    }

    fn deliver(&self) -> bool {
        let Some(due_ms) = self.batch_due_ms() else { return false };
        let mut now = self.now.get();
        if due_ms > now.mono_ms && due_ms <= now.mono_ms + NEARLY_DUE_MS {
            // What has come meanwhile took its time, and a hidden tab's timer is late.
            now = self.look_at_clock();
        }
        if due_ms > now.mono_ms {
            return false;
        }
        self.core.borrow_mut().flush_views(now);
        self.drain();
        let batch = self.batch.borrow_mut().take(self.hears.get());
        if let Some(batch) = batch {
            self.hooks.deliver(&batch);
        }
        // Counted from when the listeners are done: what they take does not eat up the pause.
        self.batch.borrow_mut().left_ms = self.look_at_clock().mono_ms;
        true
    }

    fn set_alarm(&self) {
        if self.shut.get() {
            return;
        }
        let core_ms = self.core.borrow().poll_timeout();
        let due_ms = [core_ms, self.batch_due_ms()].into_iter().flatten().min();
        if let Some(due_ms) = due_ms {
            self.alarm.wake_by(due_ms);
        }
    }
}

impl Batch {
    fn push(&mut self, event: Event) {
        self.urgent |= matches!(event, Event::Done { .. } | Event::Refused { .. });
        self.waiting.push(Waiting::Event(event));
    }

    /// As a JSON array; `None` where there is nothing to tell.
    ///
    /// A text `message` that nobody hears is left out: it is the most frequent event and the longest, a fifth of what a burst cost
    /// the page. Whoever hears something else of this batch before it may begin to listen then.
    fn take(&mut self, mut hears: bool) -> Option<String> {
        self.urgent = false;
        let mut json = String::new();
        for waiting in core::mem::take(&mut self.waiting) {
            if let Waiting::Event(Event::Message { message, .. }) = &waiting {
                if !hears && message.kind == "text" {
                    continue;
                }
            } else {
                hears |= !matches!(waiting, Waiting::Event(Event::View(_)));
            }
            json.push(if json.is_empty() { '[' } else { ',' });
            match waiting {
                Waiting::Event(event) => event.write_json(&mut json),
                Waiting::Told(told) => json.push_str(&told),
            }
        }
        if json.is_empty() {
            return None;
        }
        json.push(']');
        Some(json)
    }
}
