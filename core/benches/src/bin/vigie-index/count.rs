//! A storage over another one, that counts what is asked of it.

use std::cell::Cell;
use std::rc::Rc;

use vigie::store::{Access, Error, File, Listed, Storage};

/// What was asked of a storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) lists: u64,
    pub(crate) opens: u64,
    pub(crate) reads: u64,
    pub(crate) bytes: u64,
    pub(crate) written: u64,
    pub(crate) removed: u64,
    pub(crate) syncs: u64,
}

impl Calls {
    pub(crate) const fn add(&mut self, more: Self) {
        self.lists += more.lists;
        self.opens += more.opens;
        self.reads += more.reads;
        self.bytes += more.bytes;
        self.written += more.written;
        self.removed += more.removed;
        self.syncs += more.syncs;
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Counted<S> {
    pub(crate) storage: S,
    calls: Rc<Cell<Calls>>,
}

impl<S> Counted<S> {
    pub(crate) fn new(storage: S) -> Self {
        Self { storage, calls: Rc::default() }
    }

    /// Over another storage, counted with this one.
    pub(crate) fn with<T>(&self, storage: T) -> Counted<T> {
        Counted { storage, calls: Rc::clone(&self.calls) }
    }

    /// Since this was asked last.
    pub(crate) fn calls(&self) -> Calls {
        self.calls.take()
    }

    fn count(&self, more: impl FnOnce(&mut Calls)) {
        let mut calls = self.calls.get();
        more(&mut calls);
        self.calls.set(calls);
    }
}

impl<S: Storage> Storage for Counted<S> {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        self.count(|calls| calls.opens += 1);
        self.storage.create_new(path)
    }

    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        self.count(|calls| calls.opens += 1);
        self.storage.open(path, access)
    }

    fn close(&mut self, file: File) {
        self.storage.close(file);
    }

    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        self.count(|calls| calls.written += parts.iter().map(|part| part.len() as u64).sum::<u64>());
        self.storage.append(file, parts)
    }

    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.count(|calls| calls.written += bytes.len() as u64);
        self.storage.write_at(file, offset, bytes)
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let n = self.storage.read_at(file, offset, into)?;
        self.count(|calls| (calls.reads, calls.bytes) = (calls.reads + 1, calls.bytes + n as u64));
        Ok(n)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        self.storage.len(file)
    }

    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        self.storage.truncate(file, len)
    }

    fn sync(&mut self, file: File) -> Result<(), Error> {
        self.count(|calls| calls.syncs += 1);
        self.storage.sync(file)
    }

    fn sync_folder(&mut self, folder: &str) -> Result<(), Error> {
        self.count(|calls| calls.syncs += 1);
        self.storage.sync_folder(folder)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        self.storage.rename(from, to)
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        self.storage.remove(path)?;
        self.count(|calls| calls.removed += 1);
        Ok(())
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        self.count(|calls| calls.lists += 1);
        self.storage.list(folder)
    }

    fn lock(&mut self, folder: &str) -> Result<(), Error> {
        self.storage.lock(folder)
    }

    fn unlock(&mut self, folder: &str) {
        self.storage.unlock(folder);
    }

    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        self.storage.remove_folder(folder)
    }
}
