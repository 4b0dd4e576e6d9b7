//! What is asked of a changed session: Vigie goes through it without a panic and gives only what keeps its promises, and the
//! vendor's decoder goes through what Vigie gives without a crash or a hang.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use vigie::fragment::{Fragmenter, Piece};
use vigie::h26x::nal_units;
use vigie::limits::Limits;
use vigie::record::capture::Writer;
use vigie::record::{Ingest, IngestOutput};
use vigie::rtsp::Url;
use vigie::session::Config;
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{Mode, Timeline};

use super::script::Script;
use crate::failure::Failure;

/// Microseconds from one piece to the next.
const STEP: u64 = 2_000;
/// 2026-01-01: sessions are dated the same whenever they are played.
const UTC: UtcMicros = UtcMicros(1_767_225_600_000_000);
/// Outputs of a session that are too many: more than its bytes can be.
const OUTPUTS: usize = 1 << 20;

/// What was found in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// `vigie` or `decoder`.
    pub(super) who: &'static str,
    /// What it did; two findings of the same are one.
    pub(super) what: String,
}

/// The vendor's decoder.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    /// With `{}` in place of the file.
    command: String,
    patience: Duration,
    file: PathBuf,
    /// The last input, and what came of it.
    last: Option<(Vec<u8>, Option<Fault>)>,
}

impl Decoder {
    pub(super) fn new(
        command: &str,
        patience: Duration,
        folder: &Path,
        extension: &str,
    ) -> Result<Self, Failure> {
        if !command.contains("{}") {
            return Err(Failure::new(
                "--decoder names no place for the file",
                "write {} where the name of the file is to be, as in --decoder './decode {}'",
            ));
        }
        let file = folder.join(format!("input.{extension}"));
        Ok(Self { command: command.to_owned(), patience, file, last: None })
    }

    fn run(&mut self, stream: &[u8]) -> Result<Option<Fault>, Failure> {
        if let Some((_, said)) = self.last.as_ref().filter(|(before, _)| before == stream) {
            return Ok(said.clone());
        }
        std::fs::write(&self.file, stream).map_err(|error| Failure::file("write", &self.file, &error))?;
        let quoted = format!("'{}'", self.file.display().to_string().replace('\'', "'\\''"));
        let child = Command::new("sh")
            .arg("-c")
            .arg(format!("exec {}", self.command.replace("{}", &quoted)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.map_err(|error| {
            Failure::new(format!("the decoder cannot be started: {error}"), "check the command of --decoder")
        })?;
        let start = Instant::now();
        let what = loop {
            match child.try_wait() {
                // How a shell says that there is no such program. On the stream as it is, before any change: a decoder that
                // never ran would be said to be without a fault.
                Ok(Some(status)) if self.last.is_none() && matches!(status.code(), Some(126 | 127)) => {
                    return Err(Failure::new(
                        format!("the decoder cannot be started: {}", self.command),
                        "check the command of --decoder: a program and its arguments, or a script",
                    ));
                }
                Ok(Some(status)) => break died(status),
                Ok(None) if start.elapsed() > self.patience => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break Some("did not end in time".to_owned());
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Err(error) => {
                    return Err(Failure::new(
                        format!("the decoder cannot be waited for: {error}"),
                        "try again",
                    ));
                }
            }
        };
        let fault = what.map(|what| Fault { who: "decoder", what });
        self.last = Some((stream.to_vec(), fault.clone()));
        Ok(fault)
    }
}

/// By which signal, where by one; a shell says it by a code above 128.
fn died(status: ExitStatus) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return Some(format!("ended by signal {signal}"));
        }
    }
    status
        .code()
        .filter(|code| (129..=159).contains(code))
        .map(|code| format!("ended by signal {}", code - 128))
}

/// Plays a session; what Vigie gives, as an elementary stream, or what is wrong with Vigie.
pub(super) fn vigie(script: &Script) -> Result<Vec<u8>, Fault> {
    let played = catch_unwind(AssertUnwindSafe(|| play(script, None)));
    match played {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(what)) => Err(Fault { who: "vigie", what: what.to_owned() }),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
            Err(Fault { who: "vigie", what: format!("panicked: {text}") })
        }
    }
}

/// Both.
pub(super) fn judge(script: &Script, decoder: Option<&mut Decoder>) -> Result<Option<Fault>, Failure> {
    match (vigie(script), decoder) {
        (Err(fault), _) => Ok(Some(fault)),
        (Ok(stream), Some(decoder)) if !stream.is_empty() => decoder.run(&stream),
        (Ok(_), _) => Ok(None),
    }
}

