//! RTCP, RFC 3550 §6: reports, source descriptions, goodbyes; read leniently, written strictly.

use alloc::vec::Vec;

use super::{Error, Kind};
use crate::octets::{Reader, Write};
use crate::time::NtpTime;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// Bytes of a report block, RFC 3550 §6.4.1.
const BLOCK: usize = 24;

/// A sender report's own part, RFC 3550 §6.4.1: what the sender's clock said when the RTP clock said that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderReport {
    /// Whose report it is.
    pub ssrc: u32,
    /// The sender's wall clock. Zero from senders without one.
    pub ntp: NtpTime,
    /// The same moment as an RTP timestamp.
    pub rtp_timestamp: u32,
    /// RTP packets sent so far.
    pub packet_count: u32,
    /// Payload bytes sent so far.
    pub octet_count: u32,
}

/// What a receiver says of one source, RFC 3550 §6.4.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Packets lost since the last report, in 256ths of those expected.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; signed 24 bits, clamped when written.
    pub lost: i32,
    /// Highest sequence number received, with the count of its wraps in the upper half.
    pub highest_sequence: u32,
    /// Interarrival jitter, RFC 3550 §6.4.1, in ticks.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report, 0 if there was none.
    pub last_report: u32,
    /// From its arrival to now, in 65 536ths of a second.
    pub delay: u32,
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// From who sends media.
    SenderReport(SenderReport, ReportBlocks<'a>),
    /// From who only receives; the number is its SSRC.
    ReceiverReport(u32, ReportBlocks<'a>),
    /// Names of sources.
    SourceDescription(SourceDescription<'a>),
    /// Sources that leave.
    Goodbye(Goodbye<'a>),
    /// A type that is not read here: application-defined, feedback (RFC 4585), extended reports.
    Other {
        /// 204 APP, 205 and 206 feedback, 207 XR.
        packet_type: u8,
        /// After the 4-byte header.
        bytes: &'a [u8],
    },
}

/// The report blocks of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlocks<'a>(&'a [u8]);

impl ReportBlocks<'_> {
    /// In the order of the packet.
    pub fn iter(&self) -> impl Iterator<Item = ReportBlock> + '_ {
        self.0.chunks_exact(BLOCK).filter_map(|bytes| {
            let mut r = Reader::new(bytes);
            let ssrc = r.u32()?;
            let fraction_lost = r.u8()?;
            // 24 bits, sign extended.
            let lost = (r.u24()? << 8) as i32 >> 8;
            let (highest_sequence, jitter) = (r.u32()?, r.u32()?);
            let (last_report, delay) = (r.u32()?, r.u32()?);
            Some(ReportBlock { ssrc, fraction_lost, lost, highest_sequence, jitter, last_report, delay })
        })
    }
}

/// Source descriptions, RFC 3550 §6.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a>(&'a [u8]);

impl<'a> SourceDescription<'a> {
    /// The first source and its canonical name, not necessarily UTF-8. The list of items may end without its null
    /// byte (Hanwha).
    #[must_use]
    pub fn cname(&self) -> Option<(u32, &'a [u8])> {
        let mut r = Reader::new(self.0);
        let ssrc = r.u32()?;
        while let Some(kind @ 1..) = r.u8() {
            let length = usize::from(r.u8()?);
            let text = r.take(length)?;
            if kind == 1 {
                return Some((ssrc, text));
            }
        }
        None
    }
}

/// Sources that leave, RFC 3550 §6.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a>(&'a [u8]);

impl Goodbye<'_> {
    /// Their SSRCs.
    pub fn sources(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.chunks_exact(4).filter_map(|bytes| Reader::new(bytes).u32())
    }
}

/// The packets of a compound, as an iterator that ends after the first error.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    reader: Reader<'a>,
    failed: bool,
}

/// Reads a compound. RFC 3550 §6.1 wants a report first and a CNAME in each; cameras do not keep to it, and nothing
/// here depends on it. What comes before a damaged packet counts.
#[must_use]
pub fn parse(bytes: &[u8]) -> Packets<'_> {
    Packets { reader: Reader::new(bytes), failed: false }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.reader.left() == 0 {
            return None;
        }
        let at = self.reader.offset();
        let packet = one_packet(&mut self.reader).map_err(|kind| Error::at(kind, at));
        self.failed = packet.is_err();
        Some(packet)
    }
}

