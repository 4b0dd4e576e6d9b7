//! Sockets for [`vigie`]: an RTSP camera as a stream of access units.
//!
//! The core crate does no input or output; this one runs its machines over real sockets, on tokio. A [`Camera`] is a
//! `futures::Stream` of typed [`Event`]s that reconnects by itself, with back-off and jitter, and says of each
//! disconnection why: no such host, a refused port, a refused password, a camera that fell silent. Passwords appear in
//! no event, error or log line.

mod backoff;
mod camera;
mod clock;
mod connection;
mod dial;
mod entropy;
mod error;
mod event;
mod tap;

pub use backoff::Backoff;
pub use camera::{Camera, Options};
pub use clock::Clock;
pub use dial::dial;
pub use error::{Error, Kind};
pub use event::Event;
pub use tap::{Tap, TapEvent, Tapped};
pub use vigie::store::Cause;
