//! The timeline of an RTP stream.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::clock::{Clock, Point, is_near};
use super::gate::Gate;
use super::group::Grouper;
use super::utc::{Anchored, Beside, UtcLine};
use super::{ClockStats, Group, UtcSource, UtcStamp};
use crate::depacket::AccessUnit;
use crate::fault::{Policy, Quirk, Quirks};
use crate::limits::Limits;
use crate::rtp::rtcp::SenderReport;
use crate::time::{Micros, TIMESCALE, Ticks, UtcMicros};

/// Pictures that must agree before a leap is believed (Intelbras DVR: single stamps hours off).
const CONFIRM: usize = 3;

/// Ticks for which a clock that was set waits for a random access point.
const PATIENCE: i64 = 10 * TIMESCALE as i64;

/// What the groups are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// One closed reorder group each, as soon as it is known to be closed: at once where nothing is reordered.
    Live,
    /// One GOP each, known to be closed when the next one starts; cut at a closed reorder group where it exceeds
    /// [`Limits::fragment_bytes`], [`Limits::fragment_micros`] or [`Limits::fragment_samples`].
    Recording,
}

/// Gives access units their times.
///
/// [`push`](Self::push) access units, then [`pull`](Self::pull) until `None`; at the end [`finish`](Self::finish) and
/// pull what is left. The first sample, also after a discontinuity, is a random access point; what comes before it is
/// dropped (a recording takes it after all where none comes). Presentation times are the RTP timestamps, extended:
/// equal to them modulo 2^32 until the first leap. After a leap they go on behind the last one, in a new epoch.
///
/// UTC comes from [`sender_report`](Self::sender_report), [`anchor`](Self::anchor) and, where those are silent, from
/// the time of arrival; for that the host says what its clock reads, by [`arrival`](Self::arrival), now and then. When
/// the camera's clock was set, the next random access point is the first of a new epoch with the new time.
#[derive(Clone, Debug)]
pub struct Timeline {
    gate: Gate,
    clock: Clock,
    utc: UtcLine,
    groups: Grouper,
    passed: VecDeque<AccessUnit>,
    /// Pictures whose timestamps are either strays or the first after a leap.
    kept: Vec<AccessUnit>,
    /// What was said of UTC since the last picture.
    heard: Option<Said>,
    /// What was said of UTC before the first picture, or when the camera's clock had been set.
    said: Option<Said>,
    /// The next picture starts an epoch.
    breaks: bool,
    /// Where the line stood before another session began.
    before: Option<Point>,
    policy: Policy,
    /// No sender report is believed.
    deaf: bool,
    /// Access units that the policy does not take.
    refused: u64,
    stamped: Option<UtcStamp>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    source: UtcSource,
    timestamp: u32,
    utc: UtcMicros,
    /// Where the line stood, if there was one.
    at: Option<i64>,
}

impl Timeline {
    /// For one stream.
    #[must_use]
    pub fn new(mode: Mode, limits: &Limits) -> Self {
        Self {
            gate: Gate::new(mode, limits),
            clock: Clock::default(),
            utc: UtcLine::new(limits.policy.tolerates(Quirk::NominalTimestamps)),
            groups: Grouper::new(mode, limits),
            passed: VecDeque::new(),
            kept: Vec::new(),
            heard: None,
            said: None,
            breaks: false,
            before: None,
            policy: limits.policy,
            deaf: false,
            refused: 0,
            stamped: None,
        }
    }

    /// The next access unit, in decoding order.
    pub fn push(&mut self, unit: AccessUnit) {
        if self.gate.lets_through(&unit) {
            return self.place(unit);
        }
        self.gate.hold(unit, &mut self.passed);
        self.take_passed();
    }

    fn take_passed(&mut self) {
        while let Some(unit) = self.passed.pop_front() {
            self.place(unit);
        }
    }

    /// The stream ended: what is left comes out.
    pub fn finish(&mut self) {
        self.gate.finish(&mut self.passed);
        self.take_passed();
        self.place_strays(self.clock.last(), None);
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

    /// Access units dropped: before the first random access point, leading pictures that cannot be decoded, and those
    /// whose times the policy does not tolerate.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.gate.dropped() + self.refused + self.groups.refused()
    }

