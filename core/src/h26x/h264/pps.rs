//! Picture parameter set, ITU-T H.264 §7.3.2.2, as far as slice headers need it.

use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::{Codec, Nal, NalKind};

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
    /// num_ref_idx_l0_default_active_minus1 + 1, 1 to 32.
    pub refs_l0: u32,
    /// num_ref_idx_l1_default_active_minus1 + 1, 1 to 32.
    pub refs_l1: u32,
    /// weighted_pred_flag.
    pub weighted: bool,
    /// weighted_bipred_idc, 0 to 2.
    pub weighted_bi: u8,
    /// redundant_pic_cnt_present_flag.
    pub redundant: bool,
}

impl Pps {
    /// Reads a NAL unit of type 8.
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 1);
        if Nal::new(nal).kind(Codec::H264) != NalKind::Pps {
            return Err(bits.error(Kind::WrongType));
        }
        let id = bits.ue_max(255)? as u8;
        let sps_id = bits.ue_max(31)? as u8;
        let cabac = bits.flag()?;
        let bottom_field_order = bits.flag()?;
        slice_groups(&mut bits)?;
        let (refs_l0, refs_l1) = (bits.ue_max(31)? + 1, bits.ue_max(31)? + 1);
        let (weighted, weighted_bi) = (bits.flag()?, bits.bits(2)? as u8);
        for _ in 0..3 {
            bits.se()?; // pic_init_qp_minus26, pic_init_qs_minus26, chroma_qp_index_offset
        }
        bits.skip(2)?; // deblocking_filter_control_present_flag, constrained_intra_pred_flag
        let redundant = bits.flag()?;
        Ok(Self { id, sps_id, cabac, bottom_field_order, refs_l0, refs_l1, weighted, weighted_bi, redundant })
    }
}

/// Flexible macroblock ordering (Baseline and Extended): stepped over.
fn slice_groups(bits: &mut Bits<'_>) -> Result<(), Error> {
    let groups = bits.ue_max(7)?;
    if groups == 0 {
        return Ok(());
    }
    match bits.ue_max(6)? {
        0 => {
            for _ in 0..=groups {
                bits.ue()?;
            }
        }
        2 => {
            for _ in 0..groups {
                bits.ue()?;
                bits.ue()?;
            }
        }
        3..=5 => {
            bits.skip(1)?;
            bits.ue()?;
        }
        6 => {
            let units = bits.ue()?;
            let width = u32::BITS - groups.leading_zeros();
            for _ in 0..=units {
                bits.skip(width)?;
            }
        }
        _ => {}
    }
    Ok(())
}
