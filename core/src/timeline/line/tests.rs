use alloc::vec;
use alloc::vec::Vec;

use crate::fault::{Policy, Quirk};
use crate::limits::Limits;
use crate::rtp::rtcp::SenderReport;
use crate::time::{Micros, NtpTime, UtcMicros};
use crate::timeline::tests::{NOW, run, samples, sets, unit};
use crate::timeline::{Group, Mode, Timeline, UtcSource};

/// Pictures a second apart, every third a random access point, with what `say` says before each.
fn seconds(
    policy: Policy,
    stamps: &[u32],
    mut say: impl FnMut(usize, &mut Timeline),
) -> (Vec<Group>, Timeline) {
    let limits = Limits { policy, ..Limits::default() };
    let (sets, mut timeline) = (sets(None), Timeline::new(Mode::Live, &limits));
    let mut groups = vec![];
    for (n, stamp) in stamps.iter().enumerate() {
        timeline.arrival(Micros(n as u64 * 1_000_000), NOW.plus(n as i64 * 1_000_000));
        say(n, &mut timeline);
        timeline.push(unit(&sets, *stamp, n as u64 * 1_000_000, n % 3 == 0));
        groups.extend(core::iter::from_fn(|| timeline.pull()));
    }
    (groups, timeline)
}

fn said(timestamp: u32, utc: UtcMicros) -> SenderReport {
    SenderReport { ntp: NtpTime::from_utc(utc), rtp_timestamp: timestamp, ..SenderReport::default() }
}

#[test]
fn a_policy_that_tolerates_nothing_drops_what_has_no_time() {
    let plain: Vec<u32> = (0..12).map(|n| n * 90_000).collect();
    let with = |at: usize, stamps: &[u32]| {
        let mut all = plain.clone();
        all[at..at + stamps.len()].copy_from_slice(stamps);
        all
    };
    let far = 1 << 30;
    let leap: Vec<u32> = plain.iter().map(|s| if *s < 4 * 90_000 { *s } else { s + far }).collect();
    let cases = [
        (Quirk::StrayTimestamp, with(4, &[far]), 11),
        (Quirk::EqualTimestamps, with(4, &[3 * 90_000]), 11),
        // Three to be sure, two more to the next random access point.
        (Quirk::TimestampLeap, leap, 12 - 5),
    ];
    for (quirk, stamps, left) in cases {
        for (policy, left) in [(Policy::Auto, 12), (Policy::Strict, left)] {
            let (groups, timeline) = seconds(policy, &stamps, |_, _| ());
            assert_eq!(samples(&groups).len(), left, "{quirk} {policy:?}");
            assert_eq!(timeline.dropped(), 12 - left as u64, "{quirk} {policy:?}");
            assert_eq!(timeline.quirks().get(quirk), 1, "{quirk} {policy:?}");
        }
    }
    // Reordering that nobody announced.
    let sets = sets(Some(0));
    for (policy, left) in [(Policy::Auto, 7), (Policy::Strict, 3)] {
        let mut timeline = Timeline::new(Mode::Live, &Limits { policy, ..Limits::default() });
        let mut groups = run(&mut timeline, &sets, &[0, 3, 1, 2, 6, 4, 5]);
        timeline.finish();
        groups.extend(core::iter::from_fn(|| timeline.pull()));
        assert_eq!(samples(&groups).len(), left);
        assert!(timeline.quirks().get(Quirk::DeeperReorder) > 0);
    }
    // A clock that was set is not followed.
    let (groups, timeline) = seconds(Policy::Strict, &plain, |n, timeline| {
        timeline.sender_report(said(
            n as u32 * 90_000,
            NOW.plus(n as i64 * 1_000_000 + if n > 4 { 60_000_000 } else { 0 }),
        ));
    });
    assert_eq!(samples(&groups)[11].utc.utc, NOW.plus(11_000_000));
    assert_eq!((groups[11].epoch, timeline.quirks().get(Quirk::ClockStep)), (0, 7));
}

