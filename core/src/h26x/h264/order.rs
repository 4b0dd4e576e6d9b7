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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::vec::Vec;

    use crate::h26x::picture::{OrderCounter, Slice};
    use crate::h26x::testing::{Picture, Stream};
    use crate::h26x::{Codec, Nal, ParameterSets};

    fn counts(stream: Stream, pictures: &[Picture]) -> Vec<(i32, bool)> {
        let mut sets = ParameterSets::new(Codec::H264);
        sets.insert(&stream.sps()).unwrap();
        sets.insert(&stream.pps()).unwrap();
        let mut counter = OrderCounter::new(Codec::H264);
        let mut count = |picture: &Picture| {
            let slice = Slice::read(Nal::new(&stream.slice(*picture)), Codec::H264, &sets);
            counter.count(&slice, &sets).unwrap()
        };
        pictures.iter().map(&mut count).collect()
    }

    const IDR: Picture = Picture {
        idr: true,
        reference: true,
        first_mb: 0,
        frame_num: 0,
        field: None,
        order_lsb: 0,
        forgets: false,
    };

    fn picture(frame_num: u32, order_lsb: u32, reference: bool) -> Picture {
        Picture { idr: false, reference, frame_num, order_lsb, ..IDR }
    }

    #[test]
    fn type_0_follows_the_wrap_of_the_lower_bits() {
        let stream = Stream { order_type: 0, fields: false, reorder: None };
        let pictures = [
            IDR,
            picture(1, 6, true),
            picture(2, 2, false),
            picture(2, 12, true),
            picture(3, 8, false),
            picture(3, 2, true), // 18
            picture(4, 14, false),
            picture(4, 15, true), // 15: back by 3, not on by 13
        ];
        let got: Vec<_> = counts(stream, &pictures).into_iter().map(|(count, _)| count).collect();
        assert_eq!(got, [0, 6, 2, 12, 8, 18, 14, 15]);
    }

    #[test]
    fn type_1_adds_its_cycle_and_type_2_follows_decoding_order() {
        let pictures =
            [IDR, picture(1, 0, true), picture(2, 0, false), picture(2, 0, true), picture(3, 0, true)];
        let orders = |order_type| {
            let stream = Stream { order_type, fields: false, reorder: None };
            counts(stream, &pictures).into_iter().map(|(count, _)| count).collect::<Vec<_>>()
        };
        assert_eq!(orders(1), [0, 2, 1, 4, 6]);
        assert_eq!(orders(2), [0, 2, 3, 4, 6]);
    }

    #[test]
    fn frame_num_wraps() {
        let stream = Stream { order_type: 2, fields: false, reorder: None };
        let pictures: Vec<_> =
            (0..20_u32).map(|n| if n == 0 { IDR } else { picture(n % 16, 0, true) }).collect();
        let got = counts(stream, &pictures);
        assert!(got.iter().enumerate().all(|(n, (count, _))| *count == 2 * n as i32));
    }

    #[test]
    fn operation_5_starts_anew() {
        for order_type in [0, 1, 2] {
            let stream = Stream { order_type, fields: false, reorder: None };
            let forgets = Picture { forgets: true, ..picture(2, 4, true) };
            let got = counts(stream, &[IDR, picture(1, 2, true), forgets, picture(1, 2, true)]);
            assert_eq!(got[2], (0, true), "type {order_type}");
            assert_eq!(got[3], (2, false), "type {order_type}");
        }
    }

    fn field(bottom: bool, picture: Picture) -> Picture {
        Picture { field: Some(bottom), ..picture }
    }

    /// Both fields of each type: the second goes on from the first.
    #[test]
    fn fields_count_in_pairs() {
        let expected = [(0, [0, 1, 2, 3, 8, 9]), (1, [0, 1, 2, 3, 4, 5]), (2, [0, 0, 2, 2, 4, 4])];
        for (order_type, expected) in expected {
            let stream = Stream { order_type, fields: true, reorder: None };
            let pair = |n: u32, lsb: u32| {
                let first = if n == 0 { IDR } else { picture(n, lsb, true) };
                [field(false, first), field(true, picture(n, lsb + 1, true))]
            };
            let got = counts(stream, &[pair(0, 0), pair(1, 2), pair(2, 8)].concat());
            let got: Vec<_> = got.into_iter().map(|(count, _)| count).collect();
            assert_eq!(got, expected, "type {order_type}");
        }
    }

    /// Operation 5 in the first field: what follows counts from the field it is in, §8.2.1.1.
    #[test]
    fn a_field_can_make_the_counting_start_anew() {
        let stream = Stream { order_type: 0, fields: true, reorder: None };
        let forgets = |bottom| field(bottom, Picture { forgets: true, ..picture(2, 4, true) });
        let before = [field(false, IDR), field(true, picture(0, 1, true))];
        let got =
            counts(stream, &[&before[..], &[forgets(false), field(true, picture(0, 1, true))]].concat());
        assert_eq!(got[2..], [(0, true), (1, false)]);
        let got =
            counts(stream, &[&before[..], &[forgets(true), field(false, picture(0, 2, true))]].concat());
        assert_eq!(got[2..], [(0, true), (2, false)]);
    }

    /// Frames that the stream leaves out (gaps_in_frame_num_value_allowed_flag) are inferred, each with the frame_num after
    /// the one before (§8.2.5.2). At most one of them wraps, so that the counts are those without inferring.
    #[test]
    fn gaps_of_frame_num_count_as_if_the_frames_were_there() {
        for order_type in [1, 2] {
            let stream = Stream { order_type, fields: false, reorder: None };
            let all: Vec<_> =
                (0..40_u32).map(|n| if n == 0 { IDR } else { picture(n % 16, 0, true) }).collect();
            let whole = counts(stream, &all);
            for step in 2..15 {
                let some: Vec<_> = all.iter().copied().step_by(step).collect();
                let expected: Vec<_> = whole.iter().copied().step_by(step).collect();
                assert_eq!(counts(stream, &some), expected, "type {order_type}, every {step}th");
            }
        }
    }
}
