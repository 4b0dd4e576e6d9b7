//! `hdlr`: what kind of media, ISO/IEC 14496-12 §8.4.3.

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

/// Video.
pub const VIDEO: FourCc = FourCc(*b"vide");
/// Sound.
pub const SOUND: FourCc = FourCc(*b"soun");
/// Subtitles as QuickTime calls them; `text` in 3GPP TS 26.245.
pub const SUBTITLE: FourCc = FourCc(*b"sbtl");

/// What kind of media. The name written is `Vigie`; what a file says there is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hdlr {
    /// [`VIDEO`], [`SOUND`] and others.
    pub kind: FourCc,
}

impl Hdlr {
    /// Video.
    #[must_use]
    pub const fn video() -> Self {
        Self { kind: VIDEO }
    }

    /// Sound.
    #[must_use]
    pub const fn sound() -> Self {
        Self { kind: SOUND }
    }

    /// Subtitles.
    #[must_use]
    pub const fn subtitle() -> Self {
        Self { kind: SUBTITLE }
    }
}

impl Boxed for Hdlr {
    const KIND: FourCc = FourCc(*b"hdlr");

    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        out.put_u32(0);
        out.put(&self.kind.0);
        out.put(&[0; 12]);
        out.put(b"Vigie\0");
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        body.skip(4)?;
        Ok(Self { kind: FourCc(body.array()?) })
    }
}
