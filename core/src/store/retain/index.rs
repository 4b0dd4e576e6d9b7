//! A day's index after media of it were deleted: made from the old one, `docs/format.md` §9.2.

use alloc::vec::Vec;

use super::trim::Moved;
use crate::gix::{Builder, FileMark, FileRecord, Header, Index, Key};
use crate::store::scan::{head, with_file};
use crate::store::{Access, Error, Kind, Source, Storage};

/// What is left of a file, and where.
pub(super) enum Left {
    /// All of it.
    Whole,
    /// Some of its fragments, or all, at other places.
    Moved(Moved),
}

/// The index of what `left` says is left, and the builder that writes on.
pub(super) fn remake(
    storage: &mut dyn Storage,
    source: &Source,
    index: &Index,
    left: impl Fn(&FileRecord) -> Option<Left>,
) -> Result<(Builder, Vec<u8>), Error> {
    let (mut builder, mut out) = (Builder::new(), Vec::new());
    let mut header = index.header().cloned();
    let mut begun: Option<(u32, Left)> = None;
    for entry in index.entries() {
        let (Some(record), Some(init)) = (index.file_of(entry), index.init_of(entry)) else { continue };
        if begun.as_ref().is_none_or(|(place, _)| *place != entry.file) {
            let Some(left) = left(record) else { continue };
            if builder.is_empty() && out.is_empty() {
                header = first_header(storage, source, record.key)?.or(header);
            }
            let Some(header) = &header else { return Err(Kind::NotOurs.into()) };
            let mut mark = FileMark::of_record(record, &init.record, entry.kid, header);
            if let Left::Moved(moved) = &left {
                mark.trimmed = moved.trimmed;
            }
            builder.file_again(&mark, init.record);
            begun = Some((entry.file, left));
        }
        let offset = match &begun {
            Some((_, Left::Whole)) => Some(entry.offset),
            Some((_, Left::Moved(moved))) => moved.places.get(&entry.offset).copied(),
            None => None,
        };
        if let Some(offset) = offset {
            builder.fragment(offset, &entry.mark, &mut out);
        }
    }
    Ok((builder, out))
}

/// The header that a file gives to an index that begins with it.
fn first_header(storage: &mut dyn Storage, source: &Source, key: Key) -> Result<Option<Header>, Error> {
    let found =
        with_file(storage, &alloc::format!("{source}/{key}"), Access::Read, |s, file| head(s, file, key));
    match found {
        Ok(head) => Ok(head.map(|head| Header::of(&head.mark))),
        Err(Error { kind: Kind::NotFound, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