fn one_packet<'a>(r: &mut Reader<'a>) -> Result<Packet<'a>, Kind> {
    let [first, packet_type] = r.array().ok_or(Kind::TooShort)?;
    let length = usize::from(r.u16().ok_or(Kind::TooShort)?) * 4;
    if first >> 6 != 2 {
        return Err(Kind::Version);
    }
    let mut bytes = r.take(length).ok_or(Kind::RtcpLength)?;
    if first & 0x20 != 0 {
        let padding = usize::from(*bytes.last().ok_or(Kind::Padding)?);
        let kept = bytes.len().checked_sub(padding).filter(|_| padding > 0).ok_or(Kind::Padding)?;
        bytes = bytes.get(..kept).ok_or(Kind::Padding)?;
    }
    let count = usize::from(first & 0x1f);
    body(packet_type, count, bytes).ok_or(Kind::RtcpLength)
}

fn body(packet_type: u8, count: usize, bytes: &[u8]) -> Option<Packet<'_>> {
    let mut r = Reader::new(bytes);
    Some(match packet_type {
        SENDER_REPORT => {
            let (ssrc, ntp) = (r.u32()?, NtpTime(r.u64()?));
            let (rtp_timestamp, packet_count, octet_count) = (r.u32()?, r.u32()?, r.u32()?);
            let report = SenderReport { ssrc, ntp, rtp_timestamp, packet_count, octet_count };
            Packet::SenderReport(report, blocks(&r, count))
        }
        RECEIVER_REPORT => {
            let ssrc = r.u32()?;
            Packet::ReceiverReport(ssrc, blocks(&r, count))
        }
        SOURCE_DESCRIPTION => Packet::SourceDescription(SourceDescription(bytes)),
        GOODBYE => Packet::Goodbye(Goodbye(r.take(count * 4)?)),
        _ => Packet::Other { packet_type, bytes },
    })
}

/// As many blocks as are said and there; a count that is too high costs the blocks that are missing, not the report.
fn blocks<'a>(r: &Reader<'a>, count: usize) -> ReportBlocks<'a> {
    let rest = r.rest();
    ReportBlocks(&rest[..rest.len().min(count * BLOCK)])
}

/// Writes a sender report; at most 31 blocks are taken. A compound wants a source description after it.
pub fn write_sender_report(report: &SenderReport, blocks: &[ReportBlock], out: &mut impl Write) {
    let blocks = &blocks[..blocks.len().min(31)];
    header(SENDER_REPORT, blocks.len(), 24 + blocks.len() * BLOCK, out);
    out.put_u32(report.ssrc);
    out.put_u64(report.ntp.0);
    out.put_u32(report.rtp_timestamp);
    out.put_u32(report.packet_count);
    out.put_u32(report.octet_count);
    blocks.iter().for_each(|block| write_block(block, out));
}

/// Writes a receiver report; at most 31 blocks are taken, and none is legal: to cameras it is a sign of life (ONVIF
/// Streaming Specification, "Timeout and keep-alive").
pub fn write_receiver_report(ssrc: u32, blocks: &[ReportBlock], out: &mut impl Write) {
    let blocks = &blocks[..blocks.len().min(31)];
    header(RECEIVER_REPORT, blocks.len(), 4 + blocks.len() * BLOCK, out);
    out.put_u32(ssrc);
    blocks.iter().for_each(|block| write_block(block, out));
}

/// Writes a source description with a canonical name, cut after 255 bytes.
pub fn write_source_description(ssrc: u32, cname: &str, out: &mut impl Write) {
    let name = cname.as_bytes();
    let name = &name[..name.len().min(255)];
    // RFC 3550 §6.5: items end with one null byte or more, up to a multiple of 4.
    let items = (2 + name.len() + 1).next_multiple_of(4);
    header(SOURCE_DESCRIPTION, 1, 4 + items, out);
    out.put_u32(ssrc);
    out.put(&[1, name.len() as u8]);
    out.put(name);
    out.put(&[0; 4][..items - 2 - name.len()]);
}

