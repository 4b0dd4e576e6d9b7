#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::time::NtpTime;

fn packet(ssrc: u32, payload_type: u8, sequence: u16) -> [u8; 13] {
    let mut bytes = [0x80, payload_type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x65];
    bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
    bytes[8..12].copy_from_slice(&ssrc.to_be_bytes());
    bytes
}

/// Number, packets lost before it, restart.
type Seen = (u16, u32, bool);

fn feed(reorder: &mut Reorder, bytes: &[u8], at: Micros, out: &mut Vec<Seen>) {
    let seen = |o: Ordered<'_>| (o.packet.sequence, o.lost_before, o.restart);
    out.extend(reorder.push(bytes, at).map(seen));
    while let Some(ordered) = reorder.pull() {
        out.push(seen(ordered));
    }
}

fn run(mut reorder: Reorder, sequences: impl IntoIterator<Item = u16>) -> (Vec<Seen>, Reorder) {
    let mut out = Vec::new();
    for sequence in sequences {
        feed(&mut reorder, &packet(1, 96, sequence), Micros(0), &mut out);
    }
    reorder.finish();
    while let Some(o) = reorder.pull() {
        out.push((o.packet.sequence, o.lost_before, o.restart));
    }
    (out, reorder)
}

fn windowed() -> Reorder {
    Reorder::windowed(&Limits::default())
}

/// At most 64 may wait.
fn narrow() -> Reorder {
    Reorder::windowed(&Limits { reorder_packets: 64, ..Limits::default() })
}

fn strict() -> Reorder {
    Reorder::in_order().with_policy(Policy::Strict)
}

#[test]
fn gaps_are_counted_across_the_wrap() {
    let (out, reorder) = run(Reorder::in_order(), [65_534, 65_535, 2, 2, 3]);
    assert_eq!(out, [(65_534, 0, false), (65_535, 0, false), (2, 2, false), (3, 0, false)]);
    assert_eq!(reorder.stats(), Stats { packets: 4, lost: 2, duplicates: 1, ..Stats::default() });
}

#[test]
fn a_numbering_that_starts_again_is_followed() {
    // Far behind: at once over TCP, at the second packet over UDP.
    let (out, _) = run(Reorder::in_order(), [5_000, 5_001, 10, 11]);
    assert_eq!(out[2..], [(10, 1, true), (11, 0, false)]);
    let (out, _) = run(windowed(), [5_000, 5_001, 10, 11, 12]);
    assert_eq!(out[2..], [(11, 1, true), (12, 0, false)]);
    // A little behind: late, until it goes on too long.
    let (out, reorder) = run(Reorder::in_order(), (100..150).chain(100..150));
    assert_eq!(out[50], (131, 1, true));
    assert_eq!(reorder.stats().duplicates, 31);
}

#[test]
fn what_waits_of_the_old_numbering_goes_before_the_new() {
    let (out, _) = run(windowed(), [5_000, 5_002, 10, 11, 12]);
    assert_eq!(out, [(5_000, 0, false), (5_002, 1, false), (11, 1, true), (12, 0, false)]);
}

/// GeoVision: type 50, numbered as the packet before.
#[test]
fn foreign_payload_types_do_not_count() {
    let mut reorder = Reorder::in_order().with_payload_type(96);
    let mut out = Vec::new();
    for (kind, sequence) in [(96, 1), (50, 1), (96, 2), (50, 2), (96, 3)] {
        feed(&mut reorder, &packet(1, kind, sequence), Micros(0), &mut out);
    }
    assert_eq!(out, [(1, 0, false), (2, 0, false), (3, 0, false)]);
    assert_eq!(reorder.quirks().get(Quirk::ForeignPayloadType), 2);
    assert_eq!(reorder.stats().duplicates, 0);
}

/// Reolink RLC-410: a former session's packets between ours.
#[test]
fn a_former_sessions_packets_are_dropped() {
    let mut reorder = Reorder::in_order();
    let mut out = Vec::new();
    for n in 0..100 {
        feed(&mut reorder, &packet(1, 96, n), Micros(0), &mut out);
        feed(&mut reorder, &packet(2, 96, 9_000 + n), Micros(0), &mut out);
    }
    assert_eq!(out.len(), 100);
    assert!(out.iter().all(|(_, lost, restart)| (*lost, *restart) == (0, false)));
    assert_eq!(reorder.quirks().get(Quirk::ForeignSsrc), 100);
}

