#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::string::ToString as _;
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::*;
use crate::bmff::mfra::Mfra;
use crate::bmff::moof;
use crate::bmff::sidx::Sidx;
use crate::bmff::{Boxed as _, Boxes, FourCc};
use crate::codec::Codec;
use crate::fragment::testing::{START, fragments, more_sets, sets, stream, whole};
use crate::gix::FragmentMark;
use crate::timeline::Group;

/// A file as the outputs say.
#[derive(Debug, Default)]
struct Written {
    key: Option<Key>,
    bytes: Vec<u8>,
    fragments: Vec<u64>,
    closed: bool,
}

/// Does what the segmenter asks; gives the files and the span ends.
fn run(config: Config, groups: Vec<Group>) -> (Vec<Written>, Vec<Key>) {
    let mut step = Segmenter::new(config);
    let (mut files, mut ends) = (Vec::<Written>::new(), vec![]);
    let (_, fragments) = fragments(groups);
    for fragment in fragments {
        step.push(fragment);
        drain(&mut step, &mut files, &mut ends);
    }
    step.finish();
    step.finish();
    drain(&mut step, &mut files, &mut ends);
    (files, ends)
}

fn drain(step: &mut Segmenter, files: &mut Vec<Written>, ends: &mut Vec<Key>) {
    while let Some(output) = step.pull() {
        let file = files.last_mut().filter(|f| !f.closed);
        match (output, file) {
            (Output::Create { key, init, bytes }, None) => {
                assert_eq!(bytes[..init.bytes.len()], init.bytes[..]);
                files.push(Written { key: Some(key), bytes: bytes.to_vec(), ..Written::default() });
            }
            (Output::Append { fragment, offset }, Some(file)) => {
                assert_eq!(offset, file.bytes.len() as u64);
                file.fragments.push(offset);
                file.bytes.extend(whole(&fragment));
            }
            (Output::Trailer { bytes, offset }, Some(file)) => {
                assert_eq!(offset, file.bytes.len() as u64);
                file.bytes.extend(bytes);
            }
            (Output::Patch { bytes, offset }, Some(file)) => {
                assert_eq!(bytes.len(), ROOM);
                file.bytes[offset as usize..][..ROOM].copy_from_slice(&bytes);
            }
            (Output::Close, Some(file)) => file.closed = true,
            (Output::SpanEnd { key }, None) => ends.push(key),
            (output, file) => panic!("{output:?} with {file:?}"),
        }
    }
}

fn kinds(bytes: &[u8]) -> Vec<alloc::string::String> {
    let mut kinds: Vec<_> = Boxes::new(bytes, 0).map(|b| b.unwrap().kind.to_string()).collect();
    kinds.dedup();
    kinds
}

/// Every reference of `sidx` and every entry of `mfra` lands where it should.
fn check_index(file: &Written) {
    let boxes = Boxes::new(&file.bytes, 0);
    let found = boxes.need(Sidx::KIND).unwrap();
    let sidx: Sidx = found.parse().unwrap();
    let mut at = found.at + found.bytes.len() as u64 + sidx.first_offset;
    assert_eq!(Some(&at), file.fragments.first());
    for reference in &sidx.references {
        assert!(file.fragments.contains(&at));
        at += u64::from(reference.size);
    }
    let tail = boxes.need(Mfra::KIND).unwrap();
    assert_eq!(tail.at, at);
    assert_eq!(Mfra::len_from_tail(&file.bytes), Some(tail.bytes.len() as u32));
    let mfra: Mfra = tail.parse().unwrap();
    for entry in &mfra.tracks[0].entries {
        let moof = Boxes::new(&file.bytes[entry.moof as usize..], entry.moof).next().unwrap().unwrap();
        assert_eq!(moof.kind, moof::KIND);
        let mark =
            FragmentMark::parse(&file.bytes[entry.moof as usize - crate::fragment::MOOF_AT..]).unwrap();
        assert_eq!(entry.time as i64, mark.dts.0 + i64::from(mark.offset));
        assert!(mark.flags.has(crate::gix::Flags::RANDOM_ACCESS));
    }
}

fn config(seconds: u64) -> Config {
    Config { period: seconds * 1_000_000, stagger: 0 }
}

#[test]
fn files_are_cut_on_utc_at_a_random_access_point() {
    // A GOP of 0.4 s, 3 s of them; files of 1 s.
    let (files, ends) = run(config(1), stream(&sets(Codec::H264), 0, 8, 10, false));
    let names: Vec<_> = files.iter().map(|f| f.key.unwrap().to_string()).collect();
    assert_eq!(
        names,
        [
            "2026-11-22/05/14-00.000000Z.0.m4v",
            "2026-11-22/05/14-01.200000Z.1.m4v",
            "2026-11-22/05/14-02.000000Z.2.m4v",
        ]
    );
    let ends: Vec<_> = ends.iter().map(|k| k.end_name()).collect();
    assert_eq!(ends, ["2026-11-22/05/14-03.200000Z.3.m4v_end"]);
    for file in &files {
        assert!(file.closed);
        check_index(file);
    }
}

