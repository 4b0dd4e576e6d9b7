//! Decoding times out of presentation times.
//!
//! A decoder that reorders by at most k pictures puts out the n-th picture when it has read the (n + k)-th. So the
//! decoding times of a stream are its presentation times in ascending order, k pictures late: strictly increasing, and
//! never after the presentation time.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// H.264 and H.265 reorder by 16 pictures at most.
const DEEPEST: usize = 16;

/// Gives decoding times to closed reorder groups, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct DecodingTimes {
    /// k: the deepest reordering so far.
    depth: usize,
    /// The last presentation times, ascending.
    before: VecDeque<i64>,
    /// The decoding time given last.
    last: Option<i64>,
    /// What the end of the last picture's duration said that the next one's would be.
    promised: Option<i64>,
    /// From the last picture but one, in output order, to the last.
    step: i64,
    /// Room for `assign`: a group's times sorted, late, and at the latest.
    room: [Vec<i64>; 3],
}

impl DecodingTimes {
    /// Assumes a depth at least this, from the parameter sets.
    pub(super) fn assume(&mut self, depth: usize) {
        self.depth = self.depth.max(depth.min(DEEPEST));
    }

    /// What was seen of the depth no longer counts; what comes is shown after all that was. The first of it comes where
    /// it was promised.
    pub(super) fn reset(&mut self, depth: usize) {
        self.depth = depth.min(DEEPEST);
    }

    /// The deepest reordering assumed or seen.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// How many of the last pictures are to be shown after `time`.
    pub(super) fn later_than(&self, time: i64) -> usize {
        self.before.iter().rev().take_while(|before| **before > time).count()
    }

    /// The latest presentation time so far.
    pub(super) fn latest(&self) -> Option<i64> {
        self.before.back().copied()
    }

    /// From the last picture but one, in output order, to the last; 0 before there were two.
    pub(super) const fn step(&self) -> i64 {
        self.step
    }

    /// The decoding time given last.
    pub(super) const fn last(&self) -> Option<i64> {
        self.last
    }

    /// The times do not go on: the next group starts anew, after what was given last.
    pub(super) fn forget(&mut self) {
        self.before.clear();
        self.promised = None;
    }

    /// Appends the decoding times of a group whose presentation times, in decoding order, are these; returns the
    /// duration of its last picture. `next` is the presentation time of what follows, where that is known.
    pub(super) fn assign(&mut self, times: &[i64], next: Option<i64>, out: &mut Vec<i64>) -> i64 {
        if let ([time], 0) = (times, self.depth) {
            return self.assign_one(*time, next, out);
        }
        if self.depth == 0 && self.assign_rising(times, out) {
            return self.duration(next);
        }
        let [mut sorted, mut targets, mut limits] = core::mem::take(&mut self.room);
        self.sort(times, &mut sorted);
        self.delay(&sorted, times.len(), &mut targets);
        latest_allowed(times, &mut limits);
        let from = out.len();
        while let Some(limit) = limits.get(out.len() - from) {
            let i = out.len() - from;
            let target = self.promised.take().or(targets.get(i).copied()).unwrap_or(*limit);
            match self.last {
                Some(last) if target.min(*limit) <= last => self.squeeze(last, i, &targets, &limits, out),
                _ => self.give(target.min(*limit), out),
            }
        }
        self.remember(&sorted);
        self.room = [sorted, targets, limits];
        self.duration(next)
    }

    /// The usual case, without an allocation: a picture that nothing is reordered around.
    fn assign_one(&mut self, time: i64, next: Option<i64>, out: &mut Vec<i64>) -> i64 {
        let wanted = self.promised.take().map_or(time, |promised| promised.min(time));
        self.give(self.last.map_or(wanted, |last| wanted.max(last.saturating_add(1))), out);
        self.remember(&[time]);
        self.duration(next)
    }

