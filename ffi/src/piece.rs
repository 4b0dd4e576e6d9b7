//! Init segments and fragments as C gets them.

use std::ffi::{CString, c_char};
use std::ptr;

use bytes::Bytes;
use vigie::fragment::{Fragment, FragmentFlags, InitSegment};
use vigie::time::Ticks;
use vigie::timeline::{UtcSource, UtcStamp};

use crate::given::Sized;

/// What a piece is.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigiePieceKind {
    /// `ftyp` and `moov`: goes before the fragments that follow it. A second one comes where decoding needs it.
    Init = 1,
    /// `moof` and `mdat`: one closed GOP, or a part of a very long one; in live mode one closed reorder group.
    Fragment = 2,
    /// From a reader of a store: there is nothing from `utc` to `utc_end`. No bytes.
    Gap = 3,
    /// From a reader of a store: what there is from `utc` to `utc_end` is damaged; what follows comes. No bytes.
    Damaged = 4,
}

/// What is special about a fragment: numbers to be added up in `flags` of a `vigie_piece`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigiePieceFlag {
    /// Decoding can start at its first sample.
    RandomAccess = 1,
    /// It continues the GOP of the fragment before it.
    ContinuesGop = 2,
    /// RTP packets were lost in it or before it.
    Loss = 4,
    /// Its times do not continue those before: another `epoch`.
    Discontinuity = 8,
    /// A picture in it lacks a part.
    Incomplete = 16,
}

/// Where a UTC came from, best first.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieUtcSource {
    /// Not known: an elementary stream.
    None = 0,
    /// ONVIF RTP header extension 0xABAC: the camera's own stamp on this very picture.
    OnvifExtension = 1,
    /// RTCP sender report, RFC 3550 section 6.4.1.
    SenderReport = 2,
    /// `Range: clock=` of the answer to PLAY.
    RangeClock = 3,
    /// When it arrived here.
    Arrival = 4,
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
    /// Earliest presentation time, in 1/90 000 s.
    pub pts: i64,
    /// Sum of the samples' durations, in 1/90 000 s.
    pub duration: u64,
    /// UTC of the earliest presentation, in microseconds since 1970-01-01T00:00:00Z; 0 where `utc_source` is 0.
    pub utc: i64,
    /// UTC of its end, likewise.
    pub utc_end: i64,
    /// Microseconds that the UTC may be off, either way, against the clock of its source.
    pub utc_error: u32,
    /// One of `vigie_utc_source`.
    pub utc_source: i32,
    /// A sum of `vigie_piece_flag`.
    pub flags: u32,
    /// Counts the breaks of the timeline: times of two epochs do not compare.
    pub epoch: u32,
    /// Pixels, after cropping.
    pub width: u32,
    /// Pixels, after cropping.
    pub height: u32,
    /// RFC 6381 codec string, for example `avc1.640028`; NUL-terminated, lent as the slices are.
    pub codec_string: *const c_char,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigiePiece {}

impl VigiePiece {
    pub(crate) const fn blank(kind: VigiePieceKind) -> Self {
        Self {
            struct_size: size_of::<Self>(),
            kind: kind as i32,
            samples: 0,
            slices: ptr::null(),
            slice_count: 0,
            dts: 0,
            pts: 0,
            duration: 0,
            utc: 0,
            utc_end: 0,
            utc_error: 0,
            utc_source: VigieUtcSource::None as i32,
            flags: 0,
            epoch: 0,
            width: 0,
            height: 0,
            codec_string: ptr::null(),
        }
    }

    /// The UTC of a fragment whose duration is known.
    pub(crate) fn stamp(&mut self, utc: UtcStamp) {
        self.utc = utc.utc.0;
        self.utc_end = utc.utc.plus(Ticks::micros(i64::try_from(self.duration).unwrap_or(0))).0;
        self.utc_error = utc.error;
        self.utc_source = source(utc.source);
    }

    pub(crate) fn special(&mut self, flags: FragmentFlags) {
        use VigiePieceFlag as F;
        let all = [
            (flags.random_access, F::RandomAccess),
            (flags.continues_gop, F::ContinuesGop),
            (flags.loss, F::Loss),
            (flags.discontinuity, F::Discontinuity),
            (flags.incomplete, F::Incomplete),
        ];
        self.flags = all.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag as u32).sum();
    }
}

pub(crate) fn source(source: UtcSource) -> i32 {
    (match source {
        UtcSource::OnvifExtension => VigieUtcSource::OnvifExtension,
        UtcSource::SenderReport => VigieUtcSource::SenderReport,
        UtcSource::RangeClock => VigieUtcSource::RangeClock,
        UtcSource::Arrival => VigieUtcSource::Arrival,
        _ => VigieUtcSource::None,
    }) as i32
}

/// A piece, with the bytes that it lends.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) piece: VigiePiece,
    pub(crate) bytes: Vec<Bytes>,
    pub(crate) codec: String,
}

impl Made {
    pub(crate) fn init(bytes: Bytes, segment: &InitSegment) -> Self {
        let mut piece = VigiePiece::blank(VigiePieceKind::Init);
        (piece.width, piece.height) = segment.size();
        Self { piece, bytes: vec![bytes], codec: segment.codec_string().into_owned() }
    }

    pub(crate) fn fragment(fragment: Fragment) -> Self {
        let mut piece = VigiePiece::blank(VigiePieceKind::Fragment);
        piece.samples = fragment.samples;
        (piece.dts, piece.pts, piece.duration) = (fragment.dts.0, fragment.pts.0, fragment.duration);
        piece.stamp(fragment.utc);
        piece.special(fragment.flags);
        piece.epoch = fragment.epoch;
        (piece.width, piece.height) = fragment.init.size();
        let codec = fragment.init.codec_string().into_owned();
        let mut bytes = Vec::with_capacity(1 + fragment.body.len());
        bytes.push(fragment.head);
        bytes.extend(fragment.body);
        Self { piece, bytes, codec }
    }
}

/// The last piece given out, which the host may still be reading.
#[derive(Debug, Default)]
pub(crate) struct Lent {
    bytes: Vec<Bytes>,
    slices: Vec<VigieSlice>,
    codec: CString,
}

impl Lent {
    /// Lends bytes that are no piece; what was lent before is over.
    pub(crate) fn lend_bytes(&mut self, bytes: Bytes) -> VigieSlice {
        let slice = VigieSlice { bytes: bytes.as_ptr(), len: bytes.len() };
        self.bytes.clear();
        self.bytes.push(bytes);
        slice
    }

    /// Lends a piece; the one before is over.
    pub(crate) fn lend(&mut self, made: Made) -> VigiePiece {
        self.bytes = made.bytes;
        self.slices.clear();
        self.slices.extend(self.bytes.iter().map(|b| VigieSlice { bytes: b.as_ptr(), len: b.len() }));
        self.codec = CString::new(made.codec).unwrap_or_default();
        let (slices, slice_count) = (self.slices.as_ptr(), self.slices.len());
        VigiePiece { slices, slice_count, codec_string: self.codec.as_ptr(), ..made.piece }
    }
}
