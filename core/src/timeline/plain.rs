//! Times of access units without NAL units, among which nothing is reordered: sound, JPEG and AV1.

mod unit;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

pub use unit::{PlainFormat, PlainUnit};

use super::utc::{Anchored, Beside, UtcLine};
use super::{UtcSource, UtcStamp};
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::rtp::rtcp::SenderReport;
use crate::time::{Micros, TIMESCALE, Ticks, UtcMicros};

/// Ticks of a group, about; it starts at a random access point.
const GROUP: i64 = 2 * TIMESCALE as i64;
/// Timestamps that part from the times of arrival by more than this leap.
const LEAP: i64 = 10 * TIMESCALE as i64;

/// An access unit with its times: it is decoded when it is presented.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlainSample {
    /// The access unit.
    pub unit: PlainUnit,
    /// Presentation time, at 90 kHz whatever the RTP clock is; strictly increasing within an epoch.
    pub pts: Ticks,
    /// To the next sample, where that is known; else what it lasts itself.
    pub duration: u32,
    /// UTC of the presentation.
    pub utc: UtcStamp,
}

/// About two seconds of samples, of one format. Never empty.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlainGroup {
    /// In order.
    pub samples: Vec<PlainSample>,
    /// Counts the breaks of the timeline.
    pub epoch: u32,
}

/// Gives access units of a plain stream their times, and puts them into groups of about two seconds.
///
/// [`push`](Self::push) access units, then [`pull`](Self::pull) until `None`; at the end [`finish`](Self::finish). The RTP
/// timestamps are taken at their own clock and told at 90 kHz, each rounded by itself, so that no rounding adds up. UTC comes
/// from where it does for a [`Timeline`](super::Timeline).
#[derive(Clone, Debug)]
pub struct PlainTimeline {
    limits: Limits,
    line: Option<Line>,
    utc: UtcLine,
    pending: Vec<PlainSample>,
    bytes: usize,
    ready: VecDeque<PlainGroup>,
    epoch: u32,
    /// What was said of UTC before the first sample.
    said: Option<(UtcSource, u32, UtcMicros)>,
    /// The next sample does not continue what was before: where that ended, and when it arrived.
    before: Option<(i64, Micros)>,
    dropped: u64,
    quirks: Quirks,
}

/// RTP timestamps on the line.
#[derive(Clone, Copy, Debug)]
struct Line {
    rate: u32,
    /// Where timestamps are counted from: ticks, at extended timestamp 0.
    base: i64,
    /// The last sample.
    timestamp: u32,
    extended: i64,
    ticks: i64,
    received: Micros,
}

impl Line {
    fn extend(&self, timestamp: u32) -> i64 {
        self.extended.saturating_add(i64::from(timestamp.wrapping_sub(self.timestamp) as i32))
    }

    fn at(&self, extended: i64) -> i64 {
        let ticks = i128::from(extended) * i128::from(TIMESCALE) / i128::from(self.rate);
        self.base.saturating_add(i64::try_from(ticks).unwrap_or(0))
    }
}

