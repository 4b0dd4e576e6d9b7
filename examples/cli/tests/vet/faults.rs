//! One fault of each class, planted at a place that the dice choose.

mod packets;
mod time;
mod units;

use vigie::h26x::NalKind;

use crate::stream::{Dice, Packet, Stream};

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
    fault("marker-missing", Into::Any, SHORT, packets::marker_missing),
    fault("marker-early", Into::Any, SHORT, packets::marker_early),
    fault("sps-size", Into::Sliced, SHORT, units::sps_size),
    fault("sps-size", Into::H264, SHORT, units::sps_size_described),
    fault("idr-missing", Into::Any, SHORT, units::idr_missing),
    fault("sr-wall-clock", Into::Any, SHORT, time::sr_hour),
    fault("sr-unset", Into::Any, SHORT, time::sr_unset),
    fault("sr-media", Into::Any, SHORT, time::sr_media),
    fault("sr-inconsistent", Into::Any, LONG, time::sr_inconsistent),
    fault("clock-drift", Into::Any, LONG, time::drift),
    fault("sequence-duplicate", Into::Any, SHORT, packets::duplicate_number),
    fault("sequence-duplicate", Into::Any, SHORT, packets::duplicate_packet),
    fault("sequence-gap", Into::Any, SHORT, packets::gap),
    fault("sequence-order", Into::Any, SHORT, packets::swapped),
    fault("sequence-restart", Into::Any, SHORT, packets::restart),
    fault("set-changed", Into::H264, SHORT, units::set_changed),
    fault("don-unexpected", Into::H265, SHORT, packets::don_unexpected),
    fault("don-missing", Into::H265, SHORT, packets::don_missing),
    fault("packet-too-large", Into::Any, SHORT, packets::oversize),
    fault("ssrc-change", Into::Any, SHORT, packets::ssrc_change),
    fault("payload-type", Into::Any, SHORT, packets::payload_type),
    fault("timestamp-equal", Into::Any, SHORT, time::timestamp_equal),
    fault("timestamp-inside", Into::Any, SHORT, time::timestamp_inside),
    fault("timestamp-leap", Into::Any, SHORT, time::timestamp_leap),
    fault("timestamp-order", Into::Any, SHORT, time::timestamp_back),
    fault("fragment-start", Into::Any, SHORT, |s, d| packets::fragment(s, d, |kind| kind == 0, 0x80)),
    fault("fragment-end", Into::Any, SHORT, |s, d| packets::fragment(s, d, |kind| kind == 2, 0x40)),
    fault("fragment-reserved-bit", Into::H264, SHORT, |s, d| packets::fragment(s, d, |_| true, 0x20)),
    fault("fragment-type", Into::Any, SHORT, |s, d| packets::fragment(s, d, |kind| kind == 1, 0x04)),
    fault("start-code-inside", Into::Any, SHORT, units::start_code),
    fault("emulation-prevention", Into::Any, SHORT, units::emulation),
    fault("trailing-zeros", Into::Any, SHORT, units::trailing_zeros),
    fault("nal-forbidden-bit", Into::Any, SHORT, packets::forbidden_bit),
    fault("nal-type-reserved", Into::Any, SHORT, packets::reserved_type),
    fault("nal-ref-idc", Into::H264, SHORT, units::ref_idc),
    fault("nal-temporal-id", Into::H265, SHORT, units::temporal_id),
    fault("frame-num-gap", Into::H264, SHORT, units::frame_num),
    fault("aud-order", Into::Any, SHORT, units::delimiter),
    fault("set-missing", Into::Any, SHORT, units::set_missing),
    fault("packetization-mode", Into::H264, SHORT, packets::mode_zero),
    fault("sdp-profile", Into::H264, SHORT, units::profile),
    fault("sdp-clock-rate", Into::Any, SHORT, time::clock_rate),
    fault("sdp-sprop", Into::H264, SHORT, units::sprop),
    fault("rate-declared", Into::Any, SHORT, time::declared_rate),
    fault("rtcp-malformed", Into::Any, SHORT, time::rtcp),
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

fn add(bytes: &mut [u8], at: usize, what: u32) {
    let field: &mut [u8; 4] = (&mut bytes[at..at + 4]).try_into().unwrap();
    *field = u32::from_be_bytes(*field).wrapping_add(what).to_be_bytes();
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
