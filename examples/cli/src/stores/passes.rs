//! When what is expired of a camera goes: on the volume that it is recorded to, then on the others.

use std::path::Path;

use vigie::record::{self, Recorder};
use vigie::store::journal;
use vigie::store::retain::{Clock, Outcome};
use vigie::time::{Micros, UtcMicros};

use super::{Places, Written};

/// Does the system say that its clock is right? systemd does, once it has heard from a time server since the start.
#[must_use]
pub fn is_synchronised() -> bool {
    Path::new("/run/systemd/timesync/synchronized").exists()
}

/// The passes of one camera on all volumes: as [`record::Passes`] on the one that it is recorded to.
#[derive(Clone, Copy, Debug)]
pub struct Passes {
    recorded: record::Passes,
    /// The time of day at the last pass that no brake stopped: on the other volumes, too, a clock that leaps is not believed.
    last: Option<UtcMicros>,
}

impl Passes {
    /// The first one is due at `now`.
    #[must_use]
    pub const fn new(now: Micros) -> Self {
        Self { recorded: record::Passes::new(now), last: None }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub const fn poll_timeout(&self) -> Micros {
        self.recorded.poll_timeout()
    }

    /// Makes a pass if it is time, by what both clocks read; `on` is where the camera is recorded to. Gives what became of each
    /// volume that has footage of it, that one first; nothing where it is not time.
    pub fn handle_timeout(
        &mut self,
        recorder: &mut Recorder<Written>,
        (places, on): (&Places, usize),
        (now, utc): (Micros, UtcMicros),
        trusted: bool,
    ) -> Vec<Result<Outcome, journal::Error>> {
        let Some(first) = self.recorded.handle_timeout(recorder, now, utc, trusted) else {
            return Vec::new();
        };
        let clock = Clock::new(utc).trusted(trusted).last(self.last);
        let others = places.retain_elsewhere(recorder.source(), on, clock);
        let all: Vec<_> = std::iter::once(first).chain(others).collect();
        let stopped = |passed: &Result<Outcome, _>| passed.as_ref().is_ok_and(|done| done.brake.is_some());
        if all.first().is_some_and(Result::is_ok) && !all.iter().any(stopped) {
            // A clock that is back from a step into the past has not leapt.
            self.last = self.last.max(Some(utc));
        }
        all
    }
}
