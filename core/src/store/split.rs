//! Footage on one storage, and what people decided about it on another: `docs/format.md` §1.1.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Access, Error, File, Kind, Listed, Storage};

/// Two storages as one: what lies in a camera's folder is on `footage`, what lies in a tenant's folder (its journal, its policy)
/// on `journal`. So that a tenant whose cameras are on several volumes has one journal, on one of them, and a hold that stands
/// there holds on all.
#[derive(Debug)]
pub struct Split<J, F> {
    journal: J,
    footage: F,
    open: Vec<Option<Side>>,
    /// Which of them last answered that it is full: the reserve to be spent is that one's.
    journal_full: bool,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Journal(File),
    Footage(File),
}

/// Has a path so few parts that it is a tenant's? A folder has one, `tenant`, and a file two, `tenant/file`.
fn is_tenants(path: &str, parts: usize) -> bool {
    path.split('/').count() <= parts
}

impl<J: Storage, F: Storage> Split<J, F> {
    /// Of these two, which may be two handles on the same.
    #[must_use]
    pub const fn new(journal: J, footage: F) -> Self {
        Self { journal, footage, open: Vec::new(), journal_full: false }
    }

    fn keep(&mut self, side: Side) -> File {
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if free == self.open.len() {
            self.open.push(None);
        }
        if let Some(place) = self.open.get_mut(free) {
            *place = Some(side);
        }
        File(free as u32)
    }

    fn side(&mut self, path: &str) -> &mut dyn Storage {
        if is_tenants(path, 2) { &mut self.journal } else { &mut self.footage }
    }

    fn file(&mut self, file: File) -> Result<(&mut dyn Storage, File), Error> {
        match self.open.get(file.0 as usize) {
            Some(Some(Side::Journal(file))) => Ok((&mut self.journal, *file)),
            Some(Some(Side::Footage(file))) => Ok((&mut self.footage, *file)),
            _ => Err(Kind::NoFile.into()),
        }
    }

    /// Does what takes room in a file that is open.
    fn write(
        &mut self,
        file: File,
        write: impl FnOnce(&mut dyn Storage, File) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let journal = matches!(self.open.get(file.0 as usize), Some(Some(Side::Journal(_))));
        let (storage, inner) = self.file(file)?;
        let done = write(storage, inner);
        self.noted(journal, done)
    }

    fn noted<T>(&mut self, journal: bool, done: Result<T, Error>) -> Result<T, Error> {
        if matches!(done, Err(Error { kind: Kind::Full, .. })) {
            self.journal_full = journal;
        }
        done
    }
}

