//! `vigie fsck` and `vigie rebuild`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use vigie::gix::Day;
use vigie::store::{self, Checked, DayCheck, Finding, Kind, Recovered, Repair, Source, Storage as _};

use super::ls;
use super::stop::Stop;
use crate::args::{Fsck, Rebuild, Which};
use crate::explain;
use crate::failure::{FAILED, Failure};
use crate::moment::{count, show_bytes};
use crate::output::{Format, Progress};
use crate::stores::Written;
use crate::table::Table;

/// Exit code where Ctrl-C ended it, as shells have it.
const STOPPED: u8 = 130;

pub(super) fn run(options: &Fsck, format: Format) -> Result<ExitCode, Failure> {
    let how = if options.repair { How::Repair } else { How::Look };
    all(&options.which, how, format)
}

pub(super) fn rebuild(options: &Rebuild, format: Format) -> Result<ExitCode, Failure> {
    all(&options.which, How::Rebuild, format)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Look,
    Repair,
    /// Indexes only.
    Rebuild,
}

/// One volume after the other. One that is not there is told, and is a failure. Between two files it looks whether it is to
/// stop: each state on the way is one that a power cut could leave.
fn all(which: &Which, how: How, format: Format) -> Result<ExitCode, Failure> {
    let stop = Stop::listen();
    let stores = which.place.stores();
    let (tenant, camera) = (which.tenant.as_deref(), which.camera.as_deref());
    let sources = ls::sources(&mut stores.read()?, &stores, tenant, camera)?;
    let (mut missing, mut worst) = (None, 0);
    for (number, root) in stores.roots().iter().enumerate() {
        if stop.told() {
            worst = STOPPED;
            break;
        }
        match stores.volume(number) {
            Ok(storage) => {
                let code = Work::new(root, storage, &sources, how, &stop)?.all(format)?;
                worst = worst.max(code);
            }
            Err(error) => missing = missing.or(Some(explain::store("check", root, &error))),
        }
    }
    missing.map_or(Ok(ExitCode::from(worst)), Err)
}

struct Work<'a> {
    root: PathBuf,
    storage: Written,
    how: How,
    stop: &'a Stop,
    days: Vec<(Source, Day)>,
    progress: Progress,
    /// Bytes of the days that are done.
    before: u64,
    checked: Checked,
    unrepaired: u64,
    repaired: u64,
    /// Indexes written anew.
    written: u64,
    /// Cameras that are being recorded.
    live: Vec<Source>,
}

impl<'a> Work<'a> {
    fn new(
        root: &Path,
        mut storage: Written,
        sources: &[Source],
        how: How,
        stop: &'a Stop,
    ) -> Result<Self, Failure> {
        let (mut days, mut bytes) = (Vec::new(), 0);
        for source in sources {
            let failed = |error: store::Error| explain::store("read", root, &error);
            for day in store::days(&mut storage, source).map_err(failed)? {
                bytes += DayCheck::new(&mut storage, *source, day, false).map_err(failed)?.bytes();
                days.push((*source, day));
            }
        }
        let doing = if how == How::Rebuild { "making indexes anew" } else { "checking" };
        Ok(Self {
            progress: Progress::bytes(bytes, doing),
            root: root.to_owned(),
            storage,
            how,
            stop,
            days,
            before: 0,
            checked: Checked::default(),
            unrepaired: 0,
            repaired: 0,
            written: 0,
            live: Vec::new(),
        })
    }

    /// Its exit code.
    fn all(mut self, format: Format) -> Result<u8, Failure> {
        let mut table = Table::new(&["file", "what", ">at", ">count", ""]);
        let mut locked = None;
        for (source, day) in std::mem::take(&mut self.days) {
            if locked != Some(source) {
                locked.take().inspect(|source| self.unlock(source));
                if self.lock(&source)? {
                    locked = Some(source);
                }
            }
            let live = locked.is_none();
            let done = self.day(source, day, live)?;
            let Some((findings, repaired)) = done else { break };
            for finding in findings {
                let mended = repaired.contains(&finding);
                let note = finding.what.is_note();
                match (mended, note) {
                    (true, _) => self.repaired += 1,
                    (false, false) => self.unrepaired += 1,
                    (false, true) => {}
                }
                let state = if mended {
                    "repaired"
                } else if note {
                    "note"
                } else {
                    "damage"
                };
                if format == Format::Json {
                    format.print("", &json(&finding, state))?;
                }
                let count = if finding.count == 0 { String::new() } else { finding.count.to_string() };
                table.row([
                    finding.path,
                    finding.what.to_string(),
                    finding.at.to_string(),
                    count,
                    state.to_owned(),
                ]);
            }
        }
        self.progress.done();
        self.summary(&table, format)
    }

    /// `false` where somebody records the camera, or nothing can be locked there.
    fn lock(&mut self, source: &Source) -> Result<bool, Failure> {
        match self.storage.lock(&source.to_string()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind == Kind::Locked => {
                // Asked for once a day of its footage.
                if self.live.last() != Some(source) {
                    self.live.push(*source);
                }
                Ok(false)
            }
            // To look, it takes no right to write.
            Err(_) if self.how == How::Look => Ok(true),
            Err(error) => Err(self.failed("write", source, &error)),
        }
    }

