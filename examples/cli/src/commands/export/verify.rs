//! `vigie export --verify`: is a folder what was exported?

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use vigie::bmff::moof::Moof;
use vigie::bmff::moov::Moov;
use vigie::bmff::moov::trak::Trak;
use vigie::bmff::moov::trak::mdia::hdlr;
use vigie::bmff::moov::trak::mdia::minf::stbl::stsz::Stsz;
use vigie::bmff::{Boxed as _, Boxes, Header, moof};
use vigie::gix::{FileMark, FragmentMark};

use super::hash;
use super::manifest::{KIND, Manifest, NAME, VERSION};
use crate::failure::{FAILED, Failure};
use crate::output::{Format, Progress, note};

/// What may lie in the folder without being named in the manifest.
const BESIDE: [&str; 3] = [NAME, SUMS, PAGE];
/// The list of hashes.
const SUMS: &str = "SHA256SUMS";
/// The page for people.
const PAGE: &str = "README.txt";
/// More than a head of a media file has.
const HEAD: u64 = 256 << 10;
/// More than the tables of a movie have: those of 200 hours.
const TABLES: u64 = 1 << 30;

pub(super) fn run(folder: &Path, format: Format) -> Result<ExitCode, Failure> {
    let manifest = read(folder)?;
    let progress = Progress::line("checking");
    let mut wrong: Vec<(String, String)> = Vec::new();
    for content in manifest.contents() {
        progress.say(format!("hashing {}", content.name));
        let found = hash(&folder.join(&content.name));
        let why = match found {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "it is missing".to_owned(),
            Err(error) => format!("it cannot be read: {error}"),
            Ok(found) if found == (content.bytes, content.sha256.clone()) => continue,
            Ok((bytes, _)) if bytes != content.bytes => {
                format!("it was changed: {bytes} bytes, not {}", content.bytes)
            }
            Ok(_) => "it was changed: another SHA-256".to_owned(),
        };
        wrong.push((content.name.clone(), why));
    }
    wrong.extend(sums(folder, &manifest));
    let mut samples = Samples::default();
    for original in &manifest.originals {
        progress.say(format!("checking {}", original.content.name));
        match samples.original(&folder.join(&original.content.name)) {
            Ok(fragments) if fragments == original.fragments => {}
            Ok(n) => wrong.push((
                original.content.name.clone(),
                format!("{n} whole fragments, not {}", original.fragments),
            )),
            Err(why) => wrong.push((original.content.name.clone(), why)),
        }
    }
    let mut compared = 0;
    for movie in manifest.movies.iter().filter(|_| !manifest.originals.is_empty()) {
        progress.say(format!("comparing {} with the originals", movie.content.name));
        match samples.movie(&folder.join(&movie.content.name)) {
            Ok(n) => compared += n,
            Err(why) => wrong.push((movie.content.name.clone(), why)),
        }
    }
    progress.done();
    let mut strangers = Vec::new();
    list(folder, "", &mut strangers);
    strangers.retain(|name| {
        !BESIDE.contains(&name.as_str()) && !manifest.contents().any(|content| content.name == *name)
    });
    report(folder, &manifest, &wrong, &strangers, compared, format)
}

/// What SHA256SUMS says otherwise than the folder: it has a line for each file but itself, the manifest and the page for people
/// among them.
fn sums(folder: &Path, manifest: &Manifest) -> Vec<(String, String)> {
    let text = match std::fs::read_to_string(folder.join(SUMS)) {
        Ok(text) => text,
        Err(error) => return vec![(SUMS.to_owned(), format!("it cannot be read: {error}"))],
    };
    let mut said: HashMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once("  ")).map(|(sha, name)| (name, sha)).collect();
    let mut wrong = Vec::new();
    let mut compare = |name: &str, sha256: Result<String, String>| match (said.remove(name), sha256) {
        (None, _) => wrong.push((SUMS.to_owned(), format!("it has no line for {name}"))),
        (Some(_), Err(why)) => wrong.push((name.to_owned(), why)),
        (Some(line), Ok(sha256)) if line == sha256 => {}
        (Some(_), Ok(_)) => wrong.push((name.to_owned(), format!("{SUMS} has another SHA-256 of it"))),
    };
    for content in manifest.contents() {
        compare(&content.name, Ok(content.sha256.clone()));
    }
    for name in [NAME, PAGE] {
        let found = hash(&folder.join(name)).map(|(_, sha256)| sha256);
        compare(name, found.map_err(|error| format!("it cannot be read: {error}")));
    }
    let more =
        said.into_keys().map(|name| (SUMS.to_owned(), format!("it names {name}, which was not exported")));
    wrong.into_iter().chain(more).collect()
}

