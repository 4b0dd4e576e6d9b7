//! The promises of `docs/format.md` §5 and §6, held against a disk that fails at every write in every way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod histories;

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::testing::{CUTS, DAY_START, Recording, source, stored};
use super::*;
use crate::gix::{Day, Span};
use crate::time::{Micros, UtcMicros};

const START: i64 = DAY_START + 5 * 3_600_000_000;

/// Records eleven fragments with a parameter change and a gap on the way; gives how many were synced.
fn scenario(disk: &Memory) -> u64 {
    let Ok(mut recording) = Recording::start(disk, START + 1_000_000, 2_000_000) else { return 0 };
    let _ = (|| {
        recording.record(5)?;
        recording.camera.init = super::testing::init(1_280);
        recording.record(3)?;
        recording.camera.utc = recording.camera.utc.plus(30_000_000);
        recording.camera.discontinuity = true;
        recording.writer.gap(UtcMicros(START + 9_000_000), true, Cause::Network, 701);
        recording.record(3)?;
        recording.finish()
    })();
    recording.writer.stats().synced
}

/// Opens after a crash; checks that the store is whole and holds the first `synced` fragments at least.
fn check(disk: &Memory, synced: u64, what: &str) {
    let (writer, _) = Writer::open(disk.clone(), source(), Options::default()).expect(what);
    drop(writer);
    disk.kill();
    let kept = stored(&mut disk.clone());
    let (first, _) = kept.split_at(kept.len().min(synced as usize));
    assert_eq!(first, (0..synced as u8).collect::<Vec<_>>(), "{what}: synced fragments are there");
    assert!(kept.is_sorted_by(|a, b| a < b), "{what}: in order, each once: {kept:?}");
    let found = verify(&mut disk.clone(), &source()).expect(what);
    assert!(found.is_whole(), "{what}: {found:?}");
    assert_eq!(found.fragments, kept.len() as u64);
}

#[test]
fn a_power_cut_at_any_write_costs_nothing_synced_and_the_index_is_the_rebuilt_one() {
    let whole = Memory::new();
    assert_eq!(scenario(&whole), 11);
    let writes = whole.writes();
    assert!(writes > 60, "{writes}");
    for at in 0..=writes {
        for cut in CUTS {
            let disk = Memory::new();
            disk.cut_at(at);
            let synced = scenario(&disk);
            disk.power_cut(cut);
            let what = alloc::format!("cut at write {at}, {cut:?}");
            check(&disk, synced, &what);
            // A second start finds nothing to do, and recording goes on.
            let before = disk.paths();
            let (_, found) = Writer::open(disk.clone(), source(), Options::default()).unwrap();
            assert_eq!(Recovered { end: None, ..found }, Recovered::default(), "{what}");
            disk.kill();
            assert_eq!(disk.paths(), before, "{what}");
            let mut again = Recording::start(&disk, START + 100_000_000, 0).expect(&what);
            again.camera.made = 100;
            again.record(2).expect(&what);
            again.finish().expect(&what);
            disk.kill();
            let kept = stored(&mut disk.clone());
            assert!(kept.ends_with(&[100, 101]), "{what}: {kept:?}");
            assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole(), "{what}");
        }
    }
}

#[test]
fn a_power_cut_during_recovery_is_recovered_too() {
    let whole = Memory::new();
    scenario(&whole);
    for at in (0..whole.writes()).step_by(5) {
        for first in [Cut::Dice(at * 77 + 1), Cut::Keep] {
            let crash = || {
                let disk = Memory::new();
                disk.cut_at(at);
                let synced = scenario(&disk);
                disk.power_cut(first);
                (disk, synced)
            };
            let (disk, _) = crash();
            let before = disk.writes();
            drop(Writer::open(disk.clone(), source(), Options::default()).unwrap());
            for again in 0..disk.writes() - before {
                for cut in [Cut::Forget, Cut::Zero, Cut::Keep, Cut::Dice(at * 31 + again + 1)] {
                    let (disk, synced) = crash();
                    disk.cut_at(again);
                    let _ = Writer::open(disk.clone(), source(), Options::default());
                    disk.power_cut(cut);
                    check(&disk, synced, &alloc::format!("cuts at {at} ({first:?}) and {again} ({cut:?})"));
                }
            }
        }
    }
}

