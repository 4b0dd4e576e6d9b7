//! Pictures with presentation times to groups of samples.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::decode::DecodingTimes;
use super::{Group, Mode, Sample, UtcStamp};
use crate::depacket::{AccessUnit, RandomAccess};
use crate::fault::{Quirk, Quirks};
use crate::h26x::{Codec, ParameterSets};
use crate::limits::Limits;
use crate::time::Ticks;

/// Cuts the pictures into groups and gives them their decoding times.
#[derive(Clone, Debug)]
pub(super) struct Grouper {
    mode: Mode,
    limits: Limits,
    times: DecodingTimes,
    /// Without their decoding times.
    pending: Vec<Sample>,
    bytes: usize,
    ready: VecDeque<Group>,
    epoch: u32,
    /// The next group does not start a GOP.
    continues: bool,
    /// What the parameter sets say of the depth, and the sets that said it.
    declared: Option<u8>,
    /// They say less than before: the depth seen so far no longer counts.
    shallower: bool,
    parameters: Option<Arc<ParameterSets>>,
    quirks: Quirks,
    /// Pictures that the policy does not take.
    refused: u64,
    /// Kept for its room.
    scratch: (Vec<i64>, Vec<i64>),
}

impl Grouper {
    pub(super) fn new(mode: Mode, limits: &Limits) -> Self {
        Self {
            mode,
            limits: *limits,
            times: DecodingTimes::default(),
            pending: Vec::new(),
            bytes: 0,
            ready: VecDeque::new(),
            epoch: 0,
            continues: true,
            declared: None,
            shallower: false,
            parameters: None,
            quirks: Quirks::default(),
            refused: 0,
            scratch: (Vec::new(), Vec::new()),
        }
    }

    pub(super) const fn quirks(&mut self) -> &mut Quirks {
        &mut self.quirks
    }

    pub(super) const fn seen(&self) -> &Quirks {
        &self.quirks
    }

    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    pub(super) fn pull(&mut self) -> Option<Group> {
        self.ready.pop_front()
    }

    /// The last decoding time given, and the last difference of two presentation times.
    pub(super) fn end(&self) -> Option<(i64, i64)> {
        self.times.last().map(|last| (last.max(self.times.latest().unwrap_or(last)), self.times.step()))
    }

    /// A new epoch starts with the next picture.
    pub(super) fn new_epoch(&mut self) {
        self.finish();
        self.times.forget();
        self.epoch += 1;
        self.continues = true;
    }

    /// Takes a picture whose presentation time is known. No later than at `deadline` it must be decoded, for itself and for
    /// what is known to follow it.
    pub(super) fn push(&mut self, unit: AccessUnit, pts: i64, deadline: i64, utc: UtcStamp) {
        self.note_parameters(&unit);
        match self.mode {
            Mode::Live => self.push_live(unit, pts, deadline, utc),
            Mode::Recording => self.push_recording(unit, pts, deadline, utc),
        }
    }

    /// Nothing comes after what is pending, or what does starts at `next`.
    pub(super) fn flush(&mut self, next: Option<i64>) {
        self.emit(self.pending.len(), next);
    }

    /// Nothing comes after what is pending.
    pub(super) fn finish(&mut self) {
        let before = self.ready.len();
        self.flush(None);
        if let Some(group) = self.ready.get_mut(before).filter(|_| self.mode == Mode::Recording) {
            reach_the_end(&mut group.samples);
        }
    }

    fn note_parameters(&mut self, unit: &AccessUnit) {
        let Some(sets) = &unit.parameters else { return };
        if self.parameters.as_ref().is_some_and(|known| Arc::ptr_eq(known, sets)) {
            return;
        }
        let before = self.declared;
        self.declared = sets.format().and_then(|format| format.reorder);
        self.shallower |= self.declared.is_some() && self.declared < before;
        self.parameters = Some(Arc::clone(sets));
        if self.mode == Mode::Live {
            self.times.assume(usize::from(self.declared.unwrap_or(0)));
        }
    }

    /// Nothing is pending and a new sequence begins: with sets that say less, its pictures wait less.
    fn begin_sequence(&mut self) {
        if core::mem::take(&mut self.shallower) {
            let live = self.mode == Mode::Live;
            self.times.reset(usize::from(self.declared.filter(|_| live).unwrap_or(0)));
        }
    }

    fn push_live(&mut self, unit: AccessUnit, pts: i64, deadline: i64, utc: UtcStamp) {
        let restarts = unit.order.is_some_and(|order| order.restart);
        if restarts {
            self.flush(Some(deadline));
            self.begin_sequence();
        }
        // Groups already out should have waited for this one.
        let late = if restarts { 0 } else { self.times.later_than(pts) };
        if late > 0 {
            self.quirks.count(Quirk::DeeperReorder);
            if !self.limits.policy.tolerates(Quirk::DeeperReorder) {
                self.refused += 1;
                return;
            }
            self.times.assume(late);
        }
        let alone = self.times.depth() == 0
            || late > 0 && self.pending.is_empty()
            || restarts && unit.codec == Codec::H264 && self.pending.is_empty();
        self.take(unit, pts, utc);
        if alone {
            return self.flush(None);
        }
        while let Some(count) = self.closed() {
            self.emit(count, None);
        }
        if self.pending.len() > 2 * self.limits.reorder_depth {
            self.quirks.count(Quirk::OverLimit);
            self.flush(None);
        }
    }

