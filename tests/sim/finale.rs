//! After the storm: the faults stop, and everything must come to rest within a stated time.

use chatwire::proto::{Command, ConnectionState, ErrorCode, Message, PageInput, Phase, Status};

use super::checks::Asked;
use super::disk::RowSeen;
use super::plan::ROOMS;
use super::runner::MIN_EVENTS;
use super::text;
use super::world::{Happening, World};

/// Within this simulated time after the last fault every accepted message has its fate, and every page is live.
pub const LIVENESS_MS: u64 = 300_000;
const LOOK_EVERY_MS: u64 = 10_000;

/// A page may have been closed in the storm, start now, and be ended once more by what was under way.
const MAX_NUDGES: u32 = 3;

/// No hello comes later than so long after the connect.
const HELLO_MS: u64 = 2500;

impl World {
    /// Heals the world, waits, and compares.
    pub fn finish(&mut self) {
        self.draw_out();
        self.say(|| "the faults stop".to_owned());
        self.heal();
        if self.events < MIN_EVENTS {
            // Everybody slept before: now somebody is there to send.
            self.run_until(self.t + 5000);
            self.draw_out();
        }
        let end = self.t + LIVENESS_MS;
        // A lost poke is made good by the next rescan, which comes every thirty seconds.
        self.run_until(self.t + 35_000);
        if core::mem::take(&mut self.copies_lost) {
            self.show_gaps();
        }
        self.come_to_rest(end);
        self.look_at_all();
        self.come_to_rest(self.t + LIVENESS_MS);
        if self.violation.is_none() {
            self.compare();
        }
        (0..self.devices.len()).for_each(|at| self.count_cells(at));
    }

    fn come_to_rest(&mut self, end: u64) {
        let mut unrest = self.unrest();
        while unrest.is_some() && self.t < end && self.violation.is_none() {
            self.run_until(self.t + LOOK_EVERY_MS);
            unrest = self.unrest();
        }
        if self.violation.is_none()
            && let Some(what) = unrest
        {
            self.wrong("everything comes to rest", what);
        }
    }

    /// Every page has its whole history out of the store once: what is torn where nobody has looked yet is fetched again.
    fn look_at_all(&mut self) {
        for at in 0..self.devices.len() {
            for room in 0..ROOMS.len() {
                if self.violation.is_none() {
                    self.load_all(at, room as u32 + 1);
                }
            }
            self.await_requests(at);
        }
    }

    /// That the last message of a conversation is missing nobody sees before the next one.
    fn show_gaps(&mut self) {
        for room in ROOMS {
            let said = self.server.post(room, "after all");
            self.said(said);
        }
        self.run_until(self.t + 5000);
    }

    /// A schedule of which little came goes on for a while, with sends alone.
    fn draw_out(&mut self) {
        for at in (0..self.devices.len()).cycle().take(100) {
            if self.events >= MIN_EVENTS || self.dice.mutes() || self.violation.is_some() {
                return;
            }
            self.send(at, at % ROOMS.len(), None, false, false);
            self.run_until(self.t + 500);
        }
    }

    fn heal(&mut self) {
        self.dice.calm = true;
        self.server.down = false;
        for disk in &mut self.disks {
            (disk.full_until, disk.broken_until, disk.tight_until) = (0, 0, 0);
        }
        for at in 0..self.devices.len() {
            // What is on its way comes behind what a sleeping page has waiting.
            if let Some(until) = self.devices[at].asleep_until {
                self.keep_in_order(at, until);
            }
            let device = &mut self.devices[at];
            device.stalled_until = 0;
            device.store_last = device.store_last.min(self.t);
            device.token = self.server.token;
            let slept = device.rouse(self.t);
            // What a sleeping page would have heard when it woke up by itself.
            for (whose, what) in
                self.take_queued(|(of, _), what| *of == at && !matches!(what, Happening::Ping(_)))
            {
                self.push_for(whose, self.t, what);
            }
            let device = &self.devices[at];
            if device.client.is_none() || device.eyes.closed {
                self.devices[at].online = true;
                self.devices[at].visible = true;
                self.start(at);
            } else if self.is_left_alone(at) {
                // As by itself: whoever was frozen hears that it runs again, and a machine that slept says nothing.
                let thaws = self.devices[at].frozen;
                if slept {
                    self.wake(at, thaws);
                }
            } else {
                let inputs = [PageInput::Resumed, PageInput::Online, PageInput::Visible];
                inputs.into_iter().skip(usize::from(!slept)).for_each(|input| self.page(at, input));
            }
        }
        for at in 0..self.devices.len() {
            if !self.is_left_alone(at) {
                self.connect(at);
            }
        }
    }

    /// It has a connection, or tries to: that the storm is over it has to find out by itself.
    fn is_left_alone(&self, at: usize) -> bool {
        use ConnectionState as S;
        let tries = [S::Waiting, S::Connecting, S::Authenticating, S::Online];
        let device = &self.devices[at];
        self.plan.left_alone && device.online && device.eyes.state.is_some_and(|state| tries.contains(&state))
    }

