//! A span as ordinary MP4 files: the bytes that `vigie export` writes.

use std::ffi::c_char;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use vigie::gix::Span;
use vigie::limits::Limits;
use vigie::play::{Footage, VirtualMp4};
use vigie::store::Source;
use vigie::store::journal::{ExportedFile, Record};
use vigie::view::export::Export;

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
    /// The first moment, in microseconds of UTC since 1970; not more than 400 days before the first footage.
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

/// Writes a span as ordinary MP4 files of the local file system, the same that `vigie export` writes, and a line into the
/// tenant's journal first. `VIGIE_NOT_FOUND`: nothing was recorded then.
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

impl Store {
    fn export(&mut self, source: Source, request: &Request<'_>) -> Result<Written, VigieResult> {
        let reader = self.root.open().map_err(|error| self.store_error(&error))?;
        let footage = Footage::load(reader, source, request.window, utc_now());
        let footage = footage.map_err(|failure| self.failure(&failure))?;
        let Span { from, to } = request.window;
        let limits = Limits::default();
        let (plan, mut damaged) = (Export::new(from, to, &limits).split_at_gaps(), Vec::new());
        let files = VirtualMp4::proved(&mut *self.storage, &footage, plan, &limits, &mut damaged)
            .map_err(|failure| self.failure(&failure))?;
        let (Some(first), Some(last)) = (files.first(), files.last()) else {
            let text = format!("nothing was recorded from {from} to {to}");
            return Err(self.told.fail(VigieResult::NotFound, Place::default(), text));
        };
        let written = Written {
            files: files.len() as u64,
            bytes: files.iter().map(VirtualMp4::len).sum(),
            pictures: files.iter().map(|file| u64::from(file.about().pictures)).sum(),
            first: first.about().first.0,
            last: last.about().end.min(to).0,
            damaged: damaged.len() as u64,
        };
        let mut parts = Vec::new();
        for (ordinal, file) in files.iter().enumerate() {
            parts.push(self.write(file, &numbered(Path::new(request.path), ordinal))?);
        }
        self.tell(&source, request, &parts)?;
        for part in parts {
            part.finish().map_err(|error| self.file(&error))?;
        }
        sync_folder(Path::new(request.path));
        Ok(written)
    }

    fn file(&mut self, error: &std::io::Error) -> VigieResult {
        let text = format!("the export cannot be written: {error}");
        self.told.fail(VigieResult::Storage, Place::default(), text)
    }

    fn write(&mut self, file: &VirtualMp4, path: &Path) -> Result<Part, VigieResult> {
        let (mut part, mut out) = Part::create(path).map_err(|error| self.file(&error))?;
        while part.len < file.len() {
            let bytes = file.read(&mut *self.storage, part.len, u64::MAX);
            let bytes = bytes.map_err(|failure| self.failure(&failure))?;
            if bytes.is_empty() {
                let text = "a fragment changed while it was exported";
                return Err(self.told.fail(VigieResult::Damaged, Place::default(), text));
            }
            out.write_all(&bytes).map_err(|error| self.file(&error))?;
            part.add(&bytes);
        }
        // Closed here, not when all are done: a span with many gaps is more files than a process may have open.
        out.sync_all().map_err(|error| self.file(&error))?;
        Ok(part)
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

/// `clip.mp4`, then `clip-2.mp4`, ...
fn numbered(path: &Path, ordinal: usize) -> PathBuf {
    if ordinal == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{}{extension}", ordinal + 1))
}

/// The names in the folder of `path` are to outlast a power cut; not every file system syncs a folder.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}

/// A file in the making: beside its place, under another name, until it is whole.
struct Part {
    path: PathBuf,
    part: PathBuf,
    hash: Sha256,
    len: u64,
    done: bool,
}

impl Part {
    fn create(path: &Path) -> std::io::Result<(Self, File)> {
        let name = path.file_name().ok_or(std::io::ErrorKind::IsADirectory)?.to_string_lossy();
        let part = path.with_file_name(format!(".{name}.part"));
        let file = File::create(&part)?;
        Ok((Self { path: path.to_owned(), part, hash: Sha256::new(), len: 0, done: false }, file))
    }

    /// Bytes that were written.
    fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
    }

    fn told(&self) -> ExportedFile {
        let sha256 = self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ExportedFile { name, bytes: self.len, sha256 }
    }

    fn finish(mut self) -> std::io::Result<()> {
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
