//! RTP payloads (RFC 6184, RFC 7798) and Annex B bytes to access units. Beside these, off unless asked: sound
//! ([`AudioDepacketizer`]) and ONVIF metadata ([`DocumentReader`]). Pictures without NAL units have a way of their own
//! ([`PictureDepacketizer`]).
//!
//! An access unit's NAL units are copied once, into a buffer that the access units of a GOP share; from there on the
//! bytes are only referred to.

mod annexb;
mod assemble;
pub mod audio;
mod av1;
pub mod capture;
mod document;
mod h264;
mod h265;
mod interleave;
mod jpeg;
mod payload;
mod picture;
mod rtp;

use alloc::sync::Arc;
use bytes::Bytes;

use crate::h26x::{Codec, ParameterSets};
use crate::time::Micros;

pub use annexb::AnnexBReader;
pub use assemble::Assembler;
pub use audio::{AudioDepacketizer, AudioFormat, AudioUnit};
pub use document::{Document, DocumentReader};
pub use interleave::{DecodingOrder, Packetization};
pub use picture::{PictureDepacketizer, PictureFormat, PictureUnit};
pub use rtp::Depacketizer;

/// A picture that decoding can start at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RandomAccess {
    /// H.264 IDR, H.265 IDR_W_RADL or IDR_N_LP: a closed GOP starts here.
    Idr,
    /// H.265 CRA: leading pictures (RASL) may refer across it.
    Cra,
    /// H.265 BLA: as CRA, its RASL pictures never decodable.
    Bla,
    /// H.264 or H.265 recovery point SEI with `recovery_frame_cnt` (or `recovery_poc_cnt`) pictures until the output is clean.
    RecoveryPoint {
        /// 0: at once.
        frames: u32,
    },
}

impl RandomAccess {
    /// May a GOP of the recording start here, and a sample be marked sync (ISO/IEC 14496-15: IDR, and IRAP in H.265)?
    #[must_use]
    pub const fn starts_gop(self) -> bool {
        matches!(self, Self::Idr | Self::Cra | Self::Bla)
    }
}

/// What is missing in or before an access unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// RTP packets missing since the access unit before.
    pub packets: u32,
    /// Where; `None` where nothing is missing.
    pub place: Option<Place>,
    /// NAL units of this access unit are missing, or nothing says that none are.
    pub incomplete: bool,
}

/// Where in an access unit something is missing: the first place, where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Before it: it is whole, pictures that it refers to may not be.
    Before,
    /// Its beginning, or nothing tells that this is its beginning.
    Prefix,
    /// Something in the middle.
    Interior,
    /// Its end, or nothing tells that this is its end.
    Suffix,
}

/// Output order of a picture, ITU-T H.264 §8.2.1, H.265 §8.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PictureOrder {
    /// PicOrderCnt, of the first field where there are two.
    pub count: i32,
    /// The counting starts anew here: IDR, BLA, a CRA that is first, or memory_management_control_operation 5.
    pub restart: bool,
}

/// One coded picture with what belongs to it: for H.264 field pairs, both fields (as ISO/IEC 14496-15 samples have it).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessUnit {
    /// The coding standard.
    pub codec: Codec,
    /// Every NAL unit in the order of arrival, untouched, each behind its length in 4 bytes, big-endian.
    pub data: Bytes,
    /// RTP timestamp of its first slice, RFC 3550 §5.1. 0 from an elementary stream, which has none.
    pub timestamp: u32,
    /// When its first byte arrived.
    pub received: Micros,
    /// Can decoding start here, and how?
    pub random_access: Option<RandomAccess>,
    /// Do other pictures refer to it? (H.264 nal_ref_idc above 0; H.265 not a sub-layer non-reference picture.)
    pub reference: bool,
    /// H.265 RASL: not decodable when decoding started at the CRA or BLA before it.
    pub skipped_leading: bool,
    /// Its place in output order, where slice header and parameter sets could be read.
    pub order: Option<PictureOrder>,
    /// The parameter sets in force. The same `Arc` as before as long as no byte of them changed.
    pub parameters: Option<Arc<ParameterSets>>,
    /// What is missing.
    pub loss: Loss,
}
