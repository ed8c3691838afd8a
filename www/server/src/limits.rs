//! How much one user may write: a token bucket each. Pure; time is an argument.

use std::collections::BTreeMap;

/// Buckets kept before the full ones are thrown away.
const MAX_BUCKETS: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Limiter {
    per_s: i64,
    burst: i64,
    buckets: BTreeMap<String, Bucket>,
}

/// Thousandths of tokens, so that so many a second are as many a millisecond.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: i64,
    at_ms: i64,
}

const TOKEN: i64 = 1000;

impl Limiter {
    /// At least 1 each.
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        Self { per_s: per_s.max(1).into(), burst: burst.max(1).into(), buckets: BTreeMap::new() }
    }

    /// Takes one token, or says after how many milliseconds there will be one.
    pub(crate) fn take(&mut self, user_id: &str, now_ms: i64) -> Result<(), u64> {
        let (per_s, full) = (self.per_s, self.burst * TOKEN);
        if self.buckets.len() > MAX_BUCKETS {
            self.buckets.retain(|_, bucket| bucket.after(now_ms, per_s, full).level < full);
        }
        let fresh = Bucket { level: full, at_ms: now_ms };
        let bucket = self.buckets.entry(user_id.to_owned()).or_insert(fresh);
        *bucket = bucket.after(now_ms, per_s, full);
        if bucket.level >= TOKEN {
            bucket.level -= TOKEN;
            return Ok(());
        }
        let missing = (TOKEN - bucket.level).unsigned_abs();
        Err(missing.div_ceil(per_s.unsigned_abs()))
    }
}

impl Bucket {
    fn after(self, now_ms: i64, per_s: i64, full: i64) -> Self {
        // A clock set back gives nothing and takes nothing.
        let passed_ms = now_ms.saturating_sub(self.at_ms).max(0);
        let level = self.level.saturating_add(passed_ms.saturating_mul(per_s)).min(full);
        Self { level, at_ms: now_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_it_names_is_enough() {
        let mut limiter = Limiter::new(10, 3);
        for _ in 0..3 {
            assert_eq!(limiter.take("u", 1000), Ok(()));
        }
        assert_eq!(limiter.take("u", 1000), Err(100));
        assert_eq!(limiter.take("v", 1000), Ok(()), "each user has a bucket");
        assert_eq!(limiter.take("u", 1099), Err(1));
        assert_eq!(limiter.take("u", 1100), Ok(()));
        assert_eq!(limiter.take("u", 500), Err(100), "a clock set back");
    }
}
