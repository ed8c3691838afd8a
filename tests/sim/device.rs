//! One page: its client, its clocks, its sockets, and what the page does to it.

use std::collections::BTreeMap;

use chatwire::proto::config::{Config, PageFacts};
use chatwire::proto::{
    Client, Command, Event, Input, Now, Output, PageInput, Secret, SocketInput, SocketOutput, TokenId,
    TokenReason,
};

use super::checks::Asked;
use super::eyes::Eyes;
use super::faults::Fault;
use super::plan::Person;
use super::text;
use super::world::{Happening, WALL_MS, World};

/// One socket of one life, as the network sees it.
#[derive(Default)]
pub struct Link {
    /// The client has closed it or has been told of its end.
    pub closed: bool,
    /// Nothing passes any more, and nobody is told.
    pub dead: bool,
    pub out_last: u64,
    pub in_last: u64,
    /// The last change of a message, which may have overtaken its message.
    pub changes_last: u64,
}

pub struct Device {
    pub person: Person,
    pub client: Option<Client>,
    pub life: u32,
    /// The sim's time at which this life's monotonic clock would have been zero.
    zero: i64,
    clock_stops_until: u64,
    pub wall_skew_ms: i64,
    pub asleep_until: Option<u64>,
    /// When its clocks, its network or its sleep last gave it reason to doubt its link.
    pub troubled_ms: u64,
    /// It hears that it was frozen when it wakes up.
    pub frozen: bool,
    /// When the last word of other tabs comes that waited for it to thaw.
    pub words_last: u64,
    pub stalled_until: u64,
    pub links: BTreeMap<u32, Link>,
    /// Answers that have come out of sockets which were closed: they turn up again beside later sends.
    pub late: Vec<(u32, String)>,
    pub store_last: u64,
    pub flushing: bool,
    pub leads: bool,
    /// Stands in the queue for the lock.
    pub waits: bool,
    /// The token that the application holds.
    pub token: u64,
    pub visible: bool,
    pub online: bool,
    /// Connects after the faults have stopped.
    pub nudges: u32,
    pub eyes: Eyes,
}

impl Device {
    pub fn new(person: Person) -> Self {
        Self {
            wall_skew_ms: person.wall_skew_ms,
            person,
            client: None,
            life: 0,
            zero: 0,
            clock_stops_until: 0,
            asleep_until: None,
            troubled_ms: 0,
            frozen: false,
            words_last: 0,
            stalled_until: 0,
            links: BTreeMap::new(),
            late: Vec::new(),
            store_last: 0,
            flushing: false,
            leads: false,
            waits: false,
            token: 1,
            visible: true,
            online: true,
            nudges: 0,
            eyes: Eyes::default(),
        }
    }

    pub fn now(&self, t: u64) -> Now {
        Now {
            mono_ms: u64::try_from(t as i64 - self.zero).unwrap_or(0),
            wall_ms: (WALL_MS + t).saturating_add_signed(self.wall_skew_ms),
        }
    }

    /// When its next timer is due, unless it sleeps.
    pub fn next_timer(&self) -> Option<u64> {
        if self.asleep_until.is_some() {
            return None;
        }
        let due = self.client.as_ref()?.poll_timeout()?;
        Some(u64::try_from((due as i64).saturating_add(self.zero)).unwrap_or(0))
    }

    /// The machine sleeps: where the monotonic clock stops, this life has lived less.
    pub fn sleep(&mut self, t: u64, ms: u64) {
        let until = self.asleep_until.unwrap_or(t).max(t + ms);
        if self.person.stops_in_sleep {
            self.zero += (until - self.clock_stops_until.max(t)) as i64;
            self.clock_stops_until = until;
        }
        self.asleep_until = Some(until);
        self.troubled_ms = until;
    }

    /// Wakes before its time; whether it slept.
    pub fn rouse(&mut self, t: u64) -> bool {
        self.zero -= self.clock_stops_until.saturating_sub(t) as i64;
        (self.clock_stops_until, self.words_last) = (0, t);
        self.asleep_until.take().is_some()
    }
}

