#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use alloc::vec::Vec;

use super::*;
use crate::depacket::{PictureDepacketizer, PictureUnit};
use crate::limits::Limits;
use crate::sdp::Presentation;

/// Of libaom: profile 0, level 0 (2.0), 8 bits 4:2:0, 320x240.
const SEQUENCE: [u8; 12] = [0x08, 0, 0, 0, 4, 0x3c, 0xff, 0xbc, 0xda, 0xf9, 0, 0x40];

fn depacketizer(limits: &Limits) -> PictureDepacketizer {
    let sdp = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 AV1/90000\r\n";
    let presentation = Presentation::parse(sdp, limits).unwrap();
    PictureDepacketizer::new(presentation.picture().unwrap().1, limits).unwrap()
}

fn packet(timestamp: u32, marker: bool, payload: &[u8]) -> RtpPacket<'_> {
    RtpPacket {
        marker,
        payload_type: 96,
        sequence: 0,
        timestamp,
        ssrc: 1,
        csrc: &[],
        extension: None,
        payload,
    }
}

fn pull(depacketizer: &mut PictureDepacketizer) -> Vec<PictureUnit> {
    core::iter::from_fn(|| depacketizer.pull()).collect()
}

/// A packet with a sequence header and the beginning of a key frame, the rest of it to come.
fn first() -> Vec<u8> {
    let mut out = alloc::vec![0x68, SEQUENCE.len() as u8];
    out.extend(SEQUENCE);
    out.extend([0x30, 0x10, 1]);
    out
}

#[test]
fn obus_are_put_together_with_their_sizes() {
    let mut d = depacketizer(&Limits::default());
    d.push(&packet(5, false, &first()), Micros(3), 0);
    // The rest of the frame, W 1; a temporal delimiter with W 0 and a tile list; nothing of these two.
    d.push(&packet(5, false, &[0x90, 2, 3]), Micros(4), 0);
    d.push(&packet(5, true, &[0x00, 1, 0x10, 2, 0x40, 9]), Micros(5), 0);
    // One that is not a key frame, its size in the OBU.
    d.push(&packet(6, true, &[0x10, 0x32, 2, 0x30, 7]), Micros(6), 0);
    let units = pull(&mut d);
    let mut expected = alloc::vec![SEQUENCE[0] | 2, SEQUENCE.len() as u8 - 1];
    expected.extend(&SEQUENCE[1..]);
    let record = [&[0x81, 0, 0x0c, 0][..], &expected].concat();
    expected.extend([0x32, 4, 0x10, 1, 2, 3]);
    assert_eq!(units[0].data, expected);
    assert_eq!(units[1].data[..], [0x32, 2, 0x30, 7]);
    assert_eq!(units.iter().map(|u| u.random_access).collect::<Vec<_>>(), [true, false]);
    assert_eq!((units[0].timestamp, units[0].received), (5, Micros(3)));
    let format = &units[0].format;
    assert_eq!((format.width, format.height, format.codec_string()), (320, 240, "av01.0.00M.08".into()));
    assert_eq!(format.configuration, record);
}

#[test]
fn a_temporal_unit_that_misses_anything_is_dropped() {
    let mut d = depacketizer(&Limits::default());
    // The middle is lost; the beginning; then a whole one.
    d.push(&packet(0, false, &first()), Micros(0), 0);
    d.push(&packet(0, true, &[0x90, 2]), Micros(0), 1);
    d.push(&packet(1, true, &[0x90, 2]), Micros(0), 1);
    d.push(&packet(2, false, &first()), Micros(0), 0);
    d.push(&packet(2, true, &[0x90, 2]), Micros(0), 0);
    // What does not go on though nothing is lost; an element past the end.
    d.push(&packet(3, false, &first()), Micros(0), 0);
    d.push(&packet(3, true, &[0x10, 0x30, 0x30]), Micros(0), 0);
    d.push(&packet(4, true, &[0x20, 9, 0x30]), Micros(0), 0);
    let units = pull(&mut d);
    assert_eq!(units.iter().map(|u| (u.timestamp, u.loss.packets)).collect::<Vec<_>>(), [(2, 2)]);
    assert_eq!((d.dropped(), d.quirks().get(Quirk::BadPayload)), (4, 2));
}

