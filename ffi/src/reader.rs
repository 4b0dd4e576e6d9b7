//! Playing what was recorded of one camera: seek by UTC, then piece by piece.

use std::ffi::c_char;

use bytes::Bytes;
use vigie::fragment::FragmentFlags;
use vigie::play::{Local, Output};
use vigie::store::{Source, Storage};
use vigie::time::UtcMicros;

use crate::VigieResult;
use crate::error::{Place, Told, VigieError};
use crate::given::{self, answer};
use crate::guard::{Guarded, Tells};
use crate::piece::{Lent, Made, VigiePiece, VigiePieceKind};
use crate::storage::{Callbacks, VigieStorage};
use crate::store::{Root, utc_now};

/// A camera's recording, being read. One call at a time.
pub struct VigieReader(#[expect(dead_code, reason = "reached through the handle's pointer")] Guarded<Reader>);

/// What the handle points to.
pub(crate) struct Reader {
    local: Local<Box<dyn Storage + Send>>,
    /// The init segment given last: codec, width and height.
    init: (String, u32, u32),
    sought: bool,
    lent: Lent,
    told: Told,
}

impl Tells for Reader {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }
}

impl Reader {
    fn open(root: &Root, tenant: &str, camera: &str) -> Result<Self, VigieResult> {
        let source = Source::new(tenant, camera).map_err(|_| VigieResult::Argument)?;
        Ok(Self {
            local: Local::new(root.read()?, source),
            init: (String::new(), 0, 0),
            sought: false,
            lent: Lent::default(),
            told: Told::of(source.to_string()),
        })
    }

    fn next(&mut self, key: bool) -> Result<VigiePiece, VigieResult> {
        if !self.sought {
            return Err(self.told.fail(VigieResult::Order, Place::default(), "seek first"));
        }
        loop {
            let now = utc_now();
            let output = if key { self.local.next_key(now) } else { self.local.next(now) };
            let output = output.map_err(|error| {
                let place = Place::at(error.at.0);
                self.told.fault(VigieResult::Storage, place, &error)
            })?;
            let made = match output {
                Output::Init { bytes, codec, size } => {
                    self.init = (codec.as_str().to_owned(), size.0.into(), size.1.into());
                    let mut piece = VigiePiece::blank(VigiePieceKind::Init);
                    (piece.width, piece.height) = (self.init.1, self.init.2);
                    self.made(piece, bytes)
                }
                Output::Fragment { bytes, entry, continues } => {
                    let mark = &entry.mark;
                    let mut piece = VigiePiece::blank(VigiePieceKind::Fragment);
                    piece.samples = mark.samples;
                    (piece.dts, piece.pts) = (mark.dts.0, mark.dts.plus(mark.offset.into()).0);
                    piece.duration = mark.duration.into();
                    (piece.utc, piece.utc_end) = (mark.utc.0, entry.utc_end().0);
                    (piece.utc_error, piece.utc_source) = (mark.error, mark.source.into());
                    piece.special(FragmentFlags::from_mark(mark.flags));
                    if !continues {
                        piece.flags |= crate::VigiePieceFlag::Discontinuity as u32;
                    }
                    (piece.width, piece.height) = (self.init.1, self.init.2);
                    self.made(piece, bytes)
                }
                Output::Gap(span) => nothing(VigiePieceKind::Gap, span),
                Output::Damaged { span, error } => {
                    let place = Place::at(error.at.0);
                    self.told.fault(VigieResult::Damaged, place, &error);
                    nothing(VigiePieceKind::Damaged, span)
                }
                Output::End => return Err(VigieResult::End),
                Output::Failed(error) => {
                    let place = Place::at(error.at.0);
                    return Err(self.told.fault(VigieResult::Damaged, place, &error));
                }
                _ => continue,
            };
            return Ok(self.lent.lend(made));
        }
    }

    fn made(&self, piece: VigiePiece, bytes: Vec<u8>) -> Made {
        Made { piece, bytes: vec![Bytes::from(bytes)], codec: self.init.0.clone() }
    }
}

fn nothing(kind: VigiePieceKind, span: vigie::gix::Span) -> Made {
    let mut piece = VigiePiece::blank(kind);
    (piece.utc, piece.utc_end) = (span.from.0, span.to.0);
    Made { piece, bytes: Vec::new(), codec: String::new() }
}

