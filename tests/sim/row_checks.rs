//! What windows show once everything is at rest: which rows, and what each says of its message.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::{Message, Sender, Status};

use super::changes::Changed;
use super::checks::is_acknowledged;
use super::disk::RowSeen;
use super::plan::ROOMS;
use super::stored::Stored;
use super::text;
use super::world::World;

impl World {
    /// What a page shows is what the server has, and nothing else but failed messages of its own.
    pub fn compare_window(&mut self, at: usize, room: usize) {
        let name = self.name(at);
        let model = &self.server.rooms[ROOMS[room]];
        let window = self.devices[at].eyes.windows.get(&(room as u32 + 1));
        let rows: Vec<&Message> = window.map(|window| window.rows().collect()).unwrap_or_default();
        // Without a cursor an answer that named no id leaves its row without one until the next page; so does no answer.
        let named = self.plan.cursor && self.plan.answers;
        // What a torn record has taken, a page that does not lead can only remember.
        let lost = |row: &Message| text::number(&row.text).is_some_and(|n| self.ledger.sent[n].lost_allowed);
        let by_id: BTreeSet<&str> = rows.iter().filter_map(|row| row.id.as_deref()).collect();
        let unnamed = |row: &Message| {
            // A removal that waits for its id hides the text.
            let by_key =
                || self.ledger.sent.iter().position(|sent| sent.key.is_some() && sent.key == row.key);
            let number = text::number(&row.text).or_else(by_key);
            let number = number.filter(|_| !named && row.status != Status::Failed);
            let stored =
                || model.messages.iter().filter(|stored| number.is_some() && stored.number == number);
            // Where no keys are kept the server has a resend beside what it is a resend of.
            let other = stored().find(|stored| !by_id.contains(stored.id.as_str()));
            other.or_else(|| stored().next().filter(|_| !lost(row))).map(|stored| stored.id.as_str())
        };
        let shown: Vec<&str> =
            rows.iter().filter_map(|row| row.id.as_deref().or_else(|| unnamed(row))).collect();
        let known: Vec<&str> = shown.iter().copied().filter(|id| !model.lost.contains(*id)).collect();
        let mut wanted: Vec<&str> = model.messages.iter().map(|message| message.id.as_str()).collect();
        let home = self.devices[at].person.disk;
        // Of an edit that only memory knew the page may have taken along which message it was of.
        let vague =
            |edit: &Changed| edit.disk == home && (edit.lost_allowed || self.disks[home].refused_once);
        // A copy is not known again, and both are shown: better than one row for two messages.
        let apart = !self.plan.keys && (self.clocks_apart || self.ledger.changes.iter().any(vague));
        let wrong = if named {
            (known != wanted).then(|| difference(&known, &wanted))
        } else {
            // Without a sequence the order is that of the server's clock, which may have been set.
            wanted.sort_unstable();
            let mut sorted = known.clone();
            sorted.sort_unstable();
            if apart {
                sorted.dedup();
            }
            let order = self.out_of_order(room, &rows);
            order.or_else(|| (sorted != wanted).then(|| difference(&sorted, &wanted)))
        };
        let told = !self.plan.cursor && self.devices[at].eyes.gaps.contains(ROOMS[room]);
        let refused = window.is_some_and(|window| window.refused);
        // Of what is missing it was said that it is; nothing excuses what is there and should not be.
        let wrong = if told { beside(&known, &wanted, apart) } else { wrong };
        if let Some(what) = wrong.filter(|_| !refused) {
            return self.wrong("timelines converge", format!("{name} in {}: {what}", ROOMS[room]));
        }
        let nameless = |row: &&&Message| row.id.is_none() && row.status != Status::Failed && !lost(row);
        let nameless = rows.iter().filter(nameless).count();
        if let Some(what) = self.compare_told(at, room, &rows) {
            self.wrong("changes converge", what);
        } else if nameless > 0 && self.plan.keys && named && self.server.rooms[ROOMS[room]].lost.is_empty() {
            let what = format!("{name} in {}: {nameless} rows without the server's id", ROOMS[room]);
            self.wrong("timelines converge", what);
        }
    }

