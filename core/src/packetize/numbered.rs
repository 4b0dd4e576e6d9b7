//! NAL units that are sent in another order than they are decoded in.

use bytes::BytesMut;

use super::{Framing, Packetizer, Sink};
use crate::codec::Codec;
use crate::octets::Write;

/// A NAL unit with its place in decoding order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NumberedUnit<'a> {
    /// Its decoding order number (DON).
    pub order: u16,
    /// The RTP timestamp of its picture.
    pub timestamp: u32,
    /// The NAL unit, header first.
    pub nal: &'a [u8],
}

impl<'a> NumberedUnit<'a> {
    /// With these.
    #[must_use]
    pub const fn new(order: u16, timestamp: u32, nal: &'a [u8]) -> Self {
        Self { order, timestamp, nal }
    }
}

impl Packetizer {
    /// Appends the packets of NAL units that shall be sent now, as many of them in one packet as fit, and says how many
    /// packets those are: the interleaved mode of RFC 6184 §6.4 (STAP-B, MTAP16, MTAP24, FU-B), and payloads with DONL
    /// and DOND of RFC 7798 §4.4. The caller gives the order of sending, and numbers that rise with the order of
    /// decoding; the last packet carries the marker if `marker`. NAL units that share a packet are given in decoding
    /// order, less than 256 apart. PACI is not for these.
    pub fn packetize_numbered(
        &mut self,
        mut units: &[NumberedUnit<'_>],
        marker: bool,
        framing: Framing,
        out: &mut BytesMut,
    ) -> usize {
        let mut sink = Sink { out, framing, timestamp: 0, packets: 0, marker: None };
        while let Some(first) = units.first() {
            let count = self.together(units);
            sink.timestamp = first.timestamp;
            let (now, later) = units.split_at(count.max(1));
            match (self.codec, now) {
                _ if count == 0 => self.numbered_fragments(first, &mut sink),
                (Codec::H265, [unit]) => self.numbered_single(unit, &mut sink),
                (Codec::H264, _) => self.numbered_h264(now, &mut sink),
                (Codec::H265, _) => self.numbered_h265(now, &mut sink),
            }
            units = later;
        }
        if let Some(second) = sink.marker.filter(|_| marker).and_then(|at| sink.out.get_mut(at)) {
            *second |= 0x80;
        }
        sink.packets
    }

    /// How many of these fit into one packet; 0 where not even the first does.
    fn together(&self, units: &[NumberedUnit<'_>]) -> usize {
        // Length, difference and offset; and the headers before them.
        let (mut size, mut count) = (4, 0);
        let Some(first) = units.first() else { return 0 };
        for unit in units {
            size += 6 + unit.nal.len();
            let apart = unit.order.wrapping_sub(first.order);
            let later = unit.timestamp.wrapping_sub(first.timestamp);
            let same = self.codec == Codec::H264 || later == 0;
            if size > self.payload || apart > 255 || later >= 1 << 24 || !same || count > 0 && !self.aggregate
            {
                break;
            }
            count += 1;
        }
        count
    }

    /// STAP-B where their numbers follow each other and their time is one, §5.7.1; else MTAP16 or MTAP24, §5.7.2.
    fn numbered_h264(&mut self, units: &[NumberedUnit<'_>], sink: &mut Sink<'_>) {
        let [first, ..] = units else { return };
        let counted = units
            .iter()
            .zip(0..)
            .all(|(unit, n)| unit.order == first.order.wrapping_add(n) && unit.timestamp == first.timestamp);
        let offset = |unit: &NumberedUnit<'_>| unit.timestamp.wrapping_sub(first.timestamp);
        let wide = units.iter().any(|unit| offset(unit) > 0xffff);
        let (kind, extra) = match (counted, wide) {
            (true, _) => (25, 0),
            (false, false) => (26, 3),
            (false, true) => (27, 4),
        };
        let bytes: usize = units.iter().map(|unit| 2 + extra + unit.nal.len()).sum();
        self.header(3 + bytes, sink);
        let indicator =
            units.iter().filter_map(|unit| unit.nal.first()).fold(kind, |indicator: u8, header| {
                (indicator | header) & 0x80 | (indicator & 0x60).max(header & 0x60) | kind
            });
        sink.out.put(&[indicator]);
        sink.out.put_u16(first.order);
        for unit in units {
            sink.out.put_u16(unit.nal.len() as u16);
            if extra > 0 {
                sink.out.put(&[unit.order.wrapping_sub(first.order) as u8]);
                let offset = offset(unit).to_be_bytes();
                sink.out.put(offset.get(if wide { 1 } else { 2 }..).unwrap_or(&[]));
            }
            sink.out.put(unit.nal);
        }
    }

    /// A single NAL unit with DONL, RFC 7798 §4.4.1.
    fn numbered_single(&mut self, unit: &NumberedUnit<'_>, sink: &mut Sink<'_>) {
        let [first, second, body @ ..] = unit.nal else { return };
        self.header(4 + body.len(), sink);
        sink.out.put(&[*first, *second]);
        sink.out.put_u16(unit.order);
        sink.out.put(body);
    }

    /// AP with DONL and DOND, RFC 7798 §4.4.2.
    fn numbered_h265(&mut self, units: &[NumberedUnit<'_>], sink: &mut Sink<'_>) {
        let bytes: usize = units.iter().map(|unit| 3 + unit.nal.len()).sum();
        self.header(2 + bytes + 1, sink);
        let header = sink.out.len();
        sink.out.put(&[48 << 1 | 1, 0xff]);
        let mut before: Option<u16> = None;
        for unit in units {
            match before.replace(unit.order) {
                None => sink.out.put_u16(unit.order),
                Some(before) => sink.out.put(&[unit.order.wrapping_sub(before).wrapping_sub(1) as u8]),
            }
            sink.out.put_u16(unit.nal.len() as u16);
            sink.out.put(unit.nal);
            self.merge_header(header, unit.nal, sink.out);
        }
    }

    /// FU-B and FU-A behind it, RFC 6184 §5.8; FU with DONL in the first, RFC 7798 §4.4.3.
    fn numbered_fragments(&mut self, unit: &NumberedUnit<'_>, sink: &mut Sink<'_>) {
        let (h264, own_header) = (self.codec == Codec::H264, self.codec.nal_header());
        let ([first, second], Some(body)) = (
            match unit.nal {
                [first, second, ..] => [*first, *second],
                _ => return,
            },
            unit.nal.get(own_header..),
        ) else {
            return;
        };
        let kind = if h264 { first & 0x1f } else { first >> 1 & 0x3f };
        // Two at least: no fragment is the first and the last.
        let most = (self.payload - own_header - 3).min(body.len().div_ceil(2).max(1));
        let mut chunks = body.chunks(most).peekable();
        let mut start = true;
        while let Some(chunk) = chunks.next() {
            let number = if start { 2 } else { 0 };
            let flags = u8::from(start) << 7 | u8::from(chunks.peek().is_none()) << 6;
            self.header(own_header + 1 + number + chunk.len(), sink);
            match h264 {
                true => sink.out.put(&[first & 0xe0 | if start { 29 } else { 28 }, flags | kind]),
                false => sink.out.put(&[first & 0x81 | 49 << 1, second, flags | kind]),
            }
            if start {
                sink.out.put_u16(unit.order);
            }
            sink.out.put(chunk);
            start = false;
        }
    }
}