#[test]
fn a_single_report_that_is_wrong_moves_nothing() {
    let plain: Vec<u32> = (0..12).map(|n| n * 90_000).collect();
    let (groups, timeline) = seconds(Policy::Auto, &plain, |n, timeline| {
        let wrong = if n == 4 { 3_600_000_000 } else { 0 };
        timeline.sender_report(said(n as u32 * 90_000, NOW.plus(n as i64 * 1_000_000 + wrong)));
    });
    assert!(groups.iter().all(|group| group.epoch == 0));
    assert_eq!(samples(&groups)[11].utc.utc, NOW.plus(11_000_000));
    assert_eq!(timeline.quirks().get(Quirk::ClockStep), 0);
}

/// Some servers after PAUSE and PLAY: the report is far ahead of the pictures.
#[test]
fn a_report_ahead_of_the_pictures_is_dropped() {
    let plain: Vec<u32> = (0..12).map(|n| n * 90_000).collect();
    let (groups, timeline) = seconds(Policy::Auto, &plain, |n, timeline| {
        if n == 2 {
            timeline.sender_report(said(60 * 90_000, NOW.plus(2_000_000)));
        }
    });
    assert!(samples(&groups).iter().all(|s| s.utc.source == UtcSource::Arrival));
    assert_eq!(timeline.quirks().get(Quirk::BadSenderReport), 1);
}

/// Hikvision, after a while: pictures were dated by their arrival, and then the camera says another hour.
#[test]
fn a_camera_with_another_clock_than_ours_opens_an_epoch() {
    let plain: Vec<u32> = (0..12).map(|n| n * 90_000).collect();
    let (groups, timeline) = seconds(Policy::Auto, &plain, |n, timeline| {
        if n >= 4 {
            timeline.sender_report(said(n as u32 * 90_000, NOW.plus(n as i64 * 1_000_000 - 7_200_000_000)));
        }
    });
    let got: Vec<_> = groups.iter().map(|g| (g.epoch, g.samples[0].utc.source)).collect();
    assert!(got[..6].iter().all(|g| *g == (0, UtcSource::Arrival)), "{got:?}");
    assert!(got[6..].iter().all(|g| *g == (1, UtcSource::SenderReport)), "{got:?}");
    assert_eq!(timeline.quirks().get(Quirk::ClockStep), 0, "it was never set");
    assert_eq!(timeline.clock().offset, Some(-7_200_000_000));
}

/// Each picture's own stamp beats the reports.
#[test]
fn the_onvif_extension_dates_its_own_picture() {
    let plain: Vec<u32> = (0..12).map(|n| n * 90_000).collect();
    let own = |n: usize| NOW.plus(n as i64 * 1_000_000 + n as i64 % 5 * 1_000);
    let (groups, _) = seconds(Policy::Auto, &plain, |n, timeline| {
        timeline.anchor(UtcSource::OnvifExtension, n as u32 * 90_000, own(n));
        timeline.sender_report(said(n as u32 * 90_000, NOW.plus(n as i64 * 1_000_000 + 40_000)));
    });
    for (n, sample) in samples(&groups).iter().enumerate() {
        assert_eq!((sample.utc.source, sample.utc.utc), (UtcSource::OnvifExtension, own(n)));
        assert!(sample.utc.error < 5_000);
    }
}

/// Servers that do not know their rtptime yet say 0.
#[test]
fn a_range_that_begins_elsewhere_dates_nothing() {
    let plain: Vec<u32> = (0..12).map(|n| (1 << 31) + n * 90_000).collect();
    for (timestamp, source) in [(0, UtcSource::Arrival), ((1 << 31) - 900, UtcSource::RangeClock)] {
        let (groups, _) = seconds(Policy::Auto, &plain, |n, timeline| {
            if n == 0 {
                timeline.anchor(UtcSource::RangeClock, timestamp, NOW);
            }
        });
        assert!(samples(&groups).iter().all(|s| s.utc.source == source), "{timestamp}");
    }
}
