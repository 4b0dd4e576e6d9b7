//! One RTP stream: headers and numbering, then payloads, pictures and clock.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use vigie::codec::Codec;
use vigie::depacket::Packetization;
use vigie::limits::Limits;
use vigie::rtp::rtcp::{self, Packet, SenderReport};
use vigie::rtp::{Extension, RtpPacket, sequence_distance};
use vigie::sdp::Media;
use vigie::time::UtcMicros;

use super::clock::Clock;
use super::finding::{Findings, Place};
use super::payload::{Payloads, Unpacked};
use super::pictures::Pictures;
use super::rule::Rule;

/// The largest RTP packet that a UDP datagram takes through Ethernet whole: 1 500 less the headers of IPv4 and UDP.
const LARGEST: usize = 1_472;
/// Packets that wait for one that is missing.
const WAITING: usize = 16;
/// Numbers farther away than that are another numbering: RFC 3550 appendix A.1, MAX_DROPOUT.
const DROPOUT: i16 = 3_000;
/// Packets that are remembered to tell those that come twice.
const REMEMBERED: usize = 128;

/// What the description says of a stream, as far as its packets are judged by it.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) payload_types: Vec<u8>,
    pub(super) packetization: Option<Packetization>,
}

impl Declared {
    pub(super) fn of(media: &Media) -> Self {
        Self {
            payload_types: media.payload_types.iter().map(|pt| pt.number).collect(),
            packetization: Some(Packetization::of(media)),
        }
    }
}

/// A packet that waits for its turn.
struct Waiting {
    bytes: Vec<u8>,
    place: Place,
}

/// One stream's packets.
pub(super) struct Stream {
    udp: bool,
    declared: Declared,
    packets: u64,
    ssrc: Option<u32>,
    /// The SSRC that said goodbye.
    gone: Option<u32>,
    expected: Option<u16>,
    /// A number was used for two packets: the next may be left out.
    slack: bool,
    held: BTreeMap<i16, Waiting>,
    recent: VecDeque<(u16, u64)>,
    payloads: Payloads,
    pub(super) pictures: Pictures,
    pub(super) clock: Clock,
    pub(super) bytes: u64,
}

impl Stream {
    pub(super) fn new(codec: Codec, media: Option<&Media>, udp: bool, limits: &Limits) -> Self {
        let declared = media.map(Declared::of).unwrap_or_default();
        let mut pictures = Pictures::new(codec, limits);
        if let Some(media) = media {
            pictures.describe(media);
        }
        Self {
            udp,
            payloads: Payloads::new(codec, declared.packetization),
            declared,
            packets: 0,
            ssrc: None,
            gone: None,
            expected: None,
            slack: false,
            held: BTreeMap::new(),
            recent: VecDeque::new(),
            pictures,
            clock: Clock::default(),
            bytes: 0,
        }
    }

    /// The SSRC of its packets.
    pub(super) const fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    pub(super) const fn packets(&self) -> u64 {
        self.packets
    }

    /// Takes a packet as it arrived.
    pub(super) fn rtp(
        &mut self,
        bytes: &[u8],
        offset: Option<u64>,
        utc: Option<UtcMicros>,
        f: &mut Findings,
    ) {
        self.packets += 1;
        self.bytes += bytes.len() as u64;
        let mut place = Place { offset, packet: Some(self.packets), utc, ..Place::default() };
        let packet = match RtpPacket::parse(bytes) {
            Ok(packet) => packet,
            Err(error) => {
                f.add(Rule::PacketHeader, place, || error.to_string());
                return;
            }
        };
        (place.sequence, place.timestamp) = (Some(packet.sequence), Some(packet.timestamp));
        if !self.accept(&packet, place, f) {
            return;
        }
        self.check(bytes, &packet, place, f);
        self.number(bytes, &packet, place, f);
    }

    /// Is the packet one of this stream?
    fn accept(&mut self, packet: &RtpPacket<'_>, place: Place, f: &mut Findings) -> bool {
        let known = &self.declared.payload_types;
        if !known.is_empty() && !known.contains(&packet.payload_type) {
            f.add(Rule::PayloadType, place, || {
                format!("payload type {}, described are {known:?}", packet.payload_type)
            });
            // One that takes up a number of the stream is taken for a packet of it.
            if self.expected.is_none_or(|expected| expected != packet.sequence) {
                return false;
            }
        }
        match self.ssrc {
            Some(ssrc) if ssrc != packet.ssrc => {
                if self.gone != Some(ssrc) {
                    f.add(Rule::SsrcChange, place, || format!("{ssrc:08x}, then {:08x}", packet.ssrc));
                }
                self.flush(f);
                self.expected = None;
                self.restart();
            }
            _ => {}
        }
        self.ssrc = Some(packet.ssrc);
        true
    }

