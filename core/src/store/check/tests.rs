#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::vec;

use super::super::testing::{DAY_START, Recording, source, stored};
use super::super::{Cause, Memory, Options, Writer, verify};
use super::*;
use crate::time::UtcMicros;

const START: i64 = DAY_START + 5 * 3_600_000_000;

fn day() -> Day {
    Day::of(UtcMicros(START))
}

/// Twelve fragments in two spans of several files, and a gap log.
fn scene() -> Memory {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START + 1_000_000, 2_000_000).unwrap();
    recording.record(7).unwrap();
    recording.camera.utc = recording.camera.utc.plus(30_000_000);
    recording.camera.discontinuity = true;
    recording.writer.gap(UtcMicros(START + 8_000_000), true, Cause::Network, 701);
    recording.writer.gap(UtcMicros(START + 38_000_000), false, Cause::Network, 0);
    recording.record(5).unwrap();
    recording.finish().unwrap();
    disk.kill();
    disk
}

fn check(disk: &Memory) -> (Vec<Finding>, DayCheck) {
    let mut findings = vec![];
    let mut check = DayCheck::new(&mut disk.clone(), source(), day(), false).unwrap();
    while check.step(&mut disk.clone(), &mut findings).unwrap() {}
    assert_eq!(check.checked().bytes, check.bytes());
    (findings, check)
}

fn kinds(disk: &Memory) -> Vec<Wrong> {
    check(disk).0.into_iter().map(|finding| finding.what).collect()
}

fn repair(disk: &Memory) -> Recovered {
    let mut repair = Repair::new(&mut disk.clone(), source(), day()).unwrap();
    loop {
        if let Some(done) = repair.step(&mut disk.clone()).unwrap() {
            assert_eq!(repair.bytes().0, repair.bytes().1);
            return done;
        }
    }
}

#[test]
fn a_store_in_order_has_no_findings_and_repair_changes_nothing() {
    let disk = scene();
    let (findings, check) = check(&disk);
    assert_eq!((findings, check.checked().fragments), (vec![], 12));
    let content = || disk.paths().into_iter().map(|path| (disk.content(&path), path)).collect::<Vec<_>>();
    let before = content();
    let done = repair(&disk);
    assert_eq!((done.cut, done.holes, done.closed, done.torn), (0, 0, 0, 0));
    assert!(before == content());
}

/// Damages `path` by `how`; the kinds of what is found.
fn damaged(path: &str, how: impl Fn(&mut Vec<u8>)) -> (Memory, Vec<Wrong>) {
    let disk = scene();
    let mut bytes = disk.content(path).unwrap();
    how(&mut bytes);
    disk.set_content(path, &bytes);
    let found = kinds(&disk);
    (disk, found)
}

