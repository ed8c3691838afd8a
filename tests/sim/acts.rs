//! Carries out what the schedule says.

use chatwire::proto::{Command, Input, PageInput, SendCommand, SocketInput, Status, TabInput};
use serde_json::json;

use super::checks::{Asked, is_acknowledged};
use super::ledger::Sent;
use super::plan::{Act, ROOMS};
use super::server::{event, say};
use super::text;
use super::world::{Happening, World};

impl World {
    pub fn act(&mut self, index: usize, act: Act) {
        if let Some(fault) = act.fault() {
            self.dice.struck.push(super::dice::act_choice(index));
            if self.bites(&act) {
                self.dice.coverage.fault(fault);
            }
        }
        match act {
            Act::Send { device, room, ttl_ms, own_key, poison, count } => {
                for _ in 0..count {
                    self.send(device, room, ttl_ms, own_key, poison);
                }
            }
            Act::Resend { device, nth } => self.act_on(device, nth, Wish::Resend),
            Act::Discard { device, nth } => self.act_on(device, nth, Wish::Discard),
            Act::Cancel { device, nth } => self.act_on(device, nth, Wish::Cancel),
            Act::Acknowledged { device, nth } => self.act_on(device, nth, Wish::Acknowledged),
            Act::MarkRead { device, room } => self.mark_read(device, room),
            Act::LoadEarlier { device, room } => {
                let command = Command::LoadEarlier { view: room as u32 + 1, count: 50 };
                self.command(device, command, Asked::Other);
            }
            Act::Typing { device, room } => {
                let command = Command::SetTyping { conversation_id: ROOMS[room].to_owned(), typing: true };
                self.command(device, command, Asked::Other);
            }
            Act::Connect { device } => self.connect(device),
            Act::Disconnect { device } => {
                let name = self.name(device);
                self.say(|| format!("{name}: disconnect()"));
                // A page that sleeps asks for nothing.
                if self.devices[device].asleep_until.is_none() {
                    self.devices[device].eyes.wire.last_wish = Asked::Disconnect;
                }
                self.command(device, Command::Disconnect {}, Asked::Disconnect);
            }
            Act::Close { device, again_ms } => self.close(device, again_ms),
            Act::Cut { device } => {
                if let Some(socket) = self.session_of(device) {
                    self.say(|| "a socket is cut".to_owned());
                    self.cut(socket);
                }
            }
            Act::Post { room, count } => {
                self.say(|| format!("somebody outside writes {count} messages"));
                for n in 0..count {
                    let said = self.server.post(ROOMS[room], &format!("outside {n}"));
                    self.said(said);
                }
            }
            Act::Rude { device, kind } => self.rude(device, kind),
            Act::StaleReceipt { room } => self.stale_receipt(room),
            other => self.befall(other),
        }
    }

    pub fn send(&mut self, at: usize, room: usize, ttl_ms: Option<u64>, own_key: bool, poison: bool) {
        if self.devices[at].client.is_none() || self.devices[at].asleep_until.is_some() {
            return;
        }
        let number = self.ledger.sent.len();
        let now = self.devices[at].now(self.t);
        let sent = Sent {
            device: at,
            life: self.devices[at].life,
            disk: self.devices[at].person.disk,
            room: ROOMS[room].to_owned(),
            deadline_ms: ttl_ms.map(|ttl| now.wall_ms + ttl),
            ttl_ms,
            ..Sent::default()
        };
        self.ledger.sent.push(sent);
        if poison {
            self.server.poison.insert(number);
        }
        let name = self.name(at);
        self.say(|| format!("{name} sends message {number} to {}", ROOMS[room]));
        let full = self.queued(at) >= self.plan.max_queued;
        let send = SendCommand {
            conversation_id: ROOMS[room].to_owned(),
            text: text::body(number),
            kind: None,
            metadata: None,
            reply_to: None,
            ttl_ms,
            key: own_key.then(|| format!("own-{number}")),
        };
        let accepted = self.command(at, Command::Send(send.clone()), Asked::Send(number));
        if accepted && full {
            self.wrong("the outbox has a limit", format!("message {number} was taken beyond it"));
        }
        if own_key {
            self.command(at, Command::Send(send), Asked::Send(number));
        }
    }

    /// Messages queued or failed, as the client counts them; nothing before the store is read.
    fn queued(&self, at: usize) -> u64 {
        self.numbers(at)["queued"].as_u64().unwrap_or(0)
    }