    /// A group without reordering, behind all before: its decoding times are its presentation times.
    fn assign_rising(&mut self, times: &[i64], out: &mut Vec<i64>) -> bool {
        let Some((first, rest)) = times.split_first() else { return false };
        let start = self.promised.map_or(*first, |promised| promised.min(*first));
        if !times.is_sorted_by(|a, b| a < b) || self.last.is_some_and(|last| start <= last) {
            return false;
        }
        self.promised = None;
        out.push(start);
        out.extend_from_slice(rest);
        self.last = out.last().copied();
        self.remember(times);
        true
    }

    fn give(&mut self, time: i64, out: &mut Vec<i64>) {
        self.last = Some(time);
        out.push(time);
    }

    /// Where the depth grew, the first of the new times are not after the last old one. They share the room before the
    /// first that is; without room each is a tick later.
    fn squeeze(&mut self, last: i64, from: usize, targets: &[i64], limits: &[i64], out: &mut Vec<i64>) {
        let mut wanted =
            targets.iter().zip(limits).map(|(target, limit)| *target.min(limit)).enumerate().skip(from);
        let fits = wanted.find(|(j, at)| at.saturating_sub(last) > (j - from) as i64);
        let Some((to, at)) = fits else { return self.give(last.saturating_add(1), out) };
        let (room, parts) = (i128::from(at) - i128::from(last), (to - from) as i128 + 1);
        for (n, limit) in (1..=parts).zip(limits.iter().skip(from)) {
            let even = last.saturating_add((room * n / parts) as i64);
            let least = self.last.unwrap_or(last).saturating_add(1);
            self.give(even.min(*limit).max(least), out);
        }
    }

    /// The group's presentation times in ascending order, no two alike. Deepens `depth` to what they need.
    fn sort(&mut self, times: &[i64], sorted: &mut Vec<i64>) {
        sorted.clear();
        sorted.reserve(times.len());
        for time in times {
            let at = sorted.partition_point(|t| t <= time);
            self.depth = self.depth.max((sorted.len() - at).min(DEEPEST));
            sorted.insert(at, *time);
        }
        let mut before = None;
        for time in sorted {
            *time = (*time).max(before.map_or(i64::MIN, |b: i64| b.saturating_add(1)));
            before = Some(*time);
        }
    }

    /// Presentation times in ascending order, `depth` pictures late.
    fn delay(&mut self, sorted: &[i64], count: usize, targets: &mut Vec<i64>) {
        let step = match sorted {
            _ if self.step > 0 => self.step,
            [first, second, ..] => second.saturating_sub(*first),
            _ => i64::from(crate::time::TIMESCALE) / 25,
        };
        while self.before.len() < self.depth {
            // Before the beginning the pictures are as far apart as now.
            let first = self.before.front().or(sorted.first()).copied().unwrap_or(0);
            self.before.push_front(first.saturating_sub(step));
        }
        targets.clear();
        targets.extend(self.before.iter().skip(self.before.len() - self.depth).chain(sorted).take(count));
    }

    fn remember(&mut self, sorted: &[i64]) {
        for time in sorted.iter().skip(sorted.len().saturating_sub(DEEPEST)) {
            // At the end, but for a picture that came later than its depth allowed.
            let at = self.before.partition_point(|before| before <= time);
            self.before.insert(at, *time);
        }
        while self.before.len() > DEEPEST {
            self.before.pop_front();
        }
        let mut latest = self.before.iter().rev();
        if let (Some(last), Some(before)) = (latest.next(), latest.next()) {
            self.step = last.saturating_sub(*before);
        }
    }

    /// From the last decoding time to the next one, which is thereby promised where it is known.
    fn duration(&mut self, next: Option<i64>) -> i64 {
        let coming = match self.depth {
            0 => next,
            depth => self.before.iter().rev().nth(depth - 1).copied(),
        };
        match (coming, self.last) {
            (Some(coming), Some(last)) if coming > last => {
                self.promised = Some(coming);
                coming - last
            }
            _ => self.step.max(1),
        }
    }
}

