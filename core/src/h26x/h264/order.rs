//! Picture order count, ITU-T H.264 §8.2.1.

use super::{OrderType, SliceHeader, Sps};

/// Decodes picture order counts, picture by picture in decoding order.
#[derive(Clone, Debug, Default)]
pub(in crate::h26x) struct Counter {
    /// prevPicOrderCntMsb and prevPicOrderCntLsb: of the reference picture before (type 0).
    msb: i32,
    lsb: i32,
    /// prevFrameNumOffset and prevFrameNum: of the picture before (types 1 and 2).
    frame_num_offset: i32,
    frame_num: i32,
}

impl Counter {
    /// The count of the picture or field that `slice` belongs to, and whether the counting starts anew with it.
    pub(in crate::h26x) fn count(&mut self, slice: &SliceHeader, sps: &Sps) -> (i32, bool) {
        if slice.idr {
            *self = Self::default();
        }
        let (top, bottom) = match &sps.order {
            OrderType::Lsb { bits } => self.by_lsb(slice, *bits),
            OrderType::Cycle { non_ref, top_to_bottom, offsets, .. } => {
                let expected = self.expected(slice, sps, *non_ref, offsets);
                let [first, second] = slice.order_delta;
                if slice.field && slice.bottom {
                    let bottom = expected.wrapping_add(*top_to_bottom).wrapping_add(first);
                    (bottom, bottom)
                } else {
                    let top = expected.wrapping_add(first);
                    (top, top.wrapping_add(*top_to_bottom).wrapping_add(second))
                }
            }
            OrderType::Decoding => {
                let number = self.absolute_frame_num(slice, sps).wrapping_mul(2);
                let count = if slice.ref_idc == 0 && !slice.idr { number.wrapping_sub(1) } else { number };
                (count, count)
            }
        };
        let count = match (slice.field, slice.bottom) {
            (false, _) => top.min(bottom),
            (true, false) => top,
            (true, true) => bottom,
        };
        if !slice.forgets {
            return (count, slice.idr);
        }
        // After operation 5 the picture counts as one with frame_num 0 and its own count subtracted, §8.2.1.
        let top_left = if slice.field && slice.bottom { 0 } else { top.wrapping_sub(count) };
        *self = Self { lsb: top_left, ..Self::default() };
        (0, true)
    }

    /// §8.2.1.1.
    fn by_lsb(&mut self, slice: &SliceHeader, bits: u8) -> (i32, i32) {
        let (max, lsb) = (1_i32 << bits, slice.order_lsb as i32);
        let msb = if lsb < self.lsb && self.lsb - lsb >= max / 2 {
            self.msb.wrapping_add(max)
        } else if lsb > self.lsb && lsb - self.lsb > max / 2 {
            self.msb.wrapping_sub(max)
        } else {
            self.msb
        };
        if slice.ref_idc > 0 {
            (self.msb, self.lsb) = (msb, lsb);
        }
        let top = msb.wrapping_add(lsb);
        (top, if slice.field { top } else { top.wrapping_add(slice.order_bottom) })
    }

    /// FrameNumOffset + frame_num, §8.2.1.2 and §8.2.1.3.
    fn absolute_frame_num(&mut self, slice: &SliceHeader, sps: &Sps) -> i32 {
        let frame_num = slice.frame_num as i32;
        if self.frame_num > frame_num {
            self.frame_num_offset = self.frame_num_offset.wrapping_add(1 << sps.frame_num_bits);
        }
        self.frame_num = frame_num;
        self.frame_num_offset.wrapping_add(frame_num)
    }

    /// expectedPicOrderCnt, §8.2.1.2.
    fn expected(&mut self, slice: &SliceHeader, sps: &Sps, non_ref: i32, offsets: &[i32]) -> i32 {
        let mut number = if offsets.is_empty() { 0 } else { self.absolute_frame_num(slice, sps) };
        if offsets.is_empty() {
            self.absolute_frame_num(slice, sps);
        }
        if slice.ref_idc == 0 && number > 0 {
            number -= 1;
        }
        let mut expected = 0_i32;
        if number > 0 {
            let cycle = offsets.len() as i32;
            let whole = offsets.iter().fold(0_i32, |sum, n| sum.wrapping_add(*n));
            let (cycles, within) = ((number - 1) / cycle, (number - 1) % cycle);
            let part = offsets.iter().take(within as usize + 1).fold(0_i32, |sum, n| sum.wrapping_add(*n));
            expected = cycles.wrapping_mul(whole).wrapping_add(part);
        }
        if slice.ref_idc == 0 { expected.wrapping_add(non_ref) } else { expected }
    }
}
