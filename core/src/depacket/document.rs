//! ONVIF metadata: XML documents over RTP, ONVIF Streaming Specification §5.2.1.2 ("Metadata").

use alloc::collections::VecDeque;
use bytes::{Bytes, BytesMut};

use super::Loss;
use crate::codec::Packing;
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::rtp::RtpPacket;
use crate::sdp::Media;
use crate::time::Micros;

/// One metadata document. What moment its contents are of stands in them (`UtcTime`); the RTP timestamp has no bearing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// Its bytes, as they came.
    pub data: Bytes,
    /// RTP timestamp of its first packet.
    pub timestamp: u32,
    /// When its first packet arrived.
    pub received: Micros,
    /// How it is packed.
    pub kind: Packing,
    /// What is missing before it. A document that lacks a part is not handed out.
    pub loss: Loss,
}

/// One stream's RTP packets, in order, to documents. The marker bit ends a document, which may take many packets and minutes;
/// one larger than [`Limits::document`] is dropped.
#[derive(Clone, Debug)]
pub struct DocumentReader {
    limits: Limits,
    kind: Packing,
    buffer: BytesMut,
    open: State,
    loss: Loss,
    ready: VecDeque<Document>,
    quirks: Quirks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The next packet starts a document.
    Between,
    /// Since its first packet.
    Open(u32, Micros),
    /// What comes belongs to a document that cannot be whole any more.
    Broken,
}

impl DocumentReader {
    /// For the chosen payload type of a media section; `None` where that is not ONVIF metadata.
    #[must_use]
    pub fn new(media: &Media, limits: &Limits) -> Option<Self> {
        Some(Self {
            limits: *limits,
            kind: media.metadata()?,
            buffer: BytesMut::new(),
            open: State::Between,
            loss: Loss::default(),
            ready: VecDeque::new(),
            quirks: Quirks::default(),
        })
    }

    /// Takes the next packet. `lost_before` is the number of packets missing between the one before and this one.
    pub fn push(&mut self, packet: &RtpPacket<'_>, received: Micros, lost_before: u32) {
        if lost_before > 0 {
            self.loss.packets = self.loss.packets.saturating_add(lost_before);
            self.loss.incomplete = true;
            // The end of the open one may be among them, and so may the start of this one: XML in the clear says which.
            let starts =
                packet.payload.starts_with(b"<?xml") || packet.payload.starts_with(b"<tt:MetadataStream");
            self.buffer.clear();
            self.open = if starts { State::Between } else { State::Broken };
        }
        if packet.payload.is_empty() {
            self.quirks.count(Quirk::EmptyPayload);
        } else if self.open != State::Broken {
            self.take(packet, received);
        }
        if packet.marker {
            self.close();
        }
    }

    /// The next document.
    pub fn pull(&mut self) -> Option<Document> {
        self.ready.pop_front()
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    fn take(&mut self, packet: &RtpPacket<'_>, received: Micros) {
        if self.open == State::Between {
            self.open = State::Open(packet.timestamp, received);
        }
        if self.buffer.len() + packet.payload.len() > self.limits.document {
            self.quirks.count(Quirk::OverLimit);
            self.buffer = BytesMut::new();
            self.loss.incomplete = true;
            self.open = State::Broken;
            return;
        }
        self.buffer.extend_from_slice(packet.payload);
    }

    fn close(&mut self) {
        let state = core::mem::replace(&mut self.open, State::Between);
        let data = self.buffer.split().freeze();
        let State::Open(timestamp, received) = state else { return };
        let loss = core::mem::take(&mut self.loss);
        self.ready.push_back(Document { data, timestamp, received, kind: self.kind, loss });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sdp::Presentation;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn reader(encoding: &str, limits: &Limits) -> Option<DocumentReader> {
        let sdp = alloc::format!("v=0\nm=application 0 RTP/AVP 107\na=rtpmap:107 {encoding}/90000\n");
        let presentation = Presentation::parse(sdp, limits).unwrap();
        let media = presentation.media.first().unwrap().clone();
        DocumentReader::new(&media, limits)
    }

    fn packet(payload: &[u8], timestamp: u32, marker: bool) -> RtpPacket<'_> {
        RtpPacket {
            marker,
            payload_type: 107,
            sequence: 0,
            timestamp,
            ssrc: 1,
            csrc: &[],
            extension: None,
            payload,
        }
    }

    #[test]
    fn each_spelling_says_how_the_document_is_packed() {
        for (encoding, kind) in [
            ("vnd.onvif.metadata", Some(Packing::None)),
            ("VND.ONVIF.METADATA", Some(Packing::None)),
            ("vnd.onvif.metadata.gzip", Some(Packing::Gzip)),
            ("vnd.onvif.metadata+gzip", Some(Packing::Gzip)),
            ("vnd.onvif.metadata.exi.onvif", Some(Packing::Exi)),
            ("vnd.onvif.metadata.exi.ext", Some(Packing::Exi)),
            ("vnd.onvif.metadata.zstd", None),
            ("MP2T", None),
        ] {
            assert_eq!(reader(encoding, &Limits::default()).map(|r| r.kind), kind, "{encoding}");
        }
    }

    #[test]
    fn a_document_without_its_middle_or_too_large_is_dropped_and_told() {
        let mut limits = Limits::default();
        limits.document = 20;
        let mut reader = reader("vnd.onvif.metadata", &limits).unwrap();
        reader.push(&packet(b"<?xml one", 1, false), Micros(1), 0);
        reader.push(&packet(b"end>", 1, true), Micros(2), 2);
        assert_eq!(reader.pull(), None);
        reader.push(&packet(b"<?xml two>", 2, true), Micros(3), 0);
        let second = reader.pull().unwrap();
        assert_eq!(
            (&second.data[..], second.loss.packets, second.loss.incomplete),
            (&b"<?xml two>"[..], 2, true)
        );
        for _ in 0..3 {
            reader.push(&packet(b"<?xml four", 4, false), Micros(4), 0);
        }
        reader.push(&packet(b">", 4, true), Micros(5), 0);
        reader.push(&packet(b"<?xml five>", 5, true), Micros(6), 0);
        let fifth = reader.pull().unwrap();
        assert_eq!(
            (&fifth.data[..], fifth.loss.packets, fifth.loss.incomplete),
            (&b"<?xml five>"[..], 0, true)
        );
        assert_eq!(reader.quirks().get(Quirk::OverLimit), 1);
        // The end of one and the start of the next are lost: the next is whole.
        reader.push(&packet(b"<?xml six", 6, false), Micros(7), 0);
        reader.push(&packet(b"<?xml seven>", 7, true), Micros(8), 1);
        assert_eq!(reader.pull().unwrap().data[..], b"<?xml seven>"[..]);
    }

    proptest! {
        #[test]
        fn documents_come_out_as_they_went_in(
            documents in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..8),
            cut in 1_usize..90,
        ) {
            let mut reader = reader("vnd.onvif.metadata", &Limits::default()).unwrap();
            let mut got: Vec<Document> = Vec::new();
            for (n, document) in (0..).zip(&documents) {
                let pieces: Vec<&[u8]> = document.chunks(cut).collect();
                for (i, piece) in pieces.iter().enumerate() {
                    reader.push(&packet(piece, n, i + 1 == pieces.len()), Micros(n.into()), 0);
                }
                got.extend(reader.pull());
            }
            prop_assert_eq!(got.iter().map(|d| d.data.to_vec()).collect::<Vec<_>>(), documents);
            prop_assert!(got.iter().zip(0..).all(|(d, n)| d.timestamp == n && d.loss == Loss::default()));
        }
    }
}
