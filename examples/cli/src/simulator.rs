//! RTSP cameras that do not exist: clips that loop for ever, served by core's own [`server`](vigie::server).
//!
//! Each picture carries its number as a barcode, and in an SEI message its loop, number and UTC; the same UTC is in the
//! RTCP sender reports, and in a table that tests look up. So what is on a screen can be joined to what was sent, and
//! when.

mod clip;
mod datagrams;
mod dome;
mod feed;
pub mod quirks;
mod service;
mod table;
mod viewer;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use vigie::rtsp::Credentials;
use vigie::time::UtcMicros;
use vigie_net::{DoorOptions, Doors, ServerTls};

pub use clip::{SEI_UUID, read_stamp};
pub use dome::Velocity;
pub use feed::Outage;
pub use table::Picture;

use clip::Clip;
use dome::Dome;
use feed::Camera;
use quirks::Profile;
use service::Service;

/// What to simulate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many cameras. Their addresses end in `cam1`, `cam2`, …; every fourth plays the same clip, and is H.265.
    pub cameras: usize,
    /// One more, behind them, that can be moved: H.264, 25 pictures a second. Not where there are profiles, or another rate.
    pub dome: bool,
    /// What viewers must know; `None`: nothing.
    pub credentials: Option<Credentials>,
    /// Ask for the password in clear text (Basic) instead of Digest.
    pub basic: bool,
    /// A file for the table, a line of JSON for each picture of any camera.
    pub table: Option<PathBuf>,
    /// What all of its cameras get wrong, in this order. Their clocks start with their first viewer.
    pub profiles: Vec<&'static Profile>,
    /// Pictures in a second.
    pub rate: u32,
    /// Where there are profiles: pictures that a viewer is sent before its connection is closed.
    pub pictures: Option<u64>,
    /// Who the cameras are to viewers that come by TLS; `None`: they cannot. It is for cameras without profiles.
    pub tls: Option<ServerTls>,
    /// Bits a second that a camera sends at least: pictures are filled up to it.
    pub bit_rate: u32,
    /// Bytes that one RTP packet may have.
    pub mtu: usize,
    /// Parameter sets and SEI messages may share a packet (STAP-A, AP). Some viewers do not read that.
    pub aggregate: bool,
}

impl Default for Config {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen,
            cameras: 4,
            dome: false,
            credentials: None,
            basic: false,
            table: None,
            profiles: Vec::new(),
            rate: clip::RATE,
            pictures: None,
            tls: None,
            bit_rate: 0,
            mtu: feed::MTU,
            aggregate: true,
        }
    }
}

impl Config {
    /// This many cameras on a free port of this machine, open to everybody.
    #[must_use]
    pub fn new(cameras: usize) -> Self {
        Self { cameras, ..Self::default() }
    }

