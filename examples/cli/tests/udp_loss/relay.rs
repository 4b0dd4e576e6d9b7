//! A relay of RTSP over UDP that does to the media what bad networks do. It reads no more of RTSP than ports, and no
//! more of RTP than number and timestamp.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Packets in a thousand that are dropped, and that come twice.
const DROPPED: u64 = 50;
const TWICE: u64 = 10;
/// The longest that a packet is held up; each for a time of its own.
const JITTER: u64 = 30_000;

/// A picture that went through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picture {
    pub(crate) timestamp: u32,
    /// Packets of it that were dropped.
    pub(crate) dropped: u64,
}

/// What the relay did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Did {
    /// In the order that they were sent in.
    pub(crate) pictures: Vec<Picture>,
    pub(crate) packets: u64,
    /// Packets that were delivered twice.
    pub(crate) twice: u64,
    /// The number of the last packet.
    last: Option<u16>,
}

/// The relay: dropped, it ends.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    did: Arc<Mutex<Did>>,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// For one viewer of a camera. The first picture, and those behind the first `rough`, pass unharmed.
    pub(crate) async fn start(camera: SocketAddr, seed: u64, rough: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let did = Arc::new(Mutex::new(Did::default()));
        let network = Network { did: Arc::clone(&did), random: seed | 1, rough, waiting: BinaryHeap::new() };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let (viewer, _) = listener.accept().await.unwrap();
            let camera = TcpStream::connect(camera).await.unwrap();
            control(viewer, camera, network).await;
        });
        Self { address, did, _tasks: tasks }
    }

    pub(crate) fn did(&self) -> Did {
        self.did.lock().unwrap().clone()
    }
}

/// A pair of sockets, for RTP and RTCP.
struct Pair(UdpSocket, UdpSocket);

impl Pair {
    async fn open() -> Self {
        loop {
            let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let port = rtp.local_addr().unwrap().port();
            if port % 2 == 0
                && let Ok(rtcp) = UdpSocket::bind(("127.0.0.1", port + 1)).await
            {
                return Self(rtp, rtcp);
            }
        }
    }

    fn ports(&self) -> String {
        format!("{}-{}", self.0.local_addr().unwrap().port(), self.1.local_addr().unwrap().port())
    }
}

/// Carries RTSP to and fro, and puts the relay's ports in the place of the ends'.
async fn control(mut viewer: TcpStream, mut camera: TcpStream, network: Network) {
    let (to_viewer, to_camera) = (Pair::open().await, Pair::open().await);
    let ours = (to_viewer.ports(), to_camera.ports());
    let mut viewers = String::new();
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    let mut network = Some((network, to_viewer, to_camera));
    let mut media = JoinSet::new();
    loop {
        tokio::select! {
            read = viewer.read_buf(&mut asked) => if !read.is_ok_and(|n| n > 0) { return },
            read = camera.read_buf(&mut answered) => if !read.is_ok_and(|n| n > 0) { return },
        }
        while let Some(mut message) = message(&mut asked) {
            if let Some(ports) = replace(&mut message, "client_port=", &ours.1) {
                viewers = ports;
            }
            camera.write_all(message.as_bytes()).await.unwrap();
        }
        while let Some(mut message) = message(&mut answered) {
            if let Some(ports) = replace(&mut message, "server_port=", &ours.0) {
                replace(&mut message, "client_port=", &viewers).expect("the ports that were asked for");
                let (network, to_viewer, to_camera) = network.take().expect("one media");
                let (viewer, camera) = (rtp(&viewers), rtp(&ports));
                media.spawn(reports(to_viewer.1, next(viewer), to_camera.1, next(camera)));
                media.spawn(network.carry(to_camera.0, to_viewer.0, viewer));
            }
            viewer.write_all(message.as_bytes()).await.unwrap();
        }
    }
}

/// The first of two ports, at this machine.
fn rtp(ports: &str) -> SocketAddr {
    let (first, _) = ports.split_once('-').expect("two ports");
    SocketAddr::from(([127, 0, 0, 1], first.parse().unwrap()))
}

fn next(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port() + 1)
}

/// Takes a whole message off the front.
fn message(bytes: &mut Vec<u8>) -> Option<String> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let whole = head + length.map_or(0, |length| length.parse::<usize>().unwrap());
    (bytes.len() >= whole).then(|| String::from_utf8(bytes.drain(..whole).collect()).unwrap())
}

/// Puts something else behind a name, and gives what stood there.
fn replace(message: &mut String, name: &str, with: &str) -> Option<String> {
    let start = message.find(name)? + name.len();
    let end = start + message[start..].find([';', ',', '\r'])?;
    let was = message[start..end].to_owned();
    message.replace_range(start..end, with);
    Some(was)
}

/// Carries RTCP both ways, unharmed.
async fn reports(to_viewer: UdpSocket, viewer: SocketAddr, to_camera: UdpSocket, camera: SocketAddr) {
    let (mut one, mut other) = ([0; 2_048], [0; 2_048]);
    loop {
        tokio::select! {
            Ok(n) = to_camera.recv(&mut one) => drop(to_viewer.send_to(&one[..n], viewer).await),
            Ok(n) = to_viewer.recv(&mut other) => drop(to_camera.send_to(&other[..n], camera).await),
        }
    }
}

/// A packet on its way: when it is due, its place among the packets, its bytes.
type Waiting = Reverse<(Instant, u64, Vec<u8>)>;

/// The bad network.
struct Network {
    did: Arc<Mutex<Did>>,
    random: u64,
    rough: usize,
    waiting: BinaryHeap<Waiting>,
}

impl Network {
    async fn carry(mut self, from: UdpSocket, to: UdpSocket, viewer: SocketAddr) {
        let mut packet = [0; 2_048];
        loop {
            let due = self.waiting.peek().map(|Reverse((due, ..))| *due);
            let wait = async { if let Some(due) = due { sleep_until(due).await } else { pending().await } };
            tokio::select! {
                n = from.recv(&mut packet) => self.take(&packet[..n.unwrap()]),
                () = wait => {
                    let Some(Reverse((.., packet))) = self.waiting.pop() else { continue };
                    to.send_to(&packet, viewer).await.unwrap();
                }
            }
        }
    }

    /// Decides what becomes of a packet.
    fn take(&mut self, packet: &[u8]) {
        let did = Arc::clone(&self.did);
        let mut did = did.lock().unwrap();
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        let timestamp = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        assert!(
            did.last.replace(number).is_none_or(|last| number == last.wrapping_add(1)),
            "the relay lost one"
        );
        if did.pictures.last().is_none_or(|picture| picture.timestamp != timestamp) {
            did.pictures.push(Picture { timestamp, dropped: 0 });
        }
        let rough = (2..=self.rough).contains(&did.pictures.len());
        did.packets += 1;
        let place = did.packets;
        if rough && self.one_in_thousand(DROPPED) {
            did.pictures.last_mut().unwrap().dropped += 1;
            return;
        }
        self.deliver(rough, place, packet);
        if rough && self.one_in_thousand(TWICE) {
            did.twice += 1;
            self.deliver(rough, place, packet);
        }
    }

    fn deliver(&mut self, rough: bool, place: u64, packet: &[u8]) {
        let held = if rough { self.random() % JITTER } else { 0 };
        let due = Instant::now() + Duration::from_micros(held);
        self.waiting.push(Reverse((due, place, packet.to_vec())));
    }

    fn one_in_thousand(&mut self, share: u64) -> bool {
        self.random() % 1_000 < share
    }

    /// xorshift64*.
    fn random(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
}
