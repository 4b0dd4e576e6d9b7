//! NAL units to RTP payloads: the way back, for re-streaming and simulated cameras. RFC 6184 (packetization mode 1; mode 2
//! where the caller says what is sent when) and RFC 7798.

mod numbered;

use bytes::BytesMut;

use crate::codec::Codec;
use crate::octets::Write;
use crate::rtp::{self, rtcp::SenderReport};
use crate::time::NtpTime;

pub use numbered::NumberedUnit;

/// How packets are told apart in a stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// RFC 4571: each behind its length in 2 bytes.
    Bare,
    /// RTSP interleaved, RFC 2326 §10.12: `$`, the channel, then the length in 2 bytes.
    Interleaved(u8),
}

/// Bytes of a PACI's fields and of its TSCI.
const PACI: usize = 5;

/// Access units to RTP packets of one stream.
///
/// ```
/// use bytes::BytesMut;
/// use vigie::{codec::Codec, packetize::{Framing, Packetizer}};
/// let mut packetizer = Packetizer::new(Codec::H264, 0x1234, 96, 0, 1_400);
/// let mut out = BytesMut::new();
/// let packets = packetizer.packetize(&[0, 0, 0, 2, 0x65, 0x88], 3_000, Framing::Interleaved(0), &mut out);
/// assert_eq!(packets, 1);
/// assert_eq!(out[..4], [b'$', 0, 0, 14]);
/// ```
#[derive(Clone, Debug)]
pub struct Packetizer {
    codec: Codec,
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
    /// Bytes that a payload may have.
    payload: usize,
    aggregate: bool,
    paci: bool,
    packets: u32,
    octets: u32,
}

/// Where packets go: what `packetize` carries from one to the next.
struct Sink<'a> {
    out: &'a mut BytesMut,
    framing: Framing,
    timestamp: u32,
    packets: usize,
    /// Where the last packet's marker bit is.
    marker: Option<usize>,
}

impl Packetizer {
    /// `mtu` is the most bytes that one RTP packet may have, its header included (framing is not); taken between 64
    /// and 65 535. `payload_type` is 0 to 127.
    #[must_use]
    pub fn new(codec: Codec, ssrc: u32, payload_type: u8, first_sequence: u16, mtu: usize) -> Self {
        Self {
            codec,
            ssrc,
            payload_type: payload_type & 0x7f,
            sequence: first_sequence,
            payload: mtu.clamp(64, 65_535) - rtp::HEADER,
            aggregate: true,
            paci: false,
            packets: 0,
            octets: 0,
        }
    }

    /// Should neighbours that are not slices (parameter sets, SEI, delimiters) share a packet? On unless turned off:
    /// some receivers read no aggregation packets.
    #[must_use]
    pub fn aggregate(mut self, on: bool) -> Self {
        self.aggregate = on;
        self
    }

    /// Should H.265 payloads be wrapped in PACI packets that tell of temporal scalability (TSCI), RFC 7798 §4.4.4 and
    /// §4.5? Off unless turned on.
    #[must_use]
    pub fn paci(mut self, on: bool) -> Self {
        let on = on && self.codec == Codec::H265;
        if on != self.paci {
            self.payload = if on { self.payload - PACI } else { self.payload + PACI };
        }
        self.paci = on;
        self
    }

    /// Appends the packets of one access unit to `out` and says how many. `au` holds NAL units, each behind its length
    /// in 4 bytes, big-endian, as [`AccessUnit::data`](crate::depacket::AccessUnit::data) does; what follows a length
    /// that is too large is left out, as are NAL units without their header, and those whose type the RTP payload
    /// format keeps for itself (24 to 31 in H.264, 48 to 63 in H.265). The last packet carries the marker.
    pub fn packetize(&mut self, au: &[u8], timestamp: u32, framing: Framing, out: &mut BytesMut) -> usize {
        // A packet's share of headers is 18 bytes at most.
        out.reserve(au.len() + 18 * (au.len() / (self.payload - 3) + 8));
        let mut sink = Sink { out, framing, timestamp, packets: 0, marker: None };
        let mut rest = au;
        while let Some((nal, after)) = split_nal(rest) {
            rest = after;
            if !self.carried(nal) {
                continue;
            }
            if nal.len() > self.payload {
                self.fragments(nal, &mut sink);
                continue;
            }
            let (count, size) = self.companions(nal, rest);
            if count > 1 {
                rest = self.aggregation(nal, rest, count, size, &mut sink);
            } else {
                self.single(nal, &mut sink);
            }
        }
        if let Some(second) = sink.marker.and_then(|at| sink.out.get_mut(at)) {
            *second |= 0x80;
        }
        sink.packets
    }

    /// The number that the next packet will carry, for `RTP-Info`.
    #[must_use]
    pub const fn next_sequence(&self) -> u16 {
        self.sequence
    }

    /// The stream's SSRC.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// A sender report of what was sent so far, which pairs a wall clock's time with this stream's.
    #[must_use]
    pub const fn sender_report(&self, ntp: NtpTime, rtp_timestamp: u32) -> SenderReport {
        SenderReport {
            ssrc: self.ssrc,
            ntp,
            rtp_timestamp,
            packet_count: self.packets,
            octet_count: self.octets,
        }
    }

