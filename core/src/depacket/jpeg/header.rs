//! The header of a picture: what a packet says of it, and how ITU-T T.81 has it.

use bytes::BytesMut;

use super::tables::{HUFFMAN, Tables};
use crate::octets::{Reader, Write as _};
use crate::rtp::{Extension, RtpPacket};

/// ONVIF Streaming Specification, "JPEG over RTP": the extension's name where it has the marker segments of the header.
const START: u16 = 0xffd8;
/// The extension of the replay stamp, of three words, may stand before it.
const STAMP: usize = 12;

const SOF0: u8 = 0xc0;
const SOF2: u8 = 0xc2;
const DHT: u8 = 0xc4;
const SOS: u8 = 0xda;
const DQT: u8 = 0xdb;
const DRI: u8 = 0xdd;

/// The main and the restart header, RFC 2435 §3.1 and §3.1.7.
#[derive(Clone, Copy, Debug)]
pub(super) struct Main {
    /// Where the scan goes on, bytes.
    pub(super) offset: u32,
    kind: u8,
    pub(super) q: u8,
    width: u32,
    height: u32,
    /// MCUs between restart markers, where there are any.
    restart: Option<u16>,
}

impl Main {
    /// `None` where it is cut off, or its type is one that RFC 2435 leaves to others.
    pub(super) fn parse(r: &mut Reader<'_>) -> Option<Self> {
        let _type_specific = r.u8()?;
        let offset = r.u24()?;
        let (kind, q) = (r.u8()?, r.u8()?);
        let (width, height) = (u32::from(r.u8()?) * 8, u32::from(r.u8()?) * 8);
        let restart = match kind {
            // Types above 127 are for out-of-band agreement, 66 and 67 are of a dead one.
            0 | 1 => None,
            64 | 65 => {
                let interval = r.u16()?;
                r.u16()?;
                Some(interval)
            }
            _ => return None,
        };
        Some(Self { offset, kind, q, width, height, restart })
    }

    /// Writes the header of the picture; its width and height. `None` where nothing says them.
    pub(super) fn write(&self, tables: &Tables, told: &Told<'_>, out: &mut BytesMut) -> Option<(u32, u32)> {
        let (width, height) = match told.size {
            Some(size) => size,
            None => (self.width, self.height),
        };
        let known = (1..=0xffff).contains(&width) && (1..=0xffff).contains(&height);
        if !known {
            return None;
        }
        out.put(&[0xff, 0xd8]);
        for (marker, segment) in segments(told.segments) {
            // Not the scan's, which is last, and nothing that is for people or programs.
            if matches!(marker, SOF0..=SOF2 | DHT | DQT | DRI) {
                out.put(segment);
            }
        }
        if !told.has(DQT) {
            tables.write(out);
        }
        if let Some(interval) = self.restart.filter(|_| !told.has(DRI)) {
            out.put(&[0xff, DRI, 0, 4]);
            out.put_u16(interval);
        }
        if told.size.is_none() {
            self.write_frame(tables, (width, height), out);
        }
        if !told.has(DHT) {
            out.put(&[0xff, DHT]);
            out.put_u16(2 + HUFFMAN.len() as u16);
            out.put(&HUFFMAN);
        }
        match told.scan {
            Some(scan) => out.put(scan),
            // Three components; tables 0 for the first, 1 for the others; all 64 coefficients at once.
            None => out.put(&[0xff, SOS, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]),
        }
        Some((width, height))
    }

    fn write_frame(&self, tables: &Tables, size: (u32, u32), out: &mut BytesMut) {
        // RFC 2435 §4.1: type 0 is 4:2:2, type 1 is 4:2:0; colours have the second table where there is one.
        let sampling = if self.kind & 1 == 0 { 0x21 } else { 0x22 };
        let colours = u8::from(tables.count() > 1);
        out.put(&[0xff, SOF0, 0, 17, 8]);
        out.put_u16(size.1 as u16);
        out.put_u16(size.0 as u16);
        out.put(&[3, 1, sampling, 0, 2, 0x11, colours, 3, 0x11, colours]);
    }
}

/// What the header extension says of a picture: marker segments of ITU-T T.81.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told<'a> {
    segments: &'a [u8],
    size: Option<(u32, u32)>,
    scan: Option<&'a [u8]>,
}

impl<'a> Told<'a> {
    /// From the first packet of a picture.
    pub(super) fn of(packet: &RtpPacket<'a>) -> Self {
        let segments = packet.extension.and_then(|extension| match extension.profile {
            START => Some(extension.bytes),
            Extension::ONVIF_REPLAY => {
                let mut r = Reader::new(extension.bytes.get(STAMP..)?);
                let ours = r.u16()? == START;
                let words = r.u16()?;
                let bytes = r.rest();
                ours.then(|| bytes.get(..usize::from(words) * 4).unwrap_or(bytes))
            }
            _ => None,
        });
        let mut told = Self { segments: segments.unwrap_or_default(), ..Self::default() };
        for (marker, segment) in self::segments(told.segments) {
            match marker {
                // Length, precision, rows, columns.
                SOF0..=SOF2 => {
                    if let Some(&[_, _, _, _, _, a, b, c, d]) = segment.first_chunk() {
                        told.size =
                            Some((u16::from_be_bytes([c, d]).into(), u16::from_be_bytes([a, b]).into()));
                    }
                }
                SOS => told.scan = Some(segment),
                _ => {}
            }
        }
        told
    }

    fn has(&self, wanted: u8) -> bool {
        segments(self.segments).any(|(marker, _)| marker == wanted)
    }
}

/// The marker segments, whole, each with its marker. It ends where one is cut off.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        loop {
            let [0xff, marker, ..] = *rest else { return None };
            match marker {
                // Fill, and markers that stand alone.
                0xff => rest = rest.get(1..)?,
                0x01 | 0xd0..=0xd9 => rest = rest.get(2..)?,
                _ => {
                    let [_, _, a, b, ..] = *rest else { return None };
                    let length = usize::from(u16::from_be_bytes([a, b])).max(2);
                    let (segment, behind) = rest.split_at_checked(2 + length)?;
                    rest = behind;
                    return Some((marker, segment));
                }
            }
        }
    })
}
