//! When a recorder deletes what is expired.

use super::Recorder;
use crate::store::journal::{self, Kind};
use crate::store::retain::{Clock, Outcome};
use crate::store::{self, Storage};
use crate::time::{Micros, UtcMicros};

/// Microseconds between two passes; after one that had to wait; after one that failed.
const EVERY: (u64, u64, u64) = (3_600_000_000, 10_000_000, 60_000_000);

/// The passes of one recorder: at its start, and each hour. A pass is [`Writer::retain`](crate::store::Writer::retain).
#[derive(Clone, Copy, Debug)]
pub struct Passes {
    due: Micros,
    last: Option<UtcMicros>,
}

impl Passes {
    /// The first one is due at `now`.
    #[must_use]
    pub const fn new(now: Micros) -> Self {
        Self { due: now, last: None }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub const fn poll_timeout(&self) -> Micros {
        self.due
    }

    /// Makes a pass if it is time. `utc` is the time of day at `now`, `trusted` says whether it is known to be right. `None` where
    /// it is not time, or where others have to be waited for.
    pub fn handle_timeout<S: Storage>(
        &mut self,
        recorder: &mut Recorder<S>,
        now: Micros,
        utc: UtcMicros,
        trusted: bool,
    ) -> Option<Result<Outcome, journal::Error>> {
        if now < self.due {
            return None;
        }
        let clock = Clock::new(utc).trusted(trusted).last(self.last);
        let done = recorder.writer().retain(clock);
        let (every, soon, failed) = EVERY;
        let wait = match &done {
            Ok(outcome) if outcome.postponed => soon,
            Err(error) if error.kind == Kind::Store(store::Kind::Locked) => soon,
            Ok(_) => every,
            Err(_) => failed,
        };
        self.due = now.plus(wait);
        if matches!(&done, Ok(outcome) if outcome.brake.is_none() && !outcome.postponed) {
            // A clock that is back from a step into the past has not leapt.
            self.last = self.last.max(Some(utc));
        }
        (wait != soon).then_some(done)
    }
}
