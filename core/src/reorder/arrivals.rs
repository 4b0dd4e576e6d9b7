//! When packets came: interarrival jitter and the rest of what a receiver report says, RFC 3550 §6.4.1.

use crate::rtp::rtcp::{ReportBlock, SenderReport};
use crate::rtp::timestamp_distance;
use crate::time::Micros;

/// Seconds by which two transits may differ and still say something of the network; beyond, the sender's clock leapt.
const LEAP: u32 = 10;
/// Seconds by which the timestamp of a report may lie off where the stream's own clock stands.
const NEAR: u32 = 5;

/// Measures one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrivals {
    /// Ticks in a second.
    clock_rate: u32,
    /// Of the packet that came last.
    last: Option<(u32, Micros)>,
    /// RFC 3550 appendix A.8: the arrival less the timestamp, modulo 2^32.
    transit: u32,
    /// In 16ths of a tick.
    jitter: u32,
    /// The middle of the last sender report's NTP time, and its arrival.
    report: Option<(u32, Micros)>,
    /// The reports carry the packets' SSRC.
    own_reports: bool,
    /// Packets expected and received when the last block was written.
    prior: (u64, u64),
}

/// Packets of the source so far.
pub(super) struct Count {
    pub(super) ssrc: u32,
    /// The first number, and as many after it.
    pub(super) first: u16,
    pub(super) expected: u64,
    pub(super) received: u64,
}

impl Arrivals {
    pub(super) const fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            last: None,
            transit: 0,
            jitter: 0,
            report: None,
            own_reports: false,
            prior: (0, 0),
        }
    }

    pub(super) const fn clock_rate(&self) -> u32 {
        self.clock_rate
    }

    /// Another source, or another numbering, begins.
    pub(super) const fn restart(&mut self) {
        *self = Self::new(self.clock_rate);
    }

    /// Is this the timestamp of the packet before?
    #[inline]
    pub(super) fn is_last(&self, timestamp: u32) -> bool {
        matches!(self.last, Some((last, _)) if last == timestamp)
    }

    /// A packet came: RFC 3550 appendix A.8.
    #[inline(never)]
    pub(super) fn add(&mut self, timestamp: u32, received: Micros) {
        let transit = self.ticks(received).wrapping_sub(timestamp);
        if self.last.is_some() {
            let difference = timestamp_distance(self.transit, transit).unsigned_abs();
            // A timestamp hours off (Intelbras DVR) says nothing of the network.
            if difference <= self.clock_rate.saturating_mul(LEAP) {
                self.jitter = self.jitter.saturating_add(difference) - ((self.jitter + 8) >> 4);
            }
        }
        self.transit = transit;
        self.last = Some((timestamp, received));
    }

    /// A moment in ticks, modulo 2^32.
    fn ticks(&self, at: Micros) -> u32 {
        let rate = u64::from(self.clock_rate);
        let part = at.0 % 1_000_000 * rate / 1_000_000;
        (at.0 / 1_000_000).wrapping_mul(rate).wrapping_add(part) as u32
    }

    /// In ticks.
    pub(super) const fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// Its timestamp is where the stream's clock stands.
    pub(super) fn is_near(&self, report: &SenderReport, received: Micros) -> bool {
        let Some((timestamp, then)) = self.last else { return false };
        let elapsed = self.ticks(received).wrapping_sub(self.ticks(then));
        let distance = timestamp_distance(timestamp.wrapping_add(elapsed), report.rtp_timestamp);
        distance.unsigned_abs() <= self.clock_rate.saturating_mul(NEAR)
    }

    /// A report under another SSRC: may it be the stream's?
    pub(super) const fn wants_foreign(&self) -> bool {
        !self.own_reports
    }

    /// A sender report of the source came.
    pub(super) const fn report(&mut self, report: &SenderReport, received: Micros, own: bool) {
        self.report = Some(((report.ntp.0 >> 16) as u32, received));
        self.own_reports |= own;
    }

    /// RFC 3550 appendix A.3.
    pub(super) fn block(&mut self, count: &Count, now: Micros) -> ReportBlock {
        let (expected, received) =
            (count.expected.saturating_sub(self.prior.0), count.received.saturating_sub(self.prior.1));
        self.prior = (count.expected, count.received);
        let missing = expected.saturating_sub(received);
        let fraction_lost = (missing.saturating_mul(256)).checked_div(expected).unwrap_or(0).min(255) as u8;
        let highest = u64::from(count.first).saturating_add(count.expected).saturating_sub(1);
        let (last_report, delay) = match self.report {
            Some((middle, then)) => {
                (middle, u32::try_from(u128::from(now.since(then)) * 65_536 / 1_000_000).unwrap_or(u32::MAX))
            }
            None => (0, 0),
        };
        let lost = i128::from(count.expected) - i128::from(count.received);
        ReportBlock {
            ssrc: count.ssrc,
            fraction_lost,
            lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: highest as u32,
            jitter: self.jitter(),
            last_report,
            delay,
        }
    }
}
