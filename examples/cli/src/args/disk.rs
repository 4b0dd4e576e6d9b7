//! Options of the commands about what lies on the disk: `volume`, `fsck`, `rebuild`.

use std::path::PathBuf;

use clap::Args;

use crate::stores::Stores;

/// `vigie volume`.
#[derive(Args, Debug)]
pub struct Volume {
    /// Folder of the store: the mount point of its disk, or a folder on it.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Make it a volume.
    #[arg(long)]
    pub create: bool,
    /// From now on this volume belongs there, instead of the one that this machine has seen there before.
    #[arg(long, conflicts_with = "create")]
    pub adopt: bool,
    /// MiB kept back.
    #[arg(long, value_name = "MIB", default_value_t = 16, requires = "create", value_parser = clap::value_parser!(u32).range(0..=1_024))]
    pub reserve: u32,
}

/// `vigie fsck`.
#[derive(Args, Debug)]
pub struct Fsck {
    /// What is checked.
    #[command(flatten)]
    pub which: Which,
    /// Repair what can be.
    #[arg(long)]
    pub repair: bool,
}

/// `vigie rebuild`.
#[derive(Args, Debug)]
pub struct Rebuild {
    /// What is made anew.
    #[command(flatten)]
    pub which: Which,
}

/// Where a store is.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Folder of the store; given several times where it is on several volumes.
    #[arg(long = "store", value_name = "DIR", required = true)]
    pub roots: Vec<PathBuf>,
}

impl Place {
    /// Its folders.
    #[must_use]
    pub fn stores(&self) -> Stores {
        Stores::new(self.roots.clone())
    }
}

/// Which cameras of a store.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Only this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Only this camera.
    #[arg(long, value_name = "NAME")]
    pub camera: Option<String>,
}
