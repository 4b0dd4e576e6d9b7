//! Second pass: the tables of one file.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::sound::Sound;
use super::subtitle::Subtitle;
use super::{File, Hidden, Part};
use crate::bmff::ftyp::Ftyp;
use crate::bmff::moov::Moov;
use crate::bmff::moov::trak::Trak;
use crate::bmff::moov::trak::edts::{Edit, Edts};
use crate::bmff::moov::trak::mdia::Mdia;
use crate::bmff::moov::trak::mdia::hdlr;
use crate::bmff::moov::trak::mdia::mdhd::Mdhd;
use crate::bmff::moov::trak::mdia::minf::Minf;
use crate::bmff::moov::trak::mdia::minf::stbl::Stbl;
use crate::bmff::moov::trak::mdia::minf::stbl::ctts::Ctts;
use crate::bmff::moov::trak::mdia::minf::stbl::stco::Stco;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{self, Configuration, Entry, Stsd};
use crate::bmff::moov::trak::mdia::minf::stbl::stss::Stss;
use crate::bmff::moov::trak::mdia::minf::stbl::stsz::Stsz;
use crate::bmff::moov::trak::tkhd::Tkhd;
use crate::bmff::{Boxed as _, Error, Header, Kind, moof};
use crate::fault::Offset;
use crate::time::{Ticks, UtcMicros};

/// What is kept of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) dts: i64,
    pub(super) size: u32,
    pub(super) composition: i32,
    pub(super) sync: bool,
    pub(super) shown: bool,
    pub(super) utc: UtcMicros,
}

impl Sample {
    pub(super) const fn pts(&self) -> i64 {
        self.dts.saturating_add(self.composition as i64)
    }
}

/// A picture in the order of presentation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented {
    pts: i64,
    /// Ticks until the next one.
    pub(super) long: u64,
    shown: bool,
    pub(super) utc: UtcMicros,
}

/// Samples that stand together in the file: those of one fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) part: Part,
    pub(super) samples: u32,
    description: u32,
}

/// One file in the making.
#[derive(Clone, Debug)]
pub(super) struct Movie {
    /// The track that the samples are of, as stored.
    pub(super) track: Trak,
    header: Tkhd,
    entries: Vec<Entry>,
    pub(super) samples: Vec<Sample>,
    pub(super) chunks: Vec<Chunk>,
    /// UTC of the first and last picture shown.
    shown: Option<(UtcMicros, UtcMicros)>,
    /// Presentation time of the random access point that a strict export starts at.
    pub(super) begin: Option<i64>,
    /// UTC less presentation time, microseconds, where it is known best; and its source's number.
    pub(super) utc: Option<(u8, i64)>,
    /// Where the last sample ends.
    pub(super) end: i64,
}

impl Movie {
    pub(super) fn new(track: &Trak, at: u64) -> Result<Self, Error> {
        let entry = playable(track, at)?;
        Ok(Self {
            track: track.clone(),
            header: track.header,
            entries: [entry].into(),
            samples: Vec::new(),
            chunks: Vec::new(),
            shown: None,
            begin: None,
            utc: None,
            end: 0,
        })
    }

    /// One that goes on with the last sample entry of this one.
    pub(super) fn sequel(&self) -> Self {
        Self {
            entries: self.entries.last().cloned().into_iter().collect(),
            header: self.track.header,
            track: self.track.clone(),
            samples: Vec::new(),
            chunks: Vec::new(),
            shown: None,
            begin: None,
            utc: None,
            end: 0,
        }
    }

    /// Do samples of that track need nothing else?
    pub(super) fn is_of(&self, track: &Trak) -> bool {
        self.track == *track
    }

    /// Are they of the same codec and timescale?
    pub(super) fn same_kind(&self, track: &Trak) -> bool {
        let kind = |t: &Trak| match t.media.information.tables.descriptions.entries.first() {
            Some(Entry::Video(entry)) => Some(entry.kind),
            Some(Entry::Audio(entry)) => Some(entry.kind),
            _ => None,
        };
        kind(&self.track) == kind(track) && self.track.media.header.timescale == track.media.header.timescale
    }

    /// What follows has this sample entry.
    pub(super) fn add_description(&mut self, track: &Trak, at: u64) -> Result<(), Error> {
        self.entries.push(playable(track, at)?);
        self.track = track.clone();
        Ok(())
    }

