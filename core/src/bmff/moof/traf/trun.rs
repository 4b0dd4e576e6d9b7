//! `trun`: a run of samples, ISO/IEC 14496-12 §8.8.8.

use bytes::BytesMut;

use crate::bmff::moof::RunSample;
use crate::bmff::{Body, BoxRef, Error, FourCc, Kind, put_full, write_box};
use crate::fault::Offset;
use crate::octets::{Reader, Write as _};

/// `trun`.
pub const KIND: FourCc = FourCc(*b"trun");

/// Sample flags (§8.8.3.1): depends on others, not a sync sample.
pub const NOT_SYNC: u32 = 0x0101_0000;
/// Sample flags: depends on no other, a sync sample.
pub const SYNC: u32 = 0x0200_0000;
/// The bit of the sample flags that says "not a sync sample".
pub const IS_NOT_SYNC: u32 = 0x0001_0000;

/// A run without a table can claim any number of samples of the default size and duration; more than this is refused.
const MOST_WITHOUT_TABLE: u32 = 1 << 20;

const DATA_OFFSET: u32 = 0x01;
const FIRST_FLAGS: u32 = 0x04;
const DURATION: u32 = 0x100;
const SIZE: u32 = 0x200;
const FLAGS: u32 = 0x400;
const COMPOSITION: u32 = 0x800;

/// Appends a run; gives where in `out` its data_offset stands. `tfhd` says [`NOT_SYNC`], and the duration unless
/// `durations`.
pub(super) fn write(
    out: &mut BytesMut,
    durations: bool,
    samples: impl Iterator<Item = RunSample> + Clone,
) -> usize {
    let mut flags = DATA_OFFSET | SIZE;
    if durations {
        flags |= DURATION;
    }
    if samples.clone().any(|s| s.composition != 0) {
        flags |= COMPOSITION;
    }
    if samples.clone().skip(1).any(|s| s.sync) {
        flags |= FLAGS;
    } else if samples.clone().next().is_some_and(|s| s.sync) {
        flags |= FIRST_FLAGS;
    }
    let mut offset_field = 0;
    write_box(out, KIND, |out| {
        // Version 1: composition offsets are signed, so that no edit list is needed.
        put_full(out, 1, flags);
        out.put_u32(u32::try_from(samples.clone().count()).unwrap_or(u32::MAX));
        offset_field = out.len();
        out.put_u32(0);
        if flags & FIRST_FLAGS != 0 {
            out.put_u32(SYNC);
        }
        for sample in samples {
            if flags & DURATION != 0 {
                out.put_u32(sample.duration);
            }
            out.put_u32(sample.size);
            if flags & FLAGS != 0 {
                out.put_u32(if sample.sync { SYNC } else { NOT_SYNC });
            }
            if flags & COMPOSITION != 0 {
                out.put_u32(sample.composition as u32);
            }
        }
    });
    offset_field
}

/// One sample, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// Bytes.
    pub size: u32,
    /// Ticks to the decoding time of the next.
    pub duration: u32,
    /// Sample flags, §8.8.3.1.
    pub flags: u32,
    /// Ticks from decoding to presentation. Version 0 has it unsigned, yet many write negative ones there: signed in both.
    pub composition: i32,
}

impl Sample {
    /// Is it a sync sample?
    #[must_use]
    pub const fn is_sync(&self) -> bool {
        self.flags & IS_NOT_SYNC == 0
    }
}

/// A run, read. The samples are read when asked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Trun<'a> {
    /// Byte of the file that the box starts at.
    pub at: u64,
    /// From the base to the first sample's first byte. `None`: behind the run before, or right behind `moof`'s base.
    pub data_offset: Option<i32>,
    /// Number of samples.
    pub count: u32,
    first_flags: Option<u32>,
    flags: u32,
    table: &'a [u8],
}

impl<'a> Trun<'a> {
    /// Reads the box.
    ///
    /// # Errors
    /// [`Error`] where it ends before its table does.
    pub fn parse(found: &BoxRef<'a>) -> Result<Self, Error> {
        let mut body: Body<'a> = found.body();
        let (_, flags) = body.full(1)?;
        let count = body.u32()?;
        let data_offset = if flags & DATA_OFFSET == 0 { None } else { Some(body.u32()? as i32) };
        let first_flags = if flags & FIRST_FLAGS == 0 { None } else { Some(body.u32()?) };
        let entry = (flags & (DURATION | SIZE | FLAGS | COMPOSITION)).count_ones() as usize * 4;
        if entry == 0 && count > MOST_WITHOUT_TABLE {
            return Err(Error { kind: Kind::TooLarge(KIND), at: Offset(found.at) });
        }
        let len = (count as usize).saturating_mul(entry);
        let table = body.take(len)?;
        Ok(Self { at: found.at, data_offset, count, first_flags, flags, table })
    }

    /// The samples in decoding order; `fallback` gives what the run leaves out.
    pub fn samples(&self, fallback: Sample) -> impl Iterator<Item = Sample> + use<'a> {
        let (flags, first_flags) = (self.flags, self.first_flags);
        let mut table = Reader::new(self.table);
        (0..self.count).map(move |i| {
            let mut sample = fallback;
            if i == 0
                && let Some(first) = first_flags
            {
                sample.flags = first;
            }
            // The table has the length that the flags ask for: nothing falls short here.
            let mut field = |flag: u32| if flags & flag == 0 { None } else { table.u32() };
            sample.duration = field(DURATION).unwrap_or(sample.duration);
            sample.size = field(SIZE).unwrap_or(sample.size);
            sample.flags = field(FLAGS).unwrap_or(sample.flags);
            sample.composition = field(COMPOSITION).map_or(0, |c| c as i32);
            sample
        })
    }
}
