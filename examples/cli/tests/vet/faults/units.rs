//! Of NAL units and pictures, and of what the description says of them.

use vigie::codec::Codec;
use vigie::h26x::NalKind;

use super::{ordinary, renumber, slice};
use crate::bits::half_height;
use crate::stream::{Dice, Packet, Stream};

pub(super) fn sps_size(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    for picture in &mut stream.pictures {
        for nal in picture.nals.iter_mut().filter(|nal| nal[0] & 0x1f == 7) {
            *nal = half_height(nal);
        }
    }
    stream.describe();
    stream.packets()
}

pub(super) fn sps_size_described(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    for picture in &mut stream.pictures {
        for nal in picture.nals.iter_mut().filter(|nal| nal[0] & 0x1f == 7) {
            *nal = half_height(nal);
        }
    }
    // The description is that of the pictures as they are.
    stream.packets()
}

pub(super) fn idr_missing(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let keys: Vec<usize> =
        (1..stream.pictures.len()).filter(|at| stream.pictures[*at].is_key(stream.codec)).collect();
    let key = *dice.pick(&keys);
    let mut packets = stream.packets();
    packets.retain(|packet| packet.rtcp || packet.picture != key);
    renumber(stream, &mut packets);
    packets
}

pub(super) fn set_changed(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

pub(super) fn start_code(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    // A set and the slice as one NAL unit, as some cameras send them.
    let at = dice.within(1..stream.pictures.len() - 1);
    let first_slice = stream.position(at, NalKind::Slice).unwrap();
    let pps = stream.sets().pop().unwrap();
    let nals = &mut stream.pictures[at].nals;
    let zeros: &[u8] = if dice.below(2) == 0 { &[0, 0, 1] } else { &[0, 0, 0, 1] };
    nals[first_slice] = [&pps[..], zeros, &nals[first_slice]].concat();
    stream.packets()
}

pub(super) fn emulation(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let (picture, at) = slice(stream, dice, 60);
    let last = *dice.pick(&[0, 2]);
    let nal = &mut stream.pictures[picture].nals[at];
    let place = dice.within(40..nal.len() - 8);
    nal[place..place + 5].copy_from_slice(&[0x55, 0, 0, last, 0x55]);
    stream.packets()
}

pub(super) fn trailing_zeros(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let (picture, at) = slice(stream, dice, 20);
    stream.pictures[picture].nals[at].extend(vec![0; dice.within(1..5)]);
    stream.packets()
}

pub(super) fn ref_idc(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let keys: Vec<usize> =
        (0..stream.pictures.len()).filter(|at| stream.pictures[*at].is_key(stream.codec)).collect();
    let key = *dice.pick(&keys);
    let kind = *dice.pick(&[NalKind::Sps, NalKind::Pps]);
    let at = stream.position(key, kind).unwrap();
    stream.pictures[key].nals[at][0] &= 0x1f;
    stream.packets()
}

pub(super) fn temporal_id(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let picture = dice.within(1..stream.pictures.len() - 1);
    let at = stream.position(picture, NalKind::Slice).unwrap();
    stream.pictures[picture].nals[at][1] &= 0xf8;
    stream.packets()
}

pub(super) fn frame_num(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

pub(super) fn delimiter(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
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

pub(super) fn set_missing(stream: &mut Stream, _: &mut Dice) -> Vec<Packet> {
    for picture in &mut stream.pictures {
        picture.nals.retain(|nal| vigie::h26x::Nal::new(nal).kind(stream.codec) != NalKind::Pps);
    }
    let codec = stream.codec;
    stream.sdp = vigie::sdp::Description::live("vet").with_video(codec, 96, &[]).to_string();
    stream.packets()
}

pub(super) fn profile(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = stream.sdp.find("profile-level-id=").expect("profile-level-id") + 17;
    let wrong = *dice.pick(&["42E01E", "58000A", "64000A"]);
    stream.sdp.replace_range(at..at + 6, wrong);
    stream.packets()
}

pub(super) fn sprop(stream: &mut Stream, dice: &mut Dice) -> Vec<Packet> {
    let at = stream.sdp.find("sprop-parameter-sets=").expect("sprop-parameter-sets") + 21;
    let wrong = *dice.pick(&["*", "====", "Z"]);
    stream.sdp.insert_str(at, wrong);
    stream.packets()
}
