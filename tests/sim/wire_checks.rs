//! What must hold of everything that leaves a client: frames, requests to the store, attempts to connect.

use std::collections::BTreeMap;

use chatwire::proto::store::GENERATION_KEY;
use chatwire::proto::wire::Limits;
use chatwire::proto::wire::socket_io::{self, Packet};
use chatwire::proto::{
    ConnectionSnapshot, ConnectionState, HttpResult, Input, Output, PageInput, Read, RecordId, SocketInput,
    SocketOutput, StoreReply, StoreRequest, TabInput, Table, TokenId,
};
use serde_json::Value;

use super::checks::Asked;
use super::text;
use super::world::World;

/// The token questions of REST requests of the application; all others are the connection's.
const OTHER_QUESTION: TokenId = TokenId::MAX;
/// So long a page may take what it has had for its own: no lead is stolen from one that has run within it.
const LEASE_MS: u64 = 4000;
/// What a client takes of writes in a row that come to nothing before it leaves the store alone for a while.
const MAX_VAIN_WRITES: u32 = 10;

#[derive(Default)]
pub struct WireEyes {
    /// Unanswered sends of the present socket, by their ack ids: room and message.
    in_flight: BTreeMap<u64, (String, usize)>,
    /// After `Unknown`: the last request before it. A read that was asked for later must be answered.
    doubt: Option<u32>,
    /// Requests to the store that write rows or history, not a generation.
    writes: std::collections::BTreeSet<u32>,
    /// The application has called `disconnect()` and not `connect()` since.
    pub disconnected: bool,
    pub last_wish: Asked,
    token_given: bool,
    /// Attempts to connect since the budget was last renewed.
    pub attempts: u64,
    /// A sleep begins it anew: timers do not fire in it.
    pub online_since: u64,
    /// Retry delays that were exactly the ceiling of the backoff, and all.
    pub round_delays: (u32, u32),
    pub plain: bool,
    /// It has known of keys that are kept.
    pub keyed: bool,
    last_frame_ms: u64,
    /// The last request to the store, and the last one before it refused something.
    last_request: u32,
    last_refused: u32,
    /// Writes in a row that came to nothing.
    vain_writes: u32,
    /// Reads that nothing durable hangs on: of one record or index of a history, and the leader's look at the outbox.
    looks: std::collections::BTreeSet<u32>,
}

impl World {
    pub fn see_output(&mut self, at: usize, output: &Output) {
        let name = self.name(at);
        if self.devices[at].eyes.closed {
            self.wrong("silence after close", format!("{name}: {output:?}"));
        }
        // What would be logged; every eighth output of a run, since it takes longer than all the rest.
        if self.events.is_multiple_of(8) {
            let words = format!("{output:?}");
            self.see_words(&words);
        }
        let wire = &mut self.devices[at].eyes.wire;
        if let Output::Store { id, .. } = output {
            wire.last_request = *id;
        }
        match output {
            Output::Store { id, request: StoreRequest::Write(transaction) } => {
                let claim = RecordId::meta(GENERATION_KEY);
                if transaction.puts.iter().all(|(record, _)| *record != claim) {
                    wire.writes.insert(*id);
                    if wire.doubt.is_some() {
                        let what = format!("{name} writes before it knows what became of the write before");
                        self.wrong("after Unknown the store is read", what);
                    }
                }
            }
            Output::Store { id, request: StoreRequest::Read(reads) } if is_look(reads) => {
                wire.looks.insert(*id);
            }
            Output::Token { id, .. } if *id != OTHER_QUESTION => {
                wire.token_given = false;
                wire.attempts += 1;
                if wire.disconnected {
                    self.wrong("disconnect() is obeyed", format!("{name} asks for a token"));
                }
            }
            Output::Socket(SocketOutput::Open { .. }) => self.see_open(at),
            _ => {}
        }
    }

