//! The two clocks of this machine.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vigie::time::{Micros, UtcMicros};

/// The time of day.
pub(crate) fn utc() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The clock that only rises.
pub(crate) fn now() -> Micros {
    Micros(u64::try_from(start().elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// A moment of [`now`], as tokio's timers want it.
pub(crate) fn instant(moment: Micros) -> tokio::time::Instant {
    (start() + Duration::from_micros(moment.0.min(u64::from(u32::MAX) * 1_000_000))).into()
}

fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}
