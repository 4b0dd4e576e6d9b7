//! Streams made by hand for the tests of this step and those after it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use super::{Fragment, Fragmenter, InitSegment, Piece};
use crate::depacket::{AccessUnit, Loss, RandomAccess};
use crate::h26x::testing::Stream;
use crate::h26x::{Codec, ParameterSets};
use crate::limits::Limits;
use crate::time::{Micros, Ticks, UtcMicros};
use crate::timeline::{Group, Sample, UtcSource, UtcStamp};

/// UTC of presentation time 0: 2026-11-22T05:14:00Z.
pub(crate) const START: UtcMicros = UtcMicros(1_795_324_440_000_000);

const AVC: &[&str] = &["67f4000d919b28283f6022000003000200000300641e28532c", "68ebe3c44844"];
const HEVC: &[&str] = &[
    "40010c01ffff0408000003009e0800000300003c959809",
    "4201010408000003009e0800000300003c90014101e2cb2b349265780b7020200040000003004000000642",
    "4401c172860c46240",
];

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// What x264 and x265 make of 320 x 240 pictures, 4:4:4.
pub(crate) fn sets(codec: Codec) -> Arc<ParameterSets> {
    let mut sets = ParameterSets::new(codec);
    for nal in if codec == Codec::H264 { AVC } else { HEVC } {
        sets.insert(&unhex(nal)).unwrap();
    }
    sets.activate(0);
    Arc::new(sets)
}

/// The same with one more picture parameter set, of other coding tools.
pub(crate) fn more_sets() -> Arc<ParameterSets> {
    let mut sets = (*sets(Codec::H264)).clone();
    sets.insert(&Stream { order_type: 0, fields: false, reorder: None }.pps_with(1, 0)).unwrap();
    Arc::new(sets)
}

/// A picture: one NAL unit whose payload tells `number` apart from others.
pub(crate) fn unit(
    number: u32,
    len: usize,
    random_access: Option<RandomAccess>,
    sets: &Arc<ParameterSets>,
) -> AccessUnit {
    let mut data = ((len as u32) + 5).to_be_bytes().to_vec();
    data.push(if random_access.is_some() { 0x65 } else { 0x41 });
    data.extend(number.to_be_bytes());
    data.resize(len + 9, number as u8);
    AccessUnit {
        codec: sets.codec(),
        data: Bytes::from(data),
        timestamp: 0,
        received: Micros(0),
        random_access,
        reference: true,
        skipped_leading: false,
        order: None,
        parameters: Some(sets.clone()),
        loss: Loss::default(),
    }
}

/// With times, UTC running with presentation from [`START`].
pub(crate) fn sample(unit: AccessUnit, dts: i64, pts: i64, duration: u32) -> Sample {
    let utc = UtcStamp { utc: START.plus(Ticks::micros(pts)), source: UtcSource::SenderReport, error: 500 };
    Sample { unit, pts: Ticks(pts), dts: Ticks(dts), duration, utc }
}

/// `groups` GOPs of `len` pictures each, 25 in a second, from `first` on; with `bipyramid` in the order I P B P B …, the
/// B pictures shown before the P in front of them.
pub(crate) fn stream(
    sets: &Arc<ParameterSets>,
    first: u32,
    groups: u32,
    len: u32,
    reordered: bool,
) -> Vec<Group> {
    let tick = |n: u32| i64::from(n) * 3_600;
    let group = |g: u32| {
        let samples = (0..len).map(|i| {
            let number = first + g * len + i;
            let random_access = (i == 0).then_some(RandomAccess::Idr);
            // Decoding order 0 2 1 4 3 …: presentation one picture late.
            let shown = match i {
                0 => number,
                _ if !reordered => number,
                i if i % 2 == 1 && i + 1 < len => number + 1,
                i if i % 2 == 0 => number - 1,
                _ => number,
            };
            let unit = unit(number, 20 + (number % 7) as usize, random_access, sets);
            sample(unit, tick(number), tick(shown + u32::from(reordered)), 3_600)
        });
        Group { samples: samples.collect(), epoch: 0, continues_gop: false }
    };
    (0..groups).map(group).collect()
}

/// All pieces that the step makes of these groups.
pub(crate) fn pieces(groups: impl IntoIterator<Item = Group>) -> Vec<Piece> {
    let mut step = Fragmenter::new(&Limits::default());
    groups.into_iter().for_each(|g| step.push(g).unwrap());
    core::iter::from_fn(|| step.pull()).collect()
}

/// The first init segment and the fragments.
pub(crate) fn fragments(groups: impl IntoIterator<Item = Group>) -> (Arc<InitSegment>, Vec<Fragment>) {
    let fragments: Vec<_> = pieces(groups)
        .into_iter()
        .filter_map(|p| match p {
            Piece::Fragment(f) => Some(f),
            Piece::Init(_) => None,
        })
        .collect();
    (fragments[0].init.clone(), fragments)
}

/// The fragment in one piece.
pub(crate) fn whole(fragment: &Fragment) -> Vec<u8> {
    let mut out = fragment.head.to_vec();
    fragment.body.iter().for_each(|b| out.extend_from_slice(b));
    out
}
