//! Profiles of packets, payloads and times.

use super::Check;
use super::Check::{Asked, Played};
use super::client::{Chunk, Client, Rtp, TCP, Wire, field};

const OLD: u32 = 0x0bad_cafe;

/// Pictures of a session in the order they came: packets with one timestamp each.
fn pictures(wire: &Wire) -> Vec<Vec<Rtp<'_>>> {
    let mut pictures: Vec<Vec<Rtp<'_>>> = Vec::new();
    for packet in wire.rtp() {
        match pictures.last_mut() {
            Some(last) if last[0].timestamp() == packet.timestamp() => last.push(packet),
            _ => pictures.push(vec![packet]),
        }
    }
    pictures
}

/// What each of two neighbours is to the next.
fn pairs<T>(items: &[T], fits: impl Fn(&T, &T) -> bool) -> usize {
    items.windows(2).filter(|pair| fits(&pair[0], &pair[1])).count()
}

fn word(report: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(report[at..at + 4].try_into().unwrap())
}

/// The timestamp of the first RTP packet after each report.
fn after_reports(wire: &Wire) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    let mut report = None;
    for chunk in &wire.chunks {
        match chunk {
            Chunk::Packet(1, bytes) if bytes[1] == 200 => report = Some(word(bytes, 16)),
            Chunk::Packet(0, bytes) => {
                found.extend(report.take().map(|told| (told, Rtp(bytes).timestamp())));
            }
            _ => {}
        }
    }
    found
}

fn sps(packet: &Rtp<'_>) -> bool {
    packet.kind() == 7
}