    /// What is known of the camera's clocks. Works it out anew: not for every picture.
    #[must_use]
    pub fn clock(&self) -> ClockStats {
        let (against_wall, against_host) = self.utc.drift();
        ClockStats {
            source: self.stamped.map(|stamp| stamp.source),
            error: self.stamped.map_or(u32::MAX, |stamp| stamp.error),
            offset: self.utc.offset(),
            against_wall,
            against_host,
            steps: self.quirks().get(Quirk::ClockStep),
            leaps: self.quirks().get(Quirk::TimestampLeap),
        }
    }

    /// The stream starts anew with the next random access point (another session, another SSRC): a new epoch. What was
    /// before comes out.
    pub fn discontinuity(&mut self) {
        self.place_strays(self.clock.last(), None);
        self.groups.finish();
        self.gate.close();
        self.before = self.clock.last().or(self.before);
        self.clock.forget();
        self.utc.forget();
        (self.heard, self.said) = (None, None);
    }

    /// The camera says which moment an RTP timestamp is, RFC 3550 §6.4.1.
    pub fn sender_report(&mut self, report: SenderReport) {
        if self.deaf {
            return;
        }
        // A sender without a clock says 0, §6.4.1.
        if report.ntp.0 == 0 {
            return self.bad_report();
        }
        self.anchor(UtcSource::SenderReport, report.rtp_timestamp, report.ntp.to_utc());
    }

    /// `source` says that RTP timestamp `timestamp` is `utc`: RTP-Info with `Range: clock=`, the ONVIF header extension.
    /// A source better than this one prevails.
    pub fn anchor(&mut self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        let at = self.clock.place(timestamp);
        let slot = if at.is_some() { &mut self.heard } else { &mut self.said };
        if slot.is_none_or(|said| said.source >= source) {
            *slot = Some(Said { source, timestamp, utc, at: None });
        }
    }

    /// The host's monotonic clock and UTC at one moment.
    pub fn arrival(&mut self, now: Micros, utc: UtcMicros) {
        self.utc.clocks(now, utc);
    }

    /// A report that is not usable. Where that is not tolerated, the camera's other reports are not believed either.
    #[cold]
    fn bad_report(&mut self) {
        self.groups.quirks().count(Quirk::BadSenderReport);
        if !self.policy.tolerates(Quirk::BadSenderReport) {
            self.deaf = true;
            (self.heard, self.said) = (None, None);
            self.utc.unanchor();
        }
    }

    fn place(&mut self, unit: AccessUnit) {
        if let (None, Some(before)) = (self.clock.last(), self.before.take()) {
            self.breaks = true;
            return self.resume(before, unit);
        }
        let before = self.clock.last();
        match self.clock.next(unit.timestamp, unit.received) {
            Some((pts, moved)) => {
                if !self.kept.is_empty() {
                    self.place_strays(before, Some(pts));
                }
                if moved {
                    self.groups.quirks().count(Quirk::EqualTimestamps);
                    if !self.policy.tolerates(Quirk::EqualTimestamps) {
                        self.refused += 1;
                        return;
                    }
                }
                self.emit(unit, pts);
            }
            None => self.keep(unit),
        }
    }

    /// A timestamp that does not continue the line: a stray, or the first after a leap.
    fn keep(&mut self, unit: AccessUnit) {
        let agrees = self.kept.last().is_none_or(|before| {
            is_near((before.timestamp, before.received), (unit.timestamp, unit.received))
        });
        if !agrees {
            self.place_strays(self.clock.last(), None);
        }
        self.kept.push(unit);
        if self.kept.len() < CONFIRM {
            return;
        }
        let Some(before) = self.clock.last() else { return };
        self.groups.quirks().count(Quirk::TimestampLeap);
        if !self.policy.tolerates(Quirk::TimestampLeap) {
            // It was another stream, and the new one begins where one can.
            self.refused += core::mem::take(&mut self.kept).len() as u64;
            return self.discontinuity();
        }
        self.utc.forget();
        self.clock.forget();
        self.breaks = true;
        for (i, unit) in core::mem::take(&mut self.kept).into_iter().enumerate() {
            if i == 0 { self.resume(before, unit) } else { self.place(unit) }
        }
    }

