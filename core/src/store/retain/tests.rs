//! Retention and holds on a disk in memory: what goes, what stays, and what a power cut at any write leaves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cuts;
mod forty_days;
mod recorder;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use self::recorder::Recorder;
use super::*;
use crate::fragment::MOOF_AT;
use crate::gix::{Day, Index, Span};
use crate::segment::{Config, Segmenter};
use crate::store::hold::{self, Release, Request};
use crate::store::journal::{Kind as J, Policy, Record, read};
use crate::store::testing::{Camera, DAY_START};
use crate::store::{
    Cause, Kind, Listing, Memory, Options, Volume, VolumeId, Writer, index_path, rebuild, verify,
};
use crate::store::{DayCheck, Wrong};
use crate::time::Micros;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
/// 05:00 of the first day.
const T0: i64 = DAY_START + 5 * HOUR;

fn source(camera: &str) -> Source {
    Source::new("vannes", camera).unwrap()
}

fn utc(seconds: i64) -> UtcMicros {
    UtcMicros(T0 + seconds * SECOND)
}

fn span(from: i64, to: i64) -> Span {
    Span::new(utc(from), utc(to))
}

/// A camera with spans of footage, each (start, seconds), and nobody recording it.
fn recorded(disk: &Memory, camera: &str, spans: &[(i64, u32)]) {
    let mut recorder = Recorder::open(disk, source(camera)).unwrap();
    for (at, seconds) in spans {
        recorder.burst(utc(*at), *seconds).unwrap();
    }
    disk.kill();
}

fn with_journal<T>(disk: &Memory, now: UtcMicros, what: impl FnOnce(&mut Journal, &mut Memory) -> T) -> T {
    let mut storage = disk.clone();
    let mut journal = Journal::open(&mut storage, source("a").tenant, now).unwrap();
    let done = what(&mut journal, &mut storage);
    journal.close(&mut storage);
    done
}

fn set_policy(disk: &Memory, now: UtcMicros, max_seconds: i64, accepted: bool) {
    let policy = Policy { default: Rule::new(Some(max_seconds * SECOND), None), ..Policy::default() };
    with_journal(disk, now, |journal, storage| {
        journal.set_policy(storage, now, (policy, accepted), 0, ("Le Goff", "statute")).unwrap();
    });
}

fn request(cameras: &[&str], span: Span) -> Request {
    Request {
        case: "2026-114".into(),
        cameras: cameras.iter().map(|camera| camera.parse().unwrap()).collect(),
        span,
        who: "Durand".into(),
        why: "requisition".into(),
    }
}

fn add_hold(disk: &Memory, now: UtcMicros, request: &Request) -> u64 {
    with_journal(disk, now, |journal, storage| hold::add(journal, storage, now, request)).unwrap()
}

fn run_at(disk: &Memory, camera: &str, now: UtcMicros) -> Outcome {
    run(&mut disk.clone(), &source(camera), Clock::new(now).trusted(true)).unwrap()
}

/// Bytes of the media of a camera.
fn media_bytes(disk: &Memory, camera: &str) -> u64 {
    let own = alloc::format!("vannes/{camera}/");
    let paths = disk.paths();
    let media = paths.iter().filter(|path| path.starts_with(&own) && path.ends_with(".m4v"));
    media.map(|path| disk.content(path).unwrap().len() as u64).sum()
}

/// Seconds, from the first day's 05:00 on, of which there is a fragment, by the rebuilt index; which is the one that is there.
fn seconds(disk: &Memory, camera: &str) -> Vec<i64> {
    let (mut storage, source) = (disk.clone(), source(camera));
    let mut out = vec![];
    for day in days(&mut storage, &source).unwrap() {
        let made = rebuild(&mut storage, &source, day).unwrap();
        let there = disk.content(&index_path(&source, day)).unwrap_or_default();
        assert!(there == made, "{day}: the index is that of the media");
        if let Ok((index, _)) = Index::read(&made, day) {
            out.extend(index.entries().iter().map(|entry| (entry.mark.utc.0 - T0) / SECOND));
        }
    }
    assert!(verify(&mut storage, &source).unwrap().is_whole());
    // And nothing that a check of every byte finds, but for an entry that a power cut has torn: the next one takes its place.
    let mut findings = vec![];
    for day in days(&mut storage, &source).unwrap() {
        let mut check = DayCheck::new(&mut storage, source, day, false).unwrap();
        while check.step(&mut storage, &mut findings).unwrap() {}
    }
    findings.retain(|finding| finding.what != Wrong::GapTail);
    assert!(findings.is_empty(), "{findings:?}");
    out
}

