//! The UTC of a presentation time, from whatever says it best.

use super::{UtcSource, UtcStamp};
use crate::time::{Micros, Ticks, UtcMicros};

/// Two reports that disagree by more than this: the camera's clock was set in between.
const STEP: i64 = 500_000;
/// A camera's crystal and its wall clock part by at most this, in millionths.
const DRIFT: i64 = 100;
/// What a report may be off at its own moment: the camera stamps it after it has read its clock.
const REPORT_ERROR: i64 = 2_000;
/// What the time of arrival may be off: exposure, encoder, network.
const ARRIVAL_ERROR: i64 = 1_000_000;
/// 2000-01-01: a camera whose clock says less has not been set.
const EARLIEST: i64 = 946_684_800_000_000;

/// A camera's clock that is this far from the host's has not been set either (uptime sent as NTP time reads as 2036).
const FARTHEST: u64 = 10 * 366 * crate::time::DAY as u64;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ticks: i64,
    utc: i64,
    source: UtcSource,
}

/// What became of a statement about UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchored {
    Taken,
    /// It differs from what was said before by so much that the clock must have been set. Not taken.
    Stepped,
    /// A better source is known.
    Ignored,
    /// It cannot be true.
    Unusable,
}

/// Maps presentation times to UTC.
#[derive(Clone, Debug, Default)]
pub(super) struct UtcLine {
    anchor: Option<Anchor>,
    /// The caller's monotonic clock and UTC, at one moment.
    clocks: Option<(Micros, UtcMicros)>,
    /// By arrival: UTC less presentation time, of the picture that was the least late; and where that was.
    arrival: Option<(i64, i64)>,
}

impl UtcLine {
    /// The caller says what UTC is.
    pub(super) fn clocks(&mut self, now: Micros, utc: UtcMicros) {
        if let Some((then, at)) = self.clocks {
            let expected = at.0.saturating_add(signed(now, then));
            if utc.0.abs_diff(expected) > STEP as u64 {
                self.arrival = None; // our own clock was set
            }
        }
        self.clocks = Some((now, utc));
    }

    /// `source` says that presentation time `ticks` is `utc`.
    pub(super) fn anchor(&mut self, source: UtcSource, ticks: i64, utc: UtcMicros) -> Anchored {
        let far = self.clocks.is_some_and(|(_, host)| host.0.abs_diff(utc.0) > FARTHEST);
        if utc.0 < EARLIEST || far {
            return Anchored::Unusable;
        }
        if let Some(anchor) = self.anchor {
            if anchor.source < source {
                return Anchored::Ignored;
            }
            let expected = anchor.utc.saturating_add(Ticks::micros(ticks.saturating_sub(anchor.ticks)));
            if expected.abs_diff(utc.0) > STEP as u64 {
                return Anchored::Stepped;
            }
        }
        self.anchor = Some(Anchor { ticks, utc: utc.0, source });
        Anchored::Taken
    }

    /// Nothing that the camera said so far holds any more.
    pub(super) fn unanchor(&mut self) {
        self.anchor = None;
    }

    /// The line of presentation times broke off: nothing that was said of it holds.
    pub(super) fn forget(&mut self) {
        self.anchor = None;
        self.arrival = None;
    }

    /// The UTC of a picture.
    pub(super) fn stamp(&mut self, ticks: i64, received: Micros) -> UtcStamp {
        let by_arrival = self.by_arrival(ticks, received);
        let Some(anchor) = self.anchor else { return by_arrival };
        let elapsed = Ticks::micros(ticks.saturating_sub(anchor.ticks));
        let error = REPORT_ERROR.saturating_add(elapsed.saturating_abs() / (1_000_000 / DRIFT));
        UtcStamp {
            utc: UtcMicros(anchor.utc.saturating_add(elapsed)),
            source: anchor.source,
            error: u32::try_from(error).unwrap_or(u32::MAX),
        }
    }

    /// The pictures that come early say when the others were due: network and encoder only ever delay. The line may
    /// drift back as far as a crystal may be off.
    fn by_arrival(&mut self, ticks: i64, received: Micros) -> UtcStamp {
        let presented = Ticks::micros(ticks);
        let Some((then, at)) = self.clocks else {
            // Nobody said what UTC is.
            return UtcStamp { utc: UtcMicros(presented), source: UtcSource::Arrival, error: u32::MAX };
        };
        let arrived = at.0.saturating_add(signed(received, then));
        let offset = arrived.saturating_sub(presented);
        let offset = match self.arrival {
            Some((least, since)) => {
                let allowed = presented.saturating_sub(since).max(0) / (1_000_000 / DRIFT);
                offset.min(least.saturating_add(allowed))
            }
            None => offset,
        };
        self.arrival = Some((offset, presented));
        UtcStamp {
            utc: UtcMicros(presented.saturating_add(offset)),
            source: UtcSource::Arrival,
            error: ARRIVAL_ERROR as u32,
        }
    }
}

/// `a - b`, signed.
fn signed(a: Micros, b: Micros) -> i64 {
    i64::try_from(i128::from(a.0) - i128::from(b.0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMicros = UtcMicros(1_795_000_000_000_000);

    #[test]
    fn a_report_beats_the_arrival_and_says_how_far_it_may_be_off() {
        let mut line = UtcLine::default();
        assert_eq!(line.stamp(90_000, Micros(7)).error, u32::MAX);
        line.clocks(Micros(1_000_000), NOW);
        let stamp = line.stamp(90_000, Micros(1_500_000));
        assert_eq!((stamp.utc, stamp.source), (NOW.plus(500_000), UtcSource::Arrival));
        assert_eq!(line.anchor(UtcSource::SenderReport, 90_000, NOW), Anchored::Taken);
        let stamp = line.stamp(990_000, Micros(1_500_000));
        assert_eq!(
            (stamp.utc, stamp.source, stamp.error),
            (NOW.plus(10_000_000), UtcSource::SenderReport, 3_000)
        );
        assert_eq!(line.anchor(UtcSource::RangeClock, 0, NOW), Anchored::Ignored);
    }

    #[test]
    fn a_step_is_seen_and_an_unset_clock_is_not_believed() {
        let mut line = UtcLine::default();
        assert_eq!(line.anchor(UtcSource::SenderReport, 0, UtcMicros(5_000_000)), Anchored::Unusable);
        assert_eq!(line.anchor(UtcSource::SenderReport, 0, NOW), Anchored::Taken);
        assert_eq!(line.anchor(UtcSource::SenderReport, 450_000, NOW.plus(5_010_000)), Anchored::Taken);
        assert_eq!(line.anchor(UtcSource::SenderReport, 900_000, NOW.plus(70_000_000)), Anchored::Stepped);
    }

    #[test]
    fn a_late_arrival_does_not_make_a_late_picture() {
        let mut line = UtcLine::default();
        line.clocks(Micros(0), NOW);
        line.stamp(0, Micros(0));
        let late = line.stamp(3_600, Micros(340_000));
        assert_eq!(late.utc, NOW.plus(40_004));
    }
}
