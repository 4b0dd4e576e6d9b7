//! Disks that are slow: what waits is bounded, what is dropped is told; and cameras that share a disk.

use alloc::string::String;

use super::watched::Watched;
use super::*;
use crate::store::{Options, Source};

#[test]
fn a_disk_that_stalls_costs_whole_gops_and_a_gap_of_the_storage() {
    // 500 bytes a picture, 25 a second: room for about ten seconds. The disk does not answer for 30 s.
    let budget = Budget::new(1 << 20);
    let mut backlog = Backlog::new(25 * 10 * 640, budget.clone());
    let mut scene = Scene::new(&Memory::new(), Micros(0));
    let (mut dropped, mut most) = (0, 0);
    for second in 0..120_u64 {
        for n in 0..25 {
            let now = Micros(second * 1_000_000 + n * 40_000);
            let unit = scene.camera.picture(now);
            let sort = if unit.random_access.is_some() { Sort::Start } else { Sort::Continues };
            let bytes = unit.data.len();
            backlog.push(unit, bytes, sort);
            most = most.max(backlog.bytes());
        }
        if (40..70).contains(&second) {
            continue;
        }
        scene.now = Micros(second * 1_000_000 + 960_000);
        scene.recorder.clocks(scene.now, START.plus(scene.now.0 as i64));
        while let Some(next) = backlog.pop() {
            match next {
                Next::Item(unit) => scene.recorder.push(scene.now, unit).unwrap(),
                Next::Dropped(what) => {
                    dropped += what.pictures;
                    scene.recorder.interrupted(scene.now, Cause::Storage, 572).unwrap();
                }
            }
        }
    }
    assert_eq!((budget.used(), backlog.bytes()), (0, 0));
    assert!(most <= 25 * 10 * 640, "{most}");
    scene.recorder.finish(scene.now).unwrap();
    let listing = scene.listing();
    assert_eq!((dropped, dropped % 25), (backlog.dropped().pictures, 0), "whole GOPs");
    assert!((450..=550).contains(&dropped), "{dropped}");
    assert_eq!(samples(&listing), 120 * 25 - dropped);
    let [gap] = listing.gaps[..] else { panic!("{:?}", listing.gaps) };
    assert_eq!((gap.cause, gap.code), (Cause::Storage, 572));
    // The oldest went: the gap starts where the disk stalled.
    let from = (gap.span.from.0 - START.0) / 1_000_000;
    assert!((40..=42).contains(&from), "{from}");
    assert_eq!(gap.span.to.0 - gap.span.from.0, dropped as i64 * 40_000);
}

#[test]
fn all_sources_together_never_hold_more_than_the_budget() {
    let budget = Budget::new(10_000);
    let mut all: Vec<_> = (0..8).map(|_| Backlog::new(5_000, budget.clone())).collect();
    let mut state = 1_u64;
    let (mut kept, mut words) = (alloc::vec![0_u64; 8], 0);
    for n in 0..40_000_u64 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let source = (state % 8) as usize;
        let sort = match state >> 8 & 15 {
            0 => Sort::Word,
            1 => Sort::Beside,
            2..6 => Sort::Start,
            _ => Sort::Continues,
        };
        if state >> 20 & 3 == 0 {
            match all[source].pop() {
                Some(Next::Item((_, Sort::Start | Sort::Continues))) => kept[source] += 1,
                Some(Next::Item((_, Sort::Word))) => words -= 1,
                _ => {}
            }
        } else {
            words += i32::from(sort == Sort::Word);
            all[source].push((n, sort), (state >> 30 & 1_023) as usize, sort);
        }
        assert!(budget.used() <= 10_000);
        assert_eq!(budget.used(), all.iter().map(Backlog::bytes).sum::<usize>());
    }
    // In order, nothing continues what was dropped, and no word is lost.
    for backlog in &mut all {
        let (mut last, mut broken) = (0, false);
        while let Some(next) = backlog.pop() {
            match next {
                Next::Item((n, sort)) => {
                    assert!(n >= last);
                    last = n;
                    words -= i32::from(sort == Sort::Word);
                    assert!(!(broken && sort == Sort::Continues));
                    broken &= sort != Sort::Start;
                }
                Next::Dropped(_) => broken = true,
            }
        }
    }
    assert_eq!((words, budget.used()), (0, 0));
    assert!(kept.iter().all(|n| *n > 100), "{kept:?}");
}

