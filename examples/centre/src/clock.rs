//! The clocks of this process, the same for every camera.

use std::sync::OnceLock;

use tokio::time::Instant;
use vigie::time::{Micros, UtcMicros};
use vigie_net::Clock;

/// The one clock.
pub(crate) fn shared() -> Clock {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    *CLOCK.get_or_init(Clock::start)
}

/// The time of day.
pub(crate) fn utc() -> UtcMicros {
    shared().utc()
}

/// The clock that only rises.
pub(crate) fn now() -> Micros {
    shared().now()
}

/// A moment of [`now`], as tokio's timers want it.
pub(crate) fn instant(moment: Micros) -> Instant {
    shared().instant(moment)
}
