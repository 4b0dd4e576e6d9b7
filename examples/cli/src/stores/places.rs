//! Which camera is recorded to which of the folders.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use vigie::fault::{Blame, Fault as _};
use vigie::store::retain::{self, Clock, Outcome};
use vigie::store::{self, Error, FileStorage, Kind, LastRecorded, Placement, Source, journal};

use super::{Stores, Written};

/// Bytes a second that a camera is counted with before anything is known of it: 4 Mb/s.
const RATE: u64 = 500_000;

/// A volume with less room than this takes no more cameras.
const LEAST: u64 = 64 << 20;

/// Where the cameras of a process are recorded, by one rule: see [`Placement`]. A clone is the same.
#[derive(Clone, Debug)]
pub struct Places {
    stores: Stores,
    placement: Arc<Mutex<Placement>>,
}

impl Places {
    /// On these folders, of which nothing is known yet.
    #[must_use]
    pub fn new(stores: Stores) -> Self {
        let placement = Placement::new(stores.roots().len());
        Self { stores, placement: Arc::new(Mutex::new(placement)) }
    }

    /// The folders.
    #[must_use]
    pub const fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Where a camera goes: where it was before, else where there is room longest.
    ///
    /// # Errors
    /// Why none of them can be written.
    pub fn place(&self, source: Source) -> Result<(usize, Written), Error> {
        self.again(source, None)
    }

    /// The same, where the camera's recorder has failed on one of them: another one, if there is one.
    ///
    /// # Errors
    /// Why none of them can be written; `why` itself, where that is none of the volume's faults.
    pub fn instead(&self, source: Source, of: usize, why: Kind) -> Result<(usize, Written), Error> {
        if why == Kind::Time || Error::from(why).blame() == Blame::Bug {
            return Err(why.into());
        }
        self.again(source, Some((of, why)))
    }

    fn again(&self, source: Source, failed: Option<(usize, Kind)>) -> Result<(usize, Written), Error> {
        if !self.stores.are_several() {
            return Ok((0, self.stores.on(0)?));
        }
        let mut placement = self.placement.lock().unwrap_or_else(PoisonError::into_inner);
        let mut disks = BTreeMap::new();
        for (number, root) in self.stores.roots().iter().enumerate() {
            match self.room(root, &mut disks) {
                Ok(free) => placement.set_room(number, free),
                Err(error) => placement.refuses(number, error.kind),
            }
        }
        match failed {
            Some((volume, why)) => placement.refuses(volume, why),
            None => {
                if let Some(volume) = self.before(&source) {
                    placement.was_on(source, volume, RATE);
                }
            }
        }
        let volume = placement.place(source, RATE)?.volume;
        drop(placement);
        Ok((volume, self.stores.on(volume)?))
    }

    /// Deletes what is expired of a camera on the volumes that it is not recorded to now. Gives what became of each that has
    /// footage of it.
    pub(super) fn retain_elsewhere(
        &self,
        source: &Source,
        on: usize,
        clock: Clock,
    ) -> Vec<Result<Outcome, journal::Error>> {
        let others = (0..self.stores.roots().len()).filter(|number| *number != on);
        let pass = |number: usize| {
            // One that is not there is left as it is, until it is.
            let mut storage = self.stores.on(number).ok()?;
            // One that cannot be listed is told of by its pass.
            let has = store::days(&mut storage, source).map_or(true, |days| !days.is_empty());
            has.then(|| retain::run(&mut storage, source, clock))
        };
        others.filter_map(pass).collect()
    }

    /// `disks` is what each disk was found to have: volumes on one disk have the same, whatever is written meanwhile.
    fn room(&self, root: &Path, disks: &mut BTreeMap<u64, u64>) -> Result<u64, Error> {
        self.stores.mark(root)?;
        // Where the system does not say, the volume's own answers count.
        let free = free(root).map_or(u64::MAX, |(disk, free)| *disks.entry(disk).or_insert(free));
        if free < LEAST { Err(Kind::Full.into()) } else { Ok(free) }
    }

    /// The volume that has the camera's last footage.
    fn before(&self, source: &Source) -> Option<usize> {
        let last = |root: &Path| LastRecorded::load(&mut FileStorage::new(root), source).ok().flatten();
        let all = self.stores.roots().iter().enumerate();
        all.filter_map(|(number, root)| Some((last(root)?.end, number))).max().map(|(_, number)| number)
    }
}

/// Which disk a folder is on, and how many bytes this user may still write to it.
///
/// # Errors
/// The system does not say.
#[cfg(unix)]
pub fn free(root: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let found = rustix::fs::statvfs(root)?;
    Ok((std::fs::metadata(root)?.dev(), found.f_bavail.saturating_mul(found.f_frsize)))
}

/// This system is not asked for the room of its disks.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn free(_: &Path) -> std::io::Result<(u64, u64)> {
    Err(std::io::ErrorKind::Unsupported.into())
}
