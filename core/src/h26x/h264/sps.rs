//! Sequence parameter set, ITU-T H.264 §7.3.2.1.1.

use alloc::vec::Vec;

use super::Vui;
use crate::h26x::error::{Bits, DIGEST, Error, Kind};
use crate::h26x::{Codec, Extent, Nal, NalKind};

/// A sequence parameter set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sps {
    /// profile_idc.
    pub profile: u8,
    /// The byte of constraint_set flags after it.
    pub constraints: u8,
    /// level_idc.
    pub level: u8,
    /// seq_parameter_set_id, 0 to 31.
    pub id: u8,
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// separate_colour_plane_flag.
    pub separate_planes: bool,
    /// Bits of a luma sample, 8 to 14.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample, 8 to 14.
    pub bit_depth_chroma: u8,
    /// qpprime_y_zero_transform_bypass_flag: lossless at QP' 0.
    pub lossless: bool,
    /// seq_scaling_matrix_present_flag.
    pub scaling_lists: bool,
    /// Bits of frame_num, 4 to 16.
    pub frame_num_bits: u8,
    /// How picture order is coded.
    pub order: OrderType,
    /// max_num_ref_frames.
    pub max_ref_frames: u32,
    /// gaps_in_frame_num_value_allowed_flag.
    pub gaps_allowed: bool,
    /// Pixels, before cropping.
    pub coded_width: u32,
    /// Pixels, before cropping.
    pub coded_height: u32,
    /// frame_mbs_only_flag: no field, no macroblock pair.
    pub frames_only: bool,
    /// mb_adaptive_frame_field_flag.
    pub macroblock_pairs: bool,
    /// direct_8x8_inference_flag.
    pub direct_8x8: bool,
    /// Pixels, after cropping.
    pub width: u32,
    /// Pixels, after cropping.
    pub height: u32,
    /// Video usability information, as far as it could be read.
    pub vui: Option<Vui>,
    /// How it ends.
    pub extent: Extent,
    /// Of all that a decoder reads, but for the id and the VUI.
    digest: u64,
}

/// pic_order_cnt_type with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderType {
    /// 0: the lower bits are in every slice.
    Lsb {
        /// Bits of pic_order_cnt_lsb, 4 to 16.
        bits: u8,
    },
    /// 1: a cycle of offsets.
    Cycle {
        /// delta_pic_order_always_zero_flag.
        always_zero: bool,
        /// offset_for_non_ref_pic.
        non_ref: i32,
        /// offset_for_top_to_bottom_field.
        top_to_bottom: i32,
        /// offset_for_ref_frame, up to 255 of them.
        offsets: Vec<i32>,
    },
    /// 2: output order is decoding order.
    Decoding,
}

/// Profiles whose SPS has the chroma format and scaling lists.
const HIGH: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