#[test]
fn what_is_expired_goes_by_the_first_picture_of_its_file_and_the_tombstone_has_every_byte() {
    let disk = Memory::new();
    recorded(&disk, "a", &[(0, 10), (3_600, 10), (90_000, 10)]);
    set_policy(&disk, utc(0), 3_602, true);
    assert!(run_at(&disk, "a", utc(3_601)).deleted.is_empty(), "a second too early");
    let before = media_bytes(&disk, "a");
    let outcome = run_at(&disk, "a", utc(3_606));
    // Files start at 0, 4 and 8 s; two are expired.
    assert_eq!(
        seconds(&disk, "a"),
        [8, 9].into_iter().chain(3_600..3_610).chain(90_000..90_010).collect::<Vec<_>>()
    );
    let [deleted] = &outcome.deleted[..] else { panic!("{outcome:?}") };
    assert_eq!((deleted.files, deleted.trimmed, deleted.bytes), (2, 0, before - media_bytes(&disk, "a")));
    assert_eq!((deleted.from, deleted.to, deleted.rule.as_str()), (utc(0), utc(8), "max_age 3602s"));
    run_at(&disk, "a", utc(90_000));
    assert_eq!(seconds(&disk, "a"), (90_000..90_010).collect::<Vec<_>>());
    let day = alloc::format!("vannes/a/{}", Day::of(utc(0)));
    assert!(!disk.paths().iter().any(|path| path.starts_with(&day)), "{:?}", disk.paths());
    assert_eq!(disk.clone().list(&day).unwrap_err().kind, Kind::NotFound, "its folder, too");
    let gone = run_at(&disk, "a", utc(900_000)).deleted;
    assert_eq!(gone.iter().map(|d| d.files).sum::<u64>(), 3);
    assert!(disk.paths().iter().all(|path| !path.starts_with("vannes/a/")), "{:?}", disk.paths());
    assert!(run_at(&disk, "a", utc(990_000)).deleted.is_empty(), "nothing to do, nothing written");
}

#[test]
fn a_hold_keeps_whole_fragments_and_what_is_around_them_goes_on_time() {
    let disk = Memory::new();
    recorded(&disk, "a", &[(0, 30)]);
    recorded(&disk, "a-audio", &[(0, 30)]);
    recorded(&disk, "b", &[(0, 30)]);
    set_policy(&disk, utc(0), 3_600, true);
    let first =
        add_hold(&disk, utc(40), &request(&["a"], Span::new(utc(6).plus(500_000), utc(9).plus(500_000))));
    add_hold(&disk, utc(40), &request(&["a"], span(14, 15)));
    add_hold(&disk, utc(40), &request(&["a"], span(8, 11)));
    let originals: Vec<Vec<u8>> = fragments(&disk, "a");
    for camera in ["a", "a-audio"] {
        let before = media_bytes(&disk, camera);
        let outcome = run_at(&disk, camera, utc(5_000));
        // By a millisecond that its UTC may be off, the fragment before 8 and that after 11 s, and so on.
        let held = [6, 7, 8, 9, 10, 11, 13, 14, 15];
        assert_eq!(seconds(&disk, camera), held);
        assert_eq!(outcome.deleted[0].bytes, before - media_bytes(&disk, camera));
        assert_eq!((outcome.deleted[0].trimmed, outcome.deleted[0].files), (2, 5), "one is held as it is");
        assert!(run_at(&disk, camera, utc(6_000)).deleted.is_empty(), "nothing more to do");
        let kept: Vec<Vec<u8>> = held.iter().map(|second| originals[*second as usize].clone()).collect();
        assert_eq!(fragments(&disk, "a"), kept, "byte for byte");
        assert_eq!(plan_at(&disk, camera, 6_000).held(), media_bytes(&disk, camera));
    }
    run_at(&disk, "b", utc(5_000));
    assert_eq!(media_bytes(&disk, "b"), 0);
    let listing = Listing::load(&mut disk.clone(), &source("a"), Span::ALL).unwrap();
    assert_eq!(listing.ranges, [span(6, 12), span(13, 16)], "found as any other footage");
    assert_eq!(
        listing.gaps.iter().map(|gap| (gap.span, gap.cause)).collect::<Vec<_>>()[..1],
        [(span(12, 13), Cause::Retention)]
    );
    // Recording goes on in the same day, and recovery finds nothing to mend.
    recorded(&disk, "a", &[(5_100, 6)]);
    assert_eq!(seconds(&disk, "a").len(), 9 + 6);
    with_journal(&disk, utc(7_000), |journal, storage| {
        assert_eq!(
            hold::release(journal, storage, utc(7_000), first, ("Durand", "closed")),
            Ok(Release::Released)
        );
    });
    run_at(&disk, "a", utc(7_000));
    assert_eq!(
        seconds(&disk, "a"),
        [7, 8, 9, 10, 11, 13, 14, 15].into_iter().chain(5_100..5_106).collect::<Vec<_>>()
    );
}

