//! The header extension of recorded footage, ONVIF Streaming Specification, "RTP header extension": 0xABAC. Axis sends
//! it with live footage too (`onvifreplayext=1`).

use super::{Extension, RtpPacket};
use crate::octets::{Reader, Write};
use crate::time::NtpTime;

/// What a recorder says of an access unit, on its first packet or on all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayStamp {
    /// When the picture was taken; 0 where the sender has no clock.
    pub ntp: NtpTime,
    /// C: decoding can begin here.
    pub clean: bool,
    /// E: the last before a gap in the recording, or its end.
    pub end: bool,
    /// D: not what follows the access unit before in time; when replaying backwards, each group's first.
    pub discontinuity: bool,
    /// T: nothing more comes.
    pub terminal: bool,
    /// The low byte of the `CSeq` of the PLAY that this answers.
    pub cseq: u8,
}

/// Words of the extension.
const WORDS: u16 = 3;

impl ReplayStamp {
    /// With a time; the rest not set.
    #[must_use]
    pub fn new(ntp: NtpTime) -> Self {
        Self { ntp, ..Self::default() }
    }

    /// Reads it off a packet; `None` where it has none. What follows the three words (the JPEG extension) is not read.
    #[must_use]
    pub fn of(packet: &RtpPacket<'_>) -> Option<Self> {
        let extension = packet.extension.filter(|e| e.profile == Extension::ONVIF_REPLAY)?;
        let mut r = Reader::new(extension.bytes);
        let ntp = NtpTime(r.u64()?);
        // Without the third word it is a time and nothing else.
        let [bits, cseq] = r.array().unwrap_or_default();
        Some(Self {
            ntp,
            clean: bits & 0x80 != 0,
            end: bits & 0x40 != 0,
            discontinuity: bits & 0x20 != 0,
            terminal: bits & 0x10 != 0,
            cseq,
        })
    }

    /// Writes the extension as it stands behind the fixed header, whose X bit (0x10 of the first byte) must be set.
    pub fn write(&self, out: &mut impl Write) {
        out.put_u16(Extension::ONVIF_REPLAY);
        out.put_u16(WORDS);
        out.put_u64(self.ntp.0);
        let bits = [(self.clean, 0x80), (self.end, 0x40), (self.discontinuity, 0x20), (self.terminal, 0x10)];
        let bits = bits.iter().filter(|(set, _)| *set).fold(0, |all, (_, bit)| all | bit);
        out.put(&[bits, self.cseq, 0, 0]);
    }

    /// Puts it into a packet that has no extension yet and no contributing sources.
    pub fn insert(&self, packet: &[u8], out: &mut impl Write) {
        let (head, rest) = packet.split_at(packet.len().min(super::HEADER));
        if let Some((first, head)) = head.split_first() {
            out.put_u8(first | 0x10);
            out.put(head);
            self.write(out);
            out.put(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// The figure of the specification, byte by byte; not read by our own parser.
    #[test]
    fn the_bytes_of_the_specification() {
        let stamp = ReplayStamp {
            ntp: NtpTime(0xe8f0_0102_8000_0000),
            clean: true,
            end: false,
            discontinuity: true,
            terminal: false,
            cseq: 0x7b,
        };
        let mut out = Vec::new();
        stamp.insert(&[0x80, 0xe0, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4, 0x65, 0x88], &mut out);
        assert_eq!(
            out,
            [
                0x90, 0xe0, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4, // The fixed header, X set.
                0xab, 0xac, 0, 3, // length=3
                0xe8, 0xf0, 1, 2, 0x80, 0, 0, 0, // NTP timestamp
                0xa0, 0x7b, 0, 0, // C and D, Cseq, padding.
                0x65, 0x88
            ]
        );
        let bits = |stamp: ReplayStamp| {
            let mut out = Vec::new();
            stamp.write(&mut out);
            out[12]
        };
        assert_eq!(bits(ReplayStamp { end: true, ..ReplayStamp::default() }), 0x40);
        assert_eq!(bits(ReplayStamp { terminal: true, ..ReplayStamp::default() }), 0x10);
    }

    #[test]
    fn a_longer_one_and_a_shorter_one_are_read() {
        let read = |words: u8, bytes: &[u8]| {
            let head = [0x90, 0xe0, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4, 0xab, 0xac, 0, words];
            ReplayStamp::of(&RtpPacket::parse(&[&head, bytes].concat()).unwrap())
        };
        let jpeg = read(4, &[0, 0, 0, 1, 0, 0, 0, 2, 0xd0, 9, 0, 0, 0xff, 0xd8, 0, 0]).unwrap();
        assert!(jpeg.clean && jpeg.end && !jpeg.discontinuity && jpeg.terminal && jpeg.cseq == 9);
        assert_eq!(read(2, &[0, 0, 0, 1, 0, 0, 0, 2]), Some(ReplayStamp::new(NtpTime(0x1_0000_0002))));
        assert_eq!(read(1, &[0, 0, 0, 1]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(ntp in any::<u64>(), bits in any::<[bool; 4]>(), cseq in any::<u8>()) {
            let [clean, end, discontinuity, terminal] = bits;
            let stamp = ReplayStamp { ntp: NtpTime(ntp), clean, end, discontinuity, terminal, cseq };
            let mut out = Vec::new();
            stamp.insert(&[0x80, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x41], &mut out);
            let packet = RtpPacket::parse(&out).unwrap();
            prop_assert_eq!(ReplayStamp::of(&packet), Some(stamp));
            prop_assert_eq!(packet.payload, [0x41]);
        }
    }
}
