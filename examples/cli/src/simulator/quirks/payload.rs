//! Lines 75 to 87: RTP packets and payloads.

use vigie::fault::Quirk;

use super::packet::{Item, Packet, Shot, Unit, rtp};
use super::{Act, Memory, Profile};

pub(super) const PROFILES: &[Profile] = &[
    Profile::new(
        "early-marker",
        "75",
        "Tapo TC70, Reolink Duo 2, Ivel LV-IP22",
        "sets the marker bit on parameter sets and SEI messages",
    )
    .quirk(Quirk::EarlyMarker)
    .acts(&[Act::Shot(alone), Act::Packets(early_marker)]),
    Profile::new(
        "timestamp-inside",
        "76",
        "Reolink RLC-822A, RLC-410",
        "sends parameter sets with the timestamp of the picture before",
    )
    .quirk(Quirk::TimestampInside)
    .acts(&[Act::Shot(|shot, memory| {
        if !shot.key {
            return;
        }
        for unit in shot.units.iter_mut().take_while(|unit| !unit.is_slice(memory.h265)) {
            unit.timestamp = shot.timestamp.wrapping_sub(memory.step);
        }
    })]),
    Profile::new("no-marker", "77", "FLIR M400", "never sets the marker bit")
        .quirk(Quirk::NoMarker)
        .acts(&[Act::Packets(|items, _| rtp(items).for_each(|packet| packet.set_marker(false)))]),
    Profile::new(
        "whole-fragmentation-unit",
        "78",
        "CostarHD, OpenIPC (IMX415)",
        "sends whole NAL units as fragments with the start bit and the end bit set",
    )
    .quirk(Quirk::WholeFragmentationUnit)
    .acts(&[Act::Packets(whole_fragments)]),
    Profile::new(
        "fragment-type-changed",
        "79",
        "Tiandy",
        "gives later fragments of a NAL unit another type than the first",
    )
    .quirk(Quirk::FragmentTypeChanged)
    .acts(&[
        Act::Mtu(200),
        Act::Packets(|items, memory| {
            for packet in rtp(items) {
                let other = if memory.h265 { 1 } else { 7 };
                if let Some(header) = packet.fragment_header(memory.h265).filter(|h| **h & 0x80 == 0) {
                    *header = *header & 0xe0 | other;
                }
            }
        }),
    ]),
    Profile::new("reserved-bit", "80", "HeroSpeed", "sets the reserved bit of fragments")
        .quirk(Quirk::ReservedBit)
        .acts(&[
            Act::Mtu(200),
            Act::Packets(|items, memory| {
                for packet in rtp(items) {
                    if let Some(header) = packet.fragment_header(memory.h265) {
                        *header |= 0x20;
                    }
                }
            }),
        ]),
    Profile::new(
        "embedded-start-code",
        "81",
        "V380 and others of macro-video, Amatek AR-N3222F",
        "sends parameter sets and slice as one NAL unit, with start codes between them",
    )
    .quirk(Quirk::EmbeddedStartCode)
    .acts(&[Act::Mtu(200), Act::Shot(|shot, _| shot.units = joined(&shot.units))]),
    Profile::new("padded-aggregation", "82", "unnamed (gortsplib)", "fills aggregation packets with zeros")
        .quirk(Quirk::PaddedAggregation)
        .acts(&[
            Act::Aggregate,
            Act::Packets(|items, memory| {
                let kind = if memory.h265 { 48 << 1 } else { 24 };
                let mask = if memory.h265 { 0x7e } else { 0x1f };
                for packet in rtp(items).filter(|p| p.payload().first().is_some_and(|b| b & mask == kind)) {
                    packet.0.extend([0; 6]);
                }
            }),
        ]),
    Profile::new(
        "empty-payload",
        "83",
        "the camera of retina's issue 115",
        "sends fragments without a byte of the NAL unit in them",
    )
    .quirk(Quirk::EmptyPayload)
    .acts(&[Act::Mtu(200), Act::Packets(empty_fragments), Act::Packets(super::sets::renumber)]),
    Profile::new("large-packets", "85", "Tapo", "sends packets of ten thousand bytes, over UDP too")
        .acts(&[Act::Mtu(10_000)]),
    Profile::new(
        "dropped-packets",
        "86",
        "any, under load",
        "drops packets out of its own full buffer, over TCP too",
    )
    .acts(&[Act::Packets(|items, memory| {
        // The last picture of each second GOP: nothing refers to it.
        if memory.picture % 100 == 99 {
            memory.damaged = true;
            items.pop();
        }
    })]),
    Profile::new(
        "sequence-restarts",
        "87",
        "unnamed (gortsplib)",
        "begins to number its packets anew, at a key picture",
    )
    .quirk(Quirk::SequenceRestart)
    .acts(&[Act::Packets(|items, memory| {
        // From the second GOP on, 40 000 behind.
        let shift = if memory.picture < 50 { 0 } else { 40_000 };
        rtp(items).for_each(|packet| packet.set_sequence(packet.sequence().wrapping_sub(shift)));
    })]),
    Profile::new(
        "no-end-bit",
        "-",
        "cameras that end pictures by the marker",
        "never sets the end bit of fragments",
    )
    .quirk(Quirk::NoEndBit)
    .acts(&[
        Act::Mtu(200),
        Act::Packets(|items, memory| {
            for packet in rtp(items) {
                if let Some(header) = packet.fragment_header(memory.h265) {
                    *header &= !0x40;
                }
            }
        }),
    ]),
];

