//! How long to wait before the next attempt, and the random numbers for it.

/// Waits that double from `first` to `longest`, each shortened by up to half at random, so that the cameras of a site
/// whose link comes back do not all call at once. Microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// After the first failure.
    pub first: u64,
    /// The cap. Short, because what is not recorded is lost: a camera that returns is seen again within this time.
    pub longest: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: 500_000, longest: 4_000_000 }
    }
}

impl Backoff {
    /// These two.
    #[must_use]
    pub const fn new(first: u64, longest: u64) -> Self {
        Self { first, longest }
    }

    /// The wait after `failures` failures in a row (1 or more); `random` is any random number.
    #[must_use]
    pub fn wait(&self, failures: u32, random: u64) -> u64 {
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(16));
        shorten(doubled.min(self.longest), random)
    }
}

/// Between half of `full` and all of it.
pub(super) fn shorten(full: u64, random: u64) -> u64 {
    // 32 bits of chance are enough, and keep the product within 128.
    let off = (u128::from(full / 2) * u128::from(random >> 32)) >> 32;
    full - u64::try_from(off).unwrap_or(0)
}

/// SplitMix64: numbers for jitter, which nobody needs to be unable to guess.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_no_further() {
        let backoff = Backoff::default();
        assert_eq!(backoff.wait(1, 0), 500_000);
        assert_eq!(backoff.wait(2, 0), 1_000_000);
        assert_eq!(backoff.wait(1, u64::MAX), 250_001);
        for failures in 4..100 {
            assert_eq!(backoff.wait(failures, 0), backoff.longest);
            assert!(backoff.wait(failures, u64::MAX) >= backoff.longest / 2);
        }
        assert_eq!(Backoff::new(u64::MAX, u64::MAX).wait(u32::MAX, 0), u64::MAX);
    }

    #[test]
    fn chance_is_spread_evenly() {
        let mut random = Random::new(1);
        let mut tenths = [0_u32; 10];
        for _ in 0..10_000 {
            let wait = shorten(1_000_000, random.next());
            tenths[((wait - 500_000) / 50_001) as usize] += 1;
        }
        assert!(tenths.iter().all(|n| (850..1_150).contains(n)), "{tenths:?}");
    }
}
