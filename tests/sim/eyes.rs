//! What one page has shown, as far as it counts for what it may show next.

use std::collections::{BTreeMap, BTreeSet};

use chatwire::proto::{ConnectionState, Message, Phase, Status};

use super::checks::{Asked, is_acknowledged};
use super::window_checks::Window;

/// What one page has shown and said in this life; statuses outlive it as far as they were committed.
#[derive(Default)]
pub struct Eyes {
    pub asked: BTreeMap<u32, Asked>,
    pub ended: BTreeSet<u32>,
    pub statuses: BTreeMap<String, Status>,
    /// Resends that were shown as acknowledged while the store refused it: forgotten with the page.
    pub by_memory: BTreeSet<String>,
    /// What was acknowledged or more while the store took all, since the lead last changed: not to be taken back.
    pub raised: BTreeMap<String, Status>,
    /// When a message was last called failed.
    pub failed_ms: BTreeMap<String, u64>,
    pub told: BTreeSet<String>,
    pub windows: BTreeMap<u32, Window>,
    /// By what it was told last: one that stood still may have been robbed meanwhile.
    pub leads: bool,
    pub reads: super::window_checks::Reads,
    pub phase: Option<Phase>,
    pub state: Option<ConnectionState>,
    pub closed: bool,
    pub closing: bool,
    /// The store has refused something in this life that durability hangs on, and has taken nothing since.
    pub refused: bool,
    pub outbox: Option<Vec<Message>>,
    /// Conversations of which it was said that something is missing.
    pub gaps: BTreeSet<String>,
    pub wire: super::wire_checks::WireEyes,
    pub tabs: super::tabs_checks::TabEyes,
    pub pace: super::pace_checks::Pace,
}

impl Eyes {
    /// No attempt is under way: whatever wakes it begins a new budget.
    pub fn rests(&self) -> bool {
        use ConnectionState as S;
        !matches!(self.state, Some(S::Connecting | S::Authenticating | S::Online))
    }

    pub fn begin(&mut self) {
        // What was acknowledged was committed before it was shown; lower rungs may have lived in memory.
        let stored = |key: &String| !self.by_memory.contains(key);
        let kept = self.statuses.iter().filter(|(key, status)| is_acknowledged(**status) && stored(key));
        let statuses = kept.map(|(key, _)| (key.clone(), Status::Acknowledged)).collect();
        let gaps = core::mem::take(&mut self.gaps);
        *self = Self { statuses, gaps, ..Self::default() };
    }
}