/// The fragments of a camera, byte for byte, by time.
fn fragments(disk: &Memory, camera: &str) -> Vec<Vec<u8>> {
    let (mut storage, source) = (disk.clone(), source(camera));
    let mut out = vec![];
    for day in days(&mut storage, &source).unwrap() {
        let Some(bytes) = disk.content(&index_path(&source, day)) else { continue };
        let (index, _) = Index::read(&bytes, day).unwrap();
        for entry in index.entries() {
            let path = alloc::format!("{source}/{}", index.file_of(entry).unwrap().key);
            let whole = disk.content(&path).unwrap();
            out.push(whole[entry.offset as usize..entry.end() as usize].to_vec());
        }
    }
    out
}

fn plan_at(disk: &Memory, camera: &str, second: i64) -> Plan {
    plan(&mut disk.clone(), &source(camera), None, Clock::new(utc(second)).trusted(true)).unwrap()
}

#[test]
fn held_is_back_to_where_decoding_starts() {
    let disk = Memory::new();
    let mut recorder = Recorder::open(&disk, source("a")).unwrap();
    recorder.begin(utc(0));
    for second in 0..8 {
        // A group of pictures of three seconds, in parts of one.
        let mut fragment = recorder.camera.fragment();
        if second % 3 != 0 {
            fragment.flags.random_access = false;
            let mut head = fragment.head.to_vec();
            head[27] &= !1;
            head[27] |= 2;
            fragment.head = head.into();
        }
        recorder.segmenter.push(fragment);
        recorder.apply().unwrap();
    }
    recorder.finish().unwrap();
    disk.kill();
    set_policy(&disk, utc(0), 3_600, true);
    add_hold(&disk, utc(40), &request(&["a"], Span::new(utc(5).plus(400_000), utc(5).plus(500_000))));
    run_at(&disk, "a", utc(5_000));
    assert_eq!(seconds(&disk, "a"), [3, 4, 5]);
}

#[test]
fn what_is_open_is_left_alone_and_the_writer_goes_on_with_the_new_index() {
    let disk = Memory::new();
    let mut recorder = Recorder::open(&disk, source("a")).unwrap();
    set_policy(&disk, utc(0), 10, true);
    recorder.burst(utc(0), 9).unwrap();
    recorder.begin(utc(20));
    recorder.run(3).unwrap();
    let clock = |second| Clock::new(utc(second)).trusted(true);
    let outcome = recorder.writer.retain(clock(1_000)).unwrap();
    assert_eq!(outcome.deleted[0].files, 3);
    assert_eq!(run(&mut disk.clone(), &source("a"), clock(1_000)).unwrap_err().kind, J::Store(Kind::Locked));
    recorder.run(3).unwrap();
    // 24 s is where the first file ended.
    assert_eq!(recorder.writer.retain(clock(1_001)).unwrap().deleted[0].files, 1);
    recorder.run(1).unwrap();
    recorder.finish().unwrap();
    assert_eq!(seconds(&disk, "a"), [24, 25, 26]);
    assert_eq!(recorder.writer.retain(clock(1_002)).unwrap().deleted[0].files, 1);
    recorder.burst(utc(1_100), 5).unwrap();
    assert_eq!(seconds(&disk, "a"), (1_100..1_105).collect::<Vec<_>>());
    disk.kill();
    let (_, found) = Writer::open(disk.clone(), source("a"), Options::default()).unwrap();
    assert_eq!((found.fragments, found.rebuilt, found.cut), (0, 0, 0), "nothing to mend");
}

