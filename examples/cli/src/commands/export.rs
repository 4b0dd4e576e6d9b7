//! `vigie export`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use vigie::gix::Span;
use vigie::limits::Limits;
use vigie::play::{self, Local};
use vigie::store::{self, Cause, FileStorage, Gap, Listing, Source};
use vigie::view::export::{self, Part};

use super::ls::{self, at, cause, length};
use crate::args::Export;
use crate::explain;
use crate::failure::{Failure, SHORT};
use crate::moment::{count, show_bytes, show_span, utc_now};
use crate::new_file::NewFile;
use crate::output::{Format, Progress, note};

/// Less than this is no gap: as much lies between two pictures.
const JOIN: i64 = 200_000;

pub(super) fn run(options: &Export, format: Format) -> Result<ExitCode, Failure> {
    let source = explain::names(&options.tenant, &options.camera)?;
    let window = Span::new(options.from.0, options.to.0);
    if window.is_empty() {
        return Err(Failure::new(
            "the range ends before it starts",
            "give --from a moment that lies before that of --to",
        ));
    }
    let mut storage = ls::open(&options.store)?;
    let failed = |error: store::Error| explain::store("read", &options.store, &error);
    let listing = Listing::load(&mut storage, &source, window).map_err(failed)?;
    let mut sound = Sound::of(options, &storage, source, window)?;
    let mut reader = Reader { storage, source, window, root: &options.store, damaged: Vec::new() };

    let progress = Progress::line("reading the index");
    let mut plan = export::Export::new(window.from, window.to, &Limits::default());
    reader.each(|number, stored| match stored {
        Stored::Init(bytes) => plan.init(bytes),
        Stored::Fragment(bytes) => plan.fragment(number, bytes),
    })?;
    let sound_plan = sound.as_mut().map(Sound::plan).transpose()?;
    let files = plan.finish_with(sound_plan);
    if files.is_empty() {
        progress.done();
        return Err(empty(&mut reader, &listing));
    }
    let mut written = Vec::new();
    for (ordinal, file) in files.into_iter().enumerate() {
        let path = numbered(&options.output, ordinal);
        progress.say(format!("writing {}", path.display()));
        write(&mut reader, sound.as_mut(), &path, &file)?;
        written.push((path, file));
    }
    progress.done();
    let missing = missing(&listing, window, &reader.damaged);
    report(&written, &missing, format)?;
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SHORT) })
}

/// `clip.mp4`, then `clip-2.mp4`, …: where the camera changed its picture size or codec, one file cannot hold both.
fn numbered(path: &Path, ordinal: usize) -> PathBuf {
    if ordinal == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{}{extension}", ordinal + 1))
}

enum Stored<'a> {
    Init(&'a [u8]),
    Fragment(&'a [u8]),
}

/// Reads the stored stream of the range, in the same order each time.
struct Reader<'a> {
    storage: FileStorage,
    source: Source,
    window: Span,
    root: &'a Path,
    damaged: Vec<(Span, play::Error)>,
}

impl Reader<'_> {
    /// From the fragment that decoding has to start at, to the last that may show a picture of the range. Fragments are
    /// numbered from 0.
    fn each(
        &mut self,
        mut take: impl FnMut(u64, Stored<'_>) -> Result<(), vigie::bmff::Error>,
    ) -> Result<(), Failure> {
        let mut local = Local::new(self.storage.clone(), self.source);
        local.seek(self.window.from);
        self.damaged.clear();
        let mut number = 0;
        loop {
            let next = local.next(utc_now()).map_err(|e| explain::store("read", self.root, &e))?;
            let taken = match next {
                play::Output::Init { bytes, .. } => take(number, Stored::Init(&bytes)),
                play::Output::Fragment { entry, .. } if entry.span().from >= self.window.to => return Ok(()),
                play::Output::Fragment { bytes, .. } => {
                    let taken = take(number, Stored::Fragment(&bytes));
                    number += 1;
                    taken
                }
                play::Output::Gap(gap) if gap.to >= self.window.to => return Ok(()),
                play::Output::Damaged { span, error } => {
                    self.damaged.push((span.and(self.window), error));
                    Ok(())
                }
                play::Output::End => return Ok(()),
                play::Output::Failed(error) => {
                    return Err(Failure::fault(
                        "the recording cannot be read",
                        &error,
                        "record the camera once more into this store: opening it makes the index anew",
                    ));
                }
                _ => Ok(()),
            };
            taken.map_err(|e| explain::bug("the recording cannot be put into an MP4", &e))?;
        }
    }
}

/// What was recorded of the camera's sound.
struct Sound<'a>(Reader<'a>);

impl<'a> Sound<'a> {
    /// `None` where there is none.
    fn of(
        options: &'a Export,
        storage: &FileStorage,
        source: Source,
        window: Span,
    ) -> Result<Option<Self>, Failure> {
        let Ok(source) = source.audio() else { return Ok(None) };
        let mut storage = storage.clone();
        let days = store::days(&mut storage, &source);
        if days.map_err(|e| explain::store("read", &options.store, &e))?.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self(Reader { storage, source, window, root: &options.store, damaged: Vec::new() })))
    }

    fn plan(&mut self) -> Result<export::Export, Failure> {
        let window = self.0.window;
        let mut plan = export::Export::new(window.from, window.to, &Limits::default());
        self.0.each(|number, stored| match stored {
            Stored::Init(bytes) => plan.init(bytes),
            Stored::Fragment(bytes) => plan.fragment(number, bytes),
        })?;
        Ok(plan)
    }
}

