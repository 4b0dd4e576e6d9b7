//! NAL units to RTP packets and back through the whole of packetize, reorder and depacket: what goes in comes out, and
//! what is lost is missing, never made up.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bytes::BytesMut;
use proptest::prelude::*;
use vigie::depacket::Depacketizer;
use vigie::fault::{Quirk, Quirks};
use vigie::h26x::{Codec, Nal, NalKind, nal_units};
use vigie::limits::Limits;
use vigie::octets::{Reader, Write as _};
use vigie::packetize::{Framing, Packetizer};
use vigie::reorder::{Ordered, Reorder};
use vigie::time::Micros;

type NalUnit = Vec<u8>;

/// The NAL units of each access unit, whether it is marked incomplete, and the quirks.
type Read = (Vec<(Vec<NalUnit>, bool)>, Quirks);

/// A NAL unit of one codec: header and a body without start codes, not ending in zero. Parameter sets are such that
/// they do not parse (too short an SPS, too high a PPS id): the slices, which are random, shall not be read with them.
fn nal(codec: Codec, unit_type: u8, body: &[u8]) -> NalUnit {
    let mut nal = match codec {
        Codec::H264 => vec![if unit_type == 6 { 6 } else { 0x60 | unit_type }],
        Codec::H265 => vec![unit_type << 1, 1],
    };
    match (codec, unit_type) {
        (Codec::H264, 7) | (Codec::H265, 33) => nal.extend([body[0] | 1, 1]),
        (Codec::H264, 8) | (Codec::H265, 34) => nal.extend([0, 1, body[0] | 1]),
        _ => nal.extend(body.iter().map(|b| b | 1)),
    }
    nal.push(0x80);
    nal
}

/// Access units: parameter sets and SEI, then the slices of a picture.
fn units(codec: Codec) -> impl Strategy<Value = Vec<Vec<NalUnit>>> {
    let small: &[u8] = match codec {
        Codec::H264 => &[6, 7, 8, 9],
        Codec::H265 => &[32, 33, 34, 39],
    };
    let slice = if codec == Codec::H264 { 1 } else { 0 };
    let lead =
        prop::collection::vec((prop::sample::select(small), prop::collection::vec(any::<u8>(), 1..40)), 0..5);
    let slices = prop::collection::vec(prop::collection::vec(any::<u8>(), 3..600), 1..4);
    let unit = (lead, slices).prop_map(move |(lead, slices)| {
        let mut unit: Vec<_> = lead.iter().map(|(unit_type, body)| nal(codec, *unit_type, body)).collect();
        for (n, mut body) in slices.into_iter().enumerate() {
            // first_mb_in_slice 0, or first_slice_segment_in_pic_flag.
            body[0] = body[0] & 0x7f | u8::from(n == 0) << 7;
            unit.push(nal(codec, slice, &body));
        }
        unit
    });
    prop::collection::vec(unit, 1..8)
}

fn packets(codec: Codec, units: &[Vec<NalUnit>], mtu: usize, aggregate: bool) -> Vec<Vec<u8>> {
    let mut out = BytesMut::new();
    let mut packetizer = Packetizer::new(codec, 1, 96, 65_530, mtu).aggregate(aggregate);
    for (unit, timestamp) in units.iter().zip((0_u32..).step_by(3_600)) {
        let mut joined = Vec::new();
        for nal in unit {
            joined.put_u32(nal.len() as u32);
            joined.put(nal);
        }
        packetizer.packetize(&joined, timestamp, Framing::Bare, &mut out);
    }
    let mut reader = Reader::new(&out);
    let mut packets = Vec::new();
    while let Some(length) = reader.u16() {
        packets.push(reader.take(length.into()).unwrap().to_vec());
    }
    packets
}

