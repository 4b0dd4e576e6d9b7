#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use alloc::vec::Vec;

use super::*;
use crate::depacket::{PictureDepacketizer, PictureUnit};
use crate::limits::Limits;
use crate::rtp::Extension;
use crate::sdp::Presentation;

fn depacketizer(limits: &Limits) -> PictureDepacketizer {
    let presentation = Presentation::parse("v=0\r\nm=video 0 RTP/AVP 26\r\n", limits).unwrap();
    PictureDepacketizer::new(presentation.picture().unwrap().1, limits).unwrap()
}

/// Main header of 4:2:0 without restart markers: offset, Q, width and height in blocks.
fn main(offset: u32, q: u8, width: u8, height: u8) -> Vec<u8> {
    let mut out = alloc::vec![0];
    out.extend(&offset.to_be_bytes()[1..]);
    out.extend([1, q, width, height]);
    out
}

fn packet(timestamp: u32, marker: bool, payload: &[u8]) -> RtpPacket<'_> {
    RtpPacket {
        marker,
        payload_type: 26,
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

/// The marker segments up to the scan, and the scan.
fn taken_apart(jpeg: &[u8]) -> (Vec<(u8, Vec<u8>)>, Vec<u8>) {
    assert_eq!(jpeg[..2], [0xff, 0xd8]);
    let (mut at, mut found) = (2, Vec::new());
    loop {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        found.push((jpeg[at + 1], jpeg[at + 4..at + 2 + length].to_vec()));
        at += 2 + length;
        if found.last().unwrap().0 == 0xda {
            return (found, jpeg[at..].to_vec());
        }
    }
}

fn kinds(jpeg: &[u8]) -> Vec<u8> {
    taken_apart(jpeg).0.iter().map(|(kind, _)| *kind).collect()
}

fn with(mut head: Vec<u8>, more: &[u8]) -> Vec<u8> {
    head.extend(more);
    head
}

#[test]
fn a_picture_of_three_packets_with_tables_by_q() {
    let mut d = depacketizer(&Limits::default());
    for (offset, marker, scan) in [(0, false, [1, 2]), (2, false, [3, 4]), (4, true, [0xff, 0xd9])] {
        d.push(&packet(7, marker, &with(main(offset, 50, 40, 30), &scan)), Micros(9), 0);
    }
    let units = pull(&mut d);
    assert_eq!(units.len(), 1);
    let (unit, format) = (&units[0], &units[0].format);
    assert_eq!((format.width, format.height, unit.timestamp, unit.received), (320, 240, 7, Micros(9)));
    let (segments, scan) = taken_apart(&unit.data);
    assert_eq!(scan, [1, 2, 3, 4, 0xff, 0xd9]);
    assert_eq!(kinds(&unit.data), [0xdb, 0xdb, 0xc0, 0xc4, 0xda]);
    // Q 50 is the tables of ITU-T T.81 themselves: 16 11 12 14 and 17 18 18 24.
    assert_eq!(
        (&segments[0].1[..5], &segments[1].1[..5]),
        (&[0, 16, 11, 12, 14][..], &[1, 17, 18, 18, 24][..])
    );
    assert_eq!(segments[2].1, [8, 0, 240, 1, 64, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
}

#[test]
fn tables_scale_as_in_appendix_a() {
    let first = |q| Tables::computed(q).bytes[0];
    assert_eq!((first(1), first(10), first(50), first(75), first(99)), (255, 80, 16, 8, 1));
}

#[test]
fn tables_that_were_sent_once_hold_for_their_q() {
    let mut d = depacketizer(&Limits::default());
    let tables = |first: u8| with(alloc::vec![0, 0, 0, 128], &[first; 128]);
    let none = [0, 0, 0, 0];
    let cases: [(u8, &[u8]); 6] =
        [(200, &tables(1)), (201, &tables(2)), (200, &none), (201, &none), (202, &none), (255, &none)];
    for (n, (q, tables)) in cases.iter().enumerate() {
        let payload = with(with(main(0, *q, 2, 2), tables), &[9]);
        d.push(&packet(n as u32 * 3_000, true, &payload), Micros(0), 0);
    }
    let units = pull(&mut d);
    let seen: Vec<_> = units.iter().map(|u| (u.timestamp, taken_apart(&u.data).0[1].1[1])).collect();
    assert_eq!(seen, [(0, 1), (3_000, 2), (6_000, 1), (9_000, 2)]);
    assert_eq!((d.dropped(), d.quirks().get(Quirk::BadPayload)), (2, 2));
}

#[test]
fn sixteen_bits_one_table_and_restart_markers() {
    let mut d = depacketizer(&Limits::default());
    let mut payload = alloc::vec![0, 0, 0, 0, 64, 255, 1, 1, 0, 4, 0xff, 0xff];
    payload.extend([0, 1, 0, 128]);
    payload.extend([7; 128]);
    payload.push(5);
    d.push(&packet(0, true, &payload), Micros(0), 0);
    let units = pull(&mut d);
    let (segments, _) = taken_apart(&units[0].data);
    assert_eq!(kinds(&units[0].data), [0xdb, 0xdd, 0xc0, 0xc4, 0xda]);
    assert_eq!((segments[0].1.len(), segments[0].1[0]), (129, 0x10));
    assert_eq!(segments[1].1, [0, 4]);
    // 4:2:2; all components with table 0.
    assert_eq!(segments[2].1[6..], [1, 0x21, 0, 2, 0x11, 0, 3, 0x11, 0]);
}

#[test]
fn a_picture_that_misses_anything_is_dropped_and_counted_once() {
    let mut d = depacketizer(&Limits::default());
    let part = |offset| with(main(offset, 80, 2, 2), &[1, 2]);
    // The middle is missing; the beginning; the end; then one that is whole.
    d.push(&packet(0, false, &part(0)), Micros(0), 0);
    d.push(&packet(0, true, &part(4)), Micros(0), 1);
    d.push(&packet(10, false, &part(2)), Micros(0), 1);
    d.push(&packet(10, true, &part(4)), Micros(0), 0);
    d.push(&packet(20, false, &part(0)), Micros(0), 0);
    d.push(&packet(30, false, &part(0)), Micros(0), 1);
    d.push(&packet(30, true, &part(2)), Micros(0), 0);
    let units = pull(&mut d);
    assert_eq!(units.iter().map(|u| u.timestamp).collect::<Vec<_>>(), [30]);
    assert_eq!((d.dropped(), units[0].loss.packets), (3, 3));
    // The end never comes.
    d.push(&packet(50, false, &part(0)), Micros(0), 0);
    d.finish();
    assert_eq!((pull(&mut d).len(), d.dropped()), (0, 4));
}

/// The camera of SharpRTSP's tests.
#[test]
fn an_offset_that_counts_headers_too_is_tolerated() {
    use crate::fault::Policy;
    for (policy, expected) in [(Policy::Auto, (1, 0)), (Policy::Strict, (0, 1))] {
        let mut limits = Limits::default();
        limits.policy = policy;
        let mut d = depacketizer(&limits);
        d.push(&packet(0, false, &with(main(0, 80, 2, 2), &[1, 2])), Micros(0), 0);
        d.push(&packet(0, true, &with(main(10, 80, 2, 2), &[3])), Micros(0), 0);
        let units = pull(&mut d);
        assert_eq!((units.len(), d.dropped()), (expected.0, expected.1), "{policy:?}");
        assert_eq!(d.quirks().get(Quirk::JpegOffset), 1);
        assert!(units.iter().all(|u| u.data.ends_with(&[1, 2, 3, 0xff, 0xd9])));
    }
}

#[test]
fn a_missing_marker_is_tolerated_where_nothing_is_missing() {
    use crate::fault::Policy;
    for (policy, expected) in [(Policy::Auto, 2), (Policy::Strict, 1)] {
        let mut limits = Limits::default();
        limits.policy = policy;
        let mut d = depacketizer(&limits);
        d.push(&packet(0, false, &with(main(0, 80, 2, 2), &[1])), Micros(0), 0);
        d.push(&packet(9, true, &with(main(0, 80, 2, 2), &[1])), Micros(0), 0);
        assert_eq!((pull(&mut d).len(), d.quirks().get(Quirk::NoMarker)), (expected, 1), "{policy:?}");
    }
}

#[test]
fn a_large_picture_has_its_size_from_the_header_extension() {
    let payload = with(main(0, 80, 0, 0), &[1]);
    let mut d = depacketizer(&Limits::default());
    d.push(&packet(0, true, &payload), Micros(0), 0);
    assert_eq!((pull(&mut d).len(), d.dropped()), (0, 1));
    let mut segments = alloc::vec![0xff, 0xe0, 0, 4, b'x', b'y'];
    segments
        .extend([0xff, 0xc0, 0, 17, 8, 0x08, 0x70, 0x0f, 0x00, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff]);
    // After the stamp of ONVIF replay, or alone.
    let mut both = alloc::vec![0; 12];
    both.extend([0xff, 0xd8, 0, (segments.len() / 4) as u8 + 1]);
    both.extend(&segments);
    for (n, (profile, bytes)) in
        [(0xffd8, &segments), (Extension::ONVIF_REPLAY, &both)].into_iter().enumerate()
    {
        let extension = Some(Extension { profile, bytes });
        d.push(&RtpPacket { extension, ..packet(n as u32 + 5, true, &payload) }, Micros(0), 0);
        let units = pull(&mut d);
        assert_eq!((units[0].format.width, units[0].format.height), (3_840, 2_160), "{profile:x}");
        assert_eq!(kinds(&units[0].data), [0xc0, 0xdb, 0xdb, 0xc4, 0xda]);
    }
}

#[test]
fn a_picture_over_the_cap_is_dropped() {
    let mut limits = Limits::default();
    limits.access_unit = 2_000;
    let mut d = depacketizer(&limits);
    for n in 0..3 {
        d.push(&packet(0, n == 2, &with(main(n * 1_000, 80, 2, 2), &[1; 1_000])), Micros(0), 0);
    }
    assert_eq!((pull(&mut d).len(), d.dropped(), d.quirks().get(Quirk::OverLimit)), (0, 1, 1));
}

#[test]
fn the_end_that_is_put_to_a_picture_counts_for_the_cap() {
    let whole = |cap| {
        let mut limits = Limits::default();
        limits.access_unit = cap;
        let mut d = depacketizer(&limits);
        d.push(&packet(0, true, &with(main(0, 80, 2, 2), &[1; 100])), Micros(0), 0);
        (pull(&mut d).first().map(|unit| unit.data.len()), d.quirks().get(Quirk::OverLimit))
    };
    let (len, _) = whole(10_000);
    let len = len.unwrap();
    assert_eq!((whole(len), whole(len - 1)), ((Some(len), 0), (None, 1)));
}

proptest::proptest! {
    #[test]
    fn any_payload_is_taken(
        packets in proptest::collection::vec(
            (proptest::collection::vec(proptest::num::u8::ANY, 0..300), 0_u32..3, proptest::bool::ANY, 0_u32..2), 0..12,
        ),
        extension in proptest::collection::vec(proptest::sample::select(alloc::vec![0xff_u8, 0xc0, 0xda, 0xd8, 0, 4, 17]), 0..40),
    ) {
        let mut d = depacketizer(&Limits::default());
        for (payload, timestamp, marker, lost) in &packets {
            let mut payload = payload.clone();
            if let Some(kind) = payload.get_mut(4) {
                *kind &= 0x41;
            }
            let extension = Some(Extension { profile: 0xffd8, bytes: &extension });
            d.push(&RtpPacket { extension, ..packet(*timestamp, *marker, &payload) }, Micros(0), *lost);
        }
        d.finish();
        for unit in pull(&mut d) {
            proptest::prop_assert!(unit.data.starts_with(&[0xff, 0xd8]) && unit.data.ends_with(&[0xff, 0xd9]));
        }
    }
}
