//! One fault of each class, planted at a place that the dice choose.

use vigie::codec::Codec;
use vigie::h26x::NalKind;

use crate::bits::half_height;
use crate::stream::{Dice, Packet, STEP, Stream};

/// What a fault is planted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Into {
    /// H.264, one of several clips.
    H264,
    /// H.264 without B pictures, with several slices a picture.
    Sliced,
    H265,
    /// Any of them.
    Any,
}

/// A class of faults.
pub(crate) struct Fault {
    /// The rule that must be named, and no other.
    pub(crate) rule: &'static str,
    pub(crate) into: Into,
    /// Pictures of the stream.
    pub(crate) pictures: usize,
    pub(crate) plant: fn(&mut Stream, &mut Dice) -> Vec<Packet>,
}

const SHORT: usize = 160;
const LONG: usize = 750;

const fn fault(
    rule: &'static str,
    into: Into,
    pictures: usize,
    plant: fn(&mut Stream, &mut Dice) -> Vec<Packet>,
) -> Fault {
    Fault { rule, into, pictures, plant }
}

pub(crate) const FAULTS: &[Fault] = &[
    fault("marker-missing", Into::Any, SHORT, marker_missing),
    fault("marker-early", Into::Any, SHORT, marker_early),
    fault("sps-size", Into::Sliced, SHORT, sps_size),
    fault("sps-size", Into::H264, SHORT, sps_size_described),
    fault("idr-missing", Into::Any, SHORT, idr_missing),
    fault("sr-wall-clock", Into::Any, SHORT, sr_hour),
    fault("sr-unset", Into::Any, SHORT, sr_unset),
    fault("sr-media", Into::Any, SHORT, sr_media),
    fault("sr-inconsistent", Into::Any, LONG, sr_inconsistent),
    fault("clock-drift", Into::Any, LONG, drift),
    fault("sequence-duplicate", Into::Any, SHORT, duplicate_number),
    fault("sequence-duplicate", Into::Any, SHORT, duplicate_packet),
    fault("sequence-gap", Into::Any, SHORT, gap),
    fault("sequence-order", Into::Any, SHORT, swapped),
    fault("sequence-restart", Into::Any, SHORT, restart),
    fault("set-changed", Into::H264, SHORT, set_changed),
    fault("don-unexpected", Into::H265, SHORT, don_unexpected),
    fault("don-missing", Into::H265, SHORT, don_missing),
    fault("packet-too-large", Into::Any, SHORT, oversize),
    fault("ssrc-change", Into::Any, SHORT, ssrc_change),
    fault("payload-type", Into::Any, SHORT, payload_type),
    fault("timestamp-equal", Into::Any, SHORT, timestamp_equal),
    fault("timestamp-inside", Into::Any, SHORT, timestamp_inside),
    fault("timestamp-leap", Into::Any, SHORT, timestamp_leap),
    fault("timestamp-order", Into::Any, SHORT, timestamp_back),
    fault("fragment-start", Into::Any, SHORT, |s, d| fragment(s, d, |kind| kind == 0, 0x80)),
    fault("fragment-end", Into::Any, SHORT, |s, d| fragment(s, d, |kind| kind == 2, 0x40)),
    fault("fragment-reserved-bit", Into::H264, SHORT, |s, d| fragment(s, d, |_| true, 0x20)),
    fault("fragment-type", Into::Any, SHORT, |s, d| fragment(s, d, |kind| kind == 1, 0x04)),
    fault("start-code-inside", Into::Any, SHORT, start_code),
    fault("emulation-prevention", Into::Any, SHORT, emulation),
    fault("trailing-zeros", Into::Any, SHORT, trailing_zeros),
    fault("nal-forbidden-bit", Into::Any, SHORT, forbidden_bit),
    fault("nal-type-reserved", Into::Any, SHORT, reserved_type),
    fault("nal-ref-idc", Into::H264, SHORT, ref_idc),
    fault("nal-temporal-id", Into::H265, SHORT, temporal_id),
    fault("frame-num-gap", Into::H264, SHORT, frame_num),
    fault("aud-order", Into::Any, SHORT, delimiter),
    fault("set-missing", Into::Any, SHORT, set_missing),
    fault("packetization-mode", Into::H264, SHORT, mode_zero),
    fault("sdp-profile", Into::H264, SHORT, profile),
    fault("sdp-clock-rate", Into::Any, SHORT, clock_rate),
    fault("sdp-sprop", Into::H264, SHORT, sprop),
    fault("rate-declared", Into::Any, SHORT, declared_rate),
    fault("rtcp-malformed", Into::Any, SHORT, rtcp),
];

