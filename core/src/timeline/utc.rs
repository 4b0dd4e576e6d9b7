//! The UTC of a presentation time, from whatever says it best.

use super::drift::{Drift, Keep};
use super::{UtcSource, UtcStamp};
use crate::time::{Micros, Ticks, UtcMicros};

/// Two reports that disagree by more than this: the camera's clock was set in between.
const STEP: i64 = 500_000;
/// A camera's crystal and its wall clock part by at most this, in millionths.
const DRIFT: i64 = 100;
/// What a report may be off at its own moment: the camera stamps it after it has read its clock.
const REPORT_ERROR: i64 = 2_000;
/// A report that is off by more is a small step of an SNTP client (128 ms and more), not scatter.
const SCATTER: i64 = 50_000;
/// What the time of arrival may be off: exposure, encoder, network.
const ARRIVAL_ERROR: i64 = 1_000_000;
/// Timestamps that fall behind the arrivals by so much, with no picture on time for so long, do not keep the time.
const BEHIND: i64 = 250_000;
const BEHIND_FOR: u64 = 2_000_000;
/// How far a report may be ahead of the picture after it (some servers after PAUSE and PLAY).
const AHEAD: i64 = 1_000_000;
const BILLION: i64 = 1_000_000_000;
/// How far before the first picture the beginning of the Range may lie.
const FIRST: i64 = 10_000_000;
/// 2000-01-01: a clock that says less has not been set, the camera's or the host's.
const EARLIEST: i64 = 946_684_800_000_000;

/// A camera's clock that is this far from the host's has not been set either (uptime sent as NTP time reads as 2036).
const FARTHEST: u64 = 10 * 366 * crate::time::DAY as u64;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ticks: i64,
    utc: i64,
    source: UtcSource,
    /// When the picture after it arrived.
    received: Micros,
}

/// A picture that a statement is judged beside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    pub(super) ticks: i64,
    pub(super) received: Micros,
}

/// What became of a statement about UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchored {
    Taken,
    /// It differs from what was said before by so much that the clock must have been set. Not taken.
    Stepped,
    /// The camera's clock is another than the host's, by which the pictures were dated so far. Not taken.
    Moved,
    /// A better source is known.
    Ignored,
    /// It cannot be true.
    Unusable,
}

/// The picture least late so far, and of the last two seconds.
#[derive(Clone, Copy, Debug)]
struct Least {
    /// UTC less presentation time.
    offset: i64,
    /// Its presentation time.
    presented: i64,
    /// The least since then, by the host's clock.
    recent: i64,
    since: Micros,
    /// By how much the timestamps last fell behind in that time.
    jump: i64,
}

/// Maps presentation times to UTC.
#[derive(Clone, Debug)]
pub(super) struct UtcLine {
    anchor: Option<Anchor>,
    /// By how much the last reports differed from what was expected.
    scatter: i64,
    /// The caller's monotonic clock and UTC, at one moment.
    clocks: Option<(Micros, UtcMicros)>,
    /// The same after the host's clock was set, while pictures are still dated by what it said before.
    set: Option<(Micros, UtcMicros)>,
    arrival: Option<Least>,
    /// The last stamp is by arrival: a camera's clock that differs opens an epoch.
    by_arrival: bool,
    /// The camera's clock less the host's, at the last picture.
    offset: Option<i64>,
    /// The camera's wall clock, and the host's monotonic one, against the media's.
    wall: Drift,
    host: Drift,
    /// What small steps of the wall clock add up to: the drift is that of the crystals.
    stepped: i64,
    /// Follow the arrivals where the timestamps do not keep the time.
    follow: bool,
    slow: u64,
}

impl UtcLine {
    /// `follow`: see [`Quirk::NominalTimestamps`](crate::fault::Quirk::NominalTimestamps).
    pub(super) const fn new(follow: bool) -> Self {
        Self {
            anchor: None,
            scatter: 0,
            clocks: None,
            set: None,
            arrival: None,
            by_arrival: false,
            offset: None,
            wall: Drift::new(Keep::First),
            host: Drift::new(Keep::Lowest),
            stepped: 0,
            follow,
            slow: 0,
        }
    }

