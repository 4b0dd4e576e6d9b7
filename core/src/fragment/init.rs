//! The init segment: `ftyp` and `moov` of one track without samples.

use alloc::sync::Arc;
use bytes::{Bytes, BytesMut};

use super::{InitSegment, TRACK, TrackFormat, configuration};
use crate::bmff::ftyp::Ftyp;
use crate::bmff::moov::Moov;
use crate::bmff::moov::trak::Trak;
use crate::bmff::moov::trak::mdia::Mdia;
use crate::bmff::moov::trak::mdia::mdhd::Mdhd;
use crate::bmff::moov::trak::mdia::minf::Minf;
use crate::bmff::moov::trak::mdia::minf::stbl::Stbl;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::audio::{self, AudioEntry};
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{self, Configuration, Entry, Stsd, VideoEntry};
use crate::bmff::moov::trak::tkhd::Tkhd;
use crate::bmff::{self, Boxed as _, Boxes};
use crate::codec::{AudioCodec, PictureCodec};
use crate::depacket::{AudioFormat, PictureFormat};
use crate::fault::Offset;
use crate::h26x::ParameterSets;
use crate::time::TIMESCALE;
use crate::timeline::PlainFormat;

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
            Configuration::Hevc(_) => stsd::HEV1,
            _ => stsd::AVC3,
        };
        let mut entry = VideoEntry::new(kind, format.width, format.height, configuration);
        entry.pixel_aspect = Some(format.sample_aspect).filter(|(h, v)| h != v && *h > 0 && *v > 0);
        let header = Tkhd::video(TRACK, format.width, format.height, format.sample_aspect);
        let tables = Stbl::fragmented(Stsd::of(entry));
        let media = Mdia::video(Mdhd::new(TIMESCALE, 0), Minf::new(tables));
        let mut bytes = BytesMut::new();
        Ftyp::fragmented().write(&mut bytes);
        Moov::fragmented(Trak::new(header, media)).write(&mut bytes);
        Some(Self { bytes: bytes.freeze(), format: TrackFormat::Video(format, parameters) })
    }

    /// For sound, or pictures without NAL units. Its track has ticks of 90 kHz as all of ours.
    #[must_use]
    pub fn plain(format: PlainFormat) -> Self {
        let header = Mdhd::new(TIMESCALE, 0);
        let track = match &format {
            PlainFormat::Audio(audio) => {
                let tables = Stbl::fragmented(Stsd::of_audio(audio_entry(audio)));
                Trak::new(Tkhd::sound(TRACK), Mdia::sound(header, Minf::sound(tables)))
            }
            PlainFormat::Picture(picture) => {
                let tables = Stbl::fragmented(Stsd::of(picture_entry(picture)));
                let track = Tkhd::video(TRACK, picture.width, picture.height, (1, 1));
                Trak::new(track, Mdia::video(header, Minf::new(tables)))
            }
        };
        let mut bytes = BytesMut::new();
        Ftyp::fragmented().write(&mut bytes);
        Moov::fragmented(track).write(&mut bytes);
        Self { bytes: bytes.freeze(), format: TrackFormat::Plain(format) }
    }

    /// Reads a stored one. More may follow in `file`: [`InitSegment::bytes`] ends with `moov`.
    ///
    /// # Errors
    /// [`bmff::Error`] where there is no `moov` with an H.264 or H.265 track that can be read: this is for those alone.
    pub fn parse(file: &Bytes) -> Result<Self, bmff::Error> {
        let found = Boxes::new(file, 0).need(Moov::KIND)?;
        let moov: Moov = found.parse()?;
        let fail = |kind| bmff::Error { kind, at: Offset(found.at) };
        let track = moov.video().ok_or(fail(bmff::Kind::Missing(Trak::KIND)))?;
        let record = match track.media.information.tables.descriptions.entries.first() {
            Some(Entry::Video(entry)) => match &entry.configuration {
                Configuration::Av1(_) | Configuration::None => {
                    return Err(fail(bmff::Kind::UnsupportedEntry(entry.kind)));
                }
                record => record,
            },
            Some(Entry::Other(kind, _)) => return Err(fail(bmff::Kind::UnsupportedEntry(*kind))),
            Some(Entry::Audio(entry)) => return Err(fail(bmff::Kind::UnsupportedEntry(entry.kind))),
            None => return Err(fail(bmff::Kind::Missing(Stsd::KIND))),
        };
        let parameters = Arc::new(configuration::sets(record));
        let format = parameters.format().ok_or(fail(bmff::Kind::BadValue(Stsd::KIND)))?;
        let end = found.at as usize + found.bytes.len();
        Ok(Self { bytes: file.slice(..end), format: TrackFormat::Video(format, parameters) })
    }
}

fn picture_entry(format: &PictureFormat) -> VideoEntry {
    let (kind, configuration) = match format.codec {
        PictureCodec::Jpeg => (stsd::MJPG, Configuration::None),
        PictureCodec::Av1 => (stsd::AV01, Configuration::Av1(format.configuration.to_vec())),
    };
    VideoEntry::new(kind, format.width, format.height, configuration)
}

fn audio_entry(format: &AudioFormat) -> AudioEntry {
    let kind = match format.codec {
        AudioCodec::Aac => audio::MP4A,
        AudioCodec::Opus => audio::OPUS,
        AudioCodec::Pcmu => audio::ULAW,
        AudioCodec::Pcma => audio::ALAW,
        AudioCodec::L16 => audio::TWOS,
    };
    AudioEntry::new(kind, format.channels, format.sample_rate, &format.configuration)
}
