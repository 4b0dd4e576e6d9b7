//! How long the room lasts: what cameras write in each hour of the week, and what becomes of a disk that they go on writing to.
//!
//! [`Rates`] are read from the indexes of one camera. [`Week`] is what several of them write together, at the median and at the
//! 95th percentile. [`outlook`] plays on from now, hour by hour: footage is written, and goes as it reaches its tenant's
//! maximum age.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::list::days;
use super::storage::read_whole;
use super::{Error, Kind, Source, Storage, index_path};
use crate::gix::{Day, Index, Span};
use crate::time::UtcMicros;

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;
/// Hours in a week.
const WEEK: usize = 168;
/// An hour of which less was recorded says nothing of its rate: ten minutes, microseconds.
const LEAST: i64 = 600_000_000;
/// Hours since a camera's last footage after which it is taken for one that is no longer recorded.
const GONE: i64 = 48;
/// No later moment is looked for, hours: ten years.
const FARTHEST: i64 = 10 * 366 * 24;

/// What one camera wrote in each hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    hours: BTreeMap<i64, Hour>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hour {
    bytes: u64,
    /// Microseconds of it that were recorded.
    covered: i64,
}

impl Rates {
    /// Reads the indexes of the days that `window` touches.
    ///
    /// # Errors
    /// [`Kind::Version`]; all that a disk can fail by. An index that is damaged counts as far as it passes.
    pub fn load(storage: &mut dyn Storage, source: &Source, window: Span) -> Result<Self, Error> {
        let mut rates = Self::default();
        for day in days(storage, source)? {
            if Span::new(day.start(), day.end()).and(window).is_empty() {
                continue;
            }
            let Some(bytes) = read_whole(storage, &index_path(source, day))? else { continue };
            rates.index(&bytes, day)?;
        }
        Ok(rates)
    }

    fn index(&mut self, bytes: &[u8], day: Day) -> Result<(), Error> {
        match Index::read(bytes, day) {
            Ok((index, _)) => index.entries().iter().for_each(|e| self.add(e.span(), e.mark.len.into())),
            Err(error) if error.kind == crate::gix::Kind::Version => return Err(Kind::Version.into()),
            Err(_) => {}
        }
        Ok(())
    }

    /// Counts `bytes` that cover `span`, spread evenly over it.
    pub fn add(&mut self, span: Span, bytes: u64) {
        let all = span.to.0.saturating_sub(span.from.0).max(1);
        // A fragment lasts some seconds; one that claims days is not spread further.
        let last = span.to.0.min(span.from.0.saturating_add(24 * HOUR));
        let (mut from, mut left) = (span.from.0, bytes);
        loop {
            let hour = from.div_euclid(HOUR);
            let to = last.min((hour + 1).saturating_mul(HOUR));
            let share = if to >= last { left } else { part(bytes, to - from, all).min(left) };
            let entry = self.hours.entry(hour).or_default();
            entry.bytes = entry.bytes.saturating_add(share);
            entry.covered = (entry.covered + (to - from).max(0)).min(HOUR);
            left -= share;
            if to >= last {
                return;
            }
            from = to;
        }
    }

    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.hours.values().map(|hour| hour.bytes).sum()
    }

    /// From the first hour of which there is footage to the end of the last; `None` where there is none.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let (first, _) = self.hours.first_key_value()?;
        let (last, _) = self.hours.last_key_value()?;
        Some(Span::new(UtcMicros(first.saturating_mul(HOUR)), UtcMicros((last + 1).saturating_mul(HOUR))))
    }

    /// Bytes that an hour would hold were it recorded whole; `None` where too little of it was recorded to tell.
    fn rate(&self, hour: i64) -> Option<u64> {
        let found = self.hours.get(&hour).filter(|found| found.covered >= LEAST)?;
        Some(part(found.bytes, HOUR, found.covered))
    }

    /// The median of all hours.
    fn usual(&self) -> Option<u64> {
        let rates = self.hours.keys().filter_map(|hour| self.rate(*hour)).collect();
        percentile(rates, 50)
    }
}

/// What cameras write together in each hour of the week, from Monday 00:00 UTC on: bytes an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Week {
    /// The median.
    pub p50: Vec<u64>,
    /// What 95 of 100 hours do not exceed.
    pub p95: Vec<u64>,
    /// Cameras that were being recorded at the end of the time looked at.
    pub cameras: usize,
}

