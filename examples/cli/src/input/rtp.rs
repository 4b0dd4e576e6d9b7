//! The video among the packets of a capture.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use bytes::Bytes;
use vigie::codec::Codec;
use vigie::depacket::Depacketizer;
use vigie::fault::{Quirk, Quirks};
use vigie::limits::Limits;
use vigie::reorder::Reorder;
use vigie::rtp::capture::{Capture, Content, Flow, Item, Transport};
use vigie::rtp::{self, RtpPacket, rtcp};
use vigie::sdp::{Media, Presentation};
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{Group, Mode, Timeline};

use super::{PIECE, read};
use crate::failure::Failure;

/// Streams that are tried.
const TRIED: usize = 64;

/// Pictures that prove a stream.
const PROOF: u32 = 3;

/// Bytes of a capture that are searched for its video.
const SEARCHED: u64 = 1 << 30;

/// One stream of a capture, to groups of samples.
#[derive(Debug)]
pub(super) struct Rtp {
    capture: Capture,
    chosen: Stream,
    reorder: Reorder,
    depacketizer: Depacketizer,
    timeline: Timeline,
    /// When the first packet was captured.
    first: Option<UtcMicros>,
    failed: Option<rtp::Error>,
}

/// Which packets belong to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Stream {
    flow: Flow,
    payload_type: u8,
}

/// A stream that may be video of either kind.
#[derive(Debug)]
struct Candidate {
    reorder: Reorder,
    /// Each codec with the pictures that can be read in it.
    tries: Vec<(Depacketizer, u32)>,
    packets: u64,
}

/// Of so many packets, one may be against the RFC: audio, and what is encrypted (SRTP), now and then look like video.
const ODD: u64 = 8;

/// What is known of the media before any packet is read.
#[derive(Debug, Default)]
struct Described {
    media: Vec<Media>,
}

impl Described {
    fn add(&mut self, sdp: &Bytes, limits: &Limits) -> bool {
        let parsed = Presentation::parse(sdp.clone(), limits);
        self.media.extend(parsed.map(|p| p.media).unwrap_or_default());
        self.media.iter().any(|m| m.codec.is_some())
    }

    /// The media of this payload type whose codec is known.
    fn of(&self, payload_type: u8) -> Option<(&Media, Codec)> {
        self.media.iter().find_map(|m| (m.payload_type == payload_type).then_some((m, m.codec?)))
    }
}

impl Rtp {
    /// Searches a capture for the first stream whose pictures can be read.
    pub(super) fn choose(path: &Path, sdp: Option<&Path>, limits: &Limits) -> Result<Self, Failure> {
        let mut described = Described::default();
        if let Some(sdp) = sdp {
            let text = std::fs::read(sdp).map_err(|e| Failure::file("read", sdp, &e))?;
            if !described.add(&text.into(), limits) {
                return Err(Failure::new(
                    format!("{} describes no H.264 or H.265", sdp.display()),
                    "give the SDP that the camera answered to DESCRIBE, or leave --sdp out",
                ));
            }
        }
        let mut search = Search { described, candidates: HashMap::new(), packets: 0, limits: *limits };
        let found = search.run(path)?;
        let Some((chosen, codec)) = found else { return Err(search.nothing(path, sdp.is_some())) };
        let reorder = search.reorder(chosen);
        let mut depacketizer = Depacketizer::new(codec, limits);
        if let Some((media, _)) = search.described.of(chosen.payload_type) {
            depacketizer.seed(media.parameter_sets.iter().map(|nal| &nal[..]));
        }
        Ok(Self {
            capture: Capture::new(limits),
            chosen,
            reorder,
            depacketizer,
            timeline: Timeline::new(Mode::Recording, limits),
            first: None,
            failed: None,
        })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.capture.push(bytes);
        self.drain();
    }

    pub(super) fn finish(&mut self) {
        self.capture.finish();
        self.drain();
        self.reorder.finish();
        self.ordered();
        self.depacketizer.finish();
        self.units();
        self.timeline.finish();
    }

    pub(super) fn pull(&mut self) -> Option<Group> {
        self.timeline.pull()
    }

    /// Why the capture could not be read to its end, told once.
    pub(super) fn take_failure(&mut self, path: &Path) -> Option<Failure> {
        let error = self.failed.take()?;
        Some(damaged(path, error))
    }

