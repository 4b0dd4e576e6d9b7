//! H.264 and H.265 elementary streams: NAL units, parameter sets, slice headers, codec strings.

pub mod annexb;
mod error;
mod format;
pub mod h264;
pub mod h265;
mod nal;
pub mod picture;
pub mod sei;
mod sets;
#[cfg(test)]
pub(crate) mod testing;

use alloc::string::String;

pub use crate::codec::Codec;
pub use error::{Error, Kind};
pub use nal::{Nal, NalKind, nal_units};
pub use sets::{Inserted, ParameterSets};

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