#[test]
fn a_killed_process_loses_only_the_fragment_at_hand() {
    let whole = Memory::new();
    scenario(&whole);
    for at in 0..whole.writes() {
        let disk = Memory::new();
        disk.cut_at(at);
        let synced = scenario(&disk);
        disk.kill();
        check(&disk, synced, &alloc::format!("killed at write {at}"));
    }
}

#[test]
fn a_failure_at_any_write_is_survived_within_the_process() {
    let whole = Memory::new();
    scenario(&whole);
    for at in 0..whole.writes() {
        let disk = Memory::new();
        disk.fail_at(at, Kind::Io(5));
        let Ok(mut recording) = Recording::start(&disk, START, 2_000_000) else { continue };
        for _ in 0..12 {
            if recording.record(1).is_err() {
                recording.give_up();
            }
        }
        if recording.finish().is_err() {
            recording.give_up();
        }
        disk.kill();
        check(&disk, 0, &alloc::format!("failure at write {at}"));
        // At most the file at hand.
        assert!(stored(&mut disk.clone()).len() >= 10, "failure at write {at}");
    }
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START, 0).unwrap();
    recording.record(6).unwrap();
    let used: usize = disk.paths().iter().map(|p| disk.content(p).unwrap().len()).sum();
    disk.set_capacity(Some(used + 200));
    assert_eq!(recording.record(1).unwrap_err().kind, Kind::Full);
    recording.writer.gap(UtcMicros(START + 6_000_000), true, Cause::Storage, 552);
    disk.set_capacity(None);
    recording.give_up();
    recording.camera.utc = recording.camera.utc.plus(60_000_000);
    recording.record(2).unwrap();
    recording.writer.gap(recording.camera.utc, false, Cause::Storage, 552);
    recording.finish().unwrap();
    disk.kill();
    check(&disk, 6, "full disk");
    let listing = Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap();
    assert_eq!(listing.ranges.len(), 2);
    let [gap] = listing.gaps[..] else { panic!("{:?}", listing.gaps) };
    assert_eq!((gap.cause, gap.code), (Cause::Storage, 552));
    assert_eq!(gap.span, Span::new(listing.ranges[0].to, listing.ranges[1].from));
}

#[test]
fn listing_tells_files_ranges_and_gaps_with_their_causes() {
    let disk = Memory::new();
    scenario(&disk);
    let listing = Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap();
    let names: Vec<_> = listing.segments.iter().map(|s| s.key.to_string()).collect();
    assert_eq!(
        names,
        [
            "2026-11-22/05/00-01.000000Z.0.m4v",
            "2026-11-22/05/00-04.000000Z.1.m4v",
            "2026-11-22/05/00-06.000000Z.0.m4v",
            "2026-11-22/05/00-08.000000Z.1.m4v",
            "2026-11-22/05/00-39.000000Z.0.m4v",
            "2026-11-22/05/00-40.000000Z.1.m4v",
        ]
    );
    let span = |from: i64, to: i64| {
        Span::new(UtcMicros(START + from * 1_000_000), UtcMicros(START + to * 1_000_000))
    };
    assert_eq!(listing.ranges, [span(1, 9), span(39, 42)]);
    assert_eq!(listing.gaps.len(), 1);
    assert_eq!(
        (listing.gaps[0].span, listing.gaps[0].cause, listing.gaps[0].code),
        (span(9, 39), Cause::Network, 701)
    );
    let part = Listing::load(&mut disk.clone(), &source(), span(5, 20)).unwrap();
    assert_eq!((part.segments.len(), part.ranges), (3, alloc::vec![span(5, 9)]));
    assert_eq!(part.gaps.iter().map(|g| g.span).collect::<Vec<_>>(), [span(9, 20)]);
    assert_eq!(tenants(&mut disk.clone()).unwrap(), [source().tenant]);
    assert_eq!(cameras(&mut disk.clone(), &source().tenant).unwrap(), [source().camera]);
    assert_eq!(days(&mut disk.clone(), &source()).unwrap(), [Day::of(UtcMicros(START))]);
}

