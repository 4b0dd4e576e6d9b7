//! RTP and RTCP packets, RFC 3550: what a datagram or an interleaved item holds, and the arithmetic of its counters.

pub mod capture;
mod replay;
pub mod rtcp;
pub mod srtp;

pub use replay::ReplayStamp;

use crate::fault::{Blame, Code, Fault, Offset};

/// Bytes of the fixed header, RFC 3550 §5.1.
pub const HEADER: usize = 12;

/// One RTP packet, its parts borrowed from the bytes it came in.
///
/// ```
/// use vigie::rtp::RtpPacket;
/// let bytes = [0x80, 0xe0, 0, 7, 0, 0, 0x0b, 0xb8, 0, 0, 0x04, 0xd2, 0x65, 0x88];
/// let packet = RtpPacket::parse(&bytes)?;
/// assert!(packet.marker);
/// assert_eq!((packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc), (96, 7, 3_000, 1_234));
/// assert_eq!(packet.payload, [0x65, 0x88]);
/// # Ok::<(), vigie::rtp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// For video: the last packet of an access unit. Cameras get it wrong both ways.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Goes up by one per packet and wraps.
    pub sequence: u16,
    /// At 90 kHz for video, from a random start; wraps every 13 h 15 min.
    pub timestamp: u32,
    /// Synchronisation source: which stream this is.
    pub ssrc: u32,
    /// Contributing sources, 4 bytes each; only mixers set them.
    pub csrc: &'a [u8],
    /// The header extension, if there is one.
    pub extension: Option<Extension<'a>>,
    /// What it carries, padding removed. May be empty.
    pub payload: &'a [u8],
}

/// An RTP header extension, RFC 3550 §5.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// "Defined by profile": [`Extension::ONVIF_REPLAY`], 0xBEDE for RFC 8285 one-byte elements, and so on.
    pub profile: u16,
    /// Its 32-bit words, as bytes.
    pub bytes: &'a [u8],
}

impl Extension<'_> {
    /// ONVIF Streaming Specification, "RTP header extension": the camera's own UTC stamp on the access unit.
    pub const ONVIF_REPLAY: u16 = 0xabac;
}

impl<'a> RtpPacket<'a> {
    /// Parses one packet that is the whole of `bytes`.
    ///
    /// # Errors
    ///
    /// Not version 2, or a CSRC list, extension or padding that the packet is too short for: to be dropped.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(Error::at(Kind::TooShort, bytes.len()));
        };
        let first = header[0];
        if first >> 6 != 2 {
            return Err(Error::at(Kind::Version, 0));
        }
        let mut packet = Self::fixed(header, rest);
        if first & 0x3f != 0 {
            packet.parse_rare(first)?;
        }
        Ok(packet)
    }

    /// As [`parse`](Self::parse), but `None` for all except the usual: nothing between the fixed header and the payload,
    /// and nothing behind it.
    #[inline]
    pub(crate) fn plain(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk()?;
        (header[0] == 0x80).then(|| Self::fixed(header, rest))
    }

    #[inline]
    const fn fixed(header: &[u8; HEADER], rest: &'a [u8]) -> Self {
        let [_, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = *header;
        Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
            csrc: &[],
            extension: None,
            payload: rest,
        }
    }

    /// CSRC list, extension and padding: what most packets of most cameras do not have.
    #[cold]
    fn parse_rare(&mut self, first: u8) -> Result<(), Error> {
        let mut at = HEADER;
        let csrc = usize::from(first & 0x0f) * 4;
        (self.csrc, self.payload) =
            self.payload.split_at_checked(csrc).ok_or(Error::at(Kind::ContributingSources, at))?;
        at += csrc;
        if first & 0x10 != 0 {
            let past_end = Error::at(Kind::Extension, at);
            let (&[p0, p1, l0, l1], rest) = self.payload.split_first_chunk().ok_or(past_end)?;
            let length = usize::from(u16::from_be_bytes([l0, l1])) * 4;
            let (bytes, rest) = rest.split_at_checked(length).ok_or(past_end)?;
            self.extension = Some(Extension { profile: u16::from_be_bytes([p0, p1]), bytes });
            self.payload = rest;
            at += 4 + length;
        }
        if first & 0x20 != 0 {
            // RFC 3550 §5.1: the last byte counts the padding, itself included.
            let bad = Error::at(Kind::Padding, at + self.payload.len());
            let (&padding, _) = self.payload.split_last().ok_or(bad)?;
            let kept =
                self.payload.len().checked_sub(usize::from(padding)).filter(|_| padding > 0).ok_or(bad)?;
            self.payload = self.payload.get(..kept).ok_or(bad)?;
        }
        Ok(())
    }
}

/// Is this RTCP where RTP and RTCP share a port? RFC 5761 §4: packet types 192 to 223 stand where marker and payload
/// type do. An interleaved channel that cameras mix up is told the same way.
#[must_use]
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, 192..=223, _, _, ..] if first >> 6 == 2)
}

