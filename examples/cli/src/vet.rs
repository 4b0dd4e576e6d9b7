//! `vigie vet`: holds a stream to the rules of its formats, and says of each breach where it is written, where it happens
//! first, and what receivers make of it.
//!
//! A [`Vet`] is told what a source gives (messages, descriptions, packets, NAL units) and keeps one [`Finding`] per
//! [`Rule`], whatever the length of the stream. It reads by the letter: nothing of the tolerance that the rest of Vigie has
//! for cameras stands between the wire and the rules.

pub mod against;
mod clock;
mod finding;
mod gop;
mod level;
pub mod mutate;
mod nal;
mod order;
mod payload;
mod pictures;
mod players;
pub mod report;
mod rtsp;
mod rule;
mod sdp;
mod sets;
pub mod source;
mod stream;

use std::sync::Arc;

use vigie::codec::Codec;
use vigie::limits::Limits;
use vigie::rtp::{RtpPacket, sequence_distance};
use vigie::rtsp::{Request, Response};
use vigie::sdp::{Media, Presentation};
use vigie::time::UtcMicros;

pub use finding::{Finding, Findings, Place};
pub use report::Report;
pub use rule::{Rule, Severity};

use mutate::{Kept, Sent};
use pictures::Pictures;
use rtsp::Messages;
use stream::Stream;

/// Packets whose content is asked for its codec.
const ASKED: u64 = 1_000;
/// Sequence numbers that RTP-Info may be off: packets that were under way.
const UNDER_WAY: u16 = 100;

/// Checks one source. Its memory is bounded: nothing of it grows with the stream.
pub struct Vet {
    limits: Limits,
    findings: Findings,
    messages: Messages,
    presentation: Option<Arc<Presentation>>,
    media: Option<Media>,
    stream: Option<Stream>,
    elementary: Option<Box<Pictures>>,
    /// The packets have shown their codec.
    shown: bool,
    must_start: bool,
    /// What is to be changed later, where that is wanted.
    kept: Option<Box<Kept>>,
}

impl std::fmt::Debug for Vet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vet").field("findings", &self.findings).finish_non_exhaustive()
    }
}

