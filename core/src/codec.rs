//! The words for coding standards: floor 0, because the session description and the elementary stream both say them.

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

/// The codings of sound that Vigie carries, where it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AudioCodec {
    /// MPEG-4 audio, ISO/IEC 14496-3: AAC-LC, HE-AAC and their kin.
    Aac,
    /// RFC 6716.
    Opus,
    /// ITU-T G.711, µ-law.
    Pcmu,
    /// ITU-T G.711, A-law.
    Pcma,
    /// Linear PCM, 16 bits, big-endian: RFC 3551 §4.5.11.
    L16,
}

impl AudioCodec {
    /// As people call it: `AAC`, `Opus`, `G.711 µ-law`, `G.711 A-law`, `L16`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aac => "AAC",
            Self::Opus => "Opus",
            Self::Pcmu => "G.711 µ-law",
            Self::Pcma => "G.711 A-law",
            Self::L16 => "L16",
        }
    }
}

impl fmt::Display for AudioCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The codings of pictures that Vigie keeps as they come, without looking into them further than their size: no NAL units,
/// no reordering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PictureCodec {
    /// ISO/IEC 10918-1, a picture each (Motion JPEG).
    Jpeg,
    /// AOMedia Video 1.
    Av1,
}

impl PictureCodec {
    /// `JPEG` or `AV1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Av1 => "AV1",
        }
    }
}

impl fmt::Display for PictureCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an ONVIF metadata document is packed, ONVIF Streaming Specification, "Metadata streaming".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Packing {
    /// XML as it is: `vnd.onvif.metadata`.
    #[default]
    None,
    /// RFC 1952: `vnd.onvif.metadata.gzip`, in some cameras `+gzip`.
    Gzip,
    /// Efficient XML Interchange: `vnd.onvif.metadata.exi.onvif` and `.exi.ext`.
    Exi,
}
