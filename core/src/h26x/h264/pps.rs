//! Picture parameter set, ITU-T H.264 §7.3.2.2.

use super::Sps;
use super::sps::scaling_lists;
use crate::h26x::error::{Bits, DIGEST, Error, Kind};
use crate::h26x::{Codec, Extent, Nal, NalKind};

/// A picture parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pps {
    /// pic_parameter_set_id, 0 to 255.
    pub id: u8,
    /// seq_parameter_set_id, 0 to 31.
    pub sps_id: u8,
    /// entropy_coding_mode_flag: CABAC.
    pub cabac: bool,
    /// bottom_field_pic_order_in_frame_present_flag.
    pub bottom_field_order: bool,
    /// num_slice_groups_minus1 + 1, 1 to 8; above 1 with flexible macroblock ordering.
    pub slice_groups: u8,
    /// num_ref_idx_l0_default_active_minus1 + 1, 1 to 32.
    pub refs_l0: u32,
    /// num_ref_idx_l1_default_active_minus1 + 1, 1 to 32.
    pub refs_l1: u32,
    /// weighted_pred_flag.
    pub weighted: bool,
    /// weighted_bipred_idc, 0 to 2.
    pub weighted_bi: u8,
    /// deblocking_filter_control_present_flag.
    pub deblocking_control: bool,
    /// constrained_intra_pred_flag.
    pub constrained_intra: bool,
    /// redundant_pic_cnt_present_flag.
    pub redundant: bool,
    /// transform_8x8_mode_flag.
    pub transform_8x8: bool,
    /// pic_scaling_matrix_present_flag.
    pub scaling_lists: bool,
    /// How it ends.
    pub extent: Extent,
    /// Of all but the ids.
    digest: u64,
}

impl Pps {
    /// Reads a NAL unit of type 8. What follows the part that every profile has counts as far as it goes:
    /// [`Pps::extent`]. How many scaling lists there are hangs on the sequence parameter set: without it, 4:2:0 is assumed.
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8], sps: Option<&Sps>) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 1);
        if Nal::new(nal).kind(Codec::H264) != NalKind::Pps {
            return Err(bits.error(Kind::WrongType));
        }
        let (id, sps_id) = (bits.ue_max(255)? as u8, bits.ue_max(31)? as u8);
        let start = bits.clone();
        let (cabac, bottom_field_order) = (bits.flag()?, bits.flag()?);
        let slice_groups = slice_groups(&mut bits)?;
        let (refs_l0, refs_l1) = (bits.ue_max(31)? + 1, bits.ue_max(31)? + 1);
        let (weighted, weighted_bi) = (bits.flag()?, bits.bits(2)? as u8);
        for _ in 0..3 {
            bits.se()?; // pic_init_qp_minus26, pic_init_qs_minus26, chroma_qp_index_offset
        }
        let (deblocking_control, constrained_intra, redundant) = (bits.flag()?, bits.flag()?, bits.flag()?);
        let mut pps = Self {
            id,
            sps_id,
            cabac,
            bottom_field_order,
            slice_groups,
            refs_l0,
            refs_l1,
            weighted,
            weighted_bi,
            deblocking_control,
            constrained_intra,
            redundant,
            transform_8x8: false,
            scaling_lists: false,
            extent: Extent::Partial,
            digest: DIGEST,
        };
        if pps.read_high(&mut bits, sps.map_or(1, |sps| sps.chroma_format)).is_ok() {
            pps.extent = bits.extent();
        }
        pps.digest = start.digest(&bits, DIGEST);
        Ok(pps)
    }

    /// What only High profiles have, where more_rbsp_data().
    fn read_high(&mut self, bits: &mut Bits<'_>, chroma_format: u8) -> Result<(), Error> {
        if bits.more() {
            self.transform_8x8 = bits.flag()?;
            self.scaling_lists = bits.flag()?;
            if self.scaling_lists {
                let large = if chroma_format == 3 { 6 } else { 2 };
                scaling_lists(bits, if self.transform_8x8 { large } else { 0 })?;
            }
            bits.se()?; // second_chroma_qp_index_offset
        }
        Ok(())
    }

    /// Does a decoder do the same with both, ids apart?
    pub(in crate::h26x) const fn decodes_like(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// num_slice_groups_minus1 + 1; the map (Baseline and Extended) is stepped over.
fn slice_groups(bits: &mut Bits<'_>) -> Result<u8, Error> {
    let last = bits.ue_max(7)?;
    if last == 0 {
        return Ok(1);
    }
    match bits.ue_max(6)? {
        0 => {
            for _ in 0..=last {
                bits.ue()?; // run_length_minus1
            }
        }
        2 => {
            for _ in 0..last {
                bits.ue()?; // top_left, bottom_right
                bits.ue()?;
            }
        }
        3..=5 => {
            bits.skip(1)?; // slice_group_change_direction_flag
            bits.ue()?; // slice_group_change_rate_minus1
        }
        6 => {
            let units = bits.ue()?;
            let width = u32::BITS - last.leading_zeros();
            for _ in 0..=units {
                bits.skip(width)?; // slice_group_id
            }
        }
        _ => {} // 1: dispersed, without parameters
    }
    Ok(last as u8 + 1)
}
