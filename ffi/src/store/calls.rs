//! The functions of `vigie_store`.

use std::ffi::c_char;

use super::check::VigieCheck;
use super::export::{self, VigieExport};
use super::holds::{self, VigieHold, VigieHoldRequest};
use super::list::{VigieCamera, VigieListing, window};
use super::{Store, VigieStore};
use crate::VigieResult;
use crate::error::VigieError;
use crate::given::{self, answer};
use crate::guard::Guarded;

/// # Safety
/// `store` is NULL or a live handle.
unsafe fn with(
    store: *const VigieStore,
    call: impl FnOnce(&mut Store) -> Result<(), VigieResult>,
) -> VigieResult {
    // SAFETY: the caller's promise. `VigieStore` is what `Guarded` is.
    unsafe { Guarded::call(store.cast(), |s| call(s).err().unwrap_or(VigieResult::Ok)) }
}

/// Opens the store in a folder, to be read, exported from, held and checked. On success `*store` is a handle that the caller
/// owns and frees with `vigie_store_free`. `VIGIE_NOT_FOUND`: there is no such folder. `VIGIE_STORAGE`: it is a volume whose
/// disk is not there.
///
/// # Safety
/// `path` is NULL or a NUL-terminated string; `store` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_open(path: *const c_char, store: *mut *mut VigieStore) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let place = given::place(store)?;
        let inner = Store::open(given::needed(path)?)?;
        place.write(Guarded::boxed(inner).cast());
        Ok(VigieResult::Ok)
    })
}

/// The cameras that something was recorded of: `*cameras` and `*count` are written. They stay the store's, and are good until
/// the next call on it.
///
/// # Safety
/// `store` is NULL or a live handle; `cameras` and `count` are NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_cameras(
    store: *mut VigieStore,
    cameras: *mut *const VigieCamera,
    count: *mut usize,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (cameras, count) = (given::place(cameras)?, given::place(count)?);
        let list = |s: &mut Store| {
            let all = s.cameras()?;
            cameras.write(all.as_ptr());
            count.write(all.len());
            Ok(())
        };
        Ok(with(store, list))
    })
}

/// What a camera has from `from` to `to` (microseconds of UTC since 1970): the spans recorded, the gaps and their causes. A
/// camera that is not there has an empty listing.
///
/// # Safety
/// `store` is NULL or a live handle; `tenant` and `camera` are NULL or NUL-terminated strings; `listing` is NULL or points to a
/// `vigie_listing`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_list(
    store: *mut VigieStore,
    tenant: *const c_char,
    camera: *const c_char,
    from: i64,
    to: i64,
    listing: *mut VigieListing,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(listing)?;
        let (tenant, camera, window) = (given::needed(tenant)?, given::needed(camera)?, window(from, to)?);
        let list = |s: &mut Store| {
            let source = s.source(tenant, camera)?;
            *out = s.list(&source, window)?;
            Ok(())
        };
        Ok(with(store, list))
    })
}

/// Writes a span as ordinary MP4 files, the same that `vigie export` writes, and a line into the tenant's journal first.
/// `VIGIE_NOT_FOUND`: nothing was recorded then.
///
/// # Safety
/// `store` is NULL or a live handle; `export_request` is NULL or points to a `vigie_export` whose strings are NULL or
/// NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_export(
    store: *mut VigieStore,
    export_request: *mut VigieExport,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(export_request)?;
        let (tenant, camera) = (given::needed(out.tenant)?, given::needed(out.camera)?);
        let request = export::Request {
            window: window(out.from, out.to)?,
            path: given::needed(out.path)?,
            case: given::text(out.case_name)?,
            who: given::text(out.who)?,
            why: given::text(out.why)?,
        };
        let export = |s: &mut Store| {
            let source = s.source(tenant, camera)?;
            let written = s.export(source, &request)?;
            (out.files, out.bytes, out.pictures) = (written.files, written.bytes, written.pictures);
            (out.first, out.last, out.damaged) = (written.first, written.last, written.damaged);
            Ok(())
        };
        Ok(with(store, export))
    })
}

