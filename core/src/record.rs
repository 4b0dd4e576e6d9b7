//! The whole way, wired: from a connection's bytes to access units ([`Ingest`]), and from these to what a browser plays
//! ([`Live`]) and to what is kept ([`Recorder`]). No logic of its own beyond the wiring.
//!
//! ```text
//! bytes ──▶ Ingest: session ▶ reorder ▶ depacket ──AccessUnit──┬▶ Live: timeline ▶ fragment ▶ view ──▶ player
//!                                                              └▶ Recorder: timeline ▶ fragment ▶ segment ▶ store
//! ```
//!
//! [`Recorders`] are the cameras of one disk, which sync together; in a [`Backlog`] pictures wait, within bounds, for a disk that
//! is slow. [`Passes`] say when what is expired is deleted. [`Health`] says how a source does; [`capture`] writes a session down and has it again.

mod aside;
mod backlog;
pub mod capture;
mod health;
mod ingest;
mod live;
mod passes;
mod recorder;
mod recorders;
#[cfg(test)]
mod tests;
mod way;

pub use backlog::{Backlog, Budget, Dropped, Next, Sort};
pub use health::{Gop, Health};
pub use ingest::{Ingest, IngestOutput, IngestStats};
pub use live::{Live, LiveOutput};
pub use passes::Passes;
pub use recorder::{Recorder, RecorderConfig, RecorderStats};
pub use recorders::Recorders;
