//! Random numbers for nonces and jitter, out of the standard library's hash seeds.

use std::hash::{BuildHasher as _, RandomState};

/// 32 bytes that nobody else knows: SipHash under keys that the standard library draws from the system.
#[must_use]
pub(crate) fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    for (word, ordinal) in seed.chunks_exact_mut(8).zip(0_u64..) {
        word.copy_from_slice(&RandomState::new().hash_one(ordinal).to_ne_bytes());
    }
    seed
}

/// A number in `0.0..1.0`.
#[must_use]
pub(crate) fn fraction() -> f64 {
    (RandomState::new().hash_one(0_u64) >> 11) as f64 / (1_u64 << 53) as f64
}

/// 128 bits that nobody else knows, in hexadecimal.
#[must_use]
pub(crate) fn token() -> String {
    seed().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_draws_differ() {
        assert_ne!(super::seed(), super::seed());
        let f = super::fraction();
        assert!((0.0..1.0).contains(&f));
    }
}