    /// Without a cursor the rows stand in the order of the server's times, which is that of the messages' coming where its
    /// clock was never set. What came in one moment has no order.
    fn out_of_order(&self, room: usize, rows: &[&Message]) -> Option<String> {
        if self.plan.cursor || self.server_clock_set {
            return None;
        }
        let model = &self.server.rooms[ROOMS[room]].messages;
        let times: BTreeMap<&str, u64> =
            model.iter().map(|stored| (stored.id.as_str(), stored.at_ms)).collect();
        let ids = rows.iter().filter_map(|row| row.id.as_deref());
        let placed: Vec<(&str, u64)> = ids.filter_map(|id| Some((id, *times.get(id)?))).collect();
        let wrong = placed.windows(2).find(|pair| pair[0].1 > pair[1].1)?;
        Some(format!("{} stands before {}", wrong[0].0, wrong[1].0))
    }

    pub fn compare_rows(&mut self, at: usize, room: usize) {
        let (home, user) = (self.devices[at].person.disk, self.devices[at].person.user);
        let Some(window) = self.devices[at].eyes.windows.get(&(room as u32 + 1)) else { return };
        let messages = &self.server.rooms[ROOMS[room]].messages;
        let by_id: BTreeMap<&str, &Stored> =
            messages.iter().map(|stored| (stored.id.as_str(), stored)).collect();
        let stored_of = |row: &Message| by_id.get(row.id.as_deref()?).copied();
        let known = window.rows().filter_map(|row| Some((row, stored_of(row)?)));
        let span = (self.server.rooms[ROOMS[room]].last_seq, u64::from(self.plan.pages.newest));
        let answers = self.plan.answers;
        let raised = &self.devices[at].eyes.raised;
        let lowered = |row: &Message| {
            let told = *raised.get(&row.row_key)?;
            let what = || format!("{} was {told:?}, and is {:?} again", row.row_key, row.status);
            (row.status < told).then(what)
        };
        let lower = window.rows().find_map(lowered);
        let mut wrong = known.filter_map(|(row, stored)| wrong_of(row, stored, user, span, answers)).next();
        wrong = wrong.or(lower);
        let failures: BTreeSet<&str> = window
            .rows()
            .filter(|row| row.status == Status::Failed)
            .filter_map(|row| row.key.as_deref())
            .collect();
        let missing = |row: &&RowSeen| {
            let sent = &self.ledger.sent[row.number];
            row.failed && !sent.torn && sent.room == ROOMS[room] && !failures.contains(row.key.as_str())
        };
        if let Some(row) = self.disks[home].rows.values().find(missing).filter(|_| !window.refused) {
            wrong = wrong.or(Some(format!("message {} has failed, and stands nowhere", row.number)));
        }
        if let Some(what) = wrong {
            let name = self.name(at);
            self.wrong("rows say what is so", format!("{name} in {}: {what}", ROOMS[room]));
        }
    }
}

fn wrong_of(
    row: &Message,
    stored: &Stored,
    user: &str,
    (last_seq, newest): (u64, u64),
    answers: bool,
) -> Option<String> {
    let mine = stored.sender == user;
    if mine != (row.sender == Sender::Me) {
        return Some(format!("{} is of {}, and shown as {:?}", stored.id, stored.sender, row.sender));
    }
    let told = match stored.status {
        "read" => Status::Read,
        "delivered" => Status::Delivered,
        _ => Status::Acknowledged,
    };
    if mine && answers && matches!(row.status, Status::Saving | Status::Saved | Status::Sent) {
        return Some(format!("{} is on the server, and shown as {:?}", stored.id, row.status));
    }
    let new = last_seq - stored.seq < newest;
    if mine && is_acknowledged(row.status) && (row.status > told || new && row.status < told) {
        return Some(format!("{} is {told:?}, and shown as {:?}", stored.id, row.status));
    }
    None
}

/// What is shown and not there, or twice.
fn beside(shown: &[&str], there: &[&str], apart: bool) -> Option<String> {
    let mut seen = BTreeSet::new();
    let foreign = shown.iter().find(|id| !(seen.insert(**id) || apart) || !there.contains(*id));
    foreign.map(|id| format!("{id} is shown, and not there or twice"))
}

pub fn difference(shown: &[&str], wanted: &[&str]) -> String {
    let (a, b): (BTreeSet<_>, BTreeSet<_>) = (shown.iter().collect(), wanted.iter().collect());
    let missing: Vec<_> = b.difference(&a).take(5).collect();
    let foreign: Vec<_> = a.difference(&b).take(5).collect();
    let (shows, has) = (shown.len(), wanted.len());
    if missing.is_empty() && foreign.is_empty() && shows == has {
        let at = shown.iter().zip(wanted).position(|(a, b)| a != b);
        return format!("another order from row {at:?} of {has}");
    }
    format!("shows {shows} of {has} rows, missing {missing:?}, foreign {foreign:?}")
}
