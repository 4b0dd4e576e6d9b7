//! How to connect to a camera.

use std::sync::Arc;
use std::time::Duration;

use vigie::limits::Limits;
use vigie::rtsp::{Credentials, Url};
use vigie::session;

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::dial::{Tunnel, Way};
use crate::entropy;
use crate::tap::Tap;
use crate::tls::Tls;

/// How to connect to a camera. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// User and password.
    pub credentials: Option<Credentials>,
    /// What RTSP travels in.
    pub tunnel: Tunnel,
    /// For `rtsps`: how to know the camera. `None`: by a certificate that the system trusts.
    pub tls: Option<Tls>,
    /// Waits between attempts; `None`: one attempt, and the stream ends with the connection.
    pub backoff: Option<Backoff>,
    /// For name and connection, all addresses of the name together, TLS and the tunnel included.
    pub connect_timeout: Duration,
    /// For the answer to each request.
    pub response_timeout: Duration,
    /// Without a picture, after which the connection is given up.
    pub media_timeout: Duration,
    /// Redirections followed in a row.
    pub redirects: u32,
    /// After a read that found little, while pictures come, the connection is left alone for this long: many cameras cost
    /// fewer, larger reads, and every picture may be this much later. Nought for live viewing; 20 ms suit recording.
    pub read_delay: Duration,
    /// Is shown all that connections see.
    pub tap: Option<Arc<dyn Tap>>,
    /// The caps of core's machines.
    pub limits: Limits,
    /// The clock that times are told on.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            credentials: None,
            tunnel: Tunnel::None,
            tls: None,
            backoff: Some(Backoff::default()),
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(10),
            media_timeout: Duration::from_secs(10),
            redirects: 4,
            read_delay: Duration::ZERO,
            tap: None,
            limits: Limits::default(),
            clock: Clock::start(),
        }
    }
}

impl Options {
    /// The default, with these credentials.
    #[must_use]
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, ..Self::default() }
    }

    /// What a session is told at the address that was given.
    pub(crate) fn session(&self, url: &Url) -> session::Config {
        let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        session::Config::new(url.clone(), entropy::seed())
            .credentials(self.credentials.clone())
            .limits(self.limits)
            .response_timeout(micros(self.response_timeout))
            .media_timeout(Some(micros(self.media_timeout)))
    }

    /// How to dial, with the credentials that may be shown there.
    pub(crate) fn way(&self, credentials: Option<Credentials>) -> Way {
        Way { tunnel: self.tunnel.clone(), tls: self.tls.clone(), credentials }
    }
}
