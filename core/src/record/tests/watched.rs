//! A storage that keeps account of what it is asked to do.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

use super::*;
use crate::store::{Access, File, Listed, Storage};

/// What was asked.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Appends.
    pub(super) appends: u64,
    /// Bytes handed over to be written.
    pub(super) bytes: u64,
    /// Paths of the files synced.
    pub(super) syncs: Vec<String>,
}

/// Clones keep one account.
#[derive(Clone)]
pub(super) struct Watched {
    disk: Memory,
    pub(super) calls: Rc<RefCell<Calls>>,
    names: BTreeMap<File, String>,
}

impl Watched {
    pub(super) fn new(disk: Memory) -> Self {
        Self { disk, calls: Rc::default(), names: BTreeMap::new() }
    }
}

impl Storage for Watched {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        let file = self.disk.create_new(path)?;
        self.names.insert(file, path.into());
        Ok(file)
    }
    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        let file = self.disk.open(path, access)?;
        self.names.insert(file, path.into());
        Ok(file)
    }
    fn close(&mut self, file: File) {
        self.disk.close(file);
    }
    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        let mut calls = self.calls.borrow_mut();
        calls.appends += 1;
        calls.bytes += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        self.disk.append(file, parts)
    }
    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.calls.borrow_mut().bytes += bytes.len() as u64;
        self.disk.write_at(file, offset, bytes)
    }
    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        self.disk.read_at(file, offset, into)
    }
    fn len(&mut self, file: File) -> Result<u64, Error> {
        self.disk.len(file)
    }
    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        self.disk.truncate(file, len)
    }
    fn sync(&mut self, file: File) -> Result<(), Error> {
        self.calls.borrow_mut().syncs.push(self.names[&file].clone());
        self.disk.sync(file)
    }
    fn sync_folder(&mut self, folder: &str) -> Result<(), Error> {
        self.disk.sync_folder(folder)
    }
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        self.disk.rename(from, to)
    }
    fn remove(&mut self, path: &str) -> Result<(), Error> {
        self.disk.remove(path)
    }
    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        self.disk.list(folder)
    }
    fn lock(&mut self, folder: &str) -> Result<(), Error> {
        self.disk.lock(folder)
    }
    fn unlock(&mut self, folder: &str) {
        self.disk.unlock(folder);
    }
    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        self.disk.remove_folder(folder)
    }
}
