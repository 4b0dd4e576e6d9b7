//! The whole way, wired.

mod ingest;

pub use ingest::{Ingest, IngestOutput, IngestStats};
