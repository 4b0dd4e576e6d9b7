#![allow(clippy::unwrap_used, clippy::expect_used, clippy::field_reassign_with_default)]

mod changes;

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::testing::{START, fragments, more_sets, pieces, sample, sets, stream, unit, whole};
use super::*;
use crate::bmff::moof::{self, Moof};
use crate::bmff::moov::Moov;
use crate::bmff::moov::mvex::Trex;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{Configuration, Entry};
use crate::bmff::{Boxed as _, Boxes};
use crate::codec::Codec;
use crate::depacket::RandomAccess;
use crate::fault::Fault as _;
use crate::limits::Limits;
use crate::timeline::Group;

/// (size, duration, composition, sync) of each sample, as a reader has them, and where the first byte is.
fn read(fragment: &Fragment) -> (Vec<(u32, u32, i32, bool)>, usize) {
    let bytes = whole(fragment);
    let found = Boxes::new(&bytes, 0).need(moof::KIND).unwrap();
    assert_eq!(found.at, MOOF_AT as u64);
    let moof = Moof::parse(&found).unwrap();
    let traf = moof.track(TRACK).unwrap();
    assert_eq!(traf.decode_time, Some(fragment.dts.0 as u64));
    let samples = traf.samples(&Trex::new(TRACK));
    let first = MOOF_AT + traf.runs[0].data_offset.unwrap() as usize;
    (samples.map(|s| (s.size, s.duration, s.composition, s.is_sync())).collect(), first)
}

#[test]
fn an_init_segment_says_what_the_pictures_are() {
    for (codec, entry, string) in
        [(Codec::H264, "avc3", "avc1.F4000D"), (Codec::H265, "hev1", "hvc1.4.10.L60.9E.8")]
    {
        let (init, _) = fragments(stream(&sets(codec), 0, 1, 5, false));
        assert_eq!(init.size(), (320, 240));
        assert_eq!(init.codec_string(), string);
        let moov: Moov = Boxes::new(&init.bytes, 0).need(Moov::KIND).unwrap().parse().unwrap();
        let track = moov.video().unwrap();
        assert_eq!(
            (moov.header.duration, track.header.duration, moov.extends.as_ref().unwrap().duration),
            (0, 0, None)
        );
        assert_eq!((track.header.width >> 16, track.header.height >> 16), (320, 240));
        let Entry::Video(video) = &track.media.information.tables.descriptions.entries[0] else { panic!() };
        assert_eq!(video.kind.to_string(), entry);
        match &video.configuration {
            Configuration::Avc(avc) => {
                assert_eq!((avc.sps.len(), avc.pps.len(), avc.length_size), (1, 1, 4));
                assert_eq!(avc.high.as_ref().unwrap().chroma_format, 3);
            }
            Configuration::Hevc(hevc) => {
                assert_eq!(
                    hevc.arrays.iter().map(|a| (a.nal_type, a.nals.len(), a.complete)).collect::<Vec<_>>(),
                    vec![(32, 1, false), (33, 1, false), (34, 1, false)]
                );
                // The record repeats bytes of the SPS, emulation prevention removed.
                assert_eq!(hevc.profile_tier_level, [4, 8, 0, 0, 0, 0x9e, 8, 0, 0, 0, 0, 0x3c]);
            }
            Configuration::Av1(_) | Configuration::None => panic!(),
        }
        let back = InitSegment::parse(&init.bytes).unwrap();
        assert_eq!((&back.bytes, back.video()), (&init.bytes, init.video()));
        assert!(back.parameters().unwrap().serves(init.parameters().unwrap()));
    }
}

#[test]
fn fragments_refer_to_the_bytes_and_tell_their_samples() {
    let groups = stream(&sets(Codec::H264), 10, 3, 5, true);
    let (_, made) = fragments(groups.clone());
    assert_eq!(made.len(), 3);
    for (i, (fragment, group)) in made.iter().zip(&groups).enumerate() {
        let (samples, first) = read(fragment);
        assert_eq!(samples.len(), 5);
        assert_eq!(samples.iter().map(|s| s.3).collect::<Vec<_>>(), [true, false, false, false, false]);
        assert_eq!(samples.iter().map(|s| s.2 / 3_600).collect::<Vec<_>>(), [1, 2, 0, 2, 0]);
        for (mine, given) in fragment.body.iter().zip(&group.samples) {
            assert_eq!(mine.as_ptr(), given.unit.data.as_ptr(), "not copied");
        }
        assert_eq!(first, fragment.head.len());
        assert_eq!(fragment.first_sample_end as usize, first + group.samples[0].unit.data.len());
        let mark = crate::gix::FragmentMark::parse(&fragment.head).unwrap();
        assert_eq!(FragmentFlags::from_mark(mark.flags), fragment.flags);
        assert_eq!((mark.samples, mark.duration, mark.len as usize), (5, 18_000, fragment.len()));
        assert_eq!((mark.source, mark.error, mark.utc), (2, 500, fragment.utc.utc));
        assert_eq!(fragment.pts.0, fragment.dts.0 + 3_600);
        assert_eq!(mark.utc, START.plus(i64::from(10 + 5 * i as u32 + 1) * 40_000));
        assert_eq!((fragment.flags.random_access, fragment.flags.discontinuity), (true, i == 0));
    }
}

#[test]
fn a_part_of_a_gop_has_no_sync_sample() {
    let mut group = stream(&sets(Codec::H264), 0, 1, 6, false).remove(0);
    let rest = group.samples.split_off(3);
    let part = Group { samples: rest, epoch: 0, continues_gop: true };
    let (_, made) = fragments([group, part]);
    assert!(made[1].flags.continues_gop && !made[1].flags.random_access);
    assert!(read(&made[1]).0.iter().all(|s| !s.3));
}

