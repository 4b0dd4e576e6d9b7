//! A day's index, as far as it was read: all of it, or, where there is a page directory, the pages around what is played.

use core::ops::Range;

use crate::gix::{Cover, Day, Entry, Error, Flags, Index, PageDirectory};
use crate::time::UtcMicros;

/// Bytes of an index asked for at a time, where all of it is read or it still grows.
pub(super) const PIECE: usize = 256 << 10;
/// Bytes asked for to go on from a page, where there is a directory.
const ONWARD: usize = 16 << 10;
/// What a clock set back has put so far apart that the pages between are more than this is looked for in the whole index.
const MOST: u64 = PIECE as u64;

/// What is known of the pages of a day's index.
#[derive(Debug)]
pub(super) enum Pages {
    /// Not asked for yet.
    Unknown,
    /// There was no index at that look.
    Absent(u64),
    /// There is no directory: the index is read as a whole.
    Whole,
    /// The directory, and at which look it came.
    Told(PageDirectory, u64),
}

/// A day of the archive. A place is the number of a record.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) pages: Pages,
    pub(super) index: Index,
    /// What covers which moment, by place.
    cover: Cover<u32>,
    covered: usize,
    /// The directory's entry that the index was read from; `None`: nothing was.
    first: Option<usize>,
    /// The bytes of the index seen end here: at `index.wanted()`, or behind the part that was there of a record.
    seen: u64,
    /// At which look its end was reached last.
    pub(super) ended: Option<u64>,
    /// Told that it is damaged.
    pub(super) told: bool,
    /// The directory was asked for again, as what it says was not there.
    pub(super) renewed: bool,
}

/// When it is asked: is the day's index complete, and which look is it?
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) settled: bool,
    pub(super) number: u64,
}

/// The answer to a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// So many bytes of the index have to be read first, from where it stands.
    Read(usize),
    /// There: decoding starts at this place.
    At(u32),
    /// Not there. Nothing else starts before this moment; where it is known, the place that decoding starts at then.
    After(UtcMicros, Option<u32>),
    /// Neither there nor after.
    Nothing,
}

impl Loaded {
    /// Of which nothing is read yet.
    pub(super) fn new(day: Day) -> Self {
        Self {
            pages: Pages::Unknown,
            index: Index::new(day),
            cover: Cover::default(),
            covered: 0,
            first: None,
            seen: 0,
            ended: None,
            told: false,
            renewed: false,
        }
    }

    /// The same, to be read as a whole.
    pub(super) fn whole(day: Day) -> Self {
        Self { pages: Pages::Whole, ..Self::new(day) }
    }

    pub(super) const fn directory(&self) -> Option<&PageDirectory> {
        match &self.pages {
            Pages::Told(directory, _) => Some(directory),
            _ => None,
        }
    }

