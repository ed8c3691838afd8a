//! What must hold between the tabs of one disk: they show the same, and each of them is told of each message.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::store::head_key;
use chatwire::proto::{ConnectionState, Message, Phase, RecordId, Status, TabInput};

use super::plan::ROOMS;
use super::text;
use super::world::World;

#[derive(Default)]
pub struct TabEyes {
    /// What was told in this life, by row.
    heard: BTreeSet<String>,
    /// The last number of each conversation when the page was last disturbed; `None`: it has not been live yet.
    since: Option<BTreeMap<String, u64>>,
    /// The connection as it was last told, be it its own or its leader's.
    pub shown: Option<ConnectionState>,
    /// When a word of another tab was last lost on its way to it.
    pub word_lost_at: Option<u64>,
    /// It has heard a word of another tab in this life.
    knows_others: bool,
}

/// What of a row two tabs may not show differently.
#[derive(Debug, PartialEq)]
struct RowShown {
    key: String,
    status: Status,
    text: String,
    edited_at_ms: Option<i64>,
    deleted_at_ms: Option<i64>,
    reactions: BTreeSet<(String, String)>,
}

impl RowShown {
    fn of(row: &Message) -> Self {
        let reactions = row.reactions.iter();
        Self {
            key: row.row_key.clone(),
            status: row.status,
            text: row.text.clone(),
            edited_at_ms: row.edited_at_ms,
            deleted_at_ms: row.deleted_at_ms,
            reactions: reactions
                .flat_map(|one| one.users.iter().map(|user| (one.emoji.clone(), user.clone())))
                .collect(),
        }
    }
}

impl World {
    /// A message of others is told.
    pub fn see_message(&mut self, at: usize, key: &str, leader: bool) {
        let home = self.devices[at].person.disk;
        let eyes = &mut self.devices[at].eyes;
        eyes.tabs.heard.insert(key.to_owned());
        if !eyes.told.insert(key.to_owned()) {
            self.wrong("a message is told once", key.to_owned());
        }
        // One that has been robbed, and has not heard of it yet, takes in what it finds.
        if leader && self.devices[at].leads && !self.disks[home].taken_in.insert(key.to_owned()) {
            self.wrong("one tab takes a message in", format!("{key} was taken in before"));
        }
    }

    /// Whoever has heard none takes itself for alone, and tells nobody what it takes in: so does one to which the first words
    /// of the others were lost, until the next.
    pub fn see_word(&mut self, at: usize, word: &TabInput) {
        use TabInput as T;
        let eyes = &mut self.devices[at].eyes.tabs;
        let of_the_lock = matches!(word, T::Leads | T::Follows | T::Deposed | T::Emptied | T::Deaf);
        if !of_the_lock && !core::mem::replace(&mut eyes.knows_others, true) && eyes.word_lost_at.is_some() {
            self.disturb_tabs(at);
        }
    }

    /// What it would have told the other tabs they read.
    pub fn lose_word_of(&mut self, at: usize) {
        let disk = self.devices[at].person.disk;
        for other in self.devices.iter_mut().filter(|other| other.person.disk == disk) {
            other.eyes.tabs.word_lost_at = Some(self.t);
        }
    }

    pub fn see_phase(&mut self, at: usize, phase: Phase) {
        self.devices[at].eyes.phase = Some(phase);
        if phase == Phase::Live && self.devices[at].eyes.tabs.since.is_none() {
            self.disturb(at);
        }
    }

    /// The lead changes hands, or its page stood still or is gone: what it took in and did not tell the others any more, they
    /// only read in the store.
    pub fn disturb_tabs(&mut self, at: usize) {
        let disk = self.devices[at].person.disk;
        for other in 0..self.devices.len() {
            if self.devices[other].person.disk != disk {
                continue;
            }
            self.devices[other].eyes.raised.clear();
            if self.devices[other].eyes.tabs.since.is_some() {
                self.disturb(other);
                self.forget_unmet(other);
            }
        }
    }

    /// What was told and not committed when the lead ends comes again with the next one.
    pub fn forget_uncommitted(&mut self, home: usize) {
        let mut taken_in = core::mem::take(&mut self.disks[home].taken_in);
        taken_in.retain(|key| {
            let Some((room, id)) = key.split_once(':') else { return false };
            self.history_has(home, room, &|message| message.id.as_deref() == Some(id))
        });
        self.disks[home].taken_in = taken_in;
    }

