//! Lines 88 to 91 and 104: parameter sets, and what stands beside pictures.

use vigie::fault::Quirk;

use super::packet::{Item, Packet, Unit, rtp};
use super::{Act, Memory, Profile};

pub(super) const PROFILES: &[Profile] = &[
    Profile::new("trailing-bytes", "88", "Reolink doorbells", "sends bytes after the end of its SPS")
        .quirk(Quirk::TrailingBytes)
        .acts(&[Act::Shot(|shot, memory| {
            for unit in shot.units.iter_mut().filter(|unit| is_sps(unit, memory)) {
                unit.nal.extend([0x9e, 0x21, 0x18, 0x60]);
            }
        })]),
    Profile::new("trailing-zeros", "-", "Hikvision", "sends zeros after the end of its PPS")
        .quirk(Quirk::TrailingZeros)
        .acts(&[Act::Shot(|shot, memory| {
            let pps = if memory.h265 { 34 } else { 8 };
            for unit in shot.units.iter_mut().filter(|unit| unit.kind(memory.h265) == pps) {
                unit.nal.extend([0; 3]);
            }
        })]),
    Profile::new(
        "changing-sets",
        "89",
        "the camera of mediamtx's issue 4262",
        "sends another SPS every second GOP, which differs in a flag of its timing alone",
    )
    .quirk(Quirk::SetsRewritten)
    .acts(&[Act::Shot(|shot, memory| {
        if memory.picture / 50 % 2 == 1 {
            for unit in shot.units.iter_mut().filter(|unit| is_sps(unit, memory)) {
                unit.nal = with_other_rate_flag(&unit.nal).unwrap_or_else(|| unit.nal.clone());
            }
        }
    })]),
    Profile::new(
        "sei-alone",
        "91",
        "Tapo C120",
        "sends SEI messages as pictures of their own, marker and all",
    )
    .quirk(Quirk::NoPicture)
    .acts(&[Act::Packets(sei_alone), Act::Packets(renumber)]),
    Profile::new(
        "deeper-reorder",
        "104",
        "Axis, Amcrest, some others",
        "sends B pictures, their presentation times alone, and an SPS that does not speak of it",
    )
    .quirk(Quirk::DeeperReorder)
    .clip(1)
    .acts(&[Act::Shot(|shot, memory| {
        for unit in shot.units.iter_mut().filter(|unit| is_sps(unit, memory)) {
            unit.nal = without_vui(&unit.nal).unwrap_or_else(|| unit.nal.clone());
        }
    })]),
    Profile::new(
        "missing-parameter-set",
        "-",
        "cameras that send parameter sets with every second key picture alone",
        "gives no parameter sets in its description, and none before the second key picture",
    )
    .quirk(Quirk::MissingParameterSet)
    .acts(&[
        Act::Sdp(super::sdp::without_sprop),
        Act::Shot(|shot, memory| {
            memory.damaged = memory.picture < 50;
            let keep = |unit: &Unit| unit.is_slice(memory.h265) || unit.kind(memory.h265) == 6;
            if memory.damaged {
                shot.units.retain(keep);
            }
        }),
    ]),
    Profile::new(
        "bad-parameter-set",
        "-",
        "cameras with private parameter sets",
        "sends an SPS, of a number that no picture refers to, that cannot be read",
    )
    .quirk(Quirk::BadParameterSet)
    .acts(&[Act::Shot(|shot, _| {
        if shot.key {
            // Profile 100, level 31; then all ones, then an Exp-Golomb code longer than 32 bits.
            let nal = vec![0x67, 100, 0, 31, 0x03, 0xff, 0, 0, 3, 0, 0, 3, 0, 1, 0x80];
            shot.units.insert(0, Unit { nal, timestamp: shot.timestamp, alone: false });
        }
    })]),
];

fn is_sps(unit: &Unit, memory: &Memory) -> bool {
    unit.kind(memory.h265) == if memory.h265 { 33 } else { 7 }
}

/// Numbers packets one after the other, where some were put between them.
pub(super) fn renumber(items: &mut Vec<Item>, memory: &mut Memory) {
    for packet in rtp(items) {
        packet.set_sequence(memory.next_sequence);
        memory.next_sequence = memory.next_sequence.wrapping_add(1);
    }
}

/// Before each tenth picture, an SEI message with a timestamp of its own, half a picture earlier.
fn sei_alone(items: &mut Vec<Item>, memory: &mut Memory) {
    let Some(Item::Rtp(next)) = items.first().filter(|_| memory.picture % 10 == 5) else { return };
    let sei: &[u8] = if memory.h265 {
        &[39 << 1, 1, 5, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x55, 0x80]
    } else {
        &[6, 5, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x55, 0x80]
    };
    let mut alone: Packet = next.with_payload(sei);
    alone.set_timestamp(next.timestamp().wrapping_sub(memory.step / 2));
    alone.set_marker(true);
    items.insert(0, Item::Rtp(alone));
}

