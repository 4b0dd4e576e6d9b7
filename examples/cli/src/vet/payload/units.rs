//! The NAL units of aggregation packets, and what a payload shows of its codec.

use vigie::codec::Codec;
use vigie::h26x::{h264, h265};

/// How units are told apart in an aggregation packet: bytes before the first, before the size of each but the first, and
/// behind the size of each.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) base: usize,
    pub(super) before_size: usize,
    pub(super) after_size: usize,
}

impl Layout {
    pub(super) const fn plain() -> Self {
        Self { base: 0, before_size: 0, after_size: 0 }
    }

    pub(super) fn next(self, rest: &[u8], count: usize) -> Option<(&[u8], &[u8])> {
        let rest = rest.get(if count > 0 { self.before_size } else { 0 }..)?;
        let (size, rest) = rest.split_first_chunk::<2>()?;
        let rest = rest.get(self.after_size..)?;
        let (unit, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
        (!unit.is_empty()).then_some((unit, rest))
    }
}

/// Do the sizes of an aggregation packet add up?
pub(super) fn walks(rest: &[u8], layout: Layout) -> bool {
    let Some(mut rest) = rest.get(layout.base..) else { return false };
    let mut count = 0;
    while let Some((_, after)) = layout.next(rest, count) {
        (rest, count) = (after, count + 1);
    }
    rest.is_empty() && count > 0
}

/// Of which codec a payload is, as far as a sequence parameter set in it tells.
pub(in crate::vet) fn codec_of(payload: &[u8]) -> Option<Codec> {
    let sps_h264 = |nal: &[u8]| h264::Sps::parse(nal).is_ok();
    let sps_h265 = |nal: &[u8]| h265::Sps::parse(nal).is_ok();
    let inside = |base: usize, reads: &dyn Fn(&[u8]) -> bool| {
        let mut rest = payload.get(base..).unwrap_or_default();
        while let Some((unit, after)) = Layout::plain().next(rest, 0) {
            if reads(unit) {
                return true;
            }
            rest = after;
        }
        false
    };
    match payload {
        [a, ..] if a & 0x9f == 7 && sps_h264(payload) => Some(Codec::H264),
        [a, ..] if a & 0x9f == 24 && inside(1, &sps_h264) => Some(Codec::H264),
        [66, _, ..] if sps_h265(payload) => Some(Codec::H265),
        [96, _, ..] if inside(2, &sps_h265) => Some(Codec::H265),
        _ => None,
    }
}
