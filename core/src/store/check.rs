//! Is a day whole? Every file, mark and checksum, the index, what closes files and spans, the gap log: `docs/format.md`.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::close::closing;
use super::gap::read_log;
use super::mend::{continued, replace_index};
use super::recover::Recovery;
use super::scan::{DayFiles, Head, Walked, day_files, heads, index_of, sync_folders, walk_file, with_file};
use super::storage::read_whole;
use super::{Access, Error, GapEntry, Kind, Recovered, Source, Storage, gap_log_path, index_path};
use crate::gix::{Day, Entry, Index, Key};

/// What is not as the format says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Wrong {
    /// A media file whose head does not pass, or that has another file's name: nothing of it counts.
    Head,
    /// Bytes between whole fragments that are none: a fragment that fails its check.
    Hole,
    /// Bytes behind the last whole fragment that are none.
    Tail,
    /// The file does not end with the `mfra` that belongs there.
    Mfra,
    /// The room before the fragments does not hold the `sidx` that belongs there.
    Sidx,
    /// Two files of the day have the same ordinal.
    Ordinal,
    /// The end of a span is not noted.
    End,
    /// There is footage and no index.
    NoIndex,
    /// The index promises fragments that the media do not hold whole.
    Promised,
    /// The index lacks whole fragments.
    Unindexed,
    /// The index is not, byte for byte, the one that the media give.
    Index,
    /// The gap log has entries that do not pass.
    GapLog,
    /// The last entry of the gap log was not finished when the power went: it is written over. No damage.
    GapTail,
    /// A file that recovery put aside, or that is none of a store's. Nothing reads it: no damage.
    Stray,
}

impl Wrong {
    /// Its name in tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Hole => "hole",
            Self::Tail => "tail",
            Self::Mfra => "mfra",
            Self::Sidx => "sidx",
            Self::Ordinal => "ordinal",
            Self::End => "end",
            Self::NoIndex => "no-index",
            Self::Promised => "promised",
            Self::Unindexed => "unindexed",
            Self::Index => "index",
            Self::GapLog => "gap-log",
            Self::GapTail => "gap-tail",
            Self::Stray => "stray",
        }
    }

    /// Is it only worth a look, and no damage?
    #[must_use]
    pub const fn is_note(self) -> bool {
        matches!(self, Self::Stray | Self::GapTail)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "the head does not pass: nothing of this file counts",
            Self::Hole => "bytes between whole fragments that fail their check",
            Self::Tail => "bytes behind the last whole fragment that fail their check",
            Self::Mfra => "does not end with the mfra that belongs there",
            Self::Sidx => "does not hold the sidx that belongs there",
            Self::Ordinal => "has the same ordinal as another file of the day",
            Self::End => "the end of the span is not noted",
            Self::NoIndex => "there is footage and no index",
            Self::Promised => "promises fragments that the media do not hold whole",
            Self::Unindexed => "lacks whole fragments",
            Self::Index => "is not the index that the media give",
            Self::GapLog => "has entries that fail their check",
            Self::GapTail => "its last entry was not finished: no damage",
            Self::Stray => "belongs to nothing: no damage",
        })
    }
}

/// Something that is not as the format says, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// The file, from the store's root.
    pub path: String,
    /// What.
    pub what: Wrong,
    /// Byte of the file that it starts at.
    pub at: u64,
    /// Bytes, or fragments where it is about the index.
    pub count: u64,
}

/// What a check has looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Media files.
    pub files: u64,
    /// Whole fragments in them.
    pub fragments: u64,
    /// Bytes read of media.
    pub bytes: u64,
}

/// Checks one day of a camera on one volume, a media file at each [`step`](Self::step). Changes nothing.
#[derive(Debug)]
pub struct DayCheck {
    source: Source,
    day: Day,
    files: DayFiles,
    /// Still to be looked at, the last first; `None` before the first step.
    heads: Option<Vec<Head>>,
    walked: Vec<Walked>,
    /// The index that the media give.
    made: Option<Vec<u8>>,
    all: u64,
    checked: Checked,
    live: bool,
}