    /// Takes bytes of the index from [`Index::wanted`] on.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.seen = self.index.wanted().saturating_add(bytes.len() as u64);
        let done = self.index.push(bytes);
        for entry in self.index.entries().iter().skip(self.covered) {
            self.cover.add(entry.span(), entry.continues, entry.number);
        }
        self.covered = self.index.entries().len();
        done
    }

    /// The first fragment at a place or behind it, as far as is read.
    pub(super) fn entry(&self, place: u32) -> Option<&Entry> {
        self.index.entries().get(self.index.entries().partition_point(|entry| entry.number < place))
    }

    /// The last fragment before a place, as far as is read.
    pub(super) fn before(&self, place: u32) -> Option<&Entry> {
        let at = self.index.entries().partition_point(|entry| entry.number < place);
        self.index.entries().get(at.checked_sub(1)?)
    }

    /// Was its end reached?
    fn has_ended(&self, look: Look) -> bool {
        let all = self
            .directory()
            .is_some_and(|d| look.settled && self.first.is_some() && self.index.next_record() >= d.records());
        all || self.ended.is_some_and(|number| look.settled || number == look.number)
    }

    /// Forgets what was read, to read on from an entry of the directory, or, where it does not say how, from the start.
    fn restart(&mut self, entry: usize) {
        let part = self.directory().and_then(|directory| directory.part(entry));
        self.seen = 0;
        let day = self.directory().map(PageDirectory::day);
        (self.cover, self.covered, self.ended) = (Cover::default(), 0, None);
        self.first = Some(entry);
        match (part, day) {
            (Some(part), _) => self.index = part,
            (None, Some(day)) => {
                (self.index, self.pages, self.first) = (Index::new(day), Pages::Whole, None);
            }
            (None, None) => {}
        }
    }

    /// The directory's entries that were read to their ends.
    fn held(&self, look: Look) -> Range<usize> {
        let (Some(directory), Some(first)) = (self.directory(), self.first) else { return 0..0 };
        let next = directory.entry_of(self.index.next_record());
        // Of an init segment's two records the second may stand in the next page: no fragment of this one is missing.
        let parted = self.seen >= directory.offset(next + 1);
        let end = if self.has_ended(look) { usize::MAX } else { next + usize::from(parted) };
        first..end
    }

    /// What to read so that these entries are held; nothing where they are.
    fn hold(&mut self, wanted: &Range<usize>, look: Look) -> Option<usize> {
        let held = self.held(look);
        if held.start <= wanted.start && wanted.end <= held.end && self.first.is_some() {
            return None;
        }
        let directory = self.directory()?;
        if (directory.offset(wanted.end) - directory.offset(wanted.start)) > MOST {
            (self.index, self.first, self.seen) = (Index::new(directory.day()), None, 0);
            (self.cover, self.covered, self.ended) = (Cover::default(), 0, None);
            self.pages = Pages::Whole;
            return Some(PIECE);
        }
        // What is read can be gone on with, where that is not too far.
        let onward = held.start <= wanted.start && wanted.start <= held.end && self.first.is_some();
        if !onward {
            self.restart(wanted.start);
        }
        let Some(directory) = self.directory() else { return Some(PIECE) };
        let open = wanted.end >= directory.len() && !look.settled;
        let left = directory.offset(wanted.end).saturating_sub(self.index.wanted());
        Some(if open { PIECE } else { (left as usize).max(1) })
    }

    /// The entry that shows `utc`, or what comes after.
    pub(super) fn find(&mut self, utc: UtcMicros, look: Look) -> Found {
        let Some(directory) = self.directory() else {
            if matches!(self.pages, Pages::Absent(_)) {
                return Found::Nothing;
            }
            if !self.has_ended(look) {
                return Found::Read(PIECE);
            }
            return match self.at(utc) {
                Ok(Some(place)) => Found::At(self.start(place)),
                Ok(None) => Found::Nothing,
                Err((from, place)) => Found::After(from, Some(self.start(place))),
            };
        };
        let after = |held: &Range<usize>| directory.after(utc, held).map(|from| Found::After(from, None));
        let Some(range) = directory.candidates(utc, !look.settled) else {
            return after(&(0..0)).unwrap_or(Found::Nothing);
        };
        // With the page behind it: the last fragment of a page may end where that one starts, and so may a gap.
        let range = directory.with_start(range.start..(range.end + 1).min(directory.len()));
        if let Some(len) = self.hold(&range, look) {
            return Found::Read(len);
        }
        let next = match self.at(utc) {
            Ok(Some(place)) => return Found::At(self.start(place)),
            Ok(None) => None,
            Err(next) => Some(next),
        };
        let held = self.held(look);
        let Some(directory) = self.directory() else { return Found::Read(PIECE) };
        let elsewhere = directory.after(utc, &held);
        match next {
            Some((from, place)) if elsewhere.is_none_or(|other| from <= other) => {
                let all = directory.candidates(from, !look.settled);
                let here = all.is_none_or(|all| held.start <= all.start && all.end <= held.end);
                Found::After(from, here.then(|| self.start(place)))
            }
            _ => elsewhere.map_or(Found::Nothing, |from| Found::After(from, None)),
        }
    }

    /// What to read until there is a fragment at a place or behind it; nothing where there is, or where none can be.
    pub(super) fn reach(&mut self, place: u32, look: Look) -> Option<usize> {
        let Some(directory) = self.directory() else {
            let there = self.entry(place).is_some() || matches!(self.pages, Pages::Absent(_));
            return (!there && !self.has_ended(look)).then_some(PIECE);
        };
        let entry = directory.entry_of(place).min(directory.len().saturating_sub(1));
        let from = self.first.unwrap_or(usize::MAX);
        if entry < from || entry > directory.entry_of(self.index.next_record()) {
            self.restart(entry);
        } else if self.entry(place).is_some() {
            return None;
        }
        let open = self.directory().is_none_or(|d| !look.settled && self.index.next_record() >= d.records());
        (!self.has_ended(look)).then_some(if open { PIECE } else { ONWARD })
    }

    /// Where the GOP before a place (before the end, without one) starts, and which fragment is the last before it.
    pub(super) fn back(&mut self, place: Option<u32>, look: Look) -> Found {
        let Some(directory) = self.directory() else {
            if place.is_none() && !matches!(self.pages, Pages::Absent(_)) && !self.has_ended(look) {
                return Found::Read(PIECE);
            }
            return self
                .before(place.unwrap_or(u32::MAX))
                .map_or(Found::Nothing, |entry| Found::At(self.start(entry.number)));
        };
        if directory.is_empty() {
            return Found::Nothing;
        }
        let end = place.map_or(directory.len(), |place| directory.entry_of(place) + 1).min(directory.len());
        if let (Some(place), Some(first)) = (place, self.first)
            && self.index.next_record() >= place
            && let Some(entry) = self.before(place)
        {
            let start = self.start(entry.number);
            if first == 0 || self.entry(start).is_some_and(alone) {
                return Found::At(start);
            }
        }
        let last = match place {
            Some(place) => directory.entry_of(place.saturating_sub(1)),
            None => directory.len() - 1,
        };
        let mut wanted = directory.with_start(last..end.max(last + 1));
        // The page's first fragment is what was given: one page further.
        if self.first == Some(wanted.start) && self.held(look).end >= wanted.end && wanted.start > 0 {
            wanted = directory.with_start(wanted.start - 1..wanted.end);
        }
        if let Some(len) = self.hold(&wanted, look) {
            return Found::Read(len);
        }
        self.before(place.unwrap_or(u32::MAX))
            .map_or(Found::Nothing, |entry| Found::At(self.start(entry.number)))
    }

    /// The entry that shows `utc`; `Ok(None)` where nothing does, and `Err` the first after it.
    fn at(&self, utc: UtcMicros) -> Result<Option<u32>, (UtcMicros, u32)> {
        match self.cover.at(utc) {
            None => Ok(None),
            Some((span, place)) if span.from <= utc => Ok(Some(place)),
            Some((span, place)) => Err((span.from, place)),
        }
    }

    /// Where decoding has to start to show the entry at `place`, as far as is read.
    pub(super) fn start(&self, place: u32) -> u32 {
        let entries = self.index.entries();
        let mut at = entries.partition_point(|entry| entry.number < place);
        while let Some(entry) = entries.get(at) {
            match at.checked_sub(1) {
                Some(before) if !alone(entry) => at = before,
                _ => return entry.number,
            }
        }
        place
    }
}

/// Can decoding start with it, or at least with nothing before it?
pub(super) fn alone(entry: &Entry) -> bool {
    entry.mark.flags.has(Flags::RANDOM_ACCESS) || !entry.continues
}