#[test]
fn a_temporal_unit_whose_beginning_may_be_lost_is_dropped() {
    let mut d = depacketizer(&Limits::default());
    d.push(&packet(0, false, &first()), Micros(0), 0);
    d.push(&packet(0, true, &[0x90, 2]), Micros(0), 0);
    // What was lost may have been the hidden frame before this one.
    d.push(&packet(1, true, &[0x10, 0x30, 0x30]), Micros(0), 1);
    // A coded video sequence begins: N.
    let mut start = first();
    start[0] |= 0x08;
    d.push(&packet(2, false, &start), Micros(0), 1);
    d.push(&packet(2, true, &[0x90, 2]), Micros(0), 0);
    assert_eq!(pull(&mut d).iter().map(|u| u.timestamp).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(d.dropped(), 1);
}

#[test]
fn a_packet_of_hundreds_of_obus_is_taken() {
    let mut d = depacketizer(&Limits::default());
    d.push(&packet(0, false, &first()), Micros(0), 0);
    d.push(&packet(0, false, &[0x90, 2]), Micros(0), 0);
    for obus in [256, 300] {
        // W 0: temporal delimiters, each with its length.
        let payload = [&[0x00][..], &[1, 0x10].repeat(obus)].concat();
        d.push(&packet(0, false, &payload), Micros(0), 0);
    }
    d.push(&packet(0, true, &[0x00, 1, 0x10]), Micros(0), 0);
    assert_eq!((pull(&mut d).len(), d.dropped(), d.quirks().get(Quirk::BadPayload)), (1, 0, 0));
}

#[test]
fn what_sets_the_forbidden_bit_is_no_obu() {
    let mut d = depacketizer(&Limits::default());
    d.push(&packet(0, false, &first()), Micros(0), 0);
    d.push(&packet(0, true, &[0x90, 2]), Micros(0), 0);
    d.push(&packet(1, true, &[0x10, 0xb0, 0x30]), Micros(0), 0);
    d.push(&packet(2, true, &[0x10, 0x30, 0x30]), Micros(0), 0);
    assert_eq!(pull(&mut d).iter().map(|u| u.timestamp).collect::<Vec<_>>(), [0, 2]);
    assert_eq!((d.dropped(), d.quirks().get(Quirk::BadPayload)), (1, 1));
}

#[test]
fn the_sizes_that_are_put_in_count_for_the_limit() {
    let mut limits = Limits::default();
    // The sequence header, the frame, and a byte of size for each.
    limits.access_unit = SEQUENCE.len() + 1 + 4 + 1;
    for (room, units) in [(0, 1), (1, 0)] {
        let mut d = depacketizer(&Limits { access_unit: limits.access_unit - room, ..limits });
        d.push(&packet(0, false, &first()), Micros(0), 0);
        d.push(&packet(0, true, &[0x90, 2]), Micros(0), 0);
        assert_eq!((pull(&mut d).len(), d.quirks().get(Quirk::OverLimit)), (units, 1 - units as u64));
    }
}

#[test]
fn nothing_is_given_before_a_sequence_header() {
    let mut d = depacketizer(&Limits::default());
    d.push(&packet(0, true, &[0x10, 0x30, 0x10, 1]), Micros(0), 0);
    assert_eq!((pull(&mut d).len(), d.dropped()), (0, 1));
}

proptest::proptest! {
    #[test]
    fn any_payload_is_taken(
        packets in proptest::collection::vec(
            (proptest::collection::vec(proptest::sample::select(alloc::vec![0_u8, 1, 2, 3, 0x0a, 0x30, 0x32, 0x50, 0x80, 0xff]), 0..40),
             0_u32..3, proptest::bool::ANY, 0_u32..2), 0..16,
        ),
    ) {
        let mut d = depacketizer(&Limits::default());
        d.push(&packet(9, false, &first()), Micros(0), 0);
        d.push(&packet(9, true, &[0x90, 2]), Micros(0), 0);
        for (payload, timestamp, marker, lost) in &packets {
            d.push(&packet(*timestamp, *marker, payload), Micros(0), *lost);
        }
        d.finish();
        proptest::prop_assert!(pull(&mut d).iter().all(|unit| unit.data.len() > 1));
    }
}
