//! The whole way, wired: from a connection's bytes to access units ([`Ingest`]), and from these to what a browser plays
//! ([`Live`]) and to what is kept ([`Recorder`]). No logic of its own beyond the wiring.
//!
//! ```text
//! bytes ──▶ Ingest: session ▶ reorder ▶ depacket ──AccessUnit──┬▶ Live: timeline ▶ fragment ▶ view ──▶ player
//!                                                              └▶ Recorder: timeline ▶ fragment ▶ segment ▶ store
//! ```
//!
//! [`Health`] says how a source does; [`capture`] writes a session down and has it again.

mod aside;
pub mod capture;
mod health;
mod ingest;
mod live;
mod recorder;
#[cfg(test)]
mod tests;
mod way;

pub use health::{Gop, Health};
pub use ingest::{Ingest, IngestOutput, IngestStats};
pub use live::{Live, LiveOutput};
pub use recorder::{Recorder, RecorderConfig, RecorderStats};
