//! Chance: one seed, and a number for every question that is asked of it.
//!
//! Law: an answer depends on the seed, on what is asked and on how often that was asked before, and on nothing else.
//! So a run in which one fault is muted draws all others as before, and a failing run can be made smaller.

use std::collections::BTreeSet;

use super::faults::{Coverage, FAULTS, Fault};

/// Where a choice is made: for a fault its number; for plain chance a number above them.
pub type Site = u32;

/// One fault of one run, by its place: what the shrinker mutes.
pub type Choice = u64;

/// A stream of numbers (SplitMix64).
#[derive(Clone)]
pub struct Stream(u64);

impl Stream {
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x5151_5eed_c4a7_0001))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

pub struct Dice {
    seed: u64,
    /// How often in ten thousand a fault strikes when it could.
    rates: Vec<u32>,
    asked: Vec<u32>,
    muted: BTreeSet<Choice>,
    /// What has struck, in order.
    pub struck: Vec<Choice>,
    pub coverage: Coverage,
    /// After the storm nothing strikes any more.
    pub calm: bool,
}

/// Plain chance: not a fault, and not muted.
pub const LATENCY: Site = 100;
pub const STORE_DELAY: Site = 101;
pub const FATE_OF_WRITES: Site = 102;
pub const KEYS: Site = 103;
pub const HANGS: Site = 104;
pub const BACKLOG: Site = 105;
pub const DEEDS: Site = 106;
const SITES: usize = 107;
const DEVICES: usize = 8;

impl Dice {
    pub fn new(seed: u64, muted: BTreeSet<Choice>) -> Self {
        Self {
            seed,
            rates: rates(seed),
            asked: vec![0; SITES * DEVICES],
            muted,
            struck: Vec::new(),
            coverage: Coverage::default(),
            calm: false,
        }
    }

    fn answer(&mut self, site: Site, device: usize) -> (u64, u32) {
        let asked = &mut self.asked[site as usize * DEVICES + device];
        *asked += 1;
        let place = (u64::from(site) << 40) | ((device as u64) << 32) | u64::from(*asked);
        (mix(self.seed ^ mix(place)), *asked)
    }

    pub fn between(&mut self, site: Site, device: usize, low: u64, high: u64) -> u64 {
        low + self.answer(site, device).0 % (high - low + 1)
    }

    /// Whether this fault strikes now, and a number to shape it with.
    pub fn strikes(&mut self, fault: Fault, device: usize) -> Option<u64> {
        if self.calm {
            return None;
        }
        let (answer, asked) = self.answer(fault as Site, device);
        if answer % 10_000 >= u64::from(self.rates[fault as usize]) {
            return None;
        }
        let choice = ((fault as u64) << 40) | ((device as u64) << 32) | u64::from(asked);
        if self.muted.contains(&choice) {
            return None;
        }
        self.struck.push(choice);
        self.coverage.fault(fault);
        Some(mix(answer))
    }

    /// It is not the whole schedule that is run.
    pub fn mutes(&self) -> bool {
        !self.muted.is_empty()
    }

    /// One change alone; all of them are taken out of the plan.
    pub fn is_choice_muted(&self, choice: Choice) -> bool {
        self.muted.contains(&choice)
    }

    /// An act of the schedule that is a fault: it can be muted too.
    pub fn is_muted(&self, act: usize) -> bool {
        self.muted.contains(&act_choice(act))
    }
}

/// The place of an act of the schedule among the choices.
pub fn act_choice(act: usize) -> Choice {
    (1 << 60) | act as u64
}

/// Mutes all changes of messages: schedules that were kept before there were any go on without them.
pub const NO_CHANGES: Choice = 1 << 62;

/// Segments of the size that is shipped: schedules that were kept before there were smaller ones go on with them.
pub const WHOLE_SEGMENTS: Choice = (1 << 62) + 1;

/// Two tabs of a disk at most, and receipts always: so do schedules that were kept before there was more.
pub const NARROW: Choice = (1 << 62) + 2;

/// Without a cursor pages of the size that is shipped: twenty of them are more than any schedule has.
pub const LONG_PAGES: Choice = (1 << 62) + 3;

/// Whoever is awake is told by its page and its application that the storm is over: so it was everywhere before some were left
/// to themselves.
pub const ALL_TOLD: Choice = (1 << 62) + 4;

/// The place of a change among the choices.
pub fn change_choice(index: usize) -> Choice {
    (1 << 61) | index as u64
}

/// Some runs are calm, some are storms; each has about half of the kinds.
fn rates(seed: u64) -> Vec<u32> {
    let mut stream = Stream::new(seed ^ 0x7a7e5);
    let strength = stream.pick(&[0, 20, 60, 150, 400]);
    FAULTS
        .iter()
        .map(|_| if stream.one_in(2) { 0 } else { strength * stream.pick(&[1, 1, 2, 4]) as u32 })
        .collect()
}