    fn carried(&self, nal: &[u8]) -> bool {
        match (self.codec, nal) {
            (Codec::H264, [first, ..]) => first & 0x1f < 24,
            (Codec::H265, [first, _, ..]) => first >> 1 & 0x3f < 48,
            _ => false,
        }
    }

    /// Neither slice nor slice data partition.
    fn small_talk(&self, nal: &[u8]) -> bool {
        let first = nal.first().copied().unwrap_or(0);
        match self.codec {
            Codec::H264 => (6..24).contains(&(first & 0x1f)),
            Codec::H265 => first >> 1 & 0x3f >= 32,
        }
    }

    fn single(&mut self, nal: &[u8], sink: &mut Sink<'_>) {
        self.header(nal.len(), sink);
        match (self.codec, nal) {
            (Codec::H265, [first, second, body @ ..]) => {
                self.payload_header([*first, *second], sink.out);
                sink.out.put(body);
            }
            _ => sink.out.put(nal),
        }
    }

    /// The payload header of H.265, in a PACI or not: RFC 7798 §4.4.4.
    fn payload_header(&self, [first, second]: [u8; 2], out: &mut BytesMut) {
        if self.paci {
            out.put(&[first & 0x01 | 50 << 1, second]);
            // A, cType, PHSsize 3, F0 of F0 to F2, Y; then TL0PICIDX, IrapPicID, S, E and RES.
            out.put_u16(u16::from(first & 0x80) << 8 | u16::from(first >> 1 & 0x3f) << 9 | 3 << 4 | 1 << 3);
            out.put(&[0, 0, 0]);
        } else {
            out.put(&[first, second]);
        }
    }

    /// How many NAL units, this one included, share a packet, and the bytes of its payload.
    fn companions(&self, nal: &[u8], mut rest: &[u8]) -> (usize, usize) {
        let own_header = match self.codec {
            Codec::H264 => 1,
            Codec::H265 => 2,
        };
        let (mut count, mut size) = (1, own_header + 2 + nal.len());
        if !self.aggregate || !self.small_talk(nal) {
            return (count, size);
        }
        while let Some((next, after)) = split_nal(rest) {
            let larger = size + 2 + next.len();
            if larger > self.payload || !self.carried(next) || !self.small_talk(next) {
                break;
            }
            (count, size, rest) = (count + 1, larger, after);
        }
        (count, size)
    }

    /// STAP-A, RFC 6184 §5.7.1; AP, RFC 7798 §4.4.2. Gives what follows the last NAL unit taken.
    fn aggregation<'a>(
        &mut self,
        nal: &[u8],
        rest: &'a [u8],
        count: usize,
        size: usize,
        sink: &mut Sink<'_>,
    ) -> &'a [u8] {
        self.header(size, sink);
        let header = sink.out.len();
        match self.codec {
            Codec::H264 => sink.out.put(&[24]),
            Codec::H265 => self.payload_header([48 << 1 | 1, 0xff], sink.out),
        }
        let (mut nal, mut rest) = (nal, rest);
        for left in (0..count).rev() {
            sink.out.put_u16(nal.len() as u16);
            sink.out.put(nal);
            self.merge_header(header, nal, sink.out);
            if left == 0 {
                break;
            }
            let Some((next, after)) = split_nal(rest) else { break };
            (nal, rest) = (next, after);
        }
        rest
    }

    /// The header of an aggregation packet: F of any; the highest NRI, the lowest layer and temporal id.
    fn merge_header(&self, at: usize, nal: &[u8], out: &mut BytesMut) {
        match (self.codec, nal, out.get_mut(at..)) {
            (Codec::H264, [first, ..], Some([header, ..])) => {
                *header = (*header | first) & 0x80 | (*header & 0x60).max(first & 0x60) | 24;
            }
            (Codec::H265, [a, b, ..], Some([header, second, ..])) => {
                let layer = |a: u8, b: u8| (a & 1) << 5 | b >> 3;
                let layer = layer(*header, *second).min(layer(*a, *b));
                *header = (*header | a & 0x80) & 0xfe | layer >> 5;
                *second = layer << 3 | (*second & 7).min(b & 7);
            }
            _ => {}
        }
    }

    /// FU-A, RFC 6184 §5.8; FU, RFC 7798 §4.4.3. `nal` is longer than a payload, so there are two fragments or more.
    fn fragments(&mut self, nal: &[u8], sink: &mut Sink<'_>) {
        let ([indicator, second], kind, own_header) = match (self.codec, nal) {
            (Codec::H264, &[first, ..]) => ([first & 0xe0 | 28, 0], first & 0x1f, 1),
            (Codec::H265, &[first, second, ..]) => ([first & 0x81 | 49 << 1, second], first >> 1 & 0x3f, 2),
            _ => return,
        };
        let body = &nal[own_header..];
        let mut chunks = body.chunks(self.payload - own_header - 1).peekable();
        let mut start = 0x80;
        while let Some(chunk) = chunks.next() {
            let end = if chunks.peek().is_none() { 0x40 } else { 0 };
            self.header(own_header + 1 + chunk.len(), sink);
            match self.codec {
                Codec::H264 => sink.out.put(&[indicator]),
                Codec::H265 => self.payload_header([indicator, second], sink.out),
            }
            sink.out.put(&[start | end | kind]);
            sink.out.put(chunk);
            start = 0;
        }
    }

    /// Framing and RTP header of a packet with `payload` bytes.
    fn header(&mut self, payload: usize, sink: &mut Sink<'_>) {
        let payload = payload + if self.paci { PACI } else { 0 };
        let length = (rtp::HEADER + payload) as u16;
        match sink.framing {
            Framing::Bare => {}
            Framing::Interleaved(channel) => sink.out.put(&[b'$', channel]),
        }
        sink.out.put_u16(length);
        sink.marker = Some(sink.out.len() + 1);
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = sink.timestamp.to_be_bytes();
        let [i0, i1, i2, i3] = self.ssrc.to_be_bytes();
        sink.out.put(&[0x80, self.payload_type, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3]);
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload as u32);
        sink.packets += 1;
    }
}

