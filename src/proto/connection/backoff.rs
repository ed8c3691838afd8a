//! How long to wait before the next attempt.
//!
//! Law: an exponential base with a cap, and jitter (WIRES.md, "Backoff everywhere"), so that a restarted server is not met
//! by a herd: full jitter, never below a tenth of the base, so that a lucky draw is not a tight loop; or half of the
//! delay more or less, where the backend names its delays.

use crate::proto::config::{Jitter, Reconnect};
use crate::proto::mutant;
use crate::proto::rng::Rng;

/// A hidden page waits so long on top of the drawn delay: nobody is looking, and its server may be recovering.
pub(super) const HIDDEN_DELAY_MS: u64 = 5_000;

/// The network comes back for a whole building at once.
const NETWORK_BACK_JITTER_MS: u64 = 500;

/// The delay after `failures` attempts in a row have failed; 0 of a loss after a stable connection.
pub(super) fn retry_delay_ms(plan: &Reconnect, failures: u32, hidden: bool, rng: &mut Rng) -> u64 {
    let base = u64::from(plan.base_delay_ms);
    // 2^32 times the smallest base is above every cap.
    let doublings = if mutant::is(54) { 0 } else { failures.saturating_sub(1).min(32) };
    let cap = if mutant::is(55) { u64::MAX } else { u64::from(plan.max_delay_ms) };
    let ceiling = base.saturating_mul(1 << doublings).min(cap);
    let (floor, ceiling) = match plan.jitter {
        Jitter::Full => ((base / 10).min(ceiling), ceiling),
        Jitter::Half => (ceiling / 2, ceiling + ceiling / 2),
    };
    let floor = if mutant::is(20) { ceiling } else { floor };
    rng.between(floor, ceiling) + if hidden { HIDDEN_DELAY_MS } else { 0 }
}

/// The delay after the network has come back.
pub(super) fn network_back_delay_ms(hidden: bool, rng: &mut Rng) -> u64 {
    rng.between(0, NETWORK_BACK_JITTER_MS) + if hidden { HIDDEN_DELAY_MS } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(base_delay_ms: u32, max_delay_ms: u32) -> Reconnect {
        Reconnect {
            base_delay_ms,
            max_delay_ms,
            jitter: Jitter::Full,
            max_attempts: None,
            connect_timeout_ms: 20_000,
            after_server_disconnect: false,
        }
    }

    fn drawn(failures: u32, hidden: bool) -> (u64, u64) {
        let mut rng = Rng::new([3; 32]);
        let plan = plan(1_000, 30_000);
        let delays: Vec<u64> =
            (0..2_000).map(|_| retry_delay_ms(&plan, failures, hidden, &mut rng)).collect();
        (*delays.iter().min().unwrap(), *delays.iter().max().unwrap())
    }

    #[test]
    fn jitter_fills_the_whole_range_and_keeps_its_bounds() {
        for (failures, ceiling) in
            [(0, 1_000), (1, 1_000), (2, 2_000), (3, 4_000), (5, 16_000), (6, 30_000), (u32::MAX, 30_000)]
        {
            let (low, high) = drawn(failures, false);
            assert!(low >= 100 && high <= ceiling, "{failures}: {low} to {high}");
            assert!(low < 100 + ceiling / 50 && high > ceiling - ceiling / 50, "{failures}: {low} to {high}");
        }
    }

    #[test]
    fn c8_h3_delays_that_a_backend_names_are_spread_by_half() {
        let mut rng = Rng::new([3; 32]);
        let companion = Reconnect { jitter: Jitter::Half, ..plan(1_000, 5_000) };
        let channels = Reconnect { jitter: Jitter::Half, ..plan(1_000, 1_000) };
        for (plan, delays) in [(companion, [1_000, 2_000, 4_000, 5_000, 5_000]), (channels, [1_000; 5])] {
            for (failures, delay) in (1..).zip(delays) {
                let drawn: Vec<u64> =
                    (0..2_000).map(|_| retry_delay_ms(&plan, failures, false, &mut rng)).collect();
                let (low, high) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
                assert!((delay / 2..delay / 2 + delay / 50).contains(low), "{failures}: {low}");
                assert!((delay * 3 / 2 - delay / 50..=delay * 3 / 2).contains(high), "{failures}: {high}");
            }
        }
    }

    #[test]
    fn a_hidden_page_waits_longer_and_still_spreads() {
        let (low, high) = drawn(2, true);
        assert!((5_100..5_200).contains(&low) && (6_900..=7_000).contains(&high), "{low} to {high}");
        let mut rng = Rng::new([3; 32]);
        assert!((0..200).all(|_| network_back_delay_ms(false, &mut rng) <= 500));
        assert!((0..200).all(|_| (5_000..=5_500).contains(&network_back_delay_ms(true, &mut rng))));
    }

    #[test]
    fn the_extremes_of_the_configuration_do_not_overflow() {
        let mut rng = Rng::new([3; 32]);
        assert!(retry_delay_ms(&plan(u32::MAX, u32::MAX), u32::MAX, true, &mut rng) > 0);
        assert_eq!(retry_delay_ms(&plan(1, 1), 9, false, &mut rng) | 1, 1);
    }
}
