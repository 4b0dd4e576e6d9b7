//! Payloads with decoding order numbers: NAL units wait in a buffer for their turn.

use alloc::boxed::Box;

use super::super::interleave::{DecodingOrder, Deinterleaver, Step};
use super::super::payload::{Aggregation, Payload, Piece, read};
use super::Depacketizer;
use crate::fault::Quirk;
use crate::rtp::RtpPacket;
use crate::time::Micros;

impl Depacketizer {
    /// Takes a packet of a stream in which decoding order numbers are. The marker is not asked: it is set in the order of
    /// sending, RFC 6184 §5.1, and what is decoded last of a picture may have been sent before.
    #[cold]
    pub(super) fn push_numbered(&mut self, payload: &Payload<'_>, packet: &RtpPacket<'_>, received: Micros) {
        if self.order.is_none() {
            // Nobody said so, but the payload does.
            self.end_fragment();
            self.number(DecodingOrder::default());
        }
        let timestamp = packet.timestamp;
        if !matches!(payload, Payload::Piece(piece) if !piece.start) && self.is_open() {
            // The fragment before had no end bit, and no packet is missing.
            self.assembler.quirks_mut().count(Quirk::NoEndBit);
            self.end_numbered();
        }
        match payload {
            Payload::Single(nal) => self.put(None, timestamp, received, &[nal]),
            Payload::Parted(nal) => self.put(nal.order, timestamp, received, &[&nal.header, nal.body]),
            Payload::Aggregation(units) => self.numbered_aggregation(*units, timestamp, received),
            Payload::Piece(piece) => self.numbered_piece(piece, timestamp, received),
            Payload::Empty => self.assembler.quirks_mut().count(Quirk::EmptyPayload),
            Payload::Bad => self.lack(Quirk::BadPayload),
            Payload::Unsupported => self.lack(Quirk::UnsupportedPayload),
        }
        self.take_turns();
        self.ended = packet.marker;
    }

    pub(super) fn number(&mut self, order: DecodingOrder) {
        self.order = Some(Box::new(Deinterleaver::new(self.codec(), order, &self.limits)));
        self.assembler.without_markers();
    }

    /// STAP-B, MTAP16 and MTAP24, AP with DONL; or what has no numbers, in the order of sending.
    fn numbered_aggregation(&mut self, mut units: Aggregation<'_>, timestamp: u32, received: Micros) {
        while let Some(member) = units.next() {
            let timestamp = timestamp.wrapping_add(member.later);
            if member.nal.is_empty() {
                self.assembler.quirks_mut().count(Quirk::EmptyPayload);
            } else if let Payload::Single(nal) = read(self.codec(), member.nal, false) {
                self.put(member.order, timestamp, received, &[nal]);
            } else {
                self.lack(Quirk::BadPayload);
            }
        }
        match units.rest {
            [] => {}
            rest if rest.iter().all(|b| *b == 0) => {
                self.assembler.quirks_mut().count(Quirk::PaddedAggregation)
            }
            _ => self.lack(Quirk::BadPayload),
        }
    }

    fn numbered_piece(&mut self, piece: &Piece<'_>, timestamp: u32, received: Micros) {
        if piece.is_odd() && !self.odd_piece(piece) {
            self.buffer(Deinterleaver::abort);
            return self.lack(Quirk::BadPayload);
        }
        if piece.start {
            self.after_loss = false;
            let header = piece.header.get(..piece.header_length).unwrap_or(&piece.header);
            self.buffer(|buffer| {
                buffer.begin(piece.order, timestamp, received);
                buffer.extend(header)
            });
        } else if !self.is_open() {
            if !core::mem::replace(&mut self.after_loss, true) {
                self.lack(Quirk::BadPayload);
            }
            return;
        }
        if self.buffer(|buffer| buffer.extend(piece.body)) == Some(false) {
            self.lack(Quirk::OverLimit);
        }
        if piece.end {
            self.end_numbered();
        }
    }

    fn put(&mut self, order: Option<u16>, timestamp: u32, received: Micros, parts: &[&[u8]]) {
        self.after_loss = false;
        let fits = self.buffer(|buffer| {
            buffer.begin(order, timestamp, received);
            parts.iter().all(|part| buffer.extend(part))
        });
        if fits == Some(true) {
            self.end_numbered();
        } else {
            self.lack(Quirk::OverLimit);
        }
    }

    fn end_numbered(&mut self) {
        if self.buffer(Deinterleaver::end).is_some_and(|ended| ended.is_err()) {
            self.lack(Quirk::LateNalUnit);
        }
    }

    /// Gives the assembler what has its turn.
    fn take_turns(&mut self) {
        let Some(buffer) = &mut self.order else { return };
        while let Some((step, unit)) = buffer.pull() {
            if step == Step::Gap {
                self.assembler.lost(core::mem::take(&mut self.unplaced));
                self.assembler.gap();
            }
            self.assembler.begin_nal(unit.timestamp, unit.received);
            self.assembler.extend(&unit.bytes);
            self.assembler.end_nal();
        }
    }

    /// Where packets are missing is known when the NAL units around have their turn.
    pub(super) fn lost_numbered(&mut self, packets: u32) {
        self.unplaced = self.unplaced.saturating_add(packets);
        self.ended = false;
        self.buffer(Deinterleaver::lost);
    }

    pub(super) fn finish_numbered(&mut self) {
        if let Some(buffer) = &mut self.order {
            // What was lost may have been the end.
            self.ended &= !buffer.lost_lately();
            buffer.finish();
            self.take_turns();
            self.assembler.lost(core::mem::take(&mut self.unplaced));
            if core::mem::take(&mut self.ended) {
                self.assembler.end_access_unit();
            }
        }
    }

    /// Something that was sent cannot be read; the numbers tell where it is missing.
    #[cold]
    fn lack(&mut self, quirk: Quirk) {
        self.assembler.quirks_mut().count(quirk);
        self.buffer(Deinterleaver::lost);
    }

    fn is_open(&self) -> bool {
        self.order.as_ref().is_some_and(|buffer| buffer.is_open())
    }

    fn buffer<T>(&mut self, call: impl FnOnce(&mut Deinterleaver) -> T) -> Option<T> {
        self.order.as_mut().map(|buffer| call(buffer))
    }
}
