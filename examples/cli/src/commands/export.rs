//! `vigie export`.

mod folder;
mod journal;
mod manifest;
mod missing;
mod movie;
mod originals;
mod read;
mod verify;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use vigie::gix::Span;
use vigie::limits::Limits;
use vigie::view::export::{self, File};

use super::ls::{at, length};
use super::stop::Stop;
use crate::args::Export;
use crate::explain;
use crate::failure::{Failure, SHORT};
use crate::moment::{count, show_bytes, show_span, utc_now};
use crate::new_file::NewFile;
use crate::output::{Format, Progress, note};
use crate::stores::Stores;
use folder::{Folder, Hashed, hex};
use manifest::{Content, Manifest, Missing, Original, Range};
use read::Reader;

pub(super) fn run(options: &Export, format: Format) -> Result<ExitCode, Failure> {
    if let Some(folder) = &options.verify {
        return verify::run(folder, format);
    }
    let request = Request::of(options)?;
    let stop = Stop::listen();
    let storage = request.stores.read()?;
    let source = explain::names(request.tenant, request.camera)?;
    let mut reader = Reader::new(storage, source, request.window, &request.stores, &stop)?;
    let mut sound = reader.sound()?;

    let progress = Progress::line("reading the index");
    let plan = reader.plan(request.plan(), &progress)?;
    let sound_plan = sound.as_mut().map(|sound| sound.plan_sound(&progress)).transpose()?;
    progress.done();
    let files = plan.finish_with(sound_plan);
    if files.is_empty() {
        return Err(missing::nothing(&mut reader));
    }
    let missing = missing::of(&reader, &files, options.strict_range);
    let made = if is_folder(request.output) {
        into_folder(&request, &mut reader, sound.as_mut(), &files, &missing)?
    } else {
        into_files(&request, &mut reader, sound.as_mut(), &files)?
    };
    report(&made, &files, &missing, format)?;
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SHORT) })
}

/// What was asked for.
struct Request<'a> {
    options: &'a Export,
    stores: Stores,
    tenant: &'a str,
    camera: &'a str,
    window: Span,
    output: &'a Path,
}

impl<'a> Request<'a> {
    fn of(options: &'a Export) -> Result<Self, Failure> {
        let Export {
            stores,
            tenant: Some(tenant),
            camera: Some(camera),
            from: Some(from),
            to: Some(to),
            output: Some(output),
            ..
        } = options
        else {
            return Err(Failure::new("a part of the command line is missing", "see vigie export --help"));
        };
        for (option, said) in
            [("--operator", &options.operator), ("--reason", &options.reason), ("--case", &options.case)]
        {
            let fits = |text: &String| {
                !text.is_empty() && text.chars().count() <= 500 && !text.chars().any(char::is_control)
            };
            if said.as_ref().is_some_and(|text| !fits(text)) {
                return Err(Failure::new(
                    format!("{option} has 1 to 500 characters, and no line break"),
                    "say it shorter, or leave it out",
                ));
            }
        }
        let window = Span::new(from.0, to.0);
        if window.is_empty() {
            return Err(Failure::new(
                "the range ends before it starts",
                "give --from a moment that lies before that of --to",
            ));
        }
        Ok(Self { options, stores: Stores::new(stores.clone()), tenant, camera, window, output })
    }

    fn plan(&self) -> export::Export {
        let plan = export::Export::new(self.window.from, self.window.to, &Limits::default()).split_at_gaps();
        let plan = if self.options.strict_range { plan.strict() } else { plan };
        if self.options.subtitles { plan.with_subtitles() } else { plan }
    }
}

/// Is that a place for a folder: one that is there, or a name without an extension? A device is none.
fn is_folder(output: &Path) -> bool {
    match std::fs::metadata(output) {
        Ok(found) => found.is_dir(),
        Err(_) => output.extension().is_none() || output.to_string_lossy().ends_with(std::path::is_separator),
    }
}

/// `clip.mp4`, then `clip-2.mp4`, …
fn numbered(path: &Path, ordinal: usize) -> PathBuf {
    if ordinal == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{}{extension}", ordinal + 1))
}

