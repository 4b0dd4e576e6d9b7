//! `trak`: one track, ISO/IEC 14496-12 §8.3.1.

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, Kind};

pub mod edts;
pub mod mdia;
pub mod tkhd;

use edts::Edts;
use mdia::Mdia;
use tkhd::Tkhd;

/// One track.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trak {
    /// Its header.
    pub header: Tkhd,
    /// What of it is shown when; `None`: all, from the start.
    pub edits: Option<Edts>,
    /// Its media.
    pub media: Mdia,
}

impl Trak {
    /// Shown from the start to the end.
    #[must_use]
    pub const fn new(header: Tkhd, media: Mdia) -> Self {
        Self { header, edits: None, media }
    }
}

impl Boxed for Trak {
    const KIND: FourCc = FourCc(*b"trak");

    fn write_body(&self, out: &mut BytesMut) {
        self.header.write(out);
        if let Some(edits) = &self.edits {
            edits.write(out);
        }
        self.media.write(out);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (mut header, mut edits, mut media) = (None, None, None);
        for child in body.children() {
            let child = child?;
            match child.kind {
                Tkhd::KIND => header = Some(child.parse()?),
                Edts::KIND => edits = Some(child.parse()?),
                Mdia::KIND => media = Some(child.parse()?),
                _ => {}
            }
        }
        let header = header.ok_or(body.fail(|_| Kind::Missing(Tkhd::KIND)))?;
        let media = media.ok_or(body.fail(|_| Kind::Missing(Mdia::KIND)))?;
        Ok(Self { header, edits, media })
    }
}
