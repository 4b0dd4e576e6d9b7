//! The log of the connection, for the host: a subscriber of `tracing`, on the recorder's thread and no other.

use std::ffi::CString;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::config::{Host, VigieLogLevel};

/// Hands lines to the host.
pub(super) struct Log(pub(super) Host);

fn level(level: &Level) -> i32 {
    (match *level {
        Level::ERROR => VigieLogLevel::Error,
        Level::WARN => VigieLogLevel::Warn,
        Level::INFO => VigieLogLevel::Info,
        Level::DEBUG => VigieLogLevel::Debug,
        Level::TRACE => VigieLogLevel::Trace,
    }) as i32
}

impl Subscriber for Log {
    /// Ours, and nobody else's: what libraries below say may hold anything.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("vigie") && level(metadata.level()) <= self.0.level
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let text = CString::new(line.message + &line.fields).unwrap_or_default();
        self.0.log(level(event.metadata().level()), &text);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
