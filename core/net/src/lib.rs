//! Sockets for [`vigie`]: an RTSP camera as a stream of access units.
//!
//! The core crate does no input or output; this one runs its machines over real sockets, on tokio.

mod backoff;
mod clock;
mod dial;
mod error;

pub use backoff::Backoff;
pub use clock::Clock;
pub use dial::dial;
pub use error::{Error, Kind};
