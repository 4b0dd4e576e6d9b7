//! What holds for the bytes of any NAL unit.

use std::ops::Range;

use vigie::codec::Codec;
use vigie::h26x::{Nal, NalKind};

use super::finding::{Findings, Place};
use super::rule::Rule;

/// Checks a NAL unit's header and bytes; gives the NAL units that are in it, of which there should be one.
pub(super) fn check(codec: Codec, bytes: &[u8], place: Place, f: &mut Findings) -> Vec<Range<usize>> {
    let pieces = scan(bytes, place, f);
    for piece in &pieces {
        header(codec, Nal::new(bytes.get(piece.clone()).unwrap_or_default()), place, f);
    }
    pieces
}

/// §7.4.1 of H.264: 00 00 00, 00 00 01 and 00 00 02 do not occur, 00 00 03 only before a byte up to 3 or at the end.
fn scan(bytes: &[u8], place: Place, f: &mut Findings) -> Vec<Range<usize>> {
    let end = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    if end < bytes.len() {
        f.add(Rule::TrailingZeros, place, || format!("{} zeros behind {end} bytes", bytes.len() - end));
    }
    let mut pieces = Vec::new();
    let (mut start, mut zeros) = (0, 0_usize);
    for (at, byte) in bytes.iter().enumerate().take(end) {
        match byte {
            0 => {
                zeros += 1;
                // A start code of four bytes begins with three zeros; it is told at its end.
                let code = bytes.get(at + 1) == Some(&1);
                if zeros >= 3 && !code {
                    f.add(Rule::EmulationMissing, place, || format!("00 00 00 at byte {}", at - 2));
                }
                continue;
            }
            1 if zeros >= 2 => {
                f.add(Rule::StartCodeInside, place, || format!("at byte {}", at - 2));
                pieces.push(start..at.saturating_sub(zeros).max(start));
                start = at + 1;
            }
            2 if zeros >= 2 => {
                f.add(Rule::EmulationMissing, place, || format!("00 00 02 at byte {}", at - 2))
            }
            3 if zeros >= 2 && bytes.get(at + 1).is_some_and(|next| *next > 3) => {
                f.add(Rule::EmulationMissing, place, || {
                    format!("00 00 03 {:02x} at byte {}", bytes[at + 1], at - 2)
                });
            }
            _ => {}
        }
        zeros = 0;
    }
    pieces.push(start..end);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn header(codec: Codec, nal: Nal<'_>, place: Place, f: &mut Findings) {
    let kind = nal.kind(codec);
    let unit_type = nal.unit_type(codec);
    if nal.bytes.first().is_some_and(|first| first & 0x80 != 0) {
        f.add(Rule::NalForbiddenBit, place, || format!("NAL unit type {unit_type}"));
    }
    match codec {
        Codec::H264 => {
            let referred = nal.ref_idc() > 0;
            // §7.4.1.
            let wrong = match kind {
                NalKind::Sps | NalKind::Pps | NalKind::SubsetSps | NalKind::SpsExtension => !referred,
                NalKind::Slice => unit_type == 5 && !referred,
                NalKind::Sei
                | NalKind::Delimiter
                | NalKind::EndOfSequence
                | NalKind::EndOfBitstream
                | NalKind::Filler => referred,
                _ => false,
            };
            if wrong {
                f.add(Rule::NalRefIdc, place, || {
                    format!("nal_ref_idc {} on NAL unit type {unit_type}", nal.ref_idc())
                });
            }
            if matches!(unit_type, 17 | 18 | 22 | 23) {
                f.add(Rule::NalReserved, place, || format!("NAL unit type {unit_type}"));
            }
        }
        Codec::H265 => {
            // §7.4.2.2: sets, delimiters, ends and random access points are of the lowest sub-layer.
            let lowest = matches!(
                kind,
                NalKind::Vps | NalKind::Sps | NalKind::EndOfSequence | NalKind::EndOfBitstream
            ) || kind == NalKind::Slice && unit_type >= 16;
            let id = nal.bytes.get(1).map_or(0, |second| second & 7);
            if id == 0 || lowest && id != 1 {
                f.add(Rule::NalTemporalId, place, || {
                    format!("nuh_temporal_id_plus1 {id} on NAL unit type {unit_type}")
                });
            }
            if matches!(unit_type, 10..=15 | 22..=31 | 41..=47) {
                f.add(Rule::NalReserved, place, || format!("NAL unit type {unit_type}"));
            }
        }
    }
}
