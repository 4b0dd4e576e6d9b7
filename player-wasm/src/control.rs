//! How far behind the camera a live picture is kept, and what is done when none shows: `(time, observation) → action`.
//!
//! No clock, no IO and no memory that grows: the same code runs on the traces of the tests. It is the only one that decides
//! the rate and, once a picture has been shown, the playhead. Media times are seconds, `now` is milliseconds.

mod jitter;
mod ladder;
#[cfg(test)]
mod tests;

use jitter::Jitter;
use ladder::Ladder;
pub use ladder::Rung;

/// What distance is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As little as the network allows: for who turns a camera while looking.
    Low,
    /// A few pictures in hand.
    Balanced,
    /// A second in hand: for links that stutter.
    Smooth,
}

impl Profile {
    /// By its name in the page; what is not known is [`Balanced`](Self::Balanced).
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "low" => Self::Low,
            "smooth" => Self::Smooth,
            _ => Self::Balanced,
        }
    }

    /// What is in hand when the next fragment comes on time, beside the jitter; what above it is jumped over; what above it
    /// is caught up.
    const fn bounds(self) -> (f64, f64, f64) {
        match self {
            Self::Low => (0.04, 0.4, 0.05),
            Self::Balanced => (0.16, 0.8, 0.1),
            Self::Smooth => (1.0, 2.0, 0.3),
        }
    }
}

/// The longest distance, whatever the network does.
const MOST: f64 = 4.0;
/// Milliseconds between two jumps.
const BETWEEN_JUMPS: f64 = 3000.0;
/// Milliseconds without running dry after which less is kept in hand.
const CLEAN: f64 = 60_000.0;
/// Observations over which the level is judged: a fragment that is late says nothing of those on time.
const LEVELS: usize = 4;

/// What the page sees.
#[derive(Clone, Copy, Debug, Default)]
pub struct Screen {
    /// The playhead.
    pub playhead: f64,
    /// The end of what is buffered from the playhead on.
    pub end: f64,
    /// The end of what is buffered at all.
    pub newest: f64,
    /// Pictures shown, ever.
    pub pictures: u32,
    /// A seek is on its way.
    pub seeking: bool,
    /// The element says that it waits for media.
    pub dry: bool,
    /// Paused, hidden or not fed: nothing is to be done.
    pub idle: bool,
}

/// What is known since a moment.
#[derive(Clone, Copy, Debug)]
pub enum Observation {
    /// The playhead was sent to the first picture of a stream, or of what it goes on with.
    Started,
    /// A fragment came and was handed to the media buffer.
    Arrived {
        /// Where it ends on the stream's own clock, which holes do not stop.
        stamp: f64,
        /// How long it lasts.
        lasts: f64,
        /// Changes where the stream's clock starts anew.
        epoch: u32,
    },
    /// The page looked.
    Screen(Screen),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Action {
    /// To play at.
    pub rate: f64,
    /// Where to send the playhead.
    pub seek: Option<f64>,
    /// Of the recovery, where no picture shows.
    pub rung: Option<Rung>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Controller {
    profile: Profile,
    jitter: Jitter,
    ladder: Ladder,
    /// Learned from running dry.
    margin: f64,
    rate: f64,
    /// How long a fragment lasts: with pictures that wait for each other it holds several.
    group: f64,
    arrived: Option<f64>,
    /// Pictures that had been shown when it started; none yet: the page has not looked since.
    before: Option<u32>,
    shown: bool,
    levels: [f64; LEVELS],
    at: usize,
    jumped: Option<(f64, f64)>,
    clean_since: Option<f64>,
    is_dry: bool,
    jumps: u32,
    underruns: u32,
}

impl Controller {
    /// Of one live picture.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            jitter: Jitter::default(),
            ladder: Ladder::default(),
            margin: 0.0,
            rate: 1.0,
            group: 0.04,
            arrived: None,
            before: None,
            shown: false,
            levels: [f64::NEG_INFINITY; LEVELS],
            at: 0,
            jumped: None,
            clean_since: None,
            is_dry: false,
            jumps: 0,
            underruns: 0,
        }
    }

    /// Another distance from now on.
    pub const fn profile(&mut self, profile: Profile) {
        self.profile = profile;
    }

    /// Seconds from the playhead to the newest picture that are aimed at, right after that came.
    #[must_use]
    pub fn target(&self) -> f64 {
        (self.in_hand() + self.group).min(MOST)
    }

    /// Times that pictures were jumped over.
    #[must_use]
    pub const fn jumps(&self) -> u32 {
        self.jumps
    }

    /// Times that the picture stood still for want of media.
    #[must_use]
    pub const fn underruns(&self) -> u32 {
        self.underruns
    }

    /// What is left when the next fragment comes on time.
    fn in_hand(&self) -> f64 {
        let (floor, ..) = self.profile.bounds();
        (floor + 1.3 * self.jitter.value() + self.margin).min(MOST)
    }