/// What was written where.
struct Made {
    movies: Vec<PathBuf>,
    /// The folder, the hash of its manifest, and its originals.
    folder: Option<(PathBuf, String, Vec<Original>)>,
}

fn into_files(
    request: &Request<'_>,
    reader: &mut Reader<'_>,
    mut sound: Option<&mut Reader<'_>>,
    files: &[File],
) -> Result<Made, Failure> {
    let progress = Progress::bytes(files.iter().map(|f| f.len).sum(), "writing");
    let (mut written, mut movies, mut contents, mut done) =
        (Vec::<NewFile>::new(), Vec::new(), Vec::new(), 0);
    for (ordinal, file) in files.iter().enumerate() {
        let path = numbered(request.output, ordinal);
        let out = Hashed::create(&path, &path.file_name().unwrap_or_default().to_string_lossy())?;
        let (out, content) = movie::write(reader, sound.as_deref_mut(), out, file, &progress, &mut done)?;
        written.push(out);
        contents.push(content);
        movies.push(path);
    }
    journal::tell(request, reader, &contents)?;
    // All or none: half of them would look like the whole.
    written.into_iter().try_for_each(NewFile::finish)?;
    progress.done();
    Ok(Made { movies, folder: None })
}

fn into_folder(
    request: &Request<'_>,
    reader: &mut Reader<'_>,
    mut sound: Option<&mut Reader<'_>>,
    files: &[File],
    missing: &[(Span, String)],
) -> Result<Made, Failure> {
    let folder = Folder::create(request.output)?;
    let kept = |reader: &Reader<'_>| reader.stored.iter().map(|s| u64::from(s.entry.mark.len)).sum::<u64>();
    let originals = if request.options.no_originals {
        0
    } else {
        kept(reader) + sound.as_deref().map(kept).unwrap_or_default()
    };
    let progress = Progress::bytes(files.iter().map(|f| f.len).sum::<u64>() + originals, "writing");
    let mut manifest = Manifest {
        kind: manifest::KIND.to_owned(),
        version: manifest::VERSION,
        tool: concat!("vigie ", env!("CARGO_PKG_VERSION")).to_owned(),
        made: utc_now().to_string(),
        tenant: request.tenant.to_owned(),
        camera: request.camera.to_owned(),
        operator: request.options.operator.clone(),
        reason: request.options.reason.clone(),
        case: request.options.case.clone(),
        requested: range(request.window),
        strict_range: request.options.strict_range,
        complete: missing.is_empty(),
        delivered: files.iter().map(|f| range(Span::new(f.first, f.end.min(request.window.to)))).collect(),
        missing: missing.iter().map(told).collect(),
        movies: Vec::new(),
        originals: Vec::new(),
    };
    let first = files.first().map_or(request.window.from, |f| f.first);
    let stamp: String = format!("{first:.0}").chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let stem = PathBuf::from(format!("{}_{}_{stamp}.mp4", request.tenant, request.camera));
    let (mut movies, mut done) = (Vec::new(), 0);
    for (ordinal, file) in files.iter().enumerate() {
        let name = numbered(&stem, ordinal);
        let out = folder.file(&name.to_string_lossy())?;
        let (out, content) = movie::write(reader, sound.as_deref_mut(), out, file, &progress, &mut done)?;
        out.finish()?;
        manifest.movies.push(movie::told(reader, file, content));
        movies.push(folder.given().join(name));
    }
    if !request.options.no_originals {
        manifest.originals = originals::copy(reader, &folder, &progress, &mut done)?;
        if let Some(sound) = sound {
            manifest.originals.extend(originals::copy(sound, &folder, &progress, &mut done)?);
        }
    }
    let sha256 = beside(&folder, &manifest)?;
    let mut contents: Vec<_> = manifest.contents().cloned().collect();
    contents.push(sha256.clone());
    journal::tell(request, reader, &contents)?;
    let path = folder.finish()?;
    progress.done();
    Ok(Made { movies, folder: Some((path, sha256.sha256, manifest.originals)) })
}

