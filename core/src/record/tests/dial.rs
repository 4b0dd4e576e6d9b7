//! The dial (what a power cut may cost), clocks that are set or not set, and recovery that runs behind.

use super::watched::Watched;
use super::*;
use crate::gix::Index;
use crate::segment::Config as Files;
use crate::store::{Cut, Options, Storage, days, index_path};

/// The pictures of a day that a power cut at this moment leaves.
fn left_by_a_cut(disk: &Memory) -> u64 {
    disk.power_cut(Cut::Forget);
    drop(crate::store::Writer::open(disk.clone(), source(), Options::default()).unwrap());
    disk.kill();
    assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole());
    samples(&Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap())
}

/// Records with the dial at `rpo` seconds and an IDR picture each `gop` seconds; gives the most that a cut may cost then, in
/// pictures, at any of the moments tried.
fn worst(rpo: u64, gop: u32, hold: u64) -> u64 {
    let mut worst = 0;
    for moment in [40_u32, 49, 51, 99, 101, 249, 251, 260, 303, 380, 499, 511, 760, 1_020] {
        let disk = Memory::new();
        let config = RecorderConfig::default().store(Options::default().rpo(rpo * 1_000_000).hold(hold));
        let (mut recorder, _) = Recorder::open(disk.clone(), source(), config, Micros(0), START).unwrap();
        let sets = sets(Codec::H264);
        for n in 0..moment {
            let now = Micros(u64::from(n) * 40_000);
            recorder.clocks(now, START.plus(now.0 as i64));
            recorder.handle_timeout(now).unwrap();
            let random_access = n.is_multiple_of(gop * 25).then_some(RandomAccess::Idr);
            let mut unit = unit(n, 500, random_access, &sets);
            (unit.timestamp, unit.received) = (n * 3_600, now);
            recorder.push(now, unit).unwrap();
        }
        drop(recorder);
        worst = worst.max(u64::from(moment) - left_by_a_cut(&disk));
    }
    worst
}

#[test]
fn a_power_cut_costs_no_more_than_the_dial_allows_whatever_the_length_of_a_gop() {
    // Besides what the dial says: pictures that may have to be put in order with those to come (4 at most here), and the one
    // that a GOP or part ends with.
    for (rpo, gop) in [(2, 1), (2, 2), (2, 240), (5, 2), (10, 2), (10, 600), (30, 2), (30, 240)] {
        let cost = worst(rpo, gop, 0);
        assert!(cost <= rpo * 25 + 6, "dial {rpo} s, GOP {gop} s: {cost} pictures");
        // It does not sync more often than it must (in 40 s a file ends once, and is synced then).
        assert!(rpo > 10 || cost + 50 >= rpo * 25, "dial {rpo} s, GOP {gop} s: only {cost} pictures");
    }
    // Held in memory instead of written: the same.
    assert!(worst(10, 2, 64 << 20) <= 256);
}

/// Two minutes at 4 Mb/s, GOPs of 2 s: what the storage is asked to do.
fn two_minutes(options: Options) -> (u64, u64, f64) {
    let disk = Watched::new(Memory::new());
    let config = RecorderConfig::default().store(options);
    let sets = sets(Codec::H264);
    let mut media = 0;
    {
        let (mut recorder, _) = Recorder::open(disk.clone(), source(), config, Micros(0), START).unwrap();
        for n in 0..120 * 25 {
            let now = Micros(u64::from(n) * 40_000);
            recorder.clocks(now, START.plus(now.0 as i64));
            let mut unit = unit(n, 20_000, n.is_multiple_of(50).then_some(RandomAccess::Idr), &sets);
            (unit.timestamp, unit.received) = (n * 3_600, now);
            media += unit.data.len() as u64;
            recorder.push(now, unit).unwrap();
            recorder.handle_timeout(now).unwrap();
        }
        recorder.finish(Micros(120_000_000)).unwrap();
    }
    let calls = disk.calls.borrow();
    (calls.appends, calls.syncs.len() as u64, calls.bytes as f64 / media as f64)
}

#[test]
fn one_write_a_gop_and_a_hundredth_more_than_the_media_at_most() {
    let (appends, syncs, amplification) = two_minutes(Options::default());
    std::println!(
        "dial 2 s: {appends} writes, {syncs} syncs, {amplification:.4} bytes written per byte of media"
    );
    assert!(amplification <= 1.01, "{amplification}");
    // 60 GOPs, as many index appends, for each of three files its head and its end, the gap log at the end.
    assert!(appends <= 60 * 2 + 3 * 2 + 1, "{appends}");
    let (appends, syncs_10, amplification) = two_minutes(Options::default().rpo(10_000_000).hold(64 << 20));
    std::println!("dial 10 s, held: {appends} writes, {syncs_10} syncs, {amplification:.4}");
    assert!(amplification <= 1.01, "{amplification}");
    assert!(appends <= 15 * 2 + 3 * 2 + 2 && syncs_10 * 3 < syncs, "{appends} writes, {syncs_10} syncs");
}

#[test]
fn files_of_400_cameras_do_not_begin_in_the_same_second() {
    let mut begin = [0; 60];
    for camera in 0..400 {
        let stagger = Files::staggered(&alloc::format!("camera-{camera}")).stagger;
        begin[(stagger / 1_000_000) as usize] += 1;
    }
    let most = begin.iter().max().unwrap();
    std::println!("of 400 cameras, {most} at most begin a file in the same second of the minute");
    assert!(*most <= 20, "{begin:?}");
}

