//! The clips that the simulated cameras play, and what is put into each picture as it is sent.

use std::sync::{Arc, OnceLock};

use bytes::{BufMut as _, Bytes, BytesMut};
use vigie::codec::Codec;
use vigie::depacket::{AccessUnit, AnnexBReader};
use vigie::h26x::{Nal, NalKind, ParameterSets, nal_units, sei};
use vigie::limits::Limits;
use vigie::time::UtcMicros;

/// The least that filler data takes, its length included.
const FILLER: usize = 8;

/// Pictures in a second, of every clip as it was taken.
pub(crate) const RATE: u32 = 25;

/// Marks the SEI message that a simulated camera puts before the slices of each picture: "vigie-Sim-Pictur".
pub const SEI_UUID: [u8; 16] = *b"vigie-Sim-Pictur";

/// The clips, made by `clips/make.py`.
const CLIPS: [(Codec, &[u8]); 4] = [
    (Codec::H264, include_bytes!("../../clips/1-mairie.h264")),
    (Codec::H264, include_bytes!("../../clips/2-place.h264")),
    (Codec::H264, include_bytes!("../../clips/3-ecole.h264")),
    (Codec::H265, include_bytes!("../../clips/4-gare.h265")),
];

/// One picture of a clip.
#[derive(Debug)]
pub(crate) struct ClipPicture {
    /// Its NAL units, each behind four bytes of length.
    pub(super) data: Bytes,
    /// Where the first slice starts in `data`, its length included: the SEI message goes there.
    pub(super) slices: usize,
    /// Its place in output order, which its barcode shows.
    pub(crate) number: u32,
    /// Can decoding start here?
    pub(crate) key: bool,
}

impl ClipPicture {
    /// The picture as it is sent, with the SEI message that says which it is, and `least` bytes long: where it is not, filler data
    /// follows (H.264 §7.3.2.7, H.265 §7.3.2.8).
    pub(crate) fn stamped(&self, codec: Codec, round: u32, utc: UtcMicros, least: usize) -> Bytes {
        let mut payload = [0; 16];
        payload[..4].copy_from_slice(&round.to_be_bytes());
        payload[4..8].copy_from_slice(&self.number.to_be_bytes());
        payload[8..].copy_from_slice(&utc.0.to_be_bytes());
        let nal = sei::user_data_unregistered(codec, SEI_UUID, &payload);
        let (before, slices) = self.data.split_at(self.slices.min(self.data.len()));
        let mut out = BytesMut::with_capacity(least.max(self.data.len() + 4 + nal.len()) + FILLER);
        out.put_slice(before);
        out.put_u32(u32::try_from(nal.len()).unwrap_or(u32::MAX));
        out.put_slice(&nal);
        out.put_slice(slices);
        if let Some(short) = least.checked_sub(out.len()).filter(|short| *short > FILLER) {
            let header: &[u8] = if codec == Codec::H265 { &[38 << 1, 1] } else { &[12] };
            out.put_u32(u32::try_from(short - 4).unwrap_or(u32::MAX));
            out.put_slice(header);
            out.put_bytes(0xff, short - 4 - header.len() - 1);
            out.put_u8(0x80);
        }
        out.freeze()
    }
}

/// What a simulated camera's SEI message says: loop, number, UTC. `None` where the access unit has none.
#[must_use]
pub fn read_stamp(codec: Codec, access_unit: &[u8]) -> Option<super::Picture> {
    nal_units(access_unit).filter(|nal| nal.kind(codec) == NalKind::Sei).find_map(|nal| {
        sei::messages(nal, codec).find_map(|message| {
            let (_, body) = message.user_data_unregistered().filter(|(uuid, _)| *uuid == SEI_UUID)?;
            let (round, rest) = body.split_first_chunk()?;
            let (number, rest) = rest.split_first_chunk()?;
            Some(super::Picture {
                round: u32::from_be_bytes(*round),
                number: u32::from_be_bytes(*number),
                utc: UtcMicros(i64::from_be_bytes(*rest.first_chunk()?)),
            })
        })
    })
}

/// A clip, cut into pictures in decoding order.
#[derive(Debug)]
pub(crate) struct Clip {
    pub(crate) codec: Codec,
    pub(crate) pictures: Vec<ClipPicture>,
    /// Pictures after which the numbers start anew.
    pub(super) length: u64,
    pub(crate) parameters: Arc<ParameterSets>,
    /// Pictures that a picture is sent later than it was taken, so that none is sent before it was taken: what an
    /// encoder with B pictures does.
    pub(crate) delay: u32,
}

impl Clip {
    /// The clip of the camera with this ordinal; cut once in the life of the process.
    pub(crate) fn of(camera: usize) -> Option<Arc<Self>> {
        static CUT: [OnceLock<Option<Arc<Clip>>>; CLIPS.len()] = [const { OnceLock::new() }; CLIPS.len()];
        let index = camera % CLIPS.len();
        let (codec, bytes) = *CLIPS.get(index)?;
        CUT.get(index)?.get_or_init(|| Self::cut(codec, bytes).map(Arc::new)).clone()
    }

