//! The lock between the tabs of one disk, and what they say to each other.

use chatwire::proto::{Input, TabInput, TabOutput};

use super::node::Happening;
use super::told::heard;
use super::world::World;

impl World {
    pub fn on_tab(&mut self, at: usize, output: TabOutput) {
        let disk = self.nodes[at].disk;
        match output {
            TabOutput::RequestLead => {
                let taken = self.nodes.iter().any(|node| node.disk == disk && node.leads);
                (self.nodes[at].leads, self.nodes[at].waits) = (!taken, taken);
                let input = if taken { TabInput::Follows } else { TabInput::Leads };
                self.push(at, 0, Happening::ToClient(Input::Tab(input)));
            }
            TabOutput::Release => self.free_lead(at),
            _ if self.loses_pokes => {}
            word => {
                if let Some(input) = heard(word) {
                    self.tell_tabs(at, &input);
                }
            }
        }
    }

    fn tell_tabs(&mut self, at: usize, input: &TabInput) {
        for other in 0..self.nodes.len() {
            let beside = other != at && self.nodes[other].disk == self.nodes[at].disk;
            if beside && self.nodes[other].client.is_some() {
                self.push(other, 0, Happening::ToClient(Input::Tab(input.clone())));
            }
        }
    }

    pub fn free_lead(&mut self, at: usize) {
        self.nodes[at].waits = false;
        if !core::mem::take(&mut self.nodes[at].leads) {
            return;
        }
        let disk = self.nodes[at].disk;
        let heir = self.nodes.iter().position(|node| node.disk == disk && node.waits);
        if let Some(heir) = heir {
            (self.nodes[heir].leads, self.nodes[heir].waits) = (true, false);
            self.push(heir, 0, Happening::ToClient(Input::Tab(TabInput::Leads)));
        }
    }
}
