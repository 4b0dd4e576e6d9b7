//! How well a camera does: the numbers that tell an operator whether a stream is what it claims to be.

use crate::depacket::{AccessUnit, PictureUnit};
use crate::rtp::rtcp::SenderReport;
use crate::rtp::timestamp_distance;
use crate::sdp::Presentation;
use crate::time::{Micros, TIMESCALE, UtcMicros};

/// Rates are taken over the last one to two of these.
const WINDOW: u64 = 5_000_000;

/// A rate over less time says nothing.
const SHORTEST: u64 = 1_000_000;

/// Of the reports within this time, the one that came with the least delay tells the clock.
const CLOCK_WINDOW: u64 = 60_000_000;

/// A camera's clock that moves by more between two reports was set.
const STEP: u64 = 1_000_000;

/// How a source does, on its present connection. Times in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// RTP packets received.
    pub packets: u64,
    /// RTP packets that are missing.
    pub lost: u64,
    /// Interarrival jitter, RFC 3550 §6.4.1.
    pub jitter: Option<u32>,
    /// Pictures a second as the camera declares them: in the session description, else in the parameter sets.
    pub declared_rate: Option<f64>,
    /// As its RTP timestamps say.
    pub stamped_rate: Option<f64>,
    /// As they come. Some cameras stamp 25 a second and send 21 (open-nvr issue 229).
    pub delivered_rate: Option<f64>,
    /// The last whole GOP.
    pub gop: Option<Gop>,
    /// The one with the most pictures; smart codecs stretch them to minutes.
    pub longest_gop: Option<Gop>,
    /// The camera's clock less ours, from its sender reports. Behind by as long as a report takes to come.
    pub clock_offset: Option<i64>,
    /// How much its clock gains on ours, parts per million.
    pub clock_drift: Option<f64>,
    /// From a keep-alive to its answer, the last time.
    pub keep_alive: Option<u64>,
    /// When the last picture came.
    pub last_picture: Option<Micros>,
}

/// From one random access point to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gop {
    /// Its pictures.
    pub pictures: u32,
    /// Its length in ticks of 90 kHz.
    pub ticks: u32,
}

impl Gop {
    /// Its length.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        f64::from(self.ticks) / f64::from(TIMESCALE)
    }
}

impl Health {
    /// The share of packets that are missing, 0 to 1.
    #[must_use]
    pub fn loss(&self) -> Option<f64> {
        let all = self.packets.saturating_add(self.lost);
        (all > 0).then(|| self.lost as f64 / all as f64)
    }

    /// Does the camera send fewer pictures than it stamps, by more than a tenth?
    #[must_use]
    pub fn short_of_pictures(&self) -> bool {
        matches!((self.stamped_rate, self.delivered_rate), (Some(said), Some(came)) if came < said * 0.9)
    }
}

/// Takes what the stream shows; some additions for each picture, nothing for a packet.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    declared: Option<f64>,
    declared_in_sets: Option<f64>,
    /// RTP timestamps, extended: of the last picture, and the latest.
    stamp: Option<(u32, i64)>,
    latest: i64,
    last: Option<Micros>,
    window: Option<Window>,
    before: Option<Window>,
    /// Timestamp and pictures since the last random access point.
    open_gop: Option<(i64, u32)>,
    gop: Option<Gop>,
    longest: Option<Gop>,
    clock: Clock,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    start: Micros,
    stamp: i64,
    pictures: u64,
}

/// What sender reports say: the camera's UTC less our monotonic clock, the greatest of a window being the one that came
/// with the least delay.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    last: Option<i64>,
    first: Option<(Micros, i64)>,
    whole: Option<(Micros, i64)>,
    window: Option<(Micros, Micros, i64)>,
}

impl Meter {
    /// What the camera declares.
    pub(super) fn described(&mut self, presentation: &Presentation) {
        let media = presentation.video().or_else(|| presentation.picture()).map(|(_, media)| media);
        // What reads any float is a large part of the module that a browser loads, and nobody asks there.
        let media = media.filter(|_| cfg!(feature = "full"));
        self.declared = media.and_then(|media| media.frame_rate.as_ref()?.parse().ok());
    }

    /// Another stream begins: what it was says nothing of what it is.
    pub(super) fn restart(&mut self) {
        (self.stamp, self.window, self.before, self.open_gop) = (None, None, None, None);
    }

