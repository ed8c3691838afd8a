//! Who leads: taking over, giving up, and reading what other tabs have written.

use super::super::api::{
    Command, Event, Now, Output, Read, Record, RecordId, StoreRequest, TabInput, TabOutput, Transaction,
};
use super::super::lead::{Signal, State, outlives_lease};
use super::super::model::{ErrorCode, Failure, Phase};
use super::super::store;
use super::super::timeline::Change;
use super::super::timer::Timer;
use super::Client;
use super::rest::HttpJob;
use super::storage::{Flight, StoreJob, everything, generation_version, list};
use crate::proto::mutant;

/// The outbox is read again this often, since a poke of another tab may be lost (rule 4).
const RESCAN_MS: u64 = 30_000;
/// And this often where tabs cannot hear each other (no BroadcastChannel).
const DEAF_RESCAN_MS: u64 = 2_000;

impl Client {
    pub(super) fn leads(&self) -> bool {
        self.lead.leads()
    }

    /// It leads in memory alone.
    pub(super) fn is_unclaimed(&self) -> bool {
        self.lead.state() == State::Unclaimed
    }

    fn shift(&mut self, now: Now, signal: Signal) -> bool {
        self.lead.shift(signal, now, &mut self.timers)
    }

    pub(super) fn say_to_tabs(&mut self, word: Option<TabOutput>) {
        if let Some(word) = word {
            self.outputs.push_back(Output::Tab(word));
        }
    }

    pub(super) fn on_tab(&mut self, now: Now, input: TabInput) {
        self.beside.heard |= !is_of_the_lock(&input);
        match input {
            TabInput::Leads => {
                if self.shift(now, Signal::Granted) && self.storage.loaded {
                    self.claim();
                }
            }
            TabInput::Follows => self.on_follows(now),
            TabInput::Deposed => self.abdicate(now),
            TabInput::Asked { visible } => self.say_to_tabs(self.lead.on_asked(now, visible)),
            TabInput::Alive => self.lead.watch(now, &mut self.timers),
            TabInput::Yielded => {
                let word = self.lead.on_yielded(now, &mut self.timers);
                self.say_to_tabs(word);
            }
            TabInput::Poked => self.rescan(now),
            TabInput::Wiped => {
                let why = "another tab has wiped the store";
                self.undo_connects(now, "disconnect", &Failure::new(ErrorCode::Closed, why));
                self.let_go(now);
                self.forget_all(true);
                // Whether there is nothing the store says.
                self.rescan(now);
            }
            TabInput::Emptied => self.on_emptied(),
            TabInput::Read { conversation_id, message_id } => {
                self.on_read_beside(now, conversation_id, message_id);
            }
            TabInput::Torn { conversation_id, segment } => {
                if self.leads() {
                    self.timelines.write_again(&conversation_id, segment);
                    if segment == u32::MAX {
                        // A leader that does not know it removes what nobody can read.
                        self.rooms.mark_dirty(&conversation_id);
                    }
                }
            }
            TabInput::Earlier { conversation_id, wish } => {
                if self.leads() {
                    self.want_earlier(&conversation_id);
                    self.beside.wanted.insert((conversation_id, wish));
                }
            }
            TabInput::Fetched { conversation_id, wish } => self.on_fetched_beside(&conversation_id, wish),
            TabInput::Shows { conversation_id } => {
                if self.leads() {
                    self.sync.refresh(&conversation_id, true);
                }
            }
            TabInput::Changed(changes) => self.on_changed(now, changes),
            TabInput::Deaf => self.beside.deaf = true,
            TabInput::Hello => self.on_hello_beside(now),
            TabInput::Told { generation, events } => self.on_told(now, generation, &events),
            TabInput::Typing { conversation_id, typing } => {
                if self.leads() {
                    self.push_maybe(now, self.profile.typing(&conversation_id, typing));
                }
            }
            TabInput::Errand(errand) => self.on_errand(now, *errand),
            TabInput::ErrandDone { to, id, event } => self.on_errand_done(&to, id, event),
        }
    }

    fn on_follows(&mut self, now: Now) {
        if self.shift(now, Signal::Taken) {
            self.connection.on_lead(Some(false), now, &mut self.timers, &mut self.rng);
            self.say_hello(now);
            self.rescan_later(now);
            self.flush_reads(now);
        }
    }

    /// The lead goes with the wish to be connected: asked for by `connect()`, given back when nothing but another
    /// `connect()` or a wake-up would use it, and the store has everything. `true`: something has changed.
    pub(super) fn heed_wish(&mut self, now: Now) -> bool {
        if self.storage.wiping || self.closing.is_some() || self.closed || self.frozen {
            return false;
        }
        let connects = |(_, command): &(_, Command)| matches!(command, Command::Connect {});
        let wanted = self.connection.wants_lead() || self.deferred.iter().any(connects);
        let asked = self.lead.state() != State::Unasked;
        if wanted == asked {
            return false;
        }
        if wanted {
            self.shift(now, Signal::Wanted);
            self.outputs.push_back(Output::Tab(TabOutput::RequestLead));
        } else if self.leads() && !self.may_let_go() {
            return false;
        } else {
            self.let_go(now);
        }
        true
    }

