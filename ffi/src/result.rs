//! What a call answers.

use std::ffi::{CStr, c_char};

/// What a call answers. Numbers are never reused; a later version may answer with numbers that are not listed here.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieResult {
    /// Done; outputs are written.
    Ok = 0,
    /// Nothing to give now: push more, or finish. No fault.
    Again = 1,
    /// Everything was given. No fault.
    End = 2,
    /// A pointer that must not be NULL is NULL.
    NullPointer = -1,
    /// A `struct_size` that no version of this library knows; set it to `sizeof` of the struct.
    StructSize = -2,
    /// An argument out of its range, a length above 256 MiB, or a string that is not UTF-8.
    Argument = -3,
    /// A call in the wrong order: push after finish; stop from within a callback.
    Order = -4,
    /// The bytes are neither H.264 nor H.265, or hold no picture.
    NotVideo = -5,
    /// The stream cannot be carried: the detail says why.
    Stream = -6,
    /// Another call on this handle is under way, in another thread: nothing was done.
    Busy = -7,
    /// The address is none that can be used.
    Address = -8,
    /// The storage cannot do what was asked: the detail says why.
    Storage = -9,
    /// There is no such thing: no such camera, hold or footage.
    NotFound = -10,
    /// What was recorded is damaged: the detail says where.
    Damaged = -11,
    /// The connection or the session with the camera failed: the detail says why.
    Session = -12,
    /// A thread could not be started.
    Thread = -13,
    /// A panic inside the library: its fault. The handle is poisoned; free it.
    Panic = -100,
    /// The handle is poisoned by an earlier panic; free it.
    Poisoned = -101,
}

/// A line of English for a result, for a log. Never NULL; static, not to be freed. Any number may be asked for.
#[unsafe(no_mangle)]
pub extern "C" fn vigie_result_text(result: i32) -> *const c_char {
    let text: &CStr = match result {
        0 => c"done",
        1 => c"nothing to give now; push more, or finish",
        2 => c"everything was given",
        -1 => c"a pointer that must not be NULL is NULL",
        -2 => c"unknown struct_size; set it to sizeof of the struct",
        -3 => c"an argument is out of its range",
        -4 => c"a call in the wrong order",
        -5 => c"neither H.264 nor H.265, or no picture in it",
        -6 => c"the stream cannot be carried",
        -7 => c"another thread is using the handle",
        -8 => c"not an address of a camera",
        -9 => c"the storage failed",
        -10 => c"there is no such thing",
        -11 => c"what was recorded is damaged",
        -12 => c"the session with the camera failed",
        -13 => c"a thread could not be started",
        -100 => c"a fault of the library; free the handle",
        -101 => c"the handle is poisoned by an earlier fault; free it",
        _ => c"unknown result",
    };
    text.as_ptr()
}

/// The version of the ABI, raised when a function or a struct changes so that old programs would break.
pub const VIGIE_ABI_VERSION: u32 = 1;

/// The ABI version of the library that is loaded; compare it with `VIGIE_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn vigie_abi_version() -> u32 {
    VIGIE_ABI_VERSION
}
