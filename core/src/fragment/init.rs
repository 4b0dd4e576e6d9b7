//! The init segment: `ftyp` and `moov` of one track without samples.

use alloc::sync::Arc;
use bytes::BytesMut;

use super::{InitSegment, TRACK, configuration};
use crate::bmff::Boxed as _;
use crate::bmff::ftyp::Ftyp;
use crate::bmff::moov::Moov;
use crate::bmff::moov::trak::Trak;
use crate::bmff::moov::trak::mdia::Mdia;
use crate::bmff::moov::trak::mdia::mdhd::Mdhd;
use crate::bmff::moov::trak::mdia::minf::Minf;
use crate::bmff::moov::trak::mdia::minf::stbl::Stbl;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{self, Configuration, Stsd, VideoEntry};
use crate::bmff::moov::trak::tkhd::Tkhd;
use crate::h26x::{Codec, ParameterSets};
use crate::time::TIMESCALE;

impl InitSegment {
    /// For a stream with these parameter sets; `None` while they do not say what the pictures are.
    ///
    /// Movie and track have no duration and there is no `mehd`: browsers take the stream for live then, and keep as
    /// little as they can before the decoder.
    #[must_use]
    pub fn new(parameters: Arc<ParameterSets>) -> Option<Self> {
        let format = parameters.format()?;
        let (kind, configuration) = match format.codec {
            Codec::H264 => (stsd::AVC3, Configuration::Avc(configuration::avc(&parameters)?)),
            Codec::H265 => (stsd::HEV1, Configuration::Hevc(configuration::hevc(&parameters)?)),
        };
        let mut entry = VideoEntry::new(kind, format.width, format.height, configuration);
        entry.pixel_aspect = Some(format.sample_aspect).filter(|(h, v)| h != v && *h > 0 && *v > 0);
        let header = Tkhd::video(TRACK, format.width, format.height, format.sample_aspect);
        let tables = Stbl::fragmented(Stsd::of(entry));
        let media = Mdia::video(Mdhd::new(TIMESCALE, 0), Minf::new(tables));
        let mut bytes = BytesMut::new();
        Ftyp::fragmented().write(&mut bytes);
        Moov::fragmented(Trak::new(header, media)).write(&mut bytes);
        Some(Self { bytes: bytes.freeze(), format, parameters })
    }
}
