//! Groups of samples to movie fragments (ISO/IEC 14496-12 §8.8, CMAF chunks of ISO/IEC 23000-19).

use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::h26x::{ParameterSets, VideoFormat};
use crate::time::Ticks;
use crate::timeline::UtcStamp;

/// `ftyp` and `moov`: what a decoder must have before the first fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitSegment {
    /// The bytes. Sample entry `avc3` or `hev1`, parameter sets in the configuration record as well.
    pub bytes: Bytes,
    /// What the pictures are.
    pub format: VideoFormat,
    /// The parameter sets behind it.
    pub parameters: Arc<ParameterSets>,
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
