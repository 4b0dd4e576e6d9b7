//! The functions of `vigie_session`.

use vigie::time::{Micros, UtcMicros};

use super::config::{self, VigieSessionConfig};
use super::event::{VigieEvent, VigieHealth};
use super::{Session, VigieSession};
use crate::VigieResult;
use crate::error::VigieError;
use crate::given::{self, answer};
use crate::guard::Guarded;

/// # Safety
/// `session` is NULL or a live handle.
unsafe fn with(session: *const VigieSession, call: impl FnOnce(&mut Session) -> VigieResult) -> VigieResult {
    // SAFETY: the caller's promise. `VigieSession` is what `Guarded` is.
    unsafe { Guarded::call(session.cast(), call) }
}

/// Makes a session on a connection that the host has opened to the address, at `now` (microseconds of the host's monotonic
/// clock). The first request waits: pull. On success `*session` is a handle that the caller owns and frees with
/// `vigie_session_free`. `VIGIE_ADDRESS`: the URL is none.
///
/// # Safety
/// `config` is NULL or points to a `vigie_session_config`; `session` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_new(
    config: *const VigieSessionConfig,
    now: u64,
    session: *mut *mut VigieSession,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let place = given::place(session)?;
        let mut inner = config::made(given::input(config)?, Micros(now))?;
        inner.drain();
        place.write(Guarded::boxed(inner).cast());
        Ok(VigieResult::Ok)
    })
}

/// Says what the host's monotonic clock and its UTC read at one moment, both in microseconds. Say it at the start and now and
/// then: where the camera says no time of its own, pictures are dated by it.
///
/// # Safety
/// `session` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_clock(session: *mut VigieSession, now: u64, utc: i64) -> VigieResult {
    let told = |s: &mut Session| {
        s.clock(Micros(now), UtcMicros(utc));
        VigieResult::Ok
    };
    // SAFETY: the caller's promise.
    unsafe { with(session, told) }
}

/// Where to read the connection into, so that nothing is copied: `*bytes` and `*len` are written; they are the session's, and
/// good until the next call on it. Then say `vigie_session_received`.
///
/// # Safety
/// `session` is NULL or a live handle; `bytes` and `len` are NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_buffer(
    session: *mut VigieSession,
    bytes: *mut *mut u8,
    len: *mut usize,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (bytes, len) = (given::place(bytes)?, given::place(len)?);
        let lend = |s: &mut Session| {
            let buffer = s.ingest.receive_buffer();
            bytes.write(buffer.as_mut_ptr());
            len.write(buffer.len());
            VigieResult::Ok
        };
        Ok(with(session, lend))
    })
}

/// Says that `len` bytes were read into the buffer of `vigie_session_buffer` at `now`. `VIGIE_ARGUMENT`: that are more than it
/// has. Then pull.
///
/// # Safety
/// `session` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_received(
    session: *mut VigieSession,
    now: u64,
    len: usize,
) -> VigieResult {
    let received = |s: &mut Session| {
        if len > s.ingest.receive_buffer().len() {
            return VigieResult::Argument;
        }
        s.ingest.handle_received(Micros(now), len);
        s.drain()
    };
    // SAFETY: the caller's promise.
    unsafe { with(session, received) }
}

/// The same for bytes that lie elsewhere: they are copied. Then pull.
///
/// # Safety
/// `session` is NULL or a live handle; `bytes` points to `len` bytes, or `len` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_push(
    session: *mut VigieSession,
    now: u64,
    bytes: *const u8,
    len: usize,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let bytes = given::bytes(bytes, len)?;
        Ok(with(session, |s| s.push(Micros(now), bytes)))
    })
}

/// Answers `VIGIE_EVENT_BIND`: the ports of RTP and RTCP that were opened for a media; both 0: none could be.
///
/// # Safety
/// `session` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_bound(
    session: *mut VigieSession,
    now: u64,
    media: u32,
    rtp_port: u16,
    rtcp_port: u16,
) -> VigieResult {
    let bound = |s: &mut Session| {
        match (rtp_port, rtcp_port) {
            (0, 0) => s.ingest.not_bound(Micros(now), media as usize),
            (0, _) | (_, 0) => return VigieResult::Argument,
            _ => s.ingest.bound(Micros(now), media as usize, rtp_port, rtcp_port),
        }
        s.drain()
    };
    // SAFETY: the caller's promise.
    unsafe { with(session, bound) }
}

