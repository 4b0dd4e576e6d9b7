//! The folders of a store: one, or several volumes that are written each for itself and read as one.
//!
//! Before anything is written or deleted, the folder has to be the one that belongs there: several are volumes, each with its
//! own id (`vigie volume --create`), and one that was a volume once on this machine has to be that volume
//! ([`Memory`]). A tenant has one journal, on one of the volumes: a hold that stands there holds on all.

mod memory;
mod passes;
mod places;

use std::fmt;
use std::path::{Path, PathBuf};

use vigie::store::{self, Error, FileStorage, Kind, Merged, Split, Storage, Volume, VolumeMark, journal};

use crate::explain;
use crate::failure::Failure;

pub use memory::Memory;
pub use passes::{Passes, is_synchronised};
pub use places::{Places, free};

/// A storage that is written to, whatever it is made of.
pub type Written = Box<dyn Storage + Send>;

/// The folders of a store, the first one given first.
#[derive(Clone, Debug)]
pub struct Stores {
    roots: Vec<PathBuf>,
    memory: Memory,
}

/// As it is named in messages: the folder, or all of them.
impl fmt::Display for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
        f.write_str(&names.join(", "))
    }
}

impl Stores {
    /// Of these folders, of which there is one at least; one that is named twice is one.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>) -> Self {
        let mut all = Vec::new();
        for root in roots {
            if !all.contains(&root) {
                all.push(root);
            }
        }
        Self { roots: all, memory: Memory::of_user() }
    }

    /// With another memory than the user's.
    #[must_use]
    pub fn memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// The folders.
    #[must_use]
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// As it is named in messages.
    #[must_use]
    pub fn name(&self) -> PathBuf {
        self.to_string().into()
    }

    /// Are they several?
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.roots.len() > 1
    }

    /// All that are there, to be read as one.
    #[must_use]
    pub fn merged(&self) -> Merged<FileStorage> {
        Merged::new(self.roots.iter().map(FileStorage::new).collect())
    }

    /// The same, where there is one at all.
    ///
    /// # Errors
    /// No folder is there.
    pub fn read(&self) -> Result<Merged<FileStorage>, Failure> {
        let mut first = None;
        for root in &self.roots {
            match std::fs::metadata(root) {
                Ok(found) if found.is_dir() => return Ok(self.merged()),
                Ok(_) => {
                    return Err(Failure::new(
                        format!("{} is not a store: it is a file", root.display()),
                        "name the folder that `vigie record --store` wrote to",
                    ));
                }
                Err(error) => first = first.or(Some(Failure::file("open the store", root, &error))),
            }
        }
        Err(first.unwrap_or_else(|| Failure::new("no store was named", "name its folder with --store")))
    }

    /// What says which volume is in a folder, if it is the one that belongs there; `None` for a folder that is none, where one is
    /// enough.
    ///
    /// # Errors
    /// [`Kind::NoVolume`], [`Kind::ForeignVolume`], and all that a disk can fail by.
    pub fn mark(&self, root: &Path) -> Result<Option<VolumeMark>, Error> {
        let (found, known) = (Volume::find(&mut FileStorage::new(root))?, self.memory.volume(root));
        match (found, known) {
            (Some(found), Some(known)) if found.id != known => Err(Kind::ForeignVolume.into()),
            (Some(found), None) => {
                self.memory.remember(root, found.id);
                Ok(Some(found))
            }
            (None, Some(_)) => Err(Kind::NoVolume.into()),
            (None, None) if self.are_several() => Err(Kind::NoVolume.into()),
            (found, _) => Ok(found),
        }
    }

    /// Makes the folder where there is none; but neither that of a volume whose disk is not mounted, nor one of several.
    ///
    /// # Errors
    /// It cannot be made, or is not the one that belongs there; of several, that they do not belong together, or that none of
    /// them is there.
    pub fn make(&self) -> Result<(), Failure> {
        self.journals()?;
        let (mut first, mut there) = (None, false);
        for root in &self.roots {
            match self.mark(root) {
                Ok(None) => {
                    make(root).map_err(|error| Failure::file("make the folder", root, &error))?;
                    there = true;
                }
                Ok(Some(_)) => there = true,
                Err(error) => {
                    let failure = explain::store("record into", root, &error);
                    tracing::warn!("{}; {}", failure.what(), failure.remedy());
                    first = first.or(Some(failure));
                }
            }
        }
        first.filter(|_| !there).map_or(Ok(()), Err)
    }

    /// One of the folders, to be written: its footage, and beside it the tenants' journals where they are.
    ///
    /// # Errors
    /// As [`mark`](Self::mark).
    pub fn on(&self, number: usize) -> Result<Written, Error> {
        let footage = self.volume(number)?;
        if !self.are_several() {
            return Ok(footage);
        }
        let at = self.journals().map_err(|_| Error::from(Kind::ForeignVolume))?;
        let journal = self.roots.get(at).map(|root| Volume::expected(FileStorage::new(root)));
        Ok(Box::new(Split::new(journal.ok_or(Error::from(Kind::NotFound))?, footage)))
    }

    /// One of the folders by itself.
    ///
    /// # Errors
    /// As [`mark`](Self::mark).
    pub fn volume(&self, number: usize) -> Result<Written, Error> {
        let root = self.roots.get(number).ok_or(Error::from(Kind::NotFound))?;
        Ok(match self.mark(root)? {
            Some(mark) => Box::new(Volume::open(FileStorage::new(root), Some(mark.id))?),
            None => Box::new(FileStorage::new(root)),
        })
    }

    /// Where people decide: journals are read and written, footage is read from all.
    ///
    /// # Errors
    /// As [`read`](Self::read), [`mark`](Self::mark) and [`journals`](Self::journals); and where no journal is found and a
    /// volume is missing or cannot be read, which may have it.
    pub fn decide(&self) -> Result<Written, Failure> {
        let merged = self.read()?;
        let found = self.found()?;
        for root in self.roots.iter().filter(|_| found.is_none()) {
            self.has_journals(root).map_err(|error| explain::decision("read", root, &error))?;
        }
        let at = found.unwrap_or(0);
        let journal = self.volume(at).map_err(|error| {
            explain::store("write to", self.roots.get(at).map_or(Path::new(""), PathBuf::as_path), &error)
        })?;
        Ok(if self.are_several() { Box::new(Split::new(journal, merged)) } else { journal })
    }

    /// The folder that has the tenants' journals: where there is one, else the first.
    ///
    /// # Errors
    /// Two of them have journals: what one says would not hold on the other.
    pub fn journals(&self) -> Result<usize, Failure> {
        Ok(self.found()?.unwrap_or(0))
    }

    fn has_journals(&self, root: &Path) -> Result<bool, journal::Error> {
        self.mark(root)?;
        let mut storage = FileStorage::new(root);
        for tenant in store::tenants(&mut storage)? {
            if journal::exists(&mut storage, tenant)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn found(&self) -> Result<Option<usize>, Failure> {
        if !self.are_several() {
            return Ok(Some(0));
        }
        let all = self.roots.iter().enumerate();
        // One that is away, another disk in its place, or one that fails has none that can be read.
        let found: Vec<usize> = all
            .filter(|(_, root)| self.has_journals(root).unwrap_or(false))
            .map(|(number, _)| number)
            .collect();
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            [first, second, ..] => {
                let shown = |number: &usize| {
                    self.roots.get(*number).map_or_else(String::new, |r| r.display().to_string())
                };
                Err(Failure::new(
                    format!(
                        "{} and {} both have journals: a hold in one would not hold on the other",
                        shown(first),
                        shown(second)
                    ),
                    "use them as two stores; or enter the holds of one in the other, then move its journal-*.jsonl away",
                ))
            }
        }
    }
}

/// Footage is for nobody but this user, unless the folder is there already.
fn make(root: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(root)
}
