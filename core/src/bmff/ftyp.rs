//! `ftyp` and `styp`: what kind of file this is, ISO/IEC 14496-12 §4.3 and §8.16.2.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::{Body, Boxed, Error, FourCc, write_box};
use crate::octets::Write as _;

/// `styp`: the same for a media segment.
pub const STYP: FourCc = FourCc(*b"styp");

/// Brands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ftyp {
    /// The specification that fits best.
    pub major: FourCc,
    /// Its minor version.
    pub minor: u32,
    /// All that the file keeps to.
    pub compatible: Vec<FourCc>,
}

impl Ftyp {
    /// A CMAF track file. `iso6` is the oldest brand with all that we write; older ones forbid
    /// `default-base-is-moof` (ISO/IEC 14496-12 Annex E), so none is named.
    #[must_use]
    pub fn fragmented() -> Self {
        let compatible = [*b"cmfc", *b"iso6"].map(FourCc).into();
        Self { major: FourCc(*b"cmfc"), minor: 0, compatible }
    }

    /// An ordinary MP4 for any player.
    #[must_use]
    pub fn progressive() -> Self {
        let compatible = [*b"isom", *b"iso4", *b"mp41", *b"mp42"].map(FourCc).into();
        Self { major: FourCc(*b"mp42"), minor: 0, compatible }
    }

    /// Appends it as `styp`.
    pub fn write_styp(&self, out: &mut BytesMut) {
        write_box(out, STYP, |out| self.write_body(out));
    }
}

impl Boxed for Ftyp {
    const KIND: FourCc = FourCc(*b"ftyp");

    fn write_body(&self, out: &mut BytesMut) {
        out.put(&self.major.0);
        out.put_u32(self.minor);
        for brand in &self.compatible {
            out.put(&brand.0);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (major, minor) = (FourCc(body.array()?), body.u32()?);
        let compatible = body.rest().chunks_exact(4).filter_map(|b| b.try_into().ok().map(FourCc)).collect();
        Ok(Self { major, minor, compatible })
    }
}
