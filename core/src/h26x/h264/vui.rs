//! Video usability information, ITU-T H.264 Annex E.

use crate::h26x::error::{Bits, Error};

/// What the VUI says, as far as it is of use here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vui {
    /// sar_width, sar_height (table E-1 resolved); `None` where unspecified.
    pub sample_aspect: Option<(u32, u32)>,
    /// video_full_range_flag.
    pub full_range: bool,
    /// colour_primaries, transfer_characteristics, matrix_coefficients.
    pub colour: Option<(u8, u8, u8)>,
    /// num_units_in_tick, time_scale.
    pub timing: Option<(u32, u32)>,
    /// fixed_frame_rate_flag.
    pub fixed_frame_rate: bool,
    /// pic_struct_present_flag.
    pub pic_struct: bool,
    /// max_num_reorder_frames, max_dec_frame_buffering.
    pub reorder: Option<(u32, u32)>,
}

/// Table E-1, the same in H.265.
const ASPECTS: [(u32, u32); 17] = [
    (0, 0),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// aspect_ratio_info of both standards' VUI.
pub(in crate::h26x) fn aspect(bits: &mut Bits<'_>) -> Result<Option<(u32, u32)>, Error> {
    if !bits.flag()? {
        return Ok(None);
    }
    let aspect = match bits.bits(8)? {
        255 => (bits.bits(16)?, bits.bits(16)?),
        idc => ASPECTS.get(idc as usize).copied().unwrap_or((0, 0)),
    };
    Ok((aspect.0 > 0 && aspect.1 > 0).then_some(aspect))
}

impl Vui {
    /// Reads into `self`, so that what stands before an error is kept.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
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
        if bits.flag()? {
            let timing = (bits.bits(32)?, bits.bits(32)?);
            self.fixed_frame_rate = bits.flag()?;
            self.timing = (timing.0 > 0 && timing.1 > 0).then_some(timing);
        }
        let nal_hrd = bits.flag()?;
        if nal_hrd {
            hrd(bits)?;
        }
        let vcl_hrd = bits.flag()?;
        if vcl_hrd {
            hrd(bits)?;
        }
        if nal_hrd || vcl_hrd {
            bits.skip(1)?; // low_delay_hrd_flag
        }
        self.pic_struct = bits.flag()?;
        if bits.flag()? {
            bits.skip(1)?; // motion_vectors_over_pic_boundaries_flag
            for _ in 0..4 {
                bits.ue()?; // max_bytes_per_pic_denom … log2_max_mv_length_vertical
            }
            self.reorder = Some((bits.ue_max(16)?, bits.ue_max(16)?));
        }
        Ok(())
    }
}

/// hrd_parameters(), §E.1.2: stepped over.
fn hrd(bits: &mut Bits<'_>) -> Result<(), Error> {
    let count = bits.ue_max(31)?;
    bits.skip(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..=count {
        bits.ue()?;
        bits.ue()?;
        bits.skip(1)?;
    }
    bits.skip(20) // four lengths of 5 bits
}
