//! What is held, by tenant, as of a moment ago: a journal is long, and the timelines of a page ask every few seconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use vigie::store::journal::{Error, Hold, read};
use vigie::store::{Name, Storage};

/// What was read this long ago still counts.
const FRESH: Duration = Duration::from_secs(10);

/// Each tenant's, and when they were read.
type Known = BTreeMap<Name, (Instant, Arc<[Hold]>)>;

/// The holds in force.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    known: Mutex<Known>,
}

impl Holds {
    /// Those of a tenant; reads its journal where that was long ago.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub(super) fn of(&self, storage: &mut dyn Storage, tenant: Name) -> Result<Arc<[Hold]>, Error> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, holds)) = known().get(&tenant)
            && at.elapsed() < FRESH
        {
            return Ok(holds.clone());
        }
        // Not under the lock: the pages of others wait for no journal but their own.
        let holds: Arc<[Hold]> = read(storage, tenant, |_| ())?.state.holds.into_values().collect();
        known().insert(tenant, (Instant::now(), holds.clone()));
        Ok(holds)
    }
}
