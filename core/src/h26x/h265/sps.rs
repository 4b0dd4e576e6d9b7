//! Sequence parameter set, ITU-T H.265 §7.3.2.2.

use super::lists::scaling_lists;
use super::references::ref_pic_sets;
use super::{Profile, Vui};
use crate::h26x::error::{Bits, DIGEST, Error, Kind};
use crate::h26x::{Codec, Extent, Nal, NalKind};

/// Entries of a palette predictor at most: PaletteMaxPredictorSize of every profile that has palettes (§A.3.7).
pub(super) const PALETTE: u32 = 128;

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
    /// sps_max_dec_pic_buffering_minus1 + 1 of the highest sub-layer.
    pub buffering: u8,
    /// sps_max_num_reorder_pics of the highest sub-layer.
    pub reorder: u8,
    /// SpsMaxLatencyPictures of the highest sub-layer, where it is bounded.
    pub latency: Option<u32>,
    /// CtbLog2SizeY.
    pub ctb_log2: u8,
    /// scaling_list_enabled_flag.
    pub scaling_lists: bool,
    /// Video usability information, as far as it could be read.
    pub vui: Option<Vui>,
    /// How it ends. Extensions of later editions are not read.
    pub extent: Extent,
    /// Of all that a decoder reads, but for the ids and the VUI.
    digest: u64,
}

