//! Files for elsewhere: an ordinary MP4 of a time range, or a fragmented one of a whole stream.
//!
//! An ordinary MP4 has its tables in front (`moov` first), so it is made in two passes: [`Export`] is shown the heads of the
//! stored fragments and keeps 32 bytes of each sample, no picture; [`Export::finish`] gives [`File`]s, each of them the
//! bytes to start with and the [`Part`]s of the stored fragments that follow. Whoever writes the file copies them one by one.
//!
//! The file shows every picture whose UTC lies in the range, and no other: pictures before it that decoding needs, and
//! pictures after it that stand between in decoding order, lie outside the edit list.

#[doc = include_str!("../../docs/export.md")]
pub mod folder {}

mod fragmented;
mod movie;
mod plan;
mod sound;
mod subtitle;

use bytes::Bytes;

pub use fragmented::{Fragmented, Patch};
pub use plan::Export;

use alloc::vec::Vec;

use crate::time::UtcMicros;

/// An MP4 file to be written: `head`, then all `parts` in order, then all of `sound`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct File {
    /// `ftyp`, `moov`, the header of `mdat`, and the subtitles in it, if there are any.
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
    /// Which they are, in decoding order.
    pub unseen: Vec<Hidden>,
    /// UTC of the first picture shown.
    pub first: UtcMicros,
    /// UTC of the last picture shown.
    pub last: UtcMicros,
    /// UTC until which the last picture is shown.
    pub end: UtcMicros,
    /// Ticks that are shown.
    pub duration: u64,
    /// Can its first sample be decoded? Not so where what it was made from is not in the recording.
    pub random_access: bool,
    /// Has it a track of subtitles?
    pub subtitles: bool,
}

/// A picture of a file that is there for decoding only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hidden {
    /// The number of its sample, from 1.
    pub sample: u32,
    /// When it was taken.
    pub utc: UtcMicros,
    /// Does it lie before what is shown, not behind?
    pub lead_in: bool,
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