/// The media packets, by place in the list.
fn media(packets: &[Packet]) -> Vec<usize> {
    packets.iter().enumerate().filter(|(_, packet)| !packet.rtcp).map(|(at, _)| at).collect()
}

/// One of those that `fits` says, not of the first nor of the last picture.
fn choose(packets: &[Packet], dice: &mut Dice, fits: impl Fn(usize, &Packet) -> bool) -> usize {
    let last = packets.last().unwrap().picture;
    let all: Vec<usize> = media(packets)
        .into_iter()
        .filter(|at| (1..last).contains(&packets[*at].picture) && fits(*at, &packets[*at]))
        .collect();
    assert!(!all.is_empty(), "no place for the fault");
    *dice.pick(&all)
}

/// Numbers as if nothing had been taken out or put in.
fn renumber(stream: &Stream, packets: &mut [Packet]) {
    let mut number = stream.first;
    for packet in packets.iter_mut().filter(|packet| !packet.rtcp) {
        packet.set_sequence(number);
        number = number.wrapping_add(1);
    }
}

/// Pictures that are neither key pictures nor the first or the last.
fn ordinary(stream: &Stream, dice: &mut Dice) -> usize {
    loop {
        let at = dice.within(1..stream.pictures.len() - 2);
        if !stream.pictures[at].is_key(stream.codec) {
            return at;
        }
    }
}

fn marker_missing(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, packet| packet.bytes[1] & 0x80 != 0);
    packets[at].bytes[1] &= 0x7f;
    packets
}

fn marker_early(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, packet| packet.bytes[1] & 0x80 == 0);
    packets[at].bytes[1] |= 0x80;
    packets
}

fn sps_size(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    for picture in &mut stream.pictures {
        for nal in picture.nals.iter_mut().filter(|nal| nal[0] & 0x1f == 7) {
            *nal = half_height(nal);
        }
    }
    stream.describe();
    stream.packets()
}

fn sps_size_described(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    for picture in &mut stream.pictures {
        for nal in picture.nals.iter_mut().filter(|nal| nal[0] & 0x1f == 7) {
            *nal = half_height(nal);
        }
    }
    // The description is that of the pictures as they are.
    stream.packets()
}

fn idr_missing(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let keys: Vec<usize> =
        (1..stream.pictures.len()).filter(|at| stream.pictures[*at].is_key(stream.codec)).collect();
    let key = *dice.pick(&keys);
    let mut packets = stream.packets();
    packets.retain(|packet| packet.rtcp || packet.picture != key);
    renumber(stream, &mut packets);
    packets
}

/// Of every sender report from a random one on.
fn reports(packets: &mut [Packet], dice: &mut Dice, change: impl Fn(&mut Vec<u8>)) {
    let all = packets.iter().filter(|packet| packet.rtcp).count();
    let from = dice.below(all);
    packets.iter_mut().filter(|packet| packet.rtcp).skip(from).for_each(|packet| change(&mut packet.bytes));
}

fn add(bytes: &mut [u8], at: usize, what: u32) {
    let field: &mut [u8; 4] = (&mut bytes[at..at + 4]).try_into().unwrap();
    *field = u32::from_be_bytes(*field).wrapping_add(what).to_be_bytes();
}

fn sr_hour(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let off = *dice.pick(&[3_600, 3_600_u32.wrapping_neg(), 7_200]);
    reports(&mut packets, dice, |bytes| add(bytes, 8, off));
    packets
}

fn sr_unset(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    reports(&mut packets, dice, |bytes| bytes[8..16].fill(0));
    packets
}

fn sr_media(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let off = dice.within(900_000..90_000_000) as u32;
    reports(&mut packets, dice, |bytes| add(bytes, 16, off));
    packets
}

fn sr_inconsistent(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let reports: Vec<usize> = packets.iter().enumerate().filter(|(_, p)| p.rtcp).map(|(at, _)| at).collect();
    let off = dice.within(20_000..200_000) as u32;
    add(&mut packets[*dice.pick(&reports)].bytes, 16, off);
    packets
}

