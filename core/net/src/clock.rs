//! The two clocks of this process.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use vigie::time::{Micros, UtcMicros};

/// A monotonic clock whose zero is when it was made, and the system's UTC beside it.
///
/// Every time that a [`Camera`](crate::Camera) puts out is on the clock that it was given, so that one program's
/// cameras compare.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since the start.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.at(Instant::now())
    }

    /// The same of another moment; 0 before the start.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Micros {
        let since = instant.saturating_duration_since(self.0).as_micros();
        Micros(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// When the clock shows `micros`.
    #[must_use]
    pub fn instant(&self, micros: Micros) -> Instant {
        let span = std::time::Duration::from_micros(micros.0);
        // A century ahead: as good as never, and no overflow.
        self.0.checked_add(span).unwrap_or_else(|| self.0 + std::time::Duration::from_secs(3_155_760_000))
    }

    /// The system's UTC, as well as it is set.
    #[must_use]
    pub fn utc(&self) -> UtcMicros {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => UtcMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
            Err(before) => UtcMicros(-i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX)),
        }
    }
}
