//! How long to wait before the next attempt.

use std::time::Duration;

/// Waits that double from `first` to `longest`, each shortened by up to half at random, so that the cameras of a site
/// whose link comes back do not all call at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// The cap. Short, because what is not recorded is lost: a camera that returns is seen again within this time.
    pub longest: Duration,
    /// After a refused password, and again each time: an attempt a minute does not lock the account of the cameras
    /// that count failures (Hikvision: five, then 30 minutes; Axis: by rate).
    pub refused: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(4),
            refused: Duration::from_secs(60),
        }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row (1 or more); `fraction` is a random number in `0.0..1.0`.
    #[must_use]
    pub fn wait(&self, failures: u32, refused: bool, fraction: f64) -> Duration {
        let full = if refused {
            self.refused
        } else {
            self.first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.longest)
        };
        full.mul_f64(1.0 - fraction.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_no_further() {
        let backoff = Backoff::default();
        assert_eq!(backoff.wait(1, false, 0.0), Duration::from_millis(500));
        assert_eq!(backoff.wait(2, false, 0.0), Duration::from_secs(1));
        assert_eq!(backoff.wait(1, false, 1.0), Duration::from_millis(250));
        for failures in 4..100 {
            assert_eq!(backoff.wait(failures, false, 0.0), backoff.longest);
        }
        assert!(backoff.wait(1, true, 0.99) >= Duration::from_secs(30));
    }
}
