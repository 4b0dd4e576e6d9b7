//! Takes the picture out of RTP packets and leaves everything that says where pictures begin and end.

use alloc::vec::Vec;

use crate::codec::Codec;
use crate::rtp::RtpPacket;
use crate::sdp::Presentation;

/// In place of what was. Zeros would look like start codes, and be taken for padding at the end of a NAL unit.
const BLANK: u8 = 0xff;

/// Bytes of a slice that are kept after its NAL header: slice headers of cameras are shorter (ITU-T H.264 §7.3.3,
/// H.265 §7.3.6.1).
const KEPT: usize = 32;

/// What the payload types of a session carry.
#[derive(Clone, Debug, Default)]
pub(super) struct Payloads(Vec<(u8, Codec, bool)>);

impl Payloads {
    /// As the camera described them.
    pub(super) fn of(presentation: &Presentation) -> Self {
        let video = presentation.media.iter().filter_map(|m| Some((m.payload_type, m.codec?, m.uses_don)));
        Self(video.collect())
    }

    /// Blanks a packet, RTP or RTCP. What is no RTP is blanked whole.
    pub(super) fn blank(&self, packet: &mut [u8]) {
        // RFC 5761 §4.
        let rtcp = packet.first().is_some_and(|b| b >> 6 == 2)
            && packet.get(1).is_some_and(|t| (200..=211).contains(t));
        if rtcp {
            return;
        }
        let Ok(parsed) = RtpPacket::parse(packet) else { return fill(packet) };
        let (payload_type, length) = (parsed.payload_type, parsed.payload.len());
        let padding = match (packet.first(), packet.last()) {
            (Some(first), Some(last)) if first & 0x20 != 0 => usize::from(*last),
            _ => 0,
        };
        let end = packet.len().saturating_sub(padding);
        let Some(payload) = packet.get_mut(end.saturating_sub(length)..end) else { return };
        match self.0.iter().find(|(known, ..)| *known == payload_type) {
            Some((_, Codec::H264, _)) => h264(payload),
            Some((_, Codec::H265, don)) => h265(payload, *don),
            None => fill(payload),
        }
    }
}

pub(super) fn fill(bytes: &mut [u8]) {
    bytes.fill(BLANK);
}

/// RFC 6184 §5.2.
fn h264(payload: &mut [u8]) {
    let Some(kind) = payload.first().map(|b| b & 0x1f) else { return };
    let rest = payload.get_mut(1..).unwrap_or_default();
    match kind {
        24 => aggregate(rest, 0, 0, units_264),
        25 => aggregate(rest, 2, 0, units_264),
        26 => aggregate(rest, 2, 3, units_264),
        27 => aggregate(rest, 2, 4, units_264),
        28 | 29 => {
            let Some(header) = rest.first().copied() else { return };
            let don = if kind == 29 { 2 } else { 0 };
            fragment(
                rest.get_mut(1 + don..).unwrap_or_default(),
                header & 0x80 != 0,
                is_slice_264(header & 0x1f),
            );
        }
        // §5.2, table 1: 0 and 30 to 31 are reserved; what some send there is nobody's.
        _ => units_264(payload),
    }
}

fn units_264(bytes: &mut [u8]) {
    units(bytes, 1, |first| is_slice_264(first & 0x1f));
}

fn units_265(bytes: &mut [u8]) {
    units(bytes, 2, |first| is_slice_265(first >> 1 & 0x3f));
}

/// RFC 7798 §4.4.
fn h265(payload: &mut [u8], don: bool) {
    let Some(kind) = payload.first().map(|b| b >> 1 & 0x3f) else { return };
    let rest = payload.get_mut(2..).unwrap_or_default();
    match kind {
        48 if don => aggregate_don(rest),
        48 => aggregate(rest, 0, 0, units_265),
        49 => {
            let Some(header) = rest.first().copied() else { return };
            let start = header & 0x80 != 0;
            let skip = 1 + if don && start { 2 } else { 0 };
            fragment(rest.get_mut(skip..).unwrap_or_default(), start, is_slice_265(header & 0x3f));
        }
        _ => units_265(payload),
    }
}

/// ITU-T H.264 table 7-1: slices and their partitions, auxiliary and extension slices, and what is unspecified. The rest
/// is headers.
const fn is_slice_264(kind: u8) -> bool {
    !matches!(kind, 6..=13 | 15)
}

/// ITU-T H.265 table 7-1: VPS to SEI are headers.
const fn is_slice_265(kind: u8) -> bool {
    !matches!(kind, 32..=40)
}

