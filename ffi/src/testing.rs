//! For tests of the contract only, behind the feature `testing`, which no release has: faults that are planted.

use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crate::VigieResult;
use crate::guard::{Guarded, Tells};

macro_rules! faults {
    ($($inner:ty: $panic:ident, $hold:ident;)*) => {
        $(
            /// Panics inside the handle.
            ///
            /// # Safety
            /// `handle` is NULL or a live handle of its kind.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $panic(handle: *mut c_void) -> VigieResult {
                // SAFETY: the caller's promise.
                unsafe { inside::<$inner>(handle, || std::panic::panic_any("planted")) }
            }

            /// Is inside the handle, so that another thread meets it in use: writes 1 to `state`, and leaves when there is a 2.
            ///
            /// # Safety
            /// `handle` is NULL or a live handle of its kind; `state` is an `atomic_int` that outlives the call.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $hold(handle: *mut c_void, state: *const AtomicI32) -> VigieResult {
                // SAFETY: the caller's promises.
                unsafe { inside::<$inner>(handle, || hold(&*state)) }
            }
        )*
    };
}

/// # Safety
/// `handle` is NULL or a live handle to a `T`.
unsafe fn inside<T: Tells>(handle: *mut c_void, fault: impl FnOnce()) -> VigieResult {
    let call = |_: &mut T| {
        fault();
        VigieResult::Ok
    };
    // SAFETY: the caller's promise.
    unsafe { Guarded::call(handle.cast_const().cast(), call) }
}

fn hold(state: &AtomicI32) {
    state.store(1, Ordering::Release);
    while state.load(Ordering::Acquire) != 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

faults! {
    crate::remuxer::Remuxer: vigie_testing_panic_remuxer, vigie_testing_hold_remuxer;
    crate::session::Session: vigie_testing_panic_session, vigie_testing_hold_session;
    crate::store::Store: vigie_testing_panic_store, vigie_testing_hold_store;
    crate::reader::Reader: vigie_testing_panic_reader, vigie_testing_hold_reader;
    crate::recorder::Recorder: vigie_testing_panic_recorder, vigie_testing_hold_recorder;
}
