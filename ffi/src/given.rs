//! What a C program gives: pointers, structs, strings, lengths; checked before anything is read through them.

use std::ffi::{CStr, c_char};

use crate::VigieResult;

/// Bytes that one call takes at most. A negative number made unsigned, or one that was never set, is above it.
pub(crate) const MOST: usize = 1 << 28;
/// Bytes of a string that one call takes at most, its NUL not counted.
const MOST_TEXT: usize = 4096;

/// A struct of the C side, whose first field is its size.
///
/// # Safety
/// `repr(C)`, the first field is `struct_size: usize`, and any bytes are a value of it.
pub(crate) unsafe trait Sized {}

/// A reference to a struct that the caller filled in.
///
/// # Safety
/// `given` is NULL or points to a `T`, of which at least `struct_size` is there.
pub(crate) unsafe fn input<'a, T: Sized>(given: *const T) -> Result<&'a T, VigieResult> {
    // SAFETY: the caller's promise is that of `checked`.
    unsafe { checked(given)? };
    // SAFETY: not NULL, aligned, and its size says that all of it is there.
    Ok(unsafe { &*given })
}

/// A reference to a struct that is to be written.
///
/// # Safety
/// As [`input`], and it can be written to.
pub(crate) unsafe fn out<'a, T: Sized>(given: *mut T) -> Result<&'a mut T, VigieResult> {
    // SAFETY: the caller's promise is that of `checked`.
    unsafe { checked(given)? };
    // SAFETY: not NULL, aligned, its size says that all of it is there; the caller promises that it can be written to.
    Ok(unsafe { &mut *given })
}

/// # Safety
/// As [`input`].
unsafe fn checked<T: Sized>(given: *const T) -> Result<(), VigieResult> {
    if given.is_null() {
        return Err(VigieResult::NullPointer);
    }
    if !given.is_aligned() {
        return Err(VigieResult::Argument);
    }
    // SAFETY: not NULL and aligned; every version of the struct starts with its size, which the trait promises.
    let size = unsafe { given.cast::<usize>().read() };
    if size == size_of::<T>() { Ok(()) } else { Err(VigieResult::StructSize) }
}

/// A place to write a value to.
///
/// # Safety
/// `given` is NULL or can be written to.
pub(crate) unsafe fn place<'a, T>(given: *mut T) -> Result<&'a mut std::mem::MaybeUninit<T>, VigieResult> {
    if given.is_null() {
        return Err(VigieResult::NullPointer);
    }
    if !given.is_aligned() {
        return Err(VigieResult::Argument);
    }
    // SAFETY: not NULL, aligned; what is there need not be a value yet.
    Ok(unsafe { &mut *given.cast() })
}

/// Bytes of the caller's.
///
/// # Safety
/// `bytes` points to `len` bytes, or `len` is 0.
pub(crate) unsafe fn bytes<'a>(bytes: *const u8, len: usize) -> Result<&'a [u8], VigieResult> {
    // SAFETY: the caller's promise.
    unsafe { array(bytes, len) }
}

/// An array of the caller's, of [`MOST`] bytes at most.
///
/// # Safety
/// `items` is NULL or points to `len` of them.
pub(crate) unsafe fn array<'a, T>(items: *const T, len: usize) -> Result<&'a [T], VigieResult> {
    match len {
        0 => Ok(&[]),
        _ if items.is_null() => Err(VigieResult::NullPointer),
        _ if !items.is_aligned() || len > MOST / size_of::<T>().max(1) => Err(VigieResult::Argument),
        // SAFETY: not NULL, aligned, below isize::MAX bytes; the rest is the caller's promise.
        _ => Ok(unsafe { std::slice::from_raw_parts(items, len) }),
    }
}

/// A packet: neither a datagram nor an interleaved one is longer than 65 535 bytes.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn packet<'a>(given: *const u8, len: usize) -> Result<&'a [u8], VigieResult> {
    if len > usize::from(u16::MAX) {
        return Err(VigieResult::Argument);
    }
    // SAFETY: the caller's promise.
    unsafe { bytes(given, len) }
}

/// A string of the caller's; `None` for NULL.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<Option<&'a str>, VigieResult> {
    if text.is_null() {
        return Ok(None);
    }
    // Not `CStr::from_ptr`: what is not terminated within reason is refused, not searched for ever.
    // SAFETY: the string is the caller's up to its NUL, and no byte behind that is read.
    let end = (0..=MOST_TEXT).find(|at| unsafe { text.add(*at).read() } == 0).ok_or(VigieResult::Argument)?;
    // SAFETY: that many bytes and the NUL were just read.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), end + 1) };
    let text = CStr::from_bytes_with_nul(bytes).map_err(|_| VigieResult::Argument)?;
    text.to_str().map(Some).map_err(|_| VigieResult::Argument)
}

/// A string that must be there.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn needed<'a>(given: *const c_char) -> Result<&'a str, VigieResult> {
    // SAFETY: the caller's promise.
    unsafe { text(given) }?.ok_or(VigieResult::NullPointer)
}

/// Runs what stands outside of a handle, so that no panic of it crosses into C.
pub(crate) fn answer(call: impl FnOnce() -> Result<VigieResult, VigieResult>) -> VigieResult {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    done.unwrap_or(Err(VigieResult::Panic)).unwrap_or_else(|result| result)
}
