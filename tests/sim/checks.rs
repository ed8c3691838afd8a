//! What must hold at every step, whatever the schedule: what is known of each message, and what each page has said.

use chatwire::proto::{ConnectionState, Delivery, ErrorCode, Event, Failure, Message, Outcome, Status};

use super::ledger::Sent;
use super::text;
use super::world::World;

/// What a command was about.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Asked {
    Send(usize),
    Cancel(usize),
    Discard(usize),
    Resend(usize),
    Acknowledged(usize),
    Change(usize),
    Outbox,
    Connect,
    Disconnect,
    Close,
    #[default]
    Other,
}

pub fn is_acknowledged(status: Status) -> bool {
    matches!(status, Status::Acknowledged | Status::Delivered | Status::Read)
}

impl World {
    /// A message has one key for ever.
    pub fn see_key(&mut self, number: usize, key: &str, place: &str) {
        let known = self.ledger.sent[number].key.get_or_insert_with(|| key.to_owned());
        if known != key {
            let what = format!("message {number} was called {known} and is called {key} in {place}");
            self.wrong("a key never changes", what);
        }
    }

    fn number_of_key(&self, at: usize, key: &str) -> Option<usize> {
        let disk = self.devices[at].person.disk;
        let mine = |sent: &Sent| sent.disk == disk && sent.key.as_deref() == Some(key);
        self.ledger.sent.iter().rposition(mine)
    }

    /// Words that may be logged hold neither a body nor a token.
    pub fn see_words(&mut self, words: &str) {
        if [text::SECRET, text::SECRET_BASE64, text::TOKEN].iter().any(|secret| words.contains(secret)) {
            self.wrong("nothing secret is said", words.to_owned());
        }
    }

    pub fn see_event(&mut self, at: usize, event: Event) {
        match event {
            Event::Done { id, outcome } => self.see_done(at, id, outcome),
            Event::Refused { id, error } => self.see_refused(at, id, &error),
            Event::Status { row_key, status, failure, .. } => {
                self.see_status(at, &row_key, status, failure.as_ref());
            }
            Event::Message { message, leader, .. } => self.see_message(at, &message.row_key, leader),
            Event::View(update) => self.see_view(at, update),
            Event::Phase { phase } => self.see_phase(at, phase),
            Event::Connection { connection } => self.see_connection(at, &connection),
            Event::Guarantees { guarantees } => {
                let plain = guarantees.delivery != Delivery::ExactlyOnce;
                self.devices[at].eyes.wire.plain = plain;
                self.devices[at].eyes.wire.keyed |= !plain;
                let home = self.devices[at].person.disk;
                let online = self.devices[at].eyes.state == Some(ConnectionState::Online);
                self.disks[home].plain_seen |= plain && online;
            }
            Event::Error { error } | Event::AuthError { error } => {
                let name = self.name(at);
                self.say(|| format!("{name}: error {:?}: {}", error.code, error.message));
                self.see_words(&error.message);
            }
            Event::Gap { conversation_id } => _ = self.devices[at].eyes.gaps.insert(conversation_id),
            Event::ProtocolError { message, excerpt } => {
                self.see_words(&message);
                self.see_words(&excerpt);
            }
            Event::StorageDegraded { message, .. } => {
                let name = self.name(at);
                self.say(|| format!("{name}: {message}"));
                self.see_words(&message);
            }
            Event::Leader { leader } => {
                self.devices[at].eyes.leads = leader;
                self.disturb_tabs(at);
                let name = self.name(at);
                self.say(|| format!("{name} {} lead", if leader { "takes the" } else { "gives up the" }));
            }
            _ => {}
        }
    }

    fn must(&mut self, holds: bool, checker: &'static str, what: &str) {
        if !holds {
            self.wrong(checker, what.to_owned());
        }
    }

    fn end(&mut self, at: usize, id: u32) -> Asked {
        let eyes = &mut self.devices[at].eyes;
        let asked = eyes.asked.get(&id).copied().unwrap_or(Asked::Other);
        if !eyes.ended.insert(id) {
            self.wrong("a command ends once", format!("{asked:?} ended twice"));
        }
        asked
    }