    /// What was answered or told is in the store, or the store is in trouble.
    fn may_let_go(&self) -> bool {
        self.store_has_all() && (self.waits_for_store() || !self.timelines.is_busy())
    }

    /// Gives the lead back, or the wish for it: another tab may have it.
    pub(super) fn let_go(&mut self, now: Now) {
        self.leave(now, Signal::LetGo);
        self.connection.on_lead(None, now, &mut self.timers, &mut self.rng);
        self.outputs.push_back(Output::Tab(TabOutput::Release));
    }

    /// What was only a leader's to do ends here. `false`: the signal means nothing now.
    fn leave(&mut self, now: Now, signal: Signal) -> bool {
        let (led, unclaimed) = (self.leads(), self.is_unclaimed());
        let left = self.shift(now, signal);
        if unclaimed {
            // Nothing but its claim held back what it has to write; the store may have taken other things meanwhile.
            self.set_blocked(false);
        }
        if led {
            self.forget_lead();
        }
        left
    }

    fn forget_lead(&mut self) {
        self.outbox.abdicate();
        // What is answered now is the next leader's to ask again.
        self.http.remove_where(&|_, asked| matches!(asked.job, HttpJob::Change { .. }));
        self.timelines.abdicate();
        self.rooms.take_dirty();
        self.settling.clear();
        self.capabilities_dirty = false;
        self.beside.take_waiting();
        self.emit(Event::Leader { leader: false });
    }

    /// Writes a new generation, so that an older leader's next transaction fails (rule 2).
    pub(super) fn claim(&mut self) {
        let reads = vec![Read::One(RecordId::meta(store::GENERATION_KEY))];
        self.request_store(StoreRequest::Read(reads), StoreJob::Claim);
    }

    /// It holds the lock, and no generation of its own.
    pub(super) fn is_to_claim(&self) -> bool {
        matches!(self.lead.state(), State::Claims | State::Unclaimed)
    }

    /// The store may take now what it has refused.
    pub(super) fn claim_again(&mut self) {
        if self.is_to_claim() && !self.storage.is_claiming() {
            self.claim();
        }
    }

    pub(super) fn on_claim_read(&mut self, now: Now, lists: &[Vec<Record>]) {
        if !self.is_to_claim() {
            return;
        }
        let known = list(lists, 0).first();
        let before = known.and_then(|record| store::record_version(&record.bytes));
        if self.is_unclaimed() && before != self.lead.version {
            // Another tab's claim stands, or what this one began with is gone.
            return self.abdicate(now);
        }
        let mut expect = vec![(RecordId::meta(store::GENERATION_KEY), before)];
        if let (Some(_), None, Some(reign)) = (known, before, self.storage.reign) {
            // One that cannot be read is replaced all the same, by the first to do so; whoever leads under it is stopped
            // where this tab has read it before.
            expect.push((RecordId::meta(store::GENERATION_KEY), Some(reign)));
        }
        let known = known.and_then(|record| store::decode_generation(&record.bytes).ok());
        let generation = known.map_or(0, |(_, generation)| generation) + 1;
        // Each reign counts its own stamps.
        self.storage.stamp = 0;
        let version = self.stamp();
        let transaction = Transaction {
            expect,
            puts: vec![(
                RecordId::meta(store::GENERATION_KEY),
                store::encode_generation(version, generation),
            )],
            ..Transaction::default()
        };
        self.request_store(
            StoreRequest::Write(transaction),
            StoreJob::Claimed { generation, version, before },
        );
    }

    /// `stands`: the record is this tab's; else the store has refused it, and names who led before.
    pub(super) fn on_claimed(&mut self, generation: u64, version: Option<u64>, stands: bool) {
        if self.is_to_claim() {
            (self.lead.generation, self.lead.version) = (generation, version);
            let reads = StoreRequest::Read(everything());
            self.request_store(reads, StoreJob::TakeOver { stands });
        }
    }

    pub(super) fn on_take_over(&mut self, now: Now, stands: bool, lists: &[Vec<Record>]) {
        if !self.is_to_claim() {
            return;
        }
        if self.is_robbed(lists) {
            return self.abdicate(now);
        }
        let led = self.leads();
        if !led {
            self.restore_history(lists);
        }
        let generation = self.lead.generation;
        self.shift(now, if stands { Signal::Stands } else { Signal::Refused });
        self.outbox.set_generation(generation);
        self.take_outbox(lists);
        if stands {
            self.beside.last = 0;
        }
        if !stands || led {
            self.set_blocked(!stands);
        }
        if led {
            return;
        }
        // What another leader has told does not hold any longer.
        self.forget_told(now);
        self.set_phase(Phase::Restored);
        self.beside.generation = generation;
        self.connection.on_lead(Some(true), now, &mut self.timers, &mut self.rng);
        self.emit(Event::Leader { leader: true });
        // What was read before this tab led stands in no store.
        for _ in 0..self.pending_reads.len() {
            let Some((conversation_id, id)) = self.pending_reads.pop_front() else { break };
            self.timelines.target(Some(&conversation_id), &id, Change::Read { tell: true });
            // It goes out once more than needed rather than not at all: what counts as read already tells nothing.
            self.pending_reads.push_back((conversation_id, id));
        }
        self.rescan_later(now);
        if !self.storage.degraded || !self.waits_for_store() {
            // It has taken another write meanwhile, or was to be asked again while this claim was not over.
            self.claim_again();
        }
    }

