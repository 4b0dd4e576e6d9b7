//! Numbers that depend on a seed alone: the same on every machine, and in every version (xorshift64*, seeded by splitmix).

/// A generator.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Of a run's seed and the number of an iteration: each iteration can be had again without those before it.
    pub(crate) fn new(seed: u64, iteration: u64) -> Self {
        let mut state = seed ^ iteration.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..2 {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            state ^= state >> 31;
        }
        Self(state | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to below `n`; 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        // Values at which fields turn over, as often as any.
        const EDGES: [u8; 8] = [0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff];
        let any = (self.next() >> 40) as u8;
        if self.below(2) == 0 { any } else { EDGES.get(self.below(8)).copied().unwrap_or(any) }
    }
}
