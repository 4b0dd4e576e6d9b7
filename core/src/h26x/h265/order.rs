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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::vec::Vec;

    use super::*;

    const TRAIL_N: u8 = 0;
    const TRAIL_R: u8 = 1;
    const RADL_R: u8 = 7;
    const RASL_R: u8 = 9;
    const BLA_W_LP: u8 = 16;
    const IDR_W_RADL: u8 = 19;
    const CRA: u8 = 21;
    /// Stands for an end of sequence NAL unit.
    const END: u8 = 36;

    /// 1920x1080 by x265: 8 bits of picture order count.
    const SPS: &[u8] = &[
        0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x78, 0xa0, 3, 0xc0, 0x80, 0x10, 0xe5,
        0x96, 0x66, 0x69, 0x24, 0xca, 0xe0, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 1, 0xe0, 0x80,
    ];

    fn counts(pictures: &[(u8, u8, u32)]) -> Vec<(i32, bool)> {
        let sps = Sps::parse(SPS).unwrap();
        assert_eq!(sps.order_bits, 8);
        let mut counter = Counter::default();
        let mut out = Vec::new();
        for (unit_type, temporal_id, order_lsb) in pictures.iter().copied() {
            if unit_type == END {
                counter.end_of_sequence();
                continue;
            }
            let slice = SliceHeader {
                unit_type,
                temporal_id,
                first: true,
                pps_id: 0,
                sps_id: 0,
                dependent: false,
                slice_type: Some(1),
                output: true,
                order_lsb,
            };
            out.push(counter.count(&slice, &sps));
        }
        out
    }

    #[test]
    fn a_cra_starts_anew_at_the_beginning_and_after_an_end_of_sequence_only() {
        let got = counts(&[
            (CRA, 0, 40),
            (RASL_R, 0, 38),
            (TRAIL_R, 0, 44),
            (CRA, 0, 50),
            (RASL_R, 0, 48),
            (END, 0, 0),
            (CRA, 0, 7),
            (IDR_W_RADL, 0, 0),
            (RADL_R, 0, 254), // 2 before the IDR
        ]);
        let expected = [
            (40, true),
            (38, false),
            (44, false),
            (50, false),
            (48, false),
            (7, true),
            (0, true),
            (-2, false),
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn a_bla_starts_anew_and_keeps_its_lower_bits() {
        let got = counts(&[
            (IDR_W_RADL, 0, 0),
            (TRAIL_R, 0, 100),
            (TRAIL_R, 0, 200),
            (TRAIL_R, 0, 10),
            (BLA_W_LP, 0, 20),
            (RASL_R, 0, 18),
        ]);
        assert_eq!(got, [(0, true), (100, false), (200, false), (266, false), (20, true), (18, false)]);
    }

    #[test]
    fn the_higher_bits_go_on_from_the_last_picture_that_others_can_rely_on() {
        // Pictures of higher sub-layers, of none's reference and leading ones are not what the next is measured by: after 100,
        // 230 is 126 back, not 130 on.
        for skipped in [(TRAIL_R, 1, 200), (TRAIL_N, 0, 200), (RASL_R, 0, 200), (RADL_R, 0, 200)] {
            let got = counts(&[(IDR_W_RADL, 0, 0), (TRAIL_R, 0, 100), skipped, (TRAIL_R, 0, 230)]);
            assert_eq!(got[3], (-26, false), "{skipped:?}");
        }
        let got = counts(&[(IDR_W_RADL, 0, 0), (TRAIL_R, 0, 100), (TRAIL_R, 0, 200), (TRAIL_R, 0, 230)]);
        assert_eq!(got[3], (230, false));
    }
}
