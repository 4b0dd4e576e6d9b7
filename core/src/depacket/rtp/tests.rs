#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::depacket::DecodingOrder;
use crate::fault::{Policy, QuirkSet};
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
    run(Depacketizer::new(codec, &Limits::default()), packets)
}

/// Strict about this quirk alone.
fn strict(quirk: Quirk) -> Limits {
    Limits { policy: Policy::Force(QuirkSet::ALL.without(quirk)), ..Limits::default() }
}

fn run(mut depacketizer: Depacketizer, packets: &[Sent<'_>]) -> Read {
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
        (Quirk::TrailingZeros, &[&[0x65, 0x88, 0x84, 0x21, 0xa0, 0, 0]]),
    ];
    for (quirk, payloads) in whole {
        let last = payloads.len() - 1;
        let mut packets: Vec<_> = payloads.iter().enumerate().map(|(n, p)| sent(p, 0, n == last)).collect();
        packets.push(sent(&P, 3_600, true));
        let (units, quirks) = depacketize(Codec::H264, &packets);
        assert_eq!(units, [(vec![IDR.to_vec()], false), (vec![P.to_vec()], false)], "{quirk}");
        assert!(quirks.get(*quirk) > 0, "{quirk}");
        assert_eq!(quirks.get(Quirk::BadPayload), 0, "{quirk}");
        let quirk = *quirk;
        // A strict receiver does not take the picture for whole, and goes on with the next one.
        let (units, quirks) = run(Depacketizer::new(Codec::H264, &strict(quirk)), &packets);
        assert!(quirks.get(quirk) > 0, "{quirk}");
        let (last, before) = units.split_last().unwrap();
        assert!(before.iter().all(|(_, incomplete)| *incomplete), "{quirk}: {units:?}");
        assert_eq!(last, &(vec![P.to_vec()], false), "{quirk}");
    }
}