/// Adds a hold, by a line of the tenant's journal: `*number` is written. From then on nothing of it is deleted.
/// `VIGIE_NOT_FOUND`: a camera has nothing of the span, and it does not reach into the future. `VIGIE_STORAGE`: nothing is held.
///
/// # Safety
/// `store` is NULL or a live handle; `request` is NULL or points to a `vigie_hold_request` whose strings are NUL-terminated and
/// whose `cameras` are `camera_count`; `number` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_hold_add(
    store: *mut VigieStore,
    request: *const VigieHoldRequest,
    number: *mut u64,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (request, number) = (given::input(request)?, given::place(number)?);
        if request.camera_count == 0 || request.camera_count > 1_000 {
            return Err(VigieResult::Argument);
        }
        if request.cameras.is_null() {
            return Err(VigieResult::NullPointer);
        }
        let cameras = std::slice::from_raw_parts(request.cameras, request.camera_count);
        let wanted = holds::Request {
            tenant: given::needed(request.tenant)?,
            cameras: cameras.iter().map(|camera| given::needed(*camera)).collect::<Result<_, _>>()?,
            span: window(request.span.from, request.span.to)?,
            case: given::needed(request.case_name)?,
            who: given::needed(request.who)?,
            why: given::needed(request.why)?,
        };
        let add = |s: &mut Store| {
            number.write(s.hold_add(&wanted)?);
            Ok(())
        };
        Ok(with(store, add))
    })
}

/// The tenant's holds in force, by number: `*held` and `*count` are written. They stay the store's, and are good until the next
/// call on it.
///
/// # Safety
/// `store` is NULL or a live handle; `tenant` is NULL or a NUL-terminated string; `held` and `count` are NULL or can be written
/// to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_holds(
    store: *mut VigieStore,
    tenant: *const c_char,
    held: *mut *const VigieHold,
    count: *mut usize,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (held, count, tenant) = (given::place(held)?, given::place(count)?, given::needed(tenant)?);
        let list = |s: &mut Store| {
            let all = s.holds(tenant)?;
            held.write(all.as_ptr());
            count.write(all.len());
            Ok(())
        };
        Ok(with(store, list))
    })
}

/// Releases a hold, or asks for it where it takes two people: `*released` is 1 where it is over. `VIGIE_NOT_FOUND`: there is no
/// such hold.
///
/// # Safety
/// `store` is NULL or a live handle; `tenant`, `who` and `why` are NULL or NUL-terminated strings; `released` is NULL or can be
/// written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_hold_release(
    store: *mut VigieStore,
    tenant: *const c_char,
    number: u64,
    who: *const c_char,
    why: *const c_char,
    released: *mut i32,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (place, tenant) = (given::place(released)?, given::needed(tenant)?);
        let who = (given::needed(who)?, given::needed(why)?);
        let release = |s: &mut Store| {
            place.write(s.hold_release(tenant, number, who)?.into());
            Ok(())
        };
        Ok(with(store, release))
    })
}

/// Reads all of a camera's recording, and says what is not whole. Changes nothing. `VIGIE_OK` also where there is damage.
/// `VIGIE_NOT_FOUND`: there is no such camera.
///
/// # Safety
/// `store` is NULL or a live handle; `tenant` and `camera` are NULL or NUL-terminated strings; `check` is NULL or points to a
/// `vigie_check`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_check(
    store: *mut VigieStore,
    tenant: *const c_char,
    camera: *const c_char,
    check: *mut VigieCheck,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (out, tenant, camera) = (given::out(check)?, given::needed(tenant)?, given::needed(camera)?);
        let look = |s: &mut Store| {
            let source = s.source(tenant, camera)?;
            *out = s.check(&source)?;
            Ok(())
        };
        Ok(with(store, look))
    })
}

/// Copies the detail of the store's last failure out. `offset` counts bytes of the file concerned.
///
/// # Safety
/// `store` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_error(store: *const VigieStore, error: *mut VigieError) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { Guarded::<Store>::error(store.cast(), error) }
}

/// Frees a store and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not freed.
///
/// # Safety
/// `store` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_free(store: *mut VigieStore) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { Guarded::<Store>::free(store.cast()) }
}