    /// A picture came, in decoding order.
    pub(super) fn picture(&mut self, unit: &AccessUnit) {
        let key = unit.random_access.is_some();
        if key {
            let rate = unit.parameters.as_ref().and_then(|sets| sets.format()?.frame_rate);
            self.declared_in_sets = rate.map(|(n, d)| f64::from(n) / f64::from(d.max(1)));
        }
        self.came(unit.timestamp, unit.received, key);
    }

    /// A picture without NAL units came.
    pub(super) fn plain_picture(&mut self, unit: &PictureUnit) {
        self.came(unit.timestamp, unit.received, unit.random_access);
    }

    fn came(&mut self, timestamp: u32, received: Micros, key: bool) {
        let stamp = match self.stamp {
            Some((last, stamp)) => stamp.saturating_add(i64::from(timestamp_distance(last, timestamp))),
            None => 0,
        };
        let first = self.stamp.is_none();
        self.stamp = Some((timestamp, stamp));
        self.latest = if first { stamp } else { self.latest.max(stamp) };
        self.last = Some(received);
        if key {
            if let Some((start, pictures)) = self.open_gop {
                let ticks = u32::try_from(stamp.saturating_sub(start)).unwrap_or(0);
                let gop = Gop { pictures, ticks };
                self.gop = Some(gop);
                self.longest = self.longest.filter(|longest| longest.pictures >= pictures).or(Some(gop));
            }
            self.open_gop = Some((stamp, 0));
        }
        if let Some((_, pictures)) = &mut self.open_gop {
            *pictures = pictures.saturating_add(1);
        }
        self.count(received);
    }

    fn count(&mut self, received: Micros) {
        let fresh = Window { start: received, stamp: self.latest, pictures: 0 };
        let window = match &mut self.window {
            Some(window) => {
                window.pictures += 1;
                *window
            }
            none => return *none = Some(fresh),
        };
        if received.since(window.start) >= WINDOW {
            self.before = Some(window);
            self.window = Some(fresh);
        }
    }

    /// The camera said what its clock shows.
    pub(super) fn report(&mut self, report: &SenderReport, received: Micros) {
        if report.ntp.0 != 0 {
            let ours = i64::try_from(received.0).unwrap_or(i64::MAX);
            self.clock.report(report.ntp.to_utc().0.saturating_sub(ours), received);
        }
    }

    /// As it stands; the counters of packets are the caller's.
    pub(super) fn health(&self, now: Micros, utc: UtcMicros) -> Health {
        let (delivered_rate, stamped_rate) = self.rates(now).unwrap_or_default();
        let ours = utc.0.saturating_sub(i64::try_from(now.0).unwrap_or(i64::MAX));
        Health {
            declared_rate: self.declared.or(self.declared_in_sets),
            stamped_rate,
            delivered_rate,
            gop: self.gop,
            longest_gop: self.longest,
            clock_offset: self.clock.offset().map(|theirs| theirs.saturating_sub(ours)),
            clock_drift: self.clock.drift(),
            last_picture: self.last,
            ..Health::default()
        }
    }

    /// Delivered, and stamped.
    fn rates(&self, now: Micros) -> Option<(Option<f64>, Option<f64>)> {
        let (window, last) = (self.window?, self.last?);
        let from = self.before.unwrap_or(window);
        let pictures = window.pictures + self.before.map_or(0, |before| before.pictures);
        // Between two pictures the last one counts; when they stay away, the silence does.
        let until = if now.since(last) < SHORTEST { last } else { now };
        let span = until.since(from.start);
        let ticks = self.latest.saturating_sub(from.stamp);
        let delivered = (span >= SHORTEST).then(|| pictures as f64 * 1e6 / span as f64);
        let stamped =
            (span >= SHORTEST && ticks > 0).then(|| pictures as f64 * f64::from(TIMESCALE) / ticks as f64);
        Some((delivered, stamped))
    }
}

impl Clock {
    fn report(&mut self, theirs: i64, received: Micros) {
        if self.last.is_some_and(|last| last.abs_diff(theirs) > STEP) {
            *self = Self::default();
        }
        self.last = Some(theirs);
        match &mut self.window {
            Some((start, at, best)) if received.since(*start) < CLOCK_WINDOW => {
                if theirs > *best {
                    (*at, *best) = (received, theirs);
                }
            }
            window => {
                if let Some((_, at, best)) = window.replace((received, received, theirs)) {
                    self.first.get_or_insert((at, best));
                    self.whole = Some((at, best));
                }
            }
        }
    }

    fn offset(&self) -> Option<i64> {
        self.window.map(|(_, _, best)| best)
    }