    fn see_done(&mut self, at: usize, id: u32, outcome: Outcome) {
        let asked = self.end(at, id);
        self.close_removal(asked);
        let name = self.name(at);
        match (asked, outcome) {
            (Asked::Send(number) | Asked::Resend(number), Outcome::Message(message)) => {
                self.see_resolved(at, asked, number, &message);
            }
            (Asked::Change(number), Outcome::Message(message)) => {
                self.see_change_resolved(at, number, &message);
            }
            (Asked::Cancel(number), _) => {
                self.say(|| format!("{name}: message {number} is cancelled"));
                self.ledger.sent[number].cancelled = true;
                self.ledger.sent[number].cancelled_by = Some((at, self.devices[at].life));
                self.check_cancelled(number);
                self.see_taken_back(at, number);
            }
            (Asked::Disconnect, _) => {
                self.devices[at].eyes.wire.disconnected = self.devices[at].eyes.wire.last_wish == asked;
            }
            (Asked::Discard(number), _) => {
                self.say(|| format!("{name}: message {number} is discarded"));
                self.ledger.sent[number].discarded = true;
                self.see_taken_back(at, number);
            }
            // Without answers it says that the frame has left.
            (Asked::Acknowledged(number), _) if !self.plan.answers => {
                let left = self.ledger.sent[number].frames > 0;
                self.must(left, "acknowledged is what the server has", "resolved before its frame");
            }
            (Asked::Acknowledged(number), _) => self.check_acknowledged(number, "acknowledged() resolved"),
            (Asked::Outbox, Outcome::Messages(messages)) => self.devices[at].eyes.outbox = Some(messages),
            (Asked::Close, _) => {
                // What belongs to the same call may still follow: the lock is given back.
                self.devices[at].eyes.closing = true;
                self.say(|| format!("{name} is closed"));
            }
            _ => {}
        }
    }

    fn see_resolved(&mut self, at: usize, asked: Asked, number: usize, message: &Message) {
        let name = self.name(at);
        let (durable, status) = (message.durable, message.status);
        self.say(|| format!("{name}: send() of message {number} resolves, {status:?}, durable: {durable}"));
        if let Some(key) = &message.key {
            self.see_key(number, key, "its send()");
        }
        // A call that waited for the store counts from the moment at which it was carried out.
        let created = u64::try_from(message.created_at_ms).unwrap_or(0);
        if let Some(ttl) = self.ledger.sent[number].ttl_ms.filter(|_| message.status < Status::Acknowledged) {
            self.ledger.sent[number].deadline_ms = Some(created + ttl);
        }
        let home = self.devices[at].person.disk;
        if durable {
            self.ledger.sent[number].accepted = true;
            if asked == Asked::Resend(number) {
                self.ledger.sent[number].reasons.clear();
            }
            if !self.disks[home].committed.contains(&number) {
                self.wrong("send() resolves after its commit", format!("message {number} is in no store"));
            }
        } else {
            self.ledger.sent[number].lost_allowed = true;
            if !self.devices[at].eyes.refused {
                let what = format!("message {number} is called not durable, and the store refused nothing");
                self.wrong("durable unless the store refuses", what);
            }
        }
    }

    fn see_refused(&mut self, at: usize, id: u32, error: &Failure) {
        let asked = self.end(at, id);
        if error.code != ErrorCode::Closed {
            self.close_removal(asked);
            self.see_change_refused(asked);
        }
        let name = self.name(at);
        self.say(|| format!("{name}: {asked:?} is refused: {:?}: {}", error.code, error.message));
        self.see_words(&error.message);
    }