#[test]
fn an_ssrc_that_changes_is_followed() {
    let change = |prepare: &dyn Fn(&mut Reorder), at: Micros| {
        let mut reorder = Reorder::in_order();
        let mut out = Vec::new();
        feed(&mut reorder, &packet(1, 96, 7), Micros(0), &mut out);
        prepare(&mut reorder);
        for n in 0..600 {
            feed(&mut reorder, &packet(2, 96, 500 + n), at, &mut out);
        }
        assert_eq!(reorder.ssrc(), Some(2));
        out[1]
    };
    assert_eq!(change(&|_| (), Micros(300_000)), (515, 1, true), "silently: when ours has paused");
    assert_eq!(change(&|_| (), Micros(0)), (1_011, 1, true), "without a clock: when it has gone on");
    assert_eq!(change(&|r| r.goodbye(1), Micros(0)), (500, 1, true), "after BYE: at once");
    assert_eq!(change(&|_| (), Micros(3_000_000)), (500, 1, true), "after silence: at once");
}

/// Some cameras announce one SSRC and send another.
#[test]
fn the_announced_ssrc_is_only_a_hint() {
    let (out, reorder) = run(Reorder::in_order().with_ssrc(99), [1, 2]);
    assert_eq!(out.len(), 2);
    assert_eq!(reorder.ssrc(), Some(1));
    // Others start with a wrong one, and then send what they announced.
    let mut reorder = Reorder::in_order().with_ssrc(99);
    let mut out = Vec::new();
    for (ssrc, sequence) in [(1, 7), (99, 40), (1, 8), (99, 41)] {
        feed(&mut reorder, &packet(ssrc, 96, sequence), Micros(0), &mut out);
    }
    assert_eq!(out, [(7, 0, false), (40, 1, true), (41, 0, false)]);
}

#[test]
fn what_is_not_rtp_is_counted() {
    let mut reorder = Reorder::in_order();
    assert!(reorder.push(&[1, 2, 3], Micros(0)).is_none());
    assert_eq!(reorder.quirks().get(Quirk::BadRtp), 1);
}

/// Which number is the first is known only when some have come.
#[test]
fn over_udp_the_first_packets_are_put_in_order_too() {
    let (out, reorder) = run(windowed(), [20, 22, 18, 21, 19].into_iter().chain(23..100));
    assert!(out.iter().map(|s| s.0).eq(18..100));
    assert!(out.iter().all(|s| s.1 == 0 && !s.2));
    assert_eq!(reorder.stats(), Stats { packets: 82, reordered: 3, ..Stats::default() });
}

#[test]
fn the_window_is_bounded() {
    let (out, reorder) = run(narrow(), core::iter::once(0).chain(2..300));
    assert_eq!(out[1], (2, 1, false));
    assert_eq!(out.len(), 299);
    assert!(reorder.held.len() <= 65);
}

/// GeoVision's packets of type 50, a former session's, a numbering that starts again: what is dropped leaves a mark,
/// and what RFC 3550 does not follow at once is not.
#[test]
fn a_strict_receiver_marks_what_it_drops() {
    let mut out = Vec::new();
    let mut reorder = strict().with_payload_type(96);
    for (ssrc, kind, sequence) in [(1, 96, 1), (1, 50, 1), (1, 96, 2), (2, 96, 9), (1, 96, 3), (1, 96, 4)] {
        feed(&mut reorder, &packet(ssrc, kind, sequence), Micros(0), &mut out);
    }
    assert_eq!(out, [(1, 0, false), (2, 1, false), (3, 1, false), (4, 0, false)]);
    assert_eq!((reorder.stats().lost, reorder.quirks().get(Quirk::ForeignSsrc)), (0, 1));
    let (out, _) = run(strict(), [5_000, 5_001, 10, 11]);
    assert_eq!(out[2..], [(11, 1, true)]);
    let (out, _) = run(strict(), (100..150).chain(100..152));
    assert_eq!(out[50..], [(150, 0, false), (151, 0, false)]);
    let (out, reorder) = run(strict().with_ssrc(99), [1, 2]);
    assert_eq!((out.len(), reorder.quirks().get(Quirk::OtherSsrc)), (0, 2));
    let mut reorder = strict();
    let mut out = Vec::new();
    feed(&mut reorder, &packet(1, 96, 7), Micros(0), &mut out);
    (0..600).for_each(|n| feed(&mut reorder, &packet(2, 96, n), Micros(9_000_000), &mut out));
    assert_eq!(out.len(), 1, "the SSRC changed without a goodbye");
    reorder.goodbye(1);
    feed(&mut reorder, &packet(2, 96, 600), Micros(9_000_000), &mut out);
    assert_eq!(out[1], (600, 1, true));
}