    /// Between the first window and the last whole one.
    fn drift(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (self.first?, self.whole?);
        let span = to.since(from);
        (span >= CLOCK_WINDOW).then(|| after.saturating_sub(before) as f64 * 1e6 / span as f64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;
    use crate::codec::Codec;
    use crate::depacket::{Loss, RandomAccess};
    use crate::time::NtpTime;
    use bytes::Bytes;

    const SECOND: u64 = 1_000_000;

    fn unit(n: u64, every: u64, ticks: u64, gop: u64) -> AccessUnit {
        AccessUnit {
            codec: Codec::H264,
            data: Bytes::new(),
            timestamp: 0xffff_0000_u32.wrapping_add((n * ticks) as u32),
            received: Micros(n * every),
            random_access: n.is_multiple_of(gop).then_some(RandomAccess::Idr),
            reference: true,
            skipped_leading: false,
            order: None,
            parameters: None,
            loss: Loss::default(),
        }
    }

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < expected.abs() / 100.0)
    }

    #[test]
    fn a_camera_that_stamps_25_and_sends_21_is_found_out() {
        let mut meter = Meter::default();
        let every = SECOND / 21;
        for n in 0..21 * 20 {
            meter.picture(&unit(n, every, 3_600, 50));
        }
        let now = Micros(21 * 20 * every);
        let health = meter.health(now, UtcMicros(0));
        assert!(near(health.delivered_rate, 21.0) && near(health.stamped_rate, 25.0), "{health:?}");
        assert!(health.short_of_pictures());
        assert_eq!(health.gop, Some(Gop { pictures: 50, ticks: 50 * 3_600 }));
        assert_eq!(health.gop.map(|gop| gop.seconds()), Some(2.0));
        assert_eq!(health.last_picture, Some(Micros((21 * 20 - 1) * every)));
        // It falls silent.
        let later = meter.health(now.plus(20 * SECOND), UtcMicros(0));
        assert!(later.delivered_rate.unwrap() < 10.0, "{later:?}");
    }

    #[test]
    fn the_longest_gop_is_remembered() {
        let mut meter = Meter::default();
        for (n, gop) in (0..700).map(|n| (n, if n < 500 { 500 } else { 25 })) {
            meter.picture(&unit(n, 40_000, 3_600, gop));
        }
        let health = meter.health(Micros(700 * 40_000), UtcMicros(0));
        assert_eq!((health.gop.unwrap().pictures, health.longest_gop.unwrap().pictures), (25, 500));
        assert!(!health.short_of_pictures());
        meter.restart();
        assert_eq!(meter.health(Micros(700 * 40_000), UtcMicros(0)).delivered_rate, None);
    }

    fn report(utc: UtcMicros) -> SenderReport {
        let ntp = NtpTime::from_utc(utc);
        SenderReport { ssrc: 1, ntp, rtp_timestamp: 0, packet_count: 0, octet_count: 0 }
    }

    #[test]
    fn a_clock_that_is_ahead_and_fast_is_measured_through_the_jitter() {
        let (mut meter, zero) = (Meter::default(), 1_700_000_000_000_000_i64);
        for second in (0..3_600).step_by(5) {
            // 3 s ahead, 20 ppm fast, up to 33 ms on the way.
            let theirs = zero + second * 1_000_020 + 3_000_000;
            let delay = (second as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 49;
            meter.report(&report(UtcMicros(theirs)), Micros(second as u64 * SECOND + delay));
        }
        let now = Micros(3_600 * SECOND);
        let health = meter.health(now, UtcMicros(zero + 3_600_000_000));
        let offset = health.clock_offset.unwrap();
        assert!((3_030_000..=3_075_000).contains(&offset), "{offset}");
        assert!((health.clock_drift.unwrap() - 20.0).abs() < 3.0, "{health:?}");
        // It is set: nothing is known of its drift any more.
        meter.report(&report(UtcMicros(zero + 3_600_000_000)), now);
        let health = meter.health(now, UtcMicros(zero + 3_600_000_000));
        assert_eq!((health.clock_offset, health.clock_drift), (Some(0), None));
    }

    #[test]
    fn nothing_seen_is_nothing_said() {
        let health = Meter::default().health(Micros(5), UtcMicros(0));
        assert_eq!((health, health.loss()), (Health::default(), None));
        let lossy = Health { packets: 3, lost: 1, ..health };
        assert_eq!(lossy.loss(), Some(0.25));
    }
}
