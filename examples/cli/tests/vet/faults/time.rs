//! Of time: timestamps, sender reports, rates.

use super::{add, choose};
use crate::stream::{Dice, Packet, STEP, Stream};

/// Of every sender report from a random one on.
pub(super) fn reports(packets: &mut [Packet], dice: &mut Dice, change: impl Fn(&mut Vec<u8>)) {
    let all = packets.iter().filter(|packet| packet.rtcp).count();
    let from = dice.below(all);
    packets.iter_mut().filter(|packet| packet.rtcp).skip(from).for_each(|packet| change(&mut packet.bytes));
}

pub(super) fn sr_hour(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let off = *dice.pick(&[3_600, 3_600_u32.wrapping_neg(), 7_200]);
    reports(&mut packets, dice, |bytes| add(bytes, 8, off));
    packets
}

pub(super) fn sr_unset(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    reports(&mut packets, dice, |bytes| bytes[8..16].fill(0));
    packets
}

pub(super) fn sr_media(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let off = dice.within(900_000..90_000_000) as u32;
    reports(&mut packets, dice, |bytes| add(bytes, 16, off));
    packets
}

pub(super) fn sr_inconsistent(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let reports: Vec<usize> = packets.iter().enumerate().filter(|(_, p)| p.rtcp).map(|(at, _)| at).collect();
    let off = dice.within(20_000..200_000) as u32;
    add(&mut packets[*dice.pick(&reports)].bytes, 16, off);
    packets
}

pub(super) fn drift(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

/// Gives all packets of a picture another timestamp.
pub(super) fn stamp(packets: &mut [Packet], picture: usize, change: impl Fn(u32) -> u32) {
    for packet in packets.iter_mut().filter(|packet| !packet.rtcp && packet.picture == picture) {
        let ticks = change(packet.timestamp());
        packet.set_timestamp(ticks);
    }
}

pub(super) fn timestamp_equal(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = dice.within(1..stream.pictures.len() - 1);
    let before = stream.ticks.wrapping_add(stream.pictures[at - 1].shown * STEP);
    let mut packets = stream.packets();
    stamp(&mut packets, at, |_| before);
    packets
}

pub(super) fn timestamp_inside(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

pub(super) fn timestamp_leap(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

pub(super) fn timestamp_back(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = dice.within(20..stream.pictures.len() - 1);
    let back = dice.within(5..15) as u32 * STEP + 1_000;
    let mut packets = stream.packets();
    stamp(&mut packets, at, |ticks| ticks.wrapping_sub(back));
    packets
}

pub(super) fn clock_rate(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let wrong = *dice.pick(&["/90001", "/48000", "/8000"]);
    stream.sdp = stream.sdp.replace("/90000", wrong);
    stream.packets()
}

pub(super) fn declared_rate(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let wrong = *dice.pick(&["12", "30", "50", "15.0"]);
    stream.sdp.push_str(&format!("a=framerate:{wrong}\r\n"));
    stream.packets()
}

pub(super) fn rtcp(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let mut packets = stream.packets();
    let reports: Vec<usize> = packets.iter().enumerate().filter(|(_, p)| p.rtcp).map(|(at, _)| at).collect();
    let at = *dice.pick(&reports);
    packets[at].bytes[3] = dice.within(40..200) as u8;
    packets
}
