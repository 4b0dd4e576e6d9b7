#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::*;
use crate::depacket::{AccessUnit, RandomAccess};
use crate::fragment::testing::{sets, unit};
use crate::gix::Span;
use crate::h26x::{Codec, ParameterSets};
use crate::limits::Limits;
use crate::rtp::rtcp::SenderReport;
use crate::store::testing::source;
use crate::store::{Cause, Error, Kind, Listing, Memory, verify};
use crate::time::{Micros, NtpTime, UtcMicros};

mod dial;
mod full;
mod slow;
mod watched;

const START: UtcMicros = UtcMicros(1_795_324_440_000_000);

/// A camera that sends a picture each 40 ms, the first of each 25 an IDR picture.
struct Camera {
    sets: Arc<ParameterSets>,
    next: u32,
}

impl Camera {
    fn picture(&mut self, now: Micros) -> AccessUnit {
        let n = self.next;
        self.next += 1;
        let mut unit = unit(n, 500, n.is_multiple_of(25).then_some(RandomAccess::Idr), &self.sets);
        unit.timestamp = n.wrapping_mul(3_600);
        unit.received = now;
        unit
    }
}

struct Scene<S: crate::store::Storage = Memory> {
    disk: Memory,
    camera: Camera,
    recorder: Recorder<S>,
    now: Micros,
    /// At 0 of the other clock.
    utc: UtcMicros,
}

impl Scene {
    fn new(disk: &Memory, now: Micros) -> Self {
        Self::on(disk, disk.clone(), now)
    }
}

impl<S: crate::store::Storage> Scene<S> {
    fn on(disk: &Memory, storage: S, now: Micros) -> Self {
        let config = RecorderConfig::default();
        let utc = START.plus(now.0 as i64);
        let (recorder, _) = Recorder::open(storage, source(), config, now, utc).unwrap();
        Self {
            disk: disk.clone(),
            camera: Camera { sets: sets(Codec::H264), next: 0 },
            recorder,
            now,
            utc: START,
        }
    }

    fn record(&mut self, pictures: u32) -> Result<(), Error> {
        let mut done = Ok(());
        for _ in 0..pictures {
            let unit = self.camera.picture(self.now);
            if unit.timestamp.is_multiple_of(90_000) {
                let ntp = NtpTime::from_utc(self.utc.plus(self.now.0 as i64));
                let rtp_timestamp = unit.timestamp;
                self.recorder.sender_report(SenderReport { ntp, rtp_timestamp, ..SenderReport::default() });
            }
            done = done.and(self.recorder.push(self.now, unit));
            self.now = self.now.plus(40_000);
            done = done.and(self.recorder.handle_timeout(self.now));
        }
        done
    }

    fn listing(&self) -> Listing {
        Listing::load(&mut self.disk.clone(), &source(), Span::ALL).unwrap()
    }
}

fn samples(listing: &Listing) -> u64 {
    listing.segments.iter().map(|s| s.samples).sum()
}

#[test]
fn every_picture_is_kept_and_an_interruption_is_one_gap_with_its_cause() {
    let mut scene = Scene::new(&Memory::new(), Micros(0));
    scene.record(250).unwrap();
    scene.recorder.interrupted(scene.now, Cause::Network, 801).unwrap();
    scene.now = scene.now.plus(5_000_000);
    // It is tried again, and fails in the same way.
    scene.recorder.interrupted(scene.now, Cause::Network, 801).unwrap();
    scene.now = scene.now.plus(25_000_000);
    scene.camera.next = 0;
    scene.record(100).unwrap();
    scene.recorder.finish(scene.now).unwrap();
    let listing = scene.listing();
    assert_eq!(samples(&listing), 350);
    assert_eq!(listing.ranges.len(), 2, "{:?}", listing.ranges);
    let [gap] = listing.gaps[..] else { panic!("{:?}", listing.gaps) };
    assert_eq!((gap.cause, gap.code), (Cause::Network, 801));
    assert_eq!(gap.span, Span::new(START.plus(10_000_000), START.plus(40_000_000)));
    let found = verify(&mut scene.disk.clone(), &source()).unwrap();
    assert!(found.is_whole(), "{found:?}");
    assert_eq!(scene.recorder.stats().store.synced, scene.recorder.stats().store.fragments);
}

#[test]
fn a_full_disk_is_told_and_recording_goes_on_when_there_is_room() {
    let mut scene = Scene::new(&Memory::new(), Micros(0));
    scene.record(250).unwrap();
    let used: usize = scene.disk.paths().iter().map(|p| scene.disk.content(p).unwrap().len()).sum();
    scene.disk.set_capacity(Some(used + 1_000));
    let mut errors = Vec::new();
    for _ in 0..20 {
        errors.extend(scene.record(25).err());
    }
    assert!((2..8).contains(&errors.len()), "told at each attempt: {errors:?}");
    assert!(errors.iter().all(|e| e.kind == Kind::Full), "{errors:?}");
    scene.disk.set_capacity(None);
    for _ in 0..40 {
        let _ = scene.record(25);
    }
    assert!(scene.recorder.stats().refused > 0);
    scene.recorder.finish(scene.now).unwrap();
    let listing = scene.listing();
    let [gap] = listing.gaps[..] else { panic!("{:?}", listing.gaps) };
    assert_eq!((gap.cause, gap.code), (Cause::Storage, 552));
    assert!(verify(&mut scene.disk.clone(), &source()).unwrap().is_whole());
}

#[test]
fn a_recorder_that_died_leaves_a_gap_of_its_own() {
    let disk = Memory::new();
    let mut scene = Scene::new(&disk, Micros(0));
    scene.record(260).unwrap();
    disk.kill();
    let mut scene = Scene::new(&disk, Micros(60_000_000));
    assert!(scene.recorder.stats().end.is_some());
    scene.record(50).unwrap();
    scene.recorder.finish(scene.now).unwrap();
    let listing = scene.listing();
    let [gap] = listing.gaps[..] else { panic!("{:?}", listing.gaps) };
    assert_eq!((gap.cause, gap.span.to), (Cause::Recorder, START.plus(60_000_000)));
    // A stop by a person is told apart.
    let mut scene = Scene::new(
        &{
            disk.kill();
            disk
        },
        Micros(100_000_000),
    );
    scene.record(25).unwrap();
    scene.recorder.finish(scene.now).unwrap();
    assert_eq!(
        scene.listing().gaps.iter().map(|g| g.cause).collect::<Vec<_>>(),
        [Cause::Recorder, Cause::Operator]
    );
}

#[test]
fn live_gives_one_fragment_per_picture_that_is_not_reordered() {
    let mut live = Live::new(&Limits::default());
    live.clocks(Micros(0), START);
    let mut camera = Camera { sets: sets(Codec::H264), next: 0 };
    let mut kinds = Vec::new();
    for n in 0..60 {
        live.push(camera.picture(Micros(n * 40_000)));
        while let Some(output) = live.pull() {
            kinds.push(match output {
                LiveOutput::Init { bytes, .. } => bytes.windows(4).any(|w| w == b"avc1"),
                LiveOutput::Fragment { bytes, shown, .. } => {
                    assert_eq!(shown.bytes, 0..bytes.len());
                    false
                }
            });
        }
    }
    live.finish();
    while live.pull().is_some() {
        kinds.push(false);
    }
    assert_eq!(live.broken(), 0);
    assert!(kinds[0] && !kinds[1..].contains(&true));
    assert_eq!(kinds.len(), 61);
}
