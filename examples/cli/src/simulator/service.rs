//! The RTSP side: one task for each connection, with core's server machine in it.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use vigie::rtsp::Credentials;
use vigie::rtsp::auth::{Algorithm, Scheme};
use vigie::server::{self, Guard};
use vigie_net::Doors;

use super::feed::{Camera, Outage, Sent};
use super::quirks::{Actor, Profile};
use super::viewer::Viewer;

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
    /// What honest cameras are reached through.
    pub(crate) doors: Doors,
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
                            if let Err(error) = service.serve(stream, peer).await {
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

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        if !self.profiles.is_empty() {
            return Actor::new(self, stream, peer.ip()).run().await;
        }
        match self.doors.accept(stream).await.map_err(io::Error::other)? {
            Some(stream) => Viewer::new(self, stream).run().await,
            // The second half of a tunnel.
            None => Ok(()),
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
