//! The bookkeeping of one file.

use alloc::vec;
use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

use crate::bmff::mfra::{Mfra, tfra};
use crate::bmff::sidx::{self, Reference, Sidx};
use crate::bmff::{Boxed as _, free};
use crate::fragment::{Fragment, MOOF_AT, TRACK};
use crate::gix::{Flags, FragmentMark};
use crate::time::{TIMESCALE, Ticks};

/// Bytes reserved for one `sidx`, box header included.
pub const ROOM: usize = 2_048;

/// References that fit the room so that what is left is a `free` box or nothing.
const MOST_REFERENCES: usize = (ROOM - sidx::EMPTY_LEN - 8) / sidx::REFERENCE_LEN;

/// What the file's index needs to know of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// Bytes.
    pub len: u64,
    /// Earliest presentation time.
    pub pts: Ticks,
    /// Sum of the samples' durations, ticks.
    pub duration: u64,
    /// Is its first sample a random access point?
    pub random_access: bool,
}

impl Span {
    /// Of a fragment.
    #[must_use]
    pub fn of(fragment: &Fragment) -> Self {
        Self {
            len: fragment.len() as u64,
            pts: fragment.pts,
            duration: fragment.duration,
            random_access: fragment.flags.random_access,
        }
    }

    /// Of a stored fragment, by its mark.
    #[must_use]
    pub const fn from_mark(mark: &FragmentMark) -> Self {
        Self {
            len: mark.len as u64,
            pts: mark.dts.plus(mark.offset as i64),
            duration: mark.duration as u64,
            random_access: mark.flags.has(Flags::RANDOM_ACCESS),
        }
    }
}

/// The SAP type (ISO/IEC 14496-12 Annex I) of a track's random access points, by its codec string; 0: not told. IDR is type 1,
/// and so are JPEG, sound and a key frame of AV1. An H.265 CRA with leading pictures would be 3, one without them 1: the file
/// does not say.
#[must_use]
pub fn sap_type(codec_string: &str) -> u8 {
    u8::from(!codec_string.starts_with("hvc") && !codec_string.starts_with("hev"))
}

/// Where the fragments of a file are, and the boxes that say so.
#[derive(Clone, Debug)]
pub struct Layout {
    /// SAP type of its random access points.
    sap: u8,
    /// Bytes from the start of a fragment to its `moof`.
    moof_at: u64,
    room_at: u64,
    len: u64,
    fragments: Vec<(u64, Span)>,
}

impl Layout {
    /// A file whose random access points are of SAP type `sap` and whose room starts at byte `room_at`; its first fragment stands right behind the room.
    #[must_use]
    pub const fn new(sap: u8, room_at: u64) -> Self {
        Self { sap, moof_at: MOOF_AT as u64, room_at, len: room_at + ROOM as u64, fragments: Vec::new() }
    }

    /// The same where fragments start with their `moof`: without mark and `prft`.
    #[must_use]
    pub const fn unmarked(mut self) -> Self {
        self.moof_at = 0;
        self
    }

    /// The next fragment; gives the byte of the file that it starts at.
    pub fn push(&mut self, fragment: Span) -> u64 {
        let at = self.len;
        self.fragments.push((at, fragment));
        self.len += fragment.len;
        at
    }

    /// Steps over bytes that are no fragment: a hole that recovery closed with a `free` box.
    pub const fn skip(&mut self, bytes: u64) {
        self.len += bytes;
    }

    /// Byte of the file that the next fragment, or `mfra`, starts at.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Is there no fragment?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fragments.is_empty()
    }

    /// Byte of the file that the room starts at.
    #[must_use]
    pub const fn room_at(&self) -> u64 {
        self.room_at
    }

    /// `mfra`, the last box of the file: every random access point (the annex: "every CMAF fragment shall be referenced").
    #[must_use]
    pub fn mfra(&self) -> Bytes {
        let points = self.fragments.iter().filter(|(_, f)| f.random_access);
        let entries = points
            .map(|(at, f)| tfra::Entry::first_sample(f.pts.0.max(0) as u64, at + self.moof_at))
            .collect();
        let mut out = BytesMut::new();
        Mfra { tracks: vec![tfra::Tfra { track: TRACK, entries }] }.write(&mut out);
        out.freeze()
    }

    /// What belongs into the room at the end: the `sidx`, and `free` for what is left. All `free` where the fragments
    /// cannot be told in one `sidx`.
    #[must_use]
    pub fn room(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(ROOM);
        if let Some(references) = self.references() {
            let used = sidx::EMPTY_LEN + references.len() * sidx::REFERENCE_LEN;
            let mut sidx = Sidx::new(TRACK, TIMESCALE);
            sidx.earliest_presentation = self.fragments.first().map_or(0, |(_, f)| f.pts.0.max(0) as u64);
            let first = self.fragments.first().map_or(self.len, |(at, _)| *at);
            sidx.first_offset = first.saturating_sub(self.room_at + used as u64);
            sidx.references = references;
            sidx.write(&mut out);
        }
        let left = ROOM - out.len();
        free::write(&mut out, left);
        out.freeze()
    }

    /// One reference per random access point, with the parts that continue its GOP; several to one where the room
    /// does not hold them all. `None` where a size passes its 31 bits.
    fn references(&self) -> Option<Vec<Reference>> {
        let starts: Vec<_> = (0..self.fragments.len())
            .filter(|i| *i == 0 || self.fragments.get(*i).is_some_and(|(_, f)| f.random_access))
            .collect();
        let each = starts.len().div_ceil(MOST_REFERENCES).max(1);
        let starts: Vec<_> = starts.into_iter().step_by(each).collect();
        starts
            .iter()
            .enumerate()
            .map(|(i, from)| {
                let to = starts.get(i + 1).copied().unwrap_or(self.fragments.len());
                let (at, first) = self.fragments.get(*from)?;
                let end = self.fragments.get(to).map_or(self.len, |(at, _)| *at);
                let duration: u64 = self.fragments.get(*from..to)?.iter().map(|(_, f)| f.duration).sum();
                let size = u32::try_from(end - at).ok().filter(|size| size >> 31 == 0)?;
                let mut reference = Reference::media(size, u32::try_from(duration).ok()?, self.sap);
                reference.starts_with_sap = first.random_access;
                Some(reference)
            })
            .collect()
    }
}
