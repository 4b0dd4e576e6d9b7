//! From access units to pieces: what the remuxer and the session have in common.

use std::collections::VecDeque;

use vigie::depacket::AccessUnit;
use vigie::fragment::{self, Fragmenter, Piece};
use vigie::limits::Limits;
use vigie::record::{Live, LiveOutput};
use vigie::rtp::rtcp::SenderReport;
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{ByPictureOrder, Mode, Timeline, UtcSource};

use crate::piece::{Made, VigiePiece, VigiePieceKind};

/// What fragments are for.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieMode {
    /// To be kept: one GOP each, `avc3` or `hev1`, every NAL unit untouched.
    Recording = 0,
    /// To be shown now: one closed reorder group each, `avc1` or `hvc1` as `MediaSource` takes it, times from 10 s on.
    Live = 1,
    /// A session only: access units as they come, no fragments.
    AccessUnits = 2,
}

pub(crate) enum Maker {
    /// A stream without times.
    Ordered(Box<(ByPictureOrder, Fragmenter)>, VecDeque<Made>),
    Recording(Box<(Timeline, Fragmenter)>, VecDeque<Made>),
    Live(Box<Live>),
}

impl Maker {
    pub(crate) fn ordered(limits: &Limits) -> Self {
        let way = (ByPictureOrder::new(limits), Fragmenter::new(limits));
        Self::Ordered(Box::new(way), VecDeque::new())
    }

    pub(crate) fn timed(live: bool, limits: &Limits) -> Self {
        if live {
            return Self::Live(Box::new(Live::new(limits)));
        }
        let way = (Timeline::new(Mode::Recording, limits), Fragmenter::new(limits));
        Self::Recording(Box::new(way), VecDeque::new())
    }

    pub(crate) fn push(&mut self, unit: AccessUnit) -> Result<(), fragment::Error> {
        match self {
            Self::Ordered(way, _) => way.0.push(unit),
            Self::Recording(way, _) => way.0.push(unit),
            Self::Live(live) => live.push(unit),
        }
        self.make()
    }

    pub(crate) fn finish(&mut self) -> Result<(), fragment::Error> {
        match self {
            Self::Ordered(way, _) => way.0.finish(),
            Self::Recording(way, _) => way.0.finish(),
            Self::Live(live) => live.finish(),
        }
        self.make()
    }

    /// A group that breaks the promise of its type is told, and those behind it are made all the same.
    fn make(&mut self) -> Result<(), fragment::Error> {
        let mut failed = None;
        let mut each = |fragmenter: &mut Fragmenter, group, ready: &mut VecDeque<Made>| {
            failed = fragmenter.push(group).err().or(failed);
            ready.extend(std::iter::from_fn(|| fragmenter.pull()).map(made));
        };
        match self {
            Self::Ordered(way, ready) => {
                while let Some(group) = way.0.pull() {
                    each(&mut way.1, group, ready);
                }
            }
            Self::Recording(way, ready) => {
                while let Some(group) = way.0.pull() {
                    each(&mut way.1, group, ready);
                }
            }
            Self::Live(_) => {}
        }
        failed.map_or(Ok(()), Err)
    }

    pub(crate) fn pull(&mut self) -> Option<Made> {
        match self {
            Self::Ordered(_, ready) | Self::Recording(_, ready) => ready.pop_front(),
            Self::Live(live) => live.pull().and_then(shown),
        }
    }

    pub(crate) fn clocks(&mut self, now: Micros, utc: UtcMicros) {
        match self {
            Self::Ordered(..) => {}
            Self::Recording(way, _) => way.0.arrival(now, utc),
            Self::Live(live) => live.clocks(now, utc),
        }
    }

    pub(crate) fn sender_report(&mut self, report: SenderReport) {
        match self {
            Self::Ordered(..) => {}
            Self::Recording(way, _) => way.0.sender_report(report),
            Self::Live(live) => live.sender_report(report),
        }
    }

    pub(crate) fn anchor(&mut self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        match self {
            Self::Ordered(..) => {}
            Self::Recording(way, _) => way.0.anchor(source, timestamp, utc),
            Self::Live(live) => live.anchor(source, timestamp, utc),
        }
    }

    pub(crate) fn discontinuity(&mut self) {
        match self {
            Self::Ordered(..) => {}
            Self::Recording(way, _) => way.0.discontinuity(),
            Self::Live(live) => live.discontinuity(),
        }
    }
}

fn made(piece: Piece) -> Made {
    match piece {
        Piece::Init(init) => Made::init(init.bytes.clone(), &init),
        Piece::Fragment(fragment) => Made::fragment(fragment),
    }
}

/// As a player is to be given it.
fn shown(output: LiveOutput) -> Option<Made> {
    match output {
        LiveOutput::Init { bytes, segment } => Some(Made::init(bytes, &segment)),
        LiveOutput::Fragment { bytes, shown, utc, epoch, flags } => {
            let mut piece = VigiePiece::blank(VigiePieceKind::Fragment);
            piece.samples = shown.samples;
            (piece.dts, piece.pts, piece.duration) = (shown.dts.0, shown.pts.0, shown.duration);
            piece.stamp(utc);
            piece.special(flags);
            piece.epoch = epoch;
            Some(Made { piece, bytes: vec![bytes.slice(shown.bytes)], codec: String::new() })
        }
        _ => None,
    }
}
