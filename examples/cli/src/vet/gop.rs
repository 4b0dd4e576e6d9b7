//! What a stream is made of: groups of pictures, rate, bit rate.

use serde_json::{Value, json};
use vigie::rtp::timestamp_distance;

use super::finding::{Findings, Place};
use super::rule::Rule;

/// Groups that are kept for the report; of longer streams the last.
const KEPT: usize = 1_024;
/// Points of a curve: when they are used up, two become one.
const POINTS: usize = 512;
/// Ticks between key pictures that are too many: 12 s.
const RARE: i64 = 12 * 90_000;
/// Ticks of the window that the bit rate is held against: 5 s.
const WINDOW: i64 = 5 * 90_000;
/// A step longer than that is a leap, not a picture rate.
const STEP: i64 = 10 * 90_000;

/// One group: a picture that playing can start at, and those until the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gop {
    /// Ticks from the first picture of the stream.
    pub(super) start: i64,
    pub(super) pictures: u32,
    pub(super) bytes: u64,
    /// Of its first picture.
    pub(super) key_bytes: u64,
}

/// Pictures as they come.
#[derive(Debug, Default)]
pub(super) struct Gops {
    pictures: u64,
    bytes: u64,
    keys: u64,
    b_pictures: u64,
    longest: u32,
    shortest: Option<u32>,
    pub(super) kept: std::collections::VecDeque<Gop>,
    current: Gop,
    last: Option<(u32, i64)>,
    first: i64,
    highest: i64,
    last_key: Option<i64>,
    told: bool,
    step: Option<i64>,
    /// Of the window: where it began, and its bits.
    window: (i64, u64),
    heaviest: Option<(u64, u64)>,
    /// Bits in equal spans of ticks.
    pub(super) curve: Vec<u64>,
    pub(super) span: i64,
}

impl Gops {
    pub(super) const fn pictures(&self) -> u64 {
        self.pictures
    }

    /// Ticks from the picture before to the last one.
    pub(super) const fn step(&self) -> Option<i64> {
        self.step
    }

    /// A picture begins. `entry`: playing can start at it.
    pub(super) fn begin(&mut self, timestamp: Option<u32>, entry: bool, place: Place, f: &mut Findings) {
        let ticks = self.extend(timestamp);
        if entry {
            self.keys += 1;
            (self.last_key, self.told) = (Some(ticks), false);
            self.end_group(ticks);
        } else if timestamp.is_some() && !self.told && self.last_key.is_some_and(|key| ticks - key > RARE) {
            f.add(Rule::KeyRare, place, || "12 s after the last".to_owned());
            self.told = true;
        }
        self.pictures += 1;
    }

    fn end_group(&mut self, ticks: i64) {
        let ended = std::mem::replace(&mut self.current, Gop { start: ticks, ..Gop::default() });
        if ended.pictures > 0 {
            self.longest = self.longest.max(ended.pictures);
            self.shortest = Some(self.shortest.map_or(ended.pictures, |least| least.min(ended.pictures)));
            self.kept.push_back(ended);
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }

    fn extend(&mut self, timestamp: Option<u32>) -> i64 {
        let Some(timestamp) = timestamp else { return 0 };
        let Some((last, ticks)) = self.last else {
            self.last = Some((timestamp, 0));
            return 0;
        };
        let step = i64::from(timestamp_distance(last, timestamp));
        // Of a leap nothing is counted.
        let step = if step.abs() > STEP { 0 } else { step };
        self.step = Some(step);
        let now = ticks + step;
        self.last = Some((timestamp, now));
        self.highest = self.highest.max(now);
        now
    }

    /// The picture is whole.
    pub(super) fn end(&mut self, bytes: u64, b: bool) {
        self.bytes += bytes;
        self.b_pictures += u64::from(b);
        if self.current.pictures == 0 {
            self.current.key_bytes = bytes;
        }
        self.current.pictures += 1;
        self.current.bytes += bytes;
        let Some((_, now)) = self.last else { return };
        self.add(now, bytes * 8);
    }

    fn add(&mut self, now: i64, bits: u64) {
        let (start, sum) = &mut self.window;
        if now - *start >= WINDOW {
            let micros = u64::try_from((now - *start) * 100 / 9).unwrap_or(1).max(1);
            let heavier = |(most, over): (u64, u64)| {
                u128::from(*sum) * u128::from(over) > u128::from(most) * u128::from(micros)
            };
            if self.heaviest.is_none_or(heavier) {
                self.heaviest = Some((*sum, micros));
            }
            (*start, *sum) = (now, 0);
        }
        *sum += bits;
        if self.span == 0 {
            self.span = 90_000;
        }
        while now / self.span >= POINTS as i64 {
            self.curve = self.curve.chunks(2).map(|pair| pair.iter().sum()).collect();
            self.span *= 2;
        }
        let at = usize::try_from(now / self.span).unwrap_or(0);
        if self.curve.len() <= at {
            self.curve.resize(at + 1, 0);
        }
        if let Some(point) = self.curve.get_mut(at) {
            *point += bits;
        }
    }

    /// Bits and microseconds of the heaviest window.
    pub(super) const fn heaviest(&self) -> Option<(u64, u64)> {
        self.heaviest
    }

    /// Ticks from the first picture to the last.
    pub(super) const fn ticks(&self) -> i64 {
        self.highest - self.first
    }

    /// Pictures a second, by timestamps.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.ticks() > 45_000 && self.pictures > 2)
            .then(|| (self.pictures - 1) as f64 * 90_000.0 / self.ticks() as f64)
    }

    /// Bits a second.
    pub(super) fn bit_rate(&self) -> Option<f64> {
        self.rate().map(|rate| self.bytes as f64 * 8.0 * rate / self.pictures as f64)
    }

    pub(super) fn json(&self) -> Value {
        let whole = self.kept.iter();
        let lengths: Vec<u32> = whole.clone().map(|gop| gop.pictures).collect();
        json!({
            "pictures": self.pictures, "random_access_points": self.keys, "b_pictures": self.b_pictures, "bytes": self.bytes,
            "pictures_per_second": self.rate(), "bits_per_second": self.bit_rate(),
            "gop_shortest": self.shortest, "gop_longest": (self.longest > 0).then_some(self.longest),
            "gops": lengths,
            "gop_bytes": whole.clone().map(|gop| gop.bytes).collect::<Vec<_>>(),
            "key_bytes": whole.map(|gop| gop.key_bytes).collect::<Vec<_>>(),
        })
    }

    /// `50 pictures (48 to 50)`, of the groups that are whole.
    pub(super) fn lengths(&self) -> Option<String> {
        let shortest = self.shortest?;
        Some(if shortest == self.longest {
            format!("{shortest} pictures")
        } else {
            format!("{shortest} to {} pictures", self.longest)
        })
    }

    pub(super) const fn keys(&self) -> u64 {
        self.keys
    }

    pub(super) const fn b_pictures(&self) -> u64 {
        self.b_pictures
    }
}
