//! Access units to RTP packets and back.

use bytes::{Bytes, BytesMut};
use vigie::depacket::{DecodingOrder, Depacketizer, Packetization};
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::packetize::{Framing, NumberedUnit, Packetizer};
use vigie::reorder::Reorder;
use vigie::time::Micros;

use crate::tape::Tape;

/// What is packetized comes out of the depacketizer as it was: whatever the packets' size, aggregated or not, in PACI, or
/// sent in another order than it is decoded in.
pub(crate) fn packets_round_trip(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let (options, codec) = (tape.u8(), tape.one(&[Codec::H264, Codec::H265]));
    let (numbered, mtu) = (options & 1 != 0, 64 + usize::from(tape.u16() % 1_500));
    let window = 1 + usize::from(tape.u8() % 8);
    let mut packetizer = Packetizer::new(codec, 7, 96, tape.u16(), mtu)
        .aggregate(options & 2 != 0)
        .paci(options & 4 != 0 && !numbered);
    let mut limits = Limits::default();
    limits.interleaved_units = 64;
    let units = pictures(&mut tape, codec);
    let mut out = BytesMut::new();
    let mut depacketizer = Depacketizer::new(codec, &limits);
    if numbered {
        send_numbered(&mut packetizer, &units, window, &mut out);
        let mut order = DecodingOrder::default();
        (order.depth, order.difference) = (window, Some(window as u16));
        let mut packetization = Packetization::default();
        packetization.order = Some(order);
        depacketizer = depacketizer.with_packetization(packetization);
    } else {
        for (timestamp, nals) in &units {
            packetizer.packetize(&joined(nals), *timestamp, Framing::Bare, &mut out);
        }
    }
    let mut reorder = Reorder::in_order();
    let mut back: Vec<(u32, Bytes)> = vec![];
    for packet in Tape::new(&out).chunks() {
        assert!(packet.len() <= mtu);
        let ordered = reorder.push(packet, Micros(0)).expect("in order");
        depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        back.extend(std::iter::from_fn(|| depacketizer.pull()).map(|unit| (unit.timestamp, unit.data)));
    }
    depacketizer.finish();
    back.extend(std::iter::from_fn(|| depacketizer.pull()).map(|unit| (unit.timestamp, unit.data)));
    let sent: Vec<(u32, Bytes)> = units.iter().map(|(timestamp, nals)| (*timestamp, joined(nals))).collect();
    assert_eq!(back, sent, "{:?}", depacketizer.quirks());
}

/// Pictures of some slices, with SEI before them; no bytes that look like a start code, which would be cut there.
fn pictures(tape: &mut Tape<'_>, codec: Codec) -> Vec<(u32, Vec<Vec<u8>>)> {
    let (mut timestamp, mut out) = (tape.u32(), vec![]);
    while !tape.is_empty() && out.len() < 16 {
        let (shape, mut nals) = (tape.u8(), vec![]);
        let intra = shape & 4 != 0;
        for _ in 0..shape & 3 {
            let header: &[u8] = if codec == Codec::H264 { &[6] } else { &[39 << 1, 1] };
            nals.push(nal(header, None, tape));
        }
        for n in 0..1 + (shape >> 3 & 3) {
            let header: &[u8] = match (codec, intra) {
                (Codec::H264, true) => &[0x65],
                (Codec::H264, false) => &[0x41],
                (_, true) => &[19 << 1, 1],
                (_, false) => &[1 << 1, 1],
            };
            // Of the first slice, the first bit says that it is.
            nals.push(nal(header, Some(if n == 0 { 0x80 } else { 0x40 }), tape));
        }
        out.push((timestamp, nals));
        timestamp = timestamp.wrapping_add(3_000);
    }
    out
}

fn nal(header: &[u8], first: Option<u8>, tape: &mut Tape<'_>) -> Vec<u8> {
    let len = usize::from(tape.u16() % 4_096);
    let body = tape.take(len).iter().map(|b| b | 1);
    header.iter().copied().chain(first.map(|bits| bits | 0x15)).chain(body).chain([0x80]).collect()
}

fn joined(nals: &[Vec<u8>]) -> Bytes {
    nals.iter()
        .flat_map(|nal| (nal.len() as u32).to_be_bytes().into_iter().chain(nal.iter().copied()))
        .collect()
}

/// Each window of NAL units backwards.
fn send_numbered(
    packetizer: &mut Packetizer,
    units: &[(u32, Vec<Vec<u8>>)],
    window: usize,
    out: &mut BytesMut,
) {
    let all: Vec<NumberedUnit<'_>> = units
        .iter()
        .flat_map(|(timestamp, nals)| nals.iter().map(|nal| (*timestamp, &nal[..])))
        .enumerate()
        .map(|(n, (timestamp, nal))| NumberedUnit::new(n as u16, timestamp, nal))
        .collect();
    for part in all.chunks(window) {
        for unit in part.iter().rev() {
            packetizer.packetize_numbered(std::slice::from_ref(unit), false, Framing::Bare, out);
        }
    }
}
