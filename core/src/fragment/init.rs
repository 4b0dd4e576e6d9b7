//! The init segment: `ftyp` and `moov` of one track without samples.

use alloc::sync::Arc;
use bytes::{Bytes, BytesMut};

use super::{InitSegment, TRACK, configuration};
use crate::bmff::ftyp::Ftyp;
use crate::bmff::moov::Moov;
use crate::bmff::moov::trak::Trak;
use crate::bmff::moov::trak::mdia::Mdia;
use crate::bmff::moov::trak::mdia::mdhd::Mdhd;
use crate::bmff::moov::trak::mdia::minf::Minf;
use crate::bmff::moov::trak::mdia::minf::stbl::Stbl;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{self, Configuration, Entry, Stsd, VideoEntry};
use crate::bmff::moov::trak::tkhd::Tkhd;
use crate::bmff::{self, Boxed as _, Boxes};
use crate::fault::Offset;
use crate::h26x::ParameterSets;
use crate::time::TIMESCALE;

impl InitSegment {
    /// For a stream with these parameter sets; `None` while they do not say what the pictures are.
    ///
    /// Movie and track have no duration and there is no `mehd`: browsers take the stream for live then, and keep as
    /// little as they can before the decoder.
    #[must_use]
    pub fn new(parameters: Arc<ParameterSets>) -> Option<Self> {
        let format = parameters.format()?;
        let configuration = configuration::of(&parameters)?;
        let kind = match configuration {
            Configuration::Avc(_) => stsd::AVC3,
            Configuration::Hevc(_) => stsd::HEV1,
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

    /// Reads a stored one. More may follow in `file`: [`InitSegment::bytes`] ends with `moov`.
    ///
    /// # Errors
    /// [`bmff::Error`] where there is no `moov` with an H.264 or H.265 track that can be read.
    pub fn parse(file: &Bytes) -> Result<Self, bmff::Error> {
        let found = Boxes::new(file, 0).need(Moov::KIND)?;
        let moov: Moov = found.parse()?;
        let fail = |kind| bmff::Error { kind, at: Offset(found.at) };
        let track = moov.video().ok_or(fail(bmff::Kind::Missing(Trak::KIND)))?;
        let record = match track.media.information.tables.descriptions.entries.first() {
            Some(Entry::Video(entry)) => &entry.configuration,
            Some(Entry::Other(kind, _)) => return Err(fail(bmff::Kind::UnsupportedEntry(*kind))),
            None => return Err(fail(bmff::Kind::Missing(Stsd::KIND))),
        };
        let parameters = Arc::new(configuration::sets(record));
        let format = parameters.format().ok_or(fail(bmff::Kind::BadValue(Stsd::KIND)))?;
        let end = found.at as usize + found.bytes.len();
        Ok(Self { bytes: file.slice(..end), format, parameters })
    }
}
