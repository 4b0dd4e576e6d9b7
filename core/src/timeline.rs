//! RTP timestamps to decoding and presentation times, and both to UTC.

mod clock;
mod decode;
mod drift;
mod gate;
mod group;
mod line;
mod order;
mod plain;
mod utc;

use alloc::vec::Vec;

pub use line::{Mode, Timeline};
pub use order::ByPictureOrder;
pub use plain::{PlainFormat, PlainGroup, PlainSample, PlainTimeline, PlainUnit};

use crate::depacket::AccessUnit;
use crate::time::{Ticks, UtcMicros};

/// Where a UTC came from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UtcSource {
    /// ONVIF RTP header extension 0xABAC: the camera's own stamp on this very picture.
    OnvifExtension,
    /// RTCP sender report, RFC 3550 §6.4.1.
    SenderReport,
    /// `Range: clock=` of the PLAY response.
    RangeClock,
    /// When it arrived here.
    Arrival,
}

/// A moment in UTC with where it came from and how far it may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UtcStamp {
    /// The moment of capture, as well as it is known.
    pub utc: UtcMicros,
    /// Its source.
    pub source: UtcSource,
    /// Microseconds that it may be off, either way, against the source's clock (whose own error nobody here knows).
    pub error: u32,
}

/// What is known of a camera's clocks. The media clock drives the RTP timestamps, the wall clock is what the camera says
/// of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockStats {
    /// Where the last picture's UTC came from.
    pub source: Option<UtcSource>,
    /// How far that may be off, in microseconds.
    pub error: u32,
    /// Microseconds that the camera's wall clock is ahead of the host's, the way from the camera to here included.
    pub offset: Option<i64>,
    /// By how much the media clock runs faster than the camera's wall clock, in parts per billion (1 000 are 1 ppm), its
    /// steps left out. Known after some reports.
    pub against_wall: Option<i32>,
    /// By how much it runs faster than the host's monotonic clock. Known after half a minute; far below zero where the
    /// camera stamps more pictures than it ships.
    pub against_host: Option<i32>,
    /// Times that the wall clock was set.
    pub steps: u64,
    /// Times that the timestamps leapt.
    pub leaps: u64,
}

/// An access unit with its times.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sample {
    /// The picture.
    pub unit: AccessUnit,
    /// Presentation time: the RTP timestamp, extended.
    pub pts: Ticks,
    /// Decoding time: strictly increasing within an epoch.
    pub dts: Ticks,
    /// To the next sample's decoding time, where that is known; else the last difference seen.
    pub duration: u32,
    /// UTC of the presentation.
    pub utc: UtcStamp,
}

/// Samples that cannot be split without a decoder losing pictures: a closed reorder group (live), a GOP or a capped
/// part of one (recording). Never empty.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// In decoding order.
    pub samples: Vec<Sample>,
    /// Counts the breaks of the timeline: a leap of the timestamps, another SSRC. Times of two epochs do not compare.
    pub epoch: u32,
    /// Does it continue the GOP of the group before it?
    pub continues_gop: bool,
}

#[cfg(test)]
mod tests;
