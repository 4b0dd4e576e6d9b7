//! Parameter sets to the decoder's configuration record, ISO/IEC 14496-15.

use alloc::vec::Vec;
use bytes::Bytes;

use crate::bmff::moov::trak::mdia::minf::stbl::stsd::avcc::{AvcC, High};
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::hvcc::{Array, HvcC};
use crate::h26x::ParameterSets;
use crate::octets::BitReader;

/// nal_unit_type of H.265, in the order that ISO/IEC 14496-15 §8.3.3.1.3 recommends.
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;

/// `avcC`; `None` without an SPS.
pub(super) fn avc(sets: &ParameterSets) -> Option<AvcC> {
    let mut record = AvcC { length_size: 4, ..AvcC::default() };
    record.sps = sets.sps().map(|(_, nal)| nal.clone()).collect();
    record.pps = sets.pps().map(|(_, nal)| nal.clone()).collect();
    let first = record.sps.first()?;
    [record.profile, record.compatibility, record.level] = first.get(1..4)?.try_into().ok()?;
    record.high = avc_high(first);
    Some(record)
}

/// From chroma_format_idc to bit_depth_chroma_minus8, ITU-T H.264 §7.3.2.1.1.
fn avc_high(sps: &[u8]) -> Option<High> {
    let mut r = BitReader::new(sps.get(4..)?);
    r.ue()?;
    let chroma_format = r.ue()?;
    if chroma_format == 3 {
        r.bit()?;
    }
    let (luma, chroma) = (r.ue()?, r.ue()?);
    Some(High {
        chroma_format: u8::try_from(chroma_format).ok()?,
        luma_bits: u8::try_from(luma).ok()?.checked_add(8)?,
        chroma_bits: u8::try_from(chroma).ok()?.checked_add(8)?,
        sps_ext: Vec::new(),
    })
}

/// `hvcC`; `None` without an SPS that can be read that far.
pub(super) fn hevc(sets: &ParameterSets) -> Option<HvcC> {
    let array = |nal_type, nals: Vec<Bytes>| Array { complete: false, nal_type, nals };
    let arrays = [
        array(VPS, sets.vps().map(|(_, nal)| nal.clone()).collect()),
        array(SPS, sets.sps().map(|(_, nal)| nal.clone()).collect()),
        array(PPS, sets.pps().map(|(_, nal)| nal.clone()).collect()),
    ];
    let first = sets.sps().next()?.1;
    let mut record = hevc_sps(first)?;
    record.arrays = arrays.into_iter().filter(|a| !a.nals.is_empty()).collect();
    Some(record)
}

/// From sps_max_sub_layers_minus1 to bit_depth_chroma_minus8, ITU-T H.265 §7.3.2.2.1.
fn hevc_sps(sps: &[u8]) -> Option<HvcC> {
    let mut r = BitReader::new(sps.get(2..)?);
    r.skip(4)?;
    let layers = r.bits(3)?;
    let temporal_id_nested = r.bit()?;
    let mut profile_tier_level = [0; 12];
    for byte in &mut profile_tier_level {
        *byte = r.bits(8)? as u8;
    }
    skip_sub_layers(&mut r, layers)?;
    r.ue()?;
    let chroma_format = r.ue()?;
    if chroma_format == 3 {
        r.bit()?;
    }
    // Width, height, and the conformance window.
    r.ue()?;
    r.ue()?;
    if r.bit()? {
        for _ in 0..4 {
            r.ue()?;
        }
    }
    let (luma, chroma) = (r.ue()?, r.ue()?);
    Some(HvcC {
        profile_tier_level,
        chroma_format: u8::try_from(chroma_format).ok()?,
        luma_bits: u8::try_from(luma).ok()?.checked_add(8)?,
        chroma_bits: u8::try_from(chroma).ok()?.checked_add(8)?,
        temporal_layers: layers as u8 + 1,
        temporal_id_nested,
        length_size: 4,
        ..HvcC::default()
    })
}

/// What profile_tier_level() has for the sub-layers, §7.3.3.
fn skip_sub_layers(r: &mut BitReader<'_>, layers: u32) -> Option<()> {
    if layers == 0 {
        return Some(());
    }
    let present: Vec<_> = (0..layers).map(|_| Some((r.bit()?, r.bit()?))).collect::<Option<_>>()?;
    r.skip(2 * (8 - layers))?;
    for (profile, level) in present {
        r.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Some(())
}