fn through(codec: Codec, mut reorder: Reorder, packets: &[Vec<u8>]) -> Read {
    let mut depacketizer = Depacketizer::new(codec, &Limits::default());
    let mut out = Vec::new();
    let mut take = |depacketizer: &mut Depacketizer, ordered: Option<Ordered<'_>>| {
        if let Some(ordered) = &ordered {
            depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        }
        while let Some(unit) = depacketizer.pull() {
            let nals = nal_units(&unit.data).map(|nal| nal.bytes.to_vec()).collect();
            out.push((nals, unit.loss.incomplete));
        }
        ordered.is_some()
    };
    for packet in packets {
        take(&mut depacketizer, reorder.push(packet, Micros(0)));
        while take(&mut depacketizer, reorder.pull()) {}
    }
    reorder.finish();
    while take(&mut depacketizer, reorder.pull()) {}
    depacketizer.finish();
    take(&mut depacketizer, None);
    (out, depacketizer.quirks().clone())
}

fn slices(codec: Codec, nals: &[NalUnit]) -> Vec<NalUnit> {
    nals.iter().filter(|nal| Nal::new(nal).kind(codec) == NalKind::Slice).cloned().collect()
}

fn stream() -> impl Strategy<Value = (Codec, Vec<Vec<NalUnit>>)> {
    prop::sample::select(vec![Codec::H264, Codec::H265]).prop_flat_map(|codec| (Just(codec), units(codec)))
}

proptest! {
    #[test]
    fn packetized_and_back_is_the_same((codec, units) in stream(), mtu in 64_usize..400, aggregate: bool) {
        let (read, quirks) = through(codec, Reorder::in_order(), &packets(codec, &units, mtu, aggregate));
        prop_assert!(read.iter().all(|(_, incomplete)| !incomplete));
        let read: Vec<_> = read.into_iter().map(|(nals, _)| nals).collect();
        prop_assert_eq!(read, units);
        for quirk in [Quirk::BadPayload, Quirk::EmptyPayload, Quirk::NoEndBit, Quirk::EarlyMarker, Quirk::NoMarker] {
            prop_assert_eq!(quirks.get(quirk), 0, "{}", quirk);
        }
    }

    /// As UDP delivers: neighbours change places, packets come twice.
    #[test]
    fn disorder_changes_nothing((codec, units) in stream(), swaps in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let mut packets = packets(codec, &units, 100, true);
        for swap in swaps {
            // The first one tells where the numbers start.
            let at = swap.index(packets.len());
            if at > 1 { packets.swap(at - 1, at); }
            packets.insert(at, packets[at].clone());
        }
        let (read, _) = through(codec, Reorder::windowed(&Limits::default()), &packets);
        prop_assert_eq!(read, units.into_iter().map(|unit| (unit, false)).collect::<Vec<_>>());
    }

    /// Every NAL unit that comes out is one that went in, in order, whatever was lost; and a picture that lacks a
    /// slice or a part of one is either absent or marked.
    #[test]
    fn loss_never_makes_up_a_unit(
        (codec, units) in stream(),
        mtu in 64_usize..200,
        lost in prop::collection::vec(prop::bool::weighted(0.2), 0..200),
        windowed: bool,
    ) {
        let mut packets = packets(codec, &units, mtu, true);
        let mut lost = lost.into_iter();
        packets.retain(|_| !lost.next().unwrap_or(false));
        let reorder = if windowed { Reorder::windowed(&Limits::default()) } else { Reorder::in_order() };
        let (read, _) = through(codec, reorder, &packets);
        for (n, (nals, incomplete)) in read.iter().enumerate() {
            let got = slices(codec, nals);
            // Nothing tells that packets are missing before the first and after the last.
            let (first, last) = (n == 0, n + 1 == read.len());
            let explained = units.iter().map(|unit| slices(codec, unit)).any(|sent| {
                sent == got || first && sent.ends_with(&got) || last && sent.starts_with(&got)
            });
            prop_assert!(*incomplete || explained);
        }
        let all: Vec<_> = units.iter().flatten().collect();
        let mut from = 0;
        for nal in read.iter().flat_map(|(nals, _)| nals) {
            let at = all[from..].iter().position(|sent| *sent == nal);
            prop_assert!(at.is_some(), "a NAL unit that was not sent");
            from += at.unwrap() + 1;
        }
    }
}
