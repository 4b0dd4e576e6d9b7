//! What there is: cameras, the spans recorded, the gaps between them and why.

use std::ffi::{CString, c_char};

use vigie::gix::Span;
use vigie::store::{self, Cause, Listing, Source};
use vigie::time::UtcMicros;

use super::{Store, VigieFinding, VigieHold};
use crate::VigieResult;
use crate::given::Sized;

/// A camera of a store.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieCamera {
    /// Whose it is; NUL-terminated.
    pub tenant: *const c_char,
    /// Which of the tenant's; NUL-terminated.
    pub camera: *const c_char,
}

/// A span of time, in microseconds of UTC since 1970.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieSpan {
    /// The first moment.
    pub from: i64,
    /// The moment after the last; `INT64_MAX` where it goes on.
    pub to: i64,
}

/// Why there is no footage.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieCause {
    /// None of those below.
    None = 0,
    /// The camera sent nothing, or what cannot be recorded.
    Camera = 1,
    /// It could not be reached.
    Network = 2,
    /// It refused name and password.
    Authentication = 3,
    /// The store could not be written: full, failing, not allowed.
    Storage = 4,
    /// A clock was set forward: nothing is missing but time.
    Clock = 5,
    /// A person stopped it.
    Operator = 6,
    /// It was deleted when its time had come.
    Retention = 7,
    /// The recorder itself was down: a crash, a power cut.
    Recorder = 8,
}

/// A span of which there is no footage, and why.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieGap {
    /// When.
    pub span: VigieSpan,
    /// One of `vigie_cause`.
    pub cause: i32,
    /// The stable number of the error behind it, 0 where there is none.
    pub code: u32,
}

/// What a camera has of a span of time. Set `struct_size` to `sizeof(vigie_listing)` before the call. The arrays stay the
/// store's, and good until the next call on it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieListing {
    /// `sizeof(vigie_listing)`.
    pub struct_size: usize,
    /// The spans recorded, by time.
    pub ranges: *const VigieSpan,
    /// Number of them.
    pub range_count: usize,
    /// Those not recorded, between the first and the last that are, and after the last where it is known why.
    pub gaps: *const VigieGap,
    /// Number of them.
    pub gap_count: usize,
    /// Media files that hold some of it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their pictures.
    pub pictures: u64,
    /// RTP packets lost in them.
    pub lost: u64,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieListing {}

/// What the last call lends.
#[derive(Debug, Default)]
pub(super) struct Lent {
    pub(super) text: Vec<CString>,
    pub(super) cameras: Vec<VigieCamera>,
    pub(super) ranges: Vec<VigieSpan>,
    pub(super) gaps: Vec<VigieGap>,
    pub(super) holds: Vec<VigieHold>,
    pub(super) names: Vec<*const c_char>,
    pub(super) findings: Vec<VigieFinding>,
}

impl Lent {
    /// Text that is lent.
    pub(super) fn text(&mut self, text: &str) -> *const c_char {
        let text = CString::new(text).unwrap_or_default();
        let lent = text.as_ptr();
        self.text.push(text);
        lent
    }
}

pub(crate) fn cause(cause: Cause) -> i32 {
    (match cause {
        Cause::Camera => VigieCause::Camera,
        Cause::Network => VigieCause::Network,
        Cause::Authentication => VigieCause::Authentication,
        Cause::Storage => VigieCause::Storage,
        Cause::Clock => VigieCause::Clock,
        Cause::Operator => VigieCause::Operator,
        Cause::Retention => VigieCause::Retention,
        Cause::Recorder => VigieCause::Recorder,
        _ => VigieCause::None,
    }) as i32
}

impl Store {
    /// Every camera that something was recorded of.
    pub(super) fn sources(&mut self) -> Result<Vec<Source>, store::Error> {
        let mut all = Vec::new();
        for tenant in store::tenants(&mut self.storage)? {
            for camera in store::cameras(&mut self.storage, &tenant)? {
                let source = Source { tenant, camera };
                // Other people's folders are no cameras.
                if !store::days(&mut self.storage, &source)?.is_empty() {
                    all.push(source);
                }
            }
        }
        Ok(all)
    }

    pub(super) fn cameras(&mut self) -> Result<&[VigieCamera], VigieResult> {
        let sources = self.sources().map_err(|error| self.store_error(&error))?;
        self.lent = Lent::default();
        for source in sources {
            let tenant = self.lent.text(source.tenant.as_str());
            let camera = self.lent.text(source.camera.as_str());
            self.lent.cameras.push(VigieCamera { tenant, camera });
        }
        Ok(&self.lent.cameras)
    }

    pub(super) fn list(&mut self, source: &Source, window: Span) -> Result<VigieListing, VigieResult> {
        let listing = Listing::load(&mut self.storage, source, window);
        let listing = listing.map_err(|error| self.store_error(&error))?;
        self.lent = Lent::default();
        self.lent.ranges.extend(listing.ranges.iter().copied().map(span));
        self.lent.gaps.extend(listing.gaps.iter().map(|gap| VigieGap {
            span: span(gap.span),
            cause: cause(gap.cause),
            code: gap.code.into(),
        }));
        Ok(VigieListing {
            struct_size: size_of::<VigieListing>(),
            ranges: self.lent.ranges.as_ptr(),
            range_count: self.lent.ranges.len(),
            gaps: self.lent.gaps.as_ptr(),
            gap_count: self.lent.gaps.len(),
            files: listing.segments.len() as u64,
            bytes: listing.segments.iter().map(|file| file.bytes).sum(),
            pictures: listing.segments.iter().map(|file| file.samples).sum(),
            lost: listing.segments.iter().map(|file| file.lost).sum(),
        })
    }
}

fn span(span: Span) -> VigieSpan {
    VigieSpan { from: span.from.0, to: span.to.0 }
}

/// The span asked for.
pub(super) fn window(from: i64, to: i64) -> Result<Span, VigieResult> {
    let window = Span::new(UtcMicros(from), UtcMicros(to));
    if window.is_empty() { Err(VigieResult::Argument) } else { Ok(window) }
}
