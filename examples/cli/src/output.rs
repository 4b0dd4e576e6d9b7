//! What the commands print: results on stdout, progress and errors on stderr.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::{Failure, redact};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document a line.
    Json,
}

impl Format {
    /// Prints one result: `text` to people, `json` to programs. A reader that has left (`vigie ls | head`) is no error.
    ///
    /// # Errors
    /// Where stdout cannot be written, as on a full disk.
    pub fn print(self, text: impl Display, json: &serde_json::Value) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let written = match self {
            Self::Text => write!(out, "{text}"),
            Self::Json => writeln!(out, "{json}"),
        };
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::file("write", "the standard output".as_ref(), &error))
            }
            _ => Ok(()),
        }
    }
}

/// One line on a terminal that tells how far it is; where stderr is no terminal, nothing.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar up to `length` bytes.
    #[must_use]
    pub fn bytes(length: u64, doing: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), target());
        bar.set_style(style("{msg} {wide_bar} {bytes}/{total_bytes} {eta}"));
        bar.set_message(doing.to_owned());
        Self(bar)
    }

    /// A line of text that changes.
    #[must_use]
    pub fn line(doing: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, target());
        bar.set_style(style("{spinner} {wide_msg}"));
        bar.set_message(doing.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// How many of the bytes are done.
    pub fn at(&self, bytes: u64) {
        self.0.set_position(bytes);
    }

    /// Changes the text.
    pub fn say(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }

    /// A line that stays: above the progress on a terminal, plain on stderr elsewhere.
    pub fn note(&self, text: &str) {
        if self.0.is_hidden() { note(text) } else { self.0.println(redact(text)) }
    }

    /// Takes the line away.
    pub fn done(&self) {
        self.0.finish_and_clear();
    }
}

/// A line on stderr.
pub fn note(text: &str) {
    // Nobody left to tell where stderr is closed.
    let _ = writeln!(std::io::stderr(), "{}", redact(text));
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