fn drift(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let ppm = dice.within(3_000..20_000) as i64 * if dice.below(2) == 0 { 1 } else { -1 };
    let mut packets = stream.packets();
    let base = stream.ticks;
    let stretch = |ticks: u32| {
        let passed = i64::from(ticks.wrapping_sub(base) as i32);
        base.wrapping_add((passed + passed * ppm / 1_000_000) as u32)
    };
    for packet in &mut packets {
        if packet.rtcp {
            let ticks = u32::from_be_bytes(packet.bytes[16..20].try_into().unwrap());
            packet.bytes[16..20].copy_from_slice(&stretch(ticks).to_be_bytes());
        } else {
            let ticks = stretch(packet.timestamp());
            packet.set_timestamp(ticks);
        }
    }
    packets
}

fn duplicate_number(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    let before = packets[at].sequence().wrapping_sub(1);
    packets[at].set_sequence(before);
    packets
}

fn duplicate_packet(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    packets.insert(at + dice.within(1..4), packets[at].clone());
    packets
}

fn gap(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    let many = dice.within(1..6);
    let number = packets[at].sequence();
    packets.retain(|packet| packet.rtcp || packet.sequence().wrapping_sub(number) >= many as u16);
    packets
}

fn swapped(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |at, _| !packets_rtcp(&stream.packets(), at + 1));
    let (a, b) = (packets[at].bytes.clone(), packets[at + 1].bytes.clone());
    (packets[at].bytes, packets[at + 1].bytes) = (b, a);
    packets
}

fn packets_rtcp(packets: &[Packet], at: usize) -> bool {
    packets.get(at).is_none_or(|packet| packet.rtcp)
}

fn restart(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let from = choose(&packets, dice, |_, _| true);
    let leap = dice.within(10_000..50_000) as u16;
    for packet in packets.iter_mut().skip(from).filter(|packet| !packet.rtcp) {
        let number = packet.sequence().wrapping_add(leap);
        packet.set_sequence(number);
    }
    packets
}

fn set_changed(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = ordinary(stream, dice);
    let sps = stream.sets().into_iter().find(|nal| nal[0] & 0x1f == 7).unwrap();
    let mut changed = sps.clone();
    if dice.below(2) == 0 {
        changed = half_height(&sps);
    } else {
        // A higher level.
        changed[3] = 51;
    }
    stream.pictures[at].nals.insert(0, changed);
    stream.packets()
}

/// Every payload with decoding order numbers, as RFC 7798 §4.4 has it for sprop-max-don-diff above 0.
fn with_numbers(stream: &Stream) -> Vec<Packet> {
    let mut packets = stream.packets();
    let mut number = 0_u16;
    for packet in packets.iter_mut().filter(|packet| !packet.rtcp) {
        let payload = packet.bytes.split_off(12);
        let mut out = payload[..2].to_vec();
        match payload[0] >> 1 & 0x3f {
            48 => {
                out.extend(number.to_be_bytes());
                let mut rest = &payload[2..];
                let mut first = true;
                while let Some((size, after)) = rest.split_first_chunk::<2>() {
                    let (unit, after) = after.split_at(usize::from(u16::from_be_bytes(*size)));
                    if !std::mem::take(&mut first) {
                        out.push(0);
                    }
                    out.extend(size);
                    out.extend(unit);
                    number = number.wrapping_add(1);
                    rest = after;
                }
            }
            49 => {
                out.push(payload[2]);
                if payload[2] & 0x80 != 0 {
                    out.extend(number.to_be_bytes());
                    number = number.wrapping_add(1);
                }
                out.extend(&payload[3..]);
            }
            _ => {
                out.extend(number.to_be_bytes());
                out.extend(&payload[2..]);
                number = number.wrapping_add(1);
            }
        }
        packet.bytes.extend(out);
    }
    packets
}

fn don_unexpected(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    with_numbers(stream)
}

fn don_missing(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let diff = dice.within(1..32_768);
    stream.sdp = stream.sdp.replace("a=fmtp:96 ", &format!("a=fmtp:96 sprop-max-don-diff={diff};"));
    stream.packets()
}

fn oversize(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    stream.mtu = *dice.pick(&[1_600, 3_000, 9_000]);
    // A message of user data that fills it.
    let at = dice.within(1..stream.pictures.len());
    let filler = vec![dice.within(1..256) as u8; 1_500 - 20];
    let message = vigie::h26x::sei::user_data_unregistered(stream.codec, [7; 16], &filler);
    let first_slice = stream.position(at, NalKind::Slice).unwrap();
    stream.pictures[at].nals.insert(first_slice, message);
    let packets = stream.packets();
    let large = packets.iter().any(|packet| packet.bytes.len() > 1_472);
    assert!(large, "no packet is larger than the path takes");
    packets
}