    /// `None` for what is not a clip as `make.py` makes them.
    pub(super) fn cut(codec: Codec, bytes: &[u8]) -> Option<Self> {
        let mut reader = AnnexBReader::new(codec, &Limits::default());
        let mut units = Vec::new();
        for part in bytes.chunks(64 << 10) {
            reader.push(part);
            units.extend(std::iter::from_fn(|| reader.pull()));
        }
        reader.finish();
        units.extend(std::iter::from_fn(|| reader.pull()));
        let parameters = units.first()?.parameters.clone()?;
        let numbers = numbers(&units)?;
        let delay = numbers.iter().zip(0_u32..).map(|(number, i)| number.saturating_sub(i)).max()?;
        let pictures = units.into_iter().zip(numbers).map(|(unit, number)| ClipPicture {
            slices: first_slice(codec, &unit.data),
            key: unit.random_access.is_some_and(|r| r.starts_gop()),
            data: unit.data,
            number,
        });
        let pictures: Vec<_> = pictures.collect();
        Some(Self { codec, length: pictures.len() as u64, pictures, parameters, delay })
    }

    /// Length in pictures.
    pub(crate) const fn len(&self) -> u64 {
        self.length
    }
}

/// The place of each picture in output order: by picture order count, from each restart of the counting anew.
fn numbers(units: &[AccessUnit]) -> Option<Vec<u32>> {
    let mut places: Vec<(u32, i32, usize)> = Vec::with_capacity(units.len());
    let mut group = 0;
    for (i, unit) in units.iter().enumerate() {
        let order = unit.order?;
        group += u32::from(order.restart);
        places.push((group, order.count, i));
    }
    places.sort_unstable();
    let mut numbers = vec![0; units.len()];
    for ((_, _, i), number) in places.into_iter().zip(0_u32..) {
        *numbers.get_mut(i)? = number;
    }
    Some(numbers)
}

fn first_slice(codec: Codec, data: &[u8]) -> usize {
    let before = nal_units(data).take_while(|nal: &Nal<'_>| nal.kind(codec) != NalKind::Slice);
    before.map(|nal| 4 + nal.bytes.len()).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn every_clip_is_a_minute_with_a_key_picture_every_two_seconds() {
        for (camera, delay) in [0, 2, 0, 0].into_iter().enumerate() {
            let clip = Clip::of(camera).unwrap();
            assert_eq!(clip.pictures.len(), 1_500);
            assert_eq!(clip.delay, delay, "camera {camera}");
            for (i, picture) in clip.pictures.iter().enumerate() {
                assert_eq!(picture.key, i % 50 == 0, "camera {camera}, picture {i}");
            }
            let mut numbers: Vec<u32> = clip.pictures.iter().map(|p| p.number).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..1_500));
        }
    }

    #[test]
    fn a_picture_is_filled_up_to_a_size_and_keeps_the_rest() {
        for camera in 0..4 {
            let clip = Clip::of(camera).unwrap();
            let plain = clip.pictures[50].stamped(clip.codec, 0, UtcMicros(3), 0);
            for short in [1, FILLER, FILLER + 1, 5_000] {
                let filled = clip.pictures[50].stamped(clip.codec, 0, UtcMicros(3), plain.len() + short);
                assert_eq!(filled[..plain.len()], plain[..]);
                assert_eq!(filled.len(), plain.len() + if short > FILLER { short } else { 0 });
                let more = nal_units(&filled).count() - nal_units(&plain).count();
                assert_eq!(more, usize::from(short > FILLER));
                if more == 1 {
                    let last = nal_units(&filled).last().unwrap();
                    assert_eq!(last.kind(clip.codec), NalKind::Filler);
                }
            }
        }
    }

    #[test]
    fn a_stamp_is_read_back_and_changes_nothing_else() {
        for camera in 0..4 {
            let clip = Clip::of(camera).unwrap();
            let picture = &clip.pictures[50];
            // Zeros want emulation prevention.
            for (round, utc) in [(0, UtcMicros(3)), (7, UtcMicros(1_795_000_000_123_456))] {
                let stamped = picture.stamped(clip.codec, round, utc, 0);
                let read = read_stamp(clip.codec, &stamped).unwrap();
                assert_eq!((read.round, read.number, read.utc), (round, picture.number, utc));
                let ours = |n: Nal<'_>| {
                    n.kind(clip.codec) == NalKind::Sei
                        && sei::messages(n, clip.codec)
                            .any(|m| m.user_data_unregistered().is_some_and(|u| u.0 == SEI_UUID))
                };
                let rest = nal_units(&stamped).filter(|n| !ours(*n));
                assert!(rest.map(|n| n.bytes).eq(nal_units(&picture.data).map(|n| n.bytes)));
            }
        }
    }
}
