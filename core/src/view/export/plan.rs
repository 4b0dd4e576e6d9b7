//! First pass: which samples.

use alloc::vec::Vec;

use super::movie::{Movie, Sample};
use super::{File, Part};
use crate::bmff::moof::{self, Moof};
use crate::bmff::moov::Moov;
use crate::bmff::moov::mvex::Trex;
use crate::bmff::moov::trak::Trak;
use crate::bmff::{Boxed as _, Boxes, Error, FourCc, Header, Kind};
use crate::fault::Offset;
use crate::gix::{Flags, FragmentMark, JOIN};
use crate::limits::Limits;
use crate::time::{Ticks, UtcMicros};

/// The longest break between two pictures that is kept, ticks: 12 hours. A duration has 32 bits.
const LONGEST_BREAK: i64 = 12 * 3_600 * 90_000;

/// Plans ordinary MP4 files of a time range.
///
/// Show it the stored stream in order, from the random access point at or before the range to the last fragment that
/// starts in it: [`init`](Self::init) wherever another init segment begins, [`fragment`](Self::fragment) for each
/// fragment. Then [`finish`](Self::finish).
///
/// Breaks keep their length: a picture stands until the next one comes. [`split_at_gaps`](Self::split_at_gaps) makes a file of
/// what comes after instead.
#[derive(Debug)]
pub struct Export {
    range: Option<(UtcMicros, UtcMicros)>,
    one_file: bool,
    strict: bool,
    split: bool,
    subtitles: bool,
    most: usize,
    movies: Vec<Movie>,
    defaults: Trex,
    before: Option<End>,
}

/// Where the fragment before ended.
#[derive(Clone, Copy, Debug)]
struct End {
    stored: i64,
    shown: i64,
    utc: UtcMicros,
}

impl Export {
    /// Of the pictures with `from` <= UTC < `to`; a file for each init segment that is needed.
    #[must_use]
    pub fn new(from: UtcMicros, to: UtcMicros, limits: &Limits) -> Self {
        Self { range: Some((from, to)), ..Self::whole(limits) }
    }

    /// Of all that is shown to it.
    #[must_use]
    pub fn whole(limits: &Limits) -> Self {
        Self {
            range: None,
            one_file: false,
            strict: false,
            split: false,
            subtitles: false,
            most: limits.fragment_samples.max(1 << 16),
            movies: Vec::new(),
            defaults: Trex::new(crate::fragment::TRACK),
            before: None,
        }
    }

    /// One file with several sample entries where several init segments are needed. Not every player can: ffmpeg, VLC and
    /// mpv do.
    #[must_use]
    pub const fn in_one_file(mut self) -> Self {
        self.one_file = true;
        self
    }

    /// Nothing that is not shown before what is: each file starts at the first random access point of the range, and what
    /// of the range lies before it is not in the file.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Another file after each gap of 200 ms or more ([`gix::JOIN`](crate::gix::JOIN)), and where a clock was set back by as much.
    #[must_use]
    pub const fn split_at_gaps(mut self) -> Self {
        self.split = true;
        self
    }

    /// With a track of subtitles (`tx3g`): the UTC of what is shown, a line for each second.
    #[must_use]
    pub const fn with_subtitles(mut self) -> Self {
        self.subtitles = true;
        self
    }

    /// What follows needs this init segment.
    ///
    /// # Errors
    /// [`Error`] where it has no track of video or sound that can be read, or it is encrypted.
    pub fn init(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let found = Boxes::new(bytes, 0).need(Moov::KIND)?;
        let moov: Moov = found.parse()?;
        let missing = Error { kind: Kind::Missing(Trak::KIND), at: Offset(found.at) };
        let track = moov.video().or(moov.audio()).ok_or(missing)?.clone();
        self.defaults = moov.defaults(track.header.track);
        if self.movies.last().is_some_and(|m| m.is_of(&track)) {
            return Ok(());
        }
        match self.movies.last_mut().filter(|m| self.one_file && m.same_kind(&track)) {
            Some(movie) => movie.add_description(&track, found.at)?,
            None => {
                self.movies.push(Movie::new(&track, found.at)?);
                self.before = None;
            }
        }
        Ok(())
    }