    /// The line goes on with other timestamps: after `before`, by as much as lies between the arrivals.
    fn resume(&mut self, before: Point, unit: AccessUnit) {
        let (end, step) = self.groups.end().unwrap_or((before.ticks, 0));
        let arrival = Ticks::from_micros(i64::try_from(unit.received.since(before.received)).unwrap_or(0));
        let ticks = end.max(before.ticks).saturating_add(arrival.max(step).max(1));
        self.clock.set(Point { timestamp: unit.timestamp, ticks, received: unit.received });
        self.emit(unit, ticks);
    }

    /// The pictures kept proved to be strays: they are shown between the picture before them and the one at `until`.
    fn place_strays(&mut self, before: Option<Point>, until: Option<i64>) {
        let (Some(before), false) = (before, self.kept.is_empty()) else { return };
        let from = before.ticks;
        let parts = self.kept.len() as i64 + 1;
        let even = match until {
            Some(until) => until.saturating_sub(from) / parts,
            None => self.groups.end().map_or(i64::from(TIMESCALE) / 25, |(_, step)| step),
        };
        for (i, unit) in core::mem::take(&mut self.kept).into_iter().enumerate() {
            self.groups.quirks().count(Quirk::StrayTimestamp);
            if !self.policy.tolerates(Quirk::StrayTimestamp) {
                self.refused += 1;
                continue;
            }
            self.emit(unit, from.saturating_add(even.max(1).saturating_mul(i as i64 + 1)));
        }
    }

    /// What was said of UTC, judged beside the picture that came after it.
    fn judge(&mut self, said: Said, beside: Beside) {
        let Some(ticks) = self.clock.place(said.timestamp) else { return };
        match self.utc.anchor(said.source, ticks, said.utc, beside) {
            // What had seemed a step was a single report that was wrong.
            Anchored::Taken => drop(self.said.take_if(|said| said.at.is_some())),
            Anchored::Ignored => {}
            Anchored::Unusable => self.bad_report(),
            Anchored::Stepped if !self.policy.tolerates(Quirk::ClockStep) => {
                self.groups.quirks().count(Quirk::ClockStep);
            }
            Anchored::Stepped | Anchored::Moved => {
                let at = self.said.and_then(|said| said.at).or(Some(beside.ticks));
                self.said = Some(Said { at, ..said });
            }
        }
    }

    fn emit(&mut self, unit: AccessUnit, pts: i64) {
        let beside = Beside { ticks: pts, received: unit.received };
        if let Some(heard) = self.heard.take() {
            self.judge(heard, beside);
        }
        let due = |said: &mut Said| match said.at {
            // The camera's clock was set: a group keeps its time to its end. Where no GOP ends, it must not wait for ever.
            Some(at) => unit.random_access.is_some() || pts.saturating_sub(at) > PATIENCE,
            None => true,
        };
        if let Some(said) = self.said.take_if(due) {
            if said.at.is_some() {
                if self.utc.unanchor() {
                    self.groups.quirks().count(Quirk::ClockStep);
                }
                self.breaks = true;
            }
            self.judge(said, beside);
        }
        if self.utc.was_set() && unit.random_access.is_some() {
            self.utc.set_host();
            self.breaks = true;
        }
        if core::mem::take(&mut self.breaks) {
            self.groups.new_epoch();
        }
        let utc = self.utc.stamp(pts, unit.received);
        for _ in self.quirks().get(Quirk::NominalTimestamps)..self.utc.slow() {
            self.groups.quirks().count(Quirk::NominalTimestamps);
        }
        self.stamped = Some(utc);
        self.groups.push(unit, pts, pts, utc);
    }
}

#[cfg(test)]
mod tests;