    fn see_open(&mut self, at: usize) {
        let (name, t) = (self.name(at), self.t);
        self.devices[at].eyes.pace.begin_socket();
        if !self.devices[at].eyes.leads {
            self.wrong("whoever leads has the socket", format!("{name} opens one and does not lead"));
        }
        let wire = &mut self.devices[at].eyes.wire;
        wire.in_flight.clear();
        wire.last_frame_ms = t;
        let fresh = core::mem::take(&mut wire.token_given);
        if wire.disconnected {
            self.wrong("disconnect() is obeyed", format!("{name} opens a socket"));
        } else if !fresh {
            self.wrong("a token is asked for each attempt", format!("{name} opens a socket with an old one"));
        }
    }

    pub fn see_input(&mut self, at: usize, input: &Input) {
        if let Input::Tab(word) = input {
            self.see_word(at, word);
        }
        let online = self.devices[at].eyes.state == Some(ConnectionState::Online);
        let eyes = &mut self.devices[at].eyes;
        match input {
            Input::Tab(TabInput::Leads | TabInput::Follows | TabInput::Deposed) => {
                eyes.pace.forget_refusals();
                eyes.pace.renew_attempts();
            }
            Input::Page(_) => eyes.pace.renew_attempts(),
            _ => {}
        }
        if let Input::Store { reply: StoreReply::Conflict | StoreReply::Unknown, .. } = input {
            eyes.wire.vain_writes += 1;
            if eyes.wire.vain_writes > MAX_VAIN_WRITES {
                (eyes.refused, eyes.wire.last_refused) = (true, eyes.wire.last_request);
            }
        }
        match input {
            Input::Store { id, reply } => match reply {
                StoreReply::Unknown if eyes.wire.writes.contains(id) => {
                    eyes.wire.doubt = Some(eyes.wire.last_request);
                }
                StoreReply::Records(_) if eyes.wire.doubt.is_some_and(|asked| *id > asked) => {
                    eyes.wire.doubt = None;
                }
                StoreReply::Failed { .. } if !eyes.wire.looks.contains(id) => {
                    eyes.refused = true;
                    eyes.wire.last_refused = eyes.wire.last_request;
                    self.leave_removals(at);
                }
                // One that was asked for after the refusal.
                StoreReply::Saved { .. } if eyes.wire.writes.contains(id) && *id > eyes.wire.last_refused => {
                    (eyes.refused, eyes.wire.vain_writes) = (false, 0);
                }
                _ => {}
            },
            Input::Token { id, result } => {
                let good = result.as_ref().is_ok_and(|token| !token.0.is_empty());
                if *id != OTHER_QUESTION && !online {
                    eyes.wire.token_given = good;
                }
            }
            Input::Http { result: HttpResult::Answered { body, .. }, .. } => self.see_copies(at, body),
            // Where nothing is answered, what has left is unanswered no longer.
            Input::Socket(SocketInput::Drained { .. }) if !self.plan.answers => {
                for (_, number) in core::mem::take(&mut eyes.wire.in_flight).into_values() {
                    self.ledger.sent[number].handed_ms.get_or_insert(self.t);
                }
            }
            Input::Page(PageInput::Visible | PageInput::Resumed) if eyes.rests() => eyes.wire.attempts = 0,
            _ => {}
        }
    }

