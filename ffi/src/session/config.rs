//! What a session is told.

use std::ffi::c_char;

use vigie::record::Ingest;
use vigie::rtsp::{Credentials, Url};
use vigie::session::{Config, Lower};
use vigie::time::Micros;

use super::Session;
use crate::VigieResult;
use crate::given::{self, Sized};
use crate::maker::{Maker, VigieMode};

/// How media travels.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieTransport {
    /// Over the RTSP connection itself.
    Tcp = 0,
    /// By UDP; where the camera refuses that, over the connection.
    Udp = 1,
}

/// How a session is to work. Set `struct_size` to `sizeof(vigie_session_config)`, everything but `url` and `seed` to 0 for the
/// default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieSessionConfig {
    /// `sizeof(vigie_session_config)`.
    pub struct_size: usize,
    /// `rtsp://user:password@host:port/path`. The connection that the host opens is to this host and port. Copied; user and
    /// password are never told again.
    pub url: *const c_char,
    /// 32 bytes that nobody can guess, others for each session (`getrandom`): nonces come from them. Copied.
    pub seed: *const u8,
    /// The user, where it is not in `url`; NULL otherwise. Copied.
    pub user: *const c_char,
    /// The password likewise.
    pub password: *const c_char,
    /// One of `vigie_mode`.
    pub mode: i32,
    /// One of `vigie_transport`.
    pub transport: i32,
    /// Microseconds to wait for a response; 0: 10 s.
    pub response_timeout: u64,
    /// Microseconds without RTP, after PLAY, that end the session; 0: 10 s.
    pub media_timeout: u64,
    /// The camera's name, for `vigie_error`; NULL: its address. Copied.
    pub camera: *const c_char,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieSessionConfig {}

/// What a config says.
///
/// # Safety
/// The pointers in `config` are NULL or point to what their fields say.
pub(super) unsafe fn made(config: &VigieSessionConfig, now: Micros) -> Result<Session, VigieResult> {
    // SAFETY: the caller's promise.
    let (url, user, password, camera, seed) = unsafe {
        (
            given::needed(config.url)?,
            given::text(config.user)?,
            given::text(config.password)?,
            given::text(config.camera)?,
            given::bytes(config.seed, 32)?,
        )
    };
    let seed: [u8; 32] = seed.try_into().map_err(|_| VigieResult::Argument)?;
    let (url, in_url) = Url::parse(url).map_err(|_| VigieResult::Address)?;
    let credentials = match (user, password) {
        (None, None) => in_url,
        (user, password) => Some(Credentials::new(user.unwrap_or_default(), password.unwrap_or_default())),
    };
    let camera = camera.map_or_else(|| url.to_string(), str::to_owned);
    let transports = match config.transport {
        t if t == VigieTransport::Tcp as i32 => vec![Lower::Tcp],
        t if t == VigieTransport::Udp as i32 => vec![Lower::Udp, Lower::Tcp],
        _ => return Err(VigieResult::Argument),
    };
    let mut told = Config::new(url, seed).credentials(credentials).transports(transports);
    if config.response_timeout > 0 {
        told = told.response_timeout(config.response_timeout);
    }
    if config.media_timeout > 0 {
        told = told.media_timeout(Some(config.media_timeout));
    }
    let maker = match config.mode {
        m if m == VigieMode::Recording as i32 => Some(Maker::timed(false, &told.limits)),
        m if m == VigieMode::Live as i32 => Some(Maker::timed(true, &told.limits)),
        m if m == VigieMode::AccessUnits as i32 => None,
        _ => return Err(VigieResult::Argument),
    };
    Ok(Session::new(Ingest::new(told, now), maker, &camera))
}