#[test]
fn a_change_that_would_delete_much_waits_for_a_word_and_one_that_does_not_goes_on() {
    let disk = Memory::new();
    let day = 86_400;
    recorded(&disk, "a", &(0..20).map(|n| (n * day, 8)).collect::<Vec<_>>());
    set_policy(&disk, utc(0), 30 * day, true);
    let now = utc(20 * day + 10);
    set_policy(&disk, now, 18 * day, false);
    let planned = plan_at(&disk, "a", 20 * day + 10);
    assert_eq!((planned.brake, planned.files), (Some(Brake::Change), 6), "three days: 0, 1 and 2");
    for _ in 0..2 {
        let braked = run_at(&disk, "a", now);
        assert_eq!((braked.brake, braked.deleted.len()), (Some(Brake::Change), 0));
    }
    assert_eq!(seconds(&disk, "a").len(), 160);
    let mut told = 0;
    let state = read(&mut disk.clone(), source("a").tenant, |line| {
        told += u32::from(matches!(line.record, Record::Braked { brake: Brake::Change, files: 6, .. }));
    });
    assert_eq!((told, state.unwrap().damage.len()), (1, 0), "told once");
    with_journal(&disk, now, |journal, storage| journal.confirm(storage, now, ("Le Goff", "yes")).unwrap());
    assert_eq!(run_at(&disk, "a", now).deleted[0].files, 6);
    // Weeks switched off under the same rule are no change.
    assert_eq!(run_at(&disk, "a", utc(35 * day + 10)).deleted[0].files, 30);
    // One day more of what is left is a part of it that matters; less than a fifth of much is not.
    recorded(&disk, "b", &(0..24).map(|n| (n * 3_600, 8)).collect::<Vec<_>>());
    set_policy(&disk, now, 3 * day, true);
    set_policy(&disk, now, 3 * day - 2 * 3_600, false);
    assert_eq!(run_at(&disk, "b", utc(3 * day + 10)).deleted[0].files, 6, "0, 1 and 2 h");
    set_policy(&disk, now, 3 * day - 12 * 3_600, false);
    assert_eq!(run_at(&disk, "b", utc(3 * day + 10)).brake, Some(Brake::Change), "ten of 21 hours");
}

#[test]
fn a_clock_that_leaps_deletes_nothing_and_one_that_steps_back_deletes_nothing_early() {
    let disk = Memory::new();
    recorded(&disk, "a", &[(0, 8), (50, 8)]);
    set_policy(&disk, utc(0), 86_400, true);
    let mut storage = disk.clone();
    let mut at = |clock: Clock| run(&mut storage, &source("a"), clock).unwrap();
    let (month, hour) = (30 * 86_400, 3_600);
    let leapt = at(Clock::new(utc(month)).trusted(true).last(Some(utc(hour))));
    assert_eq!((leapt.brake, leapt.deleted.len()), (Some(Brake::Clock), 0));
    assert_eq!(
        at(Clock::new(utc(month))).brake,
        Some(Brake::Clock),
        "after a long time, not known to be right"
    );
    // Nor when it has recorded by that clock since.
    recorded(&disk, "a", &[(month, 4)]);
    assert_eq!(at(Clock::new(utc(month + 60))).brake, Some(Brake::Clock));
    assert_eq!(at(Clock::new(utc(-month)).trusted(true)), Outcome::default());
    assert_eq!(at(Clock::new(utc(hour)).last(Some(utc(0)))), Outcome::default());
    // Some more than a day after the newest footage, with hourly passes: as it should be.
    let day = at(Clock::new(utc(86_400 + 10)).last(Some(utc(86_400 - hour))));
    assert_eq!(day.deleted[0].files, 2);
    with_journal(&disk, utc(month), |journal, storage| {
        journal.confirm(storage, utc(month), ("Le Goff", "the clock is right")).unwrap()
    });
    assert_eq!(at(Clock::new(utc(month)).last(Some(utc(hour)))).deleted[0].files, 3);
    assert_eq!(seconds(&disk, "a"), (month..month + 4).collect::<Vec<_>>());
}

