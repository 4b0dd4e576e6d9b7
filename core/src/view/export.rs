//! Files for elsewhere: an ordinary MP4 of a time range, or a fragmented one of a whole stream.
//!
//! An ordinary MP4 has its tables in front (`moov` first), so it is made in two passes: [`Export`] is shown the heads of the
//! stored fragments and keeps 24 bytes of each sample, no picture; [`Export::finish`] gives [`File`]s, each of them the
//! bytes to start with and the [`Part`]s of the stored fragments that follow. Whoever writes the file copies them one by one.
//!
//! The file shows every picture whose UTC lies in the range, and no other: pictures before it that decoding needs, and
//! pictures after it that stand between in decoding order, lie outside the edit list.

mod fragmented;
mod movie;
mod plan;
mod sound;

use bytes::Bytes;

pub use fragmented::{Fragmented, Patch};
pub use plan::Export;

use alloc::vec::Vec;

use crate::time::UtcMicros;

/// An MP4 file to be written: `head`, then all `parts` in order, then all of `sound`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct File {
    /// `ftyp`, `moov` and the header of `mdat`.
    pub head: Bytes,
    /// What stands in `mdat`.
    pub parts: Vec<Part>,
    /// What stands behind it there: of the fragments of sound. Empty where there is no track of sound.
    pub sound: Vec<Part>,
    /// Bytes of the file.
    pub len: u64,
    /// Pictures shown.
    pub pictures: u32,
    /// Pictures that are there for decoding only, before and after.
    pub hidden: u32,
    /// UTC of the first picture shown.
    pub first: UtcMicros,
    /// UTC of the last picture shown.
    pub last: UtcMicros,
    /// Ticks that are shown.
    pub duration: u64,
}

/// Bytes of a stored fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The fragment: the number that it was given to [`Export::fragment`] with.
    pub fragment: u64,
    /// From the fragment's first byte.
    pub offset: u64,
    /// How many.
    pub len: u64,
}
