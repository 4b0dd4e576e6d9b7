//! Video parameter set, ITU-T H.265 §7.3.2.1.

use super::Profile;
use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::{Codec, Nal, NalKind};

/// A video parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vps {
    /// vps_video_parameter_set_id, 0 to 15.
    pub id: u8,
    /// vps_max_layers_minus1 + 1.
    pub layers: u8,
    /// vps_max_sub_layers_minus1 + 1, 1 to 7.
    pub sub_layers: u8,
    /// Profile, tier and level.
    pub profile: Profile,
    /// vps_num_units_in_tick, vps_time_scale; `None` too where the set breaks off before them.
    pub timing: Option<(u32, u32)>,
}

impl Vps {
    /// Reads a NAL unit of type 32.
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 2);
        if Nal::new(nal).kind(Codec::H265) != NalKind::Vps {
            return Err(bits.error(Kind::WrongType));
        }
        let id = bits.bits(4)? as u8;
        bits.skip(2)?; // vps_base_layer_internal_flag, vps_base_layer_available_flag
        let layers = bits.bits(6)? as u8 + 1;
        let sub_layers = bits.bits(3)? + 1;
        if sub_layers > 7 {
            return Err(bits.error(Kind::OutOfRange));
        }
        bits.skip(17)?; // vps_temporal_id_nesting_flag, vps_reserved_0xffff_16bits
        let profile = Profile::read(&mut bits, sub_layers)?;
        let timing = read_timing(&mut bits, sub_layers).unwrap_or(None);
        Ok(Self { id, layers, sub_layers: sub_layers as u8, profile, timing })
    }
}

fn read_timing(bits: &mut Bits<'_>, sub_layers: u32) -> Result<Option<(u32, u32)>, Error> {
    let described = if bits.flag()? { sub_layers } else { 1 };
    for _ in 0..described * 3 {
        bits.ue()?;
    }
    let layer_ids = bits.bits(6)? + 1;
    let layer_sets = bits.ue_max(1_023)?;
    bits.skip(layer_sets * layer_ids)?;
    if !bits.flag()? {
        return Ok(None);
    }
    let timing = (bits.bits(32)?, bits.bits(32)?);
    Ok((timing.0 > 0 && timing.1 > 0).then_some(timing))
}
