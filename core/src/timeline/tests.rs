#![allow(clippy::unwrap_used)]
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::depacket::{Depacketizer, Loss, PictureOrder, RandomAccess};
use crate::fault::Quirk;
use crate::h26x::testing::{Picture as Field, Stream};
use crate::h26x::{Codec, ParameterSets};
use crate::limits::Limits;
use crate::rtp::RtpPacket;
use crate::rtp::rtcp::SenderReport;
use crate::time::{Micros, NtpTime};

const FRAME: u32 = 3_600;
pub(super) const NOW: UtcMicros = UtcMicros(1_795_000_000_000_000);

pub(super) fn sets(reorder: Option<u32>) -> Arc<ParameterSets> {
    let stream = Stream { order_type: 0, fields: false, reorder };
    let mut sets = ParameterSets::new(Codec::H264);
    sets.insert(&stream.sps()).unwrap();
    sets.insert(&stream.pps()).unwrap();
    Arc::new(sets)
}

pub(super) fn unit(sets: &Arc<ParameterSets>, timestamp: u32, received: u64, idr: bool) -> AccessUnit {
    AccessUnit {
        codec: Codec::H264,
        data: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
        timestamp,
        received: Micros(received),
        random_access: idr.then_some(RandomAccess::Idr),
        reference: true,
        skipped_leading: false,
        order: Some(PictureOrder { count: 0, restart: idr }),
        parameters: Some(Arc::clone(sets)),
        loss: Loss::default(),
    }
}

/// Pictures shown in this order, one every 40 ms, arriving as they are decoded; a GOP wherever it says 0 again.
pub(super) fn run(timeline: &mut Timeline, sets: &Arc<ParameterSets>, orders: &[u32]) -> Vec<Group> {
    let mut base = 0;
    let mut groups = vec![];
    for (n, order) in orders.iter().enumerate() {
        if *order == 0 {
            base = n as u32;
        }
        timeline.push(unit(sets, (base + order) * FRAME, n as u64 * 40_000, *order == 0));
        groups.extend(core::iter::from_fn(|| timeline.pull()));
    }
    groups
}

fn lengths(groups: &[Group]) -> Vec<usize> {
    groups.iter().map(|g| g.samples.len()).collect()
}

pub(super) fn samples(groups: &[Group]) -> Vec<&Sample> {
    groups.iter().flat_map(|g| &g.samples).collect()
}

#[test]
fn live_without_reordering_each_picture_comes_at_once() {
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Live, &Limits::default()));
    let groups = run(&mut timeline, &sets, &[0, 1, 2, 3, 0, 1]);
    assert_eq!(lengths(&groups), [1; 6]);
    assert!(samples(&groups).iter().all(|s| s.pts == s.dts));
    assert!(samples(&groups).iter().skip(1).all(|s| s.duration == FRAME));
    assert_eq!(
        groups.iter().map(|g| g.continues_gop).collect::<Vec<_>>(),
        [false, true, true, true, false, true]
    );
}

#[test]
fn live_a_declared_depth_makes_closed_groups_without_waiting_for_the_next() {
    let (sets, mut timeline) = (sets(Some(1)), Timeline::new(Mode::Live, &Limits::default()));
    let groups = run(&mut timeline, &sets, &[0, 3, 1, 2, 6, 4, 5, 7, 8]);
    assert_eq!(lengths(&groups), [1, 3, 3, 1, 1]);
    assert!(samples(&groups).iter().all(|s| s.dts <= s.pts));
    assert!(samples(&groups).is_sorted_by(|a, b| a.dts < b.dts));
    assert_eq!(timeline.quirks().get(Quirk::DeeperReorder), 0);
}

#[test]
fn live_a_depth_that_shows_is_believed_from_then_on() {
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Live, &Limits::default()));
    let groups = run(&mut timeline, &sets, &[0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]);
    // The first P picture was out before its B pictures: those have negative composition offsets.
    assert_eq!(lengths(&groups), [1, 1, 1, 1, 3, 3, 3]);
    assert!(samples(&groups).is_sorted_by(|a, b| a.dts < b.dts));
    assert!(samples(&groups)[4..].iter().all(|s| s.dts <= s.pts));
    assert!(timeline.quirks().get(Quirk::DeeperReorder) > 0);
}

