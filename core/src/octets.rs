//! Reading and writing bytes with an offset, and bits of a raw byte sequence payload (RBSP).

use alloc::vec::Vec;

/// Reads big-endian fields from a slice; `None` past its end.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// From the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// Bytes left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes left, without taking them.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(n)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[b]| b)
    }

    /// Big-endian 16 bits.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Big-endian 24 bits.
    pub fn u24(&mut self) -> Option<u32> {
        self.array::<3>().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// Big-endian 32 bits.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Big-endian 64 bits.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}

/// Big-endian fields appended to a byte vector.
pub trait Write {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);

    /// One byte.
    fn put_u8(&mut self, n: u8) {
        self.put(&[n]);
    }

    /// Big-endian 16 bits.
    fn put_u16(&mut self, n: u16) {
        self.put(&n.to_be_bytes());
    }

    /// Big-endian 24 bits; the upper 8 are dropped.
    fn put_u24(&mut self, n: u32) {
        self.put(&n.to_be_bytes()[1..]);
    }

    /// Big-endian 32 bits.
    fn put_u32(&mut self, n: u32) {
        self.put(&n.to_be_bytes());
    }

    /// Big-endian 64 bits.
    fn put_u64(&mut self, n: u64) {
        self.put(&n.to_be_bytes());
    }
}

impl Write for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Write for bytes::BytesMut {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Reads bits of plain bytes, most significant first; `None` past the end.
#[derive(Clone, Debug)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// From the first bit.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bits read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Bits left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len().saturating_mul(8).saturating_sub(self.at)
    }

    /// One bit.
    pub fn bit(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// `n` bits, at most 32.
    pub fn take(&mut self, n: u32) -> Option<u32> {
        debug_assert!(n <= 32);
        if self.left() < n as usize {
            return None;
        }
        let mut value = 0_u64;
        let mut want = n;
        while want > 0 {
            let byte = u32::from(*self.bytes.get(self.at / 8)?);
            let there = 8 - (self.at % 8) as u32;
            let take = want.min(there);
            value = value << take | u64::from(byte >> (there - take) & ((1 << take) - 1));
            self.at += take as usize;
            want -= take;
        }
        Some(value as u32)
    }

    /// Steps over `n` bits.
    pub fn skip(&mut self, n: usize) -> Option<()> {
        self.at = self.at.checked_add(n).filter(|at| *at <= self.bytes.len().saturating_mul(8))?;
        Some(())
    }

    /// Steps to the next whole byte.
    pub const fn align(&mut self) {
        self.at = self.at.div_ceil(8) * 8;
    }

    /// Appends the next `n` bytes to `out`, wherever in a byte they start.
    pub fn copy(&mut self, n: usize, out: &mut impl Write) -> Option<()> {
        let end = n.checked_mul(8).and_then(|bits| self.at.checked_add(bits))?;
        let (from, shift) = (self.at / 8, self.at % 8);
        let whole = self.bytes.get(from..from.checked_add(n)?)?;
        if shift == 0 {
            out.put(whole);
        } else {
            let after = self.bytes.get(from + 1..from + 1 + n)?;
            for (a, b) in whole.iter().zip(after) {
                out.put_u8(a << shift | b >> (8 - shift));
            }
        }
        self.at = end;
        Some(())
    }
}

/// Reads the bits of an RBSP, stepping over emulation prevention bytes (ITU-T H.264 §7.3.1, H.265 §7.3.1.1) as it
/// goes, so that nothing is copied. `None` past the end.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Zero bytes just before `at`, up to 2.
    zeros: u8,
    /// The byte being read and how many of its bits are left.
    byte: u8,
    left: u8,
}