impl PlainTimeline {
    /// For one stream.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            line: None,
            utc: UtcLine::new(false),
            pending: Vec::new(),
            bytes: 0,
            ready: VecDeque::new(),
            epoch: 0,
            said: None,
            before: None,
            dropped: 0,
            quirks: Quirks::default(),
        }
    }

    /// The next access unit. Before the first random access point, and after each break, they are dropped.
    pub fn push(&mut self, unit: impl Into<PlainUnit>) {
        let unit = unit.into();
        if self.line.is_none() && !unit.random_access {
            self.dropped += 1;
            return;
        }
        let ticks = self.place(&unit);
        if let Some((source, timestamp, utc)) = self.said.take() {
            self.anchor(source, timestamp, utc);
        }
        let utc = self.utc.stamp(ticks, unit.received);
        self.cut_before(&unit, ticks);
        self.bytes = self.bytes.saturating_add(unit.data.len());
        let rate = i64::from(unit.format.clock_rate());
        let lasts = unit
            .duration
            .map_or(i64::from(TIMESCALE) / 25, |d| (i64::from(d) * i64::from(TIMESCALE) + rate / 2) / rate);
        let duration = u32::try_from(lasts.max(1)).unwrap_or(u32::MAX);
        self.pending.push(PlainSample { unit, pts: Ticks(ticks), duration, utc });
    }

    /// The stream ended: what is left comes out.
    pub fn finish(&mut self) {
        self.emit(None);
    }

    /// The next group.
    pub fn pull(&mut self) -> Option<PlainGroup> {
        self.ready.pop_front()
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// Access units dropped because decoding could not start there.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Another session or sender: what follows is a new epoch.
    pub fn discontinuity(&mut self) {
        self.emit(None);
        self.leave();
        self.said = None;
    }

    /// The camera says which moment an RTP timestamp is.
    pub fn sender_report(&mut self, report: SenderReport) {
        if report.ntp.0 == 0 {
            return self.quirks.count(Quirk::BadSenderReport);
        }
        self.anchor(UtcSource::SenderReport, report.rtp_timestamp, report.ntp.to_utc());
    }

    /// `source` says that RTP timestamp `timestamp` is `utc`.
    pub fn anchor(&mut self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        let Some(line) = &self.line else {
            if self.said.is_none_or(|(known, ..)| source <= known) {
                self.said = Some((source, timestamp, utc));
            }
            return;
        };
        let ticks = line.at(line.extend(timestamp));
        let beside = Beside { ticks: line.ticks, received: line.received };
        match self.utc.anchor(source, ticks, utc, beside) {
            Anchored::Unusable => self.quirks.count(Quirk::BadSenderReport),
            outcome @ (Anchored::Stepped | Anchored::Moved) => {
                // The camera's clock was set, or is another than the host's: what follows is of another time.
                if outcome == Anchored::Stepped {
                    self.quirks.count(Quirk::ClockStep);
                }
                self.emit(None);
                self.epoch += 1;
                self.utc.unanchor();
                self.utc.anchor(source, ticks, utc, beside);
            }
            Anchored::Taken | Anchored::Ignored => {}
        }
    }

    /// The host's monotonic clock and UTC at one moment.
    pub fn arrival(&mut self, now: Micros, utc: UtcMicros) {
        self.utc.clocks(now, utc);
        if self.utc.was_set() {
            self.emit(None);
            self.epoch += 1;
            self.utc.set_host();
        }
    }

    fn leave(&mut self) {
        if let Some(line) = self.line.take() {
            self.before = Some((line.ticks, line.received));
        }
        self.utc.forget();
    }

    /// Where the access unit stands on the line of 90 kHz: after the one before, whatever its timestamp says.
    fn place(&mut self, unit: &PlainUnit) -> i64 {
        let rate = unit.format.clock_rate();
        if let Some(line) = &mut self.line {
            if line.rate != rate {
                // The timestamps count otherwise from here on: the line goes on where it is.
                *line = Line { rate, base: line.ticks, extended: 0, ..*line };
            }
            let extended = line.extend(unit.timestamp);
            let ticks = line.at(extended);
            let arrival = Ticks::from_micros(i64::try_from(unit.received.since(line.received)).unwrap_or(0));
            let step = ticks.saturating_sub(line.ticks);
            if (-LEAP..=arrival.saturating_add(LEAP)).contains(&step) {
                if step <= 0 {
                    self.quirks.count(Quirk::EqualTimestamps);
                }
                let ticks = ticks.max(line.ticks.saturating_add(1));
                let (timestamp, received) = (unit.timestamp, unit.received);
                *line = Line { timestamp, extended, ticks, received, ..*line };
                return ticks;
            }
            self.quirks.count(Quirk::TimestampLeap);
            self.emit(None);
            self.leave();
        }
        self.start(unit, rate)
    }

    /// The first of a line: where its timestamp is at 90 kHz, or after what was before by as much as lies between the
    /// arrivals.
    fn start(&mut self, unit: &PlainUnit, rate: u32) -> i64 {
        let scaled = i64::from(unit.timestamp) * i64::from(TIMESCALE) / i64::from(rate);
        let ticks = match self.before.take() {
            Some((end, received)) => {
                self.epoch += 1;
                let arrival = i64::try_from(unit.received.since(received)).unwrap_or(0);
                end.saturating_add(Ticks::from_micros(arrival).max(1))
            }
            None => (1 << 32) + scaled,
        };
        let (timestamp, received) = (unit.timestamp, unit.received);
        self.line = Some(Line { rate, base: ticks, timestamp, extended: 0, ticks, received });
        ticks
    }

    /// Ends the group before a unit that starts one.
    fn cut_before(&mut self, unit: &PlainUnit, ticks: i64) {
        let Some(first) = self.pending.first() else { return };
        let span = ticks.saturating_sub(first.pts.0);
        let most = Ticks::from_micros(i64::try_from(self.limits.fragment_micros).unwrap_or(i64::MAX));
        let full = span >= most
            || self.pending.len() >= self.limits.fragment_samples
            || self.bytes.saturating_add(unit.data.len()) > self.limits.fragment_bytes;
        if span >= GROUP && unit.random_access || full || !first.unit.format.decodes_like(&unit.format) {
            self.emit(Some(ticks));
        }
    }

    /// What is pending becomes a group; what follows it starts at `next`.
    fn emit(&mut self, next: Option<i64>) {
        self.bytes = 0;
        let mut samples = core::mem::take(&mut self.pending);
        let mut following = next;
        for sample in samples.iter_mut().rev() {
            let ticks =
                following.and_then(|following| u32::try_from(following.saturating_sub(sample.pts.0)).ok());
            if let Some(ticks) = ticks {
                sample.duration = ticks.max(1);
            }
            following = Some(sample.pts.0);
        }
        if let (None, [.., before, last]) = (next, samples.as_mut_slice())
            && last.unit.duration.is_none()
        {
            // A picture of which nothing says how long it lasts: as long as the one before it.
            last.duration = before.duration;
        }
        if !samples.is_empty() {
            self.ready.push_back(PlainGroup { samples, epoch: self.epoch });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::sync::Arc;
    use bytes::Bytes;

    use super::*;
    use crate::codec::AudioCodec;
    use crate::depacket::{AudioFormat, AudioUnit, Loss};
    use crate::time::NtpTime;

    const NOW: UtcMicros = UtcMicros(1_795_000_000_000_000);

    fn format(rate: u32) -> Arc<AudioFormat> {
        Arc::new(AudioFormat {
            codec: AudioCodec::Aac,
            clock_rate: rate,
            sample_rate: rate,
            channels: 1,
            configuration: Bytes::new(),
        })
    }

    fn unit(format: &Arc<AudioFormat>, timestamp: u32, received: u64) -> AudioUnit {
        AudioUnit {
            format: Arc::clone(format),
            data: Bytes::from_static(&[1, 2, 3]),
            timestamp,
            duration: 1_024,
            received: Micros(received),
            loss: Loss::default(),
        }
    }

    fn all(timeline: &mut PlainTimeline) -> Vec<PlainGroup> {
        core::iter::from_fn(|| timeline.pull()).collect()
    }

    /// Hours of AAC at 44 100 Hz, past the wrap of the timestamp: no rounding adds up, and samples join.
    #[test]
    fn rounding_does_not_add_up_and_wraps_are_followed() {
        let (mut timeline, format) = (PlainTimeline::new(&Limits::default()), format(44_100));
        let start = u32::MAX - 44_100;
        let count = 44_100 * 3_600 / 1_024;
        for n in 0..count {
            let micros = u64::from(n) * 1_024_000_000 / 44_100;
            timeline.push(unit(&format, start.wrapping_add(n * 1_024), micros));
        }
        timeline.finish();
        let groups = all(&mut timeline);
        let samples: Vec<_> = groups.iter().flat_map(|g| &g.samples).collect();
        assert_eq!(samples.len(), count as usize);
        let first = samples[0].pts.0;
        for (n, pair) in samples.windows(2).enumerate() {
            assert_eq!(pair[0].pts.0 + i64::from(pair[0].duration), pair[1].pts.0);
            let exact = (n as i64 * 1_024 * 90_000) / 44_100;
            assert!((pair[0].pts.0 - first - exact).abs() <= 1, "{n}");
        }
        assert!(groups.iter().rev().skip(1).all(|g| (178_000..184_000).contains(&span(g))));
        assert!(groups.iter().all(|g| g.epoch == 0) && timeline.quirks() == &Quirks::default());
    }

    fn span(group: &PlainGroup) -> i64 {
        group.samples.iter().map(|s| i64::from(s.duration)).sum()
    }

    #[test]
    fn a_leap_is_a_new_epoch_that_goes_on_behind() {
        let (mut timeline, format) = (PlainTimeline::new(&Limits::default()), format(8_000));
        for (timestamp, received) in
            [(0, 0), (1_024, 128_000), (900_000_000, 256_000), (900_001_024, 384_000)]
        {
            timeline.push(unit(&format, timestamp, received));
        }
        timeline.discontinuity();
        timeline.push(unit(&format, 5, 500_000));
        timeline.finish();
        let groups = all(&mut timeline);
        assert_eq!(
            groups.iter().map(|g| (g.epoch, g.samples.len())).collect::<Vec<_>>(),
            [(0, 2), (1, 2), (2, 1)]
        );
        let times: Vec<_> = groups.iter().flat_map(|g| &g.samples).map(|s| s.pts.0).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        assert_eq!(times[2] - times[1], 11_520);
        assert_eq!(timeline.quirks().get(Quirk::TimestampLeap), 1);
    }

    #[test]
    fn a_report_dates_the_samples_and_a_set_clock_starts_an_epoch() {
        let (mut timeline, format) = (PlainTimeline::new(&Limits::default()), format(8_000));
        timeline.arrival(Micros(0), NOW);
        let report = |utc: UtcMicros, rtp_timestamp| crate::rtp::rtcp::SenderReport {
            ssrc: 1,
            ntp: NtpTime::from_utc(utc),
            rtp_timestamp,
            packet_count: 0,
            octet_count: 0,
        };
        timeline.sender_report(report(NOW, 0));
        timeline.push(unit(&format, 8_000, 1_900_000));
        timeline.sender_report(report(NOW.plus(60_000_000), 8_000));
        timeline.push(unit(&format, 9_024, 2_000_000));
        timeline.finish();
        let told: Vec<_> = all(&mut timeline)
            .iter()
            .map(|g| (g.epoch, g.samples[0].utc.utc, g.samples[0].utc.source))
            .collect();
        let source = UtcSource::SenderReport;
        assert_eq!(told, [(0, NOW.plus(1_000_000), source), (1, NOW.plus(60_128_000), source)]);
    }

    proptest::proptest! {
        #[test]
        fn times_rise_whatever_comes(
            units in proptest::collection::vec((proptest::num::u32::ANY, 0_u64..20_000_000, 1_u32..200_000), 1..60),
        ) {
            let mut timeline = PlainTimeline::new(&Limits::default());
            let mut fragmenter = crate::fragment::PlainFragmenter::new();
            let mut received = 0;
            for (timestamp, wait, rate) in &units {
                received += wait;
                timeline.push(unit(&format(*rate), *timestamp, received));
            }
            timeline.finish();
            let (mut last, mut count) = (i64::MIN, 0);
            while let Some(group) = timeline.pull() {
                for sample in &group.samples {
                    proptest::prop_assert!(sample.pts.0 > last);
                    (last, count) = (sample.pts.0, count + 1);
                }
                proptest::prop_assert!(fragmenter.push(group).is_ok());
            }
            proptest::prop_assert_eq!(count, units.len());
        }
    }
}
