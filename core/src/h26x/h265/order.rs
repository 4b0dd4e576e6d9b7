//! Picture order count, ITU-T H.265 §8.3.1.

use super::{SliceHeader, Sps};

/// Decodes picture order counts, picture by picture in decoding order.
#[derive(Clone, Debug)]
pub(in crate::h26x) struct Counter {
    /// PicOrderCntVal of prevTid0Pic.
    before: i32,
    /// The next picture is the first, or the first after an end of sequence.
    starts: bool,
}

impl Default for Counter {
    fn default() -> Self {
        Self { before: 0, starts: true }
    }
}

impl Counter {
    pub(in crate::h26x) const fn end_of_sequence(&mut self) {
        self.starts = true;
    }

    /// The count of the picture that `slice` is of, and whether the counting starts anew with it (an IRAP picture
    /// with NoRaslOutputFlag, §8.1.3).
    pub(in crate::h26x) fn count(&mut self, slice: &SliceHeader, sps: &Sps) -> (i32, bool) {
        let restart = slice.is_irap() && (slice.unit_type != 21 || self.starts);
        self.starts = false;
        let (max, lsb) = (1_i32 << sps.order_bits, slice.order_lsb as i32);
        let before_lsb = self.before & (max - 1);
        let before_msb = self.before.wrapping_sub(before_lsb);
        let msb = if restart {
            0
        } else if lsb < before_lsb && before_lsb - lsb >= max / 2 {
            before_msb.wrapping_add(max)
        } else if lsb > before_lsb && lsb - before_lsb > max / 2 {
            before_msb.wrapping_sub(max)
        } else {
            before_msb
        };
        let count = msb.wrapping_add(lsb);
        // prevTid0Pic is no leading picture and no sub-layer non-reference picture.
        let leading = matches!(slice.unit_type, 6..=9);
        let non_reference = slice.unit_type < 16 && slice.unit_type.is_multiple_of(2);
        if slice.temporal_id == 0 && !leading && !non_reference {
            self.before = count;
        }
        (count, restart)
    }
}
