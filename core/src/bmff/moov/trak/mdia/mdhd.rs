//! `mdhd`: a media's header, ISO/IEC 14496-12 §8.4.2.

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full, put_sized, version_for};
use crate::octets::Write as _;

/// A media's header. The language written is "und".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mdhd {
    /// Seconds since 1904; 0 where not said.
    pub created: u64,
    /// Seconds since 1904; 0 where not said.
    pub modified: u64,
    /// Ticks in a second.
    pub timescale: u32,
    /// Ticks; 0 where fragments follow.
    pub duration: u64,
}

impl Mdhd {
    /// Without times of creation.
    #[must_use]
    pub const fn new(timescale: u32, duration: u64) -> Self {
        Self { created: 0, modified: 0, timescale, duration }
    }
}

impl Boxed for Mdhd {
    const KIND: FourCc = FourCc(*b"mdhd");

    fn write_body(&self, out: &mut BytesMut) {
        let version = version_for(&[self.created, self.modified, self.duration]);
        put_full(out, version, 0);
        put_sized(out, version, self.created);
        put_sized(out, version, self.modified);
        out.put_u32(self.timescale);
        put_sized(out, version, self.duration);
        // "und", three letters of 5 bits (ISO 639-2/T), and pre_defined.
        out.put_u16(0x55c4);
        out.put_u16(0);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (version, _) = body.full(1)?;
        let (created, modified) = (body.sized(version)?, body.sized(version)?);
        Ok(Self { created, modified, timescale: body.u32()?, duration: body.sized(version)? })
    }
}
