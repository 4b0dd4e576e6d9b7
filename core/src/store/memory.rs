//! A disk in memory that can fail, fill up and lose power: for tests of the store and of what is built on it.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::storage::folder_of;
use super::{Access, Error, File, Kind, Listed, Storage};

/// A disk in memory. Its clones are handles on the same disk, so that a test keeps one while a writer has another.
///
/// What was not synced is known: [`Memory::power_cut`] forgets, tears or zeroes it, each write on its own, whatever their
/// order. [`Memory::kill`] leaves all that was written, as the end of a process does.
#[derive(Clone, Debug, Default)]
pub struct Memory(Rc<RefCell<Disk>>);

/// What becomes of a write that was not synced, at a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// Each one, one of the others, by the dice.
    Dice(u64),
    /// Forgotten.
    Forget,
    /// Its first half is there.
    Tear,
    /// The file has its length, the bytes are zero.
    Zero,
    /// All there.
    Keep,
}

#[derive(Clone, Debug, Default)]
struct Disk {
    /// Every file ever created.
    inodes: Vec<Inode>,
    /// Names; `None` is a folder.
    names: BTreeMap<String, Option<usize>>,
    durable_names: BTreeMap<String, Option<usize>>,
    /// Changes of names that no sync of their folder has made durable.
    pending_names: Vec<NameChange>,
    open: Vec<Option<(usize, Access)>>,
    locks: BTreeSet<String>,
    writes: u64,
    read: u64,
    fail: Option<(u64, Kind)>,
    cut: Option<u64>,
    capacity: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

impl Inode {
    /// What is left of a change at a power cut; `part` of 2^20 of a write that is torn.
    fn settle(&mut self, change: Change, fate: Cut, part: u64) {
        match (change, fate) {
            (Change::Truncate(len), Cut::Keep | Cut::Zero) => self.durable.truncate(len),
            (Change::Write(at, bytes), Cut::Keep) => put(&mut self.durable, at, &bytes),
            (Change::Write(at, bytes), Cut::Zero) => put(&mut self.durable, at, &alloc::vec![0; bytes.len()]),
            (Change::Write(at, bytes), Cut::Tear) => {
                let kept = (bytes.len() as u64 * part) >> 20;
                put(&mut self.durable, at, bytes.get(..kept as usize).unwrap_or(&[]));
            }
            _ => {}
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Set(String, Option<usize>),
    Remove(String),
    Rename(String, String),
}

impl NameChange {
    fn folder(&self) -> &str {
        let (Self::Set(path, _) | Self::Remove(path) | Self::Rename(path, _)) = self;
        folder_of(path)
    }

    fn apply(self, names: &mut BTreeMap<String, Option<usize>>) {
        match self {
            Self::Set(path, what) => _ = names.insert(path, what),
            Self::Remove(path) => _ = names.remove(&path),
            Self::Rename(from, to) => {
                if let Some(what) = names.remove(&from) {
                    names.insert(to, what);
                }
            }
        }
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if content.len() < at + bytes.len() {
        content.resize(at + bytes.len(), 0);
    }
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Memory {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls so far that change something or sync.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.0.borrow().writes
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.0.borrow().read
    }

    /// Another disk, on which is what is on this one.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// Lets the `n`th such call from now (the next is 0) fail, those after it pass.
    pub fn fail_at(&self, n: u64, kind: Kind) {
        let mut disk = self.0.borrow_mut();
        disk.fail = Some((disk.writes + n, kind));
    }

    /// Lets the power go during the `n`th such call from now: it and all calls after it fail, until [`Memory::power_cut`].
    pub fn cut_at(&self, n: u64) {
        let mut disk = self.0.borrow_mut();
        disk.cut = Some(disk.writes + n);
    }

    /// No more than this many bytes fit.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.0.borrow_mut().capacity = bytes;
    }

    /// How many bytes fit, where that is bounded.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.0.borrow().capacity
    }

    /// The process ends: what was written is there, open files and locks are gone.
    pub fn kill(&self) {
        let mut disk = self.0.borrow_mut();
        disk.open.clear();
        disk.locks.clear();
        (disk.fail, disk.cut) = (None, None);
    }

    /// One process of several ends: what is locked is free.
    pub fn unlock_all(&self) {
        self.0.borrow_mut().locks.clear();
    }

    /// The power goes, and returns.
    pub fn power_cut(&self, how: Cut) {
        let mut state = match how {
            Cut::Dice(seed) => seed | 1,
            _ => 1,
        };
        let mut dice = move |sides: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % sides
        };
        self.kill();
        let mut disk = self.0.borrow_mut();
        let disk = &mut *disk;
        for inode in &mut disk.inodes {
            for change in core::mem::take(&mut inode.pending) {
                let fate = match how {
                    Cut::Dice(_) => [Cut::Forget, Cut::Tear, Cut::Zero, Cut::Keep][dice(4) as usize],
                    other => other,
                };
                let part = if matches!(how, Cut::Dice(_)) { dice(1 << 20) } else { 1 << 19 };
                inode.settle(change, fate, part);
            }
            inode.now.clone_from(&inode.durable);
        }
        // Of each folder, the changes up to some point are there: file systems keep the order of names.
        let folders: BTreeSet<String> = disk.pending_names.iter().map(|c| c.folder().to_owned()).collect();
        for folder in folders {
            let mut changes: Vec<_> = disk.pending_names.extract_if(.., |c| c.folder() == folder).collect();
            changes.truncate(match how {
                Cut::Dice(_) => dice(changes.len() as u64 + 1) as usize,
                Cut::Forget => 0,
                Cut::Tear => changes.len() / 2,
                Cut::Zero | Cut::Keep => changes.len(),
            });
            changes.into_iter().for_each(|change| change.apply(&mut disk.durable_names));
        }
        // What lies in a folder whose own name is lost cannot be reached.
        let names = disk.durable_names.clone();
        let reachable = |path: &str| {
            let mut folder = folder_of(path);
            while !folder.is_empty() && names.contains_key(folder) {
                folder = folder_of(folder);
            }
            folder.is_empty()
        };
        disk.durable_names.retain(|path, _| reachable(path));
        disk.names.clone_from(&disk.durable_names);
    }

