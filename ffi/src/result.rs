//! What a call answers.

use std::ffi::c_char;

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
    /// An argument out of its range.
    Argument = -3,
    /// A call in the wrong order: push after finish.
    Order = -4,
    /// The bytes are neither H.264 nor H.265 as Annex B writes them, or hold no picture.
    NotVideo = -5,
    /// The stream cannot be carried: the detail says why.
    Stream = -6,
    /// A panic inside the library: its fault. The handle is poisoned; free it.
    Panic = -100,
    /// The handle is poisoned by an earlier panic; free it.
    Poisoned = -101,
}

/// A line of English for a result, for a log. Never NULL; static, not to be freed. Any number may be asked for.
#[unsafe(no_mangle)]
pub extern "C" fn vigie_result_text(result: i32) -> *const c_char {
    let text: &std::ffi::CStr = match result {
        0 => c"done",
        1 => c"nothing to give now; push more, or finish",
        2 => c"everything was given",
        -1 => c"a pointer that must not be NULL is NULL",
        -2 => c"unknown struct_size; set it to sizeof of the struct",
        -3 => c"an argument is out of its range",
        -4 => c"a call in the wrong order",
        -5 => c"neither H.264 nor H.265 as Annex B writes them, or no picture in it",
        -6 => c"the stream cannot be carried",
        -100 => c"a fault of the library; free the handle",
        -101 => c"the handle is poisoned by an earlier fault; free it",
        _ => c"unknown result",
    };
    text.as_ptr()
}

/// The version of the ABI, raised when a function or a struct changes so that old programs would break.
pub const VIGIE_ABI_VERSION: u32 = 0;

/// The ABI version of the library that is loaded; compare it with `VIGIE_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn vigie_abi_version() -> u32 {
    VIGIE_ABI_VERSION
}
