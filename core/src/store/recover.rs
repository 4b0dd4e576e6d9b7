//! Making a camera's day whole after whatever happened to it: `docs/format.md` §6. A file at a time, so that recording can
//! go on in between.

use alloc::vec::Vec;

use super::kept::{Kept, keep};
use super::mend::{self, Mended};
use super::scan::{DayFiles, Head, Walked, day_files, heads, index_of, sync_folders, walk_file};
use super::storage::read_whole;
use super::{Error, File, Kind, Source, Storage, index_path};
use crate::gix::{Builder, Day, Entry, Index, Key};
use crate::time::UtcMicros;

/// What recovery found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// Whole fragments that the index did not have.
    pub fragments: u64,
    /// Bytes of torn tails cut off.
    pub cut: u64,
    /// Holes filled.
    pub holes: u64,
    /// Files that had not been closed, and are now.
    pub closed: u64,
    /// Files of which nothing had been synced, put aside or removed.
    pub torn: u64,
    /// Indexes that were made anew from all their media.
    pub rebuilt: u64,
    /// Where the last fragment ends.
    pub end: Option<UtcMicros>,
}

impl Recovered {
    pub(super) fn add(&mut self, other: &Self) {
        self.fragments += other.fragments;
        self.cut += other.cut;
        self.holes += other.holes;
        self.closed += other.closed;
        self.torn += other.torn;
        self.rebuilt += other.rebuilt;
        self.end = self.end.max(other.end);
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Walk through the next head's file.
    Walk,
    /// Fill the holes of this file and cut off its tail.
    Mend(usize),
    /// Close this file, and end its span where nothing continues it. Before the index: what that holds is not looked at
    /// again.
    Close(usize),
    /// Write the index.
    Index,
    Done,
}

/// Makes one day whole, in steps of a file.
///
/// [`Recovery::survey`] reads the index and the heads of the media files that the index does not know; after it,
/// [`Recovery::next`] is the ordinal of a new file, and recording may go on in one while [`Recovery::step`] does the rest.
#[derive(Debug)]
pub(super) struct Recovery {
    source: Source,
    day: Day,
    files: DayFiles,
    /// Files that an index of the day names, be it right or not.
    known: Vec<Key>,
    /// The index as far as the media bear it out; `None`: it is made anew.
    kept: Option<Kept>,
    /// Length of the index file, where there is one.
    len: Option<u64>,
    /// Still to be walked through, the last first.
    heads: Vec<Head>,
    /// Files that do not count.
    others: Vec<Key>,
    walked: Vec<Walked>,
    /// Fragments of the file that the index ends in which the index has.
    had: usize,
    builder: Builder,
    next: u32,
    stage: Stage,
    found: Recovered,
}

impl Recovery {
    /// Looks at what there is: names, index, heads of files that the index lacks. Walks through no media.
    pub(super) fn survey(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<Self, Error> {
        let path = index_path(source, day);
        match storage.remove(&alloc::format!("{path}.new")) {
            Ok(()) | Err(Error { kind: Kind::NotFound, .. }) => {}
            Err(error) => return Err(error),
        }
        let files = day_files(storage, source, day)?;
        let bytes = read_whole(storage, &path)?;
        let kept = match &bytes {
            Some(bytes) => keep(storage, source, day, &files, bytes)?,
            None => None,
        };
        let index = bytes.as_deref().and_then(|bytes| Index::read(bytes, day).ok());
        let mut recovery = Self {
            source: *source,
            day,
            files,
            known: index.map_or(Vec::new(), |(index, _)| keys(&index)),
            kept,
            len: bytes.map(|bytes| bytes.len() as u64),
            heads: Vec::new(),
            others: Vec::new(),
            walked: Vec::new(),
            had: 0,
            builder: Builder::new(),
            next: 0,
            stage: Stage::Walk,
            found: Recovered::default(),
        };
        recovery.plan(storage)?;
        let ordinals = recovery.heads.iter().map(|head| head.mark.ordinal);
        let last = recovery.kept.as_ref().and_then(|kept| kept.builder.end().map(|(file, _)| file.ordinal));
        recovery.next = ordinals.chain(last).max().map_or(0, |n| n.saturating_add(1));
        Ok(recovery)
    }

    /// Which files are to be walked through.
    fn plan(&mut self, storage: &mut dyn Storage) -> Result<(), Error> {
        let last = self.last_key();
        let known = self.kept.as_ref().map_or(Vec::new(), |kept| keys(&kept.index));
        let beyond = |key: &Key| Some(*key) == last || !known.contains(key);
        let candidates: Vec<Key> = self.files.media.iter().map(|(key, _)| *key).filter(beyond).collect();
        let (mut heads, others) = heads(storage, &self.source, &candidates)?;
        heads.reverse();
        (self.heads, self.others) = (heads, others);
        self.walked.clear();
        self.had = 0;
        self.stage = Stage::Walk;
        Ok(())
    }

    /// Walks through all of the day's media, whatever the index says.
    pub(super) fn anew(&mut self, storage: &mut dyn Storage) -> Result<(), Error> {
        self.kept = None;
        self.plan(storage)
    }

    /// The file that the index ends in.
    fn last_key(&self) -> Option<Key> {
        self.kept.as_ref().and_then(|kept| kept.index.files().last()).map(|file| file.key)
    }

    pub(super) const fn day(&self) -> Day {
        self.day
    }

    /// Ordinal of the next file.
    pub(super) const fn next(&self) -> u32 {
        self.next
    }

    pub(super) const fn found(&self) -> &Recovered {
        &self.found
    }

    /// Bytes of media still to be read.
    pub(super) fn left(&self) -> u64 {
        let from = self.kept.as_ref().and_then(|kept| kept.builder.end()).map_or(0, |(_, end)| end);
        let last = self.last_key();
        let len = |key: Key| {
            let place = self.files.media.binary_search_by_key(&key, |(key, _)| *key).ok()?;
            self.files.media.get(place).map(|(_, len)| *len)
        };
        let of = |head: &Head| {
            let len = len(head.mark.key).unwrap_or(0);
            if Some(head.mark.key) == last { len.saturating_sub(from) } else { len }
        };
        self.heads.iter().map(of).sum()
    }

    /// Does some more; the index's builder once all is done.
    pub(super) fn step(&mut self, storage: &mut dyn Storage) -> Result<Option<Builder>, Error> {
        let mut found = self.found;
        match self.stage {
            Stage::Walk => match self.heads.pop() {
                Some(head) => {
                    if let Err(error) = self.walk(storage, head.clone()) {
                        self.heads.push(head);
                        return Err(error);
                    }
                }
                None => {
                    mend::put_aside(storage, &self.mended(), &self.others, &mut found)?;
                    self.found = found;
                    self.others.clear();
                    self.stage = Stage::Mend(0);
                }
            },
            Stage::Mend(i) => match self.walked.get(i) {
                Some(file) => {
                    mend::mend(storage, &self.mended(), file, &mut found)?;
                    self.found = found;
                    self.stage = Stage::Mend(i + 1);
                }
                None => {
                    self.walked.retain(|file| !file.walk.fragments.is_empty());
                    self.stage = Stage::Close(0);
                }
            },
            Stage::Close(i) if i < self.walked.len() => {
                mend::close(storage, &self.mended(), &self.walked, i, &mut found)?;
                self.found = found;
                self.stage = Stage::Close(i + 1);
            }
            Stage::Close(_) => self.stage = Stage::Index,
            Stage::Index => {
                if !self.walked.is_empty() {
                    sync_folders(storage, &alloc::format!("{}/{}", self.source, self.day))?;
                }
                self.write_index(storage)?;
                self.walked = Vec::new();
                self.stage = Stage::Done;
            }
            Stage::Done => {}
        }
        Ok(matches!(self.stage, Stage::Done).then(|| self.builder.clone()))
    }

    /// Does all that is left.
    pub(super) fn run(&mut self, storage: &mut dyn Storage) -> Result<Builder, Error> {
        loop {
            if let Some(builder) = self.step(storage)? {
                return Ok(builder);
            }
        }
    }

    fn mended(&self) -> Mended<'_> {
        Mended { source: self.source, day: self.day, files: &self.files, known: &self.known }
    }

