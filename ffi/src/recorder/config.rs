//! What a recorder is told.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use vigie::rtsp::Credentials;
use vigie::session::Lower;
use vigie::store::Source;
use vigie_net::{Address, Options};

use super::event::VigieRecorderEvent;
use crate::VigieResult;
use crate::given::{self, Sized};
use crate::session::VigieTransport;
use crate::storage::Callbacks;
use crate::store::Root;

/// How much a log tells.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieLogLevel {
    /// What keeps pictures from being recorded.
    Error = 1,
    /// What may.
    Warn = 2,
    /// What happens.
    Info = 3,
    /// Every attempt to connect.
    Debug = 4,
    /// All there is.
    Trace = 5,
}

/// What to record, and into what. Set `struct_size` to `sizeof(vigie_recorder_config)`, what is not needed to 0 or NULL. All
/// strings are copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieRecorderConfig {
    /// `sizeof(vigie_recorder_config)`.
    pub struct_size: usize,
    /// `rtsp://user:password@host:port/path`, or with one of the schemes `rtsps`, `http`, `https`, `ws`, `wss`.
    pub url: *const c_char,
    /// The user, where it is not in `url`; NULL otherwise.
    pub user: *const c_char,
    /// The password likewise.
    pub password: *const c_char,
    /// The store's folder; it is made where it is missing. NULL for `vigie_recorder_start_on`.
    pub store: *const c_char,
    /// Whose camera: 1 to 64 of a-z, 0-9, - and _.
    pub tenant: *const c_char,
    /// Which: likewise.
    pub camera: *const c_char,
    /// Microseconds of footage that a power cut may cost; 0: 2 s.
    pub rpo: u64,
    /// One of `vigie_transport`.
    pub transport: i32,
    /// The most that is logged: one of `vigie_log_level`; 0: warnings.
    pub log_level: i32,
    /// Called for each event, or NULL. On a thread of the recorder's, one call at a time; it must return soon, and not throw.
    pub on_event: Option<unsafe extern "C" fn(context: *mut c_void, event: *const VigieRecorderEvent)>,
    /// Called for each line of the log, or NULL: likewise. `text` is NUL-terminated, good until it returns, holds no password.
    pub on_log: Option<unsafe extern "C" fn(context: *mut c_void, level: i32, text: *const c_char)>,
    /// Handed to both as it is.
    pub context: *mut c_void,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only; NULL is `None` for the callbacks.
unsafe impl Sized for VigieRecorderConfig {}

/// The host's callbacks.
#[derive(Clone, Copy)]
pub(super) struct Host {
    pub(super) on_event: Option<unsafe extern "C" fn(*mut c_void, *const VigieRecorderEvent)>,
    pub(super) on_log: Option<unsafe extern "C" fn(*mut c_void, i32, *const c_char)>,
    pub(super) level: i32,
    context: *mut c_void,
}

// SAFETY: the host promises (README, "Threads") that its callbacks may be called on the recorder's thread with `context`,
// which the library never looks into.
unsafe impl Send for Host {}
// SAFETY: as above; calls come one at a time.
unsafe impl Sync for Host {}

impl Host {
    pub(super) fn event(&self, event: &VigieRecorderEvent) {
        if let Some(call) = self.on_event {
            // SAFETY: the host's promise; the event lives until it returns.
            unsafe { call(self.context, event) };
        }
    }

    pub(super) fn log(&self, level: i32, text: &std::ffi::CStr) {
        if let Some(call) = self.on_log.filter(|_| level <= self.level) {
            // SAFETY: the host's promise; the text lives until it returns.
            unsafe { call(self.context, level, text.as_ptr()) };
        }
    }
}

/// A config, read.
pub(super) struct Job {
    pub(super) address: Address,
    pub(super) options: Options,
    pub(super) root: Root,
    pub(super) source: Source,
    pub(super) rpo: u64,
    pub(super) host: Host,
}

/// The connection is read so often: nobody sees the pictures before they are on the disk, a GOP at a time.
const READ: Duration = Duration::from_millis(50);

/// What a config says; `on` is the host's own storage, where it is not to be a folder.
///
/// # Safety
/// The pointers in `config` are NULL or point to what their fields say.
pub(super) unsafe fn read(config: &VigieRecorderConfig, on: Option<Callbacks>) -> Result<Job, VigieResult> {
    // SAFETY: the caller's promise.
    let (url, user, password, store, tenant, camera) = unsafe {
        (
            given::needed(config.url)?,
            given::text(config.user)?,
            given::text(config.password)?,
            given::text(config.store)?,
            given::needed(config.tenant)?,
            given::needed(config.camera)?,
        )
    };
    let root = match (on, store) {
        (None, store) => Root::Folder(store.ok_or(VigieResult::NullPointer)?.into()),
        (Some(callbacks), None) => Root::Host(callbacks),
        (Some(_), Some(_)) => return Err(VigieResult::Argument),
    };
    let address = Address::parse(url).map_err(|_| VigieResult::Address)?;
    let source = Source::new(tenant, camera).map_err(|_| VigieResult::Argument)?;
    let credentials = match (user, password) {
        (None, None) => address.credentials.clone(),
        (user, password) => Some(Credentials::new(user.unwrap_or_default(), password.unwrap_or_default())),
    };
    let mut options = Options::new(credentials);
    options.tunnel = address.tunnel.clone();
    options.read_delay = READ;
    options.transports = match config.transport {
        t if t == VigieTransport::Tcp as i32 => vec![Lower::Tcp],
        t if t == VigieTransport::Udp as i32 => vec![Lower::Udp, Lower::Tcp],
        _ => return Err(VigieResult::Argument),
    };
    let level = match config.log_level {
        0 => VigieLogLevel::Warn as i32,
        level @ 1..=5 => level,
        _ => return Err(VigieResult::Argument),
    };
    let rpo = if config.rpo == 0 { vigie::store::Options::default().rpo } else { config.rpo };
    let VigieRecorderConfig { on_event, on_log, context, .. } = *config;
    let host = Host { on_event, on_log, level, context };
    Ok(Job { address, options, root, source, rpo, host })
}