#[test]
fn recording_starts_at_once_where_a_day_has_to_be_read_anew() {
    let disk = Memory::new();
    let mut scene = Scene::new(&disk, Micros(0));
    scene.record(25 * 600).unwrap();
    disk.kill();
    let day = days(&mut disk.clone(), &source()).unwrap()[0];
    let index = disk.content(&index_path(&source(), day)).unwrap();
    disk.clone().remove(&index_path(&source(), day)).unwrap();
    let media: usize =
        disk.paths().iter().filter(|p| p.ends_with(".m4v")).map(|p| disk.content(p).unwrap().len()).sum();

    let read = disk.bytes_read();
    let config = RecorderConfig::default().store(Options::default().at_once(0));
    let (recorder, _) =
        Recorder::open(disk.clone(), source(), config, Micros(0), START.plus(700_000_000)).unwrap();
    let mut scene = Scene {
        disk: disk.clone(),
        camera: Camera { sets: sets(Codec::H264), next: 0 },
        recorder,
        now: Micros(0),
        utc: START.plus(700_000_000),
    };
    scene.record(60).unwrap();
    assert!(scene.recorder.stats().store.synced > 0, "synced before anything was made whole");
    let before = disk.bytes_read() - read;
    assert!(
        before * 4 < media as u64 && scene.recorder.is_behind(),
        "{before} of {media} bytes read before the first sync"
    );
    assert!(disk.content(&index_path(&source(), day)).is_none());
    // Nothing of what is synced in the meantime is lost by a cut.
    let copy = disk.copy();
    let kept = left_by_a_cut(&copy);
    assert!(kept >= 25 * 600 - 50 + 25, "{kept}");

    while scene.recorder.catch_up().unwrap() {}
    scene.record(100).unwrap();
    scene.recorder.finish(scene.now).unwrap();
    let there = disk.content(&index_path(&source(), day)).unwrap();
    assert!(there.starts_with(&index[..index.len() / 2]) && there.len() > index.len());
    assert_eq!(Index::read(&there, day).unwrap().1, None);
    assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole());
    assert_eq!(scene.listing().ranges.len(), 2);
}

/// A camera that says no time of its own, on a host whose clock is `START` plus what `set` says for each picture.
fn host_clock(set: impl Fn(u32) -> i64) -> (Listing, Memory) {
    let disk = Memory::new();
    let utc = |n: u32| UtcMicros(set(n)).plus(i64::from(n) * 40_000);
    let (mut recorder, _) =
        Recorder::open(disk.clone(), source(), RecorderConfig::default(), Micros(0), utc(0)).unwrap();
    let sets = sets(Codec::H264);
    for n in 0..1_000 {
        let now = Micros(u64::from(n) * 40_000);
        recorder.clocks(now, utc(n));
        let mut unit = unit(n, 500, n.is_multiple_of(25).then_some(RandomAccess::Idr), &sets);
        (unit.timestamp, unit.received) = (n * 3_600, now);
        recorder.push(now, unit).unwrap();
        recorder.handle_timeout(now).unwrap();
    }
    recorder.finish(Micros(40_000_000)).unwrap();
    assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole());
    (Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap(), disk)
}

const DAY: i64 = 86_400_000_000;

#[test]
fn a_clock_set_a_day_forward_is_a_gap_of_the_clock_and_nothing_covers_it() {
    let (listing, _) = host_clock(|n| START.0 + if n > 510 { DAY } else { 0 });
    assert_eq!(samples(&listing), 1_000);
    assert_eq!(
        listing.ranges,
        [
            Span::new(START, START.plus(21_000_000)),
            Span::new(START.plus(DAY + 21_000_000), START.plus(DAY + 40_000_000)),
        ]
    );
    let gaps: Vec<_> = listing.gaps.iter().map(|gap| (gap.cause, gap.span.from)).collect();
    assert_eq!(gaps, [(Cause::Clock, START.plus(21_000_000))]);
}

#[test]
fn a_clock_set_a_day_back_writes_over_nothing() {
    let (listing, _) = host_clock(|n| START.0 - if n > 510 { DAY } else { 0 });
    assert_eq!(samples(&listing), 1_000);
    assert_eq!(
        listing.ranges,
        [
            Span::new(START.plus(21_000_000 - DAY), START.plus(40_000_000 - DAY)),
            Span::new(START, START.plus(21_000_000)),
        ]
    );
}

#[test]
fn what_is_recorded_before_the_clock_is_set_is_kept_and_marked_as_of_unknown_time() {
    let (listing, disk) = host_clock(|n| if n > 510 { START.0 } else { 7_000_000 });
    assert_eq!(samples(&listing), 1_000);
    let days = days(&mut disk.clone(), &source()).unwrap();
    assert_eq!(
        days.iter().map(|day| alloc::format!("{day}")).collect::<Vec<_>>(),
        ["1970-01-01", "2026-11-22"]
    );
    for (day, error) in days.iter().zip([65_535_000, 1_000_000]) {
        let index = disk.content(&index_path(&source(), *day)).unwrap();
        let (index, _) = Index::read(&index, *day).unwrap();
        assert!(index.entries().iter().all(|entry| entry.mark.error == error), "{day}");
    }
    let [gap] = listing.gaps[..] else { panic!("{:?}", listing.gaps) };
    assert_eq!((gap.cause, gap.span.to), (Cause::Clock, START.plus(21_000_000)));
    // From today alone it is seen since when the recorder ran by the wrong time.
    let today = Listing::load(
        &mut disk.clone(),
        &source(),
        Span::new(START.plus(-60_000_000), START.plus(60_000_000)),
    )
    .unwrap();
    let causes: Vec<_> = today.gaps.iter().map(|gap| gap.cause).collect();
    assert_eq!(causes.first(), Some(&Cause::Clock), "{:?}", today.gaps);
}