/// The latest decoding times that are strictly increasing and not after any presentation time still to come.
pub(super) fn limits(times: &[i64]) -> Vec<i64> {
    let mut limits = Vec::new();
    latest_allowed(times, &mut limits);
    limits
}

fn latest_allowed(times: &[i64], limits: &mut Vec<i64>) {
    limits.clear();
    limits.extend_from_slice(times);
    let mut after = i64::MAX;
    for limit in limits.iter_mut().rev() {
        *limit = (*limit).min(after.saturating_sub(1));
        after = *limit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn assign(groups: &[Vec<i64>]) -> (Vec<i64>, Vec<i64>) {
        let (mut times, mut out, mut durations) = (DecodingTimes::default(), vec![], vec![]);
        for (i, group) in groups.iter().enumerate() {
            let next = groups.get(i + 1).and_then(|g| g.first()).copied();
            durations.push(times.assign(group, next, &mut out));
        }
        (out, durations)
    }

    #[test]
    fn without_reordering_they_are_the_presentation_times() {
        assert_eq!(assign(&[vec![10, 20, 30], vec![40, 50]]), (vec![10, 20, 30, 40, 50], vec![10, 10]));
    }

    #[test]
    fn with_reordering_they_are_the_sorted_ones_late() {
        // I P B B P B B, twice: depth 1.
        let group = |base: i64| [0, 30, 10, 20, 60, 40, 50].map(|t| base + t).to_vec();
        let (out, durations) = assign(&[group(0), group(70)]);
        assert_eq!(out, [-10, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
        assert_eq!(durations, [10, 10]);
    }

    #[test]
    fn where_the_depth_grows_they_share_the_room() {
        let (out, durations) = assign(&[vec![0, 30, 60], vec![90, 180, 120, 150]]);
        assert_eq!(durations[0], 30);
        assert_eq!(out[..4], [0, 30, 60, 90]);
        assert!(out.is_sorted_by(|a, b| a < b));
        assert!(out.iter().zip([0, 30, 60, 90, 180, 120, 150]).all(|(dts, pts)| *dts <= pts), "{out:?}");
    }

    /// Groups of distinct times, each group after the one before, shuffled within.
    fn groups() -> impl Strategy<Value = Vec<Vec<i64>>> {
        let gaps = prop::collection::vec(prop::collection::vec(20_i64..9_000, 1..20), 1..8);
        gaps.prop_flat_map(|groups| {
            let mut time = 0;
            let groups: Vec<_> = groups
                .into_iter()
                .map(|gaps| {
                    gaps.into_iter()
                        .map(|gap| {
                            time += gap;
                            time
                        })
                        .collect::<Vec<_>>()
                })
                .map(|times| Just(times).prop_shuffle())
                .collect();
            groups
        })
    }

    proptest! {
        #[test]
        fn strictly_rising_and_never_after_presentation(groups in groups()) {
            let (out, durations) = assign(&groups);
            prop_assert!(out.is_sorted_by(|a, b| a < b), "{:?}", out);
            for (pts, dts) in groups.concat().iter().zip(&out) {
                prop_assert!(dts <= pts, "{} {}", dts, pts);
            }
            prop_assert!(durations.iter().all(|d| *d > 0));
        }

        #[test]
        fn strictly_rising_whatever_comes(groups in prop::collection::vec(prop::collection::vec(any::<i32>(), 1..20), 1..20)) {
            let groups: Vec<Vec<i64>> = groups.into_iter().map(|g| g.into_iter().map(i64::from).collect()).collect();
            let (out, durations) = assign(&groups);
            prop_assert!(out.is_sorted_by(|a, b| a < b), "{:?}", out);
            prop_assert!(durations.iter().all(|d| *d > 0));
        }
    }
}
