//! Who listens, and who answers.

use super::super::Client;
use crate::proto::api::{Event, Now, Output, TabOutput, Told};
use crate::proto::lead::State;
use crate::proto::timer::Timer;

/// A leader that is there answers a hello within this, also one that had to be replaced first (`lead.rs`: 8 s).
const SILENCE_MS: u64 = 10_000;

impl Client {
    /// Another tab listens: it hears how things stand.
    pub(in super::super) fn on_hello_beside(&mut self, now: Now) {
        if !self.leads() {
            if self.lead.state() != State::Follows || self.beside.connection.is_none() {
                // Maybe no leader answers it. Where it leads next, it is to know that it is heard.
                self.say(0, Told("{}".to_owned()));
            }
            return;
        }
        self.tell_state(now);
        for user_id in self.people.online() {
            self.tell(Event::Presence { user_id, online: true, last_seen_ms: None });
        }
        for (conversation_id, user_id) in self.people.who_types() {
            self.tell(Event::Typing { conversation_id, user_id, typing: true });
        }
    }

    /// What the leader says now and then too: a word of it may have been lost.
    pub(in super::super) fn tell_state(&mut self, now: Now) {
        if self.leads() {
            self.tell(Event::Connection { connection: self.connection.snapshot(now) });
            self.tell(Event::Phase { phase: self.timelines.phase() });
        }
    }

    /// This tab listens.
    pub(in super::super) fn say_hello(&mut self, now: Now) {
        self.outputs.push_back(Output::Tab(TabOutput::Hello));
        if self.lead.state() == State::Follows && self.beside.connection.is_none() {
            self.beside.silent = false;
            self.timers.set(Timer::Silence, now.mono_ms + SILENCE_MS);
        }
    }

    /// The leader has not answered: there is none that can be heard.
    pub(in super::super) fn on_silence(&mut self) {
        self.beside.silent = true;
    }

    /// A tab that follows is as connected as its leader, or as one can be that hears of none (D14).
    pub(in super::super) fn is_served(&self) -> bool {
        self.lead.state() == State::Follows && (self.beside.online || self.beside.deaf || self.beside.silent)
    }
}