/// The session as a file for `vigie replay` and `vigie vet`.
pub(super) fn capture(script: &Script) -> Vec<u8> {
    let mut writer = Writer::new(&Limits::default(), false);
    let _ = catch_unwind(AssertUnwindSafe(|| play(script, Some(&mut writer))));
    writer.take()
}

/// Through session, reorder, depacket, timeline and fragment, as a recorder does.
fn play(script: &Script, mut writer: Option<&mut Writer>) -> Result<Vec<u8>, &'static str> {
    let limits = Limits::default();
    let Ok((url, _)) = Url::parse("rtsp://camera/stream") else {
        return Err("does not know its own address");
    };
    let config = Config::new(url, [7; 32]);
    let mut now = Micros(0);
    if let Some(writer) = &mut writer {
        writer.open(now, UTC, 1, &config);
    }
    let mut way = Way {
        timeline: Timeline::new(Mode::Recording, &limits),
        fragmenter: Fragmenter::new(&limits),
        stream: Vec::new(),
        last: None,
        outputs: 0,
    };
    way.timeline.arrival(now, UTC);
    let mut ingest = Ingest::new(config, now);
    way.drain(&mut ingest, &mut writer)?;
    for piece in script.pieces() {
        now = now.plus(STEP);
        if let Some(writer) = &mut writer {
            writer.received(now, &piece);
        }
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let taken = ingest.handle_input(now, rest);
            rest = rest.get(taken..).unwrap_or_default();
            way.drain(&mut ingest, &mut writer)?;
            if taken == 0 {
                break;
            }
        }
    }
    now = now.plus(STEP);
    ingest.handle_closed(now);
    if let Some(writer) = &mut writer {
        writer.closed(now);
    }
    way.drain(&mut ingest, &mut writer)?;
    way.timeline.finish();
    way.groups()?;
    if let Some(writer) = &mut writer {
        writer.ended(now, "");
        writer.finish(now);
    }
    Ok(way.stream)
}

struct Way {
    timeline: Timeline,
    fragmenter: Fragmenter,
    stream: Vec<u8>,
    /// Epoch and decoding time of the last sample.
    last: Option<(u32, i64)>,
    outputs: usize,
}

impl Way {
    fn drain(&mut self, ingest: &mut Ingest, writer: &mut Option<&mut Writer>) -> Result<(), &'static str> {
        while let Some(output) = ingest.poll_output() {
            self.outputs += 1;
            if self.outputs > OUTPUTS {
                return Err("gives output without end");
            }
            if let Some(writer) = writer {
                writer.output(&output);
            }
            match output {
                IngestOutput::AccessUnit(unit) => {
                    let nals: usize = nal_units(&unit.data).map(|nal| nal.bytes.len() + 4).sum();
                    if nals != unit.data.len() {
                        return Err("gives an access unit whose lengths do not add up");
                    }
                    for nal in nal_units(&unit.data) {
                        self.stream.extend_from_slice(&[0, 0, 0, 1]);
                        self.stream.extend_from_slice(nal.bytes);
                    }
                    self.timeline.push(unit);
                }
                IngestOutput::SenderReport { report, .. } => self.timeline.sender_report(report),
                IngestOutput::Anchor { source, timestamp, utc } => {
                    self.timeline.anchor(source, timestamp, utc)
                }
                IngestOutput::Discontinuity => self.timeline.discontinuity(),
                _ => {}
            }
            self.groups()?;
        }
        if let Some(writer) = writer {
            writer.drained();
        }
        Ok(())
    }

    fn groups(&mut self) -> Result<(), &'static str> {
        while let Some(group) = self.timeline.pull() {
            for sample in &group.samples {
                let here = (group.epoch, sample.dts.0);
                if self.last.is_some_and(|last| here <= last) {
                    return Err("gives decoding times that do not rise");
                }
                self.last = Some(here);
            }
            // Samples that no parameter sets belong to are refused, which is right.
            if self.fragmenter.push(group).is_ok() {
                while let Some(piece) = self.fragmenter.pull() {
                    if let Piece::Fragment(fragment) = piece
                        && fragment.samples == 0
                    {
                        return Err("gives a fragment without samples");
                    }
                }
            }
        }
        Ok(())
    }
}
