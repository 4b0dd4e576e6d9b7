//! Parameter sets in `fmtp`: `sprop-parameter-sets` (RFC 6184 §8.1), `sprop-vps`, `-sps`, `-pps` (RFC 7798 §7.1).

use alloc::vec::Vec;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::PayloadType;
use crate::codec::Codec;
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;

/// Padding may be missing, bits after the last byte may be set.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The parameter sets of a payload type, in the order VPS, SPS, PPS. What is not a parameter set is left out and
/// counted: the stream carries the sets again.
pub(super) fn parameter_sets(
    codec: Codec,
    pt: &PayloadType,
    limits: &Limits,
    quirks: &mut Quirks,
) -> Vec<Bytes> {
    let keys: &[&str] = match codec {
        Codec::H264 => &["sprop-parameter-sets"],
        Codec::H265 => &["sprop-vps", "sprop-sps", "sprop-pps"],
    };
    let mut sets: Vec<Bytes> = Vec::new();
    for text in keys.iter().filter_map(|key| pt.parameter(key)).flat_map(|value| value.split(',')) {
        let text = text.trim().trim_matches('"');
        if text.is_empty() {
            continue;
        }
        let bytes = LENIENT.decode(text.as_bytes()).unwrap_or_default();
        let nals: Vec<&[u8]> = split_start_codes(&bytes).filter(|nal| is_parameter_set(codec, nal)).collect();
        if nals.is_empty() || nals.iter().any(|nal| nal.len() > limits.parameter_set) {
            quirks.count(Quirk::BadSprop);
            continue;
        }
        // What is about them belongs to no NAL unit, RFC 6184 §8.1.
        if nals.iter().map(|nal| nal.len()).sum::<usize>() != bytes.len() {
            quirks.count(Quirk::BadSprop);
        }
        for nal in nals {
            if sets.len() < limits.nal_units {
                sets.push(Bytes::copy_from_slice(nal));
            }
        }
    }
    sets
}

/// The NAL units of bytes that may hold start codes before, between and after them (VStarcam, Revotech); zeros after a
/// NAL unit belong to none (H.264 §7.4.1).
fn split_start_codes(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (nal, after) = match rest.windows(3).position(|w| w == [0, 0, 1]) {
            Some(at) => (rest.get(..at)?, rest.get(at + 3..)?),
            None => (rest, Default::default()),
        };
        rest = after;
        let end = nal.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        nal.get(..end)
    })
    .filter(|nal| !nal.is_empty())
}

fn is_parameter_set(codec: Codec, nal: &[u8]) -> bool {
    match (codec, nal) {
        // SPS, PPS, SPS extension, subset SPS.
        (Codec::H264, [first, _, ..]) => first & 0x80 == 0 && matches!(first & 0x1f, 7 | 8 | 13 | 15),
        (Codec::H265, [first, _, _, ..]) => first & 0x80 == 0 && matches!(first >> 1 & 0x3f, 32..=34),
        _ => false,
    }
}
