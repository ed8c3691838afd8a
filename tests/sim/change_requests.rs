//! Changes of messages at the model backend (T12, T13, D4).
//!
//! Law: a change is carried out in the moment in which its request leaves, so that none of an earlier life, or of a page
//! that has lost the lead, comes behind one of a later.

use chatwire::proto::{ChangeKind, HttpRequest};
use serde_json::{Value, json};

use super::changes::{ChangeSeen, Changed};
use super::faults::Fault;
use super::server::{Say, event};
use super::text;
use super::world::World;

impl World {
    /// The request of a change; status and body. Status 0: no answer.
    pub fn on_change_request(&mut self, at: usize, request: &HttpRequest) -> (u16, String) {
        let wrong =
            |status: u16, code: &str| (status, json!({"error": {"code": code, "message": "no"}}).to_string());
        let path = request.url.split_once("/api/messages/").map_or("", |(_, path)| path);
        let body: Value =
            request.body.as_deref().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
        let mut parts = path.split('/');
        let id = parts.next().unwrap_or_default().to_owned();
        let (of_reactions, emoji) = (parts.next().is_some(), parts.next().unwrap_or_default());
        let (kind, text) = match (request.method, of_reactions) {
            ("PATCH", _) => {
                (ChangeKind::Edit, text::decode(body["content_encrypted"].as_str().unwrap_or_default()))
            }
            ("POST", true) => (ChangeKind::React, body["emoji"].as_str().unwrap_or_default().to_owned()),
            ("DELETE", true) => (ChangeKind::Unreact, emoji.to_owned()),
            _ => (ChangeKind::Remove, String::new()),
        };
        let Some(number) = self.see_request(at, kind, &id, &text) else {
            return wrong(400, "ValidationError");
        };
        if self.server.down || self.dice.strikes(Fault::ChangeLost, at).is_some() {
            return (0, String::new());
        }
        let token = request.token.as_ref().map_or("", |token| token.0.as_str());
        let generation = token.rsplit(':').next().and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
        if generation < self.server.token {
            self.dice.coverage.fault(Fault::HttpUnauthorised);
            return wrong(401, "AuthError");
        }
        if let Some(n) = self.dice.strikes(Fault::ChangeFailed, at) {
            self.ledger.changes[number].refusals.0 += u32::from(n % 2 == 0);
            return if n % 2 == 0 { wrong(503, "ServerError") } else { wrong(429, "RateLimited") };
        }
        if let Some(n) = self.dice.strikes(Fault::ChangeRefused, at) {
            self.ledger.changes[number].refusals.1 += 1;
            return if n % 2 == 0 { wrong(403, "ForbiddenError") } else { wrong(400, "ValidationError") };
        }
        let user = token.split(':').next().unwrap_or_default().to_owned();
        let answer = self.carry_out(at, (kind, &id, &text), &user);
        let missing = answer.is_none();
        let takes_away = matches!(kind, ChangeKind::Remove | ChangeKind::Unreact);
        if missing && !takes_away {
            self.ledger.changes[number].refusals.1 += 1;
        } else {
            self.ledger.changes[number].taken = true;
        }
        if self.dice.strikes(Fault::ChangeAnswerLost, at).is_some() {
            return (0, String::new());
        }
        self.ledger.changes[number].answered = self.ledger.changes[number].taken;
        answer.map_or_else(|| wrong(404, "NotFoundError"), |body| (200, body))
    }

