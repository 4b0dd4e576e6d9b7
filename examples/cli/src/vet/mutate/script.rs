//! A session as it can be played to the machines: what a server answers, then what it sends.

use bytes::BytesMut;
use vigie::codec::Codec;
use vigie::packetize::{Framing, Packetizer};
use vigie::rtsp::{Message, Response, Status};
use vigie::sdp::Description;

use crate::failure::Failure;

/// Packets that a session has at most: the vendor's first ones.
pub(crate) const PACKETS: usize = 2_000;
/// Bytes of them.
const BYTES: usize = 2 << 20;

/// What was kept of a source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) codec: Option<Codec>,
    pub(crate) sdp: Option<Vec<u8>>,
    /// The answers of 200 to OPTIONS, DESCRIBE, SETUP and PLAY, in the order in which they came.
    pub(crate) answers: Vec<Response>,
    pub(crate) packets: Vec<Sent>,
    /// Of an elementary stream.
    pub(crate) units: Vec<Vec<u8>>,
}

/// A packet of RTP or RTCP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sent {
    pub(crate) rtcp: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Kept {
    pub(crate) fn has_room(&self) -> bool {
        let bytes = self.packets.iter().map(|sent| sent.bytes.len()).chain(self.units.iter().map(Vec::len));
        self.packets.len() + self.units.len() < PACKETS && bytes.sum::<usize>() < BYTES
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Script {
    pub(super) codec: Codec,
    pub(super) answers: Vec<Vec<u8>>,
    pub(super) packets: Vec<Sent>,
}

impl Script {
    /// Of what a source gave.
    ///
    /// # Errors
    /// It gave no video.
    pub(super) fn of(kept: Kept) -> Result<Self, Failure> {
        let Some(codec) = kept.codec else {
            return Err(Failure::new(
                "the source holds nothing that can be changed",
                "give a source that `vigie vet` can judge: a camera, a capture, or an .h264 or .h265 file",
            ));
        };
        let packets = if kept.packets.is_empty() { packetized(codec, &kept.units) } else { kept.packets };
        // A stream without a description is one of dynamic payload type, as its packets say.
        let number = packets
            .iter()
            .find(|sent| !sent.rtcp)
            .and_then(|sent| sent.bytes.get(1))
            .map_or(96, |b| b & 0x7f);
        let sdp = kept.sdp.unwrap_or_else(|| {
            Description::live("vigie vet").with_video(codec, number, &[]).to_string().into_bytes()
        });
        Ok(Self { codec, answers: answers(&kept.answers, &sdp), packets })
    }

    /// Bytes of all of it.
    pub(super) fn size(&self) -> usize {
        let packets = self.packets.iter().map(|sent| sent.bytes.len());
        packets.chain(self.answers.iter().map(Vec::len)).sum()
    }

    /// What the server sends, piece by piece.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let packets = self.packets.iter().map(|sent| {
            let length = u16::try_from(sent.bytes.len()).unwrap_or(u16::MAX);
            let body = sent.bytes.get(..usize::from(length)).unwrap_or(&sent.bytes);
            [&[b'$', u8::from(sent.rtcp)], &length.to_be_bytes()[..], body].concat()
        });
        self.answers.iter().cloned().chain(packets)
    }
}

/// The NAL units of an elementary stream as packets, a picture for each slice.
fn packetized(codec: Codec, units: &[Vec<u8>]) -> Vec<Sent> {
    let mut packetizer = Packetizer::new(codec, 0x7669_6769, 96, 1, 1_400);
    let (mut all, mut ticks, mut unit) = (Vec::new(), 0_u32, Vec::new());
    for nal in units {
        unit.extend(u32::try_from(nal.len()).unwrap_or(0).to_be_bytes());
        unit.extend(nal);
        let nal = vigie::h26x::Nal::new(nal);
        if nal.kind(codec) != vigie::h26x::NalKind::Slice {
            continue;
        }
        let mut out = BytesMut::new();
        packetizer.packetize(&unit, ticks, Framing::Bare, &mut out);
        let mut rest = &out[..];
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let Some((bytes, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))
            else {
                break;
            };
            all.push(Sent { rtcp: false, bytes: bytes.to_vec() });
            rest = after;
        }
        unit.clear();
        ticks = ticks.wrapping_add(3_600);
    }
    all
}

/// The answers of a session over TCP: the vendor's own where they were seen, as our requests number them.
fn answers(seen: &[Response], sdp: &[u8]) -> Vec<Vec<u8>> {
    let own = |at: usize| match at {
        0 => ok().field("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"),
        1 => {
            let mut response = ok().field("Content-Type", "application/sdp").0;
            response.body = sdp.to_vec().into();
            Answer(response)
        }
        2 => ok().field("Session", "12345678;timeout=60"),
        _ => ok().field("Session", "12345678").field("Range", "npt=0.000-"),
    };
    let whole = seen.len() == 4;
    let numbered = (0..4).map(|at| {
        let mut response = match seen.get(at).filter(|_| whole) {
            Some(response) => response.clone(),
            None => own(at).0,
        };
        response.headers.remove("CSeq");
        response.headers.remove("Content-Length");
        if at == 2 {
            // However the media came: here it comes on these channels, as [`Script::pieces`] says.
            response.headers.remove("Transport");
            response.headers.push("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1");
        }
        response.headers.push("CSeq", &(at + 1).to_string());
        Message::Response(response).to_bytes().to_vec()
    });
    numbered.collect()
}

struct Answer(Response);

fn ok() -> Answer {
    Answer(Response::new(Status(200)))
}

impl Answer {
    fn field(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push(name, value);
        self
    }
}
