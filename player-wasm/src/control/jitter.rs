//! How late fragments come, against the earliest ones.

/// Fragments that are remembered: ten seconds of 25 a second.
const MOST: usize = 256;
/// Seconds that a fragment counts.
const WINDOW: f64 = 10.0;
/// What takes longer is an outage, not jitter: seconds.
const OUTAGE: f64 = 2.0;

#[derive(Debug)]
pub(super) struct Jitter {
    /// When each came, and how long after its stamp.
    seen: [(f64, f64); MOST],
    count: usize,
    /// The last one: when it came, its stamp.
    last: Option<(f64, f64)>,
    epoch: u32,
    /// What was kept back comes at once: it says nothing until that is over.
    burst: bool,
    /// The least time after a stamp, of those that count.
    earliest: f64,
    value: f64,
}

impl Default for Jitter {
    fn default() -> Self {
        Self {
            seen: [(0.0, 0.0); MOST],
            count: 0,
            last: None,
            epoch: 0,
            burst: true,
            earliest: 0.0,
            value: 0.0,
        }
    }
}

impl Jitter {
    /// Seconds that 95 of 100 fragments are late, at most.
    pub(super) const fn value(&self) -> f64 {
        self.value
    }

    /// A fragment came; seconds.
    pub(super) fn arrived(&mut self, now: f64, stamp: f64, lasts: f64, epoch: u32) {
        let last = self.last.replace((now, stamp));
        let Some((before, _)) = last.filter(|(_, before)| epoch == self.epoch && stamp > *before) else {
            self.epoch = epoch;
            (self.burst, self.count, self.earliest) = (true, 0, f64::INFINITY);
            return;
        };
        if now - before > OUTAGE.max(3.0 * lasts) {
            // Where a hole follows it is by no means late: the earliest ones are those from now on.
            (self.burst, self.count, self.earliest) = (true, 0, f64::INFINITY);
            return;
        }
        if self.burst && now - before < 0.5 * lasts {
            return;
        }
        self.burst = false;
        // Earlier than any: what came before was late together, held back and no jitter.
        if now - stamp < self.earliest - 0.02 {
            self.count = 0;
        }
        if let Some(place) = self.seen.get_mut(self.count % MOST) {
            *place = (now, now - stamp);
        }
        self.count += 1;
        self.measure(now);
    }

    fn measure(&mut self, now: f64) {
        let recent = || {
            let seen = self.seen.iter().take(self.count.min(MOST));
            seen.filter(move |(at, _)| now - at <= WINDOW).map(|(_, transit)| *transit)
        };
        let earliest = recent().fold(f64::INFINITY, f64::min);
        // The least one that no more than one in twenty are above, without sorting.
        let spare = recent().count() / 20;
        let mut bound = f64::INFINITY;
        for _ in 0..=spare {
            let below = recent().filter(|transit| *transit < bound).fold(f64::NEG_INFINITY, f64::max);
            if below == f64::NEG_INFINITY {
                break;
            }
            bound = below;
        }
        self.value = if bound.is_finite() { (bound - earliest).max(0.0) } else { 0.0 };
        self.earliest = earliest;
    }
}
