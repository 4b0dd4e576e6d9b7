//! `vigie replay`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use vigie::fault::Fault as _;
use vigie::limits::Limits;
use vigie::record::capture::{self, Kind, Replay, Replayed, Summary};
use vigie::record::{IngestOutput, Recorder, RecorderConfig};
use vigie::session::Event;
use vigie::store::{self, Cause, Source};
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{Mode, Timeline};
use vigie::view::View;

use super::remux::Mp4;
use crate::args;
use crate::explain;
use crate::failure::Failure;
use crate::moment::count;
use crate::output::{Format, note};
use crate::stores::{Stores, Written};

/// Bytes read at once.
const PIECE: usize = 256 << 10;

pub(super) fn run(options: &args::Replay, format: Format) -> Result<ExitCode, Failure> {
    let path = &options.input;
    let failed = |error: std::io::Error| Failure::file("read", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let mut player = Player::new(options, format)?;
    let mut replay = Replay::new(&Limits::default());
    let mut piece = vec![0; PIECE];
    loop {
        let n = match file.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read.map_err(failed)?,
        };
        match n {
            0 => replay.finish(),
            n => replay.push(piece.get(..n).unwrap_or_default()),
        }
        while let Some(replayed) = replay.pull().map_err(|error| unreadable(path, &error))? {
            player.take(replayed)?;
        }
        if n == 0 {
            break;
        }
    }
    player.finish(&replay.summary())
}

fn unreadable(path: &Path, error: &capture::Error) -> Failure {
    let remedy = match error.kind {
        Kind::NotOurs => {
            "name a file that `vigie record --capture` has written; `vigie probe` reads other captures"
        }
        Kind::Version => "use the version of Vigie that has written it, or a later one",
        _ => "copy the file anew; what was before the damage has been replayed",
    };
    Failure::fault(&format!("cannot replay {}", path.display()), error, remedy)
}

/// What is done with the events.
struct Player<'a> {
    options: &'a args::Replay,
    format: Format,
    movie: Option<(Timeline, Mp4<'a>)>,
    source: Option<Source>,
    recorder: Option<Recorder<Written>>,
    /// Both clocks of the machine that recorded, at one moment.
    clocks: (Micros, UtcMicros),
    now: Micros,
    /// The number of the error that ended the session.
    code: u16,
}

impl<'a> Player<'a> {
    fn new(options: &'a args::Replay, format: Format) -> Result<Self, Failure> {
        let limits = Limits::default();
        let movie = options
            .output
            .as_deref()
            .map(|path| (Timeline::new(Mode::Recording, &limits), Mp4::new(path, View::Exact, &limits)));
        let source = match (&options.store, &options.tenant, &options.camera) {
            (Some(_), Some(tenant), Some(camera)) => Some(explain::names(tenant, camera)?),
            _ => None,
        };
        let clocks = (Micros(0), UtcMicros(0));
        Ok(Self { options, format, movie, source, recorder: None, clocks, now: Micros(0), code: 0 })
    }

    /// The time of day where it was recorded.
    fn utc(&self, now: Micros) -> UtcMicros {
        let (then, utc) = self.clocks;
        let since = i64::try_from(now.0).unwrap_or(i64::MAX) - i64::try_from(then.0).unwrap_or(i64::MAX);
        utc.plus(since)
    }

    fn take(&mut self, replayed: Replayed) -> Result<(), Failure> {
        match replayed {
            Replayed::Opened { connection, now, utc } => {
                (self.now, self.clocks, self.code) = (now, (now, utc), 0);
                self.open()?;
                if let Some((timeline, _)) = &mut self.movie {
                    timeline.discontinuity();
                }
                let json = json!({"event": "connection", "connection": connection, "micros": now.0, "utc": utc.to_string()});
                self.print("", &json)
            }
            Replayed::Event { now, output, line } => {
                self.now = now;
                if !self.options.digest {
                    let json = json!({"event": line.split(' ').next(), "micros": now.0, "line": line});
                    self.print(&format!("{line}\n"), &json)?;
                }
                self.keep(output)
            }
            Replayed::Ended { now, why } => {
                self.now = now;
                let code = self.code;
                self.record(|recorder| recorder.interrupted(now, Cause::Camera, code))?;
                self.print("", &json!({"event": "ended", "micros": now.0, "why": why}))
            }
            _ => Ok(()),
        }
    }

    fn print(&self, text: &str, json: &serde_json::Value) -> Result<(), Failure> {
        if self.options.digest || text.is_empty() && self.format == Format::Text {
            return Ok(());
        }
        self.format.print(text, json)
    }

