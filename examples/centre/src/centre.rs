//! What the whole program shares: the cameras by tenant, the doors' keys, the counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;
use vigie_cli::stores::Places;

use crate::camera::Camera;
use crate::clock;
use crate::config;
use crate::demo::Demo;
use crate::issuer::{Issuer, Pass};
use crate::token::{Token, bearer};
use crate::web::{Folders, Holds, Origins, Recordings};

/// One running centre.
#[derive(Debug)]
pub(crate) struct Centre {
    /// The secret of this start.
    pub(crate) token: Token,
    /// The tokens that it gave out.
    pub(crate) issuer: Issuer,
    /// The names it answers to.
    pub(crate) origins: Origins,
    /// The page's files.
    pub(crate) folders: Folders,
    /// Where it records.
    pub(crate) places: Places,
    /// Whose cameras.
    pub(crate) tenants: Vec<Tenant>,
    /// What was learnt of the recordings while they were served.
    pub(crate) recordings: Recordings,
    /// What is held.
    pub(crate) holds: Holds,
    /// What is counted besides the cameras.
    pub(crate) counters: Counters,
    /// Places for connections that have not shown the token yet.
    pub(crate) strangers: Arc<Semaphore>,
    /// The simulated cameras, in the demo.
    pub(crate) demo: Option<Demo>,
}

/// A commune and its cameras.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// Its name in paths and addresses.
    pub(crate) id: String,
    /// Its name on the page.
    pub(crate) name: String,
    /// Its cameras.
    pub(crate) cameras: Vec<Arc<Camera>>,
}

/// Connections without a token at one time.
pub(crate) fn strangers() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(64))
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    refused: AtomicU64,
}

impl Counters {
    /// A request was refused: foreign name, foreign page, no token.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub(crate) fn refusals(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Tenant {
    /// The configured tenants, their cameras numbered in the order of the file from 1.
    pub(crate) fn all(tenants: &[config::Tenant]) -> Vec<Self> {
        let mut number = 0;
        let mut camera = |tenant: &str, source: &config::Source| {
            number += 1;
            Arc::new(Camera::new(tenant, &source.id, &source.name, number))
        };
        let tenant = |tenant: &config::Tenant| Self {
            id: tenant.id.clone(),
            name: tenant.name.clone(),
            cameras: tenant.cameras.iter().map(|source| camera(&tenant.id, source)).collect(),
        };
        tenants.iter().map(tenant).collect()
    }
}

impl Centre {
    /// What whoever sends this `Authorization` may do; `None` where it holds no token that is good now.
    pub(crate) fn pass(&self, authorization: &str) -> Option<Pass> {
        if self.token.admits(authorization) {
            return Some(Pass::Own);
        }
        self.issuer.pass(bearer(authorization)?, clock::now())
    }

    /// All cameras.
    pub(crate) fn cameras(&self) -> impl Iterator<Item = &Arc<Camera>> {
        self.tenants.iter().flat_map(|tenant| &tenant.cameras)
    }

    /// The camera of that name.
    pub(crate) fn camera(&self, tenant: &str, camera: &str) -> Option<&Arc<Camera>> {
        self.cameras().find(|known| known.tenant == tenant && known.id == camera)
    }
}