impl Week {
    /// Of cameras, as of `now`. One that wrote nothing in the last two days is not counted; an hour of which a camera has too
    /// little is taken for its usual one. An hour of the week that was not seen yet is taken for the usual one of all.
    #[must_use]
    pub fn of(cameras: &[Rates], now: UtcMicros) -> Self {
        let this = now.0.div_euclid(HOUR);
        let last = |rates: &Rates| rates.hours.last_key_value().map_or(i64::MIN, |(hour, _)| *hour);
        let live: Vec<_> = cameras
            .iter()
            .filter(|rates| last(rates) >= this.saturating_sub(GONE))
            .filter_map(|rates| Some((rates, rates.usual()?)))
            .collect();
        let mut hours: Vec<i64> = live.iter().flat_map(|(rates, _)| rates.hours.keys().copied()).collect();
        hours.sort_unstable();
        hours.dedup();
        // The hour that is not over says as much as any, by what of it was recorded.
        let mut seen: Vec<Vec<u64>> = (0..WEEK).map(|_| Vec::new()).collect();
        let mut all = Vec::new();
        for hour in hours {
            if live.iter().all(|(rates, _)| rates.rate(hour).is_none()) {
                continue;
            }
            let sum = live.iter().map(|(rates, usual)| rates.rate(hour).unwrap_or(*usual)).sum();
            if let Some(seen) = seen.get_mut(of_week(hour)) {
                seen.push(sum);
            }
            all.push(sum);
        }
        let of = |rank: u64| -> Vec<u64> {
            let usual = percentile(all.clone(), rank).unwrap_or(0);
            seen.iter().map(|seen| percentile(seen.clone(), rank).unwrap_or(usual)).collect()
        };
        Self { p50: of(50), p95: of(95), cameras: live.len() }
    }
}

/// A tenant, as far as a disk is concerned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Share {
    /// Bytes that it has on the disk, by the hour that they were recorded in, hours since 1970.
    held: BTreeMap<i64, u64>,
    /// Bytes that it writes in each hour of the week.
    week: Vec<u64>,
    /// Microseconds after which footage goes; `None`: never.
    retention: Option<i64>,
}

impl Share {
    /// `week` is [`Week::p50`] or [`Week::p95`]; `cameras` say what is there, also those that are not recorded any more.
    #[must_use]
    pub fn new(cameras: &[Rates], week: &[u64], retention: Option<i64>) -> Self {
        let mut held: BTreeMap<i64, u64> = BTreeMap::new();
        for (hour, found) in cameras.iter().flat_map(|rates| &rates.hours) {
            *held.entry(*hour).or_default() += found.bytes;
        }
        Self { held, week: week.to_vec(), retention }
    }

    /// Bytes an hour at a moment.
    fn writes(&self, at: i64) -> i128 {
        i128::from(self.week.get(of_week(at.div_euclid(HOUR))).copied().unwrap_or(0))
    }

    /// Bytes an hour that go at a moment, as what was recorded `retention` before is over; `now`: what came before is there.
    fn loses(&self, at: i64, now: i64) -> i128 {
        let Some(retention) = self.retention else { return 0 };
        let recorded = at.saturating_sub(retention);
        if recorded >= now {
            return self.writes(recorded);
        }
        self.held.get(&recorded.div_euclid(HOUR)).copied().map_or(0, |bytes| {
            // Of the hour that is not over, all was written before now.
            let hour = recorded.div_euclid(HOUR);
            let long = if hour == now.div_euclid(HOUR) { (now - hour * HOUR).max(1) } else { HOUR };
            i128::from(bytes) * i128::from(HOUR) / i128::from(long)
        })
    }

    /// Bytes of which the time is over already.
    fn overdue(&self, now: i64) -> i128 {
        let Some(retention) = self.retention else { return 0 };
        let limit = now.saturating_sub(retention);
        let whole =
            self.held.range(..limit.div_euclid(HOUR)).map(|(_, bytes)| i128::from(*bytes)).sum::<i128>();
        let cut = self.held.get(&limit.div_euclid(HOUR)).copied().unwrap_or(0);
        whole + i128::from(part(cut, limit.rem_euclid(HOUR), HOUR))
    }
}

/// What becomes of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlook {
    /// Bytes an hour on average.
    pub rate: u64,
    /// When the room is used up; `None`: never, as footage goes in time (or not within ten years).
    pub full: Option<UtcMicros>,
    /// How much footage fits: microseconds that an empty disk of that size lasts, from the worst hour of the week on.
    /// `None`: nothing is written.
    pub fits: Option<i64>,
}