#[test]
fn a_damaged_journal_stops_deletion_until_somebody_confirms() {
    let disk = Memory::new();
    recorded(&disk, "a", &[(0, 8)]);
    set_policy(&disk, utc(0), 3_600, true);
    let held = add_hold(&disk, utc(10), &request(&["a"], span(0, 3)));
    set_policy(&disk, utc(20), 3_600, true);
    let path = "vannes/journal-000001.jsonl";
    let mut bytes = disk.content(path).unwrap();
    let at = bytes.windows(10).position(|w| w == b"hold-added").unwrap();
    bytes[at] ^= 1;
    disk.set_content(path, &bytes);
    assert_eq!(run_at(&disk, "a", utc(5_000)).brake, Some(Brake::Journal));
    assert_eq!(seconds(&disk, "a").len(), 8);
    with_journal(&disk, utc(5_000), |journal, storage| {
        assert!(!journal.state().holds.contains_key(&held));
        journal.confirm(storage, utc(5_000), ("Le Goff", "hold 2 was for nothing")).unwrap();
    });
    assert_eq!(run_at(&disk, "a", utc(5_000)).deleted[0].files, 2);
}

#[test]
fn a_damaged_held_fragment_keeps_its_file_whole_and_a_full_disk_keeps_what_is_held() {
    let disk = Memory::new();
    recorded(&disk, "a", &[(0, 12)]);
    set_policy(&disk, utc(0), 3_600, true);
    add_hold(&disk, utc(10), &request(&["a"], Span::new(utc(5), utc(5).plus(500_000))));
    let path =
        disk.paths().into_iter().find(|path| path.contains("/00-04.") && path.ends_with("m4v")).unwrap();
    let whole = disk.content(&path).unwrap();
    // No room for the copy: the file stays, the others go.
    let used: usize = disk.paths().iter().map(|p| disk.content(p).unwrap().len()).sum();
    let others: usize = disk
        .paths()
        .iter()
        .filter(|p| p.ends_with("m4v") && **p != path)
        .map(|p| disk.content(p).unwrap().len())
        .sum();
    disk.set_capacity(Some(used - others + 2_000));
    let failed = run(&mut disk.clone(), &source("a"), Clock::new(utc(5_000)).trusted(true)).unwrap_err();
    assert_eq!(failed.kind, J::Store(Kind::Full));
    assert_eq!(disk.content(&path), Some(whole.clone()));
    disk.set_capacity(None);
    let mut bad = whole.clone();
    let at = bad.len() - 400;
    assert!(at > MOOF_AT);
    // Of the first fragment of the file, which is not held; then of the one that is.
    let second = whole.windows(16).enumerate().filter(|(_, w)| *w == b"vigie-fragment-1").nth(1).unwrap().0;
    bad[second + 200] ^= 1;
    disk.set_content(&path, &bad);
    let outcome = run_at(&disk, "a", utc(6_000));
    assert_eq!(outcome.damaged, 1);
    assert_eq!(disk.content(&path), Some(bad));
    disk.set_content(&path, &whole);
    assert_eq!(run_at(&disk, "a", utc(7_000)).damaged, 0);
    assert_eq!(seconds(&disk, "a"), [4, 5]);
}

