//! What a session is told.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Lower, Replay, Wanted};
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
    /// The `Scale` of PLAY.
    pub scale: Option<f32>,
    /// Further fields of every request.
    pub headers: Vec<(String, String)>,
    /// Lower transports in order of preference.
    pub transports: Vec<Lower>,
    /// Which media.
    pub wanted: Wanted,
    /// The video's index in the presentation; `None` for the first that can be read.
    pub media: Option<usize>,
    /// Asks for recorded footage as ONVIF has it.
    pub replay: Option<Replay>,
    /// Answers to challenges that may be refused in a row before the session ends, over all requests: below the number
    /// at which a camera locks the account (Hikvision: 5).
    pub tries: u8,
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
            scale: None,
            headers: Vec::new(),
            transports: Vec::from([Lower::Tcp]),
            wanted: Wanted::default(),
            media: None,
            replay: None,
            tries: 3,
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

    /// Sets the `Scale` of PLAY.
    #[must_use]
    pub const fn scale(mut self, scale: Option<f32>) -> Self {
        self.scale = scale;
        self
    }

    /// Sets the further fields of every request.
    #[must_use]
    pub fn headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the lower transports, in order of preference.
    #[must_use]
    pub fn transports(mut self, transports: Vec<Lower>) -> Self {
        self.transports = transports;
        self
    }

    /// Sets which media.
    #[must_use]
    pub const fn wanted(mut self, wanted: Wanted) -> Self {
        self.wanted = wanted;
        self
    }

    /// Sets the video's index.
    #[must_use]
    pub const fn media(mut self, media: Option<usize>) -> Self {
        self.media = media;
        self
    }

    /// Sets how recorded footage is asked for.
    #[must_use]
    pub const fn replay(mut self, replay: Option<Replay>) -> Self {
        self.replay = replay;
        self
    }

    /// Sets the answers to challenges that may be refused in a row.
    #[must_use]
    pub const fn tries(mut self, tries: u8) -> Self {
        self.tries = tries;
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
            .field("transports", &self.transports)
            .field("wanted", &self.wanted)
            .field("replay", &self.replay)
            .field("tries", &self.tries)
            .field("response_timeout", &self.response_timeout)
            .field("media_timeout", &self.media_timeout)
            .finish_non_exhaustive()
    }
}
