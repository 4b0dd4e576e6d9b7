//! Two days of one camera on a fake clock: timestamps and sequence numbers wrap, crystals drift, the camera's clock is
//! set, and UTC stays within the bound that each picture states.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::BytesMut;
use vigie::depacket::Depacketizer;
use vigie::fault::Quirk;
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::octets::Write as _;
use vigie::packetize::{Framing, Packetizer};
use vigie::reorder::Reorder;
use vigie::rtp::rtcp::SenderReport;
use vigie::time::{Micros, NtpTime, UtcMicros};
use vigie::timeline::{Group, Mode, Timeline, UtcSource};

/// The system's allocator, and what this thread holds of it.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.with(|n| n.set(n.get() + layout.size() as i64));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.with(|n| n.set(n.get() - layout.size() as i64));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// 320x240, Constrained Baseline.
const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x07, 0xec, 0x04, 0x40, 0, 0, 3, 0, 0x40, 0, 0, 0x0c, 0x03, 0xc5,
    0x0a, 0xa8,
];
const PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];

const SECONDS: u64 = 48 * 3_600;
const GOP: u64 = 10;
const REPORTS: u64 = 5;
const BEGAN: i64 = 1_795_000_000_000_000;
/// When an operator sets the camera's clock an hour on.
const SET: u64 = 30 * 3_600 + 7;

/// The camera, whose crystal runs 50 ppm fast and whose wall clock loses 20 ppm until SNTP steps it at 128 ms.
#[derive(Default)]
struct Camera {
    /// By how much the wall clock is wrong, and was set to be.
    off: i64,
    set: i64,
    stepped_at: Option<u64>,
    steps: u32,
}

impl Camera {
    fn tick(&mut self, second: u64) {
        self.off -= 20;
        if second == SET {
            self.set = 3_600_000_000;
        }
        if self.off < self.set - 128_000 {
            self.off = self.set;
            self.stepped_at = Some(second);
            self.steps += 1;
        }
    }

    fn wall(&self, second: u64) -> UtcMicros {
        UtcMicros(BEGAN + second as i64 * 1_000_000 + self.off)
    }

    fn media(second: u64) -> u64 {
        // 50 ppm of 90 000 ticks are 4.5.
        (1 << 32) - 90_000 + second * 90_000 + second * 9 / 2
    }
}

/// The way of one stream up to its samples.
struct Way {
    packetizer: Packetizer,
    reorder: Reorder,
    depacketizer: Depacketizer,
    timeline: Timeline,
    bytes: BytesMut,
    unit: Vec<u8>,
}

impl Way {
    fn send(&mut self, second: u64, arrives: Micros) {
        self.unit.clear();
        let idr = second.is_multiple_of(GOP);
        for nal in [SPS, PPS].into_iter().filter(|_| idr) {
            self.unit.put_u32(nal.len() as u32);
            self.unit.put(nal);
        }
        self.unit.put_u32(3_000);
        self.unit.put(if idr { &[0x65, 0x88, 0x84] } else { &[0x41, 0x9a, 0x5a] });
        self.unit.resize(self.unit.len() + 2_997, 0x5a);
        self.bytes.clear();
        self.packetizer.packetize(&self.unit, Camera::media(second) as u32, Framing::Bare, &mut self.bytes);
        let mut rest = &self.bytes[..];
        while let [a, b, tail @ ..] = rest {
            let (packet, after) = tail.split_at(usize::from(*a) << 8 | usize::from(*b));
            rest = after;
            if let Some(o) = self.reorder.push(packet, arrives) {
                self.depacketizer.push(&o.packet, o.received, o.lost_before);
            }
            while let Some(o) = self.reorder.pull() {
                self.depacketizer.push(&o.packet, o.received, o.lost_before);
            }
            while let Some(unit) = self.depacketizer.pull() {
                self.timeline.push(unit);
            }
        }
        while let Some(due) = self.reorder.poll_timeout() {
            self.reorder.handle_timeout(due);
            while let Some(o) = self.reorder.pull() {
                self.depacketizer.push(&o.packet, o.received, o.lost_before);
            }
        }
        while let Some(unit) = self.depacketizer.pull() {
            self.timeline.push(unit);
        }
    }
}

