//! RTP payloads of AV1 to temporal units: RTP Payload Format For AV1 (AOMedia), version 1.0.

mod sequence;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use bytes::BytesMut;

use super::picture::Out;
use crate::fault::Quirk;
use crate::octets::Write as _;
use crate::rtp::RtpPacket;
use crate::time::Micros;
use sequence::Sequence;

/// Bytes that a buffer has at least.
const LEAST: usize = 64 << 10;

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;

/// The temporal unit that is being put together: OBUs with their sizes, as ISO BMFF samples have them.
#[derive(Clone, Debug, Default)]
pub(super) struct Av1 {
    buffer: BytesMut,
    open: Option<Open>,
    /// The beginning of an OBU whose end comes with the next packet.
    fragment: Vec<u8>,
    in_fragment: bool,
    sequence: Option<Sequence>,
    largest: usize,
    /// The timestamp of the temporal unit that was dropped last.
    dropped: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    timestamp: u32,
    received: Micros,
    has_sequence: bool,
    /// Is its first frame a key frame that is shown? `None` before the first frame.
    key: Option<bool>,
}

impl Av1 {
    pub(super) fn packet(&mut self, packet: &RtpPacket<'_>, received: Micros, lost: bool, out: &mut Out) {
        if let Some(open) = self.open.filter(|open| open.timestamp != packet.timestamp) {
            self.end_before(open, lost, out);
        }
        if lost && self.open.is_some() {
            self.drop_unit(packet.timestamp, out);
        }
        if self.dropped == Some(packet.timestamp) {
            return;
        }
        let Some((&aggregation, elements)) = packet.payload.split_first() else { return };
        // Only N, the first packet of a coded video sequence, proves that what was lost is of no part of this temporal unit.
        if lost && aggregation & 0x08 == 0 {
            return self.drop_unit(packet.timestamp, out);
        }
        let (continues, goes_on) = (aggregation & 0x80 != 0, aggregation & 0x40 != 0);
        if continues != self.in_fragment {
            // Its beginning was lost, or the rest of what was begun never comes.
            if !lost {
                out.quirks.count(Quirk::BadPayload);
            }
            return self.drop_unit(packet.timestamp, out);
        }
        if self.open.is_none() {
            let room = LEAST.max(self.largest + self.largest / 4);
            if self.buffer.capacity() < room {
                self.buffer.reserve(room);
            }
            let timestamp = packet.timestamp;
            self.open = Some(Open { timestamp, received, has_sequence: false, key: None });
        }
        let held = self.buffer.len().saturating_add(self.fragment.len()).saturating_add(elements.len());
        if held > out.limits.access_unit {
            out.quirks.count(Quirk::OverLimit);
            return self.drop_unit(packet.timestamp, out);
        }
        let whole = self.elements(elements, aggregation >> 4 & 3, continues, goes_on, out);
        if whole.is_none() {
            out.quirks.count(Quirk::BadPayload);
            return self.drop_unit(packet.timestamp, out);
        }
        // The sizes that were put in count as well.
        if self.buffer.len() > out.limits.access_unit {
            out.quirks.count(Quirk::OverLimit);
            return self.drop_unit(packet.timestamp, out);
        }
        if packet.marker {
            self.finish(out);
        }
    }

    /// Takes the OBU elements of a packet, §4.3 and §4.4. `None` where one is cut off.
    fn elements(
        &mut self,
        mut rest: &[u8],
        count: u8,
        continues: bool,
        goes_on: bool,
        out: &mut Out,
    ) -> Option<()> {
        let (mut n, count) = (0_usize, usize::from(count));
        while !rest.is_empty() {
            n += 1;
            let element = if count != 0 && n == count {
                core::mem::take(&mut rest)
            } else {
                let (size, behind) = leb128(rest)?;
                let (element, behind) = behind.split_at_checked(size)?;
                rest = behind;
                element
            };
            let (first, last) = (n == 1 && continues, rest.is_empty() && goes_on);
            if first || last {
                self.fragment.extend_from_slice(element);
                self.in_fragment = last;
                if !last {
                    let mut fragment = core::mem::take(&mut self.fragment);
                    let taken = self.obu(&fragment, out);
                    fragment.clear();
                    self.fragment = fragment;
                    taken?;
                }
            } else {
                self.obu(element, out)?;
            }
        }
        (n > 0 && (count == 0 || n == count)).then_some(())
    }

