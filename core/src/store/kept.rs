//! The part of an index that can be trusted.

use super::scan::{DayFiles, heads, with_file};
use super::{Access, Error, Kind, Source, Storage};
use crate::gix::{self, Builder, Day, Entry, FragmentMark, Header, Index};

/// The part of the index that can be trusted, and agrees with the media as far as their names and lengths say.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) builder: Builder,
    pub(super) index: Index,
    /// Mark of the last fragment, read from the media: its number is not in the index.
    pub(super) last: FragmentMark,
}

/// The index as far as it passes, where the media bear it out.
pub(super) fn keep(
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
    Ok(last.map(|last| Kept { builder, index, last }))
}
