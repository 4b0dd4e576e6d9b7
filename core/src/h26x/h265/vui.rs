//! Video usability information, ITU-T H.265 Annex E.

use super::skipped;
use crate::h26x::error::{Bits, Error};
use crate::h26x::h264::aspect;

/// What the VUI says, as far as it is of use here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vui {
    /// sar_width, sar_height (table E-1 resolved); `None` where unspecified.
    pub sample_aspect: Option<(u32, u32)>,
    /// video_full_range_flag.
    pub full_range: bool,
    /// colour_primaries, transfer_characteristics, matrix_coeffs.
    pub colour: Option<(u8, u8, u8)>,
    /// field_seq_flag: each picture is a field.
    pub field_seq: bool,
    /// vui_num_units_in_tick, vui_time_scale.
    pub timing: Option<(u32, u32)>,
    /// min_spatial_segmentation_idc, 0 where unknown.
    pub min_spatial_segmentation: u16,
}

impl Vui {
    /// Reads into `self`, so that what stands before an error is kept.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), Error> {
        self.sample_aspect = aspect(bits)?;
        if bits.flag()? {
            bits.skip(1)?; // overscan_appropriate_flag
        }
        if bits.flag()? {
            bits.skip(3)?; // video_format
            self.full_range = bits.flag()?;
            if bits.flag()? {
                self.colour = Some((bits.bits(8)? as u8, bits.bits(8)? as u8, bits.bits(8)? as u8));
            }
        }
        if bits.flag()? {
            bits.ue()?; // chroma_sample_loc_type_top_field
            bits.ue()?;
        }
        bits.skip(1)?; // neutral_chroma_indication_flag
        self.field_seq = bits.flag()?;
        bits.skip(1)?; // frame_field_info_present_flag
        // Encoders built on an early draft leave default_display_window_flag out: what then stands here is
        // vui_timing_info_present_flag and the zeros at the start of vui_num_units_in_tick. (A window offset whose
        // code starts with 20 zeros would be beyond a million pixels.)
        let draft = bits.clone().bits(21) == Ok(0x10_0000);
        if !draft && bits.flag()? {
            for _ in 0..4 {
                bits.ue()?; // def_disp_win_left_offset …
            }
        }
        if bits.flag()? {
            let timing = (bits.bits(32)?, bits.bits(32)?);
            self.timing = (timing.0 > 0 && timing.1 > 0).then_some(timing);
            if bits.flag()? {
                bits.ue()?; // vui_num_ticks_poc_diff_one_minus1
            }
            if bits.flag()? {
                skipped::hrd(bits, sub_layers)?;
            }
        }
        if bits.flag()? {
            bits.skip(3)?; // tiles_fixed_structure_flag … restricted_ref_pic_lists_flag
            self.min_spatial_segmentation = bits.ue_max(4_095)? as u16;
        }
        Ok(())
    }
}