    pub(super) const fn shows_any(&self) -> bool {
        self.shown.is_some()
    }

    /// Forgets all samples so far.
    pub(super) fn restart(&mut self) {
        self.samples.clear();
        self.chunks.clear();
        self.begin = None;
        // The entry in force is the last; those before it have no samples any more.
        let unused = self.entries.len() - 1;
        self.entries.drain(..unused);
        self.header = self.track.header;
    }

    pub(super) fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
        if sample.shown {
            let (first, last) = self.shown.unwrap_or((sample.utc, sample.utc));
            self.shown = Some((first.min(sample.utc), last.max(sample.utc)));
        }
    }

    /// The bytes of the sample just pushed: a part of their own, or more of the last one.
    pub(super) fn extend(&mut self, bytes: Part) {
        let description = self.entries.len() as u32;
        match self.chunks.last_mut() {
            Some(Chunk { part, samples, description: of })
                if part.fragment == bytes.fragment
                    && part.offset + part.len == bytes.offset
                    && *of == description =>
            {
                part.len += bytes.len;
                *samples += 1;
            }
            _ => self.chunks.push(Chunk { part: bytes, samples: 1, description }),
        }
    }

    /// Forgets what stands before the last sync sample that decoding can start at: one not behind any picture that is
    /// shown, neither in the order of decoding nor in that of presentation (an H.265 CRA's leading pictures need what is
    /// before it).
    fn start_late(&mut self) {
        let Some(first) = self.samples.iter().position(|s| s.shown) else { return };
        let Some(start) = self.samples.iter().filter(|s| s.shown).map(Sample::pts).min() else { return };
        let candidates = self.samples.get(..=first).unwrap_or(&[]);
        let Some(from) = candidates.iter().rposition(|s| s.sync && s.pts() <= start) else { return };
        let mut left = from as u32;
        let mut at = 0;
        let mut whole = 0;
        for chunk in &mut self.chunks {
            let gone = left.min(chunk.samples);
            let end = at + gone as usize;
            let bytes: u64 = self.samples.get(at..end).unwrap_or(&[]).iter().map(|s| u64::from(s.size)).sum();
            chunk.part.offset += bytes;
            chunk.part.len -= bytes;
            chunk.samples -= gone;
            whole += usize::from(chunk.samples == 0);
            (left, at) = (left - gone, end);
            if left == 0 {
                break;
            }
        }
        self.chunks.drain(..whole);
        self.samples.drain(..from);
    }

    /// Forgets the samples behind the last that is shown.
    fn trim(&mut self) {
        while let Some(last) = self.samples.last().filter(|s| !s.shown) {
            self.end = last.dts;
            if let Some(chunk) = self.chunks.last_mut() {
                chunk.part.len = chunk.part.len.saturating_sub(last.size.into());
                chunk.samples -= 1;
                if chunk.samples == 0 {
                    self.chunks.pop();
                }
            }
            self.samples.pop();
        }
    }

    /// Lets the pictures before the first that is shown last a tick each. The edit list hides them; a player that does not
    /// heed it (Firefox) is past them before anybody sees more than one.
    fn hurry(&mut self) {
        let Some(first) = self.samples.iter().position(|s| s.shown) else { return };
        let Some(start) = self.samples.iter().filter(|s| s.shown).map(Sample::pts).min() else { return };
        let mut early: Vec<_> = (0..self.samples.len())
            .filter(|i| self.samples.get(*i).is_some_and(|s| !s.shown && s.pts() < start))
            .collect();
        early.sort_by_key(|i| self.samples.get(*i).map(Sample::pts));
        let times: Vec<_> = (1..=early.len() as i64).rev().map(|before| start - before).collect();
        let decoded = self.samples.get(first).map_or(0, |s| s.dts);
        for (i, pts) in early.into_iter().zip(times) {
            if let Some(sample) = self.samples.get_mut(i) {
                sample.composition = i32::try_from(pts - sample.dts).unwrap_or(i32::MAX);
            }
        }
        // Also those that are presented behind it: decoding times must rise.
        for (i, sample) in self.samples.iter_mut().enumerate().take(first) {
            let (pts, dts) = (sample.pts(), decoded - (first - i) as i64);
            sample.dts = dts;
            sample.composition = i32::try_from(pts - dts).unwrap_or(i32::MAX);
        }
    }

    /// Presentation time `ticks` is `utc`, says the source of that number.
    pub(super) fn dated(&mut self, source: u8, ticks: i64, utc: UtcMicros) {
        if self.utc.is_none_or(|(known, _)| source < known) {
            self.utc = Some((source, utc.0.saturating_sub(Ticks::micros(ticks))));
        }
    }

    /// The file; `None` where it shows nothing. Of `sounds`, that which most of it is heard with comes along.
    pub(super) fn finish(mut self, sounds: &[Self], subtitles: bool) -> Option<File> {
        let (first, last) = self.shown?;
        self.start_late();
        self.trim();
        self.hurry();
        let edits = self.edits();
        let duration = edits.iter().map(|e| e.duration).sum();
        let pictures = self.samples.iter().filter(|s| s.shown).count();
        let shown = self.shown();
        let end = shown.last().map_or(last, |p| p.utc.plus(Ticks::micros(p.long as i64)));
        let unseen = self.hidden(first);
        let subtitle = subtitles.then(|| Subtitle::of(&shown)).flatten();
        let text = subtitle.as_ref().map_or(&[][..], |s| &s.bytes);
        let sound = sounds.iter().filter_map(|sound| Sound::of(sound, &self)).max_by_key(Sound::samples);
        let bytes: u64 = self.chunks.iter().map(|c| c.part.len).sum();
        let heard: u64 = sound.iter().flat_map(|s| &s.movie.chunks).map(|c| c.part.len).sum();
        let mut tables = self.tables();
        let mut head = BytesMut::new();
        let mut base = 0;
        loop {
            // The offsets depend on how long the tables are, and that on whether the offsets need 64 bits: once is
            // mostly enough, three times always.
            head.clear();
            self.offsets(base, &mut tables.offsets);
            let mut moov = self.moov(&tables, &edits, duration);
            if let Some(sound) = &sound {
                moov = moov.with(sound.track(base + bytes));
            }
            if let Some(subtitle) = &subtitle {
                let number = moov.header.next_track;
                moov =
                    moov.with(subtitle.track(number, &self.header, base.saturating_sub(text.len() as u64)));
            }
            Ftyp::progressive().write(&mut head);
            moov.write(&mut head);
            Header::write(&mut head, moof::MDAT, text.len() as u64 + bytes + heard);
            head.extend_from_slice(text);
            if head.len() as u64 == base {
                break;
            }
            base = head.len() as u64;
        }
        Some(File {
            len: base + bytes + heard,
            head: head.freeze(),
            parts: self.chunks.iter().map(|c| c.part).collect(),
            sound: sound.map(|s| s.movie.chunks.iter().map(|c| c.part).collect()).unwrap_or_default(),
            pictures: pictures as u32,
            hidden: unseen.len() as u32,
            unseen,
            first,
            last,
            end,
            random_access: self.samples.first().is_some_and(|s| s.sync),
            subtitles: subtitle.is_some(),
            duration,
        })
    }

    pub(super) fn offsets(&self, base: u64, to: &mut Stco) {
        to.offsets.clear();
        let mut at = base;
        for chunk in &self.chunks {
            to.offsets.push(at);
            at += chunk.part.len;
        }
    }

    pub(super) fn origin(&self) -> i64 {
        self.samples.first().map_or(0, |s| s.dts)
    }

    /// What is added to composition offsets so that none is negative: old players know only those. The edit list takes
    /// it back.
    fn lift(&self) -> i64 {
        self.samples.iter().map(|s| -i64::from(s.composition)).max().unwrap_or(0).max(0)
    }

    /// All pictures in the order of presentation.
    fn presented(&self) -> Vec<Presented> {
        let mut order: Vec<_> = self.samples.iter().map(|s| (s.pts(), s.shown, s.utc)).collect();
        order.sort_unstable();
        let last_duration = self.samples.last().map_or(0, |s| self.end - s.dts);
        let next = |i: usize, pts: i64| order.get(i + 1).map_or(pts + last_duration, |(next, ..)| *next);
        let presented = order.iter().enumerate().map(|(i, (pts, shown, utc))| Presented {
            pts: *pts,
            long: (next(i, *pts) - pts).max(0) as u64,
            shown: *shown,
            utc: *utc,
        });
        presented.collect()
    }

    /// The pictures shown, in the order of presentation.
    fn shown(&self) -> Vec<Presented> {
        let mut shown = self.presented();
        shown.retain(|p| p.shown);
        shown
    }

    /// The pictures that are not shown; `first`: the UTC of the first that is.
    fn hidden(&self, first: UtcMicros) -> Vec<Hidden> {
        let hidden = self.samples.iter().enumerate().filter(|(_, s)| !s.shown);
        hidden.map(|(i, s)| Hidden { sample: i as u32 + 1, utc: s.utc, lead_in: s.utc < first }).collect()
    }

    /// One edit for each run of pictures shown, in the order of presentation: mostly one. None where all is shown from
    /// the media's time 0 on.
    fn edits(&self) -> Vec<Edit> {
        let (origin, lift) = (self.origin(), self.lift());
        let mut edits: Vec<Edit> = Vec::new();
        let mut before = false;
        for Presented { pts, long, shown, .. } in self.presented() {
            match edits.last_mut() {
                Some(edit) if shown && before => edit.duration += long,
                _ if shown => edits.push(Edit { duration: long, media_time: pts - origin + lift }),
                _ => {}
            }
            before = shown;
        }
        edits
    }

    pub(super) fn tables(&self) -> Stbl {
        let mut tables = Stbl::fragmented(Stsd { entries: self.entries.clone() });
        let lift = self.lift();
        let (mut composition, mut sync, mut sizes) = (Ctts::default(), Stss::default(), Vec::new());
        for (i, sample) in self.samples.iter().enumerate() {
            let next = self.samples.get(i + 1).map_or(self.end, |n| n.dts);
            tables.times.push(u32::try_from(next - sample.dts).unwrap_or(u32::MAX));
            composition.push(i32::try_from(i64::from(sample.composition) + lift).unwrap_or(i32::MAX));
            // Decoding begins with the first sample whatever it is, and a player seeks to sync samples only.
            if sample.sync || i == 0 {
                sync.samples.push(i as u32 + 1);
            }
            sizes.push(sample.size);
        }
        tables.composition = Some(composition).filter(|c| c.runs.iter().any(|(_, offset)| *offset != 0));
        tables.sync = Some(sync).filter(|s| s.samples.len() < self.samples.len());
        tables.sizes = Stsz::Each(sizes);
        for (i, chunk) in self.chunks.iter().enumerate() {
            tables.chunks.push(i as u32 + 1, chunk.samples, chunk.description);
        }
        tables
    }

    fn moov(&self, tables: &Stbl, edits: &[Edit], shown: u64) -> Moov {
        let media = (self.end - self.origin()).max(0) as u64;
        let timescale = self.track.media.header.timescale;
        let header = Tkhd { track: 1, duration: shown, ..self.header };
        let (length, tables) = (Mdhd::new(timescale, media), tables.clone());
        let media = if self.track.media.handler.kind == hdlr::SOUND {
            Mdia::sound(length, Minf::sound(tables))
        } else {
            Mdia::video(length, Minf::new(tables))
        };
        let mut track = Trak::new(header, media);
        let all = matches!(edits, [Edit { media_time: 0, .. }]) && self.samples.iter().all(|s| s.shown);
        track.edits = (!all).then(|| Edts { edits: edits.into() });
        Moov::whole(track)
    }
}

/// The track's sample entry as every player takes it: `avc1`, `hvc1`.
fn playable(track: &Trak, at: u64) -> Result<Entry, Error> {
    let fail = |kind| Error { kind, at: Offset(at) };
    let mut entry = match track.media.information.tables.descriptions.entries.first() {
        Some(Entry::Video(entry)) => entry.clone(),
        Some(Entry::Audio(entry)) => return Ok(Entry::Audio(entry.clone())),
        Some(Entry::Other(kind, _)) => return Err(fail(Kind::UnsupportedEntry(*kind))),
        None => return Err(fail(Kind::Missing(Stsd::KIND))),
    };
    match &mut entry.configuration {
        Configuration::Avc(_) => entry.kind = stsd::AVC1,
        Configuration::Hevc(record) => {
            entry.kind = stsd::HVC1;
            for array in &mut record.arrays {
                array.complete = true;
            }
        }
        Configuration::Av1(_) | Configuration::None => {}
    }
    Ok(Entry::Video(entry))
}
