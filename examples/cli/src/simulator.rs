//! RTSP cameras that do not exist: clips that loop for ever, served by core's own [`server`](vigie::server).
//!
//! Each picture carries its number as a barcode, and in an SEI message its loop, number and UTC; the same UTC is in the
//! RTCP sender reports, and in a table that tests look up. So what is on a screen can be joined to what was sent, and
//! when.

mod clip;
mod feed;
mod service;
mod table;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use vigie::rtsp::Credentials;
use vigie::time::UtcMicros;

pub use clip::{SEI_UUID, read_stamp};
pub use feed::Outage;
pub use table::Picture;

use clip::Clip;
use feed::Camera;
use service::Service;

/// What to simulate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many cameras. Their addresses end in `cam1`, `cam2`, …; every fourth plays the same clip, and is H.265.
    pub cameras: usize,
    /// What viewers must know; `None`: nothing.
    pub credentials: Option<Credentials>,
    /// Ask for the password in clear text (Basic) instead of Digest.
    pub basic: bool,
    /// A file for the table, a line of JSON for each picture of any camera.
    pub table: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen, cameras: 4, credentials: None, basic: false, table: None }
    }
}

impl Config {
    /// This many cameras on a free port of this machine, open to everybody.
    #[must_use]
    pub fn new(cameras: usize) -> Self {
        Self { cameras, ..Self::default() }
    }

    /// Sets where to listen.
    #[must_use]
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets what viewers must know, and whether they are asked for it in clear text.
    #[must_use]
    pub fn credentials(mut self, credentials: Option<Credentials>, basic: bool) -> Self {
        (self.credentials, self.basic) = (credentials, basic);
        self
    }

    /// Sets the table's file.
    #[must_use]
    pub fn table(mut self, path: Option<PathBuf>) -> Self {
        self.table = path;
        self
    }
}

/// Simulated cameras at work. Dropping it ends them, their connections and the listening socket.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    cameras: Vec<Arc<Camera>>,
    /// The listener and one task for each camera.
    _tasks: JoinSet<()>,
}

impl Simulator {
    /// Listens and starts the cameras. Call it within a tokio runtime.
    ///
    /// # Errors
    /// Where the address cannot be listened at or the table cannot be written.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let file = config.table.map(File::create).transpose()?.map(|f| Arc::new(table::TableFile::new(f)));
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        let mut cameras = Vec::with_capacity(config.cameras);
        for ordinal in 0..config.cameras {
            let clip =
                Clip::of(ordinal).ok_or_else(|| io::Error::other("a clip in the program is damaged"))?;
            let name = format!("cam{}", ordinal + 1);
            // Cameras start apart, so that not all key pictures come at once.
            let start = start + std::time::Duration::from_millis(130 * (ordinal as u64 % 16));
            let camera = Arc::new(Camera::new(name, clip, file.clone(), service::random_u32(), start));
            tasks.spawn(Arc::clone(&camera).play());
            cameras.push(camera);
        }
        let service =
            Service { cameras: cameras.clone(), credentials: config.credentials, basic: config.basic };
        tasks.spawn(Arc::new(service).listen(listener));
        Ok(Self { address, cameras, _tasks: tasks })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many cameras there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cameras.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cameras.is_empty()
    }

    /// The address of a camera, counted from 0.
    #[must_use]
    pub fn url(&self, camera: usize) -> String {
        format!("rtsp://{}/cam{}", self.address, camera + 1)
    }

    /// Kills a camera or its network, or brings it back. Of an ordinal that does not exist: nothing.
    pub fn set_outage(&self, camera: usize, outage: Outage) {
        if let Some(camera) = self.cameras.get(camera) {
            camera.outage.send_replace(outage);
        }
    }

    /// What a camera sent that was taken in `from..to`, in the order it was sent.
    #[must_use]
    pub fn pictures(&self, camera: usize, from: UtcMicros, to: UtcMicros) -> Vec<Picture> {
        self.cameras.get(camera).map(|c| c.table.between(from, to)).unwrap_or_default()
    }
}