/// Takes a datagram that came to the socket of a media's RTP (`rtcp` 0) or RTCP (1). Copied. Then pull.
///
/// # Safety
/// `session` is NULL or a live handle; `bytes` points to `len` bytes, or `len` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_datagram(
    session: *mut VigieSession,
    now: u64,
    media: u32,
    rtcp: i32,
    bytes: *const u8,
    len: usize,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let bytes = given::packet(bytes, len)?;
        if !matches!(rtcp, 0 | 1) {
            return Err(VigieResult::Argument);
        }
        let take = |s: &mut Session| {
            s.ingest.handle_datagram(Micros(now), media as usize, rtcp == 1, bytes);
            s.drain()
        };
        Ok(with(session, take))
    })
}

/// Says that the camera closed the connection, or that it broke. Then pull: what is left of the pictures comes, and the end.
///
/// # Safety
/// `session` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_closed(session: *mut VigieSession, now: u64) -> VigieResult {
    let closed = |s: &mut Session| {
        s.ingest.handle_closed(Micros(now));
        s.drain()
    };
    // SAFETY: the caller's promise.
    unsafe { with(session, closed) }
}

/// When to call `vigie_session_timeout`, on the host's monotonic clock. `VIGIE_AGAIN`: nothing is due, `*at` is not written.
/// What the last event lends stays good.
///
/// # Safety
/// `session` is NULL or a live handle; `at` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_next_timeout(
    session: *const VigieSession,
    at: *mut u64,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let place = given::place(at)?;
        let ask = |s: &mut Session| match s.next_timeout() {
            Some(due) => {
                place.write(due.0);
                VigieResult::Ok
            }
            None => VigieResult::Again,
        };
        Ok(with(session, ask))
    })
}

/// Does what is due at `now`. Then pull.
///
/// # Safety
/// `session` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_timeout(session: *mut VigieSession, now: u64) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { with(session, |s| s.timeout(Micros(now))) }
}

/// Ends the session in order: the camera is told. Go on reading and pulling until `VIGIE_EVENT_CLOSE`, two seconds at most.
///
/// # Safety
/// `session` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_stop(session: *mut VigieSession, now: u64) -> VigieResult {
    let stop = |s: &mut Session| {
        s.ingest.teardown(Micros(now));
        s.drain()
    };
    // SAFETY: the caller's promise.
    unsafe { with(session, stop) }
}

/// Gives the next event. `VIGIE_OK`: `*event` is written; what it points to stays the session's, see `vigie_event`.
/// `VIGIE_AGAIN`: nothing more until bytes or time come. `VIGIE_END`: the session is over and all was told.
///
/// # Safety
/// `session` is NULL or a live handle; `event` is NULL or points to a `vigie_event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_pull(
    session: *mut VigieSession,
    event: *mut VigieEvent,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(event)?;
        let give = |s: &mut Session| match s.pull() {
            Some(event) => {
                *out = event;
                VigieResult::Ok
            }
            None if s.ended => VigieResult::End,
            None => VigieResult::Again,
        };
        Ok(with(session, give))
    })
}

/// Copies out how the source does at `now`.
///
/// # Safety
/// `session` is NULL or a live handle; `health` is NULL or points to a `vigie_health`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_health(
    session: *const VigieSession,
    now: u64,
    health: *mut VigieHealth,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(health)?;
        let copy = |s: &mut Session| {
            *out = s.measured(Micros(now));
            VigieResult::Ok
        };
        Ok(with(session, copy))
    })
}

/// Copies the detail of the session's last failure out. `offset` counts bytes of the connection.
///
/// # Safety
/// `session` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_error(
    session: *const VigieSession,
    error: *mut VigieError,
) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { Guarded::<Session>::error(session.cast(), error) }
}

/// Frees a session and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not
/// freed.
///
/// # Safety
/// `session` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_session_free(session: *mut VigieSession) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { Guarded::<Session>::free(session.cast()) }
}