impl Vet {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            findings: Findings::default(),
            messages: Messages::default(),
            presentation: None,
            media: None,
            stream: None,
            elementary: None,
            shown: false,
            must_start: false,
            kept: None,
        }
    }

    /// Keeps the beginning of what comes, to be changed later.
    pub(crate) fn keep(mut self, keep: bool) -> Self {
        self.kept = keep.then(Box::default);
        self
    }

    /// Another connection: its session is another one, which continues nothing of the one before.
    pub(crate) fn reopen(&mut self) {
        self.messages.reopen();
        if let Some(stream) = &mut self.stream {
            stream.reopen(&mut self.findings);
        }
    }

    /// The client sent a request.
    pub fn request(&mut self, request: &Request) {
        self.messages.request(request);
    }

    /// The server answered.
    pub fn response(&mut self, response: &Response, offset: Option<u64>, utc: Option<UtcMicros>) {
        let sdp = self.messages.response(response, offset, utc, &mut self.findings);
        if let (Some(kept), Some(_)) = (&mut self.kept, self.messages.answered.take()) {
            kept.answers.push(response.clone());
        }
        if let Some(sdp) = sdp.filter(|_| self.presentation.is_none()) {
            self.description(&sdp);
        }
        if self.messages.played {
            self.must_start = true;
        }
    }

    /// Framing was lost: `bytes` belong to no item.
    pub(crate) fn skipped(&mut self, bytes: usize, offset: u64, utc: Option<UtcMicros>) {
        let place = Place { offset: Some(offset), utc, ..Place::default() };
        self.findings.add(Rule::RtspFraming, place, || format!("{bytes} bytes"));
    }

    /// A session description: of the source itself, or beside it.
    pub fn description(&mut self, raw: &[u8]) {
        if let Some(kept) = &mut self.kept {
            kept.sdp = Some(raw.to_vec());
        }
        let presentation = Presentation::parse(raw.to_vec(), &self.limits).ok();
        sdp::check(raw, presentation.as_ref(), &mut self.findings);
        let Some(presentation) = presentation else { return };
        self.media = presentation.media.iter().find(|media| media.codec.is_some()).cloned();
        self.presentation = Some(Arc::new(presentation));
    }

    /// The source plays from its beginning: its first picture must be one to start at.
    pub fn starts(&mut self) {
        self.must_start = true;
    }

    /// What was described, where something was.
    #[must_use]
    pub const fn presentation(&self) -> Option<&Arc<Presentation>> {
        self.presentation.as_ref()
    }

    /// The video that was described.
    #[must_use]
    pub const fn media(&self) -> Option<&Media> {
        self.media.as_ref()
    }

    /// What was set up of the video: its channels, in the order of RTP and RTCP.
    pub(crate) fn channels(&self) -> Option<(u8, u8)> {
        self.video().and_then(|agreed| agreed.channels)
    }

    fn video(&self) -> Option<&rtsp::Agreed> {
        let control = self.media.as_ref().and_then(|media| media.control.as_deref()).unwrap_or_default();
        let agreed = &self.messages.agreed;
        let named = agreed.iter().find(|agreed| !control.is_empty() && agreed.control.ends_with(control));
        named.or_else(|| agreed.first())
    }

    /// A packet of the video. `codec`: where no description says it.
    pub fn rtp(
        &mut self,
        bytes: &[u8],
        udp: bool,
        codec: Option<Codec>,
        offset: Option<u64>,
        utc: Option<UtcMicros>,
    ) {
        if self.stream.is_none() {
            let described = self.media.as_ref().and_then(|media| media.codec);
            let Some(codec) = described.or(codec) else { return };
            self.stream = Some(self.open(codec, udp));
            self.announced(bytes, utc);
        }
        if !self.shown {
            self.ask_codec(bytes, udp, utc);
        }
        self.keep_packet(false, bytes);
        if let Some(stream) = &mut self.stream {
            stream.rtp(bytes, offset, utc, &mut self.findings);
        }
    }

    fn keep_packet(&mut self, rtcp: bool, bytes: &[u8]) {
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.has_room()) {
            kept.packets.push(Sent { rtcp, bytes: bytes.to_vec() });
        }
    }

    fn open(&self, codec: Codec, udp: bool) -> Stream {
        let media = self.media.as_ref().filter(|media| media.codec == Some(codec));
        let mut stream = Stream::new(codec, media, udp, &self.limits);
        if self.must_start {
            stream.pictures.must_start();
        }
        stream
    }

    /// What SETUP and PLAY announced, against the first packet.
    fn announced(&mut self, bytes: &[u8], utc: Option<UtcMicros>) {
        let (Ok(packet), Some(agreed)) = (RtpPacket::parse(bytes), self.video().cloned()) else { return };
        let place = Place {
            sequence: Some(packet.sequence),
            timestamp: Some(packet.timestamp),
            utc,
            ..Place::default()
        };
        if let Some(ssrc) = agreed.ssrc.filter(|ssrc| *ssrc != packet.ssrc) {
            self.findings
                .add(Rule::RtspSsrc, place, || format!("{ssrc:08x}, the packet has {:08x}", packet.ssrc));
        }
        if let Some(sequence) = agreed.sequence
            && agreed.tcp
            && sequence_distance(sequence, packet.sequence).unsigned_abs() > UNDER_WAY
        {
            self.findings.add(Rule::RtspInfo, place, || format!("seq={sequence}"));
        }
    }

    /// A sequence parameter set among the first packets shows the codec.
    fn ask_codec(&mut self, bytes: &[u8], udp: bool, utc: Option<UtcMicros>) {
        let Some(stream) = &self.stream else { return };
        let shown = RtpPacket::parse(bytes).ok().and_then(|packet| payload::codec_of(packet.payload));
        self.shown = shown.is_some() || stream.packets() > ASKED;
        let described = stream.pictures.codec();
        if let Some(codec) = shown.filter(|codec| *codec != described) {
            let place = Place { utc, ..Place::default() };
            self.findings
                .add(Rule::SdpCodec, place, || format!("described as {described:?}, sent as {codec:?}"));
            self.stream = Some(self.open(codec, udp));
        }
    }

    /// A compound of RTCP. `ours`: it came where that of the video does; otherwise it is looked at only if it is of the
    /// video's SSRC.
    pub fn rtcp(&mut self, bytes: &[u8], ours: bool, utc: Option<UtcMicros>) {
        let Some(stream) = &mut self.stream else { return };
        let named = bytes.get(4..8).and_then(|ssrc| ssrc.try_into().ok()).map(u32::from_be_bytes);
        if ours || named.is_some() && named == stream.ssrc() {
            stream.rtcp(bytes, utc, &mut self.findings);
            self.keep_packet(true, bytes);
        }
    }

    /// A NAL unit of an elementary stream.
    pub fn unit(&mut self, codec: Codec, nal: &[u8], offset: u64) {
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.has_room()) {
            kept.units.push(nal.to_vec());
        }
        let limits = self.limits;
        let pictures = self.elementary.get_or_insert_with(|| {
            let mut pictures = Pictures::new(codec, &limits);
            pictures.elementary();
            Box::new(pictures)
        });
        let place = Place { offset: Some(offset), ..Place::default() };
        let received = payload::Received { bytes: nal.to_vec(), place, behind: false };
        pictures.nal(&received, &mut self.findings);
    }

    /// The source has ended.
    #[must_use]
    pub fn finish(mut self, source: &str) -> Report {
        if let Some(stream) = &mut self.stream {
            stream.finish(&mut self.findings);
        }
        if let Some(pictures) = &mut self.elementary {
            pictures.finish(&mut self.findings);
        }
        Report::new(source, self)
    }
}
