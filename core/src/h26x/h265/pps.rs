//! Picture parameter set, ITU-T H.265 §7.3.2.3, as far as slice headers and the configuration record need it.

use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::{Codec, Nal, NalKind};

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
}

impl Pps {
    /// Reads a NAL unit of type 34 of the base layer.
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 2);
        if Nal::new(nal).kind(Codec::H265) != NalKind::Pps {
            return Err(bits.error(Kind::WrongType));
        }
        let mut pps = Self {
            id: bits.ue_max(63)? as u8,
            sps_id: bits.ue_max(15)? as u8,
            dependent_slices: bits.flag()?,
            output_flag: bits.flag()?,
            extra_bits: bits.bits(3)? as u8,
            tiles: false,
            wavefront: false,
        };
        (pps.tiles, pps.wavefront) = parallel(&mut bits).unwrap_or_default();
        Ok(pps)
    }
}

/// From sign_data_hiding_enabled_flag to entropy_coding_sync_enabled_flag.
fn parallel(bits: &mut Bits<'_>) -> Result<(bool, bool), Error> {
    bits.skip(2)?; // sign_data_hiding_enabled_flag, cabac_init_present_flag
    bits.ue()?; // num_ref_idx_l0_default_active_minus1
    bits.ue()?;
    bits.se()?; // init_qp_minus26
    bits.skip(2)?; // constrained_intra_pred_flag, transform_skip_enabled_flag
    if bits.flag()? {
        bits.ue()?; // diff_cu_qp_delta_depth
    }
    bits.se()?; // pps_cb_qp_offset
    bits.se()?;
    bits.skip(4)?; // pps_slice_chroma_qp_offsets_present_flag … transquant_bypass_enabled_flag
    Ok((bits.flag()?, bits.flag()?))
}