impl DayCheck {
    /// Of a day. `live`: the camera is being recorded, and what is unfinished in its newest file is not told.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub fn new(storage: &mut dyn Storage, source: Source, day: Day, live: bool) -> Result<Self, Error> {
        let files = day_files(storage, &source, day)?;
        let all = files.media.iter().map(|(_, len)| *len).sum();
        let (heads, walked, made, checked) = (None, Vec::new(), None, Checked::default());
        Ok(Self { source, day, files, heads, walked, made, all, checked, live })
    }

    /// Bytes of media in all.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.all
    }

    /// What it has looked at so far.
    #[must_use]
    pub const fn checked(&self) -> Checked {
        self.checked
    }

    /// Looks at the next file; `false` when all is done.
    ///
    /// # Errors
    /// All that a disk can fail by; [`Kind::Version`].
    pub fn step(&mut self, storage: &mut dyn Storage, findings: &mut Vec<Finding>) -> Result<bool, Error> {
        let Some(heads) = &mut self.heads else {
            self.begin(storage, findings)?;
            return Ok(true);
        };
        if let Some(head) = heads.pop() {
            let newest = heads.is_empty();
            self.file(storage, head, newest, findings)?;
            return Ok(true);
        }
        if self.made.is_none() {
            self.spans(storage, findings)?;
            self.index(storage, findings)?;
            self.beside(storage, findings)?;
        }
        Ok(false)
    }

    /// Puts the index that the media give in place of the one that is there, where they differ; `false` where they do not.
    /// Once all steps are done, and with the camera locked.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub fn write_index(&mut self, storage: &mut dyn Storage) -> Result<bool, Error> {
        let Some(made) = &self.made else { return Ok(false) };
        let there = read_whole(storage, &index_path(&self.source, self.day))?;
        if there.as_deref().unwrap_or_default() == made {
            return Ok(false);
        }
        if !made.is_empty() {
            // What the index says is to be on the disk before it.
            for file in &self.walked {
                let path = self.path(file.head.mark.key);
                with_file(storage, &path, Access::Write, |storage, file| storage.sync(file))?;
            }
            sync_folders(storage, &alloc::format!("{}/{}", self.source, self.day))?;
        }
        replace_index(storage, &self.source, self.day, made, there.is_some())?;
        Ok(true)
    }

    fn path(&self, key: Key) -> String {
        alloc::format!("{}/{key}", self.source)
    }

    fn begin(&mut self, storage: &mut dyn Storage, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let keys: Vec<Key> = self.files.media.iter().map(|(key, _)| *key).collect();
        let (mut heads, others) = heads(storage, &self.source, &keys)?;
        for key in others {
            let len = self.files.media.iter().find(|(k, _)| *k == key).map_or(0, |(_, len)| *len);
            findings.push(Finding { path: self.path(key), what: Wrong::Head, at: 0, count: len });
            self.checked.bytes = self.checked.bytes.saturating_add(len);
        }
        for pair in heads.windows(2) {
            if let [a, b] = pair
                && a.mark.ordinal == b.mark.ordinal
            {
                let at = u64::from(b.mark.init_len) + 28;
                findings.push(Finding { path: self.path(b.mark.key), what: Wrong::Ordinal, at, count: 4 });
            }
        }
        heads.reverse();
        self.heads = Some(heads);
        Ok(())
    }

    fn file(
        &mut self,
        storage: &mut dyn Storage,
        head: Head,
        newest: bool,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let path = self.path(head.mark.key);
        let walk = walk_file(storage, &self.source, &head, u64::from(head.mark.head_len), 0)?;
        self.checked.files += 1;
        self.checked.fragments += walk.fragments.len() as u64;
        self.checked.bytes = self.checked.bytes.saturating_add(walk.len);
        let mut tell = |what, at, count| findings.push(Finding { path: path.clone(), what, at, count });
        for (at, len) in &walk.holes {
            tell(Wrong::Hole, *at, *len);
        }
        let unfinished = self.live && newest;
        let tail = if walk.closed { 0 } else { walk.len.saturating_sub(walk.end) };
        if tail > 0 && !unfinished {
            tell(Wrong::Tail, walk.end, tail);
        }
        // A hole that is not filled yet is in the way of what closes the file, which repair does after filling it.
        if !unfinished && !walk.fragments.is_empty() {
            let (mfra, sidx) = with_file(storage, &path, Access::Read, |storage, file| {
                closing(storage, file, &head, &walk)
            })?;
            if !mfra && tail == 0 {
                tell(Wrong::Mfra, walk.end, walk.len.saturating_sub(walk.end));
            }
            if !sidx {
                tell(Wrong::Sidx, u64::from(head.mark.head_len) - crate::segment::ROOM as u64, 0);
            }
        }
        self.walked.push(Walked { head, walk });
        Ok(())
    }

    /// Every span's end is noted, and nothing else is.
    fn spans(&mut self, storage: &mut dyn Storage, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let with_footage: Vec<&Walked> =
            self.walked.iter().filter(|file| !file.walk.fragments.is_empty()).collect();
        let mut ends: BTreeSet<String> = BTreeSet::new();
        for (i, file) in with_footage.iter().enumerate() {
            let Some((_, last)) = file.walk.fragments.last() else { continue };
            let end = Key { utc: last.end(), counter: file.head.mark.key.counter.saturating_add(1) };
            let next = with_footage.get(i + 1).map(|file| file.head.mark.key);
            let continued =
                (next.is_none() && self.live) || continued(storage, &self.source, self.day, end, next)?;
            let end = end.end_name();
            if !continued && !self.end_is_noted(storage, &end)? {
                let path = alloc::format!("{}/{end}", self.source);
                findings.push(Finding { path, what: Wrong::End, at: 0, count: 0 });
            }
            ends.insert(end);
        }
        for name in &self.files.others {
            // Where the last fragments of a span are gone, so is what its end belongs to.
            if !name.ends_with("_end") {
                let path = alloc::format!("{}/{name}", self.source);
                findings.push(Finding { path, what: Wrong::Stray, at: 0, count: 0 });
            }
        }
        Ok(())
    }

    /// It stands in the folder of its own day, which may be tomorrow's.
    fn end_is_noted(&self, storage: &mut dyn Storage, end: &str) -> Result<bool, Error> {
        if self.files.others.iter().any(|name| name == end) {
            return Ok(true);
        }
        match storage.open(&alloc::format!("{}/{end}", self.source), Access::Read) {
            Ok(file) => {
                storage.close(file);
                Ok(true)
            }
            Err(Error { kind: Kind::NotFound, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn index(&mut self, storage: &mut dyn Storage, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let path = index_path(&self.source, self.day);
        let there = read_whole(storage, &path)?;
        let (_, made) = index_of(&self.walked);
        let mut tell = |what, count| findings.push(Finding { path: path.clone(), what, at: 0, count });
        match &there {
            // What is written now comes into an index when it is synced.
            None if made.is_empty() || self.live => {}
            None => tell(Wrong::NoIndex, entries(&made, self.day).len() as u64),
            Some(there) if *there == made => {}
            // What was written since, or a moment ago.
            Some(there) if self.live && made.starts_with(there) => {}
            Some(there) => {
                let (has, has_to) = (entries(there, self.day), entries(&made, self.day));
                let lacks = |of: &[Place], other: &[Place]| {
                    of.iter().filter(|entry| other.binary_search(entry).is_err()).count() as u64
                };
                let (promised, unindexed) = (lacks(&has, &has_to), lacks(&has_to, &has));
                if promised > 0 {
                    tell(Wrong::Promised, promised);
                }
                if unindexed > 0 {
                    tell(Wrong::Unindexed, unindexed);
                }
                if promised == 0 && unindexed == 0 {
                    tell(Wrong::Index, 0);
                }
            }
        }
        self.made = Some(made);
        Ok(())
    }

    /// The gap log, and what lies beside the day's files.
    fn beside(&self, storage: &mut dyn Storage, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let path = gap_log_path(&self.source, self.day);
        if let Some(log) = read_whole(storage, &path)? {
            let passes = (read_log(storage, &self.source, self.day)?.len() * GapEntry::LEN) as u64;
            let count = log.len() as u64 - passes;
            if count > 0 {
                let what = if count <= GapEntry::LEN as u64 { Wrong::GapTail } else { Wrong::GapLog };
                findings.push(Finding { path, what, at: passes, count });
            }
        }
        let new = alloc::format!("{}.new", index_path(&self.source, self.day));
        match storage.open(&new, Access::Read) {
            Ok(file) => {
                storage.close(file);
                findings.push(Finding { path: new, what: Wrong::Stray, at: 0, count: 0 });
                Ok(())
            }
            Err(Error { kind: Kind::NotFound, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What identifies a fragment of an index: file, place, CRC.
type Place = ([u8; 16], u64, u32);

/// Sorted.
fn entries(index: &[u8], day: Day) -> Vec<Place> {
    let of = |entry: &Entry| (entry.mark.file.0, entry.offset, entry.mark.crc);
    let read = Index::read(index, day).map(|(index, _)| index.entries().iter().map(of).collect());
    let mut out: Vec<_> = read.unwrap_or_default();
    out.sort_unstable();
    out
}

/// Repairs one day of a camera, a file at each [`step`](Self::step), as recovery does after a power cut, but for all of the
/// day's media and not only those behind the index: holes are made `free`, torn tails cut off, files closed, spans ended,
/// the index made anew, the gap log cut to what passes. Nothing that passes its check is changed. The camera is to be
/// locked.
#[derive(Debug)]
pub struct Repair {
    source: Source,
    day: Day,
    recovery: Recovery,
    all: u64,
}

impl Repair {
    /// Of a day.
    ///
    /// # Errors
    /// All that a disk can fail by; [`Kind::Version`].
    pub fn new(storage: &mut dyn Storage, source: Source, day: Day) -> Result<Self, Error> {
        let mut recovery = Recovery::survey(storage, &source, day)?;
        recovery.anew(storage)?;
        let all = recovery.left();
        Ok(Self { source, day, recovery, all })
    }

    /// Bytes of media: done, and in all.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.all.saturating_sub(self.recovery.left()), self.all)
    }

    /// Does some more; what was done, once all is.
    ///
    /// # Errors
    /// All that a disk can fail by; what was done until then stays.
    pub fn step(&mut self, storage: &mut dyn Storage) -> Result<Option<Recovered>, Error> {
        if self.recovery.step(storage)?.is_none() {
            return Ok(None);
        }
        super::gap::cut_log(storage, &self.source, self.day)?;
        Ok(Some(*self.recovery.found()))
    }
}

#[cfg(test)]
mod tests;