impl World {
    /// A new life on the same disk.
    pub fn start(&mut self, at: usize) {
        if self.devices[at].client.is_some() {
            self.kill(at);
        }
        if self.dice.strikes(Fault::ClockSkew, at).is_some() {
            self.devices[at].wall_skew_ms += 3_600_000;
        }
        self.see_clocks();
        let (t, seed) = (self.t, self.dice.between(super::dice::KEYS, at, 0, u64::MAX - 1));
        let options = self.plan.options(self.devices[at].person.user);
        let mono_ms = 1000 + seed % 5_000_000;
        let device = &mut self.devices[at];
        device.life += 1;
        device.zero = t as i64 - mono_ms as i64;
        (device.asleep_until, device.frozen) = (None, false);
        device.clock_stops_until = 0;
        device.words_last = t;
        device.links.clear();
        device.late.clear();
        device.store_last = t;
        device.flushing = false;
        let page = PageFacts { online: device.online, visible: device.visible };
        let mut config = Config::parse(&options.to_string(), page).unwrap();
        (config.pages, config.history) = (self.plan.pages, self.plan.history);
        device.eyes.begin();
        let seed = core::array::from_fn(|byte| (seed >> (byte % 8 * 8)) as u8 ^ byte as u8);
        device.client = Some(Client::new(config, seed, device.now(t)));
        let name = self.name(at);
        let skew_ms = self.devices[at].wall_skew_ms;
        self.say(|| match skew_ms {
            0 => format!("{name} starts"),
            skew_ms => format!("{name} starts, its clock is {skew_ms} ms off"),
        });
        self.drain(at);
        for (view, room) in (1..).zip(super::plan::ROOMS) {
            let command = Command::OpenTimeline { view, conversation_id: room.to_owned() };
            self.command(at, command, Asked::Other);
        }
        // An application connects when its page is loaded, most of the time.
        if self.devices[at].life > 1 && mono_ms % 4 > 0 {
            self.connect(at);
        }
    }

    /// The process is gone in this moment.
    pub fn kill(&mut self, at: usize) {
        self.count_cells(at);
        self.devices[at].client = None;
        let conns: Vec<u32> = self.devices[at].links.keys().copied().collect();
        for conn in conns {
            self.end_out(at, conn);
        }
        if self.dice.strikes(Fault::WritesLostAtKill, at).is_some() {
            let whose = (at, self.devices[at].life);
            self.take_queued(|of, what| *of == whose && matches!(what, Happening::Store(..)));
        }
        self.devices[at].life += 1;
        self.devices[at].asleep_until = None;
        let home = self.devices[at].person.disk;
        self.disks[home].taken_in.clear();
        self.disturb_tabs(at);
        self.free_lead(at);
        if self.dice.strikes(Fault::TornRecord, at).is_some() {
            self.tear_record(at);
        }
    }

    pub fn input(&mut self, at: usize, input: Input) {
        self.events += 1;
        let now = self.devices[at].now(self.t);
        self.see_input(at, &input);
        if let Input::Store { id, .. } = &input {
            self.see_read_answered(at, *id);
        }
        if let Some(client) = &mut self.devices[at].client {
            client.handle_input(now, input);
        }
        self.drain(at);
    }

    pub fn page(&mut self, at: usize, input: PageInput) {
        let t = self.t;
        let device = &mut self.devices[at];
        if input != PageInput::Hidden {
            device.troubled_ms = t;
        }
        match input {
            PageInput::Visible => device.visible = true,
            PageInput::Hidden => device.visible = false,
            PageInput::Online => device.online = true,
            PageInput::Offline => device.online = false,
            _ => {}
        }
        let name = self.name(at);
        self.say(|| format!("{name}: the page is {input:?}"));
        self.input(at, Input::Page(input));
    }

    pub fn wake(&mut self, at: usize, thaw: bool) {
        if self.devices[at].asleep_until.is_some_and(|until| until > self.t) {
            let whose = (at, self.devices[at].life);
            let until = self.devices[at].asleep_until.unwrap_or(self.t);
            return self.wake_later(whose, until, thaw);
        }
        (self.devices[at].asleep_until, self.devices[at].frozen) = (None, false);
        self.devices[at].eyes.wire.online_since = self.t;
        self.devices[at].troubled_ms = self.t;
        self.disturb_tabs(at);
        let name = self.name(at);
        self.say(|| format!("{name} wakes up"));
        if thaw {
            self.page(at, PageInput::Resumed);
        }
    }

    pub fn command(&mut self, at: usize, command: Command, asked: Asked) -> bool {
        let now = self.devices[at].now(self.t);
        if self.devices[at].asleep_until.is_some() {
            return false;
        }
        let Some(client) = &mut self.devices[at].client else { return false };
        let id = client.command(now, command);
        let accepted = id.is_ok();
        match id {
            Ok(id) => _ = self.devices[at].eyes.asked.insert(id, asked),
            Err(failure) => {
                self.see_words(&failure.message);
                self.see_change_refused(asked);
            }
        }
        self.drain(at);
        accepted
    }

