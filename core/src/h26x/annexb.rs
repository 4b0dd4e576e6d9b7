//! Byte stream format: NAL units between start codes (ITU-T H.264 Annex B, H.265 Annex B).

use memchr::memmem;

use super::{Codec, Nal, NalKind};

/// The NAL units of a byte stream, without start codes and without the zero bytes that may follow a NAL unit. What
/// comes before the first start code belongs to none.
pub fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let first = find(stream).unwrap_or(stream.len());
    pieces(stream.get(first..).unwrap_or(&[])).map(without_zeros).filter(|nal| !nal.is_empty())
}

/// Where the first start code (00 00 01) begins.
#[must_use]
pub fn find(stream: &[u8]) -> Option<usize> {
    memmem::find(stream, &[0, 0, 1])
}

/// What stands behind each start code of `stream`, which begins with one; zero bytes at the end included.
pub(crate) fn pieces(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream.get(3..);
    core::iter::from_fn(move || {
        let bytes = rest?;
        let at = find(bytes);
        rest = at.and_then(|at| bytes.get(at + 3..));
        Some(bytes.get(..at.unwrap_or(bytes.len())).unwrap_or(bytes))
    })
}

/// `nal` without the zero bytes at its end, which are not part of it (trailing_zero_8bits).
pub(crate) fn without_zeros(nal: &[u8]) -> &[u8] {
    let zeros = nal.iter().rev().take_while(|b| **b == 0).count();
    &nal[..nal.len() - zeros]
}

/// NAL units looked at to tell the codecs apart.
const LOOKED_AT: usize = 512;

/// Tells by its content which codec a byte stream is of. `None` where nothing in it looks like either.
#[must_use]
pub fn detect(stream: &[u8]) -> Option<Codec> {
    let (mut h264, mut h265) = (0_u32, 0_u32);
    for bytes in units(stream).take(LOOKED_AT) {
        h264 += score(Codec::H264, bytes);
        h265 += score(Codec::H265, bytes);
    }
    match h264.cmp(&h265) {
        core::cmp::Ordering::Greater => Some(Codec::H264),
        core::cmp::Ordering::Less => Some(Codec::H265),
        core::cmp::Ordering::Equal => None,
    }
}

/// How much a NAL unit looks like one of `codec`, by its header: 0 not at all, 16 as a sequence parameter set.
pub(crate) fn score(codec: Codec, nal: &[u8]) -> u32 {
    match codec {
        Codec::H264 => score_h264(Nal::new(nal)),
        Codec::H265 => score_h265(Nal::new(nal)),
    }
}

/// How much a NAL unit looks like H.264: forbidden_zero_bit 0, and nal_ref_idc as its type demands (§7.4.1).
fn score_h264(nal: Nal<'_>) -> u32 {
    let referred = nal.ref_idc() > 0;
    match (nal.bytes.first(), nal.kind(Codec::H264)) {
        (None | Some(0x80..), _) => 0,
        (_, NalKind::Sps) if referred && super::h264::Sps::parse(nal.bytes).is_ok() => 16,
        (_, NalKind::Pps) if referred => 4,
        (_, NalKind::Slice) if referred || nal.unit_type(Codec::H264) == 1 => 1,
        (_, NalKind::Delimiter | NalKind::Sei) if !referred => 1,
        _ => 0,
    }
}

/// How much a NAL unit looks like H.265: layer 0, nuh_temporal_id_plus1 above 0, and 1 where it must be (§7.4.2.2).
fn score_h265(nal: Nal<'_>) -> u32 {
    let lowest = nal.temporal_id() == 0;
    let plausible = matches!(nal.bytes, [a, b, _, ..] if a & 0x81 == 0 && b >> 3 == 0 && b & 7 > 0);
    match nal.kind(Codec::H265) {
        _ if !plausible => 0,
        NalKind::Sps if lowest && super::h265::Sps::parse(nal.bytes).is_ok() => 16,
        NalKind::Vps if lowest => 4,
        NalKind::Pps => 4,
        NalKind::Slice if lowest || nal.unit_type(Codec::H265) < 16 => 1,
        NalKind::Sei | NalKind::SuffixSei | NalKind::Delimiter => 1,
        _ => 0,
    }
}
