#![allow(clippy::unwrap_used)]
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::depacket::Loss;
use crate::h26x::testing::{Picture, Stream};
use crate::h26x::{Change, nal_units};

const FRAMES: Stream = Stream { order_type: 0, fields: false, reorder: None };
const FIELDS: Stream = Stream { order_type: 0, fields: true, reorder: None };
const IDR: Picture = Picture {
    idr: true,
    reference: true,
    first_mb: 0,
    frame_num: 0,
    field: None,
    order_lsb: 0,
    forgets: false,
};

fn p(frame_num: u32, first_mb: u32) -> Picture {
    Picture { idr: false, frame_num, first_mb, order_lsb: 2 * frame_num % 16, ..IDR }
}

fn field(bottom: bool, picture: Picture) -> Picture {
    Picture { field: Some(bottom), ..picture }
}

/// A NAL unit with its timestamp, and whether the marker follows.
type Given = (Vec<u8>, u32, bool);

fn assemble(assembler: &mut Assembler, given: &[Given]) -> Vec<AccessUnit> {
    let mut units = vec![];
    for (nal, timestamp, marker) in given {
        assembler.begin_nal(*timestamp, Micros(u64::from(*timestamp)));
        for piece in nal.chunks(5) {
            assembler.extend(piece);
        }
        assembler.end_nal();
        if *marker {
            assembler.end_access_unit();
        }
        units.extend(core::iter::from_fn(|| assembler.pull()));
    }
    assembler.finish();
    units.extend(core::iter::from_fn(|| assembler.pull()));
    units
}

fn types(units: &[AccessUnit]) -> Vec<Vec<u8>> {
    units.iter().map(|u| nal_units(&u.data).map(|n| n.unit_type(u.codec)).collect()).collect()
}

fn h264() -> Assembler {
    Assembler::new(Codec::H264, &Limits::default())
}

#[test]
fn two_fields_are_one_access_unit_whatever_stands_between() {
    let given = [
        (FIELDS.sps(), 0, false),
        (FIELDS.pps(), 0, false),
        (FIELDS.slice(field(false, IDR)), 0, true),
        (vec![9, 0xf0], 1_800, false), // the delimiter of the second field
        (FIELDS.slice(field(true, p(0, 0))), 1_800, true),
        (FIELDS.slice(field(false, p(1, 0))), 3_600, true),
        (FIELDS.slice(field(true, p(1, 0))), 3_600, true),
        (vec![9, 0xf0], 7_200, false),
        (FIELDS.slice(p(2, 0)), 7_200, true), // a frame
    ];
    let units = assemble(&mut h264(), &given);
    assert_eq!(types(&units), [vec![7, 8, 5, 9, 1], vec![1, 1], vec![9, 1]]);
    assert_eq!(units.iter().map(|u| u.timestamp).collect::<Vec<_>>(), [0, 3_600, 7_200]);
}

#[test]
fn a_field_alone_ends_with_the_next_frame() {
    let given = [
        (FIELDS.sps(), 0, false),
        (FIELDS.pps(), 0, false),
        (FIELDS.slice(field(false, IDR)), 0, true),
        (vec![9, 0xf0], 3_600, false),
        (FIELDS.slice(field(false, p(1, 0))), 3_600, true),
        (FIELDS.slice(field(true, p(1, 0))), 3_600, true),
    ];
    let units = assemble(&mut h264(), &given);
    assert_eq!(types(&units), [vec![7, 8, 5], vec![9, 1, 1]]);
    assert_eq!((units[1].timestamp, units[1].received), (3_600, Micros(3_600)));
}