    /// Carries out whatever this client wants done.
    pub fn drain(&mut self, at: usize) {
        while self.violation.is_none() {
            let Some(client) = &mut self.devices[at].client else { return };
            let Some(output) = client.poll_output() else { break };
            self.see_output(at, &output);
            if self.dice.strikes(Fault::KilledAtOutput, at).is_some() {
                let name = self.name(at);
                self.say(|| format!("{name} is killed before it can do: {output:?}"));
                self.lose_words(at, output);
                self.kill(at);
                self.push(at, 500, Happening::Start);
                return;
            }
            self.execute(at, output);
        }
        self.devices[at].eyes.closed |= self.devices[at].eyes.closing;
        self.check_disconnected(at);
        let Some(client) = &self.devices[at].client else { return };
        if self.devices[at].eyes.closed && client.poll_timeout().is_some() {
            let name = self.name(at);
            return self.wrong("silence after close", format!("{name} still waits for a moment"));
        }
        if client.views_dirty() && !self.devices[at].flushing {
            self.devices[at].flushing = true;
            self.push(at, 16, Happening::Flush);
        }
    }

    fn execute(&mut self, at: usize, output: Output) {
        match output {
            Output::Socket(SocketOutput::Open { conn, .. }) => self.open_socket(at, conn),
            Output::Socket(SocketOutput::Text { conn, text }) => self.frame_out(at, conn, text),
            Output::Socket(SocketOutput::Binary { .. }) => {
                self.wrong("frames are text", "this profile sends nothing binary".to_owned());
            }
            Output::Socket(SocketOutput::Close { conn, reason, .. }) => self.close_socket(at, conn, &reason),
            Output::Socket(SocketOutput::WatchDrain { conn }) => {
                let drained = Input::Socket(SocketInput::Drained { conn });
                self.push(at, 1, Happening::Input(drained));
            }
            Output::Store { id, request } => {
                self.see_read_asked(at, id, &request);
                let mut delay = self.dice.between(super::dice::STORE_DELAY, at, 0, 8);
                if let Some(n) = self.dice.strikes(Fault::StoreSlow, at) {
                    delay += n % 4000;
                }
                let due = self.devices[at].store_last.max(self.t + delay);
                self.devices[at].store_last = due;
                let whose = (at, self.devices[at].life);
                self.push_for(whose, due, Happening::Store(id, request));
            }
            Output::Http { id, request } => {
                // A change is carried out as it leaves (`changes.rs`).
                let latency = if request.method == "GET" { self.latency(at) } else { 0 };
                self.push(at, latency, Happening::Http(id, request));
            }
            Output::Token { id, reason } => self.on_token(at, id, reason),
            Output::Tab(output) => self.on_tab(at, output),
            Output::Event(event) => {
                self.told.note(&event);
                self.on_event(at, event);
            }
            Output::Told(told) => {
                let event = self.told.read(&told.0);
                // What is shown of another tab's connection says nothing of this one's.
                match event {
                    Event::Connection { connection } => {
                        self.devices[at].eyes.tabs.shown = Some(connection.state);
                    }
                    event => self.on_event(at, event),
                }
            }
        }
    }

    fn on_token(&mut self, at: usize, id: TokenId, reason: TokenReason) {
        let fresh = self.server.token;
        let mut delay = 1;
        if let Some(n) = self.dice.strikes(Fault::TokenSlow, at) {
            delay = 10 + n % 30_000;
        }
        let user = self.devices[at].person.user;
        let result = if self.dice.strikes(Fault::TokenFails, at).is_some() {
            Err(format!("no token today, {}", text::TOKEN.len()))
        } else if self.dice.strikes(Fault::TokenEmpty, at).is_some() {
            Ok(String::new())
        } else {
            // An application keeps its token until it is told that it is no good.
            let stale = self.dice.strikes(Fault::TokenExpired, at).is_some();
            if (reason != TokenReason::Connect || self.dice.calm) && !stale {
                self.devices[at].token = fresh;
            }
            Ok(text::token(user, self.devices[at].token))
        };
        let input = Input::Token { id, result: result.map(Secret) };
        self.push(at, delay, Happening::Input(input));
    }

    pub fn on_event(&mut self, at: usize, event: Event) {
        self.see_event(at, event);
    }
}
