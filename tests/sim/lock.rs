//! What lies between the tabs of one disk: the lock, and what they tell each other.

use chatwire::proto::{Input, Output, TabInput, TabOutput};

use super::faults::Fault;
use super::told::heard;
use super::world::{Happening, World};

impl World {
    pub fn on_tab(&mut self, at: usize, output: TabOutput) {
        let disk = self.devices[at].person.disk;
        match output {
            TabOutput::RequestLead => {
                let taken = self.devices.iter().any(|device| device.person.disk == disk && device.leads);
                (self.devices[at].leads, self.devices[at].waits) = (!taken, taken);
                let input = if taken { TabInput::Follows } else { TabInput::Leads };
                self.push(at, 1, Happening::Input(Input::Tab(input)));
            }
            TabOutput::Release => self.free_lead(at),
            TabOutput::Steal => self.take_lead(at),
            word => {
                if let Some(input) = heard(word) {
                    self.tell_tabs(at, &input);
                }
            }
        }
    }

    pub fn tell_tabs(&mut self, at: usize, input: &TabInput) {
        for other in 0..self.devices.len() {
            let beside = other != at && self.devices[other].person.disk == self.devices[at].person.disk;
            if !beside || self.devices[other].client.is_none() {
                continue;
            }
            if self.dice.strikes(Fault::PokeLost, other).is_some() {
                self.devices[other].eyes.tabs.word_lost_at = Some(self.t);
                self.disturb_tabs(other);
            } else {
                let due = self.devices[other].words_last.max(self.t + 1);
                let life = self.devices[other].life;
                self.push_for((other, life), due, Happening::Input(Input::Tab(input.clone())));
            }
        }
    }

    pub fn free_lead(&mut self, at: usize) {
        self.devices[at].waits = false;
        if !core::mem::take(&mut self.devices[at].leads) {
            return;
        }
        let disk = self.devices[at].person.disk;
        self.forget_uncommitted(disk);
        let heir = self.devices.iter().position(|device| device.person.disk == disk && device.waits);
        if let Some(heir) = heir {
            (self.devices[heir].leads, self.devices[heir].waits) = (true, false);
            self.push(heir, 1, Happening::Input(Input::Tab(TabInput::Leads)));
        }
    }

    /// With a page goes what it was about to tell the other tabs of its commits.
    pub fn lose_words(&mut self, at: usize, first: Output) {
        let Some(client) = &mut self.devices[at].client else { return };
        let rest = core::iter::from_fn(|| client.poll_output());
        let told = core::iter::once(first).chain(rest).any(|output| match output {
            Output::Tab(word) => heard(word).is_some(),
            _ => false,
        });
        if told {
            self.lose_word_of(at);
        }
    }
}