#[test]
fn a_file_has_its_boxes_in_order() {
    let (files, _) = run(config(60), stream(&sets(Codec::H265), 0, 3, 10, true));
    assert_eq!(files.len(), 1);
    assert_eq!(
        kinds(&files[0].bytes),
        [
            "ftyp", "moov", "uuid", "sidx", "free", "uuid", "prft", "moof", "mdat", "uuid", "prft", "moof",
            "mdat", "uuid", "prft", "moof", "mdat", "mfra"
        ]
    );
    check_index(&files[0]);
    // While it is open the room is one box.
    let (init, _) = crate::fragment::testing::fragments(stream(&sets(Codec::H265), 0, 1, 2, false));
    let mut step = Segmenter::new(config(60));
    step.push(crate::fragment::testing::fragments(stream(&sets(Codec::H265), 0, 1, 2, false)).1.remove(0));
    let Some(Output::Create { bytes, .. }) = step.pull() else { panic!() };
    assert_eq!(kinds(&bytes), ["ftyp", "moov", "uuid", "free"]);
    assert_eq!(bytes.len(), init.bytes.len() + FileMark::LEN + ROOM);
    let last = Boxes::new(&bytes, 0).last().unwrap().unwrap();
    assert_eq!((last.kind, last.bytes.len()), (FourCc(*b"free"), 2_048));
}

#[test]
fn another_init_segment_or_a_discontinuity_begins_a_span() {
    let mut groups = stream(&sets(Codec::H264), 0, 4, 10, false);
    groups[2].epoch = 1;
    groups[3].epoch = 1;
    groups.extend(stream(&more_sets(), 40, 1, 10, false).into_iter().map(|g| Group { epoch: 1, ..g }));
    let (files, ends) = run(config(60), groups);
    assert_eq!(files.iter().map(|f| f.fragments.len()).collect::<Vec<_>>(), [2, 2, 1]);
    assert!(files.iter().all(|f| f.key.unwrap().counter == 0));
    assert_eq!(
        ends.iter().map(|k| (k.counter, (k.utc.0 - START.0) / 1_000)).collect::<Vec<_>>(),
        [(1, 800), (1, 1_600), (1, 2_000)]
    );
}

#[test]
fn a_camera_without_random_access_points_is_cut_by_patience() {
    let mut groups = stream(&sets(Codec::H264), 0, 70, 10, false);
    for group in &mut groups[1..] {
        group.continues_gop = true;
        group.samples[0].unit.random_access = None;
    }
    let (files, _) = run(config(2), groups);
    assert_eq!(files.len(), 2);
    assert_eq!(files[1].key.unwrap().counter, 1);
    files.iter().for_each(check_index);
}

#[test]
fn cameras_cut_at_different_moments_the_same_each_time() {
    let stagger = |name: &str| Config::staggered(name).stagger;
    assert_eq!(stagger("bourg/mairie"), stagger("bourg/mairie"));
    let many: Vec<_> = (0..600).map(|n| stagger(&format!("bourg/camera-{n}")) / 1_000_000).collect();
    let busiest = (0..60).map(|s| many.iter().filter(|m| **m == s).count()).max().unwrap();
    assert!(busiest < 30, "{busiest} of 600 in one second");
}

proptest! {
    #[test]
    fn the_room_holds_an_index_of_any_number_of_fragments(lens in prop::collection::vec((1_u64..1 << 20, any::<bool>()), 0..600)) {
        let mut layout = Layout::new(1, 900);
        let mut starts = vec![];
        for (i, (len, random_access)) in lens.iter().enumerate() {
            let span = Span { len: *len, pts: Ticks(i as i64 * 100), duration: 100, random_access: *random_access };
            starts.push((layout.push(span), *random_access));
        }
        let room = layout.room();
        prop_assert_eq!(room.len(), ROOM);
        let sidx: Sidx = Boxes::new(&room, 900).need(Sidx::KIND).unwrap().parse().unwrap();
        let mut at = 900 + ROOM as u64;
        for (i, reference) in sidx.references.iter().enumerate() {
            let start = starts.iter().find(|(start, _)| *start == at).unwrap();
            prop_assert!(i == 0 || start.1, "starts at a random access point");
            prop_assert_eq!(reference.starts_with_sap, start.1);
            at += u64::from(reference.size);
        }
        prop_assert_eq!(at, layout.len());
        prop_assert_eq!(sidx.references.iter().map(|r| u64::from(r.duration)).sum::<u64>(), 100 * lens.len() as u64);
    }
}