    fn act_on(&mut self, at: usize, nth: usize, wish: Wish) {
        if self.devices[at].asleep_until.is_some() {
            return;
        }
        let disk = self.devices[at].person.disk;
        let statuses = &self.devices[at].eyes.statuses;
        let status_of = |sent: &Sent| sent.key.as_ref().and_then(|key| statuses.get(key)).copied();
        let suits = |sent: &Sent| {
            sent.disk == disk
                && match (wish, status_of(sent)) {
                    (_, None) => false,
                    (Wish::Resend | Wish::Discard, Some(status)) => status == Status::Failed,
                    (Wish::Cancel, Some(status)) => !is_acknowledged(status),
                    (Wish::Acknowledged, Some(_)) => true,
                }
        };
        let sent = self.ledger.sent.iter().enumerate().filter(|(_, sent)| suits(sent));
        let numbers: Vec<usize> = sent.map(|(number, _)| number).collect();
        if numbers.is_empty() {
            return;
        }
        let number = numbers[nth % numbers.len()];
        let key = self.ledger.sent[number].key.clone().unwrap_or_default();
        let name = self.name(at);
        self.say(|| format!("{name}: {wish:?} message {number}"));
        let before = self.ledger.sent[number].clone();
        let (command, asked) = match wish {
            Wish::Resend => {
                self.ledger.sent[number].resends += 1;
                self.devices.iter_mut().for_each(|device| device.eyes.pace.forget(number));
                let (for_now, for_good) = self.server.refusals.get(&number).cloned().unwrap_or_default();
                // One that another tab has resent, and that has not failed since, goes on from there.
                if self.ledger.sent[number].failed.is_some() {
                    let frames = self.ledger.sent[number].frames;
                    self.ledger.sent[number].before_resend = (for_now, frames, for_good.len());
                }
                // What only memory had is gone with its answer: what goes out now has an end of its own.
                if self.ledger.sent[number].lost_allowed {
                    self.ledger.sent[number].shown_acknowledged = false;
                }
                self.ledger.sent[number].failed = None;
                self.ledger.sent[number].deadline_ms = None;
                self.ledger.sent[number].ttl_ms = None;
                self.ledger.sent[number].moved |= self.ledger.sent[number].device != at;
                self.ledger.sent[number].device = at;
                self.ledger.sent[number].life = self.devices[at].life;
                (Command::Resend { key }, Asked::Resend(number))
            }
            Wish::Discard => (Command::Discard { key }, Asked::Discard(number)),
            Wish::Cancel => (Command::Cancel { key }, Asked::Cancel(number)),
            Wish::Acknowledged => (Command::Acknowledged { key }, Asked::Acknowledged(number)),
        };
        if matches!(wish, Wish::Discard | Wish::Cancel) {
            self.ledger.sent[number].removals_open += 1;
            self.ledger.sent[number].removal_ms = Some(self.t);
            self.ledger.sent[number].resends_before_removal = self.ledger.sent[number].resends;
            // A store that refuses is left alone for a while: the removal is not even tried.
            self.ledger.sent[number].removal_refused |= self.devices[at].eyes.refused;
        }
        if !self.command(at, command, asked) {
            self.ledger.sent[number] = before;
        }
    }

    pub fn connect(&mut self, at: usize) {
        if self.devices[at].asleep_until.is_some() {
            return;
        }
        let name = self.name(at);
        self.say(|| format!("{name}: connect()"));
        self.devices[at].eyes.wire.disconnected = false;
        self.devices[at].eyes.wire.last_wish = Asked::Connect;
        self.devices[at].eyes.pace.renew_attempts();
        if self.devices[at].eyes.rests() {
            self.devices[at].eyes.wire.attempts = 0;
        }
        self.command(at, Command::Connect {}, Asked::Connect);
    }

    fn close(&mut self, at: usize, again_ms: u64) {
        let name = self.name(at);
        self.say(|| format!("{name}: close()"));
        if self.command(at, Command::Close {}, Asked::Close) {
            // What still comes in says nothing to a closed client.
            for ms in [again_ms / 2, again_ms] {
                for input in [
                    Input::Tab(TabInput::Poked),
                    Input::Page(PageInput::Resumed),
                    Input::Page(PageInput::Visible),
                ] {
                    self.push(at, ms, Happening::Input(input));
                }
            }
            self.push(at, again_ms + 1, Happening::Start);
        }
    }

    fn mark_read(&mut self, at: usize, room: usize) {
        let window = self.devices[at].eyes.windows.get(&(room as u32 + 1));
        let key = window.and_then(|window| window.rows().last()).map(|row| row.row_key.clone());
        if let Some(row_key) = key {
            let command = Command::MarkRead { conversation_id: ROOMS[room].to_owned(), row_key };
            self.command(at, command, Asked::Other);
        }
    }

    fn rude(&mut self, at: usize, kind: u64) {
        let Some(socket) = self.session_of(at) else { return };
        if kind == 3 && !self.server.sessions[&socket].joined {
            // A second answer to CONNECT is rude; a first one before it is another protocol.
            return;
        }
        let (name, conn) = (self.name(at), socket.2);
        self.say(|| format!("the server is rude to {name} ({kind})"));
        let text = match kind {
            0 => {
                let binary = SocketInput::Binary { conn, bytes: vec![1, 2, 3] };
                return self.push(at, 1, Happening::Input(Input::Socket(binary)));
            }
            1 => "41".to_owned(),
            2 => "hello".to_owned(),
            3 => "40{\"sid\":\"again\"}".to_owned(),
            4 => format!(
                "42[\"chat:message_received\",{{\"id\":7,\"content_encrypted\":\"{}\"",
                text::encode(text::SECRET)
            ),
            5 => "43999999[{\"success\":true}]".to_owned(),
            _ => {
                let payload = json!({"id": {}, "sender_id": text::SECRET, "content_encrypted": "?"});
                return self.said(vec![event(socket, "chat:message_received", &payload)]);
            }
        };
        self.said(vec![say(socket, text)]);
    }

    /// A receipt that was overtaken by a later one.
    fn stale_receipt(&mut self, room: usize) {
        let messages = &self.server.rooms[ROOMS[room]].messages;
        let Some(message) = messages.iter().rev().find(|message| message.status == "read") else { return };
        let (sender, id) = (message.sender.clone(), message.id.clone());
        for status in ["read", "delivered"] {
            let told = json!({"messageId": id, "status": status, "userId": "cy"});
            let said = self.server.tell(&sender, "chat:message_status_updated", &told);
            self.said(said);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Resend,
    Discard,
    Cancel,
    Acknowledged,
}