/// Plays on from `now`, where tenants share `room` bytes beyond what they have.
#[must_use]
pub fn outlook(shares: &[Share], room: u64, now: UtcMicros) -> Outlook {
    let week: Vec<u64> =
        (0..WEEK).map(|h| shares.iter().filter_map(|s| s.week.get(h)).copied().sum()).collect();
    let held: u64 = shares.iter().flat_map(|share| share.held.values()).copied().sum();
    Outlook {
        rate: week.iter().map(|rate| u128::from(*rate)).sum::<u128>().checked_div(WEEK as u128).unwrap_or(0)
            as u64,
        full: full(shares, room, now.0),
        fits: (0..WEEK).filter_map(|from| lasts(&week, held.saturating_add(room), from)).min(),
    }
}

/// Within an hour, and between the moments at which an hour's footage begins to go, as much is written as goes in each second: so
/// the moment is found exactly.
fn full(shares: &[Share], room: u64, now: i64) -> Option<UtcMicros> {
    let room = i128::from(room) + shares.iter().map(|share| share.overdue(now)).sum::<i128>();
    // In bytes times microseconds in an hour, so that nothing is rounded on the way.
    let mut left = room * i128::from(HOUR);
    let longest = shares.iter().map(|share| share.retention).max().flatten();
    let endless = shares.iter().any(|share| share.retention.is_none());
    // Behind the longest retention each week is like the one before.
    let last = longest
        .filter(|_| !endless)
        .map_or(FARTHEST, |r| (r / HOUR).saturating_add(3 * WEEK as i64))
        .min(FARTHEST);
    let end = now.saturating_add(last.saturating_mul(HOUR));
    let mut at = now;
    while at < end {
        let next = |phase: i64| at + HOUR - (at - phase).rem_euclid(HOUR);
        let phases =
            shares.iter().filter_map(|share| share.retention).flat_map(|r| [r, now.saturating_add(r)]);
        let until = phases.map(next).fold(next(0), i64::min).min(end);
        let net: i128 = shares.iter().map(|share| share.writes(at) - share.loses(at, now)).sum();
        let spent = net * i128::from(until - at);
        if net > 0 && left < spent {
            let after = i64::try_from(left.max(0) / net).unwrap_or(0);
            return Some(UtcMicros(at.saturating_add(after)));
        }
        left -= spent;
        at = until;
    }
    None
}

/// How long `room` lasts from an hour of the week on, microseconds.
fn lasts(week: &[u64], room: u64, from: usize) -> Option<i64> {
    let sum: u128 = week.iter().map(|rate| u128::from(*rate)).sum();
    if sum == 0 {
        return None;
    }
    let weeks = u128::from(room) / sum;
    let mut left = u128::from(room) % sum;
    let whole = i64::try_from(weeks).ok()?.checked_mul(WEEK as i64 * HOUR)?;
    let mut hours = 0;
    for rate in week.iter().cycle().skip(from).take(WEEK) {
        let rate = u128::from(*rate);
        if rate > left {
            let after = i64::try_from(left * HOUR as u128 / rate).ok()?;
            return whole.checked_add(hours * HOUR + after);
        }
        left -= rate;
        hours += 1;
    }
    whole.checked_add(hours * HOUR)
}

/// The hour of the week, from Monday 00:00 on, of an hour since 1970, which began on a Thursday.
fn of_week(hour: i64) -> usize {
    (hour + 3 * 24).rem_euclid(WEEK as i64) as usize
}

