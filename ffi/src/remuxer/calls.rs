//! The functions of `vigie_remuxer`.

use std::mem::MaybeUninit;

use vigie::time::{Micros, UtcMicros};

use super::{Remuxer, VigieAccessUnit, VigieRemuxer, VigieRemuxerConfig, VigieRemuxerCounters, made};
use crate::VigieResult;
use crate::error::VigieError;
use crate::given::{self, answer};
use crate::guard::Guarded;
use crate::piece::VigiePiece;

/// # Safety
/// `remuxer` is NULL or a live handle.
unsafe fn with(remuxer: *const VigieRemuxer, call: impl FnOnce(&mut Remuxer) -> VigieResult) -> VigieResult {
    // SAFETY: the caller's promise. `VigieRemuxer` is what `Guarded` is.
    unsafe { Guarded::call(remuxer.cast(), call) }
}

/// Makes a remuxer. `config` may be NULL for the defaults. On success `*remuxer` is a handle that the caller owns and
/// frees with `vigie_remuxer_free`. `VIGIE_NOT_VIDEO`: the SDP has no H.264 or H.265, or is none.
///
/// # Safety
/// `config` is NULL or points to a `vigie_remuxer_config`; `remuxer` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_new(
    config: *const VigieRemuxerConfig,
    remuxer: *mut *mut VigieRemuxer,
) -> VigieResult {
    answer(|| {
        // SAFETY: zeros are a value of it: numbers and NULL.
        let mut default: VigieRemuxerConfig = unsafe { MaybeUninit::zeroed().assume_init() };
        default.struct_size = size_of::<VigieRemuxerConfig>();
        let config = if config.is_null() { &raw const default } else { config };
        // SAFETY: the caller's promises; `default` outlives the call.
        unsafe {
            let place = given::place(remuxer)?;
            let config = given::input(config)?;
            let inner = made(config, given::bytes(config.sdp, config.sdp_len)?, given::text(config.camera)?)?;
            place.write(Guarded::boxed(inner).cast());
        }
        Ok(VigieResult::Ok)
    })
}

/// Takes `len` bytes of an Annex B stream, cut anywhere; they are copied, and the caller's again when this returns. What
/// they make ready is kept until pulled: pull after each push. Ends the borrow of the last piece.
///
/// # Safety
/// `remuxer` is NULL or a live handle; `bytes` points to `len` bytes, or `len` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_push(
    remuxer: *mut VigieRemuxer,
    bytes: *const u8,
    len: usize,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let bytes = given::bytes(bytes, len)?;
        Ok(with(remuxer, |r| r.push(bytes)))
    })
}

/// Takes one RTP packet of the media, whole, as it was received at `received` (microseconds of the host's monotonic clock).
/// Copied. `VIGIE_STREAM`: it is none; go on with the next. Ends the borrow of the last piece.
///
/// # Safety
/// As `vigie_remuxer_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_push_rtp(
    remuxer: *mut VigieRemuxer,
    bytes: *const u8,
    len: usize,
    received: u64,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let bytes = given::packet(bytes, len)?;
        Ok(with(remuxer, |r| r.push_rtp(bytes, Micros(received))))
    })
}

/// Takes one compound RTCP packet of the media, received at `received`: its sender reports say which UTC an RTP timestamp is.
/// `VIGIE_STREAM`: it is none; go on.
///
/// # Safety
/// As `vigie_remuxer_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_push_rtcp(
    remuxer: *mut VigieRemuxer,
    bytes: *const u8,
    len: usize,
    received: u64,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let bytes = given::packet(bytes, len)?;
        Ok(with(remuxer, |r| r.push_rtcp(bytes, Micros(received))))
    })
}

