//! What is served of a recording (one MP4 file, HLS, one picture) beside the fragments that were recorded.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::hls::{Asked, playlist, segment_name};
use super::*;
use crate::bmff::{Boxes, moof};
use crate::codec::Codec;
use crate::fragment::Fragment;
use crate::fragment::testing::{START, fragments, more_sets, sets, stream, whole};
use crate::gix::Span;
use crate::limits::Limits;
use crate::store::testing::{Recording, source};
use crate::store::{Memory, media_path};
use crate::time::UtcMicros;
use crate::view::export::Export;
use crate::view::{key_picture, playback};

const LATER: UtcMicros = UtcMicros(START.0 + 3_600_000_000);

fn utc(seconds: f64) -> UtcMicros {
    START.plus((seconds * 1e6) as i64)
}

fn span(from: f64, to: f64) -> Span {
    Span::new(utc(from), utc(to))
}

/// Twelve seconds in GOPs of one, B pictures in them; with `change`, the last six need another init segment.
fn recorded(change: bool) -> (Memory, Vec<Fragment>) {
    let sets = sets(Codec::H264);
    let mut groups = stream(&sets, 0, 6, 25, true);
    groups.extend(stream(&if change { more_sets() } else { sets }, 150, 6, 25, true));
    let (_, made) = fragments(groups);
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START.0, 0).unwrap();
    for fragment in &made {
        recording.segmenter.push(fragment.clone());
        recording.apply().unwrap();
    }
    recording.finish().unwrap();
    disk.kill();
    (disk, made)
}

fn footage(disk: &Memory, window: Span, now: UtcMicros) -> Footage {
    Footage::load(disk.clone(), source(), window, now).unwrap()
}

fn plan(disk: &Memory, window: Span) -> (Vec<VirtualMp4>, Vec<Span>) {
    let mut damaged = vec![];
    let footage = footage(disk, window, LATER);
    let files =
        VirtualMp4::plan(&mut disk.clone(), &footage, &Limits::default(), 10_000, &mut damaged).unwrap();
    (files, damaged.into_iter().map(|(span, _)| span).collect())
}

/// Bytes from a place on, put together from as many reads as it takes.
fn read(file: &VirtualMp4, disk: &Memory, from: u64, len: u64) -> Result<Vec<u8>, Failure> {
    let mut out = vec![];
    while (out.len() as u64) < len {
        let bytes = file.read(&mut disk.clone(), from + out.len() as u64, len - out.len() as u64)?;
        if bytes.is_empty() {
            break;
        }
        out.extend(bytes);
    }
    Ok(out)
}

/// What an export of the recorded fragments holds.
fn exported(made: &[Fragment], window: Span) -> Vec<Vec<u8>> {
    let mut plan = Export::new(window.from, window.to, &Limits::default());
    for (n, fragment) in (0..).zip(made) {
        plan.init(&fragment.init.bytes).unwrap();
        plan.fragment(n, &fragment.head).unwrap();
    }
    let bytes = |file: crate::view::export::File| {
        let mut out = file.head.to_vec();
        for part in &file.parts {
            let stored = whole(&made[part.fragment as usize]);
            out.extend(&stored[part.offset as usize..(part.offset + part.len) as usize]);
        }
        out
    };
    plan.finish().into_iter().map(bytes).collect()
}

#[test]
fn a_span_is_the_file_that_an_export_writes() {
    for change in [false, true] {
        let (disk, made) = recorded(change);
        for window in [span(-1.0, 20.0), span(2.3, 7.1), span(4.99, 5.03), span(0.0, 6.0), span(6.5, 6.6)] {
            let (files, damaged) = plan(&disk, window);
            let read: Vec<_> = files.iter().map(|file| read(file, &disk, 0, u64::MAX).unwrap()).collect();
            // An export shown fragments before and behind the range leaves them out.
            assert_eq!(read, exported(&made, window), "{window:?}");
            assert!(damaged.is_empty());
            for (file, bytes) in files.iter().zip(&read) {
                assert_eq!((file.len(), file.tag().len()), (bytes.len() as u64, 32));
            }
        }
        assert_eq!(plan(&disk, span(0.0, 12.1)).0.len(), if change { 2 } else { 1 });
    }
}

#[test]
fn the_same_bytes_have_the_same_tag_and_others_another() {
    let (disk, _) = recorded(true);
    let tags = |disk: &Memory, window| plan(disk, window).0.iter().map(VirtualMp4::tag).collect::<Vec<_>>();
    let first = tags(&disk, span(1.0, 9.0));
    assert_eq!(tags(&disk, span(1.0, 9.0)), first);
    assert_eq!(tags(&recorded(true).0, span(1.0, 9.0)), first, "whoever recorded it");
    assert_ne!(first[0], first[1]);
    assert_ne!(tags(&disk, span(1.0, 9.04))[1], first[1]);
    assert_eq!(tags(&disk, span(1.0, 9.04))[0], first[0], "ends before");
}

