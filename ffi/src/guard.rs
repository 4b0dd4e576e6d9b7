//! The door that every call on a handle goes through: NULL, poison, panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::VigieResult;

/// What a handle points to.
pub(crate) struct Guarded<T> {
    poisoned: bool,
    inner: T,
}

impl<T> Guarded<T> {
    pub(crate) fn boxed(inner: T) -> *mut Self {
        Box::into_raw(Box::new(Self { poisoned: false, inner }))
    }

    /// Runs `call` on what `handle` points to.
    ///
    /// # Safety
    /// `handle` is NULL, or came from [`Guarded::boxed`], was not freed, and no other thread uses it now.
    pub(crate) unsafe fn call(handle: *mut Self, call: impl FnOnce(&mut T) -> VigieResult) -> VigieResult {
        // SAFETY: the caller's promise; NULL becomes None.
        let Some(guarded) = (unsafe { handle.as_mut() }) else { return VigieResult::NullPointer };
        if guarded.poisoned {
            return VigieResult::Poisoned;
        }
        let inner = &mut guarded.inner;
        catch_unwind(AssertUnwindSafe(|| call(inner))).unwrap_or_else(|_| {
            guarded.poisoned = true;
            VigieResult::Panic
        })
    }

    /// Frees a handle; NULL is allowed.
    ///
    /// # Safety
    /// As [`Guarded::call`]; the handle is not used afterwards.
    pub(crate) unsafe fn free(handle: *mut Self) {
        if !handle.is_null() {
            // SAFETY: the caller's promise. A panic while dropping must not cross into C.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(handle) })));
        }
    }
}