    /// The caller says what UTC is. Where pictures are dated by it and it was set, they keep to the former time until
    /// [`set_host`](Self::set_host).
    pub(super) fn clocks(&mut self, now: Micros, utc: UtcMicros) {
        self.set = None;
        if let Some((then, at)) = self.clocks {
            let expected = at.0.saturating_add(signed(now, then));
            if utc.0.abs_diff(expected) > STEP as u64 {
                if self.by_arrival {
                    self.set = Some((now, utc));
                    return;
                }
                self.arrival = None; // our own clock was set
            }
        }
        self.clocks = Some((now, utc));
    }

    /// The host's clock was set, and pictures are still dated by the former time.
    pub(super) const fn was_set(&self) -> bool {
        self.set.is_some()
    }

    /// From here on, pictures are dated by what the host's clock was set to: another epoch.
    pub(super) fn set_host(&mut self) {
        if let Some(clocks) = self.set.take() {
            self.clocks = Some(clocks);
            self.arrival = None;
        }
    }

    /// `source` says that presentation time `ticks` is `utc`; judged with the picture that came after.
    pub(super) fn anchor(
        &mut self,
        source: UtcSource,
        ticks: i64,
        utc: UtcMicros,
        beside: Beside,
    ) -> Anchored {
        let far = self.clocks.is_some_and(|(_, host)| host.0.abs_diff(utc.0) > FARTHEST);
        let ahead = Ticks::micros(ticks.saturating_sub(beside.ticks)) > AHEAD;
        if utc.0 < EARLIEST || far || ahead {
            return Anchored::Unusable;
        }
        // RTP-Info with an rtptime that is not the stream's: 0 or 1, from servers that do not know it yet.
        let apart = Ticks::micros(ticks.saturating_sub(beside.ticks)).saturating_abs();
        if source == UtcSource::RangeClock && self.anchor.is_none() && apart > FIRST {
            return Anchored::Ignored;
        }
        if let Some(anchor) = self.anchor {
            if anchor.source < source {
                return Anchored::Ignored;
            }
            let elapsed = Ticks::micros(ticks.saturating_sub(anchor.ticks));
            let off = utc.0.saturating_sub(anchor.utc.saturating_add(elapsed));
            if off.saturating_abs() > STEP {
                let passed = anchor.utc.saturating_add(signed(beside.received, anchor.received));
                if utc.0.abs_diff(passed) > STEP as u64 {
                    return Anchored::Stepped;
                }
                self.slow += 1;
                if !self.follow {
                    return Anchored::Stepped;
                }
            } else if off.saturating_abs() > SCATTER {
                self.stepped = self.stepped.saturating_add(off);
            }
            self.scatter = off.saturating_abs().max(self.scatter.saturating_sub(self.scatter / 8));
        } else if self.by_arrival
            && self.offset_to(ticks, utc).is_some_and(|off| off.abs() > ARRIVAL_ERROR + STEP)
        {
            return Anchored::Moved;
        }
        self.anchor = Some(Anchor { ticks, utc: utc.0, source, received: beside.received });

        let media = Ticks::micros(ticks);
        self.wall.add(media, utc.0.saturating_sub(media).saturating_sub(self.stepped));
        Anchored::Taken
    }

    /// How far `utc` is ahead of the host's clock, as the arrivals have it, at `ticks`.
    fn offset_to(&self, ticks: i64, utc: UtcMicros) -> Option<i64> {
        let least = self.arrival?;
        Some(utc.0.saturating_sub(Ticks::micros(ticks)).saturating_sub(least.offset))
    }

    /// Nothing that the camera said so far holds any more. True if it had said anything.
    pub(super) fn unanchor(&mut self) -> bool {
        self.by_arrival = false;
        self.scatter = 0;
        self.stepped = 0;
        self.wall.forget();
        self.anchor.take().is_some()
    }

    /// The line of presentation times broke off: nothing that was said of it holds.
    pub(super) fn forget(&mut self) {
        self.unanchor();
        self.arrival = None;
        self.host.forget();
    }

    /// Times that the timestamps were found not to keep the time.
    pub(super) const fn slow(&self) -> u64 {
        self.slow
    }

    /// The camera's clock less the host's.
    pub(super) const fn offset(&self) -> Option<i64> {
        self.offset
    }

