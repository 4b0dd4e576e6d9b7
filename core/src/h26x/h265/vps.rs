//! Video parameter set, ITU-T H.265 §7.3.2.1.

use super::{Profile, hrd};
use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::{Codec, Extent, Hrd, Nal, NalKind};

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
    /// vps_temporal_id_nesting_flag.
    pub temporal_id_nesting: bool,
    /// Profile, tier and level.
    pub profile: Profile,
    /// vps_num_units_in_tick, vps_time_scale; `None` too where the set breaks off before them.
    pub timing: Option<(u32, u32)>,
    /// The last hrd_parameters() of the set.
    pub hrd: Option<Hrd>,
    /// How it ends. The extension of further layers is not read.
    pub extent: Extent,
}

impl Vps {
    /// Reads a NAL unit of type 32. What stands behind profile and level counts as far as it goes.
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
        let temporal_id_nesting = bits.flag()?;
        bits.skip(16)?; // vps_reserved_0xffff_16bits
        let profile = Profile::read(&mut bits, sub_layers)?;
        let mut vps = Self {
            id,
            layers,
            sub_layers: sub_layers as u8,
            temporal_id_nesting,
            profile,
            timing: None,
            hrd: None,
            extent: Extent::Partial,
        };
        vps.extent = vps.read_rest(&mut bits).unwrap_or(Extent::Partial);
        Ok(vps)
    }

    fn read_rest(&mut self, bits: &mut Bits<'_>) -> Result<Extent, Error> {
        let sub_layers = u32::from(self.sub_layers);
        let described = if bits.flag()? { sub_layers } else { 1 };
        for _ in 0..described * 3 {
            bits.ue()?; // vps_max_dec_pic_buffering_minus1, vps_max_num_reorder_pics, vps_max_latency_increase_plus1
        }
        let layer_ids = bits.bits(6)? + 1;
        let layer_sets = bits.ue_max(1_023)?;
        bits.skip(layer_sets * layer_ids)?; // layer_id_included_flag
        if bits.flag()? {
            let timing = (bits.bits(32)?, bits.bits(32)?);
            self.timing = (timing.0 > 0 && timing.1 > 0).then_some(timing);
            if bits.flag()? {
                bits.ue()?; // vps_num_ticks_poc_diff_one_minus1
            }
            let mut common = hrd::Common::default();
            for i in 0..bits.ue_max(layer_sets + 1)? {
                bits.ue_max(layer_sets)?; // hrd_layer_set_idx
                let with_common = i == 0 || bits.flag()?;
                self.hrd = Some(hrd::read(bits, &mut common, with_common, sub_layers)?);
            }
        }
        Ok(if bits.flag()? { Extent::Extended } else { bits.extent() })
    }

    /// Does a decoder of the base layer do the same with both, ids apart?
    pub(in crate::h26x) fn decodes_like(&self, other: &Self) -> bool {
        let bare = |vps: &Self| Self { id: 0, timing: None, hrd: None, extent: Extent::Whole, ..*vps };
        bare(self) == bare(other)
    }
}
