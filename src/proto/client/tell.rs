//! What tabs tell each other beside the store: what only the leader knows, and what others want of it.
//!
//! Law: what is told of messages is told when the store has it, so that no tab hears of what another leader would tell
//! again; each event once in every tab, a status never back. What was told of connection, people and phase holds as long
//! as its teller leads; of an older generation none of it is believed.

use super::super::api::{Changes, Event, Now, Output, TabOutput, Told};
use super::super::lead::State;
use super::super::model::{Phase, Status};
use super::super::queue::Queue;
use super::super::timeline::Change;
use super::super::wire::json::{self, Object, RawValue};
use super::Client;
use super::errands::Errands;
use crate::proto::sorted::{SortedMap, SortedSet};
use crate::proto::timer::Timer;

mod hello;
mod known;
mod sound;
mod statuses;

use sound::is_sound;
use statuses::Statuses;

/// Events that wait for their commit. Those beyond it no other tab hears.
const MAX_WAITING: usize = 1000;
/// What was said to a page while it was frozen has come by then.
const THAW_MS: u64 = 1000;

/// The other tabs of this database.
#[derive(Default)]
pub(super) struct Beside {
    /// Some other tab has said something.
    pub heard: bool,
    /// Other tabs cannot be heard here; or the leader has not answered.
    pub deaf: bool,
    silent: bool,
    /// The newest generation whose leader was heard, or that the store names.
    pub generation: u64,
    /// The leader's connection: the event as JSON, while it is worth showing, and whether it is online.
    connection: Option<String>,
    pub online: bool,
    pub errands: Errands,
    /// Of which conversations windows of other tabs want more.
    pub wanted: SortedSet<(String, u32)>,
    /// Of which conversations windows here wait for the leader.
    pub wishes: SortedMap<String, u32>,
    /// Told when what they tell of is stored.
    waiting: Vec<Untold>,
    statuses: Statuses,
    /// The newest stamp of the present leader that is contained in what is known here.
    pub last: u64,
    /// Posts that wait until the store has been read; there were more of them.
    pub kept: Queue<Box<Changes>>,
    /// Until then words of tabs that do not lead may be older than what was read last.
    pub unsure_until_mono_ms: u64,
    pub overflown: bool,
}

/// What is told when what it tells of is stored.
#[derive(Debug)]
pub(super) struct Untold {
    others: Option<Told>,
    /// What this tab's own listeners wait for too.
    here: Option<Event>,
}

impl Beside {
    /// This page was frozen.
    pub fn thaw(&mut self, now: Now) {
        self.unsure_until_mono_ms = now.mono_ms + THAW_MS;
    }

    /// What was known of messages is gone with the store.
    pub fn forget(&mut self) {
        self.statuses = Statuses::default();
        (self.generation, self.last) = (0, 0);
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING
    }

    pub fn take_waiting(&mut self) -> Vec<Untold> {
        core::mem::take(&mut self.waiting)
    }

    /// A transaction did not take place: what was to be told with it waits on.
    pub fn wait_on(&mut self, mut told: Vec<Untold>) {
        told.append(&mut self.waiting);
        self.waiting = told;
    }
}

/// Where an event says whether its tab leads.
fn lead_of(event: &mut Event) -> Option<&mut bool> {
    match event {
        Event::Connection { connection } => Some(&mut connection.leader),
        Event::Message { leader, .. } => Some(leader),
        _ => None,
    }
}

fn ack_of(event: &mut Event) -> Option<&mut Option<u64>> {
    if let Event::Wire { ack_id, .. } = event { Some(ack_id) } else { None }
}

