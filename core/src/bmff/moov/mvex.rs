//! `mvex`: that fragments follow, and what they default to, ISO/IEC 14496-12 §8.8.1 to §8.8.3.

use alloc::vec::Vec;
use bytes::BytesMut;

use crate::bmff::moof::traf::trun::NOT_SYNC;
use crate::bmff::{Body, Boxed, Error, FourCc, put_full, put_sized, version_for, write_box};
use crate::octets::Write as _;

const MEHD: FourCc = FourCc(*b"mehd");

/// That fragments follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mvex {
    /// `mehd`: duration of the whole with its fragments, in ticks of the movie. Browsers take a file without it, and
    /// without a duration in `mvhd`, for live and keep little before the decoder.
    pub duration: Option<u64>,
    /// What the fragments of each track default to.
    pub tracks: Vec<Trex>,
}

impl Mvex {
    /// Of one track, duration not known.
    #[must_use]
    pub fn of(track: Trex) -> Self {
        Self { duration: None, tracks: [track].into() }
    }
}

impl Boxed for Mvex {
    const KIND: FourCc = FourCc(*b"mvex");

    fn write_body(&self, out: &mut BytesMut) {
        if let Some(duration) = self.duration {
            write_box(out, MEHD, |out| {
                let version = version_for(&[duration]);
                put_full(out, version, 0);
                put_sized(out, version, duration);
            });
        }
        for track in &self.tracks {
            track.write(out);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let mut mvex = Self::default();
        for child in body.children() {
            let child = child?;
            if child.kind == MEHD {
                let mut mehd = child.body();
                let (version, _) = mehd.full(1)?;
                mvex.duration = Some(mehd.sized(version)?);
            } else if child.kind == Trex::KIND {
                mvex.tracks.push(child.parse()?);
            }
        }
        Ok(mvex)
    }
}

/// `trex`: what the fragments of a track default to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trex {
    /// The track.
    pub track: u32,
    /// Which sample entry, counted from 1.
    pub description: u32,
    /// Duration of a sample, ticks.
    pub duration: u32,
    /// Bytes of a sample.
    pub size: u32,
    /// Flags of a sample.
    pub sample_flags: u32,
}

impl Trex {
    /// The first sample entry, not a sync sample, nothing else.
    #[must_use]
    pub const fn new(track: u32) -> Self {
        Self { track, description: 1, duration: 0, size: 0, sample_flags: NOT_SYNC }
    }
}

impl Boxed for Trex {
    const KIND: FourCc = FourCc(*b"trex");

    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        for field in [self.track, self.description, self.duration, self.size, self.sample_flags] {
            out.put_u32(field);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        let (track, description, duration) = (body.u32()?, body.u32()?, body.u32()?);
        Ok(Self { track, description, duration, size: body.u32()?, sample_flags: body.u32()? })
    }
}
