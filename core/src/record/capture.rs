//! A session written down so that it can be had again: what the machines were given, when, and what came of it.
//!
//! A [`Writer`] is told of each call that an [`Ingest`](super::Ingest) gets, and gives bytes for a file. A [`Replay`]
//! takes the file's bytes and makes the same calls; the same events come out, and it says whether they do. Neither does
//! IO.
//!
//! ```
//! use vigie::limits::Limits;
//! use vigie::record::capture::{Replay, Writer};
//! use vigie::{record::{Ingest, IngestOutput}, rtsp::Url, session::Config, time::{Micros, UtcMicros}};
//!
//! let (url, credentials) = Url::parse("rtsp://viewer:secret@10.0.0.2/stream1")?;
//! let config = Config::new(url, [7; 32]).credentials(credentials);
//! let mut writer = Writer::new(&Limits::default(), false);
//! writer.open(Micros(0), UtcMicros(0), 1, &config);
//! let mut ingest = Ingest::new(config, Micros(0));
//! ingest.handle_closed(Micros(9));
//! writer.closed(Micros(9));
//! while let Some(output) = ingest.poll_output() {
//!     writer.output(&output);
//! }
//! writer.drained();
//! writer.finish(Micros(9));
//!
//! let mut replay = Replay::new(&Limits::default());
//! replay.push(&writer.take());
//! replay.finish();
//! while replay.pull()?.is_some() {}
//! assert_eq!(replay.summary().same(), Some(true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("../../docs/capture.md")]

mod blank;
mod config;
mod file;
mod keys;
mod lines;
mod redact;
mod replay;
mod split;
#[cfg(test)]
mod tests;
mod writer;

pub use file::{Error, Kind};
pub use replay::{Replay, Replayed, Summary};
pub use writer::Writer;
