//! `vigie vet --mutate`: the vendor's own stream, changed at random by a seed, through Vigie and through the vendor's decoder.
//! What makes either of them crash, hang or break a promise is made as small as it gets, and kept.

mod change;
mod dice;
mod judge;
mod minimise;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

pub(super) use dice::Dice;
pub(super) use script::{Kept, Sent};

use crate::failure::Failure;
use crate::moment::count;
use crate::output::Progress;
use judge::{Decoder, Fault};
use script::Script;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Changed sessions.
    pub iterations: u64,
    /// The same seed changes the same stream in the same way.
    pub seed: u64,
    /// Command of a decoder, `{}` in place of the file that it is given.
    pub decoder: Option<&'a str>,
    /// How long the decoder may take for one file.
    pub patience: Duration,
    /// Where what was found is kept.
    pub keep: Option<&'a Path>,
}

/// Something that a changed session has done.
#[derive(Clone, Debug)]
pub struct Found {
    fault: Fault,
    /// The first iteration that did it, and how many did.
    iteration: u64,
    times: u64,
    changes: Vec<&'static str>,
    /// Packets and bytes before and after.
    before: (usize, usize),
    after: (usize, usize),
    files: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Mutations {
    source: String,
    iterations: u64,
    seed: u64,
    found: Vec<Found>,
}

/// Changes what was kept of a source, as often as the plan says.
///
/// # Errors
/// The source held no video, the decoder cannot be started, or a file cannot be written.
pub(super) fn run(source: &str, kept: Kept, plan: &Plan<'_>) -> Result<Mutations, Failure> {
    let script = Script::of(kept)?;
    let extension = match script.codec {
        vigie::codec::Codec::H264 => "h264",
        vigie::codec::Codec::H265 => "h265",
    };
    let scratch = plan.decoder.map(|_| Scratch::new()).transpose()?;
    let mut decoder = plan
        .decoder
        .zip(scratch.as_ref())
        .map(|(command, folder)| Decoder::new(command, plan.patience, &folder.0, extension))
        .transpose()?;
    // As it is, it must be shown: else nothing that is changed comes as far as the pictures, and nothing can be found.
    if judge::vigie(&script).is_ok_and(|stream| stream.is_empty()) {
        return Err(Failure::new(
            "Vigie gives no picture of the stream as it is: changes to it would show nothing",
            "give a stream with its description and a key picture among its first packets; encrypted RTP cannot be changed",
        ));
    }
    // And nothing may go wrong: else every change would be blamed for it.
    if let Some(fault) = judge::judge(&script, decoder.as_mut())? {
        return Err(Failure::new(
            format!("the {} {} on the stream as it is", fault.who, fault.what),
            "mend that first, or give another stream: changes would all be blamed for it",
        ));
    }
    if let Some(keep) = plan.keep {
        std::fs::create_dir_all(keep).map_err(|error| Failure::file("make the folder", keep, &error))?;
    }
    let quiet = Quiet::new();
    let progress = Progress::line("changing the stream");
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for iteration in 0..plan.iterations {
        let mut changed = script.clone();
        let mut dice = Dice::new(plan.seed, iteration);
        let changes = change::mutate(&mut changed, &mut dice);
        let Some(fault) = judge::judge(&changed, decoder.as_mut())? else { continue };
        let signature = format!("{} {}", fault.who, fault.what);
        if let Some(before) = found.get_mut(&signature) {
            before.times += 1;
            continue;
        }
        progress.say(format!("making smaller what the {signature} on"));
        let before = (changed.packets.len(), changed.size());
        let mut failed = None;
        let least =
            minimise::minimise(changed, &mut |candidate| match judge::judge(candidate, decoder.as_mut()) {
                Ok(now) => now.as_ref() == Some(&fault),
                Err(error) => {
                    failed.get_or_insert(error);
                    false
                }
            });
        if let Some(error) = failed {
            return Err(error);
        }
        let after = (least.packets.len(), least.size());
        let number = found.len() + 1;
        let files = keep(plan.keep, number, &least, extension)?;
        found.insert(signature, Found { fault, iteration, times: 1, changes, before, after, files });
        progress.say(format!("{} found", count(number as u64, "finding")));
    }
    drop(quiet);
    progress.done();
    let mut found: Vec<Found> = found.into_values().collect();
    found.sort_by_key(|found| found.iteration);
    Ok(Mutations { source: source.to_owned(), iterations: plan.iterations, seed: plan.seed, found })
}

/// Writes a finding down: the session, and what the decoder was given.
fn keep(
    folder: Option<&Path>,
    number: usize,
    script: &Script,
    extension: &str,
) -> Result<Vec<String>, Failure> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let mut files = vec![(format!("finding-{number}.vcap"), judge::capture(script))];
    if let Ok(stream) = judge::vigie(script) {
        files.push((format!("finding-{number}.{extension}"), stream));
    }
    for (name, bytes) in &files {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

impl Mutations {
    /// Was nothing found?
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let found: Vec<Value> = self
            .found
            .iter()
            .map(|found| {
                json!({
                    "who": found.fault.who, "what": found.fault.what, "iteration": found.iteration, "count": found.times,
                    "changes": found.changes, "packets": found.after.0, "bytes": found.after.1,
                    "packets_before": found.before.0, "bytes_before": found.before.1, "files": found.files,
                })
            })
            .collect();
        json!({"source": self.source, "iterations": self.iterations, "seed": self.seed, "findings": found})
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "{}: {}, seed {}, {}\n",
            self.source,
            count(self.iterations, "changed session"),
            self.seed,
            count(self.found.len() as u64, "finding")
        );
        for found in &self.found {
            out += &format!(
                "\n{} {}, {}; first in iteration {}\n  changed: {}\n  made smaller: {} to {}, {} to {} bytes\n",
                found.fault.who,
                found.fault.what,
                count(found.times, "time"),
                found.iteration,
                found.changes.join("; "),
                count(found.before.0 as u64, "packet"),
                found.after.0,
                found.before.1,
                found.after.1
            );
            if !found.files.is_empty() {
                out += &format!("  kept: {}\n", found.files.join(", "));
            }
        }
        out
    }
}

/// The folder of the decoder's inputs, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    /// One that was not there before, and that nobody else can look or write into: the inputs are somebody's pictures, and in
    /// a folder that others have laid out, writing may be led elsewhere.
    fn new() -> Result<Self, Failure> {
        let builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        let builder = {
            use std::os::unix::fs::DirBuilderExt as _;
            let mut builder = builder;
            builder.mode(0o700);
            builder
        };
        let mut number = 0;
        loop {
            let name = format!("vigie-vet-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            match builder.create(&folder) {
                Ok(()) => return Ok(Self(folder)),
                // Of a run that was killed.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 1_000 => {
                    number += 1
                }
                Err(error) => return Err(Failure::file("make the folder", &folder, &error)),
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Panics that are findings are not printed as well.
struct Quiet;

impl Quiet {
    fn new() -> Self {
        std::panic::set_hook(Box::new(|_| {}));
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::panic::take_hook();
        }
    }
}