impl<'a> BitReader<'a> {
    /// `bytes` is a NAL unit's payload after its header, emulation prevention bytes included.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, zeros: 0, byte: 0, left: 0 }
    }

    /// Bytes of the slice taken so far, emulation prevention bytes included.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    #[inline]
    fn next_byte(&mut self) -> Option<()> {
        let mut byte = *self.bytes.get(self.at)?;
        self.at += 1;
        if self.zeros == 2 && byte == 3 {
            byte = *self.bytes.get(self.at)?;
            self.at += 1;
            self.zeros = 0;
        }
        self.zeros = if byte == 0 { (self.zeros + 1).min(2) } else { 0 };
        self.byte = byte;
        self.left = 8;
        Some(())
    }

    /// u(1).
    #[inline]
    pub fn bit(&mut self) -> Option<bool> {
        if self.left == 0 {
            self.next_byte()?;
        }
        self.left -= 1;
        Some(self.byte >> self.left & 1 == 1)
    }

    /// u(n), n up to 32.
    #[inline]
    pub fn bits(&mut self, n: u32) -> Option<u32> {
        debug_assert!(n <= 32);
        if n <= u32::from(self.left) {
            self.left -= n as u8;
            return Some(u32::from(self.byte) >> self.left & ((1 << n) - 1));
        }
        self.bits_of_several(n)
    }

    /// As [`bits`](Self::bits), where the byte at hand has fewer.
    fn bits_of_several(&mut self, n: u32) -> Option<u32> {
        let mut value = 0_u64;
        let mut want = n;
        while want > 0 {
            if self.left == 0 {
                self.next_byte()?;
            }
            let take = want.min(u32::from(self.left));
            let rest = u32::from(self.left) - take;
            value = value << take | u64::from(u32::from(self.byte) >> rest & ((1 << take) - 1));
            self.left = rest as u8;
            want -= take;
        }
        Some(value as u32)
    }

    /// Steps over `n` bits.
    #[inline]
    pub fn skip(&mut self, n: u32) -> Option<()> {
        let mut rest = n;
        while rest > 0 {
            let step = rest.min(32);
            self.bits(step)?;
            rest -= step;
        }
        Some(())
    }

    /// ue(v), ITU-T H.264 §9.1. `None` also where the code is longer than 32 bits.
    #[inline]
    pub fn ue(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.next_byte()?;
        }
        // Most codes end in the byte that they begin in.
        let rest = u32::from(self.byte) & ((1 << self.left) - 1);
        let length = 2 * (u32::from(self.left) + rest.leading_zeros() - u32::BITS) + 1;
        if rest > 0 && length <= u32::from(self.left) {
            self.left -= length as u8;
            return Some((rest >> self.left) - 1);
        }
        self.ue_of_several()
    }

    /// As [`ue`](Self::ue), where the code goes on in the next byte.
    fn ue_of_several(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            if self.left == 0 {
                self.next_byte()?;
            }
            let rest = u32::from(self.byte) & ((1 << self.left) - 1);
            let leading = u32::from(self.left) - (u32::BITS - rest.leading_zeros());
            zeros += leading;
            if zeros > 32 {
                return None;
            }
            self.left -= leading as u8;
            if rest > 0 {
                self.left -= 1;
                break;
            }
        }
        if zeros == 32 {
            // 2^32 - 1 is the largest codeNum; its suffix is all zero.
            return (self.bits(32)? == 0).then_some(u32::MAX);
        }
        Some((1_u32 << zeros) - 1 + self.bits(zeros)?)
    }

    /// se(v), ITU-T H.264 §9.1.1.
    pub fn se(&mut self) -> Option<i32> {
        let code = i64::from(self.ue()?);
        let magnitude = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { magnitude } else { -magnitude }).ok()
    }

    /// Does the other reader, over the same bytes, stand at the same bit?
    #[must_use]
    pub const fn is_at(&self, other: &Self) -> bool {
        self.at == other.at && self.left == other.left
    }

    /// more_rbsp_data(), ITU-T H.264 §7.2: is there anything before the stop bit and the zeros after it?
    #[must_use]
    pub fn more_rbsp_data(&self) -> bool {
        let tail = &self.bytes[self.at..];
        let Some(last) = tail.iter().rposition(|b| *b != 0) else {
            // Only the byte at hand is left: data, unless the next bit is its last one set, the stop bit.
            let rest = u32::from(self.byte) & ((1_u32 << self.left) - 1);
            return rest != 0 && rest.trailing_zeros() + 1 != u32::from(self.left);
        };
        // Something set follows. It is data unless it is the lone stop bit right at the next position.
        self.left != 0 || last != 0 || tail[0] != 0x80
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn exp_golomb_is_as_in_table_9_2() {
        // 1, 010, 011, 00100, 00101 and a stop bit.
        let bytes = [0b1010_0110, 0b0100_0010, 0b1100_0000];
        let mut r = BitReader::new(&bytes);
        for n in 0..5 {
            assert!(r.more_rbsp_data());
            assert_eq!(r.ue(), Some(n));
        }
        assert!(!r.more_rbsp_data());
        let mut r = BitReader::new(&bytes);
        assert_eq!([r.se(), r.se(), r.se(), r.se(), r.se()].map(Option::unwrap), [0, 1, -1, 2, -2]);
    }

    #[test]
    fn stop_bit_on_a_byte_of_its_own() {
        let mut r = BitReader::new(&[0xff, 0x80, 0]);
        assert_eq!(r.bits(7), Some(0x7f));
        assert!(r.more_rbsp_data());
        assert_eq!(r.bit(), Some(true));
        assert!(!r.more_rbsp_data());
    }

    #[test]
    fn emulation_prevention_is_stepped_over() {
        let mut r = BitReader::new(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 2]);
        let got: Vec<_> = (0..8).map(|_| r.bits(8)).collect();
        assert_eq!(got, vec![Some(0), Some(0), Some(1), Some(0), Some(0), Some(0), Some(0), Some(2)]);
        assert_eq!(r.bit(), None);
    }

    proptest::proptest! {
        #[test]
        fn bits_are_the_bits_of_the_payload_without_emulation(data in proptest::collection::vec(proptest::sample::select(vec![0_u8, 0, 1, 3, 255]), 0..64),
                                                              widths in proptest::collection::vec(0_u32..=32, 0..64)) {
            // Escape as an encoder does, then read back.
            let mut escaped = vec![];
            let mut zeros = 0;
            for b in &data {
                if zeros == 2 && *b <= 3 { escaped.push(3); zeros = 0; }
                zeros = if *b == 0 { zeros + 1 } else { 0 };
                escaped.push(*b);
            }
            let mut r = BitReader::new(&escaped);
            let mut at = 0;
            for w in widths {
                let want = (at + w as usize <= data.len() * 8).then(|| (at..at + w as usize).fold(0_u64, |n, i| n << 1 | u64::from(data[i / 8] >> (7 - i % 8) & 1)) as u32);
                let got = r.bits(w);
                proptest::prop_assert_eq!(got, want);
                if got.is_none() { break; }
                at += w as usize;
            }
        }
    }
}
