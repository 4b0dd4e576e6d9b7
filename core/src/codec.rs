//! The word for a coding standard: floor 0, because the session description and the elementary stream both say it.

use core::fmt;

/// The two video coding standards that Vigie carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// ITU-T H.264, ISO/IEC 14496-10 (AVC).
    H264,
    /// ITU-T H.265, ISO/IEC 23008-2 (HEVC).
    H265,
}

impl Codec {
    /// `H.264` or `H.265`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