#[test]
fn a_missing_packet_is_waited_for_by_the_clock() {
    let mut reorder = windowed();
    let mut out = Vec::new();
    feed(&mut reorder, &packet(1, 96, 0), Micros(1_000), &mut out);
    assert_eq!((out.len(), reorder.poll_timeout()), (0, Some(Micros(21_000))), "who is first?");
    reorder.handle_timeout(Micros(20_999));
    assert!(reorder.pull().is_none());
    reorder.handle_timeout(Micros(21_000));
    assert_eq!(reorder.pull().map(|o| (o.packet.sequence, o.received)), Some((0, Micros(1_000))));
    // Nothing is missing: it is lent back at once.
    let bytes = packet(1, 96, 1);
    let lent = reorder.push(&bytes, Micros(30_000)).unwrap();
    assert!(core::ptr::eq(lent.packet.payload, &raw const bytes[12..]));
    assert_eq!(reorder.poll_timeout(), None);
    feed(&mut reorder, &packet(1, 96, 3), Micros(40_000), &mut out);
    feed(&mut reorder, &packet(1, 96, 5), Micros(60_000), &mut out);
    assert_eq!((out.len(), reorder.poll_timeout()), (0, Some(Micros(140_000))));
    reorder.handle_timeout(Micros(140_000));
    assert_eq!(reorder.pull().map(|o| (o.packet.sequence, o.lost_before)), Some((3, 1)));
    assert!(reorder.pull().is_none(), "4 was missed later");
    feed(&mut reorder, &packet(1, 96, 2), Micros(141_000), &mut out);
    feed(&mut reorder, &packet(1, 96, 2), Micros(141_000), &mut out);
    feed(&mut reorder, &packet(1, 96, 4), Micros(142_000), &mut out);
    assert_eq!(out, [(4, 0, false), (5, 0, false)]);
    let expected = Stats { packets: 5, lost: 1, late: 1, duplicates: 1, reordered: 1, ..Stats::default() };
    assert_eq!(Stats { jitter: 0, ..reorder.stats() }, expected);
}

#[test]
fn losses_are_waited_for_ever_less_until_one_comes_late() {
    let mut reorder = windowed();
    let mut out = Vec::new();
    let (mut now, mut sequence) = (0, 0);
    let wait = |reorder: &mut Reorder, now: &mut u64, sequence: &mut u16, out: &mut Vec<Seen>| {
        feed(reorder, &packet(1, 96, *sequence), Micros(*now), out);
        let due = reorder.poll_timeout().unwrap();
        let waited = due.since(Micros(*now));
        reorder.handle_timeout(due);
        while reorder.pull().is_some() {}
        (*now, *sequence) = (due.0 + 1_000, *sequence + 2);
        waited
    };
    wait(&mut reorder, &mut now, &mut sequence, &mut out);
    assert_eq!(wait(&mut reorder, &mut now, &mut sequence, &mut out), 100_000);
    let last = (0..80).map(|_| wait(&mut reorder, &mut now, &mut sequence, &mut out)).last();
    assert!(last.is_some_and(|last| (20_000..21_000).contains(&last)), "{last:?}");
    feed(&mut reorder, &packet(1, 96, sequence - 3), Micros(now), &mut out);
    assert_eq!(reorder.stats().late, 1);
    assert_eq!(wait(&mut reorder, &mut now, &mut sequence, &mut out), 100_000);
}

fn stamped(sequence: u16, timestamp: u32) -> [u8; 13] {
    let mut bytes = packet(1, 96, sequence);
    bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
    bytes
}

/// RFC 3550 appendix A.8 with numbers worked out by hand, across the wrap of the timestamp.
#[test]
fn jitter_is_that_of_the_rfc() {
    let mut reorder = Reorder::in_order();
    let first = u32::MAX - 3_000;
    // Every 40 ms, each second one 8 ms (720 ticks) late.
    let (mut sixteenths, mut late) = (0_u32, 0);
    for n in 0..200_u32 {
        let now = u64::from(n) * 40_000 + u64::from(n % 2) * 8_000;
        assert!(reorder.push(&stamped(n as u16, first.wrapping_add(n * 3_600)), Micros(now)).is_some());
        if n > 0 {
            sixteenths = sixteenths + 720 - ((sixteenths + 8) >> 4);
            late += 1;
        }
    }
    assert_eq!(late, 199);
    let block = reorder.report_block(Micros(0)).unwrap();
    assert_eq!(block.jitter, sixteenths >> 4);
    assert!((700..=720).contains(&block.jitter), "{}", block.jitter);
    assert!((7_700..=8_000).contains(&reorder.stats().jitter));
    // A stray hours off leaves it as it was.
    assert!(reorder.push(&stamped(200, first.wrapping_add(1 << 30)), Micros(8_000_000)).is_some());
    assert!(reorder.stats().jitter <= 8_000);
}

