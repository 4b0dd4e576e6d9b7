//! The ways of the media that have no NAL units: sound, metadata, and pictures of JPEG and AV1.

use alloc::collections::VecDeque;

use super::IngestOutput;
use crate::depacket::{AudioDepacketizer, DocumentReader, PictureDepacketizer};
use crate::fault::Quirks;
use crate::limits::Limits;
use crate::reorder::Ordered;
use crate::rtp::rtcp::SenderReport;
use crate::sdp::Media;
use crate::time::Micros;

/// Packets of sound, of metadata or of such pictures to what they carry.
pub(super) enum Aside {
    Audio(AudioDepacketizer),
    Document(DocumentReader),
    Picture(PictureDepacketizer),
}

impl Aside {
    /// `None` where the media carries none of them, or says of it what cannot be read.
    pub(super) fn new(media: &Media, limits: &Limits) -> Option<Self> {
        let audio = AudioDepacketizer::new(media, limits).ok().map(Self::Audio);
        audio
            .or_else(|| DocumentReader::new(media, limits).map(Self::Document))
            .or_else(|| PictureDepacketizer::new(media, limits).map(Self::Picture))
    }

    /// Takes a packet in its turn; what it completes goes to `out`.
    pub(super) fn take(&mut self, ordered: &Ordered<'_>, out: &mut VecDeque<IngestOutput>) {
        if ordered.restart {
            self.finish(out);
            match self {
                Self::Audio(_) => out.push_back(IngestOutput::AudioDiscontinuity),
                Self::Picture(_) => out.push_back(IngestOutput::Discontinuity),
                Self::Document(_) => {}
            }
        }
        let (packet, received, lost) = (&ordered.packet, ordered.received, ordered.lost_before);
        match self {
            Self::Audio(audio) => audio.push(packet, received, lost),
            Self::Document(document) => document.push(packet, received, lost),
            Self::Picture(picture) => picture.push(packet, received, lost),
        }
        self.drain(out);
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, out: &mut VecDeque<IngestOutput>) {
        match self {
            Self::Audio(audio) => audio.finish(),
            Self::Picture(picture) => picture.finish(),
            Self::Document(_) => {}
        }
        self.drain(out);
    }

    /// The camera said what the clock of this media shows.
    pub(super) fn sender_report(
        &self,
        report: SenderReport,
        received: Micros,
        out: &mut VecDeque<IngestOutput>,
    ) {
        match self {
            Self::Audio(_) => out.push_back(IngestOutput::AudioSenderReport { report, received }),
            Self::Picture(_) => out.push_back(IngestOutput::SenderReport { report, received }),
            Self::Document(_) => {}
        }
    }

    pub(super) const fn quirks(&self) -> &Quirks {
        match self {
            Self::Audio(audio) => audio.quirks(),
            Self::Document(document) => document.quirks(),
            Self::Picture(picture) => picture.quirks(),
        }
    }

    /// Pictures dropped since something of them was missing.
    pub(super) const fn dropped(&self) -> u64 {
        match self {
            Self::Picture(picture) => picture.dropped(),
            Self::Audio(_) | Self::Document(_) => 0,
        }
    }

    fn drain(&mut self, out: &mut VecDeque<IngestOutput>) {
        match self {
            Self::Audio(audio) => {
                out.extend(core::iter::from_fn(|| audio.pull()).map(IngestOutput::Audio));
            }
            Self::Document(document) => {
                out.extend(core::iter::from_fn(|| document.pull()).map(IngestOutput::Document));
            }
            Self::Picture(picture) => {
                out.extend(core::iter::from_fn(|| picture.pull()).map(IngestOutput::Picture));
            }
        }
    }
}
