//! H.264 and H.265 elementary streams: NAL units, parameter sets, slice headers, codec strings.

use alloc::string::String;

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

/// What the active parameter sets say of the pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoFormat {
    /// The coding standard.
    pub codec: Codec,
    /// RFC 6381 parameter, with the out-of-band sample entry: `avc1.640028`, `hvc1.1.6.L93.B0`.
    pub codec_string: String,
    /// Pixels, after cropping.
    pub width: u32,
    /// Pixels, after cropping.
    pub height: u32,
    /// Width to height of one sample; (1, 1) where the stream does not say.
    pub sample_aspect: (u32, u32),
    /// Pictures per second as a fraction, where the VUI or VPS says it.
    pub frame_rate: Option<(u32, u32)>,
    /// Pictures that may precede one in decoding order and follow it in output order, where the parameter sets bound
    /// it: `max_num_reorder_frames`, or 0 for picture order count type 2, Baseline and intra profiles.
    pub reorder: Option<u8>,
}

/// The parameter sets in force, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets {}