impl Client {
    /// Every event of this tab passes here. What is given back is told to its own listeners now: nothing where another
    /// tab has told more of it already, or where it waits for its commit. Only a leader whose commit stands tells of a
    /// message that it has come, for no later leader will tell it again: it rings in one tab.
    pub(super) fn tell(&mut self, event: Event) -> Option<Event> {
        let mut event = self.tell_of_errand(event)?;
        if let Event::Status { row_key, status, .. } = &event {
            let answered = matches!(status, Status::Acknowledged | Status::Delivered | Status::Read);
            if answered {
                self.beside.statuses.raise(row_key, *status);
            } else if self.beside.statuses.get(row_key).is_some() {
                return None;
            }
            if !answered {
                return Some(event);
            }
        }
        if !self.leads() {
            return self.fresh(event);
        }
        let (stored, here) = match &event {
            // So that whoever waits for a new leader hears of it.
            Event::Connection { .. } => (false, true),
            _ if !self.beside.heard => return self.fresh(event),
            Event::Typing { .. } | Event::Presence { .. } | Event::Wire { .. } => (false, true),
            Event::Phase { .. } => (!self.storage.blocked && !self.beside.is_full(), true),
            // In their order; while the store takes nothing they wait for nothing.
            Event::Message { .. }
            | Event::MessageUpdated { .. }
            | Event::MessageDeleted { .. }
            | Event::Reaction { .. } => (true, self.storage.blocked),
            Event::Status { .. } | Event::Gap { .. } => (true, true),
            _ => return Some(event),
        };
        let mut text = String::new();
        // The others do not lead, and answer nobody.
        let led = lead_of(&mut event).is_some_and(core::mem::take);
        let asked = ack_of(&mut event).and_then(Option::take);
        event.write_json(&mut text);
        if let Some(leader) = lead_of(&mut event) {
            *leader = led;
        }
        if let Some(ack_id) = ack_of(&mut event) {
            *ack_id = asked;
        }
        let others = Told(text);
        if !stored {
            self.say(self.lead.generation, others);
            return Some(event);
        }
        let full = self.beside.is_full();
        let (event, here) = if here { (self.fresh(event), None) } else { (None, Some(event)) };
        if !full {
            self.beside.waiting.push(Untold { others: Some(others), here });
        } else if here.is_some() {
            // The others show the rows.
            self.beside.waiting.push(Untold { others: None, here });
        }
        event
    }

    /// A message that is not known to have been told in this tab, and anything else.
    fn fresh(&mut self, event: Event) -> Option<Event> {
        match &event {
            Event::Message { message, .. }
                if !self.beside.statuses.raise(&message.row_key, Status::Acknowledged) =>
            {
                None
            }
            _ => Some(event),
        }
    }

