//! Edits, deletions and reactions: what the schedule has of them, what the backend makes of them, how they reach the
//! pages, and what every page must show of them in the end.
//!
//! Law: they are drawn from a stream of their own, and travel by dice of their own: a schedule without them is what it
//! was before there were any.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::{Message, Status};
use serde_json::{Value, json};

use super::dice::{self, Choice, Stream};
use super::faults::Fault;
use super::plan::ROOMS;
use super::server::{Say, Server, SocketId, event};
use super::stored::Stored;
use super::world::{Happening, World};

/// No disk has asked for it.
const OUTSIDE: usize = usize::MAX;
/// Only the newest are spoken of.
const NEWEST: u64 = 20;

/// Its place among the choices.
pub fn deeds_choice(index: usize) -> Choice {
    (1 << 60) | (1 << 50) | index as u64
}

/// What somebody does to a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    Edit,
    Delete,
    React { emoji: &'static str, user: &'static str, added: bool },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Deeds {
    pub room: usize,
    /// Which of the newest; `None`: a new one, of which they may be told before it.
    pub nth: Option<u64>,
    pub deeds: Vec<Deed>,
    pub twice: bool,
    /// How much later it comes than what is said after it.
    pub late_ms: u64,
}

impl Deeds {
    pub fn draw_all(seed: u64, until_ms: u64) -> Vec<(u64, Self)> {
        let mut s = Stream::new(seed ^ 0x0c4a_93e5);
        if s.one_in(3) {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let mut at = 1200;
        let pace = (until_ms / s.between(4, 40)).max(20);
        while at < until_ms && changes.len() < 60 {
            changes.push((at, Self::draw(&mut s)));
            at += s.between(1, 2 * pace);
        }
        changes
    }

    fn draw(s: &mut Stream) -> Self {
        let new = s.one_in(3);
        let deeds = (0..s.between(1, 3)).map(|_| deed(s)).collect();
        Self {
            room: s.below(ROOMS.len() as u64) as usize,
            nth: (!new).then(|| s.below(NEWEST)),
            deeds,
            twice: s.one_in(4),
            late_ms: if s.one_in(2) { s.between(1, 3000) } else { 0 },
        }
    }
}

fn deed(s: &mut Stream) -> Deed {
    match s.below(5) {
        0 => Deed::Delete,
        1 | 2 => Deed::Edit,
        _ => Deed::React {
            emoji: s.pick(&["👍", "🎉"]),
            user: s.pick(&["ana", "bo", "cy"]),
            added: !s.one_in(3),
        },
    }
}

/// How a frame travels.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Slowly, and whatever is said later stays behind it, but for what overtakes it: messages keep their order.
    Held(u64),
    Overtakes,
    /// In its order, or so much later.
    Late(u64),
}

impl Server {
    /// What a page must show: text, whether it is gone, reactions.
    fn shown(&self, message: &Stored) -> (String, bool, BTreeSet<(String, String)>) {
        let there = message.reactions.iter().filter(|(_, (there, _))| *there);
        (message.text.clone(), message.deleted.is_some(), there.map(|(place, _)| place.clone()).collect())
    }

    /// Which message of the schedule that is, whatever has become of its text.
    pub fn number_by_id(&self, id: &str) -> Option<usize> {
        self.rooms.values().flat_map(|room| &room.messages).find(|message| message.id == id)?.number
    }

    /// Does it to the newest but `nth`; name and payload of what is told of it, by the reader.
    fn change(&mut self, room: &str, nth: u64, deed: Deed) -> Vec<(String, &'static str, Value)> {
        let Some(message) = self.rooms[room].messages.iter().rev().nth(nth as usize).cloned() else {
            return Vec::new();
        };
        // A copy without a key is known by its content: it is not touched where there are no keys.
        if message.number.is_some() && !self.keys && !matches!(deed, Deed::React { .. }) {
            return Vec::new();
        }
        let wall_ms = self.wall_ms;
        let messages = &mut self.rooms.get_mut(room).unwrap().messages;
        let Some(stored) = messages.iter_mut().find(|stored| stored.id == message.id) else {
            return Vec::new();
        };
        if stored.deleted.is_some() {
            return Vec::new();
        }
        // No two edits have one time, and none goes back.
        let at_ms = wall_ms.max(stored.edited.map_or(0, |(ms, _)| ms + 1));
        let told = match deed {
            Deed::Edit => {
                let first = stored.text.split('~').next().unwrap_or_default();
                stored.text = format!("{first}~{at_ms}");
                stored.edited = Some((at_ms, OUTSIDE));
                None
            }
            Deed::Delete => {
                stored.deleted = Some((at_ms, OUTSIDE));
                stored.text.clear();
                stored.reactions.clear();
                Some(("chat:message_deleted", json!({"messageId": message.id})))
            }
            Deed::React { emoji, user, added } => {
                let place = (emoji.to_owned(), user.to_owned());
                let before = stored.reactions.insert(place, (added, OUTSIDE));
                if before.is_some_and(|(there, _)| there) == added {
                    return Vec::new();
                }
                let op = if added { "add" } else { "remove" };
                let payload = json!({"messageId": message.id, "emoji": emoji, "userId": user, "op": op});
                Some(("chat:reaction", payload))
            }
        };
        let message = stored.clone();
        let users: BTreeSet<String> = self.sessions.values().map(|session| session.user.clone()).collect();
        let tell = |user: String| match &told {
            Some((name, payload)) => (user, *name, payload.clone()),
            None => {
                let record = self.record(room, &message, &user);
                (user, "chat:message_updated", record)
            }
        };
        users.into_iter().map(tell).collect()
    }
}