    /// Walks through a file: from where the index ends, or all of it.
    fn walk(&mut self, storage: &mut dyn Storage, head: Head) -> Result<(), Error> {
        let (from, number, misfit) = match &self.kept {
            Some(kept) if Some(head.mark.key) == self.last_key() => {
                (kept.builder.end().map_or(0, |(_, end)| end), kept.last.number.saturating_add(1), false)
            }
            Some(kept) => {
                let last = kept.builder.end().map(|(file, _)| file.ordinal);
                (u64::from(head.mark.head_len), 0, last.is_some_and(|last| head.mark.ordinal <= last))
            }
            None => (u64::from(head.mark.head_len), 0, false),
        };
        let mut walk = walk_file(storage, &self.source, &head, from, number)?;
        if misfit && !walk.fragments.is_empty() {
            // Index and media do not fit together.
            self.kept = None;
            return self.plan(storage);
        }
        if let Some(kept) = self.kept.as_ref().filter(|_| Some(head.mark.key) == self.last_key()) {
            // The whole of the file: closing needs it.
            let of_it = |e: &&Entry| kept.index.file_of(e).is_some_and(|file| file.key == head.mark.key);
            let had: Vec<_> = kept.index.entries().iter().filter(of_it).map(|e| (e.offset, e.mark)).collect();
            self.had = had.len();
            walk.fragments.splice(..0, had);
        }
        self.walked.push(Walked { head, walk });
        Ok(())
    }