    /// The ladder is only climbed, but for a failure and what may follow it.
    fn see_status(&mut self, at: usize, key: &str, status: Status, failure: Option<&Failure>) {
        let Some(number) = self.number_of_key(at, key).or_else(|| self.adopt(at, key)) else { return };
        let name = self.name(at);
        let code = failure.map(|failure| failure.code);
        self.say(|| match code {
            Some(code) => format!("{name}: message {number} is {status:?} ({code:?})"),
            None => format!("{name}: message {number} is {status:?}"),
        });
        if let Some(failure) = failure {
            self.see_words(&failure.message);
        }
        let before = self.devices[at].eyes.statuses.insert(key.to_owned(), status);
        let resent = self.ledger.sent[number].resends > 0;
        // A failure that was told and not committed is forgotten with the lead.
        let home = self.devices[at].person.disk;
        let (put_back, torn) = (self.ledger.sent[number].put_back, self.ledger.sent[number].torn);
        let memory_only = self.ledger.sent[number].lost_allowed || put_back;
        // Nor does a page that does not lead any more know at once that another has committed the same.
        let eyes = &mut self.devices[at].eyes;
        let told_ms = eyes.failed_ms.get(key).copied().unwrap_or_default();
        let by_whom = self.disks[home].failed.get(&number);
        let failed_for_sure = by_whom.is_some_and(|(ms, by)| *by == at || *ms <= told_ms);
        if status == Status::Failed {
            eyes.failed_ms.insert(key.to_owned(), self.t);
        }
        if is_acknowledged(status) && !eyes.refused {
            eyes.raised.insert(key.to_owned(), status);
        }
        if is_acknowledged(status) && resent && eyes.refused {
            eyes.by_memory.insert(key.to_owned());
        }
        let fine = match before {
            None => true,
            Some(Status::Failed) => {
                // Of a torn failure stands what another tab knew of the message, and adds anew.
                status == Status::Failed || resent || is_acknowledged(status) || !failed_for_sure || torn
            }
            Some(before) if status == Status::Failed => !is_acknowledged(before) || memory_only,
            // A resend stands in the queue anew; one that only memory had may be forgotten with all that came of it.
            // A torn row that another tab has added anew stands until whoever leads has met it.
            Some(before) => {
                let twice = torn && self.disks[home].rows.values().any(|row| row.number == number);
                let forgotten = resent && (memory_only || !is_acknowledged(before));
                status >= before || put_back || forgotten || twice
            }
        };
        if !fine {
            let what = format!("message {number} went from {before:?} to {status:?} on {name}");
            self.wrong("a status never goes back", what);
        }
        if is_acknowledged(status) {
            self.ledger.sent[number].shown_acknowledged = true;
            self.check_acknowledged(number, "it is shown as acknowledged");
        }
        let home = self.devices[at].person.disk;
        if matches!(status, Status::Saved | Status::Sent)
            && !self.disks[home].committed.contains(&number)
            && !self.devices[at].eyes.refused
        {
            self.wrong("saved is shown after the commit", format!("message {number} is {status:?}"));
        }
        if let Some(code) = code {
            self.check_failure(at, number, code);
        }
    }

    /// A key that is new: that of a row that was committed before its `send()` resolved, or is being saved.
    fn adopt(&mut self, at: usize, key: &str) -> Option<usize> {
        let home = self.devices[at].person.disk;
        let row = self.disks[home].rows.values().find(|row| row.key == key)?;
        Some(row.number)
    }

    fn check_acknowledged(&mut self, number: usize, why: &str) {
        if !self.server.ever.contains_key(&number) {
            let what = format!("{why}, and the server never had message {number}");
            self.wrong("acknowledged is what the server has", what);
        }
    }

    /// A failure has a reason that the world has given.
    fn check_failure(&mut self, at: usize, number: usize, code: ErrorCode) {
        if self.ledger.sent[number].failed.replace(code) == Some(code) {
            return;
        }
        let nothing = Default::default();
        let (for_now, for_good) = self.server.refusals.get(&number).unwrap_or(&nothing);
        let home = self.devices[at].person.disk;
        let sent = &self.ledger.sent[number];
        let now = self.devices[at].now(self.t).wall_ms;
        let justified = match code {
            // A torn row is taken for one that may have gone, and before any hello no keys are known to be kept.
            ErrorCode::Unconfirmed => {
                let unknown = !self.devices[at].eyes.wire.keyed || sent.frames == 0;
                let over = sent.deadline_ms.is_some_and(|deadline| deadline <= now);
                !self.plan.keys || self.disks[home].plain_seen || (sent.torn && unknown && over)
            }
            ErrorCode::Server => u64::from(*for_now - sent.before_resend.0) >= self.plan.max_attempts,
            ErrorCode::Validation | ErrorCode::Forbidden | ErrorCode::NotFound | ErrorCode::Conflict => {
                for_good[sent.before_resend.2.min(for_good.len())..].contains(&code)
            }
            ErrorCode::Poison => sent.frames - sent.before_resend.1 >= 3,
            // Whoever only reads it in the store may look at another clock, since it was set.
            // A resend that only memory had is forgotten: its old record stands again, with the old time to live.
            ErrorCode::Expired if sent.resends > 0 && sent.lost_allowed => true,
            ErrorCode::Expired => sent.deadline_ms.is_some_and(|deadline| deadline <= now),
            _ => false,
        };
        let justified = justified || sent.reasons.contains(&code);
        if justified {
            let sent = &mut self.ledger.sent[number];
            sent.all_reasons.push(code);
            sent.reasons.push(code);
        } else {
            let sent = &self.ledger.sent[number];
            let what = format!(
                "message {number} failed as {code:?} after {for_now} refusals and {for_good:?}, {} frames",
                sent.frames
            );
            self.wrong("a failure has its reason", what);
        }
    }
}