    /// Takes an OBU.
    fn obu(&mut self, obu: &[u8], out: &mut Out) -> Option<()> {
        let (&header, rest) = obu.split_first()?;
        // AV1 §6.2.2: obu_forbidden_bit is 0. What sets it is no OBU.
        if header & 0x80 != 0 {
            return None;
        }
        let kind = header >> 3 & 15;
        let (extension, rest) =
            if header & 4 == 0 { (None, rest) } else { rest.split_first().map(|(e, r)| (Some(*e), r))? };
        // §4.4: senders should leave the size out; some do not.
        let payload = if header & 2 == 0 {
            rest
        } else {
            let (size, behind) = leb128(rest)?;
            behind.get(..size)?
        };
        if matches!(kind, TEMPORAL_DELIMITER | TILE_LIST) {
            return Some(()); // AV1 Codec ISO Media File Format Binding §2.4: not in samples.
        }
        let at = self.buffer.len();
        self.buffer.put_u8(header | 2);
        if let Some(extension) = extension {
            self.buffer.put_u8(extension);
        }
        put_leb128(&mut self.buffer, payload.len());
        self.buffer.put(payload);
        let open = self.open.as_mut()?;
        match kind {
            SEQUENCE_HEADER => {
                let sequence = Sequence::parse(payload)?;
                out.set_size(sequence.size);
                out.set_configuration(&sequence.record(self.buffer.get(at..)?));
                self.sequence = Some(sequence);
                open.has_sequence = true;
            }
            FRAME | FRAME_HEADER if open.key.is_none() => {
                let first = *payload.first()?;
                let reduced = self.sequence.is_some_and(|sequence| sequence.reduced);
                // show_existing_frame 0, frame_type KEY_FRAME, show_frame.
                open.key = Some(reduced || first & 0xf0 == 0x10);
            }
            _ => {}
        }
        Some(())
    }

    /// The marker says that the temporal unit is whole.
    fn finish(&mut self, out: &mut Out) {
        let Some(open) = self.open else { return };
        // Nothing says what to decode before the first sequence header.
        if self.in_fragment || open.key.is_none() || self.sequence.is_none() {
            return self.drop_unit(open.timestamp, out);
        }
        self.open = None;
        self.largest = self.largest.max(self.buffer.len());
        let data = self.buffer.split().freeze();
        let random_access = open.has_sequence && open.key == Some(true);
        out.give(data, open.timestamp, open.received, random_access);
    }

    /// Another temporal unit begins. The one that is open had no marker: where nothing is missing it is whole.
    fn end_before(&mut self, open: Open, lost: bool, out: &mut Out) {
        if !lost {
            out.quirks.count(Quirk::NoMarker);
        }
        if lost || !out.limits.policy.tolerates(Quirk::NoMarker) {
            return self.drop_unit(open.timestamp, out);
        }
        self.finish(out);
    }

    /// Nothing more comes of what is open.
    pub(super) fn abandon(&mut self, out: &mut Out) {
        if let Some(open) = self.open {
            self.drop_unit(open.timestamp, out);
        }
    }

    fn drop_unit(&mut self, timestamp: u32, out: &mut Out) {
        self.open = None;
        self.in_fragment = false;
        self.fragment.clear();
        self.buffer.clear();
        if self.dropped.replace(timestamp) != Some(timestamp) {
            out.dropped += 1;
        }
    }
}

/// leb128(), AV1 specification §4.10.5; and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (n, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(n + 1..)?));
        }
    }
    None
}

fn put_leb128(out: &mut BytesMut, mut value: usize) {
    while value > 0x7f {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}
