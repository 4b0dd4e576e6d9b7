//! Video usability information, ITU-T H.265 Annex E.

use super::hrd;
use crate::h26x::Hrd;
use crate::h26x::error::{Bits, Error};
use crate::h26x::h264::{aspect, chroma_location};

/// What the VUI says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vui {
    /// sar_width, sar_height (table E-1 resolved); `None` where unspecified.
    pub sample_aspect: Option<(u32, u32)>,
    /// overscan_appropriate_flag.
    pub overscan: Option<bool>,
    /// video_format; 5, unspecified, where absent too.
    pub video_format: u8,
    /// video_full_range_flag.
    pub full_range: bool,
    /// colour_primaries, transfer_characteristics, matrix_coeffs.
    pub colour: Option<(u8, u8, u8)>,
    /// chroma_sample_loc_type_top_field and …_bottom_field, 0 to 5.
    pub chroma_location: Option<(u8, u8)>,
    /// neutral_chroma_indication_flag: no colour.
    pub neutral_chroma: bool,
    /// field_seq_flag: each picture is a field.
    pub field_seq: bool,
    /// frame_field_info_present_flag: picture timing messages say how a picture is to be shown.
    pub frame_field_info: bool,
    /// def_disp_win offsets, left, right, top and bottom, in chroma units: a hint, no cropping.
    pub display_window: Option<[u32; 4]>,
    /// vui_num_units_in_tick, vui_time_scale.
    pub timing: Option<(u32, u32)>,
    /// vui_num_ticks_poc_diff_one_minus1 + 1: ticks of a picture order count.
    pub ticks_per_count: Option<u64>,
    /// vui_hrd_parameters.
    pub hrd: Option<Hrd>,
    /// What bitstream_restriction_flag announces.
    pub restriction: Option<Restriction>,
    /// min_spatial_segmentation_idc, 0 where unknown.
    pub min_spatial_segmentation: u16,
}

/// The restrictions that a stream puts on itself, §E.3.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restriction {
    /// tiles_fixed_structure_flag.
    pub fixed_tiles: bool,
    /// motion_vectors_over_pic_boundaries_flag.
    pub over_boundaries: bool,
    /// restricted_ref_pic_lists_flag.
    pub restricted_lists: bool,
    /// max_bytes_per_pic_denom, 0 to 16.
    pub bytes_per_picture: u8,
    /// max_bits_per_min_cu_denom, 0 to 16.
    pub bits_per_unit: u8,
    /// log2_max_mv_length_horizontal and …_vertical, 0 to 15.
    pub motion_log2: (u8, u8),
}

impl Vui {
    /// Reads into `self`, so that what stands before an error is kept.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), Error> {
        self.video_format = 5;
        self.sample_aspect = aspect(bits)?;
        if bits.flag()? {
            self.overscan = Some(bits.flag()?);
        }
        if bits.flag()? {
            self.video_format = bits.bits(3)? as u8;
            self.full_range = bits.flag()?;
            if bits.flag()? {
                self.colour = Some((bits.bits(8)? as u8, bits.bits(8)? as u8, bits.bits(8)? as u8));
            }
        }
        self.chroma_location = chroma_location(bits)?;
        self.neutral_chroma = bits.flag()?;
        self.field_seq = bits.flag()?;
        self.frame_field_info = bits.flag()?;
        // Encoders built on an early draft leave default_display_window_flag out: what then stands here is
        // vui_timing_info_present_flag and the zeros at the start of vui_num_units_in_tick. (A window offset whose
        // code starts with 20 zeros would be beyond a million pixels.)
        let draft = bits.clone().bits(21) == Ok(0x10_0000);
        if !draft && bits.flag()? {
            self.display_window = Some([bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?]);
        }
        if bits.flag()? {
            self.read_timing(bits, sub_layers)?;
        }
        if bits.flag()? {
            self.read_restriction(bits)?;
        }
        Ok(())
    }

    fn read_timing(&mut self, bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), Error> {
        let timing = (bits.bits(32)?, bits.bits(32)?);
        self.timing = (timing.0 > 0 && timing.1 > 0).then_some(timing);
        if bits.flag()? {
            self.ticks_per_count = Some(u64::from(bits.ue()?) + 1);
        }
        if bits.flag()? {
            self.hrd = Some(hrd::read(bits, &mut hrd::Common::default(), true, sub_layers)?);
        }
        Ok(())
    }

    fn read_restriction(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        let mut restriction = Restriction {
            fixed_tiles: bits.flag()?,
            over_boundaries: bits.flag()?,
            restricted_lists: bits.flag()?,
            ..Restriction::default()
        };
        self.min_spatial_segmentation = bits.ue_max(4_095)? as u16;
        // Nothing hangs on these: out of range, they must not hide what follows.
        restriction.bytes_per_picture = bits.ue()?.min(255) as u8;
        restriction.bits_per_unit = bits.ue()?.min(255) as u8;
        restriction.motion_log2 = (bits.ue()?.min(255) as u8, bits.ue()?.min(255) as u8);
        self.restriction = Some(restriction);
        Ok(())
    }

    /// Do pictures look the same with both? Not: rates, timing, hints.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let look = |vui: &Self| {
            (vui.sample_aspect, vui.full_range, vui.colour, vui.field_seq, vui.min_spatial_segmentation)
        };
        look(self) == look(other)
    }
}