fn read(folder: &Path) -> Result<Manifest, Failure> {
    let path = folder.join(NAME);
    let text = std::fs::read(&path).map_err(|error| Failure::file("read", &path, &error))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| {
        Failure::new(
            format!("{} is not a manifest of `vigie export`: {error}", path.display()),
            "name a folder that `vigie export -o FOLDER` has made; if it was one, its manifest was changed",
        )
    })?;
    if manifest.kind != KIND || manifest.version != VERSION {
        return Err(Failure::new(
            format!("{} is of a version that this Vigie does not read", path.display()),
            "use a later version of Vigie",
        ));
    }
    // What a stranger's manifest names stays inside the folder.
    let inside =
        |name: &str| Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if let Some(content) = manifest.contents().find(|content| !inside(&content.name)) {
        return Err(Failure::new(
            format!("{} names a file outside the folder: {}", path.display(), content.name),
            "do not trust it: no export of Vigie does so",
        ));
    }
    Ok(manifest)
}

fn report(
    folder: &Path,
    manifest: &Manifest,
    wrong: &[(String, String)],
    strangers: &[String],
    compared: u64,
    format: Format,
) -> Result<ExitCode, Failure> {
    let files = manifest.contents().count();
    let manifest_sha256 = hash(&folder.join(NAME)).map(|(_, sha256)| sha256).unwrap_or_default();
    let verdict = if wrong.is_empty() {
        format!(
            "{} is as it was exported: {files} files, {compared} samples of movies found in originals",
            folder.display()
        )
    } else {
        format!("{} is NOT as it was exported", folder.display())
    };
    let problems: Vec<_> = wrong.iter().map(|(name, why)| json!({"name": name, "why": why})).collect();
    let document = json!({
        "folder": folder, "ok": wrong.is_empty(), "files": files, "samples_compared": compared,
        "wrong": problems, "not_in_manifest": strangers, "manifest_sha256": manifest_sha256,
    });
    let text = format!(
        "{verdict}\nSHA-256 of the manifest, to compare with what was noted then: {manifest_sha256}\n"
    );
    format.print(text, &document)?;
    if format == Format::Text {
        for (name, why) in wrong {
            note(&format!("{name}: {why}"));
        }
        for name in strangers {
            note(&format!("{name}: not in the manifest"));
        }
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn list(root: &Path, below: &str, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(below)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(root, &name, out);
        } else {
            out.push(name);
        }
    }
    out.sort();
}

/// The SHA-256 of each sample of the originals.
#[derive(Default)]
struct Samples(HashSet<[u8; 32]>);

impl Samples {
    /// Reads an original, and proves the checksum of each fragment; gives how many there are.
    fn original(&mut self, path: &Path) -> Result<u64, String> {
        let (mut file, len) = open(path)?;
        let head = piece(&mut file, 0, HEAD.min(len))?;
        let mark = FileMark::find(&head).map_err(|error| format!("its head is damaged: {error}"))?;
        let moov =
            head.get(..mark.init_len as usize).and_then(|init| Boxes::new(init, 0).need(Moov::KIND).ok());
        let moov: Moov =
            moov.and_then(|found| found.parse().ok()).ok_or("its init segment cannot be read")?;
        let (mut at, mut fragments, mut number) = (u64::from(mark.head_len), 0, None);
        while at < len {
            let start = piece(&mut file, at, (len - at).min(FragmentMark::LEN as u64))?;
            match Header::parse(&start, at) {
                Ok(Some(header)) if header.kind.0 == *b"mfra" && header.len == Some(len - at) => break,
                _ => {}
            }
            let damaged = || format!("the fragment at byte {at} is damaged");
            let found = FragmentMark::parse(&start).map_err(|_| damaged())?;
            let bytes = piece(&mut file, at, u64::from(found.len).min(len - at))?;
            let follows = number.is_none_or(|before| before < found.number) && found.file == mark.id;
            if !follows || bytes.len() != found.len as usize || !FragmentMark::passes(&bytes, found.crc) {
                return Err(damaged());
            }
            self.fragment(&bytes, &moov).ok_or_else(damaged)?;
            (at, number) = (at + u64::from(found.len), Some(found.number));
            fragments += 1;
        }
        Ok(fragments)
    }