/// # Safety
/// `reader` is NULL or a live handle.
unsafe fn with(reader: *const VigieReader, call: impl FnOnce(&mut Reader) -> VigieResult) -> VigieResult {
    // SAFETY: the caller's promise. `VigieReader` is what `Guarded` is.
    unsafe { Guarded::call(reader.cast(), call) }
}

/// Opens a camera's recording in the store at `path`. On success `*reader` is a handle that the caller owns and frees with
/// `vigie_reader_free`. A camera that is not there yet is one without footage. `VIGIE_NOT_FOUND`: there is no such folder;
/// `VIGIE_ARGUMENT`: a tenant's or camera's name is none.
///
/// # Safety
/// `path`, `tenant` and `camera` are NULL or NUL-terminated strings; `reader` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_reader_open(
    path: *const c_char,
    tenant: *const c_char,
    camera: *const c_char,
    reader: *mut *mut VigieReader,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let place = given::place(reader)?;
        let root = Root::Folder(given::needed(path)?.into());
        let inner = Reader::open(&root, given::needed(tenant)?, given::needed(camera)?)?;
        place.write(Guarded::boxed(inner).cast());
        Ok(VigieResult::Ok)
    })
}

/// Opens a camera's recording on a host's own storage: likewise. The struct is copied, and no callback called yet.
/// `VIGIE_NULL_POINTER`: a callback is missing.
///
/// # Safety
/// `storage` is NULL or points to a `vigie_storage`; its callbacks may be called with its `context` until the reader is freed.
/// `tenant` and `camera` are NULL or NUL-terminated strings; `reader` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_reader_open_on(
    storage: *const VigieStorage,
    tenant: *const c_char,
    camera: *const c_char,
    reader: *mut *mut VigieReader,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let place = given::place(reader)?;
        let root = Root::Host(Callbacks::read(storage)?);
        let inner = Reader::open(&root, given::needed(tenant)?, given::needed(camera)?)?;
        place.write(Guarded::boxed(inner).cast());
        Ok(VigieResult::Ok)
    })
}

/// Goes to a moment (microseconds of UTC since 1970): the first fragment given holds it, or is the one where decoding has to
/// start to show it; where nothing does, the first after it, behind a gap. Where there is none for 400 days, `vigie_reader_next`
/// answers `VIGIE_END`: `vigie_store_list` says where there is some. The init segment is given again.
///
/// # Safety
/// `reader` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_reader_seek(reader: *mut VigieReader, utc: i64) -> VigieResult {
    let seek = |r: &mut Reader| {
        r.local.seek(UtcMicros(utc));
        r.sought = true;
        VigieResult::Ok
    };
    // SAFETY: the caller's promise.
    unsafe { with(reader, seek) }
}

/// Gives the next piece: an init segment, a fragment, a gap or damage. What it points to stays the reader's, and good until the
/// next call on this handle. `VIGIE_END`: there is nothing more yet; what is recorded from now on comes with later calls.
/// `VIGIE_ORDER`: seek first.
///
/// # Safety
/// `reader` is NULL or a live handle; `piece` is NULL or points to a `vigie_piece`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_reader_next(reader: *mut VigieReader, piece: *mut VigiePiece) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { give(reader, piece, false) }
}

/// The same up to the next fragment that starts at a random access point: its first picture is the next key picture.
///
/// # Safety
/// As `vigie_reader_next`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_reader_next_key(
    reader: *mut VigieReader,
    piece: *mut VigiePiece,
) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { give(reader, piece, true) }
}

/// # Safety
/// As `vigie_reader_next`.
unsafe fn give(reader: *mut VigieReader, piece: *mut VigiePiece, key: bool) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(piece)?;
        let give = |r: &mut Reader| match r.next(key) {
            Ok(piece) => {
                *out = piece;
                VigieResult::Ok
            }
            Err(result) => result,
        };
        Ok(with(reader, give))
    })
}

/// Copies the detail of the reader's last failure, or of the last damage, out. `offset` counts bytes of the file concerned.
///
/// # Safety
/// `reader` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_reader_error(
    reader: *const VigieReader,
    error: *mut VigieError,
) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { Guarded::<Reader>::error(reader.cast(), error) }
}

/// Frees a reader and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not freed.
///
/// # Safety
/// `reader` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_reader_free(reader: *mut VigieReader) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { Guarded::<Reader>::free(reader.cast()) }
}
