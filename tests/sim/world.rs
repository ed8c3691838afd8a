//! The world of one run: devices, disks, backend and links under one clock.
//!
//! Law: everything happens in the order of its moment, then of its making; chance comes from the dice alone. What is
//! wrong is a [`Violation`], which ends the run.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::{Client, HttpId, HttpRequest, Input, StoreId, StoreRequest};

use super::device::Device;
use super::dice::{Choice, Dice};
use super::disk::Disk;
use super::ledger::Ledger;
use super::plan::{Act, Plan};
use super::server::{Server, SocketId};
use super::story::Story;
use super::told::ToldEvents;

/// The tenth of January 2026: room before it for clocks that are wrong.
pub const WALL_MS: u64 = 1_768_003_200_000;

/// So many steps without time passing are a loop: whoever has slept for days hears at once what two other tabs have said
/// meanwhile (107241886: more than a hundred thousand words).
const MAX_STEPS_AT_ONCE: u32 = 500_000;

#[derive(Clone, Debug)]
pub struct Violation {
    /// The checker that saw it.
    pub checker: &'static str,
    pub what: String,
}

pub enum Happening {
    Input(Input),
    Opened(u32),
    ToClient { conn: u32, text: String },
    ClientClosed { conn: u32, code: u16 },
    ToServer { conn: u32, text: String, queued: (usize, Option<u64>), behind: Vec<usize> },
    FromServer { conn: u32, text: String },
    Ping(u32),
    Store(StoreId, StoreRequest),
    Http(HttpId, HttpRequest),
    Flush,
    Act(usize),
    Change(usize),
    Deeds(usize),
    Start,
    Wake { thaw: bool },
    Shown,
    OnlineAgain,
    ServerUp,
}

/// Which device and which of its lives.
pub type Whose = (usize, u32);

pub struct World {
    /// Milliseconds since the beginning, by the clock of the heavens.
    pub t: u64,
    pub plan: Plan,
    pub dice: Dice,
    pub devices: Vec<Device>,
    pub disks: Vec<Disk>,
    pub server: Server,
    pub server_skew_ms: i64,
    /// The server's clock was set: by its times its messages have another order than by their coming.
    pub server_clock_set: bool,
    /// Some clock was so far ahead of the server's that copies without a key are not known again by their content.
    pub clocks_apart: bool,
    /// A live message has not come, on a socket that lived on.
    pub copies_lost: bool,
    pub ledger: Ledger,
    pub story: Story,
    pub violation: Option<Violation>,
    /// Delays before attempts to connect, as shares of the longest that each may be.
    pub delays: Vec<f64>,
    pub events: u64,
    /// Nights that have gone by: the schedule waits for them.
    pub shift_ms: u64,
    /// What tabs have told each other.
    pub told: ToldEvents,
    pub queue: BTreeMap<(u64, u64), (Whose, Happening)>,
    made: u64,
    at_once: u32,
}

impl World {
    pub fn new(seed: u64, muted: BTreeSet<Choice>, plan: Plan, story: Story) -> Self {
        let disks = plan.persons.iter().map(|person| person.disk + 1).max().unwrap_or(1);
        let mut world = Self {
            t: 1000,
            dice: Dice::new(seed, muted),
            devices: plan.persons.iter().map(|person| Device::new(person.clone())).collect(),
            disks: (0..disks).map(|_| Disk::of(&plan)).collect(),
            server: Server::new(&plan),
            server_skew_ms: 0,
            server_clock_set: false,
            clocks_apart: false,
            copies_lost: false,
            ledger: Ledger::default(),
            story,
            violation: None,
            delays: Vec::new(),
            events: 0,
            told: ToldEvents::default(),
            shift_ms: 0,
            queue: BTreeMap::new(),
            made: 0,
            at_once: 0,
            plan,
        };
        (0..world.devices.len()).for_each(|at| world.start(at));
        world.plan_act(0);
        world.plan_change(0);
        world.plan_deeds(0);
        world
    }

    /// Something is wrong; the first word counts.
    pub fn wrong(&mut self, checker: &'static str, what: String) {
        self.say(|| format!("VIOLATION of `{checker}`: {what}"));
        self.violation.get_or_insert(Violation { checker, what });
    }

    pub fn say(&mut self, line: impl FnOnce() -> String) {
        self.story.tell(self.t, line);
    }

