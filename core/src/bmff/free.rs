//! `free`: room that may be used later, ISO/IEC 14496-12 §8.1.2.

use bytes::BytesMut;

use super::{FourCc, write_box};

/// `free`.
pub const KIND: FourCc = FourCc(*b"free");

/// Appends a `free` box of `len` bytes in all. Below 8 bytes there is no box; nothing is appended then.
pub fn write(out: &mut BytesMut, len: usize) {
    if let Some(body) = len.checked_sub(8) {
        write_box(out, KIND, |out| out.resize(out.len() + body, 0));
    }
}