    /// The bytes of a file as they are now.
    #[must_use]
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        let disk = self.0.borrow();
        let inode = (*disk.names.get(path)?)?;
        Some(disk.inodes.get(inode)?.now.clone())
    }

    /// Puts bytes in place of a file's, durable at once.
    pub fn set_content(&self, path: &str, bytes: &[u8]) {
        let mut disk = self.0.borrow_mut();
        let inode = match disk.names.get(path) {
            Some(Some(inode)) => *inode,
            _ => {
                disk.make_folders(path);
                let inode = disk.inodes.len();
                disk.inodes.push(Inode::default());
                disk.name(NameChange::Set(path.to_owned(), Some(inode)));
                inode
            }
        };
        if let Some(inode) = disk.inodes.get_mut(inode) {
            *inode = Inode { now: bytes.to_vec(), durable: bytes.to_vec(), pending: Vec::new() };
        }
    }

    /// The paths of all files.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let disk = self.0.borrow();
        disk.names.iter().filter(|(_, what)| what.is_some()).map(|(path, _)| path.clone()).collect()
    }
}

impl Disk {
    /// Counts a call that changes something; `Err` where it is to fail. `Ok(false)`: the power goes while it is done.
    fn begin(&mut self) -> Result<bool, Error> {
        let n = self.writes;
        self.writes += 1;
        match self.cut {
            Some(cut) if n > cut => return Err(Kind::Io(5).into()),
            Some(cut) if n == cut => return Ok(false),
            _ => {}
        }
        match self.fail {
            Some((at, kind)) if at == n => Err(kind.into()),
            _ => Ok(true),
        }
    }

    fn name(&mut self, change: NameChange) {
        change.clone().apply(&mut self.names);
        self.pending_names.push(change);
    }

    fn make_folders(&mut self, path: &str) {
        let mut missing = Vec::new();
        let mut folder = folder_of(path);
        while !folder.is_empty() && !self.names.contains_key(folder) {
            missing.push(folder.to_owned());
            folder = folder_of(folder);
        }
        for folder in missing.into_iter().rev() {
            self.name(NameChange::Set(folder, None));
        }
    }

    fn inode(&mut self, file: File, access: Access) -> Result<&mut Inode, Error> {
        let Some(Some((inode, given))) = self.open.get(file.0 as usize).copied() else {
            return Err(Kind::NoFile.into());
        };
        if access == Access::Write && given == Access::Read {
            return Err(Kind::Denied.into());
        }
        self.inodes.get_mut(inode).ok_or(Kind::NoFile.into())
    }

    fn change(&mut self, file: File, change: Change) -> Result<(), Error> {
        let inode = self.inode(file, Access::Write)?;
        match &change {
            Change::Write(at, bytes) => put(&mut inode.now, *at, bytes),
            Change::Truncate(len) => inode.now.truncate(*len),
        }
        inode.pending.push(change);
        Ok(())
    }

    fn used(&self) -> usize {
        self.names.values().flatten().filter_map(|i| self.inodes.get(*i)).map(|i| i.now.len()).sum()
    }

    fn keep(&mut self, inode: usize, access: Access) -> File {
        self.open.push(Some((inode, access)));
        File(self.open.len() as u32 - 1)
    }
}

/// What a call cut by the power answers, in vain.
const GONE: Error = Error::at(Kind::Io(5), 0);

