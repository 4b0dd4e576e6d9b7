//! `moov`: what the tracks are, ISO/IEC 14496-12 §8.2.1.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::{Body, Boxed, Error, FourCc, Kind};

pub mod mvex;
pub mod mvhd;
pub mod trak;

use mvex::{Mvex, Trex};
use mvhd::Mvhd;
use trak::Trak;

/// The movie.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moov {
    /// Its header.
    pub header: Mvhd,
    /// Its tracks.
    pub tracks: Vec<Trak>,
    /// Present where fragments follow.
    pub extends: Option<Mvex>,
}

impl Moov {
    /// An init segment of one track.
    #[must_use]
    pub fn fragmented(track: Trak) -> Self {
        let timescale = track.media.header.timescale;
        let id = track.header.track;
        Self {
            header: Mvhd { next_track: id.saturating_add(1), ..Mvhd::new(timescale, 0) },
            extends: Some(Mvex::of(Trex::new(id))),
            tracks: [track].into(),
        }
    }

    /// A whole movie of one track.
    #[must_use]
    pub fn whole(track: Trak) -> Self {
        let timescale = track.media.header.timescale;
        Self {
            header: Mvhd {
                next_track: track.header.track.saturating_add(1),
                ..Mvhd::new(timescale, track.header.duration)
            },
            extends: None,
            tracks: [track].into(),
        }
    }

    /// With one more track, after those that are there.
    #[must_use]
    pub fn with(mut self, track: Trak) -> Self {
        self.header.next_track = self.header.next_track.max(track.header.track.saturating_add(1));
        self.header.duration = self.header.duration.max(track.header.duration);
        self.tracks.push(track);
        self
    }

    /// The first video track.
    #[must_use]
    pub fn video(&self) -> Option<&Trak> {
        self.tracks.iter().find(|t| t.media.handler.kind == trak::mdia::hdlr::VIDEO)
    }

    /// The first track of sound.
    #[must_use]
    pub fn audio(&self) -> Option<&Trak> {
        self.tracks.iter().find(|t| t.media.handler.kind == trak::mdia::hdlr::SOUND)
    }

    /// What fragments of `track` default to.
    #[must_use]
    pub fn defaults(&self, track: u32) -> Trex {
        let tables = self.extends.iter().flat_map(|e| &e.tracks);
        tables.copied().find(|t| t.track == track).unwrap_or(Trex::new(track))
    }
}

impl Boxed for Moov {
    const KIND: FourCc = FourCc(*b"moov");

    fn write_body(&self, out: &mut BytesMut) {
        self.header.write(out);
        for track in &self.tracks {
            track.write(out);
        }
        if let Some(extends) = &self.extends {
            extends.write(out);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (mut header, mut tracks, mut extends) = (None, Vec::new(), None);
        for child in body.children() {
            let child = child?;
            match child.kind {
                Mvhd::KIND => header = Some(child.parse()?),
                Trak::KIND => tracks.push(child.parse()?),
                Mvex::KIND => extends = Some(child.parse()?),
                _ => {}
            }
        }
        let header = header.ok_or(body.fail(|_| Kind::Missing(Mvhd::KIND)))?;
        Ok(Self { header, tracks, extends })
    }
}
