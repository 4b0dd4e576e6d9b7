//! What a connection of a server is told.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::limits::Limits;
use crate::rtsp::Credentials;
use crate::rtsp::auth::{Algorithm, Scheme};

/// How to serve one connection. `Debug` shows no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Unpredictable bytes, different for every connection: nonces and the session's identifier come from them.
    pub seed: [u8; 32],
    /// Asks for a user and a password; `None` to leave it to the application, which is given `Authorization` as it is.
    pub guard: Option<Guard>,
    /// The caps.
    pub limits: Limits,
    /// Seconds that a session lives without a request; sent in `Session`.
    pub session_timeout: u32,
    /// `Server`.
    pub server: String,
    /// Media over UDP is offered; without, SETUP of it is answered with 461.
    pub udp: bool,
    /// Media to a group is offered.
    pub multicast: bool,
    /// `Require: onvif-replay` is accepted; without, it is answered with 551.
    pub replay: bool,
}

/// Whom a server lets in, and how it asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guard {
    /// The one user.
    pub credentials: Credentials,
    /// What the password is for.
    pub realm: String,
    /// What is asked for, in order of preference.
    pub schemes: Vec<Scheme>,
    /// Microseconds that a nonce lives.
    pub nonce_lifetime: u64,
    /// Challenges offer `qop`; without, they are RFC 2069's.
    pub qop: bool,
}

impl Guard {
    /// Digest with SHA-256 and with MD5, which most clients still need.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            realm: "Vigie".to_owned(),
            schemes: Vec::from([Scheme::Digest(Algorithm::Sha256), Scheme::Digest(Algorithm::Md5)]),
            nonce_lifetime: 300_000_000,
            qop: true,
        }
    }

    /// Sets what is asked for.
    #[must_use]
    pub fn schemes(mut self, schemes: &[Scheme]) -> Self {
        self.schemes = schemes.to_vec();
        self
    }

    /// Sets whether challenges offer `qop`.
    #[must_use]
    pub const fn qop(mut self, offered: bool) -> Self {
        self.qop = offered;
        self
    }

    /// Sets the microseconds that a nonce lives.
    #[must_use]
    pub const fn nonce_lifetime(mut self, micros: u64) -> Self {
        self.nonce_lifetime = micros;
        self
    }
}

impl Config {
    /// With a seed from the system's source of random numbers; the rest at its defaults, open to everyone.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            guard: None,
            limits: Limits::default(),
            session_timeout: 60,
            server: concat!("Vigie/", env!("CARGO_PKG_VERSION")).to_owned(),
            udp: false,
            multicast: false,
            replay: false,
        }
    }

    /// Sets whom to let in.
    #[must_use]
    pub fn guard(mut self, guard: Option<Guard>) -> Self {
        self.guard = guard;
        self
    }

    /// Sets the caps.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether media over UDP is offered.
    #[must_use]
    pub const fn udp(mut self, offered: bool) -> Self {
        self.udp = offered;
        self
    }

    /// Sets whether media to a group is offered.
    #[must_use]
    pub const fn multicast(mut self, offered: bool) -> Self {
        self.multicast = offered;
        self
    }

    /// Sets whether ONVIF replay is offered.
    #[must_use]
    pub const fn replay(mut self, offered: bool) -> Self {
        self.replay = offered;
        self
    }

    /// Sets the seconds that a session lives without a request.
    #[must_use]
    pub const fn session_timeout(mut self, seconds: u32) -> Self {
        self.session_timeout = seconds;
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("guard", &self.guard)
            .field("session_timeout", &self.session_timeout)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