#[test]
fn a_recording_has_a_gop_a_group_and_its_times_go_on() {
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Recording, &Limits::default()));
    let mut groups = run(&mut timeline, &sets, &[0, 3, 1, 2, 6, 4, 5, 0, 3, 1, 2, 0]);
    timeline.finish();
    groups.extend(timeline.pull());
    assert_eq!(lengths(&groups), [7, 4, 1]);
    assert!(groups.iter().all(|g| !g.continues_gop));
    for pair in samples(&groups).windows(2) {
        assert_eq!(pair[0].dts.0 + i64::from(pair[0].duration), pair[1].dts.0);
    }
    assert!(
        samples(&groups).iter().all(|s| s.dts <= s.pts && s.pts.0 % (1 << 32) == i64::from(s.unit.timestamp))
    );
}

#[test]
fn a_recording_that_ends_inside_a_reorder_group_lasts_as_long_as_its_last_picture() {
    for (orders, frames) in
        [(&[0, 4, 2, 1, 3, 8, 6][..], 9), (&[0, 4, 2, 1, 3, 8], 9), (&[0, 4, 2, 1, 3, 8, 6, 5, 7], 9)]
    {
        let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Recording, &Limits::default()));
        let mut groups = run(&mut timeline, &sets, orders);
        timeline.finish();
        groups.extend(timeline.pull());
        let durations = samples(&groups).iter().map(|s| s.duration).sum::<u32>();
        assert_eq!(durations, frames * FRAME, "{orders:?}");
    }
}

#[test]
fn a_long_gop_is_cut_where_nothing_is_reordered_across() {
    let limits = Limits { fragment_micros: 1_000_000, ..Limits::default() };
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Recording, &limits));
    let orders: Vec<u32> = (0..300)
        .map(|n| if n == 0 { 0 } else { [3, 1, 2][(n as usize - 1) % 3] + (n - 1) / 3 * 3 })
        .collect();
    let mut groups = run(&mut timeline, &sets, &orders);
    timeline.finish();
    groups.extend(core::iter::from_fn(|| timeline.pull()));
    assert!(groups.len() > 8, "{:?}", lengths(&groups));
    assert!(groups.iter().enumerate().all(|(n, g)| g.continues_gop == (n > 0)));
    for pair in groups.windows(2) {
        let latest = pair[0].samples.iter().map(|s| s.pts).max();
        assert!(latest < pair[1].samples.iter().map(|s| s.pts).min());
    }
    for pair in samples(&groups).windows(2) {
        assert_eq!(pair[0].dts.0 + i64::from(pair[0].duration), pair[1].dts.0);
    }
}

#[test]
fn it_starts_at_a_random_access_point_and_a_recording_takes_a_stream_without() {
    let sets = sets(None);
    let mut live = Timeline::new(Mode::Live, &Limits::default());
    let mut record = Timeline::new(Mode::Recording, &Limits::default());
    for n in 0..400_u32 {
        for timeline in [&mut live, &mut record] {
            timeline.push(unit(&sets, n * FRAME, u64::from(n) * 40_000, false));
        }
    }
    assert!(live.pull().is_none());
    assert_eq!(live.dropped(), 400);
    record.finish();
    let groups: Vec<_> = core::iter::from_fn(|| record.pull()).collect();
    assert_eq!(samples(&groups).len(), 400);
    assert!(groups[0].continues_gop);
    live.push(unit(&sets, 400 * FRAME, 16_000_000, true));
    assert_eq!(live.pull().unwrap().samples.len(), 1);
}