/// Tapo TC70, Reolink RLC-822A, FLIR M400, Tapo C120: what a strict receiver makes of them.
#[test]
fn boundaries_that_are_wrong_are_not_believed_strictly() {
    let sei = [6, 5, 1, 0x55, 0x80];
    let cases: [(Quirk, Vec<Sent<'_>>); 4] = [
        (Quirk::EarlyMarker, vec![sent(&SPS, 0, true), sent(&IDR, 0, true), sent(&P, 3_600, true)]),
        (Quirk::TimestampInside, vec![sent(&SPS, 0, false), sent(&IDR, 3_600, true), sent(&P, 7_200, true)]),
        (Quirk::NoMarker, vec![sent(&IDR, 0, false), sent(&P, 3_600, true)]),
        (Quirk::NoPicture, vec![sent(&sei, 0, true), sent(&IDR, 3_600, true), sent(&P, 7_200, true)]),
    ];
    for (quirk, packets) in cases {
        let (units, quirks) = depacketize(Codec::H264, &packets);
        assert!(
            quirks.get(quirk) > 0 && units.iter().all(|(_, incomplete)| !incomplete),
            "{quirk} {units:?}"
        );
        let (units, quirks) = run(Depacketizer::new(Codec::H264, &strict(quirk)), &packets);
        assert!(quirks.get(quirk) > 0, "{quirk}");
        assert_eq!(units, [(vec![IDR.to_vec()], true), (vec![P.to_vec()], false)], "{quirk}");
    }
}

/// Tapo C120: the SEI is kept for the picture that follows, and is no sample of its own.
#[test]
fn sei_alone_is_no_access_unit() {
    let sei = [6, 5, 1, 0x55, 0x80];
    let (units, quirks) =
        depacketize(Codec::H264, &[sent(&IDR, 0, true), sent(&sei, 1_800, true), sent(&P, 3_600, true)]);
    assert_eq!(units, [(vec![IDR.to_vec()], false), (vec![sei.to_vec(), P.to_vec()], false)]);
    assert_eq!(quirks.get(Quirk::NoPicture), 1);
}

/// Meraki MV63, Dahua clones: fragments though the SDP says mode 0, or nothing.
#[test]
fn the_packetization_mode_is_not_asked_but_by_a_strict_receiver() {
    let packets = [
        sent(&[0x7c, 0x85, 0x88, 0x84], 0, false),
        sent(&[0x7c, 0x45, 0x21, 0xa0], 0, true),
        sent(&P, 3_600, true),
    ];
    let asks = strict(Quirk::PacketizationMode);
    for (mode, limits, whole) in [
        (Some(0), Limits::default(), true),
        (Some(1), asks, true),
        (None, asks, true),
        (Some(0), asks, false),
    ] {
        let depacketizer =
            Depacketizer::new(Codec::H264, &limits).with_packetization(Packetization { mode, order: None });
        let (units, quirks) = run(depacketizer, &packets);
        assert_eq!(units.first() == Some(&(vec![IDR.to_vec()], false)), whole);
        assert_eq!(units.len(), 1 + usize::from(whole), "{mode:?}");
        assert_eq!(quirks.get(Quirk::PacketizationMode), u64::from(mode == Some(0)));
    }
}

/// RFC 6184 §5.7 and §5.8, byte by byte: what is sent last is decoded first.
#[test]
fn interleaved_payloads_are_read_and_put_in_order() {
    let interleaved = || {
        let order = DecodingOrder { depth: 4, ..DecodingOrder::default() };
        Depacketizer::new(Codec::H264, &Limits::default())
            .with_packetization(Packetization { mode: Some(2), order: Some(order) })
    };
    let packets = [
        // MTAP16: base 2, P at 3 600 and the second half of it at the same time; then MTAP24 with the next.
        sent(&[0x5a, 0, 2, 0, 5, 0, 0x0e, 0x10, 0x41, 0x9a, 0x24, 0x6c, 0x41], 0, false),
        sent(&[0x5b, 0, 3, 0, 5, 0, 0, 0x1c, 0x20, 0x41, 0x9b, 0x24, 0x6c, 0x41], 0, false),
        // FU-B and FU-A: the IDR, number 1.
        sent(&[0x7d, 0x85, 0, 1, 0x88, 0x84], 0, false),
        sent(&[0x7c, 0x45, 0x21, 0xa0], 0, false),
        // STAP-B: SPS number 65 535, PPS number 0.
        sent(&[0x79, 0xff, 0xff, 0, 4, 0x67, 0x64, 0, 0x1f, 0, 3, 0x68, 0xee, 0x3c], 0, true),
    ];
    let last = vec![0x41, 0x9b, 0x24, 0x6c, 0x41];
    let whole = [
        (vec![SPS.to_vec(), PPS.to_vec(), IDR.to_vec()], false),
        (vec![P.to_vec()], false),
        (vec![last], false),
    ];
    let (units, quirks) = run(interleaved(), &packets);
    assert_eq!(units, whole);
    assert!(
        quirks.iter().all(|(quirk, _)| matches!(quirk, Quirk::MissingParameterSet | Quirk::BadParameterSet)),
        "{quirks:?}"
    );
    // Nobody said that it is interleaved: told by the payloads.
    assert_eq!(depacketize(Codec::H264, &packets).0, whole);
    // Without the last fragment of the IDR: the numbers tell that its picture lacks something.
    let lost: Vec<_> = packets
        .into_iter()
        .enumerate()
        .filter(|(n, _)| *n != 3)
        .map(|(n, packet)| Sent { lost_before: u32::from(n == 4), ..packet })
        .collect();
    let (units, _) = run(interleaved(), &lost);
    assert!(!units.iter().any(|(nals, _)| nals.contains(&IDR.to_vec())));
    // The last one is there; what was lost may have been the end of it.
    assert!(units.iter().any(|(nals, _)| *nals == whole[2].0), "{units:?}");
    assert!(units.iter().filter(|(_, incomplete)| !incomplete).all(|unit| whole.contains(unit)), "{units:?}");
}

/// RFC 7798 §4.4.1 to §4.4.3 with numbers; a first fragment alone has one.
#[test]
fn numbers_of_h265_are_read_and_put_in_order() {
    let order = DecodingOrder { depth: 3, difference: Some(4), ..DecodingOrder::default() };
    let depacketizer = Depacketizer::new(Codec::H265, &Limits::default())
        .with_packetization(Packetization { mode: None, order: Some(order) });
    let (units, quirks) = run(
        depacketizer,
        &[
            sent(&[0x62, 3, 0x80 | 1, 0, 12, 0xaf, 1], 3_600, false),
            sent(&[0x62, 3, 0x40 | 1, 2], 3_600, true),
            sent(&[0x26, 1, 0, 11, 0xaf, 7], 0, true),
            sent(&[0x60, 1, 0, 9, 0, 4, 0x40, 1, 0x0c, 1, 0, 0, 3, 0x44, 1, 0xc1], 0, false),
        ],
    );
    let first = vec![vec![0x40, 1, 0x0c, 1], vec![0x44, 1, 0xc1], vec![0x26, 1, 0xaf, 7]];
    assert_eq!(units[0], (first, false));
    assert_eq!(units[1].0, [[0x02, 3, 0xaf, 1, 2]]);
    assert_eq!(quirks.get(Quirk::BadPayload), 0);
}

/// RFC 7798 §4.4.4: a fragment, a single NAL unit and an aggregation packet behind fields and a TSCI of 3 bytes.
#[test]
fn what_a_paci_wraps_is_read() {
    let fields = |inner: u8| (u16::from(inner) << 9 | 3 << 4 | 1 << 3).to_be_bytes();
    let paci = |inner: u8, second: u8, body: &[u8]| {
        [&[0x64, second], &fields(inner)[..], &[9, 9, 0x80], body].concat()
    };
    let sets = paci(48, 1, &[0, 4, 0x40, 1, 0x0c, 1, 0, 3, 0x44, 1, 0xc1]);
    let start = paci(49, 3, &[0x80 | 19, 0xaf, 1]);
    let end = paci(49, 3, &[0x40 | 19, 2]);
    let single = paci(1, 2, &[0xd0, 9]);
    let nested = paci(50, 1, &[0x02, 1, 0xd0]);
    let (units, quirks) = depacketize(
        Codec::H265,
        &[
            sent(&sets, 0, false),
            sent(&start, 0, false),
            sent(&end, 0, true),
            sent(&single, 3_600, true),
            sent(&nested, 7_200, true),
        ],
    );
    let nals = vec![vec![0x40, 1, 0x0c, 1], vec![0x44, 1, 0xc1], vec![0x26, 3, 0xaf, 1, 2]];
    assert_eq!(units, [(nals, false), (vec![vec![0x02, 2, 0xd0, 9]], false)]);
    assert_eq!((quirks.get(Quirk::BadPayload), quirks.get(Quirk::UnsupportedPayload)), (1, 0));
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
        (Quirk::UnsupportedPayload, &[0x7e, 0, 0, 0, 1, 0x41]),
        (Quirk::UnsupportedPayload, &[0x7f, 0x85, 0, 0, 1]),
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
        let order = Some(DecodingOrder { depth: 3, ..DecodingOrder::default() });
        let strict = Limits { policy: Policy::Strict, ..Limits::default() };
        for limits in [Limits::default(), strict] {
            run(Depacketizer::new(codec, &limits).with_packetization(Packetization { mode: Some(2), order }), &sent);
        }
    }
}
