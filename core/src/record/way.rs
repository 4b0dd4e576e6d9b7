//! The two ways from access units to fragments: H.264 and H.265, and what has no NAL units.

use alloc::boxed::Box;

use crate::depacket::AccessUnit;
use crate::fault::Quirks;
use crate::fragment::{Fragment, Fragmenter, Piece, PlainFragmenter};
use crate::limits::Limits;
use crate::rtp::rtcp::SenderReport;
use crate::time::{Micros, UtcMicros};
use crate::timeline::{Mode, PlainTimeline, PlainUnit, Timeline, UtcSource};

/// An access unit of either.
#[derive(Clone, Debug)]
pub(super) enum Unit {
    Video(AccessUnit),
    Plain(PlainUnit),
}

/// From access units to fragments.
#[derive(Debug)]
pub(super) enum Way {
    Video(Box<(Timeline, Fragmenter)>),
    Plain(Box<(PlainTimeline, PlainFragmenter)>),
}

/// Calls the same method of either timeline.
macro_rules! timeline {
    ($way:expr, $timeline:ident => $call:expr) => {
        match $way {
            Way::Video(way) => {
                let $timeline = &mut way.0;
                $call
            }
            Way::Plain(way) => {
                let $timeline = &mut way.0;
                $call
            }
        }
    };
}

impl Way {
    pub(super) fn video(limits: &Limits) -> Self {
        Self::Video(Box::new((Timeline::new(Mode::Recording, limits), Fragmenter::new(limits))))
    }

    pub(super) fn plain(limits: &Limits) -> Self {
        Self::Plain(Box::new((PlainTimeline::new(limits), PlainFragmenter::new())))
    }

    /// Another of the same kind.
    pub(super) fn again(&self, limits: &Limits) -> Self {
        match self {
            Self::Video(_) => Self::video(limits),
            Self::Plain(_) => Self::plain(limits),
        }
    }

    pub(super) const fn takes(&self, unit: &Unit) -> bool {
        matches!((self, unit), (Self::Video(_), Unit::Video(_)) | (Self::Plain(_), Unit::Plain(_)))
    }

    /// Units of the other kind are dropped.
    pub(super) fn push(&mut self, unit: Unit) {
        match (self, unit) {
            (Self::Video(way), Unit::Video(unit)) => way.0.push(unit),
            (Self::Plain(way), Unit::Plain(unit)) => way.0.push(unit),
            _ => {}
        }
    }

    /// Hands what is ready to `take`; how many groups broke the promise of their type.
    pub(super) fn pull(&mut self, mut take: impl FnMut(Fragment)) -> u64 {
        let mut broken = 0;
        let mut each = |piece| {
            if let Piece::Fragment(fragment) = piece {
                take(fragment);
            }
        };
        match self {
            Self::Video(way) => {
                while let Some(group) = way.0.pull() {
                    broken += u64::from(way.1.push(group).is_err());
                    core::iter::from_fn(|| way.1.pull()).for_each(&mut each);
                }
            }
            Self::Plain(way) => {
                while let Some(group) = way.0.pull() {
                    broken += u64::from(way.1.push(group).is_err());
                    core::iter::from_fn(|| way.1.pull()).for_each(&mut each);
                }
            }
        }
        broken
    }

    pub(super) fn arrival(&mut self, now: Micros, utc: UtcMicros) {
        timeline!(self, t => t.arrival(now, utc));
    }

    pub(super) fn sender_report(&mut self, report: SenderReport) {
        timeline!(self, t => t.sender_report(report));
    }

    pub(super) fn anchor(&mut self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        timeline!(self, t => t.anchor(source, timestamp, utc));
    }

    pub(super) fn discontinuity(&mut self) {
        timeline!(self, t => t.discontinuity());
    }

    pub(super) fn finish(&mut self) {
        timeline!(self, t => t.finish());
    }

    /// Access units that could not be decoded.
    pub(super) fn dropped(&self) -> u64 {
        match self {
            Self::Video(way) => way.0.dropped() + way.1.stats().dropped,
            Self::Plain(way) => way.0.dropped() + way.1.stats().dropped,
        }
    }

    /// Adds what was tolerated.
    pub(super) fn add_quirks(&self, quirks: &mut Quirks) {
        match self {
            Self::Video(way) => {
                quirks.merge(way.0.quirks());
                quirks.merge(way.1.quirks());
            }
            Self::Plain(way) => quirks.merge(way.0.quirks()),
        }
    }
}