#[test]
fn two_days_of_one_camera() {
    let limits = Limits::default();
    let mut way = Way {
        packetizer: Packetizer::new(Codec::H264, 7, 96, 65_000, 54),
        reorder: Reorder::windowed(&limits).with_payload_type(96),
        depacketizer: Depacketizer::new(Codec::H264, &limits),
        timeline: Timeline::new(Mode::Live, &limits),
        bytes: BytesMut::new(),
        unit: Vec::new(),
    };
    let mut camera = Camera::default();
    let (mut pictures, mut excused, mut held, mut epoch) = (0_u64, 0_u64, (0, 0), 0);
    for second in 0..SECONDS {
        camera.tick(second);
        // The network takes 30 to 50 ms, the reading of the camera's clock up to 1 ms either way.
        let arrives = Micros(second * 1_000_000 + 30_000 + second * 7_919 % 20_000);
        if second.is_multiple_of(60) {
            way.timeline.arrival(arrives, UtcMicros(BEGAN + arrives.0 as i64));
        }
        if second.is_multiple_of(REPORTS) && second > 0 {
            let scatter = (second / REPORTS * 7_919 % 2_001) as i64 - 1_000;
            way.timeline.sender_report(SenderReport {
                ssrc: 7,
                ntp: NtpTime::from_utc(camera.wall(second).plus(scatter)),
                rtp_timestamp: Camera::media(second) as u32,
                ..SenderReport::default()
            });
        }
        way.send(second, arrives);
        for group in std::iter::from_fn(|| way.timeline.pull()).collect::<Vec<Group>>() {
            let sample = &group.samples[0];
            assert_eq!((group.samples.len(), sample.unit.loss.packets), (1, 0));
            assert_eq!(sample.dts, sample.pts);
            assert_eq!(sample.pts.0 as u64 - (1 << 32), Camera::media(pictures), "picture {pictures}");
            let off = (sample.utc.utc.0 - camera.wall(pictures).0).abs();
            if off > i64::from(sample.utc.error) {
                // Nobody can know of a step before the next report; a big one waits for the end of the GOP.
                let since = pictures - camera.stepped_at.expect("no step");
                assert!(
                    since < if (SET..SET + 60).contains(&pictures) { REPORTS + GOP } else { REPORTS },
                    "{pictures}: {off}"
                );
                excused += 1;
            }
            assert!(pictures <= REPORTS || sample.utc.source == UtcSource::SenderReport);
            (pictures, epoch) = (pictures + 1, group.epoch);
        }
        if second == 7_200 {
            held.0 = HELD.with(Cell::get);
        }
    }
    held.1 = HELD.with(Cell::get);
    let stats = way.reorder.stats();
    println!(
        "{pictures} pictures, {excused} excused, {} steps, {stats:?}, {:?}",
        camera.steps,
        way.timeline.clock()
    );
    assert_eq!(pictures, SECONDS);
    assert!(excused < SECONDS / 500 && camera.steps > 20);
    assert!(Camera::media(SECONDS) >> 32 >= 4, "the timestamp wraps");
    assert!(stats.packets >> 16 >= 150, "the sequence number wraps");
    assert_eq!((stats.lost, stats.restarts, stats.duplicates), (0, 0, 0));
    assert_eq!((epoch, way.timeline.quirks().get(Quirk::ClockStep)), (1, 1), "only the hour is a new epoch");
    assert_eq!(way.timeline.quirks().get(Quirk::NominalTimestamps), 0);
    let clock = way.timeline.clock();
    assert!((68_000..72_000).contains(&clock.against_wall.unwrap()), "{clock:?}");
    assert!((49_000..51_000).contains(&clock.against_host.unwrap()), "{clock:?}");
    assert!((clock.offset.unwrap() - camera.off).abs() < 60_000, "{clock:?}");
    assert!((held.1 - held.0).abs() < 64 << 10, "{held:?}");
}
