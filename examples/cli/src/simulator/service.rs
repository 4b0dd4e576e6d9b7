//! The RTSP side: one task for each connection, with core's server machine in it.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use vigie::rtsp::auth::{Algorithm, Scheme};
use vigie::rtsp::{Credentials, Status};
use vigie::server::{self, Connection, Event, Guard, Output};
use vigie_net::Clock;

use super::feed::{Camera, Outage, Sent};
use super::quirks::{Actor, Profile};

/// Between two sender reports to one viewer.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// A viewer that takes nothing for this long is cut off.
pub(super) const STUCK: Duration = Duration::from_secs(10);

/// The cameras behind one listening socket.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) cameras: Vec<Arc<Camera>>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) basic: bool,
    /// What its cameras get wrong; none: they are honest.
    pub(crate) profiles: Vec<&'static Profile>,
    /// Pictures that a viewer is sent before the connection is closed, where the cameras are not honest.
    pub(crate) pictures: Option<u64>,
    /// Connections at present, likewise.
    pub(crate) viewers: AtomicUsize,
}

/// A random number out of the hash keys that the standard library draws from the system.
pub(crate) fn random_u32() -> u32 {
    RandomState::new().hash_one(0_u8) as u32
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    for (word, ordinal) in seed.chunks_exact_mut(8).zip(0_u64..) {
        word.copy_from_slice(&RandomState::new().hash_one(ordinal).to_ne_bytes());
    }
    seed
}

impl Service {
    /// Accepts connections until it is dropped, and all of them with it.
    pub(crate) async fn listen(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let service = Arc::clone(&self);
                        connections.spawn(async move {
                            let _ = stream.set_nodelay(true);
                            let served = match service.profiles.is_empty() {
                                true => Viewer::new(service, stream).run().await,
                                false => Actor::new(service, stream, peer.ip()).run().await,
                            };
                            if let Err(error) = served {
                                tracing::debug!(%peer, %error, "viewer gone");
                            }
                        });
                    }
                    // Out of file descriptors: others must close first.
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// How a connection is served.
    pub(super) fn server(&self) -> server::Config {
        let scheme = if self.basic { Scheme::Basic } else { Scheme::Digest(Algorithm::Md5) };
        let guard = self.credentials.clone().map(|c| Guard::new(c).schemes(&[scheme]));
        server::Config::new(seed()).guard(guard)
    }

    /// The camera that the path of a request names: `/cam1`, `/cam1/video`.
    pub(super) fn camera(&self, path: &str) -> Option<&Arc<Camera>> {
        let name = path.trim_start_matches('/').split('/').next()?;
        self.cameras.iter().find(|c| c.name == name)
    }
}

/// One connection.
struct Viewer {
    service: Arc<Service>,
    stream: TcpStream,
    connection: Connection,
    clock: Clock,
    /// The camera that the requests name, once one did.
    camera: Option<Arc<Camera>>,
    /// What happens to it.
    outage: Option<watch::Receiver<Outage>>,
    /// Its pictures, once PLAY was accepted.
    sent: Option<broadcast::Receiver<Sent>>,
    /// A key picture went out: what comes can be decoded.
    begun: bool,
    next_report: Instant,
}

impl Viewer {
    fn new(service: Arc<Service>, stream: TcpStream) -> Self {
        let clock = Clock::start();
        Self {
            connection: Connection::new(service.server(), clock.now()),
            service,
            stream,
            clock,
            camera: None,
            outage: None,
            sent: None,
            begun: false,
            next_report: Instant::now(),
        }
    }

    /// Serves until either side has had enough.
    async fn run(mut self) -> io::Result<()> {
        while self.drain().await? {
            let outage = self.outage.as_ref().map_or(Outage::None, |o| *o.borrow());
            match outage {
                Outage::None => self.wait().await?,
                Outage::Off => return Ok(()),
                Outage::Cut => {
                    self.cut().await;
                    self.begun = false;
                }
            }
        }
        Ok(())
    }

