//! H.264 or H.265 bytes in, fragmented MP4 out. No thread, no clock, no file: the host owns all of them.

use std::collections::VecDeque;
use std::ffi::{CString, c_char};
use std::ptr;

use bytes::Bytes;
use vigie::codec::Codec;
use vigie::depacket::AnnexBReader;
use vigie::fragment::{Fragmenter, Piece};
use vigie::h26x::annexb;
use vigie::limits::Limits;
use vigie::timeline::ByPictureOrder;

use crate::VigieResult;
use crate::guard::Guarded;

/// A coding standard.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieCodec {
    /// Told by the bytes.
    Detect = 0,
    /// ITU-T H.264.
    H264 = 1,
    /// ITU-T H.265.
    H265 = 2,
}

/// How a remuxer is to work. Set `struct_size` to `sizeof(vigie_remuxer_config)`, everything else to 0 for the default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieRemuxerConfig {
    /// `sizeof(vigie_remuxer_config)`.
    pub struct_size: usize,
    /// One of `vigie_codec`.
    pub codec: i32,
    /// Must be 0.
    pub reserved: i32,
}

/// What a piece is.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigiePieceKind {
    /// `ftyp` and `moov`: goes before the fragments that follow it. A second one comes where decoding needs it.
    Init = 1,
    /// `moof` and `mdat`: one closed GOP, or a part of a very long one.
    Fragment = 2,
}

/// A run of bytes, laid out as POSIX `struct iovec` is. Borrowed: see the function that gave it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieSlice {
    /// First byte.
    pub bytes: *const u8,
    /// Number of bytes.
    pub len: usize,
}

/// A piece of output. Set `struct_size` to `sizeof(vigie_piece)` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigiePiece {
    /// `sizeof(vigie_piece)`.
    pub struct_size: usize,
    /// One of `vigie_piece_kind`.
    pub kind: i32,
    /// Number of samples (pictures); 0 in an init segment.
    pub samples: u32,
    /// The bytes, in order: write them one after the other (`writev`).
    pub slices: *const VigieSlice,
    /// Number of slices.
    pub slice_count: usize,
    /// Decoding time of the first sample, in 1/90 000 s.
    pub dts: i64,
    /// Sum of the samples' durations, in 1/90 000 s.
    pub duration: u64,
    /// 1 where decoding can start at its first sample, else 0.
    pub random_access: i32,
    /// Pixels, after cropping.
    pub width: u32,
    /// Pixels, after cropping.
    pub height: u32,
    /// RFC 6381 codec string, for example `avc1.640028`; NUL-terminated.
    pub codec_string: *const c_char,
}

/// An elementary stream on its way to MP4. One thread at a time.
pub struct VigieRemuxer(
    #[expect(dead_code, reason = "reached through the handle's pointer")] Guarded<Remuxer>,
);

/// What the handle points to.
struct Remuxer {
    /// Bytes kept until the codec is known.
    undecided: Vec<u8>,
    reader: Option<AnnexBReader>,
    timeline: Option<ByPictureOrder>,
    fragmenter: Fragmenter,
    limits: Limits,
    finished: bool,
    ready: VecDeque<Piece>,
    /// The last piece given out, which the host may still be reading.
    lent: Vec<Bytes>,
    slices: Vec<VigieSlice>,
    codec_string: CString,
    error: String,
}

/// Bytes that are looked at to tell the codec, at most; a stream that has not told by then is not video.
const ENOUGH: usize = 1 << 20;

impl Remuxer {
    fn start(&mut self, codec: Codec) {
        self.reader = Some(AnnexBReader::new(codec, &self.limits));
        self.timeline = Some(ByPictureOrder::new(&self.limits));
    }

    fn fail(&mut self, result: VigieResult, detail: impl ToString) -> VigieResult {
        self.error = detail.to_string();
        result
    }

    fn push(&mut self, bytes: &[u8]) -> VigieResult {
        if self.finished {
            return self.fail(VigieResult::Order, "push after finish");
        }
        if let Some(reader) = &mut self.reader {
            reader.push(bytes);
            return self.run();
        }
        self.undecided.extend_from_slice(bytes);
        match annexb::detect(&self.undecided) {
            Some(codec) => {
                self.start(codec);
                let bytes = std::mem::take(&mut self.undecided);
                self.push(&bytes)
            }
            None if self.undecided.len() > ENOUGH => self.fail(
                VigieResult::NotVideo,
                format!("no picture in the first {} bytes", self.undecided.len()),
            ),
            None => VigieResult::Ok,
        }
    }