/// `of` times `a` over `b`.
fn part(of: u64, a: i64, b: i64) -> u64 {
    let share = u128::from(of) * a.max(0) as u128 / b.max(1) as u128;
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// The nearest rank; `None` of nothing.
fn percentile(mut values: Vec<u64>, rank: u64) -> Option<u64> {
    values.sort_unstable();
    let place = (values.len() as u64 * rank).div_ceil(100).max(1) - 1;
    values.get(place as usize).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    /// Monday 2026-11-23, 00:00 UTC.
    const MONDAY: i64 = 1_795_392_000_000_000;
    const DAY: i64 = 24 * HOUR;

    /// A camera that wrote `rate` bytes an hour, in fragments of 30 s, up to `now`.
    fn camera(rate: impl Fn(i64) -> u64, hours: i64, now: i64) -> Rates {
        let mut rates = Rates::default();
        for second in (-hours * 3_600..0).step_by(30) {
            let from = UtcMicros(now + second * 1_000_000);
            rates.add(Span::new(from, from.plus(30_000_000)), rate(from.0) / 120);
        }
        rates
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// A constant rate: the answer is a division.
        #[test]
        fn a_constant_rate_is_forecast_exactly(
            rate in 1_u64..2_000_000, cameras in 1_u64..3, days in 1_i64..9, minute in 0_i64..60, room in 0_u64..100, keep in 1_i64..40,
        ) {
            let rate = rate * 1_800;
            let now = MONDAY + 40 * DAY + minute * 60_000_000;
            let one = camera(|_| rate, days * 24, now);
            let all: Vec<_> = (0..cameras).map(|_| one.clone()).collect();
            prop_assert_eq!(one.bytes(), rate * 24 * days as u64);
            let week = Week::of(&all, UtcMicros(now));
            prop_assert_eq!(week.cameras as u64, cameras);
            prop_assert!(week.p50.iter().chain(&week.p95).all(|r| *r == rate * cameras));

            // Room for so many days of all cameras, and a bit.
            let total = rate * cameras;
            let free = total * 24 * room + total / 7;
            let told = outlook(&[Share::new(&all, &week.p50, None)], free, UtcMicros(now));
            let exact = |bytes: u64| (i128::from(bytes) * i128::from(HOUR) / i128::from(total)) as i64;
            prop_assert!((told.full.unwrap().0 - now - exact(free)).abs() <= 1_000, "{:?}", told);
            prop_assert_eq!(told.rate, total);
            prop_assert!((told.fits.unwrap() - exact(free) - days * DAY).abs() <= 1);

            // With a retention it is full when that does not fit, at the same moment; else never.
            let kept = outlook(&[Share::new(&all, &week.p50, Some(keep * DAY))], free, UtcMicros(now));
            // What is older than that goes first.
            let overdue = (days - keep).max(0) * DAY;
            if days.min(keep) * DAY + exact(free) + overdue < keep * DAY {
                prop_assert!((kept.full.unwrap().0 - now - exact(free)).abs() <= 1_000, "{:?}", kept);
            } else {
                prop_assert_eq!(kept.full, None);
            }
        }
    }

    #[test]
    fn hours_of_the_week_are_told_apart() {
        // Twice as much by day on Mondays; one hour in which the camera was down for half of the time.
        let busy = |at: i64| {
            let hour = at.div_euclid(HOUR);
            let monday_by_day = of_week(hour) < 24 && (8..18).contains(&of_week(hour));
            if monday_by_day { 7_200_000 } else { 3_600_000 }
        };
        let now = MONDAY + 28 * DAY;
        let mut rates = camera(busy, 28 * 24, now);
        let broken = (MONDAY + 7 * DAY) / HOUR + 9;
        let hour = rates.hours.get_mut(&broken).unwrap();
        (hour.bytes, hour.covered) = (hour.bytes / 2, hour.covered / 2);
        // And one of which there are two minutes only, of a rate that is nobody's.
        let hour = rates.hours.get_mut(&(broken + 1)).unwrap();
        (hour.bytes, hour.covered) = (1, 120_000_000);
        let week = Week::of(&[rates], UtcMicros(now));
        for (hour, rate) in week.p50.iter().enumerate() {
            assert_eq!(*rate, if (8..18).contains(&hour) { 7_200_000 } else { 3_600_000 }, "{hour}");
        }
        assert_eq!(week.p50.len(), 168);
    }

    #[test]
    fn cameras_that_are_gone_write_no_more_but_their_footage_goes_in_time() {
        let now = MONDAY + 30 * DAY;
        let rate = 3_600_000;
        let live = camera(|_| rate, 5 * 24, now);
        let gone = camera(|_| rate, 5 * 24, now - 3 * DAY);
        let all = [live, gone];
        let week = Week::of(&all, UtcMicros(now));
        assert_eq!((week.cameras, week.p50[5]), (1, rate));
        // Kept for ten days: five more are written before anything of the one goes, but of the other from two days on.
        let share = || [Share::new(&all, &week.p50, Some(10 * DAY))];
        let full = |days: u64| outlook(&share(), rate * 24 * days, UtcMicros(now)).full;
        assert_eq!(full(2), None, "from then on as much goes as comes");
        assert_eq!(full(1), Some(UtcMicros(now + DAY)));
    }

    #[test]
    fn of_nothing_nothing_is_forecast() {
        let week = Week::of(&[], UtcMicros(MONDAY));
        assert_eq!(week.cameras, 0);
        let told = outlook(&[Share::new(&[], &week.p95, None)], 5, UtcMicros(MONDAY));
        assert_eq!((told.rate, told.full, told.fits), (0, None, None));
        assert_eq!(outlook(&[], 0, UtcMicros(MONDAY)).full, None);
    }

    #[test]
    fn the_nearest_rank() {
        assert_eq!(percentile((1..=20).collect(), 95), Some(19));
        assert_eq!(percentile((1..=20).collect(), 50), Some(10));
        assert_eq!(percentile([7].into(), 95), Some(7));
        assert_eq!(percentile([].into(), 50), None);
    }
}
