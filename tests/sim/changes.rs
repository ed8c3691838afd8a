//! Changes of messages: drawn from a stream of their own, and what must hold of them.
//!
//! Law: each has one fate, and what a device has changed last of a message, it shows as the server has it.

use chatwire::proto::store::OutboxRow;
use chatwire::proto::{ChangeCommand, ChangeKind, Command, ErrorCode, Message, Sender, Status};

use super::checks::Asked;
use super::dice::{Stream, change_choice};
use super::plan::ROOMS;
use super::text;
use super::world::{Happening, World};

/// What is wished of a message, whichever it will be.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeAct {
    pub device: usize,
    pub room: usize,
    pub kind: ChangeKind,
    pub nth: usize,
}

/// In every second run, some while its messages are sent and answered.
pub fn draw(seed: u64, acts_until_ms: u64, devices: usize) -> Vec<(u64, ChangeAct)> {
    let mut s = Stream::new(seed ^ 0xc4a9_6e5e);
    let mut acts = Vec::new();
    if s.one_in(2) {
        return acts;
    }
    for _ in 0..s.between(3, 24) {
        let at = s.between(1500, acts_until_ms.max(2000));
        let kind = s.pick(&[
            ChangeKind::Edit,
            ChangeKind::Edit,
            ChangeKind::Edit,
            ChangeKind::React,
            ChangeKind::React,
            ChangeKind::Unreact,
            ChangeKind::Remove,
        ]);
        let (device, room) = (s.below(devices as u64) as usize, s.below(ROOMS.len() as u64) as usize);
        acts.push((at, ChangeAct { device, room, kind, nth: s.below(1000) as usize }));
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

/// What is known of one change from outside the client.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The page that asked for it.
    pub by: usize,
    pub disk: usize,
    pub kind: ChangeKind,
    pub row_key: String,
    /// The message of the schedule that it changes.
    pub target: Option<usize>,
    pub text: String,
    pub key: Option<String>,
    /// The command resolved, and said that it is durable.
    pub accepted: bool,
    pub lost_allowed: bool,
    /// A fault took its record.
    pub torn: bool,
    pub committed: bool,
    /// The server has carried it out, or said that there is nothing to take away.
    pub taken: bool,
    /// And its answer is on its way.
    pub answered: bool,
    /// The call was refused, and nothing queued.
    pub refused: bool,
    /// Refusals so far: for now, and for good.
    pub refusals: (u32, u32),
}

/// A change as its record says.
#[derive(Clone, Debug)]
pub struct ChangeSeen {
    pub number: usize,
    pub id: Option<String>,
    pub failed: bool,
    pub marked: bool,
}

impl World {
    /// The store is left alone for a while, and what was about to be removed is not even tried.
    pub fn leave_removals(&mut self, at: usize) {
        let home = self.devices[at].person.disk;
        for sent in self.ledger.sent.iter_mut().filter(|sent| sent.disk == home) {
            sent.removal_refused |= sent.removals_open > 0;
        }
    }

    /// A cancel or discard has ended.
    pub fn close_removal(&mut self, asked: Asked) {
        if let Asked::Cancel(number) | Asked::Discard(number) = asked {
            let open = &mut self.ledger.sent[number].removals_open;
            *open = open.saturating_sub(1);
        }
    }

    /// The call of a change has ended without one.
    pub fn see_change_refused(&mut self, asked: Asked) {
        if let Asked::Change(number) = asked {
            let known = &mut self.ledger.changes[number];
            known.refused = !known.committed;
        }
    }

    pub fn change(&mut self, act: &ChangeAct) {
        let (at, home) = (act.device, self.devices[act.device].person.disk);
        if self.devices[at].client.is_none() || self.devices[at].asleep_until.is_some() {
            return;
        }
        let number = self.ledger.changes.len();
        let reacted: Vec<(String, String)> = self
            .ledger
            .changes
            .iter()
            .filter(|known| known.disk == home && known.kind == ChangeKind::React)
            .map(|known| (known.row_key.clone(), known.text.clone()))
            .collect();
        let own = |row: &Message| {
            let sent = text::number(&row.text).and_then(|number| self.ledger.sent.get(number));
            row.sender == Sender::Me && sent.is_some_and(|sent| sent.disk == home && sent.key == row.key)
        };
        let suits = |row: &&Message| match act.kind {
            ChangeKind::Edit | ChangeKind::Remove => own(row),
            ChangeKind::React => own(row) || row.id.is_some(),
            ChangeKind::Unreact => reacted.iter().any(|(of, _)| *of == row.row_key),
        };
        let window = self.devices[at].eyes.windows.get(&(act.room as u32 + 1));
        let rows: Vec<&Message> =
            window.map(|window| window.rows().filter(suits).collect()).unwrap_or_default();
        if rows.is_empty() {
            return;
        }
        let row = rows[act.nth % rows.len()];
        let target = text::number(&row.text);
        let text = match act.kind {
            ChangeKind::Edit => text::edited(target.unwrap_or_default(), number),
            ChangeKind::Remove => String::new(),
            ChangeKind::React => format!("c{number}"),
            ChangeKind::Unreact => reacted
                .iter()
                .rev()
                .find(|(of, _)| *of == row.row_key)
                .map(|(_, emoji)| emoji.clone())
                .unwrap_or_default(),
        };
        let row_key = row.row_key.clone();
        let (kind, name) = (act.kind, self.name(at));
        self.say(|| format!("{name} wishes change {number}: {kind:?} of {row_key} (message {target:?})"));
        let command = ChangeCommand { kind, row_key: row_key.clone(), text: text.clone() };
        self.ledger.changes.push(Changed {
            by: at,
            disk: home,
            kind,
            row_key,
            target,
            text,
            key: None,
            accepted: false,
            lost_allowed: false,
            torn: false,
            committed: false,
            taken: false,
            answered: false,
            refused: false,
            refusals: (0, 0),
        });
        self.command(at, Command::Change(command), Asked::Change(number));
    }

    pub fn plan_change(&mut self, index: usize) {
        if let Some((at, _)) = self.plan.changes.get(index) {
            self.push_for((usize::MAX, 0), at + self.shift_ms, Happening::Change(index));
        }
    }

    pub fn change_act(&mut self, index: usize) {
        let choice = change_choice(index);
        if !self.dice.is_choice_muted(choice) {
            self.dice.struck.push(choice);
            self.change(&self.plan.changes[index].1.clone());
        }
        self.plan_change(index + 1);
    }

    /// Which change a row is.
    fn number_of_change(&self, home: usize, row: &OutboxRow) -> Option<usize> {
        let change = row.change.as_ref()?;
        let by_key = |known: &Changed| known.disk == home && known.key.as_ref() == Some(&row.key);
        let new = |known: &Changed| {
            known.disk == home
                && known.key.is_none()
                && !known.refused
                && (known.kind, &known.row_key, &known.text) == (change.kind, &change.row_key, &row.text)
        };
        let all = &self.ledger.changes;
        // A row without a key may be called by one since the window was told of it.
        let target = change.id.as_ref().and_then(|id| self.server.number_by_id(id));
        let renamed = |known: &Changed| {
            known.disk == home
                && known.key.is_none()
                && known.target.is_some()
                && (known.kind, known.target, &known.text) == (change.kind, target, &row.text)
        };
        let known = all.iter().position(by_key).or_else(|| all.iter().position(new));
        known.or_else(|| all.iter().position(renamed))
    }

    /// A row that is a change was committed.
    pub fn see_change_row(&mut self, at: usize, stored: u64, row: &OutboxRow) {
        let (home, name) = (self.devices[at].person.disk, self.name(at));
        let Some(number) = self.number_of_change(home, row) else {
            return self.wrong("records say what was asked", "a change that nobody has wished".to_owned());
        };
        let id = row.change.as_ref().and_then(|change| change.id.clone());
        let (marked, failed) = (row.wire.is_some(), row.failure.is_some());
        self.say(|| format!("the store has change {number} as {stored}, marked: {marked}, failed: {failed}, of {id:?}, from {name}"));
        let known = &mut self.ledger.changes[number];
        known.key = Some(row.key.clone());
        known.committed = true;
        if let Some(failure) = &row.failure {
            let ((for_now, for_good), target) = (known.refusals, known.target);
            let gone = target.is_none_or(|target| {
                let sent = &self.ledger.sent[target];
                sent.removed() || sent.lost_allowed || sent.torn
            });
            let justified = match failure.code {
                ErrorCode::NotFound => {
                    for_good > 0 || gone || self.server.loses || self.disks[home].history_torn
                }
                ErrorCode::Validation | ErrorCode::Forbidden | ErrorCode::Conflict => for_good > 0,
                ErrorCode::Server => u64::from(for_now) >= self.plan.max_attempts,
                _ => false,
            };
            if !justified {
                let what = format!("change {number} failed as {:?}: {}", failure.code, failure.message);
                self.wrong("a failure has its reason", what);
            }
        }
        self.disks[home].changes.insert(stored, ChangeSeen { number, id, failed, marked });
    }

    /// Two changes may say the same: which of them a record is of is known when its command ends.
    fn see_change_key(&mut self, at: usize, number: usize, key: Option<&String>) {
        let home = self.devices[at].person.disk;
        let holds = |known: &Changed| known.disk == home && known.key.is_some() && known.key.as_ref() == key;
        let Some(other) = self.ledger.changes.iter().position(holds).filter(|other| *other != number) else {
            let known = &mut self.ledger.changes[number];
            known.key = known.key.take().or_else(|| key.cloned());
            return;
        };
        let theirs = self.ledger.changes[other].clone();
        let ours = core::mem::replace(&mut self.ledger.changes[number], theirs);
        self.ledger.changes[other] = ours;
        for seen in self.disks[home].changes.values_mut() {
            match seen.number {
                of if of == other => seen.number = number,
                of if of == number => seen.number = other,
                _ => {}
            }
        }
    }

    pub fn see_change_resolved(&mut self, at: usize, number: usize, message: &Message) {
        let durable = message.durable;
        self.see_change_key(at, number, message.key.as_ref());
        let known = &mut self.ledger.changes[number];
        known.accepted |= durable;
        known.lost_allowed |= !durable;
        let committed = known.committed;
        let name = self.name(at);
        self.say(|| format!("{name}: change {number} is taken, durable: {durable}"));
        if durable && !committed {
            self.wrong("send() resolves after its commit", format!("change {number} is in no store"));
        }
    }

    /// A change that waits for its message, as it may for ever: that has failed, was never given an id, or its server has
    /// lost it before it told one.
    pub fn may_wait(&self, at: usize, row_key: &str, outbox: &[Message]) -> bool {
        let failed =
            |row: &Message| row.row_key == row_key && row.status == Status::Failed && row.change.is_none();
        let windows = || self.devices[at].eyes.windows.values().flat_map(|window| window.rows());
        let named = |row: &Message| row.row_key == row_key && row.id.is_some();
        // It may stand before what a window has loaded.
        let home = self.devices[at].person.disk;
        let of_it = |seen: &ChangeSeen| self.ledger.changes[seen.number].row_key == row_key;
        let parked = self.disks[home].changes.values().any(|seen| seen.id.is_none() && of_it(seen));
        let stored = |number: usize| {
            let mut messages = self.server.rooms.values().flat_map(|room| &room.messages);
            messages.any(|stored| stored.number == Some(number))
        };
        let of_lost = |known: &Changed| known.target.is_some_and(|target| !stored(target));
        let lost = self.server.loses
            && self.ledger.changes.iter().any(|known| known.row_key == row_key && of_lost(known));
        let told = self.plan.keys && self.plan.cursor && self.plan.answers && !lost;
        outbox.iter().any(failed) || (!told && parked && !windows().any(named))
    }

    /// Exactly one: carried out, failed and kept, gone with its message, or waiting with it.
    pub fn check_change(&mut self, number: usize) {
        let known = self.ledger.changes[number].clone();
        let mut rows = self.disks[known.disk].changes.values().filter(|seen| seen.number == number);
        let kept = rows.next().is_some();
        let target = known.target.map(|target| &self.ledger.sent[target]);
        let gone = target.is_some_and(|sent| sent.removed() || sent.lost_allowed);
        if known.accepted && !known.lost_allowed && !known.taken && !kept && !gone {
            self.wrong("each change has one fate", format!("change {number} has none: it is lost"));
        }
    }

    /// What only memory knew of a change, a page may have taken along; and one that failed may have been taken before, and
    /// its answer lost.
    fn is_excused(&self, home: usize, row_key: &str, stored: Option<usize>) -> bool {
        // Without keys a message that came in a page is called by its id there.
        let of_it =
            |known: &Changed| known.row_key == row_key || (known.target.is_some() && known.target == stored);
        let failed = |seen: &ChangeSeen| seen.failed && of_it(&self.ledger.changes[seen.number]);
        let vague = |known: &Changed| known.disk == home && of_it(known) && known.lost_allowed;
        self.ledger.changes.iter().any(vague) || self.disks[home].changes.values().any(failed)
    }

    /// A torn record has taken a change of this message: a page that does not lead can only remember it, and goes on
    /// showing it as one that is on its way.
    pub fn is_only_remembered(&self, at: usize, row: &Message, stored: Option<usize>) -> bool {
        let home = self.devices[at].person.disk;
        let gone = |number: usize| self.disks[home].changes.values().all(|seen| seen.number != number);
        let of_it = |known: &Changed| {
            known.row_key == row.row_key || (known.target.is_some() && known.target == stored)
        };
        let mut torn = self.ledger.changes.iter().enumerate().filter(|(_, known)| known.torn);
        !self.devices[at].leads
            && torn.any(|(number, known)| known.disk == home && of_it(known) && gone(number))
    }

    /// Of two opposite words of one reaction the socket may have brought the earlier late, and broken before the later: beyond
    /// the newest page nobody tells it again.
    fn may_be_stale(&self, home: usize, room: usize, row_key: &str, (seq, emoji): (u64, &str)) -> bool {
        let beyond = self.server.rooms[ROOMS[room]].last_seq - seq >= u64::from(self.plan.pages.newest);
        let says = |known: &&Changed| known.disk == home && known.row_key == row_key && known.text == emoji;
        beyond && self.ledger.changes.iter().filter(says).count() > 1
    }

    /// What this device has changed last it shows as the server has it.
    pub fn compare_changes(&mut self, at: usize, room: usize) {
        let (home, user) = (self.devices[at].person.disk, self.devices[at].person.user);
        let window = self.devices[at].eyes.windows.get(&(room as u32 + 1));
        let mut wrong = None;
        for row in window.into_iter().flat_map(|window| window.rows()) {
            let messages = &self.server.rooms[ROOMS[room]].messages;
            let Some(stored) = messages.iter().find(|stored| Some(&stored.id) == row.id.as_ref()) else {
                continue;
            };
            if self.is_excused(home, &row.row_key, stored.number) {
                continue;
            }
            let ours = |by: Option<(u64, usize)>| by.is_none_or(|(_, disk)| disk == home);
            if stored.deleted.is_some_and(|(_, disk)| disk == home) && row.deleted_at_ms.is_none() {
                wrong = Some(format!("{} is removed, and stands there", stored.id));
            }
            if stored.deleted.is_none()
                && row.deleted_at_ms.is_none()
                && ours(stored.edited)
                && row.text != stored.text
            {
                wrong =
                    Some(format!("the text of {} is another: {} for {}", stored.id, row.text, stored.text));
            }
            for ((emoji, by), (there, disk)) in &stored.reactions {
                let mine = row.reactions.iter().any(|reaction| reaction.emoji == *emoji && reaction.mine);
                let ours = by == user && *disk == home && stored.deleted.is_none();
                if ours && mine != *there && !self.may_be_stale(home, room, &row.row_key, (stored.seq, emoji))
                {
                    wrong = Some(format!("{emoji} on {} is {there}, and is shown as {mine}", stored.id));
                }
            }
        }
        if let Some(what) = wrong {
            let name = self.name(at);
            self.wrong("timelines converge", format!("{name}: {what}"));
        }
    }
}