    /// No request before its row is stored and marked, and none before one that was queued earlier.
    fn see_request(&mut self, at: usize, kind: ChangeKind, id: &str, text: &str) -> Option<usize> {
        let home = self.devices[at].person.disk;
        // While the store takes nothing, the id stands in no record.
        let messages = || self.server.rooms.values().flat_map(|room| &room.messages);
        let target = messages().find(|message| message.id == id).and_then(|message| message.number);
        let says = |known: &Changed| known.disk == home && known.kind == kind && known.text == text;
        let is_it = |seen: &&ChangeSeen| {
            let known = &self.ledger.changes[seen.number];
            says(known) && (seen.id.as_deref() == Some(id) || (target.is_some() && known.target == target))
        };
        // Two may say the same: then it is the one whose turn it is, which the records tell as long as they are written.
        let written = !self.devices[at].eyes.refused;
        let failed =
            |known: &Changed| known.refusals.1 > 0 || u64::from(known.refusals.0) >= self.plan.max_attempts;
        let turn = |seen: &&ChangeSeen| {
            let known = &self.ledger.changes[seen.number];
            let failed = seen.failed || (!written && failed(known));
            // Of a failure that only memory had the next leader knows nothing.
            (failed, seen.failed, written && !seen.marked, known.answered)
        };
        let of_it = |known: &Changed| says(known) && (target.is_none() || known.target == target);
        let due = |known: &Changed| of_it(known) && !known.taken && !known.refused && !failed(known);
        // Its removal may be refused, then, when it is over; and one that only memory has goes before one that has failed.
        let waits = self.ledger.changes.iter().any(due);
        let over = |seen: &&ChangeSeen| {
            let known = &self.ledger.changes[seen.number];
            !written && (known.answered || (waits && seen.failed && failed(known)))
        };
        let known = self.disks[home].changes.values().filter(is_it).filter(|seen| !over(seen));
        let seen = known.min_by_key(turn).cloned();
        let fallback = || {
            // Of a message that the server has lost, and while the store takes nothing, nothing tells them apart but their
            // turn.
            let changes = &self.ledger.changes;
            // Of what only the memory of another page has, a page that leads knows nothing as a rule.
            let known = |change: &Changed| due(change) && (change.by == at || change.committed);
            let first = changes.iter().position(known).or_else(|| changes.iter().position(due));
            first.or_else(|| changes.iter().rposition(of_it))
        };
        let number = seen.as_ref().map(|seen| seen.number).or_else(fallback);
        let Some(number) = number else {
            self.wrong("requests say what was asked", format!("{kind:?} of {id}, which nobody has wished"));
            return None;
        };
        let name = self.name(at);
        self.say(|| format!("{name} asks for change {number}: {kind:?} of {id}"));
        let good = seen.as_ref().is_some_and(|seen| seen.marked && !seen.failed);
        if !good && !self.devices[at].eyes.refused && !self.ledger.changes[number].lost_allowed {
            self.wrong(
                "no frame before its Saved",
                format!("change {number} leaves before the store has it, marked"),
            );
        }
        let stored =
            self.disks[home].changes.iter().find(|(_, seen)| seen.number == number).map(|(at, _)| *at);
        let before = self.disks[home].changes.iter().find(|(other, seen)| {
            // Of what was carried out the row may stand until its copy is in the history.
            let open = !seen.failed && !self.ledger.changes[seen.number].taken;
            stored.is_some_and(|stored| **other < stored) && seen.id.as_deref() == Some(id) && open
        });
        if let Some(before) = before.map(|(_, seen)| seen.number)
            && !self.devices[at].eyes.refused
            // What another tab has queued and no word has told it waits for the next rescan, which a slow store may hold up.
            && self.devices[at].eyes.tabs.word_lost_at.is_none_or(|lost| self.t - lost > 60_000)
        {
            self.wrong("changes keep their order", format!("change {number} goes before change {before}"));
        }
        Some(number)
    }

    /// The message as it is then; `None`: there is none, or nothing to take off.
    fn carry_out(
        &mut self,
        at: usize,
        (kind, id, text): (ChangeKind, &str, &str),
        user: &str,
    ) -> Option<String> {
        let home = self.devices[at].person.disk;
        let now = self.server.wall_ms;
        let (room, message) = self.server.rooms.iter_mut().find_map(|(name, room)| {
            Some((name.clone(), room.messages.iter_mut().find(|message| message.id == id)?))
        })?;
        let place = (text.to_owned(), user.to_owned());
        let reaction = |op: &str| json!({"messageId": id, "emoji": text, "userId": user, "op": op});
        let (name, payload) = match kind {
            ChangeKind::Edit => {
                if message.deleted.is_none() {
                    message.text = text.to_owned();
                    // Its clock may be set back, but not the order of edits.
                    message.edited = Some((now.max(message.edited.map_or(0, |(ms, _)| ms + 1)), home));
                }
                ("chat:message_updated", None)
            }
            ChangeKind::Remove => {
                message.deleted.get_or_insert((now, home));
                message.text.clear();
                message.reactions.clear();
                ("chat:message_deleted", Some(json!({"messageId": id})))
            }
            ChangeKind::React => {
                if message.deleted.is_none() {
                    message.reactions.insert(place, (true, home));
                }
                ("chat:reaction", Some(reaction("add")))
            }
            ChangeKind::Unreact => {
                let before = message.reactions.insert(place, (false, home));
                if !before.is_some_and(|(there, _)| there) {
                    return None;
                }
                ("chat:reaction", Some(reaction("remove")))
            }
        };
        let message = message.clone();
        let mut said: Vec<Say> = Vec::new();
        for (socket, session) in self.server.sessions.iter().filter(|(_, session)| session.joined) {
            let record = || self.server.record(&room, &message, &session.user);
            said.push(event(*socket, name, &payload.clone().unwrap_or_else(record)));
        }
        let body = json!({"message": self.server.record(&room, &message, user)}).to_string();
        self.said(said);
        Some(body)
    }
}
