//! Of packets: markers, numbers, payload structures.

use vigie::codec::Codec;
use vigie::h26x::NalKind;

use super::choose;
use crate::stream::{Dice, Packet, Stream};

pub(super) fn marker_missing(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, packet| packet.bytes[1] & 0x80 != 0);
    packets[at].bytes[1] &= 0x7f;
    packets
}

pub(super) fn marker_early(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, packet| packet.bytes[1] & 0x80 == 0);
    packets[at].bytes[1] |= 0x80;
    packets
}

pub(super) fn duplicate_number(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    let before = packets[at].sequence().wrapping_sub(1);
    packets[at].set_sequence(before);
    packets
}

pub(super) fn duplicate_packet(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    packets.insert(at + dice.within(1..4), packets[at].clone());
    packets
}

pub(super) fn gap(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    let many = dice.within(1..6);
    let number = packets[at].sequence();
    packets.retain(|packet| packet.rtcp || packet.sequence().wrapping_sub(number) >= many as u16);
    packets
}

pub(super) fn swapped(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |at, _| !packets_rtcp(&stream.packets(), at + 1));
    let (a, b) = (packets[at].bytes.clone(), packets[at + 1].bytes.clone());
    (packets[at].bytes, packets[at + 1].bytes) = (b, a);
    packets
}

pub(super) fn packets_rtcp(packets: &[Packet], at: usize) -> bool {
    packets.get(at).is_none_or(|packet| packet.rtcp)
}

pub(super) fn restart(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let from = choose(&packets, dice, |_, _| true);
    let leap = dice.within(10_000..50_000) as u16;
    for packet in packets.iter_mut().skip(from).filter(|packet| !packet.rtcp) {
        let number = packet.sequence().wrapping_add(leap);
        packet.set_sequence(number);
    }
    packets
}

/// Every payload with decoding order numbers, as RFC 7798 §4.4 has it for sprop-max-don-diff above 0.
pub(super) fn with_numbers(stream: &Stream) -> Vec<Packet> {
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

pub(super) fn don_unexpected(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    with_numbers(stream)
}

pub(super) fn don_missing(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let diff = dice.within(1..32_768);
    stream.sdp = stream.sdp.replace("a=fmtp:96 ", &format!("a=fmtp:96 sprop-max-don-diff={diff};"));
    stream.packets()
}

pub(super) fn oversize(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

pub(super) fn ssrc_change(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

pub(super) fn payload_type(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    packets[at].bytes[1] = packets[at].bytes[1] & 0x80 | dice.within(97..128) as u8;
    packets
}

/// Turns a bit of a fragment's header over; `fits` is told 0 for a first fragment, 1 for a middle one, 2 for a last one.
pub(super) fn fragment(
    stream: &mut Stream,
    dice: &mut Dice,
    fits: impl Fn(u8) -> bool,
    bit: u8,
) -> Vec<Packet> {
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

pub(super) fn forbidden_bit(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    packets[at].bytes[12] |= 0x80;
    packets
}

pub(super) fn reserved_type(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let at = choose(&packets, dice, |_, _| true);
    let byte = packets[at].bytes[12];
    packets[at].bytes[12] = match stream.codec {
        Codec::H264 => byte & 0x60 | *dice.pick(&[0, 30, 31]),
        Codec::H265 => byte & 0x81 | (*dice.pick(&[51_u8, 55, 63]) << 1),
    };
    packets
}

pub(super) fn mode_zero(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    stream.sdp = stream.sdp.replace("packetization-mode=1", "packetization-mode=0");
    stream.packets()
}
