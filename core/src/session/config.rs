//! What a session is told.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

use crate::limits::Limits;
use crate::rtsp::headers::Range;
use crate::rtsp::{Credentials, Url};

/// How to open one camera. `Debug` shows no secret.
///
/// ```
/// use vigie::{rtsp::Url, session::Config};
///
/// let (url, credentials) = Url::parse("rtsp://admin:secret@10.0.0.2/stream1")?;
/// let config = Config::new(url, [0; 32]).credentials(credentials);
/// assert!(!format!("{config:?}").contains("secret"));
/// # Ok::<(), vigie::rtsp::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The address that the connection was opened to.
    pub url: Url,
    /// Answers Basic and Digest challenges.
    pub credentials: Option<Credentials>,
    /// The value of `Authorization`, as it is, for every request from the first on (`Bearer …`); until a challenge is
    /// answered with `credentials`.
    pub authorization: Option<String>,
    /// `User-Agent`; some cameras refuse requests without it (go2rtc issue 235).
    pub user_agent: String,
    /// Unpredictable bytes, different for every session: the client's nonces come from them.
    pub seed: [u8; 32],
    /// The caps.
    pub limits: Limits,
    /// The `Range` of PLAY. Parrot's drones send nothing without one.
    pub range: Option<Range>,
    /// Microseconds to wait for a response.
    pub response_timeout: u64,
    /// Microseconds without RTP, after PLAY, that end the session; `None` to wait for ever.
    pub media_timeout: Option<u64>,
}

impl Config {
    /// For an address, with a seed from the system's source of random numbers; the rest at its defaults.
    #[must_use]
    pub fn new(url: Url, seed: [u8; 32]) -> Self {
        Self {
            url,
            credentials: None,
            authorization: None,
            user_agent: concat!("Vigie/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed,
            limits: Limits::default(),
            range: Some(Range::ALL),
            response_timeout: 10_000_000,
            media_timeout: Some(10_000_000),
        }
    }

    /// Sets the credentials.
    #[must_use]
    pub fn credentials(mut self, credentials: Option<Credentials>) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets the raw `Authorization`.
    #[must_use]
    pub fn authorization(mut self, authorization: Option<String>) -> Self {
        self.authorization = authorization;
        self
    }

    /// Sets the caps.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the `Range` of PLAY.
    #[must_use]
    pub const fn range(mut self, range: Option<Range>) -> Self {
        self.range = range;
        self
    }

    /// Sets the microseconds to wait for a response.
    #[must_use]
    pub const fn response_timeout(mut self, micros: u64) -> Self {
        self.response_timeout = micros;
        self
    }

    /// Sets the microseconds without RTP that end the session.
    #[must_use]
    pub const fn media_timeout(mut self, micros: Option<u64>) -> Self {
        self.media_timeout = micros;
        self
    }

    /// For the address of a redirection. Credentials and `Authorization` stay behind where that is another host, or
    /// clear text after TLS.
    #[must_use]
    pub fn redirected(&self, to: Url, seed: [u8; 32]) -> Self {
        let trusted = self.url.same_host(&to);
        let mut config = Self { url: to, seed, ..self.clone() };
        if !trusted {
            config.credentials = None;
            config.authorization = None;
        }
        config
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url)
            .field("credentials", &self.credentials)
            .field("authorization", &self.authorization.as_ref().map(|_| "(redacted)"))
            .field("user_agent", &self.user_agent)
            .field("range", &self.range)
            .field("response_timeout", &self.response_timeout)
            .field("media_timeout", &self.media_timeout)
            .finish_non_exhaustive()
    }
}
