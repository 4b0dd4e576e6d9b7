//! Sockets for [`vigie`]: an RTSP camera as a stream of access units.
//!
//! The core crate does no input or output; this one runs its machines over real sockets, on tokio. A [`Camera`] is a
//! `futures::Stream` of typed [`Event`]s that reconnects by itself, with back-off and jitter, and says of each
//! disconnection why: no such host, a refused port, a refused password, a camera that fell silent. Passwords appear in
//! no event, error or log line.
//!
//! RTSP travels in a [`ByteStream`]: TCP or TLS, by itself, in an HTTP [`Tunnel`] or in a WebSocket; media travels over it
//! or by UDP, to us or to a multicast group. [`Options`] say which; [`Address`] reads the schemes that name a tunnel.
//! [`Doors`] are the same on the server's side, and a [`Tap`] is shown what a connection saw. In an [`inbox`] pictures wait for
//! the thread that writes them.

mod address;
mod backoff;
mod camera;
mod clock;
mod connection;
mod dial;
mod doors;
mod entropy;
mod error;
mod event;
mod fleet;
mod governed;
mod http;
pub mod inbox;
mod options;
mod stream;
mod tap;
mod tcp;
mod tls;
mod tunnel;
mod udp;
mod web_socket;

pub use address::Address;
pub use backoff::Backoff;
pub use camera::Camera;
pub use clock::Clock;
pub use dial::{Tunnel, Way, dial};
pub use doors::{DoorOptions, Doors};
pub use error::{Error, Kind};
pub use event::Event;
pub use fleet::{Fleet, SourceId};
pub use governed::Governor;
pub use options::Options;
pub use stream::ByteStream;
pub use tap::{Tap, TapEvent, Tapped};
pub use tls::{Distrust, Fingerprint, ServerTls, Tls};
pub use vigie::session::Wanted;
pub use vigie::store::Cause;
