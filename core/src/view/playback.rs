//! The view for players.

use core::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::bmff::moof::{self, Moof, traf};
use crate::bmff::moov::Moov;
use crate::bmff::moov::mvex::Trex;
use crate::bmff::moov::trak::Trak;
use crate::bmff::moov::trak::mdia::Mdia;
use crate::bmff::moov::trak::mdia::minf::Minf;
use crate::bmff::moov::trak::mdia::minf::stbl::Stbl;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::hvcc::HvcC;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{self, Stsd};
use crate::bmff::{BoxRef, Boxed, Boxes, Error, FourCc, Kind};
use crate::fault::Offset;
use crate::fragment::Fragment;
use crate::time::Ticks;

/// A stored init segment as a player gets it: `avc3` becomes `avc1`, `hev1` becomes `hvc1`, whose parameter sets count
/// as complete. Nothing else changes, not even the length.
///
/// The parameter sets stay among the samples as well, which ISO/IEC 14496-15 does not have for `avc1` and `hvc1`; that
/// browsers and ffmpeg play it was measured.
///
/// # Errors
/// [`Error`] where it is no init segment.
pub fn playback(init: &[u8]) -> Result<Bytes, Error> {
    let mut out = BytesMut::from(init);
    let moov = Boxes::new(init, 0).need(Moov::KIND)?;
    for track in moov.children() {
        let track = track?;
        if track.kind == Trak::KIND {
            relabel_track(&track, &mut out)?;
        }
    }
    Ok(out.freeze())
}

