//! `tkhd`: a track's header, ISO/IEC 14496-12 §8.3.2.

use bytes::BytesMut;

use crate::bmff::moov::mvhd::UNITY;
use crate::bmff::{Body, Boxed, Error, FourCc, put_full, put_sized, version_for};
use crate::octets::Write as _;

/// Flags: enabled, in the movie, in the preview.
const SHOWN: u32 = 7;

/// A track's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tkhd {
    /// Seconds since 1904; 0 where not said.
    pub created: u64,
    /// Seconds since 1904; 0 where not said.
    pub modified: u64,
    /// The track's number, from 1.
    pub track: u32,
    /// Ticks of the movie, edits included; 0 where fragments follow.
    pub duration: u64,
    /// Width as shown, 16.16 pixels: square ones.
    pub width: u32,
    /// Height as shown, 16.16 pixels.
    pub height: u32,
    /// Loudness, 8.8: 0 for video.
    pub volume: u16,
}

impl Tkhd {
    /// A video track whose pictures have `width` times `height` samples of the given aspect.
    #[must_use]
    pub fn video(track: u32, width: u32, height: u32, aspect: (u32, u32)) -> Self {
        // Stretched in width, as players do. Saturates where the picture has more than 65 535 columns.
        let (w, h) = (u64::from(aspect.0.max(1)), u64::from(aspect.1.max(1)));
        let shown = u32::try_from((u64::from(width) << 16).saturating_mul(w) / h).unwrap_or(u32::MAX);
        let height = u32::try_from(u64::from(height) << 16).unwrap_or(u32::MAX);
        Self { created: 0, modified: 0, track, duration: 0, width: shown, height, volume: 0 }
    }

    /// A track of sound, as loud as it is.
    #[must_use]
    pub const fn sound(track: u32) -> Self {
        Self { created: 0, modified: 0, track, duration: 0, width: 0, height: 0, volume: 0x100 }
    }
}

impl Boxed for Tkhd {
    const KIND: FourCc = FourCc(*b"tkhd");

    fn write_body(&self, out: &mut BytesMut) {
        let version = version_for(&[self.created, self.modified, self.duration]);
        put_full(out, version, SHOWN);
        put_sized(out, version, self.created);
        put_sized(out, version, self.modified);
        out.put_u32(self.track);
        out.put_u32(0);
        put_sized(out, version, self.duration);
        // Reserved, layer, alternate group; volume, reserved.
        out.put(&[0; 12]);
        out.put_u16(self.volume);
        out.put_u16(0);
        out.put(&UNITY);
        out.put_u32(self.width);
        out.put_u32(self.height);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (version, _) = body.full(1)?;
        let (created, modified) = (body.sized(version)?, body.sized(version)?);
        let track = body.u32()?;
        body.skip(4)?;
        let duration = body.sized(version)?;
        body.skip(12)?;
        let volume = body.u16()?;
        body.skip(38)?;
        Ok(Self { created, modified, track, duration, width: body.u32()?, height: body.u32()?, volume })
    }
}
