//! The callbacks as the storage that core knows. What they answer is believed as far as it can be true.

use std::ffi::{CString, c_void};
use std::ptr::{self, NonNull};

use vigie::store::{Access, Error, File, Kind, Listed, Storage};

use super::listing::Listing;
use super::{Callbacks, LONGEST, VigieStorageAccess, VigieStorageAnswer};
use crate::VigieResult;
use crate::guard::Guarded;
use crate::piece::VigieSlice;

/// A handle on a host's storage, with the files and locks that it has there: they go with it.
pub(crate) struct Host {
    callbacks: Callbacks,
    files: Vec<Option<NonNull<c_void>>>,
    locks: Vec<CString>,
    /// From [`Guarded::boxed`]: a host that keeps the pointer beyond the callback does no harm while this is here.
    listing: *mut Guarded<Listing>,
}

// SAFETY: `Callbacks` may be called from another thread; what the host calls its files goes with them; the listing is behind
// `Guarded`.
unsafe impl Send for Host {}

/// Calls one back. That it is there was looked at when the storage was opened.
macro_rules! call {
    ($host:ident.$name:ident($($argument:expr),*)) => {
        match $host.callbacks.0.$name {
            // SAFETY: the host's promises; what is pointed to lives until it returns, and is as long as is said.
            Some(call) => Ok(unsafe { call($host.callbacks.0.context, $($argument),*) }),
            None => Err(Error::from(Kind::Implausible)),
        }
    };
}

fn done(answer: i32) -> Result<(), Error> {
    use VigieStorageAnswer as A;
    let all = [
        (A::NotFound, Kind::NotFound),
        (A::Exists, Kind::Exists),
        (A::Full, Kind::Full),
        (A::Denied, Kind::Denied),
        (A::ReadOnly, Kind::ReadOnly),
        (A::NotAFolder, Kind::NotAFolder),
        (A::Locked, Kind::Locked),
        // EIO.
        (A::Failed, Kind::Io(5)),
    ];
    if answer == A::Done as i32 {
        return Ok(());
    }
    let known = all.iter().find(|(known, _)| *known as i32 == answer);
    Err(known.map_or(Kind::Io(answer), |(_, kind)| *kind).into())
}

/// As C has it. A path of the store has no NUL in it.
fn in_c(path: &str) -> Result<CString, Error> {
    CString::new(path).map_err(|_| Kind::Name.into())
}

impl Host {
    pub(crate) fn new(callbacks: Callbacks) -> Self {
        let listing = Guarded::boxed(Listing::default());
        Self { callbacks, files: Vec::new(), locks: Vec::new(), listing }
    }

    fn keep(&mut self, file: *mut c_void) -> Result<File, Error> {
        let file = NonNull::new(file).ok_or(Kind::Implausible)?;
        let free = self.files.iter().position(Option::is_none).unwrap_or(self.files.len());
        if free == self.files.len() {
            self.files.push(None);
        }
        if let Some(place) = self.files.get_mut(free) {
            *place = Some(file);
        }
        Ok(File(free as u32))
    }

    fn file(&self, file: File) -> Result<*mut c_void, Error> {
        let open = self.files.get(file.0 as usize).copied().flatten();
        open.map(NonNull::as_ptr).ok_or(Kind::NoFile.into())
    }
}