/// Takes an access unit. Copied. `VIGIE_NOT_VIDEO`: there are no NAL units in it. Ends the borrow of the last piece.
///
/// # Safety
/// `remuxer` is NULL or a live handle; `unit` is NULL or points to a `vigie_access_unit` whose `bytes` are `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_push_access_unit(
    remuxer: *mut VigieRemuxer,
    unit: *const VigieAccessUnit,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let unit = given::input(unit)?;
        if !matches!(unit.length_prefixed, 0 | 1) || unit.reserved != 0 {
            return Err(VigieResult::Argument);
        }
        let bytes = given::bytes(unit.bytes, unit.len)?;
        Ok(with(remuxer, |r| r.push_access_unit(unit, bytes)))
    })
}

/// Says what the host's monotonic clock and its UTC read at one moment, both in microseconds. Say it before the first packet
/// and now and then: where the camera says no time of its own, pictures are dated by it.
///
/// # Safety
/// `remuxer` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_clock(remuxer: *mut VigieRemuxer, now: u64, utc: i64) -> VigieResult {
    let told = |r: &mut Remuxer| {
        r.maker.clocks(Micros(now), UtcMicros(utc));
        VigieResult::Ok
    };
    // SAFETY: the caller's promise.
    unsafe { with(remuxer, told) }
}

/// Datagrams only: when to call `vigie_remuxer_timeout`, on the host's monotonic clock. `VIGIE_AGAIN`: nothing waits, `*at` is
/// not written.
///
/// # Safety
/// `remuxer` is NULL or a live handle; `at` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_next_timeout(remuxer: *mut VigieRemuxer, at: *mut u64) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let place = given::place(at)?;
        let ask = |r: &mut Remuxer| match r.next_timeout() {
            Some(due) => {
                place.write(due.0);
                VigieResult::Ok
            }
            None => VigieResult::Again,
        };
        Ok(with(remuxer, ask))
    })
}

/// Datagrams only: a packet that has waited for one before it for long enough goes on. Then pull.
///
/// # Safety
/// `remuxer` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_timeout(remuxer: *mut VigieRemuxer, now: u64) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { with(remuxer, |r| r.timeout(Micros(now))) }
}

/// Says that the stream ends. Pull what is left, until `VIGIE_END`.
///
/// # Safety
/// `remuxer` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_finish(remuxer: *mut VigieRemuxer) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { with(remuxer, Remuxer::finish) }
}

/// Gives the next piece. `VIGIE_OK`: `*piece` is written; what it points to stays the remuxer's, and good until the next
/// push, finish, timeout, pull or free of this handle. `VIGIE_AGAIN`: push more. `VIGIE_END`: that was all.
///
/// # Safety
/// `remuxer` is NULL or a live handle; `piece` is NULL or points to a `vigie_piece`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_pull(
    remuxer: *mut VigieRemuxer,
    piece: *mut VigiePiece,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(piece)?;
        let give = |r: &mut Remuxer| match r.pull() {
            Some(piece) => {
                *out = piece;
                VigieResult::Ok
            }
            None if r.finished => VigieResult::End,
            None => VigieResult::Again,
        };
        Ok(with(remuxer, give))
    })
}

/// Copies counters out.
///
/// # Safety
/// `remuxer` is NULL or a live handle; `stats` is NULL or points to a `vigie_remuxer_counters`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_stats(
    remuxer: *const VigieRemuxer,
    stats: *mut VigieRemuxerCounters,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(stats)?;
        let copy = |r: &mut Remuxer| {
            *out = r.stats();
            VigieResult::Ok
        };
        Ok(with(remuxer, copy))
    })
}

/// Copies the detail of the handle's last failure out. `offset` counts bytes of Annex B, RTP packets or access units taken
/// before; of a packet that cannot be read, bytes of the packet.
///
/// # Safety
/// `remuxer` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_error(
    remuxer: *const VigieRemuxer,
    error: *mut VigieError,
) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { Guarded::<Remuxer>::error(remuxer.cast(), error) }
}

/// Frees a remuxer and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not
/// freed.
///
/// # Safety
/// `remuxer` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_free(remuxer: *mut VigieRemuxer) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { Guarded::<Remuxer>::free(remuxer.cast()) }
}