#[test]
fn prefix_units_go_with_their_slice_and_slices_without_first_macroblock_with_their_picture() {
    let prefix = vec![0x6e, 0x40, 0x80, 0x17];
    let sei = vec![6, 5, 1, 0x55, 0x80];
    let given: Vec<Given> = [
        FRAMES.sps(),
        FRAMES.pps(),
        prefix.clone(),
        FRAMES.slice(IDR),
        prefix.clone(),
        FRAMES.slice(Picture { first_mb: 8, ..IDR }),
        prefix,
        FRAMES.slice(p(1, 8)), // arbitrary slice order
        FRAMES.slice(p(1, 0)),
        vec![0x0c, 0xff, 0x80], // filler
        sei,
        FRAMES.slice(p(2, 0)),
    ]
    .into_iter()
    .map(|nal| (nal, 0, false))
    .collect();
    let units = assemble(&mut Assembler::untimed(Codec::H264, &Limits::default()), &given);
    assert_eq!(types(&units), [vec![7, 8, 14, 5, 14, 1 + 4], vec![14, 1, 1, 12], vec![6, 1]]);
    assert!(units.iter().all(|u| !u.loss.incomplete));
    assert!(Arc::ptr_eq(units[0].parameters.as_ref().unwrap(), units[2].parameters.as_ref().unwrap()));
}