    /// Whoever has been ended is connected by its application.
    fn connect_again(&mut self) {
        for at in 0..self.devices.len() {
            // The server's DISCONNECT or a refused token ended it, or a page that was closed in the storm starts only
            // now: only the application may begin anew.
            let ended = [ConnectionState::Idle, ConnectionState::Closed, ConnectionState::Failed];
            if self.devices[at].eyes.state.is_none_or(|state| ended.contains(&state)) {
                // One that follows says nothing of its own connection.
                self.devices[at].nudges += u32::from(self.devices[at].leads);
                if self.devices[at].nudges > MAX_NUDGES {
                    let name = self.name(at);
                    self.wrong(
                        "a client that can connect stays connected",
                        format!("{name} ends again and again"),
                    );
                }
                self.connect(at);
            }
        }
    }

    /// What is not at rest yet.
    fn unrest(&mut self) -> Option<String> {
        self.connect_again();
        for at in 0..self.devices.len() {
            let name = self.name(at);
            let eyes = &self.devices[at].eyes;
            let (leads, disk) = (self.devices[at].leads, self.devices[at].person.disk);
            if !self.devices.iter().any(|device| device.leads && device.person.disk == disk) {
                return Some(format!("nobody leads beside {name}"));
            }
            // Where a claim was refused, a leader that has not heard of the theft cannot see it in the store either.
            let seen = !self.disks[disk].claim_refused;
            let socket = self.session_of(at).is_some_and(|socket| self.server.sessions[&socket].joined);
            if !leads && seen && socket {
                return Some(format!("{name} has a socket and does not lead"));
            }
            if leads && (eyes.state != Some(ConnectionState::Online) || eyes.phase != Some(Phase::Live)) {
                return Some(format!("{name} is {:?}, {:?}", eyes.state, eyes.phase));
            }
            // A late hello may say something else than it began with.
            if leads && self.t < eyes.wire.online_since + HELLO_MS {
                return Some(format!("{name} may still hear a hello"));
            }
            // What is only silent is found out by its silence: until then nothing new is to be expected of it.
            if leads && self.devices[at].links.values().any(|link| link.dead && !link.closed) {
                return Some(format!("{name} has not found out that its socket is dead"));
            }
            self.devices[at].eyes.outbox = None;
            self.command(at, Command::Outbox {}, Asked::Outbox);
            let Some(outbox) = &self.devices[at].eyes.outbox else {
                return Some(format!("{name} does not answer"));
            };
            // What a torn record has taken, a page that does not lead can only remember.
            let lost = |row: &Message| {
                text::number(&row.text).is_some_and(|number| self.ledger.sent[number].lost_allowed)
            };
            let stands = |row: &&Message| match &row.change {
                Some(change) => leads && !self.may_wait(at, &change.row_key, outbox),
                None => leads || !lost(row),
            };
            if let Some(row) = outbox.iter().filter(|row| row.status != Status::Failed).find(stands) {
                let (text, status) = (text::number(&row.text), row.status);
                return Some(format!("message {text:?} is {status:?} on {name}"));
            }
            // Whoever reads it may send it again, or discard it.
            let listed = |row: &RowSeen| outbox.iter().any(|listed| listed.key.as_deref() == Some(&row.key));
            let home = self.devices[at].person.disk;
            let kept =
                self.disks[home].rows.values().filter(|row| row.failed && !self.ledger.sent[row.number].torn);
            if let Some(row) = kept.into_iter().find(|row| !listed(row)) {
                return Some(format!("message {} has failed, and {name} does not list it", row.number));
            }
            if let Some(asked) = self.open_command(at) {
                return Some(format!("{asked:?} has not ended on {name}"));
            }
        }
        None
    }

    /// What was asked of a page and has not ended. `connect()` is done when its own page is online: one that follows another's
    /// lead waits for that by design.
    fn open_command(&self, at: usize) -> Option<Asked> {
        let eyes = &self.devices[at].eyes;
        let mut open = eyes.asked.iter().filter(|(id, _)| !eyes.ended.contains(id)).map(|(_, asked)| *asked);
        open.find(|asked| self.devices[at].leads || *asked != Asked::Connect)
    }

    fn compare(&mut self) {
        for number in 0..self.ledger.sent.len() {
            self.check_fate(number);
        }
        for number in 0..self.ledger.changes.len() {
            self.check_change(number);
        }
        for home in 0..self.disks.len() {
            self.check_doubles(home, true);
        }
        for at in 0..self.devices.len() {
            for room in 0..ROOMS.len() {
                if self.violation.is_none() {
                    self.load_all(at, room as u32 + 1);
                    // A change of what was not known before leaves now.
                    self.settle_changes(at);
                    self.compare_window(at, room);
                    self.compare_rows(at, room);
                    self.compare_changes(at, room);
                }
            }
            self.await_requests(at);
            let words = self.diagnostics(at);
            self.see_words(&words);
            self.check_bounds(at);
        }
        self.check_delays();
        if self.violation.is_none() {
            self.compare_tabs();
            self.compare_long_history();
            self.compare_long_windows();
        }
    }