    fn finish(&mut self) -> VigieResult {
        if self.finished {
            return self.fail(VigieResult::Order, "finish was called before");
        }
        self.finished = true;
        let Some(reader) = &mut self.reader else {
            return self.fail(VigieResult::NotVideo, format!("no picture in {} bytes", self.undecided.len()));
        };
        reader.finish();
        self.run()
    }

    /// Takes everything as far along the way as it goes.
    fn run(&mut self) -> VigieResult {
        let (Some(reader), Some(timeline)) = (&mut self.reader, &mut self.timeline) else {
            return VigieResult::Ok;
        };
        while let Some(unit) = reader.pull() {
            timeline.push(unit);
        }
        if self.finished {
            timeline.finish();
        }
        let mut failed = None;
        while let Some(group) = timeline.pull() {
            if let Err(error) = self.fragmenter.push(group) {
                failed = Some(error);
            }
            while let Some(piece) = self.fragmenter.pull() {
                self.ready.push_back(piece);
            }
        }
        match failed {
            Some(error) => self.fail(VigieResult::Stream, error),
            None => VigieResult::Ok,
        }
    }

    fn pull(&mut self) -> Option<VigiePiece> {
        let piece = self.ready.pop_front()?;
        self.lent.clear();
        self.slices.clear();
        let init = match &piece {
            Piece::Init(init) => init.clone(),
            Piece::Fragment(fragment) => fragment.init.clone(),
        };
        let mut out = VigiePiece {
            struct_size: size_of::<VigiePiece>(),
            kind: VigiePieceKind::Init as i32,
            samples: 0,
            slices: ptr::null(),
            slice_count: 0,
            dts: 0,
            duration: 0,
            random_access: 0,
            width: init.size().0,
            height: init.size().1,
            codec_string: ptr::null(),
        };
        match piece {
            Piece::Fragment(fragment) => {
                out.kind = VigiePieceKind::Fragment as i32;
                out.samples = fragment.samples;
                out.dts = fragment.dts.0;
                out.duration = fragment.duration;
                out.random_access = i32::from(fragment.flags.random_access);
                self.lent.push(fragment.head);
                self.lent.extend(fragment.body);
            }
            Piece::Init(init) => self.lent.push(init.bytes.clone()),
        }
        self.slices.extend(self.lent.iter().map(|b| VigieSlice { bytes: b.as_ptr(), len: b.len() }));
        self.codec_string = CString::new(&*init.codec_string()).unwrap_or_default();
        out.slices = self.slices.as_ptr();
        out.slice_count = self.slices.len();
        out.codec_string = self.codec_string.as_ptr();
        Some(out)
    }
}

/// Makes a remuxer. `config` may be NULL for the defaults. On success `*remuxer` is a handle that the caller owns and
/// frees with `vigie_remuxer_free`.
///
/// # Safety
/// `config` is NULL or points to a `vigie_remuxer_config`; `remuxer` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_new(
    config: *const VigieRemuxerConfig,
    remuxer: *mut *mut VigieRemuxer,
) -> VigieResult {
    if remuxer.is_null() {
        return VigieResult::NullPointer;
    }
    let mut codec = None;
    if !config.is_null() {
        // SAFETY: not NULL, so it points to a config, whose first field every version has.
        if unsafe { (*config).struct_size } != size_of::<VigieRemuxerConfig>() {
            return VigieResult::StructSize;
        }
        // SAFETY: the size says that all of it is there.
        let config = unsafe { *config };
        codec = match config.codec {
            0 => None,
            1 => Some(Codec::H264),
            2 => Some(Codec::H265),
            _ => return VigieResult::Argument,
        };
        if config.reserved != 0 {
            return VigieResult::Argument;
        }
    }
    let limits = Limits::default();
    let mut inner = Remuxer {
        undecided: vec![],
        reader: None,
        timeline: None,
        fragmenter: Fragmenter::new(&limits),
        limits,
        finished: false,
        ready: VecDeque::new(),
        lent: vec![],
        slices: vec![],
        codec_string: CString::default(),
        error: String::new(),
    };
    if let Some(codec) = codec {
        inner.start(codec);
    }
    // SAFETY: not NULL, and the caller promises that it can be written to. `VigieRemuxer` is what `Guarded` is.
    unsafe { *remuxer = Guarded::boxed(inner).cast() };
    VigieResult::Ok
}

