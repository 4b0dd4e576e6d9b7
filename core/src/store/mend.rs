//! What recovery changes on the disk: `docs/format.md` §5 (in-place writes) and §6.

use alloc::string::String;

use super::close::close_file;
use super::recover::{Recovered, end_span};
use super::scan::{DayFiles, Walked, day_files, sync_folders, with_file};
use super::{Access, Error, Kind, Source, Storage, index_path};
use crate::gix::{Day, Key};

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
    let new = alloc::format!("{path}.new");
    match storage.remove(&new) {
        Ok(()) | Err(Error { kind: Kind::NotFound, .. }) => {}
        Err(error) => return Err(error),
    }
    let file = storage.create_new(&new)?;
    let written = storage.append(file, &[index]).and_then(|()| storage.sync(file));
    storage.close(file);
    written?;
    storage.rename(&new, &path)?;
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
    let next = key.counter.checked_add(1);
    let continued = match walked.get(i + 1) {
        Some(file) => Some(file.head.mark.key.counter) == next,
        None => continued_tomorrow(storage, &day.source, day.day, next)?,
    };
    let end = Key { utc: last.end(), counter: next.unwrap_or(u32::MAX) };
    if continued || day.files.others.contains(&end.end_name()) {
        return Ok(());
    }
    end_span(storage, &day.source, end)
}

/// Does the day after have the file of this span that comes next?
pub(super) fn continued_tomorrow(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    counter: Option<u32>,
) -> Result<bool, Error> {
    let tomorrow = day_files(storage, source, Day::of(day.end()))?;
    Ok(tomorrow.media.first().is_some_and(|(key, _)| Some(key.counter) == counter))
}
