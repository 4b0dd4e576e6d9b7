#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::h26x::nal_units;

/// A packet to be.
struct Sent<'a> {
    payload: &'a [u8],
    timestamp: u32,
    marker: bool,
    lost_before: u32,
}

fn sent(payload: &[u8], timestamp: u32, marker: bool) -> Sent<'_> {
    Sent { payload, timestamp, marker, lost_before: 0 }
}

/// The NAL units of each access unit, whether it is marked incomplete, and the quirks.
type Read = (Vec<(Vec<Vec<u8>>, bool)>, Quirks);

fn depacketize(codec: Codec, packets: &[Sent<'_>]) -> Read {
    let mut depacketizer = Depacketizer::new(codec, &Limits::default());
    let mut out = Vec::new();
    let mut pull = |depacketizer: &mut Depacketizer| {
        while let Some(unit) = depacketizer.pull() {
            let nals = nal_units(&unit.data).map(|nal| nal.bytes.to_vec()).collect();
            out.push((nals, unit.loss.incomplete));
        }
    };
    for packet in packets {
        let rtp = RtpPacket {
            marker: packet.marker,
            payload_type: 96,
            sequence: 0,
            timestamp: packet.timestamp,
            ssrc: 1,
            csrc: &[],
            extension: None,
            payload: packet.payload,
        };
        depacketizer.push(&rtp, Micros(0), packet.lost_before);
        pull(&mut depacketizer);
    }
    depacketizer.finish();
    pull(&mut depacketizer);
    (out, depacketizer.quirks().clone())
}

const SPS: [u8; 4] = [0x67, 0x64, 0, 0x1f];
const PPS: [u8; 3] = [0x68, 0xee, 0x3c];
const IDR: [u8; 5] = [0x65, 0x88, 0x84, 0x21, 0xa0];
const P: [u8; 5] = [0x41, 0x9a, 0x24, 0x6c, 0x41];

#[test]
fn single_aggregated_and_fragmented_units_are_read() {
    let (units, quirks) = depacketize(
        Codec::H264,
        &[
            sent(&[0x78, 0, 4, 0x67, 0x64, 0, 0x1f, 0, 3, 0x68, 0xee, 0x3c], 0, false),
            sent(&[0x7c, 0x85, 0x88], 0, false),
            sent(&[0x7c, 0x05, 0x84, 0x21], 0, false),
            sent(&[0x7c, 0x45, 0xa0], 0, true),
            sent(&P, 3_600, true),
        ],
    );
    assert_eq!(units[0], (vec![SPS.to_vec(), PPS.to_vec(), IDR.to_vec()], false));
    assert_eq!(units[1], (vec![P.to_vec()], false));
    assert_eq!(quirks.get(Quirk::BadPayload), 0);
}

#[test]
fn h265_units_keep_their_header() {
    let (units, _) = depacketize(
        Codec::H265,
        &[
            sent(&[0x60, 1, 0, 4, 0x40, 1, 0x0c, 1, 0, 3, 0x44, 1, 0xc1], 0, false),
            sent(&[0x62, 3, 0x80 | 19, 0xaf, 1], 0, false),
            sent(&[0x62, 3, 0x40 | 19, 2], 0, true),
            sent(&[0x02, 1, 0xd0, 9], 3_600, true),
        ],
    );
    let nals = vec![vec![0x40, 1, 0x0c, 1], vec![0x44, 1, 0xc1], vec![0x26, 3, 0xaf, 1, 2]];
    assert_eq!(units[0], (nals, false));
    assert_eq!(units[1].0, [[0x02, 1, 0xd0, 9]]);
}

/// What cameras get wrong and which has one sensible reading: the picture comes out whole, and the quirk is counted.
#[test]
fn violations_are_read_and_counted() {
    let whole: &[(Quirk, &[&[u8]])] = &[
        (Quirk::WholeFragmentationUnit, &[&[0x7c, 0xc5, 0x88, 0x84, 0x21, 0xa0]]),
        (Quirk::FragmentTypeChanged, &[&[0x7c, 0x85, 0x88], &[0x7c, 0x41, 0x84, 0x21, 0xa0]]),
        (Quirk::ReservedBit, &[&[0x7c, 0xa5, 0x88, 0x84], &[0x7c, 0x65, 0x21, 0xa0]]),
        (Quirk::EmptyPayload, &[&[0x7c, 0x85, 0x88], &[0x7c, 0x05], &[], &[0x7c, 0x45, 0x84, 0x21, 0xa0]]),
        (Quirk::EmptyPayload, &[&[0x7c], &IDR]),
        (Quirk::NoEndBit, &[&[0x7c, 0x85, 0x88, 0x84], &[0x7c, 0x05, 0x21, 0xa0]]),
        (Quirk::PaddedAggregation, &[&[0x78, 0, 5, 0x65, 0x88, 0x84, 0x21, 0xa0, 0, 0, 0, 0, 0]]),
        (Quirk::PaddedAggregation, &[&[0x78, 0, 5, 0x65, 0x88, 0x84, 0x21, 0xa0, 0]]),
        (Quirk::EmbeddedStartCode, &[&[0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21, 0xa0]]),
    ];
    for (quirk, payloads) in whole {
        let last = payloads.len() - 1;
        let mut packets: Vec<_> = payloads.iter().enumerate().map(|(n, p)| sent(p, 0, n == last)).collect();
        packets.push(sent(&P, 3_600, true));
        let (units, quirks) = depacketize(Codec::H264, &packets);
        assert_eq!(units, [(vec![IDR.to_vec()], false), (vec![P.to_vec()], false)], "{quirk}");
        assert!(quirks.get(*quirk) > 0, "{quirk}");
        assert_eq!(quirks.get(Quirk::BadPayload), 0, "{quirk}");
    }
}

/// V380: SPS, PPS and IDR with start codes between them in one fragmented "SPS"; a start code may straddle fragments.
#[test]
fn start_codes_inside_a_unit_split_it_wherever_it_is_cut() {
    let mut joined = SPS.to_vec();
    for nal in [&PPS[..], &IDR[..]] {
        joined.extend_from_slice(&[0, 0, 0, 1]);
        joined.extend_from_slice(nal);
    }
    for cut in 2..joined.len() {
        let first = [&[0x7c, 0x87], &joined[1..cut]].concat();
        let second = [&[0x7c, 0x47], &joined[cut..]].concat();
        let (units, quirks) = depacketize(Codec::H264, &[sent(&first, 0, false), sent(&second, 0, true)]);
        assert_eq!(units, [(vec![SPS.to_vec(), PPS.to_vec(), IDR.to_vec()], false)], "cut at {cut}");
        assert!(quirks.get(Quirk::EmbeddedStartCode) > 0);
    }
}

/// Reolink RLC-822A, Tapo TC70: markers on parameter sets, which also carry the timestamp of the picture before.
#[test]
fn early_markers_and_timestamps_do_not_end_a_unit() {
    let (units, quirks) = depacketize(
        Codec::H264,
        &[sent(&SPS, 0, true), sent(&PPS, 0, true), sent(&IDR, 3_600, true), sent(&P, 7_200, true)],
    );
    assert_eq!(units[0].0, [&SPS[..], &PPS[..], &IDR[..]]);
    assert_eq!(units.len(), 2);
    assert!(quirks.get(Quirk::EarlyMarker) > 0 && quirks.get(Quirk::TimestampInside) > 0);
}

/// FLIR M400.
#[test]
fn without_markers_the_timestamp_ends_a_unit() {
    let (units, quirks) =
        depacketize(Codec::H264, &[sent(&IDR, 0, false), sent(&P, 3_600, false), sent(&P, 7_200, false)]);
    assert_eq!(units.len(), 3);
    assert!(quirks.get(Quirk::NoMarker) > 0);
}

#[test]
fn what_cannot_be_read_is_counted_and_marks_its_unit() {
    let cases: &[(Quirk, &[u8])] = &[
        (Quirk::UnsupportedPayload, &[0x79, 0, 0, 0, 1, 0x41]),
        (Quirk::UnsupportedPayload, &[0x7d, 0x85, 0, 0, 1]),
        (Quirk::BadPayload, &[0xe5, 0x88]),
        (Quirk::BadPayload, &[0x7c, 0x9c, 1]),
        (Quirk::BadPayload, &[0x78, 0, 9, 0x41]),
        (Quirk::BadPayload, &[0x7c, 0x01, 1]),
    ];
    for (quirk, payload) in cases {
        let (units, quirks) =
            depacketize(Codec::H264, &[sent(&IDR, 0, false), sent(payload, 0, true), sent(&P, 3_600, true)]);
        assert_eq!(quirks.get(*quirk), 1, "{payload:x?}");
        assert_eq!(units, [(vec![IDR.to_vec()], true), (vec![P.to_vec()], false)], "{payload:x?}");
    }
}

#[test]
fn parameter_sets_of_the_sdp_are_taken_however_they_come() {
    // 320x240 Baseline, from RFC 6184's kind of example: what counts is that the table has them.
    let sps = [
        0x67, 0x42, 0xc0, 0x1e, 0xda, 0x05, 0x07, 0xec, 0x04, 0x40, 0, 0, 3, 0, 0x40, 0, 0, 0x0c, 0x03, 0xc5,
        0x8b, 0xa8,
    ];
    let pps = [0x68, 0xce, 0x0f, 0xc8];
    let one = [&[0, 0, 0, 1], &sps[..], &[0, 0, 1], &pps[..], &[0, 0]].concat();
    let two = [&sps[..], &[0, 0, 0, 1], &pps[..]].concat();
    let seeds: [&[&[u8]]; 3] = [&[&sps, &pps], &[&one], &[&two]];
    for seed in seeds {
        let mut depacketizer = Depacketizer::new(Codec::H264, &Limits::default());
        depacketizer.seed(seed.iter().copied());
        assert!(depacketizer.parameters().sps().any(|(_, s)| s[..] == sps));
        assert!(depacketizer.parameters().pps().any(|(_, p)| p[..] == pps));
    }
}

fn codecs() -> impl Strategy<Value = Codec> {
    prop::sample::select(vec![Codec::H264, Codec::H265])
}

proptest! {
    #[test]
    fn any_payloads_are_survived(
        codec in codecs(),
        packets in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0_u32..4, any::<bool>(), 0_u32..2), 0..80),
    ) {
        let sent: Vec<_> = packets
            .iter()
            .map(|(payload, timestamp, marker, lost)| Sent { lost_before: *lost, ..sent(payload, *timestamp, *marker) })
            .collect();
        depacketize(codec, &sent);
    }
}