/// How far `to` is ahead of `from`, −32 768 to 32 767: the counter wraps, RFC 3550 §5.1.
///
/// ```
/// assert_eq!(vigie::rtp::sequence_distance(65_535, 2), 3);
/// assert_eq!(vigie::rtp::sequence_distance(2, 65_535), -3);
/// ```
#[must_use]
#[inline]
pub const fn sequence_distance(from: u16, to: u16) -> i16 {
    to.wrapping_sub(from) as i16
}

/// How far `to` is ahead of `from` in ticks, at most 2^31 either way: the timestamp wraps.
#[must_use]
#[inline]
pub const fn timestamp_distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

/// What made bytes not be RTP, RTCP or a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at {at}")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where in the packet (or the capture).
    pub at: Offset,
}

impl Error {
    pub(crate) const fn at(kind: Kind, at: usize) -> Self {
        Self { kind, at: Offset(at as u64) }
    }
}

/// See [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// Shorter than the fixed header.
    #[error("too short for an RTP or RTCP header")]
    TooShort,
    /// The version is not 2.
    #[error("not version 2 of RTP")]
    Version,
    /// The CSRC list runs past the end.
    #[error("the list of contributing sources runs past the end")]
    ContributingSources,
    /// The extension runs past the end.
    #[error("the header extension runs past the end")]
    Extension,
    /// A padding count of zero, or larger than what there is.
    #[error("the padding count is wrong")]
    Padding,
    /// An RTCP packet's length runs past the end, or is too small for what its type holds.
    #[error("an RTCP packet's length is wrong")]
    RtcpLength,
    /// The file is neither pcap, nor pcapng, nor RTP with a framing that is known.
    #[error("not a capture: neither pcap, pcapng, RFC 4571 nor interleaved RTP")]
    UnknownCapture,
    /// A record's length is impossible.
    #[error("the capture is damaged: a record's length is impossible")]
    DamagedCapture,
    /// The file ends inside a record.
    #[error("the capture ends inside a record")]
    TruncatedCapture,
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::TooShort => 250,
            Kind::Version => 251,
            Kind::ContributingSources => 252,
            Kind::Extension => 253,
            Kind::Padding => 254,
            Kind::RtcpLength => 255,
            Kind::UnknownCapture => 256,
            Kind::DamagedCapture => 257,
            Kind::TruncatedCapture => 258,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const FIXED: [u8; 12] = [0x80, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];

    fn with(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = FIXED.to_vec();
        bytes[0] = first;
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn all_parts_are_found() {
        let bytes =
            with(0x80 | 0x20 | 0x10 | 1, &[0, 0, 0, 9, 0xab, 0xac, 0, 1, 1, 2, 3, 4, 0x65, 0x88, 0, 0, 3]);
        let packet = RtpPacket::parse(&bytes).unwrap();
        assert_eq!(packet.csrc, [0, 0, 0, 9]);
        assert_eq!(
            packet.extension,
            Some(Extension { profile: Extension::ONVIF_REPLAY, bytes: &[1, 2, 3, 4] })
        );
        assert_eq!(packet.payload, [0x65, 0x88]);
    }

    #[test]
    fn lengths_are_checked() {
        let kind = |bytes: &[u8]| RtpPacket::parse(bytes).unwrap_err().kind;
        assert_eq!(kind(&FIXED[..11]), Kind::TooShort);
        assert_eq!(kind(&with(0x40, &[])), Kind::Version);
        assert_eq!(kind(&with(0x81, &[0, 0, 0])), Kind::ContributingSources);
        assert_eq!(kind(&with(0x90, &[0xab, 0xac, 0])), Kind::Extension);
        assert_eq!(kind(&with(0x90, &[0xab, 0xac, 0, 1, 0, 0, 0])), Kind::Extension);
        assert_eq!(kind(&with(0xa0, &[])), Kind::Padding);
        assert_eq!(kind(&with(0xa0, &[1, 0])), Kind::Padding);
        assert_eq!(kind(&with(0xa0, &[1, 3])), Kind::Padding);
        // All of it padding: legal, and empty.
        assert_eq!(RtpPacket::parse(&with(0xa0, &[0, 2])).unwrap().payload, b"");
    }

    #[test]
    fn rtcp_is_told_from_rtp() {
        assert!(is_rtcp(&[0x80, 200, 0, 6]));
        assert!(!is_rtcp(&FIXED));
        assert!(!is_rtcp(&[0x80, 200]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(packet) = RtpPacket::parse(&bytes) {
                let extension = packet.extension.map_or(0, |e| e.bytes.len() + 4);
                prop_assert!(HEADER + packet.csrc.len() + extension + packet.payload.len() <= bytes.len());
            }
        }
    }
}
