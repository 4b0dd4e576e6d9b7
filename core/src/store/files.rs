//! A folder of a file system.

use alloc::string::String;
use alloc::vec::Vec;
use std::fs::{self, OpenOptions};
use std::io::{self, IoSlice, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::{Access, Error, File, Kind, Listed, Storage};

/// The store below a folder of the local file system. Network file systems do not keep what the format relies on: a rename in
/// one step, and a sync that means it.
#[derive(Debug)]
pub struct FileStorage {
    root: PathBuf,
    files: Vec<Option<Open>>,
    locks: Vec<(String, fs::File)>,
}

/// A file that is open.
#[derive(Debug)]
struct Open {
    file: fs::File,
    /// Where it ended after the last append.
    end: u64,
    /// Up to here the system was told to forget it.
    forgotten: u64,
}

impl Open {
    /// What is on the disk need not be in memory as well: footage is written all day and seldom read, and the pages of one
    /// group of pictures serve for the next, at a fraction of what fresh ones cost, and without driving out what others read.
    fn forget(&mut self) {
        let end = self.end - self.end % FORGOTTEN;
        #[cfg(target_os = "linux")]
        if let Some(len) = end.checked_sub(self.forgotten).and_then(core::num::NonZeroU64::new) {
            // An advice. A file system that does not take it keeps the pages.
            let _ = rustix::fs::fadvise(&self.file, self.forgotten, Some(len), rustix::fs::Advice::DontNeed);
        }
        self.forgotten = self.forgotten.max(end);
    }
}

/// So many bytes at a time are forgotten: a page of any system, so that the one that is appended to stays. Indexes, which are
/// read, are smaller for hours.
const FORGOTTEN: u64 = 64 << 10;

impl FileStorage {
    /// Below `root`, which is created when something is written.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), files: Vec::new(), locks: Vec::new() }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn keep(&mut self, file: fs::File) -> File {
        let free = self.files.iter().position(Option::is_none).unwrap_or(self.files.len());
        if free == self.files.len() {
            self.files.push(None);
        }
        if let Some(place) = self.files.get_mut(free) {
            *place = Some(Open { file, end: 0, forgotten: 0 });
        }
        File(free as u32)
    }

    fn open_file(&mut self, file: File) -> Result<&mut Open, Error> {
        self.files.get_mut(file.0 as usize).and_then(Option::as_mut).ok_or(Kind::NoFile.into())
    }

    fn get(&mut self, file: File) -> Result<&mut fs::File, Error> {
        self.open_file(file).map(|open| &mut open.file)
    }
}

/// A second handle on the folder, with no files open.
impl Clone for FileStorage {
    fn clone(&self) -> Self {
        Self::new(self.root.clone())
    }
}

fn failed(error: &io::Error) -> Error {
    use io::ErrorKind as E;
    let kind = match error.kind() {
        E::NotFound => Kind::NotFound,
        E::AlreadyExists => Kind::Exists,
        E::StorageFull | E::QuotaExceeded => Kind::Full,
        E::FileTooLarge => Kind::TooLong,
        E::PermissionDenied => Kind::Denied,
        E::ReadOnlyFilesystem => Kind::ReadOnly,
        E::NotADirectory => Kind::NotAFolder,
        E::WouldBlock => Kind::Locked,
        _ => Kind::Io(error.raw_os_error().unwrap_or(0)),
    };
    kind.into()
}

fn result<T>(result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|error| failed(&error))
}

/// Folders on the way to a path; where a file is in the way, that is said.
fn make_folder(folder: &Path) -> Result<(), Error> {
    match fs::create_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Kind::NotAFolder.into()),
        other => result(other),
    }
}

impl Storage for FileStorage {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        let path = self.path(path);
        let open = || OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(path.parent().unwrap_or(&self.root))?;
                result(open())?
            }
            other => result(other)?,
        };
        Ok(self.keep(file))
    }

    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        let write = access == Access::Write;
        let file = result(OpenOptions::new().read(true).write(write).open(self.path(path)))?;
        Ok(self.keep(file))
    }

    fn close(&mut self, file: File) {
        if let Some(place) = self.files.get_mut(file.0 as usize) {
            *place = None;
        }
    }

    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        let Open { file, end, .. } = self.open_file(file)?;
        *end = result(file.seek(SeekFrom::End(0)))?;
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut left = &mut *slices;
        // Drops empty slices at the front, so that a write of 0 bytes means what it says.
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            match file.write_vectored(left) {
                Ok(0) => return Err(Kind::Full.into()),
                Ok(n) => {
                    *end += n as u64;
                    IoSlice::advance_slices(&mut left, n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(())
    }

    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let file = self.get(file)?;
        result(file.seek(SeekFrom::Start(offset)))?;
        result(file.write_all(bytes))
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let file = self.get(file)?;
        result(file.seek(SeekFrom::Start(offset)))?;
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(done)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        Ok(result(self.get(file)?.metadata())?.len())
    }

    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        result(self.get(file)?.set_len(len))
    }

    fn sync(&mut self, file: File) -> Result<(), Error> {
        let open = self.open_file(file)?;
        result(open.file.sync_data())?;
        open.forget();
        Ok(())
    }

    fn sync_folder(&mut self, folder: &str) -> Result<(), Error> {
        // Only there a folder can be opened as a file; elsewhere names are durable by themselves.
        if cfg!(unix) { result(fs::File::open(self.path(folder)).and_then(|f| f.sync_all())) } else { Ok(()) }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        result(fs::rename(self.path(from), self.path(to)))
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        result(fs::remove_file(self.path(path)))
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        let mut out = Vec::new();
        for entry in result(fs::read_dir(self.path(folder)))? {
            let entry = result(entry)?;
            // A name that is not UTF-8 is none of ours; a file that has just gone is none any more. What is a folder stands beside
            // its name: a tenant's cameras are not looked at one by one.
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            let folder = kind.is_dir();
            let Ok(len) = (if folder { Ok(0) } else { entry.metadata().map(|meta| meta.len()) }) else {
                continue;
            };
            out.push(Listed { name, folder, len });
        }
        out.sort_unstable();
        Ok(out)
    }

    fn lock(&mut self, folder: &str) -> Result<(), Error> {
        if self.locks.iter().any(|(held, _)| held == folder) {
            return Err(Kind::Locked.into());
        }
        make_folder(&self.path(folder))?;
        let path = self.path(folder).join(".lock");
        let file = result(OpenOptions::new().write(true).create(true).truncate(false).open(path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Kind::Locked.into()),
            // A file system without locks: better recorded than refused.
            Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(fs::TryLockError::Error(error)) => return Err(failed(&error)),
        }
        self.locks.push((folder.into(), file));
        Ok(())
    }

    fn unlock(&mut self, folder: &str) {
        self.locks.retain(|(held, _)| held != folder);
    }

    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        match fs::remove_dir(self.path(folder)) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            other => result(other),
        }
    }
}
