//! RTP timestamps, 32 bits and wrapping, to one line of time.

use crate::time::{Micros, TIMESCALE, Ticks};

/// A difference that is more than this beyond what the times of arrival say is a leap.
const LEAP: i64 = 10 * TIMESCALE as i64;
/// Pictures of one timestamp after which the time of arrival is taken instead (Uniview, Foscam: all the same).
const STUCK: u32 = 3;

/// Extends timestamps by their signed 32-bit difference (RFC 3550 §5.1: they wrap, and B pictures step back).
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    last: Option<Point>,
    /// Pictures with the last one's timestamp, beside it.
    same: u32,
}

/// A picture on the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) timestamp: u32,
    pub(super) ticks: i64,
    pub(super) received: Micros,
}

impl Clock {
    /// The last picture on the line.
    pub(super) const fn last(&self) -> Option<Point> {
        self.last
    }

    /// Where a timestamp near the last picture's stands; `None` before the first picture.
    pub(super) fn place(&self, timestamp: u32) -> Option<i64> {
        self.last.map(|last| last.ticks.saturating_add(difference(timestamp, last.timestamp)))
    }

    /// Where the next picture in decoding order stands, and whether it had to be moved off the one before it. `None`
    /// where its timestamp leaps.
    pub(super) fn next(&mut self, timestamp: u32, received: Micros) -> Option<(i64, bool)> {
        let Some(last) = self.last else {
            // Positive whatever is subtracted from it later, and equal to the timestamp modulo 2^32.
            let ticks = (1 << 32) + i64::from(timestamp);
            self.set(Point { timestamp, ticks, received });
            return Some((ticks, false));
        };
        if !is_near((last.timestamp, last.received), (timestamp, received)) {
            return None;
        }
        let step = difference(timestamp, last.timestamp);
        let mut ticks = last.ticks.saturating_add(step);
        self.same = if step == 0 { self.same.saturating_add(1) } else { 0 };
        if step == 0 {
            let arrival = Ticks::from_micros(i64::try_from(received.since(last.received)).unwrap_or(0));
            ticks = ticks.saturating_add(if self.same >= STUCK { arrival.clamp(1, LEAP) } else { 1 });
        }
        self.last = Some(Point { timestamp, ticks, received });
        Some((ticks, step == 0))
    }

    /// The line goes on from here.
    pub(super) fn set(&mut self, point: Point) {
        *self = Self { last: Some(point), same: 0 };
    }

    /// The next picture starts a line.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Does the second of two pictures continue the first, or do their timestamps differ by so much more than their arrivals
/// that the clock must have been reset?
pub(super) fn is_near(first: (u32, Micros), second: (u32, Micros)) -> bool {
    let step = difference(second.0, first.0);
    let arrival = || Ticks::from_micros(i64::try_from(second.1.since(first.1)).unwrap_or(i64::MAX));
    step >= -LEAP && (step <= LEAP || step <= arrival().saturating_add(LEAP))
}

/// `a - b` as signed 32 bits.
const fn difference(a: u32, b: u32) -> i64 {
    a.wrapping_sub(b) as i32 as i64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wraps_and_steps_back_are_followed() {
        let mut clock = Clock::default();
        let first = (1_i64 << 32) + i64::from(u32::MAX);
        assert_eq!(clock.next(u32::MAX, Micros(0)), Some((first, false)));
        assert_eq!(clock.next(7_199, Micros(40_000)), Some((first + 7_200, false)));
        assert_eq!(clock.next(3_599, Micros(80_000)), Some((first + 3_600, false)));
        assert_eq!(clock.place(0), Some(first + 1));
    }

    #[test]
    fn a_leap_is_told_from_a_pause_by_the_arrival() {
        let mut clock = Clock::default();
        clock.next(0, Micros(0));
        assert_eq!(clock.next(60 * 90_000, Micros(40_000)), None);
        assert!(clock.next(60 * 90_000, Micros(60_000_000)).is_some());
    }

    #[test]
    fn a_clock_that_stands_still_is_replaced_by_the_arrival() {
        let mut clock = Clock::default();
        clock.next(5, Micros(0));
        let ticks: alloc::vec::Vec<i64> =
            (1..=5).map(|n| clock.next(5, Micros(n * 40_000)).unwrap().0 - (1 << 32) - 5).collect();
        assert_eq!(ticks, [1, 2, 3_602, 7_202, 10_802]);
    }
}
