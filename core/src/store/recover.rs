//! Making a camera's day whole after whatever happened to it: `docs/format.md` §6.

use alloc::string::String;
use alloc::vec::Vec;

use super::close::close_file;
use super::scan::{DayFiles, Walked, day_files, heads, index_of, sync_folders, walk_file, with_file};
use super::storage::read_whole;
use super::{Access, Error, File, Kind, Source, Storage, index_path};
use crate::gix::{self, Builder, Day, Entry, FragmentMark, Header, Index, Key};
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

/// A day that is whole: its index can be written on.
#[derive(Debug)]
pub(super) struct OpenDay {
    pub(super) day: Day,
    pub(super) builder: Builder,
    /// Ordinal of the next file.
    pub(super) next: u32,
}

/// The part of the index that can be trusted, and agrees with the media as far as their names and lengths say.
struct Kept {
    builder: Builder,
    index: Index,
    /// Length of the index file, which may have more.
    len: u64,
    /// Mark of the last fragment, read from the media: its number is not in the index.
    last: FragmentMark,
}

/// Makes a day whole.
pub(super) fn open_day(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
) -> Result<(OpenDay, Recovered), Error> {
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
    let known: Vec<Key> =
        bytes.as_deref().and_then(|b| Index::read(b, day).ok()).map_or(Vec::new(), |(index, _)| keys(&index));
    let mut found = Recovered::default();
    let recovery = Recovery { source, day, files: &files, known: &known };
    if let Some(kept) = kept
        && let Some(open) = recovery.complete(storage, kept, &mut found)?
    {
        return Ok((open, found));
    }
    let open = recovery.anew(storage, bytes.is_some(), &mut found)?;
    Ok((open, found))
}

fn keys(index: &Index) -> Vec<Key> {
    index.files().iter().map(|file| file.key).collect()
}

/// The index as far as it passes, where the media bear it out.
fn keep(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    files: &DayFiles,
    bytes: &[u8],
) -> Result<Option<Kept>, Error> {
    let builder = match Builder::replay(bytes) {
        Ok((builder, _)) => builder,
        // Of a later Vigie, whole for all that this one knows: not to be replaced.
        Err(error) if error.kind == gix::Kind::Version => return Err(Error::at(Kind::Version, error.at.0)),
        Err(_) => return Ok(None),
    };
    let used = usize::try_from(builder.len()).unwrap_or(0);
    let Ok((index, _)) = Index::read(bytes.get(..used).unwrap_or(&[]), day) else { return Ok(None) };
    let (Some(first), Some(entry)) = (index.files().first(), index.entries().last().copied()) else {
        return Ok(None);
    };
    let there = |entry: &Entry| {
        let key = index.file_of(entry)?.key;
        let place = files.media.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        files.media.get(place).filter(|(_, len)| *len >= entry.end())
    };
    if !index.entries().iter().all(|entry| there(entry).is_some()) {
        return Ok(None);
    }
    let first = heads(storage, source, &[first.key])?.0;
    if first.first().map(|head| Header::of(&head.mark)) != index.header().cloned() {
        return Ok(None);
    }
    let Some(file) = index.file_of(&entry).copied() else { return Ok(None) };
    let last =
        with_file(storage, &alloc::format!("{source}/{}", file.key), Access::Read, |storage, handle| {
            let mut bytes = alloc::vec![0; entry.mark.len as usize];
            let n = storage.read_at(handle, entry.offset, &mut bytes)?;
            let mark = FragmentMark::parse(&bytes).ok();
            Ok(mark.filter(|m| {
                n == bytes.len() && m.file == file.id && FragmentMark::passes(&bytes, entry.mark.crc)
            }))
        })?;
    Ok(last.map(|last| Kept { builder, index, len: bytes.len() as u64, last }))
}

struct Recovery<'a> {
    source: &'a Source,
    day: Day,
    files: &'a DayFiles,
    /// Files that an index of the day names, be it right or not.
    known: &'a [Key],
}

