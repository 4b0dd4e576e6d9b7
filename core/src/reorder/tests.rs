#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;

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
    let (out, reorder) = run(windowed(), core::iter::once(0).chain(2..300));
    assert_eq!(out[1], (2, 1, false));
    assert_eq!(out.len(), 299);
    assert!(reorder.held.len() <= WINDOW + 1);
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
        let mut reorder = if use_window { windowed() } else { Reorder::in_order() };
        let mut out = Vec::new();
        let mut now = 0;
        for (ssrc, kind, sequence, later) in packets {
            now += later;
            feed(&mut reorder, &packet(ssrc, kind, sequence), Micros(now), &mut out);
            prop_assert!(reorder.held.len() <= WINDOW);
        }
    }
}