fn split_nal(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::rtp::RtpPacket;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn joined(nals: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for nal in nals {
            out.put_u32(nal.len() as u32);
            out.put(nal);
        }
        out
    }

    fn packets(bytes: &[u8]) -> Vec<RtpPacket<'_>> {
        let mut out = Vec::new();
        let mut r = crate::octets::Reader::new(bytes);
        while let Some(length) = r.u16() {
            out.push(RtpPacket::parse(r.take(length.into()).unwrap()).unwrap());
        }
        out
    }

    #[test]
    fn parameter_sets_share_a_packet_and_slices_are_cut() {
        let slice: Vec<u8> = core::iter::once(0x65).chain((0..200).map(|n| n as u8)).collect();
        let au = joined(&[&[0x67, 1, 2], &[0x68, 3], &slice]);
        let mut out = BytesMut::new();
        let mut packetizer = Packetizer::new(Codec::H264, 7, 96, 65_535, 112);
        assert_eq!(packetizer.packetize(&au, 9, Framing::Bare, &mut out), 4);
        let packets = packets(&out);
        assert_eq!(packets[0].payload, [0x60 | 24, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3]);
        assert_eq!(packets[1].payload[..3], [0x60 | 28, 0x80 | 5, 0]);
        assert_eq!(packets[2].payload[..3], [0x60 | 28, 5, 98]);
        assert_eq!(packets[3].payload, [0x60 | 28, 0x40 | 5, 196, 197, 198, 199]);
        assert!(packets.iter().map(|p| p.sequence).eq([65_535, 0, 1, 2]));
        assert!(packets.iter().map(|p| p.marker).eq([false, false, false, true]));
        assert!(packets.iter().all(|p| p.timestamp == 9 && p.ssrc == 7));
        let report = packetizer.sender_report(NtpTime(5), 9);
        assert_eq!(report.packet_count, 4);
        assert_eq!(report.octet_count, packets.iter().map(|p| p.payload.len() as u32).sum::<u32>());
    }

    #[test]
    fn h265_headers_keep_layer_and_temporal_id() {
        let vps = [32 << 1, 1, 9];
        let sps = [33 << 1, 2, 9];
        let slice: Vec<u8> = [1 << 1, 3].into_iter().chain(core::iter::repeat_n(5, 80)).collect();
        let mut out = BytesMut::new();
        let mut packetizer = Packetizer::new(Codec::H265, 7, 96, 0, 64);
        packetizer.packetize(&joined(&[&vps, &sps, &slice]), 0, Framing::Bare, &mut out);
        let packets = packets(&out);
        assert_eq!(packets[0].payload, [48 << 1, 1, 0, 3, 64, 1, 9, 0, 3, 66, 2, 9]);
        assert_eq!(packets[1].payload[..4], [49 << 1, 3, 0x80 | 1, 5]);
        assert_eq!(packets[2].payload[..3], [49 << 1, 3, 0x40 | 1]);
    }

    proptest! {
        #[test]
        fn any_bytes_give_packets_within_the_mtu(au in prop::collection::vec(any::<u8>(), 0..2_000), mtu in 0_usize..300, h265: bool) {
            let codec = if h265 { Codec::H265 } else { Codec::H264 };
            let mut out = BytesMut::new();
            let mut au = au;
            // A plausible length first, so that something is read.
            if let Some(head) = au.get_mut(..3) { head.copy_from_slice(&[0, 0, 1]); }
            let count = Packetizer::new(codec, 1, 96, 0, mtu).packetize(&au, 0, Framing::Bare, &mut out);
            let packets = packets(&out);
            prop_assert_eq!(packets.len(), count);
            prop_assert!(packets.iter().all(|p| p.payload.len() + rtp::HEADER <= mtu.max(64)));
            prop_assert_eq!(packets.iter().filter(|p| p.marker).count(), count.min(1));
        }
    }
}