    /// Sends what is to be sent and answers what was asked; false at the end.
    async fn drain(&mut self) -> io::Result<bool> {
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send(bytes) => {
                    let write = timeout(STUCK, self.stream.write_all(&bytes));
                    write.await.map_err(|_| io::ErrorKind::TimedOut)??;
                }
                Output::Event(event) => {
                    self.answer(event);
                    // A camera that is off, or behind a cut wire, answers nothing.
                    if self.outage.as_ref().is_some_and(|o| *o.borrow() != Outage::None) {
                        return Ok(true);
                    }
                }
                Output::Close => return Ok(false),
                _ => {}
            }
        }
        Ok(true)
    }

    /// Waits for the next thing to happen and takes it in.
    async fn wait(&mut self) -> io::Result<()> {
        let due = self.connection.poll_timeout().map(|at| self.clock.instant(at));
        let buffer = self.connection.receive_buffer();
        let readable = !buffer.is_empty();
        tokio::select! {
            n = self.stream.read(buffer), if readable => match n? {
                0 => self.connection.handle_closed(self.clock.now()),
                n => self.connection.handle_received(self.clock.now(), n),
            },
            picture = next(&mut self.sent) => self.picture(picture),
            () = sleep_until(self.next_report), if self.sent.is_some() => self.report(),
            () = at(due) => self.connection.handle_timeout(self.clock.now()),
            () = changed(&mut self.outage) => {}
        }
        Ok(())
    }

    /// The wire is cut: nothing is read, nothing is written, until it is mended or the camera is switched off.
    async fn cut(&mut self) {
        while self.outage.as_ref().is_some_and(|o| *o.borrow() == Outage::Cut) {
            changed(&mut self.outage).await;
        }
    }

    fn answer(&mut self, event: Event) {
        let answered = match event {
            Event::Describe { request, url, .. } => match self.find(url.path()) {
                Some(camera) => self.connection.describe(request, camera.description().to_string()),
                None => self.connection.refuse(request, Status::NOT_FOUND),
            },
            Event::Play { request, url, .. } => match self.find(url.path()) {
                Some(camera) => {
                    self.sent = Some(camera.watch());
                    self.begun = false;
                    self.next_report = Instant::now();
                    self.connection.accept_play(request, None, &[])
                }
                None => self.connection.refuse(request, Status::NOT_FOUND),
            },
            Event::Pause | Event::Teardown => {
                self.sent = None;
                Ok(())
            }
            Event::Failed(error) => {
                tracing::debug!(%error, "viewer");
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "answer");
        }
    }

    /// The camera of this path, from now on this connection's.
    fn find(&mut self, path: &str) -> Option<Arc<Camera>> {
        let camera = Arc::clone(self.service.camera(path)?);
        self.outage = Some(camera.outage.subscribe());
        self.camera = Some(Arc::clone(&camera));
        Some(camera)
    }

    fn picture(&mut self, picture: Result<Sent, broadcast::error::RecvError>) {
        match picture {
            Ok(picture) if self.begun || picture.key => {
                self.begun = true;
                if self.connection.send(picture.packets).is_err() {
                    // Too slow for this picture: go on at the next that can be decoded.
                    self.begun = false;
                }
            }
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => self.begun = false,
            Err(broadcast::error::RecvError::Closed) => self.connection.close(),
        }
    }

    fn report(&mut self) {
        self.next_report = Instant::now() + REPORT_EVERY;
        let Some(camera) = &self.camera else { return };
        let report = camera.sender_report();
        let mut framed = Vec::with_capacity(4 + report.len());
        framed.extend([b'$', 1, 0, report.len() as u8]);
        framed.extend(report);
        // Refused only where the queue is full; the next one will do.
        let _ = self.connection.send(framed.into());
    }
}

pub(super) async fn next(
    sent: &mut Option<broadcast::Receiver<Sent>>,
) -> Result<Sent, broadcast::error::RecvError> {
    match sent {
        Some(sent) => sent.recv().await,
        None => std::future::pending().await,
    }
}

pub(super) async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

pub(super) async fn changed(outage: &mut Option<watch::Receiver<Outage>>) {
    match outage {
        // The camera is never dropped before its viewers.
        Some(outage) => drop(outage.changed().await),
        None => std::future::pending().await,
    }
}