#[test]
fn only_idr_and_irap_are_sync_samples() {
    let sets = sets(Codec::H265);
    for (random_access, sync) in [
        (RandomAccess::Idr, true),
        (RandomAccess::Cra, true),
        (RandomAccess::Bla, true),
        (RandomAccess::RecoveryPoint { frames: 0 }, false),
    ] {
        let samples = vec![sample(unit(0, 9, Some(random_access), &sets), 0, 0, 3_600)];
        let (_, made) = fragments([Group { samples, epoch: 0, continues_gop: false }]);
        assert!(made[0].flags.random_access);
        assert_eq!(read(&made[0]).0[0].3, sync);
    }
}

#[test]
fn another_init_segment_only_where_decoding_needs_one_and_can_start() {
    let (old, new) = (sets(Codec::H264), more_sets());
    let mut groups = stream(&old, 0, 2, 4, false);
    // A picture parameter set turns up in the middle of the second GOP, and stays.
    for s in &mut groups[1].samples[2..] {
        s.unit.parameters = Some(new.clone());
    }
    groups.extend(stream(&new, 8, 2, 4, false));
    // The same sets in another table: nothing new.
    groups.extend(stream(&Arc::new((*new).clone()), 16, 1, 4, false));
    let kinds: Vec<_> = pieces(groups).iter().map(|p| matches!(p, Piece::Init(_))).collect();
    assert_eq!(kinds, [true, false, false, true, false, false, false]);
}

#[test]
fn a_group_is_parted_where_decoding_needs_another_init_segment() {
    let (old, new) = (sets(Codec::H264), more_sets());
    let mut first = stream(&old, 0, 1, 4, false).remove(0);
    first.samples.extend(stream(&new, 4, 1, 4, false).remove(0).samples);
    let made = pieces([first]);
    let sizes: Vec<_> = made.iter().map(|p| if let Piece::Fragment(f) = p { f.samples } else { 0 }).collect();
    assert_eq!(sizes, [0, 4, 0, 4]);
}

#[test]
fn nothing_before_the_first_parameter_sets() {
    let mut groups = stream(&sets(Codec::H264), 0, 2, 4, false);
    for s in &mut groups[0].samples {
        s.unit.parameters = None;
    }
    let mut step = Fragmenter::new(&Limits::default());
    groups.into_iter().for_each(|g| step.push(g).unwrap());
    assert!(matches!(step.pull(), Some(Piece::Init(_))));
    assert!(
        matches!(step.pull(), Some(Piece::Fragment(f)) if f.flags.discontinuity && f.dts == Ticks(14_400))
    );
    assert_eq!((step.stats().dropped, step.stats().fragments, step.stats().inits), (4, 1, 1));
}

#[test]
fn times_before_zero_are_raised_for_the_whole_epoch() {
    let mut groups = stream(&sets(Codec::H264), 0, 3, 4, false);
    for (g, group) in groups.iter_mut().enumerate() {
        group.samples.iter_mut().for_each(|s| (s.dts, s.pts) = (s.dts.plus(-5_000), s.pts.plus(-5_000)));
        group.epoch = u32::from(g == 2);
    }
    let (_, made) = fragments(groups);
    assert_eq!(made.iter().map(|f| f.dts.0).collect::<Vec<_>>(), [0, 14_400, 28_800 - 5_000]);
    assert_eq!(made.iter().map(|f| f.flags.discontinuity).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn a_broken_promise_is_an_error_and_leaves_nothing() {
    let mut step = Fragmenter::new(&Limits::default());
    let empty = Group { samples: vec![], epoch: 0, continues_gop: false };
    assert_eq!(step.push(empty).unwrap_err().kind, Kind::Empty);
    let mut group = stream(&sets(Codec::H264), 0, 1, 4, false).remove(0);
    group.samples[3].dts = group.samples[2].dts;
    let error = step.push(group).unwrap_err();
    assert_eq!(format!("{error} {}", error.code()), "decoding times do not rise (sample 2) V0431");
    assert!(step.pull().is_none());
}

proptest! {
    #[test]
    fn what_goes_in_is_read_back(steps in prop::collection::vec((1_u32..100_000, -50_000_i32..50_000, 0_usize..300, any::<bool>()), 1..40),
                                 base in 0_i64..1 << 50) {
        let sets = sets(Codec::H264);
        let mut dts = base + 100_000;
        let mut samples = vec![];
        for (i, (duration, composition, len, idr)) in steps.iter().enumerate() {
            let unit = unit(i as u32, *len, (*idr).then_some(RandomAccess::Idr), &sets);
            samples.push(sample(unit, dts, dts + i64::from(*composition), *duration));
            dts += i64::from(*duration);
        }
        let (_, made) = fragments([Group { samples: samples.clone(), epoch: 7, continues_gop: false }]);
        let (read, first) = read(&made[0]);
        let given: Vec<_> = samples.iter().map(|s| (s.unit.data.len() as u32, s.duration, (s.pts.0 - s.dts.0) as i32, s.unit.random_access.is_some())).collect();
        prop_assert_eq!(read, given);
        let bytes: Vec<u8> = samples.iter().flat_map(|s| s.unit.data.to_vec()).collect();
        prop_assert_eq!(&whole(&made[0])[first..], &bytes[..]);
        prop_assert_eq!(made[0].pts, samples.iter().map(|s| s.pts).min().unwrap());
    }
}
