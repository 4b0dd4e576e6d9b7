//! How fast one clock runs against another: a robust slope over few points.

use alloc::vec::Vec;

/// Points kept. When there are more, every two become one, and from then on they are taken half as often.
const POINTS: usize = 32;
/// Microseconds between two points at first.
const INTERVAL: i64 = 10_000_000;
/// Points, and microseconds between the first and the last, below which a slope says nothing.
const FEW: usize = 4;
const SHORT: i64 = 30_000_000;

/// Which of several points near each other is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// The first: they scatter both ways.
    First,
    /// The lowest: what disturbs them only ever adds.
    Lowest,
}

/// How another clock is ahead of the media's, over media time; both in microseconds.
///
/// The slope is the median of those between all pairs of points (Theil and Sen): a quarter of them may be wrong.
#[derive(Clone, Debug)]
pub(super) struct Drift {
    keep: Keep,
    points: [(i64, i64); POINTS],
    length: usize,
    interval: i64,
    /// Where the present interval began.
    since: i64,
}

impl Drift {
    pub(super) const fn new(keep: Keep) -> Self {
        Self { keep, points: [(0, 0); POINTS], length: 0, interval: INTERVAL, since: 0 }
    }

    /// Nothing of before compares with what comes.
    pub(super) const fn forget(&mut self) {
        (self.length, self.interval) = (0, INTERVAL);
    }

    /// At `media`, the other clock was so far `ahead`.
    pub(super) fn add(&mut self, media: i64, ahead: i64) {
        let within = media.saturating_sub(self.since) < self.interval;
        match self.points.get_mut(..self.length).and_then(<[_]>::last_mut) {
            Some(last) if within => {
                if self.keep == Keep::Lowest && ahead < last.1 {
                    *last = (media, ahead);
                }
            }
            _ => self.begin(media, ahead),
        }
    }

    fn begin(&mut self, media: i64, ahead: i64) {
        if self.length == POINTS {
            self.thin();
        }
        self.since = media;
        if let Some(next) = self.points.get_mut(self.length) {
            *next = (media, ahead);
            self.length += 1;
        }
    }

    fn thin(&mut self) {
        let mut kept = 0;
        for at in (0..POINTS).step_by(2) {
            let (Some(first), Some(second)) = (self.points.get(at), self.points.get(at + 1)) else { break };
            let point = if self.keep == Keep::Lowest && second.1 < first.1 { *second } else { *first };
            if let Some(place) = self.points.get_mut(kept) {
                *place = point;
                kept += 1;
            }
        }
        self.length = kept;
        self.interval = self.interval.saturating_mul(2);
    }

    /// By how much the other clock runs faster than the media's, in parts per billion. `None` while too little is known.
    pub(super) fn slope(&self) -> Option<i32> {
        let points = self.points.get(..self.length)?;
        let span = points.last()?.0.saturating_sub(points.first()?.0);
        if points.len() < FEW || span < SHORT {
            return None;
        }
        let mut slopes = Vec::with_capacity(POINTS * POINTS / 2);
        for (n, a) in points.iter().enumerate() {
            for b in points.iter().skip(n + 1) {
                let (run, rise) = (i128::from(b.0) - i128::from(a.0), i128::from(b.1) - i128::from(a.1));
                slopes.extend((rise * 1_000_000_000).checked_div(run).filter(|_| run > 0));
            }
        }
        let middle = slopes.len() / 2;
        let (_, median, _) = slopes.get(middle).is_some().then(|| slopes.select_nth_unstable(middle))?;
        i32::try_from(*median).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_quarter_of_the_points_may_be_wrong_and_nothing_grows() {
        let mut drift = Drift::new(Keep::First);
        for n in 0..100_000_i64 {
            let media = n * 5 * SECOND;
            // 50 ppm, ± 3 ms, and now and then a report that is half a second late.
            let noise = (n * 7_919 % 6_001 - 3_000) + if n % 5 == 0 { SECOND / 2 } else { 0 };
            drift.add(media, media / 20_000 + noise);
            if n > 2_000 && n % 997 == 0 {
                let slope = drift.slope().unwrap_or_default();
                assert!((49_000..51_000).contains(&slope), "{n}: {slope}");
            }
        }
        assert!(drift.length <= POINTS);
    }

    #[test]
    fn delays_do_not_count_where_the_lowest_is_kept() {
        let mut drift = Drift::new(Keep::Lowest);
        assert_eq!(drift.slope(), None);
        for n in 0..100_000_i64 {
            let media = n * SECOND / 25;
            drift.add(media, media / 50_000 + n * 7_919 % 80_021);
        }
        let slope = drift.slope().unwrap_or_default();
        assert!((18_000..22_000).contains(&slope), "{slope}");
    }

    proptest! {
        #[test]
        fn whatever_comes(points in prop::collection::vec((any::<i64>(), any::<i64>()), 0..200), lowest: bool) {
            let mut drift = Drift::new(if lowest { Keep::Lowest } else { Keep::First });
            points.into_iter().for_each(|(media, ahead)| drift.add(media, ahead));
            let _ = drift.slope();
        }
    }
}
