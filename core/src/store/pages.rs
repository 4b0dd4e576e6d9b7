//! The page directory of a day, made from its index when it is asked for.

use alloc::string::String;
use alloc::vec::Vec;

use super::scan::with_file;
use super::{Access, Error, Kind, Source, Storage, index_path};
use crate::gix::{Day, PageDirectoryBuilder};

/// Bytes of an index read at a time.
const PIECE: usize = 256 << 10;

/// Where a reader asks for a day's page directory. No such file is in the store: who serves it answers with
/// [`page_directory`].
#[must_use]
pub fn pages_path(source: &Source, day: Day) -> String {
    alloc::format!("{source}/{day}.pages")
}

/// The page directory of a day, `docs/format.md` §3.7: what is synced of it now. `None` where there is no index.
///
/// # Errors
/// [`Kind::Version`]; all that a disk can fail by. An index that is damaged is told of as far as it passes.
pub fn page_directory(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
) -> Result<Option<Vec<u8>>, Error> {
    let mut builder = PageDirectoryBuilder::new(day);
    let read = with_file(storage, &index_path(source, day), Access::Read, |storage, file| {
        let mut piece = alloc::vec![0; PIECE];
        loop {
            let from = builder.wanted();
            let n = storage.read_at(file, from, &mut piece)?;
            match builder.push(piece.get(..n).unwrap_or(&[])) {
                Err(error) if error.kind == crate::gix::Kind::Version => return Err(Kind::Version.into()),
                Ok(()) if builder.wanted() > from => {}
                _ => return Ok(()),
            }
        }
    });
    match read {
        Err(Error { kind: Kind::NotFound, .. }) => return Ok(None),
        other => other?,
    }
    Ok(builder.write(|key, init| {
        // One that cannot be read is left out: who needs it says what is wrong with it.
        let path = alloc::format!("{source}/{key}");
        let read = with_file(storage, &path, Access::Read, |storage, file| {
            // Nothing is reserved for what a damaged index says and the file does not have.
            let there = usize::try_from(storage.len(file)?).unwrap_or(usize::MAX);
            let mut bytes = alloc::vec![0; there.min(init.len as usize)];
            let n = storage.read_at(file, 0, &mut bytes)?;
            bytes.truncate(n);
            Ok(bytes)
        });
        read.ok()
    }))
}
