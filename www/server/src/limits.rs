//! How much one user may write: a token bucket each. Pure; time is an argument.

use std::collections::BTreeMap;

/// Buckets kept before the full ones are thrown away.
const MAX_BUCKETS: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Limiter {
    per_s: u32,
    burst: u32,
    buckets: BTreeMap<String, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at_ms: i64,
}

impl Limiter {
    /// At least 1 each.
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        Self { per_s: per_s.max(1), burst: burst.max(1), buckets: BTreeMap::new() }
    }

    /// Takes one token, or says after how many milliseconds there will be one.
    pub(crate) fn take(&mut self, user_id: &str, now_ms: i64) -> Result<(), u64> {
        let (per_ms, burst) = (f64::from(self.per_s) / 1000.0, f64::from(self.burst));
        if self.buckets.len() > MAX_BUCKETS {
            self.buckets.retain(|_, bucket| bucket.after(now_ms, per_ms, burst).tokens < burst);
        }
        let full = Bucket { tokens: burst, at_ms: now_ms };
        let bucket = self.buckets.entry(user_id.to_owned()).or_insert(full);
        *bucket = bucket.after(now_ms, per_ms, burst);
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err((((1.0 - bucket.tokens) / per_ms).ceil() as u64).max(1))
    }
}

impl Bucket {
    fn after(self, now_ms: i64, per_ms: f64, burst: f64) -> Self {
        // A clock set back gives nothing and takes nothing.
        let passed_ms = now_ms.saturating_sub(self.at_ms).max(0);
        Self { tokens: (self.tokens + passed_ms as f64 * per_ms).min(burst), at_ms: now_ms }
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