#[test]
fn a_span_that_runs_past_midnight_stays_one_span() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, DAY_START - 6_500_000, 0).unwrap();
    recording.record(14).unwrap();
    recording.finish().unwrap();
    disk.kill();
    let before = disk.paths();
    assert_eq!(before.iter().filter(|p| p.ends_with("_end")).count(), 1);
    check(&disk, 14, "midnight");
    assert_eq!(disk.paths(), before, "recovery ends no span that goes on");
    let listing = Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap();
    assert_eq!(listing.ranges.len(), 1);
}

#[test]
fn names_taken_are_stepped_over_and_two_writers_are_kept_apart() {
    let disk = Memory::new();
    for _ in 0..3 {
        let mut recording = Recording::start(&disk, START, 0).unwrap();
        assert_eq!(Writer::open(disk.clone(), source(), Options::default()).unwrap_err().kind, Kind::Locked);
        recording.record(2).unwrap();
        recording.finish().unwrap();
        disk.kill();
    }
    let listing = Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap();
    let times: Vec<_> = listing.segments.iter().map(|s| s.key.utc.0 - START).collect();
    assert_eq!(times, [0, 1, 2]);
    assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole());
}

#[test]
fn bytes_that_are_no_segment_are_refused_before_they_are_written() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START, 0).unwrap();
    let fragment = recording.camera.fragment();
    let lone = recording.writer.append(Micros(0), &fragment, 0).unwrap_err();
    assert_eq!(lone.kind, Kind::NoFile);
    let key = crate::gix::Key { utc: UtcMicros(START), counter: 0 };
    let init = fragment.init.clone();
    let created = recording.writer.create(Micros(0), key, &init, &init.bytes).unwrap_err();
    assert_eq!(created.kind, Kind::NotOurs);
    let early = crate::gix::Key { utc: UtcMicros(-1), counter: 0 };
    assert_eq!(recording.writer.create(Micros(0), early, &init, &init.bytes).unwrap_err().kind, Kind::Time);
    assert!(disk.paths().is_empty(), "{:?}", disk.paths());
}

#[test]
fn damage_anywhere_in_media_or_index_is_found_and_what_is_whole_stays() {
    let disk = Memory::new();
    scenario(&disk);
    disk.kill();
    let day = Day::of(UtcMicros(START));
    let index = index_path(&source(), day);
    for path in disk.paths().iter().filter(|p| p.ends_with(".m4v") || p.ends_with(".gix")) {
        let whole = disk.content(path).unwrap();
        for at in (0..whole.len()).step_by(97) {
            let mut bad = whole.clone();
            bad[at] ^= 0x55;
            disk.set_content(path, &bad);
            let found = verify(&mut disk.clone(), &source()).unwrap();
            let room = path.ends_with(".m4v") && {
                let head = crate::gix::FileMark::find(&whole).unwrap();
                let room = head.init_len as usize + 320..head.head_len as usize;
                room.contains(&at) || at + 100 > whole.len()
            };
            assert!(room || !found.is_whole(), "{path} at {at}");
            // Recovery makes an index whole; of media it takes away at most the file whose head was hit.
            drop(Writer::open(disk.clone(), source(), Options::default()).unwrap());
            disk.kill();
            let left = stored(&mut disk.clone()).len();
            if path.ends_with(".gix") {
                assert!(
                    disk.content(&index).unwrap() == rebuild(&mut disk.clone(), &source(), day).unwrap(),
                    "{path} at {at}"
                );
                assert_eq!(left, 11);
            } else {
                assert!(left >= 8, "{path} at {at}: {left}");
            }
            disk.set_content(path, &whole);
            drop(Writer::open(disk.clone(), source(), Options::default()).unwrap());
            disk.kill();
        }
    }
}