    pub fn name(&self, at: usize) -> &'static str {
        self.devices[at].person.name
    }

    pub fn push(&mut self, at: usize, delay_ms: u64, what: Happening) {
        let life = self.devices.get(at).map_or(0, |device| device.life);
        self.push_for((at, life), self.t + delay_ms, what);
    }

    /// What comes to a socket in the very moment in which its page wakes comes after it: what is put off until then would
    /// stand behind it, and a socket keeps its order.
    pub fn push_for(&mut self, whose: Whose, at_ms: u64, what: Happening) {
        let wakes = self.devices.get(whose.0).and_then(|device| device.asleep_until) == Some(at_ms);
        self.put_off(whose, at_ms + u64::from(wakes && of_socket(&what)), what);
    }

    fn put_off(&mut self, whose: Whose, at_ms: u64, what: Happening) {
        self.made += 1;
        self.queue.insert((at_ms.max(self.t), self.made), (whose, what));
    }

    /// What of a device is under way and matches, in order; it is taken out.
    pub fn take_queued(&mut self, wanted: impl Fn(&Whose, &Happening) -> bool) -> Vec<(Whose, Happening)> {
        let keys: Vec<(u64, u64)> =
            self.queue.iter().filter(|(_, (whose, what))| wanted(whose, what)).map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| self.queue.remove(key)).collect()
    }

    /// A page sleeps longer than it was to: what waits for it comes before all that will wait for the new time, and what
    /// waited for the old one before that.
    pub fn keep_in_order(&mut self, at: usize, before_ms: u64) {
        use Happening as H;
        let Some(until) = self.devices[at].asleep_until else { return };
        let waits = |key: &(u64, u64), whose: &Whose, what: &H| {
            let heard = matches!(what, H::Input(_)) || of_socket(what);
            heard && key.0 < until && whose.0 == at
        };
        let waiting = self.queue.iter().filter(|(key, (whose, what))| waits(key, whose, what));
        let mut keys: Vec<(u64, u64)> = waiting.map(|(key, _)| *key).collect();
        // So does what a stall held up, though it waits for that to end.
        let stalled_until = self.devices[at].stalled_until;
        keys.sort_by_key(|key| (key.0 != before_ms, key.0 != stalled_until));
        for key in keys {
            if let Some((whose, what)) = self.queue.remove(&key) {
                self.put_off(whose, until, what);
            }
        }
    }

    /// How long a page sleeps that is to sleep so long: nothing comes to its sockets in the moment in which it wakes.
    pub fn sleep_of(&self, at: usize, ms: u64) -> u64 {
        let mut until = self.t + ms;
        while self.queue.iter().any(|(key, (whose, what))| key.0 == until && whose.0 == at && of_socket(what))
        {
            until += 1;
        }
        until - self.t
    }

    /// It was to wake now, and sleeps on: what its sockets have for it since that was said comes behind its waking, as what
    /// is still to come does. Before it, it would be put off once more, behind that.
    pub fn wake_later(&mut self, whose: Whose, until: u64, thaw: bool) {
        self.push_for(whose, until, Happening::Wake { thaw });
        self.move_queued(until, |key, of, what| of_socket(what) && key.0 == until && *of == whose);
    }

    /// What is under way and matches comes then, in the order in which it was to come, behind what is there already.
    pub fn move_queued(&mut self, until: u64, waits: impl Fn(&(u64, u64), &Whose, &Happening) -> bool) {
        let waiting = self.queue.iter().filter(|(key, (of, what))| waits(key, of, what));
        let keys: Vec<(u64, u64)> = waiting.map(|(key, _)| *key).collect();
        for key in keys {
            if let Some((of, what)) = self.queue.remove(&key) {
                self.put_off(of, until, what);
            }
        }
    }

    fn plan_act(&mut self, index: usize) {
        if let Some((at, _)) = self.plan.acts.get(index) {
            self.push_for((usize::MAX, 0), at + self.shift_ms, Happening::Act(index));
        }
    }

    fn next_timer(&self) -> Option<(u64, usize)> {
        let devices = self.devices.iter().enumerate();
        let timers = devices.filter_map(|(at, device)| Some((device.next_timer()?, at)));
        timers.min()
    }

    /// One happening or one timer, if one is due by `until`.
    pub fn step(&mut self, until: u64) -> bool {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let timer = self.next_timer();
        let moment = queued.into_iter().chain(timer.map(|(at, _)| at)).min();
        let Some(moment) = moment.map(|at| at.max(self.t)).filter(|at| *at <= until) else { return false };
        self.at_once = if moment > self.t { 0 } else { self.at_once + 1 };
        if self.at_once > MAX_STEPS_AT_ONCE {
            self.wrong("time goes on", "the clients never come to rest".to_owned());
            return false;
        }
        self.set_time(moment);
        match timer {
            Some((at, device)) if queued.is_none_or(|queued| at < queued) => self.fire(device),
            _ => {
                if let Some(entry) = self.queue.first_entry() {
                    let (whose, what) = entry.remove();
                    self.happen(whose, what);
                }
            }
        }
        self.violation.is_none()
    }

    fn set_time(&mut self, t: u64) {
        self.t = t;
        self.server.wall_ms = (WALL_MS + t).saturating_add_signed(self.server_skew_ms);
    }

    /// Until that moment, or until something is wrong.
    pub fn run_until(&mut self, until: u64) {
        while self.step(until) {}
        if self.violation.is_none() {
            self.set_time(until.max(self.t));
        }
    }

    /// The storm: until the schedule is through.
    pub fn run_schedule(&mut self) {
        while self.violation.is_none() {
            let end = self.plan.storm_ms + self.shift_ms;
            if !self.step(end) {
                break;
            }
        }
        let end = self.plan.storm_ms + self.shift_ms;
        if self.violation.is_none() {
            self.set_time(end.max(self.t));
        }
    }

    fn fire(&mut self, at: usize) {
        self.events += 1;
        let now = self.devices[at].now(self.t);
        if let Some(client) = &mut self.devices[at].client {
            client.handle_timeout(now);
        }
        self.drain(at);
    }

    fn happen(&mut self, whose: Whose, what: Happening) {
        let (at, life) = whose;
        match what {
            Happening::Act(index) => {
                self.plan_act_after(index);
                return;
            }
            Happening::Deeds(index) => {
                self.events += 1;
                return self.do_deeds(index);
            }
            Happening::Change(index) => return self.change_act(index),
            Happening::ServerUp => {
                self.server.down = false;
                return self.say(|| "the server is up again".to_owned());
            }
            Happening::ToServer { conn, text, queued, behind } => {
                return self.at_server((at, life, conn), &text, queued, behind);
            }
            Happening::FromServer { conn, text } => return self.server_says((at, life, conn), text),
            Happening::Ping(conn) => return self.ping((at, life, conn)),
            Happening::Store(id, request) => return self.on_store(whose, id, &request),
            Happening::Http(id, request) => return self.on_http(whose, id, &request),
            _ => {}
        }
        if self.devices[at].life != life {
            return;
        }
        match what {
            Happening::Wake { thaw } => self.wake(at, thaw),
            // A page that does not run hears of everything later.
            what if self.devices[at].asleep_until.is_some() => {
                let device = &self.devices[at];
                let mut until = device.asleep_until.unwrap_or(self.t);
                if device.stalled_until > self.t {
                    // Not before what came earlier and stands there: a socket keeps its order.
                    until = until.min(device.stalled_until);
                }
                let until = self.backlog_at(at, until, &what);
                self.put_off(whose, until, what);
            }
            Happening::Start => self.start(at),
            Happening::Input(input) => self.input(at, input),
            Happening::Opened(conn) => self.opened(at, conn),
            Happening::ToClient { conn, text } => self.client_hears(at, conn, text),
            Happening::ClientClosed { conn, code } => self.client_closed(at, conn, code),
            Happening::Flush => {
                self.devices[at].flushing = false;
                let now = self.devices[at].now(self.t);
                if let Some(client) = &mut self.devices[at].client {
                    client.flush_views(now);
                }
                self.drain(at);
            }
            Happening::Shown => self.page(at, chatwire::proto::PageInput::Visible),
            Happening::OnlineAgain => self.page(at, chatwire::proto::PageInput::Online),
            _ => {}
        }
    }

    fn plan_act_after(&mut self, index: usize) {
        let act: Act = self.plan.acts[index].1.clone();
        if !self.dice.is_muted(index) {
            self.events += 1;
            self.act(index, act);
            (0..self.devices.len()).for_each(|at| self.check_limits(at));
        }
        self.plan_act(index + 1);
    }

    /// After a clock was set.
    pub fn see_clocks(&mut self) {
        let ahead = |device: &Device| device.wall_skew_ms - self.server_skew_ms > 590_000;
        self.clocks_apart |= self.devices.iter().any(ahead);
    }

    /// Counts the cells of the tables of connection and lead that a life has been through.
    pub fn count_cells(&mut self, at: usize) {
        if let Some(client) = &self.devices[at].client {
            for (cell, reached) in client.cells() {
                *self.dice.coverage.cells.entry(cell).or_default() += u64::from(reached);
            }
        }
    }

    pub fn diagnostics(&self, at: usize) -> String {
        self.devices[at].client.as_ref().map_or_else(|| "dead".to_owned(), Client::diagnostics)
    }

    /// The same, read; `null` where it cannot be.
    pub fn numbers(&self, at: usize) -> serde_json::Value {
        serde_json::from_str(&self.diagnostics(at)).unwrap_or_default()
    }

    /// The socket of a device that the server knows.
    pub fn session_of(&self, at: usize) -> Option<SocketId> {
        let life = self.devices[at].life;
        self.server.sessions.keys().rev().find(|(device, of, _)| *device == at && *of == life).copied()
    }
}

/// What comes to a page through one of its sockets.
pub fn of_socket(what: &Happening) -> bool {
    matches!(what, Happening::Opened(_) | Happening::ToClient { .. } | Happening::ClientClosed { .. })
}
