//! The archive over a storage.

use super::{Archive, Output};
use crate::store::{self, Access, Source, Storage};
use crate::time::UtcMicros;

/// An [`Archive`] whose questions a [`Storage`] answers. What it gives is never [`Output::Read`].
#[derive(Debug)]
pub struct Local<S: Storage> {
    archive: Archive,
    source: Source,
    storage: S,
}

impl<S: Storage> Local<S> {
    /// Of one camera of a store.
    #[must_use]
    pub fn new(storage: S, source: Source) -> Self {
        Self { archive: Archive::new(source), source, storage }
    }

    /// The same, of which only indexes are read: see [`Archive::entries_only`].
    #[must_use]
    pub fn entries_only(storage: S, source: Source) -> Self {
        Self { archive: Archive::entries_only(source), source, storage }
    }

    /// The machine.
    #[must_use]
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Goes to a moment, see [`Archive::seek`].
    pub fn seek(&mut self, utc: UtcMicros) {
        self.archive.seek(utc);
    }

    /// What comes next, up to and including a fragment, [`Output::End`] or [`Output::Failed`]: call again for more. `now` is
    /// the time of day.
    ///
    /// # Errors
    /// All that a disk can fail by; what was asked for is asked for again.
    pub fn next(&mut self, now: UtcMicros) -> Result<Output, store::Error> {
        self.go(|archive| archive.next(now))
    }

    /// The same up to the next fragment that starts at a random access point, see [`Archive::next_key`].
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn next_key(&mut self, now: UtcMicros) -> Result<Output, store::Error> {
        self.go(|archive| archive.next_key(now))
    }

    /// The same of the GOP before the one given last, see [`Archive::back`]: all that it has to say of it.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn back(&mut self, now: UtcMicros) -> Result<alloc::vec::Vec<Output>, store::Error> {
        let mut asked = false;
        let mut out = alloc::vec::Vec::new();
        loop {
            match self.pull()? {
                Some(output) => out.push(output),
                None if core::mem::replace(&mut asked, true) => return Ok(out),
                None => self.archive.back(now),
            }
        }
    }

    fn go(&mut self, ask: impl Fn(&mut Archive)) -> Result<Output, store::Error> {
        loop {
            match self.pull()? {
                Some(output) => return Ok(output),
                None => ask(&mut self.archive),
            }
        }
    }

    /// What it has to say, its questions answered.
    fn pull(&mut self) -> Result<Option<Output>, store::Error> {
        loop {
            match self.archive.pull() {
                None => return Ok(None),
                Some(Output::Read { path, offset, len }) => match self.read(&path, offset, len) {
                    Ok(Some(bytes)) => self.archive.filled(bytes),
                    Ok(None) => self.archive.absent(),
                    Err(error) => {
                        self.archive.retry();
                        return Err(error);
                    }
                },
                Some(output) => return Ok(Some(output)),
            }
        }
    }

    fn read(
        &mut self,
        path: &str,
        offset: u64,
        len: usize,
    ) -> Result<Option<alloc::vec::Vec<u8>>, store::Error> {
        let day = path.rsplit_once('/').and_then(|(_, name)| name.strip_suffix(".pages")?.parse().ok());
        if let Some(day) = day {
            return store::page_directory(&mut self.storage, &self.source, day);
        }
        let file = match self.storage.open(path, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind == store::Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let read = self.storage.len(file).and_then(|there| {
            let left = usize::try_from(there.saturating_sub(offset)).unwrap_or(usize::MAX);
            let mut bytes = alloc::vec![0; len.min(left)];
            let n = self.storage.read_at(file, offset, &mut bytes)?;
            bytes.truncate(n);
            Ok(Some(bytes))
        });
        self.storage.close(file);
        read
    }
}