#[test]
fn no_byte_of_a_damaged_fragment_is_served() {
    let (disk, _) = recorded(false);
    let (files, _) = plan(&disk, span(0.0, 12.1));
    let good = read(&files[0], &disk, 0, u64::MAX).unwrap();
    let hit = footage(&disk, span(5.2, 5.3), LATER).fragments[0];
    let path = media_path(&source(), hit.key);
    let mut media = disk.content(&path).unwrap();
    media[hit.entry.end() as usize - 2] ^= 1;
    disk.set_content(&path, &media);
    let (again, damaged) = plan(&disk, span(0.0, 12.1));
    assert!(damaged.is_empty() && again[0].tag() == files[0].tag(), "the tables are whole");
    let mut refused = 0;
    for at in (0..files[0].len()).step_by(13) {
        match read(&files[0], &disk, at, 1) {
            Ok(byte) => assert_eq!(byte, [good[at as usize]]),
            Err(Failure::Footage(error)) => {
                assert_eq!((error.kind, files[0].place(at)), (Kind::Fragment, Some(hit.place())));
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 10);
    // An export, which is written whole, leaves it out from the beginning.
    let whole = footage(&disk, span(0.0, 12.1), LATER);
    let (export, mut damaged) =
        (Export::new(utc(0.0), utc(12.1), &Limits::default()).split_at_gaps(), vec![]);
    let parts =
        VirtualMp4::proved(&mut disk.clone(), &whole, export, &Limits::default(), &mut damaged).unwrap();
    assert_eq!(damaged.iter().map(|(span, _)| *span).collect::<Vec<_>>(), [hit.entry.span()]);
    let pictures: u32 = parts.iter().map(|part| part.about().pictures).sum();
    assert_eq!((parts.len(), pictures), (2, files[0].about().pictures - hit.entry.mark.samples));
    for part in &parts {
        assert_eq!(read(part, &disk, 0, u64::MAX).unwrap().len() as u64, part.len());
        assert!(part.about().end > part.about().last);
    }
    // Damage to the tables is seen at once, and told; or else when the fragment is read.
    media[hit.entry.end() as usize - 2] ^= 1;
    let mut told = 0;
    for at in (0..hit.entry.first_sample().end - hit.entry.offset).step_by(9) {
        let mut bad = media.clone();
        bad[(hit.entry.offset + at) as usize] ^= 0x80;
        disk.set_content(&path, &bad);
        let (files, damaged) = plan(&disk, span(0.0, 12.1));
        assert!(damaged == [hit.entry.span()] || read(&files[0], &disk, 0, u64::MAX).is_err(), "{at}");
        told += damaged.len();
    }
    assert!(told > 5, "{told}");
}

#[test]
fn what_is_being_recorded_is_told_as_open() {
    let (disk, _) = recorded(false);
    assert!(!footage(&disk, span(0.0, 11.0), utc(12.5)).open, "a fragment starts behind it");
    assert!(footage(&disk, span(0.0, 12.5), utc(12.5)).open);
    assert!(footage(&disk, span(0.0, 60.0), utc(70.0)).open, "the camera may be away, or late");
    assert!(!footage(&disk, span(0.0, 60.0), utc(300.0)).open);
    let none = footage(&disk, span(40.0, 60.0), LATER);
    assert_eq!((none.fragments.len(), none.open, none.end()), (0, false, None));
    let most = VirtualMp4::plan(
        &mut disk.clone(),
        &footage(&disk, span(0.0, 12.0), LATER),
        &Limits::default(),
        299,
        &mut vec![],
    );
    assert!(matches!(most, Err(Failure::Footage(Error { kind: Kind::Long, .. }))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_range_is_a_part_of_the_whole(from in 0.0..1.1_f64, len in 0.0..0.3_f64) {
        let (disk, _) = recorded(false);
        let (files, _) = plan(&disk, span(1.5, 10.5));
        let all = read(&files[0], &disk, 0, u64::MAX).unwrap();
        let (from, len) = ((all.len() as f64 * from) as u64, (all.len() as f64 * len) as u64);
        let part = read(&files[0], &disk, from, len).unwrap();
        let start = (from as usize).min(all.len());
        prop_assert!(part == all[start..(start + len as usize).min(all.len())]);
    }

    #[test]
    fn any_name_is_a_segment_or_none(name in "\\PC*", offset: u64, len: u32, crc: u32) {
        let _ = Asked::parse(&name);
        let place = Place::new(crate::gix::Key { utc: START, counter: 3 }, offset, len, crc);
        prop_assert_eq!(Asked::parse(&segment_name(&place)), Some(Asked::Segment(place)));
    }
}

/// The lines of a playlist that say something of its segments.
fn tags(list: &str, tag: &str) -> Vec<String> {
    list.lines().filter_map(|line| line.strip_prefix(tag)).map(String::from).collect()
}

#[test]
fn a_playlist_names_the_stored_fragments() {
    let (disk, made) = recorded(true);
    let footage = footage(&disk, span(0.0, 12.1), LATER);
    let list = playlist(&footage, &mut |_| false);
    assert!(
        list.starts_with("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-PLAYLIST-TYPE:VOD\n")
    );
    assert!(list.ends_with("#EXT-X-ENDLIST\n"));
    let dates = tags(&list, "#EXT-X-PROGRAM-DATE-TIME:");
    assert_eq!(dates, ["2026-11-22T05:14:00.040Z", "2026-11-22T05:14:06.040Z"]);
    assert_eq!(tags(&list, "#EXT-X-DISCONTINUITY").len(), 1, "the init segment changes");
    assert_eq!(tags(&list, "#EXTINF:"), vec!["1.000000,"; 12]);
    let maps = tags(&list, "#EXT-X-MAP:URI=\"");
    assert_eq!(maps.len(), 2);
    for (map, init) in maps.iter().zip([&made[0].init, &made[11].init]) {
        let Some(Asked::Init(key)) = Asked::parse(map.trim_end_matches('"')) else { panic!("{map}") };
        assert_eq!(init_segment(&mut disk.clone(), &source(), key).unwrap(), init.bytes);
    }
    let segments: Vec<_> = list.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(segments.len(), made.len());
    for (name, fragment) in segments.into_iter().zip(&made) {
        let Some(Asked::Segment(place)) = Asked::parse(name) else { panic!("{name}") };
        let stored = place.read(&mut disk.clone(), &source(), 1 << 20).unwrap();
        let skip = crate::fragment::MOOF_AT;
        assert!(stored[skip..] == whole(fragment)[skip..], "{name}");
        assert!(place.read(&mut disk.clone(), &source(), 100).is_err(), "longer than allowed");
        let other = Place { crc: place.crc ^ 1, ..place };
        assert!(other.read(&mut disk.clone(), &source(), 1 << 20).is_err());
    }
    let lost = playlist(&footage, &mut |stored| stored.entry.mark.utc > utc(10.0));
    assert!(lost.contains("#EXT-X-VERSION:8\n"));
    assert_eq!(tags(&lost, "#EXT-X-GAP").len(), 2);
    for bad in ["", "index.m3u8", "../x.m4s", "2026-11-22/05/14-00.040000Z.0.m4v/1-2-3.m4s"] {
        assert_eq!(Asked::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_playlist_of_what_is_recorded_grows_at_its_end() {
    let (disk, _) = recorded(false);
    let whole = playlist(&footage(&disk, span(0.0, 60.0), utc(12.5)), &mut |_| false);
    assert!(
        whole.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MAP") && !whole.contains("ENDLIST"),
        "{whole}"
    );
    assert!(whole.contains("TARGETDURATION:10\n"), "which may not change");
    // Half of the index, as it was six seconds before.
    let index = disk.paths().into_iter().find(|path| path.ends_with(".gix")).unwrap();
    let bytes = disk.content(&index).unwrap();
    disk.set_content(&index, &bytes[..4_096 + 46 * 9]);
    let half = playlist(&footage(&disk, span(0.0, 60.0), utc(6.5)), &mut |_| false);
    assert!(whole.starts_with(&half) && half.lines().count() > 8);
}

#[test]
fn a_gap_is_a_discontinuity_with_its_own_date() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START.0, 0).unwrap();
    recording.record(3).unwrap();
    recording.camera.utc = utc(33.5);
    recording.camera.discontinuity = true;
    recording.record(2).unwrap();
    recording.finish().unwrap();
    disk.kill();
    let list = playlist(&footage(&disk, span(0.0, 60.0), LATER), &mut |_| false);
    let dates = tags(&list, "#EXT-X-PROGRAM-DATE-TIME:");
    assert_eq!(dates, ["2026-11-22T05:14:00.000Z", "2026-11-22T05:14:33.500Z"]);
    assert_eq!(tags(&list, "#EXT-X-DISCONTINUITY").len(), 1);
    assert_eq!(tags(&list, "#EXT-X-MAP").len(), 1);
}

#[test]
fn one_range_read_gives_the_key_picture() {
    let (disk, made) = recorded(false);
    let stored = footage(&disk, span(5.5, 5.6), LATER).fragments[0];
    let range = stored.entry.first_sample();
    assert!(range.end < stored.entry.end());
    let media = disk.content(&media_path(&source(), stored.key)).unwrap();
    let bytes = &media[range.start as usize..range.end as usize];
    let init = init_segment(&mut disk.clone(), &source(), stored.key).unwrap();
    let film = key_picture(&init, bytes).unwrap();
    let kinds: Vec<_> = Boxes::new(&film, 0).map(|b| b.unwrap().kind.to_string()).collect();
    assert_eq!(kinds, ["ftyp", "moov", "moof", "mdat"]);
    assert!(film.starts_with(&playback(&init).unwrap()));
    let media = Boxes::new(&film, 0).need(moof::MDAT).unwrap();
    let fragment = &made[5];
    let first = fragment.first_sample_end as usize;
    let stored = whole(fragment);
    assert!(stored[..first].ends_with(&media.bytes[8..]) && media.bytes.len() > 28);
    assert_eq!(key_picture(&init, &whole(fragment)).unwrap(), film, "more does no harm");
    for cut in 0..first {
        assert!(key_picture(&init, &stored[..cut]).is_err(), "{cut}");
    }
}