    /// The next fragment, which the file's parts will call `number`. `head` is the fragment up to the header of its `mdat`;
    /// more may follow.
    ///
    /// # Errors
    /// [`Error`] where it cannot be read, is encrypted, or comes before any init segment; [`Kind::Missing`] of `uuid` where
    /// it has no mark and so no UTC.
    pub fn fragment(&mut self, number: u64, head: &[u8]) -> Result<(), Error> {
        let fail = |kind, at| Error { kind, at: Offset(at) };
        let mark = FragmentMark::parse(head).map_err(|_| fail(Kind::Missing(FourCc(*b"uuid")), 0))?;
        let rest = head.get(FragmentMark::LEN..).unwrap_or(&[]);
        let found = Boxes::new(rest, FragmentMark::LEN as u64).need(moof::KIND)?;
        let moof = Moof::parse(&found)?;
        let track = moof.track(self.defaults.track).ok_or(fail(Kind::Missing(moof::traf::KIND), found.at))?;
        if track.encrypted {
            return Err(fail(Kind::UnsupportedEntry(FourCc(*b"senc")), track.at));
        }
        let body = Self::body(head, found.at + found.bytes.len() as u64)?;
        if self.split && self.is_apart(&mark) {
            let sequel = self.movies.last().map(Movie::sequel);
            self.movies.extend(sequel);
            self.before = None;
        }
        let shift = self.shift(&mark);
        let Some(movie) = self.movies.last_mut() else {
            return Err(fail(Kind::Missing(Moov::KIND), 0));
        };
        let (mut dts, mut offset) = (mark.dts.0.saturating_add(shift), body);
        movie.dated(mark.source, dts.saturating_add(mark.offset.into()), mark.utc);
        for (i, sample) in track.samples(&self.defaults).enumerate() {
            if i == self.most {
                return Err(fail(Kind::TooLarge(moof::KIND), found.at));
            }
            let (composition, long) = (sample.composition, i64::from(sample.duration));
            let early = dts.saturating_add(composition.into()) - shift - mark.dts.0 - i64::from(mark.offset);
            let utc = mark.utc.plus(Ticks::micros(early));
            let shown = self.range.is_none_or(|(from, to)| from <= utc && utc < to);
            let sync = sample.is_sync();
            let sample = Sample { dts, size: sample.size, composition, sync, shown, utc };
            let part = Part { fragment: number, offset, len: sample.size.into() };
            offset += part.len;
            dts = dts.saturating_add(long);
            if self.strict {
                // Pictures behind the random access point that are shown before it need what is not there, or may.
                let begin = movie.begin.or((sync && shown).then_some(sample.pts()));
                movie.begin = begin;
                if begin.is_none_or(|begin| sample.pts() < begin) {
                    continue;
                }
            }
            if sync && !movie.shows_any() && self.range.is_some_and(|(from, _)| utc <= from) {
                // Decoding can start here and nothing before is shown.
                movie.restart();
            }
            movie.push(sample);
            movie.extend(part);
            movie.end = dts;
        }
        self.before = Some(End {
            stored: dts - shift,
            shown: dts,
            utc: mark.utc.plus(Ticks::micros(mark.duration.into())),
        });
        Ok(())
    }

    /// The files, those that show nothing left out.
    #[must_use]
    pub fn finish(self) -> Vec<File> {
        self.finish_with(None)
    }

    /// The files, each with the sound of its time: `sound` was shown the fragments of the camera's sound, over the same range.
    #[must_use]
    pub fn finish_with(self, sound: Option<Self>) -> Vec<File> {
        let sounds = sound.map(|sound| sound.movies).unwrap_or_default();
        let subtitles = self.subtitles;
        self.movies.into_iter().filter_map(|movie| movie.finish(&sounds, subtitles)).collect()
    }

    /// Is there a gap before it, or was the clock set back?
    fn is_apart(&self, mark: &FragmentMark) -> bool {
        self.before.is_some_and(|before| {
            let continues = mark.dts.0 == before.stored && !mark.flags.has(Flags::DISCONTINUITY);
            !continues && mark.utc.0.abs_diff(before.utc.0) >= JOIN.unsigned_abs()
        })
    }

    /// What to add to the stored times, so that they rise from file to file and over breaks.
    fn shift(&self, mark: &FragmentMark) -> i64 {
        let Some(before) = self.before else { return mark.dts.0.saturating_neg() };
        let stored = mark.dts.0.saturating_sub(before.stored);
        let continues = !mark.flags.has(Flags::DISCONTINUITY) && (0..=LONGEST_BREAK).contains(&stored);
        let by_clock = Ticks::from_micros(mark.utc.0.saturating_sub(before.utc.0));
        let pause = if continues { stored } else { by_clock.clamp(0, LONGEST_BREAK) };
        before.shown.saturating_add(pause).saturating_sub(mark.dts.0)
    }

    /// Where the samples start, from the fragment's first byte.
    fn body(head: &[u8], at: u64) -> Result<u64, Error> {
        let missing = Error { kind: Kind::Missing(moof::MDAT), at: Offset(at) };
        let rest = usize::try_from(at).ok().and_then(|at| head.get(at..)).ok_or(missing)?;
        let header = Header::parse(rest, at)?.filter(|h| h.kind == moof::MDAT).ok_or(missing)?;
        Ok(at + header.header_len)
    }
}
