//! Payloads with decoding order numbers: what is numbered, sent in another order, aggregated and cut comes out in
//! decoding order; PACI packets; and what is lost of it is never taken for whole.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bytes::BytesMut;
use proptest::prelude::*;
use vigie::depacket::{AccessUnit, DecodingOrder, Depacketizer, Packetization};
use vigie::fault::Quirk;
use vigie::h26x::{Codec, nal_units};
use vigie::limits::Limits;
use vigie::octets::{Reader, Write as _};
use vigie::packetize::{Framing, NumberedUnit, Packetizer};
use vigie::rtp::RtpPacket;
use vigie::sdp::Presentation;
use vigie::time::Micros;

const DEPTH: usize = 7;

/// A NAL unit without start codes that does not end in zero.
fn nal(codec: Codec, unit_type: u8, body: &[u8]) -> Vec<u8> {
    let mut nal = match codec {
        Codec::H264 => vec![if unit_type == 6 { 6 } else { 0x60 | unit_type }],
        Codec::H265 => vec![unit_type << 1, 1],
    };
    nal.extend(body.iter().map(|b| b | 1));
    nal.push(0x80);
    nal
}

/// Pictures: SEI or none, then one to three slices; the header of the first says that it is.
fn pictures(codec: Codec) -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let body = || prop::collection::vec(any::<u8>(), 3..300);
    let (sei, slice) = if codec == Codec::H264 { (6, 1) } else { (39, 0) };
    let picture = (any::<bool>(), prop::collection::vec(body(), 1..4)).prop_map(move |(with, slices)| {
        let mut nals: Vec<_> = with.then(|| nal(codec, sei, &[1, 1, 1])).into_iter().collect();
        for (n, mut body) in slices.into_iter().enumerate() {
            body[0] = body[0] & 0x7f | u8::from(n == 0) << 7;
            nals.push(nal(codec, slice, &body));
        }
        nals
    });
    prop::collection::vec(picture, 2..12)
}

/// The NAL units in the order of sending: with their number and timestamp. Each may be late by less than [`DEPTH`].
fn interleave(pictures: &[Vec<Vec<u8>>], first: u16, delays: &[usize]) -> Vec<(u16, u32, Vec<u8>)> {
    let mut units = vec![];
    for (picture, timestamp) in pictures.iter().zip((0_u32..).step_by(3_600)) {
        units.extend(picture.iter().map(|nal| (timestamp, nal.clone())));
    }
    let mut sent: Vec<_> = units
        .into_iter()
        .enumerate()
        .map(|(n, (timestamp, nal))| {
            let late = delays.get(n % delays.len().max(1)).copied().unwrap_or(0) % DEPTH;
            (n + late, first.wrapping_add(n as u16), timestamp, nal)
        })
        .collect();
    sent.sort_by_key(|(place, ..)| *place);
    sent.into_iter().map(|(_, order, timestamp, nal)| (order, timestamp, nal)).collect()
}

/// Sends them, as many together as `together` says and decoding order allows.
fn packets(codec: Codec, sent: &[(u16, u32, Vec<u8>)], mtu: usize, together: usize) -> Vec<Vec<u8>> {
    let mut packetizer = Packetizer::new(codec, 1, 96, 65_500, mtu);
    let mut out = BytesMut::new();
    let mut rest = sent;
    while !rest.is_empty() {
        let rising = rest
            .windows(2)
            .take(together.max(1) - 1)
            .take_while(|pair| pair[1].0.wrapping_sub(pair[0].0) < 256 && pair[1].1 >= rest[0].1);
        let (now, later) = rest.split_at(rising.count() + 1);
        let units: Vec<_> = now.iter().map(|(order, at, nal)| NumberedUnit::new(*order, *at, nal)).collect();
        packetizer.packetize_numbered(&units, later.is_empty(), Framing::Bare, &mut out);
        rest = later;
    }
    split(&out)
}

fn split(out: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(out);
    let mut packets = Vec::new();
    while let Some(length) = reader.u16() {
        packets.push(reader.take(length.into()).unwrap().to_vec());
    }
    packets
}

fn numbered(codec: Codec) -> Depacketizer {
    let mut order = DecodingOrder::default();
    order.depth = DEPTH;
    let mut packetization = Packetization::default();
    packetization.mode = (codec == Codec::H264).then_some(2);
    packetization.order = Some(order);
    Depacketizer::new(codec, &Limits::default()).with_packetization(packetization)
}

/// `lost`: which packets do not arrive.
fn receive(depacketizer: &mut Depacketizer, packets: &[Vec<u8>], lost: &[bool]) -> Vec<AccessUnit> {
    let (mut missing, mut units) = (0, vec![]);
    for (n, packet) in packets.iter().enumerate() {
        if lost.get(n) == Some(&true) {
            missing += 1;
            continue;
        }
        let packet = RtpPacket::parse(packet).unwrap();
        depacketizer.push(&packet, Micros(0), std::mem::take(&mut missing));
        units.extend(std::iter::from_fn(|| depacketizer.pull()));
    }
    depacketizer.finish();
    units.extend(std::iter::from_fn(|| depacketizer.pull()));
    units
}

