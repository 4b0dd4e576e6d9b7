//! Picture parameter set, ITU-T H.265 §7.3.2.3.

use super::lists::scaling_lists;
use crate::h26x::error::{Bits, DIGEST, Error, Kind};
use crate::h26x::{Codec, Extent, Nal, NalKind};

/// A picture parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pps {
    /// pps_pic_parameter_set_id, 0 to 63.
    pub id: u8,
    /// pps_seq_parameter_set_id, 0 to 15.
    pub sps_id: u8,
    /// dependent_slice_segments_enabled_flag.
    pub dependent_slices: bool,
    /// output_flag_present_flag.
    pub output_flag: bool,
    /// num_extra_slice_header_bits, 0 to 7.
    pub extra_bits: u8,
    /// tiles_enabled_flag; `false` too where the set breaks off before it.
    pub tiles: bool,
    /// entropy_coding_sync_enabled_flag; likewise.
    pub wavefront: bool,
    /// num_tile_columns_minus1 + 1 and num_tile_rows_minus1 + 1.
    pub tile_grid: (u16, u16),
    /// pps_scaling_list_data_present_flag.
    pub scaling_lists: bool,
    /// How it ends. Extensions of layers and depth are not read.
    pub extent: Extent,
    /// Of all but the ids.
    digest: u64,
}

impl Pps {
    /// Reads a NAL unit of type 34 of the base layer. What slice headers do not need counts as far as it goes.
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 2);
        if Nal::new(nal).kind(Codec::H265) != NalKind::Pps {
            return Err(bits.error(Kind::WrongType));
        }
        let (id, sps_id) = (bits.ue_max(63)? as u8, bits.ue_max(15)? as u8);
        let start = bits.clone();
        let mut pps = Self {
            id,
            sps_id,
            dependent_slices: bits.flag()?,
            output_flag: bits.flag()?,
            extra_bits: bits.bits(3)? as u8,
            tiles: false,
            wavefront: false,
            tile_grid: (1, 1),
            scaling_lists: false,
            extent: Extent::Partial,
            digest: DIGEST,
        };
        pps.extent = pps.read_rest(&mut bits).unwrap_or(Extent::Partial);
        pps.digest = start.digest(&bits, DIGEST);
        Ok(pps)
    }

    /// From sign_data_hiding_enabled_flag on.
    fn read_rest(&mut self, bits: &mut Bits<'_>) -> Result<Extent, Error> {
        bits.skip(2)?; // sign_data_hiding_enabled_flag, cabac_init_present_flag
        bits.ue()?; // num_ref_idx_l0_default_active_minus1
        bits.ue()?;
        bits.se()?; // init_qp_minus26
        bits.skip(1)?; // constrained_intra_pred_flag
        let transform_skip = bits.flag()?;
        if bits.flag()? {
            bits.ue()?; // diff_cu_qp_delta_depth
        }
        bits.se()?; // pps_cb_qp_offset
        bits.se()?;
        bits.skip(4)?; // pps_slice_chroma_qp_offsets_present_flag … transquant_bypass_enabled_flag
        (self.tiles, self.wavefront) = (bits.flag()?, bits.flag()?);
        if self.tiles {
            self.read_tiles(bits)?;
        }
        bits.skip(1)?; // pps_loop_filter_across_slices_enabled_flag
        if bits.flag()? {
            bits.skip(1)?; // deblocking_filter_override_enabled_flag
            if !bits.flag()? {
                bits.se()?; // pps_beta_offset_div2
                bits.se()?;
            }
        }
        self.scaling_lists = bits.flag()?;
        if self.scaling_lists {
            scaling_lists(bits)?;
        }
        bits.skip(1)?; // lists_modification_present_flag
        bits.ue()?; // log2_parallel_merge_level_minus2
        bits.skip(1)?; // slice_segment_header_extension_present_flag
        if bits.flag()? { extensions(bits, transform_skip) } else { Ok(bits.extent()) }
    }

    fn read_tiles(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        // Level 6.2 has 20 columns and 22 rows at most (table A.8); a picture of 65 535 pixels has 4 096 blocks a side.
        let (columns, rows) = (bits.ue_max(4_095)?, bits.ue_max(4_095)?);
        self.tile_grid = (columns as u16 + 1, rows as u16 + 1);
        if !bits.flag()? {
            for _ in 0..columns + rows {
                bits.ue()?; // column_width_minus1, row_height_minus1
            }
        }
        bits.skip(1) // loop_filter_across_tiles_enabled_flag
    }

    /// Does a decoder do the same with both, ids apart?
    pub(in crate::h26x) const fn decodes_like(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// From pps_range_extension_flag on.
fn extensions(bits: &mut Bits<'_>, transform_skip: bool) -> Result<Extent, Error> {
    let (range, layers, depth, screen) = (bits.flag()?, bits.flag()?, bits.flag()?, bits.flag()?);
    let later = bits.bits(4)? != 0;
    if range {
        range_extension(bits, transform_skip)?;
    }
    if layers || depth {
        return Ok(Extent::Extended);
    }
    if screen {
        screen_extension(bits)?;
    }
    Ok(if later { Extent::Extended } else { bits.extent() })
}

/// pps_range_extension(), §7.3.2.3.2.
fn range_extension(bits: &mut Bits<'_>, transform_skip: bool) -> Result<(), Error> {
    if transform_skip {
        bits.ue()?; // log2_max_transform_skip_block_size_minus2
    }
    bits.skip(1)?; // cross_component_prediction_enabled_flag
    if bits.flag()? {
        bits.ue()?; // diff_cu_chroma_qp_offset_depth
        for _ in 0..=bits.ue_max(5)? {
            bits.se()?; // cb_qp_offset_list
            bits.se()?;
        }
    }
    bits.ue()?; // log2_sao_offset_scale_luma
    bits.ue()?;
    Ok(())
}

/// pps_scc_extension(), §7.3.2.3.3.
fn screen_extension(bits: &mut Bits<'_>) -> Result<(), Error> {
    bits.skip(1)?; // pps_curr_pic_ref_enabled_flag
    if bits.flag()? {
        bits.skip(1)?; // pps_slice_act_qp_offsets_present_flag
        for _ in 0..3 {
            bits.se()?; // pps_act_y_qp_offset_plus5 …
        }
    }
    if bits.flag()? {
        let entries = bits.ue_max(super::sps::PALETTE)?;
        if entries > 0 {
            let monochrome = bits.flag()?;
            let luma = bits.ue_max(8)? + 8;
            let chroma = if monochrome { 0 } else { 2 * (bits.ue_max(8)? + 8) };
            bits.skip(entries * (luma + chroma))?;
        }
    }
    Ok(())
}
