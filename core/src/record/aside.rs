//! The ways of the media beside the video: sound and metadata.

use alloc::collections::VecDeque;

use super::IngestOutput;
use crate::depacket::{AudioDepacketizer, DocumentReader};
use crate::fault::Quirks;
use crate::limits::Limits;
use crate::reorder::Ordered;
use crate::rtp::rtcp::SenderReport;
use crate::sdp::Media;
use crate::time::Micros;

/// Packets of sound or of metadata to what they carry.
pub(super) enum Aside {
    Audio(AudioDepacketizer),
    Document(DocumentReader),
}

impl Aside {
    /// `None` where the media carries neither, or says of it what cannot be read.
    pub(super) fn new(media: &Media, limits: &Limits) -> Option<Self> {
        let audio = AudioDepacketizer::new(media, limits).ok().map(Self::Audio);
        audio.or_else(|| DocumentReader::new(media, limits).map(Self::Document))
    }

    /// Takes a packet in its turn; what it completes goes to `out`.
    pub(super) fn take(&mut self, ordered: &Ordered<'_>, out: &mut VecDeque<IngestOutput>) {
        if ordered.restart {
            self.finish(out);
            if matches!(self, Self::Audio(_)) {
                out.push_back(IngestOutput::AudioDiscontinuity);
            }
        }
        let (packet, received, lost) = (&ordered.packet, ordered.received, ordered.lost_before);
        match self {
            Self::Audio(audio) => audio.push(packet, received, lost),
            Self::Document(document) => document.push(packet, received, lost),
        }
        self.drain(out);
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, out: &mut VecDeque<IngestOutput>) {
        if let Self::Audio(audio) = self {
            audio.finish();
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
        if matches!(self, Self::Audio(_)) {
            out.push_back(IngestOutput::AudioSenderReport { report, received });
        }
    }

    pub(super) const fn quirks(&self) -> &Quirks {
        match self {
            Self::Audio(audio) => audio.quirks(),
            Self::Document(document) => document.quirks(),
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
        }
    }
}
