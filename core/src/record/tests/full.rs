//! Disks that are full, absent, or not the one that belongs there.

use super::*;
use crate::store::{Placement, Reason, Volume, VolumeId};

const ID: VolumeId = VolumeId([7; 16]);
const RESERVE: u64 = 256 << 10;

fn used(disk: &Memory) -> usize {
    disk.paths().iter().map(|p| disk.content(p).unwrap().len()).sum()
}

fn scene(disk: &Memory) -> Scene<Volume<Memory>> {
    Scene::on(disk, Volume::create(disk.clone(), ID, RESERVE).unwrap(), Micros(0))
}

#[test]
fn a_disk_full_for_an_hour_costs_that_hour_and_nothing_that_was_held() {
    let disk = Memory::new();
    let mut scene = scene(&disk);
    scene.record(25 * 60).unwrap();
    disk.set_capacity(Some(used(&disk) + 60_000));
    let mut told = 0;
    for _ in 0..3_600 {
        told += u32::from(scene.record(25).is_err());
    }
    // Told at each attempt: 1, 2, 4, … 30 s apart.
    assert!((100..200).contains(&told), "{told}");
    // What was open is closed in the reserve's room: nothing is left for a recovery, and the log says why.
    assert!(disk.content(".vigie-reserve").is_none());
    let copy = disk.copy();
    copy.power_cut(crate::store::Cut::Forget);
    let before = verify(&mut copy.clone(), &source()).unwrap();
    assert!(before.is_whole(), "{before:?}");
    let (_, found) = crate::store::Writer::open(copy, source(), crate::store::Options::default()).unwrap();
    assert_eq!(crate::store::Recovered { end: None, ..found }, crate::store::Recovered::default());
    let held: Vec<_> = disk.paths().into_iter().filter(|p| p.ends_with(".m4v")).collect();
    let held: Vec<_> = held.into_iter().map(|path| (disk.content(&path).unwrap(), path)).collect();

    disk.set_capacity(Some(used(&disk) + (1 << 20)));
    for _ in 0..60 {
        let _ = scene.record(25);
    }
    assert!(disk.content(".vigie-reserve").is_some(), "made again when there was room");
    scene.recorder.finish(scene.now).unwrap();
    let listing = scene.listing();
    let [gap] = listing.gaps[..] else { panic!("{:?}", listing.gaps) };
    assert_eq!((gap.cause, gap.code), (Cause::Storage, 552));
    let long = (gap.span.to.0 - gap.span.from.0) / 1_000_000;
    assert!((3_590..=3_640).contains(&long), "{long} s");
    assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole());
    for (bytes, path) in held {
        assert_eq!(disk.content(&path), Some(bytes), "{path}");
    }
}

#[test]
fn a_disk_that_fills_anywhere_closes_what_is_open() {
    // The room ends at every place of a few fragments.
    for room in (0..30_000).step_by(611) {
        let disk = Memory::new();
        let mut scene = scene(&disk);
        scene.record(25 * 5).unwrap();
        disk.set_capacity(Some(used(&disk) + room));
        for _ in 0..40 {
            let _ = scene.record(25);
        }
        assert!(!scene.recorder.writer().is_open());
        let found = verify(&mut disk.clone(), &source()).unwrap();
        assert!(found.is_whole(), "{room}: {found:?}");
        assert!(disk.paths().iter().any(|p| p.ends_with("_end")), "{room}");
        let log = disk.content("vannes/port-1/2026-11-22.gap").unwrap();
        let log = crate::store::GapEntry::read_all(&log);
        assert!(log.len() == 1 && log[0].begins && log[0].cause == Cause::Storage, "{room}: {log:?}");
    }
}

#[test]
fn another_camera_does_not_eat_the_room_that_closes_the_first() {
    let disk = Memory::new();
    let mut first = scene(&disk);
    let other = crate::store::Source::new("vannes", "port-2").unwrap();
    let volume = Volume::open(disk.clone(), Some(ID)).unwrap();
    let (recorder, _) = Recorder::open(volume, other, RecorderConfig::default(), Micros(0), START).unwrap();
    let camera = Camera { sets: sets(Codec::H264), next: 0 };
    let mut second = Scene { disk: disk.clone(), camera, recorder, now: Micros(0), utc: START };
    first.record(250).unwrap();
    second.record(250).unwrap();
    disk.set_capacity(Some(used(&disk) + 20_000));
    for _ in 0..60 {
        let _ = first.record(25);
        let _ = second.record(25);
    }
    for source in [source(), other] {
        assert!(verify(&mut disk.clone(), &source).unwrap().is_whole());
    }
    // Of the reserve no more was used than closing takes.
    let room = disk.capacity().unwrap() - used(&disk);
    assert!(room as u64 > RESERVE / 2, "{room}");
}