    pub(super) fn lost(&self) -> u64 {
        self.reorder.stats().lost
    }

    pub(super) fn quirks(&self) -> Quirks {
        let mut quirks = self.reorder.quirks().clone();
        quirks.merge(self.depacketizer.quirks());
        quirks.merge(self.timeline.quirks());
        quirks
    }

    fn drain(&mut self) {
        loop {
            match self.capture.pull() {
                Ok(Some(item)) => self.item(item),
                Ok(None) => return,
                Err(error) => {
                    self.failed = Some(error);
                    return;
                }
            }
        }
    }

    fn item(&mut self, item: Item) {
        let received = self.received(item.at);
        match item.content {
            Content::Rtp(bytes) if item.flow == self.chosen.flow => {
                if let Some(ordered) = self.reorder.push(&bytes, received) {
                    self.depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
                }
                self.ordered();
            }
            // RTCP over UDP is a flow of its own: the SSRC tells whose it is.
            Content::Rtcp(bytes) => {
                for packet in rtcp::parse(&bytes).flatten() {
                    if let rtcp::Packet::SenderReport(report, _) = packet
                        && Some(report.ssrc) == self.reorder.ssrc()
                    {
                        self.timeline.sender_report(report);
                    }
                }
            }
            _ => {}
        }
        self.units();
    }

    /// The capture's clock, from its first packet on; without one, time stands still.
    fn received(&mut self, at: Option<UtcMicros>) -> Micros {
        let Some(at) = at else { return Micros(0) };
        let first = *self.first.get_or_insert(at);
        let received = Micros(u64::try_from(at.0.saturating_sub(first.0)).unwrap_or(0));
        self.timeline.arrival(received, at);
        received
    }

    fn ordered(&mut self) {
        while let Some(ordered) = self.reorder.pull() {
            self.depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        }
    }

    fn units(&mut self) {
        while let Some(unit) = self.depacketizer.pull() {
            self.timeline.push(unit);
        }
    }
}

/// Looks for the video.
struct Search {
    described: Described,
    candidates: HashMap<Stream, Candidate>,
    packets: u64,
    limits: Limits,
}

impl Search {
    fn run(&mut self, path: &Path) -> Result<Option<(Stream, Codec)>, Failure> {
        let mut file = File::open(path).map_err(|e| Failure::file("read", path, &e))?;
        let mut capture = Capture::new(&self.limits);
        let mut piece = vec![0; PIECE];
        let mut searched = 0;
        loop {
            let n = read(&mut file, &mut piece, path)?;
            searched += n as u64;
            match piece.get(..n).filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => capture.push(bytes),
                None => capture.finish(),
            }
            loop {
                match capture.pull() {
                    Ok(Some(item)) => {
                        if let Some(found) = self.item(item) {
                            return Ok(Some(found));
                        }
                    }
                    Ok(None) => break,
                    Err(error) => return self.best().map(Some).ok_or_else(|| damaged(path, error)),
                }
            }
            if n == 0 || searched > SEARCHED {
                return Ok(self.best());
            }
        }
    }

    /// Tries a packet; the stream, once it has proved itself.
    fn item(&mut self, item: Item) -> Option<(Stream, Codec)> {
        let bytes = match item.content {
            Content::Rtp(bytes) => bytes,
            Content::Sdp(sdp) => {
                self.described.add(&sdp, &self.limits);
                return None;
            }
            _ => return None,
        };
        let packet = RtpPacket::parse(&bytes).ok()?;
        self.packets += 1;
        let stream = Stream { flow: item.flow, payload_type: packet.payload_type };
        if !self.candidates.contains_key(&stream) {
            if self.candidates.len() == TRIED {
                return None;
            }
            let candidate = self.candidate(stream);
            self.candidates.insert(stream, candidate);
        }
        let candidate = self.candidates.get_mut(&stream)?;
        let codec = candidate.push(&bytes, PROOF)?;
        Some((stream, codec))
    }

    fn candidate(&self, stream: Stream) -> Candidate {
        let known = self.described.of(stream.payload_type);
        let tries = [Codec::H264, Codec::H265].into_iter().filter(|c| known.is_none_or(|(_, k)| k == *c));
        let depacketizer = |codec| {
            let mut depacketizer = Depacketizer::new(codec, &self.limits);
            if let Some((media, _)) = known {
                depacketizer.seed(media.parameter_sets.iter().map(|nal| &nal[..]));
            }
            (depacketizer, 0)
        };
        Candidate { reorder: self.reorder(stream), tries: tries.map(depacketizer).collect(), packets: 0 }
    }

    fn reorder(&self, stream: Stream) -> Reorder {
        let reorder = match stream.flow.transport {
            Transport::Udp => Reorder::windowed(&self.limits),
            _ => Reorder::in_order(),
        };
        reorder.with_payload_type(stream.payload_type)
    }

    /// The stream with the most pictures, where none has enough to be beyond doubt.
    fn best(&mut self) -> Option<(Stream, Codec)> {
        let ended = self.candidates.iter_mut().filter_map(|(stream, candidate)| {
            let (codec, pictures) = candidate.finish()?;
            Some((pictures, *stream, codec))
        });
        ended.max_by_key(|(pictures, ..)| *pictures).map(|(_, stream, codec)| (stream, codec))
    }

    fn nothing(&self, path: &Path, with_sdp: bool) -> Failure {
        let path = path.display();
        if self.packets == 0 {
            return Failure::new(
                format!("{path} holds no RTP packet"),
                "capture while the camera is being watched, and whole packets (tcpdump -s 0)",
            );
        }
        let streams = self.candidates.len();
        let what = format!(
            "{path} holds no picture of H.264 or H.265 that can be read, in {} RTP packets of {streams} streams",
            self.packets
        );
        let remedy = if with_sdp {
            "check that the SDP belongs to this capture"
        } else {
            "give the camera's session description with --sdp: the parameter sets may be there alone. Encrypted RTP (SRTP) \
             cannot be read"
        };
        Failure::new(what, remedy)
    }
}