    /// What a window has asked for has come: a long history comes in many pages, each within two seconds.
    fn await_requests(&mut self, at: usize) {
        let end = self.t + LIVENESS_MS;
        loop {
            self.run_until(self.t + 2000);
            if self.numbers(at)["requests"] == 0 || self.t >= end || self.violation.is_some() {
                return;
            }
        }
    }

    /// Exactly one: acknowledged, failed and kept, or taken back.
    fn check_fate(&mut self, number: usize) {
        let sent = self.ledger.sent[number].clone();
        let home = sent.disk;
        let failed = self.disks[home].rows.values().any(|row| row.number == number && row.failed);
        let waits = self.disks[home].rows.values().any(|row| row.number == number && !row.failed);
        let stored = self.server.ever.contains_key(&number);
        self.check_cancelled(number);
        // Of a resend that only memory had, the old failure may be all that is left.
        let shown = sent.shown_acknowledged && !(sent.resends > 0 && sent.lost_allowed);
        let what = match (failed, stored, sent.removed()) {
            _ if waits => "still waits in the store".to_owned(),
            (true, _, _) if sent.is_taken_back() => "was taken back and has failed".to_owned(),
            (true, _, _) if shown => "was acknowledged and failed".to_owned(),
            // Handed to the network is the end of its way where nothing is answered.
            (false, false, false) if !self.plan.answers && sent.frames > 0 => return,
            (false, false, false) if sent.accepted && !sent.lost_allowed => {
                "has no fate: it is lost".to_owned()
            }
            _ => return,
        };
        self.wrong("each message has one fate", format!("message {number} {what}"));
    }

    /// Whoever says that a message is taken back has taken its record out of a store that takes all.
    pub fn see_taken_back(&mut self, at: usize, number: usize) {
        // What only memory has may be on its way into the store, and stands there afterwards (122002197).
        if self.devices[at].eyes.refused {
            return;
        }
        let sent = &mut self.ledger.sent[number];
        sent.taken_back_after = Some(sent.resends_before_removal);
        let home = self.devices[at].person.disk;
        let stands = self.disks[home].rows.values().any(|row| row.number == number);
        if stands && self.ledger.sent[number].is_taken_back() {
            let what = format!("message {number} was taken back, and stands in the store");
            self.wrong("each message has one fate", what);
        }
    }

    pub fn check_cancelled(&mut self, number: usize) {
        let sent = &self.ledger.sent[number];
        // What went out from memory the page that sent it knows of.
        let unknown = sent.unmarked && sent.unmarked_by != sent.cancelled_by;
        // A resend that is cancelled takes nothing back of what may have arrived the first time.
        let failed = |code| sent.all_reasons.contains(&code);
        let expired = sent.resends > 0 && failed(ErrorCode::Expired);
        // Of a torn record nobody may know any more that it was on the wire.
        let in_doubt = sent.torn || unknown || failed(ErrorCode::Unconfirmed) || expired;
        if sent.cancelled && !in_doubt && self.server.ever.contains_key(&number) {
            let what = format!("message {number} was cancelled, and the server has it");
            self.wrong("cancelled is never sent", what);
        }
    }

    fn settle_changes(&mut self, at: usize) {
        let disk = self.devices[at].person.disk;
        for _ in 0..20 {
            if self.disks[disk].changes.values().all(|change| change.failed) {
                return;
            }
            self.run_until(self.t + 200);
        }
    }

    pub fn load_all(&mut self, at: usize, view: u32) {
        // Pages may be of one row.
        for _ in 0..3000 {
            self.run_until(self.t + 200);
            let window = self.devices[at].eyes.windows.get(&view);
            let Some(window) = window.filter(|window| window.has_earlier || window.loading) else { return };
            if !window.loading {
                self.command(at, Command::LoadEarlier { view, count: 200 }, Asked::Other);
            }
        }
        if self.devices[at].eyes.windows.get(&view).is_some_and(|window| window.loading) {
            let what = format!("window {view} of {} goes on loading", self.name(at));
            self.wrong("everything comes to rest", what);
        }
    }

    /// Nothing is left over when everything is at rest.
    fn check_bounds(&mut self, at: usize) {
        let numbers = self.numbers(at);
        let count = |name: &str| numbers[name].as_u64().unwrap_or(u64::MAX);
        let home = self.devices[at].person.disk;
        let failed = (self.disks[home].rows.len() + self.disks[home].changes.len()) as u64;
        // What a torn record has taken, a page can only remember.
        let torn = self.ledger.sent.iter().filter(|sent| sent.disk == home && sent.torn).count()
            + self.ledger.changes.iter().filter(|known| known.disk == home && known.lost_allowed).count();
        let torn = torn as u64;
        let name = self.name(at);
        // An answer that never came is forgotten with the next send.
        let acks = ROOMS.len() as u64 * self.plan.window;
        if count("acks") > acks || count("requests") > 0 || count("queued") > failed + torn {
            let what = format!("{name} keeps {numbers}, the store {failed} rows");
            self.wrong("nothing is left over", what);
        }
    }
}