/// An H.264 SPS without its VUI parameters, ITU-T H.264 §7.3.2.1.1; `None` where it has what no clip has.
fn without_vui(nal: &[u8]) -> Option<Vec<u8>> {
    let bits = up_to_vui(nal)?;
    // vui_parameters_present_flag 0, then the stop bit.
    Some(bits.cut(&[false, true]))
}

/// An H.264 SPS with its `fixed_frame_rate_flag` turned round, §E.1.1.
fn with_other_rate_flag(nal: &[u8]) -> Option<Vec<u8>> {
    const EXTENDED_SAR: u32 = 255;
    let mut bits = up_to_vui(nal)?;
    (bits.take(1)? == 1).then_some(())?;
    if bits.take(1)? == 1 && bits.take(8)? == EXTENDED_SAR {
        bits.take(32)?;
    }
    if bits.take(1)? == 1 {
        bits.take(1)?;
    }
    // video_signal_type_present_flag, video_format and video_full_range_flag, colour_description_present_flag.
    if bits.take(1)? == 1 && bits.take(5)? & 1 == 1 {
        bits.take(24)?;
    }
    if bits.take(1)? == 1 {
        bits.exp_golomb()?;
        bits.exp_golomb()?;
    }
    // timing_info_present_flag, num_units_in_tick, time_scale.
    (bits.take(1)? == 1).then_some(())?;
    bits.take(32)?;
    bits.take(32)?;
    let mut rest = bits.0.get(bits.1..)?.to_vec();
    let flag = rest.first_mut()?;
    *flag = !*flag;
    Some(bits.cut(&rest))
}

/// The bits of an H.264 SPS, read up to its `vui_parameters_present_flag`.
fn up_to_vui(nal: &[u8]) -> Option<Bits> {
    let mut bits = Bits::new(nal);
    let profile = bits.take(16)? & 0xff;
    bits.take(16)?;
    bits.exp_golomb()?;
    if matches!(profile, 100 | 110 | 122 | 244) {
        (bits.exp_golomb()? != 3).then_some(())?;
        bits.exp_golomb()?;
        bits.exp_golomb()?;
        (bits.take(2)? & 1 == 0).then_some(())?;
    }
    bits.exp_golomb()?;
    match bits.exp_golomb()? {
        0 => drop(bits.exp_golomb()?),
        2 => {}
        _ => return None,
    }
    bits.exp_golomb()?;
    bits.take(1)?;
    bits.exp_golomb()?;
    bits.exp_golomb()?;
    if bits.take(1)? == 0 {
        bits.take(1)?;
    }
    bits.take(1)?;
    if bits.take(1)? == 1 {
        for _ in 0..4 {
            bits.exp_golomb()?;
        }
    }
    Some(bits)
}

/// The bits of a NAL unit, without its emulation prevention bytes.
struct Bits(Vec<bool>, usize);

impl Bits {
    fn new(nal: &[u8]) -> Self {
        let mut plain: Vec<u8> = Vec::with_capacity(nal.len());
        for byte in nal {
            if *byte == 3 && plain.ends_with(&[0, 0]) {
                continue;
            }
            plain.push(*byte);
        }
        let bits = plain.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1 == 1));
        Self(bits.collect(), 0)
    }

    fn take(&mut self, count: usize) -> Option<u32> {
        let bits = self.0.get(self.1..self.1 + count)?;
        self.1 += count;
        Some(bits.iter().fold(0, |value, bit| value << 1 | u32::from(*bit)))
    }

    fn exp_golomb(&mut self) -> Option<u32> {
        let zeros = self.0.get(self.1..)?.iter().position(|bit| *bit).filter(|zeros| *zeros < 32)?;
        self.1 += zeros;
        self.take(zeros + 1).map(|value| value - 1)
    }

    /// The bits read so far and these, as a NAL unit.
    fn cut(&self, tail: &[bool]) -> Vec<u8> {
        let mut bits = self.0.get(..self.1).unwrap_or_default().to_vec();
        bits.extend(tail);
        let bytes = bits
            .chunks(8)
            .map(|byte| byte.iter().zip((0..8).rev()).fold(0, |value, (bit, n)| value | u8::from(*bit) << n));
        crate::simulator::nal(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::simulator::clip::Clip;

    #[test]
    fn the_vui_goes_and_the_rest_stays() {
        let clip = Clip::of(1).unwrap();
        let (_, sps) = clip.parameters.sps().next().unwrap();
        let cut = without_vui(sps).unwrap();
        assert!(cut.len() < sps.len());
        // All but the last two bytes are the same, and those end in a flag of 0 and the stop bit.
        assert_eq!(cut[..cut.len() - 2], sps[..cut.len() - 2]);
    }
}