    /// Adds one that can be moved.
    #[must_use]
    pub const fn dome(mut self, dome: bool) -> Self {
        self.dome = dome;
        self
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

    /// Sets what the cameras get wrong; what a profile is about (its rate) goes with it.
    #[must_use]
    pub fn profiles(mut self, profiles: &[&'static Profile]) -> Self {
        self.rate = profiles.iter().find_map(|profile| profile.rate).unwrap_or(self.rate);
        self.profiles = profiles.to_vec();
        self
    }

    /// Sets the pictures in a second, 1 to 1000.
    #[must_use]
    pub const fn rate(mut self, rate: u32) -> Self {
        self.rate = rate;
        self
    }

    /// Sets the pictures that a viewer of a camera with profiles is sent.
    #[must_use]
    pub const fn pictures(mut self, pictures: Option<u64>) -> Self {
        self.pictures = pictures;
        self
    }

    /// Sets who the cameras are to viewers that come by TLS.
    #[must_use]
    pub fn tls(mut self, tls: Option<ServerTls>) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the bits a second that a camera sends at least.
    #[must_use]
    pub const fn bit_rate(mut self, bits: u32) -> Self {
        self.bit_rate = bits;
        self
    }

    /// Sets the bytes that one RTP packet may have, and whether small NAL units may share one.
    #[must_use]
    pub const fn packets(mut self, mtu: usize, aggregate: bool) -> Self {
        (self.mtu, self.aggregate) = (mtu, aggregate);
        self
    }

    /// Sets the table's file.
    #[must_use]
    pub fn table(mut self, path: Option<PathBuf>) -> Self {
        self.table = path;
        self
    }
}

/// A NAL unit of its bytes, with emulation prevention (ITU-T H.264 §7.3.1).
fn nal(bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut nal = Vec::new();
    for byte in bytes {
        if byte <= 3 && nal.ends_with(&[0, 0]) {
            nal.push(3);
        }
        nal.push(byte);
    }
    nal
}

/// Simulated cameras at work. Dropping it ends them, their connections and the listening socket.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    cameras: Vec<Arc<Camera>>,
    /// What their addresses begin with.
    scheme: &'static str,
    /// What follows the path in them.
    query: &'static str,
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
        let first = config.profiles.iter().map(|profile| profile.clip).max().unwrap_or(0);
        let honest = config.profiles.is_empty();
        let dome = config.dome && honest && config.rate == clip::RATE;
        for ordinal in 0..config.cameras + usize::from(dome) {
            let moves = ordinal == config.cameras;
            let clip = if moves { Dome::clip() } else { Clip::of(first + ordinal) };
            let clip = clip.ok_or_else(|| io::Error::other("a clip in the program is damaged"))?;
            let name = format!("cam{}", ordinal + 1);
            // Cameras start apart, so that not all key pictures come at once.
            let start = start + std::time::Duration::from_millis(130 * (ordinal as u64 % 16));
            // The same in every run, where everything else is; numbers and timestamps that start from it soon wrap.
            let ssrc = if honest { service::random_u32() } else { 0x5ee0_fffe - ((ordinal as u32) << 16) };
            let start = Some(start).filter(|_| honest);
            let camera = Camera::new(name, clip, file.clone(), ssrc, start, config.rate);
            let camera = camera.packets(config.mtu, config.aggregate).fill(config.bit_rate);
            let camera = if moves { camera.dome() } else { camera };
            let camera = Arc::new(camera);
            tasks.spawn(Arc::clone(&camera).play());
            cameras.push(camera);
        }
        let query = config.profiles.iter().map(|profile| profile.query).find(|query| !query.is_empty());
        let mut doors = DoorOptions::default();
        let scheme = if config.tls.is_some() { "rtsps" } else { "rtsp" };
        doors.tls = config.tls;
        let service = Service {
            cameras: cameras.clone(),
            credentials: config.credentials,
            basic: config.basic,
            profiles: config.profiles,
            pictures: config.pictures,
            viewers: AtomicUsize::new(0),
            doors: Doors::new(doors),
        };
        tasks.spawn(Arc::new(service).listen(listener));
        Ok(Self { address, cameras, scheme, query: query.unwrap_or_default(), _tasks: tasks })
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
        format!("{}://{}/cam{}{}", self.scheme, self.address, camera + 1, self.query)
    }

    /// Kills a camera or its network, or brings it back. Of an ordinal that does not exist: nothing.
    pub fn set_outage(&self, camera: usize, outage: Outage) {
        if let Some(camera) = self.cameras.get(camera) {
            camera.outage.send_replace(outage);
        }
    }

    /// Moves a camera so, for a second: more wants another order. False where there is no camera of that ordinal that can be moved.
    pub fn drive(&self, camera: usize, velocity: Velocity) -> bool {
        self.cameras.get(camera).is_some_and(|camera| camera.drive(velocity))
    }

    /// Can this one be moved?
    #[must_use]
    pub fn can_move(&self, camera: usize) -> bool {
        self.cameras.get(camera).is_some_and(|camera| camera.can_move())
    }

    /// What a camera sent that was taken in `from..to`, in the order it was sent.
    #[must_use]
    pub fn pictures(&self, camera: usize, from: UtcMicros, to: UtcMicros) -> Vec<Picture> {
        self.cameras.get(camera).map(|c| c.table.between(from, to)).unwrap_or_default()
    }

    /// Where its cameras have profiles: what viewers of a camera were sent whole, in that order.
    #[must_use]
    pub fn delivered(&self, camera: usize) -> Vec<Picture> {
        let all = (UtcMicros(i64::MIN), UtcMicros(i64::MAX));
        self.cameras.get(camera).map(|c| c.delivered.between(all.0, all.1)).unwrap_or_default()
    }

    /// A picture as its camera takes it, before anything is made of it: NAL units, each behind its length. `None` of one that can be
    /// moved: it keeps none.
    #[must_use]
    pub fn original(&self, camera: usize, picture: Picture) -> Option<bytes::Bytes> {
        let camera = self.cameras.get(camera)?;
        let clip = &camera.clip;
        let found = clip.pictures.iter().find(|p| p.number == picture.number)?;
        Some(found.stamped(clip.codec, picture.round, picture.utc, camera.least))
    }
}
