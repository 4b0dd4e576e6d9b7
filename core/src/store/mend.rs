//! What recovery changes on the disk: `docs/format.md` §5 (in-place writes) and §6.

use alloc::string::String;

use super::close::close_file;
use super::recover::{Recovered, end_span};
use super::scan::{DayFiles, Walked, day_files, sync_folders, with_file};
use super::storage::{read_whole, replace};
use super::{Access, Error, Source, Storage, index_path};
use crate::gix::{Day, Index, Key};

/// The day that is mended.
pub(super) struct Mended<'a> {
    pub(super) source: Source,
    pub(super) day: Day,
    pub(super) files: &'a DayFiles,
    /// Files that an index of the day names, be it right or not.
    pub(super) known: &'a [Key],
}

impl Mended<'_> {
    fn path(&self, key: Key) -> String {
        alloc::format!("{}/{key}", self.source)
    }
}

/// Files without a head that passes: no fragment of them was ever synced, unless an index names them.
pub(super) fn put_aside(
    storage: &mut dyn Storage,
    day: &Mended<'_>,
    others: &[Key],
    found: &mut Recovered,
) -> Result<(), Error> {
    for key in others.iter().filter(|key| !day.known.contains(key)) {
        let path = day.path(*key);
        let empty = day.files.media.iter().any(|(k, len)| k == key && *len == 0);
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
pub(super) fn mend(
    storage: &mut dyn Storage,
    day: &Mended<'_>,
    file: &Walked,
    found: &mut Recovered,
) -> Result<(), Error> {
    let Walked { head, walk, .. } = file;
    let path = day.path(head.mark.key);
    if walk.fragments.is_empty()
        && walk.end == u64::from(head.mark.head_len)
        && !day.known.contains(&head.mark.key)
    {
        found.torn += 1;
        storage.remove(&path)?;
        return end_yesterday(storage, day, head.mark.key);
    }
    with_file(storage, &path, Access::Write, |storage, file| {
        // One that has no room for a box is stepped over as it is: what stands behind it is not written on.
        for (at, len) in walk.holes.iter().filter(|(_, len)| *len >= 8) {
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

/// The file that was removed would have continued yesterday's last span: that ended where its last fragment ends.
fn end_yesterday(storage: &mut dyn Storage, day: &Mended<'_>, gone: Key) -> Result<(), Error> {
    let Some(counter) = gone.counter.checked_sub(1) else { return Ok(()) };
    let yesterday = day.day.before();
    let Some(bytes) = read_whole(storage, &index_path(&day.source, yesterday))? else { return Ok(()) };
    let Ok((index, _)) = Index::read(&bytes, yesterday) else { return Ok(()) };
    let last = index.entries().iter().rev().find(|entry| {
        index.file_of(entry).is_some_and(|file| file.key.counter == counter)
            && entry.mark.end().0.abs_diff(gone.utc.0) <= NEAR as u64
    });
    match last {
        Some(last) => end_span(storage, &day.source, Key { utc: last.mark.end(), counter: gone.counter }),
        None => Ok(()),
    }
}

/// Cuts off what of the index does not pass, and appends what the media have beyond it.
pub(super) fn mend_index(
    storage: &mut dyn Storage,
    path: &str,
    len: u64,
    kept: u64,
    more: &[u8],
) -> Result<(), Error> {
    if len == kept && more.is_empty() {
        return Ok(());
    }
    with_file(storage, path, Access::Write, |storage, file| {
        if storage.len(file)? != kept {
            storage.truncate(file, kept)?;
        }
        storage.append(file, &[more])?;
        storage.sync(file)
    })
}

/// Puts an index in place of the one that is there, if one is: §5.5.
pub(super) fn replace_index(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    index: &[u8],
    there: bool,
) -> Result<(), Error> {
    let path = index_path(source, day);
    let folder = alloc::format!("{source}");
    if index.is_empty() {
        if there {
            storage.remove(&path)?;
            storage.sync_folder(&folder)?;
        }
        return Ok(());
    }
    replace(storage, &path, index)?;
    sync_folders(storage, &folder)
}

/// Closes file `i` of those with footage, and ends its span where no file continues it.
pub(super) fn close(
    storage: &mut dyn Storage,
    day: &Mended<'_>,
    walked: &[Walked],
    i: usize,
    found: &mut Recovered,
) -> Result<(), Error> {
    let Some(file) = walked.get(i) else { return Ok(()) };
    let (key, Some((_, last))) = (file.head.mark.key, file.walk.fragments.last()) else { return Ok(()) };
    let closed = with_file(storage, &day.path(key), Access::Write, |storage, handle| {
        let len = storage.len(handle)?;
        close_file(storage, handle, &file.head, &file.walk, len)
    })?;
    found.closed += u64::from(closed);
    found.end = found.end.max(Some(last.end()));
    let end = Key { utc: last.end(), counter: key.counter.saturating_add(1) };
    let next = walked.get(i + 1).map(|file| file.head.mark.key);
    if continued(storage, &day.source, day.day, end, next)? {
        return Ok(());
    }
    end_span(storage, &day.source, end)
}

/// How far apart the end of a file and the start of the one that continues it may be dated.
const NEAR: i64 = 10_000_000;

/// Does a file continue the one that ends at `end`, which has the counter of the next: the next of the day, or one of the
/// day after?
pub(super) fn continued(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    end: Key,
    next: Option<Key>,
) -> Result<bool, Error> {
    if next.is_some_and(|next| next.counter == end.counter) {
        return Ok(true);
    }
    // Past midnight; what comes next of this day may be of a clock that was set back.
    if next.is_some() && end.utc.plus(NEAR) < day.end() {
        return Ok(false);
    }
    let tomorrow = day_files(storage, source, Day::of(day.end()))?;
    let follows = |key: &Key| key.counter == end.counter && key.utc.0.abs_diff(end.utc.0) <= NEAR as u64;
    Ok(tomorrow.media.iter().any(|(key, _)| follows(key)))
}