/// Of a file: by its place. Of a folder: the tenant's is on both sides, a camera's with the footage.
impl<J: Storage, F: Storage> Storage for Split<J, F> {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        let journal = is_tenants(path, 2);
        let made = self.side(path).create_new(path);
        let file = self.noted(journal, made)?;
        Ok(self.keep(if journal { Side::Journal(file) } else { Side::Footage(file) }))
    }

    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        let file = self.side(path).open(path, access)?;
        Ok(self.keep(if is_tenants(path, 2) { Side::Journal(file) } else { Side::Footage(file) }))
    }

    fn close(&mut self, file: File) {
        if let Ok((storage, inner)) = self.file(file) {
            storage.close(inner);
        }
        if let Some(place) = self.open.get_mut(file.0 as usize) {
            *place = None;
        }
    }

    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        self.write(file, |storage, file| storage.append(file, parts))
    }

    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.write(file, |storage, file| storage.write_at(file, offset, bytes))
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let (storage, file) = self.file(file)?;
        storage.read_at(file, offset, into)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        let (storage, file) = self.file(file)?;
        storage.len(file)
    }

    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        let (storage, file) = self.file(file)?;
        storage.truncate(file, len)
    }

    fn sync(&mut self, file: File) -> Result<(), Error> {
        self.write(file, |storage, file| storage.sync(file))
    }

    fn sync_folder(&mut self, folder: &str) -> Result<(), Error> {
        if !is_tenants(folder, 1) {
            return self.footage.sync_folder(folder);
        }
        // A folder that one side does not have has nothing to be synced there.
        let there = |done: Result<(), Error>| match done {
            Err(error) if matches!(error.kind, Kind::NotFound) => Ok(false),
            done => done.map(|()| true),
        };
        let journal = there(self.journal.sync_folder(folder))?;
        let footage = there(self.footage.sync_folder(folder))?;
        if journal || footage { Ok(()) } else { Err(Kind::NotFound.into()) }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let done = self.side(from).rename(from, to);
        self.noted(is_tenants(from, 2), done)
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        self.side(path).remove(path)
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        if !is_tenants(folder, 1) {
            return self.footage.list(folder);
        }
        let (mut all, mut there): (BTreeMap<String, Listed>, bool) = (BTreeMap::new(), false);
        for (listed, folders) in [(self.journal.list(folder), false), (self.footage.list(folder), true)] {
            let listed = match listed {
                Err(Error { kind: Kind::NotFound, .. }) => continue,
                other => other?,
            };
            there = true;
            // Another camera's folder on the journal's side is none of this footage; nor is another journal on the other.
            let ours = |file: &Listed| file.folder == folders || folder.is_empty();
            all.extend(listed.into_iter().filter(ours).map(|file| (file.name.clone(), file)));
        }
        if there { Ok(all.into_values().collect()) } else { Err(Kind::NotFound.into()) }
    }

    fn lock(&mut self, folder: &str) -> Result<(), Error> {
        if is_tenants(folder, 1) { self.journal.lock(folder) } else { self.footage.lock(folder) }
    }

    fn unlock(&mut self, folder: &str) {
        if is_tenants(folder, 1) { self.journal.unlock(folder) } else { self.footage.unlock(folder) }
    }

    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        if is_tenants(folder, 1) { Ok(()) } else { self.footage.remove_folder(folder) }
    }

    /// Of the footage.
    fn room(&mut self) -> Result<(), Error> {
        let done = self.footage.room();
        self.noted(false, done)
    }

    /// Of the side that is full: a hold has to find room where the journal is.
    fn spend_reserve(&mut self) -> Result<bool, Error> {
        if self.journal_full { self.journal.spend_reserve() } else { self.footage.spend_reserve() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::store::{Memory, Volume, VolumeId};

    fn write(storage: &mut impl Storage, path: &str) -> Result<(), Kind> {
        let file = storage.create_new(path).map_err(|error| error.kind)?;
        storage.append(file, &[path.as_bytes()]).unwrap();
        storage.sync(file).unwrap();
        storage.close(file);
        Ok(())
    }

    fn read(storage: &mut impl Storage, path: &str) -> Option<Vec<u8>> {
        crate::store::storage::read_whole(storage, path).unwrap()
    }

    #[test]
    fn a_tenants_files_are_on_one_side_and_its_cameras_on_the_other() {
        let (mut a, mut b) = (Memory::new(), Memory::new());
        write(&mut a, "t/other/1.gix").unwrap();
        write(&mut b, "t/journal-000009.jsonl").unwrap();
        let mut split = Split::new(a.clone(), b.clone());
        let (journal, index) = ("t/journal-000001.jsonl", "t/c/2026-11-22.gix");
        write(&mut split, journal).unwrap();
        write(&mut split, index).unwrap();
        assert!(read(&mut a, journal).is_some() && read(&mut a, index).is_none());
        assert!(read(&mut b, journal).is_none() && read(&mut b, index).is_some());
        for path in [journal, index] {
            assert_eq!(read(&mut split, path).unwrap(), path.as_bytes());
        }
        split.sync_folder("t").unwrap();
        split.sync_folder("t/c").unwrap();
        // Neither a camera of the one side nor a journal of the other.
        let names: Vec<String> = split.list("t").unwrap().into_iter().map(|listed| listed.name).collect();
        assert_eq!(names, ["c", "journal-000001.jsonl"]);
        assert_eq!(split.list("x").unwrap_err().kind, Kind::NotFound);
        split.lock("t").unwrap();
        split.lock("t/c").unwrap();
        assert_eq!(a.lock("t").unwrap_err().kind, Kind::Locked);
        b.lock("t").unwrap();
        assert_eq!(b.lock("t/c").unwrap_err().kind, Kind::Locked);
        split.unlock("t");
        split.unlock("t/c");
        a.lock("t").unwrap();
        b.lock("t/c").unwrap();
        split.rename(journal, "t/journal-000002.jsonl").unwrap();
        split.remove(index).unwrap();
        assert!(read(&mut a, "t/journal-000002.jsonl").is_some() && read(&mut b, index).is_none());
    }

    #[test]
    fn the_reserve_that_is_spent_is_that_of_the_side_that_is_full() {
        const RESERVE: u64 = 1 << 16;
        let (a, b) = (Memory::new(), Memory::new());
        let volume = |disk: &Memory, id| Volume::create(disk.clone(), VolumeId([id; 16]), RESERVE).unwrap();
        let mut split = Split::new(volume(&a, 1), volume(&b, 2));
        let has = |disk: &Memory| disk.content(".vigie-reserve").is_some();
        let line = [b'x'; 4_096];
        for (full, other, path) in [(&a, &b, "t/policy.json"), (&b, &a, "t/c/2026-11-22.gix")] {
            full.set_capacity(Some(RESERVE as usize + 1_000));
            assert!(has(full) && has(other));
            crate::store::storage::replace(&mut split, path, &line).unwrap();
            assert!(!has(full) && has(other), "{path}");
            full.set_capacity(None);
            split.journal.room().unwrap();
            split.footage.room().unwrap();
        }
    }

    #[test]
    fn a_volume_that_is_expected_is_the_first_that_comes_and_no_other() {
        let disk = Memory::new();
        let mut volume = Volume::expected(disk.clone());
        assert_eq!(write(&mut volume, "t/c/1"), Err(Kind::NoVolume));
        assert_eq!(volume.room().unwrap_err().kind, Kind::NoVolume);
        assert_eq!(volume.mark(), None);
        Volume::create(disk.clone(), VolumeId([1; 16]), 0).unwrap();
        write(&mut volume, "t/c/1").unwrap();
        volume.room().unwrap();
        assert_eq!(volume.mark().unwrap().id, VolumeId([1; 16]));
        let mut other = disk.clone();
        other.remove(".vigie-volume").unwrap();
        assert_eq!(write(&mut volume, "t/c/2"), Err(Kind::NoVolume));
        Volume::create(disk, VolumeId([2; 16]), 0).unwrap();
        assert_eq!(write(&mut volume, "t/c/2"), Err(Kind::ForeignVolume));
    }
}