impl Sps {
    /// Reads a NAL unit of type 33 of the base layer. Bytes after the set are tolerated, and a VUI that breaks off or
    /// has a value out of range counts as far as it goes: [`Sps::extent`].
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 2);
        if Nal::new(nal).kind(Codec::H265) != NalKind::Sps {
            return Err(bits.error(Kind::WrongType));
        }
        let vps_id = bits.bits(4)? as u8;
        let start = bits.clone();
        let sub_layers = bits.bits(3)? + 1;
        if sub_layers > 7 {
            return Err(bits.error(Kind::OutOfRange));
        }
        let temporal_id_nesting = bits.flag()?;
        let mut sps = Self::blank(Profile::read(&mut bits, sub_layers)?);
        (sps.vps_id, sps.sub_layers, sps.temporal_id_nesting) =
            (vps_id, sub_layers as u8, temporal_id_nesting);
        sps.digest = start.digest(&bits, DIGEST);
        sps.id = bits.ue_max(15)? as u8;
        let start = bits.clone();
        sps.chroma_format = bits.ue_max(3)? as u8;
        sps.read_size(&mut bits)?;
        sps.bit_depth_luma = bits.ue_max(8)? as u8 + 8;
        sps.bit_depth_chroma = bits.ue_max(8)? as u8 + 8;
        sps.order_bits = bits.ue_max(12)? as u8 + 4;
        sps.read_buffering(&mut bits)?;
        let min_coding_block = bits.ue_max(3)? as u8 + 3;
        sps.ctb_log2 = min_coding_block + bits.ue_max(3)? as u8;
        // What follows slice headers do not need.
        sps.extent = sps.read_rest(&mut bits, &start).unwrap_or(Extent::Partial);
        Ok(sps)
    }

    const fn blank(profile: Profile) -> Self {
        Self {
            vps_id: 0,
            sub_layers: 1,
            temporal_id_nesting: false,
            profile,
            id: 0,
            chroma_format: 1,
            separate_planes: false,
            coded_width: 0,
            coded_height: 0,
            width: 0,
            height: 0,
            bit_depth_luma: 8,
            bit_depth_chroma: 8,
            order_bits: 4,
            buffering: 1,
            reorder: 0,
            latency: None,
            ctb_log2: 4,
            scaling_lists: false,
            vui: None,
            extent: Extent::Partial,
            digest: 0,
        }
    }

    /// From sps_sub_layer_ordering_info_present_flag on; the last entry is the highest sub-layer's.
    fn read_buffering(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        let described = if bits.flag()? { self.sub_layers } else { 1 };
        for _ in 0..described {
            self.buffering = bits.ue()?.min(15) as u8 + 1;
            self.reorder = bits.ue_max(15)? as u8;
            let increase = bits.ue()?;
            self.latency = increase.checked_sub(1).map(|more| u32::from(self.reorder).saturating_add(more));
        }
        Ok(())
    }

    /// From after the size of coding tree blocks to the end. `start`: after the id.
    fn read_rest(&mut self, bits: &mut Bits<'_>, start: &Bits<'_>) -> Result<Extent, Error> {
        let tools = self.skip_tools(bits);
        self.digest = start.digest(bits, self.digest);
        tools?;
        if bits.flag()? {
            let mut vui = Vui::default();
            let read = vui.read(bits, self.sub_layers.into());
            self.vui = Some(vui);
            read?;
        }
        let start = bits.clone();
        let extent = if bits.flag()? { self.skip_extensions(bits)? } else { bits.extent() };
        self.digest = start.digest(bits, self.digest);
        Ok(extent)
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

    /// From log2_min_luma_transform_block_size_minus2 to strong_intra_smoothing_enabled_flag.
    fn skip_tools(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        for _ in 0..4 {
            bits.ue()?; // transform block sizes and hierarchy depths
        }
        self.scaling_lists = bits.flag()?;
        if self.scaling_lists && bits.flag()? {
            scaling_lists(bits)?;
        }
        bits.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
        if bits.flag()? {
            bits.skip(8)?; // pcm bit depths
            bits.ue()?;
            bits.ue()?;
            bits.skip(1)?; // pcm_loop_filter_disabled_flag
        }
        ref_pic_sets(bits)?;
        if bits.flag()? {
            for _ in 0..bits.ue_max(32)? {
                bits.skip(u32::from(self.order_bits) + 1)?; // lt_ref_pic_poc_lsb_sps, used_by_curr_pic_lt_sps_flag
            }
        }
        bits.skip(2) // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    }

    /// From sps_range_extension_flag on.
    fn skip_extensions(&self, bits: &mut Bits<'_>) -> Result<Extent, Error> {
        let (range, layers, depth, screen) = (bits.flag()?, bits.flag()?, bits.flag()?, bits.flag()?);
        let later = bits.bits(4)? != 0;
        if range {
            bits.skip(9)?; // transform_skip_rotation_enabled_flag … cabac_bypass_alignment_enabled_flag
        }
        if layers {
            bits.skip(1)?; // inter_view_mv_vert_constraint_flag
        }
        if depth {
            skip_depth_extension(bits)?;
        }
        if screen {
            self.skip_screen_extension(bits)?;
        }
        Ok(if later { Extent::Extended } else { bits.extent() })
    }

    /// sps_scc_extension(), §7.3.2.2.3.
    fn skip_screen_extension(&self, bits: &mut Bits<'_>) -> Result<(), Error> {
        bits.skip(1)?; // sps_curr_pic_ref_enabled_flag
        if bits.flag()? {
            bits.ue()?; // palette_max_size
            bits.ue()?; // delta_palette_max_predictor_size
            if bits.flag()? {
                let entries = bits.ue_max(PALETTE - 1)? + 1;
                let (luma, chroma) = (u32::from(self.bit_depth_luma), u32::from(self.bit_depth_chroma));
                bits.skip(entries * (luma + if self.chroma_format == 0 { 0 } else { 2 * chroma }))?;
            }
        }
        bits.skip(3) // motion_vector_resolution_control_idc, intra_boundary_filtering_disabled_flag
    }

    /// Bits of slice_segment_address: Ceil( Log2( PicSizeInCtbsY ) ).
    #[must_use]
    pub fn address_bits(&self) -> u32 {
        let blocks = |size: u32| u64::from(size.div_ceil(1 << self.ctb_log2));
        let count = blocks(self.coded_width) * blocks(self.coded_height);
        u64::BITS - count.saturating_sub(1).leading_zeros()
    }

    /// Pictures per second as a fraction in lowest terms; with [`Vui::field_seq`], each is a field.
    #[must_use]
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        let (units, scale) = self.vui.as_ref()?.timing?;
        crate::h26x::format::fraction(u64::from(scale), u64::from(units))
    }

    /// Does a decoder show the same with both, ids apart? Timing, rates and hints do not count.
    pub(in crate::h26x) fn decodes_like(&self, other: &Self) -> bool {
        let vui = |sps: &Self| sps.vui.clone().unwrap_or_default();
        self.digest == other.digest && vui(self).looks_like(&vui(other))
    }
}

/// sps_3d_extension(), §7.3.2.2.5.
fn skip_depth_extension(bits: &mut Bits<'_>) -> Result<(), Error> {
    bits.skip(2)?; // iv_di_mc_enabled_flag, iv_mv_scal_enabled_flag
    bits.ue()?; // log2_ivmc_sub_pb_size_minus3
    bits.skip(4)?; // iv_res_pred_enabled_flag … dbbp_enabled_flag
    bits.skip(3)?; // of depth: iv_di_mc_enabled_flag, iv_mv_scal_enabled_flag, tex_mc_enabled_flag
    bits.ue()?; // log2_texmc_sub_pb_size_minus3
    bits.skip(5) // intra_contour_enabled_flag … skip_intra_enabled_flag
}