#[test]
fn nothing_is_written_or_deleted_where_another_disk_or_none_is_mounted() {
    let disk = Memory::new();
    let mut scene = scene(&disk);
    scene.record(250).unwrap();
    let mark = disk.content(".vigie-volume").unwrap();
    for (there, kind) in [(None, Kind::NoVolume), (Some(VolumeId([9; 16])), Kind::ForeignVolume)] {
        match there {
            None => crate::store::Storage::remove(&mut disk.clone(), ".vigie-volume").unwrap(),
            Some(id) => {
                let other = Memory::new();
                Volume::create(other.clone(), id, 0).unwrap();
                disk.set_content(".vigie-volume", &other.content(".vigie-volume").unwrap());
            }
        }
        let before = (disk.paths(), used(&disk));
        let opened = Volume::open(disk.clone(), Some(ID)).map(drop).unwrap_err();
        assert_eq!(opened.kind, kind);
        // The file that is open when the disk goes fails by itself (here it does not); the next one is refused.
        scene.recorder.interrupted(scene.now, Cause::Camera, 0).unwrap_err();
        let mut errors = Vec::new();
        for _ in 0..10 {
            errors.extend(scene.record(25).err());
        }
        assert!(!errors.is_empty() && errors.iter().all(|e| e.kind == kind), "{errors:?}");
        let after = (disk.paths(), used(&disk));
        assert_eq!(before.0, after.0);
        disk.set_content(".vigie-volume", &mark);
        // It is back: recording goes on by itself.
        for _ in 0..60 {
            let _ = scene.record(25);
        }
        assert!(scene.recorder.writer().is_open());
    }
    scene.recorder.finish(scene.now).unwrap();
    assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole());
    let causes: Vec<_> = scene.listing().gaps.iter().map(|gap| (gap.cause, gap.code)).collect();
    assert_eq!(causes, [(Cause::Storage, 570), (Cause::Storage, 571)]);
}

#[test]
fn a_damaged_id_is_no_id() {
    let disk = Memory::new();
    Volume::create(disk.clone(), ID, 0).unwrap();
    assert_eq!(Volume::create(disk.clone(), ID, 0).map(drop).unwrap_err().kind, Kind::Exists);
    let mark = disk.content(".vigie-volume").unwrap();
    assert_eq!(Volume::find(&mut disk.clone()).unwrap().map(|mark| mark.id), Some(ID));
    for at in 0..mark.len() {
        let mut bad = mark.clone();
        bad[at] ^= 0x11;
        disk.set_content(".vigie-volume", &bad);
        assert_eq!(Volume::open(disk.clone(), None).map(drop).unwrap_err().kind, Kind::ForeignVolume, "{at}");
        disk.set_content(".vigie-volume", &mark[..at]);
        assert_eq!(Volume::open(disk.clone(), None).map(drop).unwrap_err().kind, Kind::ForeignVolume, "{at}");
    }
}

#[test]
fn a_full_disk_gives_its_camera_to_the_next_one() {
    let disks = [Memory::new(), Memory::new()];
    let volumes: Vec<_> =
        (0..2).map(|n| Volume::create(disks[n].clone(), VolumeId([n as u8; 16]), RESERVE).unwrap()).collect();
    let mut placement = Placement::new(2);
    placement.set_room(0, 2_000_000);
    placement.set_room(1, 1_000_000);
    let first = placement.place(source(), 12_500).unwrap();
    let mut scene = Scene::on(&disks[0], volumes[first.volume].clone(), Micros(0));
    scene.record(25 * 20).unwrap();
    disks[0].set_capacity(Some(used(&disks[0]) + 30_000));
    let error = (0..60).find_map(|_| scene.record(25).err()).unwrap();
    placement.refuses(first.volume, error.kind);
    let second = placement.place(source(), 12_500).unwrap();
    assert_eq!((second.volume, second.reason), (1, Reason::Instead(Kind::Full)));
    scene.recorder.move_to(volumes[second.volume].clone(), scene.now).unwrap();
    scene.record(25 * 20).unwrap();
    scene.recorder.finish(scene.now).unwrap();
    let kept: Vec<_> = disks
        .iter()
        .map(|disk| {
            assert!(verify(&mut disk.clone(), &source()).unwrap().is_whole());
            Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap()
        })
        .collect();
    // Lost is the fragment that did not fit, and what came until the next IDR picture.
    let lost = u64::from(scene.camera.next) - samples(&kept[0]) - samples(&kept[1]);
    assert!(lost <= 50, "{lost} pictures");
    assert_eq!(scene.recorder.stats().store.synced, scene.recorder.stats().store.fragments);
}
