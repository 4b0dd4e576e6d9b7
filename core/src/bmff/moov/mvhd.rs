//! `mvhd`: the movie's header, ISO/IEC 14496-12 §8.2.2.

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full, put_sized, version_for};
use crate::octets::Write as _;

/// The unity matrix, §6.2.2.
pub(super) const UNITY: [u8; 36] = {
    let mut matrix = [0; 36];
    matrix[1] = 1;
    matrix[17] = 1;
    matrix[32] = 0x40;
    matrix
};

/// The movie's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mvhd {
    /// Seconds since 1904; 0 where not said.
    pub created: u64,
    /// Seconds since 1904; 0 where not said.
    pub modified: u64,
    /// Ticks in a second.
    pub timescale: u32,
    /// Ticks; 0 where fragments follow.
    pub duration: u64,
    /// A track number that is free.
    pub next_track: u32,
}

impl Mvhd {
    /// Without times of creation.
    #[must_use]
    pub const fn new(timescale: u32, duration: u64) -> Self {
        Self { created: 0, modified: 0, timescale, duration, next_track: 2 }
    }
}

impl Boxed for Mvhd {
    const KIND: FourCc = FourCc(*b"mvhd");

    fn write_body(&self, out: &mut BytesMut) {
        let version = version_for(&[self.created, self.modified, self.duration]);
        put_full(out, version, 0);
        put_sized(out, version, self.created);
        put_sized(out, version, self.modified);
        out.put_u32(self.timescale);
        put_sized(out, version, self.duration);
        // Rate 1.0, volume 1.0, reserved.
        out.put_u32(0x0001_0000);
        out.put_u16(0x0100);
        out.put(&[0; 10]);
        out.put(&UNITY);
        out.put(&[0; 24]);
        out.put_u32(self.next_track);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (version, _) = body.full(1)?;
        let (created, modified) = (body.sized(version)?, body.sized(version)?);
        let (timescale, duration) = (body.u32()?, body.sized(version)?);
        body.skip(76)?;
        Ok(Self { created, modified, timescale, duration, next_track: body.u32()? })
    }
}