    /// What came before may have passed it by.
    fn disturb(&mut self, at: usize) {
        let last = self.server.rooms.iter().map(|(id, room)| (id.clone(), room.last_seq));
        self.devices[at].eyes.tabs.since = Some(last.collect());
    }

    /// Of a conversation that the store does not know the next leader asks for the newest page alone: what the list said
    /// of it before the hello said what the server can do was in memory only, and without a cursor so is that it was empty.
    fn forget_unmet(&mut self, at: usize) {
        let records = &self.disks[self.devices[at].person.disk].records;
        let eyes = &mut self.devices[at].eyes;
        for (room, since) in eyes.tabs.since.iter_mut().flatten() {
            if records.get(&RecordId::history(head_key(room))).is_none() {
                *since = u64::MAX;
            }
        }
    }

    /// At rest, with all of every window loaded.
    pub fn compare_tabs(&mut self) {
        for at in 0..self.devices.len() {
            self.check_heard(at);
            for other in 0..at {
                if self.devices[other].person.disk == self.devices[at].person.disk {
                    self.compare_pair(other, at);
                }
            }
        }
    }

    fn compare_pair(&mut self, a: usize, b: usize) {
        let names = format!("{} and {}", self.name(a), self.name(b));
        for room in ROOMS {
            let (one, other) = (self.shown_rows(a, room), self.shown_rows(b, room));
            if one != other {
                let first = one.iter().zip(&other).find(|(one, other)| one != other);
                let what = format!("{names} in {room}: {} and {} rows, {first:?}", one.len(), other.len());
                self.wrong("tabs show the same", what);
            }
            let unread = |at: usize| Some(self.devices[at].client.as_ref()?.conversation(room)?.unread);
            let (one, other) = (unread(a), unread(b));
            if one != other {
                self.wrong("tabs show the same", format!("{names} in {room}: unread {one:?} and {other:?}"));
            }
        }
        let (one, other) = (&self.devices[a].eyes.tabs, &self.devices[b].eyes.tabs);
        let phases = (self.devices[a].eyes.phase, self.devices[b].eyes.phase);
        if phases.0 != phases.1 {
            return self.wrong("tabs show the same", format!("{names}: {phases:?}"));
        }
        if one.shown != other.shown {
            let what = format!("{names}: {:?} and {:?}", one.shown, other.shown);
            self.wrong("tabs show the same", what);
        }
    }

    fn shown_rows(&self, at: usize, room: &str) -> Vec<RowShown> {
        let view = ROOMS.iter().position(|id| *id == room).map_or(0, |at| at as u32 + 1);
        let Some(window) = self.devices[at].eyes.windows.get(&view) else { return Vec::new() };
        // What a torn record has taken, a page can only remember.
        let number =
            |row: &Message| text::number(&row.text).or_else(|| self.server.number_by_id(row.id.as_deref()?));
        let lost = |row: &Message| number(row).is_some_and(|number| self.ledger.sent[number].lost_allowed);
        let rows = window.rows().filter(|row| !lost(row));
        rows.map(RowShown::of).collect()
    }

    /// Each message of others that came while the page was there, undisturbed, was told.
    fn check_heard(&mut self, at: usize) {
        let (user, eyes) = (self.devices[at].person.user, &self.devices[at].eyes);
        let Some(since) = &eyes.tabs.since else { return };
        let mut missing = None;
        for (id, room) in &self.server.rooms {
            // Without numbers as many as were lost with a torn part, and by their time may have stood in it, count as told.
            if !self.plan.cursor && self.disks[self.devices[at].person.disk].torn_rooms.contains(id) {
                continue;
            }
            // Of what is missing it was said that it is.
            if eyes.gaps.contains(id) {
                continue;
            }
            let from = since.get(id).copied().unwrap_or_default();
            let new = room.messages.iter().filter(|message| message.seq > from && message.sender != user);
            let unheard =
                |message: &&super::stored::Stored| !eyes.tabs.heard.contains(&format!("{id}:{}", message.id));
            missing = missing.or_else(|| Some((id.clone(), new.clone().find(unheard)?.id.clone())));
        }
        if let Some((room, id)) = missing {
            let what = format!("{} was not told of {id} in {room}", self.name(at));
            self.wrong("each message is told", what);
        }
    }
}