impl Recovery<'_> {
    fn path(&self, key: Key) -> String {
        alloc::format!("{}/{key}", self.source)
    }

    /// Appends to the index what the media have beyond it. `None` where the two do not fit together.
    fn complete(
        &self,
        storage: &mut dyn Storage,
        kept: Kept,
        found: &mut Recovered,
    ) -> Result<Option<OpenDay>, Error> {
        let Kept { mut builder, index, len, last } = kept;
        let Some(last_file) = index.files().last().copied() else { return Ok(None) };
        let kept_keys = keys(&index);
        let beyond = |key: &Key| *key == last_file.key || !kept_keys.contains(key);
        let candidates: Vec<Key> = self.files.media.iter().map(|(key, _)| *key).filter(beyond).collect();
        let (heads, others) = heads(storage, self.source, &candidates)?;
        let mut walked = Vec::new();
        for head in heads {
            let own = head.mark.key == last_file.key;
            let from =
                if own { builder.end().map_or(0, |(_, end)| end) } else { u64::from(head.mark.head_len) };
            let number = if own { last.number.saturating_add(1) } else { 0 };
            let walk = walk_file(storage, self.source, &head, from, number)?;
            if !own && head.mark.ordinal <= last_file.ordinal && !walk.fragments.is_empty() {
                return Ok(None);
            }
            walked.push(Walked { head, walk });
        }
        self.put_aside(storage, &others, found)?;
        for file in &walked {
            self.repair(storage, file, found)?;
        }
        sync_folders(storage, &alloc::format!("{}/{}", self.source, self.day))?;
        let kept_len = builder.len();
        let mut out = Vec::new();
        for file in &mut walked {
            if file.head.mark.key != last_file.key {
                builder.file(&file.head.mark, &file.head.init);
            }
            for (offset, mark) in &file.walk.fragments {
                builder.fragment(*offset, mark, &mut out);
            }
            found.fragments += file.walk.fragments.len() as u64;
            if file.head.mark.key == last_file.key {
                // From here on the whole of the file: closing needs it.
                let own = |e: &&Entry| index.file_of(e).is_some_and(|f| f.key == last_file.key);
                let had = index.entries().iter().filter(own).map(|e| (e.offset, e.mark));
                file.walk.fragments.splice(..0, had);
            }
        }
        self.mend_index(storage, len, kept_len, &out)?;
        // Its name, too, may not have been synced.
        sync_folders(storage, &alloc::format!("{}", self.source))?;
        self.finish(storage, builder, &walked, found).map(Some)
    }

    /// Cuts off what of the index does not pass, and appends what the media have beyond it.
    fn mend_index(&self, storage: &mut dyn Storage, len: u64, kept: u64, more: &[u8]) -> Result<(), Error> {
        if len == kept && more.is_empty() {
            return Ok(());
        }
        with_file(storage, &index_path(self.source, self.day), Access::Write, |storage, file| {
            if len != kept {
                storage.truncate(file, kept)?;
            }
            storage.append(file, &[more])?;
            storage.sync(file)
        })
    }

    /// Makes the index anew from all the day's media.
    fn anew(&self, storage: &mut dyn Storage, was: bool, found: &mut Recovered) -> Result<OpenDay, Error> {
        let all: Vec<Key> = self.files.media.iter().map(|(key, _)| *key).collect();
        let (heads, others) = heads(storage, self.source, &all)?;
        self.put_aside(storage, &others, found)?;
        let mut walked = Vec::new();
        for head in heads {
            let walk = walk_file(storage, self.source, &head, u64::from(head.mark.head_len), 0)?;
            let file = Walked { head, walk };
            self.repair(storage, &file, found)?;
            found.fragments += file.walk.fragments.len() as u64;
            walked.push(file);
        }
        if !walked.is_empty() {
            sync_folders(storage, &alloc::format!("{}/{}", self.source, self.day))?;
        }
        let (builder, index) = index_of(&walked);
        let path = index_path(self.source, self.day);
        let folder = alloc::format!("{}", self.source);
        if !index.is_empty() {
            found.rebuilt += u64::from(was);
            let new = alloc::format!("{path}.new");
            let file = storage.create_new(&new)?;
            let written = storage.append(file, &[&index]).and_then(|()| storage.sync(file));
            storage.close(file);
            written?;
            storage.rename(&new, &path)?;
            sync_folders(storage, &folder)?;
        } else if was {
            storage.remove(&path)?;
            storage.sync_folder(&folder)?;
        }
        self.finish(storage, builder, &walked, found)
    }

    /// Files without a head that passes: no fragment of them was ever synced, unless an index names them.
    fn put_aside(
        &self,
        storage: &mut dyn Storage,
        others: &[Key],
        found: &mut Recovered,
    ) -> Result<(), Error> {
        for key in others.iter().filter(|key| !self.known.contains(key)) {
            let path = self.path(*key);
            let empty = self.files.media.iter().any(|(k, len)| k == key && *len == 0);
            if empty {
                storage.remove(&path)?;
            } else {
                storage.rename(&path, &alloc::format!("{path}.torn"))?;
            }
            found.torn += 1;
        }
        Ok(())
    }

    /// Fills holes, cuts the torn tail, and syncs; removes a file without footage that no index names.
    fn repair(&self, storage: &mut dyn Storage, file: &Walked, found: &mut Recovered) -> Result<(), Error> {
        let Walked { head, walk, .. } = file;
        let path = self.path(head.mark.key);
        if walk.fragments.is_empty()
            && walk.end == u64::from(head.mark.head_len)
            && !self.known.contains(&head.mark.key)
        {
            found.torn += 1;
            return storage.remove(&path);
        }
        with_file(storage, &path, Access::Write, |storage, file| {
            for (at, len) in &walk.holes {
                let size = u32::try_from(*len).unwrap_or(0).to_be_bytes();
                storage.write_at(file, *at, &[&size[..], b"free"].concat())?;
                found.holes += 1;
            }
            let torn = if walk.closed { 0 } else { walk.len.saturating_sub(walk.end) };
            if torn > 0 {
                storage.truncate(file, walk.end)?;
                found.cut += torn;
            }
            storage.sync(file)
        })
    }

    /// Closes the files, and ends the spans that no file continues.
    fn finish(
        &self,
        storage: &mut dyn Storage,
        builder: Builder,
        walked: &[Walked],
        found: &mut Recovered,
    ) -> Result<OpenDay, Error> {
        let with_footage: Vec<_> = walked.iter().filter(|file| !file.walk.fragments.is_empty()).collect();
        for (i, file) in with_footage.iter().enumerate() {
            let (key, Some((_, last))) = (file.head.mark.key, file.walk.fragments.last()) else { continue };
            let closed = with_file(storage, &self.path(key), Access::Write, |storage, handle| {
                let mut walk = file.walk.clone();
                walk.len = storage.len(handle)?;
                close_file(storage, handle, &file.head, &walk)
            })?;
            found.closed += u64::from(closed);
            found.end = found.end.max(Some(last.end()));
            let next = key.counter.checked_add(1);
            let continued = match with_footage.get(i + 1) {
                Some(file) => Some(file.head.mark.key.counter) == next,
                None => self.continued_tomorrow(storage, next)?,
            };
            if !continued {
                self.end_span(storage, Key { utc: last.end(), counter: next.unwrap_or(u32::MAX) })?;
            }
        }
        let ordinals = walked.iter().map(|file| file.head.mark.ordinal);
        let next = ordinals
            .chain(builder.end().map(|(file, _)| file.ordinal))
            .max()
            .map_or(0, |n| n.saturating_add(1));
        Ok(OpenDay { day: self.day, builder, next })
    }

    /// Does the day after have the file of this span that comes next?
    fn continued_tomorrow(&self, storage: &mut dyn Storage, counter: Option<u32>) -> Result<bool, Error> {
        let tomorrow = day_files(storage, self.source, Day::of(self.day.end()))?;
        Ok(tomorrow.media.first().is_some_and(|(key, _)| Some(key.counter) == counter))
    }

    fn end_span(&self, storage: &mut dyn Storage, key: Key) -> Result<(), Error> {
        let name = key.end_name();
        if self.files.others.contains(&name) {
            return Ok(());
        }
        end_span(storage, self.source, key)
    }
}

/// Creates the empty file that says that a span ended.
pub(super) fn end_span(storage: &mut dyn Storage, source: &Source, key: Key) -> Result<(), Error> {
    let path = alloc::format!("{source}/{}", key.end_name());
    match storage.create_new(&path) {
        Ok(file) => storage.close(file),
        Err(Error { kind: Kind::Exists, .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    sync_folders(storage, super::storage::folder_of(&path))
}

/// Opens a day's index to be written on; `None` where there is none yet.
pub(super) fn open_index(
    storage: &mut dyn Storage,
    source: &Source,
    open: &OpenDay,
) -> Result<Option<File>, Error> {
    if open.builder.is_empty() {
        return Ok(None);
    }
    storage.open(&index_path(source, open.day), Access::Write).map(Some)
}
