//! The rate of sends.

use super::super::config::Limits;
use crate::proto::mutant;

/// A token bucket for sends: `sends_per_second` on average, `send_burst` at once.
#[derive(Clone, Debug)]
pub struct Bucket {
    per_second: u64,
    burst: u64,
    /// Thousandths of a send.
    level: u64,
    at_mono_ms: u64,
}

impl Bucket {
    pub fn new(limits: &Limits) -> Self {
        let burst = u64::from(limits.send_burst) * 1000;
        Self { per_second: u64::from(limits.sends_per_second.max(1)), burst, level: burst, at_mono_ms: 0 }
    }

    fn level_at(&self, mono_ms: u64) -> u64 {
        let gained = mono_ms.saturating_sub(self.at_mono_ms).saturating_mul(self.per_second);
        self.level.saturating_add(gained).min(self.burst)
    }

    pub(super) fn is_empty(&self, mono_ms: u64) -> bool {
        self.level_at(mono_ms) < 1000
    }

    pub(super) fn refill_at(&self, mono_ms: u64) -> u64 {
        let missing = 1000_u64.saturating_sub(self.level_at(mono_ms));
        mono_ms + missing.div_ceil(self.per_second)
    }

    pub(super) fn take(&mut self, mono_ms: u64) -> bool {
        self.level = self.level_at(mono_ms);
        self.at_mono_ms = mono_ms;
        let enough = self.level >= 1000;
        if mutant::is(53) {
            return true;
        }
        if enough {
            self.level -= 1000;
        }
        enough
    }
}
