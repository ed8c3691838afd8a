//! The core's only source of chance: a xoshiro256++ stream seeded by the shell.
//!
//! Law: the seed is 256 bits from `getRandomValues`, fresh for each instance, so that no two instances ever draw the
//! same keys. Keys are names, not secrets: a server scopes them by their sender. A simulator passes a fixed seed and
//! gets a fixed run. (A ChaCha stream would be 6 KB of wasm more and give nothing that is asked for here.)

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// Random numbers for keys and jitter.
#[derive(Clone)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Xoshiro256PlusPlus::from_seed(seed))
    }

    /// 128 random bits as 32 hexadecimal digits: an idempotency key.
    pub fn key(&mut self) -> String {
        let mut text = String::with_capacity(32);
        for _ in 0..4 {
            let word = self.0.next_u32();
            for shift in (0..8).rev() {
                let digit = word >> (shift * 4) & 15;
                text.push(char::from_digit(digit, 16).unwrap_or('0'));
            }
        }
        text
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        // The bias of a remainder is below 2^-32 for the spans used here (delays in milliseconds).
        low + self.0.next_u64() % span.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_run_and_keys_differ() {
        let (mut a, mut b) = (Rng::new([7; 32]), Rng::new([7; 32]));
        let (first, second) = (a.key(), a.key());
        assert_eq!(first, b.key());
        assert_ne!(first, second);
        assert_eq!(first.len(), 32);
    }

    #[test]
    fn between_keeps_its_bounds() {
        let mut rng = Rng::new([1; 32]);
        let drawn: Vec<u64> = (0..200).map(|_| rng.between(3, 5)).collect();
        assert!(drawn.iter().all(|n| (3..=5).contains(n)));
        assert!((3..=5).all(|n| drawn.contains(&n)));
        assert_eq!(rng.between(9, 9), 9);
    }
}