    /// What the header says that needs no neighbour.
    fn check(&self, bytes: &[u8], packet: &RtpPacket<'_>, place: Place, f: &mut Findings) {
        if self.udp && bytes.len() > LARGEST {
            f.add(Rule::PacketTooLarge, place, || format!("{} bytes", bytes.len()));
        }
        if bytes.first().is_some_and(|first| first & 0x20 != 0) {
            f.add(Rule::Padding, place, || format!("{} bytes of payload", packet.payload.len()));
        }
        if let Some(extension) = packet.extension
            && extension.profile == Extension::ONVIF_REPLAY
            && extension.bytes.len() != 12
        {
            f.add(Rule::OnvifExtension, place, || format!("{} bytes", extension.bytes.len()));
        }
    }

    /// Puts the packets in order.
    fn number(&mut self, bytes: &[u8], packet: &RtpPacket<'_>, place: Place, f: &mut Findings) {
        let Some(expected) = self.expected else {
            return self.take(bytes, packet.sequence, place, f);
        };
        let ahead = sequence_distance(expected, packet.sequence);
        match ahead {
            0 => {
                self.take(bytes, packet.sequence, place, f);
                self.drain(f);
            }
            1 if self.slack && !self.held.contains_key(&1) => {
                self.slack = false;
                self.take(bytes, packet.sequence, place, f);
                self.drain(f);
            }
            1..DROPOUT => {
                // One of those that wait, again.
                if self.held.contains_key(&ahead) {
                    f.add(Rule::SequenceDuplicate, place, || "the same number as a packet before".to_owned());
                    return;
                }
                self.held.insert(ahead, Waiting { bytes: bytes.to_vec(), place });
                if self.held.len() > WAITING {
                    self.give_up(f);
                }
            }
            _ => self.old(bytes, packet, ahead, place, f),
        }
    }

    /// A packet whose number has had its turn.
    fn old(&mut self, bytes: &[u8], packet: &RtpPacket<'_>, ahead: i16, place: Place, f: &mut Findings) {
        let same = self.recent.iter().rev().find(|(number, _)| *number == packet.sequence).copied();
        match same {
            Some((_, sum)) if sum == digest(bytes) => {
                f.add(Rule::SequenceDuplicate, place, || "the same packet twice".to_owned());
            }
            Some(_) if ahead == -1 => {
                f.add(Rule::SequenceDuplicate, place, || "two packets of different content".to_owned());
                self.slack = true;
                self.deliver(bytes, place, f);
            }
            Some(_) => {
                f.add(Rule::SequenceDuplicate, place, || {
                    "a number used before, for another packet".to_owned()
                });
            }
            None if ahead.unsigned_abs() >= DROPOUT.unsigned_abs() => {
                let expected = self.expected.unwrap_or_default();
                f.add(Rule::SequenceRestart, place, || format!("{}, expected {expected}", packet.sequence));
                self.flush(f);
                self.restart();
                self.take(bytes, packet.sequence, place, f);
            }
            None => {
                f.add(Rule::SequenceOrder, place, || {
                    format!("{} late by {}", packet.sequence, -i32::from(ahead))
                });
            }
        }
    }

    /// A packet in its turn.
    fn take(&mut self, bytes: &[u8], sequence: u16, place: Place, f: &mut Findings) {
        // Distances are counted from what is expected now.
        let passed =
            self.expected.map_or(0, |expected| sequence_distance(expected, sequence)).wrapping_add(1);
        self.expected = Some(sequence.wrapping_add(1));
        self.recent.push_back((sequence, digest(bytes)));
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
        let moved = std::mem::take(&mut self.held);
        self.held = moved.into_iter().map(|(ahead, waiting)| (ahead.wrapping_sub(passed), waiting)).collect();
        self.deliver(bytes, place, f);
    }

    /// Those that waited for the one that came.
    fn drain(&mut self, f: &mut Findings) {
        let mut late = !self.held.is_empty();
        while let Some(waiting) = self.held.remove(&0) {
            if std::mem::take(&mut late) {
                f.add(Rule::SequenceOrder, waiting.place, || {
                    "came before the one numbered one less".to_owned()
                });
            }
            let sequence = waiting.place.sequence.unwrap_or_default();
            self.take(&waiting.bytes, sequence, waiting.place, f);
        }
    }

    /// What is missing does not come any more.
    fn give_up(&mut self, f: &mut Findings) {
        let Some((missing, first)) = self.held.pop_first() else { return };
        f.add(Rule::SequenceGap, first.place, || format!("{missing} missing before it"));
        self.payloads.gap();
        self.pictures.gap();
        let sequence = first.place.sequence.unwrap_or_default();
        self.take(&first.bytes, sequence, first.place, f);
        while let Some(waiting) = self.held.remove(&0) {
            let sequence = waiting.place.sequence.unwrap_or_default();
            self.take(&waiting.bytes, sequence, waiting.place, f);
        }
    }

    fn flush(&mut self, f: &mut Findings) {
        while !self.held.is_empty() {
            self.give_up(f);
        }
    }