    fn fragment(&mut self, bytes: &[u8], moov: &Moov) -> Option<()> {
        let boxes = Boxes::new(bytes.get(FragmentMark::LEN..)?, FragmentMark::LEN as u64);
        let found = boxes.need(moof::KIND).ok()?;
        let defaults = moov.defaults(moov.tracks.first()?.header.track);
        let parsed = Moof::parse(&found).ok()?;
        let data = boxes.need(moof::MDAT).ok()?;
        let mut rest = data.body().rest();
        for sample in parsed.track(defaults.track)?.samples(&defaults) {
            let (sample, after) = rest.split_at_checked(sample.size as usize)?;
            self.0.insert(Sha256::digest(sample).into());
            rest = after;
        }
        Some(())
    }

    /// Are all pictures and sounds of a movie in the originals? Gives how many there are.
    fn movie(&self, path: &Path) -> Result<u64, String> {
        let (mut file, len) = open(path)?;
        let moov = moov_of(&mut file, len)?;
        let mut compared = 0;
        for track in moov.tracks.iter().filter(|t| t.media.handler.kind != hdlr::SUBTITLE) {
            for (offset, size) in places(track).ok_or("its tables cannot be read")? {
                let sample = piece(&mut file, offset, u64::from(size))?;
                let hash: [u8; 32] = Sha256::digest(&sample).into();
                if !self.0.contains(&hash) {
                    return Err(format!("sample at byte {offset}: it is in none of the originals"));
                }
                compared += 1;
            }
        }
        Ok(compared)
    }
}

fn moov_of(file: &mut File, len: u64) -> Result<Moov, String> {
    let mut at = 0;
    while at < len {
        let start = piece(file, at, (len - at).min(Header::MAX as u64))?;
        let Ok(Some(header)) = Header::parse(&start, at) else { break };
        let size = header.len.unwrap_or(len - at);
        if header.kind == Moov::KIND && size <= TABLES {
            let bytes = piece(file, at, size)?;
            let found = Boxes::new(&bytes, at).need(Moov::KIND);
            return found.and_then(|found| found.parse()).map_err(|error| error.to_string());
        }
        at = at.saturating_add(size);
    }
    Err("it has no tables".to_owned())
}

/// Where the samples of a track are, and how long they are.
fn places(track: &Trak) -> Option<Vec<(u64, u32)>> {
    let tables = &track.media.information.tables;
    let Stsz::Each(sizes) = &tables.sizes else { return None };
    let (mut out, mut sizes) = (Vec::new(), sizes.iter());
    let mut runs = tables.chunks.runs.iter().peekable();
    let mut samples = 0;
    for (number, offset) in (1..).zip(&tables.offsets.offsets) {
        while let Some(run) = runs.next_if(|run| run.first_chunk <= number) {
            samples = run.samples;
        }
        let mut at = *offset;
        for size in sizes.by_ref().take(samples as usize) {
            out.push((at, *size));
            at = at.saturating_add((*size).into());
        }
    }
    sizes.next().is_none().then_some(out)
}

fn open(path: &Path) -> Result<(File, u64), String> {
    let file = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    file.map(|(len, file)| (file, len)).map_err(|error| format!("it cannot be read: {error}"))
}

fn piece(file: &mut File, at: u64, len: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.take(len).read_to_end(&mut bytes));
    match read {
        Ok(n) if n as u64 == len => Ok(bytes),
        Ok(_) => Err("it ends too early".to_owned()),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}