/// Takes `len` bytes of the stream, cut anywhere; they are copied, and the caller's again when this returns. What
/// they make ready is kept until pulled: pull after each push. Ends the borrow of the last piece.
///
/// # Safety
/// `remuxer` is NULL or a live handle that no other thread uses now; `bytes` points to `len` bytes, or `len` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_push(
    remuxer: *mut VigieRemuxer,
    bytes: *const u8,
    len: usize,
) -> VigieResult {
    if bytes.is_null() && len > 0 {
        return VigieResult::NullPointer;
    }
    if len > isize::MAX as usize {
        return VigieResult::Argument;
    }
    // SAFETY: the caller's promise on `bytes` and `len`; a slice of no bytes needs no pointer.
    let bytes = if len == 0 { &[][..] } else { unsafe { std::slice::from_raw_parts(bytes, len) } };
    // SAFETY: the caller's promise on `remuxer`.
    unsafe { Guarded::call(remuxer.cast(), |r: &mut Remuxer| r.push(bytes)) }
}

/// Says that the stream ends. Pull what is left, until `VIGIE_END`.
///
/// # Safety
/// `remuxer` is NULL or a live handle that no other thread uses now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_finish(remuxer: *mut VigieRemuxer) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { Guarded::call(remuxer.cast(), Remuxer::finish) }
}

/// Gives the next piece. `VIGIE_OK`: `*piece` is written; what it points to stays the remuxer's, and good until the next
/// call on this handle. `VIGIE_AGAIN`: push more. `VIGIE_END`: that was all.
///
/// # Safety
/// `remuxer` is NULL or a live handle that no other thread uses now; `piece` is NULL or points to a `vigie_piece`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_pull(
    remuxer: *mut VigieRemuxer,
    piece: *mut VigiePiece,
) -> VigieResult {
    if piece.is_null() {
        return VigieResult::NullPointer;
    }
    // SAFETY: not NULL, so it points to a piece, whose first field every version has.
    if unsafe { (*piece).struct_size } != size_of::<VigiePiece>() {
        return VigieResult::StructSize;
    }
    let give = |r: &mut Remuxer| match r.pull() {
        Some(out) => {
            // SAFETY: not NULL and large enough, as its size said.
            unsafe { *piece = out };
            VigieResult::Ok
        }
        None if r.finished => VigieResult::End,
        None => VigieResult::Again,
    };
    // SAFETY: the caller's promise.
    unsafe { Guarded::call(remuxer.cast(), give) }
}

/// Copies the detail of the handle's last failure into `text`, NUL-terminated, cut to `size` bytes; an empty string where
/// there was none.
///
/// # Safety
/// `remuxer` is NULL or a live handle that no other thread uses now; `text` points to `size` bytes, or `size` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_error(
    remuxer: *const VigieRemuxer,
    text: *mut c_char,
    size: usize,
) -> VigieResult {
    if text.is_null() || size == 0 {
        return VigieResult::NullPointer;
    }
    // SAFETY: not NULL and at least one byte.
    unsafe { *text = 0 };
    let copy = |r: &mut Remuxer| {
        let n = r.error.floor_char_boundary(size - 1);
        // SAFETY: n is less than `size`, so the copy and its NUL lie inside `text`.
        unsafe {
            ptr::copy_nonoverlapping(r.error.as_ptr().cast(), text, n);
            *text.add(n) = 0;
        }
        VigieResult::Ok
    };
    // SAFETY: the caller's promise; nothing of the handle is changed.
    unsafe { Guarded::call(remuxer.cast_mut().cast(), copy) }
}

/// Frees a remuxer and what it lent. NULL is allowed and does nothing.
///
/// # Safety
/// `remuxer` is NULL or a live handle that no other thread uses now; it is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_remuxer_free(remuxer: *mut VigieRemuxer) {
    // SAFETY: the caller's promise.
    unsafe { Guarded::<Remuxer>::free(remuxer.cast()) }
}