/// NAL units behind their sizes: `before` bytes once, `each` bytes before every unit.
fn aggregate(bytes: &mut [u8], before: usize, each: usize, one: impl Fn(&mut [u8])) {
    let mut rest = bytes.get_mut(before..).unwrap_or_default();
    while rest.len() >= 2 {
        let (size, after) = rest.split_at_mut(2);
        let size = usize::from(u16::from_be_bytes([
            size.first().copied().unwrap_or(0),
            size.last().copied().unwrap_or(0),
        ]));
        // In MTAP the size counts the unit alone, RFC 6184 §5.7.2.
        let skip = each.min(after.len());
        let (_, after) = after.split_at_mut(skip);
        let (unit, after) = after.split_at_mut(size.min(after.len()));
        one(unit);
        rest = after;
    }
    fill(rest);
}

/// RFC 7798 §4.4.2 with decoding order numbers: DONL before the first unit, DOND before each other.
fn aggregate_don(bytes: &mut [u8]) {
    let mut rest = bytes.get_mut(2..).unwrap_or_default();
    while rest.len() >= 2 {
        let (size, after) = rest.split_at_mut(2);
        let size = usize::from(u16::from_be_bytes([
            size.first().copied().unwrap_or(0),
            size.last().copied().unwrap_or(0),
        ]));
        let (unit, after) = after.split_at_mut(size.min(after.len()));
        units_265(unit);
        rest = after.get_mut(1..).unwrap_or_default();
    }
    fill(rest);
}

fn fragment(bytes: &mut [u8], start: bool, slice: bool) {
    if slice {
        fill(bytes.get_mut(if start { KEPT } else { 0 }..).unwrap_or_default());
    }
}

/// A NAL unit, or what some cameras put into one: several behind start codes (V380, Amatek).
fn units(mut bytes: &mut [u8], header: usize, is_slice: impl Fn(u8) -> bool) {
    loop {
        let code = bytes.windows(3).position(|w| w == [0, 0, 1]);
        let (unit, rest) = bytes.split_at_mut(code.unwrap_or(bytes.len()));
        if unit.first().is_some_and(|first| is_slice(*first)) {
            fill(unit.get_mut(header + KEPT..).unwrap_or_default());
        }
        let Some(next) = rest.get_mut(3..) else { return };
        bytes = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn after(mut payload: Vec<u8>, blank: impl Fn(&mut [u8])) -> Vec<u8> {
        blank(&mut payload);
        payload
    }

    #[test]
    fn a_slice_keeps_its_header_and_nothing_else() {
        let mut slice = vec![0x65];
        slice.extend([7; 100]);
        let blanked = after(slice.clone(), h264);
        assert_eq!((blanked.len(), &blanked[..33]), (101, &slice[..33]));
        assert!(blanked[33..].iter().all(|b| *b == 0xff));
        let mut sps = slice.clone();
        sps[0] = 0x67;
        assert_eq!(after(sps.clone(), h264), sps);
        let mut slice = vec![0x26, 1];
        slice.extend([7; 100]);
        assert_eq!(after(slice, |p| h265(p, false)).iter().filter(|b| **b == 7).count(), 32);
    }

    #[test]
    fn fragments_and_aggregates_keep_their_headers() {
        let mut first = vec![0x7c, 0x85];
        first.extend([7; 100]);
        assert_eq!(after(first, h264)[..36], [&[0x7c, 0x85][..], &[7; 32], &[0xff; 2]].concat());
        let mut later = vec![0x7c, 0x05];
        later.extend([7; 10]);
        assert_eq!(after(later, h264), [&[0x7c, 0x05][..], &[0xff; 10]].concat());
        let mut sps = vec![0x7c, 0x07];
        sps.extend([7; 10]);
        assert_eq!(after(sps.clone(), h264), sps);
        // STAP-A of an SPS and a slice.
        let mut stap = vec![0x78, 0, 3, 0x67, 1, 2, 0, 41, 0x41];
        stap.extend([7; 40]);
        let blanked = after(stap.clone(), h264);
        assert_eq!((&blanked[..41], &blanked[41..]), (&stap[..41], &[0xff; 8][..]));
        // A size that runs past the end.
        assert_eq!(after(vec![0x78, 0xff, 0xff, 0x67, 1], h264), [0x78, 0xff, 0xff, 0x67, 1]);
    }

    #[test]
    fn start_codes_inside_a_unit_stay_where_they_are() {
        let mut odd = vec![0x41];
        odd.extend([7; 50]);
        odd.extend([0, 0, 1, 0x41]);
        odd.extend([8; 50]);
        let blanked = after(odd.clone(), h264);
        assert_eq!(blanked[51..55], [0, 0, 1, 0x41]);
        assert_eq!(blanked.iter().filter(|b| **b == 0xff).count(), 18 + 18);
    }
}
