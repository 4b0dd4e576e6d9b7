//! Storages that count: one over any other, and one of thousands of cameras that makes what is read of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use vigie::store::{Access, Error, File, Kind, Listed, Storage};

use crate::make::{self, Made};

/// What was asked of a storage.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calls {
    pub(crate) lists: u64,
    pub(crate) opens: u64,
    pub(crate) reads: u64,
    pub(crate) bytes: u64,
}

/// Cameras of one tenant, each with so many days.
pub(crate) struct Fake {
    cameras: u32,
    days: u32,
    open: BTreeMap<u32, Rc<Vec<u8>>>,
    /// Made last: an index is opened piece by piece.
    last: (String, Rc<Vec<u8>>),
    next: u32,
    pub(crate) calls: Calls,
}

impl Fake {
    pub(crate) fn new(cameras: u32, days: u32) -> Self {
        let (open, last) = (BTreeMap::new(), (String::new(), Rc::default()));
        Self { cameras, days, open, last, next: 0, calls: Calls::default() }
    }

    /// The camera's day that a path is of.
    fn made(&self, path: &str) -> Option<(Made, bool)> {
        let (folder, name) = path.rsplit_once('/')?;
        let (day, kind) = name.split_once('.').filter(|(_, kind)| ["gix", "gap"].contains(kind))?;
        let camera = folder.strip_prefix("town/c")?.parse().ok()?;
        let day = (0..self.days).find(|n| make::day(*n).to_string() == day)?;
        (camera < self.cameras).then(|| (make::make(camera, day), kind == "gix"))
    }
}

const READ_ONLY: Error = Error::at(Kind::ReadOnly, 0);

impl Storage for Fake {
    fn create_new(&mut self, _: &str) -> Result<File, Error> {
        Err(READ_ONLY)
    }

    fn open(&mut self, path: &str, _: Access) -> Result<File, Error> {
        self.calls.opens += 1;
        if self.last.0 != path {
            let (made, index) = self.made(path).ok_or(Error::at(Kind::NotFound, 0))?;
            self.last = (path.to_owned(), Rc::new(if index { made.index } else { made.log }));
        }
        self.open.insert(self.next, Rc::clone(&self.last.1));
        self.next += 1;
        Ok(File(self.next - 1))
    }

    fn close(&mut self, file: File) {
        self.open.remove(&file.0);
    }

    fn append(&mut self, _: File, _: &[&[u8]]) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn write_at(&mut self, _: File, _: u64, _: &[u8]) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let bytes = self.open.get(&file.0).ok_or(Error::at(Kind::NoFile, 0))?;
        let rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or(&[]);
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.calls.reads += 1;
        self.calls.bytes += n as u64;
        Ok(n)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        Ok(self.open.get(&file.0).ok_or(Error::at(Kind::NoFile, 0))?.len() as u64)
    }

    fn truncate(&mut self, _: File, _: u64) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn sync(&mut self, _: File) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn sync_folder(&mut self, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn rename(&mut self, _: &str, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn remove(&mut self, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        self.calls.lists += 1;
        let entry = |name: String, folder| Listed { name, folder, len: 0 };
        Ok(match folder {
            "" => vec![entry("town".into(), true)],
            "town" => (0..self.cameras).map(|c| entry(format!("c{c:04}"), true)).collect(),
            _ => (0..self.days)
                .map(make::day)
                .flat_map(|day| {
                    [
                        entry(day.to_string(), true),
                        entry(format!("{day}.gap"), false),
                        entry(format!("{day}.gix"), false),
                    ]
                })
                .collect(),
        })
    }

    fn lock(&mut self, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn unlock(&mut self, _: &str) {}

    fn remove_folder(&mut self, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }
}