impl Candidate {
    /// The codec in which so many pictures can be read.
    fn push(&mut self, bytes: &[u8], enough: u32) -> Option<Codec> {
        let tries = &mut self.tries;
        let mut give = |ordered: vigie::reorder::Ordered<'_>| {
            for (depacketizer, _) in &mut *tries {
                depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
            }
        };
        if let Some(ordered) = self.reorder.push(bytes, Micros(0)) {
            give(ordered);
        }
        while let Some(ordered) = self.reorder.pull() {
            give(ordered);
        }
        self.packets += 1;
        self.count();
        let mut proved = self.tries.iter().filter(|(d, pictures)| *pictures >= enough && self.is_likely(d));
        proved.next().map(|(d, _)| d.codec())
    }

    fn is_likely(&self, depacketizer: &Depacketizer) -> bool {
        let odd = [Quirk::BadPayload, Quirk::UnsupportedPayload, Quirk::BadParameterSet, Quirk::ReservedBit];
        let seen: u64 = odd.into_iter().map(|quirk| depacketizer.quirks().get(quirk)).sum();
        seen <= self.packets / ODD
    }

    fn finish(&mut self) -> Option<(Codec, u32)> {
        self.tries.iter_mut().for_each(|(depacketizer, _)| depacketizer.finish());
        self.count();
        let likely = self.tries.iter().filter(|(depacketizer, _)| self.is_likely(depacketizer));
        let best = likely.max_by_key(|(_, pictures)| *pictures)?;
        (best.1 > 0).then(|| (best.0.codec(), best.1))
    }

    fn count(&mut self) {
        for (depacketizer, pictures) in &mut self.tries {
            while let Some(unit) = depacketizer.pull() {
                let known = unit.parameters.is_some_and(|sets| sets.format().is_some());
                *pictures += u32::from(known);
            }
        }
    }
}

fn damaged(path: &Path, error: rtp::Error) -> Failure {
    let path = path.display();
    let (what, remedy) = match error.kind {
        rtp::Kind::TruncatedCapture => (
            format!("{path} is cut off inside a packet, {}", error.at),
            "copy the file again, or capture again; what was before the cut has been used",
        ),
        _ => (format!("{path} cannot be read on: {error}"), "copy the file again, or capture again"),
    };
    Failure::new(what, remedy).numbered(&error)
}
