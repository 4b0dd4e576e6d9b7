//! RTP payloads of JPEG to pictures that any decoder reads: RFC 2435, with the header extension of ONVIF.

mod header;
mod tables;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::picture::Out;
use crate::fault::Quirk;
use crate::octets::{Reader, Write as _};
use crate::rtp::RtpPacket;
use crate::time::Micros;
use header::{Main, Told};
use tables::Tables;

/// Bytes that a buffer has at least.
const LEAST: usize = 64 << 10;
/// Bytes of the header that is written, at most, without what the extension says.
const HEADER: usize = 1_536;
/// Bytes of the quantisation tables that a picture can name: four, of 64 values of 16 bits.
const MOST_TABLES: usize = 4 * 128;

/// The picture that is being put together, and the tables that go on from one to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Jpeg {
    buffer: BytesMut,
    open: Option<Open>,
    /// By Q, 128 to 254: those may be sent once.
    tables: BTreeMap<u8, Tables>,
    /// Of Q below 128, the last that was asked for.
    computed: Option<(u8, Tables)>,
    /// Bytes of the largest picture so far.
    largest: usize,
    /// The timestamp of the picture that was dropped last.
    dropped: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    timestamp: u32,
    received: Micros,
    /// Bytes of the scan so far.
    scan: usize,
    size: (u32, u32),
}

impl Jpeg {
    pub(super) fn packet(&mut self, packet: &RtpPacket<'_>, received: Micros, lost: bool, out: &mut Out) {
        let mut r = Reader::new(packet.payload);
        let Some(main) = Main::parse(&mut r) else {
            out.quirks.count(Quirk::BadPayload);
            return self.drop_picture(packet.timestamp, out);
        };
        if main.offset == 0 {
            self.end_before(lost, out);
            let Some(open) = self.begin(packet, &main, &mut r, received, out) else {
                return self.drop_picture(packet.timestamp, out);
            };
            self.open = Some(open);
        }
        let goes_on = |open: &Open| open.timestamp == packet.timestamp && (!lost || main.offset == 0);
        let Some(mut open) = self.open.filter(goes_on) else {
            // What is open misses something, or this is of one whose beginning is missing.
            self.abandon(out);
            return self.drop_picture(packet.timestamp, out);
        };
        if open.scan != main.offset as usize {
            out.quirks.count(Quirk::JpegOffset);
            if !out.limits.policy.tolerates(Quirk::JpegOffset) {
                return self.drop_picture(packet.timestamp, out);
            }
        }
        let data = r.rest();
        if self.buffer.len().saturating_add(data.len()) > out.limits.access_unit {
            out.quirks.count(Quirk::OverLimit);
            return self.drop_picture(packet.timestamp, out);
        }
        open.scan += data.len();
        self.open = Some(open);
        self.buffer.put(data);
        if packet.marker {
            self.finish(out);
        }
    }

    /// What is open is whole, as far as anything tells.
    fn finish(&mut self, out: &mut Out) {
        let Some(open) = self.open.take() else { return };
        if open.scan == 0 {
            out.quirks.count(Quirk::EmptyPayload);
            return self.drop_picture(open.timestamp, out);
        }
        if !self.buffer.ends_with(&[0xff, 0xd9]) {
            self.buffer.put(&[0xff, 0xd9]);
        }
        // The end that was put to it counts as well.
        if self.buffer.len() > out.limits.access_unit {
            out.quirks.count(Quirk::OverLimit);
            return self.drop_picture(open.timestamp, out);
        }
        self.largest = self.largest.max(self.buffer.len());
        let data = self.buffer.split().freeze();
        out.set_size(open.size);
        out.give(data, open.timestamp, open.received, true);
    }

    /// Nothing more comes of what is open.
    pub(super) fn abandon(&mut self, out: &mut Out) {
        if let Some(open) = self.open {
            self.drop_picture(open.timestamp, out);
        }
    }

    /// Another picture begins. The one that is open had no marker: where nothing is missing it is whole.
    fn end_before(&mut self, lost: bool, out: &mut Out) {
        let Some(open) = self.open else { return };
        if !lost {
            out.quirks.count(Quirk::NoMarker);
        }
        if lost || !out.limits.policy.tolerates(Quirk::NoMarker) {
            return self.drop_picture(open.timestamp, out);
        }
        self.finish(out);
    }

    /// Writes the picture's header.
    fn begin(
        &mut self,
        packet: &RtpPacket<'_>,
        main: &Main,
        r: &mut Reader<'_>,
        received: Micros,
        out: &mut Out,
    ) -> Option<Open> {
        let Some(tables) = self.tables(main.q, r) else {
            out.quirks.count(Quirk::BadPayload);
            return None;
        };
        self.buffer.clear();
        let room =
            LEAST.max(self.largest + self.largest / 4).min(out.limits.access_unit.saturating_add(HEADER));
        if self.buffer.capacity() < room {
            self.buffer.reserve(room);
        }
        let Some(size) = main.write(&tables, &Told::of(packet), &mut self.buffer) else {
            out.quirks.count(Quirk::BadPayload);
            return None;
        };
        Some(Open { timestamp: packet.timestamp, received, scan: 0, size })
    }

    /// The quantisation tables of a picture, RFC 2435 §4.2. `None` where they are not known.
    fn tables(&mut self, q: u8, r: &mut Reader<'_>) -> Option<Tables> {
        if q < 128 {
            if !(1..=99).contains(&q) {
                return None;
            }
            if self.computed.as_ref().is_none_or(|(of, _)| *of != q) {
                self.computed = Some((q, Tables::computed(q)));
            }
            return self.computed.as_ref().map(|(_, tables)| tables.clone());
        }
        let [_, precision] = r.array()?;
        let length = r.u16()?;
        if length == 0 {
            return self.tables.get(&q).cloned();
        }
        let bytes = r.take(usize::from(length))?;
        let bytes = bytes.get(..MOST_TABLES).unwrap_or(bytes);
        let known = self.tables.get(&q).filter(|known| known.precision == precision && known.bytes == bytes);
        if let Some(known) = known {
            return Some(known.clone());
        }
        let tables = Tables { precision, bytes: Bytes::copy_from_slice(bytes) };
        if tables.count() == 0 {
            return None;
        }
        // Those of Q 255 hold for one picture.
        if q != 255 {
            self.tables.insert(q, tables.clone());
        }
        Some(tables)
    }

    /// What came of this picture is of no use, and so is what still comes.
    fn drop_picture(&mut self, timestamp: u32, out: &mut Out) {
        self.open = None;
        self.buffer.clear();
        if self.dropped.replace(timestamp) != Some(timestamp) {
            out.dropped += 1;
        }
    }
}
