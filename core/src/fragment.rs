//! Groups of samples to movie fragments (ISO/IEC 14496-12 §8.8, CMAF chunks of ISO/IEC 23000-19).
//!
//! ```text
//! Group ──push──▶ Fragmenter ──pull──▶ Init, Fragment, Fragment, … Init, Fragment, …
//! ```
//! A fragment is the mark of `docs/format.md` §2.2, a `prft`, a `moof` and a `mdat`, one group of samples in it, every NAL
//! unit untouched. Its samples' bytes are not copied: [`Fragment::body`] refers to them.

mod configuration;
mod error;
mod fragmenter;
mod init;
mod plain;

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

pub use error::{Error, Kind};
pub use fragmenter::{Fragmenter, Piece, Stats};
pub use plain::PlainFragmenter;

use crate::bmff::prft::Prft;
use crate::gix::{Flags, FragmentMark};
use crate::h26x::{ParameterSets, VideoFormat};
use crate::time::Ticks;
use crate::timeline::{PlainFormat, UtcStamp};

/// The only track of our files.
pub const TRACK: u32 = 1;
/// Bytes from the start of one of our fragments to its `moof`: the mark and the `prft`.
pub const MOOF_AT: usize = FragmentMark::LEN + Prft::LEN;

/// `ftyp` and `moov`: what a decoder must have before the first fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitSegment {
    /// The bytes. Sample entry `avc3` or `hev1`, parameter sets in the configuration record as well.
    pub bytes: Bytes,
    /// What the samples are.
    pub format: TrackFormat,
}

/// What the samples of a track are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrackFormat {
    /// Pictures of H.264 or H.265, and the parameter sets that say so.
    Video(VideoFormat, Arc<ParameterSets>),
    /// Sound.
    Plain(PlainFormat),
}

impl InitSegment {
    /// What the pictures are, where they are of H.264 or H.265.
    #[must_use]
    pub const fn video(&self) -> Option<&VideoFormat> {
        match &self.format {
            TrackFormat::Video(format, _) => Some(format),
            TrackFormat::Plain(_) => None,
        }
    }

    /// The parameter sets behind it, where there are any.
    #[must_use]
    pub const fn parameters(&self) -> Option<&Arc<ParameterSets>> {
        match &self.format {
            TrackFormat::Video(_, parameters) => Some(parameters),
            TrackFormat::Plain(_) => None,
        }
    }

    /// RFC 6381 codec string, out-of-band sample entry.
    #[must_use]
    pub fn codec_string(&self) -> Cow<'_, str> {
        match &self.format {
            TrackFormat::Video(format, _) => Cow::Borrowed(&format.codec_string),
            TrackFormat::Plain(PlainFormat::Audio(format)) => Cow::Owned(format.codec_string()),
            TrackFormat::Plain(PlainFormat::Picture(format)) => Cow::Owned(format.codec_string()),
        }
    }

    /// Width and height of the pictures; 0 for sound.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        match &self.format {
            TrackFormat::Video(format, _) => (format.width, format.height),
            TrackFormat::Plain(PlainFormat::Picture(format)) => (format.width, format.height),
            TrackFormat::Plain(PlainFormat::Audio(_)) => (0, 0),
        }
    }
}

/// A `moof` with its `mdat`, and what stands before them (`prft`, `uuid`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fragment {
    /// All up to and including the header of `mdat`.
    pub head: Bytes,
    /// The samples' bytes, in order, referring to the buffer that they were received into.
    pub body: Vec<Bytes>,
    /// The init segment it needs.
    pub init: Arc<InitSegment>,
    /// Decoding time of the first sample.
    pub dts: Ticks,
    /// Earliest presentation time.
    pub pts: Ticks,
    /// Sum of the samples' durations.
    pub duration: u64,
    /// Number of samples.
    pub samples: u32,
    /// Bytes from the start of `head` to the end of the first sample: one range read gives a thumbnail.
    pub first_sample_end: u32,
    /// UTC of the earliest presentation.
    pub utc: UtcStamp,
    /// The timeline's epoch.
    pub epoch: u32,
    /// What is special about it.
    pub flags: FragmentFlags,
}

impl Fragment {
    /// Bytes of the whole.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.body.iter().map(Bytes::len).sum::<usize>()
    }

    /// Never: a fragment has at least its head.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// What is special about a fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FragmentFlags {
    /// Its first sample is a random access point.
    pub random_access: bool,
    /// It continues the GOP of the fragment before it.
    pub continues_gop: bool,
    /// Packets were lost in it or just before it.
    pub loss: bool,
    /// It starts a new epoch: its times do not continue those before.
    pub discontinuity: bool,
    /// A sample in it is known to be incomplete.
    pub incomplete: bool,
}

impl FragmentFlags {
    /// As the fragment's mark has them, `docs/format.md` §2.2.
    #[must_use]
    pub const fn to_mark(self) -> Flags {
        Flags(0)
            .with(Flags::RANDOM_ACCESS, self.random_access)
            .with(Flags::CONTINUES_GOP, self.continues_gop)
            .with(Flags::LOSS, self.loss)
            .with(Flags::DISCONTINUITY, self.discontinuity)
            .with(Flags::INCOMPLETE, self.incomplete)
    }

    /// From a fragment's mark.
    #[must_use]
    pub const fn from_mark(flags: Flags) -> Self {
        Self {
            random_access: flags.has(Flags::RANDOM_ACCESS),
            continues_gop: flags.has(Flags::CONTINUES_GOP),
            loss: flags.has(Flags::LOSS),
            discontinuity: flags.has(Flags::DISCONTINUITY),
            incomplete: flags.has(Flags::INCOMPLETE),
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