/// Of the answer to OPTIONS, DESCRIBE, SETUP, PLAY: the packets before it.
fn before(wire: &Wire, answer: usize) -> Vec<u32> {
    let ssrc = |chunk: &Chunk| match chunk {
        Chunk::Packet(0, bytes) => Some(Rtp(bytes).ssrc()),
        _ => None,
    };
    wire.before_answer(answer).iter().filter_map(ssrc).collect()
}

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("stale-connection", Played(|wire| before(wire, 0) == [OLD; 4] && before(wire, 1) == [OLD; 4])),
    (
        "foreign-ssrc",
        Played(|wire| {
            let old = wire.rtp().iter().filter(|p| p.ssrc() == OLD).count();
            old == 120 && wire.rtp().len() > 2 * old
        }),
    ),
    (
        "rtp-before-play",
        Played(|wire| {
            let first = before(wire, 3);
            before(wire, 2).len() == 1 && !first.is_empty() && first.iter().all(|s| *s == first[0])
        }),
    ),
    ("unknown-channel", Played(|wire| wire.on(6).len() == 120)),
    (
        "lost-framing",
        // A client that believes the lengths finds itself in the middle of something.
        Played(|wire| wire.chunks.contains(&Chunk::Loose) || wire.rtp().iter().any(|p| p.0[0] >> 6 != 2)),
    ),
    (
        "wrong-first-ssrc",
        Played(|wire| {
            let all = wire.rtp();
            all[0].ssrc() == OLD && all[1..].iter().all(|p| p.ssrc() == all[1].ssrc() && p.ssrc() != OLD)
        }),
    ),
    (
        "rtcp-flood",
        Played(|wire| {
            // Said to have 65 520 words.
            let flood = |p: &&[u8]| p.len() == 6_000 && p[..4] == [0x81, 204, 0xff, 0xf0];
            wire.on(1).into_iter().filter(|p| flood(p)).count() == 96
        }),
    ),
    (
        "foreign-payload-type",
        Played(|wire| {
            let same = |a: &Rtp<'_>, b: &Rtp<'_>| {
                a.marker() && a.payload_type() == 96 && b.payload_type() == 50 && a.sequence() == b.sequence()
            };
            pairs(&wire.rtp(), same) == 120
        }),
    ),
    ("early-marker", Played(|wire| wire.rtp().iter().filter(|p| matches!(p.kind(), 6..=8)).all(Rtp::marker))),
    (
        "timestamp-inside",
        Played(|wire| {
            // A PPS or SEI and the IDR picture after it, a picture apart.
            let apart = |a: &Rtp<'_>, b: &Rtp<'_>| {
                let idr = b.kind() == 5 || b.fragment().is_some_and(|f| f & 0x9f == 0x85);
                idr && b.timestamp().wrapping_sub(a.timestamp()) == 450
            };
            pairs(&wire.rtp(), apart) >= 2
        }),
    ),
    ("no-marker", Played(|wire| !wire.rtp().is_empty() && !wire.rtp().iter().any(Rtp::marker))),
    (
        "whole-fragmentation-unit",
        Played(|wire| wire.rtp().iter().filter(|p| p.fragment().is_some_and(|f| f >> 6 == 3)).count() > 100),
    ),
    (
        "fragment-type-changed",
        Played(|wire| {
            let changed = |a: &Rtp<'_>, b: &Rtp<'_>| match (a.fragment(), b.fragment()) {
                (Some(a), Some(b)) => a & 0x80 != 0 && b & 0x80 == 0 && a & 0x1f != b & 0x1f,
                _ => false,
            };
            pairs(&wire.rtp(), changed) > 2
        }),
    ),
    (
        "reserved-bit",
        Played(|wire| {
            let fragments: Vec<u8> = wire.rtp().iter().filter_map(Rtp::fragment).collect();
            fragments.len() > 10 && fragments.iter().all(|f| f & 0x20 != 0)
        }),
    ),
    (
        "embedded-start-code",
        Played(|wire| {
            // In one payload: type 7 first, then a start code and a PPS.
            let holds = |p: &Rtp<'_>| {
                let bytes = p.payload();
                let first = p.fragment().map_or(p.kind(), |f| f & 0x1f);
                first == 7 && bytes.windows(5).any(|w| w[..4] == [0, 0, 0, 1] && w[4] & 0x1f == 8)
            };
            wire.rtp().iter().any(holds)
        }),
    ),
    (
        "padded-aggregation",
        Played(|wire| wire.rtp().iter().any(|p| p.kind() == 24 && p.payload().ends_with(&[0; 6]))),
    ),
    (
        "empty-payload",
        Played(|wire| {
            let empty = |p: &&Rtp<'_>| p.kind() == 28 && p.payload().len() == 2;
            wire.rtp().iter().filter(empty).count() > 2
                && pairs(&wire.rtp(), |a, b| b.sequence().wrapping_sub(a.sequence()) != 1) == 0
        }),
    ),
    ("large-packets", Played(|wire| wire.rtp().iter().any(|p| p.0.len() > 2_000))),
    (
        "dropped-packets",
        Played(|wire| pairs(&wire.rtp(), |a, b| b.sequence().wrapping_sub(a.sequence()) == 2) == 1),
    ),
    (
        "sequence-restarts",
        Played(|wire| {
            let back = 0_u16.wrapping_sub(40_000).wrapping_add(1);
            pairs(&wire.rtp(), |a, b| b.sequence().wrapping_sub(a.sequence()) == back) == 1
        }),
    ),
    (
        "no-end-bit",
        Played(|wire| {
            let fragments: Vec<u8> = wire.rtp().iter().filter_map(Rtp::fragment).collect();
            fragments.len() > 10 && fragments.iter().all(|f| f & 0x40 == 0)
        }),
    ),
    (
        "trailing-bytes",
        Played(|wire| {
            let all = wire.rtp();
            let mut sets = all.iter().filter(|p| sps(p)).peekable();
            sets.peek().is_some() && sets.all(|p| p.payload().ends_with(&[0x9e, 0x21, 0x18, 0x60]))
        }),
    ),
    (
        "trailing-zeros",
        Played(|wire| {
            let all = wire.rtp();
            let mut sets = all.iter().filter(|p| p.kind() == 8).peekable();
            sets.peek().is_some() && sets.all(|p| p.payload().ends_with(&[0; 3]))
        }),
    ),
    (
        "changing-sets",
        Played(|wire| {
            let all = wire.rtp();
            let sets: Vec<&[u8]> = all.iter().filter(|p| sps(p)).map(|p| &p.0[12..]).collect();
            // One bit, behind profile and level.
            let bits = |a: &&[u8], b: &&[u8]| {
                let differing: u32 = a.iter().zip(*b).map(|(a, b)| (a ^ b).count_ones()).sum();
                a.len() == b.len() && a[..4] == b[..4] && differing == 1
            };
            sets.len() == 3 && pairs(&sets, bits) == 2
        }),
    ),
    (
        "sei-alone",
        Played(|wire| {
            pictures(wire).iter().filter(|p| p.len() == 1 && p[0].kind() == 6 && p[0].marker()).count() == 12
        }),
    ),
    (
        "deeper-reorder",
        Played(|wire| {
            let back = |a: &Vec<Rtp<'_>>, b: &Vec<Rtp<'_>>| {
                (b[0].timestamp().wrapping_sub(a[0].timestamp()) as i32) < 0
            };
            let all = wire.rtp();
            let sets: Vec<&[u8]> = all.iter().filter(|p| sps(p)).map(|p| &p.0[12..]).collect();
            // Too short to hold a VUI: what the encoder wrote has 20 bytes and more.
            pairs(&pictures(wire), back) > 10 && !sets.is_empty() && sets.iter().all(|s| s.len() < 14)
        }),
    ),
    (
        "missing-parameter-set",
        Played(|wire| {
            let all = wire.rtp();
            let first = all.iter().position(sps).expect("an SPS");
            let key = |p: &Rtp<'_>| p.kind() == 5 || p.fragment().is_some_and(|f| f & 0x9f == 0x85);
            all.iter().position(key).expect("a key picture") < first
        }),
    ),
    (
        "bad-parameter-set",
        Played(|wire| wire.rtp().iter().any(|p| p.payload().starts_with(&[0x67, 100, 0, 31, 0x03, 0xff]))),
    ),
    (
        "rtcp-foreign-ssrc",
        Played(|wire| {
            let media = wire.rtp()[0].ssrc();
            !wire.reports().is_empty() && wire.reports().iter().all(|r| word(r, 4) == media ^ 1)
        }),
    ),
    (
        "unterminated-sdes",
        Played(|wire| {
            // 28 bytes of report; then a description of three words: SSRC, item 1 of six bytes, and no null.
            let open =
                |r: &&[u8]| r.len() == 44 && r[28..32] == [0x81, 202, 0, 3] && r[36..] == *b"\x01\x06camera";
            !wire.reports().is_empty() && wire.reports().iter().all(open)
        }),
    ),
    (
        "stray-timestamp",
        Played(|wire| {
            let far = |a: &Vec<Rtp<'_>>, b: &Vec<Rtp<'_>>| {
                b[0].timestamp().wrapping_sub(a[0].timestamp()) == 1_296_000_450
            };
            pairs(&pictures(wire), far) == 3
        }),
    ),
    (
        "timestamp-leap",
        Played(|wire| {
            let leap = |a: &Vec<Rtp<'_>>, b: &Vec<Rtp<'_>>| {
                a[0].timestamp().wrapping_sub(b[0].timestamp()) == 1_296_000_000 - 450
            };
            pairs(&pictures(wire), leap) == 1
        }),
    ),
    (
        "clock-step",
        Played(|wire| {
            let seconds: Vec<u32> = wire.reports().iter().map(|r| word(r, 8)).collect();
            pairs(&seconds, |a, b| (3_599..=3_602).contains(&b.wrapping_sub(*a))) == 1
        }),
    ),
    ("no-sender-report", Played(|wire| wire.on(1).is_empty() && !wire.rtp().is_empty())),
    (
        "sender-report-ahead",
        Played(|wire| {
            let ahead: Vec<i32> =
                after_reports(wire).iter().map(|(told, media)| told.wrapping_sub(*media) as i32).collect();
            ahead.len() == 3 && ahead[1] > 800_000 && ahead[0].abs() < 90_000 && ahead[2].abs() < 90_000
        }),
    ),
    (
        "bad-sender-report",
        Played(|wire| {
            !wire.reports().is_empty() && wire.reports().iter().all(|r| word(r, 8) == 0 && word(r, 12) == 0)
        }),
    ),
    (
        "equal-timestamps",
        Played(|wire| {
            let ends = wire.rtp().iter().filter(|p| p.marker()).count();
            ends == 120 && pictures(wire).len() == 60
        }),
    ),
    (
        "frozen-timestamp",
        Played(|wire| !wire.rtp().is_empty() && wire.rtp().iter().all(|p| p.timestamp() == 0)),
    ),
    (
        "nominal-timestamps",
        Played(|wire| {
            // 450 ticks apart when taken; 21/25 of that as stamped.
            let all = pictures(wire);
            let span = all[all.len() - 1][0].timestamp().wrapping_sub(all[0][0].timestamp());
            all.len() == 120 && span.abs_diff(119 * 450 * 21 / 25) < 450 && wire.on(1).is_empty()
        }),
    ),
    (
        "long-gop",
        Asked(|client| {
            client.start();
            let began = std::time::Instant::now();
            client.drain(std::time::Duration::from_secs(10));
            // One key picture, and the next a second later.
            pictures(client.wire()).len() == 2 && began.elapsed().as_millis() > 700
        }),
    ),
    ("two-sessions", Asked(third_is_refused)),
];

/// Two viewers are set up, and a third is not.
fn third_is_refused(client: &mut Client) -> bool {
    let status = |client: &mut Client| {
        client.describe();
        let uri = format!("{}/video", client.url);
        let (head, _) = client.ask("SETUP", &uri, TCP).unwrap();
        (head.split(' ').nth(1).unwrap().to_owned(), field(&head, "Session").is_some())
    };
    let first = status(client);
    let mut second = client.again();
    let second_status = status(&mut second);
    let third = status(&mut client.again());
    first == ("200".to_owned(), true) && second_status == first && third == ("453".to_owned(), false)
}
