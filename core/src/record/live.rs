//! From access units to what a browser's `MediaSource` takes.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use bytes::{Bytes, BytesMut};

use crate::depacket::AccessUnit;
use crate::fault::Quirks;
use crate::fragment::{Fragment, FragmentFlags, Fragmenter, InitSegment, Piece};
use crate::limits::Limits;
use crate::rtp::rtcp::SenderReport;
use crate::time::{Micros, Ticks, UtcMicros};
use crate::timeline::{Mode, Timeline, UtcSource, UtcStamp};
use crate::view::{Playback, Shown};

/// Where the player's clock starts with each epoch: room for decoding times before presentation times.
const ORIGIN: Ticks = Ticks(900_000);

/// Turns a live stream into init segments and fragments for a player, one fragment per closed reorder group.
#[derive(Debug)]
pub struct Live {
    timeline: Timeline,
    fragmenter: Fragmenter,
    playback: Playback,
    epoch: Option<u32>,
    ready: VecDeque<LiveOutput>,
    broken: u64,
}

/// What a player is to be given, in this order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LiveOutput {
    /// What follows needs another init segment.
    Init {
        /// For the player: `avc1` or `hvc1`.
        bytes: Bytes,
        /// As it is kept, with the format and the parameter sets.
        segment: Arc<InitSegment>,
    },
    /// A fragment.
    Fragment {
        /// For the player: `moof` and `mdat`.
        bytes: Bytes,
        /// Its times on the player's clock, which starts anew with each epoch.
        shown: Shown,
        /// UTC of its earliest presentation.
        utc: UtcStamp,
        /// The timeline's epoch.
        epoch: u32,
        /// What is special about it.
        flags: FragmentFlags,
    },
}

impl Live {
    /// For one stream.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            timeline: Timeline::new(Mode::Live, limits),
            fragmenter: Fragmenter::new(limits),
            playback: Playback::new(),
            epoch: None,
            ready: VecDeque::new(),
            broken: 0,
        }
    }

    /// What the monotonic clock and the time of day read at one moment.
    pub fn clocks(&mut self, now: Micros, utc: UtcMicros) {
        self.timeline.arrival(now, utc);
    }

    /// The camera said what its clock shows.
    pub fn sender_report(&mut self, report: SenderReport) {
        self.timeline.sender_report(report);
    }

    /// Another source said which moment an RTP timestamp is.
    pub fn anchor(&mut self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        self.timeline.anchor(source, timestamp, utc);
    }

    /// Timestamps of what follows do not continue those before.
    pub fn discontinuity(&mut self) {
        self.timeline.discontinuity();
    }

    /// Takes a picture.
    pub fn push(&mut self, unit: AccessUnit) {
        self.timeline.push(unit);
        self.make();
    }

    /// The stream ended: what is left comes out.
    pub fn finish(&mut self) {
        self.timeline.finish();
        self.make();
    }

    /// What the player is to be given next.
    pub fn pull(&mut self) -> Option<LiveOutput> {
        self.ready.pop_front()
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        self.timeline.quirks()
    }

    /// Groups and fragments that broke the promise of their type. None should.
    #[must_use]
    pub const fn broken(&self) -> u64 {
        self.broken
    }

    fn make(&mut self) {
        while let Some(group) = self.timeline.pull() {
            self.broken += u64::from(self.fragmenter.push(group).is_err());
            while let Some(piece) = self.fragmenter.pull() {
                let output = match piece {
                    Piece::Init(segment) => {
                        self.playback.init(&segment.bytes).map(|bytes| LiveOutput::Init { bytes, segment })
                    }
                    Piece::Fragment(fragment) => self.fragment(&fragment),
                };
                match output {
                    Ok(output) => self.ready.push_back(output),
                    Err(_) => self.broken += 1,
                }
            }
        }
    }

    fn fragment(&mut self, fragment: &Fragment) -> Result<LiveOutput, crate::bmff::Error> {
        if self.epoch != Some(fragment.epoch) {
            self.epoch = Some(fragment.epoch);
            self.playback.rebase(fragment.dts, ORIGIN);
        }
        let mut bytes = BytesMut::new();
        let shown = self.playback.live(fragment, &mut bytes)?;
        let (utc, epoch, flags) = (fragment.utc, fragment.epoch, fragment.flags);
        Ok(LiveOutput::Fragment { bytes: bytes.freeze(), shown, utc, epoch, flags })
    }
}
