//! profile_tier_level(), ITU-T H.265 §7.3.3.

use crate::h26x::error::{Bits, Error};

/// What general_profile_space to general_level_idc say; the bytes of ISO/IEC 14496-15's configuration record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// general_profile_space, 0 to 3.
    pub space: u8,
    /// general_tier_flag: High tier.
    pub high_tier: bool,
    /// general_profile_idc.
    pub idc: u8,
    /// general_profile_compatibility_flag 0 to 31, the first in the highest bit.
    pub compatibility: u32,
    /// The 48 bits from general_progressive_source_flag on.
    pub constraints: [u8; 6],
    /// general_level_idc: 30 times the level.
    pub level: u8,
}

impl Profile {
    /// Reads the general part and steps over the sub-layers'.
    pub(super) fn read(bits: &mut Bits<'_>, sub_layers: u32) -> Result<Self, Error> {
        let mut profile = Self {
            space: bits.bits(2)? as u8,
            high_tier: bits.flag()?,
            idc: bits.bits(5)? as u8,
            compatibility: bits.bits(32)?,
            ..Self::default()
        };
        for byte in &mut profile.constraints {
            *byte = bits.bits(8)? as u8;
        }
        profile.level = bits.bits(8)? as u8;
        let mut present = [(false, false); 8];
        for present in present.iter_mut().take(sub_layers.saturating_sub(1) as usize) {
            *present = (bits.flag()?, bits.flag()?);
        }
        if sub_layers > 1 {
            bits.skip(2 * (9 - sub_layers))?; // reserved_zero_2bits
        }
        for (profile, level) in present {
            bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
        }
        Ok(profile)
    }
}