    /// May be tried again where it fails: until it succeeds, nothing here has changed.
    fn write_index(&mut self, storage: &mut dyn Storage) -> Result<(), Error> {
        let last = self.last_key();
        let made = match &self.kept {
            None => {
                let (builder, index) = index_of(&self.walked);
                mend::replace_index(storage, &self.source, self.day, &index, self.len.is_some())?;
                self.found.rebuilt += u64::from(self.len.is_some() && !index.is_empty());
                builder
            }
            Some(kept) => {
                let mut builder = kept.builder.clone();
                let (kept_len, mut out) = (builder.len(), Vec::new());
                for file in &self.walked {
                    let own = Some(file.head.mark.key) == last;
                    if !own {
                        builder.file(&file.head.mark, &file.head.init);
                    }
                    for (offset, mark) in file.walk.fragments.iter().skip(if own { self.had } else { 0 }) {
                        builder.fragment(*offset, mark, &mut out);
                    }
                }
                let path = index_path(&self.source, self.day);
                mend::mend_index(storage, &path, self.len.unwrap_or(0), kept_len, &out)?;
                // Its name, too, may not have been synced.
                sync_folders(storage, &alloc::format!("{}", self.source))?;
                builder
            }
        };
        self.builder = made;
        let walked: usize = self.walked.iter().map(|file| file.walk.fragments.len()).sum();
        self.found.fragments += walked.saturating_sub(self.had) as u64;
        Ok(())
    }
}

fn keys(index: &Index) -> Vec<Key> {
    index.files().iter().map(|file| file.key).collect()
}

/// Creates the empty file that says that a span ended.
pub(super) fn end_span(storage: &mut dyn Storage, source: &Source, key: Key) -> Result<(), Error> {
    let path = alloc::format!("{source}/{}", key.end_name());
    match storage.create_new(&path) {
        Ok(file) => storage.close(file),
        // It may not have been synced.
        Err(Error { kind: Kind::Exists, .. }) => {}
        Err(error) => return Err(error),
    }
    sync_folders(storage, super::storage::folder_of(&path))
}

/// Opens a day's index to be written on; `None` where there is none yet.
pub(super) fn open_index(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    builder: &Builder,
) -> Result<Option<File>, Error> {
    if builder.is_empty() {
        return Ok(None);
    }
    storage.open(&index_path(source, day), super::Access::Write).map(Some)
}