#[test]
fn parameter_sets_between_slices_part_no_picture_that_has_one_timestamp() {
    let sets = |at| [(FRAMES.sps(), at, false), (FRAMES.pps(), at, false)];
    let key = |first_mb, at, marker| (FRAMES.slice(Picture { first_mb, ..IDR }), at, marker);
    let mut given: Vec<Given> = vec![];
    for at in [0, 3_600] {
        for first_mb in [0, 4, 8] {
            given.extend(sets(at));
            given.push(key(first_mb, at, first_mb == 8));
        }
    }
    let sei = (vec![6, 5, 1, 0x55, 0x80], 3_600, false);
    // Another picture with the same timestamp begins at its sets, SEI or none; one with another where its sets stand.
    given.extend(sets(3_600));
    given.extend([sei, (FRAMES.slice(p(1, 0)), 3_600, false)]);
    given.extend(sets(3_600));
    given.push((FRAMES.slice(p(2, 0)), 7_200, true));
    let whole = vec![7, 8, 5, 7, 8, 5, 7, 8, 5];
    let mut assembler = h264();
    let units = assemble(&mut assembler, &given);
    assert_eq!(types(&units), [whole.clone(), whole, vec![7, 8, 6, 1], vec![7, 8, 1]]);
    assert!(units.iter().all(|u| !u.loss.incomplete));
    assert_eq!(assembler.quirks().get(Quirk::SetsInside), 4);

    // By the letter each is the start of a picture, and those behind the first lack theirs.
    let mut limits = Limits::default();
    limits.policy = crate::fault::Policy::Strict;
    let mut assembler = Assembler::new(Codec::H264, &limits);
    let units = assemble(&mut assembler, &given[..9]);
    assert_eq!(types(&units), vec![vec![7, 8, 5]; 3]);
    assert_eq!(units.iter().map(|u| u.loss.incomplete).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(assembler.quirks().get(Quirk::SetsInside), 2);
}

#[test]
fn a_marker_is_believed_when_two_were_true_and_not_after_a_lie() {
    let mut assembler = h264();
    let mut came_at_marker = |n: u32, slices: &[(u32, bool)]| {
        for (first_mb, marker) in slices {
            assembler.begin_nal(n * 3_600, Micros(0));
            assembler.extend(&FRAMES.slice(p(n % 16, *first_mb)));
            assembler.end_nal();
            if *marker {
                assembler.end_access_unit();
            }
        }
        core::iter::from_fn(|| assembler.pull()).count()
    };
    assert_eq!((1..=4).map(|n| came_at_marker(n, &[(0, true)])).collect::<Vec<_>>(), [0, 1, 2, 1]);
    // Now a marker on each slice: the first picture is parted, the others are not.
    assert_eq!(came_at_marker(5, &[(0, true), (4, true), (8, true)]), 1);
    assert_eq!(came_at_marker(6, &[(0, true), (4, true)]), 1);
    assert_eq!(came_at_marker(7, &[(0, true), (4, true)]), 1);
    assert!(assembler.quirks().get(Quirk::EarlyMarker) >= 2);
}

#[test]
fn a_set_counts_from_the_picture_that_follows_it() {
    let wide = Stream { reorder: Some(2), ..FRAMES };
    let given = [
        (FRAMES.sps(), 0, false),
        (FRAMES.pps(), 0, false),
        (FRAMES.slice(IDR), 0, true),
        (wide.sps(), 3_600, false),
        (wide.slice(Picture { ..IDR }), 3_600, true),
    ];
    let units = assemble(&mut h264(), &given);
    let reorder = |u: &AccessUnit| u.parameters.as_ref().unwrap().format().unwrap().reorder;
    assert_eq!(units.iter().map(reorder).collect::<Vec<_>>(), [None, Some(2)]);
    let sets = |n: usize| units[n].parameters.as_ref().unwrap();
    assert_eq!(sets(0).change(sets(1)), Change::NewInit);
}

#[test]
fn caps_hold_and_the_stream_goes_on() {
    let mut limits = Limits::default();
    (limits.access_unit, limits.nal_units) = (1_000, 4);
    let mut assembler = Assembler::new(Codec::H264, &limits);
    let mut given: Vec<Given> = (0..100).map(|_| (vec![6, 5, 200, 1, 2, 3, 0x80], 0, false)).collect();
    given.push(([&FRAMES.slice(IDR)[..], &[0x55; 2_000]].concat(), 0, true));
    given.push((FRAMES.slice(p(1, 0)), 3_600, true));
    let units = assemble(&mut assembler, &given);
    assert!(units.iter().all(|u| u.data.len() <= 1_000 && nal_units(&u.data).count() <= 4));
    assert_eq!(types(&units).last().unwrap().last(), Some(&1));
    assert!(assembler.quirks().get(Quirk::OverLimit) > 0);
}

#[test]
fn without_timestamps_a_picture_over_a_cap_does_not_swallow_the_next_one() {
    for (nals, bytes) in [(6, 1 << 20), (1_000, 400)] {
        let limits = Limits { nal_units: nals, access_unit: bytes, ..Limits::default() };
        let mut assembler = Assembler::untimed(Codec::H264, &limits);
        let picture = |n: u32| (0..40).map(move |mb| (FRAMES.slice(p(n % 16, mb)), 0, false));
        let mut given: Vec<Given> = vec![(FRAMES.sps(), 0, false), (FRAMES.pps(), 0, false)];
        given.extend((1..=3).flat_map(picture));
        given.push((FRAMES.slice(p(4, 0)), 0, false));
        let units = assemble(&mut assembler, &given);
        assert_eq!(types(&units).concat().len(), given.len(), "every NAL unit is there");
        assert!(!units.last().unwrap().loss.incomplete && types(&units).last().unwrap().len() == 1);
        assert!(units.iter().all(|u| u.data.len() <= bytes && nal_units(&u.data).count() <= nals));
    }
}

#[test]
fn access_units_share_their_buffer() {
    let mut assembler = h264();
    let slice = |n: u32| [&FRAMES.slice(p(n % 16, 0))[..], &[0x55; 1_000]].concat();
    let given: Vec<Given> = (0..50).map(|n| (slice(n), n * 3_600, true)).collect();
    let units = assemble(&mut assembler, &given);
    let neighbours = units.windows(2).filter(|pair| pair[0].data.as_ptr_range().end == pair[1].data.as_ptr());
    assert_eq!((units.len(), neighbours.count()), (50, 49));
}

#[test]
fn a_camera_that_starts_late_to_put_start_codes_into_units_is_found_out() {
    let (mut assembler, mut units) = (h264(), vec![]);
    for n in 0..400_u32 {
        // The second slice of each picture is behind a start code far inside the first one.
        let mut nal = [&FRAMES.slice(p(n % 16, 0))[..], &[0x55; 300]].concat();
        if n >= 300 {
            nal.extend([&[0, 0, 1], &FRAMES.slice(p(n % 16, 8))[..]].concat());
        }
        units.extend(assemble_one(&mut assembler, &nal, n * 3_600));
    }
    let parted = types(&units).iter().filter(|types| types.len() == 2).count();
    assert!((36..=100).contains(&parted), "{parted}");
}

fn assemble_one(assembler: &mut Assembler, nal: &[u8], timestamp: u32) -> Vec<AccessUnit> {
    assembler.begin_nal(timestamp, Micros(0));
    nal.chunks(100).for_each(|piece| assembler.extend(piece));
    assembler.end_nal();
    assembler.end_access_unit();
    core::iter::from_fn(|| assembler.pull()).collect()
}

/// A stream: NAL units, timestamps and markers; `None` where packets are missing.
fn lossy(given: &[Option<Given>], limits: &Limits) -> Vec<(Vec<u8>, Loss)> {
    let mut assembler = Assembler::new(Codec::H264, limits);
    let mut units = vec![];
    for given in given {
        match given {
            None => assembler.lost(2),
            Some((nal, timestamp, marker)) => {
                assembler.begin_nal(*timestamp, Micros(0));
                assembler.extend(nal);
                assembler.end_nal();
                if *marker {
                    assembler.end_access_unit();
                }
            }
        }
        units.extend(core::iter::from_fn(|| assembler.pull()));
    }
    assembler.finish();
    units.extend(core::iter::from_fn(|| assembler.pull()));
    types(&units).into_iter().zip(units.iter().map(|unit| unit.loss)).collect()
}

/// A picture of three slices, the marker on the last.
fn picture(n: u32) -> [Option<Given>; 3] {
    [0, 4, 8].map(|mb| Some((FRAMES.slice(p(n % 16, mb)), n * 3_600, mb == 8)))
}

/// The sets and four pictures, so that markers are believed.
fn start() -> Vec<Option<Given>> {
    let sets = [FRAMES.sps(), FRAMES.pps()].map(|set| Some((set, 3_600, false)));
    sets.into_iter().chain((1..5).flat_map(picture)).collect()
}

const fn loss(packets: u32, place: Place) -> Loss {
    Loss { packets, place: Some(place), incomplete: !matches!(place, Place::Before) }
}

#[test]
fn the_place_of_a_loss_is_told() {
    let cut = |n: u32, missing: &[usize]| -> Vec<Option<Given>> {
        picture(n).into_iter().enumerate().map(|(i, slice)| slice.filter(|_| !missing.contains(&i))).collect()
    };
    let none = Loss::default();
    let delimiter = |n: u32| Some((vec![9, 0xf0], n * 3_600, false));
    let sets = |n: u32| [FRAMES.sps(), FRAMES.pps()].map(|set| Some((set, n * 3_600, false))).to_vec();
    type Pictures = Vec<Vec<Option<Given>>>;
    let cases: Vec<(Pictures, Vec<Loss>)> = vec![
        (vec![cut(5, &[1]), cut(6, &[])], vec![loss(2, Place::Interior), none]),
        (vec![cut(5, &[0]), cut(6, &[])], vec![loss(2, Place::Prefix), none]),
        // The end of one picture: nobody knows whether the beginning of the next was lost too.
        (vec![cut(5, &[2]), cut(6, &[])], vec![loss(2, Place::Suffix), loss(0, Place::Prefix)]),
        // A whole picture. The next starts with its first slice; its SEI may have been lost.
        (vec![vec![None], cut(6, &[])], vec![loss(2, Place::Prefix)]),
        // The same before a delimiter, and before a parameter set.
        (vec![vec![None, delimiter(6)], cut(6, &[])], vec![loss(2, Place::Before)]),
        (vec![vec![None], sets(6), cut(6, &[])], vec![loss(2, Place::Before)]),
        // The sets of a picture that was lost do not become part of the next one.
        (vec![sets(5), vec![None], cut(6, &[])], vec![loss(2, Place::Prefix)]),
        (vec![sets(5), vec![None, delimiter(6)], cut(6, &[])], vec![loss(2, Place::Before)]),
        // Between the sets and their picture.
        (vec![sets(5), vec![None], cut(5, &[])], vec![loss(2, Place::Interior)]),
    ];
    for (n, (rest, expected)) in cases.into_iter().enumerate() {
        let given: Vec<_> = start().into_iter().chain(rest.into_iter().flatten()).collect();
        let units = lossy(&given, &Limits::default());
        let losses: Vec<_> = units.iter().skip(4).map(|(_, loss)| *loss).collect();
        assert_eq!(losses, expected, "case {n}");
    }
}

#[test]
fn damaged_pictures_and_what_refers_to_them_can_be_withheld() {
    let idr = |n: u32| {
        [FRAMES.sps(), FRAMES.pps(), FRAMES.slice(IDR)]
            .into_iter()
            .zip([false, false, true])
            .map(move |(nal, marker)| Some((nal, n * 3_600, marker)))
    };
    let mut given = start();
    given.extend([picture(5)[0].clone(), None, picture(5)[2].clone()]);
    given.extend(picture(6));
    given.extend(idr(7).enumerate().map(|(n, nal)| nal.filter(|_| n != 1)));
    given.extend(picture(8));
    given.extend(idr(9));
    given.extend(picture(10));
    let limits = Limits { loss: crate::fault::LossPolicy::Withhold, ..Limits::default() };
    let units = lossy(&given, &limits);
    let types: Vec<_> = units.iter().skip(4).map(|(types, _)| types.clone()).collect();
    assert_eq!(types, [vec![7, 8, 5], vec![1, 1, 1]]);
    assert_eq!(units[4].1, loss(4, Place::Before), "all that was lost is told");
    assert!(units.iter().all(|(_, loss)| !loss.incomplete));
    assert_eq!(lossy(&given, &Limits::default()).len(), 10);
}

/// Pairs of non-reference fields have one frame_num: a field that lost its first must not pair with the next picture's.
#[test]
fn a_field_without_its_first_does_not_put_the_others_out_of_step() {
    let b = |n: u32, bottom: bool| {
        let picture = Picture { reference: false, frame_num: 2, order_lsb: 2 * n % 16, ..p(2, 0) };
        Some((FIELDS.slice(field(bottom, picture)), n * 3_600 + if bottom { 1_800 } else { 0 }, true))
    };
    let mut given: Vec<_> = [FIELDS.sps(), FIELDS.pps()].map(|set| Some((set, 3_600, false))).to_vec();
    for n in 1..9 {
        given.push(if n == 4 { None } else { b(n, false) });
        given.push(b(n, true));
    }
    let units = lossy(&given, &Limits::default());
    let fields: Vec<_> = units.iter().map(|(types, loss)| (types.len(), loss.incomplete)).collect();
    assert_eq!(
        fields[1..],
        [(2, false), (2, false), (1, true), (2, false), (2, false), (2, false), (2, false)]
    );
}

/// The connection breaks in the middle of a picture.
#[test]
fn what_nothing_ends_is_not_whole() {
    let mut given = start();
    given.extend(picture(5).into_iter().take(2));
    assert_eq!(lossy(&given, &Limits::default()).last(), Some(&(vec![1, 1], loss(0, Place::Suffix))));
}

#[derive(Clone, Debug)]
enum Call {
    Begin(u32),
    Extend(Vec<u8>),
    End,
    Abort,
    Marker,
    Lost(u32),
    Seed(Vec<u8>),
}

proptest! {
    #[test]
    fn any_calls_are_survived(
        h265: bool,
        calls in prop::collection::vec(prop_oneof![
            (0_u32..3).prop_map(Call::Begin),
            prop::collection::vec(prop::sample::select(vec![0_u8, 1, 0x67, 0x68, 0x65, 0x41, 0x80, 0x42, 0x26, 0xff]), 0..20).prop_map(Call::Extend),
            Just(Call::End),
            Just(Call::Abort),
            Just(Call::Marker),
            (0_u32..3).prop_map(Call::Lost),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(Call::Seed),
        ], 0..200),
    ) {
        let mut assembler = Assembler::new(if h265 { Codec::H265 } else { Codec::H264 }, &Limits::default());
        for call in calls {
            match call {
                Call::Begin(timestamp) => assembler.begin_nal(timestamp, Micros(0)),
                Call::Extend(bytes) => assembler.extend(&bytes),
                Call::End => assembler.end_nal(),
                Call::Abort => assembler.abort_nal(),
                Call::Marker => assembler.end_access_unit(),
                Call::Lost(packets) => assembler.lost(packets),
                Call::Seed(nal) => assembler.seed(&nal),
            }
        }
        assembler.finish();
        while let Some(unit) = assembler.pull() {
            let walked: usize = nal_units(&unit.data).map(|n| n.bytes.len() + LENGTH).sum();
            prop_assert_eq!(walked, unit.data.len());
            prop_assert!(nal_units(&unit.data).all(|n| annexb::find(n.bytes).is_none() && n.bytes.last() != Some(&0)));
        }
    }
}