fn ssrc_change(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let from = choose(&packets, dice, |_, _| true);
    let ssrc = (dice.next() as u32).to_be_bytes();
    for packet in packets.iter_mut().skip(from) {
        if packet.rtcp {
            packet.bytes[4..8].copy_from_slice(&ssrc);
        } else {
            packet.bytes[8..12].copy_from_slice(&ssrc);
        }
    }
    packets
}

fn payload_type(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    packets[at].bytes[1] = packets[at].bytes[1] & 0x80 | dice.within(97..128) as u8;
    packets
}

/// Gives all packets of a picture another timestamp.
fn stamp(packets: &mut [Packet], picture: usize, change: impl Fn(u32) -> u32) {
    for packet in packets.iter_mut().filter(|packet| !packet.rtcp && packet.picture == picture) {
        let ticks = change(packet.timestamp());
        packet.set_timestamp(ticks);
    }
}

fn timestamp_equal(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = dice.within(1..stream.pictures.len() - 1);
    let before = stream.ticks.wrapping_add(stream.pictures[at - 1].shown * STEP);
    let mut packets = stream.packets();
    stamp(&mut packets, at, |_| before);
    packets
}

fn timestamp_inside(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let many = packets.clone();
    let of = |picture: usize| many.iter().filter(move |packet| !packet.rtcp && packet.picture == picture);
    // Not the first of its picture, and of one that has several.
    let at = choose(&packets, dice, |at, packet| {
        of(packet.picture).count() > 1 && of(packet.picture).next().unwrap().bytes != many[at].bytes
    });
    let ticks = packets[at].timestamp().wrapping_add(dice.within(1..STEP as usize) as u32);
    let picture = packets[at].picture;
    for packet in packets.iter_mut().skip(at).filter(|packet| !packet.rtcp && packet.picture == picture) {
        packet.set_timestamp(ticks);
    }
    packets
}

fn timestamp_leap(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let from = dice.within(1..stream.pictures.len() - 1);
    let leap = dice.within(20 * 90_000..3_600 * 90_000) as u32;
    for packet in packets.iter_mut().filter(|packet| packet.picture >= from) {
        if packet.rtcp {
            add(&mut packet.bytes, 16, leap);
        } else {
            let ticks = packet.timestamp().wrapping_add(leap);
            packet.set_timestamp(ticks);
        }
    }
    packets
}

fn timestamp_back(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = dice.within(20..stream.pictures.len() - 1);
    let back = dice.within(5..15) as u32 * STEP + 1_000;
    let mut packets = stream.packets();
    stamp(&mut packets, at, |ticks| ticks.wrapping_sub(back));
    packets
}

/// Turns a bit of a fragment's header over; `fits` is told 0 for a first fragment, 1 for a middle one, 2 for a last one.
fn fragment(stream: &mut Stream, dice: &mut Dice, fits: impl Fn(u8) -> bool, bit: u8) -> Vec<Packet> {
    stream.mtu = dice.within(120..200);
    let mut packets = stream.packets();
    let place = if stream.codec == Codec::H264 { 13 } else { 14 };
    let header = |packet: &Packet| match stream.codec {
        Codec::H264 => (packet.payload()[0] & 0x1f == 28).then(|| packet.bytes[place]),
        Codec::H265 => (packet.payload()[0] >> 1 & 0x3f == 49).then(|| packet.bytes[place]),
    };
    let at = choose(&packets, dice, |_, packet| {
        header(packet).is_some_and(|header| {
            let kind = if header & 0x80 != 0 {
                0
            } else if header & 0x40 != 0 {
                2
            } else {
                1
            };
            fits(kind)
        })
    });
    packets[at].bytes[place] ^= bit;
    packets
}

/// A slice of some length, and a place well behind its header.
fn slice(stream: &Stream, dice: &mut Dice, least: usize) -> (usize, usize) {
    for _ in 0..10_000 {
        let picture = dice.within(1..stream.pictures.len() - 1);
        let at = stream.position(picture, NalKind::Slice).unwrap();
        if stream.pictures[picture].nals[at].len() > least {
            return (picture, at);
        }
    }
    panic!("no slice of more than {least} bytes");
}

fn start_code(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    // A set and the slice as one NAL unit, as some cameras send them.
    let at = dice.within(1..stream.pictures.len() - 1);
    let first_slice = stream.position(at, NalKind::Slice).unwrap();
    let pps = stream.sets().pop().unwrap();
    let nals = &mut stream.pictures[at].nals;
    let zeros: &[u8] = if dice.below(2) == 0 { &[0, 0, 1] } else { &[0, 0, 0, 1] };
    nals[first_slice] = [&pps[..], zeros, &nals[first_slice]].concat();
    stream.packets()
}

