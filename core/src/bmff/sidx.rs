//! `sidx`: where the fragments of a file are, ISO/IEC 14496-12 §8.16.3. Media3 and ffmpeg seek by it.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::{Body, Boxed, Error, FourCc, put_full, put_sized};
use crate::octets::Write as _;

/// Bytes of a version 1 box without references.
pub const EMPTY_LEN: usize = 40;
/// Bytes of one reference.
pub const REFERENCE_LEN: usize = 12;

/// A segment index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sidx {
    /// The track indexed.
    pub track: u32,
    /// Ticks in a second.
    pub timescale: u32,
    /// Of the first subsegment, ticks.
    pub earliest_presentation: u64,
    /// From the first byte after this box to the first byte referred to.
    pub first_offset: u64,
    /// In the order of the file. At most 65 535 are written.
    pub references: Vec<Reference>,
}

/// One subsegment: one or more fragments one behind the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// Does it refer to another `sidx` instead of media?
    pub to_index: bool,
    /// Bytes; 31 bits are kept.
    pub size: u32,
    /// Ticks.
    pub duration: u32,
    /// Does it start with a stream access point?
    pub starts_with_sap: bool,
    /// Type of stream access point, 1 to 6; 0 where that is not said.
    pub sap_type: u8,
}

impl Reference {
    /// A subsegment of media that starts at a random access point.
    #[must_use]
    pub const fn media(size: u32, duration: u32, sap_type: u8) -> Self {
        Self { to_index: false, size, duration, starts_with_sap: true, sap_type }
    }
}

impl Sidx {
    /// For one track, filled in by its public fields.
    #[must_use]
    pub fn new(track: u32, timescale: u32) -> Self {
        Self { track, timescale, ..Self::default() }
    }
}

impl Boxed for Sidx {
    const KIND: FourCc = FourCc(*b"sidx");

    fn write_body(&self, out: &mut BytesMut) {
        // Version 1 always: the room reserved for the box does not depend on the times in it.
        let version = 1;
        put_full(out, version, 0);
        out.put_u32(self.track);
        out.put_u32(self.timescale);
        put_sized(out, version, self.earliest_presentation);
        put_sized(out, version, self.first_offset);
        out.put_u16(0);
        let count = u16::try_from(self.references.len()).unwrap_or(u16::MAX);
        out.put_u16(count);
        for r in self.references.iter().take(usize::from(count)) {
            out.put_u32(u32::from(r.to_index) << 31 | r.size & 0x7fff_ffff);
            out.put_u32(r.duration);
            out.put_u32(u32::from(r.starts_with_sap) << 31 | u32::from(r.sap_type & 7) << 28);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (version, _) = body.full(1)?;
        let (track, timescale) = (body.u32()?, body.u32()?);
        let (earliest_presentation, first_offset) = (body.sized(version)?, body.sized(version)?);
        body.skip(2)?;
        let count = body.u16()?;
        let references = body.table(u32::from(count), REFERENCE_LEN, |body| {
            let (size, duration, sap) = (body.u32()?, body.u32()?, body.u32()?);
            Ok(Reference {
                to_index: size >> 31 == 1,
                size: size & 0x7fff_ffff,
                duration,
                starts_with_sap: sap >> 31 == 1,
                sap_type: (sap >> 28 & 7) as u8,
            })
        })?;
        Ok(Self { track, timescale, earliest_presentation, first_offset, references })
    }
}