fn relabel_track(track: &BoxRef<'_>, out: &mut [u8]) -> Result<(), Error> {
    let media = track.children().need(Mdia::KIND)?;
    let tables = media.children().need(Minf::KIND)?.children().need(Stbl::KIND)?;
    let descriptions = tables.children().need(Stsd::KIND)?;
    // Version, flags and the number of entries.
    for entry in descriptions.body().after(8)?.children() {
        let entry = entry?;
        match entry.kind {
            stsd::AVC3 => put(out, entry.at + 4, &stsd::AVC1.0),
            stsd::HEV1 => {
                put(out, entry.at + 4, &stsd::HVC1.0);
                complete_arrays(&entry, out)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Sets array_completeness in every array of `hvcC`: `hvc1` demands it.
fn complete_arrays(entry: &BoxRef<'_>, out: &mut [u8]) -> Result<(), Error> {
    let record = entry.body().after(stsd::VideoEntry::FIELDS)?.children().need(HvcC::KIND)?;
    for at in HvcC::array_headers(&mut record.body())? {
        if let Some(byte) = usize::try_from(at).ok().and_then(|at| out.get_mut(at)) {
            *byte |= 0x80;
        }
    }
    Ok(())
}

fn put(out: &mut [u8], at: u64, bytes: &[u8]) {
    let place = usize::try_from(at).ok().and_then(|at| out.get_mut(at..)?.get_mut(..bytes.len()));
    if let Some(place) = place {
        place.copy_from_slice(bytes);
    }
}

/// A fragment as a player gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shown {
    /// Which of the bytes given are for the player: `moof` and `mdat`.
    pub bytes: Range<usize>,
    /// Decoding time of the first sample, as the player sees it.
    pub dts: Ticks,
    /// Earliest presentation time, as the player sees it.
    pub pts: Ticks,
    /// Sum of the samples' durations, ticks.
    pub duration: u64,
    /// Number of samples.
    pub samples: u32,
    /// Is the first a sync sample?
    pub sync: bool,
}

/// Shows a stream to a player: relabels its init segments and moves its times.
///
/// ```text
/// stored init ──init──▶ bytes for appendBuffer
/// stored fragment ──fragment──▶ the same bytes, times moved in place; Shown says which of them to append
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Playback {
    shift: i64,
}

impl Playback {
    /// Times as stored.
    #[must_use]
    pub const fn new() -> Self {
        Self { shift: 0 }
    }

    /// From now on, what is stored as `stored` is shown at `shown`. The player's clock may so start at 0, or go on
    /// without a gap where the stored times leap.
    pub const fn rebase(&mut self, stored: Ticks, shown: Ticks) {
        self.shift = shown.0.saturating_sub(stored.0);
    }

    /// Ticks that are added to stored times.
    #[must_use]
    pub const fn shift(&self) -> i64 {
        self.shift
    }

    /// A stored init segment for the player: [`playback`].
    ///
    /// # Errors
    /// [`Error`] where it is no init segment.
    pub fn init(&self, stored: &[u8]) -> Result<Bytes, Error> {
        playback(stored)
    }

    /// A whole stored fragment for the player, its times moved in place. Its mark and `prft` are left out of
    /// [`Shown::bytes`].
    ///
    /// # Errors
    /// [`Error`] where it is no fragment, or would be shown before 0; the bytes are unchanged then.
    pub fn fragment(&self, stored: &mut [u8]) -> Result<Shown, Error> {
        let boxes = Boxes::new(stored, 0);
        let found = boxes.need(moof::KIND)?;
        let media = boxes.need(moof::MDAT)?;
        let end = media.at + media.bytes.len() as u64;
        let (mut shown, time_at) = self.read(&found)?;
        shown.bytes = found.at as usize..end as usize;
        put(stored, time_at, &shown.dts.0.to_be_bytes());
        Ok(shown)
    }

    /// A live fragment for the player: its bytes appended to `out`, in which [`Shown::bytes`] says where they are.
    ///
    /// # Errors
    /// As [`fragment`](Self::fragment); nothing is appended then.
    pub fn live(&self, fragment: &Fragment, out: &mut BytesMut) -> Result<Shown, Error> {
        let found = Boxes::new(&fragment.head, 0).need(moof::KIND)?;
        let (mut shown, time_at) = self.read(&found)?;
        let start = out.len();
        let skipped = found.at as usize;
        out.reserve(fragment.len() - skipped);
        out.extend_from_slice(fragment.head.get(skipped..).unwrap_or(&[]));
        for bytes in &fragment.body {
            out.extend_from_slice(bytes);
        }
        shown.bytes = start..out.len();
        if let Some(written) = out.get_mut(start..) {
            put(written, time_at - found.at, &shown.dts.0.to_be_bytes());
        }
        Ok(shown)
    }

    /// Times moved, and where the 8 bytes of the decoding time stand.
    fn read(&self, found: &BoxRef<'_>) -> Result<(Shown, u64), Error> {
        let fail = |kind: fn(FourCc) -> Kind| Error { kind: kind(traf::tfdt::KIND), at: Offset(found.at) };
        let moof = Moof::parse(found)?;
        let track = moof.tracks.first().ok_or(fail(Kind::Missing))?;
        let stored = track.decode_time.ok_or(fail(Kind::Missing))?;
        let time_at = found.children().need(traf::KIND)?.children().need(traf::tfdt::KIND)?;
        // Ours is always version 1; a 32-bit time has no room to be moved in.
        if time_at.bytes.len() != 20 {
            return Err(fail(Kind::BadValue));
        }
        let stored = i64::try_from(stored).map_err(|_| fail(Kind::BadValue))?;
        let dts = stored.checked_add(self.shift).filter(|t| *t >= 0).ok_or(fail(Kind::BadValue))?;
        let mut shown = Shown {
            bytes: 0..0,
            dts: Ticks(dts),
            pts: Ticks(i64::MAX),
            duration: 0,
            samples: 0,
            sync: false,
        };
        for sample in track.samples(&Trex::new(track.header.track)) {
            let pts = dts.saturating_add_unsigned(shown.duration).saturating_add(sample.composition.into());
            shown.pts = shown.pts.min(Ticks(pts));
            shown.sync |= shown.samples == 0 && sample.is_sync();
            shown.duration = shown.duration.saturating_add(sample.duration.into());
            shown.samples = shown.samples.saturating_add(1);
        }
        Ok((shown, time_at.at + 12))
    }
}
