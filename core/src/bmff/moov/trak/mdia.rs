//! `mdia`: a track's media, ISO/IEC 14496-12 §8.4.1.

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc};

pub mod hdlr;
pub mod mdhd;
pub mod minf;

use hdlr::Hdlr;
use mdhd::Mdhd;
use minf::Minf;

/// A track's media.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mdia {
    /// Timescale, duration, language.
    pub header: Mdhd,
    /// What kind of media.
    pub handler: Hdlr,
    /// The tables.
    pub information: Minf,
}

impl Mdia {
    /// Video.
    #[must_use]
    pub fn video(header: Mdhd, information: Minf) -> Self {
        Self { header, handler: Hdlr::video(), information }
    }

    /// Sound.
    #[must_use]
    pub fn sound(header: Mdhd, information: Minf) -> Self {
        Self { header, handler: Hdlr::sound(), information }
    }

    /// Subtitles.
    #[must_use]
    pub fn subtitle(header: Mdhd, information: Minf) -> Self {
        Self { header, handler: Hdlr::subtitle(), information }
    }
}

impl Boxed for Mdia {
    const KIND: FourCc = FourCc(*b"mdia");

    fn write_body(&self, out: &mut BytesMut) {
        self.header.write(out);
        self.handler.write(out);
        self.information.write(out);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let need = |kind| body.children().need(kind);
        Ok(Self {
            header: need(Mdhd::KIND)?.parse()?,
            handler: need(Hdlr::KIND)?.parse()?,
            information: need(Minf::KIND)?.parse()?,
        })
    }
}
