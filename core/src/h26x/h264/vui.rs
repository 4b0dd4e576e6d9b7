//! Video usability information, ITU-T H.264 Annex E.

use crate::h26x::Hrd;
use crate::h26x::error::{Bits, Error};

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
    /// colour_primaries, transfer_characteristics, matrix_coefficients.
    pub colour: Option<(u8, u8, u8)>,
    /// chroma_sample_loc_type_top_field and …_bottom_field, 0 to 5.
    pub chroma_location: Option<(u8, u8)>,
    /// num_units_in_tick, time_scale.
    pub timing: Option<(u32, u32)>,
    /// fixed_frame_rate_flag.
    pub fixed_frame_rate: bool,
    /// nal_hrd_parameters.
    pub nal_hrd: Option<Hrd>,
    /// vcl_hrd_parameters.
    pub vcl_hrd: Option<Hrd>,
    /// low_delay_hrd_flag.
    pub low_delay: bool,
    /// pic_struct_present_flag.
    pub pic_struct: bool,
    /// What bitstream_restriction_flag announces.
    pub restriction: Option<Restriction>,
}

/// The restrictions that a stream puts on itself, §E.2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restriction {
    /// motion_vectors_over_pic_boundaries_flag.
    pub over_boundaries: bool,
    /// max_bytes_per_pic_denom, 0 to 16.
    pub bytes_per_picture: u8,
    /// max_bits_per_mb_denom, 0 to 16.
    pub bits_per_macroblock: u8,
    /// log2_max_mv_length_horizontal and …_vertical, 0 to 16.
    pub motion_log2: (u8, u8),
    /// max_num_reorder_frames, 0 to 16.
    pub reorder: u8,
    /// max_dec_frame_buffering, 0 to 16.
    pub buffering: u8,
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

/// chroma_loc_info of both standards' VUI. Values out of range are of a later edition: not kept, and no error.
pub(in crate::h26x) fn chroma_location(bits: &mut Bits<'_>) -> Result<Option<(u8, u8)>, Error> {
    if !bits.flag()? {
        return Ok(None);
    }
    let (top, bottom) = (bits.ue()?, bits.ue()?);
    Ok((top <= 5 && bottom <= 5).then_some((top as u8, bottom as u8)))
}

impl Vui {
    /// Reads into `self`, so that what stands before an error is kept.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
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
        if bits.flag()? {
            let timing = (bits.bits(32)?, bits.bits(32)?);
            self.fixed_frame_rate = bits.flag()?;
            self.timing = (timing.0 > 0 && timing.1 > 0).then_some(timing);
        }
        for which in [&mut self.nal_hrd, &mut self.vcl_hrd] {
            if bits.flag()? {
                *which = Some(hrd(bits)?);
            }
        }
        if self.nal_hrd.is_some() || self.vcl_hrd.is_some() {
            self.low_delay = bits.flag()?;
        }
        self.pic_struct = bits.flag()?;
        if bits.flag()? {
            self.restriction = Some(Restriction::read(bits)?);
        }
        Ok(())
    }

    /// Do pictures look the same with both, and is as much held back? Not: rates, timing, hints.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let look = |vui: &Self| (vui.sample_aspect, vui.full_range, vui.colour, vui.restriction);
        look(self) == look(other)
    }
}

impl Restriction {
    fn read(bits: &mut Bits<'_>) -> Result<Self, Error> {
        Ok(Self {
            over_boundaries: bits.flag()?,
            // Nothing hangs on these: out of range, they must not hide what follows.
            bytes_per_picture: bits.ue()?.min(255) as u8,
            bits_per_macroblock: bits.ue()?.min(255) as u8,
            motion_log2: (bits.ue()?.min(255) as u8, bits.ue()?.min(255) as u8),
            reorder: bits.ue_max(16)? as u8,
            buffering: bits.ue_max(16)? as u8,
        })
    }
}

/// hrd_parameters(), §E.1.2.
fn hrd(bits: &mut Bits<'_>) -> Result<Hrd, Error> {
    let mut hrd = Hrd::default();
    let count = bits.ue_max(31)?;
    let (rate_scale, size_scale) = (bits.bits(4)?, bits.bits(4)?);
    for _ in 0..=count {
        let (rate, size) = (bits.ue()?, bits.ue()?);
        hrd.schedule((rate, rate_scale), (size, size_scale), bits.flag()?);
    }
    hrd.initial_delay_bits = bits.bits(5)? as u8 + 1;
    hrd.removal_delay_bits = bits.bits(5)? as u8 + 1;
    hrd.output_delay_bits = bits.bits(5)? as u8 + 1;
    hrd.time_offset_bits = bits.bits(5)? as u8;
    Ok(hrd)
}