#[test]
fn cameras_of_one_disk_sync_together_and_one_that_fails_fails_alone() {
    let disk = Memory::new();
    let watched = Watched::new(disk.clone());
    // When each sync of media and of an index came.
    let mut log = Vec::new();
    let mut recorders = Recorders::new(0);
    // One file for all the time, so that only the dial makes them sync.
    let files = crate::segment::Config { period: 3_600_000_000, stagger: 0 };
    let config = RecorderConfig::default().store(Options::default().rpo(10_000_000)).files(files);
    let sources: Vec<_> = (0..8).map(|n| Source::new("t", &alloc::format!("c{n}")).unwrap()).collect();
    for source in &sources {
        let (recorder, _) = Recorder::open(watched.clone(), *source, config, Micros(0), START).unwrap();
        assert!(recorders.add(recorder).is_none());
    }
    let sets = sets(Codec::H264);
    for n in 0..60 * 25_u32 {
        let now = Micros(u64::from(n) * 40_000);
        for (camera, source) in sources.iter().enumerate() {
            // GOPs of 2 s, at another moment for each.
            let gop = (n + camera as u32 * 6).is_multiple_of(50);
            let mut unit = unit(n, 500, gop.then_some(RandomAccess::Idr), &sets);
            (unit.timestamp, unit.received) = (n * 3_600, now);
            let recorder = recorders.recorder(source).unwrap();
            recorder.clocks(now, START.plus(now.0 as i64));
            recorder.push(now, unit).unwrap();
        }
        assert!(recorders.handle_timeout(now).is_empty());
        let kind = |path: String| (now.0, if path.ends_with(".m4v") { "media" } else { "index" });
        log.extend(watched.calls.borrow_mut().syncs.drain(..).map(kind));
    }
    let mut moments: Vec<u64> = log.iter().map(|(at, _)| *at).collect();
    moments.dedup();
    std::println!("8 cameras, dial 10 s, 60 s: {} syncs at {} moments", log.len(), moments.len());
    assert!(moments.len() <= 8, "{moments:?}");
    for moment in &moments {
        let kinds: Vec<_> = log.iter().filter(|(at, _)| at == moment).map(|(_, kind)| *kind).collect();
        assert_eq!(kinds, [["media"; 8], ["index"; 8]].concat(), "media of all, then indexes of all");
    }

    // Nothing that was synced is lost, and one that fails is alone in it.
    disk.fail_at(2, Kind::Io(5));
    let now = Micros(70_000_000);
    let failed = recorders.handle_timeout(now);
    assert_eq!(failed.len(), 1, "{failed:?}");
    let synced: Vec<u64> =
        sources.iter().map(|s| recorders.recorder(s).unwrap().stats().store.synced).collect();
    disk.power_cut(crate::store::Cut::Forget);
    for (source, synced) in sources.iter().zip(synced) {
        drop(crate::store::Writer::open(disk.clone(), *source, Options::default()).unwrap());
        let found = verify(&mut disk.clone(), source).unwrap();
        assert!(found.is_whole() && found.fragments >= synced, "{source}: {found:?}, {synced}");
        disk.kill();
    }
}

#[test]
fn what_all_hold_in_memory_is_bounded() {
    let disk = Memory::new();
    let mut recorders = Recorders::new(100_000);
    let config = RecorderConfig::default().store(Options::default().rpo(30_000_000).hold(1 << 20));
    let sources: Vec<_> = (0..4).map(|n| Source::new("t", &alloc::format!("c{n}")).unwrap()).collect();
    for source in &sources {
        recorders.add(Recorder::open(disk.clone(), *source, config, Micros(0), START).unwrap().0);
    }
    let (sets, mut most) = (sets(Codec::H264), 0);
    for n in 0..40 * 25_u32 {
        let now = Micros(u64::from(n) * 40_000);
        for source in &sources {
            let mut unit = unit(n, 500, n.is_multiple_of(25).then_some(RandomAccess::Idr), &sets);
            (unit.timestamp, unit.received) = (n * 3_600, now);
            recorders.recorder(source).unwrap().push(now, unit).unwrap();
        }
        assert!(recorders.handle_timeout(now).is_empty());
        most = most.max(recorders.iter().map(|recorder| recorder.held()).sum::<u64>());
    }
    assert!((20_000..=100_000).contains(&most), "{most}");
}
