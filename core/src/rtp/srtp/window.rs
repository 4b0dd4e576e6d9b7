//! The 48-bit index of a packet and whether it was seen, RFC 3711 §3.3.1 and §3.3.2.

/// Of one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// The highest index so far.
    highest: u64,
    /// Bit n: `highest - n` was seen.
    seen: u128,
}

impl Window {
    /// Starts at the first index that was authenticated.
    pub(super) const fn new(first: u64) -> Self {
        Self { highest: first, seen: 1 }
    }

    /// The index that a sequence number most likely has: the roll-over counter that puts it nearest to the highest one.
    pub(super) const fn estimate(&self, sequence: u16) -> u64 {
        let counter = self.highest >> 16;
        let last = (self.highest & 0xffff) as i32;
        let distance = sequence as i32 - last;
        let counter = if distance > 0x8000 {
            counter.saturating_sub(1)
        } else if distance < -0x8000 {
            counter + 1
        } else {
            counter
        };
        counter << 16 | sequence as u64
    }

    /// Was it seen, or is it too old to tell?
    pub(super) const fn is_stale(&self, index: u64) -> bool {
        if index > self.highest {
            return false;
        }
        let age = self.highest - index;
        age >= 128 || self.seen >> age & 1 != 0
    }

    /// It was authenticated.
    pub(super) const fn accept(&mut self, index: u64) {
        if index > self.highest {
            let step = index - self.highest;
            self.seen = if step < 128 { self.seen << step } else { 0 } | 1;
            self.highest = index;
        } else if self.highest - index < 128 {
            self.seen |= 1 << (self.highest - index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_follows_its_sequence_number_over_the_wrap_both_ways() {
        let mut window = Window::new(0xfffe);
        for (sequence, index) in [(0xffff_u16, 0xffff_u64), (1, 0x1_0001), (0, 0x1_0000), (0xfffd, 0xfffd)] {
            assert_eq!(window.estimate(sequence), index);
            assert!(!window.is_stale(index));
            window.accept(index);
            assert!(window.is_stale(index));
        }
        // RFC 3711 §3.3.1: a packet before the first is not of round -1.
        assert_eq!(Window::new(3).estimate(0xffff), 0xffff);
    }

    #[test]
    fn what_is_too_old_is_stale() {
        let mut window = Window::new(0);
        window.accept(1_000);
        assert!(window.is_stale(1_000 - 128) && !window.is_stale(1_000 - 127));
        window.accept(5_000);
        assert!(!window.is_stale(4_999) && window.is_stale(1_000));
    }
}
