//! Which of the streams in a capture is video, and of which codec.

use alloc::vec::Vec;
use bytes::Bytes;

use super::super::interleave::Packetization;
use super::super::payload::{Payload, read};
use super::Searched;
use crate::h26x::{Codec, ParameterSets, annexb};
use crate::limits::Limits;
use crate::rtp::RtpPacket;
use crate::rtp::capture::{Content, Flow, Item};
use crate::sdp::Presentation;

/// Streams that are told apart; a further one takes the place of that with the fewest packets.
const CANDIDATES: usize = 64;
/// Packets of a stream that are looked at before it is taken.
const ENOUGH: u32 = 8;
/// Of so many packets, one may be what the codec does not allow.
const TOLERANCE: u32 = 8;

/// Bytes of a first fragment in which a sequence parameter set must end, and those that tell what else it is.
const SET: usize = 256;
const HEADERS: usize = 10;
/// NAL units that are looked at of those that follow each other in one payload behind start codes.
const UNITS: usize = 8;

/// The stream to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) flow: Flow,
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) codec: Codec,
}

/// Collects evidence.
#[derive(Debug, Default)]
pub(super) struct Sniffer {
    wanted: Option<(Codec, Option<u8>)>,
    candidates: Vec<Candidate>,
    /// What descriptions say, first the caller's, then those in the capture.
    described: Vec<Described>,
    packets: u64,
}

/// What a description says of one stream.
#[derive(Debug)]
struct Described {
    codec: Codec,
    payload_type: u8,
    parameter_sets: Vec<Bytes>,
    packetization: Packetization,
}

impl Described {
    fn is_of(&self, codec: Codec, payload_type: u8) -> bool {
        (self.codec, self.payload_type) == (codec, payload_type)
    }
}

/// A stream, and how much it looks like which codec.
#[derive(Debug)]
struct Candidate {
    flow: Flow,
    ssrc: u32,
    payload_type: u8,
    packets: u32,
    evidence: [(Codec, Evidence); 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// Payloads that the codec's format does not allow.
    bad: u32,
    score: u32,
    /// A sequence parameter set that parses.
    certain: bool,
}

impl Sniffer {
    pub(super) fn looking_for(codec: Codec, payload_type: Option<u8>) -> Self {
        Self { wanted: Some((codec, payload_type)), ..Self::default() }
    }

    pub(super) const fn searched(&self) -> Searched {
        Searched { packets: self.packets, streams: self.candidates.len() }
    }

    /// Believes a description, the ones before it more.
    pub(super) fn describe(&mut self, presentation: &Presentation) {
        let media = presentation.media.iter().filter_map(|media| Some((media.codec?, media)));
        let room = CANDIDATES.saturating_sub(self.described.len());
        let described = media.take(room).map(|(codec, media)| Described {
            codec,
            payload_type: media.payload_type,
            parameter_sets: media.parameter_sets.clone(),
            packetization: Packetization::of(media),
        });
        self.described.extend(described);
    }

    pub(super) fn look(&mut self, item: &Item, limits: &Limits) {
        match &item.content {
            Content::Sdp(text) => {
                if let Ok(presentation) = Presentation::parse(text.clone(), limits) {
                    self.describe(&presentation);
                }
            }
            Content::Rtp(bytes) => {
                let Ok(packet) = RtpPacket::parse(bytes) else { return };
                self.packets += 1;
                let numbered = self
                    .described
                    .iter()
                    .find(|said| said.is_of(Codec::H265, packet.payload_type))
                    .is_some_and(|said| said.packetization.order.is_some());
                if let Some(candidate) = self.candidate(item.flow, &packet) {
                    candidate.look(packet.payload, numbered);
                }
            }
            Content::Rtcp(_) => {}
        }
    }

    /// A stream of which enough was seen to be certain.
    pub(super) fn sure(&self) -> Option<Choice> {
        self.candidates.iter().filter(|c| c.packets >= ENOUGH).find_map(|c| self.choose(c))
    }

    /// The best there is, when nothing more comes.
    pub(super) fn best(&self) -> Option<Choice> {
        self.candidates
            .iter()
            .filter_map(|candidate| Some((candidate.packets, self.choose(candidate)?)))
            .max_by_key(|(packets, _)| *packets)
            .map(|(_, choice)| choice)
    }

    /// The parameter sets that the descriptions have for it. Of two of one number the later wins: that of the first
    /// description.
    pub(super) fn seeds(&self, choice: &Choice) -> impl Iterator<Item = &Bytes> {
        let choice = *choice;
        self.described
            .iter()
            .rev()
            .filter(move |said| said.is_of(choice.codec, choice.payload_type))
            .flat_map(|said| &said.parameter_sets)
    }

