//! Captures of packets: pcap, pcapng, RFC 4571, interleaved RTP.

use std::collections::BTreeMap;

use vigie::codec::Codec;
use vigie::limits::Limits;
use vigie::rtp::RtpPacket;
use vigie::rtp::capture::{Capture, Content, Flow, Item, Transport};

use super::{Pieces, dated, nothing};
use crate::failure::Failure;
use crate::vet::{Report, Vet, payload};

/// Items looked at in search of the video.
const LOOKED_AT: usize = 4_096;
/// Bytes of them, at most.
const HELD: usize = 32 << 20;
/// Packets of the described payload type that make a flow the video's.
const ENOUGH: u32 = 8;

/// One stream of the capture.
type Key = (Flow, u8);

pub(super) fn vet(
    pieces: &mut Pieces<'_>,
    sdp: Option<&[u8]>,
    name: &str,
    limits: &Limits,
) -> Result<Report, Failure> {
    let mut search = Search {
        vet: Vet::new(limits).keep(pieces.keep),
        waiting: Vec::new(),
        held: 0,
        seen: BTreeMap::new(),
        found: None,
    };
    if let Some(sdp) = sdp {
        search.vet.description(sdp);
        if search.vet.media().is_none() {
            return Err(Failure::new(
                "the file of --sdp describes no H.264 or H.265",
                "give the SDP that the camera answered to DESCRIBE, or leave --sdp out",
            ));
        }
    }
    let mut capture = Capture::new(limits);
    loop {
        let piece = pieces.next()?;
        if piece.is_empty() {
            capture.finish();
        } else {
            capture.push(&piece);
        }
        loop {
            match capture.pull() {
                Ok(Some(item)) => search.take(item),
                Ok(None) => break,
                Err(error) => {
                    search.settle();
                    if search.found.is_none() {
                        return Err(Failure::fault(
                            &format!("cannot read {name}"),
                            &error,
                            "copy the file again, or capture again",
                        ));
                    }
                    crate::output::note(&format!(
                        "{name} cannot be read on: {error}; what was before it has been judged"
                    ));
                    return search.finish(name);
                }
            }
        }
        if piece.is_empty() {
            break;
        }
    }
    search.settle();
    search.finish(name)
}

struct Search {
    vet: Vet,
    waiting: Vec<Item>,
    /// Bytes of those that wait.
    held: usize,
    /// Streams, how many packets they had, and what they showed.
    seen: BTreeMap<Key, (u32, Option<Codec>)>,
    found: Option<(Key, Option<Codec>)>,
}

impl Search {
    fn take(&mut self, item: Item) {
        if self.found.is_some() {
            return self.give(&item);
        }
        match &item.content {
            Content::Sdp(sdp) if self.vet.presentation().is_none() => {
                self.vet.description(sdp);
                // The capture has the session's beginning.
                self.vet.starts();
            }
            Content::Rtp(bytes) => self.look(item.flow, bytes),
            _ => {}
        }
        self.held += match &item.content {
            Content::Rtp(bytes) | Content::Rtcp(bytes) => bytes.len(),
            _ => 0,
        };
        self.waiting.push(item);
        if self.found.is_some() || self.waiting.len() > LOOKED_AT || self.held > HELD {
            self.settle();
        }
    }

    fn look(&mut self, flow: Flow, bytes: &[u8]) {
        let Ok(packet) = RtpPacket::parse(bytes) else { return };
        if self.seen.len() > 256 {
            return;
        }
        let key = (flow, packet.payload_type);
        let (count, codec) = self.seen.entry(key).or_default();
        *count += 1;
        *codec = codec.or_else(|| payload::codec_of(packet.payload));
        let described = self.vet.media().map(|media| media.payload_type);
        if described == Some(packet.payload_type) && *count >= ENOUGH
            || described.is_none() && codec.is_some()
        {
            self.found = Some((key, *codec));
        }
    }

    /// Decides, and gives what waited.
    fn settle(&mut self) {
        if self.found.is_none() {
            let described = self.vet.media().map(|media| media.payload_type);
            let fits = |(key, (_, codec)): &(&Key, &(u32, Option<Codec>))| {
                described.map_or(codec.is_some(), |number| number == key.1)
            };
            let best = self.seen.iter().filter(fits).max_by_key(|(_, (count, _))| *count);
            self.found = best.map(|(key, (_, codec))| (*key, *codec));
        }
        if self.found.is_some() {
            for item in std::mem::take(&mut self.waiting) {
                self.give(&item);
            }
        }
        self.waiting.clear();
        self.held = 0;
    }

    fn give(&mut self, item: &Item) {
        let Some(((flow, _), codec)) = self.found else { return };
        let at = item.at.and_then(dated);
        match &item.content {
            Content::Rtp(bytes) if item.flow == flow => {
                self.vet.rtp(bytes, flow.transport == Transport::Udp, codec, None, at);
            }
            Content::Rtcp(bytes) => self.vet.rtcp(bytes, false, at),
            _ => {}
        }
    }

    fn finish(self, name: &str) -> Result<Report, Failure> {
        let report = self.vet.finish(name);
        if report.pictures() == 0 { Err(nothing(name)) } else { Ok(report) }
    }
}
