//! H.264 made for tests: parameter sets and slice headers bit by bit, bodies of a few bytes.

use alloc::vec;
use alloc::vec::Vec;

/// Writes the bits of an RBSP.
#[derive(Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    used: u32,
}

impl BitWriter {
    pub(crate) fn bits(&mut self, value: u32, width: u32) -> &mut Self {
        for bit in (0..width).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used % 8);
            }
            self.used += 1;
        }
        self
    }

    pub(crate) fn ue(&mut self, value: u32) -> &mut Self {
        let width = 32 - (value + 1).leading_zeros();
        self.bits(0, width - 1).bits(value + 1, width)
    }

    pub(crate) fn se(&mut self, value: i32) -> &mut Self {
        self.ue(if value > 0 { value as u32 * 2 - 1 } else { value.unsigned_abs() * 2 })
    }

    /// The NAL unit: header, bits, stop bit, emulation prevention.
    pub(crate) fn nal(&mut self, header: u8) -> Vec<u8> {
        self.bits(1, 1);
        let mut nal = vec![header];
        crate::h26x::sei::escape(&self.bytes, &mut nal);
        nal
    }
}

/// An H.264 stream to be: 64x64, Main profile, frame_num and picture order count of 4 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    /// pic_order_cnt_type; 1 with a cycle of one reference frame, 2 apart.
    pub(crate) order_type: u32,
    /// Field pictures allowed.
    pub(crate) fields: bool,
    /// max_num_reorder_frames, where the VUI says it.
    pub(crate) reorder: Option<u32>,
}

/// A slice to be.
#[derive(Clone, Copy, Default)]
pub(crate) struct Picture {
    pub(crate) idr: bool,
    pub(crate) reference: bool,
    pub(crate) first_mb: u32,
    pub(crate) frame_num: u32,
    /// `Some(bottom)` for a field.
    pub(crate) field: Option<bool>,
    pub(crate) order_lsb: u32,
    pub(crate) forgets: bool,
}

impl Stream {
    pub(crate) fn sps(self) -> Vec<u8> {
        self.sps_with(0)
    }

    /// Under an id of its own.
    pub(crate) fn sps_with(self, id: u32) -> Vec<u8> {
        let mut w = BitWriter::default();
        w.bits(77, 8).bits(0, 8).bits(30, 8).ue(id).ue(0).ue(self.order_type);
        match self.order_type {
            0 => w.ue(0),
            1 => w.bits(0, 1).se(-1).se(1).ue(1).se(2),
            _ => &mut w,
        };
        // Reference frames, gaps, 4 x 4 macroblocks (2 map units of field pairs), no cropping.
        w.ue(4).bits(0, 1).ue(3).ue(if self.fields { 1 } else { 3 }).bits(u32::from(!self.fields), 1);
        if self.fields {
            w.bits(0, 1);
        }
        w.bits(1, 1).bits(0, 1);
        match self.reorder {
            // No aspect, overscan, signal, chroma location, timing, HRDs, pic_struct; then the restriction.
            Some(depth) => {
                w.bits(1, 1).bits(0, 8).bits(1, 1).bits(1, 1).ue(0).ue(0).ue(10).ue(10).ue(depth).ue(4)
            }
            None => w.bits(0, 1),
        };
        w.nal(0x67)
    }

    pub(crate) fn pps(self) -> Vec<u8> {
        self.pps_with(0, 0)
    }

    /// Under an id of its own, for the sequence parameter set `sps`.
    pub(crate) fn pps_with(self, id: u32, sps: u32) -> Vec<u8> {
        let mut w = BitWriter::default();
        w.ue(id).ue(sps).bits(0, 2).ue(0).ue(0).ue(0).bits(0, 3).se(0).se(0).se(0).bits(0, 3);
        w.nal(0x68)
    }

    pub(crate) fn slice(self, p: Picture) -> Vec<u8> {
        let mut w = BitWriter::default();
        w.ue(p.first_mb).ue(if p.idr { 7 } else { 5 }).ue(0).bits(p.frame_num, 4);
        if self.fields {
            w.bits(u32::from(p.field.is_some()), 1);
            if let Some(bottom) = p.field {
                w.bits(u32::from(bottom), 1);
            }
        }
        if p.idr {
            w.ue(0);
        }
        match self.order_type {
            0 => w.bits(p.order_lsb, 4),
            1 => w.se(0),
            _ => &mut w,
        };
        if p.reference && !p.idr {
            w.bits(0, 1).bits(0, 1); // no override, no modification
            if p.forgets {
                w.bits(1, 1).ue(5).ue(0);
            } else {
                w.bits(0, 1);
            }
        }
        w.bits(0xabcd, 16);
        w.nal(if p.idr { 0x65 } else { 0x01 } | if p.reference { 0x40 } else { 0 })
    }
}
