//! What is missing: which numbers were given up, and how long one is waited for.

/// The numbers given up among the last 128: a packet of one of them is late, any other is there twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GivenUp {
    /// The lowest bit is the number before the one expected next.
    bits: u128,
    /// Packets given out when it was brought up to date.
    at: u64,
}

impl GivenUp {
    /// `lost` numbers are given up after `packets` packets given out, none of them of this one's.
    pub(super) fn add(&mut self, lost: u32, packets: u64) {
        self.catch_up(packets);
        let kept = self.bits.checked_shl(lost).unwrap_or(0);
        self.bits = kept | u128::MAX.checked_shr(128_u32.saturating_sub(lost)).unwrap_or(0);
    }

    /// The number `behind` places before the one expected next: was it given up? It is not any more.
    pub(super) fn take(&mut self, behind: u32, packets: u64) -> bool {
        self.catch_up(packets);
        let bit = behind.checked_sub(1).and_then(|n| 1_u128.checked_shl(n)).unwrap_or(0);
        let was = self.bits & bit != 0;
        self.bits &= !bit;
        was
    }

    fn catch_up(&mut self, packets: u64) {
        let given = u32::try_from(packets.saturating_sub(self.at)).unwrap_or(u32::MAX);
        self.bits = self.bits.checked_shl(given).unwrap_or(0);
        self.at = packets;
    }
}

/// How long a missing packet is waited for: twice as long as such packets were late, and after losses ever shorter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    longest: u64,
    now: u64,
}

impl Patience {
    pub(super) const fn new(longest: u64) -> Self {
        Self { longest, now: longest }
    }

    /// Microseconds.
    pub(super) const fn get(self) -> u64 {
        self.now
    }

    /// The longest it may be.
    pub(super) const fn longest(self) -> u64 {
        self.longest
    }

    /// A missing packet came, so late.
    pub(super) fn came(&mut self, after: u64) {
        self.now = self.now.max(after.saturating_mul(2)).min(self.longest);
    }

    /// One did not.
    pub(super) const fn gave_up(&mut self) {
        let least = self.longest / 5;
        self.now -= self.now.saturating_sub(least) / 8;
    }

    /// One came after it was given up.
    pub(super) const fn was_short(&mut self) {
        self.now = self.longest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_up_numbers_are_known_for_a_while_and_once() {
        let mut given_up = GivenUp::default();
        given_up.add(3, 10);
        // The packet after them, and one more.
        assert!(!given_up.take(1, 12) && !given_up.take(2, 12));
        assert!(given_up.take(3, 12) && given_up.take(5, 12) && !given_up.take(6, 12));
        assert!(!given_up.take(3, 12), "it came already");
        assert!(given_up.take(4 + 120, 12 + 120));
        given_up.add(3_000, 200);
        assert!(given_up.take(1, 200) && given_up.take(128, 200) && !given_up.take(129, 200));
        assert!(!given_up.take(50, 400), "too long ago");
    }

    #[test]
    fn patience_follows_what_is_seen() {
        let mut patience = Patience::new(100_000);
        assert_eq!(patience.get(), 100_000);
        (0..100).for_each(|_| patience.gave_up());
        assert!(patience.get() < 21_000, "{}", patience.get());
        patience.came(25_000);
        assert_eq!(patience.get(), 50_000);
        patience.was_short();
        assert_eq!(patience.get(), 100_000);
    }
}
