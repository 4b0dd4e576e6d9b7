//! One camera: where it stands, and who watches it.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) mod status;
mod watch;

pub(crate) use status::{State, Status};
pub(crate) use watch::{Watch, governor};

use crate::fan::Fan;

/// One camera, shared by the task that reads it and everybody who asks about it.
#[derive(Debug)]
pub(crate) struct Camera {
    /// Whose it is.
    pub(crate) tenant: String,
    /// Its name in paths and addresses.
    pub(crate) id: String,
    /// Its name on the page.
    pub(crate) name: String,
    /// Its number on the page, from 1.
    pub(crate) number: u32,
    /// Its viewers.
    pub(crate) fan: Fan,
    status: Mutex<Status>,
}

impl Camera {
    /// A camera that nothing has been heard of yet.
    pub(crate) fn new(tenant: &str, id: &str, name: &str, number: u32) -> Self {
        Self {
            tenant: tenant.into(),
            id: id.into(),
            name: name.into(),
            number,
            fan: Fan::default(),
            status: Mutex::new(Status::new(crate::clock::utc())),
        }
    }

    /// Where it stands.
    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