impl Storage for Host {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        let (path, mut file) = (in_c(path)?, ptr::null_mut());
        done(call!(self.create(path.as_ptr(), &raw mut file))?)?;
        self.keep(file)
    }

    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        let (path, mut file) = (in_c(path)?, ptr::null_mut());
        let access = match access {
            Access::Read => VigieStorageAccess::Read,
            Access::Write => VigieStorageAccess::Write,
        };
        done(call!(self.open(path.as_ptr(), access as i32, &raw mut file))?)?;
        self.keep(file)
    }

    fn close(&mut self, file: File) {
        if let Some(open) = self.files.get_mut(file.0 as usize).and_then(Option::take) {
            let _ = call!(self.close(open.as_ptr()));
        }
    }

    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        let file = self.file(file)?;
        let parts = parts.iter().filter(|part| !part.is_empty());
        let slices: Vec<_> = parts.map(|part| VigieSlice { bytes: part.as_ptr(), len: part.len() }).collect();
        if slices.is_empty() {
            return Ok(());
        }
        done(call!(self.append(file, slices.as_ptr(), slices.len()))?)
    }

    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let file = self.file(file)?;
        done(call!(self.write_at(file, offset, bytes.as_ptr(), bytes.len()))?)
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let file = self.file(file)?;
        let mut all = 0;
        while let Some(rest) = into.get_mut(all..).filter(|rest| !rest.is_empty()) {
            let (at, mut read) = (offset.saturating_add(all as u64), usize::MAX);
            done(call!(self.read_at(file, at, rest.as_mut_ptr(), rest.len(), &raw mut read))?)?;
            match read {
                0 => break,
                n if n > rest.len() => return Err(Error::at(Kind::Implausible, at)),
                n => all += n,
            }
        }
        Ok(all)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        let (file, mut len) = (self.file(file)?, u64::MAX);
        done(call!(self.length(file, &raw mut len))?)?;
        if len <= LONGEST { Ok(len) } else { Err(Kind::Implausible.into()) }
    }

    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        let file = self.file(file)?;
        done(call!(self.truncate(file, len))?)
    }

    fn sync(&mut self, file: File) -> Result<(), Error> {
        let file = self.file(file)?;
        done(call!(self.sync(file))?)
    }

    fn sync_folder(&mut self, folder: &str) -> Result<(), Error> {
        let folder = in_c(folder)?;
        done(call!(self.sync_folder(folder.as_ptr()))?)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let (from, to) = (in_c(from)?, in_c(to)?);
        done(call!(self.rename(from.as_ptr(), to.as_ptr()))?)
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        let path = in_c(path)?;
        done(call!(self.remove(path.as_ptr()))?)
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        let folder = in_c(folder)?;
        // SAFETY: it came from `boxed`, and is freed by `drop` only.
        let begun = unsafe { Guarded::call(self.listing, Listing::begin) };
        if begun != VigieResult::Ok {
            return Err(Kind::Implausible.into());
        }
        let answer = call!(self.list(folder.as_ptr(), self.listing.cast()));
        let mut entries = None;
        let end = |listing: &mut Listing| {
            entries = listing.end();
            VigieResult::Ok
        };
        // SAFETY: as above. Where another thread is inside, there are no entries.
        let _ = unsafe { Guarded::call(self.listing, end) };
        done(answer?)?;
        entries.ok_or(Kind::Implausible.into())
    }

    fn lock(&mut self, folder: &str) -> Result<(), Error> {
        let folder = in_c(folder)?;
        if self.locks.contains(&folder) {
            return Err(Kind::Locked.into());
        }
        done(call!(self.lock(folder.as_ptr()))?)?;
        self.locks.push(folder);
        Ok(())
    }

    fn unlock(&mut self, folder: &str) {
        let held = self.locks.iter().position(|held| held.as_bytes() == folder.as_bytes());
        if let Some(folder) = held.map(|at| self.locks.swap_remove(at)) {
            let _ = call!(self.unlock(folder.as_ptr()));
        }
    }

    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        let folder = in_c(folder)?;
        done(call!(self.remove_folder(folder.as_ptr()))?)
    }

    fn room(&mut self) -> Result<(), Error> {
        match self.callbacks.0.room {
            Some(_) => done(call!(self.room())?),
            None => Ok(()),
        }
    }
}

/// What is open is closed, and what is locked let go of.
impl Drop for Host {
    fn drop(&mut self) {
        for open in std::mem::take(&mut self.files).into_iter().flatten() {
            let _ = call!(self.close(open.as_ptr()));
        }
        for folder in std::mem::take(&mut self.locks) {
            let _ = call!(self.unlock(folder.as_ptr()));
        }
        // SAFETY: it came from `boxed`, and nobody frees it but this.
        let _ = unsafe { Guarded::free(self.listing) };
    }
}