#[test]
fn what_recovery_put_aside_and_logs_of_silent_days_go_too() {
    let disk = Memory::new();
    recorded(&disk, "a", &[(0, 4), (3 * 86_400, 4)]);
    let torn = "vannes/a/2026-11-22/07/00-00.000000Z.0.m4v.torn";
    disk.set_content(torn, b"torn");
    disk.set_content("vannes/a/2026-11-22/07/00-00.000000Z.3.m4v.trim", b"half");
    disk.set_content("vannes/a/2026-11-22/notes.txt", b"not ours");
    let mut recorder = Recorder::open(&disk, source("a")).unwrap();
    recorder.writer.gap(utc(86_400), true, Cause::Network, 700);
    disk.kill();
    set_policy(&disk, utc(0), 86_400, true);
    let outcome = run_at(&disk, "a", utc(3 * 86_400));
    assert_eq!((outcome.deleted[0].files, outcome.deleted[0].index_bytes > 40), (2, true));
    let left = disk.paths();
    assert!(left.iter().all(|p| !p.contains("2026-11-23")), "{left:?}");
    let old: Vec<&String> = left.iter().filter(|p| p.contains("2026-11-22")).collect();
    assert_eq!(old, ["vannes/a/2026-11-22/notes.txt"]);
}

#[test]
fn a_foreign_or_absent_volume_loses_nothing_and_a_full_one_is_written_in_the_room_of_its_reserve() {
    let disk = Memory::new();
    let mut volume = Volume::create(disk.clone(), VolumeId([7; 16]), 20_000).unwrap();
    recorded(&disk, "a", &[(0, 12), (4_000, 4)]);
    set_policy(&disk, utc(0), 3_600, true);
    add_hold(&disk, utc(10), &request(&["a"], span(4, 8)));
    let clock = Clock::new(utc(7_000)).trusted(true);
    let (paths, own) = (disk.paths(), disk.content(".vigie-volume").unwrap());
    let other = Memory::new();
    Volume::create(other.clone(), VolumeId([8; 16]), 0).unwrap();
    disk.set_content(".vigie-volume", &other.content(".vigie-volume").unwrap());
    let refused = run(&mut volume, &source("a"), clock).unwrap_err();
    assert_eq!(refused.kind, J::Store(Kind::ForeignVolume));
    disk.clone().remove(".vigie-volume").unwrap();
    assert_eq!(run(&mut volume, &source("a"), clock).unwrap_err().kind, J::Store(Kind::NoVolume));
    disk.set_content(".vigie-volume", &own);
    assert_eq!(disk.paths(), paths);
    // Not a byte is free, but for the reserve.
    let used: usize = disk.paths().iter().map(|p| disk.content(p).unwrap().len()).sum();
    disk.set_capacity(Some(used));
    let outcome = run(&mut volume, &source("a"), clock).unwrap();
    assert_eq!(outcome.deleted[0].trimmed, 2, "the fragments before and after, by a millisecond");
    disk.set_capacity(None);
    assert_eq!(seconds(&disk, "a"), (3..9).chain(4_000..4_004).collect::<Vec<_>>());
}

/// Of a camera that has been there for long only the days at the limit are looked at.
#[test]
fn what_is_looked_at_does_not_grow_with_what_is_kept() {
    const DAY: i64 = 86_400;
    let read = |days: i64| {
        let disk = Memory::new();
        let spans: Vec<(i64, u32)> = (0..days).map(|day| (day * DAY, 300)).collect();
        recorded(&disk, "a", &spans);
        let now = utc(days * DAY);
        set_policy(&disk, now, days * DAY - 100, true);
        let index = disk.content(&index_path(&source("a"), Day::of(utc(0)))).unwrap().len() as u64;
        let before = disk.bytes_read();
        let clock = Clock::new(now).trusted(true);
        let plan = plan(&mut disk.clone(), &source("a"), None, clock).unwrap();
        let looked = disk.bytes_read() - before;
        assert_eq!(plan.files, 26, "{days}");
        let outcome = run_at(&disk, "a", now);
        assert_eq!(outcome.deleted[0].files, 26, "{days}");
        (looked, disk.bytes_read() - before, index)
    };
    let (few, many) = (read(2), read(9));
    assert!(few.0.abs_diff(many.0) < 200 && few.1.abs_diff(many.1) < 1_000, "{few:?} {many:?}");
    assert!(few.0 < few.2 + 4_096, "{few:?}");
}