impl World {
    pub fn plan_deeds(&mut self, index: usize) {
        if let Some((at, _)) = self.plan.deeds.get(index) {
            self.push_for((usize::MAX, 0), at + self.shift_ms, Happening::Deeds(index));
        }
    }

    pub fn do_deeds(&mut self, index: usize) {
        self.plan_deeds(index + 1);
        if self.dice.is_choice_muted(deeds_choice(index)) || self.server.down {
            return;
        }
        self.dice.struck.push(deeds_choice(index));
        let change = self.plan.deeds[index].1.clone();
        self.say(|| format!("somebody outside: {change:?}"));
        let room = ROOMS[change.room];
        let nth = change.nth.unwrap_or(0);
        let overtakes = change.nth.is_none() && change.late_ms > 0;
        if change.nth.is_none() {
            let said = self.server.post(room, &format!("outside, change {index}"));
            self.see_way(&said, Fault::ToldEarly, change.late_ms);
            self.say_by(said, Way::Held(change.late_ms), change.twice);
        }
        for deed in &change.deeds {
            let told = self.server.change(room, nth, *deed);
            let said = self.change_frames(&told);
            // Reactions carry no time: they come in their order, as on a socket.
            let timed = !matches!(deed, Deed::React { .. }) && change.nth.is_some();
            let late_ms = if timed { change.late_ms } else { 0 };
            self.see_way(&said, Fault::ToldLate, late_ms);
            let way = if overtakes { Way::Overtakes } else { Way::Late(late_ms) };
            self.say_by(said, way, change.twice);
        }
    }

    /// Counted where somebody hears it.
    fn see_way(&mut self, said: &[Say], fault: Fault, late_ms: u64) {
        if late_ms > 0 && !said.is_empty() {
            self.dice.coverage.fault(fault);
        }
    }

    fn change_frames(&self, told: &[(String, &'static str, Value)]) -> Vec<Say> {
        let sessions = self.server.sessions.iter().filter(|(_, session)| session.joined);
        sessions
            .filter_map(|(socket, session)| {
                let (_, name, payload) = told.iter().find(|(user, ..)| *user == session.user)?;
                Some(event(*socket, name, payload))
            })
            .collect()
    }

    fn say_by(&mut self, said: Vec<Say>, way: Way, twice: bool) {
        for one in said {
            let Say::Text { to, text, .. } = one else { continue };
            if twice {
                self.dice.coverage.fault(Fault::ToldRepeated);
                self.say_change(to, way, text.clone());
            }
            self.say_change(to, way, text);
        }
    }

    fn say_change(&mut self, (at, life, conn): SocketId, way: Way, text: String) {
        if self.devices[at].life != life {
            return;
        }
        let usual = self.devices[at].person.latency_ms;
        let earliest = self.t + self.dice.between(dice::DEEDS, at, usual / 2, usual + 1);
        let Some(link) = self.devices[at].links.get_mut(&conn) else { return };
        let in_order = earliest.max(link.in_last).max(link.changes_last);
        let due = match way {
            Way::Held(ms) => {
                link.in_last = in_order + ms;
                link.in_last
            }
            Way::Overtakes => {
                link.changes_last = earliest.max(link.changes_last);
                link.changes_last
            }
            Way::Late(0) => {
                link.in_last = in_order;
                in_order
            }
            Way::Late(ms) => in_order + ms,
        };
        self.push_for((at, life), due, Happening::ToClient { conn, text });
    }

    /// At rest: what a page shows of the newest messages is what the server has, whatever it has heard in which order.
    pub fn compare_told(&self, at: usize, room: usize, rows: &[&Message]) -> Option<String> {
        let model = &self.server.rooms[ROOMS[room]];
        let by_id: BTreeMap<&str, &Stored> =
            model.messages.iter().map(|message| (message.id.as_str(), message)).collect();
        for row in rows {
            if let Some(reaction) = row.reactions.iter().find(|one| {
                one.users.iter().collect::<BTreeSet<_>>().len() != one.count as usize
                    || one.users.len() != one.count as usize
            }) {
                return Some(format!("{} has {reaction:?}", row.row_key));
            }
            let Some(stored) = row.id.as_deref().and_then(|id| by_id.get(id)) else { continue };
            // Beyond the newest page nobody tells what has changed while a device was away.
            if row.status == Status::Failed
                || model.last_seq - stored.seq >= u64::from(self.plan.pages.newest)
            {
                continue;
            }
            let reactions = row.reactions.iter();
            let reactions = reactions
                .flat_map(|one| one.users.iter().map(|user| (one.emoji.clone(), user.clone())))
                .collect();
            let shows = (row.text.clone(), row.deleted_at_ms.is_some(), reactions);
            let has = self.server.shown(stored);
            if shows != has && !self.is_only_remembered(at, row, stored.number) {
                return Some(format!(
                    "{} in {}: {} is {shows:?}, and not {has:?}",
                    self.name(at),
                    ROOMS[room],
                    stored.id
                ));
            }
        }
        None
    }
}
