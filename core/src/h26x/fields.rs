//! Where the fields of a slice header are read from: every picture has one, so it is read in few steps where it can be.

use super::error::{Bits, Error, Kind};
use crate::fault::Offset;

/// Reads syntax elements one after the other, ITU-T H.264 §7.2, H.265 §7.2.
pub(super) trait Fields {
    /// Its end is the NAL unit's.
    const WHOLE: bool;

    /// u(n), n up to 32.
    fn bits(&mut self, n: u32) -> Result<u32, Error>;

    /// ue(v).
    fn ue(&mut self) -> Result<u32, Error>;

    /// An error of `kind` at the present position.
    fn error(&self, kind: Kind) -> Error;

    /// u(1).
    #[inline]
    fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.bits(1)? == 1)
    }

    /// Steps over n bits, n up to 32.
    #[inline]
    fn skip(&mut self, n: u32) -> Result<(), Error> {
        self.bits(n).map(drop)
    }

    /// ue(v) that must not be above `max`.
    #[inline]
    fn ue_max(&mut self, max: u32) -> Result<u32, Error> {
        let value = self.ue()?;
        if value > max { Err(self.error(Kind::OutOfRange)) } else { Ok(value) }
    }

    /// se(v), ITU-T H.264 §9.1.1.
    #[inline]
    fn se(&mut self) -> Result<i32, Error> {
        let code = i64::from(self.ue()?);
        let magnitude = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { magnitude } else { -magnitude })
            .map_err(|_| self.error(Kind::Truncated))
    }
}

impl Fields for Bits<'_> {
    const WHOLE: bool = true;

    fn bits(&mut self, n: u32) -> Result<u32, Error> {
        Bits::bits(self, n)
    }

    fn ue(&mut self) -> Result<u32, Error> {
        Bits::ue(self)
    }

    fn error(&self, kind: Kind) -> Error {
        Bits::error(self, kind)
    }
}

/// The first bits of a NAL unit's payload, where none of their bytes can be an emulation prevention byte. Nearly every
/// slice header ends within them; where one does not, it is read anew by [`Bits`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    bits: u64,
    left: u32,
}

impl Window {
    /// Of a NAL unit whose header has `header` bytes. `None` where it is short, or a byte is 0.
    #[inline]
    pub(super) fn new(nal: &[u8], header: usize) -> Option<Self> {
        let bits = u64::from_be_bytes(*nal.get(header..)?.first_chunk()?);
        let zeros = bits.wrapping_sub(0x0101_0101_0101_0101) & !bits & 0x8080_8080_8080_8080;
        (zeros == 0).then_some(Self { bits, left: u64::BITS })
    }

    #[inline]
    const fn take(&mut self, n: u32) {
        // In two steps: all 64 at once would be an overflow.
        self.bits = self.bits << (n / 2) << (n - n / 2);
        self.left -= n;
    }
}

impl Fields for Window {
    const WHOLE: bool = false;

    #[inline]
    fn bits(&mut self, n: u32) -> Result<u32, Error> {
        if n > self.left {
            return Err(self.error(Kind::Truncated));
        }
        let value = (self.bits >> 32) as u32;
        self.take(n);
        Ok(value.checked_shr(32 - n).unwrap_or(0))
    }

    #[inline]
    fn ue(&mut self) -> Result<u32, Error> {
        let zeros = self.bits.leading_zeros();
        let length = 2 * zeros + 1;
        if length > self.left || zeros > 31 {
            return Err(self.error(Kind::Truncated));
        }
        let code = self.bits >> (u64::BITS - length);
        self.take(length);
        Ok((code - 1) as u32)
    }

    /// Nobody sees it: where the window fails, the NAL unit is read anew.
    fn error(&self, kind: Kind) -> Error {
        Error { kind, at: Offset(0) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;
    use crate::h26x::testing::Stream;
    use crate::h26x::{Nal, h264, h265};

    /// 1920x1080 by x265.
    const SPS: &[u8] = &[
        0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x78, 0xa0, 3, 0xc0, 0x80, 0x10, 0xe5,
        0x96, 0x66, 0x69, 0x24, 0xca, 0xe0, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 1, 0xe0, 0x80,
    ];
    const PPS: &[u8] = &[0x44, 1, 0xc1, 0x72, 0xb4, 0x62, 0x40];

    /// Slices as encoders begin them, then anything.
    fn slice(first: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
        (prop::sample::select(first), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(first, rest)| [first, &rest[..]].concat())
    }

    proptest! {
        #[test]
        fn slice_headers_are_the_same_by_way_of_the_window(
            nal in slice(&[&[0x65, 0x88], &[0x41, 0x9a], &[0x41, 0x9b], &[0x01, 0x9e], &[0x61]]),
            order_type in 0_u32..3,
            fields: bool,
        ) {
            let stream = Stream { order_type, fields, reorder: None };
            let sps = h264::Sps::parse(&stream.sps()).unwrap();
            let pps = h264::Pps::parse(&stream.pps(), Some(&sps)).unwrap();
            let nal = Nal::new(&nal);
            prop_assert_eq!(
                h264::SliceHeader::parse(nal, &pps, &sps),
                h264::SliceHeader::read(nal, Bits::new(nal.bytes, 1), &|_| Some((&pps, &sps)))
            );
        }

        #[test]
        fn slice_segment_headers_are_the_same_by_way_of_the_window(
            nal in slice(&[&[0x26, 1, 0xaf], &[0x02, 1, 0xd0], &[0x02, 1], &[0x2a, 1]]),
        ) {
            let (sps, pps) = (h265::Sps::parse(SPS).unwrap(), h265::Pps::parse(PPS).unwrap());
            let nal = Nal::new(&nal);
            prop_assert_eq!(
                h265::SliceHeader::parse(nal, &pps, &sps),
                h265::SliceHeader::read(nal, Bits::new(nal.bytes, 2), &|_| Some((&pps, &sps)))
            );
        }

        #[test]
        fn the_window_reads_as_the_whole_does(nal in prop::collection::vec(any::<u8>(), 0..16), steps in prop::collection::vec(0_u32..36, 1..12)) {
            let mut whole = Bits::new(&nal, 1);
            let Some(mut window) = Window::new(&nal, 1) else {
                prop_assert!(nal.len() < 9 || nal[1..9].contains(&0));
                return Ok(());
            };
            prop_assert!(nal.len() >= 9);
            let mut read = Vec::new();
            for step in steps {
                // Up to 32: so many bits; 33 and 34: ue(v); 35: se(v).
                let seen = match step {
                    0..=32 => window.bits(step).map(i64::from),
                    33 | 34 => window.ue().map(i64::from),
                    _ => window.se().map(i64::from),
                };
                let Ok(seen) = seen else { break };
                read.push(seen);
                let expected = match step {
                    0..=32 => whole.bits(step).map(i64::from),
                    33 | 34 => whole.ue().map(i64::from),
                    _ => whole.se().map(i64::from),
                };
                prop_assert_eq!(expected, Ok(seen), "after {:?}", read);
            }
        }
    }
}