/// Copies the pictures and then the sound, part by part, in the order of the file.
fn write(
    reader: &mut Reader<'_>,
    sound: Option<&mut Sound<'_>>,
    path: &Path,
    file: &export::File,
) -> Result<(), Failure> {
    let mut out = NewFile::create(path)?;
    out.write(&file.head)?;
    copy(reader, &file.parts, &mut out)?;
    if let Some(sound) = sound.filter(|_| !file.sound.is_empty()) {
        copy(&mut sound.0, &file.sound, &mut out)?;
    }
    out.finish()
}

fn copy(reader: &mut Reader<'_>, parts: &[Part], out: &mut NewFile) -> Result<(), Failure> {
    let mut parts = parts.iter().peekable();
    let mut failed = None;
    reader.each(|number, stored| {
        let Stored::Fragment(bytes) = stored else { return Ok(()) };
        while let Some(Part { offset, len, .. }) = parts.next_if(|part| part.fragment == number) {
            let part = usize::try_from(*offset).ok().zip(usize::try_from(offset + len).ok());
            match part.and_then(|(from, to)| bytes.get(from..to)) {
                Some(bytes) if failed.is_none() => failed = out.write(bytes).err(),
                Some(_) => {}
                None => failed = failed.take().or_else(|| Some(changed())),
            }
        }
        Ok(())
    })?;
    match failed {
        Some(failure) => Err(failure),
        None if parts.next().is_some() => Err(changed()),
        None => Ok(()),
    }
}

fn changed() -> Failure {
    Failure::new(
        "the recording was changed while it was exported",
        "export again; footage whose time is over may just have been deleted",
    )
}

/// What the range asks for and the recording does not have, with causes as far as they are known.
fn missing(listing: &Listing, window: Span, damaged: &[(Span, play::Error)]) -> Vec<(Span, String)> {
    let mut out = Vec::new();
    let mut from = window.from;
    let mut add = |span: Span| {
        if span.to.0.saturating_sub(span.from.0) >= JOIN {
            let known: Option<&Gap> = listing.gaps.iter().find(|gap| !gap.span.and(span).is_empty());
            out.push((span, known.map_or_else(|| "not recorded".to_owned(), cause)));
        }
    };
    for range in &listing.ranges {
        add(Span::new(from, range.from.min(window.to)));
        from = from.max(range.to);
    }
    add(Span::new(from, window.to));
    let bad = damaged.iter().filter(|(span, _)| !span.is_empty());
    out.extend(bad.map(|(span, error)| (*span, error.kind.to_string())));
    out.sort_by_key(|(span, _)| span.from);
    out
}

/// Nothing to show in the range: is there such a camera at all, and when was it recorded?
fn empty(reader: &mut Reader<'_>, listing: &Listing) -> Failure {
    let Reader { storage, source, window, root, .. } = reader;
    let all = Listing::load(storage, source, Span::ALL).map(|l| l.ranges).unwrap_or_default();
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        if !store::days(storage, source).unwrap_or_default().is_empty() {
            return Failure::new(
                format!("{source} has no picture yet"),
                "wait a few seconds: a recording is kept GOP by GOP",
            );
        }
        let sources = ls::all(storage).unwrap_or_default();
        return ls::nothing(root, &sources);
    };
    let why: Vec<String> = listing.gaps.iter().map(|gap| format!("{}", gap.cause)).collect();
    let why = if why.is_empty() || why == [Cause::Operator.name()] {
        String::new()
    } else {
        format!(" (cause: {})", why.join(", "))
    };
    Failure::new(
        format!("{source} has no picture from {} to {}{why}", at(window.from), at(window.to)),
        format!(
            "choose a range between {} and {}; `vigie ls` lists what is there",
            at(first.from),
            at(last.to)
        ),
    )
}

fn report(
    written: &[(PathBuf, export::File)],
    missing: &[(Span, String)],
    format: Format,
) -> Result<(), Failure> {
    let mut text = String::new();
    let mut files = Vec::new();
    for (path, file) in written {
        let micros =
            u64::try_from(vigie::time::Ticks::micros(i64::try_from(file.duration).unwrap_or(0))).unwrap_or(0);
        let _ = writeln!(
            text,
            "{}: {} from {} to {}, {}, {}{}",
            path.display(),
            count(file.pictures.into(), "picture"),
            at(file.first),
            at(file.last),
            show_span(micros),
            show_bytes(file.len),
            if file.sound.is_empty() { "" } else { ", with sound" },
        );
        files.push(json!({
            "path": path, "pictures": file.pictures, "hidden_pictures": file.hidden, "bytes": file.len,
            "audio": !file.sound.is_empty(),
            "first": file.first.to_string(), "last": file.last.to_string(), "seconds": micros as f64 / 1e6,
        }));
    }
    if written.len() > 1 {
        text.push_str("the camera changed its picture in between: hence more than one file\n");
    }
    let lacks: Vec<_> = missing
        .iter()
        .map(|(span, why)| json!({"from": span.from.to_string(), "to": span.to.to_string(), "cause": why}))
        .collect();
    format.print(text, &json!({"files": files, "missing": lacks, "complete": missing.is_empty()}))?;
    if format == Format::Text && !missing.is_empty() {
        for (span, why) in missing {
            note(&format!("missing: {} to {} ({}): {why}", at(span.from), at(span.to), length(*span)));
        }
        note("the file is good, but holds less than was asked: exit code 3");
    }
    Ok(())
}
