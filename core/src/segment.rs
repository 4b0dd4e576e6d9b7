//! Fragments to files of about a minute: ONVIF *Recording Control*, annex "Object storage recording format", CMAF.
//!
//! [`Segmenter`] decides where a file starts and ends and what stands in it besides fragments; whoever stores them does
//! what its [`Output`] say. [`Layout`] is the bookkeeping of one file: `sidx` and `mfra` from what was appended. Recovery
//! uses the same `Layout`, so that a file closed after a power cut ends as any other.
//!
//! ```text
//! ftyp moov | file mark, blank | free: room for one sidx | { mark prft moof mdat }* | mfra
//! ```

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use bytes::{BufMut as _, Bytes, BytesMut};

mod layout;

pub use layout::{Layout, ROOM, Span, sap_type};

use crate::bmff::free;
use crate::fragment::{Fragment, InitSegment};
use crate::gix::{FileMark, Key};
use crate::time::{Ticks, UtcMicros};

/// What to do, in this order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Output {
    /// Create a file that starts with these bytes: init segment, blank file mark, room.
    Create {
        /// Its name.
        key: Key,
        /// Its init segment.
        init: Arc<InitSegment>,
        /// The bytes.
        bytes: Bytes,
    },
    /// Append a fragment.
    Append {
        /// The fragment.
        fragment: Fragment,
        /// Byte of the file that it starts at.
        offset: u64,
    },
    /// Append `mfra`: all fragments are there.
    Trailer {
        /// The bytes.
        bytes: Bytes,
        /// Byte of the file that they start at.
        offset: u64,
    },
    /// Write into the file, over the room.
    Patch {
        /// The bytes: `sidx`, and `free` for what is left.
        bytes: Bytes,
        /// Byte of the file that they start at.
        offset: u64,
    },
    /// The file is whole.
    Close,
    /// Create an empty object: the span ended in order. The name is [`Key::end_name`].
    SpanEnd {
        /// UTC of the end of its last picture, and the number that its next file would have had.
        key: Key,
    },
}

/// When a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Microseconds of a file, about: 60 s.
    pub period: u64,
    /// Microseconds that the cuts lie behind whole periods of UTC.
    pub stagger: u64,
}

impl Config {
    /// Files of a minute, cut at a moment of it that depends on the camera's name: else thousands of cameras would open
    /// files in the same second.
    #[must_use]
    pub fn staggered(camera: &str) -> Self {
        // FNV-1a, 64 bits: the same on every machine and for ever, as the cuts shall be.
        let hash = camera.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let period = 60_000_000;
        Self { period, stagger: hash % period }
    }
}

/// A file without a random access point to cut at is cut anyway after so many periods.
const PATIENCE: i64 = 10;
/// Likewise at so many bytes: below what `sidx` and 32-bit readers can say.
const MOST_BYTES: u64 = 1 << 30;

/// Parts fragments into files. [`push`](Self::push) a fragment, then [`pull`](Self::pull) until there is nothing left.
///
/// A file starts at a random access point. It ends at the first one past the next cut, or when what follows does not
/// continue it: another init segment or a discontinuity, which begin a new *span* whose counter starts at 0.
#[derive(Debug)]
pub struct Segmenter {
    config: Config,
    open: Option<Open>,
    ready: VecDeque<Output>,
}

#[derive(Debug)]
struct Open {
    key: Key,
    init: Arc<InitSegment>,
    layout: Layout,
    /// Which period of UTC its first fragment lies in.
    slot: i64,
    /// Where its first fragment starts.
    first: Ticks,
    /// UTC where its last fragment ends.
    end: UtcMicros,
}

impl Segmenter {
    /// No file open.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config, open: None, ready: VecDeque::new() }
    }

    /// Takes the next fragment.
    pub fn push(&mut self, fragment: Fragment) {
        let slot = self.slot(fragment.utc.utc);
        let mut counter = 0;
        if let Some(open) = &self.open {
            let same_span = !fragment.flags.discontinuity
                && (Arc::ptr_eq(&open.init, &fragment.init) || open.init.bytes == fragment.init.bytes);
            let due = slot != open.slot && fragment.flags.random_access;
            let age = Ticks::micros(fragment.pts.0.saturating_sub(open.first.0));
            let overdue = age > PATIENCE.saturating_mul(self.period())
                || open.layout.len().saturating_add(fragment.len() as u64) > MOST_BYTES;
            if !same_span {
                self.finish();
            } else if due || overdue {
                counter = open.key.counter.saturating_add(1);
                self.close();
            }
        }
        if self.open.is_none() {
            self.create(Key { utc: fragment.utc.utc, counter }, &fragment, slot);
        }
        if let Some(open) = &mut self.open {
            let duration = i64::try_from(fragment.duration).unwrap_or(i64::MAX);
            open.end = fragment.utc.utc.plus(Ticks::micros(duration));
            let offset = open.layout.push(Span::of(&fragment));
            self.ready.push_back(Output::Append { fragment, offset });
        }
    }

    /// Ends the file and the span, if one is open. What is pushed afterwards begins a new span.
    pub fn finish(&mut self) {
        let Some(open) = &self.open else { return };
        let key = Key { utc: open.end, counter: open.key.counter.saturating_add(1) };
        self.close();
        self.ready.push_back(Output::SpanEnd { key });
    }

    /// What is to be done next.
    pub fn pull(&mut self) -> Option<Output> {
        self.ready.pop_front()
    }

    fn period(&self) -> i64 {
        i64::try_from(self.config.period.max(1)).unwrap_or(i64::MAX)
    }

    fn slot(&self, utc: UtcMicros) -> i64 {
        let stagger = i64::try_from(self.config.stagger).unwrap_or(0);
        utc.0.saturating_sub(stagger).div_euclid(self.period())
    }

    fn create(&mut self, key: Key, fragment: &Fragment, slot: i64) {
        let init = fragment.init.clone();
        let mut bytes = BytesMut::new();
        bytes.put_slice(&init.bytes);
        bytes.put_slice(&FileMark::blank());
        free::write(&mut bytes, ROOM);
        self.ready.push_back(Output::Create { key, init: init.clone(), bytes: bytes.freeze() });
        let layout = Layout::new(sap_type(&init.codec_string()), (init.bytes.len() + FileMark::LEN) as u64);
        self.open = Some(Open { key, init, layout, slot, first: fragment.pts, end: fragment.utc.utc });
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        self.ready.push_back(Output::Trailer { bytes: open.layout.mfra(), offset: open.layout.len() });
        self.ready.push_back(Output::Patch { bytes: open.layout.room(), offset: open.layout.room_at() });
        self.ready.push_back(Output::Close);
    }
}

#[cfg(test)]
mod tests;
