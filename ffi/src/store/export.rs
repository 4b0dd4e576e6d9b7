//! A span as ordinary MP4 files: the bytes that `vigie export` writes.

use std::ffi::c_char;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use vigie::fragment::MOOF_AT;
use vigie::gix::Span;
use vigie::limits::Limits;
use vigie::play::{Failure, Footage, Kind, Stored, init_segment};
use vigie::store::journal::{ExportedFile, Record};
use vigie::store::{Source, Storage};
use vigie::view::export::{self, Export};

use super::list::window;
use super::{Store, VigieStore, utc_now, with};
use crate::VigieResult;
use crate::error::Place;
use crate::given::{self, Sized, answer};

/// What is to be exported, and what was. Set `struct_size` to `sizeof(vigie_export)`; the fields from `files` on are written
/// on success.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieExport {
    /// `sizeof(vigie_export)`.
    pub struct_size: usize,
    /// Whose footage.
    pub tenant: *const c_char,
    /// Of which camera.
    pub camera: *const c_char,
    /// The first moment, in microseconds of UTC since 1970.
    pub from: i64,
    /// The moment after the last.
    pub to: i64,
    /// Where to: `clip.mp4`, and where there are gaps, or the picture changes, `clip-2.mp4` and so on beside it. A file appears
    /// whole or not at all, in place of one of its name.
    pub path: *const c_char,
    /// The case, for the tenant's journal: one line, or NULL.
    pub case_name: *const c_char,
    /// Who exports: one line, or NULL.
    pub who: *const c_char,
    /// Why: one line, or NULL.
    pub why: *const c_char,
    /// Files written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Pictures shown.
    pub pictures: u64,
    /// UTC of the first of them.
    pub first: i64,
    /// UTC until which the last of them is shown.
    pub last: i64,
    /// Fragments that are damaged, and left out.
    pub damaged: u64,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieExport {}

/// A request, read.
struct Request<'a> {
    window: Span,
    path: &'a str,
    case: Option<&'a str>,
    who: Option<&'a str>,
    why: Option<&'a str>,
}

/// What was written.
#[derive(Debug, Default)]
struct Written {
    files: u64,
    bytes: u64,
    pictures: u64,
    first: i64,
    last: i64,
    damaged: u64,
}

/// Writes a span as ordinary MP4 files, the same that `vigie export` writes, and a line into the tenant's journal first.
/// `VIGIE_NOT_FOUND`: nothing was recorded then.
///
/// # Safety
/// `store` is NULL or a live handle; `export_request` is NULL or points to a `vigie_export` whose strings are NULL or
/// NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_export(
    store: *mut VigieStore,
    export_request: *mut VigieExport,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(export_request)?;
        let (tenant, camera) = (given::needed(out.tenant)?, given::needed(out.camera)?);
        let request = Request {
            window: window(out.from, out.to)?,
            path: given::needed(out.path)?,
            case: given::text(out.case_name)?,
            who: given::text(out.who)?,
            why: given::text(out.why)?,
        };
        let export = |s: &mut Store| {
            let source = s.source(tenant, camera)?;
            let written = s.export(source, &request)?;
            (out.files, out.bytes, out.pictures) = (written.files, written.bytes, written.pictures);
            (out.first, out.last, out.damaged) = (written.first, written.last, written.damaged);
            Ok(())
        };
        Ok(with(store, export))
    })
}

/// Bytes of one fragment, at most, that are read into memory.
fn most(limits: &Limits) -> usize {
    limits.fragment_bytes.saturating_mul(2)
}

impl Store {
    fn export(&mut self, source: Source, request: &Request<'_>) -> Result<Written, VigieResult> {
        let limits = Limits::default();
        let reader = super::storage(&self.root).map_err(|error| self.store_error(&error))?;
        let footage = Footage::load(reader, source, request.window, utc_now());
        let footage = footage.map_err(|failure| self.failure(&failure))?;
        let mut written = Written::default();
        let (files, places) = plan(&mut *self.storage, &footage, &limits, &mut written.damaged)
            .map_err(|failure| self.failure(&failure))?;
        if files.is_empty() {
            let text = format!("nothing was recorded from {} to {}", request.window.from, request.window.to);
            return Err(self.told.fail(VigieResult::NotFound, Place::default(), text));
        }
        let mut parts = Vec::new();
        for (ordinal, file) in files.iter().enumerate() {
            let path = numbered(Path::new(request.path), ordinal);
            parts.push(self.write(&source, file, &places, &path, &limits)?);
        }
        self.tell(&source, request, &parts)?;
        for part in parts {
            part.finish().map_err(|error| self.file(&error))?;
        }
        written.files = files.len() as u64;
        written.bytes = files.iter().map(|file| file.len).sum();
        written.pictures = files.iter().map(|file| u64::from(file.pictures)).sum();
        written.first = files.first().map_or(0, |file| file.first.0);
        written.last = files.last().map_or(0, |file| file.end.min(request.window.to).0);
        Ok(written)
    }

    /// What was there a moment ago, while the files were planned, is not any more.
    fn gone(&mut self) -> VigieResult {
        self.told.fail(VigieResult::Damaged, Place::default(), "a fragment changed while it was exported")
    }

