//! Parameter sets to the decoder's configuration record, and back, ISO/IEC 14496-15.

use alloc::vec::Vec;
use bytes::Bytes;

use crate::bmff::moov::trak::mdia::minf::stbl::stsd::Configuration;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::avcc::{AvcC, High};
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::hvcc::{Array, HvcC};
use crate::h26x::{Codec, ParameterSets};

/// nal_unit_type of H.265, in the order that ISO/IEC 14496-15 §8.3.3.1.3 recommends.
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;

/// The active set first: decoders that look at one only look at that.
fn active_first<'a>(sets: impl Iterator<Item = (u8, &'a Bytes)>, active: Option<u8>) -> Vec<Bytes> {
    let mut sets: Vec<_> = sets.collect();
    sets.sort_by_key(|(id, _)| (Some(*id) != active, *id));
    sets.into_iter().map(|(_, nal)| nal.clone()).collect()
}

/// `None` while no SPS is active.
pub(super) fn of(sets: &ParameterSets) -> Option<Configuration> {
    match sets.codec() {
        Codec::H264 => avc(sets).map(Configuration::Avc),
        Codec::H265 => hevc(sets).map(Configuration::Hevc),
    }
}

fn avc(sets: &ParameterSets) -> Option<AvcC> {
    let sps = sets.sps_h264(sets.active()?)?;
    let high = High {
        chroma_format: sps.chroma_format,
        luma_bits: sps.bit_depth_luma,
        chroma_bits: sps.bit_depth_chroma,
        sps_ext: Vec::new(),
    };
    let mut record = AvcC { length_size: 4, high: Some(high), ..AvcC::default() };
    (record.profile, record.compatibility, record.level) = (sps.profile, sps.constraints, sps.level);
    record.sps = active_first(sets.sps(), sets.active());
    record.pps = active_first(sets.pps(), None);
    if !record.is_high() {
        record.high = None;
    }
    Some(record)
}

fn hevc(sets: &ParameterSets) -> Option<HvcC> {
    let sps = sets.sps_h265(sets.active()?)?;
    let profile = &sps.profile;
    let mut profile_tier_level = [0; 12];
    let first = profile.space << 6 | u8::from(profile.high_tier) << 5 | profile.idc & 31;
    let bytes = [first].into_iter().chain(profile.compatibility.to_be_bytes());
    let bytes = bytes.chain(profile.constraints).chain([profile.level]);
    for (to, from) in profile_tier_level.iter_mut().zip(bytes) {
        *to = from;
    }
    let arrays = [
        (VPS, active_first(sets.vps(), Some(sps.vps_id))),
        (SPS, active_first(sets.sps(), sets.active())),
        (PPS, active_first(sets.pps(), None)),
    ];
    let arrays = arrays.into_iter().filter(|(_, nals)| !nals.is_empty());
    Some(HvcC {
        profile_tier_level,
        chroma_format: sps.chroma_format,
        luma_bits: sps.bit_depth_luma,
        chroma_bits: sps.bit_depth_chroma,
        temporal_layers: sps.sub_layers,
        temporal_id_nested: sps.temporal_id_nesting,
        length_size: 4,
        // Not complete: the sets stand among the samples too (`hev1`).
        arrays: arrays.map(|(nal_type, nals)| Array { complete: false, nal_type, nals }).collect(),
        ..HvcC::default()
    })
}

/// The parameter sets of a record, the first SPS active. What does not parse is left out.
pub(super) fn sets(record: &Configuration) -> ParameterSets {
    let (mut sets, nals): (_, Vec<&Bytes>) = match record {
        Configuration::Avc(avc) => {
            (ParameterSets::new(Codec::H264), avc.sps.iter().chain(&avc.pps).collect())
        }
        Configuration::Hevc(hevc) => {
            (ParameterSets::new(Codec::H265), hevc.arrays.iter().flat_map(|a| &a.nals).collect())
        }
        // No NAL units: no parameter sets, and no format.
        Configuration::Av1(_) | Configuration::None => return ParameterSets::new(Codec::H264),
    };
    let mut active = None;
    for nal in nals {
        let _ = sets.insert(nal);
        active = active.or_else(|| sets.sps().next().map(|(id, _)| id));
    }
    if let Some(id) = active {
        sets.activate(id);
    }
    sets
}