#[test]
fn a_leap_opens_an_epoch_and_a_stray_does_not() {
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Live, &Limits::default()));
    let stamps = [0, 1, 2, 900_000, 4, 5, 500_000, 500_001, 500_002, 500_003];
    let mut groups = vec![];
    for (n, stamp) in stamps.iter().enumerate() {
        timeline.push(unit(&sets, stamp * FRAME, n as u64 * 40_000, n == 0));
        groups.extend(core::iter::from_fn(|| timeline.pull()));
    }
    let got: Vec<_> =
        groups.iter().map(|g| (g.epoch, (g.samples[0].pts.0 - (1 << 32)) / i64::from(FRAME))).collect();
    let expected = [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 6), (1, 7), (1, 8), (1, 9)];
    assert_eq!(got, expected);
    assert_eq!(timeline.quirks().get(Quirk::StrayTimestamp), 1);
    assert_eq!(timeline.quirks().get(Quirk::TimestampLeap), 1);
}

#[test]
fn another_session_goes_on_in_another_epoch_after_the_time_between() {
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Live, &Limits::default()));
    timeline.push(unit(&sets, 77, 0, true));
    timeline.discontinuity();
    timeline.sender_report(SenderReport {
        ntp: NtpTime::from_utc(NOW),
        rtp_timestamp: 5,
        ..SenderReport::default()
    });
    timeline.push(unit(&sets, 1, 29_960_000, false)); // refers to what is not there
    timeline.push(unit(&sets, 5, 30_000_000, true));
    let groups: Vec<_> = core::iter::from_fn(|| timeline.pull()).collect();
    assert_eq!(groups.iter().map(|g| g.epoch).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(groups[1].samples[0].pts.0 - groups[0].samples[0].pts.0, 30 * 90_000);
    assert_eq!(groups[1].samples[0].utc.utc, NOW);
    assert_eq!(timeline.quirks().get(Quirk::TimestampLeap), 0);
}

#[test]
fn utc_is_the_senders_and_a_step_of_its_clock_rewrites_nothing() {
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Live, &Limits::default()));
    let report = |seconds: u32, utc: UtcMicros| SenderReport {
        ntp: NtpTime::from_utc(utc),
        rtp_timestamp: seconds * 90_000,
        ..SenderReport::default()
    };
    timeline.sender_report(report(0, NOW)); // before the first picture
    let mut groups = vec![];
    for n in 0..=20_u32 {
        if n == 10 {
            timeline.sender_report(report(10, NOW.plus(3_610_000_000)));
        }
        timeline.push(unit(&sets, n * 90_000, u64::from(n) * 1_000_000, n % 6 == 0));
        groups.extend(core::iter::from_fn(|| timeline.pull()));
    }
    let stamp = |n: usize| (groups[n].epoch, groups[n].samples[0].utc.utc, groups[n].samples[0].utc.source);
    assert_eq!(stamp(9), (0, NOW.plus(9_000_000), UtcSource::SenderReport));
    assert_eq!(stamp(11), (0, NOW.plus(11_000_000), UtcSource::SenderReport)); // to the end of the GOP
    assert_eq!(stamp(12), (1, NOW.plus(3_612_000_000), UtcSource::SenderReport));
    assert!(samples(&groups).is_sorted_by(|a, b| a.dts < b.dts));
    assert_eq!(timeline.quirks().get(Quirk::ClockStep), 1);
    timeline.sender_report(SenderReport { rtp_timestamp: 20 * 90_000, ..SenderReport::default() });
    assert_eq!(timeline.quirks().get(Quirk::BadSenderReport), 1);
}