impl Sps {
    /// Reads a NAL unit of type 7 (or 15, of which this is the first part). Bytes after the set are tolerated (Reolink
    /// doorbell), and a VUI that breaks off or has a value out of range counts as far as it goes: [`Sps::extent`].
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 1);
        if Nal::new(nal).kind(Codec::H264) != NalKind::Sps {
            return Err(bits.error(Kind::WrongType));
        }
        Self::read(&mut bits)
    }

    /// seq_parameter_set_data(), and how the set ends if it ends with that.
    pub(super) fn read(bits: &mut Bits<'_>) -> Result<Self, Error> {
        let start = bits.clone();
        let mut sps = Self::blank();
        (sps.profile, sps.constraints, sps.level) =
            (bits.bits(8)? as u8, bits.bits(8)? as u8, bits.bits(8)? as u8);
        sps.digest = start.digest(bits, DIGEST);
        sps.id = bits.ue_max(31)? as u8;
        let start = bits.clone();
        if HIGH.contains(&sps.profile) {
            sps.read_high(bits)?;
        }
        sps.frame_num_bits = bits.ue_max(12)? as u8 + 4;
        sps.order = OrderType::read(bits)?;
        // MaxDpbFrames is 16 at most (§A.3.1). A count beyond that is no reason to refuse the pictures.
        sps.max_ref_frames = bits.ue()?;
        sps.gaps_allowed = bits.flag()?;
        sps.read_size(bits)?;
        sps.digest = start.digest(bits, sps.digest);
        if bits.flag()? {
            let mut vui = Vui::default();
            let read = vui.read(bits);
            sps.vui = Some(vui);
            if read.is_err() {
                sps.extent = Extent::Partial;
                return Ok(sps);
            }
        }
        sps.extent = bits.extent();
        Ok(sps)
    }

    const fn blank() -> Self {
        Self {
            profile: 0,
            constraints: 0,
            level: 0,
            id: 0,
            chroma_format: 1,
            separate_planes: false,
            bit_depth_luma: 8,
            bit_depth_chroma: 8,
            lossless: false,
            scaling_lists: false,
            frame_num_bits: 4,
            order: OrderType::Decoding,
            max_ref_frames: 0,
            gaps_allowed: false,
            coded_width: 0,
            coded_height: 0,
            frames_only: true,
            macroblock_pairs: false,
            direct_8x8: false,
            width: 0,
            height: 0,
            vui: None,
            extent: Extent::Whole,
            digest: 0,
        }
    }

    fn read_high(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        self.chroma_format = bits.ue_max(3)? as u8;
        if self.chroma_format == 3 {
            self.separate_planes = bits.flag()?;
        }
        self.bit_depth_luma = bits.ue_max(6)? as u8 + 8;
        self.bit_depth_chroma = bits.ue_max(6)? as u8 + 8;
        self.lossless = bits.flag()?;
        self.scaling_lists = bits.flag()?;
        if self.scaling_lists {
            scaling_lists(bits, if self.chroma_format == 3 { 6 } else { 2 })?;
        }
        Ok(())
    }

    fn read_size(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        // Level 6.2 ends at 16 880 pixels a side (§A.3.1); 4 096 macroblocks leave room and keep products small.
        let width = (bits.ue_max(4_095)? + 1) * 16;
        let map_units = bits.ue_max(4_095)? + 1;
        self.frames_only = bits.flag()?;
        let fields = if self.frames_only { 1 } else { 2 };
        let height = map_units * 16 * fields;
        self.macroblock_pairs = !self.frames_only && bits.flag()?;
        self.direct_8x8 = bits.flag()?;
        (self.coded_width, self.coded_height) = (width, height);
        (self.width, self.height) = (width, height);
        if bits.flag()? {
            let [left, right, top, bottom] = [bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?];
            let (unit_x, unit_y) = match self.chroma_array_type() {
                1 => (2, 2 * fields),
                2 => (2, fields),
                _ => (1, fields),
            };
            let cropped = |size: u32, unit: u32, a: u32, b: u32| {
                size.checked_sub(a.checked_add(b)?.checked_mul(unit)?).filter(|left| *left > 0)
            };
            // A crop that leaves nothing is no crop.
            self.width = cropped(width, unit_x, left, right).unwrap_or(width);
            self.height = cropped(height, unit_y, top, bottom).unwrap_or(height);
        }
        Ok(())
    }

    /// ChromaArrayType, §7.4.2.1.1.
    #[must_use]
    pub const fn chroma_array_type(&self) -> u8 {
        if self.separate_planes { 0 } else { self.chroma_format }
    }

    /// Frames per second as a fraction in lowest terms: two fields a frame, §E.2.1.
    #[must_use]
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        let (units, scale) = self.vui.as_ref()?.timing?;
        crate::h26x::format::fraction(u64::from(scale), 2 * u64::from(units))
    }

    /// Frames that may precede one in decoding order and follow it in output order, where it is bounded:
    /// max_num_reorder_frames; 0 for picture order count type 2 (§8.2.1.3), Baseline (no B slices) and the intra
    /// profiles (§E.2.1).
    #[must_use]
    pub fn reorder(&self) -> Option<u8> {
        let intra = self.profile == 44
            || matches!(self.profile, 86 | 100 | 110 | 122 | 244) && self.constraints & 0x10 != 0;
        if self.order == OrderType::Decoding || self.profile == 66 || intra {
            return Some(0);
        }
        // More than is held back cannot be reordered (§E.2.1).
        let restriction = self.vui.as_ref()?.restriction?;
        Some(restriction.reorder.min(restriction.buffering))
    }

    /// Frames that a decoder must hold at most: max_dec_frame_buffering, where the VUI says it.
    #[must_use]
    pub fn buffering(&self) -> Option<u8> {
        self.vui.as_ref()?.restriction.map(|restriction| restriction.buffering)
    }

    /// Does a decoder show the same with both, ids apart? Timing, rates and hints do not count.
    pub(in crate::h26x) fn decodes_like(&self, other: &Self) -> bool {
        let vui = |sps: &Self| sps.vui.clone().unwrap_or_default();
        self.digest == other.digest && vui(self).looks_like(&vui(other))
    }
}

impl OrderType {
    fn read(bits: &mut Bits<'_>) -> Result<Self, Error> {
        Ok(match bits.ue_max(2)? {
            0 => Self::Lsb { bits: bits.ue_max(12)? as u8 + 4 },
            1 => {
                let always_zero = bits.flag()?;
                let (non_ref, top_to_bottom) = (bits.se()?, bits.se()?);
                let count = bits.ue_max(255)?;
                let mut offsets = Vec::new();
                for _ in 0..count {
                    offsets.push(bits.se()?);
                }
                Self::Cycle { always_zero, non_ref, top_to_bottom, offsets }
            }
            _ => Self::Decoding,
        })
    }
}

/// Six lists of 4x4 and `large` of 8x8, §7.3.2.1.1 and §7.3.2.2: stepped over, a decoder's business.
pub(super) fn scaling_lists(bits: &mut Bits<'_>, large: u32) -> Result<(), Error> {
    for i in 0..6 + large {
        if bits.flag()? {
            scaling_list(bits, if i < 6 { 16 } else { 64 })?;
        }
    }
    Ok(())
}

/// scaling_list(), §7.3.2.1.1.1.
fn scaling_list(bits: &mut Bits<'_>, size: u32) -> Result<(), Error> {
    let (mut last, mut next) = (8_i32, 8_i32);
    for _ in 0..size {
        if next != 0 {
            // Beyond -128 to 127 it is no list, but where the next element begins is known all the same.
            next = last.wrapping_add(bits.se()?).wrapping_add(256).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Ok(())
}
