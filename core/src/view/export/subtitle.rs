//! The time of day as a track of subtitles.

use alloc::vec::Vec;

use super::movie::Presented;
use crate::bmff::moov::trak::Trak;
use crate::bmff::moov::trak::mdia::Mdia;
use crate::bmff::moov::trak::mdia::mdhd::Mdhd;
use crate::bmff::moov::trak::mdia::minf::Minf;
use crate::bmff::moov::trak::mdia::minf::stbl::Stbl;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{Stsd, tx3g};
use crate::bmff::moov::trak::mdia::minf::stbl::stsz::Stsz;
use crate::bmff::moov::trak::tkhd::Tkhd;
use crate::time::{TIMESCALE, UtcMicros};

/// A line for each second of UTC, shown with exactly the pictures that were taken in it.
#[derive(Debug)]
pub(super) struct Subtitle {
    /// The samples, one behind the other.
    pub(super) bytes: Vec<u8>,
    sizes: Vec<u32>,
    durations: Vec<u32>,
}

impl Subtitle {
    /// Of the pictures shown, in the order of presentation; `None` where there is none.
    pub(super) fn of(shown: &[Presented]) -> Option<Self> {
        let second = |picture: &Presented| picture.utc.0.div_euclid(1_000_000);
        let mut out = Self { bytes: Vec::new(), sizes: Vec::new(), durations: Vec::new() };
        for run in shown.chunk_by(|a, b| second(a) == second(b)) {
            let start = out.bytes.len();
            tx3g::sample(&line(run.first()?.utc), &mut out.bytes);
            out.sizes.push((out.bytes.len() - start) as u32);
            let long: u64 = run.iter().map(|picture| picture.long).sum();
            out.durations.push(u32::try_from(long).unwrap_or(u32::MAX));
        }
        (!out.sizes.is_empty()).then_some(out)
    }

    /// The track, whose samples start at byte `base` of the file, over the pictures of `video`.
    pub(super) fn track(&self, number: u32, video: &Tkhd, base: u64) -> Trak {
        let long = self.durations.iter().map(|d| u64::from(*d)).sum();
        let pixels = |n: u32| (n >> 16) as u16;
        let entry = tx3g::entry(pixels(video.width), pixels(video.height));
        let mut tables = Stbl::fragmented(Stsd { entries: [entry].into() });
        for duration in &self.durations {
            tables.times.push(*duration);
        }
        tables.chunks.push(1, self.sizes.len() as u32, 1);
        tables.sizes = Stsz::Each(self.sizes.clone());
        tables.offsets.offsets.push(base);
        let header = Tkhd { track: number, duration: long, volume: 0, ..*video };
        Trak::new(header, Mdia::subtitle(Mdhd::new(TIMESCALE, long), Minf::text(tables)))
    }
}

/// `2026-11-22 05:14:00 UTC`.
fn line(utc: UtcMicros) -> alloc::string::String {
    let c = utc.civil();
    alloc::format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC",
        c.year,
        c.month,
        c.day,
        c.hour,
        c.minute,
        c.second
    )
}