/// Writes the manifest, the list of hashes and the page for people; gives the manifest's name and hash.
fn beside(folder: &Folder, manifest: &Manifest) -> Result<Content, Failure> {
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|error| Failure::new(format!("the manifest cannot be written: {error}"), "report it"))?;
    let page = folder.text("README.txt", PAGE)?;
    let told = folder.text(manifest::NAME, &(text + "\n"))?;
    let line = |content: &Content| format!("{}  {}\n", content.sha256, content.name);
    let sums: String = manifest.contents().chain([&told, &page]).map(line).collect();
    folder.text("SHA256SUMS", &sums)?;
    Ok(told)
}

const PAGE: &str = "\
What this folder holds
======================

*.mp4           the movies. They open in the players of Windows, Apple and Linux, and in browsers. Each shows the pictures
                of one stretch without a gap; where there are several, -2, -3 … follow in time.
originals/      the recording that the movies were made of, unchanged: what an expert examines.
manifest.json   what was asked for, what was delivered and what is missing and why; how exact the clock was; who exported,
                why and for which case; and the SHA-256 of each file. All times are UTC.
SHA256SUMS      the same hashes, for `sha256sum -c SHA256SUMS`.

To check that nothing was changed:   vigie export --verify FOLDER
The hash of manifest.json was shown when the export was made: note it apart from this folder, and compare.
";

fn range(span: Span) -> Range {
    Range { from: span.from.to_string(), to: span.to.to_string() }
}

fn told((span, cause): &(Span, String)) -> Missing {
    let Range { from, to } = range(*span);
    Missing { from, to, cause: cause.clone() }
}

fn report(made: &Made, files: &[File], missing: &[(Span, String)], format: Format) -> Result<(), Failure> {
    let mut text = String::new();
    let mut movies = Vec::new();
    for (path, file) in made.movies.iter().zip(files) {
        let micros =
            u64::try_from(vigie::time::Ticks::micros(i64::try_from(file.duration).unwrap_or(0))).unwrap_or(0);
        let _ = writeln!(
            text,
            "{}: {} from {} to {}, {}, {}{}{}",
            path.display(),
            count(file.pictures.into(), "picture"),
            at(file.first),
            at(file.last),
            show_span(micros),
            show_bytes(file.len),
            if file.sound.is_empty() { "" } else { ", with sound" },
            if file.subtitles { ", with subtitles" } else { "" },
        );
        movies.push(json!({
            "path": path, "pictures": file.pictures, "hidden_pictures": file.hidden, "bytes": file.len,
            "audio": !file.sound.is_empty(), "subtitles": file.subtitles,
            "first": file.first.to_string(), "last": file.last.to_string(), "to": file.end.to_string(),
            "seconds": micros as f64 / 1e6,
        }));
    }
    if files.len() > 1 {
        text.push_str("there are gaps, or the camera changed its picture: hence more than one file\n");
    }
    let folder = made.folder.as_ref().map_or(Value::Null, |(path, sha256, originals)| {
        let bytes = originals.iter().map(|original| original.content.bytes).sum();
        let _ = writeln!(
            text,
            "{}: {} ({}), manifest.json with SHA-256 {sha256}",
            path.display(),
            count(originals.len() as u64, "original"),
            show_bytes(bytes),
        );
        json!({"path": path, "originals": originals.len(), "original_bytes": bytes, "manifest_sha256": sha256})
    });
    let lacks: Vec<_> = missing.iter().map(told).collect();
    let document = json!({
        "files": movies, "missing": lacks, "complete": missing.is_empty(), "folder": folder,
    });
    format.print(text, &document)?;
    if format == Format::Text && !missing.is_empty() {
        for (span, why) in missing {
            note(&format!("missing: {} to {} ({}): {why}", at(span.from), at(span.to), length(*span)));
        }
        note("the export is good, but holds less than was asked: exit code 3");
    }
    Ok(())
}

/// SHA-256 of a file, read piece by piece.
fn hash(path: &Path) -> std::io::Result<(u64, String)> {
    use sha2::Digest as _;
    use std::io::Read as _;
    let mut file = std::fs::File::open(path)?;
    let (mut sha, mut len, mut piece) = (sha2::Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            return Ok((len, hex(&sha.finalize())));
        }
        sha.update(piece.get(..n).unwrap_or_default());
        len += n as u64;
    }
}
