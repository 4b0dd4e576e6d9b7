//! `tfra`: random access points of one track, ISO/IEC 14496-12 §8.8.10.

use alloc::vec::Vec;
use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

/// Random access points of one track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tfra {
    /// The track.
    pub track: u32,
    /// In the order of time.
    pub entries: Vec<Entry>,
}

/// One random access point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its presentation time, ticks of the track.
    pub time: u64,
    /// Byte of the file that its `moof` starts at.
    pub moof: u64,
    /// Which `traf` of the `moof`, counted from 1.
    pub traf: u32,
    /// Which `trun` of the `traf`, counted from 1.
    pub trun: u32,
    /// Which sample of the `trun`, counted from 1.
    pub sample: u32,
}

impl Entry {
    /// The first sample of the fragment whose `moof` starts at byte `moof`.
    #[must_use]
    pub const fn first_sample(time: u64, moof: u64) -> Self {
        Self { time, moof, traf: 1, trun: 1, sample: 1 }
    }
}

impl Boxed for Tfra {
    const KIND: FourCc = FourCc(*b"tfra");

    fn write_body(&self, out: &mut BytesMut) {
        // One byte per number where that suffices, as in all that we write.
        let wide = self.entries.iter().any(|e| e.traf.max(e.trun).max(e.sample) > 0xff);
        put_full(out, 1, 0);
        out.put_u32(self.track);
        out.put_u32(if wide { 0b11_11_11 } else { 0 });
        out.put_u32(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        for e in &self.entries {
            out.put_u64(e.time);
            out.put_u64(e.moof);
            for n in [e.traf, e.trun, e.sample] {
                if wide { out.put_u32(n) } else { out.put_u8(n as u8) }
            }
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (version, _) = body.full(1)?;
        let (track, widths, count) = (body.u32()?, body.u32()?, body.u32()?);
        let widths = [widths >> 4 & 3, widths >> 2 & 3, widths & 3].map(|w| w as usize + 1);
        let size = if version == 0 { 8 } else { 16 } + widths.iter().sum::<usize>();
        let entries = body.table(count, size, |body| {
            let (time, moof) = (body.sized(version)?, body.sized(version)?);
            let mut numbers = [0_u32; 3];
            for (number, width) in numbers.iter_mut().zip(widths) {
                *number = body.take(width)?.iter().fold(0, |n, b| n << 8 | u32::from(*b));
            }
            let [traf, trun, sample] = numbers;
            Ok(Entry { time, moof, traf, trun, sample })
        })?;
        Ok(Self { track, entries })
    }
}
