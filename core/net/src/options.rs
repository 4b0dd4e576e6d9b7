//! How to connect to a camera.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use vigie::limits::Limits;
use vigie::rtsp::headers::Range;
use vigie::rtsp::{Credentials, Url};
use vigie::session::{self, Lower, Replay, Wanted};

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::dial::{Tunnel, Way};
use crate::entropy;
use crate::governed::Governor;
use crate::tap::Tap;
use crate::tls::Tls;

/// How to connect to a camera. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// User and password.
    pub credentials: Option<Credentials>,
    /// What RTSP travels in; with a tunnel media comes over it, whatever `transports` says.
    pub tunnel: Tunnel,
    /// For `rtsps`: how to know the camera. `None`: by a certificate that the system trusts.
    pub tls: Option<Tls>,
    /// How media may travel, in order of preference. What the camera refuses or what turns out to be silent is not asked
    /// for again. TLS does not protect what travels by UDP.
    pub transports: Vec<Lower>,
    /// Where UDP ports are taken from; `None`: where the system has some.
    pub udp_ports: Option<RangeInclusive<u16>>,
    /// The interface, by its address, on which multicast groups are joined; `None`: the one that the camera was reached
    /// on.
    pub multicast_interface: Option<Ipv4Addr>,
    /// Which media is asked for: video alone, unless said otherwise.
    pub wanted: Wanted,
    /// The video's index in the presentation; `None`: the first that can be read.
    pub media: Option<usize>,
    /// Asks for recorded footage as ONVIF has it.
    pub replay: Option<Replay>,
    /// From where to where to play.
    pub range: Option<Range>,
    /// How fast to play.
    pub scale: Option<f32>,
    /// Further fields of every request.
    pub headers: Vec<(String, String)>,
    /// Waits between attempts; `None`: one attempt, and the stream ends with the connection. A transport that is passed
    /// over is no attempt.
    pub backoff: Option<Backoff>,
    /// Decides when the camera is dialled, together with others; its plan's waits take the place of `backoff`, which says
    /// only whether there is a second attempt. `None`: whenever the camera likes.
    pub governor: Option<Governor>,
    /// For the governor: sessions that the device serves at one time, where it is known.
    pub sessions: Option<u32>,
    /// For the governor: higher is dialled first.
    pub priority: u8,
    /// For name and connection, all addresses of the name together, TLS and the tunnel included.
    pub connect_timeout: Duration,
    /// For the answer to each request.
    pub response_timeout: Duration,
    /// Without a picture, after which the connection is given up.
    pub media_timeout: Duration,
    /// Redirections followed in a row.
    pub redirects: u32,
    /// While pictures come by TCP, the connection is read once in this time, all cameras of the process at the same moments,
    /// and what comes in between wakes nobody: recording costs a fraction of what it costs to read each packet as it comes,
    /// and every picture may be this much later, as the camera's end of the connection is noticed. Nought, the default, for
    /// live viewing; 50 to 200 ms suit recording. Milliseconds; what is less is one.
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
            transports: vec![Lower::Tcp],
            udp_ports: None,
            multicast_interface: None,
            media: None,
            replay: None,
            range: Some(Range::ALL),
            scale: None,
            headers: Vec::new(),
            backoff: Some(Backoff::default()),
            governor: None,
            sessions: None,
            priority: 0,
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(10),
            media_timeout: Duration::from_secs(10),
            redirects: 4,
            read_delay: Duration::ZERO,
            tap: None,
            wanted: Wanted::default(),
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

    /// What a session is told at the address that was given. `passed`: that many transports have been in vain.
    pub(crate) fn session(&self, url: &Url, passed: usize) -> session::Config {
        let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        session::Config::new(url.clone(), entropy::seed())
            .credentials(self.credentials.clone())
            .limits(self.limits)
            .transports(self.transports(passed))
            .wanted(self.wanted)
            .media(self.media)
            .replay(self.replay)
            .range(self.range)
            .scale(self.scale)
            .headers(self.headers.clone())
            .response_timeout(micros(self.response_timeout))
            .media_timeout(Some(micros(self.media_timeout)))
    }

    /// Those that are left to try, in order.
    pub(crate) fn transports(&self, passed: usize) -> Vec<Lower> {
        match self.tunnel {
            Tunnel::None => self.transports.get(passed..).unwrap_or_default().to_vec(),
            _ => vec![Lower::Tcp],
        }
    }

    /// How to dial, with the credentials that may be shown there.
    pub(crate) fn way(&self, credentials: Option<Credentials>) -> Way {
        Way { tunnel: self.tunnel.clone(), tls: self.tls.clone(), credentials }
    }
}
