//! The tabs of one store: who has the lock, what they tell each other, and pages that stand still.

use chatwire::proto::{Input, StoreRequest, TabInput, TabOutput};
use serde_json::json;

use super::backend::Backend;
use super::deeds::Travel;
use super::node::{Disk, Happening};
use super::told::heard;
use super::world::World;

impl World {
    pub(super) fn on_tab(&mut self, at: usize, output: TabOutput) {
        let disk = self.nodes[at].disk;
        match output {
            TabOutput::RequestLead => {
                let taken = self.nodes.iter().any(|node| node.disk == disk && node.leads);
                (self.nodes[at].leads, self.nodes[at].waits) = (!taken, taken);
                let input = if taken { TabInput::Follows } else { TabInput::Leads };
                self.push(at, 0, Happening::ToClient(Input::Tab(input)));
            }
            TabOutput::Release => self.free_lead(at),
            TabOutput::Steal => self.steal(at),
            TabOutput::Alone => {
                let mut disk = Disk::default();
                disk.records.execute(&StoreRequest::Open { name: "of one tab".to_owned() });
                self.disks.push(disk);
                self.nodes[at].disk = self.disks.len() - 1;
            }
            // Whether the leader runs is heard all the same.
            TabOutput::Ask { .. } | TabOutput::Alive | TabOutput::Yield => self.tell_tabs(at, output),
            _ if self.loses_pokes => {}
            word => self.tell_tabs(at, word),
        }
    }

    fn tell_tabs(&mut self, at: usize, word: TabOutput) {
        let Some(input) = heard(word) else { return };
        for other in 0..self.nodes.len() {
            let beside = other != at && self.nodes[other].disk == self.nodes[at].disk;
            if beside && self.nodes[other].client.is_some() {
                self.push(other, 0, Happening::ToClient(Input::Tab(input.clone())));
            }
        }
    }

    /// The lock goes to this node; its holder hears of it when it runs.
    fn steal(&mut self, at: usize) {
        let disk = self.nodes[at].disk;
        let holder = self.nodes.iter().position(|node| node.disk == disk && node.leads);
        if let Some(holder) = holder.filter(|holder| *holder != at) {
            self.nodes[holder].leads = false;
            self.push(holder, 0, Happening::ToClient(Input::Tab(TabInput::Deposed)));
        }
        (self.nodes[at].leads, self.nodes[at].waits) = (true, false);
        self.push(at, 0, Happening::ToClient(Input::Tab(TabInput::Leads)));
    }

    pub(super) fn free_lead(&mut self, at: usize) {
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

    /// The page runs no line any more, without a word before it; or it does again, and hears of what came meanwhile.
    pub fn stand_still(&mut self, at: usize, still: bool) {
        if still {
            self.nodes[at].still = Some(Vec::new());
            return;
        }
        for what in self.nodes[at].still.take().unwrap_or_default() {
            self.push(at, 0, what);
        }
    }
}

#[test]
fn of_what_another_tab_shows_the_newest_page_is_looked_at_too() {
    let backend = Backend::full().room("r", &["ana", "bo"]).room("s", &["ana", "bo"]);
    let mut world = World::new(backend);
    world.backend.post_silently(world.now.wall_ms, "s", "bo", "before");
    let leader = world.join("ana");
    world.go_live(leader);
    let follower = world.join_on("ana", json!({}), 0);
    world.pass(100);
    world.connect(follower);
    world.open_view(follower, 1, "s");
    world.until("it is there", |world| world.texts(follower, 1) == ["before"]);
    world.cut(leader);
    world.somebody_edits("s", "m1", "after", Travel { late_ms: 10_000_000, twice: false });
    world.go_live(leader);
    world.pass(2000);
    assert_eq!(world.texts(follower, 1), ["after"]);
}
