//! The door that every call on a handle goes through: NULL, use from two threads, poison, panic.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::VigieResult;
use crate::error::{Told, VigieError};

/// What a handle points to.
pub(crate) struct Guarded<T> {
    /// A call is under way.
    busy: AtomicBool,
    poisoned: AtomicBool,
    inner: UnsafeCell<T>,
}

/// What every handle keeps: why its last call failed.
pub(crate) trait Tells {
    /// The detail of the last failure.
    fn told(&mut self) -> &mut Told;

    /// Ends what is under way before the handle is freed, poisoned or not. It stays where this answers anything but `Ok`.
    fn end(&mut self) -> VigieResult {
        VigieResult::Ok
    }
}

/// The call is over, however it ended.
struct Leave<'a>(&'a AtomicBool);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<T: Tells> Guarded<T> {
    pub(crate) fn boxed(inner: T) -> *mut Self {
        let (busy, poisoned) = (AtomicBool::new(false), AtomicBool::new(false));
        Box::into_raw(Box::new(Self { busy, poisoned, inner: UnsafeCell::new(inner) }))
    }

    /// Runs `call` on what `handle` points to, unless another call on it is under way.
    ///
    /// # Safety
    /// `handle` is NULL, or came from [`Guarded::boxed`] and was not freed.
    pub(crate) unsafe fn call(handle: *const Self, call: impl FnOnce(&mut T) -> VigieResult) -> VigieResult {
        // SAFETY: the caller's promise; NULL becomes None. Only a shared reference: another thread may have one, too.
        let Some(guarded) = (unsafe { handle.as_ref() }) else { return VigieResult::NullPointer };
        if guarded.busy.swap(true, Ordering::Acquire) {
            return VigieResult::Busy;
        }
        let _leave = Leave(&guarded.busy);
        if guarded.poisoned.load(Ordering::Relaxed) {
            return VigieResult::Poisoned;
        }
        // SAFETY: `busy` was false and is now ours until `_leave` goes: nobody else has a reference to the inside.
        let inner = unsafe { &mut *guarded.inner.get() };
        catch_unwind(AssertUnwindSafe(|| call(inner))).unwrap_or_else(|_| {
            guarded.poisoned.store(true, Ordering::Relaxed);
            VigieResult::Panic
        })
    }

    /// Copies the detail of the last failure out.
    ///
    /// # Safety
    /// As [`Guarded::call`]; `error` is NULL or points to a `vigie_error`.
    pub(crate) unsafe fn error(handle: *const Self, error: *mut VigieError) -> VigieResult {
        // SAFETY: the caller's promise on `error`.
        let out = match unsafe { crate::given::out(error) } {
            Ok(out) => out,
            Err(result) => return result,
        };
        let copy = |inner: &mut T| {
            *out = inner.told().written();
            VigieResult::Ok
        };
        // SAFETY: the caller's promise on `handle`.
        unsafe { Self::call(handle, copy) }
    }

    /// Frees a handle; NULL is allowed. One that is in use is left as it is: `VIGIE_BUSY`; one that cannot [end](Tells::end) now,
    /// too.
    ///
    /// # Safety
    /// As [`Guarded::call`]; the handle is not used afterwards, if this answers `VIGIE_OK`.
    pub(crate) unsafe fn free(handle: *mut Self) -> VigieResult {
        // SAFETY: the caller's promise; NULL becomes None.
        let Some(guarded) = (unsafe { handle.as_ref() }) else { return VigieResult::Ok };
        if guarded.busy.swap(true, Ordering::Acquire) {
            return VigieResult::Busy;
        }
        let leave = Leave(&guarded.busy);
        // SAFETY: as in `call`: nobody else has a reference to the inside.
        let inner = unsafe { &mut *guarded.inner.get() };
        let ended = catch_unwind(AssertUnwindSafe(|| inner.end())).unwrap_or(VigieResult::Ok);
        if ended != VigieResult::Ok {
            return ended;
        }
        // It stays in use for ever: there will be no flag to lower.
        std::mem::forget(leave);
        // SAFETY: it came from `Box::into_raw`, and nobody else is inside. A panic while dropping must not cross into C.
        let freed = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(handle) })));
        if freed.is_ok() { VigieResult::Ok } else { VigieResult::Panic }
    }
}
