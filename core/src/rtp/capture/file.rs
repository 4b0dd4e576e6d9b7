//! The records of a pcap or pcapng file.

use alloc::vec::Vec;
use bytes::{Buf, Bytes, BytesMut};

use super::super::{Error, Kind};
use crate::fault::Offset;
use crate::octets::Reader;
use crate::time::UtcMicros;

/// A record larger than this is damage: libpcap's own cap is 256 KiB.
const MAX_RECORD: usize = 1 << 20;
/// Interfaces that one section may describe.
const MAX_INTERFACES: usize = 1_024;

/// A captured packet.
pub(super) struct Record {
    /// LINKTYPE, <https://www.tcpdump.org/linktypes.html>.
    pub(super) link: u16,
    pub(super) at: Option<UtcMicros>,
    pub(super) bytes: Bytes,
    /// Nothing was cut off by the snap length.
    pub(super) whole: bool,
}

/// Reads records out of bytes that come in pieces.
#[derive(Debug)]
pub(super) struct Records {
    input: BytesMut,
    /// Bytes taken from `input` so far, for errors.
    taken: u64,
    /// Bytes of a block that is of no use, still to come.
    skip: usize,
    format: Format,
}

#[derive(Debug)]
enum Format {
    Unknown,
    Pcap { swapped: bool, nanoseconds: bool, link: u16 },
    PcapNg { swapped: bool, interfaces: Vec<Interface> },
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u16,
    /// Units of its timestamps in a second.
    resolution: u64,
    /// Seconds to be added.
    offset: i64,
}

/// Fields in the file's byte order.
struct Fields<'a> {
    reader: Reader<'a>,
    swapped: bool,
}

impl Fields<'_> {
    fn u16(&mut self) -> Option<u16> {
        self.reader.u16().map(|n| if self.swapped { n.swap_bytes() } else { n })
    }

    fn u32(&mut self) -> Option<u32> {
        self.reader.u32().map(|n| if self.swapped { n.swap_bytes() } else { n })
    }
}

/// What one step of reading gave.
enum Step {
    More,
    Again,
    Record(Record),
}

impl Records {
    pub(super) fn new(start: BytesMut) -> Self {
        Self { input: start, taken: 0, skip: 0, format: Format::Unknown }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next record; `None` where bytes are missing. `ended`: no more come.
    pub(super) fn next(&mut self, ended: bool) -> Result<Option<Record>, Error> {
        loop {
            let skipped = self.skip.min(self.input.len());
            self.advance(skipped);
            self.skip -= skipped;
            let step = match &self.format {
                _ if self.skip > 0 || self.input.is_empty() => Step::More,
                Format::Unknown => self.start()?,
                Format::Pcap { swapped, nanoseconds, link } => self.pcap(*swapped, *nanoseconds, *link)?,
                Format::PcapNg { swapped, .. } => self.block(*swapped)?,
            };
            match step {
                Step::Record(record) => return Ok(Some(record)),
                Step::Again => {}
                Step::More if ended && (self.skip > 0 || !self.input.is_empty()) => {
                    self.input.clear();
                    self.skip = 0;
                    return Err(self.error(Kind::TruncatedCapture));
                }
                Step::More => return Ok(None),
            }
        }
    }

    fn error(&self, kind: Kind) -> Error {
        Error { kind, at: Offset(self.taken) }
    }

    fn advance(&mut self, bytes: usize) {
        self.input.advance(bytes);
        self.taken += bytes as u64;
    }

    fn fields(&self, swapped: bool) -> Fields<'_> {
        Fields { reader: Reader::new(&self.input), swapped }
    }

    fn start(&mut self) -> Result<Step, Error> {
        let swapped = match *self.input {
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => {
                self.format = Format::PcapNg { swapped: false, interfaces: Vec::new() };
                return Ok(Step::Again);
            }
            [0xa1, ..] => false,
            _ => true,
        };
        if self.input.len() < 24 {
            return Ok(Step::More);
        }
        let mut fields = self.fields(swapped);
        let header: Option<Vec<u32>> = (0..6).map(|_| fields.u32()).collect();
        let Some([magic, .., link]) = header.as_deref() else { return Ok(Step::More) };
        // The upper bits of the link type say things about frame check sequences.
        self.format =
            Format::Pcap { swapped, nanoseconds: *magic == 0xa1b2_3c4d, link: (link & 0xffff) as u16 };
        self.advance(24);
        Ok(Step::Again)
    }

    fn pcap(&mut self, swapped: bool, nanoseconds: bool, link: u16) -> Result<Step, Error> {
        let mut fields = self.fields(swapped);
        let (Some(seconds), Some(fraction), Some(length), Some(original)) =
            (fields.u32(), fields.u32(), fields.u32(), fields.u32())
        else {
            return Ok(Step::More);
        };
        let size = length as usize;
        if size > MAX_RECORD {
            return Err(self.error(Kind::DamagedCapture));
        }
        if self.input.len() < 16 + size {
            return Ok(Step::More);
        }
        let micros = if nanoseconds { fraction / 1_000 } else { fraction };
        let at = UtcMicros(i64::from(seconds) * 1_000_000 + i64::from(micros));
        self.advance(16);
        self.taken += u64::from(length);
        let bytes = self.input.split_to(size).freeze();
        Ok(Step::Record(Record { link, at: Some(at), bytes, whole: original <= length }))
    }

