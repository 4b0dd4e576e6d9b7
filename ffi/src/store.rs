//! What was recorded: cameras, ranges and gaps, exports, holds, checks. Calls block as long as the storage does, and read the
//! system's clock; no thread is started.

mod calls;
mod check;
mod export;
mod holds;
mod list;

pub use calls::*;
pub use check::{VigieCheck, VigieFinding};
pub use export::{VigieExport, vigie_store_export};
pub use holds::{
    VigieHold, VigieHoldRequest, vigie_store_hold_add, vigie_store_hold_release, vigie_store_holds,
};
pub(crate) use list::cause;
pub use list::{VigieCamera, VigieCause, VigieGap, VigieListing, VigieSpan};

use std::fmt::Display;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use vigie::fault::Fault;
use vigie::play::Failure;
use vigie::store::{self, FileStorage, Source, Storage, Volume, journal};
use vigie::time::UtcMicros;

use crate::VigieResult;
use crate::error::{Place, Told};
use crate::guard::{Guarded, Tells};
use crate::storage::{Callbacks, Host};

/// What cameras are recorded into: a folder, or a host's own storage. One call at a time; as many handles on one of them as you
/// like.
pub struct VigieStore(#[expect(dead_code, reason = "reached through the handle's pointer")] Guarded<Store>);

/// What the handle points to.
pub(crate) struct Store {
    root: Root,
    storage: Box<dyn Storage + Send>,
    lent: list::Lent,
    told: Told,
}

impl Tells for Store {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }
}

impl Store {
    fn open(root: Root) -> Result<Self, VigieResult> {
        let storage = root.read()?;
        Ok(Self { root, storage, lent: list::Lent::default(), told: Told::default() })
    }

    fn fault<E: Fault + Display>(&mut self, result: VigieResult, error: &E, at: u64) -> VigieResult {
        let place = if at > 0 { Place::at(at) } else { Place::default() };
        self.told.fault(result, place, error)
    }

    fn store_error(&mut self, error: &store::Error) -> VigieResult {
        let result = match error.kind {
            store::Kind::NotFound => VigieResult::NotFound,
            store::Kind::Name => VigieResult::Argument,
            _ => VigieResult::Storage,
        };
        self.fault(result, error, error.at.0)
    }

    fn failure(&mut self, failure: &Failure) -> VigieResult {
        match failure {
            Failure::Storage(error) => self.store_error(error),
            Failure::Footage(error) => self.fault(VigieResult::Damaged, error, error.at.0),
            other => self.fault(VigieResult::Storage, other, 0),
        }
    }

    fn journal_error(&mut self, error: &journal::Error) -> VigieResult {
        use journal::Kind as K;
        let result = match error.kind {
            K::NoFootage | K::NoHold | K::Store(store::Kind::NotFound) => VigieResult::NotFound,
            K::Store(store::Kind::Name) => VigieResult::Argument,
            K::Store(_) => VigieResult::Storage,
            _ => VigieResult::Argument,
        };
        self.fault(result, error, error.at.0)
    }

    /// The camera that is meant; from now on errors name it.
    fn source(&mut self, tenant: &str, camera: &str) -> Result<Source, VigieResult> {
        self.told.name(format!("{tenant}/{camera}"));
        Source::new(tenant, camera).map_err(|error| self.store_error(&error))
    }
}

/// # Safety
/// `store` is NULL or a live handle.
unsafe fn with(
    store: *const VigieStore,
    call: impl FnOnce(&mut Store) -> Result<(), VigieResult>,
) -> VigieResult {
    // SAFETY: the caller's promise. `VigieStore` is what `Guarded` is.
    unsafe { Guarded::call(store.cast(), |s| call(s).err().unwrap_or(VigieResult::Ok)) }
}

/// Where a store is.
pub(crate) enum Root {
    Folder(PathBuf),
    Host(Callbacks),
}

impl Root {
    /// A handle on it, without files open: of a folder as the volume that it is, where it is one.
    pub(crate) fn open(&self) -> Result<Box<dyn Storage + Send>, store::Error> {
        let mut files = match self {
            Self::Folder(path) => FileStorage::new(path),
            Self::Host(callbacks) => return Ok(Box::new(Host::new(*callbacks))),
        };
        match Volume::find(&mut files)? {
            Some(mark) => Ok(Box::new(Volume::open(files, Some(mark.id))?)),
            None => Ok(Box::new(files)),
        }
    }

    /// The same, of what has to be there already.
    ///
    /// # Errors
    /// There is no such folder, or it is the mount point of a volume that is not there.
    pub(crate) fn read(&self) -> Result<Box<dyn Storage + Send>, VigieResult> {
        if matches!(self, Self::Folder(path) if !path.is_dir()) {
            return Err(VigieResult::NotFound);
        }
        self.open().map_err(|_| VigieResult::Storage)
    }
}

/// The system's UTC.
pub(crate) fn utc_now() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