#[test]
fn a_camera_set_to_reorder_less_waits_less() {
    for (mode, before, after) in [(Mode::Live, 2, 0), (Mode::Recording, 2, 0), (Mode::Recording, 2, 1)] {
        let mut timeline = Timeline::new(mode, &Limits::default());
        let orders: Vec<u32> = (0..4).flat_map(|_| [0, 4, 2, 1, 3, 8, 6, 5, 7]).collect();
        let mut groups = run(&mut timeline, &sets(Some(before)), &orders);
        let deep = sets(Some(after));
        for n in 0..20_u32 {
            let order = if after == 0 || n == 0 { n } else { [2, 1][(n as usize - 1) % 2] + (n - 1) / 2 * 2 };
            let picture = unit(&deep, (36 + order) * FRAME, u64::from(36 + n) * 40_000, n == 0);
            timeline.push(picture);
            groups.extend(core::iter::from_fn(|| timeline.pull()));
        }
        timeline.finish();
        groups.extend(core::iter::from_fn(|| timeline.pull()));
        let samples = samples(&groups);
        assert_eq!(samples.len(), 56);
        assert!(samples.is_sorted_by(|a, b| a.dts < b.dts));
        assert!(samples.iter().all(|s| s.dts <= s.pts));
        let most =
            |samples: &[&Sample]| samples.iter().map(|s| s.pts.0 - s.dts.0).max().unwrap() / i64::from(FRAME);
        assert_eq!(most(&samples[..36]), 5, "{mode:?}");
        assert_eq!(most(&samples[37..]), i64::from(after) * 2, "{mode:?}");
        for pair in samples.windows(2).filter(|_| mode == Mode::Recording) {
            assert_eq!(pair[0].dts.0 + i64::from(pair[0].duration), pair[1].dts.0, "{mode:?}");
        }
    }
}

/// An order of pictures that a decoder with `depth` can put right: each is moved at most so far ahead.
fn orders() -> impl Strategy<Value = (u32, Vec<u32>)> {
    (0_u32..5, prop::collection::vec(0_usize..6, 1..120)).prop_map(|(depth, moves)| {
        let mut waiting: Vec<u32> = vec![];
        let mut orders = vec![0];
        let mut next = 1;
        for step in moves {
            // Decode one of the next pictures; one that is passed over comes before `depth` others are shown after it.
            while waiting.len() <= depth as usize {
                waiting.push(next);
                next += 1;
            }
            let late = orders.iter().filter(|o| **o > waiting[0]).count() >= depth as usize;
            orders.push(waiting.remove(if late { 0 } else { step % waiting.len() }));
        }
        orders.extend(waiting);
        (depth, orders)
    })
}

proptest! {
    #[test]
    fn times_rise_and_every_picture_comes_out_once((depth, orders) in orders(), declared: bool, live: bool) {
        let sets = sets(declared.then_some(depth));
        let mode = if live { Mode::Live } else { Mode::Recording };
        let mut timeline = Timeline::new(mode, &Limits::default());
        let mut groups = run(&mut timeline, &sets, &orders);
        timeline.finish();
        groups.extend(core::iter::from_fn(|| timeline.pull()));
        let samples = samples(&groups);
        prop_assert_eq!(samples.len(), orders.len());
        prop_assert!(samples.is_sorted_by(|a, b| a.dts < b.dts));
        let shown: Vec<_> = samples.iter().map(|s| (s.pts.0 - (1 << 32)) / i64::from(FRAME)).collect();
        prop_assert_eq!(shown, orders.iter().map(|o| i64::from(*o)).collect::<Vec<_>>());
        // A random order may never close a group.
        let cut = timeline.quirks().get(Quirk::OverLimit) > 0;
        if !live || declared && !cut {
            prop_assert!(samples.iter().all(|s| s.dts <= s.pts));
            for pair in groups.windows(2) {
                let latest = pair[0].samples.iter().map(|s| s.pts).max();
                prop_assert!(latest < pair[1].samples.iter().map(|s| s.pts).min());
            }
        }
    }

    #[test]
    fn any_timestamps_are_survived(
        units in prop::collection::vec((any::<u32>(), 0_u64..100_000_000, any::<bool>(), 0_u8..8), 0..100),
        live: bool,
    ) {
        let sets = sets(None);
        let mut timeline = Timeline::new(if live { Mode::Live } else { Mode::Recording }, &Limits::default());
        let count = units.len();
        for (timestamp, received, idr, also) in units {
            match also {
                0 => timeline.sender_report(SenderReport { ntp: NtpTime(u64::from(timestamp) << 32), rtp_timestamp: timestamp, ..SenderReport::default() }),
                1 => timeline.arrival(Micros(received), NOW.plus(i64::from(timestamp))),
                2 => timeline.discontinuity(),
                _ => {}
            }
            timeline.push(unit(&sets, timestamp, received, idr));
        }
        timeline.finish();
        let groups: Vec<_> = core::iter::from_fn(|| timeline.pull()).collect();
        prop_assert!(groups.iter().all(|g| !g.samples.is_empty()));
        prop_assert!(samples(&groups).is_sorted_by(|a, b| a.dts < b.dts));
        prop_assert_eq!(samples(&groups).len() as u64 + timeline.dropped(), count as u64);
    }
}

