//! The C library of Vigie: `libvigie.so` and `libvigie.a`, headers in `include/vigie/`. The contract is in `README.md`.
//!
//! Every function that can fail returns a [`VigieResult`] and writes its outputs on success only. Handles are opaque;
//! a panic inside becomes `VIGIE_PANIC` and poisons the handle it happened in.
//!
//! ```text
//! result, error, piece      what all layers answer with
//! remuxer                   packets or pictures in, MP4 out      no thread, clock, file or socket
//! session                   the camera's bytes in, MP4 out       no thread, clock, file or socket
//! store, reader             what was recorded
//! storage                   a host's own, for those two and the recorder, in place of a folder
//! recorder                  an address and a store               threads, clocks, sockets and files of its own
//! ```

#[cfg(feature = "calls")]
pub mod calls;
mod error;
mod given;
mod guard;
mod maker;
mod piece;
mod reader;
mod recorder;
mod remuxer;
mod result;
mod session;
mod storage;
mod store;
#[cfg(feature = "testing")]
mod testing;

pub use error::*;
pub use maker::VigieMode;
pub use piece::*;
pub use reader::*;
pub use recorder::*;
pub use remuxer::*;
pub use result::*;
pub use session::*;
pub use storage::*;
pub use store::*;
#[cfg(feature = "testing")]
pub use testing::*;