#[test]
fn each_kind_of_damage_is_told_by_its_name_and_repaired() {
    let media = "vannes/port-1/2026-11-22/05/00-01.000000Z.0.m4v";
    let second = "vannes/port-1/2026-11-22/05/00-04.000000Z.1.m4v";
    let index = "vannes/port-1/2026-11-22.gix";
    let head = crate::gix::FileMark::find(&scene().content(media).unwrap()).unwrap();
    let (init, first) = (head.init_len as usize, head.head_len as usize);
    let other = scene().content(second).unwrap();
    // What is damaged, how, what is found, fragments left after repair.
    #[allow(clippy::type_complexity)]
    let cases: Vec<(&str, alloc::boxed::Box<dyn Fn(&mut Vec<u8>)>, &[Wrong], usize)> = vec![
        (media, alloc::boxed::Box::new(move |b| b[init + 60] ^= 1), &[Wrong::Head, Wrong::Promised], 12 - 3),
        (
            media,
            alloc::boxed::Box::new(move |b| b.clone_from(&other)),
            &[Wrong::Head, Wrong::Promised],
            12 - 3,
        ),
        (
            media,
            alloc::boxed::Box::new(move |b| b[first + 200] ^= 1),
            &[Wrong::Hole, Wrong::Mfra, Wrong::Sidx, Wrong::Promised],
            11,
        ),
        (
            media,
            alloc::boxed::Box::new(|b| b.truncate(b.len() - 300)),
            &[Wrong::Tail, Wrong::Sidx, Wrong::Promised],
            11,
        ),
        (media, alloc::boxed::Box::new(|b| b.truncate(b.len() - 1)), &[Wrong::Tail], 12),
        (media, alloc::boxed::Box::new(|b| *b.last_mut().unwrap() ^= 1), &[Wrong::Mfra], 12),
        (media, alloc::boxed::Box::new(move |b| b[first - 2_000] ^= 1), &[Wrong::Sidx], 12),
        (media, alloc::boxed::Box::new(|b| b.extend([0; 999])), &[Wrong::Tail], 12),
        (index, alloc::boxed::Box::new(|b| b.clear()), &[Wrong::Unindexed], 12),
        (index, alloc::boxed::Box::new(|b| b[4_096 + 500] ^= 1), &[Wrong::Unindexed], 12),
        (index, alloc::boxed::Box::new(|b| b.extend([0; 46])), &[Wrong::Index], 12),
        (index, alloc::boxed::Box::new(|b| b.truncate(b.len() - 46)), &[Wrong::Unindexed], 12),
        ("vannes/port-1/2026-11-22.gap", alloc::boxed::Box::new(|b| b.extend([7; 80])), &[Wrong::GapLog], 12),
    ];
    for (n, (path, how, found, left)) in cases.into_iter().enumerate() {
        let (disk, kinds_found) = damaged(path, how);
        assert_eq!(kinds_found, found, "case {n}");
        repair(&disk);
        let after = kinds(&disk);
        // A file whose head is gone stays, put aside where no index names it.
        assert!(after.iter().all(|what| matches!(what, Wrong::Head | Wrong::Stray)), "case {n}: {after:?}");
        assert_eq!(stored(&mut disk.clone()).len(), left, "case {n}");
        assert!(after.contains(&Wrong::Head) || verify(&mut disk.clone(), &source()).unwrap().is_whole());
    }
}

#[test]
fn names_that_are_missing_or_belong_to_nothing_are_told() {
    let disk = scene();
    for path in disk.paths() {
        let disk = scene();
        disk.clone().remove(&path).unwrap();
        let found = kinds(&disk);
        let expected: &[Wrong] = match &path {
            p if p.ends_with("_end") => &[Wrong::End],
            p if p.ends_with(".gix") => &[Wrong::NoIndex],
            p if p.ends_with(".m4v") => &[Wrong::Promised],
            // Without its log a gap has no cause, and nothing is wrong.
            _ => &[],
        };
        assert!(
            found.iter().any(|what| expected.contains(what)) || expected.is_empty() && found.is_empty(),
            "{path}: {found:?}"
        );
        repair(&disk);
        assert!(kinds(&disk).is_empty(), "{path}");
    }
    disk.set_content("vannes/port-1/2026-11-22/05/notes.txt", b"mine");
    disk.set_content("vannes/port-1/2026-11-22.gix.new", b"half");
    let found = kinds(&disk);
    assert_eq!(found, [Wrong::Stray, Wrong::Stray]);
    assert!(found.iter().all(|what| what.is_note()));
    repair(&disk);
    assert_eq!(kinds(&disk), [Wrong::Stray], "what is another's is left alone");
}

#[test]
fn of_a_camera_that_is_being_recorded_only_damage_is_told() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START + 1_000_000, 10_000_000).unwrap();
    for _ in 0..11 {
        recording.record(1).unwrap();
        let mut findings = vec![];
        let mut check = DayCheck::new(&mut disk.clone(), source(), day(), true).unwrap();
        while check.step(&mut disk.clone(), &mut findings).unwrap() {}
        assert_eq!(findings, []);
    }
    drop(recording);
    disk.kill();
    assert!(!kinds(&disk).is_empty());
    drop(Writer::open(disk.clone(), source(), Options::default()).unwrap());
    assert!(kinds(&disk).is_empty());
}

#[test]
fn an_index_is_written_anew_only_where_it_is_another() {
    let disk = scene();
    let path = index_path(&source(), day());
    let index = disk.content(&path).unwrap();
    assert!(!check(&disk).1.write_index(&mut disk.clone()).unwrap());
    for bad in [&b""[..], b"GIX1", &index[..4_500]] {
        disk.set_content(&path, bad);
        assert!(check(&disk).1.write_index(&mut disk.clone()).unwrap());
        assert_eq!(disk.content(&path).unwrap(), index);
    }
    disk.clone().remove(&path).unwrap();
    assert!(check(&disk).1.write_index(&mut disk.clone()).unwrap());
    assert_eq!(disk.content(&path).unwrap(), index);
}