/// RFC 3550 appendix A.3.
#[test]
fn a_report_block_says_what_came() {
    let mut reorder = windowed();
    let mut out = Vec::new();
    assert_eq!(reorder.report_block(Micros(0)), None);
    for n in (65_500..65_536_u32).chain(0..100).filter(|n| ![10, 11, 12, 13].contains(n)) {
        feed(&mut reorder, &packet(1, 96, n as u16), Micros(u64::from(n) / 64), &mut out);
    }
    feed(&mut reorder, &packet(1, 96, 50), Micros(2_000), &mut out); // Twice.
    let report = SenderReport { ssrc: 1, ntp: NtpTime(0x1122_3344_5566_7788), ..SenderReport::default() };
    assert!(reorder.sender_report(&report, Micros(1_000_000)));
    let block = reorder.report_block(Micros(2_500_000)).unwrap();
    assert_eq!((block.ssrc, block.highest_sequence), (1, 0x1_0000 + 99));
    // 136 expected; 132 and one twice received.
    assert_eq!((block.lost, block.fraction_lost), (3, (3 * 256 / 136) as u8));
    assert_eq!((block.last_report, block.delay), (0x3344_5566, 65_536 * 3 / 2));
    // One of those missing comes while what is behind it still waits: all that has come counts.
    feed(&mut reorder, &packet(1, 96, 10), Micros(3_000), &mut out);
    feed(&mut reorder, &packet(1, 96, 100), Micros(3_000), &mut out);
    let block = reorder.report_block(Micros(2_500_000)).unwrap();
    assert_eq!((block.lost, block.fraction_lost, block.highest_sequence), (2, 0, 0x1_0000 + 100));
}

/// Tapo C320WS: RTCP under another SSRC. A former session's timestamps are others.
#[test]
fn a_report_under_another_ssrc_is_known_by_its_timestamp() {
    let near = SenderReport { ssrc: 9, rtp_timestamp: 180_000, ..SenderReport::default() };
    let far = SenderReport { rtp_timestamp: 1 << 30, ..near };
    for (policy, taken) in [(Policy::Auto, true), (Policy::Strict, false)] {
        let mut reorder = Reorder::in_order().with_policy(policy);
        assert!(reorder.push(&stamped(1, 90_000), Micros(5_000_000)).is_some());
        assert_eq!(reorder.sender_report(&near, Micros(6_000_000)), taken);
        assert_eq!(reorder.quirks().get(Quirk::ForeignReport), 1);
        assert!(!reorder.sender_report(&far, Micros(6_000_000)));
        assert_eq!(reorder.quirks().get(Quirk::ForeignSsrc), 1);
        // Once its own come, others are not its own.
        assert!(reorder.sender_report(&SenderReport { ssrc: 1, ..far }, Micros(7_000_000)));
        assert!(!reorder.sender_report(&near, Micros(7_000_000)));
    }
}

/// Packets that arrive so, each at its time; what comes out and when.
fn by_the_clock(reorder: &mut Reorder, arrivals: &[(u64, u16)]) -> Vec<(u64, Micros, u16, u32)> {
    let mut out = Vec::new();
    let drain = |reorder: &mut Reorder, now: u64, out: &mut Vec<_>| {
        while let Some(o) = reorder.pull() {
            out.push((now, o.received, o.packet.sequence, o.lost_before));
        }
    };
    for (at, sequence) in arrivals.iter().copied().chain([(u64::MAX, 0)]) {
        while let Some(due) = reorder.poll_timeout().filter(|due| due.0 < at) {
            reorder.handle_timeout(due);
            drain(reorder, due.0, &mut out);
        }
        if at < u64::MAX {
            let bytes = packet(1, 96, sequence);
            let ordered = reorder.push(&bytes, Micros(at));
            out.extend(ordered.map(|o| (at, o.received, o.packet.sequence, o.lost_before)));
            drain(reorder, at, &mut out);
        }
    }
    out
}

