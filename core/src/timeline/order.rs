//! Times for a stream that has none: an Annex B file.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::decode::limits;
use super::gate::Gate;
use super::group::Grouper;
use super::{Group, Mode, UtcSource, UtcStamp};
use crate::depacket::AccessUnit;
use crate::fault::Quirks;
use crate::h26x::ParameterSets;
use crate::limits::Limits;
use crate::time::{TIMESCALE, Ticks, UtcMicros};

/// Pictures per second where the stream does not say.
const USUAL_RATE: (u32, u32) = (25, 1);

/// Gives access units the times that their picture order and frame rate imply: [`Mode::Recording`]'s groups.
///
/// The first picture shown is at 0 and the others follow at the frame rate of the parameter sets, 25 a second where
/// they do not say. What comes before the first random access point is dropped, unless none comes at all.
#[derive(Clone, Debug)]
pub struct ByPictureOrder {
    gate: Gate,
    passed: VecDeque<AccessUnit>,
    /// Pictures whose place in output order is not known yet, in decoding order.
    pending: VecDeque<AccessUnit>,
    deepest: usize,
    /// The parameter sets that `rate` is of.
    parameters: Option<Arc<ParameterSets>>,
    rate: (u32, u32),
    /// Where the present frame rate began: ticks, and pictures shown before.
    origin: (i64, u64),
    shown: u64,
    groups: Grouper,
}

impl ByPictureOrder {
    /// For one stream.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            gate: Gate::new(Mode::Recording, limits),
            passed: VecDeque::new(),
            pending: VecDeque::new(),
            deepest: limits.reorder_depth,
            parameters: None,
            rate: USUAL_RATE,
            origin: (0, 0),
            shown: 0,
            groups: Grouper::new(Mode::Recording, limits),
        }
    }

    /// The next access unit, in decoding order.
    pub fn push(&mut self, unit: AccessUnit) {
        if self.gate.lets_through(&unit) {
            self.passed.push_back(unit);
        } else {
            self.gate.hold(unit, &mut self.passed);
        }
        self.take_passed();
    }

    /// The stream ended: what is left comes out.
    pub fn finish(&mut self) {
        self.gate.finish(&mut self.passed);
        self.take_passed();
        self.show(self.pending.len());
        self.groups.finish();
    }

    /// The next group.
    pub fn pull(&mut self) -> Option<Group> {
        self.groups.pull()
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        self.groups.seen()
    }

    /// Access units dropped: before the first random access point, and leading pictures that cannot be decoded.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.gate.dropped()
    }

    fn take_passed(&mut self) {
        while let Some(unit) = self.passed.pop_front() {
            // Where the counting starts anew, all before is shown before. A picture without a count is shown in
            // decoding order.
            if unit.order.is_none_or(|order| order.restart) {
                self.show(self.pending.len());
            }
            let alone = unit.order.is_none();
            self.pending.push_back(unit);
            if alone {
                self.show(1);
            }
            while let Some(count) = self.closed() {
                self.show(count);
            }
        }
    }

    /// The pictures at the front that nothing still to come can precede: more are known behind them than either codec
    /// can hold back.
    fn closed(&self) -> Option<usize> {
        let counts = || self.pending.iter().map(|unit| unit.order.map_or(i32::MIN, |order| order.count));
        if self.pending.len() <= self.deepest {
            return None;
        }
        let mut latest = i32::MIN;
        for (i, count) in counts().enumerate().take(self.pending.len() - self.deepest) {
            latest = latest.max(count);
            if counts().skip(i + 1).all(|later| later > latest) {
                return Some(i + 1);
            }
        }
        None
    }

    /// The first `count` pending pictures take the next places in output order.
    fn show(&mut self, count: usize) {
        if let Some(unit) = self.pending.front().filter(|_| count > 0).cloned() {
            self.follow_rate(&unit);
        }
        let counts: Vec<i32> =
            self.pending.iter().take(count).map(|unit| unit.order.map_or(0, |order| order.count)).collect();
        let times: Vec<i64> =
            (0..counts.len()).map(|i| self.time_of(self.shown + rank(&counts, i))).collect();
        let deadlines = limits(&times);
        self.shown += counts.len() as u64;
        for (pts, deadline) in times.into_iter().zip(deadlines) {
            let Some(unit) = self.pending.pop_front() else { return };
            let utc =
                UtcStamp { utc: UtcMicros(Ticks::micros(pts)), source: UtcSource::Arrival, error: u32::MAX };
            self.groups.push(unit, pts, deadline, utc);
        }
    }

    /// When the picture that is shown as number `number` is shown.
    fn time_of(&self, number: u64) -> i64 {
        let (origin, first) = self.origin;
        let pictures = i128::from(number.saturating_sub(first));
        let (over, under) = (i128::from(self.rate.0), i128::from(self.rate.1));
        let ticks = (pictures * i128::from(TIMESCALE) * under * 2 + over) / (over * 2);
        origin.saturating_add(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    fn follow_rate(&mut self, unit: &AccessUnit) {
        let Some(sets) = &unit.parameters else { return };
        if self.parameters.as_ref().is_some_and(|known| Arc::ptr_eq(known, sets)) {
            return;
        }
        self.parameters = Some(Arc::clone(sets));
        let said = sets.format().and_then(|format| format.frame_rate);
        // Below a picture in two minutes or above a thousand a second, it is no frame rate.
        let rate = said
            .filter(|(over, under)| {
                let (over, under) = (u64::from(*over), u64::from(*under));
                over <= under * 1_000 && under <= over * 120
            })
            .unwrap_or(USUAL_RATE);
        if rate != self.rate {
            self.origin = (self.time_of(self.shown), self.shown);
            self.rate = rate;
        }
    }
}

/// How many of `counts` are shown before the one at `at`. Of equal counts (two views of one picture), the first decoded
/// is the first shown.
fn rank(counts: &[i32], at: usize) -> u64 {
    let Some(own) = counts.get(at) else { return 0 };
    let before = counts.iter().enumerate().filter(|(i, count)| *count < own || *count == own && *i < at);
    before.count() as u64
}
