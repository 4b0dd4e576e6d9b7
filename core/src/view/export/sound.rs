//! The track of sound beside the pictures: what is heard while they are shown.

use super::movie::Movie;
use crate::bmff::moov::trak::Trak;
use crate::bmff::moov::trak::edts::{Edit, Edts};
use crate::bmff::moov::trak::mdia::Mdia;
use crate::bmff::moov::trak::mdia::mdhd::Mdhd;
use crate::bmff::moov::trak::mdia::minf::Minf;
use crate::bmff::moov::trak::tkhd::Tkhd;
use crate::time::Ticks;

/// Its number; the pictures' is 1.
const TRACK: u32 = 2;

/// A part of the recorded sound.
#[derive(Debug)]
pub(super) struct Sound {
    /// The samples of the part.
    pub(super) movie: Movie,
    /// From the first picture shown to the first of these samples, ticks; negative: that is in the middle of a sample.
    delay: i64,
    /// How long it is heard.
    duration: i64,
}

impl Sound {
    /// What of `sound` is heard with the pictures of `video`; `None` where nothing is. The two have clocks of their own: what
    /// they have in common is UTC, from the best source that each has.
    pub(super) fn of(sound: &Movie, video: &Movie) -> Option<Self> {
        let ((_, heard), (_, seen)) = (sound.utc?, video.utc?);
        let behind = Ticks::from_micros(heard.saturating_sub(seen));
        let shown = || video.samples.iter().filter(|sample| sample.shown);
        let start = shown().map(|sample| sample.pts()).min()?;
        let end = video.end.max(shown().map(|sample| sample.pts()).max()?);
        let ends = |at: usize| sound.samples.get(at + 1).map_or(sound.end, |next| next.dts);
        let within = |at: usize, from: i64| ends(at).saturating_add(behind) > start && from < end;
        let mut kept = sound
            .samples
            .iter()
            .enumerate()
            .filter(|(at, sample)| within(*at, sample.dts.saturating_add(behind)))
            .map(|(at, _)| at);
        let first = kept.next()?;
        let last = kept.next_back().unwrap_or(first);
        let movie = sound.only(first, last)?;
        let from = movie.origin().saturating_add(behind);
        let until = movie.end.saturating_add(behind).min(end);
        Some(Self { movie, delay: from - start, duration: until - from.max(start) })
    }

    pub(super) fn samples(&self) -> usize {
        self.movie.samples.len()
    }

    /// The track, whose samples start at byte `base` of the file.
    pub(super) fn track(&self, base: u64) -> Trak {
        let movie = &self.movie;
        let mut tables = movie.tables();
        movie.offsets(base, &mut tables.offsets);
        let timescale = movie.track.media.header.timescale;
        let long = (movie.end - movie.origin()).max(0) as u64;
        let heard = self.duration.max(0) as u64;
        let silence = self.delay.max(0) as u64;
        let header = Tkhd { duration: silence + heard, ..Tkhd::sound(TRACK) };
        let media = Mdia::sound(Mdhd::new(timescale, long), Minf::sound(tables));
        let mut track = Trak::new(header, media);
        // An edit without media is silence (ISO/IEC 14496-12 §8.6.6).
        let wait = (silence > 0).then_some(Edit { duration: silence, media_time: -1 });
        let play = Edit { duration: heard, media_time: self.delay.min(0).saturating_neg() };
        if wait.is_some() || play.media_time > 0 || heard < long {
            track.edits = Some(Edts { edits: wait.into_iter().chain([play]).collect() });
        }
        track
    }
}