/// Each NAL unit in packets of its own.
fn alone(shot: &mut Shot, _: &mut Memory) {
    shot.units.iter_mut().for_each(|unit| unit.alone = true);
}

/// Single NAL unit packets that are no slices.
fn early_marker(items: &mut Vec<Item>, memory: &mut Memory) {
    for packet in rtp(items) {
        let first = packet.payload().first().copied().unwrap_or(0);
        let early =
            if memory.h265 { matches!(first >> 1 & 0x3f, 32..=40) } else { matches!(first & 0x1f, 6..=9) };
        if early {
            packet.set_marker(true);
        }
    }
}

/// Single NAL unit packets become fragmentation units that are first and last.
fn whole_fragments(items: &mut Vec<Item>, memory: &mut Memory) {
    for packet in rtp(items) {
        let whole = match (memory.h265, packet.payload()) {
            (false, [first, body @ ..]) if matches!(first & 0x1f, 1..=23) => {
                [&[first & 0xe0 | 28, 0xc0 | first & 0x1f], body].concat()
            }
            (true, [first, second, body @ ..]) if first >> 1 & 0x3f < 48 => {
                [&[first & 0x81 | 49 << 1, *second, 0xc0 | first >> 1 & 0x3f], body].concat()
            }
            _ => continue,
        };
        *packet = packet.with_payload(&whole);
    }
}

/// All NAL units in one, with start codes between them.
fn joined(units: &[Unit]) -> Vec<Unit> {
    let Some(first) = units.first() else { return Vec::new() };
    let nals: Vec<&[u8]> = units.iter().map(|unit| unit.nal.as_slice()).collect();
    vec![Unit { nal: nals.join(&[0, 0, 0, 1][..]), ..first.clone() }]
}

/// After the first fragment of each NAL unit, one with nothing in it.
fn empty_fragments(items: &mut Vec<Item>, memory: &mut Memory) {
    let mut out: Vec<Item> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        out.push(item.clone());
        let Item::Rtp(mut packet) = item else { continue };
        if packet.fragment_header(memory.h265).is_some_and(|header| *header & 0x80 != 0) {
            let length = if memory.h265 { 3 } else { 2 };
            let mut empty: Packet = packet.with_payload(packet.payload().get(..length).unwrap_or_default());
            if let Some(header) = empty.fragment_header(memory.h265) {
                *header &= 0x3f;
            }
            empty.set_marker(false);
            out.push(Item::Rtp(empty));
        }
    }
    *items = out;
}
