//! What parameter sets say of the pictures; RFC 6381 codec strings (ISO/IEC 14496-15 Annex E).

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use super::{Codec, Layers, VideoFormat, h264, h265};

/// `over / under` in lowest terms, as far as both fit 32 bits.
pub(super) fn fraction(over: u64, under: u64) -> Option<(u32, u32)> {
    let (mut a, mut b) = (over, under);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    if over == 0 || under == 0 {
        return None;
    }
    Some((u32::try_from(over / a).ok()?, u32::try_from(under / a).ok()?))
}

pub(super) fn h264(sps: &h264::Sps, layers: Layers) -> VideoFormat {
    let vui = sps.vui.as_ref();
    VideoFormat {
        codec: Codec::H264,
        codec_string: format!("avc1.{:02X}{:02X}{:02X}", sps.profile, sps.constraints, sps.level),
        width: sps.width,
        height: sps.height,
        sample_aspect: vui.and_then(|vui| vui.sample_aspect).unwrap_or((1, 1)),
        frame_rate: sps.frame_rate(),
        reorder: sps.reorder(),
        chroma_format: sps.chroma_format,
        bit_depth: (sps.bit_depth_luma, sps.bit_depth_chroma),
        full_range: vui.is_some_and(|vui| vui.full_range),
        colour: vui.and_then(|vui| vui.colour),
        layers,
    }
}

pub(super) fn h265(sps: &h265::Sps, vps: Option<&h265::Vps>) -> VideoFormat {
    let vui = sps.vui.as_ref();
    let of_vps =
        || vps.and_then(|vps| vps.timing).and_then(|(units, scale)| fraction(scale.into(), units.into()));
    VideoFormat {
        codec: Codec::H265,
        codec_string: hvc1(&sps.profile),
        width: sps.width,
        height: sps.height,
        sample_aspect: vui.and_then(|vui| vui.sample_aspect).unwrap_or((1, 1)),
        frame_rate: sps.frame_rate().or_else(of_vps),
        reorder: Some(sps.reorder),
        chroma_format: sps.chroma_format,
        bit_depth: (sps.bit_depth_luma, sps.bit_depth_chroma),
        full_range: vui.is_some_and(|vui| vui.full_range),
        colour: vui.and_then(|vui| vui.colour),
        layers: vps.map_or(Layers::Base, |vps| match vps.layers {
            0 | 1 => Layers::Base,
            layers => Layers::Multiple(layers),
        }),
    }
}

/// ISO/IEC 14496-15 §E.3: compatibility flags in reverse bit order, constraint bytes without trailing zero bytes.
fn hvc1(profile: &h265::Profile) -> String {
    let space = ["", "A", "B", "C"].get(usize::from(profile.space)).copied().unwrap_or("");
    let tier = if profile.high_tier { 'H' } else { 'L' };
    let mut text = format!(
        "hvc1.{space}{}.{:X}.{tier}{}",
        profile.idc,
        profile.compatibility.reverse_bits(),
        profile.level
    );
    let kept = profile.constraints.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    for byte in profile.constraints.iter().take(kept) {
        let _ = write!(text, ".{byte:X}");
    }
    text
}
