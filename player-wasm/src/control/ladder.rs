//! Pictures come and none shows: from a nudge to giving up. What counts is pictures shown, not what the element says of
//! itself.

use super::Screen;

/// A step of the recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// The playhead is sent on.
    Nudge = 1,
    /// Another media source, on another connection.
    Rebuild = 2,
    /// The same, in the other thread.
    Elsewhere = 3,
    /// It is said that this browser's decoder does not; it is tried again all the same.
    GiveUp = 4,
}

/// Without a picture for this long something is done, milliseconds; longer before the first one, which a decoder takes its
/// time for.
const PATIENCE: f64 = 1500.0;
const FIRST: f64 = 2500.0;
/// With pictures for this long all is well again, milliseconds.
const WELL: f64 = 10_000.0;

#[derive(Debug, Default)]
pub(super) struct Ladder {
    pictures: u32,
    /// When the last picture showed, or something was done last.
    since: f64,
    /// When it last climbed.
    climbed: f64,
    shown: bool,
    rung: u8,
}

impl Ladder {
    pub(super) fn start(&mut self, now: f64) {
        self.since = now;
        self.shown = false;
    }

    /// Nothing can show.
    pub(super) fn rest(&mut self, now: f64) {
        self.since = now;
    }

    /// The next step, where one is due. `group`: seconds between fragments.
    pub(super) fn look(&mut self, now: f64, screen: &Screen, fed: bool, group: f64) -> Option<Rung> {
        if screen.pictures != self.pictures {
            self.pictures = screen.pictures;
            self.since = now;
            self.shown = true;
            if now - self.climbed > WELL {
                self.rung = 0;
            }
            return None;
        }
        if !fed {
            // It is the stream that is missing: others look after that.
            self.since = now;
            return None;
        }
        let patience = if self.shown { PATIENCE } else { FIRST }.max(6000.0 * group);
        if now - self.since < patience * (1.0 + f64::from(self.rung) / 2.0) {
            return None;
        }
        self.since = now;
        self.climbed = now;
        // What keeps nothing of what it takes in has nothing to be sent to.
        if self.rung == 0 && screen.newest <= screen.playhead {
            self.rung = 1;
        }
        self.rung = (self.rung + 1).min(4);
        Some(match self.rung {
            1 => Rung::Nudge,
            2 => Rung::Rebuild,
            3 => Rung::Elsewhere,
            _ => Rung::GiveUp,
        })
    }
}
