//! The functions of `vigie_store` itself; those on holds and exports stand with their structs.

use std::ffi::c_char;

use super::check::VigieCheck;
use super::list::{VigieCamera, VigieListing, window};
use super::{Root, Store, VigieStore, with};
use crate::VigieResult;
use crate::error::VigieError;
use crate::given::{self, answer};
use crate::guard::Guarded;
use crate::storage::{Callbacks, VigieStorage};

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
        let inner = Store::open(Root::Folder(given::needed(path)?.into()))?;
        place.write(Guarded::boxed(inner).cast());
        Ok(VigieResult::Ok)
    })
}

/// Opens the store on a host's own storage: likewise. The struct is copied, and no callback called yet. `VIGIE_NULL_POINTER`: a
/// callback is missing.
///
/// # Safety
/// `storage` is NULL or points to a `vigie_storage`; its callbacks may be called with its `context` until the store is freed.
/// `store` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_open_on(
    storage: *const VigieStorage,
    store: *mut *mut VigieStore,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let place = given::place(store)?;
        let inner = Store::open(Root::Host(Callbacks::read(storage)?))?;
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