/// Writes a goodbye of one source.
pub fn write_goodbye(ssrc: u32, out: &mut impl Write) {
    header(GOODBYE, 1, 4, out);
    out.put_u32(ssrc);
}

/// A sender report with a source description, as one compound: what a server sends.
#[must_use]
pub fn sender_compound(report: &SenderReport, cname: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    write_sender_report(report, &[], &mut out);
    write_source_description(report.ssrc, cname, &mut out);
    out
}

/// A receiver report with a source description, as one compound: what a client sends.
#[must_use]
pub fn receiver_compound(ssrc: u32, blocks: &[ReportBlock], cname: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    write_receiver_report(ssrc, blocks, &mut out);
    write_source_description(ssrc, cname, &mut out);
    out
}

/// `body` is a multiple of 4.
fn header(packet_type: u8, count: usize, body: usize, out: &mut impl Write) {
    out.put(&[0x80 | count as u8, packet_type]);
    out.put_u16((body / 4) as u16);
}

fn write_block(block: &ReportBlock, out: &mut impl Write) {
    out.put_u32(block.ssrc);
    out.put_u8(block.fraction_lost);
    out.put_u24(block.lost.clamp(-0x80_0000, 0x7f_ffff) as u32);
    out.put_u32(block.highest_sequence);
    out.put_u32(block.jitter);
    out.put_u32(block.last_report);
    out.put_u32(block.delay);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const REPORT: SenderReport = SenderReport {
        ssrc: 0x1234,
        ntp: NtpTime(0xe8f0_0000_8000_0000),
        rtp_timestamp: 90_000,
        packet_count: 5,
        octet_count: 6_000,
    };

    #[test]
    fn compounds_written_are_read_back() {
        let block = ReportBlock {
            ssrc: 9,
            fraction_lost: 3,
            lost: -2,
            highest_sequence: 70_000,
            ..Default::default()
        };
        let bytes = sender_compound(&REPORT, "vigie@192.0.2.1");
        let packets: Vec<_> = parse(&bytes).map(Result::unwrap).collect();
        assert!(matches!(packets[0], Packet::SenderReport(REPORT, b) if b.iter().count() == 0));
        let Packet::SourceDescription(names) = packets[1] else { panic!("no names") };
        assert_eq!(names.cname(), Some((0x1234, &b"vigie@192.0.2.1"[..])));

        let mut bytes = receiver_compound(7, &[block], "");
        write_goodbye(7, &mut bytes);
        let packets: Vec<_> = parse(&bytes).map(Result::unwrap).collect();
        let Packet::ReceiverReport(7, blocks) = packets[0] else { panic!("no report") };
        assert_eq!(blocks.iter().collect::<Vec<_>>(), [block]);
        assert!(matches!(packets[2], Packet::Goodbye(g) if g.sources().eq([7])));
    }

    /// Hanwha: the list of items fills its words to the last byte.
    #[test]
    fn a_description_without_its_null_is_read() {
        let mut bytes = sender_compound(&REPORT, "");
        bytes.truncate(28);
        bytes.extend_from_slice(&[0x81, 202, 0, 2, 0, 0, 0, 5, 1, 2, b'a', b'b']);
        let last = parse(&bytes).last().unwrap().unwrap();
        assert!(matches!(last, Packet::SourceDescription(d) if d.cname() == Some((5, &b"ab"[..]))));
    }

    #[test]
    fn what_comes_before_the_damage_counts() {
        let mut bytes = sender_compound(&REPORT, "");
        bytes.truncate(28);
        bytes.extend_from_slice(&[0x81, 202, 0, 9, 0]);
        let mut packets = parse(&bytes);
        assert!(matches!(packets.next(), Some(Ok(Packet::SenderReport(REPORT, _)))));
        assert_eq!(packets.next().unwrap().unwrap_err(), Error::at(Kind::RtcpLength, 28));
        assert!(packets.next().is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for packet in parse(&bytes).flatten() {
                match packet {
                    Packet::SenderReport(_, blocks) | Packet::ReceiverReport(_, blocks) => drop(blocks.iter().count()),
                    Packet::SourceDescription(d) => drop(d.cname()),
                    Packet::Goodbye(g) => drop(g.sources().count()),
                    Packet::Other { .. } => {}
                }
            }
        }
    }
}