    fn unlock(&mut self, source: &Source) {
        self.storage.unlock(&source.to_string());
    }

    /// What is wrong, and what of it was repaired; `None` where it was stopped.
    #[allow(clippy::type_complexity)]
    fn day(
        &mut self,
        source: Source,
        day: Day,
        live: bool,
    ) -> Result<Option<(Vec<Finding>, Vec<Finding>)>, Failure> {
        let Some((mut check, mut findings)) = self.check(source, day, live, true)? else { return Ok(None) };
        self.before += check.bytes();
        let (now, so_far) = (check.checked(), self.checked);
        self.checked.files = so_far.files + now.files;
        self.checked.fragments = so_far.fragments + now.fragments;
        self.checked.bytes = so_far.bytes + now.bytes;
        if live {
            return Ok(Some((findings, Vec::new())));
        }
        match self.how {
            How::Look => Ok(Some((findings, Vec::new()))),
            How::Rebuild => {
                let written = check.write_index(&mut self.storage);
                self.written += u64::from(written.map_err(|e| self.failed("write", &source, &e))?);
                Ok(Some((Vec::new(), Vec::new())))
            }
            How::Repair if findings.iter().all(|finding| finding.what.is_note()) => {
                Ok(Some((findings, Vec::new())))
            }
            How::Repair => {
                if self.repair(source, day)?.is_none() {
                    return Ok(None);
                }
                let Some((_, after)) = self.check(source, day, false, false)? else { return Ok(None) };
                let repaired = findings.iter().filter(|finding| !after.contains(finding)).cloned().collect();
                // What was put aside is told, too.
                findings.extend(after.into_iter().filter(|finding| finding.what.is_note()));
                findings.sort();
                findings.dedup();
                Ok(Some((findings, repaired)))
            }
        }
    }

    fn check(
        &mut self,
        source: Source,
        day: Day,
        live: bool,
        shown: bool,
    ) -> Result<Option<(DayCheck, Vec<Finding>)>, Failure> {
        let mut findings = Vec::new();
        let failed = |work: &Self, error: store::Error| work.failed("read", &source, &error);
        let mut check =
            DayCheck::new(&mut self.storage, source, day, live).map_err(|error| failed(self, error))?;
        while check.step(&mut self.storage, &mut findings).map_err(|error| failed(self, error))? {
            if shown {
                self.progress.at(self.before + check.checked().bytes);
            }
            if self.stop.told() {
                return Ok(None);
            }
        }
        Ok(Some((check, findings)))
    }

    fn repair(&mut self, source: Source, day: Day) -> Result<Option<Recovered>, Failure> {
        let failed = |work: &Self, error: store::Error| work.failed("repair", &source, &error);
        let mut repair = Repair::new(&mut self.storage, source, day).map_err(|error| failed(self, error))?;
        loop {
            if let Some(done) = repair.step(&mut self.storage).map_err(|error| failed(self, error))? {
                return Ok(Some(done));
            }
            if self.stop.told() {
                return Ok(None);
            }
        }
    }

    fn failed(&self, doing: &str, source: &Source, error: &store::Error) -> Failure {
        explain::store(doing, &self.root.join(Path::new(&source.to_string())), error)
    }

    fn summary(self, table: &Table, format: Format) -> Result<u8, Failure> {
        let stopped = self.stop.told();
        let Checked { files, fragments, bytes, .. } = self.checked;
        let mut text = if table.is_empty() { String::new() } else { format!("{table}\n") };
        text += &format!(
            "{}, {}, {} read",
            count(files, "file"),
            count(fragments, "fragment"),
            show_bytes(bytes)
        );
        text += &match self.how {
            How::Rebuild => format!("; {} written anew", count(self.written, "index file")),
            How::Repair => {
                format!("; {} repaired, {} left", count(self.repaired, "finding"), self.unrepaired)
            }
            How::Look if self.unrepaired == 0 => "; all is whole".to_owned(),
            How::Look => {
                format!("; {}: `vigie fsck --repair` repairs what can be", count(self.unrepaired, "finding"))
            }
        };
        text.push('\n');
        for source in &self.live {
            text += &format!(
                "{source} is being recorded: what is unfinished there is not told, and nothing is changed\n"
            );
        }
        if stopped {
            text += "ended before all was read\n";
        }
        let live: Vec<String> = self.live.iter().map(ToString::to_string).collect();
        let json = json!({
            "event": "done", "store": self.root, "files": files, "fragments": fragments, "bytes": bytes,
            "damage": self.unrepaired, "repaired": self.repaired, "indexes_written": self.written,
            "being_recorded": live, "stopped": stopped,
        });
        format.print(text, &json)?;
        Ok(match (stopped, self.unrepaired) {
            (true, _) => STOPPED,
            (false, 0) => 0,
            (false, _) => FAILED,
        })
    }
}

fn json(finding: &Finding, state: &str) -> serde_json::Value {
    json!({
        "event": "finding", "path": finding.path, "what": finding.what.name(), "says": finding.what.to_string(),
        "at": finding.at, "count": finding.count, "state": state,
    })
}
