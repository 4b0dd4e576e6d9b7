//! Sequence parameter set, ITU-T H.265 §7.3.2.2.

use super::{Profile, Vui, skipped};
use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::{Codec, Nal, NalKind};

/// A sequence parameter set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sps {
    /// sps_video_parameter_set_id, 0 to 15.
    pub vps_id: u8,
    /// sps_max_sub_layers_minus1 + 1, 1 to 7.
    pub sub_layers: u8,
    /// sps_temporal_id_nesting_flag.
    pub temporal_id_nesting: bool,
    /// Profile, tier and level.
    pub profile: Profile,
    /// sps_seq_parameter_set_id, 0 to 15.
    pub id: u8,
    /// chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// separate_colour_plane_flag.
    pub separate_planes: bool,
    /// pic_width_in_luma_samples.
    pub coded_width: u32,
    /// pic_height_in_luma_samples.
    pub coded_height: u32,
    /// Pixels, after the conformance window.
    pub width: u32,
    /// Pixels, after the conformance window.
    pub height: u32,
    /// Bits of a luma sample, 8 to 16.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample, 8 to 16.
    pub bit_depth_chroma: u8,
    /// Bits of slice_pic_order_cnt_lsb, 4 to 16.
    pub order_bits: u8,
    /// sps_max_num_reorder_pics of the highest sub-layer.
    pub reorder: u8,
    /// CtbLog2SizeY.
    pub ctb_log2: u8,
    /// Video usability information, as far as it could be read.
    pub vui: Option<Vui>,
}

impl Sps {
    /// Reads a NAL unit of type 33 of the base layer. Bytes after the set are tolerated, and a VUI that breaks off or
    /// has a value out of range counts as far as it goes.
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 2);
        if Nal::new(nal).kind(Codec::H265) != NalKind::Sps {
            return Err(bits.error(Kind::WrongType));
        }
        let vps_id = bits.bits(4)? as u8;
        let sub_layers = bits.bits(3)? + 1;
        if sub_layers > 7 {
            return Err(bits.error(Kind::OutOfRange));
        }
        let temporal_id_nesting = bits.flag()?;
        let profile = Profile::read(&mut bits, sub_layers)?;
        let id = bits.ue_max(15)? as u8;
        let mut sps = Self {
            vps_id,
            sub_layers: sub_layers as u8,
            temporal_id_nesting,
            profile,
            id,
            chroma_format: bits.ue_max(3)? as u8,
            separate_planes: false,
            coded_width: 0,
            coded_height: 0,
            width: 0,
            height: 0,
            bit_depth_luma: 8,
            bit_depth_chroma: 8,
            order_bits: 4,
            reorder: 0,
            ctb_log2: 4,
            vui: None,
        };
        sps.read_size(&mut bits)?;
        sps.bit_depth_luma = bits.ue_max(8)? as u8 + 8;
        sps.bit_depth_chroma = bits.ue_max(8)? as u8 + 8;
        sps.order_bits = bits.ue_max(12)? as u8 + 4;
        let described = if bits.flag()? { sub_layers } else { 1 };
        for _ in 0..described {
            bits.ue()?; // sps_max_dec_pic_buffering_minus1
            sps.reorder = bits.ue_max(15)? as u8;
            bits.ue()?; // sps_max_latency_increase_plus1
        }
        let min_coding_block = bits.ue_max(3)? as u8 + 3;
        sps.ctb_log2 = min_coding_block + bits.ue_max(3)? as u8;
        // What follows is only of use for the VUI behind it.
        if let Ok(true) = sps.skip_tools(&mut bits) {
            let mut vui = Vui::default();
            let _ = vui.read(&mut bits, sub_layers);
            sps.vui = Some(vui);
        }
        Ok(sps)
    }

    fn read_size(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        if self.chroma_format == 3 {
            self.separate_planes = bits.flag()?;
        }
        // Level 6.2 ends at 16 888 pixels a side (§A.4.1); a 16-bit size is what MP4 can hold.
        (self.coded_width, self.coded_height) = (bits.ue_max(0xffff)?, bits.ue_max(0xffff)?);
        if self.coded_width == 0 || self.coded_height == 0 {
            return Err(bits.error(Kind::OutOfRange));
        }
        (self.width, self.height) = (self.coded_width, self.coded_height);
        if bits.flag()? {
            let [left, right, top, bottom] = [bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?];
            let (unit_x, unit_y) = match self.chroma_format {
                1 => (2, 2),
                2 => (2, 1),
                _ => (1, 1),
            };
            let cropped = |size: u32, unit: u32, a: u32, b: u32| {
                size.checked_sub(a.checked_add(b)?.checked_mul(unit)?).filter(|left| *left > 0)
            };
            // A window that leaves nothing is no window.
            self.width = cropped(self.coded_width, unit_x, left, right).unwrap_or(self.coded_width);
            self.height = cropped(self.coded_height, unit_y, top, bottom).unwrap_or(self.coded_height);
        }
        Ok(())
    }

    /// From log2_min_luma_transform_block_size_minus2 to vui_parameters_present_flag.
    fn skip_tools(&self, bits: &mut Bits<'_>) -> Result<bool, Error> {
        for _ in 0..4 {
            bits.ue()?; // transform block sizes and hierarchy depths
        }
        if bits.flag()? && bits.flag()? {
            skipped::scaling_lists(bits)?;
        }
        bits.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
        if bits.flag()? {
            bits.skip(8)?; // pcm bit depths
            bits.ue()?;
            bits.ue()?;
            bits.skip(1)?; // pcm_loop_filter_disabled_flag
        }
        skipped::ref_pic_sets(bits)?;
        if bits.flag()? {
            for _ in 0..bits.ue_max(32)? {
                bits.skip(u32::from(self.order_bits) + 1)?; // lt_ref_pic_poc_lsb_sps, used_by_curr_pic_lt_sps_flag
            }
        }
        bits.skip(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
        bits.flag()
    }

    /// Bits of slice_segment_address: Ceil( Log2( PicSizeInCtbsY ) ).
    #[must_use]
    pub fn address_bits(&self) -> u32 {
        let blocks = |size: u32| u64::from(size.div_ceil(1 << self.ctb_log2));
        let count = blocks(self.coded_width) * blocks(self.coded_height);
        u64::BITS - count.saturating_sub(1).leading_zeros()
    }

    /// Pictures per second as a fraction in lowest terms; of frames, where each picture is a field.
    #[must_use]
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        let (units, scale) = self.vui.as_ref()?.timing?;
        crate::h26x::format::fraction(u64::from(scale), u64::from(units))
    }

    /// Does a decoder do the same with both? Timing apart.
    pub(in crate::h26x) fn decodes_like(&self, other: &Self) -> bool {
        let bare = |sps: &Self| {
            let mut sps = sps.clone();
            sps.vui = Some(Vui { timing: None, ..sps.vui.unwrap_or_default() });
            sps
        };
        bare(self) == bare(other)
    }
}
