//! How much of a time was recorded, and why the rest was not.

use alloc::vec::Vec;

use super::{Cause, Error, Listing, Source, Storage};
use crate::gix::Span;
use crate::time::{Civil, UtcMicros};

/// What was recorded of a span, and what not, by cause. Microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Availability {
    /// The span, without what lies before the camera's first recording and after the moment of asking.
    pub span: Span,
    /// Recorded.
    pub recorded: u64,
    /// Not recorded, by [`Cause`] in the order of [`Cause::ALL`].
    pub missing: [u64; Cause::ALL.len()],
    /// Neither recorded nor explained yet: at most the GOP that is being recorded, mostly.
    pub pending: u64,
}

impl Availability {
    /// Of a camera and span; `now` is the time of day. `None` where the camera has nothing of it, not even a gap.
    ///
    /// # Errors
    /// As [`Listing::load`].
    pub fn load(
        storage: &mut dyn Storage,
        source: &Source,
        span: Span,
        now: UtcMicros,
    ) -> Result<Option<Self>, Error> {
        let span = Span::new(span.from, span.to.min(now));
        if span.is_empty() {
            return Ok(None);
        }
        Ok(Self::of(&Listing::load(storage, source, span)?, span))
    }

    /// Of a listing of that span.
    #[must_use]
    pub fn of(listing: &Listing, span: Span) -> Option<Self> {
        let starts = listing.ranges.first().map(|range| range.from);
        let first = starts.into_iter().chain(listing.gaps.first().map(|gap| gap.span.from)).min()?;
        let span = Span::new(span.from.max(first), span.to);
        let length = |part: Span| {
            let part = part.and(span);
            u64::try_from(part.to.0.saturating_sub(part.from.0)).unwrap_or(0)
        };
        let recorded = listing.ranges.iter().map(|range| length(*range)).sum();
        let mut missing = [0; Cause::ALL.len()];
        for gap in &listing.gaps {
            let cause = Cause::ALL.iter().position(|cause| *cause == gap.cause);
            if let Some(sum) = cause.and_then(|at| missing.get_mut(at)) {
                *sum += length(gap.span);
            }
        }
        let known = missing.iter().sum::<u64>() + recorded;
        Some(Self { span, recorded, missing, pending: length(span).saturating_sub(known) })
    }

    /// Not recorded for that cause, microseconds.
    #[must_use]
    pub fn missing_by(&self, cause: Cause) -> u64 {
        let place = Cause::ALL.iter().position(|known| *known == cause);
        place.and_then(|at| self.missing.get(at)).copied().unwrap_or(0)
    }

    /// What share of the time was recorded, 0 to 1; what is pending is left out.
    #[must_use]
    pub fn share(&self) -> f64 {
        let all = self.recorded + self.missing.iter().sum::<u64>();
        if all == 0 { 0.0 } else { self.recorded as f64 / all as f64 }
    }
}

/// The months (UTC) that a span touches, each whole: at most `most` of them, the last ones.
#[must_use]
pub fn months(span: Span, most: usize) -> Vec<Span> {
    let start = |at: UtcMicros| {
        let civil = Civil { day: 1, hour: 0, minute: 0, second: 0, micro: 0, ..at.civil() };
        UtcMicros::from_civil(civil)
    };
    let mut out = Vec::new();
    let mut at = span.to.plus(-1);
    while out.len() < most && !span.is_empty() {
        let Some(from) = start(at) else { break };
        // 32 days later is in the next month, whatever the month.
        let Some(to) = start(from.plus(32 * 86_400_000_000)) else { break };
        out.push(Span::new(from, to));
        if from <= span.from {
            break;
        }
        at = from.plus(-1);
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use alloc::string::ToString as _;

    use super::super::testing::{DAY_START, Recording, source};
    use super::super::{GapEntry, Memory, gap_log_path};
    use super::*;
    use crate::gix::Day;

    fn utc(seconds: i64) -> UtcMicros {
        UtcMicros(DAY_START + seconds * 1_000_000)
    }

    /// Three seconds, ten away, two seconds; and a crash before the next ones, across midnight.
    fn recorded() -> Memory {
        let disk = Memory::new();
        let mut recording = Recording::start(&disk, utc(100).0, 0).unwrap();
        for (from, len) in [(100, 3), (113, 2), (86_390, 20)] {
            recording.camera.utc = utc(from);
            recording.camera.discontinuity = true;
            recording.record(len).unwrap();
        }
        recording.finish().unwrap();
        disk.kill();
        let entry = |second, begins, cause| GapEntry { at: utc(second), begins, cause, code: 0 };
        let log = [
            entry(103, true, Cause::Network),
            entry(113, false, Cause::Network),
            entry(86_410, true, Cause::Operator),
            entry(86_440, true, Cause::Storage),
        ];
        for day in [Day::of(utc(0)), Day::of(utc(86_400))] {
            let own = log.iter().filter(|entry| Day::of(entry.at) == day);
            let bytes: Vec<u8> = own.enumerate().flat_map(|(n, e)| e.write(n as u32)).collect();
            disk.set_content(&gap_log_path(&source(), day), &bytes);
        }
        disk
    }

    #[test]
    fn each_second_is_recorded_or_has_its_cause() {
        let mut disk = recorded();
        let mut load = |from, to, now| {
            Availability::load(&mut disk, &source(), Span::new(utc(from), utc(to)), utc(now)).unwrap()
        };
        let seconds = |n: u64| n * 1_000_000;
        let all = load(-1_000, 90_000, 86_500).unwrap();
        assert_eq!(all.span, Span::new(utc(100), utc(86_500)), "from the first picture to now");
        assert_eq!(all.recorded, seconds(25));
        assert_eq!(all.missing_by(Cause::Network), seconds(10));
        assert_eq!(all.missing_by(Cause::Recorder), seconds(86_390 - 115));
        assert_eq!(all.missing_by(Cause::Operator), seconds(90));
        assert_eq!((all.pending, all.missing.iter().sum::<u64>()), (0, seconds(86_400 - 25)));
        assert!((all.share() - 25.0 / 86_400.0).abs() < 1e-9);
        // Cut in the middle of ranges and gaps, whatever day they are of.
        let part = load(102, 114, 86_500).unwrap();
        assert_eq!((part.recorded, part.missing_by(Cause::Network)), (seconds(2), seconds(10)));
        let night = load(86_399, 86_401, 86_500).unwrap();
        assert_eq!((night.recorded, night.share()), (seconds(2), 1.0));
        assert_eq!(load(-1_000, 50, 86_500), None, "there was no camera then");
        assert_eq!(load(200, 300, 150), None, "not yet");
    }

    #[test]
    fn months_are_whole_and_the_last_ones() {
        let span = |from: &str, to: &str| Span::new(from.parse().unwrap(), to.parse().unwrap());
        let told = |span, most| {
            months(span, most)
                .iter()
                .map(|m| m.from.to_string().chars().take(7).collect::<alloc::string::String>())
                .collect::<Vec<_>>()
        };
        let all = span("2027-11-30T23:59:59Z", "2028-03-01T00:00:00Z");
        assert_eq!(told(all, 9), ["2027-11", "2027-12", "2028-01", "2028-02"]);
        assert_eq!(told(all, 2), ["2028-01", "2028-02"]);
        assert_eq!(told(Span::new(all.to, all.from), 2), [""; 0]);
        let months = months(all, 9);
        assert!(months.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(months[3].to, all.to, "a leap year");
    }
}