    /// One block, draft-ietf-opsawg-pcapng §3.1.
    fn block(&mut self, mut swapped: bool) -> Result<Step, Error> {
        let mut fields = self.fields(swapped);
        let Some(block_type) = fields.u32() else { return Ok(Step::More) };
        if block_type == 0x0a0d_0d0a {
            // A section says its own byte order, after its length.
            let Some(magic) = self.input.get(8..12) else { return Ok(Step::More) };
            swapped = magic == [0x4d, 0x3c, 0x2b, 0x1a];
            if !swapped && magic != [0x1a, 0x2b, 0x3c, 0x4d] {
                return Err(self.error(Kind::DamagedCapture));
            }
            self.format = Format::PcapNg { swapped, interfaces: Vec::new() };
            fields = self.fields(swapped);
            fields.u32();
        }
        let Some(length) = fields.u32() else { return Ok(Step::More) };
        let length = length as usize;
        if length < 12 || !length.is_multiple_of(4) {
            return Err(self.error(Kind::DamagedCapture));
        }
        if !matches!(block_type, 1 | 2 | 3 | 6) {
            self.skip = length;
            return Ok(Step::Again);
        }
        if length > MAX_RECORD {
            return Err(self.error(Kind::DamagedCapture));
        }
        if self.input.len() < length {
            return Ok(Step::More);
        }
        self.taken += length as u64;
        let block = self.input.split_to(length).freeze();
        let body = block.slice(8..length - 4);
        let read = self.read_block(block_type, &body, swapped);
        read.ok_or(self.error(Kind::DamagedCapture))
    }

    fn read_block(&mut self, block_type: u32, body: &Bytes, swapped: bool) -> Option<Step> {
        let Format::PcapNg { interfaces, .. } = &mut self.format else { return None };
        let mut fields = Fields { reader: Reader::new(body), swapped };
        let (interface, units, captured, original) = match block_type {
            1 => {
                if interfaces.len() >= MAX_INTERFACES {
                    return None;
                }
                interfaces.push(interface(fields)?);
                return Some(Step::Again);
            }
            // Enhanced packet; and the packet block that came before it, with an interface of 16 bits and a count of
            // drops.
            6 | 2 => {
                let id = if block_type == 6 { fields.u32()? } else { u32::from(fields.u16()?) };
                if block_type == 2 {
                    fields.u16()?;
                }
                let units = u64::from(fields.u32()?) << 32 | u64::from(fields.u32()?);
                (id, Some(units), fields.u32()?, fields.u32()?)
            }
            // Simple packet: as much as the block holds.
            _ => {
                let original = fields.u32()?;
                let there = u32::try_from(fields.reader.left()).ok()?;
                (0, None, original.min(there), original)
            }
        };
        let interface = *interfaces.get(interface as usize)?;
        let bytes = fields.reader.take(captured as usize)?;
        Some(Step::Record(Record {
            link: interface.link,
            at: units.map(|units| interface.utc(units)),
            bytes: body.slice_ref(bytes),
            whole: original <= captured,
        }))
    }
}

impl Interface {
    fn utc(self, units: u64) -> UtcMicros {
        let micros = u128::from(units) * 1_000_000 / u128::from(self.resolution);
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        UtcMicros(micros).plus(self.offset.saturating_mul(1_000_000))
    }
}

/// An interface description, draft-ietf-opsawg-pcapng §4.2.
fn interface(mut fields: Fields<'_>) -> Option<Interface> {
    let link = fields.u16()?;
    fields.u16()?;
    fields.u32()?;
    let mut found = Interface { link, resolution: 1_000_000, offset: 0 };
    while let (Some(code), Some(length)) = (fields.u16(), fields.u16()) {
        let length = usize::from(length);
        let Some(value) = fields.reader.take(length.next_multiple_of(4)) else { break };
        match (code, value) {
            (0, _) => break,
            // if_tsresol: a power of 10, or of 2 where the top bit is set.
            (9, &[power @ 0..=18, ..]) => found.resolution = 10_u64.pow(power.into()),
            (9, &[power @ 0x80..=0xbf, ..]) => found.resolution = 1 << (power & 0x3f),
            // if_tsoffset, in seconds.
            (14, value) => {
                if let Some(&bytes) = value.first_chunk::<8>() {
                    found.offset =
                        if fields.swapped { i64::from_le_bytes(bytes) } else { i64::from_be_bytes(bytes) };
                }
            }
            _ => {}
        }
    }
    Some(found)
}