    /// The media clock's drift against the camera's wall clock and against the host's, in parts per billion.
    pub(super) fn drift(&self) -> (Option<i32>, Option<i32>) {
        let fast = |drift: &Drift| {
            let ahead = i64::from(drift.slope()?);
            i32::try_from((-ahead).checked_mul(BILLION)?.checked_div(BILLION + ahead)?).ok()
        };
        (fast(&self.wall), fast(&self.host))
    }

    /// The UTC of a picture.
    pub(super) fn stamp(&mut self, ticks: i64, received: Micros) -> UtcStamp {
        let presented = Ticks::micros(ticks);
        self.host.add(presented, i64::try_from(received.0).unwrap_or(i64::MAX).saturating_sub(presented));
        let by_arrival = self.stamp_by_arrival(presented, received);
        self.by_arrival = self.anchor.is_none() && self.clocks.is_some();
        let Some(anchor) = self.anchor else { return by_arrival };
        let elapsed = Ticks::micros(ticks.saturating_sub(anchor.ticks));
        let error =
            REPORT_ERROR.max(self.scatter).saturating_add(elapsed.saturating_abs() / (1_000_000 / DRIFT));
        let utc = UtcMicros(anchor.utc.saturating_add(elapsed));
        if self.clocks.is_some() {
            self.offset = Some(utc.0.saturating_sub(by_arrival.utc.0));
        }
        UtcStamp { utc, source: anchor.source, error: u32::try_from(error).unwrap_or(u32::MAX) }
    }

    /// The pictures that come early say when the others were due: network and encoder only ever delay. The line may
    /// drift back as far as a crystal may be off.
    fn stamp_by_arrival(&mut self, presented: i64, received: Micros) -> UtcStamp {
        let Some((then, at)) = self.clocks else {
            // Nobody said what UTC is.
            return UtcStamp { utc: UtcMicros(presented), source: UtcSource::Arrival, error: u32::MAX };
        };
        let arrived = at.0.saturating_add(signed(received, then));
        let offset = arrived.saturating_sub(presented);
        let least = match self.arrival {
            Some(least) => self.follow_arrivals(least, offset, presented, received),
            None => Least { offset, presented, recent: offset, since: received, jump: 0 },
        };
        self.arrival = Some(least);
        let utc = UtcMicros(presented.saturating_add(least.offset));
        // A host without a battery begins in 1970: what it says is recorded, and not to be relied on.
        let unset = utc.0 < EARLIEST;
        let error = u32::try_from(ARRIVAL_ERROR.max(least.error())).ok().filter(|_| !unset);
        UtcStamp { utc, source: UtcSource::Arrival, error: error.unwrap_or(u32::MAX) }
    }

    /// Cameras that stamp the nominal frame rate and ship fewer pictures (open-nvr#229): where not one picture in two
    /// seconds is on time, it is the timestamps that are wrong.
    fn follow_arrivals(&mut self, least: Least, offset: i64, presented: i64, received: Micros) -> Least {
        let allowed = presented.saturating_sub(least.presented).max(0) / (1_000_000 / DRIFT);
        let most = least.offset.saturating_add(allowed);
        let recent = least.recent.min(offset);
        let mut next = Least { offset: offset.min(most), presented, recent, ..least };
        if received.since(least.since) <= BEHIND_FOR {
            return next;
        }
        (next.recent, next.since, next.jump) = (offset, received, 0);
        let behind = recent.saturating_sub(most);
        if behind > BEHIND {
            self.slow += 1;
            if self.follow {
                (next.offset, next.jump) = (recent, behind);
                self.scatter = self.scatter.max(next.error());
                if let Some(anchor) = &mut self.anchor {
                    anchor.utc = anchor.utc.saturating_add(behind);
                }
            }
        }
        next
    }
}

