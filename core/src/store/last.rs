//! What was recorded last of a camera, from the end of its last index.

use alloc::vec::Vec;

use super::list::walk_index;
use super::scan::with_file;
use super::{Access, Error, Kind, Source, Storage, days, index_path};
use crate::gix::{self, Day, Key, Last, Text};
use crate::time::UtcMicros;

/// What was recorded last of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastRecorded {
    /// Its first day, of which there is something.
    pub since: Day,
    /// The media file, below the camera's folder.
    pub key: Key,
    /// Where its last fragment ends.
    pub end: UtcMicros,
    /// RFC 6381 codec string, out-of-band sample entry.
    pub codec: Text<48>,
    /// Width and height of the pictures.
    pub size: (u16, u16),
}

impl LastRecorded {
    /// Of a camera; `None` where nothing was recorded, or all of it is gone. Reads a few pages of the last index, and the
    /// whole of it only where those do not pass. What is written last counts, also where a clock was set back before it.
    ///
    /// # Errors
    /// [`Kind::Version`]; all that a disk can fail by.
    pub fn load(storage: &mut dyn Storage, source: &Source) -> Result<Option<Self>, Error> {
        let days = days(storage, source)?;
        let Some(since) = days.first().copied() else { return Ok(None) };
        for day in days.into_iter().rev() {
            if let Some(Last { mark, file, init, .. }) = last_of(storage, source, day)? {
                let (codec, size) = (init.codec, init.size);
                return Ok(Some(Self { since, key: file.key, end: mark.end(), codec, size }));
            }
        }
        Ok(None)
    }
}

/// The fragment that a day's index ends with.
pub(super) fn last_of(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<Option<Last>, Error> {
    let told = with_file(storage, &index_path(source, day), Access::Read, |storage, file| {
        let len = storage.len(file)?;
        gix::last(day, len, |from, len| {
            let mut bytes: Vec<u8> = alloc::vec![0; len];
            let n = storage.read_at(file, from, &mut bytes)?;
            bytes.truncate(n);
            Ok(bytes)
        })
    });
    match told {
        Err(Error { kind: Kind::NotFound, .. }) => return Ok(None),
        Err(error) => return Err(error),
        Ok(Some(last)) => return Ok(Some(last)),
        Ok(None) => {}
    }
    let (mut last, mut before, mut stepped) = (None, None, false);
    walk_index(storage, source, day, |index, entry| {
        stepped |= before.replace(entry.mark.utc).is_some_and(|before| entry.mark.utc < before);
        if let (Some(file), Some(init)) = (index.file_of(entry), index.init_of(entry)) {
            last = Some(Last { mark: entry.mark, file: *file, init: init.record, stepped });
        }
    })?;
    Ok(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::gix::Span;
    use crate::store::testing::{DAY_START, Recording, source};
    use crate::store::{Listing, Memory};

    /// Across two days, of which the second is the last; damaged or not.
    #[test]
    fn what_is_told_is_what_a_listing_ends_with() {
        let disk = Memory::new();
        assert_eq!(LastRecorded::load(&mut disk.clone(), &source()).unwrap(), None);
        let mut recording = Recording::start(&disk, DAY_START - 200_000_000, 0).unwrap();
        recording.record(400).unwrap();
        recording.finish().unwrap();
        disk.kill();
        let listed = |disk: &Memory| {
            let listing = Listing::load(&mut disk.clone(), &source(), Span::ALL).unwrap();
            listing.segments.last().map(|file| (file.key, file.span.to, file.codec, file.size))
        };
        let told = |disk: &Memory| {
            let last = LastRecorded::load(&mut disk.clone(), &source()).unwrap().unwrap();
            assert_eq!(last.since, Day::of(UtcMicros(DAY_START - 1)));
            Some((last.key, last.end, last.codec, last.size))
        };
        let whole = told(&disk);
        assert_eq!(whole, listed(&disk));
        let path = index_path(&source(), Day::of(UtcMicros(DAY_START)));
        let index = disk.content(&path).unwrap();
        let damage = |at: usize| {
            let mut bad = index.clone();
            bad[at] ^= 4;
            disk.set_content(&path, &bad);
        };
        for at in [0, 100, 4_200, index.len() - 50, index.len() - 1] {
            damage(at);
            assert_eq!(told(&disk), listed(&disk), "damaged at {at}");
            assert_ne!(told(&disk), whole);
        }
        // What stands behind damage further up was recorded all the same.
        damage(8_190);
        assert_eq!(told(&disk), whole);
        disk.set_content(&path, b"");
        assert_eq!(told(&disk), listed(&disk), "the day before is the last then");
    }
}