    /// How its payloads are made, says the first description of it.
    pub(super) fn packetization(&self, choice: &Choice) -> Packetization {
        let mut said = self.described.iter().filter(|said| said.is_of(choice.codec, choice.payload_type));
        said.next().map(|said| said.packetization).unwrap_or_default()
    }

    fn candidate(&mut self, flow: Flow, packet: &RtpPacket<'_>) -> Option<&mut Candidate> {
        if self.wanted.is_some_and(|(_, wanted)| wanted.is_some_and(|w| w != packet.payload_type)) {
            return None;
        }
        let (ssrc, payload_type) = (packet.ssrc, packet.payload_type);
        let key = (flow, ssrc, payload_type);
        let at = self.candidates.iter().position(|c| (c.flow, c.ssrc, c.payload_type) == key);
        if at.is_none() {
            if self.candidates.len() >= CANDIDATES {
                self.forget_least();
            }
            let evidence = [(Codec::H264, Evidence::default()), (Codec::H265, Evidence::default())];
            self.candidates.push(Candidate { flow, ssrc, payload_type, packets: 0, evidence });
        }
        match at {
            Some(at) => self.candidates.get_mut(at),
            None => self.candidates.last_mut(),
        }
    }

    /// Forgets the stream with the fewest packets, the oldest of such: DNS and its like now and then look like RTP.
    fn forget_least(&mut self) {
        let least = self.candidates.iter().enumerate().min_by_key(|(_, c)| (c.is_certain(), c.packets));
        if let Some((at, _)) = least {
            self.candidates.remove(at);
        }
    }

    /// The codec that a stream is of, if it is video at all.
    fn choose(&self, candidate: &Candidate) -> Option<Choice> {
        let Candidate { flow, ssrc, payload_type, packets, evidence } = candidate;
        evidence
            .iter()
            .filter(|(codec, evidence)| {
                let said = self.wanted.is_some_and(|(wanted, _)| wanted == *codec)
                    || self.described.iter().any(|said| said.is_of(*codec, *payload_type));
                let asked = self.wanted.is_none_or(|(wanted, _)| wanted == *codec);
                asked
                    && (evidence.certain || said && evidence.score > 0)
                    && evidence.bad * TOLERANCE <= *packets
            })
            .max_by_key(|(_, evidence)| (evidence.certain, evidence.score))
            .map(|(codec, _)| Choice { flow: *flow, ssrc: *ssrc, payload_type: *payload_type, codec: *codec })
    }
}

impl Candidate {
    fn is_certain(&self) -> bool {
        self.evidence.iter().any(|(_, evidence)| evidence.certain)
    }

    fn look(&mut self, payload: &[u8], numbered: bool) {
        self.packets += 1;
        for (codec, evidence) in &mut self.evidence {
            evidence.look(*codec, payload, numbered);
        }
    }
}

impl Evidence {
    fn look(&mut self, codec: Codec, payload: &[u8], numbered: bool) {
        match read(codec, payload, numbered) {
            Payload::Single(nal) => self.unit(codec, nal),
            Payload::Parted(nal) => {
                let body = nal.body.get(..SET).unwrap_or(nal.body);
                self.unit(codec, &[&nal.header, body].concat());
            }
            Payload::Aggregation(mut units) => {
                while let Some(member) = units.next() {
                    self.unit(codec, member.nal);
                }
                self.bad += u32::from(units.rest.len() > 1);
            }
            Payload::Piece(piece) if piece.start => {
                let body = piece.body.get(..SET).unwrap_or(piece.body);
                let start = [piece.header.get(..piece.header_length).unwrap_or(&[]), body].concat();
                match annexb::find(&start).and_then(|end| start.get(..end)) {
                    // Sets and picture as one unit, with start codes in between (VStarcam): the first is whole.
                    Some(first) => self.unit(codec, first),
                    None => self.score += annexb::score(codec, start.get(..HEADERS).unwrap_or(&start)),
                }
            }
            Payload::Piece(_) | Payload::Empty => {}
            Payload::Bad | Payload::Unsupported => self.bad += 1,
        }
    }

    /// A NAL unit; or several in one, with start codes in between or before.
    fn unit(&mut self, codec: Codec, bytes: &[u8]) {
        let (first, others) = bytes.split_at(annexb::find(bytes).unwrap_or(bytes.len()));
        self.single(codec, annexb::without_zeros(first));
        annexb::units(others).take(UNITS).for_each(|nal| self.single(codec, nal));
    }

    fn single(&mut self, codec: Codec, nal: &[u8]) {
        let score = annexb::score(codec, nal);
        self.score += score;
        self.certain |= score >= 16 && ParameterSets::new(codec).insert(nal).is_ok();
    }
}