/// Field pairs, each field a packet with its own timestamp (RFC 6184 §5.1): one picture, at its first field's.
#[test]
fn field_pairs_that_reorder_keep_the_times_of_their_first_fields() {
    let stream = Stream { order_type: 0, fields: true, reorder: Some(1) };
    for mode in [Mode::Recording, Mode::Live] {
        let limits = Limits::default();
        let mut depacketizer = Depacketizer::new(Codec::H264, &limits);
        let mut timeline = Timeline::new(mode, &limits);
        let (mut sequence, mut frame_num, mut base, mut groups) = (0, 0, 0, vec![]);
        let orders = [0, 2, 1, 4, 3, 0, 2, 1, 3, 5, 4];
        for (n, order) in orders.into_iter().enumerate() {
            if order == 0 {
                (base, frame_num) = (n as u32, 0);
            }
            // What is shown before one already decoded is a B picture.
            let reference = !matches!((base, order), (0, 1 | 3) | (5, 1 | 4));
            for bottom in [false, true] {
                let mut nals = vec![];
                if order == 0 && !bottom {
                    nals.extend([stream.sps(), stream.pps()]);
                }
                nals.push(stream.slice(Field {
                    idr: order == 0 && !bottom,
                    reference,
                    frame_num,
                    field: Some(bottom),
                    order_lsb: (order * 2 + u32::from(bottom)) % 16,
                    ..Field::default()
                }));
                let timestamp =
                    (base + order).wrapping_mul(FRAME).wrapping_add(u32::from(bottom) * FRAME / 2);
                for (i, nal) in nals.iter().enumerate() {
                    depacketizer.push(
                        &RtpPacket {
                            marker: i + 1 == nals.len(),
                            payload_type: 96,
                            sequence,
                            timestamp,
                            ssrc: 1,
                            csrc: &[],
                            extension: None,
                            payload: nal,
                        },
                        Micros(n as u64 * 40_000),
                        0,
                    );
                    sequence += 1;
                }
            }
            frame_num = (frame_num + u32::from(reference)) % 16;
            core::iter::from_fn(|| depacketizer.pull()).for_each(|unit| timeline.push(unit));
            groups.extend(core::iter::from_fn(|| timeline.pull()));
        }
        depacketizer.finish();
        core::iter::from_fn(|| depacketizer.pull()).for_each(|unit| timeline.push(unit));
        timeline.finish();
        groups.extend(core::iter::from_fn(|| timeline.pull()));
        let samples = samples(&groups);
        let shown: Vec<_> = samples.iter().map(|s| (s.pts.0 - (1 << 32)) / i64::from(FRAME)).collect();
        assert_eq!(shown, [0, 2, 1, 4, 3, 5, 7, 6, 8, 10, 9], "{mode:?}");
        assert!(
            samples.iter().all(|s| s.pts.0 % i64::from(FRAME) == (1 << 32) % i64::from(FRAME)),
            "{mode:?}"
        );
        assert!(samples.is_sorted_by(|a, b| a.dts < b.dts), "{mode:?}");
        assert!(samples.iter().all(|s| s.dts <= s.pts), "{mode:?}");
        let mut sorted = shown.clone();
        sorted.sort_unstable();
        for (n, sample) in samples.iter().enumerate().skip(1) {
            assert!(sample.dts.0 - (1 << 32) >= sorted[n - 1] * i64::from(FRAME), "{mode:?}: {n}");
        }
    }
}