    /// A frame for the client: what it answers is no longer in flight.
    pub fn see_inbound(&mut self, at: usize, conn: u32, text: &str) {
        let t = self.t;
        // What it has closed already it does not listen to any more.
        let last = self.devices[at].links.iter().next_back();
        let present = last.is_some_and(|(last, link)| *last == conn && !link.closed);
        if !present {
            return;
        }
        self.devices[at].eyes.wire.last_frame_ms = t;
        if let Some(rest) = text.strip_prefix("43") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if let Ok(ack) = digits.parse::<u64>() {
                let eyes = &mut self.devices[at].eyes;
                eyes.pace.see_ack(ack, t);
                let answered = eyes.wire.in_flight.remove(&ack);
                if let Some((_, number)) = answered {
                    self.check_answer(at, number, text);
                }
            }
        } else if text.starts_with("44") && text.contains("AuthError") {
            // A token that was refused is asked for once more: that is no attempt of its own.
            self.devices[at].eyes.pace.renew_attempts();
        } else if text.contains("chatwire:hello") {
            let home = self.devices[at].person.disk;
            self.disks[home].knows_backend = true;
        } else if text.contains("chat:message_received") {
            self.see_copies(at, text);
        }
    }

    fn see_copies(&mut self, at: usize, text: &str) {
        let sent = &self.ledger.sent;
        let in_flight = &mut self.devices[at].eyes.wire.in_flight;
        in_flight.retain(|_, (_, number)| {
            // With its quotes: one key may begin as another does.
            sent[*number].key.as_ref().is_none_or(|key| !text.contains(&format!("\"{key}\"")))
        });
    }

    /// A frame of the client: where its message stands in the store, and what is unanswered before it.
    pub fn see_frame(&mut self, at: usize, conn: u32, frame: &str) -> ((usize, Option<u64>), Vec<usize>) {
        let home = self.devices[at].person.disk;
        let nothing = ((home, None), Vec::new());
        if !frame.contains("chat:message_send") {
            return nothing;
        }
        let Some((ack, payload)) = read_send(frame) else {
            self.wrong("frames can be read", "a send without payload".to_owned());
            return nothing;
        };
        let body = text::decode(payload["contentEncrypted"].as_str().unwrap_or_default());
        let Some(number) = text::number(&body).filter(|number| *number < self.ledger.sent.len()) else {
            self.wrong("frames say what was sent", "a text that nobody has written".to_owned());
            return nothing;
        };
        let room = payload["conversationId"].as_str().unwrap_or_default().to_owned();
        let name = self.name(at);
        self.say(|| format!("{name} puts message {number} on socket {conn}"));
        self.see_key(number, payload["clientMessageId"].as_str().unwrap_or_default(), "its frame");
        self.check_frame(at, number, &room);
        let wire = &mut self.devices[at].eyes.wire;
        let behind: Vec<usize> =
            wire.in_flight.values().filter(|(of, _)| *of == room).map(|(_, number)| *number).collect();
        self.check_pace(at, number, behind.is_empty());
        if let Some(ack) = ack {
            self.devices[at].eyes.pace.see_asked(ack, number);
        }
        let wire = &mut self.devices[at].eyes.wire;
        // What asks for no answer is unanswered until it has left.
        let name = ack.unwrap_or_else(|| wire.in_flight.keys().next_back().map_or(0, |last| last + 1));
        wire.in_flight.insert(name, (room, number));
        self.ledger.sent[number].frames += 1;
        self.ledger.sent[number].first_frame_ms.get_or_insert(self.t);
        let known = self.plan.ordered && self.disks[home].knows_backend;
        let allowed = if known { self.plan.window as usize } else { 1 };
        if behind.len() >= allowed {
            let what = format!("message {number} goes while {behind:?} are unanswered, allowed: {allowed}");
            self.wrong("the window is kept", what);
        }
        ((home, self.disks[home].number_of(number)), behind)
    }

    fn check_frame(&mut self, at: usize, number: usize, room: &str) {
        let home = self.devices[at].person.disk;
        let row = self.disks[home].rows.iter().find(|(_, row)| row.number == number && !row.failed);
        let mark = row.and_then(|(at, row)| Some((*at, row.mark?)));
        let stored = mark.is_some();
        if !stored {
            self.ledger.sent[number].unmarked = true;
            self.ledger.sent[number].unmarked_by = Some((at, self.devices[at].life));
        }
        // A record that is torn between its commit and the frame was there.
        if !stored && !self.devices[at].eyes.refused && !self.ledger.sent[number].torn {
            let what = format!("message {number} leaves before the store has it, marked");
            self.wrong("no frame before its Saved", what);
        }
        let used = mark.is_some() && self.ledger.sent[number].last_mark == mark;
        if used && !self.devices[at].eyes.refused {
            let what = format!("message {number} leaves a second time under one mark");
            self.wrong("no frame before its Saved", what);
        }
        self.ledger.sent[number].last_mark = mark.or(self.ledger.sent[number].last_mark);
        let disk = &self.disks[home];
        let sure = !disk.claim_refused && !disk.generation_torn;
        let robbed = sure && disk.claimed_by.is_some_and(|leader| leader != at);
        if robbed && stored && self.t > disk.claimed_at_ms + LEASE_MS {
            let what = format!("message {number} leaves from a page that has lost the lead");
            self.wrong("a robbed page sends nothing", what);
        }
        let sent = &self.ledger.sent[number];
        if sent.room != room {
            self.wrong("frames say what was sent", format!("message {number} goes to another conversation"));
        } else if sent.cancelled {
            self.wrong("cancelled is never sent", format!("message {number} leaves after its cancel"));
        } else if sent.resends == 0
            && sent.frames == 0
            // When a call was carried out that waited for the store is not known before it resolves.
            && (sent.accepted || sent.lost_allowed)
            && sent.deadline_ms.is_some_and(|deadline| deadline + 1000 < self.devices[at].now(self.t).wall_ms)
        {
            self.wrong("time to live is kept", format!("message {number} leaves after its time"));
        }
    }

    pub fn see_connection(&mut self, at: usize, told: &ConnectionSnapshot) {
        let (name, t) = (self.name(at), self.t);
        let reason = told.reason.clone().unwrap_or_default();
        self.see_words(&reason);
        let state = told.state;
        self.say(|| format!("{name} is {state:?} {reason}"));
        let max = self.plan.connect_attempts;
        let before = self.devices[at].eyes.state.replace(state);
        self.devices[at].eyes.tabs.shown = Some(state);
        let home = self.devices[at].person.disk;
        if before != Some(state) {
            self.see_delay(at, before, told);
        }
        let wire = &mut self.devices[at].eyes.wire;
        let was_stable = before == Some(ConnectionState::Online) && t >= wire.online_since + 11_000;
        if state == ConnectionState::Online && before != Some(ConnectionState::Online) {
            wire.online_since = t;
            self.disks[home].plain_seen |= wire.plain;
        } else if was_stable && state != ConnectionState::Online {
            wire.attempts = 0;
        }
        if let Some(delay) = told.retry_in_ms.filter(|_| before != Some(state)) {
            let round = (0..20).any(|n| delay == (1000_u64 << n).min(30_000) || delay == (1000 << n) + 5000);
            wire.round_delays.0 += u32::from(round);
            wire.round_delays.1 += 1;
        }
        let (attempts, silent_ms) = (wire.attempts, t - wire.last_frame_ms);
        let (round, all) = wire.round_delays;
        if all >= 6 && round * 2 > all {
            self.wrong("retries are spread", format!("{round} of {all} delays are the ceiling itself"));
        }
        let reason = told.reason.as_deref().unwrap_or_default();
        // What is told again only says that the lead is another tab's.
        let news = before != Some(state);
        if news && reason == "attempts" && max.is_some_and(|max| attempts < max) {
            self.wrong("each budget of attempts is whole", format!("{name} gave up after {attempts}"));
        }
        // A change that has overtaken a ping which is still under way is heard before it, and no sign that that is punctual.
        let overtaken = self.devices[at].links.values().next_back().is_some_and(|link| {
            link.in_last > t && link.changes_last >= self.devices[at].eyes.wire.last_frame_ms
        });
        let died = reason.starts_with("no sign of life") && before == Some(ConnectionState::Online);
        if reason == "no answer to a message in time" && news {
            self.check_patience(at);
        }
        match state {
            ConnectionState::Online => self.devices[at].eyes.pace.renew_attempts(),
            ConnectionState::Connecting if news => self.check_attempts(at),
            _ => {}
        }
        if died && !overtaken {
            self.check_death(at, silent_ms);
        }
    }
}

/// Load, read-back and take-over read all tables, and a claim the generation: what they cannot have is not durable.
fn is_look(reads: &[Read]) -> bool {
    match reads {
        [Read::One(id)] => id.table == Table::History,
        [Read::Prefix { .. }] => true,
        [Read::All(Table::Meta), Read::All(Table::Outbox)] => true,
        _ => false,
    }
}

fn read_send(frame: &str) -> Option<(Option<u64>, Value)> {
    let packet = socket_io::decode(frame.strip_prefix('4')?, &Limits::DEFAULT).ok()?;
    let Packet::Event { args, ack_id, .. } = packet else { return None };
    Some((ack_id, serde_json::from_str(args.first()?.get()).ok()?))
}
