//! What the store needs of a disk.

use alloc::string::String;
use alloc::vec::Vec;

use super::Error;

/// An open file: valid with the storage that gave it, until closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct File(pub u32);

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading, appending, writing in place and cutting off.
    Write,
}

/// What is in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name, without the folder's.
    pub name: String,
    /// Is it a folder?
    pub folder: bool,
    /// Bytes; 0 for a folder.
    pub len: u64,
}

/// A tree of files. Paths are relative to its root, parts joined by `/`; the root itself is `""`.
///
/// What was written is sure to survive a power cut only after [`Storage::sync`] of the file, and a name (of a file created or
/// renamed) only after [`Storage::sync_folder`] of the folder it is in.
pub trait Storage {
    /// Creates a file for writing, with the folders above it where they are missing.
    ///
    /// # Errors
    /// [`Kind::Exists`](super::Kind::Exists) where the name is taken, and all that a disk can fail by.
    fn create_new(&mut self, path: &str) -> Result<File, Error>;

    /// Opens a file.
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound), and all that a disk can fail by.
    fn open(&mut self, path: &str, access: Access) -> Result<File, Error>;

    /// Closes a file. What was not synced may be lost.
    fn close(&mut self, file: File);

    /// Appends all parts, one behind the other. When it fails, a part of them may be there.
    ///
    /// # Errors
    /// [`Kind::Full`](super::Kind::Full), and all that a disk can fail by.
    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error>;

    /// Overwrites bytes that are there.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error>;

    /// Reads as many bytes as are there, up to the length of `into`; fewer only at the end of the file.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error>;

    /// Bytes of the file.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn len(&mut self, file: File) -> Result<u64, Error>;

    /// Cuts the file off after `len` bytes.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error>;

    /// Returns when all that was written to the file is on the disk (`fdatasync`).
    ///
    /// # Errors
    /// All that a disk can fail by. After a failure, what was written since the last success may be lost, whatever a second
    /// call says: the file is not to be written on.
    fn sync(&mut self, file: File) -> Result<(), Error>;

    /// Returns when the names in the folder are on the disk.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn sync_folder(&mut self, folder: &str) -> Result<(), Error>;

    /// Gives a file another name, in one step, replacing a file of that name.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error>;

    /// Removes a file.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn remove(&mut self, path: &str) -> Result<(), Error>;

    /// What is in a folder, by name.
    ///
    /// # Errors
    /// [`Kind::NotFound`](super::Kind::NotFound), and all that a disk can fail by.
    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error>;

    /// Holds a folder against other processes that would lock it, until the storage is dropped or the process ends.
    ///
    /// # Errors
    /// [`Kind::Locked`](super::Kind::Locked), and all that a disk can fail by.
    fn lock(&mut self, folder: &str) -> Result<(), Error>;

    /// Lets go of a folder that this storage has locked.
    fn unlock(&mut self, folder: &str);

    /// Removes a folder in which nothing is left; one in which there is something stays.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn remove_folder(&mut self, folder: &str) -> Result<(), Error>;

    /// Is there room for footage? Asked before a file is created and before fragments are written to one; what closes
    /// files, indexes and logs does not ask. A storage with a reserve answers [`Kind::Full`](super::Kind::Full) while the
    /// reserve is spent.
    ///
    /// # Errors
    /// [`Kind::Full`](super::Kind::Full), and all that a disk can fail by.
    fn room(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// The disk is full: frees the room that was set aside so that what is open can be closed. `false` where there is none.
    ///
    /// # Errors
    /// All that a disk can fail by.
    fn spend_reserve(&mut self) -> Result<bool, Error> {
        Ok(false)
    }
}

macro_rules! forward {
    ($($name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)?;)*) => {
        impl<T: Storage + ?Sized> Storage for alloc::boxed::Box<T> {
            $(fn $name(&mut self, $($arg: $ty),*) $(-> $out)? {
                (**self).$name($($arg),*)
            })*
        }
    };
}