fn nals(unit: &AccessUnit) -> Vec<Vec<u8>> {
    nal_units(&unit.data).map(|nal| nal.bytes.to_vec()).collect()
}

fn stream() -> impl Strategy<Value = (Codec, Vec<Vec<Vec<u8>>>)> {
    prop::sample::select(vec![Codec::H264, Codec::H265]).prop_flat_map(|codec| (Just(codec), pictures(codec)))
}

proptest! {
    #[test]
    fn what_goes_in_comes_out_in_decoding_order(
        (codec, pictures) in stream(),
        first: u16,
        delays in prop::collection::vec(0_usize..DEPTH, 1..20),
        mtu in 64_usize..600,
        together in 1_usize..5,
    ) {
        let packets = packets(codec, &interleave(&pictures, first, &delays), mtu, together);
        let mut depacketizer = numbered(codec);
        let units = receive(&mut depacketizer, &packets, &[]);
        prop_assert_eq!(units.iter().map(nals).collect::<Vec<_>>(), pictures);
        prop_assert!(units.iter().zip((0_u32..).step_by(3_600)).all(|(unit, at)| unit.timestamp == at));
        prop_assert!(units.iter().all(|unit| unit.loss == Default::default()));
        for quirk in [Quirk::BadPayload, Quirk::LateNalUnit, Quirk::NoMarker, Quirk::PacketizationMode, Quirk::NoEndBit] {
            prop_assert_eq!(depacketizer.quirks().get(quirk), 0, "{}", quirk);
        }
    }

    /// The numbers follow each other: they tell what was lost.
    #[test]
    fn what_is_lost_is_never_taken_for_whole(
        (codec, pictures) in stream(),
        delays in prop::collection::vec(0_usize..DEPTH, 1..20),
        mtu in 64_usize..400,
        lost in prop::collection::vec(prop::bool::weighted(0.1), 0..300),
    ) {
        let packets = packets(codec, &interleave(&pictures, 65_530, &delays), mtu, 3);
        // What is missing before the first packet and after the last, nobody can know.
        let mut lost = lost;
        lost.resize(packets.len(), false);
        lost[0] = false;
        *lost.last_mut().unwrap() = false;
        let units = receive(&mut numbered(codec), &packets, &lost);
        for unit in units.iter().filter(|unit| !unit.loss.incomplete) {
            let sent = &pictures[unit.timestamp as usize / 3_600];
            prop_assert_eq!(&nals(unit), sent);
        }
        let told: u32 = units.iter().map(|unit| unit.loss.packets).sum();
        prop_assert!(told <= lost.iter().filter(|lost| **lost).count() as u32);
    }

    #[test]
    fn a_paci_changes_nothing(pictures in pictures(Codec::H265), mtu in 64_usize..400) {
        let mut packetizer = Packetizer::new(Codec::H265, 1, 96, 0, mtu).paci(true);
        let mut out = BytesMut::new();
        for (picture, timestamp) in pictures.iter().zip((0_u32..).step_by(3_600)) {
            let mut joined = vec![];
            for nal in picture {
                joined.put_u32(nal.len() as u32);
                joined.put(nal);
            }
            packetizer.packetize(&joined, timestamp, Framing::Bare, &mut out);
        }
        let packets = split(&out);
        prop_assert!(packets.iter().all(|packet| packet[12] >> 1 == 50 && packet.len() <= mtu));
        let units = receive(&mut Depacketizer::new(Codec::H265, &Limits::default()), &packets, &[]);
        prop_assert_eq!(units.iter().map(nals).collect::<Vec<_>>(), pictures);
    }
}

#[test]
fn the_description_says_how_payloads_are_made() {
    let of = |fmtp: &str, encoding: &str| {
        let sdp = format!(
            "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {encoding}/90000\r\na=fmtp:96 {fmtp}\r\n"
        );
        Packetization::of(&Presentation::parse(sdp, &Limits::default()).unwrap().media[0])
    };
    let plain = of("packetization-mode=1", "H264");
    assert_eq!((plain.mode, plain.order), (Some(1), None));
    let interleaved = of(
        "packetization-mode=2;sprop-interleaving-depth=12;sprop-deint-buf-req=64000;sprop-max-don-diff=40",
        "H264",
    );
    let order = interleaved.order.unwrap();
    assert_eq!((order.depth, order.bytes, order.difference), (12, Some(64_000), Some(40)));
    assert_eq!(of("sprop-max-don-diff=0", "H265").order, None);
    let order = of("sprop-max-don-diff=2;sprop-depack-buf-nalus=5", "H265").order.unwrap();
    assert_eq!((order.depth, order.difference), (5, Some(2)));
}
