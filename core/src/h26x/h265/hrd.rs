//! hrd_parameters(), ITU-T H.265 §E.2.2.

use crate::h26x::Hrd;
use crate::h26x::error::{Bits, Error};

/// The part that the sub-layers share.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Common {
    nal: bool,
    vcl: bool,
    sub_pictures: bool,
    rate_scale: u32,
    size_scale: u32,
    hrd: Hrd,
}

impl Common {
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        *self = Self { nal: bits.flag()?, vcl: bits.flag()?, ..Self::default() };
        if self.nal || self.vcl {
            self.sub_pictures = bits.flag()?;
            if self.sub_pictures {
                bits.skip(19)?; // tick_divisor_minus2 … dpb_output_delay_du_length_minus1
            }
            (self.rate_scale, self.size_scale) = (bits.bits(4)?, bits.bits(4)?);
            if self.sub_pictures {
                bits.skip(4)?; // cpb_size_du_scale
            }
            self.hrd.initial_delay_bits = bits.bits(5)? as u8 + 1;
            self.hrd.removal_delay_bits = bits.bits(5)? as u8 + 1;
            self.hrd.output_delay_bits = bits.bits(5)? as u8 + 1;
        }
        Ok(())
    }

    fn sub_layer(&mut self, bits: &mut Bits<'_>) -> Result<(), Error> {
        // fixed_pic_rate_general_flag implies fixed_pic_rate_within_cvs_flag.
        let fixed = bits.flag()? || bits.flag()?;
        let mut low_delay = false;
        if fixed {
            bits.ue()?; // elemental_duration_in_tc_minus1
        } else {
            low_delay = bits.flag()?;
        }
        let count = if low_delay { 0 } else { bits.ue_max(31)? };
        for _ in 0..u32::from(self.nal) + u32::from(self.vcl) {
            for _ in 0..=count {
                let (rate, size) = (bits.ue()?, bits.ue()?);
                if self.sub_pictures {
                    bits.ue()?; // cpb_size_du_value_minus1
                    bits.ue()?; // bit_rate_du_value_minus1
                }
                self.hrd.schedule((rate, self.rate_scale), (size, self.size_scale), bits.flag()?);
            }
        }
        Ok(())
    }
}

/// hrd_parameters( `with_common`, `sub_layers` - 1 ); without the common part, that of the one before holds.
pub(super) fn read(
    bits: &mut Bits<'_>,
    common: &mut Common,
    with_common: bool,
    sub_layers: u32,
) -> Result<Hrd, Error> {
    if with_common {
        common.read(bits)?;
    }
    for _ in 0..sub_layers {
        common.sub_layer(bits)?;
    }
    Ok(common.hrd)
}
