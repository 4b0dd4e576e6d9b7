//! Is all that the index promises in the media, and all of the media in the index?

use alloc::vec::Vec;

use super::list::days;
use super::scan::{Walked, index_of, walk_day};
use super::storage::read_whole;
use super::{Error, Source, Storage, index_path};
use crate::gix::{Day, Entry, Index};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Days looked at.
    pub days: u64,
    /// Media files that count.
    pub files: u64,
    /// Whole fragments in them.
    pub fragments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Fragments that the index promises and the media do not hold whole.
    pub missing: u64,
    /// Whole fragments that the index does not have: written just now, or left by a crash.
    pub unindexed: u64,
    /// Bytes that belong to no whole fragment: holes and torn tails.
    pub damaged: u64,
    /// Media files without a head that passes.
    pub headless: u64,
    /// Days whose index is not, byte for byte, the one that their media give.
    pub differ: Vec<Day>,
}

impl Verified {
    /// Is all as it should be in a store that no one is writing to?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing == 0
            && self.unindexed == 0
            && self.damaged == 0
            && self.headless == 0
            && self.differ.is_empty()
    }
}

/// Reads all of a camera's media, and compares with the indexes. Changes nothing.
///
/// # Errors
/// All that a disk can fail by; [`Kind::Version`](super::Kind::Version).
pub fn verify(storage: &mut dyn Storage, source: &Source) -> Result<Verified, Error> {
    let mut found = Verified::default();
    for day in days(storage, source)? {
        verify_day(storage, source, day, &mut found)?;
    }
    Ok(found)
}

fn verify_day(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    found: &mut Verified,
) -> Result<(), Error> {
    let (files, others) = walk_day(storage, source, day)?;
    found.days += 1;
    found.headless += others.len() as u64;
    for Walked { walk, .. } in &files {
        found.files += 1;
        found.fragments += walk.fragments.len() as u64;
        found.bytes += walk.fragments.iter().map(|(_, mark)| u64::from(mark.len)).sum::<u64>();
        found.damaged += walk.holes.iter().map(|(_, len)| len).sum::<u64>();
        found.damaged += if walk.closed { 0 } else { walk.len.saturating_sub(walk.end) };
    }
    let there = read_whole(storage, &index_path(source, day))?.unwrap_or_default();
    let (_, made) = index_of(&files);
    if there != made {
        found.differ.push(day);
        let (there, made) = (entries(&there, day), entries(&made, day));
        found.missing += there.iter().filter(|e| made.binary_search(e).is_err()).count() as u64;
        found.unindexed += made.iter().filter(|e| there.binary_search(e).is_err()).count() as u64;
    }
    Ok(())
}

/// What identifies each fragment of an index: file, place, CRC. Sorted.
fn entries(index: &[u8], day: Day) -> Vec<([u8; 16], u64, u32)> {
    let of = |entry: &Entry| (entry.mark.file.0, entry.offset, entry.mark.crc);
    let read = Index::read(index, day).map(|(index, _)| index.entries().iter().map(of).collect());
    let mut out: Vec<_> = read.unwrap_or_default();
    out.sort_unstable();
    out
}
