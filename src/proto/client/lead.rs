//! Who leads: taking over, giving up, and reading what other tabs have written.

use super::super::api::{
    Command, Event, Now, Output, Read, Record, RecordId, StoreRequest, TabInput, TabOutput, Transaction,
};
use super::super::model::Phase;
use super::super::store;
use super::super::timeline::Change;
use super::super::timer::Timer;
use super::Client;
use super::lease::outlives_lease;
use super::storage::{Lead, StoreJob, everything, generation_version, list};
use crate::proto::mutant;

/// The outbox is read again this often, since a poke of another tab may be lost (rule 4).
const RESCAN_MS: u64 = 30_000;
/// A page says so often that it cannot read a record: what is damaged again as soon as it is written,
/// or written by a later version of the application, is left so.
const MAX_TORN_TOLD: u32 = 20;

impl Client {
    pub(super) fn leads(&self) -> bool {
        matches!(self.storage.lead, Lead::Leads | Lead::Unclaimed)
    }

    /// It leads in memory alone.
    pub(super) fn is_unclaimed(&self) -> bool {
        self.storage.lead == Lead::Unclaimed
    }

    pub(super) fn on_tab(&mut self, now: Now, input: TabInput) {
        self.beside.heard |= !is_of_the_lock(&input);
        match input {
            // A word that crossed with a release says nothing.
            TabInput::Leads if matches!(self.storage.lead, Lead::Asked | Lead::Follows) => {
                self.storage.lead = Lead::Claims;
                if self.storage.loaded {
                    self.claim();
                }
            }
            TabInput::Follows if self.storage.lead == Lead::Asked => {
                self.storage.lead = Lead::Follows;
                self.connection.on_lead(Some(false), now, &mut self.timers, &mut self.rng);
                self.say_hello(now);
                self.watch_leader(now);
                self.rescan_later(now);
                self.run_deferred(now);
                self.flush_reads(now);
            }
            TabInput::Leads | TabInput::Follows => {}
            TabInput::Deposed => self.abdicate(now),
            TabInput::Asked { visible } => self.on_asked(now, visible),
            TabInput::Alive => self.watch_leader(now),
            TabInput::Yielded => self.on_yielded(),
            TabInput::Poked => self.rescan(now),
            TabInput::Wiped => {
                self.undo_connects(now, "another tab has wiped the store");
                self.let_go(now);
                self.beside.forget();
                self.rescan(now);
            }
            TabInput::Emptied => self.on_emptied(),
            TabInput::Read { conversation_id, message_id } => {
                self.on_read_beside(now, conversation_id, message_id);
            }
            TabInput::Torn { conversation_id, segment } => {
                if self.leads() {
                    self.timelines.write_again(&conversation_id, segment);
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
        let asked = self.storage.lead != Lead::Unasked;
        if wanted == asked {
            return false;
        }
        if wanted {
            self.storage.lead = Lead::Asked;
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
        let in_trouble = self.timers.get(Timer::StoreRetry).is_some();
        self.store_has_all() && (in_trouble || !self.timelines.is_busy())
    }

    /// Gives the lead back, or the wish for it: another tab may have it.
    pub(super) fn let_go(&mut self, now: Now) {
        self.leave(Lead::Unasked);
        self.connection.on_lead(None, now, &mut self.timers, &mut self.rng);
        self.outputs.push_back(Output::Tab(TabOutput::Release));
    }

    /// What was only a leader's to do ends here.
    fn leave(&mut self, next: Lead) {
        let led = self.leads();
        let before = core::mem::replace(&mut self.storage.lead, next);
        if before == Lead::Unclaimed {
            // Nothing but its claim held back what it has to write; the store may have taken other things meanwhile.
            self.set_blocked(false);
        }
        if !led {
            return;
        }
        self.outbox.abdicate();
        self.timelines.abdicate();
        self.rooms.take_dirty();
        self.settling.clear();
        self.lease.in_doubt = false;
        self.capabilities_dirty = false;
        self.beside.take_waiting();
        self.emit(Event::Leader { leader: false });
    }

    /// Writes a new generation, so that an older leader's next transaction fails (rule 2).
    pub(super) fn claim(&mut self) {
        let reads = vec![Read::One(RecordId::meta(store::GENERATION_KEY))];
        self.request_store(StoreRequest::Read(reads), StoreJob::Claim);
    }

    /// The store may take now what it has refused.
    pub(super) fn claim_again(&mut self) {
        if matches!(self.storage.lead, Lead::Claims | Lead::Unclaimed) && !self.storage.is_claiming() {
            self.claim();
        }
    }

    pub(super) fn on_claim_read(&mut self, now: Now, lists: &[Vec<Record>]) {
        if !matches!(self.storage.lead, Lead::Claims | Lead::Unclaimed) {
            return;
        }
        let known = list(lists, 0).first();
        // One that cannot be read is replaced all the same.
        let before = known.and_then(|record| store::record_version(&record.bytes));
        if self.is_unclaimed() && before != self.storage.version {
            // Another tab's claim stands, or what this one began with is gone.
            return self.abdicate(now);
        }
        let known = known.and_then(|record| store::decode_generation(&record.bytes).ok());
        let generation = known.map_or(0, |(_, generation)| generation) + 1;
        // Each reign counts its own stamps.
        self.storage.stamp = 0;
        let version = self.stamp();
        let transaction = Transaction {
            expect: vec![(RecordId::meta(store::GENERATION_KEY), before)],
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
        if matches!(self.storage.lead, Lead::Claims | Lead::Unclaimed) {
            (self.storage.generation, self.storage.version) = (generation, version);
            let reads = StoreRequest::Read(everything());
            self.request_store(reads, StoreJob::TakeOver { stands });
        }
    }

    pub(super) fn on_take_over(&mut self, now: Now, stands: bool, lists: &[Vec<Record>]) {
        let from = self.storage.lead;
        match from {
            Lead::Claims => self.restore_history(lists),
            Lead::Unclaimed if self.was_written_beside(lists) => return self.abdicate(now),
            Lead::Unclaimed => {}
            _ => return,
        }
        let generation = self.storage.generation;
        self.storage.lead = if stands { Lead::Leads } else { Lead::Unclaimed };
        self.outbox.set_generation(generation);
        if let Some(rows) = lists.get(1) {
            self.take_outbox(rows);
        }
        if stands {
            self.beside.last = 0;
        }
        if !stands || from == Lead::Unclaimed {
            self.set_blocked(!stands);
        }
        if from == Lead::Unclaimed {
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
        self.run_deferred(now);
        if !self.storage.degraded {
            // It has taken another write meanwhile.
            self.claim_again();
        }
    }

    /// Another tab leads now: nothing more goes out, and nothing remembered is believed (rule 2).
    pub(super) fn abdicate(&mut self, now: Now) {
        if !(self.leads() || self.storage.lead == Lead::Claims) || mutant::is(35) {
            return;
        }
        self.leave(Lead::Follows);
        self.connection.on_lead(Some(false), now, &mut self.timers, &mut self.rng);
        self.watch_leader(now);
        self.outputs.push_back(Output::Tab(TabOutput::Release));
        self.outputs.push_back(Output::Tab(TabOutput::RequestLead));
        self.say_hello(now);
        self.rescan(now);
    }

    /// What this tab cannot read the leader may have in memory, and only a leader writes it again.
    pub(super) fn tell_torn(&mut self, conversation_id: &str, segment: u32) {
        if !self.leads() && self.torn_told < MAX_TORN_TOLD {
            self.torn_told += 1;
            let conversation_id = conversation_id.to_owned();
            self.outputs.push_back(Output::Tab(TabOutput::Torn { conversation_id, segment }));
        }
    }

    /// Whoever follows looks too: the last word before a silence may be the one that was lost.
    fn rescan_later(&mut self, now: Now) {
        if !matches!(self.storage.lead, Lead::Unasked | Lead::Asked) && !mutant::is(34) {
            self.timers.set(Timer::Rescan, now.mono_ms + RESCAN_MS);
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
        if self.storage.lead == Lead::Leads {
            // Meta and outbox: nobody else writes history.
            reads.truncate(2);
        }
        self.request_store(StoreRequest::Read(reads), StoreJob::Reconcile);
    }

    /// Lists 0 and 1 are meta and outbox; a follower reads 2 and 3 too, conversations and heads.
    pub(super) fn reconcile(&mut self, now: Now, lists: &[Vec<Record>]) {
        if self.leads() {
            let unclaimed = self.is_unclaimed();
            if generation_version(lists) != self.storage.version
                || (unclaimed && self.was_written_beside(lists))
            {
                return self.abdicate(now);
            }
        } else if lists.len() > 2 {
            self.restore_history(lists);
        }
        if let Some(rows) = lists.get(1) {
            self.take_outbox(rows);
        }
        // What was read before this page stood still says nothing of the generation of today.
        let old = self.lease.in_doubt && outlives_lease(self.storage.asked_to_reconcile, now);
        if core::mem::take(&mut self.storage.rescan_again) || old {
            self.rescan(now);
        } else if core::mem::take(&mut self.lease.in_doubt) {
            self.outbox.on_writable(now);
        }
    }
}

/// Said by this tab's browser; everything else another tab says.
fn is_of_the_lock(input: &TabInput) -> bool {
    use TabInput as T;
    matches!(input, T::Leads | T::Follows | T::Deposed | T::Emptied | T::Deaf)
}