    fn file(&mut self, error: &std::io::Error) -> VigieResult {
        self.told.fail(
            VigieResult::Storage,
            Place::default(),
            format!("the export cannot be written: {error}"),
        )
    }

    fn write(
        &mut self,
        source: &Source,
        file: &export::File,
        places: &[Stored],
        path: &Path,
        limits: &Limits,
    ) -> Result<Part, VigieResult> {
        let mut out = Part::create(path).map_err(|error| self.file(&error))?;
        out.write(&file.head).map_err(|error| self.file(&error))?;
        let mut read: Option<(u64, Vec<u8>)> = None;
        for part in &file.parts {
            if read.as_ref().is_none_or(|(number, _)| *number != part.fragment) {
                let stored = usize::try_from(part.fragment).ok().and_then(|n| places.get(n));
                let stored = stored.ok_or_else(|| self.gone())?;
                let bytes = stored.place().read(&mut *self.storage, source, most(limits));
                read = Some((part.fragment, bytes.map_err(|failure| self.failure(&failure))?));
            }
            let range = usize::try_from(part.offset).ok().zip(usize::try_from(part.len).ok());
            let range = range.and_then(|(at, len)| Some(at..at.checked_add(len)?));
            let bytes = read.as_ref().zip(range).and_then(|((_, bytes), range)| bytes.get(range));
            out.write(bytes.ok_or_else(|| self.gone())?).map_err(|error| self.file(&error))?;
        }
        Ok(out)
    }

    /// A line of the tenant's journal, before the files take their places.
    fn tell(&mut self, source: &Source, request: &Request<'_>, parts: &[Part]) -> Result<(), VigieResult> {
        let said = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let record = Record::Exported {
            camera: source.camera,
            from: request.window.from,
            to: request.window.to,
            case: said(request.case),
            who: said(request.who),
            why: said(request.why),
            files: parts.iter().map(Part::told).collect(),
        };
        self.journal(source.tenant, |journal, storage, now| journal.append(storage, now, &record)).map(drop)
    }
}

/// The files that show the span, and the fragments that they are made of.
fn plan(
    storage: &mut dyn Storage,
    footage: &Footage,
    limits: &Limits,
    damaged: &mut u64,
) -> Result<(Vec<export::File>, Vec<Stored>), Failure> {
    let Span { from, to } = footage.window;
    let mut plan = Export::new(from, to, limits).split_at_gaps();
    let (mut init, mut places) = (None, Vec::new());
    for stored in &footage.fragments {
        let read = init_of(storage, footage, stored, &mut init, &mut plan)
            .and_then(|()| stored.place().read(storage, &footage.source, most(limits)));
        match read {
            Ok(bytes) if plan.fragment(places.len() as u64, head(&bytes)).is_ok() => places.push(*stored),
            Ok(_) | Err(Failure::Footage(_)) => *damaged += 1,
            Err(other) => return Err(other),
        }
    }
    Ok((plan.finish(), places))
}

/// Mark, `prft`, `moof` and the header of `mdat`.
fn head(fragment: &[u8]) -> &[u8] {
    let size = fragment.get(MOOF_AT..MOOF_AT + 4).and_then(|size| <[u8; 4]>::try_from(size).ok());
    let end = size.map_or(fragment.len(), |size| MOOF_AT.saturating_add(u32::from_be_bytes(size) as usize));
    fragment.get(..end.saturating_add(16)).unwrap_or(fragment)
}

fn init_of(
    storage: &mut dyn Storage,
    footage: &Footage,
    stored: &Stored,
    given: &mut Option<u32>,
    plan: &mut Export,
) -> Result<(), Failure> {
    if *given == Some(stored.init) {
        return Ok(());
    }
    let bytes = init_segment(storage, &footage.source, stored.key)?;
    let bad = vigie::play::Error { kind: Kind::Init, at: vigie::fault::Offset(0) };
    plan.init(&bytes).map_err(|_| Failure::Footage(bad))?;
    *given = Some(stored.init);
    Ok(())
}

/// `clip.mp4`, then `clip-2.mp4`, ...
fn numbered(path: &Path, ordinal: usize) -> PathBuf {
    if ordinal == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{}{extension}", ordinal + 1))
}

/// A file in the making: beside its place, under another name, until it is whole.
struct Part {
    path: PathBuf,
    part: PathBuf,
    file: File,
    hash: Sha256,
    len: u64,
    done: bool,
}

impl Part {
    fn create(path: &Path) -> std::io::Result<Self> {
        let name = path.file_name().ok_or(std::io::ErrorKind::IsADirectory)?.to_string_lossy();
        let part = path.with_file_name(format!(".{name}.part"));
        let file = File::create(&part)?;
        Ok(Self { path: path.to_owned(), part, file, hash: Sha256::new(), len: 0, done: false })
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn told(&self) -> ExportedFile {
        let sha256 = self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ExportedFile { name, bytes: self.len, sha256 }
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.part, &self.path)?;
        self.done = true;
        Ok(())
    }
}

/// What was not finished goes.
impl Drop for Part {
    fn drop(&mut self) {
        if !self.done {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}