impl Least {
    /// What it may be off where the timestamps do not keep the time: it follows them two steps late.
    fn error(&self) -> i64 {
        if self.jump > 0 { self.jump.saturating_mul(2).saturating_add(BEHIND) } else { 0 }
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

    fn at(ticks: i64) -> Beside {
        Beside { ticks, received: Micros(Ticks::micros(ticks) as u64) }
    }

    #[test]
    fn a_report_beats_the_arrival_and_says_how_far_it_may_be_off() {
        let mut line = UtcLine::new(true);
        assert_eq!(line.stamp(90_000, Micros(7)).error, u32::MAX);
        line.clocks(Micros(1_000_000), NOW);
        let stamp = line.stamp(90_000, Micros(1_500_000));
        assert_eq!((stamp.utc, stamp.source), (NOW.plus(500_000), UtcSource::Arrival));
        assert_eq!(line.anchor(UtcSource::SenderReport, 90_000, NOW, at(90_000)), Anchored::Taken);
        let stamp = line.stamp(990_000, Micros(1_500_000));
        assert_eq!(
            (stamp.utc, stamp.source, stamp.error),
            (NOW.plus(10_000_000), UtcSource::SenderReport, 3_000)
        );
        assert_eq!(line.anchor(UtcSource::RangeClock, 0, NOW, at(990_000)), Anchored::Ignored);
        // Reports that scatter are believed less.
        assert_eq!(
            line.anchor(UtcSource::SenderReport, 990_000, NOW.plus(10_020_000), at(990_000)),
            Anchored::Taken
        );
        assert_eq!(line.stamp(990_000, Micros(1_500_000)).error, 20_000);
    }

    #[test]
    fn a_step_is_seen_and_an_unset_clock_is_not_believed() {
        let mut line = UtcLine::new(true);
        let source = UtcSource::SenderReport;
        assert_eq!(line.anchor(source, 0, UtcMicros(5_000_000), at(0)), Anchored::Unusable);
        assert_eq!(line.anchor(source, 0, NOW, at(0)), Anchored::Taken);
        assert_eq!(line.anchor(source, 450_000, NOW.plus(5_010_000), at(450_000)), Anchored::Taken);
        assert_eq!(line.anchor(source, 900_000, NOW.plus(70_000_000), at(900_000)), Anchored::Stepped);
        // Ahead of the picture after it, as after PAUSE and PLAY.
        assert_eq!(line.anchor(source, 900_000, NOW.plus(10_000_000), at(700_000)), Anchored::Unusable);
    }

    #[test]
    fn a_late_arrival_does_not_make_a_late_picture() {
        let mut line = UtcLine::new(true);
        line.clocks(Micros(0), NOW);
        line.stamp(0, Micros(0));
        let late = line.stamp(3_600, Micros(340_000));
        assert_eq!(late.utc, NOW.plus(40_004));
    }

    /// An outage of four seconds, whose pictures then come all at once, moves nothing.
    #[test]
    fn an_outage_is_not_taken_for_slow_timestamps() {
        let mut line = UtcLine::new(true);
        line.clocks(Micros(0), NOW);
        for n in 0..500_i64 {
            let due = n * 40_000;
            let received = if (4_000_000..8_000_000).contains(&due) { 8_000_000 + n } else { due };
            let stamp = line.stamp(n * 3_600, Micros(received as u64));
            assert!((stamp.utc.0 - NOW.plus(due).0).abs() < 2_000, "{n}");
        }
        assert_eq!(line.slow(), 0);
    }

    /// open-nvr#229: 25 a second on the stamps, 21 in truth; with and without reports that tell the truth.
    #[test]
    fn timestamps_that_do_not_keep_the_time_do_not_carry_utc_away() {
        for (reports, follow) in [(false, true), (true, true), (false, false)] {
            let mut line = UtcLine::new(follow);
            line.clocks(Micros(0), NOW);
            let mut worst = 0;
            for n in 0..21 * 600_i64 {
                let real = n * 1_000_000 / 21;
                let beside = Beside { ticks: n * 3_600, received: Micros(real as u64) };
                if reports && n % 105 == 0 {
                    let said = line.anchor(UtcSource::SenderReport, beside.ticks, NOW.plus(real), beside);
                    assert_eq!(said, Anchored::Taken, "{n}");
                }
                let stamp = line.stamp(beside.ticks, beside.received);
                let off = (stamp.utc.0 - NOW.plus(real).0).abs();
                worst = worst.max(off);
                // The first interval has not shown it yet.
                assert!(!follow || n < 210 || off <= i64::from(stamp.error), "{n}: {off} {stamp:?}");
            }
            assert!(line.slow() > 100);
            assert_eq!(worst > 60_000_000, !follow, "{worst}");
            let drift = line.drift().1.unwrap_or_default();
            assert!((drift + 160_000_000).abs() < 1_000_000, "{drift}");
        }
    }
}