impl Storage for Memory {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        let mut disk = self.0.borrow_mut();
        let whole = disk.begin()?;
        if disk.names.contains_key(path) {
            return Err(Kind::Exists.into());
        }
        disk.make_folders(path);
        let inode = disk.inodes.len();
        disk.inodes.push(Inode::default());
        disk.name(NameChange::Set(path.to_owned(), Some(inode)));
        if whole { Ok(disk.keep(inode, Access::Write)) } else { Err(GONE) }
    }

    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        let mut disk = self.0.borrow_mut();
        match disk.names.get(path).copied() {
            Some(Some(inode)) => Ok(disk.keep(inode, access)),
            Some(None) => Err(Kind::NotAFolder.into()),
            None => Err(Kind::NotFound.into()),
        }
    }

    fn close(&mut self, file: File) {
        if let Some(open) = self.0.borrow_mut().open.get_mut(file.0 as usize) {
            *open = None;
        }
    }

    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        let whole = disk.begin()?;
        let mut bytes = parts.concat();
        let room = disk.capacity.map_or(usize::MAX, |all| all.saturating_sub(disk.used()));
        let fits = bytes.len() <= room;
        bytes.truncate(if whole { room } else { bytes.len() / 2 });
        let at = disk.inode(file, Access::Write)?.now.len();
        disk.change(file, Change::Write(at, bytes))?;
        match (whole, fits) {
            (false, _) => Err(GONE),
            (_, false) => Err(Kind::Full.into()),
            _ => Ok(()),
        }
    }

    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        let whole = disk.begin()?;
        let part = if whole { bytes } else { &bytes[..bytes.len() / 2] };
        disk.change(file, Change::Write(offset as usize, part.to_vec()))?;
        if whole { Ok(()) } else { Err(GONE) }
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let mut disk = self.0.borrow_mut();
        let inode = disk.inode(file, Access::Read)?;
        let rest = inode.now.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or(&[]);
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        disk.read += n as u64;
        Ok(n)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        Ok(self.0.borrow_mut().inode(file, Access::Read)?.now.len() as u64)
    }

    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        let whole = disk.begin()?;
        disk.change(file, Change::Truncate(len as usize))?;
        if whole { Ok(()) } else { Err(GONE) }
    }

    fn sync(&mut self, file: File) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        if !disk.begin()? {
            return Err(GONE);
        }
        let inode = disk.inode(file, Access::Read)?;
        inode.pending.clear();
        inode.durable.clone_from(&inode.now);
        Ok(())
    }

    fn sync_folder(&mut self, folder: &str) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        if !disk.begin()? {
            return Err(GONE);
        }
        let disk = &mut *disk;
        for change in disk.pending_names.extract_if(.., |c| c.folder() == folder) {
            change.apply(&mut disk.durable_names);
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        let whole = disk.begin()?;
        if !disk.names.contains_key(from) {
            return Err(Kind::NotFound.into());
        }
        disk.name(NameChange::Rename(from.to_owned(), to.to_owned()));
        if whole { Ok(()) } else { Err(GONE) }
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        let whole = disk.begin()?;
        if !disk.names.contains_key(path) {
            return Err(Kind::NotFound.into());
        }
        disk.name(NameChange::Remove(path.to_owned()));
        if whole { Ok(()) } else { Err(GONE) }
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        let disk = self.0.borrow();
        if !folder.is_empty() && disk.names.get(folder) != Some(&None) {
            return Err(Kind::NotFound.into());
        }
        let start = if folder.is_empty() { String::new() } else { alloc::format!("{folder}/") };
        let below = disk.names.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start));
        let inside = below.filter(|(path, _)| folder_of(path) == folder && !path.is_empty());
        Ok(inside
            .map(|(path, inode)| Listed {
                name: path.rsplit('/').next().unwrap_or(path).to_owned(),
                folder: inode.is_none(),
                len: inode.and_then(|i| disk.inodes.get(i)).map_or(0, |i| i.now.len() as u64),
            })
            .collect())
    }

    fn lock(&mut self, folder: &str) -> Result<(), Error> {
        if self.0.borrow_mut().locks.insert(folder.to_owned()) { Ok(()) } else { Err(Kind::Locked.into()) }
    }

    fn unlock(&mut self, folder: &str) {
        self.0.borrow_mut().locks.remove(folder);
    }

    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        let mut disk = self.0.borrow_mut();
        let whole = disk.begin()?;
        if disk.names.get(folder) != Some(&None) {
            return Err(Kind::NotFound.into());
        }
        if !disk.names.keys().any(|path| folder_of(path) == folder) {
            disk.name(NameChange::Remove(folder.to_owned()));
        }
        if whole { Ok(()) } else { Err(GONE) }
    }
}
