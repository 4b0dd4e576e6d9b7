//! H.264 and H.265 elementary streams: NAL units, parameter sets, slice headers, codec strings.

pub mod annexb;
mod error;
mod fields;
mod format;
pub mod h264;
pub mod h265;
mod hrd;
mod nal;
pub mod picture;
pub mod sei;
mod sets;
#[cfg(test)]
pub(crate) mod testing;

use alloc::string::String;

pub use crate::codec::Codec;
pub use error::{Error, Extent, Kind};
pub use hrd::Hrd;
pub use nal::{Nal, NalKind, nal_units};
pub use sets::{Change, Inserted, ParameterSets};

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
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Bits of a luma and of a chroma sample.
    pub bit_depth: (u8, u8),
    /// video_full_range_flag: black is 0, not 16.
    pub full_range: bool,
    /// colour_primaries, transfer_characteristics, matrix_coefficients, where the stream says them.
    pub colour: Option<(u8, u8, u8)>,
    /// What is coded beside the pictures that a plain decoder shows.
    pub layers: Layers,
}

/// What is coded beside the base layer: kept byte for byte, shown by decoders that know how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layers {
    /// Nothing.
    #[default]
    Base,
    /// Scalable video coding (H.264 Annex F): more detail, or more pictures.
    Scalable,
    /// More views, or depth (H.264 Annexes G to I).
    Views,
    /// H.265 layers of any kind (Annexes F to I): how many, the base counted.
    Multiple(u8),
}

impl Layers {
    /// In tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Scalable => "scalable",
            Self::Views => "views",
            Self::Multiple(_) => "multiple",
        }
    }
}