forward! {
    create_new(path: &str) -> Result<File, Error>;
    open(path: &str, access: Access) -> Result<File, Error>;
    close(file: File);
    append(file: File, parts: &[&[u8]]) -> Result<(), Error>;
    write_at(file: File, offset: u64, bytes: &[u8]) -> Result<(), Error>;
    read_at(file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error>;
    len(file: File) -> Result<u64, Error>;
    truncate(file: File, len: u64) -> Result<(), Error>;
    sync(file: File) -> Result<(), Error>;
    sync_folder(folder: &str) -> Result<(), Error>;
    rename(from: &str, to: &str) -> Result<(), Error>;
    remove(path: &str) -> Result<(), Error>;
    list(folder: &str) -> Result<Vec<Listed>, Error>;
    lock(folder: &str) -> Result<(), Error>;
    unlock(folder: &str);
    remove_folder(folder: &str) -> Result<(), Error>;
    room() -> Result<(), Error>;
    spend_reserve() -> Result<bool, Error>;
}

/// Bytes of a file that is read whole, at most. No index, log or journal comes near it: what is longer is damaged.
pub(super) const WHOLE: u64 = 256 << 20;
/// Bytes that room is made for at a time: for what is there, whatever length is promised.
const STEP: u64 = 1 << 20;

/// The whole of a file, or its first [`WHOLE`] bytes; `None` where there is none.
pub(super) fn read_whole(storage: &mut dyn Storage, path: &str) -> Result<Option<Vec<u8>>, Error> {
    read_start(storage, path, WHOLE)
}

/// A file, up to `most` of its bytes; `None` where there is none.
pub(super) fn read_start(storage: &mut dyn Storage, path: &str, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let file = match storage.open(path, Access::Read) {
        Ok(file) => file,
        Err(Error { kind: super::Kind::NotFound, .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let whole = storage.len(file).and_then(|len| read_range(storage, file, 0, len.min(most)));
    storage.close(file);
    whole.map(Some)
}

/// `len` bytes of a file from `offset` on, or as many as are there.
pub(super) fn read_range(
    storage: &mut dyn Storage,
    file: File,
    offset: u64,
    len: u64,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let (mut at, mut left) = (offset, len);
    while left > 0 {
        let (done, step) = (bytes.len(), left.min(STEP));
        bytes.resize(done + step as usize, 0);
        let n = storage.read_at(file, at, bytes.get_mut(done..).unwrap_or_default())?;
        bytes.truncate(done + n);
        if (n as u64) < step {
            break;
        }
        (at, left) = (at + step, left - step);
    }
    Ok(bytes)
}

/// Puts bytes in place of a file's, in one step: the old ones are there after a power cut, or these. `docs/format.md` §5.5.
pub(super) fn replace(storage: &mut dyn Storage, path: &str, bytes: &[u8]) -> Result<(), Error> {
    match try_replace(storage, path, bytes) {
        Err(error) if error.kind == super::Kind::Full && storage.spend_reserve()? => {
            try_replace(storage, path, bytes)
        }
        other => other,
    }
}

fn try_replace(storage: &mut dyn Storage, path: &str, bytes: &[u8]) -> Result<(), Error> {
    let new = alloc::format!("{path}.new");
    match storage.remove(&new) {
        Ok(()) | Err(Error { kind: super::Kind::NotFound, .. }) => {}
        Err(error) => return Err(error),
    }
    let file = storage.create_new(&new)?;
    let written = storage.append(file, &[bytes]).and_then(|()| storage.sync(file));
    storage.close(file);
    if let Err(error) = written {
        // On a full disk its room is wanted.
        let _ = storage.remove(&new);
        return Err(error);
    }
    storage.rename(&new, path)?;
    storage.sync_folder(folder_of(path))
}

/// The folder that a path is in.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::store::Memory;

    #[test]
    fn a_file_is_read_whole_piece_by_piece_up_to_what_was_asked() {
        let disk = Memory::new();
        for len in [0, 1, STEP - 1, STEP, STEP + 1, 2 * STEP + 77] {
            let bytes: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            disk.set_content("a", &bytes);
            assert!(read_whole(&mut disk.clone(), "a").unwrap().unwrap() == bytes, "{len}");
            let most = len / 2 + 1;
            let start = read_start(&mut disk.clone(), "a", most).unwrap().unwrap();
            assert!(start == bytes[..start.len()] && start.len() as u64 == most.min(len), "{len}");
        }
        assert_eq!(read_whole(&mut disk.clone(), "b").unwrap(), None);
    }

    /// Whatever length it is asked for.
    #[test]
    fn no_room_is_made_for_what_is_not_there() {
        let disk = Memory::new();
        disk.set_content("a", &[7; 100]);
        let mut storage = disk.clone();
        let file = storage.open("a", Access::Read).unwrap();
        let read = read_range(&mut storage, file, 40, u64::MAX).unwrap();
        assert!(read == [7; 60] && read.capacity() <= STEP as usize);
    }
}