fn emulation(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let (picture, at) = slice(stream, dice, 60);
    let last = *dice.pick(&[0, 2]);
    let nal = &mut stream.pictures[picture].nals[at];
    let place = dice.within(40..nal.len() - 8);
    nal[place..place + 5].copy_from_slice(&[0x55, 0, 0, last, 0x55]);
    stream.packets()
}

fn trailing_zeros(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let (picture, at) = slice(stream, dice, 20);
    stream.pictures[picture].nals[at].extend(vec![0; dice.within(1..5)]);
    stream.packets()
}

fn forbidden_bit(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    packets[at].bytes[12] |= 0x80;
    packets
}

fn reserved_type(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    let byte = packets[at].bytes[12];
    packets[at].bytes[12] = match stream.codec {
        Codec::H264 => byte & 0x60 | *dice.pick(&[0, 30, 31]),
        Codec::H265 => byte & 0x81 | (*dice.pick(&[51_u8, 55, 63]) << 1),
    };
    packets
}

fn ref_idc(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let keys: Vec<usize> =
        (0..stream.pictures.len()).filter(|at| stream.pictures[*at].is_key(stream.codec)).collect();
    let key = *dice.pick(&keys);
    let kind = *dice.pick(&[NalKind::Sps, NalKind::Pps]);
    let at = stream.position(key, kind).unwrap();
    stream.pictures[key].nals[at][0] &= 0x1f;
    stream.packets()
}

fn temporal_id(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let picture = dice.within(1..stream.pictures.len() - 1);
    let at = stream.position(picture, NalKind::Slice).unwrap();
    stream.pictures[picture].nals[at][1] &= 0xf8;
    stream.packets()
}

fn frame_num(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    // A reference picture that another picture of the same group follows.
    let at = loop {
        let at = ordinary(stream, dice);
        let referred = stream.pictures[at].nals.iter().any(|nal| nal[0] & 0x1f == 1 && nal[0] & 0x60 != 0);
        if referred && !stream.pictures[at + 1].is_key(stream.codec) {
            break at;
        }
    };
    let mut packets = stream.packets();
    packets.retain(|packet| packet.rtcp || packet.picture != at);
    renumber(stream, &mut packets);
    packets
}

fn delimiter(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let picture = dice.within(1..stream.pictures.len() - 1);
    let delimiter = match stream.codec {
        Codec::H264 => vec![9, 0xf0],
        Codec::H265 => vec![0x46, 1, 0x50],
    };
    let message = vigie::h26x::sei::user_data_unregistered(stream.codec, [3; 16], b"behind");
    let nals = &mut stream.pictures[picture].nals;
    nals.insert(0, delimiter);
    nals.insert(0, message);
    stream.packets()
}

fn set_missing(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    for picture in &mut stream.pictures {
        picture.nals.retain(|nal| vigie::h26x::Nal::new(nal).kind(stream.codec) != NalKind::Pps);
    }
    let codec = stream.codec;
    stream.sdp = vigie::sdp::Description::live("vet").with_video(codec, 96, &[]).to_string();
    stream.packets()
}

fn mode_zero(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    stream.sdp = stream.sdp.replace("packetization-mode=1", "packetization-mode=0");
    stream.packets()
}

fn profile(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = stream.sdp.find("profile-level-id=").expect("profile-level-id") + 17;
    let wrong = *dice.pick(&["42E01E", "58000A", "64000A"]);
    stream.sdp.replace_range(at..at + 6, wrong);
    stream.packets()
}

fn clock_rate(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let wrong = *dice.pick(&["/90001", "/48000", "/8000"]);
    stream.sdp = stream.sdp.replace("/90000", wrong);
    stream.packets()
}

fn sprop(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = stream.sdp.find("sprop-parameter-sets=").expect("sprop-parameter-sets") + 21;
    let wrong = *dice.pick(&["*", "====", "Z"]);
    stream.sdp.insert_str(at, wrong);
    stream.packets()
}

fn declared_rate(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let wrong = *dice.pick(&["12", "30", "50", "15.0"]);
    stream.sdp.push_str(&format!("a=framerate:{wrong}\r\n"));
    stream.packets()
}

fn rtcp(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let reports: Vec<usize> = packets.iter().enumerate().filter(|(_, p)| p.rtcp).map(|(at, _)| at).collect();
    let at = *dice.pick(&reports);
    packets[at].bytes[3] = dice.within(40..200) as u8;
    packets
}