impl Movie {
    /// Only the samples from number `first` to number `last`.
    fn only(&self, first: usize, last: usize) -> Option<Self> {
        let mut part = self.clone();
        part.end = self.samples.get(last + 1).map_or(self.end, |next| next.dts);
        part.samples = self.samples.get(first..=last)?.to_vec();
        part.chunks.clear();
        let mut at = 0;
        for chunk in &self.chunks {
            let mut chunk = *chunk;
            let inside = at..at + chunk.samples as usize;
            at = inside.end;
            let (from, to) = (inside.start.max(first), inside.end.min(last + 1));
            if from >= to {
                continue;
            }
            let bytes = |from: usize, to: usize| {
                let samples = self.samples.iter().take(to).skip(from);
                samples.map(|sample| u64::from(sample.size)).sum::<u64>()
            };
            chunk.part.offset += bytes(inside.start, from);
            chunk.part.len = bytes(from, to);
            chunk.samples = (to - from) as u32;
            part.chunks.push(chunk);
        }
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::sync::Arc;
    use alloc::vec;
    use alloc::vec::Vec;
    use bytes::Bytes;

    use super::*;
    use crate::bmff::moov::Moov;
    use crate::bmff::moov::trak::mdia::minf::MediaHeader;
    use crate::bmff::moov::trak::mdia::minf::stbl::stsd::Entry;
    use crate::bmff::moov::trak::mdia::minf::stbl::stsz::Stsz;
    use crate::bmff::{Boxed as _, Boxes};
    use crate::codec::{AudioCodec, Codec};
    use crate::depacket::{AudioFormat, Loss};
    use crate::fragment::testing::{START, fragments, sets, stream, whole};
    use crate::fragment::{Fragment, Piece, PlainFragmenter};
    use crate::limits::Limits;
    use crate::time::{Micros, UtcMicros};
    use crate::timeline::{PlainFormat, PlainGroup, PlainSample, PlainUnit, UtcSource, UtcStamp};
    use crate::view::export::{Export, File};

    /// What sample number `n` holds.
    fn data(n: i64) -> Vec<u8> {
        vec![n as u8; 3 + n as usize % 5]
    }

    /// Sixty samples of sound of 10 ms each, the first at `start`, in fragments of seven.
    fn sound(start: UtcMicros) -> Vec<Fragment> {
        let format = Arc::new(AudioFormat {
            codec: AudioCodec::Pcmu,
            clock_rate: 8_000,
            sample_rate: 8_000,
            channels: 1,
            configuration: Bytes::new(),
        });
        let sample = |n: i64| PlainSample {
            unit: PlainUnit {
                format: PlainFormat::Audio(Arc::clone(&format)),
                data: data(n).into(),
                timestamp: 0,
                duration: Some(80),
                received: Micros(0),
                random_access: true,
                loss: Loss::default(),
            },
            pts: Ticks(5_000_000 + n * 900),
            duration: 900,
            utc: UtcStamp { utc: start.plus(n * 10_000), source: UtcSource::SenderReport, error: 0 },
        };
        let mut fragmenter = PlainFragmenter::new();
        for from in (0..60).step_by(7) {
            let samples = (from..60.min(from + 7)).map(sample).collect();
            fragmenter.push(PlainGroup { samples, epoch: 0 }).unwrap();
        }
        let pieces = core::iter::from_fn(|| fragmenter.pull());
        pieces.filter_map(|p| if let Piece::Fragment(f) = p { Some(f) } else { None }).collect()
    }

    fn plan(made: &[Fragment]) -> Export {
        let mut plan = Export::whole(&Limits::default());
        for (n, fragment) in (0..).zip(made) {
            plan.init(&fragment.init.bytes).unwrap();
            plan.fragment(n, &fragment.head).unwrap();
        }
        plan
    }

    fn bytes(file: &File, pictures: &[Fragment], sound: &[Fragment]) -> Vec<u8> {
        let mut out = file.head.to_vec();
        for (parts, made) in [(&file.parts, pictures), (&file.sound, sound)] {
            for part in parts {
                let stored = whole(&made[part.fragment as usize]);
                out.extend(&stored[part.offset as usize..(part.offset + part.len) as usize]);
            }
        }
        assert_eq!(out.len() as u64, file.len);
        out
    }

    /// Pictures from START on for 400 ms, and sound that starts at another time: which samples come along, and when they are
    /// heard.
    #[test]
    fn the_sound_is_heard_at_its_utc() {
        let (_, pictures) = fragments(stream(&sets(Codec::H264), 0, 2, 5, false));
        let edit = |duration, media_time| Edit { duration, media_time };
        for (late, kept, edits) in [
            // 200 ms late: silence first, and its end is not seen.
            (200_000, 0..20, vec![edit(18_000, -1), edit(18_000, 0)]),
            // 95 ms early: the first sample is heard from its middle on.
            (-95_000, 9..50, vec![edit(36_000, 450)]),
            (0, 0..40, vec![]),
        ] {
            let made = sound(START.plus(late));
            let files = plan(&pictures).finish_with(Some(plan(&made)));
            let file = bytes(&files[0], &pictures, &made);
            let moov: Moov = Boxes::new(&file, 0).need(Moov::KIND).unwrap().parse().unwrap();
            assert_eq!((moov.tracks.len(), moov.header.next_track), (2, 3));
            let track = moov.audio().unwrap();
            assert_eq!((track.header.track, track.media.information.header), (TRACK, MediaHeader::Sound));
            let tables = &track.media.information.tables;
            assert!(matches!(&tables.descriptions.entries[0], Entry::Audio(e) if e.sample_rate == 8_000));
            let Stsz::Each(sizes) = &tables.sizes else { panic!() };
            let expected: Vec<_> = kept.clone().map(data).collect();
            assert_eq!(sizes.len(), expected.len(), "{late}");
            // Chunk by chunk, its samples one behind the other.
            let mut got = Vec::new();
            let joined: usize = sizes.iter().map(|s| *s as usize).sum();
            let last = *tables.offsets.offsets.last().unwrap() as usize;
            let first = tables.offsets.offsets[0] as usize;
            assert!(last < file.len() && file.len() - first == joined);
            let mut at = first;
            for size in sizes {
                got.push(file[at..at + *size as usize].to_vec());
                at += *size as usize;
            }
            assert_eq!(got, expected, "{late}");
            assert_eq!(track.edits.clone().map(|e| e.edits).unwrap_or_default(), edits, "{late}");
        }
        // Of another hour: none.
        let made = sound(START.plus(3_600_000_000));
        let files = plan(&pictures).finish_with(Some(plan(&made)));
        assert!(files[0].sound.is_empty());
        // The sound alone is a file too.
        let alone = plan(&made).finish();
        let file = bytes(&alone[0], &made, &[]);
        let moov: Moov = Boxes::new(&file, 0).need(Moov::KIND).unwrap().parse().unwrap();
        assert!(moov.video().is_none() && moov.audio().is_some());
    }
}