    /// Another session: its SSRC, its numbering and its reports are its own.
    pub(super) fn reopen(&mut self, f: &mut Findings) {
        self.flush(f);
        (self.ssrc, self.gone, self.expected) = (None, None, None);
        self.restart();
        self.clock.reopen();
    }

    /// Another SSRC, another numbering: nothing that follows continues what was before.
    fn restart(&mut self) {
        self.recent.clear();
        self.slack = false;
        self.payloads.gap();
        self.pictures.gap();
        self.pictures.new_clock();
        self.clock.restart();
    }

    fn deliver(&mut self, bytes: &[u8], place: Place, f: &mut Findings) {
        let Ok(packet) = RtpPacket::parse(bytes) else { return };
        let pictures = &mut self.pictures;
        let clock = &mut self.clock;
        self.payloads.push(packet.payload, packet.marker, place, f, &mut |unpacked, f| match unpacked {
            Unpacked::Begins => pictures.begins(),
            Unpacked::Continues => pictures.continues(f),
            Unpacked::Nal(nal) => {
                if let Some(begun) = pictures.nal(&nal, f) {
                    clock.picture(begun, f);
                }
            }
            Unpacked::Lost => pictures.gap(),
        });
        if packet.marker {
            self.pictures.marker(place);
        }
    }

    /// Takes an RTCP compound; gives the sender report of this stream in it.
    pub(super) fn rtcp(
        &mut self,
        bytes: &[u8],
        utc: Option<UtcMicros>,
        f: &mut Findings,
    ) -> Option<SenderReport> {
        let place = Place { utc, ..Place::default() };
        let (mut report, mut named, mut begins) = (None, false, None);
        for packet in rtcp::parse(bytes) {
            match packet {
                Ok(packet) => {
                    begins.get_or_insert(matches!(
                        packet,
                        Packet::SenderReport(..) | Packet::ReceiverReport(..)
                    ));
                    match packet {
                        Packet::SenderReport(found, _) if self.ssrc.is_none_or(|ssrc| ssrc == found.ssrc) => {
                            report = Some(found);
                        }
                        Packet::SourceDescription(sdes) => named |= sdes.cname().is_some(),
                        Packet::Goodbye(bye) => {
                            self.gone = bye.sources().find(|of| Some(*of) == self.ssrc).or(self.gone)
                        }
                        _ => {}
                    }
                }
                Err(error) => {
                    f.add(Rule::RtcpMalformed, place, || error.to_string());
                    named = true;
                }
            }
        }
        if !named || begins == Some(false) {
            let what = if named { "does not begin with a report" } else { "no CNAME" };
            f.add(Rule::RtcpCompound, place, || what.to_owned());
        }
        if let Some(report) = report {
            self.clock.report(report, utc, f);
        }
        report
    }

    pub(super) fn finish(&mut self, f: &mut Findings) {
        self.flush(f);
        self.pictures.finish(f);
        self.clock.finish(f);
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of a slice that nobody can read.
    fn packet(ssrc: u8, sequence: u16, last: u8) -> [u8; 15] {
        let [high, low] = sequence.to_be_bytes();
        [0x80, 96, high, low, 0, 0, 0, 0, 0, 0, 0, ssrc, 0x41, 0x9a, last]
    }

    fn told(packets: &[(u8, u16, u8)], reopen: bool) -> Vec<Rule> {
        let (mut f, limits) = (Findings::default(), Limits::default());
        let mut stream = Stream::new(Codec::H264, None, true, &limits);
        let mut before = None;
        for (ssrc, sequence, last) in packets {
            if reopen && before.is_some_and(|before| before != *ssrc) {
                stream.reopen(&mut f);
            }
            before = Some(*ssrc);
            stream.rtp(&packet(*ssrc, *sequence, *last), None, None, &mut f);
        }
        stream.finish(&mut f);
        let of_numbers = [
            Rule::SsrcChange,
            Rule::SequenceGap,
            Rule::SequenceDuplicate,
            Rule::SequenceOrder,
            Rule::SequenceRestart,
        ];
        of_numbers.into_iter().filter(|rule| f.sorted().iter().any(|found| found.rule == *rule)).collect()
    }

    #[test]
    fn another_session_has_its_own_numbers() {
        let packets = [(1, 10, 1), (1, 11, 1), (2, 40_000, 1), (2, 40_001, 1)];
        assert_eq!(told(&packets, false), [Rule::SsrcChange]);
        assert!(told(&packets, true).is_empty());
    }

    /// 11 stands for two packets, and 12 is left out; 14 comes before 13.
    #[test]
    fn what_waits_keeps_its_place_where_a_number_is_left_out() {
        let packets = [(1, 10, 1), (1, 11, 1), (1, 11, 2), (1, 14, 1), (1, 13, 1), (1, 15, 1)];
        assert_eq!(told(&packets, false), [Rule::SequenceDuplicate, Rule::SequenceOrder]);
    }
}