    /// By what was read another tab has claimed the lead since; or, while this one's claim is refused, has written under the
    /// generation before.
    fn is_robbed(&self, lists: &[Vec<Record>]) -> bool {
        generation_version(lists) != self.lead.version
            || (self.is_unclaimed() && self.was_written_beside(lists))
    }

    /// Another tab leads now: nothing more goes out, and nothing remembered is believed (rule 2).
    pub(super) fn abdicate(&mut self, now: Now) {
        let claimed = self.lead.state() == State::Claims;
        if mutant::is(35) || !self.leave(now, Signal::Deposed) {
            return;
        }
        self.connection.on_lead(Some(false), now, &mut self.timers, &mut self.rng);
        if claimed {
            // It still waits, as before its claim; what was told meanwhile was not shown.
            self.show_told_connection(now);
        }
        self.outputs.push_back(Output::Tab(TabOutput::Release));
        self.outputs.push_back(Output::Tab(TabOutput::RequestLead));
        self.say_hello(now);
        self.rescan(now);
    }

    /// Whoever follows looks too: the last word before a silence may be the one that was lost.
    fn rescan_later(&mut self, now: Now) {
        if !matches!(self.lead.state(), State::Unasked | State::Asked) && !mutant::is(34) {
            let pause_ms = if self.beside.deaf { DEAF_RESCAN_MS } else { RESCAN_MS };
            self.timers.set(Timer::Rescan, now.mono_ms + pause_ms);
        }
    }

    /// By the numbers that the store gives, another tab has queued something that was not heard of.
    pub(super) fn read_missed(&mut self, now: Now) {
        if self.leads() && self.outbox.misses_rows() {
            self.rescan(now);
        }
    }

    /// Reads what other tabs may have written.
    pub(super) fn rescan(&mut self, now: Now) {
        self.rescan_later(now);
        if !self.storage.loaded {
            return;
        }
        if self.storage.reconciling {
            // What is being read may be older than what this is about.
            self.storage.rescan_again = true;
            return;
        }
        self.storage.reconciling = true;
        self.storage.asked_to_reconcile = now;
        let mut reads = everything();
        if self.lead.state() == State::Leads {
            // Meta and outbox: nobody else writes history.
            reads.truncate(2);
        }
        self.request_store(StoreRequest::Read(reads), StoreJob::Reconcile);
    }

    /// Lists 0 and 1 are meta and outbox; a follower reads 2 and 3 too, conversations and heads.
    pub(super) fn reconcile(&mut self, now: Now, lists: &[Vec<Record>]) {
        if self.leads() && self.is_robbed(lists) {
            return self.abdicate(now);
        }
        if self.storage.newer {
            // Headers are of all formats.
            let same_reign = self.see_generation(lists);
            return self.outbox.see_versions(list(lists, 1), same_reign);
        }
        if !self.leads() {
            if lists.len() <= 2 {
                // Asked for with the lead: what became of a row that is gone stands in a history that was not read.
                return self.rescan(now);
            }
            let told = self.beside.generation;
            self.restore_history(lists);
            if self.beside.generation < told {
                self.on_untrue_generation(now);
            }
        }
        self.take_outbox(lists);
        // What was read before this page stood still says nothing of the generation of today.
        let unsure = self.lead.in_doubt || self.outbox.is_overdue();
        let old = unsure && outlives_lease(self.storage.asked_to_reconcile, now);
        if core::mem::take(&mut self.storage.rescan_again) || old {
            self.rescan(now);
        } else if !(unsure && self.storage.reconciling) {
            // Else what was read back may be older than the read that is still to be answered.
            self.lead.in_doubt = false;
            self.outbox.expire(now, true);
            self.outbox.go_on(now);
        }
    }

    /// A transaction is answered.
    pub(super) fn look_at_lease(&mut self, now: Now, flight: &mut Flight) {
        if !outlives_lease(flight.asked, now) {
            return;
        }
        // Others may have made more of it meanwhile: they read what there is.
        flight.changes = None;
        if self.leads() && !mutant::is(31) {
            self.lead.in_doubt = true;
            self.rescan(now);
        }
    }
}

/// Said by this tab's browser; everything else another tab says.
fn is_of_the_lock(input: &TabInput) -> bool {
    use TabInput as T;
    matches!(input, T::Leads | T::Follows | T::Deposed | T::Emptied | T::Deaf)
}