proptest! {
    /// Any order within the window comes out whole and sorted.
    #[test]
    fn shuffled_is_sorted(start: u16, swaps in prop::collection::vec((0_usize..300, 1_usize..32), 0..64), twice: bool) {
        let mut order: Vec<u16> = (0..300).map(|n| start.wrapping_add(n)).collect();
        // Blocks of 32 do not overlap, so nothing moves further than the window.
        for (at, by) in swaps {
            let (a, b) = (at, (at / 32 * 32 + (at % 32 + by) % 32).min(299));
            if a > 0 && b > 0 { order.swap(a, b); }
        }
        let doubled = order.iter().flat_map(|n| core::iter::repeat_n(*n, 1 + usize::from(twice)));
        let (out, reorder) = run(windowed(), doubled);
        prop_assert!(out.iter().map(|s| s.0).eq((0..300).map(|n| start.wrapping_add(n))));
        prop_assert!(out.iter().all(|s| s.1 == 0 && !s.2));
        prop_assert_eq!(reorder.stats().lost, 0);
        prop_assert_eq!(reorder.stats().duplicates, if twice { 300 } else { 0 });
    }

    /// Any jitter: sorted, no packet kept longer than allowed, each lost one counted once and at its place.
    #[test]
    fn jitter_and_loss_by_the_clock(
        start: u16,
        packets in prop::collection::vec((0_u64..150_000, prop::bool::weighted(0.9), prop::bool::weighted(0.1)), 2..400),
        jitter in 1_u64..150_000,
    ) {
        let mut arrivals: Vec<(u64, u16)> = Vec::new();
        for (n, (late, kept, twice)) in packets.iter().enumerate() {
            let (at, sequence) = (n as u64 * 2_000 + late % jitter, start.wrapping_add(n as u16));
            let copies = if !kept { 0 } else { 1 + usize::from(*twice) };
            arrivals.extend((0..copies).map(|copy| (at + copy as u64 * 700, sequence)));
        }
        arrivals.sort_by_key(|(at, _)| *at);
        let mut reorder = windowed();
        let out = by_the_clock(&mut reorder, &arrivals);
        prop_assume!(!out.is_empty());
        let stats = reorder.stats();
        for (now, received, sequence, _) in &out {
            prop_assert!(now - received.0 <= 100_000, "{} waited for {}", sequence, now - received.0);
        }
        for pair in out.windows(2) {
            prop_assert_eq!(i32::from(sequence_distance(pair[0].2, pair[1].2)), 1 + pair[1].3 as i32);
        }
        prop_assert_eq!(stats.packets, out.len() as u64);
        prop_assert_eq!(stats.lost, out.iter().map(|o| u64::from(o.3)).sum::<u64>());
        // What came in is given, late or there twice.
        prop_assert_eq!(stats.packets + stats.late + stats.duplicates, arrivals.len() as u64);
        // What came soon enough is never given up: at least the share of the longest wait that is always left.
        if jitter < 18_000 {
            prop_assert_eq!(stats.late, 0);
            let given: alloc::collections::BTreeSet<u16> = out.iter().map(|o| o.2).collect();
            prop_assert!(arrivals.iter().all(|(_, sequence)| given.contains(sequence)));
        }
    }

    /// Whatever is lost is counted where it is missing.
    #[test]
    fn loss_adds_up(kept in prop::collection::vec(prop::bool::weighted(0.8), 2..400), use_window: bool) {
        let mut sent: Vec<u16> = (0..).zip(&kept).filter(|(_, k)| **k).map(|(n, _)| n).collect();
        sent.insert(0, u16::MAX);
        let (out, _) = run(if use_window { windowed() } else { Reorder::in_order() }, sent.clone());
        prop_assert!(out.iter().map(|s| s.0).eq(sent.iter().copied()));
        for pair in sent.windows(2).zip(&out[1..]) {
            let (pair, (_, lost, _)) = pair;
            prop_assert_eq!(u32::from(pair[1].wrapping_sub(pair[0]) - 1), *lost);
        }
    }

    #[test]
    fn any_packets_are_survived(packets in prop::collection::vec((0_u32..3, 95_u8..98, any::<u16>(), 0_u64..4_000_000), 0..300), use_window: bool) {
        let mut reorder = if use_window { narrow() } else { Reorder::in_order() };
        let mut out = Vec::new();
        let mut now = 0;
        for (ssrc, kind, sequence, later) in packets {
            now += later;
            feed(&mut reorder, &packet(ssrc, kind, sequence), Micros(now), &mut out);
            prop_assert!(reorder.held.len() <= 64);
        }
    }
}