    /// The pictures at the front that nothing still to come precedes in output order: as many are known behind them as
    /// the depth allows, or there is no room for another between them and what is out.
    fn closed(&self) -> Option<usize> {
        let depth = self.times.depth();
        let mut latest = i64::MIN;
        for (i, picture) in self.pending.iter().enumerate() {
            latest = latest.max(picture.pts.0);
            let rest = self.pending.iter().skip(i + 1);
            if !rest.clone().all(|p| p.pts.0 > latest) {
                continue;
            }
            let pictures = i as i64 + 1;
            let gapless = self.times.latest().is_some_and(|before| {
                let step = self.times.step();
                step > 0
                    && latest.saturating_sub(before).saturating_mul(2)
                        < (2 * pictures + 1).saturating_mul(step)
            });
            if gapless || rest.len() >= depth {
                return Some(i + 1);
            }
        }
        None
    }

    fn push_recording(&mut self, unit: AccessUnit, pts: i64, deadline: i64, utc: UtcStamp) {
        if unit.random_access.is_some_and(RandomAccess::starts_gop) {
            self.flush(Some(deadline));
            self.continues = false;
            if unit.order.is_some_and(|order| order.restart) {
                self.begin_sequence();
            }
        }
        self.take(unit, pts, utc);
        let over = |factor: usize| {
            let span = match (self.pending.first(), self.pending.last()) {
                (Some(first), Some(last)) => Ticks::micros(last.pts.0.saturating_sub(first.pts.0)),
                _ => 0,
            };
            self.bytes / factor > self.limits.fragment_bytes
                || u64::try_from(span).unwrap_or(0) / factor as u64 > self.limits.fragment_micros
                || self.pending.len() / factor >= self.limits.fragment_samples
        };
        if over(1) {
            if let Some(count) = self.cut() {
                self.emit(count, self.pending.iter().skip(count).map(|p| p.pts.0).min());
                self.continues = true;
            } else if over(2) {
                self.quirks.count(Quirk::OverLimit);
                self.flush(None);
                self.continues = true;
            }
        }
    }

    /// The longest part at the front that nothing behind it precedes in output order, now or later.
    fn cut(&self) -> Option<usize> {
        let spare = self
            .times
            .depth()
            .max(usize::from(self.declared.unwrap_or(0)))
            .max(self.limits.reorder_depth.min(4));
        let mut earliest = i64::MAX;
        let mut earliest_from: Vec<i64> = self
            .pending
            .iter()
            .rev()
            .map(|p| {
                earliest = earliest.min(p.pts.0);
                earliest
            })
            .collect();
        earliest_from.reverse();
        let (mut latest, mut cut) = (i64::MIN, None);
        for (i, picture) in self.pending.iter().enumerate() {
            latest = latest.max(picture.pts.0);
            let rest = self.pending.len() - i - 1;
            if rest > spare && earliest_from.get(i + 1).is_some_and(|earliest| latest < *earliest) {
                cut = Some(i + 1);
            }
        }
        cut
    }

    fn take(&mut self, unit: AccessUnit, pts: i64, utc: UtcStamp) {
        self.bytes = self.bytes.saturating_add(unit.data.len());
        self.pending.push(Sample { unit, pts: Ticks(pts), dts: Ticks(pts), duration: 0, utc });
    }

    /// The first `count` pictures become a group.
    fn emit(&mut self, count: usize, next: Option<i64>) {
        if count == 0 {
            return;
        }
        let (mut pts, mut dts) = core::mem::take(&mut self.scratch);
        pts.clear();
        dts.clear();
        pts.extend(self.pending.iter().take(count).map(|p| p.pts.0));
        let depth = self.times.depth();
        let mut duration = self.times.assign(&pts, next, &mut dts);
        let grew = self.times.depth() > depth.max(usize::from(self.declared.unwrap_or(0)));
        if grew {
            self.quirks.count(Quirk::DeeperReorder);
        }
        let mut samples = self.first_pending(count);
        let mut ends = dts.iter().skip(1).copied();
        for (sample, dts) in samples.iter_mut().zip(dts.iter().copied()) {
            self.bytes = self.bytes.saturating_sub(sample.unit.data.len());
            if let Some(end) = ends.next() {
                duration = end.saturating_sub(dts);
            }
            sample.dts = Ticks(dts);
            sample.duration = u32::try_from(duration).unwrap_or(u32::MAX);
        }
        self.scratch = (pts, dts);
        let continues_gop = match self.mode {
            Mode::Recording => self.continues,
            Mode::Live => {
                !samples.first().is_some_and(|s| s.unit.random_access.is_some_and(RandomAccess::starts_gop))
            }
        };
        self.ready.push_back(Group { samples, epoch: self.epoch, continues_gop });
    }

    /// Takes them off. What comes next will be about as many.
    fn first_pending(&mut self, count: usize) -> Vec<Sample> {
        if count < self.pending.len() {
            return self.pending.drain(..count).collect();
        }
        core::mem::replace(&mut self.pending, Vec::with_capacity(count))
    }
}

/// A stream that ends inside a reorder group leaves a hole before its last picture, which the decoding times do not span:
/// the last sample then lasts until the end of the last picture.
fn reach_the_end(samples: &mut [Sample]) {
    let mut times: Vec<i64> = samples.iter().map(|s| s.pts.0).collect();
    times.sort_unstable();
    let step =
        times.windows(2).filter_map(|w| Some(w.last()?.saturating_sub(*w.first()?))).filter(|s| *s > 0).min();
    let shown = times.last().zip(times.first()).map(|(last, first)| last.saturating_sub(*first));
    let start = samples.first().map(|s| s.dts.0);
    let (Some(step), Some(shown), Some(start), Some(last)) = (step, shown, start, samples.last_mut()) else {
        return;
    };
    let least = start.saturating_add(shown).saturating_add(step).saturating_sub(last.dts.0);
    last.duration = last.duration.max(u32::try_from(least).unwrap_or(0));
}