    /// Takes an observation; says what is to be done.
    pub fn observe(&mut self, now: f64, observation: Observation) -> Action {
        match observation {
            Observation::Started => self.start(now),
            Observation::Arrived { stamp, lasts, epoch } => {
                // A fragment that lasts for long says that the next one will take as long.
                self.group = if lasts > self.group { lasts } else { self.group + (lasts - self.group) / 8.0 };
                self.arrived = Some(now);
                self.jitter.arrived(now / 1000.0, stamp, lasts, epoch);
            }
            Observation::Screen(screen) => return self.look(now, &screen),
        }
        self.keep()
    }

    fn start(&mut self, now: f64) {
        self.rate = 1.0;
        (self.before, self.shown) = (None, false);
        self.levels = [f64::NEG_INFINITY; LEVELS];
        (self.jumped, self.clean_since, self.is_dry) = (None, None, false);
        self.ladder.start(now);
    }

    const fn keep(&self) -> Action {
        Action { rate: self.rate, seek: None, rung: None }
    }

    fn look(&mut self, now: f64, screen: &Screen) -> Action {
        let before = *self.before.get_or_insert(screen.pictures);
        self.shown |= screen.pictures != before;
        if screen.idle {
            self.ladder.rest(now);
            self.levels = [f64::NEG_INFINITY; LEVELS];
            return self.keep();
        }
        let fed = self.arrived.is_some_and(|at| now - at < 1500.0_f64.max(3000.0 * self.group));
        if let Some(rung) = self.ladder.look(now, screen, fed, self.group) {
            return self.climb(now, screen, rung);
        }
        if !self.shown || screen.seeking {
            self.rate = 1.0;
            return self.keep();
        }
        self.learn(now, screen, fed);
        self.steer(now, screen)
    }

    fn climb(&mut self, now: f64, screen: &Screen, rung: Rung) -> Action {
        self.rate = 1.0;
        if rung != Rung::Nudge {
            return Action { rate: 1.0, seek: None, rung: Some(rung) };
        }
        let to = (screen.newest - self.target()).max(screen.playhead + 0.001);
        self.jumped = Some((now, to));
        Action { rate: 1.0, seek: Some(to), rung: Some(rung) }
    }

    /// From running dry, and from not doing so.
    fn learn(&mut self, now: f64, screen: &Screen, fed: bool) {
        let since = *self.clean_since.get_or_insert(now);
        if screen.dry && fed && !self.is_dry {
            self.is_dry = true;
            self.underruns += 1;
            self.margin = (self.margin + 0.25 * self.target()).min(MOST / 2.0);
            self.clean_since = Some(now);
            return;
        } else if !screen.dry && screen.end - screen.playhead > 0.04 {
            self.is_dry = false;
        }
        if now - since > CLEAN {
            self.margin *= 0.8;
            self.clean_since = Some(now);
        }
    }

    /// How much is in hand when a fragment comes on time: the most of the last few looks.
    fn level(&mut self, now: f64, screen: &Screen) -> f64 {
        let waited = self.arrived.map_or(0.0, |at| (now - at) / 1000.0);
        let left = screen.newest - screen.playhead - (self.group - waited).max(0.0);
        if let Some(level) = self.levels.get_mut(self.at) {
            *level = left;
        }
        self.at = (self.at + 1) % LEVELS;
        self.levels.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b))
    }

    fn steer(&mut self, now: f64, screen: &Screen) -> Action {
        let (_, most, band) = self.profile.bounds();
        let excess = self.level(now, screen) - self.in_hand();
        let may_jump = self
            .jumped
            .is_none_or(|(at, to)| now - at > BETWEEN_JUMPS && (screen.playhead - to).abs() >= 0.02);
        // A hole before the playhead, with pictures behind it.
        let ahead = screen.newest - screen.playhead;
        let stuck = screen.end - screen.playhead < 0.02 && ahead > self.target().max(0.3);
        if (excess >= most || stuck) && may_jump {
            let to = (screen.newest - self.target()).max(screen.playhead + 0.001);
            self.jumped = Some((now, to));
            self.jumps += 1;
            self.rate = 1.0;
            self.levels = [f64::NEG_INFINITY; LEVELS];
            return Action { rate: 1.0, seek: Some(to), rung: None };
        }
        self.rate = rate(excess, if self.rate == 1.0 { band } else { band / 4.0 });
        self.keep()
    }
}

/// In steps of a hundredth, with a dead band that is wider while at rest: each change costs some browsers a stutter.
fn rate(excess: f64, band: f64) -> f64 {
    if excess.abs() < band {
        return 1.0;
    }
    let wanted = if excess > 0.0 { (0.3 * excess).min(0.15) } else { (0.3 * excess).max(-0.1) };
    // Away from zero: outside of the band something is done.
    let hundredths = wanted * 100.0 + if excess > 0.0 { 0.99 } else { -0.99 };
    1.0 + f64::from(hundredths as i32) / 100.0
}