    fn tell_here(&mut self, untold: &mut Untold) {
        if let Some(event) = untold.here.take()
            && let Some(event) = self.fresh(event)
        {
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// The store takes nothing, who knows for how long: this tab's listeners wait no longer.
    pub(super) fn tell_all_here(&mut self) {
        if let Some(mut flight) = self.storage.unclear.take() {
            for untold in &mut flight.told {
                self.tell_here(untold);
            }
            self.storage.unclear = Some(flight);
        }
        let mut told = self.beside.take_waiting();
        for untold in &mut told {
            self.tell_here(untold);
        }
        self.beside.waiting = told;
    }

    fn say(&mut self, generation: u64, event: Told) {
        self.outputs.push_back(Output::Tab(TabOutput::Tell { generation, event }));
    }

    /// The store has what these tell of.
    pub(super) fn say_all(&mut self, told: Vec<Untold>) {
        // Of one that leads no longer what it says of messages holds all the same.
        let generation = if self.leads() { self.lead.generation } else { 0 };
        let mut phase = String::new();
        Event::Phase { phase: self.timelines.phase() }.write_json(&mut phase);
        for mut untold in told {
            self.tell_here(&mut untold);
            // A phase that is over would be the last one heard where what came after it did not wait.
            if let Some(event) = untold.others
                && (event.0 == phase || !event.0.starts_with(r#"{"type":"phase""#))
            {
                self.say(generation, event);
            }
        }
    }

    /// What nothing on its way into the store will tell.
    pub(super) fn say_rest(&mut self) {
        if !self.beside.waiting.is_empty() && !self.storage.writing && !self.timelines.has_dirty() {
            let told = self.beside.take_waiting();
            self.say_all(told);
        }
    }

    pub(super) fn on_told(&mut self, now: Now, generation: u64, events: &Told) {
        let Some(events) = json::parse(&events.0, 0).ok().and_then(json::array) else { return };
        if generation > self.beside.generation {
            self.on_new_leader(now, generation);
        }
        let holds = generation == self.beside.generation && !self.leads();
        if generation < self.beside.generation && generation > 0 {
            // Of a leader that was, or its record was lost and they are counted anew.
            self.rescan(now);
        }
        for event in events {
            self.hear(now, event, holds);
        }
    }

    fn on_new_leader(&mut self, now: Now, generation: u64) {
        if self.leads() {
            // Whose claim stands the store knows, not whoever posts a number.
            self.lead.in_doubt = true;
            return self.rescan(now);
        }
        self.beside.generation = generation;
        self.forget_told(now);
        self.say_hello(now);
    }

    /// No leader of the store has the number that was told, or its record was lost and they are counted anew: what the one
    /// there is has told was not believed.
    pub(super) fn on_untrue_generation(&mut self, now: Now) {
        self.forget_told(now);
        self.say_hello(now);
    }

    /// What the leader before this one has told of people and connection.
    pub(super) fn forget_told(&mut self, now: Now) {
        self.forget_people();
        self.beside.online = false;
        if self.beside.connection.take().is_some() && self.lead.state() == State::Follows {
            self.show_connection(now);
        }
    }

    /// `holds`: it comes from the present leader, and this tab follows.
    fn hear(&mut self, now: Now, raw: &RawValue, holds: bool) {
        let Some(event) = Object::read(raw) else { return };
        let text = |name: &str| event.str(name).map(|text| text.into_owned()).unwrap_or_default();
        let Some(kind) = event.str("type") else { return };
        if !is_sound(&kind, &event) {
            return;
        }
        match &*kind {
            "message" => {
                // A leader that has lost the lead without a word may tell what this tab has told or heard already.
                let message = event.object("message");
                let row_key = message.as_ref().and_then(|message| message.str("rowKey")).unwrap_or_default();
                if self.beside.statuses.raise(&row_key, Status::Acknowledged) {
                    self.pass_on(raw);
                }
            }
            "messageUpdated" | "messageDeleted" | "reaction" | "gap" => self.pass_on(raw),
            "status" | "known" => {
                let Some(status) = known::status_of(&event) else { return };
                if kind == "status" {
                    if self.beside.statuses.raise(&text("rowKey"), status) {
                        self.pass_on(raw);
                    }
                } else if self.leads() {
                    let change = Change::Status { status, user_id: None };
                    self.timelines.target(Some(&text("conversationId")), &text("id"), change);
                }
            }
            _ if !holds => {}
            "wire" => self.pass_on(raw),
            "connection" => self.on_connection_told(now, raw, &event),
            "phase" => match event.str("phase").as_deref() {
                Some("live") => {
                    if self.storage.loaded {
                        self.rooms.mark_as_listed();
                    }
                    if self.timelines.phase() != Phase::Live {
                        self.tell_shown();
                    }
                    self.set_phase(Phase::Live);
                }
                Some("syncing") => self.set_phase(Phase::Syncing),
                _ => self.set_phase(Phase::Restored),
            },
            "typing" => {
                let (room, user, typing) = (text("conversationId"), text("userId"), event.bool("typing"));
                let typing = typing == Some(true);
                if self.people.on_typing(now, &mut self.timers, &room, &user, typing) {
                    self.pass_on(raw);
                }
            }
            "presence" if self.people.on_presence(&text("userId"), event.bool("online") == Some(true)) => {
                self.pass_on(raw);
            }
            _ => {}
        }
    }

    fn on_connection_told(&mut self, now: Now, raw: &RawValue, event: &Object<'_>) {
        let state = event.object("connection");
        let state = state.as_ref().and_then(|connection| connection.str("state"));
        let shown = match state.as_deref() {
            Some("connecting" | "authenticating" | "online" | "waiting" | "offline") => true,
            // One that is about to give the lead back has none to show.
            Some("idle" | "closed" | "failed") => false,
            _ => return,
        };
        self.beside.online = state.as_deref() == Some("online");
        let told = shown.then(|| raw.get().to_owned());
        let again = told.is_some() && told == self.beside.connection;
        self.beside.connection = told;
        self.beside.silent = false;
        self.timers.clear(Timer::Silence);
        if self.lead.state() == State::Follows && !again {
            self.show_connection(now);
        }
    }

    /// A tab that follows shows its leader's connection.
    pub(super) fn show_connection(&mut self, now: Now) {
        let follows = self.lead.state() == State::Follows && self.connection.wants_lead();
        let theirs = self.beside.connection.clone().filter(|_| follows);
        match theirs {
            Some(event) => self.outputs.push_back(Output::Told(Told(event))),
            None => self.emit(Event::Connection { connection: self.connection.snapshot(now) }),
        }
    }

    /// What was told of it before this tab followed.
    pub(super) fn show_told_connection(&mut self, now: Now) {
        if self.beside.connection.is_some() {
            self.show_connection(now);
        }
    }

    fn pass_on(&mut self, raw: &RawValue) {
        self.outputs.push_back(Output::Told(Told(raw.get().to_owned())));
    }
}