    /// The store is opened with the first connection: only it knows the time.
    fn open(&mut self) -> Result<(), Failure> {
        let (Some(root), Some(source)) = (&self.options.store, self.source) else { return Ok(()) };
        let (now, utc) = self.clocks;
        if let Some(recorder) = &mut self.recorder {
            recorder.clocks(now, utc);
            return Ok(());
        }
        let stores = Stores::new(vec![root.clone()]);
        stores.make()?;
        let opened = stores
            .volume(0)
            .and_then(|storage| Recorder::open(storage, source, RecorderConfig::default(), now, utc));
        let (recorder, _) = opened.map_err(|error| explain::store("record into", root, &error))?;
        self.recorder = Some(recorder);
        Ok(())
    }

    fn record(
        &mut self,
        work: impl FnOnce(&mut Recorder<Written>) -> Result<(), store::Error>,
    ) -> Result<(), Failure> {
        let (now, utc) = (self.now, self.utc(self.now));
        let (Some(recorder), Some(root)) = (&mut self.recorder, &self.options.store) else { return Ok(()) };
        recorder.clocks(now, utc);
        let due = recorder.poll_timeout().is_some_and(|due| due <= now);
        let synced = if due { recorder.handle_timeout(now) } else { Ok(()) };
        synced.and_then(|()| work(recorder)).map_err(|error| explain::store("record into", root, &error))
    }

    fn keep(&mut self, output: IngestOutput) -> Result<(), Failure> {
        let (now, utc) = (self.now, self.utc(self.now));
        if let IngestOutput::Event(Event::Failed(error)) = &output {
            self.code = error.code().0;
        }
        if let Some((timeline, movie)) = &mut self.movie {
            match &output {
                IngestOutput::AccessUnit(unit) => {
                    timeline.arrival(now, utc);
                    timeline.push(unit.clone());
                }
                IngestOutput::SenderReport { report, .. } => timeline.sender_report(*report),
                IngestOutput::Anchor { source, timestamp, utc } => timeline.anchor(*source, *timestamp, *utc),
                IngestOutput::Discontinuity => timeline.discontinuity(),
                _ => {}
            }
            while let Some(group) = timeline.pull() {
                movie.group(group)?;
            }
        }
        self.record(|recorder| {
            match output {
                IngestOutput::AccessUnit(unit) => return recorder.push(now, unit),
                IngestOutput::Picture(unit) => return recorder.push_plain(now, unit),
                IngestOutput::SenderReport { report, .. } => recorder.sender_report(report),
                IngestOutput::Anchor { source, timestamp, utc } => recorder.anchor(source, timestamp, utc),
                IngestOutput::Discontinuity => recorder.discontinuity(),
                _ => {}
            }
            Ok(())
        })
    }

    fn finish(mut self, summary: &Summary) -> Result<ExitCode, Failure> {
        if let Some((mut timeline, mut movie)) = self.movie.take() {
            timeline.finish();
            while let Some(group) = timeline.pull() {
                movie.group(group)?;
            }
            if movie.finish()?.is_none() {
                return Err(Failure::new(
                    format!("{} has no picture in it that can be decoded", self.options.input.display()),
                    "replay it without -o and see what came of the session",
                ));
            }
        }
        let now = self.now;
        if let (Some(mut recorder), Some(root)) = (self.recorder.take(), &self.options.store) {
            recorder.finish(now).map_err(|error| explain::store("record into", root, &error))?;
        }
        let sha256: String = summary.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.options.digest {
            let text = format!("{sha256}\n");
            self.format
                .print(text, &json!({"event": "digest", "sha256": sha256, "events": summary.events}))?;
        } else {
            let json = json!({
                "event": "done", "events": summary.events, "sha256": sha256, "same": summary.same(),
                "blanked": summary.blanked, "torn_bytes": summary.torn,
            });
            self.format.print("", &json)?;
        }
        verdict(summary, &self.options.input, self.format)
    }
}

fn verdict(summary: &Summary, path: &Path, format: Format) -> Result<ExitCode, Failure> {
    let events = count(summary.events, "event");
    let text = match summary.same() {
        Some(true) => format!("{events}, the same as when it was recorded"),
        Some(false) => {
            return Err(Failure::new(
                format!("{}: the events are not those of the run that was recorded", path.display()),
                "replay it with the version that recorded it, and compare the lines: what differs is what has changed",
            ));
        }
        None if summary.torn > 0 => {
            format!("{events}; the file was cut off inside a record, {} left", summary.torn)
        }
        None => format!("{events}; the file was cut off, and does not say how many there were"),
    };
    if format == Format::Text {
        note(&text);
    }
    Ok(ExitCode::SUCCESS)
}
